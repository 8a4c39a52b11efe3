"""Asana's rich text (`html_notes`) to neutral text and back. Pure.

A value is an XML fragment `<body>...</body>` in which new lines count: one is a line break, two
begin a paragraph. Tags that have a neutral form: strong, em, s, code, a, h1, h2, ul, ol, li,
blockquote, pre, hr, table. Everything else (underlining, mentions, images, unknown attributes)
is opaque. Source: Asana's documentation of rich text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

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
    normal_inlines,
    normalise,
    plain,
)

_MARKS = {"strong": Mark.BOLD, "em": Mark.ITALIC, "s": Mark.STRIKE, "code": Mark.CODE}
_TAGS = {mark: tag for tag, mark in _MARKS.items()}
_BLOCKS = frozenset({"h1", "h2", "ul", "ol", "blockquote", "pre", "hr", "table"})
_TICKS = {"\u2610": False, "\u2611": True}  # how a to-do is written as an entry of a list
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_DEPTH = 100

_Marks = frozenset[Mark]


def read_html(html: str) -> Doc:
    """Return the document a fragment holds; one that cannot be read is opaque as a whole."""
    root = _parse(html)
    if root is None or _depth(root) > _MAX_DEPTH:
        text = re.sub(r"<[^>]*>", "", html)
        return Doc((Opaque(text),)) if html.strip() else Doc()
    return Doc(tuple(_blocks(root)))


def _parse(html: str) -> ET.Element | None:
    """Parse, unless it declares a document type: that is how entity bombs begin."""
    if "<!" in html:
        return None
    try:
        root = ET.fromstring(html)  # noqa: S314 - no declarations, so no entities to expand
    except ET.ParseError:
        return None
    return root if root.tag == "body" and not root.attrib else None


def _depth(root: ET.Element) -> int:
    depth, level = 0, [root]
    while level and depth <= _MAX_DEPTH:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


# reading ----------------------------------------------------------------------------------------


def _blocks(parent: ET.Element) -> list[Block]:
    """Read what stands inside an element: runs of inlines, cut into paragraphs, and blocks."""
    result: list[Block] = []
    line: list[Inline] = [Text(parent.text or "")]
    for child in parent:
        if child.tag in _BLOCKS:
            result.extend(_paragraphs(line))
            result.extend(_block(child))
            line = []
        else:
            line.extend(_inlines(child, frozenset()))
        line.append(Text(child.tail or ""))
    result.extend(_paragraphs(line))
    return result


def _paragraphs(line: Iterable[Inline]) -> list[Block]:
    """Cut a run of inlines at its blank lines."""
    result: list[Block] = []
    for blank, lines in groupby(_lines(line), _is_blank):
        if not blank:
            children = [inline for each in lines for inline in (*each, Break())]
            result.append(Paragraph(tuple(children[:-1])))
    return result


def _lines(line: Iterable[Inline]) -> list[list[Inline]]:
    """Cut a run of inlines at the new lines in its texts."""
    lines: list[list[Inline]] = [[]]
    for inline in line:
        if not isinstance(inline, Text):
            lines[-1].append(inline)
            continue
        first, *rest = inline.text.replace("\r\n", "\n").split("\n")
        lines[-1].append(Text(first, inline.marks))
        lines.extend([Text(part, inline.marks)] for part in rest)
    return lines


def _is_blank(line: Iterable[Inline]) -> bool:
    return all(isinstance(inline, Text) and not inline.text.strip(" \t") for inline in line)


def _block(element: ET.Element) -> list[Block]:
    if element.attrib:
        return [_opaque(element)]
    read: dict[str, Callable[[ET.Element], Block]] = {
        "h1": lambda e: Heading(1, _line(e)),
        "h2": lambda e: Heading(2, _line(e)),
        "blockquote": lambda e: Quote(tuple(_blocks(e))),
        "pre": _code,
        "hr": lambda _: Divider(),
        "table": _table,
    }
    if element.tag in {"ul", "ol"}:
        return _list(element)
    return [read[element.tag](element)]


def _has_text(element: ET.Element) -> bool:
    """Tell whether there is text directly inside, where only elements belong."""
    texts = [element.text, *(child.tail for child in element)]
    return any(text and text.strip() for text in texts)


def _line(element: ET.Element) -> tuple[Inline, ...]:
    result: list[Inline] = [Text(element.text or "")]
    for child in element:
        result.extend(_inlines(child, frozenset()))
        result.append(Text(child.tail or ""))
    return tuple(result)


def _code(element: ET.Element) -> Block:
    return _opaque(element) if len(element) else Code("", element.text or "")


def _table(element: ET.Element) -> Block:
    cells = [cell for row in element for cell in row]
    simple = all(row.tag == "tr" and not row.attrib and not _has_text(row) for row in element)
    simple = simple and not _has_text(element)
    if not simple or any(cell.tag != "td" or cell.attrib for cell in cells):
        return _opaque(element)
    return Table(tuple(tuple(_line(cell) for cell in row) for row in element))


def _list(element: ET.Element) -> list[Block]:
    if any(child.tag != "li" or child.attrib for child in element) or _has_text(element):
        return [_opaque(element)]
    items = [_item(child) for child in element]
    if element.tag == "ol":
        return [OrderedList(tuple(ListItem(item) for item in items))]
    result: list[Block] = []
    for ticked, group in groupby(items, lambda item: _tick(item) is not None):
        if ticked:
            result.extend(_todo(item) for item in group)
        else:
            result.append(BulletList(tuple(ListItem(item) for item in group)))
    return result


def _item(element: ET.Element) -> tuple[Block, ...]:
    return tuple(_blocks(element))


def _tick(item: Sequence[Block]) -> str | None:
    """Return the tick box an entry of a list begins with, if it does."""
    first = item[0] if item else None
    box = first.children[0] if isinstance(first, Paragraph) else None
    if not isinstance(box, Text):
        return None
    return box.text[0] if box.text[:1] in _TICKS and box.text[1:2] == " " else None


def _todo(item: tuple[Block, ...]) -> TodoItem:
    first, *rest = item
    assert isinstance(first, Paragraph)  # noqa: S101 - `_tick` has seen it
    box, *others = first.children
    assert isinstance(box, Text)  # noqa: S101 - likewise
    line = (Text(box.text[2:], box.marks), *others)
    return TodoItem(_TICKS[box.text[0]], (Paragraph(line), *rest))


def _inlines(element: ET.Element, marks: _Marks) -> list[Inline]:
    if element.tag == "a" and element.attrib.keys() == {"href"}:
        return [_link(element, marks)]
    mark = _MARKS.get(element.tag)
    if mark is None or element.attrib:
        return [_opaque(element)]
    marks |= {mark}
    result: list[Inline] = [Text(element.text or "", marks)]
    for child in element:
        result.extend(_inlines(child, marks))
        result.append(Text(child.tail or "", marks))
    return result


def _link(element: ET.Element, marks: _Marks) -> Link:
    children: list[Inline] = [Text(element.text or "", marks)]
    for child in element:
        children.extend(_inlines(child, marks))
        children.append(Text(child.tail or "", marks))
    return Link(element.attrib["href"], tuple(c for c in children if not isinstance(c, Link)))


def _opaque(element: ET.Element) -> Opaque:
    return Opaque("".join(element.itertext()) or element.attrib.get("href", ""))


# writing ----------------------------------------------------------------------------------------


def write_html(doc: Doc) -> str:
    """Return the fragment to send. What Asana has no form for is written in its plainest form."""
    return f"<body>{_write_blocks(normalise(doc).blocks)}</body>"


def _write_blocks(blocks: Sequence[Block]) -> str:
    """Write blocks; only between two paragraphs a blank line has to be said."""
    out: list[str] = []
    for key, group in groupby(blocks, _kind):
        out.append(_write_group(key, list(group)))
    return "".join(out)


def _kind(block: Block) -> type[Block]:
    return Paragraph if isinstance(block, (Table, Opaque)) else type(block)


def _write_group(kind: type[Block], blocks: Sequence[Block]) -> str:
    if kind is Paragraph:
        return "\n\n".join(_write_paragraph(block) for block in blocks)
    if kind is TodoItem:
        return f"<ul>{''.join(_write_todo(b) for b in blocks if isinstance(b, TodoItem))}</ul>"
    return "".join(_write_block(block) for block in blocks)


def _write_paragraph(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _write_line(block.children)
    if isinstance(block, Table):  # only project briefs can hold one
        return "\n".join(" | ".join(_write_line(cell) for cell in row) for row in block.rows)
    return _text(plain(Doc((block,))))


def _write_block(block: Block) -> str:
    match block:
        case Heading():
            tag = f"h{min(block.level, 2)}"
            return f"<{tag}>{_write_line(block.children)}</{tag}>"
        case BulletList():
            return f"<ul>{''.join(_write_item(item.blocks) for item in block.items)}</ul>"
        case OrderedList():
            return f"<ol>{''.join(_write_item(item.blocks) for item in block.items)}</ol>"
        case Quote():
            return f"<blockquote>{_write_inner(block.blocks)}</blockquote>"
        case Code():
            return f"<pre>{_text(block.text)}</pre>"
        case _:
            return "<hr/>"


def _write_item(blocks: Sequence[Block], box: str = "") -> str:
    return f"<li>{box}{_write_inner(blocks)}</li>"


def _write_todo(block: TodoItem) -> str:
    box = next(box for box, ticked in _TICKS.items() if ticked == block.checked)
    return _write_item(block.blocks, f"{box} ")


def _write_inner(blocks: Sequence[Block]) -> str:
    """Write what stands in an entry or a quotation: lines and lists, for Asana takes no more."""
    lists = (BulletList, OrderedList, TodoItem)
    flat = [block if isinstance(block, lists) else _as_paragraph(block) for block in blocks]
    return _write_blocks(flat)


def _as_paragraph(block: Block) -> Block:
    if isinstance(block, (Paragraph, Heading)):
        return Paragraph(block.children)
    if isinstance(block, Table):
        return block
    return Paragraph(normal_inlines((Text(plain(Doc((block,)))),)))


def _write_line(inlines: Iterable[Inline]) -> str:
    return "".join(_write_inline(inline) for inline in inlines)


def _write_inline(inline: Inline) -> str:
    match inline:
        case Break():
            return "\n"
        case Link():
            return f"<a href={quoteattr(_legal(inline.href))}>{_write_line(inline.children)}</a>"
        case Text():
            written = _text(inline.text)
            for mark in reversed(Mark):
                if mark in inline.marks:
                    written = f"<{_TAGS[mark]}>{written}</{_TAGS[mark]}>"
            return written
        case _:
            return _text(inline.text)


def _text(text: str) -> str:
    return escape(_legal(text))


def _legal(text: str) -> str:
    """Leave out what XML cannot hold."""
    return _NOT_XML.sub("", text)
