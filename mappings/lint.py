"""Things in a mapping that work, and are probably not meant."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from itertools import combinations

from mappings.check import fields_at
from mappings.compile import owner
from mappings.model import CellLine, FieldLine, Mapping, SideLine
from mappings.problems import Problems, did_you_mean, listed, quoted
from mappings.resolve import Bound, Resolver, option_name
from mappings.sides import CHOICES
from syncd.core.errors import Place, Problem
from syncd.core.fields import STATUSES, FieldType
from syncd.core.people import match_people
from syncd.core.records import Container, Schema
from syncd.core.rules import SHARED, Any_

READ_BY_SYNCD = frozenset(
    {"title", "status", "owner", "start", "due", "committed", "estimate", "health", "confidence"}
)
"""Fields that are worth having from one tool alone: roll-ups, health and pages use them."""


def warnings(mapping: Mapping, schemas: Mapping_[str, Schema]) -> list[Problem]:
    """Return what to think about, in order of place. The mapping must have been bound before."""
    problems = Problems()
    for line in mapping.fields.values():
        _nobody_writes(mapping, line, problems)
        for cell in line.cells.values():
            if cell.connection in schemas:
                _options(mapping, line, cell, schemas[cell.connection], problems)
    _overlaps(mapping, problems)
    _people(mapping, schemas, problems)
    return list(problems.found())


def _overlaps(mapping: Mapping, problems: Problems) -> None:
    """Tell of two levels that would take the same records: the higher one gets them all."""
    lines = [line for sides in mapping.sides.values() for line in sides]
    for first, second in combinations(lines, 2):
        same_place = first.connection == second.connection and {
            name.text for name in first.containers
        } & {name.text for name in second.containers}
        if same_place and first.level != second.level and not _told_apart(first, second):
            reason = (
                f"{second.level} and {first.level} ({first.place.short}) take the same records of "
                f"{second.connection}, and {first.level} gets them all: tell them apart with `where`, "
                "`types` or `subtasks`"
            )
            problems.add(second.place, reason)


def _told_apart(first: SideLine, second: SideLine) -> bool:
    """Tell whether no record can be of both sides, or that depends on its parent."""
    if first.parent_levels or second.parent_levels or first.subtask != second.subtask:
        return True
    types = [{name.text.casefold() for name in side.types} for side in (first, second)]
    if all(types) and not types[0] & types[1]:
        return True
    return any(
        one.field.text == other.field.text and _disjoint(one.accepts, other.accepts)
        for one in first.where
        for other in second.where
    )


def _disjoint(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return not {value for value, _place in one} & {value for value, _place in other}
    return one is not other and Any_.EMPTY in (one, other)


def _nobody_writes(mapping: Mapping, line: FieldLine, problems: Problems) -> None:
    used = [
        (level, connection, cell)
        for level in mapping.sides
        for connection in mapping.connections
        for other, cell in fields_at(mapping, level, connection)
        if other is line
    ]
    for level, connection, cell in used:
        if not cell.write and owner(mapping, line, level) not in (connection, SHARED):
            reason = f"{quoted(line.name)} of {connection} is neither read nor written at the level"
            problems.add(cell.place, f"{reason} {level}: remove the line, or `write: false`")
    if line.derived and not used:
        reason = (
            f"{quoted(line.name)} is computed and shown nowhere: add a line `CONNECTION: FIELD`"
        )
        problems.add(line.place, reason)
    elif not line.derived and line.name not in READ_BY_SYNCD:
        holders = {connection for _, connection, _ in used}
        if len(holders) == 1:
            reason = f"{quoted(line.name)} is in {holders.pop()} only, so nothing is kept in step: "
            problems.add(line.place, f"{reason}add another connection, or remove the field")


def _options(
    mapping: Mapping, line: FieldLine, cell: CellLine, schema: Schema, problems: Problems
) -> None:
    """Note options without a meaning, and meanings that no option of the tool has."""
    needs_meaning = line.type is FieldType.STATUS
    bound = _bound(mapping, line, cell, schema)
    if bound is None or bound.first.kind not in CHOICES:
        return
    values = cell.values or {}
    known = {option_name(word, bound.option_names()) for word in values}
    implied = not values and needs_meaning
    loose = [
        name
        for name in bound.option_names()
        if name not in known and not (implied and _is_status(name))
    ]
    if needs_meaning and loose:
        what = "option" if len(loose) == 1 else "options"
        reason = (
            f"{cell.connection} has the {what} {listed(loose)} of {quoted(bound.name)} without a "
            f"meaning: add `{loose[0]}: STATUS` to `values`, else such items wait for a person"
        )
        problems.add(cell.place, reason)
    _never_written(mapping, line, cell, problems)


def _never_written(mapping: Mapping, line: FieldLine, cell: CellLine, problems: Problems) -> None:
    """Note meanings that come from another tool and that this one has no word for."""
    if line.type is not FieldType.STATUS or cell.values is None or not cell.write:
        return
    mine = {meaning for meaning, _ in cell.values.values()}
    owned = {owner(mapping, line, level) for level in mapping.sides}
    for other in line.cells.values():
        decides = other.connection in owned or SHARED in owned
        if other is cell or other.values is None or not decides:
            continue
        missing = sorted({meaning for meaning, _ in other.values.values()} - mine)
        if missing:
            reason = (
                f"{other.connection} can say {listed(missing)}, and {cell.connection} has no word "
                "for it: add an option for it to `values`, else such items wait for a person"
            )
            problems.add(cell.place, reason)


def _is_status(name: str) -> bool:
    return name.casefold() in STATUSES


def _bound(mapping: Mapping, line: FieldLine, cell: CellLine, schema: Schema) -> Bound | None:
    """Return the cell's field with the options of all containers that use it."""
    resolver = Resolver(schema, Problems())
    if cell.remote is None:
        return None
    containers: dict[str, Container] = {}
    for level in mapping.sides:
        if (line, cell) in fields_at(mapping, level, cell.connection):
            for side in mapping.sides[level]:
                if side.connection == cell.connection:
                    found = [resolver.container(name) for name in side.containers]
                    containers |= {one.id: one for one in found if one is not None}
    return resolver.field(cell.remote, tuple(containers.values()))


def _people(mapping: Mapping, schemas: Mapping_[str, Schema], problems: Problems) -> None:
    if not any(_is_about_people(line) for line in mapping.fields.values()):
        return
    accounts = {name: schemas[name].people for name in mapping.connections if name in schemas}
    for name, declared in mapping.people.items():
        for connection, account in declared.items():
            members = accounts.get(connection, ())
            words = [word for one in members for word in (one.id, one.email) if word]
            if connection in accounts and account.text not in words:
                near = did_you_mean(account.text, words)
                advice = near if near.startswith("did") else "write an account id or e-mail"
                reason = (
                    f"{connection} shows no account {quoted(account.text)} for {quoted(name)}: "
                )
                problems.add(account.place, reason + advice)
    directory = match_people(accounts, mapping.declared_people())
    top = Place(mapping.files[0], 1)
    if directory.ambiguous:
        reason = (
            f"several accounts are named {listed(directory.ambiguous, limit=5)} and no e-mail "
            "tells who is who: add them to `people:` under a name each"
        )
        problems.add(_people_place(mapping) or top, reason)


def _people_place(mapping: Mapping) -> Place | None:
    places = [
        account.place for accounts in mapping.people.values() for account in accounts.values()
    ]
    return min(places, default=None)


def _is_about_people(line: FieldLine) -> bool:
    return line.type in (FieldType.PERSON, FieldType.PEOPLE)
