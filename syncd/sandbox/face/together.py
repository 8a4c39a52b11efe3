"""All three services side by side."""

from __future__ import annotations

from collections import Counter

from syncd.sandbox.face import asana, jira, notion
from syncd.sandbox.face import notion_values as values
from syncd.sandbox.face.desk import Desk, Json
from syncd.sandbox.face.frame import Page, Visit, address, more
from syncd.sandbox.face.html import Html, Node, join, tag

FEW = 8
ROWS = 40
_COLUMNS = 3
_SHORT = frozenset({"select", "status", "date", "number", "checkbox"})
"""Properties of a row that fit beside the other services."""


def show(visit: Visit) -> Page:
    """Return the page; `project`, `list` and `table` choose what each service shows."""
    desk = visit.desk
    panels = (
        _jira(desk, visit.ask("project")),
        _asana(desk, visit.ask("list")),
        _notion(desk, visit.ask("table")),
    )
    title = tag("h1", "Jira, Asana and Notion, side by side", class_="spoken")
    return Page("Side by side", "", join(title, tag("div", panels, class_="three")))


def _panel(service: str, title: str, href: str, words: str, *inner: Node) -> Html:
    head = tag("div", tag("h2", tag("span", service, class_="service"), " ", title),
               more(href, words), class_="headline")  # fmt: skip
    name = service.lower()
    return tag("section", head, tag("div", inner, data_live=name), class_=f"panel {name}",
               aria_label=service)  # fmt: skip


def _jira(desk: Desk, project: str) -> Html:
    board = jira.open_board(desk, project)
    if board is None:
        return _panel("Jira", "", "/ui/jira", "Board →", tag("p", "No project.", class_="faint"))
    href = address("/ui/jira", project=board.project["key"])
    creation = jira.creation(desk, board, "/ui/")
    inner = tag("div", jira.columns(desk, board, FEW, "/ui/", "updated DESC"), class_="stack")
    return _panel("Jira", board.project["name"], href, "Board →", creation, inner)


def _asana(desk: Desk, project: str) -> Html:
    listing = asana.open_listing(desk, project)
    if listing is None:
        return _panel("Asana", "", "/ui/asana", "List →", tag("p", "No project.", class_="faint"))
    href = address("/ui/asana", project=listing.project["gid"])
    creation = asana.creation(listing, "/ui/")
    inner = tag("div", asana.sections(desk, listing, FEW, "/ui/"), class_="list")
    return _panel("Asana", listing.project["name"], href, "List →", creation, inner)


def _notion(desk: Desk, table: str) -> Html:
    found = notion.tables(desk)
    source = next((each for each in found if each["id"] == table), found[0] if found else None)
    if source is None:
        empty = tag("p", "No database.", class_="faint")
        return _panel("Notion", "", "/ui/notion", "Table →", empty)
    href = address("/ui/notion", table=source["id"])
    inner = tag("div", _rows(desk, source), class_="scroll")
    creation = notion.creation(source, "/ui/")
    return _panel("Notion", values.title_of(source), href, "Table →", creation, inner)


def _rows(desk: Desk, source: Json) -> Html:
    newest = {"timestamp": "last_edited_time", "direction": "descending"}
    found = notion.query(desk, source, {"page_size": ROWS, "sorts": [newest]})["results"]
    titles = notion.Titles(desk)
    titles.learn(found)
    return notion.lines(_telling(source, found), found, titles)


def _telling(source: Json, found: list[Json]) -> list[Json]:
    """Return the title and the few short properties that most rows have a value for."""
    filled: Counter[str] = Counter()
    for page in found:
        for each in page["properties"].values():
            if each["type"] in _SHORT and each[each["type"]]:
                filled[each["id"]] += 1
    title, *rest = values.ordered(source["properties"])
    return [
        title,
        *sorted(
            (each for each in rest if each["id"] in filled), key=lambda each: -filled[each["id"]]
        )[: _COLUMNS - 1],
    ]
