"""The law of the codecs: decode(encode(v)) == v for every value that can be encoded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.transforms import SHARES, Target, codec, kinds_for
from syncd.core.errors import Place
from syncd.core.fields import STATUSES, FieldType
from syncd.core.people import Directory, Person
from syncd.core.records import NEW_OPTION, FieldKind, Option, neutral_set
from syncd.core.rules import UnmappedError

PLACE = Place("m.yaml", 7, 3)
PAIRS = [(type_, kind) for type_ in FieldType for kind in kinds_for(type_)]
CHOICES = {FieldKind.SELECT, FieldKind.STATUS, FieldKind.MULTI_SELECT}
MEANINGS = {FieldType.STATUS: st.sampled_from(list(STATUSES))}

names = st.text(min_size=1, max_size=8).filter(lambda name: not name.startswith(NEW_OPTION))
people = [
    Person(f"jira:p{i}", f"Person {i}", {"jira": f"p{i}", "other": f"o{i}"}) for i in range(4)
] + [Person("jira:solo", "Solo", {"jira": "solo"})]
DIRECTORY = Directory(tuple(people))
keys = st.sampled_from([person.key for person in people] + ["other:guest", "jira:guest"])

VALUES = {
    FieldType.TEXT: st.text(min_size=1),
    FieldType.RICH_TEXT: st.text(min_size=1),
    FieldType.URL: st.text(min_size=1),
    FieldType.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    FieldType.DATE: st.dates().map(lambda day: day.isoformat()),
    FieldType.CHECKBOX: st.booleans(),
    FieldType.STATUS: st.sampled_from(list(STATUSES)),
    FieldType.PERSON: keys,
    FieldType.PEOPLE: st.sets(keys, min_size=1).map(neutral_set),
    FieldType.ITEM: names,
}


@st.composite
def targets(draw, type_, kind):
    """A field of a kind: options per container, some of them translated, maybe open to new ones."""
    words_of_it = st.one_of(names, MEANINGS[type_]) if type_ in MEANINGS else names
    options = draw(st.lists(words_of_it, min_size=1, max_size=5, unique=True))
    containers = {
        container: tuple(
            Option(f"{container}-{index}", name)
            for index, name in enumerate(options)
            if draw(st.booleans())
        )
        for container in ("one", "two")
    }
    meanings = MEANINGS.get(type_, st.one_of(names, st.sampled_from(options)))
    words = st.sampled_from(["true", "false"] if kind is FieldKind.CHECKBOX else options)
    values = draw(st.none() | st.dictionaries(words, meanings, max_size=5))
    return Target(
        connection="other",
        name="Field",
        place=PLACE,
        options=containers if kind in CHOICES else {},
        values=values,
        create_options=draw(st.booleans()),
        max_length=draw(st.none() | st.integers(1, 6)),
        words_only=draw(st.booleans()),
    )


def values(type_, target):
    if type_ in VALUES:
        return VALUES[type_]
    known = [option.name for many in target.options.values() for option in many]
    known += list((target.values or {}).values())
    one = st.one_of(names, st.sampled_from(known)) if known else names
    if type_ is FieldType.SELECT:
        return one
    return st.sets(one, min_size=1, max_size=4).map(neutral_set)


def assert_helps(unmapped: UnmappedError) -> None:
    assert unmapped.name
    assert "m.yaml:7" in unmapped.advice or "people:" in unmapped.advice


@pytest.mark.parametrize(("type_", "kind"), PAIRS, ids=str)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_was_written_means_the_same_when_it_is_read(type_, kind, data):
    target = data.draw(targets(type_, kind))
    decode, encode = codec("field", type_, kind, target)
    value = data.draw(values(type_, target))
    container = data.draw(st.sampled_from(["one", "two"]))
    try:
        neutral = encode(value, container, DIRECTORY)
    except UnmappedError as unmapped:
        assert_helps(unmapped)
        return
    assert decode(neutral, DIRECTORY) == value


@pytest.mark.parametrize(("type_", "kind"), PAIRS, ids=str)
def test_nothing_stays_nothing(type_, kind):
    decode, encode = codec("field", type_, kind, Target("other", "Field", PLACE))
    assert encode(None, "one", DIRECTORY) is None
    assert decode(None, DIRECTORY) is None


@pytest.mark.parametrize("name", sorted(SHARES))
@given(share=st.floats(0, 1))
def test_shares_are_held_to_four_decimals(name, share):
    decode, encode = codec(name, FieldType.NUMBER, FieldKind.NUMBER, Target("n", "P", PLACE))
    written = encode(share, "one", DIRECTORY)
    assert written == round(share, 4)
    assert decode(written, DIRECTORY) == written
    assert encode(written, "one", DIRECTORY) == written


@given(data=st.data())
def test_an_option_written_is_one_of_the_container_or_a_new_one(data):
    target = data.draw(targets(FieldType.SELECT, FieldKind.SELECT))
    _, encode = codec("priority", FieldType.SELECT, FieldKind.SELECT, target)
    try:
        option = encode(data.draw(values(FieldType.SELECT, target)), "one", DIRECTORY)
    except UnmappedError:
        return
    ids = {one.id for one in target.options["one"]}
    assert option in ids or (target.create_options and str(option).startswith(NEW_OPTION))


@given(data=st.data())
def test_sets_are_written_sorted_and_without_repeats(data):
    target = data.draw(targets(FieldType.MULTI_SELECT, FieldKind.MULTI_SELECT))
    _, encode = codec("labels", FieldType.MULTI_SELECT, FieldKind.MULTI_SELECT, target)
    try:
        found = encode(data.draw(values(FieldType.MULTI_SELECT, target)), "one", DIRECTORY)
    except UnmappedError:
        return
    assert isinstance(found, tuple)
    assert list(found) == sorted(set(found))
