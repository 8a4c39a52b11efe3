"""Blocks and comments."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion import mdinline, paging, richtext
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.blocks import require_live
from syncd.sandbox.notion.checks import (
    PAGE_SIZE,
    only,
    require_choice,
    require_dict,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.files import attachments
from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.notion.routes_databases import set_trash
from syncd.sandbox.notion.shapes import listing
from syncd.sandbox.notion.store import Block, Comment, Database, DataSource, Node, Page

JSON = dict[str, Any]


class Blocks:
    """/v1/blocks."""

    def __init__(self, app: App) -> None:
        self._app = app

    def _block(self, call: Call) -> Node:
        node = self._app.node(call, "block_id", "block")
        if isinstance(node, DataSource):
            raise self._app.shapes.not_found("block", node.id)
        return node

    def get(self, call: Call) -> JSON:
        """Return a block."""
        return self._app.shapes.block(self._block(call))

    def children(self, call: Call) -> JSON:
        """Return the blocks under a page or block."""
        node = self._app.shapes.origin(self._block(call))
        ids = [] if isinstance(node, Database) else self._alive(node)
        found, cursor = paging.from_query(call.request, ids)
        shapes, nodes = self._app.shapes, self._app.store.nodes
        return listing([shapes.block(nodes[key]) for key in found], cursor, "block")

    def _alive(self, node: Node) -> list[str]:
        if self._app.store.is_trashed(node):
            return list(node.children)
        return [child.id for child in self._app.store.children(node)]

    def append(self, call: Call) -> JSON:
        """Add blocks under a page or block and return the new ones."""
        body, app = call.body, self._app
        only(body, ("children", "after", "position") if call.legacy else ("children", "position"))
        node = app.shapes.origin(self._block(call))
        drafts = app.trees.parse(body.get("children", MISSING), "children")
        app.trees.require_parent(node)
        if isinstance(node, Block) and node.type == "table":
            self._check_rows(node, drafts)
        index = app.trees.place(node, body, legacy=call.legacy)
        made = app.trees.insert(node, drafts, index, call.now, call.user)
        if not made:
            return listing([], None, "block")
        app.touch(node, call)
        app.events.content(node, made, call)
        # The service answers the new blocks and, as recorded, whatever follows them.
        alive = self._alive(node)
        found, cursor = paging.cut(alive, PAGE_SIZE, made[0].id, part="body")
        nodes = app.store.nodes
        return listing([app.shapes.block(nodes[key]) for key in found], cursor, "block")

    def _check_rows(self, table: Block, drafts: list[Any]) -> None:
        width = table.content["table_width"]
        for index, draft in enumerate(drafts):
            if draft.type != "table_row":
                raise bad(f"children[{index}].table_row", "be defined", MISSING)
            if len(draft.content["cells"]) != width:
                raise invalid(
                    "Number of cells in table row must match the table width of the parent table."
                )

    def update(self, call: Call) -> JSON:
        """Change a block's content, or put it in the trash or take it out."""
        node, app = self._block(call), self._app
        flag = call.trash_flag()
        require_live(app.store, node, restoring=flag is False)
        if not isinstance(node, Block):
            raise invalid(
                f"Updating {'child_page' if isinstance(node, Page) else 'child_database'} "
                "blocks is not supported; use the update page or update database endpoint."
            )
        app.trees.update(node, call.body)
        if flag is not None:
            set_trash(app, node, call, trashed=flag)
        app.touch(node, call)
        app.events.content(node, [node], call)
        return app.shapes.block(node)

    def delete(self, call: Call) -> JSON:
        """Put a block, page or database in the trash."""
        node, app = self._block(call), self._app
        require_live(app.store, node)
        set_trash(app, node, call, trashed=True)
        return app.shapes.block(node)


class Comments:
    """/v1/comments."""

    def __init__(self, app: App) -> None:
        self._app = app

    def index(self, call: Call) -> JSON:
        """Return the comments on a page or block, oldest first."""
        given = call.request.one("block_id")
        identifier = parse_uuid(given)
        if identifier is None:
            raise bad(
                "block_id", "be a valid uuid", MISSING if given is None else given, part="query"
            )
        node = self._app.store.nodes.get(identifier)
        if node is None or not self._app.store.is_shared(node):
            raise self._app.shapes.not_found("block", identifier)
        held = self._app.store.comments
        on = [key for key, comment in held.items() if comment.parent[1] == identifier]
        ids, cursor = paging.from_query(call.request, on)
        return listing([self._app.shapes.comment(held[key]) for key in ids], cursor, "comment")

    def _comment(self, call: Call) -> Comment:
        identifier = call.path_id("comment_id")
        comment = self._app.store.comments.get(identifier)
        if comment is None:
            raise self._app.shapes.not_found("comment", identifier)
        return comment

    def get(self, call: Call) -> JSON:
        """Return a comment."""
        return self._app.shapes.comment(self._comment(call))

    def create(self, call: Call) -> JSON:
        """Comment on a page or block, or answer in a discussion."""
        body, app = call.body, self._app
        only(
            body,
            ("parent", "discussion_id", "rich_text", "markdown", "attachments", "display_name"),
        )
        parent, discussion = self._thread(body, call)
        comment = Comment(
            app.ids.make("comment", call.now),
            parent,
            discussion,
            call.now, call.now, call.user,
            self._text(body),
            self._name(body.get("display_name"), call),
            attachments(app.store, body.get("attachments")),
        )  # fmt: skip
        app.store.comments[comment.id] = comment
        app.events.comment("created", comment, call)
        return app.shapes.comment(comment)

    def _name(self, given: object, call: Call) -> JSON | None:
        """Return the name a comment is to be shown under, None for the author's own."""
        if given is None:
            return None
        body = require_dict(given, "display_name")
        kinds = ("integration", "user", "custom")
        kind = require_choice(body.get("type", MISSING), "display_name.type", kinds)
        name = self._app.store.users[call.user].name
        if kind == "custom":
            custom = require_dict(body.get("custom", MISSING), "display_name.custom")
            name = require_text(custom.get("name", MISSING), "display_name.custom.name")
        return {"type": kind, "resolved_name": name}

    def _thread(self, body: JSON, call: Call) -> tuple[tuple[str, str], str]:
        app = self._app
        if body.get("discussion_id") is not None:
            discussion = require_uuid(body["discussion_id"], "discussion_id")
            for comment in app.store.comments.values():
                if comment.discussion_id == discussion:
                    return comment.parent, discussion
            raise app.shapes.not_found("discussion", discussion)
        given = require_dict(body.get("parent", MISSING), "parent")
        kind = "block_id" if "block_id" in given else "page_id"
        identifier = require_uuid(given.get(kind, MISSING), f"parent.{kind}")
        node = app.store.nodes.get(identifier)
        if not isinstance(node, Page | Block) or not app.store.is_shared(node):
            raise app.shapes.not_found(kind[:-3], identifier)
        kind = "page_id" if isinstance(node, Page) else "block_id"
        return (kind, identifier), self._discussion(identifier, call)

    def _discussion(self, identifier: str, call: Call) -> str:
        held = self._app.store.comments.values()
        on_page = isinstance(self._app.store.nodes[identifier], Page)
        found = next((one.discussion_id for one in held if one.parent[1] == identifier), None)
        return found if found and on_page else self._app.ids.make("discussion", call.now)

    def _text(self, body: JSON) -> list[JSON]:
        if body.get("markdown") is not None:
            text = require_text(body["markdown"], "markdown")
            return mdinline.read(text, self._app.shapes.mention)
        return richtext.parse(body.get("rich_text", MISSING), "rich_text", self._app.shapes.mention)

    def update(self, call: Call) -> JSON:
        """Change a comment's text; only its author may."""
        comment = self._own(call)
        only(call.body, ("rich_text", "markdown"))
        comment.rich_text = self._text(call.body)
        comment.edited = call.now
        self._app.events.comment("updated", comment, call)
        return self._app.shapes.comment(comment)

    def delete(self, call: Call) -> JSON:
        """Remove a comment; only its author may."""
        comment = self._own(call)
        del self._app.store.comments[comment.id]
        self._app.events.comment("deleted", comment, call)
        return self._app.shapes.comment(comment)

    def _own(self, call: Call) -> Comment:
        comment = self._comment(call)
        if comment.created_by != call.user:
            raise invalid("Only the author of a comment can change it.")
        return comment
