"""Notion's enhanced Markdown read into drafts of blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from syncd.sandbox.notion.blockkinds import LANGUAGES
from syncd.sandbox.notion.blocks import Draft
from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.notion.mdinline import attributes, color_of, read
from syncd.sandbox.notion.mdwrite import EMPTY, HEADING_MARKS, MEDIA
from syncd.sandbox.notion.richtext import Lookup, text_item

JSON = dict[str, Any]
REFERENCE = "reference"  # a line that stands for a page, database or block that exists
_HEADING = re.compile(r"(#{1,4}) (.*)")
_TO_DO = re.compile(r"[-*+] \[([ xX])\] ?(.*)")
_BULLET = re.compile(r"[-*+] (.*)")
_NUMBER = re.compile(r"\d+[.)] (.*)")
_QUOTE = re.compile(r"> ?(.*)")
_FENCE = re.compile(r"(`{3,})\s*([^`]*)")
_IMAGE = re.compile(r"!\[(.*)\]\((\S+)\)")
_MEDIA = re.compile(rf'<({"|".join(MEDIA)}) src="([^"]*)"[^>]*>(.*)</\1>')
_REFERENCE = re.compile(r"<(page|database|unknown) ([^>]*?)/?>")
_OPEN = re.compile(r"<(details|callout|columns|column|synced_block|table)([^>]*)>")
_MARKS = re.compile(r"\s*\{([^{}]*)\}\s*$")
_PIPE = re.compile(r"\s*\|.*\|\s*")
_RULE = re.compile(r"\s*\|[\s:|-]+\|\s*")
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
_ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.DOTALL)
_DIVIDERS = ("---", "***", "___")


def parse(text: str, lookup: Lookup) -> list[Draft]:
    """Return the blocks a Markdown text stands for."""
    return _Reader(lookup).blocks(text.replace("\r\n", "\n").split("\n"))


def _depth(line: str) -> int:
    """Return how deep a line is indented, in tabs; two to four spaces count as one."""
    tabs = len(line) - len(line.lstrip("\t"))
    if tabs:
        return tabs
    spaces = len(line) - len(line.lstrip(" "))
    return (spaces + 2) // 4 if spaces != 2 else 1  # noqa: PLR2004 - two spaces are usual too


def _outdent(line: str) -> str:
    return line[1:] if line.startswith("\t") else re.sub(r"^ {1,4}", "", line)


class _Reader:
    """Reads lines into drafts."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def blocks(self, lines: Sequence[str]) -> list[Draft]:
        found: list[Draft] = []
        at = 0
        while at < len(lines):
            if not lines[at].strip():
                at += 1
                continue
            if _depth(lines[at]) and found and found[-1].type != REFERENCE:
                at = self._nested(lines, at, found[-1])
                continue
            draft, at = self._block(lines, at)
            found.append(draft)
        return found

    def _nested(self, lines: Sequence[str], at: int, above: Draft) -> int:
        end = at
        while end < len(lines) and (_depth(lines[end]) or not lines[end].strip()):
            end += 1
        above.children += self.blocks([_outdent(line) for line in lines[at:end]])
        return end

    def _block(self, lines: Sequence[str], at: int) -> tuple[Draft, int]:
        line = lines[at].strip()
        if match := _FENCE.fullmatch(line):
            return self._code(lines, at, match)
        if line == "$$":
            return self._equation(lines, at)
        if match := _OPEN.fullmatch(line):
            return self._container(lines, at, match)
        if _PIPE.fullmatch(line) and at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1]):
            return self._pipes(lines, at)
        return self._line(line), at + 1

    def _code(self, lines: Sequence[str], at: int, match: re.Match[str]) -> tuple[Draft, int]:
        end = at + 1
        while end < len(lines) and lines[end].strip() != match[1]:
            end += 1
        language = match[2].strip().lower()
        text = "\n".join(lines[at + 1 : end])
        content = {
            "caption": [],
            "rich_text": [text_item(text)] if text else [],
            "language": language if language in LANGUAGES else "plain text",
        }
        return Draft("code", content), end + 1

    def _equation(self, lines: Sequence[str], at: int) -> tuple[Draft, int]:
        end = at + 1
        while end < len(lines) and lines[end].strip() != "$$":
            end += 1
        return Draft("equation", {"expression": "\n".join(lines[at + 1 : end])}), end + 1

    def _container(self, lines: Sequence[str], at: int, match: re.Match[str]) -> tuple[Draft, int]:
        tag, given = match[1], attributes(match[2])
        end = _closing(lines, at, tag)
        inner = lines[at + 1 : end]
        if tag == "table":
            return _table(_cells("\n".join(inner)), given, self._text), end + 1
        return self._made(tag, inner, given), end + 1

    def _made(self, tag: str, lines: Sequence[str], given: dict[str, str]) -> Draft:
        if tag == "details":
            return self._toggle(lines, given)
        if tag == "callout":
            return self._callout(lines, given)
        if tag == "synced_block":
            return Draft("synced_block", {"synced_from": None}, self._inside(lines))
        return Draft("column_list" if tag == "columns" else "column", {}, self._inside(lines))

    def _inside(self, lines: Sequence[str]) -> list[Draft]:
        return self.blocks([_outdent(line) for line in lines])

    def _toggle(self, lines: Sequence[str], given: dict[str, str]) -> Draft:
        title = ""
        if lines and (match := re.fullmatch(r"\s*<summary>(.*)</summary>\s*", lines[0])):
            title, lines = match[1], lines[1:]
        content = {"rich_text": self._text(title), "color": color_of(given.get("color", ""))}
        return Draft("toggle", content, self._inside(lines))

    def _callout(self, lines: Sequence[str], given: dict[str, str]) -> Draft:
        inside = self._inside(lines)
        text: list[JSON] = []
        if inside and inside[0].type == "paragraph":
            first = inside.pop(0)
            text, inside = first.content["rich_text"], [*first.children, *inside]
        icon = {"type": "emoji", "emoji": given["icon"]} if given.get("icon") else None
        content = {"rich_text": text, "icon": icon, "color": color_of(given.get("color", ""))}
        return Draft("callout", content, inside)

    def _pipes(self, lines: Sequence[str], at: int) -> tuple[Draft, int]:
        end = at
        rows = []
        while end < len(lines) and _PIPE.fullmatch(lines[end]):
            if end != at + 1:
                cells = re.split(r"(?<!\\)\|", lines[end].strip()[1:-1])
                rows.append([cell.strip() for cell in cells])
            end += 1
        return _table(rows, {"header-row": "true"}, self._text), end

    def _line(self, line: str) -> Draft:
        if line in _DIVIDERS:
            return Draft("divider", {})
        if line == EMPTY:
            return Draft("paragraph", {"rich_text": [], "icon": None, "color": "default"})
        if line == "<table_of_contents/>":
            return Draft("table_of_contents", {"color": "default"})
        return self._media(line) or self._text_block(line)

    def _media(self, line: str) -> Draft | None:
        if match := _REFERENCE.match(line):
            return Draft(
                REFERENCE, {"id": _identifier(attributes(match[2]).get("url", "")), "line": line}
            )
        kind, url, caption = "image", "", ""
        if match := _IMAGE.fullmatch(line):
            caption, url = match.groups()
        elif match := _MEDIA.fullmatch(line):
            kind, url, caption = match.groups()
        else:
            return None
        content: JSON = {
            "caption": self._text(caption),
            "type": "external",
            "external": {"url": url},
        }
        if kind == "file":
            content["name"] = url.rsplit("/", 1)[-1]
        return Draft(kind, content)

    def _text_block(self, line: str) -> Draft:
        line, marks = _split_marks(line)
        color = color_of(marks.get("color", ""))
        if match := _HEADING.fullmatch(line):
            kind = next(name for name, mark in HEADING_MARKS.items() if mark == match[1])
            toggles = marks.get("toggle") == "true"
            content = {"rich_text": self._text(match[2]), "is_toggleable": toggles, "color": color}
            return Draft(kind, content)
        if match := _TO_DO.fullmatch(line):
            checked = match[1] != " "
            return Draft(
                "to_do", {"rich_text": self._text(match[2]), "checked": checked, "color": color}
            )
        for kind, pattern in (
            ("bulleted_list_item", _BULLET),
            ("numbered_list_item", _NUMBER),
            ("quote", _QUOTE),
        ):
            if match := pattern.fullmatch(line):
                return Draft(kind, {"rich_text": self._text(match[1]), "color": color})
        return Draft("paragraph", {"rich_text": self._text(line), "icon": None, "color": color})

    def _text(self, text: str) -> list[JSON]:
        return read(text, self._lookup)


def _split_marks(line: str) -> tuple[str, dict[str, str]]:
    match = _MARKS.search(line)
    if match is None or "=" not in match[1] or line[match.start() - 1 : match.start()] == "\\":
        return line, {}
    return line[: match.start()], attributes(match[1])


def _closing(lines: Sequence[str], at: int, tag: str) -> int:
    """Return the line that closes a container, or the end of the text."""
    depth = 0
    for index in range(at, len(lines)):
        line = lines[index].strip()
        if line.startswith((f"<{tag}>", f"<{tag} ")):
            depth += 1
        elif line == f"</{tag}>":
            depth -= 1
            if depth == 0:
                return index
    return len(lines)


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in _CELL.findall(row)] for row in _ROW.findall(text)]


def _table(rows: list[list[str]], given: dict[str, str], text: Any) -> Draft:  # noqa: ANN401 - a method
    width = max((len(row) for row in rows), default=1)
    drafts = [
        Draft("table_row", {"cells": [text(cell) for cell in row + [""] * (width - len(row))]})
        for row in rows
    ]
    content = {
        "table_width": width,
        "has_column_header": given.get("header-row") == "true",
        "has_row_header": given.get("header-column") == "true",
    }
    return Draft("table", content, drafts)


def _identifier(url: str) -> str | None:
    """Return the id an address of a page, database or block ends with."""
    tail = url.rpartition("#")[2]
    digits = re.sub(r"[^0-9a-f]", "", tail.rpartition("/")[2].rpartition("-")[2].lower())
    return parse_uuid(digits[-32:]) or parse_uuid(tail.rpartition("/")[2][-36:])
