"""Changes as others hear of them: event streams with sync tokens, webhooks, and the history lines.

A stream exists only while somebody holds a token for its resource, so nothing is recorded for
resources that nobody listens to. Events bubble up: a project's stream has its tasks, their
subtasks and their stories.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncd.sandbox.asana.entities import Entity, Ref, Section, Story, Task
from syncd.sandbox.asana.errors import ApiError
from syncd.sandbox.asana.moments import stamp

if TYPE_CHECKING:
    from syncd.sandbox.asana.store import Store

LIFE = 86400.0  # seconds a sync token lives
STALE = (
    "Sync token invalid or too old. If you are attempting to keep resources in sync, you must "
    "fetch the full dataset for this query now and use the new sync token for the next sync."
)


@dataclass(slots=True, eq=False)
class Event:
    """One change of one resource."""

    user: str | None
    resource: Entity
    action: str
    parent: Entity | None
    change: dict[str, Any] | None
    created_at: float

    def record(self) -> dict[str, Any]:
        """Return what goes over the wire, objects not yet rendered."""
        out: dict[str, Any] = {
            "user": Ref(self.user) if self.user else None,
            "created_at": stamp(self.created_at),
            "type": self.resource.KIND,
            "action": self.action,
            "resource": self.resource,
            "parent": self.parent,
        }
        if self.change is not None:
            out["change"] = self.change
        return out


@dataclass(slots=True, eq=False)
class Stream:
    """The events of one resource from its first token on; `dropped` were cut off as too old."""

    events: list[Event] = field(default_factory=list)
    dropped: int = 0

    def end(self) -> int:
        """Return the position behind the last event."""
        return self.dropped + len(self.events)

    def trim(self, before: float) -> None:
        """Forget events older than a moment."""
        gone = next((i for i, e in enumerate(self.events) if e.created_at >= before), None)
        count = len(self.events) if gone is None else gone
        del self.events[:count]
        self.dropped += count


class Streams:
    """All streams; `delay` seconds pass before an event shows; `lose` may swallow one."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.by_resource: dict[str, Stream] = {}
        self.hooks: dict[str, list[str]] = {}  # webhook gids by resource
        self.pending: list[tuple[str, Event]] = []  # (webhook, event) not delivered yet
        self.delay = 0.0
        self.lose_every = 0  # 0: none; n: every n-th event never shows (at most once)
        self._seen = 0

    def _seal(self, resource: str, position: int, issued: int) -> str:
        text = f"{resource}:{position}:{issued}".encode()
        return hashlib.blake2b(text, digest_size=16, key=self.secret).hexdigest()

    def token(self, resource: str, position: int, now: float) -> str:
        """Return a token that stands for a position in a resource's stream."""
        issued = int(now * 1000)
        return f"{self._seal(resource, position, issued)}:{position}:{issued:x}"

    def start(self, resource: str, now: float) -> str:
        """Open the stream if need be; return a token for its end."""
        stream = self.by_resource.setdefault(resource, Stream())
        stream.trim(now - LIFE)
        return self.token(resource, stream.end(), now)

    def _position(self, resource: str, token: str, now: float) -> int | None:
        seal, _, rest = token.partition(":")
        position, _, issued = rest.partition(":")
        try:
            at, when = int(position), int(issued, 16)
        except ValueError:
            return None
        stream = self.by_resource.get(resource)
        good = seal == self._seal(resource, at, when) and now - when / 1000 < LIFE
        return at if good and stream is not None and at >= stream.dropped else None

    def read(
        self, resource: str, token: str | None, now: float, most: int
    ) -> tuple[list[Event], str, bool]:
        """Return events, the next token and whether there are more; 412 without a good token."""
        at = None if token is None else self._position(resource, token, now)
        if at is None:
            raise ApiError(412, STALE, sync=self.start(resource, now))
        stream = self.by_resource[resource]
        ready = [
            event
            for event in stream.events[at - stream.dropped : at - stream.dropped + most + 1]
            if event.created_at <= now - self.delay
        ]
        taken = ready[:most]
        return taken, self.token(resource, at + len(taken), now), len(ready) > most

    def add(self, event: Event, scopes: set[str]) -> None:
        """Put an event into the streams and webhook queues of these resources."""
        self._seen += 1
        if self.lose_every and self._seen % self.lose_every == 0:
            return
        for scope in scopes:
            stream = self.by_resource.get(scope)
            if stream is not None:
                stream.events.append(event)
            self.pending += [(hook, event) for hook in self.hooks.get(scope, ())]


def scopes_of(store: Store, thing: Entity) -> set[str]:
    """Return the gids of the resources whose streams hear of a change of this one."""
    found = {thing.gid}
    if isinstance(thing, Task):
        for task in (thing, *store.ancestors(thing)):
            found.add(task.gid)
            found.update(place.project for place in task.places)
        found.add(thing.workspace)
    elif isinstance(thing, Section):
        found.add(thing.project)
    elif isinstance(thing, Story):
        target = store.objects.get(thing.target)
        if target is not None:
            found |= scopes_of(store, target)
    workspace = getattr(thing, "workspace", None)
    return {*found, workspace} if workspace else found


class Actor:
    """A person acting on the store: writes events and history in that person's name."""

    __slots__ = ("muted", "store", "streams", "user")

    def __init__(self, store: Store, streams: Streams, user: str) -> None:
        self.store = store
        self.streams = streams
        self.user = user
        self.muted = False  # while a new object gets its first values

    def emit(
        self,
        thing: Entity,
        action: str,
        *,
        parent: Entity | None = None,
        change: dict[str, Any] | None = None,
        also: set[str] | None = None,
    ) -> None:
        """Tell the streams; `also` names resources the thing no longer belongs to."""
        if self.muted or not (self.streams.by_resource or self.streams.hooks):
            return
        scopes = scopes_of(self.store, thing) | (also or set())
        event = Event(self.user, thing, action, parent, change, self.store.now())
        self.streams.add(event, scopes)

    def changed(
        self, thing: Entity, name: str, *, new: Entity | None = None, how: str = "changed"
    ) -> None:
        """Tell the streams that a field changed; `new` when the value is an object."""
        change: dict[str, Any] = {"field": name, "action": how}
        if new is not None:
            key = {"changed": "new_value", "added": "added_value", "removed": "removed_value"}[how]
            change[key] = new
        self.emit(thing, "changed", change=change)

    def story(self, target: Entity, subtype: str, text: str, **parts: Any) -> None:  # noqa: ANN401
        """Write a line of history and tell the streams."""
        if not self.muted:
            self._write(target, subtype, text, html=None, parts=parts or None)

    def comment(self, target: Entity, text: str, html: str | None) -> Story:
        """Write a comment."""
        return self._write(target, "comment_added", text, html=html, parts=None)

    def _write(
        self,
        target: Entity,
        subtype: str,
        text: str,
        *,
        html: str | None,
        parts: dict[str, Any] | None,
    ) -> Story:
        made = self.store.add(
            Story(
                self.store.new_gid(),
                target=target.gid,
                subtype=subtype,
                text=text,
                html=html,
                created_at=self.store.now(),
                created_by=self.user,
                parts=parts,
            )
        )
        self.store.stories.setdefault(target.gid, []).append(made.gid)
        self.emit(made, "added", parent=target)
        return made
