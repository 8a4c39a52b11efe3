"""Routes of what hangs on issues: comments, links, remote links."""

from __future__ import annotations

from syncd.sandbox.jira import edit, happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import touch
from syncd.sandbox.jira.model import Issue, Json, LinkType
from syncd.sandbox.jira.problems import ApiError, bad, bad_field, missing
from syncd.sandbox.jira.render import comment as comment_shape
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Response, whole

MAX_GLOBAL_ID = 255
MAX_REMOTE_LINKS = 2000


# comments


def comments(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/comment."""
    issue = call.issue(key)
    start, size = call.number("startAt", 0), call.number("maxResults", 100, most=5000)
    ordered = issue.comments
    if (call.request.one("orderBy") or "").startswith("-"):
        ordered = ordered[::-1]
    rows = [comment_shape(call.shapes, issue, c) for c in ordered[start : start + size]]
    return call.ok({"startAt": start, "maxResults": size, "total": len(ordered), "comments": rows})


def comments_by_ids(call: Call) -> Response:
    """POST comment/list: at most 1000; those that are missing or not visible are left out."""
    named = call.json().get("ids")
    if not isinstance(named, list) or len(named) > 1000:  # noqa: PLR2004 - the vendor's limit
        raise bad("ids must be a list of at most 1000 comment ids.")
    wanted = {str(number) for number in named}
    rows = [
        comment_shape(call.shapes, issue, item)
        for issue in call.store.issues.values()
        for item in issue.comments
        if item.id in wanted and call.sees(issue)
    ]
    return call.page_bean(rows, size=1000)


def add_comment(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/comment."""
    issue = call.issue_to_change(key)
    item = edit.add_comment(call, issue, call.json())
    return call.ok(comment_shape(call.shapes, issue, item), 201)


def comment(call: Call, key: str, number: str) -> Response:
    """GET issue/{issueIdOrKey}/comment/{id}."""
    issue = call.issue(key)
    return call.ok(comment_shape(call.shapes, issue, edit.find_comment(issue, number)))


def update_comment(call: Call, key: str, number: str) -> Response:
    """PUT issue/{issueIdOrKey}/comment/{id}."""
    issue = call.issue_to_change(key)
    item = edit.find_comment(issue, number)
    edit.edit_comment(call, issue, item, call.json())
    return call.ok(comment_shape(call.shapes, issue, item))


def delete_comment(call: Call, key: str, number: str) -> Response:
    """DELETE issue/{issueIdOrKey}/comment/{id}."""
    issue = call.issue_to_change(key)
    edit.remove_comment(call, issue, edit.find_comment(issue, number))
    return call.done()


# links


def link_types(call: Call) -> Response:
    """GET issueLinkType."""
    rows = [call.shapes.link_type(t) for t in call.store.link_types.values()]
    return call.ok({"issueLinkTypes": rows})


def link_type(call: Call, key: str) -> Response:
    """GET issueLinkType/{issueLinkTypeId}."""
    if key not in call.store.link_types:
        raise missing(f"No issue link type with id '{key}' found.")
    return call.ok(call.shapes.link_type(call.store.link_types[key]))


def add_link_type(call: Call) -> Response:
    """POST issueLinkType."""
    call.me()
    body = call.json()
    texts = [str(body.get(name) or "").strip() for name in ("name", "inward", "outward")]
    if not all(texts):
        raise bad("Name, inward description and outward description are required.")
    if any(t.name == texts[0] for t in call.store.link_types.values()):
        raise bad(f"The issue link type name '{texts[0]}' is already used.")
    made = LinkType(str(call.store.number("linktype")), *texts)
    call.store.link_types[made.id] = made
    return call.ok(call.shapes.link_type(made), 201)


def _link_type(call: Call, key: str) -> LinkType:
    call.me()
    if key not in call.store.link_types:
        raise missing(f"No issue link type with id '{key}' found.")
    return call.store.link_types[key]


def update_link_type(call: Call, key: str) -> Response:
    """PUT issueLinkType/{issueLinkTypeId}: only what is given changes."""
    found, body = _link_type(call, key), call.json()
    for name in ("name", "inward", "outward"):
        if body.get(name):
            setattr(found, name, str(body[name]))
    return call.ok(call.shapes.link_type(found))


def delete_link_type(call: Call, key: str) -> Response:
    """DELETE issueLinkType/{issueLinkTypeId}: with all its links."""
    found = _link_type(call, key)
    for number in [n for n, link in call.store.links.items() if link.type_id == found.id]:
        call.store.remove_link(number)
    del call.store.link_types[found.id]
    return call.done()


def add_link(call: Call) -> Response:
    """POST issueLink: 201 without a body."""
    call.me()
    body = call.json()
    link = edit.add_link(call, body)
    if isinstance(body.get("comment"), dict):
        edit.add_comment(call, call.store.issues[link.inward], body["comment"])
    return Response(201, headers={"location": f"{call.shapes.api}/issueLink/{link.id}"})


def link(call: Call, key: str) -> Response:
    """GET issueLink/{linkId}."""
    found = call.store.links.get(key)
    if found is None:
        raise missing(f"No issue link with id '{key}' exists.")
    ends = call.store.issues[found.inward], call.store.issues[found.outward]
    if not all(call.sees(end) for end in ends):
        raise missing(f"No issue link with id '{key}' exists.")
    return call.ok(
        {
            "id": found.id,
            "self": f"{call.shapes.api}/issueLink/{found.id}",
            "type": call.shapes.link_type(call.store.link_types[found.type_id]),
            "inwardIssue": call.shapes.related(ends[0]),
            "outwardIssue": call.shapes.related(ends[1]),
        }
    )


def delete_link(call: Call, key: str) -> Response:
    """DELETE issueLink/{linkId}."""
    call.me()
    found = call.store.links.get(key)
    if found is None:
        raise missing("No issue link with id '" + key + "' exists.")
    ends = [call.store.issues[found.inward], call.store.issues[found.outward]]
    happenings.link(call.store, "deleted", found)
    call.store.remove_link(key)
    for end in ends:
        touch(call.store, end)
    return call.done()


# remote links


def _remote(call: Call, issue: Issue, number: int) -> Json:
    return {
        "id": number,
        "self": f"{call.shapes.api}/issue/{issue.key}/remotelink/{number}",
        **issue.remote_links[number],
    }


def remote_links(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/remotelink, or one by its globalId."""
    issue = call.issue(key)
    wanted = call.request.one("globalId")
    if wanted is None:
        return call.ok([_remote(call, issue, number) for number in issue.remote_links])
    number = _by_global_id(issue, wanted)
    if number is None:
        raise missing(f"A remote link with globalId '{wanted}' does not exist.")
    return call.ok(_remote(call, issue, number))


def _by_global_id(issue: Issue, wanted: Json) -> int | None:
    return next((n for n, v in issue.remote_links.items() if v.get("globalId") == wanted), None)


def _remote_value(body: dict[str, Json]) -> dict[str, Json]:
    target = body.get("object")
    if not isinstance(target, dict) or not target.get("url") or not target.get("title"):
        errors = {"object": "'object' with 'url' and 'title' is required."}
        raise ApiError(400, errors=errors)
    if len(str(body.get("globalId") or "")) > MAX_GLOBAL_ID:
        raise bad_field("globalId", "The globalId must be at most 255 characters.")
    kept = {k: body[k] for k in ("globalId", "relationship") if body.get(k)}
    application = body.get("application") or {}
    shown = {"summary": "", "icon": {}, "status": {"icon": {}}, **target}
    return {**kept, "application": application, "object": shown}


def add_remote_link(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/remotelink: 201 new, 200 when its globalId was there."""
    issue = call.issue_to_change(key)
    value = _remote_value(call.json())
    number = _by_global_id(issue, value["globalId"]) if "globalId" in value else None
    status = 201 if number is None else 200
    if number is None:
        edit.full(len(issue.remote_links), MAX_REMOTE_LINKS, "remote links")
        number = call.store.number("remotelink")
    issue.remote_links[number] = value
    touch(call.store, issue)
    address = f"{call.shapes.api}/issue/{issue.key}/remotelink/{number}"
    return call.ok({"id": number, "self": address}, status)


def _remote_number(issue: Issue, number: str) -> int:
    found = whole(number)
    if found not in issue.remote_links:
        raise missing(f"The remote link with id '{number}' does not exist.")
    return found


def remote_link(call: Call, key: str, number: str) -> Response:
    """GET issue/{issueIdOrKey}/remotelink/{linkId}."""
    issue = call.issue(key)
    return call.ok(_remote(call, issue, _remote_number(issue, number)))


def update_remote_link(call: Call, key: str, number: str) -> Response:
    """PUT issue/{issueIdOrKey}/remotelink/{linkId}."""
    issue = call.issue_to_change(key)
    issue.remote_links[_remote_number(issue, number)] = _remote_value(call.json())
    touch(call.store, issue)
    return call.done()


def delete_remote_link(call: Call, key: str, number: str) -> Response:
    """DELETE issue/{issueIdOrKey}/remotelink/{linkId}."""
    issue = call.issue_to_change(key)
    del issue.remote_links[_remote_number(issue, number)]
    touch(call.store, issue)
    return call.done()


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/issue/{key}/comment", comments),
        ("POST", "/issue/{key}/comment", add_comment),
        ("GET", "/issue/{key}/comment/{number}", comment),
        ("PUT", "/issue/{key}/comment/{number}", update_comment),
        ("DELETE", "/issue/{key}/comment/{number}", delete_comment),
        ("POST", "/comment/list", comments_by_ids),
        ("GET", "/issueLinkType", link_types),
        ("GET", "/issueLinkType/{key}", link_type),
        ("POST", "/issueLinkType", add_link_type),
        ("PUT", "/issueLinkType/{key}", update_link_type),
        ("DELETE", "/issueLinkType/{key}", delete_link_type),
        ("POST", "/issueLink", add_link),
        ("GET", "/issueLink/{key}", link),
        ("DELETE", "/issueLink/{key}", delete_link),
        ("GET", "/issue/{key}/remotelink", remote_links),
        ("POST", "/issue/{key}/remotelink", add_remote_link),
        ("GET", "/issue/{key}/remotelink/{number}", remote_link),
        ("PUT", "/issue/{key}/remotelink/{number}", update_remote_link),
        ("DELETE", "/issue/{key}/remotelink/{number}", delete_remote_link),
    ):
        routes.add(method, path, handler)
