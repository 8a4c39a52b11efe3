"""Absent is not deleted: evidence, twice, ten minutes apart, while others can be seen."""

from __future__ import annotations

import pytest

from syncd.testing.world import World, native


def feature(world, title):
    values = {"title": title, "status": native("jira", "planned")}
    return world.jira.add("project", values, kind="feature")


@pytest.fixture
def world():
    """Five features, one of which Jira no longer shows, and people have been told."""
    made = World()
    ids = [feature(made, f"Feature {n}") for n in range(5)]
    made.cycle()
    made.hidden = ids[2]
    made.jira.lists = lambda record: record.id != made.hidden
    after(made, 60.0, full=True)
    assert kinds(made) == ["invisible"]
    return made


def after(world, seconds, **options):
    world.clock.advance(seconds - 3600.0)
    return world.cycle(**options)


def kinds(world):
    return [n.kind for n in world.store.notices() if n.subject == f"jira:{world.hidden}"]


def edited_elsewhere(world):
    row = world.record("Feature 2", "notion").id
    world.notion.edit(row, due="2026-09-09")
    after(world, 60.0)
    return world.shows("Feature 2", "due")["asana"] == "2026-09-09"


def test_one_look_proves_nothing_and_the_second_holds_back_the_item(world):
    after(world, 300.0)
    assert kinds(world) == ["invisible"]
    after(world, 301.0)
    assert kinds(world) == ["gone"]
    written = world.writes
    assert not edited_elsewhere(world), "a person decides"
    assert (world.writes, len(world.notion.records)) == (written, 5)
    assert next(e.action for e in world.store.history(world.item("Feature 2").id, "")) == "gone"


def test_while_the_canary_cannot_be_seen_either_it_is_we_who_may_not_see(world):
    world.jira.lists = lambda record: False
    after(world, 700.0)
    assert kinds(world) == ["invisible"]
    calls = world.jira.faults.calls["read"]
    after(world, 60.0)
    assert world.jira.faults.calls["read"] == calls, "not asked again at once"
    world.jira.lists = lambda record: record.id != world.hidden
    after(world, 700.0)
    assert kinds(world) == ["gone"]


def test_what_can_be_seen_again_is_no_longer_suspected_and_is_taken_up_again(world):
    world.jira.lists = lambda record: True
    after(world, 700.0)
    assert kinds(world) == []
    world.jira.lists = lambda record: record.id != world.hidden
    after(world, 60.0, full=True)
    after(world, 700.0)
    assert kinds(world) == ["gone"]
    world.jira.lists = lambda record: True
    after(world, 60.0, full=True)
    assert kinds(world) == []
    assert edited_elsewhere(world)


def test_a_tool_that_fails_meanwhile_proves_nothing(world):
    world.clock.advance(700.0)
    world.jira.down = True
    world.cycle()
    assert kinds(world) == ["invisible"]
