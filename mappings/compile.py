"""From a mapping to a `Roadmap`: every name becomes an immutable id, every rule a pure function."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from collections.abc import Sequence
from dataclasses import dataclass

from mappings.check import fields_at, parent_connections, takes_part
from mappings.model import CellLine, FieldLine, Mapping, Named
from mappings.problems import Problems, did_you_mean, listed, quoted
from mappings.resolve import Bound, Resolver, option_name
from mappings.sides import CHOICES, BoundSide, SideBinder, scopes
from mappings.transforms import CHECKBOX_STATUSES, Target, codec, kinds_for
from syncd.core.errors import MappingError, Place
from syncd.core.fields import CATALOGUE, LEVELS, STATUSES, FieldType
from syncd.core.records import Container, FieldKind, RemoteField, Schema
from syncd.core.rules import DERIVED, SHARED, CellRule, FieldRule, Roadmap, RollupSpec

REFERENCES = ("url", "key")
"""Derived fields that point into another tool instead of being rolled up."""


def bind(mapping: Mapping, schemas: Mapping_[str, Schema], *, partial: bool = False) -> Roadmap:
    """Return the mapping bound to what the tools hold; raises MappingError with every problem.

    With `partial`, connections without a schema (a service that does not answer) are left out; who
    decides a field does not change by that.
    """
    problems = Problems()
    resolvers = {
        name: Resolver(schemas[name], problems) for name in mapping.connections if name in schemas
    }
    if not partial:
        _unread(mapping, resolvers, problems)
    bound = SideBinder(mapping, resolvers, problems).bind()
    binder = _CellBinder(mapping, resolvers, bound, problems)
    cells = binder.cells()
    all_scopes = scopes([s for many in bound.values() for s in many], cells, resolvers, problems)
    problems.check(MappingError)
    return Roadmap(
        name=mapping.name,
        connections=mapping.connections,
        sides={level: tuple(one.side for one in sides) for level, sides in bound.items() if sides},
        fields=_field_rules(mapping),
        cells=cells,
        scopes=all_scopes,
        pages=mapping.pages,
        limits=mapping.limits,
        checksum=mapping.checksum,
        missing=tuple(name for name in mapping.connections if name not in schemas),
    )


def owner(mapping: Mapping, line: FieldLine, level: str) -> str | None:
    """Return who decides a field for items of a level; None when no connection holds it there."""
    if line.derived:
        return DERIVED
    holders = [
        connection
        for connection, cell in line.cells.items()
        if mapping.lives(level, connection) and level in line.levels and level in cell.levels
    ]
    wanted, home = line.owner.get(level), mapping.home(level)
    if not holders:
        return None
    if wanted == SHARED or wanted in holders:
        return wanted
    return home if home in holders else holders[0]


def _unread(mapping: Mapping, resolvers: Mapping_[str, Resolver], problems: Problems) -> None:
    for lines in mapping.sides.values():
        for line in lines:
            if line.connection not in resolvers:
                reason = f"{quoted(line.connection)} has not been read yet: "
                problems.add(line.place, reason + "make sure it answers, then try again")


def _rollup(mapping: Mapping, line: FieldLine) -> RollupSpec | None:
    """Return how a field is rolled up; one without a word of its own counts as `progress` does."""
    if not line.derived or line.of is not None or line.name in REFERENCES:
        return None
    progress = mapping.fields.get("progress")
    return line.rollup or (progress.rollup if progress else None) or RollupSpec()


def _field_rules(mapping: Mapping) -> dict[str, FieldRule]:
    rules = {}
    for line in mapping.fields.values():
        owners = {level: owner(mapping, line, level) for level in mapping.sides}
        rules[line.name] = FieldRule(
            name=line.name,
            type=line.type,
            place=line.place,
            owners={level: name for level, name in owners.items() if name is not None},
            on_conflict=line.on_conflict,
            rollup=_rollup(mapping, line),
            of=line.of,
        )
    parents = {level: parent_connections(mapping, level) for level in mapping.sides}
    owners_of_parent = {level: names[0] for level, names in parents.items() if names}
    if owners_of_parent:
        level, connection = next(iter(owners_of_parent.items()))
        rules["parent"] = FieldRule(
            name="parent",
            type=CATALOGUE["parent"].type,
            place=mapping.parents[level][connection].place,
            owners=owners_of_parent,
        )
    return rules


@dataclass(frozen=True, slots=True)
class _Where:
    """The level and connection a cell belongs to, and the containers that must have its field."""

    level: str
    connection: str
    containers: tuple[Container, ...]
    resolver: Resolver


class _CellBinder:
    """Binds `fields:` and `parent:` for every level and connection; what is wrong is noted."""

    def __init__(
        self,
        mapping: Mapping,
        resolvers: Mapping_[str, Resolver],
        sides: Mapping_[str, Sequence[BoundSide]],
        problems: Problems,
    ) -> None:
        self._mapping = mapping
        self._resolvers = resolvers
        self._sides = sides
        self._problems = problems
        self._offered: dict[tuple[str, str], set[str]] = {}

    def cells(self) -> dict[tuple[str, str], dict[str, CellRule]]:
        """Return the rules of each level in each connection, by field."""
        cells = {}
        for where in self._places():
            found = {}
            for line, cell in fields_at(self._mapping, where.level, where.connection):
                rule = self._cell(where, line, cell)
                if rule is not None:
                    found[line.name] = rule
            parent = self._parent(where)
            if parent is not None:
                found["parent"] = parent
            self._once(found)
            cells[where.level, where.connection] = found
        self._values_known()
        return cells

    def _places(self) -> list[_Where]:
        places = []
        for level, sides in self._sides.items():
            for connection in dict.fromkeys(side.line.connection for side in sides):
                found = dict.fromkeys(
                    one
                    for side in sides
                    if side.line.connection == connection
                    for one in side.containers
                )
                resolver = self._resolvers[connection]
                places.append(_Where(level, connection, tuple(found), resolver))
        return places

    def _cell(self, where: _Where, line: FieldLine, cell: CellLine) -> CellRule | None:
        bound = self._field(where, cell)
        if bound is None or not self._fits(line.type, bound, cell.place):
            return None
        owned = owner(self._mapping, line, where.level) == where.connection
        if cell.write and not owned:
            self._must_be_writable(bound, cell.place, where.connection)
        if cell.create_options and not bound.first.can_add_options:
            reason = (
                f"{quoted(bound.name)} takes no new options from outside: remove `create_options`"
            )
            self._problems.add(cell.place, reason)
        self._has_values(line, cell, bound)
        target = Target(
            connection=where.connection,
            name=bound.name,
            place=cell.place,
            options=bound.options,
            values=self._values(line.name, cell, bound),
            create_options=cell.create_options,
            max_length=bound.first.max_length,
            words_only=self._mapping.kinds[where.connection] == "jira",
        )
        decode, encode = codec(line.name, line.type, bound.first.kind, target)
        return CellRule(
            field=line.name,
            connection=where.connection,
            remote=bound.id,
            remote_name=bound.name,
            kind=bound.first.kind,
            place=cell.place,
            decode=decode,
            encode=encode,
            writable=cell.write and bound.first.writable,
        )

    def _field(self, where: _Where, cell: CellLine) -> Bound | None:
        if cell.remote is not None:
            otherwise = f"keep this line from the level {where.level} with `levels: [...]`"
            return where.resolver.field(cell.remote, where.containers, otherwise=otherwise)
        titles = {
            one.id: field
            for one in where.containers
            for field in where.resolver.schema.fields_of(one.id)
            if field.kind is FieldKind.TITLE
        }
        if len(titles) < len(where.containers):
            reason = f"no title field is known in {quoted(where.connection)}: name it in "
            self._problems.add(cell.place, f"{reason}`fields: title: {where.connection}: FIELD`")
            return None
        first = next(iter(titles.values()), None)
        return Bound(first.id, first.name, titles) if first else None

    def _fits(self, type_: FieldType, bound: Bound, place: Place) -> bool:
        possible = kinds_for(type_)
        if bound.first.kind in possible:
            return True
        kind = bound.first.kind
        shown = (
            "of a kind that syncd cannot handle" if kind is FieldKind.OTHER else f"a {kind} field"
        )
        article = "an" if type_ is FieldType.ITEM else "a"
        reason = f"{quoted(bound.name)} is {shown} and cannot hold {article} {type_}: "
        self._problems.add(place, f"{reason}name a field of kind {_or(possible)}")
        return False

    def _must_be_writable(self, bound: Bound, place: Place, connection: str) -> None:
        if any(not one.writable for one in bound.by_container.values()):
            reason = (
                f"{quoted(bound.name)} in {connection} cannot be written, but another decides: "
                f"let {connection} own the field, write `write: false`, or name another field"
            )
            self._problems.add(place, reason)

    def _values(self, name: str, cell: CellLine, bound: Bound) -> dict[str, str] | None:
        """Return `values:` with the tool's words spelled as the tool spells them."""
        if cell.values is None:
            return None
        if bound.first.kind not in CHOICES:
            return {word: meaning for word, (meaning, _) in cell.values.items()}
        names = bound.option_names()
        self._offered.setdefault((name, cell.connection), set()).update(names)
        return {
            option_name(word, names) or word: meaning for word, (meaning, _) in cell.values.items()
        }

    def _has_values(self, line: FieldLine, cell: CellLine, bound: Bound) -> None:
        """Note a status whose options mean nothing to us, and a checkbox with other words."""
        if line.type is not FieldType.STATUS:
            return
        if bound.first.kind is FieldKind.CHECKBOX:
            for word, (_, place) in (cell.values or {}).items():
                if word not in CHECKBOX_STATUSES:
                    reason = f"{quoted(bound.name)} is a checkbox: write `true` or `false`"
                    self._problems.add(place, reason)
        elif cell.values is None and not _speaks(bound):
            shown = listed(bound.option_names()) or "none yet"
            reason = f"what the options of {quoted(bound.name)} mean is not said ({shown}): "
            reason += f"write `values: {{OPTION: STATUS}}` with {_or(list(STATUSES))}"
            self._problems.add(cell.place, reason)

    def _values_known(self) -> None:
        """Note each word of `values:` that no project or database has as an option."""
        for (name, connection), offered in self._offered.items():
            cell = self._mapping.fields[name].cells[connection]
            for word, (_, place) in (cell.values or {}).items():
                if option_name(word, offered) is None and not cell.create_options:
                    reason = f"{quoted(name)} in {connection} has no option {quoted(word)}: "
                    self._problems.add(place, reason + did_you_mean(word, sorted(offered)))

    def _once(self, rules: Mapping_[str, CellRule]) -> None:
        taken: dict[str, CellRule] = {}
        for rule in rules.values():
            first = taken.setdefault(rule.remote, rule)
            if first is not rule:
                reason = (
                    f"{quoted(rule.remote_name)} already holds {quoted(first.field)} "
                    f"({first.place.short}): name another field, or restrict one with `levels`"
                )
                self._problems.add(rule.place, reason)

    def _parent(self, where: _Where) -> CellRule | None:
        name = self._mapping.parents.get(where.level, {}).get(where.connection)
        if name is None or not takes_part(self._mapping, where.level, where.connection):
            return None
        bound = where.resolver.field(name, where.containers)
        if bound is None or not self._fits(FieldType.ITEM, bound, name.place):
            return None
        decides = parent_connections(self._mapping, where.level)[0]
        if decides != where.connection:
            self._must_be_writable(bound, name.place, where.connection)
        self._points_up(where, bound.first, name)
        target = Target(where.connection, bound.name, name.place)
        decode, encode = codec("parent", FieldType.ITEM, bound.first.kind, target)
        return CellRule(
            field="parent",
            connection=where.connection,
            remote=bound.id,
            remote_name=bound.name,
            kind=bound.first.kind,
            place=name.place,
            decode=decode,
            encode=encode,
            writable=bound.first.writable,
        )

    def _points_up(self, where: _Where, field: RemoteField, name: Named) -> None:
        """Note a relation that points into something else than what holds the higher levels."""
        above = LEVELS[: LEVELS.index(where.level) + 1]
        possible = {
            one.id: one.name
            for level in above
            for side in self._sides.get(level, ())
            if side.line.connection == where.connection
            for one in side.containers
        }
        if field.target is not None and field.target not in possible:
            reason = f"{quoted(field.name)} points into something that no higher level uses: "
            reason += f"name a relation to {_or([quoted(one) for one in possible.values()])}"
            self._problems.add(name.place, reason)


def _speaks(bound: Bound) -> bool:
    """Tell whether an option is named like a status."""
    return any(name.casefold() in STATUSES for name in bound.option_names())


def _or(words: Sequence[str]) -> str:
    if len(words) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
