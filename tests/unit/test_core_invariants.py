"""The last checks of a plan: each rule broken once, and the scope that is held back for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core import merge
from syncd.core.invariants import REPEATS, Facts, broken, sending
from syncd.core.model import Item, Provenance, StoredRecord
from syncd.core.plan import CellChange, Change
from syncd.core.records import Record
from syncd.engine import hold
from syncd.testing.world import World

RECORD = Record("jira", "site", "1", "p", None, "WEB-1", "", "1", {})
ITEM = Item("i1", "feature", "jira", fields={"title": "Map", "items_done": 1.0, "items_total": 2.0})
GOOD = Facts(ITEM, None, unsettled=False, whole=True, owners={"title": "jira"})


def change(name="title", old="Old", new="New", *, record="1", connection="asana", free=False):
    cell = CellChange(name, name, name, old, new, "roadmap.yaml:7", "why", free)
    return Change(connection, "site", "p", "i1", "Map", "feature", record, "WEB-1", (cell,))


def linked(how):
    return StoredRecord(RECORD, "feature", item="i1", linked_how=how)


@pytest.mark.parametrize(
    ("changed", "facts", "why"),
    [
        (change(record=None), GOOD, None),
        (change(record=None), replace(GOOD, record=linked("created")), "a second time"),
        (change(record=None), replace(GOOD, unsettled=True), "a second time"),
        (change(record=None), replace(GOOD, whole=False), "has not been read in full"),
        (change(), GOOD, None),
        (change(connection="jira"), replace(GOOD, record=linked("origin")), "which owns it"),
        (change(connection="jira"), replace(GOOD, record=linked("created")), None),
        (change(connection="jira", old=None), replace(GOOD, record=linked("origin")), None),
        (change(connection="jira", free=True), replace(GOOD, record=linked("origin")), None),
    ],
)  # fmt: skip
def test_what_a_change_may_not_do(changed, facts, why):
    found = broken(changed, facts)
    assert found is None if why is None else why in str(found)


def test_a_decision_of_a_person_may_write_over_the_owner():
    decided = replace(ITEM, provenance={"title": Provenance("conflict:c1", "roadmap.yaml:7", 3)})
    facts = replace(GOOD, item=decided, record=linked("origin"))
    assert broken(change(connection="jira"), facts) is None


def test_the_same_value_is_not_sent_again_and_again():
    one = change()
    name = sending(one, one.cells[0])
    assert broken(one, replace(GOOD, sent={name: REPEATS - 1})) is None
    assert "more than 3 times" in str(broken(one, replace(GOOD, sent={name: REPEATS})))


def test_no_more_can_be_done_than_there_is():
    wrong = replace(ITEM, fields={**ITEM.fields, "items_done": 3.0})
    assert broken(change("items_done"), GOOD) is None
    assert "publish 3 of 2 done" in str(broken(change("items_done"), replace(GOOD, item=wrong)))


def test_a_fault_of_ours_is_held_back_told_and_harms_nobody(monkeypatch):
    """With the merge broken on purpose, the owner's value is about to be written over: it is not."""
    world = World()
    made = world.jira.add("project", {"title": "Map"}, kind="feature")
    world.cycle()
    world.asana.edit(world.record("Map", "asana").id, title="Mine")

    def anyone(kind, _owner, current, known, sights):
        return merge._merge_shared(kind, "asana", current, known, sights)

    monkeypatch.setattr(merge, "_merge_owned", anyone)
    report = world.cycle()
    assert world.jira.records[made].fields["title"] == "Map"
    (sentence,) = report.frozen
    assert "a check of syncd's own stopped a plan that would overwrite title of" in sentence
    assert hold.waiting(world.store)[0].connection == "jira"
