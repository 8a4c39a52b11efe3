"""Routes of `/rest/software/1.0`: what boards, epics and sprints hold, with token pages."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Issue
from syncd.sandbox.jira.routes_agile import (
    backlog_of,
    board_backlog,
    board_issues,
    chosen_issues,
    in_project,
)
from syncd.sandbox.jira.routes_epic import board_epic_issues, epic_issues, without_epic
from syncd.sandbox.jira.routes_sprint import board_sprint_issues, sprint_issues
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Response


def _count(call: Call, issues: list[Issue]) -> Response:
    return call.ok({"count": len(chosen_issues(call, issues))})


def count_issues(call: Call, number: str) -> Response:
    """GET board/{boardId}/issue/approximate-count."""
    return _count(call, in_project(call, number))


def count_backlog(call: Call, number: str) -> Response:
    """GET board/{boardId}/backlog/approximate-count."""
    return _count(call, backlog_of(call, number))


def add(routes: Routes) -> None:
    """Add the routes."""
    for path, handler in (
        ("/board/{number}/issue", board_issues),
        ("/board/{number}/issue/approximate-count", count_issues),
        ("/board/{number}/backlog", board_backlog),
        ("/board/{number}/backlog/approximate-count", count_backlog),
        ("/board/{number}/epic/none/issue", without_epic),
        ("/board/{number}/epic/{key}/issue", board_epic_issues),
        ("/board/{board}/sprint/{number}/issue", board_sprint_issues),
        ("/epic/none/issue", without_epic),
        ("/epic/{key}/issue", epic_issues),
        ("/sprint/{number}/issue", sprint_issues),
    ):
        routes.add("GET", path, handler)
