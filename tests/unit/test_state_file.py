"""State files that cannot be used, and disks that fail: one sentence each, nothing half-written."""
# ruff: noqa: PT012 - what happens inside a transaction is several statements

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from state import store
from state.tables import SCHEMA
from syncd.core.errors import Damaged, Full, StateError, TooNew
from syncd.testing.builders import item, record


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def filled(path, count=200):
    opened = store.open(path)
    opened.observe([(record(f"{n:05}", title="x" * 500), "feature") for n in range(count)], 1)
    return opened


def change(path, statement):
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        driver.execute(statement)


def test_a_newer_state_is_refused(path):
    store.open(path).close()
    change(path, f"PRAGMA user_version = {SCHEMA + 4}")
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(TooNew, match=rf"newer syncd \(schema {SCHEMA + 4}, this one knows"):
            store.open(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_reader_finds_nothing_in_a_file_without_a_schema(path):
    store.open(path).close()
    change(path, "PRAGMA user_version = 0")
    with pytest.raises(StateError, match="there is nothing in the state file"):
        store.open(path, read_only=True)


@pytest.mark.parametrize("content", [b"name,value\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_state_file_is_left_alone(path, content):
    path.write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(Damaged, match="restore a backup with `syncd state restore`"):
            store.open(path, read_only=read_only)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(path):
    change(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(Damaged, match="not a state file of syncd"):
        store.open(path)
    assert path.read_bytes() == before


def test_paths_that_cannot_be(tmp_path):
    with pytest.raises(StateError, match="is a folder"):
        store.open(tmp_path)
    with pytest.raises(Full, match="does not exist: create it"):
        store.open(tmp_path / "no" / "state.db")
    with pytest.raises(StateError, match="run `syncd run --once` first"):
        store.open(tmp_path / "none.db", read_only=True)


def test_an_empty_file_becomes_a_state(path):
    path.touch()
    opened = store.open(path)
    assert opened.item_count() == 0
    opened.close()


def test_only_the_owner_may_read_the_state(path):
    old = os.umask(0)
    try:
        opened = filled(path)
        for file in path.parent.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
        opened.close()
    finally:
        os.umask(old)


def test_a_full_disk_undoes_the_transaction_and_may_get_better(path):
    opened = filled(path)
    opened._handle.driver.execute("PRAGMA max_page_count = 1")  # means: no page more than now
    with pytest.raises(Full, match="free some space"), opened.transaction():
        opened.mark_dirty(["lost"])
        for n in range(1000):
            opened.save_items([item(f"i{n}", "y" * 2000)])
    assert opened.dirty() == ()
    assert opened.item_count() == 0
    opened._handle.driver.execute("PRAGMA max_page_count = 100000")
    opened.save_items([item()])
    opened.close()


def test_who_goes_on_after_a_full_disk_writes_nothing(path):
    """SQLite may have given up the whole transaction: what follows must not slip through alone."""
    opened = filled(path)
    with pytest.raises(StateError), opened.transaction():
        opened.mark_dirty(["before"])
        opened._handle.driver.execute("ROLLBACK")  # as SQLite does by itself in some failures
        with pytest.raises(StateError), opened.transaction():
            opened.mark_dirty(["inside"])
        opened.mark_dirty(["after"])
    assert opened.dirty() == ()
    opened.mark_dirty(["later"])
    assert opened.dirty() == ("later",)
    opened.close()


GROW = """
import resource, sys
from pathlib import Path
from state import store
from syncd.core.errors import StateError
from syncd.testing.builders import item
path = Path(sys.argv[1])
opened = store.open(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
done = 0
try:
    while True:
        opened.save_items([item(f"i{done}", "y" * 20_000)])
        done += 1
except StateError as error:
    print(type(error).__name__, done)
try:
    opened.save_items([item("never")])
    print("went on")
except StateError as error:
    print("refused")
opened.close()
"""


def test_a_disk_that_fails_is_not_trusted_again(path):
    answer = subprocess.run(
        [sys.executable, "-c", GROW, str(path)], capture_output=True, text=True, check=True
    )
    said, done, after = answer.stdout.split()
    assert (said, after) == ("Damaged", "refused")
    opened = store.open(path)
    assert opened.item_count() == int(done) > 5
    opened.close()


def test_a_state_that_was_replaced_meanwhile_is_not_written(path, tmp_path):
    opened = filled(path)
    path.rename(tmp_path / "moved.db")
    with pytest.raises(Damaged, match="deleted or replaced while syncd was using it"):
        opened.mark_dirty(["i1"])
    other = tmp_path / "other.db"
    filled(other).close()
    other.rename(path)
    with pytest.raises(Damaged, match="deleted or replaced"):
        opened.mark_dirty(["i1"])
    opened.close()


def damage(path):
    """Overwrite a quarter of the file."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096 * (size // 4 // 4096))


def test_damage_is_found_at_the_start_after_a_crash(path):
    opened = filled(path)
    opened._handle.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened._handle.close()  # without noting that all is well
    opened._held.release()
    damage(path)
    with pytest.raises(Damaged, match="is damaged"):
        store.open(path)


def test_a_clean_end_needs_no_check(path):
    filled(path).close()
    opened = store.open(path)
    seen = []
    opened._handle.driver.set_trace_callback(seen.append)
    store._check_after_crash(opened._handle)  # it is marked as in use: this one does check
    assert any("quick_check" in statement for statement in seen)
    opened.close()
    seen.clear()
    handle = store._handle(path, store.file_uri(path, "rw"), read_only=False)
    handle.driver.set_trace_callback(seen.append)
    store._prepare(handle)
    assert not any("quick_check" in statement for statement in seen)
    handle.close()


def test_damage_met_on_the_way_stops_all_use(path):
    filled(path, 2000).close()
    damage(path)
    opened = store.open(path)
    with pytest.raises(Damaged, match="move the file away"):
        opened.unlinked()
    with pytest.raises(Damaged):
        opened.mark_dirty(["i1"])
    opened.close()


def test_one_small_write_beside_the_daemon(path):
    daemon = store.open(path)
    beside = store.open(path, beside=True)
    beside.mark_dirty(["i1"])
    beside.close()
    assert daemon.dirty() == ("i1",)
    clean = "SELECT value FROM meta WHERE name = 'clean'"
    assert daemon._handle.driver.execute(clean).fetchone() == ("0",)  # the daemon's to say
    daemon.close()
    with pytest.raises(StateError, match="run `syncd run --once` first"):
        store.open(path.with_name("none.db"), beside=True)


def test_closing_inside_a_transaction_undoes_it(path):
    opened = store.open(path)
    with pytest.raises(StateError, match="has been closed"), opened.transaction():
        opened.mark_dirty(["i1"])
        opened.close()
    opened = store.open(path)
    assert opened.dirty() == ()
    opened.close()


def test_a_closed_store_says_so(path):
    opened = filled(path)
    opened.close()
    with pytest.raises(StateError, match="has been closed"):
        opened.dirty()


def test_memory_needs_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened = store.open(store.MEMORY)
    opened.mark_dirty(["i1"])
    assert opened.dirty() == ("i1",)
    opened.close()
    assert list(tmp_path.iterdir()) == []


def test_an_old_sqlite_is_named(path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StateError, match=r"use a Python with SQLite 3\.37\.0 or later"):
        store.open(path)


def test_the_log_does_not_grow_without_bound(path):
    opened = store.open(path)
    for n in range(40):
        opened.save_items([item(f"i{k}", f"{n} " + "z" * 5000) for k in range(200)])
    assert path.with_name("state.db-wal").stat().st_size < 64 * 2**20
    opened.close()
    assert not path.with_name("state.db-wal").exists()
