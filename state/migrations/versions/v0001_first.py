"""The first schema.

A migration is a fact of the past: it stands on its own and never refers to `state.tables`.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE meta (
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (name)
    ) STRICT
    """,
    """
    CREATE TABLE items (
        number INTEGER NOT NULL,
        id TEXT NOT NULL,
        level TEXT NOT NULL,
        origin TEXT NOT NULL,
        parent TEXT,
        title_key TEXT,
        version INTEGER NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (number),
        UNIQUE (id)
    ) STRICT
    """,
    """
    CREATE TABLE dirty (
        item TEXT NOT NULL,
        PRIMARY KEY (item)
    ) STRICT
    """,
    """
    CREATE TABLE cursors (
        connection TEXT NOT NULL,
        scope TEXT NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (connection, scope)
    ) STRICT
    """,
    """
    CREATE TABLE intents (
        number INTEGER NOT NULL,
        id TEXT NOT NULL,
        item TEXT NOT NULL,
        state TEXT NOT NULL,
        sent_at REAL,
        settled_at REAL,
        outcome TEXT,
        payload TEXT NOT NULL,
        PRIMARY KEY (number),
        UNIQUE (id)
    ) STRICT
    """,
    """
    CREATE TABLE conflicts (
        number INTEGER NOT NULL,
        id TEXT NOT NULL,
        item TEXT NOT NULL,
        opened_at REAL NOT NULL,
        resolved_at REAL,
        payload TEXT NOT NULL,
        PRIMARY KEY (number),
        UNIQUE (id)
    ) STRICT
    """,
    """
    CREATE TABLE notices (
        number INTEGER NOT NULL,
        subject TEXT NOT NULL,
        kind TEXT NOT NULL,
        field TEXT NOT NULL,
        sentence TEXT NOT NULL,
        since REAL NOT NULL,
        PRIMARY KEY (number)
    ) STRICT
    """,
    """
    CREATE TABLE history (
        number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        item TEXT NOT NULL,
        field TEXT NOT NULL,
        hash TEXT NOT NULL,
        payload TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE cycles (
        number INTEGER NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (number)
    ) STRICT
    """,
    """
    CREATE TABLE documents (
        name TEXT NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (name)
    ) STRICT
    """,
    """
    CREATE TABLE records (
        number INTEGER NOT NULL,
        connection TEXT NOT NULL,
        record TEXT NOT NULL,
        scope TEXT NOT NULL,
        level TEXT,
        item TEXT,
        linked_how TEXT,
        gone_since REAL,
        trashed INTEGER NOT NULL,
        updated TEXT NOT NULL,
        "key" TEXT NOT NULL,
        url TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        author TEXT,
        marker TEXT,
        cells TEXT DEFAULT '{}' NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (number),
        UNIQUE (record, connection),
        FOREIGN KEY(item) REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED
    ) STRICT
    """,
    """
    CREATE TABLE sightings (
        record INTEGER NOT NULL,
        sweep INTEGER NOT NULL,
        PRIMARY KEY (record),
        FOREIGN KEY(record) REFERENCES records (number)
    ) STRICT
    """,
    """
    CREATE INDEX items_by_parent ON items (parent, id)
    """,
    """
    CREATE INDEX items_by_title ON items (title_key, level)
    """,
    """
    CREATE INDEX items_by_level ON items (level, title_key)
    """,
    """
    CREATE INDEX intents_open ON intents (number)
    WHERE state IN ('planned', 'sent', 'unknown')
    """,
    """
    CREATE INDEX conflicts_by_item ON conflicts (item)
    """,
    """
    CREATE INDEX conflicts_open ON conflicts (opened_at) WHERE resolved_at IS NULL
    """,
    """
    CREATE INDEX notices_by_subject ON notices (subject)
    """,
    """
    CREATE INDEX history_by_time ON history (at)
    """,
    """
    CREATE INDEX history_by_item ON history (item)
    """,
    """
    CREATE TRIGGER history_no_update BEFORE UPDATE ON history
    BEGIN SELECT  RAISE(ABORT, 'the history is never changed'); END
    """,
    """
    CREATE TRIGGER history_no_delete BEFORE DELETE ON history
    BEGIN SELECT  RAISE(ABORT, 'the history is never changed'); END
    """,
    """
    CREATE INDEX records_by_item ON records (item) WHERE item IS NOT NULL
    """,
    """
    CREATE INDEX records_unlinked ON records (connection, record)
    WHERE item IS NULL AND level IS NOT NULL
    AND gone_since IS NULL AND trashed = 0
    """,
    """
    CREATE INDEX records_by_key ON records (key COLLATE NOCASE) WHERE item IS NOT NULL
    """,
    """
    CREATE INDEX records_live ON records (connection, scope, level)
    WHERE gone_since IS NULL AND trashed = 0
    """,
    """
    CREATE INDEX records_by_url ON records (url) WHERE item IS NOT NULL
    """,
)


def upgrade() -> None:
    """Create everything."""
    connection = op.get_bind()
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement)
