"""Routes of groups, and of finding people and groups by what somebody types."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Group, Json, User
from syncd.sandbox.jira.problems import bad, missing
from syncd.sandbox.jira.routes_people import matches
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.store import Store
from syncd.sandbox.wire import Response

_PICKED = 50


def new_group(store: Store, name: str, members: set[str] | None) -> Group:
    """Add a group; its id is drawn from its name."""
    group = Group(str(uuid5(NAMESPACE_URL, f"group:{name}")), name, members)
    store.groups[group.id] = group
    return group


def _found(call: Call) -> Group:
    number, name = call.request.one("groupId"), call.request.one("groupname")
    if not number and not name:
        raise bad("Either the 'groupname' or the 'groupId' query parameter must be provided.")
    for group in call.store.groups.values():
        if group.id == number or (not number and group.name == name):
            return group
    raise missing(f"The group named '{name}' does not exist." if name else
                  f"The group with id '{number}' does not exist.")  # fmt: skip


def _shape(call: Call, group: Group) -> Json:
    shape: dict[str, Json] = call.shapes.group(group)
    people = [call.shapes.user(p.account_id) for p in call.store.members(group)]
    return {
        **shape,
        "users": {"size": len(people), "items": people[:50], "max-results": 50, "start-index": 0,
                  "end-index": min(len(people), 50)},
        "expand": "users",
    }  # fmt: skip


def group(call: Call) -> Response:
    """GET group."""
    call.me()
    return call.ok(_shape(call, _found(call)))


def create(call: Call) -> Response:
    """POST group."""
    call.me()
    name = str(call.json().get("name") or "").strip()
    if not name:
        raise bad("A group name must be given.")
    if any(kept.name == name for kept in call.store.groups.values()):
        raise bad(f"Group '{name}' already exists.")
    return call.ok(_shape(call, new_group(call.store, name, set())), 201)


def delete(call: Call) -> Response:
    """DELETE group."""
    call.me()
    del call.store.groups[_found(call).id]
    return Response(200)


def add_person(call: Call) -> Response:
    """POST group/user."""
    call.me()
    found, person = _found(call), _person(call, call.json().get("accountId"))
    members = call.store.members(found)
    if person in members:
        raise bad(f"Cannot add user '{person.name}', user is already a member of '{found.name}'.")
    found.members = {p.account_id for p in members} | {person.account_id}
    return call.ok(_shape(call, found), 201)


def remove_person(call: Call) -> Response:
    """DELETE group/user."""
    call.me()
    found, person = _found(call), _person(call, call.request.one("accountId"))
    members = {p.account_id for p in call.store.members(found)}
    if person.account_id not in members:
        raise bad(f"Cannot remove user '{person.name}' from group '{found.name}' since user is not"
                  " a member of the group.")  # fmt: skip
    found.members = members - {person.account_id}
    return Response(200)


def _person(call: Call, account: Json) -> User:
    person = call.store.users.get(str(account))
    if person is None:
        raise missing("Specified user does not exist or you do not have required permissions")
    return person


def bulk(call: Call) -> Response:
    """GET group/bulk."""
    call.me()
    ids, names = call.request.many("groupId"), call.request.many("groupName")
    rows: list[Json] = [
        {"name": kept.name, "groupId": kept.id}
        for kept in call.store.groups.values()
        if not (ids or names) or kept.id in ids or kept.name in names
    ]
    return call.page_bean(rows)


def members(call: Call) -> Response:
    """GET group/member."""
    call.me()
    inactive = call.flag("includeInactiveUsers")
    people = call.store.members(_found(call), inactive=inactive)
    rows: list[Json] = [call.shapes.user(p.account_id) for p in people]
    return call.page_bean(rows, size=50, most=50)


def of_person(call: Call) -> Response:
    """GET user/groups."""
    call.me()
    person = _person(call, call.request.one("accountId"))
    return call.ok([call.shapes.group(g) for g in call.store.groups_of(person)])


# finding by what somebody types


def _marked(text: str, part: str) -> str:
    return f"<strong>{text[: len(part)]}</strong>{text[len(part) :]}" if part else text


def _groups(call: Call) -> Json:
    part = call.request.one("query") or ""
    out = {*call.request.many("exclude"), *call.request.many("excludeId")}
    kept = [
        g
        for g in call.store.groups.values()
        if part.casefold() in g.name.casefold() and not out & {g.id, g.name}
    ]
    shown = kept[: call.number("maxResults", 20, most=1000)]
    return {
        "header": f"Showing {len(shown)} of {len(kept)} matching groups",
        "total": len(kept),
        "groups": [
            {"name": g.name, "groupId": g.id, "html": g.name.replace(part, f"<b>{part}</b>", 1)
             if part else g.name, "labels": []}
            for g in shown
        ],
    }  # fmt: skip


def _people(call: Call) -> Json:
    part = call.request.one("query") or ""
    out = {*call.request.many("exclude"), *call.request.many("excludeAccountIds")}
    kept = [
        p
        for p in call.store.users.values()
        if p.active and matches(p, part) and p.account_id not in out
    ]
    shown = kept[: call.number("maxResults", _PICKED, most=1000)]
    return {
        "users": [
            {
                "accountId": p.account_id,
                "accountType": p.account_type,
                "displayName": p.name,
                "html": _marked(p.name, part),
                "avatarUrl": call.shapes.user(p.account_id)["avatarUrls"]["16x16"],
            }
            for p in shown
        ],
        "total": len(kept),
        "header": f"Showing {len(shown)} of {len(kept)} matching users",
    }


def pick_groups(call: Call) -> Response:
    """GET groups/picker."""
    return call.ok(_groups(call))


def pick_people(call: Call) -> Response:
    """GET user/picker."""
    call.me()
    return call.ok(_people(call))


def pick_both(call: Call) -> Response:
    """GET groupuserpicker."""
    call.me()
    return call.ok({"users": _people(call), "groups": _groups(call)})


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/group", group),
        ("POST", "/group", create),
        ("DELETE", "/group", delete),
        ("POST", "/group/user", add_person),
        ("DELETE", "/group/user", remove_person),
        ("GET", "/group/bulk", bulk),
        ("GET", "/group/member", members),
        ("GET", "/user/groups", of_person),
        ("GET", "/groups/picker", pick_groups),
        ("GET", "/user/picker", pick_people),
        ("GET", "/groupuserpicker", pick_both),
    ):
        routes.add(method, path, handler)
