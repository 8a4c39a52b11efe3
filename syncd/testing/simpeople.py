"""What people do in a simulated run: each a function of the stage and the event that asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from syncd.core.model import Conflict
from syncd.core.records import Record, Value
from syncd.engine import hold
from syncd.testing import simmoves
from syncd.testing.schedule import Event
from syncd.testing.simrun import HumanEdit, Resolved
from syncd.testing.stage import Stage

_ABOVE = {"features": "goals", "feature": None, "items": "features", "work_item": "feature"}


def edit(stage: Stage, event: Event) -> None:
    """Let a person change a cell."""
    record = _chosen(stage, event)
    if record is not None:
        edit_record(stage, event.tool, record, event)


def edit_record(stage: Stage, tool: str, record_id: str, event: Event) -> None:
    """Let a person change a cell of this record."""
    service = stage.world.tools[tool]
    record = service.records[record_id]
    name, value = stage.wording(tool, record, event)
    if name is None or name in stage.lost[tool] or simmoves.is_out(stage, tool, record_id):
        return  # the tool has no such field (now), or no word for the value; or nobody works there
    old = record.fields.get(name)
    service.edit(record_id, "ann", **{name: value})
    new = service.records[record_id].fields.get(name)
    if new != old:
        _note(stage, tool, record_id, name, (old, new))
        stage.run.figures["edits"] += 1
        stage.excuse(tool, record_id, name)


def clash(stage: Stage, event: Event) -> None:
    """Let two people give one item different dates in two tools."""
    record = _chosen(stage, event)
    stored = stage.world.store.record(event.tool, record) if record is not None else None
    if stored is None or stored.item is None:
        return
    records = stage.world.store.records_of([stored.item])[stored.item]
    for number, (tool, each) in enumerate(sorted(records.items())[:2]):
        day = f"2025-08-{1 + (event.pick + number) % 28:02d}"
        dated = Event(event.cycle, event.site, event.nth, "edit", tool, 0, "due", day)
        edit_record(stage, tool, each.record.id, dated)


def native_words(stage: Stage, tool: str, record: Record, event: Event) -> tuple[str | None, Value]:
    """Return the field and the value that an event means in a tool in memory."""
    value = event.value
    if event.field == "parent" and isinstance(value, float):
        value = _above(stage, tool, record, int(value))
    if event.field == "status" and isinstance(value, str):
        value = f"{tool}-{value.partition('-')[2]}"
    return event.field, value


def _note(stage: Stage, tool: str, record: str, name: str, values: tuple[Value, Value]) -> None:
    stored = stage.world.store.record(tool, record)
    linked = stored is not None and stored.item is not None
    done = HumanEdit(stage.step, tool, record, name, *values, linked, stage.cycle)
    stage.run.human.append(done)
    stage.latest[tool, record, name] = done
    if not values[1] and simmoves.is_away(stage, tool, record, name):
        stage.run.razed.add((tool, record, name))
    stage.run.trace.append(f"ann {tool} {record} {name} {values[1]!r}")


def _above(stage: Stage, tool: str, record: Record, number: int) -> str | None:
    wanted = _ABOVE.get(record.kind or record.container)
    found = [
        r.id for r in stage.world.tools[tool].records.values()
        if wanted is not None and wanted in (r.kind, r.container)
    ]  # fmt: skip
    return sorted(found)[number % len(found)] if found else None


def _chosen(stage: Stage, event: Event) -> str | None:
    records = sorted(stage.world.tools[event.tool].records)
    return records[event.pick % len(records)] if records else None


def bulk(stage: Stage, event: Event) -> None:
    """Let a person set one field of every record."""
    for record in sorted(stage.world.tools[event.tool].records):
        edit_record(stage, event.tool, record, event)


def make(stage: Stage, tool: str, box: str, fields: dict[str, Value]) -> None:
    """Let a person make a record, with a field that no mapping knows."""
    kind, container = (box, "project") if tool == "jira" else (None, box)
    made = stage.world.tools[tool].add(
        container, {**fields, "budget": 7.0}, kind=kind, author="ann"
    )
    _note_new(stage, tool, made)


def _note_new(stage: Stage, tool: str, made: str) -> None:
    stage.human_made.add((tool, made))
    for name, value in stage.world.tools[tool].records[made].fields.items():
        if value is not None:
            _note(stage, tool, made, name, (None, value))


def add(stage: Stage, event: Event) -> None:
    """Let a person make a record."""
    boxes = ("feature", "work_item") if event.tool == "jira" else ("goals", "features")
    title = event.value if event.field == "title" else f"New {event.pick % 3}"
    make(stage, event.tool, boxes[event.pick % 2], {"title": title})


def trash(stage: Stage, event: Event) -> None:
    """Let a person put a record into the trash, or take it out."""
    record = _chosen(stage, event)
    if record is not None:
        stage.world.tools[event.tool].trash(record, trashed=event.action == "trash")
        stage.run.figures["trash"] += 1
        stage.trashed.add((event.tool, record))


def copy(stage: Stage, event: Event) -> None:
    """Let a person duplicate a record, our marker included."""
    record = _chosen(stage, event)
    at_home = (event.tool, record) not in stage.strayed
    if record is not None and at_home and _is_linked(stage, event.tool, record):
        _note_new(stage, event.tool, stage.world.tools[event.tool].copy(record))


def _is_linked(stage: Stage, tool: str, record: str) -> bool:
    """Tell whether a record belongs to an item.

    One that we made and have not heard of yet can only be told from others by its marker.
    """
    stored = stage.world.store.record(tool, record)
    return stored is not None and stored.item is not None


def mark(stage: Stage, event: Event) -> None:
    """Let a person clear our marker, or put that of another record in its place."""
    service, record = stage.world.tools[event.tool], _chosen(stage, event)
    if record is None or not _is_linked(stage, event.tool, record):
        return
    others = sorted({r.marker for r in service.records.values() if r.marker})
    marker = others[event.pick % len(others)] if others and event.pick % 2 else None
    service.records[record] = replace(service.records[record], marker=marker)
    service.edit(record)
    stage.marked.add((event.tool, record))


def rekey(stage: Stage, event: Event) -> None:
    """Give a record another key and address, as a move to another project does."""
    service, record = stage.world.tools[event.tool], _chosen(stage, event)
    if record is not None:
        known = service.records[record]
        service.records[record] = replace(known, key=f"{known.key}-B", url=f"{known.url}/moved")
        service.edit(record)


def stray(stage: Stage, event: Event) -> None:
    """Let a person move a record out of its place, or back."""
    record = _chosen(stage, event)
    if record is not None and _is_linked(stage, event.tool, record):
        simmoves.stray(stage, event.tool, record, event.pick)


def resolve(stage: Stage, event: Event) -> None:
    """Let a person settle an open conflict, as `syncd conflicts resolve` does."""
    store = stage.store
    found = sorted(
        (c for c in store.conflicts() if c.resolved_by is None), key=lambda c: (c.item, c.field)
    )
    if not found or store.in_transaction:  # another process waits for the lock of the file
        return
    _decide(stage, found[event.pick % len(found)], event.pick)


def resolve_all(stage: Stage) -> None:
    """Let a person settle every conflict that is still open."""
    for number, conflict in enumerate(
        sorted(stage.store.conflicts(), key=lambda c: (c.item, c.field))
    ):
        if conflict.resolved_by is None:
            _decide(stage, conflict, stage.run.schedule.seed + number)


def _decide(stage: Stage, conflict: Conflict, pick: int) -> None:
    values = [claim.value for claim in conflict.claims]
    chosen = [*values, conflict.base][pick % (len(values) + 1)]
    with stage.beside():
        stage.store.save_conflicts([replace(conflict, resolution=chosen, resolved_by="ann")])
        stage.store.mark_dirty([conflict.item])
    stage.run.figures["decisions"] += 1
    stage.step += 1
    stage.run.resolved.append(
        Resolved(
            stage.step,
            conflict.item,
            conflict.field,
            tuple((claim.connection, claim.value) for claim in conflict.claims),
            chosen,
        )
    )
    stage.run.trace.append(f"ann resolves {conflict.id} {chosen!r}")


def approve_all(stage: Stage) -> None:
    """Let a person look at everything the guard holds back, and let it go on: `syncd approve`."""
    now = stage.world.clock.now()
    with stage.beside():
        for held in hold.waiting(stage.store):
            hold.approve(stage.store, held, "ann", now, now + 2 * 3600.0)
            stage.run.figures["approved"] += 1


def page(stage: Stage, event: Event) -> None:
    """Let a person write on the page that we keep, change a block of ours there, or delete one."""
    pages = stage.world.pages
    if not pages.contents:
        return
    stage.run.figures["page"] += 1
    name = min(pages.contents)
    blocks = pages.contents[name]
    ours = [number for number, (block, _text) in enumerate(blocks) if block not in pages.theirs]
    if event.pick % 3 == 0 or not ours:
        pages.write(name, f"a note {stage.step}", event.pick % (len(blocks) + 1))
        return
    chosen = ours[event.pick % len(ours)]
    if event.pick % 3 == 1:
        blocks[chosen] = blocks[chosen][0], "bullet||somebody was here"
    else:
        del blocks[chosen]


PEOPLE: dict[str, Callable[[Stage, Event], None]] = {
    "edit": edit, "add": add, "trash": trash, "untrash": trash, "copy": copy, "bulk": bulk,
    "resolve": resolve, "clash": clash, "mark": mark, "rekey": rekey, "page": page,
    "stray": stray,
}  # fmt: skip
