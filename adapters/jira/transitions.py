"""Which transition of a workflow leads to a status. Pure.

Source: GET issue/{id}/transitions?expand=transitions.fields of Jira Cloud REST v3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Transition:
    """One way into a status; `required` names the fields its screen insists on."""

    id: str
    name: str
    to_name: str
    required: tuple[str, ...] = ()


def transitions_to(status: str, answer: Mapping[str, Any]) -> tuple[Transition, ...]:
    """Return the usable transitions to a status, those that require least first.

    The target decides, never the transition's name: people name them as they like.
    """
    found = [
        Transition(
            id=str(raw["id"]),
            name=str(raw.get("name")),
            to_name=str((raw.get("to") or {}).get("name")),
            required=_required(raw.get("fields") or {}),
        )
        for raw in answer.get("transitions") or ()
        if str((raw.get("to") or {}).get("id")) == status and raw.get("isAvailable") is not False
    ]
    return tuple(sorted(found, key=lambda way: len(way.required)))


def _required(fields: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(
        str(meta.get("name") or field_id)
        for field_id, meta in fields.items()
        if meta.get("required") and not meta.get("hasDefaultValue")
    )
