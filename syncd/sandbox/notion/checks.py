"""Checks of request values, with the sentences Notion answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from syncd.sandbox.notion.errors import MISSING, bad
from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.wire import whole

TEXT_LIMIT = 2000
URL_LIMIT = 2000
EXPRESSION_LIMIT = 1000
SHORT_LIMIT = 200  # e-mail and phone number
ARRAY_LIMIT = 100
PAGE_SIZE = 100


def require_dict(value: object, where: str) -> dict[str, Any]:
    """Return the value, which must be an object."""
    if value is MISSING:
        raise bad(where, "be defined", value)
    if not isinstance(value, dict):
        raise bad(where, "be an object", value)
    return value


def field(body: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON is any
    """Return a value of an object, or MISSING."""
    return body.get(name, MISSING)


def require_list(value: object, where: str, limit: int = ARRAY_LIMIT) -> list[Any]:
    """Return the value, which must be an array no longer than the limit."""
    if value is MISSING:
        raise bad(where, "be defined", value)
    if not isinstance(value, list):
        raise bad(where, "be an array", value)
    if len(value) > limit:
        raise bad(f"{where}.length", f"be ≤ `{limit}`", len(value))
    return value


def require_text(value: object, where: str, limit: int | None = None) -> str:
    """Return the value, which must be a string no longer than the limit."""
    if value is MISSING:
        raise bad(where, "be defined", value)
    if not isinstance(value, str):
        raise bad(where, "be a string", value)
    if limit is not None and len(value) > limit:
        raise bad(f"{where}.length", f"be ≤ `{limit}`", len(value))
    return value


def require_bool(value: object, where: str) -> bool:
    """Return the value, which must be a boolean."""
    if not isinstance(value, bool):
        raise bad(where, "be a boolean", value)
    return value


def require_uuid(value: object, where: str, *, part: str = "body") -> str:
    """Return an id in dashed form."""
    if value is MISSING:
        raise bad(where, "be defined", value, part=part)
    found = parse_uuid(value)
    if found is None:
        raise bad(where, "be a valid uuid", value, part=part)
    return found


def require_choice(value: object, where: str, choices: Collection[str]) -> str:
    """Return the value, which must be one of the choices."""
    if isinstance(value, str) and value in choices:
        return value
    if value is MISSING:
        raise bad(where, "be defined", value)
    raise bad(where, f"be {either(choices)}", value)


def either(choices: Collection[str]) -> str:
    """Return choices as the vendor lists them: "a", "b", or "c"."""
    quoted = [f'`"{choice}"`' for choice in choices]
    if len(quoted) == 1:
        return quoted[0]
    comma = "," if len(quoted) > 2 else ""  # noqa: PLR2004 - grammar
    return f"{', '.join(quoted[:-1])}{comma} or {quoted[-1]}"


def only(body: Mapping[str, Any], allowed: Collection[str], where: str = "") -> None:
    """Refuse keys the vendor does not know here."""
    for name, value in body.items():
        if name not in allowed:
            raise bad(f"{where}.{name}" if where else name, "be not present", value)


def page_size(value: object, *, part: str = "body") -> int:
    """Return the page size, 100 when not given."""
    if value is MISSING or value is None:
        return PAGE_SIZE
    if isinstance(value, str) and part == "query" and whole(value.removeprefix("-")) is not None:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad("page_size", "be a number", value, part=part)
    if value > PAGE_SIZE:
        raise bad("page_size", f"be ≤ `{PAGE_SIZE}`", value, part=part)
    if value < 1:
        raise bad("page_size", "be > `0`", value, part=part)
    return int(value)
