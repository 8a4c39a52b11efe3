"""Which fields a project's screens hold: what may be created, edited, and what is required."""

from __future__ import annotations

from syncd.sandbox.jira.kinds import COMPUTED, field_schema, operations
from syncd.sandbox.jira.model import Field, Issue, Json, Project
from syncd.sandbox.jira.shapes import Shapes
from syncd.sandbox.jira.store import Store

_NEVER = frozenset({"creator", "resolution", "worklog", "timespent"})
_BESIDE = {"attachment": ["set", "copy"], "issuelinks": ["add", "copy"]}  # shown, not settable
_ALWAYS_REQUIRED = frozenset({"summary", "issuetype", "project"})


def settable(store: Store, *, creating: bool) -> dict[str, Field]:
    """Return the fields that create or edit screens hold."""
    found = {
        field.id: field
        for field in store.fields.values()
        if field.id not in _NEVER and (field.custom is not None or field.kind not in COMPUTED)
        and field.kind != "rank"
    }  # fmt: skip
    if creating:
        found["project"] = store.fields["project"]
    return found


def required(project: Project, type_id: str) -> frozenset[str]:
    """Return the ids of the fields a type requires, beside summary, issuetype and project."""
    return project.required.get(type_id, project.required.get("", frozenset()))


def meta_fields(
    shapes: Shapes, project: Project, type_id: str, *, creating: bool
) -> dict[str, Json]:
    """Return `FieldMetadata` by field id, for createmeta and editmeta."""
    must = required(project, type_id) | _ALWAYS_REQUIRED
    table = settable(shapes.store, creating=creating)
    if shapes.store.types[type_id].level < 0:
        must = must | {"parent"}
    found = {
        field.id: _meta(shapes, project, type_id, field, required=field.id in must)
        for field in table.values()
        if not (creating and field.kind == "timetracking")  # settable, but not on that screen
    }
    for field_id, verbs in _BESIDE.items():
        meta = _meta(shapes, project, type_id, shapes.store.fields[field_id], required=False)
        found[field_id] = {**meta, "operations": verbs}
        if field_id == "issuelinks":
            address = f"{shapes.api}/issue/picker?currentProjectId=&showSubTaskParent=true"
            found[field_id]["autoCompleteUrl"] = f"{address}&showSubTasks=true&query="
    return found


def transition_fields(shapes: Shapes, issue: Issue, fields: dict[str, bool]) -> dict[str, Json]:
    """Return `FieldMetadata` of a transition's screen."""
    project = shapes.store.projects[issue.project_id]
    table, type_id = shapes.store.fields, issue.values["issuetype"]
    return {
        field_id: _meta(shapes, project, type_id, table[field_id], required=needed)
        for field_id, needed in fields.items()
    }


def _meta(
    shapes: Shapes, project: Project, type_id: str, field: Field, *, required: bool
) -> dict[str, Json]:
    default = field.id == "priority"
    meta: dict[str, Json] = {
        "required": required,
        "schema": field_schema(field, in_meta=True),
        "name": field.name,
        "key": field.id,
        "hasDefaultValue": default,
        "operations": [] if field.id == "issuetype" else operations(field),
    }
    allowed = _allowed(shapes, project, type_id, field)
    if allowed is not None:
        meta["allowedValues"] = allowed
    if field.kind in {"user", "users"}:
        meta["autoCompleteUrl"] = f"{shapes.api}/user/recommend?context={field.id}&query="
    if field.kind == "labels":
        meta["autoCompleteUrl"] = f"{shapes.base}/rest/api/1.0/labels/suggest?query="
    if default:
        meta["defaultValue"] = shapes.priority(default_priority(shapes.store))
    return meta


def default_priority(store: Store) -> str:
    """Return the priority that new issues get."""
    medium = store.by_name(store.priorities, "Medium")
    return medium or next(iter(store.priorities))


def _allowed(shapes: Shapes, project: Project, type_id: str, field: Field) -> list[Json] | None:
    store = shapes.store
    if field.kind in {"option", "options"}:
        return [shapes.option(field, o.id) for o in field.options.values() if not o.disabled]
    if field.kind in {"version", "versions"}:
        return [shapes.version_row(v) for v in store.versions_of(project) if not v.archived]
    if field.kind == "components":
        return [shapes.component(c) for c in store.components_of(project)]
    if field.kind == "issuetype":
        return [shapes.type(type_id)]
    simple: dict[str, list[Json]] = {
        "priority": [shapes.priority(p) for p in store.priorities],
        "resolution": [shapes.resolution(r) for r in store.resolutions],
        "project": [shapes.project(project.id)],
    }
    return simple.get(field.kind)
