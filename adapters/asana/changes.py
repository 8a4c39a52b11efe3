"""What changed in a project since last time: the cursor, and the events read into it.

Asana tells each event once, so a cursor also carries the tasks that events named but that have not
been read yet: a read that breaks off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.asana.client import Client
from adapters.asana.failures import stale
from adapters.asana.translate import takes_away, touched_by

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Touched:
    """A task that events named: whether one took it away, and who made the last change."""

    taken: bool = False
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A sync token, and the tasks still to be read from events before it, by gid."""

    sync: str
    pending: Mapping[str, Touched] = field(default_factory=dict)

    def __str__(self) -> str:
        pending = {gid: [task.taken, task.author] for gid, task in self.pending.items()}
        return orjson.dumps({"sync": self.sync, "pending": pending}).decode()

    def without(self, gids: Sequence[str]) -> Cursor:
        """Return the cursor for when these tasks have been read."""
        left = {gid: task for gid, task in self.pending.items() if gid not in gids}
        return Cursor(self.sync, left)


def parse_cursor(client: Client, text: str) -> Cursor:
    """Return a cursor from its text; raises Stale for one of another make."""
    try:
        data = orjson.loads(text)
        pending = {
            str(gid): Touched(bool(taken), author)
            for gid, (taken, author) in data["pending"].items()
        }
        return Cursor(str(data["sync"]), pending)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise stale(client.site) from None


def read_events(client: Client, project: str, cursor: Cursor) -> Cursor:
    """Return the cursor after all events until now; one request when there are at most 100.

    Raises Stale when Asana no longer has the events since the cursor.
    """
    sync, pending = cursor.sync, dict(cursor.pending)
    while True:
        answer = client.events(project, sync)
        following = answer.get("sync")
        if not isinstance(following, str):
            raise client.site.odd("did not say from where events can be read next")
        for event in answer.get("data") or ():
            _take(pending, event, project)
        if not answer.get("has_more"):
            return Cursor(following, pending)
        if following == sync:
            raise client.site.odd("repeated a page of events")
        sync = following


def _take(pending: dict[str, Touched], event: Json, project: str) -> None:
    gid = touched_by(event)
    if gid is None:
        return
    known = pending.pop(gid, Touched())
    user = event.get("user") or {}
    taken = takes_away(event, project)
    pending[gid] = Touched(
        taken=known.taken if taken is None else taken,
        author=user.get("gid") or known.author,
    )
