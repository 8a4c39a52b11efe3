"""Sends webhooks over HTTP in the background, while a server runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx

from syncd.sandbox.services import Sandbox
from syncd.sandbox.webhooks import Reply

PATIENCE = 10.0  # seconds a receiver has to answer
_LOOK = 0.05  # seconds between looks for what is due
_AT_ONCE = 8  # subscriptions served at the same time


class Courier:
    """Carries the sandbox's webhooks to receivers on this machine."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._free = threading.Condition(sandbox.lock)
        self._done = threading.Event()
        self._client = httpx.Client(timeout=PATIENCE, trust_env=False, follow_redirects=False)
        self._carriers = ThreadPoolExecutor(_AT_ONCE, "carrying webhooks")
        self._senders = ThreadPoolExecutor(2 * _AT_ONCE, "sending webhooks")
        self._round = threading.Thread(target=self._go_round, name="webhooks", daemon=True)

    def start(self) -> None:
        """Be the sandbox's way out from now on."""
        self._sandbox.line.post, self._sandbox.line.local = self.post, True
        self._round.start()

    def stop(self) -> None:
        """Let what is under way end, and send nothing more."""
        self._done.set()
        self._round.join()
        for pool in (self._carriers, self._senders):
            pool.shutdown(cancel_futures=True)
        self._client.close()
        self._sandbox.line.post, self._sandbox.line.local = None, False

    def _go_round(self) -> None:
        dispatcher = self._sandbox.dispatcher
        while not self._done.wait(_LOOK):
            dispatcher.carry_late()
            for batch in dispatcher.take():
                self._carriers.submit(dispatcher.carry, batch, self._goes_on)

    def _goes_on(self) -> bool:
        return not self._done.is_set()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send one POST; raises OSError. Whoever waits for it lets go of the sandbox's lock.

        So a handshake in the middle of a request holds up no other request.
        """
        sent = self._senders.submit(self._send, url, headers, body)
        sent.add_done_callback(lambda _sent: self._tell())
        with self._free:
            self._free.wait_for(sent.done)
        return sent.result()

    def _tell(self) -> None:
        with self._free:
            self._free.notify_all()

    def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            answer = self._client.post(url, headers=dict(headers), content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(str(error) or type(error).__name__) from error
        return Reply(answer.status_code, dict(answer.headers), answer.content)
