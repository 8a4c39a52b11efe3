"""The history of all cells: only appended to, each entry sealed with the one before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, insert, literal_column, select, text

from state.encode import dumps, from_data, loads, scrub, to_data
from state.faults import damaged
from state.session import AnyRow, Session
from state.tables import history
from syncd.core.model import HistoryEntry

BEGINNING = "0" * 32
"""What stands for the hash before the first entry."""

_APPEND = insert(history)
_LAST = select(history.c.hash).order_by(history.c.number.desc()).limit(1)
_NEWEST_FIRST = select(history.c.payload).order_by(history.c.number.desc())
# The sign keeps SQLite from walking back through the whole history for the few entries of a day.
_RECENT = select(history.c.payload).order_by(literal_column("+history.number").desc())
_PORTION = 5_000
_CHAIN = select(
    history.c.number,
    history.c.at,
    history.c.item,
    history.c.field,
    history.c.hash,
    history.c.payload,
).order_by(history.c.number)
_EVER = text("SELECT seq FROM sqlite_sequence WHERE name = 'history'")


def seal(previous: str, payload: str) -> str:
    """Return the hash of an entry: of the hash before it and its own canonical JSON."""
    return hashlib.blake2b(f"{previous}{payload}".encode(), digest_size=16).hexdigest()


class History(Session):
    """The part of the store that keeps the history."""

    def append_history(self, entries: Sequence[HistoryEntry]) -> None:
        """Append to the history, which is never changed."""
        if not entries:
            return
        with self.transaction():
            last = self._first(_LAST)
            self._do(_APPEND, list(_sealed(last[0] if last else BEGINNING, entries)))

    def history(
        self,
        item: str | None = None,
        field: str | None = None,
        limit: int = 200,
        since: float | None = None,
    ) -> tuple[HistoryEntry, ...]:
        """Return history, newest first: of an item, a field, from a moment (epoch seconds) on."""
        query: Select[Any] = _RECENT if since is not None and item is None else _NEWEST_FIRST
        if item is not None:
            query = query.where(history.c.item == item)
        if field is not None:
            query = query.where(history.c.field == field)
        if since is not None:
            query = query.where(history.c.at >= since)
        return tuple(
            from_data(HistoryEntry, loads(row[0])) for row in self._all(query.limit(limit))
        )

    def verify_history(self) -> int:
        """Check the chain; returns how many entries it has.

        Damaged when an entry was changed or lost, at the end too.
        """
        previous, number = BEGINNING, 0
        with self.transaction():
            for row in self._chain():
                previous, number = self._verified(row, previous, number + 1), number + 1
            ever = self._first(_EVER)
        if ever is not None and ever[0] != number:
            raise damaged(self.path, f"its history ends at entry {number} of {ever[0]}")
        return number

    def _chain(self) -> Iterator[AnyRow]:
        """Walk through the chain in portions, so that its length costs no memory."""
        last = 0
        while rows := self._all(_CHAIN.where(history.c.number > last).limit(_PORTION)):
            yield from rows
            last = rows[-1][0]

    def _verified(self, row: AnyRow, previous: str, number: int) -> str:
        found, at, item, field, sealed, payload = row
        if found != number:
            raise damaged(self.path, f"entry {number} of its history is missing")
        data = loads(payload)
        if sealed != seal(previous, payload) or (at, item, field) != (
            data["at"],
            data["item"],
            data["field"],
        ):
            raise damaged(self.path, f"entry {number} of its history was changed afterwards")
        return str(sealed)


def _sealed(previous: str, entries: Iterable[HistoryEntry]) -> Iterator[dict[str, object]]:
    for entry in entries:
        payload = dumps(to_data(entry)).decode()
        previous = seal(previous, payload)
        yield {
            "at": entry.at,
            "item": entry.item,
            "field": scrub(entry.field),
            "hash": previous,
            "payload": payload,
        }
