"""Webhooks of the three stand-ins: what waits to be sent, and sending it.

A stand-in puts what it has to tell into an outbox and says what is due by its own clock; nothing here
opens a socket. Whoever runs the sandbox gives a `post` to send with: the server one that speaks HTTP
(`syncd.sandbox.courier`), a test or the simulator a function. In process everything happens in the
order and at the moment of `deliver`:

    sandbox.line.post = receiver        # (url, headers, body) -> Reply; raises OSError
    sandbox.asana.request("POST", "/webhooks", {...})
    sandbox.deliver()                   # what is due now; returns how many were accepted
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from syncd.sandbox.wire import Request


class Refused(OSError):
    """A target that webhooks may not be sent to; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver answered; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Post = Callable[[str, Mapping[str, str], bytes], Reply]


@dataclass(slots=True)
class Line:
    """The way out. Without a `post` nothing can be reached; `local`: this machine's own addresses only."""

    post: Post | None = None
    local: bool = False

    def check(self, url: str) -> None:
        """Raise `Refused` for a target that may not be called."""
        host = urlsplit(url).hostname or ""
        if self.local and not is_loopback(host):
            raise Refused(
                f"the sandbox sends webhooks to this machine only; give a target on localhost,"
                f" 127.0.0.1 or [::1] instead of {host!r}"
            )

    def call(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send one POST; raises OSError when there is no answer, `Refused` when it may not be sent."""
        self.check(url)
        if self.post is None:
            raise Refused("no webhook can leave this sandbox; give it a post, or start the server")
        return self.post(url, headers, body)

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send one POST; no answer is a reply with status 0 and the reason as its body."""
        try:
            return self.call(url, headers, body)
        except OSError as problem:
            return Reply(0, {}, str(problem).encode())


def calls_out(service: str, request: Request) -> bool:
    """Tell whether a request may have to wait for a receiver: Asana's handshake."""
    wanted = service == "asana" and request.method == "POST"
    return wanted and request.path.endswith(("/webhooks", "/batch"))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address stands for this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Seal:
    """How a body is signed: the header, what stands before the hex digits, and the secret."""

    header: str
    secret: str
    prefix: str = ""

    def sign(self, body: bytes) -> str:
        """Return the header's value: HMAC-SHA256 over the raw body."""
        digits = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return f"{self.prefix}{digits}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST to a subscriber. `about` is how the stand-in knows it again."""

    hook: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    seal: Seal | None = None
    about: Any = None

    def signed(self) -> dict[str, str]:
        """Return all headers, with the signature."""
        if self.seal is None:
            return dict(self.headers)
        return {**self.headers, self.seal.header: self.seal.sign(self.body)}


class Publisher(Protocol):
    """A stand-in's webhooks."""

    def outgoing(self, busy: Collection[str]) -> list[Delivery]:
        """Return what is due now, in order, but for subscriptions that are being served (`busy`)."""

    def answered(self, delivery: Delivery, reply: Reply) -> bool:
        """Note what became of a delivery (status 0: no answer); tell whether it was accepted."""

    def hooks(self) -> list[dict[str, Any]]:
        """Return the subscriptions as a person would want to see them, without secrets."""


@dataclass(slots=True, eq=False)
class Letter:
    """Something to tell one subscriber, from a moment on; `content` is the stand-in's own."""

    number: int
    hook: str
    due: float
    content: Any
    attempt: int = 1


@dataclass(slots=True)
class Outbox:
    """What waits for each subscriber, in the order it was written. Plain data: it can be kept."""

    letters: dict[str, dict[int, Letter]] = field(default_factory=dict)
    written: int = 0

    def write(self, hook: str, due: float, content: Any) -> None:  # noqa: ANN401 - the stand-in's
        """Add a letter."""
        self.written += 1
        letter = Letter(self.written, hook, due, content)
        self.letters.setdefault(hook, {})[letter.number] = letter

    def of(self, hook: str) -> list[Letter]:
        """Return what waits for one subscriber."""
        return list(self.letters.get(hook, {}).values())

    def due(self, now: float, busy: Collection[str]) -> list[Letter]:
        """Return the letters whose time has come."""
        hooks = (hook for hook in self.letters if hook not in busy)
        return [letter for hook in hooks for letter in self.of(hook) if letter.due <= now]

    def remove(self, letter: Letter) -> None:
        """Take a letter out; nothing happens when it is not in (the state was restored meanwhile)."""
        held = self.letters.get(letter.hook, {})
        if held.get(letter.number) is letter:
            del held[letter.number]

    def drop(self, hook: str) -> None:
        """Forget all letters to a subscriber."""
        self.letters.pop(hook, None)


def deliver(publisher: Publisher, line: Line) -> int:
    """Send what one stand-in alone has due, in order; return how many deliveries were accepted."""
    return sum(
        publisher.answered(each, line.send(each.url, each.signed(), each.body))
        for each in publisher.outgoing(())
    )
