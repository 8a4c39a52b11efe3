"""Short words for building the core's values in tests: give what matters, the rest is filled in.

Values that are given stand where the dataclass has them; `fields` may also be given as keyword
arguments where that reads better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.core.model import (
    Claim,
    Conflict,
    CycleReport,
    HistoryEntry,
    Intent,
    Item,
    Notice,
    Provenance,
    Tally,
)
from syncd.core.records import (
    Account,
    Container,
    FieldKind,
    Option,
    Page,
    Record,
    RemoteField,
    Schema,
    Scope,
    Value,
)

MOMENT = 1_750_000_000.0
"""A moment: 2025-06-15T15:06:40Z."""
WHEN = "2025-06-15T15:06:40.000Z"


def record(
    id: str = "1",  # noqa: A002 - as the field is called
    *,
    connection: str = "jira",
    title: str = "A thing",
    fields: Mapping[str, Value] | None = None,
    updated: str = WHEN,
    trashed: bool = False,
    **more: object,
) -> Record:
    """Return a record; its title is the field "title". `more`: other attributes of Record."""
    attributes: dict[str, object] = {
        "scope": "main",
        "container": "box",
        "kind": None,
        "key": f"KEY-{id}",
        "url": f"https://{connection}.example/{id}",
        "created": WHEN,
        **more,
    }
    return Record(
        connection=connection,
        id=id,
        updated=updated,
        fields={"title": title, **(fields or {})},
        trashed=trashed,
        **attributes,  # type: ignore[arg-type]
    )


def item(
    id: str = "i1",  # noqa: A002 - as the field is called
    title: str | None = "A thing",
    *,
    level: str = "feature",
    parent: str | None = None,
    origin: str = "jira",
    version: int = 1,
    **fields: Value,
) -> Item:
    """Return an item; keyword arguments beyond the named ones are canonical fields."""
    values: dict[str, Value] = dict(fields)
    if title is not None:
        values["title"] = title
    if parent is not None:
        values["parent"] = parent
    reason = Provenance(source=origin, rule="roadmap.yaml:1", cycle=1)
    return Item(
        id=id,
        level=level,
        origin=origin,
        parent=parent,
        fields=values,
        provenance=dict.fromkeys(values, reason),
        version=version,
    )


def intent(
    id: str = "w1",  # noqa: A002 - as the field is called
    *,
    item: str = "i1",
    record: str | None = "1",
    connection: str = "jira",
    fields: Mapping[str, Value] | None = None,
    **more: object,
) -> Intent:
    """Return a planned update, or a planned creation when `record` is None."""
    changes = dict(fields) if fields is not None else {"title": "New"}
    attributes: dict[str, object] = {
        "cycle": 1,
        "scope": "main",
        "container": "box",
        "cells": {name: (None, value) for name, value in changes.items()},
        "reasons": dict.fromkeys(changes, "roadmap.yaml:1"),
        "created_at": MOMENT,
        **more,
    }
    return Intent(
        id=id,
        connection=connection,
        kind="create" if record is None else "update",
        item=item,
        record=record,
        fields=changes,
        **attributes,  # type: ignore[arg-type]
    )


def conflict(
    id: str = "c1",  # noqa: A002 - as the field is called
    *,
    item: str = "i1",
    field: str = "due",
    opened_at: float = MOMENT,
    resolved_at: float | None = None,
    resolution: Value = None,
) -> Conflict:
    """Return a conflict between Jira and Notion over a date."""
    return Conflict(
        id=id,
        item=item,
        field=field,
        base="2025-06-30",
        claims=(
            Claim("jira", "2025-07-01", "jira:ann", WHEN),
            Claim("notion", "2025-07-02", None, WHEN),
        ),
        reason="edited in both since they last agreed",
        rule="roadmap.yaml:7",
        opened_cycle=1,
        opened_at=opened_at,
        resolved_at=resolved_at,
        resolution=resolution,
    )


def notice(
    subject: str = "i1",
    kind: str = "unmapped",
    *,
    field: str = "status",
    sentence: str = "the status has no counterpart",
    since: float = MOMENT,
) -> Notice:
    """Return a notice."""
    return Notice(kind=kind, subject=subject, field=field, sentence=sentence, since=since)


def entry(
    item: str = "i1",
    field: str = "due",
    *,
    at: float = MOMENT,
    action: str = "observed",
    before: Value = None,
    after: Value = "2025-07-01",
    cycle: int = 1,
) -> HistoryEntry:
    """Return a line of the history."""
    return HistoryEntry(
        cycle=cycle,
        at=at,
        item=item,
        field=field,
        action=action,
        connection="jira",
        before=before,
        after=after,
        rule="roadmap.yaml:7",
    )


def report(number: int = 1, *, tallies: Mapping[str, Tally] | None = None) -> CycleReport:
    """Return a cycle's report."""
    return CycleReport(
        number=number,
        started_at=MOMENT + number,
        seconds=1.5,
        tallies=tallies if tallies is not None else {"jira": Tally(read=3, changed=1)},
        items=3,
        conflicts=0,
        notices=0,
    )


def remote(
    id: str,  # noqa: A002 - as the field is called
    kind: FieldKind = FieldKind.TEXT,
    *,
    name: str | None = None,
    options: Sequence[str] = (),
    **more: object,
) -> RemoteField:
    """Return a remote field. Options are given as names; the id of "To Do" is "to-do"."""
    return RemoteField(
        id=id,
        name=name or id,
        kind=kind,
        options=tuple(Option(o.lower().replace(" ", "-"), o) for o in options),
        **more,  # type: ignore[arg-type]
    )


def schema(
    connection: str = "jira",
    *,
    fields: Sequence[RemoteField] | None = None,
    containers: Sequence[Container] = (Container("box", "Box", key="BOX"),),
    people: Sequence[Account] = (),
    one_scope: bool = False,
) -> Schema:
    """Return what a connection offers: by default a container with title, status and date."""
    default = (
        remote("title", FieldKind.TITLE),
        remote("status", FieldKind.STATUS, options=("To Do", "Done")),
        remote("due", FieldKind.DATE),
    )
    return Schema(
        connection=connection,
        me=Account("bot", "syncd", bot=True),
        containers=tuple(containers),
        fields=tuple(fields) if fields is not None else default,
        people=tuple(people),
        one_scope=one_scope,
    )


def scope(
    connection: str = "jira",
    id: str = "main",  # noqa: A002 - as the field is called
    *,
    containers: Sequence[str] = ("box",),
    fields: Sequence[str] = ("title", "status", "due"),
    marker: str | None = None,
) -> Scope:
    """Return a scope."""
    return Scope(
        connection=connection,
        id=id,
        name=id,
        containers=tuple(containers),
        fields=tuple(fields),
        marker=marker,
    )


def page(*records: Record, gone: Sequence[str] = (), cursor: str | None = None) -> Page:
    """Return a page of a read."""
    return Page(records=records, gone=tuple(gone), cursor=cursor)
