"""The functions of JQL that stand for people, issues, versions and other named things."""

from __future__ import annotations

from collections.abc import Callable

from syncd.sandbox.jira.jql_fields import Subject, unknown
from syncd.sandbox.jira.jql_parse import Call
from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import Issue, Json, Link
from syncd.sandbox.jira.problems import bad

Function = Callable[[Viewer, Subject, Call], set[Json]]


def _me(viewer: Viewer, _what: Subject, _call: Call) -> set[Json]:
    return {viewer.user.account_id} if viewer.user else set()


def _versions(*, released: bool) -> Callable[[Viewer, Subject, Call], set[Json]]:
    def found(viewer: Viewer, _what: Subject, call: Call) -> set[Json]:
        projects = {p.id for a in call.arguments if (p := viewer.store.find_project(a))}
        return {
            v.id
            for v in viewer.store.versions.values()
            if v.released == released and (not call.arguments or v.project_id in projects)
        }

    return found


def _levels(*, subtask: bool) -> Callable[[Viewer, Subject, Call], set[Json]]:
    return lambda viewer, _what, _call: {
        t.id for t in viewer.store.types.values() if (t.level < 0) == subtask
    }


def _sprints(state: str) -> Callable[[Viewer, Subject, Call], set[Json]]:
    return lambda viewer, _what, _call: {
        n for n, s in viewer.store.extras.get("sprints", {}).items() if s["state"] == state
    }


def _linked(viewer: Viewer, what: Subject, call: Call) -> set[Json]:
    if not call.arguments:
        raise bad(
            f"Function '{call.name}' expected between '1' and '2' arguments but received '0'."
        )
    store = viewer.store
    issue = store.find_issue(call.arguments[0])
    if issue is None or not viewer.sees(issue):
        raise unknown(what, call.arguments[0])
    links = [store.links[link] for link in store.links_of.get(issue.id, ())]
    if len(call.arguments) > 1:
        links = [link for link in links if _reads(viewer, issue, link, call.arguments[1])]
    return {link.outward if link.inward == issue.id else link.inward for link in links}


def _reads(viewer: Viewer, issue: Issue, link: Link, wanted: str) -> bool:
    """Tell whether a link reads, seen from an issue, as the text given."""
    kind = viewer.store.link_types[link.type_id]
    told = kind.outward if link.inward == issue.id else kind.inward
    return wanted.casefold() in {told.casefold(), kind.name.casefold()}


def _members_of(viewer: Viewer, _what: Subject, call: Call) -> set[Json]:
    wanted = _one_argument(call).casefold()
    for group in viewer.store.groups.values():
        if wanted in {group.name.casefold(), group.id}:
            return {person.account_id for person in viewer.store.members(group, inactive=True)}
    raise bad(f"Function '{call.name}' can not generate a list of usernames for group"
              f" '{call.arguments[0]}'; the group does not exist.")  # fmt: skip


def _one_argument(call: Call) -> str:
    if len(call.arguments) != 1:
        raise bad(f"Function '{call.name}' expected '1' arguments but received"
                  f" '{len(call.arguments)}'.")  # fmt: skip
    return call.arguments[0]


def _person(viewer: Viewer, call: Call) -> set[str]:
    """Return the account ids of a function's first argument, the caller's without one."""
    if call.arguments:
        return set(viewer.people(call.arguments[0]))
    return {viewer.user.account_id} if viewer.user else set()


def _watched(viewer: Viewer, _what: Subject, _call: Call) -> set[Json]:
    me = viewer.user.account_id if viewer.user else ""
    return {issue.id for issue in viewer.store.issues.values() if me in issue.watchers}


def _voted(viewer: Viewer, _what: Subject, _call: Call) -> set[Json]:
    me = viewer.user.account_id if viewer.user else ""
    return {number for number, voters in viewer.store.voters.items() if me in voters}


def _led_projects(viewer: Viewer, _what: Subject, call: Call) -> set[Json]:
    people = _person(viewer, call)
    return {p.id for p in viewer.store.projects.values() if p.lead in people}


def _led_components(viewer: Viewer, _what: Subject, call: Call) -> set[Json]:
    people = _person(viewer, call)
    return {c.id for c in viewer.store.components.values() if c.lead in people}


def _edge_version(*, released: bool) -> Function:
    """Return the function of the latest released, or the earliest unreleased, version."""

    def found(viewer: Viewer, _what: Subject, call: Call) -> set[Json]:
        project = viewer.store.find_project(_one_argument(call))
        rows = viewer.store.versions_of(project) if project else []
        ids = [v.id for v in rows if v.released == released and not v.archived]
        return {ids[-1] if released else ids[0]} if ids else set()

    return found


def _updated_by(viewer: Viewer, _what: Subject, call: Call) -> set[Json]:
    if not 1 <= len(call.arguments) <= 3:  # noqa: PLR2004 - user, from, to
        raise bad(f"Function '{call.name}' expected between '1' and '3' arguments but received"
                  f" '{len(call.arguments)}'.")  # fmt: skip
    people = set(viewer.people(call.arguments[0]))
    bounds = [viewer.moment(text, quoted=True, field=call.name) for text in call.arguments[1:]]
    low = bounds[0] if bounds else 0
    high = bounds[1] if len(bounds) > 1 else 1 << 62
    return {
        issue.id
        for issue in viewer.store.issues.values()
        if any(h.author in people and low <= h.created <= high for h in issue.histories)
        or (issue.values.get("creator") in people and low <= issue.created <= high)
    }


def _descendants(viewer: Viewer, what: Subject, call: Call) -> set[Json]:
    store = viewer.store
    issue = store.find_issue(_one_argument(call))
    if issue is None or not viewer.sees(issue):
        raise unknown(what, call.arguments[0])
    found: set[Json] = set()
    waiting = [issue.id]
    while waiting:
        children = store.children.get(waiting.pop(), {})
        found |= children.keys()
        waiting += children
    return found


FUNCTIONS: dict[str, Function] = {
    "currentuser": _me,
    "releasedversions": _versions(released=True),
    "unreleasedversions": _versions(released=False),
    "standardissuetypes": _levels(subtask=False),
    "subtaskissuetypes": _levels(subtask=True),
    "opensprints": _sprints("active"),
    "closedsprints": _sprints("closed"),
    "futuresprints": _sprints("future"),
    "linkedissues": _linked,
    "linkedworkitems": _linked,
    "membersof": _members_of,
    "watchedissues": _watched,
    "watchedworkitems": _watched,
    "votedissues": _voted,
    "votedworkitems": _voted,
    "projectsleadbyuser": _led_projects,
    "spacesleadbyuser": _led_projects,
    "componentsleadbyuser": _led_components,
    "latestreleasedversion": _edge_version(released=True),
    "earliestunreleasedversion": _edge_version(released=False),
    "updatedby": _updated_by,
    "childissuesof": _descendants,
    "childworkitemsof": _descendants,
    "portfoliochildissuesof": _descendants,
}
