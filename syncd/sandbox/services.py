"""The three stand-ins together, in process: one clock, faults, counters, a wire log.

`syncd.sandbox.server` puts a `Sandbox` behind a socket.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from syncd.sandbox.clock import SandboxClock, ServiceClock
from syncd.sandbox.dispatch import Dispatcher
from syncd.sandbox.faults import Fault, Faults
from syncd.sandbox.injectors import ACTIONS, Stage
from syncd.sandbox.injectors.stage import is_write
from syncd.sandbox.limits import Limits
from syncd.sandbox.oauth import OAuth, through_gateway
from syncd.sandbox.webhooks import Line
from syncd.sandbox.wire import Request, Response, json_response
from syncd.sandbox.wirelog import WireLog

SERVICES = {"jira": "JiraSandbox", "asana": "AsanaSandbox", "notion": "NotionSandbox"}
_ID = re.compile(
    r"\d+|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z][A-Z0-9_]+-\d+"
    r"|customfield_\d+|\d+:[0-9a-f-]+",
    re.IGNORECASE,
)
_NAMED = frozenset({"project", "createmeta", "properties"})
_WORDS = frozenset({"search", "type", "recent", "issuetypes"})


class Service(Protocol):
    """A stand-in."""

    token: str

    def handle(self, request: Request) -> Response:
        """Answer a request whose path has no prefix."""


class Dropped(ConnectionError):
    """The connection closed without an answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request. `response` None: no answer; `cut`: bytes that get through.

    `reset`: the connection ends with a RST; `surplus`: bytes promised and not sent; `slow`: seconds
    between bytes; `close`: the connection is closed after the answer.
    """

    response: Response | None
    delay: float = 0.0
    cut: int | None = None
    reset: bool = False
    surplus: int = 0
    slow: float = 0.0
    close: bool = False


@dataclass(slots=True)
class _Deferred:
    """A write that takes effect later."""

    service: str
    request: Request
    due: float
    behind: int


class Sandbox:
    """One clock and the three services. Services are made when first needed.

    Safe to use from several threads; each request is handled whole before the next.
    """

    def __init__(
        self,
        clock: SandboxClock | None = None,
        *,
        seed: int = 1,
        latency: float = 0.0,
        wire_log: str | Path | None = None,
    ) -> None:
        self.clock = clock or SandboxClock()
        self.seed = seed
        self.latency = latency  # seconds that every answer takes at least, over a socket
        self.faults = Faults(seed)
        self.limits = Limits()
        self.oauth = OAuth(seed)
        self.writes = 0  # requests that may have changed something
        self.deferred: list[_Deferred] = []
        self.counters: Counter[tuple[str, str, str, int]] = Counter()
        self.lock = threading.RLock()
        self.line = Line()  # how webhooks get out
        self.dispatcher = Dispatcher(self)
        self._services: dict[str, Any] = {}
        self._log = WireLog(wire_log) if wire_log else None

    def service(self, name: str) -> Any:  # noqa: ANN401 - each service has methods of its own
        """Return a stand-in by name; raises KeyError for other names."""
        with self.lock:
            if name not in self._services:
                module = import_module(f"syncd.sandbox.{name}" if name in SERVICES else "")
                made = getattr(module, SERVICES[name])
                self._services[name] = made(ServiceClock(self.clock), seed=self.seed)
                self._services[name].line = self.line  # webhooks
            return self._services[name]

    @property
    def jira(self) -> Any:  # noqa: ANN401
        """Return the `JiraSandbox`."""
        return self.service("jira")

    @property
    def asana(self) -> Any:  # noqa: ANN401
        """Return the `AsanaSandbox`."""
        return self.service("asana")

    @property
    def notion(self) -> Any:  # noqa: ANN401
        """Return the `NotionSandbox`."""
        return self.service("notion")

    def made(self) -> dict[str, Any]:
        """Return the stand-ins made so far, by name: those whose webhooks can have something to send."""
        return self._services

    def deliver(self) -> int:
        """Send the webhooks that are due, through `line.post`; return how many were accepted."""
        return self.dispatcher.deliver()

    def credentials(self, url: str) -> dict[str, dict[str, str]]:
        """Return address and credentials of each service behind a server's address."""
        found = {}
        for name in SERVICES:
            made = self.service(name)
            found[name] = {"url": f"{url}/{name}", "token": made.token}
        found["jira"] = {"url": f"{url}/jira", "email": self.jira.email, "token": self.jira.token}
        return found

    def consent(self, service: str, **terms: str | None) -> dict[str, Any]:
        """Return an OAuth code and its client, as if a person had allowed it; see `OAuth.consent`."""
        with self.lock:
            stand_in = self.service(service) if service in SERVICES else None
            return self.oauth.consent(service, stand_in, self.clock.now(), **terms)

    def handle(self, service: str, request: Request) -> Response:
        """Answer a request in process; raises `Dropped` where a fault closes the connection."""
        outcome = self.exchange(service, request)
        if outcome.response is None or outcome.cut is not None or outcome.surplus:
            raise Dropped(f"{request.method} {request.path}: the connection was closed")
        return outcome.response

    def unreachable(
        self, kinds: frozenset[str], service: str = "", request: Request | None = None
    ) -> str | None:
        """Return how a fault keeps a connection from being made; see `Faults.unreachable`."""
        with self.lock:
            return self.faults.unreachable(kinds, self.clock.now(), service, request)

    def exchange(self, service: str, request: Request) -> Outcome:
        """Handle a request with faults, count it and log it."""
        request = through_gateway(service, request)
        with self.lock:
            now = self.clock.now()
            self._catch_up(now)
            outcome = self._struck(service, request, now)
            if is_write(service, request):
                self.writes += 1
                self._write_behind(service, request)
            response = outcome.response
            if response is not None:
                response.headers.setdefault("date", formatdate(now, usegmt=True))
            status = response.status if response else 0
            self.counters[service, request.method, template(request.path), status] += 1
            if self._log is not None:
                whole = outcome.cut is None and not outcome.surplus
                self._log.write(request, response if whole else None)
            return outcome

    def defer(self, service: str, request: Request, *, seconds: float = 0, behind: int = 0) -> None:
        """Let a request take effect later: after so long, and behind so many other writes."""
        self.deferred.append(_Deferred(service, request, self.clock.now() + seconds, behind))

    def _catch_up(self, now: float) -> None:
        """Let deferred writes take effect whose time has come."""
        due = [each for each in self.deferred if not each.behind and each.due <= now]
        for each in due:
            self.deferred.remove(each)
            made = self.service(each.service)
            self.oauth.answer(each.service, each.request, made, made.clock.now())

    def _write_behind(self, service: str, request: Request) -> None:
        """Let writes take effect that were held back behind this one."""
        if not self.deferred:
            return
        for each in self.deferred:
            if each.request is not request and each.behind and each.service == service:
                each.behind -= 1
        self._catch_up(self.clock.now())

    def _plain(self, service: str, request: Request) -> Response:
        made = self.service(service)
        now = made.clock.now()
        refused: Response | None = self.limits.check(service, request, made, now)
        answer = refused or self.oauth.answer(service, request, made, now)
        self.limits.describe(service, request, answer, now)
        return answer

    def _acted(self, rules: tuple[Fault, ...], service: str, request: Request) -> Response:
        """Let the injectors work, the first one outermost."""
        if not rules:
            return self._plain(service, request)
        first, rest = rules[0], rules[1:]

        def proceed(changed: Request) -> Response:
            return self._acted(rest, service, changed)

        try:
            return ACTIONS[first.do or ""](Stage(self, service, request, first, proceed))
        except (ValueError, StopIteration) as error:
            reason = str(error) or "there is nothing here that it is about"
            return json_response({"error": f"fault {first.id} cannot be made: {reason}"}, 500)

    def _struck(self, service: str, request: Request, now: float) -> Outcome:
        struck = self.faults.strike(service, request, now)
        fault = struck.wire
        if fault is None:
            return Outcome(self._acted(struck.actions, service, request), self.latency)
        delay = self.latency + fault.delay
        if fault.late or fault.behind:
            self.defer(service, request, seconds=fault.late, behind=fault.behind)
            return Outcome(None, delay + fault.late)
        instead = fault.answer(service)
        if fault.drop_before:
            return Outcome(None, delay)
        if instead is not None and not fault.apply:
            return Outcome(instead, delay)
        real = fault.damage(self._acted(struck.actions, service, request))
        if fault.drop_after:
            return Outcome(None, delay)
        return _spoiled(fault, instead or real, delay)

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of clock and services, which `restore` takes; later changes do not touch it.

        Faults, limits, counters and the wire log are no part of it.
        """
        with self.lock:
            clock = (self.clock.frozen, self.clock.offset)
            services = {name: made.snapshot() for name, made in self._services.items()}
            held = {"services": services, "oauth": self.oauth.snapshot()}
            return {"clock": clock, "seed": self.seed, **held}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot; raises ValueError for one of another seed."""
        if snapshot["seed"] != self.seed:
            raise ValueError(
                f"the state is of seed {snapshot['seed']}, this sandbox has {self.seed};"
                f" start it with --seed {snapshot['seed']}"
            )
        with self.lock:
            self.writes += 1
            self.clock.frozen, self.clock.offset = snapshot["clock"]
            self.deferred.clear()
            self.dispatcher.forget()
            if "oauth" in snapshot:
                self.oauth.restore(snapshot["oauth"])
            for name, state in snapshot["services"].items():
                self.service(name).restore(state)

    def tallies(self) -> list[dict[str, Any]]:
        """Return how often each endpoint was called, most called first."""
        names = ("service", "method", "endpoint", "status")
        return [
            {**dict(zip(names, key, strict=True)), "calls": count}
            for key, count in self.counters.most_common()
        ]

    def close(self) -> None:
        """Close the wire log."""
        if self._log is not None:
            self._log.close()
            self._log = None


def _spoiled(fault: Fault, answer: Response, delay: float) -> Outcome:
    cut = fault.truncate
    if fault.reset is not None:
        cut = int(len(answer.body) * fault.reset)
    return Outcome(
        answer,
        delay,
        cut,
        fault.reset is not None,
        fault.wrong_length,
        fault.slow,
        fault.close_idle,
    )


def template(path: str) -> str:
    """Return a path with ids and keys replaced by `{id}`, for counting."""
    parts = path.split("/")
    for place, part in enumerate(parts):
        before = parts[place - 1] if place else ""
        named = before in _NAMED and part not in _WORDS
        if part and before != "api" and (named or _ID.fullmatch(part)):
            parts[place] = "{id}"
    return "/".join(parts)
