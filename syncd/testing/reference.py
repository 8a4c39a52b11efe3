"""The reference model: from what people did and what was written, which values a field may end with.

It knows nothing of the engine: no bases, no merges, no state. For one field of one item it replays, in
the order they happened, the edits of people and the writes into each tool, and keeps for every tool
which edits somebody who looks there has seen. An edit made in sight of another supersedes it; edits made
out of sight of one another are concurrent. What may be shown in the end is a *set* of values: those of
the edits that nothing supersedes, narrowed by who owns the field. One value of them has to be chosen, or
a conflict be open; which one, when both are fair, the model does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.records import Value

SHARED = "shared"
Same = Callable[[Value, Value], bool]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that set a cell, in canonical values; `place` is the tool, or the name of a conflict.

    `human` tells an edit of a person from a write of ours. `fresh` marks an edit of a record that
    belonged to no item yet; `blind` a write that replaced edits nobody had been shown, those after step
    `since`; `knows` are the (tool, value) a decision in a conflict was made about. `vague` is an edit whose
    value the mapping cannot read. `read` is the step up to which we had been shown each tool's record
    when we wrote; None: no matter.
    """

    step: int
    place: str
    human: bool
    old: Value
    new: Value
    fresh: bool = False
    blind: bool = False
    since: int = -1
    vague: bool = False
    knows: tuple[tuple[str, Value], ...] = ()
    read: Mapping[str, int] | None = None


@dataclass(slots=True)
class Ledger:
    """Who has seen what. Edits are numbers: their places in `edits`."""

    same: Same
    edits: list[Act] = field(default_factory=list)
    aware: list[frozenset[int]] = field(default_factory=list)  # what each edit was made in sight of
    shown: dict[str, set[int]] = field(default_factory=dict)  # place -> edits one has seen there
    swept: set[int] = field(
        default_factory=set
    )  # edits replaced before anybody could be shown them
    sweepers: list[Value] = field(default_factory=list)  # and by what

    def play(self, acts: Iterable[Act]) -> Ledger:
        """Replay acts in order; returns itself."""
        for act in acts:
            if act.human:
                self._edited(act)
            else:
                self._written(act)
        return self

    def _edited(self, act: Act) -> None:
        seen = set(self.shown.get(act.place, ()))
        for place, value in act.knows:
            alike = [n for n, known in enumerate(self.edits) if self.same(value, known.new)]
            there = [n for n in alike if self.edits[n].place == place]
            for number in there or alike:
                seen |= {number} | self.aware[number]
        self.aware.append(frozenset(seen))
        self.edits.append(act)
        self.shown[act.place] = {*seen, len(self.edits) - 1}

    def _written(self, act: Act) -> None:
        seen = self.shown.setdefault(act.place, set())
        if act.blind:
            mine = {n for n in seen if self.edits[n].place == act.place}
            self.swept |= {n for n in mine if self.edits[n].step > act.since}
            self.sweepers.append(act.new)
        for number, edit in enumerate(self.edits):
            read = act.read is None or edit.knows or edit.step <= act.read.get(edit.place, -1)
            if read and self._carries(act.new, edit):
                seen |= {number} | self.aware[number]

    def _carries(self, value: Value, edit: Act) -> bool:
        """Tell whether a written value shows an edit: it is the same, or a set that holds its changes."""
        if isinstance(edit.old, tuple) or isinstance(edit.new, tuple):
            added, removed = changes(edit)
            members = set(_members(value))
            return added <= members and not removed & members
        return self.same(value, edit.new)

    def superseded(self, among: Collection[int] | None = None) -> set[int]:
        """Return the edits that another one, of these, was made in sight of."""
        chosen = range(len(self.edits)) if among is None else among
        return {old for number in chosen for old in self.aware[number]}

    def standing(self, among: Sequence[int] | None = None) -> list[int]:
        """Return the edits that nothing supersedes, oldest first."""
        chosen = range(len(self.edits)) if among is None else among
        gone = self.superseded(chosen)
        return [number for number in chosen if number not in gone]


def _members(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def changes(edit: Act) -> tuple[set[str], set[str]]:
    """Return what an edit of a set added and removed."""
    before, after = set(_members(edit.old)), set(_members(edit.new))
    return after - before, before - after


def allowed(ledger: Ledger, owner: str, defaults: Collection[Value]) -> list[Value] | None:
    """Return the values that a field may end with; None where the model has no opinion.

    `owner` is a tool or SHARED. Without an edit by its owner a field keeps somebody's word, or what the
    tools put there by themselves (`defaults`).
    """
    everyone: list[Value] = [*defaults, None, *(edit.new for edit in ledger.edits)]
    decided = [n for n, edit in enumerate(ledger.edits) if owner in (SHARED, edit.place)]
    decided += [n for n, edit in enumerate(ledger.edits) if edit.knows]
    if not decided:
        return everyone
    final = ledger.standing() if owner == SHARED else [max(decided)]
    if any(ledger.edits[n].vague for n in final):
        return None
    if any(ledger.edits[n].fresh and ledger.edits[n].new is None for n in final):
        return everyone  # an emptiness that was there before anybody met it erases nothing
    if ledger.swept & set(final):
        return [*(ledger.edits[n].new for n in final), *ledger.sweepers]
    return [ledger.edits[n].new for n in final]


def members_amiss(ledger: Ledger, shown: Value) -> list[str]:
    """Return the members that a shared set has and should not have, or has not and should.

    Each member follows the last word on it: it stays where somebody added it and nobody who saw that
    has removed it. Where both were said out of sight of one another either will do.
    """
    amiss = []
    names = {name for edit in ledger.edits for name in _members(edit.old) + _members(edit.new)}
    for name in sorted(names | set(_members(shown))):
        touching = [n for n, edit in enumerate(ledger.edits) if name in set.union(*changes(edit))]
        if any(ledger.edits[n].fresh for n in touching) or ledger.swept & set(touching):
            fine = {True, False} if touching else {False}
            if all(name in changes(ledger.edits[n])[0] for n in touching) and not ledger.swept:
                fine = {True}
        else:
            last = ledger.standing(touching)
            fine = {name in changes(ledger.edits[n])[0] for n in last} or {False}
        if (name in _members(shown)) not in fine:
            amiss.append(name)
    return amiss


def lost(ledger: Ledger, kept: Collection[Value], silent: Collection[str] = ()) -> list[Act]:
    """Return the edits that are neither superseded nor among the values kept.

    `kept` are the value that is shown and everything that history and conflicts tell. An emptiness
    from before the first meeting is told nowhere; a value that the mapping cannot read is told in a
    notice, in the tool's own words.
    In `silent` tools, which keep no log, what was swept away unseen cannot be known (I4n).
    """
    found = []
    for number in ledger.standing():
        edit = ledger.edits[number]
        unknown = number in ledger.swept and edit.place in silent
        excused = unknown or (edit.fresh and edit.new is None)
        if excused or edit.vague:
            continue
        if not any(ledger.same(edit.new, value) for value in kept):
            found.append(edit)
    return found
