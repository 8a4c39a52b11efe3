"""Notion's webhook subscriptions: the verification token, aggregation, and signed events.

In the service a subscription is made in the connection's settings, not by the API. Its address is sent
a verification token once; the developer enters that token to make the subscription active, and it is
the key of all signatures from then on. Events of most types are aggregated by what they are about,
for half a minute here (the service says: typically under one minute); an event that undoes one that
still waits takes it away. A delivery is tried 8 times, the pauses doubling, the last one about 24
hours after the event. Source: the vendor's pages on webhooks and the definition of their bodies.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import orjson

from syncd.sandbox.webhooks import Letter, Line, Outbox

JSON = dict[str, Any]
WINDOW = 30.0  # seconds over which events are aggregated
MOST = 100  # blocks, properties and authors that one event lists
GOOD = range(200, 300)
AT_ONCE = frozenset({
    "page.locked", "page.unlocked", "comment.created", "comment.updated", "comment.deleted",
    "file_upload.created", "file_upload.completed", "view.created", "view.updated", "view.deleted",
})  # fmt: skip
TYPES = AT_ONCE | {
    f"{thing}.{what}"
    for thing in ("page", "database", "data_source")
    for what in ("created", "deleted", "undeleted", "moved", "content_updated")
} | {"page.properties_updated", "data_source.schema_updated", "database.schema_updated",
     "file_upload.expired", "file_upload.upload_failed",
     "page.transcription_block.transcript_deleted"}  # fmt: skip
_UNDOES = {"deleted": ("created", "undeleted"), "undeleted": ("deleted",)}


@dataclass(slots=True)
class Subscription:
    """A subscription; nothing is sent before it is verified."""

    id: str
    url: str
    events: list[str]
    token: str
    version: str
    verified: bool = False

    def shown(self) -> JSON:
        """Return it without its token."""
        return {"id": self.id, "url": self.url, "events": self.events,
                "api_version": self.version, "verified": self.verified}  # fmt: skip


@dataclass(slots=True)
class Told:
    """One event while it waits."""

    kind: str
    entity: JSON
    data: JSON | None
    authors: list[str]
    at: float
    id: str = ""


@dataclass(slots=True)
class Subscriptions:
    """All subscriptions and what waits for them. Plain data: kept with the store."""

    table: dict[str, Subscription] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    made: int = 0
    window: float = WINDOW

    def listening(self, kind: str) -> list[Subscription]:
        """Return the verified subscriptions to a type of event."""
        return [one for one in self.table.values() if one.verified and kind in one.events]

    def tell(self, told: Told) -> None:
        """Write an event to everybody who listens, aggregated with what waits."""
        for one in self.listening(told.kind):
            waiting = [
                letter
                for letter in self.outbox.of(one.id)
                if letter.attempt == 1 and letter.due > told.at
                and letter.content.entity["id"] == told.entity["id"]
            ]  # fmt: skip
            if not self._undone(waiting, told) and not _merged(waiting, told):
                delay = 0.0 if told.kind in AT_ONCE else self.window
                mine = replace(told, authors=list(told.authors), id=self.new_id("event"))
                self.outbox.write(one.id, told.at + delay, mine)

    def _undone(self, waiting: Iterable[Letter], told: Told) -> bool:
        """Take away what an event undoes; a thing made and deleted was never there."""
        thing, _, what = told.kind.partition(".")
        kinds = {letter.content.kind: letter for letter in waiting}
        for other in _UNDOES.get(what, ()):
            letter = kinds.get(f"{thing}.{other}")
            if letter is not None:
                for each in kinds.values() if other == "created" else (letter,):
                    self.outbox.remove(each)
                return True
        return False

    def new_id(self, name: str) -> str:
        """Return a UUID that depends on nothing but how many were made."""
        self.made += 1
        digest = hashlib.blake2b(f"{name}:{self.made}".encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=4))


def _merged(waiting: Iterable[Letter], told: Told) -> bool:
    letter = next((each for each in waiting if each.content.kind == told.kind), None)
    if letter is None or told.kind in AT_ONCE:
        return False
    held: Told = letter.content
    held.at = told.at
    held.authors += [author for author in told.authors if author not in held.authors]
    data = dict(told.data or {})
    for name in ("updated_properties", "updated_blocks"):
        if held.data and name in held.data and name in data:
            data[name] = _joined(held.data[name], data[name])
    held.data = data
    return True


def _joined(old: list[Any], new: list[Any]) -> list[Any]:
    """Return both lists without repeats; of columns the newest word counts."""
    if new and isinstance(new[0], dict) and "action" in new[0]:
        named = {row["id"]: row for row in (*old, *new)}
        return list(named.values())[:MOST]
    return [*old, *(item for item in new if item not in old)][:MOST]


# what a developer does in the connection's settings


def subscribe(
    held: Subscriptions, line: Line, url: str, events: Iterable[str] | None, version: str
) -> Subscription:
    """Make a subscription and send it its verification token; raises ValueError.

    `events`: types, None for all. It is not active before `verify`.
    """
    chosen = sorted(TYPES) if events is None else list(events)
    strange = next((kind for kind in chosen if kind not in TYPES), None)
    if strange is not None:
        raise ValueError(
            f"there is no event type {strange!r}; there are: {', '.join(sorted(TYPES))}"
        )
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"the url must begin with http:// or https://, not {url!r}")
    identifier = held.new_id("subscription")
    token = f"secret_{hashlib.sha256(identifier.encode()).hexdigest()[:43]}"
    body = orjson.dumps({"verification_token": token})
    try:
        reply = line.call(url, {"Content-Type": "application/json"}, body)
    except OSError as problem:
        raise ValueError(f"{url} did not take the verification token: {problem}") from None
    if reply.status not in GOOD:
        raise ValueError(f"{url} did not take the verification token: it answered {reply.status}")
    held.table[identifier] = Subscription(identifier, url, chosen, token, version)
    return held.table[identifier]


def found(held: Subscriptions, identifier: str) -> Subscription:
    """Return a subscription; raises ValueError."""
    if identifier not in held.table:
        raise ValueError(f"there is no subscription {identifier!r}; make one first")
    return held.table[identifier]


def verify(held: Subscriptions, identifier: str, token: str) -> Subscription:
    """Make a subscription active with the token that it was sent; raises ValueError."""
    one = found(held, identifier)
    if token != one.token:
        raise ValueError("that is not the verification_token which was sent to the url")
    one.verified = True
    return one


def cancel(held: Subscriptions, identifier: str) -> None:
    """Remove a subscription and what waits for it; raises ValueError."""
    found(held, identifier)
    del held.table[identifier]
    held.outbox.drop(identifier)
