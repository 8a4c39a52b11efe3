"""The Asana adapter against the stand-in, in process: the laws of all adapters, and Asana's own."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import urllib3
from urllib3.exceptions import NewConnectionError, ProtocolError

from adapters.asana.adapter import connect
from adapters.asana.config import Config
from syncd.core.errors import RateLimited, Rejected, Stale
from syncd.core.records import Draft, Edit, FieldKind, Scope
from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.wire import Request, query_pairs
from syncd.testing.adapter_laws import (
    AdapterLaws,
    Lab,
    Line,
    NoAnswer,
    NoConnection,
    Spoilt,
    records_of,
)
from syncd.testing.fakes import FakeClock

ANN = "ann-token"


class InProcess(urllib3.PoolManager):
    """What the library takes for its connection pool; answers come over a `Line`."""

    def __init__(self, line):
        super().__init__()
        self.line = line

    def urlopen(self, method, url, redirect=True, **kw):
        parts = urlsplit(url)
        headers = {name.lower(): value for name, value in kw["headers"].items()}
        body = (kw.get("body") or "").encode()
        request = Request(method, parts.path, query_pairs(parts.query), headers, body)
        try:
            answer = self.line.exchange(request)
        except NoConnection:
            raise NewConnectionError(None, "refused") from None
        except NoAnswer:
            raise ProtocolError("Connection aborted.") from None
        return urllib3.HTTPResponse(
            answer.body, headers=answer.headers, status=answer.status, preload_content=False
        )


def is_write(request):
    if request.path.endswith("/batch"):
        return any(action["method"] != "get" for action in request.json()["data"]["actions"])
    return request.method != "GET"


class Firm:
    """A workspace with one project that has every kind of field, and the adapter joined to it."""

    def __init__(self, *, subtasks=False, marked=True):
        self.clock = FakeClock()
        self.box = AsanaSandbox(SandboxClock(frozen=self.clock.now()))
        self.ann = self.box.add_user("Ann", "ann@acme.example", token=ANN)
        self.line = Line(self.box.handle, is_write)
        self.project = self.make("/projects", name="Initiatives", team=self.box.team)
        self.doing = self.make(f"/projects/{self.project}/sections", name="Doing")
        self.shipped = self.make(f"/projects/{self.project}/sections", name="Shipped")
        self.custom = {name: self.field(name, **spec) for name, spec in FIELDS.items()}
        self.adapter = self.joined(self.box.token)
        fields = self.adapter.discover([self.project]).fields_of(self.project)
        self.fields = {field.name: field for field in fields}
        self.scope = Scope(
            "asana",
            self.project,
            "Initiatives",
            (self.project,),
            tuple(field.id for field in fields if field.kind is not FieldKind.OTHER),
            marker=self.custom["Syncd ID"] if marked else None,
            subtasks=subtasks,
        )
        self.line.sent.clear()

    def joined(self, token):
        return connect(
            "asana",
            Config(),
            secret=lambda: token,
            clock=self.clock,
            transport=InProcess(self.line),
        )

    def ask(self, method, path, data=None, **query):
        status, answer = self.box.request(method, path, data, token=ANN, **query)
        assert status in {200, 201}, answer
        return answer["data"]

    def make(self, path, **data):
        if path in {"/projects", "/custom_fields"}:
            data["workspace"] = self.box.workspace
        return self.ask("POST", path, data)["gid"]

    def field(self, name, **spec):
        gid = self.make("/custom_fields", name=name, **spec)
        path = f"/projects/{self.project}/addCustomFieldSetting"
        self.ask("POST", path, {"custom_field": gid})
        return gid

    def add(self, name, **data):
        return self.make("/tasks", name=name, projects=[self.project], **data)

    def below(self, parent, name):
        return self.make("/tasks", name=name, parent=parent)

    def rename(self, task, name):
        self.ask("PUT", f"/tasks/{task}", {"name": name})

    def read(self, task):
        (found,) = self.adapter.read(self.scope, [task])
        return found

    def pass_time(self, seconds):
        self.clock.advance(seconds)
        self.box.clock.step(seconds)

    def options(self, field):
        return tuple(option.id for option in self.fields[field].options)

    def examples(self):
        one, two = self.options("Priority")
        return {
            "notes": ("# Why\n\nBecause **so**.\n\n- a\n- b", "short"),
            "start_on": ("2027-01-04", "2027-01-05"),
            "due_on": ("2027-03-01", "2027-04-01"),
            "completed": (True, False),
            "assignee": (self.ann, self.box.user),
            "section": (self.doing, self.shipped),
            "tags": (("blue", "grün & rot"), ("blue",)),
            "parent": (self.add("Parent"),),
            self.custom["Team"]: ("Ops", "Web"),
            self.custom["Points"]: (3.0, 0.5),
            self.custom["Priority"]: (one, two),
            self.custom["Areas"]: (self.options("Areas"), self.options("Areas")[:1]),
            self.custom["Promised"]: ("2027-05-01", "2027-05-02"),
            self.custom["Crew"]: (tuple(sorted((self.ann, self.box.user))), (self.ann,)),
        }

    def lab(self, add=None):
        return Lab(
            adapter=self.adapter,
            scope=self.scope,
            container=self.project,
            kind=None,
            title="name",
            line=self.line,
            clock=self.clock,
            unknown="1299999999999999",
            add=add or self.add,
            rename=self.rename,
            pass_time=self.pass_time,
            with_token=self.joined,
            examples=self.examples(),
            cannot_be_empty=frozenset({"completed", "section"}),
            base={"due_on": "2027-02-01"},
        )

    def paths(self):
        """Return what was sent since the last time this was asked."""
        sent = [
            f"{request.method} {request.path.removeprefix('/api/1.0')}"
            for request in self.line.sent
        ]
        self.line.sent.clear()
        return sent

    def cursor(self):
        return list(self.adapter.pages(self.scope, None))[-1].cursor


FIELDS = {
    "Syncd ID": {"resource_subtype": "text"},
    "Team": {"resource_subtype": "text"},
    "Points": {"resource_subtype": "number", "precision": 1},
    "Priority": {"resource_subtype": "enum", "enum_options": [{"name": "High"}, {"name": "Low"}]},
    "Areas": {"resource_subtype": "multi_enum", "enum_options": [{"name": "A"}, {"name": "B"}]},
    "Promised": {"resource_subtype": "date"},
    "Crew": {"resource_subtype": "people"},
}


class TestAsanaLaws(AdapterLaws):
    @pytest.fixture
    def lab(self):
        return Firm().lab()


class TestAsanaSubtaskLaws(AdapterLaws):
    """The same laws where the records are subtasks, which no list of the project shows."""

    @pytest.fixture
    def lab(self):
        firm = Firm(subtasks=True)
        parent = firm.add("Parent of all")
        return firm.lab(add=lambda name: firm.below(parent, name))


@pytest.fixture
def firm():
    return Firm()


# reading ----------------------------------------------------------------------------------------


def test_full_read_takes_the_token_before_the_listing(firm):
    firm.add("One")
    firm.cursor()
    assert firm.paths() == ["GET /events", f"GET /projects/{firm.project}/tasks"]


def test_change_during_the_listing_is_in_the_next_read(firm):
    task = firm.add("Old")
    pages = firm.adapter.pages(firm.scope, None)
    assert task in records_of([next(pages)])
    firm.rename(task, "New")
    cursor = list(pages)[-1].cursor
    assert records_of(list(firm.adapter.pages(firm.scope, cursor)))[task].fields["name"] == "New"


def test_incremental_read_costs_one_request_for_the_events_and_one_for_ten_tasks(firm):
    tasks = [firm.add(f"Task {number}") for number in range(25)]
    cursor = firm.cursor()
    firm.paths()
    for task in tasks[:12]:
        firm.rename(task, "Changed")
    found = records_of(list(firm.adapter.pages(firm.scope, cursor)))
    assert set(found) == set(tasks[:12])
    assert firm.paths() == ["GET /events", "POST /batch", "POST /batch"]


def test_more_events_than_one_answer_holds(firm):
    cursor = firm.cursor()
    tasks = {firm.add(f"Task {number}") for number in range(130)}
    firm.paths()
    found = records_of(list(firm.adapter.pages(firm.scope, cursor)))
    assert set(found) == tasks
    assert firm.paths().count("GET /events") > 1


def test_read_that_breaks_off_goes_on_where_it_was(firm):
    cursor = firm.cursor()
    tasks = [firm.add(f"Task {number}") for number in range(25)]
    pages = firm.adapter.pages(firm.scope, cursor)
    first, second = next(pages), next(pages)
    assert first.records == ()
    again = records_of(list(firm.adapter.pages(firm.scope, first.cursor)))
    assert set(again) == set(tasks)
    rest = records_of(list(firm.adapter.pages(firm.scope, second.cursor)))
    assert set(rest) == set(tasks) - {record.id for record in second.records}


def test_author_is_who_made_the_last_change(firm):
    task = firm.add("Old")
    cursor = firm.cursor()
    firm.adapter.update(Edit(firm.scope, firm.project, task, {"name": "Ours"}))
    pages = list(firm.adapter.pages(firm.scope, cursor))
    assert records_of(pages)[task].author == firm.box.user
    firm.rename(task, "Hers")
    assert (
        records_of(list(firm.adapter.pages(firm.scope, pages[-1].cursor)))[task].author == firm.ann
    )


def test_moving_to_another_section_is_seen_though_the_time_of_change_may_stay(firm):
    task = firm.add("Task")
    cursor = firm.cursor()
    firm.ask("POST", f"/sections/{firm.shipped}/addTask", {"task": task})
    found = records_of(list(firm.adapter.pages(firm.scope, cursor)))
    assert found[task].fields["section"] == firm.shipped


def test_deleted_task_is_gone_and_one_that_came_back_is_not(firm):
    lost, back = firm.add("Lost"), firm.add("Back")
    cursor = firm.cursor()
    for task in (lost, back):
        firm.ask("DELETE", f"/tasks/{task}")
    firm.box.undelete(back)
    pages = list(firm.adapter.pages(firm.scope, cursor))
    assert [gid for page in pages for gid in page.gone] == [lost]
    assert back in records_of(pages)
    assert [r.id for r in firm.adapter.read(firm.scope, [lost, back])] == [back]


@pytest.mark.parametrize("still_seen", [True, False])
def test_task_taken_out_of_the_project_is_gone_from_it(firm, still_seen):
    task = firm.add("Task", **({"assignee": firm.box.user} if still_seen else {}))
    cursor = firm.cursor()
    firm.ask("POST", f"/tasks/{task}/removeProject", {"project": firm.project})
    pages = list(firm.adapter.pages(firm.scope, cursor))
    assert [gid for page in pages for gid in page.gone] == [task]
    found = firm.adapter.read(firm.scope, [task])
    assert [record.trashed for record in found] == ([True] if still_seen else [])


def test_task_put_back_into_the_project_is_not_gone(firm):
    task = firm.add("Task")
    cursor = firm.cursor()
    for verb in ("removeProject", "addProject"):
        firm.ask("POST", f"/tasks/{task}/{verb}", {"project": firm.project})
    pages = list(firm.adapter.pages(firm.scope, cursor))
    assert task in records_of(pages)
    assert not [gid for page in pages for gid in page.gone]


def test_task_that_cannot_be_seen_is_not_called_deleted(firm):
    task = firm.add("Task")
    cursor = firm.cursor()
    firm.rename(task, "New")

    def hides(line, request):
        if request.path.endswith("/batch"):
            hidden = Request("GET", f"/api/1.0/tasks/{firm.lab().unknown}", (), request.headers)
            assert line.handle(hidden).status == 404
            request = Request(
                request.method,
                request.path,
                request.query,
                request.headers,
                request.body.replace(task.encode(), firm.lab().unknown.encode()),
            )
        return line.handle(request)

    firm.line.fault = hides
    pages = list(firm.adapter.pages(firm.scope, cursor))
    assert [page.records + page.gone for page in pages] == [(), ()]


def test_cursor_older_than_a_day_is_stale(firm):
    cursor = firm.cursor()
    firm.pass_time(25 * 3600)
    with pytest.raises(Stale, match="read again"):
        list(firm.adapter.pages(firm.scope, cursor))
    assert firm.cursor()


def test_subtasks_of_any_depth_are_read_once_each():
    firm = Firm(subtasks=True)
    top = firm.add("Top")
    middle = firm.below(top, "Middle")
    leaf = firm.below(middle, "Leaf")
    both = firm.below(top, "Also in the project")
    firm.ask("POST", f"/tasks/{both}/addProject", {"project": firm.project})
    pages = list(firm.adapter.pages(firm.scope, None))
    listed = [record.id for page in pages for record in page.records]
    assert sorted(listed) == sorted([top, middle, leaf, both])
    assert records_of(pages)[leaf].fields["parent"] == middle
    assert records_of(pages)[leaf].parent_key == "Middle"


def test_subtasks_are_left_out_where_they_are_not_wanted(firm):
    top = firm.add("Top")
    cursor = firm.cursor()
    firm.below(top, "Below")
    assert set(records_of(list(firm.adapter.pages(firm.scope, None)))) == {top}
    assert set(records_of(list(firm.adapter.pages(firm.scope, cursor)))) <= {top}


def test_only_what_the_mapping_uses_is_asked_for(firm):
    firm.add("Task")
    small = Scope("asana", firm.project, "Initiatives", (firm.project,), ("name", "due_on"))
    firm.paths()
    (page, _) = firm.adapter.pages(small, None)
    asked = dict(firm.line.sent[-1].query)["opt_fields"].split(",")
    assert not [name for name in asked if name.startswith(("custom_fields", "html_notes", "tags"))]
    assert dict(page.records[0].fields) == {"name": "Task", "due_on": None}


def test_no_break_space_is_read_and_written_as_it_is(firm):
    task = firm.add("a\u00a0b")
    (record,) = firm.adapter.read(firm.scope, [task])
    assert record.fields["name"] == "a\u00a0b"


def test_notes_we_cannot_express_are_opaque(firm):
    task = firm.add("Task", html_notes="<body>a <u>b</u></body>")
    (record,) = firm.adapter.read(firm.scope, [task])
    assert record.opaque == {"notes"}
    assert record.fields["notes"] == "a b"


# discovering ------------------------------------------------------------------------------------


def test_project_is_found_by_name_in_any_case_and_all_are_listed(firm):
    other = firm.make("/projects", name="Roadmap", team=firm.box.team)
    schema = firm.adapter.discover(["initiatives"])
    assert {c.id: c.name for c in schema.containers} == {
        firm.project: "Initiatives",
        other: "Roadmap",
    }
    assert {f.name for f in schema.fields_of(firm.project)} >= {"Section", *FIELDS}
    assert "Section" not in {f.name for f in schema.fields_of(other)}
    assert {(a.name, a.email) for a in schema.people} == {
        ("Ann", "ann@acme.example"),
        ("Syncd Bot", "bot@acme.example"),
    }


def test_exact_name_wins_over_one_in_another_case(firm):
    firm.make("/projects", name="INITIATIVES", team=firm.box.team)
    schema = firm.adapter.discover(["Initiatives"])
    sections = [field for field in schema.fields if field.id == "section"]
    assert [field.containers for field in sections] == [(firm.project,)]


def test_sections_are_the_options_of_each_project(firm):
    section = firm.fields["Section"]
    assert section.kind is FieldKind.STATUS
    assert {(o.id, o.name) for o in section.options} >= {
        (firm.doing, "Doing"),
        (firm.shipped, "Shipped"),
    }


def test_workspace_that_is_not_there_is_named_with_those_that_are(firm):
    adapter = connect(
        "asana",
        Config(workspace="Acmee"),
        secret=lambda: firm.box.token,
        clock=firm.clock,
        transport=InProcess(firm.line),
    )
    with pytest.raises(Exception, match=r"no workspace 'Acmee'.*Acme"):
        adapter.discover([])


# writing ----------------------------------------------------------------------------------------


def test_one_request_creates_the_whole_task(firm):
    fields = {name: values[0] for name, values in firm.examples().items()}
    firm.paths()
    answer = firm.adapter.create(
        Draft(firm.scope, firm.project, "milestone", {"name": "M", **fields, "start_on": None}, "m")
    )
    writes = [request for request in firm.line.writes if request.path.endswith("/tasks")]
    assert len(writes) == 1
    assert answer.record.kind == "milestone"
    assert answer.record.marker == "m"
    expected = {**fields, "start_on": None}
    assert {name: answer.record.fields[name] for name in expected} == expected


def test_start_without_end_is_left_for_an_update_and_refused_there_alone(firm):
    draft = Draft(firm.scope, firm.project, None, {"name": "T", "start_on": "2027-01-01"}, "m")
    answer = firm.adapter.create(draft)
    assert answer.record.fields["start_on"] is None
    with pytest.raises(Rejected) as caught:
        firm.adapter.update(Edit(firm.scope, firm.project, answer.id, {"start_on": "2027-01-01"}))
    assert not caught.value.maybe_applied


def test_start_is_written_together_with_the_end_the_task_has(firm):
    task = firm.add("Task", due_on="2027-02-01")
    firm.adapter.update(Edit(firm.scope, firm.project, task, {"start_on": "2027-01-01"}))
    shown = firm.ask("GET", f"/tasks/{task}", opt_fields="start_on,due_on")
    assert (shown["start_on"], shown["due_on"]) == ("2027-01-01", "2027-02-01")


def test_end_at_a_time_of_day_keeps_it_when_the_start_is_written(firm):
    task = firm.add("Task", due_at="2027-02-01T15:30:00.000Z")
    firm.adapter.update(Edit(firm.scope, firm.project, task, {"start_on": "2027-01-01"}))
    shown = firm.ask("GET", f"/tasks/{task}", opt_fields="start_on,due_at")
    assert shown["due_at"] == "2027-02-01T15:30:00.000Z"


def test_refused_field_is_named_by_its_id(firm):
    task = firm.add("Task")
    points = firm.custom["Points"]
    for field, value in {"due_on": "soon", points: "many"}.items():
        with pytest.raises(Rejected) as caught:
            firm.adapter.update(Edit(firm.scope, firm.project, task, {field: value}))
        assert field in caught.value.fields
        assert not caught.value.maybe_applied


def test_task_cannot_be_taken_out_of_all_sections(firm):
    task = firm.add("Task")
    firm.paths()
    with pytest.raises(Rejected, match="map the empty value"):
        firm.adapter.update(Edit(firm.scope, firm.project, task, {"section": None}))
    assert firm.paths() == []


def test_tags_are_changed_in_one_batch_and_created_once(firm):
    task = firm.add("Task")
    edit = Edit(firm.scope, firm.project, task, {"tags": ("a", "b", "c")})
    firm.adapter.update(edit)
    assert firm.read(task).fields["tags"] == ("a", "b", "c")
    other = firm.add("Other")
    firm.line.sent.clear()
    firm.adapter.update(Edit(firm.scope, firm.project, other, {"tags": ("b", "c")}))
    assert [request.path for request in firm.line.writes] == ["/api/1.0/batch"]
    assert len(firm.ask("GET", f"/workspaces/{firm.box.workspace}/tags")) == 3


def refuses_the_second_batch_of_changes(line, request):
    """Serve the first batch of changes; ask for an hour's pause instead of the second."""
    if line.is_write(request) and request.path.endswith("/batch") and len(batches(line)) == 2:
        return Spoilt(429, b"", {"retry-after": "3600"})
    return line.handle(request)


def batches(line):
    return [request for request in line.writes if request.path.endswith("/batch")]


def test_of_many_tags_some_may_be_there_when_the_rest_is_refused(firm):
    task = firm.add("Task")
    names = tuple(f"tag {n:02}" for n in range(14))
    firm.line.fault = refuses_the_second_batch_of_changes
    with pytest.raises(RateLimited) as caught:
        firm.adapter.update(Edit(firm.scope, firm.project, task, {"tags": names}))
    assert caught.value.maybe_applied, "ten of them have taken effect"
    firm.line.fault = None
    firm.pass_time(3600.0)
    assert firm.read(task).fields["tags"] == names[:10]
    firm.adapter.update(Edit(firm.scope, firm.project, task, {"tags": names}))
    assert firm.read(task).fields["tags"] == names


def test_tags_that_are_there_already_cost_no_write(firm):
    task = firm.add("Task")
    edit = Edit(firm.scope, firm.project, task, {"tags": ("a",)})
    firm.adapter.update(edit)
    firm.line.sent.clear()
    firm.adapter.update(edit)
    assert firm.line.writes == []
    assert firm.read(task).fields["tags"] == ("a",)


def test_change_that_asana_does_not_show_is_answered_without_a_look(firm):
    task = firm.add("Task")
    firm.line.sent.clear()
    answer = firm.adapter.update(Edit(firm.scope, firm.project, task, {"section": firm.shipped}))
    assert (answer.id, answer.record) == (task, None)
    assert [request.method for request in firm.line.sent] == ["POST"]


def test_log_of_a_task_with_many_stories_is_read_to_its_end(firm):
    task = firm.add("Task")
    before = firm.read(task).updated
    for number in range(120):
        firm.pass_time(1)
        firm.rename(task, f"Name {number}")
    firm.line.sent.clear()
    found = firm.adapter.log(firm.scope, {task: before})[task]
    assert [entry.after for entry in found] == [f"Name {number}" for number in range(120)]
    assert len(firm.line.sent) == 3  # a batch, then the task's own two pages


def test_requests_put_together_what_one_update_takes(firm):
    groups = firm.adapter.requests(["tags", "name", "section", "due_on", "parent", "12345"])
    assert groups == (("name", "due_on", "12345"), ("section",), ("parent",), ("tags",))
    assert firm.adapter.requests([]) == ()


def test_without_a_marker_field_ours_is_found_by_name_and_creator():
    firm = Firm(marked=False)
    start = firm.read(firm.add("Seen before")).updated
    answer = firm.adapter.create(Draft(firm.scope, firm.project, None, {"name": "Twin"}, "m-1"))
    firm.add("Twin")
    found = firm.adapter.find(firm.scope, "m-1", start)
    assert [record.id for record in found] == [answer.id]
    assert firm.adapter.find(firm.scope, "m-2", start) == ()
    assert firm.adapter.find(firm.scope, "m-1", "2099-01-01T00:00:00.000Z") == ()


@pytest.mark.parametrize(("marked", "listed"), [(True, True), (False, False)])
def test_subtask_stands_in_the_project_only_where_it_needs_its_fields(marked, listed):
    firm = Firm(subtasks=True, marked=marked)
    parent = firm.add("Parent")
    draft = Draft(firm.scope, firm.project, None, {"name": "Below", "parent": parent}, "m-1")
    answer = firm.adapter.create(draft)
    assert not answer.record.trashed
    tasks = firm.ask("GET", f"/projects/{firm.project}/tasks")
    assert (answer.id in {task["gid"] for task in tasks}) is listed
    found = firm.adapter.find(firm.scope, "m-1", "")
    assert [record.id for record in found] == [answer.id]


def test_it_works_again_after_close(firm):
    firm.adapter.close()
    assert firm.cursor()
