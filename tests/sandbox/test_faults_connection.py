"""Faults before there is a request: names, black holes, certificates; in process and on sockets."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys

import asana
import httpx
import notion_client
import pytest
import requests
import urllib3
from cryptography import x509

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox
from syncd.sandbox.transports import HttpxTransport, Line, RequestsTransport, Urllib3Transport

BAD = ["expired", "wrong-host", "self-signed"]
SAYS = {"expired": "certificate has expired", "wrong-host": "mismatch|not valid for",
        "self-signed": "self-signed certificate"}  # fmt: skip
ALL = [("N9", "dns"), ("N9", "black-hole"), *(("N10", kind) for kind in BAD)]


def asks(line):
    """One read with each library in process."""
    session = requests.Session()
    session.mount("https://", RequestsTransport(line))
    pool, http = Urllib3Transport(line), httpx.Client(transport=HttpxTransport(line))
    patience = urllib3.Timeout(connect=3, read=9)
    return {
        "requests": lambda: session.get("https://a.atlassian.net/rest/api/3/field", timeout=(3, 9)),
        "urllib3": lambda: pool.request(
            "GET", "https://app.asana.com/api/1.0/users/me", timeout=patience
        ),
        "httpx": lambda: http.get(
            "https://api.notion.com/v1/users/me", timeout=httpx.Timeout(9, connect=3)
        ),
    }


RAISED = {
    "requests": {"dns": requests.ConnectionError, "black-hole": requests.ConnectTimeout,
                 "tls": requests.exceptions.SSLError},
    "urllib3": {"dns": urllib3.exceptions.NameResolutionError,
                "black-hole": urllib3.exceptions.ConnectTimeoutError,
                "tls": urllib3.exceptions.SSLError},
    "httpx": {"dns": httpx.ConnectError, "black-hole": httpx.ConnectTimeout,
              "tls": httpx.ConnectError},
}  # fmt: skip


@pytest.mark.parametrize("library", RAISED)
@pytest.mark.parametrize(("fault", "variant"), ALL)
def test_in_process_it_is_the_librarys_own_exception(library, fault, variant):
    sandbox = Sandbox(SandboxClock(frozen=1.8e9))
    sandbox.faults.set([{"id": fault, "variant": variant, "method": "GET", "path": "me$|field$"}])
    answers = []
    line = Line(sandbox, after=lambda _service, _request, answer: answers.append(answer))
    with pytest.raises(RAISED[library].get(variant) or RAISED[library]["tls"]) as raised:
        asks(line)[library]()
    if variant in BAD:
        assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value)
    assert answers == [None]
    assert sandbox.clock.now() == 1.8e9 + (3 if variant == "black-hole" else 0)
    assert not sandbox.counters  # no request has come
    sandbox.faults.set([{"id": fault, "variant": variant, "method": "POST"}])
    asks(line)[library]()


def test_in_process_with_rate_and_seed_it_is_the_same_twice():
    def pattern(seed):
        sandbox = Sandbox(SandboxClock(frozen=1.8e9))
        sandbox.faults.set([{"id": "N9", "variant": "dns", "rate": 0.5, "seed": seed}])
        ask = asks(Line(sandbox))["httpx"]
        found = []
        for _time in range(30):
            try:
                ask()
                found.append(True)
            except httpx.ConnectError:
                found.append(False)
        return found

    assert pattern(1) == pattern(1) != pattern(2)
    assert len(set(pattern(1))) == 2


def test_n9_over_a_socket_a_black_hole_is_an_open_connection_without_an_answer(lab):
    assert lab.url
    lab.fault(id="N9", variant="black-hole", method="POST", path="/issue$")
    body = {"fields": {"summary": "lost"}}
    assert lab.bytes_of("jira", "POST", "/issue", body, timeout=0.3) == (b"", "open")
    assert lab.bytes_of("jira", "GET", "/serverInfo", timeout=0.3)[0].startswith(b"HTTP/1.1 200")
    assert ("jira", "POST", "/rest/api/3/issue", 201) not in lab.sandbox.counters
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{lab.url}/jira/rest/api/3/issue", timeout=0.3)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [({"id": "N9", "variant": "dns"}, "a name is looked up before there is a connection"),
     ({"id": "N10"}, "this server speaks plain http; start it with --tls"),
     ({"id": "x", "unreachable": "moon"}, "unreachable must be one of black-hole, dns")],
)  # fmt: skip
def test_what_a_server_cannot_do_is_told(lab, rule, sentence):
    answer = requests.post(f"{lab.url}/_sandbox/faults", json=[rule], timeout=5)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


# TLS


@pytest.fixture
def https(tmp_path):
    with start_in_thread(Sandbox(), tls=tmp_path) as running:
        yield running, str(tmp_path / "ca.pem")


def test_a_good_certificate_is_taken_and_links_are_https(https):
    running, ca = https
    assert running.url.startswith("https://127.0.0.1:")
    for url in (running.url, running.url.replace("127.0.0.1", "localhost")):
        answer = requests.get(f"{url}/_sandbox/healthz", verify=ca, timeout=5)
        assert answer.json()["ok"] is True
    sandbox = running.sandbox
    credentials = (sandbox.jira.email, sandbox.jira.token)
    me = requests.get(f"{url}/jira/rest/api/3/myself", auth=credentials, verify=ca, timeout=5)
    assert me.json()["self"].startswith("https://localhost:")
    with pytest.raises(requests.exceptions.SSLError, match=r"self-signed|unable to get"):
        requests.get(f"{url}/_sandbox/healthz", timeout=5)  # nobody trusts this authority by itself


@pytest.mark.parametrize("variant", BAD)
def test_n10_the_bad_certificate_is_really_shown(https, variant):
    running, ca = https
    rule = {"id": "N10", "variant": variant}
    answer = requests.post(f"{running.url}/_sandbox/faults", json=[rule], verify=ca, timeout=5)
    assert answer.json()["faults"][0]["variant"] == variant
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", running.port), 5) as plain,
        blind.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        shown = x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True))
    ended = shown.not_valid_after_utc.timestamp() < SandboxClock().now()
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    itself = shown.issuer == shown.subject
    elsewhere = names.get_values_for_type(x509.DNSName) == ["elsewhere.example"]
    kinds = {"expired": ended, "wrong-host": elsewhere, "self-signed": itself}
    assert [kind for kind, shows in kinds.items() if shows] == [variant]
    with pytest.raises(requests.exceptions.SSLError, match=SAYS[variant]):
        requests.get(f"{running.url}/jira/rest/api/3/field", verify=ca, timeout=5)
    with pytest.raises(httpx.ConnectError, match=SAYS[variant]):
        httpx.get(f"{running.url}/notion/v1/users/me", verify=ssl.create_default_context(cafile=ca))
    pool = urllib3.PoolManager(ca_certs=ca, retries=False)
    with pytest.raises(urllib3.exceptions.SSLError, match=SAYS[variant]):
        pool.request("GET", f"{running.url}/asana/api/1.0/users/me")
    assert not running.sandbox.counters


@pytest.mark.parametrize("variant", BAD)
def test_n10_the_vendors_libraries_refuse(https, variant):
    running, ca = https
    running.sandbox.faults.set([{"id": "N10", "variant": variant}])
    configuration = asana.Configuration()
    configuration.host, configuration.ssl_ca_cert = f"{running.url}/asana/api/1.0", ca
    configuration.access_token, configuration.return_page_iterator = "x", False
    configuration.retry_strategy = urllib3.Retry(False)
    client = asana.ApiClient(configuration)
    with pytest.raises((asana.rest.ApiException, urllib3.exceptions.SSLError), match=SAYS[variant]):
        asana.UsersApi(client).get_user("me", {})
    client.pool.close()
    client.pool.join()
    http = httpx.Client(verify=ssl.create_default_context(cafile=ca))
    notion = notion_client.Client(auth="x", client=http, base_url=f"{running.url}/notion")
    with pytest.raises(httpx.ConnectError, match=SAYS[variant]):
        notion.users.me()


def test_n10_rate_count_and_seed_are_of_handshakes(https):
    running, ca = https

    def asked():
        try:
            return requests.get(f"{running.url}/_sandbox/healthz", verify=ca, timeout=5).ok
        except requests.exceptions.SSLError:
            return False

    def pattern(seed):
        running.sandbox.faults.set([{"id": "N10", "rate": 0.5, "seed": seed}])
        return [asked() for _time in range(12)]

    assert pattern(1) == pattern(1)
    assert len(set(pattern(1))) == 2
    running.sandbox.faults.set([{"id": "N10", "after": 1, "count": 1}])
    assert [asked() for _time in range(3)] == [True, False, True]


def test_n10_cannot_pick_requests_over_a_socket(https):
    running, ca = https
    rule = {"id": "N10", "path": "/issue"}
    answer = requests.post(f"{running.url}/_sandbox/faults", json=[rule], verify=ca, timeout=5)
    assert answer.status_code == 400
    assert "strikes a handshake, when there is no request yet" in answer.json()["error"]


def test_faults_of_the_connection_work_over_https_too(https):
    running, ca = https
    running.sandbox.faults.set(
        [{"id": "N2", "path": "serverInfo$"}, {"id": "N3", "path": "field$"}]
    )
    for path in ("serverInfo", "field"):
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            requests.get(f"{running.url}/jira/rest/api/3/{path}", verify=ca, timeout=5)


def test_the_command_serves_https(tmp_path):
    rules = tmp_path / "faults.json"
    rules.write_text(json.dumps([{"id": "N10", "variant": "expired", "after": 1}]))
    command = [sys.executable, "-m", "syncd", "sandbox", "serve", "--port", "0", "--load", "empty",
               "--tls", str(tmp_path), "--faults", str(rules)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = json.loads(process.stdout.readline())["jira"]["url"]
        ca = str(tmp_path / "ca.pem")
        assert requests.get(f"{address}/rest/api/3/serverInfo", verify=ca, timeout=5).ok
        with pytest.raises(requests.exceptions.SSLError, match="expired"):
            requests.get(f"{address}/rest/api/3/serverInfo", verify=ca, timeout=5)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def test_the_command_refuses_faults_it_cannot_do(tmp_path):
    rules = tmp_path / "faults.json"
    rules.write_text(json.dumps([{"id": "N10"}]))
    command = [sys.executable, "-m", "syncd", "sandbox", "serve", "--port", "0", "--load", "empty",
               "--faults", str(rules)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "fault N10 cannot happen here: this server speaks plain http" in done.stderr
    assert "Traceback" not in done.stderr
