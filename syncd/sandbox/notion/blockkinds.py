"""What each type of block holds: how a request's content is checked, completed and updated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncd.sandbox.notion import files, richtext
from syncd.sandbox.notion.checks import (
    ARRAY_LIMIT,
    EXPRESSION_LIMIT,
    URL_LIMIT,
    only,
    require_bool,
    require_choice,
    require_dict,
    require_list,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, bad, invalid
from syncd.sandbox.notion.richtext import COLORS
from syncd.sandbox.notion.shapes import Shapes
from syncd.sandbox.notion.store import Store

JSON = dict[str, Any]
RICH = (
    "paragraph", "heading_1", "heading_2", "heading_3", "heading_4", "bulleted_list_item",
    "numbered_list_item", "quote", "to_do", "toggle", "template", "callout",
)  # fmt: skip
HEADINGS = ("heading_1", "heading_2", "heading_3", "heading_4")
MEDIA = ("image", "video", "pdf", "file", "audio")
EMPTY = ("divider", "breadcrumb", "column_list", "tab")
TYPES = (
    "embed", "bookmark", *MEDIA, "code", "equation", "divider", "breadcrumb", "tab", "table_of_contents",
    "link_to_page", "table_row", "table", "column_list", "column", *RICH, "synced_block",
)  # fmt: skip
PARENTS = frozenset({*RICH, "synced_block", "column", "column_list", "table", "tab"})
LANGUAGES = (
    "abap", "abc", "agda", "arduino", "ascii art", "assembly", "bash", "basic", "bnf", "c", "c#",
    "c++", "clojure", "coffeescript", "coq", "css", "dart", "dhall", "diff", "docker", "ebnf",
    "elixir", "elm", "erlang", "f#", "flow", "fortran", "gherkin", "glsl", "go", "graphql",
    "groovy", "haskell", "hcl", "html", "idris", "java", "javascript", "json", "julia", "kotlin",
    "latex", "less", "lisp", "livescript", "llvm ir", "lua", "makefile", "markdown", "markup",
    "matlab", "mathematica", "mermaid", "nix", "notion formula", "objective-c", "ocaml", "pascal",
    "perl", "php", "plain text", "powershell", "prolog", "protobuf", "purescript", "python", "r",
    "racket", "reason", "ruby", "rust", "sass", "scala", "scheme", "scss", "shell", "smalltalk",
    "solidity", "sql", "swift", "toml", "typescript", "vb.net", "verilog", "vhdl", "visual basic",
    "webassembly", "xml", "yaml", "java/c/c++/c#",
)  # fmt: skip
TEXT_KEYS = {
    "to_do": ("checked",),
    "callout": ("icon",),
    "paragraph": ("icon",),
    "numbered_list_item": ("list_start_index", "list_format"),
    **dict.fromkeys(HEADINGS, ("is_toggleable",)),
}


class Kinds:
    """Makes the stored content of blocks from requests."""

    def __init__(self, store: Store, shapes: Shapes) -> None:
        self._store = store
        self._shapes = shapes
        self._makers: dict[str, Callable[[str, JSON, str], JSON]] = {
            **dict.fromkeys(RICH, self._rich),
            **dict.fromkeys(MEDIA, self._media),
            **dict.fromkeys(EMPTY, lambda _kind, _given, _where: {}),
            "code": self._code,
            "equation": self._equation,
            "bookmark": self._link,
            "embed": self._link,
            "table_of_contents": lambda _kind, given, where: {"color": _color(given, where)},
            "link_to_page": self._link_to_page,
            "table": self._table,
            "table_row": self._row,
            "column": self._column,
            "synced_block": self._synced,
        }

    def make(self, kind: str, given: JSON, where: str) -> JSON:
        """Return the content of a new block."""
        return self._makers[kind](kind, given, where)

    def update(self, kind: str, held: JSON, given: JSON, where: str) -> JSON:
        """Return the content after an update: what is not mentioned stays."""
        if kind in EMPTY:
            return held
        if kind == "synced_block":
            raise invalid("Updating synced block content is not supported.")
        if kind == "table" and given.get("table_width", held["table_width"]) != held["table_width"]:
            raise bad(f"{where}.table_width", "be not present", given["table_width"])
        if kind in MEDIA:
            return self._update_media(kind, held, given, where)
        made = self.make(kind, {**held, **given}, where)
        if kind in HEADINGS and "is_toggleable" not in given:
            made["is_toggleable"] = held["is_toggleable"]
        return made

    def _update_media(self, kind: str, held: JSON, given: JSON, where: str) -> JSON:
        if any(name in given for name in files.KINDS):
            return self.make(kind, {"caption": held["caption"], **given}, where)
        caption = self._texts(given.get("caption", held["caption"]), f"{where}.caption")
        return {**held, "caption": caption}

    def _texts(self, value: object, where: str) -> list[JSON]:
        return richtext.parse(value, where, self._shapes.mention)

    def _rich(self, kind: str, given: JSON, where: str) -> JSON:
        extra = TEXT_KEYS.get(kind, ())
        only(given, ("rich_text", "color", "children", *extra), where)
        made: JSON = {
            "rich_text": self._texts(given.get("rich_text", MISSING), f"{where}.rich_text")
        }
        if "icon" in extra:
            icon = given.get("icon")
            if kind == "callout" and "icon" not in given:
                icon = {"type": "emoji", "emoji": "💡"}
            made["icon"] = files.icon(self._store, icon, f"{where}.icon")
        if "checked" in extra:
            made["checked"] = require_bool(given.get("checked", False), f"{where}.checked")
        if "is_toggleable" in extra:
            made["is_toggleable"] = require_bool(
                given.get("is_toggleable", False), f"{where}.is_toggleable"
            )
        for name in ("list_start_index", "list_format"):
            if name in extra and name in given:
                made[name] = given[name]
        if kind != "template":
            made["color"] = _color(given, where)
        return made

    def _code(self, _kind: str, given: JSON, where: str) -> JSON:
        return {
            "caption": self._texts(given.get("caption", []), f"{where}.caption"),
            "rich_text": self._texts(given.get("rich_text", MISSING), f"{where}.rich_text"),
            "language": require_choice(
                given.get("language", MISSING), f"{where}.language", LANGUAGES
            ),
        }

    def _equation(self, _kind: str, given: JSON, where: str) -> JSON:
        text = require_text(
            given.get("expression", MISSING), f"{where}.expression", EXPRESSION_LIMIT
        )
        return {"expression": text}

    def _link(self, _kind: str, given: JSON, where: str) -> JSON:
        return {
            "caption": self._texts(given.get("caption", []), f"{where}.caption"),
            "url": require_text(given.get("url", MISSING), f"{where}.url", URL_LIMIT),
        }

    def _media(self, kind: str, given: JSON, where: str) -> JSON:
        caption = self._texts(given.get("caption", []), f"{where}.caption")
        source = files.file_source(self._store, given, where)
        made = {"caption": caption, **source}
        if kind == "file":
            address = source[source["type"]]["url"]
            made["name"] = given.get("name") or address.rsplit("/", 1)[-1]
        return made

    def _link_to_page(self, _kind: str, given: JSON, where: str) -> JSON:
        kinds = ("page_id", "database_id", "comment_id")
        kind = given.get("type") or next((name for name in kinds if name in given), MISSING)
        kind = require_choice(kind, f"{where}.type", kinds)
        return {"type": kind, kind: require_uuid(given.get(kind, MISSING), f"{where}.{kind}")}

    def _table(self, _kind: str, given: JSON, where: str) -> JSON:
        width = given.get("table_width", MISSING)
        if isinstance(width, bool) or not isinstance(width, int) or width < 1:
            raise bad(
                f"{where}.table_width", "be defined" if width is MISSING else "be a number", width
            )
        return {
            "table_width": width,
            "has_column_header": require_bool(
                given.get("has_column_header", False), f"{where}.has_column_header"
            ),
            "has_row_header": require_bool(
                given.get("has_row_header", False), f"{where}.has_row_header"
            ),
        }

    def _row(self, _kind: str, given: JSON, where: str) -> JSON:
        cells = require_list(given.get("cells", MISSING), f"{where}.cells", ARRAY_LIMIT)
        return {
            "cells": [
                self._texts(cell, f"{where}.cells[{index}]") for index, cell in enumerate(cells)
            ]
        }

    def _column(self, _kind: str, given: JSON, where: str) -> JSON:
        ratio = given.get("width_ratio")
        if ratio is None:
            return {}
        if isinstance(ratio, bool) or not isinstance(ratio, int | float):
            raise bad(f"{where}.width_ratio", "be a number", ratio)
        return {"width_ratio": ratio}

    def _synced(self, _kind: str, given: JSON, where: str) -> JSON:
        origin = given.get("synced_from")
        if origin is None:
            return {"synced_from": None}
        body = require_dict(origin, f"{where}.synced_from")
        identifier = require_uuid(body.get("block_id", MISSING), f"{where}.synced_from.block_id")
        if identifier not in self._store.nodes:
            raise self._shapes.not_found("block", identifier)
        return {"synced_from": {"type": "block_id", "block_id": identifier}}


def _color(given: JSON, where: str) -> str:
    return require_choice(given.get("color", "default"), f"{where}.color", COLORS)
