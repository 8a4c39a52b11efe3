"""The only module that uses the `notion_client` library, and the wording of Notion's failures.

The library's own retries are off, it logs nowhere, and its `request` is used directly: its endpoint
methods drop keyword arguments they do not know and send None as JSON null.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from adapters.http import CONNECT_SECONDS, READ_SECONDS, Caller, Site
from adapters.notion import Json
from adapters.notion.failures import Answered, Asked, SavedError, doubt, failure
from syncd.core.errors import SourceError
from syncd.core.ports import Clock

if TYPE_CHECKING:
    import httpx

VERSION = "2026-03-11"
PAGE_SIZE = 100

Query = list[tuple[str, str]]

_ENOUGH_PAGES = 100_000  # a list longer than ten million entries is a server gone wrong


@dataclass(frozen=True, slots=True)
class Written:
    """What a writing request answered.

    `body` is None when Notion saved the change but could not show it (503); `id` and `children`
    are what it says it saved.
    """

    id: str
    body: Json | None = None
    children: tuple[str, ...] = ()


class Client:
    """Sends Notion requests, paced and retried by `caller`; every failure becomes an error of ours.

    `path` has no leading slash and no "v1/". `what` names the thing a request is about, for people:
    "the data source 1234", "the page 5678".
    """

    def __init__(
        self,
        site: Site,
        secret: Callable[[], str],
        clock: Clock,
        caller: Caller,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.site = site
        self.caller = caller
        self._secret = secret
        self._clock = clock
        self._transport = transport
        self._token: str | None = None
        self._seen = threading.local()  # per thread: the last answer's Date and content type
        self._lock = threading.Lock()
        self._library: Any = None

    @property
    def served_at(self) -> float | None:
        """Return the server's time (epoch seconds) in this thread's last answer, if it says one."""
        return getattr(self._seen, "date", None)

    def get(self, path: str, what: str, query: Query | None = None) -> Json:
        """Send a GET; returns the JSON object."""
        return self._read("GET", path, what, query=query)

    def ask(self, path: str, what: str, body: Json, query: Query | None = None) -> Json:
        """Send a POST that only reads (query, search); returns the JSON object."""
        return self._read("POST", path, what, query=query, body=body)

    def write(self, method: str, path: str, what: str, body: Json | None = None) -> Written:
        """Send a request that changes something, at most once unless it surely had no effect."""
        name = f"{method} {path.partition('/')[0]}"
        return self.caller.write(name, lambda: self._write_once(method, path, what, body))

    def listed(self, path: str, what: str, body: Json | None = None) -> Iterator[Json]:
        """Read a list to its end, answer by answer: by POST when there is a body, else by GET."""
        return walk(self.site, lambda cursor: self._list_page(path, what, body, cursor))

    def close(self) -> None:
        """Give back the sockets."""
        with self._lock:
            library, self._library = self._library, None
        if library is not None:
            library.close()

    def _list_page(self, path: str, what: str, body: Json | None, cursor: str | None) -> Json:
        start = {} if cursor is None else {"start_cursor": cursor}
        if body is not None:
            return self.ask(path, what, {**body, "page_size": PAGE_SIZE, **start})
        return self.get(path, what, [("page_size", str(PAGE_SIZE)), *start.items()])

    def _read(
        self, method: str, path: str, what: str, *, query: Query | None, body: Json | None = None
    ) -> Json:
        name = f"{method} {path.partition('/')[0]}{'/query' if path.endswith('/query') else ''}"
        return self.caller.read(
            name, lambda: self._send(method, path, Asked(what), query=query, body=body)
        )

    def _write_once(self, method: str, path: str, what: str, body: Json | None) -> Written:
        try:
            answer = self._send(method, path, Asked(what, write=True), body=body)
        except SavedError as saved:
            return Written(saved.id, None, saved.children)
        return Written(str(answer.get("id") or ""), answer)

    def _send(
        self,
        method: str,
        path: str,
        asked: Asked,
        *,
        query: Query | None = None,
        body: Json | None = None,
    ) -> Json:
        import httpx  # noqa: PLC0415 - heavy: imported on first use
        from notion_client.errors import (  # noqa: PLC0415 - heavy: imported on first use
            HTTPResponseError,
            NotionClientErrorBase,
            RequestTimeoutError,
        )

        library, token = self._ready()
        try:
            answer = library.request(
                path=path,
                method=method,
                query=httpx.QueryParams(tuple(query)) if query else None,
                body=body,
                auth=token,
            )
        except HTTPResponseError as error:
            self._forget_token(error.status)
            raise self._failure(error, asked) from None
        except RequestTimeoutError as error:
            raise self._unanswered(error.__context__ or error, asked) from None
        except (httpx.HTTPError, NotionClientErrorBase) as error:
            raise self._unanswered(error, asked) from None
        except ValueError as error:
            raise self._unreadable(error, asked) from None
        if not isinstance(answer, dict):
            raise doubt(self.site.odd("answered with JSON that is no object"), asked)
        return answer

    def _ready(self) -> tuple[Any, str]:
        with self._lock:
            if self._library is None:
                self._library = self._connect()
            if self._token is None:
                self._token = self._checked_token()
            return self._library, self._token

    def _checked_token(self) -> str:
        token = self._secret().strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise self.site.unauthorized("it is empty or holds characters no token has")
        return token

    def _forget_token(self, status: int) -> None:
        """After a 401 ask for the secret again: it may have been renewed while we run."""
        if status == 401:  # noqa: PLR2004
            with self._lock:
                self._token = None

    def _connect(self) -> Any:  # noqa: ANN401 - the library is imported on first use
        import httpx  # noqa: PLC0415 - heavy: imported on first use
        from notion_client import Client as Library  # noqa: PLC0415 - heavy: imported on first use

        silent = logging.Logger("notion_client")  # noqa: LOG001 - one of our own: it logs nowhere
        silent.addHandler(logging.NullHandler())
        inner = httpx.Client(
            transport=self._transport,
            follow_redirects=False,
            event_hooks={"response": [self._note]},
        )
        library = Library(
            client=inner,
            base_url=self.site.url,
            notion_version=VERSION,
            retry=False,
            logger=silent,
            log_level=logging.CRITICAL,
        )
        # The library has just set one limit for everything.
        inner.timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        return library

    def _note(self, response: httpx.Response) -> None:
        self._seen.date = _epoch(response.headers.get("date"))
        self._seen.status = response.status_code
        self._seen.type = response.headers.get("content-type", "")

    def _failure(self, error: Any, asked: Asked) -> Exception:  # noqa: ANN401 - see `_connect`
        answer = Answered(error.status, error.body, error.headers)
        return failure(answer, asked, self.site, self._clock.now())

    def _unanswered(self, error: BaseException, asked: Asked) -> SourceError:
        """Word a failure without an answer; what failed before sending surely had no effect."""
        import httpx  # noqa: PLC0415 - heavy: imported on first use

        if isinstance(error, httpx.ConnectError):
            return self._unconnected(error)
        if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
            return self.site.refused()
        if isinstance(error, httpx.TransportError):
            return self.site.silent(write=asked.write)
        if isinstance(error, httpx.HTTPError):
            return doubt(self.site.odd("sent an answer that cannot be decoded"), asked)
        return self.site.odd(f"was not asked, because {asked.what} has an impossible id")

    def _unconnected(self, error: BaseException) -> SourceError:
        causes = tuple(_causes(error))
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            return self.site.insecure()
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return self.site.unknown_host()
        return self.site.refused()

    def _unreadable(self, error: ValueError, asked: Asked) -> SourceError:
        """Word an answer with a good status that is not JSON: broken off, or not Notion at all."""
        if "json" in getattr(self._seen, "type", ""):
            return self.site.silent(write=asked.write)
        body = error.doc if isinstance(error, json.JSONDecodeError) else ""
        status = getattr(self._seen, "status", 200)
        return self.site.not_the_api(status, body, write=asked.write)


def walk(site: Site, ask: Callable[[str | None], Json]) -> Iterator[Json]:
    """Ask for page after page of a list; `ask` takes the cursor. Refuses one that leads nowhere."""
    cursor: str | None = None
    seen: set[str] = set()
    while len(seen) < _ENOUGH_PAGES:
        answer = ask(cursor)
        results = answer.get("results")
        if not isinstance(results, list):
            raise site.odd("answered with a list that has no results")
        cursor = _next_cursor(site, answer, seen)
        yield answer
        if cursor is None:
            return
        if not results:
            raise site.odd("sent an empty page of a list that goes on")
        seen.add(cursor)
    raise site.odd("sends a list without an end")


def _next_cursor(site: Site, answer: Json, seen: set[str]) -> str | None:
    if not answer.get("has_more"):
        return None
    cursor = answer.get("next_cursor")
    if not isinstance(cursor, str) or not cursor:
        raise site.odd("says that a list goes on but not where")
    if cursor in seen:
        raise site.odd("repeated a page of a list")
    return cursor


def path_of(*parts: str) -> str:
    """Join ids and words to a path; property ids come percent-encoded and stay as they are."""
    return "/".join(quote(part, safe="%~!'()*") for part in parts)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _epoch(http_date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(http_date).timestamp() if http_date else None
    except (TypeError, ValueError):
        return None
