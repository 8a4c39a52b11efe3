"""Loading issues from a JSON Lines file in the vendor's REST form, from Cloud or Data Center."""

from __future__ import annotations

import gzip
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson

from syncd.sandbox.jira.adf import Rich, is_document, is_valid
from syncd.sandbox.jira.defaults import CUSTOM, CUSTOM_KINDS, add_field, workflow
from syncd.sandbox.jira.model import (
    CATEGORIES,
    Comment,
    Component,
    Field,
    Issue,
    IssueType,
    Json,
    Link,
    LinkType,
    Named,
    Option,
    Project,
    Status,
    User,
    Version,
)
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.times import is_day, parse_stamp

_NAMESPACE = uuid.UUID("5f1c6a54-3ed2-4c1e-9d0a-6f0f6b8c2a11")
# what the vendor shows for people whose accounts are gone
_FORMER_USER = {"accountId": "unknown", "displayName": "Former user", "active": False}


def load_issues(store: Store, path: Path, admin: str) -> int:
    """Load a file into a store and return the number of issues; raises ValueError, OSError."""
    loader = _Loader(store, admin)
    issues = []
    for number, row in _rows(path):
        try:
            issues.append(loader.issue(row))
        except _Wrong as error:
            raise ValueError(f"{path}, line {number}: {error}; no issue was loaded") from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"
            raise ValueError(
                f"{path}, line {number}: not an issue in Jira's REST form ({detail}); expected"
                " an object with id, key and fields; no issue was loaded"
            ) from None
    loader.finish(issues)
    return len(issues)


class _Wrong(Exception):
    """What is wrong with a row, in words."""


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Json]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _row(path, number, line)
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{path} is not a complete gzip file ({error}); no issue was loaded"
        ) from (error)


def _row(path: Path, number: int, line: bytes) -> dict[str, Json]:
    try:
        row = orjson.loads(line)
    except ValueError as error:
        raise ValueError(
            f"{path}, line {number}: not JSON ({error}); no issue was loaded"
        ) from None
    if not isinstance(row, dict) or not isinstance(row.get("fields"), dict):
        raise ValueError(  # noqa: TRY004 - the content of a file, not an argument
            f"{path}, line {number}: an issue is an object with id, key and fields; no issue was"
            " loaded"
        )
    return row


class _Loader:
    """Collects what the rows refer to; `finish` ties everything together."""

    def __init__(self, store: Store, admin: str) -> None:
        self.store = store
        self.admin = admin
        self.seen: set[int] = set()
        self.links: dict[str, Json] = {}
        self.relatives: dict[int, Json] = {}
        self.used: dict[int, Counter[str]] = {}  # project -> its statuses, how often
        self.points = next(f for f in store.fields.values() if f.name == "Story Points")

    def issue(self, row: dict[str, Json]) -> Issue:
        """Return the issue of a row."""
        fields = row["fields"]
        number = _whole(row.get("id"), "id")
        if number in self.seen or number in self.store.issues:
            raise _Wrong(f"issue id {number} is there twice")
        self.seen.add(number)
        key = row.get("key")
        if not isinstance(key, str) or not key.rpartition("-")[2].isdigit():
            raise _Wrong(f"key {key!r} is no issue key such as ABC-1")
        project = self._project(fields["project"])
        project.last_number = max(project.last_number, int(key.rpartition("-")[2]))
        values = self._values(project, fields)
        if row.get("_storyPoints") is not None:
            values[self.points.id] = float(row["_storyPoints"])
        made = Issue(
            number, key, project.id, _moment(fields, "created"), _moment(fields, "updated"), values
        )
        self._comments(made, fields.get("comment"))
        self._properties(made, row.get("properties"))
        self._relations(made, fields)
        return made

    def _values(self, project: Project, fields: dict[str, Json]) -> dict[str, Json]:
        kind, status = self._type(fields["issuetype"]), self._status(fields["status"])
        if kind not in project.type_ids:
            project.type_ids.append(kind)
        self.used.setdefault(project.id, Counter())[status] += 1
        summary = fields.get("summary")
        if not isinstance(summary, str):
            raise _Wrong("fields.summary is not a string")
        values: dict[str, Json] = {"issuetype": kind, "status": status, "summary": summary}
        for field_id, raw in fields.items():
            field = self.store.fields.get(field_id) or self._custom(field_id, raw)
            value = self._value(project, field, raw) if field else None
            if value not in (None, []):
                values[field_id] = value
        values.setdefault("statuscategorychangedate", _moment(fields, "updated"))
        return values

    def _value(self, project: Project, field: Field, raw: Json) -> Json:
        if raw is None:
            return None
        if field.kind == "rich":
            return _rich(raw)
        if field.kind == "user":
            return self._user(raw)
        if field.kind == "users":
            return [self._user(item) for item in raw]
        if field.kind in {"priority", "resolution"}:
            return self._named(field.kind, raw)
        if field.kind in {"versions", "components"}:
            make = self._version if field.kind == "versions" else self._component
            return [make(project, item) for item in raw]
        if field.kind == "stamp":
            return None if field.id in {"created", "updated"} else parse_stamp(raw)
        return self._plain(field, raw)

    def _plain(self, field: Field, raw: Json) -> Json:
        if field.kind == "labels":
            return sorted({str(item) for item in raw})
        if field.kind == "number":
            return float(raw)
        if field.kind in {"date", "datetime", "string", "url"}:
            return raw if isinstance(raw, str) else None
        if field.kind in {"option", "options"}:
            rows = raw if isinstance(raw, list) else [raw]
            found = [_option(field, item) for item in rows]
            return found if field.kind == "options" else found[0]
        return None

    def _custom(self, field_id: str, raw: Json) -> Field | None:
        """Make a custom field that the site lacks, from the look of its first value."""
        prefix, _, number = field_id.partition("_")
        if prefix != "customfield" or not number.isdigit() or raw is None:
            return None
        look = CUSTOM + _look(raw)
        if look not in CUSTOM_KINDS:
            return None
        self.store.reserve("field", int(number))
        return add_field(self.store, int(number), field_id, look, CUSTOM_KINDS[look])

    # what issues refer to

    def _project(self, raw: dict[str, Json]) -> Project:
        key = raw["key"]
        found = self.store.find_project(key)
        if found is None:
            number = _whole(raw.get("id", self.store.counters.get("project", 10000)), "project id")
            self.store.reserve("project", number)
            name = str(raw.get("name") or key)
            found = Project(number, key, name, self.admin, [], {})
            self.store.add_project(found)
        return found

    def _type(self, raw: dict[str, Json]) -> str:
        store, name = self.store, str(raw["name"])
        known = next((t.id for t in store.types.values() if t.name == name), None)
        if known is not None:
            return known
        wanted = str(raw.get("id", ""))
        type_id = wanted if wanted and wanted not in store.types else str(store.number("type"))
        level = raw.get("hierarchyLevel")
        if level is None:
            level = -1 if raw.get("subtask") else 1 if name == "Epic" else 0
        store.types[type_id] = IssueType(type_id, name, level, str(raw.get("description") or ""))
        return type_id

    def _status(self, raw: dict[str, Json]) -> str:
        store, name = self.store, str(raw["name"])
        known = store.by_name(store.statuses, name)
        if known is not None:
            return known
        wanted = str(raw.get("id", ""))
        free = wanted and wanted not in store.statuses
        status_id = wanted if free else str(store.number("status"))
        category = (raw.get("statusCategory") or {}).get("key", "new")
        if category not in CATEGORIES:
            raise _Wrong(f"status category {category!r} is none of {', '.join(CATEGORIES)}")
        text = str(raw.get("description") or "")
        store.statuses[status_id] = Status(status_id, name, category, text)
        return status_id

    def _named(self, kind: str, raw: dict[str, Json]) -> str:
        table = self.store.priorities if kind == "priority" else self.store.resolutions
        name = str(raw["name"])
        known = self.store.by_name(table, name)
        if known is not None:
            return known
        wanted = str(raw.get("id", ""))
        made = wanted if wanted and wanted not in table else str(self.store.number(kind, 20000))
        table[made] = Named(made, name, str(raw.get("description") or ""))
        return made

    def _user(self, raw: dict[str, Json]) -> str:
        store = self.store
        account = raw.get("accountId")
        name = str(raw.get("displayName") or raw.get("name") or account)
        if account is None:
            known = str(raw.get("key") or raw.get("name") or name)
            account = f"712020:{uuid.uuid5(_NAMESPACE, known)}"
        if account not in store.users:
            email = _email(raw)
            active, zone = bool(raw.get("active", True)), str(raw.get("timeZone") or "UTC")
            store.users[account] = User(account, name, email, active, bool(email), zone)
        return str(account)

    def _version(self, project: Project, raw: dict[str, Json]) -> str:
        table = self.store.versions
        number = str(raw.get("id") or "")
        if number in table and table[number].project_id == project.id:
            return number
        number = number if number and number not in table else str(self.store.number("version"))
        table[number] = Version(
            number, project.id, str(raw["name"]), raw.get("description"),
            bool(raw.get("archived")), bool(raw.get("released")),
            release_date=raw.get("releaseDate"),
        )  # fmt: skip
        self.store.reserve("version", int(number))
        return number

    def _component(self, project: Project, raw: dict[str, Json]) -> str:
        table = self.store.components
        number = str(raw.get("id") or "")
        if number in table and table[number].project_id == project.id:
            return number
        number = number if number and number not in table else str(self.store.number("component"))
        text = raw.get("description")
        table[number] = Component(number, project.id, str(raw["name"]), text)
        self.store.reserve("component", int(number))
        return number

    # comments, properties, relations

    def _comments(self, issue: Issue, raw: Json) -> None:
        for row in (raw or {}).get("comments", ()):
            author = self._user(row.get("author") or _FORMER_USER)
            editor = self._user(row.get("updateAuthor") or row.get("author") or _FORMER_USER)
            made, changed = parse_stamp(row["created"]), parse_stamp(row["updated"])
            body = _rich(row.get("body")) or Rich(wiki_text="")
            issue.comments.append(Comment(str(row["id"]), author, body, made, changed, editor))
            self.store.reserve("comment", int(row["id"]))

    def _properties(self, issue: Issue, raw: Json) -> None:
        if isinstance(raw, dict):
            issue.properties.update(raw)

    def _relations(self, issue: Issue, fields: dict[str, Json]) -> None:
        relative = fields.get("parent") or fields.get("epic")
        if relative:
            number = _whole(relative.get("id"), "parent id")
            self.relatives.setdefault(number, (relative, issue.project_id))
            issue.values["parent"] = number
        for link in fields.get("issuelinks") or ():
            side = "outwardIssue" if "outwardIssue" in link else "inwardIssue"
            self.links.setdefault(str(link["id"]), (issue.id, side, link, issue.project_id))

    def finish(self, issues: list[Issue]) -> None:
        """Make relatives that the file lacks, then links, workflows and indices."""
        strangers = [
            self._stranger(number, raw, project)
            for number, (raw, project) in self.relatives.items()
            if number not in self.seen and number not in self.store.issues
        ]
        for _issue, side, link, project in self.links.values():
            number = _whole(link[side].get("id"), "linked issue id")
            if number not in self.seen and number not in self.store.issues:
                self.seen.add(number)
                strangers.append(self._stranger(number, link[side], project))
        everything = [*issues, *{issue.id: issue for issue in strangers}.values()]
        for issue in everything:
            self.store.reserve("issue", issue.id)
        self.store.add_issues(everything)
        self._make_links()
        self._make_workflows()
        self.store.setup += 1

    def _stranger(self, number: int, raw: dict[str, Json], project_id: int) -> Issue:
        """Return an issue that is known by name only: real, but visible to nobody."""
        fields = raw.get("fields") or {}
        kind = self._type(fields.get("issuetype") or {"name": "Epic"})
        status = self._status(fields.get("status") or _stand_in_status(raw))
        values: dict[str, Json] = {"issuetype": kind, "status": status}
        values["summary"] = str(fields.get("summary") or raw.get("summary") or raw.get("name"))
        if fields.get("priority"):
            values["priority"] = self._named("priority", fields["priority"])
        return Issue(number, str(raw["key"]), project_id, 0, 0, values, hidden=True)

    def _make_links(self) -> None:
        store = self.store
        for number, (owner, side, link, _project) in self.links.items():
            raw = link["type"]
            kind = next((t for t in store.link_types.values() if t.name == raw["name"]), None)
            if kind is None:
                wanted = str(raw.get("id", ""))
                free = wanted and wanted not in store.link_types
                made = wanted if free else str(store.number("linktype"))
                kind = LinkType(made, raw["name"], raw["inward"], raw["outward"])
                store.link_types[made] = kind
            far = int(link[side]["id"])
            ends = (owner, far) if side == "outwardIssue" else (far, owner)
            if number not in store.links:
                store.add_link(Link(number, kind.id, *ends))
                store.reserve("link", int(number))

    def _make_workflows(self) -> None:
        """Give each project one workflow of the statuses its issues use, the commonest first."""
        order = ["new", "undefined", "indeterminate", "done"]
        table = self.store.statuses
        for project_id, used in self.used.items():
            project = self.store.projects[project_id]
            for flow in project.workflows.values():
                used.update(dict.fromkeys(flow.statuses, 0))
            ids = sorted(used, key=lambda s, n=used: (order.index(table[s].category), -n[s]))  # type: ignore[misc]
            names = {s: self.store.statuses[s].name for s in ids}
            project.workflows = {**project.workflows, "": workflow(tuple(ids), names)}


def _stand_in_status(raw: dict[str, Json]) -> dict[str, Json]:
    done = bool(raw.get("done"))
    return {"name": "Done" if done else "To Do",
            "statusCategory": {"key": "done" if done else "new"}}  # fmt: skip


def _email(raw: dict[str, Json]) -> str:
    """Return a person's e-mail; one is made from the key where a file has none."""
    known = raw.get("emailAddress")
    if known or raw is _FORMER_USER:
        return str(known or "")
    key = str(raw.get("key") or raw.get("name") or raw.get("accountId"))
    return f"{re.sub('[^a-z0-9.]+', '.', key.lower())}@example.com"


def _whole(raw: Json, what: str) -> int:
    try:
        return int(raw)
    except (TypeError, ValueError):
        raise _Wrong(f"{what} {raw!r} is no number") from None


def _moment(fields: dict[str, Json], name: str) -> int:
    try:
        return parse_stamp(fields[name])
    except KeyError:
        raise _Wrong(f"fields.{name} is missing") from None


def _rich(raw: Json) -> Rich | None:
    if raw is None:
        return None
    if isinstance(raw, str):
        return Rich(wiki_text=raw) if raw else None
    if is_document(raw) and is_valid(raw):
        return Rich(adf=raw)
    raise _Wrong("a text is neither wiki markup nor an Atlassian document")


def _look(raw: Json) -> str:
    """Return the custom field type that a value looks like, or an empty string."""
    if isinstance(raw, bool):
        return ""
    if isinstance(raw, int | float):
        return "float"
    if isinstance(raw, str):
        return "datepicker" if is_day(raw) else "textfield"
    first: Json = raw[0] if isinstance(raw, list) and raw else raw
    many = isinstance(raw, list)
    if isinstance(first, str):
        return "labels"
    if isinstance(first, dict) and first.get("type") == "doc":
        return "textarea"
    if isinstance(first, dict) and "value" in first:
        return "multiselect" if many else "select"
    if isinstance(first, dict) and "accountId" in first:
        return "multiuserpicker" if many else "userpicker"
    return ""


def _option(field: Field, raw: dict[str, Json]) -> str:
    number = str(raw["id"])
    field.options.setdefault(number, Option(number, str(raw["value"])))
    return number
