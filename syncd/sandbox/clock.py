"""The sandbox's one clock: real, offset, frozen or stepped."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SandboxClock:
    """Seconds since the epoch, under control. Frozen when `frozen` is set; else real time plus `offset`."""

    def __init__(self, *, frozen: float | None = None, offset: float = 0.0) -> None:
        self.frozen = frozen
        self.offset = offset

    def now(self) -> float:
        """Return the sandbox's time."""
        return self.frozen if self.frozen is not None else time.time() + self.offset  # noqa: TID251

    def set(self, moment: float) -> None:
        """Go to a moment; keeps running from there unless frozen."""
        if self.frozen is not None:
            self.frozen = moment
        else:
            self.offset = moment - time.time()  # noqa: TID251

    def step(self, seconds: float) -> None:
        """Go forward."""
        self.set(self.now() + seconds)

    def freeze(self) -> None:
        """Stop at the present moment."""
        self.frozen = self.now()

    def run(self) -> None:
        """Go on in real time from the present moment."""
        moment, self.frozen = self.now(), None
        self.set(moment)

    def utc(self) -> datetime:
        """Return the sandbox's time as an aware datetime."""
        return datetime.fromtimestamp(self.now(), UTC)
