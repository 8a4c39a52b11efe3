"""Pages as Markdown, asynchronous tasks, views, file uploads, custom emojis."""

from __future__ import annotations

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from syncd.sandbox.notion import paging, times
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.blocks import ARCHIVED
from syncd.sandbox.notion.checks import (
    only,
    require_choice,
    require_dict,
    require_list,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.files import LIFETIME
from syncd.sandbox.notion.filters import Filters
from syncd.sandbox.notion.ids import plain
from syncd.sandbox.notion.markdown import Document, edited
from syncd.sandbox.notion.query import Query
from syncd.sandbox.notion.shapes import listing
from syncd.sandbox.notion.store import Block, Database, DataSource, Node, Page, Upload, View

JSON = dict[str, Any]
POLL_SECONDS = 2
QUERY_LIFETIME = 900  # seconds the results of a view query are kept
VIEW_TYPES = (
    "table", "board", "list", "calendar", "timeline", "gallery", "form", "chart", "map",
    "dashboard",
)  # fmt: skip
CONTENT_TYPES = {
    "txt": "text/plain", "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg",
    "jpeg": "image/jpeg", "gif": "image/gif", "svg": "image/svg+xml", "mp4": "video/mp4",
    "mp3": "audio/mpeg", "csv": "text/csv", "json": "application/json", "zip": "application/zip",
}  # fmt: skip


class Markdown:
    """/v1/pages/{id}/markdown and /v1/async_tasks/{id}."""

    def __init__(self, app: App) -> None:
        self._app = app

    def _node(self, call: Call) -> Node:
        node = self._app.node(call, "page_id", "page")
        if not isinstance(node, Page | Block):
            raise self._app.shapes.not_found("page", node.id)
        return node

    def get(self, call: Call) -> JSON:
        """Return a page's content (or what is under a block)."""
        return self._show(self._node(call))

    def _show(self, node: Node) -> JSON:
        document = Document(self._app, node)
        return {
            "object": "page_markdown",
            "id": node.id,
            "markdown": document.text(),
            "truncated": False,
            "unknown_block_ids": document.unknown,
        }

    def update(self, call: Call) -> tuple[int, JSON]:
        """Change a page's content; with allow_async the answer is a task."""
        node, app = self._node(call), self._app
        if app.store.is_trashed(node):
            raise invalid(ARCHIVED)
        document = Document(app, node)
        text, allow = edited(document.text(), call.body)
        before = app.store.children(node)
        document.replace(text, call.now, call.user, allow_deleting=allow)
        app.touch(node, call)
        after = app.store.children(node)
        changed = [each for each in (*before, *after) if each not in before or each not in after]
        app.events.content(node, changed or after, call)
        if call.body.get("allow_async") is True:
            return 202, self._queue(node, call)
        return 200, self._show(node)

    def _queue(self, node: Node, call: Call) -> JSON:
        identifier = f"task_{plain(self._app.ids.uuid4())}"
        task = {
            "object": "async_task",
            "id": identifier,
            "status": "queued",
            "status_url": f"{call.request.base_url}/v1/async_tasks/{identifier}",
            "created_time": times.zulu(call.now),
            "poll_after_seconds": POLL_SECONDS,
            "operation": {"surface": "rest", "name": "PATCH /v1/pages/:page_id/markdown"},
        }
        done = {key: value for key, value in task.items() if key != "poll_after_seconds"}
        shown = self._show(node)
        self._app.store.tasks[identifier] = {**done, "status": "succeeded", "result": shown}
        return task

    def task(self, call: Call) -> JSON:
        """Return an asynchronous task; it is done as soon as anyone asks."""
        task = self._app.store.tasks.get(call.values["task_id"])
        if task is None:
            raise self._app.shapes.not_found("async_task", call.values["task_id"])
        return task


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
        """Make a view of a data source in a database."""
        body, app = call.body, self._app
        source_id = require_uuid(body.get("data_source_id", MISSING), "data_source_id")
        source = app.store.source(source_id)
        if source is None:
            raise app.shapes.not_found("data_source", source_id)
        database_id = require_uuid(body.get("database_id", source.parent[1]), "database_id")
        if not isinstance(app.store.nodes.get(database_id), Database):
            raise app.shapes.not_found("database", database_id)
        view = View(
            app.ids.make("view", call.now), database_id, source_id,
            require_text(body.get("name", ""), "name"),
            require_choice(body.get("type", MISSING), "type", VIEW_TYPES),
            call.now, call.user, call.now, call.user,
        )  # fmt: skip
        self._set(view, body, call)
        app.store.views[view.id] = view
        app.events.view("created", view, call, view_type=view.type)
        return app.shapes.view(view)

    def _set(self, view: View, body: JSON, call: Call) -> None:
        source = self._app.store.source(view.data_source_id)
        if body.get("filter") is not None and source is not None:
            Filters(source, self._app.values, call.now, call.user).compile(body["filter"])
        if "name" in body:
            view.name = require_text(body["name"], "name")
        if "filter" in body:
            view.filter = body["filter"]
        if "sorts" in body:
            view.sorts = None if body["sorts"] is None else require_list(body["sorts"], "sorts")
        if body.get("configuration") is not None:
            view.configuration = require_dict(body["configuration"], "configuration")

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
        if sum(other.database_id == view.database_id for other in views.values()) == 1:
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


class Uploads:
    """/v1/file_uploads and /v1/custom_emojis."""

    def __init__(self, app: App) -> None:
        self._app = app

    def _upload(self, call: Call) -> Upload:
        identifier = call.path_id("file_upload_id")
        upload = self._app.store.uploads.get(identifier)
        if upload is None:
            raise self._app.shapes.not_found("file_upload", identifier)
        return self._aged(upload, call)

    def _aged(self, upload: Upload, call: Call) -> Upload:
        if upload.status == "pending" and call.now > upload.created + LIFETIME:
            upload.status = "expired"
        return upload

    def create(self, call: Call) -> JSON:
        """Announce a file."""
        body, app = call.body, self._app
        mode = body.get("mode", "single_part")
        require_choice(mode, "mode", ("single_part", "multi_part", "external_url"))
        name = body.get("filename")
        if mode != "single_part" or name is not None:
            name = require_text(name if name is not None else MISSING, "filename", 900)
        kind = body.get("content_type") or content_type(name)
        upload = Upload(
            app.ids.make("file_upload", call.now), call.now, call.now, call.user, mode, name, kind
        )
        if mode == "multi_part":
            upload.parts_total = _parts(body.get("number_of_parts", MISSING))
        if mode == "external_url":
            require_text(body.get("external_url", MISSING), "external_url")
        app.store.uploads[upload.id] = upload
        app.events.upload("created", upload, call)
        shown = self._show(upload, call)
        if mode == "external_url":  # imported in the background; done when next looked at
            upload.status, upload.length, upload.imported = "uploaded", 0, call.now
        return shown

    def get(self, call: Call) -> JSON:
        """Return a file upload."""
        return self._show(self._upload(call), call)

    def index(self, call: Call) -> JSON:
        """Return file uploads, newest first."""
        wanted = call.request.one("status")
        held = self._app.store.uploads
        on = [key for key in reversed(held) if wanted in (None, self._aged(held[key], call).status)]
        ids, cursor = paging.from_query(call.request, on)
        return listing([self._show(held[key], call) for key in ids], cursor, "file_upload")

    def send(self, call: Call) -> JSON:
        """Take the bytes of a file or of one part."""
        upload = self._upload(call)
        if upload.status != "pending":
            raise invalid(f"File upload {upload.id} is not pending; its status is {upload.status}.")
        form = read_form(call.request.headers, call.request.body)
        if "file" not in form:
            raise bad("file", "be defined", MISSING)
        name, kind, data = form["file"]
        upload.filename = upload.filename or name or "file"
        upload.content_type = upload.content_type or kind
        number = form.get("part_number", ("", "", b"1"))[2].decode()
        if not number.isdigit() or not 1 <= int(number) <= upload.parts_total:
            raise bad("part_number", f"be between `1` and `{upload.parts_total}`", number)
        upload.parts[int(number)] = len(data)
        upload.edited = call.now
        if upload.mode == "single_part":
            self._finish(upload, call)
        return self._show(upload, call)

    def complete(self, call: Call) -> JSON:
        """Close an upload of several parts."""
        upload = self._upload(call)
        if upload.mode != "multi_part" or upload.status != "pending":
            raise invalid(f"File upload {upload.id} cannot be completed.")
        if len(upload.parts) != upload.parts_total:
            raise invalid(
                f"File upload {upload.id} has {len(upload.parts)} of {upload.parts_total} parts."
            )
        upload.edited = call.now
        self._finish(upload, call)
        return self._show(upload, call)

    def _finish(self, upload: Upload, call: Call) -> None:
        upload.status, upload.length = "uploaded", sum(upload.parts.values())
        self._app.events.upload("completed", upload, call)

    def _show(self, upload: Upload, call: Call) -> JSON:
        base = f"{call.request.base_url}/v1/file_uploads/{upload.id}"
        pending = upload.status == "pending"
        user = self._app.store.users[upload.created_by]
        shown: JSON = {
            "object": "file_upload",
            "id": upload.id,
            "created_time": times.rounded(upload.created),
            "created_by": {"id": user.id, "type": user.kind},
            "last_edited_time": times.rounded(upload.edited),
            "expiry_time": times.rounded(upload.created + LIFETIME),
            **({"upload_url": f"{base}/send"} if pending else {}),
            **(
                {"complete_url": f"{base}/complete"}
                if pending and upload.mode == "multi_part"
                else {}
            ),
            "in_trash": False,
            "status": upload.status,
            "filename": upload.filename,
            "content_type": upload.content_type,
            "content_length": upload.length,
        }
        if upload.mode == "multi_part":
            shown["number_of_parts"] = {"total": upload.parts_total, "sent": len(upload.parts)}
        if upload.imported is not None:
            shown["file_import_result"] = {
                "type": "success",
                "success": {},
                "imported_time": times.exact(upload.imported),
            }
        if self._app.shapes.legacy:
            shown["archived"] = False
        return shown

    def emojis(self, call: Call) -> JSON:
        """Return the workspace's own emojis."""
        held = {str(one["id"]): one for one in self._app.store.emojis}
        ids, cursor = paging.from_query(call.request, list(held))
        return {
            "object": "list",
            "type": "custom_emoji",
            "results": [held[key] for key in ids],
            "has_more": cursor is not None,
            "next_cursor": cursor,
        }


def content_type(name: str | None) -> str | None:
    """Return the type a file's name tells."""
    return CONTENT_TYPES.get((name or "").rpartition(".")[2].lower())


def _parts(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10_000:  # noqa: PLR2004 - documented
        raise bad("number_of_parts", "be a number between `1` and `10000`", value)
    return value


def read_form(headers: Mapping[str, str], body: bytes) -> dict[str, tuple[str, str, bytes]]:
    """Return the parts of a multipart form by name: (file name, type, bytes)."""
    kind = headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise invalid("Content-Type header should be multipart/form-data.")
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    found = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(data, bytes):
            found[name] = (part.get_filename() or "", part.get_content_type(), data)
    return found
