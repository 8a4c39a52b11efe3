"""What has been deleted in every tool that held it counts in no sum, and stands on no page."""

from __future__ import annotations

import pytest
from office import TOOLS, office

from syncd.testing.world import World, native

FEATURE, ABOVE = "Driver roles and rights", "Fleet cockpit"


@pytest.fixture
def acme(tmp_path):
    with office(tmp_path) as world:
        world.settle()
        yield world


def on_the_page(acme):
    page = acme.system.store.document("page:notion:Roadmap at a glance")["page"]
    return any(FEATURE in text for _id, text in acme.system.publishers["notion"].blocks(page))


def totals(acme, *titles):
    """Return how many items are below, as the state has it and as Notion shows it."""
    numbers = [acme.row(title)["Items total"]["number"] for title in titles]
    assert [acme.item(title).fields["items_total"] for title in titles] == numbers
    return numbers


def work(acme):
    """Return the work items below the feature, which only Jira holds."""
    return acme.system.store.children(acme.item(FEATURE).id)


def delete_issue(acme, item):
    record = acme.system.store.records_of([item.id])[item.id]["jira"].record.id
    acme.jira()("DELETE", f"/rest/api/3/issue/{record}?deleteSubtasks=true")


def test_a_leaf_that_only_one_tool_held_leaves_all_sums(acme):
    feature, above = totals(acme, FEATURE, ABOVE)
    delete_issue(acme, work(acme)[0])
    for _ in range(3):
        acme.cycle(full=True)
    assert totals(acme, FEATURE, ABOVE) == [feature - 1, above - 1]
    assert len(work(acme)) == feature, "nothing is forgotten"
    assert "gone" in {notice.kind for notice in acme.system.store.notices()}


def test_what_was_deleted_everywhere_leaves_the_page_until_it_is_restored(acme):
    (above,), parts = totals(acme, ABOVE), work(acme)
    assert on_the_page(acme)
    row, task = acme.record(FEATURE, "notion"), acme.record(FEATURE, "asana")
    for item in (*parts, acme.item(FEATURE)):
        delete_issue(acme, item)
    for _ in range(3):
        acme.cycle(full=True)
    assert on_the_page(acme), "two tools hold it yet"
    assert totals(acme, ABOVE) == [above - len(parts)]
    acme.asana()("DELETE", f"/api/1.0/tasks/{task}")
    acme.notion()("PATCH", f"/v1/pages/{row}", {"in_trash": True})
    for _ in range(3):
        acme.cycle(full=True)
    records = acme.system.store.records_of([acme.item(FEATURE).id])[acme.item(FEATURE).id]
    assert {tool for tool in TOOLS if records[tool].gone_since} == set(TOOLS)
    assert not on_the_page(acme)
    assert totals(acme, ABOVE) == [above - len(parts)]
    acme.notion()("PATCH", f"/v1/pages/{row}", {"in_trash": False})
    for _ in range(2):
        acme.cycle()
    assert on_the_page(acme)


def test_a_leaf_counts_while_any_tool_holds_it_and_again_when_it_is_restored():
    world = World()
    goal = world.notion.add("goals", {"title": "Goal"})
    parts = [
        world.jira.add(
            "project", {"title": title, "status": native("jira", "done")}, kind="feature"
        )
        for title in ("One", "Two")
    ]
    world.cycle()
    for title in ("One", "Two"):
        world.notion.edit(world.record(title, "notion").id, parent=goal)
    world.cycle()

    def counted():
        world.cycle()
        shown = world.notion.records[goal].fields["items_total"]
        assert world.item("Goal").fields["items_total"] == shown
        return shown

    assert counted() == 2
    held = [(tool, world.record("One", tool).id) for tool in ("jira", "asana", "notion")]
    for left, (tool, record) in zip((2, 2, 1), held, strict=True):
        getattr(world, tool).trash(record)
        assert counted() == left
    world.jira.trash(parts[1])
    for tool in ("asana", "notion"):
        getattr(world, tool).trash(world.record("Two", tool).id)
    assert counted() == 0
    world.asana.trash(held[1][1], trashed=False)
    assert counted() == 1
