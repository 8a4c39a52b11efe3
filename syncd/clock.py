"""The one place that reads the time of the machine."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue


class SystemClock:
    """Real time. `sleep` ends early, in every thread, once `stop` was called.

    The wake-up goes through a SimpleQueue and not through a threading.Event: `stop` is called from
    signal handlers, and an Event's lock may be held by the very frame the signal has interrupted,
    whereas SimpleQueue.put is documented to be reentrant.
    """

    def __init__(self) -> None:
        self._stopped = False
        self._bell: SimpleQueue[None] = SimpleQueue()

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds of a clock that never steps back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; returns early when `stop` is or was called."""
        if self._stopped or seconds <= 0:
            return
        try:
            self._bell.get(timeout=seconds)
        except Empty:
            return
        self._bell.put(None)  # for the other sleepers

    def stop(self) -> None:
        """End all sleeps, present and future. May be called from a signal handler."""
        self._stopped = True
        self._bell.put(None)

    @property
    def stopped(self) -> bool:
        """Tell whether `stop` was called."""
        return self._stopped
