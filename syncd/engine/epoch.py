"""After an older state was put back: nothing is written until the tools have told what happened since.

Restoring begins a new epoch (`state.backup`). Every scope is read in full first; what was made meanwhile
is found by its marker. What a tool shows may then be a person's edit or our own write of the time that
was lost, and the bases are too old to tell: a shared field on which the tools differ is left to a person.
"""

from __future__ import annotations

from syncd.core.identity import item_id
from syncd.engine.adopt import open_reviews
from syncd.engine.context import RESURVEY, Context
from syncd.engine.fetch import UNMATCHED, read_anew
from syncd.engine.publish import distrust

RESTORED = "restored"
"""Document that names the epoch of a restored state, until everything has been read once."""


def noticed(context: Context) -> bool:
    """Tell whether the tools show that this state is an older one, and begin a new epoch if so.

    That is so when a record is new that carries the marker of an item nobody knows, and the record which
    that item was born from is new as well: what a marker names is always stored before it is written.
    Where a scope has not had its first fill, or records wait for a review, nothing is concluded.
    """
    store = context.store
    if store.document(UNMATCHED) is not True or restored(context):
        return False
    filled = {
        (scope.connection, scope.id)
        for scope in context.roadmap.scopes
        if store.cursor(scope.connection, scope.id).filled
    }
    if not filled or open_reviews(context.roadmap, store):
        return False
    new = [s.record for s in store.unlinked() if (s.record.connection, s.record.scope) in filled]
    born = {item_id(record.connection, record.id) for record in new}
    ours = born & {record.marker for record in new if record.marker is not None}
    if not ours - store.items(ours).keys():
        return False
    _begin(context)
    return True


def _begin(context: Context) -> None:
    """Begin a new epoch, as restoring does (`state.epoch.begin`)."""
    store = context.store
    with store.transaction():
        read_anew(store, context.roadmap)
        distrust(context)
        store.save_document(RESURVEY, value=True)
        store.save_document(RESTORED, {"epoch": f"noticed in cycle {context.cycle}"})


def restored(context: Context) -> bool:
    """Tell whether the state was put back and has not met the tools yet."""
    return context.store.document(RESTORED) is not None


def unread(context: Context) -> dict[tuple[str, str], str]:
    """Return what to tell about each scope while there is one that has not been read in full."""
    store = context.store
    scopes = context.roadmap.scopes
    missing = [s for s in scopes if store.cursor(s.connection, s.id).full_at is None]
    names = ", ".join(dict.fromkeys(f"{s.connection} {s.name}" for s in missing))
    sentence = (
        f"an older state was restored, so nothing is written anywhere until {names} has been read "
        "in full once; the next cycle tries again"
    )
    return {(s.connection, s.id): sentence for s in scopes} if missing else {}


def begun(context: Context) -> None:
    """Note that the tools have been met: from here on all is as ever."""
    store = context.store
    with store.transaction():
        store.append_history(
            [context.entry("", "", "restored", "", detail=str(store.document(RESTORED)))]
        )
        store.save_document(RESTORED, None)
