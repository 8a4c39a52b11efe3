"""Twelve scenarios worth crashing in, and what each must lead to, whatever happens on the way.

`prepare` brings a world to the moment before; people then edit; the run that follows is the one to crash.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from syncd.core.errors import Place, Unavailable
from syncd.core.ports import Store
from syncd.core.records import Record, Value
from syncd.core.rules import PageRule
from syncd.engine.recover import UNFOUND
from syncd.testing.world import World, native, small_roadmap

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2} UTC)?")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name, what comes before, and what people do then. `full`: its first cycle reads everything."""

    name: str
    prepare: Callable[[World], None]
    act: Callable[[World], None]
    full: bool = False
    page: bool = False
    lost: bool = False  # the state is gone when it begins

    def world(self, path: Path) -> World:
        """Return a new world with the mapping of this scenario, its state at this path."""
        rule = PageRule("notion", "Roadmap", None, Place("roadmap.yaml", 30), ("goal", "feature"))
        return World(small_roadmap(pages=[rule] if self.page else []), path)


# who lives there --------------------------------------------------------------------------------------


def _found(world: World) -> None:
    """Let people begin a goal, two features and three work items."""
    goal = world.notion.add("goals", {"title": "Grow", "status": native("notion", "planned")})
    del goal
    for title, due in (("Search", "2026-05-05"), ("Pay", None)):
        values: dict[str, Value] = {"title": title, "status": native("jira", "planned"), "due": due}
        above = world.jira.add("project", {**values, "labels": ("a", "b")}, kind="feature")
        for part in ("Index", "Rank")[: 2 if due else 1]:
            below = {"title": f"{title} {part}", "status": native("jira", "done"), "parent": above}
            world.jira.add("project", {**below, "estimate": 3.0}, kind="work_item")


def _nothing(world: World) -> None:
    del world


def _in_step(world: World) -> None:
    _found(world)
    for _ in range(4):
        if world.cycle().writes == 0:
            break
    world.notion.edit(_of(world, "notion", "Search"), parent=_of(world, "notion", "Grow"))
    world.cycle()
    world.cycle()


def _of(world: World, tool: str, title: str) -> str:
    """Return the record in a tool with this title."""
    return next(r.id for r in world.tools[tool].records.values() if r.fields.get("title") == title)


# what happens -------------------------------------------------------------------------------------------


def _edit_each_owner(world: World) -> None:
    world.jira.edit(_of(world, "jira", "Search"), title="Find", estimate=8.0)
    world.notion.edit(_of(world, "notion", "Search"), notes="why we do it")
    world.asana.edit(_of(world, "asana", "Pay"), due="2026-09-09")
    world.notion.edit(_of(world, "notion", "Grow"), title="Grow twice")
    world.asana.edit(_of(world, "asana", "Search"), title="not yours")


def _disagree(world: World) -> None:
    world.jira.edit(_of(world, "jira", "Search"), due="2026-06-01")
    world.notion.edit(_of(world, "notion", "Search"), due="2026-07-01")
    world.asana.edit(_of(world, "asana", "Pay"), labels=("c",))


def _disagreed(world: World) -> None:
    _in_step(world)
    _disagree(world)
    world.cycle()


def _settle(world: World) -> None:
    for conflict in world.store.conflicts():
        settled = replace(conflict, resolution="2026-06-01", resolved_by="ann")
        world.store.save_conflicts([settled])
        world.store.mark_dirty([conflict.item])


def _move_on(world: World) -> None:
    world.jira.edit(_of(world, "jira", "Search"), status=native("jira", "in progress"))
    world.jira.edit(_of(world, "jira", "Pay Index"), status=native("jira", "planned"))
    world.notion.edit(_of(world, "notion", "Grow"), status=native("notion", "done"))


def _begin_a_tree(world: World) -> None:
    world.notion.add("goals", {"title": "Shrink", "status": native("notion", "blocked")})
    above = world.jira.add(
        "project", {"title": "Merge", "status": native("jira", "done")}, kind="feature"
    )
    for number in range(3):
        values: dict[str, Value] = {"title": f"Merge {number}", "parent": above, "estimate": 1.0}
        world.jira.add("project", {**values, "status": native("jira", "planned")}, kind="work_item")


def _lost(world: World, tool: str, operation: str) -> None:
    error = Unavailable(tool, "no answer: try again", maybe_applied=True)
    world.tools[tool].faults.add(operation, error, after_effect=True)


def _unknown_creations(world: World) -> None:
    _found(world)
    for name in ("asana", "notion"):
        world.tools[name].lag = 30.0
        _lost(world, name, "create")
    world.cycle()


def _unknown_edits(world: World) -> None:
    _in_step(world)
    _edit_each_owner(world)
    for name in world.tools:
        _lost(world, name, "update")
    world.cycle()


def _delete(world: World) -> None:
    world.asana.delete(_of(world, "asana", "Pay"))
    world.notion.trash(_of(world, "notion", "Search Rank"))
    world.jira.edit(_of(world, "jira", "Search"), due="2026-12-01")


def _filled_by_hand(world: World) -> None:
    """Let the tools hold the same work already: made by hand, and by a state that was lost."""
    _in_step(world)
    world.asana.add("features", {"title": "By hand", "status": native("asana", "planned")})
    world.jira.add(
        "project", {"title": "By hand", "status": native("jira", "done")}, kind="feature"
    )


def _expire(world: World) -> None:
    _edit_each_owner(world)
    for tool in world.tools.values():
        tool.expire_cursors()


SCENARIOS = (
    Scenario("first fill", _nothing, _found, page=True),
    Scenario("one edit in each owner", _in_step, _edit_each_owner),
    Scenario("two edits of a shared field", _in_step, _disagree),
    Scenario("a conflict that a person settles", _disagreed, _settle),
    Scenario("steps of a workflow", _in_step, _move_on),
    Scenario("creations with their parents", _in_step, _begin_a_tree),
    Scenario("a page", _in_step, _edit_each_owner, page=True),
    Scenario("creations without an answer", _unknown_creations, _nothing),
    Scenario("edits without an answer", _unknown_edits, _nothing),
    Scenario("a full read after deletions", _in_step, _delete, full=True),
    Scenario("taken up again without a state", _filled_by_hand, _nothing, lost=True),
    Scenario("cursors that have expired", _in_step, _expire),
)


# what it must lead to -----------------------------------------------------------------------------------


def outcome(world: World, store: Store) -> dict[str, object]:
    """Return what all must agree on in the end, without ids of the tools and times.

    That a creation was looked for in vain tells of the crash itself.
    """
    items = store.items_at(tuple(world.roadmap.sides))
    told = Counter(
        (e.item, e.field, e.action, e.connection, str(e.before), str(e.after), e.author)
        for e in store.history(limit=100_000)
        if e.action != UNFOUND
    )
    return {
        **{name: _content(tool.records) for name, tool in world.tools.items()},
        "page": {t: [_MOMENT.sub("(moment)", b) for b in world.pages.text(p)]
                 for p, t in world.pages.titles.items()},
        "items": sorted((i.id, i.level, i.parent, sorted(i.fields.items())) for i in items),
        "conflicts": sorted(
            (c.item, c.field, c.base, [(k.connection, k.value) for k in c.claims], c.resolution,
             c.resolved_at is None)
            for c in store.conflicts(open_only=False)
        ),
        "notices": sorted((n.kind, n.field) for n in store.notices()),
        "unsettled": [i.id for i in store.open_intents()],
        "history": sorted(told.items(), key=repr),
    }  # fmt: skip


def _content(records: dict[str, Record]) -> list[str]:
    titles = {record.id: record.fields.get("title") for record in records.values()}
    found = []
    for record in records.values():
        fields = {**record.fields, "parent": titles.get(str(record.fields.get("parent")))}
        place = (record.container, record.kind, record.marker, record.trashed)
        found.append(repr((place, sorted(fields.items(), key=repr))))
    return sorted(found)
