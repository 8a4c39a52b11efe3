"""`syncd undo`: put back what syncd wrote, where it is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.approve import who
from syncd.cli.common import (
    DEFAULT_CONFIG,
    DONE,
    NEEDS_PERSON,
    ConfigOption,
    JsonOption,
    beside,
    emit,
    find_cell,
    moment,
    plain,
    plural,
    reading,
    say,
)
from syncd.cli.plan import shower
from syncd.core.errors import Unsafe, UserError

if TYPE_CHECKING:
    from syncd.core.model import HistoryEntry
    from syncd.core.ports import Store
    from syncd.core.undo import Step
    from syncd.engine.undo import Undo
    from syncd.wiring import System

SHOWN = 20
"""Values listed before the rest is counted; --json lists every one."""

DIGITS = 18
"""A number with more digits is no cycle's."""


def undo(
    target: Annotated[
        str,
        typer.Argument(
            help='A cycle\'s number (12), an item, or ITEM.FIELD ("Fleet map.due").',
            metavar="TARGET",
        ),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Everything since then: 2026-11-22T16:34 (UTC), or 2h (ago). Without it: the last "
            "cycle that wrote it.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without a second look.")] = False,
    checksum: Annotated[
        str | None, typer.Option("--checksum", help="Do it if it is still what was shown.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it; the default.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what an undo would put back, and with --yes or --checksum let the next cycle do it.

    Only values that syncd wrote and that the tools still show are put back; the others are listed,
    and so are the records it created, which stay. A value that was put back stays until its field
    changes again. An undo has a number of its own, by which it can be undone. Works beside a running
    daemon.
    """
    doing = (yes or checksum is not None) and not dry_run
    number = None
    with (beside if doing else reading)(config) as system:
        found = _prepare(system, target, since)
        if doing:
            number = _do(system, found, checksum)
        if as_json:
            emit(_data(system, found, number))
        else:
            _print(system, found, target, since, number)
    nothing = not found.back and not found.called_off
    raise typer.Exit(NEEDS_PERSON if nothing else DONE)


def _prepare(system: System, target: str, since: str | None) -> Undo:
    from syncd.engine import undo as engine

    store = system.store
    if (done := _cycle(store, target)) is not None:
        if since is not None:
            raise UserError(
                "--since goes with an item: a cycle has its own moment; name an item that is called "
                f"{target} by its id or key"
            )
        what, entries = f"cycle {target}", done
    else:
        item, field = find_cell(system, target)
        after = moment(since, system.clock.now()) if since is not None else None
        entries = engine.of_item(store, item.id, field, after)
        what = f"{field} of {item.title}" if field else item.title
    return engine.prepare(system.roadmap, system.directory, store, what, entries)


def _cycle(store: Store, target: str) -> list[HistoryEntry] | None:
    """Return what a cycle did; None for what is no number, or one that only an item is called."""
    from syncd.engine import undo as engine

    if not target.isdecimal() or len(target) > DIGITS:
        return None
    try:
        return engine.of_cycle(store, int(target))
    except UserError:
        if any(item.title == target for item in store.find_items(target)):
            return None
        raise


def _do(system: System, found: Undo, checksum: str | None) -> int | None:
    from syncd.engine import undo as engine

    if checksum is not None and checksum != found.checksum:
        raise Unsafe(
            f"the world has moved since {checksum} was shown: it is now {found.checksum}; look again"
        )
    if not found.back and not found.called_off:
        return None
    return engine.decide(system.store, found, who(), system.clock.now())


def _print(system: System, found: Undo, target: str, since: str | None, number: int | None) -> None:
    shown = shower(system)
    titles = {
        i: item.title for i, item in system.store.items({s.item for s in found.steps}).items()
    }

    def line(step: Step) -> str:
        values = f"{shown(step.field, step.now)} -> {shown(step.field, step.target)}"
        return f"{step.connection}: {step.field} of {titles.get(step.item, step.item)}: {values}"

    _lines([line(step) for step in found.back])
    if found.left:
        say("left as it is:")
        _lines([f"{line(step)}: {step.why}" for step in found.left])
    if found.created:
        say("created, and left; delete by hand what should not be there:")
        _lines([f"{entry.connection}: {entry.detail}" for entry in found.created])
    if found.called_off:
        say(f"called off, not yet written: {plural(len(found.called_off), 'value')}")
    say(f"{plural(len(found.back), 'value')} to put back, {len(found.left)} to leave")
    if number is not None and not found.back:
        say(f"undo {number}: called off; nothing is written")
    elif number is not None:
        say(f"undo {number}: the next cycle writes it; `syncd undo {number}` takes it back")
    elif not found.steps and not found.called_off and found.created:
        say("a creation is not undone, and nothing that was written afterwards is left to undo")
    elif not found.steps and not found.called_off:
        say("what it wrote has been put back or written again since: nothing of it is left to undo")
    elif found.back or found.called_off:
        moment_ = f" --since {since}" if since else ""
        say(f"to do it: syncd undo {target!r}{moment_} --checksum {found.checksum}")


def _lines(lines: list[str]) -> None:
    for text in lines[:SHOWN]:
        say(f"  {text}")
    if len(lines) > SHOWN:
        say(f"  and {len(lines) - SHOWN} more; --json lists them")


def _data(system: System, found: Undo, number: int | None) -> object:
    items = system.store.items({step.item for step in found.steps})

    def step(each: Step) -> object:
        item = items.get(each.item)
        return {**plain(each), "title": item.title if item is not None else None}

    return {
        "what": found.what,
        "undo": number,
        "checksum": found.checksum,
        "back": [step(each) for each in found.back],
        "left": [step(each) for each in found.left],
        "created": found.created,
        "called_off": found.called_off,
    }
