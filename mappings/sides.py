"""Binding `items:`: containers, types and conditions become ids; what one read must fetch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mappings.model import MARKER_NAME, Named, Scalar, SideLine, WhereLine
from mappings.model import Mapping as Written
from mappings.problems import Problems, did_you_mean, quoted
from mappings.resolve import Bound, Resolver, option_name
from syncd.core.errors import Place
from syncd.core.records import Container, FieldKind, RemoteField, Scope, Value
from syncd.core.rules import Any_, CellRule, Condition, Side

CHOICES = (FieldKind.SELECT, FieldKind.STATUS, FieldKind.MULTI_SELECT)
_SETS = (FieldKind.MULTI_SELECT, FieldKind.LABELS, FieldKind.PEOPLE)
_HIDDEN_MARKER = ("jira",)
PARENT = "parent"


@dataclass(frozen=True, slots=True)
class BoundSide:
    """A side with its containers found; `marker` is the field for our marker, if there is one."""

    line: SideLine
    side: Side
    containers: tuple[Container, ...]
    marker: str | None = None
    reads: frozenset[str] = frozenset()


class SideBinder:
    """Binds the sides of one mapping; what is wrong is noted."""

    def __init__(
        self, mapping: Written, resolvers: Mapping[str, Resolver], problems: Problems
    ) -> None:
        self._mapping = mapping
        self._resolvers = resolvers
        self._problems = problems

    def bind(self) -> dict[str, tuple[BoundSide, ...]]:
        """Return the sides of each level, in the order written."""
        return {
            level: tuple(self._side(line) for line in lines if line.connection in self._resolvers)
            for level, lines in self._mapping.sides.items()
        }

    def _side(self, line: SideLine) -> BoundSide:
        resolver = self._resolvers[line.connection]
        found = [resolver.container(name) for name in line.containers]
        containers = tuple(dict.fromkeys(one for one in found if one is not None))
        types = [resolver.kinds(name, containers) for name in line.types]
        conditions, initial, reads = self._conditions(line, containers)
        side = Side(
            level=line.level,
            connection=line.connection,
            containers=tuple(one.id for one in containers),
            kinds=frozenset(kind for ids in types for kind in ids.values()),
            where=conditions,
            place=line.place,
            parent_levels=frozenset(line.parent_levels),
            subtask=line.subtask,
            create=line.create,
            create_kind=self._create_kind(line, containers, types),
            create_fields=initial,
        )
        marker = self._marker(line, containers)
        return BoundSide(line, side, containers, marker, reads)

    def _create_kind(
        self, line: SideLine, containers: Sequence[Container], types: Sequence[Mapping[str, str]]
    ) -> str | None:
        if not types or not containers:
            return None
        kind = types[0].get(containers[0].id)
        if kind is None and types[0] and line.create:
            reason = (
                f"{quoted(containers[0].name)}, where syncd creates, has no such type: "
                "name first a project that has it, or first a type that this project has"
            )
            self._problems.add(line.types[0].place, reason)
        return kind

    def _conditions(
        self, line: SideLine, containers: Sequence[Container]
    ) -> tuple[tuple[Condition, ...], dict[str, Value], frozenset[str]]:
        """Return the conditions, the values of a new record that meet them, and the ids to read."""
        conditions: list[Condition] = []
        initial: dict[str, Value] = {}
        reads = (
            {PARENT} if line.subtask is not None and self._has_parent(line, containers) else set()
        )
        for where in line.where:
            bound = self._condition_field(where, line, containers)
            if bound is None:
                continue
            reads.add(bound.id)
            accepts = self._accepts(where, bound)
            conditions.append(Condition(bound.id, accepts, where.field.place))
            if isinstance(where.accepts, tuple) and containers and isinstance(accepts, frozenset):
                value = self._initial(bound, where.accepts[0][0], containers[0].id)
                initial[bound.id] = (str(value),) if bound.first.kind in _SETS else value
                self._writable(line, where, bound)
        return tuple(conditions), initial, frozenset(reads)

    def _has_parent(self, line: SideLine, containers: Sequence[Container]) -> bool:
        schema = self._resolvers[line.connection].schema
        return any(field.id == PARENT for one in containers for field in schema.fields_of(one.id))

    def _condition_field(
        self, where: WhereLine, line: SideLine, containers: Sequence[Container]
    ) -> Bound | None:
        name = where.field
        if name.text == PARENT:
            written = self._mapping.parents.get(line.level, {}).get(line.connection)
            name = Named(written.text, name.place) if written else name
        bound = self._resolvers[line.connection].field(name, containers)
        if bound is not None and bound.first.kind is FieldKind.OTHER:
            reason = f"{quoted(bound.name)} is of a kind that syncd cannot read: use another field"
            self._problems.add(name.place, reason)
            return None
        return bound

    def _writable(self, line: SideLine, where: WhereLine, bound: Bound) -> None:
        if line.create and not bound.first.writable:
            reason = (
                f"{quoted(bound.name)} cannot be written, so a new record could not meet this: "
                "write `create: false`, or use another field"
            )
            self._problems.add(where.field.place, reason)

    def _accepts(self, where: WhereLine, bound: Bound) -> frozenset[Value] | Any_:
        if isinstance(where.accepts, Any_):
            return where.accepts
        found: set[Value] = set()
        for value, place in where.accepts:
            values = self._neutral(bound, value)
            if not values:
                self._problems.add(place, self._no_value(bound, value))
            found.update(values)
        return frozenset(found)

    def _neutral(self, bound: Bound, value: Scalar) -> list[Value]:
        """Return the neutral forms of a value; several where containers have their own options."""
        kind = bound.first.kind
        if kind in CHOICES:
            name = option_name(str(value), bound.option_names())
            many = (one for options in bound.options.values() for one in options)
            return [one.id for one in many if name in (one.name, one.id) or one.id == value]
        if kind in (FieldKind.PERSON, FieldKind.PEOPLE):
            return [one.id for one in bound.people if value in (one.id, one.email, one.name)]
        if kind is FieldKind.CHECKBOX:
            return [value] if isinstance(value, bool) else []
        if kind is FieldKind.NUMBER:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return [float(value)] if number else []
        return [] if kind is FieldKind.PARENT else [str(value)]

    def _no_value(self, bound: Bound, value: Scalar) -> str:
        kind = bound.first.kind
        if kind in CHOICES:
            advice = did_you_mean(str(value), bound.option_names())
            return f"{quoted(bound.name)} has no option {quoted(str(value))}: {advice}"
        if kind is FieldKind.PARENT:
            return f"{quoted(bound.name)} names another record: write `any`, `none` or a level"
        if kind in (FieldKind.PERSON, FieldKind.PEOPLE):
            return f"nobody is known as {quoted(str(value))}: write a name, e-mail or account id"
        wanted = "true or false" if kind is FieldKind.CHECKBOX else "a number"
        return f"{quoted(bound.name)} never holds {quoted(str(value))}: write {wanted}"

    def _initial(self, bound: Bound, value: Scalar, container: str) -> Value:
        if bound.first.kind in CHOICES:
            options = bound.options.get(container, ())
            name = option_name(str(value), [one.name for one in options])
            return next((one.id for one in options if name == one.name or one.id == value), None)
        return next(iter(self._neutral(bound, value)), None)

    def _marker(self, line: SideLine, containers: Sequence[Container]) -> str | None:
        if self._mapping.kinds[line.connection] in _HIDDEN_MARKER or not containers:
            return None
        resolver = self._resolvers[line.connection]
        field: RemoteField | None
        if line.marker is not None:
            bound = resolver.field(line.marker, containers)
            field = bound.first if bound else None
            missing = False
        else:
            field = resolver.named(MARKER_NAME, containers[0].id)
            missing = field is None
        place = line.marker.place if line.marker else line.place
        if missing and line.create:
            reason = (
                f"{quoted(containers[0].name)} has no text field {quoted(MARKER_NAME)}, in which "
                "syncd notes what it created: add one there, name another with `marker: FIELD`, "
                "or write `create: false`"
            )
            self._problems.add(place, reason)
        return self._checked_marker(field, place)

    def _checked_marker(self, field: RemoteField | None, place: Place) -> str | None:
        if field is None:
            return None
        if field.kind not in (FieldKind.TEXT, FieldKind.RICH_TEXT) or not field.writable:
            reason = (
                f"{quoted(field.name)} cannot hold the marker: it must be a writable text field"
            )
            self._problems.add(place, f"{reason}; name another with `marker: FIELD`")
        return field.id


def scopes(
    sides: Iterable[BoundSide],
    cells: Mapping[tuple[str, str], Mapping[str, CellRule]],
    resolvers: Mapping[str, Resolver],
    problems: Problems,
) -> tuple[Scope, ...]:
    """Return what has to be listed: one scope for a site, or one for each container."""
    groups: dict[tuple[str, str], list[BoundSide]] = {}
    names: dict[tuple[str, str], str] = {}
    for side in sides:
        connection = side.line.connection
        for container in side.containers:
            whole = resolvers[connection].schema.one_scope
            key = (connection, "site" if whole else container.id)
            names.setdefault(key, connection if whole else container.name)
            members = groups.setdefault(key, [])
            if side not in members:
                members.append(side)
    return tuple(
        _scope(key, names[key], members, cells, problems) for key, members in groups.items()
    )


def _scope(
    key: tuple[str, str],
    name: str,
    sides: Sequence[BoundSide],
    cells: Mapping[tuple[str, str], Mapping[str, CellRule]],
    problems: Problems,
) -> Scope:
    connection, scope_id = key
    all_of_them = dict.fromkeys(one.id for side in sides for one in side.containers)
    containers = tuple(all_of_them) if scope_id == "site" else (scope_id,)
    fields = {remote for side in sides for remote in side.reads}
    for side in sides:
        fields |= {cell.remote for cell in cells.get((side.line.level, connection), {}).values()}
    markers = _markers(name, sides, cells, problems)
    return Scope(
        connection=connection,
        id=scope_id,
        name=name,
        containers=containers,
        fields=tuple(sorted(fields)),
        marker=markers[0] if markers else None,
        subtasks=any(side.line.subtask for side in sides),
    )


def _markers(
    name: str,
    sides: Sequence[BoundSide],
    cells: Mapping[tuple[str, str], Mapping[str, CellRule]],
    problems: Problems,
) -> list[str]:
    """Return the marker field of a scope, in a list that is empty when there is none."""
    markers = list(dict.fromkeys(side.marker for side in sides if side.marker))
    if len(markers) > 1:
        named = [side.line for side in sides if side.marker and side.line.marker]
        place = named[-1].marker.place if named and named[-1].marker else sides[-1].line.place
        reason = f"{quoted(name)} has another marker already: write the same `marker` everywhere"
        problems.add(place, reason)
    for side in sides:
        for cell in cells.get((side.line.level, side.line.connection), {}).values():
            if cell.remote in markers:
                reason = f"{quoted(cell.remote_name)} holds syncd's marker: name another field"
                problems.add(cell.place, reason)
    return markers
