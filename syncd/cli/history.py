"""`syncd history`: what happened to an item, or to everything, newest first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    MOST,
    ConfigOption,
    JsonOption,
    emit,
    find_item,
    moment,
    reading,
    say,
    when,
)
from syncd.cli.plan import shower
from syncd.core.errors import UserError

if TYPE_CHECKING:
    from syncd.core.model import HistoryEntry
    from syncd.wiring import System

EVER = 1 << 40
"""More entries of history than there are."""


def history(
    item: Annotated[
        str | None, typer.Argument(help="Title, key, URL or id; without it: everything.")
    ] = None,
    field: Annotated[str | None, typer.Argument(help="Only this field.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=MOST, help="How many entries.")
    ] = 50,
    since: Annotated[
        str | None,
        typer.Option("--since", help="From then on: 2026-11-22T16:34 (UTC), or 2h (ago)."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Up to then, written likewise.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show observed edits, corrections, conflicts, decisions and our own writes, newest first.

    What a field said at a past time: `syncd explain ITEM FIELD --at TIME`.
    """
    with reading(config) as system:
        found = find_item(system.store, item) if item is not None else None
        now = system.clock.now()
        start = moment(since, now) if since is not None else None
        end = moment(until, now) if until is not None else math.inf
        if start is not None and start > end:
            raise UserError(f"--since {since} is later than --until {until}: exchange the two")
        many = limit if until is None else EVER
        entries = system.store.history(found.id if found else None, field, many, start)
        entries = tuple(entry for entry in entries if entry.at <= end)[:limit]
        if field is not None and not entries and field not in system.roadmap.fields:
            known = ", ".join(system.roadmap.fields)
            raise UserError(f"this roadmap has no field {field!r}; it has {known}")
        if as_json:
            emit(entries)
            return
        if not entries:
            limited = item is not None or since is not None or until is not None
            say("nothing has happened there" if limited else "nothing has happened yet")
        for entry in entries:
            say(line(system, entry))


def line(system: System, entry: HistoryEntry) -> str:
    """Return a history entry as one line."""
    shown = shower(system)
    found = system.store.items([entry.item]).get(entry.item)
    title = found.title if found is not None else entry.item
    what = f"{entry.field} of {title}" if entry.field else title
    text = f"{when(entry.at)}  cycle {entry.cycle}  {entry.connection} {entry.action}"
    text += f": {what}" if what else ""
    if entry.field:
        values = (shown(entry.field, entry.before), shown(entry.field, entry.after))
        text += f": {' -> '.join(dict.fromkeys(values))}"
    if entry.author:
        text += f" by {system.directory.name(entry.author)}"
    notes = " ".join(filter(None, (entry.rule, entry.detail)))
    return f"{text}   [{notes}]" if notes else text
