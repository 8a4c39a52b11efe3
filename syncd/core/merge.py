"""The three-way merge of one field: what the tools show, what was last agreed, what is canonical.

Pure: no clock decides anything, only who owns the field and what differs from the base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncd.core.fields import FieldType
from syncd.core.model import Cell
from syncd.core.records import Value
from syncd.core.rules import MERGE, SHARED
from syncd.core.textmerge import merge_text
from syncd.core.values import normal, same


@dataclass(frozen=True, slots=True)
class Sight:
    """What one tool shows in one cell, in canonical form. `cell` is None before the first agreement."""

    connection: str
    value: Value
    cell: Cell | None
    author: str | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome for one field.

    `source` is the connection whose edit became canonical, or None when the value stays.
    `corrected` are the tools whose edit is overruled. `disputed` are the sights of a conflict; their
    cells stay as they are. `cells` are the cells as they are from now on.
    """

    value: Value
    source: str | None
    corrected: tuple[Sight, ...] = ()
    disputed: tuple[Sight, ...] = ()
    reason: str = ""
    cells: Mapping[str, Cell] = field(default_factory=dict)


REUNITED = "the state is an older one, so nobody can tell which of the tools was edited last"
"""Why a conflict was opened after a restore. It stays until a person decides or the tools agree."""


def edited(kind: FieldType, sight: Sight) -> bool:
    """Tell whether somebody changed this cell since we last agreed on it."""
    return sight.cell is not None and not same(kind, sight.value, sight.cell.base)


def merge(
    kind: FieldType,
    owner: str,
    on_conflict: str,
    current: Value,
    known: bool,  # noqa: FBT001 - whether `current` was ever decided, or is merely absent
    sights: Sequence[Sight],
) -> Merged:
    """Merge one field. `sights` are in the order of the configuration; each connection at most once."""
    if owner == SHARED:
        merged = _merge_shared(kind, on_conflict, current, known, sights)
    else:
        merged = _merge_owned(kind, owner, current, known, sights)
    cells = _absorbed(kind, merged, sights)
    return replace(merged, cells=cells) if cells else merged


def reunite(kind: FieldType, current: Value, sights: Sequence[Sight]) -> Merged:
    """Merge a shared field when what was last agreed is from an older time than what the tools show.

    A difference from the base may be a person's edit or a write of ours that the state does not know.
    Where all tools mean the same it is taken over; where they do not, a person decides.
    """
    meant = [_meant(kind, sight) for sight in sights]
    if len({normal(kind, value) for value in meant}) > 1:
        return Merged(current, None, disputed=tuple(sights), reason=REUNITED)
    cells = {s.connection: Cell(base=s.value) for s in sights if s.cell is None or edited(kind, s)}
    if same(kind, meant[0], current):
        return Merged(current, None, cells=cells)
    return Merged(meant[0], sights[0].connection, reason="found in the tools", cells=cells)


def _meant(kind: FieldType, sight: Sight) -> Value:
    """Return what a tool's value stands for: as it is, or what we sent, where the tool spells it so."""
    cell = sight.cell
    if cell is not None and cell.has_sent and not edited(kind, sight):
        return cell.sent
    return sight.value


def _merge_owned(
    kind: FieldType,
    owner: str,
    current: Value,
    known: bool,  # noqa: FBT001 - as in merge
    sights: Sequence[Sight],
) -> Merged:
    """Let the owner decide; while it has no word, the first tool that shows the item speaks for it.

    An owner that shows what was last agreed says nothing new: the canonical value stands and is still
    to be written there (a record we created, whose tool could not take every field at once). And an
    owner that is empty when it first meets the others does not erase what they hold.
    """
    speaker = next((s for s in sights if s.connection == owner), None)
    if speaker is not None and speaker.cell is None and speaker.value is None:
        speaker = None if known else _first_word(sights) or speaker
    if speaker is None and not known:
        speaker = _first_word(sights) or next(iter(sights), None)
    if speaker is None or _says_nothing(kind, owner, known, speaker):
        others = [s for s in sights if s is not speaker]
        return Merged(current, None, _overruled(kind, current, others))
    others = [s for s in sights if s is not speaker]
    changed = not known or not same(kind, current, speaker.value)
    return Merged(
        speaker.value if changed else current,
        speaker.connection if changed else None,
        _overruled(kind, speaker.value, others),
        reason=f"{speaker.connection} decides",
    )


def _says_nothing(kind: FieldType, owner: str, known: bool, speaker: Sight) -> bool:  # noqa: FBT001
    """Tell whether a field stays as it is: its owner has not edited it, or nobody has given it a value."""
    if known:
        return speaker.cell is not None and not edited(kind, speaker)
    return speaker.connection != owner and speaker.value is None


def _first_word(sights: Sequence[Sight]) -> Sight | None:
    return next((s for s in sights if s.value is not None), None)


def _overruled(kind: FieldType, value: Value, sights: Sequence[Sight]) -> tuple[Sight, ...]:
    return tuple(s for s in sights if edited(kind, s) and not same(kind, s.value, value))


def _merge_shared(
    kind: FieldType,
    on_conflict: str,
    current: Value,
    known: bool,  # noqa: FBT001 - as in merge
    sights: Sequence[Sight],
) -> Merged:
    edits = [s for s in sights if edited(kind, s)]
    firsts = [s for s in sights if s.cell is None and s.value is not None]
    if kind in (FieldType.MULTI_SELECT, FieldType.PEOPLE):
        return _merge_sets(kind, current, [*edits, *firsts])
    if not known or (current is None and not edits):
        # nothing was ever agreed: whoever has a value brings it, two different ones are a conflict
        why = "first contact" if firsts else "edited"
        return _settle(kind, on_conflict, current, [*firsts, *edits], why)
    strangers = [s for s in firsts if not same(kind, s.value, current)]
    if edits:
        return _settle(kind, on_conflict, current, [*edits, *strangers], "edited")
    if strangers:
        return _meet(kind, on_conflict, current, sights, strangers)
    return Merged(current, None)


def _meet(
    kind: FieldType,
    on_conflict: str,
    current: Value,
    sights: Sequence[Sight],
    strangers: Sequence[Sight],
) -> Merged:
    """Let tools that are new to an item meet what is agreed; all who show that speak for it."""
    holders = [s for s in sights if same(kind, s.value, current)]
    if not holders and any(s.cell is not None for s in sights):
        # what is agreed stands, though no tool shows it yet
        names = " and ".join(s.connection for s in strangers)
        reason = f"{names} held a different value when first met"
        return Merged(current, None, disputed=tuple(strangers), reason=reason)
    return _settle(kind, on_conflict, current, [*holders, *strangers], "first contact")


def _settle(
    kind: FieldType, on_conflict: str, current: Value, edits: Sequence[Sight], why: str
) -> Merged:
    values = {normal(kind, s.value) for s in edits}
    if not edits:
        return Merged(current, None)
    if len(values) == 1:
        if same(kind, edits[0].value, current):
            return Merged(current, None)
        return Merged(edits[0].value, edits[0].connection, reason=why)
    if on_conflict == MERGE:
        text = _merged_text(current, edits)
        if text is not None and same(kind, text, current):
            return Merged(current, None)
        if text is not None:
            source = next((s for s in edits if not same(kind, s.value, current)), edits[0])
            return Merged(text, source.connection, reason="merged texts")
    winner = next((s for s in edits if s.connection == on_conflict), None)
    if winner is not None:
        losers = tuple(s for s in edits if not same(kind, s.value, winner.value))
        return Merged(winner.value, winner.connection, losers, reason=f"{on_conflict} wins")
    names = " and ".join(s.connection for s in edits)
    reason = (
        f"{names} were edited differently since they last agreed"
        if why == "edited"
        else f"{names} held different values when they first met"
    )
    return Merged(current, None, disputed=tuple(edits), reason=reason)


def _merged_text(current: Value, edits: Sequence[Sight]) -> str | None:
    """Apply what each tool changed, compared with its own base, to the canonical text, one by one."""
    text = current
    for sight in edits:
        base = sight.cell.base if sight.cell is not None else None
        if not (isinstance(text, str) and isinstance(base, str) and isinstance(sight.value, str)):
            return None
        text = merge_text(base, sight.value, text)
    return text if isinstance(text, str) else None


def _merge_sets(kind: FieldType, current: Value, sights: Sequence[Sight]) -> Merged:
    """Additions and removals of all sides add up; sets never conflict. What anyone adds, stays."""
    added: set[str] = set()
    removed: set[str] = set()
    for sight in sights:
        before = _members(kind, sight.cell.base if sight.cell is not None else None)
        after = _members(kind, sight.value)
        added |= after - before
        removed |= before - after
    value = tuple(sorted((_members(kind, current) - removed) | added)) or None
    if same(kind, value, current):
        return Merged(current, None)
    source = next(s for s in sights if not same(kind, s.value, current))
    return Merged(value, source.connection, reason="merged sets")


def _members(kind: FieldType, value: Value) -> set[str]:
    plain = normal(kind, value)
    return set(plain) if isinstance(plain, tuple) else set()


def _absorbed(kind: FieldType, merged: Merged, sights: Sequence[Sight]) -> dict[str, Cell]:
    """Return the cells that change: what a tool shows is agreed on, unless it is disputed."""
    disputed = {s.connection for s in merged.disputed}
    cells = {}
    for sight in sights:
        if sight.connection in disputed:
            continue
        if sight.cell is None or edited(kind, sight):
            cells[sight.connection] = Cell(base=sight.value)
    return cells
