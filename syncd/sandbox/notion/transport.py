"""The stand-in as an httpx transport: clients built on httpx talk to it without a socket."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import httpx

from syncd.sandbox.notion.sandbox import NotionSandbox
from syncd.sandbox.wire import Request, Response, query_pairs

Seen = Callable[[Request, Response], None]


class NotionTransport(httpx.BaseTransport):
    """Hands each request to a sandbox; `seen` is called with every exchange."""

    def __init__(self, sandbox: NotionSandbox, seen: Seen | None = None) -> None:
        self._sandbox = sandbox
        self._seen = seen

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one httpx request."""
        plain = Request(
            request.method,
            unquote(request.url.raw_path.partition(b"?")[0].decode()),
            query_pairs(request.url.query.decode()),
            {name.lower(): value for name, value in request.headers.items()},
            request.read(),
        )
        answer = self._sandbox.handle(plain)
        if self._seen is not None:
            self._seen(plain, answer)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)
