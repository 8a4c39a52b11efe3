"""Objects as responses show them: users, pages, databases, data sources, blocks, comments."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from syncd.sandbox.notion import richtext
from syncd.sandbox.notion.access import CAPABILITIES
from syncd.sandbox.notion.errors import NotionError
from syncd.sandbox.notion.ids import plain
from syncd.sandbox.notion.schema import Schemas
from syncd.sandbox.notion.store import (
    Block,
    Comment,
    Database,
    DataSource,
    Node,
    Page,
    Store,
    User,
    View,
)
from syncd.sandbox.notion.times import exact, rounded

JSON = dict[str, Any]
UPLOAD_LIMIT = 5_368_709_120  # bytes of one file on a paid plan
WORDS = re.compile(r"[^0-9A-Za-z_]+")


class Shapes:
    """Renders objects; `legacy` (version 2025-09-03) adds `archived`."""

    def __init__(self, store: Store, workspace_id: str, workspace_name: str) -> None:
        self._store = store
        self.workspace_id = workspace_id
        self.workspace_name = workspace_name
        self.bot_id = ""
        self.caller = ""
        self.now = 0.0
        self.legacy = False
        self._capabilities: frozenset[str] = CAPABILITIES
        self.properties: Callable[[DataSource, Page, frozenset[str] | None], JSON] | None = None
        self.schemas: Schemas | None = None

    def look(self, caller: str, now: float, *, legacy: bool, capabilities: frozenset[str]) -> None:
        """Show objects from now on as a user, a version and a connection see them at a time."""
        self.caller, self.now = caller, now
        self.legacy, self._capabilities = legacy, capabilities

    def not_found(self, kind: str, identifier: str) -> NotionError:
        """Return the answer for what does not exist or is not shared."""
        name = self._store.users[self.bot_id].name
        return NotionError(
            "object_not_found",
            f"Could not find {kind} with ID: {identifier}. Make sure the relevant pages and "
            f'databases are shared with your integration "{name}".',
            {"integration_id": self.bot_id},
        )

    def user(self, identifier: str) -> JSON:
        """Return a person or bot in full."""
        user = self._store.users.get(identifier)
        return self.whole_user(user) if user else self.partial_user(identifier)

    def whole_user(self, user: User) -> JSON:
        """Return a person or bot in full."""
        shown: JSON = {
            "object": "user",
            "id": user.id,
            "name": user.name,
            "avatar_url": user.avatar,
            "type": user.kind,
        }
        if user.email is not None:
            shown["person"] = {"email": user.email, "email_verified": True}
        else:
            shown["bot"] = {
                "owner": {"type": "workspace", "workspace": True},
                "workspace_name": self.workspace_name,
                "workspace_id": self.workspace_id,
                "workspace_limits": {"max_file_upload_size_in_bytes": UPLOAD_LIMIT},
            }
        return shown

    def partial_user(self, identifier: str) -> JSON:
        """Return a reference to a user."""
        return {"object": "user", "id": identifier}

    def mention(self, kind: str, identifier: str) -> tuple[JSON, str, str | None] | None:
        """Return (what is shown, plain text, address) of a mention in rich text."""
        if kind == "user":
            user = self._store.users.get(identifier)
            return (self.whole_user(user), f"@{user.name}", None) if user else None
        if kind == "custom_emoji":
            found = next((one for one in self._store.emojis if one["id"] == identifier), None)
            return (found, f":{found['name']}:", None) if found else None
        node = self._store.nodes.get(identifier)
        if node is None or isinstance(node, Block):
            return None
        return (
            {"id": identifier},
            self.title(node) or "Untitled",
            richtext.mention_address(identifier),
        )

    def title(self, node: Node) -> str:
        """Return the title of a page, database or data source as plain text."""
        if isinstance(node, Page):
            return richtext.plain_text(node.values.get("title", ()))
        if isinstance(node, Database | DataSource):
            return richtext.plain_text(node.title)
        return ""

    def _times(self, node: Node) -> JSON:
        return {
            "created_time": rounded(node.created),
            "last_edited_time": rounded(node.edited),
            "created_by": {"object": "user", "id": node.created_by},
            "last_edited_by": {"object": "user", "id": node.edited_by},
        }

    def parent(self, node: Node) -> JSON:
        """Return a node's parent."""
        kind, identifier = node.parent
        if kind == "workspace":
            return {"type": "workspace", "workspace": True}
        shown = {"type": kind, kind: identifier}
        if kind == "data_source_id":
            shown["database_id"] = self._store.nodes[identifier].parent[1]
        return shown

    def _trash(self, shown: JSON, *, trashed: bool) -> JSON:
        if self.legacy:
            shown["archived"] = trashed
        return shown

    def page(self, page: Page, only: frozenset[str] | None = None) -> JSON:
        """Return a page; `only` limits its properties to some ids.

        A connection that may write but not read content sees ids alone, of what it wrote.
        """
        if "read_content" not in self._capabilities:
            return {"object": "page", "id": page.id}
        trashed = self._store.is_trashed(page)
        shown: JSON = {
            "object": "page",
            "id": page.id,
            **self._times(page),
            "cover": page.cover,
            "icon": page.icon,
            "parent": self.parent(page),
            "in_trash": trashed,
            "is_archived": page.is_archived,
            "is_locked": page.is_locked,
            "properties": self._properties(page, only),
            "url": self._address(page),
            "public_url": None,
        }
        return self._trash(shown, trashed=trashed)

    def _properties(self, page: Page, only: frozenset[str] | None) -> JSON:
        source = self._store.source_of(page)
        if source is not None:
            assert self.properties is not None  # noqa: S101 - set when put together
            return self.properties(source, page, only)
        if only is not None and "title" not in only:
            return {}
        title = page.values.get("title", [])
        return {"title": {"id": "title", "type": "title", "title": title}}

    def _address(self, node: Node) -> str:
        slug = WORDS.sub("-", self.title(node)).strip("-") if isinstance(node, Page) else ""
        return f"https://app.notion.com/p/{slug}{'-' if slug else ''}{plain(node.id)}"

    def database(self, database: Database) -> JSON:
        """Return a database (without columns: those are its data sources')."""
        if "read_content" not in self._capabilities:
            return {"object": "database", "id": database.id}
        trashed = self._store.is_trashed(database)
        sources = [self._store.nodes[key] for key in database.data_sources]
        shown: JSON = {
            "object": "database",
            "id": database.id,
            "title": database.title,
            "description": database.description,
            "parent": self.parent(database),
            "is_inline": database.is_inline,
            "in_trash": trashed,
            "is_locked": database.is_locked,
            "created_time": exact(database.created),
            "last_edited_time": exact(database.edited),
            "data_sources": [
                {"id": source.id, "name": self.title(source)}
                for source in sources
                if not source.in_trash
            ],
            "icon": database.icon,
            "cover": database.cover,
            "url": self._address(database),
            "public_url": None,
        }
        return self._trash(shown, trashed=trashed)

    def data_source(self, source: DataSource) -> JSON:
        """Return a data source with its columns."""
        database = self._store.above(source)
        assert isinstance(database, Database)  # noqa: S101 - data sources lie in databases
        assert self.schemas is not None  # noqa: S101 - set when put together
        columns = self.schemas.show(source)
        if "read_content" not in self._capabilities:
            return {"object": "data_source", "id": source.id, "properties": columns}
        trashed = self._store.is_trashed(source)
        shown: JSON = {
            "object": "data_source",
            "id": source.id,
            "cover": source.cover,
            "icon": source.icon,
            **self._times(source),
            "title": source.title,
            "description": source.description,
            "is_inline": database.is_inline,
            "properties": columns,
            "parent": {"type": "database_id", "database_id": database.id},
            "database_parent": self.parent(database),
            "url": self._address(database),
            "public_url": None,
            "in_trash": trashed,
        }
        return self._trash(shown, trashed=trashed)

    def block(self, node: Node) -> JSON:
        """Return a block; a page or database is one too (`child_page`, `child_database`)."""
        if "read_content" not in self._capabilities:
            return {"object": "block", "id": node.id}
        trashed = self._store.is_trashed(node)
        kind, content = self._content(node)
        shown: JSON = {
            "object": "block",
            "id": node.id,
            "parent": self.parent(node),
            **self._times(node),
            "has_children": self._has_children(node),
            "in_trash": trashed,
            "type": kind,
            kind: content,
        }
        return self._trash(shown, trashed=trashed)

    def _content(self, node: Node) -> tuple[str, JSON]:
        if isinstance(node, Block):
            renamed = self.legacy and node.type == "meeting_notes"
            return "transcription" if renamed else node.type, node.content
        kind = "child_page" if isinstance(node, Page) else "child_database"
        return kind, {"title": self.title(node)}

    def _has_children(self, node: Node) -> bool:
        if isinstance(node, Database):
            return False
        origin = self.origin(node)
        return any(not self._store.nodes[key].in_trash for key in origin.children)

    def origin(self, node: Node) -> Node:
        """Return the block whose children a synced copy shows; any other node itself."""
        if isinstance(node, Block) and node.type == "synced_block":
            synced = node.content.get("synced_from")
            return self._store.nodes.get(synced["block_id"], node) if synced else node
        return node

    def comment(self, comment: Comment) -> JSON:
        """Return a comment."""
        if "read_comments" not in self._capabilities:
            return {"object": "comment", "id": comment.id}
        kind, identifier = comment.parent
        user = self._store.users[comment.created_by]
        own = {"type": "integration" if user.kind == "bot" else "user", "resolved_name": user.name}
        return {
            "object": "comment",
            "id": comment.id,
            "parent": {"type": kind, kind: identifier},
            "discussion_id": comment.discussion_id,
            "created_time": rounded(comment.created),
            "last_edited_time": rounded(comment.edited),
            "created_by": self.partial_user(comment.created_by),
            "rich_text": comment.rich_text,
            "display_name": comment.name or own,
            **({"attachments": comment.attachments} if comment.attachments else {}),
        }

    def view(self, view: View) -> JSON:
        """Return a view."""
        return {
            "object": "view",
            "id": view.id,
            "parent": {"type": "database_id", "database_id": view.database_id},
            "data_source_id": view.data_source_id,
            "name": view.name,
            "type": view.type,
            "created_time": exact(view.created),
            "created_by": self.partial_user(view.created_by),
            "last_edited_time": exact(view.edited),
            "last_edited_by": self.partial_user(view.edited_by),
            "url": f"https://app.notion.com/p/{plain(view.database_id)}?v={plain(view.id)}",
            "filter": view.filter,
            "sorts": view.sorts,
            "quick_filters": view.quick_filters,
            "configuration": {"type": view.type, **view.configuration},
            **({"dashboard_view_id": view.dashboard_id} if view.dashboard_id else {}),
        }


def listing(results: list[JSON], cursor: str | None, kind: str) -> JSON:
    """Return a page of a list."""
    return {
        "object": "list",
        "results": results,
        "next_cursor": cursor,
        "has_more": cursor is not None,
        "type": kind,
        kind: {},
    }
