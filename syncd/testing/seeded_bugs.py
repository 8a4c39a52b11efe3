"""Bugs put into the engine on purpose, to see that the simulator finds them. Nothing of this is in the engine.

Each replaces a function or two of the engine while it is open; each names the rule of the protocol (P1 to
P9) or the invariant (I1 to I28) whose defence it takes away. Where two defences overlap both are taken.
"""
# ruff: noqa: ANN401, ARG001, SLF001 - a stand-in takes whatever the original takes

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from syncd.core import invariants, merge, plan
from syncd.core.errors import Unavailable
from syncd.core.model import Cell, IntentState, StoredRecord
from syncd.core.plan import CellChange, Change
from syncd.core.rules import CellRule, Roadmap
from syncd.core.values import same
from syncd.engine import (
    agree,
    apply,
    cycle,
    fetch,
    match,
    publish,
    reconcile,
    recover,
    rollups,
    sights,
)
from syncd.engine.context import Context
from syncd.testing.memory_store import MemoryStore

Swap = tuple[ModuleType | type, str, Callable[..., Any]]


@contextmanager
def replaced(*swaps: Swap) -> Iterator[None]:
    """Replace functions while the block runs."""
    originals = [getattr(place, name) for place, name, _other in swaps]
    for place, name, other in swaps:
        setattr(place, name, other)
    try:
        yield
    finally:
        for (place, name, _other), original in zip(swaps, originals, strict=True):
            setattr(place, name, original)


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug: the rule whose defence it takes away, what it means, and what it replaces."""

    rule: str
    meaning: str
    swaps: tuple[Swap, ...]

    def put_in(self) -> AbstractContextManager[None]:
        """Open the bug: it is in the engine while the block runs."""
        return replaced(*self.swaps)


# P1 to P4: attempts and their outcomes ------------------------------------------------------------------


def _refute_all(context: Any, intents: Any, *, wait: Any) -> Any:
    """Take every unknown outcome for a failure."""

    def settle() -> None:
        for intent in intents:
            context.store.settle(intent.id, IntentState.REFUTED, context.clock.now(), "guessed")
            context.store.mark_dirty([intent.item])

    return settle


def _impatient(
    context: Any, scope: Any, intent: Any, *, wait: Any, _original: Any = recover._settle_create
) -> Any:
    """Look once, however far the search is behind."""
    lags, context.index_lag = context.index_lag, {}
    _original(context, scope, intent, wait=wait)
    context.index_lag = lags


def _again(lane: Any, intent: Any, cells: Any, request: Any, _original: Any = apply._send) -> Any:
    """Send a second time when no answer came, as a library does that retries."""

    def twice() -> Any:
        try:
            return request()
        except Unavailable:
            return request()

    return _original(lane, intent, cells, twice)


def _plan_unfrozen(
    roadmap: Any, directory: Any, situation: Any, _original: Any = plan.plan_item
) -> Any:
    return _original(roadmap, directory, replace(situation, frozen=frozenset()))


def _without_log(context: Any, rule: Any, intent: Any, evidence: Any, log: Any) -> Any:
    return agree._Verdict(agree._by_value(context, rule, intent, evidence))


def _by_value_alone(context: Any, rule: Any, intent: Any, entries: Any) -> Any:
    """Take any change to the value we sent for ours, whoever made it."""
    sent = intent.fields.get(rule.remote)
    found = [number for number, entry in enumerate(entries) if entry.after == sent]
    return found[-1] if found else None


def _all_logs(adapter: Any, scope: Any, writes: Any) -> Any:
    ids = {record.id: "" for _intent, record in writes if record is not None}
    return adapter.log(scope, ids) if ids and adapter.keeps_log else {}


def _unjournalled(lane: Any, *parts: Any, _original: Any = apply._intent) -> Any:
    made = _original(lane, *parts)
    lane.context.store.settle(made.id, IntentState.PLANNED, made.created_at)
    return made


# P5 to P7: what is observed -----------------------------------------------------------------------------


def _newest_or_not(_self: Any, before: Any, record: Any, level: Any) -> Any:
    if before is None:
        return StoredRecord(record, level) if level is not None else None
    whole = replace(record, marker=record.marker or before.record.marker)
    return replace(before, record=whole, level=level)


def _from_the_first(context: Any, rule: Any, record: Any) -> str:
    return ""


def _base_is_ours(
    context: Any, level: Any, intent: Any, evidence: Any, _original: Any = agree.settle
) -> Any:
    arrived = _original(context, level, intent, evidence)
    cells = {name: Cell(new, new, has_sent=True) for name, (_old, new) in intent.cells.items()}
    context.store.save_cells(intent.connection, evidence.record.id, cells)
    return arrived


def _no_base(
    context: Any, level: Any, intent: Any, evidence: Any, _original: Any = agree.settle
) -> Any:
    """Keep no memory of what we wrote: the next look takes it for an edit."""
    held = context.store.record(intent.connection, evidence.record.id)
    arrived = _original(context, level, intent, evidence)
    if held is not None:
        past = {name: held.cells.get(name, Cell()) for name in intent.cells}
        context.store.save_cells(intent.connection, evidence.record.id, past)
    return arrived


def _wanted_raw(roadmap: Any, item: Any, name: Any, cell: Any) -> Any:
    """Compare what was read with what is wanted, letter by letter."""
    value = item.fields.get(name)
    return cell.base != value and not (value is None and name not in item.provenance)


def _cursor_first(
    context: Any,
    adapter: Any,
    scope: Any,
    state: Any,
    *,
    full: Any,
    _original: Any = fetch.read_scope,
) -> Any:
    if not full and state.cursor is not None:
        last = [page.cursor for page in adapter.pages(scope, state.cursor)][-1]
        context.store.save_cursor(scope.connection, scope.id, replace(state, cursor=last))
    _original(context, adapter, scope, state, full=full)


def _never_all(
    context: Any, adapter: Any, scope: Any, state: Any, *, full: Any, _original: Any = fetch._read
) -> Any:
    """Read only what changed, once everything has been read."""
    _original(context, adapter, scope, state, full=full and state.full_at is None)


# P8, P9: before writing ---------------------------------------------------------------------------------


def _whole_record(
    roadmap: Any, directory: Any, situation: Any, _original: Any = plan.plan_item
) -> Any:
    """Write every field of a record when one has to be written."""
    changes, notices = _original(roadmap, directory, situation)
    return [_all_fields(roadmap, situation, change) for change in changes], notices


def _all_fields(roadmap: Any, situation: Any, change: Change) -> Change:
    if change.record is None:
        return change
    named = {cell.field for cell in change.cells}
    held = situation.records[change.connection].cells
    more = [
        CellChange(name, rule.remote, rule.remote_name, held[name].base if name in held else None,
                   situation.item.fields.get(name), "roadmap.yaml:7", "all of it")
        for name, rule in roadmap.cells_of(change.level, change.connection).items()
        if name not in named and name != "parent" and situation.item.fields.get(name) is not None
    ]  # fmt: skip
    return replace(change, cells=(*change.cells, *more))


def _missing_is_deleted(context: Any, adapter: Any, scope: Any, missing: Any) -> Any:
    for stored in missing:
        fetch.set_gone(context, scope.connection, stored.record.id)
    return frozenset()


def _all_ready(context: Any) -> Any:
    return frozenset((scope.connection, scope.id) for scope in context.roadmap.scopes)


def _plan_without_gone(
    roadmap: Any, directory: Any, situation: Any, _original: Any = plan.plan_item
) -> Any:
    here = {n: s for n, s in situation.records.items() if s.gone_since is None}
    return _original(roadmap, directory, replace(situation, records=here))


def _shown_or_empty(rule: Any, record: Any) -> Any:
    """Take a field that a record does not show for an empty one."""
    return record.fields.get(rule.remote)


def _met_as_it_is(work: Any, connection: Any, rule: Any, cell: Any, value: Any) -> Any:
    return cell


def _plan_without_moved(
    roadmap: Any, directory: Any, situation: Any, _original: Any = plan.plan_item
) -> Any:
    """Know nothing of records that stand where the mapping reads nothing."""
    here = {n: s for n, s in situation.records.items() if roadmap.reads(s.record)}
    return _original(roadmap, directory, replace(situation, records=here))


# Who decides --------------------------------------------------------------------------------------------


def _owner_is_anyone(kind: Any, owner: Any, current: Any, known: Any, sights: Any) -> Any:
    return merge._merge_shared(kind, owner, current, known, sights)


def _latest_wins(kind: Any, on_conflict: Any, current: Any, edits: Any, why: Any) -> Any:
    """Let the tool decide whose clock says the latest time."""
    if not edits:
        return merge.Merged(current, None)
    latest = max(edits, key=lambda sight: sight.at)
    return merge.Merged(latest.value, latest.connection, reason="latest")


def _set_replaced(kind: Any, current: Any, sights: Any) -> Any:
    """Take the last set whole, whatever the others added."""
    if not sights or same(kind, sights[-1].value, current):
        return merge.Merged(current, None)
    return merge.Merged(sights[-1].value, sights[-1].connection, reason="latest")


def _resolution_dropped(work: Any, rule: Any, conflict: Any, sights: Any) -> Any:
    cells = {sight.connection: Cell(base=sight.value) for sight in sights}
    return merge.Merged(conflict.base, None, cells=cells)


def _forgetful(context: Any, _original: Any = cycle._outlook) -> Any:
    found = _original(context)
    context.store.clear_dirty(context.store.dirty())
    return found


def _deaf(context: Any) -> Any:
    return tuple(context.adapters)


def _nothing(*_args: Any, **_more: Any) -> None:
    """Do nothing."""


def _no_list(*_args: Any, **_more: Any) -> list[Any]:
    return []


_REFUTE = (recover, "_settler", _refute_all)
_NO_MARKER = (match, "_by_marker", _nothing)
_UNFROZEN = (cycle, "plan_item", _plan_unfrozen)

BUGS: dict[str, Bug] = {
    "unknown-is-failure": Bug("P1", "an unknown outcome counts as a failure", (_REFUTE,)),
    "marker-ignored": Bug(
        "P1", "neither recovery nor matching knows a record of ours by its marker", (_REFUTE, _NO_MARKER)
    ),
    "lag-ignored": Bug(
        "P1", "a marker that is not found at once counts as not there",
        ((recover, "_settle_create", _impatient), _NO_MARKER),
    ),
    "library-retries": Bug(
        "P2", "a request without an answer is sent a second time", ((apply, "_send", _again),)
    ),
    "unknown-not-settled": Bug(
        "P3", "unknown outcomes are never settled", ((recover, "_settler", lambda *_a, **_k: _nothing),)
    ),
    "twice-planned": Bug(
        "P3", "an item whose last write is unknown is planned all the same, and its marker ignored",
        (_UNFROZEN, _NO_MARKER, (recover, "_settle_create", _nothing)),
    ),
    "no-change-log": Bug(
        "P4", "recovery looks at the value only, not at the tool's log", ((agree, "_by_log", _without_log),)
    ),
    "matched-by-value": Bug(
        "P4", "an entry of the log counts as ours by its value, however old it is",
        (
            (agree, "_ours", _by_value_alone), (apply, "read_logs", _all_logs),
            (recover, "read_logs", _all_logs), (agree, "_logged", _from_the_first),
        ),
    ),
    "stale-accepted": Bug(
        "P5", "an observation older than what is known replaces it",
        ((MemoryStore, "_observed", _newest_or_not),),
    ),
    "base-is-ours": Bug(
        "P6", "the base is what was sent, not what the tool made of it", ((apply, "settle", _base_is_ours),)
    ),
    "compared-raw": Bug(
        "P6", "values are compared letter by letter", ((plan, "wanted", _wanted_raw),)
    ),
    "cursor-first": Bug(
        "P7", "the cursor is stored before the records it covers", ((fetch, "read_scope", _cursor_first),)
    ),
    "no-full-read": Bug(
        "P7", "what a list has left out once is never read", ((fetch, "_read", _never_all),)
    ),
    "no-read-before-write": Bug(
        "P8", "shared cells are written without a look", ((apply, "_still_as_planned", lambda *_: True),)
    ),
    "whole-record": Bug(
        "P8", "every field of a record is written when one has changed",
        ((cycle, "plan_item", _whole_record),),
    ),
    "missing-is-deleted": Bug(
        "P9", "what a list leaves out counts as deleted", ((fetch, "_verify", _missing_is_deleted),)
    ),
    "short-list-believed": Bug(
        "P9", "a list that is suddenly empty or half gone is believed, and what it misses is deleted",
        ((fetch, "believed", _nothing), (fetch, "_verify", _missing_is_deleted)),
    ),
    "unread-is-empty": Bug(
        "P9", "records are created in scopes that could not be read in full",
        (
            (cycle, "_ready", _all_ready), (match, "_complete", lambda _c: True),
            (Context, "healthy", _deaf),
        ),
    ),
    "resurrection": Bug(
        "I7", "a record that somebody deleted is made again", ((cycle, "plan_item", _plan_without_gone),)
    ),
    "copy-taken": Bug(
        "I5", "a copy of a record is taken for the record", ((match, "_free", lambda *_: True),)
    ),
    "vanished-is-cleared": Bug(
        "I4", "a field that a record no longer shows counts as cleared",
        ((CellRule, "shown", _shown_or_empty),),
    ),
    "emptied-is-cleared": Bug(
        "I4", "a field that was away and is back without a value counts as cleared",
        ((sights, "_met_again", _met_as_it_is),),
    ),
    "moved-is-made-again": Bug(
        "I7", "a record that was moved out of its container is made again",
        ((cycle, "plan_item", _plan_without_moved), (invariants, "_creation", _nothing)),
    ),
    "moved-is-written-to": Bug(
        "I13", "a record that was moved out is planned for, though no list of the mapping has it",
        ((Roadmap, "reads", lambda *_: True),),
    ),
    "writes-unrecorded": Bug(
        "I17", "what a write replaced is not put down", ((agree, "_told", _no_list),)
    ),
    "no-journal": Bug(
        "I17", "the intent is not marked as sent before the request leaves",
        ((apply, "_intent", _unjournalled),),
    ),
    "overruled-unrecorded": Bug(
        "I4", "an overruled edit is put down neither when it is seen nor when it is written over",
        ((merge, "_overruled", lambda *_: ()), (agree, "_told", _no_list)),
    ),
    "sets-replaced": Bug(
        "I4", "of a set only the last edit counts", ((merge, "_merge_sets", _set_replaced),)
    ),
    "latest-wins": Bug(
        "P11", "the edit with the latest time wins", ((merge, "_settle", _latest_wins),)
    ),
    "resolution-dropped": Bug(
        "I7", "a person's decision in a conflict is forgotten", ((reconcile, "_resolved", _resolution_dropped),)
    ),
    "anyone-owns": Bug(
        "I8", "an owned field takes anybody's edit", ((merge, "_merge_owned", _owner_is_anyone),)
    ),
    "echo": Bug("I6", "what we wrote is taken for somebody's edit", ((apply, "settle", _no_base),)),
    "forgets-work": Bug(
        "I9", "the work set is emptied before the work is done", ((cycle, "_outlook", _forgetful),)
    ),
    "deaf": Bug(
        "I24", "a tool that failed is asked again at once", ((Context, "healthy", _deaf),)
    ),
    "no-roll-up": Bug(
        "I18", "a changed sum is not carried to the ancestors", ((reconcile, "roll_up", _nothing),)
    ),
    "children-uncounted": Bug(
        "I18", "the parents of an item that changed are not recounted",
        ((rollups, "fold", lambda _children: {}),),
    ),
    "page-forgotten": Bug(
        "I19", "what was written on a page before an interruption is not looked for",
        ((publish, "_inspect", _nothing),),
    ),
}  # fmt: skip
