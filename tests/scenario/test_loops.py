"""Something else answers every write of ours: after a few times the cell is left to a person."""

from __future__ import annotations

from dataclasses import replace

from syncd.testing.world import World, native

MINUTE = 60.0


def feature(world, title="Search", **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def soon(world):
    world.clock.advance(MINUTE - 3600.0)
    return world.cycle()


def fight(world, name, value, rounds, after=soon):
    """An automation in Notion sets a value again whenever somebody has changed it."""
    row = world.record("Search", "notion").id
    for _ in range(rounds):
        if world.notion.records[row].fields[name] != value:
            world.notion.edit(row, author="a third party", **{name: value})
        after(world)
    return row


def told(world):
    return [n.sentence for n in world.store.notices() if n.kind == "looping"]


def test_a_value_that_is_changed_back_again_and_again_is_left_to_a_person():
    world = World()
    feature(world, estimate=3.0)
    world.cycle()
    written = world.notion.writes
    row = fight(world, "estimate", 8.0, 8)
    assert world.notion.writes - written == 4
    (conflict,) = world.store.conflicts()
    assert conflict.held
    assert {c.connection: c.value for c in conflict.claims} == {"notion": 8.0, "jira": 3.0}
    assert "keeps changing back" in conflict.reason
    assert "estimate of Search is changed back again and again" in told(world)[0]
    world.notion.edit(row, title="Search it")
    soon(world)
    assert world.notion.records[row].fields["title"] == "Search", "other cells go on"
    world.store.save_conflicts([replace(conflict, resolution=8.0, resolved_by="ann")])
    world.store.mark_dirty([conflict.item])
    world.cycle()
    assert set(world.shows("Search", "estimate").values()) == {8.0}
    assert (world.store.conflicts(), told(world)) == ((), [])
    before = world.writes
    world.cycle(full=True)
    assert world.writes == before


def test_two_automations_over_a_shared_field_are_stopped():
    world = World()
    made = feature(world, due="2026-01-01")
    world.cycle()
    row = world.record("Search", "notion").id
    for _ in range(20):
        for tool, record, day in (
            (world.jira, made, "2026-01-01"),
            (world.notion, row, "2026-02-02"),
        ):
            if tool.records[record].fields["due"] != day:
                tool.edit(record, author="a third party", due=day)
        world.clock.advance(20.0 - 3600.0)
        world.cycle()
    assert [c.held for c in world.store.conflicts()] == [True]
    before = world.writes
    soon(world)
    assert world.writes == before


def test_a_slow_quarrel_of_people_is_not_a_loop():
    world = World()
    feature(world, estimate=3.0)
    world.cycle()

    def later(world):
        world.cycle()

    fight(world, "estimate", 8.0, 8, after=later)
    assert world.store.conflicts() == ()


def test_new_values_are_not_a_loop_however_quick():
    world = World()
    feature(world, estimate=3.0)
    world.cycle()
    row = world.record("Search", "notion").id
    for number in range(10):
        world.notion.edit(row, estimate=10.0 + number)
        soon(world)
    assert world.store.conflicts() == ()
    assert world.record("Search", "notion").fields["estimate"] == 3.0


def test_a_computed_value_that_is_changed_back_is_not_written_without_end():
    world = World()
    parent = feature(world)
    values = {"title": "Index", "status": native("jira", "planned"), "parent": parent}
    child = world.jira.add("project", values, kind="work_item")
    world.cycle()
    written = world.notion.writes
    row = fight(world, "items_total", 9.0, 8)
    assert world.notion.writes - written == 4
    assert "items_total of Search is changed back again and again" in told(world)[0]
    assert world.store.conflicts() == ()
    world.jira.edit(child, status=native("jira", "cancelled"))
    soon(world)
    assert world.notion.records[row].fields["items_total"] == 0.0, "news are written"
    world.clock.advance(1200.0)
    world.cycle()
    assert told(world) == []
