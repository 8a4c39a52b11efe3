"""What faults do that needs more than a spoiled connection: answers, listings, writes, changes of set-up.

Each is a function of a `Stage` that returns the answer the client gets.
"""

from __future__ import annotations

from syncd.sandbox.injectors import (
    answers,
    changes,
    lists,
    options,
    people,
    setup,
    signing,
    texts,
    values,
    writes,
)
from syncd.sandbox.injectors.stage import Action, Stage

__all__ = ["ACTIONS", "Action", "Stage"]

ACTIONS: dict[str, Action] = {
    **answers.ACTIONS,
    **signing.ACTIONS,
    **lists.ACTIONS,
    **writes.ACTIONS,
    **texts.ACTIONS,
    **changes.ACTIONS,
    **options.ACTIONS,
    **setup.ACTIONS,
    **people.ACTIONS,
    **values.ACTIONS,
}
