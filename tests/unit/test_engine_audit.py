"""The auditor finds what services never tell of, and what faults of ours would leave behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.model import Cell
from syncd.engine.audit import audit, next_sample
from syncd.testing.world import World, native


@pytest.fixture
def world():
    world = World()
    goal = world.notion.add("goals", {"title": "Grow"})
    world.feature = world.jira.add("project", {"title": "Map"}, kind="feature")
    world.jira.add("project", {"title": "Tiles", "parent": world.feature}, kind="work_item")
    world.cycle()
    world.notion.edit(world.record("Map", "notion").id, parent=goal)
    for _ in range(3):
        world.cycle()
    assert world.differences() == []
    return world


def run(world):
    return audit(world.context(), world.store.item_ids("", 100))


def notices(world):
    return [n.sentence for n in world.store.notices() if n.kind == "audit"]


def test_nothing_is_found_where_all_is_as_believed(world):
    result = run(world)
    assert (result.items, result.findings) == (3, ())
    assert result.cells > 20
    assert (world.store.dirty(), notices(world)) == ((), [])


def test_a_change_the_service_never_told_of_is_found_told_and_settled(world):
    world.asana.edit(
        world.record("Grow", "asana").id, due="2026-05-05"
    )  # the last change to be told
    world.cycle()
    task = world.record("Map", "asana")
    values = {**task.fields, "title": "Mine"}
    world.asana.records[task.id] = replace(task, fields=values)  # no new `updated`, no event
    assert world.cycle().writes == 0
    (finding,) = run(world).findings
    assert (finding.kind, finding.title) == ("unseen", "Map")
    assert (
        "shows title Mine instead of Map, and asana has told of no change since"
        in notices(world)[0]
    )
    world.cycle()
    assert world.differences() == []
    assert run(world).findings == ()
    assert notices(world) == []


def test_an_edit_that_the_next_cycle_reads_anyway_is_no_finding(world):
    world.asana.edit(world.record("Map", "asana").id, title="Mine")
    assert run(world).findings == ()


def test_an_item_out_of_step_that_nobody_thinks_of_is_found(world):
    task = world.record("Map", "asana")
    world.asana.records[task.id] = replace(
        task, fields={**task.fields, "status": native("asana", "done")}
    )
    stored = world.store.record("asana", task.id)
    shown = replace(
        stored.record, fields={**stored.record.fields, "status": native("asana", "done")}
    )
    world.store.observe([(shown, "feature")], 0)
    world.store.save_cells("asana", task.id, {"status": Cell("done")})
    (finding,) = run(world).findings
    assert finding.kind == "forgotten"
    assert "Map is not in step with asana (status)" in finding.sentence
    world.cycle()
    assert world.differences() == []


def test_a_sum_that_does_not_add_up_is_found_and_counted_again(world):
    goal = world.item("Grow")
    world.store.save_items([replace(goal, fields={**goal.fields, "items_total": 7.0})])
    finding = next(f for f in run(world).findings if f.kind == "sum")
    assert "Grow says 0 of 7 done, and the leaves below it are 0 of 1" in finding.sentence
    world.cycle()
    assert world.item("Grow").fields["items_total"] == 1.0
    assert run(world).findings == ()


def test_a_service_that_is_away_is_left_out_and_the_others_are_audited(world):
    task = world.record("Map", "asana")
    world.asana.records[task.id] = replace(task, fields={**task.fields, "title": "Mine"})
    world.notion.down = True
    context = world.context()
    result = audit(context, world.store.item_ids("", 100))
    assert [finding.kind for finding in result.findings] == ["unseen"]
    assert list(context.errors) == ["notion"]


def test_every_item_has_its_turn(world):
    context = world.context()
    turns = [next_sample(context, 2) for _ in range(4)]
    assert turns == [
        world.store.item_ids("", 2), world.store.item_ids("", 100)[2:],
        world.store.item_ids("", 2), world.store.item_ids("", 100)[2:],
    ]  # fmt: skip
