"""The chain of the history."""
# ruff: noqa: PT012 - what happens inside a transaction is several statements

from __future__ import annotations

import sqlite3

import pytest

from state import store
from state.history import BEGINNING, seal
from syncd.core.errors import Damaged, StateError
from syncd.testing.builders import entry


@pytest.fixture
def opened():
    opened = store.open(store.MEMORY)
    opened.append_history([entry("i1", at=1.0), entry("i2", at=2.0)])
    opened.append_history([entry("i1", "title", at=3.0)])
    yield opened
    opened.close()


def tamper(opened, statement):
    driver = opened._handle.driver
    for verb in ("update", "delete"):
        driver.execute(f"DROP TRIGGER history_no_{verb}")
    driver.execute(statement)


def test_the_chain_can_be_recomputed_by_anyone(opened):
    rows = opened._handle.driver.execute("SELECT hash, payload FROM history ORDER BY number")
    previous = BEGINNING
    for sealed, payload in rows:
        previous = seal(previous, payload)
        assert sealed == previous
    assert opened.verify_history() == 3


def test_an_empty_history_verifies():
    opened = store.open(store.MEMORY)
    assert opened.verify_history() == 0
    opened.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE history SET payload = replace(payload, 'i2', 'i3') WHERE number = 2", "entry 2"),
        ("UPDATE history SET item = 'i9' WHERE number = 3", "entry 3 .* changed"),
        ("DELETE FROM history WHERE number = 2", "entry 2 .* missing"),
        ("DELETE FROM history WHERE number = 3", "ends at entry 2 of 3"),
        ("DELETE FROM history", "ends at entry 0 of 3"),
    ],
)
def test_a_changed_history_is_found(opened, statement, said):
    tamper(opened, statement)
    with pytest.raises(Damaged, match=said):
        opened.verify_history()


def test_an_undone_append_leaves_no_gap(opened):
    with pytest.raises(ZeroDivisionError), opened.transaction():
        opened.append_history([entry()])
        raise ZeroDivisionError
    opened.append_history([entry()])
    assert opened.verify_history() == 4


@pytest.mark.parametrize("statement", ["UPDATE history SET at = 0", "DELETE FROM history"])
def test_the_database_itself_refuses_changes(opened, statement):
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        opened._handle.driver.execute(statement)


def test_the_history_is_long_and_read_in_portions(opened, monkeypatch):
    monkeypatch.setattr("state.history._PORTION", 2)
    opened.append_history([entry(at=float(n)) for n in range(7)])
    assert opened.verify_history() == 10
    tamper(opened, "UPDATE history SET hash = 'x' WHERE number = 8")
    with pytest.raises(StateError, match="entry 8"):
        opened.verify_history()
