"""Time that people plan and log: durations, and the fields that sum them up."""

from __future__ import annotations

import re

from syncd.sandbox.jira.model import Issue, Json
from syncd.sandbox.wire import whole

HOUR = 3600
DAY = 8 * HOUR  # what the configuration of the site says of a working day
WEEK = 5 * DAY
LONGEST = 100  # characters of a duration
_UNITS = {"w": WEEK, "d": DAY, "h": HOUR, "m": 60}
_DURATION = re.compile(r"\s*(?:\d{1,9}(?:\.\d+)?\s*[wdhm]\s*)+", re.IGNORECASE)
ESTIMATE, ORIGINAL, SPENT = "timeestimate", "timeoriginalestimate", "timespent"


def seconds(text: Json) -> int | None:
    """Return the seconds of `3h 20m`, or of a bare number of minutes; None for anything else."""
    if not isinstance(text, str):
        return None
    minutes = whole(text.strip())
    if minutes is not None:
        return minutes * 60
    if not _DURATION.fullmatch(text) or len(text) > LONGEST:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([wdhm])", text, re.IGNORECASE)
    return int(sum(float(number) * _UNITS[unit.lower()] for number, unit in parts))


def pretty(spell: int) -> str:
    """Return seconds as people read them, with the site's working days: `1w 2d 3h 20m`."""
    left, parts = spell, []
    for unit, size in _UNITS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0m"


def tracking(issue: Issue) -> dict[str, Json]:
    """Return the `timetracking` of an issue."""
    names = (("originalEstimate", ORIGINAL), ("remainingEstimate", ESTIMATE), ("timeSpent", SPENT))
    known = [(name, issue.values[kept]) for name, kept in names if kept in issue.values]
    return {
        **{name: pretty(spell) for name, spell in known},
        **{f"{name}Seconds": spell for name, spell in known},
    }


def progress(spent: int | None, left: int | None) -> dict[str, int]:
    """Return the `progress` field of so much time spent and so much left."""
    total = (spent or 0) + (left or 0)
    shape = {"progress": spent or 0, "total": total}
    return {**shape, "percent": shape["progress"] * 100 // total} if total else shape
