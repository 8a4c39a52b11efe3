"""Laws of the merge, for any sights: order does not matter, doing it again changes nothing, no word is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.fields import FieldType
from syncd.core.merge import Sight, edited, merge
from syncd.core.model import Cell
from syncd.core.rules import SHARED
from syncd.core.values import normal, same

TOOLS = ("jira", "asana", "notion")
WORDS = st.sampled_from([None, "A", "B", "C", " A ", "a  b", "a b"])
SETS = st.frozensets(st.sampled_from("abcd")).map(lambda s: tuple(sorted(s)) or None)
KINDS = {FieldType.TEXT: WORDS, FieldType.MULTI_SELECT: SETS}


@st.composite
def situations(draw, kind):
    values = KINDS[kind]
    sights = []
    for connection in draw(st.lists(st.sampled_from(TOOLS), unique=True)):
        base, shown = draw(values), draw(values)
        agreed = draw(st.sampled_from(["never", "kept", "any"]))
        cell = None if agreed == "never" else Cell(shown if agreed == "kept" else base)
        sights.append(Sight(connection, shown, cell))
    sights.sort(key=lambda sight: TOOLS.index(sight.connection))
    known = draw(st.booleans())
    current = draw(values) if known else None
    owner = draw(st.sampled_from([*TOOLS, SHARED, SHARED, SHARED]))
    on_conflict = draw(st.sampled_from(["ask", "ask", *TOOLS]))
    return owner, on_conflict, current, known, sights


each_kind = pytest.mark.parametrize("kind", KINDS)


def again(kind, situation, merged):
    """Return the situation after the merge, with nobody having done anything."""
    owner, on_conflict, _current, known, sights = situation
    later = [
        Sight(s.connection, s.value, (merged.cells or {}).get(s.connection, s.cell)) for s in sights
    ]
    known = known or merged.source is not None or (merged.value is not None and not merged.disputed)
    return owner, on_conflict, merged.value, known, later


@each_kind
@given(data=st.data())
def test_merging_again_changes_nothing_and_disputes_nothing_new(kind, data):
    situation = data.draw(situations(kind))
    first = merge(kind, *situation)
    after = again(kind, situation, first)
    second = merge(kind, *after)
    assert same(kind, second.value, first.value)
    assert second.corrected == ()
    assert [s.connection for s in second.disputed] == [s.connection for s in first.disputed]
    assert second.cells == {}
    third = merge(kind, *again(kind, after, second))
    assert same(kind, third.value, first.value)


@each_kind
@given(data=st.data())
def test_the_order_of_the_tools_decides_nothing(kind, data):
    owner, on_conflict, current, known, sights = data.draw(situations(kind))
    others = data.draw(st.permutations(sights))
    if owner != SHARED and not known:
        # while the owner has no word, the first tool of the configuration speaks: there order is meant
        spoken = [s for s in sights if s.connection == owner and s.value is not None]
        if not spoken:
            return
    one = merge(kind, owner, on_conflict, current, known, sights)
    two = merge(kind, owner, on_conflict, current, known, others)
    assert same(kind, one.value, two.value)
    assert {s.connection for s in one.disputed} == {s.connection for s in two.disputed}
    assert {s.connection for s in one.corrected} == {s.connection for s in two.corrected}
    assert one.cells == two.cells


@each_kind
@given(data=st.data())
def test_nobody_who_edits_a_shared_field_is_passed_over_in_silence(kind, data):
    """Every value is live, in the conflict, or named as overruled; sets keep what anybody added."""
    _owner, on_conflict, current, known, sights = data.draw(situations(kind))
    merged = merge(kind, SHARED, on_conflict, current, known, sights)
    told = {normal(kind, s.value) for s in (*merged.disputed, *merged.corrected)}
    told.add(normal(kind, current))  # the history has it: it is what the next value came after
    for sight in sights:
        speaks = edited(kind, sight) or (sight.cell is None and sight.value is not None)
        if not speaks or normal(kind, sight.value) in told:
            continue
        if kind is FieldType.MULTI_SELECT:
            base = set(normal(kind, sight.cell.base) or ()) if sight.cell else set()
            assert set(sight.value or ()) - base <= set(merged.value or ())
        else:
            assert same(kind, sight.value, merged.value)


@each_kind
@given(data=st.data())
def test_without_an_edit_and_without_a_newcomer_the_value_stays(kind, data):
    owner, on_conflict, current, _known, sights = data.draw(situations(kind))
    quiet = [Sight(s.connection, s.value, Cell(s.value)) for s in sights]
    merged = merge(kind, owner, on_conflict, current, True, quiet)
    assert (merged.value, merged.source, merged.cells) == (current, None, {})
    assert merged.corrected == merged.disputed == ()


@each_kind
@given(data=st.data())
def test_what_we_wrote_ourselves_is_never_an_edit(kind, data):
    """Each tool now shows the canonical value we gave it, and that is what was agreed: no echo."""
    owner, on_conflict, current, known, sights = data.draw(situations(kind))
    first = merge(kind, owner, on_conflict, current, known, sights)
    if first.disputed or not sights:
        return
    written = [
        Sight(s.connection, first.value, Cell(first.value, first.value, has_sent=True))
        for s in sights
    ]
    echo = merge(kind, owner, on_conflict, first.value, True, written)
    assert (echo.value, echo.source, echo.cells) == (first.value, None, {})


@each_kind
@given(data=st.data())
def test_the_owner_alone_decides_its_field_once_it_has_spoken(kind, data):
    owner, on_conflict, current, known, sights = data.draw(situations(kind))
    merged = merge(kind, owner, on_conflict, current, known, sights)
    mine = next((s for s in sights if s.connection == owner), None)
    if mine is None or mine.value is None or not (mine.cell is None or edited(kind, mine)):
        return
    assert same(kind, merged.value, mine.value)
    assert merged.disputed == ()
