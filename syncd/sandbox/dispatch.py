"""Carries what the stand-ins have to tell to their subscribers, with the faults that befall it.

`take` hands out what is due, a batch for each subscription; `carry` sends a batch, one delivery after
the other, and notes the answers. Batches of different subscriptions may be carried at the same time,
from several threads; two of one subscription never are. Nobody holds the sandbox's lock while
something is sent, so receivers may ask the services before they answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from syncd.sandbox.faults import Faults
from syncd.sandbox.injectors.deliveries import DELIVERIES, Parcel, Passage
from syncd.sandbox.webhooks import Delivery, Line, Reply
from syncd.sandbox.wire import Request, query_pairs

BELIEVED = Reply(200)  # what a service holds of a delivery that a fault swallowed


class World(Protocol):
    """What is needed of the sandbox."""

    clock: Any
    faults: Faults
    line: Line
    lock: threading.RLock

    def made(self) -> Mapping[str, Any]:
        """Return the stand-ins made so far."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one subscription is to get now."""

    service: str
    hook: str
    deliveries: tuple[Delivery, ...]


class Dispatcher:
    """Sends the webhooks of all stand-ins."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._busy: set[tuple[str, str]] = set()
        self._later: list[tuple[float, Parcel]] = []  # what faults held back, and when it goes

    def take(self) -> list[Batch]:
        """Return what is due, and count its subscriptions as being served until it is carried."""
        with self._world.lock:
            found: list[Batch] = []
            for service, made in self._world.made().items():
                busy = {hook for name, hook in self._busy if name == service}
                found += _batches(service, made.publisher.outgoing(busy))
            self._busy |= {(batch.service, batch.hook) for batch in found}
            return found

    def carry(self, batch: Batch, go_on: Callable[[], bool] = lambda: True) -> int:
        """Send a batch, or its beginning while `go_on`; return how many deliveries were accepted."""
        accepted = 0
        try:
            for delivery in batch.deliveries:
                if go_on():
                    accepted += self._send(batch.service, delivery)
            return accepted
        finally:
            with self._world.lock:
                self._busy.discard((batch.service, batch.hook))

    def carry_late(self) -> None:
        """Send what faults had held back until now."""
        with self._world.lock:
            now = self._world.clock.now()
            ripe = [parcel for due, parcel in self._later if due <= now]
            self._later = [each for each in self._later if each[0] > now]
        for parcel in ripe:
            self._post(parcel)

    def deliver(self) -> int:
        """Send everything that is due, in order; return how many deliveries were accepted."""
        self.carry_late()
        return sum(self.carry(batch) for batch in self.take())

    def forget(self) -> None:
        """Forget what faults hold back."""
        self._later.clear()

    def _send(self, service: str, delivery: Delivery) -> bool:
        reply = BELIEVED
        for parcel in self._befallen(service, delivery):
            answer = self._post(parcel)
            if parcel.genuine:
                reply = answer
        with self._world.lock:
            made = self._world.made()[service]
            accepted: bool = made.publisher.answered(delivery, reply)
            return accepted

    def _befallen(self, service: str, delivery: Delivery) -> Iterable[Parcel]:
        """Return what really goes out for a delivery: itself, unless a fault strikes it."""
        parcel = Parcel(delivery.url, delivery.signed(), delivery.body)
        with self._world.lock:
            now = self._world.clock.now()
            rule = self._world.faults.befall(service, _as_request(delivery), now)
            if rule is None:
                return [parcel]
            passage = Passage(service, delivery, parcel, rule, now, self._later)
            return DELIVERIES[rule.webhook or ""](passage)

    def _post(self, parcel: Parcel) -> Reply:
        return self._world.line.send(parcel.url, parcel.headers, parcel.body)


def _batches(service: str, deliveries: Iterable[Delivery]) -> list[Batch]:
    by_hook: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        by_hook.setdefault(delivery.hook, []).append(delivery)
    return [Batch(service, hook, tuple(found)) for hook, found in by_hook.items()]


def _as_request(delivery: Delivery) -> Request:
    """Return a delivery as fault rules look at it: a POST to the target's path."""
    parts = urlsplit(delivery.url)
    return Request("POST", parts.path or "/", query_pairs(parts.query), {}, delivery.body)
