"""Laws of what an operator does: approving changes when, not what; an undo and its undo change nothing."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.people import Directory
from syncd.core.rules import Limits
from syncd.engine import hold, undo
from syncd.testing.world import World, native, small_roadmap

TIGHT = Limits(creates=(1, 0.0), overwrites=(1, 0.0))
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["jira", "notion"]),
        st.integers(0, 5),
        st.sampled_from(["due", "title", "estimate"]),
        st.integers(1, 9),
    ),
    max_size=10,
)


def value(name, number):
    return {"due": f"2026-01-0{number}", "title": f"Title {number}", "estimate": float(number)}[
        name
    ]


def feature(world, title, **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def edit(world, edits):
    for tool, which, name, number in edits:
        records = sorted(world.tools[tool].records)
        if records:
            record = records[which % len(records)]
            world.tools[tool].edit(record, **{name: value(name, number)})


def contents(world):
    """Return what every tool shows, in an order of its own."""
    names = ("title", "due", "estimate")
    return sorted(
        (connection, *(str(record.fields.get(name)) for name in names))
        for connection, tool in world.tools.items()
        for record in tool.records.values()
    )


def approve_all(world):
    """Run cycles and approve what is held back, until nothing is."""
    for _ in range(12):
        held = hold.waiting(world.store)
        if not held:
            return
        now = world.clock.now()
        for each in held:
            hold.approve(world.store, each, "ann", now, now + 7200.0)
        world.cycle()
    raise AssertionError("something is held back for ever")


@settings(max_examples=8, deadline=None, suppress_health_check=SLOW)
@given(count=st.integers(1, 6), later=st.integers(0, 6), edits=EDITS)
def test_approving_changes_when_and_not_what(count, later, edits):
    outcomes = []
    for limits in (TIGHT, Limits(creates=(999, 1.0), overwrites=(999, 1.0))):
        world = World(small_roadmap(limits=limits, on_conflict="jira"))
        for number in range(count):
            feature(world, f"Feature {number}", due="2026-01-01")
        world.cycle()
        for number in range(later):
            feature(world, f"Later {number}")
        edit(world, edits)
        world.cycle()
        approve_all(world)
        world.cycle()
        approve_all(world)
        assert world.differences() == []
        before = world.writes
        world.cycle()
        assert world.writes == before
        outcomes.append(contents(world))
    assert outcomes[0] == outcomes[1]


def take_back(world, number):
    entries = undo.of_cycle(world.store, number)
    found = undo.prepare(world.roadmap, Directory(), world.store, f"cycle {number}", entries)
    return found, undo.decide(world.store, found, "ann", world.clock.now())


@settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
@given(edits=EDITS.filter(bool), carried_out=st.booleans())
def test_an_undo_and_its_undo_change_nothing(edits, carried_out):
    world = World(small_roadmap(on_conflict="jira"))
    for number in range(4):
        feature(world, f"Feature {number}", due="2026-01-01", estimate=1.0)
    world.cycle()
    edit(world, edits)
    before_cycle = contents(world)
    number = world.cycle().number
    after = contents(world)
    if not any(e.action == "wrote" for e in world.store.history() if e.cycle == number):
        return
    found, first = take_back(world, number)
    assert found.left == (), "nobody has changed anything since"
    if carried_out:
        world.cycle()
        assert contents(world) == before_cycle, "every value is as it was before the cycle"
        writes = world.writes
        world.cycle(full=True)
        assert world.writes == writes, "and stays so"
    take_back(world, first)
    world.cycle()
    assert contents(world) == after
    assert world.differences() == []
