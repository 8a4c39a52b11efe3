"""Undo: find what was written, decide what can be put back, and let the next cycles do it.

A decision is a *pin*: the value that one cell shall have. It is stored first, so that nothing that
happens between two requests can lose it; then it is planned, journalled and sent like any other change.
Once the tool holds the value, the cell counts as delivered for what the roadmap said at the decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from syncd.core.errors import UserError
from syncd.core.model import (
    Cell,
    Claim,
    Conflict,
    HistoryEntry,
    Item,
    Provenance,
    StoredRecord,
)
from syncd.core.people import Directory
from syncd.core.plan import Situation
from syncd.core.ports import Store
from syncd.core.records import Value
from syncd.core.rules import Roadmap
from syncd.core.undo import (
    CellKey,
    Pin,
    Step,
    Written,
    changed_by,
    checksum,
    holds,
    step,
    written,
)
from syncd.core.values import digest, same
from syncd.engine.context import Context

PINS = "pins"
EVER = 1 << 40
"""More entries of history than there are."""

Pins = dict[str, dict[tuple[str, str], Pin]]
"""Pins by item, then by (connection, field)."""


@dataclass(frozen=True, slots=True)
class Undo:
    """An undo to be looked at: what is put back, what is left and why, what was created."""

    what: str
    steps: tuple[Step, ...]
    created: tuple[HistoryEntry, ...]
    called_off: tuple[CellKey, ...] = ()  # decided by the undo that is undone, and not yet written

    @property
    def back(self) -> tuple[Step, ...]:
        """Return what is put back."""
        return tuple(each for each in self.steps if not each.why)

    @property
    def left(self) -> tuple[Step, ...]:
        """Return what is left as it is."""
        return tuple(each for each in self.steps if each.why)

    @property
    def checksum(self) -> str:
        """Return a digest of what is put back."""
        return checksum(self.steps)


# what was written -------------------------------------------------------------------------------------


def of_cycle(store: Store, number: int) -> list[HistoryEntry]:
    """Return what a cycle, or an undo, did; newest first. Raises UserError when there was none."""
    before = [report for report in store.cycles(EVER) if report.number <= number]
    entries = store.history(limit=EVER, since=before[0].started_at if before else None)
    found = [entry for entry in entries if entry.cycle == number]
    if not found:  # a clock that was set back, or reports that have made room
        found = [entry for entry in store.history(limit=EVER) if entry.cycle == number]
    if not found:
        raise UserError(f"cycle {number} has written nothing; `syncd history` shows which have")
    return found


def of_item(store: Store, item: str, field: str | None, since: float | None) -> list[HistoryEntry]:
    """Return what was done to an item (or one field): since a moment, else by its last write of ours."""
    entries = store.history(item, field, EVER, since)
    writes = [entry for entry in entries if entry.action == "wrote"]
    if not writes:
        raise UserError(
            "syncd has written nothing there, or only created it, which is not undone; "
            "`syncd history` shows what happened"
        )
    if since is not None:
        return [e for e in entries if e.action in ("wrote", "created")]
    return [e for e in entries if e.cycle == writes[0].cycle]


def prepare(
    roadmap: Roadmap, directory: Directory, store: Store, what: str, entries: Sequence[HistoryEntry]
) -> Undo:
    """Compare what was written with what the tools hold now, as last observed."""
    pins = pending(store)
    called_off = _pending_of(pins, entries)
    changes = [w for w in written(entries, ("wrote", "undone")) if w.key not in called_off]
    ids = {change.item for change in changes}
    items, records = store.items(ids), store.records_of(ids)
    blocked = {(c.item, c.field): c for c in store.conflicts(items=ids)}
    people = {person.key: person.name for person in directory.persons}
    steps = []
    for change in changes:
        found = _compare(roadmap, store, change, items, records, people)
        if found is None:
            continue
        conflict = blocked.get((change.item, change.field))
        pin = pins.get(change.item, {}).get((change.connection, change.field))
        if conflict is not None:
            # what its cells hold is what was last agreed on, not what the tools show
            claims = {claim.connection: claim.value for claim in conflict.claims}
            shown = claims.get(change.connection, found.now)
            why = f"conflict {conflict.id} is open: settle it instead"
            found = replace(found, now=shown, why=why)
        elif pin is not None and pin.value == found.target and not found.why:
            found = replace(found, why=f"undo {pin.undo} puts it back already")
        steps.append(found)
    created = tuple(entry for entry in entries if entry.action == "created")
    return Undo(what, tuple(sorted(steps, key=lambda s: s.key)), created, called_off)


def _pending_of(pins: Pins, entries: Iterable[HistoryEntry]) -> tuple[CellKey, ...]:
    decided = {e.cycle for e in entries if e.action == "undone"}
    return tuple(
        (item, field, connection)
        for item, of_item_ in pins.items()
        for (connection, field), pin in of_item_.items()
        if pin.undo in decided
    )


def _compare(
    roadmap: Roadmap,
    store: Store,
    change: Written,
    items: Mapping[str, Item],
    records: Mapping[str, Mapping[str, StoredRecord]],
    people: Mapping[str, str],
) -> Step | None:
    item = items.get(change.item)
    stored = records.get(change.item, {}).get(change.connection)
    rule = roadmap.fields.get(change.field)
    used = item is not None and change.field in roadmap.cells_of(item.level, change.connection)
    live = stored is not None and stored.gone_since is None
    cell = stored.cells.get(change.field) if stored is not None and live and used else None
    if rule is None:
        return None
    found = step(rule.type, change, cell, "")
    if found is None or not found.why or cell is None:
        return found
    entries = store.history(change.item, change.field, 20)
    return replace(found, why=changed_by(entries, change, people) or found.why)


# decisions --------------------------------------------------------------------------------------------


def decide(store: Store, undo: Undo, by: str, at: float) -> int:
    """Store what is to be put back, in the history too; returns the number of this undo.

    The next cycle writes it. That number can be undone like any cycle.
    """
    with store.transaction():
        number = store.next_cycle()
        items = store.items({each.item for each in undo.back})
        pins = pending(store)
        for item, field, connection in undo.called_off:
            pins[item].pop((connection, field), None)
        records = store.records_of(items)
        for each in undo.back:
            stored = records[each.item][each.connection]
            known = stored.cells.get(each.field, Cell())
            if known.base != each.now:
                continue  # changed while a person was looking
            # what the cell was given before no longer counts as delivered: it may be put back
            store.save_cells(
                each.connection, stored.record.id, {each.field: known.unsent(each.now)}
            )
            against = items[each.item].fields.get(each.field)
            pin = Pin(each.target, each.now, against, number, undo.what, by)
            pins.setdefault(each.item, {})[each.connection, each.field] = pin
        _save(store, pins)
        store.append_history([_entry(number, at, each, undo.what, by) for each in undo.back])
        store.mark_dirty([*items, *(item for item, _, _ in undo.called_off)])
    return number


def _entry(number: int, at: float, each: Step, what: str, by: str) -> HistoryEntry:
    return HistoryEntry(
        number, at, each.item, each.field, "undone", each.connection, each.now, each.target, by,
        detail=f"undo of {what}",
    )  # fmt: skip


def pending(store: Store) -> Pins:
    """Return what is still to be put back."""
    known: Any = store.document(PINS)
    pins: Pins = {}
    for item, field, connection, data in known if isinstance(known, list) else ():
        pins.setdefault(item, {})[connection, field] = _pin(data)
    return pins


def _save(store: Store, pins: Pins) -> None:
    plain = [
        [item, field, connection, asdict(pin)]
        for item, of_one in sorted(pins.items())
        for (connection, field), pin in sorted(of_one.items(), key=lambda each: each[0])
    ]
    store.save_document(PINS, plain)


def _pin(data: Mapping[str, Any]) -> Pin:
    values = {name: _value(data[name]) for name in ("value", "expect", "against")}
    return Pin(**{**data, **values})


def _value(data: Any) -> Value:  # noqa: ANN401 - JSON is any
    if isinstance(data, list):
        return tuple(data)
    plain: Value = float(data) if isinstance(data, int) and not isinstance(data, bool) else data
    return plain


# the cycle --------------------------------------------------------------------------------------------


def settle(context: Context) -> tuple[Pins, frozenset[str]]:
    """Take away the pins that have been carried out or overtaken.

    Returns those still to be written, and the items with a conflict that was opened anew: their values
    are others now, and are still to be carried up.
    """
    store = context.store
    pins = pending(store)
    if not pins:
        return pins, frozenset()
    items, records = store.items(pins), store.records_of(pins)
    asked: set[str] = set()
    with store.transaction():
        kept = {
            item: left
            for item, of_one in pins.items()
            if item in items
            and (left := _settle_item(context, items[item], records.get(item, {}), of_one, asked))
        }
        if kept != pins:
            _save(store, kept)
    return kept, frozenset(asked)


def _settle_item(
    context: Context,
    item: Item,
    records: Mapping[str, StoredRecord],
    pins: Mapping[tuple[str, str], Pin],
    asked: set[str],
) -> dict[tuple[str, str], Pin]:
    left: dict[tuple[str, str], Pin] = {}
    for (connection, field), pin in pins.items():
        stored = records.get(connection)
        rule = context.roadmap.fields.get(field)
        cell = stored.cells.get(field) if stored is not None else None
        if stored is None or rule is None or cell is None:
            continue
        now = item.fields.get(field)
        if holds(rule.type, cell, pin.value):
            # what the roadmap has been changed to since is still to be delivered
            held = replace(cell, sent=pin.against, has_sent=True, refused=None)
            context.store.save_cells(connection, stored.record.id, {field: held})
        elif same(rule.type, now, pin.against) and holds(rule.type, cell, pin.expect):
            left[connection, field] = pin
        else:
            detail = f"{pin.reason}: this or the roadmap has changed since, so it was not put back"
            context.store.append_history(
                [
                    context.entry(
                        item.id, field, "left", connection,
                        before=cell.base, after=cell.base, detail=detail,
                    )
                ]
            )  # fmt: skip
    waiting = {field for _, field in left}
    over = {field: pin for (_, field), pin in pins.items() if field not in waiting}
    for field, pin in over.items():
        if _ask_again(context, item.id, field, pin):
            asked.add(item.id)
    return left


def _ask_again(context: Context, item_id: str, field: str, pin: Pin) -> bool:
    """Open a conflict anew whose decision was taken back: else the roadmap kept what no tool shows.

    Tells whether it was a decision, and some tool does not show it any more.
    """
    store = context.store
    item = store.items([item_id])[item_id]
    settled = _decided(store, item, field)
    rule = context.roadmap.fields.get(field)
    if settled is None or rule is None:
        return False
    kind, now = rule.type, item.fields.get(field)
    records = store.records_of([item_id]).get(item_id, {})
    cells = [stored.cells[field] for stored in records.values() if field in stored.cells]
    if not any(
        c.has_sent and same(kind, c.sent, now) and not same(kind, c.base, now) for c in cells
    ):
        return False
    edited = {
        name: records[name].cells[field].base
        for name in context.roadmap.connections
        if name in records
        and field in records[name].cells
        and not holds(kind, records[name].cells[field], settled.base)
    }
    for name in edited:  # it counts as edited again, as it did before the decision
        cell = records[name].cells[field].unsent(settled.base)
        store.save_cells(name, records[name].record.id, {field: cell})
    source = Provenance(f"undo:{pin.undo}", settled.rule, context.cycle, previous=pin.against)
    as_before = replace(
        item,
        fields={**item.fields, field: settled.base},
        provenance={**item.provenance, field: source},
        version=item.version + 1,
    )
    reason = f"undo {pin.undo} by {pin.by} took back what was decided in {settled.id}"
    store.save_items([as_before])
    store.save_conflicts([_anew(context, settled, edited, reason, pin)])
    told = context.entry(
        item_id, field, "conflict", "", before=pin.against, after=settled.base, detail=reason
    )
    store.append_history([told])
    store.mark_dirty([each for each in (item_id, item.parent) if each])
    context.touch(item.level)
    return True


def _decided(store: Store, item: Item, field: str) -> Conflict | None:
    """Return the conflict whose decision the value of a field is, if it is one."""
    provenance = item.provenance.get(field)
    decision = provenance.source.partition("conflict:")[2] if provenance is not None else ""
    past = store.conflicts(open_only=False, items=[item.id]) if decision else ()
    return next((each for each in past if each.id == decision), None)


def _anew(
    context: Context, settled: Conflict, edited: Mapping[str, Value], reason: str, pin: Pin
) -> Conflict:
    """Return a conflict about what the tools show now; who said what they said before is kept."""
    known = {(claim.connection, claim.value): claim for claim in settled.claims}
    claims = tuple(known.get(said) or Claim(*said, None, "") for said in edited.items())
    return replace(
        settled,
        id="c" + digest([settled.item, settled.field, pin.undo], 5),
        claims=claims,
        reason=reason,
        opened_cycle=context.cycle,
        opened_at=context.clock.now(),
        resolved_at=None,
        resolution=None,
        resolved_by=None,
    )


def pinned(situation: Situation, pins: Pins) -> Situation:
    """Return the situation of an item with what is to be put back in it."""
    mine = pins.get(situation.item.id)
    return replace(situation, pins=mine) if mine else situation
