"""What a simulated run leaves behind for the oracles to judge."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from syncd.core.records import Value
from syncd.testing.schedule import Schedule


@dataclass(frozen=True, slots=True)
class HumanEdit:
    """One cell that a person set: native values, and the step of the run at which it happened."""

    step: int
    tool: str
    record: str
    field: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Written:
    """One cell that we wrote: native values. `blind`: it replaced an edit that no read of ours had shown."""

    step: int
    tool: str
    record: str
    field: str
    new: Value
    blind: bool
    unanswered: bool = False


@dataclass(slots=True)
class Run:
    """What one schedule came to: violations as sentences, and figures.

    `unanswered` are cells, as (tool, record, remote field), that people changed after a write of ours
    took effect and before its result was known: a lost reply, a crash, or an answer that does not show
    the record. Only the tool's own change log could tell such an edit from what the tool made of our
    write (P4); no adapter reads one yet, so these edits are counted and not judged.
    """

    schedule: Schedule
    violations: list[str] = field(default_factory=list)
    human: list[HumanEdit] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    born: dict[tuple[str, str], str] = field(default_factory=dict)  # what we created -> marker
    figures: Counter[str] = field(default_factory=Counter)
    unanswered: set[tuple[str, str, str]] = field(default_factory=set)

    def violated(self, invariant: str, sentence: str) -> None:
        """Note a violation once."""
        text = f"{invariant} {sentence}"
        if text not in self.violations:
            self.violations.append(text)
