"""The invariants that are judged while a run goes on: at each write, at each commit, at each answer."""

from __future__ import annotations

from syncd.core.model import IntentState, Item
from syncd.core.records import Draft, Edit, Value
from syncd.core.rules import DERIVED, SHARED
from syncd.testing.cells import excused_cells, rule_of
from syncd.testing.simrun import Written
from syncd.testing.stage import Stage


def before_write(stage: Stage, connection: str, write: Edit | Draft) -> None:
    """Judge a write before it leaves."""
    stage.old_unanswered = {*stage.run.unanswered}
    write_is_journalled(stage, connection, write)
    told_to_wait(stage, connection)
    if isinstance(write, Draft):
        creation_is_allowed(stage, write)
        return
    owner_is_respected(stage, write, connection)
    only_what_is_mapped(stage, write, connection)
    shared_cells_were_read(stage, write, connection)


def written(
    stage: Stage, connection: str, record: str, name: str, value: Value, *, blind: bool = False
) -> None:
    """Note that a write of ours has taken effect."""
    stage.run.trace.append(f"wrote {connection} {record} {name} {value!r}")
    known = stage.before.get((connection, record))
    idle = known is not None and known.fields.get(name) == value
    since = stage.seen.get((connection, record), -1)
    stage.run.written.append(
        Written(
            stage.step, connection, record, name, value, blind,
            unanswered=True, idle=idle, since=since, read=dict(stage.merged),
        )
    )  # fmt: skip


# I17, I24 -------------------------------------------------------------------------------------------


def write_is_journalled(stage: Stage, connection: str, write: Edit | Draft) -> None:
    """I17, I24: a durable intent says what is about to be written, and no other attempt has used it."""
    run, record = stage.run, write.record if isinstance(write, Edit) else None
    fitting = [
        intent.id
        for intent in stage.world.store.open_intents()
        if intent.connection == connection and intent.record == record
        if intent.state is IntentState.SENT and dict(intent.fields) == dict(write.fields)
        if not isinstance(write, Draft) or intent.item == write.marker
    ]
    fresh = [each for each in fitting if each not in run.attempts]
    if fresh:
        run.attempts.add(fresh[-1])
        return
    what = f"a write to {record or 'a new record'} in {connection}"
    run.violated(
        *(("I24", f"{what} is sent twice for one intent") if fitting
          else ("I17", f"{what} without an intent"))
    )  # fmt: skip


def told_to_wait(stage: Stage, connection: str) -> None:
    """I24: a service that asked to slow down gets no write before that time is over."""
    if stage.world.clock.monotonic() < stage.not_before.get(connection, 0.0):
        stage.run.violated("I24", f"{connection} is written to though it asked to wait")


# I13, I7, I8, I16, P8 -------------------------------------------------------------------------------


def creation_is_allowed(stage: Stage, draft: Draft) -> None:
    """I13, I7, I5: create only into what was read in full, and never what is or was there."""
    world, connection = stage.world, draft.scope.connection
    if world.store.cursor(connection, draft.scope.id).full_at is None:
        stage.run.violated(
            "I13", f"a creation in {draft.scope.id} of {connection}, never read in full"
        )
    if world.store.cursor(connection, draft.scope.id).frozen is not None:
        stage.run.violated("I13", f"a creation in {draft.scope.id} of {connection}, frozen")
    if connection in world.store.records_of([draft.marker]).get(draft.marker, {}):
        stage.run.violated("I7", f"{draft.marker} is made again in {connection}")


def gone_on_evidence(stage: Stage, connection: str, record_id: str) -> None:
    """I13: only what somebody has deleted counts as deleted; what a list leaves out does not.

    Nor does what cannot be seen for once; out of sight in two cycles, while others can be seen, does.
    """
    tool = stage.world.tools[connection]
    held = tool.records.get(record_id)
    if held is None or held.trashed or (connection, record_id) in stage.trashed:
        return
    if not tool.lists(held) and len(stage.hidden[connection]) > 1:
        stage.run.figures["gone_by_evidence"] += 1
        return
    stage.run.violated("I13", f"{record_id} in {connection} counts as deleted, and is there")


def owner_is_respected(stage: Stage, edit: Edit, connection: str) -> None:
    """I8: what a person entered in its owner, and we were shown, is never written over."""
    run, world = stage.run, stage.world
    stored = world.store.record(connection, edit.record)
    if stored is None or (connection, edit.record) in stage.strayed:
        return  # of a strayed record the level is not that of its item
    unseen = stage.unseen_edits(connection, edit.record)
    shows = world.tools[connection].records.get(edit.record)
    for remote in edit.fields:
        rule = rule_of(world, stored, remote)
        owner = world.roadmap.fields[rule.field].owners.get(stored.level or "") if rule else None
        cell = connection, edit.record, remote
        if owner != connection or shows is None or remote in unseen or cell in run.unanswered:
            continue
        last = stage.latest.get(cell)
        if last is not None and last.new is not None and shows.fields.get(remote) == last.new:
            run.violated(
                "I8", f"{remote} of {edit.record} in {connection}, its owner, is overwritten"
            )


def only_what_is_mapped(stage: Stage, edit: Edit, connection: str) -> None:
    """I16: nothing but mapped fields is written."""
    stored = stage.world.store.record(connection, edit.record)
    if stored is None or stored.item is None:
        return
    item = stage.world.store.items([stored.item])[stored.item]
    mapped = {rule.remote for rule in stage.world.roadmap.cells_of(item.level, connection).values()}
    if not set(edit.fields) <= mapped:
        stage.run.violated(
            "I16", f"{sorted(set(edit.fields) - mapped)} of {edit.record} is not ours"
        )


def shared_cells_were_read(stage: Stage, edit: Edit, connection: str) -> None:
    """P8: a record whose shared cells are to be written has just been read."""
    world = stage.world
    stored = world.store.record(connection, edit.record)
    rules = [rule_of(world, stored, remote) for remote in edit.fields] if stored is not None else []
    level = (stored.level or "") if stored is not None else ""
    owners = {world.roadmap.fields[r.field].owners.get(level) for r in rules if r is not None}
    fresh = stage.last_call.get(connection) in ("read", "changes", "update") and (
        edit.record in stage.last_read.get(connection, ())
    )
    if SHARED in owners and not fresh:
        stage.run.violated(
            "P8", f"shared cells of {edit.record} in {connection} are written unread"
        )


def erasures_are_somebodys(stage: Stage, before: Item, item: Item) -> None:
    """I4: what an item held is taken away only where some person has taken it away.

    That a field is out of sight, or a record in another place, is no such word.
    """
    run, fields = stage.run, stage.world.roadmap.fields
    for name, value in before.fields.items():
        if value is None or item.fields.get(name) is not None:
            continue
        rule = fields.get(name)
        if rule is None or rule.owners.get(item.level) in (None, DERIVED):
            continue
        decided = any((d.item, d.field) == (item.id, name) for d in run.resolved)
        excused = (item.id, name) in excused_cells(run, stage.world)
        if not decided and not excused and not _taken_away(stage, item, name):
            run.violated("I4", f"{item.title} ({item.id}).{name} is erased, and nobody did that")


def _taken_away(stage: Stage, item: Item, name: str) -> bool:
    """Tell whether some person has emptied a field of an item, or taken something out of it.

    Another parent counts: one that the roadmap does not hold leaves the item without any.
    """
    remotes = {
        (tool, stored.record.id): rules[name].remote
        for tool, stored in stage.world.store.records_of([item.id]).get(item.id, {}).items()
        if name in (rules := stage.world.roadmap.cells_of(item.level, tool))
    }
    return any(
        remotes.get((edit.tool, edit.record)) == edit.field
        and (edit.new is None or isinstance(edit.old, tuple) or name == "parent")
        for edit in stage.run.human
    )


# I9 -------------------------------------------------------------------------------------------------


def cursor_covers(stage: Stage, connection: str, scope_id: str) -> None:
    """I9: a cursor that has just been stored passes no change that was not stored before or with it.

    Tools whose lists were made to lie (old, half, without a change) are left out.
    """
    state = stage.world.store.cursor(connection, scope_id)
    key = connection, scope_id
    if connection in stage.liars or state.cursor in (None, stage.cursors.get(key)):
        return
    stage.cursors[key] = state.cursor or ""
    reached = f"{int(state.cursor or 0):09d}"
    containers = next(
        s.containers for s in stage.world.roadmap.scopes if (s.connection, s.id) == key
    )
    for record in stage.world.tools[connection].records.values():
        if record.container not in containers or record.trashed or record.updated > reached:
            continue
        known = stage.world.store.record(connection, record.id)
        if known is None or known.record.updated < record.updated:
            stage.run.violated(
                "I9", f"the cursor of {scope_id} passed {record.id}, which was not stored"
            )


def versions_grow(stage: Stage) -> None:
    """I9: no item goes back to an earlier version."""
    for item in stage.disk.tables.get("items", {}).values():
        before = stage.items.get(item.id)
        if before is item:
            continue
        if before is not None and item.version < before.version:
            stage.run.violated("I9", f"{item.id} went back to version {item.version}")
        if before is not None:
            erasures_are_somebodys(stage, before, item)
        stage.items[item.id] = item


def clean_stop(stage: Stage) -> None:
    """I9: nothing stays undecided for ever."""
    for intent in stage.world.store.open_intents():
        stage.run.violated("I9", f"the intent {intent.id} is still {intent.state}")
