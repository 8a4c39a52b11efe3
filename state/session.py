"""One connection to the state file, shared by all threads, and its transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from sqlalchemy import Connection, Executable

from state.faults import DriverError, damaged, final, state_error
from syncd.core.errors import StateError

CHUNK = 500
"""How many ids one statement takes."""

AnyRow = Sequence[Any]
"""A row of a result."""
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Handle:
    """An open state file: SQLAlchemy's connection, the driver's below it, and where the file is."""

    connection: Connection
    driver: sqlite3.Connection
    path: Path
    read_only: bool
    identity: tuple[int, int] | None  # device and inode; None in memory

    @property
    def in_transaction(self) -> bool:
        """Tell whether SQLite is in a transaction; not when the file is closed."""
        try:
            return self.driver.in_transaction
        except sqlite3.ProgrammingError:
            return False

    def close(self) -> None:
        """Close the file, whatever state it is in."""
        with suppress(*DriverError):
            self.connection.close()
        self.driver.close()


class Session:
    """Statements and transactions on one connection, one thread at a time.

    `transaction` begins at once as a writer, so that it never fails half-way for want of the lock;
    inside another one it is a savepoint, so that a caller who goes on after an error finds either
    all of the inner block or nothing. After damage or a failing disk every further use raises.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._guard = RLock()
        self._depth = 0
        self._broken: StateError | None = None

    @property
    def path(self) -> Path:
        """Return where the state file is."""
        return self._handle.path

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group statements into one durable transaction; other threads wait until it ends."""
        with self._guard:
            depth = self._depth
            self._begin(depth)
            self._depth = depth + 1
            try:
                yield
                self._commit(depth)
            except BaseException:
                self._depth = depth
                self._undo(depth)
                raise
            self._depth = depth

    def _begin(self, depth: int) -> None:
        self._check_usable()
        if depth:
            self._control(f"SAVEPOINT s{depth}")
            return
        self._check_same_file()
        self._control("BEGIN" if self._handle.read_only else "BEGIN IMMEDIATE")

    def _commit(self, depth: int) -> None:
        self._check_usable()
        self._control(f"RELEASE s{depth}" if depth else "COMMIT")

    def _undo(self, depth: int) -> None:
        if not self._handle.in_transaction:
            return  # SQLite has undone everything by itself
        if depth:
            self._control(f"ROLLBACK TO s{depth}")
            self._control(f"RELEASE s{depth}")
        else:
            self._control("ROLLBACK")

    def _control(self, statement: str) -> None:
        try:
            self._handle.driver.execute(statement)
        except DriverError as error:
            raise self._failure(error) from error

    def _failure(self, error: BaseException) -> StateError:
        failure = state_error(self.path, error)
        if final(failure):
            self._broken = failure
        return failure

    def _check_usable(self) -> None:
        """Raise after damage; and in a transaction that SQLite has given up, until it ends.

        Statements would otherwise go on outside of any transaction.
        """
        if self._broken is not None:
            raise self._broken
        if self._depth and not self._handle.in_transaction:
            raise StateError(
                f"the transaction in the state file {self.path} was given up after an earlier "
                "failure: nothing of it was kept"
            )

    def _check_same_file(self) -> None:
        """Refuse to write into a file that was deleted or replaced under a running daemon."""
        if self._handle.identity is None or self._handle.read_only:
            return
        if file_identity(self.path) != self._handle.identity:
            self._broken = damaged(self.path, "it was deleted or replaced while syncd was using it")
            raise self._broken

    def _all(self, statement: Executable, parameters: Parameters = None) -> Sequence[AnyRow]:
        """Return all rows of a query."""
        with self._guard:
            self._check_usable()
            try:
                return self._handle.connection.execute(statement, parameters).all()
            except DriverError as error:
                raise self._failure(error) from error

    def _first(self, statement: Executable, parameters: Parameters = None) -> AnyRow | None:
        """Return the first row of a query, or None."""
        rows = self._all(statement, parameters)
        return rows[0] if rows else None

    def _do(self, statement: Executable, parameters: Parameters = None) -> int:
        """Execute a writing statement inside a transaction; returns how many rows it touched."""
        if self._handle.read_only:
            raise StateError(f"the state file {self.path} is open for reading only")
        with self._guard:
            if not self._depth:
                with self.transaction():
                    return self._do(statement, parameters)
            self._check_usable()
            try:
                return self._handle.connection.execute(statement, parameters).rowcount
            except DriverError as error:
                raise self._failure(error) from error


def chunks(ids: Collection[str]) -> Iterator[list[str]]:
    """Cut ids, without repeats and in order, into portions that one statement takes."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file, None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
