"""What must never be about to happen: cheap checks of every plan, just before it is carried out.

The planner keeps these rules by itself. Should a fault of ours ever break one, the scope is held back
and says so, instead of harming what people have: a check that never fires costs next to nothing.
The rules are the invariants of docs/explanation/promises.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.model import Item, StoredRecord
from syncd.core.plan import CellChange, Change
from syncd.core.values import digest

REPEATS = 3
"""How often one cycle may send the same value to the same cell: a refusal may be tried alone again."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a change beside itself.

    `record` is what its item has in the connection already; `unsettled`: a creation of it there has no
    known outcome; `whole`: its scope has been read in full; `owners` maps fields to who decides them;
    `sent` counts values sent in this cycle, by `sending`.
    """

    item: Item | None
    record: StoredRecord | None
    unsettled: bool
    whole: bool
    owners: Mapping[str, str | None]
    sent: Mapping[str, int] = field(default_factory=dict)


def sending(change: Change, cell: CellChange) -> str:
    """Return the name under which a value sent to a cell is counted."""
    return f"{change.connection} {change.record} {cell.field} {digest(cell.new)}"


def broken(change: Change, facts: Facts) -> str | None:
    """Return which rule a change would break, as what it would do; None when it keeps them all."""
    if change.record is None:
        return _creation(change, facts)
    for cell in change.cells:
        found = _owned(change, cell, facts) or _storm(change, cell, facts)
        if found is not None:
            return found
    return _sums(change, facts)


def _creation(change: Change, facts: Facts) -> str | None:
    if facts.record is not None or facts.unsettled:
        return f"create {change.title} in {change.connection} a second time"
    if not facts.whole:
        return f"create {change.title} in {change.connection}, which has not been read in full"
    return None


def _owned(change: Change, cell: CellChange, facts: Facts) -> str | None:
    """I8: a value of the tool that owns the field is written over by a person's decision only."""
    if facts.owners.get(cell.field) != change.connection or cell.free or cell.old is None:
        return None
    ours = facts.record is not None and facts.record.linked_how in ("created", "marker")
    source = _source(facts.item, cell.field)
    if ours or source.startswith("conflict:"):
        return None
    return f"overwrite {cell.field} of {change.title} in {change.connection}, which owns it"


def _source(item: Item | None, name: str) -> str:
    known = item.provenance.get(name) if item is not None else None
    return known.source if known is not None else ""


def _storm(change: Change, cell: CellChange, facts: Facts) -> str | None:
    if facts.sent.get(sending(change, cell), 0) < REPEATS:
        return None
    return f"write the same {cell.field} of {change.title} to {change.connection} more than {REPEATS} times"


def _sums(change: Change, facts: Facts) -> str | None:
    """I18: of what is below an item, no more can be done than there is."""
    if facts.item is None or not any(cell.field == "items_done" for cell in change.cells):
        return None
    done, total = facts.item.fields.get("items_done"), facts.item.fields.get("items_total")
    if isinstance(done, float | int) and isinstance(total, float | int) and not 0 <= done <= total:
        return f"publish {done:g} of {total:g} done for {change.title}"
    return None


def reasons(changes: Sequence[Change], facts: Sequence[Facts]) -> list[str]:
    """Return what the changes of a scope would break, each once."""
    found = (broken(change, known) for change, known in zip(changes, facts, strict=True))
    return list(dict.fromkeys(reason for reason in found if reason is not None))
