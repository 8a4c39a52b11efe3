"""Creating, editing and moving issues through a workflow, with the vendor's checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

import orjson

from syncd.sandbox.jira import happenings, parse
from syncd.sandbox.jira.adf import Rich
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import change_status, change_value, record, touch
from syncd.sandbox.jira.model import (
    ChangeItem,
    Comment,
    Field,
    Issue,
    Json,
    Link,
    Project,
    Transition,
)
from syncd.sandbox.jira.problems import NOT_ON_SCREEN, ApiError, FieldError, bad, bad_field, missing
from syncd.sandbox.jira.screens import default_priority, required, settable
from syncd.sandbox.jira.workflow import steps, workflow_of
from syncd.sandbox.jira.worklogs import log_work

_BESIDE = {"comment": "comments", "issuelinks": "links", "worklog": "worklogs"}  # no field values
MAX_COMMENTS = 5000
MAX_LINKS = 2000
MAX_PROPERTY = 32_768
MAX_PROPERTY_KEY = 255


@dataclass(slots=True)
class Draft:
    """Checked values, ready to apply; made before anything is written."""

    values: dict[str, Json] = attribute(default_factory=dict)
    comments: list[Json] = attribute(default_factory=list)
    links: list[Json] = attribute(default_factory=list)
    worklogs: list[Json] = attribute(default_factory=list)
    errors: dict[str, str] = attribute(default_factory=dict)

    def stop_on_errors(self) -> None:
        """Raise 400 with everything that is wrong."""
        if self.errors:
            raise ApiError(400, errors=self.errors)


def _object(payload: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = payload.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad(f"Invalid request payload. '{name}' must be an object.")
    return value


def draft(context: parse.Context, payload: Mapping[str, Json], allowed: dict[str, Field]) -> Draft:
    """Check `fields` and `update` of a payload; errors are collected, by field."""
    fields, update = _object(payload, "fields"), _object(payload, "update")
    made = Draft()
    for field_id in fields.keys() & update.keys():
        made.errors[field_id] = f"Field '{field_id}' cannot appear in both 'fields' and 'update'"
    for field_id, raw in fields.items():
        _one(made, context, allowed, field_id, [{"set": raw}])
    for field_id, verbs in update.items():
        if not isinstance(verbs, list):
            made.errors[field_id] = "Operations must be in an array."
        elif field_id in _BESIDE:
            getattr(made, _BESIDE[field_id]).extend(v for v in verbs if isinstance(v, dict))
        else:
            _one(made, context, allowed, field_id, verbs)
    return made


def _one(
    made: Draft, context: parse.Context, allowed: dict[str, Field], field_id: str, verbs: list[Json]
) -> None:
    field = allowed.get(field_id)
    if field is None:
        made.errors[field_id] = NOT_ON_SCREEN.format(field_id)
        return
    try:
        if field.kind == "timetracking":
            for verb in verbs:
                made.values |= parse.time_tracking(context, next(iter(verb.values())))
        else:
            made.values[field_id] = _verbs(context, field, verbs)
    except FieldError as error:
        made.errors["parentId" if field_id == "parent" else field_id] = str(error)


def _verbs(context: parse.Context, field: Field, verbs: list[Json]) -> Json:
    current: Json = context.issue.values.get(field.id) if context.issue else None
    for verb in verbs:
        if not isinstance(verb, dict) or len(verb) != 1:
            raise FieldError("Each operation must be an object with one verb.")
        name, raw = next(iter(verb.items()))
        if name == "set":
            current = parse.value(context, field, raw)
        elif name in {"add", "remove"} and field.kind in parse.LISTS:
            item = parse.element(context, field, raw)
            kept = [x for x in current or [] if x != item]
            current = [*kept, item] if name == "add" else kept
            if field.kind == "labels":
                current = sorted(current)
        else:
            raise FieldError(f"Field does not support update operation '{name}'")
    return current


# create


def create(call: Call, payload: Mapping[str, Json]) -> Issue:
    """Create an issue from an `IssueUpdateDetails`; raises 400, 401, 403."""
    me = call.me()
    fields = _object(payload, "fields")
    project, type_id = _place(call, fields)
    store = call.store
    context = parse.Context(store, project, type_id, call.shapes.rich_is_document)
    rest = {k: v for k, v in fields.items() if k not in {"project", "issuetype"}}
    made = draft(context, {**payload, "fields": rest}, settable(store, creating=True))
    _check_required(context, made)
    made.stop_on_errors()
    properties = _properties(payload)
    issue = _new_issue(call, project, type_id, made, me.account_id)
    issue.properties.update(properties)
    store.add_issue(issue)
    happenings.issue(store, "created", issue, me.account_id)
    _beside(call, issue, made)
    if isinstance(payload.get("transition"), dict):
        transition(call, issue, {"transition": payload["transition"]})
    return issue


def _place(call: Call, fields: Mapping[str, Json]) -> tuple[Project, str]:
    raw = fields.get("project")
    named = raw.get("id") or raw.get("key") if isinstance(raw, dict) else None
    project = call.store.find_project(named) if named else None
    if project is None or not call.sees_project(project):
        raise bad_field("project", "Specify a valid project ID or key")
    if not call.may_change(project):
        raise ApiError(403, "You do not have permission to create issues in this project.")
    if "issuetype" not in fields:
        raise bad_field("issuetype", "Specify an issue type")
    type_id = parse.find_type(call.store, project, fields["issuetype"])
    if type_id is None:
        raise bad_field("issuetype", "Specify a valid issue type")
    return project, type_id


def _check_required(context: parse.Context, made: Draft) -> None:
    if "summary" not in made.values and "summary" not in made.errors:
        made.errors["summary"] = "You must specify a summary of the issue."
    if context.store.types[context.type_id].level < 0 and not made.values.get("parent"):
        made.errors.setdefault(
            "parentId", "Issue type is a sub-task but parent issue key or id not specified."
        )
    for field_id in required(context.project, context.type_id):
        if made.values.get(field_id) in (None, []) and field_id not in made.errors:
            made.errors[field_id] = f"{context.store.fields[field_id].name} is required."


def _new_issue(call: Call, project: Project, type_id: str, made: Draft, author: str) -> Issue:
    store, now = call.store, call.store.now()
    project.last_number += 1
    values = {key: value for key, value in made.values.items() if value not in (None, [])}
    values.setdefault("priority", default_priority(store))
    values.setdefault("reporter", author)
    values |= {
        "issuetype": type_id,
        "status": workflow_of(project, type_id).statuses[0],
        "creator": author,
        "statuscategorychangedate": now,
    }
    number = store.number("issue")
    key = f"{project.key}-{project.last_number}"
    return Issue(number, key, project.id, now, now, values, watchers={author})


def _properties(payload: Mapping[str, Json]) -> dict[str, Json]:
    rows = payload.get("properties") or []
    if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
        raise bad("Invalid request payload. 'properties' must be an array of objects.")
    found = {}
    for row in rows:
        check_property(str(row.get("key", "")), row.get("value"))
        found[str(row["key"])] = row["value"]
    return found


def check_property(key: str, value: Json) -> None:
    """Raise 400 for an entity property that is too long."""
    if not key or len(key) > MAX_PROPERTY_KEY:
        raise bad("The property key must be between 1 and 255 characters.")
    if value is None:
        raise bad("The property value must not be empty.")
    if len(orjson.dumps(value)) > MAX_PROPERTY:
        raise bad("The property value cannot be longer than 32768 characters.")


# edit


def edit(call: Call, issue: Issue, payload: Mapping[str, Json]) -> None:
    """Apply an `IssueUpdateDetails` to an issue; all or nothing; raises 400."""
    store = call.store
    project = store.projects[issue.project_id]
    context = parse.Context(
        store, project, issue.values["issuetype"], call.shapes.rich_is_document, issue
    )
    fields = _object(payload, "fields")
    rest = {key: raw for key, raw in fields.items() if not _same_project(call, issue, key, raw)}
    made = draft(context, {**payload, "fields": rest}, settable(store, creating=False))
    _check_kept(context, made)
    made.stop_on_errors()
    properties = _properties(payload)
    items = apply(call, issue, made)
    issue.properties.update(properties)
    record(store, issue, call.me().account_id, items, payload.get("historyMetadata"))
    _beside(call, issue, made)


def _same_project(call: Call, issue: Issue, key: str, raw: Json) -> bool:
    """Tell whether an edit only repeats the issue's project, which Jira lets pass."""
    if key != "project" or not isinstance(raw, dict):
        return False
    project = call.store.find_project(raw.get("id") or raw.get("key"))
    return project is not None and project.id == issue.project_id


def _check_kept(context: parse.Context, made: Draft) -> None:
    must = required(context.project, context.type_id)
    for field_id, value in made.values.items():
        if field_id in must and value in (None, []):
            made.errors[field_id] = f"{context.store.fields[field_id].name} is required."
    level = context.store.types[context.type_id].level
    if level < 0 and "parent" in made.values and made.values["parent"] is None:
        made.errors["parentId"] = "Sub-tasks must have a parent."


def apply(call: Call, issue: Issue, made: Draft) -> list[ChangeItem]:
    """Give an issue the values of a draft and return the changelog's items."""
    store = call.store
    items = []
    for field_id, value in made.values.items():
        item = change_value(store, issue, store.fields[field_id], value)
        if item is not None:
            items.append(item)
    return items


def _beside(call: Call, issue: Issue, made: Draft) -> None:
    """Do what the verbs of an edit say about comments, links and worklogs."""
    for verb in filter(None, made.comments):
        _comment_verb(call, issue, *next(iter(verb.items())))
    for verb in made.links:
        raw = verb.get("add")
        if isinstance(raw, dict) and ("inwardIssue" in raw or "outwardIssue" in raw):
            ends = {"inwardIssue": {"id": issue.id}, "outwardIssue": {"id": issue.id}, **raw}
            add_link(call, ends)
    for verb in made.worklogs:
        if isinstance(verb.get("add"), dict):
            log_work(call, issue, verb["add"], verb["add"])


def _comment_verb(call: Call, issue: Issue, verb: str, raw: Json) -> None:
    if not isinstance(raw, dict):
        raise bad_field("comment", "expected Object")
    if verb == "add":
        add_comment(call, issue, raw)
        return
    item = find_comment(issue, str(raw.get("id")))
    if verb == "edit":
        edit_comment(call, issue, item, raw)
    elif verb == "remove":
        remove_comment(call, issue, item)


def find_comment(issue: Issue, number: str) -> Comment:
    """Return a comment by its id; raises 404."""
    found = next((c for c in issue.comments if c.id == number), None)
    if found is None:
        raise missing(f"Can not find a comment for the id: {number}.")
    return found


def edit_comment(call: Call, issue: Issue, item: Comment, raw: Mapping[str, Json]) -> None:
    """Give a comment another body; raises 400."""
    item.body = comment_body(call, raw)
    item.updated, item.update_author = call.store.now(), call.me().account_id
    touch(call.store, issue)
    happenings.comment(call.store, "updated", issue, item)


def remove_comment(call: Call, issue: Issue, item: Comment) -> None:
    """Take a comment away."""
    issue.comments.remove(item)
    touch(call.store, issue)
    happenings.comment(call.store, "deleted", issue, item)


def add_comment(call: Call, issue: Issue, raw: Mapping[str, Json]) -> Comment:
    """Add a comment to an issue; raises 400."""
    body = comment_body(call, raw)
    full(len(issue.comments), MAX_COMMENTS, "comments")
    store, author = call.store, call.me().account_id
    now = store.now()
    item = Comment(str(store.number("comment")), author, body, now, now, author)
    issue.comments.append(item)
    touch(store, issue)
    happenings.comment(store, "created", issue, item)
    return item


def full(have: int, most: int, what: str) -> None:
    """Raise 413 when an issue holds as many of something as it may."""
    if have >= most:
        raise ApiError(413, f"An issue can have no more than {most} {what}.")


def comment_body(call: Call, raw: Mapping[str, Json]) -> Rich:
    """Return the checked body of a comment; raises 400."""
    try:
        body = parse.rich(raw.get("body"), document=call.shapes.rich_is_document)
    except FieldError:
        raise bad_field("comment", "Comment body is not valid!") from None
    if body is None:
        raise bad_field("comment", "Comment body can not be empty!")
    return body


def add_link(call: Call, raw: Mapping[str, Json]) -> Link:
    """Link two issues as POST issueLink does; raises 400, 404."""
    store = call.store
    kind = raw.get("type")
    named = kind if isinstance(kind, dict) else {}
    type_id = str(named.get("id", "")) if str(named.get("id", "")) in store.link_types else None
    name = str(named.get("name", "")).casefold()
    for item in store.link_types.values():
        if type_id is None and name and item.name.casefold() == name:
            type_id = item.id
    if type_id is None:
        raise missing(f"No issue link type with name '{named.get('name')}' found.")
    ends = [raw.get(side) for side in ("inwardIssue", "outwardIssue")]
    if any(not isinstance(end, dict) for end in ends):
        raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
    inward, outward = (_end(call, end) for end in ends)
    for end in (inward, outward):
        full(len(store.links_of.get(end.id, ())), MAX_LINKS, "links")
    link = Link(str(store.number("link")), type_id, inward.id, outward.id)
    store.add_link(link)
    happenings.link(store, "created", link)
    _record_link(call, link, inward, outward)
    return link


def _end(call: Call, raw: Json) -> Issue:
    return call.issue_to_change(raw.get("id") or raw.get("key"))


def _record_link(call: Call, link: Link, inward: Issue, outward: Issue) -> None:
    kind, author = call.store.link_types[link.type_id], call.me().account_id
    for issue, far, text in ((inward, outward, kind.outward), (outward, inward, kind.inward)):
        said = f"This work item {text} {far.key}"
        item = ChangeItem("Link", "issuelinks", None, None, far.key, said)
        record(call.store, issue, author, [item])


# transitions


def transition(call: Call, issue: Issue, payload: Mapping[str, Json]) -> None:
    """Take a step of the workflow; raises 400."""
    step = _step(call, issue, payload)
    store = call.store
    context = parse.Context(
        store,
        store.projects[issue.project_id],
        issue.values["issuetype"],
        call.shapes.rich_is_document,
        issue,
    )
    screen = {field_id: store.fields[field_id] for field_id in step.fields}
    made = draft(context, payload, screen)
    for field_id, needed in step.fields.items():
        have = made.values.get(field_id, issue.values.get(field_id))
        if needed and have in (None, []) and field_id not in made.errors:
            made.errors[field_id] = f"{store.fields[field_id].name} is required."
    made.stop_on_errors()
    items = apply(call, issue, made)
    if "resolution" in made.values:
        issue.values["resolutiondate"] = store.now()
    items = change_status(store, issue, step.to) + items
    record(store, issue, call.me().account_id, items, payload.get("historyMetadata"))
    if not items:
        touch(store, issue)
    _beside(call, issue, made)


def _step(call: Call, issue: Issue, payload: Mapping[str, Json]) -> Transition:
    raw = payload.get("transition")
    if not isinstance(raw, dict) or raw.get("id") is None:
        raise bad("Missing 'transition' identifier")
    wanted = str(raw["id"])
    if not wanted.isdigit():
        raise bad("'transition' identifier must be an integer")
    for step in steps(call.store, issue):
        if step.id == wanted:
            return step
    raise bad(f"Transition id '{wanted}' is not valid for this issue.")
