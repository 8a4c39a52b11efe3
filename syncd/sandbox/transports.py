"""The stand-ins without sockets, under client libraries built on requests, urllib3 and httpx.

    line = Line(Sandbox(SandboxClock(frozen=1.8e9), seed=7), before=..., after=...)
    session.mount("http://", RequestsTransport(line))            # requests, and `jira` on it
    api_client.rest_client.pool_manager = Urllib3Transport(line)  # `asana`
    httpx.Client(transport=HttpxTransport(line))                  # `notion_client`

A URL names a service by the first part of its path (`http://sandbox/jira/...`), as with the server, or
by its host (`*.atlassian.net`, `app.asana.com`, `api.notion.com`). One thread does everything: `before` is
called with service and request, `after` with the answer too (None: there was none), and whatever they
raise goes through. Answers that come late take their time from the sandbox's clock, which goes forward
if it is frozen; what would be late for the client's time-out is a time-out there.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import httpx
import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.faults import TLS, UNREACHABLE
from syncd.sandbox.services import SERVICES, Outcome
from syncd.sandbox.wire import Request, Response, query_pairs

_HOSTS = {
    "app.asana.com": "asana",
    "api.notion.com": "notion",
    "auth.atlassian.com": "jira",
    "api.atlassian.com": "jira",
}
_JIRA_HOST = ".atlassian.net"

KERNEL_PATIENCE = 127.0  # seconds after which Linux gives up to connect
_SAID = {
    "dns": "[Errno -2] Name or service not known: {}",
    "black-hole": "timed out connecting to {}",
    "expired": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
    "wrong-host": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch,"
    " certificate is not valid for '{}'.",
    "self-signed": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed"
    " certificate",
}

Before = Callable[[str, Request], None]
After = Callable[[str, Request, Response | None], None]


class LostConnection(Exception):
    """The connection ended without a (whole) answer; each transport says it in its library's words."""


class Unreachable(Exception):
    """No connection; `kind` is one of `faults.UNREACHABLE`."""

    def __init__(self, kind: str, host: str) -> None:
        self.kind = kind
        super().__init__(_SAID[kind].format(host))


class TooLate(Exception):
    """The answer would come after the client's time-out."""


class Exchanges(Protocol):
    """What answers: a `Sandbox`, or one stand-in `Alone`."""

    clock: SandboxClock

    def unreachable(
        self, kinds: frozenset[str], service: str = "", request: Request | None = None
    ) -> str | None:
        """Return how the connection fails, None if it does not."""

    def exchange(self, service: str, request: Request) -> Outcome:
        """Handle a request."""


class Alone:
    """One stand-in without faults, limits and counters around it."""

    def __init__(self, stand_in: Any) -> None:  # noqa: ANN401 - any of the three
        self.clock: SandboxClock = stand_in.clock
        self._stand_in = stand_in

    def unreachable(
        self, _kinds: frozenset[str], _service: str = "", _request: Request | None = None
    ) -> str | None:
        """Return None: nothing fails."""
        return None

    def exchange(self, _service: str, request: Request) -> Outcome:
        """Handle a request."""
        return Outcome(self._stand_in.handle(request))


@dataclass(slots=True)
class Line:
    """A way to a sandbox for any number of transports, with a hook before and after each request."""

    sandbox: Exchanges
    before: Before | None = None
    after: After | None = None

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes,
        timeout: float | None = None, connect: float | None = None,
    ) -> Response:  # fmt: skip
        """Exchange one request, waiting so long for the answer and for the connection.

        Raises LostConnection, TooLate, Unreachable, ValueError for an unknown address.
        """
        service, request = addressed(method, url, headers, body)
        if self.before is not None:
            self.before(service, request)
        self._connect(service, request, connect)
        outcome = self.sandbox.exchange(service, request)
        answer = outcome.response
        try:
            self._wait(outcome, timeout)
            return _received(outcome, request)
        except (LostConnection, TooLate):
            answer = None
            raise
        finally:
            if self.after is not None:
                self.after(service, request, answer)

    def _connect(self, service: str, request: Request, wait: float | None) -> None:
        kind = self.sandbox.unreachable(UNREACHABLE, service, request)
        if kind is None:
            return
        if kind == "black-hole" and self.sandbox.clock.frozen is not None:
            self.sandbox.clock.step(KERNEL_PATIENCE if wait is None else wait)
        if self.after is not None:
            self.after(service, request, None)
        raise Unreachable(kind, urlsplit(request.base_url).hostname or "")

    def _wait(self, outcome: Outcome, timeout: float | None) -> None:
        clock = self.sandbox.clock
        late = timeout is not None and outcome.delay > timeout
        spent = timeout if late and timeout is not None else outcome.delay
        if spent and clock.frozen is not None:
            clock.step(spent)
        if late:
            raise TooLate(f"no answer within {timeout} s")


def _received(outcome: Outcome, request: Request) -> Response:
    answer = outcome.response
    if answer is None or outcome.cut is not None or outcome.surplus:
        raise LostConnection(f"{request.method} {request.path}: the connection was closed")
    if request.method == "HEAD":
        return Response(answer.status, b"", answer.headers)
    return answer


def addressed(
    method: str, url: str, headers: Mapping[str, str], body: bytes
) -> tuple[str, Request]:
    """Return the service that a URL names and the request as it sees it; raises ValueError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    service, path, prefix = _HOSTS.get(host), unquote(parts.path), ""
    if host.endswith(_JIRA_HOST):
        service = "jira"
    if service is None:
        service, _, rest = path[1:].partition("/")
        path, prefix = "/" + rest, f"/{service}"
    if service not in SERVICES:
        raise ValueError(
            f"{url} names no stand-in; the path must begin with /jira, /asana or /notion"
        )
    base = f"{parts.scheme}://{parts.netloc}{prefix}"
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    return service, Request(method, path, query_pairs(parts.query), named, body, base)


def _bytes(body: Any) -> bytes:  # noqa: ANN401 - what client libraries pass
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, Iterable) and not isinstance(body, bytes | bytearray):
        return b"".join(body)
    return bytes(body)


# requests


class RequestsTransport(BaseAdapter):
    """An adapter for `requests.Session.mount`."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        timeout: Any = None,  # noqa: ANN401
        verify: Any = True,  # noqa: ANN401, ARG002, FBT002
        cert: Any = None,  # noqa: ANN401, ARG002
        proxies: Any = None,  # noqa: ANN401, ARG002
    ) -> requests.Response:
        """Send one prepared request; raises the exceptions of requests."""
        connect, wait = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        try:
            answer = self.line.send(
                request.method or "GET", request.url or "", _words(request.headers),
                _bytes(request.body), wait, connect,
            )  # fmt: skip
        except Unreachable as error:
            raise _REQUESTS.get(error.kind, requests.exceptions.SSLError)(
                _given_up(error, request.url or ""), request=request
            ) from error
        except LostConnection as error:
            raise requests.ConnectionError(error, request=request) from error
        except TooLate as error:
            raise requests.ReadTimeout(error, request=request) from error
        return _requests_answer(request, answer)

    def close(self) -> None:
        """Close nothing."""


_REQUESTS = {"dns": requests.ConnectionError, "black-hole": requests.ConnectTimeout}


def _words(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    return {k: v.decode("latin1") if isinstance(v, bytes) else v for k, v in headers.items()}


def _requests_answer(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    raw = _urllib3_answer(answer, preload=False)
    made = requests.Response()
    made.status_code = answer.status
    made.headers = CaseInsensitiveDict(answer.headers)
    made.encoding = get_encoding_from_headers(made.headers)
    made.raw, made.reason, made.url, made.request = (
        raw,
        raw.reason or "",
        request.url or "",
        request,
    )
    extract_cookies_to_jar(made.cookies, request, raw)
    return made


# urllib3


def _given_up(error: Unreachable, url: str) -> urllib3.exceptions.MaxRetryError:
    """Return what requests wraps."""
    return urllib3.exceptions.MaxRetryError(_POOL, url, _urllib3_failure(error, url))


def _urllib3_failure(error: Unreachable, url: str) -> urllib3.exceptions.HTTPError:
    """Return what urllib3 raises for a connection that cannot be made."""
    if error.kind == "dns":
        host = urlsplit(url).hostname or ""
        connection = urllib3.connection.HTTPConnection(host)
        return urllib3.exceptions.NameResolutionError(host, connection, _unknown_name())
    if error.kind == "black-hole":
        return urllib3.exceptions.ConnectTimeoutError(_POOL, str(error))
    return urllib3.exceptions.SSLError(ssl.SSLCertVerificationError(1, str(error)))


def _urllib3_answer(answer: Response, *, preload: bool) -> urllib3.HTTPResponse:
    return urllib3.HTTPResponse(
        body=io.BytesIO(answer.body),
        headers=answer.headers,
        status=answer.status,
        version=11,
        reason=httpx.codes.get_reason_phrase(answer.status),
        preload_content=preload,
    )


class Urllib3Transport:
    """Stands in for a `urllib3.PoolManager`: `request` and `urlopen`."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,  # noqa: ANN401
        fields: Any = None,  # noqa: ANN401
        headers: Mapping[str, str] | None = None,
        *,
        preload_content: bool = True,
        timeout: Any = None,  # noqa: ANN401
        **_options: Any,  # noqa: ANN401
    ) -> urllib3.BaseHTTPResponse:
        """Send one request; raises the exceptions of urllib3."""
        given = dict(headers or {})
        if fields and method in {"GET", "HEAD", "DELETE", "OPTIONS"}:
            pairs = fields.items() if isinstance(fields, Mapping) else fields
            url = str(httpx.URL(url, params=tuple(pairs)))
        elif fields:
            body, kind = urllib3.encode_multipart_formdata(fields)
            given["Content-Type"] = kind
        wait, connect = (_seconds(timeout, kind) for kind in ("read_timeout", "connect_timeout"))
        try:
            answer = self.line.send(method, url, given, _bytes(body), wait, connect)
        except Unreachable as error:
            raise _urllib3_failure(error, url) from error
        except LostConnection as error:
            raise urllib3.exceptions.ProtocolError("Connection aborted.", error) from error
        except TooLate as error:
            raise urllib3.exceptions.ReadTimeoutError(_POOL, url, str(error)) from error
        return _urllib3_answer(answer, preload=preload_content)

    def urlopen(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401
        """Send one request."""
        return self.request(method, url, **options)

    def clear(self) -> None:
        """Close nothing."""


def _seconds(timeout: Any, kind: str) -> float | None:  # noqa: ANN401
    wait = getattr(timeout, kind, timeout)
    return wait if isinstance(wait, int | float) else None


_POOL = urllib3.HTTPConnectionPool("sandbox")

# httpx


class HttpxTransport(httpx.BaseTransport):
    """A transport for `httpx.Client`."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises the exceptions of httpx."""
        waits = request.extensions.get("timeout", {})
        try:
            answer = self.line.send(
                request.method, str(request.url), request.headers, request.read(),
                waits.get("read"), waits.get("connect"),
            )  # fmt: skip
        except Unreachable as error:
            raise _httpx_failure(error, request) from _httpx_cause(error)
        except LostConnection as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        except TooLate as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def _httpx_failure(error: Unreachable, request: httpx.Request) -> httpx.TransportError:
    kind = httpx.ConnectTimeout if error.kind == "black-hole" else httpx.ConnectError
    return kind(str(error), request=request)


def _httpx_cause(error: Unreachable) -> Exception:
    if error.kind == "dns":
        return _unknown_name()
    return ssl.SSLCertVerificationError(1, str(error)) if error.kind in TLS else error


def _unknown_name() -> socket.gaierror:
    return socket.gaierror(socket.EAI_NONAME, "Name or service not known")
