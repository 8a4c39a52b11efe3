"""What an answer with an error status, or no answer at all, means. Pure.

Source: Asana's documentation of errors and rate limits, and its API definition. Error bodies are
`{"errors": [{"message": ..., "help": ...}]}`; gateways in front of Asana answer HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from adapters.http import Site, excerpt, retry_after
from syncd.core.errors import NotAllowed, Rejected, SourceError, Stale, Unavailable

_PAUSE = 30.0  # seconds after a 429 that does not say how long
_NAMES_FIELD = re.compile(r"(\w+)(?:\.\w+)*: ")
_GID = re.compile(r"\b\d{5,}\b")
_OUR_NAMES = {
    "html_notes": "notes",
    "due_at": "due_on",
    "start_at": "start_on",
    "memberships": "section",
    "insert_before": "section",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer with a status of 300 or more. `what` names the object, like "task 12"."""

    site: Site
    what: str
    write: bool
    status: int
    headers: Mapping[str, str]  # looked up without regard to case
    body: bytes

    def error(self, now: float) -> SourceError:
        """Return the error to raise; `now` is seconds since the epoch."""
        match self.status:
            case HTTPStatus.TOO_MANY_REQUESTS:
                delay = retry_after(self.headers, now)
                return self.site.limited(_PAUSE if delay is None else delay)
            case HTTPStatus.UNAUTHORIZED:
                return self.site.unauthorized(self._text())
            case HTTPStatus.FORBIDDEN:
                deed = f"{'change' if self.write else 'read'} {self.what}"
                return self.site.forbidden(deed, self._text())
            case _:
                return self._other(now)

    def _other(self, now: float) -> SourceError:
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._failing(now)
        if self.status < HTTPStatus.BAD_REQUEST:
            return self.site.redirected(self.headers.get("Location", ""))
        if messages(self.body) is None:
            return self.site.not_the_api(self.status, self.body)
        return self._refused()

    def _failing(self, now: float) -> SourceError:
        delay = retry_after(self.headers, now)
        if delay is not None and not self.write:
            return self.site.limited(delay, "overloaded")
        return self.site.failing(self.status, self._text(), write=self.write)

    def _refused(self) -> SourceError:
        said = self._text() or "without a reason"
        match self.status:
            case HTTPStatus.NOT_FOUND:
                return self.site.gone(self.what, said)
            case HTTPStatus.PAYMENT_REQUIRED:
                return NotAllowed(
                    self.site.connection,
                    f"{self.site.where} wants a paid plan for this ({said}): "
                    "take the field out of the mapping or change the plan",
                )
            case HTTPStatus.PRECONDITION_FAILED:
                return stale(self.site)
            case HTTPStatus.CONFLICT | HTTPStatus.LOCKED:
                return Unavailable(
                    self.site.connection,
                    f"{self.site.where} was busy with another change of {self.what} ({said}): "
                    "it is tried again",
                )
            case _:
                return self._rejected(said)

    def _rejected(self, said: str) -> Rejected:
        if "truncated" in said:
            advice = "split the project, for it has more tasks than Asana lists"
        elif self.write:
            advice = "correct the values where they come from, or take the field out of the mapping"
        else:
            advice = "check the mapping"
        deed = "the values" if self.write else "the question"
        return self.site.rejected(f"refused {deed} ({said}): {advice}", self._fields())

    def _fields(self) -> dict[str, str]:
        """Return what is said about single fields: Asana begins such a sentence with the name."""
        found: dict[str, str] = {}
        for message in messages(self.body) or ():
            match = _NAMES_FIELD.match(message)
            if match is None:
                continue
            if match[1] == "custom_fields":
                found.update(dict.fromkeys(_GID.findall(message), message))
            else:
                found[_OUR_NAMES.get(match[1], match[1])] = message
        return found

    def _text(self) -> str:
        """Return Asana's own sentences, or a harmless piece of whatever came."""
        said = messages(self.body)
        return excerpt(self.body if said is None else "; ".join(said))


def messages(body: bytes) -> tuple[str, ...] | None:
    """Return the sentences of an error body, None when it is not one of Asana's."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    errors = parsed.get("errors") if isinstance(parsed, dict) else None
    if not isinstance(errors, list):
        return None
    return tuple(str(error.get("message") or "") for error in errors if isinstance(error, dict))


def stale(site: Site) -> Stale:
    """Report that the events since the last read can no longer be had (412)."""
    return Stale(
        site.connection,
        f"{site.where} no longer knows what changed since the last read: "
        "nothing to do, everything is read again",
    )


def no_answer(site: Site, error: Exception, *, write: bool) -> SourceError:
    """Tell apart what never left (nothing happened) from what got no answer (it may have).

    `error` is what `urllib3` raised.
    """
    from urllib3 import exceptions as wrong  # noqa: PLC0415 - heavy, needed on failure only

    if isinstance(error, wrong.MaxRetryError) and isinstance(error.reason, Exception):
        error = error.reason
    if isinstance(error, wrong.NameResolutionError):
        return site.unknown_host()
    if isinstance(error, wrong.NewConnectionError | wrong.ConnectTimeoutError | wrong.ProxyError):
        return site.refused()
    if isinstance(error, wrong.SSLError):
        return site.insecure()
    if isinstance(error, wrong.LocationValueError):
        return site.unknown_host()
    return site.silent(write=write)
