"""Step 3: merge the work set cell by cell; what changes is then carried up by `rollups`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from syncd.core.fields import FieldType
from syncd.core.merge import REUNITED, Merged, Sight, merge, reunite
from syncd.core.model import (
    Cell,
    Claim,
    Conflict,
    Item,
    Notice,
    Provenance,
    StoredRecord,
)
from syncd.core.records import FieldKind
from syncd.core.rules import DERIVED, SHARED, FieldRule, NotShownError, UnmappedError
from syncd.core.values import digest, same
from syncd.engine.context import Context, unsettled
from syncd.engine.fetch import look_above
from syncd.engine.loops import LOOPING, notice, parties, turns_back
from syncd.engine.rollups import BATCH, DEEPEST, roll_up, roll_up_once, set_derived
from syncd.engine.sights import Work, is_out, left_of, look, voices


def reconcile(context: Context, ids: Iterable[str]) -> None:
    """Merge these items and every roll-up above them; everything decided is stored."""
    todo = sorted(ids)
    context.unsure.difference_update(todo)
    raised: set[str] = set()
    for start in range(0, len(todo), BATCH):
        context.progress("reconciling", start, len(todo))
        batch = todo[start : start + BATCH]
        with context.store.transaction():
            above = _merge_batch(context, batch)
            above |= roll_up_once(context, batch)
            context.store.mark_dirty(above)
        raised |= above
    roll_up(context, raised)
    if context.doubted:
        reconcile(context, look_above(context))
    _open_circles(context)


def _open_circles(context: Context) -> None:
    """Look again at parents that were not followed, when a parent has changed: they may fit now."""
    if not context.moved:
        return
    context.moved = False
    waiting = [n.subject for n in context.store.notices() if n.kind == "circle"]
    if waiting:
        reconcile(context, waiting)


def _merge_batch(context: Context, batch: list[str]) -> set[str]:
    """Merge a batch; returns the parents that lost or won a child or whose child says something new."""
    store = context.store
    items, records = store.items(batch), _judged(context, store.records_of(batch))
    conflicts: dict[str, dict[str, Conflict]] = {}
    for conflict in store.conflicts(items=batch):
        conflicts.setdefault(conflict.item, {})[conflict.field] = conflict
    parents = _parents(context, items, records)
    raised: set[str] = set()
    changed: dict[str, Item] = {}
    for item_id in batch:
        if item_id not in items:
            continue
        work = Work(items[item_id], records.get(item_id, {}), conflicts.get(item_id, {}))
        work.ahead = changed
        merged = _merge_item(context, work, parents)
        _store(context, work)
        if merged != work.item:
            changed[item_id] = merged
            raised.update(p for p in (work.item.parent, merged.parent) if p is not None)
            context.touch(merged.level)
            context.moved = context.moved or merged.parent != work.item.parent
    store.save_items(list(changed.values()))
    return raised


def _judged(
    context: Context, records: Mapping[str, Mapping[str, StoredRecord]]
) -> dict[str, dict[str, StoredRecord]]:
    """Leave out records of ours that were found before it is known what became of their creation.

    What they show may be what the tool put there by itself, and is nobody's word.
    """
    open_ = unsettled(context)
    return {
        item: {name: stored for name, stored in each.items() if (name, item) not in open_}
        for item, each in records.items()
    }


def _parents(
    context: Context,
    items: Mapping[str, Item],
    records: Mapping[str, Mapping[str, StoredRecord]],
) -> dict[tuple[str, str], str]:
    """Return (connection, record id) -> item for every record some record points at as its parent.

    The fields are those of the item's level: the record may be of another type by now, or of none.
    """
    wanted: dict[str, set[str]] = {}
    for item_id, item in items.items():
        for connection, stored in records.get(item_id, {}).items():
            for rule in context.roadmap.cells_of(item.level, connection).values():
                value = stored.record.fields.get(rule.remote)
                if rule.kind is FieldKind.PARENT and isinstance(value, str):
                    wanted.setdefault(connection, set()).add(value)
    return {
        (connection, record): item
        for connection, ids in wanted.items()
        for record, item in context.store.linked_items(connection, ids).items()
    }


def _merge_item(context: Context, work: Work, parents: Mapping[tuple[str, str], str]) -> Item:
    item = work.item
    work.fields, work.provenance = dict(item.fields), dict(item.provenance)
    work.voices = voices(context, work)
    for name, rule in context.roadmap.fields.items():
        owner = rule.owners.get(item.level)
        if owner is None or owner == DERIVED:
            continue
        sights = look(context, work, rule, parents)
        guessed = name not in work.provenance and (owner, name) in work.unreadable
        if sights and not guessed:  # what the owner means is unknown: nobody else speaks for it
            _decide(context, work, rule, owner, sights)
    _refer(context, work)
    _see_derived(context, work)
    _note_levels(context, work)
    parent = _safe_parent(context, work)
    if (work.fields, work.provenance, parent) == (item.fields, item.provenance, item.parent):
        return item
    return replace(
        item,
        parent=parent,
        fields=work.fields,
        provenance=work.provenance,
        version=item.version + 1,
    )


def _note_levels(context: Context, work: Work) -> None:
    """Tell when a record is no longer of the item's level: its type changed, or it left the mapping."""
    for connection, stored in work.records.items():
        if stored.gone_since is not None or stored.level == work.item.level:
            continue
        now = (
            f"is of the level {stored.level} now"
            if stored.level
            else "no longer fits any level of the mapping"
        )
        sentence = (
            f"{stored.record.key} in {connection} {now}, but {work.item.title} was taken up as a "
            f"{work.item.level} and stays one; change it back, or make it anew as what it is to be"
        )
        if is_out(context, stored):
            sentence = (
                f"{stored.record.key} in {connection} was moved to where the mapping reads nothing; "
                f"{work.item.title} goes on in the other tools, and nothing is read from or written "
                f"to it until it is back; move it back, or add its new place to the mapping"
            )
        work.notices.append(Notice("level", work.item.id, connection, sentence))


def _decide(context: Context, work: Work, rule: FieldRule, owner: str, sights: list[Sight]) -> None:
    """Merge one field and note everything that follows from it."""
    name, conflict = rule.name, work.conflicts.get(rule.name)
    known = name in work.provenance
    current = work.fields.get(name)
    unseen = _unseen_claims(work, conflict, sights)
    if conflict is not None and conflict.resolved_by is not None:
        _settle_unseen(work, name, unseen)
        merged = _resolved(work, rule, conflict, sights)
        _close(context, work, conflict)
        if merged.disputed:  # they have been edited again, and differently, since the decision
            _dispute(context, work, rule, merged, None)
    elif unseen:  # the conflict stays until they can be seen again, or a person decides
        _leave_away(work, name)
        return
    elif owner == SHARED and (context.restored or (conflict and conflict.reason == REUNITED)):
        merged = reunite(rule.type, current, sights)
        _dispute(context, work, rule, merged, conflict)
    elif loop := parties(context, work.item, rule, conflict, sights, current):
        merged = Merged(current, None, disputed=loop, reason=LOOPING)
        work.notices.append(notice(work.item, rule))
        _dispute(context, work, rule, merged, conflict)
    else:
        merged = merge(rule.type, owner, rule.on_conflict, current, known, sights)
        _dispute(context, work, rule, merged, conflict)
    if merged.source is not None or not known:
        _adopt(context, work, rule, merged, sights)
    for sight in merged.corrected:
        action = "corrected" if owner != SHARED else "merged"
        work.history.append(
            context.entry(
                work.item.id, name, action, sight.connection, before=sight.value, after=merged.value,
                author=sight.author, rule=rule.place.short,
                detail=merged.reason or f"{owner} decides",
            )
        )  # fmt: skip
        context.count(sight.connection, corrected=1)
    for connection, cell in merged.cells.items():
        work.cells.setdefault(connection, {})[name] = cell


def _unseen_claims(
    work: Work, conflict: Conflict | None, sights: Sequence[Sight]
) -> tuple[Claim, ...]:
    """Return the claims of a conflict that are out of sight: their field or record is away, or gone."""
    if conflict is None:
        return ()
    seen = {sight.connection for sight in sights}
    return tuple(
        claim
        for claim in conflict.claims
        if claim.connection not in seen
        and (claim.connection, conflict.field) not in work.unreadable
        and claim.connection in work.records
    )


def _settle_unseen(work: Work, name: str, claims: Iterable[Claim]) -> None:
    """Let a decision hold against claims that are out of sight: they are no edits when they are back."""
    for claim in claims:
        cells = work.cells.setdefault(claim.connection, {})
        known = cells.get(name, work.records[claim.connection].cells.get(name, Cell()))
        cells[name] = replace(known, base=claim.value)


def _leave_away(work: Work, name: str) -> None:
    """Let fields that are back from being away count as away until something is decided about them."""
    for connection, cells in work.cells.items():
        if _was_away(work, connection, name):
            cells.pop(name, None)


def _was_away(work: Work, connection: str, name: str) -> bool:
    known = work.records[connection].cells.get(name)
    return known is not None and known.away


def _resolved(work: Work, rule: FieldRule, conflict: Conflict, sights: list[Sight]) -> Merged:
    """Follow a person's decision, unless somebody has edited the field again since.

    The decision was about the values the conflict tells of: they are what both sides agree on now. A
    field that has lost its value meanwhile, by being away, is no edit.
    """
    claimed = {claim.connection: claim.value for claim in conflict.claims}
    since = []
    for sight in sights:
        base = sight.cell.base if sight.cell is not None else sight.value
        base = claimed.get(sight.connection, base)
        if _was_away(work, sight.connection, rule.name):
            base = left_of(base, sight.value)
        since.append(replace(sight, cell=Cell(base=base)))
    later = merge(rule.type, SHARED, rule.on_conflict, conflict.resolution, True, since)  # noqa: FBT003
    disputed = {sight.connection for sight in later.disputed}
    cells = {
        sight.connection: Cell(base=sight.value)
        for sight in sights
        if sight.connection not in disputed
    }
    cells |= {
        s.connection: s.cell for s in since if s.connection in disputed and s.cell is not None
    }
    reason = f"settled by {conflict.resolved_by}"
    if later.disputed:  # what they differ from now is the decision, for edits may be taken back
        return replace(later, source=f"conflict:{conflict.id}", cells=cells)
    if later.source is not None:
        return replace(later, cells=cells)
    return Merged(conflict.resolution, f"conflict:{conflict.id}", reason=reason, cells=cells)


def _adopt(
    context: Context, work: Work, rule: FieldRule, merged: Merged, sights: list[Sight]
) -> None:
    name, source = rule.name, merged.source
    if source is None:
        if merged.disputed or merged.value is None:
            return
        source = work.item.origin
    sight = next((s for s in sights if s.connection == source), None)
    before = work.fields.get(name)
    work.fields[name] = merged.value
    work.provenance[name] = Provenance(
        source, rule.place.short, context.cycle, sight.author if sight else None, before
    )
    if source in work.records and before is None and name not in work.item.provenance:
        return  # the first word on a field is in its provenance; history begins with the second
    if not same(rule.type, before, merged.value):
        action = "resolved" if source.startswith("conflict:") else "observed"
        work.history.append(
            context.entry(
                work.item.id, name, action, source, before=before, after=merged.value,
                author=sight.author if sight else None, rule=rule.place.short, detail=merged.reason,
            )
        )  # fmt: skip


def _dispute(
    context: Context, work: Work, rule: FieldRule, merged: Merged, conflict: Conflict | None
) -> None:
    """Open, update or close the conflict of a field, as the merge found it."""
    if not merged.disputed:
        if conflict is not None:
            work.history.append(
                context.entry(
                    work.item.id, rule.name, "resolved", f"conflict:{conflict.id}",
                    before=work.fields.get(rule.name), after=merged.value,
                    rule=rule.place.short, detail="nobody disagrees any more",
                )
            )  # fmt: skip
            _close(
                context, work, replace(conflict, resolution=merged.value, resolved_by="agreement")
            )
        return
    claims = tuple(Claim(s.connection, s.value, s.author, s.at) for s in merged.disputed)
    held = merged.reason == LOOPING
    now = context.clock.now()
    if conflict is None:
        identity = "c" + digest([work.item.id, rule.name, context.cycle], 5)
        conflict = Conflict(
            identity, work.item.id, rule.name, merged.value, claims, merged.reason,
            rule.place.short, context.cycle, now,
        )  # fmt: skip
        for claim in claims:
            work.history.append(
                context.entry(
                    work.item.id, rule.name, "conflict", claim.connection, before=merged.value,
                    after=claim.value, author=claim.author, rule=rule.place.short, detail=identity,
                )
            )  # fmt: skip
    elif (conflict.claims, conflict.held) == (claims, held):
        return
    work.disputes.append(replace(conflict, claims=claims, reason=merged.reason, held=held))


def _close(context: Context, work: Work, conflict: Conflict) -> None:
    work.disputes.append(replace(conflict, resolved_at=context.clock.now()))


def _see_derived(context: Context, work: Work) -> None:
    """Take note of what the tools show in derived cells; whatever it is, syncd decides them."""
    for connection, stored in work.records.items():
        for name, rule in context.roadmap.cells_of(work.item.level, connection).items():
            field_rule = context.roadmap.fields.get(name)
            if field_rule is None or field_rule.owners.get(work.item.level) != DERIVED:
                continue
            try:
                value = rule.decode(rule.shown(stored.record), context.directory)
            except NotShownError:
                continue
            except UnmappedError:
                value = None
            cell = stored.cells.get(name)
            if cell is not None and same(field_rule.type, cell.base, value):
                continue
            if turns_back(context, work.item, field_rule, Sight(connection, value, cell)):
                work.notices.append(notice(work.item, field_rule, derived=True))
                continue  # left as it is: what it was given still counts as delivered
            if cell is not None and not context.restored:
                work.history.append(
                    context.entry(
                        work.item.id, name, "corrected", connection, before=value,
                        after=work.fields.get(name), rule=rule.place.short, detail="computed by syncd",
                    )
                )  # fmt: skip
                context.count(connection, corrected=1)
            work.cells.setdefault(connection, {})[name] = Cell(base=value)


def _refer(context: Context, work: Work) -> None:
    """Fill the derived fields that point into another tool: its URL and its key of the item."""
    for rule in context.roadmap.fields.values():
        if rule.of is None or rule.owners.get(work.item.level) != DERIVED:
            continue
        stored = work.records.get(rule.of)
        if stored is None:
            continue
        shown = stored.record.url if rule.type is FieldType.URL else stored.record.key
        set_derived(context, work.fields, work.provenance, rule, shown or None)


def _safe_parent(context: Context, work: Work) -> str | None:
    """Return the parent, unless it would close a circle: then the item keeps the parent it had.

    As in a conflict the cells stay as they are: nothing is written, and the edit is seen again when
    a parent has changed.
    """
    parent = work.fields.get("parent")
    if not isinstance(parent, str) or parent == work.item.parent:
        return parent if isinstance(parent, str) else None
    path = _circle(context, work, parent)
    if path is None:
        return parent
    _keep_parent(work)
    sentence = (
        f"{' > '.join(path)} is a circle of parents; {work.item.title} keeps the parent it had; "
        f"change one of these parents"
    )
    work.notices.append(Notice("circle", work.item.id, "parent", sentence))
    return work.item.parent


def _circle(context: Context, work: Work, parent: str) -> list[str] | None:
    """Return the titles along the circle that this parent would close, None when it closes none."""
    path, step = [work.item.title], parent
    for _ in range(DEEPEST):
        above = work.ahead.get(step) or context.store.items([step]).get(step)
        if above is None:
            return None
        path.append(above.title)
        if step == work.item.id:
            break
        if above.parent is None:
            return None
        step = above.parent
    return path


def _keep_parent(work: Work) -> None:
    """Undo what the merge decided about the parent."""
    work.fields.pop("parent", None)
    work.provenance.pop("parent", None)
    if "parent" in work.item.fields:
        work.fields["parent"] = work.item.fields["parent"]
    if "parent" in work.item.provenance:
        work.provenance["parent"] = work.item.provenance["parent"]
    for cells in work.cells.values():
        cells.pop("parent", None)
    work.history = [entry for entry in work.history if entry.field != "parent"]


def _store(context: Context, work: Work) -> None:
    store = context.store
    for connection, cells in work.cells.items():
        stored = work.records[connection]
        whole = {n: _still_logged(cell, stored.cells.get(n)) for n, cell in cells.items()}
        news = {n: cell for n, cell in whole.items() if stored.cells.get(n) != cell}
        if news:
            store.save_cells(connection, stored.record.id, news)
    store.save_conflicts(work.disputes)
    store.append_history(work.history)
    store.replace_notices(work.item.id, work.notices)


def _still_logged(cell: Cell, known: Cell | None) -> Cell:
    """Return a cell as decided; what of the tool's log was accounted for stays so."""
    if known is None or cell.logged or not known.logged:
        return cell
    return replace(cell, logged=known.logged)
