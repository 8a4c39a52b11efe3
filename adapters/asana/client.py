"""Requests to Asana. The only file that imports the `asana` library.

The library gives authentication, addresses, connection pool and error handling. Answers are taken
as they came over the wire, because its own decoding turns every no-break space into a space. Its
retries are off (they hide the answer), its page iterators are not used (the one for events loops
for ever and swallows the lost-events signal), time limits are set (it has none and ignores a
float), its log handlers are removed, and its thread pool is ended before it does anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from adapters.asana.config import Config
from adapters.asana.failures import Refusal, no_answer
from adapters.http import CONNECT_SECONDS, READ_SECONDS, Caller, Site
from syncd.core.errors import SourceError, Stale
from syncd.core.ports import Clock

if TYPE_CHECKING:
    from asana import ApiClient

API = "/api/1.0"
PAGE_SIZE = 100
BATCH_SIZE = 10

Json = dict[str, Any]
Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Get:
    """One reading request inside a batch: `path` with ids filled in, the fields to show."""

    path: str
    fields: tuple[str, ...]
    limit: int | None = None

    @property
    def action(self) -> Json:
        """Return it as Asana's batch action."""
        options: Json = {"fields": list(self.fields)}
        if self.limit is not None:
            options["limit"] = self.limit
        return {"method": "get", "relative_path": self.path, "options": options}


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request; `path` is a template below /api/1.0, `ids` fill it in."""

    method: str
    path: str
    ids: Mapping[str, str]
    query: Query
    body: Json | None
    write: bool

    @property
    def what(self) -> str:
        """Return the object it is about, for a sentence: "task 12"."""
        kind, gid = next(iter(self.ids.items()), (self.path.strip("/").split("/")[0], ""))
        return f"{kind} {gid}".strip()


@dataclass(slots=True)
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Client:
    """Sends requests to Asana as one account. Thread-safe."""

    def __init__(
        self,
        connection: str,
        config: Config,
        *,
        secret: Callable[[], str],
        clock: Clock,
        transport: Any = None,  # noqa: ANN401 - anything with urllib3's PoolManager.request
    ) -> None:
        self.site = Site(connection, "Asana", config.url)
        self.caller = Caller(connection, clock, rate=config.requests_per_second, burst=config.burst)
        self._config = config
        self._secret = secret
        self._clock = clock
        self._transport = transport
        self._lock = threading.Lock()
        self._library: ApiClient | None = None

    def get(self, path: str, *, query: Query | None = None, **ids: str) -> Json:
        """Read something; `path` is a template filled in from `ids`. Raises SourceError."""
        ask = _Ask("GET", path, ids, query or {}, None, write=False)
        return self.caller.read(f"GET {path}", lambda: self._send(ask))

    def write(self, method: str, path: str, data: Json, query: Query, **ids: str) -> Json:
        """Change something: sent once, unless it certainly did nothing. Raises SourceError."""
        ask = _Ask(method, path, ids, query, {"data": data}, write=True)
        return self.caller.write(f"{method} {path}", lambda: self._send(ask))

    def sync_token(self, resource: str) -> str:
        """Return the token from which events of a project can be read from now on."""
        ask = _Ask("GET", "/events", {}, {"resource": resource}, None, write=False)
        return self.caller.read("GET /events", lambda: self._token(ask))

    def events(self, resource: str, sync: str) -> Json:
        """Return `{data, sync, has_more}`: what happened since; raises Stale when too long ago."""
        ask = _Ask("GET", "/events", {}, {"resource": resource, "sync": sync}, None, write=False)
        return self.caller.read("GET /events", lambda: self._send(ask))

    def batch(self, gets: Sequence[Get]) -> list[Json | None]:
        """Read up to ten things in one request; None for what is not there or not visible."""
        data = {"actions": [get.action for get in gets]}
        ask = _Ask("POST", "/batch", {}, {}, {"data": data}, write=False)
        return self.caller.read("POST /batch", lambda: self._batch_read(ask, gets))

    def batch_write(self, actions: Sequence[Json], what: str) -> None:
        """Do up to ten changes in one request; raises what went wrong with any of them."""
        ask = _Ask("POST", "/batch", {}, {}, {"data": {"actions": list(actions)}}, write=True)
        self.caller.write("POST /batch", lambda: self._batch_write(ask, actions, what))

    def close(self) -> None:
        """Give back the sockets; the next request opens new ones."""
        with self._lock:
            library, self._library = self._library, None
        if library is not None:
            library.rest_client.pool_manager.clear()

    # one attempt ----------------------------------------------------------------------------------

    def _send(self, ask: _Ask) -> Json:
        answer = self._exchange(ask)
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._error(ask, answer)
        return self._json(ask, answer)

    def _json(self, ask: _Ask, answer: _Answer) -> Json:
        try:
            parsed = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            parsed = None
        if not isinstance(parsed, dict):
            raise self.site.not_the_api(answer.status, answer.body, write=ask.write)
        return parsed

    def _error(self, ask: _Ask, answer: _Answer) -> SourceError:
        refusal = Refusal(
            self.site, ask.what, ask.write, answer.status, answer.headers, answer.body
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.close()  # the secret may have been changed meanwhile: ask for it again
        return refusal.error(self._clock.now())

    def _token(self, ask: _Ask) -> str:
        """Ask without a token: Asana refuses (412) and says the one to go on from."""
        answer = self._exchange(ask)
        error = self._error(ask, answer) if answer.status >= HTTPStatus.MULTIPLE_CHOICES else None
        if error is not None and not isinstance(error, Stale):
            raise error
        token = self._json(ask, answer).get("sync")
        if not isinstance(token, str):
            raise self.site.odd("did not say from where events can be read")
        return token

    def _batch_answers(self, ask: _Ask, expected: int) -> list[_Answer]:
        parts = self._send(ask).get("data")
        if not isinstance(parts, list) or len(parts) != expected:
            raise self.site.odd("did not answer every part of a batch")
        return [
            _Answer(int(part.get("status_code") or 0), orjson.dumps(part.get("body")))
            for part in parts
        ]

    def _batch_read(self, ask: _Ask, gets: Sequence[Get]) -> list[Json | None]:
        result: list[Json | None] = []
        for get, answer in zip(gets, self._batch_answers(ask, len(gets)), strict=True):
            part = _Ask("GET", get.path, {}, {}, None, write=False)
            if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:
                result.append(None)
            elif answer.status != HTTPStatus.OK:
                raise self._error(part, answer)
            else:
                result.append(self._json(part, answer))
        return result

    def _batch_write(self, ask: _Ask, actions: Sequence[Json], what: str) -> None:
        for answer in self._batch_answers(ask, len(actions)):
            if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                refusal = Refusal(self.site, what, True, answer.status, {}, answer.body)  # noqa: FBT003
                raise refusal.error(self._clock.now())

    def _exchange(self, ask: _Ask) -> _Answer:
        """Return whatever answer came; raises when none did."""
        from asana.rest import ApiException  # noqa: PLC0415 - heavy, needed on first use only
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            response = self._connected().call_api(
                ask.path,
                ask.method,
                path_params=dict(ask.ids),
                query_params=dict(ask.query),
                header_params={"Accept": "application/json"},
                body=ask.body,
                response_type=object,
                auth_settings=["personalAccessToken"],
                _return_http_data_only=True,
                _preload_content=False,
                _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
            return _Answer(response.status, response.data or b"", response.headers)
        except ApiException as error:
            if not error.status:  # how the library wraps a failed TLS handshake
                raise self.site.insecure() from None
            return _Answer(error.status, error.body or b"", error.headers or {})
        except HTTPError as error:
            raise no_answer(self.site, error, write=ask.write) from None

    # the library ----------------------------------------------------------------------------------

    def _connected(self) -> ApiClient:
        with self._lock:
            if self._library is None:
                self._library = self._connect()
            return self._library

    def _connect(self) -> ApiClient:
        from asana import ApiClient, Configuration  # noqa: PLC0415 - heavy, on first use only

        configuration = Configuration()
        for logger in configuration.logger.values():
            logger.removeHandler(configuration.logger_stream_handler)
        configuration.host = f"{self._config.url}{API}"
        configuration.access_token = self._secret()
        configuration.return_page_iterator = False
        configuration.retry_strategy = False
        library = ApiClient(configuration)
        library.pool.terminate()  # never used: nothing is asked in the background
        library.pool.join()
        if self._transport is not None:
            library.rest_client.pool_manager = self._transport
        return library
