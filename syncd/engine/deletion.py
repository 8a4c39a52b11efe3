"""Is a record that nobody can see any more deleted? Evidence, twice, ten minutes apart (invariant I13).

The services answer "not found" for a deleted record and for one that may not be seen. A full read that
does not list a record, and a look at it by its id, are the first evidence: people are told, and nothing
else follows. It counts as deleted when it still cannot be seen at least ten minutes later while another
record of the same scope, the canary, can.
"""

from __future__ import annotations

from syncd.core.errors import SourceError
from syncd.core.model import Notice, StoredRecord
from syncd.core.records import Scope
from syncd.engine.context import Context
from syncd.engine.fetch import observe, set_gone

WAIT = 600.0
"""Seconds between the first evidence and the second; and between looks that prove nothing."""

LONG = 2 * 86_400.0
"""Seconds after which the time of day alone is believed."""

ALL = 1 << 60
"""A sweep that no record has been listed by."""

LOOKED = "looked-again"
"""Document: when each connection was last looked at again, in epoch seconds."""


def confirm(context: Context) -> None:
    """Look again at records that could not be seen; those that really are gone count as deleted."""
    suspects = _suspects(context)
    if not suspects:
        return
    known = context.store.document(LOOKED)
    looked: dict[str, float] = dict(known) if isinstance(known, dict) else {}
    now = context.clock.now()
    for connection, records in suspects.items():
        if abs(now - looked.get(connection, 0.0)) < WAIT:
            continue
        looked[connection] = now
        try:
            for scope in context.roadmap.scopes:
                mine = [s for s in records if s.record.scope == scope.id]
                if scope.connection == connection and mine:
                    _look_again(context, scope, mine)
        except SourceError as error:
            context.failed(connection, error)
    context.store.save_document(LOOKED, looked)


def _suspects(context: Context) -> dict[str, list[StoredRecord]]:
    """Return, by connection, the records that people were told of as invisible long enough ago."""
    found: dict[str, list[StoredRecord]] = {}
    for notice in context.store.notices() if context.store.notice_count() else ():
        connection, _, record = notice.subject.partition(":")
        if notice.kind != "invisible" or not _long_ago(context, notice):
            continue
        stored = context.store.record(connection, record)
        if stored is not None and connection in context.healthy():
            found.setdefault(connection, []).append(stored)
    return found


def _long_ago(context: Context, notice: Notice) -> bool:
    """Tell whether the first evidence is old enough, by a clock that nobody sets.

    A process that has just begun waits once more. One that never lives as long (`run --once` from a
    timer) has only the time of day to go by, and waits longer than a clock is ever set by mistake.
    """
    known = context.clock.monotonic() - context.open_since(notice.subject)
    return known >= WAIT or context.clock.now() - notice.since >= LONG


def _look_again(context: Context, scope: Scope, suspects: list[StoredRecord]) -> None:
    canary = _canary(context, scope)
    if canary is None:
        return
    ids = [stored.record.id for stored in suspects]
    found = context.adapters[scope.connection].read(scope, [canary, *ids])
    observe(context, found)
    visible = {record.id: record for record in found}
    if canary not in visible or visible[canary].trashed:
        return  # it is we who may not see them
    for record in ids:
        if record not in visible:
            set_gone(context, scope.connection, record)
        elif not visible[record].trashed:  # of one in the trash people have been told
            context.store.replace_notices(f"{scope.connection}:{record}", [])


def _canary(context: Context, scope: Scope) -> str | None:
    """Return a record that the last full read of the scope has listed, if there is one."""
    sweep = context.store.cursor(scope.connection, scope.id).sweep
    everyone = context.store.unseen(scope.connection, scope.id, ALL)
    return next((s.record.id for s in everyone if s.seen == sweep and s.level is not None), None)
