"""The vendor's error answers, raised by handlers and turned into responses in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.sandbox.wire import Response, json_response, parse_json

BAD_PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."
NO_ISSUE = "Issue does not exist or you do not have permission to see it."
NOT_ON_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
NOT_SIGNED_IN = "You are not authenticated. Authentication required to perform this operation."
WRONG_CREDENTIALS = "Client must be authenticated to access this resource."


class ApiError(Exception):
    """An answer that is not a success: status, `errorMessages`, and `errors` by field."""

    def __init__(
        self, status: int, *messages: str, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, messages, errors)
        self.status = status
        self.messages = messages
        self.errors = dict(errors or {})

    def body(self) -> dict[str, object]:
        """Return the vendor's `ErrorCollection`."""
        return {"errorMessages": list(self.messages), "errors": self.errors}

    def response(self) -> Response:
        """Return the answer."""
        return json_response(self.body(), self.status)


class FieldError(Exception):
    """A value that a field does not take; the text is what the vendor puts in `errors`."""


def bad(message: str) -> ApiError:
    """Return a 400 with one general message."""
    return ApiError(400, message)


def bad_field(field: str, message: str) -> ApiError:
    """Return a 400 about one field."""
    return ApiError(400, errors={field: message})


def missing(message: str = NO_ISSUE) -> ApiError:
    """Return a 404."""
    return ApiError(404, message)


def objects(body: Mapping[str, object], name: str) -> list[dict[str, Any]]:
    """Return a list of objects from a body, empty when it is not given; raises 400."""
    rows = body.get(name)
    if rows is None:
        return []
    if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
        raise bad(BAD_PAYLOAD)
    return rows


def scalars(body: Mapping[str, object], name: str) -> list[str | int]:
    """Return a list of strings and numbers from a body, empty when it is not given; raises 400."""
    items = body.get(name)
    if items is None:
        return []
    if not isinstance(items, list) or any(not isinstance(item, str | int) for item in items):
        raise bad(BAD_PAYLOAD)
    return items


def parse_object(body: bytes) -> dict[str, object]:
    """Return a JSON object sent by a client; raises `ApiError` 400 in the vendor's words."""
    try:
        value = parse_json(body)
    except ValueError as error:
        raise bad("There was an error parsing JSON. Check that your request body is valid.") from (
            error
        )
    if not isinstance(value, dict):
        raise bad(BAD_PAYLOAD)
    return value
