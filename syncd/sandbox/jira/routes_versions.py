"""Routes of a project's versions and components."""

from __future__ import annotations

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import change_value, record
from syncd.sandbox.jira.model import Component, Issue, Json, Project, Version
from syncd.sandbox.jira.problems import ApiError, bad, bad_field, missing
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.times import is_day
from syncd.sandbox.wire import Response


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


def components_of_all(call: Call) -> Response:
    """GET component: of all projects, or of those named."""
    named = call.names("projectIdsOrKeys")
    projects = [call.project(key) for key in named] or [
        p for p in call.store.projects.values() if call.sees_project(p)
    ]
    part = (call.request.one("query") or "").casefold()
    rows = [c for p in projects for c in call.store.components_of(p) if part in c.name.casefold()]
    return call.page_bean([call.shapes.component(c) for c in rows])


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
    """DELETE version/{id}: issues lose it, or get the versions that the query names instead."""
    return _remove(call, _find_version(call, key), {
        "fixVersions": call.request.one("moveFixIssuesTo"),
        "versions": call.request.one("moveAffectedIssuesTo"),
    })  # fmt: skip


def swap_version(call: Call, key: str) -> Response:
    """POST version/{id}/removeAndSwap."""
    body = call.json()
    return _remove(call, _find_version(call, key), {
        "fixVersions": body.get("moveFixIssuesTo"),
        "versions": body.get("moveAffectedIssuesTo"),
    })  # fmt: skip


def merge_version(call: Call, key: str, target: str) -> Response:
    """PUT version/{id}/mergeto/{moveIssuesTo}."""
    instead = {"fixVersions": target, "versions": target}
    merged = _find_version(call, target)
    return _remove(call, _find_version(call, key), instead, merged)


def _remove(
    call: Call, version: Version, instead: dict[str, Json], merged: Version | None = None
) -> Response:
    me = call.me()
    targets = {
        field_id: _find_version(call, str(number)).id if number else None
        for field_id, number in instead.items()
    }
    if version.id in targets.values():
        raise bad("A version cannot be replaced by itself.")
    happenings.version(call.store, "deleted", version, merged)
    for issue in list(call.store.issues.values()):
        _swap(call, issue, version.id, targets, me.account_id)
    del call.store.versions[version.id]
    call.store.setup += 1
    return call.done()


def _swap(call: Call, issue: Issue, old: str, targets: dict[str, str | None], author: str) -> None:
    items = []
    for field_id, new in targets.items():
        have = issue.values.get(field_id, ())
        if old in have:
            kept = list(dict.fromkeys(new if v == old else v for v in have))
            field = call.store.fields[field_id]
            items.append(change_value(call.store, issue, field, [v for v in kept if v]))
    record(call.store, issue, author, [item for item in items if item])


_POSITIONS = frozenset({"First", "Last", "Earlier", "Later"})


def move_version(call: Call, key: str) -> Response:
    """POST version/{id}/move: behind another version, or to a place in the project's list."""
    call.me()
    version, body = _find_version(call, key), call.json()
    rows = call.store.versions_of(call.store.projects[version.project_id])
    at = rows.index(version)
    after, where = body.get("after"), body.get("position")
    if (after is None) == (where is None) or where not in (None, *_POSITIONS):
        raise bad("Exactly one of 'after' and 'position' must be given.")
    rows.remove(version)
    if after is not None:
        anchor = _find_version(call, str(after).rstrip("/").rpartition("/")[2])
        place = rows.index(anchor) + 1 if anchor in rows else at
    else:
        places = {"First": 0, "Last": len(rows), "Earlier": max(0, at - 1), "Later": at + 1}
        place = places[str(where)]
    rows.insert(place, version)
    others = {v.id: v for v in call.store.versions.values() if v.project_id != version.project_id}
    call.store.versions = {**others, **{v.id: v for v in rows}}
    call.store.setup += 1
    return call.ok(call.shapes.version_row(version))


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
    name = _component_name(call, found.id, body, None)
    component = Component(
        str(call.store.number("component")), found.id, name, body.get("description"),
        body.get("leadAccountId"),
    )  # fmt: skip
    call.store.components[component.id] = component
    call.store.setup += 1
    return call.ok(call.shapes.component_row(component), 201)


def _component_name(call: Call, project_id: int, body: dict[str, Json], own: str | None) -> str:
    name = str(body.get("name", "")).strip()
    if not name:
        raise bad_field("name", "The component name specified is invalid - cannot be an empty"
                        " string.")  # fmt: skip
    rows = call.store.components_of(call.store.projects[project_id])
    if any(c.name == name and c.id != own for c in rows):
        raise bad_field("name", f"A component with the name {name} already exists in this project.")
    return name


def _find_component(call: Call, key: str) -> Component:
    component = call.store.components.get(key)
    if component is None or not call.sees_project(call.store.projects[component.project_id]):
        raise missing(f"The component with id {key} does not exist.")
    return component


def read_component(call: Call, key: str) -> Response:
    """GET component/{id}."""
    return call.ok(call.shapes.component_row(_find_component(call, key)))


def update_component(call: Call, key: str) -> Response:
    """PUT component/{id}: only what is given changes."""
    call.me()
    component, body = _find_component(call, key), call.json()
    if "name" in body:
        component.name = _component_name(call, component.project_id, body, component.id)
    component.description = body.get("description", component.description)
    component.lead = body.get("leadAccountId", component.lead)
    call.store.setup += 1
    return call.ok(call.shapes.component_row(component))


def delete_component(call: Call, key: str) -> Response:
    """DELETE component/{id}: issues lose it, or get the one that `moveIssuesTo` names instead."""
    me = call.me()
    component = _find_component(call, key)
    target = call.request.one("moveIssuesTo")
    targets = {"components": _find_component(call, target).id if target else None}
    for issue in list(call.store.issues.values()):
        _swap(call, issue, component.id, targets, me.account_id)
    del call.store.components[component.id]
    call.store.setup += 1
    return call.done()


def component_counts(call: Call, key: str) -> Response:
    """GET component/{id}/relatedIssueCounts."""
    component = _find_component(call, key)
    address = f"{call.shapes.api}/component/{component.id}"
    count = _count(call, "components", component.id)
    return call.ok({"self": address, "issueCount": count})


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
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
        ("PUT", "/version/{key}/mergeto/{target}", merge_version),
        ("POST", "/version/{key}/move", move_version),
        ("POST", "/version/{key}/removeAndSwap", swap_version),
        ("GET", "/component", components_of_all),
        ("POST", "/component", create_component),
        ("GET", "/component/{key}", read_component),
        ("PUT", "/component/{key}", update_component),
        ("DELETE", "/component/{key}", delete_component),
        ("GET", "/component/{key}/relatedIssueCounts", component_counts),
    ):
        routes.add(method, path, handler)
