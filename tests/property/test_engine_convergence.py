"""Whatever people and services do: once it is calm all tools agree, and then nothing is written."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.errors import Unavailable
from syncd.core.model import Item
from syncd.testing.world import TOOLS, World, native, small_roadmap

STATUSES = ("planned", "in progress", "blocked", "done", "cancelled")
VALUES = {
    "title": ["One", " Two ", "Three", "Four"],
    "status": STATUSES,
    "due": [None, "2026-01-01", "2026-02-02"],
    "labels": [None, ("a",), ("a", "b"), ("c",)],
    "notes": [None, "hello", "*well*"],
    "estimate": [None, 1.0, 5.0],
    "progress": [0.99],
}
KINDS = ("goal", "feature", "feature", "work_item", "row")
OPERATIONS = ("create", "create", "update", "update", "update", "list", "read", "find")


class People:
    """Draws what people do next, and does it."""

    def __init__(self, world, data):
        self.world = world
        self.pick = lambda choices: data.draw(st.sampled_from(choices))

    def act(self):
        step = self.pick([self.add, self.edit, self.edit, self.edit, self.move, self.spoil])
        step()

    def records(self, tool, test=lambda record: True):
        return [i for i, record in self.world.tools[tool].records.items() if test(record)]

    def add(self):
        jira, notion = self.world.jira, self.world.notion
        kind, status = self.pick(KINDS), self.pick(STATUSES)
        title = f"Number {len(jira.records) + len(notion.records)}"
        if kind == "goal":
            notion.add("goals", {"title": title, "status": native("notion", status)})
        elif kind == "row":
            notion.add("features", {"title": title, "status": native("notion", status)})
        else:
            jira.add("project", {"title": title, "status": native("jira", status)}, kind=kind)

    def edit(self):
        tool = self.pick(TOOLS)
        records = self.records(tool)
        if records:
            name = self.pick(sorted(VALUES))
            value = self.pick(VALUES[name])
            value = native(tool, value) if name == "status" else value
            self.world.tools[tool].edit(self.pick(records), **{name: value})

    def move(self):
        """Give a work item another feature, or a feature another goal or feature."""
        tool = self.pick(["jira", "notion"])
        if tool == "jira":
            below = self.records(tool, lambda r: r.kind == "work_item")
            above = self.records(tool, lambda r: r.kind == "feature")
        else:
            below = self.records(tool, lambda r: r.container == "features")
            above = self.records(tool, lambda r: r.container in ("goals", "features"))
        if below:
            self.world.tools[tool].edit(self.pick(below), parent=self.pick([None, *above]))

    def spoil(self):
        """Let a call fail, before or after its effect; or let the cursors expire."""
        tool = self.world.tools[self.pick(TOOLS)]
        operation, after = self.pick(OPERATIONS), self.pick([True, False])
        after = after and operation in ("create", "update")
        unknown = after or (operation in ("create", "update") and self.pick([True, False]))
        error = Unavailable(tool.connection, "down: try again", maybe_applied=unknown)
        tool.faults.add(operation, error, after_effect=after, skip=self.pick([0, 1, 2]))
        if self.pick(range(8)) == 0:
            tool.expire_cursors()
        if self.pick(range(4)) == 0:
            tool.shows = not tool.shows


def held_by_a_circle(world):
    return {notice.subject for notice in world.store.notices() if notice.kind == "circle"}


def differences(world):
    circles: set[Item] = {world.store.items([i])[i].title for i in held_by_a_circle(world)}
    return [d for d in world.differences() if d.split(".parent")[0] not in circles]


@given(data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_calm_brings_agreement_in_two_cycles_and_then_silence(data):
    world = World(small_roadmap(on_conflict=data.draw(st.sampled_from(["ask", "notion"]))))
    people = People(world, data)
    for _ in range(data.draw(st.integers(1, 5))):
        for _ in range(data.draw(st.integers(1, 7))):
            people.act()
        world.cycle()
    for tool in world.tools.values():
        tool.faults.waiting.clear()
    world.cycle()
    world.cycle()
    assert differences(world) == []
    before = world.writes
    report = world.cycle(full=data.draw(st.booleans()))
    assert (world.writes - before, report.complete) == (0, True)
    for name, tool in world.tools.items():
        markers = [record.marker for record in tool.records.values() if record.marker]
        assert len(markers) == len(set(markers)), f"a duplicate in {name}"
    assert all(aggregate_is_right(world, item) for item in world.items())


def aggregate_is_right(world, item):
    """Tell whether the stored totals equal a recount of the leaves."""
    if "items_total" not in item.fields:
        return True
    leaves = [leaf for leaf in below(world, item) if leaf.fields.get("status") != "cancelled"]
    done = [leaf for leaf in leaves if leaf.fields.get("status") == "done"]
    return (item.fields["items_total"], item.fields["items_done"]) == (len(leaves), len(done))


def below(world, item):
    found, todo = [], list(world.store.children(item.id))
    while todo:
        step = todo.pop()
        children = world.store.children(step.id)
        todo += children
        found += [] if children else [step]
    return found
