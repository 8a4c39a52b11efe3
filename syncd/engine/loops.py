"""The breaker of loops through third parties: a cell that is changed back again and again is left alone."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.flips import WINDOW, looping
from syncd.core.merge import Sight, edited
from syncd.core.model import Conflict, Item, Notice
from syncd.core.records import Value
from syncd.core.rules import FieldRule
from syncd.core.values import same
from syncd.engine.context import Context

LOOPING = "something keeps changing back what syncd writes there"
"""The reason of a conflict that only a person ends."""

RECENT = 100
"""Entries of a field's history that are looked at for a loop."""


def parties(
    context: Context,
    item: Item,
    rule: FieldRule,
    conflict: Conflict | None,
    sights: Sequence[Sight],
    current: Value,
) -> tuple[Sight, ...]:
    """Return the tools between which a field goes back and forth, the one that turns first; none: no loop."""
    known = {c.connection for c in conflict.claims} if conflict and conflict.held else set()
    turning = [s for s in sights if s.connection in known or turns_back(context, item, rule, s)]
    if not turning:
        return ()
    others = [s for s in sights if s not in turning and same(rule.type, s.value, current)]
    return (*turning, *others)


def turns_back(context: Context, item: Item, rule: FieldRule, sight: Sight) -> bool:
    """Tell whether a tool has once more gone back from what we wrote to what it had before."""
    if sight.cell is None or not sight.cell.has_sent or not edited(rule.type, sight):
        return False
    since = context.clock.now() - WINDOW
    entries = context.store.history(item.id, rule.name, RECENT, since)
    return looping(rule.type, sight.connection, entries, sight.value)


def notice(item: Item, rule: FieldRule, *, derived: bool = False) -> Notice:
    """Return what to tell people about a loop. A derived value has nothing that could be settled."""
    way_on = "" if derived else ", then settle it: `syncd conflicts list`"
    sentence = (
        f"{rule.name} of {item.title} is changed back again and again, by another integration or an "
        f"automation, so nothing is written there for now; end that{way_on}"
    )
    return Notice("looping", item.id, rule.name, sentence)
