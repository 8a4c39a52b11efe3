"""JQL trees to predicates over issues."""

from __future__ import annotations

import operator as op
import re
from collections.abc import Callable

from syncd.sandbox.jira.durations import seconds
from syncd.sandbox.jira.jql_fields import Subject, resolve, subject
from syncd.sandbox.jira.jql_functions import FUNCTIONS
from syncd.sandbox.jira.jql_history import changed, was
from syncd.sandbox.jira.jql_parse import (
    Call,
    Clause,
    Condition,
    Empty,
    Group,
    Many,
    Operand,
    Value,
    parse,
)
from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import Issue, Json
from syncd.sandbox.jira.problems import ApiError, bad
from syncd.sandbox.jira.times import today

Test = Callable[[Issue], bool]

_INVERSE = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "~": "!~", "!~": "~",
    "in": "not in", "not in": "in", "is": "is not", "is not": "is", "was": "was not",
    "was not": "was", "was in": "was not in", "was not in": "was in",
}  # fmt: skip
_COMPARE = {"<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}
_SETS = {"=", "!=", "in", "not in", "is", "is not"}
_ALLOWED = {
    "set": _SETS,
    "key": _SETS | set(_COMPARE),
    "date": _SETS | set(_COMPARE),
    "number": _SETS | set(_COMPARE),
    "text": {"~", "!~", "is", "is not"},
    "other": _SETS,
    "rank": set[str](),
}
_ORDERED_SETS = {"priority", "versions", "version"}


def compile_condition(viewer: Viewer, node: Condition | None, *, negated: bool = False) -> Test:
    """Return a predicate; raises `ApiError` 400 for names, values and operators that do not fit."""
    if node is None:
        return lambda _issue: not negated
    if isinstance(node, Clause):
        return _clause(viewer, node, negated=negated)
    if node.joint == "not":
        return compile_condition(viewer, node.parts[0], negated=not negated)
    tests = [compile_condition(viewer, part, negated=negated) for part in node.parts]
    if (node.joint == "and") != negated:
        return lambda issue: all(test(issue) for test in tests)
    return lambda issue: any(test(issue) for test in tests)


SAVED = frozenset({"filter", "request", "savedfilter", "searchrequest"})


def saved_query(viewer: Viewer, node: Clause) -> Condition | None:
    """Return the condition of the saved queries that a clause names; raises `ApiError` 400."""
    if node.operator not in {"=", "!=", "in", "not in"}:
        raise bad(f"The operator '{node.operator}' is not supported by the '{node.field}' field.")
    items = node.operand.items if isinstance(node.operand, Many) else (node.operand,)
    wheres = [_saved_one(viewer, node.field, item) for item in items]
    if any(where is None for where in wheres):
        return None
    return Group("or", tuple(where for where in wheres if where is not None))


def _saved_one(viewer: Viewer, field: str, item: Operand) -> Condition | None:
    text = item.text if isinstance(item, Value) else ""
    me = viewer.user.account_id if viewer.user else ""
    for found in viewer.store.filters.values():
        if found.owner == me and text.casefold() in {found.id, found.name.casefold()}:
            return parse(found.jql).where
    raise bad(f"The value '{text}' does not exist for the field '{field}'.")


def problems(viewer: Viewer, node: Condition | None) -> list[str]:
    """Return a sentence for every clause that names something that does not exist or fit."""
    if isinstance(node, Group):
        return [text for part in node.parts for text in problems(viewer, part)]
    try:
        compile_condition(viewer, node)
    except ApiError as error:
        return list(error.messages)
    return []


def _clause(viewer: Viewer, node: Clause, *, negated: bool) -> Test:
    if node.field.lower() in SAVED:
        whole = saved_query(viewer, node)
        other = node.operator in {"!=", "not in"}
        return compile_condition(viewer, whole, negated=negated != other)
    what = subject(viewer.store, node.field)
    if node.operator == "changed":
        test = changed(viewer, what, node)
        return (lambda issue: not test(issue)) if negated else test
    sign = _INVERSE[node.operator] if negated else node.operator
    if sign.startswith("was"):
        return was(viewer, what, sign, node)
    if sign not in allowed(what):
        raise bad(f"The operator '{node.operator}' is not supported by the '{what.name}' field.")
    if sign in {"is", "is not"}:
        return _emptiness(what, sign, node.operand)
    if what.type == "text":
        return _text(what, sign, node.operand)
    if sign in _COMPARE:
        return _comparison(viewer, what, sign, node.operand)
    return _membership(viewer, what, sign, node.operand)


def allowed(what: Subject) -> set[str]:
    """Return the operators that a field takes."""
    if what.field.custom and what.field.kind == "url":
        return _SETS
    if what.field.kind in _ORDERED_SETS:
        return _ALLOWED["set"] | set(_COMPARE)
    return _ALLOWED[what.type]


def _emptiness(what: Subject, sign: str, operand: Operand) -> Test:
    if not isinstance(operand, Empty):
        shown = operand.text if isinstance(operand, Value) else "(...)"
        raise bad(
            f"The operator '{sign}' can only be used with 'EMPTY' or 'NULL'; '{shown}' is not"
            f" supported for field '{what.name}'."
        )
    values = what.values
    if sign == "is":
        return lambda issue: not values(issue)
    return lambda issue: bool(values(issue))


def _membership(viewer: Viewer, what: Subject, sign: str, operand: Operand) -> Test:
    values = what.values
    wanted, empty = wanted_values(viewer, what, operand)
    apart = wanted.isdisjoint
    if sign in {"=", "in"}:
        return lambda issue: not apart(found) if (found := values(issue)) else empty
    return lambda issue: bool(found := values(issue)) and apart(found)


def wanted_values(viewer: Viewer, what: Subject, operand: Operand) -> tuple[frozenset[Json], bool]:
    """Return the values that an operand names, and whether EMPTY is among them."""
    items = operand.items if isinstance(operand, Many) else (operand,)
    wanted: set[Json] = set()
    for item in items:
        if not isinstance(item, Empty):
            wanted |= operand_values(viewer, what, item)
    return frozenset(wanted), any(isinstance(item, Empty) for item in items)


def operand_values(viewer: Viewer, what: Subject, item: Operand) -> set[Json]:
    """Return the comparable values of one operand."""
    if isinstance(item, Call):
        return _function(viewer, what, item)
    if not isinstance(item, Value):
        raise bad(f"A list is not supported here for field '{what.name}'.")
    if what.type == "date":
        return {_date(viewer, what, item)}
    if what.type == "number":
        return {_number(what, item)}
    if what.field.kind == "resolution" and item.text.casefold() == "unresolved":
        return set()
    if viewer.user is None:
        return _for_nobody(viewer, what, item.text)
    return resolve(viewer, what, item.text)


def _for_nobody(viewer: Viewer, what: Subject, text: str) -> set[Json]:
    try:
        return resolve(viewer, what, text)
    except ApiError:
        return set()


def _date(viewer: Viewer, what: Subject, item: Value) -> Json:
    moment = viewer.moment(item.text, quoted=item.quoted, field=what.name)
    if what.field.kind == "date":
        from_day = re.match(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", item.text)
        if from_day:
            return f"{from_day[1]}-{int(from_day[2]):02d}-{int(from_day[3]):02d}"
        return _day_of(viewer, moment)
    return moment


def _day_of(viewer: Viewer, moment: int) -> str:
    return today(moment, viewer.zone)


_TIMES = frozenset({"timespent", "timeestimate", "timeoriginalestimate"})


def _number(what: Subject, item: Value) -> float:
    if what.field.id in _TIMES and (spell := seconds(item.text)) is not None:
        return spell
    try:
        return float(item.text)
    except ValueError:
        raise bad(
            f"Value '{item.text}' is invalid for the '{what.name}' field. It must be a number."
        ) from None


def _comparison(viewer: Viewer, what: Subject, sign: str, operand: Operand) -> Test:
    if isinstance(operand, Many):
        raise bad(f"Operator '{sign}' does not support the list for field '{what.name}'.")
    if isinstance(operand, Empty):
        raise bad(f"The operator '{sign}' does not support searching for EMPTY for field"
                  f" '{what.name}'.")  # fmt: skip
    compare, values = _COMPARE[sign], what.values
    bounds = operand_values(viewer, what, operand)
    if not bounds:
        return lambda _issue: False
    bound = next(iter(bounds))
    if what.field.kind in _ORDERED_SETS:
        # the first priority is the highest, so "more" means earlier in the list
        places = {key: -place for place, key in enumerate(_table(viewer, what))}
        return lambda issue: any(compare(places[v], places[bound]) for v in values(issue))
    if what.type == "key":
        return lambda issue: any(compare(v, bound) for v in values(issue))
    return lambda issue: any(compare(v, bound) for v in values(issue))


def _table(viewer: Viewer, what: Subject) -> dict[str, Json]:
    store = viewer.store
    if what.field.kind == "priority":
        return dict(store.priorities)
    return dict(reversed(list(store.versions.items())))


def _function(viewer: Viewer, what: Subject, call: Call) -> set[Json]:
    name = call.name.lower()
    if what.type == "date" and (moment := viewer.edge(call)) is not None:
        return {_day_of(viewer, moment) if what.field.kind == "date" else moment}
    known = FUNCTIONS.get(name)
    if known is None or what.type == "date":
        raise bad(f"Unable to find JQL function '{call.name}({', '.join(call.arguments)})'.")
    return known(viewer, what, call)


_WORD = re.compile(r"\w+", re.UNICODE)


def _text(what: Subject, sign: str, operand: Operand) -> Test:
    if not isinstance(operand, Value):
        raise bad(f"The operator '{sign}' needs a text for the field '{what.name}'.")
    test = _text_test(operand.text)
    values = what.values
    if sign == "~":
        return lambda issue: any(test(text) for text in values(issue))
    return lambda issue: bool(found := values(issue)) and not any(test(t) for t in found)


def _text_test(text: str) -> Callable[[str], bool]:
    """Return a test: all words of the query, `word*` for beginnings, `"..."` for a phrase."""
    phrase = re.fullmatch(r'\s*"(.*)"\s*', text, re.DOTALL)
    if phrase:
        wanted = " ".join(_WORD.findall(phrase[1].casefold()))
        return lambda t: f" {wanted} " in f" {' '.join(_WORD.findall(t.casefold()))} "
    stems = re.findall(r"\w+\*?", text.casefold())
    exact = {_stem(word) for word in stems if not word.endswith("*")}
    starts = [word[:-1] for word in stems if word.endswith("*")]
    needed = (*exact, *starts)

    def test(candidate: str) -> bool:
        low = candidate.casefold()
        if not all(part in low for part in needed):  # a stem begins each word that has it
            return False
        have = _WORD.findall(low)
        return exact <= {_stem(word) for word in have} and all(
            any(word.startswith(start) for word in have) for start in starts
        )

    return test


def stems(text: str) -> set[str]:
    """Return the stems of the words of a text, which is how the index holds them."""
    return {_stem(word) for word in _WORD.findall(text.casefold())}


def _stem(word: str) -> str:
    """Cut the commonest English endings, as the real index does."""
    for ending in ("ing", "es", "ed", "e", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)]
    return word
