"""Honest stand-ins for what a test has to control."""

from __future__ import annotations

from threading import RLock

from syncd.testing.builders import MOMENT


class FakeClock:
    """Virtual time: `sleep` returns at once and time has passed. Safe to use from several threads.

    `naps` lists the seconds of every sleep, for tests of schedules. After `stop`, sleeps return
    without time passing, as those of a process that was asked to end.
    """

    def __init__(self, start: float = MOMENT) -> None:
        self.naps: list[float] = []
        self.stopped = False
        self._wall = start
        self._monotonic = 0.0
        self._guard = RLock()

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        return self._wall

    def monotonic(self) -> float:
        """Return seconds of a clock that never steps back."""
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Let time pass, unless stopped."""
        with self._guard:
            if self.stopped or seconds <= 0:
                return
            self.naps.append(seconds)
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._guard:
            self._wall += seconds
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator does; monotonic time stays."""
        with self._guard:
            self._wall += seconds

    def stop(self) -> None:
        """End all sleeps to come."""
        self.stopped = True
