"""Task search in a workspace: paid plans only, late, and without offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import (
    Attachment,
    CustomField,
    Project,
    Section,
    Task,
    User,
    Workspace,
)
from syncd.sandbox.asana.errors import bad
from syncd.sandbox.asana.moments import day_of, read_date, read_moment
from syncd.sandbox.asana.pages import read_limit
from syncd.sandbox.wire import Response

Test = Callable[[Task], bool]
SORTS = ("due_date", "created_at", "completed_at", "likes", "modified_at")
DAYS = ("due_on", "start_on", "created_on", "completed_on", "modified_on")
MOMENTS = ("due_at", "created_at", "completed_at", "modified_at")
DEFAULT_ROWS = 20


def search_tasks(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/tasks/search; unknown parameters are ignored."""
    home = call.load(Workspace, workspace)
    call.need_paid("Search is only available to premium users.")
    tests = list(_tests(call))
    found = [
        task
        for task in _candidates(call)
        if task.workspace == home.gid
        and (form := call.store.indexed(task)) is not None
        and all(test(form) for test in tests)
        and can_see(call.store, call.user, task)
    ]
    found.sort(key=_order(call), reverse=call.query_flag("sort_ascending") is not True)
    rows = found[: read_limit(call.request) or DEFAULT_ROWS]
    return call.reply([call.view.show(task, call.selection, full=False) for task in rows])


def _candidates(call: Call) -> Iterable[Task]:
    """Return the tasks that may pass, narrowed down where a list of them is at hand."""
    store, one = call.store, call.request.one
    if store.search_lag:
        return store.every(Task)
    if sections := one("sections.any"):
        lists = [it.tasks for it in store.some(sections.split(","), Section)]
    elif assignees := one("assignee.any"):
        if "null" in assignees:
            return store.every(Task)
        named = [call.user if gid == "me" else gid for gid in assignees.split(",")]
        lists = [it.tasks for it in store.some(named, User)]
    elif projects := one("projects.any"):
        found = store.some(projects.split(","), Project)
        lists = [it.tasks for p in found for it in store.some(p.sections, Section)]
    else:
        return store.every(Task)
    gids = dict.fromkeys(gid for rows in lists for _rank, gid in rows.keys)
    return store.some(gids, Task)


def _order(call: Call) -> Callable[[Task], tuple[Any, str]]:
    by = call.request.one("sort_by") or "modified_at"
    if by not in SORTS:
        raise bad(f"sort_by: Not a valid value: {by}. Must be one of: {', '.join(SORTS)}")
    values: dict[str, Callable[[Task], Any]] = {
        "due_date": lambda task: _day(task, "due_on") or "",
        "created_at": lambda task: task.created_at,
        "completed_at": lambda task: task.completed_at or 0.0,
        "likes": lambda task: len(task.likes),
        "modified_at": lambda task: task.modified_at,
    }
    return lambda task: (values[by](task), task.gid)


def _tests(call: Call) -> Iterable[Test]:
    one = call.request.one
    if text := (one("text") or "").lower():
        yield lambda task: text in task.name.lower() or text in task.notes.lower()
    if subtype := one("resource_subtype"):
        yield lambda task: task.subtype == subtype
    for name, value in call.request.query:
        head, _, how = name.partition(".")
        if head in MEMBERS and how in {"any", "not", "all"}:
            yield _member(call, head, how, value)
        elif head == "custom_fields":
            yield _custom(call, how, value)
        elif head in DAYS:
            yield _on(head, how, value)
        elif head in MOMENTS:
            yield _at(head, how, value)
    yield from _flags(call)


def _flags(call: Call) -> Iterable[Test]:
    attached = {it.parent for it in call.store.every(Attachment)}
    tests: dict[str, Test] = {
        "completed": lambda task: task.completed,
        "is_subtask": lambda task: task.parent is not None,
        "is_blocking": lambda task: bool(call.store.some(task.dependents, Task)),
        "is_blocked": lambda task: bool(call.store.some(task.dependencies, Task)),
        "has_attachment": lambda task: task.gid in attached,
    }
    for name, test in tests.items():
        wanted = call.query_flag(name)
        if wanted is not None:
            yield lambda task, test=test, wanted=wanted: test(task) == wanted  # type: ignore[misc]


def _teams(call: Call, task: Task) -> set[str]:
    projects = call.store.some((place.project for place in task.places), Project)
    return {project.team for project in projects if project.team}


MEMBERS: dict[str, Callable[[Call, Task], set[str]]] = {
    "assignee": lambda _call, task: {task.assignee or "null"},
    "projects": lambda _call, task: {place.project for place in task.places},
    "sections": lambda _call, task: {place.section for place in task.places},
    "tags": lambda _call, task: set(task.tags),
    "teams": _teams,
    "followers": lambda _call, task: set(task.followers),
    "created_by": lambda _call, task: {task.created_by or "null"},
    "assigned_by": lambda _call, task: {task.assigned_by or "null"},
    "liked_by": lambda _call, task: set(task.likes),
}


def _member(call: Call, head: str, how: str, value: str) -> Test:
    wanted = {call.user if part == "me" else part for part in value.split(",") if part}
    read = MEMBERS[head]
    if how == "any":
        return lambda task: bool(wanted & read(call, task))
    if how == "not":
        return lambda task: not wanted & read(call, task)
    return lambda task: wanted <= read(call, task)


def _day(task: Task, name: str) -> str | None:
    if name in {"due_on", "start_on"}:
        moment = task.due_at if name == "due_on" else task.start_at
        day = task.due_on if name == "due_on" else task.start_on
        return day_of(moment) if moment is not None else day
    at = getattr(task, name.replace("_on", "_at"))
    return None if at is None else day_of(at)


def _on(name: str, how: str, value: str) -> Test:
    if value == "null":
        return lambda task: _day(task, name) is None
    wanted = read_date(name, value) or ""
    if how == "before":
        return lambda task: (_day(task, name) or "9") < wanted
    if how == "after":
        return lambda task: (_day(task, name) or "") > wanted
    return lambda task: _day(task, name) == wanted


def _at(name: str, how: str, value: str) -> Test:
    wanted = read_moment(name, value) or 0.0
    if how == "before":
        return lambda task: (at := getattr(task, name)) is not None and at < wanted
    return lambda task: (at := getattr(task, name)) is not None and at > wanted


def _custom(call: Call, rest: str, value: str) -> Test:
    gid, _, how = rest.partition(".")
    field = call.load(CustomField, gid, name="custom_fields")

    def kept(task: Task) -> Any:  # noqa: ANN401
        return (task.values or {}).get(gid)

    if how == "is_set":
        return lambda task: (kept(task) is not None) == (value == "true")
    if how == "value":
        return lambda task: _equal(field, kept(task), value)
    if how in {"less_than", "greater_than"}:
        bound, sign = _number(how, value), 1 if how == "greater_than" else -1
        return lambda task: kept(task) is not None and sign * (kept(task) - bound) > 0
    if how in {"contains", "starts_with", "ends_with"}:
        return lambda task: _text(how, str(kept(task) or "").lower(), value.lower())
    raise bad(f"custom_fields.{rest}: Not a valid search parameter")


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise bad(f"{name}: Value is not a number: {value}") from None


def _equal(field: CustomField, kept: Any, value: str) -> bool:  # noqa: ANN401
    if kept is None:
        return False
    if field.subtype == "number":
        return bool(kept == _number("value", value))
    if field.subtype in {"multi_enum", "people"}:
        return set(value.split(",")) <= set(kept)
    return bool((kept["date"] if field.subtype == "date" else kept) == value)


def _text(how: str, kept: str, value: str) -> bool:
    if how == "contains":
        return value in kept
    return kept.startswith(value) if how == "starts_with" else kept.endswith(value)


ROUTES = (("GET", "/workspaces/{workspace}/tasks/search", search_tasks),)
