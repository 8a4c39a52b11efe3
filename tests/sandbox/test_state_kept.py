"""State of the stand-ins: snapshots through the control endpoint, a folder across restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from time import sleep

import pytest
import requests

from syncd.sandbox import keeping
from syncd.sandbox.seeds import generate, seed_demo
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox
from syncd.sandbox.wire import Request


@pytest.fixture
def sandbox():
    made = Sandbox(seed=3)
    seed_demo(made.jira, made.asana, made.notion, made.clock, seed=3)
    return made


def call(server, method, path, body=None):
    return requests.request(method, f"{server.url}/_sandbox/{path}", json=body, timeout=20)


def everything(sandbox):
    """What a client can read of each service, as bytes."""
    store = sandbox.asana.store
    keys = list(sandbox.jira.store.keys)[:40]
    rows = [ask(sandbox, "jira", f"/rest/api/3/issue/{key}") for key in keys]
    rows += [ask(sandbox, "asana", f"/api/1.0/tasks/{gid}") for gid in store.kinds["task"]]
    for page in [
        n.id for n in sandbox.notion.app.store.nodes.values() if type(n).__name__ == "Page"
    ]:
        answer = json.loads(ask(sandbox, "notion", f"/v1/pages/{page}"))
        rows.append({k: v for k, v in answer.items() if k != "request_id"})
    return rows


def headers(sandbox, service):
    if service == "jira":
        import base64

        pair = f"{sandbox.jira.email}:{sandbox.jira.token}".encode()
        return {"authorization": "Basic " + base64.b64encode(pair).decode()}
    token = sandbox.service(service).token
    return {"authorization": f"Bearer {token}", "notion-version": "2026-03-11"}


def ask(sandbox, service, path, method="GET", body=None):
    data = b"" if body is None else json.dumps(body).encode()
    answer = sandbox.handle(service, Request(method, path, (), headers(sandbox, service), data))
    assert answer.status < 300, answer.body
    return answer.body


def test_a_snapshot_brings_back_all_three_services_and_the_clock(sandbox):
    sandbox.clock.freeze()
    with start_in_thread(sandbox) as server:
        before, moment = everything(sandbox), sandbox.clock.now()
        assert call(server, "POST", "snapshot", {"name": "a"}).json() == {"snapshots": ["a"]}
        key = next(iter(sandbox.jira.store.keys))
        ask(sandbox, "jira", f"/rest/api/3/issue/{key}", "PUT", {"fields": {"summary": "x"}})
        gid = next(iter(sandbox.asana.store.kinds["task"]))
        ask(sandbox, "asana", f"/api/1.0/tasks/{gid}", "PUT", {"data": {"name": "x"}})
        sandbox.clock.step(3600)
        assert everything(sandbox) != before
        assert call(server, "POST", "restore", {"name": "a"}).status_code == 200
        assert everything(sandbox) == before
        assert sandbox.clock.now() == moment
        answer = call(server, "POST", "restore", {"name": "b"})
        assert (answer.status_code, "no snapshot 'b'" in answer.json()["error"]) == (400, True)


def test_a_restored_search_finds_what_was_there(sandbox):
    held = sandbox.snapshot()
    key = next(iter(sandbox.jira.store.keys))
    jql = {"jql": 'summary ~ "quixotic"'}
    count = "/rest/api/3/search/approximate-count"
    ask(sandbox, "jira", f"/rest/api/3/issue/{key}", "PUT", {"fields": {"summary": "quixotic"}})
    assert json.loads(ask(sandbox, "jira", count, "POST", jql)) == {"count": 1}
    sandbox.restore(held)
    assert json.loads(ask(sandbox, "jira", count, "POST", jql)) == {"count": 0}


def test_the_same_goes_on_from_a_kept_state_as_without_it(sandbox, tmp_path):
    sandbox.clock.freeze()
    keeping.save(sandbox, tmp_path)
    again = Sandbox(seed=3)
    keeping.load(again, tmp_path)
    assert everything(again) == everything(sandbox)
    body = {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "n"}}
    made = [ask(each, "jira", "/rest/api/3/issue", "POST", body) for each in (sandbox, again)]
    assert made[0] == made[1]


def test_a_state_of_another_seed_or_of_strangers_is_refused(sandbox, tmp_path):
    keeping.save(sandbox, tmp_path)
    with pytest.raises(ValueError, match="start it with --seed 3"):
        keeping.load(Sandbox(seed=4), tmp_path)
    path = tmp_path / keeping.FILE
    path.chmod(0o666)
    with pytest.raises(ValueError, match="others may write it"):
        keeping.load(Sandbox(seed=3), tmp_path)
    path.chmod(0o600)
    path.write_bytes(b"junk")
    with pytest.raises(ValueError, match="holds no state of a sandbox"):
        keeping.load(Sandbox(seed=3), tmp_path)


class Breaking(Sandbox):
    """A sandbox whose state cannot be written whole."""

    def snapshot(self):
        return {"seed": self.seed, "cannot": lambda: None}


def test_a_broken_write_leaves_the_old_state(sandbox, tmp_path):
    keeping.save(sandbox, tmp_path)
    held = (tmp_path / keeping.FILE).read_bytes()
    with pytest.raises((AttributeError, TypeError, Exception), match=r"pickle|local"):
        keeping.save(Breaking(seed=3), tmp_path)
    assert (tmp_path / keeping.FILE).read_bytes() == held
    assert [p.name for p in tmp_path.iterdir()] == [keeping.FILE]


def wait_for_a_save(path, before):
    for _ in range(300):
        if path.stat().st_mtime_ns != before:
            return
        sleep(0.1)
    raise AssertionError("nothing was written within 30 seconds")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_command_keeps_its_state_across_restarts(tmp_path, end):
    def serve():
        command = [sys.executable, "-m", "syncd", "sandbox", "serve", "--port", "0",
                   "--generate", "400", "--state-dir", str(tmp_path / "kept")]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return process, json.loads(process.stdout.readline())["jira"]

    def stop(process):
        os.kill(process.pid, end)
        process.wait(20)
        process.stdout.close()

    process, jira = serve()
    auth = (jira["email"], jira["token"])
    started = (tmp_path / "kept" / keeping.FILE).stat().st_mtime_ns
    body = {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "kept"}}
    key = requests.post(f"{jira['url']}/rest/api/3/issue", json=body, auth=auth, timeout=9).json()[
        "key"
    ]
    if end == signal.SIGKILL:
        wait_for_a_save(tmp_path / "kept" / keeping.FILE, started)
    stop(process)
    process, jira = serve()
    answer = requests.get(f"{jira['url']}/rest/api/3/issue/{key}", auth=auth, timeout=9)
    count = requests.post(f"{jira['url']}/rest/api/3/search/approximate-count", auth=auth,
                          json={"jql": "project in (WEB, APP, PLAT)"}, timeout=9).json()  # fmt: skip
    stop(process)
    assert answer.json()["fields"]["summary"] == "kept"
    assert count == {"count": 401}


def test_generated_issues_come_from_the_seed():
    def made(seed):
        sandbox = Sandbox(seed=seed)
        sandbox.clock.frozen = 1_790_000_000.0
        generate(sandbox.jira, sandbox.asana, sandbox.notion, sandbox.clock, items=700, seed=seed)
        store = sandbox.jira.store
        assert len(store.issues) == 700
        rows = [
            (i.key, i.values["summary"], i.values["status"], i.updated)
            for i in store.issues.values()
        ]
        return rows, sorted(sandbox.notion.app.store.nodes), list(sandbox.asana.store.objects)

    first = made(5)
    assert first == made(5)
    assert first[0] != made(6)[0]


def test_generated_issues_are_sound():
    sandbox = Sandbox(seed=1)
    generate(sandbox.jira, sandbox.asana, sandbox.notion, sandbox.clock, items=1000)
    store = sandbox.jira.store
    now = sandbox.clock.now() * 1000
    for issue in store.issues.values():
        assert issue.created <= issue.updated <= now
        parent = issue.values.get("parent")
        level = store.type_of(issue).level
        assert parent is None or store.type_of(store.issues[parent]).level == level + 1
        assert level == 1 or parent is not None
        done = store.statuses[issue.values["status"]].category == "done"
        assert done == ("resolution" in issue.values)
    with pytest.raises(ValueError, match="between 1 and 1,000,000"):
        generate(sandbox.jira, sandbox.asana, sandbox.notion, sandbox.clock, items=0)


def test_a_folder_is_of_one_sandbox_at_a_time(tmp_path):
    with keeping.claimed(tmp_path):
        command = [sys.executable, "-m", "syncd", "sandbox", "serve", "--port", "0"]
        done = subprocess.run(
            [*command, "--state-dir", str(tmp_path)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert "is in use by another sandbox" in done.stderr
    with keeping.claimed(tmp_path):
        pass
