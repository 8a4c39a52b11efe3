"""How a state knows that it is an older one, however it was put in its place.

Each state file has an epoch, a random name. `<state>.epoch` beside it says which epoch was last at work
here, and its last cycle; it is written after the state, so it is never ahead of it. A state that is behind
it, or of another epoch, was put back by somebody: with that a new epoch begins, and the engine reads
everything before it writes anything (`syncd.engine.epoch`).
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from state.encode import dumps

_READ_ANEW = (
    "UPDATE cursors SET payload = json_remove(payload, '$.cursor', '$.full_at')",
    # blocks that were written since have to be found again by who made them
    """UPDATE documents SET payload = json_set(payload, '$.busy', json('true'))
       WHERE name LIKE 'page:%' AND json_type(payload) = 'object'""",
    "INSERT OR REPLACE INTO documents VALUES ('resurvey', 'true')",
)
_META = "SELECT value FROM meta WHERE name = ?"
_SAVE_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"


def begin(driver: sqlite3.Connection) -> None:
    """Begin a new epoch of a state that was put back: all is forgotten of how far was read."""
    driver.execute("BEGIN IMMEDIATE")
    for statement in _READ_ANEW:
        driver.execute(statement)
    epoch = token_hex(8)
    driver.execute(_SAVE_META, ("epoch", epoch))
    told = dumps({"epoch": epoch}).decode()
    driver.execute("INSERT OR REPLACE INTO documents VALUES ('restored', ?)", (told,))
    driver.execute("COMMIT")


def check(driver: sqlite3.Connection, path: Path) -> None:
    """Give a new state its epoch, and begin a new one when this state is not the one last at work."""
    epoch, cycle = _at_work(driver)
    if epoch is None:
        driver.execute(_SAVE_META, ("epoch", token_hex(8)))
    seen = _noted(path)
    if seen is not None and cycle and (seen[0] != epoch or seen[1] > cycle):
        begin(driver)


def note(driver: sqlite3.Connection, path: Path) -> None:
    """Say beside the state which epoch is at work, and its last cycle. Where that fails, it is old."""
    epoch, cycle = _at_work(driver)
    with suppress(OSError):
        note_path(path).write_text(f"{epoch} {cycle}\n", "ascii")


def note_path(path: Path) -> Path:
    """Return where the epoch of a state is noted, however the file is named."""
    return Path(f"{path.resolve()}.epoch")


def _at_work(driver: sqlite3.Connection) -> tuple[str | None, int]:
    epoch = driver.execute(_META, ("epoch",)).fetchone()
    cycle = driver.execute(_META, ("cycle",)).fetchone()
    return (str(epoch[0]) if epoch else None), (int(cycle[0]) if cycle else 0)


def _noted(path: Path) -> tuple[str, int] | None:
    try:
        epoch, cycle = note_path(path).read_text("ascii").split()
        return epoch, int(cycle)
    except (OSError, ValueError):
        return None
