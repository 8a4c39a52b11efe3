"""Searching: candidates from the indices, order, and pages that continue from an opaque token."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, partial
from zlib import crc32

import orjson

from syncd.sandbox.jira.jql_fields import Subject, subject
from syncd.sandbox.jira.jql_parse import Clause, Condition, Group, Query, parse
from syncd.sandbox.jira.jql_run import Test, compile_condition, operand_values, problems
from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import Issue, Json
from syncd.sandbox.jira.narrow import narrowed
from syncd.sandbox.jira.problems import ApiError, bad
from syncd.sandbox.jira.ranks import rank_of
from syncd.sandbox.jira.store import Store

UNBOUNDED = (
    "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
)
TOKEN_LIFE = 7 * 24 * 3600 * 1000
_FEW = 2000  # up to this many candidates are sorted at once; more are walked in index order
_KEPT_ANSWERS = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A page of issues, and the token of the next page (None on the last)."""

    issues: list[Issue]
    token: str | None


class Search:
    """One query by one person. Raises `ApiError` 400 for what the vendor would refuse."""

    def __init__(
        self,
        viewer: Viewer,
        jql: str,
        visible: Callable[[Issue], bool],
        *,
        bounded: bool = True,
        reconcile: frozenset[int] = frozenset(),
    ) -> None:
        self.viewer = viewer
        self.store: Store = viewer.store
        self.jql = jql
        self.visible = visible
        self.reconcile = reconcile  # ids for which the answer is exact, however late the index is
        self.query: Query = parse(jql)
        if bounded and self.query.where is None:
            raise bad(UNBOUNDED)
        self.test, self.order = self._checked()
        if self.store.lagging is not None:
            self.store.lagging.catch_up(self.store.now())

    def _checked(self) -> tuple[Test, list[tuple[Callable[[Issue], Json], bool]]]:
        """Return the condition and the order; raises one 400 with everything that is wrong."""
        wrong = problems(self.viewer, self.query.where)
        order: list[tuple[Callable[[Issue], Json], bool]] = []
        try:
            order = _order(self.store, self.query)
        except ApiError as error:
            wrong += error.messages
        if wrong:
            raise ApiError(400, *dict.fromkeys(wrong))
        return compile_condition(self.viewer, self.query.where), order

    def matches(self, issue: Issue) -> bool:
        """Tell whether an issue belongs to the answer."""
        form = self._indexed_form(issue)
        if form is None or self._archived(issue):
            return False
        return self.visible(issue) and self.test(form)

    def _archived(self, issue: Issue) -> bool:
        store = self.store
        return issue.id in store.archived or store.projects[issue.project_id].archived

    def _indexed_form(self, issue: Issue) -> Issue | None:
        """Return an issue as search knows it, None while it is not yet indexed."""
        lagging = self.store.lagging
        if lagging is None or issue.id in self.reconcile:
            return issue
        return lagging.indexed.get(issue.id)

    def count(self) -> int:
        """Return how many issues match."""
        return sum(self.matches(issue) for issue in self._candidates())

    def all(self) -> list[Issue]:
        """Return all matching issues in order."""
        return list(self._walk(None))

    def chosen(self, issues: list[Issue]) -> list[Issue]:
        """Return those of some issues that match, in the query's order or else in theirs."""
        if self.query.order:
            return self._in_order(issues)
        return [issue for issue in issues if self.matches(issue)]

    def page(self, token: str | None, size: int) -> Found:
        """Return up to `size` issues after the place that a token holds."""
        after = self._open(token) if token else None
        issues: list[Issue] = []
        for issue in self._walk(after):
            if len(issues) == size:
                return Found(issues, self._close(issues[-1]))
            issues.append(issue)
        return Found(issues, None)

    # tokens: where the page before ended, sealed with the query

    def _close(self, last: Issue) -> str:
        place = [key(last) for key, _down in self.order]
        told = {"q": crc32(self.jql.encode()), "a": place, "i": last.id, "t": self.store.now()}
        return base64.urlsafe_b64encode(orjson.dumps(told)).decode()

    def _open(self, token: str) -> Json:
        try:
            told = orjson.loads(base64.urlsafe_b64decode(token))
            good = told["q"] == crc32(self.jql.encode()) and len(told["a"]) == len(self.order)
            fresh = self.store.now() - told["t"] <= TOKEN_LIFE
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise bad_token() from None
        if not good or not fresh:
            raise bad_token()
        return told

    # walking

    def _walk(self, after: Json) -> Iterator[Issue]:
        if self.store.lagging is not None:
            return iter(self._from(self._in_order(self.store.issues.values()), after))
        chosen = self._chosen
        if chosen is not None and len(chosen) <= _FEW:
            return iter(self._from(self._in_order(self._candidates()), after))
        if len(self.order) == 1 and self._index() is not None:
            return (issue for issue in self._indexed(after) if self._fits(issue, chosen))
        return iter(self._from(self._whole(), after))

    def _fits(self, issue: Issue, chosen: AbstractSet[int] | None) -> bool:
        return (chosen is None or issue.id in chosen) and self.matches(issue)

    @cached_property
    def _chosen(self) -> AbstractSet[int] | None:
        """Return ids that hold all matches, or None where no index narrows them down."""
        return None if self.store.lagging is not None else narrowed(self.viewer, self.query.where)

    def _candidates(self) -> Iterable[Issue]:
        issues = self.store.issues
        if self._chosen is None:
            return issues.values()
        return [issues[n] for n in sorted(self._chosen, reverse=True) if n in issues]

    def _index(self) -> tuple[list[Json], bool] | None:
        key, down = self.order[0]
        if isinstance(key, partial) and not self.store.ranks:
            return self.store.by_id, down  # issues that nobody ranked stand by their ids
        tables: dict[Json, list[Json]] = {
            _updated: self.store.by_updated,
            _created: self.store.by_created,
            _number: self.store.by_id,
        }
        table = tables.get(key)
        return None if table is None else (table, down)

    def _indexed(self, after: Json) -> Iterator[Issue]:
        index = self._index()
        assert index is not None  # noqa: S101 - asked for by the caller
        table, down = index
        by_number = table is self.store.by_id
        place: int | None = None
        if after is not None:
            mark: Json = after["i"] if by_number else (after["a"][0], after["i"])
            place = bisect_left(table, mark) if down else bisect_right(table, mark)
        low, high = (0, len(table)) if by_number else self._bounds(table)
        if down:
            rows = range((high if place is None else min(place, high)) - 1, low - 1, -1)
        else:
            rows = range(low if place is None else max(place, low), high)
        issues = self.store.issues
        for row in rows:
            entry = table[row]
            yield issues[entry if by_number else entry[1]]

    def _bounds(self, table: list[Json]) -> tuple[int, int]:
        name = "updated" if table is self.store.by_updated else "created"
        low, high = _time_bounds(self.viewer, self.query.where, name)
        first = 0 if low is None else bisect_left(table, (low, -1))
        last = len(table) if high is None else bisect_right(table, (high, 1 << 62))
        return first, last

    def _from(self, kept: list[Issue], after: Json) -> list[Issue]:
        return kept if after is None else kept[self._resume(kept, after) :]

    def _in_order(self, issues: Iterable[Issue]) -> list[Issue]:
        kept = [issue for issue in issues if self.matches(issue)]
        kept.sort(key=_number, reverse=self.order[0][1])  # ties go by id, as in the indices
        for key, down in reversed(self.order):
            kept.sort(key=_comparable(key), reverse=down)
        return kept

    def _whole(self) -> list[Issue]:
        """Return the sorted answer over all issues, kept until anything changes or time passes."""
        who = self.viewer.user.account_id if self.viewer.user else None
        now = self.store.now() // 60_000 if "(" in self.jql or "-" in self.jql else 0
        place = (self.jql, who, self.store.revision, self.store.setup, now)
        kept: dict[Json, list[Issue]] = self.store.extras.setdefault("sorted_answers", {})
        if place not in kept:
            if len(kept) >= _KEPT_ANSWERS:
                del kept[next(iter(kept))]
            kept[place] = self._in_order(self._candidates())
        return kept[place]

    def _resume(self, kept: list[Issue], after: Json) -> int:
        """Return where the next page begins: after the last issue told, or where it would be."""
        for place, issue in enumerate(kept):
            if issue.id == after["i"]:
                return place + 1
        for place, issue in enumerate(kept):
            if self._beyond(issue, after["a"]):
                return place
        return len(kept)

    def _beyond(self, issue: Issue, marks: list[Json]) -> bool:
        for (key, down), mark in zip(self.order, marks, strict=True):
            mine, theirs = _rank(key(issue)), _rank(mark)
            if mine != theirs:
                return bool(mine < theirs) if down else bool(mine > theirs)
        return False


def seal_place(question: str, place: int) -> str:
    """Return a token for a place in the answer to a question."""
    told = {"q": crc32(question.encode()), "p": place}
    return base64.urlsafe_b64encode(orjson.dumps(told)).decode()


def open_place(question: str, token: str) -> int:
    """Return the place that a token holds; raises 400 for that of another question."""
    try:
        told = orjson.loads(base64.urlsafe_b64decode(token))
        if told["q"] == crc32(question.encode()):
            return int(told["p"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise bad_token() from None
    raise bad_token()


def bad_token() -> ApiError:
    """Return the vendor's answer to a page token that is not one, or is too old."""
    return bad("The provided next page token is invalid or expired.")


def _updated(issue: Issue) -> Json:
    return issue.updated


def _created(issue: Issue) -> Json:
    return issue.created


def _number(issue: Issue) -> Json:
    return issue.id


_TIMES = {_updated, _created}


def _order(store: Store, query: Query) -> list[tuple[Callable[[Issue], Json], bool]]:
    order: list[tuple[Callable[[Issue], Json], bool]] = []
    for name, down in query.order:
        what = subject(store, name, sorting=True)
        newest_first = what.field.kind in {"stamp", "priority"}
        order.append((_sort_key(store, what), newest_first if down is None else down))
    if not order:
        return [(_number, True)]
    # a key after a time only settles ties; the time indices settle them by id, which is enough
    if (
        len(order) == len(("time", "tie"))
        and order[0][0] in _TIMES
        and order[1][0] in {_number, _key_parts}
    ):
        return order[:1]
    return order


def _sort_key(store: Store, what: Subject) -> Callable[[Issue], Json]:
    fixed = {"updated": _updated, "created": _created}.get(what.field.id)
    if fixed is not None:
        return fixed
    if what.field.kind == "rank":
        return partial(rank_of, store)
    if what.field.kind == "key":
        return _number if what.name.lower() == "id" else _key_parts
    values = what.values
    places = _places(store, what)

    def key(issue: Issue) -> Json:
        found = values(issue)
        if not found:
            return None
        return places(found[0])

    return key


def _key_parts(issue: Issue) -> Json:
    """Return a key as a text that sorts as people count: WEB-9 before WEB-10."""
    project, _, number = issue.key.rpartition("-")
    return f"{project}-{number:>12}"


def _places(store: Store, what: Subject) -> Callable[[Json], Json]:
    kind = what.field.kind
    if kind in {"priority", "resolution"}:
        table = list(store.priorities if kind == "priority" else store.resolutions)
        # the first priority is the highest and sorts last
        return lambda value: -table.index(value)
    names: dict[str, Callable[[Json], Json]] = {
        "status": lambda v: store.statuses[v].name.casefold(),
        "issuetype": lambda v: store.types[v].name.casefold(),
        "user": lambda v: store.users[v].name.casefold(),
        "project": lambda v: store.projects[v].name.casefold(),
        "option": lambda v: what.field.options[v].value.casefold(),
        "versions": lambda v: store.versions[v].name.casefold(),
        "components": lambda v: store.components[v].name.casefold(),
    }
    return names.get(kind, lambda v: v.casefold() if isinstance(v, str) else v)


def _rank(value: Json) -> tuple[bool, Json]:
    return (value is None, 0 if value is None else value)


def _comparable(key: Callable[[Issue], Json]) -> Callable[[Issue], Json]:
    if key in _NEVER_EMPTY:
        return key
    return lambda issue: _rank(key(issue))


_NEVER_EMPTY: set[Callable[[Issue], Json]] = {_updated, _created, _number, _key_parts}


def _time_bounds(
    viewer: Viewer, node: Condition | None, name: str
) -> tuple[int | None, int | None]:
    """Return the closed range of a time that the top-level conditions leave."""
    parts = node.parts if isinstance(node, Group) and node.joint == "and" else (node,)
    low: int | None = None
    high: int | None = None
    for part in parts:
        if not isinstance(part, Clause) or part.operator not in {"<", "<=", ">", ">="}:
            continue
        what = subject(viewer.store, part.field)
        if what.field.id != name:
            continue
        bound = next(iter(operand_values(viewer, what, part.operand)))
        if part.operator.startswith(">"):
            low = bound if low is None else max(low, bound)
        else:
            high = bound if high is None else min(high, bound)
    return low, high
