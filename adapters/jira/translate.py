"""Between Jira's JSON and neutral values, both ways. Pure.

Source of the shapes: Jira Cloud platform REST v3 (IssueBean; field types by `schema` of GET field).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from adapters.jira.adf import read_adf
from adapters.jira.adf_write import write_adf
from adapters.text import parse_markdown, render_markdown
from syncd.core.records import FieldKind, Record, Value, neutral_set

Json = Any

MARKER = "syncd"
"""Key of the entity property that carries our marker, as `{"item": MARKER}`."""

ALWAYS = ("project", "issuetype", "created", "updated")
"""Fields every record needs, whatever the mapping asks for."""

_KNOWN_TIME = time(12)  # a date put into a date-time field; noon is that date for most readers


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of the site. `has_time`: a date-time field, of which only the date is used."""

    id: str
    name: str
    kind: FieldKind
    writable: bool = True
    has_time: bool = False
    projects: tuple[str, ...] = ()  # the only ones that have it; empty: any may


# JSON -> neutral ------------------------------------------------------------------------------


def _text(raw: Json) -> Value:
    return str(raw).strip() or None


def _number(raw: Json) -> Value:
    return float(raw)


def _date(raw: Json) -> Value:
    return str(raw)[:10] or None


def _id(raw: Json) -> Value:
    return str(raw["id"])


def _ids(raw: Json) -> Value:
    return neutral_set(str(option["id"]) for option in raw)


def _names(raw: Json) -> Value:
    return neutral_set(str(name) for name in raw)


def _account(raw: Json) -> Value:
    return str(raw["accountId"])


def _accounts(raw: Json) -> Value:
    return neutral_set(str(user["accountId"]) for user in raw)


_READ: Mapping[FieldKind, Callable[[Json], Value]] = {
    FieldKind.TITLE: _text,
    FieldKind.TEXT: _text,
    FieldKind.URL: _text,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _date,
    FieldKind.SELECT: _id,
    FieldKind.STATUS: _id,
    FieldKind.MULTI_SELECT: _ids,
    FieldKind.LABELS: _names,
    FieldKind.PERSON: _account,
    FieldKind.PEOPLE: _accounts,
    FieldKind.PARENT: _id,
}


def read_value(kind: FieldKind, raw: Json) -> tuple[Value, bool]:
    """Return the neutral value, and whether it is opaque: more than a neutral value can say."""
    if raw is None:
        return None, False
    if kind is FieldKind.RICH_TEXT:
        if isinstance(raw, str):  # an add-on's field that keeps plain text
            return raw.strip() or None, True
        doc, opaque = read_adf(raw)
        return render_markdown(doc) or None, opaque
    try:
        return _READ[kind](raw), False
    except (KeyError, TypeError, ValueError):
        return None, True


class IssueReader:
    """Makes records of the issues of one scope. Built once for each read, for it runs per issue."""

    def __init__(
        self, connection: str, scope: str, browse_url: str, fields: Iterable[FieldInfo]
    ) -> None:
        self._connection = connection
        self._scope = scope
        self._browse = f"{browse_url}/browse/"
        self._kinds = [(f.id, f.kind) for f in fields if f.kind is not FieldKind.OTHER]

    def record(self, issue: Mapping[str, Any], author: str | None = None) -> Record:
        """Return the record of one issue as search, bulk fetch or an edit's answer shows it.

        Raises KeyError or TypeError when it lacks what every issue has.
        """
        raw = issue["fields"]
        values: dict[str, Value] = {}
        opaque = []
        for field_id, kind in self._kinds:
            if field_id not in raw and kind is not FieldKind.PARENT:
                continue  # deleted, hidden, or not a field of this type: not shown is not empty
            values[field_id], is_opaque = read_value(kind, raw.get(field_id))
            if is_opaque:
                opaque.append(field_id)
        parent = raw.get("parent")
        return Record(
            connection=self._connection,
            scope=self._scope,
            id=issue["id"],
            container=raw["project"]["id"],
            kind=raw["issuetype"]["id"],
            key=issue["key"],
            url=self._browse + issue["key"],
            updated=utc(raw["updated"]),
            created=utc(raw["created"]),
            fields=values,
            author=author or _last_author(issue),
            opaque=frozenset(opaque),
            marker=_marker(issue),
            parent_key=parent.get("key") if parent else None,
        )


def _marker(issue: Mapping[str, Any]) -> str | None:
    properties = issue.get("properties")
    held = properties.get(MARKER) if properties else None
    return held.get("item") if isinstance(held, dict) else None


def _last_author(issue: Mapping[str, Any]) -> str | None:
    """Return who changed the issue last, where its changelog was asked for."""
    changelog = issue.get("changelog")
    if changelog is None:
        return None
    histories = changelog.get("histories") or ()
    last = max(histories, key=lambda history: utc(history["created"]), default=None)
    person = last.get("author") if last else issue["fields"].get("creator")
    return person.get("accountId") if person else None


def utc(text: str) -> str:
    """Return Jira's time stamp (`2026-01-02T03:04:05.678+0100`) in UTC, comparable as text."""
    if text.endswith("+0000"):
        return text[:-5] + "Z"
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    """Return a time stamp of `utc` as milliseconds since the epoch."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


# neutral -> JSON ------------------------------------------------------------------------------


def normal(kind: FieldKind, value: str) -> str:
    """Return what Jira gives back after storing this text in a field of this kind."""
    if kind is FieldKind.RICH_TEXT:
        return render_markdown(read_adf(write_adf(parse_markdown(value)))[0])
    return " ".join(value.split("\n")).strip() if kind in _ONE_LINE else value


_ONE_LINE = frozenset({FieldKind.TITLE, FieldKind.TEXT, FieldKind.URL})
_EMPTY: Mapping[FieldKind, object] = {
    FieldKind.LABELS: [],
    FieldKind.MULTI_SELECT: [],
    FieldKind.PEOPLE: [],
}


def write_value(field: FieldInfo, value: Value, zone: tzinfo = UTC) -> object:
    """Return the JSON that sets a field to a neutral value; `zone` is that of the account.

    Raises ValueError when the value is not one of the field's kind.
    """
    if value is None:
        return _EMPTY.get(field.kind)
    if isinstance(value, tuple):
        return _write_set(field.kind, value)
    if isinstance(value, str):
        return _write_text(field, value, zone)
    if field.kind is FieldKind.NUMBER and not isinstance(value, bool):
        return value
    raise ValueError(f"a field of kind {field.kind} does not take {value!r}")


def _write_set(kind: FieldKind, values: tuple[str, ...]) -> object:
    match kind:
        case FieldKind.LABELS:
            return list(values)
        case FieldKind.MULTI_SELECT:
            return [{"id": value} for value in values]
        case FieldKind.PEOPLE:
            return [{"accountId": value} for value in values]
        case _:
            raise ValueError(f"a field of kind {kind} does not take several values")


def _write_text(field: FieldInfo, value: str, zone: tzinfo) -> object:
    match field.kind:
        case FieldKind.TITLE | FieldKind.TEXT | FieldKind.URL:
            return normal(field.kind, value)
        case FieldKind.RICH_TEXT:
            return write_adf(parse_markdown(value))
        case FieldKind.DATE if field.has_time:
            moment = datetime.combine(date.fromisoformat(value), _KNOWN_TIME, zone)
            return moment.strftime("%Y-%m-%dT%H:%M:%S.000%z")
        case FieldKind.DATE:
            return value
        case FieldKind.SELECT | FieldKind.PARENT:
            return {"id": value}
        case FieldKind.PERSON:
            return {"accountId": value}
        case _:
            raise ValueError(f"a field of kind {field.kind} does not take text")


def write_fields(
    fields: Mapping[str, FieldInfo], values: Mapping[str, Value], zone: tzinfo = UTC
) -> dict[str, object]:
    """Return the body of an edit: `fields`, and `update` for what `fields` cannot express."""
    body: dict[str, object] = {
        name: write_value(fields[name], value, zone)
        for name, value in values.items()
        if not (name == "parent" and value is None)
    }
    if "parent" in values and values["parent"] is None:
        return {"fields": body, "update": {"parent": [{"set": {"none": True}}]}}
    return {"fields": body}
