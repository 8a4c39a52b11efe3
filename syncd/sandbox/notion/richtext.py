"""Rich text: what clients send, checked and normalised to what Notion gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from syncd.sandbox.notion import times
from syncd.sandbox.notion.checks import (
    ARRAY_LIMIT,
    EXPRESSION_LIMIT,
    TEXT_LIMIT,
    URL_LIMIT,
    require_bool,
    require_choice,
    require_dict,
    require_list,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.ids import plain as undashed

JSON = dict[str, Any]
PLAIN_COLORS = ("gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red")
COLORS = (
    "default",
    *PLAIN_COLORS,
    "default_background",
    *(f"{color}_background" for color in PLAIN_COLORS),
)
FLAGS = ("bold", "italic", "strikethrough", "underline", "code")
MENTIONS = ("user", "date", "page", "database", "data_source", "template_mention", "custom_emoji")
Lookup = Callable[[str, str], tuple[JSON, str, str | None] | None]


class RichText(list[JSON]):
    """Rich text as a value holds it: with its plain text in lower case, which filters look at."""

    __slots__ = ("folded",)

    def __init__(self, items: Sequence[JSON]) -> None:
        super().__init__(items)
        self.folded = plain_text(items).lower()


def plain_text(items: Sequence[JSON]) -> str:
    """Return the text of rich text without its formatting."""
    return "".join([item["plain_text"] for item in items])


def text_item(content: str, link: str | None = None, **flags: Any) -> JSON:  # noqa: ANN401
    """Return a text segment in full form."""
    return {
        "type": "text",
        "text": {"content": content, "link": {"url": link} if link else None},
        "annotations": form_of(flags),
        "plain_text": content,
        "href": link,
    }


def form_of(given: JSON) -> JSON:
    """Return the six annotations, with what is given laid over the defaults."""
    shown: JSON = {flag: bool(given.get(flag, False)) for flag in FLAGS}
    shown["color"] = given.get("color", "default")
    return shown


def parse(value: object, where: str, lookup: Lookup, limit: int = ARRAY_LIMIT) -> list[JSON]:
    """Return rich text as stored and shown; neighbours of equal form are merged.

    `lookup` turns the kind and id of a mention into (what is shown, plain text, address).
    """
    return merged(separate(value, where, lookup, limit))


def separate(value: object, where: str, lookup: Lookup, limit: int = ARRAY_LIMIT) -> list[JSON]:
    """Return rich text with its segments as sent: so titles of databases stay, as recorded."""
    return [
        item
        for index, given in enumerate(require_list(value, where, limit))
        if (item := _item(require_dict(given, f"{where}[{index}]"), f"{where}[{index}]", lookup))
    ]


def merged(items: Sequence[JSON]) -> list[JSON]:
    """Join neighbouring text segments that differ in nothing but their text, as Notion does."""
    found: list[JSON] = []
    for item in items:
        last = found[-1] if found else None
        if last is not None and _same_form(last, item):
            found[-1] = {
                **last,
                "text": {
                    **last["text"],
                    "content": last["text"]["content"] + item["text"]["content"],
                },
                "plain_text": last["plain_text"] + item["plain_text"],
            }
        else:
            found.append(item)
    return [piece for item in found for piece in _cut(item)]


def _cut(item: JSON) -> list[JSON]:
    """Cut a merged segment where it exceeds what one segment may hold."""
    text = item["plain_text"]
    if item["type"] != "text" or len(text) <= TEXT_LIMIT:
        return [item]
    parts = [text[at : at + TEXT_LIMIT] for at in range(0, len(text), TEXT_LIMIT)]
    return [
        {**item, "text": {**item["text"], "content": part}, "plain_text": part} for part in parts
    ]


def _same_form(one: JSON, other: JSON) -> bool:
    return bool(
        one["type"] == other["type"] == "text"
        and one["annotations"] == other["annotations"]
        and one["href"] == other["href"]
    )


def _item(given: JSON, where: str, lookup: Lookup) -> JSON | None:
    kind = given.get("type") or next(
        (name for name in ("text", "mention", "equation") if name in given), "text"
    )
    require_choice(kind, f"{where}.type", ("text", "mention", "equation"))
    make = {"text": _text, "mention": _mention, "equation": _equation}[kind]
    item = make(given, where, lookup)
    if item is not None:
        item["annotations"] = _annotations(given.get("annotations"), f"{where}.annotations")
    return item


def _annotations(given: object, where: str) -> JSON:
    if given is None:
        return form_of({})
    value = require_dict(given, where)
    for flag in FLAGS:
        if flag in value:
            require_bool(value[flag], f"{where}.{flag}")
    if "color" in value:
        require_choice(value["color"], f"{where}.color", COLORS)
    return form_of(value)


def _text(given: JSON, where: str, _lookup: Lookup) -> JSON | None:
    text = require_dict(given.get("text"), f"{where}.text") if "text" in given else None
    if text is None:
        raise bad(f"{where}.text", "be defined", MISSING)
    content = require_text(text.get("content", MISSING), f"{where}.text.content", TEXT_LIMIT)
    link = text.get("link")
    url = None
    if link is not None:
        url = web_address(
            require_dict(link, f"{where}.text.link").get("url"), f"{where}.text.link.url"
        )
    return text_item(content, url) if content else None


def web_address(value: object, where: str) -> str:
    """Return an address of a link as Notion stores it."""
    url = require_text(value, where, URL_LIMIT)
    if not url:
        raise bad(where, "be populated", url)
    if not url.startswith(("http://", "https://", "mailto:", "tel:", "/", "#")) and ":" not in url:
        raise invalid("Invalid URL for link.")
    return quote(url, safe=":/?#[]@!$&'()*+,;=%-._~|")


def _equation(given: JSON, where: str, _lookup: Lookup) -> JSON:
    value = require_dict(given.get("equation"), f"{where}.equation")
    text = require_text(
        value.get("expression", MISSING), f"{where}.equation.expression", EXPRESSION_LIMIT
    )
    return {
        "type": "equation",
        "equation": {"expression": text},
        "annotations": form_of({}),
        "plain_text": text,
        "href": None,
    }


def _mention(given: JSON, where: str, lookup: Lookup) -> JSON:
    value = require_dict(given.get("mention"), f"{where}.mention")
    kind = value.get("type") or next((name for name in MENTIONS if name in value), None)
    require_choice(kind, f"{where}.mention.type", MENTIONS)
    assert isinstance(kind, str)  # noqa: S101 - for the type checker
    shown, text, href = _target(kind, value, f"{where}.mention.{kind}", lookup)
    return {
        "type": "mention",
        "mention": {"type": kind, kind: shown},
        "annotations": form_of({}),
        "plain_text": text,
        "href": href,
    }


def _target(kind: str, value: JSON, where: str, lookup: Lookup) -> tuple[JSON, str, str | None]:
    target = require_dict(value.get(kind), where)
    if kind == "date":
        shown = date_value(target, where)
        assert shown is not None  # noqa: S101 - for the type checker
        text = shown["start"] + (f" → {shown['end']}" if shown["end"] else "")
        return shown, text, None
    if kind == "template_mention":
        own = "template_mention_user" in target
        name = "template_mention_user" if own else "template_mention_date"
        choices = ("me",) if own else ("today", "now")
        word = require_choice(target.get(name, MISSING), f"{where}.{name}", choices)
        return {"type": name, name: word}, f"@{word.capitalize()}", None
    identifier = require_uuid(target.get("id", MISSING), f"{where}.id")
    found = lookup(kind, identifier)
    if found is None:
        raise invalid(f"Could not find {kind} with ID: {identifier}.")
    return found


def date_value(value: object, where: str) -> JSON | None:
    """Return a date value (start, end, time_zone) as stored, None for null."""
    if value is None:
        return None
    given = require_dict(value, where)
    start, end, zone = given.get("start", MISSING), given.get("end"), given.get("time_zone")
    require_text(start, f"{where}.start")
    for name, text in (("start", start), ("end", end)):
        if text is not None and not times.is_date(text):
            raise bad(f"{where}.{name}", "be a valid ISO 8601 date string", text)
    _check_zone(zone, (start, end), where)
    return {
        "start": times.normal(start, zone),
        "end": times.normal(end, zone) if end is not None else None,
        "time_zone": zone,
    }


def _check_zone(zone: object, ends: tuple[Any, ...], where: str) -> None:
    if zone is None:
        return
    name = require_text(zone, f"{where}.time_zone")
    if not times.zone_exists(name):
        raise bad(f"{where}.time_zone", "be a valid IANA time zone", name)
    has_offset = any(
        isinstance(text, str) and (text.endswith("Z") or "+" in text or text.count("-") > 2)  # noqa: PLR2004
        for text in ends
    )
    if has_offset:
        raise invalid("Cannot provide both a UTC offset and a time_zone for a date value.")


def mention_address(identifier: str) -> str:
    """Return the address a mention of a page links to."""
    return f"https://app.notion.com/p/{undashed(identifier)}"
