"""What the lines of a mapping must mean together."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_

from mappings.model import CellLine, FieldLine, Mapping, SideLine
from mappings.problems import Problems, did_you_mean, quoted
from syncd.core.errors import Place
from syncd.core.fields import CATALOGUE, LEVELS


def no_connection(name: str, kinds: Mapping_[str, str]) -> str:
    """Return the sentence for a connection that the configuration does not have."""
    return f"{quoted(name)} is no connection of the configuration: {did_you_mean(name, kinds)}"


def top_down(sides: Mapping_[str, tuple[SideLine, ...]]) -> dict[str, tuple[SideLine, ...]]:
    """Return the levels in the order of the tree."""
    return {level: sides[level] for level in LEVELS if sides.get(level)}


def with_title(
    fields: Mapping_[str, FieldLine], sides: Mapping_[str, tuple[SideLine, ...]]
) -> dict[str, FieldLine]:
    """Add the title where it is not written: each tool's own title field, owned by the home."""
    connections: dict[str, Place] = {}
    for side in (side for level in sides.values() for side in level):
        connections.setdefault(side.connection, side.place)
    if not connections:
        return dict(fields)
    first = next(iter(connections.values()))
    line = fields.get("title") or FieldLine("title", CATALOGUE["title"].type, first)
    implied = {
        connection: CellLine(connection, None, line.place if "title" in fields else place)
        for connection, place in connections.items()
        if connection not in line.cells
    }
    title = FieldLine(
        name=line.name,
        type=line.type,
        place=line.place,
        owner=line.owner,
        on_conflict=line.on_conflict,
        rollup=line.rollup,
        levels=line.levels,
        cells={**line.cells, **implied},
    )
    return {"title": title, **{name: one for name, one in fields.items() if name != "title"}}


def together(mapping: Mapping, problems: Problems) -> None:
    """Note every line that contradicts another."""
    _cells_once(mapping, problems)
    for line in mapping.fields.values():
        _held_somewhere(mapping, line, problems)
        _has_cells(line, problems)
        _levels_used(mapping, line, problems)
    for level in mapping.sides:
        _parents(mapping, level, problems)
        for side in mapping.sides[level]:
            _parent_levels(mapping, side, problems)
            _can_create(mapping, side, problems)


def fields_at(mapping: Mapping, level: str, connection: str) -> list[tuple[FieldLine, CellLine]]:
    """Return the fields that items of a level have in a connection, with how they are held."""
    if not mapping.lives(level, connection):
        return []
    return [
        (line, cell)
        for line in mapping.fields.values()
        if level in line.levels
        if (cell := line.cells.get(connection)) is not None and level in cell.levels
        if line.of is None or mapping.lives(level, line.of)
    ]


def _cells_once(mapping: Mapping, problems: Problems) -> None:
    """Two fields of an item must not be held in one and the same field of a tool."""
    for level in mapping.sides:
        for connection in mapping.kinds:
            taken: dict[str, FieldLine] = {}
            for line, cell in fields_at(mapping, level, connection):
                if cell.remote is None:
                    continue
                first = taken.setdefault(cell.remote.text.casefold(), line)
                if first is not line:
                    other = first.cells[connection].place.line
                    reason = (
                        f"{quoted(cell.remote.text)} already holds {quoted(first.name)} "
                        f"(line {other}): name another field, or restrict one with `levels`"
                    )
                    problems.add(cell.remote.place, reason)


def _held_somewhere(mapping: Mapping, line: FieldLine, problems: Problems) -> None:
    for connection, cell in line.cells.items():
        if not any(side.connection == connection for s in mapping.sides.values() for side in s):
            reason = (
                f"no level lives in {quoted(connection)}: name it under `items:`, "
                "or remove this line"
            )
            problems.add(cell.place, reason)


def _has_cells(line: FieldLine, problems: Problems) -> None:
    if not line.cells and not line.derived:
        problems.add(
            line.place, f"no connection holds {quoted(line.name)}: write `CONNECTION: FIELD`"
        )


def _levels_used(mapping: Mapping, line: FieldLine, problems: Problems) -> None:
    if line.levels is not LEVELS:
        for level in line.levels:
            if level not in mapping.sides:
                reason = f"the level {quoted(level)} of {quoted(line.name)} is not mapped: "
                problems.add(line.place, reason + did_you_mean(level, mapping.sides))
    of = line.rollup.of if line.rollup else None
    if of is not None and of not in mapping.sides:
        reason = f"the roll-up counts {quoted(of)}, which is not mapped: "
        problems.add(line.place, reason + did_you_mean(of, mapping.sides))


def _parents(mapping: Mapping, level: str, problems: Problems) -> None:
    for connection, name in mapping.parents.get(level, {}).items():
        if not mapping.lives(level, connection):
            reason = f"no {level} lives in {quoted(connection)}: add it above, or remove this line"
            problems.add(name.place, reason)


def takes_part(mapping: Mapping, level: str, connection: str) -> bool:
    """Tell whether a connection can say what an item of a level is part of.

    It can when it holds something above: a higher level, or items of the same level (sub-tasks).
    """
    above = LEVELS[: LEVELS.index(level)]
    nested = any(
        level in side.parent_levels
        for side in mapping.sides[level]
        if side.connection == connection
    )
    return nested or any(mapping.lives(higher, connection) for higher in above)


def parent_connections(mapping: Mapping, level: str) -> list[str]:
    """Return the connections that say what an item of a level is part of; the first one decides."""
    named = mapping.parents.get(level, {})
    return [name for name in named if takes_part(mapping, level, name)]


def _parent_levels(mapping: Mapping, side: SideLine, problems: Problems) -> None:
    if side.parent_levels and side.connection not in mapping.parents.get(side.level, {}):
        reason = f"write which field names the parent: `parent: {{{side.connection}: FIELD}}`"
        problems.add(side.place, f"`where: parent` is not enough: {reason}")
    for level in side.parent_levels:
        if not mapping.lives(level, side.connection):
            reason = (
                f"no {level} lives in {quoted(side.connection)}, so nothing can be below one: "
                "name another level"
            )
            problems.add(side.place, reason)


def _can_create(mapping: Mapping, side: SideLine, problems: Problems) -> None:
    if side.create and mapping.kinds.get(side.connection) == "jira" and not side.types:
        reason = "to create issues here syncd must know their type: write `types: [NAME]`"
        problems.add(side.place, f"{reason}, or `create: false`")
