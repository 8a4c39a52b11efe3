"""Asana's stories of a task as log entries. Pure.

Source: `StoryResponse` of Asana's API definition. A story names the new value and often not the old
one: that is what the story before it left. Of descriptions, tags and parents it tells no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from syncd.core.records import LogEntry, Scope, Value, neutral_set

Json = Mapping[str, Any]

_CUSTOM = (
    "text_value", "number_value", "enum_value", "multi_enum_values", "date_value", "people_value",
)  # fmt: skip

FIELDS = (
    "created_at", "created_by", "resource_subtype", "assignee", "custom_field", "project",
    "old_name", "new_name", "old_dates", "new_dates", "old_section", "new_section",
    *(f"{when}_{part}" for when in ("old", "new") for part in _CUSTOM),
)  # fmt: skip
"""What has to be asked for."""

_SILENT = {
    "notes_changed": "notes",
    "added_to_tag": "tags",
    "removed_from_tag": "tags",
    "added_to_task": "parent",
    "removed_from_task": "parent",
}
_COMPLETED = {"marked_complete": True, "marked_incomplete": False}


def entries(stories: Iterable[Json], scope: Scope, since: str) -> tuple[LogEntry, ...]:
    """Return the changes of a task after `since` (an Asana time), oldest first.

    Raises KeyError, TypeError or ValueError for a story that is not as Asana defines it.
    """
    found: list[LogEntry] = []
    left: dict[str, Value] = {}  # field -> what the last story left there
    for story in sorted(stories, key=lambda each: str(each.get("created_at") or "")):
        author = (story.get("created_by") or {}).get("gid")
        at = str(story.get("created_at") or "")
        for field, before, after, told in _changes(story, scope, left):
            left[field] = after
            if at > since:
                found.append(LogEntry(field, at, author, before, after, told))
    return tuple(found)


def _changes(
    story: Json, scope: Scope, left: Mapping[str, Value]
) -> Iterator[tuple[str, Value, Value, bool]]:
    """Yield field, value before, value after, and whether the story tells these."""
    kind = str(story.get("resource_subtype"))
    if kind in _SILENT:
        yield _SILENT[kind], None, None, False
    elif kind in _COMPLETED:
        yield "completed", not _COMPLETED[kind], _COMPLETED[kind], True
    elif kind in {"assigned", "unassigned"}:
        after = _gid(story.get("assignee")) if kind == "assigned" else None
        yield "assignee", left.get("assignee"), after, True
    elif kind == "name_changed":
        yield "name", story.get("old_name") or None, story.get("new_name") or None, True
    elif kind == "due_date_changed":
        yield from _dates(story)
    elif kind == "section_changed":
        if _gid(story.get("project")) in scope.containers:
            yield "section", _gid(story.get("old_section")), _gid(story.get("new_section")), True
    elif kind.endswith("_custom_field_changed"):
        yield from _custom(story, kind.removesuffix("_custom_field_changed"))


def _dates(story: Json) -> Iterator[tuple[str, Value, Value, bool]]:
    old, new = story.get("old_dates") or {}, story.get("new_dates") or {}
    for field in ("due_on", "start_on"):
        before, after = _day(old, field), _day(new, field)
        if before != after:
            yield field, before, after, True


def _day(dates: Json, field: str) -> Value:
    day = dates.get(field) or (dates.get("due_at") if field == "due_on" else None)
    return str(day)[:10] if day else None


def _custom(story: Json, kind: str) -> Iterator[tuple[str, Value, Value, bool]]:
    field = _gid(story.get("custom_field"))
    if field is None:
        return
    name = {"multi_enum": "multi_enum_values"}.get(kind, f"{kind}_value")
    yield (
        field,
        _neutral(kind, story.get(f"old_{name}")),
        _neutral(kind, story.get(f"new_{name}")),
        True,
    )


def _neutral(kind: str, raw: Any) -> Value:  # noqa: ANN401
    if raw is None:
        return None
    match kind:
        case "enum":
            return _gid(raw)
        case "multi_enum" | "people":
            return neutral_set(str(each["gid"]) for each in raw)
        case "number":
            return float(raw)
        case "date":
            return _day(raw, "due_on")
        case _:
            return str(raw).strip("\r\n") or None


def _gid(compact: Json | None) -> str | None:
    return str(compact["gid"]) if compact else None
