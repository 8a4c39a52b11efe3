"""Logging work: the checks, the entry, and what it does to an issue's times."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.sandbox.jira import parse
from syncd.sandbox.jira.adf import Rich
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import change_value, record
from syncd.sandbox.jira.durations import ESTIMATE, SPENT, seconds
from syncd.sandbox.jira.model import ChangeItem, Issue, Json, Worklog
from syncd.sandbox.jira.problems import ApiError, FieldError, bad
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.times import parse_stamp

MAX_WORKLOGS = 10_000


def log_work(call: Call, issue: Issue, body: dict[str, Json], query: Mapping[str, Json]) -> Worklog:
    """Log time on an issue as POST worklog does; raises 400, 413."""
    store, author, now = call.store, call.me().account_id, call.store.now()
    rows = store.worklogs.get(issue.id, [])
    if len(rows) >= MAX_WORKLOGS:
        raise ApiError(413, f"An issue can have no more than {MAX_WORKLOGS} worklogs.")
    took = spent(body)
    if took is None:
        raise refused("timeLogged", "You must indicate the time spent working.")
    left = estimate_after(issue, took, query, "reduceBy")
    begun, said = started(body, now), comment(call, body)
    made = Worklog(str(store.number("worklog")), author, said, begun, took, now, now, author)
    store.worklogs[issue.id] = [*rows, made]
    book(store, issue, author, took, left)
    return made


def spent(body: dict[str, Json]) -> int | None:
    """Return the seconds that a body says were spent, None if it does not say; raises 400."""
    if body.get("timeSpent") is not None:
        took = seconds(body["timeSpent"])
    elif body.get("timeSpentSeconds") is not None:
        took = body["timeSpentSeconds"]
    else:
        return None
    if isinstance(took, bool) or not isinstance(took, int) or took <= 0:
        raise refused("timeLogged", "Invalid time duration entered.")
    return took


def started(body: dict[str, Json], now: int) -> int:
    """Return when the work began, `now` unless the body says; raises 400."""
    if body.get("started") is None:
        return now
    try:
        return parse_stamp(str(body["started"]))
    except ValueError:
        raise bad(f"Error parsing time: {body['started']}") from None


def comment(call: Call, body: dict[str, Json]) -> Rich | None:
    """Return what is said of the work; raises 400."""
    try:
        return parse.rich(body.get("comment"), document=call.shapes.rich_is_document)
    except FieldError as error:
        raise ApiError(400, errors={"comment": str(error)}) from None


def estimate_after(issue: Issue, change: int, query: Mapping[str, Json], manual: str) -> int | None:
    """Return the remaining estimate after `change` seconds more were logged; raises 400.

    `query` holds `adjustEstimate`, `newEstimate` and the parameter that `manual` names.
    """
    how = (query.get("adjustEstimate") or "auto").lower()
    now: int | None = issue.values.get(ESTIMATE)
    if how == "leave":
        return now
    if how == "new":
        return _asked(query, "newEstimate", "You must supply a valid new estimate.")
    if how == "manual":
        sentence = "You must supply a valid amount of time to adjust the estimate by."
        by = _asked(query, manual, sentence)
        return max(0, (now or 0) + (by if manual == "increaseBy" else -by))
    if how != "auto":
        raise refused("adjustLog", f"'{how}' is not a valid way to adjust the estimate.")
    return max(0, (now or 0) - change)


def _asked(query: Mapping[str, Json], name: str, sentence: str) -> int:
    found = seconds(query.get(name))
    if found is None:
        raise refused(name, sentence)
    return found


def refused(name: str, sentence: str) -> ApiError:
    """Return the vendor's 400 to a worklog that is not right."""
    return ApiError(400, "Worklog must not be null.", errors={name: sentence})


def book(
    store: Store, issue: Issue, author: str, change: int, left: int | None, entry: str | None = None
) -> None:
    """Add logged time to an issue, set what is left, and write both into the changelog."""
    spent = max(0, int(issue.values.get(SPENT) or 0) + change)
    items = [
        change_value(store, issue, store.fields[ESTIMATE], left),
        change_value(store, issue, store.fields[SPENT], spent),
    ]
    kept = [item for item in items if item is not None]
    if entry is not None:
        kept.append(ChangeItem("WorklogId", "WorklogId", entry, entry, None, None))
    record(store, issue, author, kept)
