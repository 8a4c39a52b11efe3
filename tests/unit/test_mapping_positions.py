from __future__ import annotations

import time

import pytest

from mappings.positions import MAX_BYTES, MAX_DEPTH, MAX_NODES, parse, read, scalar
from mappings.problems import did_you_mean
from syncd.core.errors import MappingError, Place


def refused(text: str | bytes) -> str:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(MappingError) as caught:
        parse(content, "m.yaml", MappingError)
    return str(caught.value)


def data(text: str):
    return parse(text.encode(), "m.yaml", MappingError).data


def test_every_key_and_value_remembers_its_place():
    document = parse(b"a:\n  b: [1, two]\nc: {d: x}\n", "m.yaml", MappingError)
    assert document.data == {"a": {"b": [1, "two"]}, "c": {"d": "x"}}
    assert document.key("a", "b") == Place("m.yaml", 2, 3)
    assert document.place("a", "b", 1) == Place("m.yaml", 2, 10)
    assert document.key("c", "d") == Place("m.yaml", 3, 5)
    assert document.place("c", "d") == Place("m.yaml", 3, 8)


def test_the_place_of_what_is_not_there_is_its_holder():
    document = parse(b"a:\n  b: 1\n", "m.yaml", MappingError)
    assert document.place("a", "missing") == Place("m.yaml", 2, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("12:30:00", "12:30:00"), ("010", "010"),
        ("2026-01-02", "2026-01-02"), ("true", True), ("False", False), ("~", None), ("null", None),
        ("7", 7), ("-3", -3), ("2.5", 2.5), (".5", 0.5), ("1e5", "1e5"), ("0", 0), ("00.5", "00.5"),
        ("12345678901234567890", "12345678901234567890"), ("10%", "10%"), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_people_expect(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_quoted_scalars_are_text():
    assert data("""a: ["1", 'true', "null"]""") == {"a": ["1", "true", "null"]}


def test_byte_order_mark_and_windows_line_ends_are_taken():
    assert data("\ufeffa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: &x 2\n", "m.yaml:2:4: the anchor &x is not allowed: remove it"),
        ("a: *x\n", "m.yaml:1:4: the alias *x is not allowed: write the value again"),
        ("a: !!str 1\n", "m.yaml:1:4: the tag tag:yaml.org,2002:str is not allowed: remove it"),
        ("a: !include x\n", "m.yaml:1:4: the tag !include is not allowed: remove it"),
        ("a: 1\nb: 2\na: 3\n", 'm.yaml:3:1: "a" is already written in line 1: keep one of the two'),
        ("%YAML 1.1\n---\na: 1\n",
         "m.yaml:2:1: YAML directives (%YAML, %TAG) are not allowed: remove them"),
        ("a: 1\n---\nb: 1\n",
         "m.yaml:2:1: a second document starts here: keep one document in a file"),
        ("[1]: 2\n", "m.yaml:1:1: a key must be text, not a list or a mapping: write a name"),
        ("a:\n  : 2\n", "m.yaml:2:3: a key is empty: write a name before the colon"),
        ("a:\n\tb: 1\n", "m.yaml:2:1: a tab stands here: indent with spaces"),
        ("a:\tb\n", "m.yaml:1:3: a tab stands here: indent with spaces"),
        ('a: "x\nb: 1\n', "m.yaml:1:4: a quote is opened and never closed: close it"),
        ("a: [1, 2\n", "m.yaml:2:1: a [ or { is opened and never closed: close it"),
        ("a: {b: [\n", "m.yaml:2:1: a [ or { is opened and never closed: close it"),
        ("a: [1 2: 3}\n", "m.yaml:1:11: a comma or the end of the list is missing: write , or ]"),
        ("a: {b: 1]\n", "m.yaml:1:9: a comma or the end of the mapping is missing: write , or }"),
        ("a: b: c\n", ("m.yaml:1:5: a colon is not expected here: put text that holds a colon in "
         "quotes, and indent the keys of one mapping alike")),
        ("a: 1\nb\n", "m.yaml:3:1: a colon is missing after this key: write `key: value`"),
        ("a:\n  - 1\n b: 2\n",
         "m.yaml:3:2: this line is indented differently from its neighbours: align it"),
        ("@a: 1\n",
         "m.yaml:1:1: no value can start with this character: put the value in quotes"),
        ("a: x\x07y\n",
         "m.yaml:1:5: this is a control character, which YAML does not allow: remove it"),
    ],
)  # fmt: skip
def test_bad_yaml_is_one_sentence_with_its_place(text, sentence):
    assert refused(text) == sentence


def test_not_utf8_names_the_byte():
    assert refused(b"title: Caf" + b"\xe9\n") == (
        "m.yaml:1:11: this is not UTF-8: save the file with the encoding UTF-8"
    )
    assert refused(b"a: 1\n\xff\xfe").startswith("m.yaml:2:1: this is not UTF-8")


def test_nesting_is_limited_before_it_costs_anything():
    assert data("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    before = time.process_time()
    assert refused("[" * 200_000) == (
        "m.yaml:1:33: the file is nested deeper than 32 levels: make it flatter"
    )
    assert time.process_time() - before < 2


def test_the_number_of_values_is_limited():
    text = "[" + "1," * MAX_NODES + "1]"
    assert refused(text).endswith(
        "the file has more than 50,000 values: split it into several files"
    )


def test_the_size_is_limited_before_parsing():
    assert refused(b"#" * (MAX_BYTES + 1)) == (
        "m.yaml:1:1: the file is larger than 1 MiB: split it into several files"
    )


def test_files_that_cannot_be_read(tmp_path):
    for path, sentence in (
        (tmp_path / "none.yaml", "there is no such file: check the path"),
        (tmp_path, "this is a directory: name a file in it"),
    ):
        with pytest.raises(MappingError) as caught:
            read(path, MappingError)
        assert str(caught.value) == f"{path}:1:1: {sentence}"


@pytest.mark.parametrize(
    ("word", "choices", "advice"),
    [
        ("stats", ["Status", "Owner"], 'did you mean "Status"?'),
        ("xyz", ["Status", "Owner"], 'write one of "Status", "Owner"'),
        ("xyz", ["Status"], "write Status"),
        ("xyz", [], "there is none"),
    ],
)
def test_did_you_mean(word, choices, advice):
    assert did_you_mean(word, choices) == advice
