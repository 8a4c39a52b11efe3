"""One cycle from fetch to report. Knows nothing of scheduling, threads or systemd.

    fetch > map and match > reconcile > plan > guard > journal and apply > publish > report

What was created in one round lets the next one link children and finish workflows, so steps repeat
until the plan is empty or nothing more can be done now; a second cycle then finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from syncd.core.errors import NotAllowed, Permanent, Unsafe
from syncd.core.model import (
    CursorState,
    CycleReport,
    Intent,
    Item,
    Notice,
    StoredRecord,
    Tally,
)
from syncd.core.plan import Change, Plan, Situation, make, plan_item, whole
from syncd.engine import undo
from syncd.engine.adopt import open_reviews
from syncd.engine.apply import apply, refusal_name, wished
from syncd.engine.context import RESURVEY, Context
from syncd.engine.deletion import confirm
from syncd.engine.epoch import begun, noticed, restored, unread
from syncd.engine.fetch import fetch
from syncd.engine.hold import judge, moved
from syncd.engine.hot import cooled
from syncd.engine.match import match
from syncd.engine.publish import publish
from syncd.engine.reconcile import reconcile
from syncd.engine.recover import conclude_found, recover

ROUNDS = 16
"""More rounds than the deepest tree and the longest workflow need together."""

BATCH = 500
"""Items planned at a time: bounds memory."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a cycle would write: the plan, and what the guard holds back of it, with its sentences.

    `allowed` may be carried out now; besides what is held back, hot items wait. `frozen` are whole
    scopes; `reviews` are levels of connections in which nothing is created yet.
    """

    plan: Plan
    allowed: tuple[Change, ...]
    frozen: Mapping[tuple[str, str], str]
    reviews: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return why something waits for a person."""
        return (*self.frozen.values(), *self.reviews.values())


def _reviewed(plan: Plan, reviews: Collection[tuple[str, str]]) -> Plan:
    """Return a plan without what must not be created before a review, by (level, connection)."""
    if not reviews:
        return plan
    return Plan(
        tuple(
            c for c in plan.changes if c.kind == "update" or (c.level, c.connection) not in reviews
        )
    )


def observe(context: Context, *, wait: bool = False) -> Outlook:
    """Do everything of a cycle that writes to no tool; returns what would be written."""
    context.cycle = context.cycle or context.store.next_cycle()
    for name in context.adapters:
        context.count(name)
    recover(context, wait=wait)
    context.adapters = {name: context.adapters[name] for name in context.healthy()}
    if context.full:
        _forgive(context)
    fetch(context)
    confirm(context)
    if noticed(context):
        return Outlook(Plan(()), (), unread(context))
    match(context)
    conclude_found(context)
    _new_day(context)
    context.restored = restored(context)
    if context.restored and (waiting := unread(context)):
        return Outlook(Plan(()), (), waiting)
    reconcile(context, context.store.dirty())
    _learn(context)
    if context.restored:
        begun(context)
        context.restored = False
    return _outlook(context)


def _forgive(context: Context) -> None:
    """Forget what tools refused before: in a full cycle they are asked again, whatever the reason was."""
    store = context.store
    refused = [notice for notice in store.notices() if notice.kind == "refused"]
    items = sorted({notice.subject.removeprefix("plan:") for notice in refused})
    with store.transaction():
        for item, records in store.records_of(items).items():
            for connection, stored in records.items():
                cells = {
                    name: cell.unsent(cell.base)
                    for name, cell in stored.cells.items()
                    if cell.refused is not None
                }
                if cells:
                    store.save_cells(connection, stored.record.id, cells)
            for connection in context.roadmap.connections:
                if store.document(refusal_name(connection, item)) is not None:
                    store.save_document(refusal_name(connection, item), None)
        store.mark_dirty(items)


def _learn(context: Context) -> None:
    """Options appear in the tools while we run (we even add some): ask once, then look again."""
    if not context.unlearnt or context.relearn is None:
        return
    relearn, context.relearn = context.relearn, None
    context.roadmap, context.directory = relearn()
    context.store.mark_dirty(context.unlearnt)
    context.unlearnt.clear()
    reconcile(context, context.store.dirty())


def run_cycle(context: Context, *, wait: bool = False) -> CycleReport:
    """Run one cycle to its end and store its report.

    Raises Unsafe when `context.approved` names another plan than the one that would be carried out.
    """
    started, ticks = context.clock.now(), context.clock.monotonic()
    outlook = observe(context, wait=wait)
    if context.approved is not None and context.approved != outlook.plan.checksum:
        raise Unsafe(
            f"the world has moved since plan {context.approved}: it is now {outlook.plan.checksum}"
            f"{moved(context.store, context.approved, outlook.plan)}; "
            f"look at it with `syncd plan` and apply that"
        )
    rounds = 0
    while outlook.plan and rounds < ROUNDS and not context.stopping():
        rounds += 1
        context.ledger.note(outlook.allowed)
        if not apply(context, outlook.allowed) and rounds > 1:
            break
        reconcile(context, context.store.dirty())
        _learn(context)
        outlook = _outlook(context)
    _mark_filled(context, outlook)
    if any(
        isinstance(e, Permanent) and not isinstance(e, NotAllowed) for e in context.errors.values()
    ):
        context.store.save_document(RESURVEY, value=True)
    may_publish = whole(context.roadmap, _ready(context)) and not context.stopping()
    pages = publish(context) if may_publish else 0
    return _report(context, outlook, started, ticks, pages, rounds)


def _outlook(context: Context) -> Outlook:
    """Plan the work set; items with nothing left to do leave it."""
    store = context.store
    pins, asked = undo.settle(context)
    if asked:
        reconcile(context, {*asked, *store.dirty()})
    dirty = store.dirty()
    open_intents = store.open_intents()
    changes: list[Change] = []
    for start in range(0, len(dirty), BATCH):
        changes += _plan_batch(context, dirty[start : start + BATCH], open_intents, pins)
    plan = make(context.roadmap, changes)
    if context.approved == plan.checksum:
        context.ledger.let_pass(plan.changes)
    reviews = open_reviews(context.roadmap, store)
    possible = cooled(context, _reviewed(plan, reviews))
    frozen = judge(context, possible)
    allowed = [c for c in possible.changes if (c.connection, c.scope) not in frozen]
    return Outlook(plan, tuple(allowed), frozen, reviews)


def forgotten(context: Context, ids: tuple[str, ...]) -> list[Change]:
    """Return what would be written for items that are not in the work set: in order, nothing."""
    return _plan_batch(context, ids, context.store.open_intents(), undo.pending(context.store))


def _plan_batch(
    context: Context, batch: tuple[str, ...], open_intents: tuple[Intent, ...], pins: undo.Pins
) -> list[Change]:
    store = context.store
    items, records = store.items(batch), store.records_of(batch)
    above = {item.parent for item in items.values() if item.parent}
    parents, parent_records = store.items(above), store.records_of(above)
    blocked: dict[str, set[str]] = {}
    for conflict in store.conflicts(items=batch):
        blocked.setdefault(conflict.item, set()).add(conflict.field)
    ready = _ready(context)
    found: list[Change] = []
    settled = [item_id for item_id in batch if item_id not in items]
    with store.transaction():
        for item in items.values():
            situation = Situation(
                item,
                records.get(item.id, {}),
                frozenset(blocked.get(item.id, ())),
                frozenset(i.connection for i in open_intents if i.item == item.id),
                ready,
                _containers(parent_records.get(item.parent or "", {})),
                parents[item.parent].level if item.parent in parents else None,
            )
            situation = undo.pinned(situation, pins)
            changes, notices = plan_item(context.roadmap, context.directory, situation)
            changes = [c for c in changes if not _was_refused(context, c, notices)]
            store.replace_notices(f"plan:{item.id}", _for_plan(item, notices))
            found += changes
            if not changes and not situation.frozen and item.id not in context.unsure:
                settled.append(item.id)
        store.clear_dirty(settled)
    return found


def _for_plan(item: Item, notices: list[Notice]) -> list[Notice]:
    return [replace(notice, subject=f"plan:{item.id}") for notice in notices]


def _containers(records: Mapping[str, StoredRecord]) -> dict[str, str]:
    return {name: stored.record.container for name, stored in records.items()}


def _ready(context: Context) -> frozenset[tuple[str, str]]:
    return frozenset(
        (scope.connection, scope.id)
        for scope in context.roadmap.scopes
        if context.store.cursor(scope.connection, scope.id).full_at is not None
    )


def _was_refused(context: Context, change: Change, notices: list[Notice]) -> bool:
    """Tell whether the tool refused to create exactly this before; then it is not asked again."""
    if change.record is not None:
        return False
    past = context.store.document(refusal_name(change.connection, change.item))
    if not isinstance(past, dict) or past.get("values") != wished(change.cells):
        return False
    sentence = f"{change.connection} would not create {change.title}: {past['sentence']}"
    notices.append(Notice("refused", change.item, change.connection, sentence))
    return True


def _mark_filled(context: Context, outlook: Outlook) -> None:
    """Note which scopes have had their first fill: from then on the guard limits creations."""
    store = context.store
    waiting = {(c.connection, c.scope) for c in outlook.plan.changes if c.kind == "create"}
    everyone = set(context.roadmap.connections) <= set(context.healthy())
    for scope in context.roadmap.scopes:
        key = (scope.connection, scope.id)
        state: CursorState = store.cursor(*key)
        if everyone and not state.filled and state.full_at is not None and key not in waiting:
            store.save_cursor(scope.connection, scope.id, replace(state, filled=True))


def _new_day(context: Context) -> None:
    """Dates pass without anybody editing anything: judge health anew once a day."""
    today = datetime.fromtimestamp(context.clock.now(), UTC).date().isoformat()
    rule = context.roadmap.fields.get("computed_health")
    if rule is None or context.store.document("today") == today:
        return
    levels = [level for level, owner in rule.owners.items() if owner == "syncd"]
    with context.store.transaction():
        context.store.mark_dirty([item.id for item in context.store.items_at(levels)])
        context.store.save_document("today", today)


def _report(
    context: Context, outlook: Outlook, started: float, ticks: float, pages: int, rounds: int
) -> CycleReport:
    store = context.store
    before = next((report.tallies for report in store.cycles(1)), {})
    for name in set(context.roadmap.connections) - set(context.tallies):
        # one that fails is asked less often: until it has taken part again, its last error holds
        context.tallies[name] = Tally(error=before.get(name, Tally()).error)
    report = CycleReport(
        number=context.cycle,
        started_at=started,
        seconds=context.clock.monotonic() - ticks,
        tallies=dict(context.tallies),
        items=store.item_count(),
        conflicts=len(store.conflicts()),
        notices=store.notice_count(),
        pages=pages,
        frozen=outlook.sentences,
        rounds=rounds,
        complete=not (outlook.plan or context.stopping() or store.open_intents()),
    )
    store.save_cycle(report)
    return report
