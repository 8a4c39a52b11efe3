"""The laws every implementation of `core.ports.Store` keeps.

Derive a test class from `StoreLaws` and give it a fixture `place`:

    class TestSqlStore(StoreLaws):
        @pytest.fixture
        def place(self, tmp_path):
            return MyPlace(tmp_path)
"""
# ruff: noqa: D102, PLR2004, PT012, S101 - a law's name says what it says; it asserts

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from syncd.core.errors import Locked, StateError
from syncd.core.model import Cell
from syncd.core.ports import Store
from syncd.testing.builders import conflict, entry, intent, item, notice, record
from syncd.testing.store_content_laws import (
    ItemLaws,
    Laws,
    MemoryLaws,
    Place,
    linked,
    observe,
)

EARLIER = "2025-06-14T00:00:00.000Z"
LATER = "2025-06-16T00:00:00.000Z"


class BrokenError(Exception):
    """Something went wrong in the caller."""


class TransactionLaws(Laws):
    """All or nothing."""

    def test_an_exception_undoes_all_of_a_transaction(self, store: Store) -> None:
        with pytest.raises(BrokenError), store.transaction():
            linked(store)
            store.mark_dirty(["i1"])
            raise BrokenError
        assert store.record("jira", "1") is None
        assert store.item_count() == 0
        assert store.dirty() == ()

    def test_an_inner_transaction_is_undone_alone(self, store: Store) -> None:
        with store.transaction():
            store.mark_dirty(["kept"])
            with pytest.raises(BrokenError), store.transaction():
                store.mark_dirty(["undone"])
                raise BrokenError
            store.mark_dirty(["after"])
        assert store.dirty() == ("after", "kept")

    def test_the_outer_transaction_undoes_the_inner_one(self, store: Store) -> None:
        with pytest.raises(BrokenError), store.transaction():
            with store.transaction():
                store.mark_dirty(["i1"])
            raise BrokenError
        assert store.dirty() == ()

    def test_a_link_needs_its_item_when_the_transaction_ends(self, store: Store) -> None:
        observe(store, record())
        with pytest.raises(StateError), store.transaction():
            store.mark_dirty(["i1"])
            store.link("jira", "1", "nobody", "origin")
        assert store.dirty() == ()
        with store.transaction():
            store.link("jira", "1", "i1", "origin")
            store.save_items([item()])
        assert store.linked_items("jira", ["1"]) == {"1": "i1"}

    def test_threads_may_share_a_store(self, store: Store) -> None:
        def work(worker: int) -> None:
            for number in range(20):
                with store.transaction():
                    name = f"{worker}-{number}"
                    observe(store, record(name))
                    store.mark_dirty([name])
                assert store.record("jira", name) is not None

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert store.count("jira", "main") == 80
        assert len(store.dirty()) == 80


class ObservationLaws(Laws):
    """What is seen, and when it is news."""

    def test_a_new_record_is_news_once(self, store: Store) -> None:
        seen = record(fields={"n": 3.0, "b": True, "l": ("a", "b"), "none": None, "s": "ß\n\t\0"})
        assert store.observe([(seen, "feature")], 0) == (seen,)
        assert store.observe([(seen, "feature")], 0) == ()
        stored = store.record("jira", "1")
        assert stored is not None
        assert (stored.record, stored.level, stored.item) == (seen, "feature", None)

    def test_a_difference_is_news(self, store: Store) -> None:
        observe(store, record(title="Old"))
        newer = record(title="New", updated=LATER)
        assert store.observe([(newer, "feature")], 0) == (newer,)
        assert observe(store, newer, level="goal") == 1
        assert observe(store, newer, level="goal") == 0
        same_time = record(title="Newer", updated=LATER)
        assert observe(store, same_time, level="goal") == 1

    def test_a_stale_answer_is_ignored(self, store: Store) -> None:
        observe(store, record(title="New", updated=LATER))
        assert observe(store, record(title="Old", updated=EARLIER), sweep=4) == 0
        stored = store.record("jira", "1")
        assert stored is not None
        assert stored.record.fields["title"] == "New"
        assert stored.seen == 4  # it was listed all the same

    def test_what_the_mapping_does_not_use_is_not_stored(self, store: Store) -> None:
        assert observe(store, record(), level=None) == 0
        assert store.record("jira", "1") is None

    def test_a_known_record_may_leave_the_mapping(self, store: Store) -> None:
        observe(store, record())
        assert observe(store, record(), level=None) == 1
        stored = store.record("jira", "1")
        assert stored is not None
        assert stored.level is None
        assert store.count("jira", "main") == 0
        assert store.unlinked() == ()

    def test_link_cells_and_evidence_survive_observation(self, store: Store) -> None:
        linked(store)
        store.save_cells("jira", "1", {"due": Cell(base="x")})
        store.mark_gone("jira", "1", 5.0)
        observe(store, record(title="New", updated=LATER))
        stored = store.record("jira", "1")
        assert stored is not None
        assert (stored.item, stored.linked_how, stored.gone_since) == ("i1", "origin", 5.0)
        assert stored.cells == {"due": Cell(base="x")}

    def test_what_a_read_does_not_tell_stays_known(self, store: Store) -> None:
        told = record(marker="i1", author="ann")
        observe(store, told)
        assert observe(store, record()) == 0
        stored = store.record("jira", "1")
        assert stored is not None
        assert stored.record == told
        newer = record(title="New", updated=LATER)
        assert store.observe([(newer, "feature")], 0) == (replace(newer, marker="i1"),)

    def test_an_author_told_later_is_news(self, store: Store) -> None:
        observe(store, record())
        assert observe(store, record(author="ann")) == 1
        assert observe(store, record(author="ann")) == 0

    def test_a_record_listed_twice_counts_once_in_its_last_form(self, store: Store) -> None:
        old, new = record(title="Old"), record(title="New", updated=LATER)
        assert store.observe([(old, "feature"), (new, "feature"), (old, "feature")], 1) == (new,)

    def test_the_same_id_in_two_connections_is_two_records(self, store: Store) -> None:
        observe(store, record(), record(connection="asana"))
        ids = [(each.record.connection, each.record.id) for each in store.unlinked()]
        assert ids == [("asana", "1"), ("jira", "1")]

    def test_large_pages_are_taken(self, store: Store) -> None:
        many = [record(f"{number:04}") for number in range(1201)]
        assert observe(store, *many, sweep=1) == 1201
        assert observe(store, *many, sweep=2) == 0
        assert store.unseen("jira", "main", 2) == ()
        assert len(store.linked_items("jira", [each.id for each in many])) == 0

    def test_a_full_read_marks_what_it_lists(self, store: Store) -> None:
        observe(store, record("1"), record("2"), record("3", scope="other"), sweep=1)
        observe(store, record("1"), sweep=2)
        observe(store, record("2"), record("4"))
        unseen = store.unseen("jira", "main", 2)
        assert [(each.record.id, each.seen) for each in unseen] == [("2", 1), ("4", 0)]

    def test_gone_and_trashed_records_are_not_live(self, store: Store) -> None:
        observe(store, record("1"), record("2", trashed=True), record("3"))
        store.mark_gone("jira", "3", 9.0)
        store.mark_gone("jira", "never seen", 9.0)
        assert store.count("jira", "main") == 1
        assert [each.record.id for each in store.unseen("jira", "main", 1)] == ["1"]
        assert [each.record.id for each in store.unlinked()] == ["1"]
        store.mark_gone("jira", "3", None)
        assert store.count("jira", "main") == 2

    def test_an_item_is_gone_when_its_last_record_is(self, store: Store) -> None:
        linked(store)
        store.save_items([item("bare")])
        observe(store, record("7", connection="asana"))
        store.link("asana", "7", "i1", "created")
        everyone = ["i1", "bare", "unknown"]
        store.mark_gone("jira", "1", 9.0)
        assert store.gone_items(everyone) == frozenset()
        store.mark_gone("asana", "7", 9.0)
        assert store.gone_items(everyone) == {"i1"}
        assert store.gone_items(["bare"]) == store.gone_items([]) == frozenset()
        store.mark_gone("jira", "1", None)
        assert store.gone_items(everyone) == frozenset()

    def test_links_are_found_from_both_ends(self, store: Store) -> None:
        linked(store)
        observe(store, record("7", connection="asana"), record("8"))
        store.link("asana", "7", "i1", "created")
        assert store.linked_items("jira", ["1", "8", "9"]) == {"1": "i1"}
        found = store.records_of(["i1", "i2"])
        assert {c: s.record.id for c, s in found["i1"].items()} == {"asana": "7", "jira": "1"}
        assert "i2" not in found
        assert [each.record.id for each in store.unlinked()] == ["8"]

    def test_waiting_records_are_read_in_portions(self, store: Store) -> None:
        observe(store, *(record(str(number)) for number in range(5)), level="goal")
        observe(store, record("9"), record("1", connection="asana"))
        first = store.unlinked("goal", "jira", limit=3)
        assert [each.record.id for each in first] == ["0", "1", "2"]
        rest = store.unlinked("goal", "jira", after="2", limit=3)
        assert [each.record.id for each in rest] == ["3", "4"]
        assert [each.record.connection for each in store.unlinked("feature")] == ["asana", "jira"]
        assert len(store.unlinked(connection="jira")) == 6

    def test_cells_are_replaced_one_by_one(self, store: Store) -> None:
        observe(store, record())
        refused = Cell(base=3.0, sent=("a", "b"), has_sent=True, refused="no such label")
        store.save_cells("jira", "1", {"due": Cell(base="x"), "labels": Cell(base=None)})
        store.save_cells("jira", "1", {"labels": refused})
        stored = store.record("jira", "1")
        assert stored is not None
        assert stored.cells == {"due": Cell(base="x"), "labels": refused}

    def test_only_observed_records_have_links_and_cells(self, store: Store) -> None:
        with pytest.raises(KeyError):
            store.link("jira", "1", "i1", "origin")
        with pytest.raises(KeyError):
            store.save_cells("jira", "1", {"due": Cell()})


class FileLaws:
    """One writer, many readers, and nothing acknowledged is forgotten."""

    def test_everything_is_there_after_opening_again(self, place: Place) -> None:
        store = place.open()
        linked(store)
        store.save_cells("jira", "1", {"due": Cell(base="x")})
        store.mark_dirty(["i1"])
        store.intend([intent()])
        store.save_conflicts([conflict()])
        store.replace_notices("i1", [notice()])
        store.append_history([entry()])
        before = _everything(store)
        store.close()
        store = place.open()
        assert _everything(store) == before
        store.close()
        store.close()

    def test_a_second_writer_is_refused(self, place: Place) -> None:
        store = place.open()
        with pytest.raises(Locked, match="is used by process"):
            place.open()
        store.mark_dirty(["i1"])  # the first one is not disturbed
        store.close()
        place.open().close()

    def test_a_reader_sees_what_is_committed_and_nothing_else(self, place: Place) -> None:
        store = place.open()
        reader = place.reader()
        with store.transaction():
            store.mark_dirty(["i1"])
            assert reader.dirty() == ()
        assert reader.dirty() == ("i1",)
        with reader.transaction():
            assert reader.dirty() == ("i1",)
            store.clear_dirty(["i1"])
            assert reader.dirty() == ("i1",)  # one moment throughout a transaction
        assert reader.dirty() == ()
        reader.close()
        store.close()

    def test_a_reader_cannot_write(self, place: Place) -> None:
        place.open().close()
        reader = place.reader()
        with pytest.raises(StateError, match="reading"):
            reader.mark_dirty(["i1"])
        reader.close()


class StoreLaws(TransactionLaws, ObservationLaws, ItemLaws, MemoryLaws, FileLaws):
    """All laws."""


def _everything(store: Store) -> tuple[object, ...]:
    return (
        store.record("jira", "1"),
        store.items(["i1"]),
        store.dirty(),
        store.open_intents(),
        store.conflicts(),
        store.notices(),
        store.history(),
    )
