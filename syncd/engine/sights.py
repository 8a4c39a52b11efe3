"""What each tool shows of an item, before anything is decided: step 3's eyes.

A value that cannot be read shows nothing, nor does a field that a record no longer has, nor a record
that was moved to where the mapping reads nothing. None of these is an empty field: people are told, and
the other tools keep what they hold. A record whose parent is out of sight names no parent either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncd.core.merge import Sight
from syncd.core.model import (
    Cell,
    Conflict,
    HistoryEntry,
    Item,
    Notice,
    Provenance,
    StoredRecord,
)
from syncd.core.records import FieldKind, Value
from syncd.core.rules import CellRule, FieldRule, NotShownError, UnmappedError
from syncd.core.values import same
from syncd.engine.context import Context


@dataclass(slots=True)
class Work:
    """One item while it is being merged: what is known, and what comes of it."""

    item: Item
    records: Mapping[str, StoredRecord]
    conflicts: Mapping[str, Conflict]  # open ones, by field
    fields: dict[str, Value] = field(default_factory=dict)
    provenance: dict[str, Provenance] = field(default_factory=dict)
    cells: dict[str, dict[str, Cell]] = field(default_factory=dict)  # connection -> field -> cell
    history: list[HistoryEntry] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    disputes: list[Conflict] = field(default_factory=list)
    unreadable: set[tuple[str, str]] = field(default_factory=set)  # (connection, field)
    ahead: Mapping[str, Item] = field(default_factory=dict)  # merged before it in this batch
    voices: Sequence[Voice] = ()


@dataclass(frozen=True, slots=True)
class Voice:
    """A tool that has a say in an item: its record, the cells it shows, and who last edited it."""

    connection: str
    stored: StoredRecord
    cells: Mapping[str, CellRule]
    author: str | None  # key of the person


def is_out(context: Context, stored: StoredRecord) -> bool:
    """Tell whether a record was moved out of every container of the mapping."""
    return stored.level is None and not context.roadmap.reads(stored.record)


def voices(context: Context, work: Work) -> list[Voice]:
    """Return the tools in which the item has a record that is not gone, as they are configured."""
    voices = []
    for connection in context.roadmap.connections:
        stored = work.records.get(connection)
        if stored is None or stored.gone_since is not None:
            continue
        cells = context.roadmap.cells_of(work.item.level, connection)
        if is_out(context, stored):
            _leave_alone(work, stored, cells)
            continue
        author = stored.record.author
        if author == context.accounts.get(connection):
            author = None  # we edited it last: what it says is nobody's word
        person = context.directory.person(connection, author) if author else None
        voices.append(Voice(connection, stored, cells, person))
    return voices


def look(
    context: Context, work: Work, rule: FieldRule, parents: Mapping[tuple[str, str], str]
) -> list[Sight]:
    """Return what each tool shows of a field; a tool whose value cannot be read shows nothing."""
    sights = []
    for voice in work.voices:
        connection, stored, cell_rule = voice.connection, voice.stored, voice.cells.get(rule.name)
        if cell_rule is None:
            continue
        cell = stored.cells.get(rule.name)
        try:
            if _parent_unseen(context, work, stored, cell_rule):
                continue
            value = _decode(context, work, stored, cell_rule, parents)
        except NotShownError as error:
            _keep_away(work, stored, rule, cell, error)
            continue
        except UnmappedError as error:
            work.unreadable.add((connection, rule.name))
            if error.unknown_option:
                context.unlearnt.add(work.item.id)
            work.notices.append(_untold(work, stored, rule, error, "unmapped"))
            continue
        cell = _met_again(
            work, connection, rule, _arrived(work, connection, rule, cell, value), value
        )
        sights.append(Sight(connection, value, cell, voice.author, stored.record.updated))
    return sights


def _parent_unseen(context: Context, work: Work, stored: StoredRecord, rule: CellRule) -> bool:
    """Tell whether a record may name no parent only because that is out of sight: nobody cleared it.

    Where the parent was last read may be long ago. Until it has been looked at in this cycle the item is
    in doubt, see `fetch.look_above`.
    """
    if rule.kind is not FieldKind.PARENT or isinstance(rule.shown(stored.record), str):
        return False
    cell = stored.cells.get(rule.field)
    known = cell.base if cell is not None else None
    if not isinstance(known, str):
        return False
    above = context.store.records_of([known]).get(known, {}).get(rule.connection)
    if above is None:
        return False
    seen: bool | None = context.above.get((rule.connection, above.record.id))
    if above.gone_since is not None or is_out(context, above):
        seen = False
    if seen is None:
        items = context.doubted.setdefault((rule.connection, above.record.id), set())
        items.add(work.item.id)
    elif not seen:
        _put_away(work, stored, rule.field)
        context.unsure.add(work.item.id)  # merged again in every cycle, until the parent is back
    return not seen


def _keep_away(
    work: Work, stored: StoredRecord, rule: FieldRule, cell: Cell | None, error: NotShownError
) -> None:
    """Remember that a record has lost a field, and tell it where the field held something."""
    if cell is not None and cell.base is not None:
        work.notices.append(_untold(work, stored, rule, error, "not-shown"))
    _put_away(work, stored, rule.name)


def _leave_alone(work: Work, stored: StoredRecord, cells: Mapping[str, CellRule]) -> None:
    """Remember which fields a record has lost that was moved out: they may be empty when it is back."""
    for name, rule in cells.items():
        if rule.remote not in stored.record.fields:
            _put_away(work, stored, name)


def _put_away(work: Work, stored: StoredRecord, name: str) -> None:
    cell = stored.cells.get(name)
    if cell is not None and not cell.away:
        away = replace(cell, away=True)
        work.cells.setdefault(stored.record.connection, {})[name] = away


def _met_again(
    work: Work, connection: str, rule: FieldRule, cell: Cell | None, value: Value
) -> Cell | None:
    """Take up a field that was away: what it lacks now is nobody's word, another value is."""
    if cell is None or not cell.away:
        return cell
    left = left_of(cell.base, value)
    whole = left == cell.base and not _is_empty(value)
    back = replace(cell, away=False) if whole else Cell(base=left)
    work.cells.setdefault(connection, {})[rule.name] = back
    return back


def _arrived(
    work: Work, connection: str, rule: FieldRule, cell: Cell | None, value: Value
) -> Cell | None:
    """Take what was sent before the record was deleted, and is there now that it is back, for ours."""
    if cell is None or cell.has_sent or cell.sent is None:
        return cell
    if not same(rule.type, value, cell.sent):
        return cell
    ours = replace(cell, base=value, has_sent=True)
    work.cells.setdefault(connection, {})[rule.name] = ours
    return ours


def left_of(base: Value, value: Value) -> Value:
    """Return what of the last known value still counts as known, in a field that was away and is back.

    Nothing, if it is empty; of a set, what it still has.
    """
    if _is_empty(value):
        return value
    if isinstance(base, tuple) and isinstance(value, tuple):
        return tuple(part for part in base if part in value)
    return base


def _is_empty(value: Value) -> bool:
    """Tell whether nobody has filled a field; a checkbox that was made anew is not ticked."""
    return value is None or value is False or value in ((), "")


def _untold(
    work: Work, stored: StoredRecord, rule: FieldRule, error: UnmappedError, kind: str
) -> Notice:
    connection = stored.record.connection
    sentence = f"{stored.record.key} in {connection}, {rule.name} {error}"
    return Notice(kind, work.item.id, f"{connection}.{rule.name}", sentence)


def _decode(
    context: Context,
    work: Work,
    stored: StoredRecord,
    rule: CellRule,
    parents: Mapping[tuple[str, str], str],
) -> Value:
    raw = rule.shown(stored.record)
    if rule.kind is not FieldKind.PARENT:
        return rule.decode(raw, context.directory)
    if not isinstance(raw, str):
        return None
    parent = parents.get((rule.connection, raw))
    if parent is None:
        named = stored.record.parent_key or raw
        work.notices.append(
            Notice(
                "orphan",
                work.item.id,
                rule.connection,
                f"{stored.record.key} names {named} as its parent, which this roadmap does not hold; "
                f"it is kept without a parent; add {named} to the mapping or give it another parent",
            )
        )
    return parent
