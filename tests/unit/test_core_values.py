"""Normal forms, what people type, and what is shown to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.fields import FieldType
from syncd.core.identity import item_id, title_key
from syncd.core.values import digest, normal, parse, same, show

KINDS = st.sampled_from(FieldType)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.text(),
    st.lists(st.text(min_size=1), min_size=1).map(lambda x: tuple(sorted(set(x)))),
)


@given(KINDS, VALUES)
def test_the_normal_form_of_a_normal_form_is_itself(kind, value):
    once = normal(kind, value)
    assert normal(kind, once) == once
    assert same(kind, value, once)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (FieldType.TEXT, "a b", " a \u00a0 b\n"),
        (FieldType.TEXT, "é", "e\u0301"),
        (FieldType.TEXT, "", None),
        (FieldType.RICH_TEXT, "one\n\ntwo", "one \r\ntwo\r\n"),
        (FieldType.NUMBER, 0.0, -0.0),
        (FieldType.NUMBER, 0.1 + 0.2, 0.3),
        (FieldType.MULTI_SELECT, (), None),
        (FieldType.MULTI_SELECT, ("b", "a"), ("a", "b", "b")),
    ],
)
def test_what_only_a_service_would_tell_apart_is_the_same(kind, one, other):
    assert same(kind, one, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (FieldType.TEXT, "a", "A"),
        (FieldType.RICH_TEXT, "one\ntwo", "one two"),
        (FieldType.NUMBER, 0.0, None),
        (FieldType.CHECKBOX, False, None),
        (FieldType.MULTI_SELECT, ("a",), ("a", "b")),
    ],
)
def test_what_people_would_tell_apart_is_not_the_same(kind, one, other):
    assert not same(kind, one, other)


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (FieldType.NUMBER, " 2.5 ", 2.5),
        (FieldType.DATE, "2026-12-31", "2026-12-31"),
        (FieldType.CHECKBOX, "Yes", True),
        (FieldType.CHECKBOX, "no", False),
        (FieldType.MULTI_SELECT, "b, a,, b", ("a", "b")),
        (FieldType.STATUS, "in progress", "in progress"),
        (FieldType.TEXT, "  ", None),
        (FieldType.TEXT, " x ", "x"),
        (FieldType.RICH_TEXT, " x ", " x "),
    ],
)
def test_what_a_person_types(kind, typed, value):
    assert parse(kind, typed) == value


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        (FieldType.NUMBER, "many", "'many' is not a number; write it like 3 or 2.5"),
        (FieldType.DATE, "31.12.26", "'31.12.26' is not a date; write it like 2026-12-31"),
        (FieldType.STATUS, "doing", "'doing' is not a status; write one of idea, planned"),
    ],
)
def test_what_a_person_mistypes_is_answered_by_a_sentence(kind, typed, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(kind, typed)


@pytest.mark.parametrize("typed", ["nan", "inf", "-inf", "1e999"])
def test_a_number_is_a_number(typed):
    with pytest.raises(ValueError, match="is not a number"):
        parse(FieldType.NUMBER, typed)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "(empty)"), (True, "yes"), (2.0, "2"), (1_234_567.5, "1234567.5"), (("a", "b"), "a, b"),
        ("one\ntwo", "one two"), ("a\x1b[31mb", "a\N{REPLACEMENT CHARACTER}[31mb"), ("x" * 80, "x" * 59 + "…"),
    ],
)  # fmt: skip
def test_what_people_are_shown(value, shown):
    assert show(value) == shown


def test_a_digest_depends_on_content_only():
    assert digest({"a": 1, "b": [None]}) == digest({"b": [None], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest("x", 5)) == 10


@given(st.text(), st.text(min_size=1))
def test_an_id_is_the_same_every_time_and_its_own(connection, record):
    made = item_id(connection, record)
    assert made == item_id(connection, record)
    assert made != item_id(connection + "x", record)
    assert len(made) == 13


def test_connection_and_record_are_kept_apart_in_ids():
    assert item_id("ab", "c") != item_id("a", "bc")


@given(st.text())
def test_a_title_key_ignores_case_and_spacing(title):
    key = title_key(title)
    assert title_key(key) == key
    assert title_key(f"  {title}\n") == key
