"""The items of the roadmap, how people name them, and the work set."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from state.encode import from_data, item_json, loads, scrub, sealed, title_key
from state.session import AnyRow, Session, chunks
from state.tables import dirty, items, records
from syncd.core.fields import LEVELS
from syncd.core.model import Item

_ITEM = select(
    items.c.id, items.c.level, items.c.origin, items.c.parent, items.c.version, items.c.payload
)
_BY_ID = _ITEM.where(items.c.id.in_(bindparam("ids", expanding=True)))
_CHILDREN = _ITEM.where(items.c.parent == bindparam("parent")).order_by(items.c.id)
_AFTER = (
    select(items.c.id)
    .where(items.c.id > bindparam("after"))
    .order_by(items.c.id)
    .limit(bindparam("limit"))
)
_PLACED = _ITEM.add_columns(items.c.title_key)
_ROOTS = _PLACED.where(items.c.parent.is_(None))
_AT = _PLACED.where(items.c.level.in_(bindparam("levels", expanding=True)))
_BELOW = (
    select(items.c.parent, func.json_extract(items.c.payload, "$.aggregate"))
    .where(items.c.parent.in_(bindparam("ids", expanding=True)))
    .order_by(items.c.parent, items.c.id)
)
_COUNT = select(func.count()).select_from(items)
_GONE = (
    select(records.c.item)
    .where(records.c.item.in_(bindparam("ids", expanding=True)))
    .group_by(records.c.item)
    .having(func.count(records.c.gone_since) == func.count())
)
_TITLED = (
    select(items.c.id)
    .where(items.c.title_key == bindparam("title"), items.c.level == bindparam("level"))
    .order_by(items.c.id)
)

_INSERT = insert(items)
_SAVE = _INSERT.on_conflict_do_update(
    index_elements=["id"],
    set_={
        name: _INSERT.excluded[name]
        for name in ("level", "origin", "parent", "title_key", "version", "payload")
    },
)

_linked = records.c.item.is_not(None)
_EXACT_ID = select(items.c.id).where(items.c.id == bindparam("text"))
_EXACT_TITLE = select(items.c.id).where(items.c.title_key == bindparam("text")).order_by(items.c.id)
_BY_KEY = (
    select(records.c.item)
    .where(records.c.key.collate("NOCASE") == bindparam("text"), _linked)
    .order_by(records.c.item)
)
_BY_URL = (
    select(records.c.item)
    .where(records.c.url == bindparam("text"), _linked)
    .order_by(records.c.item)
)
_BY_RECORD = (
    select(records.c.item)
    .where(records.c.record == bindparam("text"), _linked)
    .order_by(records.c.item)
)
# The names alone are searched through their index, without touching the items' payloads.
_CONTAINING = (
    select(items.c.number)
    .where(func.instr(items.c.title_key, bindparam("text")) > 0)
    .order_by(items.c.title_key, items.c.level)
    .limit(bindparam("limit"))
)
_BY_NUMBER = _ITEM.where(items.c.number.in_(bindparam("numbers", expanding=True))).order_by(
    items.c.title_key, items.c.level, items.c.id
)

_MARK_ALL = insert(dirty).from_select(["item"], select(items.c.id)).prefix_with("OR IGNORE")
_MARK = insert(dirty).on_conflict_do_nothing()
_DIRTY = select(dirty.c.item).order_by(dirty.c.item)
_CLEAR = delete(dirty).where(dirty.c.item.in_(bindparam("ids", expanding=True)))

_HEX_ID = re.compile(r"[0-9a-f]{32}$")
_RANK = {level: rank for rank, level in enumerate(LEVELS)}


class Items(Session):
    """The part of the store that keeps items."""

    def items(self, ids: Collection[str]) -> dict[str, Item]:
        """Return items by id; those that do not exist are left out."""
        found: dict[str, Item] = {}
        for part in chunks(ids):
            found.update({row[0]: _item(row) for row in self._all(_BY_ID, {"ids": part})})
        return found

    def children(self, item: str) -> tuple[Item, ...]:
        """Return the children of an item, ordered by id."""
        return tuple(map(_item, self._all(_CHILDREN, {"parent": item})))

    def aggregates(self, parents: Collection[str]) -> dict[str, list[dict[str, Any] | None]]:
        """Return the aggregates of the children of items, by item; those without children are left out.

        Reads nothing else of the children: this is what a roll-up costs.
        """
        found: dict[str, list[dict[str, Any] | None]] = {}
        for part in chunks(parents):
            for parent, text in self._all(_BELOW, {"ids": part}):
                found.setdefault(parent, []).append(loads(text) if text else None)
        return found

    def roots(self) -> tuple[Item, ...]:
        """Return the items without a parent, from the top level down, then by title and id."""
        rows = sorted(self._all(_ROOTS), key=_place)
        return tuple(map(_item, rows))

    def items_at(self, levels: Collection[str]) -> tuple[Item, ...]:
        """Return the items of these levels, from the top level down, then by title and id."""
        rows = self._all(_AT, {"levels": sorted(set(levels))})
        return tuple(map(_item, sorted(rows, key=_place)))

    def gone_items(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of these items that had records, all of which are known to be deleted."""
        rows = (row for part in chunks(ids) for row in self._all(_GONE, {"ids": part}))
        return frozenset(row[0] for row in rows)

    def item_ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the ids of items after an id, in order."""
        return tuple(row[0] for row in self._all(_AFTER, {"after": after, "limit": limit}))

    def item_count(self) -> int:
        """Return how many items there are."""
        row = self._first(_COUNT)
        return int(row[0]) if row else 0

    def items_titled(self, level: str, title_key: str) -> tuple[str, ...]:
        """Return the ids of items of a level with this title key; an empty one matches nothing."""
        rows = self._all(_TITLED, {"level": level, "title": scrub(title_key)})
        return tuple(row[0] for row in rows)

    def find_items(self, text: str, limit: int = 20) -> tuple[Item, ...]:
        """Find items as people name them: id, record key, URL, exact title, else a title's part.

        Keys and titles are compared without regard to case. Of a URL, its query is no matter, and
        its last part may be a key or a record id. The first of these readings that finds anything
        counts.
        """
        wanted = scrub(text.strip())
        title = title_key(wanted)
        if not title:
            return ()
        for statement, name in _readings(wanted, title):
            ids = [row[0] for row in self._all(statement, {"text": name})]
            if ids:
                found = self.items(ids)
                return tuple(found[each] for each in sorted(found))[:limit]
        numbers = [row[0] for row in self._all(_CONTAINING, {"text": title, "limit": limit})]
        return tuple(map(_item, self._all(_BY_NUMBER, {"numbers": numbers})))

    def save_items(self, items: Sequence[Item]) -> None:
        """Insert or replace items."""
        rows = [_row(item) for item in items]
        if rows:
            self._do(_SAVE, rows)

    def mark_dirty(self, items: Collection[str]) -> None:
        """Put items into the work set of the next plan."""
        rows = [{"item": item} for item in sorted(set(items))]
        if rows:
            self._do(_MARK, rows)

    def mark_all_dirty(self) -> None:
        """Put every item into the work set (the mapping has changed)."""
        self._do(_MARK_ALL)

    def dirty(self) -> tuple[str, ...]:
        """Return the work set, ordered by id."""
        return tuple(row[0] for row in self._all(_DIRTY))

    def clear_dirty(self, items: Collection[str]) -> None:
        """Take items out of the work set."""
        if not items:
            return
        with self.transaction():
            for ids in chunks(items):
                self._do(_CLEAR, {"ids": ids})


def _readings(text: str, title: str) -> Iterator[tuple[Select[Any], str]]:
    """Yield what the text may be, the surest reading first: (query, what to look for)."""
    yield _EXACT_ID, text
    yield _BY_KEY, text
    yield _BY_RECORD, text
    if text.startswith(("http://", "https://")):
        yield from _url_readings(text)
    yield _EXACT_TITLE, title


def _url_readings(url: str) -> Iterator[tuple[Select[Any], str]]:
    yield _BY_URL, url
    parts = urlsplit(url)
    plain = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    yield _BY_URL, plain
    last = plain.rpartition("/")[2]
    yield _BY_KEY, last
    yield _BY_RECORD, last
    page = _HEX_ID.search(last)  # a page of Notion: title-slug-<id without hyphens>
    if page:
        yield _BY_RECORD, str(UUID(page.group()))


def _place(row: AnyRow) -> tuple[int, str, str, str]:
    level = row[1]
    return _RANK.get(level, len(_RANK)), level, row[6] or "", row[0]


def _row(item: Item) -> dict[str, object]:
    title = item.fields.get("title")
    return {
        "id": item.id,
        "level": item.level,
        "origin": item.origin,
        "parent": item.parent,
        "title_key": scrub(title_key(title)) or None if isinstance(title, str) else None,
        "version": item.version,
        "payload": sealed(item_json(item), *seal_columns(item)),
    }


def seal_columns(item: Item) -> tuple[object, ...]:
    """Return the columns that the seal of an item's payload covers."""
    return item.id, item.level, item.origin, item.parent, item.version


def _item(row: AnyRow) -> Item:
    payload = loads(row[5])
    data = {"id": row[0], "level": row[1], "origin": row[2], "parent": row[3], "version": row[4]}
    return from_data(Item, {**payload, **data})
