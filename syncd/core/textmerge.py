"""The three-way merge of a text by its lines: what only one side changed is taken, from both sides.

As `diff3` does it (S. Khanna, K. Kunal, B. Pierce: A Formal Investigation of Diff3, 2007), but careful:
changes that touch each other, without an unchanged line between them, are left to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines `start` to `end` of the base became `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]

    def touches(self, other: _Hunk) -> bool:
        """Tell whether no unchanged line stands between two hunks."""
        return self.start <= other.end and other.start <= self.end


def merge_text(base: str, one: str, other: str) -> str | None:
    """Return the text with the changes of both sides, None when they touch each other.

    Symmetric in its last two arguments; a side that changed nothing, or the same, gives the other side.
    """
    lines = base.split("\n")
    mine, theirs = _hunks(lines, one.split("\n")), _hunks(lines, other.split("\n"))
    alike = set(mine) & set(theirs)
    mine = [hunk for hunk in mine if hunk not in alike]
    both = [*mine, *theirs]
    if any(hunk.touches(each) for hunk in mine for each in theirs):
        return None
    for hunk in sorted(both, key=lambda each: each.start, reverse=True):
        lines[hunk.start : hunk.end] = hunk.lines
    return "\n".join(lines)


def _hunks(base: Sequence[str], text: Sequence[str]) -> list[_Hunk]:
    steps = SequenceMatcher(None, base, text, autojunk=False).get_opcodes()
    return [_Hunk(i1, i2, tuple(text[j1:j2])) for kind, i1, i2, j1, j2 in steps if kind != "equal"]
