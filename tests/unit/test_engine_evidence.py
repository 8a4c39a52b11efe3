"""Writes whose result is not known at once are judged by the tool's own log, never by the value alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.errors import Unavailable
from syncd.testing.world import World, native


def lose_reply(tool, operation="update"):
    """The next write takes effect, and its answer never arrives."""
    error = Unavailable(tool.connection, "no answer: try again", maybe_applied=True)
    tool.faults.add(operation, error, after_effect=True)


def filled():
    world = World()
    world.notion.add("goals", {"title": "Grow"})
    world.feature = world.jira.add("project", {"title": "Map", "due": "2026-01-01"}, kind="feature")
    for _ in range(3):
        world.cycle()
    assert world.differences() == []
    return world


def once_before(tool, action):
    """Let a person act in the moment before the next write to a tool takes effect."""

    def act(record):
        tool.before_write = None
        action(record)

    tool.before_write = act


def told(world, title, name):
    return [
        (entry.action, entry.connection, entry.before, entry.author)
        for entry in world.store.history(world.item(title).id, name)
    ]


@pytest.mark.parametrize("shows", [True, False])
def test_an_edit_after_a_lost_reply_is_an_edit(shows):
    world = filled()
    world.jira.shows = shows
    notion = world.record("Map", "notion").id
    world.notion.edit(notion, due="2026-02-02")
    lose_reply(world.jira)
    world.cycle()
    world.jira.edit(world.feature, due="2026-03-03")
    world.cycle()
    world.cycle()
    assert set(world.shows("Map", "due").values()) == {"2026-03-03"}
    assert world.differences() == []


def test_an_edit_between_the_write_and_reading_it_back_is_an_edit():
    world = filled()
    world.jira.shows = False

    def and_a_person_is_quick(record):
        if record.fields["due"] == "2026-02-02":
            world.jira.edit(world.feature, due="2026-03-03")
        return True

    world.notion.edit(world.record("Map", "notion").id, due="2026-02-02")
    world.jira.lists = and_a_person_is_quick
    world.cycle()
    world.cycle()
    assert set(world.shows("Map", "due").values()) == {"2026-03-03"}


@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("tool", ["jira", "asana"])
def test_what_a_write_replaced_unseen_is_in_the_history(tool, lost):
    world = filled()
    world.notion.edit(world.record("Map", "notion").id, due="2026-02-02")
    place = world.tools[tool]
    once_before(place, lambda record: place.edit(record, author="eve", due="2026-03-03"))
    if lost:
        lose_reply(place)
    world.cycle()
    world.cycle()
    assert set(world.shows("Map", "due").values()) == {"2026-02-02"}
    assert ("corrected", tool, "2026-03-03", f"{tool}:eve") in told(world, "Map", "due")
    assert told(world, "Map", "due").count(("corrected", tool, "2026-03-03", f"{tool}:eve")) == 1


def test_an_older_write_of_the_same_value_is_not_taken_for_this_one():
    """The log is asked for what came after the record was last seen, and for this attempt's mark."""
    world = filled()
    notion = world.record("Map", "notion").id
    world.notion.edit(notion, due="2026-02-02")
    world.cycle()
    world.jira.edit(world.feature, due="2026-03-03")
    world.cycle()
    world.notion.edit(notion, due="2026-02-02")
    error = Unavailable("jira", "no answer: try again", maybe_applied=True)
    world.jira.faults.add("update", error)
    world.cycle()
    world.cycle()
    assert set(world.shows("Map", "due").values()) == {"2026-02-02"}
    assert world.differences() == []


def test_a_respelled_number_is_not_written_twice_after_a_lost_reply():
    world = filled()
    world.asana.spell = lambda name, value: str(value)[:6] if name == "title" and value else value
    lose_reply(world.asana)
    world.jira.edit(world.feature, title="Map of the world")
    world.cycle()
    before = world.asana.writes
    world.cycle()
    world.cycle()
    assert world.asana.writes == before
    assert world.record("Map of the world", "asana").fields["title"] == "Map of"
    assert world.item("Map of the world").fields["title"] == "Map of the world"


def test_in_a_tool_without_a_log_the_last_editor_decides():
    world = filled()
    notion = world.record("Map", "notion").id
    lose_reply(world.notion)
    world.jira.edit(world.feature, due="2026-02-02")
    world.cycle()
    world.notion.edit(notion, due="2026-03-03")
    world.cycle()
    world.cycle()
    assert set(world.shows("Map", "due").values()) == {"2026-03-03"}


@pytest.mark.parametrize("field", ["labels", "due"])
def test_an_edit_of_a_record_that_was_made_without_an_answer_is_an_edit(field):
    world = World()
    world.notion.add("goals", {"title": "Grow"})
    world.cycle()
    lose_reply(world.asana, "create")
    world.jira.add("project", {"title": "Map"}, kind="feature")
    world.cycle()
    (task,) = [r.id for r in world.asana.records.values() if r.fields["title"] == "Map"]
    value = ("b", "c") if field == "labels" else "2026-05-05"
    world.asana.edit(task, **{field: value})
    for _ in range(3):
        world.cycle()
    assert set(world.shows("Map", field).values()) == {value}
    assert len([r for r in world.asana.records.values() if r.fields["title"] == "Map"]) == 1


def test_without_a_log_read_again_an_intent_stays_open():
    """The write was answered; what it replaced could not be asked: nothing is concluded yet."""
    world = filled()
    world.notion.edit(world.record("Map", "notion").id, due="2026-02-02")
    once_before(
        world.asana, lambda record: world.asana.edit(record, author="eve", due="2026-03-03")
    )
    world.asana.faults.add("log", Unavailable("asana", "down: try again"))
    world.cycle()
    assert [intent.connection for intent in world.store.open_intents()] == ["asana"]
    world.cycle()
    assert world.store.open_intents() == ()
    assert ("corrected", "asana", "2026-03-03", "asana:eve") in told(world, "Map", "due")


def test_status_moved_on_by_a_person_right_after_our_write_is_seen():
    world = filled()
    world.asana.shows = False

    def and_a_person_is_quick(record):
        if record.fields["status"] == native("asana", "done"):
            world.asana.lists = lambda _record: True  # once
            world.asana.edit(record.id, status=native("asana", "planned"))
        return True

    world.asana.lists = and_a_person_is_quick
    world.jira.edit(world.feature, status=native("jira", "done"))
    world.cycle()
    world.cycle()
    assert set(world.shows("Map", "status").values()) == {"done"}, "jira owns it: corrected"
    assert ("corrected", "asana", "planned", "asana:ann") in told(world, "Map", "status")


def test_a_record_out_of_sight_after_our_write_is_left_alone_until_it_is_seen():
    world = filled()
    world.jira.shows = False
    world.notion.edit(world.record("Map", "notion").id, due="2026-02-02")
    world.jira.lists = lambda record: record.fields["due"] != "2026-02-02"
    before = world.jira.writes
    for _ in range(3):
        world.cycle()
    assert world.jira.writes == before + 1
    assert [intent.connection for intent in world.store.open_intents()] == ["jira"]
    world.jira.lists = lambda _record: True
    world.cycle()
    assert world.store.open_intents() == ()
    assert world.differences() == []
    assert world.jira.writes == before + 1


def test_a_value_without_a_meaning_that_is_written_over_is_in_the_history():
    world = filled()
    world.asana.edit(world.record("Map", "asana").id, status=native("asana", "odd"))
    world.cycle()
    world.jira.edit(world.feature, status=native("jira", "done"))
    world.cycle()
    assert set(world.shows("Map", "status").values()) == {"done"}
    assert ("corrected", "asana", native("asana", "odd"), None) in told(world, "Map", "status")


def test_an_older_write_that_left_no_time_stamp_is_not_taken_for_this_one():
    world = filled()
    world.jira.edit(world.feature, title="Maps")
    world.cycle()
    task = world.record("Maps", "asana").id
    later = [replace(entry, at="999999990") for entry in world.asana.entries[task]]
    world.asana.entries[task] = later  # the record itself does not look any younger
    error = Unavailable("asana", "no answer: try again", maybe_applied=True)
    world.asana.faults.add("update", error)
    world.jira.edit(world.feature, title="Atlas")
    world.cycle()
    world.cycle()
    world.cycle()
    assert world.asana.records[task].fields["title"] == "Atlas"


def test_what_a_tool_puts_into_a_new_record_is_nobodys_word_while_its_making_is_open():
    world = World()
    world.asana.defaults = {"due": "2030-01-01"}
    world.asana.lag = 9_000.0
    world.notion.add("goals", {"title": "Grow"})
    lose_reply(world.asana, "create")
    world.cycle(wait=False)
    world.asana.faults.add("log", Unavailable("asana", "down: try again"))
    world.cycle(wait=False)
    item = world.item("Grow")
    assert "asana" in world.store.records_of([item.id])[item.id], "the list has shown it"
    assert world.store.open_intents() != ()
    assert item.fields.get("due") is None
    world.cycle(wait=False)
    assert world.store.open_intents() == ()
    assert world.item("Grow").fields.get("due") is None
