"""Backup, verification, restoring."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from state import backup, store
from state.tables import SCHEMA
from syncd.core.errors import Damaged, Full, Locked, StateError, TooNew, UserError
from syncd.core.model import CursorState
from syncd.testing.builders import entry, item, record


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def copy(tmp_path):
    return tmp_path / "copy.db"


def filled(path, name="i1"):
    opened = store.open(path)
    with opened.transaction():
        opened.observe([(record(), "feature")], 1)
        opened.save_items([item(name)])
        opened.link("jira", "1", name, "origin")
        opened.append_history([entry(), entry()])
        opened.save_cursor("jira", "main", CursorState("there", 1.0, sweep=3, filled=True))
        opened.next_cycle()
    return opened


def test_a_backup_of_a_running_daemon_is_whole(path, copy):
    opened = filled(path)
    verified = backup.backup(path, copy)
    found = (verified.schema, verified.items, verified.records, verified.history, verified.cycle)
    assert found == (SCHEMA, 1, 1, 2, 1)
    opened.save_items([item("later")])
    opened.close()
    assert backup.verify(copy) == verified
    assert copy.stat().st_mode & 0o077 == 0
    assert {each.name for each in copy.parent.iterdir()} == {
        "state.db",
        "state.db.lock",
        "state.db.epoch",
        "copy.db",
    }


def test_a_backup_never_overwrites(path, copy):
    filled(path).close()
    copy.write_text("precious")
    with pytest.raises(UserError, match="choose another name"):
        backup.backup(path, copy)
    assert copy.read_text() == "precious"


def test_a_backup_of_nothing_and_to_nowhere(path, copy):
    with pytest.raises(StateError, match="no state file"):
        backup.backup(path, copy)
    filled(path).close()
    with pytest.raises(Full, match="cannot be written"):
        backup.backup(path, copy.parent / "no" / "copy.db")


@pytest.mark.parametrize("what", ["backup", "verify", "restore"])
def test_a_file_of_a_newer_syncd_is_named_as_the_person_named_it(path, copy, what):
    filled(path).close()
    with closing(sqlite3.connect(path)) as driver:
        driver.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    done = {
        "backup": lambda: backup.backup(path, copy),
        "verify": lambda: backup.verify(path),
        "restore": lambda: backup.restore(path, copy),
    }[what]
    with pytest.raises(TooNew) as caught:
        done()
    assert str(caught.value).startswith(f"the state file {path} was written by a newer syncd")
    assert not copy.exists()


def test_a_damaged_state_gives_no_backup(path, copy):
    filled(path).close()
    with closing(sqlite3.connect(path)) as driver:
        driver.execute("UPDATE records SET payload = replace(payload, 'A thing', 'B thing')")
        driver.commit()
    told = f"^the state file {path} is damaged .record 1 of jira is not what was stored"
    with pytest.raises(Damaged, match=told):
        backup.backup(path, copy)
    assert not copy.exists()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE records SET payload = '{}'", "record 1 of jira is not what was stored"),
        ("DELETE FROM items", "refers to a row of items that is gone"),
        ("DROP TRIGGER history_no_update; UPDATE history SET at = 0 WHERE number = 2", "entry 2"),
    ],
)
def test_verification_names_what_is_wrong(path, statement, said):
    filled(path).close()
    with closing(sqlite3.connect(path)) as driver:
        driver.executescript(statement)
    with pytest.raises(Damaged, match=said):
        backup.verify(path)


def test_verification_finds_a_spoilt_page(path):
    opened = store.open(path)
    opened.observe([(record(f"{n:04}"), "feature") for n in range(500)], 1)
    opened.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096)
    with pytest.raises(Damaged):
        backup.verify(path)


def test_restoring_brings_back_and_keeps_what_was(path, copy):
    filled(path).close()
    backup.backup(path, copy)
    opened = store.open(path)
    opened.save_items([item("later")])
    opened.close()
    backup.restore(copy, path)
    opened = store.open(path)
    assert set(opened.items(["i1", "later"])) == {"i1"}
    assert opened.cursor("jira", "main") == CursorState(None, 1.0, sweep=3, filled=True)
    opened.close()
    kept = store.open(path.with_name("state.db.replaced"), read_only=True)
    assert set(kept.items(["i1", "later"])) == {"i1", "later"}
    kept.close()


def test_no_restore_takes_the_place_of_a_state_put_aside_before(path, copy):
    filled(path).close()
    backup.backup(path, copy)
    for day in ("monday", "tuesday", "wednesday"):
        opened = store.open(path)
        opened.save_items([item(day)])
        opened.close()
        backup.restore(copy, path)
    for name, day in (("", "monday"), ("-2", "tuesday"), ("-3", "wednesday")):
        kept = store.open(path.with_name(f"state.db.replaced{name}"), read_only=True)
        assert kept.items([day])
        kept.close()


def test_the_state_in_use_is_no_backup_of_itself(path):
    filled(path).close()
    before = path.read_bytes()
    with pytest.raises(UserError, match="is the state in use"):
        backup.restore(path, path)
    assert path.read_bytes() == before


def test_a_damaged_backup_is_told_as_one(path, copy):
    filled(path).close()
    backup.backup(path, copy)
    copy.write_bytes(copy.read_bytes()[:6000])
    with pytest.raises(Damaged) as told:
        backup.restore(copy, path)
    assert str(told.value).startswith(f"the backup {copy} is damaged (")
    assert str(told.value).endswith("this says nothing of the state in use: take another backup")
    assert backup.verify(path).items == 1


def test_restoring_keeps_what_a_crash_left_in_the_log(path, copy):
    filled(copy).close()
    crashed = filled(path, "only-in-the-log")
    names = ("state.db", "state.db-wal")
    contents = {name: path.with_name(name).read_bytes() for name in names}
    crashed.close()
    for name, content in contents.items():
        path.with_name(name).write_bytes(content)
    backup.restore(copy, path)
    kept = store.open(path.with_name("state.db.replaced"), read_only=True)
    assert kept.items(["only-in-the-log"])
    kept.close()
    opened = store.open(path)
    assert set(opened.items(["only-in-the-log", "i1"])) == {"i1"}
    opened.close()


def test_restoring_to_a_new_place(path, copy):
    filled(copy).close()
    backup.restore(copy, path)
    assert backup.verify(path).items == 1
    assert not path.with_name("state.db.replaced").exists()


def test_a_state_in_use_is_not_replaced(path, copy):
    filled(copy).close()
    opened = filled(path, "mine")
    with pytest.raises(Locked):
        backup.restore(copy, path)
    assert opened.items(["mine"])
    opened.close()


def test_a_bad_backup_replaces_nothing(path, copy):
    filled(path).close()
    before = path.read_bytes()
    copy.write_text("no database at all" * 400)
    with pytest.raises(Damaged):
        backup.restore(copy, path)
    with pytest.raises(UserError, match="check the path"):
        backup.restore(copy.with_name("none"), path)
    assert path.read_bytes() == before


STEPS = (("replace", Path), ("hardlink_to", Path), ("unlink", Path), ("fsync", os))


@pytest.mark.parametrize("at", range(1, 16))
def test_a_restore_that_ends_anywhere_leaves_a_state_or_the_other(path, copy, monkeypatch, at):
    filled(copy, "backed-up").close()
    filled(path, "at-work").close()
    steps = iter(range(1, 1000))

    def ending(original):
        def step(*arguments, **options):
            if next(steps) == at:
                raise KeyboardInterrupt
            return original(*arguments, **options)

        return step

    with monkeypatch.context() as ended:
        for name, place in STEPS:
            ended.setattr(place, name, ending(getattr(place, name)))
        with suppress(KeyboardInterrupt):
            backup.restore(copy, path)
    opened = store.open(path)
    (found,) = opened.items(["backed-up", "at-work"])
    assert (opened.document("restored") is not None) == (found == "backed-up")
    opened.close()
    assert backup.verify(copy).items == 1
    backup.restore(copy, path)
    assert backup.verify(path).items == 1


def test_an_empty_file_is_no_backup(tmp_path):
    empty = tmp_path / "empty.db"
    empty.touch()
    for use in (lambda: backup.verify(empty), lambda: backup.restore(empty, tmp_path / "s.db")):
        with pytest.raises(Damaged, match="it is empty"):
            use()
    assert not (tmp_path / "s.db").exists()


def test_a_person_can_say_that_a_state_was_put_back(path):
    with closing(filled(path)) as opened, pytest.raises(Locked):
        backup.declare(path)
    assert opened.path == path
    verified = backup.declare(path)
    assert (verified.items, verified.cycle) == (1, 1)
    with closing(store.open(path)) as opened:
        told = opened.document("restored")
        cursor = opened.cursor("jira", "main")
    assert told is not None
    assert (cursor.cursor, cursor.full_at, cursor.filled) == (None, None, True)
    with closing(store.open(path)) as opened:
        assert opened.document("restored") == told, "one epoch, not one for each opening"


def test_of_no_state_nothing_can_be_said(path):
    with pytest.raises(StateError, match="no state file"):
        backup.declare(path)
    assert not path.exists()
