"""Routes of search: JQL with token pages, counts, parsing, changelogs in bulk."""

from __future__ import annotations

import base64
import binascii

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.kinds import field_schema
from syncd.sandbox.jira.model import Field, History, Issue, Json
from syncd.sandbox.jira.problems import BAD_PAYLOAD, ApiError, bad, scalars
from syncd.sandbox.jira.render import history, issue_shape, wanted_fields
from syncd.sandbox.jira.routes_issue import MAX_PROPERTIES, expanded, properties_of, strings
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.search import Search, bad_token
from syncd.sandbox.wire import Response, whole

DEFAULT_PAGE = 50
MAX_IDS_PAGE = 5000
MAX_FIELDS_PAGE = 100
MAX_RECONCILE = 50
MAX_CHANGELOG_ISSUES = 1000
MAX_CHANGELOG_FIELDS = 10
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full"
    " migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


def removed(_call: Call) -> Response:
    """GET and POST search: gone since 2025."""
    raise ApiError(410, REMOVED)


def search_get(call: Call) -> Response:
    """GET search/jql."""
    size = call.number("maxResults", DEFAULT_PAGE)
    body: dict[str, Json] = {
        "jql": call.request.one("jql", ""),
        "fields": call.names("fields"),
        "properties": call.names("properties"),
        "expand": ",".join(call.names("expand")),
        "reconcileIssues": call.names("reconcileIssues"),
        "maxResults": size,
        "nextPageToken": call.request.one("nextPageToken"),
    }
    return _search(call, body)


def search_post(call: Call) -> Response:
    """POST search/jql: a body with anything else in it, or of other types, is refused."""
    body = call.json()
    _check_form(body, _SEARCH_FORM)
    return _search(call, body)


_SEARCH_FORM = {"jql": str, "expand": str, "fields": list, "fieldsByKeys": bool,
                "maxResults": int, "nextPageToken": str, "properties": list,
                "reconcileIssues": list}  # fmt: skip
_CHANGES_FORM = {"issueIdsOrKeys": list, "fieldIds": list, "maxResults": int,
                 "nextPageToken": str}  # fmt: skip


def _check_form(body: dict[str, Json], form: dict[str, type]) -> None:
    for name, value in body.items():
        if name not in form or not (value is None or isinstance(value, form[name])):
            raise bad(BAD_PAYLOAD)


def _search(call: Call, body: dict[str, Json]) -> Response:
    names = strings(body, "fields")
    properties = strings(body, "properties")
    if len(properties) > MAX_PROPERTIES:
        raise bad(f"The maximum number of properties that can be requested is {MAX_PROPERTIES}.")
    reconcile = _reconcile(body)
    expand = frozenset(strings(body, "expand"))
    fields = wanted_fields(call.shapes, names, "id")
    light = not fields and not properties and not expand
    size = _size(body, MAX_IDS_PAGE if light else MAX_FIELDS_PAGE)
    query = Search(call.viewer, _jql(body), call.sees, reconcile=reconcile)
    found = query.page(body.get("nextPageToken") or None, size)
    rows = [_row(call, issue, names, fields, properties, expand) for issue in found.issues]
    answer: dict[str, Json] = {"issues": rows}
    if "names" in expand:
        answer["names"] = {f.id: f.name for f in fields}
    if "schema" in expand:
        answer["schema"] = {f.id: field_schema(f, in_meta=True) for f in fields}
    if found.token:
        answer["nextPageToken"] = found.token
    return call.ok({**answer, "isLast": found.token is None})


def _row(
    call: Call,
    issue: Issue,
    names: list[str],
    fields: list[Field],
    properties: list[str],
    expand: frozenset[str],
) -> Json:
    if not fields and not properties and not expand and set(names) <= {"id"}:
        return {"id": str(issue.id)}
    shape = issue_shape(call.shapes, issue, fields)
    if expand - {"names", "schema"}:
        expanded(call, shape, issue, expand - {"names", "schema"}, fields)
    if properties:
        shape["properties"] = properties_of(issue, properties)
    if not fields:
        del shape["fields"]
    return shape


def _reconcile(body: dict[str, Json]) -> frozenset[int]:
    """Return the ids for which the answer shall be exact although the index is late."""
    numbers = [whole(str(name)) for name in scalars(body, "reconcileIssues")]
    if len(numbers) > MAX_RECONCILE:
        raise bad(f"The maximum number of issues to reconcile is {MAX_RECONCILE}.")
    known = frozenset(number for number in numbers if number is not None)
    if len(known) < len(set(numbers)):
        raise bad(BAD_PAYLOAD)
    return known


def _jql(body: dict[str, Json]) -> str:
    jql = body.get("jql") or ""
    if not isinstance(jql, str):
        raise bad(BAD_PAYLOAD)
    return jql


def _size(body: dict[str, Json], most: int) -> int:
    size = body.get("maxResults", DEFAULT_PAGE)
    if isinstance(size, bool) or not isinstance(size, int):
        raise bad(BAD_PAYLOAD)
    if size < 0:
        raise bad("The value of maxResults must be greater than or equal to zero.")
    return max(1, min(size, most))


def count(call: Call) -> Response:
    """POST search/approximate-count."""
    jql = _jql(call.json())
    return call.ok({"count": Search(call.viewer, jql, call.sees).count()})


def changelogs(call: Call) -> Response:
    """POST changelog/bulkfetch: entries of many issues, by issue id, oldest first."""
    body = call.json()
    _check_form(body, _CHANGES_FORM)
    named = body.get("issueIdsOrKeys")
    if not isinstance(named, list) or not 0 < len(named) <= MAX_CHANGELOG_ISSUES:
        raise bad("issueIdsOrKeys must contain between 1 and 1000 elements.")
    field_ids = frozenset(strings(body, "fieldIds"))
    if len(field_ids) > MAX_CHANGELOG_FIELDS:
        raise bad("fieldIds must contain at most 10 elements.")
    found = {i.id: i for name in named if (i := call.store.find_issue(name)) and call.sees(i)}
    rows = [(i, h) for _, i in sorted(found.items()) for h in _histories(i, field_ids)]
    start = _offset(body.get("nextPageToken"))
    size = min(_size(body, 10_000) if "maxResults" in body else 1000, 10_000)
    page: dict[int, list[Json]] = {}
    for issue, entry in rows[start : start + size]:
        page.setdefault(issue.id, []).append(history(call.shapes, entry))
    answer: dict[str, Json] = {
        "issueChangeLogs": [
            {"issueId": str(number), "changeHistories": entries} for number, entries in page.items()
        ]
    }
    if start + size < len(rows):
        answer["nextPageToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return call.ok(answer)


def _histories(issue: Issue, field_ids: frozenset[str]) -> list[History]:
    if not field_ids:
        return issue.histories
    return [h for h in issue.histories if any(item.field_id in field_ids for item in h.items)]


def _offset(token: Json) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(str(token)))
    except (binascii.Error, ValueError):
        raise bad_token() from None


def add(routes: Routes) -> None:
    """Add the routes."""
    for method in ("GET", "POST"):
        routes.add(method, "/search", removed)
    routes.add("GET", "/search/jql", search_get)
    routes.add("POST", "/search/jql", search_post)
    routes.add("POST", "/search/approximate-count", count)
    routes.add("POST", "/changelog/bulkfetch", changelogs)
