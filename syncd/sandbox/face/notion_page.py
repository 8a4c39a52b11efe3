"""One Notion page: its properties and blocks, edited, moved, moved to the trash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.sandbox.face import notion_blocks as blocks
from syncd.sandbox.face import notion_values as values
from syncd.sandbox.face.desk import Desk, Json
from syncd.sandbox.face.forms import Field, Option, button, folded, form, rows, told_apart
from syncd.sandbox.face.frame import (
    Go,
    Page,
    Visit,
    address,
    avatar,
    danger,
    list_or,
    moment,
    part,
    section,
    story,
)  # fmt: skip
from syncd.sandbox.face.html import Html, join, tag
from syncd.sandbox.face.notion import Titles, tables

_RELATED = 100
"""Rows offered to relate to: the first page of the other table."""


def show(visit: Visit, ident: str) -> Page:
    """Return a page."""
    desk = visit.desk
    page = desk.read("notion", f"/v1/pages/{part(ident)}")
    title = values.title_of(page)
    source = _source(desk, page)
    main = tag("div", tag("h1", title), _properties(desk, page, source), _blocks(desk, page),
               _comments(desk, page), class_="content", data_live="content")  # fmt: skip
    aside = tag("aside", _about(desk, page), _moving(desk, page), _trash(page, source),
                class_="side", data_live="side")  # fmt: skip
    return Page(
        title, "notion", join(_trail(desk, page, source), tag("div", main, aside, class_="two"))
    )


def _source(desk: Desk, page: Json) -> Json | None:
    parent = page["parent"]
    if parent["type"] != "data_source_id":
        return None
    found: Json = desk.read("notion", f"/v1/data_sources/{parent['data_source_id']}")
    return found


def _trail(desk: Desk, page: Json, source: Json | None) -> Html:
    links = [tag("a", "Workspace", href="/ui/notion")]
    parent = page["parent"]
    if source is not None:
        href = address("/ui/notion", table=source["id"])
        links.append(tag("a", values.title_of(source), href=href))
    elif parent["type"] == "page_id":
        title = Titles(desk)(parent["page_id"])
        links.append(tag("a", title, href=f"/ui/notion/{parent['page_id']}"))
    return tag("nav", links, tag("span", values.title_of(page)), class_="trail",
               aria_label="Where this is")  # fmt: skip


def _properties(desk: Desk, page: Json, source: Json | None) -> Html:
    titles = Titles(desk)
    about: list[Json]
    if source is None:
        held = next(value for value in page["properties"].values() if value["type"] == "title")
        about = [{"id": "title", "name": "Title", "type": "title", "title": {}}]
        by_id = {"title": held}
    else:
        about = values.ordered(source["properties"])
        by_id = {each["id"]: each for each in page["properties"].values()}
    people = told_apart(
        (each["id"], each["name"], each["person"].get("email")) for each in desk.notion_people()
    )
    fields = [_field(desk, each, by_id[each["id"]], people, titles) for each in about]
    kind = "props wide" if source else "props"
    made = form(f"/ui/notion/{page['id']}/edit", rows(fields), button("Save", class_="primary"),
                class_=kind)  # fmt: skip
    return made if source else folded("Rename", made)


def _field(desk: Desk, about: Json, value: Json, people: list[Option], titles: Titles) -> Field:
    if about["type"] != "relation" or value.get("has_more"):
        return values.field(about, value, people, titles)
    target = about["relation"]["data_source_id"]
    body = {"page_size": _RELATED}
    found = desk.read("notion", f"/v1/data_sources/{target}/query", body)["results"]
    titles.learn(found)
    chosen = tuple(each["id"] for each in value["relation"])
    options = {each["id"]: values.title_of(each) for each in found}
    options.update((each, titles(each)) for each in chosen)
    ordered = sorted(options.items(), key=lambda option: option[1])
    return Field(about["id"], about["name"], "choices", chosen, ordered)


def _blocks(desk: Desk, page: Json) -> Html:
    shown = blocks.shown(desk, page["id"], page["id"])
    empty = tag("p", "This page is empty.", class_="faint")
    return tag("section", shown or empty, blocks.adding(page["id"]), class_="prose page",
               aria_label="Content")  # fmt: skip


def _comments(desk: Desk, page: Json) -> Html:
    said = desk.read("notion", f"/v1/comments?block_id={page['id']}&page_size=100")["results"]
    names = Names(desk)
    items = (
        story(
            names(each["created_by"]),
            each["created_time"],
            tag("p", values.rich(each["rich_text"])),
        )
        for each in said
    )
    saying = form(f"/ui/notion/{page['id']}/comment",
                  rows([Field("comment", "Add a comment", "area")]), button("Comment"))  # fmt: skip
    return section("Comments", list_or("Nobody has said anything.", items, "stories"),
                   folded("+ Comment", saying))  # fmt: skip


class Names:
    """Finds the names of users."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def __call__(self, user: Json) -> str:
        """Return a user's name."""
        if "name" in user:
            return str(user["name"])
        return str(self.desk.read("notion", f"/v1/users/{user['id']}").get("name") or "?")


def _about(desk: Desk, page: Json) -> Html:
    names = Names(desk)
    return section(
        "About",
        tag("p", "Created ", moment(page["created_time"]), tag("br"),
            avatar(names(page["created_by"]), named=True)),
        tag("p", "Edited ", moment(page["last_edited_time"]), tag("br"),
            avatar(names(page["last_edited_by"]), named=True)),
    )  # fmt: skip


def _moving(desk: Desk, page: Json) -> Html | None:
    options = list(_targets(desk, page))
    if not options or page["in_trash"]:
        return None
    field = Field("to", "New place", "choice", (), options, empty=False)
    return folded("Move to…", form(f"/ui/notion/{page['id']}/move", rows([field]), button("Move")))


def _targets(desk: Desk, page: Json) -> Iterator[Option]:
    now = page["parent"].get(page["parent"]["type"])
    for each in tables(desk):
        if each["id"] != now:
            yield f"data_source_id:{each['id']}", f"▦ {values.title_of(each)}"
    body: Json = {"filter": {"property": "object", "value": "page"}, "page_size": 100}
    for each in desk.read("notion", "/v1/search", body)["results"]:
        if each["id"] not in {now, page["id"]}:
            yield f"page_id:{each['id']}", f"▤ {values.title_of(each)}"


def _trash(page: Json, source: Json | None) -> Html:
    if page["in_trash"]:
        return form(f"/ui/notion/{page['id']}/trash", tag("p", "This page is in the trash."),
                    button("Restore", value=("trash", "no")))  # fmt: skip
    back = address("/ui/notion", table=source["id"] if source else None)
    sure = "It can be restored from its own address."
    return danger("Move to trash", f"/ui/notion/{page['id']}/trash", sure=sure, back=back,
                  trash="yes")  # fmt: skip


# actions


def edit(visit: Visit, ident: str) -> Go:
    """Send what was changed, and nothing else."""
    changed = visit.form.changed()
    if changed:
        path = f"/v1/pages/{part(ident)}"
        page = visit.desk.read("notion", path)
        kinds = {each["id"]: each["type"] for each in page["properties"].values()}
        sent = {name: _sent(kinds[name], given) for name, given in changed.items()}
        visit.desk.act("notion", "PATCH", path, {"properties": sent})
    return Go(f"/ui/notion/{ident}")


def _sent(kind: str, given: list[str]) -> Json:
    if kind == "relation":
        return {"relation": [{"id": each} for each in given]}
    return values.sent(kind, given)


def block(visit: Visit, ident: str) -> Go:
    """Edit, check or remove a block."""
    sent = visit.form
    path = f"/v1/blocks/{part(sent.one('block'))}"
    if sent.one("remove"):
        visit.desk.act("notion", "DELETE", path)
    elif sent.one("checked"):
        body: Json = {"to_do": {"checked": sent.one("checked") == "yes"}}
        visit.desk.act("notion", "PATCH", path, body)
    elif "text" in sent.changed():
        body = {sent.one("kind"): {"rich_text": values.plain(sent.one("text"))}}
        visit.desk.act("notion", "PATCH", path, body)
    return Go(f"/ui/notion/{ident}")


def add(visit: Visit, ident: str) -> Go:
    """Add a block at the end."""
    kind = visit.form.one("kind")
    held: dict[str, Any] = {"rich_text": values.plain(visit.form.one("text"))}
    if kind == "code":
        held["language"] = "plain text"
    path = f"/v1/blocks/{part(ident)}/children"
    visit.desk.act("notion", "PATCH", path, {"children": [{"type": kind, kind: held}]})
    return Go(f"/ui/notion/{ident}")


def comment(visit: Visit, ident: str) -> Go:
    """Say something about the page."""
    words = visit.form.one("comment")
    if words:
        body = {"parent": {"page_id": ident}, "rich_text": values.plain(words)}
        visit.desk.act("notion", "POST", "/v1/comments", body)
    return Go(f"/ui/notion/{ident}")


def move(visit: Visit, ident: str) -> Go:
    """Give the page another parent."""
    kind, _, target = visit.form.one("to").partition(":")
    body: Json = {"parent": {"type": kind, kind: target}}
    visit.desk.act("notion", "POST", f"/v1/pages/{part(ident)}/move", body)
    return Go(f"/ui/notion/{ident}")


def trash(visit: Visit, ident: str) -> Go:
    """Move the page to the trash, or back."""
    body = {"in_trash": visit.form.one("trash") == "yes"}
    visit.desk.act("notion", "PATCH", f"/v1/pages/{part(ident)}", body)
    return Go(visit.form.one("back") or f"/ui/notion/{ident}")
