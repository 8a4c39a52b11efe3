"""The tables of the state file, schema `SCHEMA`.

Rowid tables throughout: a payload in a WITHOUT ROWID table triples the file. Payloads come last in
their rows, so that the columns before them are read without the payload's overflow pages. When the
record of a read was last listed stands in a table of its own: a full read touches every record, and
rewriting the payloads with it would cost the size of the file each time. Items' payloads and records'
cells carry a seal (`state.encode.sealed`).
"""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    literal_column,
    text,
)
from sqlalchemy.schema import SchemaItem

SCHEMA = 2
"""The newest schema: PRAGMA user_version of a file, and a revision in state/migrations.

It covers the form of documents, too (`syncd.core.documents`): an older syncd refuses what it cannot read.
"""

APPLICATION_ID = 0x736E6364
"""PRAGMA application_id: "sncd"."""

metadata = MetaData()


def _table(name: str, *columns: SchemaItem, counted: bool = False) -> Table:
    return Table(name, metadata, *columns, sqlite_strict=True, sqlite_autoincrement=counted)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


meta = _table("meta", Column("name", Text, primary_key=True), _text("value"))

items = _table(
    "items",
    Column("number", Integer, primary_key=True),
    _text("id"),
    _text("level"),
    _text("origin"),
    _text("parent", null=True),
    _text("title_key", null=True),
    Column("version", Integer, nullable=False),
    _text("payload"),
    UniqueConstraint("id"),
)
Index("items_by_title", items.c.title_key, items.c.level)
Index("items_by_level", items.c.level, items.c.title_key)
Index("items_by_parent", items.c.parent, items.c.id)

dirty = _table("dirty", Column("item", Text, primary_key=True))

records = _table(
    "records",
    Column("number", Integer, primary_key=True),
    _text("connection"),
    _text("record"),
    _text("scope"),
    _text("level", null=True),
    Column(
        "item",
        Text,
        ForeignKey("items.id", deferrable=True, initially="DEFERRED"),
        nullable=True,
    ),
    _text("linked_how", null=True),
    Column("gone_since", REAL, nullable=True),
    Column("trashed", Integer, nullable=False),
    _text("updated"),
    _text("key"),
    _text("url"),
    _text("fingerprint"),
    _text("author", null=True),
    _text("marker", null=True),
    Column("cells", Text, nullable=False, server_default="{}"),
    _text("payload"),
    UniqueConstraint("record", "connection"),
)
live = records.c.gone_since.is_(None) & (records.c.trashed == literal_column("0"))
"""Condition: the record is neither known to be gone nor in the tool's trash."""
waiting = records.c.item.is_(None) & records.c.level.is_not(None) & live
"""Condition: the record is live and used by the mapping, but linked to no item."""

Index("records_live", records.c.connection, records.c.scope, records.c.level, sqlite_where=live)
Index("records_unlinked", records.c.connection, records.c.record, sqlite_where=waiting)
Index("records_by_item", records.c.item, sqlite_where=records.c.item.is_not(None))
Index(
    "records_by_key",
    text("key COLLATE NOCASE"),
    _table=records,
    sqlite_where=records.c.item.is_not(None),
)
Index("records_by_url", records.c.url, sqlite_where=records.c.item.is_not(None))

sightings = _table(
    "sightings",
    Column("record", Integer, ForeignKey("records.number"), primary_key=True),
    Column("sweep", Integer, nullable=False),
)

cursors = _table(
    "cursors",
    Column("connection", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    _text("payload"),
)

intents = _table(
    "intents",
    Column("number", Integer, primary_key=True),
    _text("id"),
    _text("item"),
    _text("state"),
    Column("sent_at", REAL, nullable=True),
    Column("settled_at", REAL, nullable=True),
    _text("outcome", null=True),
    _text("payload"),
    UniqueConstraint("id"),
)
unsettled = intents.c.state.in_(
    [literal_column(f"'{state}'") for state in ("planned", "sent", "unknown")]
)
"""Condition: the intent is neither confirmed nor refuted."""
Index("intents_open", intents.c.number, sqlite_where=unsettled)

conflicts = _table(
    "conflicts",
    Column("number", Integer, primary_key=True),
    _text("id"),
    _text("item"),
    Column("opened_at", REAL, nullable=False),
    Column("resolved_at", REAL, nullable=True),
    _text("payload"),
    UniqueConstraint("id"),
)
Index("conflicts_by_item", conflicts.c.item)
Index("conflicts_open", conflicts.c.opened_at, sqlite_where=conflicts.c.resolved_at.is_(None))

notices = _table(
    "notices",
    Column("number", Integer, primary_key=True),
    _text("subject"),
    _text("kind"),
    _text("field"),
    _text("sentence"),
    Column("since", REAL, nullable=False),
)
Index("notices_by_subject", notices.c.subject)

history = _table(
    "history",
    Column("number", Integer, primary_key=True),
    Column("at", REAL, nullable=False),
    _text("item"),
    _text("field"),
    _text("hash"),
    _text("payload"),
    counted=True,
)
Index("history_by_item", history.c.item)
Index("history_by_time", history.c.at)


def _protect_history(_table: Table, connection: Connection, **_options: object) -> None:
    for verb in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER history_no_{verb.lower()} BEFORE {verb} ON history "
            "BEGIN SELECT RAISE(ABORT, 'the history is never changed'); END"
        )


event.listen(history, "after_create", _protect_history)

cycles = _table("cycles", Column("number", Integer, primary_key=True), _text("payload"))

documents = _table("documents", Column("name", Text, primary_key=True), _text("payload"))
