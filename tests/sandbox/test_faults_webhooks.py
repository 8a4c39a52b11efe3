"""Fault W1, each variant of it, as it shows at a real receiver."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from syncd.sandbox.server import start_in_thread
from syncd.sandbox.webhooks import Reply

sys.path.insert(0, str(Path(__file__).parent))

from receiver import Receiver

SECRET = "the secret"
SEALS = {"jira": ("x-hub-signature", "sha256="), "asana": ("x-hook-signature", ""),
         "notion": ("x-notion-signature", "sha256=")}  # fmt: skip


class Subscribed:
    """The small world of the fault tests, with webhooks of all three services at one receiver."""

    def __init__(self, lab, receiver):
        self.lab, self.receiver = lab, receiver
        lab.server = start_in_thread(lab.sandbox)
        box = lab.sandbox
        jira = {"name": "n", "url": f"{receiver.url}/jira", "events": ["jira:issue_updated"],
                "secret": SECRET}  # fmt: skip
        self.secrets = {"jira": SECRET}
        self._ask("jira", "/rest/webhooks/1.0/webhook", jira)
        data = {"resource": lab.project, "target": f"{receiver.url}/asana"}
        self._ask("asana", "/api/1.0/webhooks", {"data": data})
        box.notion.app.store.webhooks.window = 0
        made = box.notion.subscribe(f"{receiver.url}/notion", ["page.properties_updated"])
        self.secrets["asana"] = receiver.arrived[0].headers["x-hook-secret"]
        token = json.loads(receiver.arrived[1].body)["verification_token"]
        self.secrets["notion"] = token
        box.notion.verify_subscription(made["id"], token)
        receiver.wait(3)  # with Asana's first heartbeat
        receiver.arrived.clear()

    def _ask(self, service, path, body):
        request = self.lab.request(service, "POST", "", body)
        request = type(request)("POST", path, (), request.headers, request.body)
        answer = self.lab.sandbox.handle(service, request)
        assert answer.status == 201, answer.body

    def good(self, service, arrived):
        header, prefix = SEALS[service]
        return arrived.signed_with(self.secrets[service], header, prefix)

    def seal(self, service, arrived):
        return arrived.headers.get(SEALS[service][0])


@pytest.fixture
def receiver():
    with Receiver() as made:
        yield made


@pytest.fixture
def world(lab, receiver):
    return Subscribed(lab, receiver)


@pytest.fixture(params=["jira", "asana", "notion"])
def service(request):
    return request.param


def strike(world, service, variant, **more):
    world.lab.fault(id="W1", variant=variant, service=service, **more)


def test_without_the_fault_one_good_delivery_arrives(world, receiver, service):
    world.lab.rename(service, "x")
    [got] = receiver.wait(1)
    assert world.good(service, got)
    assert receiver.quiet() == 1


def test_lost(world, receiver, service):
    strike(world, service, "lost", count=1)
    world.lab.rename(service, "x")
    assert receiver.quiet() == 0
    world.lab.step(86_400)
    receiver.quiet()
    assert [one.body for one in receiver.arrived] == [b'{"events":[]}']  # Asana's heartbeat
    world.lab.rename(service, "y")
    assert world.good(service, receiver.wait(2)[-1])


def test_late(world, receiver, service):
    strike(world, service, "late", count=1, **{"with": {"seconds": 100}})
    world.lab.rename(service, "x")
    assert receiver.quiet() == 0
    world.lab.step(99)
    assert receiver.quiet() == 0
    world.lab.step(1)
    assert world.good(service, receiver.wait(1)[0])


def test_duplicated(world, receiver, service):
    strike(world, service, "duplicated", count=1)
    world.lab.rename(service, "x")
    one, two = receiver.wait(2)
    assert (one.body, one.headers) == (two.body, two.headers)
    assert world.good(service, two)
    assert receiver.quiet() == 2


def test_replayed(world, receiver, service):
    strike(world, service, "replayed", count=1, **{"with": {"seconds": 3000}})
    world.lab.rename(service, "x")
    receiver.wait(1)
    assert receiver.quiet() == 1
    world.lab.step(3000)
    one, two = receiver.wait(2)
    assert (one.body, one.headers) == (two.body, two.headers)


def test_disordered(world, receiver, service):
    strike(world, service, "disordered")
    world.lab.rename(service, "first")
    assert receiver.quiet() == 0
    world.lab.step(30)
    world.lab.rename(service, "second")
    one, two = receiver.wait(2)
    assert when(service, one) > when(service, two)
    assert world.good(service, one)
    assert world.good(service, two)


def test_disordered_and_nothing_follows(world, receiver, service):
    strike(world, service, "disordered")
    world.lab.rename(service, "first")
    assert receiver.quiet() == 0
    world.lab.step(60)
    receiver.wait(1)


def when(service, arrived):
    body = json.loads(arrived.body)
    if service == "asana":
        return body["events"][0]["created_at"]
    return body["timestamp"]


def test_forged(world, receiver, service):
    strike(world, service, "forged", count=1)
    world.lab.rename(service, "x")
    fake, true = receiver.wait(2)
    assert json.loads(fake.body)["forged"] is True
    assert world.seal(service, fake) is not None
    assert not world.good(service, fake)
    assert world.good(service, true)


def test_the_service_does_not_hear_what_a_receiver_says_to_a_forger(world, receiver, service):
    def refuse_forgeries(got):
        receiver.status = 200 if world.good(service, got) else 401

    receiver.on_post = refuse_forgeries
    strike(world, service, "forged", count=1)
    world.lab.rename(service, "x")
    receiver.wait(2)
    world.lab.step(3600)
    assert receiver.quiet() == 2


def test_tampered(world, receiver, service):
    strike(world, service, "tampered", count=1)
    world.lab.rename(service, "x")
    [got] = receiver.wait(1)
    assert json.loads(got.body)["tampered"] is True
    assert not world.good(service, got)


def test_wrong_signature(world, receiver, service):
    strike(world, service, "signature", count=1)
    world.lab.rename(service, "x")
    [got] = receiver.wait(1)
    assert world.seal(service, got) is not None
    assert not world.good(service, got)


def test_unsigned(world, receiver, service):
    strike(world, service, "unsigned", count=1)
    world.lab.rename(service, "x")
    assert world.seal(service, receiver.wait(1)[0]) is None


def test_flood(world, receiver, service):
    strike(world, service, "flood", count=1, **{"with": {"times": 200}})
    world.lab.rename(service, "x")
    receiver.wait(200, seconds=20)
    assert len({one.body for one in receiver.arrived}) == 1
    assert receiver.quiet() == 200


def test_huge(world, receiver, service):
    strike(world, service, "huge", count=1)
    world.lab.rename(service, "x")
    [got] = receiver.wait(1, seconds=20)
    assert len(got.body) > 10 * 1024 * 1024
    assert world.good(service, got)
    assert json.loads(got.body)["padding"].strip("x") == ""


def test_a_false_handshake(world, receiver):
    for service in ("asana", "notion"):
        receiver.arrived.clear()
        strike(world, service, "handshake", count=1)
        world.lab.rename(service, "x")
        false, true = receiver.wait(2)
        said = {**false.headers, **json.loads(false.body or b"{}")}
        assert "not-the-secret" in (said.get("x-hook-secret"), said.get("verification_token"))
        assert world.good(service, true)


def test_rules_about_webhooks_leave_requests_alone_and_choose_by_target(world, receiver):
    world.lab.fault(id="W1", variant="lost", path="/jira$")
    for service in SEALS:
        assert world.lab.rename(service, "x")[0] in {200, 204}
    assert {one.path for one in receiver.wait(2)} == {"/asana", "/notion"}
    assert receiver.quiet() == 2
    assert world.lab.sandbox.faults.rules[0].happened == 1


def test_a_rate_with_a_seed_strikes_the_same_deliveries_every_time(lab):
    body = {"name": "n", "url": "http://127.0.0.1/x", "events": ["jira:issue_updated"]}
    pair = lab.request("jira", "POST", "", body)
    request = type(pair)("POST", "/rest/webhooks/1.0/webhook", (), pair.headers, pair.body)
    assert lab.sandbox.handle("jira", request).status == 201
    runs = []
    for _ in range(2):
        got = []
        lab.sandbox.line.post = lambda _u, _h, body, got=got: (got.append(body), Reply(200))[1]
        lab.fault(id="W1", variant="lost", rate=0.5, seed=7)
        for number in range(20):
            lab.rename("jira", f"s{number}")
        lab.sandbox.deliver()
        runs.append([json.loads(body)["issue"]["fields"]["summary"] for body in got])
    assert runs[0] == runs[1]
    assert 4 <= len(runs[0]) <= 16


def test_a_rule_that_names_no_such_thing_is_refused(lab):
    with pytest.raises(ValueError, match="webhook must be one of lost, late, duplicated"):
        lab.fault(webhook="eaten")
    with pytest.raises(ValueError, match="W1 is a fault of asana, notion"):
        lab.fault(id="W1", variant="handshake", service="jira")
