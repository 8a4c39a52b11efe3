"""What Notion's webhooks tell of: one method for each kind of change, called when it has happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from syncd.sandbox.notion.ids import encode_property
from syncd.sandbox.notion.store import (
    Block,
    Comment,
    Database,
    DataSource,
    Node,
    Page,
    Prop,
    Store,
    Upload,
    View,
)
from syncd.sandbox.notion.subscriptions import MOST, Told

JSON = dict[str, Any]
_KINDS = {Page: "page", Database: "database", DataSource: "data_source", Block: "block"}
Columns = Mapping[str, tuple[str, str, str]]


class Call(Protocol):
    """Who changed something, and when."""

    user: str
    now: float


def kind_of(node: Node) -> str:
    """Return a node's type as events name it."""
    return _KINDS[type(node)]


class Events:
    """Writes events for those who subscribed; does nothing while nobody has."""

    def __init__(self, store: Store, workspace_id: str) -> None:
        self._store = store
        self._workspace_id = workspace_id

    def created(self, node: Node, call: Call) -> None:
        """Tell of a new page, database or data source."""
        self._about(node, "created", call)
        self._in_container(node, call)

    def moved(self, node: Node, old: Node | None, call: Call) -> None:
        """Tell of a page, database or data source that has another parent; `old`: the one before."""
        self._about(node, "moved", call)
        self._in_container(node, call)
        if old is not None:
            self._content(old, [node], call)

    def trashed(self, node: Node, call: Call) -> None:
        """Tell that something went to the trash or came back from it."""
        if not isinstance(node, Block):
            self._about(node, "deleted" if node.in_trash else "undeleted", call)
        self._in_container(node, call)

    def properties(self, page: Page, changed: Iterable[str], call: Call) -> None:
        """Tell that columns of a page, by raw id, have other values."""
        ids = [encode_property(key) for key in changed][:MOST]
        if ids:
            self._about(page, "properties_updated", call, updated_properties=ids)

    def locked(self, page: Page, call: Call) -> None:
        """Tell that a page was locked or unlocked."""
        self._about(page, "locked" if page.is_locked else "unlocked", call)

    def content(self, node: Node, changed: Iterable[Node], call: Call) -> None:
        """Tell that blocks were added, changed or removed somewhere under a page."""
        self._content(node, list(changed), call)

    def schema(self, source: DataSource, before: Columns, call: Call) -> None:
        """Tell which columns are new, different or gone since `columns` gave `before`."""
        after = columns(source)
        rows = [
            {"id": encode_property(key), "name": (after.get(key) or before[key])[0],
             "action": _action(before.get(key), after.get(key))}
            for key in dict.fromkeys((*before, *after))
            if before.get(key) != after.get(key)
        ]  # fmt: skip
        if rows:
            self._about(source, "schema_updated", call, updated_properties=rows[:MOST])

    def comment(self, what: str, comment: Comment, call: Call) -> None:
        """Tell that a comment was `created`, `updated` or `deleted`."""
        node = self._store.nodes.get(comment.parent[1])
        if node is None or not self._store.webhooks.table:
            return
        page = self._page_above(node)
        data = {"parent": {"id": node.id, "type": kind_of(node)}, "page_id": (page or node).id}
        self._tell(f"comment.{what}", {"id": comment.id, "type": "comment"}, data, node, call)

    def view(self, what: str, view: View, call: Call, **data: object) -> None:
        """Tell that a view was `created`, `updated` or `deleted`."""
        home = self._store.nodes[view.database_id]
        parent = {"id": view.database_id, "type": "database", "data_source_id": view.data_source_id}
        entity = {"id": view.id, "type": "view"}
        self._tell(f"view.{what}", entity, {"parent": parent, **data}, home, call)

    def upload(self, what: str, upload: Upload, call: Call) -> None:
        """Tell that a file upload was `created` or `completed`."""
        entity = {"id": upload.id, "type": "file_upload"}
        self._tell(f"file_upload.{what}", entity, None, None, call)

    # how

    def _about(self, node: Node, what: str, call: Call, **data: object) -> None:
        kind = kind_of(node)
        entity = {"id": node.id, "type": kind}
        body = {"parent": self._parent(node), **data} if self._store.webhooks.table else {}
        self._tell(f"{kind}.{what}", entity, body, node, call)

    def _tell(
        self, kind: str, entity: JSON, data: JSON | None, node: Node | None, call: Call
    ) -> None:
        held = self._store.webhooks
        if held.table and (node is None or self._store.is_shared(node)):
            held.tell(Told(kind, entity, data, [call.user], call.now))

    def _in_container(self, node: Node, call: Call) -> None:
        above = self._store.above(node)
        if above is not None:
            self._content(above, [node], call)

    def _content(self, node: Node, changed: list[Node], call: Call) -> None:
        if not changed or not self._store.webhooks.table:
            return
        target = node if isinstance(node, DataSource) else self._page_above(node)
        if target is not None and not isinstance(node, Database):
            rows = [{"id": each.id, "type": _block_kind(each)} for each in changed][:MOST]
            self._about(target, "content_updated", call, updated_blocks=rows)

    def _page_above(self, node: Node) -> Page | None:
        at: Node | None = node
        while at is not None and not isinstance(at, Page):
            at = self._store.above(at)
        return at

    def _parent(self, node: Node) -> JSON:
        kind, identifier = node.parent
        if kind == "workspace":
            return {"id": self._workspace_id, "type": "space"}
        if kind == "data_source_id":
            home = self._store.nodes[identifier].parent[1]
            return {"id": home, "type": "database", "data_source_id": identifier}
        return {"id": identifier, "type": kind.removesuffix("_id")}


def _block_kind(node: Node) -> str:
    kind = kind_of(node)
    return "database" if kind == "data_source" else kind


def columns(source: DataSource) -> Columns:
    """Return what schema events compare: name, type and settings of each column, by id."""
    return {key: _column(prop) for key, prop in source.properties.items()}


def _column(prop: Prop) -> tuple[str, str, str]:
    return prop.name, prop.type, repr((prop.config, prop.description))


def _action(before: object, after: object) -> str:
    if before is None:
        return "created"
    return "deleted" if after is None else "updated"
