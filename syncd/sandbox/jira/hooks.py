"""Jira's webhooks: who is subscribed, and what waits for them.

Admin webhooks (`/rest/webhooks/1.0/webhook`) are signed with their secret if they have one; dynamic
webhooks (`/rest/api/3/webhook`, OAuth apps only) carry a token signed with the app's secret, and end
after 30 days. A failed delivery is tried again five times, 5 to 15 minutes apart, when the receiver
answered 408, 409, 425, 429 or 5xx, or not at all. Source: the vendor's page on webhooks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from syncd.sandbox.webhooks import Outbox

PRIMARY, SECONDARY = "Primary", "Secondary"
MAX_BODY = 25 * 1024 * 1024
LIFE = 30 * 24 * 3600 * 1000  # milliseconds that a dynamic webhook lives


@dataclass(slots=True)
class Hook:
    """A subscription. `app`: a dynamic one; `base`: the site's address, as the subscriber calls it."""

    id: int
    url: str
    events: list[str]
    jql: str
    owner: str  # account id
    base: str
    updated: int
    name: str = ""
    secret: str = ""
    exclude_body: bool = False
    enabled: bool = True
    app: bool = False
    fields: list[str] | None = None  # dynamic: field ids of which one must have changed
    expires: int = 0  # dynamic: milliseconds

    def listens(self, event: str, now: int) -> bool:
        """Tell whether an event concerns the subscription now."""
        return self.enabled and event in self.events and (not self.app or now < self.expires)


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it will be sent."""

    identifier: str
    url: str
    body: bytes
    flow: str


@dataclass(slots=True)
class Hooks:
    """All subscriptions and what waits for them. Plain data: kept with the store."""

    table: dict[int, Hook] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)

    def listening(self, event: str, now: int) -> list[Hook]:
        """Return the subscriptions that an event concerns."""
        return [hook for hook in self.table.values() if hook.listens(event, now)]

    def write(self, hook: Hook, url: str, body: bytes, flow: str, now: float) -> None:
        """Put an event into the outbox; what is too large for the service is dropped, as there."""
        if len(body) > MAX_BODY:
            return
        seed = f"{hook.id}:{self.outbox.written}".encode()
        identifier = hashlib.blake2b(seed, digest_size=32).hexdigest()
        self.outbox.write(str(hook.id), now, Told(identifier, url, body, flow))

    def forget(self, number: int) -> None:
        """Remove a subscription and what waits for it."""
        self.table.pop(number, None)
        self.outbox.drop(str(number))
