"""What Jira's webhooks tell: one function for each kind of thing that happens.

The bodies are made when it happens, as the service's are, in the shapes of REST API version 2. Those of
issue events are documented; those of comments, links, versions, projects and sprints are as captured
from real sites. A comment is told by `comment_created` alone, for the vendor does not say that
`jira:issue_updated` comes too; entity properties are not told, for their bodies are not documented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

import orjson

from syncd.sandbox.jira.hooks import PRIMARY, SECONDARY, Hook
from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import Comment, Field, History, Issue, Json, Link, Project, Version
from syncd.sandbox.jira.problems import ApiError
from syncd.sandbox.jira.render import comment as comment_shape
from syncd.sandbox.jira.render import field_value, history, issue_shape, wanted_fields
from syncd.sandbox.jira.search import Search
from syncd.sandbox.jira.shapes import Shapes
from syncd.sandbox.jira.store import Store

Make = Callable[[Shapes], dict[str, Json]]
_FEW = ("summary", "issuetype", "project", "assignee", "priority", "status")


def _tell(
    store: Store,
    event: str,
    make: Make,
    names: Mapping[str, Json],
    *,
    about: Issue | None = None,
    changed: frozenset[str] | None = None,
    flow: str = PRIMARY,
) -> None:
    """Write to everybody whom an event concerns. `names` fills variables in their addresses."""
    now = store.now()
    groups: dict[tuple[str, str], list[Hook]] = {}
    for hook in store.hooks.listening(event, now):
        if _wants(store, hook, about, changed):
            key = ("app", hook.url) if hook.app else ("admin", str(hook.id))
            groups.setdefault(key, []).append(hook)
    for hooks in groups.values():
        first = hooks[0]
        owner = store.users.get(first.owner)
        shapes = Shapes(store, first.base, "2", owner.time_zone if owner else "UTC")
        body: dict[str, Json] = {"timestamp": now, "webhookEvent": event, **make(shapes)}
        if first.app:
            body["matchedWebhookIds"] = [hook.id for hook in hooks]
        raw = b"" if first.exclude_body else orjson.dumps(body)
        store.hooks.write(first, _filled(first.url, names), raw, flow, store.clock.now())


def _wants(store: Store, hook: Hook, about: Issue | None, changed: frozenset[str] | None) -> bool:
    if hook.fields is not None and changed is not None and not changed & set(hook.fields):
        return False
    if about is None or not hook.jql:
        return True
    viewer = Viewer(store, store.users.get(hook.owner))
    try:
        return Search(viewer, hook.jql, lambda _issue: True, bounded=False).matches(about)
    except ApiError:  # what the filter names is gone by now
        return False


def _filled(url: str, names: Mapping[str, Json]) -> str:
    """Return an address with its variables, such as `${issue.key}`, replaced."""
    for name, value in names.items():
        url = url.replace(f"${{{name}}}", quote(str(value), safe=""))
    return url


def _names(store: Store, issue: Issue) -> dict[str, Json]:
    project = store.projects[issue.project_id]
    return {"issue.id": issue.id, "issue.key": issue.key,
            "project.id": project.id, "project.key": project.key}  # fmt: skip


def _issue(shapes: Shapes, issue: Issue, fields: list[Field]) -> Json:
    shape = issue_shape(shapes, issue, fields)
    return {name: shape[name] for name in ("id", "self", "key", "fields")}


def _small(shapes: Shapes, issue: Issue) -> Json:
    """Return an issue as events of other things show it."""
    table = shapes.store.fields
    shown = {name: field_value(shapes, table[name], issue) for name in _FEW}
    return {
        "id": str(issue.id),
        "self": f"{shapes.api}/{issue.id}",
        "key": issue.key,
        "fields": shown,
    }


# issues


def issue(
    store: Store, what: str, found: Issue, author: str, *, entry: History | None = None
) -> None:
    """Tell that an issue was `created`, `updated` (`entry`: its line of history) or `deleted`."""
    if not store.hooks.table:
        return
    kind = _kind(entry) if entry else f"issue_{what}"

    def make(shapes: Shapes) -> dict[str, Json]:
        body = {
            "issue_event_type_name": kind,
            "user": shapes.user(author),
            "issue": _issue(shapes, found, wanted_fields(shapes, ["*navigable"], "")),
        }
        if entry is not None:
            items = [_changed(item) for item in history(shapes, entry)["items"]]
            body["changelog"] = {"id": entry.id, "items": items}
        return body

    changed = frozenset(item.field_id for item in entry.items) if entry else None
    _tell(store, f"jira:issue_{what}", make, _names(store, found), about=found, changed=changed)


def _changed(item: Json) -> Json:
    return {name: item[name] for name in
            ("field", "fieldtype", "fieldId", "from", "fromString", "to", "toString")}  # fmt: skip


def _kind(entry: History) -> str:
    """Return Jira's own name of an update."""
    fields = {item.field_id for item in entry.items}
    if "status" in fields:
        return "issue_generic"
    if "issuekey" in fields:
        return "issue_moved"
    return "issue_assigned" if fields == {"assignee"} else "issue_updated"


def issue_going(store: Store, found: Issue, author: str) -> None:
    """Tell, just before it goes, that an issue is deleted, with its comments and links behind it."""
    if not store.hooks.table:
        return
    issue(store, "deleted", found, author)
    for item in found.comments:
        comment(store, "deleted", found, item, flow=SECONDARY)
    for key in store.links_of.get(found.id, ()):
        link(store, "deleted", store.links[key], flow=SECONDARY)


def comment(store: Store, what: str, found: Issue, item: Comment, *, flow: str = PRIMARY) -> None:
    """Tell that a comment was `created`, `updated` or `deleted`."""
    if not store.hooks.table:
        return

    def make(shapes: Shapes) -> dict[str, Json]:
        return {"comment": comment_shape(shapes, found, item), "issue": _small(shapes, found)}

    names = {**_names(store, found), "comment.id": item.id}
    _tell(store, f"comment_{what}", make, names, about=found, flow=flow)


def link(store: Store, what: str, found: Link, *, flow: str = PRIMARY) -> None:
    """Tell that a link between issues was `created` or `deleted`."""
    if not store.hooks.table:
        return
    kind = store.link_types[found.type_id]

    def make(_shapes: Shapes) -> dict[str, Json]:
        told = {"id": int(kind.id), "name": kind.name, "outwardName": kind.outward,
                "inwardName": kind.inward, "isSubTaskLinkType": False,
                "isSystemLinkType": False}  # fmt: skip
        return {
            "issueLink": {
                "id": int(found.id),
                "sourceIssueId": found.inward,
                "destinationIssueId": found.outward,
                "issueLinkType": told,
                "systemLink": False,
            }
        }

    _tell(store, f"issuelink_{what}", make, {}, flow=flow)


def hanging(
    store: Store, thing: str, what: str, found: Issue, make: Callable[[Shapes], Json]
) -> None:
    """Tell that a `worklog` or `attachment` of an issue was `created`, `updated` or `deleted`."""
    if store.hooks.table:
        names = _names(store, found)
        body: Make = lambda shapes: {thing: make(shapes)}  # noqa: E731
        _tell(store, f"{thing}_{what}", body, names, about=found)


# projects, versions, sprints


def project(store: Store, what: str, found: Project) -> None:
    """Tell that a project was `created`, `updated`, `soft_deleted` or `deleted`."""
    if not store.hooks.table:
        return

    def make(shapes: Shapes) -> dict[str, Json]:
        shown = shapes.project(found.id)
        told = {"self": shown["self"], "id": found.id, "key": found.key, "name": found.name,
                "avatarUrls": shown["avatarUrls"], "projectLead": shapes.user(found.lead),
                "assigneeType": "admin.assignee.type.unassigned"}  # fmt: skip
        return {"project": told}

    names = {"project.id": found.id, "project.key": found.key}
    _tell(store, f"project_{what}", make, names)


def version(store: Store, what: str, found: Version, merged: Version | None = None) -> None:
    """Tell that a version was `created`, `updated`, `released`, `unreleased` or `deleted`.

    `merged`: the version that it became a part of.
    """
    if not store.hooks.table:
        return
    home = store.projects[found.project_id]
    names = {"version.id": found.id, "project.id": home.id, "project.key": home.key}

    def make(shapes: Shapes) -> dict[str, Json]:
        body = {"version": shapes.version_row(found)}
        return {**body, "mergedTo": shapes.version_row(merged)} if merged else body

    _tell(store, f"jira:version_{what}", make, names)


def sprint(store: Store, what: str, found: Json, old: Json = None) -> None:
    """Tell that a sprint was `created`, `updated`, `started`, `closed` or `deleted`."""
    if not store.hooks.table:
        return

    def make(shapes: Shapes) -> dict[str, Json]:
        place = f"{shapes.base}/rest/agile/1.0/sprint/{found['id']}"
        body = {"sprint": {"id": found["id"], "self": place, **found}}
        return {**body, "oldValue": {"id": found["id"], "self": place, **old}} if old else body

    names = {"sprint.id": found["id"], "board.id": found["originBoardId"]}
    _tell(store, f"sprint_{what}", make, names)
