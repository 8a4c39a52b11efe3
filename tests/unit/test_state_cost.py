"""What the store costs at rest: every query of an idle cycle goes through an index."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from state import store
from syncd.core.model import CursorState, IntentState
from syncd.testing.builders import conflict, entry, intent, item, notice, record


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    opened = store.open(tmp_path_factory.mktemp("cost") / "state.db")
    with opened.transaction():
        opened.observe([(record(f"{n:05}"), "feature") for n in range(3000)], 1)
        opened.save_items(
            [item(f"i{n:05}", f"Thing {n}", parent=f"i{n // 50:05}") for n in range(3000)]
        )
        opened.append_history([entry(f"i{n:05}", at=float(n)) for n in range(3000)])
        for n in range(3000):
            opened.link("jira", f"{n:05}", f"i{n:05}", "origin")
        opened.intend([intent()])
        opened.save_conflicts([conflict()])
        opened.replace_notices("i1", [notice()])
        opened.save_cursor("jira", "main", CursorState("c"))
    yield opened
    opened.close()


def plans(opened, act):
    """Return the query plans of what an action executes."""
    driver, seen = opened._handle.driver, []
    driver.set_trace_callback(seen.append)
    act(opened)
    driver.set_trace_callback(None)
    queries = [statement for statement in seen if re.match(r"\s*(SELECT|UPDATE|DELETE)", statement)]
    assert queries
    return [
        row[3]
        for query in queries
        for row in driver.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    ]


AT_REST = {
    "dirty": lambda s: s.dirty(),
    "cursor": lambda s: s.cursor("jira", "main"),
    "open_intents": lambda s: s.open_intents(),
    "conflicts": lambda s: s.conflicts(),
    "unlinked": lambda s: s.unlinked(),
    "count": lambda s: s.count("jira", "main"),
    "observe": lambda s: s.observe([(record("00001"), "feature")], 2),
    "unseen": lambda s: s.unseen("jira", "main", 1),
    "record": lambda s: s.record("jira", "00001"),
    "records_of": lambda s: s.records_of(["i00001", "i00002"]),
    "linked_items": lambda s: s.linked_items("jira", ["00001"]),
    "items": lambda s: s.items(["i00001"]),
    "children": lambda s: s.children("i00001"),
    "roots": lambda s: s.roots(),
    "items_at": lambda s: s.items_at(["goal"]),
    "gone_items": lambda s: s.gone_items(["i00001", "i00002"]),
    "items_titled": lambda s: s.items_titled("feature", "thing 7"),
    "history of an item": lambda s: s.history("i00001"),
    "history since": lambda s: s.history(since=2990.0),
    "conflicts of items": lambda s: s.conflicts(items=["i1"]),
    "notices of a subject": lambda s: s.replace_notices("i1", [notice()]),
    "settle": lambda s: s.settle("w1", IntentState.CONFIRMED, 1.0),
    "find by key": lambda s: s.find_items("key-00007"),
    "find by URL": lambda s: s.find_items("https://jira.example/00007"),
    "find by title": lambda s: s.find_items("Thing 7"),
}


@pytest.mark.parametrize("name", AT_REST)
def test_queries_go_through_an_index(opened, name):
    for step in plans(opened, AT_REST[name]):
        whole = re.match(r"SCAN (?!.*USING (COVERING )?INDEX)(?!CONSTANT ROW)(?!SUBQUERY)", step)
        assert whole is None, step


def test_a_part_of_a_title_is_sought_in_the_index_alone(opened):
    steps = plans(opened, lambda s: s.find_items("hing 299"))
    assert any("SCAN items USING COVERING INDEX items_by_title" in step for step in steps)


def test_nothing_is_written_when_nothing_changed(opened):
    driver = opened._handle.driver
    before = driver.total_changes
    opened.observe([(record(f"{n:05}"), "feature") for n in range(100)], 0)
    opened.replace_notices("i1", [notice()])
    opened.save_items([])
    opened.mark_dirty([])
    opened.save_cells("jira", "00001", {})
    opened.save_document("today", "2026-01-01")
    once = driver.total_changes
    assert once == before + 1  # the document, the first time
    opened.save_document("today", "2026-01-01")
    assert driver.total_changes == once


def test_importing_the_store_is_light():
    script = (
        "import sys, state.store, state.backup\n"
        "print(*(set(sys.modules) & {'alembic', 'jira', 'asana', 'notion_client', 'pydantic'}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == ""
