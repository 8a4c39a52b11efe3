"""`syncd history`: what happened to an item, or to everything, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    emit,
    find_item,
    reading,
    say,
    when,
)
from syncd.cli.plan import shower

if TYPE_CHECKING:
    from syncd.core.model import HistoryEntry
    from syncd.wiring import System


def history(
    item: Annotated[
        str | None, typer.Argument(help="Title, key, URL or id; without it: everything.")
    ] = None,
    field: Annotated[str | None, typer.Argument(help="Only this field.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many entries.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show observed edits, corrections, conflicts and our own writes, newest first."""
    with reading(config) as system:
        found = find_item(system.store, item) if item is not None else None
        entries = system.store.history(found.id if found else None, field, limit)
        if as_json:
            emit(entries)
            return
        if not entries:
            say("nothing has happened yet")
        for entry in entries:
            say(line(system, entry))


def line(system: System, entry: HistoryEntry) -> str:
    """Return a history entry as one line."""
    shown = shower(system)
    found = system.store.items([entry.item]).get(entry.item)
    title = found.title if found is not None else entry.item
    what = f"{entry.field} of {title}" if entry.field else title
    text = f"{when(entry.at)}  cycle {entry.cycle}  {entry.connection} {entry.action}: {what}"
    if entry.field:
        text += f": {shown(entry.field, entry.before)} -> {shown(entry.field, entry.after)}"
    if entry.author:
        text += f" by {system.directory.name(entry.author)}"
    notes = " ".join(filter(None, (entry.rule, entry.detail)))
    return f"{text}   [{notes}]" if notes else text
