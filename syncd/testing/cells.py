"""The cells of a simulated world as the tools show them, and those that nobody can be blamed for."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.core.model import Item, StoredRecord
from syncd.core.people import Directory
from syncd.core.records import NEW_OPTION, FieldKind, Value
from syncd.core.rules import CellRule, UnmappedError
from syncd.testing.simrun import Run
from syncd.testing.world import World

UNREADABLE = "\0"
"""Stands for a value that the mapping cannot read."""


def rule_of(world: World, stored: StoredRecord, remote: str) -> CellRule | None:
    """Return the rule of a cell, by the remote field it stands in.

    A record that has been moved, or is of another type by now, still is of its item's level.
    """
    rule = _rule_at(world, stored.level, stored, remote)
    if rule is None and stored.item is not None:
        item = world.store.items([stored.item]).get(stored.item)
        rule = _rule_at(world, item.level if item is not None else None, stored, remote)
    return rule


def _rule_at(world: World, level: str | None, stored: StoredRecord, remote: str) -> CellRule | None:
    rules = world.roadmap.cells_of(level or "", stored.record.connection)
    return next((rule for rule in rules.values() if rule.remote == remote), None)


def canonical(world: World, rule: CellRule, value: Value) -> Value:
    """Return a native value in canonical form; UNREADABLE when the mapping has no word for it."""
    if rule.kind is FieldKind.PARENT:
        known = world.store.linked_items(rule.connection, [str(value)]) if value else {}
        return known.get(str(value))
    names = [p.removeprefix(NEW_OPTION) for p in _parts(value) if p.startswith(NEW_OPTION)]
    if names:  # options that a write of ours has made: it names them
        value = tuple(p for p in _parts(value) if not p.startswith(NEW_OPTION)) or None
    try:
        found = rule.decode(value, Directory())
    except UnmappedError:
        return UNREADABLE
    return tuple(sorted({*names, *_parts(found)})) if names else found


def _parts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def cells(world: World, item: Item) -> Iterator[tuple[StoredRecord, CellRule, Value]]:
    """Yield every cell of an item with the native value its tool holds now."""
    for name, stored in world.store.records_of([item.id]).get(item.id, {}).items():
        now = world.tools[name].records[stored.record.id]
        for rule in world.roadmap.cells_of(item.level, name).values():
            yield stored, rule, now.fields.get(rule.remote)


def held(world: World, item: Item) -> bool:
    """Tell whether a deletion holds the item: then nothing is written, and a person decides."""
    records = world.store.records_of([item.id]).get(item.id, {})
    return any(
        stored.gone_since is not None or world.tools[name].records[stored.record.id].trashed
        for name, stored in records.items()
    )


def excused_cells(run: Run, world: World) -> set[tuple[str, str]]:
    """Return the (item, field) of edits that nobody could tell from the tool's answer, or read in time."""
    found = set()
    for tool, record, remote in run.unanswered | run.razed:
        stored = world.store.record(tool, record)
        rule = rule_of(world, stored, remote) if stored is not None else None
        if stored is not None and stored.item is not None and rule is not None:
            found.add((stored.item, rule.field))
    return found


def unread_owners(world: World, item: Item) -> set[str]:
    """Return the fields whose owner shows what the mapping has no word for: nobody else may decide."""
    return {
        rule.field
        for _stored, rule, raw in cells(world, item)
        if canonical(world, rule, raw) == UNREADABLE
        if world.roadmap.fields[rule.field].owners.get(item.level) == rule.connection
    }
