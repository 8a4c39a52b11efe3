"""Jira's changelog of an issue as log entries. Pure.

Source: `Changelog` and `ChangeDetails` of Jira Cloud REST v3. `from` and `to` hold ids, `fromString`
and `toString` what people read; which of the two is the value depends on the kind of the field. Of
several choices (a change for each, or names only) and of times of day it tells no value to go by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.jira.translate import FieldInfo, utc
from syncd.core.records import FieldKind, LogEntry, Value, neutral_set

Json = Mapping[str, Any]

_BY_ID = frozenset(
    {FieldKind.STATUS, FieldKind.SELECT, FieldKind.PERSON, FieldKind.PARENT, FieldKind.DATE}
)
_IDS = {"Parent": "parent", "IssueParentAssociation": "parent"}
"""Names under which a change of the parent is told without the field's id."""


def entries(
    histories: Iterable[Json], infos: Mapping[str, FieldInfo], since: str
) -> tuple[LogEntry, ...]:
    """Return the changes of known fields after `since` (a time of `utc`), oldest first.

    Raises KeyError, TypeError or ValueError when a history is not as Jira defines it.
    """
    found = [entry for history in histories for entry in _entries(history, infos)]
    return tuple(sorted((e for e in found if e.at > since), key=lambda entry: entry.at))


def moment(raw: object) -> str:
    """Return when a history was made; in bulk Jira may give milliseconds instead of a time stamp."""
    if isinstance(raw, int | float):
        stamp = datetime.fromtimestamp(raw / 1000, UTC).isoformat(timespec="milliseconds")
        return stamp.replace("+00:00", "Z")
    return utc(str(raw))


def _entries(history: Json, infos: Mapping[str, FieldInfo]) -> Iterator[LogEntry]:
    at = moment(history["created"])
    author = (history.get("author") or {}).get("accountId")
    for item in history["items"]:
        field = item.get("fieldId") or _IDS.get(item["field"], item["field"])
        info = infos.get(field)
        if info is None:
            continue
        told = info.kind is not FieldKind.MULTI_SELECT and not info.has_time
        yield LogEntry(
            field,
            at,
            author,
            _value(info.kind, item.get("from"), item.get("fromString")) if told else None,
            _value(info.kind, item.get("to"), item.get("toString")) if told else None,
            told,
            _attempt(history),
        )


def _attempt(history: Json) -> str | None:
    """Return the attempt that we named when we made the change (see `historyMetadata`)."""
    metadata = history.get("historyMetadata") or {}
    return (metadata.get("extraData") or {}).get("attempt")


def _value(kind: FieldKind, raw_id: object, text: object) -> Value:
    if kind in _BY_ID:
        shown = str(raw_id or "") or None
        return shown[:10] if shown and kind is FieldKind.DATE else shown
    if kind is FieldKind.PEOPLE:
        return neutral_set(
            part.strip() for part in str(raw_id or "").strip("[]").split(",") if part
        )
    words = str(text) if text is not None else ""
    if kind is FieldKind.LABELS:
        return neutral_set(words.split())
    if kind is FieldKind.NUMBER:
        return float(words) if words else None
    return words.strip() or None
