"""The sandbox as an ASGI application: the services, the pages for people, and the controls."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncd.sandbox.controls import controls
from syncd.sandbox.face import Face
from syncd.sandbox.faults import SOCKETS
from syncd.sandbox.services import SERVICES, Outcome, Sandbox
from syncd.sandbox.webhooks import calls_out
from syncd.sandbox.wire import Request, Response, query_pairs

_LOG = logging.getLogger(__name__)
_TRANSPORT = "syncd.transport"


class Protocol(HttpToolsProtocol):
    """Hands each request the connection it came on, so that a fault can close it."""

    def on_message_begin(self) -> None:
        """Note the connection of the request."""
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
        if self.sandbox.unreachable(SOCKETS, service, request):
            await _left(receive)
            return
        limits = self.sandbox.limits
        refused = limits.enter(service, request)
        try:
            outcome = Outcome(refused) if refused else await self._exchange(service, request)
            if outcome.delay:
                await asyncio.sleep(outcome.delay)
            if outcome.response is None:
                await _hang_up(scope, receive)
            else:
                await _send(outcome, outcome.response, scope, receive, send)
        finally:
            limits.leave(service, request)

    async def _exchange(self, service: str, request: Request) -> Outcome:
        try:
            if calls_out(service, request):  # a receiver may ask the services before it answers
                return await asyncio.to_thread(self.sandbox.exchange, service, request)
            return self.sandbox.exchange(service, request)
        except Exception:  # the server's own log is off, for faults would fill it
            _LOG.exception(
                "a fault of the %s stand-in itself: %s %s", service, request.method, request.path
            )
            raise


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
    await _left(receive)


async def _left(receive: Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _let_linger(transport: asyncio.Transport) -> None:
    """Make the close of a connection a reset: SO_LINGER with a time of 0."""
    number = transport.get_extra_info("socket").fileno()
    twin = socket.socket(fileno=os.dup(number))
    twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    twin.close()
