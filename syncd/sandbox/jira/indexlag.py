"""The search index as it lags behind: what each issue looked like when it was last indexed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from syncd.sandbox.jira.model import Issue


class IndexLag:
    """The indexed form of every issue, `lag` milliseconds behind the issues themselves."""

    def __init__(self, lag: int, issues: Iterable[Issue]) -> None:
        self.lag = lag
        self.indexed = {issue.id: _copy(issue) for issue in issues}
        self._waiting: deque[tuple[int, Issue]] = deque()  # (when it is indexed, its form then)

    def changed(self, issue: Issue, now: int) -> None:
        """Note an issue that was made or changed."""
        self._waiting.append((now + self.lag, _copy(issue)))

    def catch_up(self, now: int) -> None:
        """Index everything whose time has come."""
        while self._waiting and self._waiting[0][0] <= now:
            form = self._waiting.popleft()[1]
            self.indexed[form.id] = form


def _copy(issue: Issue) -> Issue:
    return replace(
        issue, values=dict(issue.values), comments=list(issue.comments),
        histories=list(issue.histories), watchers=set(issue.watchers),
    )  # fmt: skip
