"""Paging of the simple lists: the cursor is the id of the next entry, as in the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncd.sandbox.notion.checks import page_size
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.wire import Request


def cut(
    ids: Sequence[str], size: int, cursor: object, *, part: str
) -> tuple[Sequence[str], str | None]:
    """Return the ids of one page and the cursor of the next."""
    start = 0
    if cursor is not None:
        start = _start(ids, cursor, part)
    following = ids[start + size : start + size + 1]
    return ids[start : start + size], following[0] if following else None


def _start(ids: Sequence[str], cursor: object, part: str) -> int:
    if not isinstance(cursor, str):
        raise bad("start_cursor", "be a string", cursor, part=part)
    if cursor in ids:
        return list(ids).index(cursor)
    identifier = parse_uuid(cursor)
    if identifier is not None and identifier in ids:
        return list(ids).index(identifier)
    raise invalid(f"The start_cursor provided is invalid: {cursor}")


def from_query(request: Request, ids: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """Page by a GET request's page_size and start_cursor."""
    size = page_size(request.one("page_size", None) or MISSING, part="query")
    return cut(ids, size, request.one("start_cursor"), part="query")


def from_body(body: dict[str, Any], ids: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """Page by a POST body's page_size and start_cursor."""
    return cut(
        ids, page_size(body.get("page_size", MISSING)), body.get("start_cursor"), part="body"
    )
