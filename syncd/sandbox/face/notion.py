"""Notion's home and its tables: the pages of the workspace, a database's rows with their properties."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.sandbox.face import notion_values as values
from syncd.sandbox.face.desk import Desk, Json, Refused
from syncd.sandbox.face.forms import Field, button, folded, form, hidden, rows
from syncd.sandbox.face.frame import Go, Page, Visit, address, more, part, search_box
from syncd.sandbox.face.html import Html, join, tag

ROWS = 50
"""Rows of a table on one page."""


@dataclass(slots=True)
class Titles:
    """Finds titles of pages, each once."""

    desk: Desk
    known: dict[str, str] = field(default_factory=dict)

    def __call__(self, ident: str) -> str:
        """Return a page's title."""
        if ident not in self.known:
            try:
                self.known[ident] = values.title_of(
                    self.desk.read("notion", f"/v1/pages/{part(ident)}")
                )
            except Refused:
                self.known[ident] = "No access"
        return self.known[ident]

    def learn(self, pages: list[Json]) -> None:
        """Keep the titles of pages that were read already."""
        self.known.update((page["id"], values.title_of(page)) for page in pages)


def tables(desk: Desk) -> list[Json]:
    """Return the workspace's data sources, the oldest first."""
    body = {"filter": {"property": "object", "value": "data_source"}, "page_size": 100}
    found = desk.read("notion", "/v1/search", body)["results"]
    return sorted(found, key=lambda each: str(each["created_time"]))


def _pages(desk: Desk) -> list[Json]:
    """Return pages that are not rows, as far as the newest hundred tell."""
    body = {"filter": {"property": "object", "value": "page"}, "page_size": 100,
            "sort": {"timestamp": "last_edited_time", "direction": "ascending"}}  # fmt: skip
    found = desk.read("notion", "/v1/search", body)["results"]
    return [each for each in found if each["parent"]["type"] in {"workspace", "page_id"}]


def show(visit: Visit) -> Page:
    """Return a table with its rows, below the pages of the workspace."""
    found = tables(visit.desk)
    wanted = visit.ask("table")
    chosen = next((each for each in found if each["id"] == wanted), found[0] if found else None)
    if chosen is None:
        empty = tag("p", "There is no database yet.", class_="faint")
        return Page("Notion", "notion", join(_places(visit.desk, found, ""), empty))
    title = values.title_of(chosen)
    body = join(
        _places(visit.desk, found, chosen["id"]),
        tag("div", tag("h1", title),
            search_box("/ui/notion", visit.ask("q"), "Find rows", table=chosen["id"]),
            creation(chosen, ""), class_="headline"),
        tag("div", table(visit.desk, chosen, visit.ask("q"), visit.ask("page")),
            data_live="table"),
    )  # fmt: skip
    return Page(title, "notion", body)


def _places(desk: Desk, found: list[Json], chosen: str) -> Html:
    links = [
        tag("a", "▤ ", values.title_of(each), href=f"/ui/notion/{each['id']}")
        for each in _pages(desk)
    ] + [
        tag("a", "▦ ", values.title_of(each), href=address("/ui/notion", table=each["id"]),
            aria_current="page" if each["id"] == chosen else None)
        for each in found
    ]  # fmt: skip
    return tag("nav", links, class_="tabs", aria_label="Pages and databases")


def creation(source: Json, back: str) -> Html:
    """Return the form that makes a row; it leads back, or to the row where `back` is empty."""
    inner = form("/ui/notion/create", hidden(source=source["id"], back=back),
                 rows([Field("title", "Title", "text", empty=False)]),
                 button("Add page", class_="primary"))  # fmt: skip
    return folded("+ New", inner, class_="folded create")


def query(desk: Desk, source: Json, body: Json) -> Json:
    """Return rows of a table."""
    found: Json = desk.read("notion", f"/v1/data_sources/{source['id']}/query", body)
    return found


def _asked(asked: str, cursor: str) -> Json:
    """Return the query of one page of rows, the oldest first, as people see them in a new table."""
    oldest = {"timestamp": "created_time", "direction": "ascending"}
    body: Json = {"page_size": ROWS, "sorts": [oldest]}
    if asked:
        body["filter"] = {"property": "title", "title": {"contains": asked}}
    if cursor:
        body["start_cursor"] = cursor
    return body


def table(desk: Desk, source: Json, asked: str, cursor: str) -> Html:
    """Return a page of a table with all its properties."""
    found = query(desk, source, _asked(asked, cursor))
    about = values.ordered(source["properties"])
    titles = Titles(desk)
    titles.learn(found["results"])
    following = found["next_cursor"]
    kept = {"table": source["id"], "q": asked, "page": following}
    return join(
        tag("div", lines(about, found["results"], titles), class_="scroll", tabindex="0",
            role="region", aria_label=values.title_of(source)),
        tag("p", f"{len(found['results'])} rows", " and more" if following else None, class_="faint"),
        more(address("/ui/notion", **kept), "Next rows →") if following else None,
    )  # fmt: skip


def lines(about: list[Json], found: list[Json], titles: Titles) -> Html:
    """Return rows as a table with some properties."""
    head = tag("tr", [tag("th", each["name"], scope="col") for each in about])
    body = [_line(page, about, titles) for page in found]
    return tag("table", tag("thead", head), tag("tbody", body), class_="rows")


def _line(page: Json, about: list[Json], titles: Titles) -> Html:
    by_id = {each["id"]: each for each in page["properties"].values()}
    cells = []
    for each in about:
        inner = values.shown(by_id[each["id"]], titles) if each["id"] in by_id else Html()
        if each["type"] == "title":
            link = tag("a", inner or "Untitled", href=f"/ui/notion/{page['id']}", class_="title")
            cells.append(tag("th", link, scope="row"))
        else:
            cells.append(tag("td", inner))
    return tag("tr", cells, id=page["id"])


def create(visit: Visit) -> Go:
    """Make a row."""
    body = {
        "parent": {"type": "data_source_id", "data_source_id": visit.form.one("source")},
        "properties": {"title": {"title": values.plain(visit.form.one("title"))}},
    }
    made = visit.desk.act("notion", "POST", "/v1/pages", body)
    return Go(visit.form.one("back") or f"/ui/notion/{made['id']}")
