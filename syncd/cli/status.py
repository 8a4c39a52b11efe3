"""`syncd status`: how things stand, without asking any tool."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.approve import held_data, print_held
from syncd.cli.common import (
    DEFAULT_CONFIG,
    DONE,
    NEEDS_PERSON,
    ConfigOption,
    JsonOption,
    emit,
    plain,
    reading,
    say,
    when,
)

if TYPE_CHECKING:
    from syncd.core.guard import Held
    from syncd.core.model import Notice
    from syncd.wiring import System

SHOWN = 10
"""Notices of one kind listed before the rest is counted; --all lists every one."""


def status(
    config: ConfigOption = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="List every notice.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the last cycle, how far each tool has been read, what waits and why, conflicts, notices."""
    from syncd.engine.hold import waiting as held_back
    from syncd.engine.hot import hot_items

    with reading(config) as system:
        store = system.store
        held = held_back(store)
        conflicts, notices = store.conflicts(), store.notices()
        cycles = store.cycles(1)
        if as_json:
            emit(
                {
                    "roadmap": system.roadmap.name,
                    "items": store.item_count(),
                    "last_cycle": {**plain(cycles[0]), "writes": cycles[0].writes}
                    if cycles
                    else None,
                    "scopes": _scopes(system),
                    "held": [held_data(each) for each in held],
                    "hot": hot_items(store),
                    "conflicts": conflicts,
                    "notices": notices,
                    "unsettled_writes": len(store.open_intents()),
                }
            )
        else:
            _print(system, held, everything=everything)
    waiting = conflicts or held or any(notice.kind in ("frozen", "adopt") for notice in notices)
    waiting = waiting or any(each.error for report in cycles for each in report.tallies.values())
    raise typer.Exit(NEEDS_PERSON if waiting else DONE)


def _scopes(system: System) -> list[dict[str, object]]:
    result = []
    for scope in system.roadmap.scopes:
        state = system.store.cursor(scope.connection, scope.id)
        result.append(
            {
                "connection": scope.connection,
                "scope": scope.name,
                "records": system.store.count(scope.connection, scope.id),
                "read_at": state.read_at or None,
                "full_read_at": state.full_at,
                "frozen": state.frozen,
            }
        )
    return result


def _print(system: System, held: tuple[Held, ...], *, everything: bool) -> None:
    from syncd.engine.epoch import RESTORED

    store = system.store
    say(f"{system.roadmap.name}: {store.item_count()} items")
    if store.document(RESTORED) is not None:
        say(
            "an older state was restored: the next cycle reads everything before it writes anything"
        )
    for report in store.cycles(1):
        state = "" if report.complete else ", and more is to be done in the next one"
        say(
            f"last cycle {report.number} at {when(report.started_at)}: {report.writes} writes "
            f"in {report.seconds:.1f} s{state}"
        )
        for name, tally in report.tallies.items():
            if tally.error:
                say(f"  {name:<10} was left out: {tally.error.removeprefix(f'{name}: ')}")
    for scope in _scopes(system):
        read = when(float(str(scope["read_at"]))) if scope["read_at"] else "never"
        say(
            f"  {scope['connection']:<10} {scope['scope']}: {scope['records']} records, read {read}"
        )
    print_held(held)
    print_hot(system)
    for conflict in store.conflicts():
        item = store.items([conflict.item]).get(conflict.item)
        title = item.title if item else conflict.item
        say(
            f"conflict {conflict.id}: {conflict.field} of {title}; `syncd conflicts show {conflict.id}`"
        )
    if store.open_intents():
        say(f"{len(store.open_intents())} writes without an answer are being looked into")
    told = tuple(notice for notice in store.notices() if notice.kind != "frozen" or not held)
    _print_notices(told, everything=everything)


def print_hot(system: System) -> None:
    """Print which items wait because a person has just edited them, and until when."""
    from syncd.engine.hot import hot_items

    for each in hot_items(system.store):
        who = system.directory.name(system.directory.person(each.connection, each.by))
        waits = system.clock.now() < each.until
        then = f"after {when(each.until)}" if waits else "with the next cycle"
        say(
            f"waiting: {', '.join(each.fields)} of {each.title} in {each.connection}, which {who} has "
            f"just edited; written {then}"
        )


def _print_notices(notices: tuple[Notice, ...], *, everything: bool) -> None:
    counts = Counter(notice.kind for notice in notices)
    for kind, count in counts.items():
        say(f"{kind}: {count}")
        mine = [notice for notice in notices if notice.kind == kind]
        for notice in mine if everything else mine[:SHOWN]:
            say(f"  {notice.sentence}")
        if count > SHOWN and not everything:
            say(f"  and {count - SHOWN} more; --all lists them")
