"""The plan: the smallest set of changes that makes every tool equal to the canonical roadmap.

Pure and total: the same items, records and rules give the same plan, byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from syncd.core.fields import CATALOGUE
from syncd.core.model import Cell, Item, Notice, StoredRecord
from syncd.core.people import Directory
from syncd.core.records import FieldKind, Record, Value
from syncd.core.rules import DERIVED, SHARED, CellRule, Roadmap, Side, UnmappedError
from syncd.core.undo import Pin
from syncd.core.values import digest, same


@dataclass(frozen=True, slots=True)
class CellChange:
    """One field to write: canonical old and new value, the rule that asks for it, and why."""

    field: str
    remote: str
    remote_name: str
    old: Value
    new: Value
    rule: str  # file:line
    reason: str
    free: bool = (
        False  # overwrites nobody's word, or a person asked for it: the guard does not count
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One record to create (`record` is None) or to change."""

    connection: str
    scope: str
    container: str
    item: str
    title: str
    level: str
    record: str | None
    key: str
    cells: tuple[CellChange, ...]
    nested: bool = False  # below an item of its own level, which is created first

    @property
    def kind(self) -> str:
        """Return create or update."""
        return "update" if self.record else "create"

    @property
    def essence(self) -> list[object]:
        """Return what will be written where, as JSON-able data, without words for people."""
        cells = [[x.field, x.old, x.new] for x in self.cells]
        return [self.connection, self.container, self.kind, self.item, self.record, cells]


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered changes. Parents are created before their children."""

    changes: tuple[Change, ...]

    @property
    def checksum(self) -> str:
        """Return a digest of what will be written where; equal plans have equal checksums."""
        return digest([change.essence for change in self.changes])

    def __bool__(self) -> bool:
        return bool(self.changes)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the plan of one item depends on.

    `blocked` are fields in conflict; `frozen` are connections with a write whose outcome is unknown;
    `ready` are the scopes that have been read in full, as (connection, scope). `parent_container` says
    for each connection in which the canonical parent has a record where that stands. `pins` are values
    that an undo puts back, by (connection, field).
    """

    item: Item
    records: Mapping[str, StoredRecord]
    blocked: frozenset[str]
    frozen: frozenset[str]
    ready: frozenset[tuple[str, str]]
    parent_container: Mapping[str, str]
    parent_level: str | None = None
    pins: Mapping[tuple[str, str], Pin] = field(default_factory=dict)


def make(roadmap: Roadmap, changes: Iterable[Change]) -> Plan:
    """Order changes: by level from the top, creates first, then by connection and item."""
    ranks = {level: rank for rank, level in enumerate(roadmap.levels)}
    order = {name: rank for rank, name in enumerate(roadmap.connections)}
    return Plan(
        tuple(
            sorted(
                changes,
                key=lambda c: (
                    ranks.get(c.level, 99),
                    c.record is not None,
                    c.nested,
                    order.get(c.connection, 99),
                    c.item,
                ),
            )
        )
    )


def plan_item(
    roadmap: Roadmap, directory: Directory, situation: Situation
) -> tuple[list[Change], list[Notice]]:
    """Return what has to be written for one item, and what a person should know about it."""
    changes: list[Change] = []
    notices: list[Notice] = []
    if any(stored.gone_since for stored in situation.records.values()):
        return (
            changes,
            notices,
        )  # somebody deleted it somewhere: a person decides, nothing is written
    for connection in roadmap.connections:
        side = roadmap.side(situation.item.level, connection)
        if side is None or connection in situation.frozen:
            continue
        stored = situation.records.get(connection)
        if stored is None:
            change = _creation(roadmap, directory, situation, side, notices)
        else:
            change = _update(roadmap, directory, situation, stored, notices)
        if change is not None:
            changes.append(change)
    return changes, notices


def _creation(
    roadmap: Roadmap,
    directory: Directory,
    situation: Situation,
    side: Side,
    notices: list[Notice],
) -> Change | None:
    item = situation.item
    if not item.fields.get("title"):
        return None
    if not side.create:
        sentence = (
            f"{item.title} is not in {side.connection}, and {side.place.short} does not have it made "
            f"there; write create: true, or make and title it alike"
        )
        notices.append(Notice("only-here", item.id, side.connection, sentence))
        return None
    container = situation.parent_container.get(side.connection, side.containers[0])
    if container not in side.containers:
        container = side.containers[0]
    scope = roadmap.scope_of(side.connection, container)
    if (side.connection, scope.id) not in situation.ready:
        return None  # never create into what has not been read in full: it may be there already
    cells = []
    for name, rule in roadmap.cells_of(item.level, side.connection).items():
        value = item.fields.get(name)
        if value is None or not rule.writable or rule.remote in side.create_fields:
            continue
        if not _can_be_said(roadmap, situation, rule, value):
            continue
        if not _fits(rule, value, container, directory, item, notices):
            continue
        cells.append(_cell_change(roadmap, item, rule, None, f"new in {side.connection}"))
    if side.subtask and not any(cell.field == "parent" for cell in cells):
        return None  # there is no task yet that it could be a subtask of
    return Change(
        side.connection,
        scope.id,
        container,
        item.id,
        item.title,
        item.level,
        None,
        "",
        tuple(cells),
        nested=situation.parent_level == item.level,
    )


def _update(
    roadmap: Roadmap,
    directory: Directory,
    situation: Situation,
    stored: StoredRecord,
    notices: list[Notice],
) -> Change | None:
    item, record = situation.item, stored.record
    if stored.level is None and not roadmap.reads(record):
        return None  # somebody moved it out: it is left alone until it is back
    cells = []
    for name, rule in roadmap.cells_of(item.level, record.connection).items():
        change, cell = _aim(roadmap, situation, stored, rule), stored.cells.get(name)
        if change is None or cell is None:
            continue
        if rule.remote in record.opaque:
            notices.append(_opaque(item, rule))
            continue
        value = change.new
        if cell.refused is not None and same(roadmap.fields[name].type, cell.sent, value):
            notices.append(_refused(item, rule, cell.refused))
            continue
        if not _can_be_said(roadmap, situation, rule, value):
            continue
        if not _fits(rule, value, record.container, directory, item, notices):
            continue
        if unread(roadmap, directory, item.level, rule, stored.record, cell):
            continue  # somebody's word that nobody has understood yet: it has been noted
        cells.append(change)
    if not cells:
        return None
    return Change(
        record.connection,
        record.scope,
        record.container,
        item.id,
        item.title,
        item.level,
        record.id,
        record.key,
        tuple(cells),
    )


def _aim(
    roadmap: Roadmap, situation: Situation, stored: StoredRecord, rule: CellRule
) -> CellChange | None:
    """Return what a cell shall hold instead of what it holds, or None when it is as it should be."""
    item, name, cell = situation.item, rule.field, stored.cells.get(rule.field)
    if cell is None or name in situation.blocked or not rule.writable:
        return None
    if rule.remote not in stored.record.fields:
        return None  # the record has no such field any more: told where that was seen
    pin = situation.pins.get((rule.connection, name))
    if pin is None and not wanted(roadmap, item, name, cell):
        return None
    change = _cell_change(roadmap, item, rule, cell.base, _why(roadmap, item, name))
    if pin is not None:
        return replace(change, new=pin.value, reason=pin.reason, free=True)
    return replace(change, free=_never_delivered(cell) or _decided(item, name))


def _decided(item: Item, name: str) -> bool:
    """Tell whether a person has said that the field shall have this value."""
    provenance = item.provenance.get(name)
    return provenance is not None and provenance.source.startswith("conflict:")


def _never_delivered(cell: Cell) -> bool:
    """Tell whether a cell still shows what the tool put there itself when we made the record."""
    return cell.sent is not None and not cell.has_sent and cell.refused is None


def _can_be_said(roadmap: Roadmap, situation: Situation, rule: CellRule, value: Value) -> bool:
    """Tell whether a value may be written yet: its parent has a place, its sum is over everything."""
    reachable = _parent_reachable(roadmap, situation, rule, value)
    return reachable and _known_whole(roadmap, situation, rule)


def _known_whole(roadmap: Roadmap, situation: Situation, rule: CellRule) -> bool:
    """Tell whether a rolled-up value may be shown: a sum over what was only half read is none."""
    field = roadmap.fields[rule.field]
    if field.rollup is None or field.owners.get(situation.item.level) != DERIVED:
        return True
    return whole(roadmap, situation.ready)


def whole(roadmap: Roadmap, ready: Collection[tuple[str, str]]) -> bool:
    """Tell whether every scope of the mapping has been read in full at least once."""
    if roadmap.missing:
        return False
    return all((scope.connection, scope.id) in ready for scope in roadmap.scopes)


def unread(
    roadmap: Roadmap, directory: Directory, level: str, rule: CellRule, record: Record, cell: Cell
) -> bool:
    """Tell whether the tool shows, in a field that is its to decide, what the mapping cannot read.

    What a record of our own making showed from the start, before its first value was delivered, is
    nobody's word; what has taken the place of a value that could be read is.
    """
    if roadmap.fields[rule.field].owners.get(level) not in (SHARED, rule.connection):
        return False
    ours = cell.sent is not None and not cell.has_sent and cell.base is None
    if rule.kind is FieldKind.PARENT or ours:
        return False
    try:
        rule.decode(rule.shown(record), directory)
    except UnmappedError:
        return True
    return False


def _parent_reachable(roadmap: Roadmap, situation: Situation, rule: CellRule, value: Value) -> bool:
    """Tell whether the parent stands, or will stand, where the reference points."""
    if rule.kind is not FieldKind.PARENT or value is None:
        return True
    if rule.connection in situation.parent_container:
        return True
    side = roadmap.side(situation.parent_level or "", rule.connection)
    return side is not None and side.create


def wanted(roadmap: Roadmap, item: Item, name: str, cell: Cell) -> bool:
    """Tell whether a cell differs from the canonical value in a way a write could mend.

    A value the tool was already given counts as delivered, whatever the tool made of it: else a tool
    that trims a title would be written to for ever.
    """
    kind = roadmap.fields[name].type
    value = item.fields.get(name)
    if same(kind, cell.base, value):
        return False
    if value is None and name not in item.provenance:
        return False  # never erase with a value nobody ever gave
    delivered = cell.has_sent and cell.refused is None and same(kind, cell.sent, value)
    return not delivered


def _why(roadmap: Roadmap, item: Item, name: str) -> str:
    provenance = item.provenance.get(name)
    if provenance is None:
        return "canonical"
    if roadmap.fields[name].of is not None:
        return f"where it stands in {roadmap.fields[name].of}"
    if name in CATALOGUE and CATALOGUE[name].derived:
        return "rolled up"
    if provenance.source.startswith("conflict:"):
        return "a person settled the conflict"
    owner = roadmap.fields[name].owners.get(item.level)
    return f"{provenance.source} says so" if owner == SHARED else f"{owner} owns {name}"


def _cell_change(
    roadmap: Roadmap, item: Item, rule: CellRule, old: Value, reason: str
) -> CellChange:
    return CellChange(
        rule.field,
        rule.remote,
        rule.remote_name,
        old,
        item.fields.get(rule.field),
        roadmap.fields[rule.field].place.short
        if rule.field in roadmap.fields
        else rule.place.short,
        reason,
    )


def _fits(
    rule: CellRule,
    value: Value,
    container: str,
    directory: Directory,
    item: Item,
    notices: list[Notice],
) -> bool:
    """Tell whether the tool can hold the value; note it when not. Parents are resolved at write time."""
    if rule.kind is FieldKind.PARENT:
        return True
    try:
        rule.encode(value, container, directory)
    except UnmappedError as error:
        sentence = f"{item.title} to {rule.connection}, {rule.field} {error}"
        notices.append(Notice("unmapped", item.id, f"{rule.connection}.{rule.field}", sentence))
        return False
    return True


def _opaque(item: Item, rule: CellRule) -> Notice:
    return Notice(
        "kept",
        item.id,
        f"{rule.connection}.{rule.field}",
        f"{rule.remote_name} of {item.title} in {rule.connection} holds content syncd cannot express, "
        f"so it is left as it is; simplify it there to have it synchronised",
    )


def _refused(item: Item, rule: CellRule, sentence: str) -> Notice:
    return Notice(
        "refused",
        item.id,
        f"{rule.connection}.{rule.field}",
        f"{rule.connection} would not take {rule.remote_name} of {item.title}: {sentence}",
    )


def overwrites(change: Change) -> bool:
    """Tell whether a change replaces what somebody wrote."""
    return change.kind == "update" and any(replaces(cell) for cell in change.cells)


def replaces(cell: CellChange) -> bool:
    """Tell whether what somebody wrote in a cell is replaced; derived values are nobody's word."""
    derived = cell.field in CATALOGUE and CATALOGUE[cell.field].derived
    return cell.old is not None and not cell.free and not derived
