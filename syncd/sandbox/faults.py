"""Faults on demand: rules that match requests and spoil their answers, repeatably.

A rule is a mapping with an `id`, optional matches (`service`, `method`, `path`: a regular
expression searched in the path), optional limits (`after` so many matching requests, `count` times
at most, `rate` from 0 to 1), and what happens:

    status (+ headers, body)    answer this instead; `apply: true`: the request takes effect first
    html                        a gateway's page instead of JSON (status 502 unless given)
    drop_before: true           the connection closes, nothing happened
    drop_after: true            the request takes effect, then the connection closes unanswered
    truncate: N                 the answer breaks off after N bytes
    delay: SECONDS              the answer comes late; can stand beside the others or alone
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from syncd.sandbox.wire import Request, Response

_KEYS = frozenset(
    {
        *("id", "service", "method", "path", "rate", "count", "after", "status", "headers", "body"),
        *("html", "apply", "drop_before", "drop_after", "truncate", "delay"),
    }
)
_EFFECTS = ("status", "html", "drop_before", "drop_after", "truncate", "delay")


@dataclass(slots=True)
class Fault:
    """One rule and how often it matched and happened."""

    id: str
    service: str | None = None
    method: str | None = None
    path: re.Pattern[str] | None = None
    rate: float = 1.0
    count: int | None = None
    after: int = 0
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    html: str | None = None
    apply: bool = False
    drop_before: bool = False
    drop_after: bool = False
    truncate: int | None = None
    delay: float = 0.0
    matched: int = 0
    happened: int = 0

    def fits(self, service: str, request: Request) -> bool:
        """Tell whether the rule is about this request."""
        return (
            (self.service is None or self.service == service)
            and (self.method is None or self.method == request.method)
            and (self.path is None or self.path.search(request.path) is not None)
        )

    def answer(self) -> Response | None:
        """Return the answer that stands instead of the real one, or None."""
        if self.html is not None:
            headers = {"content-type": "text/html; charset=utf-8", **self.headers}
            return Response(self.status or 502, self.html.encode(), headers)
        if self.status is None:
            return None
        if isinstance(self.body, str):
            return Response(self.status, self.body.encode(), dict(self.headers))
        body = b"" if self.body is None else orjson.dumps(self.body)
        kind = {"content-type": "application/json;charset=UTF-8"} if body else {}
        return Response(self.status, body, {**kind, **self.headers})

    def summary(self) -> dict[str, Any]:
        """Return the rule and its tallies as JSON can hold them."""
        shown = {
            name: value
            for name in _KEYS
            if (value := getattr(self, name)) not in (None, False, {}, 0.0) or name == "id"
        }
        if self.path is not None:
            shown["path"] = self.path.pattern
        return {**shown, "matched": self.matched, "happened": self.happened}


class Faults:
    """The rules in force. The same seed and the same requests give the same faults."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.rules: list[Fault] = []
        self._dice: dict[str, random.Random] = {}

    def set(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put these rules in force instead of the present ones; raises ValueError."""
        rules = [_rule(place, row) for place, row in enumerate(rows, 1)]
        doubles = {r.id for r in rules if sum(other.id == r.id for other in rules) > 1}
        if doubles:
            raise ValueError(f"fault id {min(doubles)!r} is there twice; ids must differ")
        self.rules = rules
        self._dice = {r.id: random.Random(f"{self.seed}:{r.id}") for r in rules}  # noqa: S311

    def load(self, path: str | Path) -> None:
        """Put the rules of a JSON file (a list) in force; raises ValueError, OSError."""
        try:
            rows = orjson.loads(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{path} is not JSON: {error}") from None
        if not isinstance(rows, list):
            raise ValueError(f"{path} must hold a list of fault rules")  # noqa: TRY004
        try:
            self.set(rows)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def choose(self, service: str, request: Request) -> Fault | None:
        """Return the first rule that strikes this request, counting what it sees."""
        for rule in self.rules:
            if not rule.fits(service, request):
                continue
            rule.matched += 1
            if rule.matched <= rule.after or (
                rule.count is not None and rule.happened >= rule.count
            ):
                continue
            if self._dice[rule.id].random() < rule.rate:
                rule.happened += 1
                return rule
        return None


def _rule(place: int, row: Mapping[str, Any]) -> Fault:
    if not isinstance(row, Mapping):
        raise ValueError(f"fault rule {place} must be an object")  # noqa: TRY004
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        known = ", ".join(sorted(_KEYS))
        raise ValueError(f"fault rule {place} has an unknown key {unknown[0]!r}; known: {known}")
    if not any(row.get(name) for name in _EFFECTS):
        raise ValueError(
            f"fault rule {place} says nothing that happens; give one of {', '.join(_EFFECTS)}"
        )
    values = dict(row)
    values["id"] = str(row.get("id", place))
    if row.get("path") is not None:
        values["path"] = _pattern(place, row["path"])
    if not 0 <= float(row.get("rate", 1.0)) <= 1:
        raise ValueError(f"fault rule {place}: rate must be between 0 and 1, not {row['rate']!r}")
    if row.get("method") is not None:
        values["method"] = str(row["method"]).upper()
    return Fault(**values)


def _pattern(place: int, text: Any) -> re.Pattern[str]:  # noqa: ANN401 - from JSON
    try:
        return re.compile(str(text))
    except re.error as error:
        raise ValueError(
            f"fault rule {place}: path {text!r} is no regular expression ({error})"
        ) from None
