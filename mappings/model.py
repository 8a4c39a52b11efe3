"""A mapping as it is written: names and places, checked in itself but not yet against the tools."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, field

from syncd.core.errors import Place
from syncd.core.fields import LEVELS, FieldType
from syncd.core.rules import Any_, Limits, PageRule, RollupSpec

MARKER_NAME = "Syncd ID"

Scalar = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Named:
    """A name as somebody wrote it, and where."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class WhereLine:
    """One line of `where:`."""

    field: Named
    accepts: tuple[tuple[Scalar, Place], ...] | Any_


@dataclass(frozen=True, slots=True)
class SideLine:
    """Where items of one level live in one connection."""

    level: str
    connection: str
    place: Place
    containers: tuple[Named, ...]
    types: tuple[Named, ...] = ()
    where: tuple[WhereLine, ...] = ()
    parent_levels: tuple[str, ...] = ()
    subtask: bool | None = None
    create: bool = False
    marker: Named | None = None


@dataclass(frozen=True, slots=True)
class CellLine:
    """How one field is held in one connection. `remote` None: the tool's title field."""

    connection: str
    remote: Named | None
    place: Place
    values: Mapping_[str, tuple[str, Place]] | None = None  # tool's word -> meaning, its place
    create_options: bool = False
    write: bool = True
    levels: tuple[str, ...] = LEVELS


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One entry of `fields:`. `owner` maps levels to connections or `shared`; missing: the home."""

    name: str
    type: FieldType
    place: Place
    derived: bool = False
    owner: Mapping_[str, str] = field(default_factory=dict)
    on_conflict: str = "ask"
    rollup: RollupSpec | None = None
    of: str | None = None
    levels: tuple[str, ...] = LEVELS
    cells: Mapping_[str, CellLine] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapping:
    """All mapping files together.

    `kinds` is the configuration's: connection -> jira, asana, notion. `parents` holds for each
    level the field that names the parent, by connection, in the order written.
    """

    name: str
    files: tuple[str, ...]
    checksum: str
    kinds: Mapping_[str, str]
    sides: Mapping_[str, tuple[SideLine, ...]]
    parents: Mapping_[str, Mapping_[str, Named]]
    fields: Mapping_[str, FieldLine]
    people: Mapping_[str, Mapping_[str, Named]]
    pages: tuple[PageRule, ...]
    limits: Limits

    @property
    def connections(self) -> tuple[str, ...]:
        """Return the connections in use, in the order of the configuration."""
        used = {side.connection for sides in self.sides.values() for side in sides}
        used |= {page.connection for page in self.pages}
        return tuple(name for name in self.kinds if name in used)

    def containers(self, connection: str) -> tuple[str, ...]:
        """Return the projects or databases in use, as written, without repeats."""
        named = (
            name.text
            for sides in self.sides.values()
            for side in sides
            if side.connection == connection
            for name in side.containers
        )
        return tuple(dict.fromkeys(named))

    def home(self, level: str) -> str:
        """Return the connection in which items of this level begin."""
        return self.sides[level][0].connection

    def lives(self, level: str, connection: str) -> bool:
        """Tell whether items of a level live in a connection."""
        return any(side.connection == connection for side in self.sides.get(level, ()))

    def declared_people(self) -> dict[str, dict[str, str]]:
        """Return `people:` as `syncd.core.people.match_people` takes it."""
        return {
            name: {connection: account.text for connection, account in accounts.items()}
            for name, accounts in self.people.items()
        }
