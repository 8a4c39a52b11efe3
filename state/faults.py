"""SQLite's errors as the state's errors: each one sentence with the way out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from syncd.core.errors import Damaged, Full, Locked, StateError

DriverError = (DBAPIError, sqlite3.Error)
"""What the driver raises, with and without SQLAlchemy's wrapping."""

WAY_OUT = (
    "restore a backup with `syncd state restore`, or move the file away to begin anew "
    "from what the tools hold"
)

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def damaged(path: Path, what: str) -> Damaged:
    """Return the error for a file that cannot be trusted."""
    return Damaged(f"the state file {path} is damaged ({what}): {WAY_OUT}")


def unwritable(path: Path, error: OSError) -> Full:
    """Return the error for a file that the system does not let us write."""
    return Full(
        f"{path} cannot be written ({error.strerror}): make the file and its folder writable for "
        "the user syncd runs as, with space left on the disk"
    )


def state_error(path: Path, error: BaseException) -> StateError:
    """Return what an error of the driver means for whoever runs syncd."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Full(
            f"the state file {path} cannot grow because the disk is full: free some space "
            "(nothing was half-written)"
        )
    if code in _UNWRITABLE:
        return Full(
            f"the state file {path} cannot be written ({original}): make the file and its folder "
            "writable for the user syncd runs as"
        )
    if code in _DAMAGE:
        return damaged(path, str(original))
    if code == sqlite3.SQLITE_IOERR:
        return Damaged(
            f"the disk failed under the state file {path} ({original}): check the disk and the "
            "system log, then start syncd again"
        )
    if code in _BUSY:
        return Locked(
            f"the state file {path} is held by another program for more than 10 seconds: "
            "stop that program and try again"
        )
    return _bug(path, original)


def _bug(path: Path, original: BaseException | None) -> StateError:
    if isinstance(original, sqlite3.IntegrityError):
        return StateError(
            f"the state file {path} refused contradictory data ({original}), nothing of that "
            "transaction was kept: please report this as a bug of syncd"
        )
    return StateError(
        f"the state file {path} did not take a statement ({original}): please report this as a bug "
        "of syncd"
    )


def final(error: StateError) -> bool:
    """Tell whether the file must not be touched again before a person has looked.

    A sync of the disk that failed once may claim success the second time although the data is lost.
    """
    return isinstance(error, Damaged)
