"""Snapshots of all stand-ins with their clock, in memory by name or in a folder across restarts.

The folder's one file is written whole beside the old one and then put in its place, so that a crash
leaves the old or the new state, never a part. It is a pickle: only a file that belongs to the user who
runs the sandbox, and that nobody else may write, is read.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

VERSION = 1
FILE = "state.pickle"


class Keepable(Protocol):
    """What can be kept: the sandbox."""

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of all state."""

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a copy."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Have a folder for oneself; raises ValueError when another sandbox has it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"{folder} is in use by another sandbox; stop that one, or give another folder"
            ) from None
        yield
    finally:
        os.close(held)


def has_state(folder: Path) -> bool:
    """Tell whether a folder holds a kept state."""
    return (folder / FILE).exists()


def save(sandbox: Keepable, folder: Path) -> None:
    """Write the state into a folder, atomically and durably; raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{FILE}.{os.getpid()}.new"
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(number, "wb") as out:
            pickle.dump((VERSION, sandbox.snapshot()), out, pickle.HIGHEST_PROTOCOL)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(folder / FILE)
    finally:
        draft.unlink(missing_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def load(sandbox: Keepable, folder: Path) -> None:
    """Take the state of a folder; raises ValueError with a sentence when it cannot be trusted or read."""
    path = folder / FILE
    about = path.stat()
    if about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ValueError(
            f"{path} belongs to somebody else or others may write it; delete it, or make it yours"
            " alone with chmod go-w"
        )
    try:
        version, state = pickle.loads(path.read_bytes())  # noqa: S301 - checked above
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, ValueError) as error:
        raise ValueError(f"{path} holds no state of a sandbox ({error}); delete it") from None
    if version != VERSION:
        raise ValueError(f"{path} was written by another version of the sandbox; delete it")
    sandbox.restore(state)
