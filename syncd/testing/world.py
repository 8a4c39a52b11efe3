"""Three tools in memory, one small roadmap over them, and cycles to run: the engine without a network.

Goals begin in Notion, features and work items in Jira; Asana holds goals and features. Who owns what:

    title        the home of the level          notes     notion
    status       jira (goals: notion)           estimate  jira
    due          shared, a person is asked      labels    shared
    parent       notion for features, jira for work items
    progress, items_done, items_total, done_of_total, points_total: computed; shown in Notion
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import state.store
from syncd.core.errors import Place
from syncd.core.fields import CATALOGUE, STATUSES
from syncd.core.model import CycleReport, Item
from syncd.core.people import Directory
from syncd.core.ports import Adapter, Store
from syncd.core.records import FieldKind, Record, Scope, Value
from syncd.core.rules import (
    DERIVED,
    SHARED,
    CellRule,
    FieldRule,
    Limits,
    PageRule,
    Roadmap,
    RollupSpec,
    Side,
    UnmappedError,
)
from syncd.core.values import same
from syncd.engine.context import Context
from syncd.engine.cycle import Outlook, observe, run_cycle
from syncd.testing.fakes import FakeClock
from syncd.testing.memory import MemoryPages, MemoryTool

TOOLS = ("jira", "asana", "notion")
DAY = 86_400.0
PLACE = Place("roadmap.yaml", 7)
_COMPUTED = ("progress", "items_done", "items_total", "done_of_total", "points_total")
REMOTE = ("title", "status", "due", "labels", "notes", "estimate", "parent", *_COMPUTED)
_KINDS = {
    "title": FieldKind.TITLE,
    "status": FieldKind.STATUS,
    "due": FieldKind.DATE,
    "labels": FieldKind.LABELS,
    "notes": FieldKind.RICH_TEXT,
    "estimate": FieldKind.NUMBER,
    "parent": FieldKind.PARENT,
    "done_of_total": FieldKind.TEXT,
}
_HOMES = {"goal": "notion", "feature": "jira", "work_item": "jira"}
_BOXES = {"goal": "goals", "feature": "features", "work_item": "items"}
_SHOWN = {  # (level, connection) -> fields
    ("goal", "notion"): ("title", "status", "due", "description", *_COMPUTED),
    ("goal", "asana"): ("title", "status", "due"),
    ("feature", "jira"): ("title", "status", "due", "labels", "description", "estimate"),
    ("feature", "asana"): ("title", "status", "due", "labels", "parent"),
    ("feature", "notion"): (
        "title", "status", "due", "labels", "description", "estimate", "parent", *_COMPUTED,
    ),
    ("work_item", "jira"): ("title", "status", "due", "labels", "estimate", "parent"),
    ("work_item", "notion"): ("title", "status", "due", "labels", "estimate", "parent"),
}  # fmt: skip


def native(connection: str, status: str) -> str:
    """Return the option id of a canonical status in a tool; "odd" exists too, and is mapped nowhere."""
    return f"{connection}-{status.replace(' ', '-')}"


def _decode_status(connection: str) -> Callable[[Value, Directory], Value]:
    names: dict[Value, str] = {native(connection, status): status for status in STATUSES}

    def decode(value: Value, _directory: Directory) -> Value:
        if value is None:
            return None
        if value not in names:
            raise UnmappedError(str(value), "add it to the mapping's statuses")
        return names[value]

    return decode


def _encode_status(connection: str) -> Callable[[Value, str, Directory], Value]:
    def encode(value: Value, _container: str, _directory: Directory) -> Value:
        return native(connection, str(value)) if value is not None else None

    return encode


def _as_is(value: Value, _directory: Directory) -> Value:
    return value


def _put_as_is(value: Value, _container: str, _directory: Directory) -> Value:
    return value


def _cell(name: str, connection: str) -> CellRule:
    remote = "notes" if name == "description" else name
    kind = _KINDS.get(remote, FieldKind.NUMBER)
    status = name == "status"
    return CellRule(
        name, connection, remote, remote.title(), kind, PLACE,
        _decode_status(connection) if status else _as_is,
        _encode_status(connection) if status else _put_as_is,
    )  # fmt: skip


def _owners(name: str) -> dict[str, str]:
    if name in _COMPUTED:
        return dict.fromkeys(("goal", "feature"), DERIVED)
    if name in ("due", "labels"):
        return dict.fromkeys(_HOMES, SHARED)
    if name == "description":
        return dict.fromkeys(("goal", "feature"), "notion")
    if name == "parent":
        return {"feature": "notion", "work_item": "jira"}
    return dict(_HOMES)


def small_roadmap(
    *,
    on_conflict: str = "ask",
    limits: Limits | None = None,
    pages: Iterable[PageRule] = (),
) -> Roadmap:
    """Return the mapping of the module's table, bound."""
    names = dict.fromkeys(name for shown in _SHOWN.values() for name in shown)
    sides: dict[str, list[Side]] = {level: [] for level in _HOMES}
    for level, connection in sorted(_SHOWN, key=lambda key: key[1] != _HOMES[key[0]]):
        kinds = frozenset([level]) if connection == "jira" else frozenset[str]()
        box = "project" if connection == "jira" else _BOXES[level]
        sides[level].append(
            Side(
                level, connection, (box,), kinds, (), PLACE, create=True,
                create_kind=level if connection == "jira" else None,
            )
        )  # fmt: skip
    return Roadmap(
        name="Small",
        connections=TOOLS,
        sides={level: tuple(found) for level, found in sides.items()},
        fields={
            name: FieldRule(
                name, CATALOGUE[name].type, PLACE, _owners(name), on_conflict,
                RollupSpec() if name in _COMPUTED else None,
            )
            for name in names
        },
        cells={key: {name: _cell(name, key[1]) for name in shown} for key, shown in _SHOWN.items()},
        scopes=tuple(_scopes()),
        pages=tuple(pages),
        limits=limits or Limits(),
    )  # fmt: skip


def _scopes() -> Iterable[Scope]:
    yield Scope("jira", "site", "the site", ("project",), tuple(REMOTE))
    for level, connection in _SHOWN:
        if connection != "jira":
            box = _BOXES[level]
            yield Scope(connection, box, box, (box,), tuple(REMOTE), marker="marker")


class World:
    """Three tools, a state, and the engine over them. `cycle()` runs one cycle an hour after the last."""

    def __init__(
        self,
        roadmap: Roadmap | None = None,
        path: Path | None = None,
        store: Store | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.roadmap = roadmap or small_roadmap()
        self.path = path or Path(":memory:")
        self.store: Store = store or state.store.open(self.path)
        self.tools = {name: MemoryTool(name, self.clock) for name in TOOLS}
        self.pages = MemoryPages("notion")
        self.jira, self.asana, self.notion = (self.tools[name] for name in TOOLS)
        self.opened: dict[str, float] = {}  # what this process knows of open intents
        self.jira.marks = True
        self.notion.keeps_log = False
        self.jira.defaults = {"status": native("jira", "planned")}
        self.jira.at_creation = frozenset(["status"])

    def context(self, **options: object) -> Context:
        """Return what the next cycle works with; options are those of `Context`."""
        context = Context(
            self.roadmap,
            self.store,
            dict[str, Adapter](self.tools),
            Directory(),
            self.clock,
            publishers={"notion": self.pages},
            index_lag={name: tool.lag for name, tool in self.tools.items()},
            accounts=dict.fromkeys(TOOLS, "bot"),
            opened=self.opened,
        )
        return replace(context, **options)  # type: ignore[arg-type]

    def cycle(self, *, wait: bool = True, **options: object) -> CycleReport:
        """Let an hour pass and run one cycle."""
        self.clock.advance(3600.0)
        return run_cycle(self.context(**options), wait=wait)

    def look(self, **options: object) -> Outlook:
        """Let an hour pass and do all of a cycle that writes nothing."""
        self.clock.advance(3600.0)
        return observe(self.context(**options))

    @property
    def writes(self) -> int:
        """Return how many writing calls the tools have received."""
        return sum(tool.writes for tool in self.tools.values()) + self.pages.writes

    def item(self, title: str) -> Item:
        """Return the one item of this title."""
        found = [item for item in self.items() if item.title == title]
        if len(found) != 1:
            raise LookupError(f"{len(found)} items are called {title}")
        return found[0]

    def items(self) -> tuple[Item, ...]:
        """Return all items."""
        return self.store.items_at(tuple(_HOMES))

    def record(self, title: str, connection: str) -> Record:
        """Return what a tool now holds of the item with this title."""
        item = self.item(title)
        stored = self.store.records_of([item.id])[item.id][connection]
        return self.tools[connection].records[stored.record.id]

    def shows(self, title: str, name: str) -> dict[str, Value]:
        """Return what each tool that has the field shows, in canonical form."""
        return self._shows(self.item(title), name)

    def _shows(self, item: Item, name: str) -> dict[str, Value]:
        return {
            connection: self._canonical(item, connection, stored.record.id, name)
            for connection, stored in self.store.records_of([item.id])[item.id].items()
            if name in self.roadmap.cells_of(item.level, connection)
        }

    def _canonical(self, item: Item, connection: str, record: str, name: str) -> Value:
        rule = self.roadmap.cells_of(item.level, connection)[name]
        raw = self.tools[connection].records[record].fields.get(rule.remote)
        if rule.kind is FieldKind.PARENT:
            linked = self.store.linked_items(connection, [str(raw)]) if raw is not None else {}
            return linked.get(str(raw))
        return rule.decode(raw, Directory())

    def differences(self) -> list[str]:
        """Return a sentence for every cell in which a tool does not show the canonical value."""
        found = []
        blocked = {(c.item, c.field) for c in self.store.conflicts()}
        for item in self.items():
            records: Mapping[str, object] = self.store.records_of([item.id]).get(item.id, {})
            wanted = {side.connection for side in self.roadmap.sides[item.level]}
            found += [f"{item.title} is missing in {name}" for name in wanted - set(records)]
            for name in self.roadmap.fields:
                for connection, value in self._shows(item, name).items():
                    canonical = item.fields.get(name)
                    if (item.id, name) not in blocked and not same(
                        self.roadmap.fields[name].type, value, canonical
                    ):
                        found.append(
                            f"{item.title}.{name}: {connection} {value!r}, not {canonical!r}"
                        )
        return found
