"""Conflicts and notices: what people have to decide or should know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from state.encode import dumps, from_data, loads, scrub, to_data
from state.session import AnyRow, Session, chunks
from state.tables import conflicts, notices
from syncd.core.model import Conflict, Notice

_INSERT = insert(conflicts)
_SAVE = _INSERT.on_conflict_do_update(
    index_elements=["id"],
    set_={name: _INSERT.excluded[name] for name in ("item", "opened_at", "resolved_at", "payload")},
)
_CONFLICTS = select(conflicts.c.payload).order_by(conflicts.c.opened_at, conflicts.c.id)
_open = conflicts.c.resolved_at.is_(None)
_of_items = conflicts.c.item.in_(bindparam("ids", expanding=True))

_NOTICE = (notices.c.subject, notices.c.kind, notices.c.field, notices.c.sentence, notices.c.since)
_NOTICES = select(*_NOTICE).order_by(notices.c.since, notices.c.number)
_OF_SUBJECT = (
    select(*_NOTICE)
    .where(notices.c.subject == bindparam("subject"))
    .order_by(notices.c.since, notices.c.number)
)
_NOTICE_COUNT = select(func.count()).select_from(notices)
_FORGET = delete(notices).where(notices.c.subject == bindparam("subject"))
_NOTE = insert(notices)


class Facts(Session):
    """The part of the store that keeps conflicts and notices."""

    def save_conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Insert or replace conflicts by id."""
        rows = [_conflict_row(conflict) for conflict in conflicts]
        if rows:
            self._do(_SAVE, rows)

    def conflicts(
        self, *, open_only: bool = True, items: Collection[str] | None = None
    ) -> tuple[Conflict, ...]:
        """Return conflicts, oldest first."""
        query = _CONFLICTS.where(_open) if open_only else _CONFLICTS
        if items is None:
            return tuple(map(_conflict, self._all(query)))
        of_items = query.where(_of_items)
        found = [
            _conflict(row) for ids in chunks(items) for row in self._all(of_items, {"ids": ids})
        ]
        return tuple(sorted(found, key=lambda conflict: (conflict.opened_at, conflict.id)))

    def replace_notices(self, subject: str, notices: Sequence[Notice]) -> None:
        """Make these the notices of a subject; `since` of one that stays is kept.

        One stays when its kind and field do, even if its sentence is now another (a count went up).
        Nothing is written when nothing changed. ValueError when a notice is of another subject.
        """
        for notice in notices:
            if notice.subject != subject:
                raise ValueError(f"a notice of {notice.subject} is no notice of {subject}")
        with self._guard:
            before = [_notice(row) for row in self._all(_OF_SUBJECT, {"subject": subject})]
            after = _dated(before, [replace(n, sentence=scrub(n.sentence)) for n in notices])
            if sorted(before, key=repr) == sorted(after, key=repr):
                return
            with self.transaction():
                self._do(_FORGET, {"subject": subject})
                if after:
                    self._do(_NOTE, [_notice_row(notice) for notice in after])

    def notices(self) -> tuple[Notice, ...]:
        """Return all notices, oldest first."""
        return tuple(map(_notice, self._all(_NOTICES)))

    def notice_count(self) -> int:
        """Return how many notices there are."""
        row = self._first(_NOTICE_COUNT)
        return int(row[0]) if row is not None else 0


def _dated(before: Sequence[Notice], after: Sequence[Notice]) -> list[Notice]:
    """Give each the date of the notice it continues: of the same sentence, else the same field."""
    exact = {(n.kind, n.field, n.sentence): n.since for n in reversed(before)}
    alike = {(n.kind, n.field): n.since for n in reversed(before)}
    return [
        replace(
            n,
            since=exact.get((n.kind, n.field, n.sentence), alike.get((n.kind, n.field), n.since)),
        )
        for n in dict.fromkeys(after)
    ]


def _conflict_row(conflict: Conflict) -> dict[str, object]:
    return {
        "id": conflict.id,
        "item": conflict.item,
        "opened_at": conflict.opened_at,
        "resolved_at": conflict.resolved_at,
        "payload": dumps(to_data(conflict)).decode(),
    }


def _conflict(row: AnyRow) -> Conflict:
    return from_data(Conflict, loads(row[0]))


def _notice_row(notice: Notice) -> dict[str, object]:
    return {
        "subject": notice.subject,
        "kind": notice.kind,
        "field": notice.field,
        "sentence": notice.sentence,
        "since": notice.since,
    }


def _notice(row: AnyRow) -> Notice:
    return Notice(subject=row[0], kind=row[1], field=row[2], sentence=row[3], since=row[4])
