"""Values of Notion properties: shown, and as fields to fill in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from syncd.sandbox.face.desk import Json
from syncd.sandbox.face.forms import Field, Option
from syncd.sandbox.face.frame import avatar, chip, day
from syncd.sandbox.face.html import Html, Node, join, tag

_MARKS = {"bold": "strong", "italic": "em", "code": "code", "strikethrough": "s", "underline": "u"}
_PLAIN = {"text": "text", "rich_text": "text", "title": "text", "number": "number", "url": "url",
          "email": "text", "phone_number": "text"}  # fmt: skip
_ORDER = ("title", "select", "status", "people", "date", "multi_select", "relation", "number")
Titles = Callable[[str], str]
"""Gives the title of a page by its id."""


def words(rich: Sequence[Json]) -> str:
    """Return the plain text of rich text."""
    return "".join(str(each.get("plain_text", "")) for each in rich)


def rich(pieces: Sequence[Json]) -> Html:
    """Return rich text as HTML."""
    return join(map(_piece, pieces))


def _piece(piece: Json) -> Html:
    made = join(str(piece.get("plain_text", "")))
    for mark, name in _MARKS.items():
        if piece.get("annotations", {}).get(mark):
            made = tag(name, made)
    if piece.get("href"):
        made = tag("a", made, href=piece["href"], rel="noreferrer")
    return made


def is_plain(pieces: Sequence[Json]) -> bool:
    """Return whether rich text is text alone, so that plain text replaces it without a loss."""
    return all(
        each["type"] == "text" and not each.get("href") and not _marked(each.get("annotations", {}))
        for each in pieces
    )


def _marked(annotations: Json) -> bool:
    return any(value not in {False, "default"} for value in annotations.values())


def title_of(page: Json) -> str:
    """Return a page's or a table's title."""
    if isinstance(page.get("title"), list):
        return words(page["title"]) or "Untitled"
    for value in page.get("properties", {}).values():
        if value["type"] == "title":
            return words(value["title"]) or "Untitled"
    return "Untitled"


def ordered(properties: Json) -> list[Json]:
    """Return a table's properties: title first, then those a person looks at most."""
    return sorted(
        properties.values(),
        key=lambda each: (
            _ORDER.index(each["type"]) if each["type"] in _ORDER else len(_ORDER),
            each["name"],
        ),
    )


def shown(value: Json, title: Titles) -> Html:
    """Return a property's value as HTML."""
    kind = value["type"]
    held = value.get(kind)
    if held is None or held in ([], ""):
        return Html()
    show = _SHOW.get(kind)
    if kind == "relation":
        return join(
            tag("a", title(each["id"]), href=f"/ui/notion/{each['id']}", class_="relation")
            for each in held
        )
    return show(held) if show else join(_any(held))


def _any(held: Any) -> str:  # noqa: ANN401 - JSON
    """Return something readable for a kind without a way of its own: formula, rollup, unique id."""
    if isinstance(held, dict):
        inner = held.get(held.get("type", ""), held.get("name", held.get("number")))
        return _any(inner) if inner is not None else ""
    return ", ".join(map(_any, held)) if isinstance(held, list) else str(held)


def _date(held: Json) -> Html:
    return join(day(held["start"]), " → " if held.get("end") else None, day(held.get("end")))


def _link(held: str) -> Html:
    return tag("a", held, href=held, rel="noreferrer")


_SHOW: dict[str, Callable[[Any], Html]] = {
    "title": rich,
    "rich_text": rich,
    "select": lambda held: chip(held["name"], held["color"]),
    "status": lambda held: chip(held["name"], f"{held['color']} dot"),
    "multi_select": lambda held: join(chip(each["name"], each["color"]) for each in held),
    "people": lambda held: join(avatar(each.get("name", "?"), named=True) for each in held),
    "created_by": lambda held: avatar(held.get("name", "?"), named=True),
    "last_edited_by": lambda held: avatar(held.get("name", "?"), named=True),
    "date": _date,
    "created_time": day,
    "last_edited_time": day,
    "number": lambda held: join(f"{held:g}"),
    "checkbox": lambda held: join("☑" if held else "☐"),
    "url": _link,
}


def field(about: Json, value: Json, people: Sequence[Option], title: Titles) -> Field:
    """Return a property as a field; kinds without an input are shown."""
    kind, name, label = about["type"], about["id"], about["name"]
    held = value.get(kind)
    if kind in {"select", "status", "multi_select"}:
        options = [(each["name"], each["name"]) for each in about[kind]["options"]]
        chosen = held if isinstance(held, list) else [held] if held else []
        values = tuple(each["name"] for each in chosen)
        options += [(each, each) for each in values if (each, each) not in options]
        return Field(name, label, "choices" if kind == "multi_select" else "choice", values, options,
                     empty=kind != "status")  # fmt: skip
    if kind == "people":
        return Field(name, label, "choices", tuple(each["id"] for each in held or ()), people)
    if kind == "checkbox":
        return Field(name, label, "choice", ("yes" if held else "no",),
                     [("yes", "Yes"), ("no", "No")], empty=False)  # fmt: skip
    if kind == "date" and _only_day(held):
        return Field(name, label, "date", (held["start"],) if held else ())
    if kind in _PLAIN and (not isinstance(held, list) or is_plain(held)):
        return Field(name, label, _PLAIN[kind], _text(held))
    inside: Node = shown(value, title) or "–"
    return Field(name, label, "shown", shown=inside)


def _only_day(held: Json | None) -> bool:
    return not held or (not held.get("end") and len(held["start"]) == 10)  # noqa: PLR2004 - a date


def _text(held: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    if held is None or held == []:
        return ()
    if isinstance(held, list):
        return (words(held),)
    return (f"{held:.12g}" if isinstance(held, float) else str(held),)


def sent(kind: str, values: list[str]) -> Json:
    """Return what the API takes for a changed property."""
    first = values[0].strip() if values else None
    if kind in {"title", "rich_text"}:
        return {kind: plain(first or "")}
    if kind in {"select", "status"}:
        return {kind: {"name": first} if first else None}
    if kind == "multi_select":
        return {kind: [{"name": each} for each in values]}
    if kind == "people":
        return {kind: [{"id": each} for each in values]}
    if kind == "checkbox":
        return {kind: first == "yes"}
    if kind == "date":
        return {kind: {"start": first} if first else None}
    if kind == "number":
        return {kind: float(first) if first else None}
    return {kind: first}


def plain(text: str) -> list[Json]:
    """Return rich text of plain text, in pieces of the 2,000 characters the API allows."""
    return [
        {"type": "text", "text": {"content": text[start : start + 2000]}}
        for start in range(0, len(text), 2000)
    ]
