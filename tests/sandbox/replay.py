"""Recorded traffic, and the shapes of answers compared: what the `test_recorded_*` files share."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
RECORDED = WIRE / "recorded"
ABSENT = f"the recorded traffic is not at {RECORDED}"


def rows(name: str) -> list[dict]:
    """Return the exchanges of a recording."""
    with gzip.open(RECORDED / name, "rt", encoding="utf8") as lines:
        return [json.loads(line) for line in lines]


def answer_of(row: dict) -> tuple[int, object]:
    """Return status and parsed body of a recorded exchange; None for an empty body."""
    answer = row["response"]
    status = answer.get("status", answer.get("status_inferred"))
    body = answer.get("body", answer.get("body_text"))
    return status, parsed(body)


def parsed(body: object) -> object:
    """Return a body as JSON values, where it is JSON."""
    if not isinstance(body, str | bytes):
        return body
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


def kind_of(value: object) -> str:
    """Return the JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return names.get(type(value), "null")


class Shape:
    """What answers of one kind look like: per JSON path the types, and how often it is there."""

    def __init__(self, bodies: Iterable[object] = ()) -> None:
        self.types: defaultdict[str, set[str]] = defaultdict(set)
        self.count: Counter[str] = Counter()
        self.objects: Counter[str] = Counter()  # how many objects were seen at a path
        self.parent: dict[str, str] = {}
        for body in bodies:
            self.add(body, "$")

    def add(self, value: object, path: str) -> None:
        """Count a value and what is in it."""
        self.types[path].add(kind_of(value))
        self.count[path] += 1
        if isinstance(value, dict):
            self.objects[path] += 1
            for key, item in value.items():
                self.parent[f"{path}.{key}"] = path
                self.add(item, f"{path}.{key}")
        elif isinstance(value, list):
            for item in value:
                self.add(item, f"{path}[]")

    def always(self, path: str) -> bool:
        """Whether every object that could hold the path does."""
        parent = self.parent.get(path)
        return parent is None or self.count[path] == self.objects[parent]


def differences(real: Shape, ours: Shape) -> Iterator[str]:
    """Yield what our answers lack, have too much, or have of another type."""
    for path, parent in real.parent.items():
        if real.always(path) and ours.objects[parent] and not (ours.count[path]
                                                             and ours.always(path)):  # fmt: skip
            yield f"lacks {path}"
    for path, types in ours.types.items():
        parent = ours.parent.get(path)
        if path in real.types:
            if types - real.types[path]:
                yield f"{path}: {_names(types)}, recorded {_names(real.types[path])}"
        elif parent is not None and real.objects[parent]:
            yield f"adds {path}"


def _names(types: set[str]) -> str:
    return "/".join(sorted(types))
