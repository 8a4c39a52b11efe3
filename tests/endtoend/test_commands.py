"""Every command as a person runs it: what it prints, what it does, how it exits."""

from __future__ import annotations

import pytest
from installation import syncd
from typer.testing import CliRunner

from syncd.cli import app

EPIC = "Fleet map"
COMMANDS = (
    ["demo"], ["check"], ["plan"], ["apply"], ["approve"], ["adopt"], ["undo"],
    ["run"], ["status"], ["explain"], ["history"],
    ["conflicts", "list"], ["conflicts", "show"], ["conflicts", "resolve"], ["sandbox", "serve"],
)  # fmt: skip


def test_check_says_who_is_signed_in_and_that_all_fits(filled):
    offline = syncd("check", "--offline", cwd=filled)
    assert (offline.code, offline.err) == (0, "")
    assert "well formed" in offline.out
    live = syncd("check", cwd=filled)
    assert (live.code, live.err) == (0, "")
    assert "jira: signed in as Sandbox Admin, 3 containers" in live.out
    assert "Northwind Cycles roadmap: 6 levels and 19 fields, all fit" in live.out
    assert 'roadmap.yaml:40:5: jira has the option "On hold"' in live.out


def test_a_plan_lists_what_apply_then_does_and_nothing_else(world, filled):
    world.edit_issue(EPIC, duedate="2027-06-01")
    before = world.target(EPIC)
    plan = syncd("plan", cwd=filled)
    assert plan.code == 0
    assert f"feature '{EPIC}'" in plan.out
    assert f"due (Target date): {before} -> 2027-06-01   [roadmap.yaml:" in plan.out
    assert "notion: update" in plan.out
    assert "asana: update" in plan.out
    data = syncd("plan", "--json", cwd=filled).data
    assert f"checksum {data['checksum']}" in plan.out
    cells = {(c["connection"], x["field"]): x for c in data["changes"] for x in c["cells"]}
    cell = cells["notion", "due"]
    assert (cell["old"], cell["new"], cell["remote_name"]) == (before, "2027-06-01", "Target date")
    assert cell["rule"].startswith("roadmap.yaml:")
    assert cell["reason"]
    assert world.target(EPIC) == before, "a plan writes nothing"
    done = syncd("apply", "--checksum", data["checksum"], "--json", cwd=filled)
    assert done.code == 0
    assert done.data["tallies"]["notion"]["updated"] >= 1
    assert world.target(EPIC) == "2027-06-01"
    assert world.issue(EPIC)["fields"]["duedate"] == "2027-06-01"


def test_apply_refuses_a_plan_the_world_has_moved_away_from(world, filled):
    world.edit_issue(EPIC, duedate="2027-07-01")
    checksum = syncd("plan", "--json", cwd=filled).data["checksum"]
    world.edit_issue(EPIC, duedate="2027-07-02")
    before = world.target(EPIC)
    late = syncd("apply", "--checksum", checksum, cwd=filled)
    assert late.code == 1
    assert late.sentence.startswith(f"the world has moved since plan {checksum}: it is now ")
    assert "`syncd plan`" in late.sentence
    wrong = syncd("apply", "--checksum", "0123456789abcdef", cwd=filled)
    assert wrong.code == 1
    assert "the world has moved" in wrong.sentence
    assert world.target(EPIC) == before, "nothing was written"


def test_run_once_reports_each_tool_and_the_next_one_writes_nothing(world, filled):
    world.edit_issue(EPIC, duedate="2027-08-01")
    first = syncd("run", "--once", "--json", cwd=filled)
    assert first.code == 0
    assert first.data["tallies"]["jira"]["changed"] == 1
    assert (first.data["orphans"], first.data["errors"]) == (0, {})
    assert first.data["tallies"]["notion"]["updated"] == 1
    assert first.data["tallies"]["asana"]["updated"] == 1
    second = syncd("run", "--once", cwd=filled)
    assert (second.code, second.err) == (0, "")
    assert ": 0 writes in " in second.out
    assert [line.split()[0] for line in second.out.splitlines()[1:4]] == ["jira", "asana", "notion"]


def test_status_tells_freshness_size_and_what_waits_for_a_person(filled):
    text = syncd("status", cwd=filled)
    assert text.code == 0
    assert text.out.startswith("Northwind Cycles roadmap: 304 items\n")
    assert "On hold: it has no meaning yet" in text.out
    data = syncd("status", "--json", cwd=filled).data
    assert data["items"] == 304
    assert {scope["connection"] for scope in data["scopes"]} == {"jira", "asana", "notion"}
    assert all(scope["read_at"] and scope["records"] for scope in data["scopes"])
    assert data["conflicts"] == []


def test_explain_tells_who_decided_and_what_each_tool_shows(world, filled):
    world.edit_issue(EPIC, duedate="2027-09-01")
    syncd("run", "--once", cwd=filled)
    text = syncd("explain", EPIC, "due", cwd=filled)
    assert text.code == 0
    assert "due = 2027-09-01" in text.out
    assert "because it was set in jira" in text.out
    assert "rule roadmap.yaml:" in text.out
    assert "Priya Raman" in text.out, "the history names the author"
    data = syncd("explain", EPIC, "due", "--json", cwd=filled).data
    assert {tool["connection"]: tool["shows"] for tool in data["tools"]} == dict.fromkeys(
        ("jira", "asana", "notion"), "2027-09-01"
    )
    every = syncd("explain", EPIC, "--json", cwd=filled).data
    assert {each["field"] for each in every} >= {"title", "status", "progress", "parent"}


def test_history_is_newest_first_and_names_author_and_rule(world, filled):
    world.edit_issue(EPIC, duedate="2027-10-01")
    syncd("run", "--once", cwd=filled)
    text = syncd("history", EPIC, "due", "-n", "3", cwd=filled)
    assert text.code == 0
    assert len(text.out.splitlines()) == 3
    assert "-> 2027-10-01 by Priya Raman" in text.out
    data = syncd("history", EPIC, "--json", cwd=filled).data
    assert [entry["at"] for entry in data] == sorted((e["at"] for e in data), reverse=True)


def test_a_conflict_is_listed_shown_and_settled(world, filled):
    world.edit_issue(EPIC, duedate="2027-11-01")
    world.edit_row(EPIC, **{"Target date": {"date": {"start": "2027-11-11"}}})
    report = syncd("run", "--once", cwd=filled)
    assert report.code == 1
    assert "1 open conflict" in report.out
    listed = syncd("conflicts", "list", cwd=filled)
    assert listed.code == 1
    assert f"due of {EPIC}  jira: 2027-11-01, notion: 2027-11-11" in listed.out
    conflict = syncd("conflicts", "list", "--json", cwd=filled).data[0]["id"]
    shown = syncd("conflicts", "show", conflict, cwd=filled)
    assert shown.code == 0
    assert "jira: 2027-11-01 by Priya Raman" in shown.out
    assert "notion: 2027-11-11 by Mei-Ling Zhào" in shown.out
    assert f"syncd conflicts resolve {conflict} --take" in shown.out
    neither = syncd("conflicts", "resolve", conflict, cwd=filled)
    assert neither.code == 2
    assert "--take TOOL" in neither.sentence
    stranger = syncd("conflicts", "resolve", conflict, "--take", "trello", cwd=filled)
    assert stranger.code == 2
    assert "take jira, notion or base" in stranger.sentence
    assert syncd("status", cwd=filled).code == 1
    settled = syncd("conflicts", "resolve", conflict, "--take", "notion", cwd=filled)
    assert settled.code == 0
    assert "due is 2027-11-11; the next cycle writes it to every tool" in settled.out
    assert syncd("run", "--once", cwd=filled).code == 0
    assert world.issue(EPIC)["fields"]["duedate"] == "2027-11-11"
    assert world.target(EPIC) == "2027-11-11"
    again = syncd("conflicts", "resolve", conflict, "--take", "jira", cwd=filled)
    assert again.code == 2
    assert "is settled already" in again.sentence
    assert syncd("conflicts", "list", cwd=filled).out == "no open conflicts\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_has_help(command):
    """The text of help is made without starting a process for each command."""
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert len(result.output.splitlines()) > 6
