"""Wording and collecting what is wrong with a file, so that all of it is reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from syncd.core.errors import Place, Problem, ProblemsError


class Problems:
    """Collects problems; raised together at the end of a step."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, place: Place, reason: str) -> None:
        """Note one problem."""
        self._found.append(Problem(place, reason))

    def __len__(self) -> int:
        return len(self._found)

    def found(self) -> tuple[Problem, ...]:
        """Return what was noted so far, in order of place."""
        return tuple(sorted(set(self._found), key=lambda one: (one.place, one.reason)))

    def check(self, error: type[ProblemsError]) -> None:
        """Raise `error` with everything noted; do nothing when there is none."""
        if self._found:
            raise error(self._found)


def did_you_mean(word: str, choices: Iterable[str], *, limit: int = 12) -> str:
    """Return what to write instead of an unknown word: the nearest choice, else the whole list.

    >>> did_you_mean("Stats", ["Status", "Owner"])
    'did you mean "Status"?'
    >>> did_you_mean("xyz", ["Status", "Owner"])
    'write one of "Status", "Owner"'
    """
    known = list(dict.fromkeys(choices))
    if not known:
        return "there is none"
    folded = {choice.casefold(): choice for choice in reversed(known)}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {quoted(folded[near[0]])}?"
    return f"write one of {listed(known, limit=limit)}" if len(known) > 1 else f"write {known[0]}"


def listed(names: Sequence[str], *, limit: int = 12) -> str:
    """Return names as people list them, quoted; a long list is cut."""
    shown = ", ".join(quoted(name) for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def quoted(name: str) -> str:
    """Return a name in quotes, on one line."""
    return '"' + " ".join(name.split()) + '"'
