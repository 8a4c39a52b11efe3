"""`syncd conflicts`: decisions that are left to a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

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
from syncd.cli.plan import shower
from syncd.core.errors import UserError

if TYPE_CHECKING:
    from syncd.core.model import Conflict
    from syncd.core.records import Value
    from syncd.wiring import System

app = typer.Typer(help="List, show and resolve conflicts.", rich_markup_mode=None)

ConflictArgument = Annotated[str, typer.Argument(help="The conflict's id, as the list shows it.")]


@app.command("list")
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List open conflicts, oldest first. Exit code 1 when there are any."""
    with reading(config) as system:
        found = system.store.conflicts(open_only=not everything)
        if as_json:
            emit([_data(system, conflict) for conflict in found])
        elif not found:
            say("no open conflicts")
        else:
            for conflict in found:
                say(_headline(system, conflict))
    is_open = any(conflict.resolved_at is None for conflict in found)
    raise typer.Exit(NEEDS_PERSON if is_open else DONE)


@app.command("show")
def show(
    conflict: ConflictArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False
) -> None:
    """Show both values, their authors and times, and how to settle it."""
    with reading(config) as system:
        found = _find(system, conflict)
        if as_json:
            emit(_data(system, found))
            return
        shown = shower(system)
        say(_headline(system, found))
        say(f"  {found.reason} [{found.rule}]")
        say(f"  last agreed: {shown(found.field, found.base)}")
        for claim in found.claims:
            author = f" by {system.directory.name(claim.author)}" if claim.author else ""
            at = f" at {claim.at}" if claim.at else ""
            say(f"  {claim.connection}: {shown(found.field, claim.value)}{author}{at}")
        if found.resolved_at is None and found.resolved_by is None:
            names = " | ".join(claim.connection for claim in found.claims)
            say(f"  settle it: syncd conflicts resolve {found.id} --take {names}")


@app.command("resolve")
def resolve(
    conflict: ConflictArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    take: Annotated[
        str | None, typer.Option("--take", help="The tool whose value is right, or `base`.")
    ] = None,
    value: Annotated[
        str | None, typer.Option("--value", help="Another value; empty text clears the field.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Settle a conflict; the next cycle writes the value to every tool.

    Works beside a running daemon.
    """
    import state.store
    from syncd.wiring import open_reader

    if (take is None) == (value is None):
        raise UserError("say which value is right: --take TOOL, --take base, or --value TEXT")
    system = open_reader(config, lambda path: state.store.open(path, beside=True))
    try:
        found = _find(system, conflict)
        if found.resolved_at is not None:
            raise UserError(f"conflict {found.id} is settled already; `syncd history` shows how")
        chosen = _chosen(system, found, take, value)
        settled = replace(found, resolution=chosen, resolved_by="syncd conflicts resolve")
        with system.store.transaction():
            system.store.save_conflicts([settled])
            system.store.mark_dirty([found.item])
        if as_json:
            emit(_data(system, settled))
        else:
            text = shower(system)(found.field, chosen)
            say(f"settled: {found.field} is {text}; the next cycle writes it to every tool")
    finally:
        system.close()


def _find(system: System, text: str) -> Conflict:
    found = [c for c in system.store.conflicts(open_only=False) if c.id.startswith(text)]
    if len(found) != 1:
        raise UserError(f"there is no conflict {text!r}; `syncd conflicts list` shows their ids")
    return found[0]


def _chosen(system: System, conflict: Conflict, take: str | None, value: str | None) -> Value:
    if take == "base":
        return conflict.base
    if take is not None:
        for claim in conflict.claims:
            if claim.connection == take:
                return claim.value
        names = ", ".join(claim.connection for claim in conflict.claims)
        raise UserError(f"{take!r} is no party to conflict {conflict.id}; take {names} or base")
    from syncd.core.values import parse

    try:
        return parse(system.roadmap.fields[conflict.field].type, value or "")
    except ValueError as error:
        raise UserError(str(error)) from None


def _headline(system: System, conflict: Conflict) -> str:
    shown = shower(system)
    item = system.store.items([conflict.item]).get(conflict.item)
    title = item.title if item is not None else conflict.item
    claims = ", ".join(
        f"{claim.connection}: {shown(conflict.field, claim.value)}" for claim in conflict.claims
    )
    state = "" if conflict.resolved_at is None else " (settled)"
    text = f"{conflict.id}  {conflict.field} of {title}  {claims}{state}"
    return f"{text}  since {when(conflict.opened_at)}"


def _data(system: System, conflict: Conflict) -> object:
    item = system.store.items([conflict.item]).get(conflict.item)
    return {**plain(conflict), "title": item.title if item is not None else None}
