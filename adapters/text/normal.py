"""The one normal form of a document: two documents that look the same become equal.

Nothing empty, neighbours of the same look joined, blanks at the ends of lines gone, marks never
begin or end at a blank, opaque parts replaced by their text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from urllib.parse import quote

from adapters.text.tree import (
    MAX_DEPTH,
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
    plain_blocks,
)

_BLANKS = " \t"
_NO_MARKS: frozenset[Mark] = frozenset()

Piece = Text | Link
StripMethod = Callable[[str, str], str]


def normalise(doc: Doc) -> Doc:
    """Return the normal form of a document; applying it twice changes nothing more."""
    return Doc(_blocks(doc.blocks, 0))


def normal_inlines(inlines: Iterable[Inline], *, breaks: bool = True) -> tuple[Inline, ...]:
    """Return the normal form of one line; without `breaks`, line breaks become spaces."""
    segments = [_segment(segment) for segment in _split(inlines, breaks=breaks)]
    while segments and not segments[0]:
        segments.pop(0)
    while segments and not segments[-1]:
        segments.pop()
    result: list[Inline] = []
    for number, segment in enumerate(segments):
        if number:
            result.append(Break())
        result.extend(segment)
    return tuple(result)


# blocks -----------------------------------------------------------------------------------------


def _blocks(blocks: Iterable[Block], depth: int) -> tuple[Block, ...]:
    result: list[Block] = []
    for block in blocks:
        normal = _block(block, depth)
        if normal is None:
            continue
        last = result[-1] if result else None
        if isinstance(normal, BulletList) and isinstance(last, BulletList):
            result[-1] = BulletList(last.items + normal.items)
        elif isinstance(normal, OrderedList) and isinstance(last, OrderedList):
            result[-1] = OrderedList(last.items + normal.items)
        else:
            result.append(normal)
    return tuple(result)


def _block(block: Block, depth: int) -> Block | None:
    """Return the normal form of a block, None when nothing is left of it."""
    match block:
        case Paragraph():
            return _paragraph(block.children)
        case Heading():
            children = normal_inlines(block.children, breaks=False)
            return Heading(min(max(block.level, 1), 3), children) if children else None
        case Code():
            return _code(block)
        case Divider():
            return block
        case Table():
            return _table(block)
        case Opaque():
            return _paragraph((Text(block.text),))
        case _:
            return _container(block, depth)


def _container(block: BulletList | OrderedList | TodoItem | Quote, depth: int) -> Block | None:
    if depth >= MAX_DEPTH:
        return _paragraph((Text(plain_blocks((block,))),))
    if isinstance(block, (TodoItem, Quote)):
        blocks = _blocks(block.blocks, depth + 1)
        return replace(block, blocks=blocks) if blocks else None
    items = (ListItem(_blocks(item.blocks, depth + 1)) for item in block.items)
    kept = tuple(item for item in items if item.blocks)
    return replace(block, items=kept) if kept else None


def _paragraph(children: Iterable[Inline]) -> Paragraph | None:
    normal = normal_inlines(children)
    return Paragraph(normal) if normal else None


def _code(block: Code) -> Code | None:
    text = _unix(block.text).rstrip("\n")
    language = re.sub(r"[\s`]+", "-", block.language.strip())
    return Code(language, text) if text else None


def _table(block: Table) -> Table | None:
    width = max((len(row) for row in block.rows), default=0)
    if not width:
        return None
    empty: tuple[Inline, ...] = ()
    return Table(
        tuple(
            tuple(normal_inlines(cell) for cell in row) + (empty,) * (width - len(row))
            for row in block.rows
        )
    )


# inlines ----------------------------------------------------------------------------------------


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split(inlines: Iterable[Inline], *, breaks: bool) -> list[list[Piece]]:
    """Cut a line at its breaks."""
    segments: list[list[Piece]] = [[]]
    for inline in inlines:
        if isinstance(inline, Link):
            segments[-1].extend(_link(inline))
            continue
        marks = inline.marks if isinstance(inline, Text) else _NO_MARKS
        text = "\n" if isinstance(inline, Break) else _unix(inline.text)
        first, *rest = text.split("\n") if breaks else [text.replace("\n", " ")]
        segments[-1].append(Text(first, marks))
        segments.extend([Text(part, marks)] for part in rest)
    return segments


def _link(link: Link) -> Iterator[Piece]:
    """Yield the link in normal form, or its text when it points nowhere."""
    href = "".join(_href_char(char) for char in link.href.strip())
    texts = [piece for part in _split(link.children, breaks=False) for piece in part]
    children = tuple(_join(_marks_off_blanks(texts)))
    if not href:
        yield from texts
    else:
        yield Link(href, tuple(c for c in children if isinstance(c, Text)) or (Text(href),))


def _href_char(char: str) -> str:
    return quote(char) if char.isspace() or ord(char) < 32 or ord(char) == 127 else char  # noqa: PLR2004


def _segment(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the normal form of a line without breaks."""
    if all(isinstance(piece, Text) and not piece.marks for piece in pieces):
        return _unmarked(pieces)
    tokens = list(_marks_off_blanks(pieces))
    while tokens and not _strip_end(tokens, 0, str.lstrip):
        tokens.pop(0)
    while tokens and not _strip_end(tokens, -1, str.rstrip):
        tokens.pop()
    return list(_join(tokens))


def _unmarked(pieces: Iterable[Piece]) -> list[Piece]:
    """Do the same for a line without marks and links, which most lines are, by a shorter way."""
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text)).strip(_BLANKS)
    return [Text(text)] if text else []


def _strip_end(tokens: list[Piece], at: int, strip: StripMethod) -> bool:
    """Strip the token at one end in place; false when nothing is left of it."""
    token = tokens[at]
    if isinstance(token, Text) and Mark.CODE not in token.marks:
        tokens[at] = token = Text(strip(token.text, _BLANKS), token.marks)
        return bool(token.text)
    return True


def _marks_off_blanks(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Give the blanks between texts the marks that both their neighbours have."""
    tokens = _join_blanks(_tokens(pieces))
    for number, token in enumerate(tokens):
        if _is_blank(token):
            assert isinstance(token, Text)  # noqa: S101 - for the type checker
            before = _marks_at(tokens, number - 1) if number else _NO_MARKS
            after = _marks_at(tokens, number + 1) if number + 1 < len(tokens) else _NO_MARKS
            yield Text(token.text, before & after)
        else:
            yield token


def _tokens(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Cut the blanks off both ends of each text; those inside have the right marks already."""
    for piece in pieces:
        if isinstance(piece, Link) or (Mark.CODE in piece.marks and piece.text.strip()):
            yield piece
            continue
        marks = piece.marks - {Mark.CODE}
        words = piece.text.strip()
        before, _, after = piece.text.partition(words) if words else (piece.text, "", "")
        yield from (Text(part, marks) for part in (before, words, after) if part)


def _join_blanks(tokens: Iterable[Piece]) -> list[Piece]:
    result: list[Piece] = []
    for blank, group in groupby(tokens, _is_blank):
        if blank:
            result.append(Text("".join(t.text for t in group if isinstance(t, Text))))
        else:
            result.extend(group)
    return result


def _is_blank(piece: Piece) -> bool:
    return isinstance(piece, Text) and piece.text.isspace()


def _marks_at(tokens: list[Piece], at: int) -> frozenset[Mark]:
    token = tokens[at]
    return token.marks - {Mark.CODE} if isinstance(token, Text) else _NO_MARKS


def _join(tokens: Iterable[Piece]) -> Iterator[Piece]:
    """Join neighbours: texts of the same look, links to the same place."""
    for key, group in groupby(tokens, lambda t: t.marks if isinstance(t, Text) else t.href):
        if isinstance(key, str):
            parts = [text for link in group if isinstance(link, Link) for text in link.children]
            joined = _join(_marks_off_blanks([part for part in parts if isinstance(part, Text)]))
            yield Link(key, tuple(part for part in joined if isinstance(part, Text)))
        else:
            yield Text("".join(token.text for token in group if isinstance(token, Text)), key)
