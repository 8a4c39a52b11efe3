"""The invariants that are judged when a run has settled, each as a plain function that notes violations.

They look at what the tools hold, at what people did and at what the state tells people; which values a
field may end with says the reference model (`syncd.testing.reference`), not the engine. The numbers are
those of the project's invariants; those that are judged while a run goes on stand in `syncd.testing.watch`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from syncd.core.fields import STATUSES
from syncd.core.model import Item, StoredRecord
from syncd.core.records import FieldKind, Value
from syncd.core.rules import DERIVED, CellRule
from syncd.core.values import same
from syncd.testing import fairness, watch
from syncd.testing.cells import (
    UNREADABLE,
    canonical,
    cells,
    excused_cells,
    held,
    rule_of,
    unread_owners,
)
from syncd.testing.memory_store import MemoryDisk
from syncd.testing.simrun import HumanEdit, Run, Written
from syncd.testing.stage import NO_HISTORY, Stage
from syncd.testing.world import World

_PASSING = ("page", "approv", "held", "short:")
"""Documents that may change in calm: the page has news of the day, and approvals run out."""

_RESTLESS = ("cursors", "cycles", "meta")
"""Tables that a cycle changes though nothing has happened: where it has read to, and its report."""


def judge(stage: Stage) -> None:
    """Ask every oracle that judges a run as a whole, once everything should have settled."""
    run, world = stage.run, stage.world
    converged(run, world)
    fairness.values_are_fair(run, world)
    fairness.conflicts_are_real(run, world)
    if run.schedule.twin:
        fairness.concurrent_edits_are_told(run, world, stage.trashed | stage.moved)
    no_duplicates(stage)
    gone_is_gone(stage)
    no_echo(run, world)
    writes_are_few(run, world)
    audit_is_complete(run, world)
    sums_are_right(run, world)
    strangers_are_untouched(stage)
    page_is_whole(stage)
    watch.clean_stop(stage)


def snapshot(disk: MemoryDisk) -> dict[str, dict[Any, Any]]:
    """Return everything remembered, to compare by `==`; reports, places in lists and the page apart."""
    tables = {
        name: dict(rows) for name, rows in disk.tables.items() if name not in _RESTLESS and rows
    }
    records = tables.get("records", {})
    tables["records"] = {
        key: (s.record, s.level, s.item, s.cells, s.linked_how, s.gone_since)
        for key, s in records.items()
    }
    documents = tables.get("documents", {})
    tables["documents"] = {
        name: text for name, text in documents.items() if not any(w in name for w in _PASSING)
    }
    return tables


# I1 -------------------------------------------------------------------------------------------------


def converged(run: Run, world: World) -> None:
    """I1: in calm every tool shows the canonical value in every cell, and every item is everywhere."""
    blocked = {(c.item, c.field) for c in world.store.conflicts()}
    blocked |= {(n.subject, "parent") for n in world.store.notices() if n.kind == "circle"}
    blocked |= excused_cells(run, world)
    for item in world.items():
        if held(world, item):
            continue
        records = world.store.records_of([item.id]).get(item.id, {})
        for side in world.roadmap.sides[item.level]:
            refused = world.store.document(f"refused:{side.connection}:{item.id}") is not None
            if side.connection not in records and not refused:
                run.violated("I1", f"{item.title} ({item.id}) is missing in {side.connection}")
        blocked |= {(item.id, name) for name in unread_owners(world, item)}
        for stored, rule, raw in cells(world, item):
            if (item.id, rule.field) not in blocked:
                _cell_agrees(run, world, item, (stored, rule, raw))
    for tool in world.tools.values():
        for record in tool.records.values():
            known = world.store.record(tool.connection, record.id)
            if not record.trashed and (known is None or known.item is None):
                run.violated("I1", f"{record.id} in {tool.connection} belongs to no item")


def _cell_agrees(
    run: Run, world: World, item: Item, cell: tuple[StoredRecord, CellRule, Value]
) -> None:
    stored, rule, raw = cell
    wanted, kind = item.fields.get(rule.field), world.roadmap.fields[rule.field].type
    shown = canonical(world, rule, raw)
    known = stored.cells.get(rule.field)
    if shown == UNREADABLE or (known is not None and known.refused is not None):
        return
    if rule.kind is FieldKind.PARENT and wanted is not None:
        above = world.store.records_of([str(wanted)]).get(str(wanted), {})
        parent = above.get(rule.connection)
        if parent is None or world.tools[rule.connection].records[parent.record.id].trashed:
            return  # refused, or held by a deletion: there is nothing to point at
    spelled = world.tools[rule.connection].spell(rule.remote, wanted)
    if not same(kind, shown, wanted) and not same(kind, shown, spelled):
        run.violated(
            "I1",
            f"{item.title} ({item.id}).{rule.field}: {rule.connection} {shown!r}, not {wanted!r}",
        )


# I5 -----------------------------------------------------------------------------------------------------


def no_duplicates(stage: Stage) -> None:
    """I5: of every item we made at most one record in each tool, whatever happened to the replies."""
    run, world = stage.run, stage.world
    made = Counter((tool, marker) for (tool, _record), marker in run.born.items())
    for tool in world.tools.values():
        made |= Counter(
            (tool.connection, r.marker)
            for r in tool.records.values()
            if r.marker and (tool.connection, r.id) not in stage.human_made | stage.marked
        )
    for (name, marker), count in made.items():
        if count > 1:
            run.violated("I5", f"{count} records of {marker} were made in {name}")
    linked = Counter(
        (stored.record.connection, stored.item)
        for (_key, stored) in stage.disk.tables.get("records", {}).items()
        if stored.item is not None and not stored.record.trashed and stored.gone_since is None
    )
    for (name, item), count in linked.items():
        if count > 1:
            run.violated("I5", f"{count} records of {item} live in {name}")


# I13 ----------------------------------------------------------------------------------------------------


def gone_is_gone(stage: Stage) -> None:
    """I13: what counts as deleted in a tool somebody has deleted there."""
    for stored in stage.disk.tables.get("records", {}).values():
        if stored.gone_since is None:
            continue
        record = stage.world.tools[stored.record.connection].records.get(stored.record.id)
        if record is not None and not record.trashed:
            stage.run.violated("I13", f"{record.id} counts as deleted, and is there")


# I6 -------------------------------------------------------------------------------------------------


def no_echo(run: Run, world: World) -> None:
    """I6: what history calls observed in a tool, some person has entered in that tool."""
    excused = excused_cells(run, world)
    entered: dict[tuple[str, str], list[Value]] = {}
    for edit in run.human:
        stored = world.store.record(edit.tool, edit.record)
        rule = rule_of(world, stored, edit.field) if stored is not None else None
        if stored is not None and stored.item is not None and rule is not None:
            values = entered.setdefault((stored.item, f"{edit.tool}.{rule.field}"), [None])
            values += [canonical(world, rule, edit.old), canonical(world, rule, edit.new)]
            values += [
                edit.old,
                edit.new,
            ]  # what the mapping cannot read is told as the tool has it
    for entry in world.store.history(limit=10_000):
        if entry.action not in ("observed", "corrected"):
            continue
        value = entry.after if entry.action == "observed" else entry.before
        known = entered.get((entry.item, f"{entry.connection}.{entry.field}"), [None])
        kind = world.roadmap.fields[entry.field].type
        if isinstance(value, tuple) or entry.field == "parent":
            continue
        if _is_our_own_respelled(run, world, entry.item, entry.connection, entry.field, value):
            run.figures["echo-of-unanswered"] += 1
            continue
        if (entry.item, entry.field) in excused:
            continue
        if not any(same(kind, value, each) for each in known):
            run.violated(
                "I6", f"{entry.item}.{entry.field}: {value!r} {entry.action} in {entry.connection}"
            )


def _is_our_own_respelled(
    run: Run, world: World, item: str, connection: str, name: str, value: Value
) -> bool:
    """Tell whether a value is what the tool made of a write of ours that was never answered (P4)."""
    stored = world.store.records_of([item]).get(item, {}).get(connection)
    rule = world.roadmap.cells_of(stored.level or "", connection).get(name) if stored else None
    if stored is None or rule is None:
        return False
    cell = (connection, stored.record.id, rule.remote)
    written = [w for w in run.written if (w.tool, w.record, w.field) == cell and w.unanswered]
    spell = world.tools[connection].spell
    return any(canonical(world, rule, spell(rule.remote, w.new)) == value for w in written)


def writes_are_few(run: Run, world: World) -> None:
    """I6: a cell is written at most once for each edit of its field, plus once for each open outcome.

    In a tool without a log an edit of another field may come between a write and our next look: what
    the tool made of the value cannot be told from an edit then, and the owner's value is written again.
    Sums are left out: they follow the leaves.
    """
    edits: Counter[tuple[str, str]] = Counter()
    writes: Counter[tuple[str, str, str]] = Counter()
    beside: Counter[tuple[str, str]] = Counter()
    happened: list[HumanEdit | Written] = [*run.human, *run.written]
    for each in happened:
        stored = world.store.record(each.tool, each.record)
        rule = rule_of(world, stored, each.field) if stored is not None else None
        if stored is None or stored.item is None or rule is None:
            continue
        beside[stored.item, each.tool] += isinstance(each, HumanEdit) and each.tool in NO_HISTORY
        if rule.kind is FieldKind.PARENT:
            continue
        if world.roadmap.fields[rule.field].owners.get(stored.level or "") == DERIVED:
            continue
        if isinstance(each, Written):
            writes[stored.item, rule.field, each.tool] += 1
        else:
            edits[stored.item, rule.field] += 1
    decided = Counter((d.item, d.field) for d in run.resolved)
    troubles = sum(
        run.figures[k]
        for k in ("crashes", "lost_reply", "lost_request", "arrived_late", "old", "emptied")
    )
    for (item, name, tool), count in writes.items():
        due = edits[item, name] + decided[item, name] + beside[item, tool]
        if count > due + 1 + troubles:
            run.violated(
                "I6",
                f"{item}.{name} was written {count} times in {tool} for {edits[item, name]} edits",
            )


# I16, I17, I19 ------------------------------------------------------------------------------------------


def strangers_are_untouched(stage: Stage) -> None:
    """I16: a field that no mapping knows, and what people write on our page, stay as they were."""
    for tool in stage.world.tools.values():
        for record in tool.records.values():
            made = (tool.connection, record.id) in stage.human_made
            if made and record.fields.get("budget", 7.0) != 7.0:  # noqa: PLR2004 - as it was made
                stage.run.violated("I16", f"the budget of {record.id} has changed")
    pages = stage.world.pages
    present = {block for blocks in pages.contents.values() for block, _text in blocks}
    for block in pages.theirs - present:
        stage.run.violated("I16", f"what somebody wrote on the page ({block}) is gone")


def audit_is_complete(run: Run, world: World) -> None:
    """I17: the history tells every update that was answered, and every record that we made."""
    told: set[tuple[str, str, str]] = set()
    for entry in world.store.history(limit=100_000):
        if entry.action in ("wrote", "created", "linked"):
            told.add((entry.item, entry.field, entry.connection))
    for (tool, record), marker in run.born.items():
        stored = world.store.record(tool, record)
        if stored is not None and stored.item == marker and (marker, "", tool) not in told:
            run.violated("I17", f"nothing tells that {record} was made in {tool}")
    for each in run.written:
        stored = world.store.record(each.tool, each.record)
        if stored is None or stored.item is None or (each.tool, each.record) in run.born:
            continue
        rule = rule_of(world, stored, each.field)
        if rule is None or each.unanswered or each.idle:
            continue
        if (stored.item, rule.field, each.tool) not in told:
            run.violated("I17", f"nothing tells that {each.field} of {each.record} was written")


def page_is_whole(stage: Stage) -> None:
    """I19: the page names every item that a tool holds once, as it is called now, and nothing twice."""
    world = stage.world
    for rule in world.roadmap.pages:
        ours = [
            text
            for page, blocks in world.pages.contents.items()
            for block, text in blocks
            if block not in world.pages.theirs and text.startswith("bullet|")
            if world.pages.titles[page] == rule.title and " **" in text
        ]
        gone = world.store.gone_items([item.id for item in world.items()])
        wanted = Counter(
            _plain(i.title)
            for i in world.items()
            if i.level in rule.levels and i.fields.get("title") and i.id not in gone
        )
        shown = Counter(text.split("**")[1] for text in ours)
        if wanted != shown:
            stage.run.violated(
                "I19",
                f"the page misses {dict(wanted - shown)}, has too much {dict(shown - wanted)}",
            )


def _plain(text: str) -> str:
    return " ".join(text.split())


# I18 ------------------------------------------------------------------------------------------------


def sums_are_right(run: Run, world: World) -> None:
    """I18: every roll-up equals a recount of the leaves below that a tool holds, each counted once."""
    items = {item.id: item for item in world.items()}
    gone = world.store.gone_items(list(items))
    below: dict[str, list[Item]] = {}
    for item in items.values():
        below.setdefault(item.parent or "", []).append(item)
    for item in items.values():
        if world.roadmap.fields["items_total"].owners.get(item.level) != DERIVED:
            continue
        leaves = [leaf for leaf in _leaves(below, item, gone) if _group(leaf) != "cancelled"]
        done = sum(_group(leaf) == "done" for leaf in leaves)
        points = sum(float(str(leaf.fields.get("estimate") or 0)) for leaf in leaves)
        told = tuple(item.fields.get(n) for n in ("items_total", "items_done", "points_total"))
        if told != (len(leaves), done, points):
            run.violated(
                "I18", f"{item.title}: {told}, but the leaves give {len(leaves), done, points}"
            )


def _leaves(below: dict[str, list[Item]], item: Item, gone: Collection[str]) -> Iterator[Item]:
    """Yield what counts below an item; what was deleted everywhere is no leaf, and makes no parent."""
    for child in below.get(item.id, ()):
        deeper = list(_leaves(below, child, gone))
        if deeper or child.id not in gone:
            yield from deeper or [child]


def _group(item: Item) -> str:
    return STATUSES.get(str(item.fields.get("status") or "planned"), "new")
