"""One HTTP exchange as plain values, and a router: what all three stand-ins are written against.

The stand-ins are synchronous and know no server: `syncd.sandbox.server` puts them behind sockets,
tests and the simulator call `handle` directly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `path` is percent-decoded and has no service prefix; header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = "http://localhost"  # scheme, host, port and prefix, for links in answers

    def one(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def many(self, name: str) -> tuple[str, ...]:
        """Return all values of a repeated query parameter."""
        return tuple(value for key, value in self.query if key == name)

    def json(self) -> Any:  # noqa: ANN401 - JSON is any
        """Return the parsed body; raises ValueError."""
        return parse_json(self.body)


@dataclass(slots=True)
class Response:
    """An answer; `headers` has lower-case names."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_response(
    value: Any,  # noqa: ANN401 - JSON is any
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an answer with a JSON body."""
    return Response(
        status,
        orjson.dumps(value),
        {"content-type": "application/json;charset=UTF-8", **(headers or {})},
    )


_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{}]')
DEEPEST = 200  # levels of JSON taken: below what can be written again inside of an answer


def too_deep(body: bytes) -> bool:
    """Tell whether a JSON text is nested deeper than an answer could hold; texts count as if empty."""
    if body.count(b"{") + body.count(b"[") <= DEEPEST:
        return False
    depth = deepest = 0
    for sign in _BRACKETS.findall(body):
        depth += (sign in b"{[") - (sign in b"}]")
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON is any
    """Return the value of a JSON text; raises ValueError, for too deep a nesting too."""
    if too_deep(body):
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    return orjson.loads(body)


_LONGEST = 18  # digits that fit 64 bits


def whole(text: str) -> int | None:
    """Return the number that at most 18 ASCII digits write, None for any other text."""
    plain = text.isascii() and text.isdigit() and len(text) <= _LONGEST
    return int(text) if plain else None


def query_pairs(query_string: str) -> tuple[tuple[str, str], ...]:
    """Parse a raw query string, keeping order, repeats and empty values."""
    return tuple(parse_qsl(query_string, keep_blank_values=True))


Handler = Callable[..., Response]


class Router:
    """Maps method and path template (`/issue/{id}`) to a handler, called with the path's values too."""

    def __init__(self) -> None:
        self.routes: list[tuple[str, str, re.Pattern[str], Handler]] = []

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Add a route; of two that fit a path, the one added first wins."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
        self.routes.append((method, template, pattern, handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | frozenset[str]:
        """Return handler and path values, or the methods this path does have (empty: no such path)."""
        methods = set()
        for route_method, _template, pattern, handler in self.routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if route_method == method:
                return handler, match.groupdict()
            methods.add(route_method)
        return frozenset(methods)
