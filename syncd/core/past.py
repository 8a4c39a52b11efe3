"""What a field said at a past time, reconstructed from the history: in the roadmap and in each tool."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from syncd.core.model import HistoryEntry, Item
from syncd.core.records import Value
from syncd.core.rules import DERIVED, FieldRule


@dataclass(frozen=True, slots=True)
class ToolThen:
    """What one tool showed, and which entry of the history tells; None when none does."""

    connection: str
    shows: Value
    entry: HistoryEntry | None


@dataclass(frozen=True, slots=True)
class Then:
    """A field at a past time. `said` is the entry that gave the value; None: it was the first word."""

    item: str
    field: str
    at: float
    known: bool  # the item existed in the roadmap
    value: Value
    source: str
    said: HistoryEntry | None
    tools: tuple[ToolThen, ...]


_SHOWN_AFTER = ("wrote", "observed", "conflict")
_SHOWN_BEFORE = ("corrected", "merged")  # what the tool showed when it was overruled


def then(
    item: Item,
    rule: FieldRule,
    now: Sequence[tuple[str, Value]],
    entries: Collection[HistoryEntry],
    born: float | None,
    at: float,
) -> Then:
    """Return what a field said at a time (epoch seconds).

    `now` are the tools that have the field with what they hold today; `entries` is the field's whole
    history, newest first; `born` is when the item was first linked, as far as the history tells.
    """
    story = list(reversed(list(entries)))
    derived = rule.owners.get(item.level) == DERIVED
    words = [e for e in story if e.action in (("wrote",) if derived else ("observed", "resolved"))]
    value, said = _value(words, item.fields.get(rule.name), at)
    provenance = item.provenance.get(rule.name)
    first = provenance.source if provenance is not None and not words else item.origin
    return Then(
        item.id,
        rule.name,
        at,
        known=born is None or born <= at,
        value=value,
        source=DERIVED if derived else said.connection if said is not None else first,
        said=said,
        tools=tuple(_tool(connection, value_, story, at) for connection, value_ in now),
    )


def _value(
    words: Sequence[HistoryEntry], today: Value, at: float
) -> tuple[Value, HistoryEntry | None]:
    before = [entry for entry in words if entry.at <= at]
    if before:
        return before[-1].after, before[-1]
    return (words[0].before if words else today), None


def _tool(connection: str, today: Value, story: Sequence[HistoryEntry], at: float) -> ToolThen:
    mine = [e for e in story if e.connection == connection]
    before = [e for e in mine if e.at <= at and e.action in (*_SHOWN_AFTER, *_SHOWN_BEFORE)]
    if before:
        last = before[-1]
        return ToolThen(
            connection, last.before if last.action in _SHOWN_BEFORE else last.after, last
        )
    later = next((e for e in mine if e.action in (*_SHOWN_AFTER, *_SHOWN_BEFORE)), None)
    if later is None:
        return ToolThen(connection, today, None)
    shown = later.after if later.action in _SHOWN_BEFORE else later.before
    return ToolThen(connection, shown, None)
