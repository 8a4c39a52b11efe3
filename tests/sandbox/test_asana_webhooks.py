"""Webhooks of the Asana stand-in: handshake, signed delivery, filters, failure."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.webhooks import Refused, Reply, deliver

TARGET = "https://hooks.acme.example/asana"


class Receiver:
    """A server that gets webhooks: echoes the secret, checks signatures, can be broken."""

    def __init__(self):
        self.secret = ""
        self.status = 200
        self.echo = True
        self.down = False
        self.deliveries = []
        self.seen = []

    def post(self, url, headers, body):
        if self.down:
            raise OSError("connection refused")
        assert url == TARGET
        self.seen.append(body)
        if "X-Hook-Secret" in headers:
            assert body == b""
            self.secret = headers["X-Hook-Secret"]
            return Reply(self.status, {"x-hook-secret": self.secret} if self.echo else {})
        good = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hook-Signature"] == good
        if self.status < 300:
            self.deliveries.append(json.loads(body)["events"])
        return Reply(self.status, {}, b"broken")


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def asana(receiver):
    sandbox = AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))
    sandbox.line.post = receiver.post
    return sandbox


def ask(asana, method, path, data=None, expect=None, **query):
    status, body = asana.request(method, path, data, **query)
    assert status == (expect or (status if status < 300 else 200)), body
    return body["data"] if status < 300 else body["errors"][0]["message"]


@pytest.fixture
def project(asana):
    return ask(asana, "POST", "/projects", {"name": "P", "team": asana.team})["gid"]


def subscribe(asana, resource, **more):
    """Make a webhook and let its first heartbeat go."""
    made = ask(asana, "POST", "/webhooks", {"resource": resource, "target": TARGET, **more}, 201)
    assert deliver(asana.publisher, asana.line) == 1
    return made


def new_task(asana, project):
    return ask(asana, "POST", "/tasks", {"name": "A", "projects": [project]})["gid"]


def test_the_handshake_then_signed_events(asana, project, receiver):
    status, body = asana.request("POST", "/webhooks", {"resource": project, "target": TARGET})
    assert (status, body["X-Hook-Secret"]) == (201, receiver.secret)
    assert body["data"]["active"] is True
    assert deliver(asana.publisher, asana.line) == 1
    gid = new_task(asana, project)
    assert deliver(asana.publisher, asana.line) == 1
    heartbeat, events = receiver.deliveries
    assert heartbeat == []
    assert events[0] == {
        "user": {"gid": asana.user, "resource_type": "user"},
        "created_at": "2026-09-21T14:13:20.000Z",
        "action": "added",
        "resource": {"gid": gid, "resource_type": "task", "resource_subtype": "default_task"},
        "parent": {"gid": project, "resource_type": "project"},
    }
    assert deliver(asana.publisher, asana.line) == 0


@pytest.mark.parametrize("wrong", ["status", "echo", "down", "nobody"])
def test_without_the_handshake_there_is_no_webhook(asana, project, receiver, wrong):
    receiver.status = 500 if wrong == "status" else 200
    receiver.echo = wrong != "echo"
    receiver.down = wrong == "down"
    if wrong == "nobody":
        asana.line.post = None
    expect = 403 if wrong == "nobody" else 400
    ask(asana, "POST", "/webhooks", {"resource": project, "target": TARGET}, expect)
    assert ask(asana, "GET", "/webhooks", workspace=asana.workspace) == []


def test_filters_choose(asana, project, receiver):
    rule = {"resource_type": "task", "action": "changed", "fields": ["name"]}
    subscribe(asana, project, filters=[rule])
    gid = new_task(asana, project)
    ask(asana, "PUT", f"/tasks/{gid}", {"name": "B", "completed": True})
    deliver(asana.publisher, asana.line)
    changes = [event["change"] for event in receiver.deliveries[1]]
    assert changes == [{"field": "name", "action": "changed"}]


def test_wide_resources_need_filters_and_filters_are_checked(asana, project):
    data = {"resource": asana.workspace, "target": TARGET}
    ask(asana, "POST", "/webhooks", data, 400)
    for bad in ([{"action": "eaten"}], [{"colour": "x"}], ["x"]):
        ask(asana, "POST", "/webhooks", {**data, "filters": bad}, 400)
    ask(asana, "POST", "/webhooks", {"resource": project, "target": "ftp://x"}, 400)
    ask(asana, "POST", "/webhooks", {"resource": "1", "target": TARGET}, 400)


def test_a_failure_is_tried_again_later_and_nothing_is_lost(asana, project, receiver):
    gid = subscribe(asana, project)["gid"]
    receiver.status = 500
    new_task(asana, project)
    assert deliver(asana.publisher, asana.line) == 0
    seen = ask(asana, "GET", f"/webhooks/{gid}")
    assert seen["last_failure_content"] == "500\n\nbroken"
    assert (seen["delivery_retry_count"], seen["next_attempt_after"]) == (
        1,
        "2026-09-21T14:13:30.000Z",
    )
    receiver.status = 200
    assert deliver(asana.publisher, asana.line) == 0
    asana.clock.step(10)
    assert deliver(asana.publisher, asana.line) == 1
    assert len(receiver.deliveries[1]) > 1
    assert ask(asana, "GET", f"/webhooks/{gid}")["delivery_retry_count"] == 0


def test_a_day_of_failure_ends_it(asana, project, receiver):
    gid = subscribe(asana, project)["gid"]
    receiver.down = True
    new_task(asana, project)
    deliver(asana.publisher, asana.line)
    asana.clock.step(86400)
    deliver(asana.publisher, asana.line)
    ask(asana, "GET", f"/webhooks/{gid}", expect=404)


def test_heartbeats_come_every_eight_hours(asana, project, receiver):
    subscribe(asana, project)
    assert deliver(asana.publisher, asana.line) == 0
    asana.clock.step(8 * 3600 - 1)
    assert deliver(asana.publisher, asana.line) == 0
    asana.clock.step(1)
    assert deliver(asana.publisher, asana.line) == 1
    assert receiver.deliveries == [[], []]


def test_list_change_delete(asana, project, receiver):
    gid = subscribe(asana, project)["gid"]
    listed = ask(asana, "GET", "/webhooks", workspace=asana.workspace, resource=project)
    assert [row["gid"] for row in listed] == [gid]
    changed = ask(asana, "PUT", f"/webhooks/{gid}", {"filters": [{"action": "deleted"}]})
    assert changed["filters"] == [{"action": "deleted"}]
    ask(asana, "DELETE", f"/webhooks/{gid}")
    new_task(asana, project)
    assert deliver(asana.publisher, asana.line) == 0


def test_a_receiver_that_never_takes_a_heartbeat_loses_its_webhook_after_a_day(
    asana, project, receiver
):
    gid = subscribe(asana, project)["gid"]
    receiver.status = 500
    tries = 0
    for _ in range(60 * 33):
        asana.clock.step(60)
        before = len(receiver.seen)
        deliver(asana.publisher, asana.line)
        tries += len(receiver.seen) - before
    ask(asana, "GET", f"/webhooks/{gid}", expect=404)
    assert 16 <= tries <= 40  # doubling pauses up to an hour, through a day


def test_pauses_double_up_to_an_hour(asana, project, receiver):
    gid = subscribe(asana, project)["gid"]
    receiver.down = True
    new_task(asana, project)
    pauses = []
    for _ in range(11):
        deliver(asana.publisher, asana.line)
        hook = asana.store.objects[gid]
        pauses.append(hook.next_attempt_after - asana.clock.now())
        asana.clock.step(pauses[-1])
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


def test_what_happens_while_a_delivery_is_under_way_goes_with_the_next(asana, project, receiver):
    subscribe(asana, project)
    first = new_task(asana, project)
    asana.line.post = lambda url, headers, body: (
        new_task(asana, project), receiver.post(url, headers, body))[1]  # fmt: skip
    assert deliver(asana.publisher, asana.line) == 1
    asana.line.post = receiver.post
    deliver(asana.publisher, asana.line)
    told = [[e["resource"]["gid"] for e in batch if e["resource"]["resource_type"] == "task"]
            for batch in receiver.deliveries[1:]]  # fmt: skip
    assert set(told[0]) == {first}
    assert told[1]
    assert first not in told[1]


def test_a_workspace_hears_of_projects_and_not_of_tasks(asana, project, receiver):
    kinds = [{"resource_type": kind} for kind in ("project", "task", "story", "section")]
    subscribe(asana, asana.workspace, filters=kinds)
    new_task(asana, project)
    ask(asana, "PUT", f"/projects/{project}", {"name": "Q"})
    deliver(asana.publisher, asana.line)
    told = {event["resource"]["resource_type"] for event in receiver.deliveries[1]}
    assert told == {"project"}
    bad = {"resource": asana.workspace, "target": TARGET,
           "filters": [{"resource_type": "project", "action": "changed", "fields": ["name"]}]}  # fmt: skip
    assert "do not support fields" in ask(asana, "POST", "/webhooks", bad, 400)


def test_a_target_that_may_not_be_called_is_refused_with_403(asana, project):
    def refuse(_url, _headers, _body):
        raise Refused("not there")

    asana.line.post = refuse
    data = {"resource": project, "target": TARGET}
    assert ask(asana, "POST", "/webhooks", data, 403) == "not there"


CHANGES = {
    "a task is renamed": ("PUT", "/tasks/{task}", {"name": "B"}, ("changed", "task", "name")),
    "a task is completed": ("PUT", "/tasks/{task}", {"completed": True},
                            ("changed", "task", "completed")),
    "a task is assigned": ("PUT", "/tasks/{task}", {"assignee": "me"},
                           ("changed", "task", "assignee")),
    "a task is dated": ("PUT", "/tasks/{task}", {"due_on": "2026-12-01"},
                        ("changed", "task", "due_on")),
    "a comment is written": ("POST", "/tasks/{task}/stories", {"text": "hello"},
                             ("added", "story", None)),
    "a subtask is made": ("POST", "/tasks/{task}/subtasks", {"name": "S"},
                          ("added", "task", None)),
    "a section is made": ("POST", "/projects/{project}/sections", {"name": "S"},
                          ("added", "section", None)),
    "the project is renamed": ("PUT", "/projects/{project}", {"name": "Q"},
                               ("changed", "project", "name")),
    "a task leaves the project": ("POST", "/tasks/{task}/removeProject", {"project": "{project}"},
                                  ("removed", "task", None)),
    "a task is deleted": ("DELETE", "/tasks/{task}", None, ("deleted", "task", None)),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_change_is_told(asana, project, receiver, name):
    method, path, data, expected = CHANGES[name]
    task = new_task(asana, project)
    subscribe(asana, project)
    places = {"task": task, "project": project}
    data = data and {k: v.format(**places) if isinstance(v, str) else v for k, v in data.items()}
    asana.request(method, path.format(**places), data)
    deliver(asana.publisher, asana.line)
    told = {
        (e["action"], e["resource"]["resource_type"], e.get("change", {}).get("field"))
        for e in receiver.deliveries[1]
    }
    assert expected in told


def test_the_signature_is_the_hmac_of_the_body(asana, project):
    """The formula, worked out from its definition rather than with the module that the sandbox uses."""
    sent = []
    asana.line.post = lambda _url, headers, body: (
        sent.append((headers, body)),
        Reply(200, {"x-hook-secret": headers.get("X-Hook-Secret", "")}))[1]  # fmt: skip
    ask(asana, "POST", "/webhooks", {"resource": project, "target": TARGET}, 201)
    new_task(asana, project)
    deliver(asana.publisher, asana.line)
    key = sent[0][0]["X-Hook-Secret"].encode().ljust(64, b"\0")
    headers, body = sent[-1]
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + body).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).hexdigest()
    assert headers["X-Hook-Signature"] == outer


def test_many_events_go_in_batches_of_a_thousand_and_none_is_lost(asana, project, receiver):
    subscribe(asana, project)
    gid = new_task(asana, project)
    for number in range(700):
        ask(asana, "PUT", f"/tasks/{gid}", {"name": str(number)})
    while deliver(asana.publisher, asana.line):
        pass
    sizes = [len(batch) for batch in receiver.deliveries[1:]]
    assert sizes[0] == 1000
    assert len(sizes) > 1
    renamed = [e for batch in receiver.deliveries for e in batch
               if e.get("change", {}).get("field") == "name"]  # fmt: skip
    assert len(renamed) == 700
