"""Whatever the bytes are: a document, or one of our errors with a place; never anything else."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.load import load
from mappings.positions import parse
from syncd.core.errors import MappingError

RULES = Path(__file__).parents[2] / "mappings" / "rules"
KINDS = {"jira": "jira", "asana": "asana", "notion": "notion"}
WORDS = """
roadmap items fields people pages limits feature work_item jira asana notion projects types project
database where parent create marker owner on_conflict values rollup of weight shared any none Epic
status due progress url title levels true 3 10%
"""
words = st.sampled_from(WORDS.split())
trees = st.recursive(
    words | st.none() | st.integers() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(), inner, max_size=5)
    ),
    max_leaves=25,
)
soup = st.lists(
    st.sampled_from(list("abc:-[]{},?|>'\"#&*!%@`\t\n  \r\x00\x85\u2028é😀01~")), max_size=40
).map("".join)


def checked(wrong: MappingError) -> None:
    for problem in wrong.problems:
        assert problem.place.line >= 1
        assert problem.place.column >= 1
        assert problem.reason
        assert "\n" not in problem.reason


@given(content=st.binary(max_size=60) | soup.map(lambda text: text.encode("utf-8")))
@settings(max_examples=150)
def test_any_bytes(content):
    try:
        document = parse(content, "m.yaml", MappingError)
    except MappingError as wrong:
        checked(wrong)
    else:
        assert document.place().line >= 1


def places(tree, path=()):
    """Return the paths of all nodes of a tree."""
    if not isinstance(tree, dict | list):
        return
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*path, key)
        yield from places(value, (*path, key))


def replaced(tree, path, value, name):
    """Return a copy in which the node at a path is another value, perhaps under another key."""
    if not path:
        return value
    if isinstance(tree, list):
        return [
            replaced(v, path[1:], value, name) if i == path[0] else v for i, v in enumerate(tree)
        ]
    last = len(path) == 1 and name is not None
    return {
        (name if last and key == path[0] else key): replaced(one, path[1:], value, name)
        if key == path[0]
        else one
        for key, one in tree.items()
    }


DEMO = parse((RULES / "demo.yaml").read_bytes(), "demo.yaml", MappingError).data
PLACES = list(places(DEMO))


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_good_mapping_with_one_thing_changed(data, tmp_path_factory):
    path = data.draw(st.sampled_from(PLACES))
    tree = replaced(DEMO, path, data.draw(trees), data.draw(st.none() | words))
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    try:
        mapping = load([file], KINDS)
    except MappingError as wrong:
        checked(wrong)
    else:
        assert mapping.sides
