"""Undo: which of the values that syncd wrote can be put back, and how long they then stay.

Only what syncd wrote is undone, never what people wrote, and only where the tool still holds it
(compare and swap). A value that was put back stays until its field changes again in the roadmap: by an
edit of the owner, of anyone where it is shared, by a person's decision, or by another mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncd.core.fields import FieldType
from syncd.core.model import Cell, HistoryEntry
from syncd.core.records import Value
from syncd.core.values import digest, same

CellKey = tuple[str, str, str]
"""A cell: (item, field, connection)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one cell through some writes of ours: from the first `before` to the last `after`."""

    item: str
    field: str
    connection: str
    before: Value
    after: Value
    at: float

    @property
    def key(self) -> CellKey:
        """Return the cell."""
        return self.item, self.field, self.connection


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of an undo: `why` is empty where `target` is to be put back, else why it is left."""

    item: str
    field: str
    connection: str
    now: Value
    target: Value
    why: str = ""

    @property
    def key(self) -> CellKey:
        """Return the cell."""
        return self.item, self.field, self.connection


@dataclass(frozen=True, slots=True)
class Pin:
    """A value to put back: written while the tool holds `expect` and the roadmap says `against`."""

    value: Value
    expect: Value
    against: Value
    undo: int  # the number of the undo
    what: str  # what is undone, for people: "cycle 12"
    by: str

    @property
    def reason(self) -> str:
        """Return why this is written, as a plan shows it."""
        return f"undo {self.undo} of {self.what} by {self.by}"


def written(entries: Iterable[HistoryEntry], actions: Sequence[str] = ("wrote",)) -> list[Written]:
    """Return the net effect of our writes on each cell. `entries` are newest first, as stored.

    Where these entries tell that a record was created, only what later cycles wrote to it counts: it
    goes back to what it was created with, and before that there is no value.
    """
    entries = list(entries)
    created: dict[tuple[str, str], int] = {}
    for entry in entries:
        if entry.action == "created":
            created.setdefault((entry.item, entry.connection), entry.cycle)
    net: dict[CellKey, Written] = {}
    for entry in reversed(entries):
        born = created.get((entry.item, entry.connection))
        if entry.action not in actions or (born is not None and entry.cycle <= born):
            continue
        key = (entry.item, entry.field, entry.connection)
        first = net[key].before if key in net else entry.before
        net[key] = Written(*key, first, entry.after, entry.at)
    return list(net.values())


def holds(kind: FieldType, cell: Cell, value: Value) -> bool:
    """Tell whether a tool holds a value, as it is or as the tool spells what it was given."""
    given = cell.has_sent and cell.refused is None
    return same(kind, cell.base, value) or (given and same(kind, cell.sent, value))


def step(kind: FieldType, change: Written, cell: Cell | None, since: str) -> Step | None:
    """Return what an undo does to a cell; None when there is nothing to do.

    `since` says who has changed it since, as far as anybody knows.
    """
    key, target = change.key, change.before
    if same(kind, target, change.after):
        return None
    if cell is None:
        return Step(
            *key, None, target, "the record is gone, or the mapping no longer uses the field"
        )
    if same(kind, cell.base, target):
        return None
    if not holds(kind, cell, change.after):
        return Step(*key, cell.base, target, since or "changed since")
    return Step(*key, cell.base, target)


def changed_by(entries: Iterable[HistoryEntry], change: Written, people: Mapping[str, str]) -> str:
    """Return in words who has changed a cell since. `entries` are those of its field, newest first."""
    for entry in entries:
        if entry.at < change.at or entry.connection != change.connection:
            continue
        if entry.action == "wrote":
            return f"written again in cycle {entry.cycle}"
        if entry.action in ("observed", "corrected", "merged", "conflict"):
            author = people.get(entry.author or "", entry.author)
            return f"changed since by {author or 'somebody'} in {entry.connection}"
    return ""


def checksum(steps: Iterable[Step]) -> str:
    """Return a digest of what an undo puts back."""
    return digest(sorted([*s.key, repr(s.now), repr(s.target)] for s in steps if not s.why))
