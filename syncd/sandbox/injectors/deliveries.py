"""What can befall a webhook on its way: lost, late, twice, out of order, forged, in masses.

Each is a function of a `Passage` that returns the POSTs that go out instead of the true one, in order.
A receiver's answer counts only for a `genuine` one; where none goes out the service believes that the
delivery arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from syncd.sandbox.webhooks import Delivery, Seal

NOT_THE_SECRET = "not-the-secret"  # noqa: S105 - what somebody signs with who does not know it
HUGE = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """One POST as it goes out."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    genuine: bool = True


class Rule(Protocol):
    """What is needed of a fault rule."""

    params: dict[str, Any]
    memory: dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Passage:
    """A struck delivery; `later` takes what is to go out at another moment."""

    service: str
    delivery: Delivery
    parcel: Parcel
    rule: Rule
    now: float
    later: list[tuple[float, Parcel]]

    def option(self, name: str, default: float) -> float:
        """Return a number of the rule's `with`."""
        return float(self.rule.params.get(name, default))

    def copy(self) -> Parcel:
        """Return the same POST, which the service does not know of."""
        return replace(self.parcel, genuine=False)


Befall = Callable[[Passage], list[Parcel]]


def lost(_passage: Passage) -> list[Parcel]:
    """Let it never arrive."""
    return []


def late(passage: Passage) -> list[Parcel]:
    """Let it arrive `seconds` later."""
    passage.later.append((passage.now + passage.option("seconds", 300), passage.copy()))
    return []


def duplicated(passage: Passage) -> list[Parcel]:
    """Let it arrive twice."""
    return [passage.parcel, passage.copy()]


def replayed(passage: Passage) -> list[Parcel]:
    """Let somebody who listened send it again, byte for byte, `seconds` later."""
    passage.later.append((passage.now + passage.option("seconds", 3600), passage.copy()))
    return [passage.parcel]


def disordered(passage: Passage) -> list[Parcel]:
    """Let it arrive behind the subscription's next one (or after `seconds`, if there is none)."""
    held = passage.rule.memory.pop(passage.delivery.hook, None)
    if held is not None and held in passage.later:
        passage.later.remove(held)
        return [passage.parcel, held[1]]
    mine = (passage.now + passage.option("seconds", 60), passage.copy())
    passage.rule.memory[passage.delivery.hook] = mine
    passage.later.append(mine)
    return []


def forged(passage: Passage) -> list[Parcel]:
    """Let somebody who does not know the secret send another body before the true one."""
    body = _with(passage.parcel.body, "forged", True)  # noqa: FBT003 - a JSON value
    fake = replace(_signed(passage, body, NOT_THE_SECRET), genuine=False)
    return [fake, passage.parcel]


def tampered(passage: Passage) -> list[Parcel]:
    """Change the body on the way; the signature is that of the true one."""
    body = _with(passage.parcel.body, "tampered", True)  # noqa: FBT003 - a JSON value
    return [replace(passage.parcel, body=body)]


def wrongly_signed(passage: Passage) -> list[Parcel]:
    """Sign the true body with another secret."""
    return [_signed(passage, passage.parcel.body, NOT_THE_SECRET)]


def unsigned(passage: Passage) -> list[Parcel]:
    """Leave the signature out."""
    seal = passage.delivery.seal
    headers = {k: v for k, v in passage.parcel.headers.items() if seal is None or k != seal.header}
    return [replace(passage.parcel, headers=headers)]


def flood(passage: Passage) -> list[Parcel]:
    """Send it `times` times, as fast as the receiver takes it."""
    return [passage.parcel, *[passage.copy()] * (int(passage.option("times", 10_000)) - 1)]


def huge(passage: Passage) -> list[Parcel]:
    """Let the service send a body of `bytes`, well signed."""
    size = int(passage.option("bytes", HUGE))
    body = _with(passage.parcel.body, "padding", "x" * size)
    seal = passage.delivery.seal
    return [_signed(passage, body, seal.secret if seal else "")]


def handshake(passage: Passage) -> list[Parcel]:
    """Let somebody try to plant a secret of their own, as if the subscription were new."""
    if passage.service == "asana":
        false = Parcel(passage.parcel.url, {"X-Hook-Secret": NOT_THE_SECRET}, b"", genuine=False)
    else:
        body = orjson.dumps({"verification_token": NOT_THE_SECRET})
        kind = {"Content-Type": "application/json"}
        false = Parcel(passage.parcel.url, kind, body, genuine=False)
    return [false, passage.parcel]


def _with(body: bytes, name: str, value: object) -> bytes:
    """Return a JSON object with one more field (a body that is none: with a blank more)."""
    try:
        told = orjson.loads(body)
    except ValueError:
        return body + b" "
    return orjson.dumps({**told, name: value})


def _signed(passage: Passage, body: bytes, secret: str) -> Parcel:
    """Return a POST of another body, signed with some secret where the true one is signed."""
    seal, headers = passage.delivery.seal, dict(passage.parcel.headers)
    if seal is not None:
        headers[seal.header] = Seal(seal.header, secret, seal.prefix).sign(body)
    return replace(passage.parcel, headers=headers, body=body)


DELIVERIES: dict[str, Befall] = {
    "lost": lost,
    "late": late,
    "duplicated": duplicated,
    "replayed": replayed,
    "disordered": disordered,
    "forged": forged,
    "tampered": tampered,
    "signature": wrongly_signed,
    "unsigned": unsigned,
    "flood": flood,
    "huge": huge,
    "handshake": handshake,
}
