"""What the guard counts, holds back and lets go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.guard import Approval, Ledger, Size, difference, excess, shortfall
from syncd.core.plan import CellChange, Change
from syncd.core.rules import Limits

KEY = ("jira", "s")


def change(thing="i1", made=None, cells=()):
    return Change("jira", "s", "box", thing, f"Title of {thing}", "feature", made, "", cells)


def overwrite(thing, old="before", name="title", new="after", **more):
    cell = CellChange(name, name, name, old, new, "roadmap.yaml:7", "because", **more)
    return change(thing, "1", (cell,))


def held(changes, *, size=10, filled=True, ledger=None, limits=None):
    place = Size("the site", size, filled)
    return excess(limits or Limits(), ledger or Ledger(), KEY, place, changes)


def approval(found):
    return Approval(found.checksum, found.kind, *found.key, "", "ann", 0.0, 900.0, found.changes)


def test_creations_and_overwritten_words_count_and_nothing_else():
    changes = [
        change("i1"), change("i2"), overwrite("i3"), overwrite("i4", old=None),
        overwrite("i5", name="progress"), overwrite("i6", free=True),
    ]  # fmt: skip
    assert Ledger().counts(KEY, changes) == (2, 1)


@pytest.mark.parametrize(
    ("size", "emptied", "over"), [(30, 20, 0), (30, 21, 1), (200, 40, 0), (200, 41, 1)]
)
def test_a_field_that_becomes_empty_everywhere_is_named_and_held_back(size, emptied, over):
    changes = [overwrite(f"o{n}", name="due", new=None) for n in range(emptied)]
    changes += [overwrite("o1", name="labels", new=None), overwrite("o2", old=None, new=None)]
    found = held(changes, size=size)
    assert (found is not None) == over
    if found is not None:
        assert f"this plan would empty due in {emptied} records in the site" in found.sentence
        ledger = Ledger()
        ledger.let_pass(changes)
        assert held(changes, size=size, ledger=ledger) is None, "a person has agreed"


@pytest.mark.parametrize(
    ("size", "creates", "overwrites", "over"),
    [
        (10, 20, 0, False), (10, 21, 0, True), (1000, 100, 0, False), (1000, 101, 0, True),
        (10, 0, 50, False), (10, 0, 51, True), (1000, 0, 200, False), (1000, 0, 201, True),
    ],
)  # fmt: skip
def test_the_limits_of_one_cycle(size, creates, overwrites, over):
    changes = [change(f"n{n}") for n in range(creates)]
    changes += [overwrite(f"o{n}") for n in range(overwrites)]
    found = held(changes, size=size)
    assert (found is not None) == over
    if found is not None:
        assert f"in the site, which holds {size}" in found.sentence
        assert f"`syncd approve {found.checksum}`" in found.sentence
        assert "Title of n0" in found.sentence or "Title of o0" in found.sentence


def test_a_first_fill_creates_without_limit_but_does_not_overwrite_what_people_wrote():
    assert held([change(f"n{n}") for n in range(500)], filled=False) is None
    assert held([overwrite(f"o{n}") for n in range(51)], filled=False) is not None


def test_the_rounds_of_a_cycle_count_together():
    ledger = Ledger()
    first = [change(f"a{n}") for n in range(15)]
    assert held(first, ledger=ledger) is None
    ledger.note(first)
    assert held([change(f"b{n}") for n in range(6)], ledger=ledger) is not None
    assert held([change(f"b{n}") for n in range(5)], ledger=ledger) is None


def test_what_the_cycle_has_created_holds_nobodys_words():
    ledger = Ledger()
    made = [change(f"a{n}") for n in range(60)]
    ledger.note(made)
    assert ledger.counts(KEY, [overwrite(f"a{n}") for n in range(60)]) == (60, 0)


def test_what_a_person_let_pass_is_not_counted_in_later_rounds():
    ledger = Ledger()
    changes = [change(f"a{n}") for n in range(60)]
    ledger.let_pass(changes)
    ledger.note(changes)
    assert held([overwrite(f"a{n}") for n in range(60)], ledger=ledger) is None
    assert held([change(f"b{n}") for n in range(21)], ledger=ledger) is not None


# approvals ------------------------------------------------------------------------------------------


def test_an_approval_covers_what_is_left_of_its_plan_and_nothing_more():
    limits = Limits(creates=(2, 0.0))
    changes = [change(f"n{n}") for n in range(6)]
    found = held(changes, limits=limits)
    word = approval(found)
    assert word.covers(found)
    assert word.covers(held(changes[1:], limits=limits)), "some of it is done already"
    assert not word.covers(held([*changes, change("more")], limits=limits))
    other = replace(changes[0], container="elsewhere")
    assert not word.covers(held([other, *changes[1:]], limits=limits))
    elsewhere = replace(word, scope="t")
    assert not elsewhere.covers(found)


def test_the_checksum_follows_what_is_written_not_the_words_for_it():
    limits = Limits(overwrites=(0, 0.0))
    one = held([overwrite("a"), overwrite("b")], limits=limits)
    again = held([overwrite("b"), replace(overwrite("a"), title="Renamed")], limits=limits)
    other = held([overwrite("a"), overwrite("b", new="another")], limits=limits)
    assert one.checksum == again.checksum != other.checksum


def test_the_difference_of_two_plans_in_words():
    before = {"create i1": ("x", "One"), "create i2": ("x", "Two"), "update i3": ("x", "Three")}
    now = {"create i2": ("y", "Two"), "update i3": ("x", "Three"), "create i4": ("x", "Four")}
    text = difference(before, now)
    assert text == "1 more (Four), 1 no longer (One), 1 with other values (Two)"
    assert difference(now, now) == "nothing"
    many = {f"create i{n}": ("x", f"T{n}") for n in range(7)}
    assert difference({}, many) == "7 more (T0, T1, T2, T3, T4 and 2 more)"


CHANGES = st.lists(
    st.tuples(st.booleans(), st.integers(0, 30)), max_size=40, unique_by=lambda each: each[1]
).map(lambda drawn: [change(f"i{n}") if new else overwrite(f"i{n}") for new, n in drawn])


@settings(max_examples=100, deadline=None)
@given(changes=CHANGES, cut=st.integers(0, 40))
def test_however_a_cycle_is_cut_into_rounds_the_same_is_counted(changes, cut):
    whole, parts = Ledger(), Ledger()
    parts.note(changes[:cut])
    assert parts.counts(KEY, changes[cut:]) == whole.counts(KEY, changes)


@settings(max_examples=100, deadline=None)
@given(changes=CHANGES)
def test_an_approved_plan_is_never_held_back(changes):
    limits = Limits(creates=(0, 0.0), overwrites=(0, 0.0))
    found = held(changes, limits=limits)
    if found is None:
        assert changes == []
        return
    assert approval(found).covers(found)
    ledger = Ledger()
    ledger.let_pass(changes)
    assert held(changes, ledger=ledger, limits=limits) is None


# lists ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "listed", "believed"),
    [
        (0, 0, True), (3, 0, False), (9, 1, True), (10, 0, False), (10, 5, False), (10, 6, True),
        (100, 100, True),
    ],
)  # fmt: skip
def test_which_lists_are_believed(known, listed, believed):
    found = shortfall(Limits(), KEY, "the site", known, listed)
    assert (found is None) == believed
    if found is not None:
        assert f"the site listed {listed} records where {known} are known" in found.sentence
        assert f"`syncd approve {found.checksum}`" in found.sentence
