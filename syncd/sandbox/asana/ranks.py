"""Sorted collections that a page can be cut from without walking what comes before it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any

Key = tuple[Any, str]  # (rank or moment, gid)
GAP = 1 << 20


class Ranked:
    """A sorted list of (rank, gid). Insert, remove and cut: a binary search and one memory move."""

    __slots__ = ("keys",)

    def __init__(self) -> None:
        self.keys: list[Key] = []

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, rank: Any, gid: str) -> None:  # noqa: ANN401 - numbers or moments
        """Put a gid in; appending to the end is the fast case."""
        key = (rank, gid)
        if not self.keys or self.keys[-1] < key:
            self.keys.append(key)
        else:
            insort(self.keys, key)

    def discard(self, rank: Any, gid: str) -> None:  # noqa: ANN401
        """Take a gid out, if it is there under this rank."""
        at = bisect_left(self.keys, (rank, gid))
        if at < len(self.keys) and self.keys[at] == (rank, gid):
            del self.keys[at]

    def after(self, key: Key | None) -> Iterator[Key]:
        """Yield the keys behind `key`, or all."""
        at = 0 if key is None else bisect_right(self.keys, key)
        while at < len(self.keys):
            yield self.keys[at]
            at += 1

    def since(self, rank: Any) -> list[Key]:  # noqa: ANN401
        """Return the keys at or above a rank."""
        return self.keys[bisect_left(self.keys, (rank, "")) :]

    def top(self) -> int:
        """Return a rank before everything."""
        return self.keys[0][0] - GAP if self.keys else 0

    def bottom(self) -> int:
        """Return a rank behind everything."""
        return self.keys[-1][0] + GAP if self.keys else 0

    def neighbour(self, rank: int, gid: str, *, before: bool) -> int | None:
        """Return a free rank right before or after a member; None when there is no room left."""
        at = bisect_left(self.keys, (rank, gid))
        other = at - 1 if before else at + 1
        if other < 0:
            return rank - GAP
        if other >= len(self.keys):
            return rank + GAP
        found = (rank + int(self.keys[other][0])) // 2
        return found if found not in {rank, self.keys[other][0]} else None

    def respread(self) -> list[Key]:
        """Give every member a new rank with room between them; return the new keys."""
        self.keys = [(at * GAP, gid) for at, (_rank, gid) in enumerate(self.keys)]
        return self.keys
