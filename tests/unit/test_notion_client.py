"""How requests leave for Notion, and which error each failure becomes."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
from collections.abc import Callable

import httpx
import pytest

from adapters.http import Caller, Site
from adapters.notion.client import Client, walk
from syncd.core.errors import (
    Gone,
    NotAllowed,
    RateLimited,
    Rejected,
    SourceError,
    Unavailable,
    Unexpected,
)
from syncd.testing.fakes import FakeClock

SITE = Site("notion", "Notion", "https://api.notion.example")
TOKEN = "ntn_" + "s3cret" * 8


def client_of(
    answer: Callable[[httpx.Request], httpx.Response], secret: Callable[[], str] = lambda: TOKEN
) -> Client:
    clock = FakeClock()
    caller = Caller("notion", clock, rate=100, burst=100)
    return Client(SITE, secret, clock, caller, httpx.MockTransport(answer))


def error_json(status: int, code: str, message: str = "no", **data: object) -> httpx.Response:
    body = {"object": "error", "status": status, "code": code, "message": message}
    return httpx.Response(status, json={**body, **({"additional_data": data} if data else {})})


def failure(
    answer: httpx.Response | Exception, *, write: bool = False
) -> tuple[SourceError, Client]:
    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = client_of(respond)
    try:
        if write:
            client.write("POST", "pages", 'the data source "Roadmap"', {})
        else:
            client.get("pages/1", "the page 1")
    except SourceError as error:
        return error, client
    pytest.fail("nothing was raised")


def test_requests_carry_version_token_and_only_what_was_given():
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"object": "list", "id": "x"})

    client = client_of(answer)
    client.ask("search", "all", {"query": "a"}, [("filter_properties", "swq\\"), ("f", "<nJT")])
    client.write("PATCH", "pages/1", "the page 1", {"properties": {}})

    assert seen[0].headers["notion-version"] == "2026-03-11"
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert str(seen[0].url) == (
        "https://api.notion.example/v1/search?filter_properties=swq%5C&f=%3CnJT"
    )
    assert json.loads(seen[0].content) == {"query": "a"}
    assert (seen[1].method, json.loads(seen[1].content)) == ("PATCH", {"properties": {}})
    assert client.caller.by_name == {"POST search": 1, "PATCH pages": 1}


def test_time_limits_are_ours_and_redirects_are_not_followed():
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(302, headers={"location": "https://evil.example/x?code=1"})

    with pytest.raises(Unexpected, match=r"sends elsewhere \(https://evil\.example/x\)"):
        client_of(answer).get("users/me", "me")
    assert len(seen) == 1
    limits = seen[0].extensions["timeout"]
    assert (limits["connect"], limits["read"], limits["write"]) == (5.0, 30.0, 30.0)


def test_nothing_is_logged_and_no_handler_is_left_behind(caplog):
    before = list(logging.getLogger("notion_client").handlers)
    with caplog.at_level(logging.DEBUG, logger="notion_client"):
        failure(error_json(404, "object_not_found"))
    assert [record for record in caplog.records if "notion" in record.name] == []
    assert logging.getLogger("notion_client").handlers == before


@pytest.mark.parametrize(
    ("answer", "kind", "advice"),
    [
        (error_json(401, "unauthorized", "API token is invalid."), NotAllowed, "make a new token"),
        (error_json(403, "restricted_resource"), NotAllowed, "give it the capabilities"),
        (error_json(404, "object_not_found"), Gone, "••• > Connections"),
        (
            error_json(400, "validation_error", "Status is wrong"),
            Rejected,
            "take it out of the mapping",
        ),
        (error_json(413, "validation_error", "too large"), Rejected, "take it out of the mapping"),
        (error_json(400, "validation_error", "Can't edit block that is archived."), Gone, "trash"),
        (error_json(400, "invalid_json", "Error parsing"), Unexpected, "report it"),
        (error_json(400, "missing_version", "no version"), Unexpected, "report it"),
        (error_json(409, "conflict_error"), Unavailable, "tried again"),
        (error_json(409, "row_limit_exceeded", "too many rows"), Rejected, "archive pages"),
        (error_json(418, "teapot"), Unexpected, "status 418"),
        (error_json(500, "internal_server_error"), Unavailable, "next cycle"),
        (error_json(503, "service_unavailable"), Unavailable, "next cycle"),
        (error_json(504, "gateway_timeout"), Unavailable, "next cycle"),
        (httpx.Response(502, html="<html><h1>Bad gateway</h1>"), Unavailable, "Bad gateway"),
        (httpx.Response(404, html="<html>Not here"), Unexpected, "check that `url`"),
        (httpx.Response(200, html="<html>Log in"), Unexpected, "not its API (status 200: Log in)"),
        (httpx.Response(200, json=[1]), Unexpected, "no object"),
        (httpx.ConnectError("refused"), Unavailable, "is it running"),
        (httpx.ConnectTimeout("slow"), Unavailable, "is it running"),
        (httpx.ReadTimeout("slow"), Unavailable, "did not answer"),
        (httpx.RemoteProtocolError("half"), Unavailable, "did not answer"),
    ],
)
def test_every_failure_of_a_read_is_one_sentence_that_says_what_to_do(answer, kind, advice):
    error, _ = failure(answer)
    assert type(error) is kind
    assert advice in str(error)
    assert str(error).startswith("notion: Notion at https://api.notion.example ")
    assert "\n" not in str(error)
    assert TOKEN not in str(error)
    assert error.maybe_applied is False


@pytest.mark.parametrize(
    ("answer", "maybe"),
    [
        (error_json(400, "validation_error"), False),
        (error_json(403, "restricted_resource"), False),
        (error_json(409, "conflict_error"), False),
        (error_json(429, "rate_limited"), False),
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.ReadTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.RemoteProtocolError("closed"), True),
        (error_json(500, "internal_server_error"), True),
        (httpx.Response(502, html="<html>"), True),
        (error_json(503, "service_unavailable"), True),
        (httpx.Response(200, html="<html>Log in"), True),
        (
            httpx.Response(200, content=b'{"id": ', headers={"content-type": "application/json"}),
            True,
        ),
        (httpx.Response(200, json=None), True),
    ],
)
def test_a_write_is_in_doubt_exactly_when_it_may_have_been_made(answer, maybe):
    error, client = failure(answer, write=True)
    assert error.maybe_applied is maybe
    if maybe:
        assert client.caller.calls == 1, "a write in doubt is never sent again"


def test_a_503_that_names_what_it_saved_is_a_success():
    client = client_of(
        lambda request: error_json(
            503,
            "service_unavailable",
            committed_resource_id="page-1",
            committed_child_ids=["b1", "b2"],
        )
    )
    written = client.write("POST", "pages", "the page", {})
    assert (written.id, written.body, written.children) == ("page-1", None, ("b1", "b2"))
    assert client.caller.calls == 1
    with pytest.raises(Unavailable):
        client.get("pages/1", "the page 1")


@pytest.mark.parametrize("status", [429, 529])
@pytest.mark.parametrize(
    ("headers", "data", "delay"),
    [
        ({"retry-after": "7"}, {}, 7),
        ({"retry-after": "300"}, {"retry_after": "12"}, 300),
        ({}, {"retry_after": "12"}, 12),
        ({}, {}, 10),
    ],
)
def test_what_the_service_asks_for_is_waited_for(status, headers, data, delay):
    def answer(request: httpx.Request) -> httpx.Response:
        code = "rate_limited" if status == 429 else "service_overload"
        response = error_json(status, code, **data)
        response.headers.update(headers)
        return response

    with pytest.raises(RateLimited) as caught:
        client_of(answer).write("PATCH", "pages/1", "the page 1", {})
    assert caught.value.delay == delay


def test_a_blocked_connection_is_not_asked_again():
    error, client = failure(
        error_json(429, "rate_limited", rate_limit_reason="public_api_request_blocked")
    )
    assert type(error) is NotAllowed
    assert "blocked" in str(error)
    assert client.caller.calls == 1


def test_reads_are_tried_again_writes_only_when_surely_without_effect():
    count = 0

    def flaky(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if count < 3:
            return error_json(503 if request.method == "GET" else 409, "conflict_error")
        return httpx.Response(200, json={"id": "p"})

    assert client_of(flaky).get("pages/1", "the page 1") == {"id": "p"}
    count = 0
    assert client_of(flaky).write("PATCH", "pages/1", "the page 1", {}).id == "p"
    assert count == 3


def test_certificate_and_host_name_have_sentences_of_their_own():
    def caused(cause: Exception) -> Exception:
        error = httpx.ConnectError("failed")
        error.__cause__ = cause
        return error

    insecure, _ = failure(caused(ssl.SSLCertVerificationError("self-signed")))
    assert "certificate" in str(insecure)
    unknown, _ = failure(caused(socket.gaierror("no such host")))
    assert "typing errors" in str(unknown)


def test_a_refused_token_is_asked_for_again_before_the_next_request():
    tokens = iter(["ntn_old", "ntn_new"])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "Bearer ntn_old":
            return error_json(401, "unauthorized")
        return httpx.Response(200, json={"id": "me"})

    client = client_of(answer, lambda: next(tokens))
    with pytest.raises(NotAllowed):
        client.get("users/me", "me")
    assert client.get("users/me", "me") == {"id": "me"}


@pytest.mark.parametrize("token", ["", "  ", "ntn a", "ntn_\nX: y", "ntn_é"])
def test_a_token_that_cannot_be_one_is_not_sent(token):
    client = client_of(lambda request: pytest.fail("sent"), lambda: token)
    with pytest.raises(NotAllowed, match="empty or holds characters"):
        client.get("users/me", "me")


def test_the_servers_time_is_that_of_the_last_answer():
    dates = iter(["Sat, 04 Jul 2026 09:12:41 GMT", "nonsense"])
    client = client_of(lambda request: httpx.Response(200, json={}, headers={"date": next(dates)}))
    assert client.served_at is None
    client.get("users/me", "me")
    assert client.served_at == 1783156361.0
    client.get("users/me", "me")
    assert client.served_at is None


def test_broken_gzip_is_no_crash():
    body = gzip.compress(b"{}")[:-9] + b"garbage!!"
    headers = {"content-encoding": "gzip", "content-type": "application/json"}

    class Broken(httpx.SyncByteStream):
        def __iter__(self):
            yield body

    error, _ = failure(httpx.Response(200, headers=headers, stream=Broken()), write=True)
    assert error.maybe_applied is True


def listing(*answers: dict[str, object]) -> list[dict[str, object]]:
    left = iter(answers)
    return list(walk(SITE, lambda cursor: dict(next(left), asked=cursor)))


def test_a_list_is_read_to_its_end():
    answers = listing(
        {"results": [1], "has_more": True, "next_cursor": "a"},
        {"results": [2], "has_more": False, "next_cursor": None},
    )
    assert [answer["asked"] for answer in answers] == [None, "a"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([{"results": [1], "has_more": True, "next_cursor": "a"}] * 3, "repeated a page"),
        ([{"results": [], "has_more": True, "next_cursor": "a"}], "empty page"),
        ([{"results": [1], "has_more": True, "next_cursor": None}], "not where"),
        ([{"object": "list"}], "no results"),
    ],
)
def test_a_list_that_leads_nowhere_is_refused(answers, words):
    with pytest.raises(Unexpected, match=words):
        listing(*answers)
