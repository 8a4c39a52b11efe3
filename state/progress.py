"""How far everything has come: cursors, cycles, and named documents."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from state.encode import dumps, from_data, loads, to_data
from state.faults import damaged
from state.session import AnyRow, Session
from state.tables import cursors, cycles, documents, meta
from syncd.core.documents import fault, form_of
from syncd.core.model import CursorState, CycleReport

KEPT_CYCLES = 10_000
"""How many reports stay: about a week of a cycle a minute. The history stays in full."""

_CURSOR = select(cursors.c.payload).where(
    cursors.c.connection == bindparam("connection"), cursors.c.scope == bindparam("scope")
)
_SAVE_CURSOR = insert(cursors).on_conflict_do_update(
    index_elements=["connection", "scope"], set_={"payload": insert(cursors).excluded.payload}
)

_NUMBER = select(meta.c.value).where(meta.c.name == "cycle")
_SAVE_META = insert(meta).on_conflict_do_update(
    index_elements=["name"], set_={"value": insert(meta).excluded.value}
)
_SAVE_CYCLE = insert(cycles).on_conflict_do_update(
    index_elements=["number"], set_={"payload": insert(cycles).excluded.payload}
)
_OLD_CYCLES = delete(cycles).where(cycles.c.number <= bindparam("until"))
_CYCLES = select(cycles.c.payload).order_by(cycles.c.number.desc()).limit(bindparam("limit"))

_DOCUMENT = select(documents.c.payload).where(documents.c.name == bindparam("name"))
_SAVE_DOCUMENT = insert(documents).on_conflict_do_update(
    index_elements=["name"], set_={"payload": insert(documents).excluded.payload}
)


class Progress(Session):
    """The part of the store that keeps cursors, cycles and documents."""

    def cursor(self, connection: str, scope: str) -> CursorState:
        """Return how far a scope has been read."""
        row = self._first(_CURSOR, {"connection": connection, "scope": scope})
        return from_data(CursorState, loads(row[0])) if row else CursorState()

    def save_cursor(self, connection: str, scope: str, state: CursorState) -> None:
        """Remember how far a scope has been read."""
        payload = dumps(to_data(state)).decode()
        self._do(_SAVE_CURSOR, {"connection": connection, "scope": scope, "payload": payload})

    def next_cycle(self) -> int:
        """Return the number for a new cycle: 1, 2, ...; never the same twice, whatever happens."""
        with self.transaction():
            row = self._first(_NUMBER)
            number = int(row[0]) + 1 if row else 1
            self._do(_SAVE_META, {"name": "cycle", "value": str(number)})
        return number

    def save_cycle(self, report: CycleReport) -> None:
        """Store a cycle's report; the oldest beyond `KEPT_CYCLES` make room."""
        payload = dumps(to_data(report)).decode()
        with self.transaction():
            self._do(_SAVE_CYCLE, {"number": report.number, "payload": payload})
            self._do(_OLD_CYCLES, {"until": report.number - KEPT_CYCLES})

    def cycles(self, limit: int = 20) -> tuple[CycleReport, ...]:
        """Return reports, newest first."""
        return tuple(map(_report, self._all(_CYCLES, {"limit": limit})))

    def document(self, name: str) -> object | None:
        """Return a stored JSON document, None when there is none; Damaged when its form is another."""
        row = self._first(_DOCUMENT, {"name": name})
        return read_document(self.path, name, row[0]) if row else None

    def save_document(self, name: str, value: object) -> None:
        """Store a JSON document of the form that `syncd.core.documents` gives it; TypeError otherwise.

        Dataclasses of the core are taken too, without e-mail addresses.
        """
        payload = dumps(to_data(value)).decode()
        form = form_of(name)
        wrong = "it has no form" if form is None else fault(form, loads(payload))
        if wrong is not None:
            raise TypeError(f"document {name!r} cannot be saved: {wrong}")
        row = self._first(_DOCUMENT, {"name": name})
        if row is None or row[0] != payload:
            self._do(_SAVE_DOCUMENT, {"name": name, "payload": payload})

    def _save_meta(self, name: str, value: str) -> None:
        self._do(_SAVE_META, {"name": name, "value": value})


def _report(row: AnyRow) -> CycleReport:
    return from_data(CycleReport, loads(row[0]))


def read_document(path: Path, name: str, payload: str) -> object | None:
    """Return the data of a document; Damaged when it is no JSON or has not its form.

    A document that nobody has given a form is one of an older syncd, and nothing reads it.
    """
    try:
        data: object = loads(payload)
    except ValueError:
        raise damaged(path, f"document {name!r} is not JSON") from None
    form = form_of(name)
    wrong = fault(form, data) if form is not None else None
    if wrong is not None:
        raise damaged(path, f"document {name!r}: {wrong}")
    return data
