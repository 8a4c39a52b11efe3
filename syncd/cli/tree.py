"""The roadmap as a tree in the terminal, with roll-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.cli.common import say

if TYPE_CHECKING:
    from syncd.core.model import Item
    from syncd.wiring import System

DEEPEST = "feature"
"""Items below this level are counted, not shown."""


def print_tree(system: System) -> None:
    """Print every root with what is below it, down to the features."""
    levels = list(system.roadmap.levels)
    shown = levels[: levels.index(DEEPEST) + 1] if DEEPEST in levels else levels
    for root in system.store.roots():
        if root.level in shown:
            _print(system, root, shown, 0)


def _print(system: System, item: Item, shown: list[str], depth: int) -> None:
    say(f"{'  ' * depth}{_line(system, item)}")
    for child in sorted(system.store.children(item.id), key=lambda each: each.title):
        if child.level in shown:
            _print(system, child, shown, depth + 1)


def _line(system: System, item: Item) -> str:
    fields = item.fields
    parts = [item.title]
    if fields.get("status"):
        parts.append(f"[{fields['status']}]")
    progress = fields.get("progress")
    if isinstance(progress, float | int):
        done, total = fields.get("items_done"), fields.get("items_total")
        parts.append(f"{progress:.0%}")
        if isinstance(done, float | int) and isinstance(total, float | int):
            parts.append(f"({done:g}/{total:g} items)")
    if fields.get("due"):
        parts.append(f"due {fields['due']}")
    if fields.get("computed_health"):
        parts.append(str(fields["computed_health"]))
    if isinstance(fields.get("owner"), str):
        parts.append(f"- {system.directory.name(str(fields['owner']))}")
    return f"{item.level}: {' '.join(parts)}"
