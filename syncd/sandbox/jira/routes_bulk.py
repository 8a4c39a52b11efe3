"""Routes of bulk operations, which run as tasks.

A task's effects are there at once; its progress goes from ENQUEUED to COMPLETE with the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps

from syncd.sandbox.jira import edit, happenings
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Issue, Json
from syncd.sandbox.jira.problems import BAD_PAYLOAD, ApiError, bad, missing, objects
from syncd.sandbox.jira.render import field_value
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.screens import settable
from syncd.sandbox.jira.workflow import steps
from syncd.sandbox.wire import Response

MAX_ISSUES = 1000
MAX_FIELDS = 200
TASK_TIME = 2000  # milliseconds until a task is complete
TASK_LIFE = 14 * 24 * 3600 * 1000

Work = Callable[[Call, Issue], None]


class _BulkError(ApiError):
    """A refusal in the form that only bulk operations have."""

    def body(self) -> dict[str, object]:
        """Return the vendor's `BulkOperationErrorResponse`."""
        return {"errors": [{"message": text} for text in [*self.messages, *self.errors.values()]]}


def _in_bulk_form(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Return a handler whose refusals have the form of bulk operations."""

    @wraps(handler)
    def handle(call: Call, **values: str) -> Response:
        try:
            return handler(call, **values)
        except ApiError as error:
            raise _BulkError(error.status, *error.messages, errors=error.errors) from error

    return handle


def _bulk_error(message: str, status: int = 400) -> ApiError:
    return ApiError(status, message)


def _selected(body: dict[str, Json]) -> list[str]:
    named = body.get("selectedIssueIdsOrKeys")
    if not isinstance(named, list) or not named:
        raise _bulk_error("selectedIssueIdsOrKeys must not be empty.")
    if len(named) > MAX_ISSUES:
        raise _bulk_error(f"A maximum of {MAX_ISSUES} issues can be edited at once.")
    return [str(name) for name in named]


def _run(call: Call, jobs: list[tuple[str, Work]]) -> Response:
    """Do the work, remember how it went, and answer with the task's id."""
    task = str(call.store.number("task"))
    done: list[int] = []
    failed: dict[str, list[str]] = {}
    unseen = 0
    for name, work in jobs:
        issue = call.store.find_issue(name)
        if issue is None or not call.sees(issue):
            unseen += 1
            continue
        try:
            work(call, call.issue_to_change(issue.id))
            done.append(issue.id)
        except ApiError as error:
            failed[str(issue.id)] = [*error.messages, *error.errors.values()]
    call.store.extras.setdefault("tasks", {})[task] = {
        "at": call.store.now(),
        "by": call.me().account_id,
        "done": done,
        "failed": failed,
        "unseen": unseen,
        "total": len(jobs),
    }
    return call.ok({"taskId": task}, 201)


def progress(call: Call, task: str) -> Response:
    """GET bulk/queue/{taskId}: kept for 14 days."""
    call.me()
    kept = call.store.extras.get("tasks", {}).get(task)
    if kept is None or call.store.now() - kept["at"] > TASK_LIFE:
        raise missing(f"Task with id {task} not found.")
    complete = call.store.now() - kept["at"] >= TASK_TIME
    answer: dict[str, Json] = {
        "taskId": task,
        "status": "COMPLETE" if complete else "RUNNING",
        "progressPercent": 100 if complete else 50,
        "submittedBy": {"accountId": kept["by"]},
        "created": call.shapes.time(kept["at"]),
        "started": call.shapes.time(kept["at"]),
        "updated": call.shapes.time(min(call.store.now(), kept["at"] + TASK_TIME)),
        "totalIssueCount": kept["total"],
        "invalidOrInaccessibleIssueCount": kept["unseen"],
    }
    if complete:
        answer["processedAccessibleIssues"] = kept["done"]
        answer["failedAccessibleIssues"] = kept["failed"]
    return call.ok(answer)


# the values of editedFieldsInput: group -> (name of the value, how it becomes a REST value)


def _of(key: str) -> Callable[[Json], Json]:
    return lambda raw: raw.get(key) if isinstance(raw, dict) else None


_SINGLE: dict[str, tuple[str, Callable[[Json], Json]]] = {
    "singleLineTextFields": ("text", lambda raw: raw),
    "urlFields": ("url", lambda raw: raw),
    "richTextFields": ("richText", _of("adfValue")),
    "clearableNumberFields": ("value", lambda raw: raw),
    "datePickerFields": ("date", lambda raw: _of("formattedDate")(raw) or None),
    "dateTimePickerFields": ("dateTime", _of("formattedDateTime")),
    "singleSelectFields": ("option", lambda raw: _id(raw, "optionId")),
    "singleSelectClearableUserPickerFields": ("user", lambda raw: raw),
    "singleVersionPickerFields": ("version", lambda raw: _id(raw, "versionId")),
}
_MULTIPLE: dict[str, tuple[str, Callable[[Json], Json]]] = {
    "labelsFields": ("labels", _of("name")),
    "multipleSelectFields": ("options", lambda raw: _id(raw, "optionId")),
    "multipleVersionPickerFields": ("versions", lambda raw: _id(raw, "versionId")),
    "multipleSelectClearableUserPickerFields": ("users", lambda raw: raw),
}


def _id(raw: Json, key: str) -> Json:
    return {"id": str(raw[key])} if isinstance(raw, dict) and raw.get(key) else None


def _payload(inputs: dict[str, Json]) -> dict[str, Json]:
    """Return the `fields` and `update` of an edit that a bulk edit's input stands for."""
    fields: dict[str, Json] = {}
    update: dict[str, Json] = {}
    for group, value in inputs.items():
        if group == "priority":
            fields["priority"] = {"id": str(_of("priorityId")(value))}
            continue
        rows = objects(inputs, group)
        if any(not isinstance(row.get("fieldId"), str) for row in rows):
            raise bad(BAD_PAYLOAD)
        if group in _SINGLE:
            name, make = _SINGLE[group]
            fields |= {row["fieldId"]: make(row.get(name)) for row in rows}
        elif group in _MULTIPLE:
            for row in rows:
                _add_verbs(fields, update, row, _MULTIPLE[group])
        else:
            raise _bulk_error(f"Fields of '{group}' cannot be edited in bulk here.")
    return {"fields": fields, "update": update}


def _add_verbs(
    fields: dict[str, Json],
    update: dict[str, Json],
    row: Json,
    group: tuple[str, Callable[[Json], Json]],
) -> None:
    name, make = group
    items, how = row.get(name) or [], row.get("bulkEditMultiSelectFieldOption", "REPLACE")
    if not isinstance(items, list) or not isinstance(how, str):
        raise bad(BAD_PAYLOAD)
    values = [make(item) for item in items]
    if how in {"REPLACE", "REMOVE_ALL"}:
        fields[row["fieldId"]] = [] if how == "REMOVE_ALL" else values
    else:
        update[row["fieldId"]] = [{how.lower(): value} for value in values]


def edit_fields(call: Call) -> Response:
    """POST bulk/issues/fields."""
    call.me()
    body = call.json()
    actions = body.get("selectedActions")
    inputs = body.get("editedFieldsInput")
    if not isinstance(actions, list) or not isinstance(inputs, dict):
        raise _bulk_error("selectedActions and editedFieldsInput must be given.")
    if len(actions) > MAX_FIELDS:
        raise _bulk_error(f"A maximum of {MAX_FIELDS} fields can be edited at once.")
    payload = _payload(inputs)
    kept = {
        part: {k: v for k, v in values.items() if k in actions} for part, values in payload.items()
    }
    return _run(call, [(n, lambda c, i: edit.edit(c, i, kept)) for n in _selected(body)])


def editable_fields(call: Call) -> Response:
    """GET bulk/issues/fields."""
    call.me()
    named = call.names("issueIdsOrKeys")
    if not named:
        raise _bulk_error("issueIdsOrKeys must not be empty.")
    for name in named:
        call.issue(name)
    rows: list[Json] = []
    for field in settable(call.store, creating=False).values():
        row: dict[str, Json] = {
            "id": field.id,
            "name": field.name,
            "type": field.custom or field.id,
            "description": field.description,
            "isRequired": field.id == "summary",
        }
        if field.kind in {"labels", "versions", "components", "options"}:
            row["multiSelectFieldOptions"] = ["ADD", "REMOVE", "REPLACE", "REMOVE_ALL"]
        rows.append(row)
    return call.ok({"fields": rows})


def take_transitions(call: Call) -> Response:
    """POST bulk/issues/transition: steps with required screen fields are not offered."""
    call.me()
    groups = objects(call.json(), "bulkTransitionInputs")
    if not groups:
        raise _bulk_error("bulkTransitionInputs must not be empty.")
    jobs: list[tuple[str, Work]] = []
    for group in groups:
        wanted = {"transition": {"id": str(group.get("transitionId"))}}
        jobs += [(n, partial(_transition, wanted)) for n in _selected(group)]
    if len(jobs) > MAX_ISSUES:
        raise _bulk_error(f"A maximum of {MAX_ISSUES} issues can be transitioned at once.")
    return _run(call, jobs)


def _transition(wanted: dict[str, Json], call: Call, issue: Issue) -> None:
    open_steps = {step.id for step in steps(call.store, issue) if not any(step.fields.values())}
    if wanted["transition"]["id"] not in open_steps:
        raise bad("The transition is not available for this issue.")
    edit.transition(call, issue, wanted)


def available_transitions(call: Call) -> Response:
    """GET bulk/issues/transition."""
    call.me()
    groups: dict[tuple[str, ...], list[Json]] = {}
    shown: dict[tuple[str, ...], Json] = {}
    for name in call.names("issueIdsOrKeys"):
        issue = call.issue(name)
        every = steps(call.store, issue)
        offered = [step for step in every if not any(step.fields.values())]
        key = tuple(step.id for step in offered)
        groups.setdefault(key, []).append(issue.key)
        shown[key] = {
            "isTransitionsFiltered": len(offered) < len(every),
            "transitions": [
                {
                    "transitionId": int(step.id),
                    "transitionName": step.name,
                    "to": {
                        "statusId": int(step.to),
                        "statusName": call.store.statuses[step.to].name,
                    },
                }
                for step in offered
            ],
        }
    rows = [{"issues": groups[key], **shown[key]} for key in groups]
    return call.ok({"availableTransitions": rows})


def delete(call: Call) -> Response:
    """POST bulk/issues/delete."""
    call.me()
    return _run(call, [(n, _delete) for n in _selected(call.json())])


def _delete(call: Call, issue: Issue) -> None:
    for each in (*call.store.subtasks(issue.id), issue):
        happenings.issue_going(call.store, each, call.me().account_id)
        call.store.remove_issue(each)


def estimation_field(call: Call, issue: Issue) -> Json:
    """Return the story points of an issue."""
    points = next(f for f in call.store.fields.values() if f.name == "Story Points")
    return field_value(call.shapes, points, issue)


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("GET", "/bulk/issues/fields", editable_fields),
        ("POST", "/bulk/issues/fields", edit_fields),
        ("GET", "/bulk/issues/transition", available_transitions),
        ("POST", "/bulk/issues/transition", take_transitions),
        ("POST", "/bulk/issues/delete", delete),
    ):
        routes.add(method, path, _in_bulk_form(handler))
    routes.add("GET", "/bulk/queue/{task}", progress)
