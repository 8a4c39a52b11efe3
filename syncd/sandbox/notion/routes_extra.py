"""Pages as Markdown, asynchronous tasks, file uploads, custom emojis."""

from __future__ import annotations

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from syncd.sandbox.notion import paging, tasks, times
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.blocks import require_live
from syncd.sandbox.notion.checks import (
    require_choice,
    require_text,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.files import LIFETIME
from syncd.sandbox.notion.markdown import Document, edited
from syncd.sandbox.notion.shapes import listing
from syncd.sandbox.notion.store import Block, Node, Page, Upload
from syncd.sandbox.wire import whole

JSON = dict[str, Any]
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
        require_live(app.store, node)
        document = Document(app, node)
        text, allow = edited(document.text(), call.body)
        before = app.store.children(node)
        document.replace(text, call.now, call.user, allow_deleting=allow)
        app.touch(node, call)
        after = app.store.children(node)
        changed = [each for each in (*before, *after) if each not in before or each not in after]
        app.events.content(node, changed or after, call)
        shown = self._show(node)
        if tasks.wants(call):
            return tasks.queue(app, call, "PATCH /v1/pages/:page_id/markdown", shown)
        return 200, shown

    def task(self, call: Call) -> JSON:
        """Return an asynchronous task; it is done as soon as anyone asks."""
        task = self._app.store.tasks.get(call.values["task_id"])
        if task is None:
            raise self._app.shapes.not_found("async_task", call.values["task_id"])
        return task


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
        text = form.get("part_number", ("", "", b"1"))[2].decode("utf8", "replace")
        number = whole(text)
        if number is None or not 1 <= number <= upload.parts_total:
            raise bad("part_number", f"be between `1` and `{upload.parts_total}`", text)
        upload.parts[number] = len(data)
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
        name = call.request.one("name")
        emojis = self._app.store.emojis
        held = {str(one["id"]): one for one in emojis if name in (None, one["name"])}
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
