"""A document in its canonical Markdown spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.text.normal import normal_inlines, normalise
from adapters.text.syntax import DELIMITERS, ORDERED, starts_block
from adapters.text.tree import (
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
    OrderedList,
    Paragraph,
    Quote,
    Table,
    Text,
    TodoItem,
)

_SPECIAL = re.compile(r"[\\`*_\[\]]|<(?=br>)|~(?=~)|(?<=~)~|\A~|~\Z")
_MARK_ORDER = tuple(DELIMITERS)


def render_markdown(doc: Doc) -> str:
    """Return the canonical Markdown of a document, without a line break at its end."""
    return _blocks(normalise(doc).blocks, tight=False)


def render_inlines(inlines: Sequence[Inline]) -> str:
    """Return the canonical Markdown of one line; its breaks show as a backslash and a new line."""
    return _line(normal_inlines(inlines), "\\\n")


# blocks -----------------------------------------------------------------------------------------


def _blocks(blocks: Sequence[Block], *, tight: bool) -> str:
    """Join blocks; `tight` (inside a list) puts a list right below its paragraph."""
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            parts.append("\n" if _touches(blocks[number - 1], block, tight=tight) else "\n\n")
        parts.append(_block(block))
    return "".join(parts)


def _touches(above: Block, below: Block, *, tight: bool) -> bool:
    if isinstance(below, TodoItem) and isinstance(above, TodoItem):
        return True
    listed = isinstance(below, (BulletList, OrderedList, TodoItem))
    return tight and listed and isinstance(above, Paragraph)


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            return _paragraph(block)
        case Heading():
            return f"{'#' * block.level} {_line(block.children, ' ')}"
        case Code():
            return _code(block)
        case Divider():
            return "---"
        case Table():
            return _table(block)
        case _:
            return _container(block)


def _container(block: Block) -> str:
    match block:
        case BulletList():
            return "\n".join(_item("- ", "  ", item) for item in block.items)
        case OrderedList():
            return "\n".join(_numbered(n, item) for n, item in enumerate(block.items, 1))
        case TodoItem():
            return _item(f"- [{'x' if block.checked else ' '}] ", "  ", block)
        case Quote():
            return _quote(block)
        case _:
            return ""  # opaque blocks are paragraphs in the normal form


def _paragraph(block: Paragraph) -> str:
    lines = _line(block.children, "\\\n").split("\n")
    return "\n".join(_escape_start(line) for line in lines)


def _escape_start(line: str) -> str:
    """Keep a line of a paragraph from being read as a heading, a list and so on."""
    if not starts_block(line):
        return line
    if ORDERED.match(line):
        return re.sub(r"([.)])", r"\\\1", line, count=1)
    return "\\" + line


def _numbered(number: int, item: ListItem) -> str:
    marker = f"{number}. "
    return _item(marker, " " * len(marker), item)


def _item(marker: str, indent: str, item: ListItem | TodoItem) -> str:
    first, *rest = _blocks(item.blocks, tight=True).split("\n")
    return "\n".join([marker + first, *(indent + line if line else "" for line in rest)])


def _quote(block: Quote) -> str:
    lines = _blocks(block.blocks, tight=False).split("\n")
    return "\n".join(f"> {line}" if line else ">" for line in lines)


def _code(block: Code) -> str:
    longest = max((len(run) for run in re.findall(r"`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{block.language}\n{block.text}\n{fence}"


def _table(block: Table) -> str:
    rows = [_row([_line(cell, "<br>") for cell in row]) for row in block.rows]
    rows.insert(1, _row(["---"] * len(block.rows[0])))
    return "\n".join(rows)


def _row(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell.replace('|', chr(92) + '|')} |" for cell in cells)


# inlines ----------------------------------------------------------------------------------------


def _line(inlines: Sequence[Inline], line_break: str) -> str:
    out: list[str] = []
    is_open: list[Mark] = []
    for number, inline in enumerate(inlines):
        wanted = inline.marks if isinstance(inline, Text) else frozenset[Mark]()
        out.extend(_close(is_open, wanted))
        if isinstance(inline, Text):
            # A sign does not open before a blank; the normal form gives blanks their marks anyway.
            words = inline.text if Mark.CODE in inline.marks else inline.text.lstrip()
            out.append(inline.text[: len(inline.text) - len(words)])
            if words:
                out.extend(_open(is_open, inlines, number))
                out.append(_text(words, inline.marks))
        elif isinstance(inline, Link):
            out.append(f"[{_line(inline.children, ' ')}]({_href(inline.href)})")
        elif isinstance(inline, Break):
            out.append(line_break)
    out.extend(_close(is_open, frozenset()))
    return "".join(out)


def _close(is_open: list[Mark], wanted: frozenset[Mark]) -> list[str]:
    """Close marks from the innermost outwards until only wanted ones are open."""
    closed = []
    while any(mark not in wanted for mark in is_open):
        closed.append(DELIMITERS[is_open.pop()])
    return closed


def _open(is_open: list[Mark], inlines: Sequence[Inline], at: int) -> list[str]:
    """Open the missing marks, those that last longest first."""
    text = inlines[at]
    assert isinstance(text, Text)  # noqa: S101 - for the type checker
    missing = [m for m in _MARK_ORDER if m in text.marks and m not in is_open]
    missing.sort(key=lambda mark: -_reach(mark, inlines, at))
    is_open.extend(missing)
    return [DELIMITERS[mark] for mark in missing]


def _reach(mark: Mark, inlines: Sequence[Inline], at: int) -> int:
    """Return up to which inline the mark goes on."""
    end = at
    while end < len(inlines):
        inline = inlines[end]
        if not isinstance(inline, Text) or mark not in inline.marks:
            break
        end += 1
    return end


def _text(text: str, marks: frozenset[Mark]) -> str:
    if Mark.CODE in marks:
        return _code_span(text)
    return _SPECIAL.sub(lambda match: "\\" + match[0], text)


def _code_span(text: str) -> str:
    runs = {len(run) for run in re.findall(r"`+", text)}
    fence = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    padded = text[0] in " `" or text[-1] in " `"
    return f"{fence} {text} {fence}" if padded else f"{fence}{text}{fence}"


def _href(href: str) -> str:
    return re.sub(r"[\\()]", lambda match: "\\" + match[0], href)
