"""Routes about JQL itself: parsing, matching, and what an editor needs to help people write it."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.jql_fields import subject
from syncd.sandbox.jira.jql_functions import FUNCTIONS
from syncd.sandbox.jira.jql_parse import Call as JqlCall
from syncd.sandbox.jira.jql_parse import Clause, Condition, Empty, Many, Operand, parse
from syncd.sandbox.jira.jql_run import allowed, compile_condition
from syncd.sandbox.jira.jql_words import RESERVED
from syncd.sandbox.jira.model import Field, Json
from syncd.sandbox.jira.problems import ApiError, bad, scalars
from syncd.sandbox.jira.routes_issue import strings
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.search import Search
from syncd.sandbox.wire import Response, whole

_JAVA = {
    "user": "com.atlassian.jira.user.ApplicationUser",
    "users": "com.atlassian.jira.user.ApplicationUser",
    "project": "com.atlassian.jira.project.Project",
    "status": "com.atlassian.jira.issue.status.Status",
    "issuetype": "com.atlassian.jira.issue.issuetype.IssueType",
    "priority": "com.atlassian.jira.issue.priority.Priority",
    "resolution": "com.atlassian.jira.issue.resolution.Resolution",
    "versions": "com.atlassian.jira.project.version.Version",
    "components": "com.atlassian.jira.bc.project.component.ProjectComponent",
    "stamp": "java.util.Date",
    "date": "java.util.Date",
    "datetime": "java.util.Date",
    "number": "java.lang.Number",
    "count": "java.lang.Number",
}


def match(call: Call) -> Response:
    """POST jql/match."""
    body = call.json()
    numbers = [n for text in scalars(body, "issueIds") if (n := whole(str(text))) is not None]
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


# help for editors


def autocomplete(call: Call) -> Response:
    """GET and POST jql/autocompletedata."""
    fields = [f for f in call.store.fields.values() if f.searchable and f.clauses]
    return call.ok(
        {
            "visibleFieldNames": [_field_row(call, field) for field in fields],
            "visibleFunctionNames": [
                {"value": f"{name}()", "displayName": f"{name}()", "isList": "true",
                 "types": ["java.lang.String"]}
                for name in FUNCTIONS
            ],
            "jqlReservedWords": sorted(RESERVED),
        }
    )  # fmt: skip


def _field_row(call: Call, field: Field) -> Json:
    name = field.clauses[-1] if field.custom else field.clauses[0]
    row = {
        "value": f'"{name}"' if field.custom else name,
        "displayName": f"{field.name} - {name}" if field.custom else name,
        "orderable": "true" if field.navigable else "false",
        "searchable": "true",
        "auto": "true",
        "operators": sorted(allowed(subject(call.store, field.clauses[0]))),
        "types": [_JAVA.get(field.kind, "java.lang.String")],
    }
    return {**row, "cfid": f"cf[{field.custom_id}]"} if field.custom else row


def suggestions(call: Call) -> Response:
    """GET jql/autocompletedata/suggestions: values that begin as given, of fields with a list."""
    name = call.request.one("fieldName") or ""
    begun = (call.request.one("fieldValue") or "").casefold()
    try:
        what = subject(call.store, name.strip('"'))
    except ApiError:
        raise bad(f"Field '{name}' does not exist or you do not have permission to view it.") from (
            None
        )
    names = [n for n in _values(call, what.field) if n.casefold().startswith(begun)]
    rows = [{"value": f'"{n}"' if " " in n else n, "displayName": n} for n in names[:15]]
    return call.ok({"results": rows})


def _values(call: Call, field: Field) -> list[str]:
    store = call.store
    if field.kind == "labels":
        return sorted({x for i in store.issues.values() for x in i.values.get(field.id, ())})
    if field.kind in {"option", "options"}:
        return [option.value for option in field.options.values()]
    tables: dict[str, Json] = {
        "status": store.statuses,
        "issuetype": store.types,
        "priority": store.priorities,
        "resolution": store.resolutions,
        "project": {p.id: p for p in store.projects.values() if call.sees_project(p)},
        "versions": store.versions,
        "components": store.components,
        "user": store.users,
    }
    return [thing.name for thing in tables.get(field.kind, {}).values()]


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("POST", "/jql/parse", parse_queries),
        ("POST", "/jql/match", match),
        ("GET", "/jql/autocompletedata", autocomplete),
        ("POST", "/jql/autocompletedata", autocomplete),
        ("GET", "/jql/autocompletedata/suggestions", suggestions),
    ):
        routes.add(method, path, handler)
