"""Pacing, retries and the wording of failures: the one place for all three services.

Every client library's own retries are off. A request goes through `Caller`, which paces all
requests of a connection by one token bucket, retries what is safe to retry, and counts what went on
the wire. `Site` words what went wrong, so that the same failure reads the same in every tool.

Time limits of every request: CONNECT_SECONDS to open a connection, READ_SECONDS between bytes of
the answer. Redirects are never followed: a credential must not travel to another address, and the
APIs of these services never redirect.
"""

from __future__ import annotations

import math
import random
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from syncd.core.errors import (
    Gone,
    NotAllowed,
    RateLimited,
    Rejected,
    Temporary,
    Unavailable,
    Unexpected,
)
from syncd.core.ports import Clock
from syncd.logs import redact

T = TypeVar("T")

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0

_FIRST_WAIT = 0.5  # seconds; doubles with each attempt
_LONGEST_WAIT = 30.0  # seconds; what a service asks for is never cut
_JITTER = 0.3  # +- share of our own waits; only + for what a service asks for
_EXCERPT = 120  # characters
_WOKEN = 0.9  # a sleep that lasted less than this share of its length was interrupted


class Caller:
    """Sends the requests of one connection: paced, retried where safe, counted. Thread-safe.

    `rate` is requests a second, `burst` how many may go at once after a pause. `attempts` counts
    the first one. `budget` is how many seconds one call may spend waiting: a service that asks for
    more is reported at once, and so is every other call until that delay is over.
    """

    def __init__(
        self,
        connection: str,
        clock: Clock,
        *,
        rate: float,
        burst: int,
        attempts: int = 5,
        budget: float = 120.0,
        rng: random.Random | None = None,
    ) -> None:
        self.connection = connection
        self.by_name: Counter[str] = Counter()
        self._clock = clock
        self._attempts = attempts
        self._budget = budget
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, protects nothing
        self._pace = _Pace(rate, burst)
        self._lock = threading.Lock()

    @property
    def calls(self) -> int:
        """Return how many requests went on the wire so far, each attempt counted."""
        return self.by_name.total()

    def read(self, name: str, send: Callable[[], T]) -> T:
        """Send a request that changes nothing; any temporary failure is retried."""
        return self._run(name, send, _is_temporary)

    def write(self, name: str, send: Callable[[], T]) -> T:
        """Send a request that changes something: never again once it may have taken effect."""
        return self._run(name, send, _is_known_unapplied)

    def _run(self, name: str, send: Callable[[], T], again: Callable[[BaseException], bool]) -> T:
        waiting = _Waiting(self._clock)
        retrying = Retrying(
            retry=retry_if_exception(again),
            stop=self._should_stop,
            wait=self._wait,
            sleep=waiting.sleep,
            before_sleep=waiting.remember,
            reraise=True,
        )
        result: T = retrying(self._attempt, name, send)
        return result

    def _attempt(self, name: str, send: Callable[[], T]) -> T:
        self._take_turn()
        with self._lock:
            self.by_name[name] += 1
        try:
            return send()
        except RateLimited as error:
            with self._lock:
                self._pace.hold(self._clock.monotonic() + error.delay)
            raise

    def _take_turn(self) -> None:
        with self._lock:
            delay = self._pace.reserve(self._clock.monotonic(), self._budget)
        if delay > self._budget:
            message = (
                f"{self.connection} asked for a pause that lasts another {delay:.0f} seconds: "
                "nothing to do, the next cycles wait for it"
            )
            raise RateLimited(self.connection, message, delay=delay)
        if delay > 0:
            self._clock.sleep(delay)

    def _wait(self, state: RetryCallState) -> float:
        own: float = min(_FIRST_WAIT * 2 ** (state.attempt_number - 1), _LONGEST_WAIT)
        own *= 1 + _JITTER * (2 * self._rng.random() - 1)
        return max(own, _asked_delay(state) * (1 + 0.1 * self._rng.random()))

    def _should_stop(self, state: RetryCallState) -> bool:
        if state.attempt_number >= self._attempts or _asked_delay(state) > self._budget:
            return True
        return state.idle_for > 0 and state.idle_for + state.upcoming_sleep > self._budget


class _Waiting:
    """The waits of one call. One that is cut short means that the process has to stop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._error: BaseException | None = None

    def remember(self, state: RetryCallState) -> None:
        self._error = _error(state)

    def sleep(self, seconds: float) -> None:
        """Wait; raises the last error when woken early, for then it is too soon to send again."""
        started = self._clock.monotonic()
        self._clock.sleep(seconds)
        if self._clock.monotonic() - started < seconds * _WOKEN and self._error is not None:
            raise self._error


class _Pace:
    """A token bucket, kept as the moment at which it would be full."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1.0 / rate
        self._slack = (burst - 1) * self._interval
        self._full_at = -math.inf
        self._held_until = -math.inf

    def reserve(self, now: float, longest: float) -> float:
        """Take the next turn; returns the seconds until it. Past `longest` none is taken."""
        full_at = max(self._full_at, now)
        turn = max(full_at - self._slack, self._held_until, now)
        if turn - now <= longest:
            self._full_at = max(full_at, turn) + self._interval
        return turn - now

    def hold(self, until: float) -> None:
        """Give no turn before this moment."""
        self._held_until = max(self._held_until, until)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _asked_delay(state: RetryCallState) -> float:
    error = _error(state)
    return error.delay if isinstance(error, RateLimited) else 0.0


def _is_temporary(error: BaseException) -> bool:
    return isinstance(error, Temporary)


def _is_known_unapplied(error: BaseException) -> bool:
    return isinstance(error, Temporary) and not error.maybe_applied


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait by `Retry-After`: seconds, decimals or an HTTP date.

    `now` is seconds since the epoch. None when there is no such header or it makes no sense.
    """
    text = next((value for key, value in headers.items() if key.lower() == "retry-after"), None)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(http_date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": UTC without saying where it was written
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


_SCRIPTS = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<[^<>]*>")
_CREDENTIALS = re.compile(r"(?i)\b(bearer|basic)\s+\S+|\b[A-Za-z0-9_\-+/=.]{32,}")


def excerpt(body: bytes | str, *, hide: Collection[str] = ()) -> str:
    """Return a short, harmless piece of an answer that is not what was expected, to show to people.

    One line of at most 120 characters, without mark-up, control characters, anything in `hide`, any
    credential in use, and anything that looks like one.
    """
    text = body[:20_000] if isinstance(body, str) else body[:20_000].decode("utf-8", "replace")
    text = redact(text)  # here already, for what is shown is stored too
    for secret in hide:
        text = text.replace(secret, "***") if secret else text
    text = _TAGS.sub(" ", _SCRIPTS.sub(" ", text))
    text = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)
    text = _CREDENTIALS.sub("***", " ".join(text.split()))
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Site:
    """One service at one address, and the sentences about what went wrong there.

    `connection` is the connection's name in syncd.yaml, `service` the tool's name as people know
    it, `url` its address (without credentials). Methods return the error to raise.
    """

    connection: str
    service: str
    url: str

    @property
    def where(self) -> str:
        """Return the words that name the place: connection, service and address."""
        return f"{self.connection}: {self.service} at {self.url}"

    def refused(self) -> Unavailable:
        """Report that no connection came about, so nothing was sent."""
        return Unavailable(
            self.connection,
            f"{self.where} does not accept connections: is it running, and is `url` right?",
        )

    def unknown_host(self) -> Unavailable:
        """Report that the host name does not resolve, so nothing was sent."""
        return Unavailable(
            self.connection,
            f"{self.where} has no address: check `url` for typing errors and the name service",
        )

    def insecure(self) -> Unexpected:
        """Report that the certificate cannot be trusted, so nothing was sent."""
        return Unexpected(
            self.connection,
            f"{self.where} shows a certificate this machine does not trust: check `url`, or "
            "install the certificate of your proxy",
        )

    def silent(self, *, write: bool) -> Unavailable:
        """Report that the request left but no answer came in time or the connection broke."""
        change = "the change may have been made, which is checked before anything else"
        then = change if write else "it is asked again in the next cycle"
        return Unavailable(
            self.connection, f"{self.where} did not answer: {then}", maybe_applied=write
        )

    def failing(self, status: int, body: bytes | str, *, write: bool) -> Unavailable:
        """Report the service's own failure (5xx)."""
        return Unavailable(
            self.connection,
            f"{self.where} fails with status {status} ({excerpt(body) or 'no text'}): "
            "it is asked again in the next cycle",
            maybe_applied=write,
        )

    def limited(self, delay: float, reason: str = "") -> RateLimited:
        """Report a refusal because of too many requests; nothing was done."""
        because = f" ({excerpt(reason)})" if reason else ""
        return RateLimited(
            self.connection,
            f"{self.where} asks to wait {delay:.0f} seconds{because}: "
            "nothing to do, syncd goes on after that",
            delay=delay,
        )

    def unauthorized(self, detail: str = "") -> NotAllowed:
        """Report that the credential is wrong, expired or missing (401)."""
        return NotAllowed(
            self.connection,
            f"{self.where} does not accept the credential{_in_brackets(detail)}: "
            "make a new token and put it where the configuration says",
        )

    def forbidden(self, what: str, detail: str = "") -> NotAllowed:
        """Report that the account may not do this (403); `what` is like "read issues"."""
        return NotAllowed(
            self.connection,
            f"{self.where} does not let this account {what}{_in_brackets(detail)}: "
            "give the account that permission or take it out of the mapping",
        )

    def gone(self, what: str, detail: str = "") -> Gone:
        """Report what is not there or not visible (404); `what` is like "issue 10001"."""
        return Gone(
            self.connection,
            f"{self.where} has no {what} that this account can see{_in_brackets(detail)}: "
            "check that it exists and is shared with the account",
        )

    def rejected(self, message: str, fields: dict[str, str] | None = None) -> Rejected:
        """Report that the values were refused; `message` ends with what to do."""
        return Rejected(self.connection, f"{self.where} {message}", fields)

    def not_the_api(self, status: int, body: bytes | str, *, write: bool = False) -> Unexpected:
        """Report that something else answers here: a login page, another product, a proxy."""
        return Unexpected(
            self.connection,
            f"{self.where} answered something that is not its API (status {status}: "
            f"{excerpt(body) or 'no text'}): check that `url` is the address of the site itself",
            maybe_applied=write,
        )

    def redirected(self, location: str) -> Unexpected:
        """Report that the address sends elsewhere; the credential is not sent after it."""
        target = re.sub(r"[?#].*", "", location)  # what follows may hold one-time codes
        return Unexpected(
            self.connection,
            f"{self.where} sends elsewhere ({excerpt(target) or 'it does not say where'}): "
            "write the address of the site itself as `url`, and use a token made for that site",
        )

    def odd(self, what: str) -> Unexpected:
        """Report JSON that is not as documented; `what` is like "repeated a page"."""
        return Unexpected(
            self.connection,
            f"{self.where} {what}: try again; if it stays, report it with this sentence",
        )


def _in_brackets(detail: str) -> str:
    short = excerpt(detail)
    return f" ({short})" if short else ""
