"""Routes about the site and the caller: server info, myself, permissions, shared things."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import CATEGORIES, Issue, Json, Project
from syncd.sandbox.jira.problems import WRONG_CREDENTIALS, ApiError, bad, missing, objects, scalars
from syncd.sandbox.jira.routes_issue import strings
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.times import stamp
from syncd.sandbox.wire import Response, whole

# permission key: (id, name, global, needs write access)
PERMISSIONS: dict[str, tuple[str, str, bool, bool]] = {
    "ADMINISTER": ("0", "Administer Jira", True, True),
    "BULK_CHANGE": ("33", "Make bulk changes", True, True),
    "CREATE_PROJECT": ("44", "Create projects", True, True),
    "USER_PICKER": ("27", "Browse users and groups", True, False),
    "BROWSE_PROJECTS": ("10", "Browse Projects", False, False),
    "ADMINISTER_PROJECTS": ("23", "Administer Projects", False, True),
    "CREATE_ISSUES": ("11", "Create Issues", False, True),
    "EDIT_ISSUES": ("12", "Edit Issues", False, True),
    "TRANSITION_ISSUES": ("46", "Transition Issues", False, True),
    "ASSIGN_ISSUES": ("13", "Assign Issues", False, True),
    "ASSIGNABLE_USER": ("17", "Assignable User", False, False),
    "DELETE_ISSUES": ("16", "Delete Issues", False, True),
    "ADD_COMMENTS": ("15", "Add Comments", False, True),
    "LINK_ISSUES": ("21", "Link Issues", False, True),
    "SCHEDULE_ISSUES": ("28", "Schedule Issues", False, True),
    "MODIFY_REPORTER": ("30", "Modify Reporter", False, True),
    "RESOLVE_ISSUES": ("14", "Resolve Issues", False, True),
    "CLOSE_ISSUES": ("18", "Close Issues", False, True),
    "MOVE_ISSUES": ("25", "Move Issues", False, True),
    "VIEW_VOTERS_AND_WATCHERS": ("31", "View Voters and Watchers", False, False),
    "MANAGE_WATCHERS": ("32", "Manage Watchers", False, True),
    "WORK_ON_ISSUES": ("20", "Work On Issues", False, True),
}


def server_info(call: Call) -> Response:
    """GET serverInfo."""
    base = call.request.base_url
    return call.ok(
        {
            "baseUrl": base,
            "displayUrl": base,
            "displayUrlServicedeskHelpCenter": base,
            "displayUrlConfluence": base,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": 100300,
            "buildDate": "2026-01-05T10:00:00.000+0000",
            "serverTime": stamp(call.store.now(), call.shapes.zone),
            "scmInfo": "0000000000000000000000000000000000000000",
            "serverTitle": "Jira",
            "defaultLocale": {"locale": "en_US"},
            "serverTimeZone": "Etc/UTC",
        }
    )


def myself(call: Call) -> Response:
    """GET myself: refused in a form of its own to those who are not signed in."""
    user = call.user
    if user is None:
        return call.ok({"message": WRONG_CREDENTIALS, "status-code": 401}, 401)
    expand = set(call.names("expand"))
    shape = {**call.shapes.user(user.account_id), "emailAddress": user.email, "locale": "en_US"}
    shape["groups"] = call.shapes.groups_of(user, items="groups" in expand)
    shape["applicationRoles"] = {"size": 0, "items": []}
    return call.ok({**shape, "expand": "groups,applicationRoles"} if not expand else shape)


def my_permissions(call: Call) -> Response:
    """GET mypermissions."""
    asked = call.names("permissions")
    if not asked:
        raise bad("The 'permissions' query parameter is required.")
    unknown = [key for key in asked if key not in PERMISSIONS]
    if unknown:
        raise bad(f"Unrecognized permission: {', '.join(unknown)}")
    browse, write = _rights(call)
    found = {}
    for key in asked:
        number, name, site, writes = PERMISSIONS[key]
        have = (write if writes else browse) if not site else call.user is not None
        found[key] = {
            "id": number,
            "key": key,
            "name": name,
            "type": "GLOBAL" if site else "PROJECT",
            "description": "",
            "havePermission": have,
        }
    return call.ok({"permissions": found})


def _rights(call: Call) -> tuple[bool, bool]:
    """Return whether the caller may browse and may write where the query points."""
    store = call.store
    named = call.request.one("projectKey") or call.request.one("projectId")
    issue_name = call.request.one("issueKey") or call.request.one("issueId")
    if issue_name:
        issue = store.find_issue(issue_name)
        project = store.projects[issue.project_id] if issue and not issue.hidden else None
        if project is None:
            raise missing()
    elif named:
        project = store.find_project(named)
        if project is None:
            raise missing(f"No project could be found with key '{named}'.")
    else:
        seen = [p for p in store.projects.values() if call.sees_project(p)]
        return bool(seen), any(call.may_change(p) for p in seen)
    browse = call.sees_project(project)
    return browse, browse and call.may_change(project)


def all_permissions(call: Call) -> Response:
    """GET permissions."""
    return call.ok(
        {
            "permissions": {
                key: {"key": key, "name": name, "type": "GLOBAL" if site else "PROJECT",
                      "description": ""}
                for key, (_number, name, site, _writes) in PERMISSIONS.items()
            }
        }
    )  # fmt: skip


def check_permissions(call: Call) -> Response:
    """POST permissions/check: which of the named projects and issues grant what is asked."""
    call.me()
    body = call.json()
    rows: list[Json] = []
    for asked in objects(body, "projectPermissions"):
        projects = [
            p
            for n in scalars(asked, "projects")
            if (p := call.store.projects.get(whole(str(n)) or 0))
        ]
        issues = [
            i for n in scalars(asked, "issues") if (i := call.store.issues.get(whole(str(n)) or 0))
        ]
        for key in strings(asked, "permissions"):
            row: Json = {
                "permission": key,
                "projects": [p.id for p in projects if _has(call, key, p)],
                "issues": [i.id for i in issues if _has_on(call, key, i)],
            }
            if row not in rows:  # the definition has each but once
                rows.append(row)
    site = [key for key in strings(body, "globalPermissions") if PERMISSIONS.get(key, _NO)[2]]
    return call.ok({"projectPermissions": rows, "globalPermissions": site})


def permitted_projects(call: Call) -> Response:
    """POST permissions/project: the projects that grant all of some permissions."""
    call.me()
    asked = strings(call.json(), "permissions")
    unknown = [key for key in asked if key not in PERMISSIONS]
    if unknown:
        raise bad(f"Unrecognized permission: {', '.join(unknown)}")
    found = [p for p in call.store.projects.values() if all(_has(call, key, p) for key in asked)]
    return call.ok({"projects": [{"id": p.id, "key": p.key} for p in found]})


_NO = ("", "", False, True)


def _has(call: Call, key: str, project: Project) -> bool:
    writes = PERMISSIONS.get(key, _NO)[3]
    return call.sees_project(project) and (not writes or call.may_change(project))


def _has_on(call: Call, key: str, issue: Issue) -> bool:
    return call.sees(issue) and _has(call, key, call.store.projects[issue.project_id])


def _one(table: Json, key: str, render: Json, what: str) -> Json:
    if key in table:
        return render(key)
    by_name = next((k for k, v in table.items() if v.name.casefold() == key.casefold()), None)
    if by_name is None:
        raise missing(f"The {what} with id '{key}' does not exist")
    return render(by_name)


def statuses(call: Call) -> Response:
    """GET status."""
    return call.ok([call.shapes.status(s) for s in call.store.statuses])


def status(call: Call, key: str) -> Response:
    """GET status/{idOrName}."""
    return call.ok(_one(call.store.statuses, key, call.shapes.status, "status"))


def status_search(call: Call) -> Response:
    """GET statuses/search."""
    rows = [
        {
            "id": s.id,
            "name": s.name,
            "statusCategory": {
                "new": "TODO", "indeterminate": "IN_PROGRESS", "done": "DONE"
            }.get(s.category, "TODO"),
            "scope": {"type": "GLOBAL"},
            "description": s.description,
            "usages": [],
            "workflowUsages": [],
        }
        for s in call.store.statuses.values()
    ]  # fmt: skip
    return call.page_bean(rows, size=200)


def categories(call: Call) -> Response:
    """GET statuscategory."""
    return call.ok([call.shapes.category(key) for key in CATEGORIES])


def category(call: Call, key: str) -> Response:
    """GET statuscategory/{idOrKey}."""
    for name, (number, _label, _color) in CATEGORIES.items():
        if key in {name, str(number)}:
            return call.ok(call.shapes.category(name))
    raise missing(f"The status category with id '{key}' does not exist")


def types(call: Call) -> Response:
    """GET issuetype."""
    return call.ok([call.shapes.type(t) for t in call.store.types])


def type_(call: Call, key: str) -> Response:
    """GET issuetype/{id}."""
    if key not in call.store.types:
        raise missing(f"The issue type with id '{key}' does not exist")
    return call.ok(call.shapes.type(key))


def types_of_project(call: Call) -> Response:
    """GET issuetype/project."""
    project = call.project(call.request.one("projectId", ""))
    return call.ok([call.shapes.type(t) for t in project.type_ids])


def priorities(call: Call) -> Response:
    """GET priority."""
    return call.ok([_priority(call, key) for key in call.store.priorities])


def priority(call: Call, key: str) -> Response:
    """GET priority/{id}."""
    if key not in call.store.priorities:
        raise missing(f"The priority with id '{key}' does not exist")
    return call.ok(_priority(call, key))


def priority_search(call: Call) -> Response:
    """GET priority/search."""
    rows = [
        {**_priority(call, key), "isDefault": item.name == "Medium"}
        for key, item in call.store.priorities.items()
    ]
    return call.page_bean(rows)


def _priority(call: Call, key: str) -> Json:
    item = call.store.priorities[key]
    shape = call.shapes.priority(key)
    return {**shape, "statusColor": item.color, "description": item.description}


def resolutions(call: Call) -> Response:
    """GET resolution."""
    return call.ok([call.shapes.resolution(r) for r in call.store.resolutions])


def resolution(call: Call, key: str) -> Response:
    """GET resolution/{id}."""
    if key not in call.store.resolutions:
        raise missing(f"The resolution with id '{key}' does not exist")
    return call.ok(call.shapes.resolution(key))


def labels(call: Call) -> Response:
    """GET label."""
    found = sorted(
        {
            label
            for issue in call.store.issues.values()
            if call.sees(issue)
            for label in issue.values.get("labels", ())
        }
    )
    return call.page_bean(found, size=1000)


def configuration(call: Call) -> Response:
    """GET configuration."""
    call.me()
    return call.ok(
        {
            "votingEnabled": True,
            "watchingEnabled": True,
            "unassignedIssuesAllowed": True,
            "subTasksEnabled": True,
            "issueLinkingEnabled": True,
            "timeTrackingEnabled": True,
            "attachmentsEnabled": True,
            "timeTrackingConfiguration": {
                "workingHoursPerDay": 8.0,
                "workingDaysPerWeek": 5.0,
                "timeFormat": "pretty",
                "defaultUnit": "minute",
            },
        }
    )


def application_links(_call: Call) -> Response:
    """Refuse what only an administrator may list."""
    raise ApiError(403, "Client must be authenticated as an administrator to access this resource.")


def add(routes: Routes) -> None:
    """Add the routes."""
    for path, handler in (
        ("/serverInfo", server_info),
        ("/myself", myself),
        ("/mypermissions", my_permissions),
        ("/permissions", all_permissions),
        ("/status", statuses),
        ("/status/{key}", status),
        ("/statuses/search", status_search),
        ("/statuscategory", categories),
        ("/statuscategory/{key}", category),
        ("/issuetype", types),
        ("/issuetype/project", types_of_project),
        ("/issuetype/{key}", type_),
        ("/priority", priorities),
        ("/priority/search", priority_search),
        ("/priority/{key}", priority),
        ("/resolution", resolutions),
        ("/resolution/{key}", resolution),
        ("/label", labels),
        ("/configuration", configuration),
    ):
        routes.add("GET", path, handler)
    routes.add("POST", "/permissions/check", check_permissions)
    routes.add("POST", "/permissions/project", permitted_projects)
