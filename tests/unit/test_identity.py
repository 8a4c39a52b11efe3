"""Title keys and item ids."""

from __future__ import annotations

import re

import pytest

from syncd.core.identity import item_id, title_key


@pytest.mark.parametrize(
    "title", ["Größe ändern", "  GRÖSSE\u00a0 a\u0308ndern\n", "grösse\tÄNDERN"]
)
def test_people_take_these_for_the_same(title):
    assert title_key(title) == "grösse ändern"


def test_different_titles_differ():
    assert title_key("Search") != title_key("Search 2")
    assert title_key(" \n") == ""


def test_item_ids_are_stable_and_distinct():
    assert item_id("jira", "10001") == "irsq5rxgsqe43"
    assert re.fullmatch("i[a-z2-7]{12}", item_id("notion", "ß"))
    pairs = [("jira", "1"), ("jira", "11"), ("jira1", "1"), ("asana", "1")]
    assert len({item_id(*pair) for pair in pairs}) == len(pairs)
