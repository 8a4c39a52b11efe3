"""One run in progress, as the tools, the people and the judges of the simulator know it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from syncd.core.model import CursorState, Item
from syncd.core.records import Draft, Edit, Record, Value
from syncd.testing.memory_store import MemoryDisk, MemoryStore
from syncd.testing.schedule import Event, Schedule
from syncd.testing.simrun import HumanEdit, Run
from syncd.testing.world import TOOLS, World

NO_HISTORY = frozenset(["notion"])
"""Tools without a change log of their own: see `Run.unanswered`."""

_LIES = ("empty", "half", "old", "dropped", "cut", "behind")


class Crash(BaseException):
    """The process ends here: no handler of the engine may catch it."""


class SimStore(MemoryStore):
    """A state in memory that says when a place in a list has been stored."""

    moved: tuple[str, str] | None = None
    on_gone: Callable[[str, str], None]
    on_merged: Callable[[], None]

    def save_items(self, items: Sequence[Item]) -> None:
        """Insert or replace items: what had been read by now has been merged."""
        super().save_items(items)
        self.on_merged()

    def save_cursor(self, connection: str, scope: str, state: CursorState) -> None:
        """Remember how far a scope has been read."""
        self.moved = connection, scope
        super().save_cursor(connection, scope, state)

    def mark_gone(self, connection: str, record_id: str, since: float | None) -> None:
        """Note that a record was deleted, or is back."""
        super().mark_gone(connection, record_id, since)
        if since is not None:
            self.on_gone(connection, record_id)


class Stage(ABC):
    """One run in progress: the world, how far the schedule has come, and what is about to go wrong.

    The options are variations that must change nothing: every page of a list comes twice, or with its
    records in the opposite order; every cycle is run again, or its plan looked at first and approved.
    """

    world: World

    def __init__(
        self,
        schedule: Schedule,
        *,
        always_twice: bool = False,
        reversed_lists: bool = False,
        again: bool = False,
        reviewed: bool = False,
    ) -> None:
        self.run = Run(schedule)
        self.always_twice, self.reversed = always_twice, reversed_lists
        self.again, self.reviewed = again, reviewed
        self.disk = MemoryDisk()
        self.cycle = self.step = 0
        self.dead = self.calm = self.by_hand = False
        self.counts: Counter[tuple[int, str]] = Counter()
        self.seen: dict[tuple[str, str], int] = {}
        self.merged: dict[
            tuple[str, str], int
        ] = {}  # what had been seen when items were last merged
        self.before: dict[tuple[str, str], Record] = {}
        self.shown: dict[tuple[str, str], tuple[Record, Record]] = {}
        self.latest: dict[tuple[str, str, str], HumanEdit] = {}
        self.human_made: set[tuple[str, str]] = set()
        self.hidden: dict[str, set[int]] = {name: set() for name in TOOLS}  # in which cycles
        self.trashed: set[tuple[str, str]] = set()  # what people have ever put into the trash
        self.moved: set[tuple[str, str]] = set()  # what people have ever moved out of its place
        self.marked: set[tuple[str, str]] = set()
        self.old_unanswered: set[tuple[str, str, str]] = set()
        self.last_call: dict[str, str] = {}
        self.last_read: dict[str, tuple[str, ...]] = {}
        self.not_before: dict[str, float] = {}
        self.cursors: dict[tuple[str, str], str] = {}
        self.items: dict[str, Item] = {}  # as they were at the end of the last cycle
        self.liars: set[str] = set()
        self.lost: dict[str, set[str]] = {name: set() for name in TOOLS}  # fields out of sight
        self.emptied: set[tuple[str, str, str]] = set()  # (tool, record, field), this cycle
        self.strayed: dict[tuple[str, str], tuple[str, str | None]] = {}  # -> container, kind
        self.pending: list[tuple[float, Callable[[], None]]] = []
        self.armed: dict[str, list[str]] = {name: [] for name in TOOLS}
        self.states: dict[str, dict[str, int]] = {name: {} for name in TOOLS}
        self.events: dict[tuple[int, str, int], list[Event]] = {}
        for event in schedule.events:
            self.events.setdefault((event.cycle, event.site, event.nth), []).append(event)
        self.store = SimStore(self.disk)

    @abstractmethod
    def happen(self, event: Event, tool: str, target: Edit | Draft | None) -> None:
        """Let an event happen; `target` is what is being written to `tool` at this point."""

    @abstractmethod
    def fail(self, tool: str, operation: str, target: Edit | Draft | None) -> None:
        """Raise what is due before a call takes effect."""

    @abstractmethod
    def answer(self, tool: str, record: str, target: Edit | Draft) -> None:
        """Let happen what is due between the effect of a write and its answer."""

    @abstractmethod
    def arrive(self, *, all_of_them: bool = False) -> None:
        """Let requests that were given up take effect, when their time has come."""

    @abstractmethod
    def wording(self, tool: str, record: Record, event: Event) -> tuple[str | None, Value]:
        """Return the field and the value that an event means in a tool."""

    def point(self, site: str, tool: str = "", target: Edit | Draft | None = None) -> None:
        """Come to a scheduling point: let happen what the schedule has for it."""
        if self.dead:
            raise Crash
        if self.calm or self.by_hand:
            return
        if self.pending:
            self.arrive()
        for name in (site, "any"):
            number = self.counts[self.cycle, name]
            self.counts[self.cycle, name] = number + 1
            for event in self.events.get((self.cycle, name, number), ()):
                self.happen(event, tool, target)
        if self.dead:
            raise Crash

    def later(self, seconds: float, arrive: Callable[[], None]) -> None:
        """Let a request take effect after so much time, though its sender has given it up."""
        self.pending.append((self.world.clock.monotonic() + seconds, arrive))

    def due(self, tool: str, kinds: tuple[str, ...]) -> str | None:
        """Take the first armed fault of these kinds."""
        if self.calm:
            return None
        for kind in self.armed[tool]:
            if kind in kinds:
                self.armed[tool].remove(kind)
                self.run.figures[kind] += 1
                if kind in _LIES:
                    self.liars.add(tool)
                return kind
        return None

    def unseen_edits(self, tool: str, record: str) -> frozenset[str]:
        """Return the fields that people changed since the record was last shown to us."""
        since = self.seen.get((tool, record), -1)
        return self._edited(tool, record, since)

    def _edited(self, tool: str, record: str, since: int) -> frozenset[str]:
        return frozenset(
            name
            for (of, held, name), edit in self.latest.items()
            if (of, held) == (tool, record) and edit.step > since
        )

    def edits_since(self, tool: str, edit: Edit) -> frozenset[str]:
        """Return the fields of a late write that people had changed; nobody can tell those any more."""
        for name in edit.fields:
            self.run.unanswered.add((tool, edit.record, name))
        return self._edited(tool, edit.record, -1)

    def excuse(self, tool: str, record_id: str, name: str) -> None:
        """Note an edit of a record whose last write has not been answered: see `Run.unanswered`."""
        if tool not in NO_HISTORY:
            return
        marker = self.world.tools[tool].records[record_id].marker
        if any(
            i.connection == tool
            and (i.record == record_id or (i.record is None and i.item == marker))
            for i in self.world.store.open_intents()
        ):
            self.run.unanswered.add((tool, record_id, name))

    def settled(self, tool: str, record: str) -> None:
        """Note that the answer to a write has arrived and shows the record as the write left it."""
        kept = {each for each in self.run.unanswered if each[:2] != (tool, record)}
        self.run.unanswered = kept | self.old_unanswered

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Work on the state as another process does: none of our scheduling points."""
        self.by_hand = True
        try:
            yield
        finally:
            self.by_hand = False
