"""Canonical JSON, both ways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state import encode
from syncd.core.model import Cell, Claim, CycleReport, Intent, Item, Tally
from syncd.core.records import Account, Option, Record, Schema
from syncd.testing import builders as b


@pytest.mark.parametrize(
    "value", [None, "", "x", "ß\0\n\u2028", True, False, 0.0, 1e300, 2.5, ("a",), ("b", "a")]
)
def test_every_value_comes_back_as_it_was(value):
    cell = Cell(base=value, sent=value, has_sent=True)
    back = encode.from_data(Cell, encode.loads(encode.cells_json({"f": cell}))["f"])
    assert back == cell
    assert type(back.base) is type(value)


def test_equal_values_give_equal_bytes():
    one = b.record(fields={"a": 3.0, "b": 0.0, "t": ("x",)})
    two = b.record(fields={"t": ("x",), "b": -0.0, "a": 3})
    assert encode.record_json(one) == encode.record_json(two)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_lacks_is_refused(value):
    with pytest.raises(ValueError, match="not a number a field can hold"):
        encode.record_json(b.record(fields={"a": value}))


def test_record_comes_back_without_author_and_marker():
    record = b.record(
        fields={"n": 1.5, "l": ("a",), "none": None},
        opaque=frozenset({"z", "a"}),
        marker="i1",
        author="ann",
        kind="7",
        parent_key="KEY-2",
    )
    data = encode.loads(encode.record_json(record))
    assert data["opaque"] == ["a", "z"]
    assert encode.from_data(Record, data) == replace(record, marker=None, author=None)


@pytest.mark.parametrize(
    "thing",
    [
        b.intent(record=None, fields={"a": ("x",), "n": 2.0}),
        b.conflict(resolution=("a", "b"), resolved_at=3.0),
        b.notice(),
        b.entry(before=("a",), after=None),
        b.report(tallies={"jira": Tally(read=1, error="down"), "asana": Tally()}),
        b.item(labels=("a",), n=3.0),
        b.schema(fields=[b.remote("s", options=("To Do",), max_length=255)]),
        b.scope(marker="m"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_dataclasses_come_back_as_they_were(thing):
    data = encode.loads(encode.dumps(encode.to_data(thing)))
    assert encode.from_data(type(thing), data) == thing


def test_nested_types_are_rebuilt():
    data = encode.loads(encode.dumps(encode.to_data(b.conflict())))
    assert all(
        isinstance(claim, Claim) for claim in encode.from_data(type(b.conflict()), data).claims
    )
    intent = encode.from_data(Intent, encode.loads(encode.dumps(encode.to_data(b.intent()))))
    assert intent.cells == {"title": (None, "New")}
    assert intent.state.name == "PLANNED"


def test_e_mail_addresses_are_left_out():
    account = Account("1", "Ann", "ann@acme.example")
    schema = b.schema(people=[account])
    text = encode.dumps(encode.to_data(schema))
    assert b"acme" not in text
    assert encode.from_data(Schema, encode.loads(text)).people == (replace(account, email=None),)


def test_unknown_attributes_are_ignored_and_missing_ones_get_defaults():
    data = {"id": "1", "name": "To Do", "colour": "blue"}
    assert encode.from_data(Option, data) == Option("1", "To Do")
    older = encode.loads(encode.dumps(encode.to_data(b.report())))
    del older["rounds"]
    assert encode.from_data(CycleReport, older) == b.report()


def test_what_is_no_json_is_a_type_error():
    with pytest.raises(TypeError, match="object"):
        encode.to_data(object())


@pytest.mark.parametrize(
    ("text", "clean"),
    [("a\ud83db", "a\ufffdb"), ("\ud83d\ude00", "\U0001f600"), ("plain ß", "plain ß")],
)
def test_lone_surrogates_are_replaced(text, clean):
    assert encode.scrub(text) == clean
    record = b.record(fields={"a": text, "l": (text,)})
    assert encode.loads(encode.record_json(record))["fields"]["a"] == clean


def test_item_payload_holds_what_has_no_column():
    item = replace(b.item(n=1.0), aggregate={"points": [1.5, None]})
    data = encode.loads(encode.item_json(item))
    assert set(data) == {"fields", "provenance", "aggregate"}
    whole = {**data, "id": "i1", "level": "feature", "origin": "jira", "version": 1}
    assert encode.from_data(Item, whole) == item
