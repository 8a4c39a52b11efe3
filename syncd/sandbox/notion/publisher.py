"""Sends Notion's webhooks: bodies, signatures, attempts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from syncd.sandbox.notion.shapes import Shapes
from syncd.sandbox.notion.store import Store
from syncd.sandbox.notion.subscriptions import GOOD, MOST, Subscription, Told
from syncd.sandbox.notion.times import zulu
from syncd.sandbox.webhooks import Delivery, Letter, Reply, Seal

JSON = dict[str, Any]
ATTEMPTS = 8
FIRST_PAUSE = 86_400 / (2 ** (ATTEMPTS - 1) - 1)  # doubled each time it adds up to 24 hours


class NotionPublisher:
    """Sends what is in the outbox."""

    def __init__(self, store: Store, shapes: Shapes, clock: Any) -> None:  # noqa: ANN401 - a clock
        self._store = store
        self._shapes = shapes
        self._clock = clock

    def outgoing(self, busy: Collection[str]) -> list[Delivery]:
        """Return what is due."""
        held = self._store.webhooks
        due = held.outbox.due(self._clock.now(), busy)
        return [self._delivery(letter, held.table[letter.hook]) for letter in due]

    def _delivery(self, letter: Letter, to: Subscription) -> Delivery:
        body = orjson.dumps(self._body(letter, to))
        seal = Seal("X-Notion-Signature", to.token, "sha256=")
        return Delivery(to.id, to.url, body, {"Content-Type": "application/json"}, seal, letter)

    def _body(self, letter: Letter, to: Subscription) -> JSON:
        told: Told = letter.content
        users = self._store.users
        body: JSON = {
            "id": told.id,
            "timestamp": zulu(told.at),
            "workspace_id": self._shapes.workspace_id,
            "workspace_name": self._shapes.workspace_name,
            "subscription_id": to.id,
            "integration_id": self._shapes.bot_id,
            "authors": [{"id": key, "type": users[key].kind} for key in told.authors[:MOST]],
            "attempt_number": letter.attempt,
            "api_version": to.version,
            "type": told.kind,
            "entity": told.entity,
        }
        return body if told.data is None else {**body, "data": told.data}

    def answered(self, delivery: Delivery, reply: Reply) -> bool:
        """Note an answer: what was not accepted is tried again, eight times in all."""
        letter: Letter = delivery.about
        good = reply.status in GOOD
        if good or letter.attempt >= ATTEMPTS:
            self._store.webhooks.outbox.remove(letter)
        else:
            letter.due = self._clock.now() + FIRST_PAUSE * 2 ** (letter.attempt - 1)
            letter.attempt += 1
        return good

    def hooks(self) -> list[JSON]:
        """Return the subscriptions."""
        held = self._store.webhooks
        return [
            {**one.shown(), "waiting": len(held.outbox.of(key))} for key, one in held.table.items()
        ]
