"""Writing: refusals, lost answers, values a tool spells its own way, and mass changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.errors import NotAllowed, Unavailable, Unsafe
from syncd.core.model import IntentState
from syncd.core.records import NEW_OPTION, Value
from syncd.core.rules import Limits, UnmappedError
from syncd.testing.memory import MemoryTool
from syncd.testing.world import World, native, small_roadmap


@pytest.fixture
def world():
    return World()


def feature(world, title="Search", **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def lost(tool, operation, **how):
    """Let a request's answer get lost after it took effect."""
    error = Unavailable(tool.connection, "no answer: try again", maybe_applied=True)
    tool.faults.add(operation, error, after_effect=True, **how)


def notices(world, kind):
    return [n.sentence for n in world.store.notices() if n.kind == kind]


def settled(world):
    """Assert that everything is in step and stays so."""
    assert world.differences() == []
    before = world.writes
    report = world.cycle()
    assert (world.writes, report.writes, report.complete) == (before, 0, True)


# in step --------------------------------------------------------------------------------------------


def test_an_item_of_one_tool_is_created_in_the_others_and_the_second_cycle_writes_nothing(world):
    feature(world, due="2026-05-05", labels=("a", "b"), estimate=3.0)
    report = world.cycle()
    assert (report.tallies["asana"].created, report.tallies["notion"].created) == (1, 1)
    assert world.shows("Search", "due") == dict.fromkeys(world.tools, "2026-05-05")
    settled(world)


def test_an_edit_of_the_owner_reaches_every_tool_with_one_write_each(world):
    made = feature(world)
    world.cycle()
    before = world.writes
    world.jira.edit(made, title="Find")
    world.cycle()
    assert world.shows("Find", "title") == dict.fromkeys(world.tools, "Find")
    assert world.writes - before == 2
    settled(world)


def test_an_edit_elsewhere_is_corrected_recorded_and_counted(world):
    feature(world)
    world.cycle()
    world.asana.edit(world.record("Search", "asana").id, title="Mine")
    report = world.cycle()
    assert report.tallies["asana"].corrected == 1
    assert world.record("Search", "asana").fields["title"] == "Search"
    entry = world.store.history(field="title")[1]
    assert (entry.action, entry.connection, entry.before, entry.after) == (
        "corrected", "asana", "Mine", "Search",
    )  # fmt: skip
    settled(world)


def test_children_are_created_below_their_parents_in_one_cycle(world):
    parent = feature(world)
    world.jira.add(
        "project",
        {"title": "Index", "status": native("jira", "done"), "parent": parent},
        kind="work_item",
    )
    world.cycle()
    item = world.item("Index")
    assert world.shows("Index", "parent") == dict.fromkeys(("jira", "notion"), item.parent)
    assert world.record("Search", "notion").fields["done_of_total"] == "1/1 items"
    settled(world)


@pytest.mark.parametrize("shows", [True, False])
def test_a_value_the_tool_spells_its_own_way_is_delivered_once_and_is_nobodys_edit(world, shows):
    world.asana.shows = world.notion.shows = shows
    world.notion.spell = lambda name, value: (
        value.upper() if name in ("title", "due") and isinstance(value, str) else value
    )
    made = feature(world, due="2026-05-05")
    world.cycle()
    settled_writes = world.writes
    world.cycle()
    assert world.writes == settled_writes
    assert world.record("Search", "notion").fields["title"] == "SEARCH"
    world.jira.edit(made, title="Find")
    world.cycle()
    world.cycle()
    assert world.record("Find", "notion").fields["title"] == "FIND"
    assert world.writes == settled_writes + 2
    assert world.store.history(field="title", limit=50)[0].action == "wrote"


def test_a_write_that_is_answered_and_dropped_is_not_repeated_for_ever(world):
    made = feature(world)
    world.cycle()
    world.asana.ignores.add("title")
    world.jira.edit(made, title="Find")
    world.cycle()
    before = world.writes
    for _ in range(3):
        world.cycle()
    assert world.writes == before


def test_a_computed_cell_that_somebody_edits_is_put_right(world):
    parent = feature(world)
    world.jira.add(
        "project", {"title": "Index", "status": native("jira", "done"), "parent": parent},
        kind="work_item",
    )  # fmt: skip
    world.cycle()
    world.notion.edit(world.record("Search", "notion").id, progress=0.1)
    report = world.cycle()
    assert world.record("Search", "notion").fields["progress"] == 1.0
    assert report.tallies["notion"].corrected == 1
    settled(world)


# refusals -------------------------------------------------------------------------------------------


def test_a_refused_value_is_told_and_not_asked_again_until_it_changes(world):
    made = feature(world)
    world.cycle()
    world.notion.refuses["due"] = "dates are closed for this year"
    world.jira.edit(made, due="2026-05-05", labels=("a",))
    report = world.cycle()
    assert report.tallies["notion"].refused == 1
    assert world.shows("Search", "labels") == dict.fromkeys(world.tools, ("a",)), "only that field"
    assert any("dates are closed" in sentence for sentence in notices(world, "refused"))
    before = world.writes
    for _ in range(3):
        world.cycle()
    assert world.writes == before
    assert any("dates are closed" in sentence for sentence in notices(world, "refused"))
    world.notion.refuses.clear()
    world.jira.edit(made, due="2026-06-06")
    world.cycle()
    assert notices(world, "refused") == []
    settled(world)


def test_a_refused_creation_is_told_and_not_asked_again_until_something_changes(world):
    made = feature(world, due="2026-05-05")
    world.notion.refuses["due"] = "dates are closed"
    world.cycle()
    before = world.writes
    for _ in range(3):
        world.cycle()
    assert world.writes == before
    assert notices(world, "refused") == ["notion would not create Search: dates are closed"]
    world.jira.edit(made, due=None)
    world.cycle()
    assert notices(world, "refused") == []
    settled(world)


def test_a_creation_refused_for_lack_of_permission_is_made_once_it_is_given(world):
    feature(world)
    world.notion.faults.add("create", NotAllowed("notion", "may not write: give it access"))
    report = world.cycle()
    assert report.tallies["notion"].error == "may not write: give it access"
    world.cycle()
    settled(world)


def test_a_field_with_content_we_cannot_express_is_kept(world):
    feature(world)
    world.cycle()
    row = world.notion.records[world.record("Search", "notion").id]
    world.notion.records[row.id] = replace(row, opaque=frozenset(["title"]))
    world.notion.edit(row.id, due="2026-04-04")
    world.cycle()
    before = world.notion.writes
    world.jira.edit(world.record("Search", "jira").id, title="Find")
    world.cycle()
    assert world.notion.writes == before
    assert world.record("Find", "notion").fields["title"] == "Search"
    assert any("cannot express" in sentence for sentence in notices(world, "kept"))


# unknown outcomes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shows", [True, False])
@pytest.mark.parametrize("lag", [0.0, 90.0])
def test_a_creation_without_an_answer_makes_exactly_one_record(world, lag, shows):
    world.notion.lag, world.notion.shows = lag, shows
    feature(world, due="2026-05-05")
    lost(world.notion, "create")
    report = world.cycle()
    assert report.tallies["notion"].unknown == 1
    assert not report.complete
    world.cycle()
    assert len(world.notion.records) == 1
    settled(world)


def test_a_creation_that_never_arrived_is_made_again(world):
    feature(world)
    error = Unavailable("notion", "no answer: try again", maybe_applied=True)
    world.notion.faults.add("create", error)
    world.cycle()
    world.cycle()
    assert len(world.notion.records) == 1
    settled(world)


def test_while_the_index_lags_nothing_is_created_again_without_waiting(world):
    world.notion.lag = 10_000.0
    feature(world)
    lost(world.notion, "create")
    world.notion.lists = lambda record: False
    world.cycle(wait=False)
    world.cycle(wait=False)
    assert len(world.notion.records) == 1
    assert [i.state for i in world.store.open_intents()] == [IntentState.UNKNOWN]
    world.notion.lists = lambda record: True
    world.clock.advance(10_000.0)
    world.cycle(wait=False)
    assert world.store.open_intents() == ()
    settled(world)


@pytest.mark.parametrize("listed", [True, False])
def test_what_a_record_of_ours_shows_by_default_is_not_taken_for_anybodys_word(world, listed):
    """The status cannot be set at creation, and the answer of the creation got lost."""
    world.jira.lag = 10_000.0 if listed else 0.0  # then the list tells of it before the search does
    made = feature(world, "Template")
    world.cycle()
    del world.jira.records[made]
    goal = world.notion.add(
        "features",
        {"title": "Search", "status": native("notion", "in progress"), "due": "2026-05-05"},
    )
    world.jira.at_creation = frozenset(["status", "due"])
    world.jira.defaults = {"status": native("jira", "planned"), "due": "2020-01-01"}
    lost(world.jira, "create")
    for _ in range(4):
        world.cycle(wait=False)
    assert world.item("Search").fields["status"] == "in progress"
    assert world.item("Search").fields["due"] == "2026-05-05"
    assert world.store.conflicts() == ()
    assert world.notion.records[goal].fields["due"] == "2026-05-05"
    assert world.shows("Search", "status") == dict.fromkeys(world.tools, "in progress")


def test_an_update_without_an_answer_is_settled_before_anything_else_is_written(world):
    made = feature(world)
    world.cycle()
    world.jira.edit(made, title="Find")
    lost(world.notion, "update")
    world.cycle()
    before = world.notion.writes
    world.cycle()
    assert world.notion.writes == before, "it had arrived"
    settled(world)


def test_an_update_without_an_answer_is_nobodys_edit_though_the_tool_spells_it_otherwise(world):
    made = feature(world, due="2026-05-05")
    world.cycle()
    world.notion.spell = lambda name, value: (
        f"~{value}" if name in ("due", "date") and value else value
    )
    world.jira.edit(made, due="2026-06-06")
    lost(world.notion, "update")
    world.cycle()
    world.cycle()
    assert world.item("Search").fields["due"] == "2026-06-06"
    assert world.jira.records[made].fields["due"] == "2026-06-06"


@pytest.mark.parametrize("operation", ["create", "update"])
def test_a_result_that_could_not_be_read_is_nobodys_edit(world, operation):
    world.notion.shows = False
    world.notion.spell = lambda name, value: (
        f"~{value}" if name in ("due", "date") and value else value
    )
    if operation == "create":
        world.notion.faults.add("read", Unavailable("notion", "down: try again"))
    made = feature(world, due="2026-05-05")
    world.cycle()
    if operation == "update":
        world.cycle()
        world.notion.faults.add("read", Unavailable("notion", "down: try again"), skip=1)
        world.jira.edit(made, due="2026-05-05", labels=("x",))
        world.jira.edit(made, due="2026-06-06")
        world.cycle()
        assert world.notion.faults.waiting == []
    for _ in range(3):
        world.cycle()
    wanted = "2026-05-05" if operation == "create" else "2026-06-06"
    assert world.item("Search").fields["due"] == wanted
    assert world.jira.records[made].fields["due"] == wanted
    assert world.store.conflicts() == ()
    assert len(world.notion.records) == 1


def test_a_person_who_edits_a_shared_cell_just_before_we_write_is_heard(world):
    made = feature(world)
    world.cycle()
    row = world.record("Search", "notion").id
    world.jira.edit(made, due="2026-05-05")
    reads = world.notion.read

    def read(scope, ids):
        if world.notion.records[row].fields.get("due") is None:
            world.notion.edit(row, due="2026-06-06")
        return reads(scope, ids)

    adapters = dict(world.tools)
    adapters["notion"] = _Reading(world.notion, read)
    world.cycle(adapters=adapters)
    assert world.notion.records[row].fields["due"] == "2026-06-06"
    assert world.store.conflicts() == (), "it is the later edit"
    world.cycle()
    assert world.shows("Search", "due") == dict.fromkeys(world.tools, "2026-06-06")
    told = next(e for e in world.store.history(field="due") if e.action == "observed")
    assert (told.before, told.after) == ("2026-05-05", "2026-06-06"), "no word is lost"


class _Reading:
    """A tool whose `read` is another's."""

    def __init__(self, tool, read):
        self._tool = tool
        self.read = read

    def __getattr__(self, name):
        return getattr(self._tool, name)


# the guard ------------------------------------------------------------------------------------------


def test_the_first_fill_is_not_limited_even_when_it_is_interrupted(world):
    for n in range(60):
        feature(world, f"Feature {n}")
    report = world.cycle(stopping=lambda: world.notion.writes >= 30)
    assert not report.complete
    report = world.cycle()
    assert report.frozen == ()
    settled(world)


def test_a_mass_creation_is_held_back_until_a_person_approves_this_plan(world):
    feature(world)
    world.cycle()
    for n in range(30):
        feature(world, f"Feature {n}")
    report = world.cycle()
    assert len(report.frozen) == 2
    assert "create 30 records in features, which holds 1" in report.frozen[0]
    assert (len(world.asana.records), len(world.notion.records)) == (1, 1)
    plan = world.look().plan
    with pytest.raises(Unsafe, match="the world has moved"):
        world.cycle(approved="another")
    assert len(world.notion.records) == 1
    report = world.cycle(approved=plan.checksum)
    assert report.frozen == ()
    settled(world)
    assert notices(world, "frozen") == []


def test_a_mass_overwrite_is_held_back_and_other_scopes_are_served():
    world = World(small_roadmap(limits=Limits(overwrites=(2, 0.1))))
    made = [feature(world, f"Feature {n}", due="2026-01-01") for n in range(10)]
    goal = world.notion.add("goals", {"title": "Grow"})
    world.cycle()
    for record in made:
        world.jira.edit(record, due="2026-02-02")
    world.notion.edit(goal, title="Grow more")
    report = world.cycle()
    assert len(report.frozen) == 2
    assert world.shows("Grow more", "title") == dict.fromkeys(("asana", "notion"), "Grow more")
    assert world.shows("Feature 3", "due")["notion"] == "2026-01-01"
    for record in made:
        world.jira.edit(record, due="2026-01-01")
    assert world.cycle().frozen == (), "people took it back"
    settled(world)


def test_a_decision_stands_when_the_edits_made_since_are_taken_back(world):
    made = feature(world, "Search")
    world.cycle()
    task = next(iter(world.asana.records))

    def quarrel(one, other):
        world.jira.edit(made, due=one)
        world.asana.edit(task, author="bob", due=other)

    quarrel("2026-02-02", "2026-03-03")
    world.cycle()
    (conflict,) = world.store.conflicts()
    world.store.save_conflicts([replace(conflict, resolution="2026-02-02", resolved_by="ann")])
    world.store.mark_dirty([conflict.item])
    quarrel("2026-05-05", "2026-06-06")
    world.cycle()
    assert len(world.store.conflicts()) == 1, "they were edited again, and differently"
    quarrel("2026-02-02", "2026-03-03")
    world.cycle()
    assert world.store.conflicts() == ()
    assert set(world.shows("Search", "due").values()) == {"2026-02-02"}
    assert world.differences() == []


def test_an_option_that_our_write_has_made_is_ours_though_its_answer_was_lost(world):
    """What has no name yet, for the mapping has not learnt it, must not look like an edit later on."""
    known: dict[Value, str] = {}

    def decode(value, _directory):
        unknown = [each for each in value or () if each not in known]
        if unknown:
            raise UnmappedError(unknown[0], "it is not known yet")
        return tuple(known[each] for each in value or ()) or None

    def encode(value, _container, _directory):
        return tuple(f"{NEW_OPTION}{each}" for each in value or ()) or None

    cells = dict(world.roadmap.cells["feature", "notion"])
    cells["labels"] = replace(cells["labels"], decode=decode, encode=encode)
    world.roadmap = replace(
        world.roadmap, cells={**world.roadmap.cells, ("feature", "notion"): cells}
    )
    world.notion.spell = lambda _name, value: (
        tuple(each.replace(NEW_OPTION, "id-") for each in value)
        if isinstance(value, tuple)
        else value
    )
    made = feature(world, "Search")
    world.cycle()
    world.jira.edit(made, labels=("d",))
    lost(world.notion, "update")
    world.cycle()
    world.jira.edit(made, labels=None)
    world.cycle()
    known["id-d"] = "d"
    world.store.mark_all_dirty()  # as learning does
    for _ in range(3):
        world.cycle(full=True)
    assert world.item("Search").fields.get("labels") is None, "a person has taken it away"
    assert world.record("Search", "jira").fields.get("labels") is None
    assert not world.record("Search", "notion").fields.get("labels")


def without_due(monkeypatch, hidden_in):
    """Let a tool show its records without `due`, as one does that has lost the field."""
    shown = MemoryTool._shown

    def without(tool, scope, record):
        whole = shown(tool, scope, record)
        hidden = "due" if tool is hidden_in else ""
        return replace(whole, fields={n: v for n, v in whole.fields.items() if n != hidden})

    monkeypatch.setattr(MemoryTool, "_shown", without)
    return lambda: monkeypatch.setattr(MemoryTool, "_shown", shown)


def test_a_refusal_that_is_forgotten_is_not_a_field_seen_again(world, monkeypatch):
    made = feature(world, "Search", due="2026-01-01")
    world.cycle()
    row = next(iter(world.notion.records))
    world.notion.refuses = {"due": "there is no such property", "estimate": "too big"}
    world.jira.edit(made, estimate=7.0, due="2026-02-02")
    world.cycle()
    back = without_due(monkeypatch, world.notion)
    world.notion.edit(row)
    world.cycle()
    back()
    world.notion.refuses.pop("due")
    world.notion.edit(row, due=None)
    world.cycle(full=True)
    assert world.jira.records[made].fields["due"] == "2026-02-02"
    assert world.notion.records[row].fields["due"] == "2026-02-02"


@pytest.mark.parametrize("empty", [None, False, "", ()])
def test_a_field_that_is_back_and_empty_is_filled_again(world, monkeypatch, empty):
    """A checkbox that was made again is not ticked: what a field shows then is nobody's word."""
    made = feature(world, "Search", due="2026-01-01")
    world.cycle()
    row = next(iter(world.notion.records))
    back = without_due(monkeypatch, world.notion)
    world.notion.edit(row)
    world.cycle()
    back()
    world.notion.edit(row, due=empty)
    world.cycle()
    assert world.jira.records[made].fields["due"] == "2026-01-01"
    assert world.notion.records[row].fields["due"] == "2026-01-01"
