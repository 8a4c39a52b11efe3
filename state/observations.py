"""What was last seen of every record, what it is linked to, and its cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Update, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from state.encode import cells_json, digest, from_data, loads, record_json, scrub, sealed
from state.session import CHUNK, AnyRow, Session, chunks
from state.tables import live, records, sightings, waiting
from syncd.core.model import Cell, StoredRecord
from syncd.core.records import Record

_KNOWN = select(
    records.c.record,
    records.c.fingerprint,
    records.c.level,
    records.c.updated,
    records.c.author,
    records.c.marker,
).where(
    records.c.connection == bindparam("connection"),
    records.c.record.in_(bindparam("ids", expanding=True)),
)

_NEW = insert(records)
_OBSERVE = _NEW.on_conflict_do_update(
    index_elements=["record", "connection"],
    set_={
        name: _NEW.excluded[name]
        for name in (
            "scope",
            "level",
            "trashed",
            "updated",
            "key",
            "url",
            "fingerprint",
            "author",
            "marker",
            "payload",
        )
    },
)

_SIGHTING = insert(sightings).from_select(
    ["record", "sweep"],
    select(records.c.number, bindparam("sweep")).where(
        records.c.connection == bindparam("connection"),
        records.c.record.in_(bindparam("ids", expanding=True)),
    ),
)
_SEEN = _SIGHTING.on_conflict_do_update(
    index_elements=["record"], set_={"sweep": _SIGHTING.excluded.sweep}
)

_seen = func.coalesce(sightings.c.sweep, 0)
_STORED = select(
    records.c.payload,
    records.c.level,
    records.c.item,
    records.c.cells,
    records.c.linked_how,
    records.c.gone_since,
    _seen,
    records.c.author,
    records.c.marker,
).select_from(records.outerjoin(sightings, sightings.c.record == records.c.number))

_this = (records.c.connection == bindparam("connection_")) & (
    records.c.record == bindparam("record_")
)
_ONE = _STORED.where(_this)
_OF_ITEMS = (
    _STORED.add_columns(records.c.connection)
    .where(records.c.item.in_(bindparam("ids", expanding=True)))
    .order_by(records.c.item, records.c.connection, records.c.record)
)
_LINKED = select(records.c.record, records.c.item).where(
    records.c.connection == bindparam("connection"),
    records.c.record.in_(bindparam("ids", expanding=True)),
    records.c.item.is_not(None),
)
_UNLINKED = _STORED.where(waiting).order_by(records.c.connection, records.c.record)
_in_scope = (records.c.connection == bindparam("connection")) & (
    records.c.scope == bindparam("scope")
)
_UNSEEN = _STORED.where(_in_scope, live, _seen < bindparam("sweep")).order_by(records.c.record)
_COUNT = select(func.count()).where(_in_scope, live, records.c.level.is_not(None))

_LINK = update(records).where(_this).values(item=bindparam("item"), linked_how=bindparam("how"))
_CELLS = select(records.c.cells).where(_this)
_SAVE_CELLS = update(records).where(_this).values(cells=bindparam("cells"))
_GONE = update(records).where(_this).values(gone_since=bindparam("since"))


@dataclass(frozen=True, slots=True)
class _Incoming:
    """A record as read, with its canonical form."""

    record: Record
    level: str | None
    payload: bytes
    fingerprint: str

    def known(self) -> _Known:
        """Return what the next reading will be compared with."""
        record = self.record
        return _Known(self.fingerprint, self.level, record.updated, record.author, record.marker)

    def row(self) -> dict[str, object]:
        """Return the columns that an observation sets."""
        record = self.record
        return {
            "connection": record.connection,
            "record": record.id,
            "scope": record.scope,
            "level": self.level,
            "trashed": int(record.trashed),
            "updated": record.updated,
            "key": scrub(record.key),
            "url": scrub(record.url),
            "fingerprint": self.fingerprint,
            "author": record.author,
            "marker": record.marker,
            "payload": self.payload.decode(),
        }


@dataclass(frozen=True, slots=True)
class _Known:
    """What decides whether a record as read is news."""

    fingerprint: str
    level: str | None
    updated: str
    author: str | None
    marker: str | None

    def completed(self, record: Record) -> Record:
        """Fill in what this reading was not told: marker, and author of the same version."""
        marker = record.marker or self.marker
        author = record.author
        if author is None and record.updated == self.updated:
            author = self.author
        if (author, marker) == (record.author, record.marker):
            return record
        return replace(record, author=author, marker=marker)


class Observations(Session):
    """The part of the store that keeps records."""

    def observe(
        self, records: Sequence[tuple[Record, str | None]], sweep: int
    ) -> tuple[Record, ...]:
        """Store (record, level) pairs as just read; returns those that are new or differ.

        A record counts once, in its last form, when it comes several times. No marker, and no
        author of a version already known, means that this way of reading does not tell: what is
        known stays.
        """
        by_connection: dict[str, list[_Incoming]] = defaultdict(list)
        for record, level in records:
            payload = record_json(record)
            by_connection[record.connection].append(
                _Incoming(record, level, payload, digest(payload))
            )
        news: list[Record] = []
        with self._guard:
            for connection, incoming in by_connection.items():
                for start in range(0, len(incoming), CHUNK):
                    part = incoming[start : start + CHUNK]
                    news += self._observe_part(connection, part, sweep)
        return tuple({(record.connection, record.id): record for record in news}.values())

    def _observe_part(
        self, connection: str, incoming: Sequence[_Incoming], sweep: int
    ) -> Iterable[Record]:
        ids = [each.record.id for each in incoming]
        rows = self._all(_KNOWN, {"connection": connection, "ids": ids})
        known = {row[0]: _Known(*row[1:]) for row in rows}
        news = _news(known, incoming)
        if news:
            self._do(_OBSERVE, [each.row() for each in news.values()])
        if sweep > 0:
            self._do(_SEEN, {"connection": connection, "ids": ids, "sweep": sweep})
        return [each.record for each in news.values()]

    def record(self, connection: str, record_id: str) -> StoredRecord | None:
        """Return one record."""
        row = self._first(_ONE, _key(connection, record_id))
        return _stored(row) if row else None

    def records_of(self, items: Collection[str]) -> dict[str, dict[str, StoredRecord]]:
        """Return the linked records of items: item -> connection -> record.

        Should an item have two records in one connection, a live one wins, then the greater id.
        """
        found: dict[str, dict[str, StoredRecord]] = defaultdict(dict)
        for ids in chunks(items):
            for row in self._all(_OF_ITEMS, {"ids": ids}):
                stored, of_item = _stored(row), found[row[2]]
                if row[-1] not in of_item or not _is_gone(stored) or _is_gone(of_item[row[-1]]):
                    of_item[row[-1]] = stored
        return dict(found)

    def linked_items(self, connection: str, record_ids: Collection[str]) -> dict[str, str]:
        """Return record id -> item id of those that are linked."""
        found: dict[str, str] = {}
        for ids in chunks(record_ids):
            rows = self._all(_LINKED, {"connection": connection, "ids": ids})
            found.update({row[0]: row[1] for row in rows})
        return found

    def unlinked(
        self,
        level: str | None = None,
        connection: str | None = None,
        *,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[StoredRecord, ...]:
        """Return the live records with a level but no item, ordered by connection and id."""
        query = _UNLINKED
        if connection is not None:
            query = query.where(records.c.connection == connection, records.c.record > after)
        if level is not None:
            query = query.where(records.c.level == level)
        return tuple(map(_stored, self._all(query.limit(limit))))

    def unseen(self, connection: str, scope: str, sweep: int) -> tuple[StoredRecord, ...]:
        """Return the live records of a scope that the full read `sweep` did not list."""
        place = {"connection": connection, "scope": scope, "sweep": sweep}
        return tuple(map(_stored, self._all(_UNSEEN, place)))

    def count(self, connection: str, scope: str) -> int:
        """Return how many live records with a level a scope holds."""
        row = self._first(_COUNT, {"connection": connection, "scope": scope})
        return int(row[0]) if row else 0

    def link(self, connection: str, record_id: str, item: str, how: str) -> None:
        """Link a record to an item. KeyError when the record was never observed.

        The item has to exist by the end of the transaction.
        """
        self._change(_LINK, connection, record_id, {"item": item, "how": how})

    def save_cells(self, connection: str, record_id: str, cells: Mapping[str, Cell]) -> None:
        """Replace what is known of these cells; other cells of the record stay.

        KeyError when the record was never observed.
        """
        with self._guard:
            row = self._first(_CELLS, _key(connection, record_id))
            if row is None:
                raise KeyError((connection, record_id))
            before = row[0]
            after = sealed(cells_json({**_cells(before), **cells}), connection, record_id)
            if after != before:
                self._change(_SAVE_CELLS, connection, record_id, {"cells": after})

    def mark_gone(self, connection: str, record_id: str, since: float | None) -> None:
        """Note that a record was deleted, or (None) is back; an unknown one is no matter."""
        self._do(_GONE, {**_key(connection, record_id), "since": since})

    def _change(
        self,
        statement: Update,
        connection: str,
        record_id: str,
        values: Mapping[str, object],
    ) -> None:
        if not self._do(statement, {**_key(connection, record_id), **values}):
            raise KeyError((connection, record_id))


def _news(known: dict[str, _Known], incoming: Sequence[_Incoming]) -> dict[str, _Incoming]:
    """Return the last form, by record id, of those that are new or differ.

    `known` is brought up to date with them.
    """
    news: dict[str, _Incoming] = {}
    for each in incoming:
        before = known.get(each.record.id)
        if before is None:
            if each.level is None:
                continue
        elif each.record.updated < before.updated:
            continue
        now = each if before is None else replace(each, record=before.completed(each.record))
        after = now.known()
        if after != before:
            known[now.record.id] = after
            news[now.record.id] = now
    return news


def _key(connection: str, record_id: str) -> dict[str, object]:
    return {"connection_": connection, "record_": record_id}


def _cells(payload: str) -> dict[str, Cell]:
    return {name: from_data(Cell, data) for name, data in loads(payload).items() if name != "#"}


def _is_gone(stored: StoredRecord) -> bool:
    return stored.gone_since is not None or stored.record.trashed


def _stored(row: AnyRow) -> StoredRecord:
    return StoredRecord(
        record=from_data(Record, {**loads(row[0]), "author": row[7], "marker": row[8]}),
        level=row[1],
        item=row[2],
        cells=_cells(row[3]),
        linked_how=row[4],
        gone_since=row[5],
        seen=row[6],
    )
