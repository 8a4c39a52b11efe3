"""Reading: what a list may be believed, what deletion and restoring mean, and who waits for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.errors import Unavailable
from syncd.engine.fetch import observe
from syncd.engine.sights import Work, voices
from syncd.testing.memory_store import MemoryDisk
from syncd.testing.world import DAY, World, native, small_roadmap


@pytest.fixture
def world():
    return World()


def feature(world, title, **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def fill(world, count=20):
    made = [feature(world, f"Feature {n}") for n in range(count)]
    world.cycle()
    assert world.differences() == []
    return made


def frozen(world):
    return [notice.sentence for notice in world.store.notices() if notice.kind == "frozen"]


def test_at_rest_a_cycle_costs_one_list_call_for_each_scope_and_nothing_else(world):
    fill(world)
    for tool in world.tools.values():
        tool.faults.calls.clear()
    report = world.cycle()
    assert report.writes == 0
    scopes = [scope.connection for scope in world.roadmap.scopes]
    for name, tool in world.tools.items():
        assert dict(tool.faults.calls) == {"list": scopes.count(name)}


def test_an_expired_cursor_is_answered_by_reading_everything(world):
    made = fill(world)
    world.jira.edit(made[3], title="Renamed")
    world.jira.expire_cursors()
    world.cycle()
    assert set(world.shows("Renamed", "title").values()) == {"Renamed"}


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_list_suddenly_empty_or_half_gone_freezes_its_scope_and_writes_nothing_there(
    world, share
):
    made = fill(world)
    left = set(made[: int(len(made) * share)])
    world.jira.lists = lambda record: record.id in left
    feature_of_notion = world.record("Feature 19", "notion").id
    world.notion.edit(feature_of_notion, due="2026-09-09")
    written = world.jira.writes
    report = world.cycle(full=True)
    assert world.jira.writes == written
    assert len(report.frozen) == 1
    assert f"listed {len(left)} records where 20 are known" in report.frozen[0]
    assert "check the access" in report.frozen[0]
    assert frozen(world) == list(report.frozen)
    assert world.shows("Feature 19", "due") == {
        "jira": None, "asana": "2026-09-09", "notion": "2026-09-09",
    }, "the healthy tools are served"  # fmt: skip


def test_a_frozen_scope_thaws_by_itself_when_its_list_is_whole_again(world):
    fill(world)
    world.jira.lists = lambda record: False
    world.notion.edit(world.record("Feature 3", "notion").id, due="2026-09-09")
    world.cycle(full=True)
    assert frozen(world)
    assert world.cycle().frozen, "an ordinary cycle does not forget it"
    world.jira.lists = lambda record: True
    report = world.cycle()
    assert report.frozen == ()
    assert frozen(world) == []
    assert world.differences() == []


def test_a_few_records_missing_from_a_list_are_asked_for_and_reported_and_not_deleted(world):
    made = fill(world)
    hidden = made[0]
    world.jira.lists = lambda record: record.id != hidden
    world.clock.advance(DAY)
    written = world.writes
    world.cycle()
    assert world.writes == written
    notices = [n for n in world.store.notices() if n.kind == "invisible"]
    assert [n.subject for n in notices] == [f"jira:{hidden}"]
    world.jira.lists = lambda record: True
    world.clock.advance(DAY)
    world.cycle()
    world.jira.edit(hidden, title="Seen again")
    world.cycle()
    assert set(world.shows("Seen again", "title").values()) == {"Seen again"}


@pytest.mark.parametrize("how", ["trash", "delete"])
def test_a_deleted_record_deletes_nothing_elsewhere_and_its_item_rests(world, how):
    made = fill(world)
    row = world.record("Feature 2", "notion").id
    getattr(world.jira, how)(made[2])
    world.notion.edit(row, due="2026-09-09")
    written = world.writes
    for _ in range(3):
        world.cycle()
    assert world.writes == written
    assert len(world.notion.records) == 20
    gone = [n for n in world.store.notices() if n.kind == "gone"]
    assert [n.subject for n in gone] == [f"jira:{made[2]}"]
    assert "put it back there, or delete it in the others too" in gone[0].sentence


def test_a_restored_record_takes_part_again(world):
    made = fill(world)
    world.jira.trash(made[2])
    world.cycle()
    world.jira.trash(made[2], trashed=False)
    world.jira.edit(made[2], title="Back")
    world.cycle()
    assert set(world.shows("Back", "title").values()) == {"Back"}
    assert [n for n in world.store.notices() if n.kind == "gone"] == []
    assert world.cycle().writes == 0


def test_a_record_born_in_the_trash_becomes_an_item_when_it_is_restored(world):
    fill(world)
    made = feature(world, "Doomed")
    world.jira.trash(made)
    world.cycle()
    with pytest.raises(LookupError):
        world.item("Doomed")
    world.jira.trash(made, trashed=False)
    world.cycle()
    assert set(world.shows("Doomed", "title")) == {"jira", "asana", "notion"}


@pytest.mark.parametrize("down", ["jira", "asana", "notion"])
def test_what_could_not_be_read_at_first_is_served_when_it_answers(world, down):
    feature(world, "Search")
    world.notion.add("goals", {"title": "Grow"})
    world.tools[down].down = True
    report = world.cycle()
    assert "does not answer" in str(report.tallies[down].error)
    world.tools[down].down = False
    world.cycle()
    assert world.differences() == []
    assert [len(tool.records) for tool in world.tools.values()] == [1, 2, 2]
    assert world.cycle().writes == 0


def test_a_tool_that_fails_leaves_the_others_served_and_catches_up(world):
    made = fill(world)
    world.asana.down = True
    world.jira.edit(made[0], title="Renamed")
    for _ in range(3):
        report = world.cycle()
        assert not report.complete
    assert world.shows("Renamed", "title") == {
        "jira": "Renamed", "asana": "Feature 0", "notion": "Renamed",
    }  # fmt: skip
    world.asana.down = False
    world.cycle()
    assert world.differences() == []


def test_a_read_that_breaks_off_half_way_is_begun_again_and_loses_nothing(world):
    for n in range(120):
        feature(world, f"Feature {n}")
    world.jira.faults.add("list", Unavailable("jira", "down: try again"), skip=2)
    world.cycle()
    world.cycle()
    assert len(world.notion.records) == 120
    assert world.differences() == []


def test_one_project_of_a_site_that_lists_nothing_any_more_is_not_believed():
    """Most of the site is still listed; what is gone is a whole part of it."""
    both = ("project", "other")
    plain = small_roadmap()
    sides = {
        level: tuple(
            replace(side, containers=both) if side.connection == "jira" else side for side in found
        )
        for level, found in plain.sides.items()
    }
    scopes = tuple(
        replace(scope, containers=both) if scope.connection == "jira" else scope
        for scope in plain.scopes
    )
    world = World(replace(plain, sides=sides, scopes=scopes))
    fill(world, 30)
    for n in range(3):
        values = {"title": f"Other {n}", "status": native("jira", "planned")}
        world.jira.add("other", values, kind="feature")
    world.cycle()
    world.jira.lists = lambda record: record.container != "other"
    world.clock.advance(DAY)
    world.cycle()
    (sentence,) = frozen(world)
    assert "listed 30 records where 33 are known, and none of JIRA-31 and 2 more" in sentence
    world.jira.lists = lambda _record: True
    world.clock.advance(DAY)
    world.cycle()
    assert frozen(world) == []


@pytest.mark.parametrize("trashed", [True, False])
def test_what_is_known_of_a_record_is_stored_at_once_or_not_at_all(trashed):
    disk = MemoryDisk()
    world = World(store=disk.open())
    made = feature(world, "Search")
    world.cycle()
    world.jira.trash(made, trashed=True)
    if not trashed:
        world.cycle()
        world.jira.trash(made, trashed=False)
    before = disk.committed()

    def power_cut(*_entries):
        raise RuntimeError

    world.store.append_history = power_cut
    with pytest.raises(RuntimeError):
        observe(world.context(), (world.jira.records[made],))
    assert disk.committed() == before


def test_who_edited_a_record_last_is_a_person_or_nobody(world):
    feature(world, "Search")
    world.cycle()
    item = world.item("Search")
    world.asana.edit(world.record("Search", "asana").id, author="bob", due="2026-01-01")
    world.cycle()
    records = world.store.records_of([item.id])[item.id]
    said = {v.connection: v.author for v in voices(world.context(), Work(item, records, {}))}
    assert said["asana"] == "asana:bob"
    assert said["notion"] is None, "we were the last: what it says is nobody's word"


def test_a_failing_tool_that_is_left_alone_for_a_while_is_told_of_until_it_has_taken_part_again(
    world,
):
    feature(world, "Search")
    world.cycle()
    world.asana.down = True
    error = world.cycle().tallies["asana"].error
    assert error is not None
    without = {name: tool for name, tool in world.tools.items() if name != "asana"}
    for _ in range(2):  # not due: it is asked less often
        assert world.cycle(adapters=without).tallies["asana"].error == error
    world.asana.down = False
    assert world.cycle().tallies["asana"].error is None
    assert world.cycle(adapters=without).tallies["asana"].error is None
