"""What a cycle works with, and the counters it keeps while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from syncd.core.errors import SourceError
from syncd.core.guard import Ledger
from syncd.core.model import HistoryEntry, Tally
from syncd.core.people import Directory
from syncd.core.ports import Adapter, Clock, Publisher, Runner, Store
from syncd.core.records import Value
from syncd.core.rules import Roadmap


def one_after_another(
    tasks: Mapping[str, Callable[[], None]],
) -> dict[str, BaseException | None]:
    """Run tasks in order in this thread: the runner of tests and of the simulator."""
    result: dict[str, BaseException | None] = {}
    for name, task in tasks.items():
        try:
            task()
            result[name] = None
        except Exception as error:  # noqa: BLE001 - the caller decides what each failure means
            result[name] = error
    return result


PENDING = "pages-pending"
"""Document that says, through any crash, that something a page shows has changed."""

RESURVEY = "resurvey"
"""Document that says that a tool refused what it was thought to offer: it has to be asked again."""

Progress = Callable[[str, int, int | None], None]
"""Called with what is being done, how much is done, and how much there is (None: unknown)."""


def silent(_what: str, _done: int, _total: int | None) -> None:
    """Show nothing."""


@dataclass(slots=True)
class Context:
    """Everything one cycle needs. `adapters` holds only the connections that take part in it."""

    roadmap: Roadmap
    store: Store
    adapters: Mapping[str, Adapter]
    directory: Directory
    clock: Clock
    publishers: Mapping[str, Publisher] = field(default_factory=dict)
    runner: Runner = one_after_another
    progress: Progress = silent
    stopping: Callable[[], bool] = lambda: False
    index_lag: Mapping[str, float] = field(default_factory=dict)  # seconds a search may be behind
    opened: dict[str, float] = field(default_factory=dict)  # see `open_since`
    accounts: Mapping[str, str] = field(default_factory=dict)  # connection -> our own account id
    hot: float = 0.0  # seconds after a person's edit in which a tool without a log is left alone
    postponed: set[str] = field(default_factory=set)  # titles of items that waited for that reason
    full_read_every: float = 86_400.0
    full: bool = False  # read every scope in full in this cycle
    relearn: Callable[[], tuple[Roadmap, Directory]] | None = None  # ask the tools for new options
    unlearnt: set[str] = field(default_factory=set)  # items that showed an option nobody knew
    approved: str | None = None  # checksum of a plan that a person has reviewed
    ledger: Ledger = field(default_factory=Ledger)  # what this cycle has done, for the guard
    cycle: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    errors: dict[str, SourceError] = field(default_factory=dict)
    noted: bool = False  # it is stored that something new may have to be matched
    attempts: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)  # how often a value was sent: see invariants
    touched: bool = False  # it is stored that something a page shows has changed
    moved: bool = False  # some item has got another parent
    above: dict[tuple[str, str], bool] = field(default_factory=dict)  # parents looked at: seen?
    doubted: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # see `look_above`
    unsure: set[str] = field(default_factory=set)  # items whose parent cannot be seen
    restored: bool = False  # the state is an older one that meets the tools for the first time
    gone: dict[str, set[str]] = field(default_factory=dict)  # deleted records, as far as asked for

    def touch(self, level: str) -> None:
        """Note that an item of a level has changed: pages that show the level are due.

        Called inside the transaction that stores the item, so that no crash can part the two.
        """
        shown = any(level in rule.levels for rule in self.roadmap.pages)
        if shown and not self.touched:
            self.store.save_document(PENDING, value=True)
            self.touched = True

    def open_since(self, what: str) -> float:
        """Return since when this process knows of an open question, by a clock that nobody sets.

        Questions are attempts without an answer, by their id, and records out of sight, by their
        notices' subject. What was open when the process began counts from when it is first met.
        """
        return self.opened.setdefault(what, self.clock.monotonic())

    def attempt(self, connection: str) -> str:
        """Return the id of the next attempt: cycle, connection, number."""
        self.attempts[connection] = self.attempts.get(connection, 0) + 1
        return f"{self.cycle}-{connection}-{self.attempts[connection]}"

    def count(self, connection: str, **more: int) -> None:
        """Add to the tally of a connection."""
        tally = self.tallies.setdefault(connection, Tally())
        for name, n in more.items():
            setattr(tally, name, getattr(tally, name) + n)

    def failed(self, connection: str, error: SourceError) -> None:
        """Note why a connection dropped out of this cycle; the first reason counts."""
        tally = self.tallies.setdefault(connection, Tally())
        if tally.error is None:
            self.errors[connection] = error
            tally.error = str(error)

    def healthy(self) -> tuple[str, ...]:
        """Return the connections that are still part of the cycle."""
        return tuple(
            name for name in self.adapters if self.tallies.get(name, Tally()).error is None
        )

    def entry(  # noqa: PLR0913 - a history entry has that many parts
        self,
        item: str,
        name: str,
        action: str,
        connection: str,
        *,
        before: Value = None,
        after: Value = None,
        author: str | None = None,
        rule: str = "",
        detail: str = "",
    ) -> HistoryEntry:
        """Return a history entry of this cycle, now."""
        return HistoryEntry(
            self.cycle, self.clock.now(), item, name, action, connection,
            before, after, author, rule, detail,
        )  # fmt: skip


def unsettled(context: Context) -> frozenset[tuple[str, str]]:
    """Return the (connection, item) of creations that nobody knows the outcome of yet."""
    open_ = context.store.open_intents()
    return frozenset((intent.connection, intent.item) for intent in open_ if intent.record is None)
