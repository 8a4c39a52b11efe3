"""What an answer with an error status, or no answer at all, means. Pure.

Source: status codes of the Jira Cloud platform REST v3 and its rate limiting guide
(Retry-After in seconds, RateLimit-Reason); error bodies are `{"errorMessages": [...], "errors":
{field: reason}}`, but gateways in front of Jira answer HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from adapters.http import Site, excerpt, retry_after
from syncd.core.errors import Rejected, SourceError, Unavailable

_PAUSE = 5.0  # seconds after a 429 that does not say how long
_ALWAYS_THERE = ("myself", "search", "field", "project/search", "users/search")
_REFUSED_VALUES = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer with a status of 300 or more to the request of a `path` below /rest/api/3/."""

    site: Site
    path: str
    write: bool
    status: int
    headers: Mapping[str, str]  # looked up without regard to case
    body: bytes
    names: Mapping[str, str]  # of fields and projects, by id

    def error(self, now: float) -> SourceError:
        """Return the error to raise; `now` is seconds since the epoch."""
        match self.status:
            case HTTPStatus.TOO_MANY_REQUESTS:
                delay = retry_after(self.headers, now)
                reason = self.headers.get("RateLimit-Reason", "")
                return self.site.limited(_PAUSE if delay is None else delay, reason)
            case HTTPStatus.UNAUTHORIZED:
                return self.site.unauthorized(self.headers.get("X-Seraph-LoginReason", ""))
            case HTTPStatus.FORBIDDEN:
                return self.site.forbidden(self._deed(), self._text())
            case _:
                return self._other(now)

    def _other(self, now: float) -> SourceError:
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._failing(now)
        if self.status < HTTPStatus.BAD_REQUEST:
            return self.site.redirected(self.headers.get("Location", ""))
        return self._refused()

    def _failing(self, now: float) -> SourceError:
        delay = retry_after(self.headers, now)
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE and delay is not None and not self.write:
            return self.site.limited(delay, "overloaded")
        return self.site.failing(self.status, self._text(), write=self.write)

    def _refused(self) -> SourceError:
        if not isinstance(self._json(), dict):
            return self.site.not_the_api(self.status, self.body)
        if self.status in _REFUSED_VALUES:
            return self._rejected()
        match self.status:
            case HTTPStatus.NOT_FOUND if self.path.startswith(_ALWAYS_THERE):
                return self.site.not_the_api(self.status, self._text())
            case HTTPStatus.NOT_FOUND:
                return self.site.gone(self._thing(), self._text())
            case HTTPStatus.CONFLICT:
                return Unavailable(
                    self.site.connection,
                    f"{self.site.where} was busy with another change of {self._thing()} "
                    f"({self._text() or 'no text'}): it is tried again",
                )
            case _:
                return self.site.odd(f"answered status {self.status} ({self._text() or 'no text'})")

    def _rejected(self) -> Rejected:
        body = self._json()
        errors = body.get("errors") if isinstance(body, dict) else None
        fields = {str(k): str(v) for k, v in errors.items()} if isinstance(errors, dict) else {}
        said = self._text() or "without a reason"
        if not self.write:
            return self.site.rejected(
                f"refused the question ({said}): {self._advice(said)}", fields
            )
        return self.site.rejected(
            f"refused the values ({said}): correct them where they come from, or take the field "
            "out of the mapping",
            fields,
        )

    def _advice(self, said: str) -> str:
        """Return what to do; Jira names a project that may not be seen by its id only."""
        lost = [
            name for id_, name in self.names.items() if f"'{id_}'" in said and "'project'" in said
        ]
        if not lost:
            return "check the mapping"
        return (
            f"the account of syncd can no longer see {' and '.join(lost)}; give it access again, or take "
            f"it out of the mapping"
        )

    def _json(self) -> object:
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def _text(self) -> str:
        """Return Jira's own sentences, or a harmless piece of whatever came."""
        body = self._json()
        if not isinstance(body, dict):
            return excerpt(self.body)
        messages, errors = body.get("errorMessages"), body.get("errors")
        said = [str(line) for line in messages] if isinstance(messages, list) else []
        if isinstance(errors, dict):
            said += [
                f"{self.names.get(field, field)}: {reason}" for field, reason in errors.items()
            ]
        return excerpt("; ".join(said) or str(body.get("message") or ""))

    def _thing(self) -> str:
        """Return what the path names, for a sentence: "issue/10001/transitions": "issue 10001"."""
        return " ".join(self.path.split("/")[:2])

    def _deed(self) -> str:
        return f"{'change' if self.write else 'read'} {self._thing()}"


def no_answer(site: Site, error: Exception, *, write: bool) -> SourceError:
    """Tell apart what never left (nothing happened) from what got no answer (it may have).

    `error` is what the `requests` library raised.
    """
    from requests import exceptions as wrong  # noqa: PLC0415 - heavy, needed on failure only
    from urllib3.exceptions import NameResolutionError, NewConnectionError  # noqa: PLC0415

    causes = _causes(error)
    if any(isinstance(cause, NameResolutionError) for cause in causes):
        return site.unknown_host()
    if isinstance(error, wrong.SSLError):
        return site.insecure()
    if isinstance(error, wrong.ConnectTimeout | wrong.ProxyError) or any(
        isinstance(cause, NewConnectionError) for cause in causes
    ):
        return site.refused()
    if isinstance(error, wrong.ConnectionError | wrong.Timeout | wrong.ChunkedEncodingError):
        return site.silent(write=write)
    return site.odd(f"could not be asked ({type(error).__name__})")


def _causes(error: BaseException) -> list[BaseException]:
    """Return the exceptions that one of requests wraps, in `args` or as `reason`."""
    found = [error]
    for cause in found:
        inner = [*cause.args, getattr(cause, "reason", None)]
        found += [e for e in inner if isinstance(e, BaseException) and e not in found]
    return found
