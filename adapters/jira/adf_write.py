"""A neutral document written as Jira's rich text (Atlassian Document Format, version 1). Pure.

Where the format does not let a block stand inside another (a heading in a list, a table in a
quote), the nearest form that is allowed is written; `adapters.jira.translate.normal` says what a
text looks like after that.
Source: the published JSON schema of the format (@atlaskit/adf-schema, "full").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, groupby
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
    Mark,
    Opaque,
    OrderedList,
    Paragraph,
    Quote,
    Table,
    Text,
    TodoItem,
    normalise,
    plain,
)

Node = dict[str, Any]

_MARKS = {Mark.BOLD: "strong", Mark.ITALIC: "em", Mark.STRIKE: "strike"}


def write_adf(doc: Doc) -> Node | None:
    """Return the document as JSON; None when it is empty."""
    blocks = list(_Writer().top(normalise(doc).blocks))
    return {"type": "doc", "version": 1, "content": blocks} if blocks else None


class _Writer:
    """Writes one document; task items need ids that are unique in it."""

    def __init__(self) -> None:
        self._ids = count(1)

    def top(self, blocks: Iterable[Block]) -> Iterator[Node]:
        """Yield the nodes of blocks that stand directly in the document."""
        for is_task, group in groupby(blocks, lambda block: isinstance(block, TodoItem)):
            if is_task:
                yield self._tasks([block for block in group if isinstance(block, TodoItem)])
            else:
                for block in group:
                    yield from self._block(block)

    def _block(self, block: Block) -> Iterator[Node]:
        match block:
            case Heading():
                yield {
                    "type": "heading",
                    "attrs": {"level": block.level},
                    "content": _line(block.children),
                }
            case Quote():
                yield {"type": "blockquote", "content": list(self._inside(block.blocks))}
            case Divider():
                yield {"type": "rule"}
            case Table():
                yield _table(block)
            case _:
                yield from self._inside((block,))

    def _inside(self, blocks: Iterable[Block]) -> Iterator[Node]:
        """Yield the nodes of blocks inside a list item or a quote, where less is allowed."""
        for block in blocks:
            match block:
                case Paragraph() | Heading():
                    yield _paragraph(block.children)
                case BulletList():
                    yield {"type": "bulletList", "content": self._items(block)}
                case OrderedList():
                    yield {"type": "orderedList", "content": self._items(block)}
                case Code():
                    yield _code(block)
                case Quote():
                    yield from self._inside(block.blocks)
                case _:
                    yield from _as_text(block)

    def _items(self, block: BulletList | OrderedList) -> list[Node]:
        return [
            {"type": "listItem", "content": _item_content(list(self._inside(item.blocks)))}
            for item in block.items
        ]

    def _tasks(self, items: Iterable[TodoItem]) -> Node:
        content: list[Node] = []
        for item in items:
            nested = [block for block in item.blocks if isinstance(block, TodoItem)]
            state = "DONE" if item.checked else "TODO"
            content.append(
                {
                    "type": "taskItem",
                    "attrs": {"localId": self._id(), "state": state},
                    "content": _one_line(item),
                }
            )
            if nested:
                content.append(self._tasks(nested))
        return {"type": "taskList", "attrs": {"localId": self._id()}, "content": content}

    def _id(self) -> str:
        return f"syncd-{next(self._ids)}"


def _item_content(nodes: list[Node]) -> list[Node]:
    """Put an empty paragraph before a nested list: an item may not begin with one."""
    starts_with_list = bool(nodes) and nodes[0]["type"] in {"bulletList", "orderedList"}
    return [_paragraph(()), *nodes] if starts_with_list or not nodes else nodes


def _one_line(item: TodoItem) -> list[Node]:
    """Return a task's blocks as one run of inlines: a task item takes nothing else."""
    line: list[Inline] = []
    for block in item.blocks:
        if isinstance(block, TodoItem):
            continue
        if line:
            line.append(Break())
        line += block.children if isinstance(block, Paragraph) else _lines(plain(Doc((block,))))
    return _line(line)


def _as_text(block: Block) -> Iterator[Node]:
    if isinstance(block, Divider):
        return
    sign = ("☑ " if block.checked else "☐ ") if isinstance(block, TodoItem) else ""
    text = block.text if isinstance(block, Opaque) else plain(Doc((block,)))
    yield _paragraph(tuple(_lines(sign + text)))


def _lines(text: str) -> list[Inline]:
    line: list[Inline] = []
    for part in text.split("\n"):
        line += [Break(), Text(part)] if line else [Text(part)]
    return line


def _paragraph(children: Iterable[Inline]) -> Node:
    return {"type": "paragraph", "content": _line(children)}


def _code(block: Code) -> Node:
    node: Node = {"type": "codeBlock", "content": [{"type": "text", "text": block.text}]}
    if block.language:
        node["attrs"] = {"language": block.language}
    return node


def _table(block: Table) -> Node:
    return {
        "type": "table",
        "content": [
            {
                "type": "tableRow",
                "content": [
                    {
                        "type": "tableHeader" if number == 0 else "tableCell",
                        "attrs": {},
                        "content": [_paragraph(cell)],
                    }
                    for cell in row
                ],
            }
            for number, row in enumerate(block.rows)
        ],
    }


def _line(children: Iterable[Inline]) -> list[Node]:
    return [node for child in children for node in _inline(child)]


def _inline(inline: Inline) -> Iterator[Node]:
    match inline:
        case Break():
            yield {"type": "hardBreak"}
        case Link():
            link = {"type": "link", "attrs": {"href": inline.href}}
            for node in _line(inline.children):
                yield {**node, "marks": [link, *node.get("marks", ())]}
        case Text():
            yield from _run(inline.text, inline.marks)
        case Opaque():
            yield from _run(inline.text, frozenset())


def _run(text: str, marks: frozenset[Mark]) -> Iterator[Node]:
    if not text:
        return
    node: Node = {"type": "text", "text": text}
    if Mark.CODE in marks:  # the format lets code be nothing else
        node["marks"] = [{"type": "code"}]
    elif marks:
        node["marks"] = [{"type": name} for mark, name in _MARKS.items() if mark in marks]
    yield node
