"""Tools that hold the same work already meet: a person looks before anything is created twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.adoption import Pair
from syncd.core.errors import UserError
from syncd.core.people import Directory
from syncd.core.rules import Limits
from syncd.engine import adopt, hold
from syncd.testing.world import World, native, small_roadmap

ASK = Limits(review=True)


@pytest.fixture
def world():
    return World(small_roadmap(limits=ASK))


def feature(world, title, **fields):
    values = {"title": title, "status": native("jira", "planned"), **fields}
    return world.jira.add("project", values, kind="feature")


def row(world, title, **fields):
    values = {"title": title, "status": native("notion", "planned"), **fields}
    return world.notion.add("features", values)


def meetings(world):
    return adopt.meetings(world.roadmap, Directory(), world.store)


def decide(world, accept=(), reject=(), *, finish=False):
    found = meetings(world)
    adopt.decide(world.store, found, accept, reject, adopt.Word("ann", world.clock.now()))
    if finish:
        adopt.finish(world.roadmap, world.store, meetings(world))


def told(world):
    return [n.sentence for n in world.store.notices() if n.kind == "adopt"]


def test_nothing_is_created_beside_records_nobody_recognises_until_somebody_has_looked(world):
    key = feature(world, "Search")
    feature(world, "Old")
    row(world, "Find things", notes=f"this is {world.jira.records[key].key}")
    row(world, "Brand new")
    row(world, "old")
    for _ in range(2):
        report = world.cycle()
        assert len(world.notion.records) == 3
        assert len(world.jira.records) == 2
        assert "2 features of notion are not known" in " ".join(report.frozen)
    assert world.shows("Old", "title")["notion"] == "Old", "a title that is unmistakable links"
    assert len(world.asana.records) == 2, "an empty project is filled without a review"
    assert told(world)
    (found,) = meetings(world)
    assert (found.level, found.connection) == ("feature", "notion")
    (pair,) = found.review.proposed
    assert (found.titles[pair.stranger], found.items[pair.item].title) == ("Find things", "Search")
    assert "it names the item's record" in pair.reasons
    assert [found.titles[each] for each in found.review.unknown] == ["Brand new"]
    decide(world, [pair], finish=True)
    world.cycle()
    assert len(world.notion.records) == 3
    assert len(world.jira.records) == 3, "what was new is created elsewhere"
    assert world.notion.records[pair.stranger].fields["title"] == "Search", "the owner decides"
    assert (told(world), meetings(world)) == ([], ())
    assert world.differences() == []
    before = world.writes
    world.cycle()
    assert world.writes == before
    linked = [e for e in world.store.history() if e.author == "ann"]
    assert [(e.action, "adopted" in e.detail) for e in linked] == [("linked", True)]


def test_twins_are_asked_about_and_a_rejected_pair_is_not_shown_again(world):
    feature(world, "Search")
    feature(world, "Search")
    stranger = row(world, "Search")
    world.cycle()
    (found,) = meetings(world)
    assert found.review.proposed == ()
    one, other = found.review.ambiguous[stranger]
    decide(world, reject=[one])
    (found,) = meetings(world)
    assert found.review.pairs == (other,)
    decide(world, accept=[other], finish=True)
    world.cycle()
    world.cycle()
    assert len(world.notion.records) == 2
    assert len(world.jira.records) == 2
    assert world.differences() == []


def test_what_has_been_linked_meanwhile_cannot_be_accepted(world):
    feature(world, "Search")
    feature(world, "Search")
    stranger = row(world, "Search")
    world.cycle()
    one, other = meetings(world)[0].review.ambiguous[stranger]
    with pytest.raises(UserError, match="can no longer be accepted"):
        decide(world, accept=[one, other])
    assert world.store.record("notion", stranger).item is None, "all or nothing"


def test_an_empty_tool_is_filled_without_a_review_and_people_add_records_later(world):
    feature(world, "Search")
    assert world.cycle().frozen == ()
    assert len(world.notion.records) == 1
    row(world, "Later")
    feature(world, "Also later")
    assert world.cycle().frozen == ()
    assert world.differences() == []
    assert len(world.items()) == 3


def test_when_all_that_is_there_is_recognised_no_review_is_needed(world):
    feature(world, "Search")
    feature(world, "Other")
    row(world, "Search")
    assert world.cycle().frozen == ()
    assert len(world.notion.records) == 2
    assert world.differences() == []


def test_more_than_is_missing_elsewhere_cannot_be_a_duplicate(world):
    feature(world, "Search")
    row(world, "Search")
    row(world, "Only here")
    assert world.cycle().frozen == ()
    assert world.differences() == []


def test_the_tool_that_answers_late_is_the_one_that_waits(world):
    row(world, "Find")
    feature(world, "Search")
    world.jira.down = True
    world.cycle()
    world.jira.down = False
    world.cycle()
    assert (len(world.notion.records), len(world.jira.records)) == (1, 1)
    (found,) = meetings(world)
    assert found.connection == "jira"


def test_what_waits_for_a_review_is_not_held_back_a_second_time(world):
    feature(world, "Search")
    world.cycle()
    world.store.save_document(adopt.ADOPTION, {"feature notion": 1})
    row(world, "Unknown thing")
    for number in range(30):
        feature(world, f"New {number}")
    report = world.cycle()
    assert [held.connection for held in hold.waiting(world.store)] == ["asana"]
    assert len(report.frozen) == 2, "Asana by the limit, Notion by the review"


def test_a_tool_that_was_never_read_leaves_levels_it_has_no_part_in_alone(world):
    """Work items do not live in Asana: first contact is over for them though it never answered."""
    world.asana.down = True
    feature(world, "Search")
    world.cycle()
    state = adopt.states(world.roadmap, world.store)
    assert state["work_item", "notion"] == adopt.OVER
    assert ("feature", "notion") not in state


def test_a_mapping_may_say_that_nothing_is_asked():
    world = World(small_roadmap(limits=replace(ASK, review=False)))
    feature(world, "Search")
    row(world, "Find")
    world.cycle()
    assert len(world.notion.records) == len(world.jira.records) == 2


def test_a_state_from_before_reviews_were_kept_goes_on(world):
    feature(world, "Search")
    world.cycle()
    world.store.save_document(adopt.ADOPTION, None)
    row(world, "Later")
    feature(world, "Also later")
    assert world.cycle().frozen == ()
    assert world.differences() == []


def test_a_short_id_names_a_pair():
    one, other = Pair("n1", "i1", 60, ()), Pair("n1", "i2", 60, ())
    assert one.id == replace(one, score=80).id != other.id
