"""Webhooks of the Asana stand-in: handshake, signed delivery, filters, failure."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock

TARGET = "https://hooks.acme.example/asana"


class Receiver:
    """A server that gets webhooks: echoes the secret, checks signatures, can be broken."""

    def __init__(self):
        self.secret = ""
        self.status = 200
        self.echo = True
        self.down = False
        self.deliveries = []

    def post(self, url, headers, body):
        if self.down:
            raise OSError("connection refused")
        assert url == TARGET
        if "X-Hook-Secret" in headers:
            self.secret = headers["X-Hook-Secret"]
            echoed = {"x-hook-secret": self.secret} if self.echo else {}
            return self.status, echoed, b""
        good = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hook-Signature"] == good
        if self.status < 300:
            self.deliveries.append(json.loads(body)["events"])
        return self.status, {}, b"broken"


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def asana(receiver):
    sandbox = AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))
    sandbox.post = receiver.post
    return sandbox


def ask(asana, method, path, data=None, expect=None, **query):
    status, body = asana.request(method, path, data, **query)
    assert status == (expect or (status if status < 300 else 200)), body
    return body["data"] if status < 300 else body["errors"][0]["message"]


@pytest.fixture
def project(asana):
    return ask(asana, "POST", "/projects", {"name": "P", "team": asana.team})["gid"]


def subscribe(asana, resource, **more):
    return ask(asana, "POST", "/webhooks", {"resource": resource, "target": TARGET, **more}, 201)


def new_task(asana, project):
    return ask(asana, "POST", "/tasks", {"name": "A", "projects": [project]})["gid"]


def test_the_handshake_then_signed_events(asana, project, receiver):
    status, body = asana.request("POST", "/webhooks", {"resource": project, "target": TARGET})
    assert (status, body["X-Hook-Secret"]) == (201, receiver.secret)
    assert body["data"]["active"] is True
    gid = new_task(asana, project)
    assert asana.deliver() == 1
    events = receiver.deliveries[0]
    assert events[0] == {
        "user": {"gid": asana.user, "resource_type": "user"},
        "created_at": "2026-09-21T14:13:20.000Z",
        "action": "added",
        "resource": {"gid": gid, "resource_type": "task", "resource_subtype": "default_task"},
        "parent": {"gid": project, "resource_type": "project"},
    }
    assert asana.deliver() == 0


@pytest.mark.parametrize("wrong", ["status", "echo", "down", "nobody"])
def test_without_the_handshake_there_is_no_webhook(asana, project, receiver, wrong):
    receiver.status = 500 if wrong == "status" else 200
    receiver.echo = wrong != "echo"
    receiver.down = wrong == "down"
    if wrong == "nobody":
        asana.post = None
    expect = 403 if wrong == "nobody" else 400
    ask(asana, "POST", "/webhooks", {"resource": project, "target": TARGET}, expect)
    assert ask(asana, "GET", "/webhooks", workspace=asana.workspace) == []


def test_filters_choose(asana, project, receiver):
    rule = {"resource_type": "task", "action": "changed", "fields": ["name"]}
    subscribe(asana, project, filters=[rule])
    gid = new_task(asana, project)
    ask(asana, "PUT", f"/tasks/{gid}", {"name": "B", "completed": True})
    asana.deliver()
    changes = [event["change"] for event in receiver.deliveries[0]]
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
    assert asana.deliver() == 0
    seen = ask(asana, "GET", f"/webhooks/{gid}")
    assert seen["last_failure_content"] == "500\n\nbroken"
    assert (seen["delivery_retry_count"], seen["next_attempt_after"]) == (
        1,
        "2026-09-21T14:13:30.000Z",
    )
    receiver.status = 200
    assert asana.deliver() == 0
    asana.clock.step(10)
    assert asana.deliver() == 1
    assert len(receiver.deliveries[0]) > 1
    assert ask(asana, "GET", f"/webhooks/{gid}")["delivery_retry_count"] == 0


def test_a_day_of_failure_ends_it(asana, project, receiver):
    gid = subscribe(asana, project)["gid"]
    receiver.down = True
    new_task(asana, project)
    asana.deliver()
    asana.clock.step(86400)
    asana.deliver()
    ask(asana, "GET", f"/webhooks/{gid}", expect=404)


def test_heartbeats_come_every_eight_hours(asana, project, receiver):
    subscribe(asana, project)
    assert asana.deliver() == 0
    asana.clock.step(8 * 3600)
    assert asana.deliver() == 1
    assert receiver.deliveries == [[]]


def test_list_change_delete(asana, project, receiver):
    gid = subscribe(asana, project)["gid"]
    listed = ask(asana, "GET", "/webhooks", workspace=asana.workspace, resource=project)
    assert [row["gid"] for row in listed] == [gid]
    changed = ask(asana, "PUT", f"/webhooks/{gid}", {"filters": [{"action": "deleted"}]})
    assert changed["filters"] == [{"action": "deleted"}]
    ask(asana, "DELETE", f"/webhooks/{gid}")
    new_task(asana, project)
    assert asana.deliver() == 0
