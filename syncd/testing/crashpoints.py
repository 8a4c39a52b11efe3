"""Every boundary of twelve scenarios killed: whatever the moment, the end is that of an undisturbed run.

    python -m syncd.testing.crashpoints             each boundary once, in process
    python -m syncd.testing.crashpoints --kill      the engine in a process of its own, ended by SIGKILL
    python -m syncd.testing.crashpoints --again 3   for each boundary also three crashes during recovery
    python -m syncd.testing.crashpoints --bug no-journal    a bug of the engine, to be found

A boundary lies before and after each request to a tool and each commit of the state, a real SQLite file.
The tools live on; the engine starts again with what the file holds. Compared are all three tools, the
page, the canonical roadmap and the conflicts, without times and the tools' ids.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import state.store
from state.store import SqlStore
from syncd.core.errors import SourceError
from syncd.testing.crashworlds import SCENARIOS, Scenario, outcome
from syncd.testing.seeded_bugs import BUGS
from syncd.testing.world import World

T = TypeVar("T")
Ask = Callable[[str, str, tuple[Any, ...]], Any]
"""Asks a tool: its name, the request, the arguments."""

QUIET = 12
"""Cycles within which a run has to become quiet."""

REQUESTS = frozenset(
    {
        *("discover", "pages", "read", "find", "log", "create", "update"),
        *("find_page", "create_page", "blocks", "made", "append", "replace", "remove"),
    }
)


class Crash(BaseException):
    """The process ends here: no handler of the engine may catch it."""


@dataclass(slots=True)
class Boundaries:
    """Counts boundaries, and ends the process at one of them."""

    at: int = 0  # which one, counted from 1; 0 for none
    kill: bool = False
    seen: int = 0
    dead: bool = False

    def __call__(self) -> None:
        """Come to a boundary. After the end nothing takes effect any more."""
        self.seen += 1
        if self.seen == self.at and self.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        self.dead = self.dead or self.seen == self.at
        if self.dead:
            raise Crash


class BoundedStore(SqlStore):
    """The real store; each commit has a boundary before and after it."""

    boundary: Boundaries

    def _commit(self, depth: int) -> None:
        if depth:
            super()._commit(depth)
            return
        self.boundary()
        super()._commit(depth)
        self.boundary()

    def abandon(self) -> None:
        """Leave the file as a process does that has died."""
        self._handle.close()
        if self._held is not None:
            self._held.release()


class BoundedTool:
    """A tool or publisher whose requests have a boundary before and after them."""

    def __init__(self, name: str, target: object, boundary: Boundaries, ask: Ask) -> None:
        self._name, self._target, self._boundary, self._ask = name, target, boundary, ask

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the target has
        found = getattr(self._target, name)
        if name not in REQUESTS or not callable(found):
            return found

        def request(*arguments: Any) -> Any:  # noqa: ANN401
            self._boundary()
            answer = self._ask(self._name, name, arguments)
            self._boundary()
            return answer

        return request


@dataclass(slots=True)
class Run:
    """One run of a scenario from the moment `act` has left it at: its own copy of the state."""

    world: World
    path: Path
    full: bool
    kill: bool = False
    seen: list[int] = field(default_factory=list)  # boundaries of each life of the engine

    def live(self, at: int) -> bool:
        """Let the engine work until all is quiet, or until it dies; tells whether it lived."""
        if self.kill:
            return self._in_a_process(at)
        boundary = Boundaries(at)
        try:
            self._work(boundary, _asked_here(self.world))
        except Crash:
            return False
        finally:
            self.seen.append(boundary.seen)
        return True

    def _work(self, boundary: Boundaries, ask: Ask) -> None:
        opened = state.store.open(self.path)
        store = BoundedStore(opened._handle, opened._held)  # noqa: SLF001 - the same, with boundaries
        store.boundary = boundary
        world = _bounded(self.world, store, boundary, ask)
        try:
            for number in range(QUIET):
                report = world.cycle(full=self.full and not number)
                waits = any(notice.kind == "unanswered" for notice in store.notices())
                if report.writes == 0 and report.complete and not waits:
                    store.close()
                    return
            raise RuntimeError(f"{QUIET} cycles in a row had something to do")
        finally:
            store.abandon()

    def _in_a_process(self, at: int) -> bool:
        """Let the engine work in a child process, which asks this one for what the tools say."""
        ours, theirs = Pipe()
        child = os.fork()
        if child == 0:
            ours.close()
            boundary = Boundaries(at, kill=True)
            self._work(boundary, _asked_over(theirs, self.world.clock))
            theirs.send(boundary.seen)
            os._exit(0)
        theirs.close()
        self.seen.append(_serve(self.world, ours))
        _pid, status = os.waitpid(child, 0)
        if status not in (0, signal.SIGKILL):
            raise RuntimeError(f"the engine's process ended with status {status}")
        return status == 0

    def end(self) -> dict[str, object]:
        """Return what it all came to."""
        store = state.store.open(self.path, read_only=True)
        try:
            return outcome(self.world, store)
        finally:
            store.close()


def _bounded(world: World, store: SqlStore, boundary: Boundaries, ask: Ask) -> World:
    """Return a world over the same tools, whose requests and commits have boundaries."""
    bounded = World(world.roadmap, store=store)
    bounded.clock = world.clock
    bounded.tools = {n: _tool(n, t, boundary, ask) for n, t in world.tools.items()}
    bounded.pages = _tool("pages", world.pages, boundary, ask)
    return bounded


def _tool(name: str, target: object, boundary: Boundaries, ask: Ask) -> Any:  # noqa: ANN401
    return BoundedTool(name, target, boundary, ask)


# asking the tools ---------------------------------------------------------------------------------------


def _asked_here(world: World) -> Ask:
    def ask(tool: str, request: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
        target = world.pages if tool == "pages" else world.tools[tool]
        answer = getattr(target, request)(*arguments)
        return list(answer) if isinstance(answer, Iterator) else answer

    return ask


def _asked_over(line: Connection, clock: Any) -> Ask:  # noqa: ANN401 - the world's clock
    def ask(tool: str, request: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
        line.send((tool, request, arguments, clock.now()))
        answer, refusal = line.recv()
        if refusal is not None:
            kind, connection, sentence, maybe_applied = refusal
            raise kind(connection, sentence, maybe_applied=maybe_applied)
        return answer

    return ask


def _serve(world: World, line: Connection) -> int:
    """Answer for the tools until the asking process ends; returns how many boundaries it has told."""
    ask = _asked_here(world)
    while True:
        try:
            asked = line.recv()
        except EOFError:
            return 0
        if isinstance(asked, int):
            return asked
        tool, request, arguments, now = asked
        world.clock.jump(now - world.clock.now())
        try:
            line.send((ask(tool, request, arguments), None))
        except SourceError as error:
            line.send((None, (type(error), error.connection, str(error), error.maybe_applied)))
        except BrokenPipeError:
            return 0  # it died before it could hear the answer


# the enumeration ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Crashes:
    """What became of one scenario."""

    name: str
    boundaries: int
    runs: int = 0
    wrong: list[str] = field(default_factory=list)


def enumerate_crashes(
    scenario: Scenario, place: Path, *, kill: bool = False, again: int = 0, every: int = 1
) -> Crashes:
    """Crash a scenario at each boundary (of every so many), and `again` times during each recovery."""
    prepared = place / "prepared.db"
    world = _prepared(scenario, prepared)
    run = partial(_one, scenario, world, place, kill=kill)
    expected, seen = _forked(partial(run, ()))
    found = Crashes(scenario.name, seen[0])
    chance = random.Random(scenario.name)  # noqa: S311 - chooses crashes
    for at in range(1, seen[0] + 1, every):
        for deaths in ((at,), *((at, chance.randint(1, seen[0])) for _ in range(again))):
            end, _ = _forked(partial(run, deaths))
            found.runs += 1
            if end != expected:
                found.wrong.append(f"killed at {deaths}: {_difference(expected, end)}")
    return found


def _prepared(scenario: Scenario, path: Path) -> World:
    world = scenario.world(path)
    scenario.prepare(world)
    scenario.act(world)
    world.store.close()
    if scenario.lost:
        path.unlink()
    return world


def _one(
    scenario: Scenario, world: World, place: Path, deaths: tuple[int, ...], *, kill: bool
) -> tuple[dict[str, object], list[int]]:
    """Run a scenario on a copy of its state, dying at these boundaries of one life after the other."""
    path = place / "copy.db"
    for leftover in place.glob("copy.db*"):
        leftover.unlink()
    if not scenario.lost:
        shutil.copyfile(place / "prepared.db", path)
    run = Run(world, path, scenario.full, kill)
    for at in deaths:
        run.live(at)
    run.live(0)
    return run.end(), run.seen


def _forked(work: Callable[[], T]) -> T:
    """Do the work in a child process: nothing of it stays behind in this one's memory."""
    ours, theirs = Pipe()
    child = os.fork()
    if child == 0:
        try:
            theirs.send((work(), None))
        except BaseException as error:  # noqa: BLE001 - told to the parent
            theirs.send((None, repr(error)))
        finally:
            os._exit(0)
    theirs.close()
    answer: T
    answer, failure = ours.recv()
    os.waitpid(child, 0)
    if failure is not None:
        raise RuntimeError(failure)
    return answer


def _difference(expected: dict[str, object], end: dict[str, object]) -> str:
    told = []
    for name, value in expected.items():
        if end[name] == value:
            continue
        before, after = _parts(value), _parts(end[name])
        told.append(f"{name}: missing {before - after}, surplus {after - before}")
    return "; ".join(told)


def _parts(value: object) -> set[str]:
    return set(map(repr, value)) if isinstance(value, list) else {repr(value)}


def main() -> int:
    """Enumerate, print a line for each scenario, and return 1 when an end was another one."""
    options = _options()
    wrong = runs = 0
    with BUGS[options.bug].put_in() if options.bug else nullcontext():
        for scenario in SCENARIOS:
            if options.only not in scenario.name:
                continue
            with tempfile.TemporaryDirectory(dir=_memory()) as folder:
                found = enumerate_crashes(
                    scenario, Path(folder), kill=options.kill, again=options.again,
                    every=options.every,
                )  # fmt: skip
            runs, wrong = runs + found.runs, wrong + len(found.wrong)
            _say(found)
    print(f"{runs} runs, {wrong} with another end")  # noqa: T201 - a command
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Kill syncd at every boundary of twelve scenarios."
    )
    parser.add_argument("--kill", action="store_true", help="processes of their own, and SIGKILL")
    parser.add_argument("--again", type=int, default=0, help="crashes during each recovery")
    parser.add_argument("--every", type=int, default=1, help="only every so many boundaries")
    parser.add_argument("--only", default="", help="scenarios whose name holds this")
    parser.add_argument("--bug", choices=sorted(BUGS), help="a bug put in, which has to be found")
    return parser.parse_args()


def _say(found: Crashes) -> None:
    print(  # noqa: T201 - a command
        f"{found.name:<32} {found.boundaries:>4} boundaries, {found.runs:>5} runs, "
        f"{len(found.wrong)} with another end",
        flush=True,
    )
    for sentence in found.wrong[:3]:
        print(f"  {sentence}")  # noqa: T201


def _memory() -> Path | None:
    """Return a file system in memory: a crash of a process loses nothing that was written."""
    place = Path("/dev/shm")  # noqa: S108 - only a hint, a temporary folder is made in it
    return place if place.is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
