"""An undo as an operator does it: look, do it by its checksum, and take it back."""

from __future__ import annotations

import pytest
from installation import syncd

EPIC = "Fleet map"


@pytest.mark.slow  # the law behind it is quick: tests/scenario/test_undo.py
def test_a_cycle_is_undone_and_that_is_undone(world, filled):
    before = world.target(EPIC)
    world.edit_issue(EPIC, duedate="2027-06-01")
    cycle = syncd("run", "--once", "--json", cwd=filled).data["number"]
    assert world.target(EPIC) == "2027-06-01"
    shown = syncd("undo", str(cycle), cwd=filled)
    assert shown.code == 0, shown.err
    assert f"notion: due of {EPIC}: 2027-06-01 -> {before}" in shown.out
    assert "jira: due" not in shown.out, "a person wrote that"
    data = syncd("undo", f"{EPIC}.due", "--json", cwd=filled).data
    assert {step["connection"] for step in data["back"]} == {"asana", "notion"}
    assert data["undo"] is None
    assert world.target(EPIC) == "2027-06-01", "looking changes nothing"
    wrong = syncd("undo", str(cycle), "--checksum", "0123", cwd=filled)
    assert (wrong.code, "the world has moved since 0123" in wrong.sentence) == (1, True)
    checksum = syncd("undo", str(cycle), "--json", cwd=filled).data["checksum"]
    done = syncd("undo", str(cycle), "--checksum", checksum, cwd=filled)
    assert done.code == 0
    number = done.out.splitlines()[-1].split()[1].rstrip(":")
    plan = syncd("plan", cwd=filled)
    assert f"undo {number} of cycle {cycle} by " in plan.out
    assert syncd("run", "--once", cwd=filled).code == 0
    assert world.target(EPIC) == before
    assert ": 0 writes in " in syncd("run", "--once", cwd=filled).out, "it stays"
    told = syncd("explain", EPIC, "due", cwd=filled).out
    assert "put back by an undo" in told
    again = syncd("undo", number, "--yes", cwd=filled)
    assert again.code == 0, again.err
    assert syncd("run", "--once", cwd=filled).code == 0
    assert world.target(EPIC) == "2027-06-01"
    assert "undone: due of Fleet map" in syncd("history", EPIC, cwd=filled).out


@pytest.mark.slow
def test_an_item_since_a_moment_and_mistakes(world, filled):
    world.edit_issue(EPIC, duedate="2027-07-01")
    syncd("run", "--once", cwd=filled)
    world.edit_issue(EPIC, duedate="2027-08-01")
    syncd("run", "--once", cwd=filled)
    last = syncd("undo", f"{EPIC}.due", "--dry-run", "--yes", "--json", cwd=filled).data
    assert {step["target"] for step in last["back"]} == {"2027-07-01"}
    since = syncd("undo", f"{EPIC}.due", "--since", "1h", "--json", cwd=filled).data
    assert "2027-07-01" not in {step["target"] for step in since["back"]}
    for words, sentence in (
        (["99999"], "cycle 99999 has written nothing"),
        (["No such thing"], "no item is called 'No such thing'"),
        ([EPIC, "--since", "yesterday"], "'yesterday' is no moment"),
        (["1", "--since", "1h"], "--since goes with an item"),
    ):
        wrong = syncd("undo", *words, cwd=filled)
        assert (wrong.code, sentence in wrong.sentence) == (2, True), wrong.err


def test_a_cycle_that_only_created_has_nothing_to_put_back(world, filled):
    fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Epic"}, "summary": "Brand new"}
    world.jira("POST", "issue", {"fields": fields})
    cycle = syncd("run", "--once", "--json", cwd=filled).data["number"]
    shown = syncd("undo", str(cycle), cwd=filled)
    assert (shown.code, "created, and left" in shown.out) == (1, True)
    assert shown.out.splitlines()[-1] == (
        "a creation is not undone, and nothing that was written afterwards is left to undo"
    )


def test_an_item_that_is_called_like_a_cycle_or_a_field(world, filled):
    for title in ("4711", f"{EPIC}.due"):
        fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Epic"}, "summary": title}
        world.jira("POST", "issue", {"fields": fields})
    syncd("run", "--once", cwd=filled)
    for title in ("4711", f"{EPIC}.due"):
        world.edit_issue(title, duedate="2027-09-09")
    syncd("run", "--once", cwd=filled)
    for title in ("4711", f"{EPIC}.due"):
        shown = syncd("undo", title, "--json", cwd=filled).data
        assert {step["title"] for step in shown["back"]} == {title}
    refused = syncd("undo", "1", "--since", "1h", cwd=filled).sentence
    assert refused.endswith("name an item that is called 1 by its id or key")
    assert "has written nothing" in syncd("undo", "4712", cwd=filled).sentence
