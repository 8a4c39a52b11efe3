"""Steps 7 and 8: journal each intent, send one request for it, and confirm what the tool now holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.errors import Gone, NotAllowed, Permanent, Rejected, SourceError, Temporary
from syncd.core.invariants import sending
from syncd.core.model import Cell, HistoryEntry, Intent, IntentState
from syncd.core.plan import CellChange, Change, unread
from syncd.core.ports import Adapter
from syncd.core.records import Answer, Draft, Edit, FieldKind, LogEntry, Record, Scope, Value
from syncd.core.rules import DERIVED, SHARED, UnmappedError
from syncd.core.values import digest, same
from syncd.engine.agree import Evidence, decoded, settle
from syncd.engine.context import Context
from syncd.engine.fetch import level_after, observe


@dataclass(frozen=True, slots=True)
class _Unread:
    """A write that was answered without all that its result is judged by.

    Its intent stays open until that has been read. `shown` is the record, where the answer had it.
    """

    change: Change
    intent: Intent
    record: str
    shown: Record | None


@dataclass(slots=True)
class _Lane:
    """The writes of one connection in one round, done one after another."""

    context: Context
    adapter: Adapter
    done: int = 0
    unread: list[_Unread] = field(default_factory=list)


def apply(context: Context, changes: Iterable[Change]) -> int:
    """Carry out changes, connections side by side; returns how many writes were answered."""
    lanes: dict[str, _Lane] = {}
    work: dict[str, list[Change]] = {}
    for change in changes:
        if change.connection in context.healthy():
            work.setdefault(change.connection, []).append(change)
    tasks: dict[str, Callable[[], None]] = {}
    total = sum(map(len, work.values()))
    for name, mine in work.items():
        lanes[name] = _Lane(context, context.adapters[name])
        tasks[name] = _worker(lanes, name, mine, total)
    for name, error in context.runner(tasks).items():
        if isinstance(error, SourceError):
            context.failed(name, error)
        elif error is not None:
            raise error
    return sum(lane.done for lane in lanes.values())


def _worker(
    lanes: Mapping[str, _Lane], name: str, changes: list[Change], total: int
) -> Callable[[], None]:
    def work() -> None:
        lane = lanes[name]
        try:
            for change in changes:
                if lane.context.stopping():
                    break
                _carry_out(lane, change)
                lane.context.progress("writing", sum(x.done for x in lanes.values()), total)
        finally:
            _read_back(lane)

    return work


def _carry_out(lane: _Lane, change: Change) -> None:
    """Write one change, in as many requests as the tool needs."""
    scope = lane.context.roadmap.scope_of(change.connection, change.container)
    values = _encode(lane.context, change)
    if change.record is None:
        _create(lane, scope, change, values)
        return
    if not _still_as_planned(lane, scope, change):
        return
    by_remote = {cell.remote: cell for cell in change.cells}
    groups = lane.adapter.requests([cell.remote for cell in change.cells if cell.field in values])
    for number, group in enumerate(groups):
        cells = tuple(by_remote[remote] for remote in group)
        if number and _moved(lane.context, change, cells, _answered(lane, change)):
            lane.context.store.mark_dirty([change.item])
            return
        _update(lane, scope, change, cells, values)


def _answered(lane: _Lane, change: Change) -> Record | None:
    """Return the record as the write just before has shown it, if it waits for the tool's log."""
    last = lane.unread[-1] if lane.unread else None
    return last.shown if last is not None and last.record == change.record else None


def _moved(
    context: Context, change: Change, cells: Iterable[CellChange], answered: Record | None = None
) -> bool:
    """Tell whether what was last seen of the record, just now, shows an edit of these cells.

    That is what is stored of it, unless an answer that is not stored yet has shown it since.
    """
    stored = context.store.record(change.connection, str(change.record))
    if stored is None:
        return False
    record = answered or stored.record
    rules = context.roadmap.cells_of(change.level, change.connection)
    for cell in cells:
        rule, known = rules[cell.field], stored.cells.get(cell.field, Cell())
        try:
            now = decoded(context, rule, record)
        except UnmappedError:
            if unread(context.roadmap, context.directory, change.level, rule, record, known):
                return True
            continue
        if not same(context.roadmap.fields[cell.field].type, now, cell.old):
            return True
    return False


def _encode(context: Context, change: Change) -> dict[str, Value]:
    """Return the neutral values to write, by canonical field; what cannot be written yet is left out."""
    rules = context.roadmap.cells_of(change.level, change.connection)
    values: dict[str, Value] = {}
    for cell in change.cells:
        rule = rules[cell.field]
        if rule.kind is not FieldKind.PARENT:
            values[cell.field] = rule.encode(cell.new, change.container, context.directory)
        elif cell.new is None:
            values[cell.field] = None
        else:
            parent = context.store.records_of([str(cell.new)]).get(str(cell.new), {})
            if change.connection in parent:
                values[cell.field] = parent[change.connection].record.id
    return values


def _owner(context: Context, change: Change, cell: CellChange) -> str | None:
    return context.roadmap.fields[cell.field].owners.get(change.level)


def _edited_by_people(context: Context, change: Change, cells: Iterable[CellChange]) -> bool:
    """Tell whether there are cells that people edit too; what is computed nobody else writes."""
    return any(_owner(context, change, cell) != DERIVED for cell in cells)


def _still_as_planned(lane: _Lane, scope: Scope, change: Change) -> bool:
    """Read before writing what people may edit too; a record that has moved is planned anew.

    A value that is not theirs to decide is written over in any case: there the read only serves to put
    down what was there, which the log of a tool that keeps one tells as well.
    """
    context = lane.context
    shared = [cell for cell in change.cells if _owner(context, change, cell) == SHARED]
    blind = not lane.adapter.keeps_log and _edited_by_people(context, change, change.cells)
    if change.record is None or not (shared or blind):
        return True
    fresh = lane.adapter.read(scope, [change.record])
    observe(context, fresh)
    if not fresh or fresh[0].trashed:
        return False  # deleted, or not visible at the moment: nothing is written
    rules = context.roadmap.cells_of(change.level, change.connection)
    if any(rules[cell.field].remote not in fresh[0].fields for cell in change.cells):
        # moved out, or without the field since: nobody can tell what would be replaced
        context.store.mark_dirty([change.item])
        return False
    for cell in shared:
        kind = context.roadmap.fields[cell.field].type
        try:
            now = decoded(context, rules[cell.field], fresh[0])
        except UnmappedError:
            now = None
        unknown = now is None and _moved(
            context, change, [cell]
        )  # somebody's word, not understood yet
        if unknown or not same(kind, now, cell.old):
            context.store.mark_dirty([change.item])
            return False
    # the parent is left out: one that would close a circle never agrees with what is known of it
    others = [cell for cell in change.cells if cell not in shared and cell.field != "parent"]
    if _moved(context, change, others):  # overruled in any case, but not unseen
        context.store.mark_dirty([change.item])
        return False
    return True


def _intent(
    lane: _Lane,
    scope: Scope,
    change: Change,
    cells: Iterable[CellChange],
    fields: Mapping[str, Value],
) -> Intent:
    """Write the intent to the journal; it is durable when this returns."""
    now = lane.context.clock.now()
    cells = tuple(cells)
    intent = Intent(
        id=lane.context.attempt(change.connection),
        cycle=lane.context.cycle,
        connection=change.connection,
        scope=scope.id,
        kind=change.kind,
        item=change.item,
        record=change.record,
        container=change.container,
        fields=dict(fields),
        cells={cell.field: (cell.old, cell.new) for cell in cells},
        reasons={cell.field: f"{cell.rule} {cell.reason}" for cell in cells},
        seen=_last_seen(lane.context, scope, change),
        created_at=now,
    )
    with lane.context.store.transaction():
        lane.context.store.intend([intent])
        lane.context.store.append_history(list(_unreadable(lane.context, change, cells)))
        lane.context.store.sent(intent.id, now)
    lane.context.open_since(intent.id)
    for cell in cells:
        name = sending(change, cell)
        lane.context.sent[name] = lane.context.sent.get(name, 0) + 1
    return intent


def _unreadable(
    context: Context, change: Change, cells: Iterable[CellChange]
) -> Iterator[HistoryEntry]:
    """Yield what is about to be written over and has no canonical form, so that it is not forgotten."""
    stored = context.store.record(change.connection, change.record) if change.record else None
    if stored is None:
        return
    rules = context.roadmap.cells_of(change.level, change.connection)
    for cell in cells:
        try:
            decoded(context, rules[cell.field], stored.record)
        except UnmappedError as error:
            yield context.entry(
                change.item, cell.field, "corrected", change.connection,
                before=stored.record.fields.get(cell.remote), after=cell.new, rule=cell.rule,
                detail=f"it showed {error}",
            )  # fmt: skip


def _last_seen(context: Context, scope: Scope, change: Change) -> str:
    """Return the last moment, in the service's time, of which we know: nothing of this was there."""
    if change.record is None:
        return context.store.cursor(change.connection, scope.id).newest
    stored = context.store.record(change.connection, change.record)
    return stored.record.updated if stored is not None else ""


class _VagueError(Exception):
    """The tool refused several values together without saying which."""


def _send(
    lane: _Lane, intent: Intent, cells: tuple[CellChange, ...], request: Callable[[], Answer]
) -> Answer | None:
    """Send the one request of an intent; None when the tool refused the values.

    Raises _VagueError when it refused several and named none.
    """
    context, store = lane.context, lane.context.store
    try:
        return request()
    except Temporary as error:
        state = IntentState.UNKNOWN if error.maybe_applied else IntentState.REFUTED
        store.settle(intent.id, state, context.clock.now(), str(error))
        if error.maybe_applied:
            context.count(intent.connection, unknown=1)
        raise
    except (Rejected, Gone) as error:
        named = error.fields if isinstance(error, Rejected) else {}
        anyone = any(cell.remote in named for cell in cells)
        if isinstance(error, Rejected) and not anyone and intent.record and len(cells) > 1:
            store.settle(intent.id, IntentState.REFUTED, context.clock.now(), str(error))
            raise _VagueError from error
        _refused(lane, intent, cells, error)
        return None
    except NotAllowed as error:
        _refused(lane, intent, cells, error)
        raise
    except Permanent as error:
        state = IntentState.UNKNOWN if error.maybe_applied else IntentState.REFUTED
        store.settle(intent.id, state, context.clock.now(), str(error))
        raise


def _refused(lane: _Lane, intent: Intent, cells: tuple[CellChange, ...], error: Permanent) -> None:
    """Remember what the tool would not take, so that it is not asked again until something changes."""
    context, store = lane.context, lane.context.store
    named = error.fields if isinstance(error, Rejected) else {}
    blamed = [cell for cell in cells if cell.remote in named] or list(cells)
    with store.transaction():
        store.settle(intent.id, IntentState.REFUTED, context.clock.now(), str(error))
        if intent.record is not None and not isinstance(error, NotAllowed):
            stored = store.record(intent.connection, intent.record)
            known = stored.cells if stored is not None else {}
            store.save_cells(
                intent.connection,
                intent.record,
                {
                    cell.field: Cell(
                        cell.old,
                        cell.new,
                        has_sent=True,
                        refused=named.get(cell.remote, str(error)),
                        logged=known.get(cell.field, Cell()).logged,
                    )
                    for cell in blamed
                },
            )
        store.append_history(
            [
                context.entry(
                    intent.item, cell.field, "refused", intent.connection, before=cell.old,
                    after=cell.new, rule=cell.rule, detail=named.get(cell.remote, str(error)),
                )
                for cell in blamed
            ]
        )  # fmt: skip
        if intent.record is None and not isinstance(error, NotAllowed):
            store.save_document(
                refusal_name(intent.connection, intent.item),
                {"values": wished(cells), "sentence": str(error)},
            )
    context.count(intent.connection, refused=1)


def refusal_name(connection: str, item: str) -> str:
    """Return the name under which a refused creation is remembered."""
    return f"refused:{connection}:{item}"


def wished(cells: Iterable[CellChange]) -> str:
    """Return a digest of the values asked for; a refused creation is tried again when it changes."""
    return digest({cell.field: cell.new for cell in cells if cell.field != "parent"})


def _create(lane: _Lane, scope: Scope, change: Change, values: Mapping[str, Value]) -> None:
    context = lane.context
    side = context.roadmap.side(change.level, change.connection)
    if side is None:
        return
    cells = tuple(cell for cell in change.cells if cell.field in values)
    fields = {**side.create_fields, **{cell.remote: values[cell.field] for cell in cells}}
    draft = Draft(scope, change.container, side.create_kind, fields, change.item)
    intent = _intent(lane, scope, change, cells, fields)
    answer = _send(lane, intent, cells, lambda: lane.adapter.create(draft))
    if answer is None:
        return
    record = answer.record or Record(
        change.connection, scope.id, answer.id, change.container, side.create_kind,
        answer.key or answer.id, "", "", fields, marker=change.item,
    )  # fmt: skip
    with context.store.transaction():
        context.store.observe([(record, change.level)], 0)
        context.store.link(change.connection, record.id, change.item, "created")
        detail = f"{record.key} by {intent.id}"
        context.store.append_history(
            [context.entry(change.item, "", "created", change.connection, detail=detail)]
        )
        if answer.record is not None:
            evidence = Evidence(answer.record, answered=True, at_once=True)
            _confirm(context, change, intent, evidence)
        context.store.mark_dirty([change.item])
    context.count(change.connection, created=1)
    lane.done += 1
    if answer.record is None:
        lane.unread.append(_Unread(change, intent, record.id, None))


def _update(
    lane: _Lane,
    scope: Scope,
    change: Change,
    cells: tuple[CellChange, ...],
    values: Mapping[str, Value],
) -> None:
    context = lane.context
    fields = {cell.remote: values[cell.field] for cell in cells}
    intent = _intent(lane, scope, change, cells, fields)
    edit = Edit(scope, change.container, str(change.record), fields, intent.seen, intent.id)
    try:
        answer = _send(lane, intent, cells, lambda: lane.adapter.update(edit))
    except _VagueError:
        for number, cell in enumerate(cells):  # one bad value must not keep the others back
            if number and _moved(context, change, [cell], _answered(lane, change)):
                context.store.mark_dirty([change.item])
                return
            _update(lane, scope, change, (cell,), values)
        return
    if answer is None:
        return
    context.count(change.connection, updated=1)
    lane.done += 1
    logged = lane.adapter.keeps_log and _edited_by_people(context, change, cells)
    if answer.record is None or (logged and answer.log is None):
        lane.unread.append(_Unread(change, intent, str(change.record), answer.record))
        return
    evidence = Evidence(answer.record, answered=True, at_once=True, log=answer.log)
    with context.store.transaction():
        _confirm(context, change, intent, evidence)


def _confirm(context: Context, change: Change, intent: Intent, evidence: Evidence) -> None:
    """Close the intent of a write that was answered, with what became of it."""
    record = evidence.record
    context.store.settle(intent.id, IntentState.CONFIRMED, context.clock.now(), record.id)
    context.store.observe([(record, level_after(context.roadmap, record, change.level))], 0)
    settle(context, change.level, intent, evidence)


def _read_back(lane: _Lane) -> None:
    """Ask for what the answers to writes did not show: the records, and the tool's own log of them."""
    by_container: dict[str, list[_Unread]] = {}
    for entry in lane.unread:
        by_container.setdefault(entry.change.container, []).append(entry)
    lane.unread = []
    for container, entries in by_container.items():
        scope = lane.context.roadmap.scope_of(lane.adapter.connection, container)
        _read_back_from(lane, scope, entries)


def _read_back_from(lane: _Lane, scope: Scope, entries: Sequence[_Unread]) -> None:
    context, store = lane.context, lane.context.store
    ids = list(dict.fromkeys(entry.record for entry in entries if entry.shown is None))
    found = {record.id: record for record in (lane.adapter.read(scope, ids) if ids else ())}
    writes = [(entry.intent, entry.shown or found.get(entry.record)) for entry in entries]
    logs = read_logs(lane.adapter, scope, writes)
    with store.transaction():
        for entry, (_intent, record) in zip(entries, writes, strict=True):
            store.mark_dirty([entry.change.item])
            if record is None:
                continue  # done, and out of sight since: nothing is concluded, or written, until it is seen
            at_once, log = entry.shown is not None, logs.get(record.id)
            _confirm(context, entry.change, entry.intent, Evidence(record, True, at_once, log))  # noqa: FBT003


def read_logs(
    adapter: Adapter, scope: Scope, writes: Iterable[tuple[Intent, Record | None]]
) -> dict[str, tuple[LogEntry, ...]]:
    """Return the tool's log of records that were written to, since they were last seen before."""
    seen: dict[str, str] = {}
    for intent, record in writes:
        if record is not None and adapter.keeps_log:
            since = intent.seen if intent.kind == "update" else record.created
            seen[record.id] = min(since, seen.get(record.id, since))
    return adapter.log(scope, seen) if seen else {}
