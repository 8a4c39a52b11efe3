"""Pages and their property items."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion import files, mdread, paging, richtext, tasks
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.blocks import Draft, require_live
from syncd.sandbox.notion.checks import (
    only,
    page_size,
    require_bool,
    require_choice,
    require_dict,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.ids import encode_property
from syncd.sandbox.notion.routes_databases import (
    container,
    refuse_cycle,
    set_trash,
    wanted_properties,
)
from syncd.sandbox.notion.schema import find
from syncd.sandbox.notion.shapes import listing
from syncd.sandbox.notion.store import Database, DataSource, Node, Page, Prop
from syncd.sandbox.notion.templates import Settled
from syncd.sandbox.notion.times import zone_exists

JSON = dict[str, Any]
CREATE_KEYS = (
    "parent", "properties", "icon", "cover", "content", "children", "markdown", "template",
    "position", "allow_async",
)  # fmt: skip
UPDATE_KEYS = (
    "properties", "icon", "cover", "is_locked", "template", "erase_content", "in_trash",
    "archived", "is_archived",
)  # fmt: skip
LISTED = ("title", "rich_text", "people", "relation")


class Pages:
    """/v1/pages."""

    def __init__(self, app: App) -> None:
        self._app = app

    def get(self, call: Call) -> JSON:
        """Return a page."""
        page = self._app.page(call)
        return self._app.shapes.page(page, self._wanted(self._app.store.source_of(page), call))

    def _wanted(self, source: DataSource | None, call: Call) -> frozenset[str] | None:
        """Return the columns to show; a wrong name is told before anything is written."""
        return wanted_properties(source, call) if source else None

    def create(self, call: Call) -> JSON | tuple[int, JSON]:
        """Make a page: a row of a data source, or a page inside a page or the workspace."""
        body, app = call.body, self._app
        only(body, CREATE_KEYS)
        parent, source = self._parent(body)
        values = self._values(source, body.get("properties", MISSING))
        drafts = self._drafts(body)
        if body.get("markdown") is not None and "title" not in values:
            values |= _title_of(drafts)
        page = Page(
            app.ids.make("page", call.now), parent, call.now, call.user, call.now, call.user
        )
        self._decorate(page, body)
        index = self._place(parent, body)
        template = self._template(source, body.get("template"), call)
        wanted = self._wanted(source, call)
        if source is not None:
            app.values.fill(source, page)
        app.store.attach(page, index)
        self._store_values(page, source, values, call)
        app.trees.insert(page, drafts, None, call.now, call.user)
        if template is not None:
            self._use_template(page, template, call)
        app.events.created(page, call)
        shown = app.shapes.page(page, wanted)
        if tasks.wants(call):
            return tasks.queue(app, call, "POST /v1/pages", shown)
        return shown

    def _parent(self, body: JSON) -> tuple[tuple[str, str], DataSource | None]:
        given = body.get("parent", MISSING)
        if given is MISSING:
            return ("workspace", ""), None
        parent = require_dict(given, "parent")
        source: DataSource | None = None
        if "data_source_id" in parent:
            source = self._source(parent)
        elif "database_id" in parent:
            source = self._only_source(parent)
        if source is None:
            kinds = ("page_id", "database_id", "data_source_id", "workspace")
            return container(self._app, parent, kinds=kinds), None
        require_live(self._app.store, source)
        return ("data_source_id", source.id), source

    def _source(self, parent: JSON) -> DataSource:
        identifier = require_uuid(parent["data_source_id"], "parent.data_source_id")
        source = self._app.store.source(identifier)
        if source is None or not self._app.store.is_shared(source):
            raise self._app.shapes.not_found("data_source", identifier)
        return source

    def _only_source(self, parent: JSON) -> DataSource:
        identifier = require_uuid(parent["database_id"], "parent.database_id")
        database = self._app.store.nodes.get(identifier)
        if not isinstance(database, Database) or not self._app.store.is_shared(database):
            raise self._app.shapes.not_found("database", identifier)
        if len(database.data_sources) != 1:
            raise invalid(
                "Databases with multiple data sources are not supported in this API endpoint; "
                "use data_source_id."
            )
        source = self._app.store.source(database.data_sources[0])
        assert source is not None  # noqa: S101 - a database's sources exist
        return source

    def _values(self, source: DataSource | None, given: object) -> dict[str, Any]:
        if source is not None:
            return self._app.values.parse(source, given, "properties")
        if given is MISSING:
            return {}
        wanted = require_dict(given, "properties")
        for name in wanted:
            if name != "title":
                raise invalid(f"{name} is not a property that exists.")
        if "title" not in wanted:
            return {}
        value = wanted["title"]
        if isinstance(value, dict):
            value = value.get("title", MISSING)
        title = richtext.parse(value, "properties.title.title", self._app.shapes.mention)
        return {"title": richtext.RichText(title)}

    def _drafts(self, body: JSON) -> list[Draft]:
        if body.get("markdown") is not None:
            if body.get("children"):
                raise bad("children", "be not present", body["children"])
            text = require_text(body["markdown"], "markdown")
            return mdread.parse(text, self._app.shapes.mention)
        children = body.get("children", body.get("content"))
        return [] if children is None else self._app.trees.parse(children, "children")

    def _decorate(self, page: Page, body: JSON) -> None:
        if "icon" in body:
            page.icon = files.icon(self._app.store, body["icon"], "icon")
        if "cover" in body:
            page.cover = files.cover(self._app.store, body["cover"], "cover")

    def _place(self, parent: tuple[str, str], body: JSON) -> int | None:
        if body.get("position") is None:
            return None
        given = require_dict(body["position"], "position")
        kinds = ("after_block", "page_start", "page_end")
        kind = require_choice(given.get("type", MISSING), "position.type", kinds)
        above = self._app.store.nodes.get(parent[1])
        if above is None or parent[0] == "data_source_id":
            raise bad("position", "be not present", given)
        if kind != "after_block":
            return 0 if kind == "page_start" else None
        target = require_dict(given.get("after_block", MISSING), "position.after_block")
        identifier = require_uuid(target.get("id", MISSING), "position.after_block.id")
        if identifier not in above.children:
            raise invalid(f"Block with ID {identifier} is not a child of {above.id}.")
        return above.children.index(identifier) + 1

    def _template(
        self, source: DataSource | None, given: object, call: Call
    ) -> tuple[Page, Settled] | None:
        """Return the template a request asks for, and what its mentions are to become."""
        if given is None:
            return None
        body = require_dict(given, "template")
        kinds = ("none", "default", "template_id")
        kind = require_choice(body.get("type", MISSING), "template.type", kinds)
        if kind == "none":
            return None
        if kind == "template_id":
            identifier = require_uuid(body.get("template_id", MISSING), "template.template_id")
        else:
            held = source.templates if source else []
            found = next((key for key, _name, default in held if default), None)
            if found is None:
                raise invalid("The data source has no default template.")
            identifier = found
        template = self._app.store.page(identifier)
        if template is None:
            raise self._app.shapes.not_found("page", identifier)
        zone = require_text(body.get("timezone", "UTC"), "template.timezone")
        if not zone_exists(zone):
            raise bad("template.timezone", "be a valid IANA time zone", zone)
        user = self._app.shapes.whole_user(self._app.store.users[call.user])
        return template, Settled(user, call.now, zone)

    def _use_template(self, page: Page, chosen: tuple[Page, Settled], call: Call) -> None:
        template, settled = chosen
        for key, value in template.values.items():
            if not page.values.get(key):
                page.values[key] = settled.value(value)
        self._app.trees.copy(template, page, call.now, call.user, settled.content)

    def _store_values(
        self, page: Page, source: DataSource | None, values: dict[str, Any], call: Call
    ) -> None:
        if source is None:
            page.values.update(values)
            return
        for other in self._app.values.apply(source, page, values):
            if other is not page:
                self._app.touch(other, call)
                self._app.events.properties(other, self._synced(source, other, values), call)

    def _synced(self, source: DataSource, other: Page, values: dict[str, Any]) -> list[str]:
        """Return the columns of another page that are the other side of relations just set."""
        theirs = self._app.store.source_of(other)
        ids = (source.properties[key].config.get("synced") for key in values)
        return [key for key in ids if key and theirs and key in theirs.properties]

    def update(self, call: Call) -> JSON:
        """Change properties, icon, cover, lock, archive or trash."""
        page, body, app = self._app.page(call), call.body, self._app
        only(body, UPDATE_KEYS)
        flag = call.trash_flag()
        require_live(app.store, page, restoring=flag is False)
        source = app.store.source_of(page)
        values = self._values(source, body.get("properties", MISSING))
        locked = require_bool(body.get("is_locked", page.is_locked), "is_locked")
        archived = require_bool(body.get("is_archived", page.is_archived), "is_archived")
        template = self._template(source, body.get("template"), call)
        wanted = self._wanted(source, call)
        self._decorate(page, body)
        before, erased = dict(page.values), list[Node]()
        turned, page.is_locked = page.is_locked != locked, locked
        if archived != page.is_archived:
            self._archive(page, archived=archived)
        self._store_values(page, source, values, call)
        if body.get("erase_content"):
            erased = app.store.children(page)
            for child in erased:
                child.in_trash = True
        if template is not None:
            self._use_template(page, template, call)
        if flag is not None:
            set_trash(app, page, call, trashed=flag)
        app.touch(page, call)
        app.events.properties(page, _differing(before, page.values), call)
        app.events.content(page, erased, call)
        if turned:
            app.events.locked(page, call)
        return app.shapes.page(page, wanted)

    def _archive(self, page: Page, *, archived: bool) -> None:
        source = self._app.store.source_of(page)
        if source is None:
            page.is_archived = archived
            return
        source.rows_for(page).remove(page)
        page.is_archived = archived
        source.rows_for(page).add(page)

    def move(self, call: Call) -> JSON:
        """Give a page another parent; values whose column has the same name and type stay."""
        page, body, app = self._app.page(call), call.body, self._app
        only(body, ("parent",))
        require_live(app.store, page)
        require_dict(body.get("parent", MISSING), "parent")
        parent, source = self._parent(body)
        refuse_cycle(app, page, parent[1])
        old, above = app.store.source_of(page), app.store.above(page)
        app.store.detach(page)
        page.parent = parent
        page.values = carried(page, old, source)
        if source is not None:
            app.values.fill(source, page)
        app.store.attach(page)
        app.events.moved(page, above, call)
        return app.shapes.page(page)

    def property_item(self, call: Call) -> JSON:
        """Return one property: a list for text, people and relations, else the value."""
        page = self._app.page(call)
        source = self._app.store.source_of(page)
        name = call.values["property_id"]
        prop = find(source, name) if source else Prop("title", "title", "title")
        if prop is None or (source is None and name not in ("title", "Title")):
            raise invalid(f"{name} is not a property that exists.")
        if prop.type in LISTED:
            return self._listed(page, source, prop, call)
        assert source is not None  # noqa: S101 - only rows have such columns
        value = self._app.values.shown(source, prop, page)
        if prop.type == "verification" and value["verified_by"]:
            value["verified_by"] = self._app.shapes.partial_user(value["verified_by"]["id"])
        shown: JSON = {"object": "property_item", "type": prop.type, "id": encode_property(prop.id)}
        shown[prop.type] = value
        if prop.type == "rollup" and value["type"] == "array":
            return self._rolled(prop, value, call)
        return shown

    def _rolled(self, prop: Prop, value: JSON, call: Call) -> JSON:
        items = [
            {"object": "property_item", "id": encode_property(prop.config["rollup"]), **item}
            for item in value["array"]
        ]
        about: JSON = {"id": encode_property(prop.id), "next_url": None, "type": "rollup"}
        about["rollup"] = {**value, "array": []}
        return self._page_of(items, about, call)

    def _listed(self, page: Page, source: DataSource | None, prop: Prop, call: Call) -> JSON:
        if prop.type == "relation":
            held: list[Any] = [{"id": key} for key in self._app.values.related(prop, page)]
        elif source is None:
            held = page.values.get("title", [])
        else:
            held = self._app.values.shown(source, prop, page)
        identifier = encode_property(prop.id)
        items = [
            {"object": "property_item", "type": prop.type, "id": identifier, prop.type: value}
            for value in held
        ]
        about: JSON = {"id": identifier, "next_url": None, "type": prop.type, prop.type: {}}
        return self._page_of(items, about, call)

    def _page_of(self, items: list[JSON], about: JSON, call: Call) -> JSON:
        request = call.request
        size = page_size(request.one("page_size") or MISSING, part="query")
        places = [str(index) for index in range(len(items))]
        ids, cursor = paging.cut(places, size, request.one("start_cursor"), part="query")
        shown = listing([items[int(key)] for key in ids], cursor, "property_item")
        if cursor is not None:
            about["next_url"] = (
                f"{request.base_url}{request.path}?start_cursor={cursor}&page_size={size}"
            )
        shown["property_item"] = about
        return shown


def _differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the keys whose values are not the same."""
    keys = dict.fromkeys((*before, *after))
    return [key for key in keys if before.get(key) != after.get(key)]


def _title_of(drafts: list[Draft]) -> dict[str, Any]:
    """Take a heading off the top of a new page's Markdown: it is the title, if none is given."""
    if not drafts or drafts[0].type != "heading_1":
        return {}
    return {"title": richtext.RichText(drafts.pop(0).content["rich_text"])}


def carried(page: Page, old: DataSource | None, new: DataSource | None) -> dict[str, Any]:
    """Return the values a page keeps when it moves."""
    kept = {"title": page.values.get("title", [])}
    if old is None or new is None:
        return kept
    for key, value in page.values.items():
        prop = old.properties.get(key)
        other = find(new, prop.name) if prop else None
        if (
            prop
            and other
            and prop.type == other.type
            and "options" not in prop.config
            and prop.type != "relation"
        ):
            kept[other.id] = value
    return kept
