"""When something keeps changing back what we write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.fields import FieldType
from syncd.core.flips import MOST, looping, reversals
from syncd.core.model import HistoryEntry

TEXT = FieldType.TEXT


def entry(action, before, after, connection="notion"):
    return HistoryEntry(1, 0.0, "i1", "due", action, connection, before, after)


def rounds(count, theirs="a", ours="b"):
    """Entries, newest first, of so many rounds: they set their value, we overrule it and write ours."""
    one = [entry("corrected", theirs, ours), entry("wrote", theirs, ours)]
    return list(reversed(one * count))


@pytest.mark.parametrize(
    ("count", "loop"), [(0, False), (1, False), (MOST, False), (MOST + 1, True)]
)
def test_more_than_a_few_returns_to_what_we_overwrote_are_a_loop(count, loop):
    assert reversals(TEXT, "notion", rounds(count), "a") == count
    assert looping(TEXT, "notion", rounds(count), "a") == loop


def test_of_a_shared_field_an_edit_back_counts_too():
    one = [entry("observed", "b", "a"), entry("wrote", "a", "b")]
    assert reversals(TEXT, "notion", list(reversed(one * 3)), "a") == 3


def test_other_tools_and_other_values_do_not_count():
    assert reversals(TEXT, "jira", rounds(9), "a") == 0
    assert reversals(TEXT, "notion", rounds(1), "c") == 0


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(0, 99), unique=True, max_size=20))
def test_values_that_are_new_each_time_are_never_a_loop(values):
    story = []
    for value in values:
        story = [entry("wrote", str(value), "ours"), entry("corrected", str(value), "ours"), *story]
    assert not looping(TEXT, "notion", story, "another")
