"""What a person sees when access is lost: one sentence, an exit code, and nothing made or removed."""

from __future__ import annotations

from collections import Counter

import pytest
from installation import syncd

CASES = {
    "token revoked": ({"service": "notion", "status": 401, "vendor": True}, 2, "token"),
    "project un-shared": (
        {"service": "asana", "fault": "A6", "lasts": 60, "with": {"container": "Go-to-market"}},
        2,
        "do not have access to this project",
    ),
    "empty list": (
        {"service": "jira", "fault": "L11", "path": "/search/jql$"},
        1,
        "listed 0 records",
    ),
    "less than half a list": (
        {"service": "notion", "path": "/query$", "do": "short", "with": {"share": 0.4}},
        1,
        "records where",
    ),
}


def made_or_removed(world):
    """Count the requests that made or removed a record so far."""
    paths = ("/rest/api/3/issue", "/api/1.0/tasks", "/v1/pages")
    rows = world.control("counters")["counters"]
    return Counter(
        {
            (row["method"], row["endpoint"]): row["calls"]
            for row in rows
            if row["method"] == "DELETE" or (row["method"] == "POST" and row["endpoint"] in paths)
        }
    )


SLOW = ("project un-shared", "less than half a list")


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=[pytest.mark.slow] * (c in SLOW)) for c in CASES]
)
def test_lost_access_is_one_sentence_and_changes_nothing(world, filled, case):
    rule, code, words = CASES[case]
    if rule["service"] == "asana":
        rule = {**rule, "with": {"container": project(world, rule["with"]["container"])}}
    before = made_or_removed(world)
    with world.faults({"id": "case", **rule}):
        run = syncd("run", "--once", "--full", cwd=filled)
        assert (run.code, words in run.out + run.err) == (code, True), run
        assert run.out.startswith("cycle ")
        world.control("clock", {"step": 61})  # what lasts a minute is over with the next request
        if "lasts" in rule:
            syncd("run", "--once", cwd=filled)
    back = syncd("run", "--once", "--full", cwd=filled)
    assert (back.code, back.err, ": 0 writes" in back.out) == (0, "", True)
    assert made_or_removed(world) == before


def project(world, name):
    found = world.asana("GET", "projects?opt_fields=name")["data"]
    return next(each["gid"] for each in found if each["name"] == name)
