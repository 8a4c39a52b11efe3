"""Asana's project list: sections with their tasks, which can be ticked off, moved, made and looked for."""

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
)  # fmt: skip
from syncd.sandbox.face.html import Html, join, tag

TASKS = 50
"""Tasks of a section in the list; the rest is on pages of its own."""

_SHOWN = (
    "name,completed,due_on,assignee.name,num_subtasks,tags.name,resource_subtype,"
    "custom_fields.name,custom_fields.display_value,memberships.section.gid"
)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is looked at: all projects, the chosen one and its sections."""

    projects: Sequence[Json]
    project: Json
    sections: Sequence[Json]


def open_listing(desk: Desk, project: str) -> Listing | None:
    """Return a project by id (the first otherwise), None where there is none."""
    workspace = desk.read("asana", "/api/1.0/workspaces")["data"][0]["gid"]
    projects = list(desk.asana_pages(f"/api/1.0/projects?workspace={workspace}", 300))
    if not projects:
        return None
    chosen = next((each for each in projects if each["gid"] == project), projects[0])
    sections = list(desk.asana_pages(f"/api/1.0/projects/{chosen['gid']}/sections?", 300))
    return Listing(projects, chosen, sections)


def show(visit: Visit) -> Page:
    """Return a project's list, or one section of it page by page."""
    listing = open_listing(visit.desk, visit.ask("project"))
    if listing is None:
        return Page("Asana", "asana", tag("p", "There is no project yet.", class_="faint"))
    wanted = visit.ask("section")
    places = range(len(listing.sections))
    chosen = [place for place in places if listing.sections[place]["gid"] == wanted] or places
    back = address("/ui/asana", project=listing.project["gid"])
    page = visit.ask("page")
    body = tag(
        "div",
        (_section(visit.desk, listing, place, TASKS, back, page) for place in chosen),
        class_="list",
        data_live="list",
    )
    return Page(listing.project["name"], "asana", join(_head(listing), body))


def _head(listing: Listing) -> Html:
    gid = listing.project["gid"]
    tabs = [
        tag("a", each["name"], href=address("/ui/asana", project=each["gid"]),
            aria_current="page" if each["gid"] == gid else None)
        for each in listing.projects
    ]  # fmt: skip
    back = address("/ui/asana", project=gid)
    return join(
        tag("div", tag("h1", listing.project["name"]), creation(listing, back), class_="headline"),
        tag("nav", tabs, class_="tabs", aria_label="Projects") if len(tabs) > 1 else None,
    )


def creation(listing: Listing, back: str) -> Html:
    """Return the form that makes a task."""
    options = [(each["gid"], each["name"]) for each in listing.sections]
    fields = (
        Field("name", "Task name", "text", empty=False),
        Field("section", "Section", "choice", (options[0][0],), options, empty=False),
    )
    inner = form("/ui/asana/create", hidden(project=listing.project["gid"], back=back),
                 rows(fields), button("Add task", class_="primary"))  # fmt: skip
    return folded("+ Add task", inner, class_="folded create")


def sections(desk: Desk, listing: Listing, most: int, back: str) -> Html:
    """Return all sections with at most so many tasks each; `back` is where moving a task leads."""
    return join(
        _section(desk, listing, place, most, back) for place in range(len(listing.sections))
    )


def _section(
    desk: Desk, listing: Listing, place: int, most: int, back: str, page: str = ""
) -> Html:
    section = listing.sections[place]
    path = f"/api/1.0/sections/{section['gid']}/tasks?limit={most}&opt_fields={_SHOWN}"
    answer = desk.read("asana", f"{path}&offset={page}" if page else path)
    tasks = [row(task, listing, place, back) for task in answer["data"]]
    following = answer.get("next_page")
    count = f"{len(tasks)}+" if following or page else str(len(tasks))
    rest = address("/ui/asana", project=listing.project["gid"], section=section["gid"],
                   page=following["offset"]) if following else ""  # fmt: skip
    return tag(
        "section",
        tag("h2", section["name"], " ", tag("span", count, class_="count")),
        tag("ul", tasks, class_="tasks"),
        more(rest, "Next tasks →") if rest else None,
        class_="group",
        aria_label=section["name"],
        data_drop="section",
        data_value=section["gid"],
    )


def row(task: Json, listing: Listing, place: int, back: str) -> Html:
    """Return a task's row, with buttons that complete it or move it one section on or back."""
    gid = task["gid"]
    done = task["completed"]
    subtasks = task.get("num_subtasks") or 0
    return tag(
        "li",
        tick(task, back),
        tag("a", task["name"] or "(no name)", href=f"/ui/asana/{gid}", class_="title"),
        tag("div",
            chip(f"{subtasks} subtasks") if subtasks else None,
            [chip(each["name"], "purple") for each in task.get("tags") or ()],
            map(_value, task.get("custom_fields") or ()),
            day(task.get("due_on")), avatar(_name(task.get("assignee"))),
            _moves(task, listing, place, back), class_="meta"),
        id=gid,
        class_="task done" if done else "task",
        draggable="true",
        data_move=f"/ui/asana/{gid}/move",
        data_at=listing.sections[place]["gid"],
    )  # fmt: skip


def _value(field: Json) -> Html:
    """Show a custom field, but not the long marks programs leave."""
    text = field.get("display_value")
    if not text or len(text) > 30:  # noqa: PLR2004 - what fits in a row
        return Html()
    return tag("span", text, class_="chip plain", title=field["name"])


def tick(task: Json, back: str) -> Html:
    """Return the round button that completes a task or opens it again."""
    done = task["completed"]
    says = f"Mark {task['name']} {'incomplete' if done else 'complete'}"
    return form(
        f"/ui/asana/{task['gid']}/complete",
        hidden(back=back),
        button("✓", value=("completed", "no" if done else "yes"), says=says, class_="tick"),
    )


def _name(user: Any) -> str | None:  # noqa: ANN401 - JSON
    return user["name"] if user else None


def _moves(task: Json, listing: Listing, place: int, back: str) -> Html:
    around = listing.sections
    made = [
        button(sign, value=("section", around[there]["gid"]), class_="arrow",
               says=f"Move {task['name']} to {around[there]['name']}")
        for sign, there in (("‹", place - 1), ("›", place + 1))
        if 0 <= there < len(around)
    ]  # fmt: skip
    return form(f"/ui/asana/{task['gid']}/move", hidden(back=back), made, class_="moves")


# actions


def create(visit: Visit) -> Go:
    """Make a task in a section of a project."""
    sent = visit.form
    task: Json = {"name": sent.one("name"), "projects": [sent.one("project")]}
    if sent.one("section"):
        task["memberships"] = [{"project": sent.one("project"), "section": sent.one("section")}]
    made = visit.desk.act("asana", "POST", "/api/1.0/tasks", {"data": task})
    return Go(sent.one("back") or f"/ui/asana/{made['data']['gid']}")


def move(visit: Visit, gid: str) -> Go:
    """Put a task at the end of a section."""
    section = part(visit.form.one("section"))
    body = {"data": {"task": gid}}
    visit.desk.act("asana", "POST", f"/api/1.0/sections/{section}/addTask", body)
    return Go(visit.form.one("back") or f"/ui/asana/{gid}")


def complete(visit: Visit, gid: str) -> Go:
    """Complete a task or open it again."""
    body = {"data": {"completed": visit.form.one("completed") == "yes"}}
    visit.desk.act("asana", "PUT", f"/api/1.0/tasks/{part(gid)}", body)
    return Go(visit.form.one("back") or f"/ui/asana/{gid}")
