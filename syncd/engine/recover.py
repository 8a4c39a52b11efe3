"""Settle writes whose outcome is unknown, before anything is planned: by evidence, never by guessing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from syncd.core.errors import SourceError
from syncd.core.model import Intent, IntentState
from syncd.core.records import Record, Scope, Value
from syncd.engine.context import Context
from syncd.engine.fetch import level_of, observe

ALLOWANCE = 300.0
"""Seconds a service's clock may be behind ours when we ask for what was created since an attempt."""


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


def _settler(context: Context, intents: list[Intent], *, wait: bool) -> Callable[[], None]:
    def settle() -> None:
        for intent in intents:
            try:
                scope = context.roadmap.scope_of(intent.connection, intent.container)
            except KeyError:
                continue  # the mapping no longer uses this container: nothing is written there
            if intent.kind == "create":
                _settle_create(context, scope, intent, wait=wait)
            else:
                _settle_update(context, scope, intent)

    return settle


def _settle_create(context: Context, scope: Scope, intent: Intent, *, wait: bool) -> None:
    sent = intent.sent_at or intent.created_at
    adapter = context.adapters[intent.connection]
    found = adapter.find(scope, intent.item, sent - ALLOWANCE)
    left = sent + context.index_lag.get(intent.connection, 0.0) - context.clock.now()
    while not found and left > 0:
        if not wait or context.stopping():
            return
        context.progress(f"waiting for {intent.connection}'s search index", 0, None)
        context.clock.sleep(min(left, 5.0))
        found = adapter.find(scope, intent.item, sent - ALLOWANCE)
        left = sent + context.index_lag.get(intent.connection, 0.0) - context.clock.now()
    _conclude(context, intent, found)


def _conclude(context: Context, intent: Intent, found: tuple[Record, ...]) -> None:
    store, now = context.store, context.clock.now()
    if not found:
        store.settle(intent.id, IntentState.REFUTED, now, "no record carries its marker")
        store.mark_dirty([intent.item])
        return
    record = min(found, key=lambda each: (each.created, each.id))
    with store.transaction():
        observe(context, (record,))
        if intent.connection not in store.records_of([intent.item]).get(intent.item, {}):
            store.observe(
                [(record, level_of(context.roadmap, record) or _level(context, intent))], 0
            )
            store.link(intent.connection, record.id, intent.item, "created")
        store.settle(intent.id, IntentState.CONFIRMED, now, record.id)
        store.append_history(
            [
                context.entry(
                    intent.item, "", "created", intent.connection,
                    detail=f"{record.key} by {intent.id}, found by its marker",
                )
            ]
        )  # fmt: skip
        store.mark_dirty([intent.item])


def _level(context: Context, intent: Intent) -> str | None:
    item = context.store.items([intent.item]).get(intent.item)
    return item.level if item is not None else None


def _settle_update(context: Context, scope: Scope, intent: Intent) -> None:
    """Look at the record: if it holds what we sent the write arrived, else it is planned anew."""
    record_id = intent.record or ""
    found = context.adapters[intent.connection].read(scope, [record_id])
    arrived = bool(found) and _holds(found[0], intent.fields)
    with context.store.transaction():
        observe(context, found)
        state = IntentState.CONFIRMED if arrived else IntentState.REFUTED
        outcome = "found as sent" if arrived else "not found as sent"
        context.store.settle(intent.id, state, context.clock.now(), outcome)
        context.store.mark_dirty([intent.item])


def _holds(record: Record, fields: Mapping[str, Value]) -> bool:
    return all(record.fields.get(name) == value for name, value in fields.items())
