"""The services' rate limiters: off by default, switched on and scaled as a whole.

The numbers stand here and nowhere else. Sources, as read in 2026: developer.atlassian.com
/cloud/jira/platform/rate-limiting (August), developers.asana.com/docs/rate-limits (June),
developers.notion.com/reference/request-limits (September). Not published, and so assumed: a bucket of
Jira's holds one second's worth; the body of its 429.

A scale of 1 means the services' numbers, 0.1 a tenth of them.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from syncd.sandbox.wire import Request, Response, json_response

# Jira: requests a second for the site, by endpoint and method; per issue (writes, seconds)
JIRA_PER_SECOND = {"GET": 100, "POST": 100, "PUT": 50, "DELETE": 50}
JIRA_SPECIAL = (
    ("GET", re.compile(r"/rest/api/[23]/issue/[^/]+"), 150),
    ("POST", re.compile(r"/rest/api/[23]/search/approximate-count"), 150),
    ("GET", re.compile(r"/rest/api/[23]/issue/[^/]+/changelog"), 200),
)
JIRA_PER_ISSUE = ((20, 2.0), (100, 30.0))
JIRA_NEAR = 0.2  # share of the bucket below which X-RateLimit-NearLimit is sent
# Asana: requests a minute for each token (paid, free), of search, and requests at the same time
ASANA_PAID, ASANA_FREE, ASANA_SEARCH = 1500, 150, 60
ASANA_READS_AT_ONCE, ASANA_WRITES_AT_ONCE = 50, 15
# Notion: requests in a fixed window for each connection
NOTION_REQUESTS, NOTION_WINDOW = 180, 60.0

_ISSUE = re.compile(r"/rest/api/[23]/issue/([^/]+)(?:/.*)?")
_NOT_ISSUES = frozenset({"bulk", "bulkfetch", "createmeta", "picker"})
_SPLIT = re.compile(r"(?<=/)(?:\d+|[A-Z][A-Z0-9_]+-\d+)(?=/|$)")


@dataclass(slots=True)
class _Bucket:
    level: float
    filled: float


@dataclass(slots=True)
class Limits:
    """All limiters. `scale` None: off."""

    scale: float | None = None
    at_once: int | None = None  # Asana: requests at the same time, in place of its own numbers
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)
    _writes: dict[str, deque[float]] = field(default_factory=dict)
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    _flying: dict[tuple[str, bool], int] = field(default_factory=dict)

    def set(self, scale: float | None) -> None:
        """Switch on at a scale above 0, or off with None or 0; raises ValueError below 0."""
        if scale is not None and not 0 <= scale < math.inf:
            raise ValueError(f"the scale of the limits must be 0 (off) or more, not {scale!r}")
        self.scale, self.at_once = scale or None, None
        for table in (self._buckets, self._writes, self._windows):
            table.clear()

    def check(
        self, service: str, request: Request, stand_in: Any, now: float  # noqa: ANN401
    ) -> Response | None:  # fmt: skip
        """Count a request; return the 429 when it is one too many."""
        if service == "asana":
            stand_in.limits.on = self.scale is not None
            stand_in.limits.scale = self.scale or 1.0
            return None
        if self.scale is None:
            return None
        if service == "jira":
            return self._jira(request, stand_in, now)
        return self._notion(request, now)

    def describe(
        self, service: str, request: Request, response: Response, now: float
    ) -> None:  # fmt: skip
        """Add the headers that tell a client how much is left (Jira)."""
        if self.scale is None or service != "jira":
            return
        key, rate = self._rate(request)
        bucket = self._buckets.get(key)
        if bucket is not None:
            response.headers.update(_jira_headers(bucket.level, rate, now))

    # Jira

    def _rate(self, request: Request) -> tuple[tuple[str, str], float]:
        scale = self.scale or 1.0
        endpoint = _SPLIT.sub("{id}", request.path)
        for method, path, rate in JIRA_SPECIAL:
            if request.method == method and path.fullmatch(request.path):
                return (method, endpoint), max(1.0, rate * scale)
        rate = JIRA_PER_SECOND.get(request.method, JIRA_PER_SECOND["GET"])
        return (request.method, endpoint), max(1.0, rate * scale)

    def _jira(self, request: Request, stand_in: Any, now: float) -> Response | None:  # noqa: ANN401
        key, rate = self._rate(request)
        bucket = self._buckets.setdefault(key, _Bucket(rate, now))
        bucket.level = min(rate, bucket.level + max(0.0, now - bucket.filled) * rate)
        bucket.filled = now
        if bucket.level < 1:
            wait = max(1, math.ceil((1 - bucket.level) / rate))
            return _jira_refusal("jira-burst-based", wait, bucket.level, rate, now)
        bucket.level -= 1
        return self._jira_issue(request, stand_in, now)

    def _jira_issue(
        self, request: Request, stand_in: Any, now: float  # noqa: ANN401
    ) -> Response | None:  # fmt: skip
        match = _ISSUE.fullmatch(request.path)
        if request.method == "GET" or match is None or match[1] in _NOT_ISSUES:
            return None
        issue = stand_in.store.find_issue(match[1])
        if issue is None:
            return None
        written = self._writes.setdefault(str(issue.id), deque())
        while written and written[0] <= now - JIRA_PER_ISSUE[-1][1]:
            written.popleft()
        for most, seconds in JIRA_PER_ISSUE:
            allowed = max(1, int(most * (self.scale or 1.0)))
            recent = [moment for moment in written if moment > now - seconds]
            if len(recent) >= allowed:
                wait = max(1, math.ceil(recent[-allowed] + seconds - now))
                return _jira_refusal("jira-per-issue-on-write", wait, 0, allowed, now)
        written.append(now)
        return None

    # Notion

    def _notion(self, request: Request, now: float) -> Response | None:
        token = request.headers.get("authorization", "")
        start, count = self._windows.get(token, (now, 0))
        if now - start >= NOTION_WINDOW:
            start, count = now, 0
        self._windows[token] = (start, count + 1)
        if count < max(1, int(NOTION_REQUESTS * (self.scale or 1.0))):
            return None
        wait = str(max(1, math.ceil(start + NOTION_WINDOW - now)))
        body = {
            "object": "error",
            "status": 429,
            "code": "rate_limited",
            "message": "You have been rate limited. Please try again in a few minutes.",
            "additional_data": {
                "rate_limit_reason": "public_api_request_rate_limit",
                "retry_after": wait,
            },
        }
        return json_response(body, 429, {"retry-after": wait})

    # requests at the same time (Asana): only a server has those

    def enter(self, service: str, request: Request) -> Response | None:
        """Count a request as under way; return the 429 when too many are. Call `leave` in any case."""
        if service != "asana":
            return None
        reads = request.method == "GET"
        key = (request.headers.get("authorization", ""), reads)
        weight = self._flying[key] = self._flying.get(key, 0) + 1
        most = ASANA_READS_AT_ONCE if reads else ASANA_WRITES_AT_ONCE
        if self.scale is not None:
            most = max(1, int(most * self.scale))
        if self.at_once is not None:
            most = self.at_once
        elif self.scale is None:
            return None
        if weight <= most:
            return None
        said = "You have too many requests in flight. Please retry after the given amount of time."
        body = {"errors": [{"message": said, "help": "https://developers.asana.com/docs/errors"}]}
        return json_response(body, 429, {"retry-after": "1"})

    def leave(self, service: str, request: Request) -> None:
        """Count a request as answered."""
        if service == "asana":
            key = (request.headers.get("authorization", ""), request.method == "GET")
            self._flying[key] -= 1
            if not self._flying[key]:
                del self._flying[key]


def _jira_headers(level: float, rate: float, now: float) -> dict[str, str]:
    reset = datetime.fromtimestamp(now + (rate - level) / rate, UTC)
    headers = {
        "x-ratelimit-limit": str(int(rate)),
        "x-ratelimit-remaining": str(int(level)),
        "x-ratelimit-reset": reset.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if level < rate * JIRA_NEAR:
        headers["x-ratelimit-nearlimit"] = "true"
    return headers


def _jira_refusal(reason: str, wait: int, level: float, rate: float, now: float) -> Response:
    headers = {
        **_jira_headers(level, rate, now),
        "retry-after": str(wait),
        "ratelimit-reason": reason,
    }
    body = {"errorMessages": ["Rate limit exceeded."], "errors": {}}
    return json_response(body, 429, headers)
