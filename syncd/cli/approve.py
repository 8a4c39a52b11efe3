"""`syncd approve`: let go on what the guard holds back, after reading it."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    DONE,
    NEEDS_PERSON,
    ConfigOption,
    JsonOption,
    beside,
    emit,
    plural,
    reading,
    say,
    when,
)
from syncd.core.errors import Unsafe, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncd.core.guard import Approval, Held
    from syncd.wiring import System


def approve(
    plan: Annotated[
        str | None,
        typer.Argument(help="The checksum of what is held back, as `syncd status` shows it."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    listing: Annotated[
        bool, typer.Option("--list", help="List what is held back and what is approved.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Approve exactly what is held back in a scope; the next cycle carries it out.

    Works beside a running daemon. An approval holds for 15 minutes, or two polling intervals if
    that is longer, and for this plan only: when the plan has changed it is refused, and says how.
    """
    if plan is None or listing:
        raise typer.Exit(_list(config, as_json=as_json))
    from syncd.engine import hold

    with beside(config) as system:
        held = _find(system, plan)
        now = system.clock.now()
        approval = hold.approve(system.store, held, who(), now, now + _lasts(system))
        if as_json:
            emit(approval)
        else:
            say(f"approved until {when(approval.until)}: {held.why}; the next cycle goes on there")


def who() -> str:
    """Return the name of the person at the keyboard, for the history."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container without a user list
        return f"uid {os.getuid()}"


def _lasts(system: System) -> float:
    from syncd.core.guard import APPROVED_FOR

    return max(APPROVED_FOR, 2 * system.config.interval)


def _find(system: System, checksum: str) -> Held:
    """Return what waits under this checksum; raises Unsafe when it has changed, UserError if none."""
    from syncd.core.guard import difference
    from syncd.engine import hold

    now = hold.waiting(system.store)
    for held in now:
        if held.checksum == checksum:
            return held
    before = next((h for h in hold.waited(system.store) if h.checksum == checksum), None)
    if before is None:
        raise UserError(
            f"nothing is held back as {checksum!r}; `syncd approve --list` shows what is"
        )
    for held in now:
        if held.key == before.key:
            news = difference(before.changes, held.changes) if held.kind == "plan" else held.why
            raise Unsafe(
                f"plan {checksum} for {held.name} has changed since: {news}; look at it with "
                f"`syncd plan`, then run `syncd approve {held.checksum}`"
            )
    raise Unsafe(f"plan {checksum} for {before.name} is no longer held back: nothing to approve")


def _list(config: ConfigOption, *, as_json: bool) -> int:
    from syncd.engine import hold

    with reading(config) as system:
        now = system.clock.now()
        waiting = hold.waiting(system.store)
        approved = [each for each in hold.approvals(system.store) if now <= each.until]
    if as_json:
        emit({"held": [held_data(each) for each in waiting], "approved": approved})
    else:
        print_held(waiting)
        _print_approved(approved)
        if not waiting and not approved:
            say("nothing is held back")
    return NEEDS_PERSON if waiting else DONE


def print_held(waiting: Sequence[Held]) -> None:
    """Print what the guard holds back: why, what would be done, and how to let it go on."""
    for held in waiting:
        say(f"held back in {held.connection}, {held.name}: {held.sentence}")
        what = f"{plural(held.creates, 'record')} to create, {held.updates} to update"
        say(f"  {what}{': ' if held.changes else ''}{', '.join(held.examples)}")


def _print_approved(approved: Sequence[Approval]) -> None:
    for each in approved:
        say(
            f"approved for {each.connection}, {each.name}: plan {each.checksum}, by {each.by}, "
            f"until {when(each.until)}"
        )


def held_data(held: Held) -> dict[str, object]:
    """Return what is held back as JSON-able data."""
    return {
        "checksum": held.checksum, "kind": held.kind, "connection": held.connection,
        "scope": held.name, "why": held.why, "note": held.note,
        "creates": held.creates, "updates": held.updates,
        "changes": [{"change": name, "title": title} for name, (_sum, title) in held.changes.items()],
    }  # fmt: skip
