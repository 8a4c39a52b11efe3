"""Roll-ups against a naive recount of the whole tree, and the upkeep of sums along one path."""

from __future__ import annotations

import json
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.fields import STATUSES
from syncd.core.rollup import derive, fold, leaf, open_below
from syncd.core.rules import RollupSpec

LEVELS = ("goal", "initiative", "feature", "work_item")
CUT, DONE = "cancelled", "done"


class Tree:
    """Nodes 0..n-1; a node's parent has a smaller number. Fields only matter at the leaves."""

    def __init__(self, seed, size):
        self.chance = random.Random(seed)
        self.parent = [None] + [self.chance.randrange(max(0, n - 40), n) for n in range(1, size)]
        self.level = [self.chance.choice(LEVELS) for _ in range(size)]
        self.fields = [self.draw() for _ in range(size)]
        self.children = [[] for _ in range(size)]
        for node, parent in enumerate(self.parent):
            if parent is not None:
                self.children[parent].append(node)

    def draw(self):
        pick = self.chance.choice
        return {
            "status": pick([*STATUSES, "done", "done", None]),
            "estimate": pick([None, None, 0.0, 0.5, 1.0, 3.0, 8.0, 13.0]),
            "start": pick([None, "2026-01-05", "2026-03-01"]),
            "due": pick([None, "2026-02-02", "2026-09-30", "2027-01-01"]),
        }

    def aggregate(self, node, kept):
        children = self.children[node]
        if not children:
            return leaf(self.level[node], self.fields[node])
        return fold(kept[child] for child in children)

    def sums(self):
        kept = {}
        for node in reversed(range(len(self.parent))):
            kept[node] = self.aggregate(node, kept)
        return kept

    def leaves(self, node):
        found, todo = [], [node]
        while todo:
            step = todo.pop()
            todo += self.children[step]
            found += [] if self.children[step] else [step]
        return found


def recount(tree, node, spec):
    """The definitions, word for word, over the leaves themselves."""
    leaves = [
        tree.fields[each] for each in tree.leaves(node) if spec.of in (None, tree.level[each])
    ]
    live = [f for f in leaves if f["status"] != CUT]
    done = [f for f in live if f["status"] == DONE]
    sized = [f["estimate"] for f in live if f["estimate"] is not None]
    points = sum(sized)
    own = tree.fields[node]["estimate"] or 0.0
    return {
        "items_done": len(done),
        "items_total": len(live),
        "items_cut": len(leaves) - len(live),
        "points_done": sum(f["estimate"] or 0 for f in done),
        "points_total": points,
        "points_unrefined": max(0.0, own - points) if live else 0.0,
        "coverage": pytest.approx(len(sized) / len(live), abs=1e-4) if live else None,
        "rolled_start": min((f["start"] for f in live if f["start"]), default=None),
        "rolled_end": max((f["due"] for f in live if f["due"]), default=None),
        "progress": progress(spec, live, done, sized, own),
    }


def progress(spec, live, done, sized, own):
    if not live:
        return None
    weights = [f["estimate"] for f in live]
    if spec.weight == "count" or not any(sized):
        return pytest.approx(len(done) / len(live), abs=1e-4)
    missing = statistics.median(sized) if spec.missing == "median" else 0.0
    weights = [missing if f["estimate"] is None else f["estimate"] for f in live]
    finished = [missing if f["estimate"] is None else f["estimate"] for f in done]
    return pytest.approx(sum(finished) / max(own, sum(weights)), abs=1e-4)


SPECS = st.builds(
    RollupSpec,
    of=st.sampled_from([None, None, "work_item", "feature"]),
    weight=st.sampled_from(["points", "count"]),
    missing=st.sampled_from(["median", "zero"]),
)


@given(seed=st.integers(0, 10**9), size=st.integers(2, 120), spec=SPECS)
@settings(deadline=None)
def test_every_inner_node_says_what_a_recount_of_its_leaves_says(seed, size, spec):
    tree = Tree(seed, size)
    sums = tree.sums()
    for node in range(size):
        if tree.children[node]:
            derived = derive(spec, tree.fields[node], sums[node])
            expected = recount(tree, node, spec)
            assert {name: derived[name] for name in expected} == expected


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_of_two_thousand_is_recounted_exactly(seed):
    tree = Tree(seed, 2_000)
    sums = tree.sums()
    spec = RollupSpec()
    for node in range(0, 2_000, 7):
        if tree.children[node]:
            derived = derive(spec, tree.fields[node], sums[node])
            expected = recount(tree, node, spec)
            assert {name: derived[name] for name in expected} == expected


@pytest.mark.parametrize("seed", range(3))
def test_each_leaf_is_counted_once_and_counts_are_conserved_at_every_node(seed):
    tree = Tree(seed, 2_000)
    sums = tree.sums()
    for node in range(2_000):
        counted = [sum(bucket["statuses"].values()) for bucket in sums[node].values()]
        if node % 50 == 0:
            assert sum(counted) == len(tree.leaves(node))
        for bucket in sums[node].values():
            sized = sum(todo + done for _size, todo, done in bucket["points"])
            cut = bucket["statuses"].get(CUT, 0)
            assert sized + sum(bucket["bare"]) + cut == sum(bucket["statuses"].values())
            finished = sum(done for _size, _todo, done in bucket["points"]) + bucket["bare"][1]
            assert finished == bucket["statuses"].get(DONE, 0)


@given(seed=st.integers(0, 10**9), size=st.integers(2, 200), edits=st.integers(1, 8))
@settings(deadline=None, max_examples=50)
def test_recomputing_one_path_gives_what_recomputing_everything_gives(seed, size, edits):
    tree = Tree(seed, size)
    kept = tree.sums()
    for _ in range(edits):
        node = tree.chance.choice(tree.leaves(0))
        tree.fields[node] = tree.draw()
        step = node
        while step is not None:
            kept[step] = tree.aggregate(step, kept)
            step = tree.parent[step]
    assert kept == tree.sums()


@given(seed=st.integers(0, 10**9), size=st.integers(2, 60))
@settings(max_examples=50)
def test_sums_survive_being_stored_and_do_not_depend_on_the_order_of_children(seed, size):
    tree = Tree(seed, size)
    sums = tree.sums()
    children = [sums[child] for child in tree.children[0]]
    stored = [json.loads(json.dumps(each)) for each in children]
    assert fold(stored) == sums[0]
    assert fold(reversed(stored)) == sums[0]
    assert json.dumps(fold(reversed(stored))) == json.dumps(sums[0]), "one spelling, byte for byte"


@given(seed=st.integers(0, 10**9), size=st.integers(2, 60), spec=SPECS)
def test_shares_are_shares_and_whole_only_when_everything_is_done(seed, size, spec):
    tree = Tree(seed, size)
    derived = derive(spec, {**tree.fields[0], "estimate": None}, tree.sums()[0])
    share = derived["progress"]
    assert share is None or 0 <= share <= 1
    if derived["items_total"] and derived["items_done"] == derived["items_total"]:
        assert (share, derived["rolled_status"]) == (1.0, "done")
    if derived["items_done"] == 0.0 and derived["items_total"]:
        assert share == 0.0
    assert (derived["progress"] is None) == (derived["items_total"] == 0.0)


@given(seed=st.integers(0, 10**9), size=st.integers(2, 60))
def test_a_done_item_knows_how_much_below_it_is_open(seed, size):
    tree = Tree(seed, size)
    sums = tree.sums()[0]
    still = sum(tree.fields[n]["status"] not in (CUT, DONE) for n in tree.leaves(0))
    assert open_below({"status": DONE}, sums) == still
    assert open_below({"status": "planned"}, sums) == 0
