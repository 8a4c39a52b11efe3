"""Routes of sprints."""

from __future__ import annotations

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import change_value, record
from syncd.sandbox.jira.model import Json
from syncd.sandbox.jira.problems import ApiError, bad, missing
from syncd.sandbox.jira.routes_agile import (
    find_board,
    issue_page,
    named_issues,
    page,
    place,
    sprint_field,
    sprint_shape,
    sprints_of,
)
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.times import parse_stamp
from syncd.sandbox.wire import Response, whole

_NEXT_STATES = {"future": {"future", "active"}, "active": {"active", "closed"},
                "closed": {"closed", "active"}}  # fmt: skip


def _sprint(call: Call, number: str) -> Json:
    found = sprints_of(call).get(whole(number) or 0)
    if found is None:
        raise missing("Sprint does not exist or you do not have permission to view it.")
    return found


def board_sprints(call: Call, number: str) -> Response:
    """GET board/{boardId}/sprint: closed, active, future."""
    found = find_board(call, number)
    states = set((call.request.one("state") or "").split(",")) - {""}
    order = ["closed", "active", "future"]
    rows = [
        sprint_shape(call, s)
        for s in sorted(sprints_of(call).values(), key=lambda s: order.index(s["state"]))
        if s["originBoardId"] == found["id"] and (not states or s["state"] in states)
    ]
    return page(call, rows)


def create_sprint(call: Call) -> Response:
    """POST sprint."""
    call.me()
    body = call.json()
    name = str(body.get("name") or "").strip()
    if not name:
        raise ApiError(400, errors={"name": "The sprint name must not be empty."})
    found = find_board(call, str(body.get("originBoardId", "")))
    number = call.store.number("sprint", 1)
    sprint: dict[str, Json] = {"id": number, "state": "future", "name": name}
    sprint |= _sprint_dates(call, body)
    sprint["originBoardId"] = found["id"]
    sprint["goal"] = str(body.get("goal") or "")
    sprints_of(call)[number] = sprint
    happenings.sprint(call.store, "created", sprint)
    return call.ok(sprint_shape(call, sprint), 201)


def _sprint_dates(call: Call, body: dict[str, Json]) -> dict[str, Json]:
    found = {}
    for name in ("startDate", "endDate"):
        if body.get(name):
            try:
                moment = parse_stamp(str(body[name]))
            except ValueError:
                raise ApiError(400, errors={name: f"'{body[name]}' is no valid date."}) from None
            found[name] = call.shapes.time(moment)
    return found


def sprint(call: Call, number: str) -> Response:
    """GET sprint/{sprintId}."""
    return call.ok(sprint_shape(call, _sprint(call, number)))


def update_sprint(call: Call, number: str) -> Response:
    """POST and PUT sprint/{sprintId}."""
    call.me()
    found, body = _sprint(call, number), call.json()
    state = body.get("state", found["state"])
    if not isinstance(state, str) or state not in _NEXT_STATES[found["state"]]:
        raise bad(f"The sprint cannot go from {found['state']} to {state}.")
    dates = {**found, **_sprint_dates(call, body)}
    if state == "active" and not ("startDate" in dates and "endDate" in dates):
        raise bad("The sprint's start and end dates must be set before it can be started.")
    if state == "closed" and found["state"] != "closed":
        dates["completeDate"] = call.shapes.time(call.store.now())
    old = dict(found)
    found.update(dates, state=state)
    for name in ("name", "goal"):
        if body.get(name):
            found[name] = str(body[name])
    call.store.revision += 1
    turned = {"active": "started", "closed": "closed"}.get(state, "updated")
    what = turned if state != old["state"] else "updated"
    happenings.sprint(call.store, what, found, old if what == "updated" else None)
    return call.ok(sprint_shape(call, found))


def delete_sprint(call: Call, number: str) -> Response:
    """DELETE sprint/{sprintId}."""
    call.me()
    found, field = _sprint(call, number), sprint_field(call)
    for item in call.store.issues.values():
        have = item.values.get(field.id, ())
        if found["id"] in have:
            item.values[field.id] = [s for s in have if s != found["id"]]
            call.store.reindex(item)
    happenings.sprint(call.store, "deleted", found)
    del sprints_of(call)[found["id"]]
    call.store.revision += 1
    return call.done()


def sprint_issues(call: Call, number: str) -> Response:
    """GET sprint/{sprintId}/issue."""
    found, field = _sprint(call, number), sprint_field(call)
    every = (call.store.issues[n] for n in call.store.by_id)
    return issue_page(
        call, call.filtered(i for i in every if found["id"] in i.values.get(field.id, ()))
    )


def move_to_sprint(call: Call, number: str) -> Response:
    """POST sprint/{sprintId}/issue: only to open or active sprints."""
    found = _sprint(call, number)
    if found["state"] == "closed":
        raise bad("Issues can only be moved to open or active sprints.")
    return _set_sprint(call, [found["id"]])


def move_to_backlog(call: Call, number: str = "") -> Response:
    """POST backlog/issue, backlog/{boardId}/issue."""
    if number:
        find_board(call, number)
    return _set_sprint(call, [])


def _set_sprint(call: Call, sprints: list[int]) -> Response:
    field, issues = sprint_field(call), named_issues(call)
    for item in issues:
        kept = [
            s for s in item.values.get(field.id, ()) if sprints_of(call)[s]["state"] == "closed"
        ]
        change = change_value(call.store, item, field, kept + sprints)
        record(call.store, item, call.me().account_id, [change] if change else [])
    place(call, issues)
    return call.done()


def board_sprint_issues(call: Call, board: str, number: str) -> Response:
    """GET board/{boardId}/sprint/{sprintId}/issue."""
    find_board(call, board)
    return sprint_issues(call, number)


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/board/{number}/sprint", board_sprints),
        ("POST", "/sprint", create_sprint),
        ("GET", "/sprint/{number}", sprint),
        ("POST", "/sprint/{number}", update_sprint),
        ("PUT", "/sprint/{number}", update_sprint),
        ("DELETE", "/sprint/{number}", delete_sprint),
        ("GET", "/sprint/{number}/issue", sprint_issues),
        ("POST", "/sprint/{number}/issue", move_to_sprint),
        ("POST", "/backlog/issue", move_to_backlog),
        ("POST", "/backlog/{number}/issue", move_to_backlog),
        ("GET", "/board/{board}/sprint/{number}/issue", board_sprint_issues),
    ):
        routes.add(method, path, handler)
