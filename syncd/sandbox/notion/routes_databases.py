"""Databases and data sources."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion import files, paging, richtext
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.blocks import require_live
from syncd.sandbox.notion.checks import (
    only,
    require_bool,
    require_choice,
    require_dict,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, fix_one, invalid
from syncd.sandbox.notion.events import columns
from syncd.sandbox.notion.filters import Filters
from syncd.sandbox.notion.query import Query, wants_trash
from syncd.sandbox.notion.schema import find
from syncd.sandbox.notion.shapes import listing
from syncd.sandbox.notion.store import Database, DataSource, Node, Page, Rows, View

JSON = dict[str, Any]
DATABASE_KEYS = (
    "parent", "title", "description", "is_inline", "initial_data_source", "icon", "cover",
    "is_locked", "in_trash", "archived",
)  # fmt: skip
SOURCE_KEYS = ("parent", "properties", "title", "description", "icon", "in_trash", "archived")
QUERY_KEYS = (
    "sorts", "filter", "start_cursor", "page_size", "in_trash", "archived", "result_type",
    "is_archived",
)  # fmt: skip


PLACES = ("page_id", "workspace")


def container(
    app: App, given: object, where: str = "parent", kinds: tuple[str, ...] = PLACES
) -> tuple[str, str]:
    """Return the place a new database or page is to have: page or workspace."""
    body = require_dict(given, where)
    if body.get("type") == "workspace" or "workspace" in body:
        return "workspace", ""
    if "page_id" not in body:
        raise fix_one([f"body.{where}.{name}" for name in kinds])
    identifier = require_uuid(body["page_id"], f"{where}.page_id")
    node = app.store.nodes.get(identifier)
    if not isinstance(node, Page) or not app.store.is_shared(node):
        raise app.shapes.not_found("page", identifier)
    require_live(app.store, node)
    return "page_id", identifier


def refuse_cycle(app: App, node: Node, target: str) -> None:
    """Refuse to move a page, database or data source into what lies in it."""
    at = app.store.nodes.get(target)
    while at is not None:
        if at is node:
            kind = "page" if isinstance(node, Page) else "database"
            raise invalid(f"Cannot move a {kind} into itself or one of its descendants.")
        at = app.store.above(at)


def set_trash(app: App, node: Node, call: Call, *, trashed: bool) -> None:
    """Put a node in the trash or take it out."""
    if node.in_trash == trashed:
        return
    source = app.store.source_of(node) if isinstance(node, Page) else None
    if source is not None and isinstance(node, Page):
        source.rows_for(node).remove(node)
        node.in_trash = trashed
        source.rows_for(node).add(node)
    node.in_trash = trashed
    app.touch(node, call)
    app.events.trashed(node, call)


class Databases:
    """/v1/databases."""

    def __init__(self, app: App) -> None:
        self._app = app

    def create(self, call: Call) -> JSON:
        """Make a database with its first data source."""
        body, app = call.body, self._app
        only(body, DATABASE_KEYS)
        parent = container(app, body.get("parent", MISSING))
        initial = body.get("initial_data_source", {})
        first = require_dict(initial, "initial_data_source")
        database = Database(app.ids.uuid4(), parent, call.now, call.user, call.now, call.user)
        self._set(database, body)
        source = DataSource(
            app.ids.uuid4(),
            ("database_id", database.id),
            call.now, call.user, call.now, call.user,
            title=list(database.title),
        )  # fmt: skip
        app.store.nodes[database.id] = database
        app.store.nodes[source.id] = source
        try:
            given = first.get("properties", MISSING)
            with app.schemas.all_or_nothing():
                app.schemas.create(source, given, "initial_data_source.properties")
        except Exception:
            del app.store.nodes[database.id], app.store.nodes[source.id]
            raise
        app.store.attach(database)
        app.store.attach(source)
        default_view(app, database, source, call)
        app.events.created(database, call)
        return app.shapes.database(database)

    def get(self, call: Call) -> JSON:
        """Return a database."""
        return self._app.shapes.database(self._app.database(call))

    def update(self, call: Call) -> JSON:
        """Change a database's own attributes."""
        database, body = self._app.database(call), call.body
        only(body, DATABASE_KEYS)
        flag = call.trash_flag()
        require_live(self._app.store, database, restoring=flag is False)
        parent = container(self._app, body["parent"]) if "parent" in body else None
        if parent is not None:
            refuse_cycle(self._app, database, parent[1])
        self._set(database, body)
        if parent is not None:
            above = self._app.store.above(database)
            self._app.store.detach(database)
            database.parent = parent
            self._app.store.attach(database)
            self._app.events.moved(database, above, call)
        if flag is not None:
            set_trash(self._app, database, call, trashed=flag)
        self._app.touch(database, call)
        return self._app.shapes.database(database)

    def _set(self, database: Database, body: JSON) -> None:
        app = self._app
        new: dict[str, Any] = {}
        for name in ("title", "description"):
            if name in body:
                new[name] = richtext.separate(body[name], name, app.shapes.mention)
        for name in ("is_inline", "is_locked"):
            if body.get(name) is not None:
                new[name] = require_bool(body[name], name)
        if "icon" in body:
            new["icon"] = files.icon(app.store, body["icon"], "icon")
        if "cover" in body:
            new["cover"] = files.cover(app.store, body["cover"], "cover")
        for name, value in new.items():
            setattr(database, name, value)


def default_view(app: App, database: Database, source: DataSource, call: Call) -> None:
    """Give a new data source the table view the service gives it."""
    view = View(
        app.ids.uuid4(), database.id, source.id, "Default view", "table",
        call.now, call.user, call.now, call.user,
    )  # fmt: skip
    app.store.views[view.id] = view


class DataSources:
    """/v1/data_sources."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.cap = 10_000

    def create(self, call: Call) -> JSON:
        """Add a data source to a database."""
        body, app = call.body, self._app
        only(body, SOURCE_KEYS)
        parent = require_dict(body.get("parent", MISSING), "parent")
        identifier = require_uuid(parent.get("database_id", MISSING), "parent.database_id")
        database = app.store.nodes.get(identifier)
        if not isinstance(database, Database) or not app.store.is_shared(database):
            raise app.shapes.not_found("database", identifier)
        source = DataSource(
            app.ids.make("data_source", call.now),
            ("database_id", identifier),
            call.now, call.user, call.now, call.user,
        )  # fmt: skip
        self._set(source, body)
        app.store.nodes[source.id] = source
        try:
            with app.schemas.all_or_nothing():
                app.schemas.create(source, body.get("properties", MISSING), "properties")
        except Exception:
            del app.store.nodes[source.id]
            raise
        app.store.attach(source)
        default_view(app, database, source, call)
        app.events.created(source, call)
        return app.shapes.data_source(source)

    def _set(self, source: DataSource, body: JSON) -> None:
        new: dict[str, Any] = {
            name: richtext.separate(body[name], name, self._app.shapes.mention)
            for name in ("title", "description")
            if name in body
        }
        if "icon" in body:
            new["icon"] = files.icon(self._app.store, body["icon"], "icon")
        for name, value in new.items():
            setattr(source, name, value)

    def get(self, call: Call) -> JSON:
        """Return a data source with its columns."""
        return self._app.shapes.data_source(self._app.source(call))

    def update(self, call: Call) -> JSON:
        """Change title, icon, columns, place or trash."""
        source, body, app = self._app.source(call), call.body, self._app
        only(body, SOURCE_KEYS)
        flag = call.trash_flag()
        require_live(app.store, source, restoring=flag is False)
        before, database = columns(source), self._target(source, body)
        with app.schemas.all_or_nothing():
            if body.get("properties") is not None:
                app.schemas.update(source, body["properties"], "properties")
            self._set(source, body)
        if body.get("properties") is not None:
            app.events.schema(source, before, call)
        if database is not None:
            app.store.detach(source)
            source.parent = ("database_id", database.id)
            app.store.attach(source)
            app.events.moved(source, None, call)
        if flag is not None:
            set_trash(app, source, call, trashed=flag)
        app.touch(source, call)
        return app.shapes.data_source(source)

    def _target(self, source: DataSource, body: JSON) -> Database | None:
        """Return the database that a data source is to move to."""
        if "parent" not in body:
            return None
        parent = require_dict(body["parent"], "parent")
        identifier = require_uuid(parent.get("database_id", MISSING), "parent.database_id")
        database = self._app.store.nodes.get(identifier)
        if not isinstance(database, Database) or not self._app.store.is_shared(database):
            raise self._app.shapes.not_found("database", identifier)
        refuse_cycle(self._app, source, identifier)
        return database

    def query(self, call: Call) -> JSON:
        """Return rows: filtered, sorted, paged, capped."""
        source, body, app = self._app.source(call), call.body, self._app
        only(body, QUERY_KEYS)
        if body.get("result_type") is not None:
            require_choice(body["result_type"], "result_type", ("page", "data_source"))
        rows = self._rows(source, body, legacy=call.legacy)
        only_ids = wanted_properties(source, call)
        query = Query(app.store, app.values, source, rows, app.orders)
        query.cap = self.cap
        if body.get("result_type") == "data_source":
            rows = Rows()
        pages, cursor, capped = query.run(body, Filters(source, app.values, call.now, call.user))
        shown = listing(
            [app.shapes.page(page, only_ids) for page in pages], cursor, "page_or_data_source"
        )
        if capped:
            shown["request_status"] = {
                "type": "incomplete",
                "incomplete_reason": "query_result_limit_reached",
            }
        return shown

    def _rows(self, source: DataSource, body: JSON, *, legacy: bool) -> Rows:
        if wants_trash(body, legacy=legacy):
            return source.trashed
        if body.get("is_archived") is not None and require_bool(body["is_archived"], "is_archived"):
            return source.archived
        return Rows() if body.get("result_type") == "data_source" else source.live

    def templates(self, call: Call) -> JSON:
        """Return the page templates of a data source (without envelope, as the service does)."""
        source = self._app.source(call)
        name = (call.request.one("name") or "").casefold()
        held = {
            key: (title, default)
            for key, title, default in source.templates
            if name in title.casefold()
        }
        ids, cursor = paging.from_query(call.request, list(held))
        shown = [{"id": key, "name": held[key][0], "is_default": held[key][1]} for key in ids]
        return {"templates": shown, "has_more": cursor is not None, "next_cursor": cursor}


def wanted_properties(source: DataSource, call: Call) -> frozenset[str] | None:
    """Return the column ids a request limits the answer to, None for all."""
    names = (*call.request.many("filter_properties"), *call.request.many("filter_properties[]"))
    if not names:
        return None
    found = []
    for name in names:
        prop = find(source, name)
        if prop is None:
            raise invalid(f"{name} is not a property that exists.")
        found.append(prop.id)
    return frozenset(found)
