"""Disks that fail under the state: full, input/output errors, a failing sync, flipped bits, a long log."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest

from state import backup, store
from state.content import content_digest
from syncd.core.errors import Damaged, Full, StateError
from syncd.testing import vfs
from syncd.testing.builders import entry, intent, item, record
from syncd.testing.world import World, native

ROWS = 40


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def names(error):
    """Return the error's sentence, which has to name the file and a way out."""
    sentence = str(error)
    assert "state.db" in sentence
    assert "\n" not in sentence
    return sentence


def write(opened, number):
    with opened.transaction():
        name = f"i{number:04}"
        opened.save_items([item(name, "x" * 2000)])
        opened.observe([(record(name), "feature")], 1)
        opened.link("jira", name, name, "origin")
        opened.append_history([entry(name)])
        opened.intend([intent(name, item=name)])


class FailsAt:
    """Refuses one kind of operation from the n-th one on, for so long as `broken`."""

    def __init__(self, operation, at, answer):
        self.operation, self.at, self.answer = operation, at, answer
        self.seen, self.broken = 0, True

    def __call__(self, operation, file):
        if operation != self.operation or not self.broken:
            return vfs.OK
        self.seen += 1
        return self.answer if self.seen >= self.at else vfs.OK


def run_until_it_fails(path, disk):
    """Write rows until the disk fails; return the store, how many were acknowledged, and the error."""
    opened = store.open(path)
    done = 0
    try:
        for number in range(ROWS):
            write(opened, number)
            done += 1
    except StateError as error:
        return opened, done, error
    return opened, done, None


def assert_whole(path, done):
    """Assert that what was acknowledged is there, and nothing of anything else by halves."""
    opened = store.open(path)
    assert done <= opened.item_count() <= done + 1
    count = opened.item_count()
    assert opened.count("jira", "main") == opened.verify_history() == count
    assert len(opened.open_intents()) == count
    opened.close()


@pytest.mark.parametrize("at", [60, 61, 77, 150, 233])
def test_a_full_disk_at_any_write_keeps_what_was_promised_and_gets_better(path, at):
    store.open(path).close()
    disk = FailsAt("write", at, vfs.FULL)
    with vfs.watched(vfs.Failing(disk)):
        opened, done, error = run_until_it_fails(path, disk)
        assert isinstance(error, Full)
        assert "free some space" in names(error)
        disk.broken = False
        write(opened, ROWS)
        opened.close()
    assert_whole(path, done + 1)


@pytest.mark.parametrize(
    ("operation", "answer", "at"),
    [
        *(("write", vfs.WRITE_FAILS, at) for at in (30, 61, 150)),
        *(("sync", vfs.SYNC_FAILS, at) for at in (5, 9, 20)),
    ],
)
def test_a_failing_disk_is_not_asked_again_and_loses_nothing_that_was_promised(
    path, operation, answer, at
):
    store.open(path).close()
    disk = FailsAt(operation, at, answer)
    with vfs.watched(vfs.Failing(disk)):
        opened, done, error = run_until_it_fails(path, disk)
        assert isinstance(error, Damaged)
        assert "check the disk" in names(error)
        disk.broken = False  # it now says that all is well, which may be a lie
        seen = disk.seen
        with pytest.raises(Damaged):
            write(opened, ROWS)
        assert disk.seen == seen
        opened.close()
    assert_whole(path, done)


def test_a_read_that_fails_stops_all_use(path):
    opened = store.open(path)
    for number in range(ROWS):
        write(opened, number)
    opened.close()
    disk = FailsAt("read", 12, vfs.READ_FAILS)
    with vfs.watched(vfs.Failing(disk)):
        with pytest.raises(Damaged, match="check the disk"):  # noqa: PT012 - at some read of these
            opened = store.open(path)
            for number in range(ROWS):
                assert opened.items([f"i{number:04}"])
        with pytest.raises(StateError):
            write(opened, ROWS)
        opened.close()
    assert_whole(path, ROWS)


@pytest.mark.parametrize("at", range(70, 260, 38))
@pytest.mark.parametrize("answer", [vfs.FULL, vfs.SYNC_FAILS])
def test_no_tool_is_written_to_without_a_durable_intent(path, at, answer):
    store.open(path).close()
    disk = FailsAt(
        "sync" if answer == vfs.SYNC_FAILS else "write",
        at // 6 if answer != vfs.FULL else at,
        answer,
    )
    with vfs.watched(vfs.Failing(disk)):
        world = World(path=path)
        for number in range(3):
            values = {"title": f"Thing {number}", "status": native("jira", "done")}
            world.jira.add("project", values, kind="feature")
        with pytest.raises(StateError):  # noqa: PT012 - in one of them
            for _ in range(4):
                world.cycle()
        written = world.writes
        with closing(sqlite3.connect(path)) as driver:
            (journalled,) = driver.execute(
                "SELECT count(*) FROM intents WHERE state <> 'planned'"
            ).fetchone()
        assert written <= journalled
        world.store.close()
        disk.broken = False
        world.store = store.open(path)
        for _ in range(4):
            world.cycle()
        assert world.differences() == []
        markers = [r.marker for r in world.notion.records.values()]
        assert len(markers) == len(set(markers)) == 3
        world.store.close()


def test_every_flipped_bit_of_what_a_backup_remembers_is_found(path, tmp_path):
    opened = store.open(path)
    for number in range(12):
        write(opened, number)
    opened.save_document("today", "y" * 300)
    opened.close()
    backup.backup(path, tmp_path / "copy.db")
    sound = (tmp_path / "copy.db").read_bytes()
    chance, spoilt, found = random.Random(4), tmp_path / "spoilt.db", 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as driver:
        content = content_digest(driver)
    for _ in range(150):
        bit = chance.randrange(len(sound) * 8)
        changed = bytearray(sound)
        changed[bit // 8] ^= 1 << bit % 8
        spoilt.write_bytes(changed)
        try:
            backup.verify(spoilt)
        except (StateError, ValueError):
            found += 1
            continue
        with closing(sqlite3.connect(spoilt)) as driver:
            assert content_digest(driver) == content, f"bit {bit} changed something unnoticed"
    assert found > 30


def test_the_seal_of_a_backup_ends_when_it_is_used(path, tmp_path):
    store.open(path).close()
    backup.backup(path, tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(path)
    opened = store.open(path)
    write(opened, 1)
    opened.close()
    assert backup.verify(path).items == 1


def test_a_long_reader_makes_the_log_grow_only_while_it_reads(path, monkeypatch):
    monkeypatch.setattr(
        store, "_PRAGMAS", (*store._PRAGMAS[:-1], "PRAGMA journal_size_limit = 262144")
    )
    opened = store.open(path)
    write(opened, 0)
    log = path.with_name("state.db-wal")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM items").fetchone()
    for number in range(300):
        opened.save_document("today", f"{number}" * 20_000)
    grown = log.stat().st_size
    assert grown > 4_000_000
    reader.close()
    for number in range(60):
        opened.save_document("today", f"{number}" * 20_000)
    assert log.stat().st_size < 262_144 + 4_400_000 < grown
    opened.close()
    assert not log.exists()
