"""A page as Markdown, and changes to it by Markdown that keep the blocks they do not touch."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

from syncd.sandbox.notion.app import App
from syncd.sandbox.notion.blockkinds import TYPES
from syncd.sandbox.notion.blocks import Draft
from syncd.sandbox.notion.checks import (
    only,
    require_bool,
    require_choice,
    require_dict,
    require_list,
    require_text,
)
from syncd.sandbox.notion.errors import MISSING, invalid
from syncd.sandbox.notion.ids import plain
from syncd.sandbox.notion.mdread import REFERENCE, parse
from syncd.sandbox.notion.mdwrite import Writer
from syncd.sandbox.notion.richtext import mention_address
from syncd.sandbox.notion.store import Block, Database, Node, Page

JSON = dict[str, Any]
UNKNOWN = (
    "bookmark",
    "embed",
    "link_to_page",
    "breadcrumb",
    "template",
    "tab",
)
KINDS = ("insert_content", "replace_content_range", "update_content", "replace_content")


class Document:
    """The Markdown of one page or block."""

    def __init__(self, app: App, node: Node) -> None:
        self._app = app
        self._node = node
        self.unknown: list[str] = []
        self._writer = Writer(self._below, self._other)
        self._drafts = Writer(lambda draft: draft.children, _draft_line)
        self._nodes = app.store.children(node)

    def _below(self, block: Node) -> list[Node]:
        return self._app.store.children(self._app.shapes.origin(block))

    def _other(self, node: Node) -> str | None:
        """Return the line of a page, database or block Markdown has no words for."""
        if isinstance(node, Page | Database):
            tag = "page" if isinstance(node, Page) else "database"
            title = self._app.shapes.title(node)
            return f'<{tag} url="{mention_address(node.id)}">{title}</{tag}>'
        if isinstance(node, Block) and (node.type in UNKNOWN or node.type not in TYPES):
            if node.id not in self.unknown:
                self.unknown.append(node.id)
            url = f"{mention_address(self._node.id)}#{plain(node.id)}"
            return f'<unknown url="{url}" alt="{node.type}"/>'
        return None

    def text(self) -> str:
        """Return the Markdown."""
        lines = [line for lines in self._writer.siblings(self._nodes) for line in lines]
        return "\n".join(lines)

    def replace(self, text: str, now: float, user: str, *, allow_deleting: bool) -> None:
        """Make the page say `text`: blocks whose Markdown stays the same stay themselves."""
        drafts = parse(text, self._app.shapes.mention)
        old = [_numberless(lines) for lines in self._writer.siblings(self._nodes)]
        new = [_numberless(lines) for lines in self._drafts.siblings(drafts)]
        steps = SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
        gone = [
            node
            for step, low, high, _, _ in steps
            if step != "equal"
            for node in self._nodes[low:high]
        ]
        kept = {draft.content["id"] for draft in drafts if draft.type == REFERENCE}
        gone = [node for node in gone if node.id not in kept]
        self._check_references(drafts)
        if not allow_deleting:
            _refuse_deleting(gone)
        for node in gone:
            node.in_trash = True
            node.edited, node.edited_by = now, user
        self._insert(steps, drafts, now, user)

    def _check_references(self, drafts: list[Draft]) -> None:
        known = {node.id for node in self._nodes}
        for draft in drafts:
            if draft.type == REFERENCE and draft.content["id"] not in known:
                raise invalid(
                    "Markdown refers to a page, database or block that is not in this page: "
                    f"{draft.content['line']}"
                )

    def _insert(self, steps: list[Any], drafts: list[Draft], now: float, user: str) -> None:
        """Insert new blocks at their places, working backwards so that places stay right."""
        children = self._node.children
        for step, low, _high, start, end in reversed(steps):
            if step in ("equal", "delete"):
                continue
            index = children.index(self._nodes[low].id) if low < len(self._nodes) else len(children)
            for draft in reversed(drafts[start:end]):
                index = min(index, len(children))
                if draft.type == REFERENCE:
                    index = self._move(draft.content["id"], index)
                else:
                    self._app.trees.insert(self._node, [draft], index, now, user)

    def _move(self, identifier: str, index: int) -> int:
        children = self._node.children
        at = children.index(identifier)
        del children[at]
        index -= at < index
        children.insert(index, identifier)
        return index


def _numberless(lines: list[str]) -> str:
    """Return a block's Markdown without the number of a numbered item, which its place gives."""
    first = lines[0]
    head, dot, rest = first.partition(". ")
    if dot and head.isdigit():
        first = f"0. {rest}"
    return "\n".join([first, *lines[1:]])


def _draft_line(draft: Draft) -> str | None:
    return str(draft.content["line"]) if draft.type == REFERENCE else None


def _refuse_deleting(nodes: list[Node]) -> None:
    held = [node for node in nodes if isinstance(node, Page | Database)]
    if held:
        raise invalid(
            "This operation would delete child pages or databases: "
            f"{', '.join(node.id for node in held)}. "
            "Set allow_deleting_content to true to allow it."
        )


def edited(text: str, body: JSON) -> tuple[str, bool]:
    """Return the Markdown after an update request, and whether it may delete pages in it."""
    kind = require_choice(body.get("type", MISSING), "type", KINDS)
    only(body, ("type", kind, "allow_async"))
    given = require_dict(body.get(kind, MISSING), kind)
    change = {
        "insert_content": _insert_content,
        "replace_content_range": _replace_range,
        "update_content": _update_content,
        "replace_content": _replace_content,
    }[kind]
    allow = require_bool(
        given.get("allow_deleting_content", False), f"{kind}.allow_deleting_content"
    )
    return change(text, given), allow


def _replace_content(_text: str, given: JSON) -> str:
    return require_text(given.get("new_str", MISSING), "replace_content.new_str")


def _insert_content(text: str, given: JSON) -> str:
    content = require_text(given.get("content", MISSING), "insert_content.content")
    position = given.get("position")
    if position is not None:
        kind = require_dict(position, "insert_content.position").get("type", MISSING)
        require_choice(kind, "insert_content.position.type", ("start", "end"))
        if kind == "start":
            return _joined(content, text)
    if given.get("after") is None:
        return _joined(text, content)
    _start, end = find_range(text, require_text(given["after"], "insert_content.after"))
    line_end = text.find("\n", end - 1 if text[end - 1 : end] == "\n" else end)
    line_end = len(text) if line_end < 0 else line_end
    return _joined(_joined(text[:line_end], content), text[line_end:])


def _replace_range(text: str, given: JSON) -> str:
    content = require_text(given.get("content", MISSING), "replace_content_range.content")
    wanted = require_text(
        given.get("content_range", MISSING), "replace_content_range.content_range"
    )
    start, end = find_range(text, wanted)
    return text[:start] + content + text[end:]


def _update_content(text: str, given: JSON) -> str:
    updates = require_list(given.get("content_updates", MISSING), "update_content.content_updates")
    for index, item in enumerate(updates):
        where = f"update_content.content_updates[{index}]"
        update = require_dict(item, where)
        old = require_text(update.get("old_str", MISSING), f"{where}.old_str")
        new = require_text(update.get("new_str", MISSING), f"{where}.new_str")
        text = _substitute(text, old, new, every=bool(update.get("replace_all_matches")))
    return text


def _substitute(text: str, old: str, new: str, *, every: bool) -> str:
    count = text.count(old) if old else 0
    if not count:
        raise invalid(f'Could not find the string to replace in the page content: "{old}"')
    if count > 1 and not every:
        raise invalid(
            f'Found {count} matches of the string to replace: "{old}". '
            "Set replace_all_matches to true to replace all of them, or give more context."
        )
    return text.replace(old, new)


def find_range(text: str, wanted: str) -> tuple[int, int]:
    """Return where a selection lies: exact text, or `start...end`."""
    start = text.find(wanted)
    if start < 0 and wanted.endswith("\n"):
        wanted = wanted.rstrip("\n")
        start = text.find(wanted)
    if start >= 0 and wanted:
        return start, start + len(wanted)
    first, dots, last = wanted.partition("...")
    start = text.find(first) if dots and first else -1
    end = text.find(last, start + len(first)) if start >= 0 else -1
    if end < 0:
        raise invalid(f'Could not find the selection in the page content: "{wanted}"')
    return start, end + len(last)


def _joined(one: str, other: str) -> str:
    one, other = one.rstrip("\n"), other.lstrip("\n")
    return f"{one}\n{other}" if one and other else one or other


__all__ = ["Document", "edited", "find_range", "parse"]
