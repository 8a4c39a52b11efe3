"""Both roads to the newest schema, and what happens when one is interrupted."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic.script import ScriptDirectory

from state import migrate, store, tables
from syncd.core.errors import StateError
from syncd.testing import vfs
from syncd.testing.builders import item


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def schema_of(driver):
    rows = driver.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {(kind, name): "".join((sql or "").split()) for kind, name, sql in rows}


def test_a_new_file_and_a_migrated_one_have_the_same_schema(path, tmp_path):
    new = store.open(path)
    bare = tmp_path / "bare.db"
    bare.touch()
    handle = store._handle(bare, store.file_uri(bare, "rw"), read_only=False)
    migrate.upgrade(handle.connection)
    assert schema_of(handle.driver) == schema_of(new._handle.driver)
    for pragma in ("user_version", "application_id"):
        (one,) = handle.driver.execute(f"PRAGMA {pragma}").fetchone()
        (two,) = new._handle.driver.execute(f"PRAGMA {pragma}").fetchone()
        assert one == two != 0
    revisions = "SELECT version_num FROM alembic_version"
    assert (
        handle.driver.execute(revisions).fetchall()
        == new._handle.driver.execute(revisions).fetchall()
        == [(migrate.revision(tables.SCHEMA),)]
    )
    handle.close()
    new.close()


def test_every_schema_has_its_migration():
    revisions = [each.revision for each in ScriptDirectory(str(migrate.SCRIPTS)).walk_revisions()]
    wanted = [migrate.revision(schema) for schema in range(tables.SCHEMA, 0, -1)]
    assert revisions == wanted


@pytest.mark.parametrize("times", [1, 2])
def test_a_new_and_a_present_file_cost_no_alembic(path, times):
    script = (
        "import sys; from pathlib import Path; from state import store\n"
        f"for _ in range({times}): store.open(Path(sys.argv[1])).close()\n"
        "print('alembic' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


NEW = tables.SCHEMA + 1
NEXT = f"""
from alembic import op

revision = "{migrate.revision(NEW)}"
down_revision = "{migrate.revision(tables.SCHEMA)}"


def upgrade():
    op.get_bind().exec_driver_sql("CREATE TABLE more (x TEXT) STRICT")
    op.get_bind().exec_driver_sql("UPDATE items SET level = 'moved'")
    {{last}}
"""


@pytest.fixture
def next_schema(tmp_path, monkeypatch):
    """Pretend that the program knows one schema more; returns what writes its migration."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts)
    real = migrate.upgrade
    monkeypatch.setattr(migrate, "upgrade", lambda connection: real(connection, scripts))
    monkeypatch.setattr(migrate, "SCHEMA", NEW)
    monkeypatch.setattr(store, "SCHEMA", NEW)
    return lambda last: (scripts / "versions" / "v9999_next.py").write_text(NEXT.format(last=last))


def old_state(path):
    opened = store.open(path)
    opened.save_items([item()])
    opened.close()


def test_an_older_state_is_migrated_and_a_copy_kept(path, tmp_path, request):
    old_state(path)
    request.getfixturevalue("next_schema")("pass")
    opened = store.open(path)
    assert [each.level for each in opened.roots()] == ["moved"]
    assert opened._handle.driver.execute("PRAGMA user_version").fetchone() == (NEW,)
    opened.close()
    with closing(sqlite3.connect(tmp_path / f"state.db.schema-{tables.SCHEMA}")) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (tables.SCHEMA,)
        assert kept.execute("SELECT level FROM items").fetchone() == ("feature",)
    store.open(path).close()


def test_an_interrupted_migration_leaves_the_old_file(path, request):
    old_state(path)
    with closing(sqlite3.connect(path)) as driver:
        before = schema_of(driver), list(driver.iterdump())
    request.getfixturevalue("next_schema")("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        store.open(path)
    with closing(sqlite3.connect(path)) as driver:
        assert (schema_of(driver), list(driver.iterdump())) == before
        assert driver.execute("PRAGMA user_version").fetchone() == (tables.SCHEMA,)


@pytest.mark.parametrize(("operation", "answer"), [("write", vfs.FULL), ("sync", vfs.SYNC_FAILS)])
def test_a_disk_that_fails_anywhere_in_a_migration_leaves_the_old_file(
    path, tmp_path, request, operation, answer
):
    old_state(path)
    old = path.read_bytes()
    request.getfixturevalue("next_schema")("pass")
    failed = 0
    for at in range(1, 60, 4):
        place = tmp_path / f"{at}"
        place.mkdir()
        (place / "state.db").write_bytes(old)
        calls = iter(range(1, 1_000_000))

        def refuse(what, _file, at=at, calls=calls):
            return answer if what == operation and next(calls) >= at else vfs.OK

        try:
            with vfs.watched(vfs.Failing(refuse)):
                store.open(place / "state.db").close()
        except StateError:
            failed += 1
            with closing(sqlite3.connect(place / "state.db")) as driver:
                (schema,) = driver.execute("PRAGMA user_version").fetchone()
                (level,) = driver.execute("SELECT level FROM items").fetchone()
                assert (schema, level) in ((tables.SCHEMA, "feature"), (NEW, "moved"))
        opened = store.open(place / "state.db")
        assert [each.level for each in opened.roots()] == ["moved"]
        opened.close()
    assert failed >= (1 if operation == "sync" else 8)


def test_the_migrations_are_part_of_the_package():
    files = {file.name for file in (migrate.SCRIPTS / "versions").glob("v*.py")}
    assert "v0001_first.py" in files
