"""Routes of entity properties: JSON that clients keep on issues, comments and projects.

Writing one leaves an issue's `updated` as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from syncd.sandbox.jira import edit
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Issue, Json
from syncd.sandbox.jira.problems import BAD_PAYLOAD, ApiError, bad, missing
from syncd.sandbox.jira.routing import Handler, Routes
from syncd.sandbox.jira.tasks import see_task
from syncd.sandbox.wire import Response

MAX_ENTITIES = 10_000
MAX_KEYS = 10
Properties: TypeAlias = dict[str, Json]
Find: TypeAlias = Callable[[Call, str, bool], tuple[Properties, str]]  # and their address


def _on_issue(call: Call, key: str, to_write: bool) -> tuple[Properties, str]:  # noqa: FBT001
    issue = call.issue_to_change(key) if to_write else call.issue(key)
    return issue.properties, f"{call.shapes.api}/issue/{issue.id}/properties"


def _on_comment(call: Call, key: str, to_write: bool) -> tuple[Properties, str]:  # noqa: FBT001
    for issue in call.store.issues.values():
        for item in issue.comments:
            if item.id == key and call.sees(issue):
                if to_write:
                    call.issue_to_change(issue.id)
                return item.properties, f"{call.shapes.api}/comment/{item.id}/properties"
    raise missing(f"Can not find a comment for the id: {key}.")


def _on_project(call: Call, key: str, to_write: bool) -> tuple[Properties, str]:  # noqa: FBT001
    project = call.project(key)
    if to_write:
        call.me()
        if not call.may_change(project):
            raise ApiError(403, "You do not have permission to edit this project.")
    kept: dict[int, Properties] = call.store.extras.setdefault("project_properties", {})
    return kept.setdefault(project.id, {}), f"{call.shapes.api}/project/{project.id}/properties"


def _listing(find: Find) -> Handler:
    def listed(call: Call, key: str) -> Response:
        """GET .../properties."""
        kept, address = find(call, key, False)  # noqa: FBT003
        return call.ok({"keys": [{"self": f"{address}/{name}", "key": name} for name in kept]})

    return listed


def _reading(find: Find) -> Handler:
    def read(call: Call, key: str, name: str) -> Response:
        """GET .../properties/{propertyKey}."""
        kept, _address = find(call, key, False)  # noqa: FBT003
        if name not in kept:
            raise missing(f"The property with key '{name}' does not exist.")
        return call.ok({"key": name, "value": kept[name]})

    return read


def _writing(find: Find) -> Handler:
    def write(call: Call, key: str, name: str) -> Response:
        """PUT .../properties/{propertyKey}: 201 new, 200 replaced."""
        kept, address = find(call, key, True)  # noqa: FBT003
        try:
            value = call.request.json()
        except ValueError:
            raise bad("The property value must be a valid JSON.") from None
        edit.check_property(name, value)
        status = 200 if name in kept else 201
        kept[name] = value
        call.store.revision += 1
        return call.ok({"self": f"{address}/{name}"}, status)

    return write


def _deleting(find: Find) -> Handler:
    def delete(call: Call, key: str, name: str) -> Response:
        """DELETE .../properties/{propertyKey}."""
        kept, _address = find(call, key, True)  # noqa: FBT003
        if name not in kept:
            raise missing(f"The property with key '{name}' does not exist.")
        del kept[name]
        call.store.revision += 1
        return call.done()

    return delete


# many issues at once: done at once, told by a task


def _issues(call: Call, numbers: Json) -> list[Issue]:
    if not isinstance(numbers, list) or len(numbers) > MAX_ENTITIES:
        raise bad(BAD_PAYLOAD)
    found = (call.store.find_issue(number) for number in numbers)
    return [i for i in found if i is not None and call.sees(i)]


def set_on_many(call: Call) -> Response:
    """POST issue/properties: the same properties on many issues."""
    call.me()
    body = call.json()
    values = body.get("properties")
    if not isinstance(values, dict) or not 0 < len(values) <= MAX_KEYS:
        raise bad(f"Between 1 and {MAX_KEYS} properties must be given.")
    return _write(call, [(issue, values) for issue in _issues(call, body.get("entitiesIds"))])


def set_on_each(call: Call) -> Response:
    """POST issue/properties/multi: other properties on each issue."""
    call.me()
    rows = call.json().get("issues")
    if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
        raise bad(BAD_PAYLOAD)
    pairs = []
    for row in rows:
        values = row.get("properties") or {}
        if not isinstance(values, dict):
            raise bad(BAD_PAYLOAD)
        pairs += [(i, values) for i in _issues(call, [row.get("issueID")]) if values]
    return _write(call, pairs)


def _write(call: Call, pairs: Iterable[tuple[Issue, Properties]]) -> Response:
    pairs = list(pairs)
    for _issue, values in pairs:
        for name, value in values.items():
            edit.check_property(name, value)
    for issue, values in pairs:
        issue.properties.update(values)
    call.store.revision += 1
    return see_task(call, f"Set properties of {len(pairs)} issues")


def _filtered(call: Call, name: str, asked: Json) -> list[Issue]:
    """Return the issues that a filter chooses: by id, by having the property, by its value."""
    if not isinstance(asked, dict):
        raise bad(BAD_PAYLOAD)
    every = call.filtered(call.store.issues.values())
    issues = _issues(call, asked["entityIds"]) if "entityIds" in asked else every
    if "currentValue" in asked:
        return [i for i in issues if i.properties.get(name) == asked["currentValue"]]
    if "hasProperty" in asked:
        return [i for i in issues if (name in i.properties) == asked["hasProperty"]]
    return issues


def set_where(call: Call, name: str) -> Response:
    """PUT issue/properties/{propertyKey}: on the issues that `filter` chooses."""
    call.me()
    body = call.json()
    edit.check_property(name, body.get("value"))
    issues = _filtered(call, name, body.get("filter") or {})
    return _write(call, [(issue, {name: body["value"]}) for issue in issues])


def delete_where(call: Call, name: str) -> Response:
    """DELETE issue/properties/{propertyKey}: off the issues that the body chooses."""
    call.me()
    asked = call.json() if call.request.body else {}
    issues = _filtered(call, name, {**asked, **({} if asked else {"hasProperty": True})})
    for issue in issues:
        issue.properties.pop(name, None)
    call.store.revision += 1
    return see_task(call, f"Deleted a property of {len(issues)} issues")


def add(routes: Routes) -> None:
    """Add the routes."""
    routes.add("POST", "/issue/properties", set_on_many)
    routes.add("POST", "/issue/properties/multi", set_on_each)
    routes.add("PUT", "/issue/properties/{name}", set_where)
    routes.add("DELETE", "/issue/properties/{name}", delete_where)
    for head, find in (("issue", _on_issue), ("comment", _on_comment), ("project", _on_project)):
        path = f"/{head}/{{key}}/properties"
        routes.add("GET", path, _listing(find))
        routes.add("GET", path + "/{name}", _reading(find))
        routes.add("PUT", path + "/{name}", _writing(find))
        routes.add("DELETE", path + "/{name}", _deleting(find))
