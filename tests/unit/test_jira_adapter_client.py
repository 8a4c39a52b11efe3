from __future__ import annotations

import json
import logging
import socket
import threading
import warnings
from email.utils import formatdate

import pytest
import requests
from pydantic import ValidationError
from requests.adapters import BaseAdapter

from adapters import registry
from adapters.jira.adapter import OVERLAP
from adapters.jira.client import Client
from adapters.jira.config import Config
from syncd.core.errors import (
    Gone,
    NotAllowed,
    RateLimited,
    Rejected,
    Unavailable,
    Unexpected,
    UserError,
)
from syncd.testing.builders import MOMENT
from syncd.testing.fakes import FakeClock

URL = "https://acme.example"
TOKEN = "s3cr3t-token-ATATT"
JSON = {"Content-Type": "application/json"}


class Canned(BaseAdapter):
    """A transport that gives prepared answers: (status, headers, body) or an exception."""

    def __init__(self, *answers) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request, **_):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, headers, response._content = answer
        response.headers.update(headers)
        response.request = request
        response.url = request.url
        return response

    def close(self):
        pass


def client(*answers, url=URL, secret=lambda: TOKEN):
    clock = FakeClock()
    transport = Canned(*answers) if answers else None
    config = Config(url=url, email="robot@acme.example")
    made = Client("work", config, secret=secret, clock=clock, transport=transport)
    return made, transport, clock


def failure(expected, *answers, write=False, path="issue/10001", **more):
    made, transport, _clock = client(*answers, **more)
    with pytest.raises(expected) as caught:
        (made.write if write else made.read)("PUT" if write else "GET", path)
    assert TOKEN not in str(caught.value)
    assert str(caught.value).startswith("work: Jira at ")
    return caught.value, transport


def test_request_carries_credential_and_json_and_returns_json_and_time():
    body = b'{"id": "1"}'
    made, transport, _ = client((200, {**JSON, "Date": formatdate(MOMENT, usegmt=True)}, body))
    reply = made.read("POST", "search/jql", query={"a": 1}, body={"jql": "x"})
    assert (reply.json, reply.served_at) == ({"id": "1"}, MOMENT)
    (sent,) = transport.requests
    assert sent.url == f"{URL}/rest/api/3/search/jql?a=1"
    assert sent.headers["Authorization"].startswith("Basic ")
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.body == b'{"jql":"x"}'


def test_empty_answer_is_none():
    made, _, _ = client((204, {}, b""))
    assert made.write("PUT", "issue/1", body={}).json is None


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected", "words"),
    [
        (401, {}, b"", NotAllowed, "credential"),
        (401, {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}, b"", NotAllowed, "DENIED"),
        (403, JSON, b'{"errorMessages": ["No browsing."]}', NotAllowed, "No browsing."),
        (404, JSON, b'{"errorMessages": ["Issue does not exist"]}', Gone, "issue 10001"),
        (404, {}, b"<html><title>Oops</title></html>", Unexpected, "Oops"),
        (302, {"Location": "https://id.example/login?t=1"}, b"", Unexpected, "id.example/login"),
        (200, {}, b"<html><title>Log in</title></html>", Unexpected, "Log in"),
        (400, JSON, b'{"errorMessages": ["Bad JQL"]}', Rejected, "Bad JQL"),
        (410, JSON, b'{"errorMessages": ["removed"]}', Unexpected, "410"),
        (405, JSON, b'{"message": "HTTP 405"}', Unexpected, "405"),
        (418, JSON, b"[1]", Unexpected, "418"),
        (400, JSON, b"null", Unexpected, "400"),
        (400, JSON, b'{"errorMessages": null, "errors": null}', Rejected, "without a reason"),
        (500, JSON, b'{"errorMessages": ["boom"]}', Unavailable, "boom"),
        (502, {}, b"<html>Bad gateway</html>", Unavailable, "Bad gateway"),
        (503, {"Retry-After": "500"}, b"", RateLimited, "500 seconds"),
        (429, {"Retry-After": "500", "RateLimit-Reason": "jira-quota-global-based"}, b"",
         RateLimited, "jira-quota-global-based"),
    ],
)  # fmt: skip
def test_answer_becomes_the_error_it_means(status, headers, body, expected, words):
    error, _ = failure(expected, (status, headers, body))
    assert words in str(error)
    assert not error.maybe_applied


def test_token_of_another_site_is_told_by_a_missing_myself():
    error, _ = failure(Unexpected, (404, JSON, b'{"errorMessages": ["none"]}'), path="myself")
    assert "check that `url`" in str(error)


def test_refused_values_name_their_fields():
    body = b'{"errorMessages": [], "errors": {"customfield_10010": "is too long"}}'
    made, _, _ = client((400, JSON, body))
    made.names["customfield_10010"] = "Team"
    with pytest.raises(Rejected) as caught:
        made.write("PUT", "issue/1", body={})
    assert caught.value.fields == {"customfield_10010": "is too long"}
    assert "Team: is too long" in str(caught.value)


def test_a_project_that_may_not_be_seen_any_more_is_named():
    said = "A value with ID '10001' does not exist for the field 'project'."
    made, _, _ = client((400, JSON, json.dumps({"errorMessages": [said], "errors": {}}).encode()))
    made.names["10001"] = "the project Mobile App"
    with pytest.raises(Rejected) as caught:
        made.read("GET", "search/jql")
    assert "can no longer see the project Mobile App; give it access again" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "maybe", "sent"),
    [
        (requests.ReadTimeout("30 s"), True, 1),
        (requests.ConnectionError("aborted"), True, 1),
        (requests.exceptions.ChunkedEncodingError("cut"), True, 1),
        ((500, {}, b""), True, 1),
        ((503, {"Retry-After": "1"}, b""), True, 1),
        ((200, {}, b"<html>proxy</html>"), True, 1),
        (requests.ConnectTimeout("5 s"), False, 5),
        ((429, {"Retry-After": "1"}, b""), False, 5),
        ((409, JSON, b'{"errorMessages": ["busy"]}'), False, 5),
        ((400, JSON, b'{"errorMessages": ["no"]}'), False, 1),
        ((401, {}, b""), False, 1),
        (requests.exceptions.SSLError("certificate"), False, 1),
    ],
    ids=str,
)
def test_write_is_sent_once_unless_it_certainly_did_nothing(answer, maybe, sent):
    error, transport = failure(Exception, answer, write=True)
    assert (error.maybe_applied, len(transport.requests)) == (maybe, sent)


def test_reads_are_repeated():
    made, transport, clock = client(
        requests.ReadTimeout("30 s"), (502, {}, b"x"), (429, {"Retry-After": "9"}, b""),
        (200, JSON, b"{}"),
    )  # fmt: skip
    assert made.read("GET", "myself").json == {}
    assert len(transport.requests) == 4
    assert sum(clock.naps) >= 9
    assert made.caller.by_name == {"GET myself": 4}


def test_new_secret_is_asked_for_after_a_refusal():
    secrets = iter(["old", "new"])
    made, transport, _ = client((401, {}, b""), (200, JSON, b"{}"), secret=lambda: next(secrets))
    with pytest.raises(NotAllowed):
        made.read("GET", "myself")
    made.read("GET", "myself")
    first, second = (request.headers["Authorization"] for request in transport.requests)
    assert first != second


def test_nothing_is_logged_with_the_credential(caplog):
    caplog.set_level(logging.DEBUG)
    failure(Rejected, (400, JSON, b'{"errorMessages": ["no"]}'))
    failure(Unavailable, (502, {}, b"x"))
    assert "Authorization" not in caplog.text
    assert TOKEN not in caplog.text


def test_token_with_any_letters_is_sent_as_it_is():
    made, transport, _ = client((200, JSON, b"{}"), secret=lambda: "tökén-日本")
    made.read("GET", "myself")
    assert transport.requests[0].headers["Authorization"].startswith("Basic ")


def test_nobody_listening_is_said_so():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error, _ = failure(Unavailable, url=f"http://127.0.0.1:{port}", write=True)
    assert "is it running" in str(error)
    assert not error.maybe_applied


def test_unknown_host_is_said_so():
    error, _ = failure(Unavailable, url="https://no-such-host.invalid")
    assert "has no address" in str(error) or "is it running" in str(error)  # by the name service


def test_connection_dropped_after_sending_is_unknown():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def drop() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.close()

        thread = threading.Thread(target=drop)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        error, _ = failure(Unavailable, url=url, write=True)
        thread.join()
    assert error.maybe_applied


def test_close_gives_back_the_sockets():
    made, _, _ = client((200, JSON, b"{}"))
    made.read("GET", "myself")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.close()
    assert made.read("GET", "myself").json == {}  # and opens again when needed


# configuration ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "acme.atlassian.net"}, "write an address like"),
        ({"url": "http://acme.atlassian.net"}, "write https://"),
        ({"url": "https://a:b@acme.example"}, "as `email`"),
        ({"url": "https://acme.example/browse/WEB-1"}, "only the address of the site"),
        ({"url": "https://acme.example/?x=1"}, "only the address of the site"),
        ({"email": "robot"}, "e-mail address"),
        ({"token": "abc"}, "Extra inputs"),
        ({"requests_per_second": 0}, "greater than 0"),
    ],
)
def test_configuration_that_cannot_work_is_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        Config(**{"url": URL, "email": "robot@acme.example", **given})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/jira", "http://localhost:1/", "http://[::1]:2"]
)
def test_plain_http_is_for_this_machine(url):
    assert Config(url=url, email="a@b").url == url.rstrip("/")


def test_links_use_the_address_people_open():
    gateway = "https://api.atlassian.com/ex/jira/123"
    assert Config(url=gateway, email="a@b", site_url=URL + "/").browse_url == URL
    assert Config(url=URL, email="a@b").browse_url == URL


# registry ---------------------------------------------------------------------------------------


def test_registry_knows_the_kinds():
    assert {"asana", "jira", "notion"} <= set(registry.kinds())
    assert registry.config_model("jira") is Config


def test_registry_suggests_a_kind():
    with pytest.raises(UserError, match="did you mean jira"):
        registry.config_model("jiraa")


def test_jira_has_no_pages():
    adapter = registry.connect(
        "jira", "work", Config(url=URL, email="a@b"), secret=lambda: "x", clock=FakeClock()
    )
    assert registry.publisher(adapter) is None
    adapter.close()


def test_the_search_is_trusted_no_sooner_after_a_creation_than_by_a_read():
    assert Config(url=URL, email="robot@acme.example").index_lag * 1000 >= OVERLAP
