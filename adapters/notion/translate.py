"""Notion's JSON and neutral values, in both directions. Pure.

Definitions: developers.notion.com/reference/property-value-object and /property-object, API version
2026-03-11. A field's content is *opaque* when writing the neutral value back would lose something:
times and ends of dates, a relation to several pages, mentions, groups of people.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from adapters.notion import Json
from adapters.notion.blocks import (
    MAX_RUN,
    MAX_RUNS,
    TooLongError,
    is_opaque,
    plain_runs,
    plain_text,
    property_markdown,
    property_runs,
)
from syncd.core.records import (
    NEW_OPTION,
    Account,
    Container,
    FieldKind,
    Option,
    Record,
    RemoteField,
    Scope,
    Value,
    neutral_set,
)

_CUT_AT = 25  # Notion shows at most this many people of a property
_MAX_ITEMS = 100  # entries of a list in one request
_MAX_ADDRESS = 200  # characters of an e-mail address or telephone number
_DATE = 10  # characters of YYYY-MM-DD
_CATEGORIES = ("new", "active", "done")  # Notion's three groups of statuses, in their order


class UnwritableError(ValueError):
    """A value that Notion cannot hold; the text says why and what to do."""


# schema -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a data source, as far as writing needs it."""

    id: str
    name: str
    type: str


def properties_of(source: Json) -> dict[str, Property]:
    """Return the properties of a data source by their ids."""
    found = (
        Property(str(held.get("id")), str(held.get("name") or name), str(held.get("type")))
        for name, held in (source.get("properties") or {}).items()
    )
    return {held.id: held for held in found}


_KINDS: dict[str, tuple[FieldKind, bool, int | None]] = {
    "title": (FieldKind.TITLE, True, MAX_RUN * MAX_RUNS),
    "rich_text": (FieldKind.RICH_TEXT, True, MAX_RUN * MAX_RUNS),
    "number": (FieldKind.NUMBER, True, None),
    "select": (FieldKind.SELECT, True, None),
    "multi_select": (FieldKind.MULTI_SELECT, True, None),
    "status": (FieldKind.STATUS, True, None),
    "date": (FieldKind.DATE, True, None),
    "people": (FieldKind.PEOPLE, True, None),
    "checkbox": (FieldKind.CHECKBOX, True, None),
    "url": (FieldKind.URL, True, MAX_RUN),
    "email": (FieldKind.TEXT, True, _MAX_ADDRESS),
    "phone_number": (FieldKind.TEXT, True, _MAX_ADDRESS),
    "relation": (FieldKind.PARENT, True, None),
    "created_by": (FieldKind.PERSON, False, None),
    "last_edited_by": (FieldKind.PERSON, False, None),
    "created_time": (FieldKind.DATE, False, None),
    "last_edited_time": (FieldKind.DATE, False, None),
    "unique_id": (FieldKind.TEXT, False, None),
}
"""Property type -> kind, writable, most characters. Every other type is OTHER."""


def fields_of(source: Json) -> tuple[RemoteField, ...]:
    """Return the fields of a data source, by name."""
    container = str(source["id"])
    held = sorted((source.get("properties") or {}).items())
    return tuple(_field(name, definition, container) for name, definition in held)


def _field(name: str, definition: Json, container: str) -> RemoteField:
    type_ = str(definition.get("type"))
    kind, writable, longest = _KINDS.get(type_, (FieldKind.OTHER, False, None))
    details = definition.get(type_) or {}
    return RemoteField(
        id=str(definition["id"]),
        name=str(definition.get("name") or name),
        kind=kind,
        options=_options(details),
        writable=writable,
        can_add_options=type_ in {"select", "multi_select"},
        max_length=longest,
        target=details.get("data_source_id") if type_ == "relation" else None,
        containers=(container,),
    )


def _options(details: Json) -> tuple[Option, ...]:
    groups = details.get("groups") or []
    category = {
        str(option): _CATEGORIES[min(place, 2)]
        for place, group in enumerate(groups)
        for option in group.get("option_ids") or []
    }
    return tuple(
        Option(str(option["id"]), str(option["name"]), category.get(str(option["id"])))
        for option in details.get("options") or []
    )


def container_of(source: Json, name: str, key: str | None = None) -> Container:
    """Return a data source as a container."""
    return Container(str(source["id"]), name, key, url=source.get("url"))


def title_of(thing: Json) -> str:
    """Return the title of a data source or database."""
    return plain_text(thing.get("title") or []).strip()


def page_title(page: Json) -> str:
    """Return the title of a page."""
    held = (page.get("properties") or {}).values()
    return next((plain_text(p.get("title") or []) for p in held if p.get("type") == "title"), "")


def account_of(user: Json) -> Account:
    """Return a person or bot."""
    bot = user.get("type") == "bot"
    email = (user.get("person") or {}).get("email")
    return Account(str(user["id"]), str(user.get("name") or user["id"]), email, bot=bot)


def id_in(text: str) -> str | None:
    """Return the Notion id in an id or URL as people copy it, in the form Notion answers with."""
    path = urlsplit(text.strip()).path if "://" in text else text.strip()
    match = re.search(r"(?:\A|[/-])([0-9a-f]{32})/?\Z", path.lower()) or re.search(
        r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?\Z", path.lower()
    )
    return str(UUID(match[1])) if match else None


# reading ----------------------------------------------------------------------------------------


def record_of(page: Json, scope: Scope, kinds: Mapping[str, FieldKind] | None = None) -> Record:
    """Return a page as a record with the scope's fields. Raises KeyError when it is no page.

    `kinds` are those that the mapping was bound to, by property id, as far as they are known. A property
    that is of another kind by now is not shown: changing its type has emptied or rewritten it, and
    nobody meant that as an edit.
    """
    bound = kinds or {}
    wanted = set(scope.fields)
    held = {str(p.get("id")): p for p in (page.get("properties") or {}).values()}
    read = {
        key: value_of(held[key])
        for key in scope.fields
        if key in held and _fits(held[key], bound.get(key))
    }
    identity = str(page["id"])
    return Record(
        connection=scope.connection,
        scope=scope.id,
        id=identity,
        container=container_id(page) or "",  # below a page or in the workspace it is in no database
        kind=None,
        key=identity.replace("-", ""),
        url=str(page.get("url") or ""),
        updated=str(page["last_edited_time"]),
        fields={key: value for key, (value, _) in read.items()},
        created=str(page.get("created_time") or ""),
        author=(page.get("last_edited_by") or {}).get("id"),
        opaque=frozenset(key for key, (_, opaque) in read.items() if opaque and key in wanted),
        marker=_marker(held.get(scope.marker) if scope.marker else None),
        trashed=bool(page.get("in_trash") or page.get("archived")),
    )


def container_id(page: Json) -> str | None:
    """Return the id of the data source a page stands in."""
    found = (page.get("parent") or {}).get("data_source_id")
    return str(found) if found else None


def _fits(held: Json, bound: FieldKind | None) -> bool:
    kind = _KINDS.get(str(held.get("type")), (FieldKind.OTHER,))[0]
    return kind is not FieldKind.OTHER and bound in (None, kind)


def _marker(held: Json | None) -> str | None:
    return plain_text((held or {}).get("rich_text") or []).strip() or None


def value_of(held: Json) -> tuple[Value, bool]:
    """Return the neutral value of a property and whether it is opaque."""
    type_ = str(held.get("type"))
    content = held.get(type_)
    match type_:
        case "title":
            return _text(plain_text(content or [])), _has_mentions(content or [])
        case "rich_text":
            return property_markdown(content or []) or None, is_opaque(content or [])
        case "date":
            return _date(content)
        case "people":
            return _people(content or [])
        case "relation":
            return _relation(content or [], cut=bool(held.get("has_more")))
        case _:
            return _READERS[type_](content), False


def _text(text: object) -> str | None:
    return str(text or "").strip("\r\n") or None


def _has_mentions(runs: Iterable[Json]) -> bool:
    return any(run.get("type") != "text" for run in runs)


def _date(content: Json | None) -> tuple[Value, bool]:
    if not content or not content.get("start"):
        return None, False
    start = str(content["start"])
    return start[:_DATE], len(start) > _DATE or bool(content.get("end"))


def _people(content: list[Json]) -> tuple[Value, bool]:
    groups = any(person.get("object") == "group" for person in content)
    persons = (str(person["id"]) for person in content if person.get("object") != "group")
    return neutral_set(persons), groups or len(content) >= _CUT_AT


def _relation(content: list[Json], *, cut: bool) -> tuple[Value, bool]:
    first = str(content[0]["id"]) if content else None
    return first, cut or len(content) > 1


def _choice(content: Json | None) -> Value:
    return str(content["id"]) if content else None


def _unique_id(content: Json | None) -> Value:
    if not content or content.get("number") is None:
        return None
    prefix = content.get("prefix")
    return f"{prefix}-{content['number']}" if prefix else str(content["number"])


def _number(content: object) -> Value:
    return float(content) if isinstance(content, int | float) else None


_READERS: dict[str, Callable[[Any], Value]] = {
    "number": _number,
    "select": _choice,
    "status": _choice,
    "multi_select": lambda content: neutral_set(str(option["id"]) for option in content or []),
    "checkbox": bool,
    "url": _text,
    "email": _text,
    "phone_number": _text,
    "created_by": _choice,
    "last_edited_by": _choice,
    "created_time": lambda content: str(content)[:_DATE] if content else None,
    "last_edited_time": lambda content: str(content)[:_DATE] if content else None,
    "unique_id": _unique_id,
}


# writing ----------------------------------------------------------------------------------------


def property_for(type_: str, value: Value) -> Json:
    """Return the property with a neutral value, as requests take it. Raises UnwritableError."""
    writer = _WRITERS.get(type_)
    if writer is None:
        raise UnwritableError(f"is of type {type_}, which cannot be written: choose another one")
    try:
        return {type_: writer(value)}
    except TooLongError as error:
        raise UnwritableError(f"{error}: shorten the text or simplify its formatting") from None


def _write_number(value: Value) -> int | float | None:
    if value is None:
        return None
    number = float(value) if isinstance(value, int | float) else math.nan
    if not math.isfinite(number):
        raise UnwritableError("takes only numbers: correct the mapping")
    return int(number) if number.is_integer() else number


def _write_choice(value: Value) -> Json | None:
    return None if value is None else _option(str(value))


def _option(value: str) -> Json:
    if not value.startswith(NEW_OPTION):
        return {"id": value}
    name = value.removeprefix(NEW_OPTION)
    if "," in name or not name.strip() or len(name) > 100:  # noqa: PLR2004 - Notion's limit
        raise UnwritableError(
            f'cannot have the option "{name}": Notion takes 1 to 100 characters without a comma'
        )
    return {"name": name}


def _several(value: Value) -> tuple[str, ...]:
    entries = value if isinstance(value, tuple) else () if value is None else (str(value),)
    if len(entries) > _MAX_ITEMS:
        raise UnwritableError(f"takes at most {_MAX_ITEMS} entries: take some out")
    return entries


def _write_address(longest: int) -> Callable[[Value], str | None]:
    def write(value: Value) -> str | None:
        if value is not None and len(str(value)) > longest:
            raise UnwritableError(f"takes at most {longest} characters: shorten it")
        return None if value is None else str(value)

    return write


def _runs(value: Value) -> list[Json]:
    return plain_runs("" if value is None else str(value))


_WRITERS: Mapping[str, Callable[[Value], Any]] = {
    "title": _runs,
    "rich_text": lambda value: property_runs("" if value is None else str(value)),
    "number": _write_number,
    "select": _write_choice,
    "status": _write_choice,
    "multi_select": lambda value: [_option(entry) for entry in _several(value)],
    "date": lambda value: None if value is None else {"start": str(value)},
    "people": lambda value: [{"object": "user", "id": entry} for entry in _several(value)],
    "checkbox": bool,
    "url": _write_address(MAX_RUN),
    "email": _write_address(_MAX_ADDRESS),
    "phone_number": _write_address(_MAX_ADDRESS),
    "relation": lambda value: [{"id": entry} for entry in _several(value)],
}


def marker_property(marker: str) -> Json:
    """Return the property that carries our marker."""
    return {"rich_text": plain_runs(marker)}


def stored_text(kind: str, text: str) -> str:
    """Return what Notion gives back after storing a text in a field of this kind."""
    if kind == FieldKind.RICH_TEXT:
        return property_markdown(property_runs(text))
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
