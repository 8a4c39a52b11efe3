"""Putting issues before or after another one."""

from __future__ import annotations

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.model import ChangeItem, History, Issue
from syncd.sandbox.jira.ranks import before_all, between, rank_of
from syncd.sandbox.jira.store import Store


def put_in_order(
    store: Store, issues: list[Issue], anchor: Issue, *, before: bool, author: str
) -> None:
    """Rank issues, in their order, just before or after another one.

    It is told in the changelog but, as in the service, does not move an issue's `updated`.
    """
    moved = {issue.id for issue in issues}
    rest = sorted(rank_of(store, i) for i in store.issues.values() if i.id not in moved)
    at = rest.index(rank_of(store, anchor)) + (not before)
    low = rest[at - 1] if at else None
    high = rest[at] if at < len(rest) else None
    for issue in issues:
        old = rank_of(store, issue)
        assert low is not None or high is not None  # noqa: S101 - the anchor is one of them
        low = before_all(str(high)) if low is None else between(low, high)
        store.ranks[issue.id] = low
        _tell(store, issue, author, higher=low < old)


def _tell(store: Store, issue: Issue, author: str, *, higher: bool) -> None:
    field = next(f for f in store.fields.values() if f.kind == "rank")
    said = "Ranked higher" if higher else "Ranked lower"
    item = ChangeItem(field.name, field.id, "", "", "", said)
    entry = History(str(store.number("history")), author, store.now(), [item])
    issue.histories.append(entry)
    store.reindex(issue)
    happenings.issue(store, "updated", issue, author, entry=entry)
