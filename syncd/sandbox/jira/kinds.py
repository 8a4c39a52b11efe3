"""The kinds of fields: their schema, the verbs that edits may use, and how changelogs tell them."""

from __future__ import annotations

from collections.abc import Callable

from syncd.sandbox.jira.adf import Rich, plain
from syncd.sandbox.jira.model import Field, Json, words
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.times import human_day

# kind: (schema type, items)
_SCHEMAS: dict[str, tuple[str, str | None]] = {
    "summary": ("string", None),
    "string": ("string", None),
    "url": ("string", None),
    "rich": ("string", None),
    "number": ("number", None),
    "count": ("number", None),
    "date": ("date", None),
    "datetime": ("datetime", None),
    "stamp": ("datetime", None),
    "user": ("user", None),
    "users": ("array", "user"),
    "option": ("option", None),
    "options": ("array", "option"),
    "labels": ("array", "string"),
    "priority": ("priority", None),
    "resolution": ("resolution", None),
    "status": ("status", None),
    "category": ("statusCategory", None),
    "issuetype": ("issuetype", None),
    "project": ("project", None),
    "parent": ("issuelink", None),
    "version": ("version", None),
    "versions": ("array", "version"),
    "components": ("array", "component"),
    "links": ("array", "issuelinks"),
    "subtasks": ("array", "issuelinks"),
    "attachments": ("array", "attachment"),
    "watches": ("watches", None),
    "votes": ("votes", None),
    "progress": ("progress", None),
    "comments": ("comments-page", None),
    "worklog": ("array", "worklog"),
    "timetracking": ("timetracking", None),
    "rank": ("any", None),
    "sprints": ("array", "json"),
}
_LISTS = frozenset({"labels", "versions", "components", "options", "users"})
# kinds no edit may touch
COMPUTED = words(
    "stamp status category key watches votes progress comments worklog subtasks attachments"
    " rank links count project"
)


def field_schema(field: Field, *, in_meta: bool = False) -> Json:
    """Return the `schema` of a field; the list of fields has none for key and parent."""
    if field.kind == "key" or (field.kind == "parent" and not in_meta):
        return None
    kind, items = _SCHEMAS[field.kind]
    if field.custom and field.kind == "rich":
        kind = "string"
    schema: dict[str, Json] = {"type": kind}
    if items:
        schema["items"] = items
    if field.custom:
        return {**schema, "custom": field.custom, "customId": field.custom_id}
    return {**schema, "system": field.id}


def operations(field: Field) -> list[str]:
    """Return the verbs of `update` that a field takes."""
    if field.kind == "timetracking":
        return ["set", "edit"]
    if field.kind in _LISTS:
        return ["add", "set", "remove"]
    return ["set"]


def describe(store: Store, field: Field, value: Json) -> tuple[str | None, str | None]:
    """Return a value as a changelog tells it: (id or None, text or None)."""
    if value is None or value == []:
        return (None, "") if field.kind in _LISTS else (None, None)
    return _DESCRIBERS.get(field.kind, _plain)(store, field, value)


def _plain(_store: Store, _field: Field, value: Json) -> tuple[str | None, str | None]:
    return None, f"{value:g}" if isinstance(value, float) else str(value)


def _rich(_store: Store, _field: Field, value: Rich) -> tuple[str | None, str | None]:
    return None, value.wiki or plain(value.adf)


def _day(_store: Store, field: Field, value: str) -> tuple[str | None, str | None]:
    return value, human_day(value) if field.custom else f"{value} 00:00:00.0"


def _user(store: Store, _field: Field, value: str) -> tuple[str | None, str | None]:
    return value, store.users[value].name


def _users(store: Store, _field: Field, value: list[str]) -> tuple[str | None, str | None]:
    return "[" + ", ".join(value) + "]", ", ".join(store.users[item].name for item in value)


def _labels(_store: Store, _field: Field, value: list[str]) -> tuple[str | None, str | None]:
    return None, " ".join(value)


def _option(_store: Store, field: Field, value: str) -> tuple[str | None, str | None]:
    return value, field.options[value].value


def _options(_store: Store, field: Field, value: list[str]) -> tuple[str | None, str | None]:
    return "[" + ", ".join(value) + "]", ", ".join(field.options[item].value for item in value)


def _named(store: Store, field: Field, value: str) -> tuple[str | None, str | None]:
    tables: dict[str, Json] = {
        "priority": store.priorities,
        "resolution": store.resolutions,
        "status": store.statuses,
        "issuetype": store.types,
        "version": store.versions,
    }
    return value, tables[field.kind][value].name


def _many(store: Store, field: Field, value: list[str]) -> tuple[str | None, str | None]:
    table: Json = store.components if field.kind == "components" else store.versions
    return ", ".join(value), ", ".join(table[item].name for item in value)


def _parent(store: Store, _field: Field, value: int) -> tuple[str | None, str | None]:
    found = store.issues.get(value)
    return str(value), found.key if found else None


def _project(store: Store, _field: Field, value: int) -> tuple[str | None, str | None]:
    return str(value), store.projects[value].name


_DESCRIBERS: dict[str, Callable[[Store, Field, Json], tuple[str | None, str | None]]] = {
    "rich": _rich,
    "count": lambda _store, _field, value: (str(value), str(value)),
    "date": _day,
    "user": _user,
    "users": _users,
    "labels": _labels,
    "option": _option,
    "options": _options,
    "priority": _named,
    "resolution": _named,
    "status": _named,
    "issuetype": _named,
    "version": _named,
    "versions": _many,
    "components": _many,
    "parent": _parent,
    "project": _project,
    "sprints": lambda store, _field, value: (
        ", ".join(map(str, value)),
        ", ".join(store.extras["sprints"][item]["name"] for item in value),
    ),
}
