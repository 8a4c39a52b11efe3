"""Webhook subscriptions."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Workspace
from syncd.sandbox.asana.errors import bad, missing, no_access, unknown
from syncd.sandbox.asana.planning import Webhook
from syncd.sandbox.asana.webhooks import WIDE, forget, handshake
from syncd.sandbox.wire import Response

MOST_PER_RESOURCE = 1000
FILTER_KEYS = frozenset({"resource_type", "resource_subtype", "action", "fields"})
ACTIONS = ("changed", "added", "removed", "deleted", "undeleted")


def list_webhooks(call: Call) -> Response:
    """GET /webhooks by workspace and resource: the caller's own."""
    home = call.query_object(Workspace, "workspace")
    if home is None:
        raise missing("workspace")
    resource = call.request.one("resource")
    return call.rows(
        hook
        for hook in call.store.every(Webhook)
        if hook.owner == call.user and resource in {None, hook.resource}
    )


def get_webhook(call: Call, webhook: str) -> Response:
    """GET /webhooks/{gid}."""
    return call.one(call.load(Webhook, webhook))


def create_webhook(call: Call) -> Response:
    """POST /webhooks: the handshake happens before the answer."""
    gid = call.required("resource")
    thing = call.store.objects.get(gid)
    if thing is None:
        raise unknown("resource", gid, 400)
    if not can_see(call.store, call.user, thing):
        raise no_access(thing.KIND)
    target = call.required("target")
    if urlsplit(target).scheme not in {"http", "https"}:
        raise bad(f"target: Not a valid URL: {target}")
    filters = _filters(call)
    if thing.KIND in WIDE:
        _check_wide(thing.KIND, filters)
    if len(call.streams.hooks.get(gid, ())) >= MOST_PER_RESOURCE:
        raise bad("resource: Too many webhooks on this resource")
    hook = _make(call, gid, target, filters)
    handshake(call.line, hook)
    call.store.add(hook)
    call.streams.hooks.setdefault(gid, []).append(hook.gid)
    shown = call.view.show(hook, call.selection, full=True)
    return call.reply(shown, 201, **{"X-Hook-Secret": hook.secret})


def _make(call: Call, resource: str, target: str, filters: list[dict[str, Any]]) -> Webhook:
    gid, now = call.store.new_gid(), call.store.now()
    secret = hashlib.sha256(call.secret + gid.encode()).hexdigest()[:32]
    return Webhook(
        gid,
        resource=resource,
        target=target,
        secret=secret,
        created_at=now,
        owner=call.user,
        filters=filters,
    )


def _check_wide(kind: str, filters: list[dict[str, Any]]) -> None:
    if not filters:
        raise bad(f"filters: Webhooks on a {kind} must have filters")
    if any(rule.get("fields") for rule in filters):
        raise bad(f"filters: Webhooks on a {kind} do not support fields")


def _filters(call: Call) -> list[dict[str, Any]]:
    found = call.listed("filters")
    for at, rule in enumerate(found):
        if not isinstance(rule, dict):
            raise bad(f"filters: [{at}]: Value is not a JSON object: {rule}")
        stray = next((key for key in rule if key not in FILTER_KEYS), None)
        if stray is not None:
            raise bad(f"filters: [{at}]: Unrecognized field: {stray}")
        if rule.get("action") not in {None, *ACTIONS}:
            raise bad(f"filters: [{at}]: action: Not a valid value: {rule['action']}")
    return found


def update_webhook(call: Call, webhook: str) -> Response:
    """PUT /webhooks/{gid}: its filters."""
    found = call.load(Webhook, webhook)
    if call.has("filters"):
        found.filters = _filters(call)
    return call.one(found)


def delete_webhook(call: Call, webhook: str) -> Response:
    """DELETE /webhooks/{gid}."""
    forget(call.store, call.streams, call.load(Webhook, webhook))
    return call.empty()


ROUTES = (
    ("GET", "/webhooks", list_webhooks),
    ("POST", "/webhooks", create_webhook),
    ("GET", "/webhooks/{webhook}", get_webhook),
    ("PUT", "/webhooks/{webhook}", update_webhook),
    ("DELETE", "/webhooks/{webhook}", delete_webhook),
)
