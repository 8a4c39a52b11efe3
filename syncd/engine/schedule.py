"""When each connection is due: a steady interval with jitter; one that fails waits longer each time.

Pure apart from the random number generator it is given.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

LONGEST = 900.0
"""Seconds a failing connection is left alone at most."""

JITTER = 0.1
"""Share of the interval by which polls are moved at random, so that many daemons do not march in step."""


@dataclass(slots=True)
class Schedule:
    """Due times by connection, in seconds of a monotonic clock."""

    interval: float
    chance: random.Random
    due_at: dict[str, float] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)

    def due(self, names: Iterable[str], now: float) -> tuple[str, ...]:
        """Return the connections to include in a cycle that starts now; empty while none is due.

        Those that would be due in a moment come along, so that healthy connections stay together.
        """
        names = tuple(names)
        if all(self.due_at.get(name, now) > now for name in names):
            return ()
        soon = now + 2 * JITTER * self.interval
        return tuple(name for name in names if self.due_at.get(name, now) <= soon)

    def succeeded(self, name: str, now: float) -> None:
        """Note that a connection took part to the end."""
        self.failures.pop(name, None)
        self.due_at[name] = now + self._jittered(self.interval)

    def failed(self, name: str, now: float, delay: float | None = None) -> None:
        """Note a failure; `delay` is what the service asked for, in seconds."""
        count = self.failures[name] = self.failures.get(name, 0) + 1
        wait = min(LONGEST, self.interval * 2 ** min(count, 10))
        self.due_at[name] = now + max(self._jittered(wait), delay or 0.0)

    def wait(self, names: Iterable[str], now: float) -> float:
        """Return the seconds until the next connection is due."""
        return max(0.0, min((self.due_at.get(name, now) for name in names), default=now) - now)

    def _jittered(self, seconds: float) -> float:
        return seconds * self.chance.uniform(1 - JITTER, 1 + JITTER)
