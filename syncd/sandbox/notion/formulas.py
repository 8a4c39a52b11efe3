"""Formula columns: checked when they are made, computed for each row.

What is refused and how empty values count follows what clients of the service have measured: a
formula that the API writes may not use other formulas, or columns of related pages, in a calculation
("Type error with formula"), and cannot be filtered on. One that a person writes in the app may.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion.errors import NotionError
from syncd.sandbox.notion.formulafunctions import EACH, FUNCTIONS, midnight, minute_of
from syncd.sandbox.notion.formulasyntax import (
    Call,
    Constant,
    Items,
    Property,
    Tree,
    Variable,
    parse,
    type_error,
)
from syncd.sandbox.notion.formulatypes import type_of
from syncd.sandbox.notion.formulavalues import (
    FormulaFailure,
    Moment,
    Person,
    Value,
    as_text,
    is_empty,
    moment_of,
    whole,
)
from syncd.sandbox.notion.ids import encode_property
from syncd.sandbox.notion.richtext import plain_text
from syncd.sandbox.notion.schema import find
from syncd.sandbox.notion.store import DataSource, Page, Prop, Store
from syncd.sandbox.notion.values import Values

JSON = dict[str, Any]
Names = dict[str, Value]
NOWHERE = "00000000-0000-0000-0000-000000000000"
_OWN = re.compile(r'(?<![.\w])prop\(\s*"((?:[^"\\]|\\.)*)"\s*\)')
_TYPES = {
    "number": "n", "checkbox": "b", "date": "d", "created_time": "d", "last_edited_time": "d",
    "people": "lp", "created_by": "p", "last_edited_by": "p", "multi_select": "lt", "files": "lt",
    "relation": "lg", **dict.fromkeys(
        ("title", "rich_text", "select", "status", "url", "email", "phone_number", "unique_id"), "t"
    ),
}  # fmt: skip
_OTHER_ROLLUPS = ("show_original", "show_unique", "earliest_date", "latest_date", "date_range")
_SHOWN = {"n": "number", "b": "boolean", "d": "date"}


class Formulas:
    """Checks and computes the formulas of all data sources."""

    def __init__(self, store: Store, values: Values, clock: SandboxClock, workspace: str) -> None:
        self._store = store
        self._values = values
        self._clock = clock
        self._workspace = workspace
        self._trees: dict[str, Tree] = {}

    def compiled(self, source: DataSource, expression: str) -> str:
        """Return a formula as the service stores it: columns by their ids. Raises if it is wrong."""
        self.type_of(source, expression, by_person=False)

        def token(found: re.Match[str]) -> str:
            prop = find(source, found[1])
            if prop is None:
                return found[0]
            return f"{{{{notion:block_property:{encode_property(prop.id)}:{NOWHERE}:{self._workspace}}}}}"

        return _OWN.sub(token, expression)

    def type_of(self, source: DataSource, expression: str, *, by_person: bool) -> str:
        """Return the type of a formula's value; raises what the service answers to a wrong one."""

        def column(node: Property, of: str | None) -> str:
            if of is None:
                prop = find(source, node.name)
                if prop is None:
                    raise type_error()
                return self._column_type(source, prop, by_person=by_person)
            if not by_person or of not in ("g", "?"):
                raise type_error()
            return "?"  # which data source the page lies in is seen when a row is computed

        try:
            return type_of(self._tree(expression), column)
        except RecursionError as error:
            raise type_error() from error

    def _tree(self, expression: str) -> Tree:
        if expression not in self._trees:
            self._trees[expression] = parse(expression)
        return self._trees[expression]

    def _column_type(self, source: DataSource, prop: Prop, *, by_person: bool) -> str:
        if prop.type == "formula":
            return self._type_below(source, prop) if by_person else "u"
        if prop.type == "rollup":
            return "?" if prop.config["function"] in _OTHER_ROLLUPS else "n"
        if prop.type not in _TYPES:
            raise type_error()
        return _TYPES[prop.type]

    def _own_type(self, source: DataSource, prop: Prop) -> str:
        try:
            return self.type_of(source, prop.config["expression"], by_person=True)
        except NotionError:  # a column it names is gone
            return "?"

    def _type_below(self, source: DataSource, prop: Prop) -> str:
        """Return the type of a formula that another one uses, `?` where it cannot be told."""
        with self._values.layer(prop) as allowed:
            return self._own_type(source, prop) if allowed else "?"

    def value(self, source: DataSource, prop: Prop, page: Page, limit: int | None) -> JSON:
        """Return a formula's value for a row; of relations at most `limit` pages are followed."""
        kind = self._own_type(source, prop)
        found = self._computed(prop, page, limit)
        if kind in ("m", "?"):
            kind = _kind_of(found)
        name = _SHOWN.get(kind, "string")
        return {"type": name, name: _shown(name, found)}

    def _computed(self, prop: Prop, page: Page, limit: int | None) -> Value:
        """Return a formula's value, None where it cannot be computed."""

        def read(row: Page, name: str) -> Value:
            return self._read(row, name, limit)

        try:
            tree = self._tree(prop.config["expression"])
            return Row(page, read, self._clock.now()).run(tree, {})
        except (FormulaFailure, NotionError):
            return None

    def _read(self, page: Page, name: str, limit: int | None) -> Value:
        source = self._store.source_of(page)
        prop = find(source, name) if source else None
        if source is None or prop is None:
            raise FormulaFailure
        if prop.type == "formula":
            with self._values.layer(prop) as allowed:
                return self._computed(prop, page, limit) if allowed else None
        if prop.type == "relation":
            related = self._values.related(prop, page)[:limit]
            return [self._store.nodes[key] for key in related]
        shown = self._values.shown(source, prop, page)
        if prop.type == "rollup":
            return self._rolled(shown)
        return self._converted(prop.type, shown)

    def _rolled(self, shown: JSON) -> Value:
        kind = shown["type"]
        if kind == "array":
            return [self._converted(item["type"], item[item["type"]]) for item in shown["array"]]
        return self._converted(kind, shown.get(kind))

    def _converted(self, kind: str, shown: Any) -> Value:  # noqa: ANN401 - by type
        """Return a value as responses show it as one formulas compute with."""
        if kind in ("date", "created_time", "last_edited_time"):
            return moment_of({"start": shown} if isinstance(shown, str) else shown)
        if kind == "number":
            return None if shown is None else float(shown)
        if kind == "checkbox":
            return bool(shown)
        if kind in ("people", "created_by", "last_edited_by"):
            people = shown if isinstance(shown, list) else [shown]
            found = [self._person(person["id"]) for person in people]
            return found if kind == "people" else found[0]
        if kind in ("multi_select", "files"):
            return [item["name"] for item in shown]
        return _text(kind, shown)

    def _person(self, identifier: str) -> Person:
        user = self._store.users.get(identifier)
        return Person(identifier, user.name if user else "", user.email if user else None)


def _text(kind: str, shown: Any) -> str | None:  # noqa: ANN401 - by type
    if kind in ("title", "rich_text"):
        return plain_text(shown) or None
    if kind in ("select", "status"):
        return shown["name"] if shown else None
    if kind == "unique_id":
        return f"{shown['prefix']}-{shown['number']}" if shown["prefix"] else str(shown["number"])
    return shown or None if isinstance(shown, str) else None


def _kind_of(value: Value) -> str:
    if isinstance(value, bool):
        return "b"
    if isinstance(value, int | float):
        return "n"
    return "d" if isinstance(value, Moment) else "t"


def _shown(name: str, value: Value) -> Any:  # noqa: ANN401 - by type
    if value is None:
        return None
    if name == "number":
        return whole(float(value)) if isinstance(value, int | float) else None
    if name == "boolean":
        return bool(value)
    if name == "date":
        return value.shown() if isinstance(value, Moment) else None
    if isinstance(value, list):
        leaves = [as_text(item) for item in _leaves(value)]
        return ",".join(leaves) if leaves else None
    return as_text(value)


def _leaves(items: list[Value]) -> list[Value]:
    """Return what a list holds at all depths, without empty places: so the API writes lists."""
    found: list[Value] = []
    for item in items:
        found += _leaves(item) if isinstance(item, list) else [item] if item is not None else []
    return found


class Row:
    """Computes one formula for one row."""

    def __init__(self, page: Page, read: Callable[[Page, str], Value], now: float) -> None:
        self._page = page
        self._read = read
        self._now = now

    def run(self, tree: Tree, names: Names) -> Value:
        """Return the value of a tree; raises FormulaFailure."""
        if isinstance(tree, Constant):
            return tree.value
        if isinstance(tree, Items):
            return [self.run(item, names) for item in tree.items]
        if isinstance(tree, Property):
            return self._property(tree, names)
        if isinstance(tree, Variable):
            return names[tree.name] if tree.name in names else FUNCTIONS[tree.name].run()
        special = getattr(self, f"_run_{tree.function}", None)
        if special is not None:
            return special(tree.arguments, names)
        if tree.function in EACH:
            return self._each(tree, names)
        return self._plain(tree, names)

    def _property(self, tree: Property, names: Names) -> Value:
        if tree.of is None:
            return self._read(self._page, tree.name)
        page = self.run(tree.of, names)
        if page is None:
            return None
        if not isinstance(page, Page):
            raise FormulaFailure
        return self._read(page, tree.name)

    def _plain(self, call: Call, names: Names) -> Value:
        function = FUNCTIONS[call.function]
        given = [self.run(item, names) for item in call.arguments]
        if not function.keeps_empty and any(item is None for item in given):
            return None
        return _safely(function.run, *given)

    def _each(self, call: Call, names: Names) -> Value:
        items = self.run(call.arguments[0], names)
        if items is None:
            return None
        if not isinstance(items, list):
            raise FormulaFailure
        results = list(items)
        if len(call.arguments) > 1:
            results = [
                self._one(call.arguments[1], {**names, "current": item, "index": float(index)})
                for index, item in enumerate(items)
            ]
        elif call.function == "count":
            results = [True] * len(items)
        return _safely(EACH[call.function].run, items, results)

    def _one(self, tree: Tree, names: Names) -> Value:
        """Return what an expression gives for an item; a failure counts as nothing, as measured."""
        try:
            return self.run(tree, names)
        except FormulaFailure:
            return None

    def _run_if(self, given: tuple[Tree, ...], names: Names) -> Value:
        return self._run_ifs(given, names)

    def _run_ifs(self, given: tuple[Tree, ...], names: Names) -> Value:
        for condition, value in zip(given[:-1:2], given[1::2], strict=False):
            if not is_empty(self.run(condition, names)):
                return self.run(value, names)
        return self.run(given[-1], names) if len(given) % 2 else None

    def _run_and(self, given: tuple[Tree, ...], names: Names) -> bool:
        return all(not is_empty(self.run(item, names)) for item in given)

    def _run_or(self, given: tuple[Tree, ...], names: Names) -> bool:
        return any(not is_empty(self.run(item, names)) for item in given)

    def _run_let(self, given: tuple[Tree, ...], names: Names) -> Value:
        return self._run_lets(given, names)

    def _run_lets(self, given: tuple[Tree, ...], names: Names) -> Value:
        inner = dict(names)
        for name, value in zip(given[:-1:2], given[1::2], strict=False):
            assert isinstance(name, Variable)  # noqa: S101 - checked when the formula was made
            inner[name.name] = self.run(value, inner)
        return self.run(given[-1], inner)

    def _run_now(self, _given: tuple[Tree, ...], _names: Names) -> Moment:
        return minute_of(self._now)

    def _run_today(self, _given: tuple[Tree, ...], _names: Names) -> Moment:
        return midnight(minute_of(self._now).start)

    def _run_id(self, given: tuple[Tree, ...], names: Names) -> str:
        page = self.run(given[0], names) if given else self._page
        if not isinstance(page, Page):
            raise FormulaFailure
        return page.id.replace("-", "")


def _safely(run: Callable[..., Value], *given: Value) -> Value:
    """Compute; values of another type than the formula's author thought are a failure."""
    try:
        return run(*given)
    except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise FormulaFailure from error
