"""A real receiver of webhooks on 127.0.0.1, for tests."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Arrived:
    """One POST that came in; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def signed_with(self, secret, header, prefix=""):
        """Tell whether the signature over the raw bytes is right."""
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers.get(header, ""), prefix + digest)


@dataclass
class Receiver:
    """Keeps what comes, echoes Asana's secret, answers with `status`; `on_post` may do more."""

    status: int = 200
    delay: float = 0.0
    on_post: object = None
    arrived: list[Arrived] = field(default_factory=list)

    def __enter__(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = Arrived(self.path, headers, self.rfile.read(length))
                if receiver.on_post is not None:
                    receiver.on_post(got)
                time.sleep(receiver.delay)
                receiver.arrived.append(got)
                self.send_response(receiver.status)
                if "x-hook-secret" in headers:
                    self.send_header("X-Hook-Secret", headers["x-hook-secret"])
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_exc):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def wait(self, count, seconds=5.0):
        """Return what arrived, as soon as it is so many; fails after a while."""
        end = time.monotonic() + seconds
        while len(self.arrived) < count:
            assert time.monotonic() < end, f"{len(self.arrived)} of {count} arrived"
            time.sleep(0.01)
        return self.arrived

    def quiet(self, seconds=0.3):
        """Wait a little; return how many have arrived."""
        time.sleep(seconds)
        return len(self.arrived)
