"""Bugs put into the engine on purpose, to see that the simulator finds them. Nothing of this is in the engine.

Each is a context manager that replaces one function of the engine while it is open.
"""
# ruff: noqa: ANN401 - a stand-in takes whatever the original takes

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

from syncd.core import merge, plan
from syncd.core.model import Cell, IntentState, StoredRecord
from syncd.engine import agree, apply, cycle, fetch, match, reconcile, recover, rollups
from syncd.testing.memory_store import MemoryStore


@contextmanager
def replaced(place: ModuleType | type, name: str, other: Callable[..., Any]) -> Iterator[None]:
    """Replace a function while the block runs."""
    original = getattr(place, name)
    setattr(place, name, other)
    try:
        yield
    finally:
        setattr(place, name, original)


@contextmanager
def both(one: AbstractContextManager[None], other: AbstractContextManager[None]) -> Iterator[None]:
    """Open two at once: for defences that overlap."""
    with one, other:
        yield


def _refute_all(context: Any, intents: Any, *, wait: bool) -> Callable[[], None]:
    """Take every unknown outcome for a failure."""
    del wait

    def settle() -> None:
        for intent in intents:
            context.store.settle(intent.id, IntentState.REFUTED, context.clock.now(), "guessed")
            context.store.mark_dirty([intent.item])

    return settle


def _plan_unfrozen(original: Callable[..., Any]) -> Callable[..., Any]:
    def plan_item(roadmap: Any, directory: Any, situation: Any) -> Any:
        return original(roadmap, directory, replace(situation, frozen=frozenset()))

    return plan_item


def _plan_without_gone(original: Callable[..., Any]) -> Callable[..., Any]:
    def plan_item(roadmap: Any, directory: Any, situation: Any) -> Any:
        here = {n: s for n, s in situation.records.items() if s.gone_since is None}
        return original(roadmap, directory, replace(situation, records=here))

    return plan_item


def _all_ready(context: Any) -> frozenset[tuple[str, str]]:
    return frozenset((scope.connection, scope.id) for scope in context.roadmap.scopes)


def _owner_is_anyone(kind: Any, owner: str, current: Any, known: bool, sights: Any) -> merge.Merged:  # noqa: FBT001
    return merge._merge_shared(kind, owner, current, known, sights)  # noqa: SLF001


def _base_is_ours(original: Callable[..., Any]) -> Callable[..., Any]:
    def agreed(
        context: Any,
        level: str,
        record: Any,
        given: Mapping[str, Any],
        *,
        created: bool = False,
    ) -> None:
        original(context, level, record, given, created=created)
        cells = {name: Cell(value, value, has_sent=True) for name, value in given.items()}
        context.store.save_cells(record.connection, record.id, cells)

    return agreed


def _cursor_first(original: Callable[..., Any]) -> Callable[..., Any]:
    def read_scope(context: Any, adapter: Any, scope: Any, state: Any, *, full: bool) -> None:
        if not full and state.cursor is not None:
            last = [page.cursor for page in adapter.pages(scope, state.cursor)][-1]
            context.store.save_cursor(scope.connection, scope.id, replace(state, cursor=last))
        original(context, adapter, scope, state, full=full)

    return read_scope


def _forgetful(original: Callable[..., Any]) -> Callable[..., Any]:
    def outlook(context: Any, frozen: Any = None) -> Any:
        found = original(context, frozen)
        context.store.clear_dirty(context.store.dirty())
        return found

    return outlook


def _unjournalled(original: Callable[..., Any]) -> Callable[..., Any]:
    def intent(lane: Any, *parts: Any) -> Any:
        made = original(lane, *parts)
        lane.context.store.settle(made.id, IntentState.PLANNED, made.created_at)
        return made

    return intent


def _newest_or_not(
    _self: MemoryStore,
    before: Any,
    record: Any,
    level: str | None,
) -> Any:
    if before is None:
        return StoredRecord(record, level) if level is not None else None
    whole = replace(record, marker=record.marker or before.record.marker)
    return replace(before, record=whole, level=level)


Bug = Callable[[], Any]

BUGS: dict[str, tuple[str, Bug]] = {
    "unknown-is-failure": (
        "an unknown outcome counts as a failure: no search by marker (P1)",
        lambda: replaced(recover, "_settler", _refute_all),
    ),
    "unknown-not-frozen": (
        "an item with an unknown outcome is planned all the same, and never settled (P3)",
        lambda: replaced(recover, "_settler", lambda *_a, **_k: lambda: None),
    ),
    "no-journal": (
        "the intent is not marked as sent before the request leaves (I17)",
        lambda: replaced(apply, "_intent", _unjournalled(apply._intent)),  # noqa: SLF001
    ),
    "no-read-before-write": (
        "shared cells are written without a look (P8)",
        lambda: replaced(apply, "_still_as_planned", lambda *_: True),
    ),
    "resurrection": (
        "a record that somebody deleted is made again (I7)",
        lambda: replaced(cycle, "plan_item", _plan_without_gone(plan.plan_item)),
    ),
    "writes-unrecorded": (
        "what a write replaced is not put down (I4, I17)",
        lambda: replaced(apply, "_written", lambda *_: []),
    ),
    "anyone-owns": (
        "an owned field takes anybody's edit (I8)",
        lambda: replaced(merge, "_merge_owned", _owner_is_anyone),
    ),
    "overruled-unrecorded": (
        "an overruled edit is put down neither when it is seen nor when it is written over (I4)",
        lambda: both(
            replaced(merge, "_overruled", lambda *_: ()), replaced(apply, "_written", lambda *_: [])
        ),
    ),
    "base-is-ours": (
        "the base is what was sent, not what the tool made of it (P6)",
        lambda: replaced(apply, "agree", _base_is_ours(agree.agree)),
    ),
    "cursor-first": (
        "the cursor is stored before the records it covers (P7)",
        lambda: replaced(fetch, "read_scope", _cursor_first(fetch.read_scope)),
    ),
    "forgets-work": (
        "the work set is emptied before the work is done",
        lambda: replaced(cycle, "_outlook", _forgetful(cycle._outlook)),  # noqa: SLF001
    ),
    "no-roll-up": (
        "a changed sum is not carried to the ancestors (I18)",
        lambda: replaced(reconcile, "roll_up", lambda *_: None),
    ),
    "marker-ignored": (
        "neither recovery nor matching knows a record of ours by its marker (P1)",
        lambda: both(
            replaced(recover, "_settler", _refute_all),
            replaced(match, "_by_marker", lambda *_: None),
        ),
    ),
    "stale-accepted": (
        "an observation older than what is known replaces it (P5)",
        lambda: replaced(MemoryStore, "_observed", _newest_or_not),
    ),
    "twice-planned": (
        "an item whose last write is unknown is planned all the same, and its marker ignored (P1, P3)",
        lambda: both(
            replaced(cycle, "plan_item", _plan_unfrozen(plan.plan_item)),
            replaced(match, "_by_marker", lambda *_: None),
        ),
    ),
    "children-uncounted": (
        "the parents of an item that changed are not recounted (I18)",
        lambda: replaced(rollups, "fold", lambda _children: {}),
    ),
}
