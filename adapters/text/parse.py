"""Neutral Markdown read back into a document. Any text can be read: what is not markup is text.

This is not CommonMark: it reads every canonical spelling exactly, and what people usually write in
Markdown as they mean it. There is no HTML, no reference link and no set-ext heading to trip over.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from adapters.text.inline import parse_inlines, read_inlines
from adapters.text.normal import normalise
from adapters.text.syntax import (
    BLANKS,
    BULLET,
    DIVIDER,
    FENCE,
    HEADING,
    ORDERED,
    QUOTE,
    TABLE,
    TODO,
    starts_block,
)
from adapters.text.tree import (
    MAX_DEPTH,
    Block,
    BulletList,
    Code,
    Divider,
    Doc,
    Heading,
    ListItem,
    OrderedList,
    Paragraph,
    Quote,
    Table,
    TodoItem,
)

__all__ = ["parse_inlines", "parse_markdown"]

_SEPARATOR = re.compile(r"\|[ \t:|-]*-[ \t:|-]*\Z")


def parse_markdown(text: str) -> Doc:
    """Return the document a Markdown text spells, in normal form. Never fails."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return normalise(Doc(tuple(_Lines(unix.split("\n"), 0).blocks())))


class _Lines:
    """The lines of one container, read from top to bottom."""

    def __init__(self, lines: list[str], depth: int) -> None:
        self.lines = lines
        self.at = 0
        self.depth = depth

    def blocks(self) -> list[Block]:
        """Read all blocks."""
        result: list[Block] = []
        while self.at < len(self.lines):
            if self._blank(self.at):
                self.at += 1
            else:
                result.append(self._block())
        return result

    def _blank(self, at: int) -> bool:
        return not self.lines[at].strip(BLANKS)

    def _here(self) -> str:
        return self.lines[self.at].lstrip(BLANKS)

    def _block(self) -> Block:
        line = self._here()
        if not starts_block(line):
            return self._paragraph()
        readers: list[tuple[re.Pattern[str], Callable[[], Block]]] = [
            (FENCE, self._code),
            (DIVIDER, self._divider),
            (HEADING, self._heading),
            (TABLE, self._table),
        ]
        if self.depth < MAX_DEPTH:
            readers += [
                (QUOTE, self._quote),
                (TODO, self._todo),
                (BULLET, self._bullets),
                (ORDERED, self._numbers),
            ]
        for pattern, read in readers:
            if pattern.match(line):
                return read()
        return self._paragraph()

    def _inside(self, lines: list[str]) -> tuple[Block, ...]:
        return tuple(_Lines(lines, self.depth + 1).blocks())

    def _paragraph(self) -> Paragraph:
        """Read the first line as it is, then on to a blank line or another block."""
        first = self.at
        self.at += 1
        while self.at < len(self.lines) and not self._blank(self.at):
            if starts_block(self._here()):
                break
            self.at += 1
        lines = [line.strip(BLANKS) for line in self.lines[first : self.at]]
        return Paragraph(read_inlines("\n".join(lines)))

    def _heading(self) -> Heading:
        line = self._here()
        self.at += 1
        match = HEADING.match(line)
        assert match  # noqa: S101 - the reader was chosen by this pattern
        return Heading(min(len(match[1]), 3), read_inlines(line[match.end() :]))

    def _divider(self) -> Divider:
        self.at += 1
        return Divider()

    def _code(self) -> Code:
        line = self._here()
        indent = len(self.lines[self.at]) - len(line)
        match = FENCE.match(line)
        assert match  # noqa: S101 - the reader was chosen by this pattern
        closing = re.compile(rf"`{{{len(match[1])},}}[ \t]*\Z")
        content: list[str] = []
        self.at += 1
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            if closing.match(line.lstrip(BLANKS)):
                break
            content.append(_dedent(line, indent))
        return Code(match[2], "\n".join(content))

    def _quote(self) -> Quote:
        inner: list[str] = []
        while self.at < len(self.lines) and QUOTE.match(self._here()):
            inner.append(self._here()[1:].removeprefix(" "))
            self.at += 1
        return Quote(self._inside(inner))

    def _table(self) -> Table:
        rows: list[str] = []
        while self.at < len(self.lines) and TABLE.match(self._here()):
            rows.append(self._here())
            self.at += 1
        if len(rows) > 1 and _SEPARATOR.match(rows[1]):
            del rows[1]
        return Table(tuple(tuple(read_inlines(cell) for cell in _cells(row)) for row in rows))

    # lists ----------------------------------------------------------------------------------------

    def _todo(self) -> TodoItem:
        match = TODO.match(self._here())
        assert match  # noqa: S101 - the reader was chosen by this pattern
        return TodoItem(match[1] != " ", self._inside(self._item(match.end(), 2)))

    def _bullets(self) -> BulletList:
        return BulletList(tuple(self._items(BULLET)))

    def _numbers(self) -> OrderedList:
        return OrderedList(tuple(self._items(ORDERED)))

    def _items(self, marker: re.Pattern[str]) -> list[ListItem]:
        items: list[ListItem] = []
        while self.at < len(self.lines):
            line = self._here()
            match = marker.match(line)
            if match is None or TODO.match(line) or DIVIDER.match(line):
                break
            width = len(match[0].rstrip(BLANKS)) + 1
            items.append(ListItem(self._inside(self._item(match.end(), width))))
        return items

    def _item(self, start: int, width: int) -> list[str]:
        """Read one item: its first line from `start` on, then all lines indented below it."""
        line = self._here()
        indent = len(self.lines[self.at]) - len(line)
        inner = [line[start:]]
        self.at += 1
        while (end := self._belonging(indent)) > self.at:
            inner.extend(_dedent(line, indent + width) for line in self.lines[self.at : end])
            self.at = end
        return inner

    def _belonging(self, indent: int) -> int:
        """Return the end of the next line that is indented deeper, blank lines before it included.

        The present place, when what follows is no longer part of the item.
        """
        ahead = self.at
        while ahead < len(self.lines) and self._blank(ahead):
            ahead += 1
        if ahead == len(self.lines):
            return self.at
        line = self.lines[ahead]
        return ahead + 1 if len(line) - len(line.lstrip(BLANKS)) > indent else self.at


def _dedent(line: str, width: int) -> str:
    """Take up to `width` blanks off the front."""
    blanks = len(line) - len(line.lstrip(BLANKS))
    return line[min(blanks, width) :]


def _cells(row: str) -> list[str]:
    r"""Split a table row; `\|` is a bar inside a cell."""
    inner = row.strip(BLANKS)[1:]
    cells = re.split(r"(?<!\\)\|", inner)
    if not cells[-1].strip(BLANKS) and len(cells) > 1:
        cells.pop()
    return [cell.replace("\\|", "|").strip(BLANKS) for cell in cells]
