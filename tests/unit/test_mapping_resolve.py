"""Two containers of one name: which of them is meant."""

from __future__ import annotations

import pytest

from mappings.resolve import namesakes
from syncd.core.records import Account, Container, Schema

SCHEMA = Schema(
    "notion",
    Account("me", "syncd"),
    tuple(Container(id_, name, None) for id_, name in (("a", "Plan"), ("b", "Plan"), ("c", "Old"))),
    (),
    (),
)


@pytest.mark.parametrize(
    ("text", "used", "expected"),
    [
        ("Plan", {"b"}, ("b", ("a",))),
        ("Plan", {"a", "c"}, ("a", ("b",))),
        ("Plan", set(), (None, ())),
        ("Plan", {"a", "b"}, (None, ())),
        ("Old", {"c"}, (None, ())),
        ("b", {"a"}, (None, ())),
        ("Nowhere", {"a"}, (None, ())),
    ],
)
def test_the_one_in_use_is_meant(text, used, expected):
    assert namesakes(SCHEMA, used, text) == expected
