"""Faults on demand: rules that match requests and spoil their answers, repeatably.

A rule is a mapping. `id` names it; where that is an id of the catalogue (`N1`, `H2`, ...; or where
`fault` is), the catalogue says what happens, in the `variant` asked for. Optional matches: `service`,
`method` (one or a list), `path` (a regular expression searched in the path), `only` (writes, reads or
lists). Optional limits: `after` so many matching requests, `count` times at most, `rate` from 0 to 1
drawn from `seed`, `lasts` so many seconds by the sandbox's clock. What happens, if not by id:

    status (+ headers, body)    answer this instead; `apply: true`: the request takes effect first;
                                `vendor: true`: the body in the service's own words
    html                        a page instead of JSON (status 502 unless given)
    redirect: URL               302 with this Location
    drop_before: true           the connection closes, nothing happened
    drop_after: true            the request takes effect, then the connection closes unanswered
    late: SECONDS               no answer, the effect comes so much later; `behind: N`: behind N writes
    truncate: N                 the answer breaks off after N bytes; `reset: SHARE`: with a RST
    cut_json, bad_gzip: true    the body is damaged; `wrong_length: N`: N bytes fewer than promised
    slow: SECONDS               pause between the bytes of the answer
    unreachable: KIND           no connection: dns, black-hole, expired, wrong-host or self-signed
    close_idle: true            the connection closes after a whole answer
    delay: SECONDS              the answer comes late; can stand beside the others or alone
    do: NAME, with: {...}       an injector of `syncd.sandbox.injectors`
    webhook: NAME, with: {...}  what befalls webhooks sent (their target's path is what `path` is about)

Of the rules that spoil the connection or stand instead of an answer the first that strikes wins;
injectors all work, the first one outermost.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from syncd.sandbox.catalogue import CATALOGUE, preset
from syncd.sandbox.injectors import ACTIONS
from syncd.sandbox.injectors.answers import refusal
from syncd.sandbox.injectors.deliveries import DELIVERIES
from syncd.sandbox.injectors.stage import is_list, is_write
from syncd.sandbox.wire import Request, Response

_EFFECTS = (
    "webhook",
    *("status", "html", "redirect", "drop_before", "drop_after", "late", "behind", "truncate"),
    *("reset", "cut_json", "bad_gzip", "wrong_length", "slow", "close_idle", "delay", "do"),
    "unreachable",
)
_KEYS = frozenset(
    {
        *("id", "fault", "variant", "service", "method", "path", "only", "rate", "seed", "count"),
        *("after", "lasts", "headers", "body", "apply", "vendor", "with"),
        *_EFFECTS,
    }
)
_ONLY = ("writes", "reads", "lists")
_SERVICES = ("jira", "asana", "notion")
_TEXTS = ("variant", "service", "path", "only", "html", "redirect", "do", "webhook", "unreachable")
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_KINDS |= {"dict[str, str]": "an object"}
_COUNTED = ("a whole number", "a number")
_SIGNED = ("seed", "wrong_length")
TLS = frozenset({"expired", "wrong-host", "self-signed"})
UNREACHABLE = frozenset({"dns", "black-hole", *TLS})
SOCKETS = frozenset({"black-hole"})  # what a server without TLS can do
_WHY_NOT = {
    "dns": "a name is looked up before there is a connection to the sandbox; it happens in process,"
    " with syncd.sandbox.transports",
    **dict.fromkeys(TLS, "this server speaks plain http; start it with --tls"),
}


@dataclass(slots=True)
class Fault:
    """One rule and how often it matched and happened."""

    id: str
    fault: str | None = None
    variant: str | None = None
    service: str | None = None
    services: tuple[str, ...] = ()  # empty: all
    method: tuple[str, ...] = ()
    path: re.Pattern[str] | None = None
    paths: dict[str, re.Pattern[str]] = field(default_factory=dict)
    only: str | None = None
    rate: float = 1.0
    seed: int | None = None
    count: int | None = None
    after: int = 0
    lasts: float | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    vendor: bool = False
    html: str | None = None
    redirect: str | None = None
    apply: bool = False
    drop_before: bool = False
    drop_after: bool = False
    late: float = 0.0
    behind: int = 0
    truncate: int | None = None
    reset: float | None = None
    cut_json: bool = False
    bad_gzip: bool = False
    wrong_length: int = 0
    slow: float = 0.0
    close_idle: bool = False
    delay: float = 0.0
    unreachable: str | None = None
    do: str | None = None
    webhook: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    matched: int = 0
    happened: int = 0
    since: float | None = None  # when it first struck
    over: bool = False
    chance: random.Random = field(default_factory=random.Random)  # replaced by a seeded one
    memory: dict[Any, Any] = field(default_factory=dict)

    def fits(self, service: str, request: Request) -> bool:
        """Tell whether the rule is about this request."""
        if self.service not in (None, service) or (self.services and service not in self.services):
            return False
        if self.method and request.method not in self.method:
            return False
        pattern = self.path or self.paths.get(service)
        if pattern is not None and pattern.search(request.path) is None:
            return False
        return self.only is None or self._kind_fits(service, request)

    def _kind_fits(self, service: str, request: Request) -> bool:
        if self.only == "lists":
            return is_list(service, request)
        return is_write(service, request) == (self.only == "writes")

    def strikes(self, now: float) -> bool:
        """Count a request that fits, and tell whether it is struck."""
        self.matched += 1
        if self.matched <= self.after or self.over:
            return False
        if self.count is not None and self.happened >= self.count:
            return False
        if self.chance.random() >= self.rate:
            return False
        self.since = now if self.since is None else self.since
        self.happened += 1
        return True

    @property
    def picks_requests(self) -> bool:
        """Tell whether the rule has to see a request to know whether it strikes."""
        return any((self.service, self.method, self.path, self.paths, self.only))

    def answer(self, service: str) -> Response | None:
        """Return the answer that stands instead of the real one, or None."""
        if self.html is not None:
            headers = {"content-type": "text/html; charset=utf-8", **self.headers}
            return Response(self.status or 502, self.html.encode(), headers)
        if self.redirect is not None:
            return Response(self.status or 302, b"", {"location": self.redirect, **self.headers})
        if self.status is None:
            return None
        if self.vendor and self.body is None:
            made = refusal(service, self.status)
            made.headers.update(self.headers)
            return made
        if isinstance(self.body, str):
            return Response(self.status, self.body.encode(), dict(self.headers))
        body = b"" if self.body is None else orjson.dumps(self.body)
        kind = {"content-type": "application/json;charset=UTF-8"} if body else {}
        return Response(self.status, body, {**kind, **self.headers})

    def damage(self, answer: Response) -> Response:
        """Return an answer with the body that the rule makes of it."""
        if self.cut_json:
            return Response(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
        if self.bad_gzip:
            packed = gzip.compress(answer.body, mtime=0)
            headers = {**answer.headers, "content-encoding": "gzip"}
            return Response(answer.status, packed[: len(packed) // 2] + b"\0" * 8, headers)
        return answer

    def expire(self, now: float) -> None:
        """End a rule whose time is over, and undo what it changed."""
        if self.lasts is None or self.since is None or self.over or now < self.since + self.lasts:
            return
        self.over = True
        undo = self.memory.get("undo")
        if undo is not None:
            undo()

    def summary(self) -> dict[str, Any]:
        """Return the rule as it was given, and its tallies, as JSON can hold them."""
        tallies = {"matched": self.matched, "happened": self.happened}
        return {"id": self.id, **self.given, **tallies}


@dataclass(frozen=True, slots=True)
class Struck:
    """What befalls one request: at most one rule for the wire, any number of injectors."""

    wire: Fault | None
    actions: tuple[Fault, ...]


class Faults:
    """The rules in force. The same seed and the same requests give the same faults."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.rules: list[Fault] = []
        self.connections = (
            UNREACHABLE  # kinds of `unreachable` that can happen; a server narrows it
        )

    def set(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put these rules in force instead of the present ones; raises ValueError."""
        rules = [_rule(place, row) for place, row in enumerate(rows, 1)]
        for rule in rules:
            self._check_connection(rule)
        doubles = {r.id for r in rules if sum(other.id == r.id for other in rules) > 1}
        if doubles:
            raise ValueError(f"fault id {min(doubles)!r} is there twice; ids must differ")
        for rule in rules:
            seed = self.seed if rule.seed is None else rule.seed
            rule.chance = random.Random(f"{seed}:{rule.id}")  # noqa: S311 - dice, not secrets
        self.rules = rules

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

    def _check_connection(self, rule: Fault) -> None:
        """Refuse what cannot happen where the rules are for; raises ValueError."""
        kind = rule.unreachable
        if kind is None or self.connections == UNREACHABLE:
            return
        if kind not in self.connections:
            raise ValueError(f"fault {rule.id} cannot happen here: {_WHY_NOT[kind]}")
        if kind in TLS and rule.picks_requests:
            raise ValueError(
                f"fault {rule.id} strikes a handshake, when there is no request yet; leave out"
                " service, method, path and only"
            )

    def hold_for(self, kinds: frozenset[str]) -> None:
        """Be the rules of a server that can do these kinds of `unreachable`; raises ValueError."""
        self.connections = kinds
        for rule in self.rules:
            self._check_connection(rule)

    def unreachable(
        self, kinds: frozenset[str], now: float, service: str = "", request: Request | None = None
    ) -> str | None:
        """Return how a connection fails, None if it does not. Without a request: in its handshake."""
        for rule in self.rules:
            if rule.unreachable not in kinds:
                continue
            rule.expire(now)
            if (request is None or rule.fits(service, request)) and rule.strikes(now):
                return rule.unreachable
        return None

    def strike(self, service: str, request: Request, now: float) -> Struck:
        """Return what befalls a request, counting what the rules see."""
        wire, actions = None, []
        for rule in self.rules:
            if rule.webhook is not None:
                continue
            rule.expire(now)
            if rule.unreachable or (wire is not None and rule.do is None):
                continue
            if not rule.fits(service, request):
                continue
            if rule.strikes(now):
                if rule.do is None:
                    wire = rule
                else:
                    actions.append(rule)
        return Struck(wire, tuple(actions))

    def befall(self, service: str, request: Request, now: float) -> Fault | None:
        """Return the first rule about webhooks that strikes one, seen as a request to its target."""
        for rule in self.rules:
            if rule.webhook is None or not rule.fits(service, request):
                continue
            rule.expire(now)
            if rule.strikes(now):
                return rule
        return None

    def choose(self, service: str, request: Request, now: float = 0.0) -> Fault | None:
        """Return the first rule that strikes this request, counting what it sees."""
        struck = self.strike(service, request, now)
        return struck.wire or next(iter(struck.actions), None)


def _rule(place: int, row: Mapping[str, Any]) -> Fault:
    if not isinstance(row, Mapping):
        raise ValueError(f"fault rule {place} must be an object")  # noqa: TRY004
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        known = ", ".join(sorted(_KEYS))
        raise ValueError(f"fault rule {place} has an unknown key {unknown[0]!r}; known: {known}")
    row = {name: value for name, value in row.items() if value is not None}
    _check_kinds(place, row)
    values = _filled(place, row)
    if not any(values.get(name) not in (None, False) for name in _EFFECTS):
        raise ValueError(
            f"fault rule {place} says nothing that happens; give an id of the catalogue or one of "
            f"{', '.join(_EFFECTS)}"
        )
    values["id"] = str(row.get("id", place))
    values["given"] = {k: v for k, v in row.items() if k != "id"}
    values["params"] = values.pop("with", None) or {}
    values["method"] = _methods(row.get("method"))
    _check(place, values)
    if values.get("path") is not None:
        values["path"] = _pattern(place, values["path"])
    paths = values.pop("paths", None) or {}
    values["paths"] = {service: re.compile(text) for service, text in paths.items()}
    return Fault(**values)


def _filled(place: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule with what the catalogue says of its id."""
    fault = row.get("fault")
    if fault is None and not any(row.get(name) for name in _EFFECTS):
        named = str(row.get("id", "")).partition(":")[0]  # "N1:jira" is a second rule of N1
        fault = named if named in CATALOGUE else None
    if fault is None:
        return dict(row)
    try:
        found = preset(str(fault), row.get("variant"))
    except ValueError as error:
        raise ValueError(f"fault rule {place}: {error}") from None
    given = {key: value for key, value in row.items() if value is not None}
    params = {**found.get("with", {}), **(row.get("with") or {})}
    return {**found, **given, "fault": str(fault), "with": params}


def _check_kinds(place: int, row: Mapping[str, Any]) -> None:
    kinds = {
        each.name: _KINDS.get(str(each.type).removesuffix(" | None")) for each in fields(Fault)
    }
    kinds |= dict.fromkeys(_TEXTS, "text") | {"with": "an object"}
    for name, value in row.items():
        wanted = kinds.get(name)
        if not _is(wanted, value) or (wanted in _COUNTED and name not in _SIGNED and value < 0):
            least = ", 0 or more" if wanted in _COUNTED and name not in _SIGNED else ""
            raise ValueError(f"fault rule {place}: {name} must be {wanted}{least}, not {value!r}")


def _is(wanted: str | None, value: Any) -> bool:  # noqa: ANN401 - from JSON
    if wanted is None or wanted == "true or false":
        return wanted is None or isinstance(value, bool)
    kinds = {"a whole number": int, "a number": int | float, "an object": Mapping, "text": str}
    return isinstance(value, kinds[wanted]) and not isinstance(value, bool)


def _check(place: int, values: Mapping[str, Any]) -> None:
    if values.get("rate", 1.0) > 1:
        raise ValueError(
            f"fault rule {place}: rate must be between 0 and 1, not {values['rate']!r}"
        )
    if values.get("webhook") not in (None, *DELIVERIES):
        known = ", ".join(DELIVERIES)
        raise ValueError(f"fault rule {place}: webhook must be one of {known}")
    if values.get("do") is not None and values["do"] not in ACTIONS:
        known = ", ".join(sorted(ACTIONS))
        raise ValueError(
            f"fault rule {place}: there is no injector {values['do']!r}; known: {known}"
        )
    if values.get("unreachable") not in (None, *UNREACHABLE):
        known = ", ".join(sorted(UNREACHABLE))
        raise ValueError(f"fault rule {place}: unreachable must be one of {known}")
    if values.get("only") not in (None, *_ONLY):
        raise ValueError(f"fault rule {place}: only must be one of {', '.join(_ONLY)}")
    if values.get("service") not in (None, *_SERVICES):
        raise ValueError(f"fault rule {place}: service must be one of {', '.join(_SERVICES)}")
    services = values.get("services")
    if services and values.get("service") not in (None, *services):
        raise ValueError(
            f"fault rule {place}: {values['fault']} is a fault of {', '.join(services)},"
            f" not of {values['service']}"
        )


def _methods(given: Any) -> tuple[str, ...]:  # noqa: ANN401 - from JSON
    listed = given if isinstance(given, list | tuple) else [] if given is None else [given]
    return tuple(str(each).upper() for each in listed)


def _pattern(place: int, text: Any) -> re.Pattern[str]:  # noqa: ANN401 - from JSON
    try:
        return re.compile(str(text))
    except re.error as error:
        raise ValueError(
            f"fault rule {place}: path {text!r} is no regular expression ({error})"
        ) from None
