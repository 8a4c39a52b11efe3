"""What a Jira site offers, read from its JSON. Pure.

A field's kind is told by its `schema` (`system`, `custom`, `type`, `items`), never by name or
number: both differ from site to site.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.jira.translate import FieldInfo
from syncd.core.records import Account, Container, FieldKind, Option, RemoteField

_CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"
_SUMMARY_LENGTH = 255
_CATEGORIES = {"new": "new", "indeterminate": "active", "done": "done"}

_BY_SYSTEM = {
    "summary": FieldKind.TITLE,
    "description": FieldKind.RICH_TEXT,
    "environment": FieldKind.RICH_TEXT,
    "status": FieldKind.STATUS,
    "assignee": FieldKind.PERSON,
    "reporter": FieldKind.PERSON,
    "creator": FieldKind.PERSON,
    "duedate": FieldKind.DATE,
    "created": FieldKind.DATE,
    "updated": FieldKind.DATE,
    "resolutiondate": FieldKind.DATE,
    "labels": FieldKind.LABELS,
    "priority": FieldKind.SELECT,
    "resolution": FieldKind.SELECT,
    "parent": FieldKind.PARENT,
    "fixVersions": FieldKind.MULTI_SELECT,
    "versions": FieldKind.MULTI_SELECT,
    "components": FieldKind.MULTI_SELECT,
}
_BY_CUSTOM = {
    _CUSTOM + "textfield": FieldKind.TEXT,
    _CUSTOM + "textarea": FieldKind.RICH_TEXT,
    _CUSTOM + "float": FieldKind.NUMBER,
    _CUSTOM + "select": FieldKind.SELECT,
    _CUSTOM + "radiobuttons": FieldKind.SELECT,
    _CUSTOM + "multiselect": FieldKind.MULTI_SELECT,
    _CUSTOM + "multicheckboxes": FieldKind.MULTI_SELECT,
    _CUSTOM + "datepicker": FieldKind.DATE,
    _CUSTOM + "datetime": FieldKind.DATE,
    _CUSTOM + "url": FieldKind.URL,
    _CUSTOM + "userpicker": FieldKind.PERSON,
    _CUSTOM + "multiuserpicker": FieldKind.PEOPLE,
    _CUSTOM + "people": FieldKind.PEOPLE,
    _CUSTOM + "labels": FieldKind.LABELS,
    _CUSTOM + "version": FieldKind.SELECT,
    _CUSTOM + "multiversion": FieldKind.MULTI_SELECT,
    "com.pyxis.greenhopper.jira:jsw-story-points": FieldKind.NUMBER,
    "com.pyxis.greenhopper.jira:gh-epic-label": FieldKind.TEXT,
}
_BY_TYPE = {"number": FieldKind.NUMBER, "date": FieldKind.DATE, "datetime": FieldKind.DATE}
_READ_ONLY = frozenset({"creator", "created", "updated", "resolutiondate", "resolution"})


def field_info(raw: Mapping[str, Any]) -> FieldInfo:
    """Return what GET field says of one field."""
    schema = raw.get("schema") or {}
    field_id = str(raw["id"])
    system = schema.get("system") or ("" if raw.get("custom") else field_id)
    kind = _BY_SYSTEM.get(system) or _BY_CUSTOM.get(schema.get("custom", ""))
    known = kind is not None
    scope = (raw.get("scope") or {}).get("project") or {}
    return FieldInfo(
        id=field_id,
        name=str(raw.get("name") or field_id),
        # An add-on's field of a plain type can be read, but who knows what else it holds.
        kind=kind or _BY_TYPE.get(schema.get("type", ""), FieldKind.OTHER),
        writable=known and field_id not in _READ_ONLY,
        has_time=schema.get("type") == "datetime",
        projects=(str(scope["id"]),) if scope.get("id") else (),
    )


def field_infos(raw: Iterable[Mapping[str, Any]]) -> dict[str, FieldInfo]:
    """Return all fields by id. `parent` is added where the site does not list it."""
    infos = {info.id: info for info in map(field_info, raw)}
    infos.setdefault("parent", FieldInfo("parent", "Parent", FieldKind.PARENT))
    return infos


@dataclass(slots=True)
class Options:
    """The choices of each field in each project: field id -> project id -> options by id."""

    found: defaultdict[str, defaultdict[str, dict[str, Option]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )

    def add_statuses(self, project: str, raw: Iterable[Mapping[str, Any]]) -> None:
        """Add the statuses of GET project/{id}/statuses."""
        for kind in raw:
            for status in kind.get("statuses") or ():
                self.found["status"][project].setdefault(str(status["id"]), status_option(status))

    def add_fields(self, project: str, raw: Iterable[Mapping[str, Any]]) -> None:
        """Add the allowed values of GET issue/createmeta/{project}/issuetypes/{type}."""
        for meta in raw:
            field_id = str(meta.get("fieldId") or meta.get("key"))
            for value in meta.get("allowedValues") or ():
                option = _option(value) if isinstance(value, dict) else None
                if option is not None and field_id not in {"issuetype", "project", "parent"}:
                    self.found[field_id][project].setdefault(option.id, option)

    def add_everywhere(
        self, field_id: str, projects: Iterable[str], raw: Iterable[Mapping[str, Any]]
    ) -> None:
        """Add choices of the whole site to the projects that have not told their own."""
        options = [option for option in map(_option, raw) if option is not None]
        for project in projects:
            if project not in self.found[field_id]:
                self.found[field_id][project] = {option.id: option for option in options}

    def remote_fields(self, info: FieldInfo, projects: Iterable[str]) -> Iterator[RemoteField]:
        """Yield the field once for each group of projects that share the same choices."""
        groups: defaultdict[tuple[Option, ...], list[str]] = defaultdict(list)
        for project in info.projects or projects:
            groups[tuple(self.found[info.id][project].values())].append(project)
        if len(groups) <= 1:
            options = next(iter(groups), ())
            yield _remote_field(info, options, info.projects)
            return
        for options, members in groups.items():
            yield _remote_field(info, options, tuple(members))


def _remote_field(
    info: FieldInfo, options: tuple[Option, ...], containers: tuple[str, ...]
) -> RemoteField:
    return RemoteField(
        id=info.id,
        name=info.name,
        kind=info.kind,
        options=options,
        has_time=info.has_time,
        writable=info.writable and info.kind is not FieldKind.OTHER,
        max_length=_SUMMARY_LENGTH if info.kind in {FieldKind.TITLE, FieldKind.TEXT} else None,
        containers=containers,
    )


def _option(raw: Mapping[str, Any]) -> Option | None:
    name = raw.get("value") or raw.get("name")
    return Option(str(raw["id"]), str(name)) if name and raw.get("id") else None


def status_option(raw: Mapping[str, Any]) -> Option:
    """Return a status with its category."""
    category = (raw.get("statusCategory") or {}).get("key", "")
    return Option(str(raw["id"]), str(raw.get("name")), _CATEGORIES.get(category))


def kinds(raw: Iterable[Mapping[str, Any]]) -> tuple[Option, ...]:
    """Return the issue types of GET project/{id}/statuses."""
    return tuple(Option(str(kind["id"]), str(kind.get("name"))) for kind in raw)


def container(raw: Mapping[str, Any], browse_url: str, types: tuple[Option, ...] = ()) -> Container:
    """Return a project."""
    key = str(raw["key"])
    return Container(str(raw["id"]), str(raw["name"]), key, types, f"{browse_url}/browse/{key}")


def account(raw: Mapping[str, Any]) -> Account:
    """Return a user; the e-mail address is missing where the person hides it."""
    return Account(
        id=str(raw["accountId"]),
        name=str(raw.get("displayName") or raw["accountId"]),
        email=raw.get("emailAddress") or None,
        active=bool(raw.get("active", True)),
        bot=raw.get("accountType") == "app",
    )
