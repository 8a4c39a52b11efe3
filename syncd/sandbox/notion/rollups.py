"""Rollups over relations."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from syncd.sandbox.notion import times
from syncd.sandbox.notion.richtext import plain_text
from syncd.sandbox.notion.store import DataSource, Page, Prop, Store
from syncd.sandbox.notion.values import Values

JSON = dict[str, Any]


def percent(part: int, whole: int) -> float:
    """Return a share, 0 of nothing."""
    return part / whole if whole else 0


_NUMBERS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "average": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "range": lambda values: max(values) - min(values),
}
_COUNTS: dict[str, Callable[[Sequence[Any]], float]] = {
    "count": len,
    "count_values": lambda values: sum(not is_empty(value) for value in values),
    "empty": lambda values: sum(is_empty(value) for value in values),
    "not_empty": lambda values: sum(not is_empty(value) for value in values),
    "unique": lambda values: len({repr(value) for value in values if not is_empty(value)}),
    "percent_empty": lambda values: percent(sum(is_empty(one) for one in values), len(values)),
    "percent_not_empty": lambda values: percent(
        sum(not is_empty(one) for one in values), len(values)
    ),
    "checked": lambda values: sum(value is True for value in values),
    "unchecked": lambda values: sum(value is not True for value in values),
    "percent_checked": lambda values: percent(sum(one is True for one in values), len(values)),
    "percent_unchecked": lambda values: percent(
        sum(one is not True for one in values), len(values)
    ),
}


def is_empty(value: object) -> bool:
    """Tell whether a value counts as empty in a rollup: zero does not."""
    return value is None or value is False or value in ([], "")


class Rollups:
    """Computes the rollups of one row."""

    def __init__(self, store: Store, values: Values) -> None:
        self._store = store
        self._values = values

    def value(self, source: DataSource, prop: Prop, page: Page, limit: int | None) -> JSON:
        """Return a rollup's value: number, date or array; over at most `limit` related pages."""
        function = prop.config["function"]
        relation = source.properties.get(prop.config["relation"])
        target = self._store.source(relation.config["data_source_id"]) if relation else None
        rolled = target.properties.get(prop.config["rollup"]) if target else None
        if relation is None or target is None or rolled is None:
            return {"type": "unsupported", "unsupported": {}, "function": function}
        pages = [self._store.nodes[key] for key in self._values.related(relation, page)[:limit]]
        rows = [row for row in pages if isinstance(row, Page)]
        values = [self._shown(target, rolled, row) for row in rows]
        return {**_summary(function, rolled.type, values), "function": function}

    def _shown(self, target: DataSource, rolled: Prop, row: Page) -> Any:  # noqa: ANN401 - by type
        if rolled.type == "relation":
            return [{"id": key} for key in self._values.related(rolled, row)]
        return self._values.shown(target, rolled, row)


def as_text(kind: str, value: Any) -> str:  # noqa: ANN401 - by type
    """Return a shown value as plain text."""
    if value is None:
        return ""
    if kind in ("title", "rich_text"):
        return plain_text(value)
    if kind in ("select", "status"):
        return str(value["name"])
    if kind == "multi_select":
        return ", ".join(option["name"] for option in value)
    if kind == "people":
        return ", ".join(person.get("name") or "" for person in value)
    if kind == "unique_id":
        return f"{value['prefix']}-{value['number']}" if value["prefix"] else str(value["number"])
    return value if isinstance(value, str) else ""


def _summary(function: str, kind: str, values: list[Any]) -> JSON:
    if function in ("show_original", "show_unique"):
        items = [{"type": kind, kind: value} for value in values]
        if function == "show_unique":
            items = list({repr(item): item for item in items}.values())
        return {"type": "array", "array": items}
    values = [_plain(kind, value) for value in values]
    if function in ("count_values", "unique"):  # each of several choices counts
        values = [
            one for value in values for one in (value if isinstance(value, list) else [value])
        ]
    if function in _COUNTS:
        return {"type": "number", "number": _COUNTS[function](values)}
    if function in ("earliest_date", "latest_date", "date_range"):
        return _dates(function, [value for value in values if isinstance(value, dict)])
    if function in _NUMBERS:
        numbers = [
            value
            for value in values
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        number = _NUMBERS[function](numbers) if numbers or function == "sum" else None
        return {"type": "number", "number": number}
    return {"type": "unsupported", "unsupported": {}}


def _plain(kind: str, value: Any) -> Any:  # noqa: ANN401 - by type
    """Return what is computed with: a formula's own value, a time as a date."""
    if kind in ("formula", "rollup"):
        return value.get(value["type"])
    if kind in ("title", "rich_text"):
        return plain_text(value)
    if kind in ("created_time", "last_edited_time"):
        return {"start": value, "end": None}
    return value


def _dates(function: str, values: list[JSON]) -> JSON:
    starts = sorted((value["start"] for value in values), key=times.instant)
    ends = sorted((value["end"] or value["start"] for value in values), key=times.instant)
    if not starts:
        return {"type": "date", "date": None}
    first, last = starts[0], ends[-1]
    start = last if function == "latest_date" else first
    end = last if function == "date_range" else None
    return {"type": "date", "date": {"start": start, "end": end, "time_zone": None}}
