"""Health, and the sentence that explains it."""

from __future__ import annotations

from datetime import date

import pytest

from syncd.core.health import assess

TODAY = date(2026, 6, 15)
CASES = {
    "done": ({"status": "done", "due": "2020-01-01"}, None, "done"),
    "cancelled": ({"status": "cancelled", "due": "2020-01-01"}, None, "cancelled"),
    "nothing to judge by": ({"status": "blocked"}, None, "no date"),
    "not a date": ({"due": "soon"}, None, "no date"),
    "in time": ({"due": "2026-07-01"}, "on track", "due date 2026-07-01"),
    "due today": ({"due": "2026-06-15"}, "on track", "due date 2026-06-15"),
    "a day late": ({"due": "2026-06-14"}, "at risk", "due date 2026-06-14 passed 1 day ago"),
    "two weeks late": ({"due": "2026-06-01"}, "at risk", "passed 14 days ago"),
    "later still": ({"due": "2026-05-31"}, "off track", "passed 15 days ago"),
    "blocked": ({"due": "2026-07-01", "status": "blocked"}, "at risk", "blocked"),
    "planned after the promise": (
        {"due": "2026-07-10", "committed": "2026-07-01"},
        "at risk",
        "work below ends 2026-07-10, 9 days after 2026-07-01",
    ),
    "work below ends much later": (
        {"due": "2026-07-01", "rolled_end": "2026-07-20"}, "off track", "19 days after 2026-07-01",
    ),
    "behind": (
        {"start": "2026-06-05", "due": "2026-06-25", "progress": 0.3},
        "at risk",
        "30% done with 50% of the time gone",
    ),
    "far behind": (
        {"rolled_start": "2026-06-05", "due": "2026-06-25", "progress": 0.1},
        "off track",
        "10% done with 50% of the time gone",
    ),
    "a little behind": (
        {"start": "2026-06-05", "due": "2026-06-25", "progress": 0.36}, "on track", "due date",
    ),
    "not begun": ({"start": "2026-07-01", "due": "2026-08-01", "progress": 0.0}, "on track", "due"),
    "the worst counts": (
        {"status": "blocked", "due": "2026-01-01"}, "off track", "passed 165 days ago",
    ),
    "dates in the wrong order": (
        {"start": "2026-08-01", "due": "2026-07-01", "progress": 0.0}, "on track", "due date",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_health(case):
    fields, health, reason = CASES[case]
    verdict = assess(fields, TODAY)
    assert verdict.health == health
    assert reason in verdict.reason
