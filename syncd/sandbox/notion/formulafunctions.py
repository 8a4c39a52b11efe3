"""The functions of formulas: for each what it takes, what it gives, and how it is computed.

A signature has one letter per argument: n number, o number or nothing, N number or list of numbers,
t text, b truth value, d date, c what can be put in order, a anything, l list, x text or list, p person,
e an expression computed for each item (`current`, `index`), then `?` for what may be left out and `*`
for what may be repeated. Results have the same letters; i is an item of the first list,
m the list of what the expression gives, s the type of the first argument.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key

from syncd.sandbox.notion.formulavalues import (
    FormulaFailure,
    Moment,
    Value,
    as_text,
    between,
    from_stamp,
    is_empty,
    pattern_text,
    shifted,
)
from syncd.sandbox.notion.times import is_date

REPEATS = 10_000


@dataclass(frozen=True, slots=True)
class Function:
    """One function; `keeps_empty` ones see empty arguments, the others give empty for them."""

    takes: str
    gives: str
    run: Callable[..., Value]
    keeps_empty: bool = False


def _number(value: Value) -> float:
    return float(value or 0)


def _arithmetic(run: Callable[[float, float], float]) -> Function:
    """Return an operation on two numbers, for which an empty one counts as zero."""

    def checked(one: Value, other: Value) -> Value:
        try:
            return _finite(run(_number(one), _number(other)))
        except (ZeroDivisionError, OverflowError, ValueError):
            return None

    return Function("oo", "n", checked, keeps_empty=True)


def _of_number(run: Callable[[float], float]) -> Function:
    def checked(number: float) -> Value:
        try:
            return _finite(run(number))
        except (OverflowError, ValueError):
            return None

    return Function("n", "n", checked)


def _finite(number: Value) -> float | None:
    return number if isinstance(number, int | float) and math.isfinite(number) else None


def _remainder(one: float, other: float) -> float:
    return math.fmod(one, other)


def _round(number: float, places: float = 0) -> float:
    """Round halves up, as JavaScript does."""
    scale = 10.0 ** int(places)
    return math.floor(number * scale + 0.5) / scale


def _numbers(values: tuple[Value, ...]) -> Iterator[float]:
    for value in values:
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                yield float(item)


def _summary(run: Callable[[list[float]], float], of_none: float | None = None) -> Function:
    """Return a figure of many numbers or lists of numbers; empty ones are passed over."""

    def checked(*values: Value) -> Value:
        found = list(_numbers(values))
        return run(found) if found else of_none

    return Function("N*", "n", checked, keeps_empty=True)


def _compared(holds: Callable[[int], bool]) -> Function:
    return Function("cc", "b", lambda one, other: holds(compare(one, other)))


def compare(one: Value, other: Value) -> int:
    """Return -1, 0 or 1 as two values of one type are in order."""
    first, second = sort_key(one), sort_key(other)
    if type(first) is not type(second):
        first, second = as_text(one), as_text(other)
    return int(first > second) - int(first < second)


def sort_key(value: Value) -> Value:
    """Return what values are ordered by."""
    if isinstance(value, Moment):
        return value.start.timestamp()
    if isinstance(value, bool | int | float):
        return float(value)
    return as_text(value)


def same(one: Value, other: Value) -> bool:
    """Tell whether two values are equal; truth values are no numbers."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, Moment) and isinstance(other, Moment):
        return one.start == other.start and one.end == other.end
    return bool(one == other)


def _unique(items: list[Value]) -> list[Value]:
    found: list[Value] = []
    for item in items:
        if not any(same(item, other) for other in found):
            found.append(item)
    return found


def _add(one: Value, other: Value) -> Value:
    if isinstance(one, str) or isinstance(other, str):
        return as_text(one) + as_text(other)
    return _finite(_number(one) + _number(other))


def _pattern(text: str) -> re.Pattern[str]:
    """Return a regular expression; looking around is not supported, as in the service."""
    if "(?=" in text or "(?!" in text or "(?<" in text:
        raise FormulaFailure
    try:
        return re.compile(text)
    except re.error as error:
        raise FormulaFailure from error


def _replace(text: str, pattern: str, by: str, count: int) -> str:
    swapped = re.sub(r"\$(\d)", r"\\\1", by.replace("\\", "\\\\"))
    try:
        return _pattern(pattern).sub(swapped, text, count=count)
    except (re.error, IndexError) as error:
        raise FormulaFailure from error


def _to_number(value: Value) -> Value:
    if isinstance(value, Moment):
        return value.start.timestamp() * 1000
    try:
        return _finite(float(value))
    except (TypeError, ValueError):
        return None


def _substring(text: str, start: float, end: float | None = None) -> str:
    first = max(int(start), 0)
    last = len(text) if end is None else max(int(end), 0)
    return text[min(first, last) : max(first, last)]


def _length(value: Value) -> float:
    """Return how many items a list, how many UTF-16 units a text has."""
    return float(len(value) if isinstance(value, list) else len(value.encode("utf-16-le")) // 2)


def _padded(text: Value, length: float, filling: str, *, left: bool) -> str:
    written = as_text(text)
    missing = int(length) - len(written)
    if missing <= 0 or not filling:
        return written
    more = (filling * missing)[:missing]
    return more + written if left else written + more


def _at(items: list[Value], index: float) -> Value:
    place = int(index) + (len(items) if index < 0 else 0)
    return items[place] if 0 <= place < len(items) else None


def _slice(items: list[Value], start: float, end: float | None = None) -> list[Value]:
    return items[int(start) : None if end is None else int(end)]


def _splice(items: list[Value], start: float, count: float, *more: Value) -> list[Value]:
    return [*items[: int(start)], *more, *items[int(start) + int(count) :]]


def _flat(items: list[Value]) -> list[Value]:
    return [one for item in items for one in (item if isinstance(item, list) else [item])]


def _parsed(text: str) -> Moment:
    if not is_date(text):
        raise FormulaFailure
    moment = datetime.fromisoformat(text)
    timed = len(text) > len("2026-01-01")
    return Moment(moment if moment.tzinfo else moment.replace(tzinfo=UTC), timed=timed)


def _monday(date: Moment) -> float:
    return float(date.start.isoweekday())


def _in_order(items: list[Value]) -> list[Value]:
    return sorted((item for item in items if item is not None), key=cmp_to_key(compare))


_MATHS: dict[str, Function] = {
    "subtract": _arithmetic(lambda one, other: one - other),
    "multiply": _arithmetic(lambda one, other: one * other),
    "divide": _arithmetic(lambda one, other: one / other),
    "mod": _arithmetic(_remainder),
    "pow": _arithmetic(math.pow),
    "unaryMinus": _of_number(lambda number: -number),
    "unaryPlus": Function("a", "n", _to_number),
    "abs": _of_number(abs),
    "round": Function("nn?", "n", _round),
    "ceil": _of_number(math.ceil),
    "floor": _of_number(math.floor),
    "sqrt": _of_number(math.sqrt),
    "cbrt": _of_number(lambda number: math.copysign(abs(number) ** (1 / 3), number)),
    "exp": _of_number(math.exp),
    "ln": _of_number(math.log),
    "log10": _of_number(math.log10),
    "log2": _of_number(math.log2),
    "sign": _of_number(lambda number: float((number > 0) - (number < 0))),
    "pi": Function("", "n", lambda: math.pi),
    "e": Function("", "n", lambda: math.e),
    "toNumber": Function("a", "n", _to_number),
    "sum": _summary(math.fsum, 0.0),
    "mean": _summary(statistics.fmean),
    "median": _summary(statistics.median),
    "min": _summary(min),
    "max": _summary(max),
}
_LOGIC: dict[str, Function] = {
    "add": Function("aa", "n", _add, keeps_empty=True),
    "equal": Function("aa", "b", same, keeps_empty=True),
    "unequal": Function("aa", "b", lambda one, other: not same(one, other), keeps_empty=True),
    "larger": _compared(lambda order: order > 0),
    "largerEq": _compared(lambda order: order >= 0),
    "smaller": _compared(lambda order: order < 0),
    "smallerEq": _compared(lambda order: order <= 0),
    "not": Function("a", "b", is_empty, keeps_empty=True),
    "empty": Function("a?", "b", lambda *value: is_empty(*value) if value else None, True),  # noqa: FBT003
    "format": Function("a", "t", as_text, keeps_empty=True),
}
_TEXTS: dict[str, Function] = {
    "length": Function("x", "n", _length),
    "substring": Function("tnn?", "t", _substring),
    "contains": Function("xt", "b", lambda text, part: part in as_text(text)),
    "test": Function("tt", "b", lambda text, by: _pattern(by).search(as_text(text)) is not None),
    "match": Function("tt", "lt", lambda text, by: [m[0] for m in _pattern(by).finditer(text)]),
    "replace": Function("ttt", "t", lambda text, by, new: _replace(text, by, new, 1)),
    "replaceAll": Function("ttt", "t", lambda text, by, new: _replace(text, by, new, 0)),
    "lower": Function("t", "t", lambda text: text.lower()),
    "upper": Function("t", "t", lambda text: text.upper()),
    "trim": Function("t", "t", lambda text: text.strip()),
    "repeat": Function("tn", "t", lambda text, n: text * min(REPEATS, max(0, math.ceil(n)))),
    "padStart": Function("ant", "t", lambda text, n, by: _padded(text, n, by, left=True)),
    "padEnd": Function("ant", "t", lambda text, n, by: _padded(text, n, by, left=False)),
    "split": Function("tt", "lt", lambda text, by: text.split(by) if by else list(text)),
    "link": Function("tt", "t", lambda text, _address: text),
    "style": Function("tt*", "t", lambda text, *_styles: text),
    "unstyle": Function("tt*", "t", lambda text, *_styles: text),
    "name": Function("p", "t", lambda person: person.name),
    "email": Function("p", "t", lambda person: person.email),
}
_DATES: dict[str, Function] = {
    "minute": Function("d", "n", lambda date: float(date.start.minute)),
    "hour": Function("d", "n", lambda date: float(date.start.hour)),
    "day": Function("d", "n", _monday),
    "date": Function("d", "n", lambda date: float(date.start.day)),
    "week": Function("d", "n", lambda date: float(date.start.isocalendar().week)),
    "month": Function("d", "n", lambda date: float(date.start.month)),
    "year": Function("d", "n", lambda date: float(date.start.year)),
    "dateAdd": Function("dnt", "d", shifted),
    "dateSubtract": Function("dnt", "d", lambda date, amount, unit: shifted(date, -amount, unit)),
    "dateBetween": Function("ddt", "n", between),
    "dateRange": Function("dd", "d", lambda one, other: Moment(one.start, other.start, one.timed)),
    "dateStart": Function("d", "d", lambda date: Moment(date.start, None, date.timed)),
    "dateEnd": Function("d", "d", lambda date: Moment(date.end or date.start, None, date.timed)),
    "timestamp": Function("d", "n", lambda date: date.start.timestamp() * 1000),
    "fromTimestamp": Function("n", "d", from_stamp),
    "formatDate": Function("dt", "t", lambda date, pattern: pattern_text(date.start, pattern)),
    "parseDate": Function("t", "d", _parsed),
}
_LISTS: dict[str, Function] = {
    "at": Function("ln", "i", _at),
    "first": Function("l", "i", lambda items: _at(items, 0)),
    "last": Function("l", "i", lambda items: _at(items, -1)),
    "slice": Function("lnn?", "s", _slice),
    "splice": Function("lnna*", "s", _splice),
    "concat": Function("ll*", "s", lambda *lists: [item for one in lists for item in one]),
    "reverse": Function("l", "s", lambda items: items[::-1]),
    "unique": Function("l", "s", _unique),
    "includes": Function("la", "b", lambda items, one: any(same(item, one) for item in items)),
    "join": Function("lt", "t", lambda items, by: by.join(as_text(item) for item in items)),
    "flat": Function("l", "l", _flat),
}


def _with(results: list[Value], items: list[Value]) -> Iterator[tuple[Value, Value]]:
    return zip(items, results, strict=True)


def _index(results: list[Value]) -> float:
    return float(next((at for at, result in enumerate(results) if result), -1))


def _by_keys(items: list[Value], keys: list[Value]) -> list[Value]:
    pairs = [(key, item) for item, key in _with(keys, items) if key is not None]
    order = cmp_to_key(compare)
    return [item for _key, item in sorted(pairs, key=lambda pair: order(pair[0]))]


# What is made of a list's items and of what the expression gave for each.
EACH: dict[str, Function] = {
    "map": Function("le", "m", lambda _items, results: results),
    "filter": Function("le", "s", lambda items, found: [i for i, r in _with(found, items) if r]),
    "find": Function(
        "le", "i", lambda items, r: next((i for i, one in _with(r, items) if one), None)
    ),
    "findIndex": Function("le", "n", lambda _items, results: _index(results)),
    "some": Function("le", "b", lambda _items, results: any(results)),
    "every": Function("le", "b", lambda _items, results: all(results)),
    "count": Function("le?", "n", lambda _items, results: float(sum(map(bool, results)))),
    "sort": Function("le?", "s", _by_keys),
}


FUNCTIONS: dict[str, Function] = {**_MATHS, **_LOGIC, **_TEXTS, **_DATES, **_LISTS}
SPECIAL: dict[str, tuple[int, int]] = {
    "if": (3, 3), "ifs": (2, 99), "and": (1, 99), "or": (1, 99), "let": (3, 3), "lets": (3, 99),
    "now": (0, 0), "today": (0, 0), "id": (0, 1),
}  # fmt: skip
"""Functions that are computed in a way of their own, with the fewest and the most arguments."""


def midnight(moment: datetime) -> Moment:
    """Return the date of a moment."""
    return Moment(datetime(moment.year, moment.month, moment.day, tzinfo=UTC), timed=False)


def minute_of(now: float) -> Moment:
    """Return the present time as `now` gives it: to the minute."""
    moment = datetime.fromtimestamp(now, UTC)
    return Moment(moment - timedelta(seconds=moment.second, microseconds=moment.microsecond))
