"""Asana's JSON to neutral records, fields and values, and back. Pure.

Field ids: name, notes, section, completed, assignee, due_on, start_on, tags, parent, and the gid of
each custom field. Source: Asana's API definition (TaskResponse, CustomFieldResponse, events).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from adapters.asana.html import read_html, write_html
from adapters.text import has_opaque, parse_markdown, render_markdown
from syncd.core.records import (
    Account,
    Container,
    FieldKind,
    Option,
    Record,
    RemoteField,
    Scope,
    Value,
    neutral_set,
)

Json = dict[str, Any]

TEXT_LENGTH = 1024
"""Characters a custom text field holds."""

TASK_KINDS = (
    Option("default_task", "Task"),
    Option("milestone", "Milestone"),
    Option("approval", "Approval"),
)

STANDARD = (
    RemoteField("name", "Name", FieldKind.TITLE),
    RemoteField("notes", "Description", FieldKind.RICH_TEXT),
    RemoteField("completed", "Completed", FieldKind.CHECKBOX),
    RemoteField("assignee", "Assignee", FieldKind.PERSON),
    RemoteField("due_on", "Due date", FieldKind.DATE),
    RemoteField("start_on", "Start date", FieldKind.DATE),
    RemoteField("tags", "Tags", FieldKind.LABELS, can_add_options=True),
    RemoteField("parent", "Parent task", FieldKind.PARENT),
)

_SHOWN = {  # what to ask for to see a field
    "name": ("name",),
    "notes": ("html_notes",),
    "section": (),
    "completed": ("completed",),
    "assignee": ("assignee",),
    "due_on": ("due_on",),
    "start_on": ("start_on",),
    "tags": ("tags.name",),
    "parent": (),
}
_ALWAYS = (
    "created_at",
    "memberships.project",
    "memberships.section",
    "modified_at",
    "parent.name",
    "permalink_url",
    "resource_subtype",
)
_CUSTOM = (
    "custom_fields.date_value.date",
    "custom_fields.date_value.date_time",
    "custom_fields.enum_value",
    "custom_fields.multi_enum_values",
    "custom_fields.number_value",
    "custom_fields.people_value",
    "custom_fields.resource_subtype",
    "custom_fields.text_value",
)
_KINDS = {
    "text": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "enum": FieldKind.SELECT,
    "multi_enum": FieldKind.MULTI_SELECT,
    "date": FieldKind.DATE,
    "people": FieldKind.PEOPLE,
}


# asking -----------------------------------------------------------------------------------------


def task_fields(scope: Scope) -> tuple[str, ...]:
    """Return the `opt_fields` that show what the scope asks for; more would cost more quota."""
    wanted = {name for field in scope.fields for name in _SHOWN.get(field, _CUSTOM)}
    if scope.marker is not None:
        wanted.update(_CUSTOM)
    if scope.subtasks:
        wanted.add("num_subtasks")
    return tuple(sorted(wanted.union(_ALWAYS)))


def is_custom(field: str) -> bool:
    """Tell whether a field id is the gid of a custom field."""
    return field not in _SHOWN


# the schema -------------------------------------------------------------------------------------


def account(user: Json) -> Account:
    """Return a user; the e-mail is hidden from guests."""
    return Account(user["gid"], user.get("name") or "", user.get("email") or None)


def container(project: Json) -> Container:
    """Return a project."""
    return Container(
        project["gid"],
        project.get("name") or "",
        kinds=TASK_KINDS,
        url=project.get("permalink_url"),
    )


def section_field(project: str, sections: Iterable[Json]) -> RemoteField:
    """Return the field that says in which section of a project a task stands."""
    options = tuple(Option(section["gid"], section["name"]) for section in sections)
    return RemoteField("section", "Section", FieldKind.STATUS, options, containers=(project,))


def custom_fields(settings: Mapping[str, Sequence[Json]]) -> tuple[RemoteField, ...]:
    """Return the custom fields of projects: project gid -> its `custom_field_settings`."""
    found: dict[str, tuple[Json, list[str]]] = {}
    for project, entries in settings.items():
        for entry in entries:
            field = entry["custom_field"]
            found.setdefault(field["gid"], (field, []))[1].append(project)
    return tuple(_custom_field(field, projects) for field, projects in found.values())


def _custom_field(field: Json, projects: Sequence[str]) -> RemoteField:
    kind = _KINDS.get(subtype(field), FieldKind.OTHER)
    frozen = field.get("is_formula_field") or field.get("is_value_read_only")
    return RemoteField(
        id=field["gid"],
        name=field.get("name") or "",
        kind=kind,
        options=tuple(
            Option(option["gid"], option["name"])
            for option in field.get("enum_options") or ()
            if option.get("enabled", True)
        ),
        writable=not frozen and kind is not FieldKind.OTHER,
        max_length=TEXT_LENGTH if kind is FieldKind.TEXT else None,
        containers=tuple(projects),
    )


def subtype(field: Json) -> str:
    """Return what shape a custom field has; `type` is its older name."""
    return str(field.get("resource_subtype") or field.get("type") or "")


# reading ----------------------------------------------------------------------------------------


def record(task: Json, scope: Scope, *, author: str | None = None) -> Record:
    """Return a task as a record of the scope; `author` is whoever an event names."""
    customs = {field["gid"]: field for field in task.get("custom_fields") or ()}
    values: dict[str, Value] = {}
    opaque = set()
    for field in scope.fields:
        if field == "notes":
            values[field], beyond = _notes(task)
            if beyond:
                opaque.add(field)
        elif is_custom(field):
            if field in customs:  # else its project has lost it: not shown is not empty
                values[field] = custom_value(customs[field])
        else:
            values[field] = _READ[field](task, scope)
    parent = task.get("parent")
    return Record(
        connection=scope.connection,
        scope=scope.id,
        id=task["gid"],
        container=scope.containers[0],
        kind=task.get("resource_subtype"),
        key=task["gid"],
        url=task.get("permalink_url") or "",
        updated=task.get("modified_at") or "",
        fields=values,
        created=task.get("created_at") or "",
        author=author,
        opaque=frozenset(opaque),
        marker=marker(task, scope),
        trashed=not in_scope(task, scope),
        parent_key=str(parent.get("name") or parent["gid"]) if isinstance(parent, dict) else None,
    )


def marker(task: Json, scope: Scope) -> str | None:
    """Return our marker, where the scope has a field for it."""
    for field in task.get("custom_fields") or ():
        if scope.marker is not None and field["gid"] == scope.marker:
            return field.get("text_value") or None
    return None


def in_scope(task: Json, scope: Scope) -> bool:
    """Tell whether a task belongs to the scope's project, itself or as a subtask."""
    if scope.subtasks and task.get("parent") is not None:
        return True
    return any(
        (membership.get("project") or {}).get("gid") in scope.containers
        for membership in task.get("memberships") or ()
    )


def creator(task: Json) -> str | None:
    """Return the id of who made the task, where that was asked for."""
    return _gid(task.get("created_by"))


def is_task(task: Json) -> bool:
    """Tell a task from the separator lines of very old projects."""
    return task.get("resource_subtype") != "section"


def _notes(task: Json) -> tuple[str | None, bool]:
    doc = read_html(task.get("html_notes") or "")
    return render_markdown(doc) or None, has_opaque(doc)


def _section(task: Json, scope: Scope) -> Value:
    for membership in task.get("memberships") or ():
        if (membership.get("project") or {}).get("gid") in scope.containers:
            return _gid(membership.get("section"))
    return None


def _gid(compact: Json | None) -> str | None:
    return compact["gid"] if compact else None


def _date(value: str | None) -> str | None:
    return value[:10] if value else None


_READ: dict[str, Callable[[Json, Scope], Value]] = {
    "name": lambda task, _: (task.get("name") or "").strip("\r\n") or None,
    "section": _section,
    "completed": lambda task, _: bool(task.get("completed")),
    "assignee": lambda task, _: _gid(task.get("assignee")),
    "due_on": lambda task, _: _date(task.get("due_on")),
    "start_on": lambda task, _: _date(task.get("start_on")),
    "tags": lambda task, _: neutral_set(tag["name"] for tag in task.get("tags") or ()),
    "parent": lambda task, _: _gid(task.get("parent")),
}


def custom_value(field: Json) -> Value:
    """Return the neutral value of a custom field as a task shows it."""
    match subtype(field):
        case "text":
            return (field.get("text_value") or "").strip("\r\n") or None
        case "number":
            number = field.get("number_value")
            return None if number is None else float(number)
        case "enum":
            return _gid(field.get("enum_value"))
        case "multi_enum":
            return neutral_set(option["gid"] for option in field.get("multi_enum_values") or ())
        case "date":
            date = field.get("date_value") or {}
            return _date(date.get("date") or date.get("date_time"))
        case "people":
            return neutral_set(person["gid"] for person in field.get("people_value") or ())
        case _:
            return None


# writing ----------------------------------------------------------------------------------------


def task_data(fields: Mapping[str, Value], subtypes: Mapping[str, str]) -> Json:
    """Return the body of a PUT, or the plain part of a POST, for neutral values.

    `subtypes` gives the shape of each custom field. section, tags and parent are not in it.
    """
    data: Json = {}
    customs: Json = {}
    for field, value in fields.items():
        if is_custom(field):
            customs[field] = custom_data(subtypes.get(field, "text"), value)
        elif field == "notes":
            data["html_notes"] = write_html(parse_markdown(str(value or "")))
        elif field == "name":
            data["name"] = value or ""
        elif field == "completed":
            data["completed"] = bool(value)
        elif field in {"assignee", "due_on", "start_on"}:
            data[field] = value
    if customs:
        data["custom_fields"] = customs
    return data


def custom_data(kind: str, value: Value) -> object:
    """Return what a request says for the value of a custom field."""
    if kind in {"multi_enum", "people"}:
        return list(value) if isinstance(value, tuple) else [value] if value else []
    if kind == "date":
        return None if value is None else {"date": value}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def normal_notes(value: str) -> str:
    """Return what Asana gives back after storing this Markdown in a description."""
    return render_markdown(read_html(write_html(parse_markdown(value))))


# events -----------------------------------------------------------------------------------------


def touched_by(event: Json) -> str | None:
    """Return the task an event is about: its own, or the one a story was written to."""
    resource, parent = event.get("resource") or {}, event.get("parent") or {}
    if resource.get("resource_type") == "task":
        return _gid(resource)
    if resource.get("resource_type") == "story" and parent.get("resource_type") == "task":
        return _gid(parent)
    return None


def takes_away(event: Json, project: str) -> bool | None:
    """Tell whether an event took its task out of the project, by deleting or by removing it.

    False for one that brought it back, None for one that says nothing of that.
    """
    if (event.get("resource") or {}).get("resource_type") != "task":
        return None
    action = str(event.get("action"))
    if action in {"removed", "added"} and _gid(event.get("parent")) != project:
        return None  # out of a section, or from below another task
    return {"deleted": True, "removed": True, "undeleted": False, "added": False}.get(action)
