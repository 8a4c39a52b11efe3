"""First contact: which records of a tool may be items that are known from another tool already.

Pure scoring, for a person to review. Every pair that is looked at shares something that can be looked up
(a marker, a key or address named in a text, a title, a rare word), so that the cost grows with the
number of records and not with the number of pairs.

    evidence                                                score
    our marker on one side names the other                   100
    a text of one side names the other's key, id or address   90
    the same title                                            60
    titles that share most of their words               up to 50
    the same parent                                          +20
    a date in common                                         +10
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.identity import title_key
from syncd.core.values import digest

MARKER, NAMED, TITLE, ALIKE, PARENT, DATE = 100, 90, 60, 50, 20, 10
PROPOSED = 60
"""The least score of a pair that is proposed; below it a person is shown the candidates."""
WORTH = 30
"""The least score of a candidate that is shown at all."""
MARGIN = 15
"""By how much the best candidate has to be better than the next, on both sides."""
LIKENESS = 0.6
"""Share of their words that two titles have in common, at least, to be alike."""
COMMON = 100
"""A word in more titles than this tells nothing."""

_URL = re.compile(r"https?://[^\s<>()\[\]\"']+")
_KEY = re.compile(r"\b[A-Z][A-Z0-9_]+-\d+\b")
_ID = re.compile(r"\b(?:\d{8,}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


@dataclass(frozen=True, slots=True)
class Thing:
    """A record that nobody knows, or an item, as far as it can be recognised.

    `names` are what others call it by (key, id, address), `texts` what it says itself. `marks` are the
    item ids that its markers carry; `is_item` are the item ids it has or would have. `dates` maps the
    names of date fields to days.
    """

    id: str
    title: str
    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    marks: frozenset[str] = frozenset()
    is_item: frozenset[str] = frozenset()
    parent: str | None = None
    dates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """A record and an item that may be the same, how sure that is (0 to 100), and why."""

    stranger: str
    item: str
    score: int
    reasons: tuple[str, ...]
    basis: int = 0  # the score of what the pair was found by

    @property
    def id(self) -> str:
        """Return a short id that is the same whenever the same pair is looked at."""
        return "a" + digest([self.stranger, self.item], 4)


@dataclass(frozen=True, slots=True)
class Review:
    """What a person is asked: pairs to accept, records with several candidates, and the rest."""

    proposed: tuple[Pair, ...] = ()
    ambiguous: Mapping[str, tuple[Pair, ...]] = field(default_factory=dict)  # by record, best first
    unknown: tuple[str, ...] = ()  # records that are like nothing: they would become new items
    missing: tuple[str, ...] = ()  # items without a candidate: they would be created

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Return every pair that a person may decide about."""
        return (*self.proposed, *(pair for each in self.ambiguous.values() for pair in each))


def mentions(texts: Iterable[str]) -> frozenset[str]:
    """Return the keys, ids and addresses that texts name, in the form of `name`."""
    found: set[str] = set()
    for text in texts:
        for url in _URL.findall(text):
            plain = name(url)
            found |= {plain, plain.rpartition("/")[2]}
        found.update(map(name, _KEY.findall(text)))
        found.update(name(each) for each in _ID.findall(text))
    return frozenset(found)


def name(text: str) -> str:
    """Return a key, id or address in the form in which they are compared."""
    plain = text.strip().casefold()
    if plain.startswith("http"):
        plain = plain.partition("#")[0].partition("?")[0].rstrip("/.,;:!")
    return plain.replace("-", "") if _ID.fullmatch(plain) else plain


def review(
    strangers: Sequence[Thing], items: Sequence[Thing], rejected: Collection[tuple[str, str]] = ()
) -> Review:
    """Compare records that nobody knows with the items that have no record in their tool.

    A pair is proposed only when each is by far the best candidate of the other. Titles that several
    share prove nothing by themselves: a person has to choose.
    """
    found = [p for p in _pairs(strangers, items) if (p.stranger, p.item) not in set(rejected)]
    of_stranger, of_item = _ranked(found, "stranger"), _ranked(found, "item")
    twins = _twins(strangers) | _twins(items)
    titles = {thing.id: title_key(thing.title) for thing in strangers}
    proposed = {
        stranger: pairs[0]
        for stranger, pairs in of_stranger.items()
        if pairs[0].score >= PROPOSED
        and (pairs[0].basis >= NAMED or titles[stranger] not in twins)
        and of_item[pairs[0].item][0] == pairs[0]
        and _stands_out(pairs)
        and _stands_out(of_item[pairs[0].item])
    }
    taken = {pair.item for pair in proposed.values()}
    ambiguous = {
        stranger: left
        for stranger, pairs in sorted(of_stranger.items())
        if stranger not in proposed and (left := tuple(p for p in pairs if p.item not in taken))
    }
    candidates = taken | {pair.item for pairs in ambiguous.values() for pair in pairs}
    return Review(
        tuple(sorted(proposed.values(), key=lambda p: (-p.score, p.stranger))),
        ambiguous,
        tuple(sorted(t.id for t in strangers if t.id not in proposed and t.id not in ambiguous)),
        tuple(sorted(t.id for t in items if t.id not in candidates)),
    )


def _ranked(pairs: Iterable[Pair], side: str) -> dict[str, list[Pair]]:
    """Return pairs by one side, the best first."""
    result: dict[str, list[Pair]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda p: (-p.score, p.stranger, p.item)):
        result[getattr(pair, side)].append(pair)
    return result


def _stands_out(pairs: Sequence[Pair]) -> bool:
    return len(pairs) == 1 or pairs[0].score - pairs[1].score >= MARGIN


def _twins(things: Iterable[Thing]) -> set[str]:
    counts = Counter(title_key(thing.title) for thing in things)
    return {title for title, count in counts.items() if count > 1}


def _pairs(strangers: Sequence[Thing], items: Sequence[Thing]) -> list[Pair]:
    index = _Index(items)
    found: dict[tuple[str, str], Pair] = {}
    for stranger in strangers:
        for item, (score, reason) in index.candidates(stranger).items():
            pair = _weighed(stranger, index.items[item], score, reason)
            if pair.score >= WORTH:
                found[stranger.id, item] = pair
    return list(found.values())


def _weighed(stranger: Thing, item: Thing, score: int, reason: str) -> Pair:
    """Add what speaks for a pair besides what it was found by."""
    basis, reasons = score, [reason]
    if stranger.parent is not None and stranger.parent == item.parent:
        score, reasons = score + PARENT, [*reasons, "the same parent"]
    shared = sorted(n for n, day in stranger.dates.items() if item.dates.get(n) == day)
    if shared:
        score, reasons = score + DATE, [*reasons, f"the same {' and '.join(shared)}"]
    return Pair(stranger.id, item.id, min(score, 100), tuple(reasons), basis)


class _Index:
    """Items by everything that a record can be recognised by."""

    def __init__(self, items: Sequence[Thing]) -> None:
        self.items = {item.id: item for item in items}
        self._by_id: dict[str, set[str]] = defaultdict(set)
        self._by_mark: dict[str, set[str]] = defaultdict(set)
        self._by_name: dict[str, set[str]] = defaultdict(set)
        self._by_mention: dict[str, set[str]] = defaultdict(set)
        self._by_title: dict[str, set[str]] = defaultdict(set)
        self._by_word: dict[str, set[str]] = defaultdict(set)
        for item in items:
            self._add(item)

    def _add(self, item: Thing) -> None:
        for index, keys in (
            (self._by_id, item.is_item),
            (self._by_mark, item.marks),
            (self._by_name, map(name, item.names)),
            (self._by_mention, mentions((item.title, *item.texts))),
            (self._by_title, filter(None, [title_key(item.title)])),
            (self._by_word, _words(item.title)),
        ):
            for key in keys:
                index[key].add(item.id)

    def candidates(self, stranger: Thing) -> dict[str, tuple[int, str]]:
        """Return items that may be this record, with the best score for that and its reason."""
        found: dict[str, tuple[int, str]] = {}
        for item, likeness in self._alike(stranger).items():
            found[item] = (int(ALIKE * likeness), "a title much like it")
        for score, reason, items in (
            (TITLE, "the same title", self._by_title.get(title_key(stranger.title), ())),
            (NAMED, "the item's record names it", _all(self._by_mention, map(name, stranger.names))),
            (
                NAMED, "it names the item's record",
                _all(self._by_name, mentions((stranger.title, *stranger.texts))),
            ),
            (MARKER, "the item's record carries its marker", _all(self._by_mark, stranger.is_item)),
            (MARKER, "it carries the item's marker", _all(self._by_id, stranger.marks)),
        ):  # fmt: skip
            found.update(dict.fromkeys(items, (score, reason)))
        return found

    def _alike(self, stranger: Thing) -> dict[str, float]:
        """Return items whose titles share most of their words, looked up by the rarer ones."""
        words = _words(stranger.title)
        near: set[str] = set()
        for word in words:
            holders = self._by_word.get(word, set())
            if len(holders) <= COMMON:
                near |= holders
        result = {}
        for item in near:
            theirs = _words(self.items[item].title)
            likeness = len(words & theirs) / len(words | theirs)
            if likeness >= LIKENESS:
                result[item] = likeness
        return result


def _all(index: Mapping[str, set[str]], keys: Iterable[str]) -> set[str]:
    return {item for key in keys for item in index.get(key, ())}


def _words(title: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", title_key(title)))
