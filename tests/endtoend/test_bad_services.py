"""Services that fail: a sentence about the one, and the other tools still served."""

from __future__ import annotations

import pytest
from installation import change, syncd

EPIC = "Fleet map"
HTML = "<html><title>Log in</title><body>Please log in with single sign-on</body></html>"


def shown(world):
    properties = world.row(EPIC)["properties"]
    return [properties[name]["number"] for name in ("Progress", "Items done", "Items total")]


def test_a_wrong_token_at_the_first_start_leaves_only_that_tool_out(world, filled, folder):
    before = shown(world)
    (folder / "secrets" / "jira").write_text("canary-of-another-site-5512")
    checked = syncd("check", cwd=folder)
    assert checked.code == 2
    assert checked.sentence.startswith("jira: Jira at http://")
    assert "make a new token and put it where the configuration says" in checked.sentence
    assert "notion: signed in as" in checked.out
    run = syncd("run", "--once", cwd=folder)
    assert run.code == 2
    assert "does not accept the credential" in run.sentence
    assert "canary" not in checked.err + checked.out + run.err + run.out
    assert "jira       left out: Jira at" in run.out
    assert "notion     44 read" in run.out
    assert "was left out: Jira at" in syncd("status", cwd=folder).out
    assert shown(world) == before, "what Jira would have told is not taken for nothing"


def test_the_token_of_another_tool(folder):
    (folder / "secrets" / "notion").write_text((folder / "secrets" / "asana").read_text())
    checked = syncd("check", cwd=folder)
    assert checked.code == 2
    assert checked.sentence.startswith("notion: Notion at http://")
    assert "does not accept the credential" in checked.sentence


def test_the_token_of_another_site(world, folder):
    elsewhere = {"location": "https://id.example.com/login?continue=secret-code"}
    with world.faults({"service": "jira", "status": 302, "headers": elsewhere}):
        checked = syncd("check", cwd=folder)
    assert checked.code == 3
    assert "write the address of the site itself as `url`, and use a token made for that site" in (
        checked.sentence
    )
    assert "secret-code" not in checked.sentence


def test_a_token_with_odd_characters(folder):
    (folder / "secrets" / "asana").write_text("canary-\u201ctoken\u201d\x01-77")
    checked = syncd("check", cwd=folder)
    assert checked.code == 2
    assert checked.sentence.startswith("syncd.yaml:15:19: the file secrets/asana holds characters")
    assert "canary" not in checked.sentence


def test_a_service_down_at_the_first_start_is_left_out_until_it_is_back(world, filled, folder):
    before = shown(world)
    good = (folder / "syncd.yaml").read_text("utf8")
    change(folder / "syncd.yaml", f"{world.url}/jira", "http://127.0.0.1:1/jira")
    run = syncd("run", "--once", cwd=folder)
    assert run.code == 3
    assert run.sentence.startswith("jira: Jira at http://127.0.0.1:1/jira does not accept")
    assert "notion     44 read" in run.out
    assert shown(world) == before, "an absent tool does not look empty"
    (folder / "syncd.yaml").write_text(good, "utf8")
    again = syncd("run", "--once", cwd=folder)
    assert again.code == 0, again.err
    assert "jira       290 read" in again.out
    assert shown(world) == before
    assert world.rows_titled(EPIC) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 503, "body": "upstream"}, "fails with status 503 (upstream)"),
        ({"drop_before": True}, "did not answer: the change may have been made"),
        ({"html": HTML, "status": 200}, "something that is not its API (status 200: Log in"),
    ],
    ids=["503", "dropped", "HTML instead of JSON"],
)
def test_a_service_that_fails_in_mid_cycle_is_served_by_the_next_one(world, filled, fault, words):
    day = {"503": "2030-01-01", "drop": "2030-01-02", "html": "2030-01-03"}
    due = next(date for key, date in day.items() if key in str(fault))
    world.edit_issue(EPIC, duedate=due)
    rule = {"service": "notion", "method": "PATCH", "path": "^/v1/pages", **fault}
    with world.faults(rule):
        run = syncd("run", "--once", cwd=filled)
    assert run.code == 3
    assert run.sentence.startswith("notion: Notion at http://")
    assert words in run.sentence
    assert "sign-on</body>" not in run.sentence
    assert "notion     left out: Notion at" in run.out
    explained = syncd("explain", EPIC, "due", "--json", cwd=filled).data
    assert {t["connection"]: t["shows"] for t in explained["tools"]}["asana"] == due
    assert world.target(EPIC) != due
    assert syncd("run", "--once", cwd=filled).code == 0
    assert world.target(EPIC) == due
