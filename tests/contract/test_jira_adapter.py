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
from syncd.core.records import Draft, Scope
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.wire import Request, query_pairs
from syncd.testing.adapter_laws import AdapterLaws, Lab, Line, NoAnswer, NoConnection
from syncd.testing.builders import MOMENT
from syncd.testing.fakes import FakeClock

URL = "http://localhost:8080/jira"


CUSTOM = {
    "textfield": (),
    "textarea": (),
    "float": (),
    "select": ("Red", "Green"),
    "radiobuttons": ("Yes", "No"),
    "multiselect": ("One", "Two", "Three"),
    "multicheckboxes": ("Left", "Right"),
    "datepicker": (),
    "datetime": (),
    "url": (),
    "userpicker": (),
    "multiuserpicker": (),
    "labels": (),
}


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
        self.custom = {name: self.add_field(name, *options) for name, options in CUSTOM.items()}
        self.versions = [
            self.as_admin("POST", "version", {"name": name, "projectId": int(self.project)})["id"]
            for name in ("1.0", "2.0")
        ]
        self.component = self.as_admin("POST", "component", {"name": "Shop", "project": "WEB"})[
            "id"
        ]
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
        return self._act(("ann@acme.example", "ann's token"), method, path, body)

    def as_admin(self, method: str, path: str, body: object = None):
        return self._act((self.site.email, self.site.token), method, path, body)

    def _act(self, auth, method, path, body):
        session = requests.Session()
        session.mount("http://", Transport(Line(self.site.handle, is_write)))
        session.auth = auth
        answer = session.request(method, f"{URL}/rest/api/3/{path}", json=body, timeout=(5.0, 30.0))
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def add_field(self, name: str, *options: str) -> str:
        kind = "com.atlassian.jira.plugin.system.customfieldtypes:" + name
        field = self.as_admin("POST", "field", {"name": f"My {name}", "type": kind})["id"]
        if options:
            context = self.as_admin("GET", f"field/{field}/context")["values"][0]["id"]
            body = {"options": [{"value": option} for option in options]}
            self.as_admin("POST", f"field/{field}/context/{context}/option", body)
        return field

    def options_of(self, field: str) -> list[str]:
        found = [f for f in self.schema.fields_of(self.project) if f.id == field]
        return [option.id for f in found for option in f.options]

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
        epics = world.adapter.create(
            Draft(world.scope(), world.project, world.type_named("Epic"), {"summary": "E"}, "epic")
        )
        world.line.sent.clear()
        one, two = world.site.account_id, world.human
        own = {name: world.options_of(field) for name, field in world.custom.items()}
        examples = {
            "description": ("Some **bold** text\n\n- one\n- two", "plain"),
            "duedate": ("2026-03-01", "2026-04-30"),
            "labels": (("a", "b"), ("ünï",)),
            "assignee": (one, two),
            "priority": tuple(world.options_of("priority")[:2]),
            "status": tuple(world.options_of("status")),
            "parent": (epics.id,),
            "fixVersions": ((world.versions[0],), tuple(sorted(world.versions))),
            "components": ((world.component,),),
        } | {
            world.custom[name]: values
            for name, values in {
                "textfield": ("one", "two"),
                "textarea": ("# Head\n\ntext", "1. first\n2. second"),
                "float": (5.0, 0.5, -3.0, 0.0),
                "select": tuple(own["select"]),
                "radiobuttons": tuple(own["radiobuttons"]),
                "multiselect": (tuple(own["multiselect"][:1]), tuple(sorted(own["multiselect"]))),
                "multicheckboxes": (tuple(own["multicheckboxes"][:1]),),
                "datepicker": ("2026-03-01", "2024-02-29"),
                "datetime": ("2026-03-01", "2026-10-25"),
                "url": ("https://acme.example/a?b=c#d",),
                "userpicker": (one, two),
                "multiuserpicker": ((one,), tuple(sorted((one, two)))),
                "labels": (("x",), ("x", "y")),
            }.items()
        }
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
            cannot_be_empty=frozenset({"status", "priority"}),
        )
