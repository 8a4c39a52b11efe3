"""The guard: what one cycle may do to one scope before a person is asked.

A list that is suddenly empty or half gone, and a plan that would touch much of a scope at once, are far
more often a lost permission, a wrong filter or a wrong rule than the wish of a person. What is held back
has a checksum; a person who has read it lets exactly that go on (`Approval`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.fields import CATALOGUE, FieldType
from syncd.core.plan import Change, overwrites, replaces
from syncd.core.rules import Limits
from syncd.core.values import digest, show

FLOOR = 10
"""Below this many known records a shrunken list is believed, unless it is empty."""

APPROVED_FOR = 900.0
"""Seconds an approval lasts at least: what was read must still be what is there (goal G16)."""

SHOWN = 3
"""Fields named of a change before the rest is counted."""

EXAMPLES = 5
"""Titles named in a sentence before the rest is counted."""

Key = tuple[str, str]
"""A scope: (connection, scope id)."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held back in one scope.

    `kind` is "plan" (more than the limits allow) or "list" (a list that is not believed). `changes` maps
    each change that waits, as "create ITEM" or "update ITEM", to (digest of its values, title).
    """

    kind: str
    connection: str
    scope: str
    name: str  # of the scope, as people know it
    checksum: str
    why: str  # a clause: what is unusual
    creates: int = 0
    updates: int = 0
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    note: str = ""  # a clause: whose approval does not hold for this, or no longer
    gists: tuple[str, ...] = ()  # the first changes in words: title, and what would become of what

    @property
    def key(self) -> Key:
        """Return the scope."""
        return self.connection, self.scope

    @property
    def examples(self) -> tuple[str, ...]:
        """Return the first changes in words; of an older state the titles only."""
        titles = tuple(title for _digest, title in list(self.changes.values())[:EXAMPLES])
        return self.gists or titles

    @property
    def sentence(self) -> str:
        """Return what to tell people: why, what waits, and how to let it go on."""
        note = f"; {self.note}" if self.note else ""
        if self.kind == "list":
            return (
                f"{self.why}; that looks like a lost permission or a changed filter, so nothing is "
                f"written there; check the access, then run again; or, if it really is that short, run "
                f"`syncd approve {self.checksum}`{note}"
            )
        return (
            f"{self.why}, such as {named(self.examples, len(self.changes))}; look at it with "
            f"`syncd plan` and, if it is right, run `syncd approve {self.checksum}`{note}"
        )


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word that what was held back may go on; `until` is in epoch seconds.

    One that has expired is kept as `lapsed` while what it was for still waits, to tell people.
    """

    checksum: str
    kind: str
    connection: str
    scope: str
    name: str
    by: str
    at: float
    until: float
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    lapsed: bool = False

    def concerns(self, held: Held) -> bool:
        """Tell whether what waits is what was approved, or what has become of it.

        A plan of which nothing is left has been carried out, and is not spoken of any more.
        """
        if (self.kind, self.connection, self.scope) != (held.kind, *held.key):
            return False
        return held.kind == "list" or bool(self.changes.keys() & held.changes.keys())

    def covers(self, held: Held) -> bool:
        """Tell whether all that waits was approved; less may be left of it, never more or other."""
        if (self.kind, self.connection, self.scope) != (held.kind, *held.key):
            return False
        if held.kind == "list":
            return self.checksum == held.checksum
        agreed = {name: each[0] for name, each in self.changes.items()}
        return all(agreed.get(name) == each[0] for name, each in held.changes.items())


@dataclass(slots=True)
class Ledger:
    """What one cycle has done so far, by scope, as item ids; and what a person has let pass.

    Limits are for the cycle as a whole: a round must not begin to count anew.
    """

    created: dict[Key, set[str]] = field(default_factory=dict)
    overwritten: dict[Key, set[str]] = field(default_factory=dict)
    passed: dict[Key, set[str]] = field(default_factory=dict)

    def note(self, changes: Iterable[Change]) -> None:
        """Count changes as done."""
        for change in changes:
            key = (change.connection, change.scope)
            if change.kind == "create":
                self.created.setdefault(key, set()).add(change.item)
            elif overwrites(change):
                self.overwritten.setdefault(key, set()).add(change.item)

    def let_pass(self, changes: Iterable[Change]) -> None:
        """Leave the items of these changes uncounted for the rest of the cycle: a person has agreed."""
        for change in changes:
            self.passed.setdefault((change.connection, change.scope), set()).add(change.item)

    def counts(self, key: Key, changes: Sequence[Change]) -> tuple[int, int]:
        """Return (creates, overwritten records) of the cycle in a scope, with these changes to come.

        What the cycle itself has created holds nobody's words yet.
        """
        passed, created = self.passed.get(key, set()), self.created.get(key, set())
        creates = created | {c.item for c in changes if c.kind == "create"}
        overwritten = self.overwritten.get(key, set()) | {
            c.item for c in changes if c.kind == "update" and overwrites(c)
        }
        return len(creates - passed), len(overwritten - creates - passed)


@dataclass(frozen=True, slots=True)
class Size:
    """What the guard knows of a scope: its name, its records, and whether its first fill is done."""

    name: str
    records: int
    filled: bool


def shortfall(
    limits: Limits, key: Key, name: str, known: int, listed: int, lost: str = ""
) -> Held | None:
    """Return what is held back because a full list cannot be believed, or None when it can.

    `lost` names what a whole part of the scope has lost, where one lists nothing any more.
    """
    empty, half = known > 0 and listed == 0, listed <= limits.shrink * known
    if not (empty or lost or (half and known >= FLOOR)):
        return None
    why = f"{name} listed {listed} records where {known} are known"
    if lost and not empty:
        why += f", and none of {lost}"
    return Held("list", *key, name, digest([*key, known, listed]), why)


def excess(
    limits: Limits, ledger: Ledger, key: Key, size: Size, changes: Sequence[Change]
) -> Held | None:
    """Return what is held back of the changes to one scope because they are too many, or None.

    The first fill may create without limit, for it begins empty or after a review (`syncd adopt`);
    what people wrote before is protected from the start.
    """
    creates, overwritten = ledger.counts(key, changes)
    found = []
    if size.filled and creates > limits.allowed(limits.creates, size.records):
        found.append(f"create {creates} records")
    if overwritten > limits.allowed(limits.overwrites, size.records):
        found.append(f"change {overwritten} records")
    for name, count in _emptied(ledger, key, changes).items():
        if count > limits.allowed(limits.erases, size.records):
            found.append(f"empty {name} in {count} records")
    if not found:
        return None
    why = f"this plan would {' and '.join(found)} in {size.name}, which holds {size.records}"
    return holding("plan", key, size.name, why, changes)


def _emptied(ledger: Ledger, key: Key, changes: Sequence[Change]) -> Counter[str]:
    """Count, by field, the values of people that would be emptied: one at once is a lost field's sign."""
    passed = ledger.passed.get(key, set())
    return Counter(
        cell.field
        for change in changes
        if change.kind == "update" and change.item not in passed
        for cell in change.cells
        if cell.new is None and replaces(cell)
    )


def holding(kind: str, key: Key, name: str, why: str, changes: Sequence[Change]) -> Held:
    """Return changes as held back, with their checksum."""
    waiting = {f"{c.kind} {c.item}": (digest(c.essence), c.title) for c in changes}
    creates = sum(change.kind == "create" for change in changes)
    checksum = digest(sorted([name, each[0]] for name, each in waiting.items()))
    gists = tuple(_gist(change) for change in changes[:EXAMPLES])
    return Held(
        kind, *key, name, checksum, why, creates, len(changes) - creates, waiting, gists=gists
    )


def _gist(change: Change) -> str:
    """Return a change as `Title (due 2027-04-21 -> (empty))`; references are named without their ids."""
    said = []
    for cell in change.cells if change.kind == "update" else ():
        kind = CATALOGUE[cell.field].type if cell.field in CATALOGUE else FieldType.TEXT
        ids = kind in (FieldType.PERSON, FieldType.PEOPLE, FieldType.ITEM)
        said.append(
            cell.field if ids else f"{cell.field} {show(cell.old, 30)} -> {show(cell.new, 30)}"
        )
    more = f", and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return f"{change.title} ({'; '.join(said[:SHOWN])}{more})" if said else change.title


def difference(before: Mapping[str, tuple[str, str]], now: Mapping[str, tuple[str, str]]) -> str:
    """Return in words how what waits now differs from what was looked at before."""
    more = {now[name][1]: None for name in now if name not in before}
    less = {before[name][1]: None for name in before if name not in now}
    other = {n[1]: None for name, n in now.items() if before.get(name, n)[0] != n[0]}
    parts = [
        f"{len(titles)} {words} ({named(list(titles)[:EXAMPLES], len(titles))})"
        for titles, words in ((more, "more"), (less, "no longer"), (other, "with other values"))
        if titles
    ]
    return ", ".join(parts) or "nothing"


def named(titles: Collection[str], total: int) -> str:
    """Return titles as people list them, with how many more there are."""
    text = ", ".join(titles)
    return text if total <= len(titles) else f"{text} and {total - len(titles)} more"
