"""Sends Jira's webhooks: headers, signatures, retries, and the token that goes to apps."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from typing import Any

import orjson

from syncd.sandbox.jira.hooks import Hook, Told
from syncd.sandbox.jira.store import Store
from syncd.sandbox.oauth import client
from syncd.sandbox.webhooks import Delivery, Letter, Reply, Seal

RETRIES = 5
FIRST_RETRY, LAST_RETRY = 300, 900  # seconds between attempts
TOKEN_SECONDS = 180
_OK = 200
_AGAIN = frozenset({0, 408, 409, 425, 429})
_SERVER_ERROR = 500
AGENT = "Atlassian Webhook HTTP Client"


class JiraPublisher:
    """Sends what is in the outbox."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def outgoing(self, busy: Collection[str]) -> list[Delivery]:
        """Return what is due."""
        due = self._store.hooks.outbox.due(self._store.clock.now(), busy)
        return [self._delivery(letter, self._store.hooks.table[int(letter.hook)]) for letter in due]

    def _delivery(self, letter: Letter, hook: Hook) -> Delivery:
        told: Told = letter.content
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": AGENT,
            "X-Atlassian-Webhook-Identifier": told.identifier,
            "X-Atlassian-Webhook-Flow": told.flow,
        }
        if letter.attempt > 1:
            headers["X-Atlassian-Webhook-Retry"] = str(letter.attempt - 1)
        if hook.app:
            headers["Authorization"] = f"Bearer {app_token(int(self._store.clock.now()))}"
        seal = Seal("X-Hub-Signature", hook.secret, "sha256=") if hook.secret else None
        return Delivery(letter.hook, told.url, told.body, headers, seal, letter)

    def answered(self, delivery: Delivery, reply: Reply) -> bool:
        """Note an answer: only 200 is good; some others are worth another attempt."""
        letter: Letter = delivery.about
        outbox = self._store.hooks.outbox
        again = reply.status in _AGAIN or reply.status >= _SERVER_ERROR
        if again and letter.attempt <= RETRIES:
            letter.due = self._store.clock.now() + _pause(letter)
            letter.attempt += 1
        else:
            outbox.remove(letter)
        return reply.status == _OK

    def hooks(self) -> list[dict[str, Any]]:
        """Return the subscriptions."""
        outbox = self._store.hooks.outbox
        return [
            {"id": str(hook.id), "url": hook.url, "events": hook.events, "jql": hook.jql,
             "enabled": hook.enabled, "signed": bool(hook.secret), "dynamic": hook.app,
             "waiting": len(outbox.of(str(hook.id)))}
            for hook in self._store.hooks.table.values()
        ]  # fmt: skip


def _pause(letter: Letter) -> int:
    """Return the seconds to the next attempt: spread over the documented span, the same every time."""
    seed = f"{letter.content.identifier}:{letter.attempt}".encode()
    spread = int.from_bytes(hashlib.blake2b(seed, digest_size=4).digest(), "big")
    return FIRST_RETRY + spread % (LAST_RETRY - FIRST_RETRY + 1)


def app_token(now: int) -> str:
    """Return the JSON Web Token that goes to an OAuth app: HS256 with the app's secret."""
    app = client("jira")
    claims = {"iss": app["client_id"], "iat": now, "exp": now + TOKEN_SECONDS}
    parts = [orjson.dumps({"alg": "HS256", "typ": "JWT"}), orjson.dumps(claims)]
    signed = b".".join(map(_encoded, parts))
    digits = bytes.fromhex(Seal("", app["client_secret"]).sign(signed))
    return b".".join((signed, _encoded(digits))).decode()


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
