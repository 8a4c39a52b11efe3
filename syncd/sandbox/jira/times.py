"""Jira's ways of writing moments: milliseconds since the epoch inside, offsets outside."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)")


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Return a time zone by its name; UTC when there is no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


@lru_cache(maxsize=100_000)
def stamp(moment: int, zone_name: str) -> str:
    """Return `2025-05-24T13:12:39.255+0200`, as every time in Jira's answers."""
    local = datetime.fromtimestamp(moment // 1000, zone(zone_name))
    return f"{local:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03d}{local:%z}"


def parse_stamp(text: str) -> int:
    """Return the milliseconds of a time with an offset; raises ValueError."""
    match = _STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time such as 2025-05-24T13:12:39.255+0200")
    offset = "+00:00" if match[3] == "Z" else match[3]
    seconds = datetime.fromisoformat(match[1] + offset).timestamp()
    return int(seconds) * 1000 + int((match[2] or "0").ljust(3, "0")[:3])


def is_day(text: object) -> bool:
    """Tell whether a value is an ISO day."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def today(moment: int, zone_name: str) -> str:
    """Return the day of a moment as its zone sees it."""
    return datetime.fromtimestamp(moment / 1000, zone(zone_name)).date().isoformat()


def human_day(day: str) -> str:
    """Return `24/May/25`, as changelogs and versions write a day for people."""
    return f"{date.fromisoformat(day):%d/%b/%y}"
