"""What can be put back, and why the rest is left."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.fields import FieldType
from syncd.core.model import Cell, HistoryEntry
from syncd.core.undo import Step, changed_by, checksum, holds, step, written

TEXT = FieldType.TEXT


def entry(at, before, after, action="wrote", connection="notion", field="due", author=None):
    return HistoryEntry(int(at), at, "i1", field, action, connection, before, after, author)


def only(entries):
    (change,) = written(list(reversed(entries)))
    return change


VALUES = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=2, max_size=8)


@settings(max_examples=100, deadline=None)
@given(values=VALUES, cut=st.integers(1, 7))
def test_many_writes_count_from_the_first_before_to_the_last_after(values, cut):
    pairs = [entry(n, *pair) for n, pair in enumerate(itertools.pairwise(values))]
    change = only(pairs)
    assert (change.before, change.after) == (values[0], values[-1])
    if 0 < cut < len(pairs):
        assert only(pairs[:cut]).after == only(pairs[cut:]).before


@settings(max_examples=100, deadline=None)
@given(before=st.sampled_from("ab"), after=st.sampled_from("ab"), now=st.sampled_from("abc"))
def test_a_value_is_put_back_exactly_where_it_is_still_ours(before, after, now):
    change = only([entry(1, before, after)])
    found = step(TEXT, change, Cell(now, now, has_sent=True), "")
    if before in (after, now):
        assert found is None
    else:
        assert (found.why == "") == (now == after)
        assert (found.now, found.target) == (now, before)


def test_a_value_that_the_tool_spells_its_own_way_is_still_ours():
    assert holds(TEXT, Cell("5 May", "2026-05-05", has_sent=True), "2026-05-05")
    assert not holds(TEXT, Cell("5 May", "2026-05-05", True, "refused"), "2026-05-05")
    assert not holds(TEXT, Cell("5 May", "2026-05-05"), "2026-05-05")


def test_what_is_created_is_not_emptied():
    made = entry(1, None, None, action="created", field="")
    assert written([entry(1.5, None, "x"), made]) == []
    assert len(written([entry(1.5, None, "x", connection="asana"), made])) == 1


def test_what_was_written_after_a_creation_goes_back_to_what_it_began_with():
    made = entry(1, None, None, action="created", field="")
    later = [entry(3, "y", "z"), entry(2, "x", "y"), entry(1, None, "x"), made]
    (change,) = written(later)
    assert (change.before, change.after) == ("x", "z")
    again = entry(4, None, None, action="created", field="")
    assert written([again, *later]) == [], "what came before went to another record"


def test_a_record_that_is_gone_is_left():
    assert "gone" in step(TEXT, only([entry(1, "a", "b")]), None, "").why


def test_who_has_changed_it_since():
    change = only([entry(5, "a", "b")])
    by = entry(6, "b", "c", action="observed", author="notion:bob")
    other = entry(7, "b", "c", action="observed", connection="jira")
    assert (
        changed_by([other, by], change, {"notion:bob": "Bob"}) == "changed since by Bob in notion"
    )
    assert changed_by([entry(8, "b", "c"), by], change, {}) == "written again in cycle 8"
    assert changed_by([entry(4, "x", "a", action="observed")], change, {}) == ""


def test_the_checksum_is_of_what_is_put_back():
    one = Step("i1", "due", "notion", "b", "a")
    left = Step("i2", "due", "notion", "b", "a", "changed since")
    assert checksum([one, left]) == checksum([one])
    assert checksum([one]) != checksum([Step("i1", "due", "notion", "b", "c")])
