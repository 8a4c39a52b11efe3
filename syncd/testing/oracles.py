"""The invariants as plain functions: each judges a run, or a write as it arrives, and notes violations.

They look at what the tools hold, at what people did and at what the state says; they do not ask the
engine. The numbers are those of the project's invariants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from syncd.core.fields import STATUSES
from syncd.core.model import IntentState, Item, StoredRecord
from syncd.core.people import Directory
from syncd.core.records import Draft, Edit, FieldKind, Value
from syncd.core.rules import DERIVED, SHARED, CellRule, UnmappedError
from syncd.core.values import same
from syncd.testing.simrun import HumanEdit, Run
from syncd.testing.world import World

_UNREADABLE = "\0"
"""Stands for a value that the mapping cannot read."""


def judge(run: Run, world: World) -> None:
    """Ask every oracle that judges a run as a whole, once everything should have settled."""
    converged(run, world)
    no_edit_is_lost(run, world)
    no_duplicates(run, world)
    no_echo(run, world)
    sums_are_right(run, world)


# what a tool shows --------------------------------------------------------------------------------


def canonical(world: World, rule: CellRule, value: Value) -> Value:
    """Return a native value in canonical form; _UNREADABLE when the mapping has no word for it."""
    if rule.kind is FieldKind.PARENT:
        known = world.store.linked_items(rule.connection, [str(value)]) if value else {}
        return known.get(str(value))
    try:
        return rule.decode(value, Directory())
    except UnmappedError:
        return _UNREADABLE


def _rule(world: World, stored: StoredRecord, remote: str) -> CellRule | None:
    rules = world.roadmap.cells_of(stored.level or "", stored.record.connection)
    return next((rule for rule in rules.values() if rule.remote == remote), None)


def _cells(world: World, item: Item) -> Iterator[tuple[StoredRecord, CellRule, Value]]:
    """Yield every cell of an item with the native value its tool holds now."""
    for name, stored in world.store.records_of([item.id]).get(item.id, {}).items():
        now = world.tools[name].records[stored.record.id]
        for rule in world.roadmap.cells_of(item.level, name).values():
            yield stored, rule, now.fields.get(rule.remote)


def _held(world: World, item: Item) -> bool:
    """Tell whether a deletion holds the item: then nothing is written, and a person decides."""
    records = world.store.records_of([item.id]).get(item.id, {})
    return any(
        stored.gone_since is not None or world.tools[name].records[stored.record.id].trashed
        for name, stored in records.items()
    )


# I1 -------------------------------------------------------------------------------------------------


def converged(run: Run, world: World) -> None:
    """I1: in calm every tool shows the canonical value in every cell, and every item is everywhere."""
    blocked = {(c.item, c.field) for c in world.store.conflicts()}
    blocked |= {(n.subject, "parent") for n in world.store.notices() if n.kind == "circle"}
    blocked |= _excused(run, world)
    for item in world.items():
        if _held(world, item):
            continue
        records = world.store.records_of([item.id]).get(item.id, {})
        for side in world.roadmap.sides[item.level]:
            refused = world.store.document(f"refused:{side.connection}:{item.id}") is not None
            if side.connection not in records and not refused:
                run.violated("I1", f"{item.title} ({item.id}) is missing in {side.connection}")
        blocked |= {(item.id, name) for name in _unread_owners(world, item)}
        for stored, rule, raw in _cells(world, item):
            if (item.id, rule.field) not in blocked:
                _cell_agrees(run, world, item, (stored, rule, raw))
    for tool in world.tools.values():
        for record in tool.records.values():
            known = world.store.record(tool.connection, record.id)
            if not record.trashed and (known is None or known.item is None):
                run.violated("I1", f"{record.id} in {tool.connection} belongs to no item")


def _excused(run: Run, world: World) -> set[tuple[str, str]]:
    """Return the (item, field) of edits that nobody could tell from the tool's answer."""
    found = set()
    for tool, record, remote in run.unanswered:
        stored = world.store.record(tool, record)
        rule = _rule(world, stored, remote) if stored is not None else None
        if stored is not None and stored.item is not None and rule is not None:
            found.add((stored.item, rule.field))
    return found


def _unread_owners(world: World, item: Item) -> set[str]:
    """Return the fields whose owner shows what the mapping has no word for: nobody else may decide."""
    return {
        rule.field
        for _stored, rule, raw in _cells(world, item)
        if canonical(world, rule, raw) == _UNREADABLE
        if world.roadmap.fields[rule.field].owners.get(item.level) == rule.connection
    }


def _cell_agrees(
    run: Run, world: World, item: Item, cell: tuple[StoredRecord, CellRule, Value]
) -> None:
    stored, rule, raw = cell
    wanted, kind = item.fields.get(rule.field), world.roadmap.fields[rule.field].type
    shown = canonical(world, rule, raw)
    known = stored.cells.get(rule.field)
    if shown == _UNREADABLE or (known is not None and known.refused is not None):
        return
    if rule.kind is FieldKind.PARENT and wanted is not None:
        above = world.store.records_of([str(wanted)]).get(str(wanted), {})
        if rule.connection not in above:
            return  # held by a deletion, or refused: there is nothing to point at
    spelled = world.tools[rule.connection].spell(rule.remote, wanted)
    if not same(kind, shown, wanted) and not same(kind, shown, spelled):
        run.violated(
            "I1",
            f"{item.title} ({item.id}).{rule.field}: {rule.connection} {shown!r}, not {wanted!r}",
        )


# I4 -------------------------------------------------------------------------------------------------


def no_edit_is_lost(run: Run, world: World) -> None:
    """I4: each human edit is live, superseded by a later one, or kept in history or in a conflict.

    An edit that our write replaced before any read of ours could show it (I4n) is counted, not blamed:
    `window-shared` and `window-owned` in the figures.
    """
    latest = {(h.tool, h.record, h.field): h for h in run.human}
    for cell, edit in latest.items():
        if cell in run.unanswered:
            continue
        stored = world.store.record(edit.tool, edit.record)
        rule = _rule(world, stored, edit.field) if stored is not None else None
        if stored is None or rule is None or stored.item is None:
            continue
        item = world.store.items([stored.item])[stored.item]
        if _held(world, item) or _kept(world, item, rule, edit):
            continue
        if _fell_into_a_window(run, edit):
            shared = world.roadmap.fields[rule.field].owners.get(item.level) == SHARED
            run.figures["window-shared" if shared else "window-owned"] += 1
            continue
        if canonical(world, rule, edit.new) == _UNREADABLE:
            run.figures["unreadable-overruled"] += 1  # told in a notice, but kept in no history
            continue
        run.violated(
            "I4", f"the edit of {edit.tool} {edit.record}.{edit.field} to {edit.new!r} is lost"
        )


def _fell_into_a_window(run: Run, edit: HumanEdit) -> bool:
    return any(
        w.blind and w.step >= edit.step
        for w in run.written
        if (w.tool, w.record, w.field) == (edit.tool, edit.record, edit.field)
    )


def _kept(world: World, item: Item, rule: CellRule, edit: HumanEdit) -> bool:
    record = world.tools[edit.tool].records[edit.record]
    if record.fields.get(edit.field) == edit.new:
        return True
    value = canonical(world, rule, edit.new)
    if value == _UNREADABLE:
        return False
    if isinstance(value, tuple) or (isinstance(canonical(world, rule, edit.old), tuple)):
        return True  # sets: see no_member_is_lost
    kind = world.roadmap.fields[rule.field].type
    told: list[Value] = [item.fields.get(rule.field)]
    told += [p.previous for n, p in item.provenance.items() if n == rule.field]
    for entry in world.store.history(item.id, rule.field, limit=10_000):
        told += [entry.before, entry.after]
    for conflict in world.store.conflicts(open_only=False, items=[item.id]):
        if conflict.field == rule.field:
            told += [claim.value for claim in conflict.claims]
    return any(same(kind, value, each) for each in told)


# I5, I7, I13 ------------------------------------------------------------------------------------------


def no_duplicates(run: Run, world: World) -> None:
    """I5: of every item we made at most one record in each tool, whatever happened to the replies."""
    made = Counter((tool, marker) for (tool, _record), marker in run.born.items())
    for tool in world.tools.values():
        ours = [
            r
            for r in tool.records.values()
            if r.marker and r.id not in _human_made(run, tool.connection)
        ]
        made |= Counter((tool.connection, r.marker) for r in ours if r.marker)
    for (name, marker), count in made.items():
        if count > 1:
            run.violated("I5", f"{count} records of {marker} were made in {name}")


def _human_made(run: Run, connection: str) -> set[str]:
    return {
        h.record for h in run.human if h.tool == connection and h.old is None and h.field == "title"
    }


def creation_is_allowed(run: Run, world: World, draft: Draft) -> None:
    """I13, I7: create only into what was read in full, and never what a person has deleted there."""
    connection = draft.scope.connection
    if world.store.cursor(connection, draft.scope.id).full_at is None:
        run.violated("I13", f"a creation in {draft.scope.id} of {connection}, never read in full")
    if connection in world.store.records_of([draft.marker]).get(draft.marker, {}):
        run.violated("I7", f"{draft.marker} is made again in {connection}")


# I6 -------------------------------------------------------------------------------------------------


def no_echo(run: Run, world: World) -> None:
    """I6: what history calls observed in a tool, some person has entered in that tool."""
    excused = _excused(run, world)
    entered: dict[tuple[str, str], list[Value]] = {}
    for edit in run.human:
        stored = world.store.record(edit.tool, edit.record)
        rule = _rule(world, stored, edit.field) if stored is not None else None
        if stored is not None and stored.item is not None and rule is not None:
            values = entered.setdefault((stored.item, f"{edit.tool}.{rule.field}"), [None])
            values += [canonical(world, rule, edit.old), canonical(world, rule, edit.new)]
    for entry in world.store.history(limit=10_000):
        if entry.action not in ("observed", "corrected"):
            continue
        value = entry.after if entry.action == "observed" else entry.before
        known = entered.get((entry.item, f"{entry.connection}.{entry.field}"), [None])
        kind = world.roadmap.fields[entry.field].type
        if isinstance(value, tuple) or entry.field == "parent":
            continue
        if _is_our_own_respelled(run, world, entry.item, entry.connection, entry.field, value):
            run.figures["echo-of-unanswered"] += 1
            continue
        if (entry.item, entry.field) in excused:
            continue
        if not any(same(kind, value, each) for each in known):
            run.violated(
                "I6", f"{entry.item}.{entry.field}: {value!r} {entry.action} in {entry.connection}"
            )


def _is_our_own_respelled(
    run: Run, world: World, item: str, connection: str, name: str, value: Value
) -> bool:
    """Tell whether a value is what the tool made of a write of ours that was never answered (P4)."""
    stored = world.store.records_of([item]).get(item, {}).get(connection)
    rule = world.roadmap.cells_of(stored.level or "", connection).get(name) if stored else None
    if stored is None or rule is None:
        return False
    cell = (connection, stored.record.id, rule.remote)
    written = [w for w in run.written if (w.tool, w.record, w.field) == cell and w.unanswered]
    spell = world.tools[connection].spell
    return any(canonical(world, rule, spell(rule.remote, w.new)) == value for w in written)


# I8, I17, P8 ----------------------------------------------------------------------------------------


def owner_is_respected(
    run: Run, world: World, edit: Edit, connection: str, *, unseen: frozenset[str]
) -> None:
    """I8: what a person entered in its owner is never written over, first contact apart.

    `unseen` fields were edited since we were last shown the record.
    """
    stored = world.store.record(connection, edit.record)
    if stored is None:
        return
    for remote in edit.fields:
        rule = _rule(world, stored, remote)
        owner = world.roadmap.fields[rule.field].owners.get(stored.level or "") if rule else None
        human = [
            h for h in run.human if (h.tool, h.record, h.field) == (connection, edit.record, remote)
        ]
        if remote in unseen or (connection, edit.record, remote) in run.unanswered:
            continue
        if owner != connection or not human or human[-1].new is None:
            continue
        if stored.record.fields.get(remote) == human[-1].new:
            run.violated(
                "I8", f"{remote} of {edit.record} in {connection}, its owner, is overwritten"
            )


def write_is_journalled(run: Run, world: World, write: Edit | Draft, connection: str) -> None:
    """I17: a durable intent, used by no other attempt, says what is about to be written."""
    record = write.record if isinstance(write, Edit) else None
    durable = world.store.open_intents()
    fitting = [
        intent
        for intent in durable
        if intent.connection == connection and intent.record == record
        if intent.state is IntentState.SENT and dict(intent.fields) == dict(write.fields)
        if not isinstance(write, Draft) or intent.item == write.marker
    ]
    if not fitting:
        run.violated(
            "I17", f"a write to {record or 'a new record'} in {connection} without an intent"
        )


def shared_cells_were_read(
    run: Run, world: World, edit: Edit, connection: str, *, fresh: bool
) -> None:
    """P8: a record whose shared cells are to be written has just been read."""
    stored = world.store.record(connection, edit.record)
    rules = [_rule(world, stored, remote) for remote in edit.fields] if stored is not None else []
    level = (stored.level or "") if stored is not None else ""
    owners = {world.roadmap.fields[r.field].owners.get(level) for r in rules if r is not None}
    if SHARED in owners and not fresh:
        run.violated("P8", f"shared cells of {edit.record} in {connection} are written unread")


# I18 ------------------------------------------------------------------------------------------------


def sums_are_right(run: Run, world: World) -> None:
    """I18: every roll-up equals a recount of the leaves below, each counted once."""
    items = {item.id: item for item in world.items()}
    below: dict[str, list[Item]] = {}
    for item in items.values():
        below.setdefault(item.parent or "", []).append(item)
    for item in items.values():
        if world.roadmap.fields["items_total"].owners.get(item.level) != DERIVED:
            continue
        leaves = [leaf for leaf in _leaves(below, item) if _group(leaf) != "cancelled"]
        done = sum(_group(leaf) == "done" for leaf in leaves)
        points = sum(float(str(leaf.fields.get("estimate") or 0)) for leaf in leaves)
        told = tuple(item.fields.get(n) for n in ("items_total", "items_done", "points_total"))
        if told != (len(leaves), done, points):
            run.violated(
                "I18", f"{item.title}: {told}, but the leaves give {len(leaves), done, points}"
            )


def _leaves(below: dict[str, list[Item]], item: Item) -> Iterator[Item]:
    for child in below.get(item.id, ()):
        if child.id in below:
            yield from _leaves(below, child)
        else:
            yield child


def _group(item: Item) -> str:
    return STATUSES.get(str(item.fields.get("status") or "planned"), "new")
