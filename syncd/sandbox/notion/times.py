"""Times as Notion writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1, "one_week_ago": -7, "one_week_from_now": 7}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@lru_cache(maxsize=4096)
def rounded(moment: float) -> str:
    """Return a time of a page or block: whole minutes, `2026-07-04T09:12:00.000Z`."""
    return datetime.fromtimestamp(moment - moment % 60, UTC).strftime("%Y-%m-%dT%H:%M:00.000Z")


def exact(moment: float) -> str:
    """Return a time of a database or view: milliseconds, `2026-07-04T09:12:00.290+00:00`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def zulu(moment: float) -> str:
    """Return a time of an asynchronous task: milliseconds and Z."""
    return exact(moment).replace("+00:00", "Z")


def is_date(text: object) -> bool:
    """Tell whether a text is a date or a date and time of ISO 8601."""
    if not isinstance(text, str) or not _DATE.match(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def zone_exists(name: str) -> bool:
    """Tell whether a time zone of that name is known."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def normal(text: str, zone: str | None = None) -> str:
    """Return a date as Notion gives it back: date only, or milliseconds and offset."""
    if _DATE.fullmatch(text):
        return text
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
    return moment.isoformat(timespec="milliseconds")


@lru_cache(maxsize=65536)
def instant(text: str) -> float:
    """Return the moment a date (its midnight, UTC) or a date and time stands for."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def span(text: str) -> tuple[float, float]:
    """Return the first moment of a date or time and the first one after it."""
    start = instant(text)
    return (start, start + 86400) if _DATE.fullmatch(text) else (start, start + 60)


def named_day(name: str, now: float) -> str | None:
    """Return the date that `today`, `one_week_ago` and so on stand for, None for other texts."""
    today = datetime.fromtimestamp(now, UTC)
    month = {"one_month_ago": -1, "one_month_from_now": 1}.get(name)
    if month is not None:
        return _shift(today, "month", month).date().isoformat()
    days = DAYS.get(name)
    return None if days is None else (today + timedelta(days=days)).date().isoformat()


def relative(name: str, now: float) -> tuple[float, float]:
    """Return first moment and end of `past_week`, `this_week`, `next_month` and so on."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    which, _, unit = name.partition("_")
    if which == "this":
        start = today - timedelta(days=(today.weekday() + 1) % 7)
        return start.timestamp(), (start + timedelta(days=7)).timestamp()
    sign = 1 if which == "next" else -1
    other = _shift(today, unit, sign)
    first, last = min(today, other), max(today, other)
    return first.timestamp(), (last + timedelta(days=1)).timestamp()


def _shift(day: datetime, unit: str, sign: int) -> datetime:
    if unit == "week":
        return day + timedelta(days=7 * sign)
    months = day.month - 1 + sign * (12 if unit == "year" else 1)
    year, month = day.year + months // 12, months % 12 + 1
    ending = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return day.replace(year=year, month=month, day=min(day.day, ending))
