"""Routes of users."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Json, Project, User
from syncd.sandbox.jira.problems import ApiError, bad, missing
from syncd.sandbox.jira.routes_site import PERMISSIONS
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Response

MAX_USERS = 1000
MAX_BULK = 200


def user(call: Call) -> Response:
    """GET user."""
    call.me()
    account = call.request.one("accountId")
    if not account:
        raise bad("The query parameter 'accountId' must be provided.")
    if account not in call.store.users:
        raise missing("Specified user does not exist or you do not have required permissions")
    shape = {**call.shapes.user(account), "expand": "groups,applicationRoles"}
    items = "groups" in call.names("expand")
    groups = call.shapes.groups_of(call.store.users[account], items=items)
    return call.ok({**shape, "groups": groups, "applicationRoles": {"size": 0, "items": []}})


def matches(person: User, text: str) -> bool:
    """Match beginnings of names; an e-mail only whole where it is hidden."""
    text = text.casefold()
    if person.email.casefold() == text:
        return True
    if person.email_visible and person.email.casefold().startswith(text):
        return True
    name = person.name.casefold()
    return name.startswith(text) or any(part.startswith(text) for part in name.split())


def _rows(call: Call, people: list[User]) -> Response:
    start = call.number("startAt", 0)
    size = call.number("maxResults", 50, most=MAX_USERS)
    rows = people[start : start + size]
    return call.ok([call.shapes.user(person.account_id) for person in rows])


def search(call: Call) -> Response:
    """GET user/search."""
    call.me()
    text, account = call.request.one("query"), call.request.one("accountId")
    if text is None and account is None and call.request.one("property") is None:
        raise bad("Missing required query parameter: 'query', 'accountId' or 'property'.")
    people = [
        person
        for person in call.store.users.values()
        if person.active
        and (text is None or matches(person, text))
        and (account is None or person.account_id == account)
    ]
    return _rows(call, people)


def everyone(call: Call) -> Response:
    """GET users/search and users: all users, inactive ones too."""
    call.me()
    return _rows(call, list(call.store.users.values()))


def bulk(call: Call) -> Response:
    """GET user/bulk."""
    call.me()
    asked = list(call.request.many("accountId"))
    if not asked:
        raise bad("The query parameter 'accountId' must be provided.")
    found = [a for a in dict.fromkeys(asked) if a in call.store.users]
    rows: list[Json] = [call.shapes.user(account) for account in found]
    return call.page_bean(rows, size=10, most=MAX_BULK)


def _project_of(call: Call, name: str) -> Project:
    """Return the project that the query points to, by issue or by the parameter `name`."""
    issue_key = call.request.one("issueKey") or call.request.one("issueId")
    if issue_key:
        return call.store.projects[call.issue(issue_key).project_id]
    project_key = call.request.one(name)
    if not project_key:
        raise bad(f"Either the '{name}' or the 'issueKey' query parameter must be provided.")
    return call.project(project_key)


def _who(call: Call, projects: list[Project], *, writers: bool = False) -> Response:
    """Return the people who belong to all of these projects and look as the query says."""
    text, account = call.request.one("query") or "", call.request.one("accountId")
    people = [
        person
        for person in call.store.users.values()
        if person.active
        and person.account_type == "atlassian"
        and all(p.members is None or person.account_id in p.members for p in projects)
        and not (writers and any(person.account_id in p.readers for p in projects))
        and (not text or matches(person, text))
        and (not account or person.account_id == account)
    ]
    return _rows(call, people)


def assignable(call: Call) -> Response:
    """GET user/assignable/search."""
    call.me()
    return _who(call, [_project_of(call, "project")])


def assignable_in_all(call: Call) -> Response:
    """GET user/assignable/multiProjectSearch."""
    call.me()
    keys = call.names("projectKeys")
    if not keys:
        raise bad("The 'projectKeys' query parameter must be provided.")
    return _who(call, [call.project(key) for key in keys])


def viewers(call: Call) -> Response:
    """GET user/viewissue/search."""
    call.me()
    return _who(call, [_project_of(call, "projectKey")])


def permitted(call: Call) -> Response:
    """GET user/permission/search."""
    call.me()
    asked = call.names("permissions")
    unknown = [key for key in asked if key not in PERMISSIONS]
    if not asked or unknown:
        raise bad(f"Unrecognized permission: {', '.join(unknown)}" if asked else
                  "The 'permissions' query parameter is required.")  # fmt: skip
    writers = any(PERMISSIONS[key][3] for key in asked)
    return _who(call, [_project_of(call, "projectKey")], writers=writers)


def mail(_call: Call) -> Response:
    """Refuse what only approved apps may ask."""
    raise ApiError(403, "The app is not approved to use this operation.")


def add(routes: Routes) -> None:
    """Add the routes."""
    routes.add("GET", "/user", user)
    routes.add("GET", "/user/search", search)
    routes.add("GET", "/user/bulk", bulk)
    routes.add("GET", "/user/assignable/search", assignable)
    routes.add("GET", "/user/assignable/multiProjectSearch", assignable_in_all)
    routes.add("GET", "/user/viewissue/search", viewers)
    routes.add("GET", "/user/permission/search", permitted)
    routes.add("GET", "/user/email", mail)
    routes.add("GET", "/users/search", everyone)
    routes.add("GET", "/users", everyone)
