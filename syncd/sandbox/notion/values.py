"""Property values: writing them into a row, and showing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from syncd.sandbox.notion import richtext
from syncd.sandbox.notion.checks import (
    ARRAY_LIMIT,
    SHORT_LIMIT,
    URL_LIMIT,
    require_bool,
    require_choice,
    require_dict,
    require_list,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.files import file_value
from syncd.sandbox.notion.ids import encode_property
from syncd.sandbox.notion.schema import READ_ONLY, Schemas, find, ordered
from syncd.sandbox.notion.shapes import Shapes
from syncd.sandbox.notion.store import DataSource, Page, Prop, Store
from syncd.sandbox.notion.times import instant, rounded

JSON = dict[str, Any]
Compute = Callable[[DataSource, Prop, Page, int | None], JSON]
VERIFIED = ("verified", "unverified")
LAYERS = 15  # formulas and rollups that may stand on one another
SHOWN = 25  # references in one property of a page; the rest by the property item endpoint


class Values:
    """Parses, stores and shows property values."""

    def __init__(self, store: Store, schemas: Schemas, shapes: Shapes) -> None:
        self._store = store
        self._schemas = schemas
        self._shapes = shapes
        self._layers: list[Prop] = []
        self._rollup: Compute | None = None
        self._formula: Compute | None = None
        self._parsers: dict[str, Callable[[Prop, Any, str], Any]] = {
            "title": self._text,
            "rich_text": self._text,
            "number": self._number,
            "select": self._select,
            "multi_select": self._multi_select,
            "status": self._status,
            "date": lambda _prop, value, where: richtext.date_value(value, where),
            "people": self._people,
            "files": self._files,
            "checkbox": lambda _prop, value, where: require_bool(value, where),
            "url": self._url,
            "email": self._short,
            "phone_number": self._short,
            "relation": self._relation,
            "place": lambda _prop, value, where: value and require_dict(value, where),
            "verification": self._verification,
        }
        self._showers: dict[str, Callable[[DataSource, Prop, Page], Any]] = {
            "select": self._show_option,
            "status": self._show_option,
            "multi_select": self._show_options,
            "people": self._show_people,
            "checkbox": lambda _source, prop, page: page.values.get(prop.id, False),
            "created_time": lambda _source, _prop, page: rounded(page.created),
            "last_edited_time": lambda _source, _prop, page: rounded(page.edited),
            "created_by": lambda _source, _prop, page: self._shapes.user(page.created_by),
            "last_edited_by": lambda _source, _prop, page: self._shapes.user(page.edited_by),
            "unique_id": lambda _source, prop, page: {
                "prefix": prop.config["prefix"],
                "number": page.number,
            },
            "formula": self.computed,
            "rollup": self.computed,
            "button": lambda _source, _prop, _page: {},
            "verification": self._show_verification,
        }

    def use(self, rollup: Compute, formula: Compute) -> None:
        """Set what computes rollups and formulas (they need values themselves)."""
        self._rollup, self._formula = rollup, formula

    def computed(
        self, source: DataSource, prop: Prop, page: Page, limit: int | None = None
    ) -> JSON:
        """Return the value of a formula or rollup over at most `limit` related pages."""
        compute = self._rollup if prop.type == "rollup" else self._formula
        assert compute is not None  # noqa: S101 - set when the sandbox is put together
        with self.layer(prop) as allowed:
            if not allowed:
                return {"type": "unsupported", "unsupported": {}}
            return compute(source, prop, page, limit)

    @contextmanager
    def layer(self, prop: Prop) -> Iterator[bool]:
        """Tell whether a column may be computed now: not while it is, nor on too many others.

        The service gives up in silence, too.
        """
        busy = any(prop is other for other in self._layers)
        allowed = not busy and len(self._layers) < LAYERS
        self._layers.append(prop)
        try:
            yield allowed
        finally:
            self._layers.pop()

    def parse(self, source: DataSource, given: object, where: str) -> dict[str, Any]:
        """Return what a request wants to set, by property id; nothing is stored yet.

        All unknown names and wrong types are told in one sentence, as the vendor does.
        """
        wanted = {} if given is MISSING else require_dict(given, where)
        problems: list[str] = []
        pairs: list[tuple[Prop, Any, str]] = []
        for name, value in wanted.items():
            prop = find(source, name)
            if prop is None:
                problems.append(f"{name} is not a property that exists.")
                continue
            kind, content = _content(prop, value, f"{where}.{name}")
            if kind != prop.type:
                problems.append(f"{prop.name} is expected to be {prop.type}.")
            else:
                pairs.append((prop, content, f"{where}.{name}.{kind}"))
        if problems:
            raise invalid(" ".join(problems))
        return {prop.id: self._value(prop, value, spot) for prop, value, spot in pairs}

    def _value(self, prop: Prop, value: object, where: str) -> Any:  # noqa: ANN401 - by type
        if prop.type in READ_ONLY:
            raise invalid(f"Cannot update property {prop.name}: {prop.type} values are read-only.")
        return self._parsers[prop.type](prop, value, where)

    def apply(self, source: DataSource, page: Page, values: dict[str, Any]) -> list[Page]:
        """Store parsed values; return the pages whose side of a relation changed with it."""
        touched: list[Page] = []
        for key, value in values.items():
            prop = source.properties[key]
            if prop.type in ("select", "multi_select"):
                page.values[key] = self._settle_options(prop, value)
            elif prop.type == "relation":
                touched += self._relate(prop, page, value)
            else:
                page.values[key] = value
        return touched

    def _text(self, _prop: Prop, value: object, where: str) -> list[JSON]:
        return richtext.RichText(richtext.parse(value, where, self._shapes.mention))

    def _number(self, _prop: Prop, value: object, where: str) -> float | int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad(where, "be a number", value)
        return value

    def _url(self, _prop: Prop, value: object, where: str) -> str | None:
        return None if value is None else require_text(value, where, URL_LIMIT)

    def _short(self, _prop: Prop, value: object, where: str) -> str | None:
        return None if value is None else require_text(value, where, SHORT_LIMIT)

    def _select(self, prop: Prop, value: object, where: str) -> tuple[str, str] | None:
        return None if value is None else self._choice(prop, require_dict(value, where), where)

    def _multi_select(self, prop: Prop, value: object, where: str) -> list[tuple[str, str]]:
        return [
            self._choice(prop, require_dict(item, f"{where}[{index}]"), f"{where}[{index}]")
            for index, item in enumerate(require_list(value, where))
        ]

    def _choice(self, prop: Prop, given: JSON, where: str) -> tuple[str, str]:
        """Return ('id', known option) or ('name', option to be made)."""
        if given.get("id") is not None:
            if require_text(given["id"], f"{where}.id") in prop.config["options"]:
                return "id", given["id"]
            if "name" not in given:
                raise invalid(
                    f'Invalid select option. Select option "{given["id"]}" does not exist".'
                )
        name = require_text(given.get("name", MISSING), f"{where}.name")
        option = _by_name(prop, name)
        if option is not None:
            return "id", option["id"]
        if "," in name:
            raise invalid(f"Invalid select option, commas not allowed: {name}")
        require_text(name, f"{where}.name", ARRAY_LIMIT)
        return "name", name

    def _settle_options(self, prop: Prop, value: Any) -> Any:  # noqa: ANN401 - one or several
        if isinstance(value, list):
            return list(dict.fromkeys(self._settle(prop, item) for item in value))
        return None if value is None else self._settle(prop, value)

    def _settle(self, prop: Prop, item: tuple[str, str]) -> str:
        how, text = item
        if how == "id":
            return text
        option = _by_name(prop, text) or self._schemas.new_option(prop, text)
        return str(option["id"])

    def _status(self, prop: Prop, value: object, where: str) -> str | None:
        if value is None:
            return self.default_status(prop)
        given = require_dict(value, where)
        identifier, name = given.get("id"), given.get("name")
        option = prop.config["options"].get(identifier) if isinstance(identifier, str) else None
        if option is None and name is not None:
            option = _by_name(prop, require_text(name, f"{where}.name"))
        if option is None:
            if identifier is None and name is None:
                raise bad(f"{where}.name", "be defined", MISSING)
            label = name if name is not None else identifier
            raise invalid(f'Invalid status option. Status option "{label}" does not exist".')
        return str(option["id"])

    def default_status(self, prop: Prop) -> str | None:
        """Return the option a row has when none is chosen: the first of the first group."""
        first: list[str] = prop.config["groups"][0]["option_ids"]
        return first[0] if first else next(iter(prop.config["options"]), None)

    def _people(self, _prop: Prop, value: object, where: str) -> list[str]:
        found = []
        for index, item in enumerate(require_list(value, where)):
            spot = f"{where}[{index}]"
            identifier = require_uuid(require_dict(item, spot).get("id", MISSING), f"{spot}.id")
            if identifier not in self._store.users:
                raise invalid(f"Could not find user with ID: {identifier}.")
            found.append(identifier)
        return list(dict.fromkeys(found))

    def _files(self, _prop: Prop, value: object, where: str) -> list[JSON]:
        return [
            file_value(self._store, require_dict(item, f"{where}[{index}]"), f"{where}[{index}]")
            for index, item in enumerate(require_list(value, where))
        ]

    def _verification(self, _prop: Prop, value: object, where: str) -> JSON | None:
        """Return who verified a page and until when, None for nobody."""
        given = require_dict(value, where)
        state = require_choice(given.get("state", MISSING), f"{where}.state", VERIFIED)
        if state == "unverified":
            return None
        date = richtext.date_value(given.get("date"), f"{where}.date")
        return {"by": self._shapes.caller, "date": date}

    def _show_verification(self, _source: DataSource, prop: Prop, page: Page) -> JSON:
        held = page.values.get(prop.id)
        if held is None:
            return {"state": "unverified", "verified_by": None, "date": None}
        end = (held["date"] or {}).get("end")
        over = end is not None and instant(end) < self._shapes.now
        return {
            "state": "expired" if over else "verified",
            "verified_by": self._shapes.user(held["by"]),
            "date": held["date"],
        }

    def _relation(self, prop: Prop, value: object, where: str) -> list[str]:
        found: list[str] = []
        for index, item in enumerate(require_list(value, where)):
            spot = f"{where}[{index}]"
            identifier = require_uuid(require_dict(item, spot).get("id", MISSING), f"{spot}.id")
            page = self._store.page(identifier)
            if page is None or not self._store.is_shared(page):
                raise self._shapes.not_found("page", identifier)
            if page.parent != ("data_source_id", prop.config["data_source_id"]):
                raise invalid(
                    f"Page with ID {identifier} is not in the data source the relation "
                    f"{prop.name} points to."
                )
            found.append(identifier)
        return list(dict.fromkeys(found))

    def _relate(self, prop: Prop, page: Page, targets: list[str]) -> list[Page]:
        """Set a relation, and the other side of a two-way one."""
        before: list[str] = page.values.get(prop.id, [])
        page.values[prop.id] = targets
        if prop.config["type"] != "dual_property":
            return []
        synced = prop.config["synced"]
        changed = [key for key in before if key not in targets]
        touched = [self._other(key, synced, page.id, add=False) for key in changed]
        fresh = [key for key in targets if key not in before]
        touched += [self._other(key, synced, page.id, add=True) for key in fresh]
        return [other for other in touched if other is not None]

    def _other(self, identifier: str, synced: str, mine: str, *, add: bool) -> Page | None:
        other = self._store.page(identifier)
        if other is None:
            return None
        held = [key for key in other.values.get(synced, []) if key != mine]
        other.values[synced] = [*held, mine] if add else held
        return other

    def fill(self, source: DataSource, page: Page) -> None:
        """Give a new row what Notion gives it: its number and the default status."""
        page.number = source.next_number
        source.next_number += 1
        for prop in source.properties.values():
            if prop.type == "status" and page.values.get(prop.id) is None:
                page.values[prop.id] = self.default_status(prop)

    def show(self, source: DataSource, page: Page, only: frozenset[str] | None = None) -> JSON:
        """Return a row's properties; `only` limits them to some ids."""
        return {
            prop.name: self._show(source, prop, page)
            for prop in ordered(source)
            if only is None or prop.id in only
        }

    def _show(self, source: DataSource, prop: Prop, page: Page) -> JSON:
        shown: JSON = {"id": encode_property(prop.id), "type": prop.type}
        if prop.type == "relation":
            alive = self.related(prop, page)
            shown["relation"] = [{"id": key} for key in alive[:SHOWN]]
            shown["has_more"] = len(alive) > SHOWN
            return shown
        if prop.type in ("formula", "rollup"):
            shown[prop.type] = self.computed(source, prop, page, SHOWN)
            return shown
        value = self.shown(source, prop, page)
        if prop.type == "people":
            value = value[:SHOWN]
        elif prop.type in ("title", "rich_text"):
            value = _few_references(value)
        shown[prop.type] = value
        return shown

    def shown(self, source: DataSource, prop: Prop, page: Page) -> Any:  # noqa: ANN401 - by type
        """Return what stands under the key of the type, whole."""
        shower = self._showers.get(prop.type)
        if shower is not None:
            return shower(source, prop, page)
        empty: Any = [] if prop.type in ("title", "rich_text", "files") else None
        return page.values.get(prop.id, empty)

    def related(self, prop: Prop, page: Page) -> list[str]:
        """Return the related pages that are not in the trash and that the connection sees."""
        store, nodes = self._store, self._store.nodes
        held = page.values.get(prop.id, ())
        alive = [key for key in held if key in nodes and not nodes[key].in_trash]
        return [key for key in alive if store.is_shared(nodes[key])] if store.unshared else alive

    def _show_option(self, _source: DataSource, prop: Prop, page: Page) -> JSON | None:
        return _option(prop, page.values.get(prop.id))

    def _show_options(self, _source: DataSource, prop: Prop, page: Page) -> list[JSON]:
        found = (_option(prop, key) for key in page.values.get(prop.id, ()))
        return [option for option in found if option is not None]

    def _show_people(self, _source: DataSource, prop: Prop, page: Page) -> list[JSON]:
        return [self._shapes.user(key) for key in page.values.get(prop.id, ())]


def _few_references(items: list[JSON]) -> list[JSON]:
    """Cut rich text at the 26th mention of a page or person."""
    if len(items) <= SHOWN:
        return items
    count = 0
    for index, item in enumerate(items):
        count += item["type"] == "mention" and item["mention"]["type"] != "date"
        if count > SHOWN:
            return items[:index]
    return items


def _option(prop: Prop, key: str | None) -> JSON | None:
    option = prop.config["options"].get(key)
    if option is None:
        return None
    return {"id": option["id"], "name": option["name"], "color": option["color"]}


def _by_name(prop: Prop, name: str) -> JSON | None:
    wanted = name.casefold()
    options: dict[str, JSON] = prop.config["options"]
    exact = next((option for option in options.values() if option["name"] == name), None)
    return exact or next(
        (option for option in options.values() if option["name"].casefold() == wanted), None
    )


def _content(prop: Prop, value: object, where: str) -> tuple[str, Any]:
    """Return the type a request gives for a value, and what stands under it.

    The bare array of a title (`"title": [...]`) is accepted as the vendor does.
    """
    if isinstance(value, list) and prop.type in ("title", "rich_text"):
        return prop.type, value
    given = require_dict(value, where)
    kind = given.get("type")
    if isinstance(kind, str) and kind in given:
        return kind, given[kind]
    if prop.type in given:
        return prop.type, given[prop.type]
    other = next((key for key in given if key not in ("id", "name", "type")), None)
    if other is None:
        raise bad(f"{where}.{prop.type}", "be defined", MISSING)
    return other, given[other]
