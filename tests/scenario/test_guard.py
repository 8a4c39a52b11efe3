"""A scope is held back, says why and what waits, and goes on when a person has agreed to exactly that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from syncd.core.rules import Limits
from syncd.engine import hold
from syncd.testing.world import DAY, World, native, small_roadmap


def feature(world, title, **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def filled(count=1, **options):
    world = World(small_roadmap(**options))
    made = [feature(world, f"Feature {n}", due="2026-01-01") for n in range(count)]
    world.cycle()
    return world, made


def held(world, connection):
    return next(h for h in hold.waiting(world.store) if h.connection == connection)


def agree(world, found, lasts=900.0):
    now = world.clock.now()
    return hold.approve(world.store, found, "ann", now, now + lasts)


def soon(world, **options):
    """Run a cycle a minute later."""
    world.clock.advance(60.0 - 3600.0)
    return world.cycle(**options)


def actions(world, *wanted):
    return [e.action for e in reversed(world.store.history()) if e.action in wanted]


def test_a_held_scope_says_what_would_be_done_and_goes_on_when_exactly_that_is_approved():
    world, _ = filled()
    for n in range(30):
        feature(world, f"New {n}")
    world.cycle()
    found = held(world, "notion")
    assert (found.creates, found.updates, len(found.changes)) == (30, 0, 30)
    assert found.examples[0].startswith("New ")
    assert len(world.notion.records) == len(world.asana.records) == 1
    agree(world, found)
    soon(world)
    assert len(world.notion.records) == 31
    assert len(world.asana.records) == 1, "nobody has agreed to that"
    assert actions(world, "held", "approved", "released") == [
        "held", "held", "approved", "released",
    ]  # fmt: skip
    agree(world, held(world, "asana"))
    assert soon(world).frozen == ()
    assert world.differences() == []
    assert hold.waiting(world.store) == ()
    assert [n for n in world.store.notices() if n.kind == "frozen"] == []


def test_a_plan_that_has_changed_is_refused_with_the_difference():
    world, _ = filled()
    for n in range(30):
        feature(world, f"New {n}")
    world.cycle()
    found = held(world, "notion")
    agree(world, found)
    feature(world, "One more")
    report = soon(world)
    assert len(world.notion.records) == 1
    told = next(text for text in report.frozen if found.checksum in text)
    assert f"plan {found.checksum}, which ann approved, is another one: 1 more (One more)" in told
    assert [h.checksum for h in hold.waited(world.store)].count(found.checksum) == 1


def test_less_than_was_approved_goes_on():
    world, _ = filled()
    made = [feature(world, f"New {n}") for n in range(30)]
    world.cycle()
    agree(world, held(world, "notion"))
    world.jira.trash(made[0])
    soon(world)
    assert len(world.notion.records) == 30


def test_an_approval_expires_and_whoever_gave_it_is_told():
    world, _ = filled()
    for n in range(30):
        feature(world, f"New {n}")
    world.cycle()
    found = held(world, "notion")
    until = agree(world, found).until
    report = world.cycle()  # an hour later
    assert len(world.notion.records) == 1
    at = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    gone = f"the approval of plan {found.checksum} by ann expired at {at}"
    assert held(world, "notion").note == gone
    assert any(text.endswith(gone) for text in report.frozen)
    assert [gone in n.sentence for n in world.store.notices() if "notion" in n.subject] == [True]
    feature(world, "One more")
    world.cycle()
    waits = held(world, "notion")
    assert waits.note == f"{gone}, and since then: 1 more (One more)"
    assert f"run `syncd approve {waits.checksum}`; the approval of" in waits.sentence
    assert actions(world, "lapsed") == ["lapsed"], "told once in the history"
    agree(world, waits)
    soon(world)
    assert len(world.notion.records) == 32
    world.cycle()
    assert hold.approvals(world.store) == ()
    assert actions(world, "lapsed") == ["lapsed"], "an approval that was used does not lapse"


def test_the_limit_is_for_the_cycle_and_not_for_each_round():
    """What people edit in Asana while the first round writes there is for Jira in the second."""
    world = World(small_roadmap(limits=Limits(overwrites=(10, 0.0))))
    made = [feature(world, f"Feature {n}", due="2026-01-01", notes="old") for n in range(18)]
    world.cycle()
    for n in range(10):
        world.notion.edit(world.record(f"Feature {n}", "notion").id, notes="new")
    for n in range(10, 18):
        world.jira.edit(made[n], title=f"Renamed {n}")
    edited = set()

    def at_the_same_time(record):
        if record not in edited:
            edited.add(record)
            world.asana.edit(record, due="2026-05-05")

    world.asana.before_write = at_the_same_time
    report = world.cycle()
    assert len(edited) == 8
    assert [world.jira.records[m].fields["notes"] for m in made[:10]] == ["new"] * 10
    assert {world.jira.records[m].fields["due"] for m in made} == {"2026-01-01"}
    assert "change 18 records in the site" in " ".join(report.frozen)


def test_people_whose_tools_hold_values_already_are_protected_from_the_first_cycle_on():
    world = World(small_roadmap(limits=Limits(overwrites=(2, 0.1))))
    for n in range(10):
        feature(world, f"Feature {n}", estimate=5.0)
        world.notion.add("features", {"title": f"Feature {n}", "estimate": 1.0, "status": None})
    report = world.cycle()
    assert "change 10 records in features, which holds 10" in " ".join(report.frozen)
    assert {r.fields["estimate"] for r in world.notion.records.values()} == {1.0}
    agree(world, held(world, "notion"))
    soon(world)
    assert {r.fields["estimate"] for r in world.notion.records.values()} == {5.0}
    assert world.differences() == []


def test_what_people_have_decided_is_not_counted_as_a_mass_overwrite():
    world, made = filled(10, limits=Limits(overwrites=(10, 0.0)))
    rows = {world.notion.records[r].fields["title"]: r for r in world.notion.records}
    for number, record in enumerate(made):
        world.jira.edit(record, due="2026-02-02")
        world.notion.edit(rows[f"Feature {number}"], due="2026-03-03")
    world.cycle()
    world.roadmap = small_roadmap(limits=Limits(overwrites=(2, 0.0)))
    settled = [
        replace(each, resolution="2026-03-03", resolved_by="ann")
        for each in world.store.conflicts()
    ]
    assert len(settled) == 10
    world.store.save_conflicts(settled)
    world.store.mark_dirty([each.item for each in settled])
    assert world.cycle().frozen == ()
    assert {r.fields["due"] for r in world.jira.records.values()} == {"2026-03-03"}


def test_a_fill_that_was_killed_before_late_fields_is_not_taken_for_a_mass_overwrite():
    """Jira takes a status only in an update: what it shows until then is nobody's word."""
    world = World(small_roadmap(limits=Limits(overwrites=(2, 0.0))))
    world.notion.at_creation = frozenset(["status"])
    world.notion.defaults = {"status": native("notion", "idea")}
    for n in range(10):
        feature(world, f"Feature {n}")
    world.cycle(stopping=lambda: len(world.notion.records) >= 10)
    assert world.cycle().frozen == ()
    assert world.differences() == []


def test_a_list_that_really_is_that_short_is_believed_once_a_person_says_so():
    world, made = filled(20)
    left = set(made[:4])
    world.jira.lists = lambda record: record.id in left
    world.cycle(full=True)
    found = held(world, "jira")
    assert found.kind == "list"
    assert "20 are known" in found.sentence
    agree(world, found)
    assert soon(world).frozen == ()
    for _ in range(3):
        world.clock.advance(DAY)
        assert world.cycle().frozen == (), "it stays believed"
    world.jira.lists = lambda record: False
    world.clock.advance(DAY)
    (sentence,) = world.cycle().frozen
    assert "listed 0 records where 4 are known" in sentence, "an empty list is never believed"
    assert actions(world, "approved", "released") == ["approved", "released"]


def test_another_short_list_than_the_approved_one_stays_frozen():
    world, made = filled(40)
    left = set(made[:15])
    world.jira.lists = lambda record: record.id in left
    world.cycle(full=True)
    agree(world, held(world, "jira"))
    left.pop()
    assert soon(world).frozen
    assert "listed 14 records" in held(world, "jira").sentence
    assert ", which ann approved, is another one" in held(world, "jira").sentence


def test_a_frozen_list_tells_what_waits_there():
    world, _ = filled(20)
    world.jira.lists = lambda record: False
    row = world.record("Feature 3", "notion").id
    world.notion.edit(row, due="2026-09-09")
    world.cycle(full=True)
    found = held(world, "jira")
    assert (found.creates, found.updates, found.examples) == (
        0, 1, ("Feature 3 (due 2026-01-01 -> 2026-09-09)",),
    )  # fmt: skip
