"""Which issues hold which value of a field: built at the first question, kept up to date since."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from syncd.sandbox.jira.model import Issue

Read = Callable[[Issue], tuple[Hashable, ...]]
EMPTY: tuple[Hashable, ...] = (None,)  # what an issue without a value is listed under
NOBODY: frozenset[int] = frozenset()


class Postings:
    """Issue ids by value, for the fields that queries have asked for."""

    def __init__(self) -> None:
        self._read: dict[str, Read] = {}
        self._lists: dict[str, dict[Hashable, set[int]]] = {}
        self._held: dict[str, dict[int, tuple[Hashable, ...]]] = {}

    def holders(
        self, name: str, read: Read, issues: Iterable[Issue], value: Hashable
    ) -> set[int] | frozenset[int]:
        """Return the ids of the issues that hold a value (None: no value) of a field."""
        if name not in self._lists:
            self._read[name], self._lists[name], self._held[name] = read, {}, {}
            for issue in issues:
                self._put(name, issue)
        return self._lists[name].get(value, NOBODY)

    def put(self, issue: Issue) -> None:
        """Note an issue's present values; call after every change of an issue."""
        for name in self._lists:
            self._put(name, issue)

    def _put(self, name: str, issue: Issue) -> None:
        held, lists = self._held[name], self._lists[name]
        new, old = self._read[name](issue) or EMPTY, held.get(issue.id)
        if new == old:
            return
        for value in old or ():
            lists[value].discard(issue.id)
        for value in new:
            lists.setdefault(value, set()).add(issue.id)
        held[issue.id] = new

    def drop(self, issue_id: int) -> None:
        """Forget an issue."""
        for name, held in self._held.items():
            for value in held.pop(issue_id, ()):
                self._lists[name][value].discard(issue_id)

    def clear(self) -> None:
        """Forget everything."""
        self._read.clear()
        self._lists.clear()
        self._held.clear()
