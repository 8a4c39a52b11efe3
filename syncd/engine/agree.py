"""What became of a write of ours: judged cell by cell, by what the tool shows and by its own log.

What a tool shows after our write becomes the new base of the cells that were written, unless somebody
has edited them since: that edit must be seen as one. A value alone cannot tell the two apart, nor what
our write replaced; the tool's log of who changed what can. Where a tool keeps none, the account that
edited the record last is all there is to go by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncd.core.fields import FieldType
from syncd.core.model import Cell, HistoryEntry, Intent
from syncd.core.records import NEW_OPTION, FieldKind, LogEntry, Record, Value
from syncd.core.rules import CellRule, UnmappedError
from syncd.core.values import same
from syncd.engine.context import Context

SPELLED = (FieldType.NUMBER, FieldType.TEXT, FieldType.RICH_TEXT, FieldType.URL)
"""Types that a tool may spell its own way (rounded, trimmed) and yet has taken."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known after a write was sent.

    `answered`: the service said that it was done. `at_once`: `record` is what that answer showed, so
    that nobody can have edited it in between. `log` are the changes since the record was last seen
    before the write; None where they were not asked for, or the service keeps none.
    """

    record: Record
    answered: bool
    at_once: bool = False
    log: tuple[LogEntry, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The cell from now on (None: our write did not arrive), and the edit that our write replaced."""

    cell: Cell | None
    replaced: LogEntry | None = None


def decoded(context: Context, rule: CellRule, record: Record) -> Value:
    """Return what a record shows in a cell, in canonical form. Raises UnmappedError."""
    return _canonical(context, rule, rule.shown(record))


def settle(context: Context, level: str, intent: Intent, evidence: Evidence) -> bool:
    """Store what became of the cells of an intent; tell whether all of it arrived.

    What was written, and what of people's it replaced unseen, is put into the history.
    """
    rules = context.roadmap.cells_of(level, intent.connection)
    verdicts = {
        name: _judge(context, rules[name], intent, evidence)
        for name in intent.cells
        if name in rules
    }
    cells = {name: verdict.cell for name, verdict in verdicts.items() if verdict.cell is not None}
    arrived = set(cells)
    if intent.kind == "create":
        cells.update(_begun(context, rules, intent, evidence))
    context.store.save_cells(intent.connection, evidence.record.id, cells)
    if intent.kind == "update":
        context.store.append_history(_told(context, intent, evidence, arrived, verdicts))
    return arrived == set(intent.cells)


def _judge(context: Context, rule: CellRule, intent: Intent, evidence: Evidence) -> _Verdict:
    if intent.kind == "create":
        return _Verdict(_born(context, rule, intent, evidence))
    if rule.remote not in intent.fields:
        return _Verdict(None)  # the mapping means another field by now: this one was given nothing
    if evidence.log is None:
        return _Verdict(_by_value(context, rule, intent, evidence))
    return _by_log(context, rule, intent, evidence, evidence.log)


def _by_log(
    context: Context,
    rule: CellRule,
    intent: Intent,
    evidence: Evidence,
    log: Sequence[LogEntry],
) -> _Verdict:
    """Find our attempt in the log: what it replaced stands before it, later edits after it."""
    old, new = intent.cells[rule.field]
    known = _logged(context, rule, evidence.record)
    entries = [
        entry for entry in log if entry.field == rule.remote and (entry.attempt or entry.at > known)
    ]
    at = _ours(context, rule, intent, entries)
    shown = _shown(context, rule, evidence.record, new)
    if at is None:
        # it held the value already, or the tool answered and did nothing, or it does not log this field
        arrived = evidence.answered or _holds(context, rule, evidence.record, intent)
        silent = arrived and not entries
        return _Verdict(Cell(shown, new, has_sent=True, logged=known) if silent else None)
    known = max(known, entries[at].at)
    before = [entry for entry in entries[:at] if not _by_us(context, intent, entry)]
    lost = before[-1] if before and _unseen(context, rule, entries[at], old) else None
    if at < len(entries) - 1:
        base = _read(context, rule, entries[at].after, new) if entries[at].told else new
        return _Verdict(Cell(base, new, has_sent=True, logged=known), lost)
    base = _ours_shown(context, rule, intent, evidence.record, new)
    kind = context.roadmap.fields[rule.field].type
    if isinstance(new, tuple) and not evidence.answered and not same(kind, base, new):
        # sets are written in parts, and some of them did not arrive
        return _Verdict(Cell(base, logged=known), lost)
    return _Verdict(Cell(base, new, has_sent=True, logged=known), lost)


def _logged(context: Context, rule: CellRule, record: Record) -> str:
    """Return up to which moment the log of a cell is accounted for."""
    stored = context.store.record(record.connection, record.id)
    cell = stored.cells.get(rule.field) if stored is not None else None
    return cell.logged if cell is not None else ""


def _ours(
    context: Context, rule: CellRule, intent: Intent, entries: Sequence[LogEntry]
) -> int | None:
    """Return which entry is this attempt: by its mark, else the last one of our account without any.

    An entry of ours that says what was known before, or another value in a field that is never
    respelled, is of an older attempt: services do not count every change as one that makes a record
    younger. Those that were accounted for have been left out (`Cell.logged`).
    """
    old, new = intent.cells[rule.field]
    kind = context.roadmap.fields[rule.field].type
    found = None
    for number, entry in enumerate(entries):
        if entry.attempt == intent.id:
            found = number
        elif not entry.attempt and _by_us(context, intent, entry):
            says = _read(context, rule, entry.after, new) if entry.told else new
            if same(kind, says, new) or (kind in SPELLED and not same(kind, says, old)):
                found = number
    return found


def _by_us(context: Context, intent: Intent, entry: LogEntry) -> bool:
    return bool(entry.attempt) or entry.author == context.accounts.get(intent.connection, "")


def _unseen(context: Context, rule: CellRule, entry: LogEntry, old: Value) -> bool:
    """Tell whether our entry replaced something else than we knew of."""
    if not entry.told:
        return True
    try:
        before = _canonical(context, rule, entry.before)
    except UnmappedError:
        return True
    return not same(context.roadmap.fields[rule.field].type, before, old)


def _by_value(context: Context, rule: CellRule, intent: Intent, evidence: Evidence) -> Cell | None:
    """Judge without a log: by the value shown, and by whether we or a person edited the record last."""
    old, new = intent.cells[rule.field]
    if evidence.at_once:  # an option that the write has made cannot be read yet: it is what we sent
        raw = evidence.record.fields.get(rule.remote, intent.fields.get(rule.remote))
        return Cell(_read(context, rule, raw, new), new, has_sent=True)
    if _holds(context, rule, evidence.record, intent):
        return Cell(_shown(context, rule, evidence.record, new), new, has_sent=True)
    kind = context.roadmap.fields[rule.field].type
    theirs = _edited_by_a_person(context, evidence.record)
    ours = _ours_shown(context, rule, intent, evidence.record, new)
    if evidence.answered:
        return Cell(new if theirs else ours, new, has_sent=True)
    if theirs is False and not same(kind, ours, old):
        return Cell(ours, new, has_sent=True)  # nobody else was there: it is our value, respelled
    return None


def _born(context: Context, rule: CellRule, intent: Intent, evidence: Evidence) -> Cell:
    """Judge a cell of a record that we made. What the tool did not take yet does not count as sent."""
    new = intent.cells[rule.field][1]
    kind = context.roadmap.fields[rule.field].type
    base = _at_birth(context, rule, intent, evidence, new)
    taken = same(kind, base, new) or (kind in SPELLED and base is not None)
    if not taken and _perhaps_edited(context, evidence):
        return Cell(new, new, has_sent=True)
    return Cell(base, new, has_sent=taken)


def _at_birth(
    context: Context, rule: CellRule, intent: Intent, evidence: Evidence, new: Value
) -> Value:
    """Return what a record of ours held in a cell before anybody else edited it."""
    theirs = [
        entry
        for entry in evidence.log or ()
        if entry.field == rule.remote and not _by_us(context, intent, entry)
    ]
    if theirs:
        return _read(context, rule, theirs[0].before, new) if theirs[0].told else new
    return _ours_shown(context, rule, intent, evidence.record, new)


def _begun(
    context: Context, rules: Mapping[str, CellRule], intent: Intent, evidence: Evidence
) -> dict[str, Cell]:
    """Return the cells that our creation gave nothing for.

    What a new record shows there is nobody's word, it is where both sides begin; unless a person has
    edited the record since, and the tool does not tell what.
    """
    cells: dict[str, Cell] = {}
    for name, rule in rules.items():
        if name not in intent.cells:
            try:
                decoded(context, rule, evidence.record)
            except UnmappedError:
                continue
            perhaps = _perhaps_edited(context, evidence)
            base = None if perhaps else _at_birth(context, rule, intent, evidence, None)
            cells[name] = Cell(base)
    return cells


def _perhaps_edited(context: Context, evidence: Evidence) -> bool:
    """Tell whether a person may have edited a record of ours, where there is no log to tell."""
    blind = evidence.log is None and not evidence.at_once
    return blind and bool(_edited_by_a_person(context, evidence.record))


def _edited_by_a_person(context: Context, record: Record) -> bool | None:
    """Tell whether the last edit of a record was not ours; None where the tool does not say."""
    me = context.accounts.get(record.connection)
    return None if me is None or record.author is None else record.author != me


def _holds(context: Context, rule: CellRule, record: Record, intent: Intent) -> bool:
    sent, shown = intent.fields.get(rule.remote), record.fields.get(rule.remote)
    if isinstance(sent, str) and isinstance(shown, str):
        normal = context.adapters[intent.connection].normal
        return shown in (sent, normal(rule.kind, sent))
    return shown == sent


def _canonical(context: Context, rule: CellRule, raw: Value) -> Value:
    if rule.kind is not FieldKind.PARENT:
        return rule.decode(raw, context.directory)
    if not isinstance(raw, str):
        return None
    return context.store.linked_items(rule.connection, [raw]).get(raw)


def _read(context: Context, rule: CellRule, raw: Value, otherwise: Value) -> Value:
    try:
        return _canonical(context, rule, raw)
    except UnmappedError:
        return otherwise


def _shown(context: Context, rule: CellRule, record: Record, sent: Value) -> Value:
    """Return what a cell shows; None where it cannot be read, what was sent where it is not shown."""
    if rule.remote not in record.fields:
        return sent
    return _read(context, rule, record.fields[rule.remote], None)


def _ours_shown(
    context: Context, rule: CellRule, intent: Intent, record: Record, sent: Value
) -> Value:
    """Return what a cell shows that nobody has edited after us.

    An option that our write has made cannot be read yet: it is what we sent.
    """
    if rule.remote not in record.fields:
        return sent
    given = intent.fields.get(rule.remote)
    parts = given if isinstance(given, tuple) else (given,)
    made = any(isinstance(part, str) and part.startswith(NEW_OPTION) for part in parts)
    return _read(context, rule, record.fields[rule.remote], sent if made else None)


def _told(
    context: Context,
    intent: Intent,
    evidence: Evidence,
    arrived: Iterable[str],
    verdicts: Mapping[str, _Verdict],
) -> list[HistoryEntry]:
    entries = []
    for name in sorted(arrived):
        old, new = intent.cells[name]
        cell = verdicts[name].cell
        if cell is not None and not cell.has_sent:
            new = cell.base  # what arrived of it
        rule, _, reason = intent.reasons.get(name, "").partition(" ")
        how = reason if evidence.answered else "found as sent"
        replaced = verdicts[name].replaced
        if replaced is not None:
            entries.append(_lost(context, intent, name, replaced))
        entries.append(
            context.entry(
                intent.item, name, "wrote", intent.connection, before=old, after=new, rule=rule,
                detail=f"{how}; {intent.id}",
            )
        )  # fmt: skip
    return entries


def _lost(context: Context, intent: Intent, name: str, entry: LogEntry) -> HistoryEntry:
    """Return the history of an edit made between our last look and our write: it is not forgotten."""
    level = context.store.items([intent.item])[intent.item].level
    rule = context.roadmap.cells_of(level, intent.connection)[name]
    told = "" if entry.told else ", its value is not told"
    context.count(intent.connection, corrected=1)
    return context.entry(
        intent.item, name, "corrected", intent.connection,
        before=_read(context, rule, entry.after, entry.after) if entry.told else None,
        after=intent.cells[name][1],
        author=context.directory.person(intent.connection, entry.author) if entry.author else None,
        rule=intent.reasons.get(name, "").partition(" ")[0],
        detail=f"edited {entry.at}, replaced before it could be seen{told}; {intent.id}",
    )  # fmt: skip
