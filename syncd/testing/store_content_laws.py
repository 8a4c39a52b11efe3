"""The laws of a store about items and all that is remembered beside records; see `store_laws`."""
# ruff: noqa: D102, PLR2004, S101 - a law's name says what it says; it asserts

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import pytest

from syncd.core.errors import StateError
from syncd.core.identity import title_key
from syncd.core.model import CursorState, IntentState, Item
from syncd.core.ports import Store
from syncd.core.records import Account, Record
from syncd.testing.builders import conflict, entry, intent, item, notice, record, report, schema


class Place(Protocol):
    """Where one state is kept."""

    def open(self) -> Store:
        """Open it for writing."""
        ...

    def reader(self) -> Store:
        """Open it for reading."""
        ...


def observe(store: Store, *records: Record, level: str | None = "feature", sweep: int = 0) -> int:
    """Observe records of one level; returns how many were news."""
    return len(store.observe([(each, level) for each in records], sweep))


def linked(store: Store, record_id: str = "1", item_id: str = "i1") -> None:
    """Observe a record, save an item and link the two."""
    with store.transaction():
        observe(store, record(record_id))
        store.save_items([item(item_id)])
        store.link("jira", record_id, item_id, "origin")


class Laws:
    """What all groups of laws share."""

    @pytest.fixture
    def store(self, place: Place) -> Iterator[Store]:
        """Give an empty store."""
        store = place.open()
        yield store
        store.close()


class ItemLaws(Laws):
    """The tree and the work set."""

    def test_items_are_kept_as_given(self, store: Store) -> None:
        whole = replace(
            item(due="2025-07-01", labels=("a", "b"), estimate=3.0, done=False, owner=None),
            aggregate={"leaves": 3, "points": [1.5, None], "by": {"done": 1}},
        )
        store.save_items([item(title="Before"), item("i2")])
        store.save_items([whole])
        assert store.items(["i1", "i2", "i3"]) == {"i1": whole, "i2": item("i2")}
        assert store.item_count() == 2

    def test_the_tree_is_read_level_by_level(self, store: Store) -> None:
        store.save_items(
            [
                item("w", "Work", level="work_item"),
                item("b", "beta", level="goal"),
                item("a", "Alpha", level="goal"),
                item("v", "Zeta", level="vision"),
                item("c2", parent="a"),
                item("c1", parent="a"),
            ]
        )
        assert ids(store.roots()) == ["v", "a", "b", "w"]
        assert ids(store.items_at(["goal", "vision"])) == ["v", "a", "b"]
        assert ids(store.children("a")) == ["c1", "c2"]
        assert store.item_ids("", 2) == ("a", "b")
        assert store.item_ids("b", 9) == ("c1", "c2", "v", "w")
        store.save_items([item("c1"), item("b", "beta", level="goal", parent="v")])
        assert ids(store.children("a")) == ["c2"]
        assert ids(store.roots()) == ["v", "a", "c1", "w"]

    def test_titles_match_as_people_read_them(self, store: Store) -> None:
        store.save_items(
            [item("i1", "Größe  ändern"), item("i2", "x", level="goal"), item("i3", None)]
        )
        assert store.items_titled("feature", title_key("GRÖSSE a\u0308ndern ")) == ("i1",)
        assert store.items_titled("goal", title_key("Größe ändern")) == ()
        assert store.items_titled("feature", "") == ()
        store.save_items([item("i1", "Renamed")])
        assert store.items_titled("feature", title_key("Größe ändern")) == ()

    @pytest.mark.parametrize(
        "name",
        ["i1", "key-1", "https://jira.example/1", "https://jira.example/1?focus=2", "pay by card"],
    )
    def test_items_are_found_by_every_name_people_use(self, store: Store, name: str) -> None:
        linked(store)
        store.save_items([item("i1", "Pay by card"), item("i2", "Pay by card later")])
        assert ids(store.find_items(name)) == ["i1"]

    def test_items_are_found_by_a_part_of_their_title(self, store: Store) -> None:
        store.save_items([item("i1", "100% Sure_ly"), item("i2", "Sure thing"), item("i3", None)])
        assert ids(store.find_items("SURE")) == ["i1", "i2"]
        assert ids(store.find_items("0% sure_")) == ["i1"]
        assert len(store.find_items("sure", limit=1)) == 1
        assert store.find_items("nothing") == ()
        assert store.find_items("  ") == ()

    def test_the_work_set_is_a_set(self, store: Store) -> None:
        store.mark_dirty(["b", "a", "b"])
        store.mark_dirty(["a", "c"])
        assert store.dirty() == ("a", "b", "c")
        store.clear_dirty(["a", "never there"])
        store.clear_dirty([])
        assert store.dirty() == ("b", "c")
        store.save_items([item("i1"), item("i2")])
        store.mark_all_dirty()
        assert store.dirty() == ("b", "c", "i1", "i2")


class MemoryLaws(Laws):
    """Journal, conflicts, notices, history, cycles, cursors and documents."""

    def test_intents_go_their_way(self, store: Store) -> None:
        first = intent("z", fields={"due": None, "labels": ("a",), "n": 2.0})
        created = intent("a", record=None, state=IntentState.PLANNED)
        store.intend([first, created])
        store.intend([])
        assert store.open_intents() == (first, created)
        store.sent("z", 5.0)
        store.settle("z", IntentState.UNKNOWN, 6.0, "timed out")
        store.drop_planned()
        unknown = replace(
            first, state=IntentState.UNKNOWN, sent_at=5.0, settled_at=6.0, outcome="timed out"
        )
        assert store.open_intents() == (unknown,)
        store.settle("z", IntentState.CONFIRMED, 7.0)
        assert store.open_intents() == ()

    def test_an_intent_id_is_used_once(self, store: Store) -> None:
        store.intend([intent("w1")])
        with pytest.raises(StateError):
            store.intend([intent("w2"), intent("w1")])
        assert [each.id for each in store.open_intents()] == ["w1"]
        with pytest.raises(KeyError):
            store.sent("w2", 1.0)
        with pytest.raises(KeyError):
            store.settle("w2", IntentState.CONFIRMED, 1.0)

    def test_conflicts_are_listed_oldest_first(self, store: Store) -> None:
        old, new = conflict("b", opened_at=1.0), conflict("a", item="i2", opened_at=2.0)
        store.save_conflicts([new, old])
        assert store.conflicts() == (old, new)
        assert store.conflicts(items=["i2", "i3"]) == (new,)
        assert store.conflicts(items=[]) == ()
        settled = replace(old, resolved_at=3.0, resolution="2025-07-02", resolved_by="ann")
        store.save_conflicts([settled])
        assert store.conflicts() == (new,)
        assert store.conflicts(open_only=False) == (settled, new)
        assert store.conflicts(open_only=False, items=["i1"]) == (settled,)

    def test_a_notice_that_stays_keeps_its_date(self, store: Store) -> None:
        store.replace_notices("i1", [notice(since=1.0), notice(kind="orphan", since=2.0)])
        store.replace_notices("i2", [notice("i2", since=0.5)])
        again = notice(sentence="the status still has no counterpart", since=9.0)
        store.replace_notices("i1", [again, notice(field="priority", since=9.0)])
        kept = replace(again, since=1.0)
        assert store.notices() == (
            notice("i2", since=0.5),
            kept,
            notice(field="priority", since=9.0),
        )
        assert store.notice_count() == 3
        store.replace_notices("i1", [])
        assert store.notices() == (notice("i2", since=0.5),)
        with pytest.raises(ValueError, match="i2"):
            store.replace_notices("i1", [notice("i2")])

    def test_history_is_read_newest_first(self, store: Store) -> None:
        store.append_history([entry("i1", "due", at=1.0), entry("i2", "due", at=2.0)])
        store.append_history([])
        store.append_history([entry("i1", "title", at=3.0, after=("a", "b"), before=2.5)])
        assert [each.at for each in store.history()] == [3.0, 2.0, 1.0]
        assert [each.at for each in store.history("i1")] == [3.0, 1.0]
        assert [each.at for each in store.history("i1", "due")] == [1.0]
        assert [each.at for each in store.history(since=2.0)] == [3.0, 2.0]
        assert store.history(limit=1) == (
            entry("i1", "title", at=3.0, after=("a", "b"), before=2.5),
        )

    def test_cycle_numbers_are_never_used_twice(self, place: Place) -> None:
        store = place.open()
        assert [store.next_cycle(), store.next_cycle()] == [1, 2]
        store.close()
        store = place.open()
        assert store.next_cycle() == 3
        for number in (1, 2, 3):
            store.save_cycle(report(number))
        assert store.cycles() == (report(3), report(2), report(1))
        assert store.cycles(limit=1) == (report(3),)
        store.close()

    def test_cursors_are_kept_by_scope(self, store: Store) -> None:
        there = CursorState("c", 1.0, 2.0, 3, 4, filled=True, frozen="shrunk")
        store.save_cursor("jira", "main", CursorState("old"))
        store.save_cursor("jira", "main", there)
        assert store.cursor("jira", "main") == there
        assert store.cursor("jira", "other") == CursorState()

    def test_documents_come_back_as_json(self, store: Store) -> None:
        pin = {
            "value": ["a", "ß"],
            "expect": 2.5,
            "against": None,
            "undo": 1,
            "what": "",
            "by": "ann",
        }
        store.save_document("pins", [["i1", "labels", "jira", pin]])
        assert store.document("pins") == [["i1", "labels", "jira", pin]]
        store.save_document("pins", [])
        assert store.document("pins") == []
        assert store.document("today") is None

    def test_e_mail_addresses_are_not_kept(self, store: Store) -> None:
        people = [Account("1", "Ann", "ann@acme.example")]
        store.save_document("schemas", {"jira": schema(people=people)})
        assert "ann@acme" not in str(store.document("schemas"))
        assert "Ann" in str(store.document("schemas"))


def ids(items: tuple[Item, ...]) -> list[str]:
    """Return the ids of items, in their order."""
    return [each.id for each in items]
