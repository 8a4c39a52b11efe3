"""Which record is which item: links, markers, titles, copies, orphans, and circles of parents."""

from __future__ import annotations

import pytest

from syncd.testing.world import World, native


@pytest.fixture
def world():
    return World()


def feature(world, title="Search", **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def work(world, title, parent):
    values = {"title": title, "status": native("jira", "planned"), "parent": parent}
    return world.jira.add("project", values, kind="work_item")


def row(world, title, parent=None):
    values = {"title": title, "status": native("notion", "planned"), "parent": parent}
    return world.notion.add("features", values)


def notices(world, kind):
    return [n.sentence for n in world.store.notices() if n.kind == kind]


def in_step(world):
    assert world.differences() == []
    before = world.writes
    world.cycle()
    assert world.writes == before


def test_records_of_one_title_become_one_item_whichever_tool_is_read_first(world):
    row(world, "  search ")
    feature(world, "Search")
    world.cycle()
    assert [item.title for item in world.items()] == ["Search"]
    assert [len(tool.records) for tool in world.tools.values()] == [1, 1, 1]
    in_step(world)


def test_two_of_a_name_are_never_guessed_at(world):
    feature(world, "Search")
    feature(world, "Search")
    row(world, "Search")
    world.cycle()
    assert len(world.items()) == 3
    in_step(world)


def test_a_renamed_record_keeps_its_item(world):
    made = feature(world)
    world.cycle()
    item = world.item("Search").id
    world.jira.edit(made, title="Find")
    world.cycle()
    assert world.item("Find").id == item
    assert [len(tool.records) for tool in world.tools.values()] == [1, 1, 1]


@pytest.mark.parametrize("title", ["Search", "Search (1)"])
def test_a_copy_with_our_marker_becomes_an_item_of_its_own(world, title):
    feature(world)
    world.cycle()
    original = world.record("Search", "notion")
    copied = world.notion.copy(original.id, title=title)
    world.cycle()
    items = world.items()
    assert sorted(item.title for item in items) == ["Search", title]
    assert [len(tool.records) for tool in world.tools.values()] == [2, 2, 2]
    links = world.store.linked_items("notion", [original.id, copied])
    assert len(set(links.values())) == 2
    before = world.writes
    world.cycle()
    assert world.writes == before


def test_a_state_that_was_lost_is_found_again_by_markers_without_a_duplicate(world):
    made = feature(world)
    world.cycle()
    world.jira.edit(made, title="Find")  # so that titles no longer tell
    fresh = World()
    fresh.tools = world.tools
    fresh.jira, fresh.asana, fresh.notion = world.tools.values()
    fresh.clock.advance(7200.0)
    fresh.cycle()
    assert [len(tool.records) for tool in fresh.tools.values()] == [1, 1, 1]
    in_step(fresh)


def test_an_orphan_is_kept_and_told_and_finds_its_parent_later(world):
    child = work(world, "Index", "j00002")
    world.cycle()
    assert world.item("Index").parent is None
    assert (
        "names j00002 as its parent, which this roadmap does not hold"
        in notices(world, "orphan")[0]
    )
    assert len(world.notion.records) == 1, "it is kept"
    parent = feature(world)
    assert parent == "j00002"
    world.cycle()
    assert world.item("Index").parent == world.item("Search").id
    assert world.notion.records["n00001"].fields["parent"] == world.record("Search", "notion").id
    assert notices(world, "orphan") == []
    assert world.item("Search").fields["items_total"] == 1.0
    assert child in world.jira.records
    in_step(world)


def test_a_moved_child_leaves_one_roll_up_and_joins_the_other(world):
    one, other = feature(world, "One"), feature(world, "Other")
    child = work(world, "Index", one)
    work(world, "Stays", one)
    world.cycle()
    assert world.item("One").fields["items_total"] == 2.0
    world.jira.edit(child, parent=other)
    world.cycle()
    assert world.item("One").fields["items_total"] == 1.0
    assert world.item("Other").fields["items_total"] == 1.0
    in_step(world)


def circle(world):
    """Two rows that name one another as parents, both set between two cycles."""
    one, other = row(world, "One"), row(world, "Other")
    world.cycle()
    world.notion.edit(one, parent=other)
    world.notion.edit(other, parent=one)
    return one, other


def test_a_circle_of_parents_is_not_followed_and_not_overwritten(world):
    one, other = circle(world)
    report = world.cycle()
    assert report.complete
    assert len(notices(world, "circle")) == 1
    assert "is a circle of parents" in notices(world, "circle")[0]
    parents = {item.parent for item in world.items()}
    assert None in parents, "one of them keeps the parent it had"
    assert (world.notion.records[one].fields["parent"], world.notion.records[other].fields["parent"]) == (
        other, one,
    ), "the people who made it see what they wrote"  # fmt: skip
    total = max(item.fields["items_total"] for item in world.items())
    assert total == 1.0
    before = world.writes
    world.cycle()
    assert world.writes == before
    assert len(notices(world, "circle")) == 1, "it is told until it is mended"


@pytest.mark.parametrize("mended", [0, 1])
def test_a_circle_that_is_mended_on_either_side_leaves_the_other_side_followed(world, mended):
    pair = circle(world)
    world.cycle()
    world.notion.edit(pair[mended], parent=None)
    world.cycle()
    world.cycle()
    titles = ("One", "Other")
    free, held = world.item(titles[mended]), world.item(titles[1 - mended])
    assert (free.parent, held.parent) == (None, free.id)
    assert notices(world, "circle") == []
    in_step(world)


def test_a_longer_circle_closed_over_two_cycles_is_seen_too(world):
    rows = [row(world, name) for name in "ABC"]
    world.cycle()
    world.notion.edit(rows[0], parent=rows[1])
    world.notion.edit(rows[1], parent=rows[2])
    world.cycle()
    world.notion.edit(rows[2], parent=rows[0])
    world.cycle()
    assert notices(world, "circle") == [
        "C > A > B > C is a circle of parents; C keeps the parent it had; change one of these parents"
    ]
    assert world.item("C").parent is None
    assert world.item("C").fields["items_total"] == 1.0


def test_a_killed_roll_up_is_taken_up_again(world, monkeypatch):
    """The process dies between two levels of the tree; the goal has not heard of the change yet."""
    goal = world.notion.add("goals", {"title": "Grow", "status": native("notion", "planned")})
    parent = feature(world)
    child = work(world, "Index", parent)
    world.cycle()
    world.notion.edit(world.record("Search", "notion").id, parent=goal)
    world.cycle()
    assert world.item("Grow").fields["items_done"] == 0.0
    world.jira.edit(child, status=native("jira", "done"))
    store, item = world.store, world.item("Grow").id

    class Killed(BaseException):
        pass

    class Dying:
        def __getattr__(self, name):
            return getattr(store, name)

        def aggregates(self, items):
            if item in items:
                raise Killed
            return store.aggregates(items)

    world.store = Dying()
    with pytest.raises(Killed):
        world.cycle()
    world.store = store
    world.cycle()
    assert world.item("Grow").fields["items_done"] == 1.0
    assert world.notion.records[goal].fields["items_done"] == 1.0
    in_step(world)


# values nobody can read -----------------------------------------------------------------------------


def test_an_unmapped_status_of_the_owner_is_told_and_the_canonical_one_stays(world):
    made = feature(world)
    world.cycle()
    world.jira.edit(made, status="jira-odd")
    before = world.writes
    world.cycle()
    assert world.writes == before
    assert world.item("Search").fields["status"] == "planned"
    assert "jira-odd: add it to the mapping's statuses" in notices(world, "unmapped")[0]
    world.jira.edit(made, status=native("jira", "done"))
    world.cycle()
    assert notices(world, "unmapped") == []
    assert set(world.shows("Search", "status").values()) == {"done"}


def test_an_unmapped_status_elsewhere_is_told_and_left_and_costs_no_write(world):
    made = feature(world)
    world.cycle()
    world.notion.edit(world.record("Search", "notion").id, status="notion-odd")
    before = world.writes
    world.cycle()
    assert world.writes == before
    assert "notion-odd: add it" in notices(world, "unmapped")[0]
    world.jira.edit(made, status=native("jira", "done"))
    world.cycle()
    assert set(world.shows("Search", "status").values()) == {"done"}, "the owner decides"
    assert notices(world, "unmapped") == []
