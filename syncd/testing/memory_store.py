"""A state in memory that keeps the laws of the store: dictionaries, and a way back for each transaction.

Thousands of times faster to open than a file, which is what the simulator needs. `MemoryDisk` is what
outlives a process; a store that is left in the middle of a transaction leaves nothing of it there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from state.encode import dumps, loads, to_data
from syncd.core.errors import Locked, StateError
from syncd.core.fields import LEVELS
from syncd.core.identity import title_key
from syncd.core.model import (
    Cell,
    Conflict,
    CursorState,
    CycleReport,
    HistoryEntry,
    Intent,
    IntentState,
    Item,
    Notice,
    StoredRecord,
)
from syncd.core.records import Record
from syncd.testing.memory_tables import Rows, Tables, live

_UNREAD = CursorState()
_RANK = {level: rank for rank, level in enumerate(LEVELS)}
_SETTLED = (IntentState.CONFIRMED, IntentState.REFUTED)


class _Observations(Rows):
    """What was last seen of every record."""

    def observe(
        self, records: Sequence[tuple[Record, str | None]], sweep: int
    ) -> tuple[Record, ...]:
        """Store (record, level) pairs as just read; returns those that are new or differ."""
        news: dict[tuple[str, str], Record] = {}
        with self.transaction():
            for record, level in records:
                key = (record.connection, record.id)
                now = self._observed(self._rows("records").get(key), record, level)
                if now is not None:
                    self._put("records", key, now)
                    news[key] = now.record
                known = self._rows("records").get(key) if sweep > 0 else None
                if known is not None:
                    self._put("records", key, _listed(known, sweep))
        return tuple(news.values())

    def _observed(
        self, before: StoredRecord | None, record: Record, level: str | None
    ) -> StoredRecord | None:
        if before is None:
            return StoredRecord(record, level) if level is not None else None
        known = before.record
        if record.updated < known.updated:
            return None
        author = record.author
        if author is None and record.updated == known.updated:
            author = known.author
        marker = record.marker or known.marker
        whole = record
        if (author, marker) != (record.author, record.marker):
            whole = replace(record, author=author, marker=marker)
        if (whole, level) == (known, before.level):
            return None
        return replace(before, record=whole, level=level)

    def record(self, connection: str, record_id: str) -> StoredRecord | None:
        """Return one record."""
        found: StoredRecord | None = self._rows("records").get((connection, record_id))
        return found

    def records_of(self, items: Collection[str]) -> dict[str, dict[str, StoredRecord]]:
        """Return the linked records of items: item -> connection -> record; a live one wins."""
        wanted, found = set(items), dict[str, dict[str, StoredRecord]]()
        linked = [row for row in self._rows("records").items() if row[1].item in wanted]
        for (connection, _id), stored in sorted(linked, key=_first):
            of_item = found.setdefault(str(stored.item), {})
            if connection not in of_item or live(stored) or not live(of_item[connection]):
                of_item[connection] = stored
        return found

    def linked_items(self, connection: str, record_ids: Collection[str]) -> dict[str, str]:
        """Return record id -> item id of those that are linked."""
        rows = self._rows("records")
        found = {each: rows.get((connection, each)) for each in sorted(set(record_ids))}
        return {each: s.item for each, s in found.items() if s is not None and s.item is not None}

    def unlinked(
        self,
        level: str | None = None,
        connection: str | None = None,
        *,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[StoredRecord, ...]:
        """Return the live records with a level but no item, ordered by connection and id."""
        found = [
            stored
            for (of, record), stored in sorted(self._rows("records").items(), key=_first)
            if stored.item is None and stored.level is not None and live(stored)
            if connection is None or (of == connection and record > after)
            if level is None or stored.level == level
        ]
        return tuple(found[:limit])

    def unseen(self, connection: str, scope: str, sweep: int) -> tuple[StoredRecord, ...]:
        """Return the live records of a scope that the full read `sweep` did not list."""
        return tuple(each for each in self._in(connection, scope) if each.seen < sweep)

    def count(self, connection: str, scope: str) -> int:
        """Return how many live records with a level a scope holds."""
        return sum(each.level is not None for each in self._in(connection, scope))

    def _in(self, connection: str, scope: str) -> list[StoredRecord]:
        return [
            stored
            for (of, _id), stored in sorted(self._rows("records").items(), key=_first)
            if of == connection and stored.record.scope == scope and live(stored)
        ]

    def link(self, connection: str, record_id: str, item: str, how: str) -> None:
        """Link a record to an item."""
        key = (connection, record_id)
        self._put("records", key, replace(self._rows("records")[key], item=item, linked_how=how))

    def save_cells(self, connection: str, record_id: str, cells: Mapping[str, Cell]) -> None:
        """Replace what is known of these cells; other cells of the record stay."""
        stored = self._rows("records")[connection, record_id]
        after = {**stored.cells, **cells}
        if after != stored.cells:
            self._put("records", (connection, record_id), replace(stored, cells=after))

    def mark_gone(self, connection: str, record_id: str, since: float | None) -> None:
        """Note positive evidence that a record was deleted, or (None) that it is back."""
        stored = self.record(connection, record_id)
        if stored is not None:
            self._put("records", (connection, record_id), replace(stored, gone_since=since))


def _listed(known: StoredRecord, sweep: int) -> StoredRecord:
    """Return a record as listed by a full read; `replace` would take three times as long."""
    return StoredRecord(
        known.record,
        known.level,
        known.item,
        known.cells,
        known.linked_how,
        known.gone_since,
        sweep,
    )


def _first(pair: tuple[Any, Any]) -> Any:  # noqa: ANN401 - a key of any table
    return pair[0]


class _Items(_Observations):
    """The tree and the work set."""

    def items(self, ids: Collection[str]) -> dict[str, Item]:
        """Return items by id."""
        rows = self._rows("items")
        return {each: rows[each] for each in sorted(set(ids)) if each in rows}

    def _all_items(self) -> list[Item]:
        return [item for _id, item in sorted(self._rows("items").items(), key=_first)]

    def children(self, item: str) -> tuple[Item, ...]:
        """Return the children of an item, ordered by id."""
        return tuple(each for each in self._all_items() if each.parent == item)

    def aggregates(
        self, parents: Collection[str]
    ) -> Mapping[str, Sequence[Mapping[str, object] | None]]:
        """Return the aggregates of the children of items, by item."""
        found: dict[str, list[Mapping[str, object] | None]] = {}
        wanted = set(parents)
        for item in self._all_items():
            if item.parent is not None and item.parent in wanted:
                found.setdefault(item.parent, []).append(item.aggregate)
        return found

    def roots(self) -> tuple[Item, ...]:
        """Return the items without a parent, ordered by level and title."""
        return tuple(sorted((i for i in self._all_items() if i.parent is None), key=_place))

    def items_at(self, levels: Collection[str]) -> tuple[Item, ...]:
        """Return the items of these levels, ordered by level and title."""
        return tuple(sorted((i for i in self._all_items() if i.level in levels), key=_place))

    def gone_items(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of these items that had records, all of which are known to be deleted."""
        linked = [stored for stored in self._rows("records").values() if stored.item is not None]
        had = {str(stored.item) for stored in linked}
        alive = {stored.item for stored in linked if stored.gone_since is None}
        return frozenset((had - alive) & set(ids))

    def item_ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the ids of items after an id, in order."""
        return tuple(sorted(i for i in self._rows("items") if i > after)[:limit])

    def item_count(self) -> int:
        """Return how many items there are."""
        return len(self._rows("items"))

    def items_titled(self, level: str, title_key: str) -> tuple[str, ...]:
        """Return the ids of items of a level whose title key is this."""
        found = [i for i in self._all_items() if i.level == level and _title(i) == title_key]
        return tuple(item.id for item in found) if title_key else ()

    def find_items(self, text: str, limit: int = 20) -> tuple[Item, ...]:
        """Find items by id, key, record, URL, exact title, else by a part of the title."""
        wanted, title = text.strip(), title_key(text)
        if not title:
            return ()
        named = {
            stored.item
            for stored in self._rows("records").values()
            if title == title_key(stored.record.key)
            or wanted == stored.record.id
            or (stored.record.url and wanted.split("?")[0] == stored.record.url)
        }
        items = self._all_items()
        exact = [i for i in items if i.id == wanted or i.id in named]
        exact = exact or [i for i in items if _title(i) == title]
        part = sorted((i for i in items if title in _title(i)), key=lambda i: (_title(i), i.level))
        return tuple((exact or part)[:limit])

    def save_items(self, items: Sequence[Item]) -> None:
        """Insert or replace items."""
        with self.transaction():
            for item in items:
                self._put("items", item.id, item)

    def mark_dirty(self, items: Collection[str]) -> None:
        """Put items into the work set of the next plan."""
        with self.transaction():
            for item in sorted(set(items)):
                if item not in self._rows("dirty"):
                    self._put("dirty", item, True)  # noqa: FBT003

    def mark_all_dirty(self) -> None:
        """Put every item into the work set."""
        self.mark_dirty(list(self._rows("items")))

    def dirty(self) -> tuple[str, ...]:
        """Return the work set, ordered by id."""
        return tuple(sorted(self._rows("dirty")))

    def clear_dirty(self, items: Collection[str]) -> None:
        """Take items out of the work set."""
        with self.transaction():
            for item in sorted(set(items)):
                self._drop("dirty", item)


def _title(item: Item) -> str:
    title = item.fields.get("title")
    return title_key(title) if isinstance(title, str) else ""


def _place(item: Item) -> tuple[int, str, str, str]:
    return _RANK.get(item.level, len(_RANK)), item.level, _title(item), item.id


class MemoryStore(_Items):
    """The whole store."""

    def cursor(self, connection: str, scope: str) -> CursorState:
        """Return how far a scope has been read."""
        found: CursorState = self._rows("cursors").get((connection, scope), _UNREAD)
        return found

    def save_cursor(self, connection: str, scope: str, state: CursorState) -> None:
        """Remember how far a scope has been read."""
        self._put("cursors", (connection, scope), state)

    def intend(self, intents: Sequence[Intent]) -> None:
        """Write intents to the journal."""
        with self.transaction():
            for intent in intents:
                if intent.id in self._rows("intents"):
                    raise StateError(f"the intent {intent.id} is in the journal already")
                self._put("intents", intent.id, intent)

    def sent(self, intent: str, at: float) -> None:
        """Note that the request is about to leave."""
        known = self._rows("intents")[intent]
        self._put("intents", intent, replace(known, state=IntentState.SENT, sent_at=at))

    def settle(
        self, intent: str, state: IntentState, at: float, outcome: str | None = None
    ) -> None:
        """Note how an intent ended."""
        known = self._rows("intents")[intent]
        self._put("intents", intent, replace(known, state=state, settled_at=at, outcome=outcome))

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the intents that are neither confirmed nor refuted, oldest first."""
        return tuple(i for i in self._rows("intents").values() if i.state not in _SETTLED)

    def drop_planned(self) -> None:
        """Forget intents that were never sent."""
        with self.transaction():
            for intent in list(self._rows("intents").values()):
                if intent.state is IntentState.PLANNED:
                    self._drop("intents", intent.id)

    def save_conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Insert or replace conflicts by id."""
        with self.transaction():
            for conflict in conflicts:
                self._put("conflicts", conflict.id, conflict)

    def conflicts(
        self, *, open_only: bool = True, items: Collection[str] | None = None
    ) -> tuple[Conflict, ...]:
        """Return conflicts, oldest first."""
        found = [
            conflict
            for conflict in self._rows("conflicts").values()
            if not (open_only and conflict.resolved_at is not None)
            if items is None or conflict.item in items
        ]
        return tuple(sorted(found, key=lambda each: (each.opened_at, each.id)))

    def replace_notices(self, subject: str, notices: Sequence[Notice]) -> None:
        """Make these the notices of a subject; `since` of one that stays is kept."""
        if any(notice.subject != subject for notice in notices):
            raise ValueError(f"a notice of another subject is no notice of {subject}: {notices}")
        before: tuple[Notice, ...] = self._rows("notices").get(subject, ())
        alike = {(n.kind, n.field): n.since for n in reversed(before)}
        exact = {(n.kind, n.field, n.sentence): n.since for n in reversed(before)}
        after = tuple(
            replace(
                n,
                since=exact.get(
                    (n.kind, n.field, n.sentence), alike.get((n.kind, n.field), n.since)
                ),
            )
            for n in dict.fromkeys(notices)
        )
        if after != before and after:
            self._put("notices", subject, after)
        elif not after:
            self._drop("notices", subject)

    def notices(self) -> tuple[Notice, ...]:
        """Return all notices, oldest first."""
        every = [n for of_one in self._rows("notices").values() for n in of_one]
        return tuple(sorted(every, key=lambda notice: notice.since))

    def notice_count(self) -> int:
        """Return how many notices there are."""
        return sum(map(len, self._rows("notices").values()))

    def append_history(self, entries: Sequence[HistoryEntry]) -> None:
        """Append to the history."""
        with self.transaction():
            for entry in entries:
                self._append("history", entry)

    def history(
        self,
        item: str | None = None,
        field: str | None = None,
        limit: int = 200,
        since: float | None = None,
    ) -> tuple[HistoryEntry, ...]:
        """Return history, newest first."""
        found = [
            entry
            for entry in reversed(self._rows("history").values())
            if item in (None, entry.item) and field in (None, entry.field)
            if since is None or entry.at >= since
        ]
        return tuple(found[:limit])

    def next_cycle(self) -> int:
        """Return the number for a new cycle."""
        number = int(self._rows("meta").get("cycle", 0)) + 1
        self._put("meta", "cycle", number)
        return number

    def save_cycle(self, report: CycleReport) -> None:
        """Store a cycle's report."""
        self._put("cycles", report.number, report)

    def cycles(self, limit: int = 20) -> tuple[CycleReport, ...]:
        """Return reports, newest first."""
        ordered = sorted(self._rows("cycles").items(), key=_first, reverse=True)
        return tuple(report for _number, report in ordered[:limit])

    def document(self, name: str) -> object | None:
        """Return a stored JSON document."""
        text = self._rows("documents").get(name)
        return loads(text) if text is not None else None

    def save_document(self, name: str, value: object) -> None:
        """Store a JSON document."""
        text = dumps(to_data(value))
        if self._rows("documents").get(name) != text:
            self._put("documents", name, text)


@dataclass(slots=True)
class MemoryDisk(Tables):
    """What outlives a process: open it again after a crash."""

    def open(self) -> MemoryStore:
        """Open it for writing. Raises Locked while another store has it."""
        if self.locked:
            raise Locked("this state in memory is used by process 0: close the other store first")
        self.locked = True
        return MemoryStore(self)

    def reader(self) -> MemoryStore:
        """Open it for reading: every call sees what is committed."""
        return MemoryStore(self, read_only=True)
