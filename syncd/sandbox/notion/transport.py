"""The Notion stand-in alone under httpx, for clients that ask api.notion.com."""

from __future__ import annotations

from collections.abc import Callable

from syncd.sandbox.notion.sandbox import NotionSandbox
from syncd.sandbox.transports import Alone, HttpxTransport, Line
from syncd.sandbox.wire import Request, Response

Seen = Callable[[Request, Response], None]


class NotionTransport(HttpxTransport):
    """Hands each request to a sandbox; `seen` is called with every exchange."""

    def __init__(self, sandbox: NotionSandbox, seen: Seen | None = None) -> None:
        def after(_service: str, request: Request, answer: Response | None) -> None:
            if seen is not None and answer is not None:
                seen(request, answer)

        super().__init__(Line(Alone(sandbox), after=after))
