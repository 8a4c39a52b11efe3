"""Text as Notion holds it: runs of rich text, inside a property or inside a block of a page. Pure.

A rich text *property* has runs and line breaks but no blocks. A document is written there line by
line as its Markdown without the marks: "# Aim", "- first", "> said". Bold, italic, code and links
are real runs. Reading turns such lines back into headings, lists and quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from urllib.parse import urlsplit

from adapters.notion import Json
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
    parse_inlines,
    parse_markdown,
    plain_inlines,
    render_inlines,
    render_markdown,
)
from adapters.text.syntax import DIVIDER, FENCE
from syncd.core.views import PageBlock

Line = tuple[Inline, ...]

MAX_RUN = 2000  # UTF-16 units in one run (developers.notion.com/reference/request-limits)
MAX_RUNS = 100
TYPES = {
    "heading_1": "heading_1",
    "heading_2": "heading_2",
    "heading_3": "heading_3",
    "paragraph": "paragraph",
    "bullet": "bulleted_list_item",
    "callout": "callout",
    "divider": "divider",
}
"""Kind of `PageBlock` -> type of Notion block."""
DEFAULT_ICON = "💡"

_KINDS = {type_: kind for kind, type_ in TYPES.items()}
_ANNOTATIONS = {
    "bold": Mark.BOLD,
    "italic": Mark.ITALIC,
    "strikethrough": Mark.STRIKE,
    "code": Mark.CODE,
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_OWN_PAGE = re.compile(
    r"(?:https://(?:www\.notion\.so|app\.notion\.com)(?:/p)?)?/(?:[\w-]*?)([0-9a-f]{32})(?:[?#].*)?"
)
_VARIATION = "\ufe0f"  # the same emoji with and without it looks the same


class TooLongError(ValueError):
    """A text needs more runs than one request can carry."""


# runs -------------------------------------------------------------------------------------------


def to_runs(line: Iterable[Inline]) -> list[Json]:
    """Return the rich text of inlines, as requests take it. Raises TooLongError."""
    looks = groupby(_styled(line), key=lambda run: run[1:])
    runs = [
        _run(piece, marks, href)
        for (marks, href), group in looks
        for piece in _pieces("".join(text for text, _, _ in group))
    ]
    if len(runs) > MAX_RUNS:
        raise TooLongError(f"has {len(runs)} differently formatted parts, Notion takes {MAX_RUNS}")
    return runs


def plain_runs(text: str) -> list[Json]:
    """Return the rich text of unformatted text. Raises TooLongError."""
    return to_runs((Text(text),)) if text else []


def from_runs(runs: Iterable[Json]) -> Line:
    """Return the inlines of rich text; what has no neutral form is there with its text."""
    return tuple(inline for run in runs for inline in _inlines(run))


def is_opaque(runs: Iterable[Json]) -> bool:
    """Tell whether rich text holds mentions, equations, colours or underlines."""
    return any(
        run.get("type") != "text"
        or bool(_annotations(run).get("underline"))
        or _annotations(run).get("color", "default") != "default"
        for run in runs
    )


def plain_text(runs: Iterable[Json]) -> str:
    """Return rich text without its formatting."""
    return "".join(_content(run) for run in runs)


def _styled(line: Iterable[Inline]) -> Iterator[tuple[str, frozenset[Mark], str | None]]:
    for inline in line:
        match inline:
            case Link(href=href, children=children) if _is_address(href):
                yield from ((text, marks, href) for text, marks, _ in _styled(children))
            case Link(href=href, children=children):  # Notion refuses it as a link
                yield from _styled(children)
                yield f" ({href})", frozenset(), None
            case Break():
                yield "\n", frozenset(), None
            case Opaque(text=text):
                yield text, frozenset(), None
            case Text(text=text, marks=marks):
                yield text, marks, None


def _is_address(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    known = parts.scheme.lower() in _SCHEMES and bool(parts.netloc or parts.path)
    return known and len(href) <= MAX_RUN and not re.search(r"\s", href)


def _pieces(text: str) -> Iterator[str]:
    """Cut text into pieces of at most MAX_RUN UTF-16 units, never inside a character."""
    start = units = 0
    for at, char in enumerate(text):
        width = 2 if ord(char) > 0xFFFF else 1  # noqa: PLR2004 - end of the basic plane
        if units + width > MAX_RUN:
            yield text[start:at]
            start, units = at, 0
        units += width
    if start < len(text):
        yield text[start:]


def _run(text: str, marks: frozenset[Mark], href: str | None) -> Json:
    content: Json = {"content": text}
    if href is not None:
        content["link"] = {"url": href}
    run: Json = {"type": "text", "text": content}
    if marks:
        run["annotations"] = {name: True for name, mark in _ANNOTATIONS.items() if mark in marks}
    return run


def _annotations(run: Json) -> Json:
    return run.get("annotations") or {}


def _content(run: Json) -> str:
    own = (run.get("text") or {}).get("content") if run.get("type") == "text" else None
    text = own if own is not None else run.get("plain_text")
    return str(text or "").replace("\r\n", "\n").replace("\r", "\n")


def _inlines(run: Json) -> Iterator[Inline]:
    held = _annotations(run)
    marks = frozenset(mark for name, mark in _ANNOTATIONS.items() if held.get(name))
    link = (run.get("text") or {}).get("link") or {}
    href = str(link.get("url") or run.get("href") or "")
    for number, piece in enumerate(_content(run).split("\n")):
        if number:
            yield Break()
        if piece:
            text = Text(piece, marks)
            yield Link(_address(href), (text,)) if href else text


def _address(href: str) -> str:
    """Return one spelling for addresses that Notion rewrites when it stores them."""
    own = _OWN_PAGE.fullmatch(href)
    if own:
        return f"https://www.notion.so/{own[1]}"
    bare = re.fullmatch(r"(https?://[^/?#]+)/", href)
    return bare[1] if bare else href


# a whole text in one property -------------------------------------------------------------------


def property_runs(markdown: str) -> list[Json]:
    """Return the rich text of neutral Markdown, for a property. Raises TooLongError."""
    lines = list(_lines(normalise(parse_markdown(markdown)).blocks))
    return to_runs(inline for line in _broken(lines) for inline in line)


def property_markdown(runs: Iterable[Json]) -> str:
    """Return the neutral Markdown of a property's rich text."""
    runs = list(runs)
    simple = _simple(runs)
    return _read(runs) if simple is None else simple


_SIMPLE_LINE = re.compile(r"[^\W\d_](?:[^\W_]|[ ,.;:!?()'\"/&%@=+–—-])*(?<! )")


def _simple(runs: Sequence[Json]) -> str | None:
    """Return what `_read` would, without its work, for text in which nothing can be mark-up."""
    if not runs:
        return ""
    held = runs[0]
    formatted = is_opaque(runs) or any(_annotations(held).get(name) for name in _ANNOTATIONS)
    if len(runs) > 1 or formatted or held.get("href") or (held.get("text") or {}).get("link"):
        return None
    lines = [line.strip(" \t") for line in _content(held).split("\n")]
    if not all(_SIMPLE_LINE.fullmatch(line) for line in lines if line):
        return None
    paragraphs = groupby(lines, key=bool)
    return "\n\n".join("\\\n".join(group) for full, group in paragraphs if full)


def _read(runs: Sequence[Json]) -> str:
    lines = [(line, plain_inlines(line)) for line in _split(from_runs(runs))]
    source: list[str] = []
    fence = ""  # what opened the code we are in
    table = False
    for number, (line, text) in enumerate(lines):
        bare = _bare(text)
        below = _bare(lines[number + 1][1]) if number + 1 < len(lines) else ""
        table = not fence and bare.startswith("|") and (table or bool(_SEPARATOR.match(below)))
        opening = FENCE.match(bare)
        if fence:
            fence = "" if _closes(bare, fence) else fence
            source.append(text)
        elif opening or DIVIDER.match(bare):
            fence = opening[1] if opening else ""
            source.append(text)
        else:
            source.append(_source(line, text, table=table))
    return render_markdown(parse_markdown("\n".join(source)))


_SEPARATOR = re.compile(r"\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*\Z")


def _bare(text: str) -> str:
    """Return a line without what starts lists, quotes and headings."""
    start = _BLOCK_START.match(text)
    return text[start.end() :] if start else text


def _closes(bare: str, fence: str) -> bool:
    return len(bare.strip()) >= len(fence) and not bare.strip(" \t`")


_BLOCK_START = re.compile(
    r"[ \t]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?|>[ \t]*|#{1,6}[ \t]+)*"
)


def _source(line: Line, text: str, *, table: bool) -> str:
    """Return the Markdown of a line: what starts a block as it stands, the rest escaped."""
    start, rest = "", line
    match = _BLOCK_START.match(text)
    if match and match[0] and isinstance(line[0], Text) and len(line[0].text) >= match.end():
        start = match[0]
        rest = (Text(line[0].text[match.end() :], line[0].marks), *line[1:])
    rendered = render_inlines(rest)
    if table:
        return start + rendered.replace("\\\\|", "\\|")
    return start + ("\\" if rendered.startswith("|") else "") + rendered


def _split(inlines: Iterable[Inline]) -> Iterator[Line]:
    line: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, Break):
            yield tuple(line)
            line = []
        else:
            line.append(inline)
    yield tuple(line)


def _broken(lines: Sequence[Line]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        yield (Break(), *line) if number else line


def _lines(blocks: Sequence[Block], *, tight: bool = False) -> Iterator[Line]:
    """Yield the lines of blocks, with an empty one between two (not in a list: `tight`)."""
    for number, block in enumerate(blocks):
        if number and not (tight or _same_list(blocks[number - 1], block)):
            yield ()
        yield from _block_lines(block)


def _same_list(above: Block, below: Block) -> bool:
    return isinstance(above, TodoItem) and isinstance(below, TodoItem)


def _block_lines(block: Block) -> Iterator[Line]:
    match block:
        case Paragraph(children=children):
            yield from _split(children)
        case Heading(level=level, children=children):
            yield (Text("#" * level + " "), *children)
        case Code() | Divider():
            yield from _verbatim(render_markdown(Doc((block,))))
        case Table(rows=rows):
            yield from _table_lines(rows)
        case Opaque(text=text):
            yield from _verbatim(text)
        case _:
            yield from _container_lines(block)


def _verbatim(text: str) -> Iterator[Line]:
    for line in text.split("\n"):
        yield (Text(line),)


def _container_lines(block: BulletList | OrderedList | TodoItem | Quote) -> Iterator[Line]:
    match block:
        case BulletList(items=items):
            for item in items:
                yield from _indented(_lines(item.blocks, tight=True), "- ", "  ")
        case OrderedList(items=items):
            for number, item in enumerate(items, start=1):
                start = f"{number}. "
                yield from _indented(_lines(item.blocks, tight=True), start, " " * len(start))
        case TodoItem(checked=checked, blocks=blocks):
            start = f"- [{'x' if checked else ' '}] "
            yield from _indented(_lines(blocks, tight=True), start, "  ")
        case Quote(blocks=blocks):
            yield from _indented(_lines(blocks), "> ", "> ")


def _indented(lines: Iterable[Line], first: str, rest: str) -> Iterator[Line]:
    for number, line in enumerate(lines):
        yield (Text(rest if number else first), *line)


def _table_lines(rows: Sequence[Sequence[Line]]) -> Iterator[Line]:
    for number, row in enumerate(rows):
        cells = [(Text(" "), *map(_in_cell, cell), Text(" |")) for cell in row]
        yield (Text("|"), *(inline for cell in cells for inline in cell))
        if not number:
            yield (Text("|" + " --- |" * len(row)),)


def _in_cell(inline: Inline) -> Inline:
    """Return an inline on one line, with its bars told from those between cells."""
    if isinstance(inline, Link):
        return replace(inline, children=tuple(_unbarred(child) for child in inline.children))
    return _unbarred(inline)


def _unbarred(inline: Text | Break | Opaque) -> Text | Break | Opaque:
    if isinstance(inline, Break):
        return Text(" ")
    return replace(inline, text=inline.text.replace("|", "\\|"))


# blocks of a page -------------------------------------------------------------------------------


def to_block(block: PageBlock) -> Json:
    """Return the block as requests take it. Raises TooLongError."""
    type_ = TYPES[block.kind]
    return {"object": "block", "type": type_, type_: content_of(block)}


def content_of(block: PageBlock) -> Json:
    """Return what stands below the block's type. Raises TooLongError."""
    if block.kind == "divider":
        return {}
    content: Json = {"rich_text": to_runs(parse_inlines(block.text))}
    if block.kind == "callout":
        content["icon"] = {"type": "emoji", "emoji": block.icon or DEFAULT_ICON}
    return content


def signature_of(block: PageBlock) -> str:
    """Return a text that is equal for two blocks exactly when they look the same."""
    return signature_held({"type": TYPES[block.kind], TYPES[block.kind]: content_of(block)})


def signature_held(block: Json) -> str:
    """Return the signature of a block as Notion shows it; of other types: of the type alone."""
    type_ = str(block.get("type"))
    kind = _KINDS.get(type_)
    if kind is None:
        return f"other {type_}"
    content = block.get(type_) or {}
    runs = content.get("rich_text") or []
    icon = (content.get("icon") or {}).get("emoji") or "" if kind == "callout" else ""
    opaque = " with more" if is_opaque(runs) else ""
    return f"{kind}{opaque} {icon.replace(_VARIATION, '')} {render_inlines(from_runs(runs))}"
