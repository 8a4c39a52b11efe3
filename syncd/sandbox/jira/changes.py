"""Writing to issues: every change goes through here, is recorded in the changelog, and indexed."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.kinds import describe
from syncd.sandbox.jira.model import ChangeItem, Field, History, Issue, Json
from syncd.sandbox.jira.store import Store

_NAMES = {
    "fixVersions": "Fix Version",
    "versions": "Version",
    "components": "Component",
    "parent": "IssueParentAssociation",
}
_EMPTY: tuple[Json, ...] = (None, [], "")


def change_value(store: Store, issue: Issue, field: Field, new: Json) -> ChangeItem | None:
    """Give a field a value and return what the changelog says, or None if nothing changed."""
    old = issue.values.get(field.id)
    if old == new or (old in _EMPTY and new in _EMPTY):
        return None
    item = _item(store, field, old, new)
    if field.id == "parent":
        store.set_parent(issue, new)
    elif new in _EMPTY:
        issue.values.pop(field.id, None)
    else:
        issue.values[field.id] = new
    return item


def _item(store: Store, field: Field, old: Json, new: Json) -> ChangeItem:
    old_id, old_text = describe(store, field, old)
    new_id, new_text = describe(store, field, new)
    name = field.name if field.custom else _NAMES.get(field.id, field.id)
    return ChangeItem(name, field.id, old_id, old_text, new_id, new_text)


def change_status(store: Store, issue: Issue, status_id: str) -> list[ChangeItem]:
    """Move an issue to a status; entering a done status resolves it, leaving one reopens it."""
    field = store.fields["status"]
    before = store.statuses[issue.values["status"]].category
    item = change_value(store, issue, field, status_id)
    if item is None:
        return []
    after = store.statuses[status_id].category
    items = [item]
    if before != after:
        issue.values["statuscategorychangedate"] = store.now()
        items += _resolve(store, issue, done=after == "done")
    return items


def _resolve(store: Store, issue: Issue, *, done: bool) -> Iterable[ChangeItem]:
    if done == ("resolution" in issue.values):
        return []
    resolution = store.by_name(store.resolutions, "Done") or next(iter(store.resolutions))
    item = change_value(store, issue, store.fields["resolution"], resolution if done else None)
    if done:
        issue.values["resolutiondate"] = store.now()
    else:
        issue.values.pop("resolutiondate", None)
    return [item] if item else []


def record(
    store: Store, issue: Issue, author: str, items: list[ChangeItem], metadata: Json = None
) -> None:
    """Write one changelog entry and move the issue's `updated`; nothing when nothing changed."""
    if not items:
        return
    now = store.now()
    entry = History(str(store.number("history")), author, now, items, metadata)
    issue.histories.append(entry)
    touch(store, issue)
    happenings.issue(store, "updated", issue, author, entry=entry)


def touch(store: Store, issue: Issue) -> None:
    """Set an issue's `updated` to now and index it."""
    issue.updated = store.now()
    store.reindex(issue)
