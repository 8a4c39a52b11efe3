"""The records of goals, portfolios, status updates, jobs and webhooks."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.asana.entities import CustomField, Entity
from syncd.sandbox.asana.fieldvalues import FieldValue
from syncd.sandbox.asana.html import from_plain
from syncd.sandbox.asana.moments import stamp, stamp_or_none
from syncd.sandbox.asana.planning import Goal, Job, Metric, StatusUpdate, current_value
from syncd.sandbox.asana.records_work import (
    APP,
    LIKES,
    STATUS_COLORS,
    constant,
    latest_update,
    moment,
    setting_fields,
)
from syncd.sandbox.asana.shapes import ABSENT, SHAPES, Shape, View, plain, ref, refs


def _values(view: View, holder: Any) -> list[FieldValue]:  # noqa: ANN401
    values = holder.custom_values or {}
    fields: list[CustomField] = setting_fields(view.store, holder.settings)
    return [FieldValue(it, values.get(it.gid)) for it in fields]


def _current(view: View, metric: Metric) -> float:
    return current_value(view.store, view.store.need(metric.goal, Goal), metric)


def _display(view: View, metric: Metric) -> str:
    value = _current(view, metric)
    if metric.unit == "percentage":
        return f"{value * 100:.{metric.precision}f}%"
    prefix = f"{metric.currency_code} " if metric.unit == "currency" else ""
    return f"{prefix}{value:.{metric.precision}f}"


SHAPES["goal_metric"] = Shape(
    {
        "resource_subtype": constant("number"),
        "currency_code": plain("currency_code"),
        "current_display_value": _display,
        "current_number_value": _current,
        "initial_number_value": plain("initial"),
        "is_custom_weight": plain("is_custom_weight"),
        "precision": plain("precision"),
        "progress_source": plain("source"),
        "target_number_value": plain("target"),
        "unit": plain("unit"),
    },
    compact=(
        "gid", "resource_type", "resource_subtype", "currency_code", "current_display_value",
        "current_number_value", "initial_number_value", "is_custom_weight", "precision",
        "progress_source", "target_number_value", "unit",
    ),
    whole=True,
)  # fmt: skip

SHAPES["goal"] = Shape(
    {
        "name": plain("name"),
        "current_status_update": latest_update,
        "custom_field_settings": refs("settings"),
        "custom_fields": _values,
        "default_access_level": constant("editor"),
        "due_on": plain("due_on"),
        "followers": refs("followers"),
        "html_notes": lambda _view, goal: goal.notes.html or from_plain(goal.notes.plain),
        "is_workspace_level": plain("is_workspace_level"),
        **{name: LIKES[name] for name in ("liked", "likes", "num_likes")},
        "metric": plain("metric"),
        "notes": lambda _view, goal: goal.notes.plain,
        "owner": ref("owner"),
        "privacy_setting": constant("public_to_workspace"),
        "start_on": plain("start_on"),
        "status": plain("status"),
        "team": ref("team"),
        "time_period": ref("time_period"),
        "workspace": ref("workspace"),
    },
    compact=("gid", "name", "owner", "resource_type"),
    opt_in=("html_notes",),
)

SHAPES["goal_relationship"] = Shape(
    {
        "resource_subtype": plain("subtype"),
        "supporting_resource": ref("resource"),
        "contribution_weight": plain("weight"),
        "supported_goal": ref("goal"),
    },
    compact=(
        "gid", "resource_type", "resource_subtype", "supporting_resource", "contribution_weight",
    ),
)  # fmt: skip

SHAPES["time_period"] = Shape(
    {
        "display_name": plain("name"),
        "end_on": plain("end_on"),
        "parent": ref("parent"),
        "period": plain("period"),
        "start_on": plain("start_on"),
    },
    compact=("gid", "resource_type", "end_on", "start_on", "period", "display_name"),
)

SHAPES["portfolio"] = Shape(
    {
        "name": plain("name"),
        "archived": plain("archived"),
        "color": plain("color"),
        "created_at": moment("created_at"),
        "created_by": ref("created_by"),
        "current_status_update": latest_update,
        "custom_field_settings": refs("settings"),
        "custom_fields": _values,
        "default_access_level": constant("viewer"),
        "due_on": plain("due_on"),
        "members": refs("members"),
        "owner": ref("owner"),
        "permalink_url": lambda _view, it: f"{APP}/1/{it.workspace}/portfolio/{it.gid}",
        "privacy_setting": lambda _v, it: "public_to_domain" if it.public else "members_only",
        "project_templates": constant([]),
        "public": plain("public"),
        "start_on": plain("start_on"),
        "workspace": ref("workspace"),
    },
    opt_in=("archived",),
)

SHAPES["status_update"] = Shape(
    {
        "author": ref("author"),
        "created_at": moment("created_at"),
        "created_by": ref("author"),
        **LIKES,
        "html_text": lambda _view, update: update.html or from_plain(update.text),
        "modified_at": moment("modified_at"),
        "parent": ref("parent"),
        "reaction_summary": constant([]),
        "resource_subtype": plain("subtype"),
        "status_type": plain("status_type"),
        "text": plain("text"),
        "title": plain("title"),
    },
    compact=("gid", "resource_type", "resource_subtype", "title"),
    opt_in=("html_text",),
)


def project_status(view: View, update: StatusUpdate) -> dict[str, Any]:
    """Return a status update in the older form of project statuses."""
    author = view.find(update.author)
    return {
        "gid": update.gid,
        "author": author,
        "color": STATUS_COLORS.get(update.status_type, "green"),
        "created_at": stamp(update.created_at),
        "created_by": author,
        "html_text": update.html or from_plain(update.text),
        "modified_at": stamp(update.modified_at),
        "resource_type": "project_status",
        "text": update.text,
        "title": update.title,
    }


def _made(kind: str, name: str) -> Any:  # noqa: ANN401
    def get(view: View, job: Job) -> Entity | Any:  # noqa: ANN401
        found = view.find(job.made)
        return found if found is not None and kind == found.KIND else ABSENT

    return name, get


SHAPES["job"] = Shape(
    {
        "resource_subtype": plain("subtype"),
        "status": lambda _view, job: "succeeded" if job.seen else "in_progress",
        **dict([_made("task", "new_task"), _made("project", "new_project")]),
    },
    compact=("gid", "resource_type", "resource_subtype", "status", "new_task", "new_project"),
)

SHAPES["webhook"] = Shape(
    {
        "active": constant(value=True),
        "created_at": moment("created_at"),
        "delivery_retry_count": plain("retries"),
        "failure_deletion_timestamp": lambda _view, it: stamp_or_none(it.deletion),
        "filters": plain("filters"),
        "last_failure_at": moment("last_failure_at"),
        "last_failure_content": plain("last_failure_content"),
        "last_success_at": moment("last_success_at"),
        "next_attempt_after": moment("next_attempt_after"),
        "resource": ref("resource"),
        "target": plain("target"),
    },
    compact=("gid", "active", "resource", "resource_type", "target"),
)
