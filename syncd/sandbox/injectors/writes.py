"""Writes that are partly refused, accepted for later, silently ignored, or followed by an automation."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import orjson

from syncd.sandbox.injectors.answers import refusal
from syncd.sandbox.injectors.stage import Action, Json, Stage, loaded
from syncd.sandbox.wire import Response, json_response

_HOLDERS = {"jira": "fields", "asana": "data", "notion": "properties"}
_UPDATES = {
    "jira": ("PUT", re.compile(r"/rest/api/[23]/issue/[^/]+$")),
    "asana": ("PUT", re.compile(r"/tasks/\d+$")),
    "notion": ("PATCH", re.compile(r"^/v1/pages/[^/]+$")),
}


def is_update(stage: Stage) -> bool:
    """Tell whether the request changes fields of one item."""
    method, path = _UPDATES[stage.service]
    return stage.request.method == method and path.search(stage.request.path) is not None


def partly(stage: Stage) -> Response:
    """Refuse one element (`element`, from 0) of a bulk create or batch; the others take effect."""
    body, place = stage.sent(), int(stage.option("element", 0))
    if stage.service == "asana":
        return _asana_partly(stage, body, place)
    rows = body.get("issueUpdates")
    if not isinstance(rows, list) or len(rows) <= place:
        return stage.go_on()
    rest = [row for at, row in enumerate(rows) if at != place]
    made: dict[str, Json] = {"issues": [], "errors": []}
    if rest:
        made = loaded(stage.proceed(stage.with_json({**body, "issueUpdates": rest})).body)
    error = {"errorMessages": [], "errors": {"summary": "This element was refused."}}
    row = {"status": 400, "elementErrors": error, "failedElementNumber": place}
    made["errors"] = [row, *made.get("errors", [])]
    return json_response(made, 201)


def _asana_partly(stage: Stage, body: dict[str, Json], place: int) -> Response:
    actions = (body.get("data") or {}).get("actions")
    if not isinstance(actions, list) or len(actions) <= place:
        return stage.go_on()
    rest = [row for at, row in enumerate(actions) if at != place]
    rows = []
    if rest:
        done = stage.proceed(stage.with_json({**body, "data": {**body["data"], "actions": rest}}))
        rows = loaded(done.body).get("data", [])
    refused = {"status_code": 400, "headers": {}, "body": {
        "errors": [{"message": "This action was refused.", "help": ""}]}}  # fmt: skip
    return json_response({"data": [*rows[:place], refused, *rows[place:]]})


def ignored(stage: Stage) -> Response:
    """Accept an update and leave `field` (default: the first one sent) as it was."""
    holder, body = _HOLDERS[stage.service], stage.sent()
    fields = body.get(holder)
    if not is_update(stage) or not isinstance(fields, dict) or not fields:
        return stage.go_on()
    name = stage.option("field") or next(iter(fields))
    kept = {key: value for key, value in fields.items() if key != name}
    if kept or stage.service != "jira" or set(body) - {"fields"}:
        return stage.proceed(stage.with_json({**body, holder: kept}))
    return Response(204)


def automation(stage: Stage) -> Response:
    """After an update let a rule of the site change another field (`change`, in the API's form)."""
    answer = stage.go_on()
    if not is_update(stage) or answer.status >= 400:  # noqa: PLR2004 - HTTP
        return answer
    change = stage.option("change") or _default_change(stage)
    method, holder = _UPDATES[stage.service][0], _HOLDERS[stage.service]
    stage.ask(method, stage.request.path, {holder: change})
    return answer


def _default_change(stage: Stage) -> dict[str, Json]:
    later = (datetime.fromtimestamp(stage.now, UTC) + timedelta(days=7)).date().isoformat()
    if stage.service == "jira":
        return {"labels": ["automation"]}
    if stage.service == "asana":
        return {"due_on": later}
    page = stage.ask("GET", stage.request.path)
    dates = [name for name, value in page["properties"].items() if value["type"] == "date"]
    if dates:
        return {dates[0]: {"date": {"start": later}}}
    title = next(name for name, value in page["properties"].items() if value["type"] == "title")
    text = "".join(part["plain_text"] for part in page["properties"][title]["title"])
    return {title: {"title": [{"text": {"content": f"{text} (automation)"}}]}}


def accepted(stage: Stage) -> Response:
    """Answer 202 now; the write takes effect `seconds` later."""
    stage.world.defer(stage.service, stage.request, seconds=float(stage.option("seconds", 120)))
    return json_response({"status": "accepted"}, 202)


def unscreened(stage: Stage) -> Response:
    """Refuse an update that names `field` (default: the first one sent): not on the screen."""
    holder, body = _HOLDERS[stage.service], stage.sent()
    fields = body.get(holder)
    if not isinstance(fields, dict) or not fields:
        return stage.go_on()
    name = stage.option("field") or next(iter(fields))
    if name not in fields:
        return stage.go_on()
    said = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
    return json_response({"errorMessages": [], "errors": {name: said}}, 400)


def too_long(stage: Stage) -> Response:
    """Refuse texts of more than `most` characters, as the service's limits do."""
    most = int(stage.option("most", 20))
    if _longest(orjson.loads(stage.request.body or b"null")) <= most:
        return stage.go_on()
    status = 413 if stage.service == "jira" else 400
    return refusal(stage.service, status, f"A text has more than {most} characters.")


def _longest(value: Json) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return max(map(_longest, value.values()), default=0)
    if isinstance(value, list):
        return max(map(_longest, value), default=0)
    return 0


ACTIONS: dict[str, Action] = {
    "partly": partly,
    "ignored": ignored,
    "automation": automation,
    "accepted": accepted,
    "unscreened": unscreened,
    "too_long": too_long,
}
