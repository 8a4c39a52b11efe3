"""Requests to Jira. The only file that imports the `jira` library.

The library gives session, authentication and error handling; answers are taken as raw JSON, because
its resource objects cost four times the time and 20 KB an issue. Its own retries are off (they send
a POST again after a dropped connection, which makes a second issue), time limits are set (it has
none), its logging is off (it prints headers), and it is never told to follow redirects.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import orjson

from adapters.http import CONNECT_SECONDS, READ_SECONDS, Caller, Site
from adapters.jira.config import Config
from adapters.jira.failures import Refusal, no_answer
from syncd.core.ports import Clock

if TYPE_CHECKING:
    from jira import JIRA
    from requests import Response, Session
    from requests.adapters import BaseAdapter

_API = "/rest/api/3/"

Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: parsed JSON (None for an empty body) and the server's time, epoch s."""

    json: Any
    served_at: float | None


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request; `path` is below /rest/api/3/, `body` is to become JSON."""

    method: str
    path: str
    query: Query | None
    body: object
    write: bool

    @property
    def name(self) -> str:
        """Return a name to count by: the path with ids taken out."""
        parts = [part if part.isalpha() else "*" for part in self.path.split("/")]
        return f"{self.method} {'/'.join(parts)}"


class Client:
    """Sends requests to one Jira site as one account. Thread-safe: each thread has its session."""

    def __init__(
        self,
        connection: str,
        config: Config,
        *,
        secret: Callable[[], str],
        clock: Clock,
        transport: BaseAdapter | None = None,
    ) -> None:
        self.site = Site(connection, "Jira", config.url)
        self.names: dict[str, str] = {}  # of fields and projects, by id: to word what Jira refuses
        self.caller = Caller(connection, clock, rate=config.requests_per_second, burst=config.burst)
        self._config = config
        self._secret = secret
        self._clock = clock
        self._transport = transport
        self._local = threading.local()
        self._open: list[JIRA] = []
        self._lock = threading.Lock()

    def read(
        self, method: str, path: str, *, query: Query | None = None, body: object = None
    ) -> Reply:
        """Send a request that changes nothing (GET, or the POST of a search), retried if it helps.

        `path` is below /rest/api/3/. Raises SourceError.
        """
        ask = _Ask(method, path, query, body, write=False)
        return self.caller.read(ask.name, lambda: self._send(ask))

    def write(
        self, method: str, path: str, *, query: Query | None = None, body: object = None
    ) -> Reply:
        """Send a request that changes something: once, unless it certainly did nothing."""
        ask = _Ask(method, path, query, body, write=True)
        return self.caller.write(ask.name, lambda: self._send(ask))

    def close(self) -> None:
        """Close all sessions; the next request opens a new one."""
        with self._lock:
            libraries, self._open = self._open, []
            self._local = threading.local()
        for library in libraries:
            library.close()  # type: ignore[no-untyped-call]

    def _send(self, ask: _Ask) -> Reply:
        response = self._exchange(ask)
        status, content = response.status_code, response.content
        if status == HTTPStatus.UNAUTHORIZED:
            self._forget_session()  # the secret may have been changed meanwhile: ask for it again
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            refusal = Refusal(
                self.site, ask.path, ask.write, status, response.headers, content, self.names
            )
            raise refusal.error(self._clock.now())
        if not content:
            return Reply(None, _served_at(response))
        try:
            return Reply(orjson.loads(content), _served_at(response))
        except orjson.JSONDecodeError:
            raise self.site.not_the_api(status, content, write=ask.write) from None

    def _exchange(self, ask: _Ask) -> Response:
        """Return whatever answer came; raises when none did."""
        from jira.exceptions import JIRAError  # noqa: PLC0415 - heavy, needed on first use only
        from requests.exceptions import RequestException  # noqa: PLC0415

        answers: list[Response] = []
        try:
            self._session().request(
                ask.method,
                f"{self._config.url}{_API}{ask.path}",
                params=ask.query,
                data=None if ask.body is None else orjson.dumps(ask.body),
                allow_redirects=False,
                hooks={"response": lambda response, **_: answers.append(response)},
            )
        except RequestException as error:
            raise no_answer(self.site, error, write=ask.write) from None
        except (JIRAError, TypeError, AttributeError, KeyError):
            # JIRAError prints credentials, and the library stumbles over error bodies that are not
            # as it expects: both are left behind, the answer itself says what happened.
            if not answers:
                raise
        return answers[-1]

    def _session(self) -> Session:
        library: JIRA | None = getattr(self._local, "library", None)
        if library is None:
            library = self._connect()
            with self._lock:
                self._local.library = library
                self._open.append(library)
        return library._session  # noqa: SLF001 - the library shows it nowhere else

    def _connect(self) -> JIRA:
        from jira import JIRA  # noqa: PLC0415 - heavy, needed on first use only

        # As bytes the credential is sent as it is; the library would cut text to Latin-1.
        credential = (self._config.email.encode(), self._secret().encode())
        library = JIRA(
            server=self._config.url,
            options={"rest_api_version": "3", "check_update": False},
            basic_auth=cast("tuple[str, str]", credential),
            get_server_info=False,
            logging=False,
            max_retries=0,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        library.deploymentType = "Cloud"  # else the library's Cloud calls silently do nothing
        if self._transport is not None:
            library._session.mount(self._config.url, self._transport)  # noqa: SLF001
        return library

    def _forget_session(self) -> None:
        library = getattr(self._local, "library", None)
        with self._lock:
            self._local.library = None
            self._open = [other for other in self._open if other is not library]


def _served_at(response: Response) -> float | None:
    text = response.headers.get("Date")
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
