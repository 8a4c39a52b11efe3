"""Edits of tasks: each field's rule, its effect, its line of history and its event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import CustomField, Ref, Section, Task, User
from syncd.sandbox.asana.errors import bad
from syncd.sandbox.asana.fieldvalues import FieldValue, number_task, read_value, spoken_value
from syncd.sandbox.asana.mentions import read_rich
from syncd.sandbox.asana.moments import day_of, read_date, read_moment, spoken, stamp_or_none
from syncd.sandbox.asana.records_work import task_fields

SUBTYPES = ("default_task", "milestone", "approval")
APPROVALS = ("pending", "approved", "rejected", "changes_requested")
READ_ONLY = (
    "gid", "resource_type", "created_at", "created_by", "completed_at", "completed_by",
    "modified_at", "permalink_url", "num_likes", "num_hearts", "hearted", "hearts", "likes",
    "num_subtasks", "dependencies", "dependents", "actual_time_minutes",
)  # fmt: skip
CREATE_ONLY = ("projects", "memberships", "tags", "followers", "parent", "workspace")
LONGEST_GID, LONGEST_DATA = 1024, 32768  # of `external`
DATE_FIELDS = ("due_on", "due_at", "start_on", "start_at")


def refuse_read_only(call: Call, names: tuple[str, ...]) -> None:
    """Refuse a body that sets what cannot be set."""
    for name in names:
        if call.has(name):
            raise bad(f"{name}: Cannot write this property")


Step = Callable[[], bool]  # applies one checked edit; True when `modified_at` must move


def prepare(call: Call, task: Task) -> dict[str, Step]:
    """Check the fields of the body; return what would apply them, by name."""
    steps = {name: make(call, task) for name, make in _EDITS.items() if call.has(name)}
    if any(call.has(name) for name in DATE_FIELDS):
        steps["dates"] = _dates(call, task)
    return steps


def edit(call: Call, task: Task) -> None:
    """Apply the fields of the body. All are checked before the first is applied."""
    steps = prepare(call, task)
    call.store.before_change(task)
    if any([step() for step in steps.values()]):  # noqa: C419 - every step must run
        call.store.touch(task)


def _nothing() -> bool:
    return False


def _name(call: Call, task: Task) -> Step:
    new = call.text("name")

    def apply() -> bool:
        old, task.name = task.name, new
        if old == new:
            return False
        call.actor.changed(task, "name")
        call.actor.story(
            task, "name_changed", f'changed the name to "{new}"', old_name=old, new_name=new
        )
        return True

    return apply


def _notes(call: Call, task: Task) -> Step:
    html: str | None = None
    if call.has("html_notes"):
        if call.has("notes") and call.body["notes"]:
            raise bad("You may only provide one of notes or html_notes!")
        given = call.body["html_notes"] or "<body></body>"
        plain, html = read_rich(call, "html_notes", given)
    else:
        plain = call.text("notes")

    def apply() -> bool:
        if (task.notes, task.html) == (plain, html):
            return False
        had = bool(task.notes)
        task.notes, task.html = plain, html
        call.actor.changed(task, "notes")
        text = "changed the description" if had else "added a description"
        call.actor.story(task, "notes_changed", text)
        return True

    return apply


def _assignee(call: Call, task: Task) -> Step:
    value = call.body["assignee"]
    user = None if value in (None, "", "null") else call.person(value, "assignee")
    return lambda: set_assignee(call, task, user)


def set_assignee(call: Call, task: Task, user: User | None) -> bool:
    """Assign a task; the assignee becomes a follower."""
    gid = user.gid if user else None
    if task.assignee == gid:
        return False
    call.store.assign(task, gid)
    task.assigned_by = call.user if user else None
    call.actor.changed(task, "assignee", new=user)
    if user is None:
        call.actor.story(task, "unassigned", "unassigned from this task")
    else:
        to = "you" if gid == call.user else user.name
        call.actor.story(task, "assigned", f"assigned to {to}", assignee=Ref(user.gid))
        add_followers(call, task, [user])
    return True


def add_followers(call: Call, task: Task, users: list[User]) -> None:
    """Add followers who are not there yet."""
    for user in users:
        if user.gid not in task.followers:
            task.followers = (*task.followers, user.gid)
            call.actor.changed(task, "followers", new=user, how="added")


def _completed(call: Call, task: Task) -> Step:
    done = call.flag("completed")
    return lambda: set_completed(call, task, done=done)


def set_completed(call: Call, task: Task, *, done: bool) -> bool:
    """Complete or reopen a task; an approval is approved or pending with it."""
    if task.completed == done:
        return False
    task.completed_at = call.store.now() if done else None
    task.completed_by = call.user if done else None
    if task.subtype == "approval":
        task.approval_status = "approved" if done else "pending"
    call.actor.changed(task, "completed")
    noun = "milestone" if task.subtype == "milestone" else "task"
    if done:
        call.actor.story(task, "marked_complete", f"completed this {noun}")
    else:
        call.actor.story(task, "marked_incomplete", f"marked this {noun} incomplete")
    return True


def _approval(call: Call, task: Task) -> Step:
    new = call.choice("approval_status", APPROVALS, "pending")

    def apply() -> bool:
        if task.subtype != "approval" or task.approval_status == new:
            return False
        old = task.approval_status
        set_completed(call, task, done=new != "pending")
        task.approval_status = new
        call.actor.changed(task, "approval_status")
        parts = {"old_approval_status": old, "new_approval_status": new}
        call.actor.story(task, "approval_status_changed", f"marked this as {new}", **parts)
        return True

    return apply


def _subtype(call: Call, task: Task) -> Step:
    new = call.choice("resource_subtype", SUBTYPES, task.subtype)
    if new == "milestone" and (call.body.get("start_on") or call.body.get("start_at")):
        raise bad("start_on: Milestones cannot have a start date")

    def apply() -> bool:
        if new == task.subtype:
            return False
        old, task.subtype = task.subtype, new
        call.actor.changed(task, "resource_subtype")
        parts = {"old_resource_subtype": old, "new_resource_subtype": new}
        text = f"changed the type of this task from {old} to {new}"
        call.actor.story(task, "resource_subtype_changed", text, **parts)
        return True

    return apply


def _status(call: Call, task: Task) -> Step:
    new = call.choice("assignee_status", ("today", "upcoming", "later", "new", "inbox"), "inbox")

    def apply() -> bool:
        task.assignee_status = new
        return False

    return apply


def _like(call: Call, task: Task) -> Step:
    on = call.flag("liked")

    def apply() -> bool:
        if on != (call.user in task.likes):
            others = tuple(gid for gid in task.likes if gid != call.user)
            task.likes = (*others, call.user) if on else others
            call.actor.changed(task, "likes")
        return False

    return apply


def _external(call: Call, task: Task) -> Step:
    given = call.body["external"] or {}
    if not isinstance(given, dict):
        raise bad(f"external: Value is not a JSON object: {given}")
    kept = {key: str(given[key]) for key in ("gid", "data") if given.get(key) is not None}
    if len(kept.get("gid", "")) > LONGEST_GID or len(kept.get("data", "")) > LONGEST_DATA:
        raise bad("external: Value is too long")

    def apply() -> bool:
        merged = {**(task.external or {}), **kept}
        task.external = merged or None
        if "gid" in merged:
            call.store.external[merged["gid"]] = task.gid
        return False

    return apply


def _dates(call: Call, task: Task) -> Step:
    if call.body.get("due_on") and call.body.get("due_at"):
        raise bad("You may only provide one of due_on or due_at!")
    if call.body.get("start_on") and call.body.get("start_at"):
        raise bad("You may only provide one of start_on or start_at!")
    for name in ("start_on", "start_at"):
        if call.has(name) and not (call.has("due_on") or call.has("due_at")):
            raise bad(
                f"{name}: due_on or due_at must be present in the request "
                f"when setting or unsetting the {name} parameter"
            )
    new = _new_dates(call, task)
    milestone = call.body.get("resource_subtype", task.subtype) == "milestone"
    if milestone and (new[2] or new[3] is not None):
        raise bad("start_on: Milestones cannot have a start date")
    _check_order(new)
    return lambda: _set_dates(call, task, new)


Dates = tuple[str | None, float | None, str | None, float | None]


def _new_dates(call: Call, task: Task) -> Dates:
    due_on, due_at, start_on, start_at = task.due_on, task.due_at, task.start_on, task.start_at
    if call.has("due_on") or call.has("due_at"):
        due_on = read_date("due_on", call.body.get("due_on"))
        due_at = read_moment("due_at", call.body.get("due_at"))
    if call.has("start_on") or call.has("start_at"):
        start_on = read_date("start_on", call.body.get("start_on"))
        start_at = read_moment("start_at", call.body.get("start_at"))
    return due_on, due_at, start_on, start_at


def _check_order(new: Dates) -> None:
    due_on, due_at, start_on, start_at = new
    due = due_on or (day_of(due_at) if due_at is not None else None)
    start = start_on or (day_of(start_at) if start_at is not None else None)
    if start and not due:
        raise bad("start_on: Cannot set a start date without a due date")
    if start_at is not None and due_at is None:
        raise bad("start_at: due_at must be present when start_at is set")
    if start and due and start > due:
        raise bad("start_on: Start date must be on or before the due date")


def _set_dates(call: Call, task: Task, new: Dates) -> bool:
    old = (task.due_on, task.due_at, task.start_on, task.start_at)
    if old == new:
        return False
    task.due_on, task.due_at, task.start_on, task.start_at = new
    if old[:2] != new[:2]:
        call.actor.changed(task, "due_at" if new[1] is not None else "due_on")
    if old[2:] != new[2:]:
        call.actor.changed(task, "start_at" if new[3] is not None else "start_on")
    due = new[0] or (day_of(new[1]) if new[1] is not None else None)
    text = f"changed the due date to {spoken(due)}" if due else "removed the due date"
    parts = {"old_dates": _spell(old), "new_dates": _spell(new)}
    call.actor.story(task, "due_date_changed", text, **parts)
    return True


def _spell(dates: Dates) -> dict[str, Any]:
    due_on, due_at, start_on, _start_at = dates
    return {
        "start_on": start_on,
        "due_at": stamp_or_none(due_at),
        "due_on": due_on or (day_of(due_at) if due_at is not None else None),
    }


def _custom(call: Call, task: Task) -> Step:
    given = call.body["custom_fields"]
    if given:
        call.need_paid("Custom Fields are not available for free users or guests.")
    if not isinstance(given, dict):
        raise bad(f"custom_fields: Value is not a JSON object: {given}")
    fields = {field.gid: field for field in task_fields(call.store, task)}
    new: list[tuple[CustomField, Any]] = []
    for gid, value in given.items():
        if gid not in fields:
            raise bad(f"Custom field with ID {gid} is not on given object")
        if fields[gid].id_prefix:
            raise bad(f"custom_fields: {gid}: Cannot write this property")
        new.append((fields[gid], read_value(call.store, fields[gid], value)))
    return lambda: any([set_value(call, task, *one) for one in new])  # noqa: C419 - all must run


_PARTS = {
    "text": "text_value", "number": "number_value", "enum": "enum_value",
    "multi_enum": "multi_enum_values", "date": "date_value", "people": "people_value",
}  # fmt: skip


def _part(field: CustomField, value: Any) -> Any:  # noqa: ANN401
    if field.subtype == "enum":
        return Ref(value) if value else None
    if field.subtype in {"multi_enum", "people"}:
        return [Ref(gid) for gid in value or ()]
    if field.subtype == "date" and value is not None:
        return {"due_on": value["date"], "due_at": value["date_time"], "start_on": None}
    return value


def set_value(call: Call, task: Task, field: CustomField, value: Any) -> bool:  # noqa: ANN401
    """Set one custom field of a task; None empties it."""
    values = dict(task.values or {})
    old = values.pop(field.gid, None)
    if old == value:
        return False
    if value is not None:
        values[field.gid] = value
    task.values = values or None
    new_value: Any = FieldValue(field, value)
    call.actor.changed(task, "custom_fields", new=new_value)
    words = spoken_value(call.store, field, value)
    text = f"changed {field.name} to {words}" if words else f"removed the {field.name}"
    parts = {f"old_{_PARTS[field.subtype]}": _part(field, old)}
    parts[f"new_{_PARTS[field.subtype]}"] = _part(field, value)
    kind = f"{field.subtype}_custom_field_changed"
    call.actor.story(task, kind, text, custom_field=Ref(field.gid), **parts)
    return True


_EDITS: dict[str, Callable[[Call, Task], Step]] = {
    "resource_subtype": _subtype,
    "name": _name,
    "html_notes": _notes,
    "notes": lambda call, task: _nothing if call.has("html_notes") else _notes(call, task),
    "assignee": _assignee,
    "assignee_status": _status,
    "approval_status": _approval,
    "completed": _completed,
    "liked": _like,
    "external": _external,
    "custom_fields": _custom,
}


def enter(call: Call, task: Task, section: Section, rank: int) -> None:
    """Put a task into a section: history and events, `modified_at` untouched."""
    store, actor = call.store, call.actor
    old = store.place_in(task, section.project)
    store.put(task, section, rank)
    number_task(task, task_fields(store, task))
    project = store.objects[section.project]
    if old is None:
        actor.emit(task, "added", parent=project)
        actor.emit(task, "added", parent=section)
        name = getattr(project, "name", "")
        actor.story(task, "added_to_project", f"added to {name}", project=Ref(project.gid))
    elif old.section != section.gid:
        before = store.need(old.section, Section)
        actor.emit(task, "removed", parent=before)
        actor.emit(task, "added", parent=section)
        text = f'moved this task from "{before.name}" to "{section.name}"'
        parts = {"old_section": Ref(before.gid), "new_section": Ref(section.gid)}
        actor.story(task, "section_changed", text, project=Ref(project.gid), **parts)
