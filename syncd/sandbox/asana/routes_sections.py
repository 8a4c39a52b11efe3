"""Sections, and moving tasks between them."""

from __future__ import annotations

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Project, Ref, Section, Task
from syncd.sandbox.asana.errors import bad, missing
from syncd.sandbox.asana.routes_projects import add_section
from syncd.sandbox.asana.routes_tasks import MOST_PROJECTS
from syncd.sandbox.asana.taskedits import enter
from syncd.sandbox.wire import Response


def list_sections(call: Call, project: str) -> Response:
    """GET /projects/{gid}/sections."""
    return call.rows(call.store.some(call.load(Project, project).sections, Section))


def get_section(call: Call, section: str) -> Response:
    """GET /sections/{gid}."""
    return call.one(call.load(Section, section))


def create_section(call: Call, project: str) -> Response:
    """POST /projects/{gid}/sections, at the end or next to another section."""
    found = call.load(Project, project)
    name = call.required("name")
    at = _place(call, found, "insert_before", "insert_after")
    return call.made(add_section(call, found, name, at), "sections")


def _place(call: Call, project: Project, before: str, after: str) -> int | None:
    if call.body.get(before) and call.body.get(after):
        raise bad(f"You may only provide one of {before} or {after}!")
    for name, shift in ((before, 0), (after, 1)):
        if call.body.get(name):
            anchor = call.body_object(Section, name)
            if anchor.project != project.gid:
                raise bad(f"{name}: Section {anchor.gid} is not in project {project.gid}")
            return project.sections.index(anchor.gid) + shift
    return None


def update_section(call: Call, section: str) -> Response:
    """PUT /sections/{gid}: its name."""
    found = call.load(Section, section)
    if call.has("name"):
        name = call.required("name")
        if name != found.name:
            found.name = name
            call.actor.changed(found, "name")
    return call.one(found)


def delete_section(call: Call, section: str) -> Response:
    """DELETE /sections/{gid}: only an empty one, and not the last."""
    found = call.load(Section, section)
    project = call.store.need(found.project, Project)
    if len(project.sections) == 1:
        raise bad("section: Cannot delete the last section of a project")
    if found.tasks:
        raise bad("section: Cannot delete a section that has tasks in it")
    project.sections.remove(found.gid)
    call.actor.emit(found, "deleted")
    call.store.bin(found)
    return call.empty()


def insert_section(call: Call, project: str) -> Response:
    """POST /projects/{gid}/sections/insert: move a section."""
    found = call.load(Project, project)
    section = call.body_object(Section, "section")
    if section.project != found.gid:
        raise bad(f"section: Section {section.gid} is not in project {found.gid}")
    if not call.body.get("before_section") and not call.body.get("after_section"):
        raise missing("before_section")
    here = found.sections.index(section.gid)
    found.sections.remove(section.gid)
    try:
        at = _place(call, found, "before_section", "after_section")
    except ValueError:
        at = here
    except Exception:
        found.sections.insert(here, section.gid)
        raise
    found.sections.insert(here if at is None else at, section.gid)
    call.actor.changed(section, "order")
    return call.empty()


def add_task(call: Call, section: str) -> Response:
    """POST /sections/{gid}/addTask: at the top, or next to another task of the section."""
    found = call.load(Section, section)
    task = call.body_object(Task, "task")
    _check_room(task, found.project)
    enter(call, task, found, _rank(call, found, task, top=True))
    return call.empty()


def _check_room(task: Task, project: str) -> None:
    others = [place for place in task.places if place.project != project]
    if len(others) >= MOST_PROJECTS:
        raise bad(f"project: A task can be in at most {MOST_PROJECTS} projects")


def _rank(call: Call, section: Section, task: Task, *, top: bool) -> int:
    """Return the rank the body asks for; `top` says where without a word."""
    if call.body.get("insert_before") and call.body.get("insert_after"):
        raise bad("You may only provide one of insert_before or insert_after!")
    for name, before in (("insert_before", True), ("insert_after", False)):
        if not call.has(name):
            continue
        if call.body[name] is None:
            return call.store.rank(section, None, before=not before)
        anchor = call.body_object(Task, name)
        place = call.store.place_in(anchor, section.project)
        if place is None or place.section != section.gid or anchor is task:
            raise bad(f"{name}: Task {anchor.gid} is not in section {section.gid}")
        return call.store.rank(section, anchor.gid, before=before)
    return call.store.rank(section, None, before=top)


def add_project(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/addProject: also moves within a project."""
    found = call.load(Task, task)
    project = call.body_object(Project, "project")
    section = _target(call, found, project)
    if section.project != project.gid:
        raise bad(f"section: Section {section.gid} is not in project {project.gid}")
    _check_room(found, project.gid)
    enter(call, found, section, _rank(call, section, found, top=False))
    return call.empty()


def _target(call: Call, task: Task, project: Project) -> Section:
    if call.body.get("section"):
        return call.body_object(Section, "section")
    for name in ("insert_before", "insert_after"):
        if call.body.get(name):
            place = call.store.place_in(call.body_object(Task, name), project.gid)
            if place is None:
                raise bad(f"{name}: Task {call.body[name]} is not in project {project.gid}")
            return call.store.need(place.section, Section)
    place = call.store.place_in(task, project.gid)
    return call.store.need(project.sections[0] if place is None else place.section, Section)


def remove_project(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/removeProject."""
    found = call.load(Task, task)
    project = call.body_object(Project, "project")
    if call.store.place_in(found, project.gid) is None:
        return call.empty()
    call.store.take(found, project)
    call.actor.emit(found, "removed", parent=project, also={project.gid})
    text = f"removed from {project.name}"
    call.actor.story(found, "removed_from_project", text, project=Ref(project.gid))
    return call.empty()


ROUTES = (
    ("GET", "/projects/{project}/sections", list_sections),
    ("POST", "/projects/{project}/sections", create_section),
    ("POST", "/projects/{project}/sections/insert", insert_section),
    ("GET", "/sections/{section}", get_section),
    ("PUT", "/sections/{section}", update_section),
    ("DELETE", "/sections/{section}", delete_section),
    ("POST", "/sections/{section}/addTask", add_task),
    ("POST", "/tasks/{task}/addProject", add_project),
    ("POST", "/tasks/{task}/removeProject", remove_project),
)
