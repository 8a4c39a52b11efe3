"""Power cuts: what a disk may hold afterwards, and whether the state then opens with all it had promised.

    python -m syncd.testing.powerloss --images 20000

The engine works on the real state file while every write, truncation, sync and deletion below SQLite is
recorded, and every commit it was told is durable. Then power is cut at random moments: of what was not
synced any part may have reached the disk, in any order, sectors torn, sizes ahead of their content, names
lost. Each such image is opened by the store's own code; it has to be sound, to hold no part of a
transaction, and every commit that was acknowledged. Two controls have to fail: `synchronous = NORMAL`,
and a disk that lies about syncs.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sqlite3
import sys
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import state.store
from state.store import SqlStore
from syncd.core.errors import StateError
from syncd.testing import vfs
from syncd.testing.crashworlds import SCENARIOS
from syncd.testing.world import World

SECTOR = 512
STATE = "state.db"
Event = tuple[Any, ...]


@dataclass(slots=True)
class Recorder:
    """Everything that reached the disk, in order: (kind, inode, ...). Names become inodes when made."""

    events: list[Event] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    inodes: int = 0
    acknowledged: list[tuple[int, str]] = field(default_factory=list)  # (events so far, digest)

    def opened(self, file: str) -> None:
        """Note a new file."""
        if file not in self.names:
            self.inodes += 1
            self.names[file] = self.inodes
            self.events.append(("make", self.inodes, file))

    def read(self, file: str) -> int:
        """Let it pass: it changes nothing."""
        del file
        return vfs.OK

    def write(self, file: str, offset: int, data: bytes) -> int:
        """Note a write."""
        self.events.append(("write", self.names[file], offset, data))
        return vfs.OK

    def truncate(self, file: str, size: int) -> int:
        """Note a new size."""
        self.events.append(("truncate", self.names[file], size))
        return vfs.OK

    def sync(self, file: str) -> int:
        """Note a sync; of a log that is new SQLite syncs the folder too."""
        self.events.append(("sync", self.names[file], file != STATE))
        return vfs.OK

    def delete(self, file: str, *, synced: bool) -> int:
        """Note that a name is gone."""
        if file in self.names:
            self.events.append(("drop", self.names.pop(file), file, synced))
        return vfs.OK

    def acknowledge(self, store: SqlStore) -> None:
        """Note that everything in the store is said to be durable."""
        driver = store._handle.driver  # noqa: SLF001 - looks at the file as it is
        digest = everything(driver)
        if not self.acknowledged or self.acknowledged[-1][1] != digest:
            self.acknowledged.append((len(self.events), digest))


def everything(driver: sqlite3.Connection) -> str:
    """Return a digest of all tables, but for what opening the file writes."""
    total = hashlib.blake2b(digest_size=12)
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    for (name,) in driver.execute(tables).fetchall():
        rows = driver.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - our own tables
        kept = [row for row in map(repr, rows) if not row.startswith(("('clean',", "('epoch',"))]
        total.update(f"{name}{sorted(kept)}".encode())
    return total.hexdigest()


# the work that is recorded ------------------------------------------------------------------------------


class _AcknowledgingStore(SqlStore):
    recorder: Recorder

    def _commit(self, depth: int) -> None:
        super()._commit(depth)
        if not depth:
            self.recorder.acknowledge(self)


def record(place: Path) -> Recorder:
    """Let the engine do several scenarios' work on one state file; returns what the disk saw of it."""
    recorder = Recorder()
    path = place / STATE
    with vfs.watched(recorder):
        world = World(SCENARIOS[0].world(Path(":memory:")).roadmap)
        for number in (0, 5, 4, 1):
            _work(world, path, recorder, SCENARIOS[number].act)
    return recorder


def _work(world: World, path: Path, recorder: Recorder, act: Any) -> None:  # noqa: ANN401
    opened = state.store.open(path)
    store = _AcknowledgingStore(opened._handle, opened._held)  # noqa: SLF001 - the same store
    store.recorder = recorder
    # the log goes back into the file after 60 pages instead of 1,000, so that power fails there too
    store._handle.driver.execute("PRAGMA wal_autocheckpoint = 60")  # noqa: SLF001
    recorder.acknowledge(store)
    world.store = store
    act(world)
    for _ in range(3):
        world.cycle()
    store.close()


@contextmanager
def careless() -> Iterator[None]:
    """Control: open the state with synchronous = NORMAL."""
    pragmas = tuple(each.replace("FULL", "NORMAL") for each in state.store._PRAGMAS)  # noqa: SLF001
    if pragmas == state.store._PRAGMAS:  # noqa: SLF001
        raise RuntimeError("the state is not opened with synchronous = FULL: set it")
    kept, state.store._PRAGMAS = state.store._PRAGMAS, pragmas  # noqa: SLF001
    try:
        yield
    finally:
        state.store._PRAGMAS = kept  # noqa: SLF001


# what may be left ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Inode:
    """A file's content that is safe, and what came after."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)

    def settle(self) -> None:
        """Make everything safe."""
        for event in self.pending:
            _apply(self.safe, event)
        self.pending.clear()

    def after_a_cut(self, chance: random.Random) -> bytes:
        """Return what may be found of it."""
        left = bytearray(self.safe)
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        ordered = chance.random() < 0.3  # only the first part of it, in order  # noqa: PLR2004
        whole = int(len(self.pending) * chance.random()) if ordered else len(self.pending)
        for event in self.pending[:whole]:
            for part in _parts(event):
                if ordered or chance.random() < share:
                    _apply(left, _torn(part, chance))
        longest = max((e[2] + len(e[3]) for e in self.pending if e[0] == "write"), default=0)
        if longest > len(left) and chance.random() < 0.3:  # noqa: PLR2004
            left.extend(bytes(longest - len(left)))  # the size was written, the content was not
        return bytes(left)


def _parts(event: Event) -> Iterator[Event]:
    """Cut a write at the borders of sectors."""
    if event[0] != "write":
        yield event
        return
    kind, inode, offset, data = event
    start = 0
    while start < len(data):
        size = min(SECTOR - (offset + start) % SECTOR, len(data) - start)
        yield (kind, inode, offset + start, data[start : start + size])
        start += size


def _torn(event: Event, chance: random.Random) -> Event:
    if event[0] == "write" and chance.random() < 0.03:  # noqa: PLR2004
        kind, inode, offset, data = event
        return (kind, inode, offset, data[: chance.randint(0, len(data))])
    return event


def _apply(content: bytearray, event: Event) -> None:
    if event[0] == "truncate":
        del content[event[2] :]
        return
    _kind, _inode, offset, data = event
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


@dataclass(slots=True)
class Platter:
    """A disk while the recorded work goes on. `lies`: how many syncs in a row do nothing."""

    lies: int = 0
    inodes: dict[int, Inode] = field(default_factory=dict)
    folder: dict[str, int] = field(default_factory=dict)  # names that are safe
    moves: list[Event] = field(default_factory=list)  # names made and dropped since
    syncs: int = 0

    def see(self, event: Event) -> None:
        """Go one step further."""
        if event[0] in ("make", "drop"):
            self.moves.append(event)
            self.inodes.setdefault(event[1], Inode())
            if event[0] == "drop" and event[3]:
                self._settle_names()
        elif event[0] == "sync":
            self.syncs += 1
            if self.lies and self.syncs % (self.lies + 1):
                return
            self.inodes[event[1]].settle()
            if event[2]:
                self._settle_names()
        else:
            self.inodes[event[1]].pending.append(event)

    def _settle_names(self) -> None:
        for move in self.moves:
            _rename(self.folder, move)
        self.moves.clear()

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """Return the files that may be found after a power cut now."""
        names = dict(self.folder)
        for move in self.moves[: chance.randint(0, len(self.moves))]:
            _rename(names, move)
        return {name: self.inodes[inode].after_a_cut(chance) for name, inode in names.items()}


def _rename(names: dict[str, int], move: Event) -> None:
    if move[0] == "make":
        names[move[2]] = move[1]
    else:
        names.pop(move[2], None)


# the verdict --------------------------------------------------------------------------------------------


def verdicts(
    recorder: Recorder, images: int, seed: int, place: Path, *, lies: int = 0
) -> Counter[str]:
    """Cut power so many times; returns how the state was found: sound, refused, damaged, lost, partial."""
    chance = random.Random(seed)  # noqa: S311 - chooses cuts
    moments = sorted(chance.randint(0, len(recorder.events)) for _ in range(images))
    platter, seen = Platter(lies), 0
    found: Counter[str] = Counter()
    for moment in moments:
        while seen < moment:
            platter.see(recorder.events[seen])
            seen += 1
        found[_verdict(recorder, moment, platter.cut(chance), place)] += 1
    return found


def _verdict(recorder: Recorder, moment: int, files: dict[str, bytes], place: Path) -> str:
    for old in place.iterdir():
        old.unlink()
    for name, content in files.items():
        (place / name).write_bytes(content)
    try:
        store = state.store.open(place / STATE)
    except StateError:
        return "refused"
    driver = store._handle.driver  # noqa: SLF001 - looks at the file as it is
    try:
        if driver.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            return "damaged"
        return _judged(recorder, moment, everything(driver))
    except sqlite3.Error:
        return "damaged"
    finally:
        store._handle.close()  # noqa: SLF001 - as a process does that has died
        if store._held is not None:  # noqa: SLF001
            store._held.release()  # noqa: SLF001


def _judged(recorder: Recorder, moment: int, digest: str) -> str:
    """Compare with the last acknowledged commit, and the one that was under way."""
    known: Sequence[str] = [each for _, each in recorder.acknowledged]
    last = max(0, bisect_right([at for at, _ in recorder.acknowledged], moment) - 1)
    if digest in known[last : last + 2]:
        return "sound"
    return "lost" if digest in known[:last] else "partial"


def main() -> int:
    """Record, cut, print the figures; 1 when anything was lost or a control did not fail."""
    parser = argparse.ArgumentParser(description="Cut power under the state file.")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    controls = max(200, options.images // 20)
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        place = Path(folder)
        full = _recorded(place / "full")
        with careless():
            normal = _recorded(place / "normal")
        images = place / "images"
        images.mkdir()
        proper = verdicts(full, options.images, options.seed, images)
        relaxed = verdicts(normal, controls, options.seed, images)
        lying = verdicts(full, controls, options.seed, images, lies=4)
    _say("synchronous = FULL", full, proper)
    _say("control: NORMAL", normal, relaxed)
    _say("control: a lying disk", full, lying)
    right = set(proper) == {"sound"} and relaxed["lost"] > 0 and set(lying) != {"sound"}
    print("as it should be" if right else "NOT as it should be")  # noqa: T201 - a command
    return 0 if right else 1


def _recorded(place: Path) -> Recorder:
    place.mkdir()
    return record(place)


def _say(what: str, recorder: Recorder, found: Counter[str]) -> None:
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(found.items()))
    print(  # noqa: T201 - a command
        f"{what:<22} {len(recorder.events)} operations, {len(recorder.acknowledged)} commits, "
        f"{found.total()} images: {told}"
    )


def _memory() -> Path | None:
    place = Path("/dev/shm")  # noqa: S108 - only a hint, a temporary folder is made in it
    return place if place.is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
