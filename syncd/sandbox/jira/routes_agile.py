"""Routes of Jira Software: boards, the order of issues, estimates."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import change_value, record
from syncd.sandbox.jira.defaults import SPRINT
from syncd.sandbox.jira.model import Field, Issue, Json
from syncd.sandbox.jira.problems import bad, missing
from syncd.sandbox.jira.ranking import put_in_order
from syncd.sandbox.jira.ranks import rank_of
from syncd.sandbox.jira.render import issue_shape, wanted_fields
from syncd.sandbox.jira.routes_bulk import estimation_field
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.search import Search, open_place, seal_place
from syncd.sandbox.wire import Response, whole

MAX_AT_ONCE = 50


def _boards(call: Call) -> dict[int, Json]:
    """Return the boards: one for each project, and those that clients made."""
    boards: dict[int, Json] = call.store.extras.setdefault("boards", {})
    known = {board["project"] for board in boards.values() if board["own"]}
    for project in call.store.projects.values():
        if project.id not in known:
            number = call.store.number("board", 1)
            boards[number] = {"id": number, "name": f"{project.key} board", "type": "scrum",
                              "project": project.id, "own": True}  # fmt: skip
    return {n: b for n, b in boards.items() if b["project"] in call.store.projects}


def find_board(call: Call, number: str) -> Json:
    """Return a board that the caller may see; raises 404."""
    board = _boards(call).get(whole(number) or 0)
    if board is None or not call.sees_project(call.store.projects[board["project"]]):
        raise missing("The requested board cannot be viewed because it either does not exist or"
                      " you do not have permission to view it.")  # fmt: skip
    return board


def agile(call: Call, path: str) -> str:
    """Return an address of this API."""
    return f"{call.shapes.base}/rest/agile/1.0/{path}"


def _board_shape(call: Call, board: Json) -> Json:
    project = call.store.projects[board["project"]]
    return {
        "id": board["id"],
        "self": agile(call, f"board/{board['id']}"),
        "name": board["name"],
        "type": board["type"],
        "location": {
            "projectId": project.id,
            "displayName": f"{project.name} ({project.key})",
            "projectName": project.name,
            "projectKey": project.key,
            "projectTypeKey": "software",
            "avatarURI": call.shapes.project(project.id)["avatarUrls"]["24x24"],
            "name": f"{project.name} ({project.key})",
        },
        "isPrivate": False,
    }


def page(call: Call, rows: list[Json]) -> Response:
    """Return a page of a list."""
    start, size = call.number("startAt", 0), call.number("maxResults", 50)
    part = rows[start : start + size]
    return call.ok(
        {
            "maxResults": size,
            "startAt": start,
            "total": len(rows),
            "isLast": start + len(part) >= len(rows),
            "values": part,
        }
    )


def boards(call: Call) -> Response:
    """GET board."""
    named, kind = call.request.one("projectKeyOrId"), call.request.one("type")
    text = (call.request.one("name") or "").casefold()
    project = call.project(named) if named else None
    rows = [
        _board_shape(call, board)
        for board in _boards(call).values()
        if call.sees_project(call.store.projects[board["project"]])
        and (project is None or board["project"] == project.id)
        and (not kind or board["type"] in kind.split(","))
        and text in board["name"].casefold()
    ]
    return page(call, rows)


def board(call: Call, number: str) -> Response:
    """GET board/{boardId}."""
    return call.ok(_board_shape(call, find_board(call, number)))


def board_configuration(call: Call, number: str) -> Response:
    """GET board/{boardId}/configuration."""
    found = find_board(call, number)
    project = call.store.projects[found["project"]]
    ids = [s for flow in project.workflows.values() for s in flow.statuses]
    columns: dict[str, list[Json]] = {"To Do": [], "In Progress": [], "Done": []}
    heads = {"new": "To Do", "undefined": "To Do", "done": "Done"}
    for status in dict.fromkeys(ids):
        head = heads.get(call.store.statuses[status].category, "In Progress")
        columns[head].append({"id": status, "self": f"{call.shapes.api}/status/{status}"})
    points = next(f for f in call.store.fields.values() if f.name == "Story Points")
    return call.ok(
        {
            "id": found["id"],
            "name": found["name"],
            "type": found["type"],
            "self": agile(call, f"board/{found['id']}/configuration"),
            "location": {"type": "project", "key": project.key, "id": str(project.id),
                         "self": f"{call.shapes.api}/project/{project.id}", "name": project.name},
            "columnConfig": {
                "columns": [{"name": n, "statuses": rows} for n, rows in columns.items()],
                "constraintType": "none",
            },
            "estimation": {
                "type": "field",
                "field": {"fieldId": points.id, "displayName": points.name},
            },
            "ranking": {"rankCustomFieldId": 10019},
        }
    )  # fmt: skip


def board_projects(call: Call, number: str) -> Response:
    """GET board/{boardId}/project."""
    return page(call, [call.shapes.project(find_board(call, number)["project"])])


def board_versions(call: Call, number: str) -> Response:
    """GET board/{boardId}/version."""
    project = call.store.projects[find_board(call, number)["project"]]
    return page(call, [call.shapes.version_row(v) for v in call.store.versions_of(project)])


# issues


def issue_page(call: Call, issues: list[Issue]) -> Response:
    """Return a page of issues: with a total, or in the newer API with a token for the next page."""
    chosen = chosen_issues(call, issues)
    fields = wanted_fields(call.shapes, call.names("fields"), "*all")
    size = call.number("maxResults", 50, most=1000)
    newer = call.request.path.startswith("/rest/software/")
    start = _opened(call) if newer else call.number("startAt", 0)
    rows = [_issue_shape(call, item, fields) for item in chosen[start : start + size]]
    body: dict[str, Json] = {"expand": "schema,names", "issues": rows}
    if not newer:
        told = {"startAt": start, "maxResults": size, "total": len(chosen)}
        return call.ok({**body, **told})
    body["isLast"] = start + size >= len(chosen)
    if not body["isLast"]:
        body["nextPageToken"] = seal_place(_question(call), start + size)
    return call.ok(body)


def chosen_issues(call: Call, issues: list[Issue]) -> list[Issue]:
    """Return those that the query's `jql` takes, in its order; by rank if it has none."""
    store = call.store
    if store.ranks:
        issues = sorted(issues, key=lambda issue: rank_of(store, issue))
    jql = call.request.one("jql")
    return Search(call.viewer, jql, call.sees, bounded=False).chosen(issues) if jql else issues


def _question(call: Call) -> str:
    return f"{call.request.path} {call.request.one('jql')}"


def _opened(call: Call) -> int:
    token = call.request.one("nextPageToken")
    return open_place(_question(call), token) if token else 0


def _issue_shape(call: Call, issue: Issue, fields: list[Field]) -> Json:
    shape = issue_shape(call.shapes, issue, fields, agile(call, f"issue/{issue.id}"))
    wanted = set(call.names("fields"))
    every = not wanted or wanted & {"*all", "*navigable"}
    shape["fields"] |= {
        name: value for name, value in _agile_fields(call, issue).items() if every or name in wanted
    }
    return shape


def _agile_fields(call: Call, issue: Issue) -> Json:
    """Return what only this API says of an issue: its epic, its sprints, whether it is flagged."""
    table = sprints_of(call)
    sprints = [table[number] for number in issue.values.get(sprint_field(call).id, ())]
    open_ones = [sprint_shape(call, s) for s in sprints if s["state"] != "closed"]
    closed = [sprint_shape(call, s) for s in sprints if s["state"] == "closed"]
    flag = next((f.id for f in call.store.fields.values() if f.name == "Flagged"), "")
    found = {"flagged": bool(issue.values.get(flag)), "sprint": next(iter(open_ones), None)}
    if closed:
        found["closedSprints"] = closed
    parent = call.store.issues.get(issue.values.get("parent", -1))
    if parent is not None and call.store.type_of(parent).level == 1:
        found["epic"] = epic_shape(call, parent)
    return found


def in_project(call: Call, number: str) -> list[Issue]:
    """Return the issues of a board's project."""
    project = call.store.projects[find_board(call, number)["project"]]
    found = (call.store.issues[n] for n in call.store.by_id)
    return call.filtered(issue for issue in found if issue.project_id == project.id)


def board_issues(call: Call, number: str) -> Response:
    """GET board/{boardId}/issue."""
    return issue_page(call, in_project(call, number))


def board_backlog(call: Call, number: str) -> Response:
    """GET board/{boardId}/backlog: what is neither done nor in a sprint that is not closed."""
    return issue_page(call, backlog_of(call, number))


def backlog_of(call: Call, number: str) -> list[Issue]:
    """Return the issues of a board's backlog."""
    field, sprints = sprint_field(call), sprints_of(call)
    return [
        i
        for i in in_project(call, number)
        if call.store.type_of(i).level == 0
        and call.store.statuses[i.values["status"]].category != "done"
        and not any(sprints[s]["state"] != "closed" for s in i.values.get(field.id, ()))
    ]


def board_epics(call: Call, number: str) -> Response:
    """GET board/{boardId}/epic."""
    done = call.request.one("done")
    epics = [i for i in in_project(call, number) if call.store.type_of(i).level == 1]
    shapes = [epic_shape(call, issue) for issue in epics]
    return page(call, [s for s in shapes if done is None or s["done"] == (done == "true")])


def issue(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}."""
    found = call.issue(key)
    fields = wanted_fields(call.shapes, call.names("fields"), "*all")
    return call.ok(_issue_shape(call, found, fields))


def estimation(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/estimation."""
    points = next(f for f in call.store.fields.values() if f.name == "Story Points")
    return call.ok({"fieldId": points.id, "value": estimation_field(call, call.issue(key))})


def rank(call: Call) -> Response:
    """PUT issue/rank: put issues, in the order given, before or after another one."""
    if "rankBeforeIssue" not in call.json() and "rankAfterIssue" not in call.json():
        raise bad("Exactly one of rankBeforeIssue and rankAfterIssue must be given.")
    place(call, named_issues(call))
    return call.done()


def place(call: Call, issues: list[Issue]) -> None:
    """Rank issues where the body says, if it does; raises 400, 404."""
    body = call.json()
    before, after = body.get("rankBeforeIssue"), body.get("rankAfterIssue")
    if before is None and after is None:
        return
    if before is not None and after is not None:
        raise bad("Exactly one of rankBeforeIssue and rankAfterIssue must be given.")
    anchor = call.issue(after if before is None else before)
    moved = [issue for issue in issues if issue.id != anchor.id]
    put_in_order(call.store, moved, anchor, before=after is None, author=call.me().account_id)


def move_to_board(call: Call, number: str) -> Response:
    """POST board/{boardId}/issue: from the backlog to the board; only the rank is kept."""
    find_board(call, number)
    place(call, named_issues(call))
    return call.done()


def estimate(call: Call, key: str) -> Response:
    """PUT issue/{issueIdOrKey}/estimation."""
    found, text = call.issue_to_change(key), call.json().get("value")
    try:
        points = float(str(text)) if text not in (None, "") else None
    except ValueError:
        raise bad(f"'{text}' is no number.") from None
    field = next(f for f in call.store.fields.values() if f.name == "Story Points")
    change = change_value(call.store, found, field, points)
    record(call.store, found, call.me().account_id, [change] if change else [])
    return call.ok({"fieldId": field.id, "value": text})


def sprints_of(call: Call) -> dict[int, Json]:
    """Return the sprints by number."""
    sprints: dict[int, Json] = call.store.extras.setdefault("sprints", {})
    return sprints


def sprint_field(call: Call) -> Field:
    """Return the field that holds an issue's sprints."""
    return next(f for f in call.store.fields.values() if f.custom == SPRINT)


def sprint_shape(call: Call, sprint: Json) -> Json:
    """Return a `Sprint`."""
    return {"self": agile(call, f"sprint/{sprint['id']}"), **sprint}


def epic_shape(call: Call, epic: Issue) -> Json:
    """Return an epic as this API shows it."""
    done = call.store.statuses[epic.values["status"]].category == "done"
    kept = call.store.extras.get("epics", {}).get(epic.id, {})  # what clients said of it
    return {
        "id": epic.id,
        "key": epic.key,
        "self": agile(call, f"epic/{epic.id}"),
        "name": epic.values["summary"],
        "summary": epic.values["summary"],
        "color": {"key": kept.get("color") or f"color_{epic.id % 14 + 1}"},
        "issueColor": {"key": "purple"},
        "done": kept.get("done", done),
    }


def named_issues(call: Call) -> list[Issue]:
    """Return the issues that a body names, all of which the caller may change."""
    named = call.json().get("issues")
    if not isinstance(named, list) or not named:
        raise bad("Issues must be given.")
    if len(named) > MAX_AT_ONCE:
        raise bad(f"A maximum of {MAX_AT_ONCE} issues can be moved at once.")
    return [call.issue_to_change(name) for name in named]


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/board", boards),
        ("GET", "/board/{number}", board),
        ("GET", "/board/{number}/configuration", board_configuration),
        ("GET", "/board/{number}/project", board_projects),
        ("GET", "/board/{number}/version", board_versions),
        ("GET", "/board/{number}/issue", board_issues),
        ("GET", "/board/{number}/backlog", board_backlog),
        ("GET", "/board/{number}/epic", board_epics),
        ("GET", "/issue/{key}", issue),
        ("GET", "/issue/{key}/estimation", estimation),
        ("PUT", "/issue/{key}/estimation", estimate),
        ("PUT", "/issue/rank", rank),
        ("POST", "/board/{number}/issue", move_to_board),
    ):
        routes.add(method, path, handler)
