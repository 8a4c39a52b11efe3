"""Step 2: give every record its item: by link, else by our marker, else by an unmistakable title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from syncd.core.identity import item_id, title_key
from syncd.core.model import Item, Notice, StoredRecord
from syncd.core.records import FieldKind
from syncd.core.rules import Roadmap, Side
from syncd.engine.adopt import Place, conclude, states, strangers_wait
from syncd.engine.context import Context, unsettled
from syncd.engine.fetch import UNMATCHED
from syncd.engine.recover import UNFOUND

TWICE = "twice"
"""Kind and subject of what is told of records that were made twice."""

BATCH = 500
"""Records matched in one transaction: bounds memory and the number of commits."""


@dataclass(slots=True)
class _Pass:
    """What stays the same while the unlinked records of one cycle are gone through."""

    context: Context
    complete: bool  # every scope has been read in full at least once
    titles: Counter[str]  # title key -> unlinked records of the connection and level at hand
    making: AbstractSet[tuple[str, str]]  # (connection, item) of creations without an answer
    waits: bool  # who is not recognised waits for a review: `syncd adopt`
    strangers: set[str]  # records that wait for it
    twins: dict[str, Notice]  # record -> what is told of records that we have made twice


def match(context: Context) -> int:
    """Link unlinked records until no more can be linked; returns how many were.

    The order is fixed (level from the top, home connection first, then id), so that the outcome does
    not depend on which tool answered first.
    """
    if context.store.document(UNMATCHED) is not True:
        return 0
    linked, complete = 0, _complete(context)
    met: dict[Place, int] = {}
    twins: dict[str, Notice] = {}
    adoptions = states(context.roadmap, context.store)
    making = unsettled(context)
    for level, sides in context.roadmap.sides.items():
        for connection in dict.fromkeys(side.connection for side in sides):
            place = (level, connection)
            waits = strangers_wait(context.roadmap, context.store, place, adoptions)
            titles = _titles(context, level, connection)
            facts = _Pass(context, complete, titles, making, waits, set(), twins)
            linked += _place_level(facts, level, connection)
            if facts.strangers and not strangers_wait(
                context.roadmap, context.store, place, adoptions
            ):  # all that was missing there has been recognised: what is left is new
                facts = _Pass(context, complete, titles, making, False, set(), twins)  # noqa: FBT003
                linked += _place_level(facts, level, connection)
            met[place] = len(facts.strangers)
    context.store.replace_notices(TWICE, [twins[record] for record in sorted(twins)])
    if linked:
        _wake_orphans(context)
    conclude(context.store, adoptions, met, [level for level, _ in met if _read(context, level)])
    context.store.save_document(UNMATCHED, value=False)
    return linked


def _place_level(facts: _Pass, level: str, connection: str) -> int:
    linked = 0
    while placed := _place_all(facts, level, connection):
        linked += placed
        if not any(side.parent_levels for side in facts.context.roadmap.sides[level]):
            break  # nobody waits for a parent of the same level
    return linked


def _batches(context: Context, level: str, connection: str) -> Iterator[tuple[StoredRecord, ...]]:
    after = ""
    while batch := context.store.unlinked(level, connection, after=after, limit=BATCH):
        after = batch[-1].record.id
        yield batch


def _titles(context: Context, level: str, connection: str) -> Counter[str]:
    batches = _batches(context, level, connection)
    return Counter(_title(context.roadmap, stored) for batch in batches for stored in batch)


def _place_all(facts: _Pass, level: str, connection: str) -> int:
    """Go once through the unlinked records of a level in a connection; returns how many were linked."""
    placed = 0
    for batch in _batches(facts.context, level, connection):
        with facts.context.store.transaction():
            placed += sum(_place(facts, stored) for stored in batch)
    return placed


def _read(context: Context, level: str) -> bool:
    """Tell whether every scope in which items of a level may live has been read in full once."""
    homes = {side.connection for side in context.roadmap.sides[level]}
    scopes = [scope for scope in context.roadmap.scopes if scope.connection in homes]
    return all(context.store.cursor(s.connection, s.id).full_at is not None for s in scopes)


def _complete(context: Context) -> bool:
    return all(
        context.store.cursor(scope.connection, scope.id).full_at is not None
        for scope in context.roadmap.scopes
    )


def _title(roadmap: Roadmap, stored: StoredRecord) -> str:
    return title_key(_shown_title(roadmap, stored) or "")


def _shown_title(roadmap: Roadmap, stored: StoredRecord) -> str | None:
    rule = roadmap.cells_of(stored.level or "", stored.record.connection).get("title")
    value = stored.record.fields.get(rule.remote) if rule is not None else None
    return value if isinstance(value, str) else None


def _place(facts: _Pass, stored: StoredRecord) -> bool:
    """Link one record, to an item that exists or to a new one; False while its place is unknown."""
    context, record, level = facts.context, stored.record, stored.level
    if level is None or level not in context.roadmap.sides or stored.gone_since is not None:
        return False
    if not _below_its_parent(context, stored):
        return False
    if _made_twice(facts, stored):
        return False
    found = _by_marker(facts, stored) or _by_title(facts, stored)
    if found is None and not facts.complete and record.marker is not None:
        return False  # ours, but its origin has not been read yet
    if found is None and facts.waits:
        facts.strangers.add(record.id)
        return False
    facts.strangers.discard(record.id)
    item, how = found or (item_id(record.connection, record.id), "origin")
    if how == "origin":
        fields = {"title": _shown_title(context.roadmap, stored)}  # for others to be matched by
        new = Item(id=item, level=level, origin=record.connection, fields=fields)
        context.store.save_items([new])
    context.store.link(record.connection, record.id, item, how)
    context.store.mark_dirty([item])
    context.store.append_history(
        [context.entry(item, "", "linked", record.connection, detail=f"{record.key} by {how}")]
    )
    return True


def _below_its_parent(context: Context, stored: StoredRecord) -> bool:
    """Tell whether a side that asks for a parent of certain levels has one."""
    record, level = stored.record, stored.level or ""
    sides = [
        side
        for side in context.roadmap.sides[level]
        if side.connection == record.connection and side.matches(record)
    ]
    return any(not side.parent_levels or _parent_fits(context, stored, side) for side in sides)


def _parent_fits(context: Context, stored: StoredRecord, side: Side) -> bool:
    record = stored.record
    remote = _parent_field(context.roadmap, stored)
    parent = record.fields.get(remote) if remote is not None else None
    if not isinstance(parent, str):
        return False
    item = context.store.linked_items(record.connection, [parent]).get(parent)
    if item is None:
        return False
    return context.store.items([item])[item].level in side.parent_levels


def _parent_field(roadmap: Roadmap, stored: StoredRecord) -> str | None:
    for rule in roadmap.cells_of(stored.level or "", stored.record.connection).values():
        if rule.field == "parent" and rule.kind is FieldKind.PARENT:
            return rule.remote
    return None


def _free(context: Context, item: str, connection: str) -> bool:
    """Tell whether the item has no record in this connection yet."""
    return connection not in context.store.records_of([item]).get(item, {})


def _by_marker(facts: _Pass, stored: StoredRecord) -> tuple[str, str] | None:
    """Find the item whose id we wrote into the record when we made it.

    A copy somebody made of a synchronised record carries the marker too; the item is taken by then, and
    the copy becomes an item of its own. So does what carries the marker of an item of another level,
    unless one of ours is on its way: somebody moved it before we knew that it is there.
    """
    marker, connection = stored.record.marker, stored.record.connection
    if marker is None:
        return None
    item = facts.context.store.items([marker]).get(marker)
    if item is None:
        return None
    if item.level != stored.level and (connection, marker) not in facts.making:
        return None
    return (marker, "marker") if _free(facts.context, marker, connection) else None


def _made_twice(facts: _Pass, stored: StoredRecord) -> bool:
    """Tell of a record whose creation was looked for in vain, so that its item was given another.

    It is older than the one that is kept, and a copy that a person makes of that is younger. Within the
    minute that Notion tells, what we edited last is taken for ours.
    """
    context, record = facts.context, stored.record
    if record.marker is None or _free(context, record.marker, record.connection):
        return False
    kept = context.store.records_of([record.marker])[record.marker][record.connection].record
    ours = record.author == context.accounts.get(record.connection, "")
    if (record.created, not ours) > (kept.created, False):
        return False
    tried = context.store.history(record.marker)
    if not any((e.action, e.connection) == (UNFOUND, record.connection) for e in tried):
        return False
    sentence = (
        f"{record.key} and {kept.key} in {record.connection} are the same item: the answer to the "
        f"creation of one was lost, and it could not be found for too long; {kept.key} is kept in "
        f"step; delete {record.key}"
    )
    facts.twins[record.id] = Notice(TWICE, TWICE, record.id, sentence)
    return True


def _by_title(facts: _Pass, stored: StoredRecord) -> tuple[str, str] | None:
    """Find the one item of the level with this title that has no record here; two of a name: none."""
    context, record, level = facts.context, stored.record, stored.level or ""
    title = _title(context.roadmap, stored)
    if not title or facts.titles[title] != 1:
        return None
    candidates = [
        item
        for item in context.store.items_titled(level, title)
        if _free(context, item, record.connection)
        if (record.connection, item) not in facts.making  # one of ours may be on its way there
    ]
    return (candidates[0], "title") if len(candidates) == 1 else None


def _wake_orphans(context: Context) -> None:
    """Look again at the items whose parent was not known: it may be by now."""
    context.store.mark_dirty(
        [notice.subject for notice in context.store.notices() if notice.kind == "orphan"]
    )
