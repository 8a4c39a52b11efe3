"""The records of tasks, projects, sections, tags and stories."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.asana.entities import (
    CustomField,
    CustomFieldSetting,
    Entity,
    Project,
    ProjectBrief,
    Story,
    Task,
    TimeEntry,
)
from syncd.sandbox.asana.fieldvalues import FieldValue
from syncd.sandbox.asana.html import from_plain
from syncd.sandbox.asana.moments import day_of, stamp, stamp_or_none
from syncd.sandbox.asana.shapes import ABSENT, SHAPES, Getter, Shape, View, plain, ref, refs
from syncd.sandbox.asana.store import Store

APP = "https://app.asana.com"


def moment(name: str) -> Getter:
    """Return a getter of a moment."""
    return lambda _view, thing: stamp_or_none(getattr(thing, name))


def constant(value: Any) -> Getter:  # noqa: ANN401
    """Return a getter of a value that is the same for all."""
    return lambda _view, _thing: value


def setting_fields(store: Store, settings: tuple[str, ...]) -> list[CustomField]:
    """Return the custom fields of settings, in order."""
    found = store.some(settings, CustomFieldSetting)
    return [store.need(setting.field, CustomField) for setting in found]


def task_fields(store: Store, task: Task) -> list[CustomField]:
    """Return the custom fields a task has through its projects, each once, in order."""
    fields: dict[str, CustomField] = {}
    for place in task.places:
        project = store.need(place.project, Project)
        fields.update((field.gid, field) for field in setting_fields(store, project.settings))
    return list(fields.values())


def _task_values(view: View, task: Task) -> list[FieldValue]:
    values = task.values or {}
    return [FieldValue(it, values.get(it.gid)) for it in task_fields(view.store, task)]


def _project_values(view: View, project: Project) -> list[FieldValue]:
    values = project.custom_values or {}
    return [
        FieldValue(view.store.need(gid, CustomField), value)
        for gid, value in values.items()
        if gid in view.store.objects
    ]


def _memberships(view: View, task: Task) -> list[dict[str, Entity | None]]:
    return [
        {"project": view.find(place.project), "section": view.find(place.section)}
        for place in task.places
    ]


def _likes(_view: View, thing: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [{"gid": f"{thing.gid}{at}", "user": user} for at, user in enumerate(thing.likes)]


def _liked_by(view: View, thing: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [{**row, "user": view.find(row["user"])} for row in _likes(view, thing)]


def _liked(view: View, thing: Any) -> bool:  # noqa: ANN401
    return view.user in thing.likes


def _like_count(_view: View, thing: Any) -> int:  # noqa: ANN401
    return len(thing.likes)


LIKES: dict[str, Getter] = {
    "hearted": _liked,
    "hearts": _liked_by,
    "liked": _liked,
    "likes": _liked_by,
    "num_hearts": _like_count,
    "num_likes": _like_count,
}


def _due_on(_view: View, task: Task) -> str | None:
    return task.due_on if task.due_at is None else day_of(task.due_at)


def _start_on(_view: View, task: Task) -> str | None:
    return task.start_on if task.start_at is None else day_of(task.start_at)


def _approval(_view: View, task: Task) -> Any:  # noqa: ANN401
    return task.approval_status if task.subtype == "approval" else ABSENT


def _external(_view: View, task: Task) -> Any:  # noqa: ANN401
    return ABSENT if task.external is None else task.external


def _separator(_view: View, task: Task) -> Any:  # noqa: ANN401
    is_plain = task.subtype == "default_task"
    return (task.parent is not None and task.name.endswith(":")) if is_plain else ABSENT


def _task_link(_view: View, task: Task) -> str:
    where = f"project/{task.places[0].project}" if task.places else "inbox"
    if not task.places:
        return f"{APP}/1/{task.workspace}/task/{task.gid}"
    return f"{APP}/1/{task.workspace}/{where}/task/{task.gid}"


def _bare_refs(name: str) -> Getter:
    return lambda view, task: [
        {"gid": thing.gid, "resource_type": thing.KIND}
        for thing in view.find_all(getattr(task, name))
    ]


def _my_section(view: View, task: Task) -> Any:  # noqa: ANN401
    return None if task.assignee != view.user else ABSENT


def _logged(view: View, task: Task) -> int | None:
    """Return the minutes logged on a task, None when there are none."""
    if not view.store.kinds.get(TimeEntry.KIND):
        return None
    entries = view.store.every(TimeEntry)
    return sum(entry.minutes for entry in entries if entry.task == task.gid) or None


SHAPES["task"] = Shape(
    {
        "actual_time_minutes": _logged,
        "approval_status": _approval,
        "assignee": ref("assignee"),
        "assignee_status": plain("assignee_status"),
        "assignee_section": _my_section,
        "assigned_by": ref("assigned_by"),
        "completed": plain("completed"),
        "completed_at": moment("completed_at"),
        "completed_by": ref("completed_by"),
        "created_at": moment("created_at"),
        "created_by": ref("created_by"),
        "custom_fields": _task_values,
        "custom_type": constant(None),
        "custom_type_status_option": constant(None),
        "dependencies": _bare_refs("dependencies"),
        "dependents": _bare_refs("dependents"),
        "due_at": moment("due_at"),
        "due_on": _due_on,
        "external": _external,
        "followers": refs("followers"),
        **LIKES,
        "html_notes": lambda _view, task: task.html or from_plain(task.notes),
        "is_rendered_as_separator": _separator,
        "memberships": _memberships,
        "modified_at": moment("modified_at"),
        "name": plain("name"),
        "notes": plain("notes"),
        "num_subtasks": lambda _view, task: len(task.subtasks),
        "parent": ref("parent"),
        "permalink_url": _task_link,
        "projects": lambda view, task: view.find_all(place.project for place in task.places),
        "start_at": moment("start_at"),
        "start_on": _start_on,
        "tags": refs("tags"),
        "resource_subtype": lambda _view, task: task.subtype,
        "workspace": ref("workspace"),
    },
    compact=("gid", "name", "resource_type", "resource_subtype"),
    opt_in=(
        "assignee_section", "assigned_by", "completed_by", "created_by", "custom_type",
        "custom_type_status_option", "dependencies", "dependents", "html_notes",
        "is_rendered_as_separator", "num_subtasks",
    ),
)  # fmt: skip


def latest_update(view: View, holder: Any) -> Entity | None:  # noqa: ANN401
    """Return the newest status update of a project, portfolio or goal."""
    found = view.find_all(holder.status_updates)
    return found[-1] if found else None


def _current_status(view: View, project: Project) -> dict[str, Any] | None:
    update: Any = latest_update(view, project)
    if update is None:
        return None
    author = view.find(update.author)
    return {
        "gid": update.gid,
        "author": author,
        "color": STATUS_COLORS.get(update.status_type, "green"),
        "created_at": stamp(update.created_at),
        "created_by": author,
        "modified_at": stamp(update.modified_at),
        "resource_type": "project_status",
        "text": update.text,
        "title": update.title,
    }


STATUS_COLORS = {
    "on_track": "green", "at_risk": "yellow", "off_track": "red",
    "on_hold": "blue", "complete": "complete", "dropped": "red",
}  # fmt: skip

SHAPES["project"] = Shape(
    {
        "archived": plain("archived"),
        "color": plain("color"),
        "completed": lambda _view, project: project.completed_at is not None,
        "completed_at": moment("completed_at"),
        "completed_by": ref("completed_by"),
        "created_at": moment("created_at"),
        "created_from_template": constant(None),
        "current_status": _current_status,
        "current_status_update": latest_update,
        "custom_fields": _project_values,
        "custom_field_settings": refs("settings"),
        "default_access_level": constant("editor"),
        "default_view": plain("default_view"),
        "due_on": plain("due_on"),
        "due_date": plain("due_on"),
        "followers": refs("followers"),
        "html_notes": lambda _view, project: project.notes.html or from_plain(project.notes.plain),
        "icon": plain("icon"),
        "members": refs("members"),
        "minimum_access_level_for_customization": constant("editor"),
        "minimum_access_level_for_sharing": constant("editor"),
        "modified_at": moment("modified_at"),
        "name": plain("name"),
        "notes": lambda _view, project: project.notes.plain,
        "owner": ref("owner"),
        "permalink_url": lambda _view, it: f"{APP}/1/{it.workspace}/project/{it.gid}",
        "privacy_setting": plain("privacy_setting"),
        "project_brief": lambda view, project: view.store.first(
            ProjectBrief, lambda brief: brief.project == project.gid
        ),
        "public": lambda _view, project: project.privacy_setting == "public_to_workspace",
        "start_on": plain("start_on"),
        "team": ref("team"),
        "workspace": ref("workspace"),
    },
    opt_in=("html_notes", "completed_by", "created_from_template", "icon", "project_brief"),
)

SHAPES["section"] = Shape(
    {
        "name": plain("name"),
        "created_at": moment("created_at"),
        "project": ref("project"),
        "projects": lambda view, section: view.find_all([section.project]),
    },
    opt_in=("projects",),
)

SHAPES["tag"] = Shape(
    {
        "color": plain("color"),
        "created_at": moment("created_at"),
        "followers": refs("followers"),
        "name": plain("name"),
        "notes": plain("notes"),
        "permalink_url": lambda _view, tag: f"{APP}/0/{tag.gid}/list",
        "workspace": ref("workspace"),
    },
    opt_in=("notes",),
)


def _part(name: str) -> Getter:
    return lambda _view, story: (story.parts or {}).get(name, ABSENT)


def _story_target(kind: type[Entity]) -> Getter:
    def target(view: View, story: Story) -> Any:  # noqa: ANN401
        found = view.find(story.target)
        return found if isinstance(found, kind) else ABSENT

    return target


def _is_comment(view: View, story: Story) -> bool:
    return story.subtype == "comment_added" and story.created_by == view.user


PARTS = (
    "assignee", "custom_field", "dependency", "duplicate_of", "duplicated_from", "follower",
    "new_approval_status", "new_date_value", "new_dates", "new_enum_value",
    "new_multi_enum_values", "new_name", "new_number_value", "new_people_value",
    "new_resource_subtype", "new_section", "new_text_value", "old_approval_status",
    "old_date_value", "old_dates", "old_enum_value", "old_multi_enum_values", "old_name",
    "old_number_value", "old_people_value", "old_resource_subtype", "old_section",
    "old_text_value", "project", "story", "tag",
)  # fmt: skip

SHAPES["story"] = Shape(
    {
        "created_at": moment("created_at"),
        "created_by": ref("created_by"),
        **LIKES,
        "html_text": lambda _view, story: story.html or from_plain(story.text),
        "is_editable": _is_comment,
        "is_edited": plain("is_edited"),
        "is_pinned": plain("is_pinned"),
        **{name: _part(name) for name in PARTS},
        "previews": constant([]),
        "reaction_summary": constant([]),
        "resource_subtype": lambda _view, story: story.subtype,
        "source": constant("api"),
        "sticker_name": plain("sticker_name"),
        "target": lambda view, story: view.find(story.target),
        "task": _story_target(Task),
        "text": plain("text"),
        "type": lambda _v, story: "comment" if story.subtype == "comment_added" else "system",
    },
    compact=(
        "gid",
        "created_at",
        "created_by",
        "resource_type",
        "text",
        "type",
        "resource_subtype",
    ),
    opt_in=("html_text", "task", "sticker_name"),
)
