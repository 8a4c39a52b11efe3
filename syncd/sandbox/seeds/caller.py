"""A client of one stand-in without sockets, signed in as one person."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from syncd.sandbox.wire import Request, Response, query_pairs

Json = dict[str, Any]


class Service(Protocol):
    """What a stand-in is to its callers."""

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        ...


class Caller:
    """Sends JSON requests to one service as one person; an error answer is a ValueError."""

    def __init__(self, service: Service, headers: Mapping[str, str]) -> None:
        self._service = service
        self._headers = {"content-type": "application/json", **headers}

    def __call__(self, method: str, path: str, body: object = None) -> Json:
        """Send a request; `path` may have a query. Raises ValueError for an error answer."""
        bare, _, query = path.partition("?")
        data = b"" if body is None else orjson.dumps(body)
        request = Request(method, bare, query_pairs(query), self._headers, data)
        answer = self._service.handle(request)
        if answer.status >= 400:  # noqa: PLR2004 - HTTP
            raise ValueError(f"{method} {path}: {answer.status} {answer.body[:500].decode()}")
        result: Json = orjson.loads(answer.body) if answer.body else {}
        return result


def jira_caller(service: Service, email: str, token: str) -> Caller:
    """Return a Jira client: Basic authentication with e-mail and API token."""
    basic = base64.b64encode(f"{email}:{token}".encode()).decode()
    return Caller(service, {"authorization": f"Basic {basic}"})


def asana_caller(service: Service, token: str) -> Caller:
    """Return an Asana client."""
    return Caller(service, {"authorization": f"Bearer {token}"})


def notion_caller(service: Service, token: str) -> Caller:
    """Return a Notion client of API version 2026-03-11."""
    return Caller(service, {"authorization": f"Bearer {token}", "notion-version": "2026-03-11"})
