"""Real processes: the sandbox as `syncd sandbox serve` starts it, and the installed `syncd` beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncd.sandbox.seeds.people import token_of

Json = Any
SYNCD = Path(sys.executable).with_name("syncd")
PATIENCE = 60
"""Seconds any command may take on a busy machine."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Json:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """Return what stands on stderr, which has to be one line."""
        lines = self.err.splitlines()
        assert len(lines) == 1, f"one sentence was expected:\n{self.err}"
        return lines[0]


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SYNCD", "NOTIFY"))}
    return {**kept, "NO_COLOR": "1", "TERM": "dumb", **more}


def syncd(*words: str | Path, cwd: Path, **more: Any) -> Result:
    """Run the installed command to its end."""
    run = subprocess.run(
        [str(SYNCD), *map(str, words)],
        cwd=cwd,
        env=environment(**more.pop("env", {})),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **more,
    )
    result = Result(run.returncode, run.stdout, run.stderr)
    assert "Traceback" not in run.stderr, run.stderr
    return result


class World:
    """A running sandbox with the demonstration company, and people who use the three tools."""

    def __init__(self, home: Path, credentials: Json) -> None:
        self.home = home
        self.credentials = credentials
        self.url = credentials["jira"]["url"].removesuffix("/jira")

    def folder(self, place: Path) -> Path:
        """Return a fresh installation beside this sandbox: configuration and no state."""
        shutil.copytree(self.home, place, ignore=shutil.ignore_patterns(".syncd"))
        return place

    def control(self, name: str, body: Json = None, method: str | None = None) -> Json:
        return send(f"{self.url}/_sandbox/{name}", body, {}, method)

    def latency(self, seconds: float) -> None:
        self.control("latency", {"seconds": seconds})

    @contextmanager
    def faults(self, *rules: Json) -> Iterator[None]:
        self.control("faults", list(rules))
        try:
            yield
        finally:
            self.control("faults", method="DELETE")

    def calls(self, service: str | None = None) -> int:
        rows = self.control("counters")["counters"]
        return sum(row["calls"] for row in rows if service in (None, row["service"]))

    def jira(self, method: str, path: str, body: Json = None, nick: str = "priya") -> Json:
        pair = f"{nick}@northwind.example:{token_of('jira', nick)}".encode()
        headers = {"Authorization": f"Basic {b64encode(pair).decode()}"}
        return send(f"{self.url}/jira/rest/api/3/{path}", body, headers, method)

    def asana(self, method: str, path: str, body: Json = None, nick: str = "sofia") -> Json:
        headers = {"Authorization": f"Bearer {token_of('asana', nick)}"}
        return send(f"{self.url}/asana/api/1.0/{path}", body, headers, method)

    def notion(self, method: str, path: str, body: Json = None, nick: str = "mei") -> Json:
        token = token_of("notion", nick)
        headers = {"Authorization": f"Bearer {token}", "Notion-Version": "2026-03-11"}
        return send(f"{self.url}/notion/v1/{path}", body, headers, method)

    def issue(self, summary: str, fields: str = "summary,status,duedate") -> Json:
        body = {"jql": f"summary ~ '{summary}' AND issuetype = Epic", "fields": fields.split(",")}
        found = self.jira("POST", "search/jql", body)["issues"]
        return next(each for each in found if each["fields"]["summary"] == summary)

    def edit_issue(self, summary: str, **fields: Json) -> None:
        self.jira("PUT", f"issue/{self.issue(summary)['id']}", {"fields": fields})

    def row(self, title: str) -> Json:
        found = self.notion("POST", "search", {"query": title})["results"]
        return next(each for each in found if _title(each) == title)

    def edit_row(self, title: str, **properties: Json) -> None:
        self.notion("PATCH", f"pages/{self.row(title)['id']}", {"properties": properties})

    def target(self, title: str) -> str | None:
        date = self.row(title)["properties"]["Target date"]["date"]
        return date and date["start"]

    def rows_titled(self, title: str) -> int:
        found = self.notion("POST", "search", {"query": title})["results"]
        return sum(_title(each) == title for each in found)


def _title(page: Json) -> str | None:
    for prop in page.get("properties", {}).values():
        if prop["type"] == "title" and isinstance(prop["title"], list):
            return "".join(each["plain_text"] for each in prop["title"])
    return None


def send(url: str, body: Json, headers: dict[str, str], method: str | None = None) -> Json:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@contextmanager
def serving(home: Path, *more: str) -> Iterator[World]:
    """Start the sandbox of a fresh demonstration company; its first line tells where it is."""
    words = ["sandbox", "serve", "--port", "0", "--load", "demo", "--write-config", str(home)]
    with started(*words, *more, cwd=home.parent, stderr=subprocess.STDOUT) as process:
        line = process.stdout.readline()
        assert line.startswith("{"), f"the sandbox did not start: {line}{process.stdout.read()}"
        yield World(home, json.loads(line))


@contextmanager
def started(*words: str | Path, cwd: Path, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """Start the installed command; at the end it is killed if it still runs."""
    with subprocess.Popen(
        [str(SYNCD), *map(str, words)],
        cwd=cwd,
        env=environment(**more.pop("env", {})),
        stdout=subprocess.PIPE,
        stderr=more.pop("stderr", subprocess.DEVNULL),
        text=True,
        **more,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Daemon:
    """`syncd run` in a process of its own; its log is a file of JSON lines."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def text(self) -> str:
        return self._log.read_text("utf8")

    def lines(self, event: str) -> list[Json]:
        rows = [json.loads(line) for line in self.text.splitlines() if line.endswith("}")]
        return [row for row in rows if row["event"] == event]

    def wait_for(self, event: str, count: int = 1) -> list[Json]:
        until(lambda: len(self.lines(event)) >= count, lambda: self.text, self.process)
        return self.lines(event)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit code and the seconds it took."""
        begun = time.monotonic()
        self.signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        return code, time.monotonic() - begun


@contextmanager
def daemon(folder: Path, **more: Any) -> Iterator[Daemon]:
    log = folder / "daemon.log"
    with (
        log.open("w") as stream,
        started("run", "--log-json", cwd=folder, stderr=stream, **more) as process,
    ):
        yield Daemon(process, log)


def until(condition: Any, story: Any, process: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain: {story()}"
        assert process is None or process.poll() is None, f"it has ended: {story()}"
        time.sleep(0.05)


def change(path: Path, old: str, new: str) -> None:
    """Edit a text file, as a person with an editor does."""
    text = path.read_text("utf8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), "utf8")
