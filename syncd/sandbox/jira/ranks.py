"""The order that people give issues by hand: ranks, which are compared as texts.

An issue that was never ranked stands by its id. Between two ranks there is always room for another:
a rank is a number in base 36, of as many digits as it takes.
"""

from __future__ import annotations

from syncd.sandbox.jira.model import Issue
from syncd.sandbox.jira.store import Store

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LAST = len(_DIGITS)
_HEAD = "0|i"


def rank_of(store: Store, issue: Issue) -> str:
    """Return the rank of an issue as the API shows it."""
    return store.ranks.get(issue.id) or f"{_HEAD}{issue.id:06x}:"


def between(low: str, high: str | None) -> str:
    """Return a rank above `low` and, if there is one, below `high`."""
    head, _, tail = low.partition(":")
    if high is None or high.partition(":")[0] != head:
        return f"{head}:{_middle(tail, None)}"
    return f"{head}:{_middle(tail, high.partition(':')[2])}"


def before_all(high: str) -> str:
    """Return a rank below a rank that nothing is below."""
    head, _, tail = high.partition(":")
    if tail:
        return f"{head}:{_middle('', tail)}"
    number = int(head.removeprefix(_HEAD), 16)
    return f"{_HEAD}{number - 1:06x}:{_middle('', None)}"


def _middle(low: str, high: str | None) -> str:
    """Return digits between `low` and `high` (None: no end), which never end in 0."""
    made = ""
    place = 0
    while True:
        under = _DIGITS.index(low[place]) if place < len(low) else 0
        free = high is None
        over = _LAST if free or place >= len(high or "") else _DIGITS.index((high or "")[place])
        if over - under > 1:
            return made + _DIGITS[(under + over) // 2]
        made += _DIGITS[under]
        if over > under:
            high = None
        place += 1
