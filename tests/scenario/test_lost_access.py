"""Access that is taken away, and lists that are suddenly short: nothing is made, nothing is removed.

Each case happens to each tool, in cycles that read everything; the other two tools go on. When the access
is back, what waited is delivered, and there is still one record of everything.
"""

from __future__ import annotations

from collections import Counter

import pytest
from company import date
from office import TOOLS, office

LISTS = r"/search/jql$|/query$|/tasks$"
CASES = {
    "token revoked": {"status": 401, "vendor": True},
    "unshared": {"fault": "A4"},
    "empty list": {"fault": "L11", "variant": "empty", "path": LISTS},
    "half a list": {"fault": "L11", "variant": "half", "path": LISTS},
}
SCOPES = {"jira": "jira", "asana": "Go-to-market", "notion": "Roadmap"}


FEW = 8
"""Records of the Asana project "Company initiatives": fewer than the guard begins to count at."""


@pytest.fixture(scope="module")
def everyday(tmp_path_factory):
    with office(tmp_path_factory.mktemp("company")) as world:
        world.settle()
        yield world


@pytest.fixture
def acme(everyday):
    """The company with all access, in step; the same one for all cases, which leave it so."""
    yield everyday
    give_back(everyday)
    everyday.settle()


def scope_of(world, tool):
    scopes = [s for s in world.system.roadmap.scopes if s.connection == tool]
    return next(s for s in scopes if s.name == SCOPES[tool])


def take_away(world, case, tool):
    rule = {**CASES[case], "service": tool}
    if case == "unshared":
        scope = scope_of(world, tool)
        named = {"jira": lambda: "WEB", "asana": lambda: scope.id, "notion": lambda: scope.id}
        rule["with"] = {"container": named[tool]()}
    world.fail(rule)


def give_back(world):
    for fault in world.sandbox.faults.rules:
        fault.memory.get("undo", lambda: None)()
    world.fail()


def held(world):
    """Return the titles in each tool, each with how often it is there, and whether it is in the trash."""
    found = {}
    for tool in TOOLS:
        scopes = [s for s in world.system.roadmap.scopes if s.connection == tool]
        pages = [page for s in scopes for page in world.system.adapters[tool].pages(s, None)]
        found[tool] = Counter(
            (
                str(r.fields.get("summary") or r.fields.get("name") or r.fields.get("title")),
                r.trashed,
            )
            for page in pages
            for r in page.records
        )
    return found


def removed(world):
    """Return the requests that would take a record away, in any tool; our lines on our page are none."""
    return [
        (service, request.path)
        for service, request, _ in world.wire
        if "/v1/blocks/" not in request.path
        and (request.method == "DELETE" or b'"in_trash":true' in request.body)
    ]


def records_written(world, tool):
    return [
        (method, path)
        for service, method, path in world.written()
        if service == tool and "/v1/blocks/" not in path
    ]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("case", CASES)
def test_lost_access_makes_and_removes_nothing_and_comes_back(acme, case, tool):
    before, day = held(acme), f"2027-{1 + list(CASES).index(case):02}-{1 + TOOLS.index(tool):02}"
    acme.wire.clear()
    acme.edit_row("Fleet map", **{"Target date": date(day)})
    take_away(acme, case, tool)
    for _ in range(3):
        report = acme.cycle(full=True)
    assert sum(acme.creations().values()) == 0
    assert removed(acme) == []
    assert records_written(acme, tool) == []
    assert_told(acme, report, tool)
    give_back(acme)
    acme.wire.clear()
    acme.reopen()
    acme.cycle(full=True)
    report = acme.cycle(full=True)
    assert (report.writes, report.frozen, acme.context.errors) == (0, (), {})
    assert sum(acme.creations().values()) == 0
    assert removed(acme) == []
    assert held(acme) == before
    assert acme.issue("Fleet map")["duedate"] == day
    assert acme.task("Fleet map")["due_on"] == day


def assert_told(world, report, tool):
    """Assert that one sentence says which tool or scope is left alone."""
    error = world.context.errors.get(tool)
    scopes = [s for s in world.system.roadmap.scopes if s.connection == tool]
    told = [str(error)] if error is not None else [
        sentence for sentence in report.frozen if any(s.name in sentence for s in scopes)
    ]  # fmt: skip
    assert told
    assert all("\n" not in sentence for sentence in told)


def test_a_short_list_that_is_empty_is_not_believed_either(acme):
    scope = next(s for s in acme.system.roadmap.scopes if s.name == "Company initiatives")
    assert acme.system.store.count("asana", scope.id) == FEW
    acme.fail({**CASES["empty list"], "service": "asana", "path": f"/{scope.id}/tasks$"})
    report = acme.cycle(full=True)
    assert any("Company initiatives listed 0 records" in sentence for sentence in report.frozen)


def test_what_came_back_is_no_longer_told(acme):
    """After `unshared-jira` hundreds of issues were out of sight for a while."""
    assert not [n for n in acme.system.store.notices() if n.kind == "invisible"]
