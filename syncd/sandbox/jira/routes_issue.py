"""Routes of single issues: create, read, edit, delete, move through the workflow, assign."""

from __future__ import annotations

from syncd.sandbox.jira import edit, happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import change_value, record
from syncd.sandbox.jira.model import Field, Issue, Json
from syncd.sandbox.jira.parse import Context, value
from syncd.sandbox.jira.problems import ApiError, FieldError, bad, bad_field, scalars
from syncd.sandbox.jira.render import (
    add_expansions,
    history,
    issue_shape,
    wanted_fields,
)
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.screens import meta_fields
from syncd.sandbox.jira.workflow import step_shape, steps
from syncd.sandbox.wire import Response

MAX_BULK = 50
MAX_FETCH = 100
MAX_PROPERTIES = 5


def create(call: Call) -> Response:
    """POST issue."""
    issue = edit.create(call, call.json())
    return call.ok(_created(call, issue), 201)


def _created(call: Call, issue: Issue) -> Json:
    return {"id": str(issue.id), "key": issue.key, "self": f"{call.shapes.api}/issue/{issue.id}"}


def create_many(call: Call) -> Response:
    """POST issue/bulk: 201 if any was created, 400 if none."""
    call.me()
    rows = call.json().get("issueUpdates")
    if not isinstance(rows, list):
        raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
    if not rows:
        raise bad("No issue data provided")
    if len(rows) > MAX_BULK:
        raise bad(f"Bulk create is limited to {MAX_BULK} issues.")
    issues: list[Json] = []
    errors: list[Json] = []
    for place, row in enumerate(rows):
        try:
            issues.append(_created(call, edit.create(call, row if isinstance(row, dict) else {})))
        except ApiError as error:
            errors.append(
                {"status": error.status, "elementErrors": error.body(),
                 "failedElementNumber": place}
            )  # fmt: skip
    return call.ok({"issues": issues, "errors": errors}, 201 if issues else 400)


def read(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}."""
    issue = call.issue(key)
    return call.ok(whole(call, issue, call.names("fields"), call.names("properties")))


def whole(call: Call, issue: Issue, names: list[str], properties: list[str]) -> Json:
    """Return an issue as GET gives it."""
    fields = wanted_fields(call.shapes, names, "*all")
    shape = issue_shape(call.shapes, issue, fields)
    watches = shape["fields"].get("watches")
    if watches and call.user:
        watches["isWatching"] = call.user.account_id in issue.watchers
    expanded(call, shape, issue, frozenset(call.names("expand")), fields)
    if properties:
        shape["properties"] = properties_of(issue, properties)
    return shape


def expanded(
    call: Call, shape: dict[str, Json], issue: Issue, expand: frozenset[str], fields: list[Field]
) -> None:
    """Add to an issue what `expand` names."""
    add_expansions(shape, call.shapes, issue, expand, fields)
    if "transitions" in expand:
        shape["transitions"] = _steps(call, issue, fields="transitions.fields" in expand)
    if "editmeta" in expand:
        shape["editmeta"] = {"fields": _edit_meta(call, issue)}


def properties_of(issue: Issue, names: list[str]) -> dict[str, Json]:
    """Return the entity properties that a `properties` parameter names."""
    if "*all" in names:
        return dict(issue.properties)
    return {name: issue.properties[name] for name in names if name in issue.properties}


def update(call: Call, key: str) -> Response:
    """PUT issue/{issueIdOrKey}: 204, or 200 with the issue for `returnIssue=true`."""
    issue = call.issue_to_change(key)
    edit.edit(call, issue, call.json())
    if call.flag("returnIssue"):
        return call.ok(whole(call, issue, [], []))
    return call.done()


def delete(call: Call, key: str) -> Response:
    """DELETE issue/{issueIdOrKey}."""
    issue = call.issue_to_change(key)
    below = call.store.subtasks(issue.id)
    if below and not call.flag("deleteSubtasks"):
        raise bad(
            f"The issue '{issue.key}' has subtasks.  You must specify the 'deleteSubtasks'"
            " parameter to delete this issue and all its subtasks."
        )
    author = call.me().account_id
    for child in below:
        happenings.issue_going(call.store, child, author)
        call.store.remove_issue(child)
    for number in list(call.store.children.get(issue.id, ())):
        call.store.set_parent(call.store.issues[number], None)
    happenings.issue_going(call.store, issue, author)
    call.store.remove_issue(issue)
    return call.done()


def _steps(call: Call, issue: Issue, *, fields: bool) -> list[Json]:
    project = call.store.projects[issue.project_id]
    if not call.may_change(project):
        return []
    return [
        step_shape(call.shapes, issue, step, fields=fields) for step in steps(call.store, issue)
    ]


def transitions(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/transitions."""
    issue = call.issue(key)
    rows = _steps(call, issue, fields="transitions.fields" in call.names("expand"))
    wanted = call.request.one("transitionId")
    if wanted:
        rows = [row for row in rows if row["id"] == wanted]
    return call.ok({"expand": "transitions", "transitions": rows})


def take_transition(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/transitions."""
    issue = call.issue_to_change(key)
    edit.transition(call, issue, call.json())
    return call.done()


def assign(call: Call, key: str) -> Response:
    """PUT issue/{issueIdOrKey}/assignee."""
    issue = call.issue_to_change(key)
    store, raw = call.store, call.json()
    project = store.projects[issue.project_id]
    context = Context(store, project, issue.values["issuetype"], document=True, issue=issue)
    field = store.fields["assignee"]
    try:
        account = value(context, field, raw)
    except FieldError as error:
        raise bad_field("assignee", str(error)) from None
    item = change_value(store, issue, field, account)
    record(store, issue, call.me().account_id, [item] if item else [])
    return call.done()


def _edit_meta(call: Call, issue: Issue) -> Json:
    project = call.store.projects[issue.project_id]
    if not call.may_change(project):
        return {}
    return meta_fields(call.shapes, project, issue.values["issuetype"], creating=False)


def edit_meta(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/editmeta."""
    return call.ok({"fields": _edit_meta(call, call.issue(key))})


def bulk_fetch(call: Call) -> Response:
    """POST issue/bulkfetch: issues that are missing or not visible are simply left out."""
    body = call.json()
    named = body.get("issueIdsOrKeys")
    if not isinstance(named, list) or not named:
        raise bad("issueIdsOrKeys must not be empty.")
    if len(named) > MAX_FETCH:
        raise bad(f"The maximum number of issues that can be fetched at once is {MAX_FETCH}.")
    properties = strings(body, "properties")
    if len(properties) > MAX_PROPERTIES:
        raise bad(f"The maximum number of properties that can be requested is {MAX_PROPERTIES}.")
    found = {i.id: i for name in named if (i := call.store.find_issue(name)) and call.sees(i)}
    fields = wanted_fields(call.shapes, strings(body, "fields"), "*navigable")
    expand = frozenset(strings(body, "expand"))
    rows = []
    for issue in sorted(found.values(), key=lambda i: i.id):
        shape = issue_shape(call.shapes, issue, fields)
        expanded(call, shape, issue, expand, fields)
        if properties:
            shape["properties"] = properties_of(issue, properties)
        rows.append(shape)
    return call.ok({"expand": "names,schema", "issues": rows, "issueErrors": []})


def strings(body: dict[str, Json], name: str) -> list[str]:
    """Return a list of strings from a body (or its comma-separated form); raises 400."""
    raw = body.get(name)
    if raw is None:
        return []
    if isinstance(raw, str):
        return [part for part in raw.split(",") if part]
    if not isinstance(raw, list) or any(not isinstance(item, str) for item in raw):
        raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
    return raw


def changelog(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/changelog: oldest first."""
    issue = call.issue(key)
    return call.page_bean([history(call.shapes, h) for h in issue.histories], size=100, most=100)


def changelog_list(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/changelog/list."""
    issue = call.issue(key)
    wanted = {str(number) for number in scalars(call.json(), "changelogIds")}
    rows = [history(call.shapes, h) for h in issue.histories if h.id in wanted]
    return call.ok({"startAt": 0, "maxResults": len(rows), "total": len(rows), "histories": rows})


def create_meta(call: Call) -> Response:
    """GET issue/createmeta: the deprecated form that older clients use."""
    call.me()
    keys, ids = call.names("projectKeys"), call.names("projectIds")
    names, type_ids = call.names("issuetypeNames"), call.names("issuetypeIds")
    with_fields = "projects.issuetypes.fields" in call.names("expand")
    rows = []
    for project in call.store.projects.values():
        asked = not keys + ids or project.key in keys or str(project.id) in ids
        if not asked or not call.sees_project(project):
            continue
        kept = [
            kind
            for kind in (call.store.types[t] for t in project.type_ids)
            if (not names or kind.name in names) and (not type_ids or kind.id in type_ids)
        ]
        rows.append(
            {
                "expand": "issuetypes",
                "self": f"{call.shapes.api}/project/{project.id}",
                "id": str(project.id),
                "key": project.key,
                "name": project.name,
                "avatarUrls": call.shapes.project(project.id)["avatarUrls"],
                "issuetypes": [
                    {
                        **{k: v for k, v in call.shapes.type(kind.id).items() if k != "avatarId"},
                        "untranslatedName": kind.name,
                        "expand": "fields",
                        **(
                            {"fields": meta_fields(call.shapes, project, kind.id, creating=True)}
                            if with_fields
                            else {}
                        ),
                    }
                    for kind in kept
                ],
            }
        )
    return call.ok({"expand": "projects", "projects": rows})


def create_meta_types(call: Call, key: str) -> Response:
    """GET issue/createmeta/{projectIdOrKey}/issuetypes."""
    project = call.project(key)
    rows = [call.shapes.type(t) for t in project.type_ids]
    return _meta_page(call, "issueTypes", rows)


def create_meta_fields(call: Call, key: str, kind: str) -> Response:
    """GET issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}."""
    project = call.project(key)
    if kind not in project.type_ids:
        raise bad_field("issuetype", "Specify a valid issue type")
    fields = meta_fields(call.shapes, project, kind, creating=True)
    return _meta_page(call, "fields", [{**meta, "fieldId": f} for f, meta in fields.items()])


def _meta_page(call: Call, name: str, rows: list[Json]) -> Response:
    start, size = call.number("startAt", 0), call.number("maxResults", 50, most=200)
    return call.ok(
        {
            "startAt": start,
            "maxResults": size,
            "total": len(rows),
            name: rows[start : start + size],
        }
    )


def add(routes: Routes) -> None:
    """Add the routes."""
    routes.add("POST", "/issue", create)
    routes.add("POST", "/issue/bulk", create_many)
    routes.add("POST", "/issue/bulkfetch", bulk_fetch)
    routes.add("GET", "/issue/createmeta", create_meta)
    routes.add("GET", "/issue/createmeta/{key}/issuetypes", create_meta_types)
    routes.add("GET", "/issue/createmeta/{key}/issuetypes/{kind}", create_meta_fields)
    routes.add("GET", "/issue/{key}", read)
    routes.add("PUT", "/issue/{key}", update)
    routes.add("DELETE", "/issue/{key}", delete)
    routes.add("GET", "/issue/{key}/transitions", transitions)
    routes.add("POST", "/issue/{key}/transitions", take_transition)
    routes.add("PUT", "/issue/{key}/assignee", assign)
    routes.add("GET", "/issue/{key}/editmeta", edit_meta)
    routes.add("GET", "/issue/{key}/changelog", changelog)
    routes.add("POST", "/issue/{key}/changelog/list", changelog_list)
