"""Any sequence of calls: the SQLite store answers as a few dictionaries would."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from state import store
from syncd.core.identity import title_key
from syncd.core.model import Cell, IntentState, Item, StoredRecord
from syncd.core.records import Record
from syncd.testing.builders import conflict, entry, intent, item, notice, record

CONNECTIONS = st.sampled_from(["jira", "asana"])
RECORD_IDS = st.sampled_from(["1", "2", "3"])
ITEM_IDS = st.sampled_from(["i1", "i2", "i3", "i4"])
FIELDS = st.sampled_from(["due", "status"])
LEVELS = st.sampled_from(["goal", "feature", None])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=4),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(min_size=1, max_size=2), min_size=1, max_size=2).map(tuple),
)
RECORDS = st.builds(
    lambda connection, record_id, scope, updated, trashed, value, marker, author: record(
        record_id,
        connection=connection,
        scope=scope,
        updated=f"2025-06-0{updated}",
        trashed=trashed,
        fields={"due": value},
        marker=marker,
        author=author,
    ),
    CONNECTIONS,
    RECORD_IDS,
    st.sampled_from(["main", "other"]),
    st.integers(1, 3),
    st.booleans(),
    VALUES,
    st.sampled_from([None, "i1"]),
    st.sampled_from([None, "ann"]),
)
ITEMS = st.builds(
    lambda item_id, title, level, parent, value: item(
        item_id, title, level=level, parent=parent, due=value
    ),
    ITEM_IDS,
    st.sampled_from([None, "A b", "a  B", "c"]),
    st.sampled_from(["goal", "feature", "custom"]),
    st.none() | ITEM_IDS,
    VALUES,
)
RANKS = ["goal", "feature", "custom"]


@dataclass
class Model:
    """What a store remembers, as simply as it can be said."""

    records: dict[tuple[str, str], StoredRecord] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=set)
    intents: dict[str, object] = field(default_factory=dict)
    conflicts: dict[str, object] = field(default_factory=dict)
    notices: dict[str, list[object]] = field(default_factory=dict)
    history: list[object] = field(default_factory=list)
    cycle: int = 0

    def observe(self, seen: Record, level: str | None, sweep: int) -> bool:
        known = self.records.get((seen.connection, seen.id))
        if known is None:
            if level is None:
                return False
            self.records[seen.connection, seen.id] = StoredRecord(seen, level, seen=sweep)
            return True
        before = known
        if seen.updated >= known.record.updated:
            author = seen.author
            if author is None and seen.updated == known.record.updated:
                author = known.record.author
            told = replace(seen, marker=seen.marker or known.record.marker, author=author)
            known = replace(known, record=told, level=level)
        self.records[seen.connection, seen.id] = replace(known, seen=sweep or known.seen)
        return known != before

    def live(self, connection: str, scope: str) -> list[StoredRecord]:
        return [
            each
            for _, each in sorted(self.records.items())
            if (each.record.connection, each.record.scope) == (connection, scope)
            and each.gone_since is None
            and not each.record.trashed
        ]


class StoreMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = store.open(self.folder / "state.db")
        self.store._handle.driver.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug here
        self.model = Model()
        self.number = 0

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize(items=st.lists(ITEMS, max_size=3))
    def begin(self, items):
        self.save_items(items)

    @rule(
        page=st.lists(st.tuples(RECORDS, LEVELS), min_size=1, max_size=4), sweep=st.integers(0, 3)
    )
    def observe(self, page, sweep):
        news = {}
        for seen, level in page:
            if self.model.observe(seen, level, sweep):
                news[seen.connection, seen.id] = self.model.records[seen.connection, seen.id].record
        got = self.store.observe(page, sweep)
        assert {(each.connection, each.id): each for each in got} == news
        assert len(got) == len(news)

    @rule(items=st.lists(ITEMS, max_size=3))
    def save_items(self, items):
        self.store.save_items(items)
        self.model.items.update({each.id: each for each in items})

    @precondition(lambda self: self.model.records and self.model.items)
    @rule(data=st.data())
    def link(self, data):
        key = data.draw(st.sampled_from(sorted(self.model.records)))
        target = data.draw(st.sampled_from(sorted(self.model.items)))
        self.store.link(*key, target, "title")
        self.model.records[key] = replace(self.model.records[key], item=target, linked_how="title")

    @precondition(lambda self: self.model.records)
    @rule(data=st.data(), cells=st.dictionaries(FIELDS, st.builds(Cell, VALUES, VALUES)))
    def save_cells(self, data, cells):
        key = data.draw(st.sampled_from(sorted(self.model.records)))
        self.store.save_cells(*key, cells)
        known = self.model.records[key]
        self.model.records[key] = replace(known, cells={**known.cells, **cells})

    @rule(connection=CONNECTIONS, record_id=RECORD_IDS, since=st.none() | st.just(7.0))
    def mark_gone(self, connection, record_id, since):
        self.store.mark_gone(connection, record_id, since)
        known = self.model.records.get((connection, record_id))
        if known:
            self.model.records[connection, record_id] = replace(known, gone_since=since)

    @rule(ids=st.sets(ITEM_IDS), everything=st.booleans())
    def mark_dirty(self, ids, everything):
        self.store.mark_dirty(ids)
        self.model.dirty |= ids
        if everything:
            self.store.mark_all_dirty()
            self.model.dirty |= set(self.model.items)

    @rule(ids=st.sets(ITEM_IDS))
    def clear_dirty(self, ids):
        self.store.clear_dirty(ids)
        self.model.dirty -= ids

    @rule(count=st.integers(1, 2))
    def intend(self, count):
        planned = [intent(f"w{self.number + n}") for n in range(count)]
        self.number += count
        self.store.intend(planned)
        self.model.intents.update({each.id: each for each in planned})

    @precondition(lambda self: self.model.intents)
    @rule(data=st.data(), state=st.sampled_from([None, *list(IntentState)[2:]]))
    def move_intent(self, data, state):
        name = data.draw(st.sampled_from(sorted(self.model.intents)))
        known = self.model.intents[name]
        if state is None:
            self.store.sent(name, 5.0)
            self.model.intents[name] = replace(known, state=IntentState.SENT, sent_at=5.0)
        else:
            self.store.settle(name, state, 6.0, "so")
            self.model.intents[name] = replace(known, state=state, settled_at=6.0, outcome="so")

    @rule()
    def drop_planned(self):
        self.store.drop_planned()
        self.model.intents = {
            name: each
            for name, each in self.model.intents.items()
            if each.state != IntentState.PLANNED
        }

    @rule(name=st.sampled_from("abc"), of=ITEM_IDS, at=st.integers(1, 3), done=st.booleans())
    def save_conflict(self, name, of, at, done):
        one = conflict(name, item=of, opened_at=float(at), resolved_at=9.0 if done else None)
        self.store.save_conflicts([one])
        self.model.conflicts[name] = one

    @rule(
        subject=ITEM_IDS, kinds=st.sets(st.sampled_from(["orphan", "gone"])), at=st.integers(0, 9)
    )
    def replace_notices(self, subject, kinds, at):
        fresh = [notice(subject, kind, since=float(at)) for kind in sorted(kinds)]
        self.store.replace_notices(subject, fresh)
        since = {each.kind: each.since for each in self.model.notices.get(subject, [])}
        self.model.notices[subject] = [
            replace(each, since=since.get(each.kind, each.since)) for each in fresh
        ]

    @rule(of=ITEM_IDS, of_field=FIELDS, at=st.integers(0, 9), after=VALUES)
    def append_history(self, of, of_field, at, after):
        line = entry(of, of_field, at=float(at), after=after)
        self.store.append_history([line])
        self.model.history.append(line)

    @rule()
    def next_cycle(self):
        self.model.cycle += 1
        assert self.store.next_cycle() == self.model.cycle

    @rule(ids=st.sets(ITEM_IDS, min_size=1), items=st.lists(ITEMS, min_size=1, max_size=2))
    def give_up_half_way(self, ids, items):
        try:
            with self.store.transaction():
                self.store.mark_dirty(ids)
                self.store.save_items(items)
                self.store.append_history([entry()])
                self.store.next_cycle()
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    @rule()
    def open_again(self):
        self.store.close()
        self.store = store.open(self.folder / "state.db")
        self.store._handle.driver.execute("PRAGMA synchronous = OFF")

    @invariant()
    def records_agree(self):
        known = self.model.records
        for key in (("jira", "1"), ("jira", "2"), ("asana", "3")):
            assert self.store.record(*key) == known.get(key)
        waiting = [
            each
            for _, each in sorted(known.items())
            if each.item is None and each.level and not each.gone_since and not each.record.trashed
        ]
        assert list(self.store.unlinked()) == waiting
        live = self.model.live("jira", "main")
        assert self.store.count("jira", "main") == sum(each.level is not None for each in live)
        assert list(self.store.unseen("jira", "main", 2)) == [e for e in live if e.seen < 2]
        assert self.store.linked_items("jira", ["1", "2", "3"]) == {
            key[1]: each.item for key, each in known.items() if key[0] == "jira" and each.item
        }

    @invariant()
    def links_agree(self):
        found = self.store.records_of(["i1", "i2", "i3", "i4"])
        for of in ("i1", "i2", "i3", "i4"):
            linked = [each for each in self.model.records.values() if each.item == of]
            assert set(found.get(of, {})) == {each.record.connection for each in linked}
            for connection, chosen in found.get(of, {}).items():
                rivals = [each for each in linked if each.record.connection == connection]
                best = max(
                    rivals,
                    key=lambda e: (e.gone_since is None and not e.record.trashed, e.record.id),
                )
                assert chosen == best

    @invariant()
    def items_agree(self):
        items = self.model.items
        assert self.store.items(["i1", "i2", "i3", "i4"]) == items
        assert self.store.item_count() == len(items)

        def place(each):
            title = each.fields.get("title")
            return RANKS.index(each.level), title_key(title) if title else "", each.id

        roots = [each for each in items.values() if each.parent is None]
        assert list(self.store.roots()) == sorted(roots, key=place)
        goals = [each for each in items.values() if each.level == "goal"]
        assert list(self.store.items_at(["goal"])) == sorted(goals, key=place)
        children = sorted(each.id for each in items.values() if each.parent == "i1")
        assert [each.id for each in self.store.children("i1")] == children
        titled = [
            e.id for e in items.values() if e.level == "goal" and e.fields.get("title") == "c"
        ]
        assert list(self.store.items_titled("goal", "c")) == sorted(titled)
        assert list(self.store.dirty()) == sorted(self.model.dirty)

    @invariant()
    def memory_agrees(self):
        model = self.model
        open_states = {IntentState.PLANNED, IntentState.SENT, IntentState.UNKNOWN}
        waiting = [each for each in model.intents.values() if each.state in open_states]
        assert list(self.store.open_intents()) == waiting
        conflicts = sorted(model.conflicts.values(), key=lambda each: (each.opened_at, each.id))
        assert list(self.store.conflicts(open_only=False)) == conflicts
        assert list(self.store.conflicts(items=["i1", "i2"])) == [
            each for each in conflicts if each.resolved_at is None and each.item in ("i1", "i2")
        ]
        notices = [each for of in model.notices.values() for each in of]
        got = self.store.notices()
        assert sorted(got, key=repr) == sorted(notices, key=repr)
        assert [each.since for each in got] == sorted(each.since for each in notices)
        newest_first = model.history[::-1]
        assert list(self.store.history()) == newest_first
        assert (
            list(self.store.history("i1", "due", since=3.0, limit=2))
            == [e for e in newest_first if (e.item, e.field) == ("i1", "due") and e.at >= 3.0][:2]
        )
        assert list(self.store.history(since=5.0)) == [e for e in newest_first if e.at >= 5.0]
        assert self.store.verify_history() == len(model.history)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
