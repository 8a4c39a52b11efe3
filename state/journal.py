"""The journal of intended writes: what was about to be sent, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Update, bindparam, delete, insert, select, update

from state.encode import dumps, from_data, loads, scrub, to_data
from state.session import AnyRow, Session
from state.tables import intents, unsettled
from syncd.core.model import Intent, IntentState

_INTEND = insert(intents)
_this = intents.c.id == bindparam("intent")
_SENT = update(intents).where(_this).values(state=bindparam("to"), sent_at=bindparam("at"))
_SETTLE = (
    update(intents)
    .where(_this)
    .values(state=bindparam("to"), settled_at=bindparam("at"), outcome=bindparam("said"))
)
_OPEN = (
    select(
        intents.c.payload,
        intents.c.state,
        intents.c.sent_at,
        intents.c.settled_at,
        intents.c.outcome,
    )
    .where(unsettled)
    .order_by(intents.c.number)
)
_DROP = delete(intents).where(intents.c.state == IntentState.PLANNED.value)


class Journal(Session):
    """The part of the store that keeps intents. What it takes is durable when the call returns."""

    def intend(self, intents: Sequence[Intent]) -> None:
        """Write intents to the journal, durably. The id of an intent is used only once."""
        rows = [_row(intent) for intent in intents]
        if rows:
            self._do(_INTEND, rows)

    def sent(self, intent: str, at: float) -> None:
        """Note, durably, that the request is about to leave. KeyError for an unknown intent."""
        self._move(_SENT, intent, {"to": IntentState.SENT.value, "at": at})

    def settle(
        self, intent: str, state: IntentState, at: float, outcome: str | None = None
    ) -> None:
        """Note how an intent ended. KeyError for an unknown intent."""
        said = None if outcome is None else scrub(outcome)
        self._move(_SETTLE, intent, {"to": state.value, "at": at, "said": said})

    def _move(self, statement: Update, intent: str, values: Mapping[str, object]) -> None:
        if not self._do(statement, {"intent": intent, **values}):
            raise KeyError(intent)

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the intents that are neither confirmed nor refuted, oldest first."""
        return tuple(map(_intent, self._all(_OPEN)))

    def drop_planned(self) -> None:
        """Forget intents that were never sent: the plan is computed anew."""
        self._do(_DROP)


def _row(intent: Intent) -> dict[str, object]:
    return {
        "id": intent.id,
        "item": intent.item,
        "state": intent.state.value,
        "sent_at": intent.sent_at,
        "settled_at": intent.settled_at,
        "outcome": intent.outcome,
        "payload": dumps(to_data(intent)).decode(),
    }


def _intent(row: AnyRow) -> Intent:
    return replace(
        from_data(Intent, loads(row[0])),
        state=IntentState(row[1]),
        sent_at=row[2],
        settled_at=row[3],
        outcome=row[4],
    )
