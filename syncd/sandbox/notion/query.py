"""Rows of a data source in order, page by page, up to the service's cap of 10,000 per query."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, cast

import orjson

from syncd.sandbox.notion.checks import (
    page_size,
    require_bool,
    require_choice,
    require_dict,
    require_list,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.filters import STAMPS, Filters, Test
from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.notion.rollups import as_text
from syncd.sandbox.notion.schema import find
from syncd.sandbox.notion.store import DataSource, Page, Prop, Rows, Store, minute
from syncd.sandbox.notion.times import instant
from syncd.sandbox.notion.values import Values

JSON = dict[str, Any]
CAP = 10_000
ORDERS = 64  # outcomes of queries that are kept


class Orders:
    """The outcomes of the last queries, until anything is written: next pages need no new sorting."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[bytes, Any] = {}
        self._revision = -1

    def clear(self) -> None:
        """Forget all, as after a snapshot was put back."""
        self._held.clear()

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:  # noqa: ANN401 - as made
        """Return what `make` gave for the same key since the last write, or gives now."""
        if self._revision != self._store.revision or len(self._held) >= ORDERS:
            self._held.clear()
            self._revision = self._store.revision
        name = orjson.dumps(key)
        if name not in self._held:
            self._held[name] = make()
        return self._held[name]


class Query:
    """One request for rows: order, filter, position, size."""

    def __init__(
        self, store: Store, values: Values, source: DataSource, rows: Rows, orders: Orders
    ) -> None:
        self._store = store
        self._values = values
        self._source = source
        self._rows = rows
        self._orders = orders
        self.cap = CAP

    def run(self, body: JSON, filters: Filters) -> tuple[list[Page], str | None, bool]:
        """Return the rows of a page, the next cursor, and whether the cap cuts this query off."""
        size = page_size(body.get("page_size", MISSING))
        given = body.get("filter")
        test = filters.compile(given) if given is not None else None
        # A filter may ask for the present time: its rows are the same within a minute only.
        about = (self._source.id, id(self._rows), given, filters.me, minute(filters.now))
        capped = bool(self._orders.get(("cap", self.cap, *about), lambda: self._is_capped(test)))
        ordered = self._ordered(body.get("sorts"), test, about)
        if isinstance(ordered, list) and ordered is not self._rows.by_id:
            test = None  # sorting by columns has tested every row
        start, served = self._position(body.get("start_cursor"), ordered)
        room = min(size, max(self.cap - served, 0))
        found = list(islice(self._matching(ordered, start, test), size + 1))
        results, following = found[:room], found[room:]
        if not following or served + len(results) >= self.cap:
            return results, None, capped
        cursor = following[0].id
        self._store.remember(self._source.id, cursor, served + len(results))
        return results, cursor, capped

    def _is_capped(self, test: Test | None) -> bool:
        if len(self._rows) <= self.cap:
            return False
        return test is None or len(self._passing(test)) > self.cap

    def _passing(self, test: Test | None) -> list[Page]:
        """Return all rows that pass; in order of creation they lie side by side in memory."""
        nodes, hidden = self._store.nodes, self._store.unshared
        created = [nodes[key] for _, key in self._rows.by_created if key not in hidden]
        pages = cast("list[Page]", created)  # rows are pages
        return pages if test is None else list(filter(test, pages))

    def _matching(self, ordered: Sequence[str], start: int, test: Test | None) -> Iterator[Page]:
        """Yield the rows from a place on that pass the test; this loop is the hot one."""
        nodes = cast("dict[str, Page]", self._store.nodes)  # rows are pages
        hidden = self._store.unshared
        for index in range(start, len(ordered)):
            page = nodes[ordered[index]]
            if (test is None or test(page)) and page.id not in hidden:
                yield page

    def _position(self, cursor: object, ordered: Sequence[str]) -> tuple[int, int]:
        """Return where a cursor's row stands now, and how many rows were served before it."""
        if cursor is None:
            return 0, 0
        if not isinstance(cursor, str):
            raise bad("start_cursor", "be a string", cursor)
        identifier = parse_uuid(cursor)
        if identifier is None:
            raise bad("start_cursor", "be a valid uuid", cursor)
        served = self._store.cursors.get((self._source.id, identifier))
        index = _index(ordered, identifier)
        if index is None:
            if served is None:
                raise invalid(f"The start_cursor provided is invalid: {cursor}")
            index = min(served, len(ordered))
        return index, index if served is None else served

    def check_sorts(self, given: object) -> None:
        """Refuse sorts that no query would take."""
        for index, item in enumerate(require_list(given, "sorts")):
            self._sort(require_dict(item, f"sorts[{index}]"), f"sorts[{index}]")

    def _ordered(self, given: object, test: Test | None, about: tuple[Any, ...]) -> Sequence[str]:
        sorts = [] if given is None else require_list(given, "sorts")
        keys = [
            self._sort(require_dict(item, f"sorts[{i}]"), f"sorts[{i}]")
            for i, item in enumerate(sorts)
        ]
        if not keys:
            return self._rows.by_id
        if len(keys) == 1 and isinstance(keys[0][0], str):
            return _Stamped(self._rows, keys[0][0] == "created_time", descending=keys[0][1])
        return cast(
            "list[str]", self._orders.get((given, *about), lambda: self._by_columns(keys, test))
        )

    def _by_columns(self, keys: list[tuple[Prop | str, bool]], test: Test | None) -> list[str]:
        pages = self._passing(test)
        for what, descending in reversed(keys):
            pages = self._sorted(pages, what, descending=descending)
        return [page.id for page in pages]

    def _sort(self, given: JSON, where: str) -> tuple[Prop | str, bool]:
        direction = require_choice(
            given.get("direction", "ascending"), f"{where}.direction", ("ascending", "descending")
        )
        if "timestamp" in given:
            stamp = require_choice(given["timestamp"], f"{where}.timestamp", STAMPS)
            return stamp, direction == "descending"
        if "property" not in given:
            raise bad(f"{where}.property", "be defined", MISSING)
        prop = find(self._source, str(given["property"]))
        if prop is None:
            raise invalid(f"Could not find sort property with name or id: {given['property']}")
        if prop.type in STAMPS:
            return prop.type, direction == "descending"
        return prop, direction == "descending"

    def _sorted(self, pages: list[Page], what: Prop | str, *, descending: bool) -> list[Page]:
        """Sort stably; rows without a value come last in both directions."""
        if isinstance(what, str):
            created = what == "created_time"
            return sorted(
                pages,
                key=lambda page: minute(page.created if created else page.edited),
                reverse=descending,
            )
        key = self._key(what)
        keyed = [(key(page), page) for page in pages]
        full = [pair for pair in keyed if pair[0] is not None]
        full.sort(key=lambda pair: pair[0], reverse=descending)
        return [page for _, page in full] + [page for found, page in keyed if found is None]

    def _key(self, prop: Prop) -> Callable[[Page], Any]:
        """Return a function giving a row's sort key, None for an empty value."""
        key, kind = prop.id, prop.type
        if kind == "number":
            return lambda page: page.values.get(key)
        if kind == "unique_id":
            return lambda page: page.number
        if kind == "checkbox":
            return lambda page: bool(page.values.get(key))
        if kind in ("select", "status"):
            places = {option: place for place, option in enumerate(prop.config["options"])}
            return lambda page: places.get(page.values.get(key, ""))
        if kind == "date":
            return lambda page: instant(value["start"]) if (value := page.values.get(key)) else None
        if kind in ("formula", "rollup"):
            return lambda page: _computed_key(self._values.computed(self._source, prop, page))
        if kind in ("title", "rich_text"):
            return lambda page: page.values[key].folded or None if key in page.values else None
        return lambda page: self._text(prop, page) or None

    def _text(self, prop: Prop, page: Page) -> str:
        return as_text(prop.type, self._values.shown(self._source, prop, page)).casefold()


def _computed_key(shown: JSON) -> float | str | None:
    """Return the sort key of a formula's or rollup's value."""
    value = shown.get(shown["type"])
    if isinstance(value, dict) and "start" in value:
        return instant(value["start"])
    if isinstance(value, str):
        return value.casefold() or None
    return value if isinstance(value, int | float) else None


class _Stamped(Sequence[str]):
    """The row ids in order of a time, read from the index without copying it."""

    def __init__(self, rows: Rows, created: bool, *, descending: bool) -> None:  # noqa: FBT001
        self._items = rows.by_created if created else rows.by_edited
        self._keys = rows.keys
        self._which = 0 if created else 1
        self._descending = descending

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - single index only is used
        return self._items[-1 - index if self._descending else index][1]

    def find(self, identifier: str) -> int | None:
        """Return the place of a row."""
        key = self._keys.get(identifier)
        if key is None:
            return None
        at = bisect_left(self._items, (key[self._which], identifier))
        return len(self._items) - 1 - at if self._descending else at


def _index(ordered: Sequence[str], identifier: str) -> int | None:
    if isinstance(ordered, _Stamped):
        return ordered.find(identifier)
    try:
        return ordered.index(identifier)
    except ValueError:
        return None


def wants_trash(body: JSON, *, legacy: bool) -> bool:
    """Tell whether a query asks for rows in the trash."""
    value = body.get("in_trash", body.get("archived") if legacy else None)
    return False if value is None else require_bool(value, "in_trash")
