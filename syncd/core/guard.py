"""The guard: what one cycle may do to one scope before a person is asked.

A list that is suddenly empty or half gone, and a plan that would touch much of a scope at once, are far
more often a lost permission, a wrong filter or a wrong rule than the wish of a person.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.model import CursorState
from syncd.core.plan import Plan, counts
from syncd.core.rules import Limits

FLOOR = 10
"""Below this many known records a shrunken list is believed."""


def shrunken(limits: Limits, name: str, known: int, listed: int) -> str | None:
    """Return why a full list cannot be believed, or None when it can."""
    if known < FLOOR or listed >= limits.shrink * known:
        return None
    return (
        f"{name} listed {listed} records where {known} are known; that looks like a lost permission or a "
        f"changed filter, so nothing is written there; check the access, then run again"
    )


def refusals(
    limits: Limits,
    plan: Plan,
    sizes: Mapping[tuple[str, str], int],
    cursors: Mapping[tuple[str, str], CursorState],
    names: Mapping[tuple[str, str], str],
) -> dict[tuple[str, str], str]:
    """Return the scopes that must not be written to in this cycle, each with the guard's sentence.

    The first fill of a scope is not limited: there is nothing yet that could be harmed.
    """
    result = {}
    for scope, (creates, overwrites) in counts(plan.changes).items():
        state = cursors.get(scope, CursorState())
        size = sizes.get(scope, 0)
        if not state.filled:
            continue
        found = []
        if creates > limits.allowed(limits.creates, size):
            found.append(f"create {creates} records")
        if overwrites > limits.allowed(limits.overwrites, size):
            found.append(f"change {overwrites} records")
        if found:
            result[scope] = (
                f"this plan would {' and '.join(found)} in {names.get(scope, scope[1])}, which holds {size}; "
                f"look at it with `syncd plan` and, if it is right, run "
                f"`syncd apply --checksum {plan.checksum}`"
            )
    return result
