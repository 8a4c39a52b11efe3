"""The Jira adapter against the stand-in for Jira, in process."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from urllib.parse import urlsplit

import orjson
import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError, ProtocolError

from adapters import registry
from adapters.jira.config import Config
from syncd.core.errors import Gone, NotAllowed, Rejected, Unavailable, Unexpected
from syncd.core.records import Draft, Edit, Record, Scope
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.wire import Request, json_response, query_pairs
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

    def ask_record(self, issue: str, *fields: str) -> Record:
        (found,) = self.adapter.read(self.scope(*fields), [issue])
        return found

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


def edit(world: World, issue: str, fields: dict) -> Edit:
    scope = world.scope("summary", "status", "parent")
    return Edit(scope, world.project, issue, fields, attempt="attempt-77")


def names_of_status(world: World) -> dict[str, str]:
    (status,) = (f for f in world.schema.fields if f.id == "status")
    return {option.name: option.id for option in status.options}


def test_discovery_tells_one_scope_people_types_and_statuses(world):
    schema = world.schema
    assert schema.one_scope
    assert schema.me.email == world.site.email
    assert {person.name for person in schema.people} >= {"Ann Lee"}
    (project,) = schema.containers
    assert (project.key, project.name) == ("WEB", "Web shop")
    assert {"Epic", "Story", "Sub-task"} <= {kind.name for kind in project.kinds}
    (status,) = (f for f in schema.fields if f.id == "status")
    assert {option.category for option in status.options} == {"new", "active", "done"}


@pytest.mark.parametrize("named", ["WEB", "web", "Web shop"])
def test_container_is_found_by_key_or_name(world, named):
    (project,) = world.adapter.discover([named]).containers
    assert project.kinds


def test_versions_are_told_for_the_project_that_has_them(world):
    world.site.add_project("APP", "Apps")
    schema = world.adapter.discover(["WEB", "APP"])
    found = {f.containers: f.options for f in schema.fields if f.id == "fixVersions"}
    (web,) = (c.id for c in schema.containers if c.key == "WEB")
    (app,) = (c.id for c in schema.containers if c.key == "APP")
    assert [option.name for option in found[web,]] == ["1.0", "2.0"]
    assert found[app,] == ()


def test_daemon_that_just_started_learns_the_fields_by_itself(world):
    issue = world.add("Thing")
    fresh = world.connect(world.site.token)
    (record,) = fresh.read(world.scope("summary", "status"), [issue])
    assert record.fields["summary"] == "Thing"
    assert [request.path for request in world.line.sent] == [
        "/rest/api/3/field", "/rest/api/3/issue/bulkfetch"
    ]  # fmt: skip


def test_field_that_is_gone_is_named(world):
    with pytest.raises(Rejected, match="customfield_99"):
        list(world.adapter.pages(world.scope("customfield_99"), None))


def test_incremental_read_tells_who_changed_it_and_full_read_does_not_ask(world):
    issue = world.add("Old")
    (page,) = world.adapter.pages(world.scope("summary"), None)
    assert page.records[0].author is None
    world.pass_time(3600)
    world.rename(issue, "New")
    (page,) = world.adapter.pages(world.scope("summary"), page.cursor)
    assert page.records[0].author == world.human


def test_bound_is_a_moment_whatever_the_accounts_time_zone(world):
    world.site.set_user(world.site.account_id, time_zone="Pacific/Auckland")
    cursor = list(world.adapter.pages(world.scope("summary"), None))[-1].cursor
    world.pass_time(3600)
    issue = world.add("Fresh")
    (page,) = world.adapter.pages(world.scope("summary"), cursor)
    assert [record.id for record in page.records] == [issue]
    body = world.line.sent[-1].json()
    assert re.search(r"updated >= \d{13} ORDER BY", body["jql"])


def test_read_takes_a_hundred_issues_a_request(world):
    issues = [world.add(f"Thing {number}") for number in range(101)]
    found = world.adapter.read(world.scope("summary"), issues)
    assert {record.id for record in found} == set(issues)
    assert len(world.line.sent) == 2


def test_moved_issue_keeps_its_id(world):
    world.site.add_project("APP", "Apps")
    issue = world.add("Thing")
    world.site.move_issue("WEB-1", "APP")
    (record,) = world.adapter.read(world.scope("summary"), [issue])
    assert (record.id, record.key) == (issue, "APP-1")
    assert record.container != world.project


def test_empty_full_read_checks_that_the_credential_counts(world):
    """An ignored credential gives 200 and no issues: it must not look like an empty site."""
    world.line.fault = anonymous
    with pytest.raises(NotAllowed):
        list(world.adapter.pages(world.scope("summary"), None))


def anonymous(line: Line, request: Request):
    headers = {k: v for k, v in request.headers.items() if k != "authorization"}
    return line.handle(replace(request, headers=headers))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda page: {**page, "issues": [], "nextPageToken": "again"}, "empty page"),
        (lambda page: {**page, "nextPageToken": "again"}, "same page twice"),
        (lambda page: {**page, "issues": [{"id": "1"}]}, "without 'fields'"),
        (lambda page: {"unexpected": True}, "without 'issues'"),
    ],
)
def test_pages_that_make_no_sense_end_the_read(world, spoil, words):
    world.add("Thing")

    def spoiled(line: Line, request: Request):
        answer = line.handle(replace(request, body=_without_token(request)))
        return json_response(spoil(orjson.loads(answer.body)))

    world.line.fault = spoiled
    with pytest.raises(Unexpected, match=words):
        list(world.adapter.pages(world.scope("summary"), None))


def _without_token(request: Request) -> bytes:
    body = request.json()
    body.pop("nextPageToken", None)
    return orjson.dumps(body)


def test_issue_listed_twice_is_given_once(world):
    """An issue that moves to a later page while the pages are read."""
    issues = [world.add(f"Thing {number}") for number in range(150)]

    def repeats_first(line: Line, request: Request):
        answer = line.handle(request)
        page = orjson.loads(answer.body)
        repeats_first.first = getattr(repeats_first, "first", page["issues"][0])
        if not page.get("nextPageToken"):
            page["issues"].append(repeats_first.first)
        return json_response(page)

    world.line.fault = repeats_first
    pages = list(world.adapter.pages(world.scope("summary"), None))
    assert [record.id for page in pages for record in page.records] == issues


def test_issues_that_could_not_be_shown_are_not_taken_for_gone(world):
    def shows_none(line: Line, request: Request):
        return json_response({"issues": [], "issueErrors": [{"id": "10000", "errorMessage": "x"}]})

    world.line.fault = shows_none
    with pytest.raises(Unavailable):
        world.adapter.read(world.scope("summary"), ["10000"])


def test_scope_without_projects_asks_nothing(world):
    scope = Scope("jira", "site", "Jira", (), ("summary",))
    (page,) = world.adapter.pages(scope, None)
    assert page.records == ()
    assert world.adapter.find(scope, "m", "") == ()
    assert world.line.sent == []


# writing ----------------------------------------------------------------------------------------


def test_creation_leaves_out_what_cannot_be_set_then(world):
    done = names_of_status(world)["Done"]
    fields = {"summary": "Thing", "status": done, "duedate": None}
    answer = world.adapter.create(
        Draft(world.scope("summary", "status"), world.project, world.kind, fields, "m")
    )
    made = world.ask_record(answer.id, "summary", "status")
    assert made.fields["status"] == names_of_status(world)["To Do"]
    assert (answer.record, answer.key) == (None, made.key)
    assert world.adapter.requests(["status", "summary"]) == (("summary",), ("status",))


def test_change_is_marked_as_ours_in_the_history(world):
    issue = world.add("Old")
    world.adapter.update(edit(world, issue, {"summary": "New"}))
    (history,) = world.as_ann("GET", f"issue/{issue}/changelog")["values"]
    assert history["author"]["accountId"] == world.site.account_id
    assert history["historyMetadata"]["cause"]["id"] == "attempt-77"
    assert history["historyMetadata"]["generator"]["id"] == "syncd"


def test_log_names_the_attempt_that_made_a_change(world):
    issue = world.add("Old")
    before = world.ask_record(issue, "summary").updated
    world.pass_time(60)
    answer = world.adapter.update(edit(world, issue, {"summary": "New"}))
    world.pass_time(60)
    world.rename(issue, "Theirs")
    ours, theirs = world.adapter.log(world.scope("summary"), {issue: before})[issue]
    assert [ours.attempt, theirs.attempt] == ["attempt-77", None]
    assert [entry.attempt for entry in answer.log] == ["attempt-77"]


def test_edit_is_one_request_and_people_are_notified_as_usual(world):
    issue = world.add("Old")
    world.adapter.update(edit(world, issue, {"summary": "New"}))
    (request,) = world.line.sent
    assert (request.method, request.path) == ("PUT", f"/rest/api/3/issue/{issue}")
    assert request.query == (("returnIssue", "true"), ("expand", "changelog"))


def test_status_by_a_transition_to_it_whatever_its_name(world):
    world.site.set_workflow(
        "WEB",
        ["To Do", "Done"],
        [("Go to Done", ["To Do"], "To Do", {}), ("Abracadabra", ["To Do"], "Done", {})],
    )
    issue = world.add("Thing")
    done = names_of_status(world)["Done"]
    world.adapter.update(edit(world, issue, {"status": done}))
    assert [request.method for request in world.line.sent] == ["GET", "POST"]
    assert world.ask_record(issue, "status").fields["status"] == done


def test_status_it_has_already_needs_no_transition(world):
    world.site.set_workflow("WEB", ["To Do", "Done"], [("Finish", ["To Do"], "Done", {})])
    issue = world.add("Thing")
    world.adapter.update(edit(world, issue, {"status": names_of_status(world)["To Do"]}))
    assert world.line.writes == []


def test_missing_transition_names_both_statuses(world):
    world.site.set_workflow("WEB", ["To Do", "Done"], [("Finish", ["To Do"], "Done", {})])
    issue = world.add("Thing")
    statuses = names_of_status(world)
    world.adapter.update(edit(world, issue, {"status": statuses["Done"]}))
    with pytest.raises(Rejected, match="no transition from Done to To Do") as caught:
        world.adapter.update(edit(world, issue, {"status": statuses["To Do"]}))
    assert set(caught.value.fields) == {"status"}


def test_transition_that_requires_a_field_names_it(world):
    screen = {"duedate": True}
    world.site.set_workflow("WEB", ["To Do", "Done"], [("Finish", ["To Do"], "Done", screen)])
    issue = world.add("Thing")
    with pytest.raises(Rejected) as caught:
        world.adapter.update(edit(world, issue, {"status": names_of_status(world)["Done"]}))
    assert re.search("from To Do to Done by 'Finish', which requires Due date", str(caught.value))
    assert not caught.value.maybe_applied


def test_refused_value_names_its_field(world):
    issue = world.add("Thing")
    with pytest.raises(Rejected) as caught:
        world.adapter.update(edit(world, issue, {"summary": "x" * 300}))
    assert "summary" in caught.value.fields
    assert "Summary: " in str(caught.value)


@pytest.mark.parametrize("fields", [{"created": "2026-01-01"}, {"duedate": ("a", "b")}])
def test_what_a_field_cannot_take_is_not_even_asked(world, fields):
    with pytest.raises(Rejected, match="was not asked"):
        world.adapter.update(edit(world, "10000", fields))
    assert world.line.writes == []


def test_update_of_an_issue_that_is_gone(world):
    with pytest.raises(Gone, match="issue 999999"):
        world.adapter.update(edit(world, "999999", {"summary": "x"}))


def test_write_counts_as_done_even_if_its_result_cannot_be_shown(world):
    def shows_nothing(line: Line, request: Request):
        if request.path.endswith("bulkfetch"):
            raise NoConnection
        return line.handle(request)

    world.line.fault = shows_nothing
    draft = Draft(world.scope("summary"), world.project, world.kind, {"summary": "x"}, "m")
    answer = world.adapter.create(draft)
    assert answer.record is None
    assert len(world.line.writes) == 1


def test_account_that_may_not_see_people_still_works(world):
    def hides_people(line: Line, request: Request):
        if request.path.endswith("users/search"):
            return json_response({"errorMessages": ["no"], "errors": {}}, 403)
        return line.handle(request)

    world.line.fault = hides_people
    assert [person.name for person in world.adapter.discover(["WEB"]).people] == ["Sandbox Admin"]


def test_the_same_over_sockets():
    with start_in_thread() as running:
        site = running.sandbox.jira
        project = str(site.add_project("WEB", "Web shop"))
        config = Config(url=f"{running.url}/jira", email=site.email)
        adapter = registry.connect(
            "jira", "jira", config, secret=lambda: site.token, clock=FakeClock()
        )
        schema = adapter.discover(["WEB"])
        kind = next(k.id for c in schema.containers for k in c.kinds if k.name == "Task")
        scope = Scope("jira", "site", "Jira", (project,), ("summary", "description"))
        text = "Ünïcode 🚀\u00a0and **bold**"
        made = adapter.create(
            Draft(scope, project, kind, {"summary": "Thing", "description": text}, "m1")
        )
        (page,) = adapter.pages(scope, None)
        assert page.records[0].fields == {"summary": "Thing", "description": text}
        assert (page.records[0].id, page.records[0].marker) == (made.id, "m1")
        adapter.update(Edit(scope, project, made.id, {"summary": "New"}))
        (page,) = adapter.pages(scope, page.cursor)
        assert page.records[0].fields["summary"] == "New"
        adapter.close()
