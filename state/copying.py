"""Copying a database file while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from state.faults import DriverError, state_error, unwritable

_PAGES = 2_000
"""How many pages are copied in one go, between which a running daemon may write."""


def copy(source: sqlite3.Connection, to: Path) -> None:
    """Copy a database as of one moment into one file that needs no log beside it."""
    try:
        os.close(os.open(to, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        with closing(sqlite3.connect(to, isolation_level=None)) as target:
            source.backup(target, pages=_PAGES)
            target.execute("PRAGMA journal_mode = DELETE")
    except OSError as error:
        raise unwritable(to, error) from error
    except DriverError as error:
        raise state_error(to, error) from error
