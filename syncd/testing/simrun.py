"""What a simulated run leaves behind for the oracles to judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from syncd.core.records import Value
from syncd.testing.schedule import Schedule


@dataclass(frozen=True, slots=True)
class HumanEdit:
    """One cell that a person set: native values, and the step of the run at which it happened.

    `linked`: the record belonged to an item of the roadmap by then. `cycle`: it happened before this one.
    """

    step: int
    tool: str
    record: str
    field: str
    old: Value
    new: Value
    linked: bool = True
    cycle: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """One cell that we wrote: native values.

    `blind`: it replaced edits that no read of ours had shown, those after step `since`; `idle`: the tool
    held the value already. `read` is the step at which each (tool, record) had last been shown to us
    when we decided on it.
    """

    step: int
    tool: str
    record: str
    field: str
    new: Value
    blind: bool
    unanswered: bool = False
    idle: bool = False
    since: int = -1
    read: Mapping[tuple[str, str], int] | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A person's decision in a conflict: canonical values; `claims` are (tool, value)."""

    step: int
    item: str
    field: str
    claims: tuple[tuple[str, Value], ...]
    new: Value


@dataclass(slots=True)
class Run:
    """What one schedule came to: violations as sentences, and figures.

    `unanswered` are cells, as (tool, record, remote field), that people changed after a write of ours
    took effect and before its result was known: a lost reply, a crash, or an answer that does not show
    the record. Only the tool's own change log can tell such an edit from what the tool made of our
    write (P4); where a tool has none these edits are counted and not judged (I4n). `razed` are cells
    whose values, or whose clearing, went out of sight before they were read.
    """

    schedule: Schedule
    violations: list[str] = field(default_factory=list)
    human: list[HumanEdit] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    resolved: list[Resolved] = field(default_factory=list)
    born: dict[tuple[str, str], str] = field(default_factory=dict)  # what we created -> marker
    figures: Counter[str] = field(default_factory=Counter)
    unanswered: set[tuple[str, str, str]] = field(default_factory=set)
    razed: set[tuple[str, str, str]] = field(default_factory=set)
    attempts: set[str] = field(default_factory=set)  # intents that have been on the wire
    trace: list[str] = field(default_factory=list)

    def violated(self, invariant: str, sentence: str) -> None:
        """Note a violation once."""
        text = f"{invariant} {sentence}"
        if text not in self.violations:
            self.violations.append(text)

    @property
    def digest(self) -> str:
        """Return a digest of everything that happened, in order: equal runs have equal digests."""
        text = "\n".join([*self.trace, *self.violations])
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
