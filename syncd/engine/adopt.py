"""Adoption: tools that hold the same work already meet for the first time, and a person looks first.

A record that nobody recognises, in a tool that others of its level live in too, becomes no item and has
nothing created beside it until its level and connection have been reviewed. The document "adoption" says
for each "LEVEL CONNECTION" how far that is: open, or done for good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncd.core.adoption import Pair, Review, Thing, review
from syncd.core.errors import UserError
from syncd.core.identity import item_id
from syncd.core.model import HistoryEntry, Item, Notice, StoredRecord
from syncd.core.people import Directory
from syncd.core.ports import Store
from syncd.core.records import FieldKind, Record
from syncd.core.rules import CellRule, Roadmap, UnmappedError
from syncd.engine.fetch import UNMATCHED

ADOPTION = "adoption"
REJECTED = "adoption:rejected"
OVER = 0
SPOKEN = (FieldKind.TITLE, FieldKind.TEXT, FieldKind.RICH_TEXT, FieldKind.URL)

Place = tuple[str, str]
"""Where a review is: (level, connection)."""


@dataclass(frozen=True, slots=True)
class Word:
    """Who has decided, and when (epoch seconds)."""

    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Meeting:
    """One level in one connection that waits for a review, with everything to decide about it."""

    level: str
    connection: str
    review: Review
    strangers: Mapping[str, StoredRecord]
    items: Mapping[str, Item]
    titles: Mapping[str, str]  # of the strangers
    keys: Mapping[str, str]  # item -> key of a record of it, to show


def states(roadmap: Roadmap, store: Store) -> dict[Place, int]:
    """Return how many records wait for a review, by level and connection; OVER where none ever will.

    Where a scope has had its first fill before anybody kept this account, first contact is over.
    """
    known = store.document(ADOPTION)
    if isinstance(known, dict):
        return {_place(name): int(count) for name, count in known.items()}
    return {
        (level, side.connection): OVER
        for level, sides in roadmap.sides.items()
        for side in sides
        if _filled(roadmap, store, side.connection)
    }


def _filled(roadmap: Roadmap, store: Store, connection: str) -> bool:
    scopes = [scope for scope in roadmap.scopes if scope.connection == connection]
    return all(store.cursor(connection, scope.id).filled for scope in scopes)


def _place(name: str) -> Place:
    level, _, connection = name.partition(" ")
    return level, connection


def _save(store: Store, now: Mapping[Place, int]) -> None:
    plain = {f"{level} {connection}": count for (level, connection), count in now.items()}
    store.save_document(ADOPTION, plain)


def strangers_wait(roadmap: Roadmap, store: Store, place: Place, now: Mapping[Place, int]) -> bool:
    """Tell whether unknown records of a level must wait: items are missing there that they could be."""
    level, connection = place
    if not roadmap.limits.review or now.get(place) == OVER:
        return False
    if all(side.connection == connection for side in roadmap.sides[level]):
        return False
    return bool(free_items(store, level, connection))


def free_items(store: Store, level: str, connection: str) -> list[Item]:
    """Return the items of a level that have no record in a connection."""
    items = store.items_at([level])
    records = store.records_of([item.id for item in items])
    return [item for item in items if connection not in records.get(item.id, {})]


def conclude(
    store: Store, now: Mapping[Place, int], met: Mapping[Place, int], read: Collection[str]
) -> None:
    """Note, after records were matched, where a person has to look and where first contact is over.

    `met` gives for each level and connection how many records were left for a review; of a level that
    is not yet `read` in full in all its tools nothing is over.
    """
    after = dict(now)
    for place, waiting in met.items():
        if now.get(place) != OVER and (waiting or place[0] in read):
            after[place] = waiting
            _tell(store, place, waiting)
    if after != now:
        _save(store, after)


def sentence(level: str, connection: str, waiting: int) -> str:
    """Return what to tell people about an open review."""
    what = (
        f"1 {level} of {connection} is"
        if waiting == 1
        else f"{waiting} {level}s of {connection} are"
    )
    return (
        f"{what} not known to the other tools, but may be the same as items that are missing there: "
        f"nothing is created there for a {level} until somebody has looked; run `syncd adopt`"
    )  # fmt: skip


def _tell(store: Store, place: Place, waiting: int) -> None:
    subject = f"adopt:{place[0]}:{place[1]}"
    notices = [Notice("adopt", subject, "", sentence(*place, waiting))] if waiting else []
    store.replace_notices(subject, notices)


def open_reviews(roadmap: Roadmap, store: Store) -> dict[Place, str]:
    """Return where nothing is created until a person has looked, each with what to tell people."""
    if not roadmap.limits.review:
        return {}
    return {
        place: sentence(*place, waiting)
        for place, waiting in states(roadmap, store).items()
        if waiting and place[0] in roadmap.sides
    }


# the review -------------------------------------------------------------------------------------------


def meetings(roadmap: Roadmap, directory: Directory, store: Store) -> tuple[Meeting, ...]:
    """Return every open review with its candidates."""
    known = store.document(REJECTED)
    rejected = {(str(p[0]), str(p[1])) for p in known} if isinstance(known, list) else set()
    return tuple(
        _meeting(roadmap, directory, store, place, rejected)
        for place in open_reviews(roadmap, store)
    )


def _meeting(
    roadmap: Roadmap,
    directory: Directory,
    store: Store,
    place: Place,
    rejected: set[tuple[str, str]],
) -> Meeting:
    level, connection = place
    strangers = {stored.record.id: stored for stored in store.unlinked(level, connection)}
    items = {item.id: item for item in free_items(store, level, connection)}
    records = store.records_of(items)
    look = _Look(roadmap, directory, store, level)
    unknown = [look.stranger(stored.record) for stored in strangers.values()]
    known = [look.item(item, records.get(item.id, {})) for item in items.values()]
    return Meeting(
        level,
        connection,
        review(unknown, known, rejected),
        strangers,
        items,
        {thing.id: thing.title for thing in unknown},
        {
            item: held[items[item].origin].record.key
            for item, held in records.items()
            if items[item].origin in held
        },
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """Turns records and items into what they can be recognised by."""

    roadmap: Roadmap
    directory: Directory
    store: Store
    level: str

    def stranger(self, record: Record) -> Thing:
        rules = self.roadmap.cells_of(self.level, record.connection)
        title = rules.get("title")
        parent = self._parent(record, rules)
        return Thing(
            record.id,
            str(record.fields.get(title.remote) or "") if title is not None else "",
            _names(record),
            _texts(record, rules),
            frozenset([record.marker] if record.marker else []),
            frozenset([item_id(record.connection, record.id)]),
            parent,
            self._dates(record, rules),
        )

    def item(self, item: Item, records: Mapping[str, StoredRecord]) -> Thing:
        held = [stored.record for stored in records.values()]
        texts = [
            t for r in held for t in _texts(r, self.roadmap.cells_of(self.level, r.connection))
        ]
        return Thing(
            item.id,
            item.title,
            frozenset(each for record in held for each in _names(record)),
            tuple(texts),
            frozenset(record.marker for record in held if record.marker),
            frozenset([item.id]),
            item.parent,
            {
                name: value
                for name, value in item.fields.items()
                if isinstance(value, str) and self._is_date(name)
            },
        )

    def _is_date(self, name: str) -> bool:
        rule = self.roadmap.fields.get(name)
        return rule is not None and rule.type.value == "date"

    def _dates(self, record: Record, rules: Mapping[str, CellRule]) -> dict[str, str]:
        found = {}
        for name, rule in rules.items():
            if rule.kind is FieldKind.DATE:
                try:
                    value = rule.decode(record.fields.get(rule.remote), self.directory)
                except UnmappedError:
                    continue
                if isinstance(value, str):
                    found[name] = value
        return found

    def _parent(self, record: Record, rules: Mapping[str, CellRule]) -> str | None:
        rule = rules.get("parent")
        raw = record.fields.get(rule.remote) if rule is not None else None
        if not isinstance(raw, str):
            return None
        return self.store.linked_items(record.connection, [raw]).get(raw)


def _names(record: Record) -> frozenset[str]:
    return frozenset(filter(None, (record.id, record.key, record.url)))


def _texts(record: Record, rules: Mapping[str, CellRule]) -> tuple[str, ...]:
    spoken = (record.fields.get(rule.remote) for rule in rules.values() if rule.kind in SPOKEN)
    return tuple(value for value in spoken if isinstance(value, str))


# decisions --------------------------------------------------------------------------------------------


def decide(
    store: Store,
    found: Sequence[Meeting],
    accept: Iterable[Pair],
    reject: Iterable[Pair],
    word: Word,
) -> None:
    """Carry out a person's decisions.

    The values of linked records meet in the next cycle, by the mapping's rules. Raises UserError when
    one of a pair has been linked otherwise.
    """
    with store.transaction():
        for meeting in found:
            mine = set(meeting.review.pairs)
            for pair in accept:
                if pair in mine:
                    _link(store, meeting, pair, word)
        refused = [[pair.stranger, pair.item] for pair in reject]
        known = store.document(REJECTED)
        if refused:
            store.save_document(REJECTED, [*(known if isinstance(known, list) else []), *refused])
        store.save_document(UNMATCHED, value=True)


def _link(store: Store, meeting: Meeting, pair: Pair, word: Word) -> None:
    connection = meeting.connection
    stored = store.record(connection, pair.stranger)
    taken = connection in store.records_of([pair.item]).get(pair.item, {})
    if stored is None or stored.item is not None or taken:
        raise UserError(
            f"{pair.id} can no longer be accepted: one of the two has been linked; run `syncd adopt`"
        )
    store.link(connection, pair.stranger, pair.item, "adopted")
    store.mark_dirty([pair.item])
    last = store.cycles(1)
    entry = HistoryEntry(
        last[0].number if last else 0, word.at, pair.item, "", "linked", connection, author=word.by,
        detail=f"{stored.record.key} adopted: {', '.join(pair.reasons)}",
    )  # fmt: skip
    store.append_history([entry])


def finish(roadmap: Roadmap, store: Store, found: Iterable[Meeting]) -> None:
    """End reviews: what is left unknown becomes new items, and what is missing is created."""
    now = states(roadmap, store)
    with store.transaction():
        for meeting in found:
            place = (meeting.level, meeting.connection)
            now[place] = OVER
            _tell(store, place, OVER)
            store.mark_dirty(meeting.items)
        _save(store, now)
        store.save_document(UNMATCHED, value=True)
