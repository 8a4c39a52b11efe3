"""A file's schema brought to the newest one: created whole when new, else migrated step by step.

Alembic costs a second to import, so it is imported only when a file really is of an older schema.
Everything happens in one transaction: an interrupted migration leaves the old file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from state.tables import APPLICATION_ID, SCHEMA, metadata

if TYPE_CHECKING:
    from alembic.runtime.migration import RevisionStep

SCRIPTS = Path(__file__).parent / "migrations"

_STAMP = """
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
"""  # noqa: W291 - letter by letter what Alembic creates


def revision(schema: int) -> str:
    """Return the name of the migration that leads to a schema."""
    return f"{schema:04}"


def create(connection: Connection) -> None:
    """Create the newest schema in an empty file."""
    with _transaction(connection):
        connection.exec_driver_sql(_STAMP)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (revision(SCHEMA),))
        metadata.create_all(connection, checkfirst=False)
        _mark(connection)


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """All or nothing. SQLAlchemy has to know of it, or Alembic would begin and end its own."""
    with connection.begin():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield


def _mark(connection: Connection) -> None:
    """Write into the file's header whose it is and which schema it has."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")


def upgrade(connection: Connection, scripts: Path = SCRIPTS) -> None:
    """Run the migrations the file lacks."""
    from alembic.config import Config  # noqa: PLC0415 - see above
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    directory = ScriptDirectory(str(scripts))

    def steps(present: str, _context: object) -> list[RevisionStep]:
        return directory._upgrade_revs("head", present)  # noqa: SLF001 - as Alembic's own command does

    with (
        _transaction(connection),
        EnvironmentContext(Config(), directory, fn=steps, destination_rev="head") as environment,
    ):
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()
        _mark(connection)
