"""Neutral rich text as a tree: the shapes every service's rich text is reduced to.

Blocks stand below one another, inlines run along a line. `Opaque` may stand in both places: it
marks something of the service that cannot be expressed here, with its plain text as a fallback. A
field whose document holds one is never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

MAX_DEPTH = 32
"""How deep blocks may nest; what is deeper becomes a paragraph of plain text."""


class Mark(StrEnum):
    """How a run of text looks. In the order in which marks open when they cover the same text."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text with one look."""

    text: str
    marks: frozenset[Mark] = frozenset()


@dataclass(frozen=True, slots=True)
class Break:
    """A line break inside a block."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that has no neutral form, as a block or inside a line."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A hyperlink; links do not nest."""

    href: str
    children: tuple[Text | Break | Opaque, ...]


Inline = Text | Link | Break | Opaque


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 3; it has no line breaks."""

    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class ListItem:
    """One entry of a list, usually a paragraph and perhaps a nested list."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class BulletList:
    """A list without numbers."""

    items: tuple[ListItem, ...]


@dataclass(frozen=True, slots=True)
class OrderedList:
    """A list numbered from 1."""

    items: tuple[ListItem, ...]


@dataclass(frozen=True, slots=True)
class TodoItem:
    """A line with a tick box; several in a row look like a list."""

    checked: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """Quoted blocks."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted text. `language` is one word, or empty."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Divider:
    """A horizontal line."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells of inlines; the first row is the heading. All rows have the same length."""

    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


Block = (
    Paragraph
    | Heading
    | BulletList
    | OrderedList
    | TodoItem
    | Quote
    | Code
    | Divider
    | Table
    | Opaque
)


@dataclass(frozen=True, slots=True)
class Doc:
    """A whole text."""

    blocks: tuple[Block, ...] = ()


def children_of(block: Block | ListItem) -> tuple[Block | ListItem, ...]:
    """Return the blocks directly inside a block."""
    if isinstance(block, (BulletList, OrderedList)):
        return block.items
    if isinstance(block, (ListItem, TodoItem, Quote)):
        return block.blocks
    return ()


def lines_of(block: Block | ListItem) -> tuple[tuple[Inline, ...], ...]:
    """Return the lines of inlines directly inside a block; a table has one for each cell."""
    if isinstance(block, (Paragraph, Heading)):
        return (block.children,)
    if isinstance(block, Table):
        return tuple(cell for row in block.rows for cell in row)
    return ()


def _walk(blocks: Iterable[Block | ListItem]) -> Iterator[Block | ListItem]:
    """Yield every block, outer before inner, without recursion (a service may nest as it likes)."""
    waiting = list(blocks)[::-1]
    while waiting:
        block = waiting.pop()
        yield block
        waiting.extend(reversed(children_of(block)))


def has_opaque(doc: Doc) -> bool:
    """Tell whether anything in the document has no neutral form."""
    return any(
        isinstance(block, Opaque) or any(_opaque_line(line) for line in lines_of(block))
        for block in _walk(doc.blocks)
    )


def _opaque_line(line: Iterable[Inline]) -> bool:
    return any(
        isinstance(inline, Opaque) or (isinstance(inline, Link) and _opaque_line(inline.children))
        for inline in line
    )


def plain(doc: Doc) -> str:
    """Return the text without any formatting, one line for each line a reader sees."""
    return plain_blocks(doc.blocks)


def plain_blocks(blocks: Iterable[Block | ListItem]) -> str:
    """Return the text of blocks without formatting."""
    return "\n".join(line for block in _walk(blocks) for line in _plain_lines(block))


def _plain_lines(block: Block | ListItem) -> Iterator[str]:
    if isinstance(block, (Code, Opaque)):
        yield block.text
    elif isinstance(block, Table):
        for row in block.rows:
            yield "\t".join(plain_inlines(cell) for cell in row)
    else:
        yield from (plain_inlines(line) for line in lines_of(block))


def plain_inlines(inlines: Iterable[Inline]) -> str:
    """Return the text of inlines without formatting."""
    return "".join(_plain_inline(inline) for inline in inlines)


def _plain_inline(inline: Inline) -> str:
    if isinstance(inline, Break):
        return "\n"
    if isinstance(inline, Link):
        return plain_inlines(inline.children)
    return inline.text
