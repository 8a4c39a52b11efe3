"""Our adapters meet connections that cannot be made: names, black holes and certificates."""

from __future__ import annotations

import contextlib

import pytest

from adapters import registry
from syncd.core.errors import SourceError
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox
from syncd.sandbox.transports import HttpxTransport, Line, RequestsTransport, Urllib3Transport
from syncd.testing.fakes import FakeClock

KINDS = ["jira", "asana", "notion"]
TRANSPORTS = {"jira": RequestsTransport, "asana": Urllib3Transport, "notion": HttpxTransport}


@contextlib.contextmanager
def connected(kind, sandbox, url, transport=None):
    """Give an adapter, and close it."""
    stand_in = sandbox.service(kind)
    given = {"url": f"{url}/{kind}", **({"email": stand_in.email} if kind == "jira" else {})}
    config = registry.config_model(kind)(**given)
    adapter = registry.connect(kind, kind, config, secret=lambda: stand_in.token, clock=FakeClock(),
                               transport=transport)  # fmt: skip
    with contextlib.closing(adapter):
        yield adapter


def container(kind, sandbox):
    """Make and return something to discover."""
    if kind == "jira":
        sandbox.jira.add_project("WEB", "Web shop")
    return ["WEB"] if kind == "jira" else []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "variant", "word"),
    [("N9", "dns", "has no address"), ("N9", "black-hole", "does not accept connections"),
     *(("N10", variant, "shows a certificate") for variant in ("expired", "wrong-host", "self-signed"))],
)  # fmt: skip
def test_in_process_an_adapter_says_why_it_cannot_connect(kind, fault, variant, word):
    sandbox = Sandbox(SandboxClock(frozen=1.8e9))
    names = container(kind, sandbox)
    with connected(
        kind, sandbox, "https://sandbox.example", TRANSPORTS[kind](Line(sandbox))
    ) as adapter:
        sandbox.faults.set([{"id": fault, "variant": variant}])
        with pytest.raises(SourceError, match=word):
            adapter.discover(names)
        assert not sandbox.counters
        sandbox.faults.set([])
        assert adapter.discover(names) is not None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", ["expired", "wrong-host", "self-signed"])
def test_n10_an_adapter_refuses_the_bad_certificate(kind, variant, tmp_path, monkeypatch):
    sandbox = Sandbox()
    names = container(kind, sandbox)
    with start_in_thread(sandbox, tls=tmp_path) as running:
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
        if kind != "asana":  # whose library looks at no setting for authorities to trust
            with connected(kind, sandbox, running.url) as adapter:
                assert adapter.discover(names) is not None
        sandbox.counters.clear()
        sandbox.faults.set([{"id": "N10", "variant": variant}])
        with (
            connected(kind, sandbox, running.url) as adapter,
            pytest.raises(SourceError, match="shows a certificate"),
        ):
            adapter.discover(names)
        assert not sandbox.counters
