"""The sandbox behind a socket: uvicorn around its ASGI application."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Self

import uvicorn

from syncd.sandbox import keeping
from syncd.sandbox.asgi import Application, Protocol
from syncd.sandbox.courier import Courier
from syncd.sandbox.faults import SOCKETS, TLS
from syncd.sandbox.services import Dropped, Sandbox

__all__ = ["Application", "Dropped", "Running", "Sandbox", "bind", "serve", "start_in_thread"]

_START_SECONDS = 20
_SAVE_SECONDS, _SLOWEST = 0.5, 60.0
_SHARE = 20
"""Saving may take one part in this many of the time: a large state is written less often."""


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
        self.courier: Courier | None = None  # carries webhooks
        self.at_end: Callable[[], None] | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; then do what is left to do, for uvicorn goes on to end the process by its signal."""
        if (
            self.config.ssl is not None
        ):  # clients that just go away leave TLS waiting for their word
            for connection in list(self.server_state.connections):
                connection.transport.abort()
        await super().shutdown(sockets)
        if self.courier is not None:
            self.courier.stop()
        if self.at_end is not None:
            self.at_end()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.courier is not None:
            self.courier.start()
        self.ready.set()


def _server(sandbox: Sandbox, tls: Path | None) -> _Server:
    """Return a server for the sandbox; with https when `tls` names a folder for its authority."""
    config = uvicorn.Config(
        Application(sandbox),
        http=Protocol,
        loop="uvloop"
        if tls is None
        else "asyncio",  # uvloop leaves TLS connections open at its end
        lifespan="off",
        access_log=False,
        log_level="critical",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    config.load()
    sandbox.faults.hold_for(SOCKETS if tls is None else SOCKETS | TLS)
    if tls is not None:
        config.ssl = _https(sandbox, tls)
    server = _Server(config)
    server.courier = Courier(sandbox)
    return server


def _https(sandbox: Sandbox, folder: Path) -> ssl.SSLContext:
    from syncd.sandbox.tls import choosing, contexts  # noqa: PLC0415 - its library is large

    return choosing(contexts(folder), lambda: sandbox.unreachable(TLS))


def serve(
    sandbox: Sandbox,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    started: Callable[[str], None] | None = None,
    state_dir: Path | None = None,
    tls: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `started` is told the address as soon as it is bound.

    Port 0 takes a free one. With `state_dir` the state is written there at the start, soon after writes
    (half a second, for a large one up to a minute), and at the end. With `tls` it is https; the
    certificate to trust is written to `ca.pem` in that folder. Raises OSError when the port is taken,
    ValueError for faults that cannot be and for a `state_dir` that another sandbox has.
    """
    server = _server(sandbox, tls)
    sock = bind(host, port)
    with nullcontext() if state_dir is None else keeping.claimed(state_dir):
        if state_dir is not None:
            keeping.save(sandbox, state_dir)
        if started is not None:
            started(_url(tls, host, sock))
        if state_dir is not None:
            server.at_end = _keep(sandbox, state_dir)
        try:
            server.run(sockets=[sock])
        finally:
            sandbox.close()


def _url(tls: Path | None, host: str, sock: socket.socket) -> str:
    return f"{'http' if tls is None else 'https'}://{host}:{sock.getsockname()[1]}"


def _keep(sandbox: Sandbox, folder: Path) -> Callable[[], None]:
    """Write the state soon after writes; return what does so at the end."""
    done = threading.Event()

    def save_now_and_then() -> None:
        saved, pause = sandbox.writes, _SAVE_SECONDS
        while not done.wait(pause):
            if sandbox.writes != saved:
                saved, began = sandbox.writes, perf_counter()
                keeping.save(sandbox, folder)
                took = perf_counter() - began
                pause = min(_SLOWEST, max(_SAVE_SECONDS, _SHARE * took))

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
    sandbox: Sandbox | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: Path | None = None,
) -> Running:
    """Serve in a thread; otherwise as `serve`."""
    sandbox = sandbox or Sandbox()
    server = _server(sandbox, tls)
    sock = bind(host, port)
    thread = threading.Thread(target=_run, args=(server, sock), name="sandbox", daemon=True)
    thread.start()
    server.ready.wait(_START_SECONDS)
    real = sock.getsockname()[1]
    return Running(sandbox, _url(tls, host, sock), real, server, thread)


def _run(server: uvicorn.Server, sock: socket.socket) -> None:
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[sock]))
