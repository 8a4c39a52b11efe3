"""Backup, verification and restoring of a state file. Only restoring needs the daemon to stop."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from state import epoch, lock, store
from state.content import content_digest
from state.copying import copy
from state.encode import digest, unharmed
from state.faults import DriverError, damaged, state_error, unwritable
from state.progress import read_document
from state.store import SqlStore
from state.tables import SCHEMA
from syncd.clock import SystemClock
from syncd.core.errors import Damaged, StateError, UserError
from syncd.core.ports import Clock


@dataclass(frozen=True, slots=True)
class Verified:
    """What a state file that passed all checks holds."""

    schema: int
    items: int
    records: int
    history: int
    cycle: int  # number of the last cycle begun
    content: str  # digest of what is remembered, see state.content


def backup(path: Path, to: Path) -> Verified:
    """Write a complete, checked copy of a state file, also while a daemon uses it.

    UserError when `to` exists; nothing is left there when anything fails.
    """
    if to.exists():
        raise UserError(f"{to} exists already: choose another name for the backup")
    if not path.exists():
        raise StateError(f"there is no state file {path} to back up: check the path")
    store.inspect(path).close()  # what is no state, or a newer one, is refused before it is copied
    with _opened(path) as source, _new_file(to) as draft:
        copy(source, draft)
        _seal(draft)
        verified = verify(draft, named=path)
        draft.replace(to)
    _sync_folder(to)
    return verified


def verify(path: Path, *, named: Path | None = None) -> Verified:
    """Check everything that can be checked in a state file; Damaged names what is wrong, and `named`.

    Looks at the database's pages and references, at the fingerprint of every record, the seals of
    items and cells, the form of documents, the chain of the history, and in a backup at the seal over
    everything it remembers. A file of an older syncd is taken too.
    """
    name = named or path
    with closing(store.inspect(path, name)) as opened, _opened(path) as driver:
        try:
            _check_database(name, driver)
            _check_records(name, driver)
            if _schema(driver) == SCHEMA:
                _check_cells(name, driver)
                _check_items(name, driver)
                _check_documents(name, driver)
            _check_seal(name, driver)
            return _summary(driver, opened)
        except DriverError as error:
            raise state_error(name, error) from error


def restore(source: Path, to: Path, *, clock: Clock | None = None) -> Verified:
    """Put a backup in the place of a state file, which is kept beside it: see `kept`.

    A new epoch begins: all is forgotten of how far the tools have been read, so that everything is
    read before anything is written, and what happened since the backup is found in the tools
    (`syncd.engine.epoch`). Raises Locked while a daemon uses `to`, which is untouched when anything
    fails.
    """
    if not source.exists():
        raise UserError(f"there is no backup {source}: check the path")
    if to.exists() and source.samefile(to):
        raise UserError(f"{source} is the state in use: give the file of a backup")
    verify_backup(source)
    held = lock.acquire(to, (clock or SystemClock()).now())
    try:
        with _opened(source) as driver, _new_file(to) as draft:
            copy(driver, draft)
            _begin_epoch(draft)
            verified = verify(draft, named=source)
            _keep(to)
            draft.replace(to)
        epoch.note_path(to).unlink(missing_ok=True)
        _sync_folder(to)
    finally:
        held.release()
    return verified


def verify_backup(source: Path) -> Verified:
    """Verify a file beside the state; Damaged in words that nobody takes for a fault of the state."""
    try:
        return verify(source)
    except Damaged as error:
        what = str(error).partition(" is damaged (")[2].partition("): ")[0]
        raise Damaged(
            f"the backup {source} is damaged ({what}); nothing was changed, and this says nothing of "
            f"the state in use: take another backup"
        ) from None


def declare(path: Path, *, clock: Clock | None = None) -> Verified:
    """Begin a new epoch in a state that was put back without `restore`, such as a snapshot's.

    Raises Locked while a daemon uses it, and StateError when there is none.
    """
    verify(path)
    held = lock.acquire(path, (clock or SystemClock()).now())
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as driver:
            epoch.begin(driver)
        epoch.note_path(path).unlink(missing_ok=True)
    except DriverError as error:
        raise state_error(path, error) from error
    finally:
        held.release()
    return verify(path)


def _check_database(path: Path, driver: sqlite3.Connection) -> None:
    (verdict,) = driver.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise damaged(path, str(verdict))
    lost = driver.execute("PRAGMA foreign_key_check").fetchone()
    if lost is not None:
        raise damaged(path, f"row {lost[1]} of {lost[0]} refers to a row of {lost[2]} that is gone")


def _check_records(path: Path, driver: sqlite3.Connection) -> None:
    rows = driver.execute("SELECT connection, record, fingerprint, payload FROM records")
    for connection, record, fingerprint, payload in rows:
        if digest(payload.encode()) != fingerprint:
            raise damaged(path, f"record {record} of {connection} is not what was stored")


def _check_cells(path: Path, driver: sqlite3.Connection) -> None:
    for connection, record, cells in driver.execute(
        "SELECT connection, record, cells FROM records"
    ):
        if not unharmed(cells, connection, record):
            raise damaged(
                path, f"what is known of record {record} of {connection} is not what was stored"
            )


def _check_items(path: Path, driver: sqlite3.Connection) -> None:
    query = "SELECT payload, id, level, origin, parent, version FROM items"
    for payload, *columns in driver.execute(query):
        if not unharmed(payload, *columns):
            raise damaged(path, f"item {columns[0]} is not what was stored")


def _check_documents(path: Path, driver: sqlite3.Connection) -> None:
    for name, payload in driver.execute("SELECT name, payload FROM documents"):
        read_document(path, name, payload)


def _schema(driver: sqlite3.Connection) -> int:
    (schema,) = driver.execute("PRAGMA user_version").fetchone()
    return int(schema)


def _seal(path: Path) -> None:
    """Note in a backup a digest of what it remembers: no bit of that may change from now on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        sealed = content_digest(driver)
        driver.execute("INSERT OR REPLACE INTO meta VALUES ('seal', ?)", (sealed,))


def _check_seal(path: Path, driver: sqlite3.Connection) -> None:
    row = driver.execute("SELECT value FROM meta WHERE name = 'seal'").fetchone()
    if row is not None and row[0] != content_digest(driver):
        raise damaged(path, "it is not what was backed up")


def _summary(driver: sqlite3.Connection, opened: SqlStore) -> Verified:
    (records,) = driver.execute("SELECT count(*) FROM records").fetchone()
    cycle = driver.execute("SELECT value FROM meta WHERE name = 'cycle'").fetchone()
    return Verified(
        schema=_schema(driver),
        items=opened.item_count(),
        records=records,
        history=opened.verify_history(),
        cycle=int(cycle[0]) if cycle else 0,
        content=content_digest(driver),
    )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open for reading, in the driver itself."""
    try:
        with closing(
            sqlite3.connect(store.file_uri(path, "ro"), uri=True, isolation_level=None, timeout=10)
        ) as driver:
            yield driver
    except DriverError as error:
        raise state_error(path, error) from error


@contextmanager
def _new_file(to: Path) -> Iterator[Path]:
    """Give a name beside `to` to write to; whatever is left there at the end is removed."""
    draft = to.with_name(f"{to.name}.new-{os.getpid()}")
    try:
        yield draft
    except OSError as error:
        raise unwritable(to, error) from error
    finally:
        for leftover in ("", "-journal", "-wal", "-shm"):
            Path(f"{draft}{leftover}").unlink(missing_ok=True)


def _begin_epoch(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        epoch.begin(driver)
        driver.execute("DELETE FROM meta WHERE name = 'seal'")
        driver.execute("PRAGMA journal_mode = DELETE")


def _keep(to: Path) -> None:
    """Set the present state aside, with what its log holds, and leave no log to be mistaken."""
    if not to.exists():
        return
    kept = next_kept(to)
    kept.hardlink_to(to)
    for suffix in ("-wal", "-shm"):
        if Path(f"{to}{suffix}").exists():
            Path(f"{to}{suffix}").replace(f"{kept}{suffix}")


def next_kept(to: Path) -> Path:
    """Return where the next restore puts the present state: never over one that was kept before."""
    numbers = itertools.count(2)
    kept = Path(f"{to}.replaced")
    while any(Path(f"{kept}{suffix}").exists() for suffix in ("", "-wal", "-shm")):
        kept = Path(f"{to}.replaced-{next(numbers)}")
    return kept


def _sync_folder(to: Path) -> None:
    descriptor = os.open(to.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
