"""Tables in memory with transactions: what the store in memory stands on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import RLock
from typing import Any

from syncd.core.errors import StateError
from syncd.core.model import StoredRecord

_ABSENT = object()


def _nothing() -> None:
    """Let everything happen."""


@dataclass(slots=True)
class Tables:
    """What is durable. `tables` maps a table's name to its rows; `undo` leads back to the last commit."""

    tables: defaultdict[str, dict[Any, Any]] = field(default_factory=partial(defaultdict, dict))
    undo: list[tuple[str, Any, Any]] = field(default_factory=list)
    locked: bool = False

    def committed(self) -> dict[str, dict[Any, Any]]:
        """Return a copy of the tables without the transaction that is under way."""
        tables = {name: dict(rows) for name, rows in self.tables.items()}
        _back(tables, self.undo, 0)
        return tables


def _back(tables: dict[str, dict[Any, Any]], undo: Sequence[tuple[str, Any, Any]], to: int) -> None:
    for table, key, old in reversed(undo[to:]):
        if old is _ABSENT:
            tables[table].pop(key, None)
        else:
            tables[table][key] = old


class Rows:
    """Tables with transactions."""

    def __init__(self, disk: Tables, *, read_only: bool = False) -> None:
        self.disk = disk
        self.read_only = read_only
        self.before_commit: Callable[[], None] = _nothing  # for tests: the process may end here
        self.after_commit: Callable[[], None] = _nothing
        self._guard = RLock()
        self._depth = 0
        self._view: dict[str, dict[Any, Any]] | None = None

    @property
    def in_transaction(self) -> bool:
        """Tell whether something is not committed yet."""
        return self._depth > 0

    def transaction(self) -> Transaction:
        """Group calls into one transaction; one inside another can be undone alone."""
        return Transaction(self)

    def _begin(self) -> int:
        self._guard.acquire()
        if self.read_only and not self._depth:
            self._view = self.disk.committed()
        self._depth += 1
        return len(self.disk.undo)

    def _end(self, start: int, *, failed: bool) -> None:
        """Commit the outermost transaction, or undo this one; raises what `before_commit` raises."""
        disk = self.disk
        try:
            if not failed and self._depth == 1 and disk.undo:
                failed = True
                self._check_links()
                self.before_commit()
                failed = False
        finally:
            if failed:
                _back(disk.tables, disk.undo, start)
                del disk.undo[start:]
            self._depth -= 1
            wrote = not self._depth and bool(disk.undo)
            if not self._depth:
                self._view = None
                disk.undo.clear()
            self._guard.release()
        if wrote:
            self.after_commit()

    def _check_links(self) -> None:
        items = self._rows("items")
        for table, key, _old in self.disk.undo:
            if table != "records":
                continue
            stored = self._rows("records").get(key)
            if stored is not None and stored.item is not None and stored.item not in items:
                raise StateError(f"record {key} is linked to {stored.item}, which does not exist")

    def _rows(self, table: str) -> dict[Any, Any]:
        if not self.read_only:
            return self.disk.tables[table]
        tables = self._view if self._view is not None else self.disk.committed()
        return tables.get(table, {})

    def _put(self, table: str, key: object, value: object) -> None:
        if self.read_only:
            raise StateError("this state in memory is open for reading only")
        if not self._depth:
            with self.transaction():
                self._put(table, key, value)
            return
        rows = self._rows(table)
        self.disk.undo.append((table, key, rows.get(key, _ABSENT)))
        rows[key] = value

    def _drop(self, table: str, key: object) -> None:
        if key not in self._rows(table):
            return
        with self.transaction():
            self._put(table, key, self._rows(table)[key])
            del self._rows(table)[key]

    def _append(self, table: str, value: object) -> None:
        self._put(table, len(self._rows(table)), value)

    def close(self) -> None:
        """Let another store be opened."""
        if not self.read_only:
            self.disk.locked = False


class Transaction:
    """A transaction on tables, as a context manager."""

    __slots__ = ("_rows", "_start")

    def __init__(self, rows: Rows) -> None:
        self._rows, self._start = rows, 0

    def __enter__(self) -> None:
        self._start = self._rows._begin()  # noqa: SLF001 - the two are one

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self._rows._end(self._start, failed=kind is not None)  # noqa: SLF001


def live(stored: StoredRecord) -> bool:
    """Tell whether a record is neither known to be gone nor in the trash."""
    return not stored.record.trashed and stored.gone_since is None
