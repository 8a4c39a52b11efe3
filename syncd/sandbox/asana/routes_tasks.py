"""Tasks: create, read, update, delete, list."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import (
    CustomField,
    Place,
    Project,
    Ref,
    Section,
    Tag,
    Task,
    User,
    UserTaskList,
    Workspace,
)
from syncd.sandbox.asana.errors import bad, missing, unknown
from syncd.sandbox.asana.moments import read_moment
from syncd.sandbox.asana.pages import Source
from syncd.sandbox.asana.ranks import Ranked
from syncd.sandbox.asana.store import Cursor
from syncd.sandbox.asana.taskedits import (
    CREATE_ONLY,
    READ_ONLY,
    add_followers,
    edit,
    enter,
    prepare,
    refuse_read_only,
)
from syncd.sandbox.wire import Response

NEEDS_FILTER = (
    "Must specify exactly one of project, tag, section, user task list, or assignee + workspace"
)
DEEPEST = 5  # levels of subtasks
MOST_PROJECTS = 20
FEW = 2000  # up to here, changed tasks are sorted; beyond, the project is walked in order


def get_task(call: Call, task: str) -> Response:
    """GET /tasks/{gid}."""
    return call.one(call.load(Task, task))


def update_task(call: Call, task: str) -> Response:
    """PUT /tasks/{gid}."""
    found = call.load(Task, task)
    refuse_read_only(call, (*READ_ONLY, *CREATE_ONLY))
    edit(call, found)
    return call.one(found)


def delete_task(call: Call, task: str) -> Response:
    """DELETE /tasks/{gid}: to the trash, with its subtasks."""
    found = call.load(Task, task)
    call.store.touch(found)
    parent = call.store.get(found.parent, Task)
    scopes = [(gone, _scopes(call, gone)) for gone in (found, *_below(call, found))]
    if parent is not None:
        parent.subtasks = tuple(gid for gid in parent.subtasks if gid != found.gid)
    call.store.bin_task(found)
    for gone, also in scopes:
        call.actor.emit(gone, "deleted", also=also)
    return call.empty()


def _scopes(call: Call, task: Task) -> set[str]:
    around = (task, *call.store.ancestors(task))
    return {it.gid for it in around} | {p.project for it in around for p in it.places}


def _below(call: Call, task: Task) -> Iterator[Task]:
    for child in call.store.some(task.subtasks, Task):
        yield child
        yield from _below(call, child)


# -- create -----------------------------------------------------------------------------------


def create_task(call: Call) -> Response:
    """POST /tasks."""
    return call.made(make_task(call, None), "tasks")


def create_subtask(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/subtasks."""
    return call.made(make_task(call, call.load(Task, task)), "tasks")


def make_task(call: Call, parent: Task | None) -> Task:
    """Create a task from the body; nothing is kept when any part is refused."""
    refuse_read_only(call, READ_ONLY)
    if parent is None and call.body.get("parent"):
        parent = call.body_object(Task, "parent")
    sections = _sections(call)
    task = Task(
        call.store.new_gid(),
        name="",
        workspace=_workspace(call, parent, sections),
        created_at=call.store.now(),
        modified_at=call.store.now(),
        created_by=call.user,
    )
    task.places = tuple(Place(it.project, it.gid, 0) for it in sections)
    steps = prepare(call, task)
    tags, followers = call.body_objects(Tag, "tags"), call.people("followers")
    if parent is not None:
        check_depth(call, task, parent)
    task.places = ()
    _keep(call, task, steps)
    if parent is not None:
        adopt(call, task, parent)
    for section in sections:
        enter(call, task, section, section.tasks.bottom())
    if assign := steps.get("assignee"):
        assign()
    add_followers(call, task, [call.store.need(call.user, User), *followers])
    for tag in tags:
        call.store.tag(task, tag)
    return task


def _keep(call: Call, task: Task, steps: dict[str, Any]) -> None:
    call.store.add(task)
    call.actor.muted = True
    for name, step in steps.items():
        if name != "assignee":
            step()
    call.actor.muted = False


def _sections(call: Call) -> list[Section]:
    """Return the sections a new task goes to, one for each project, last one wins."""
    found: dict[str, Section] = {}
    for project in call.body_objects(Project, "projects"):
        found[project.gid] = call.store.need(project.sections[0], Section)
    for at, row in enumerate(call.listed("memberships")):
        if not isinstance(row, dict) or not row.get("project"):
            raise bad(f"memberships: [{at}]: project: Missing required field")
        project = call.named(Project, row["project"], f"memberships: [{at}]: project")
        section = call.store.need(project.sections[0], Section)
        if row.get("section"):
            section = call.named(Section, row["section"], f"memberships: [{at}]: section")
        if section.project != project.gid:
            raise bad(f"memberships: [{at}]: section: Not in project {project.gid}: {section.gid}")
        found[project.gid] = section
    return list(found.values())


def _workspace(call: Call, parent: Task | None, sections: list[Section]) -> str:
    if call.body.get("workspace"):
        return call.body_object(Workspace, "workspace").gid
    if sections:
        return call.store.need(sections[0].project, Project).workspace
    if parent is not None:
        return parent.workspace
    raise bad("You should specify one of workspace, parent, projects")


# -- parents ----------------------------------------------------------------------------------


def check_depth(call: Call, task: Task, parent: Task) -> None:
    """Refuse a parent that is the task itself, is below it, or is too deep."""
    above = [parent, *call.store.ancestors(parent)]
    if any(it.gid == task.gid for it in above):
        raise bad("parent: A task cannot be its own subtask or a subtask of one of its subtasks")
    if len(above) + _height(call, task) > DEEPEST:
        raise bad(f"parent: Subtasks can be nested at most {DEEPEST} levels deep")


def _height(call: Call, task: Task) -> int:
    children = call.store.some(task.subtasks, Task)
    return max((1 + _height(call, child) for child in children), default=0)


def adopt(call: Call, task: Task, parent: Task, at: int | None = None) -> None:
    """Make a task a subtask, at a place among the parent's subtasks."""
    others = [gid for gid in parent.subtasks if gid != task.gid]
    others.insert(len(others) if at is None else at, task.gid)
    parent.subtasks = tuple(others)
    task.parent = parent.gid
    call.actor.emit(task, "added", parent=parent)
    call.actor.story(task, "added_to_task", f"added to {parent.name}", task=Ref(parent.gid))


def orphan(call: Call, task: Task) -> None:
    """Take a task away from its parent."""
    parent = call.store.get(task.parent, Task)
    if parent is None:
        return
    call.actor.emit(task, "removed", parent=parent)
    parent.subtasks = tuple(gid for gid in parent.subtasks if gid != task.gid)
    task.parent = None


def by_custom_id(call: Call, workspace: str, number: str) -> Response:
    """GET /workspaces/{gid}/tasks/custom_id/{ABC-12}."""
    home = call.load(Workspace, workspace)
    fields = {it.gid for it in call.store.every(CustomField) if it.id_prefix}
    for task in call.store.every(Task):
        values = task.values or {}
        if task.workspace == home.gid and any(values.get(gid) == number for gid in fields):
            return call.one(call.load(Task, task.gid))
    raise unknown("custom_id", number)


def set_parent(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/setParent: a subtask, or with null a task of its own again."""
    found = call.load(Task, task)
    if not call.has("parent"):
        raise missing("parent")
    if call.body.get("insert_before") and call.body.get("insert_after"):
        raise bad("You may only provide one of insert_before or insert_after!")
    if call.body["parent"] is None:
        orphan(call, found)
        return call.one(found)
    parent = call.body_object(Task, "parent")
    check_depth(call, found, parent)
    at = _subtask_place(call, found, parent)
    if found.parent != parent.gid:
        orphan(call, found)
    adopt(call, found, parent, at)
    return call.one(found)


def _subtask_place(call: Call, task: Task, parent: Task) -> int | None:
    others = [gid for gid in parent.subtasks if gid != task.gid]
    for name, shift in (("insert_before", 0), ("insert_after", 1)):
        if not call.has(name):
            continue
        anchor = call.body[name]
        if anchor is None:
            return len(others) if name == "insert_before" else 0
        if anchor not in others:
            raise bad(f"{name}: Not a subtask of the parent: {anchor}")
        return others.index(anchor) + shift
    return None


def list_subtasks(call: Call, task: str) -> Response:
    """GET /tasks/{gid}/subtasks."""
    return call.rows(call.store.some(call.load(Task, task).subtasks, Task))


# -- lists ------------------------------------------------------------------------------------


def list_tasks(call: Call) -> Response:
    """GET /tasks with exactly one of project, tag, section, list, or assignee and workspace."""
    names = ("project", "tag", "section", "user_task_list", "assignee")
    given = [name for name in names if call.request.one(name)]
    if len(given) != 1 or (given == ["assignee"]) != (call.request.one("workspace") is not None):
        raise bad(NEEDS_FILTER)
    gid = call.request.one(given[0], "") or ""
    if given == ["project"]:
        return _of_project(call, call.load(Project, gid))
    if given == ["section"]:
        return _of_section(call, call.load(Section, gid))
    if given == ["tag"]:
        return _of_ranked(call, call.load(Tag, gid).tasks)
    if given == ["user_task_list"]:
        owner = call.load(UserTaskList, gid).owner
        return _of_ranked(call, call.store.need(owner, User).tasks)
    call.query_object(Workspace, "workspace")
    return _of_ranked(call, call.person(gid, "assignee").tasks)


def project_tasks(call: Call, project: str) -> Response:
    """GET /projects/{gid}/tasks."""
    return _of_project(call, call.load(Project, project))


def section_tasks(call: Call, section: str) -> Response:
    """GET /sections/{gid}/tasks."""
    return _of_section(call, call.load(Section, section))


def tag_tasks(call: Call, tag: str) -> Response:
    """GET /tags/{gid}/tasks."""
    return _of_ranked(call, call.load(Tag, tag).tasks)


def list_task_list(call: Call, user_task_list: str) -> Response:
    """GET /user_task_lists/{gid}/tasks."""
    owner = call.load(UserTaskList, user_task_list).owner
    return _of_ranked(call, call.store.need(owner, User).tasks)


class _Since:
    """The filters `completed_since` and `modified_since`."""

    def __init__(self, call: Call) -> None:
        completed = call.request.one("completed_since")
        self.completed = (
            math.inf if completed == "now" else read_moment("completed_since", completed or None)
        )
        self.modified = read_moment("modified_since", call.request.one("modified_since") or None)

    def passes(self, task: Task) -> bool:
        """Return whether a task is incomplete or completed late enough, and changed late enough."""
        if self.modified is not None and task.modified_at < self.modified:
            return False
        done = task.completed_at
        return self.completed is None or done is None or done >= self.completed


def _of_project(call: Call, project: Project) -> Response:
    since = _Since(call)
    changed = [] if since.modified is None else project.changed.since(since.modified)
    if since.modified is None or len(changed) > FEW:

        def walk(cursor: Any) -> Iterator[tuple[Cursor, Task]]:  # noqa: ANN401
            after = None if cursor is None else (cursor[0], cursor[1], cursor[2])
            rows = call.store.project_tasks(project, after)
            return ((key, task) for key, task in rows if since.passes(task))

        return call.page(walk)
    tasks = [call.store.need(gid, Task) for _, gid in changed]
    ordered = sorted(
        ((call.store.order_of(project, task), task) for task in tasks if since.passes(task)),
        key=lambda row: row[0],
    )

    def few(cursor: Any) -> Iterator[tuple[Cursor, Task]]:  # noqa: ANN401
        start = _order(project, cursor)
        for key, task in ordered:
            if start is None or key > start:
                yield (project.sections[key[0]], key[1], task.gid), task

    return call.page(few)


def _order(project: Project, cursor: Any) -> tuple[int, int, str] | None:  # noqa: ANN401
    if cursor is None or cursor[0] not in project.sections:
        return None
    return project.sections.index(cursor[0]), cursor[1], cursor[2]


def _of_section(call: Call, section: Section) -> Response:
    return _of_ranked(call, section.tasks, check=False)


def _of_ranked(call: Call, tasks: Ranked, *, check: bool = True) -> Response:
    since = _Since(call)

    def walk(cursor: Any) -> Iterator[tuple[Any, Task]]:  # noqa: ANN401
        for key in tasks.after(None if cursor is None else (cursor[0], cursor[1])):
            task = call.store.need(key[1], Task)
            if since.passes(task) and (not check or can_see(call.store, call.user, task)):
                yield key, task

    source: Source[Task] = walk
    return call.page(source)


ROUTES = (
    ("GET", "/tasks", list_tasks),
    ("POST", "/tasks", create_task),
    ("GET", "/tasks/{task}", get_task),
    ("PUT", "/tasks/{task}", update_task),
    ("DELETE", "/tasks/{task}", delete_task),
    ("GET", "/tasks/{task}/subtasks", list_subtasks),
    ("POST", "/tasks/{task}/subtasks", create_subtask),
    ("POST", "/tasks/{task}/setParent", set_parent),
    ("GET", "/projects/{project}/tasks", project_tasks),
    ("GET", "/workspaces/{workspace}/tasks/custom_id/{number}", by_custom_id),
    ("GET", "/sections/{section}/tasks", section_tasks),
    ("GET", "/tags/{tag}/tasks", tag_tasks),
    ("GET", "/user_task_lists/{user_task_list}/tasks", list_task_list),
)
