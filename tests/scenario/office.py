"""A company in the stand-ins and syncd beside it, all in this process: the real adapters and client
libraries over transports without sockets, one thread, virtual time. For tests by the thousand.

`Office.wire` holds every exchange as (service, request, answered); `fail` lets exchanges go wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from company import Company

from adapters import registry
from syncd.cli.common import open_state
from syncd.cli.sandbox import Filling, fill, mapping_for, write
from syncd.core.model import CycleReport
from syncd.engine.context import Context, one_after_another
from syncd.engine.cycle import run_cycle
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.injectors.stage import is_write
from syncd.sandbox.services import Sandbox
from syncd.sandbox.transports import HttpxTransport, Line, RequestsTransport, Urllib3Transport
from syncd.testing.builders import MOMENT
from syncd.testing.fakes import FakeClock
from syncd.wiring import open_system

Json = Any
TOOLS = ("jira", "asana", "notion")
TRANSPORTS = {"jira": RequestsTransport, "asana": Urllib3Transport, "notion": HttpxTransport}
CREATIONS = {"jira": r"/issue$", "asana": r"/tasks$", "notion": r"/v1/pages$"}


class Office(Company):
    """One world; `cycle()` runs a cycle so long after the last one: `pause`, in seconds."""

    pause = 3600.0

    def __init__(self, sandbox: Sandbox, config: Path) -> None:
        self.sandbox = sandbox
        self.config = config
        self.clock = FakeClock(sandbox.clock.now())
        self.wire: list[tuple[str, Any, bool]] = []
        self.line = Line(sandbox, before=self._tick, after=self._note)
        self.open()

    def _tick(self, _service: str, _request: Any) -> None:
        """Let a request take its time: what happens one after the other has different times."""
        self.pass_time(0.02)

    def _note(self, service: str, request: Any, answer: Any) -> None:
        self.wire.append((service, request, answer is not None))

    def open(self) -> None:
        """Open the installation, its adapters on this process's transports."""
        with _transports(self.line):
            self.system = open_system(self.config, open_state, clock=self.clock)

    def reopen(self, **_options: Any) -> None:
        self.system.close()
        self.open()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.sandbox.clock.step(seconds)

    def context_of(self, **options: Any) -> Context:
        return replace(self.system.context(**options), runner=one_after_another)

    def cycle(self, **options: Any) -> CycleReport:
        self.pass_time(self.pause)
        self.context = self.context_of(**options)
        return run_cycle(self.context, wait=True)

    def fail(self, *rules: Json) -> None:
        """Let exchanges go wrong from now on, and no others."""
        named = [{"id": f"{n}", **rule} for n, rule in enumerate(rules)]
        self.sandbox.faults.set(named)

    def lost(self) -> int:
        """Return how many exchanges have gone wrong since the last `fail`."""
        return sum(fault.happened for fault in self.sandbox.faults.rules)

    def written(self) -> list[tuple[str, str, str]]:
        """Return service, method and path of every writing request on the wire so far."""
        return [(s, r.method, r.path) for s, r, _ in self.wire if changes(s, r)]

    def creations(self) -> Counter[str]:
        """Return how many requests to create a record have been sent to each tool."""
        sent = [(s, path) for s, method, path in self.written() if method == "POST"]
        return Counter(s for s, path in sent if re.search(CREATIONS[s], path))


def changes(service: str, request: Any) -> bool:
    """Tell whether a request may change something; a batch does when one of its actions does."""
    if request.path.endswith("/batch"):
        return any(each["method"] != "get" for each in request.json()["data"]["actions"])
    return is_write(service, request)


@contextmanager
def _transports(line: Line) -> Iterator[None]:
    """Let `registry.connect` take its connections from a line."""
    connect = registry.connect

    def over_the_line(kind: str, *arguments: Any, **options: Any) -> Any:
        return connect(kind, *arguments, **{**options, "transport": TRANSPORTS[kind](line)})

    registry.connect = over_the_line
    try:
        yield
    finally:
        registry.connect = connect


@contextmanager
def office(home: Path, mapping: Path | None = None, load: str = "demo") -> Iterator[Office]:
    """Open a company; `mapping` is a file, else the one that fits what is loaded."""
    sandbox = Sandbox(SandboxClock(frozen=MOMENT))
    fill(sandbox, Filling(load))
    if mapping is not None:
        (home / "roadmap.yaml").write_text(mapping.read_text("utf8"), "utf8")
    config = write(home, sandbox.credentials("http://localhost"), mapping_for(load))
    world = Office(sandbox, config)
    try:
        yield world
    finally:
        world.close()
