"""Webhooks: the handshake, batches of compact events signed with the secret, heartbeats, giving up.

Source: the vendor's guide to webhooks. A delivery that fails is tried again after 10 seconds, then
after twice as long each time, up to an hour; after a day without success the webhook is deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from syncd.sandbox.asana.entities import Entity
from syncd.sandbox.asana.errors import ApiError, bad
from syncd.sandbox.asana.events import Event, Streams
from syncd.sandbox.asana.moments import stamp
from syncd.sandbox.asana.planning import GIVE_UP, Webhook
from syncd.sandbox.asana.store import Store
from syncd.sandbox.webhooks import Delivery, Line, Refused, Reply, Seal

BEAT = 8 * 3600.0  # seconds between empty deliveries
WIDE = frozenset({"team", "workspace", "portfolio"})  # need filters; hear nothing of tasks
NARROW = frozenset({"task", "section", "story", "attachment"})
GOOD = frozenset({200, 204})
FIRST_WAIT, LONGEST_WAIT = 10.0, 3600.0  # seconds to the first retry; doubles
BATCH = 1000  # events in one delivery


def handshake(line: Line, hook: Webhook) -> None:
    """Ask the target to confirm by echoing the secret; refuse the webhook otherwise."""
    try:
        reply = line.call(hook.target, {"X-Hook-Secret": hook.secret}, b"")
    except Refused as refusal:
        raise ApiError(403, str(refusal)) from None
    except OSError as problem:
        raise bad(f"The remote server did not respond to the handshake: {problem}") from None
    if reply.status not in GOOD or reply.headers.get("x-hook-secret") != hook.secret:
        raise bad(
            "The remote server which is intended to receive the webhook responded with an "
            f"incorrect status code or X-Hook-Secret header: {reply.status}"
        )


def passes(hook: Webhook, event: Event) -> bool:
    """Return whether any of the filters lets an event through."""
    return not hook.filters or any(_fits(rule, event) for rule in hook.filters)


def _fits(rule: Mapping[str, Any], event: Event) -> bool:
    change = (event.change or {}).get("field")
    subtype = getattr(event.resource, "subtype", None)
    fields = rule.get("fields")
    return (
        rule.get("resource_type") in {None, event.resource.KIND}
        and rule.get("resource_subtype") in {None, subtype}
        and rule.get("action") in {None, event.action}
        and (not fields or change in fields)
    )


def payload(event: Event) -> dict[str, Any]:
    """Return an event as a webhook carries it: gids and types only."""
    out: dict[str, Any] = {
        "user": {"gid": event.user, "resource_type": "user"} if event.user else None,
        "created_at": stamp(event.created_at),
        "action": event.action,
        "resource": _short(event.resource),
        "parent": None if event.parent is None else _short(event.parent),
    }
    if event.change is not None:
        out["change"] = {
            name: _short(value) if hasattr(value, "KIND") else value
            for name, value in event.change.items()
        }
    return out


def _short(thing: Entity) -> dict[str, Any]:
    kind = "custom_field" if thing.KIND == "field_value" else thing.KIND
    out = {"gid": thing.gid, "resource_type": kind}
    subtype = getattr(thing, "subtype", None)
    return out if subtype is None else {**out, "resource_subtype": subtype}


class AsanaPublisher:
    """Collects events for each webhook and sends them in batches."""

    def __init__(self, store: Store, streams: Streams) -> None:
        self._store = store
        self._streams = streams

    def outgoing(self, busy: Collection[str]) -> list[Delivery]:
        """Return a batch for each webhook that has events, or whose heartbeat is due."""
        self._sort()
        now, hooks = self._store.now(), self._store.every(Webhook)
        return [_batch(hook) for hook in hooks if hook.gid not in busy and _is_due(hook, now)]

    def _sort(self) -> None:
        """Give each webhook the events that pass its filters."""
        pending, self._streams.pending = self._streams.pending, []
        for gid, event in pending:
            hook = self._store.get(gid, Webhook)
            if hook is not None and self._hears(hook, event) and passes(hook, event):
                hook.waiting.append(payload(event))

    def _hears(self, hook: Webhook, event: Event) -> bool:
        if event.resource.KIND not in NARROW:
            return True
        watched = self._store.objects.get(hook.resource)
        return watched is None or watched.KIND not in WIDE

    def answered(self, delivery: Delivery, reply: Reply) -> bool:
        """Note an answer; a webhook that has failed for a day is deleted."""
        hook, now = self._store.get(delivery.hook, Webhook), self._store.now()
        if hook is None:
            return False
        hook.beat_at = now
        if reply.status not in GOOD:
            said = reply.body[:1000].decode(errors="replace")
            self._failed(hook, f"{reply.status}\n\n{said}", now)
            return False
        del hook.waiting[: delivery.about]
        hook.retries, hook.next_attempt_after, hook.last_success_at = 0, None, now
        return True

    def _failed(self, hook: Webhook, said: str, now: float) -> None:
        hook.last_failure_at, hook.last_failure_content = now, said
        hook.next_attempt_after = now + min(FIRST_WAIT * 2**hook.retries, LONGEST_WAIT)
        hook.retries += 1
        if now - (hook.last_success_at or hook.created_at) >= GIVE_UP:
            forget(self._store, self._streams, hook)

    def hooks(self) -> list[dict[str, Any]]:
        """Return the webhooks."""
        self._sort()
        return [
            {"id": hook.gid, "url": hook.target, "resource": hook.resource,
             "filters": hook.filters, "retries": hook.retries, "waiting": len(hook.waiting)}
            for hook in self._store.every(Webhook)
        ]  # fmt: skip


def _is_due(hook: Webhook, now: float) -> bool:
    if now < (hook.next_attempt_after or 0.0):
        return False
    return bool(hook.waiting) or hook.retries > 0 or now - hook.beat_at >= BEAT


def _batch(hook: Webhook) -> Delivery:
    events = hook.waiting[:BATCH]
    body = orjson.dumps({"events": events})
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    seal = Seal("X-Hook-Signature", hook.secret)
    return Delivery(hook.gid, hook.target, body, headers, seal, len(events))


def forget(store: Store, streams: Streams, hook: Webhook) -> None:
    """Remove a webhook."""
    store.bin(hook)
    left = [gid for gid in streams.hooks.get(hook.resource, ()) if gid != hook.gid]
    streams.hooks[hook.resource] = left
    if not left:
        del streams.hooks[hook.resource]
