"""Users and search."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion import paging
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.checks import (
    only,
    require_bool,
    require_choice,
    require_dict,
    require_text,
)
from syncd.sandbox.notion.errors import MISSING, bad
from syncd.sandbox.notion.shapes import listing
from syncd.sandbox.notion.store import DataSource, Node, Page

JSON = dict[str, Any]


class Users:
    """GET /v1/users, /v1/users/me, /v1/users/{id}."""

    def __init__(self, app: App) -> None:
        self._app = app

    def me(self, call: Call) -> JSON:
        """Return the caller."""
        return self._app.shapes.whole_user(self._app.store.users[call.user])

    def get(self, call: Call) -> JSON:
        """Return one user."""
        identifier = call.path_id("user_id")
        user = self._app.store.users.get(identifier)
        if user is None:
            raise self._app.shapes.not_found("user", identifier)
        return self._app.shapes.whole_user(user)

    def index(self, call: Call) -> JSON:
        """Return all users."""
        ids, cursor = paging.from_query(call.request, list(self._app.store.users))
        return listing([self._app.shapes.user(key) for key in ids], cursor, "user")


class Search:
    """POST /v1/search: by words of titles, newest edit first."""

    def __init__(self, app: App) -> None:
        self._app = app

    def search(self, call: Call) -> JSON:
        """Return pages and data sources whose title holds every word."""
        body = call.body
        only(body, ("query", "filter", "sort", "start_cursor", "page_size"))
        kind, trashed = self._kind(body.get("filter"))
        words = require_text(body.get("query", ""), "query").casefold().split()
        found = [
            node for node in self._candidates(kind, trashed=trashed) if self._fits(node, words)
        ]
        found.sort(key=lambda node: node.id)
        found.sort(key=lambda node: node.edited, reverse=self._descending(body.get("sort")))
        ids, cursor = paging.from_body(body, [node.id for node in found])
        return listing([self._show(key) for key in ids], cursor, "page_or_data_source")

    def _kind(self, given: object) -> tuple[str | None, bool]:
        """Return what kind of object is wanted, and whether from the trash."""
        if given is None:
            return None, False
        body = require_dict(given, "filter")
        only(body, ("property", "value", "in_trash"), "filter")
        trashed = require_bool(body.get("in_trash", False), "filter.in_trash")
        if "in_trash" in body and "property" not in body:
            return None, trashed
        require_choice(body.get("property", MISSING), "filter.property", ("object",))
        kinds = ("page", "data_source")
        return require_choice(body.get("value", MISSING), "filter.value", kinds), trashed

    def _descending(self, given: object) -> bool:
        if given is None:
            return True
        body = require_dict(given, "sort")
        if body.get("property") == "relevance":
            return True
        if body.get("timestamp", "last_edited_time") != "last_edited_time":
            raise bad("sort.timestamp", 'be `"last_edited_time"`', body["timestamp"])
        direction = body.get("direction", "descending")
        require_choice(direction, "sort.direction", ("ascending", "descending"))
        return bool(direction == "descending")

    def _candidates(self, kind: str | None, *, trashed: bool) -> list[Node]:
        wanted = {"page": Page, "data_source": DataSource, None: Page | DataSource}[kind]
        store = self._app.store
        return [
            node
            for node in store.nodes.values()
            if isinstance(node, wanted)
            and store.is_trashed(node) == trashed
            and store.is_shared(node)
        ]

    def _fits(self, node: Node, words: list[str]) -> bool:
        if not words:
            return True
        title = self._app.shapes.title(node).casefold()
        return all(word in title for word in words)

    def _show(self, identifier: str) -> JSON:
        node = self._app.store.nodes[identifier]
        shapes = self._app.shapes
        return shapes.page(node) if isinstance(node, Page) else shapes.data_source(node)  # type: ignore[arg-type]
