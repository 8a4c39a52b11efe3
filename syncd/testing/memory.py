"""A tool in memory: an honest small service that people edit, and the adapter over it.

It keeps what real services keep: ids that never change, a version for every record, a log of changes
with cursors into it, deletions told once, text that is trimmed on the way in. What a test wants to go
wrong is switched on: `faults` for single calls, attributes for lasting states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncd.core.errors import Gone, Rejected, SourceError, Stale, Unavailable
from syncd.core.records import Answer, Draft, Edit, LogEntry, Page, Record, Schema, Scope, Value
from syncd.core.views import PageBlock
from syncd.testing.builders import schema
from syncd.testing.fakes import FakeClock

PAGE = 50
"""Records on one page of a list."""


@dataclass(slots=True)
class Fault:
    """One call that goes wrong: the `skip`-th from now of an operation, before or after its effect."""

    operation: (
        str  # list | read | find | log | create | update | append | replace | remove | blocks
    )
    error: SourceError
    after_effect: bool = False
    skip: int = 0


class Faults:
    """The calls that will go wrong, and a count of all calls."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.calls: Counter[str] = Counter()

    def add(
        self, operation: str, error: SourceError, *, after_effect: bool = False, skip: int = 0
    ) -> None:
        """Let a coming call of this operation fail once."""
        self.waiting.append(Fault(operation, error, after_effect, skip))

    def around(self, operation: str) -> Callable[[], None]:
        """Count a call and raise what is due before its effect; call the result after the effect."""
        self.calls[operation] += 1
        for fault in self.waiting:
            if fault.operation != operation:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            self.waiting.remove(fault)
            if not fault.after_effect:
                raise fault.error
            return _raiser(fault.error)
        return _nothing


def _raiser(error: SourceError) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def _nothing() -> None:
    """Let the call succeed."""


def trimmed(_field: str, value: Value) -> Value:
    """Return what most services make of a value: text without blanks at its ends."""
    return (value.strip() or None) if isinstance(value, str) else value


@dataclass(slots=True)
class MemoryTool:
    """A service and the adapter over it. `records` is the truth; people's methods change it.

    `spell` is what the service makes of a value. `at_creation` are the fields it takes only in an
    update, `defaults` what they hold then; `ignores` are fields whose writes are answered and dropped;
    `refuses` maps fields to sentences. `shows` tells whether answers to writes hold the record.
    `lists` filters what lists show (a lost permission). `lag` is how many seconds `find` is behind.
    `keeps_log` tells whether it can say who changed what, `marks` whether with the attempt we named.
    """

    connection: str
    clock: FakeClock
    spell: Callable[[str, Value], Value] = trimmed
    at_creation: frozenset[str] = frozenset()
    defaults: Mapping[str, Value] = field(default_factory=dict)
    ignores: set[str] = field(default_factory=set)
    refuses: dict[str, str] = field(default_factory=dict)
    shows: bool = True
    keeps_log: bool = True
    marks: bool = False
    down: bool = False
    lists: Callable[[Record], bool] = lambda _record: True
    lag: float = 0.0
    faults: Faults = field(default_factory=Faults)
    records: dict[str, Record] = field(default_factory=dict)
    born: dict[str, float] = field(default_factory=dict)  # record -> when, in epoch seconds
    touched: list[str] = field(default_factory=list)  # record ids, as they changed
    entries: dict[str, list[LogEntry]] = field(default_factory=dict)  # record -> its changes
    oldest: int = 0  # cursors before this have expired
    before_write: Callable[[str], None] | None = None  # called with the record id: people are quick

    # people -----------------------------------------------------------------------------------------

    def add(
        self,
        container: str,
        fields: Mapping[str, Value],
        *,
        kind: str | None = None,
        marker: str | None = None,
        author: str | None = None,
    ) -> str:
        """Make a record; returns its id."""
        number = len(self.born) + 1
        made = f"{self.connection[0]}{number:05d}"
        self.born[made] = self.clock.now()
        record = Record(
            self.connection, "", made, container, kind, f"{self.connection.upper()}-{number}",
            f"https://{self.connection}.example/{made}", "", {},
            created=f"{len(self.touched) + 1:09d}", marker=marker,
        )  # fmt: skip
        self._put(record, {**self.defaults, **fields}, author)
        return made

    def edit(self, record_id: str, author: str | None = "ann", **fields: Value) -> None:
        """Change fields of a record, as a person does."""
        self._put(self.records[record_id], fields, author)

    def copy(self, record_id: str, **fields: Value) -> str:
        """Duplicate a record with everything on it, our marker included."""
        old = self.records[record_id]
        values = {**old.fields, **fields}
        return self.add(old.container, values, kind=old.kind, marker=old.marker, author="ann")

    def trash(self, record_id: str, *, trashed: bool = True) -> None:
        """Put a record into the trash, or take it out."""
        self._put(replace(self.records[record_id], trashed=trashed), {}, "ann")

    def delete(self, record_id: str) -> None:
        """Delete a record for good; the change log tells it once."""
        del self.records[record_id]
        self.touched.append(record_id)

    def expire_cursors(self) -> None:
        """Forget the change log up to now."""
        self.oldest = len(self.touched) + 1

    def _put(
        self,
        record: Record,
        fields: Mapping[str, Value],
        author: str | None,
        attempt: str | None = None,
    ) -> None:
        values = {name: self.spell(name, value) for name, value in fields.items()}
        self.touched.append(record.id)
        now = f"{len(self.touched):09d}"
        if record.id in self.records:
            self.entries.setdefault(record.id, []).extend(
                LogEntry(name, now, author, record.fields.get(name), value, attempt=attempt)
                for name, value in values.items()
                if record.fields.get(name) != value
            )
        self.records[record.id] = replace(
            record, fields={**record.fields, **values}, updated=now, author=author
        )

    # the adapter ------------------------------------------------------------------------------------

    def discover(self, containers: Sequence[str]) -> Schema:
        """Offer the default schema of the builders."""
        self._enter("discover")
        del containers
        return schema(self.connection)

    def recall(self, schema: Schema) -> None:
        """Need no reminder: nothing is kept of what `discover` found."""
        del schema

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read the scope, newest state of each record once."""
        self._enter("list")
        if cursor is not None and int(cursor) < self.oldest:
            raise Stale(self.connection, "the cursor has expired: read everything")
        now = str(len(self.touched))
        start = 0 if cursor is None else max(0, int(cursor) - 1)  # one change of overlap
        ids = self.records if cursor is None else dict.fromkeys(self.touched[start:])
        gone = () if cursor is None else tuple(i for i in ids if i not in self.records)
        found = [
            self._shown(scope, self.records[i])
            for i in ids
            if i in self.records and self._in(scope, self.records[i])
        ]
        if cursor is None:
            found = [record for record in found if not record.trashed]
        for first in range(0, max(len(found), 1), PAGE):
            if first:
                self._enter("list")
            last = first + PAGE >= len(found)
            part = tuple(found[first : first + PAGE])
            yield Page(part, gone if last else (), now if last else None)

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read records by id."""
        self._enter("read")
        return tuple(
            self._shown(scope, self.records[i])
            for i in ids
            if i in self.records and self.lists(self.records[i])
        )

    def find(self, scope: Scope, marker: str, since: str) -> tuple[Record, ...]:
        """Look for our marker among what the search index has by now."""
        self._enter("find")
        ready = self.clock.now() - self.lag
        return tuple(
            self._shown(scope, record)
            for record in self.records.values()
            if record.marker == marker and record.created >= since and self.born[record.id] <= ready
        )

    def requests(self, fields: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Carry the status in a request of its own, everything else together."""
        rest = tuple(name for name in fields if name != "status")
        return tuple(group for group in (rest, ("status",) * ("status" in fields)) if group)

    def create(self, draft: Draft) -> Answer:
        """Create a record with our marker."""
        finish = self._enter("create")
        self._check(draft.fields)
        fields = {n: v for n, v in draft.fields.items() if n not in self.at_creation}
        made = self.add(draft.container, fields, kind=draft.kind, marker=draft.marker, author="bot")
        finish()
        return Answer(made, self._shown(draft.scope, self.records[made]) if self.shows else None)

    def update(self, edit: Edit) -> Answer:
        """Change fields of a record."""
        if self.before_write is not None:
            self.before_write(edit.record)
        finish = self._enter("update")
        self._check(edit.fields)
        if edit.record not in self.records:
            raise Gone(self.connection, f"{edit.record} is not there: restore it")
        fields = {n: v for n, v in edit.fields.items() if n not in self.ignores}
        self._put(self.records[edit.record], fields, "bot", edit.attempt if self.marks else None)
        finish()
        shown = self._shown(edit.scope, self.records[edit.record])
        return Answer(edit.record, shown if self.shows else None)

    def log(self, scope: Scope, seen: Mapping[str, str]) -> dict[str, tuple[LogEntry, ...]]:
        """Tell who changed what."""
        del scope
        self._enter("log")
        return {
            record: tuple(entry for entry in self.entries.get(record, ()) if entry.at > since)
            for record, since in seen.items()
            if record in self.records
        }

    def normal(self, kind: str, value: str) -> str:
        """Return the text as the service would spell it."""
        return str(self.spell(kind, value) or "")

    def close(self) -> None:
        """Hold nothing that must be given back."""

    def _enter(self, operation: str) -> Callable[[], None]:
        if self.down:
            self.faults.calls[operation] += 1
            raise Unavailable(
                self.connection, f"{self.connection} does not answer: try again later"
            )
        return self.faults.around(operation)

    def _check(self, fields: Mapping[str, Value]) -> None:
        refused = {n: self.refuses[n] for n, v in fields.items() if n in self.refuses and v}
        if refused:
            raise Rejected(self.connection, "; ".join(refused.values()), refused)

    def _in(self, scope: Scope, record: Record) -> bool:
        return record.container in scope.containers and self.lists(record)

    def _shown(self, scope: Scope, record: Record) -> Record:
        fields = {name: record.fields.get(name) for name in scope.fields}
        return replace(record, scope=scope.id, fields=fields)

    @property
    def writes(self) -> int:
        """Return how many writing calls have arrived so far."""
        return self.faults.calls["create"] + self.faults.calls["update"]


@dataclass(slots=True)
class MemoryPages:
    """A document tool in memory: pages of blocks, some ours, some people's."""

    connection: str
    faults: Faults = field(default_factory=Faults)
    titles: dict[str, str] = field(default_factory=dict)  # page id -> title
    contents: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # (block, signature)
    theirs: set[str] = field(default_factory=set)  # blocks that people wrote
    count: int = 0
    batch: int = 100  # blocks in one request
    short: int | None = None  # blocks that a list shows, though there are more
    hidden: bool = False  # the search does not show a page yet

    def write(self, page: str, text: str, at: int) -> str:
        """Put a person's block at a position of a page; returns its id."""
        block = self._new_id()
        self.theirs.add(block)
        self.contents[page].insert(at, (block, text))
        return block

    def text(self, page: str) -> list[str]:
        """Return the signatures of all blocks of a page, in order."""
        return [signature for _block, signature in self.contents[page]]

    def find_page(self, title: str, under: str | None) -> str | None:
        """Find a page by its title."""
        del under
        if self.hidden:
            return None
        return next((page for page, name in self.titles.items() if name == title), None)

    def create_page(self, title: str, under: str | None) -> str:
        """Make an empty page."""
        del under
        finish = self.faults.around("create_page")
        page = f"page-{len(self.titles) + 1}"
        self.titles[page], self.contents[page] = title, []
        finish()
        return page

    def blocks(self, page: str) -> tuple[tuple[str, str], ...]:
        """List the blocks of a page, people's included."""
        self.faults.around("blocks")
        return tuple(self.contents[page])[: self.short]

    def made(self, page: str) -> frozenset[str]:
        """Tell which blocks of a page are ours."""
        return frozenset(block for block, _signature in self.contents[page]) - self.theirs

    def append(self, page: str, blocks: Sequence[PageBlock], after: str | None) -> tuple[str, ...]:
        """Add blocks, some in each request."""
        ids: list[str] = []
        for first in range(0, len(blocks), self.batch):
            finish = self.faults.around("append")
            after = ids[-1] if ids else after
            place = len(self.contents[page]) if after is None else self._place(after)[1] + 1
            for offset, block in enumerate(blocks[first : first + self.batch]):
                ids.append(self._new_id())
                self.contents[page].insert(place + offset, (ids[-1], self.signature(block)))
            finish()
        return tuple(ids)

    def replace(self, block_id: str, block: PageBlock) -> None:
        """Change the content of a block."""
        finish = self.faults.around("replace")
        page, place = self._place(block_id)
        self.contents[page][place] = block_id, self.signature(block)
        finish()

    def remove(self, block_id: str) -> None:
        """Delete a block."""
        finish = self.faults.around("remove")
        page, place = self._place(block_id)
        del self.contents[page][place]
        finish()

    def signature(self, block: PageBlock) -> str:
        """Return what a block looks like, as one text."""
        return f"{block.kind}|{block.icon}|{block.text}"

    def _place(self, block_id: str) -> tuple[str, int]:
        for page, content in self.contents.items():
            for place, (block, _signature) in enumerate(content):
                if block == block_id:
                    return page, place
        raise Gone(self.connection, f"block {block_id} is not there: run a full cycle")

    def _new_id(self) -> str:
        self.count += 1
        return f"b{self.count}"

    @property
    def writes(self) -> int:
        """Return how many writing calls have arrived so far."""
        return sum(self.faults.calls[name] for name in ("append", "replace", "remove"))
