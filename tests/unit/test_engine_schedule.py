"""When each connection is due."""

from __future__ import annotations

import random

import pytest

from syncd.engine.schedule import JITTER, LONGEST, Schedule


@pytest.fixture
def schedule():
    return Schedule(60.0, random.Random(7))


def test_everything_is_due_at_first_and_then_about_an_interval_later(schedule):
    assert schedule.due(["jira", "notion"], 5.0) == ("jira", "notion")
    assert schedule.wait(["jira", "notion"], 5.0) == 0.0
    schedule.succeeded("jira", 5.0)
    assert schedule.due(["jira", "notion"], 5.0) == ("notion",)
    assert 60 * (1 - JITTER) <= schedule.wait(["jira"], 5.0) <= 60 * (1 + JITTER)
    assert schedule.due(["jira"], 5.0 + 60 * (1 + JITTER)) == ("jira",)


def test_one_that_fails_waits_longer_each_time_but_not_for_ever(schedule):
    waits = []
    for _ in range(12):
        schedule.failed("jira", 0.0)
        waits.append(schedule.wait(["jira"], 0.0))
    assert 120 * (1 - JITTER) <= waits[0] <= 120 * (1 + JITTER)
    assert waits[0] < waits[1] < waits[2]
    assert max(waits) <= LONGEST * (1 + JITTER)
    schedule.succeeded("jira", 0.0)
    schedule.failed("jira", 0.0)
    assert schedule.wait(["jira"], 0.0) <= 120 * (1 + JITTER), "the count begins anew"


def test_what_the_service_asks_for_is_waited_in_full(schedule):
    schedule.failed("jira", 100.0, delay=4000.0)
    assert schedule.wait(["jira"], 100.0) == 4000.0


def test_one_that_fails_does_not_hold_up_the_others(schedule):
    schedule.failed("jira", 0.0)
    schedule.succeeded("notion", 0.0)
    assert schedule.wait(["jira", "notion"], 0.0) <= 60 * (1 + JITTER)
    assert schedule.wait([], 0.0) == 0.0


def test_polls_do_not_march_in_step():
    one, other = Schedule(60.0, random.Random(1)), Schedule(60.0, random.Random(2))
    one.succeeded("jira", 0.0)
    other.succeeded("jira", 0.0)
    assert one.due_at != other.due_at
