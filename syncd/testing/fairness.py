"""Which values the fields may end with: the reference model, asked about every field of every item."""

from __future__ import annotations

from collections.abc import Callable, Collection

from syncd.core.fields import FieldType
from syncd.core.model import Item
from syncd.core.records import Value
from syncd.core.rules import DERIVED, SHARED
from syncd.core.values import normal, same
from syncd.testing.cells import UNREADABLE, canonical, excused_cells, held, rule_of, unread_owners
from syncd.testing.reference import Act, Ledger, allowed, lost, members_amiss
from syncd.testing.simrun import HumanEdit, Run, Written
from syncd.testing.stage import NO_HISTORY
from syncd.testing.world import World

_SETS = (FieldType.MULTI_SELECT, FieldType.PEOPLE)


# I1, I4, I7, I8: which values are fair ---------------------------------------------------------------


def values_are_fair(run: Run, world: World) -> None:
    """I1, I4, I7, I8: every field ends with a value that the reference model allows, and none is lost.

    A value that a later edit superseded does not come back, an owner's word stands, and what is neither
    shown nor superseded is told in the history or in a conflict.
    """
    excused = excused_cells(run, world)
    blocked = {(c.item, c.field) for c in world.store.conflicts()}
    ledgers = _ledgers(run, world)
    for item in world.items():
        if held(world, item):
            continue
        unread = unread_owners(world, item)
        for name, rule in world.roadmap.fields.items():
            owner = rule.owners.get(item.level)
            cell = item.id, name
            if owner in (None, DERIVED) or name == "parent" or cell in excused or name in unread:
                continue
            ledger = ledgers.get(cell) or Ledger(_alike(rule.type))
            if cell not in blocked and owner is not None:
                _is_fair(run, world, item, name, (owner, ledger))
            _nothing_is_lost(run, world, item, name, (str(owner), ledger))


def _alike(kind: FieldType) -> Callable[[Value, Value], bool]:
    return lambda one, other: same(kind, one, other)


def _ledgers(run: Run, world: World) -> dict[tuple[str, str], Ledger]:
    """Return what happened to every field of every item, replayed by the reference model."""
    acts: dict[tuple[str, str], list[Act]] = {}
    records: dict[str, dict[str, str]] = {}  # item -> tool -> record
    happened: list[HumanEdit | Written] = [*run.human, *run.written]
    for each in sorted(happened, key=lambda act: act.step):
        stored = world.store.record(each.tool, each.record)
        rule = rule_of(world, stored, each.field) if stored is not None else None
        if stored is None or stored.item is None or rule is None or rule.field == "parent":
            continue
        new = canonical(world, rule, each.new)
        if isinstance(each, Written):
            if stored.item not in records:
                held_ = world.store.records_of([stored.item]).get(stored.item, {})
                records[stored.item] = {tool: one.record.id for tool, one in held_.items()}
            read = {
                tool: (each.read or {}).get((tool, record), -1)
                for tool, record in records[stored.item].items()
            }
            act = Act(
                each.step, each.tool, False, None, new,  # noqa: FBT003
                blind=each.blind, since=each.since, read=read,
            )  # fmt: skip
        else:
            vague, old = new == UNREADABLE, canonical(world, rule, each.old)
            fresh = not each.linked
            act = Act(each.step, each.tool, True, old, new, fresh, vague=vague)  # noqa: FBT003
        acts.setdefault((stored.item, rule.field), []).append(act)
    for decision in run.resolved:
        place = f"conflict {decision.step}"
        acts.setdefault((decision.item, decision.field), []).append(
            Act(decision.step, place, True, None, decision.new, knows=decision.claims)  # noqa: FBT003
        )
    kinds = {name: rule.type for name, rule in world.roadmap.fields.items()}
    return {
        cell: Ledger(_alike(kinds[cell[1]])).play(sorted(each, key=lambda act: act.step))
        for cell, each in acts.items()
    }


def _is_fair(run: Run, world: World, item: Item, name: str, facts: tuple[str, Ledger]) -> None:
    owner, ledger = facts
    shown = item.fields.get(name)
    if world.roadmap.fields[name].type in _SETS:
        if owner == SHARED and (amiss := members_amiss(ledger, shown)):
            run.violated("I4", f"{item.title} ({item.id}).{name} is {shown!r}: {amiss} are wrong")
        return
    defaults = ["planned"] if name == "status" else []
    fair = allowed(ledger, owner, defaults)
    if fair is None or any(ledger.same(shown, value) for value in fair):
        return
    spelled = [tool.spell(name, value) for tool in world.tools.values() for value in fair]
    if not any(ledger.same(shown, value) for value in spelled):
        stale = any(ledger.same(shown, edit.new) for edit in ledger.edits)
        number = "I7" if stale else "I1"
        run.violated(
            number, f"{item.title} ({item.id}).{name} is {shown!r}, but should be one of {fair!r}"
        )


def _nothing_is_lost(
    run: Run, world: World, item: Item, name: str, facts: tuple[str, Ledger]
) -> None:
    owner, ledger = facts
    shared = owner == SHARED
    if ledger.swept:
        run.figures["window-shared" if shared else "window-owned"] += len(ledger.swept)
    if world.roadmap.fields[name].type in _SETS:
        return  # judged member by member
    told: list[Value] = [item.fields.get(name)]
    told += [p.previous for n, p in item.provenance.items() if n == name]
    for entry in world.store.history(item.id, name, limit=10_000):
        told += [entry.before, entry.after]
    for conflict in world.store.conflicts(open_only=False, items=[item.id]):
        if conflict.field == name:
            told += [claim.value for claim in conflict.claims]
    told += [tool.spell(name, value) for tool in world.tools.values() for value in [*told]]
    for edit in lost(ledger, told, NO_HISTORY):
        run.violated("I4", f"the edit of {item.id}.{name} in {edit.place} to {edit.new!r} is lost")


def concurrent_edits_are_told(run: Run, world: World, away: Collection[tuple[str, str]]) -> None:
    """P11, I4: of two different edits of a shared field between the same two cycles neither just wins.

    With the policy `ask` they are a conflict; with a tool named as winner its edit counts. Judged where
    nothing went wrong, so that both were seen together: not of what has been in a trash, or moved.
    """
    told = {(c.item, c.field) for c in world.store.conflicts(open_only=False)}
    acts: dict[tuple[str, str, int], dict[str, Value]] = {}
    began: dict[tuple[str, str, int, str], Value] = {}  # there and back again is no edit
    spoilt: set[tuple[str, str, int]] = set()
    for edit in run.human:
        stored = world.store.record(edit.tool, edit.record)
        rule = rule_of(world, stored, edit.field) if stored is not None else None
        if stored is None or stored.item is None or rule is None or not edit.linked:
            continue
        item = world.store.items([stored.item])[stored.item]
        field = world.roadmap.fields[rule.field]
        shared = field.owners.get(item.level) == SHARED and field.type not in _SETS
        key = item.id, rule.field, edit.cycle
        if (edit.tool, edit.record) in away:
            spoilt.add(key)
        elif shared and not held(world, item):
            began.setdefault((*key, edit.tool), canonical(world, rule, edit.old))
            acts.setdefault(key, {})[edit.tool] = canonical(world, rule, edit.new)
    for (item_id, name, cycle), told_here in acts.items():
        if (item_id, name, cycle) in spoilt:
            continue
        kind = world.roadmap.fields[name].type
        values = {
            tool: value
            for tool, value in told_here.items()
            if not same(kind, value, began[item_id, name, cycle, tool])
        }
        if len({repr(normal(kind, value)) for value in values.values()}) < 2:  # noqa: PLR2004
            continue
        if world.roadmap.fields[name].on_conflict not in values and (item_id, name) not in told:
            run.violated("P11", f"{item_id}.{name}: {values!r} at once, and no conflict")


# I7 ---------------------------------------------------------------------------------------------------


def conflicts_are_real(run: Run, world: World) -> None:
    """I7: a conflict cites values that people entered, at least two different ones."""
    ledgers, excused = _ledgers(run, world), excused_cells(run, world)
    for conflict in world.store.conflicts(open_only=False):
        ledger = ledgers.get((conflict.item, conflict.field))
        if conflict.field == "parent" or (conflict.item, conflict.field) in excused:
            continue
        entered = [edit.new for edit in ledger.edits] if ledger is not None else []
        for claim in conflict.claims:
            if not any(same_value(world, conflict.field, claim.value, each) for each in entered):
                run.violated(
                    "I7",
                    f"{conflict.id} cites {claim.value!r} in {claim.connection}: nobody's word",
                )


def same_value(world: World, name: str, one: Value, other: Value) -> bool:
    """Compare two values of a field."""
    return same(world.roadmap.fields[name].type, one, other)
