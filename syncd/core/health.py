"""Health of an item, computed from its dates and progress; always with the sentence that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from syncd.core.records import Value
from syncd.core.rollup import category

SLIP_DAYS = 14
"""A committed date missed by more than this is off track, by less at risk."""
GAP_RISK, GAP_OFF = 0.15, 0.35
"""How far progress may lag behind the time that has passed, as shares of the whole."""

ON_TRACK, AT_RISK, OFF_TRACK = "on track", "at risk", "off track"


@dataclass(frozen=True, slots=True)
class Health:
    """`health` is on track, at risk, off track, or None when there is nothing to judge by."""

    health: str | None
    reason: str


def assess(fields: Mapping[str, Value], today: date) -> Health:
    """Judge an item; the worst of missed dates, slipping dates, being blocked and lagging progress."""
    if category(str(fields.get("status") or "")) in ("done", "cancelled"):
        return Health(None, str(fields["status"]))
    committed, due = _date(fields, "committed"), _date(fields, "due")
    target = committed or due
    end = max(filter(None, (due, _date(fields, "rolled_end"))), default=None)
    if target is None:
        return Health(None, "no date")
    word = "committed date" if committed else "due date"
    found = [
        _overdue(target, today, word),
        _slipping(target, end),
        Health(AT_RISK, "blocked") if fields.get("status") == "blocked" else None,
        _lagging(fields, target, today),
    ]
    order = (OFF_TRACK, AT_RISK)
    verdicts = sorted(filter(None, found), key=lambda verdict: order.index(str(verdict.health)))
    return verdicts[0] if verdicts else Health(ON_TRACK, f"{word} {target.isoformat()}")


def _date(fields: Mapping[str, Value], name: str) -> date | None:
    value = fields.get(name)
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _graded(days: int, sentence: str) -> Health:
    return Health(OFF_TRACK if days > SLIP_DAYS else AT_RISK, sentence)


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _overdue(target: date, today: date, word: str) -> Health | None:
    days = (today - target).days
    return (
        _graded(days, f"{word} {target.isoformat()} passed {_days(days)} ago") if days > 0 else None
    )


def _slipping(target: date, end: date | None) -> Health | None:
    days = (end - target).days if end is not None else 0
    if end is None or days <= 0:
        return None
    return _graded(
        days, f"work below ends {end.isoformat()}, {_days(days)} after {target.isoformat()}"
    )


def _lagging(fields: Mapping[str, Value], target: date, today: date) -> Health | None:
    start = _date(fields, "start") or _date(fields, "rolled_start")
    progress = fields.get("progress")
    if start is None or not isinstance(progress, float | int) or target <= start:
        return None
    passed = min(1.0, max(0.0, (today - start).days / (target - start).days))
    gap = passed - float(progress)
    if gap <= GAP_RISK:
        return None
    sentence = f"{progress:.0%} done with {passed:.0%} of the time gone"
    return Health(OFF_TRACK if gap > GAP_OFF else AT_RISK, sentence)
