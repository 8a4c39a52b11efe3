"""A store opened beside a running daemon: one small write, and nothing else of the file is touched."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

import state.store
from syncd.core.errors import StateError, TooNew


def value(path, statement):
    with closing(sqlite3.connect(path)) as file:
        return file.execute(statement).fetchone()[0]


def clean(path):
    return value(path, "SELECT value FROM meta WHERE name = 'clean'")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "state.db"
    state.store.open(path).close()
    return path


def test_it_writes_while_a_daemon_holds_the_lock(path):
    with closing(state.store.open(path)) as daemon:
        with closing(state.store.open(path, beside=True)) as other:
            other.save_document("today", "from beside")
        assert daemon.document("today") == "from beside"
        assert clean(path) == "0", "whether the file needs a check is for the holder to say"
    assert clean(path) == "1"


def test_it_takes_no_lock_of_its_own(path):
    with closing(state.store.open(path, beside=True)):
        state.store.open(path).close()
    assert clean(path) == "1"


def test_it_makes_no_file_and_migrates_none(tmp_path, path):
    with pytest.raises(StateError, match="run `syncd run --once` first"):
        state.store.open(tmp_path / "none.db", beside=True)
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "empty.db").touch()
    for options in ({"beside": True}, {"read_only": True}):
        with pytest.raises(StateError, match="there is nothing in the state file"):
            state.store.open(tmp_path / "empty.db", **options)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(TooNew):
        state.store.open(path, beside=True)
    assert value(path, "PRAGMA user_version") == 99
