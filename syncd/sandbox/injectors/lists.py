"""Listings that lag, are stale, drift, repeat, shrink or stand empty."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from syncd.sandbox.injectors.stage import (
    TOKENS,
    Action,
    Json,
    Stage,
    answered,
    is_list,
    loaded,
    page_token,
    rows_of,
)
from syncd.sandbox.wire import Response

_STAMPS = {"jira": ("updated",), "asana": ("modified_at",), "notion": ("last_edited_time",)}


def name_of(service: str, row: Json) -> str:
    """Return the id of a row."""
    return str(row.get("gid" if service == "asana" else "id", "")) if isinstance(row, dict) else ""


def changed_at(stage: Stage, identifier: str) -> float | None:
    """Return when an item was last changed, seconds since the epoch; None for what is no item."""
    stand_in = stage.stand_in
    if stage.service == "jira":
        issue = stand_in.store.find_issue(identifier)
        return issue.updated / 1000 if issue else None
    if stage.service == "asana":
        return getattr(stand_in.store.objects.get(identifier), "modified_at", None)
    return getattr(stand_in.app.store.nodes.get(identifier), "edited", None)


def touch(stage: Stage, identifier: str) -> None:
    """Let somebody change an item just now, without a value that matters."""
    stand_in, now = stage.stand_in, stage.now
    if stage.service == "jira":
        issue = stand_in.store.find_issue(identifier)
        issue.updated = round(now * 1000)
        stand_in.store.reindex(issue)
    elif stage.service == "asana":
        stand_in.store.touch(stand_in.store.objects[identifier])
    else:
        store = stand_in.app.store
        people = [user.id for user in store.users.values() if user.email]
        store.edited(store.nodes[identifier], now, (people or list(store.users))[0])


def _listing(stage: Stage) -> tuple[Response, dict[str, Json], str, list[Json]] | Response:
    answer = stage.go_on()
    body = loaded(answer.body)
    found = rows_of(stage.service, body) if is_list(stage.service, stage.request) else None
    if found is None or answer.status != 200:  # noqa: PLR2004 - HTTP
        return answer
    return answer, body, *found


def lag(stage: Stage) -> Response:
    """Leave out what changed less than its own lag ago: up to `seconds`, for a few up to `hours`."""
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    answer, body, name, rows = got
    known = set(map(str, stage.sent().get("reconcileIssues") or ()))
    kept = [row for row in rows if name_of(stage.service, row) in known or _indexed(stage, row)]
    return answered(answer, {**body, name: kept})


def _indexed(stage: Stage, row: Json) -> bool:
    identifier = name_of(stage.service, row)
    moment = changed_at(stage, identifier)
    if moment is None:
        return True
    lags = stage.rule.memory.setdefault("lags", {})
    if (identifier, moment) not in lags:
        most = float(stage.option("seconds", 300))
        if stage.rule.chance.random() < float(stage.option("slow_share", 0.02)):
            most = 3600 * float(stage.option("hours", 3))
        least = float(stage.option("least", 0))
        lags[identifier, moment] = least + stage.rule.chance.random() * max(0.0, most - least)
    return bool(moment + lags[identifier, moment] <= stage.now)


def stale(stage: Stage) -> Response:
    """Serve each item as it was first listed, with the time of its last change."""
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    answer, body, name, rows = got
    return answered(answer, {**body, name: [_old(stage, row) for row in rows]})


def _old(stage: Stage, row: Json) -> Json:
    if not isinstance(row, dict):
        return row
    fields = row.get("fields")
    shape = (name_of(stage.service, row), *sorted(row), *sorted(fields or ()))
    stage.rule.memory.setdefault(shape, row)
    first = stage.rule.memory[shape]
    old, inner = dict(first), dict(first.get("fields") or {})
    for stamp in _STAMPS[stage.service]:
        if stamp in row:
            old[stamp] = row[stamp]
        if stamp in (fields or {}):
            inner[stamp] = (fields or {})[stamp]
    return {**old, "fields": inner} if fields is not None else old


def drift(stage: Stage) -> Response:
    """Change an item of the page just served, so that order and pages move on beneath the client."""
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    answer, _body, _name, rows = got
    if rows and changed_at(stage, name_of(stage.service, rows[0])) is not None:
        _move_on(stage, name_of(stage.service, rows[0]))
    return answer


def _move_on(stage: Stage, identifier: str) -> None:
    touch(stage, identifier)
    if stage.service != "asana":
        return
    store = stage.stand_in.store
    task = store.objects[identifier]
    for place in task.places[:1]:
        section = store.objects[store.objects[place.project].sections[-1]]
        store.put(task, section, store.rank(section, None, before=False))


def hot(stage: Stage) -> Response:
    """Change one item (`item`, or the first that was seen) before every listing."""
    memory = stage.rule.memory
    item = stage.option("item") or memory.get("item")
    if item:
        touch(stage, str(item))
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    names = [name_of(stage.service, row) for row in got[3]]
    first = next((name for name in names if changed_at(stage, name) is not None), None)
    if first and not item:
        memory["item"] = first
        touch(stage, first)
    return got[0]


def pages(stage: Stage) -> Response:
    """Spoil paging: the token repeats, a page is empty but has a token, each page is in disorder."""
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    answer, body, name, rows = got
    kind = stage.option("kind", "repeat")
    if kind == "order":
        stage.rule.chance.shuffle(rows)
        return answered(answer, {**body, name: rows})
    following = _next(stage.service, body)
    if following is None:
        return answer
    if kind == "empty":
        sent = page_token(stage.service, stage.request)
        if sent is not None:
            return answer
        return answered(answer, {**body, name: []})
    first = stage.rule.memory.setdefault("token", following)
    return answered(answer, _with_next(stage.service, body, first))


def _next(service: str, body: dict[str, Json]) -> str | None:
    if service == "jira":
        return body.get("nextPageToken")
    if service == "asana":
        return (body.get("next_page") or {}).get("offset")
    return body.get("next_cursor")


def _with_next(service: str, body: dict[str, Json], token: str) -> dict[str, Json]:
    if service == "jira":
        return {**body, "nextPageToken": token}
    if service == "asana":
        return {**body, "next_page": {**body["next_page"], TOKENS["asana"]: token}}
    return {**body, "next_cursor": token}


def twice(stage: Stage) -> Response:
    """List the first item twice."""
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    answer, body, name, rows = got
    return answered(answer, {**body, name: [*rows[:1], *rows]})


def trashed_too(stage: Stage) -> Response:
    """List an item from the trash (Notion) or an archived one (Jira) among the live ones."""
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    answer, body, name, rows = got
    shown = [stage.ask("GET", path) for path in _gone(stage)[:1]]
    return answered(answer, {**body, name: [*rows, *shown]})


def _gone(stage: Stage) -> list[str]:
    if stage.service == "jira":
        return [f"/rest/api/3/issue/{number}" for number in sorted(stage.stand_in.store.archived)]
    source = stage.stand_in.app.store.source(stage.request.path.split("/")[3])
    return [f"/v1/pages/{page}" for page in source.trashed.by_id] if source is not None else []


def short(stage: Stage) -> Response:
    """Answer 200 with nothing (`share` 0) or a part of the rows, and say that this is all."""
    got = _listing(stage)
    if isinstance(got, Response):
        return got
    answer, body, name, rows = got
    kept = rows[: int(len(rows) * float(stage.option("share", 0.0)))]
    shown: dict[str, Any] = {**body, name: kept}
    if stage.service == "jira":
        shown.pop("nextPageToken", None)
        shown["isLast"] = True
        shown.update({"total": len(kept)} if "total" in shown else {})
    elif stage.service == "asana":
        shown["next_page"] = None
    else:
        shown.update(has_more=False, next_cursor=None)
    return answered(answer, shown)


def drop_events(stage: Stage) -> Response:
    """Lose events of an Asana stream for ever: the token moves on, they are not in the answer."""
    answer = stage.go_on()
    body = loaded(answer.body)
    if isinstance(body.get("data"), list):
        return answered(answer, {**body, "data": []})
    return answer


def unmoved(stage: Stage) -> Response:
    """Write to a Notion page or block without moving `last_edited_time`."""
    store = stage.stand_in.app.store
    node = store.nodes.get(_dashed(stage.request.path.split("/")[3]))
    held = []
    while node is not None:
        held.append((node, node.edited, node.edited_by))
        node = store.above(node)
    answer = stage.go_on()
    for node, edited, author in held:
        node.edited, node.edited_by = edited, author
        source = store.source_of(node) if hasattr(node, "is_archived") else None
        if source is not None:
            source.rows_for(node).touched(node)
    return _show_again(stage, answer)


def _show_again(stage: Stage, answer: Response) -> Response:
    body = loaded(answer.body)
    if answer.status == 200 and body.get("object") in {"page", "block"}:  # noqa: PLR2004 - HTTP
        fresh = stage.stand_in.handle(
            replace(stage.request, method="GET", path=f"/v1/{body['object']}s/{body['id']}",
                    query=(), body=b"")
        )  # fmt: skip
        return Response(answer.status, fresh.body, answer.headers)
    return answer


def _dashed(text: str) -> str:
    bare = text.replace("-", "")
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def minutes(stage: Stage) -> Response:
    """Show every time of an answer rounded down to the minute."""
    answer = stage.go_on()
    return Response(answer.status, _SECONDS.sub(rb"\1:00.000", answer.body), answer.headers)


def nulls(stage: Stage) -> Response:
    """Leave out of a JSON answer what is null, or say "" for it (`kind`: missing or empty)."""
    answer = stage.go_on()
    if answer.body[:1] not in (b"{", b"["):
        return answer
    gone = stage.option("kind", "missing") == "missing"
    return Response(answer.status, orjson.dumps(_without(orjson.loads(answer.body), gone=gone)),
                    answer.headers)  # fmt: skip


def _without(value: Json, *, gone: bool) -> Json:
    if isinstance(value, list):
        return [_without(each, gone=gone) for each in value]
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if v is not None or not gone or k in _PAGING}
        return {k: "" if v is None and k not in _PAGING else _without(v, gone=gone)
                for k, v in kept.items()}  # fmt: skip
    return value


_PAGING = frozenset({"next_cursor", "next_page"})

_SECONDS = re.compile(rb"(T\d\d:\d\d):\d\d\.\d{3}")

ACTIONS: dict[str, Action] = {
    "minutes": minutes,
    "lag": lag,
    "stale": stale,
    "drift": drift,
    "hot": hot,
    "pages": pages,
    "twice": twice,
    "trashed_too": trashed_too,
    "short": short,
    "drop_events": drop_events,
    "unmoved": unmoved,
    "nulls": nulls,
}
