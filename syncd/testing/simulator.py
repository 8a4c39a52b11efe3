"""The real engine over tools in memory, with people, faults and crashes at every scheduling point.

One thread, virtual time, and nothing drawn while it runs: a schedule gives the same run for ever. Every
call of an adapter or publisher and every commit of the state is a scheduling point.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from syncd.core.errors import SyncdError, Unavailable
from syncd.core.records import Draft, Edit, Record, Value
from syncd.core.rules import PageRule, Roadmap
from syncd.engine.cycle import observe, run_cycle
from syncd.testing import oracles, simmoves, simpeople, twins, watch
from syncd.testing.memory import trimmed
from syncd.testing.memory_store import MemoryStore
from syncd.testing.schedule import AIMED, CLOCK, STATES, Event, Schedule
from syncd.testing.simrun import Run
from syncd.testing.simtool import (
    ServiceClock,
    SimTool,
    before_kinds,
    failure,
    no_such_field,
    sim_pages,
)
from syncd.testing.stage import NO_HISTORY, Crash, SimStore, Stage
from syncd.testing.world import DAY, PLACE, TOOLS, World, native, small_roadmap

SETTLING = 3
"""Cycles without faults and edits after which everything has to agree (I1: two, and one for a lag)."""

QUIET = (3600.0, 86_400.0)
"""Seconds before each of the cycles after that, which have to be silent; the last one reads everything."""


def spelled(name: str, value: Value) -> Value:
    """Return what Notion makes of a value in this world: whole numbers for estimates."""
    if name == "estimate" and isinstance(value, float):
        return float(round(value))
    return trimmed(name, value)


class Simulation(Stage):
    """A run on tools in memory."""

    mended_by_a_full_read: tuple[str, ...] = (
        "empty", "half", "old", "rejected", "dropped", "poison", "no_option", "page", "hidden",
        "vanished", "emptied",
    )  # fmt: skip
    """Faults whose traces only a full read removes; also what was refused is asked again then."""

    def __init__(self, schedule: Schedule, **variations: bool) -> None:
        super().__init__(schedule, **variations)
        self.world = self._build(schedule)
        for tool_name, box, title in schedule.items:
            simpeople.make(self, tool_name, box, {"title": title})

    def _open(self) -> MemoryStore:
        store = self.store = SimStore(self.disk)
        store.before_commit = lambda: self.point("commit")
        store.after_commit = self._committed
        store.on_merged = self._merged
        store.on_gone = lambda connection, record: watch.gone_on_evidence(self, connection, record)
        return store

    def _merged(self) -> None:
        self.merged = dict(self.seen)

    def _committed(self) -> None:
        if self.by_hand:
            return
        moved, self.store.moved = self.store.moved, None
        if moved is not None:
            watch.cursor_covers(self, *moved)
        self.point("committed")

    def _build(self, schedule: Schedule) -> World:
        """Return the world of this run: tools in memory, Notion without a log of changes."""
        world = World(_roadmap(schedule.on_conflict, schedule.page), store=self._open())
        clock = ServiceClock(world.clock)
        for name in TOOLS:
            tool = SimTool(name, clock, shows=name in schedule.shows, lag=schedule.lag)
            tool.stage = self
            tool.keeps_log, tool.marks = name not in NO_HISTORY, name == "jira"
            world.tools[name] = tool
        world.jira, world.asana, world.notion = world.tools.values()
        world.jira.defaults = {"status": native("jira", "planned")}
        world.jira.at_creation = frozenset(["status"])
        world.notion.spell = spelled
        world.pages = sim_pages(self, "notion")
        return world

    def wording(self, tool: str, record: Record, event: Event) -> tuple[str | None, Value]:
        """Return the field and the value that an event means in a tool."""
        return simpeople.native_words(self, tool, record, event)

    # what happens -----------------------------------------------------------------------------------

    def happen(self, event: Event, tool: str, target: Edit | Draft | None) -> None:
        """Let an event happen."""
        self.step += 1
        self.run.trace.append(f"{event.cycle} {event.site} {event.nth} {event.action} {event.tool}")
        if event.action == "crash":
            self.dead = True
            self.run.figures["crashes"] += 1
        elif event.action in simpeople.PEOPLE:
            if event.pick == AIMED and isinstance(target, Edit):
                simpeople.edit_record(self, tool, target.record, event)
            elif event.pick != AIMED:
                simpeople.PEOPLE[event.action](self, event)
        elif event.action == CLOCK:
            self.world.clock.jump(float(str(event.value)))
            self.run.figures["jumps"] += 1
        elif event.action in STATES:
            self._enter_state(event)
        else:
            self.armed[event.tool].append(event.action)

    def _enter_state(self, event: Event) -> None:
        self.run.figures[event.action] += 1
        self.states[event.tool][event.action] = event.pick
        tool = self.world.tools[event.tool]
        if event.action == "down":
            tool.down = True
        elif event.action in ("vanished", "emptied"):
            simmoves.lose(self, event)
        elif event.action == "hidden":
            hidden = set(sorted(tool.records)[event.pick % 2 :: 2])
            tool.lists = lambda record: record.id not in hidden
            self.liars.add(event.tool)
            self.hidden[event.tool].add(self.cycle)

    def _mend(self) -> None:
        """Let people mend what has been going wrong in the tools."""
        for name, states in self.states.items():
            self.world.tools[name].down = False
            self.world.tools[name].lists = _every
            states.clear()
        simmoves.bring_back(self)

    def arrive(self, *, all_of_them: bool = False) -> None:
        """Let requests that were given up take effect; of several the last one sent comes first (N5)."""
        now = self.world.clock.monotonic()
        due = [arrive for at, arrive in self.pending if all_of_them or at <= now]
        self.pending = [each for each in self.pending if each[1] not in due]
        for arrive in reversed(due):
            self.step += 1
            self.run.figures["arrived_late"] += 1
            arrive()

    def fail(self, tool: str, operation: str, target: Edit | Draft | None) -> None:
        """Raise what is due before a call takes effect."""
        states = self.states[tool]
        if "revoked" in states:
            raise failure(tool, "revoked")
        if operation in ("create", "update") and self._refuses(states, tool, target):
            raise failure(tool, "rejected")
        missing = self.lost[tool].intersection(target.fields if target is not None else ())
        if missing and operation in ("create", "update"):
            raise no_such_field(tool, missing)
        kind = self.due(tool, before_kinds(operation))
        if kind is not None:
            error = failure(tool, kind)
            if kind == "rate":
                self.not_before[tool] = self.world.clock.monotonic() + 30.0
            raise error

    def _refuses(self, states: dict[str, int], tool: str, target: Edit | Draft | None) -> bool:
        """Tell whether a record is poisoned, or the option it is given has been deleted."""
        if "no_option" in states and target is not None and target.fields.get("status") is not None:
            return True
        if "poison" not in states or not isinstance(target, Edit):
            return False
        records = sorted(self.world.tools[tool].records)
        return records[states["poison"] % len(records)] == target.record

    def answer(self, tool: str, record: str, target: Edit | Draft) -> None:
        """Let happen what is due between the effect of a write and its answer."""
        self.step += 1
        self.run.figures["writes"] += 1
        shown = self.step
        if "bot" in self.states[tool] and isinstance(target, Edit):
            self._flip(tool, record, target)
        self.point(
            "written", tool, replace(target, record=record) if isinstance(target, Edit) else None
        )
        if self.due(tool, ("lost_reply",)):
            raise Unavailable(tool, f"{tool} did not answer: try again", maybe_applied=True)
        if self.world.tools[tool].shows:
            self.seen[tool, record] = shown

    def _flip(self, tool: str, record: str, target: Edit) -> None:
        """Let another robot answer our write with its own, at most three times."""
        name = min(target.fields)
        if name == "due" and self.run.figures["flips"] < 3:  # noqa: PLR2004
            self.run.figures["flips"] += 1
            event = Event(self.cycle, "written", 0, "edit", tool, 0, name, "2025-07-31")
            simpeople.edit_record(self, tool, record, event)

    # what the answers to our writes leave open -------------------------------------------------------

    def _forget_answers(self) -> None:
        """Take note, after a crash, of the writes whose answers had not been stored yet."""
        run = self.run
        opened = [i for i in self.world.store.open_intents() if i.connection in NO_HISTORY]
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

    # the process ------------------------------------------------------------------------------------

    def turn(self, pause: float, *, full: bool = False) -> None:
        """Run one cycle, beginning anew after every crash."""
        waits = max(self.not_before.values(), default=0.0) - self.world.clock.monotonic()
        self.world.clock.advance(max(pause, waits))  # the daemon waits as long as it was asked to
        while True:
            try:
                self.world.clock.advance(5.0)
                if self.pending:
                    self.arrive()
                wait = self.calm or self.run.schedule.patient
                options: dict[str, object] = {"full": full}
                if self.reviewed:
                    plan = observe(self.world.context(full=full), wait=wait).plan
                    options["approved"] = plan.checksum
                run_cycle(self.world.context(**options), wait=wait)
                watch.versions_grow(self)
            except Crash:
                self.dead = False
                self.not_before.clear()  # of both a new process knows nothing
                self.world.opened.clear()
                self.world.store.close()
                self.world.store = self._open()
                self._forget_answers()
            else:
                return

    def idle(self) -> None:
        """Let people mend what was wrong, and work, between two cycles."""
        self._mend()
        for event in self.events.get((self.cycle, "idle", 0), ()):
            self.happen(event, "", None)
        self.dead = False  # nothing runs that could end

    def settle(self) -> None:
        """End all faults and edits, and run the cycles after which everything has to agree."""
        self.arrive(all_of_them=True)
        self._mend()
        simmoves.all_come_home(self)
        self.calm = True
        short = any(self.run.figures[kind] for kind in self.mended_by_a_full_read)
        for number in range(SETTLING):
            self.turn(3600.0, full=short and number < 2)  # noqa: PLR2004 - one may find an open write
            simpeople.approve_all(self)
            if number == 0 and self.run.schedule.seed % 2:
                simpeople.resolve_all(self)


def _every(_record: Record) -> bool:
    return True


@cache
def _roadmap(on_conflict: str, page: bool) -> Roadmap:  # noqa: FBT001 - a schedule's
    pages = [PageRule("notion", "Roadmap", None, PLACE)] if page else []
    return small_roadmap(on_conflict=on_conflict, pages=pages)


def simulate(schedule: Schedule) -> Run:
    """Run one schedule: first for safety, then, with faults off, for liveness; returns what came of it."""
    if not schedule.twin:
        return played(Simulation(schedule)).run
    first = replace(schedule, cycles=schedule.cycles + (schedule.twin == "outage"))
    second = Simulation(
        twins.disturbed(schedule),
        always_twice=schedule.twin == "twice",
        reversed_lists=schedule.twin == "reversed",
        again=schedule.twin == "again",
        reviewed=schedule.twin == "reviewed",
    )
    return twins.compare(played(Simulation(first)), played(second))


def played(stage: Simulation) -> Simulation:
    """Play a stage's schedule to its end; whatever the engine raises is a finding."""
    try:
        _play(stage)
    except SyncdError as error:
        stage.run.violated("I1", f"the engine gave up: {error!r}")
    except Exception as error:  # noqa: BLE001 - whatever the engine raises is a finding
        stage.run.violated("I1", f"the engine broke: {error!r}")
    return stage


def _play(stage: Simulation) -> None:
    run, world = stage.run, stage.world
    for cycle in range(run.schedule.cycles):
        stage.cycle = cycle
        stage.idle()
        stage.turn(run.schedule.pause)
        if stage.again:
            stage.turn(run.schedule.pause)
    stage.settle()
    oracles.judge(stage)
    for number, pause in enumerate(QUIET):
        _stay_quiet(stage, pause, full=number > 0)
    run.figures["unanswered"] = len(run.unanswered)
    run.figures["calls"] = sum(sum(t.faults.calls.values()) for t in world.tools.values())
    run.figures["seconds"] = round(world.clock.monotonic())


def _stay_quiet(stage: Simulation, pause: float, *, full: bool) -> None:
    """I2: run a cycle in which nothing is written and nothing changes; a page has news of the day."""
    world, held = stage.world, oracles.snapshot(stage.disk)
    before, paged = world.writes - world.pages.writes, world.pages.writes
    day = world.clock.now() // DAY
    stage.turn(pause, full=full)
    wrote = world.writes - world.pages.writes - before
    if day == (world.clock.now() // DAY):
        wrote += world.pages.writes - paged
    if wrote:
        stage.run.violated("I2", f"{wrote} writes after everything had settled")
        return
    now = oracles.snapshot(stage.disk)
    changed = sorted(name for name in {*now, *held} if now.get(name) != held.get(name))
    if changed:
        stage.run.violated("I2", f"a cycle in calm changed the {' and '.join(changed)} remembered")
