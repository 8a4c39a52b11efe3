"""Nothing changed: fifty cycles, full reads among them, write nothing, learn nothing, ask once a scope."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from office import office

from state.content import content_digest

CYCLES = 50
PAGES = {"jira": 100, "asana": 100, "notion": 100}


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The demonstration company, read through and in step, a cycle a minute."""
    with office(tmp_path_factory.mktemp("company")) as world:
        world.settle()
        world.pause = 60.0
        world.pass_time(3600.0)  # no read looks back at what was just written
        world.cycle()
        yield world


def digest(world):
    with closing(sqlite3.connect(world.system.config.state)) as driver:
        return content_digest(driver)


def test_fifty_calm_cycles_write_nothing_and_ask_each_scope_once(calm):
    before, scopes = digest(calm), Counter(s.connection for s in calm.system.roadmap.scopes)
    for number in range(CYCLES):
        calm.wire.clear()
        full = number % 10 == 9
        assert calm.cycle(full=full).writes == 0
        assert calm.written() == []
        if not full:
            assert Counter(service for service, _, _ in calm.wire) == scopes
    assert digest(calm) == before


def test_a_full_read_costs_a_page_for_each_hundred_records(calm):
    calm.wire.clear()
    calm.cycle(full=True)
    lists = [
        (service, request)
        for service, request, _ in calm.wire
        if request.path.endswith(("/search/jql", "/query", "/tasks"))
    ]
    for name, size in PAGES.items():
        scopes = [s for s in calm.system.roadmap.scopes if s.connection == name]
        most = sum(
            math.ceil(calm.system.store.cursor(name, s.id).full_count / size) + 1 for s in scopes
        )
        # what changed is read first, one call a scope: deletions are told there and never again
        assert 0 < sum(service == name for service, _ in lists) <= most + len(scopes)


def test_the_digest_tells_a_changed_value_apart(calm):
    before = digest(calm)
    calm.edit_issue("Fleet map", duedate="2027-03-03")
    calm.cycle()
    assert digest(calm) != before
