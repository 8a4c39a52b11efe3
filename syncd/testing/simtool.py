"""The tools of the simulator: those in memory, with every call a scheduling point, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from syncd.core.errors import NotAllowed, RateLimited, Rejected, Unavailable
from syncd.core.records import Answer, Draft, Edit, Page, Record, Scope, Value
from syncd.testing import simmoves, watch
from syncd.testing.fakes import FakeClock
from syncd.testing.memory import Faults, MemoryPages, MemoryTool
from syncd.testing.stage import Stage

WRITES = ("create", "update", "append", "replace", "remove")
_BEFORE = ("temporary", "rate", "lost_request", "rejected", "forbidden")
_LISTS = ("empty", "half", "old", "twice", "behind", "dropped", "cut")


class ServiceClock(FakeClock):
    """The clock of a service: the same time as ours, until somebody sets ours."""

    def __init__(self, ours: FakeClock) -> None:
        super().__init__()
        self._ours, self._start = ours, ours.now() - ours.monotonic()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._start + self._ours.monotonic()


def no_such_field(tool: str, names: Iterable[str]) -> Rejected:
    """Return the error of a write to fields that are not there."""
    sentence = f"{tool} has no such field on this record: put it back"
    return Rejected(tool, sentence, dict.fromkeys(names, sentence))


def failure(tool: str, kind: str) -> Exception:
    """Return the error that a fault before the effect of a call makes of it."""
    if kind == "rejected":
        return Rejected(tool, "this is not taken: change it")
    if kind in ("forbidden", "revoked"):
        return NotAllowed(tool, f"{tool} does not allow this: check the credential")
    if kind == "rate":
        return RateLimited(tool, f"{tool} asks to slow down: try again later", delay=30.0)
    return Unavailable(
        tool, f"{tool} does not answer: try again", maybe_applied=kind in ("lost_request", "late")
    )


class SimTool(MemoryTool):
    """A tool whose every call is a scheduling point; what it is asked to write is checked first."""

    stage: Stage
    target: Edit | Draft | None = None
    blind: frozenset[str] = frozenset()

    def _enter(self, operation: str) -> Callable[[], None]:
        stage, write = self.stage, operation in WRITES
        stage.point("call", self.connection)
        if write:
            stage.point("write", self.connection, self.target)
        stage.fail(self.connection, operation, self.target)
        if isinstance(self.target, Edit) and operation == "update":
            self.blind = stage.unseen_edits(self.connection, self.target.record)
        stage.last_call[self.connection] = operation
        return super()._enter(operation)

    # reading ----------------------------------------------------------------------------------------

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read the scope; a list may be empty, half, old, told twice, late, or end in the middle."""
        if self.stage.due(self.connection, ("cursor",)):
            self.expire_cursors()
        fault = self.stage.due(self.connection, _LISTS)
        for page in super().pages(scope, cursor):
            shown = self._spoilt(scope, page, fault, cursor)
            if cursor is not None and self.stage.strayed:
                out = simmoves.taken_out(self.stage, scope, self.touched[max(0, int(cursor) - 1) :])
                shown = replace(shown, gone=(*shown.gone, *out))
            if fault == "cut":
                yield replace(shown, cursor=None)
                raise Unavailable(self.connection, f"{self.connection} broke off: try again")
            yield shown
            if fault == "twice" or self.stage.always_twice:
                yield shown

    def _spoilt(self, scope: Scope, page: Page, fault: str | None, cursor: str | None) -> Page:
        records = page.records
        if self.stage.reversed:
            page = replace(page, records=records[::-1])
        if fault == "old":
            return replace(page, records=tuple(self._past(scope, record) for record in records))
        if fault == "behind" and cursor is not None and page.cursor is not None:
            # the index has not caught up; an adapter that knows its lag keeps the cursor behind it
            page = replace(page, records=records[: len(records) // 2], cursor=cursor)
        elif fault in ("dropped", "cut") and (cursor is not None or fault == "cut"):
            page = replace(page, records=records[: len(records) // 2])
        elif fault in ("empty", "half") and cursor is None:
            page = replace(page, records=records[: len(records) // 2 if fault == "half" else 0])
        for record in page.records:
            self.stage.seen[self.connection, record.id] = self.stage.step
        return page

    def _past(self, scope: Scope, record: Record) -> Record:
        """Return an earlier form of a record; one of the same time stamp nobody could tell from it."""
        past = self.stage.before.get((self.connection, record.id), record)
        return self._shown(
            scope, past if past.updated < record.updated else self.records[record.id]
        )

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read records by id."""
        found = super().read(scope, ids)
        for record in found:
            self.stage.seen[self.connection, record.id] = self.stage.step
        self.stage.last_read[self.connection] = tuple(ids)
        return found

    def _shown(self, scope: Scope, record: Record) -> Record:
        """Return a record as a scope shows it; the same as long as it is the same."""
        held, shown = self.stage.shown.get((scope.id, record.id), (None, record))
        if held is not record:
            shown = simmoves.as_told(self.stage, scope, super()._shown(scope, record))
            self.stage.shown[scope.id, record.id] = record, shown
        return shown

    # writing ----------------------------------------------------------------------------------------

    def _put(
        self,
        record: Record,
        fields: Mapping[str, Value],
        author: str | None,
        attempt: str | None = None,
    ) -> None:
        known = self.records.get(record.id)
        if known is not None:
            self.stage.before[self.connection, record.id] = known
        super()._put(record, fields, author, attempt)
        # L8 is told of Notion only; where a log is kept its order is that of the time stamps
        ours = known is not None and author == "bot" and not self.keeps_log
        if ours and known is not None and self.stage.due(self.connection, ("unstamped",)):
            self.records[record.id] = replace(self.records[record.id], updated=known.updated)

    def create(self, draft: Draft) -> Answer:
        """Create a record with our marker."""
        self.target = draft
        watch.before_write(self.stage, self.connection, draft)
        if self.lag and self.stage.due(self.connection, ("late",)):
            at = self.clock.now()  # the search knows it when its lag since the request is over
            self.stage.later(self.lag / 2, lambda: self._arrive(draft, at))
            raise failure(self.connection, "late")
        answer = super().create(draft)
        self._born(draft, answer.id)
        self.stage.answer(self.connection, answer.id, draft)
        if self.shows:
            self.stage.settled(self.connection, answer.id)
        return answer

    def _arrive(self, draft: Draft, at: float) -> None:
        fields = {n: v for n, v in draft.fields.items() if n not in self.at_creation}
        made = self.add(draft.container, fields, kind=draft.kind, marker=draft.marker, author="bot")
        self.born[made] = at
        self._born(draft, made)

    def _born(self, draft: Draft, made: str) -> None:
        run = self.stage.run
        run.born[self.connection, made] = draft.marker
        for name, value in draft.fields.items():
            if name not in self.at_creation:
                watch.written(self.stage, self.connection, made, name, value)

    def update(self, edit: Edit) -> Answer:
        """Change fields of a record."""
        self.target = edit
        watch.before_write(self.stage, self.connection, edit)
        if edit.record in self.records and self.stage.due(self.connection, ("late",)):
            self.stage.later(self.stage.run.schedule.pause / 2, lambda: self._arrive_late(edit))
            raise failure(self.connection, "late")
        answer = super().update(edit)
        for name, value in edit.fields.items():
            watch.written(
                self.stage, self.connection, edit.record, name, value, blind=name in self.blind
            )
        self.stage.answer(self.connection, edit.record, edit)
        if self.shows:
            self.stage.settled(self.connection, edit.record)
            mine = self.stage.run.written[-len(edit.fields) :]
            self.stage.run.written[-len(edit.fields) :] = [
                replace(each, unanswered=False) for each in mine
            ]
        return answer

    def _arrive_late(self, edit: Edit) -> None:
        """Take effect long after the request was given up: what people did since is replaced unseen."""
        if edit.record not in self.records:
            return
        blind = self.stage.edits_since(self.connection, edit)
        self._put(self.records[edit.record], edit.fields, "bot")
        for name, value in edit.fields.items():
            watch.written(
                self.stage, self.connection, edit.record, name, value, blind=name in blind
            )


class SimFaults(Faults):
    """Makes every call of a publisher a scheduling point that may fail."""

    def __init__(self, stage: Stage, connection: str) -> None:
        super().__init__()
        self._stage, self._connection = stage, connection

    def around(self, operation: str) -> Callable[[], None]:
        """Come to the scheduling points of a call, and fail where that is due."""
        stage = self._stage
        stage.point("call", self._connection)
        if operation in WRITES:
            stage.point("write", self._connection)
        stage.fail(self._connection, operation, None)
        self.calls[operation] += 1
        return self._finish if operation in WRITES else _nothing

    def _finish(self) -> None:
        self._stage.point("written", self._connection)
        if self._stage.due(self._connection, ("lost_reply",)):
            raise Unavailable(
                self._connection,
                f"{self._connection} did not answer: try again",
                maybe_applied=True,
            )


def _nothing() -> None:
    """Let the call succeed."""


def before_kinds(operation: str) -> tuple[str, ...]:
    """Return the faults that a call may meet before it takes effect."""
    if operation in ("create", "update"):
        return _BEFORE
    return ("temporary", "rate", "lost_request") if operation in WRITES else ("temporary", "rate")


def sim_pages(stage: Stage, connection: str) -> MemoryPages:
    """Return pages whose every call is a scheduling point."""
    return MemoryPages(connection, faults=SimFaults(stage, connection), batch=2)
