"""Jira's board: a column for each status of a project, cards that can be moved, made and looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncd.sandbox.face.desk import Desk, Json
from syncd.sandbox.face.forms import Field, button, folded, form, hidden, rows
from syncd.sandbox.face.frame import (
    Go,
    Page,
    Visit,
    address,
    avatar,
    chip,
    day,
    more,
    part,
    search_box,
)  # fmt: skip
from syncd.sandbox.face.html import Html, join, tag

CARDS = 40
"""Cards of a column on the board; the rest is a page of its own."""

LONG = 100
"""Cards on a page that shows one column."""

_SHOWN = ["summary", "status", "assignee", "priority", "issuetype", "duedate", "parent", "labels"]
_CATEGORY = {"new": 0, "undefined": 0, "indeterminate": 1, "done": 2}


@dataclass(frozen=True, slots=True)
class Column:
    """A status of the board."""

    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Board:
    """What is looked at: all projects, the chosen one, its columns, and words looked for."""

    projects: Sequence[Json]
    project: Json
    columns: Sequence[Column]
    asked: str

    def jql(self, column: Column) -> str:
        """Return the query of a column."""
        words = self.asked.replace("\\", "\\\\").replace('"', '\\"')
        text = f' AND text ~ "{words}"' if words else ""
        return f"project = {self.project['id']} AND status = {column.id}{text}"


def open_board(desk: Desk, project: str, asked: str = "") -> Board | None:
    """Return a board by project key (the largest id otherwise), None where there is no project."""
    projects = desk.read("jira", "/rest/api/3/project/search?maxResults=100&orderBy=key")["values"]
    if not projects:
        return None
    found = next((each for each in projects if each["key"] == project), None)
    chosen = found or min(projects, key=lambda each: int(each["id"]))
    return Board(projects, chosen, _columns(desk, chosen["id"]), asked)


def _columns(desk: Desk, project: str) -> list[Column]:
    found = {}
    for kind in desk.read("jira", f"/rest/api/3/project/{project}/statuses"):
        for each in kind["statuses"]:
            found[each["id"]] = Column(each["id"], each["name"], each["statusCategory"]["key"])
    return sorted(found.values(), key=lambda column: _CATEGORY.get(column.category, 0))


def show(visit: Visit) -> Page:
    """Return the board, or one column of it whole."""
    board = open_board(visit.desk, visit.ask("project"), visit.ask("q"))
    if board is None:
        return Page("Jira", "jira", tag("p", "There is no project yet.", class_="faint"))
    name = board.project["name"]
    wanted = next((each for each in board.columns if each.id == visit.ask("column")), None)
    if wanted is not None:
        body = _whole_column(visit, board, wanted)
    else:
        back = address("/ui/jira", project=board.project["key"], q=board.asked)
        inner = columns(visit.desk, board, CARDS, back)
        body = tag("div", inner, class_="board", data_live="board")
    return Page(f"{name} board", "jira", join(_head(visit, board), body))


def _head(visit: Visit, board: Board) -> Html:
    key = board.project["key"]
    tabs = [
        tag("a", each["name"], href=address("/ui/jira", project=each["key"]),
            aria_current="page" if each["key"] == key else None)
        for each in board.projects
    ]  # fmt: skip
    return join(
        tag("div", tag("h1", board.project["name"], " ", tag("small", key)),
            search_box("/ui/jira", board.asked, "Find issues", project=key),
            creation(visit.desk, board, ""), class_="headline"),
        tag("nav", tabs, class_="tabs", aria_label="Projects") if len(tabs) > 1 else None,
    )  # fmt: skip


def creation(desk: Desk, board: Board, back: str) -> Html:
    """Return the form that makes an issue; it leads back, or to the issue where `back` is empty."""
    path = f"/rest/api/3/issue/createmeta/{part(board.project['key'])}/issuetypes"
    kinds = [
        (each["id"], each["name"])
        for each in desk.read("jira", path)["issueTypes"]
        if not each["subtask"]
    ]
    usual = next((value for value, name in kinds if name in {"Task", "Story"}), kinds[0][0])
    fields = (
        Field("summary", "Summary", "text", empty=False),
        Field("kind", "Type", "choice", (usual,), kinds, empty=False),
    )
    inner = form("/ui/jira/create", hidden(project=board.project["key"], back=back), rows(fields),
                 button("Create issue", class_="primary"))  # fmt: skip
    return folded("+ Create", inner, class_="folded create")


def columns(desk: Desk, board: Board, most: int, back: str, order: str = "rank") -> Html:
    """Return all columns with at most so many cards each; `back` is where moving a card leads."""
    return join(
        _column(desk, board, place, most, back, order) for place in range(len(board.columns))
    )


def _column(desk: Desk, board: Board, place: int, most: int, back: str, order: str) -> Html:
    column = board.columns[place]
    found = _search(desk, board, column, most, order)
    cards = [card(issue, board.columns, back) for issue in found["issues"]]
    total = len(cards)
    if not found["isLast"]:
        total = _count(desk, board, column)
        query = {"project": board.project["key"], "column": column.id, "q": board.asked}
        cards.append(tag("li", more(address("/ui/jira", **query), f"All {total} →")))
    title = tag("h2", tag("span", column.name, class_=f"lozenge {column.category}"), " ",
                tag("span", total, class_="count"))  # fmt: skip
    return tag("section", title, tag("ul", cards, class_="cards"), class_="column",
               aria_label=column.name, data_drop="status", data_value=column.id)  # fmt: skip


def _search(
    desk: Desk, board: Board, column: Column, most: int, order: str = "rank", token: str = ""
) -> Json:
    body: Json = {
        "jql": f"{board.jql(column)} ORDER BY {order}",
        "maxResults": most,
        "fields": _SHOWN,
    }
    if token:
        body["nextPageToken"] = token
    found: Json = desk.read("jira", "/rest/api/3/search/jql", body)
    return found


def _count(desk: Desk, board: Board, column: Column) -> int:
    body = {"jql": board.jql(column)}
    return int(desk.read("jira", "/rest/api/3/search/approximate-count", body)["count"])


def _whole_column(visit: Visit, board: Board, column: Column) -> Html:
    found = _search(visit.desk, board, column, LONG, token=visit.ask("page"))
    key = board.project["key"]
    back = address("/ui/jira", project=key, column=column.id)
    cards = [card(issue, board.columns, back) for issue in found["issues"]]
    token = found.get("nextPageToken")
    return tag(
        "section",
        tag("h2", tag("span", column.name, class_=f"lozenge {column.category}"), " ",
            tag("span", _count(visit.desk, board, column), class_="count"), " ",
            more(address("/ui/jira", project=key), "← whole board")),
        tag("ul", cards, class_="cards wide"),
        more(address("/ui/jira", project=key, column=column.id, q=board.asked, page=token),
             "Next page →") if token else None,
        data_live="column",
    )  # fmt: skip


def card(issue: Json, around: Sequence[Column], back: str) -> Html:
    """Return an issue's card, with buttons that move it one column on or back."""
    fields = issue["fields"]
    key = issue["key"]
    epic = (fields.get("parent") or {}).get("fields", {}).get("summary")
    return tag(
        "li",
        tag("a", fields["summary"], href=f"/ui/jira/{key}", class_="title"),
        chip(epic, "purple"),
        tag("div", chip(fields["issuetype"]["name"], f"type-{fields['issuetype']['name'].lower()}"),
            tag("span", key, class_="key"), day(fields.get("duedate")),
            avatar(_name(fields.get("assignee"))), _moves(issue, around, back), class_="meta"),
        id=key,
        class_="card",
        draggable="true",
        data_move=f"/ui/jira/{key}/move",
        data_at=fields["status"]["id"],
    )  # fmt: skip


def _name(user: Any) -> str | None:  # noqa: ANN401 - JSON
    return user["displayName"] if user else None


def _moves(issue: Json, around: Sequence[Column], back: str) -> Html:
    ids = [column.id for column in around]
    at = issue["fields"]["status"]["id"]
    place = ids.index(at) if at in ids else 0
    made = [
        button(sign, value=("status", around[there].id), class_="arrow",
               says=f"Move {issue['key']} to {around[there].name}")
        for sign, there in (("‹", place - 1), ("›", place + 1))
        if 0 <= there < len(around)
    ]  # fmt: skip
    return form(f"/ui/jira/{issue['key']}/move", hidden(back=back), made, class_="moves")


# actions


def create(visit: Visit) -> Go:
    """Make an issue."""
    sent = visit.form
    fields: Json = {
        "project": {"key": sent.one("project")},
        "issuetype": {"id": sent.one("kind")},
        "summary": sent.one("summary"),
    }
    if sent.one("parent"):
        fields["parent"] = {"key": sent.one("parent")}
    made = visit.desk.act("jira", "POST", "/rest/api/3/issue", {"fields": fields})
    return Go(sent.one("back") or f"/ui/jira/{made['key']}")


def move(visit: Visit, key: str) -> Go:
    """Take the transition that leads to a status."""
    path = f"/rest/api/3/issue/{part(key)}/transitions"
    wanted = visit.form.one("status")
    steps = visit.desk.read("jira", path)["transitions"]
    step = next((each["id"] for each in steps if each["to"]["id"] == wanted), None)
    if step is None:
        ways = ", ".join(each["to"]["name"] for each in steps) or "nowhere"
        raise ValueError(f"the workflow has no way there; from here {key} can go to: {ways}")
    visit.desk.act("jira", "POST", path, {"transition": {"id": step}})
    return Go(visit.form.one("back") or f"/ui/jira/{key}")
