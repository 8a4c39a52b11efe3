"""`syncd conflicts`: decisions that are left to a person."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
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
    find_item,
    plain,
    plural,
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
def resolve(  # noqa: PLR0913, PLR0917 - one conflict or many, and how
    conflict: Annotated[
        str | None, typer.Argument(help="The conflict's id; without it: those the filters choose.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    take: Annotated[
        str | None,
        typer.Option("--take", "--winner", help="The tool whose value is right, or `base`."),
    ] = None,
    value: Annotated[
        str | None,
        typer.Option("--value", help="Another value; people by name; empty text clears the field."),
    ] = None,
    field: Annotated[str | None, typer.Option("--field", help="Only of this field.")] = None,
    level: Annotated[
        str | None, typer.Option("--level", help="Only of items of this level.")
    ] = None,
    item: Annotated[str | None, typer.Option("--item", help="Only of this item.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All open conflicts.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Settle what the filters choose; else only list it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Settle a conflict, or many; the next cycle writes the value to every tool.

    Many: choose them with --field, --level, --item or --all; they are listed and counted, and settled
    with --yes. Works beside a running daemon.
    """
    if (take is None) == (value is None):
        raise UserError("say which value is right: --take TOOL, --take base, or --value TEXT")
    wanted = Wanted(field, level, item)
    if (conflict is None) != (wanted != Wanted() or everything):
        raise UserError(
            "name one conflict by its id, or choose some: --field, --level, --item, --all"
        )
    many = conflict is None
    with (beside if yes or not many else reading)(config) as system:
        chosen = _many(system, wanted) if conflict is None else [_open(system, conflict)]
        settled, left = _settled(system, chosen, take, value, strict=not many)
        if yes or not many:
            _decide(system, chosen, settled)
        if as_json:
            data = [_data(system, each) for each in settled]
            emit(data if many else data[0])
        elif many:
            _print_many(system, settled, left, done=yes)
        else:
            shown, field = shower(system), settled[0].field
            text = f"settled: {field} is {shown(field, settled[0].resolution)}"
            if chosen[0].resolved_by is not None:
                text += f", not {shown(field, chosen[0].resolution)}: {chosen[0].resolved_by}"
            say(f"{text}; the next cycle writes it to every tool")
    raise typer.Exit(NEEDS_PERSON if left else DONE)


def _decide(system: System, chosen: list[Conflict], settled: list[Conflict]) -> None:
    """Store decisions; a decision replaced before it was carried out stays in the history."""
    from syncd.core.model import HistoryEntry

    lapsed = [
        HistoryEntry(
            system.store.next_cycle(), system.clock.now(), each.item, each.field, "lapsed", "",
            each.base, each.resolution,
            detail=f"decided anew before it was carried out; {each.resolved_by} had settled {each.id}",
        )
        for each in chosen
        if each.resolved_by is not None
    ]  # fmt: skip
    with system.store.transaction():
        system.store.append_history(lapsed)
        system.store.save_conflicts(settled)
        system.store.mark_dirty([each.item for each in settled])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conflicts are meant, as the options say it; None: any."""

    field: str | None = None
    level: str | None = None
    item: str | None = None


def _many(system: System, wanted: Wanted) -> list[Conflict]:
    """Return the open conflicts that the filters choose and nobody has settled."""
    store = system.store
    if wanted.field is not None and wanted.field not in system.roadmap.fields:
        raise UserError(f"there is no field {wanted.field!r} in this roadmap")
    if wanted.level is not None and wanted.level not in system.roadmap.sides:
        names = ", ".join(system.roadmap.sides)
        raise UserError(f"there is no level {wanted.level!r} in this roadmap; it has {names}")
    only = find_item(store, wanted.item).id if wanted.item is not None else None
    found = [c for c in store.conflicts() if c.resolved_by is None]
    items = store.items({conflict.item for conflict in found})
    return [
        c
        for c in found
        if wanted.field in (None, c.field)
        and only in (None, c.item)
        and (wanted.level is None or (c.item in items and items[c.item].level == wanted.level))
    ]


def _open(system: System, text: str) -> Conflict:
    found = _find(system, text)
    if found.resolved_at is not None:
        raise UserError(f"conflict {found.id} is settled already; `syncd history` shows how")
    return found


def _settled(
    system: System, chosen: list[Conflict], take: str | None, value: str | None, *, strict: bool
) -> tuple[list[Conflict], list[tuple[Conflict, str]]]:
    """Return the conflicts with their resolution, and those that cannot be settled so, and why."""
    settled, left = [], []
    for conflict in chosen:
        try:
            resolution = _chosen(system, conflict, take, value)
        except UserError as error:
            if strict:
                raise
            left.append((conflict, str(error)))
        else:
            by = f"{who()} (syncd conflicts resolve)"
            settled.append(replace(conflict, resolution=resolution, resolved_by=by))
    return settled, left


def _print_many(
    system: System, settled: list[Conflict], left: list[tuple[Conflict, str]], *, done: bool
) -> None:
    shown = shower(system)
    for conflict in settled:
        say(f"{_headline(system, conflict)}  -> {shown(conflict.field, conflict.resolution)}")
    for conflict, why in left:
        say(f"{conflict.id}  left: {why}")
    count = plural(len(settled), "conflict")
    if done:
        say(f"{count} settled, {len(left)} left; the next cycle writes the values to every tool")
    else:
        say(f"{count} would be settled, {len(left)} left; add --yes to do it")


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
    return _typed(system, conflict.field, value or "")


def _typed(system: System, field: str, text: str) -> Value:
    """Return the canonical value a person typed; people are named as they are called."""
    from syncd.core.fields import FieldType
    from syncd.core.values import parse

    kind = system.roadmap.fields[field].type
    try:
        value = parse(kind, text)
    except ValueError as error:
        raise UserError(str(error)) from None
    if kind is FieldType.PERSON and isinstance(value, str):
        return _person(system, value)
    if kind is FieldType.PEOPLE and isinstance(value, tuple):
        return tuple(sorted({_person(system, each) for each in value}))
    return value


def _person(system: System, text: str) -> str:
    """Return the key of a person named by name, key, account, or an e-mail of the mapping's `people`."""
    persons = system.directory.persons
    declared = system.mapping.declared_people().items()
    by_email = {email.casefold(): name for name, known in declared for email in known.values()}
    name = by_email.get(text.casefold(), text).casefold()
    found = [
        p.key for p in persons if text in (p.key, *p.accounts.values()) or name == p.name.casefold()
    ]
    if len(set(found)) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{text!r} could be several people: give one of the keys {', '.join(found)}"
        )
    close = difflib.get_close_matches(text, [p.name for p in persons], n=1)
    advice = f"did you mean {close[0]}?" if close else "give the name as the tools show it"
    if "@" in text:
        advice = (
            "e-mail addresses are not kept, but for those in the mapping's `people`: give the name"
        )
    raise UserError(f"nobody is called {text!r} in the tools; {advice}")


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
