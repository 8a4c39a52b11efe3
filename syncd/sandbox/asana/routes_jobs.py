"""Duplicating tasks and projects, and the jobs that tell when it is done."""

from __future__ import annotations

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import (
    CustomFieldSetting,
    Project,
    Section,
    Tag,
    Task,
    Text,
)
from syncd.sandbox.asana.planning import Job
from syncd.sandbox.asana.ranks import Ranked
from syncd.sandbox.asana.routes_tasks import adopt
from syncd.sandbox.wire import Response


def _start(call: Call, subtype: str, made: str) -> Response:
    job = call.store.add(Job(call.store.new_gid(), subtype, made))
    return call.made(job, "jobs")


def get_job(call: Call, job: str) -> Response:
    """GET /jobs/{gid}: done by the time anybody asks."""
    found = call.load(Job, job)
    found.seen = True
    return call.one(found)


def duplicate_task(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/duplicate with what to include."""
    found = call.load(Task, task)
    wanted = frozenset(str(name) for name in call.listed("include"))
    name = call.text("name") or found.name
    made = copy_task(call, found, wanted, name)
    if "parent" in wanted and (parent := call.store.get(found.parent, Task)) is not None:
        adopt(call, made, parent)
    if "projects" in wanted:
        for place in found.places:
            _stand_beside(call, made, place.section)
    return _start(call, "duplicate_task", made.gid)


def _stand_beside(call: Call, task: Task, section: str) -> None:
    found = call.store.need(section, Section)
    call.store.put(task, found, found.tasks.bottom())
    call.actor.emit(task, "added", parent=call.store.need(found.project, Project))


def copy_task(call: Call, task: Task, wanted: frozenset[str], name: str) -> Task:
    """Return a copy of a task that stands nowhere yet, with its subtasks when wanted."""
    store, now = call.store, call.store.now()
    made = Task(
        store.new_gid(),
        name=name,
        workspace=task.workspace,
        created_at=now,
        modified_at=now,
        created_by=call.user,
        subtype=task.subtype,
        values=dict(task.values) if task.values else None,
    )
    if "notes" in wanted:
        made.notes, made.html = task.notes, task.html
    if "dates" in wanted:
        made.due_on, made.due_at = task.due_on, task.due_at
        made.start_on, made.start_at = task.start_on, task.start_at
    if "followers" in wanted:
        made.followers = task.followers
    if "dependencies" in wanted:
        _copy_links(call, task, made)
    store.add(made)
    if "assignee" in wanted:
        store.assign(made, task.assignee)
    if "tags" in wanted:
        for tag in store.some(task.tags, Tag):
            store.tag(made, tag)
    if "subtasks" in wanted:
        for child in store.some(task.subtasks, Task):
            adopt(call, copy_task(call, child, wanted, child.name), made)
    return made


def _copy_links(call: Call, task: Task, made: Task) -> None:
    made.dependencies = task.dependencies
    for needed in call.store.some(task.dependencies, Task):
        needed.dependents = (*needed.dependents, made.gid)


def duplicate_project(call: Call, project: str) -> Response:
    """POST /projects/{gid}/duplicate: sections and tasks always, the rest when included."""
    found = call.load(Project, project)
    wanted = frozenset(str(name) for name in call.listed("include"))
    name = call.required("name")
    now = call.store.now()
    made = call.store.copy(
        found,
        name=name,
        created_at=now,
        modified_at=now,
        owner=call.user,
        notes=found.notes if "notes" in wanted else Text(),
        members=found.members if "members" in wanted else (call.user,),
        followers=(call.user,),
        settings=(),
        sections=[],
        changed=Ranked(),
        completed_at=None,
        completed_by=None,
        status_updates=(),
    )
    for setting in call.store.some(found.settings, CustomFieldSetting):
        made.settings = (*made.settings, call.store.copy(setting, parent=made.gid).gid)
    parts = frozenset(name.removeprefix("task_") for name in wanted if name.startswith("task_"))
    for gid in found.sections:
        _copy_section(call, call.store.need(gid, Section), made, parts)
    return _start(call, "duplicate_project", made.gid)


def _copy_section(call: Call, section: Section, project: Project, parts: frozenset[str]) -> None:
    made = call.store.copy(
        section, project=project.gid, created_at=call.store.now(), tasks=Ranked()
    )
    project.sections.append(made.gid)
    for rank, gid in list(section.tasks.keys):
        task = call.store.need(gid, Task)
        call.store.put(copy_task(call, task, parts, task.name), made, rank)


ROUTES = (
    ("GET", "/jobs/{job}", get_job),
    ("POST", "/tasks/{task}/duplicate", duplicate_task),
    ("POST", "/projects/{project}/duplicate", duplicate_project),
)
