"""What a person is just editing waits, where the tool could not tell afterwards what was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from syncd.core.model import Cell, StoredRecord
from syncd.core.plan import CellChange, Change, Plan
from syncd.engine.hot import cooled, hot_until
from syncd.testing.builders import record
from syncd.testing.world import World


def iso(world, ago, *, minutes=False):
    moment = datetime.fromtimestamp(world.clock.now() - ago, UTC)
    return moment.isoformat(timespec="minutes" if minutes else "seconds")


@pytest.fixture
def world():
    made = World()
    made.clock.advance(30.0 - made.clock.now() % 60.0)  # half past a minute
    return made


def seen(world, ago, author="ann", **more):
    return record("1", connection="notion", updated=iso(world, ago, **more), author=author)


@pytest.mark.parametrize(
    ("ago", "is_hot"), [(0, True), (61, True), (89, True), (91, False), (-200, True), (-400, False)]
)
def test_an_edit_is_hot_for_a_while_by_the_tools_own_clock(world, ago, is_hot):
    until = hot_until(world.context(hot=90.0), seen(world, ago))
    assert (until is not None) == is_hot
    assert until in (None, world.clock.now() - ago + 90.0)


def test_a_time_in_whole_minutes_stands_for_any_moment_of_that_minute(world):
    context = world.context(hot=90.0)
    assert hot_until(context, seen(world, 89, minutes=True))
    assert not hot_until(context, seen(world, 180, minutes=True))


def test_our_own_writes_unknown_authors_and_times_that_are_none_are_not_hot(world):
    context = world.context(hot=90.0)
    assert not hot_until(context, seen(world, 0, author="bot"))
    assert not hot_until(context, seen(world, 0, author=None))
    assert not hot_until(context, replace(seen(world, 0), updated="000000012"))


def change(*cells):
    return Change("notion", "features", "features", "i1", "Search", "feature", "n1", "N-1", cells)


def cell(name, **more):
    return CellChange(name, name, name, "a", "b", "roadmap.yaml:7", "because", **more)


class _Store:
    """A store that knows one record, and documents."""

    def __init__(self, known):
        self._known = known
        self.documents = {}
        self.document, self.save_document = self.documents.get, self.documents.__setitem__

    def record(self, connection, record_id):
        del connection, record_id
        return StoredRecord(self._known, "feature", "i1", {"due": Cell("a")})


def test_only_shared_cells_wait_and_only_without_a_log_and_not_a_persons_decision(world):
    context = world.context(hot=90.0, store=_Store(seen(world, 5)))
    both = change(cell("due"), cell("title"))
    (left,) = cooled(context, Plan((both,))).changes
    assert [each.field for each in left.cells] == ["title"]
    assert context.postponed == {"Search"}
    (told,) = context.store.documents["hot"]
    assert (told.item, told.key, told.fields, told.by) == ("i1", "N-1", ("due",), "ann")
    assert told.until == world.clock.now() - 5 + 90.0
    assert cooled(context, Plan((change(cell("due")),))).changes == ()
    decided = change(cell("due", free=True))
    assert cooled(context, Plan((decided,))).changes == (decided,)
    assert context.store.documents["hot"] == [], "what waits no more is not told of"
    jira = replace(both, connection="jira")
    assert cooled(context, Plan((jira,))).changes == (jira,)
    assert cooled(world.context(store=context.store), Plan((both,))).changes == (both,)
