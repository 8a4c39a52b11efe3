"""What the engine needs from the world.

Real and fake implementations keep the same laws (`syncd.testing.adapter_laws`, `store_laws`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

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
from syncd.core.records import Answer, Draft, Edit, LogEntry, Page, Record, Schema, Scope
from syncd.core.views import PageBlock


class Clock(Protocol):
    """Time as seen by this process."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never steps back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; returns early when the process is asked to stop."""
        ...


class Adapter(Protocol):
    """One connection to one service.

    Every method may raise `Temporary` or `Permanent` errors of `syncd.core.errors`; a write that may
    have taken effect without an answer raises with `maybe_applied=True`. One call of `create` or
    `update` sends one writing request at most once; reads are retried inside.
    """

    connection: str
    keeps_log: bool  # the service can tell who changed what, and when: see `log`

    def discover(self, containers: Sequence[str]) -> Schema:
        """Read what the service offers. `containers` are names, keys or ids as people write them.

        A name that does not exist is simply not among the result's fields; the caller words the error.
        Raises NotAllowed when the credential is wrong.
        """
        ...

    def recall(self, schema: Schema) -> None:
        """Take up what an earlier `discover` found, so that it need not be asked for again."""
        ...

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read the scope: everything when `cursor` is None, else what changed since, with overlap.

        Costs exactly one request when nothing changed. Raises Stale when the cursor is too old.
        """
        ...

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read records by id; trashed ones are included with `trashed`, invisible ones are left out."""
        ...

    def find(self, scope: Scope, marker: str, since: str) -> tuple[Record, ...]:
        """Return the records that carry our marker and were created at or after `since`.

        `since` is a moment in the service's own time, as `Record.updated` has it; "" for no bound.
        """
        ...

    def requests(self, fields: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Split remote field ids into the groups that one writing request can carry, in order."""
        ...

    def create(self, draft: Draft) -> Answer:
        """Create one record, with the marker inside the same request.

        Fields that the service cannot take at creation (Jira status, Asana section order) are left for
        a later `update`; the answer's record shows what really is there.
        """
        ...

    def update(self, edit: Edit) -> Answer:
        """Change fields of one record; `edit.fields` is one group of `requests`."""
        ...

    def log(self, scope: Scope, seen: Mapping[str, str]) -> dict[str, tuple[LogEntry, ...]]:
        """Return what the service's own log tells of changes to records, oldest first, by record.

        `seen` gives for each record the `updated` after which changes count. A record that cannot be
        seen is left out. Only asked where `keeps_log` is true.
        """
        ...

    def normal(self, kind: str, value: str) -> str:
        """Return what the service gives back after storing this text in a field of this kind."""
        ...

    def close(self) -> None:
        """Give back sockets and threads."""
        ...


Runner = Callable[[Mapping[str, Callable[[], None]]], Mapping[str, BaseException | None]]
"""Runs one task per connection, side by side or one after another, and says how each ended."""


class Publisher(Protocol):
    """A document tool that can hold a generated page beside what people write on it."""

    connection: str

    def find_page(self, title: str, under: str | None) -> str | None:
        """Return the id of the page with this title (below `under` when given), or None."""
        ...

    def create_page(self, title: str, under: str | None) -> str:
        """Create an empty page; returns its id. Raises Gone when `under` does not exist."""
        ...

    def blocks(self, page: str) -> tuple[tuple[str, str], ...]:
        """Return (block id, our signature of its content) of the page's own blocks, in order.

        The signature equals `signature` of what was written, however the tool normalises it.
        """
        ...

    def made(self, page: str) -> frozenset[str]:
        """Return the ids of the page's own blocks that this connection's account has made."""
        ...

    def append(self, page: str, blocks: Sequence[PageBlock], after: str | None) -> tuple[str, ...]:
        """Add blocks after a block (None: at the end); returns the new ids. One request per 100."""
        ...

    def replace(self, block_id: str, block: PageBlock) -> None:
        """Change the content of one block of the same kind."""
        ...

    def remove(self, block_id: str) -> None:
        """Delete one block of ours, unless people have written something below it."""
        ...

    def signature(self, block: PageBlock) -> str:
        """Return a text that is equal for two blocks exactly when they look the same."""
        ...


class Store(Protocol):
    """Everything remembered. Thread-safe; every method is one transaction unless inside `transaction`.

    Raises Damaged or Full; never leaves half a transaction behind.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Group several calls into one durable transaction (re-entrant)."""
        ...

    # observations -------------------------------------------------------------------------------
    def observe(
        self, records: Sequence[tuple[Record, str | None]], sweep: int
    ) -> tuple[Record, ...]:
        """Store (record, level) pairs as just read; returns those that are new or differ.

        A record whose `updated` is older than what is stored is ignored (a stale index answered).
        `level` None means the mapping does not use it: it is stored only when it was known before.
        `sweep` > 0 marks the record as listed by that full read. Keeps link and cells.
        """
        ...

    def record(self, connection: str, record_id: str) -> StoredRecord | None:
        """Return one record."""
        ...

    def records_of(self, items: Collection[str]) -> dict[str, dict[str, StoredRecord]]:
        """Return the linked records of items: item -> connection -> record."""
        ...

    def linked_items(self, connection: str, record_ids: Collection[str]) -> dict[str, str]:
        """Return record id -> item id of those that are linked."""
        ...

    def unlinked(
        self,
        level: str | None = None,
        connection: str | None = None,
        *,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[StoredRecord, ...]:
        """Return the live records with a level but no item, ordered by connection and id.

        All of them, or of one level or connection; within a connection those after a record id.
        """
        ...

    def unseen(self, connection: str, scope: str, sweep: int) -> tuple[StoredRecord, ...]:
        """Return the live records of a scope that the full read `sweep` did not list."""
        ...

    def count(self, connection: str, scope: str) -> int:
        """Return how many live records with a level a scope holds."""
        ...

    def link(self, connection: str, record_id: str, item: str, how: str) -> None:
        """Link a record to an item."""
        ...

    def save_cells(self, connection: str, record_id: str, cells: Mapping[str, Cell]) -> None:
        """Replace what is known of these cells; other cells of the record stay."""
        ...

    def mark_gone(self, connection: str, record_id: str, since: float | None) -> None:
        """Note positive evidence that a record was deleted, or (None) that it is back."""
        ...

    # items --------------------------------------------------------------------------------------
    def items(self, ids: Collection[str]) -> dict[str, Item]:
        """Return items by id."""
        ...

    def children(self, item: str) -> tuple[Item, ...]:
        """Return the children of an item, ordered by id."""
        ...

    def aggregates(
        self, parents: Collection[str]
    ) -> Mapping[str, Sequence[Mapping[str, object] | None]]:
        """Return the aggregates of the children of items, by item; childless items are left out."""
        ...

    def roots(self) -> tuple[Item, ...]:
        """Return the items without a parent, ordered by level and title."""
        ...

    def gone_items(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of these items that had records, all of which are known to be deleted."""
        ...

    def item_ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` ids of items after an id, in order."""
        ...

    def item_count(self) -> int:
        """Return how many items there are."""
        ...

    def items_titled(self, level: str, title_key: str) -> tuple[str, ...]:
        """Return the ids of items of a level whose `title_key` (core.identity) is this."""
        ...

    def find_items(self, text: str, limit: int = 20) -> tuple[Item, ...]:
        """Find items as a person names them: id, record key, URL, exact title, else title containing it."""
        ...

    def save_items(self, items: Sequence[Item]) -> None:
        """Insert or replace items."""
        ...

    def mark_dirty(self, items: Collection[str]) -> None:
        """Put items into the work set of the next plan."""
        ...

    def dirty(self) -> tuple[str, ...]:
        """Return the work set, ordered by id."""
        ...

    def mark_all_dirty(self) -> None:
        """Put every item into the work set (the mapping has changed)."""
        ...

    def items_at(self, levels: Collection[str]) -> tuple[Item, ...]:
        """Return the items of these levels, ordered by level and title."""
        ...

    def clear_dirty(self, items: Collection[str]) -> None:
        """Take items out of the work set."""
        ...

    # cursors, journal, conflicts, notices, history, cycles, documents ------------------------------
    def cursor(self, connection: str, scope: str) -> CursorState:
        """Return how far a scope has been read."""
        ...

    def save_cursor(self, connection: str, scope: str, state: CursorState) -> None:
        """Remember how far a scope has been read."""
        ...

    def intend(self, intents: Sequence[Intent]) -> None:
        """Write intents to the journal, durably."""
        ...

    def sent(self, intent: str, at: float) -> None:
        """Note, durably, that the request is about to leave."""
        ...

    def settle(
        self, intent: str, state: IntentState, at: float, outcome: str | None = None
    ) -> None:
        """Note how an intent ended."""
        ...

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the intents that are neither confirmed nor refuted, oldest first."""
        ...

    def drop_planned(self) -> None:
        """Forget intents that were never sent: the plan is computed anew."""
        ...

    def save_conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Insert or replace conflicts by id."""
        ...

    def conflicts(
        self, *, open_only: bool = True, items: Collection[str] | None = None
    ) -> tuple[Conflict, ...]:
        """Return conflicts, oldest first."""
        ...

    def replace_notices(self, subject: str, notices: Sequence[Notice]) -> None:
        """Make these the notices of a subject; `since` of one that stays is kept."""
        ...

    def notices(self) -> tuple[Notice, ...]:
        """Return all notices, oldest first."""
        ...

    def notice_count(self) -> int:
        """Return how many notices there are."""
        ...

    def append_history(self, entries: Sequence[HistoryEntry]) -> None:
        """Append to the history, which is never changed."""
        ...

    def history(
        self,
        item: str | None = None,
        field: str | None = None,
        limit: int = 200,
        since: float | None = None,
    ) -> tuple[HistoryEntry, ...]:
        """Return history, newest first."""
        ...

    def next_cycle(self) -> int:
        """Return the number for a new cycle."""
        ...

    def save_cycle(self, report: CycleReport) -> None:
        """Store a cycle's report."""
        ...

    def cycles(self, limit: int = 20) -> tuple[CycleReport, ...]:
        """Return reports, newest first."""
        ...

    def document(self, name: str) -> object | None:
        """Return a stored JSON document (schemas, directory, published pages)."""
        ...

    def save_document(self, name: str, value: object) -> None:
        """Store a JSON document."""
        ...

    def close(self) -> None:
        """Release the file and its lock."""
        ...
