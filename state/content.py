"""One digest over everything a state file remembers: equal digests, nothing was learnt or decided.

Left out is what every reading moves: the numbers and reports of cycles, how far, when and with what
count a scope was read, and when a full read last listed a record.
"""

from __future__ import annotations

import hashlib
import sqlite3

_MOVED_BY_READING = frozenset({"cycles", "sightings", "meta", "sqlite_sequence"})
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
_CURSORS = (
    "SELECT connection, scope, json_extract(payload, '$.filled', '$.frozen') "
    "FROM cursors ORDER BY connection, scope"
)


def content_digest(driver: sqlite3.Connection) -> str:
    """Return 32 hexadecimal digits; driver's errors pass through."""
    total = hashlib.blake2b(digest_size=16)
    tables = [row[0] for row in driver.execute(_TABLES) if row[0] not in _MOVED_BY_READING]
    for name in tables:
        query = _CURSORS if name == "cursors" else f"SELECT * FROM {name} ORDER BY rowid"  # noqa: S608
        total.update(name.encode())
        for row in driver.execute(query):
            total.update(repr(row).encode())
    return total.hexdigest()
