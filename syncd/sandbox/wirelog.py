"""Writes every exchange to a JSON Lines file, without credentials.

A line is `{"request": {"method", "url", "headers", "body"}, "response": {"status", "headers",
"body_text"}}`; a request that got no answer has `"response": {"status": 0, "dropped": true}`.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import orjson

from syncd.sandbox.wire import Request, Response

_SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "set-cookie", "proxy-authorization", "x-hook-secret"}
)
_SECRET_VALUES = re.compile(
    r'("(?:token|access_token|refresh_token|client_secret|secret|password|verification_token'
    r'|X-Hook-Secret)"'
    r'\s*:\s*)"[^"]*"'
)
_SECRET_QUERY = frozenset({"access_token", "token", "client_secret"})
_SECRET_FORM = re.compile(r"(?<![^&])(refresh_token|client_secret|token|code)=[^&]*")
_FORM = "application/x-www-form-urlencoded"


class WireLog:
    """An open log; a context manager."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = self.path.open("ab")

    def write(self, request: Request, response: Response | None) -> None:
        """Add one exchange; `response` is None when the connection was dropped."""
        self._file.write(orjson.dumps(_row(request, response), option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _row(request: Request, response: Response | None) -> dict[str, Any]:
    asked = {
        "method": request.method,
        "url": _url(request),
        "headers": _headers(request.headers),
        "body": _sent(request) if request.body else None,
    }
    if response is None:
        return {"request": asked, "response": {"status": 0, "dropped": True}}
    answer = {
        "status": response.status,
        "headers": _headers(response.headers),
        "body_text": _text(response.body),
    }
    return {"request": asked, "response": answer}


def _sent(request: Request) -> str:
    text = _text(request.body)
    form = request.headers.get("content-type", "").startswith(_FORM)
    return _SECRET_FORM.sub(r"\1=REMOVED", text) if form else text


def _url(request: Request) -> str:
    address = request.base_url + request.path
    if not request.query:
        return address
    pairs = [(k, "REMOVED" if k in _SECRET_QUERY else v) for k, v in request.query]
    return f"{address}?{urlencode(pairs)}"


def _headers(headers: Any) -> dict[str, str]:  # noqa: ANN401 - both sides are string mappings
    return {k: v for k, v in headers.items() if k.lower() not in _SECRET_HEADERS}


def _text(body: bytes) -> str:
    return _SECRET_VALUES.sub(r'\1"REMOVED"', body.decode("utf8", "replace"))
