"""The real engine over tools in memory, with people, faults and crashes at every scheduling point.

One thread, virtual time, and nothing drawn while it runs: a schedule gives the same run for ever. Every
call of an adapter and every commit of the state is a scheduling point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from syncd.core.errors import Rejected, SyncdError, Unavailable
from syncd.core.records import Answer, Draft, Edit, Page, Record, Scope, Value
from syncd.core.rules import Roadmap
from syncd.engine.cycle import run_cycle
from syncd.testing import oracles
from syncd.testing.memory import MemoryTool, trimmed
from syncd.testing.memory_store import MemoryDisk, MemoryStore
from syncd.testing.schedule import AIMED, Event, Schedule
from syncd.testing.simrun import HumanEdit, Run, Written
from syncd.testing.world import TOOLS, World, native, small_roadmap

SETTLING = 3
"""Cycles without faults and edits after which everything has to agree (I1: two, and one for a lag)."""

_MENDED_BY_A_FULL_READ = (
    "empty",
    "half",
    "old",
    "rejected",
)  # also what was refused is asked again

QUIET = 2
"""Cycles after that which have to be silent; the last one reads everything."""

_WRITES = ("create", "update")


class Crash(BaseException):
    """The process ends here: no handler of the engine may catch it."""


def spelled(name: str, value: Value) -> Value:
    """Return what Notion makes of a value in this world: whole numbers for estimates."""
    if name == "estimate" and isinstance(value, float):
        return float(round(value))
    return trimmed(name, value)


class SimTool(MemoryTool):
    """A tool whose every call is a scheduling point; what it is asked to write is checked first."""

    stage: Stage
    target: Edit | Draft | None = None
    blind: frozenset[str] = frozenset()

    def _enter(self, operation: str) -> Callable[[], None]:
        self.stage.point("call")
        if operation in _WRITES:
            self.stage.point("write", self.connection, self.target)
        self.stage.fail(self.connection, operation)
        if isinstance(self.target, Edit) and operation == "update":
            self.blind = self.stage.unseen_edits(self.connection, self.target.record)
        self.stage.last_call[self.connection] = operation
        return super()._enter(operation)

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read the scope; a list may be empty, half, or hold an old form of a record."""
        if self.stage.due(self.connection, ("cursor",)):
            self.expire_cursors()
        fault = self.stage.due(self.connection, ("empty", "half", "old"))
        for page in super().pages(scope, cursor):
            yield replace(page, records=self._listed(scope, page.records, fault, cursor))

    def _listed(
        self, scope: Scope, records: tuple[Record, ...], fault: str | None, cursor: str | None
    ) -> tuple[Record, ...]:
        if fault == "old":
            old = (self.stage.before.get((self.connection, r.id), r) for r in records)
            return tuple(self._shown(scope, record) for record in old)
        if fault is not None and cursor is None:
            records = records[: len(records) // 2] if fault == "half" else ()
        for record in records:
            self.stage.seen[self.connection, record.id] = self.stage.step
        return records

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read records by id."""
        found = super().read(scope, ids)
        for record in found:
            self.stage.seen[self.connection, record.id] = self.stage.step
        self.stage.last_read[self.connection] = tuple(ids)
        return found

    def _put(self, record: Record, fields: Mapping[str, Value], author: str | None) -> None:
        if record.id in self.records:
            self.stage.before[self.connection, record.id] = self.records[record.id]
        super()._put(record, fields, author)

    def create(self, draft: Draft) -> Answer:
        """Create a record with our marker."""
        self.target = draft
        self.stage.old_unanswered = {*self.stage.run.unanswered}
        oracles.creation_is_allowed(self.stage.run, self.stage.world, draft)
        oracles.write_is_journalled(self.stage.run, self.stage.world, draft, self.connection)
        answer = super().create(draft)
        self.stage.run.born[self.connection, answer.id] = draft.marker
        self.stage.answer(self.connection, answer.id, draft)
        if self.shows:
            self.stage.settled(self.connection, answer.id)
        return answer

    def update(self, edit: Edit) -> Answer:
        """Change fields of a record."""
        self.target = edit
        self.stage.old_unanswered = {*self.stage.run.unanswered}
        oracles.write_is_journalled(self.stage.run, self.stage.world, edit, self.connection)
        unseen = self.stage.unseen_edits(self.connection, edit.record)
        oracles.owner_is_respected(
            self.stage.run, self.stage.world, edit, self.connection, unseen=unseen
        )
        oracles.shared_cells_were_read(
            self.stage.run,
            self.stage.world,
            edit,
            self.connection,
            fresh=self.stage.last_call.get(self.connection) in ("read", "update")
            and edit.record in self.stage.last_read.get(self.connection, ()),
        )
        answer = super().update(edit)
        for name, value in edit.fields.items():
            self.stage.run.written.append(
                Written(
                    self.stage.step, self.connection, edit.record, name, value,
                    blind=name in self.blind, unanswered=True,
                )
            )  # fmt: skip
        self.stage.answer(self.connection, edit.record, edit)
        if self.shows:
            self.stage.settled(self.connection, edit.record)
            mine = self.stage.run.written[-len(edit.fields) :]
            self.stage.run.written[-len(edit.fields) :] = [
                replace(each, unanswered=False) for each in mine
            ]
        return answer


class Stage:
    """One run in progress: the world, how far the schedule has come, and what is about to go wrong."""

    def __init__(self, schedule: Schedule) -> None:
        self.run = Run(schedule)
        self.disk = MemoryDisk()
        self.world = World(_roadmap(schedule.on_conflict), store=self._open())
        self.cycle = self.step = 0
        self.dead = self.calm = False
        self.counts: Counter[tuple[int, str]] = Counter()
        self.seen: dict[tuple[str, str], int] = {}
        self.before: dict[tuple[str, str], Record] = {}
        self.old_unanswered: set[tuple[str, str, str]] = set()
        self.last_call: dict[str, str] = {}
        self.last_read: dict[str, tuple[str, ...]] = {}
        self.armed: dict[str, list[str]] = {name: [] for name in TOOLS}
        self.events: dict[tuple[int, str, int], list[Event]] = {}
        for event in schedule.events:
            key = event.cycle, event.site, event.nth
            self.events.setdefault(key, []).append(event)
        self._set_up(schedule)

    def _open(self) -> MemoryStore:
        store = self.disk.open()
        store.before_commit = lambda: self.point("commit")
        store.after_commit = lambda: self.point("committed")
        return store

    def _set_up(self, schedule: Schedule) -> None:
        for name in TOOLS:
            tool = SimTool(name, self.world.clock, shows=name in schedule.shows, lag=schedule.lag)
            tool.stage = self
            self.world.tools[name] = tool
        self.world.jira, self.world.asana, self.world.notion = self.world.tools.values()
        self.world.jira.defaults = {"status": native("jira", "planned")}
        self.world.jira.at_creation = frozenset(["status"])
        self.world.notion.spell = spelled
        for tool_name, box, title in schedule.items:
            self._add(tool_name, box, {"title": title})

    # what happens -----------------------------------------------------------------------------------

    def point(self, site: str, tool: str = "", target: Edit | Draft | None = None) -> None:
        """Come to a scheduling point: let happen what the schedule has for it."""
        if self.dead:
            raise Crash
        if self.calm:
            return
        for name in dict.fromkeys((site, "any")):
            number = self.counts[self.cycle, name]
            self.counts[self.cycle, name] += 1
            for event in self.events.get((self.cycle, name, number), ()):
                self._happen(event, tool, target)
        if self.dead:
            raise Crash

    def _happen(self, event: Event, tool: str, target: Edit | Draft | None) -> None:
        self.step += 1
        if event.action == "crash":
            self.dead = True
            self.run.figures["crashes"] += 1
        elif event.action in _PEOPLE:
            if event.pick == AIMED and isinstance(target, Edit):
                self._edit(tool, target.record, event)
            else:
                _PEOPLE[event.action](self, event)
        else:
            self.armed[event.tool].append(event.action)

    def due(self, tool: str, kinds: tuple[str, ...]) -> str | None:
        """Take the first armed fault of these kinds."""
        for kind in self.armed[tool]:
            if kind in kinds and not self.calm:
                self.armed[tool].remove(kind)
                self.run.figures[kind] += 1
                return kind
        return None

    def fail(self, tool: str, operation: str) -> None:
        """Raise what is due before a call takes effect."""
        write = operation in _WRITES
        kinds = ("temporary", "lost_request", "rejected") if write else ("temporary",)
        kind = self.due(tool, kinds)
        if kind == "rejected":
            raise Rejected(tool, "this is not taken: change it")
        if kind is not None:
            lost = kind == "lost_request"
            raise Unavailable(tool, f"{tool} does not answer: try again", maybe_applied=lost)

    def answer(self, tool: str, record: str, target: Edit | Draft) -> None:
        """Let happen what is due between the effect of a write and its answer."""
        self.step += 1
        self.run.figures["writes"] += 1
        shown = self.step
        self.point(
            "written", tool, replace(target, record=record) if isinstance(target, Edit) else None
        )
        if self.due(tool, ("lost_reply",)):
            raise Unavailable(tool, f"{tool} did not answer: try again", maybe_applied=True)
        if self.world.tools[tool].shows:
            self.seen[tool, record] = shown

    def unseen_edits(self, tool: str, record: str) -> frozenset[str]:
        """Return the fields that people changed since the record was last shown to us."""
        since = self.seen.get((tool, record), -1)
        return frozenset(
            h.field
            for h in self.run.human
            if (h.tool, h.record) == (tool, record) and h.step > since
        )

    # people -----------------------------------------------------------------------------------------

    def _chosen(self, event: Event) -> str | None:
        records = sorted(self.world.tools[event.tool].records)
        return records[event.pick % len(records)] if records else None

    def edit_any(self, event: Event) -> None:
        """Let a person change a cell."""
        record = self._chosen(event)
        if record is not None:
            self._edit(event.tool, record, event)

    def _edit(self, tool: str, record_id: str, event: Event) -> None:
        record = self.world.tools[tool].records[record_id]
        value = event.value
        if event.field == "parent" and isinstance(value, float):
            value = self._above(tool, record, int(value))
        if event.field == "status" and isinstance(value, str):
            value = f"{tool}-{value.partition('-')[2]}"
        old = record.fields.get(event.field)
        self.world.tools[tool].edit(record_id, "ann", **{event.field: value})
        new = self.world.tools[tool].records[record_id].fields.get(event.field)
        if new != old:
            self.run.human.append(HumanEdit(self.step, tool, record_id, event.field, old, new))
            self.run.figures["edits"] += 1
            self._excuse(tool, record_id, event.field)

    def _excuse(self, tool: str, record_id: str, name: str) -> None:
        """Note an edit of a record whose last write has not been answered: see `Run.unanswered`."""
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

    def _above(self, tool: str, record: Record, number: int) -> str | None:
        above = {"features": "goals", "feature": None, "items": "features", "work_item": "feature"}
        wanted = above.get(record.kind or record.container)
        found = [
            r.id for r in self.world.tools[tool].records.values()
            if wanted is not None and wanted in (r.kind, r.container)
        ]  # fmt: skip
        return sorted(found)[number % len(found)] if found else None

    def _add(self, tool: str, box: str, fields: dict[str, Value]) -> None:
        kind, container = (box, "project") if tool == "jira" else (None, box)
        made = self.world.tools[tool].add(container, fields, kind=kind, author="ann")
        for name, value in self.world.tools[tool].records[made].fields.items():
            self.run.human.append(HumanEdit(self.step, tool, made, name, None, value))

    def add_any(self, event: Event) -> None:
        """Let a person make a record."""
        boxes = ("feature", "work_item") if event.tool == "jira" else ("goals", "features")
        title = event.value if event.field == "title" else f"New {event.pick % 3}"
        self._add(event.tool, boxes[event.pick % 2], {"title": title})

    def trash(self, event: Event) -> None:
        """Let a person put a record into the trash, or take it out."""
        record = self._chosen(event)
        if record is not None:
            self.world.tools[event.tool].trash(record, trashed=event.action == "trash")

    def copy(self, event: Event) -> None:
        """Let a person duplicate a record, our marker included."""
        record = self._chosen(event)
        if record is None:
            return
        made = self.world.tools[event.tool].copy(record)
        for name, value in self.world.tools[event.tool].records[made].fields.items():
            self.run.human.append(HumanEdit(self.step, event.tool, made, name, None, value))

    # the process ------------------------------------------------------------------------------------

    def turn(self, pause: float, *, full: bool = False) -> None:
        """Run one cycle, beginning anew after every crash."""
        self.world.clock.advance(pause)
        while True:
            try:
                self.world.clock.advance(5.0)
                run_cycle(
                    self.world.context(full=full), wait=self.calm or self.run.schedule.patient
                )
            except Crash:
                self.dead = False
                self.world.store.close()
                self.world.store = self._open()
                self._forget_answers()
            else:
                return

    def _forget_answers(self) -> None:
        """Take note, after a crash, of the writes whose answers had not been stored yet."""
        run, opened = self.run, self.world.store.open_intents()
        updated = {(i.connection, i.record) for i in opened}
        made = {(i.connection, i.item) for i in opened if i.record is None}
        since = {cell: 0 for cell, marker in run.born.items() if (cell[0], marker) in made}
        for number, write in enumerate(run.written):
            if (write.tool, write.record) in updated:
                run.written[number] = replace(write, unanswered=True)
                since[write.tool, write.record] = write.step
        run.unanswered |= {
            (h.tool, h.record, h.field)
            for h in run.human
            if h.step >= since.get((h.tool, h.record), h.step + 1)
        }

    def idle(self) -> None:
        """Let people work between two cycles."""
        for event in self.events.get((self.cycle, "idle", 0), ()):
            self._happen(event, "", None)
        self.dead = False  # nothing runs that could end


_PEOPLE: dict[str, Callable[[Stage, Event], None]] = {
    "edit": Stage.edit_any,
    "add": Stage.add_any,
    "trash": Stage.trash,
    "untrash": Stage.trash,
    "copy": Stage.copy,
}


@cache
def _roadmap(on_conflict: str) -> Roadmap:
    return small_roadmap(on_conflict=on_conflict)


def simulate(schedule: Schedule) -> Run:
    """Run one schedule: first for safety, then, with faults off, for liveness; returns what came of it."""
    stage = Stage(schedule)
    try:
        _play(stage)
    except SyncdError as error:
        stage.run.violated("I1", f"the engine gave up: {error!r}")
    except Exception as error:  # noqa: BLE001 - whatever the engine raises is a finding
        stage.run.violated("I1", f"the engine broke: {error!r}")
    return stage.run


def _play(stage: Stage) -> None:
    run, world = stage.run, stage.world
    for cycle in range(run.schedule.cycles):
        stage.cycle = cycle
        stage.idle()
        stage.turn(run.schedule.pause)
    stage.calm = True
    short = any(run.figures[kind] for kind in _MENDED_BY_A_FULL_READ)
    for number in range(SETTLING):
        stage.turn(3600.0, full=short and number < 2)  # noqa: PLR2004 - one may find an open write
    oracles.judge(run, world)
    before = world.writes
    for number in range(QUIET):
        stage.turn(3600.0, full=number == QUIET - 1)
    if world.writes != before:
        run.violated("I2", f"{world.writes - before} writes after everything had settled")
    run.figures["unanswered"] = len(run.unanswered)
    run.figures["calls"] = sum(sum(t.faults.calls.values()) for t in world.tools.values())
    run.figures["seconds"] = round(world.clock.monotonic())
