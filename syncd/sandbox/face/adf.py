"""Jira's documents: shown as HTML, and edited as lines of plain text where that loses nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from syncd.sandbox.face.html import Html, join, tag

Adf = dict[str, Any]

_MARKS = {"strong": "strong", "em": "em", "code": "code", "strike": "s", "underline": "u"}
_BLOCKS = {
    "paragraph": "p", "bulletList": "ul", "orderedList": "ol", "listItem": "li",
    "blockquote": "blockquote", "codeBlock": "pre", "table": "table", "tableRow": "tr",
    "tableCell": "td", "tableHeader": "th", "taskList": "ul", "decisionList": "ul",
    "decisionItem": "li", "panel": "aside", "expand": "div", "nestedExpand": "div",
}  # fmt: skip
_LINE = re.compile(r"(#{1,3}|[-*]|\d{1,3}[.)]) +(.*)")


def shown(node: Adf | None) -> Html:
    """Return a document as HTML."""
    return join(map(_node, _content(node)))


def _content(node: Adf | None) -> list[Adf]:
    return list((node or {}).get("content") or ())


def _node(node: Adf) -> Html:
    kind = node.get("type", "")
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(node)
    inner = join(map(_node, _content(node)))
    if kind in _BLOCKS:
        return tag(_BLOCKS[kind], inner, class_=f"adf-{kind}")
    return inner or tag("span", f"[{kind}]", class_="faint")


def _attr(node: Adf, name: str, default: str = "") -> str:
    return str((node.get("attrs") or {}).get(name) or default)


def _text(node: Adf) -> Html:
    made = join(str(node.get("text", "")))
    for mark in node.get("marks") or ():
        kind = mark.get("type")
        if kind in _MARKS:
            made = tag(_MARKS[kind], made)
        elif kind == "link":
            made = tag("a", made, href=_attr(mark, "href"), rel="noreferrer")
    return made


def _heading(node: Adf) -> Html:
    level = min(6, int(_attr(node, "level", "1")) + 2)
    return tag(f"h{level}", map(_node, _content(node)))


def _task(node: Adf) -> Html:
    box = tag("input", type="checkbox", checked=_attr(node, "state") == "DONE", disabled=True)
    return tag("li", box, " ", map(_node, _content(node)), class_="todo")


def _named(name: str) -> Callable[[Adf], Html]:
    """Return how to show a node whose words are one of its attributes."""
    return lambda node: tag("span", _attr(node, name, f"[{node['type']}]"), class_="inline")


def _card(node: Adf) -> Html:
    url = _attr(node, "url", "#")
    return tag("a", url, href=url, rel="noreferrer")


_SPECIAL: dict[str, Callable[[Adf], Html]] = {
    "text": _text,
    "hardBreak": lambda _node: tag("br"),
    "rule": lambda _node: tag("hr"),
    "heading": _heading,
    "taskItem": _task,
    "mention": _named("text"),
    "emoji": _named("text"),
    "status": _named("text"),
    "date": _named("timestamp"),
    "inlineCard": _card,
    "blockCard": _card,
}


# plain text


def as_lines(document: Adf | None) -> str | None:
    """Return a document as lines, None when it holds more than lines can say.

    `# ` to `### ` are headings, `- ` and `1. ` list items; an empty line ends a paragraph.
    """
    lines = []
    for node in _content(document):
        made = _block_lines(node)
        if made is None:
            return None
        lines.append(made)
    text = "\n\n".join(lines)
    return text if from_lines(text) == document or not text else None


def _block_lines(node: Adf) -> str | None:
    kind = node.get("type")
    if kind == "paragraph":
        return _plain(node)
    if kind == "heading":
        words = _plain(node)
        return None if words is None else f"{'#' * int(_attr(node, 'level', '1'))} {words}"
    if kind in {"bulletList", "orderedList"}:
        return _list_lines(node, ordered=kind == "orderedList")
    return None


def _list_lines(node: Adf, *, ordered: bool) -> str | None:
    lines = []
    for number, item in enumerate(_content(node), 1):
        inner = _content(item)
        words = _plain(inner[0]) if len(inner) == 1 else None
        if words is None:
            return None
        lines.append(f"{f'{number}.' if ordered else '-'} {words}")
    return "\n".join(lines)


def _plain(node: Adf) -> str | None:
    words = []
    for each in _content(node):
        if each.get("type") == "hardBreak":
            words.append("\n")
        elif each.get("type") == "text" and not each.get("marks"):
            words.append(each["text"])
        else:
            return None
    return "".join(words)


def from_lines(text: str) -> Adf:
    """Return the document that lines describe."""
    content = [node for chunk in re.split(r"\n\s*\n", text.strip()) for node in _chunk(chunk)]
    return {"type": "doc", "version": 1, "content": content}


def _chunk(chunk: str) -> Iterator[Adf]:
    group: list[str] = []
    last = ""
    for line in chunk.split("\n"):
        match = _LINE.fullmatch(line)
        kind = _kind(match[1]) if match else "paragraph"
        if group and (kind != last or kind == "heading"):
            yield _made(last, group)
            group = []
        group.append(line)
        last = kind
    if any(group):
        yield _made(last, group)


def _kind(sign: str) -> str:
    if sign[0] == "#":
        return "heading"
    return "bulletList" if sign in "-*" else "orderedList"


def _made(kind: str, lines: list[str]) -> Adf:
    if kind == "paragraph":
        return _paragraph(lines)
    parts = [match for line in lines if (match := _LINE.fullmatch(line))]
    if kind == "heading":
        words = _words(parts[0][2])
        return {"type": kind, "attrs": {"level": len(parts[0][1])}, "content": words}
    items = [{"type": "listItem", "content": [_paragraph([each[2]])]} for each in parts]
    return {"type": kind, "content": items}


def _paragraph(lines: list[str]) -> Adf:
    content: list[Adf] = []
    for place, line in enumerate(lines):
        content += [{"type": "hardBreak"}] if place else []
        content += _words(line)
    return {"type": "paragraph", "content": content}


def _words(text: str) -> list[Adf]:
    return [{"type": "text", "text": text}] if text else []


__all__ = ["as_lines", "from_lines", "shown"]
