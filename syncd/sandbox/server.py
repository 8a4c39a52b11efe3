"""The sandbox behind a socket: an ASGI application, and uvicorn around it.

Control endpoints lie outside the services' prefixes, under `/_sandbox/`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncd.sandbox import keeping
from syncd.sandbox.catalogue import ENTRIES, NOT_OFFERED
from syncd.sandbox.face import Face
from syncd.sandbox.services import SERVICES, Dropped, Outcome, Sandbox
from syncd.sandbox.wire import Request, Response, query_pairs

__all__ = ["Application", "Dropped", "Running", "Sandbox", "bind", "serve", "start_in_thread"]

_TRANSPORT = "syncd.transport"
_START_SECONDS = 20
_SAVE_SECONDS = 60


class _Protocol(HttpToolsProtocol):
    """Hands each request the connection it came on, so that a fault can close it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}


class Application:
    """The ASGI application: services by the first part of the path, the rest to the controls."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.controls: ASGIApp = controls(sandbox)
        self.face = Face(sandbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            service, _, path = scope["path"][1:].partition("/")
            if service in SERVICES:
                await self._serve(service, "/" + path, scope, receive, send)
                return
            if service == "ui":
                await self._show("/" + path, scope, receive, send)
                return
        await self.controls(scope, receive, send)

    async def _show(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a person's browser, in a thread: pages must not hold up the services."""
        body = await _body(receive)
        if body is not None:
            request = _request("ui", path, scope, body)
            shown = await asyncio.to_thread(self.face.handle, request)
            await _send(Outcome(shown), shown, scope, receive, send)

    async def _serve(
        self, service: str, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = await _body(receive)
        if body is None:
            return  # the client died while it sent: half a request is none
        request = _request(service, path, scope, body)
        limits = self.sandbox.limits
        refused = limits.enter(service, request)
        try:
            outcome = Outcome(refused) if refused else self.sandbox.exchange(service, request)
            if outcome.delay:
                await asyncio.sleep(outcome.delay)
            if outcome.response is None:
                await _hang_up(scope, receive)
            else:
                await _send(outcome, outcome.response, scope, receive, send)
        finally:
            limits.leave(service, request)


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request, None when the client went away before its end."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _request(service: str, path: str, scope: Scope, body: bytes) -> Request:
    headers = {name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]}
    host = headers.get("host") or "localhost"
    scheme = headers.get("x-forwarded-proto", scope["scheme"])
    return Request(
        scope["method"],
        path,
        query_pairs(scope["query_string"].decode("latin1")),
        headers,
        body,
        f"{scheme}://{host}/{service}",
    )


async def _send(
    outcome: Outcome, response: Response, scope: Scope, receive: Receive, send: Send
) -> None:
    headers = [(k.encode("latin1"), v.encode("latin1")) for k, v in response.headers.items()]
    if response.status not in {204, 304}:
        length = len(response.body) + outcome.surplus
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else response.body
    if outcome.cut is None and not outcome.surplus:
        await _send_body(outcome, body, send)
        if outcome.close:
            _connection(scope).close()
        return
    part = body if outcome.cut is None else body[: outcome.cut]
    await send({"type": "http.response.body", "body": part, "more_body": True})
    await _hang_up(scope, receive, reset=outcome.reset)


async def _send_body(outcome: Outcome, body: bytes, send: Send) -> None:
    if outcome.slow:
        for place in range(len(body)):
            part = body[place : place + 1]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(outcome.slow)
        body = b""
    await send({"type": "http.response.body", "body": body})


def _connection(scope: Scope) -> asyncio.Transport:
    extension = scope.get("extensions", {}).get(_TRANSPORT)
    if extension is None:
        raise ConnectionError("this server cannot close a connection; start it with serve()")
    transport: asyncio.Transport = extension["transport"]
    return transport


async def _hang_up(scope: Scope, receive: Receive, *, reset: bool = False) -> None:
    """Close the connection, with a RST if asked, and wait until the server has seen it closed."""
    transport = _connection(scope)
    if reset:
        _let_linger(transport)
        await asyncio.sleep(0.01)  # what was sent goes first
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


def _let_linger(transport: asyncio.Transport) -> None:
    """Make the close of a connection a reset: SO_LINGER with a time of 0."""
    number = transport.get_extra_info("socket").fileno()
    twin = socket.socket(fileno=os.dup(number))
    twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    twin.close()


# controls


class _Controls:
    """The endpoints under `/_sandbox/`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.snapshots: dict[str, dict[str, Any]] = {}

    async def index(self, request: HttpRequest) -> HttpResponse:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/ui/", 303)
        return PlainTextResponse("syncd sandbox: /ui/ /jira /asana/api/1.0 /notion/v1 /_sandbox/\n")

    async def health(self, _request: HttpRequest) -> HttpResponse:
        return JSONResponse({"ok": True, "services": list(SERVICES)})

    async def clock(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            _turn_clock(self.sandbox, await _sent(request))
        clock = self.sandbox.clock
        return JSONResponse(
            {"now": clock.now(), "utc": clock.utc().isoformat(), "frozen": clock.frozen is not None}
        )

    async def counters(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            self.sandbox.counters.clear()
        return JSONResponse({"counters": self.sandbox.tallies()})

    async def faults(self, request: HttpRequest) -> HttpResponse:
        faults = self.sandbox.faults
        if request.method == "POST":
            rows = await _sent(request)
            faults.set(rows if isinstance(rows, list) else rows.get("faults", [rows]))
        elif request.method == "DELETE":
            faults.set([])
        return JSONResponse({"faults": [rule.summary() for rule in faults.rules]})

    async def catalogue(self, _request: HttpRequest) -> HttpResponse:
        rows = [
            {"id": e.id, "what": e.sentence, "how": e.how, "services": e.services,
             "variants": [name for name in e.variants if name]}
            for e in ENTRIES
        ]  # fmt: skip
        return JSONResponse({"faults": rows, "not_offered": NOT_OFFERED})

    async def limits(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            scale = (await _sent(request))["scale"]
            self.sandbox.limits.set(None if scale is None else float(scale))
        return JSONResponse({"scale": self.sandbox.limits.scale})

    async def snapshot(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            self.snapshots[await _name(request)] = self.sandbox.snapshot()
        return JSONResponse({"snapshots": list(self.snapshots)})

    async def restore(self, request: HttpRequest) -> HttpResponse:
        name = await _name(request)
        if name not in self.snapshots:
            raise ValueError(f"there is no snapshot {name!r}; take one at /_sandbox/snapshot")
        self.sandbox.restore(self.snapshots[name])
        return JSONResponse({"restored": name})

    async def latency(self, request: HttpRequest) -> HttpResponse:
        self.sandbox.latency = float((await _sent(request))["seconds"])
        return JSONResponse({"seconds": self.sandbox.latency})


def controls(sandbox: Sandbox) -> Starlette:
    """Return the control application."""
    ends = _Controls(sandbox)
    return Starlette(
        routes=[
            Route("/", ends.index),
            Route("/_sandbox/healthz", ends.health),
            Route("/_sandbox/clock", ends.clock, methods=["GET", "POST"]),
            Route("/_sandbox/counters", ends.counters),
            Route("/_sandbox/counters/reset", ends.counters, methods=["POST"]),
            Route("/_sandbox/faults", ends.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/catalogue", ends.catalogue),
            Route("/_sandbox/limits", ends.limits, methods=["GET", "POST"]),
            Route("/_sandbox/snapshot", ends.snapshot, methods=["GET", "POST"]),
            Route("/_sandbox/restore", ends.restore, methods=["POST"]),
            Route("/_sandbox/latency", ends.latency, methods=["POST"]),
        ],
        exception_handlers={ValueError: _refuse, KeyError: _refuse, TypeError: _refuse},
    )


async def _sent(request: HttpRequest) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(await request.body())
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


async def _name(request: HttpRequest) -> str:
    return str((await _sent(request)).get("name", "default")) if await request.body() else "default"


async def _refuse(_request: HttpRequest, error: Exception) -> HttpResponse:
    what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
    return JSONResponse({"error": what}, 400)


def _turn_clock(sandbox: Sandbox, sent: Any) -> None:  # noqa: ANN401 - JSON
    if not isinstance(sent, dict) or len(sent) != 1:
        raise ValueError(
            "send one of {'set': SECONDS}, {'step': SECONDS}, {'freeze': true}, {'run': true}"
        )
    verb, value = next(iter(sent.items()))
    if verb in {"set", "step"}:
        getattr(sandbox.clock, verb)(float(value))
    elif verb in {"freeze", "run"}:
        getattr(sandbox.clock, verb)()
    else:
        raise ValueError(f"the clock knows set, step, freeze and run, not {unquote(verb)!r}")


# sockets


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises OSError with a sentence when the port is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno,
            f"cannot listen on {host}:{port} ({error.strerror}); stop the program that uses the"
            " port, or choose another one (0 takes any free port)",
        ) from None
    sock.listen(1024)
    return sock


class _Server(uvicorn.Server):
    """Says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.at_end: Callable[[], None] | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; then do what is left to do, for uvicorn goes on to end the process by its signal."""
        await super().shutdown(sockets)
        if self.at_end is not None:
            self.at_end()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _server(sandbox: Sandbox) -> _Server:
    config = uvicorn.Config(
        Application(sandbox),
        http=_Protocol,
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="critical",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    return _Server(config)


def serve(
    sandbox: Sandbox,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    started: Callable[[str], None] | None = None,
    state_dir: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `started` is told the address as soon as it is bound.

    Port 0 takes a free one. With `state_dir` the state is written there at the start, a minute after a
    write at the latest, and at the end. Raises OSError when the port is taken.
    """
    sock = bind(host, port)
    if state_dir is not None:
        keeping.save(sandbox, state_dir)
    if started is not None:
        started(f"http://{host}:{sock.getsockname()[1]}")
    server = _server(sandbox)
    if state_dir is not None:
        server.at_end = _keep(sandbox, state_dir)
    try:
        server.run(sockets=[sock])
    finally:
        sandbox.close()


def _keep(sandbox: Sandbox, folder: Path) -> Callable[[], None]:
    """Write the state after writes, at most every `_SAVE_SECONDS`; return what does so at the end."""
    done = threading.Event()

    def save_now_and_then() -> None:
        saved = sandbox.writes
        while not done.wait(_SAVE_SECONDS):
            if sandbox.writes != saved:
                saved = sandbox.writes
                keeping.save(sandbox, folder)

    saver = threading.Thread(target=save_now_and_then, name="saving", daemon=True)
    saver.start()

    def end() -> None:
        done.set()
        saver.join()
        keeping.save(sandbox, folder)

    return end


@dataclass(slots=True)
class Running:
    """A server in a thread of this process."""

    sandbox: Sandbox
    url: str
    port: int
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """Stop serving and wait for the thread."""
        self.server.should_exit = True
        self.thread.join(_START_SECONDS)
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()


def start_in_thread(
    sandbox: Sandbox | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Running:
    """Serve in a thread; port 0 takes a free one. Raises OSError when the port is taken."""
    sandbox = sandbox or Sandbox()
    sock = bind(host, port)
    server = _server(sandbox)
    thread = threading.Thread(target=_run, args=(server, sock), name="sandbox", daemon=True)
    thread.start()
    server.ready.wait(_START_SECONDS)
    real = sock.getsockname()[1]
    return Running(sandbox, f"http://{host}:{real}", real, server, thread)


def _run(server: uvicorn.Server, sock: socket.socket) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[sock]))
