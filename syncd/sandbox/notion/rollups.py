"""Rollups over relations, and the formulas a stand-in can compute."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from syncd.sandbox.notion import times
from syncd.sandbox.notion.richtext import plain_text
from syncd.sandbox.notion.schema import find
from syncd.sandbox.notion.store import DataSource, Page, Prop, Store
from syncd.sandbox.notion.values import Values

JSON = dict[str, Any]
_PROPERTY = re.compile(r'\s*prop\("([^"]*)"\)\s*')
_TERM = re.compile(r'\s*(?:prop\("([^"]*)"\)|([\d.]+)|([-+*/()]))')


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
    """Tell whether a value counts as empty in a rollup."""
    return value is None or value in ([], "", False)


class Computed:
    """Computes rollups and formulas of one row."""

    def __init__(self, store: Store, values: Values) -> None:
        self._store = store
        self._values = values

    def rollup(self, source: DataSource, prop: Prop, page: Page) -> JSON:
        """Return the value of a rollup: number, date or array."""
        function = prop.config["function"]
        relation = source.properties.get(prop.config["relation"])
        target = self._store.source(relation.config["data_source_id"]) if relation else None
        rolled = target.properties.get(prop.config["rollup"]) if target else None
        if relation is None or target is None or rolled is None:
            return {"type": "unsupported", "unsupported": {}, "function": function}
        pages = [self._store.nodes[key] for key in self._values.related(relation, page)]
        rows = [row for row in pages if isinstance(row, Page)]
        values = [
            self._values.shown(target, rolled, row) for row in rows if rolled.type != "relation"
        ]
        return {**_summary(function, rolled.type, values), "function": function}

    def formula(self, source: DataSource, prop: Prop, page: Page) -> JSON:
        """Return the value of a formula: a column's value or arithmetic on numbers; else null."""
        expression = prop.config["expression"]
        alone = _PROPERTY.fullmatch(expression)
        if alone:
            return self._alone(source, find(source, alone[1]), page)
        if expression.strip().strip("()") == "now":
            return {
                "type": "date",
                "date": {"start": times.exact(page.edited), "end": None, "time_zone": None},
            }
        if expression[:1] == expression[-1:] == '"':
            return {"type": "string", "string": expression[1:-1]}
        return {"type": "number", "number": self._arithmetic(source, expression, page)}

    def _alone(self, source: DataSource, prop: Prop | None, page: Page) -> JSON:
        if prop is None or prop.type in ("formula", "rollup"):
            return {"type": "string", "string": None}
        value = self._values.shown(source, prop, page)
        if prop.type == "number":
            return {"type": "number", "number": value}
        if prop.type == "checkbox":
            return {"type": "boolean", "boolean": value}
        if prop.type == "date":
            return {"type": "date", "date": value}
        return {"type": "string", "string": as_text(prop.type, value)}

    def _arithmetic(self, source: DataSource, expression: str, page: Page) -> float | None:
        terms: list[float | str] = []
        at = 0
        while at < len(expression.rstrip()):
            match = _TERM.match(expression, at)
            if match is None:
                return None
            terms.append(self._term(source, match, page))
            at = match.end()
        try:
            return _Arithmetic(terms).value()
        except (ValueError, ZeroDivisionError):
            return None

    def _term(self, source: DataSource, match: re.Match[str], page: Page) -> float | str:
        name, number, sign = match.groups()
        if sign:
            return str(sign)
        if number:
            return float(number)
        prop = find(source, name)
        value = page.values.get(prop.id) if prop is not None and prop.type == "number" else None
        return float(value or 0)


class _Arithmetic:
    """Evaluates + - * / and brackets over a list of terms."""

    def __init__(self, terms: list[float | str]) -> None:
        self._terms = terms
        self._at = 0

    def value(self) -> float:
        found = self._sum()
        if self._at != len(self._terms):
            raise ValueError(self._terms)
        return int(found) if found == int(found) else found

    def _peek(self) -> float | str | None:
        return self._terms[self._at] if self._at < len(self._terms) else None

    def _take(self) -> float | str | None:
        term = self._peek()
        self._at += 1
        return term

    def _sum(self) -> float:
        total = self._product()
        while self._peek() in ("+", "-"):
            sign = self._take()
            other = self._product()
            total = total + other if sign == "+" else total - other
        return total

    def _product(self) -> float:
        total = self._atom()
        while self._peek() in ("*", "/"):
            sign = self._take()
            other = self._atom()
            total = total * other if sign == "*" else total / other
        return total

    def _atom(self) -> float:
        term = self._take()
        if term == "-":
            return -self._atom()
        if term == "(":
            inner = self._sum()
            if self._take() != ")":
                raise ValueError(self._terms)
            return inner
        if isinstance(term, float):
            return term
        raise ValueError(self._terms)


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
        return {"type": "array", "array": [{"type": kind, kind: value} for value in values]}
    if function in _COUNTS:
        return {"type": "number", "number": _COUNTS[function](values)}
    if function in ("earliest_date", "latest_date", "date_range"):
        return _dates(function, [value for value in values if isinstance(value, dict)])
    if function in _NUMBERS:
        numbers = [value for value in values if isinstance(value, int | float)]
        number = _NUMBERS[function](numbers) if numbers or function == "sum" else None
        return {"type": "number", "number": number}
    return {"type": "unsupported", "unsupported": {}}


def _dates(function: str, values: list[JSON]) -> JSON:
    starts = sorted((value["start"] for value in values), key=times.instant)
    ends = sorted((value["end"] or value["start"] for value in values), key=times.instant)
    if not starts:
        return {"type": "date", "date": None}
    first, last = starts[0], ends[-1]
    start = last if function == "latest_date" else first
    end = last if function == "date_range" else None
    return {"type": "date", "date": {"start": start, "end": end, "time_zone": None}}
