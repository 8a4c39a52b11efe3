"""What syncd wrote is put back where it is still there, stays, and can be put forward again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.errors import Unavailable, UserError
from syncd.core.people import Directory
from syncd.core.rules import SHARED, Limits
from syncd.engine import undo
from syncd.testing.memory import MemoryTool
from syncd.testing.world import TOOLS, World, native, small_roadmap


def feature(world, title="Search", **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


@pytest.fixture
def world():
    return World(small_roadmap(limits=Limits(overwrites=(5, 0.0))))


def prepare(world, entries, what="cycle"):
    return undo.prepare(world.roadmap, Directory(), world.store, what, entries)


def of_cycle(world, number):
    return prepare(world, undo.of_cycle(world.store, number), f"cycle {number}")


def decide(world, found):
    return undo.decide(world.store, found, "ann", world.clock.now())


def changed(world, **fields):
    """One feature in step, then an edit in Jira that a cycle has carried to the others."""
    made = feature(world, due="2026-01-01")
    world.cycle()
    world.jira.edit(made, **fields)
    return made, world.cycle().number


@pytest.mark.parametrize("many", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_a_cycle_that_changed_many_items_in_three_tools_is_undone_and_that_is_undone(many):
    world = World(small_roadmap(limits=Limits(overwrites=(1000, 1.0))))
    made = [feature(world, f"F {n}", due="2026-01-01", estimate=1.0) for n in range(many)]
    world.cycle()
    for record in made:
        world.jira.edit(record, due="2026-02-02", estimate=2.0)
    for record in list(world.notion.records.values()):
        world.notion.edit(record.id, notes="new words")
    number = world.cycle().number
    assert world.differences() == []
    people = list(world.asana.records)[:3]
    for record in people:
        world.asana.edit(record, author="bob", due="2026-03-03")
    world.cycle()

    world.roadmap = small_roadmap(limits=Limits(overwrites=(5, 0.0)))
    found = of_cycle(world, number)
    assert len(found.back) == 4 * many - 2 * 3
    assert {s.connection for s in found.back} == set(world.tools)
    assert found.created == ()
    left = {(s.connection, s.field): s.why for s in found.left}
    assert left == {
        ("asana", "due"): "changed since by asana:bob in asana",
        ("notion", "due"): f"written again in cycle {number + 1}",
    }
    first = decide(world, found)
    report = world.cycle()
    assert report.frozen == (), "a person has asked for it: no limit holds it back"
    for record in world.asana.records.values():
        wanted = "2026-03-03" if record.id in people else "2026-01-01"
        assert record.fields["due"] == wanted
    assert {r.fields["estimate"] for r in world.notion.records.values()} == {1.0}
    assert {r.fields["notes"] for r in world.jira.records.values()} == {None}
    assert {r.fields["estimate"] for r in world.jira.records.values()} == {2.0}, "a person's words"
    before = world.writes
    world.cycle(full=True)
    assert world.writes == before, "it stays"
    decide(world, of_cycle(world, first))
    world.cycle()
    assert world.differences() == []
    assert {r.fields["estimate"] for r in world.notion.records.values()} == {2.0}


def test_an_undo_can_be_undone_and_that_too(world):
    _, number = changed(world, due="2026-02-02")
    first = decide(world, of_cycle(world, number))
    world.cycle()
    assert world.shows("Search", "due") == {
        "jira": "2026-02-02", "asana": "2026-01-01", "notion": "2026-01-01",
    }  # fmt: skip
    second = decide(world, of_cycle(world, first))
    world.cycle()
    assert set(world.shows("Search", "due").values()) == {"2026-02-02"}
    assert world.differences() == []
    decide(world, of_cycle(world, second))
    world.cycle()
    assert world.shows("Search", "due")["notion"] == "2026-01-01"
    assert [e.author for e in world.store.history() if e.action == "undone"] == ["ann"] * 6


def test_the_cycle_that_carried_out_an_undo_can_be_undone_like_any_other(world):
    _, number = changed(world, due="2026-02-02")
    decide(world, of_cycle(world, number))
    carried = world.cycle().number
    decide(world, of_cycle(world, carried))
    world.cycle()
    assert world.differences() == []


def test_an_undo_that_was_not_carried_out_yet_is_called_off(world):
    _, number = changed(world, due="2026-02-02")
    first = decide(world, of_cycle(world, number))
    found = of_cycle(world, first)
    assert (found.steps, len(found.called_off)) == ((), 2)
    decide(world, found)
    before = world.writes
    world.cycle()
    assert world.writes == before
    assert set(world.shows("Search", "due").values()) == {"2026-02-02"}


def test_what_was_put_back_stays_until_the_field_changes_again(world):
    made, number = changed(world, due="2026-02-02")
    decide(world, of_cycle(world, number))
    world.cycle()
    world.jira.edit(made, title="Renamed")
    world.cycle()
    assert world.shows("Renamed", "due")["asana"] == "2026-01-01", "another field changes nothing"
    world.jira.edit(made, due="2026-05-05")
    world.cycle()
    assert set(world.shows("Renamed", "due").values()) == {"2026-05-05"}


def test_an_overruled_edit_comes_back_and_is_not_overruled_again(world):
    feature(world, estimate=3.0)
    world.cycle()
    row = world.record("Search", "notion").id
    world.notion.edit(row, estimate=8.0)
    number = world.cycle().number
    assert world.record("Search", "notion").fields["estimate"] == 3.0
    decide(world, of_cycle(world, number))
    world.cycle()
    world.cycle(full=True)
    assert world.record("Search", "notion").fields["estimate"] == 8.0
    assert world.record("Search", "jira").fields["estimate"] == 3.0


def test_a_person_who_edits_after_the_decision_is_heard(world):
    _, number = changed(world, due="2026-02-02")
    decide(world, of_cycle(world, number))
    world.asana.edit(world.record("Search", "asana").id, due="2026-07-07")
    world.cycle()
    world.cycle()
    assert set(world.shows("Search", "due").values()) == {"2026-07-07"}
    told = [e.detail for e in world.store.history() if e.action == "left"]
    assert len(told) == 2
    assert "changed since, so it was not put back" in told[0]
    assert undo.pending(world.store) == {}


@pytest.mark.parametrize("tool", ["jira", "asana"])
def test_an_edit_after_an_undo_whose_write_had_no_answer_goes_everywhere(world, tool):
    _, number = changed(world, due="2026-02-02")
    decide(world, of_cycle(world, number))
    for each in (world.asana, world.notion):
        lost = Unavailable(each.connection, "no answer", maybe_applied=True)
        each.faults.add("update", lost, after_effect=True)
    world.cycle()
    assert len(world.store.open_intents()) == 2
    world.tools[tool].edit(world.record("Search", tool).id, due="2026-05-05")
    world.cycle()
    world.cycle()
    assert world.shows("Search", "due") == dict.fromkeys(TOOLS, "2026-05-05")


def test_a_cycle_that_is_killed_after_the_decision_loses_none_of_it(world):
    _, number = changed(world, due="2026-02-02")
    decide(world, of_cycle(world, number))
    world.cycle(stopping=lambda: True)
    world.cycle()
    assert world.shows("Search", "due")["notion"] == "2026-01-01"
    before = world.writes
    world.cycle()
    assert world.writes == before


def test_a_cell_in_conflict_is_left_to_the_conflict(world):
    made, number = changed(world, due="2026-02-02")
    world.jira.edit(made, due="2026-05-05")
    world.notion.edit(world.record("Search", "notion").id, due="2026-06-06")
    world.cycle()
    found = of_cycle(world, number)
    assert found.back == ()
    assert {s.connection: s.now for s in found.left} == {
        "asana": "2026-02-02", "notion": "2026-06-06",
    }, "what the tools show"  # fmt: skip
    assert all("settle it instead" in step.why for step in found.left)


def test_what_a_cycle_created_is_listed_and_left_alone(world):
    feature(world)
    number = world.cycle().number
    found = of_cycle(world, number)
    assert sorted(entry.connection for entry in found.created) == ["asana", "notion"]
    assert found.steps == ()


@pytest.mark.parametrize("field", [None, "due"])
def test_since_before_its_creation_an_item_goes_back_to_what_it_began_with(world, field):
    moment = world.clock.now()
    made = feature(world, due="2026-01-01")
    world.cycle()
    item = world.item("Search").id
    with pytest.raises(UserError, match="or only created it, which is not undone"):
        undo.of_item(world.store, item, field, None)
    for day in ("2026-02-02", "2026-03-03"):
        world.jira.edit(made, due=day)
        world.cycle()
    found = prepare(world, undo.of_item(world.store, item, field, moment))
    assert {(s.connection, s.target) for s in found.back} == {
        ("asana", "2026-01-01"), ("notion", "2026-01-01"),
    }  # fmt: skip
    assert len(found.created) == (0 if field else 2)


def test_an_item_and_a_field_since_a_moment(world):
    made, _ = changed(world, due="2026-02-02", estimate=1.0)
    world.clock.advance(1.0)
    moment = world.clock.now()
    for day in ("2026-03-03", "2026-04-04"):
        world.jira.edit(made, due=day, estimate=float(day[-1]))
        world.cycle()
    item = world.item("Search").id
    last = prepare(world, undo.of_item(world.store, item, None, None))
    assert {(s.field, s.target) for s in last.back} == {("due", "2026-03-03"), ("estimate", 3.0)}
    since = prepare(world, undo.of_item(world.store, item, "due", moment))
    assert {(s.connection, s.target) for s in since.back} == {
        ("asana", "2026-02-02"), ("notion", "2026-02-02"),
    }  # fmt: skip
    assert since.checksum != last.checksum
    with pytest.raises(UserError, match="written nothing"):
        undo.of_item(world.store, item, "title", moment)
    with pytest.raises(UserError, match="cycle 99 has written nothing"):
        undo.of_cycle(world.store, 99)


def decided(world, value="2026-04-04"):
    """A feature that two tools dated differently, and a cycle that carried out a person's decision."""
    made = feature(world, due="2026-01-01")
    world.cycle()
    world.jira.edit(made, due="2026-02-02")
    world.asana.edit(next(iter(world.asana.records)), author="bob", due="2026-03-03")
    world.cycle()
    (conflict,) = world.store.conflicts()
    world.store.save_conflicts([replace(conflict, resolution=value, resolved_by="ann")])
    world.store.mark_dirty([conflict.item])
    return conflict, world.cycle().number


def test_a_decision_that_is_taken_back_is_to_be_made_again(world):
    conflict, number = decided(world)
    assert world.shows("Search", "due") == dict.fromkeys(TOOLS, "2026-04-04")
    decide(world, of_cycle(world, number))
    world.cycle()
    before = {"jira": "2026-02-02", "asana": "2026-03-03", "notion": "2026-01-01"}
    assert world.shows("Search", "due") == before
    (again,) = world.store.conflicts()
    assert again.id != conflict.id
    assert [(c.connection, c.value) for c in again.claims] == [
        ("jira", "2026-02-02"),
        ("asana", "2026-03-03"),
    ]
    assert world.item("Search").fields["due"] == "2026-01-01", "what was agreed before"
    for _ in range(2):
        assert world.cycle(full=True).writes == 0
    world.store.save_conflicts([replace(again, resolution="2026-05-05", resolved_by="ann")])
    world.store.mark_dirty([again.item])
    world.cycle()
    assert world.shows("Search", "due") == dict.fromkeys(TOOLS, "2026-05-05")
    assert world.store.conflicts() == ()


def test_sums_follow_a_decision_that_is_taken_back():
    rules = small_roadmap()
    status = rules.fields["status"]
    owners = {**status.owners, "feature": SHARED}
    world = World(replace(rules, fields={**rules.fields, "status": replace(status, owners=owners)}))
    goal = world.notion.add("goals", {"title": "Goal", "status": native("notion", "planned")})
    made = feature(world)
    world.cycle()
    world.notion.edit(world.record("Search", "notion").id, parent=goal)
    world.cycle()
    world.jira.edit(made, status=native("jira", "done"))
    task = world.record("Search", "asana").id
    world.asana.edit(task, author="bob", status=native("asana", "in progress"))
    world.cycle()
    (conflict,) = world.store.conflicts()
    world.store.save_conflicts([replace(conflict, resolution="done", resolved_by="ann")])
    world.store.mark_dirty([conflict.item])
    number = world.cycle().number
    assert world.record("Goal", "notion").fields["items_done"] == 1.0
    decide(world, of_cycle(world, number))
    world.cycle()
    assert world.item("Search").fields["status"] == "planned"
    assert world.item("Goal").fields["items_done"] == 0.0
    assert world.record("Goal", "notion").fields["items_done"] == 0.0


def test_taking_back_a_decision_for_one_of_the_values_asks_again_too(world):
    _, number = decided(world, "2026-02-02")
    decide(world, of_cycle(world, number))
    world.cycle()
    assert world.shows("Search", "due") == {
        "jira": "2026-02-02", "asana": "2026-03-03", "notion": "2026-01-01",
    }  # fmt: skip
    (again,) = world.store.conflicts()
    assert {c.connection for c in again.claims} == {"jira", "asana"}


def test_a_decision_half_taken_back_is_to_be_made_again_when_the_rest_is_overtaken(
    world, monkeypatch
):
    _, number = decided(world)
    row, whole = next(iter(world.notion.records)), MemoryTool._shown

    def without(tool, scope, record):
        shown = whole(tool, scope, record)
        hidden = "due" if tool is world.notion else ""
        return replace(shown, fields={n: v for n, v in shown.fields.items() if n != hidden})

    monkeypatch.setattr(MemoryTool, "_shown", without)
    world.notion.edit(row)
    world.cycle()
    decide(world, of_cycle(world, number))
    world.cycle()
    assert world.record("Search", "asana").fields["due"] == "2026-03-03", "Notion's waits"
    world.notion.edit(row, due=None)
    monkeypatch.setattr(MemoryTool, "_shown", whole)
    world.cycle()
    assert undo.pending(world.store) == {}
    (again,) = world.store.conflicts()
    assert {"jira", "asana"} <= {claim.connection for claim in again.claims}


def test_an_edit_after_the_decision_stays_when_the_decision_is_taken_back(world):
    _, number = decided(world)
    world.notion.edit(next(iter(world.notion.records)), author="cid", due="2026-06-06")
    world.cycle()
    decide(world, of_cycle(world, number))
    world.cycle()
    assert world.shows("Search", "due") == dict.fromkeys(TOOLS, "2026-06-06")
    assert world.store.conflicts() == ()


def test_what_an_undo_already_puts_back_is_not_put_back_twice(world):
    _, number = changed(world, estimate=5.0)
    first = decide(world, of_cycle(world, number))
    again = of_cycle(world, number)
    assert again.back == ()
    assert {step.why for step in again.left} == {f"undo {first} puts it back already"}
