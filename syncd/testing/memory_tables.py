"""Tables in memory with transactions: what the store in memory stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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

    tables: dict[str, dict[Any, Any]] = field(default_factory=dict)
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

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group calls into one transaction; one inside another can be undone alone."""
        with self._guard:
            start = len(self.disk.undo)
            if self.read_only and not self._depth:
                self._view = self.disk.committed()
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._check_links()
                    self.before_commit()
            except BaseException:
                _back(self.disk.tables, self.disk.undo, start)
                del self.disk.undo[start:]
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._view = None
            if not self._depth:
                wrote = bool(self.disk.undo)
                self.disk.undo.clear()
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
            return self.disk.tables.setdefault(table, {})
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


def live(stored: StoredRecord) -> bool:
    """Tell whether a record is neither known to be gone nor in the trash."""
    return not stored.record.trashed and stored.gone_since is None
