"""Runs one cycle, kills it with SIGKILL at a chosen moment, runs `syncd run --once`, and looks at the tools.

A program of its own (`python killing.py first-fill|edits SEED COUNT`), for it forks: the stand-ins
with their whole content, and the finished first fill, are copied by the kernel for each case, which
costs nothing. It prints one JSON object: what the tools hold after an unkilled run, and for each
case when it was killed, how the two runs ended and what the tools hold.

A moment is a request that the stand-ins see, a phase (before it takes effect, after it took effect
but before its answer, after the answer) and a pause of up to 20 ms: so kills also fall between
requests, where the state is written. Being counted and not timed, moments are spread over a cycle
on any machine.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from what_tools_hold import what_tools_hold

from syncd.cli import main
from syncd.cli.common import working
from syncd.cli.sandbox import make, mapping_for, write
from syncd.engine.cycle import run_cycle
from syncd.sandbox import server
from syncd.sandbox.seeds.caller import asana_caller, jira_caller, notion_caller
from syncd.sandbox.seeds.people import token_of
from syncd.sandbox.server import Sandbox, bind, start_in_thread

Json = Any
PHASES = ("before", "in between", "after")


# the stand-ins, in a process of their own


class Executioner(Sandbox):
    """Stand-ins that kill a process at the n-th request from now."""

    victim = 0
    at = -1
    phase = "before"
    pause = 0.0
    seen = 0

    def exchange(self, service, request):
        with self.lock:
            self.seen += 1
            due = self.seen == self.at
        if due and self.phase == "before":
            self._kill()
        outcome = super().exchange(service, request)
        if due and self.phase == "in between":
            self._kill()
        if due and self.phase == "after":
            threading.Timer(self.pause, self._kill).start()
        return outcome

    def _kill(self) -> None:
        os.kill(self.victim, signal.SIGKILL)
        if self.phase != "after":
            time.sleep(0.002)  # let it die before anything more happens


def serve(sandbox: Executioner, sock, commands: int, answers: int) -> None:
    """Serve until the pipe closes; a command is a line of JSON."""
    running = start_on(sandbox, sock)
    with os.fdopen(commands) as lines, os.fdopen(answers, "w") as out:
        for line in lines:
            command = json.loads(line)
            if "victim" in command:
                sandbox.seen = 0
                for name, value in command.items():
                    setattr(sandbox, name, value)
                reply: Json = "armed"
            else:
                sandbox.at = -1
                with sandbox.lock:
                    reply = {"seen": sandbox.seen, "holds": what_tools_hold(sandbox)}
            out.write(json.dumps(reply) + "\n")
            out.flush()
    running.server.should_exit = True
    os._exit(0)


def start_on(sandbox, sock):
    """Start the server of `start_in_thread` on a socket that several processes share in turn."""
    kept, server.bind = server.bind, lambda _host, _port: sock.dup()
    try:
        return start_in_thread(sandbox)
    finally:
        server.bind = kept


# the two runs of a case, each a process


def fork_run(config: Path, gate: int | None = None) -> int:
    """Start `syncd run --once` in a fork of this process, behind a gate; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        if gate is not None:
            os.read(gate, 1)
        log = os.open(config.parent / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.argv = ["syncd", "run", "--once", "--config", str(config)]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        os._exit(code)
    raise AssertionError


class Case:
    """One copy of the world: stand-ins in a child, a folder with configuration and state."""

    def __init__(self, sandbox: Executioner, sock, home: Path, place: Path) -> None:
        shutil.copytree(home, place)
        self.config = place / "syncd.yaml"
        ours_read, theirs_write = os.pipe()
        theirs_read, ours_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(ours_read)
            os.close(ours_write)
            serve(sandbox, sock, theirs_read, theirs_write)
        os.close(theirs_read)
        os.close(theirs_write)
        self._in, self._out = os.fdopen(ours_write, "w"), os.fdopen(ours_read)

    def ask(self, **command: Json) -> Json:
        self._in.write(json.dumps(command) + "\n")
        self._in.flush()
        return json.loads(self._out.readline())

    def killed_run(self, at: int, phase: str, pause: float) -> int:
        """Run a cycle that is killed at this moment; returns how it ended (-9: killed)."""
        gate_read, gate_write = os.pipe()
        pid = fork_run(self.config, gate_read)
        self.ask(victim=pid, at=at, phase=phase, pause=pause)
        os.write(gate_write, b"x")
        _, status = os.waitpid(pid, 0)
        os.close(gate_read)
        os.close(gate_write)
        return os.waitstatus_to_exitcode(status)

    def run(self) -> int:
        _, status = os.waitpid(fork_run(self.config), 0)
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        self._in.close()
        self._out.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


# the worlds


def demo_world(home: Path) -> tuple[Executioner, Any]:
    """Return the demonstration company and the socket all cases serve it on."""
    plain = make("demo")
    sandbox = Executioner(plain.clock, seed=plain.seed)
    sandbox._services = plain._services
    sock = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    write(home, sandbox.credentials(url), mapping_for("demo"))
    thin_out(sandbox)
    return sandbox, sock


def thin_out(sandbox: Sandbox) -> None:
    """Delete most work items, which are only read: a case costs what it is about."""
    jira = jira_caller(sandbox.jira, sandbox.jira.email, sandbox.jira.token)
    jql = "issuetype in (Story, Task, Bug) AND key > WEB-40 ORDER BY key"
    while True:
        body = {"jql": jql, "maxResults": 100, "fields": ["parent"]}
        found = jira("POST", "/rest/api/3/search/jql", body)["issues"]
        for issue in found:
            jira("DELETE", f"/rest/api/3/issue/{issue['id']}?deleteSubtasks=true")
        if not found:
            return


def settle(sandbox: Sandbox, sock, home: Path) -> None:
    """Run cycles until one writes nothing."""
    with start_on(sandbox, sock):
        for _ in range(5):
            with working(home / "syncd.yaml") as system:
                if run_cycle(system.context(), wait=True).writes == 0:
                    return
    raise AssertionError("five cycles in a row wrote something")


def many_edits(sandbox: Sandbox) -> None:
    """Let people change much in all three tools before the next cycle."""
    jira = jira_caller(sandbox.jira, "priya@northwind.example", token_of("jira", "priya"))
    body = {"jql": "issuetype = Epic ORDER BY key", "maxResults": 100, "fields": ["summary"]}
    epics = jira("POST", "/rest/api/3/search/jql", body)["issues"]
    for number, epic in enumerate(epics[:10]):
        summary = f"{epic['fields']['summary']} (renamed)"
        fields = {"summary": summary, "duedate": f"2027-03-{number + 1:02}"}
        jira("PUT", f"/rest/api/3/issue/{epic['id']}", {"fields": fields})
    for epic in epics[5:12]:
        steps = jira("GET", f"/rest/api/3/issue/{epic['id']}/transitions")["transitions"]
        step = {"transition": {"id": steps[-1]["id"]}}
        jira("POST", f"/rest/api/3/issue/{epic['id']}/transitions", step)
    for number in range(6):
        fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Epic"}}
        jira("POST", "/rest/api/3/issue", {"fields": {**fields, "summary": f"New epic {number}"}})
    _edit_tasks(asana_caller(sandbox.asana, token_of("asana", "sofia")), sandbox)
    _edit_rows(notion_caller(sandbox.notion, token_of("notion", "mei")))


def _edit_tasks(asana, sandbox: Sandbox) -> None:
    for project in asana("GET", f"/api/1.0/workspaces/{sandbox.asana.workspace}/projects")["data"]:
        tasks = asana("GET", f"/api/1.0/projects/{project['gid']}/tasks?limit=100")["data"]
        for number, task in enumerate(tasks[10:18]):
            body = {"data": {"due_on": f"2027-05-{number + 1:02}", "name": f"{task['name']}!"}}
            asana("PUT", f"/api/1.0/tasks/{task['gid']}", body)


def _edit_rows(notion) -> None:
    found = notion("POST", "/v1/search", {"filter": {"property": "object", "value": "data_source"}})
    source = next(each for each in found["results"] if each["title"][0]["plain_text"] == "Roadmap")
    path = f"/v1/data_sources/{source['id']}/query"
    kind = {"property": "Type", "select": {"equals": "Initiative"}}
    for row in notion("POST", path, {"filter": kind})["results"]:
        title = row["properties"]["Name"]["title"][0]["plain_text"]
        properties = {
            "Name": {"title": [{"text": {"content": f"{title} 2027"}}]},
            "Status": {"status": {"name": "Blocked"}},
        }
        notion("PATCH", f"/v1/pages/{row['id']}", {"properties": properties})
    parent = {"type": "data_source_id", "data_source_id": source["id"]}
    for number in range(3):
        properties = {
            "Name": {"title": [{"text": {"content": f"New initiative {number}"}}]},
            "Type": {"select": {"name": "Initiative"}},
        }
        notion("POST", "/v1/pages", {"parent": parent, "properties": properties})


def experiment(kind: str, seed: int, count: int, place: Path) -> Json:
    """Return what an unkilled run leads to, and what `count` killed ones lead to."""
    home = place / "home"
    sandbox, sock = demo_world(home)
    if kind == "edits":
        settle(sandbox, sock, home)
        many_edits(sandbox)
    whole = Case(sandbox, sock, home, place / "whole")
    code = whole.killed_run(-1, "never", 0.0)
    reference = whole.ask()
    whole.close()
    chance, cases = random.Random(f"{kind}:{seed}"), []
    for number in range(count):
        share = (number + chance.random()) / count  # one in each part of the cycle
        at = 1 + int(share * reference["seen"])
        moment = {"at": at, "phase": chance.choice(PHASES), "pause": chance.random() * 0.02}
        case = Case(sandbox, sock, home, place / f"case{number}")
        first = case.killed_run(**moment)
        again = case.run()
        holds = case.ask()["holds"]
        case.close()
        output = (case.config.parent / "output").read_text("utf8")
        cases.append({**moment, "ended": first, "again": again, "holds": holds, "output": output})
    return {
        "code": code,
        "requests": reference["seen"],
        "holds": reference["holds"],
        "cases": cases,
    }


if __name__ == "__main__":
    memory = Path("/dev/shm")  # a kill loses nothing that was written, so no disk has to wait
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        result = experiment(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(folder))
        print(json.dumps(result))
