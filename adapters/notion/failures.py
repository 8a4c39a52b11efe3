"""Which error of ours each answer of Notion is, and its sentence. Pure.

Statuses and codes: developers.notion.com/reference/status-codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.http import Site, excerpt, retry_after
from adapters.notion import Json
from syncd.core.errors import Gone, NotAllowed, SourceError, Unavailable

_DEFAULT_DELAY = 10.0  # seconds, when asked to slow down without being told for how long


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is about, for the wording of its failure."""

    what: str
    write: bool = False


class OverwhelmedError(Unavailable):
    """A query takes Notion too long; a smaller page of it may be answered."""


class SavedError(Exception):
    """Notion says (503) that it saved the change although it cannot show it."""

    def __init__(self, id_: str, children: tuple[str, ...]) -> None:
        self.id = id_
        self.children = children
        super().__init__(id_)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with a status of 300 or more."""

    status: int
    text: str
    headers: Mapping[str, str]


def failure(answered: Answered, asked: Asked, site: Site, now: float) -> SourceError | SavedError:
    """Return the error to raise; `now` is seconds since the epoch."""
    return _Failure(answered, _error_body(answered.text), asked, site, now).error()


@dataclass(frozen=True, slots=True)
class _Failure:
    """The library drops `additional_data` of codes it does not know: the body is parsed here."""

    answered: Answered
    body: Json
    asked: Asked
    site: Site
    now: float

    @property
    def status(self) -> int:
        return self.answered.status

    @property
    def text(self) -> str:
        return self.answered.text

    @property
    def message(self) -> str:
        return str(self.body.get("message") or "")

    @property
    def code(self) -> str:
        return str(self.body.get("code") or "")

    @property
    def data(self) -> Json:
        data = self.body.get("additional_data")
        return data if isinstance(data, dict) else {}

    def error(self) -> SourceError | SavedError:
        if self.status < 400:  # noqa: PLR2004
            return self.site.redirected(self.answered.headers.get("location", ""))
        if self.status in {429, 529}:
            return self._slow_down()
        if self.status >= 500:  # noqa: PLR2004
            return self._failing()
        if self.status == 401:  # noqa: PLR2004
            return self.site.unauthorized(self.message)
        if not self.body:
            return self.site.not_the_api(self.status, self.text)
        return self._refused()

    def _refused(self) -> SourceError:
        match self.status, self.code:
            case 403, _:
                return self._forbidden()
            case 404, _:
                return self._missing()
            case 409, "row_limit_exceeded":
                return self._rejected("archive pages, or raise the limit of the workspace")
            case 409, _:
                return Unavailable(
                    self.site.connection,
                    f"{self.site.where} met another change of {self.asked.what} at the same "
                    "moment: it is tried again",
                )
            case ((400 | 413), _):
                return self._invalid()
            case _:
                return self.site.odd(f"answered with status {self.status} ({excerpt(self.text)})")

    def _slow_down(self) -> SourceError:
        if self.data.get("rate_limit_reason") == "public_api_request_blocked":
            return NotAllowed(
                self.site.connection,
                f"{self.site.where} has blocked this connection for sending too many requests: "
                "lower `rate` in the configuration and ask Notion support to lift the block",
            )
        delay = retry_after(self.answered.headers, self.now)
        if delay is None:
            delay = retry_after({"retry-after": str(self.data.get("retry_after"))}, self.now)
        return self.site.limited(_DEFAULT_DELAY if delay is None else delay, self.message)

    def _failing(self) -> SourceError | SavedError:
        saved = self.data.get("committed_resource_id")
        children = self.data.get("committed_child_ids")
        if self.asked.write and (saved or children):
            ids = children if isinstance(children, list) else [children] if children else []
            return SavedError(str(saved or ""), tuple(str(child) for child in ids))
        error = self.site.failing(self.status, self.message or self.text, write=self.asked.write)
        if self.data.get("retry_guidance") and not self.asked.write:
            return OverwhelmedError(self.site.connection, str(error))
        return error

    def _forbidden(self) -> NotAllowed:
        doing = "change" if self.asked.write else "read"
        return NotAllowed(
            self.site.connection,
            f"{self.site.where} does not let this connection {doing} {self.asked.what} "
            f"({excerpt(self.message)}): open notion.so/profile/integrations, choose the "
            "connection and give it the capabilities to read, update and insert content",
        )

    def _missing(self) -> Gone:
        return Gone(
            self.site.connection,
            f"{self.site.where} does not show {self.asked.what}: if it still exists, open it in "
            "Notion, choose ••• > Connections and add this connection",
        )

    def _invalid(self) -> SourceError:
        if re.search(r"\b(archived|in (the )?trash)\b", self.message):
            return Gone(
                self.site.connection,
                f"{self.site.where} has {self.asked.what} in the trash: restore it there if it is "
                "still wanted",
            )
        if self.code == "validation_error" or self.status == 413:  # noqa: PLR2004
            return self._rejected(
                "correct the value or the mapping"
                if self.asked.write
                else "if a property was deleted there, take it out of the mapping"
            )
        return self.site.odd(f"did not understand a request ({excerpt(self.message)})")

    def _rejected(self, advice: str) -> SourceError:
        return self.site.rejected(
            f"refuses {'a change of ' if self.asked.write else 'to read '}{self.asked.what} "
            f"({excerpt(self.message)}): {advice}",
        )


def _error_body(text: str) -> Json:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) and body.get("object") == "error" else {}


def doubt(error: SourceError, asked: Asked) -> SourceError:
    """Mark a failure after which a write may have taken effect."""
    error.maybe_applied = asked.write
    return error
