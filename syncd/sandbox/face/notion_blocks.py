"""The blocks of a Notion page: shown as they nest, each with the means to edit or remove it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from syncd.sandbox.face import notion_values as values
from syncd.sandbox.face.desk import Desk, Json
from syncd.sandbox.face.forms import Field, Option, button, folded, form, hidden, rows
from syncd.sandbox.face.frame import part
from syncd.sandbox.face.html import Html, Node, join, tag

DEPTH = 4
MOST = 100
"""Blocks shown of one parent, one page of the listing."""

KINDS: tuple[Option, ...] = (
    ("paragraph", "Text"), ("heading_1", "Heading 1"), ("heading_2", "Heading 2"),
    ("heading_3", "Heading 3"), ("bulleted_list_item", "Bulleted list"),
    ("numbered_list_item", "Numbered list"), ("to_do", "To-do"), ("quote", "Quote"),
    ("code", "Code"),
)  # fmt: skip
_ELEMENTS = {
    "paragraph": "p", "heading_1": "h2", "heading_2": "h3", "heading_3": "h4", "heading_4": "h5",
    "quote": "blockquote", "callout": "aside", "code": "pre", "to_do": "span",
}  # fmt: skip
_LISTS = {"bulleted_list_item": "ul", "numbered_list_item": "ol"}


def shown(desk: Desk, parent: str, page: str, depth: int = 0) -> Html:
    """Return the blocks inside a parent; `page` is where actions lead back to."""
    found = desk.read("notion", f"/v1/blocks/{part(parent)}/children?page_size={MOST}")
    made = [_group(desk, kind, list(each), page, depth)
            for kind, each in groupby(found["results"], key=lambda block: str(block["type"]))]  # fmt: skip
    rest = tag("p", f"Only the first {MOST} blocks are shown.", class_="faint")
    return join(made, rest if found["has_more"] else None)


def _group(desk: Desk, kind: str, blocks: list[Json], page: str, depth: int) -> Html:
    items = (
        tag("li" if kind in _LISTS else "div", _check(block, page), _content(desk, block),
            _tools(block, page), _inside(desk, block, page, depth),
            class_=f"block {kind}", id=block["id"])
        for block in blocks
    )  # fmt: skip
    return tag(_LISTS[kind], items, class_="blocks") if kind in _LISTS else join(items)


def _inside(desk: Desk, block: Json, page: str, depth: int) -> Html | None:
    if not block["has_children"] or block["type"] in {"child_page", "child_database"}:
        return None
    if depth >= DEPTH:
        return tag("p", "…", class_="faint")
    if block["type"] == "table":
        return _table(desk, block)
    return tag("div", shown(desk, block["id"], page, depth + 1), class_="nested")


def _table(desk: Desk, block: Json) -> Html:
    found = desk.read("notion", f"/v1/blocks/{block['id']}/children?page_size={MOST}")["results"]
    lines = (
        tag("tr", [tag("td", values.rich(cell)) for cell in each["table_row"]["cells"]])
        for each in found
    )
    return tag("div", tag("table", lines, class_="rows"), class_="scroll")


def _content(desk: Desk, block: Json) -> Html:
    kind = block["type"]
    held = block[kind]
    if kind in {"child_page", "child_database"}:
        return _child(desk, block)
    if kind == "divider":
        return tag("hr")
    if "rich_text" in held:
        text = values.rich(held["rich_text"])
        return tag(
            _ELEMENTS.get(kind, "span"), text, class_="done" if held.get("checked") else None
        )
    url = held.get("url") or held.get("external", {}).get("url")
    if url:
        return tag("p", tag("a", url, href=url, rel="noreferrer"))
    if block["has_children"]:
        return Html()  # a table, columns, a synced block: what they hold is shown
    return tag("span", held.get("expression") or f"[{kind.replace('_', ' ')}]", class_="faint")


def _child(desk: Desk, block: Json) -> Html:
    kind = block["type"]
    title = block[kind]["title"] or "Untitled"
    if kind == "child_page":
        return tag("p", tag("a", "▤ ", title, href=f"/ui/notion/{block['id']}"))
    sources = desk.read("notion", f"/v1/databases/{block['id']}")["data_sources"]
    return join(
        tag("p", tag("a", "▦ ", each["name"] or title, href=f"/ui/notion?table={each['id']}"))
        for each in sources
    )


def _check(block: Json, page: str) -> Html | None:
    """Return the box of a to-do, as a button."""
    if block["type"] != "to_do":
        return None
    checked = block["to_do"]["checked"]
    box = button("☑" if checked else "☐", value=("checked", "no" if checked else "yes"),
                 says="Uncheck" if checked else "Check", class_="check")  # fmt: skip
    return form(f"/ui/notion/{page}/block", hidden(block=block["id"], kind="to_do"), box)


def _tools(block: Json, page: str) -> Html:
    return tag("div", list(_tool(block, page)), class_="tools")


def _tool(block: Json, page: str) -> Iterator[Node]:
    kind = block["type"]
    held = block[kind]
    action = f"/ui/notion/{page}/block"
    this = {"block": block["id"], "kind": kind}
    if kind in dict(KINDS) and values.is_plain(held["rich_text"]):
        field = Field("text", "Text", "area", (values.words(held["rich_text"]),))
        yield folded("Edit", form(action, hidden(**this), rows([field], f"{block['id']}-"), button("Save")),
                     class_="folded small")  # fmt: skip
    if not kind.startswith("child_"):
        yield form(action, hidden(**this), button("×", value=("remove", "yes"), class_="arrow",
                   says="Remove this block"))  # fmt: skip


def adding(page: str) -> Html:
    """Return the form that adds a block at the end of a page."""
    fields = (
        Field("kind", "Kind", "choice", ("paragraph",), KINDS, empty=False),
        Field("text", "Text", "area"),
    )
    return folded(
        "+ Block", form(f"/ui/notion/{page}/add", rows(fields, "add-"), button("Add block"))
    )
