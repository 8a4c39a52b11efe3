"""After an older state was put back: nothing is written until the tools have told what happened since.

Restoring begins a new epoch (`state.backup`). Every scope is read in full first; what was made meanwhile
is found by its marker. What a tool shows may then be a person's edit or our own write of the time that
was lost, and the bases are too old to tell: a shared field on which the tools differ is left to a person.
"""

from __future__ import annotations

from syncd.engine.context import Context

RESTORED = "restored"
"""Document that names the epoch of a restored state, until everything has been read once."""


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
