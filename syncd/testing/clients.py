"""The second tier of the simulator: real adapters and client libraries, on stand-ins without sockets.

The same schedules, people and oracles as on tools in memory. Every request is two scheduling points: before
it takes effect and before its answer arrives; every commit of the state is another two. Faults are those of
the wire: an answer lost, cut short or late, a request lost, 503, 429, 401, 403, 400.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncd.core.errors import SourceError
from syncd.core.people import Directory
from syncd.core.ports import Adapter
from syncd.core.records import Answer, Draft, Edit, LogEntry, Page, Record, Schema, Scope, Value
from syncd.core.rules import Roadmap
from syncd.engine.context import Context
from syncd.sandbox.injectors.stage import is_write
from syncd.sandbox.services import Outcome
from syncd.sandbox.wire import Request, json_response
from syncd.testing import firm, watch
from syncd.testing.builders import MOMENT
from syncd.testing.memory import Faults, trimmed
from syncd.testing.schedule import Event, Schedule
from syncd.testing.simrun import Run
from syncd.testing.simulator import Simulation, played
from syncd.testing.world import TOOLS, World

_OK = 300
_ROUND_TRIP = 0.2  # seconds
_STATUS = {"temporary": 503, "rate": 429, "rejected": 400, "forbidden": 403, "revoked": 401}


class Wire:
    """The way to the stand-ins on which things go wrong."""

    def __init__(self, stage: ClientStage, made: firm.Firm) -> None:
        self.stage, self.clock, self._services = stage, made.clock, made.services

    def unreachable(
        self,
        kinds: frozenset[str],  # noqa: ARG002
        service: str = "",
        request: Request | None = None,  # noqa: ARG002
    ) -> str | None:
        """Tell that a tool which is down cannot even be connected to."""
        return "dns" if self.stage.tools[service].down else None

    def exchange(self, service: str, request: Request) -> Outcome:
        """Come to the scheduling points of a request, and answer it or let it fail."""
        stage, tool = self.stage, self.stage.tools[service]
        stage.set_clocks(_ROUND_TRIP)
        write = _changes(service, request)
        tool.faults.calls["write" if write else "read"] += 1
        stage.point("call", service)
        if write:
            stage.point("write", service, tool.target)
        refused = self._refused(service, write=write)
        slow_down = (
            refused is not None
            and refused.response is not None
            and (refused.response.status == _STATUS["rate"])
        )
        tool.attempts += write and not slow_down  # one that is only put off may be sent again
        if refused is not None:
            return refused
        if write and isinstance(tool.target, Edit):
            tool.blind = stage.unseen_edits(service, tool.target.record)
            stage.before[service, tool.target.record] = tool.records[tool.target.record]
        stage.set_clocks(_ROUND_TRIP)  # after whoever was quicker
        answer = self._services[service].handle(request)
        if write and answer.status < _OK:
            tool.took_effect()
            stage.point("written", service, tool.target if isinstance(tool.target, Edit) else None)
            if stage.due(service, ("lost_reply", "late")):
                return Outcome(None)
        if stage.due(service, ("cut", "half")):
            return Outcome(answer, cut=len(answer.body) // 2)
        return Outcome(answer)

    def _refused(self, service: str, *, write: bool) -> Outcome | None:
        if "revoked" in self.stage.states[service]:
            return _error(service, 401)
        kinds: tuple[str, ...] = ("temporary", "rate", "lost_request")
        kind = self.stage.due(service, (*kinds, "rejected", "forbidden") if write else kinds)
        if kind is None:
            return None
        return Outcome(None) if kind == "lost_request" else _error(service, _STATUS[kind])


def _changes(service: str, request: Request) -> bool:
    """Tell whether a request is meant to change something; Asana's batches may only read."""
    if service == "asana" and request.path.endswith("/batch"):
        return any(action["method"] != "get" for action in request.json()["data"]["actions"])
    return is_write(service, request)


def _error(service: str, status: int) -> Outcome:
    """Return an error in the words of a service."""
    text = "this is not taken"
    body: Any = {"object": "error", "status": status, "code": "validation_error", "message": text}
    if service == "jira":
        body = {"errorMessages": [text], "errors": {}}
    elif service == "asana":
        body = {"errors": [{"message": text}]}
    headers = {"retry-after": "30"} if status == _STATUS["rate"] else {}
    return Outcome(json_response(body, status, headers))


class ClientTool:
    """A real adapter, watched; and the hands of people, who use Ann's account and nobody's faults.

    `records` is what the tool holds, as Ann's adapter reads it; ids and values are those of the tool.
    """

    lag = 0.0
    lists: Callable[[Record], bool]

    def __init__(
        self, stage: ClientStage, adapter: Adapter, person: Adapter, scopes: Sequence[Scope]
    ) -> None:
        self.stage, self.adapter, self.person = stage, adapter, person
        self.connection, self.keeps_log = adapter.connection, adapter.keeps_log
        self.scopes = [s for s in scopes if s.connection == self.connection]
        self.faults, self.down = Faults(), False
        self.target: Edit | Draft | None = None
        self.blind: frozenset[str] = frozenset()
        self.shows, self.attempts = False, 0
        self._known: dict[str, str] = {}  # record -> scope
        self._held: tuple[int, dict[str, Record]] = (-1, {})
        self._arrived = False

    # what the tool holds, and people ------------------------------------------------------------------

    @property
    def records(self) -> dict[str, Record]:
        """Return everything the tool holds, what is in its trash included."""
        moment = self.stage.changes[self.connection]
        if self._held[0] != moment:
            self._held = moment, self._look()
        return self._held[1]

    def _look(self) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for scope in self.scopes:
            listed = {r.id: r for page in self.person.pages(scope, None) for r in page.records}
            self._known |= dict.fromkeys(listed, scope.id)
            gone = [i for i, of in self._known.items() if of == scope.id and i not in listed]
            found |= listed | {r.id: r for r in (self.person.read(scope, gone) if gone else ())}
        return found

    def _scope(self, record: Record) -> Scope:
        return next(s for s in self.scopes if record.container in s.containers)

    def edit(self, record_id: str, _author: str, **fields: Value) -> None:
        """Change fields of a record; what the tool refuses a person stays as it was."""
        record = self.records[record_id]
        self.stage.set_clocks()
        with contextlib.suppress(SourceError):
            self.person.update(Edit(self._scope(record), record.container, record_id, fields))
        self.stage.changes[self.connection] += 1

    def add(self, box: str, fields: Mapping[str, Value], *, kind: str | None, author: str) -> str:
        """Make a record of this title; returns its id."""
        del author
        self.stage.set_clocks()
        made = self.stage.make(self.connection, kind or box, str(fields.get("title") or "Untitled"))
        self.stage.changes[self.connection] += 1
        return made

    def copy(self, record_id: str) -> str:
        """Duplicate a record with everything on it, our marker included."""
        old = self.records[record_id]
        self.stage.set_clocks()
        values = {n: v for n, v in old.fields.items() if v is not None and n != "parent"}
        draft = Draft(self._scope(old), old.container, old.kind, values, old.marker or "none")
        made = self.person.create(draft).id
        self.stage.changes[self.connection] += 1
        return made

    def trash(self, record_id: str, *, trashed: bool = True) -> None:
        """Put a page into Notion's trash, or take it out; elsewhere nothing comes back from there."""
        if self.connection == "notion" and self.records[record_id].trashed != trashed:
            self.stage.set_clocks()
            self.stage.firm.ann["notion"]("PATCH", f"/v1/pages/{record_id}", {"in_trash": trashed})
            self.stage.changes[self.connection] += 1

    def spell(self, field: str, value: Value) -> Value:
        """Return what services make of a value."""
        return trimmed(field, value)

    def took_effect(self) -> None:
        """Note, once for each attempt, that a write of ours has taken effect."""
        self.stage.changes[self.connection] += 1
        if self.target is None or self._arrived:
            return
        self._arrived = True
        self.stage.step += 1
        self.stage.run.figures["writes"] += 1
        if isinstance(self.target, Edit):
            for name, value in self.target.fields.items():
                watch.written(
                    self.stage, self.connection, self.target.record, name, value,
                    blind=name in self.blind,
                )  # fmt: skip
            return
        for record in self.records.values():
            cell = self.connection, record.id
            if record.marker == self.target.marker and cell not in self.stage.human_made:
                self.stage.run.born.setdefault(cell, record.marker)
                for name, value in self.target.fields.items():
                    if record.fields.get(name) == value:
                        watch.written(self.stage, self.connection, record.id, name, value)

    # the adapter ------------------------------------------------------------------------------------

    def discover(self, containers: Sequence[str]) -> Schema:
        """Read what the service offers."""
        return self.adapter.discover(containers)

    def recall(self, schema: Schema) -> None:
        """Take up what an earlier `discover` found."""
        self.adapter.recall(schema)
        self.person.recall(schema)

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read the scope."""
        step = self.stage.step
        for page in self.adapter.pages(scope, cursor):
            self._note_seen(page.records, step)
            yield page
            step = self.stage.step

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read records by id."""
        step = self.stage.step
        found = self.adapter.read(scope, ids)
        self._note_seen(found, step)
        self.stage.last_read[self.connection] = tuple(ids)
        self.stage.last_call[self.connection] = "read"
        return found

    def _note_seen(self, records: Sequence[Record], step: int) -> None:
        for record in records:
            self.stage.seen[self.connection, record.id] = step

    def find(self, scope: Scope, marker: str, since: str) -> tuple[Record, ...]:
        """Look for our marker."""
        self.stage.last_call[self.connection] = "find"
        return self.adapter.find(scope, marker, since)

    def log(self, scope: Scope, seen: Mapping[str, str]) -> dict[str, tuple[LogEntry, ...]]:
        """Tell who changed what."""
        self.stage.last_call[self.connection] = "log"
        return self.adapter.log(scope, seen)

    def requests(self, fields: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Split fields into the groups that one request can carry."""
        return self.adapter.requests(fields)

    def normal(self, kind: str, value: str) -> str:
        """Return what the service gives back after storing a text."""
        return self.adapter.normal(kind, value)

    def create(self, draft: Draft) -> Answer:
        """Create a record with our marker."""
        return self._write(draft, lambda: self.adapter.create(draft))

    def update(self, edit: Edit) -> Answer:
        """Change fields of a record."""
        return self._write(edit, lambda: self.adapter.update(edit))

    def _write(self, target: Edit | Draft, send: Callable[[], Answer]) -> Answer:
        stage, before = self.stage, self.attempts
        watch.before_write(stage, self.connection, target)
        self.target, self._arrived = target, False
        start = len(stage.run.written)
        try:
            answer = send()
        finally:
            self.target = None
            if self.attempts - before > 1:
                stage.run.violated(
                    "P2", f"one attempt made several writing requests in {self.connection}"
                )
        stage.last_call[self.connection] = "update"
        if answer.record is not None:
            stage.settled(self.connection, answer.id)
            mine = stage.run.written[start:]
            stage.run.written[start:] = [replace(each, unanswered=False) for each in mine]
        return answer

    def close(self) -> None:
        """Give back what the library holds."""
        self.adapter.close()

    @property
    def writes(self) -> int:
        """Return how many writing requests have arrived so far."""
        return self.faults.calls["write"]


class ClientWorld(World):
    """A world whose tools are the stand-ins."""

    accounts: Mapping[str, str]
    on_conflict: str
    offered: dict[str, Schema]

    def context(self, **options: object) -> Context:
        """Return what the next cycle works with."""
        given = {"accounts": self.accounts, "publishers": {}, "relearn": self.relearn}
        return super().context(**{**given, **options})

    def relearn(self) -> tuple[Roadmap, Directory]:
        """Ask the tools what they offer by now: options appear while we run."""
        tools: Any = self.tools
        for name, boxes in firm.WANTED.items():
            with contextlib.suppress(SourceError):  # who does not answer offers what it did
                self.offered[name] = tools[name].discover(boxes)
        self.roadmap = firm.bound(self.on_conflict, self.offered)
        for name, schema in self.offered.items():
            tools[name].recall(schema)
        return self.roadmap, Directory()


class ClientStage(Simulation):
    """One run on the stand-ins."""

    mended_by_a_full_read = (*Simulation.mended_by_a_full_read, "trash")  # Notion lists no trash
    tools: dict[str, ClientTool]

    def _build(self, schedule: Schedule) -> World:
        self.firm = firm.firm()
        self.changes: Counter[str] = Counter()
        self.liars = set(TOOLS)  # cursors of the real services are not numbers of changes
        world = ClientWorld(firm.roadmap(schedule.on_conflict), store=self._open())
        world.on_conflict, world.offered = schedule.on_conflict, dict(firm.schemas())
        world.accounts = {name: schema.me.id for name, schema in firm.schemas().items()}
        adapters = firm.join(self.firm, Wire(self, self.firm), world.clock)
        people = firm.join(self.firm, firm.Direct(self.firm), world.clock, ann=True)
        scopes = world.roadmap.scopes
        self.tools = {n: ClientTool(self, adapters[n], people[n], scopes) for n in TOOLS}
        for name, schema in firm.schemas().items():
            self.tools[name].recall(schema)
        tools: Any = world.tools
        tools.update(self.tools)
        self._clock = world.clock
        return world

    def set_clocks(self, took: float = 1.0) -> None:
        """Let what is done take some seconds; the services' time is not that which our clock is set to."""
        self._clock.advance(took)
        self.firm.clock.set(MOMENT + self._clock.monotonic())

    def make(self, tool: str, box: str, title: str) -> str:
        """Make a record as Ann does; returns its id."""
        ann, place = self.firm.ann[tool], self.firm.boxes[tool, box]
        if tool == "jira":
            kind = "Epic" if box == "feature" else "Story"
            fields = {"project": {"id": place}, "issuetype": {"name": kind}, "summary": title}
            return str(ann("POST", "/rest/api/3/issue", {"fields": fields})["id"])
        if tool == "asana":
            body: dict[str, object] = {"name": title, "projects": [place]}
            return str(ann("POST", "/api/1.0/tasks", {"data": body})["data"]["gid"])
        named = {"Name": {"title": [{"text": {"content": title}}]}}
        parent = {"type": "data_source_id", "data_source_id": place}
        return str(ann("POST", "/v1/pages", {"parent": parent, "properties": named})["id"])

    def wording(self, tool: str, record: Record, event: Event) -> tuple[str | None, Value]:
        """Return the remote field and the value that an event means in this tool."""
        level = self.level(tool, record)
        name = "description" if event.field == "notes" else event.field
        rule = self.world.roadmap.cells_of(level, tool).get(name) if level else None
        if rule is None or not rule.writable:
            return None, None
        if name == "status":
            word = str(event.value).partition("-")[2].replace("-", " ")
            if word not in firm.WORDS[tool]:
                return None, None
            return rule.remote, rule.encode(word, record.container, Directory())
        if name == "parent":
            return rule.remote, self._above(tool, level, event.value)
        if name == "labels" and tool == "notion" and isinstance(event.value, tuple):
            encoded = rule.encode(event.value, record.container, Directory())
            return rule.remote, encoded
        return rule.remote, event.value

    def level(self, tool: str, record: Record) -> str | None:
        """Return the level that a record is of."""
        for level, sides in self.world.roadmap.sides.items():
            if any(side.connection == tool and side.matches(record) for side in sides):
                return level
        return None

    def _above(self, tool: str, level: str | None, number: Value) -> str | None:
        wanted = {"feature": "goal", "work_item": "feature"}.get(level or "")
        found = sorted(
            r.id for r in self.tools[tool].records.values() if self.level(tool, r) == wanted
        )
        return found[int(number) % len(found)] if found and isinstance(number, float) else None


def _fit(schedule: Schedule) -> Schedule:
    """Return a schedule without what a stand-in cannot be asked for."""
    unknown = (
        "hidden", "poison", "no_option", "bot", "mark", "rekey", "page", "vanished", "emptied", "stray",
    )  # fmt: skip
    events = tuple(event for event in schedule.events if event.action not in unknown)
    return replace(schedule, events=events, lag=0.0, page=False, twin="")


def simulate_clients(schedule: Schedule) -> Run:
    """Run one schedule on the stand-ins; returns what came of it."""
    return played(ClientStage(_fit(schedule))).run
