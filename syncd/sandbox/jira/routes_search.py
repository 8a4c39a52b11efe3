"""Routes of search: JQL with token pages, counts, parsing, changelogs in bulk."""

from __future__ import annotations

import base64
import binascii

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.jql_parse import Call as JqlCall
from syncd.sandbox.jira.jql_parse import Clause, Condition, Empty, Many, Operand, parse
from syncd.sandbox.jira.jql_run import compile_condition
from syncd.sandbox.jira.kinds import field_schema
from syncd.sandbox.jira.model import Field, History, Issue, Json
from syncd.sandbox.jira.problems import ApiError, bad
from syncd.sandbox.jira.render import history, issue_shape, wanted_fields
from syncd.sandbox.jira.routes_issue import MAX_PROPERTIES, expanded, properties_of, strings
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.search import Search, bad_token
from syncd.sandbox.wire import Response

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
    """POST search/jql."""
    return _search(call, call.json())


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
    named = body.get("reconcileIssues") or []
    numbers = isinstance(named, list) and all(str(name).isdigit() for name in named)
    if not numbers:
        raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
    if len(named) > MAX_RECONCILE:
        raise bad(f"The maximum number of issues to reconcile is {MAX_RECONCILE}.")
    return frozenset(map(int, named))


def _jql(body: dict[str, Json]) -> str:
    jql = body.get("jql") or ""
    if not isinstance(jql, str):
        raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
    return jql


def _size(body: dict[str, Json], most: int) -> int:
    size = body.get("maxResults", DEFAULT_PAGE)
    if isinstance(size, bool) or not isinstance(size, int):
        raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
    if size < 0:
        raise bad("The value of maxResults must be greater than or equal to zero.")
    return max(1, min(size, most))


def count(call: Call) -> Response:
    """POST search/approximate-count."""
    jql = _jql(call.json())
    return call.ok({"count": Search(call.viewer, jql, call.sees).count()})


def match(call: Call) -> Response:
    """POST jql/match."""
    body = call.json()
    numbers = [int(n) for n in body.get("issueIds", []) if str(n).isdigit()]
    rows: list[Json] = []
    for jql in strings(body, "jqls"):
        try:
            query = Search(call.viewer, jql, call.sees, bounded=False)
        except ApiError as error:
            rows.append({"matchedIssues": [], "errors": list(error.messages)})
            continue
        found = [n for n in numbers if (i := call.store.issues.get(n)) and query.matches(i)]
        rows.append({"matchedIssues": found, "errors": []})
    return call.ok({"matches": rows})


def parse_queries(call: Call) -> Response:
    """POST jql/parse."""
    body = call.json()
    level = call.request.one("validation", "strict")
    rows: list[Json] = []
    for text in strings(body, "queries"):
        row: dict[str, Json] = {"query": text}
        try:
            query = parse(text)
            row["structure"] = {
                **({"where": _tree(query.where)} if query.where else {}),
                **({"orderBy": _orders(query.order)} if query.order else {}),
            }
            if level != "none":
                compile_condition(call.viewer, query.where)
        except ApiError as error:
            key = "errors" if level != "warn" or "structure" not in row else "warnings"
            if key == "errors":
                row.pop("structure", None)
            row[key] = list(error.messages)
        rows.append(row)
    return call.ok({"queries": rows})


def _orders(order: tuple[tuple[str, bool | None], ...]) -> Json:
    fields = []
    for name, down in order:
        entry: dict[str, Json] = {"field": {"name": name, "encodedName": name}}
        if down is not None:
            entry["direction"] = "desc" if down else "asc"
        fields.append(entry)
    return {"fields": fields}


def _tree(node: Condition) -> Json:
    if isinstance(node, Clause):
        shape: dict[str, Json] = {
            "field": {"name": node.field, "encodedName": node.field},
            "operator": node.operator,
        }
        if node.operator == "changed":
            return {**shape, "predicates": []}
        return {**shape, "operand": _operand(node.operand)}
    return {"clauses": [_tree(part) for part in node.parts], "operator": node.joint}


def _operand(operand: Operand) -> Json:
    if isinstance(operand, Empty):
        return {"keyword": "empty", "encodedOperand": "EMPTY"}
    if isinstance(operand, Many):
        listed = [_operand(item) for item in operand.items]
        return {"values": listed, "encodedOperand": str(len(listed))}
    if isinstance(operand, JqlCall):
        text = f"{operand.name}({', '.join(operand.arguments)})"
        return {"function": operand.name, "arguments": list(operand.arguments),
                "encodedOperand": text}  # fmt: skip
    return {"value": operand.text, "encodedValue": operand.text}


def autocomplete(call: Call) -> Response:
    """GET jql/autocompletedata."""
    names = [f for f in call.store.fields.values() if f.searchable and f.clauses]
    rows = [{"value": f.clauses[0], "displayName": f.name, "orderable": "true",
             "searchable": "true", "operators": [], "types": []} for f in names]  # fmt: skip
    return call.ok({"visibleFieldNames": rows, "visibleFunctionNames": [],
                    "jqlReservedWords": []})  # fmt: skip


def changelogs(call: Call) -> Response:
    """POST changelog/bulkfetch: entries of many issues, by issue id, oldest first."""
    body = call.json()
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
    routes.add("POST", "/jql/parse", parse_queries)
    routes.add("POST", "/jql/match", match)
    routes.add("GET", "/jql/autocompletedata", autocomplete)
    routes.add("POST", "/changelog/bulkfetch", changelogs)
