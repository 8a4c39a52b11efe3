"""`syncd state backup` and `restore` with a day of edits between: nothing twice, nobody's edit undone."""

from __future__ import annotations

from collections import Counter

import pytest
from installation import syncd


def titles(world):
    """Count what is in each tool by title."""
    body = {"jql": "created > 0 ORDER BY key", "maxResults": 1000, "fields": ["summary"]}
    found = {
        "jira": [i["fields"]["summary"] for i in world.jira("POST", "search/jql", body)["issues"]]
    }
    found["asana"] = [
        task["name"]
        for project in world.asana("GET", "projects")["data"]
        for task in world.asana("GET", f"projects/{project['gid']}/tasks?limit=100")["data"]
    ]
    rows = world.notion("POST", "search", {"page_size": 100})["results"]
    found["notion"] = [
        "".join(part["plain_text"] for part in prop["title"])
        for row in rows
        if row["object"] == "page"
        for prop in row["properties"].values()
        if prop["type"] == "title"
    ]
    return {tool: Counter(names) for tool, names in found.items()}


def task(world, name):
    for project in world.asana("GET", "projects")["data"]:
        path = f"projects/{project['gid']}/tasks?limit=100&opt_fields=name,due_on"
        for each in world.asana("GET", path)["data"]:
            if each["name"] == name:
                return each
    raise AssertionError(name)


@pytest.mark.slow
def test_yesterday_s_backup_after_a_day_of_edits(world, filled):
    assert syncd("state", "backup", "yesterday.db", cwd=filled).code == 0
    epic = {"project": {"key": "WEB"}, "issuetype": {"name": "Epic"}, "summary": "Made that day"}
    world.jira("POST", "issue", {"fields": epic})
    world.edit_issue("Fleet map", duedate="2027-01-01")
    assert syncd("run", "--once", cwd=filled).code == 0
    world.edit_row("Offline maps", **{"Target date": {"date": {"start": "2027-02-02"}}})
    issue = world.issue("Digital key")["id"]
    world.jira("PUT", f"issue/{issue}", {"fields": {"summary": "Digital key 2"}})
    assert syncd("run", "--once", cwd=filled).code == 0
    world.asana(
        "PUT", f"tasks/{task(world, 'Fleet map')['gid']}", {"data": {"due_on": "2027-03-03"}}
    )
    before = titles(world)
    back = syncd("state", "restore", "yesterday.db", cwd=filled)
    assert (back.code, back.err) == (0, "")
    first = syncd("run", "--once", cwd=filled)
    assert first.code == 1, "the one edit that nobody had carried yet is left to a person"
    assert ": 0 writes" in syncd("run", "--once", cwd=filled).out
    assert titles(world) == before
    assert (task(world, "Fleet map")["due_on"], world.target("Fleet map")) == (
        "2027-03-03", "2027-01-01",
    )  # fmt: skip
    assert world.issue("Offline maps")["fields"]["duedate"] == "2027-02-02"
    assert world.rows_titled("Digital key 2") == 1
    told = syncd("conflicts", "list", cwd=filled).out
    assert told.count("Fleet map") == 1
