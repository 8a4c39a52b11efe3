"""Jira's rich text (Atlassian Document Format, version 1) read into a neutral document. Pure.

What has no neutral form (panels, mentions, media, colours, cell spans, headings below level 3, ...)
keeps its text where it has one, and the document is reported as opaque, so that nobody overwrites
it. `adapters.jira.adf_write` is the other direction.
Source: the published JSON schema of the format (@atlaskit/adf-schema, "full").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from adapters.text import (
    Block,
    Break,
    BulletList,
    Code,
    Divider,
    Doc,
    Heading,
    Inline,
    Link,
    ListItem,
    Mark,
    Opaque,
    OrderedList,
    Paragraph,
    Quote,
    Table,
    Text,
    TodoItem,
    has_opaque,
)

Node = Mapping[str, Any]

_DEEPEST = 40  # blocks inside blocks; what is deeper is read as plain text
_LOWEST_HEADING = 3
_MARKS = {"strong": Mark.BOLD, "em": Mark.ITALIC, "strike": Mark.STRIKE, "code": Mark.CODE}
_LINE_ENDS = frozenset(
    ("paragraph", "heading", "codeBlock", "hardBreak", "taskItem", "caption", "tableRow", "rule")
)


def read_adf(document: Node | None) -> tuple[Doc, bool]:
    """Return the neutral document, and whether the original holds more than that can express."""
    reader = _Reader()
    doc = Doc(tuple(reader.blocks(_content(document), 0))) if document else Doc()
    return doc, reader.lossy or has_opaque(doc)


class _Reader:
    """Reads one document; `lossy` is set when something was kept without its looks."""

    def __init__(self) -> None:
        self.lossy = False
        self._readers: dict[str, Callable[[Node, int], Block]] = {
            "paragraph": self._paragraph,
            "heading": self._heading,
            "bulletList": self._bullets,
            "orderedList": self._numbers,
            "codeBlock": self._code,
            "blockquote": self._quote,
            "rule": lambda node, depth: Divider(),  # noqa: ARG005 - the shape of all readers
            "table": self._table,
        }

    def blocks(self, nodes: Iterable[Node], depth: int) -> Iterator[Block]:
        """Yield the blocks of a list of block nodes."""
        for node in nodes:
            kind = node.get("type")
            if kind == "taskList":
                yield from self._tasks(node, depth)
            elif kind in self._readers and depth < _DEEPEST:
                self._note(bool(node.get("marks")))  # alignment, indentation, width
                yield self._readers[kind](node, depth + 1)
            else:
                yield Opaque(_text(node))

    def _note(self, is_loss: bool) -> None:  # noqa: FBT001 - one flag is all it takes
        self.lossy = self.lossy or is_loss

    def _paragraph(self, node: Node, depth: int) -> Block:
        del depth
        return Paragraph(self._line(node))

    def _heading(self, node: Node, depth: int) -> Block:
        del depth
        level = _attr(node, "level", 1)
        self._note(level > _LOWEST_HEADING)
        line = self._line(node)
        self._note(any(isinstance(inline, Break) for inline in line))
        return Heading(min(level, _LOWEST_HEADING), line)

    def _bullets(self, node: Node, depth: int) -> Block:
        return BulletList(self._items(node, depth))

    def _numbers(self, node: Node, depth: int) -> Block:
        self._note(_attr(node, "order", 1) != 1)
        return OrderedList(self._items(node, depth))

    def _items(self, node: Node, depth: int) -> tuple[ListItem, ...]:
        return tuple(ListItem(tuple(self.blocks(_content(i), depth))) for i in _content(node))

    def _quote(self, node: Node, depth: int) -> Block:
        return Quote(tuple(self.blocks(_content(node), depth)))

    def _code(self, node: Node, depth: int) -> Block:
        del depth
        return Code(str(_attr(node, "language", "") or ""), _text(node))

    def _tasks(self, node: Node, depth: int) -> Iterator[Block]:
        """Yield the items of a task list; a list inside it belongs to the item before."""
        last: TodoItem | None = None
        for child in _content(node):
            if child.get("type") == "taskList" and last is not None and depth < _DEEPEST:
                nested = tuple(self._tasks(child, depth + 1))
                last = TodoItem(last.checked, (*last.blocks, *nested))
                continue
            if last is not None:
                yield last
            last = self._task(child)
            if last is None:
                yield Opaque(_text(child))
        if last is not None:
            yield last

    def _task(self, node: Node) -> TodoItem | None:
        if node.get("type") != "taskItem":
            return None
        return TodoItem(_attr(node, "state", "TODO") == "DONE", (Paragraph(self._line(node)),))

    def _table(self, node: Node, depth: int) -> Block:
        del depth
        self._note(bool(_attr(node, "isNumberColumnEnabled", default=False)))
        rows = _content(node)
        for number, row in enumerate(rows):
            wanted = "tableHeader" if number == 0 else "tableCell"
            self._note(any(cell.get("type") != wanted for cell in _content(row)))
        return Table(tuple(tuple(self._cell(cell) for cell in _content(row)) for row in rows))

    def _cell(self, node: Node) -> tuple[Inline, ...]:
        attrs = node.get("attrs") or {}
        spans = {attrs.get("colspan") or 1, attrs.get("rowspan") or 1} != {1}
        self._note(spans or bool(attrs.get("background")))
        content = _content(node)
        if len(content) == 1 and content[0].get("type") == "paragraph":
            self._note(bool(content[0].get("marks")))
            return self._line(content[0])
        return (Opaque(_text(node)),) if content else ()

    def _line(self, node: Node) -> tuple[Inline, ...]:
        return tuple(self._inline(child) for child in _content(node))

    def _inline(self, node: Node) -> Inline:
        kind = node.get("type")
        if kind == "text":
            return self._run(node)
        if kind == "hardBreak":
            return Break()
        shown = _own_text(node)
        if kind == "emoji" and shown and not shown.startswith(":"):
            return Text(shown)  # a standard one: the character says it all
        return Opaque(_text(node))

    def _run(self, node: Node) -> Inline:
        text = str(node.get("text") or "")
        if "marks" not in node:  # most of all text, so it shall be cheap
            return Text(text)
        marks: set[Mark] = set()
        href = ""
        for mark in node["marks"] or ():
            kind = mark.get("type")
            if kind in _MARKS:
                marks.add(_MARKS[kind])
            elif kind == "link":
                href = str(_attr(mark, "href", ""))
            else:
                self.lossy = True
        run = Text(text, frozenset(marks))
        return Link(href, (run,)) if href else run


def _content(node: Node | None) -> list[Node]:
    content = node.get("content") if node else None
    return [c for c in content if isinstance(c, dict)] if isinstance(content, list) else []


def _attr(node: Node, name: str, default: Any) -> Any:  # noqa: ANN401 - attributes are any JSON
    attrs = node.get("attrs") or {}
    return attrs.get(name, default)


def _own_text(node: Node) -> str:
    """Return the text a node without content shows: of a mention, a date, a card, an emoji."""
    attrs = node.get("attrs") or {}
    shown = (attrs.get(key) for key in ("text", "shortName", "url", "alt", "timestamp", "title"))
    return next((str(text) for text in shown if text), "")


def _text(node: Node) -> str:
    """Return all text below a node, without recursion (documents may nest without end)."""
    parts: list[str] = []
    waiting: list[Node | str] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            parts.append(part)
            continue
        parts.append(str(part["text"]) if part.get("type") == "text" else _own_text(part))
        if part.get("type") in _LINE_ENDS:
            waiting.append("\n")
        waiting += reversed(_content(part))
    return "".join(parts).strip("\n")
