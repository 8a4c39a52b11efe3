"""Routes of projects."""

from __future__ import annotations

import re

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.defaults import standard_workflow
from syncd.sandbox.jira.model import Json, Project
from syncd.sandbox.jira.problems import ApiError, bad, missing
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.workflow import workflow_of
from syncd.sandbox.wire import Response

_LEVELS = {-1: "Subtask", 0: "Story", 1: "Epic"}


def _visible(call: Call) -> list[Project]:
    return sorted(
        (p for p in call.store.projects.values() if call.sees_project(p)),
        key=lambda project: project.key,
    )


def projects(call: Call) -> Response:
    """GET project: deprecated but in use."""
    return call.ok([call.shapes.project_row(p) for p in _visible(call)])


def search(call: Call) -> Response:
    """GET project/search."""
    text = (call.request.one("query") or "").casefold()
    ids = set(call.request.many("id"))
    keys = {part.upper() for part in call.request.many("keys") for part in part.split(",")}
    states = set(call.names("status")) or {"live"}
    expand = set(call.names("expand"))
    kept = [
        p
        for p in _visible(call)
        if (not text or text in p.name.casefold() or text in p.key.casefold())
        and (not ids or str(p.id) in ids)
        and (not keys or p.key in keys)
        and ("archived" if p.archived else "live") in states
    ]
    return call.page_bean([_row(call, p, expand) for p in kept])


def _row(call: Call, project: Project, expand: set[str]) -> Json:
    shape = call.shapes.project_row(project)
    if "description" in expand:
        shape["description"] = project.description
    if "lead" in expand:
        shape["lead"] = call.shapes.user(project.lead)
    if "issueTypes" in expand:
        shape["issueTypes"] = [call.shapes.type(t) for t in project.type_ids]
    return shape


def project(call: Call, key: str) -> Response:
    """GET project/{projectIdOrKey}."""
    found = call.project(key)
    shape = call.shapes.project_whole(found)
    if "projectKeys" in call.names("expand"):
        shape["projectKeys"] = [found.key, *found.old_keys]
    if "issueTypeHierarchy" in call.names("expand"):
        shape["issueTypeHierarchy"] = {"baseLevelId": 0, "levels": _levels(call, found)}
    return call.ok(shape)


def _levels(call: Call, found: Project) -> list[Json]:
    kinds = [call.store.types[type_id] for type_id in found.type_ids]
    return [
        {
            "id": level,
            "name": _LEVELS.get(level, f"Level {level}"),
            "level": level,
            "issueTypeIds": [int(k.id) for k in kinds if k.level == level],
            "hierarchyLevelNumber": level,
        }
        for level in sorted({k.level for k in kinds})
    ]


def create(call: Call) -> Response:
    """POST project."""
    me = call.me()
    body = call.json()
    lead = str(body.get("leadAccountId") or me.account_id)
    key, name = str(body.get("key", "")), str(body.get("name", "")).strip()
    _check(call, None, {"key": key, "name": name, "lead": lead})
    made = new_project(call.store, key, name, lead, description=str(body.get("description") or ""))
    made.simplified = "team-managed" in str(body.get("projectTemplateKey")) or (
        "simplified" in str(body.get("projectTemplateKey"))
    )
    happenings.project(call.store, "created", made)
    return call.ok(
        {"self": f"{call.shapes.api}/project/{made.id}", "id": made.id, "key": made.key}, 201
    )


def _check(call: Call, own: Project | None, given: dict[str, str]) -> None:
    """Raise 400 with everything that is wrong with a project's key, name and lead."""
    errors = {}
    key, name, lead = given.get("key"), given.get("name"), given.get("lead")
    others = [p for p in call.store.projects.values() if p is not own]
    if key is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]{1,9}", key):
        errors["projectKey"] = (
            "Project keys must start with an uppercase letter, followed by one or more uppercase"
            " alphanumeric characters."
        )
    elif key is not None and call.store.find_project(key) not in (None, own):
        errors["projectKey"] = f"Project '{key}' uses this project key."
    if name == "":
        errors["projectName"] = "You must specify a valid project name."
    elif name is not None and any(p.name.casefold() == name.casefold() for p in others):
        errors["projectName"] = "A project with that name already exists."
    if lead is not None and lead not in call.store.users:
        errors["projectLead"] = "You must specify a valid project lead."
    if errors:
        raise ApiError(400, errors=errors)


def update(call: Call, key: str) -> Response:
    """PUT project/{projectIdOrKey}: only what is given changes; former keys keep leading here."""
    call.me()
    found, body = call.project(key), call.json()
    if not call.may_change(found):
        raise ApiError(403, "You cannot edit the configuration of this project.")
    names = {"key": "key", "name": "name", "leadAccountId": "lead"}
    given = {mine: str(body[name]).strip() for name, mine in names.items() if name in body}
    _check(call, found, given)
    found.name, found.lead = given.get("name", found.name), given.get("lead", found.lead)
    found.description = body.get("description", found.description)
    if given.get("key", found.key) != found.key:
        call.store.rekey(found, given["key"])
    call.store.setup += 1
    happenings.project(call.store, "updated", found)
    return call.ok(call.shapes.project_whole(found))


def new_project(store: Store, key: str, name: str, lead: str, *, description: str = "") -> Project:
    """Add a project with the site's standard types and workflow."""
    made = Project(
        store.number("project"), key, name, lead, list(store.extras["standard_types"]),
        {"": standard_workflow(store)}, description,
    )  # fmt: skip
    store.add_project(made)
    return made


def statuses(call: Call, key: str) -> Response:
    """GET project/{projectIdOrKey}/statuses."""
    found = call.project(key)
    rows = []
    for type_id in found.type_ids:
        kind = call.shapes.type(type_id)
        flow = workflow_of(found, type_id)
        rows.append(
            {
                "self": kind["self"],
                "id": kind["id"],
                "name": kind["name"],
                "subtask": kind["subtask"],
                "statuses": [call.shapes.status(s) for s in flow.statuses],
            }
        )
    return call.ok(rows)


def hierarchy(call: Call, key: str) -> Response:
    """GET project/{projectId}/hierarchy."""
    found = call.project(key)
    levels: dict[int, list[Json]] = {}
    for type_id in found.type_ids:
        kind = call.store.types[type_id]
        row = {"id": int(kind.id), "name": kind.name, "avatarId": kind.avatar_id}
        levels.setdefault(kind.level, []).append(row)
    return call.ok(
        {
            "projectId": found.id,
            "hierarchy": [
                {"level": level, "name": _LEVELS.get(level, f"Level {level}"), "issueTypes": rows}
                for level, rows in sorted(levels.items())
            ],
        }
    )


def delete(call: Call, key: str) -> Response:
    """DELETE project/{projectIdOrKey}: the project leaves with all its issues."""
    call.me()
    found = call.project(key)
    if not call.may_change(found):
        raise bad("You do not have permission to delete this project.")
    kept = call.flag("enableUndo", default=True)  # in the recycle bin; its issues are not told of
    happenings.project(call.store, "soft_deleted" if kept else "deleted", found)
    for issue in [i for i in call.store.issues.values() if i.project_id == found.id]:
        call.store.remove_issue(issue)
    del call.store.projects[found.id]
    for name in [k for k, v in call.store.project_keys.items() if v == found.id]:
        del call.store.project_keys[name]
    call.store.setup += 1
    return call.done()


ROLE = 10002
_ROLE_NAME = "Administrators"


def roles(call: Call, key: str) -> Response:
    """GET project/{projectIdOrKey}/role."""
    found = call.project(key)
    return call.ok({_ROLE_NAME: f"{call.shapes.api}/project/{found.id}/role/{ROLE}"})


def role(call: Call, key: str, role: str) -> Response:
    """GET project/{projectIdOrKey}/role/{id}: the lead is the one actor."""
    found = call.project(key)
    if role != str(ROLE):
        raise missing(f"Can not find a role with id '{role}' in this project.")
    person = call.store.users[found.lead]
    actor = {"id": 10240, "displayName": person.name, "type": "atlassian-user-role-actor",
             "actorUser": {"accountId": person.account_id}}  # fmt: skip
    return call.ok(
        {
            "self": f"{call.shapes.api}/project/{found.id}/role/{ROLE}",
            "name": _ROLE_NAME,
            "id": ROLE,
            "description": "A project role that represents administrators in a project",
            "actors": [actor],
        }
    )


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/project", projects),
        ("POST", "/project", create),
        ("GET", "/project/search", search),
        ("GET", "/project/{key}", project),
        ("PUT", "/project/{key}", update),
        ("DELETE", "/project/{key}", delete),
        ("GET", "/project/{key}/role", roles),
        ("GET", "/project/{key}/role/{role}", role),
        ("GET", "/project/{key}/statuses", statuses),
        ("GET", "/project/{key}/hierarchy", hierarchy),
    ):
        routes.add(method, path, handler)
