"""Loops through third parties: a value of ours that something keeps changing back.

Another integration over the same tools, or an automation inside one, may answer every write of ours. No
rule ends that, and each round is a notification for somebody; so the cell is left to a person.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncd.core.fields import FieldType
from syncd.core.model import HistoryEntry
from syncd.core.records import Value
from syncd.core.values import same

WINDOW = 600.0
"""Seconds in which reversals are counted."""

MOST = 3
"""Reversals in that time that are borne: people change their minds too."""

_SHOWS_AFTER = ("observed", "conflict")
_SHOWS_BEFORE = ("corrected", "merged")


def reversals(
    kind: FieldType, connection: str, entries: Iterable[HistoryEntry], value: Value
) -> int:
    """Return how often a tool went back, after a write of ours, to what it showed before that write.

    `entries` are those of the field, newest first; `value` is what the tool shows now.
    """
    count, held = 0, None
    for entry in reversed(list(entries)):
        if entry.connection != connection:
            continue
        if entry.action == "wrote":
            held = entry
        elif held is not None and entry.action in (*_SHOWS_AFTER, *_SHOWS_BEFORE):
            shown = entry.before if entry.action in _SHOWS_BEFORE else entry.after
            count += same(kind, shown, held.before)
            held = None
    return count + (held is not None and same(kind, value, held.before))


def looping(
    kind: FieldType, connection: str, entries: Iterable[HistoryEntry], value: Value
) -> bool:
    """Tell whether a cell is in a loop that a person has to end."""
    return reversals(kind, connection, entries, value) > MOST
