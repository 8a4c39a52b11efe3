"""Routes of files on issues."""

from __future__ import annotations

import mimetypes
from email.parser import BytesParser
from email.policy import HTTP
from functools import partial

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import record
from syncd.sandbox.jira.model import Attachment, ChangeItem, Issue
from syncd.sandbox.jira.problems import ApiError, missing
from syncd.sandbox.jira.render import attachment as shape
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Request, Response

MAX_SIZE = 10_485_760
MAX_ATTACHMENTS = 2000


def upload(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/attachments: a form with one or more parts named `file`."""
    issue = call.issue_to_change(key)
    if call.request.headers.get("x-atlassian-token", "").lower() not in {"no-check", "nocheck"}:
        return Response(403, b"XSRF check failed", {"content-type": "text/html;charset=UTF-8"})
    store, author, now = call.store, call.me().account_id, call.store.now()
    files = _files(call.request)
    rows = store.attachments.get(issue.id, [])
    if len(rows) + len(files) > MAX_ATTACHMENTS:
        raise ApiError(413, f"An issue can have no more than {MAX_ATTACHMENTS} attachments.")
    made = []
    for name, kind, content in files:
        if len(content) > MAX_SIZE:
            raise ApiError(413, f"The file is {len(content)} bytes, but the largest permitted size"
                                f" is {MAX_SIZE} bytes.")  # fmt: skip
        number = str(store.number("attachment"))
        made.append(Attachment(number, name, kind, content, author, now))
    store.attachments[issue.id] = [*rows, *made]
    items = [ChangeItem("Attachment", "attachment", None, None, f.id, f.name) for f in made]
    record(store, issue, author, items)
    for item in made:
        _tell(call, "created", issue, item)
    return call.ok([shape(call.shapes, item) for item in made])


def _tell(call: Call, what: str, issue: Issue, item: Attachment) -> None:
    make = partial(shape, item=item)
    happenings.hanging(call.store, "attachment", what, issue, make)


def _files(request: Request) -> list[tuple[str, str, bytes]]:
    """Return (name, media type, content) of the parts named `file` of a form; raises 415, 400."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise ApiError(415, "Unsupported Media Type")
    head = f"content-type: {kind}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    found = []
    for part in form.iter_parts() if form.is_multipart() else ():
        if part.get_param("name", header="content-disposition") != "file":
            continue
        name = part.get_filename() or "file"
        content = part.get_payload(decode=True)
        guess = mimetypes.guess_type(name)[0] or "application/octet-stream"
        told = part.get_content_type() if "content-type" in part else guess
        found.append((name, told, content if isinstance(content, bytes) else b""))
    if not found:
        raise ApiError(400, "No file was attached: the form needs a part named 'file'.")
    return found


def _find(call: Call, number: str) -> tuple[Issue, Attachment]:
    for issue_id, rows in call.store.attachments.items():
        for item in rows:
            if item.id == number and call.sees(call.store.issues[issue_id]):
                return call.store.issues[issue_id], item
    raise missing(f"The attachment with id '{number}' does not exist")


def read(call: Call, number: str) -> Response:
    """GET attachment/{id}: here the id is a number."""
    return call.ok({**shape(call.shapes, _find(call, number)[1]), "id": int(number)})


def content(call: Call, number: str) -> Response:
    """GET attachment/content/{id}: a redirect, or with `redirect=false` the file itself."""
    item = _find(call, number)[1]
    if call.flag("redirect", default=True):
        address = f"{call.shapes.api}/attachment/content/{number}?redirect=false"
        return Response(303, headers={"location": address})
    quoted = item.name.replace('"', "'")
    headers = {"content-type": item.kind, "content-disposition": f'attachment; filename="{quoted}"'}
    return Response(200, item.content, headers)


def delete(call: Call, number: str) -> Response:
    """DELETE attachment/{id}."""
    issue, item = _find(call, number)
    call.issue_to_change(issue.id)
    call.store.attachments[issue.id].remove(item)
    change = ChangeItem("Attachment", "attachment", item.id, item.name, None, None)
    record(call.store, issue, call.me().account_id, [change])
    _tell(call, "deleted", issue, item)
    return call.done()


def settings(call: Call) -> Response:
    """GET attachment/meta."""
    call.me()
    return call.ok({"enabled": True, "uploadLimit": MAX_SIZE})


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("POST", "/issue/{key}/attachments", upload),
        ("GET", "/attachment/meta", settings),
        ("GET", "/attachment/content/{number}", content),
        ("GET", "/attachment/{number}", read),
        ("DELETE", "/attachment/{number}", delete),
    ):
        routes.add(method, path, handler)
