"""One daemon for each state file: a lock of the kernel on `<state>.lock`.

The kernel drops the lock when its holder dies, however it dies, and no clock takes part. What is
written into the file (process id, start) is for people only.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from state.faults import unwritable
from syncd.core.errors import Locked


@dataclass(slots=True)
class StateLock:
    """The lock while it is held. Release it, or die."""

    path: Path
    _descriptor: int | None

    def release(self) -> None:
        """Give the lock back; the file stays: removing it would race with the next holder."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def lock_path(state: Path) -> Path:
    """Return where the lock of a state file stands, however the file is named."""
    return Path(f"{state.resolve()}.lock")


def acquire(state: Path, now: float) -> StateLock:
    """Take the lock of a state file or raise Locked. `now` (epoch seconds) is for people only."""
    path = lock_path(state)
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise Locked(
                f"the state file {state} is used by {holder}; stop it first or use another "
                "state file"
            ) from None
        if _same_file(descriptor, path):
            break
        os.close(descriptor)  # somebody removed the file in between: we locked a ghost
    since = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    os.ftruncate(descriptor, 0)
    with suppress(OSError):  # on a full disk the lock holds without a name; the state says the rest
        os.pwrite(descriptor, f"{os.getpid()}\n{since}\n".encode(), 0)
    return StateLock(path, descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error


def _holder(descriptor: int) -> str:
    lines = os.pread(descriptor, 200, 0).decode("utf-8", "replace").splitlines()
    match lines:
        case [pid, since, *_]:
            return f"process {pid} since {since}"
        case _:
            return "another process that is just starting or stopping"


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
