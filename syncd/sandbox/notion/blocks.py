"""Trees of blocks: parsing a request's children, appending, updating, trashing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncd.sandbox.notion.blockkinds import HEADINGS, PARENTS, TYPES, Kinds
from syncd.sandbox.notion.checks import require_choice, require_dict, require_list, require_uuid
from syncd.sandbox.notion.errors import MISSING, bad, fix_one, invalid
from syncd.sandbox.notion.ids import Ids
from syncd.sandbox.notion.store import Block, Database, Node, Page, Store

JSON = dict[str, Any]
DEPTH = 2  # levels of children inside the blocks of one request
BLOCKS = 1000  # blocks of one request, all levels together
ARCHIVED = "Can't edit block that is archived. You must unarchive the block before editing."
ANCESTOR = (
    "Can't edit page on block with an archived ancestor. You must unarchive the ancestor before "
    "editing page."
)
_FRAME_KEYS = frozenset({"object", "type", "id", "has_children"})


@dataclass(slots=True)
class Draft:
    """A block to be made, with its children."""

    type: str
    content: JSON
    children: list[Draft] = field(default_factory=list)


class Trees:
    """Changes trees of blocks."""

    def __init__(self, store: Store, ids: Ids, kinds: Kinds) -> None:
        self._store = store
        self._ids = ids
        self._kinds = kinds

    def parse(self, given: object, where: str) -> list[Draft]:
        """Return the blocks of a request's children array, wholly checked."""
        drafts = self._list(given, where, 0)
        total = sum(count(draft) for draft in drafts)
        if total > BLOCKS:
            raise invalid(
                f"body failed validation: {where} should contain at most {BLOCKS} blocks, "
                f"instead had {total}."
            )
        return drafts

    def _list(self, given: object, where: str, depth: int) -> list[Draft]:
        return [
            self._draft(require_dict(item, f"{where}[{index}]"), f"{where}[{index}]", depth)
            for index, item in enumerate(require_list(given, where))
        ]

    def _draft(self, given: JSON, where: str, depth: int) -> Draft:
        kind = block_type(given, where)
        for name, value in given.items():
            if name != kind and name not in _FRAME_KEYS and name != "children":
                raise bad(f"{where}.{name}", "be not present", value)
        body = require_dict(given.get(kind, MISSING), f"{where}.{kind}")
        draft = Draft(kind, self._kinds.make(kind, body, f"{where}.{kind}"))
        inner = body.get("children", given.get("children"))
        if inner is None:
            inner = []
        spot = f"{where}.{kind}.children"
        if inner and (depth >= DEPTH + (kind in ("column", "table")) or kind not in PARENTS):
            raise bad(spot, "be not present", inner)
        deeper = depth if kind == "column_list" else depth + 1
        draft.children = self._list(inner, spot, deeper)
        if kind in HEADINGS and draft.children:
            draft.content["is_toggleable"] = True  # as recorded, whatever the request says
        _check_shape(draft, spot)
        return draft

    def insert(
        self, above: Node, drafts: list[Draft], index: int | None, now: float, user: str
    ) -> list[Block]:
        """Make the blocks under a page or block, from an index on (None: at the end)."""
        made = []
        for offset, draft in enumerate(drafts):
            place = None if index is None else index + offset
            made.append(self._insert(above, draft, place, now, user))
        return made

    def _insert(self, above: Node, draft: Draft, index: int | None, now: float, user: str) -> Block:
        block = Block(
            self._ids.make("block", now),
            ("page_id" if isinstance(above, Page) else "block_id", above.id),
            now, user, now, user,
            type=draft.type,
            content=draft.content,
        )  # fmt: skip
        self._store.attach(block, index)
        self.insert(block, draft.children, None, now, user)
        return block

    def place(self, above: Node, body: JSON, *, legacy: bool) -> int | None:
        """Return where an append goes: by `position`, or by `after` in the older version."""
        if legacy and body.get("after") is not None:
            return self._after(above, require_uuid(body["after"], "after"))
        position = body.get("position")
        if position is None:
            return None
        given = require_dict(position, "position")
        kind = require_choice(
            given.get("type", MISSING), "position.type", ("start", "end", "after_block")
        )
        if kind != "after_block":
            return 0 if kind == "start" else None
        target = require_dict(given.get("after_block", MISSING), "position.after_block")
        return self._after(
            above, require_uuid(target.get("id", MISSING), "position.after_block.id")
        )

    def _after(self, above: Node, identifier: str) -> int:
        if identifier not in above.children:
            raise invalid(f"Block with ID {identifier} is not a child of {above.id}.")
        return above.children.index(identifier) + 1

    def require_parent(self, above: Node) -> None:
        """Refuse to append to what cannot hold blocks."""
        require_live(self._store, above)
        if isinstance(above, Page):
            return
        if isinstance(above, Database) or not isinstance(above, Block):
            raise invalid("Cannot append blocks to a database.")
        plain_heading = above.type in HEADINGS and not above.content.get("is_toggleable")
        if above.type not in PARENTS or plain_heading:
            raise invalid(f"Block type {above.type} does not support children.")

    def update(self, block: Block, body: JSON) -> None:
        """Change a block's content as an update request asks."""
        given = {
            key: value
            for key, value in body.items()
            if key not in ("in_trash", "archived", "object", "type")
        }
        if not given:
            return
        if block.type not in TYPES:  # only people make such blocks
            raise fix_one([f"body.{name}" for name in TYPES])
        if block.type not in given:
            name = next(iter(given))
            raise bad(name, "be not present", given[name])
        content = require_dict(given[block.type], block.type)
        if "children" in content:
            raise bad(f"{block.type}.children", "be not present", content["children"])
        block.content = self._kinds.update(block.type, block.content, content, block.type)

    def copy(
        self, source: Node, target: Node, now: float, user: str, settle: Callable[[JSON], JSON]
    ) -> None:
        """Copy the blocks under one node to another (for templates), their content settled."""
        for child in self._store.children(source):
            if isinstance(child, Block):
                draft = Draft(child.type, settle(child.content))
                made = self._insert(target, draft, None, now, user)
                self.copy(child, made, now, user, settle)


def require_live(store: Store, node: Node, *, restoring: bool = False) -> None:
    """Refuse to change what lies in the trash, itself (unless it is taken out) or with its parent."""
    if node.in_trash and not restoring:
        raise invalid(ARCHIVED)
    above = store.above(node)
    if above is not None and store.is_trashed(above):
        raise invalid(ANCESTOR)


def count(draft: Draft) -> int:
    """Return how many blocks a draft makes."""
    return 1 + sum(count(child) for child in draft.children)


def block_type(given: JSON, where: str) -> str:
    """Return the type of a block in a request."""
    kind = given.get("type") or next((name for name in TYPES if name in given), None)
    if isinstance(kind, str) and kind in TYPES:
        return kind
    raise fix_one([f"body.{where}.{name}" for name in TYPES])


def _check_shape(draft: Draft, where: str) -> None:
    """Check what some types demand of their children."""
    kinds = {child.type for child in draft.children}
    if draft.type == "table":
        _check_rows(draft, where)
    elif draft.type == "column_list":
        if kinds - {"column"}:
            raise invalid(f"body failed validation: body.{where} should hold only columns.")
        if len(draft.children) < 2:  # noqa: PLR2004 - one column is no column list
            raise bad(f"{where}.length", "be ≥ `2`", len(draft.children))


def _check_rows(draft: Draft, where: str) -> None:
    if not draft.children:
        raise bad(f"{where}.length", "be ≥ `1`", 0)
    width = draft.content["table_width"]
    for index, row in enumerate(draft.children):
        if row.type != "table_row":
            raise bad(f"{where}[{index}].table_row", "be defined", MISSING)
        if len(row.content["cells"]) != width:
            raise invalid(
                "Number of cells in table row must match the table width of the parent table."
            )
