"""Webhooks without sockets: one dispatcher for all stand-ins, deterministic, re-entrant."""

from __future__ import annotations

import json
import threading

import pytest

from syncd.sandbox import keeping
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.seeds import seed_demo
from syncd.sandbox.services import Sandbox
from syncd.sandbox.webhooks import Delivery, Letter, Line, Outbox, Refused, Reply, Seal

JIRA = "http://127.0.0.1:9/jira"


class Tape:
    """A receiver: keeps what comes and echoes Asana's secret."""

    def __init__(self):
        self.got = []
        self.then = None

    def __call__(self, url, headers, body):
        self.got.append((url, dict(headers), body))
        if self.then is not None:
            self.then()
        return Reply(200, {"x-hook-secret": headers.get("X-Hook-Secret", "")})


def subscribe(lab):
    """Subscribe to all three; return the receiver."""
    box, tape = lab.sandbox, Tape()
    box.line.post = tape
    body = {"name": "n", "url": JIRA, "events": ["jira:issue_updated"], "secret": "sssss"}
    made = lab.request("jira", "POST", "", body)
    hook = type(made)("POST", "/rest/webhooks/1.0/webhook", (), made.headers, made.body)
    assert box.handle("jira", hook).status == 201
    target = {"resource": lab.project, "target": "http://127.0.0.1:9/asana"}
    assert lab.ask("asana", "POST", "/webhooks", {"data": target})[0] == 201
    subscription = box.notion.subscribe("http://127.0.0.1:9/notion")
    token = json.loads(tape.got[-1][2])["verification_token"]
    box.notion.verify_subscription(subscription["id"], token)
    tape.got.clear()
    return tape


def test_nothing_leaves_before_deliver_and_then_what_is_due(lab):
    tape = subscribe(lab)
    for service in ("notion", "asana", "jira"):
        lab.rename(service, "x")
    assert tape.got == []
    assert lab.sandbox.deliver() == 2  # Notion's waits to be aggregated
    assert [url.rpartition("/")[2] for url, _headers, _body in tape.got] == ["jira", "asana"]
    lab.step(30)
    assert lab.sandbox.deliver() == 1
    assert lab.sandbox.deliver() == 0


def test_the_same_calls_send_the_same_bytes(lab):
    def run(lab):
        tape = subscribe(lab)
        for service in ("jira", "asana", "notion"):
            lab.rename(service, "x")
        lab.step(60)
        lab.sandbox.deliver()
        return tape.got

    first, second = run(lab), run(type(lab)())
    assert len(first) == 3
    assert first == second


def test_a_receiver_may_change_things_while_it_is_served(lab):
    tape = subscribe(lab)
    lab.rename("jira", "one")
    lab.sandbox.deliver()
    tape.got.clear()
    tape.then = lambda: lab.rename("jira", f"answer {len(tape.got)}") if len(tape.got) < 3 else None
    lab.rename("jira", "two")
    assert [lab.sandbox.deliver() for _ in range(4)] == [1, 1, 1, 0]


def test_deliver_makes_no_stand_in():
    box = Sandbox(SandboxClock(frozen=1e9))
    assert box.deliver() == 0
    assert box.made() == {}


def test_a_subscription_that_is_being_served_is_not_served_twice(lab):
    subscribe(lab)
    lab.sandbox.deliver()
    lab.rename("jira", "x")
    dispatcher = lab.sandbox.dispatcher
    [batch] = dispatcher.take()
    lab.rename("jira", "y")
    assert dispatcher.take() == []
    assert dispatcher.carry(batch) == 1
    [batch] = dispatcher.take()
    assert dispatcher.carry(batch) == 1


def test_the_lock_is_free_while_something_is_sent(lab):
    tape = subscribe(lab)
    lab.sandbox.deliver()
    free = []

    def take():
        taken = lab.sandbox.lock.acquire(timeout=1)
        free.append(taken)
        if taken:
            lab.sandbox.lock.release()

    def look():
        other = threading.Thread(target=take)
        other.start()
        other.join()

    tape.then = look
    lab.rename("jira", "x")
    lab.sandbox.deliver()
    assert free == [True]


def test_without_a_way_out_nothing_is_lost(lab):
    tape = subscribe(lab)
    lab.sandbox.deliver()
    tape.got.clear()
    lab.sandbox.line.post = None
    lab.rename("jira", "x")
    assert lab.sandbox.deliver() == 0
    lab.sandbox.line.post = tape
    lab.step(900)
    assert lab.sandbox.deliver() >= 1


def test_restoring_forgets_what_faults_hold_back(lab):
    tape = subscribe(lab)
    lab.sandbox.deliver()
    kept = lab.sandbox.snapshot()
    tape.got.clear()
    lab.fault(id="W1", variant="late", service="jira")
    lab.rename("jira", "x")
    lab.sandbox.deliver()
    lab.sandbox.restore(kept)
    lab.fault()
    lab.step(600)
    lab.sandbox.deliver()
    assert [url for url, _headers, _body in tape.got if url == JIRA] == []


def test_no_secret_is_in_the_wire_log(lab, tmp_path):
    path = tmp_path / "wire.jsonl"
    box = Sandbox(lab.sandbox.clock, seed=1, wire_log=path)
    seed_demo(box.jira, box.asana, box.notion, box.clock, seed=1)
    lab.sandbox = box
    subscribe(lab)
    box.close()
    secrets = [hook.secret for hook in box.jira.store.hooks.table.values()]
    secrets += [box.asana.store.objects[gid].secret for gid in box.asana.store.kinds["webhook"]]
    text = path.read_text("utf8")
    assert len(secrets) == 2
    assert "REMOVED" in text
    assert "sssss" in secrets
    assert not [secret for secret in secrets if secret in text]


def test_a_line_says_why_it_does_not_send():
    with pytest.raises(Refused, match="no webhook can leave this sandbox"):
        Line().call("http://127.0.0.1/x", {}, b"")
    sent = []
    line = Line(lambda *what: sent.append(what) or Reply(200), local=True)
    with pytest.raises(Refused, match=r"give a target on localhost, 127\.0\.0\.1 or \[::1\]"):
        line.call("http://example.com/x", {}, b"")
    assert sent == []
    assert line.call("http://[::1]:8/x", {}, b"").status == 200


def test_a_signature_follows_the_body():
    seal = Seal("X-Sig", "key", "sha256=")
    one = Delivery("1", "http://x", b"one", {"A": "b"}, seal).signed()
    assert one["X-Sig"] != Delivery("1", "http://x", b"two", {}, seal).signed()["X-Sig"]
    assert Delivery("1", "http://x", b"one", {"A": "b"}).signed() == {"A": "b"}


def test_an_outbox_keeps_order_and_forgets_by_subscription():
    box = Outbox()
    for hook, due, content in (("a", 5, 1), ("b", 3, 2), ("a", 9, 3)):
        box.write(hook, due, content)
    assert [letter.content for letter in box.due(5, ())] == [1, 2]
    assert [letter.content for letter in box.due(5, {"a"})] == [2]
    first = box.of("a")[0]
    box.remove(Letter(first.number, "a", 5, 1))  # an equal one is another one
    assert box.of("a")[0] is first
    box.remove(first)
    assert [letter.content for letter in box.of("a")] == [3]
    box.drop("a")
    assert [letter.content for letter in box.due(9, ())] == [2]


def test_a_state_folder_keeps_who_is_subscribed_and_what_waits(lab, tmp_path):
    tape = subscribe(lab)
    for service in ("jira", "asana", "notion"):
        lab.rename(service, "x")
    keeping.save(lab.sandbox, tmp_path)
    other = Sandbox(SandboxClock(), seed=1)
    keeping.load(other, tmp_path)
    other.line.post = tape
    other.clock.step(30)
    assert other.deliver() == 3
    told = [url.rpartition("/")[2] for url, _headers, _body in tape.got]
    assert sorted(told) == ["asana", "jira", "notion"]
