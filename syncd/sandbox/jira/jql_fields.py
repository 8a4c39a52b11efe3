"""Which field a JQL name means, how its values are read from an issue, and what literals name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import CATEGORIES, Field, Issue, Json
from syncd.sandbox.jira.problems import ApiError, bad
from syncd.sandbox.jira.store import Store

Values = Callable[[Issue], tuple[Json, ...]]
_ALIASES = {"epic link": "parent", "parentepic": "parent", "watcher": "watches"}
_BY_KIND = {
    **dict.fromkeys(("stamp", "date", "datetime"), "date"),
    **dict.fromkeys(("number", "count"), "number"),
    **dict.fromkeys(("summary", "string", "rich", "url", "comments"), "text"),
    "rank": "rank",
    "attachments": "other",
    "links": "other",
    "watches": "other",
    "votes": "number",
    "linktype": "set",
    "progress": "other",
    "worklog": "other",
}
TEXT = Field("text", "Text", "string", ("text",))
LEVEL = Field("hierarchyLevel", "Hierarchy level", "count", ("hierarchyLevel",))
# what JQL can ask for that is no field of an issue
_ASKED = (
    TEXT,
    LEVEL,
    Field("voter", "Voter", "users", ("voter",)),
    Field("worklogAuthor", "Worklog author", "users", ("worklogAuthor",)),
    Field("worklogDate", "Worklog date", "stamp", ("worklogDate",)),
    Field("worklogComment", "Worklog comment", "string", ("worklogComment",)),
    Field("issueLinkType", "Link type", "linktype", ("issueLinkType", "workItemLinkType")),
)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-\d+")
_HISTORY = frozenset({"assignee", "fixVersions", "priority", "reporter", "resolution", "status"})


@dataclass(frozen=True, slots=True)
class Subject:
    """A field as JQL sees it. `type`: set, date, number, text, key, rank or other."""

    name: str  # as the query wrote it
    field: Field
    type: str
    values: Values

    @property
    def history(self) -> bool:
        """Tell whether WAS and CHANGED work on it."""
        return self.field.id in _HISTORY


def subjects(store: Store) -> dict[str, Field]:
    """Return the fields by every lower-case name that JQL takes."""
    table = {name.lower(): field for field in _ASKED for name in field.clauses}
    for field in store.fields.values():
        if field.searchable:
            names = (field.id, *field.clauses)
            table.update({name.lower(): field for name in names if name.lower() not in table})
    for alias, field_id in _ALIASES.items():
        table.setdefault(alias, store.fields[field_id])
    return table


def subject(store: Store, name: str, *, sorting: bool = False) -> Subject:
    """Return what a name in a query means; raises `ApiError` 400."""
    cached = store.extras.get("jql_names")
    if cached is None or cached[0] != store.setup:
        cached = store.extras["jql_names"] = (store.setup, subjects(store))
    field = cached[1].get(name.lower())
    if field is None:
        if sorting:
            raise bad(f"Not able to sort using field '{name}'.")
        raise bad(f"Field '{name}' does not exist or you do not have permission to view it.")
    kind = "key" if field.kind in {"key", "parent"} else _BY_KIND.get(field.kind, "set")
    return Subject(name, field, kind, _reader(store, field))


def _reader(store: Store, field: Field) -> Values:
    special = _SPECIAL.get(field.id)
    if special is not None:
        return special(store)
    if field.kind == "project" and field.custom is None:
        return lambda issue: (issue.project_id,)
    field_id = field.id
    if field.kind in {"labels", "versions", "components", "options", "users", "sprints"}:
        return lambda issue: tuple(issue.values.get(field_id, ()))
    if field.kind == "rich":
        return lambda issue: (issue.values[field_id].wiki,) if field_id in issue.values else ()

    def one(issue: Issue) -> tuple[Json, ...]:
        value = issue.values.get(field_id)
        return () if value is None else (value,)

    return one


def _all_text(store: Store) -> Values:
    texts = [f for f in store.fields.values() if f.kind in {"summary", "rich", "string"}]
    readers = [_reader(store, field) for field in texts]
    return lambda issue: (
        *(text for read in readers for text in read(issue)),
        *(c.body.wiki for c in issue.comments),
    )


_SPECIAL: dict[str, Callable[[Store], Values]] = {
    "created": lambda _store: lambda issue: (issue.created,),
    "updated": lambda _store: lambda issue: (issue.updated,),
    "issuekey": lambda _store: lambda issue: (issue.id,),
    "statusCategory": lambda store: (
        lambda issue: (store.statuses[issue.values["status"]].category,)
    ),
    "hierarchyLevel": lambda store: lambda issue: (store.type_of(issue).level,),
    "text": _all_text,
    "comment": lambda _store: lambda issue: tuple(c.body.wiki for c in issue.comments),
    "watches": lambda _store: lambda issue: tuple(issue.watchers),
    "subtasks": lambda store: lambda issue: tuple(i.id for i in store.subtasks(issue.id)),
    "attachment": lambda store: (
        lambda issue: tuple(a.id for a in store.attachments.get(issue.id, ()))
    ),
    "votes": lambda store: lambda issue: (len(store.voters.get(issue.id, ())),),
    "voter": lambda store: lambda issue: tuple(store.voters.get(issue.id, ())),
    "worklogAuthor": lambda store: (
        lambda issue: tuple(w.author for w in store.worklogs.get(issue.id, ()))
    ),
    "worklogDate": lambda store: (
        lambda issue: tuple(w.started for w in store.worklogs.get(issue.id, ()))
    ),
    "worklogComment": lambda store: (
        lambda issue: tuple(w.comment.wiki for w in store.worklogs.get(issue.id, ()) if w.comment)
    ),
    "issueLinkType": lambda store: (
        lambda issue: tuple(
            (store.links[n].type_id, store.links[n].inward == issue.id)
            for n in store.links_of.get(issue.id, ())
        )
    ),
}


def resolve(viewer: Viewer, what: Subject, text: str) -> set[Json]:
    """Return the ids that a literal names; raises `ApiError` 400 when it names nothing."""
    finder = _FINDERS.get(what.field.kind)
    found = finder(viewer, what.field, text) if finder else {text}
    if not found and what.field.kind not in {"user", "users", "labels"}:
        raise unknown(what, text)
    return found


def unknown(what: Subject, text: str) -> ApiError:
    """Return the vendor's answer to a value that does not exist."""
    if what.type == "key" and not text.isdigit():
        if not _KEY.fullmatch(text):
            return bad(f"The issue key '{text}' for field '{what.name}' is invalid.")
        return bad(f"An issue with key '{text}' does not exist for field '{what.name}'.")
    if text.isdigit():
        return bad(f"A value with ID '{text}' does not exist for the field '{what.name}'.")
    return bad(f"The value '{text}' does not exist for the field '{what.name}'.")


def _named(table: dict[str, Json], text: str) -> set[Json]:
    wanted = text.casefold()
    found = {key for key, value in table.items() if value.name.casefold() == wanted}
    return found or ({text} if text in table else set())


def _projects(viewer: Viewer, _field: Field, text: str) -> set[Json]:
    store, wanted = viewer.store, text.casefold()
    by_name = {
        p.id
        for p in store.projects.values()
        if p.name.casefold() == wanted and viewer.sees_project(p)
    }
    found = store.find_project(text)
    return {found.id} if found and viewer.sees_project(found) else by_name


def _categories(_viewer: Viewer, _field: Field, text: str) -> set[Json]:
    wanted = text.casefold()
    return {
        key
        for key, (number, name, _color) in CATEGORIES.items()
        if wanted in {key, str(number), name.casefold()}
    }


def _options(_viewer: Viewer, field: Field, text: str) -> set[Json]:
    wanted = text.casefold()
    by_value = {o.id for o in field.options.values() if o.value.casefold() == wanted}
    return by_value or ({text} if text in field.options else set())


def _issues(viewer: Viewer, _field: Field, text: str) -> set[Json]:
    issue = viewer.store.find_issue(text)
    return {issue.id} if issue is not None and viewer.sees(issue) else set()


def _sprints(viewer: Viewer, _field: Field, text: str) -> set[Json]:
    sprints = viewer.store.extras.get("sprints", {})
    wanted = text.casefold()
    return {n for n, s in sprints.items() if str(n) == text or s["name"].casefold() == wanted}


def _link_types(viewer: Viewer, _field: Field, text: str) -> set[Json]:
    """Return link types with direction: a name stands for both ends, a description for one."""
    wanted, found = text.casefold(), set()
    for kind in viewer.store.link_types.values():
        ends = {kind.outward.casefold(): {True}, kind.inward.casefold(): {False}}
        if kind.inward == kind.outward or wanted == kind.name.casefold():
            ends = {name.casefold(): {True, False} for name in (kind.name, kind.inward)}
        found |= {(kind.id, end) for end in ends.get(wanted, ())}
    return found


def _labels(_viewer: Viewer, _field: Field, text: str) -> set[Json]:
    return {text}


_Finder = Callable[[Viewer, Field, str], set[Json]]
_FINDERS: dict[str, _Finder] = {
    "project": _projects,
    "status": lambda v, _f, t: _named(v.store.statuses, t),
    "issuetype": lambda v, _f, t: _named(v.store.types, t),
    "priority": lambda v, _f, t: _named(v.store.priorities, t),
    "resolution": lambda v, _f, t: _named(v.store.resolutions, t),
    "version": lambda v, _f, t: _named(v.store.versions, t),
    "versions": lambda v, _f, t: _named(v.store.versions, t),
    "components": lambda v, _f, t: _named(v.store.components, t),
    "category": _categories,
    "option": _options,
    "options": _options,
    "user": lambda v, _f, t: set(v.people(t)),
    "users": lambda v, _f, t: set(v.people(t)),
    "watches": lambda v, _f, t: set(v.people(t)),
    "key": _issues,
    "parent": _issues,
    "sprints": _sprints,
    "labels": _labels,
    "linktype": _link_types,
}
