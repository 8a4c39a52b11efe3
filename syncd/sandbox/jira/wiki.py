"""Jira wiki markup to the Atlassian Document Format: all text is kept, common markup understood.

Source of the notation: Jira's "Text Formatting Notation" help page.
"""

from __future__ import annotations

import re

from syncd.sandbox.jira.model import Json

_FENCE = re.compile(r"(?<!\{)\{(code|noformat)(?::([^}]*))?\}(.*?)(?:\{\1\}|\Z)", re.DOTALL)
_PANEL = re.compile(r"\{(quote|panel)(?::[^}]*)?\}(.*?)\{\1\}", re.DOTALL)
_HEADING = re.compile(r"\s*h([1-6])\.\s*(.*)")
_ITEM = re.compile(r"\s*([*#]+|-)\s+(.*)")
_RULE = re.compile(r"\s*-{4,}\s*")
_INLINE = re.compile(
    r"(?P<link>\[(?P<inner>[^\[\]\n]+)\])"
    r"|(?P<mono>\{\{(?P<code>.+?)\}\})"
    r"|(?P<url>\bhttps?://[^\s|\]<>\"]+)"
    r"|(?P<break>\\\\(?=\s|$)|\n)"
    r"|(?P<mark>(?<![\w*_+^~-])(?P<sign>\*|_|-|\+|\^|~)(?=\S)(?P<body>[^\n]+?)(?<=\S)(?P=sign)(?![\w*_+^~-]))"
    r"|(?P<escape>\\[*_\-+^~\[\]{}|!])"
)
_MARKS = {
    "*": {"type": "strong"},
    "_": {"type": "em"},
    "-": {"type": "strike"},
    "+": {"type": "underline"},
    "^": {"type": "subsup", "attrs": {"type": "sup"}},
    "~": {"type": "subsup", "attrs": {"type": "sub"}},
}
_LANGUAGE = re.compile(r"^\w+$")


def to_adf(text: str) -> Json:
    """Return the document of a wiki text."""
    source = text.replace("\r\n", "\n").replace("\r", "\n")
    return {"version": 1, "type": "doc", "content": _blocks(source) or [{"type": "paragraph"}]}


def _blocks(source: str) -> list[Json]:
    content: list[Json] = []
    place = 0
    for fence in _FENCE.finditer(source):
        content += _panels(source[place : fence.start()])
        content.append(_code(fence))
        place = fence.end()
    return content + _panels(source[place:])


def _code(fence: re.Match[str]) -> Json:
    block: Json = {"type": "codeBlock", "attrs": {}}
    language = (fence[2] or "").split("|")[0]
    if fence[1] == "code" and _LANGUAGE.match(language):
        block["attrs"] = {"language": language}
    body = fence[3].strip("\n")
    if body:
        block["content"] = [{"type": "text", "text": body}]
    return block


def _panels(source: str) -> list[Json]:
    content: list[Json] = []
    place = 0
    for panel in _PANEL.finditer(source):
        content += _lines(source[place : panel.start()])
        inner = [n for n in _lines(panel[2]) if n["type"] != "rule"] or [{"type": "paragraph"}]
        if panel[1] == "quote":
            quoted = [n if n["type"] != "heading" else {**n, "type": "paragraph"} for n in inner]
            content.append({"type": "blockquote", "content": [_bare(n) for n in quoted]})
        else:
            content.append({"type": "panel", "attrs": {"panelType": "info"}, "content": inner})
        place = panel.end()
    return content + _lines(source[place:])


def _bare(node: Json) -> Json:
    if node["type"] == "paragraph":
        return {key: value for key, value in node.items() if key != "attrs"}
    return node


def _lines(source: str) -> list[Json]:
    content: list[Json] = []
    paragraph: list[str] = []
    items: list[tuple[str, str]] = []
    rows: list[str] = []

    def flush() -> None:
        if paragraph:
            content.append(_paragraph("\n".join(paragraph)))
            paragraph.clear()
        if items:
            content.extend(_list(items, 1))
            items.clear()
        if rows:
            content.append(_table(rows))
            rows.clear()

    for line in source.split("\n"):
        _take_line(line, content, paragraph, items, rows, flush)
    flush()
    return content


def _take_line(  # noqa: C901 - one place decides what a line is
    line: str,
    content: list[Json],
    paragraph: list[str],
    items: list[tuple[str, str]],
    rows: list[str],
    flush: Json,
) -> None:
    if not line.strip():
        flush()
    elif _RULE.fullmatch(line):
        flush()
        content.append({"type": "rule"})
    elif heading := _HEADING.fullmatch(line):
        flush()
        content.append(_heading(int(heading[1]), heading[2]))
    elif line.lstrip().startswith("bq. "):
        flush()
        quoted = _paragraph(line.lstrip()[4:])
        content.append({"type": "blockquote", "content": [quoted]})
    elif item := _ITEM.fullmatch(line):
        if paragraph or rows:
            flush()
        items.append((item[1], item[2]))
    elif line.lstrip().startswith("|") and line.rstrip().endswith("|") and len(line.strip()) > 1:
        if paragraph or items:
            flush()
        rows.append(line.strip())
    elif items:
        items[-1] = (items[-1][0], items[-1][1] + "\n" + line.strip())
    else:
        if rows:
            flush()
        paragraph.append(line)


def _heading(level: int, text: str) -> Json:
    inline = _inline(text.strip())
    node: Json = {"type": "heading", "attrs": {"level": level}}
    if inline:
        node["content"] = inline
    return node


def _paragraph(text: str) -> Json:
    inline = _inline(text)
    return {"type": "paragraph", "content": inline} if inline else {"type": "paragraph"}


def _list(items: list[tuple[str, str]], depth: int) -> list[Json]:
    lists: list[Json] = []
    place = 0
    while place < len(items):
        marker, text = items[place]
        kind = "orderedList" if marker[min(depth, len(marker)) - 1] == "#" else "bulletList"
        below = place + 1
        while below < len(items) and len(items[below][0]) > depth:
            below += 1
        entry: list[Json] = [_paragraph(text), *_list(items[place + 1 : below], depth + 1)]
        node = {"type": "listItem", "content": entry}
        if lists and lists[-1]["type"] == kind:
            lists[-1]["content"].append(node)
        else:
            lists.append({"type": kind, "content": [node]})
        place = below
    return lists


def _table(rows: list[str]) -> Json:
    return {
        "type": "table",
        "attrs": {"isNumberColumnEnabled": False, "layout": "default"},
        "content": [{"type": "tableRow", "content": _cells(row)} for row in rows],
    }


def _cells(row: str) -> list[Json]:
    head = row.startswith("||")
    parts = row.strip("|").split("||" if head else "|")
    kind = "tableHeader" if head else "tableCell"
    return [{"type": kind, "attrs": {}, "content": [_paragraph(part.strip())]} for part in parts]


def _inline(text: str, marks: tuple[Json, ...] = ()) -> list[Json]:
    nodes: list[Json] = []
    place = 0
    for match in _INLINE.finditer(text):
        _add_text(nodes, text[place : match.start()], marks)
        _add_match(nodes, match, marks)
        place = match.end()
    _add_text(nodes, text[place:], marks)
    return nodes


def _add_match(nodes: list[Json], match: re.Match[str], marks: tuple[Json, ...]) -> None:
    if match["break"]:
        nodes.append({"type": "hardBreak"})
    elif match["link"]:
        _add_link(nodes, match["inner"], match["link"], marks)
    elif match["mono"]:
        links = tuple(m for m in marks if m["type"] == "link")
        _add_text(nodes, match["code"], ({"type": "code"}, *links))
    elif match["url"]:
        _add_text(nodes, match["url"], (*_unlinked(marks), _link(match["url"])))
    elif match["mark"]:
        mark = _MARKS[match["sign"]]
        if mark in marks:
            _add_text(nodes, match["mark"], marks)
        else:
            nodes.extend(_inline(match["body"], (*marks, mark)))
    else:
        _add_text(nodes, match["escape"][1:], marks)


def _add_link(nodes: list[Json], inner: str, whole: str, marks: tuple[Json, ...]) -> None:
    label, _, target = inner.rpartition("|")
    target = target.strip()
    if target.startswith("~"):
        account = target[1:].removeprefix("accountid:")
        nodes.append({"type": "mention", "attrs": {"id": account, "text": f"@{account}"}})
    elif re.match(r"(https?|mailto|ftp|file):|#|/", target):
        _add_text(nodes, label.strip() or target, (*_unlinked(marks), _link(target)))
    else:
        _add_text(nodes, whole, marks)


def _unlinked(marks: tuple[Json, ...]) -> tuple[Json, ...]:
    return tuple(mark for mark in marks if mark["type"] != "link")


def _link(target: str) -> Json:
    return {"type": "link", "attrs": {"href": target}}


def _add_text(nodes: list[Json], text: str, marks: tuple[Json, ...]) -> None:
    if not text:
        return
    last = nodes[-1] if nodes else None
    if last and last["type"] == "text" and tuple(last.get("marks", ())) == marks:
        last["text"] += text
        return
    node: Json = {"type": "text", "text": text}
    if marks:
        node["marks"] = list(marks)
    nodes.append(node)
