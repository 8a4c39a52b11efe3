"""Views of databases, and their kept queries."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion import paging, times
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.checks import (
    only,
    require_choice,
    require_dict,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.filters import Filters
from syncd.sandbox.notion.query import Query
from syncd.sandbox.notion.routes_databases import container
from syncd.sandbox.notion.shapes import listing
from syncd.sandbox.notion.store import Database, DataSource, View

JSON = dict[str, Any]
QUERY_LIFETIME = 900  # seconds the results of a view query are kept
VIEW_TYPES = (
    "table", "board", "list", "calendar", "timeline", "gallery", "form", "chart", "map",
    "dashboard",
)  # fmt: skip
CREATE_KEYS = (
    "data_source_id", "name", "type", "database_id", "view_id", "filter", "sorts", "quick_filters",
    "create_database", "configuration", "position", "placement",
)  # fmt: skip


class Views:
    """/v1/views."""

    def __init__(self, app: App) -> None:
        self._app = app

    def _view(self, call: Call) -> View:
        identifier = call.path_id("view_id")
        view = self._app.store.views.get(identifier)
        if view is None:
            raise self._app.shapes.not_found("view", identifier)
        return view

    def get(self, call: Call) -> JSON:
        """Return a view."""
        return self._app.shapes.view(self._view(call))

    def index(self, call: Call) -> JSON:
        """Return the views of a database or data source (ids only)."""
        wanted = {}
        for name in ("database_id", "data_source_id"):
            given = call.request.one(name)
            if given is not None:
                wanted[name] = require_uuid(given, name, part="query")
        if not wanted:
            raise bad("database_id", "be defined", MISSING, part="query")
        held = self._app.store.views.values()
        on = [
            view.id
            for view in held
            if all(getattr(view, key) == value for key, value in wanted.items())
        ]
        ids, cursor = paging.from_query(call.request, on)
        return listing([{"object": "view", "id": key} for key in ids], cursor, "view")

    def create(self, call: Call) -> JSON:
        """Make a view of a data source: a tab of a database, a linked database, or a widget."""
        body, app = call.body, self._app
        only(body, CREATE_KEYS)
        source = self._source(require_uuid(body.get("data_source_id", MISSING), "data_source_id"))
        name = require_text(body.get("name", MISSING), "name")
        kind = require_choice(body.get("type", MISSING), "type", VIEW_TYPES)
        dashboard = self._dashboard(body)
        view = View(
            app.ids.make("view", call.now), "", source.id, name, kind,
            call.now, call.user, call.now, call.user,
        )  # fmt: skip
        self._set(view, body, call)
        index = self._index(body.get("position"))
        if dashboard is not None:
            view.database_id, view.dashboard_id = dashboard.database_id, dashboard.id
            self._add_widget(dashboard, view, body.get("placement"))
        else:
            view.database_id = self._place(source, body, call)
        self._insert(view, index)
        app.events.view("created", view, call, view_type=view.type)
        return app.shapes.view(view)

    def _source(self, identifier: str) -> DataSource:
        source = self._app.store.source(identifier)
        if source is None or not self._app.store.is_shared(source):
            raise self._app.shapes.not_found("data_source", identifier)
        return source

    def _dashboard(self, body: JSON) -> View | None:
        """Return the dashboard that the new view is to be a widget of."""
        if body.get("view_id") is None:
            return None
        identifier = require_uuid(body["view_id"], "view_id")
        view = self._app.store.views.get(identifier)
        if view is None:
            raise self._app.shapes.not_found("view", identifier)
        if view.type != "dashboard":
            raise invalid(f"View {identifier} is a {view.type}, not a dashboard.")
        return view

    def _place(self, source: DataSource, body: JSON, call: Call) -> str:
        """Return the database of the new view: the one named, its source's, or a new one linked."""
        store = self._app.store
        if body.get("create_database") is None:
            identifier = require_uuid(body.get("database_id", source.parent[1]), "database_id")
            if not isinstance(store.nodes.get(identifier), Database):
                raise self._app.shapes.not_found("database", identifier)
            return identifier
        given = require_dict(body["create_database"], "create_database")
        parent = container(self._app, given.get("parent", MISSING), "create_database.parent")
        linked = Database(
            self._app.ids.uuid4(), parent, call.now, call.user, call.now, call.user,
            title=list(source.title), is_inline=True,
        )  # fmt: skip
        above, index = store.nodes[parent[1]], None
        if given.get("position") is not None:
            where = "create_database.position"
            position = require_dict(given["position"], where)
            after = require_uuid(position.get("block_id", MISSING), f"{where}.block_id")
            if after not in above.children:
                raise invalid(f"Block with ID {after} is not a child of {above.id}.")
            index = above.children.index(after) + 1
        store.attach(linked, index)
        return linked.id

    def _add_widget(self, dashboard: View, view: View, given: object) -> None:
        rows = dashboard.configuration.setdefault("rows", [])
        place = {"type": "new_row"} if given is None else require_dict(given, "placement")
        kinds = ("new_row", "existing_row")
        kind = require_choice(place.get("type", MISSING), "placement.type", kinds)
        index = place.get("row_index", len(rows) if kind == "new_row" else MISSING)
        most = len(rows) - (kind == "existing_row")
        if not isinstance(index, int) or not 0 <= index <= most:
            raise bad("placement.row_index", f"be between `0` and `{most}`", index)
        if kind == "new_row":
            rows.insert(index, {"id": self._app.ids.uuid4(), "widgets": []})
        rows[index]["widgets"].append({"id": self._app.ids.uuid4(), "view_id": view.id})

    def _index(self, given: object) -> int:
        """Return where a view goes among the others: at the end, if no position is given."""
        views = self._app.store.views
        position = {"type": "end"} if given is None else require_dict(given, "position")
        kinds = ("start", "end", "after_view")
        kind = require_choice(position.get("type", MISSING), "position.type", kinds)
        if kind != "after_view":
            return 0 if kind == "start" else len(views)
        after = require_uuid(position.get("view_id", MISSING), "position.view_id")
        if after not in views:
            raise self._app.shapes.not_found("view", after)
        return list(views).index(after) + 1

    def _insert(self, view: View, index: int) -> None:
        views = self._app.store.views
        others = list(views.values())
        others.insert(index, view)
        views.clear()
        views.update({one.id: one for one in others})

    def _set(self, view: View, body: JSON, call: Call) -> None:
        source = self._source(view.data_source_id)
        filters = Filters(source, self._app.values, call.now, call.user)
        if body.get("filter") is not None:
            filters.compile(body["filter"])
        if body.get("sorts") is not None:
            Query(
                self._app.store, self._app.values, source, source.live, self._app.orders
            ).check_sorts(body["sorts"])
        if "quick_filters" in body:
            view.quick_filters = quick(view.quick_filters, body["quick_filters"], filters)
        if "name" in body:
            view.name = require_text(body["name"], "name")
        if "filter" in body:
            view.filter = body["filter"]
        if "sorts" in body:
            view.sorts = body["sorts"]
        if body.get("configuration") is not None:
            given = require_dict(body["configuration"], "configuration")
            if given.get("type", view.type) != view.type:
                raise bad("configuration.type", f'be `"{view.type}"`', given["type"])
            view.configuration = {**view.configuration, **given}

    def update(self, call: Call) -> JSON:
        """Change a view's name, filter, sorts or configuration."""
        view = self._view(call)
        only(call.body, ("name", "filter", "sorts", "configuration", "quick_filters"))
        self._set(view, call.body, call)
        view.edited, view.edited_by = call.now, call.user
        told = [name for name in ("name", "filter", "sorts", "configuration") if name in call.body]
        self._app.events.view("updated", view, call, updated_fields=told)
        return self._app.shapes.view(view)

    def delete(self, call: Call) -> JSON:
        """Remove a view; the last one of a database stays."""
        view = self._view(call)
        views = self._app.store.views
        if (
            view.dashboard_id is None
            and sum(other.database_id == view.database_id for other in views.values()) == 1
        ):
            raise invalid("Cannot delete the last view of a database.")
        del views[view.id]
        self._app.events.view("deleted", view, call)
        shown = self._app.shapes.view(view)
        return {key: shown[key] for key in ("object", "id", "parent", "type")}

    def query(self, call: Call) -> JSON:
        """Run a view's query and keep the results for a while."""
        view, app = self._view(call), self._app
        source = app.store.source(view.data_source_id)
        assert isinstance(source, DataSource)  # noqa: S101 - checked when the view was made
        ids = self._run(view, source, call)
        identifier = app.ids.uuid4()
        expires = call.now + QUERY_LIFETIME
        view.queries[identifier] = (expires, ids)
        found, cursor = paging.from_body(call.body, ids)
        return {
            "object": "view_query",
            "id": identifier,
            "view_id": view.id,
            "expires_at": times.exact(expires),
            "total_count": len(ids),
            "results": [{"object": "page", "id": key} for key in found],
            "next_cursor": cursor,
            "has_more": cursor is not None,
        }

    def _run(self, view: View, source: DataSource, call: Call) -> list[str]:
        """Return the ids of all rows of a view."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            body = {"filter": view.filter, "sorts": view.sorts, "start_cursor": cursor}
            app = self._app
            query = Query(app.store, app.values, source, source.live, app.orders)
            filters = Filters(source, self._app.values, call.now, call.user)
            pages, cursor, _ = query.run(body, filters)
            found += [page.id for page in pages]
            if cursor is None:
                return found

    def _results(self, call: Call) -> tuple[View, str]:
        view, identifier = self._view(call), call.path_id("query_id")
        held = view.queries.get(identifier)
        if held is None or held[0] < call.now:
            raise self._app.shapes.not_found("view_query", identifier)
        return view, identifier

    def results(self, call: Call) -> JSON:
        """Return kept results."""
        view, identifier = self._results(call)
        ids, cursor = paging.from_query(call.request, view.queries[identifier][1])
        return listing([{"object": "page", "id": key} for key in ids], cursor, "page")

    def forget(self, call: Call) -> JSON:
        """Drop kept results."""
        view, identifier = self._results(call)
        del view.queries[identifier]
        return {"object": "view_query", "id": identifier, "deleted": True}


def quick(held: JSON | None, given: object, filters: Filters) -> JSON | None:
    """Return quick filters, by column, after a change; null takes one, or all, away."""
    if given is None:
        return None
    found = dict(held or {})
    for name, condition in require_dict(given, "quick_filters").items():
        found.pop(name, None)
        if condition is not None:
            spot = f"quick_filters.{name}"
            filters.compile({"property": name, **require_dict(condition, spot)}, spot)
            found[name] = condition
    return found or None
