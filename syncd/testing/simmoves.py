"""Fields that vanish for a while, and records that leave their place: what people change around the work.

A tool in memory behaves as the adapters do:

    vanished  a field taken out of the project (Asana), hidden or not of this type any more (Jira):
              records come without it, no change is told of them, writes to it are refused; when the
              field is back, so are its values
    emptied   a property deleted and made again, or of another type for a while (Notion): it is back
              without any value; the mapping was bound anew, so that everything is read again
    strayed   moved to a project outside the mapping, with a new key, or of another type (Jira): no list
              has the record, a read by id shows it; taken out of its project (Asana): an event tells
              that, a read by id shows it as trashed; moved to another database (Notion): a read by id
              shows its title only. Or moved to where another level lives.

Names are read when a mapping is bound and never again, so that a renamed field or option is no event here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from syncd.core.records import Record, Scope
from syncd.testing.schedule import Event
from syncd.testing.stage import Stage

ELSEWHERE = "elsewhere"
_PLACES = {  # where a record can go: (container, kind); None: as it was
    "jira": ((ELSEWHERE, None), (None, "other"), (None, "feature"), (None, "work_item")),
    "asana": ((ELSEWHERE, None), ("goals", None), ("features", None)),
    "notion": ((ELSEWHERE, None), ("goals", None), ("features", None), ("items", None)),
}


# fields -------------------------------------------------------------------------------------------------


def lose(stage: Stage, event: Event) -> None:
    """Let a field vanish until people bring it back; `emptied` takes its values away for good."""
    tool, name = stage.world.tools[event.tool], event.field
    stage.lost[event.tool].add(name)
    stage.shown.clear()
    if event.action == "emptied" or event.pick % 2:
        tool.expire_cursors()  # else the full read of the day finds out, or an edit of the record
    for record in list(tool.records.values()):
        note_cleared(stage, event.tool, record, [name])
    if event.action == "vanished":
        return
    for record in [r for r in tool.records.values() if r.fields.get(name) is not None]:
        cell = event.tool, record.id, name
        if not _is_known(stage, cell, record):
            stage.run.razed.add(cell)  # what nobody had read yet nobody can keep
        stage.emptied.add(cell)
        tool.records[record.id] = replace(record, fields={**record.fields, name: None})


def bring_back(stage: Stage) -> None:
    """Let all fields be there again. One that came and went unseen looks as if a person had cleared it."""
    for tool, record, name in stage.emptied:
        stored = stage.world.store.record(tool, record)
        cells = [c for n, c in stored.cells.items() if _remote(n) == name] if stored else []
        if not any(cell.away for cell in cells):
            stage.run.razed.add((tool, record, name))
    stage.emptied.clear()
    if any(stage.lost.values()):
        stage.shown.clear()
        for names in stage.lost.values():
            names.clear()


def note_cleared(stage: Stage, tool: str, record: Record, names: Iterable[str]) -> None:
    """Note cells of a record that goes out of sight, if somebody cleared them and nobody has read that.

    Back in sight they look like fields whose values got lost, and those are nobody's word. Nor is what a
    set lacks then.
    """
    for name in names:
        cell = tool, record.id, name
        if (
            (not record.fields.get(name) or isinstance(record.fields[name], tuple))
            and name in record.fields
            and not _is_known(stage, cell, record)
        ):
            stage.run.razed.add(cell)


def is_away(stage: Stage, tool: str, record: str, name: str) -> bool:
    """Tell whether a cell is out of sight, or was when the engine last looked."""
    stored = stage.world.store.record(tool, record)
    cells = stored.cells.items() if stored is not None else ()
    away = any(cell.away for field, cell in cells if _remote(field) == name)
    return away or name in stage.lost[tool] or (tool, record) in stage.strayed


def _remote(name: str) -> str:
    return "notes" if name == "description" else name


def _is_known(stage: Stage, cell: tuple[str, str, str], record: Record) -> bool:
    """Tell whether the engine has read what a cell holds, and carried it on."""
    store, (tool, _record, name) = stage.world.store, cell
    stored = store.record(tool, record.id)
    if stored is None or stored.item is None or stored.item in store.dirty():
        return False
    if stored.gone_since is not None:
        return False  # what is edited in the trash is read when the record is back
    return stored.record.fields.get(name) == record.fields[name]


# places -------------------------------------------------------------------------------------------------


def stray(stage: Stage, tool: str, record: str, pick: int) -> None:
    """Let a person move a record out of its place, or back."""
    if (tool, record) in stage.strayed:
        come_home(stage, tool, record)
        return
    known = stage.world.tools[tool].records[record]
    container, kind = _PLACES[tool][pick // 2 % len(_PLACES[tool])]
    stage.strayed[tool, record] = known.container, known.kind
    note_cleared(stage, tool, known, known.fields)
    stage.moved.add((tool, record))
    stage.run.figures["strayed"] += 1
    _move(
        stage, tool, replace(known, container=container or known.container, kind=kind or known.kind)
    )
    if container == ELSEWHERE and pick % 2:
        stage.world.tools[tool].expire_cursors()  # else the full read of the day finds out
    if tool == "asana":
        stage.trashed.add((tool, record))  # taken out of the project counts as deleted


def come_home(stage: Stage, tool: str, record: str) -> None:
    """Let a person put a record back where it was."""
    container, kind = stage.strayed.pop((tool, record))
    _move(
        stage,
        tool,
        replace(stage.world.tools[tool].records[record], container=container, kind=kind),
    )


def all_come_home(stage: Stage) -> None:
    """Let people put everything back."""
    for tool, record in sorted(stage.strayed):
        come_home(stage, tool, record)


def _move(stage: Stage, tool: str, moved: Record) -> None:
    service = stage.world.tools[tool]
    was = service.records[moved.id].container
    key = f"{moved.key}-B" if tool == "jira" and moved.container != was else moved.key
    service.records[moved.id] = replace(moved, key=key)
    service.edit(moved.id)


def is_out(stage: Stage, tool: str, record: str) -> bool:
    """Tell whether a record is where nobody of the roadmap works."""
    return stage.world.tools[tool].records[record].container == ELSEWHERE


def as_told(stage: Stage, scope: Scope, record: Record) -> Record:
    """Return a record as its adapter shows it now."""
    lost: set[str] = stage.lost[scope.connection]
    if record.container == ELSEWHERE:
        if scope.connection == "asana":
            record = replace(record, trashed=True)
        elif scope.connection == "notion":
            lost = set(record.fields) - {"title"}
    if not lost:
        return record
    fields = {name: value for name, value in record.fields.items() if name not in lost}
    return replace(record, fields=fields)


def taken_out(stage: Stage, scope: Scope, changed: list[str]) -> tuple[str, ...]:
    """Return the records of a scope that events say were taken out of it."""
    if scope.connection != "asana":
        return ()
    records = stage.world.tools["asana"].records
    return tuple(
        record
        for record in dict.fromkeys(changed)
        if record in records
        and records[record].container == ELSEWHERE
        and stage.strayed["asana", record][0] in scope.containers
    )
