"""Rich text as Notion's enhanced Markdown, both ways."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.notion.richtext import (
    COLORS,
    FLAGS,
    Lookup,
    date_value,
    form_of,
    merged,
    text_item,
)

JSON = dict[str, Any]
SPECIAL = "\\*~`$[]<>{}|^"
_ESCAPE = re.compile(r"([\\*~`$\[\]<>{}|^])")
_LINK = re.compile(r"\[((?:\\.|[^\[\]\\])*)\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")
_EQUATION = re.compile(r"\$`(.*?)`\$", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_SPAN = re.compile(r"<span ([^<>]*)>(.*?)</span>", re.DOTALL)
_MENTION = re.compile(r"<mention-([a-z-]+) ([^<>]*?)(?:/>|>(.*?)</mention-\1>)", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_BREAK = re.compile(r"<br\s*/?>")
_MARKS = (("**", "bold"), ("~~", "strikethrough"), ("*", "italic"))


def attributes(text: str) -> dict[str, str]:
    """Return `name="value"` pairs of a tag."""
    return dict(_ATTRIBUTE.findall(text))


def escape(text: str) -> str:
    """Return text so that none of it reads as Markdown; line ends become `<br>`."""
    return _ESCAPE.sub(r"\\\1", text).replace("\n", "<br>")


def write(items: Sequence[JSON]) -> str:
    """Return rich text as Markdown."""
    return "".join(_write(item) for item in items)


def _write(item: JSON) -> str:
    if item["type"] == "equation":
        return f"$`{item['equation']['expression']}`$"
    if item["type"] == "mention":
        return _write_mention(item)
    content, form = item["text"]["content"], item["annotations"]
    text = f"`{content}`" if form["code"] and "\n" not in content else escape(content)
    text = _marked(text, form)
    return f"[{text}]({item['href']})" if item["href"] else text


def _marked(text: str, form: JSON) -> str:
    inner = text.strip(" ")
    if not inner:
        return text
    before = text[: len(text) - len(text.lstrip(" "))]
    after = text[len(text.rstrip(" ")) :]
    for mark, flag in reversed(_MARKS):
        if form[flag]:
            inner = f"{mark}{inner}{mark}"
    if form["underline"]:
        inner = f'<span underline="true">{inner}</span>'
    if form["color"] != "default":
        inner = f'<span color="{color_word(form["color"])}">{inner}</span>'
    return before + inner + after


def color_word(color: str) -> str:
    """Return a colour in Markdown's spelling: `blue`, or `blue_bg` for a background."""
    return color.replace("_background", "_bg")


def color_of(word: str) -> str:
    """Return a colour from Markdown's spelling, `default` when unknown."""
    color = word.replace("_bg", "_background")
    return color if color in COLORS else "default"


def _write_mention(item: JSON) -> str:
    kind = item["mention"]["type"]
    held = item["mention"][kind]
    if kind == "date":
        ending = f' end="{held["end"]}"' if held["end"] else ""
        return f'<mention-date start="{held["start"]}"{ending}/>'
    if kind == "user":
        return f'<mention-user url="user://{held["id"]}">{held.get("name") or ""}</mention-user>'
    if kind in ("page", "database", "data_source"):
        name = kind.replace("_", "-")
        return f'<mention-{name} url="{item["href"]}">{item["plain_text"]}</mention-{name}>'
    return escape(item["plain_text"])


def read(text: str, lookup: Lookup) -> list[JSON]:
    """Return Markdown as rich text."""
    return merged(_Reader(lookup).read(text, {}, None))


class _Reader:
    """Reads inline Markdown; flags and link of what lies around are handed down."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def read(self, text: str, flags: JSON, link: str | None) -> list[JSON]:
        found: list[JSON] = []
        plain: list[str] = []
        at = 0
        while at < len(text):
            items, end = self._special(text, at, flags, link)
            if end == at:
                step = 2 if text[at] == "\\" and text[at + 1 : at + 2] in tuple(SPECIAL) else 1
                plain.append(text[at + step - 1])
                at += step
                continue
            _flush(plain, found, flags, link)
            found += items
            at = end
        _flush(plain, found, flags, link)
        return found

    def _special(self, text: str, at: int, flags: JSON, link: str | None) -> tuple[list[JSON], int]:
        """Return what a construct at this place holds and where it ends (`at`: none here)."""
        head = text[at]
        if head == "<":
            return self._tag(text, at, flags, link)
        if head == "[" and (match := _LINK.match(text, at)):
            return self.read(match[1], flags, match[2] or None), match.end()
        if head == "$" and (match := _EQUATION.match(text, at)):
            return [_equation(match[1])], match.end()
        if head == "`" and (match := _CODE.match(text, at)):
            return [text_item(match[1], link, **{**flags, "code": True})], match.end()
        if head in "*~":
            return self._mark(text, at, flags, link)
        return [], at

    def _mark(self, text: str, at: int, flags: JSON, link: str | None) -> tuple[list[JSON], int]:
        for mark, flag in _MARKS:
            if not text.startswith(mark, at):
                continue
            start = at + len(mark)
            end = _closing(text, start, mark)
            if end > start:
                return self.read(text[start:end], {**flags, flag: True}, link), end + len(mark)
        return [], at

    def _tag(self, text: str, at: int, flags: JSON, link: str | None) -> tuple[list[JSON], int]:
        if match := _BREAK.match(text, at):
            return [text_item("\n", link, **flags)], match.end()
        if match := _SPAN.match(text, at):
            given = attributes(match[1])
            inner = dict(flags)
            if given.get("underline") == "true":
                inner["underline"] = True
            if "color" in given:
                inner["color"] = color_of(given["color"])
            return self.read(match[2], inner, link), match.end()
        if match := _MENTION.match(text, at):
            return self._mention(match, flags), match.end()
        return [], at

    def _mention(self, match: re.Match[str], flags: JSON) -> list[JSON]:
        kind, given = match[1].replace("-", "_"), attributes(match[2])
        if kind == "date":
            value = date_value(
                {"start": given.get("start"), "end": given.get("end")}, "mention.date"
            )
            text = given.get("start", "")
            return [_mention_item("date", value or {}, text, None, flags)]
        identifier = parse_uuid(re.sub(r".*[/-]", "", given.get("url", ""))) or parse_uuid(
            given.get("url", "").rpartition("//")[2]
        )
        found = self._lookup(kind, identifier) if identifier else None
        if found is None:
            return [text_item(match[3], **flags)] if match[3] else []
        return [_mention_item(kind, *found, flags)]


def _mention_item(kind: str, held: JSON, text: str, href: str | None, flags: JSON) -> JSON:
    return {
        "type": "mention",
        "mention": {"type": kind, kind: held},
        "annotations": form_of(flags),
        "plain_text": text,
        "href": href,
    }


def _equation(expression: str) -> JSON:
    return {
        "type": "equation",
        "equation": {"expression": expression},
        "annotations": form_of({}),
        "plain_text": expression,
        "href": None,
    }


def _closing(text: str, start: int, mark: str) -> int:
    """Return where a mark closes, -1 if it does not."""
    at = start
    while True:
        at = text.find(mark, at)
        if at < 0:
            return -1
        escaped = text[at - 1] == "\\"
        longer = mark == "*" and (text[at + 1 : at + 2] == "*" or text[at - 1] == "*")
        if longer and not escaped:
            at += 2
        elif escaped:
            at += 1
        else:
            return at


def _flush(plain: list[str], found: list[JSON], flags: JSON, link: str | None) -> None:
    if plain:
        found.append(
            text_item(
                "".join(plain), link, **{k: v for k, v in flags.items() if k in (*FLAGS, "color")}
            )
        )
        plain.clear()
