"""Routes of projects, their versions and components."""

from __future__ import annotations

import re

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.defaults import standard_workflow
from syncd.sandbox.jira.model import Component, Json, Project, Version
from syncd.sandbox.jira.problems import ApiError, bad, bad_field, missing
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.times import is_day
from syncd.sandbox.jira.workflow import workflow_of
from syncd.sandbox.wire import Response


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
        shape["issueTypeHierarchy"] = {"baseLevelId": 0, "levels": []}
    return call.ok(shape)


def create(call: Call) -> Response:
    """POST project."""
    me = call.me()
    body = call.json()
    key, name = str(body.get("key", "")), str(body.get("name", "")).strip()
    errors = {}
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,9}", key):
        errors["projectKey"] = (
            "Project keys must start with an uppercase letter, followed by one or more uppercase"
            " alphanumeric characters."
        )
    elif call.store.find_project(key) is not None:
        errors["projectKey"] = f"Project '{key}' uses this project key."
    if not name:
        errors["projectName"] = "You must specify a valid project name."
    elif any(p.name.casefold() == name.casefold() for p in call.store.projects.values()):
        errors["projectName"] = "A project with that name already exists."
    lead = str(body.get("leadAccountId") or me.account_id)
    if lead not in call.store.users:
        errors["projectLead"] = "You must specify a valid project lead."
    if errors:
        raise ApiError(400, errors=errors)
    made = new_project(call.store, key, name, lead, description=str(body.get("description") or ""))
    happenings.project(call.store, "created", made)
    return call.ok(
        {"self": f"{call.shapes.api}/project/{made.id}", "id": made.id, "key": made.key}, 201
    )


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
    names = {-1: "Subtask", 0: "Story", 1: "Epic"}
    return call.ok(
        {
            "projectId": found.id,
            "hierarchy": [
                {"level": level, "name": names.get(level, f"Level {level}"), "issueTypes": rows}
                for level, rows in sorted(levels.items())
            ],
        }
    )


def versions(call: Call, key: str) -> Response:
    """GET project/{projectIdOrKey}/versions."""
    return call.ok([call.shapes.version_row(v) for v in call.store.versions_of(call.project(key))])


def version_page(call: Call, key: str) -> Response:
    """GET project/{projectIdOrKey}/version."""
    found = call.store.versions_of(call.project(key))
    text = (call.request.one("query") or "").casefold()
    rows = [call.shapes.version_row(v) for v in found if text in v.name.casefold()]
    return call.page_bean(rows)


def components(call: Call, key: str) -> Response:
    """GET project/{projectIdOrKey}/components."""
    found = call.store.components_of(call.project(key))
    return call.ok([call.shapes.component_row(c) for c in found])


def component_page(call: Call, key: str) -> Response:
    """GET project/{projectIdOrKey}/component."""
    found = call.store.components_of(call.project(key))
    return call.page_bean([{**call.shapes.component_row(c), "issueCount": 0} for c in found])


# versions


def _find_version(call: Call, key: str) -> Version:
    version = call.store.versions.get(key)
    if version is None or not call.sees_project(call.store.projects[version.project_id]):
        raise missing(f"Could not find version for id '{key}'")
    return version


def read_version(call: Call, key: str) -> Response:
    """GET version/{id}."""
    return call.ok(call.shapes.version_row(_find_version(call, key)))


def _fill_version(version: Version, body: dict[str, Json]) -> None:
    for name, attribute in (("startDate", "start_date"), ("releaseDate", "release_date")):
        if name in body:
            day = body[name]
            if day is not None and not is_day(day):
                raise bad_field(name, f"Date is not in the expected format 'yyyy-MM-dd': {day}")
            setattr(version, attribute, day)
    if version.start_date and version.release_date and version.start_date > version.release_date:
        raise bad_field("startDate", "The start date must be before the release date.")
    for name in ("archived", "released", "description"):
        if name in body:
            setattr(version, name, body[name])


def create_version(call: Call) -> Response:
    """POST version."""
    call.me()
    body = call.json()
    named = body.get("projectId") or body.get("project")
    if named is None:
        raise bad_field("project", "Project must be specified to create a version.")
    found = call.project(named)
    if not call.may_change(found):
        raise ApiError(403, "You must have project administration permissions to create versions.")
    name = str(body.get("name", "")).strip()
    _check_version_name(call, found, name, None)
    version = Version(str(call.store.number("version")), found.id, name)
    _fill_version(version, body)
    call.store.versions[version.id] = version
    call.store.setup += 1
    happenings.version(call.store, "created", version)
    return call.ok(call.shapes.version_row(version), 201)


def _check_version_name(call: Call, found: Project, name: str, own: str | None) -> None:
    if not name:
        raise bad_field("name", "You must specify a valid version name")
    same = [v for v in call.store.versions_of(found) if v.name == name and v.id != own]
    if same:
        raise bad_field("name", "A version with this name already exists in this project.")


def update_version(call: Call, key: str) -> Response:
    """PUT version/{id}."""
    call.me()
    version, body = _find_version(call, key), call.json()
    if "name" in body:
        name = str(body["name"]).strip()
        _check_version_name(call, call.store.projects[version.project_id], name, version.id)
        version.name = name
    released = version.released
    _fill_version(version, body)
    call.store.setup += 1
    turned = "released" if version.released else "unreleased"
    what = turned if version.released != released else "updated"
    happenings.version(call.store, what, version)
    return call.ok(call.shapes.version_row(version))


def delete_version(call: Call, key: str) -> Response:
    """DELETE version/{id}: it is taken off all issues."""
    call.me()
    version = _find_version(call, key)
    happenings.version(call.store, "deleted", version)
    for issue in call.store.issues.values():
        for field_id in ("fixVersions", "versions"):
            have = issue.values.get(field_id, ())
            if version.id in have:
                issue.values[field_id] = [v for v in have if v != version.id]
                call.store.reindex(issue)
    del call.store.versions[version.id]
    call.store.setup += 1
    call.store.revision += 1
    return call.done()


def version_counts(call: Call, key: str) -> Response:
    """GET version/{id}/relatedIssueCounts."""
    version = _find_version(call, key)
    return call.ok(
        {
            "self": f"{call.shapes.api}/version/{version.id}",
            "issuesFixedCount": _count(call, "fixVersions", version.id),
            "issuesAffectedCount": _count(call, "versions", version.id),
            "issueCountWithCustomFieldsShowingVersion": 0,
            "customFieldUsage": [],
        }
    )


def version_unresolved(call: Call, key: str) -> Response:
    """GET version/{id}/unresolvedIssueCount."""
    version = _find_version(call, key)
    fixed = [i for i in call.store.issues.values() if version.id in i.values.get("fixVersions", ())]
    return call.ok(
        {
            "self": f"{call.shapes.api}/version/{version.id}",
            "issuesUnresolvedCount": sum("resolution" not in i.values for i in fixed),
            "issuesCount": len(fixed),
        }
    )


def _count(call: Call, field_id: str, version_id: str) -> int:
    return sum(version_id in i.values.get(field_id, ()) for i in call.store.issues.values())


def create_component(call: Call) -> Response:
    """POST component."""
    call.me()
    body = call.json()
    found = call.project(body.get("project") or "")
    name = str(body.get("name", "")).strip()
    if not name:
        raise bad_field("name", "The component name specified is invalid - cannot be an empty"
                        " string.")  # fmt: skip
    if any(c.name == name for c in call.store.components_of(found)):
        raise bad_field("name", f"A component with the name {name} already exists in this project.")
    component = Component(
        str(call.store.number("component")), found.id, name, body.get("description"),
        body.get("leadAccountId"),
    )  # fmt: skip
    call.store.components[component.id] = component
    call.store.setup += 1
    return call.ok(call.shapes.component_row(component), 201)


def read_component(call: Call, key: str) -> Response:
    """GET component/{id}."""
    component = call.store.components.get(key)
    if component is None:
        raise missing(f"The component with id {key} does not exist.")
    return call.ok(call.shapes.component_row(component))


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


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/project", projects),
        ("POST", "/project", create),
        ("GET", "/project/search", search),
        ("GET", "/project/{key}", project),
        ("DELETE", "/project/{key}", delete),
        ("GET", "/project/{key}/statuses", statuses),
        ("GET", "/project/{key}/hierarchy", hierarchy),
        ("GET", "/project/{key}/versions", versions),
        ("GET", "/project/{key}/version", version_page),
        ("GET", "/project/{key}/components", components),
        ("GET", "/project/{key}/component", component_page),
        ("POST", "/version", create_version),
        ("GET", "/version/{key}", read_version),
        ("PUT", "/version/{key}", update_version),
        ("DELETE", "/version/{key}", delete_version),
        ("GET", "/version/{key}/relatedIssueCounts", version_counts),
        ("GET", "/version/{key}/unresolvedIssueCount", version_unresolved),
        ("POST", "/component", create_component),
        ("GET", "/component/{key}", read_component),
    ):
        routes.add(method, path, handler)
