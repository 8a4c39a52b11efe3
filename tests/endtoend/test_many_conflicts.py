"""Many conflicts at once, people named as people do, and what a field said in the past."""

from __future__ import annotations

import time

import pytest
from installation import syncd

EPICS = ("Fleet map", "Size advisor", "School run routes")


def quarrel(world, title, day):
    world.edit_issue(title, duedate=f"2027-11-{day:02}")
    world.edit_row(title, **{"Target date": {"date": {"start": f"2027-12-{day:02}"}}})


@pytest.mark.slow
def test_conflicts_are_chosen_by_filters_listed_counted_and_settled(world, filled):
    for number, title in enumerate(EPICS, 1):
        quarrel(world, title, number)
    assert syncd("run", "--once", cwd=filled).code == 1
    resolve = ("conflicts", "resolve")
    shown = syncd(*resolve, "--field", "due", "--winner", "notion", cwd=filled)
    assert shown.code == 0
    assert "3 conflicts would be settled, 0 left; add --yes to do it" in shown.out
    assert "-> 2027-12-01" in shown.out
    listed = syncd("conflicts", "list", "--json", cwd=filled).data
    assert len(listed) == 3
    one = syncd(*resolve, "--item", "Size advisor", "--take", "jira", "--yes", cwd=filled)
    assert "1 conflict settled" in one.out
    (size,) = [c["id"] for c in listed if c["title"] == "Size advisor"]
    for tool, kept in (
        ("notion", "2027-12-02, not 2027-11-02"),
        ("jira", "2027-11-02, not 2027-12"),
    ):
        anew = syncd(*resolve, size, "--take", tool, cwd=filled)
        assert f"settled: due is {kept}" in anew.out, "the decision it replaces is named"
    history = syncd("history", "Size advisor", "due", cwd=filled).out
    assert history.count("decided anew before it was carried out") == 2
    none = syncd(*resolve, "--level", "goal", "--take", "jira", "--yes", cwd=filled)
    assert "0 conflicts settled" in none.out
    stranger = syncd(*resolve, "--all", "--take", "asana", cwd=filled)
    assert stranger.code == 1
    assert "0 conflicts would be settled, 2 left" in stranger.out
    done = syncd(*resolve, "--all", "--take", "notion", "--yes", "--json", cwd=filled)
    assert len(done.data) == 2
    assert syncd("run", "--once", cwd=filled).code == 0
    assert world.target("Size advisor") == "2027-11-02"
    assert world.issue("Fleet map")["fields"]["duedate"] == "2027-12-01"
    for words, sentence in (
        ([], "say which value is right"),
        (["--take", "jira"], "choose some: --field"),
        (["--take", "jira", "--field", "colour"], "there is no field 'colour'"),
        (["--take", "jira", "--level", "epic"], "there is no level 'epic'"),
        (["c12345", "--all", "--take", "jira"], "choose some"),
    ):
        wrong = syncd(*resolve, *words, cwd=filled)
        assert (wrong.code, sentence in wrong.sentence) == (2, True), wrong.err


@pytest.mark.slow
def test_a_field_is_explained_as_it_was_at_a_past_time(world, filled):
    world.edit_issue("Parts catalogue search", duedate="2027-01-01")
    syncd("run", "--once", cwd=filled)
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    time.sleep(1.1)
    world.edit_issue("Parts catalogue search", duedate="2028-02-02")
    syncd("run", "--once", cwd=filled)
    past = syncd("explain", "Parts catalogue search.due", "--at", moment, cwd=filled)
    assert past.code == 0, past.err
    assert "due = 2027-01-01" in past.out
    assert "by Priya Raman" in past.out
    assert "notion showed 2027-01-01 since" in past.out
    data = syncd(
        "explain", "Parts catalogue search", "due", "--at", moment, "--json", cwd=filled
    ).data
    assert (data["value"], data["known"]) == ("2027-01-01", True)
    early = syncd("explain", "Parts catalogue search", "--at", "3d", cwd=filled)
    assert "it was not part of the roadmap yet" in early.out
    entries = syncd(
        "history", "Parts catalogue search", "due", "--until", moment, "--json", cwd=filled
    ).data
    assert "2028-02-02" not in {entry["after"] for entry in entries}
    wrong = syncd("explain", "Parts catalogue search", "--at", "noon", cwd=filled)
    assert (wrong.code, "is no moment" in wrong.sentence) == (2, True)
