"""A state notices that it is an older one, however it came to its place."""

from __future__ import annotations

import shutil

import pytest

from state import backup, epoch, store
from syncd.core.model import CursorState
from syncd.testing.builders import item

READ = CursorState("there", 1.0, full_at=1.0, sweep=3, filled=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def cycles(path, count):
    """Let a daemon work for some cycles, each of which reads everything to its end."""
    opened = store.open(path)
    for _ in range(count):
        opened.next_cycle()
    opened.save_cursor("jira", "main", READ)
    opened.save_document("restored", None)
    opened.close()


def is_older(path):
    opened = store.open(path)
    told, cursor = opened.document("restored"), opened.cursor("jira", "main")
    opened.close()
    assert (told is None) == (cursor == READ), "what is put back is read anew"
    return told is not None


def test_a_state_at_work_is_not_an_older_one(path):
    for _ in range(3):
        cycles(path, 2)
        assert not is_older(path)


def test_a_copy_of_last_week_is_noticed_and_noticed_once(path, tmp_path):
    cycles(path, 2)
    shutil.copyfile(path, tmp_path / "copy.db")
    cycles(path, 1)
    shutil.copyfile(tmp_path / "copy.db", path)
    assert is_older(path)
    cycles(path, 1)
    assert not is_older(path)


def test_a_state_of_another_place_is_noticed(path, tmp_path):
    cycles(path, 1)
    cycles(tmp_path / "other.db", 5)
    shutil.copyfile(tmp_path / "other.db", path)
    assert is_older(path)


def test_a_state_that_was_deleted_begins_anew(path):
    cycles(path, 3)
    path.unlink()
    opened = store.open(path)
    assert opened.document("restored") is None
    opened.save_items([item()])
    opened.next_cycle()
    opened.close()
    opened = store.open(path)
    assert opened.document("restored") is None
    opened.close()


def test_a_restored_backup_begins_one_new_epoch(path, tmp_path):
    cycles(path, 2)
    backup.backup(path, tmp_path / "copy.db")
    cycles(path, 2)
    backup.restore(tmp_path / "copy.db", path)
    assert is_older(path)
    opened = store.open(path)
    told = opened.document("restored")
    opened.next_cycle()
    opened.close()
    opened = store.open(path)
    assert opened.document("restored") == told
    opened.close()


@pytest.mark.parametrize("content", ["", "no epoch at all", "abc x", "\xff"])
def test_a_note_that_cannot_be_read_says_nothing(path, content):
    cycles(path, 2)
    epoch.note_path(path).write_text(content, "latin1")
    assert not is_older(path)
