"""Documents have the form their readers rely on, one number covers it, and damage is one sentence."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing

import pytest

from state import backup, store
from state.encode import digest
from state.tables import SCHEMA
from syncd.core.documents import FORMS, describe, fault
from syncd.core.errors import Damaged
from syncd.core.model import Cell
from syncd.testing.builders import item, record

PINNED = {2: "6990cd9898c1ff29a332b4937fc94967"}
"""Schema -> digest of the form of all documents."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def change(path, statement, *values):
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        driver.execute(statement, values)


def test_a_document_s_form_changes_only_with_the_schema():
    now = digest("\n".join(f"{name} {describe(form)}" for name, form in FORMS.items()).encode())
    assert PINNED.get(SCHEMA) == now, (
        "the form of a document has changed: add a schema with a migration of the documents "
        "(state/migrations), so that an older syncd refuses the file, then pin the form here"
    )


HOSTILE = [
    "", "nonsense", "null", "true", "7", '"text"', "[]", "[[]]", "[1]", "[null]", "{}", '{"page": 3}',
    '{"now": 5, "past": {}}', '{"now": [{"kind": []}], "past": []}', '{"held": {}}', '{"held": null}',
    '{"persons": [{}], "ambiguous": 1}', '{"jira": {"me": 5}}', '{"checksum": 5, "changes": []}',
    '[["a", "b", "c", {}]]', '[{"until": "soon"}]', '{"page": "p", "blocks": [["a"]]}', '{"surveyed_at": []}',
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_document_of_another_form_is_one_sentence(path, name):
    name = f"{name}x:y" if name.endswith(":") else name
    opened = store.open(path)
    opened.close()
    refused = 0
    for text in HOSTILE:
        change(path, "INSERT OR REPLACE INTO documents VALUES (?, ?)", name, text)
        with closing(store.open(path, read_only=True)) as opened:
            try:
                opened.document(name)
            except Damaged as error:
                refused += 1
                sentence = str(error)
                assert sentence.startswith(f"the state file {path} is damaged (document {name!r}")
                assert "`syncd state restore`" in sentence
                with pytest.raises(Damaged):
                    backup.verify(path)
            else:
                assert backup.verify(path)
    assert refused >= len(HOSTILE) / 2


def test_what_has_no_form_or_another_is_not_saved(path):
    with closing(store.open(path)) as opened:
        with pytest.raises(TypeError, match="'nobody' cannot be saved: it has no form"):
            opened.save_document("nobody", 1)
        with pytest.raises(TypeError, match="'today' cannot be saved: the whole is 1 where a text"):
            opened.save_document("today", 1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"now": [], "past": 3}, ".past is 3 where a list belongs"),
        ({"now": []}, "the whole has no 'past'"),
        ({"now": [], "past": [], "later": []}, "the whole has unknown 'later'"),
        ([], "the whole is a list where an object belongs"),
    ],
)
def test_a_fault_says_where_it_is(data, said):
    assert fault(FORMS["held"], data) == said


def test_every_flipped_bit_in_an_item_or_a_cell_of_a_file_in_use_is_found(path):
    with closing(store.open(path)) as opened:
        opened.observe([(record(), "feature")], 1)
        opened.save_items([item("i1")])
        opened.link("jira", "1", "i1", "origin")
        opened.save_cells("jira", "1", {"due": Cell("2026-01-01", "2026-02-02", has_sent=True)})
    assert backup.verify(path)
    chance = random.Random(1)
    for table, column in (("items", "payload"), ("records", "cells")):
        with closing(sqlite3.connect(path)) as driver:
            (sound,) = driver.execute(f"SELECT {column} FROM {table}").fetchone()
        for _ in range(40):
            spoilt = bytearray(sound.encode())
            spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(7)
            change(path, f"UPDATE {table} SET {column} = ?", bytes(spoilt).decode())
            with pytest.raises(Damaged, match="is not what was stored"):
                backup.verify(path)
        change(path, f"UPDATE {table} SET {column} = ?", sound)
    change(path, "UPDATE items SET version = version + 1")
    with pytest.raises(Damaged, match="item i1 is not what was stored"):
        backup.verify(path)


def test_documents_of_the_first_schema_are_brought_into_form(path):
    store.open(path).close()
    held = {"kind": "plan", "connection": "jira", "scope": "s", "name": "site", "checksum": "c",
            "why": "w", "creates": 1, "updates": 0, "changes": {"create i": ["d", "t"]}}  # fmt: skip
    word = {"checksum": "c", "kind": "plan", "connection": "jira", "scope": "s", "name": "site",
            "by": "ann", "at": 1.0, "until": 2.0, "changes": {}}  # fmt: skip
    page = {
        "page": "p",
        "blocks": [["k", "bullet", "b", "s"]],
        "busy": False,
        "day": "",
        "as_of": 0,
    }
    old = {"held": {"now": [held], "past": [held]}, "approvals": [word], "page:notion:Roadmap": page,
           "short:jira:s": {"accepted": 3, "held": held}, "short:notion:s": None}  # fmt: skip
    for name, data in old.items():
        change(path, "INSERT INTO documents VALUES (?, ?)", name, json.dumps(data))
    change(path, "UPDATE alembic_version SET version_num = '0001'")
    change(path, "PRAGMA user_version = 1")
    with closing(store.open(path)) as opened:
        assert opened.document("page:notion:Roadmap") == {**page, "lost": []}
        for name in old:
            opened.save_document(name, opened.document(name))
    assert backup.verify(path).schema == SCHEMA
