"""Moments and dates as the service writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from syncd.sandbox.asana.errors import bad

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@lru_cache(maxsize=4096)
def stamp(moment: float) -> str:
    """Return `2026-01-31T12:00:00.000Z`."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def stamp_or_none(moment: float | None) -> str | None:
    """Return a stamp, or None for no moment."""
    return None if moment is None else stamp(moment)


def day_of(moment: float) -> str:
    """Return the date of a moment in UTC."""
    return stamp(moment)[:10]


def read_date(field: str, value: object) -> str | None:
    """Return a date as text, None for null; refuse anything else."""
    if value is None:
        return None
    try:
        if not isinstance(value, str) or not DATE.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        raise bad(f"{field}: Date must be in ISO-8601 (yyyy-mm-dd) format, not: {value}") from None
    return value


def read_moment(field: str, value: object) -> float | None:
    """Return seconds since the epoch of an ISO 8601 text (a bare date is its midnight in UTC)."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise bad(f"{field}: Time must be in ISO-8601 format, not: {value}") from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp(), 3)


def spoken(day: str | None) -> str:
    """Return a date as stories say it: `Jan 31`."""
    return "" if day is None else f"{MONTHS[int(day[5:7]) - 1]} {int(day[8:])}"
