"""The sandbox's one clock: real, offset, frozen or stepped."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_YEAR_9999 = 253_370_764_800.0


class SandboxClock:
    """Seconds since the epoch, under control. Frozen when `frozen` is set; else real time plus `offset`."""

    def __init__(self, *, frozen: float | None = None, offset: float = 0.0) -> None:
        self.frozen = frozen
        self.offset = offset

    def now(self) -> float:
        """Return the sandbox's time."""
        return self.frozen if self.frozen is not None else time.time() + self.offset  # noqa: TID251

    def set(self, moment: float) -> None:
        """Go to a moment; keeps running from there unless frozen. Raises ValueError before 1970, after 9999."""
        if not 0 <= moment < _YEAR_9999:
            raise ValueError(f"the clock goes from 1970 to the end of 9998, not to {moment:g}")
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


class ServiceClock(SandboxClock):
    """One service's clock: the sandbox's, or as wrong as `skew` makes it."""

    def __init__(self, base: SandboxClock) -> None:
        self._base = base
        self._ahead = 0.0
        self._drift = 0.0  # seconds an hour
        self._since = 0.0

    @property
    def frozen(self) -> float | None:  # type: ignore[override]
        """Return the moment at which the clock stands, or None."""
        return None if self._base.frozen is None else self.now()

    def now(self) -> float:
        """Return the service's time."""
        moment = self._base.now()
        if not self._ahead and not self._drift:
            return moment
        return moment + self._ahead + self._drift * (moment - self._since) / 3600

    def skew(self, ahead: float, drift: float = 0.0) -> None:
        """Go so many seconds ahead of the sandbox's clock, and drift so many an hour."""
        self._ahead, self._drift, self._since = ahead, drift, self._base.now()

    def set(self, moment: float) -> None:
        """Go to a moment, with the sandbox's clock."""
        self._base.step(moment - self.now())

    def freeze(self) -> None:
        """Stop the sandbox's clock."""
        self._base.freeze()

    def run(self) -> None:
        """Let the sandbox's clock go on."""
        self._base.run()
