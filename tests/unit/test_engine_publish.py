"""The page leadership reads: smallest edits, people's blocks untouched, interruptions mended."""

from __future__ import annotations

import pytest

from syncd.core.errors import Place, Unavailable
from syncd.core.rules import PageRule
from syncd.engine.hold import approve, waiting
from syncd.engine.publish import publish
from syncd.testing.world import DAY, World, native, small_roadmap

PAGE = "page-1"
PAGE_RULE = PageRule("notion", "Roadmap", None, Place("roadmap.yaml", 30), ("goal", "feature"))


@pytest.fixture
def world():
    world = World(small_roadmap(pages=[PAGE_RULE]))
    world.notion.add("goals", {"title": "Grow", "status": native("notion", "in progress")})
    for n in range(5):
        add(world, f"Feature {n}")
    world.cycle()
    return world


def add(world, title, **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def rename(world, old, new):
    world.jira.edit(world.record(old, "jira").id, title=new)


def calls(world):
    """Return the calls of one cycle by operation."""
    world.pages.faults.calls.clear()
    world.cycle()
    return dict(world.pages.faults.calls)


def text(world):
    return "\n".join(world.pages.text(PAGE))


def whole(world):
    """Assert that the page shows each wanted thing once, in order, under one verdict."""
    lines = world.pages.text(PAGE)
    assert sum(line.startswith("callout") for line in lines) == 1
    assert lines[0].startswith("callout")
    news = lines.index("heading_2||What changed since yesterday")
    shown = [line.split("**")[1] for line in lines[:news] if line.startswith("bullet")]
    titles = sorted(i.title for i in world.items() if i.level == "feature")
    assert shown == ["Grow", *titles]


def test_the_page_is_made_and_then_left_alone(world):
    whole(world)
    assert calls(world) == {}
    assert len(world.pages.contents) == 1


def test_a_page_that_people_have_made_is_used():
    world = World(small_roadmap(pages=[PAGE_RULE]))
    world.pages.create_page("Roadmap", None)
    world.pages.write(PAGE, "Welcome", 0)
    add(world, "Feature 0")
    world.cycle()
    assert list(world.pages.contents) == [PAGE]
    assert world.pages.text(PAGE)[0] == "Welcome"


def without_page():
    world = World(small_roadmap(pages=[PAGE_RULE]))
    add(world, "Feature 0")
    return world


def told(world):
    return [n for n in world.store.notices() if n.kind == "unanswered"]


@pytest.mark.parametrize("made", [True, False])
def test_a_creation_without_an_answer_is_looked_for_until_the_search_must_know(made):
    world = without_page()
    error = Unavailable("notion", "no answer", maybe_applied=True)
    world.pages.hidden = True
    world.pages.faults.add("create_page", error, after_effect=made)
    world.cycle()
    for _ in range(3):
        publish(world.context())
        world.clock.advance(150.0)
    assert world.pages.faults.calls["create_page"] == 1, "the search may be minutes behind"
    (notice,) = told(world)
    assert "ten minutes" in notice.sentence
    world.pages.hidden = False
    publish(world.context())
    assert world.pages.faults.calls["create_page"] == 1
    if not made:
        assert told(world) == [notice]
        world.clock.advance(150.0)
        publish(world.context())
    assert list(world.pages.contents) == [PAGE]
    assert "Feature 0" in text(world)
    assert told(world) == []


def test_a_process_that_begins_after_a_lost_creation_waits_anew():
    world = without_page()
    error = Unavailable("notion", "no answer", maybe_applied=True)
    world.pages.faults.add("create_page", error)
    world.cycle()
    for _ in range(3):  # from a timer
        world.opened.clear()
        world.cycle()
    assert world.pages.faults.calls["create_page"] == 1
    world.clock.advance(3 * DAY)
    world.opened.clear()
    world.cycle()
    assert list(world.pages.contents) == [PAGE]


def test_a_creation_that_was_refused_is_tried_again_at_once():
    world = without_page()
    world.pages.faults.add("create_page", Unavailable("notion", "down: try again"))
    world.cycle()
    assert told(world) == []
    publish(world.context())
    assert list(world.pages.contents) == [PAGE]


def test_one_changed_line_is_one_replaced_block_besides_the_verdicts_date(world):
    world.jira.edit(world.record("Feature 3", "jira").id, estimate=5.0)
    assert calls(world) == {}, "the page does not show estimates"
    world.jira.edit(world.record("Feature 3", "jira").id, status=native("jira", "done"))
    used = calls(world)
    assert used["replace"] == 2, "the line, and the verdict with its date"
    assert "Feature 3** · done" in text(world)
    whole(world)
    assert calls(world) == {}


def test_an_item_whose_creation_in_a_tool_waits_is_shown_once_and_leads_nowhere(world):
    """The page tells what is planned, not which tool has it already: see docs/explanation/safety.md."""
    for n in range(30):
        add(world, f"Held {n}")
    world.cycle()
    (found, *_) = [h for h in waiting(world.store) if h.connection == "notion"]
    held = {row.fields["title"] for row in world.notion.records.values()}
    assert "Held 7" not in held
    whole(world)
    assert "Held 7** · planned" in text(world)
    assert "](" not in text(world), (
        "no line links to a record, so none leads to one that is missing"
    )
    now = world.clock.now()
    approve(world.store, found, "ann", now, now + 7200.0)
    before = text(world)
    world.cycle()
    assert world.record("Held 7", "notion") is not None
    assert text(world) == before, "what is shown was true before the creation, and is after it"


def test_a_persons_own_blocks_stay_where_they_are(world):
    top = world.pages.write(PAGE, "a person's welcome", 0)
    middle = world.pages.write(PAGE, "a person's remark", 5)
    last = world.pages.write(PAGE, "a person's end", len(world.pages.contents[PAGE]))
    for n in range(3):
        add(world, f"New {n}")
    rename(world, "Feature 2", "Feature 2b")
    world.cycle()
    world.cycle(full=True)
    world.clock.advance(3 * DAY)
    world.cycle()
    held = dict(world.pages.contents[PAGE])
    assert (held[top], held[middle], held[last]) == (
        "a person's welcome", "a person's remark", "a person's end",
    )  # fmt: skip
    assert world.pages.text(PAGE)[0] == "a person's welcome"
    assert "New 2" in text(world)


@pytest.mark.parametrize("operation", ["append", "replace", "remove"])
@pytest.mark.parametrize("after_effect", [True, False])
@pytest.mark.parametrize("skip", [0, 1])
def test_an_interrupted_edit_is_finished_without_doubled_blocks(
    world, operation, after_effect, skip
):
    world.clock.advance(3 * DAY)
    world.pages.batch = 2
    rename(world, "Feature 1", "Feature 1b")
    for n in range(3):
        add(world, f"New {n}")
    error = Unavailable("notion", "down: try again", maybe_applied=after_effect)
    world.pages.faults.add(operation, error, after_effect=after_effect, skip=skip)
    world.cycle()
    world.cycle()
    world.cycle()
    whole(world)
    assert len(set(world.pages.text(PAGE))) == len(world.pages.text(PAGE))
    assert calls(world) == {}


def test_a_list_that_was_cut_short_doubles_no_line_for_long(world):
    world.pages.short = len(world.pages.contents[PAGE]) // 2
    world.cycle(full=True)
    world.pages.short = None
    world.cycle(full=True)
    whole(world)
    assert len(set(world.pages.text(PAGE))) == len(world.pages.text(PAGE))
    world.cycle(full=True)
    assert calls(world) == {}


def test_a_failing_page_does_not_stop_the_records(world):
    rename(world, "Feature 1", "Feature 1b")
    world.pages.faults.add("replace", Unavailable("notion", "down: try again"))
    report = world.cycle()
    assert report.tallies["notion"].error == "down: try again"
    assert world.record("Feature 1b", "notion").fields["title"] == "Feature 1b"


@pytest.mark.parametrize("place", [0, 3, -1])
def test_a_deleted_block_is_put_back_when_it_changes_or_when_everything_is_looked_at(world, place):
    content = world.pages.contents[PAGE]
    removed = content.pop(place)
    assert calls(world) == {}
    world.cycle(full=True)
    assert removed[1].split("·")[0] in text(world)
    whole(world)
    assert calls(world) == {}


@pytest.mark.parametrize("title", ["Grow", "Feature 0", "Feature 4"])
def test_a_deleted_line_that_changes_comes_back_in_its_place(world, title):
    content = world.pages.contents[PAGE]
    place = next(n for n, block in enumerate(content) if f"**{title}**" in block[1])
    del content[place]
    tool, name = (world.notion, "notion") if title == "Grow" else (world.jira, "jira")
    tool.edit(world.record(title, name).id, due="2027-01-01")
    world.cycle()
    whole(world)
    assert calls(world) == {}


def test_a_deleted_verdict_comes_back_on_top_when_it_changes(world):
    del world.pages.contents[PAGE][0]
    rename(world, "Feature 1", "Feature 1b")
    world.cycle()
    whole(world)
    assert calls(world) == {}


def test_a_block_of_ours_that_a_person_has_rewritten_is_put_right_when_everything_is_looked_at(
    world,
):
    block, _signature = world.pages.contents[PAGE][3]
    world.pages.contents[PAGE][3] = (block, "bullet||nonsense")
    world.cycle(full=True)
    assert "nonsense" not in text(world)
    whole(world)


def test_news_move_on_with_the_day(world):
    rename(world, "Feature 1", "Feature 1b")
    world.cycle()
    assert "title Feature 1 → Feature 1b" in text(world)
    world.clock.advance(3 * DAY)
    used = calls(world)
    assert "→" not in text(world)
    assert "Nothing changed." in text(world)
    assert used.get("append", 0) <= 1
    whole(world)
