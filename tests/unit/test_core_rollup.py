"""Roll-ups by example: what a person reads on a goal."""

from __future__ import annotations

import pytest

from syncd.core.rollup import derive, fold, leaf, median
from syncd.core.rules import RollupSpec

SPEC = RollupSpec()


def leaves(*rows, level="work_item"):
    return fold(leaf(level, {"status": status, "estimate": estimate}) for status, estimate in rows)


def test_done_of_total_is_said_in_items_and_points():
    sums = leaves(("done", 3.0), ("planned", 5.0), ("done", None), ("cancelled", 99.0))
    derived = derive(SPEC, {}, sums)
    assert derived["done_of_total"] == "2/3 items, 3/8 pts"
    assert derived["items_cut"] == 1.0


@pytest.mark.parametrize(
    ("size", "said"),
    [(0.1, "0.3"), (1_234_567.0, "3703701"), (2.5, "7.5"), (123_456.5, "370369.5")],
)
def test_points_are_said_in_full_whatever_their_size(size, said):
    derived = derive(SPEC, {}, leaves(*[("done", size)] * 3))
    assert derived["done_of_total"] == f"3/3 items, {said}/{said} pts"


def test_nothing_below_says_nothing():
    derived = derive(SPEC, {"estimate": 8.0}, None)
    assert (derived["progress"], derived["done_of_total"], derived["items_total"]) == (
        None,
        None,
        0.0,
    )
    assert derived["rolled_status"] is None


def test_a_leaf_without_an_estimate_weighs_the_median_of_the_others():
    sums = leaves(("done", 2.0), ("planned", 4.0), ("planned", 8.0), ("done", None))
    assert derive(SPEC, {}, sums)["progress"] == round((2 + 4) / (2 + 4 + 8 + 4), 4)
    assert derive(RollupSpec(missing="zero"), {}, sums)["progress"] == round(2 / 14, 4)
    assert derive(RollupSpec(weight="count"), {}, sums)["progress"] == 0.5
    assert derive(SPEC, {}, sums)["coverage"] == 0.75


def test_an_own_estimate_is_the_scope_only_when_it_is_larger():
    sums = leaves(("done", 4.0), ("planned", 4.0))
    larger, smaller = (derive(SPEC, {"estimate": e}, sums) for e in (16.0, 2.0))
    assert (larger["progress"], larger["points_total"], larger["points_unrefined"]) == (
        0.25,
        8.0,
        8.0,
    )
    assert (smaller["progress"], smaller["points_total"], smaller["points_unrefined"]) == (
        0.5,
        8.0,
        0.0,
    )


def test_only_the_leaves_of_the_named_level_count():
    both = fold([leaves(("done", 1.0)), leaves(("planned", 1.0), level="feature")])
    assert derive(SPEC, {}, both)["progress"] == 0.5
    assert derive(RollupSpec(of="work_item"), {}, both)["progress"] == 1.0
    assert derive(RollupSpec(of="goal"), {}, both)["progress"] is None


@pytest.mark.parametrize(
    ("statuses", "rolled"),
    [
        (["done", "done"], "done"),
        (["done", "cancelled"], "done"),
        (["cancelled"], "cancelled"),
        (["done", "planned"], "in progress"),
        (["in progress", "blocked"], "in progress"),
        (["blocked", "planned"], "blocked"),
        (["idea", "idea"], "idea"),
        (["idea", "planned"], "planned"),
        (["idea", "cancelled"], "idea"),
        (["nobody knows this one"], "planned"),
    ],
)
def test_the_status_of_the_whole(statuses, rolled):
    sums = leaves(*[(status, None) for status in statuses])
    assert derive(SPEC, {}, sums)["rolled_status"] == rolled


def test_dates_are_the_earliest_start_and_the_latest_due_of_what_is_not_cut():
    rows = [
        ("planned", "2026-03-01", "2026-04-01"),
        ("done", "2026-02-01", None),
        ("cancelled", "2020-01-01", "2030-01-01"),
    ]
    sums = fold(leaf("feature", {"status": s, "start": a, "due": b}) for s, a, b in rows)
    derived = derive(SPEC, {}, sums)
    assert (derived["rolled_start"], derived["rolled_end"]) == ("2026-02-01", "2026-04-01")


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two():
    assert median({1.0: [1, 0], 3.0: [0, 1], 5.0: [1, 0], 8.0: [1, 0]}) == 4.0
    assert median({2.0: [2, 1]}) == 2.0
    assert median({}) is None


def test_an_estimate_below_zero_is_no_estimate():
    sums = leaves(("planned", -5.0), ("done", 2.0))
    assert derive(SPEC, {}, sums)["points_total"] == 2.0
