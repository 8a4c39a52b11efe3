"""`syncd plan`: every old -> new that a cycle would write, before it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from syncd.cli.approve import held_data, print_held
from syncd.cli.common import (
    DEFAULT_CONFIG,
    DONE,
    NEEDS_PERSON,
    ConfigOption,
    JsonOption,
    all_failed,
    emit,
    plain,
    progress_bar,
    say,
    stopped,
    working,
)
from syncd.cli.status import print_hot

if TYPE_CHECKING:
    from syncd.core.guard import Held
    from syncd.core.plan import Change
    from syncd.core.records import Value
    from syncd.engine.cycle import Outlook
    from syncd.wiring import System


def plan(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Read the tools and list what would be written: old -> new, tool, field, rule and reason.

    Writes to no tool. Ends with the checksum for `syncd apply --checksum`.
    """
    from syncd.engine import hold
    from syncd.engine.cycle import observe
    from syncd.engine.hot import hot_items

    with working(config) as system:
        with progress_bar() as progress:
            context = system.context(progress=progress, stopping=stopped(system))
            outlook = observe(context)
        hold.review(system.store, outlook.plan)
        held = hold.waiting(system.store)
        shown = shower(system)
        errors = {**system.errors, **context.errors}
        if as_json:
            emit({**_as_data(outlook, held, shown), "hot": hot_items(system.store)})
        else:
            pages = tuple(repr(page.title) for page in system.roadmap.pages)
            print_hot(system)
            print_plan(outlook, held, shown, pages)
    raise typer.Exit(all_failed(errors.values()) or (NEEDS_PERSON if outlook.sentences else DONE))


def shower(system: System) -> Callable[[str, Value], str]:
    """Return a function that shows a canonical value: people and parents by name."""
    from syncd.core.fields import FieldType
    from syncd.core.values import show

    def shown(field: str, value: Value) -> str:
        rule = system.roadmap.fields.get(field)
        kind = rule.type if rule is not None else None
        if isinstance(value, str) and kind is FieldType.PERSON:
            return show(system.directory.name(value))
        if isinstance(value, tuple) and kind is FieldType.PEOPLE:
            return show(tuple(system.directory.name(person) for person in value))
        if isinstance(value, str) and (kind is FieldType.ITEM or field == "parent"):
            found = system.store.items([value]).get(value)
            return show(found.title if found is not None else value)
        return show(value)

    return shown


def print_plan(
    outlook: Outlook,
    held: tuple[Held, ...],
    shown: Callable[[str, Value], str],
    pages: tuple[str, ...] = (),
) -> None:
    """Print a plan for people."""
    for change in outlook.plan.changes:
        name = f"{change.level} {change.title!r}"
        if change.kind == "create":
            say(f"{change.connection}: create {name}")
        else:
            say(f"{change.connection}: update {change.key} {name}")
        for cell in change.cells:
            arrow = f"{shown(cell.field, cell.old)} -> {shown(cell.field, cell.new)}"
            say(f"    {cell.field} ({cell.remote_name}): {arrow}   [{cell.rule}: {cell.reason}]")
    print_held(held)
    for sentence in outlook.reviews.values():
        say(f"held back: {sentence}")
    creates = sum(change.kind == "create" for change in outlook.plan.changes)
    updates = len(outlook.plan.changes) - creates
    if outlook.plan and pages:
        say(f"the page {' and the page '.join(pages)} follows what changes")
    if not outlook.plan:
        say("nothing to do: every tool agrees with the roadmap")
    say(f"{creates} to create, {updates} to update; checksum {outlook.plan.checksum}")


def _as_data(
    outlook: Outlook, held: tuple[Held, ...], shown: Callable[[str, Value], str]
) -> dict[str, object]:
    return {
        "checksum": outlook.plan.checksum,
        "changes": [_change(change, shown) for change in outlook.plan.changes],
        "frozen": outlook.sentences,
        "held": [held_data(each) for each in held],
    }


def _change(change: Change, shown: Callable[[str, Value], str]) -> object:
    data = plain(change)
    data["kind"] = change.kind
    for cell in data["cells"]:
        cell["old_shown"] = shown(cell["field"], cell["old"])
        cell["new_shown"] = shown(cell["field"], cell["new"])
    return data
