"""A look under SQLite: every write, truncation, sync and deletion of its files, recorded or refused.

`watched(disk)` puts itself between the SQLite that this Python uses and its files, for everything that is
opened meanwhile: the state is opened by its own code, unchanged, with its own settings. Only writes,
truncations, syncs, reads and deletions pass through here; locks and shared memory do not.
"""

from __future__ import annotations

import _sqlite3
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

OK = 0
FULL = 13  # SQLITE_FULL
READ_FAILS = 10 | (1 << 8)  # SQLITE_IOERR_READ
WRITE_FAILS = 10 | (3 << 8)
SYNC_FAILS = 10 | (4 << 8)

_Pointer = ctypes.c_void_p
_Int, _Long = ctypes.c_int, ctypes.c_int64
_Open = ctypes.CFUNCTYPE(
    _Int, _Pointer, _Pointer, _Pointer, _Int, _Pointer
)  # keeps the name's address
_Delete = ctypes.CFUNCTYPE(_Int, _Pointer, ctypes.c_char_p, _Int)
_Close = ctypes.CFUNCTYPE(_Int, _Pointer)
_Transfer = ctypes.CFUNCTYPE(_Int, _Pointer, _Pointer, _Int, _Long)  # xRead and xWrite
_Truncate = ctypes.CFUNCTYPE(_Int, _Pointer, _Long)
_Sync = ctypes.CFUNCTYPE(_Int, _Pointer, _Int)


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = (  # type: ignore[mutable-override]
        ("version", _Int),
        ("close", _Close),
        ("read", _Transfer),
        ("write", _Transfer),
        ("truncate", _Truncate),
        ("sync", _Sync),
        ("others", _Pointer * 13),
    )


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = (  # type: ignore[mutable-override]
        ("version", _Int),
        ("file_size", _Int),
        ("longest_path", _Int),
        ("next", _Pointer),
        ("name", ctypes.c_char_p),
        ("data", _Pointer),
        ("open", _Open),
        ("delete", _Delete),
        ("others", _Pointer * 14),
    )


class Disk(Protocol):
    """What is told of each operation before it happens. Another answer than OK refuses it."""

    def opened(self, file: str) -> None:
        """Take note that a file is in use; it may have been made just now."""

    def read(self, file: str) -> int:
        """Hear of a read."""

    def write(self, file: str, offset: int, data: bytes) -> int:
        """Hear of a write."""

    def truncate(self, file: str, size: int) -> int:
        """Hear of a truncation."""

    def sync(self, file: str) -> int:
        """Hear of a sync."""

    def delete(self, file: str, *, synced: bool) -> int:
        """Hear of a deletion; `synced`: the folder is synced with it."""


def _library() -> ctypes.CDLL:
    """Return the SQLite that Python's own module uses; OSError where it cannot be reached."""
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    try:
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    except AttributeError:
        raise OSError("this Python's SQLite is built in, so nothing can be put below it") from None
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    library.sqlite3_vfs_register.argtypes = [ctypes.POINTER(_Vfs), _Int]
    library.sqlite3_vfs_unregister.argtypes = [ctypes.POINTER(_Vfs)]
    return library


def _short(path: bytes) -> str:
    return Path(path.decode()).name


class _Shim:
    """The system's own file functions with a disk's ear at some of them."""

    def __init__(self, disk: Disk, real: _Vfs) -> None:
        self._disk = disk
        self._real = real
        self._names: dict[int, str] = {}  # address of an open file -> its name
        self._wrapped: dict[
            int, tuple[_Methods, _Methods]
        ] = {}  # address of methods -> ours, theirs
        self.vfs = _Vfs.from_buffer_copy(real)
        self.vfs.name = b"watched"
        self.vfs.open = _Open(self._open)
        self.vfs.delete = _Delete(self._delete)

    def _open(self, vfs: int, name: int | None, file: int, flags: int, out: int) -> int:
        code: int = self._real.open(vfs, name, file, flags, out)
        held = ctypes.cast(file, ctypes.POINTER(_Pointer))  # a file begins with its methods
        methods = held[0]
        if code == OK and name is not None and methods:
            self._names[file] = _short(ctypes.string_at(name))
            self._disk.opened(self._names[file])
            if methods not in self._wrapped:
                self._wrapped[methods] = self._wrap(_Methods.from_address(methods))
            held[0] = ctypes.addressof(self._wrapped[methods][0])
        return code

    def _delete(self, vfs: int, name: bytes, sync_folder: int) -> int:
        refused = self._disk.delete(_short(name), synced=bool(sync_folder))
        return refused or int(self._real.delete(vfs, name, sync_folder))

    def _wrap(self, theirs: _Methods) -> tuple[_Methods, _Methods]:
        names, disk = self._names, self._disk

        def read(file: int, data: int, size: int, offset: int) -> int:
            return disk.read(names[file]) or int(theirs.read(file, data, size, offset))

        def write(file: int, data: int, size: int, offset: int) -> int:
            content = ctypes.string_at(data, size)
            refused = disk.write(names[file], offset, content)
            return refused or int(theirs.write(file, data, size, offset))

        def truncate(file: int, size: int) -> int:
            return disk.truncate(names[file], size) or int(theirs.truncate(file, size))

        def sync(file: int, flags: int) -> int:
            return disk.sync(names[file]) or int(theirs.sync(file, flags))

        def close(file: int) -> int:
            names.pop(file, None)
            return int(theirs.close(file))

        ours = _Methods.from_buffer_copy(theirs)
        ours.read, ours.write = _Transfer(read), _Transfer(write)
        ours.truncate, ours.sync, ours.close = _Truncate(truncate), _Sync(sync), _Close(close)
        return ours, theirs


_KEPT: list[_Shim] = []
"""SQLite may still call what it was once given: never forgotten."""


@contextmanager
def watched(disk: Disk) -> Iterator[None]:
    """Let a disk hear of every operation on the databases that are opened meanwhile, in this process.

    Close them before the end. OSError where this Python's SQLite cannot be reached.
    """
    library = _library()
    real = library.sqlite3_vfs_find(None)
    shim = _Shim(disk, real.contents)
    _KEPT.append(shim)
    library.sqlite3_vfs_register(ctypes.byref(shim.vfs), 1)
    try:
        yield
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(shim.vfs))
        library.sqlite3_vfs_register(real, 1)


Refusal = Callable[[str, str], int]
"""Tells for an operation ("read", "write", "truncate", "sync", "delete") on a file what to answer."""


class Failing:
    """A disk that refuses what a function says, and counts what it was asked."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal

    def opened(self, file: str) -> None:
        """Ignore it."""

    def read(self, file: str) -> int:
        """Answer a read."""
        return self.refusal("read", file)

    def write(self, file: str, offset: int, data: bytes) -> int:
        """Answer a write."""
        del offset, data
        return self.refusal("write", file)

    def truncate(self, file: str, size: int) -> int:
        """Answer a truncation."""
        del size
        return self.refusal("truncate", file)

    def sync(self, file: str) -> int:
        """Answer a sync."""
        return self.refusal("sync", file)

    def delete(self, file: str, *, synced: bool) -> int:
        """Answer a deletion."""
        del synced
        return self.refusal("delete", file)
