"""The service's rate limits: requests a minute for each token, fewer for search.

Off until switched on. A request that is refused counts as well, as the vendor says, so a client
that keeps asking stays refused.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from syncd.sandbox.asana.errors import ApiError
from syncd.sandbox.limits import ASANA_PAID, ASANA_SEARCH

MINUTE = 60.0
SENTENCE = (
    "You've made too many requests and hit a rate limit. "
    "Please retry after the given amount of time."
)


@dataclass(slots=True)
class Limits:
    """Counts requests over the last minute. `scale` makes the limits smaller for tests."""

    on: bool = False
    scale: float = 1.0
    per_minute: int = ASANA_PAID
    search_per_minute: int = ASANA_SEARCH
    _asked: dict[str, deque[float]] = field(default_factory=dict)

    def count(self, token: str, path: str, now: float) -> None:
        """Count a request; raise the 429 when there were too many."""
        if not self.on or path.endswith("/batch"):  # the actions of a batch count, one by one
            return
        self._count(token, self.per_minute, now)
        if path.endswith("/tasks/search"):
            self._count(f"{token} search", self.search_per_minute, now)

    def _count(self, key: str, most: int, now: float) -> None:
        asked = self._asked.setdefault(key, deque())
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        asked.append(now)
        allowed = max(1, int(most * self.scale))
        if len(asked) > allowed:
            wait = asked[len(asked) - allowed] + MINUTE - now
            refusal = ApiError(429, SENTENCE)
            refusal.headers["retry-after"] = str(max(1, math.ceil(wait)))
            raise refusal
