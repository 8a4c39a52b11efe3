"""The values that are remembered between cycles: items, cells, intents, conflicts, problems, history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from syncd.core.records import Record, Value


@dataclass(frozen=True, slots=True)
class Provenance:
    """Why a canonical field has its value: who said so, by which rule, when."""

    source: str  # connection, or "syncd" for derived values, "conflict:ID", "undo:NUMBER"
    rule: str  # file:line
    cycle: int
    author: str | None = None  # person key, where the tool names one
    previous: Value = None


@dataclass(frozen=True, slots=True)
class Item:
    """A node of the canonical roadmap.

    `fields` holds canonical values, derived ones included; `parent` repeats `fields["parent"]`.
    `aggregate` is the mergeable sum over the leaves below (`syncd.core.rollup`), as JSON-able data.
    """

    id: str
    level: str
    origin: str  # the connection it was first seen in
    parent: str | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    aggregate: Mapping[str, object] | None = None
    version: int = 0

    @property
    def title(self) -> str:
        """Return the title, or the id while there is none."""
        return str(self.fields.get("title") or self.id)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of one field of one item in one tool.

    `base` is the canonical form of what the tool held when both sides last agreed; `sent` is the
    canonical value we last wrote there (what the tool made of it is `base`); while `has_sent` is not
    set, it is one that may have arrived before the record was deleted. `refused` is the tool's
    sentence when it would not take `sent`. `away`: the tool does not show the field any more; when it
    is back and empty, that is nobody's word. `logged` is the moment, as `LogEntry.at` has it, up to
    which the tool's log of the field is accounted for: what it tells up to there is of older writes.
    """

    base: Value = None
    sent: Value = None
    has_sent: bool = False
    refused: str | None = None
    away: bool = False
    logged: str = ""

    def unsent(self, base: Value) -> Cell:
        """Return the cell with another base, as if nothing had been written to it; it stays `away`."""
        return replace(self, base=base, sent=None, has_sent=False, refused=None)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as last observed, what it is linked to, and its cells by canonical field.

    `level` is what the mapping made of it when it was observed. `gone_since` is set on positive
    evidence of deletion. `seen` is the number of the last full read that listed it.
    """

    record: Record
    level: str | None
    item: str | None = None
    cells: Mapping[str, Cell] = field(default_factory=dict)
    linked_how: str | None = None  # origin | created | marker | title | adopted
    gone_since: float | None = None
    seen: int = 0


class IntentState(StrEnum):
    """Where an intent stands. `sent` after a crash means the same as `unknown`."""

    PLANNED = "planned"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Intent:
    """One planned write, durable before the request leaves. `fields` are neutral, by remote field id.

    `cells` are the same changes in canonical form: field -> (old, new).
    """

    id: str
    cycle: int
    connection: str
    scope: str
    kind: str  # create | update
    item: str
    record: str | None
    container: str
    fields: Mapping[str, Value]
    cells: Mapping[str, tuple[Value, Value]]
    reasons: Mapping[str, str]
    seen: str = ""  # the latest moment known before it, in the service's time: see Record.updated
    state: IntentState = IntentState.PLANNED
    created_at: float = 0.0
    sent_at: float | None = None
    settled_at: float | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One tool's word in a conflict: canonical value, person key of the author, the tool's time."""

    connection: str
    value: Value
    author: str | None
    at: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A decision left to a person. Blocks only its own cell.

    `held` means that only a person ends it: the tools' values may come to agree for a moment.
    `id` is stable for the item and field while the conflict is open. `resolution` is the value a person
    chose; `resolved_at` is set when it took effect or the tools came to agree by themselves.
    """

    id: str
    item: str
    field: str
    base: Value
    claims: tuple[Claim, ...]
    reason: str
    rule: str
    opened_cycle: int
    opened_at: float
    resolved_at: float | None = None
    resolution: Value = None
    resolved_by: str | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know or mend; it stays until the cause is gone.

    `kind` is a word such as unmapped, orphan, refused, only-here, gone, frozen, adopt, looping.
    """

    kind: str
    subject: str  # item id, or connection:record, or connection:scope
    field: str
    sentence: str
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history of a cell; of the whole where `item` is empty.

    `action`: observed, corrected, merged, wrote, conflict, resolved, linked, created, refused, gone,
    restored, unfound (a creation without an answer, looked for in vain); held, approved, released and
    lapsed (by the guard; a decision that was replaced has lapsed too); undone (decided) and left
    (overtaken).
    """

    cycle: int
    at: float
    item: str
    field: str
    action: str
    connection: str
    before: Value = None
    after: Value = None
    author: str | None = None
    rule: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CursorState:
    """How far a scope has been read. `full_at`: last complete read; `filled`: first fill is done.

    `newest` is the latest `updated` that a read has shown: a moment in the service's own time.
    """

    cursor: str | None = None
    read_at: float = 0.0
    full_at: float | None = None
    full_count: int = 0  # records listed by the last complete read
    sweep: int = 0  # number of the last complete read
    filled: bool = False
    frozen: str | None = None  # the guard's sentence while the scope is frozen
    newest: str = ""


@dataclass(slots=True)
class Tally:
    """What one cycle did in one connection; it counts up while the cycle runs."""

    read: int = 0
    changed: int = 0
    created: int = 0
    updated: int = 0
    corrected: int = 0
    refused: int = 0
    unknown: int = 0
    error: str | None = None
    calls: int = 0
    skipped: int = 0  # records read that the mapping does not use


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one cycle did."""

    number: int
    started_at: float
    seconds: float
    tallies: Mapping[str, Tally]
    items: int
    conflicts: int
    notices: int
    pages: int = 0  # blocks written on published pages
    frozen: tuple[str, ...] = ()
    rounds: int = 0
    complete: bool = True  # false when stopped before everything planned was done

    @property
    def writes(self) -> int:
        """Return the number of writes, page blocks included."""
        return self.pages + sum(
            tally.created + tally.updated + tally.refused + tally.unknown
            for tally in self.tallies.values()
        )
