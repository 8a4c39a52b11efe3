"""Webhooks over HTTP: the running server delivers to a real receiver, and to this machine only."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import asana
import httpx
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.seeds import seed_demo
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox
from syncd.sandbox.webhooks import is_loopback

sys.path.insert(0, str(Path(__file__).parent))

from receiver import Receiver

ELSEWHERE = "http://203.0.113.7/hook"


class Served:
    """A running sandbox and a client for each service."""

    def __init__(self, clock=None):
        self.sandbox = Sandbox(clock or SandboxClock(), seed=1)
        made = self.sandbox
        seed_demo(made.jira, made.asana, made.notion, made.clock, seed=1)
        self.running = start_in_thread(made)
        self.url = self.running.url
        self.jira = self.client("jira", auth=(made.jira.email, made.jira.token))
        bearer = {"authorization": f"Bearer {made.asana.token}"}
        self.asana = self.client("asana/api/1.0", headers=bearer)
        bearer = {"authorization": f"Bearer {made.notion.token}", "notion-version": "2026-03-11"}
        self.notion = self.client("notion/v1", headers=bearer)
        self.control = self.client("_sandbox")
        self.project = next(iter(made.asana.store.kinds["project"]))
        self.task = next(iter(made.asana.store.kinds["task"]))
        nodes = made.notion.app.store.nodes.values()
        source = next(node for node in nodes if type(node).__name__ == "DataSource")
        self.page = source.live.by_created[0][1]

    def client(self, path, **more):
        return httpx.Client(base_url=f"{self.url}/{path}", timeout=15, trust_env=False, **more)

    def at_jira(self, target, **more):
        body = {"name": "n", "url": target, "events": ["jira:issue_updated"], **more}
        return self.jira.post("/rest/webhooks/1.0/webhook", json=body)

    def at_asana(self, target):
        data = {"resource": self.project, "target": target}
        return self.asana.post("/webhooks", json={"data": data})

    def at_notion(self, target):
        return self.control.post("/webhooks/notion", json={"url": target})

    def rename(self):
        """Change one thing in each service."""
        fields = {"fields": {"summary": f"at {time.monotonic()}"}}
        assert self.jira.put("/rest/api/3/issue/WEB-1", json=fields).status_code == 204
        data = {"data": {"name": f"at {time.monotonic()}"}}
        assert self.asana.put(f"/tasks/{self.task}", json=data).status_code == 200
        title = {"Name": {"title": [{"text": {"content": f"at {time.monotonic()}"}}]}}
        assert (
            self.notion.patch(f"/pages/{self.page}", json={"properties": title}).status_code == 200
        )

    def stop(self):
        for client in (self.jira, self.asana, self.notion, self.control):
            client.close()
        self.running.stop()


@pytest.fixture
def served():
    made = Served()
    yield made
    made.stop()


@pytest.fixture
def receiver():
    with Receiver() as made:
        yield made


def test_all_three_deliver_signed_events_to_a_receiver(served, receiver):
    assert served.at_jira(f"{receiver.url}/jira", secret="jira's").status_code == 201
    assert served.at_asana(f"{receiver.url}/asana").status_code == 201
    made = served.at_notion(f"{receiver.url}/notion").json()
    handshakes = {one.path: one for one in receiver.arrived if one.path != "/jira"}
    token = json.loads(handshakes["/notion"].body)["verification_token"]
    served.control.post("/webhooks", json={"notion_window": 0})
    verified = served.control.post(f"/webhooks/notion/{made['id']}",
                                   json={"verification_token": token})  # fmt: skip
    assert verified.json()["verified"] is True
    receiver.wait(3)  # both handshakes, and Asana's first heartbeat
    secret = next(one.headers["x-hook-secret"] for one in receiver.arrived
                  if "x-hook-secret" in one.headers)  # fmt: skip
    before = len(receiver.arrived)
    served.rename()
    arrived = {one.path: one for one in receiver.wait(before + 3)[before:]}
    assert arrived["/jira"].signed_with("jira's", "x-hub-signature", "sha256=")
    assert json.loads(arrived["/jira"].body)["issue"]["key"] == "WEB-1"
    assert arrived["/asana"].signed_with(secret, "x-hook-signature")
    told = json.loads(arrived["/asana"].body)["events"]
    assert told[0]["resource"]["gid"] == served.task
    assert arrived["/notion"].signed_with(token, "x-notion-signature", "sha256=")
    assert json.loads(arrived["/notion"].body)["entity"] == {"id": served.page, "type": "page"}


@pytest.mark.parametrize("register", ["at_jira", "at_asana", "at_notion"])
def test_no_webhook_leaves_this_machine(served, register):
    answer = getattr(served, register)(ELSEWHERE)
    assert answer.status_code in {400, 403}
    assert "this machine only; give a target on localhost, 127.0.0.1 or [::1]" in answer.text
    assert "203.0.113.7" in answer.text


def test_a_webhook_that_came_with_a_state_is_not_called_elsewhere_either(served):
    served.sandbox.line.local = False
    assert served.at_jira(ELSEWHERE).status_code == 201
    served.sandbox.line.local = True
    served.rename()
    [letter] = served.sandbox.jira.store.hooks.outbox.of("1")
    end = time.monotonic() + 5
    while letter.attempt == 1:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True),
     ("10.0.0.1", False), ("0.0.0.0", False), ("localhost.example", False), ("", False),
     ("169.254.169.254", False), ("::ffff:10.0.0.1", False), ("2130706433", False)],
)  # fmt: skip
def test_what_this_machine_is(host, here):
    assert is_loopback(host) is here


def test_a_receiver_may_ask_the_service_during_the_handshake(served, receiver):
    asked = []

    def ask(_got):
        if not asked:
            asked.append(served.asana.get("/users/me").status_code)

    receiver.on_post = ask
    assert served.at_asana(receiver.url).status_code == 201
    assert asked == [200]


def test_slow_receivers_hold_up_neither_requests_nor_each_other(served, receiver):
    with Receiver(delay=3.0) as slow:
        assert served.at_jira(f"{slow.url}/slow").status_code == 201
        assert served.at_jira(f"{receiver.url}/fast").status_code == 201
        started = time.monotonic()
        served.rename()
        assert time.monotonic() - started < 2
        receiver.wait(1, seconds=2)
        assert slow.arrived == []
        slow.wait(1)


def test_the_vendors_library_registers_lists_and_deletes_a_webhook(served, receiver):
    configuration = asana.Configuration()
    configuration.host = f"{served.url}/asana/api/1.0"
    configuration.access_token = served.sandbox.asana.token
    webhooks = asana.WebhooksApi(asana.ApiClient(configuration))
    body = {"data": {"resource": served.project, "target": f"{receiver.url}/lib"}}
    made = webhooks.create_webhook(body, {})
    assert (made["active"], made["target"]) == (True, f"{receiver.url}/lib")
    listed = list(webhooks.get_webhooks(served.sandbox.asana.workspace, {}))
    assert [one["gid"] for one in listed] == [made["gid"]]
    receiver.wait(2)  # the handshake and the first heartbeat
    served.rename()
    assert receiver.wait(3)[-1].signed_with(
        receiver.arrived[0].headers["x-hook-secret"], "x-hook-signature")  # fmt: skip
    webhooks.delete_webhook(made["gid"])
    assert list(webhooks.get_webhooks(served.sandbox.asana.workspace, {})) == []


def test_a_handshake_that_fails_leaves_no_webhook(served, receiver):
    receiver.status = 500
    assert served.at_asana(receiver.url).status_code == 400
    refused = served.at_notion(receiver.url)
    assert (refused.status_code, "it answered 500" in refused.text) == (400, True)
    receiver.status = 200
    assert "did not respond" in served.at_asana("http://127.0.0.1:9/nobody").text
    assert served.control.get("/webhooks").json() == {"jira": [], "asana": [], "notion": []}


def test_redirects_are_not_followed(served, receiver):
    receiver.status = 302
    assert served.at_jira(receiver.url).status_code == 201
    served.rename()
    receiver.wait(1)
    assert receiver.quiet() == 1


def test_events_of_one_webhook_arrive_in_order(served, receiver):
    assert served.at_jira(receiver.url).status_code == 201
    for number in range(30):
        fields = {"fields": {"summary": str(number)}}
        served.jira.put("/rest/api/3/issue/WEB-1", json=fields)
    told = [json.loads(one.body)["issue"]["fields"]["summary"] for one in receiver.wait(30)]
    assert told == [str(number) for number in range(30)]


def test_a_stopped_clock_holds_back_what_is_to_come_later(receiver):
    served = Served(SandboxClock(frozen=1_795_000_000.0))
    try:
        assert served.at_jira(receiver.url).status_code == 201
        receiver.status = 503
        served.rename()
        receiver.wait(1)
        assert receiver.quiet() == 1
        receiver.status = 200
        served.control.post("/clock", json={"step": 900})
        second = receiver.wait(2)[1]
        assert second.headers["x-atlassian-webhook-retry"] == "1"
    finally:
        served.stop()


def test_a_snapshot_brings_webhooks_back(served, receiver):
    assert served.at_jira(receiver.url).status_code == 201
    served.control.post("/snapshot")
    number = served.control.get("/webhooks").json()["jira"][0]["id"]
    served.jira.delete(f"/rest/webhooks/1.0/webhook/{number}")
    served.rename()
    assert receiver.quiet() == 0
    served.control.post("/restore")
    served.rename()
    receiver.wait(1)


def test_controls_say_what_is_wrong(served):
    assert "url" in served.control.post("/webhooks/notion", json={}).json()["error"]
    wrong = served.control.post("/webhooks/notion/none", json={"verification_token": "x"})
    assert "there is no subscription 'none'" in wrong.json()["error"]
    assert served.control.delete("/webhooks/notion/none").status_code == 400


def test_the_server_stops_although_much_waits_for_a_slow_receiver(receiver):
    served, receiver.delay = Served(), 0.3
    assert served.at_jira(receiver.url).status_code == 201
    for number in range(40):
        fields = {"fields": {"summary": str(number)}}
        served.jira.put("/rest/api/3/issue/WEB-1", json=fields)
    receiver.wait(1)
    started = time.monotonic()
    served.stop()
    assert time.monotonic() - started < 8
    waiting = served.sandbox.jira.store.hooks.outbox.of("1")
    assert len(waiting) + len(receiver.arrived) == 40
    assert all(letter.attempt == 1 for letter in waiting)
