"""The state file: opened, checked, and everything it remembers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import StaticPool, create_engine

from state import epoch, lock, migrate
from state.copying import copy
from state.facts import Facts
from state.faults import DriverError, damaged, state_error, unwritable
from state.history import History
from state.items import Items
from state.journal import Journal
from state.lock import StateLock
from state.observations import Observations
from state.progress import Progress
from state.session import Handle, file_identity
from state.tables import APPLICATION_ID, SCHEMA
from syncd.clock import SystemClock
from syncd.core.errors import Full, StateError, TooNew
from syncd.core.ports import Clock, Store

MEMORY = Path(":memory:")
OLDEST_SQLITE = (3, 37, 0)  # the first with STRICT tables

_PRAGMAS: tuple[str, ...] = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864",  # the write-ahead log shrinks to 64 MiB after a peak
)


class SqlStore(Observations, Items, Journal, Facts, History, Progress):
    """Everything remembered, in one SQLite file. Made by `open`; a `core.ports.Store`."""

    def __init__(self, handle: Handle, held: StateLock | None = None) -> None:
        super().__init__(handle)
        self._held = held
        self._closed = False

    def next_cycle(self) -> int:
        """Return the number for a new cycle, and note beside the state how far it has come."""
        with self._guard:
            number = super().next_cycle()
            if self._held is not None:
                epoch.note(self._handle.driver, self.path)
        return number

    def close(self) -> None:
        """Release the file and its lock; the next opening needs no check. May be called twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            try:
                self._leave()
            finally:
                self._broken = StateError(f"the state file {self.path} has been closed")
                self._handle.close()
                if self._held is not None:
                    self._held.release()

    def _leave(self) -> None:
        """Note that all is well. Where that cannot be written, the next opening checks the file."""
        with suppress(StateError, *DriverError):
            if self._handle.in_transaction:
                self._handle.driver.rollback()
            if self._broken is None and self._held is not None:
                self._save_meta("clean", "1")


def open(  # noqa: A001 - read as state.store.open
    path: Path, *, read_only: bool = False, beside: bool = False, clock: Clock | None = None
) -> SqlStore:
    """Open a state file, creating or migrating it as needed; `:memory:` is forgotten at the end.

    A reader (`read_only`) needs no lock and sees what a running daemon commits. `beside` is for one
    small write while a daemon may hold the lock: it takes none, migrates nothing, and leaves the
    note whether the file needs a check to the holder. Raises Locked, TooNew, Damaged or Full, and
    StateError when there is no file yet for those two, or one of an older schema. `clock` only
    dates the lock for people.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StateError(
            f"SQLite {sqlite3.sqlite_version} is too old for the state: use a Python with SQLite "
            f"{'.'.join(map(str, OLDEST_SQLITE))} or later"
        )
    if path == MEMORY:
        return SqlStore(_prepared(_handle(path, "file::memory:", read_only=False)))
    _check_path(path, must_exist=read_only or beside)
    if read_only:
        return SqlStore(_prepared(_handle(path, file_uri(path, "ro"), read_only=True)))
    if beside:
        handle = _handle(path, file_uri(path, "rw"), read_only=False)
        return SqlStore(_closed_on_error(handle, _prepare_current))
    held = lock.acquire(path, (clock or SystemClock()).now())
    try:
        return SqlStore(_prepared(_created(path)), held)
    except BaseException:
        held.release()
        raise


def inspect(path: Path, named: Path | None = None) -> SqlStore:
    """Open a state file for checks only: any schema this syncd knows of, nothing is written.

    Errors name it `named`: the file that a person knows, of which this one is a copy.
    """
    _check_path(path, must_exist=True)
    handle = _handle(named or path, file_uri(path, "ro"), read_only=True)
    return SqlStore(_closed_on_error(handle, _not_empty))


def _not_empty(handle: Handle) -> None:
    if _schema(handle) == 0:
        raise damaged(handle.path, "it is empty")


def _check_path(path: Path, *, must_exist: bool) -> None:
    if path.is_dir():
        raise StateError(f"the state file {path} is a folder: name a file in it")
    if must_exist and not path.exists():
        raise StateError(f"there is no state file {path} yet: run `syncd run --once` first")
    if not path.parent.is_dir():
        raise Full(f"the folder {path.parent} of the state file does not exist: create it")


def _created(path: Path) -> Handle:
    """Open for writing; a new file is readable for its owner only."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise unwritable(path, error) from error
    return _handle(path, file_uri(path, "rw"), read_only=False)


def file_uri(path: Path, mode: str) -> str:
    """Return how SQLite names a file to open it for reading (ro) or writing (rw)."""
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


def _handle(path: Path, uri: str, *, read_only: bool) -> Handle:
    try:
        driver = sqlite3.connect(
            uri, uri=True, timeout=10.0, isolation_level=None, check_same_thread=False
        )
        engine = create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool)
        identity = None if path == MEMORY else file_identity(path)
        return Handle(engine.connect(), driver, path, read_only, identity)
    except DriverError as error:
        raise state_error(path, error) from error


def _prepared(handle: Handle) -> Handle:
    return _closed_on_error(handle, _prepare)


def _closed_on_error(handle: Handle, check: Callable[[Handle], object]) -> Handle:
    try:
        check(handle)
    except DriverError as error:
        handle.close()
        raise state_error(handle.path, error) from error
    except BaseException:
        handle.close()
        raise
    return handle


def _prepare_current(handle: Handle) -> None:
    """Prepare a file that has to be of the current schema, for it is not ours to migrate."""
    schema = _schema(handle)
    for pragma in _PRAGMAS:
        handle.driver.execute(pragma)
    if schema == 0:
        raise StateError(
            f"there is nothing in the state file {handle.path} yet: run `syncd run --once` first"
        )
    if schema < SCHEMA:
        raise StateError(
            f"the state file {handle.path} has schema {schema} of an older syncd, this one "
            f"uses {SCHEMA}: start the daemon once, it migrates the file"
        )


def _prepare(handle: Handle) -> None:
    if handle.read_only:
        _prepare_current(handle)
        return
    schema = _schema(handle)
    for pragma in _PRAGMAS:
        handle.driver.execute(pragma)
    handle.driver.execute("PRAGMA journal_mode = WAL")
    if schema < SCHEMA:
        _bring_up_to_date(handle, schema)
    _check_after_crash(handle)
    epoch.check(handle.driver, handle.path)


def _schema(handle: Handle) -> int:
    """Return the schema of the file, 0 when it is new, before anything in it is touched."""
    (application,) = handle.driver.execute("PRAGMA application_id").fetchone()
    (schema,) = handle.driver.execute("PRAGMA user_version").fetchone()
    (tables,) = handle.driver.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID:
        if tables:
            raise damaged(handle.path, "it is not a state file of syncd")
        return 0
    if schema > SCHEMA:
        raise TooNew(
            f"the state file {handle.path} was written by a newer syncd (schema {schema}, this one "
            f"knows {SCHEMA}): install that version or restore a backup"
        )
    return int(schema)


def _bring_up_to_date(handle: Handle, schema: int) -> None:
    if schema:
        _keep_copy(handle, schema)
        migrate.upgrade(handle.connection)
    else:
        migrate.create(handle.connection)


def _keep_copy(handle: Handle, schema: int) -> None:
    """Keep the file as it was, for a way back to the older version."""
    copy(handle.driver, Path(f"{handle.path}.schema-{schema}"))


def _check_after_crash(handle: Handle) -> None:
    """Check the whole file when the last run did not end properly: seconds for a gigabyte."""
    clean = handle.driver.execute("SELECT value FROM meta WHERE name = 'clean'").fetchone()
    if clean == ("0",):
        (verdict,) = handle.driver.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(handle.path, str(verdict))
    handle.driver.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")
    handle.driver.execute("DELETE FROM meta WHERE name = 'seal'")  # a backup's, until it is used


if TYPE_CHECKING:
    _keeps_the_contract: Callable[[Handle], Store] = SqlStore
