"""Settle writes whose outcome is unknown, before anything is planned: by evidence, never by guessing."""

from __future__ import annotations

from collections.abc import Callable

from syncd.core.errors import SourceError
from syncd.core.model import Intent, IntentState
from syncd.core.records import Record, Scope
from syncd.core.rules import CellRule
from syncd.engine.agree import agree, begin
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
    linked = context.store.records_of([intent.item]).get(intent.item, {}).get(intent.connection)
    if linked is not None:  # the answer arrived and did not show the record
        _conclude(context, intent, adapter.read(scope, [linked.record.id]) or (linked.record,))
        return
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
    level = _level(context, intent)
    with store.transaction():
        observe(context, (record,))
        store.settle(intent.id, IntentState.CONFIRMED, now, record.id)
        if intent.connection not in store.records_of([intent.item]).get(intent.item, {}):
            store.observe([(record, level_of(context.roadmap, record) or level)], 0)
            store.link(intent.connection, record.id, intent.item, "created")
            detail = f"{record.key} by {intent.id}, found by its marker"
            store.append_history(
                [context.entry(intent.item, "", "created", intent.connection, detail=detail)]
            )
        if level is not None:
            begin(context, level, record, intent)
        store.mark_dirty([intent.item])


def _level(context: Context, intent: Intent) -> str | None:
    item = context.store.items([intent.item]).get(intent.item)
    return item.level if item is not None else None


def _settle_update(context: Context, scope: Scope, intent: Intent) -> None:
    """Look at the record: if it holds what we sent the write arrived, else it is planned anew."""
    record_id = intent.record or ""
    found = context.adapters[intent.connection].read(scope, [record_id])
    with context.store.transaction():
        observe(context, found)
        arrived = bool(found) and _take_over(context, intent, found[0])
        state = IntentState.CONFIRMED if arrived else IntentState.REFUTED
        outcome = "found as sent" if arrived else "not found as sent"
        context.store.settle(intent.id, state, context.clock.now(), outcome)
        context.store.mark_dirty([intent.item])


def _take_over(context: Context, intent: Intent, record: Record) -> bool:
    """Agree on every cell that shows what was sent, as the tool spells it; tell whether all do."""
    level = _level(context, intent)
    rules = context.roadmap.cells_of(level or "", intent.connection)
    arrived = {
        name: new
        for name, (_old, new) in intent.cells.items()
        if name in rules and _holds(context, rules[name], record, intent)
    }
    if level is not None and arrived:
        agree(context, level, record, arrived)
        context.store.append_history(
            [
                context.entry(
                    intent.item, name, "wrote", intent.connection, before=intent.cells[name][0],
                    after=new, rule=intent.reasons.get(name, "").partition(" ")[0],
                    detail=f"found as sent; {intent.id}",
                )
                for name, new in arrived.items()
            ]
        )  # fmt: skip
    return len(arrived) == len(intent.cells)


def _holds(context: Context, rule: CellRule, record: Record, intent: Intent) -> bool:
    sent, shown = intent.fields.get(rule.remote), record.fields.get(rule.remote)
    if isinstance(sent, str) and isinstance(shown, str):
        normal = context.adapters[intent.connection].normal
        return shown in (sent, normal(rule.kind, sent))
    return shown == sent
