"""Issues as the API shows them: each field by its kind, whole issues with their expansions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from syncd.sandbox.jira.adf import to_html
from syncd.sandbox.jira.durations import ESTIMATE, ORIGINAL, SPENT, pretty, progress, tracking
from syncd.sandbox.jira.kinds import field_schema
from syncd.sandbox.jira.model import Attachment, Comment, Field, History, Issue, Json, Worklog
from syncd.sandbox.jira.ranks import rank_of
from syncd.sandbox.jira.shapes import Shapes

EXPAND = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"
FieldRender = Callable[[Shapes, Field, Issue], Json]
MAX_CHANGELOG_IN_SEARCH = 40
MAX_WORKLOGS_IN_ISSUE = 20


def _raw(_shapes: Shapes, field: Field, issue: Issue) -> Json:
    return issue.values.get(field.id)


def _rich(shapes: Shapes, field: Field, issue: Issue) -> Json:
    value = issue.values.get(field.id)
    if value is None:
        return None
    return value.adf if shapes.rich_is_document else value.wiki


def _stamp(shapes: Shapes, field: Field, issue: Issue) -> Json:
    if field.id in {"created", "updated"}:
        return shapes.time(issue.created if field.id == "created" else issue.updated)
    value = issue.values.get(field.id)
    return None if value is None else shapes.time(value)


def _list(shapes: Shapes, field: Field, issue: Issue) -> Json:
    store = shapes.store
    value = issue.values.get(field.id)
    if not value:
        return None if field.custom else []
    if field.kind == "components":
        return [shapes.component(store.components[item]) for item in value]
    return [shapes.version_in_issue(store.versions[item]) for item in value]


def _labels(_shapes: Shapes, field: Field, issue: Issue) -> Json:
    value = issue.values.get(field.id)
    return list(value) if value else (None if field.custom else [])


def _watches(shapes: Shapes, _field: Field, issue: Issue) -> Json:
    address = f"{shapes.api}/issue/{issue.key}/watchers"
    return {"self": address, "watchCount": len(issue.watchers), "isWatching": False}


def _votes(shapes: Shapes, _field: Field, issue: Issue) -> Json:
    count = len(shapes.store.voters.get(issue.id, ()))
    return {"self": f"{shapes.api}/issue/{issue.key}/votes", "votes": count, "hasVoted": False}


_SUMS = {"aggregatetimespent": SPENT, "aggregatetimeestimate": ESTIMATE,
         "aggregatetimeoriginalestimate": ORIGINAL}  # fmt: skip


def _count(shapes: Shapes, field: Field, issue: Issue) -> Json:
    if field.id == "workratio":
        planned = issue.values.get(ORIGINAL)
        return 100 * (issue.values.get(SPENT) or 0) // planned if planned else -1
    if field.id in _SUMS:
        return _with_subtasks(shapes, issue, _SUMS[field.id])
    return issue.values.get(field.id)


def _with_subtasks(shapes: Shapes, issue: Issue, name: str) -> int | None:
    parts = [issue, *shapes.store.subtasks(issue.id)]
    known = [part.values[name] for part in parts if name in part.values]
    return sum(known) if known else None


def _progress(shapes: Shapes, field: Field, issue: Issue) -> Json:
    if field.id == "progress":
        return progress(issue.values.get(SPENT), issue.values.get(ESTIMATE))
    return progress(*(_with_subtasks(shapes, issue, name) for name in (SPENT, ESTIMATE)))


def _worklogs(shapes: Shapes, _field: Field, issue: Issue) -> Json:
    rows = shapes.store.worklogs.get(issue.id, ())
    kept = [worklog(shapes, issue, item) for item in rows[:MAX_WORKLOGS_IN_ISSUE]]
    return {"startAt": 0, "maxResults": MAX_WORKLOGS_IN_ISSUE, "total": len(rows),
            "worklogs": kept}  # fmt: skip


def _comments(shapes: Shapes, _field: Field, issue: Issue) -> Json:
    count = len(issue.comments)
    return {
        "comments": [comment(shapes, issue, item) for item in issue.comments],
        "self": f"{shapes.api}/issue/{issue.id}/comment",
        "maxResults": count,
        "total": count,
        "startAt": 0,
    }


def _links(shapes: Shapes, _field: Field, issue: Issue) -> Json:
    store = shapes.store
    links = (store.links[item] for item in store.links_of.get(issue.id, ()))
    return [
        shapes.link_seen_from(link, issue)
        for link in links
        if not store.issues[link.outward if link.inward == issue.id else link.inward].hidden
    ]


def _parent(shapes: Shapes, _field: Field, issue: Issue) -> Json:
    parent = issue.values.get("parent")
    return None if parent is None else shapes.related(shapes.store.issues[parent])


def _sprints(shapes: Shapes, field: Field, issue: Issue) -> Json:
    sprints = shapes.store.extras.get("sprints", {})
    value = issue.values.get(field.id)
    return [sprints[item] for item in value] if value else None


def _through(make: Callable[[Shapes, Json], Json]) -> FieldRender:
    def render(shapes: Shapes, field: Field, issue: Issue) -> Json:
        value = issue.values.get(field.id)
        return None if value is None else make(shapes, value)

    return render


RENDERERS: dict[str, FieldRender] = {
    "rich": _rich,
    "stamp": _stamp,
    "user": _through(Shapes.user),
    "users": lambda s, f, i: [s.user(x) for x in i.values[f.id]] if i.values.get(f.id) else None,
    "option": lambda s, f, i: s.option(f, i.values[f.id]) if i.values.get(f.id) else None,
    "options": lambda s, f, i: (
        [s.option(f, x) for x in i.values[f.id]] if i.values.get(f.id) else None
    ),
    "labels": _labels,
    "priority": _through(Shapes.priority),
    "resolution": _through(Shapes.resolution),
    "status": _through(Shapes.status),
    "category": lambda s, _f, i: s.category(s.store.statuses[i.values["status"]].category),
    "issuetype": _through(Shapes.type),
    "project": lambda s, f, i: (
        s.project(i.project_id) if f.custom is None
        else s.project(i.values[f.id]) if f.id in i.values else None
    ),
    "version": _through(lambda s, value: s.version_in_issue(s.store.versions[value])),
    "versions": _list,
    "components": _list,
    "parent": _parent,
    "links": _links,
    "subtasks": lambda s, _f, i: [s.related(child) for child in s.store.subtasks(i.id)],
    "attachments": lambda s, _f, i: [attachment(s, a) for a in s.store.attachments.get(i.id, ())],
    "watches": _watches,
    "votes": _votes,
    "progress": _progress,
    "comments": _comments,
    "worklog": _worklogs,
    "count": _count,
    "timetracking": lambda _s, _f, i: tracking(i),
    "rank": lambda s, _f, i: rank_of(s.store, i),
    "sprints": _sprints,
}  # fmt: skip


def field_value(shapes: Shapes, field: Field, issue: Issue) -> Json:
    """Return a field of an issue as the API shows it."""
    return RENDERERS.get(field.kind, _raw)(shapes, field, issue)


def comment(shapes: Shapes, issue: Issue, item: Comment) -> Json:
    """Return a `Comment`."""
    return {
        "self": f"{shapes.api}/issue/{issue.id}/comment/{item.id}",
        "id": item.id,
        "author": shapes.user(item.author),
        "body": item.body.adf if shapes.rich_is_document else item.body.wiki,
        "updateAuthor": shapes.user(item.update_author),
        "created": shapes.time(item.created),
        "updated": shapes.time(item.updated),
        "jsdPublic": True,
    }


def attachment(shapes: Shapes, item: Attachment) -> Json:
    """Return an `Attachment` as issues show it."""
    made = {
        "self": f"{shapes.api}/attachment/{item.id}",
        "id": item.id,
        "filename": item.name,
        "author": shapes.user(item.author),
        "created": shapes.time(item.created),
        "size": len(item.content),
        "mimeType": item.kind,
        "content": f"{shapes.api}/attachment/content/{item.id}",
    }
    if item.kind.startswith("image/"):
        made["thumbnail"] = f"{shapes.api}/attachment/thumbnail/{item.id}"
    return made


def worklog(shapes: Shapes, issue: Issue, item: Worklog) -> Json:
    """Return a `Worklog`."""
    made = {
        "self": f"{shapes.api}/issue/{issue.id}/worklog/{item.id}",
        "author": shapes.user(item.author),
        "updateAuthor": shapes.user(item.update_author),
        "created": shapes.time(item.created),
        "updated": shapes.time(item.updated),
        "started": shapes.time(item.started),
        "timeSpent": pretty(item.spent),
        "timeSpentSeconds": item.spent,
        "id": item.id,
        "issueId": str(issue.id),
    }
    if item.comment is not None:
        made["comment"] = item.comment.adf if shapes.rich_is_document else item.comment.wiki
    return made


def history(shapes: Shapes, entry: History) -> Json:
    """Return a `Changelog`."""
    shape: dict[str, Json] = {
        "id": entry.id,
        "author": shapes.user(entry.author),
        "created": shapes.time(entry.created),
        "items": [
            {
                "field": item.field,
                "fieldtype": "custom" if item.field_id.startswith("customfield_") else "jira",
                "fieldId": item.field_id,
                "from": item.old,
                "fromString": item.old_text,
                "to": item.new,
                "toString": item.new_text,
            }
            for item in entry.items
        ],
    }
    if entry.metadata is not None:
        shape["historyMetadata"] = entry.metadata
    return shape


def wanted_fields(shapes: Shapes, names: Iterable[str], default: str) -> list[Field]:
    """Return the fields that a `fields` parameter names, in the site's order.

    `*all`, `*navigable`, ids, names, and `-id` to leave one out; nothing means `default`.
    """
    table = shapes.store.fields
    asked = [name.strip() for name in names if name.strip()] or [default]
    left_out = {name[1:] for name in asked if name.startswith("-")}
    kept = [name for name in asked if not name.startswith("-")] or ["*all"]
    if "*all" in kept or "*navigable" in kept:
        chosen = [f for f in table.values() if f.kind != "key"]
    else:
        wanted = set(kept)
        chosen = [f for f in table.values() if f.kind != "key" and f.id in wanted]
    if "*all" not in kept and "*navigable" in kept:
        chosen = [f for f in chosen if f.kind not in {"comments", "worklog"}]
    return [field for field in chosen if field.id not in left_out]


def issue_shape(
    shapes: Shapes, issue: Issue, fields: list[Field], address: str | None = None
) -> dict[str, Json]:
    """Return an `IssueBean` with the given fields."""
    return {
        "expand": EXPAND,
        "id": str(issue.id),
        "self": address or f"{shapes.api}/issue/{issue.id}",
        "key": issue.key,
        "fields": {
            field.id: RENDERERS.get(field.kind, _raw)(shapes, field, issue)
            for field in fields
            if field.kind != "parent" or "parent" in issue.values
        },
    }


def add_expansions(
    shape: dict[str, Json],
    shapes: Shapes,
    issue: Issue,
    expand: frozenset[str],
    fields: list[Field],
) -> None:
    """Add what `expand` names: renderedFields, names, schema, changelog, operations."""
    if "renderedFields" in expand:
        shape["renderedFields"] = {
            f.id: to_html(issue.values[f.id].adf) if f.id in issue.values else None
            for f in fields
            if f.kind == "rich"
        }
    if "names" in expand:
        shape["names"] = {f.id: f.name for f in fields}
    if "schema" in expand:
        shape["schema"] = {f.id: field_schema(f, in_meta=True) for f in fields}
    if "operations" in expand:
        shape["operations"] = {"linkGroups": []}
    if "changelog" in expand:
        newest = issue.histories[::-1][:MAX_CHANGELOG_IN_SEARCH]
        shape["changelog"] = {
            "startAt": 0,
            "maxResults": len(newest),
            "total": len(issue.histories),
            "histories": [history(shapes, entry) for entry in newest],
        }
