"""What a record shows after a write of ours becomes the new base of the cells that were written."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.fields import FieldType
from syncd.core.model import Cell, Intent
from syncd.core.records import FieldKind, Record, Value
from syncd.core.rules import CellRule, UnmappedError
from syncd.core.values import same
from syncd.engine.context import Context

SPELLED = (FieldType.NUMBER, FieldType.TEXT, FieldType.RICH_TEXT, FieldType.URL)
"""Types that a tool may spell its own way (rounded, trimmed) and yet has taken."""


def decoded(context: Context, rule: CellRule, record: Record) -> Value:
    """Return what a record shows in a cell, in canonical form. Raises UnmappedError."""
    raw = record.fields.get(rule.remote)
    if rule.kind is not FieldKind.PARENT:
        return rule.decode(raw, context.directory)
    if not isinstance(raw, str):
        return None
    return context.store.linked_items(record.connection, [raw]).get(raw)


def agree(
    context: Context,
    level: str,
    record: Record,
    given: Mapping[str, Value],
    *,
    created: bool = False,
) -> None:
    """Store what became of the canonical values that were given to a tool, by field.

    After a creation a field the tool did not take yet does not count as sent: an update follows. And
    what a new record shows in its other fields is nobody's word: it is where both sides begin.
    """
    rules = context.roadmap.cells_of(level, record.connection)
    cells: dict[str, Cell] = {}
    for name, value in given.items():
        shown = _shown(context, rules[name], record)
        kind = context.roadmap.fields[name].type
        taken = same(kind, shown, value) or (kind in SPELLED and shown is not None)
        cells[name] = Cell(shown, value, has_sent=taken or not created)
    if created:
        cells.update(_begun(context, rules, record, given))
    context.store.save_cells(record.connection, record.id, cells)


def _shown(context: Context, rule: CellRule, record: Record) -> Value:
    try:
        return decoded(context, rule, record)
    except UnmappedError:
        return None


def _begun(
    context: Context, rules: Mapping[str, CellRule], record: Record, given: Mapping[str, Value]
) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for name, rule in rules.items():
        if name not in given:
            try:
                cells[name] = Cell(decoded(context, rule, record))
            except UnmappedError:
                continue
    return cells


def begin(context: Context, level: str, record: Record, intent: Intent) -> None:
    """Agree on a record that our own creation made, though no answer said so."""
    rules = context.roadmap.cells_of(level, record.connection)
    given = {name: new for name, (_old, new) in intent.cells.items() if name in rules}
    agree(context, level, record, given, created=True)
