"""Hot items: where a tool has no log, what a person is just editing is not written over (rule P8).

In a tool that keeps a log of changes an edit that we overwrite unseen is found there afterwards. In one
that keeps none (Notion) it would be lost, so a shared cell of an item that a person has edited in the
last moments waits for a later cycle; a person's own decision does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from syncd.core.plan import CellChange, Change, Plan
from syncd.core.records import Record
from syncd.core.rules import SHARED
from syncd.engine.context import Context

MINUTE = 60.0
"""Seconds after a full minute in which an edit may have been, where times are whole minutes."""

SKEW = 300.0
"""Seconds a service's clock may be ahead of ours before its times say nothing."""


def cooled(context: Context, plan: Plan) -> Plan:
    """Return a plan without the cells that have to wait; notes the items in `context.postponed`."""
    return Plan(tuple(left for change in plan.changes if (left := _cooled(context, change))))


def _cooled(context: Context, change: Change) -> Change | None:
    adapter = context.adapters.get(change.connection)
    if change.record is None or not context.hot or adapter is None or adapter.keeps_log:
        return change
    waits = _shared(context, change)
    if not any(map(waits, change.cells)):
        return change
    stored = context.store.record(change.connection, change.record)
    if stored is None or not hot(context, stored.record):
        return change
    context.postponed.add(change.title)
    cells = tuple(cell for cell in change.cells if not waits(cell))
    return replace(change, cells=cells) if cells else None


def _shared(context: Context, change: Change) -> Callable[[CellChange], bool]:
    def waits(cell: CellChange) -> bool:
        owner = context.roadmap.fields[cell.field].owners.get(change.level)
        return owner == SHARED and not cell.free

    return waits


def hot(context: Context, record: Record) -> bool:
    """Tell whether a person has edited a record in the last `context.hot` seconds, by the tool's times.

    A time that is a whole minute stands for any moment of that minute. The two clocks only set a delay.
    """
    ours = context.accounts.get(record.connection)
    if record.author is None or record.author == ours:
        return False
    try:
        edited = datetime.fromisoformat(record.updated)
    except ValueError:
        return False
    if edited.tzinfo is None:
        edited = edited.replace(tzinfo=UTC)
    whole = edited.second == 0 and edited.microsecond == 0
    age = context.clock.now() - edited.timestamp()
    return -SKEW < age < context.hot + (MINUTE if whole else 0.0)
