"""Event streams of the Asana stand-in: tokens, what bubbles up, what a change looks like."""

from __future__ import annotations

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock


@pytest.fixture
def asana() -> AsanaSandbox:
    return AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))


def ask(asana, method, path, data=None, **query):
    status, body = asana.request(method, path, data, **query)
    assert status < 300, body
    return body["data"]


class Stream:
    """A client that follows one resource."""

    def __init__(self, asana, resource):
        self.asana, self.resource = asana, resource
        status, body = asana.request("GET", "/events", resource=resource)
        assert status == 412
        assert body["errors"][0]["message"].startswith("Sync token invalid or too old")
        self.token = body["sync"]
        self.more = False

    def read(self, **query):
        status, body = self.asana.request(
            "GET", "/events", resource=self.resource, sync=self.token, **query
        )
        assert status == 200, body
        self.token, self.more = body["sync"], body["has_more"]
        return body["data"]

    def short(self):
        rows = []
        for event in self.read():
            field = event.get("change", {}).get("field")
            rows.append(f"{event['type']} {event['action']}" + (f" {field}" if field else ""))
        return rows


@pytest.fixture
def project(asana):
    return ask(asana, "POST", "/projects", {"name": "P", "team": asana.team})["gid"]


@pytest.fixture
def stream(asana, project):
    return Stream(asana, project)


def new_task(asana, project, **more):
    return ask(asana, "POST", "/tasks", {"name": "A", "projects": [project], **more})["gid"]


def test_nothing_happened_is_one_call_with_a_good_token(stream):
    assert stream.read() == []
    assert stream.read() == []
    assert not stream.more


def test_a_new_task_is_added_to_project_and_section(asana, project, stream):
    gid = new_task(asana, project)
    events = stream.read()
    first = events[0]
    assert first["resource"]["gid"] == gid
    assert (first["action"], first["parent"]["gid"]) == ("added", project)
    assert first["user"]["name"] == "Syncd Bot"
    assert "change" not in first
    assert [e["parent"]["resource_type"] for e in events if e["action"] == "added"] == [
        "project", "section", "task",
    ]  # fmt: skip


def test_each_change_names_its_field(asana, project, stream):
    gid = new_task(asana, project)
    stream.read()
    ask(asana, "PUT", f"/tasks/{gid}", {"name": "B", "completed": True, "due_on": "2026-12-01"})
    rows = [row for row in stream.short() if row.startswith("task")]
    assert rows == ["task changed name", "task changed completed", "task changed due_on"]


def test_a_value_that_is_an_object_is_in_the_event(asana, project, stream):
    ann = asana.add_user("Ann", "ann@acme.example")
    gid = new_task(asana, project)
    stream.read()
    ask(asana, "PUT", f"/tasks/{gid}", {"assignee": ann})
    changes = [event["change"] for event in stream.read() if "change" in event]
    person = {"gid": ann, "name": "Ann", "resource_type": "user"}
    assert changes == [
        {"field": "assignee", "action": "changed", "new_value": person},
        {"field": "followers", "action": "added", "added_value": person},
    ]


def test_a_section_move_is_heard(asana, project, stream):
    gid = new_task(asana, project)
    to = ask(asana, "POST", f"/projects/{project}/sections", {"name": "Done"})["gid"]
    stream.read()
    ask(asana, "POST", f"/sections/{to}/addTask", {"task": gid})
    events = stream.read()
    assert [(e["action"], e["resource"]["gid"]) for e in events[:2]] == [
        ("removed", gid),
        ("added", gid),
    ]
    assert events[2]["resource"]["resource_subtype"] == "section_changed"


def test_subtasks_and_their_stories_bubble_up(asana, project, stream):
    gid = new_task(asana, project)
    child = ask(asana, "POST", f"/tasks/{gid}/subtasks", {"name": "child"})["gid"]
    stream.read()
    ask(asana, "PUT", f"/tasks/{child}", {"name": "renamed"})
    ask(asana, "POST", f"/tasks/{child}/stories", {"text": "hi"})
    assert stream.short() == ["task changed name", "story added", "story added"]


def test_leaving_the_project_and_the_trash(asana, project, stream):
    one, two = new_task(asana, project), new_task(asana, project)
    stream.read()
    ask(asana, "POST", f"/tasks/{one}/removeProject", {"project": project})
    ask(asana, "DELETE", f"/tasks/{two}")
    events = [event for event in stream.read() if event["type"] == "task"]
    assert [(e["action"], e["resource"]["gid"]) for e in events] == [
        ("removed", one),
        ("deleted", two),
    ]
    assert events[0]["parent"]["gid"] == project
    assert asana.undelete(two)
    assert stream.short() == ["task undeleted"]


def test_custom_fields_and_tags(asana, project, stream):
    field = {"workspace": asana.workspace, "name": "F", "resource_subtype": "number"}
    number = ask(asana, "POST", "/custom_fields", field)["gid"]
    ask(asana, "POST", f"/projects/{project}/addCustomFieldSetting", {"custom_field": number})
    gid = new_task(asana, project)
    stream.read()
    ask(asana, "PUT", f"/tasks/{gid}", {"custom_fields": {number: 4}})
    change = stream.read()[0]["change"]
    assert (change["field"], change["new_value"]["gid"]) == ("custom_fields", number)
    assert change["new_value"]["number_value"] == 4


def test_a_hundred_a_call_and_has_more(asana, project, stream):
    gid = new_task(asana, project)
    stream.read()
    for n in range(120):
        ask(asana, "PUT", f"/tasks/{gid}", {"name": f"{n}"})
    sizes = []
    while True:
        sizes.append(len(stream.read()))
        if not stream.more:
            break
    assert sizes == [100, 100, 40]


def test_asking_again_with_the_same_token_gives_the_same(asana, project, stream):
    new_task(asana, project)
    token = stream.token
    first = stream.read()
    stream.token = token
    assert stream.read() == first


def test_a_token_dies_after_a_day_and_with_another_resource(asana, project, stream):
    new_task(asana, project)
    asana.clock.step(86400)
    status, body = asana.request("GET", "/events", resource=project, sync=stream.token)
    assert status == 412
    stream.token = body["sync"]
    assert stream.read() == []
    other = ask(asana, "POST", "/projects", {"name": "Q", "team": asana.team})["gid"]
    assert asana.request("GET", "/events", resource=other, sync=stream.token)[0] == 412
    assert asana.request("GET", "/events", resource=project, sync="nonsense")[0] == 412


def test_nothing_from_before_the_token_is_told(asana, project):
    new_task(asana, project)
    assert Stream(asana, project).read() == []


def test_events_can_come_late_and_get_lost(asana, project, stream):
    asana.streams.delay = 60
    gid = new_task(asana, project)
    assert stream.read() == []
    asana.clock.step(60)
    assert stream.read()
    asana.streams.delay = 0
    asana.streams.lose_every = 1
    ask(asana, "PUT", f"/tasks/{gid}", {"name": "unheard"})
    assert stream.read() == []


def test_a_task_and_the_workspace_have_streams_too(asana, project):
    gid = new_task(asana, project)
    other = new_task(asana, project)
    stream = Stream(asana, gid)
    path = f"/workspaces/{asana.workspace}/events"
    token = asana.request("GET", path)[1]["sync"]
    ask(asana, "PUT", f"/tasks/{gid}", {"name": "B"})
    ask(asana, "PUT", f"/tasks/{other}", {"name": "C"})
    assert stream.short() == ["task changed name", "story added"]
    rows = asana.request("GET", path, sync=token)[1]["data"]
    assert {e["resource"]["gid"] for e in rows if e["type"] == "task"} == {gid, other}


def test_fields_of_an_event_can_be_chosen(asana, project, stream):
    gid = new_task(asana, project, notes="n")
    event = stream.read(opt_fields="action,resource.notes,created_at")[0]
    assert event == {
        "action": "added",
        "resource": {"gid": gid, "notes": "n"},
        "created_at": "2026-09-21T14:13:20.000Z",
    }


def test_events_of_what_is_not_there_are_refused(asana):
    assert asana.request("GET", "/events")[0] == 400
    assert asana.request("GET", "/events", resource="77")[0] == 404
