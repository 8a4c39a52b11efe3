"""Routes of logged work."""

from __future__ import annotations

from functools import partial

from syncd.sandbox.jira import happenings, worklogs
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Issue, Json, Worklog
from syncd.sandbox.jira.problems import bad, missing
from syncd.sandbox.jira.render import worklog as shape
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Response

_PAGE = 5000
_CHANGES = 1000


def listed(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/worklog: oldest first."""
    issue = call.issue(key)
    after, before = call.number("startedAfter", 0), call.number("startedBefore", 1 << 62)
    rows = [w for w in call.store.worklogs.get(issue.id, ()) if after <= w.started < before]
    start, size = call.number("startAt", 0), call.number("maxResults", _PAGE, most=_PAGE)
    page = [shape(call.shapes, issue, w) for w in rows[start : start + size]]
    return call.ok({"startAt": start, "maxResults": size, "total": len(rows), "worklogs": page})


def _find(call: Call, issue: Issue, number: str) -> Worklog:
    rows = call.store.worklogs.get(issue.id, ())
    found = next((w for w in rows if w.id == number), None)
    if found is None:
        raise missing(f"Cannot find worklog with id: '{number}'.")
    return found


def _tell(call: Call, what: str, issue: Issue, item: Worklog) -> None:
    make = partial(shape, issue=issue, item=item)
    happenings.hanging(call.store, "worklog", what, issue, make)


def worklog(call: Call, key: str, number: str) -> Response:
    """GET issue/{issueIdOrKey}/worklog/{id}."""
    issue = call.issue(key)
    return call.ok(shape(call.shapes, issue, _find(call, issue, number)))


def _query(call: Call) -> dict[str, str | None]:
    names = ("adjustEstimate", "newEstimate", "reduceBy", "increaseBy")
    return {name: call.request.one(name) for name in names}


def add_worklog(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/worklog."""
    issue = call.issue_to_change(key)
    made = worklogs.log_work(call, issue, call.json(), _query(call))
    _tell(call, "created", issue, made)
    return call.ok(shape(call.shapes, issue, made), 201)


def update_worklog(call: Call, key: str, number: str) -> Response:
    """PUT issue/{issueIdOrKey}/worklog/{id}: only what is given changes."""
    issue, body = call.issue_to_change(key), call.json()
    found = _find(call, issue, number)
    spent = worklogs.spent(body)
    change = 0 if spent is None else spent - found.spent
    left = worklogs.estimate_after(issue, change, _query(call), "reduceBy")
    if "started" in body:
        found.started = worklogs.started(body, found.started)
    if "comment" in body:
        found.comment = worklogs.comment(call, body)
    found.spent += change
    found.updated, found.update_author = call.store.now(), call.me().account_id
    worklogs.book(call.store, issue, call.me().account_id, change, left, found.id)
    _tell(call, "updated", issue, found)
    return call.ok(shape(call.shapes, issue, found))


def delete_worklog(call: Call, key: str, number: str) -> Response:
    """DELETE issue/{issueIdOrKey}/worklog/{id}."""
    issue = call.issue_to_change(key)
    found = _find(call, issue, number)
    left = worklogs.estimate_after(issue, -found.spent, _query(call), "increaseBy")
    call.store.worklogs[issue.id].remove(found)
    gone = call.store.extras.setdefault("deleted_worklogs", [])
    gone.append((call.store.now(), int(found.id)))
    worklogs.book(call.store, issue, call.me().account_id, -found.spent, left, found.id)
    _tell(call, "deleted", issue, found)
    return call.done()


def by_ids(call: Call) -> Response:
    """POST worklog/list: at most 1000; those that are missing or not visible are left out."""
    call.me()
    named = call.json().get("ids")
    if not isinstance(named, list) or len(named) > 1000:  # noqa: PLR2004 - the vendor's limit
        raise bad("ids must be a list of at most 1000 worklog ids.")
    wanted = {str(number) for number in named}
    return call.ok([shape(call.shapes, issue, w) for issue, w in _every(call) if w.id in wanted])


def _every(call: Call) -> list[tuple[Issue, Worklog]]:
    store = call.store
    return [
        (store.issues[number], w)
        for number, rows in store.worklogs.items()
        if call.sees(store.issues[number])
        for w in rows
    ]


def updated(call: Call) -> Response:
    """GET worklog/updated: ids of worklogs changed since a moment, oldest first, 1000 a page."""
    return _changes(call, "updated", [(w.updated, int(w.id)) for _issue, w in _every(call)])


def deleted(call: Call) -> Response:
    """GET worklog/deleted: likewise of those that are gone."""
    return _changes(call, "deleted", call.store.extras.get("deleted_worklogs", []))


def _changes(call: Call, what: str, moments: list[tuple[int, int]]) -> Response:
    call.me()
    since = call.number("since", 0, most=1 << 62)
    found = sorted(row for row in moments if row[0] >= since)
    page = found[:_CHANGES]
    until = page[-1][0] if page else since
    address = f"{call.shapes.api}/worklog/{what}?since="
    body: dict[str, Json] = {
        "values": [{"worklogId": w, "updatedTime": at, "properties": []} for at, w in page],
        "since": since,
        "until": until,
        "self": f"{address}{since}",
        "lastPage": len(page) == len(found),
    }
    if not body["lastPage"]:
        body["nextPage"] = f"{address}{until}"
    return call.ok(body)


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/issue/{key}/worklog", listed),
        ("POST", "/issue/{key}/worklog", add_worklog),
        ("GET", "/issue/{key}/worklog/{number}", worklog),
        ("PUT", "/issue/{key}/worklog/{number}", update_worklog),
        ("DELETE", "/issue/{key}/worklog/{number}", delete_worklog),
        ("POST", "/worklog/list", by_ids),
        ("GET", "/worklog/updated", updated),
        ("GET", "/worklog/deleted", deleted),
    ):
        routes.add(method, path, handler)
