"""The documents of the state: what each is called, what form it has, and whether data has that form.

What is read from the file may be damaged, or written by somebody else; what reads a document relies on
its form, so the store compares both whenever one is read or saved. A form that changes needs a new
schema (`state.tables.SCHEMA`) with a migration that brings older documents into it: an older syncd then
refuses the file by its number, and `tests/unit/test_state_documents.py` holds that nobody forgets.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypedDict

from syncd.core.guard import Approval, Held
from syncd.core.people import Person
from syncd.core.records import Schema
from syncd.core.undo import Pin


class Page(TypedDict):
    """A generated page as we left it; a block is (key, kind, block id, signature)."""

    page: str | None
    blocks: list[tuple[str, str, str, str]]
    busy: bool
    day: str
    as_of: float
    lost: list[str]


class Waiting(TypedDict):
    """What the guard holds back now, and what it held back before."""

    now: list[Held]
    past: list[Held]


class Reviewed(TypedDict):
    """A plan that a person was shown: change -> (digest of its values, title)."""

    checksum: str
    changes: Mapping[str, tuple[str, str]]


class Short(TypedDict, total=False):
    """A list that is not believed, or the length at which a person has said that it is right."""

    accepted: int
    held: Held


class Restored(TypedDict):
    """The epoch that began when an older state was put back."""

    epoch: str


class Refused(TypedDict):
    """A creation that a tool has refused: digest of what was asked for, and its answer."""

    values: str
    sentence: str


class Mapped(TypedDict, total=False):
    """Which mapping was bound last, to what, and when the services were asked what they offer.

    `remotes` has the remote field of each field, by "level connection".
    """

    checksum: str
    surveyed_at: float
    bound: str
    remotes: Mapping[str, Mapping[str, str]]


class People(TypedDict):
    """Who is who; the accounts that could be several persons."""

    persons: list[Person]
    ambiguous: list[str]


@dataclass(frozen=True, slots=True)
class HotItem:
    """An item of which cells wait, for a person has just edited its record; `until` in epoch seconds."""

    item: str
    title: str
    connection: str
    key: str
    fields: tuple[str, ...]
    by: str  # the person's account in that tool
    until: float


FORMS: Mapping[str, Any] = {
    "adoption": Mapping[str, int] | None,
    "adoption:rejected": list[tuple[str, str]],
    "approvals": list[Approval],
    "audited": str,
    "gone:": list[str],
    "held": Waiting,
    "hot": list[HotItem],
    "looked-again": Mapping[str, float],
    "mapping": Mapped,
    "page:": Page | None,
    "pages-pending": bool,
    "people": People,
    "pins": list[tuple[str, str, str, Pin]],
    "refused:": Refused | None,
    "restored": Restored | None,
    "resurvey": bool,
    "reviewed": Reviewed,
    "schemas": Mapping[str, Schema],
    "short:": Short | None,
    "today": str,
    "unmatched": bool,
}
"""The form of each document, by its name, or by the part up to the colon."""


def form_of(name: str) -> Any:  # noqa: ANN401 - a type expression
    """Return the form of a document, None when it has none."""
    return FORMS.get(name) or FORMS.get(f"{name.partition(':')[0]}:")


def fault(form: Any, data: object, where: str = "") -> str | None:  # noqa: ANN401 - a type expression
    """Return what keeps JSON data from having a form, as a clause that says where; None when it has it."""
    check, of = _check(form)
    return check(of, data, where)


@cache
def _check(form: Any) -> tuple[Callable[[Any, object, str], str | None], Any]:  # noqa: ANN401 - likewise
    """Return the function that compares data with a form, and what it has to know of the form."""
    origin, parts = typing.get_origin(form), typing.get_args(form)
    if origin in (typing.Union, UnionType):
        return _of_several, parts
    if origin is tuple and parts[-1] is not Ellipsis:
        return _of_row, parts
    if origin in (list, tuple):
        return _of_list, parts[0]
    if origin is not None and issubclass(origin, Mapping):
        return _of_map, parts[1]
    if typing.is_typeddict(form) or is_dataclass(form):
        return _of_object, form
    return _of_plain, form


def _of_plain(form: Any, data: object, where: str) -> str | None:  # noqa: ANN401 - a type expression
    return (
        None
        if data.__class__ is form or _plain(form, data)
        else _wrong(describe(form), data, where)
    )


def _plain(form: Any, data: object) -> bool:  # noqa: ANN401 - a type expression
    if issubclass(form, Enum):
        return data in [each.value for each in form]  # a list: what is no word may not be hashable
    if form is float:
        return isinstance(data, float | int) and not isinstance(data, bool)
    if form is int:
        return isinstance(data, int) and not isinstance(data, bool)
    return isinstance(data, form)


def _wrong(wanted: str, data: object, where: str) -> str:
    found = {dict: "an object", list: "a list", NoneType: "nothing"}.get(
        type(data), repr(data)[:40]
    )
    return f"{where or 'the whole'} is {found} where {wanted} belongs"


def _of_several(forms: tuple[Any, ...], data: object, where: str) -> str | None:
    found = [
        fault(form, data, where) for form in forms if not (form is NoneType and data is not None)
    ]
    return None if None in found else found[0]


def _of_row(forms: tuple[Any, ...], data: object, where: str) -> str | None:
    if not isinstance(data, list) or len(data) != len(forms):
        return _wrong(f"a list of {len(forms)}", data, where)
    for number, (form, each) in enumerate(zip(forms, data, strict=True)):
        if fault(form, each) is not None:
            return fault(form, each, f"{where}[{number}]")
    return None


def _of_list(form: Any, data: object, where: str) -> str | None:  # noqa: ANN401 - a type expression
    if not isinstance(data, list):
        return _wrong("a list", data, where)
    for number, each in enumerate(data):
        if fault(form, each) is not None:  # the place is put into words only where it is needed
            return fault(form, each, f"{where}[{number}]")
    return None


def _of_map(form: Any, data: object, where: str) -> str | None:  # noqa: ANN401 - a type expression
    if not isinstance(data, dict):
        return _wrong("an object", data, where)
    return next(filter(None, (fault(form, x, f"{where}.{name}") for name, x in data.items())), None)


def _of_object(form: Any, data: object, where: str) -> str | None:  # noqa: ANN401 - a type expression
    if not isinstance(data, dict):
        return _wrong("an object", data, where)
    hints, required = _members(form)
    unknown, missing = sorted(data.keys() - hints.keys()), sorted(required - data.keys())
    if unknown or missing:
        what = f"unknown {unknown[0]!r}" if unknown else f"no {missing[0]!r}"
        return f"{where or 'the whole'} has {what}"
    return next(filter(None, (fault(hints[n], x, f"{where}.{n}") for n, x in data.items())), None)


@cache
def _members(form: Any) -> tuple[Mapping[str, Any], frozenset[str]]:  # noqa: ANN401 - a type expression
    """Return the types of an object's members, and which must be there: not what is None by default."""
    hints = typing.get_type_hints(form)
    if is_dataclass(form):
        required = frozenset(field.name for field in fields(form) if field.default is not None)
        return {field.name: hints[field.name] for field in fields(form)}, required
    return hints, form.__required_keys__


def describe(form: Any) -> str:  # noqa: ANN401 - a type expression
    """Return a form in full, as text: the same text, the same form."""
    origin, parts = typing.get_origin(form), typing.get_args(form)
    if origin in (typing.Union, UnionType):
        return " or ".join(map(describe, parts))
    if origin is tuple and parts[-1] is not Ellipsis:
        return f"[{', '.join(map(describe, parts))}]"
    if origin is not None:
        kind = "list" if origin in (list, tuple) else "map"
        return f"{kind} of ({describe(parts[0] if kind == 'list' else parts[1])})"
    if typing.is_typeddict(form) or is_dataclass(form):
        hints, required = _members(form)
        each = (f"{n}{'' if n in required else '?'}: {describe(hints[n])}" for n in sorted(hints))
        return f"{{{', '.join(each)}}}"
    if issubclass(form, Enum):
        return " or ".join(repr(each.value) for each in form)
    return {NoneType: "nothing", bool: "true or false", str: "a text"}.get(form, "a number")
