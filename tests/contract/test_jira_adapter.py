"""The Jira adapter against the stand-in for Jira, in process."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError, ProtocolError

from adapters import registry
from adapters.jira.config import Config
from syncd.core.records import Scope
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.wire import Request, query_pairs
from syncd.testing.adapter_laws import AdapterLaws, Lab, Line, NoAnswer, NoConnection
from syncd.testing.builders import MOMENT
from syncd.testing.fakes import FakeClock

URL = "http://localhost:8080/jira"


class Transport(BaseAdapter):
    """A transport of `requests` that hands over to a line instead of a socket."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line
        self.http = HTTPAdapter()

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        assert timeout == (5.0, 30.0)
        parts = urlsplit(request.url)
        body = request.body or b""
        asked = Request(
            request.method,
            parts.path.removeprefix("/jira"),
            query_pairs(parts.query),
            {key.lower(): value for key, value in request.headers.items()},
            body.encode() if isinstance(body, str) else body,
            URL,
        )
        try:
            answer = self.line.exchange(asked)
        except NoConnection:
            cause = NewConnectionError(HTTPConnection("localhost"), "refused")
            raise requests.ConnectionError(cause, request=request) from None
        except NoAnswer:
            raise requests.ConnectionError(ProtocolError("Connection aborted.")) from None
        raw = HTTPResponse(
            BytesIO(answer.body), answer.headers, answer.status, preload_content=False
        )
        return self.http.build_response(request, raw)

    def close(self):
        self.http.close()


def is_write(request: Request) -> bool:
    return request.method not in {"GET", "HEAD"} and not request.path.endswith(
        ("/search/jql", "/bulkfetch")
    )


class World:
    """A site with one project, and the adapter that works on it."""

    def __init__(self) -> None:
        self.site_clock = SandboxClock(frozen=MOMENT)
        self.site = JiraSandbox(self.site_clock)
        self.project = str(self.site.add_project("WEB", "Web shop"))
        self.human = self.site.add_user("Ann Lee", "ann@acme.example", time_zone="Asia/Tokyo")
        self.site.add_token(self.human, "ann's token")
        self.clock = FakeClock()
        self.line = Line(self.site.handle, is_write)
        self.adapter = self.connect(self.site.token)
        self.schema = self.adapter.discover(["WEB"])
        self.kind = self.type_named("Story")
        self.line.sent.clear()

    def connect(self, token: str):
        config = Config(url=URL, email=self.site.email)
        return registry.connect(
            "jira",
            "jira",
            config,
            secret=lambda: token,
            clock=self.clock,
            transport=Transport(self.line),
        )

    def type_named(self, name: str) -> str:
        (project,) = (c for c in self.schema.containers if c.id == self.project)
        return next(kind.id for kind in project.kinds if kind.name == name)

    def as_ann(self, method: str, path: str, body: object = None):
        """Act as a person does, with a client of their own."""
        session = requests.Session()
        session.mount("http://", Transport(Line(self.site.handle, is_write)))
        session.auth = ("ann@acme.example", "ann's token")
        answer = session.request(method, f"{URL}/rest/api/3/{path}", json=body, timeout=(5.0, 30.0))
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def add(self, title: str, **fields: object) -> str:
        body = {
            "project": {"id": self.project},
            "issuetype": {"id": self.kind},
            "summary": title,
            **fields,
        }
        return self.as_ann("POST", "issue", {"fields": body})["id"]

    def rename(self, issue: str, title: str) -> None:
        self.as_ann("PUT", f"issue/{issue}", {"fields": {"summary": title}})

    def pass_time(self, seconds: float) -> None:
        self.site_clock.step(seconds)
        self.clock.advance(seconds)

    def scope(self, *fields: str) -> Scope:
        return Scope("jira", "site", "Jira", (self.project,), fields)


@pytest.fixture
def world() -> World:
    return World()


class TestJiraLaws(AdapterLaws):
    @pytest.fixture
    def lab(self, world: World) -> Lab:
        examples = {"duedate": ("2026-03-01", "2026-04-30"), "labels": (("a", "b"), ("ünï",))}
        return Lab(
            adapter=world.adapter,
            scope=world.scope("summary", *examples),
            container=world.project,
            kind=world.kind,
            title="summary",
            line=world.line,
            clock=world.clock,
            unknown="999999",
            add=world.add,
            rename=world.rename,
            pass_time=world.pass_time,
            with_token=world.connect,
            examples=examples,
        )
