"""What JQL values mean: dates in the caller's zone, functions, people, names and ids."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.sandbox.jira.jql_parse import Call
from syncd.sandbox.jira.model import Issue, Project, User
from syncd.sandbox.jira.problems import ApiError, bad
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.times import zone

_ABSOLUTE = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[ T](\d{1,2}):(\d{2}))?")
_PERIOD = re.compile(r"([+-]?)\s*((?:\d+\s*[wdhmy]\s*)+)", re.IGNORECASE)
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31_536_000}
_EDGES = ("day", "week", "month", "year")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: None for nobody signed in."""

    store: Store
    user: User | None

    @property
    def zone(self) -> str:
        """Return the name of the caller's zone."""
        return self.user.time_zone if self.user else "UTC"

    def sees_project(self, project: Project) -> bool:
        """Tell whether this person may browse a project."""
        if self.user is None:
            return False
        return project.members is None or self.user.account_id in project.members

    def sees(self, issue: Issue) -> bool:
        """Tell whether this person may see an issue."""
        return not issue.hidden and self.sees_project(self.store.projects[issue.project_id])

    def moment(self, text: str, *, quoted: bool, field: str) -> int:
        """Return a JQL date in milliseconds.

        Quoted or bare days and minutes are read in the caller's zone; an unquoted whole number is
        milliseconds since the epoch; `-10m`, `4w 2d` count from now. Raises `ApiError` 400.
        """
        if not quoted and re.fullmatch(r"-?\d+", text):
            return int(text)
        if match := _ABSOLUTE.fullmatch(text.strip()):
            return self._absolute(match, text, field)
        if text.strip() and (match := _PERIOD.fullmatch(text.strip())):
            return self.store.now() + 1000 * _seconds(match[2]) * (-1 if match[1] == "-" else 1)
        raise _bad_date(text, field)

    def _absolute(self, match: re.Match[str], text: str, field: str) -> int:
        year, _, month, day, hour, minute = match.groups()
        try:
            local = datetime(
                int(year), int(month), int(day), int(hour or 0), int(minute or 0),
                tzinfo=zone(self.zone),
            )  # fmt: skip
        except ValueError as error:
            raise _bad_date(text, field) from error
        return int(local.timestamp()) * 1000

    def edge(self, call: Call) -> int | None:
        """Return the moment of `now()`, `startOfDay()` and their kin; None for other functions."""
        name = call.name.lower()
        if name == "now":
            return self.store.now()
        match = re.fullmatch(r"(start|end)of(day|week|month|year)", name)
        if match is None:
            return None
        local = datetime.fromtimestamp(self.store.now() / 1000, zone(self.zone))
        start = local.replace(hour=0, minute=0, second=0, microsecond=0)
        start = _shifted(_start(start, match[2]), self._shift(call, match[2]))
        if match[1] == "end":
            start = _next(start, match[2])
        return int(start.timestamp()) * 1000 - (match[1] == "end")

    def _shift(self, call: Call, unit: str) -> tuple[int, str]:
        """Return how far a function's argument moves its moment: so many of which unit."""
        if not call.arguments:
            return 0, "d"
        match = re.fullmatch(r"([+-]?\d+)([yMwdhm]?)", call.arguments[0])
        if match is None:
            raise bad(
                f"Duration for function '{call.name}' should have the format (+/-)n(yMwdm),"
                " e.g -1M for 1 month earlier."
            )
        return int(match[1]), match[2] or {"day": "d", "week": "w", "month": "M", "year": "y"}[unit]

    def people(self, text: str) -> list[str]:
        """Return the account ids that a name, e-mail or account id stands for."""
        if text in self.store.users:
            return [text]
        wanted = text.casefold()
        return [
            user.account_id
            for user in self.store.users.values()
            if wanted in {user.email.casefold(), user.name.casefold()}
        ]


def _start(day: datetime, unit: str) -> datetime:
    if unit == "week":
        return day - timedelta(days=(day.weekday() + 1) % 7)  # weeks begin on Sunday
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def _shifted(start: datetime, shift: tuple[int, str]) -> datetime:
    count, unit = shift
    if unit in {"M", "y"}:
        month = start.year * 12 + start.month - 1 + count * (12 if unit == "y" else 1)
        days = calendar.monthrange(month // 12, month % 12 + 1)[1]
        return start.replace(year=month // 12, month=month % 12 + 1, day=min(start.day, days))
    return start + timedelta(seconds=count * _UNITS[unit])


def _next(start: datetime, unit: str) -> datetime:
    if unit == "month":
        return (start + timedelta(days=32)).replace(day=1)
    if unit == "year":
        return start.replace(year=start.year + 1)
    return start + timedelta(days=7 if unit == "week" else 1)


def _seconds(text: str) -> int:
    parts = re.findall(r"(\d+)\s*([wdhmyWDHMY])", text)
    return sum(int(number) * _UNITS[unit.lower()] for number, unit in parts)


def _bad_date(text: str, field: str) -> ApiError:
    return bad(
        f"Date value '{text}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd"
        " HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d',"
        " '4w 2d'."
    )
