"""Laws of the three-way merge of texts, and what people see of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.fields import FieldType
from syncd.core.merge import Sight, merge
from syncd.core.model import Cell
from syncd.core.rules import MERGE, SHARED
from syncd.core.textmerge import merge_text

TEXTS = st.lists(st.sampled_from(["", "a", "b", "c", "- d"]), max_size=8).map("\n".join)


@given(TEXTS, TEXTS)
def test_a_side_that_changed_nothing_gives_the_other(base, text):
    assert merge_text(base, text, base) == text
    assert merge_text(base, base, text) == text
    assert merge_text(base, text, text) == text


@given(TEXTS, TEXTS, TEXTS)
def test_no_side_comes_first(base, one, other):
    assert merge_text(base, one, other) == merge_text(base, other, one)


@given(TEXTS, TEXTS, TEXTS)
def test_lines_that_anybody_added_are_there(base, one, other):
    merged = merge_text(base, one, other)
    if merged is not None:
        new = (set(one.split("\n")) | set(other.split("\n"))) - set(base.split("\n"))
        assert new <= set(merged.split("\n"))


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ("A\n\nb\n\nc", "a\n\nb\n\nC", "A\n\nb\n\nC"),
        ("a\n\nb\n\nc\n\nnew", "first\n\na\n\nb\n\nc", "first\n\na\n\nb\n\nc\n\nnew"),
        ("a\n\nc", "a\n\nb\n\nC", None),
        ("A\n\nb\n\nc", "X\n\nb\n\nc", None),
    ],
)
def test_paragraphs(one, other, merged):
    assert merge_text("a\n\nb\n\nc", one, other) == merged


def shown(connection, value, base="a\n\nb"):
    return Sight(connection, value, Cell(base))


def test_two_edits_of_a_description_are_both_kept():
    sights = [shown("jira", "A\n\nb"), shown("notion", "a\n\nb\n\nc")]
    merged = merge(FieldType.RICH_TEXT, SHARED, MERGE, "a\n\nb", True, sights)
    assert (merged.value, merged.disputed) == ("A\n\nb\n\nc", ())
    assert merged.cells == {"jira": Cell("A\n\nb"), "notion": Cell("a\n\nb\n\nc")}


def test_a_tool_that_spells_the_text_its_own_way_takes_nothing_from_the_others():
    spelled = Sight("asana", "a\n\nb\n\nnew", Cell("a\n\nb"))
    sights = [shown("jira", "**A**\n\nb", "**a**\n\nb"), spelled]
    merged = merge(FieldType.RICH_TEXT, SHARED, MERGE, "**a**\n\nb", True, sights)
    assert merged.value == "**A**\n\nb\n\nnew"


def test_edits_that_touch_are_asked_about():
    sights = [shown("jira", "A\n\nb"), shown("notion", "X\n\nb")]
    merged = merge(FieldType.RICH_TEXT, SHARED, MERGE, "a\n\nb", True, sights)
    assert {sight.connection for sight in merged.disputed} == {"jira", "notion"}
    assert merged.value == "a\n\nb"
