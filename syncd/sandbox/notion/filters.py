"""Filters of queries, compiled once per query to functions of a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from syncd.sandbox.notion import times
from syncd.sandbox.notion.checks import require_choice, require_dict, require_list
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.notion.richtext import RichText
from syncd.sandbox.notion.rollups import as_text
from syncd.sandbox.notion.schema import find
from syncd.sandbox.notion.store import DataSource, Page, Prop, minute
from syncd.sandbox.notion.values import Values

JSON = dict[str, Any]
Test = Callable[[Page], bool]
Getter = Callable[[Any], Any]  # of a row, or of a value in a rollup
DEPTH = 2  # levels of and/or inside one another
TEXT = ("title", "rich_text", "url", "email", "phone_number")
PEOPLE = ("people", "created_by", "last_edited_by")
NAMED = ("select", "status", "multi_select", "people", "relation", "files")
STAMPS = ("created_time", "last_edited_time")
RELATIVE = (
    "past_week", "past_month", "past_year", "this_week", "next_week", "next_month", "next_year",
)  # fmt: skip


class Filters:
    """Compiles filters of one data source at one moment for one user."""

    def __init__(self, source: DataSource, values: Values, now: float, me: str) -> None:
        self._source = source
        self._values = values
        self.now = now
        self.me = me

    def compile(self, given: object, where: str = "filter", depth: int = 0) -> Test:
        """Return a function that tells whether a row fits."""
        body = require_dict(given, where)
        for word in ("and", "or"):
            if word in body:
                return self._group(word, body[word], f"{where}.{word}", depth)
        if "timestamp" in body:
            return self._stamp(body, where)
        if "property" not in body:
            raise bad(f"{where}.or", "be defined", MISSING)
        prop = find(self._source, str(body["property"]))
        if prop is None:
            raise invalid(f"Could not find property with name or id: {body['property']}")
        kind = next((key for key in body if key not in ("property", "type")), None)
        if kind is None:
            raise bad(f"{where}.{prop.type}", "be defined", MISSING)
        return self._property(prop, kind, require_dict(body[kind], f"{where}.{kind}"), where)

    def _group(self, word: str, given: object, where: str, depth: int) -> Test:
        if depth >= DEPTH:
            raise bad(where, "be not present", given)
        tests = [
            self.compile(item, f"{where}[{index}]", depth + 1)
            for index, item in enumerate(require_list(given, where))
        ]
        if not tests:
            return lambda _page: True
        return reduce(_both if word == "and" else _either, tests)

    def _stamp(self, body: JSON, where: str) -> Test:
        name = body["timestamp"]
        if name not in STAMPS:
            raise bad(f"{where}.timestamp", 'be `"created_time"` or `"last_edited_time"`', name)
        condition = require_dict(body.get(name, MISSING), f"{where}.{name}")
        return self._moments(_moment(name), condition, f"{where}.{name}")

    def _property(self, prop: Prop, kind: str, condition: JSON, where: str) -> Test:
        where = f"{where}.{kind}"
        if not fits(prop.type, kind):
            raise invalid(f"database property {prop.type} does not match filter {kind}")
        if len(condition) != 1:
            raise bad(where, "have exactly one condition", condition)
        if prop.type == "formula" and not prop.config["by_person"]:
            raise invalid("Unable to filter based on a formula of unknown type")
        if prop.type in ("formula", "rollup"):
            return self._computed(prop, condition, where)
        return self._by_type(prop, condition, where)

    def _by_type(self, prop: Prop, condition: JSON, where: str) -> Test:
        kind, key = prop.type, prop.id
        if kind in ("title", "rich_text"):
            return text_test(_folded(key), condition, where)
        if kind in TEXT:
            return text_test(lambda page: (page.values.get(key) or "").lower(), condition, where)
        if kind in ("number", "unique_id"):
            getter = (lambda page: page.number) if kind == "unique_id" else _value(key)
            return number_test(getter, condition, where)
        if kind == "checkbox":
            return checkbox_test(lambda page: page.values.get(key, False), condition, where)
        if kind in ("select", "status"):
            return _option_test(prop, condition, where)
        if kind in ("date", *STAMPS):
            getter = _date(key) if kind == "date" else _moment(kind)
            return self._moments(getter, condition, where)
        if kind == "verification":
            return self._verified(prop, condition, where)
        return self._member(prop, condition, where)

    def _member(self, prop: Prop, condition: JSON, where: str) -> Test:
        getter = self._held(prop)
        ((name, wanted),) = condition.items()
        if name in ("is_empty", "is_not_empty"):
            return existence(getter, name, wanted, where)
        if name not in ("contains", "does_not_contain"):
            raise bad(f"{where}.contains", "be defined", MISSING)
        # A list means any of it: so the definition has it for options.
        several = wanted if isinstance(wanted, list) and prop.type == "multi_select" else [wanted]
        targets = {self._target(prop, one, f"{where}.{name}") for one in several}
        if name == "contains":
            return lambda page: not targets.isdisjoint(getter(page))
        return lambda page: targets.isdisjoint(getter(page))

    def _verified(self, prop: Prop, condition: JSON, where: str) -> Test:
        ((name, wanted),) = condition.items()
        require_choice(name, where, ("status", "does_not_equal"))
        wanted = require_choice(wanted, f"{where}.{name}", ("verified", "expired", "none"))
        state = "unverified" if wanted == "none" else wanted

        def verified(page: Page) -> bool:
            shown = self._values.shown(self._source, prop, page)
            return bool(shown["state"] == state) == (name == "status")

        return verified

    def _held(self, prop: Prop) -> Getter:
        if prop.type == "created_by":
            return lambda page: (page.created_by,)
        if prop.type == "last_edited_by":
            return lambda page: (page.edited_by,)
        if prop.type == "relation":
            return lambda page: self._values.related(prop, page)
        return lambda page: page.values.get(prop.id, ())

    def _target(self, prop: Prop, wanted: object, where: str) -> str | None:
        if prop.type == "multi_select":
            return _option_id(prop, wanted)
        if prop.type in PEOPLE and wanted == "me":
            return self.me
        identifier = parse_uuid(wanted)
        if identifier is None:
            raise bad(where, "be a valid uuid", wanted)
        return identifier

    def _moments(self, getter: Getter, condition: JSON, where: str) -> Test:
        ((name, wanted),) = condition.items()
        if name in ("is_empty", "is_not_empty"):
            return existence(getter, name, wanted, where)
        if name in RELATIVE:
            low, high = times.relative(name, self.now)
            return lambda page: (value := getter(page)) is not None and low <= value < high
        if name not in ("equals", "before", "after", "on_or_before", "on_or_after"):
            raise bad(f"{where}.equals", "be defined", MISSING)
        wanted = times.named_day(str(wanted), self.now) or wanted
        if not times.is_date(wanted):
            raise bad(f"{where}.{name}", "be a valid ISO 8601 date string", wanted)
        start, end = times.span(str(wanted))
        return _between(getter, *_bounds(name, start, end))

    def _computed(self, prop: Prop, condition: JSON, where: str) -> Test:
        ((name, inner),) = condition.items()
        inner = require_dict(inner, f"{where}.{name}")
        whole: Getter = lambda page: self._values.computed(self._source, prop, page)  # noqa: E731
        if name in ("any", "every", "none"):
            return self._rolled(prop, name, inner, where)
        spot = f"{where}.{name}"
        if name == "string":
            return text_test(lambda page: (whole(page).get("string") or "").lower(), inner, spot)
        if name == "number":
            return number_test(lambda page: whole(page).get("number"), inner, spot)
        if name == "checkbox":
            return checkbox_test(lambda page: whole(page).get("boolean", False), inner, spot)
        if name == "date":
            return self._moments(lambda page: _start(whole(page).get("date")), inner, spot)
        raise bad(spot, "be not present", inner)

    def _item_test(self, kind: str, condition: JSON, where: str) -> Callable[[Any], bool]:
        """Return a test of one value in a rollup's array."""
        if kind == "number":
            return number_test(_itself, condition, where)
        if kind == "checkbox":
            return checkbox_test(_itself, condition, where)
        if kind == "date":
            return self._moments(_start, condition, where)
        if kind in NAMED:
            return _named_test(condition, where)
        return text_test(lambda value: as_text(kind, value).lower(), condition, where)

    def _rolled(self, prop: Prop, name: str, inner: JSON, where: str) -> Test:
        kind = next(iter(inner), "rich_text")
        condition = require_dict(inner.get(kind), f"{where}.{name}.{kind}")
        test = self._item_test(kind, condition, f"{where}.{name}.{kind}")

        def rolled(page: Page) -> bool:
            items = self._values.computed(self._source, prop, page).get("array", [])
            found = [test(item[item["type"]]) for item in items]
            if name == "any":
                return any(found)
            return all(found) if name == "every" else not any(found)

        return rolled


def _both(one: Test, other: Test) -> Test:
    return lambda page: one(page) and other(page)


def _either(one: Test, other: Test) -> Test:
    return lambda page: one(page) or other(page)


def fits(prop: str, kind: str) -> bool:
    """Tell whether a filter of a kind may be used on a column of a type."""
    if prop in PEOPLE:
        return kind in (*PEOPLE, "people")
    if prop in TEXT:
        return kind in TEXT
    if prop in ("date", *STAMPS):
        return kind in ("date", *STAMPS)
    return prop == kind


_EMPTY_TEXT = RichText(())


def _folded(key: str) -> Getter:
    return lambda page: page.values.get(key, _EMPTY_TEXT).folded


def _value(key: str) -> Getter:
    return lambda page: page.values.get(key)


def _moment(name: str) -> Getter:
    if name == "created_time":
        return lambda page: minute(page.created)
    return lambda page: minute(page.edited)


def _date(key: str) -> Getter:
    return lambda page: _start(page.values.get(key))


def _start(value: JSON | None) -> float | None:
    return times.instant(value["start"]) if value else None


def _bounds(name: str, start: float, end: float) -> tuple[float, float]:
    """Return the half-open span of moments that fit."""
    low, high = float("-inf"), float("inf")
    return {
        "equals": (start, end),
        "before": (low, start),
        "after": (end, high),
        "on_or_before": (low, end),
        "on_or_after": (start, high),
    }[name]


def _between(getter: Getter, low: float, high: float) -> Test:
    def inside(page: Page) -> bool:
        value = getter(page)
        return value is not None and low <= value < high

    return inside


def existence(getter: Getter, name: str, wanted: object, where: str) -> Test:
    """Return the test of `is_empty` or `is_not_empty`, whose value must be true."""
    if wanted is not True:
        raise bad(f"{where}.{name}", "be `true`", wanted)
    if name == "is_empty":
        return lambda page: (value := getter(page)) is None or value in ("", [], ())
    return lambda page: (value := getter(page)) is not None and value not in ("", [], ())


# One closure a test instead of a shared one: a query calls it for every row.
_TEXT_TESTS: dict[str, Callable[[Getter, str], Test]] = {
    "equals": lambda get, wanted: lambda page: get(page) == wanted,
    "does_not_equal": lambda get, wanted: lambda page: get(page) != wanted,
    "contains": lambda get, wanted: lambda page: wanted in get(page),
    "does_not_contain": lambda get, wanted: lambda page: wanted not in get(page),
    "starts_with": lambda get, wanted: lambda page: get(page).startswith(wanted),
    "ends_with": lambda get, wanted: lambda page: get(page).endswith(wanted),
}


def text_test(getter: Getter, condition: JSON, where: str) -> Test:
    """Return a test of a text, which `getter` gives in lower case: case does not matter."""
    ((name, wanted),) = condition.items()
    if name in ("is_empty", "is_not_empty"):
        return existence(getter, name, wanted, where)
    make = _TEXT_TESTS.get(name)
    if make is None:
        raise bad(f"{where}.equals", "be defined", MISSING)
    if not isinstance(wanted, str):
        raise bad(f"{where}.{name}", "be a string", wanted)
    return make(getter, wanted.lower())


_NUMBER_TESTS: dict[str, Callable[[Getter, float], Test]] = {
    "equals": lambda get, wanted: lambda page: get(page) == wanted,
    "does_not_equal": lambda get, wanted: lambda page: get(page) != wanted,
    "greater_than": lambda get, wanted: lambda page: (n := get(page)) is not None and n > wanted,
    "less_than": lambda get, wanted: lambda page: (n := get(page)) is not None and n < wanted,
    "greater_than_or_equal_to": lambda get, wanted: (
        lambda page: (n := get(page)) is not None and n >= wanted
    ),
    "less_than_or_equal_to": lambda get, wanted: (
        lambda page: (n := get(page)) is not None and n <= wanted
    ),
}


def number_test(getter: Getter, condition: JSON, where: str) -> Test:
    """Return a test of a number; empty fits only `is_empty` and `does_not_equal`."""
    ((name, wanted),) = condition.items()
    if name in ("is_empty", "is_not_empty"):
        return existence(getter, name, wanted, where)
    make = _NUMBER_TESTS.get(name)
    if make is None:
        raise bad(f"{where}.equals", "be defined", MISSING)
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        raise bad(f"{where}.{name}", "be a number", wanted)
    return make(getter, wanted)


def checkbox_test(getter: Getter, condition: JSON, where: str) -> Test:
    """Return a test of a checkbox."""
    ((name, wanted),) = condition.items()
    if name not in ("equals", "does_not_equal"):
        raise bad(f"{where}.equals", "be defined", MISSING)
    if not isinstance(wanted, bool):
        raise bad(f"{where}.{name}", "be a boolean", wanted)
    target = wanted == (name == "equals")
    return lambda page: bool(getter(page)) is target


def _option_id(prop: Prop, wanted: object) -> str | None:
    options: dict[str, JSON] = prop.config["options"]
    if wanted in options:
        return str(wanted)
    return next((key for key, option in options.items() if option["name"] == wanted), None)


def _option_test(prop: Prop, condition: JSON, where: str) -> Test:
    ((name, wanted),) = condition.items()
    key = prop.id
    if name in ("is_empty", "is_not_empty"):
        return existence(_value(key), name, wanted, where)
    if name not in ("equals", "does_not_equal"):
        raise bad(f"{where}.equals", "be defined", MISSING)
    targets = _options(prop, wanted, f"{where}.{name}")
    if name == "equals":
        return lambda page: page.values.get(key) in targets
    return lambda page: page.values.get(key) not in targets


def _options(prop: Prop, wanted: object, where: str) -> frozenset[str]:
    """Return the options named: one, or any of a list (undocumented, but recorded)."""
    found = set()
    for name in wanted if isinstance(wanted, list) and wanted else [wanted]:
        if not isinstance(name, str):
            raise bad(where, "be a string", wanted)
        target = _option_id(prop, name)
        if target is None:
            raise invalid(f'{prop.type} option "{name}" not found for property "{prop.name}".')
        found.add(target)
    return frozenset(found)


def _itself(value: Any) -> Any:  # noqa: ANN401 - by type
    return value


def _names(value: Any) -> list[str]:  # noqa: ANN401 - by type
    """Return what names a shown option or person, or each of several: its id and its name."""
    found = value if isinstance(value, list) else [value] if value else []
    return [text for item in found for text in (item.get("id"), item.get("name")) if text]


def _named_test(condition: JSON, where: str) -> Callable[[Any], bool]:
    """Return a test of shown options, people or pages by name or id."""
    ((name, wanted),) = condition.items()
    if name in ("is_empty", "is_not_empty"):
        return existence(_itself, name, wanted, where)
    require_choice(name, where, ("equals", "contains", "does_not_equal", "does_not_contain"))
    targets = set(wanted) if isinstance(wanted, list) else {wanted}
    within = name in ("equals", "contains")
    return lambda value: targets.isdisjoint(_names(value)) != within
