"""Settle writes whose outcome is unknown, before anything is planned: by evidence, never by guessing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from syncd.core.errors import SourceError
from syncd.core.model import Cell, Intent, IntentState
from syncd.core.records import Record, Scope
from syncd.engine.agree import Evidence, settle
from syncd.engine.apply import read_logs
from syncd.engine.context import Context
from syncd.engine.fetch import level_after, observe

UNFOUND = "unfound"
"""Action of the history: a creation without an answer that was looked for in vain."""


def recover(context: Context, *, wait: bool) -> None:
    """Settle open intents of the connections that take part.

    A create is looked for by its marker. Where the service's search lags behind its writes, "not found"
    means nothing until the lag has passed: then this waits (`wait`) or leaves the intent open.
    """
    context.store.drop_planned()
    open_by_connection: dict[str, list[Intent]] = {}
    for intent in context.store.open_intents():
        if intent.connection in context.adapters:
            open_by_connection.setdefault(intent.connection, []).append(intent)
    tasks = {
        name: _settler(context, intents, wait=wait) for name, intents in open_by_connection.items()
    }
    for name, error in context.runner(tasks).items():
        if isinstance(error, SourceError):
            context.failed(name, error)
        elif error is not None:
            raise error


def conclude_found(context: Context) -> None:
    """Settle creations whose record a read has brought before the search did."""
    waiting = [i for i in context.store.open_intents() if i.record is None]
    records = context.store.records_of([intent.item for intent in waiting])
    for intent in waiting:
        if intent.connection not in records.get(intent.item, {}):
            continue
        if intent.connection not in context.healthy():
            continue
        try:
            _settler(context, [intent], wait=False)()
        except SourceError as error:
            context.failed(intent.connection, error)


def _settler(context: Context, intents: list[Intent], *, wait: bool) -> Callable[[], None]:
    def settle_all() -> None:
        updates: dict[str, tuple[Scope, list[Intent]]] = {}
        for intent in intents:
            scope = _scope(context, intent)
            if scope is None:
                continue  # the mapping no longer reads this record: nothing is written there
            if intent.kind == "create":
                _settle_create(context, scope, intent, wait=wait)
            else:
                updates.setdefault(scope.id, (scope, []))[1].append(intent)
        for scope, found in updates.values():
            _settle_updates(context, scope, found)

    return settle_all


def _scope(context: Context, intent: Intent) -> Scope | None:
    """Return where a write went; where the mapping has no such place any more, where its record is.

    A creation is looked for in all places the mapping still has; if it is in none, it is made there.
    """
    stored = context.store.record(intent.connection, intent.record) if intent.record else None
    containers = [intent.container, *([stored.record.container] if stored is not None else [])]
    for container in containers:
        try:
            return context.roadmap.scope_of(intent.connection, container)
        except KeyError:
            continue
    if intent.kind != "create":
        return None
    return next((s for s in context.roadmap.scopes if s.connection == intent.connection), None)


def _settle_create(context: Context, scope: Scope, intent: Intent, *, wait: bool) -> None:
    adapter = context.adapters[intent.connection]
    linked = context.store.records_of([intent.item]).get(intent.item, {}).get(intent.connection)
    if linked is not None:  # the answer arrived and did not show the record
        shown = adapter.read(scope, [linked.record.id])
        if shown or linked.gone_since is not None:  # else nothing is concluded until it is seen
            _conclude(context, scope, intent, shown or (linked.record,))
        return
    found = _find(context, scope, intent)
    while not found and (left := _lag_left(context, intent)) > 0:
        if not wait or context.stopping():
            return
        context.progress(f"waiting for {intent.connection}'s search index", 0, None)
        context.clock.sleep(min(left, 5.0))
        found = _find(context, scope, intent)
    _conclude(context, scope, intent, found or _moved_away(context, scope, intent))


def _moved_away(context: Context, scope: Scope, intent: Intent) -> tuple[Record, ...]:
    """Look in the other places of the tool: somebody may have moved what we made before it was seen."""
    others = [s for s in context.roadmap.scopes if s.connection == scope.connection and s != scope]
    return next((found for other in others if (found := _find(context, other, intent))), ())


def _find(context: Context, scope: Scope, intent: Intent) -> tuple[Record, ...]:
    """Return the records with the marker of a creation; one of another item carries a copy of it."""
    found = context.adapters[intent.connection].find(scope, intent.item, intent.seen)
    taken = context.store.linked_items(intent.connection, [record.id for record in found])
    return tuple(record for record in found if taken.get(record.id, intent.item) == intent.item)


def _lag_left(context: Context, intent: Intent) -> float:
    """Return how many seconds the search may still be behind the attempt.

    Measured by a clock that nobody sets, from when this process knows of the attempt: one that was
    open when it began may have left a moment before.
    """
    since = context.open_since(intent.id)
    return since + context.index_lag.get(intent.connection, 0.0) - context.clock.monotonic()


def _conclude(context: Context, scope: Scope, intent: Intent, found: tuple[Record, ...]) -> None:
    store, now = context.store, context.clock.now()
    if not found:
        with store.transaction():
            store.settle(intent.id, IntentState.REFUTED, now, "no record carries its marker")
            store.append_history(
                [
                    context.entry(
                        intent.item, "", UNFOUND, intent.connection,
                        detail=f"no record carries the marker of {intent.id}: it counts as not made",
                    )
                ]
            )  # fmt: skip
            store.mark_dirty([intent.item])
        return
    record = min(found, key=lambda each: (each.created, each.id))
    logs = read_logs(context.adapters[intent.connection], scope, [(intent, record)])
    level = store.items([intent.item])[intent.item].level
    with store.transaction():
        observe(context, (record,))
        store.settle(intent.id, IntentState.CONFIRMED, now, record.id)
        if intent.connection not in store.records_of([intent.item]).get(intent.item, {}):
            store.observe([(record, level_after(context.roadmap, record, level))], 0)
            store.link(intent.connection, record.id, intent.item, "created")
            detail = f"{record.key} by {intent.id}, found by its marker"
            store.append_history(
                [context.entry(intent.item, "", "created", intent.connection, detail=detail)]
            )
        settle(context, level, intent, Evidence(record, answered=False, log=logs.get(record.id)))
        store.mark_dirty([intent.item])


def _settle_updates(context: Context, scope: Scope, intents: Sequence[Intent]) -> None:
    """Look at the records and at the tool's log of them: what did not arrive is planned anew."""
    store, adapter = context.store, context.adapters[scope.connection]
    ids = list(dict.fromkeys(str(intent.record) for intent in intents))
    found = {record.id: record for record in adapter.read(scope, ids)}
    writes = [(intent, found.get(str(intent.record))) for intent in intents]
    logs = read_logs(adapter, scope, writes)
    with store.transaction():
        observe(context, tuple(found.values()))
        for intent, record in writes:
            if record is None and not _deleted(context, intent):
                continue  # out of sight: nothing is concluded, or written, until it is seen
            if record is None:
                _leave_open(context, intent)
            level = store.items([intent.item])[intent.item].level
            if record is not None and not _shows(context, level, intent, record):
                continue  # moved out, or without the field: nobody can tell what it holds there
            arrived = record is not None and settle(
                context, level, intent, Evidence(record, answered=False, log=logs.get(record.id))
            )
            state = IntentState.CONFIRMED if arrived else IntentState.REFUTED
            outcome = "found as sent" if arrived else "not found as sent"
            store.settle(intent.id, state, context.clock.now(), outcome)
            store.mark_dirty([intent.item])


def _leave_open(context: Context, intent: Intent) -> None:
    """Note in the cells of a record that was deleted what they may hold of ours when it is back."""
    stored = context.store.record(intent.connection, str(intent.record))
    known = stored.cells if stored is not None else {}
    cells = {
        name: replace(known.get(name, Cell()), sent=new, has_sent=False)
        for name, (_old, new) in intent.cells.items()
    }
    context.store.save_cells(intent.connection, str(intent.record), cells)


def _shows(context: Context, level: str, intent: Intent, record: Record) -> bool:
    """Tell whether a record has all the fields that an intent was to write."""
    rules = context.roadmap.cells_of(level, intent.connection)
    return all(rules[name].remote in record.fields for name in intent.cells if name in rules)


def _deleted(context: Context, intent: Intent) -> bool:
    """Tell whether there is evidence that somebody has deleted the record of an intent."""
    stored = context.store.record(intent.connection, str(intent.record))
    return stored is not None and stored.gone_since is not None
