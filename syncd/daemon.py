"""The long-running process: cycles when they are due, signals, the watchdog, reload without a gap."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from syncd import sdnotify
from syncd.clock import SystemClock
from syncd.core.errors import RateLimited, SourceError, StateError, SyncdError
from syncd.core.model import CycleReport
from syncd.core.ports import Store
from syncd.engine.audit import EVERY, audit, next_sample
from syncd.engine.context import RESURVEY
from syncd.engine.cycle import run_cycle
from syncd.engine.schedule import Schedule
from syncd.logs import logger
from syncd.wiring import System, open_system

LONGEST_NAP = 5.0
"""Seconds between signs of life while nothing is due."""

DRAIN_SECONDS = 8
"""Seconds after which a stop no longer waits for answers: what is under way stands in the journal."""


_UNANSWERED = (
    b"stopped while a service owed an answer; the next start finds out what became of the request\n"
)


class WatchedClock(SystemClock):
    """Real time whose waits are signs of life: a pause a service asked for is no wedged worker."""

    def sleep(self, seconds: float) -> None:
        """Wait as asked, feeding the watchdog; returns early when the process is asked to stop."""
        end = self.monotonic() + seconds
        while not self.stopped and (left := end - self.monotonic()) > 0:
            sdnotify.notify("WATCHDOG=1")
            super().sleep(min(left, LONGEST_NAP))


class Daemon:
    """Runs until told to stop. SIGTERM and SIGINT drain and stop; SIGHUP reads the files again."""

    def __init__(
        self,
        config_path: Path,
        open_store: Callable[[Path], Store],
        *,
        clock: SystemClock | None = None,
        after_cycle: Callable[[CycleReport], None] = lambda _report: None,
    ) -> None:
        self.config_path = config_path
        self.open_store = open_store
        self.clock = clock or WatchedClock()
        self.after_cycle = after_cycle
        self.reload_wanted = False
        self._down: dict[str, str] = {}
        self._audited = self.clock.monotonic()

    def install_signals(self) -> None:
        """Take over SIGTERM, SIGINT and SIGHUP. Only in the main thread."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        signal.signal(signal.SIGALRM, self._leave)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Begin no new write, let requests under way finish, but not for longer than DRAIN_SECONDS."""
        if not self.clock.stopped:
            self.clock.stop()
            sdnotify.notify("STOPPING=1", "STATUS=stopping")
            signal.alarm(DRAIN_SECONDS)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        """End at once, as a power cut would: every write under way has been journalled before it was sent."""
        os.write(sys.stderr.fileno(), _UNANSWERED)
        os._exit(0)

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload_wanted = True

    def run(self) -> None:
        """Run cycles until stopped."""
        log = logger()
        system = open_system(self.config_path, self.open_store, clock=self.clock)
        try:
            chance = random.Random(self.clock.now())  # noqa: S311 - spreads polls, no secret
            schedule = Schedule(system.config.interval, chance)
            sdnotify.notify("READY=1", "STATUS=started")
            log.info("started", connections=list(system.adapters), state=str(system.config.state))
            while not self.clock.stopped:
                if self.reload_wanted:
                    system = self._reloaded(system, schedule)
                self._turn(system, schedule)
        finally:
            sdnotify.notify("STOPPING=1")
            system.close()
            signal.alarm(0)
            log.info("stopped")

    def _turn(self, system: System, schedule: Schedule) -> None:
        """Run a cycle if one is due, else rest for a moment; either is a sign of life."""
        sdnotify.notify("WATCHDOG=1")
        now = self.clock.monotonic()
        names = schedule.due(system.adapters, now)
        if names:
            self._cycle(system, schedule, names)
        elif now - self._audited >= EVERY:
            self._audit(system)
        else:
            self.clock.sleep(min(LONGEST_NAP, schedule.wait(system.adapters, now)))

    def _cycle(self, system: System, schedule: Schedule, names: tuple[str, ...]) -> None:
        self._ask_again(system)
        context = system.context(names, progress=_alive, stopping=lambda: self.clock.stopped)
        report = run_cycle(context)
        now = self.clock.monotonic()
        for name in names:
            error = system.errors.get(name) or context.errors.get(name)
            if error is None:
                schedule.succeeded(name, now)
            else:
                delay = error.delay if isinstance(error, RateLimited) else None
                schedule.failed(name, now, delay)
            self._note(name, error)
        _log_cycle(report)
        sdnotify.notify(_status(report))
        self.after_cycle(report)

    def _audit(self, system: System) -> None:
        """Read a few items again while nothing else is due; what is found is an alarm."""
        self._audited = self.clock.monotonic()
        context = system.context(progress=_alive, stopping=lambda: self.clock.stopped)
        result = audit(context, next_sample(context))
        for finding in result.findings:
            logger().warning(
                "audit", kind=finding.kind, item=finding.item, finding=finding.sentence
            )
        logger().info(
            "audited", items=result.items, cells=result.cells, findings=len(result.findings)
        )

    def _ask_again(self, system: System) -> None:
        """Ask a service that was away when we started what it offers: it may be back."""
        if system.errors or system.store.document(RESURVEY) is True:
            system.survey()

    def _note(self, name: str, error: SourceError | None) -> None:
        """Log once when a connection goes away and once when it is back."""
        before = self._down.get(name)
        if error is not None and before != str(error):
            logger().warning("connection lost", connection=name, reason=str(error))
            self._down[name] = str(error)
        elif error is None and before is not None:
            logger().info("connection back", connection=name)
            del self._down[name]

    def _reloaded(self, system: System, schedule: Schedule) -> System:
        """Read configuration and mapping again; keep the old ones when the new ones are wrong."""
        self.reload_wanted = False
        sdnotify.notify("RELOADING=1")
        try:
            system = system.reloaded(self.config_path)
            schedule.interval = system.config.interval
            schedule.due_at.clear()
            logger().info("reloaded")
        except StateError:
            raise
        except SyncdError as error:
            logger().error("not reloaded, the old rules stay in force", reason=str(error))
        sdnotify.notify("READY=1")
        return system


def _alive(_what: str, _done: int, _total: int | None) -> None:
    """Progress feeds the watchdog: a wedged cycle does not."""
    sdnotify.notify("WATCHDOG=1")


def _status(report: CycleReport) -> str:
    return (
        f"STATUS=cycle {report.number}: {report.writes} writes, {report.conflicts} conflicts, "
        f"{len(report.frozen)} frozen scopes"
    )


def _log_cycle(report: CycleReport) -> None:
    """Write the one canonical line of a cycle."""
    logger().info(
        "cycle",
        number=report.number,
        seconds=round(report.seconds, 3),
        read=sum(tally.read for tally in report.tallies.values()),
        changed=sum(tally.changed for tally in report.tallies.values()),
        writes=report.writes,
        pages=report.pages,
        items=report.items,
        conflicts=report.conflicts,
        notices=report.notices,
        frozen=list(report.frozen),
        failed=[name for name, tally in report.tallies.items() if tally.error],
        complete=report.complete,
    )
