"""Values that clients send for fields, checked as Jira checks them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from syncd.sandbox.jira.adf import MAX_LENGTH, Rich, is_document, is_empty, is_valid, plain
from syncd.sandbox.jira.durations import ESTIMATE, ORIGINAL, seconds
from syncd.sandbox.jira.model import Field, Issue, Json, Project
from syncd.sandbox.jira.problems import FieldError, bad
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.times import is_day, parse_stamp

MAX_SUMMARY = 255
NOT_A_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
NOT_A_STRING = "Operation value must be a string"
WRONG_PARENT = "Given parent work item does not belong to appropriate hierarchy."


@dataclass(frozen=True, slots=True)
class Context:
    """What a value is checked against. `document` tells version 3 from version 2."""

    store: Store
    project: Project
    type_id: str
    document: bool
    issue: Issue | None = None


def value(context: Context, field: Field, raw: Json) -> Json:
    """Return the stored form of a value, None to clear; raises `FieldError`."""
    if field.kind == "summary":
        return _summary(context, field, raw)
    if raw is None:
        return [] if field.kind in LISTS and not field.custom else None
    return _PARSERS[field.kind](context, field, raw)


def rich(raw: Json, *, document: bool) -> Rich | None:
    """Return a rich text from a document (version 3) or wiki text (version 2)."""
    if raw is None:
        return None
    if not document:
        if not isinstance(raw, str):
            raise FieldError(NOT_A_STRING)
        _check_length(raw)
        return Rich(wiki_text=raw) if raw else None
    if not is_document(raw):
        raise FieldError(NOT_A_DOCUMENT)
    if not is_valid(raw):
        raise bad("INVALID_INPUT")
    _check_length(plain(raw))
    return None if is_empty(raw) else Rich(adf=raw)


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise FieldError(
            f"The entered text is too long. It exceeds the allowed limit of {MAX_LENGTH:,}"
            " characters."
        )


def _summary(_context: Context, _field: Field, raw: Json) -> str:
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        raise FieldError("You must specify a summary of the issue.")
    if not isinstance(raw, str):
        raise FieldError(NOT_A_STRING)
    if "\n" in raw or "\r" in raw:
        raise FieldError("The summary is invalid because it contains newline characters.")
    if len(raw) > MAX_SUMMARY:
        raise FieldError(f"Summary must be less than {MAX_SUMMARY} characters.")
    return raw.strip()


def time_tracking(context: Context, raw: Json) -> dict[str, int | None]:
    """Return the estimates, by field id, that a `timetracking` value sets; raises `FieldError`."""
    if not isinstance(raw, dict):
        raise FieldError("expected Object")
    found: dict[str, int | None] = {}
    for name, field_id, said in (
        ("originalEstimate", ORIGINAL, "original"), ("remainingEstimate", ESTIMATE, "remaining"),
    ):  # fmt: skip
        if name in raw:
            found[field_id] = None if raw[name] in (None, "") else seconds(str(raw[name]))
            if found[field_id] is None and raw[name]:
                raise FieldError(f"The {said} estimate specified is not valid.")
    known = context.issue.values if context.issue else {}
    if ORIGINAL in found and ESTIMATE not in {*found, *known}:
        found[ESTIMATE] = found[ORIGINAL]
    return found


def _string(_context: Context, field: Field, raw: Json) -> str | None:
    if not isinstance(raw, str):
        raise FieldError(NOT_A_STRING)
    if "\n" in raw:
        raise FieldError(f"{field.name} must not contain line breaks.")
    if len(raw) > MAX_SUMMARY:
        raise FieldError(
            f"The entered text is too long. It exceeds the allowed limit of {MAX_SUMMARY}"
            " characters."
        )
    return raw or None


def _url(_context: Context, _field: Field, raw: Json) -> str | None:
    if not isinstance(raw, str):
        raise FieldError(NOT_A_STRING)
    if raw and not re.match(r"[a-z][a-z0-9+.-]*:\S+$", raw, re.IGNORECASE):
        raise FieldError(f"Not a valid URL: '{raw}'")
    return raw or None


def _rich(context: Context, _field: Field, raw: Json) -> Rich | None:
    return rich(raw, document=context.document)


def _number(_context: Context, _field: Field, raw: Json) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise FieldError("Operation value must be a number")
    if abs(raw) > 100_000_000_000_000:  # noqa: PLR2004 - the vendor's limit
        raise FieldError(f"'{raw}' is an invalid number")
    return float(raw)


def _date(_context: Context, _field: Field, raw: Json) -> str | None:
    if not isinstance(raw, str):
        raise FieldError("Operation value must be a string")
    if raw == "":
        return None
    if not is_day(raw):
        raise FieldError(f"Error parsing date string: {raw}")
    return raw


def _datetime(_context: Context, _field: Field, raw: Json) -> str:
    if not isinstance(raw, str):
        raise FieldError(NOT_A_STRING)
    try:
        parse_stamp(raw)
    except ValueError:
        raise FieldError(f"Error parsing time: {raw}") from None
    return raw


def _account(context: Context, field: Field, raw: Json) -> str | None:
    if not isinstance(raw, dict):
        raise FieldError("expected Object")
    if "accountId" not in raw and "id" not in raw:
        raise FieldError(
            "'accountId' must be the only user identifying query parameter in GDPR strict mode."
        )
    account = raw.get("accountId", raw.get("id"))
    if account is None or (account == "-1" and field.id == "assignee"):
        return None
    user = context.store.users.get(str(account))
    if user is None:
        raise FieldError(f"User '{account}' does not exist.")
    if field.id == "assignee" and not _assignable(context, user.account_id):
        raise FieldError(f"User '{user.name}' cannot be assigned issues.")
    return user.account_id


def _assignable(context: Context, account: str) -> bool:
    members = context.project.members
    return context.store.users[account].active and (members is None or account in members)


def _reporter_checked(context: Context, field: Field, raw: Json) -> str | None:
    account = _account(context, field, raw)
    if account is None and field.id == "reporter":
        raise FieldError("Reporter is required.")
    return account


def _list_of(
    one: Callable[[Context, Field, Json], Json],
) -> Callable[[Context, Field, Json], Json]:
    def parse(context: Context, field: Field, raw: Json) -> Json:
        if not isinstance(raw, list):
            raise FieldError("data was not an array")
        found = list(dict.fromkeys(one(context, field, item) for item in raw))
        if field.kind == "labels":
            found.sort()
        return found or (None if field.custom else [])

    return parse


def _label(_context: Context, _field: Field, raw: Json) -> str:
    if not isinstance(raw, str):
        raise FieldError("string expected at index 0")
    if re.search(r"\s", raw):
        raise FieldError(f"The label '{raw}' contains spaces which is invalid.")
    if len(raw) > MAX_SUMMARY:
        raise FieldError(f"The label '{raw}' exceeds the maximum length of 255 characters.")
    return raw


def _option(_context: Context, field: Field, raw: Json) -> str:
    if not isinstance(raw, dict):
        raise FieldError("Specify a valid 'id' or 'name' for " + field.name)
    for option in field.options.values():
        if option.disabled:
            continue
        if str(raw.get("id")) == option.id or (
            "id" not in raw and raw.get("value") == option.value
        ):
            return option.id
    if "id" in raw:
        raise FieldError(f"Option id '{raw['id']}' is not valid")
    raise FieldError(f"Option value '{raw.get('value')}' is not valid")


def _pick(table: dict[str, Json], raw: Json, sentence: str) -> str:
    if not isinstance(raw, dict):
        raise FieldError(sentence)
    if raw.get("id") is not None:
        if str(raw["id"]) in table:
            return str(raw["id"])
        raise FieldError(sentence)
    name = str(raw.get("name", "")).casefold()
    for key, item in table.items():
        if name and item.name.casefold() == name:
            return key
    raise FieldError(sentence)


def _priority(context: Context, _field: Field, raw: Json) -> str:
    return _pick(dict(context.store.priorities), raw, "The priority selected is invalid.")


def _resolution(context: Context, _field: Field, raw: Json) -> str:
    return _pick(dict(context.store.resolutions), raw, "The resolution selected is invalid.")


def _version(context: Context, _field: Field, raw: Json) -> str:
    table = {v.id: v for v in context.store.versions_of(context.project)}
    named = raw.get("id") or raw.get("name") if isinstance(raw, dict) else raw
    what = "id" if isinstance(raw, dict) and raw.get("id") else "name"
    return _pick(dict(table), raw, f"Version {what} '{named}' is not valid")


def _component(context: Context, _field: Field, raw: Json) -> str:
    table = {c.id: c for c in context.store.components_of(context.project)}
    named = raw.get("id") or raw.get("name") if isinstance(raw, dict) else raw
    what = "id" if isinstance(raw, dict) and raw.get("id") else "name"
    return _pick(dict(table), raw, f"Component {what} '{named}' is not valid")


def _parent(context: Context, _field: Field, raw: Json) -> int | None:
    if not isinstance(raw, dict):
        raise FieldError("data was not an object")
    named = raw.get("id") or raw.get("key")
    if named is None:
        if raw.get("none") is True or "key" in raw or "id" in raw:
            return None
        raise FieldError("Could not find issue by id or key.")
    parent = context.store.find_issue(named)
    if parent is None or parent.hidden:
        raise FieldError("Could not find issue by id or key.")
    check_parent(context, parent)
    return parent.id


def check_parent(context: Context, parent: Issue) -> None:
    """Raise `FieldError` unless an issue is one level up, and in the same project for sub-tasks."""
    level = context.store.types[context.type_id].level
    above = context.store.type_of(parent).level
    same = parent.project_id == context.project.id
    if above != level + 1 or ((level < 0 or context.project.simplified) and not same):
        raise FieldError(WRONG_PARENT)


def _type(context: Context, _field: Field, raw: Json) -> str:
    found = find_type(context.store, context.project, raw)
    if found is None:
        raise FieldError("The issue type selected is invalid.")
    old = context.store.types[context.type_id].level
    if (old < 0) != (context.store.types[found].level < 0):
        raise FieldError("The issue type selected is invalid.")
    return found


def find_type(store: Store, project: Project, raw: Json) -> str | None:
    """Return the id of one of a project's issue types named by id or name."""
    if not isinstance(raw, dict):
        return None
    if raw.get("id") is not None:
        return str(raw["id"]) if str(raw["id"]) in project.type_ids else None
    name = str(raw.get("name", "")).casefold()
    return next((t for t in project.type_ids if store.types[t].name.casefold() == name), None)


def _project(context: Context, _field: Field, raw: Json) -> int:
    named = raw.get("id") or raw.get("key") if isinstance(raw, dict) else None
    project = context.store.find_project(named) if named else None
    if project is None:
        raise FieldError("Specify a valid project ID or key")
    return project.id


def _sprint(context: Context, _field: Field, raw: Json) -> Json:
    if raw is None:
        return None
    if not isinstance(raw, int) or raw not in context.store.extras.get("sprints", {}):
        raise FieldError("Number value expected as the Sprint id.")
    return [raw]


LISTS = frozenset({"labels", "versions", "components", "options", "users"})
_PARSERS: dict[str, Callable[[Context, Field, Json], Json]] = {
    "string": _string,
    "url": _url,
    "rich": _rich,
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "user": _reporter_checked,
    "users": _list_of(_account),
    "labels": _list_of(_label),
    "option": _option,
    "options": _list_of(_option),
    "priority": _priority,
    "resolution": _resolution,
    "version": _version,
    "versions": _list_of(_version),
    "components": _list_of(_component),
    "parent": _parent,
    "issuetype": _type,
    "project": _project,
    "sprints": _sprint,
}


def element(context: Context, field: Field, raw: Json) -> Json:
    """Return the stored form of one element of a list field (verbs add and remove)."""
    found = _PARSERS[field.kind](context, field, [raw])
    return found[0] if found else None
