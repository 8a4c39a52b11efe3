"""Which records may be which items: the scores, what is proposed, and what is never guessed."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.adoption import Thing, mentions, name, review


def thing(named="s1", title="Fleet map", **more):
    return Thing(named, title, **more)


def item(named="i1", title="Fleet map", **more):
    return Thing(named, title, is_item=frozenset([named]), **more)


def pairs(found):
    return {(pair.stranger, pair.item): pair.score for pair in found.proposed}


EVIDENCE = {
    "its marker": (thing(marks=frozenset(["i1"]), title="A"), item(title="B"), 100),
    "the marker of the other side": (
        thing(is_item=frozenset(["ix"]), title="A"), item(marks=frozenset(["ix"]), title="B"), 100,
    ),
    "a key in a text": (
        thing(title="A", texts=("as planned in WEB-12.",)), item(title="B", names=frozenset(["WEB-12"])), 90,
    ),
    "an address in a text": (
        thing(title="A", texts=("see https://acme.example/browse/WEB-12?x=1#y).",)),
        item(title="B", names=frozenset(["https://acme.example/browse/WEB-12"])), 90,
    ),
    "an id, hyphens or not": (
        thing(title="A", names=frozenset(["10392265-b1f5-8192-a394-139f60c73494"])),
        item(title="B", texts=("https://notion.example/Map-10392265b1f58192a394139f60c73494",)), 90,
    ),
    "the title": (thing(title=" fleet  MAP"), item(), 60),
    "title and parent": (thing(parent="i9"), item(parent="i9"), 80),
    "title, parent and date": (
        thing(parent="i9", dates={"due": "2026-01-01"}), item(parent="i9", dates={"due": "2026-01-01"}), 90,
    ),
    "a title much like it, and the parent": (
        thing(title="Fleet map in the cockpit", parent="i9"),
        item(title="Fleet map in cockpit", parent="i9"), 60,
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", EVIDENCE)
def test_evidence(why):
    stranger, known, score = EVIDENCE[why]
    found = review([stranger], [known])
    assert pairs(found) == {("s1", "i1"): score}
    assert found.proposed[0].reasons
    assert (found.ambiguous, found.unknown, found.missing) == ({}, (), ())


def test_a_title_that_is_only_a_little_alike_is_shown_and_not_proposed():
    found = review([thing(title="Fleet map in the cockpit")], [item(title="Fleet map in cockpit")])
    assert found.proposed == ()
    assert list(found.ambiguous) == ["s1"]
    nothing = review([thing(title="Fleet map")], [item(title="Other map of roads")])
    assert (nothing.unknown, nothing.missing) == (("s1",), ("i1",))


@pytest.mark.parametrize("side", ["strangers", "items"])
def test_the_same_title_twice_is_never_guessed_whatever_else_fits(side):
    day = {"due": "2026-01-01"}
    one, other = thing(parent="i9", dates=day), thing("s2")
    first, second = item(parent="i9", dates=day), item("i2")
    strangers, items = ([one, other], [first]) if side == "strangers" else ([one], [first, second])
    found = review(strangers, items)
    assert found.proposed == ()
    assert set(found.ambiguous) == {thing.id for thing in strangers}
    assert found.ambiguous["s1"][0].item == "i1", "the better candidate first"


def test_a_key_decides_between_twins():
    found = review(
        [thing(texts=("WEB-2",)), thing("s2")],
        [item(names=frozenset(["WEB-1"])), item("i2", names=frozenset(["WEB-2"]))],
    )
    assert pairs(found) == {("s1", "i2"): 90}
    assert [p.item for p in found.ambiguous["s2"]] == ["i1"]


def test_a_rejected_pair_is_not_shown_again():
    found = review([thing()], [item()], [("s1", "i1")])
    assert (found.pairs, found.unknown, found.missing) == ((), ("s1",), ("i1",))


def test_what_texts_name():
    text = "WEB-12, web-12x (https://a.example/x/), 1200000000012345 and UTF-8"
    assert mentions([text]) == {"web-12", "https://a.example/x", "x", "1200000000012345", "utf-8"}
    assert name("https://A.example/x/?q=1") == "https://a.example/x"


WORDS = st.lists(st.sampled_from(["fleet", "map", "new", "old", "x"]), max_size=4).map(" ".join)
KEYS = st.sampled_from(["WEB-1", "WEB-2", "WEB-3"])


def things(prefix):
    one = st.tuples(WORDS, st.none() | KEYS, st.none() | KEYS, st.sampled_from([None, "p1", "p2"]))
    return st.lists(one, max_size=6).map(
        lambda drawn: [
            Thing(
                f"{prefix}{n}", title, frozenset([key] if key else []), (text,) if text else (),
                is_item=frozenset([f"{prefix}{n}"]), parent=parent,
            )
            for n, (title, key, text, parent) in enumerate(drawn)
        ]
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(strangers=things("s"), items=things("i"), seed=st.integers(0, 99))
def test_laws_of_a_review(strangers, items, seed):
    found = review(strangers, items)
    chosen = [pair.stranger for pair in found.proposed], [pair.item for pair in found.proposed]
    assert all(len(set(side)) == len(side) for side in chosen), "each is used once"
    places = [*chosen[0], *found.ambiguous, *found.unknown]
    assert sorted(places) == sorted(thing.id for thing in strangers), "each has one place"
    for pairs_ in found.ambiguous.values():
        assert not {pair.item for pair in pairs_} & set(chosen[1])
    shuffled = random.Random(seed)
    one, other = strangers[:], items[:]
    shuffled.shuffle(one)
    shuffled.shuffle(other)
    assert review(one, other) == found, "no order decides"
    refused = [(pair.stranger, pair.item) for pair in found.pairs]
    again = review(strangers, items, refused)
    assert not {(p.stranger, p.item) for p in again.pairs} & set(refused)


def test_five_thousand_against_five_thousand_takes_seconds():
    chance = random.Random(1)
    words = [f"word{n}" for n in range(800)]
    titles = [" ".join(chance.sample(words, 6)) for _ in range(5000)]
    strangers = [thing(f"s{n}", title=f"{titles[n]} again") for n in range(5000)]
    items = [item(f"i{n}", title=titles[n], parent="p") for n in range(5000)]
    begun = time.process_time()
    found = review(strangers, items)
    assert time.process_time() - begun < 10
    assert len(found.ambiguous) == 5000
