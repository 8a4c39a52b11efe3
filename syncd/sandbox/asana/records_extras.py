"""The records of files, memberships, logged time and briefs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncd.sandbox.asana.entities import Attachment, Membership, User, UserTaskList
from syncd.sandbox.asana.html import from_plain
from syncd.sandbox.asana.records_work import APP, constant, moment
from syncd.sandbox.asana.shapes import SHAPES, Shape, View, plain, ref


@dataclass(frozen=True, slots=True)
class SpecialMembership:
    """A membership as the older endpoints of its own kind show it."""

    KIND: str
    of: Membership

    @property
    def gid(self) -> str:
        """The membership's gid."""
        return self.of.gid


def _host(_view: View, it: Attachment) -> str:
    return it.host


def _permanent(_view: View, it: Attachment) -> str | None:
    return f"{APP}/app/asana/-/get_asset?asset_id={it.gid}" if it.host == "asana" else it.url


SHAPES["attachment"] = Shape(
    {
        "name": plain("name"),
        "resource_subtype": _host,
        "created_at": moment("created_at"),
        "download_url": lambda view, it: (
            f"{view.base_url}/attachments/{it.gid}/{it.name}" if it.host == "asana" else None
        ),
        "permanent_url": _permanent,
        "host": _host,
        "parent": ref("parent"),
        "size": lambda _view, it: len(it.content) if it.host == "asana" else None,
        "view_url": _permanent,
        "connected_to_app": constant(value=False),
    },
    compact=("gid", "resource_type", "name", "resource_subtype"),
    opt_in=("size",),
)


def _inner(name: str) -> Any:  # noqa: ANN401 - a getter
    return lambda view, it: view.find(getattr(it.of, name))


def _access(_view: View, it: SpecialMembership) -> str:
    return it.of.access_level


SHAPES["membership"] = Shape(
    {
        "parent": ref("parent"),
        "member": ref("member"),
        "access_level": plain("access_level"),
        "resource_subtype": lambda _view, it: f"{it.of}_membership",
    },
    compact=("gid", "resource_type", "parent", "member", "access_level", "resource_subtype"),
)
SHAPES["project_membership"] = Shape(
    {
        "parent": _inner("parent"),
        "member": _inner("member"),
        "access_level": _access,
        "user": _inner("member"),
        "project": _inner("parent"),
        "write_access": lambda _view, it: (
            "full_write" if it.of.access_level in {"admin", "editor"} else "comment_only"
        ),
    },
    compact=("gid", "resource_type", "parent", "member", "access_level"),
)
SHAPES["portfolio_membership"] = Shape(
    {"parent": _inner("parent"), "member": _inner("member"), "access_level": _access,
     "portfolio": _inner("parent"), "user": _inner("member")},
    compact=("gid", "resource_type", "parent", "member", "access_level"),
    opt_in=("portfolio", "user"),
)  # fmt: skip
_NO = constant(value=False)
SHAPES["team_membership"] = Shape(
    {"user": _inner("member"), "team": _inner("parent"), "is_guest": _NO,
     "is_limited_access": _NO, "is_admin": _NO},
    compact=("gid", "resource_type", "user", "team", "is_guest", "is_limited_access", "is_admin"),
)  # fmt: skip


def _task_list(view: View, it: SpecialMembership) -> UserTaskList | None:
    return view.store.get(view.store.need(it.of.member, User).task_list, UserTaskList)


SHAPES["workspace_membership"] = Shape(
    {"user": _inner("member"), "workspace": _inner("parent"), "user_task_list": _task_list,
     "is_active": constant(value=True), "is_admin": _NO, "is_guest": _NO, "is_view_only": _NO,
     "vacation_dates": constant(None)},
    compact=("gid", "resource_type", "user", "workspace"),
)  # fmt: skip

SHAPES["time_tracking_entry"] = Shape(
    {
        "duration_minutes": plain("minutes"),
        "entered_on": plain("entered_on"),
        "attributable_to": ref("attributable_to"),
        "created_by": ref("created_by"),
        "categories": constant([]),
        "task": ref("task"),
        "created_at": moment("created_at"),
        "approval_status": constant("DRAFT"),
        "billable_status": constant("notApplicable"),
        "description": plain("description"),
    },
    compact=("gid", "resource_type", "duration_minutes", "entered_on", "attributable_to",
             "created_by", "categories"),
)  # fmt: skip

SHAPES["project_brief"] = Shape(
    {
        "title": plain("title"),
        "html_text": lambda _view, it: it.html or from_plain(it.text),
        "text": plain("text"),
        "permalink_url": lambda _view, it: f"{APP}/0/{it.project}/{it.gid}",
        "project": ref("project"),
    },
    compact=("gid", "resource_type"),
    opt_in=("text",),
)
