"""Event streams and batches."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson

from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Project, Task, Workspace
from syncd.sandbox.asana.errors import bad, missing, no_access, unknown
from syncd.sandbox.asana.events import Event
from syncd.sandbox.wire import Request, Response, query_pairs

PER_CALL = 100
PER_CALL_WORKSPACE = 1000
STREAMED = ("task", "project", "goal", "portfolio", "team", "user_task_list", "tag")


def get_events(call: Call) -> Response:
    """GET /events?resource=&sync=: 412 with a token at first, then what happened since."""
    gid = call.request.one("resource")
    if not gid:
        raise missing("resource")
    if not gid.isdigit():
        raise bad(f"resource: Not a recognized ID: {gid}")
    return _events(call, gid, PER_CALL)


def project_events(call: Call, project: str) -> Response:
    """GET /projects/{gid}/events: the same by path."""
    return _events(call, call.load(Project, project).gid, PER_CALL)


def task_events(call: Call, task: str) -> Response:
    """GET /tasks/{gid}/events: the same by path."""
    return _events(call, call.load(Task, task).gid, PER_CALL)


def workspace_events(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/events: up to 1000 a call."""
    return _events(call, call.load(Workspace, workspace).gid, PER_CALL_WORKSPACE)


def _events(call: Call, gid: str, most: int) -> Response:
    thing = call.store.objects.get(gid)
    if thing is None or (thing.KIND not in STREAMED and most == PER_CALL):
        raise unknown("resource", gid)
    if not can_see(call.store, call.user, thing):
        raise no_access(thing.KIND)
    found, token, more = call.streams.read(
        gid, call.request.one("sync") or None, call.store.now(), most
    )
    return call.reply([_show(call, event) for event in found], sync=token, has_more=more)


def _show(call: Call, event: Event) -> dict[str, Any]:
    record = event.record()
    if call.selection is None:
        shown: dict[str, Any] = call.view.nested(record)
        return shown
    picked: dict[str, Any] = call.view.pick(record, call.selection)
    return picked


# -- batch ------------------------------------------------------------------------------------

MOST_ACTIONS = 10
METHODS = ("get", "post", "put", "delete")
FORBIDDEN = ("/batch", "/attachments", "/organization_exports", "/exports")


def action_requests(call: Call) -> list[Request]:
    """Return the requests of a batch; refuse the batch when one cannot be part of one."""
    if not call.has("actions"):
        raise missing("actions")
    actions = call.listed("actions")
    if len(actions) > MOST_ACTIONS:
        raise bad(f"actions: Cannot have more than {MOST_ACTIONS} actions in a batch")
    return [_action(call, at, action) for at, action in enumerate(actions)]


def _action(call: Call, at: int, action: object) -> Request:
    if not isinstance(action, dict):
        raise bad(f"actions: [{at}]: Value is not a JSON object")
    method = str(action.get("method", "")).lower()
    path = action.get("relative_path")
    if not isinstance(path, str) or not path:
        raise bad(f"actions: [{at}]: relative_path: Missing input")
    if method not in METHODS:
        raise bad(f"actions: [{at}]: method: Not a valid value: {method}")
    bare, _, query = path.partition("?")
    bare = f"/{bare.lstrip('/')}"
    if bare.startswith(FORBIDDEN):
        raise bad(f"actions: [{at}]: relative_path: Cannot be used in a batch: {bare}")
    data, options = action.get("data") or {}, action.get("options") or {}
    if not isinstance(data, dict) or not isinstance(options, dict):
        raise bad(f"actions: [{at}]: data and options: Value is not a JSON object")
    return Request(
        method.upper(),
        f"/api/1.0{bare}",
        (*query_pairs(query), *_query(method, data, options)),
        {**call.request.headers, "content-type": "application/json"},
        b"" if method in {"get", "delete"} else orjson.dumps({"data": data, "options": options}),
        call.request.base_url,
    )


def _query(method: str, data: dict[str, Any], options: dict[str, Any]) -> tuple[Any, ...]:
    pairs = {} if method != "get" else {name: str(value) for name, value in data.items()}
    if fields := options.get("fields"):
        if not isinstance(fields, list) or any(not isinstance(name, str) for name in fields):
            raise bad("options: fields: Value is not a list of strings")
        pairs["opt_fields"] = ",".join(fields)
    for name in ("limit", "offset"):
        if options.get(name) is not None:
            pairs[name] = str(options[name])
    return query_pairs(urlencode(pairs))


def batch_row(answer: Response) -> dict[str, Any]:
    """Return one row of a batch's answer."""
    headers = {"location": answer.headers["location"]} if "location" in answer.headers else {}
    return {
        "status_code": answer.status,
        "headers": headers,
        "body": orjson.loads(answer.body),
    }


ROUTES = (
    ("GET", "/events", get_events),
    ("GET", "/projects/{project}/events", project_events),
    ("GET", "/tasks/{task}/events", task_events),
    ("GET", "/workspaces/{workspace}/events", workspace_events),
)
