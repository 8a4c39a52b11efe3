"""How the types of the core are written into the state: canonical JSON, both ways.

Canonical means: keys sorted, no blanks, numbers as floats where a `Value` stands, sets sorted, and
a field that is None by default is left out while it is None. Equal objects give equal bytes, so a
digest of the bytes decides whether something changed. Reading takes defaults for what is missing
and leaves out what is unknown, so a file of a neighbouring version can be read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union

import orjson

from syncd.core.identity import title_key
from syncd.core.model import Cell, Item
from syncd.core.records import Account, Record, Value

__all__ = [
    "cells_json",
    "digest",
    "dumps",
    "from_data",
    "item_json",
    "loads",
    "record_json",
    "scrub",
    "sealed",
    "title_key",
    "to_data",
    "unharmed",
    "value",
]

T = TypeVar("T")
_SEAL = len('{"#":"",') + 32
Decoder = Callable[[Any], Any]


def digest(data: bytes) -> str:
    """Return 32 hexadecimal digits that stand for these bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def dumps(data: object) -> bytes:
    """Return canonical JSON of JSON-able data; lone surrogates, which UTF-8 lacks, are replaced."""
    try:
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return orjson.dumps(_scrubbed(to_data(data)), option=orjson.OPT_SORT_KEYS)


def sealed(payload: bytes, *columns: object) -> str:
    """Return a JSON object with a digest first in it, under "#", over the rest and other columns.

    A bit that flips in the file is found by it (`state.backup.verify`). Readers leave it out.
    """
    if payload == b"{}":
        return "{}"
    seal = digest(repr(columns).encode() + payload)
    return f'{{"#":"{seal}",{payload[1:].decode()}'


def unharmed(text: str, *columns: object) -> bool:
    """Tell whether a text is what `sealed` gave for these columns."""
    return text == sealed(b"{" + text[_SEAL:].encode(), *columns) or text == "{}"


def loads(text: str | bytes) -> Any:  # noqa: ANN401 - JSON can be anything
    """Return the data of a JSON text; ValueError when it is none."""
    return orjson.loads(text)


def scrub(text: str) -> str:
    """Return the text as UTF-8 can hold it: surrogate pairs joined, lone surrogates replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _scrubbed(data: object) -> object:
    if isinstance(data, str):
        return scrub(data)
    if isinstance(data, dict):
        return {scrub(key): _scrubbed(entry) for key, entry in data.items()}
    if isinstance(data, list):
        return [_scrubbed(entry) for entry in data]
    return data


def value(given: Value) -> object:
    """Return the canonical JSON form of a value. ValueError for NaN and infinity."""
    if given is None or isinstance(given, str | bool):
        return given
    if isinstance(given, tuple):
        return list(given)
    if not math.isfinite(given):
        raise ValueError(f"{given} is not a number a field can hold")
    return float(given) + 0.0  # 3 and 3.0 are the same, and so are 0.0 and -0.0


def _values(fields: Mapping[str, Value]) -> dict[str, object]:
    return {
        name: given if given is None or given.__class__ is str else value(given)
        for name, given in fields.items()
    }


def record_json(record: Record) -> bytes:
    """Return a record as canonical JSON, without author and marker, which a read may not tell.

    Written out by hand: this runs for every record read.
    """
    return dumps(
        {
            "connection": record.connection,
            "container": record.container,
            "created": record.created,
            "fields": _values(record.fields),
            "id": record.id,
            "key": record.key,
            "kind": record.kind,
            "opaque": sorted(record.opaque),
            "parent_key": record.parent_key,
            "scope": record.scope,
            "trashed": record.trashed,
            "updated": record.updated,
            "url": record.url,
        }
    )


def cells_json(cells: Mapping[str, Cell]) -> bytes:
    """Return cells by field as canonical JSON."""
    return dumps({name: _cell_data(cell) for name, cell in cells.items()})


def _cell_data(cell: Cell) -> dict[str, object]:
    data: dict[str, object] = {"base": value(cell.base), "has_sent": cell.has_sent}
    if cell.sent is not None:
        data["sent"] = value(cell.sent)
    if cell.refused is not None:
        data["refused"] = cell.refused
    if cell.away:
        data["away"] = True
    if cell.logged:
        data["logged"] = cell.logged
    return data


def item_json(item: Item) -> bytes:
    """Return what has no column of its own: fields, provenance and aggregate."""
    return dumps(
        {
            "aggregate": to_data(item.aggregate),
            "fields": _values(item.fields),
            "provenance": to_data(item.provenance),
        }
    )


def to_data(given: object) -> object:
    """Return JSON-able data of any of the core's dataclasses, or of mappings and sequences of them.

    E-mail addresses of accounts are left out: the state never holds them.
    """
    if isinstance(given, Enum):
        return given.value
    if given is None or isinstance(given, str | int | float):
        return given
    if isinstance(given, Mapping):
        return {str(to_data(name)): to_data(entry) for name, entry in given.items()}
    if isinstance(given, frozenset | set):
        return sorted((to_data(entry) for entry in given), key=repr)
    if isinstance(given, tuple | list):
        return [to_data(entry) for entry in given]
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        return _fields_data(given)
    raise TypeError(f"a {type(given).__name__} cannot be written into the state")


def _fields_data(given: Any) -> dict[str, object]:  # noqa: ANN401 - any dataclass
    data = {}
    kind: Any = type(given)
    for name, optional in _stored_fields(kind):
        entry = getattr(given, name)
        if entry is not None or not optional:
            data[name] = to_data(entry)
    return data


@cache
def _stored_fields(kind: type[Any]) -> tuple[tuple[str, bool], ...]:
    """Return (name, may be left out while None) of the fields that are written."""
    return tuple(
        (field.name, field.default is None)
        for field in dataclasses.fields(kind)
        if field.compare and not (kind is Account and field.name == "email")
    )


def from_data(kind: type[T], data: object) -> T:
    """Return the dataclass that `to_data` gave this data for, or TypeError or ValueError."""
    wanted: Any = kind
    decoded: T = _decoder(wanted)(data)
    return decoded


def _same(data: Any) -> Any:  # noqa: ANN401 - a decoder
    return data


def _value_of(data: Any) -> Any:  # noqa: ANN401 - a decoder
    if data.__class__ is list:
        return tuple(data)
    return float(data) if data.__class__ is int else data


@cache
def _decoder(kind: Any) -> Decoder:  # noqa: ANN401 - a type expression
    """Compile the function that turns JSON data into this type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return _union_decoder(arguments)
    if origin is tuple:
        return _tuple_decoder(arguments)
    if origin is frozenset:
        return frozenset
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_decoder(arguments)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _same


def _union_decoder(arguments: tuple[Any, ...]) -> Decoder:
    kinds = [argument for argument in arguments if argument is not types.NoneType]
    if len(kinds) > 1:  # the only such union of the core is Value
        return _value_of
    inner = _decoder(kinds[0])
    return _same if inner is _same else lambda data: None if data is None else inner(data)


def _tuple_decoder(arguments: tuple[Any, ...]) -> Decoder:
    if arguments[-1] is Ellipsis:
        inner = _decoder(arguments[0])
        return tuple if inner is _same else lambda data: tuple(map(inner, data))
    inners = tuple(map(_decoder, arguments))
    return lambda data: tuple(inner(entry) for inner, entry in zip(inners, data, strict=True))


def _mapping_decoder(arguments: tuple[Any, ...]) -> Decoder:
    inner = _decoder(arguments[1])
    if inner is _same:
        return _same
    return lambda data: {name: inner(entry) for name, entry in data.items()}


def _dataclass_decoder(kind: Any) -> Decoder:  # noqa: ANN401 - a dataclass
    hints = typing.get_type_hints(kind)
    inners = {name: _decoder(hints[name]) for name, _ in _stored_fields(kind)}
    plain = frozenset(name for name, inner in inners.items() if inner is _same)

    def decode(data: dict[str, Any]) -> Any:  # noqa: ANN401 - a decoder
        return kind(
            **{
                name: entry if name in plain else inners[name](entry)
                for name, entry in data.items()
                if name in inners
            }
        )

    return decode
