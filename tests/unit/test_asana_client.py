"""Requests to Asana: the library's traps stay shut, and every failure gets its name."""

from __future__ import annotations

import http.server
import logging
import threading

import orjson
import pytest
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from adapters.asana.client import Client, Get
from adapters.asana.config import Config
from syncd.core.errors import (
    Gone,
    NotAllowed,
    RateLimited,
    Rejected,
    SourceError,
    Stale,
    Unavailable,
    Unexpected,
)
from syncd.testing.fakes import FakeClock

TOKEN = "2/1200/secret-token-4711"


class Script(urllib3.PoolManager):
    """Gives the answers it was told to, in order; the last one again and again."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)
        self.asked = []

    def urlopen(self, method, url, redirect=True, **kw):
        self.asked.append((method, url, kw))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        body = body if isinstance(body, bytes) else orjson.dumps(body)
        return urllib3.HTTPResponse(
            body, headers=headers[0] if headers else {}, status=status, preload_content=False
        )


def client(*answers, secret=lambda: TOKEN):
    script = Script(*answers)
    made = Client("asana", Config(), secret=secret, clock=FakeClock(), transport=script)
    return made, script


def error(message):
    return {"errors": [{"message": message, "help": "See the documentation."}]}


def read(answer):
    made, script = client(answer)
    with pytest.raises(SourceError) as caught:
        made.get("/tasks/{task}", task="12")
    return caught.value, len(script.asked)


def write(answer):
    made, script = client(answer)
    with pytest.raises(SourceError) as caught:
        made.write("PUT", "/tasks/{task}", {"name": "x"}, {}, task="12")
    return caught.value, len(script.asked)


# what goes out ----------------------------------------------------------------------------------


def test_request_carries_token_time_limits_and_fields():
    made, script = client((200, {"data": {}}))
    made.get("/tasks/{task}", query={"opt_fields": "name,tags.name"}, task="1/2")
    ((method, url, kw),) = script.asked
    assert method == "GET"
    assert url == "https://app.asana.com/api/1.0/tasks/1%2F2?opt_fields=name%2Ctags.name"
    assert kw["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert (kw["timeout"].connect_timeout, kw["timeout"].read_timeout) == (5.0, 30.0)


def test_write_wraps_its_data():
    made, script = client((201, {"data": {"gid": "1"}}))
    made.write("POST", "/tasks", {"name": "é\u00a0"}, {"opt_fields": "name"})
    ((method, url, kw),) = script.asked
    assert (method, url) == ("POST", "https://app.asana.com/api/1.0/tasks?opt_fields=name")
    assert orjson.loads(kw["body"]) == {"data": {"name": "é\u00a0"}}


def test_no_break_space_comes_through():
    made, _ = client((200, {"data": {"name": "a\u00a0b"}}))
    assert made.get("/users/me")["data"]["name"] == "a\u00a0b"


def test_library_leaves_no_log_handlers_and_no_threads_behind():
    made, _ = client((200, {"data": {}}))
    before = threading.active_count()
    made.get("/users/me")
    assert threading.active_count() == before
    for name in ("asana", "urllib3"):
        handlers = logging.getLogger(name).handlers
        assert not [h for h in handlers if not isinstance(h, logging.NullHandler)]


def test_secret_is_asked_again_after_it_was_refused():
    tokens = iter(["old", "new"])
    made, script = client(
        (401, error("Not Authorized")), (200, {"data": {}}), secret=lambda: next(tokens)
    )
    with pytest.raises(NotAllowed):
        made.get("/users/me")
    made.get("/users/me")
    assert [kw["headers"]["Authorization"] for _, _, kw in script.asked] == [
        "Bearer old",
        "Bearer new",
    ]


# what comes back --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((400, error("opt_fields: Bad")), Rejected, "opt_fields: Bad"),
        ((401, error("Not Authorized")), NotAllowed, "make a new token"),
        ((402, error("Premium only")), NotAllowed, "paid plan"),
        ((403, error("Forbidden")), NotAllowed, "read task 12"),
        ((404, error("task: Unknown object: 12")), Gone, "task 12"),
        ((404, b"<html>nginx 404</html>"), Unexpected, "nginx 404"),
        ((412, {**error("Sync token invalid"), "sync": "x"}), Stale, "read again"),
        ((200, b"<html>Log in</html>"), Unexpected, "Log in"),
        ((200, b"[]"), Unexpected, "not its API"),
        ((204, b""), Unexpected, "no text"),
        ((301, b"", {"location": "https://evil.example/?t=1"}), Unexpected, "https://evil.example"),
        ((400, error("truncated: the set is too large")), Rejected, "split the project"),
        (SSLError("certificate verify failed"), Unexpected, "certificate"),
    ],
)
def test_read_that_is_refused_is_not_repeated(answer, kind, words):
    caught, asked = read(answer)
    assert type(caught) is kind
    assert words in str(caught)
    assert str(caught).startswith("asana: Asana at https://app.asana.com ")
    assert "4711" not in str(caught)
    assert asked == 1


@pytest.mark.parametrize(
    "answer",
    [
        (500, error("Server Error")),
        (502, b"<html>Bad Gateway</html>"),
        (503, b"", {"retry-after": "2"}),
        (429, error("Slow down"), {"retry-after": "3"}),
        NewConnectionError(None, "refused"),
        NameResolutionError("app.asana.com", None, OSError("no name")),
        ConnectTimeoutError(None, "slow"),
        ProtocolError("Connection aborted."),
        ReadTimeoutError(None, "/", "Read timed out."),
    ],
)
def test_read_is_repeated_while_the_trouble_may_pass(answer):
    caught, asked = read(answer)
    assert isinstance(caught, (Unavailable, RateLimited))
    assert asked == 5
    assert not caught.maybe_applied


@pytest.mark.parametrize(
    ("answer", "maybe", "attempts"),
    [
        ((400, error("name: Bad")), False, 1),
        ((403, error("No")), False, 1),
        ((404, error("task: Unknown object: 12")), False, 1),
        ((429, error("Slow"), {"retry-after": "1"}), False, 5),
        (NewConnectionError(None, "refused"), False, 5),
        ((500, error("Server Error")), True, 1),
        ((503, b"", {"retry-after": "1"}), True, 1),
        ((200, b"<html>"), True, 1),
        (ProtocolError("Connection aborted."), True, 1),
        (ReadTimeoutError(None, "/", "Read timed out."), True, 1),
    ],
)
def test_write_is_never_repeated_once_it_may_have_been_made(answer, maybe, attempts):
    caught, asked = write(answer)
    assert caught.maybe_applied is maybe
    assert asked == attempts


def test_refused_values_are_told_by_field():
    message = "custom_fields: Value for 1200007919000100 is not a number"
    body = {"errors": [{"message": "due_on: Bad date"}, {"message": message}, {"message": "odd"}]}
    caught, _ = write((400, body))
    assert caught.fields == {"due_on": "due_on: Bad date", "1200007919000100": message}


def test_limit_without_a_time_still_waits():
    made, _ = client((429, b""), (200, {"data": {}}))
    made.get("/users/me")
    assert made.caller.calls == 2


# events and batches -----------------------------------------------------------------------------


def test_first_sync_token_is_in_the_refusal():
    made, script = client((412, {**error("Sync token invalid or too old"), "sync": "abc"}))
    assert made.sync_token("7") == "abc"
    assert script.asked[0][1].endswith("/events?resource=7")


@pytest.mark.parametrize("answer", [(412, error("No token here")), (200, {"data": []})])
def test_missing_sync_token_is_odd(answer):
    made, _ = client(answer)
    with pytest.raises(Unexpected, match="from where events"):
        made.sync_token("7")


def test_refused_events_of_a_project_out_of_sight():
    made, _ = client((403, error("You do not have access to this project.")))
    with pytest.raises(NotAllowed):
        made.sync_token("7")


def part(status, body):
    return {"status_code": status, "headers": {}, "body": body}


def test_batch_leaves_out_what_cannot_be_seen():
    task = {"data": {"gid": "1"}}
    parts = [part(200, task), part(404, error("Unknown")), part(403, error("No"))]
    made, script = client((200, {"data": parts}))
    gets = [Get(f"/tasks/{n}", ("name",)) for n in (1, 2, 3)]
    assert made.batch(gets) == [task, None, None]
    sent = orjson.loads(script.asked[0][2]["body"])["data"]["actions"]
    assert sent[0] == {
        "method": "get",
        "relative_path": "/tasks/1",
        "options": {"fields": ["name"]},
    }


def test_batch_is_repeated_when_a_part_of_it_failed():
    good = (200, {"data": [part(200, {"data": {"gid": "1"}})]})
    made, script = client((200, {"data": [part(500, error("Server Error"))]}), good)
    assert made.batch([Get("/tasks/1", ("name",))])[0] == {"data": {"gid": "1"}}
    assert len(script.asked) == 2


def test_batch_that_misses_parts_is_odd():
    made, _ = client((200, {"data": []}))
    with pytest.raises(Unexpected, match="every part"):
        made.batch([Get("/tasks/1", ("name",))])


@pytest.mark.parametrize(
    ("status", "kind", "maybe"), [(403, NotAllowed, False), (500, Unavailable, True)]
)
def test_batch_of_writes_says_what_went_wrong(status, kind, maybe):
    made, script = client((200, {"data": [part(200, {"data": {}}), part(status, error("Oh"))]}))
    with pytest.raises(kind) as caught:
        made.batch_write([{}, {}], "task 12")
    assert caught.value.maybe_applied is maybe
    assert len(script.asked) == 1


# over a real socket -----------------------------------------------------------------------------


class Rude(http.server.BaseHTTPRequestHandler):
    """Closes the connection on a POST after reading it; sends every GET elsewhere."""

    def do_POST(self):
        self.server.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.close_connection = True

    def do_GET(self):
        self.server.seen.append(self.path)
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def rude():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Rude) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def over(server):
    url = f"http://127.0.0.1:{server.server_port}"
    return Client("asana", Config(url=url), secret=lambda: TOKEN, clock=FakeClock())


def test_post_whose_answer_is_lost_is_sent_once(rude):
    made = over(rude)
    with pytest.raises(Unavailable) as caught:
        made.write("POST", "/tasks", {"name": "x"}, {})
    made.close()
    assert caught.value.maybe_applied
    assert len(rude.seen) == 1


def test_token_is_not_sent_after_a_redirect(rude):
    made = over(rude)
    with pytest.raises(Unexpected, match="sends elsewhere"):
        made.get("/users/me")
    made.close()
    assert rude.seen == ["/api/1.0/users/me"]


def test_closed_port_is_unavailable_and_nothing_was_applied():
    with http.server.HTTPServer(("127.0.0.1", 0), Rude) as server:
        port = server.server_port
    config = Config(url=f"http://127.0.0.1:{port}")
    made = Client("asana", config, secret=lambda: TOKEN, clock=FakeClock())
    with pytest.raises(Unavailable, match="does not accept connections") as caught:
        made.write("POST", "/tasks", {"name": "x"}, {})
    assert not caught.value.maybe_applied
