"""Routes of epics."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import change_value, record
from syncd.sandbox.jira.model import Issue
from syncd.sandbox.jira.parse import Context, check_parent
from syncd.sandbox.jira.problems import FieldError, bad, missing
from syncd.sandbox.jira.ranking import put_in_order
from syncd.sandbox.jira.routes_agile import epic_shape, find_board, issue_page, named_issues
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Response

TEAM_MANAGED = (
    "The request contains a next-gen issue. This operation can't add next-gen issues to epics. To"
    " add a next-gen issue to an epic, use the Edit issue operation and set the parent property."
)


def _epic(call: Call, key: str) -> Issue:
    found = call.issue(key)
    if call.store.type_of(found).level != 1:
        raise missing(f"Issue '{found.key}' is not an epic.")
    return found


def epic(call: Call, key: str) -> Response:
    """GET epic/{epicIdOrKey}."""
    return call.ok(epic_shape(call, _epic(call, key)))


def without_epic(call: Call, number: str = "") -> Response:
    """GET epic/none/issue, board/{boardId}/epic/none/issue."""
    store = call.store
    project = find_board(call, number)["project"] if number else None
    return issue_page(
        call,
        call.filtered(
            issue
            for issue in (store.issues[n] for n in store.by_id)
            if store.type_of(issue).level == 0
            and "parent" not in issue.values
            and project in {None, issue.project_id}
        ),
    )


def board_epic_issues(call: Call, number: str, key: str) -> Response:
    """GET board/{boardId}/epic/{epicId}/issue."""
    find_board(call, number)
    return epic_issues(call, key)


def update_epic(call: Call, key: str) -> Response:
    """POST epic/{epicIdOrKey}: only what is given changes; `done` is not its status."""
    found, body = _epic(call, key), call.json()
    call.issue_to_change(found.id)
    summary = body.get("summary") or body.get("name")
    if summary:
        change = change_value(call.store, found, call.store.fields["summary"], str(summary))
        record(call.store, found, call.me().account_id, [change] if change else [])
    kept = call.store.extras.setdefault("epics", {}).setdefault(found.id, {})
    if isinstance(body.get("done"), bool):
        kept["done"] = body["done"]
    if isinstance(body.get("color"), dict):
        kept["color"] = body["color"].get("key")
    return call.ok(epic_shape(call, found))


def rank_epic(call: Call, key: str) -> Response:
    """PUT epic/{epicIdOrKey}/rank."""
    found, body = _epic(call, key), call.json()
    call.issue_to_change(found.id)
    before, after = body.get("rankBeforeEpic"), body.get("rankAfterEpic")
    if (before is None) == (after is None):
        raise bad("Exactly one of rankBeforeEpic and rankAfterEpic must be given.")
    anchor = _epic(call, str(after if before is None else before))
    put_in_order(call.store, [found], anchor, before=after is None, author=call.me().account_id)
    return call.done()


def epic_issues(call: Call, key: str) -> Response:
    """GET epic/{epicIdOrKey}/issue."""
    found = _epic(call, key)
    numbers = sorted(call.store.children.get(found.id, ()))
    return issue_page(call, call.filtered(call.store.issues[n] for n in numbers))


def move_to_epic(call: Call, key: str) -> Response:
    """POST epic/{epicIdOrKey}/issue; `none` takes issues out of their epics."""
    target = None if key == "none" else _epic(call, key)
    issues = named_issues(call)
    store = call.store
    if any(store.projects[i.project_id].simplified for i in (*issues, *filter(None, [target]))):
        raise bad(TEAM_MANAGED)
    if target is not None:
        for item in issues:
            project = store.projects[item.project_id]
            try:
                check_parent(Context(store, project, item.values["issuetype"], document=True),
                             target)  # fmt: skip
            except FieldError as error:
                raise bad(str(error)) from None
    for item in issues:
        change = change_value(store, item, store.fields["parent"], target.id if target else None)
        record(store, item, call.me().account_id, [change] if change else [])
    return call.done()


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/epic/none/issue", without_epic),
        ("GET", "/epic/{key}", epic),
        ("POST", "/epic/{key}", update_epic),
        ("PUT", "/epic/{key}/rank", rank_epic),
        ("GET", "/epic/{key}/issue", epic_issues),
        ("POST", "/epic/{key}/issue", move_to_epic),
        ("GET", "/board/{number}/epic/none/issue", without_epic),
        ("GET", "/board/{number}/epic/{key}/issue", board_epic_issues),
    ):
        routes.add(method, path, handler)
