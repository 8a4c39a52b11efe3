"""Notion's error answers: one exception, raised anywhere, rendered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

STATUS = {
    "invalid_json": 400,
    "invalid_request_url": 400,
    "invalid_request": 400,
    "validation_error": 400,
    "missing_version": 400,
    "unauthorized": 401,
    "restricted_resource": 403,
    "object_not_found": 404,
    "conflict_error": 409,
    "row_limit_exceeded": 409,
    "rate_limited": 429,
    "internal_server_error": 500,
    "service_unavailable": 503,
}


class NotionError(Exception):
    """An error answer: code, sentence and, for some, additional data."""

    def __init__(
        self, code: str, message: str, additional: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.additional = additional

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return STATUS[self.code]

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the JSON body."""
        shown: dict[str, Any] = {
            "object": "error",
            "status": self.status,
            "code": self.code,
            "message": self.message,
        }
        if self.additional:
            shown["additional_data"] = dict(self.additional)
        shown["request_id"] = request_id
        return shown


def invalid(message: str) -> NotionError:
    """Return a validation error with a sentence of its own."""
    return NotionError("validation_error", message)


def fix_one(paths: Sequence[str]) -> NotionError:
    """Return the error for a choice of which none was made."""
    lines = [f"{path} should be defined, instead was `undefined`." for path in paths]
    return invalid("body failed validation. Fix one:\n" + "\n".join(lines))


def shown(value: object) -> str:
    """Return a value as the vendor's sentences quote it, cut where they cut it."""
    if value is MISSING:
        return "`undefined`"
    if isinstance(value, list) and len(value) > 3:  # noqa: PLR2004 - as the vendor shortens
        text = orjson.dumps(value[:1]).decode()[:-1] + ", ...]"
        return f"`{text}`"
    text = orjson.dumps(value).decode()
    return f"`{text[:60]}...`" if len(text) > 64 and isinstance(value, dict) else f"`{text}`"  # noqa: PLR2004


class _Missing:
    """Stands for JavaScript's undefined."""


MISSING = _Missing()


def bad(where: str, should: str, value: object, *, part: str = "body") -> NotionError:
    """Return 'body failed validation: body.x should be ..., instead was `...`.'."""
    path = f"{part}.{where}" if where else part
    return invalid(f"{part} failed validation: {path} should {should}, instead was {shown(value)}.")
