"""JQL over an issue's past: WAS, WAS IN, WAS NOT, CHANGED, with their predicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncd.sandbox.jira.jql_fields import Subject, resolve
from syncd.sandbox.jira.jql_parse import Call, Clause, Empty, Many, Operand, Value
from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import Issue, Json
from syncd.sandbox.jira.problems import bad

DAY = 86_400_000
_FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class _Span:
    """A value a field held, from when to when, and who set it."""

    value: str | None
    start: int
    end: int
    author: str | None


@dataclass(frozen=True, slots=True)
class _Limits:
    after: int = 0
    before: int = _FOREVER
    authors: frozenset[str] | None = None
    old: frozenset[Json] | None = None
    new: frozenset[Json] | None = None


def _spans(issue: Issue, field_id: str) -> list[_Span]:
    spans: list[_Span] = []
    start, author = issue.created, None
    for entry in issue.histories:
        for item in entry.items:
            if item.field_id == field_id:
                spans.append(_Span(item.old, start, entry.created, author))
                start, author = entry.created, entry.author
    current = issue.values.get(field_id)
    if isinstance(current, list):
        current = ", ".join(current) or None
    return [*spans, _Span(current, start, _FOREVER, author)]


def _among(value: str | None, wanted: frozenset[Json]) -> bool:
    """Tell whether a value, or one of several as changelogs join them, is wanted."""
    return value in wanted or (value is not None and not wanted.isdisjoint(value.split(", ")))


def was(viewer: Viewer, what: Subject, sign: str, node: Clause) -> Callable[[Issue], bool]:
    """Return the test of `field WAS value`."""
    _check(what, sign)
    wanted = _wanted(viewer, what, node.operand)
    limits = _limits(viewer, what, node)
    field_id = what.field.id

    def held(issue: Issue) -> bool:
        return any(
            _among(span.value, wanted)
            and span.start <= limits.before
            and span.end > limits.after
            and (limits.authors is None or span.author in limits.authors)
            for span in _spans(issue, field_id)
        )

    return (lambda issue: not held(issue)) if "not" in sign else held


def changed(viewer: Viewer, what: Subject, node: Clause) -> Callable[[Issue], bool]:
    """Return the test of `field CHANGED ...`."""
    _check(what, "changed")
    limits = _limits(viewer, what, node)
    field_id = what.field.id

    def test(issue: Issue) -> bool:
        return any(
            item.field_id == field_id
            and limits.after < entry.created <= limits.before
            and (limits.authors is None or entry.author in limits.authors)
            and (limits.old is None or _among(item.old, limits.old))
            and (limits.new is None or _among(item.new, limits.new))
            for entry in issue.histories
            for item in entry.items
        )

    return test


def _check(what: Subject, sign: str) -> None:
    if not what.history:
        raise bad(f"The operator '{sign}' is not supported by the '{what.name}' field.")


def _wanted(viewer: Viewer, what: Subject, operand: Operand) -> frozenset[Json]:
    items = operand.items if isinstance(operand, Many) else (operand,)
    wanted: set[Json] = set()
    for item in items:
        if isinstance(item, Empty):
            wanted.add(None)
        elif isinstance(item, Value):
            wanted |= resolve(viewer, what, item.text)
        elif isinstance(item, Call) and item.name.lower() == "currentuser" and viewer.user:
            wanted.add(viewer.user.account_id)
    return frozenset(wanted)


def _limits(viewer: Viewer, what: Subject, node: Clause) -> _Limits:
    found: dict[str, Json] = {}
    for name, operand in node.predicates:
        if name in {"from", "to"}:
            found["old" if name == "from" else "new"] = _wanted(viewer, what, operand)
        elif name == "by":
            found["authors"] = _people(viewer, operand)
        elif name == "during" and isinstance(operand, Many) and len(operand.items) > 1:
            found["after"] = _moment(viewer, operand.items[0])
            found["before"] = _moment(viewer, operand.items[1])
        elif name == "on":
            found["after"] = _moment(viewer, operand)
            found["before"] = found["after"] + DAY
        else:
            found[name] = _moment(viewer, operand)
    return _Limits(**found)


def _people(viewer: Viewer, operand: Operand) -> frozenset[str]:
    items = operand.items if isinstance(operand, Many) else (operand,)
    found: set[str] = set()
    for item in items:
        if isinstance(item, Call) and viewer.user:
            found.add(viewer.user.account_id)
        elif isinstance(item, Value):
            found |= set(viewer.people(item.text))
    return frozenset(found)


def _moment(viewer: Viewer, operand: Operand) -> int:
    if isinstance(operand, Value):
        return viewer.moment(operand.text, quoted=operand.quoted, field="date")
    if isinstance(operand, Call) and (moment := viewer.edge(operand)) is not None:
        return moment
    raise bad("A date is needed after AFTER, BEFORE, ON and DURING.")
