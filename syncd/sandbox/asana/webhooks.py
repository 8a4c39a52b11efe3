"""Webhooks: the handshake, and delivery signed with the secret.

Nothing here opens a socket: `post` is given by whoever runs the stand-in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from syncd.sandbox.asana.entities import Entity
from syncd.sandbox.asana.errors import ApiError, bad
from syncd.sandbox.asana.events import Event, Streams
from syncd.sandbox.asana.moments import stamp
from syncd.sandbox.asana.planning import GIVE_UP, Webhook
from syncd.sandbox.asana.store import Store

Post = Callable[[str, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]]
BEAT = 8 * 3600.0  # seconds between empty deliveries
NEEDS_FILTERS = frozenset({"team", "workspace", "portfolio"})
GOOD = frozenset({200, 204})
FIRST_WAIT = 10.0  # seconds to the first retry; doubles


def handshake(post: Post | None, hook: Webhook) -> None:
    """Ask the target to confirm by echoing the secret; refuse the webhook otherwise."""
    if post is None:
        raise ApiError(403, "The webhook target could not be reached from this service.")
    try:
        status, headers, _ = post(hook.target, {"X-Hook-Secret": hook.secret}, b"")
    except OSError as problem:
        raise bad(f"The remote server did not respond to the handshake: {problem}") from None
    echoed = {name.lower(): value for name, value in headers.items()}.get("x-hook-secret")
    if status not in GOOD or echoed != hook.secret:
        raise bad(
            "The remote server which is intended to receive the webhook responded with an "
            f"incorrect status code or X-Hook-Secret header: {status}"
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


def deliver(store: Store, streams: Streams, post: Post) -> int:
    """Send what waits, and heartbeats that are due; return how many deliveries succeeded."""
    now = store.now()
    pending, streams.pending = streams.pending, []
    for gid, event in pending:
        hook = store.get(gid, Webhook)
        if hook is not None and passes(hook, event):
            hook.waiting.append(payload(event))
    return sum(_send(store, streams, post, hook, now) for hook in list(store.every(Webhook)))


def _send(store: Store, streams: Streams, post: Post, hook: Webhook, now: float) -> bool:
    if now < (hook.next_attempt_after or 0.0):
        return False
    if not hook.waiting and now - hook.beat_at < BEAT:
        return False
    body = orjson.dumps({"events": hook.waiting})
    seal = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json; charset=UTF-8", "X-Hook-Signature": seal}
    try:
        status, _, said = post(hook.target, headers, body)
    except OSError as problem:
        status, said = 0, str(problem).encode()
    hook.beat_at = now
    if status in GOOD:
        hook.waiting, hook.retries, hook.next_attempt_after = [], 0, None
        hook.last_success_at = now
        return True
    _failed(store, streams, hook, f"{status}\n\n{said[:1000].decode(errors='replace')}")
    return False


def _failed(store: Store, streams: Streams, hook: Webhook, said: str) -> None:
    now = store.now()
    hook.last_failure_at, hook.last_failure_content = now, said
    hook.next_attempt_after = now + FIRST_WAIT * 2**hook.retries
    hook.retries += 1
    if now - (hook.last_success_at or hook.created_at) >= GIVE_UP:
        forget(store, streams, hook)


def forget(store: Store, streams: Streams, hook: Webhook) -> None:
    """Remove a webhook."""
    store.bin(hook)
    left = [gid for gid in streams.hooks.get(hook.resource, ()) if gid != hook.gid]
    streams.hooks[hook.resource] = left
    if not left:
        del streams.hooks[hook.resource]
