"""Refusals in the words the service uses, where a public report or the reference quotes them."""

from __future__ import annotations

from typing import Any

import orjson

from syncd.sandbox.wire import Response

HELP = (
    "For more information on API status codes and how to handle them, read the docs on errors: "
    "https://developers.asana.com/docs/errors"
)
CONTENT_TYPE = {"content-type": "application/json; charset=UTF-8"}


class ApiError(Exception):
    """An answer with a status of 400 or more; `extra` goes beside `errors` in the body."""

    def __init__(self, status: int, message: str, **extra: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(message)
        self.status = status
        self.message = message
        self.extra = extra
        self.headers: dict[str, str] = {}

    def response(self) -> Response:
        """Return the answer as it goes over the wire."""
        body = {"errors": [{"message": self.message, "help": HELP}], **self.extra}
        return Response(self.status, orjson.dumps(body), {**CONTENT_TYPE, **self.headers})


def bad(message: str) -> ApiError:
    """Return a 400."""
    return ApiError(400, message)


def missing(field: str) -> ApiError:
    """Return the 400 for a required field that is not there."""
    return ApiError(400, f"{field}: Missing input")


def unknown(field: str, gid: str, status: int = 404) -> ApiError:
    """Return the answer for a gid that names nothing the caller can find."""
    return ApiError(status, f"{field}: Unknown object: {gid}")


def no_access(kind: str) -> ApiError:
    """Return the 403 for an object the caller may not see."""
    return ApiError(403, f"You do not have access to this {kind}.")


def premium(message: str) -> ApiError:
    """Return the 402 for a paid feature."""
    return ApiError(402, message)
