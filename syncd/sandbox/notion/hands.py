"""What only a person can do in the app: formulas of a known type, templates, blocks the API cannot make."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion.app import App
from syncd.sandbox.notion.routes_databases import refuse_cycle
from syncd.sandbox.notion.store import Block, DataSource, Node, Page, Prop

JSON = dict[str, Any]


class Hands:
    """A person at work in the app; raises ValueError for what is not there."""

    def __init__(self, app: App) -> None:
        self._app = app

    def _source(self, identifier: str) -> DataSource:
        source = self._app.store.source(identifier)
        if source is None:
            raise ValueError(f"no data source {identifier}")
        return source

    def _page(self, identifier: str) -> Page:
        page = self._app.store.page(identifier)
        if page is None:
            raise ValueError(f"no page {identifier}")
        return page

    def _holder(self, identifier: str) -> Node:
        node = self._app.store.nodes.get(identifier)
        if not isinstance(node, Page | Block):
            raise ValueError(f"no page or block {identifier}")  # noqa: TRY004 - nothing of a type
        return node

    def _writer(self) -> str:
        people = [user.id for user in self._app.store.users.values() if user.kind == "person"]
        return next(iter(people), self._app.shapes.bot_id)

    def template(self, source_id: str, page_id: str, *, default: bool) -> None:
        """Make a row a template: it is no row any more, and has no status unless one was chosen."""
        source, page = self._source(source_id), self._page(page_id)
        self._app.store.revision += 1
        source.templates.append((page_id, self._app.shapes.title(page), default))
        source.rows_for(page).remove(page)
        for prop in source.properties.values():
            chosen = page.values.get(prop.id)
            if prop.type == "status" and chosen == self._app.values.default_status(prop):
                page.values[prop.id] = None

    def formula(self, source_id: str, name: str, expression: str) -> None:
        """Add a formula column that has a known type; raises NotionError for one that is wrong."""
        source = self._source(source_id)
        self._app.formulas.type_of(source, expression, by_person=True)
        prop = Prop(self._app.ids.property_id(source.properties), name, "formula")
        prop.config = {"expression": expression, "by_person": True}
        source.properties[prop.id] = prop
        self._app.store.revision += 1

    def block(self, above_id: str, kind: str, content: JSON) -> str:
        """Add a block of any kind (`link_preview`, `meeting_notes`, `unsupported`); return its id."""
        above, writer = self._holder(above_id), self._writer()
        now = self._app.clock.now()
        block = Block(
            self._app.ids.make("block", now),
            ("page_id" if isinstance(above, Page) else "block_id", above.id),
            now, writer, now, writer,
            type=kind, content=content,
        )  # fmt: skip
        self._app.store.attach(block)
        self._app.store.edited(block, now, writer)
        return block.id

    def into(self, page_id: str, above_id: str) -> None:
        """Drag a page into another or into a block, which the API cannot."""
        page, above = self._page(page_id), self._holder(above_id)
        refuse_cycle(self._app, page, above_id)
        self._app.store.detach(page)
        page.parent = ("page_id" if isinstance(above, Page) else "block_id", above.id)
        self._app.store.attach(page)
        self._app.store.revision += 1
