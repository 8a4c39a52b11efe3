"""Columns of a data source: created, changed, renamed, removed, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from syncd.sandbox.notion.checks import (
    ARRAY_LIMIT,
    require_choice,
    require_dict,
    require_list,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, NotionError, bad, invalid
from syncd.sandbox.notion.ids import Ids, decode_property, encode_property
from syncd.sandbox.notion.richtext import PLAIN_COLORS
from syncd.sandbox.notion.store import DataSource, Prop, Store

JSON = dict[str, Any]
TYPES = (
    "title", "rich_text", "number", "select", "multi_select", "status", "date", "people", "files",
    "checkbox", "url", "email", "phone_number", "formula", "relation", "rollup", "created_time",
    "created_by", "last_edited_time", "last_edited_by", "unique_id", "button", "location", "place",
    "verification", "last_visited_time",
)  # fmt: skip
COLORS = ("default", *PLAIN_COLORS)
READ_ONLY = frozenset(
    {
        "formula", "rollup", "created_time", "created_by", "last_edited_time", "last_edited_by",
        "unique_id", "button", "location", "last_visited_time",
    }
)  # fmt: skip
NUMBER_FORMATS = (
    "number", "number_with_commas", "percent", "dollar", "australian_dollar", "canadian_dollar",
    "singapore_dollar", "euro", "pound", "yen", "ruble", "rupee", "won", "yuan", "real", "lira",
    "rupiah", "franc", "hong_kong_dollar", "new_zealand_dollar", "krona", "norwegian_krone",
    "mexican_peso", "rand", "new_taiwan_dollar", "danish_krone", "zloty", "baht", "forint",
    "koruna", "shekel", "chilean_peso", "philippine_peso", "dirham", "colombian_peso", "riyal",
    "ringgit", "leu", "argentine_peso", "uruguayan_peso", "peruvian_sol",
)  # fmt: skip
ROLLUP_FUNCTIONS = (
    "count", "count_values", "empty", "not_empty", "unique", "show_unique", "percent_empty",
    "percent_not_empty", "sum", "average", "median", "min", "max", "range", "earliest_date",
    "latest_date", "date_range", "checked", "unchecked", "percent_checked", "percent_unchecked",
    "count_per_group", "percent_per_group", "show_original",
)  # fmt: skip
LATE = {"rollup": 1, "formula": 2}  # columns that are made after those they refer to
STATUS_GROUPS = (
    ("To-do", "gray", ("Not started", "default")),
    ("In progress", "blue", ("In progress", "blue")),
    ("Complete", "green", ("Done", "green")),
)


def find(source: DataSource, name: str) -> Prop | None:
    """Return a column by name, id, or percent-encoded id."""
    prop = next((prop for prop in source.properties.values() if prop.name == name), None)
    return prop or source.properties.get(name) or source.properties.get(decode_property(name))


def ordered(source: DataSource) -> list[Prop]:
    """Return the columns in the order responses have them: by id, the title last."""
    props = source.properties
    return [props[key] for key in sorted(props, key=lambda key: (key == "title", key))]


class Schemas:
    """Changes the columns of data sources."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        self.compiled: Callable[[DataSource, str], str] | None = None
        self._makers: dict[str, Callable[[JSON, str, Prop, DataSource], JSON]] = {
            "number": self._number,
            "select": self._options,
            "multi_select": self._options,
            "status": self._status,
            "formula": self._formula,
            "relation": self._relation,
            "rollup": self._rollup,
            "unique_id": self._unique_id,
        }

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Put all columns back as they were if a request is refused half-way."""
        nodes = self._store.nodes.values()
        sources = [node for node in nodes if isinstance(node, DataSource)]
        held = [deepcopy(source.properties) for source in sources]
        try:
            yield
        except NotionError:
            for source, properties in zip(sources, held, strict=True):
                source.properties = properties
            raise

    def create(self, source: DataSource, given: object, where: str) -> None:
        """Fill a new data source with columns; one of them must be the title."""
        wanted = {} if given is MISSING else require_dict(given, where)
        kinds = {
            name: self._kind(require_dict(value, f"{where}.{name}"), f"{where}.{name}")
            for name, value in wanted.items()
        }
        titles = [name for name, kind in kinds.items() if kind == "title"]
        if len(titles) > 1:
            raise invalid("Databases can only have one title property.")
        source.properties["title"] = Prop("title", titles[0] if titles else "Name", "title")
        # Rollups and formulas refer to columns of the same request, so they come last.
        for name in sorted(wanted, key=lambda name: LATE.get(kinds[name], 0)):
            if kinds[name] != "title":
                self._add(source, name, kinds[name], wanted[name], f"{where}.{name}")

    def update(self, source: DataSource, given: object, where: str) -> None:
        """Change, add (unknown name), rename or remove (null) columns."""
        wanted = require_dict(given, where)
        for name in sorted(wanted, key=lambda name: _lateness(wanted[name])):
            value, prop = wanted[name], find(source, name)
            spot = f"{where}.{name}"
            if value is None:
                self._remove(source, prop, name)
            elif prop is None:
                body = require_dict(value, spot)
                self._add(source, name, self._kind(body, spot), body, spot)
            else:
                self._change(source, prop, require_dict(value, spot), spot)

    def _kind(self, given: JSON, where: str) -> str:
        kind = given.get("type") or next((name for name in TYPES if name in given), MISSING)
        return require_choice(kind, f"{where}.type", TYPES)

    def _add(self, source: DataSource, name: str, kind: str, given: JSON, where: str) -> None:
        if kind == "title":
            raise invalid("Databases can only have one title property.")
        if any(prop.name == name for prop in source.properties.values()):
            raise invalid(f"Property with name {name} already exists.")
        prop = Prop(self._ids.property_id(source.properties), name, kind)
        prop.description = given.get("description")
        source.properties[prop.id] = prop
        try:
            self._configure(source, prop, given.get(kind), f"{where}.{kind}")
        except NotionError:
            del source.properties[prop.id]
            raise

    def _configure(self, source: DataSource, prop: Prop, given: object, where: str) -> None:
        body = {} if given is None else require_dict(given, where)
        maker = self._makers.get(prop.type)
        prop.config = maker(body, where, prop, source) if maker else {}

    def _change(self, source: DataSource, prop: Prop, given: JSON, where: str) -> None:
        if given.get("name") is not None:
            self._rename(source, prop, require_text(given["name"], f"{where}.name"))
        if "description" in given:
            prop.description = given["description"]
        kind = given.get("type") or next((name for name in TYPES if name in given), None)
        if kind is None:
            return
        require_choice(kind, f"{where}.type", TYPES)
        if kind != prop.type:
            self._retype(source, prop, kind)
        if kind in given or kind not in ("select", "multi_select", "status"):
            self._configure(source, prop, given.get(kind), f"{where}.{kind}")

    def _rename(self, source: DataSource, prop: Prop, name: str) -> None:
        if any(other.name == name and other is not prop for other in source.properties.values()):
            raise invalid(f"Property with name {name} already exists.")
        prop.name = name

    def _retype(self, source: DataSource, prop: Prop, kind: str) -> None:
        if "title" in (prop.type, kind):
            raise invalid(f"Cannot change the type of property {prop.name} to {kind}.")
        self._unlink(prop)
        prop.type, prop.config = kind, {}
        for rows in (source.live, source.archived, source.trashed):
            for identifier in rows.by_id:
                page = self._store.page(identifier)
                if page is not None:
                    page.values.pop(prop.id, None)

    def _remove(self, source: DataSource, prop: Prop | None, name: str) -> None:
        if prop is None:
            raise invalid(f"{name} is not a property that exists.")
        if prop.type == "title":
            raise invalid("Cannot delete the title property of a database.")
        self._unlink(prop)
        source.properties.pop(prop.id, None)

    def _unlink(self, prop: Prop) -> None:
        """Make the other side of a two-way relation stand alone."""
        if prop.type != "relation" or prop.config["type"] != "dual_property":
            return
        other_source = self._store.source(prop.config["data_source_id"])
        if other_source is not None:
            other_source.properties.pop(prop.config["synced"], None)

    def _number(self, given: JSON, where: str, prop: Prop, _source: DataSource) -> JSON:
        kept = prop.config.get("format", "number")
        form = require_choice(given.get("format", kept), f"{where}.format", NUMBER_FORMATS)
        return {"format": form}

    def _options(self, given: JSON, where: str, prop: Prop, _source: DataSource) -> JSON:
        old = prop.config.get("options", {})
        if "options" not in given:
            return {"options": old}
        options: dict[str, JSON] = {}
        for index, item in enumerate(require_list(given["options"], f"{where}.options")):
            spot = f"{where}.options[{index}]"
            option = self._option(require_dict(item, spot), old, spot)
            if any(_same(option["name"], other["name"]) for other in options.values()):
                raise invalid(f"Cannot have duplicate option name: {option['name']}.")
            options[option["id"]] = option
        return {"options": options}

    def _option(self, given: JSON, old: dict[str, JSON], where: str) -> JSON:
        kept = old.get(str(given.get("id", ""))) or next(
            (option for option in old.values() if option["name"] == given.get("name")), None
        )
        name = given.get("name", kept["name"] if kept else MISSING)
        name = option_name(name, f"{where}.name")
        color = given.get("color") or (kept["color"] if kept else self.color())
        return {
            "id": kept["id"] if kept else self._ids.uuid4(),
            "name": name,
            "color": require_choice(color, f"{where}.color", COLORS),
            "description": given.get("description", kept["description"] if kept else None),
        }

    def color(self) -> str:
        """Return a colour for a new option."""
        return self._ids.choice(COLORS)

    def new_option(self, prop: Prop, name: str) -> JSON:
        """Add an option to a select or multi_select column, as writing an unknown name does."""
        if len(prop.config["options"]) >= ARRAY_LIMIT * 100:
            raise invalid(f"Cannot create more options for property {prop.name}.")
        option = {
            "id": self._ids.uuid4(),
            "name": option_name(name, "name"),
            "color": self.color(),
            "description": None,
        }
        prop.config["options"][option["id"]] = option
        return option

    def _status(self, given: JSON, where: str, prop: Prop, source: DataSource) -> JSON:
        if not prop.config:
            config = self._status_defaults()
            if "options" not in given:
                return config
            config["options"] = {}
            for group in config["groups"]:
                group["option_ids"] = []
            prop.config = config
        config = {**prop.config, **self._options(given, where, prop, source)}
        config["groups"] = [
            {
                **group,
                "option_ids": [key for key in group["option_ids"] if key in config["options"]],
            }
            for group in prop.config["groups"]
        ]
        known = {key for group in config["groups"] for key in group["option_ids"]}
        # The API cannot choose a group: new options land in the first one.
        config["groups"][0]["option_ids"] += [key for key in config["options"] if key not in known]
        return config

    def _status_defaults(self) -> JSON:
        options: dict[str, JSON] = {}
        groups = []
        for name, color, (option, option_color) in STATUS_GROUPS:
            identifier = self._ids.uuid4()
            options[identifier] = {
                "id": identifier, "name": option, "color": option_color, "description": None,
            }  # fmt: skip
            groups.append(
                {"id": self._ids.uuid4(), "name": name, "color": color, "option_ids": [identifier]}
            )
        return {"options": options, "groups": groups}

    def _formula(self, given: JSON, where: str, _prop: Prop, source: DataSource) -> JSON:
        if "expression" not in given:  # allowed by the definition; it empties the column
            return {"expression": "", "by_person": False}
        expression = require_text(given["expression"], f"{where}.expression")
        assert self.compiled is not None  # noqa: S101 - set when the sandbox is put together
        return {"expression": self.compiled(source, expression), "by_person": False}

    def _unique_id(self, given: JSON, where: str, prop: Prop, _source: DataSource) -> JSON:
        prefix = given.get("prefix", prop.config.get("prefix"))
        return {"prefix": None if prefix is None else require_text(prefix, f"{where}.prefix")}

    def _relation(self, given: JSON, where: str, prop: Prop, source: DataSource) -> JSON:
        kept = prop.config.get("data_source_id", MISSING)
        target_id = require_uuid(given.get("data_source_id", kept), f"{where}.data_source_id")
        target = self._store.source(target_id)
        if target is None or not self._store.is_shared(target):
            raise NotionError(
                "object_not_found",
                f"Could not find data_source with ID: {target_id}. Make sure the relevant pages "
                "and databases are shared with your integration.",
            )
        kind = given.get("type") or ("dual_property" if "dual_property" in given else None)
        kind = kind or (
            "single_property" if "single_property" in given else prop.config.get("type")
        )
        if kind is None:
            raise invalid(f"{prop.name} is not a valid property schema")
        require_choice(kind, f"{where}.type", ("single_property", "dual_property"))
        config: JSON = {"data_source_id": target_id, "type": kind}
        if kind == "dual_property":
            config["synced"] = self._synced(given, where, prop, (source, target))
        elif prop.config:
            self._unlink(prop)
        return config

    def _synced(
        self, given: JSON, where: str, prop: Prop, ends: tuple[DataSource, DataSource]
    ) -> str:
        """Return the id of the column on the other side, made or renamed as asked."""
        source, target = ends
        wanted = require_dict(given.get("dual_property") or {}, f"{where}.dual_property").get(
            "synced_property_name"
        )
        old = target.properties.get(prop.config.get("synced", ""))
        if old is not None:
            if wanted:
                self._rename(target, old, wanted)
            return old.id
        title = "".join(item["plain_text"] for item in source.title)
        name = _free(target, wanted or f"Related to {title or 'Untitled'} ({prop.name})")
        other = Prop(
            self._ids.property_id([*target.properties, *source.properties]), name, "relation"
        )
        other.config = {"data_source_id": source.id, "type": "dual_property", "synced": prop.id}
        target.properties[other.id] = other
        return other.id

    def _rollup(self, given: JSON, where: str, prop: Prop, source: DataSource) -> JSON:
        kept = prop.config
        function = given.get("function", kept.get("function", "show_original"))
        relation = self._named(source, given, "relation_property", kept.get("relation"), where)
        if relation.type != "relation":
            raise invalid(f"{relation.name} is not a relation property.")
        target = self._store.source(relation.config["data_source_id"])
        assert target is not None  # noqa: S101 - relations point at data sources that exist
        rolled = self._named(target, given, "rollup_property", kept.get("rollup"), where)
        return {
            "relation": relation.id,
            "rollup": rolled.id,
            "function": require_choice(function, f"{where}.function", ROLLUP_FUNCTIONS),
        }

    def _named(
        self, source: DataSource, given: JSON, key: str, kept: str | None, where: str
    ) -> Prop:
        name = given.get(f"{key}_id") or given.get(f"{key}_name") or kept
        if name is None:
            raise bad(f"{where}.{key}_name", "be defined", MISSING)
        prop = find(source, str(name))
        if prop is None:
            raise invalid(f"Could not find property with name or id: {name}")
        return prop

    def show(self, source: DataSource) -> JSON:
        """Return all columns as responses show them."""
        return {prop.name: self._show(source, prop) for prop in ordered(source)}

    def _show(self, source: DataSource, prop: Prop) -> JSON:
        return {
            "id": encode_property(prop.id),
            "name": prop.name,
            "description": prop.description,
            "type": prop.type,
            prop.type: self._config(source, prop),
        }

    def _config(self, source: DataSource, prop: Prop) -> JSON:
        if prop.type in ("select", "multi_select"):
            return {"options": list(prop.config["options"].values())}
        if prop.type == "status":
            return {
                "options": list(prop.config["options"].values()),
                "groups": prop.config["groups"],
            }
        if prop.type == "formula":
            return {"expression": prop.config["expression"]}
        if prop.type == "relation":
            return self._show_relation(prop)
        if prop.type == "rollup":
            return self._show_rollup(source, prop)
        return prop.config

    def _show_relation(self, prop: Prop) -> JSON:
        target = self._store.source(prop.config["data_source_id"])
        assert target is not None  # noqa: S101 - checked when the column was made
        kind = prop.config["type"]
        shown: JSON = {"database_id": target.parent[1], "data_source_id": target.id, "type": kind}
        shown[kind] = {}
        if kind == "dual_property":
            other = target.properties[prop.config["synced"]]
            shown[kind] = {
                "synced_property_name": other.name,
                "synced_property_id": encode_property(other.id),
            }
        return shown

    def _show_rollup(self, source: DataSource, prop: Prop) -> JSON:
        relation = source.properties.get(prop.config["relation"])
        target = self._store.source(relation.config["data_source_id"]) if relation else None
        rolled = target.properties.get(prop.config["rollup"]) if target else None
        return {
            "rollup_property_name": rolled.name if rolled else "",
            "relation_property_name": relation.name if relation else "",
            "rollup_property_id": prop.config["rollup"],
            "relation_property_id": prop.config["relation"],
            "function": prop.config["function"],
        }


def option_name(value: object, where: str) -> str:
    """Return the name of an option; commas are not allowed."""
    name = require_text(value, where, ARRAY_LIMIT)
    if "," in name:
        raise invalid(f"Invalid select option, commas not allowed: {name}")
    if not name.strip():
        raise invalid("Invalid select option, name should not be empty.")
    return name


def _lateness(given: object) -> int:
    """Return how late a column of a request is to be made or changed."""
    return max((LATE.get(key, 0) for key in given), default=0) if isinstance(given, dict) else 0


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _free(source: DataSource, name: str) -> str:
    """Return the name, with a number after it if it is taken."""
    taken = {prop.name for prop in source.properties.values()}
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name} {number}"
    return found
