"""What the commands share: options, errors in words, output for people and for machines."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.core.errors import (
    NotAllowed,
    ProblemsError,
    SourceError,
    StateError,
    SyncdError,
    Temporary,
    Unsafe,
    UserError,
)

if TYPE_CHECKING:
    from syncd.clock import SystemClock
    from syncd.core.model import CycleReport, Item
    from syncd.core.ports import Store
    from syncd.engine.context import Progress
    from syncd.wiring import System

DONE, NEEDS_PERSON, WRONG_INPUT, UNAVAILABLE = 0, 1, 2, 3
INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C has ended."""

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="SYNCD_CONFIG", show_default="syncd.yaml",
        help="The service configuration.",
    ),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

DEFAULT_CONFIG = Path("syncd.yaml")

MOST = 1_000_000_000
"""The highest count that an option takes: more than there is of anything."""

_FIRST = datetime(1, 1, 1, tzinfo=UTC).timestamp()


def say(text: str = "") -> None:
    """Print a line for people; control characters in tools' content never reach the terminal."""
    from syncd.logs import printable, redact

    print(printable(redact(text)))


def emit(value: object) -> None:
    """Print a value as JSON."""
    from syncd.logs import escape, redact

    print(escape(redact(json.dumps(plain(value), ensure_ascii=False, indent=2))))


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is any
    """Return dataclasses and tuples as JSON-able data."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


def failed(error: SyncdError) -> int:
    """Say what went wrong on stderr, in one sentence for each problem; returns the exit code."""
    problems = error.problems if isinstance(error, ProblemsError) else (error,)
    for problem in problems:
        complain(str(problem))
    return exit_code(error)


def complain(sentence: str) -> None:
    """Print a sentence on stderr, without secrets and without what a terminal would obey."""
    from syncd.logs import printable, redact

    print(printable(redact(sentence)), file=sys.stderr)


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error; see architecture: 1 person, 2 input, 3 service."""
    if isinstance(error, UserError | NotAllowed | StateError):
        return WRONG_INPUT
    if isinstance(error, Unsafe):
        return NEEDS_PERSON
    if isinstance(error, Temporary | SourceError):
        return UNAVAILABLE
    return NEEDS_PERSON


def all_failed(errors: Iterable[SyncdError]) -> int:
    """Say each on stderr; returns 2 when one needs a change of ours, else 3, and 0 without any."""
    codes = {failed(error) for error in errors}
    return min(codes, default=DONE)


def open_state(path: Path) -> Store:
    """Open the state file for work, making its folder on first use."""
    import state.store

    with contextlib.suppress(OSError):  # the store says what is wrong with the folder
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return state.store.open(path)


@contextmanager
def working(config: Path, *, fresh: bool = False) -> Iterator[System]:
    """Open an installation for work, and close it whatever happens.

    Ctrl-C and SIGTERM let the requests under way finish, so that the state knows how they ended.
    """
    from syncd.wiring import open_system

    with interruptible() as clock:
        system = open_system(config, open_state, clock=clock, fresh=fresh)
        try:
            yield system
        finally:
            system.close()


@contextmanager
def interruptible() -> Iterator[SystemClock]:
    """Give a clock that the first Ctrl-C or SIGTERM stops; exits with 130 afterwards.

    The second one ends the process at once, which the state survives like a power cut.
    """
    from syncd.clock import SystemClock

    clock = SystemClock()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if clock.stopped:
            os._exit(INTERRUPTED)
        clock.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield clock
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if clock.stopped:
            complain("stopped before the end; run the command again, it goes on from here")
            raise SystemExit(INTERRUPTED)


def stopped(system: System) -> Callable[[], bool]:
    """Return what tells a cycle that somebody has asked this command to stop."""
    return lambda: bool(getattr(system.clock, "stopped", False))


@contextmanager
def reading(config: Path) -> Iterator[System]:
    """Open an installation for reading; a running daemon is not disturbed."""
    import state.store
    from syncd.wiring import open_reader

    def opener(path: Path) -> Store:
        return state.store.open(path, read_only=True)

    system = open_reader(config, opener)
    try:
        yield system
    finally:
        system.close()


@contextmanager
def beside(config: Path) -> Iterator[System]:
    """Open an installation for one small write, while a daemon may be running."""
    import state.store
    from syncd.wiring import open_reader

    system = open_reader(config, lambda path: state.store.open(path, beside=True))
    try:
        yield system
    finally:
        system.close()


def find_item(store: Store, text: str) -> Item:
    """Return the one item a person means: by id, key, URL or title; raises UserError otherwise."""
    found = store.find_items(text)
    if not found:
        raise UserError(f"no item is called {text!r}; give its title, its key or its URL")
    exact = [item for item in found if text in (item.id, item.title)]
    if len(found) > 1 and len(exact) != 1:
        names = ", ".join(f"{item.title} ({item.id})" for item in found[:5])
        raise UserError(f"{text!r} could be {len(found)} items: {names}; give the id in brackets")
    return exact[0] if len(exact) == 1 else found[0]


def find_cell(system: System, text: str) -> tuple[Item, str | None]:
    """Return the item, and the field if one is named, of ITEM or ITEM.FIELD; an item's title wins."""
    name, dot, field = text.rpartition(".")
    titled = any(item.title == text for item in system.store.find_items(text))
    if dot and field in system.roadmap.fields and not titled:
        return find_item(system.store, name), field
    if dot and not system.store.find_items(text) and system.store.find_items(name):
        item, fields = find_item(system.store, name), ", ".join(system.roadmap.fields)
        raise UserError(f"{item.title} has no field {field!r}; its fields are {fields}")
    return find_item(system.store, text), None


def plural(count: int, one: str) -> str:
    """Return a count with its noun: 1 write, 2 writes."""
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def when(seconds: float) -> str:
    """Return a moment as people write it, UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def moment(text: str, now: float) -> float:
    """Return the moment a person means, in epoch seconds: 2026-11-22, 2026-11-22T16:34, 30m, 2h, 3d.

    Times without a zone are UTC; 30m means half an hour ago. Raises UserError.
    """
    units = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
    words = text.strip()
    if words[-1:] in units and words[:-1].isdecimal():
        at = now - float(words[:-1]) * units[words[-1]]
        if at < _FIRST:
            raise UserError(f"{text!r} is before the year 1; write a later moment")
        return at
    try:
        when_ = datetime.fromisoformat(words)
    except ValueError:
        raise UserError(
            f"{text!r} is no moment; write it like 2026-11-22, 2026-11-22T16:34 (UTC) or 2h (ago)"
        ) from None
    return (when_ if when_.tzinfo else when_.replace(tzinfo=UTC)).timestamp()


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a progress bar on stderr while long work goes on, in a terminal only."""
    from syncd.engine.context import silent

    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from syncd.logs import printable

    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
    stderr = Console(stderr=True)
    with Progress(*columns, console=stderr, transient=True, redirect_stdout=False) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(printable(what), total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show


def print_report(report: CycleReport) -> None:
    """Print what a cycle did, a line for each tool."""
    say(f"cycle {report.number}: {plural(report.writes, 'write')} in {report.seconds:.1f} s")
    for name, tally in report.tallies.items():
        if tally.error is not None:
            say(f"  {name:<10} left out: {tally.error.removeprefix(f'{name}: ')}")
            continue
        parts = [
            f"{tally.read} read",
            f"{tally.changed} changed",
            f"{tally.created} created",
            f"{tally.updated} updated",
        ]
        parts += [
            f"{count} {word}"
            for count, word in (
                (tally.corrected, "corrected"),
                (tally.refused, "refused"),
                (tally.unknown, "with unknown outcome"),
                (tally.skipped, "outside the mapping"),
            )
            if count
        ]
        say(f"  {name:<10} {', '.join(parts)}")
    if report.pages:
        say(f"  pages      {plural(report.pages, 'block')} written")
    say(
        f"  roadmap    {plural(report.items, 'item')}, "
        f"{plural(report.conflicts, 'open conflict')}, {plural(report.notices, 'notice')}"
    )
    for sentence in dict.fromkeys(report.frozen):  # one may hold for several scopes
        say(f"  held back: {sentence}")


def cycle_exit(report: CycleReport, errors: Mapping[str, SourceError]) -> int:
    """Say what failed; return the exit code of a cycle.

    Wrong credentials come first, then absent services, then open decisions.
    """
    decisions = NEEDS_PERSON if report.conflicts or report.frozen else DONE
    return all_failed(errors.values()) or decisions
