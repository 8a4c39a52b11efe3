"""`syncd explain`: answers "why does it say that?" for any value."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    emit,
    find_cell,
    find_item,
    moment,
    plain,
    reading,
    say,
    when,
)
from syncd.cli.history import EVER, line
from syncd.cli.plan import shower
from syncd.core.errors import UserError

if TYPE_CHECKING:
    from syncd.core.explain import Explanation
    from syncd.core.model import Item
    from syncd.core.past import Then
    from syncd.wiring import System


def explain(
    item: Annotated[str, typer.Argument(help="Title, key, URL or id of the item.")],
    field: Annotated[str | None, typer.Argument(help="The field; without it: all.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    at: Annotated[
        str | None,
        typer.Option("--at", help="What it said then: 2026-11-22T16:34 (UTC), or 2h ago."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a value: who decided it, by which rule, what each tool shows, what would change it.

    ITEM.FIELD may be written as one word. With --at: the value at a past time, and who had given it.
    """
    with reading(config) as system:
        found, named = (find_item(system.store, item), field) if field else find_cell(system, item)
        field = named
        if at is not None:
            _past(system, found, field, moment(at, system.clock.now()), as_json=as_json)
            return
        names = [_field(system, found, field)] if field else list(_fields(system, found))
        explanations = [_explanation(system, found, name) for name in names]
        if as_json:
            data = [plain(each) for each in explanations]
            emit(data[0] if field else data)
            return
        say(f"{found.title} ({found.level}, {found.id})")
        for each in explanations:
            _print(system, each, at_length=field is not None)


def _past(system: System, item: Item, field: str | None, at: float, *, as_json: bool) -> None:
    """Tell what the fields of an item said at a past time."""
    names = [_field(system, item, field)] if field else list(_fields(system, item))
    found = [_then(system, item, name, at) for name in names]
    if as_json:
        data = [plain(each) for each in found]
        emit(data[0] if field else data)
        return
    say(f"{item.title} ({item.level}, {item.id}) at {when(at)}")
    if found and not found[0].known:
        say("  it was not part of the roadmap yet")
        return
    for each in found:
        _print_then(system, each, at_length=field is not None)


def _then(system: System, item: Item, name: str, at: float) -> Then:
    from syncd.core.past import then

    store = system.store
    records = store.records_of([item.id]).get(item.id, {})
    now = []
    for connection, stored in records.items():
        if name in system.roadmap.cells_of(item.level, connection):
            cell = stored.cells.get(name)
            now.append((connection, cell.base if cell is not None else None))
    links = [e.at for e in store.history(item.id, "", EVER) if e.action == "linked"]
    entries = store.history(item.id, name, EVER)
    born = min(links, default=None)
    return then(item, system.roadmap.fields[name], now, entries, born, at)


def _print_then(system: System, each: Then, *, at_length: bool) -> None:
    shown = shower(system)
    say(f"{each.field} = {shown(each.field, each.value)}")
    if each.said is None:
        say(f"  because {each.source} said so first")
    else:
        say(f"  because {line(system, each.said)}")
    for tool in each.tools if at_length else ():
        since = f" since {when(tool.entry.at)}" if tool.entry is not None else ""
        say(f"  {tool.connection} showed {shown(each.field, tool.shows)}{since}")


def _fields(system: System, item: Item) -> tuple[str, ...]:
    return tuple(name for name, rule in system.roadmap.fields.items() if item.level in rule.owners)


def _field(system: System, item: Item, name: str) -> str:
    names = _fields(system, item)
    if name in names:
        return name
    close = difflib.get_close_matches(name, names, n=1)
    advice = f"did you mean {close[0]}?" if close else f"it has {', '.join(names)}"
    raise UserError(f"a {item.level} of this roadmap has no field {name!r}; {advice}")


def _explanation(system: System, item: Item, name: str) -> Explanation:
    from syncd.core.explain import explain as explained

    store = system.store
    notices = [n for n in store.notices() if n.subject in (item.id, f"plan:{item.id}")]
    return explained(
        system.roadmap,
        item,
        name,
        store.records_of([item.id]).get(item.id, {}),
        store.conflicts(items=[item.id]),
        notices,
        store.history(item.id, name, 20),
    )


def _print(system: System, each: Explanation, *, at_length: bool) -> None:
    shown = shower(system)
    say(f"{each.field} = {shown(each.field, each.value)}")
    by = each.because
    if each.author:
        by = by.replace(each.author, system.directory.name(each.author))
    say(f"  because {by}")
    say(f"  rule {each.rule}; owner {each.owner or 'nobody'}")
    if not at_length:
        return
    if each.cycle is not None:
        say(f"  since cycle {each.cycle}; before that: {shown(each.field, each.previous)}")
    for tool in each.tools:
        detail = f" ({tool.detail})" if tool.detail else ""
        say(
            f"  {tool.connection} {tool.key}: {shown(each.field, tool.shows)}, {tool.state}{detail}"
        )
    if each.conflict is not None:
        say(f"  conflict {each.conflict.id}: {each.conflict.reason}")
    for notice in each.notices:
        say(f"  note: {notice.sentence}")
    say(f"  it would change with {each.would_change}")
    if each.history:
        say("  history, newest first:")
        for entry in each.history:
            say(f"    {line(system, entry)}")
