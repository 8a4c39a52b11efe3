"""Values of formulas: dates, failures, and how values are written as text.

A value is None (empty), a float, a text, a truth value, a `Moment`, a `Person`, a page of the store or a list.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.sandbox.notion import times

Value = Any
_MONTHS = {"months": 1, "quarters": 3, "years": 12}
_SECONDS = {
    "weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1,
    "milliseconds": 0.001,
}  # fmt: skip
_PATTERN = re.compile(
    r"\[[^\]]*\]|YYYY|YY|Q|MMMM|MMM|MM|M|DDDD|DDD|Do|DD|D|dddd|ddd|dd|d|GGGG|WW|W|HH|H|hh|h|mm|m"
    r"|ss|s|SSS|A|a|X|x|ZZ|Z|LLLL|LLL|LL|L|LT"
)
_LOCAL = {
    "L": "MM/DD/YYYY", "LL": "MMMM D, YYYY", "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A", "LT": "h:mm A",
}  # fmt: skip


class FormulaFailure(Exception):
    """A formula that cannot be computed for a row: its value is null, as is what is made of it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or a date and time, perhaps with an end."""

    start: datetime
    end: datetime | None = None
    timed: bool = True

    def shown(self) -> dict[str, Any]:
        """Return the date as responses have it."""
        return {
            "start": self._text(self.start),
            "end": self._text(self.end) if self.end else None,
            "time_zone": None,
        }

    def _text(self, moment: datetime) -> str:
        return (
            moment.isoformat(timespec="milliseconds") if self.timed else moment.date().isoformat()
        )


@dataclass(frozen=True, slots=True)
class Person:
    """A user, as far as formulas see one."""

    id: str
    name: str
    email: str | None


def moment_of(shown: dict[str, Any] | None) -> Moment | None:
    """Return a date property's value."""
    if not shown:
        return None
    start, end = shown["start"], shown.get("end")
    return Moment(_instant(start), _instant(end) if end else None, timed="T" in start)


def _instant(text: str) -> datetime:
    return datetime.fromtimestamp(times.instant(text), UTC)


def from_stamp(milliseconds: float) -> Moment:
    """Return the moment so many milliseconds after 1970."""
    try:
        return Moment(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (OverflowError, ValueError, OSError) as error:
        raise FormulaFailure from error


def shifted(moment: Moment, amount: float, unit: str) -> Moment:
    """Return a moment some units later."""
    try:
        if unit in _MONTHS:
            start = months_later(moment.start, int(amount) * _MONTHS[unit])
        else:
            start = moment.start + timedelta(seconds=amount * _SECONDS[unit])
    except (KeyError, OverflowError, ValueError) as error:
        raise FormulaFailure from error
    timed = moment.timed or unit in ("hours", "minutes", "seconds", "milliseconds")
    return Moment(start, None, timed=timed)


def months_later(moment: datetime, months: int) -> datetime:
    """Return the same day some months later, or that month's last."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    following = datetime(year + month // 11, (month + 1) % 12 + 1, 1, tzinfo=UTC)
    last = (following - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def between(one: Moment, other: Moment, unit: str) -> float:
    """Return how many whole units lie from the second date to the first."""
    if unit in _SECONDS:
        return float(int((one.start - other.start).total_seconds() / _SECONDS[unit]))
    if unit not in _MONTHS:
        raise FormulaFailure
    low, high = sorted((one.start, other.start))
    months = (high.year - low.year) * 12 + high.month - low.month
    if months_later(low, months) > high:
        months -= 1
    whole = months // _MONTHS[unit]
    return float(whole if one.start >= other.start else -whole)


def as_text(value: Value) -> str:
    """Return a value as `format` writes it; empty places of a list keep their comma."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(float(value))
    if isinstance(value, Moment):
        written = pattern_text(
            value.start, "MMMM D, YYYY h:mm A" if value.timed else "MMMM D, YYYY"
        )
        return written if value.end is None else f"{written} → {as_text(Moment(value.end))}"
    if isinstance(value, Person):
        return value.name
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return value if isinstance(value, str) else str(getattr(value, "id", ""))


def number_text(number: float) -> str:
    """Return a number as JavaScript writes it."""
    if number == int(number) and abs(number) < 1e21:  # noqa: PLR2004 - as JavaScript
        return str(int(number))
    return repr(number)


def whole(number: float | None) -> float | int | None:
    """Return a number as JSON has it: whole ones without a fraction, none for what is not finite."""
    if number is None or not math.isfinite(number):
        return None
    return int(number) if number == int(number) else number


def pattern_text(moment: datetime, pattern: str) -> str:
    """Return a date written by a pattern such as `YYYY-MM-DD`."""
    return _PATTERN.sub(lambda found: _piece(moment, found[0]), pattern)


def _piece(moment: datetime, name: str) -> str:
    if name in _LOCAL:
        return pattern_text(moment, _LOCAL[name])
    if name.startswith("["):
        return name[1:-1]
    iso = moment.isocalendar()
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"  # noqa: PLR2004 - noon
    return {
        "YYYY": f"{moment:%Y}", "YY": f"{moment:%y}", "Q": str((moment.month + 2) // 3),
        "MMMM": f"{moment:%B}", "MMM": f"{moment:%b}", "MM": f"{moment:%m}", "M": str(moment.month),
        "DDDD": f"{moment:%j}", "DDD": str(moment.timetuple().tm_yday), "Do": _ordinal(moment.day),
        "DD": f"{moment:%d}", "D": str(moment.day), "dddd": f"{moment:%A}", "ddd": f"{moment:%a}",
        "dd": f"{moment:%a}"[:2], "d": f"{moment:%w}", "GGGG": str(iso.year),
        "WW": f"{iso.week:02}", "W": str(iso.week), "HH": f"{moment:%H}", "H": str(moment.hour),
        "hh": f"{hour:02}", "h": str(hour), "mm": f"{moment:%M}", "m": str(moment.minute),
        "ss": f"{moment:%S}", "s": str(moment.second), "SSS": f"{moment.microsecond // 1000:03}",
        "A": half, "a": half.lower(), "X": str(int(moment.timestamp())),
        "x": str(int(moment.timestamp() * 1000)), "Z": "+00:00", "ZZ": "+0000",
    }[name]  # fmt: skip


def _ordinal(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{'th' if 10 < day < 14 else ending}"  # noqa: PLR2004 - eleventh to thirteenth


def is_empty(value: Value) -> bool:
    """Tell whether `empty` holds of a value: zero and false count, as the service has it."""
    return value is None or value in ("", False, 0) or value == []
