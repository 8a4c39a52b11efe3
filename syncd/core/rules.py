"""A mapping, compiled and bound to what the tools really hold: names have become immutable ids.

Made by `mappings.compile.bind`, read by the engine. All functions in here are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from syncd.core.errors import Place
from syncd.core.fields import FieldType
from syncd.core.people import Directory
from syncd.core.records import FieldKind, Record, Scope, Value

SHARED = "shared"
DERIVED = "syncd"
MERGE = "merge"


class UnmappedError(Exception):
    """A value has no counterpart on the other side; `name` is the value as people see it.

    `unknown_option` is true when the tool has an option that was not there when it was last asked.
    """

    def __init__(self, name: str, advice: str, *, unknown_option: bool = False) -> None:
        self.name = name
        self.advice = advice
        self.unknown_option = unknown_option
        super().__init__(f"{name}: {advice}")


class NotShownError(UnmappedError):
    """A record does not show a field at all: it was deleted there, hidden, or is another one by now.

    That is not the same as an empty field, which says that somebody has cleared it.
    """


class Any_(Enum):  # noqa: N801 - `Any` is taken
    """What a condition asks of a field when it names no value."""

    SET = "any"
    EMPTY = "none"


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of `where:`: the remote field holds one of these neutral values, anything, or nothing."""

    remote: str
    accepts: frozenset[Value] | Any_
    place: Place

    def holds(self, record: Record) -> bool:
        """Tell whether the record meets the condition."""
        value = record.fields.get(self.remote)
        if self.accepts is Any_.SET:
            return value is not None
        if self.accepts is Any_.EMPTY:
            return value is None
        assert isinstance(self.accepts, frozenset)  # noqa: S101 - for the type checker
        if isinstance(value, tuple):
            return bool(self.accepts.intersection(value))
        return value in self.accepts


@dataclass(frozen=True, slots=True)
class Side:
    """Where items of one level live in one connection, and how one is created there."""

    level: str
    connection: str
    containers: tuple[str, ...]
    kinds: frozenset[str]  # kind ids; empty: any
    where: tuple[Condition, ...]
    place: Place
    parent_levels: frozenset[str] = frozenset()  # not empty: only below an item of these levels
    subtask: bool | None = None  # Asana: True only subtasks, False only top-level tasks
    create: bool = False
    create_kind: str | None = None
    create_fields: Mapping[str, Value] = field(default_factory=dict)

    def matches(self, record: Record) -> bool:
        """Tell whether the record is of this level, as far as the record alone can say."""
        return (
            record.container in self.containers
            and (not self.kinds or record.kind in self.kinds)
            and self.subtask in (None, record.parent_key is not None)
            and all(condition.holds(record) for condition in self.where)
        )


Decode = Callable[[Value, Directory], Value]
"""Neutral -> canonical. Raises UnmappedError. PARENT fields are passed through as record ids."""
Encode = Callable[[Value, str, Directory], Value]
"""(canonical, container id, directory) -> neutral. Raises UnmappedError."""


@dataclass(frozen=True, slots=True)
class CellRule:
    """How one field of one level is held in one connection."""

    field: str
    connection: str
    remote: str
    remote_name: str
    kind: FieldKind
    place: Place
    decode: Decode
    encode: Encode
    writable: bool = True

    def shown(self, record: Record) -> Value:
        """Return what a record holds in this field, in neutral form. Raises NotShownError."""
        if self.remote not in record.fields:
            raise NotShownError(
                self.remote_name,
                f"is not shown there any more, so the other tools keep its last value; put the field "
                f"back, or change {self.place.short}, see `syncd check`",
            )
        return record.fields[self.remote]


@dataclass(frozen=True, slots=True)
class RollupSpec:
    """How derived fields are computed: which leaves, by what weight, what an estimate is worth that is missing.

    Definitions: docs/explanation/rollups.md.
    """

    of: str | None = None  # a level: only leaves of this level count; None: all leaves
    weight: str = "points"  # points | count
    missing: str = "median"  # median | zero


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One entry of `fields:`.

    `owners` gives for each level the connection that decides, SHARED, or DERIVED.
    `on_conflict` is "ask", MERGE (texts, line by line), or the connection that wins.
    """

    name: str
    type: FieldType
    place: Place
    owners: Mapping[str, str]
    on_conflict: str = "ask"
    rollup: RollupSpec | None = None
    of: str | None = None  # `url` and `key`: the connection they point into


@dataclass(frozen=True, slots=True)
class PageRule:
    """One consolidated page to keep in a document tool."""

    connection: str
    title: str
    under: str | None  # title, URL or id of the page it stands under
    place: Place
    levels: tuple[str, ...] = ("goal", "initiative", "feature")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cycle may do to one scope before a person is asked; see reliability of the guard."""

    creates: tuple[int, float] = (20, 0.10)  # at least this many, or this share of the scope
    overwrites: tuple[int, float] = (50, 0.20)
    erases: tuple[int, float] = (20, 0.20)  # values of one field that become empty
    shrink: float = 0.5  # a full list below this share of what is known freezes the scope
    review: bool = False  # tools that hold the same work already are looked at by a person first

    def allowed(self, limit: tuple[int, float], size: int) -> int:
        """Return how many changes of a kind a scope of this size may take."""
        return max(limit[0], int(limit[1] * size))


@dataclass(frozen=True, slots=True)
class Roadmap:
    """The whole mapping, ready to use."""

    name: str
    connections: tuple[str, ...]  # in the order of the configuration
    sides: Mapping[str, tuple[Side, ...]]  # level -> sides; the first side's connection is its home
    fields: Mapping[str, FieldRule]
    cells: Mapping[tuple[str, str], Mapping[str, CellRule]]  # (level, connection) -> field -> rule
    scopes: tuple[Scope, ...]
    pages: tuple[PageRule, ...] = ()
    limits: Limits = field(default_factory=Limits)
    checksum: str = ""
    missing: tuple[str, ...] = ()  # connections that did not answer, and are left out of the rules

    @property
    def levels(self) -> tuple[str, ...]:
        """Return the levels in use, from the top down."""
        return tuple(self.sides)

    def home(self, level: str) -> str:
        """Return the connection in which items of this level begin."""
        return self.sides[level][0].connection

    def side(self, level: str, connection: str) -> Side | None:
        """Return the (first) side of a level in a connection."""
        return next((s for s in self.sides.get(level, ()) if s.connection == connection), None)

    def cells_of(self, level: str, connection: str) -> Mapping[str, CellRule]:
        """Return the rules of a level in a connection, by field."""
        return self.cells.get((level, connection), {})

    def reads(self, record: Record) -> bool:
        """Tell whether a record stands in a container that the mapping uses, of whatever level."""
        return any(
            scope.connection == record.connection and record.container in scope.containers
            for scope in self.scopes
        )

    def scope_of(self, connection: str, container: str) -> Scope:
        """Return the scope that reads a container; KeyError when the mapping does not use it."""
        for scope in self.scopes:
            if scope.connection == connection and container in scope.containers:
                return scope
        raise KeyError((connection, container))
