"""Routes of archiving: archived issues and projects leave search and cannot be changed."""

from __future__ import annotations

from syncd.sandbox.jira import happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Issue, Json
from syncd.sandbox.jira.problems import ApiError, bad
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.search import Search
from syncd.sandbox.jira.tasks import new_task
from syncd.sandbox.wire import Response

MAX_ISSUES = 1000
_REASONS = {
    "issuesNotFound": "Issue not found.",
    "issueIsSubtask": "Issue is subtask.",
    "issuesInArchivedProjects": "Issue exists in archived project.",
}


def archive(call: Call) -> Response:
    """PUT issue/archive."""
    return _each(call, archived=True)


def unarchive(call: Call) -> Response:
    """PUT issue/unarchive."""
    return _each(call, archived=False)


def _each(call: Call, *, archived: bool) -> Response:
    call.me()
    named = call.json().get("issueIdsOrKeys")
    if not isinstance(named, list) or not named:
        raise bad("issueIdsOrKeys must not be empty.")
    wrong: dict[str, list[str]] = {}
    done = 0
    for name in dict.fromkeys(map(str, named[:MAX_ISSUES])):
        reason = _refusal(call, call.store.find_issue(name))
        if reason:
            wrong.setdefault(reason, []).append(name)
        else:
            _set(call, call.issue(name), archived=archived)
            done += 1
    errors = {
        reason: {"count": len(names), "issueIdsOrKeys": names, "message": _REASONS[reason]}
        for reason, names in wrong.items()
    }
    if len(named) > MAX_ISSUES:
        raise ApiError(412, f"The limit of {MAX_ISSUES} issues was reached; the rest is unchanged.")
    return call.ok({"numberOfIssuesUpdated": done, "errors": errors})


def _refusal(call: Call, issue: Issue | None) -> str:
    if issue is None or not call.sees(issue):
        return "issuesNotFound"
    if call.store.type_of(issue).level < 0:
        return "issueIsSubtask"
    archived = call.store.projects[issue.project_id].archived
    return "issuesInArchivedProjects" if archived else ""


def _set(call: Call, issue: Issue, *, archived: bool) -> None:
    for each in (issue, *call.store.subtasks(issue.id)):
        if archived:
            call.store.archived.add(each.id)
        else:
            call.store.archived.discard(each.id)
        call.store.reindex(each)


def archive_found(call: Call) -> Response:
    """POST issue/archive: everything that a query finds; the answer is a task's address."""
    call.me()
    jql = call.json().get("jql")
    if not isinstance(jql, str) or not jql:
        raise bad("jql must not be empty.")
    found = Search(call.viewer, jql, call.sees).all()
    chosen = [issue for issue in found if not _refusal(call, issue)]
    for issue in chosen:
        _set(call, issue, archived=True)
    return call.ok(new_task(call, "Archive issues", f"{len(chosen)} issues archived"), 202)


def archive_project(call: Call, key: str) -> Response:
    """POST project/{projectIdOrKey}/archive."""
    call.me()
    _set_project(call, key, archived=True)
    return call.done()


def restore_project(call: Call, key: str) -> Response:
    """POST project/{projectIdOrKey}/restore."""
    call.me()
    return call.ok(_set_project(call, key, archived=False))


def _set_project(call: Call, key: str, *, archived: bool) -> Json:
    found = call.project(key)
    found.archived = archived
    happenings.project(call.store, "archived" if archived else "restored_archived", found)
    call.store.setup += 1
    call.store.revision += 1
    return call.shapes.project_whole(found)


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("PUT", "/issue/archive", archive),
        ("POST", "/issue/archive", archive_found),
        ("PUT", "/issue/unarchive", unarchive),
        ("POST", "/project/{key}/archive", archive_project),
        ("POST", "/project/{key}/restore", restore_project),
    ):
        routes.add(method, path, handler)
