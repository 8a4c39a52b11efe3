"""Narrowing a search down before any issue is looked at: ids that hold every match of a query."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable
from collections.abc import Set as AbstractSet
from functools import reduce

from syncd.sandbox.jira.jql_fields import Subject, subject
from syncd.sandbox.jira.jql_parse import Clause, Condition, Empty, Group, Many, Value
from syncd.sandbox.jira.jql_run import SAVED, operand_values, stems, wanted_values
from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import Issue

_RECENT = 2000  # beyond this many, walking the index of times is quicker
_ENOUGH = 300  # so few are looked at one by one
_KEPT_KINDS = frozenset(
    {"project", "status", "issuetype", "priority", "resolution", "user", "users",
     "labels", "version", "versions", "components", "option", "options", "sprints"}
)  # fmt: skip
_WORD_KINDS = frozenset({"summary", "string"})


def narrowed(viewer: Viewer, node: Condition | None) -> AbstractSet[int] | None:
    """Return ids that hold all matches of a condition, or None where no index says."""
    choices = _all_of(viewer, node)
    if not choices:
        return None
    choices.sort(key=_size)
    if _size(choices[0]) > max(_RECENT, len(viewer.store.issues) // 2):  # not worth it
        return None
    first = choices[0]
    found: AbstractSet[int] = first[0] if len(first) == 1 else set().union(*first)
    return reduce(_meet, choices[1:], found)


Choice = list[AbstractSet[int]]
"""Some sets of ids; an issue that matches is in one of them."""


def _size(choice: Choice) -> int:
    return sum(map(len, choice))


def _meet(found: AbstractSet[int], choice: Choice) -> AbstractSet[int]:
    if len(found) <= _ENOUGH:
        return found
    return set().union(*(found & ids for ids in choice))


def _all_of(viewer: Viewer, node: Condition | None) -> list[Choice]:
    """Return choices that all hold for every match."""
    if node is None:
        return []
    if isinstance(node, Clause):
        choice = _clause(viewer, node)
        return [] if choice is None else [choice]
    if node.joint == "and":
        return [choice for part in node.parts for choice in _all_of(viewer, part)]
    if node.joint == "or":
        return _any_of(viewer, node)
    return []


def _any_of(viewer: Viewer, node: Group) -> list[Choice]:
    found: Choice = []
    for part in node.parts:
        choices = _all_of(viewer, part)
        if not choices:
            return []
        choices.sort(key=_size)
        found += choices[0]
    return [found]


def _clause(viewer: Viewer, node: Clause) -> Choice | None:
    if node.field.lower() in SAVED:
        return None
    what = subject(viewer.store, node.field)
    if what.type == "key":
        return _by_key(viewer, what, node)
    if what.field.id in {"updated", "created"} and node.operator in {">", ">="}:
        return _recent(viewer, what, node)
    if what.field.id not in viewer.store.fields:
        return None
    if what.field.kind in _WORD_KINDS and node.operator == "~":
        return _by_words(viewer, what, node)
    if what.field.kind in _KEPT_KINDS and node.operator in {"=", "in", "is"}:
        values, empty = wanted_values(viewer, what, node.operand)
        return [_holders(viewer, what, value) for value in (*values, *[None] * empty)]
    return None


def _holders(viewer: Viewer, what: Subject, value: Hashable) -> AbstractSet[int]:
    store = viewer.store
    return store.postings.holders(what.field.id, what.values, store.issues.values(), value)


def _by_key(viewer: Viewer, what: Subject, node: Clause) -> Choice | None:
    items = node.operand.items if isinstance(node.operand, Many) else (node.operand,)
    if node.operator not in {"=", "in"} or any(isinstance(item, Empty) for item in items):
        return None
    ids = set().union(*[operand_values(viewer, what, item) for item in items])
    if what.field.kind == "key":
        return [ids]
    return [viewer.store.children[parent].keys() for parent in ids
            if parent in viewer.store.children]  # fmt: skip


def _recent(viewer: Viewer, what: Subject, node: Clause) -> Choice | None:
    store = viewer.store
    table = store.by_updated if what.field.id == "updated" else store.by_created
    bound = next(iter(operand_values(viewer, what, node.operand)))
    first = bisect_left(table, (bound, -1))
    if len(table) - first > _RECENT:
        return None
    return [{number for _time, number in table[first:]}]


def _by_words(viewer: Viewer, what: Subject, node: Clause) -> Choice | None:
    """Narrow a text search by the rarest of its whole words."""
    if not isinstance(node.operand, Value):
        return None
    words = [w for w in re.findall(r"\w+\*?", node.operand.text.casefold()) if not w.endswith("*")]
    if not words:
        return None
    store, values = viewer.store, what.values

    def read(issue: Issue) -> tuple[Hashable, ...]:
        return tuple(sorted({stem for text in values(issue) for stem in stems(text)}))

    return [
        min(
            (
                store.postings.holders(f"{what.field.id} ~", read, store.issues.values(), stem)
                for stem in stems(" ".join(words))
            ),
            key=len,
        )
    ]
