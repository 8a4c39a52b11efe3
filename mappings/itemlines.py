"""Reading `items:`: which things in which tool are items of which level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.check import no_connection
from mappings.model import Named, Scalar, SideLine, WhereLine
from mappings.positions import Document, Path_
from mappings.problems import Problems, did_you_mean, quoted
from mappings.schema import SideBlock
from mappings.shape import is_mapping, validate
from syncd.core.errors import Place
from syncd.core.fields import LEVELS
from syncd.core.rules import Any_

COMMON_KEYS = ("where", "create")
SIDE_KEYS: dict[str, tuple[str, ...]] = {
    "jira": ("projects", "types", *COMMON_KEYS),
    "asana": ("project", "subtasks", *COMMON_KEYS, "marker"),
    "notion": ("database", *COMMON_KEYS, "marker"),
}
"""Kind of tool -> the keys its sides can have; the first says where."""

_WHERE = {"jira": "projects: [NAME]", "asana": "project: NAME", "notion": "database: NAME"}


class LevelReader:
    """Reads the block of one level."""

    def __init__(
        self, document: Document, level: str, kinds: Mapping[str, str], problems: Problems
    ) -> None:
        self._document = document
        self._level = level
        self._kinds = kinds
        self._problems = problems
        self._path: Path_ = ("items", level)

    def read(self, block: Any) -> tuple[tuple[SideLine, ...], dict[str, Named]]:  # noqa: ANN401
        """Return the sides and the parent fields; what is wrong is noted."""
        if self._level not in LEVELS:
            advice = did_you_mean(self._level, LEVELS)
            place = self._document.key(*self._path)
            self._problems.add(place, f"unknown level {quoted(self._level)}: {advice}")
            return (), {}
        if not is_mapping(self._document, self._path, block, self._problems):
            return (), {}
        sides: list[SideLine] = []
        for key, value in block.items():
            if key in self._kinds:
                sides += self._sides(key, value, home=not sides)
            elif key != "parent":
                self._unknown(key)
        if not any(key in self._kinds for key in block):
            reason = f"no connection holds this level: {did_you_mean('', self._kinds)}"
            self._problems.add(self._document.key(*self._path), reason)
        return tuple(sides), self._parents(block.get("parent"))

    def _unknown(self, key: str) -> None:
        place = self._document.key(*self._path, key)
        advice = did_you_mean(key, [*self._kinds, "parent"])
        self._problems.add(place, f"{quoted(key)} is no connection of the configuration: {advice}")

    def _parents(self, data: Any) -> dict[str, Named]:  # noqa: ANN401 - any data
        path = (*self._path, "parent")
        if data is None or not is_mapping(self._document, path, data, self._problems):
            return {}
        found = {}
        for connection, name in data.items():
            place = self._document.key(*path, connection)
            if connection not in self._kinds:
                self._problems.add(place, no_connection(connection, self._kinds))
            elif not isinstance(name, str):
                where = self._document.place(*path, connection)
                self._problems.add(where, "the name of a field is expected here: write one")
            else:
                found[connection] = Named(name, place)
        return found

    def _sides(self, connection: str, data: Any, *, home: bool) -> list[SideLine]:  # noqa: ANN401
        path = (*self._path, connection)
        if not isinstance(data, list):
            data, paths = [data], [path]
        else:
            paths = [(*path, index) for index in range(len(data))]
            if not data:
                place = self._document.place(*path)
                self._problems.add(place, f"the list is empty: write {{{self._where(connection)}}}")
        lines = [
            self._side(connection, where, one, home=home)
            for where, one in zip(paths, data, strict=True)
        ]
        return [line for line in lines if line is not None]

    def _where(self, connection: str) -> str:
        return _WHERE.get(self._kinds[connection], "database: NAME")

    def _side(self, connection: str, path: Path_, data: Any, *, home: bool) -> SideLine | None:  # noqa: ANN401
        if not is_mapping(self._document, path, data, self._problems):
            return None
        kind = self._kinds[connection]
        allowed = SIDE_KEYS.get(kind, tuple(SideBlock.model_fields))
        for key in data:
            if key not in allowed:
                self._wrong_key(path, key, kind, allowed)
        known = {key: value for key, value in data.items() if key in allowed}
        block = validate(SideBlock, known, self._document, path, self._problems)
        if block is None:
            return None
        holders = tuple(
            name
            for key in ("projects", "project", "database")
            for name in self._named(getattr(block, key), (*path, key))
        )
        place = self._place(path)
        if not holders and not {"projects", "project", "database"}.intersection(data):
            reason = f"it does not say where: write {self._where(connection)}"
            self._problems.add(place, reason)
        where, parents = self._conditions(block.where or {}, (*path, "where"))
        return SideLine(
            level=self._level,
            connection=connection,
            place=place,
            containers=holders,
            types=self._named(block.types, (*path, "types")),
            where=where,
            parent_levels=parents,
            subtask=block.subtasks if kind == "asana" else None,
            create=not home if block.create is None else block.create,
            marker=next(iter(self._named(block.marker, (*path, "marker"))), None),
        )

    def _place(self, path: Path_) -> Place:
        """Return where a side begins: its connection's name, or its element of the list."""
        document = self._document
        return document.key(*path) if isinstance(path[-1], str) else document.place(*path)

    def _wrong_key(self, path: Path_, key: str, kind: str, allowed: tuple[str, ...]) -> None:
        of = "" if key not in SideBlock.model_fields else f" for {kind}"
        advice = did_you_mean(key, allowed)
        place = self._document.key(*path, key)
        self._problems.add(place, f"unknown key {quoted(key)}{of}: {advice}")

    def _named(self, names: list[str] | str | None, path: Path_) -> tuple[Named, ...]:
        if isinstance(names, str):
            return (Named(names, self._document.place(*path)),)
        return tuple(
            Named(name, self._document.place(*path, index))
            for index, name in enumerate(names or ())
        )

    def _conditions(
        self, where: Mapping[str, Any], path: Path_
    ) -> tuple[tuple[WhereLine, ...], tuple[str, ...]]:
        """Return the lines of `where:`, and the levels that `parent:` names."""
        lines: list[WhereLine] = []
        parents: tuple[str, ...] = ()
        for name, data in where.items():
            accepts = self._accepts(data, (*path, name))
            if name == "parent" and isinstance(accepts, tuple):
                parents = self._parent_levels(accepts)
            elif accepts:
                lines.append(WhereLine(Named(name, self._document.key(*path, name)), accepts))
        return tuple(lines), parents

    def _accepts(self, data: Any, path: Path_) -> tuple[tuple[Scalar, Place], ...] | Any_:  # noqa: ANN401
        if data in (Any_.SET.value, Any_.EMPTY.value):
            return Any_(data)
        values = data if isinstance(data, list) else [data]
        found = []
        for index, value in enumerate(values):
            place = self._document.place(*path, index) if data is values else None
            place = place or self._document.place(*path)
            if isinstance(value, str | bool | int | float):
                found.append((value, place))
            else:
                reason = "a value is expected here, not a list or a mapping: write text or a number"
                self._problems.add(place, reason)
        if not values:
            reason = "the list is empty: write a value, `any` or `none`"
            self._problems.add(self._document.place(*path), reason)
        return tuple(found)

    def _parent_levels(self, accepts: tuple[tuple[Scalar, Place], ...]) -> tuple[str, ...]:
        for value, place in accepts:
            if value not in LEVELS:
                advice = did_you_mean(str(value), [*LEVELS, "any", "none"])
                self._problems.add(place, f"unknown level {quoted(str(value))}: {advice}")
        return tuple(str(value) for value, _ in accepts if value in LEVELS)
