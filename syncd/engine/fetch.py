"""Step 1: read what changed in every connection, side by side; pages stream into the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from syncd.core.errors import SourceError, Stale
from syncd.core.model import CursorState, Notice, StoredRecord
from syncd.core.ports import Adapter, Store
from syncd.core.records import Page, Record, Scope
from syncd.core.rules import Roadmap
from syncd.engine.context import Context
from syncd.engine.hold import believed

VERIFY_AT_MOST = 100
"""Records that a full read did not list are looked up one by one; so many in one cycle."""

UNMATCHED = "unmatched"
"""Document that says, through any crash, that records were read which have not been matched yet."""


def fetch(context: Context) -> None:
    """Read every scope of every connection that takes part. One that fails drops out of the cycle."""
    tasks: dict[str, Callable[[], None]] = {}
    for name, adapter in context.adapters.items():
        scopes = [scope for scope in context.roadmap.scopes if scope.connection == name]
        tasks[name] = _reader(context, adapter, scopes)
    for name, error in context.runner(tasks).items():
        if isinstance(error, SourceError):
            context.failed(name, error)
        elif error is not None:
            raise error


def _reader(context: Context, adapter: Adapter, scopes: list[Scope]) -> Callable[[], None]:
    def read() -> None:
        for scope in scopes:
            state = context.store.cursor(scope.connection, scope.id)
            due = (
                state.full_at is None
                or state.frozen is not None  # until the list is whole again
                or context.clock.now() - state.full_at >= context.full_read_every
            )
            _read(context, adapter, scope, state, full=due or context.full)

    return read


def _read(
    context: Context, adapter: Adapter, scope: Scope, state: CursorState, *, full: bool
) -> None:
    """Read what changed; then, when it is due, everything.

    Changes come first even so: what was deleted is told there, and never again.
    """
    if state.cursor is not None:
        try:
            read_scope(context, adapter, scope, state, full=False)
        except Stale:
            full = True
    if full or state.cursor is None:
        state = context.store.cursor(scope.connection, scope.id)
        read_scope(context, adapter, scope, state, full=True)


def read_scope(
    context: Context, adapter: Adapter, scope: Scope, state: CursorState, *, full: bool
) -> None:
    """Read one scope to its end; the cursor is stored together with the last page.

    A read that is broken off, by a failure or because we are asked to stop, is begun anew.
    """
    store = context.store
    started = context.clock.now()
    if full:  # a number of its own, also for a read that breaks off: it lists other records
        state = replace(state, sweep=state.sweep + 1)
        store.save_cursor(scope.connection, scope.id, state)
    sweep = state.sweep if full else 0
    cursor = None if full or state.cursor is None else state.cursor
    tally = _Tally(started, store.count(scope.connection, scope.id) if full else 0)
    for page in adapter.pages(scope, cursor):
        newest = max((record.updated for record in page.records), default="")
        if newest > state.newest:
            state = replace(state, newest=newest)
        with store.transaction():
            tally.count(page.records, observe(context, page.records, sweep))
            _note_gone(context, scope, page)
            if page.cursor is not None and not full:
                store.save_cursor(
                    scope.connection, scope.id, replace(state, cursor=page.cursor, read_at=started)
                )
        if context.stopping():
            return
        if full:
            context.progress(f"reading {scope.name}", tally.listed, state.full_count or None)
            if page.cursor is not None:
                _finish_sweep(context, adapter, scope, replace(state, cursor=page.cursor), tally)


@dataclass(slots=True)
class _Tally:
    """What a full read has listed; `used` counts only what the mapping uses, by container."""

    started: float
    known: int  # records of use before
    listed: int = 0
    used: Counter[str] = field(default_factory=Counter)

    def count(self, records: Sequence[Record], levels: Sequence[str | None]) -> None:
        """Add a page."""
        self.listed += len(records)
        self.used.update(
            record.container
            for record, level in zip(records, levels, strict=True)
            if level is not None
        )


def observe(
    context: Context, records: tuple[Record, ...], sweep: int = 0
) -> tuple[str | None, ...]:
    """Store records as just read and put the items of those that changed into the work set.

    Returns the level of each record. All of it is one transaction: what is known of a record, that it
    is in the trash for one, does not come a second time.
    """
    if not records:
        return ()
    with context.store.transaction():
        return _observed(context, records, sweep)


def _observed(context: Context, records: tuple[Record, ...], sweep: int) -> tuple[str | None, ...]:
    store = context.store
    pairs = [(record, level_of(context.roadmap, record)) for record in records]
    changed = store.observe(pairs, sweep)
    if changed and not context.noted:
        store.save_document(UNMATCHED, value=True)
        context.noted = True
    by_connection: dict[str, list[str]] = {}
    for record in changed:
        by_connection.setdefault(record.connection, []).append(record.id)
    for connection, ids in by_connection.items():
        store.mark_dirty(store.linked_items(connection, ids).values())
    for name in {record.connection for record in records}:
        levels = [level for record, level in pairs if record.connection == name]
        context.count(name, read=len(levels), skipped=levels.count(None))
    for record in changed:
        context.count(record.connection, changed=1)
        if record.trashed:
            set_gone(context, record.connection, record.id)
    for record in records:
        if not record.trashed and record.id in _gone(context, record.connection):
            _set_back(context, record)
    return tuple(level for _record, level in pairs)


def read_anew(store: Store, roadmap: Roadmap) -> None:
    """Forget how far the scopes have been read: each is read in full before anything is written."""
    for scope in roadmap.scopes:
        state = store.cursor(scope.connection, scope.id)
        fresh = replace(state, cursor=None, full_at=None)
        if state != fresh:
            store.save_cursor(scope.connection, scope.id, fresh)


def level_after(roadmap: Roadmap, record: Record, level: str) -> str | None:
    """Return the level of a record that was just written as one of `level`; None when it was moved out."""
    return level_of(roadmap, record) or (level if roadmap.reads(record) else None)


def level_of(roadmap: Roadmap, record: Record) -> str | None:
    """Return the level whose side the record matches, the highest first."""
    for level, sides in roadmap.sides.items():
        if any(side.connection == record.connection and side.matches(record) for side in sides):
            return level
    return None


def _note_gone(context: Context, scope: Scope, page: Page) -> None:
    for record_id in page.gone:
        set_gone(context, scope.connection, record_id)


def set_gone(context: Context, connection: str, record_id: str) -> None:
    """Note positive evidence of deletion: nothing is written for its item until a person decides."""
    stored = context.store.record(connection, record_id)
    if stored is None or stored.gone_since is not None:
        return
    with context.store.transaction():
        _mark_gone(context, stored)


def _mark_gone(context: Context, stored: StoredRecord) -> None:
    connection, record_id, now = stored.record.connection, stored.record.id, context.clock.now()
    context.store.mark_gone(connection, record_id, now)
    _save_gone(context, connection, _gone(context, connection) | {record_id})
    if stored.item is None:
        context.store.save_document(UNMATCHED, value=True)  # what is told of it may be over
        return
    context.store.mark_dirty([stored.item])
    _touch(context, stored.item)
    context.store.append_history(
        [context.entry(stored.item, "", "gone", connection, detail=stored.record.key)]
    )
    sentence = (
        f"{_called(context, stored)} was deleted in {connection}, or taken out of what syncd reads "
        f"there; the item stays as it is in the other tools; put it back there, or delete it in the "
        f"others too"
    )
    context.store.replace_notices(
        f"{connection}:{record_id}",
        [Notice("gone", f"{connection}:{record_id}", "", sentence, now)],
    )


def _touch(context: Context, item: str) -> None:
    """Note that a page which shows an item is due: it may have lost its last record, or have one again."""
    for found in context.store.items([item]).values():
        context.touch(found.level)


def _called(context: Context, stored: StoredRecord) -> str:
    """Return what people call a record: by its item's title, as a tool's key may be a mere number."""
    item = context.store.items([stored.item]).get(stored.item) if stored.item is not None else None
    return f"{item.title!r} ({stored.record.key})" if item is not None else stored.record.key


def _gone(context: Context, connection: str) -> set[str]:
    """Return the records of a connection that are known to be deleted."""
    if connection not in context.gone:
        known = context.store.document(f"gone:{connection}")
        context.gone[connection] = set(known if isinstance(known, list) else ())
    return context.gone[connection]


def _save_gone(context: Context, connection: str, ids: set[str]) -> None:
    context.gone[connection] = ids
    context.store.save_document(f"gone:{connection}", sorted(ids))


def _set_back(context: Context, record: Record) -> None:
    """Take up a record again that somebody has restored."""
    store, subject = context.store, f"{record.connection}:{record.id}"
    stored = store.record(record.connection, record.id)
    if stored is None or record.updated < stored.record.updated:
        return  # an answer from before it was deleted
    store.mark_gone(record.connection, record.id, None)
    _save_gone(context, record.connection, _gone(context, record.connection) - {record.id})
    store.replace_notices(subject, [])
    if stored.item is None:
        store.save_document(UNMATCHED, value=True)
        return
    store.mark_dirty([stored.item])
    _touch(context, stored.item)
    store.append_history(
        [context.entry(stored.item, "", "restored", record.connection, detail=record.key)]
    )


def _finish_sweep(
    context: Context, adapter: Adapter, scope: Scope, state: CursorState, tally: _Tally
) -> None:
    """After a full read: believe it or freeze the scope; look up what it did not list.

    `state` has the cursor of the read's end.
    """
    store = context.store
    subject = f"{scope.connection}:{scope.id}"
    missing = store.unseen(scope.connection, scope.id, state.sweep)
    lost = _lost(scope, missing, tally)
    sentence = believed(context, scope, tally.known, tally.used.total(), lost)
    if sentence is not None:
        before = store.cursor(scope.connection, scope.id)
        store.save_cursor(scope.connection, scope.id, replace(before, frozen=sentence))
        store.replace_notices(subject, [Notice("frozen", subject, "", sentence, tally.started)])
        return
    _verify(context, adapter, scope, missing[:VERIFY_AT_MOST])
    with store.transaction():
        if state.full_at is None:  # what could not be matched or created before may be so now
            store.mark_all_dirty()
            store.save_document(UNMATCHED, value=True)
        store.replace_notices(subject, [])
        _see_again(context, scope, state.sweep)
        full = replace(
            state,
            read_at=tally.started,
            full_at=tally.started,
            full_count=tally.listed,
            frozen=None,
        )
        store.save_cursor(scope.connection, scope.id, full)


def _lost(scope: Scope, missing: Sequence[StoredRecord], tally: _Tally) -> str:
    """Name the records of a container of the scope that lists nothing any more."""
    for container in scope.containers:
        gone = [s.record.key for s in missing if s.record.container == container and s.level]
        if gone and not tally.used[container]:
            return gone[0] if len(gone) == 1 else f"{gone[0]} and {len(gone) - 1} more beside it"
    return ""


def _see_again(context: Context, scope: Scope, sweep: int) -> None:
    """Take back that records were not visible, of those that this full read has listed."""
    store = context.store
    for notice in store.notices():
        connection, _, record = notice.subject.partition(":")
        if notice.kind == "invisible" and connection == scope.connection:
            stored = store.record(connection, record)
            if stored is not None and stored.seen == sweep and stored.record.scope == scope.id:
                store.replace_notices(notice.subject, [])
                context.opened.pop(notice.subject, None)


def _verify(
    context: Context, adapter: Adapter, scope: Scope, missing: Sequence[StoredRecord]
) -> frozenset[str]:
    """Absent is not deleted: ask for each record that was left out; returns the ids of those alive."""
    if not missing:
        return frozenset()
    found = adapter.read(scope, [stored.record.id for stored in missing])
    observe(context, found)
    visible = {record.id: record for record in found}
    for stored in missing:
        subject = f"{scope.connection}:{stored.record.id}"
        if stored.record.id in visible:
            context.opened.pop(subject, None)
            if not visible[stored.record.id].trashed:  # of one in the trash people have been told
                context.store.replace_notices(subject, [])
            continue
        sentence = (
            f"{_called(context, stored)} is no longer visible in {scope.connection}: deleted, moved, or its "
            f"permission lost; nothing else was changed; restore access or delete the item elsewhere"
        )
        told = Notice("invisible", subject, "", sentence, context.clock.now())
        context.open_since(subject)
        context.store.replace_notices(subject, [told])
    return frozenset(record.id for record in found if not record.trashed)


def look_above(context: Context) -> set[str]:
    """Look at the parents that records have ceased to name; returns the items to be merged again.

    Those whose parent could not be looked at stay in the work set.
    """
    doubted, context.doubted = context.doubted, {}
    scopes = {(scope.connection, scope.id): scope for scope in context.roadmap.scopes}
    parents: dict[tuple[str, str], list[StoredRecord]] = {}
    for key in sorted(doubted):
        stored = context.store.record(*key)
        if stored is not None:
            parents.setdefault((key[0], stored.record.scope), []).append(stored)
    for place, found in parents.items():
        try:
            _look_at(context, place[0], scopes.get(place), found)
        except SourceError as error:
            context.failed(place[0], error)
    again: set[str] = set()
    for key, items in doubted.items():
        (again if key in context.above else context.unsure).update(items)
    return again


def _look_at(
    context: Context, connection: str, scope: Scope | None, parents: Sequence[StoredRecord]
) -> None:
    """Note which parents can be seen; what no scope of the mapping reads any more cannot."""
    adapter = context.adapters.get(connection)
    if adapter is None or connection not in context.healthy():
        return
    for start in range(0, len(parents), VERIFY_AT_MOST):
        part = parents[start : start + VERIFY_AT_MOST]
        seen = _verify(context, adapter, scope, part) if scope is not None else frozenset()
        context.above |= {(connection, s.record.id): s.record.id in seen for s in part}
