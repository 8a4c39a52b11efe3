"""One Asana task: read, edited, moved, commented, given subtasks, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.sandbox.face.asana import tick
from syncd.sandbox.face.desk import Desk, Json
from syncd.sandbox.face.forms import Field, button, folded, form, rows, told_apart
from syncd.sandbox.face.fragment import rebuilt
from syncd.sandbox.face.frame import (
    Go,
    Page,
    Visit,
    address,
    avatar,
    danger,
    day,
    list_or,
    part,
    section,
    story,
)  # fmt: skip
from syncd.sandbox.face.html import Html, Node, join, tag

_SHOWN = (
    "name,completed,due_on,due_at,start_on,assignee.name,notes,html_notes,parent.name,tags.name,"
    "memberships.project.name,memberships.section.name,custom_fields,workspace.gid"
)
_KINDS = {"text": "text", "number": "number", "enum": "choice", "multi_enum": "choices",
          "date": "date"}  # fmt: skip


def show(visit: Visit, gid: str) -> Page:
    """Return a task's page."""
    desk = visit.desk
    task = desk.read("asana", f"/api/1.0/tasks/{part(gid)}?opt_fields={_SHOWN}")["data"]
    main = tag("div", _title(task), _notes(task), _subtasks(desk, task), _stories(desk, task),
               class_="content", data_live="content")  # fmt: skip
    home = _home(task)
    sure = "It goes to the trash, its subtasks with it."
    aside = tag(
        "aside",
        _places(desk, task),
        _details(desk, task),
        danger("Delete task", f"/ui/asana/{gid}/delete", sure=sure, back=home),
        class_="side",
        data_live="side",
    )
    body = join(_trail(task, home), tag("div", main, aside, class_="two"))
    return Page(task["name"] or "(no name)", "asana", body)


def _home(task: Json) -> str:
    if task.get("parent"):
        return f"/ui/asana/{task['parent']['gid']}"
    places = task["memberships"]
    return address("/ui/asana", project=places[0]["project"]["gid"] if places else None)


def _trail(task: Json, home: str) -> Html:
    parent = task.get("parent")
    places = task["memberships"]
    up = parent["name"] if parent else places[0]["project"]["name"] if places else "My tasks"
    links = tag("a", up, href=home), tag("span", "Task")
    return tag("nav", links, class_="trail", aria_label="Where this is")


def _title(task: Json) -> Html:
    title = tag("h1", task["name"] or "(no name)")
    ticking = tick(task, f"/ui/asana/{task['gid']}")
    return tag("div", ticking, title, class_="ticked done" if task["completed"] else "ticked")


def _notes(task: Json) -> Html:
    shown, rich = rebuilt(task["html_notes"])
    edit: Node = tag("p", "This text holds formatting that plain lines cannot say; it is edited"
                     " over the API.", class_="faint")  # fmt: skip
    if not rich:
        field = Field("notes", "Plain text", "area", (task["notes"],))
        edit = form(f"/ui/asana/{task['gid']}/edit", rows([field]), button("Save"))
    empty = tag("p", "Nothing written yet.", class_="faint")
    prose = tag("div", shown if shown.strip() else empty, class_="prose lines-kept")
    return section("Description", prose, folded("Edit", edit))


def _places(desk: Desk, task: Json) -> Html | None:
    forms = []
    for place in task["memberships"]:
        project = place["project"]
        listed = desk.asana_pages(f"/api/1.0/projects/{project['gid']}/sections?", 300)
        now = (place.get("section") or {}).get("gid", "")
        options = [(each["gid"], each["name"]) for each in listed]
        field = Field("section", project["name"], "choice", (now,), options, empty=False)
        forms.append(
            form(
                f"/ui/asana/{task['gid']}/move", rows([field], f"{project['gid']}-"), button("Move")
            )
        )
    return section("Section", forms) if forms else None


def _details(desk: Desk, task: Json) -> Html:
    gid = task["workspace"]["gid"]
    path = f"/api/1.0/users?workspace={gid}&opt_fields=name,email"
    people = told_apart(
        (each["gid"], each["name"], each.get("email")) for each in desk.asana_pages(path)
    )
    assignee = task["assignee"]
    fields = (
        Field("name", "Name", "text", (task["name"],)),
        Field("assignee", "Assignee", "choice", (assignee["gid"],) if assignee else (), people),
        Field("due_on", "Due date", "date", _one(task["due_on"])),
        Field("start_on", "Start date", "date", _one(task["start_on"])),
        *_custom(task),
    )
    tags = ", ".join(each["name"] for each in task["tags"])
    shown = Field("tags", "Tags", "shown", shown=tags or "–")
    save = button("Save", class_="primary")
    return section("Details", form(f"/ui/asana/{task['gid']}/edit", rows([*fields, shown]), save))


def _custom(task: Json) -> Iterator[Field]:
    for field in task.get("custom_fields") or ():
        kind = field["type"]
        name = f"cf.{field['gid']}"
        options = [(each["gid"], each["name"]) for each in field.get("enum_options") or ()]
        if kind in _KINDS and not field.get("is_value_read_only"):
            yield Field(name, field["name"], _KINDS[kind], _held(field), options)
        else:
            yield Field(name, field["name"], "shown", shown=field.get("display_value") or "–")


def _held(field: Json) -> tuple[str, ...]:
    kind = field["type"]
    if kind == "multi_enum":
        return tuple(each["gid"] for each in field.get("multi_enum_values") or ())
    value = field.get({"enum": "enum_value", "date": "date_value"}.get(kind, f"{kind}_value"))
    if isinstance(value, dict):
        return _one(value.get("gid") or value.get("date"))
    return _one(value)


def _one(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    if value is None:
        return ()
    return (f"{value:g}" if isinstance(value, float) else str(value),)


def _subtasks(desk: Desk, task: Json) -> Html:
    path = f"/api/1.0/tasks/{task['gid']}/subtasks"
    asked = "?opt_fields=name,completed,due_on,assignee.name"
    back = f"/ui/asana/{task['gid']}"
    items = [
        tag("li", tick(each, back), tag("a", each["name"] or "(no name)",
            href=f"/ui/asana/{each['gid']}", class_="title"),
            tag("div", day(each["due_on"]), avatar((each["assignee"] or {}).get("name")),
                class_="meta"),
            id=each["gid"], class_="task done" if each["completed"] else "task")
        for each in desk.asana_pages(f"{path}{asked}", 300)
    ]  # fmt: skip
    field = Field("name", "Name", "text", empty=False)
    adding = folded(
        "+ Subtask", form(f"{back}/subtask", rows([field], "sub-"), button("Add subtask"))
    )
    return section("Subtasks", list_or("None yet.", items, "tasks"), adding)


def _stories(desk: Desk, task: Json) -> Html:
    path = f"/api/1.0/tasks/{task['gid']}/stories"
    told = list(
        desk.asana_pages(f"{path}?opt_fields=text,html_text,type,created_at,created_by.name")
    )
    items = (
        story((each["created_by"] or {}).get("name"), each["created_at"],
              tag("p", each["text"], class_=each["type"]), ident=each["gid"])
        for each in told[-100:]
    )  # fmt: skip
    field = Field("comment", "Add a comment", "area")
    saying = form(f"/ui/asana/{task['gid']}/comment", rows([field]), button("Comment"))
    return section("Activity", list_or("Nothing yet.", items, "stories"), saying)


# actions


def edit(visit: Visit, gid: str) -> Go:
    """Send what was changed, and nothing else."""
    changed = visit.form.changed()
    if changed:
        path = f"/api/1.0/tasks/{part(gid)}"
        task = visit.desk.read("asana", f"{path}?opt_fields=custom_fields.type")["data"]
        kinds = {each["gid"]: each["type"] for each in task.get("custom_fields") or ()}
        sent: Json = {}
        for name, values in changed.items():
            if name.startswith("cf."):
                field = name.removeprefix("cf.")
                sent.setdefault("custom_fields", {})[field] = _sent(kinds[field], values)
            else:
                sent[name] = values[0].strip() if values else _nothing(name)
        visit.desk.act("asana", "PUT", path, {"data": sent})
    return Go(f"/ui/asana/{gid}")


def _nothing(name: str) -> str | None:
    return "" if name in {"name", "notes"} else None


def _sent(kind: str, values: list[str]) -> Any:  # noqa: ANN401 - JSON
    if kind == "multi_enum":
        return values
    if not values:
        return None
    if kind == "number":
        return float(values[0])
    return {"date": values[0]} if kind == "date" else values[0].strip()


def subtask(visit: Visit, gid: str) -> Go:
    """Add a subtask."""
    body = {"data": {"name": visit.form.one("name")}}
    visit.desk.act("asana", "POST", f"/api/1.0/tasks/{part(gid)}/subtasks", body)
    return Go(f"/ui/asana/{gid}")


def comment(visit: Visit, gid: str) -> Go:
    """Say something."""
    words = visit.form.one("comment")
    if words:
        body = {"data": {"text": words}}
        visit.desk.act("asana", "POST", f"/api/1.0/tasks/{part(gid)}/stories", body)
    return Go(f"/ui/asana/{gid}")


def delete(visit: Visit, gid: str) -> Go:
    """Move a task to the trash."""
    visit.desk.act("asana", "DELETE", f"/api/1.0/tasks/{part(gid)}")
    return Go(visit.form.one("back") or "/ui/asana")
