"""The merge of one field, branch by branch."""

from __future__ import annotations

import pytest

from syncd.core.fields import FieldType
from syncd.core.merge import Sight, merge
from syncd.core.model import Cell
from syncd.core.rules import SHARED

TEXT, SETS = FieldType.TEXT, FieldType.MULTI_SELECT


def new(connection, value):
    """A tool that shows the field for the first time."""
    return Sight(connection, value, None)


def was(connection, base, value):
    """A tool with which `base` was agreed and that now shows `value`."""
    return Sight(connection, value, Cell(base))


def still(connection, value):
    return was(connection, value, value)


def run(owner, current, *sights, known=True, on_conflict="ask", kind=TEXT):
    return merge(kind, owner, on_conflict, current, known, sights)


def outcome(merged):
    return merged.value, merged.source


# owned ----------------------------------------------------------------------------------------------

OWNED = {
    "the owner edits": ("A", [was("jira", "A", "B"), still("notion", "A")], ("B", "jira")),
    "the owner empties": ("A", [was("jira", "A", None), still("notion", "A")], (None, "jira")),
    "nobody edits": ("A", [still("jira", "A"), still("notion", "A")], ("A", None)),
    "another edits": ("A", [still("jira", "A"), was("notion", "A", "C")], ("A", None)),
    "both edit": ("A", [was("jira", "A", "B"), was("notion", "A", "C")], ("B", "jira")),
    "the owner is not there": ("A", [was("notion", "A", "C")], ("A", None)),
    "the owner is new and says otherwise": ("A", [new("jira", "B"), still("notion", "A")], ("B", "jira")),
    "the owner is new and says the same": ("A", [new("jira", "A"), still("notion", "A")], ("A", None)),
    "the owner is new and empty": ("A", [new("jira", None), still("notion", "A")], ("A", None)),
    "a new tool says otherwise": ("A", [still("jira", "A"), new("notion", "C")], ("A", None)),
    "the owner shows what could not be delivered": ("B", [still("jira", "A")], ("B", None)),
    "only spelling differs": ("A b", [was("jira", "A b", " A  b ")], ("A b", None)),
}  # fmt: skip


@pytest.mark.parametrize("case", OWNED)
def test_an_owned_field(case):
    current, sights, expected = OWNED[case]
    assert outcome(run("jira", current, *sights)) == expected


FIRST = {
    "the owner speaks": ([new("jira", "A"), new("notion", "B")], ("A", "jira")),
    "the owner is empty, another is not": ([new("jira", None), new("notion", "B")], ("B", "notion")),
    "all are empty": ([new("jira", None), new("notion", None)], (None, "jira")),
    "the owner is not there": ([new("asana", None), new("notion", "B")], ("B", "notion")),
    "nobody is there": ([], (None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", FIRST)
def test_the_first_word_on_an_owned_field(case):
    sights, expected = FIRST[case]
    assert outcome(run("jira", None, *sights, known=False)) == expected


def test_an_edit_elsewhere_is_overruled_and_its_value_named():
    merged = run("jira", "A", still("jira", "A"), was("notion", "A", "C"), still("asana", "A"))
    assert [(s.connection, s.value) for s in merged.corrected] == [("notion", "C")]
    assert merged.cells == {"notion": Cell("C")}, "what it shows is what a write would replace"


def test_an_edit_elsewhere_that_says_what_the_owner_says_is_no_correction():
    merged = run("jira", "A", was("jira", "A", "B"), was("notion", "A", "B"))
    assert merged.corrected == ()
    assert merged.cells == {"jira": Cell("B"), "notion": Cell("B")}


def test_a_cell_that_nobody_touched_keeps_what_was_sent_to_it():
    kept = Sight("notion", "SEARCH", Cell("SEARCH", "Search", has_sent=True))
    assert run("jira", "Search", still("jira", "Search"), kept).cells == {}


@pytest.mark.parametrize(
    ("jira", "words"),
    [
        (was("jira", None, "A"), "were edited differently since they last agreed"),
        (Sight("jira", "A", None), "held different values when they first met"),
    ],
)
def test_an_empty_field_that_was_in_step_is_edited_and_not_met(jira, words):
    merged = run(SHARED, None, jira, was("asana", None, "B"), known=False)
    assert words in merged.reason


def test_that_another_tool_is_empty_is_nobodys_word():
    merged = run("jira", None, Sight("asana", None, None), known=False)
    assert (merged.value, merged.source) == (None, None)


# shared ---------------------------------------------------------------------------------------------

SHARED_CASES = {
    "one edits": ("A", [was("jira", "A", "B"), still("notion", "A")], ("B", "jira")),
    "one empties": ("A", [was("jira", "A", None), still("notion", "A")], (None, "jira")),
    "nobody edits": ("A", [still("jira", "A"), still("notion", "A")], ("A", None)),
    "the same edit twice": ("A", [was("jira", "A", "B"), was("notion", "A", "B")], ("B", "jira")),
    "an edit to what is canonical": ("B", [was("jira", "A", "B"), still("notion", "B")], ("B", None)),
    "a new tool with the same": ("A", [still("jira", "A"), new("notion", "A")], ("A", None)),
    "a new tool that is empty": ("A", [still("jira", "A"), new("notion", None)], ("A", None)),
    "a value for what was empty": (None, [still("jira", None), new("notion", "N")], ("N", "notion")),
    "only a new tool is left": ("A", [new("notion", "N")], ("N", "notion")),
    "the new tool shows what is not yet overwritten": (
        "B", [still("jira", "B"), still("asana", "A"), new("notion", "B")], ("B", None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SHARED_CASES)
def test_a_shared_field(case):
    current, sights, expected = SHARED_CASES[case]
    merged = run(SHARED, current, *sights)
    assert outcome(merged) == expected
    assert merged.disputed == ()


def test_first_contact_of_one_value_with_empty_fields_erases_nothing():
    sights = [new("jira", None), new("asana", "A"), new("notion", None)]
    assert outcome(run(SHARED, None, *sights, known=False)) == ("A", "asana")


DISPUTES = {
    "two edits": ("A", [was("jira", "A", "B"), was("notion", "A", "C")], True),
    "an edit and an emptying": ("A", [was("jira", "A", "B"), was("notion", "A", None)], True),
    "three, two of which agree": (
        "A", [was("jira", "A", "B"), was("asana", "A", "B"), was("notion", "A", "C")], True,
    ),
    "two at first contact": (None, [new("jira", "B"), new("notion", "C")], False),
    "a new tool against what is agreed": ("A", [still("jira", "A"), new("notion", "C")], True),
    "two new tools, one with what is known": ("A", [new("jira", "A"), new("notion", "C")], True),
    "an edit and a new tool": ("A", [was("jira", "A", "B"), new("notion", "C")], True),
}  # fmt: skip


@pytest.mark.parametrize("case", DISPUTES)
def test_different_words_are_a_conflict_that_keeps_them_all(case):
    current, sights, known = DISPUTES[case]
    merged = run(SHARED, current, *sights, known=known)
    assert outcome(merged) == (current, None), "nothing is decided"
    assert list(merged.disputed) == sights
    assert merged.cells == {}, "the cells wait with the decision"
    assert "jira and " in merged.reason


@pytest.mark.parametrize("case", DISPUTES)
def test_a_named_winner_decides_a_conflict_and_the_losers_are_named(case):
    current, sights, known = DISPUTES[case]
    merged = run(SHARED, current, *sights, known=known, on_conflict="notion")
    assert outcome(merged) == (sights[-1].value, "notion")
    assert [s.connection for s in merged.corrected] == [s.connection for s in sights[:-1]]
    assert merged.disputed == ()


def test_a_winner_that_has_said_nothing_decides_nothing():
    merged = run(SHARED, "A", was("jira", "A", "B"), was("notion", "A", "C"), on_conflict="asana")
    assert len(merged.disputed) == 2


def test_a_new_tool_with_an_old_value_does_not_bring_it_back():
    """Canonical has moved on to B; no tool shows it yet, since the writes were refused."""
    merged = run(SHARED, "B", still("jira", "A"), new("notion", "A"))
    assert outcome(merged) == ("B", None)
    assert [s.connection for s in merged.disputed] == ["notion"]


def test_there_and_back_again_between_two_looks_is_nothing():
    assert outcome(run(SHARED, "A", was("jira", "A", "A"), still("notion", "A"))) == ("A", None)


def test_there_and_back_again_over_two_looks_ends_where_it_began():
    first = run(SHARED, "A", was("jira", "A", "B"), still("notion", "A"))
    second = run(SHARED, "B", Sight("jira", "A", first.cells["jira"]), still("notion", "B"))
    assert outcome(second) == ("A", "jira")


# sets -----------------------------------------------------------------------------------------------

SET_CASES = {
    "both add": (("a",), [was("jira", ("a",), ("a", "b")), was("notion", ("a",), ("a", "c"))], ("a", "b", "c")),
    "one adds, one removes": (("a",), [was("jira", ("a",), ("a", "b")), was("notion", ("a",), None)], ("b",)),
    "both remove": (("a",), [was("jira", ("a",), None), was("notion", ("a",), None)], None),
    "added here while removed there": (
        ("x",), [was("jira", None, ("x",)), was("notion", ("x",), None)], ("x",),
    ),
    "a new tool brings its own": (("a",), [still("jira", ("a",)), new("notion", ("b",))], ("a", "b")),
    "nothing": (("a",), [still("jira", ("a",)), still("notion", ("a",))], ("a",)),
}  # fmt: skip


@pytest.mark.parametrize("case", SET_CASES)
@pytest.mark.parametrize("turn", [1, -1])
def test_sets_add_up_and_never_conflict(case, turn):
    current, sights, expected = SET_CASES[case]
    merged = run(SHARED, current, *sights[::turn], kind=SETS)
    assert merged.value == expected
    assert merged.disputed == ()
    assert (merged.source is None) == (expected == current)


def test_sets_that_meet_for_the_first_time_add_up():
    merged = run(SHARED, None, new("jira", ("a",)), new("notion", ("b",)), known=False, kind=SETS)
    assert outcome(merged) == (("a", "b"), "jira")


def test_sets_do_not_care_how_a_letter_is_composed():
    merged = run(SHARED, ("é",), was("jira", ("é",), ("e\u0301", "x")), kind=SETS)
    assert merged.value == ("x", "é")
