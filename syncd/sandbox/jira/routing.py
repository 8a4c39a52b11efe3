"""From method and path to handler, in a step that does not grow with the number of routes."""

from __future__ import annotations

from collections.abc import Callable

from syncd.sandbox.wire import Response, Router

Handler = Callable[..., Response]


class Routes:
    """Handlers by method and path template; one small router for each first part of a path."""

    def __init__(self) -> None:
        self._routers: dict[str, Router] = {}
        self.listed: list[tuple[str, str]] = []

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Add a route; of two that fit a path, the one added first wins."""
        head = template.split("/", 2)[1]
        self._routers.setdefault(head, Router()).add(method, template, handler)
        self.listed.append((method, template))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | frozenset[str]:
        """Return handler and path values, or the methods this path does have."""
        router = self._routers.get(path.split("/", 2)[1] if "/" in path else "")
        return router.find(method, path) if router else frozenset()
