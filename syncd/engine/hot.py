"""Hot items: where a tool has no log, what a person is just editing is not written over (rule P8).

In a tool that keeps a log of changes an edit that we overwrite unseen is found there afterwards. In one
that keeps none (Notion) it would be lost, so a shared cell of an item that a person has edited in the
last moments waits for a later cycle; a person's own decision does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from syncd.core.documents import HotItem
from syncd.core.plan import CellChange, Change, Plan
from syncd.core.ports import Store
from syncd.core.records import Record
from syncd.core.rules import SHARED
from syncd.engine.context import Context

MINUTE = 60.0
"""Seconds after a full minute in which an edit may have been, where times are whole minutes."""

SKEW = 300.0
"""Seconds a service's clock may be ahead of ours before its times say nothing."""


HOT = "hot"
"""Document: the items of which something waits, as of the last plan."""


def cooled(context: Context, plan: Plan) -> Plan:
    """Return a plan without the cells that have to wait; notes what waits, for `status`."""
    waiting: list[HotItem] = []
    left = tuple(left for change in plan.changes if (left := _cooled(context, change, waiting)))
    context.postponed.update(each.title for each in waiting)
    if waiting or context.store.document(HOT):
        context.store.save_document(HOT, waiting)
    return Plan(left)


def hot_items(store: Store) -> tuple[HotItem, ...]:
    """Return the items of which something waited in the last cycle."""
    known = store.document(HOT)
    found = known if isinstance(known, list) else []
    return tuple(HotItem(**{**each, "fields": tuple(each["fields"])}) for each in found)


def _cooled(context: Context, change: Change, waiting: list[HotItem]) -> Change | None:
    adapter = context.adapters.get(change.connection)
    if change.record is None or not context.hot or adapter is None or adapter.keeps_log:
        return change
    waits = _shared(context, change)
    if not any(map(waits, change.cells)):
        return change
    stored = context.store.record(change.connection, change.record)
    until = hot_until(context, stored.record) if stored is not None else None
    if stored is None or until is None:
        return change
    fields = tuple(cell.field for cell in change.cells if waits(cell))
    by = str(stored.record.author)
    place = (change.item, change.title, change.connection, change.key)
    waiting.append(HotItem(*place, fields, by, until))
    cells = tuple(cell for cell in change.cells if not waits(cell))
    return replace(change, cells=cells) if cells else None


def _shared(context: Context, change: Change) -> Callable[[CellChange], bool]:
    def waits(cell: CellChange) -> bool:
        owner = context.roadmap.fields[cell.field].owners.get(change.level)
        return owner == SHARED and not cell.free

    return waits


def hot_until(context: Context, record: Record) -> float | None:
    """Return until when a record is left alone that a person has just edited, None when it is not.

    That is `context.hot` seconds after the edit, by the tool's times. A time that is a whole minute
    stands for any moment of that minute. The two clocks only set a delay.
    """
    ours = context.accounts.get(record.connection)
    if record.author is None or record.author == ours:
        return None
    try:
        edited = datetime.fromisoformat(record.updated)
    except ValueError:
        return None
    if edited.tzinfo is None:
        edited = edited.replace(tzinfo=UTC)
    whole = edited.second == 0 and edited.microsecond == 0
    now, then = context.clock.now(), edited.timestamp()
    until = then + context.hot + (MINUTE if whole else 0.0)
    return until if then - SKEW < now < until else None
