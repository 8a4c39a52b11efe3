"""A small world for tests of faults: the demonstration company, asked in process or over a socket."""

from __future__ import annotations

import base64
import json
import socket

import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.seeds import seed_demo
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox
from syncd.sandbox.wire import Request, query_pairs

API = {"jira": "/rest/api/3", "asana": "/api/1.0", "notion": "/v1"}


class FaultLab:
    """The sandbox with a frozen clock, and short ways to ask it."""

    def __init__(self):
        self.sandbox = Sandbox(SandboxClock(frozen=1_790_000_025.0), seed=1)
        made = self.sandbox
        seed_demo(made.jira, made.asana, made.notion, made.clock, seed=1)
        made.clock.step(7 * 86_400)
        self.server = None

    # what there is

    @property
    def task(self):
        return next(iter(self.sandbox.asana.store.kinds["task"]))

    @property
    def project(self):
        return next(iter(self.sandbox.asana.store.kinds["project"]))

    @property
    def source(self):
        nodes = self.sandbox.notion.app.store.nodes.values()
        return next(node for node in nodes if type(node).__name__ == "DataSource")

    @property
    def page(self):
        return self.source.live.by_created[0][1]

    # asking

    def headers(self, service):
        made = self.sandbox.service(service)
        if service == "jira":
            pair = f"{made.email}:{made.token}".encode()
            return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {"authorization": f"Bearer {made.token}", "notion-version": "2026-03-11"}

    def request(self, service, method, path, body=None, **query):
        path, _, more = (API[service] + path).partition("?")
        data = b"" if body is None else json.dumps(body).encode()
        pairs = (*query_pairs(more), *((k, str(v)) for k, v in query.items()))
        return Request(method, path, pairs, self.headers(service), data)

    def raw(self, service, method, path, body=None, **query):
        """Return the answer; raises `Dropped`."""
        request = self.request(service, method, path, body, **query)
        return self.sandbox.handle(service, request)

    def ask(self, service, method, path, body=None, **query):
        """Return status and parsed body."""
        answer = self.raw(service, method, path, body, **query)
        return answer.status, json.loads(answer.body) if answer.body else {}

    def truth(self, service, path):
        """Read what is really stored, past all faults."""
        answer = self.sandbox.service(service).handle(self.request(service, "GET", path))
        return answer.status, json.loads(answer.body)

    def fault(self, *rules, **rule):
        self.sandbox.faults.set(rules or ([rule] if rule else []))

    def step(self, seconds):
        self.sandbox.clock.step(seconds)

    # usual requests

    def search(self, **body):
        given = {"jql": "project = WEB ORDER BY created", "maxResults": 10, "fields": ["summary"]}
        return self.ask("jira", "POST", "/search/jql", {**given, **body})[1]

    def query(self, **body):
        path = f"/data_sources/{self.source.id}/query"
        return self.ask("notion", "POST", path, {"page_size": 10, **body})[1]

    def tasks(self, **query):
        given = {"limit": 3, "opt_fields": "name,modified_at", **query}
        return self.ask("asana", "GET", f"/projects/{self.project}/tasks", **given)[1]

    def summary(self, key="WEB-1"):
        return self.truth("jira", f"/issue/{key}")[1]["fields"]["summary"]

    def create(self, summary="made"):
        fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": summary}
        return self.raw("jira", "POST", "/issue", {"fields": fields})

    def rename(self, service, name):
        """Give the first item of a service another name; returns status and body."""
        if service == "jira":
            return self.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"summary": name}})
        if service == "asana":
            return self.ask("asana", "PUT", f"/tasks/{self.task}", {"data": {"name": name}})
        title = {"Name": {"title": [{"text": {"content": name}}]}}
        return self.ask("notion", "PATCH", f"/pages/{self.page}", {"properties": title})

    def name(self, service):
        """Return the first item's name as it is stored."""
        if service == "jira":
            return self.summary()
        if service == "asana":
            return self.truth("asana", f"/tasks/{self.task}")[1]["data"]["name"]
        title = self.truth("notion", f"/pages/{self.page}")[1]["properties"]["Name"]["title"]
        return "".join(part["plain_text"] for part in title)

    # over a socket

    @property
    def url(self):
        if self.server is None:
            self.server = start_in_thread(self.sandbox)
        return self.server.url

    def bytes_of(self, service, method, path, body=None, timeout=5.0):
        """Send over a socket of its own; return all bytes that came, and how the connection ended."""
        url = self.url
        data = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} /{service}{API[service]}{path} HTTP/1.1", f"host: {url[7:]}",
                f"content-length: {len(data)}",
                *(f"{k}: {v}" for k, v in self.headers(service).items())]  # fmt: skip
        with socket.create_connection(("127.0.0.1", self.server.port), timeout) as sock:
            sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + data)
            got = b""
            try:
                while part := sock.recv(65536):
                    got += part
            except ConnectionResetError:
                return got, "reset"
            except TimeoutError:
                return got, "open"
            return got, "closed"

    def stop(self):
        if self.server is not None:
            self.server.stop()


@pytest.fixture
def lab():
    made = FaultLab()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def standing_lab():
    """One lab for all tests of a module, which put it back themselves."""
    made = FaultLab()
    yield made
    made.stop()
