"""What the Asana stand-in refuses, and in which words."""

from __future__ import annotations

import orjson
import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.wire import Request

PAGED = "You should use pagination (may require specifying a workspace)!"


class World:
    """A workspace with a project, two sections, a task and a field."""

    def __init__(self):
        self.asana = AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))
        self.project = self.make("/projects", name="P", team=self.asana.team)
        self.section = self.make(f"/projects/{self.project}/sections", name="S")
        self.task = self.make("/tasks", name="A", projects=[self.project])
        self.field = self.make(
            "/custom_fields", name="F", workspace=self.asana.workspace, resource_subtype="text"
        )

    def make(self, path, **data):
        status, body = self.asana.request("POST", path, data)
        assert status == 201, body
        return body["data"]["gid"]

    def fill(self, value):
        if isinstance(value, dict):
            return {self.fill(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if not isinstance(value, str):
            return value
        for name in ("project", "section", "task", "field"):
            value = value.replace(f"<{name}>", getattr(self, name))
        return value.replace("<ws>", self.asana.workspace).replace("<team>", self.asana.team)


@pytest.fixture(scope="module")
def world():
    return World()


CASES = [
    ("GET", "/tasks/999", None, 404, "task: Unknown object: 999"),
    ("GET", "/tasks/abc", None, 400, "task: Not a recognized ID: abc"),
    ("GET", "/tasks/<project>", None, 404, "task: Unknown object: <project>"),
    ("GET", "/nothing", None, 404, "No matching route for request"),
    ("DELETE", "/users/me", None, 404, "No matching route for request"),
    ("GET", "/users/nobody@x.example", None, 404, "user: Unknown object: nobody@x.example"),
    ("GET", "/users/x y", None, 400, "user: Not a recognized ID: x y"),
    ("POST", "/tasks", {"name": "x"}, 400, "You should specify one of workspace, parent, projects"),
    ("POST", "/tasks", {"projects": ["9"]}, 400, "projects: [0]: Unknown object: 9"),
    ("POST", "/tasks", {"projects": [9]}, 400, "projects: [0]: Not a valid GID type: number"),
    ("POST", "/tasks", {"workspace": "9"}, 400, "workspace: Unknown object: 9"),
    (
        "POST", "/tasks", {"workspace": "<ws>", "assignee": "9"}, 400,
        "assignee: Not a user in Organization: 9",
    ),
    (
        "POST", "/tasks", {"memberships": [{"section": "<section>"}]}, 400,
        "memberships: [0]: project: Missing required field",
    ),
    ("POST", "/tasks", {"workspace": "<ws>", "name": 5}, 400, "name: Value is not a string: 5"),
    ("PUT", "/tasks/<task>", {"projects": []}, 400, "projects: Cannot write this property"),
    ("PUT", "/tasks/<task>", {"parent": None}, 400, "parent: Cannot write this property"),
    ("PUT", "/tasks/<task>", {"tags": []}, 400, "tags: Cannot write this property"),
    (
        "PUT", "/tasks/<task>", {"memberships": []}, 400,
        "memberships: Cannot write this property",
    ),
    (
        "PUT", "/tasks/<task>", {"completed_at": None}, 400,
        "completed_at: Cannot write this property",
    ),
    (
        "PUT", "/tasks/<task>", {"due_on": "1.2.26"}, 400,
        "due_on: Date must be in ISO-8601 (yyyy-mm-dd) format, not: 1.2.26",
    ),
    (
        "PUT", "/tasks/<task>", {"due_on": "2026-02-30"}, 400,
        "due_on: Date must be in ISO-8601 (yyyy-mm-dd) format, not: 2026-02-30",
    ),
    (
        "PUT", "/tasks/<task>", {"due_on": "2026-02-01", "due_at": "2026-02-01T00:00:00Z"}, 400,
        "You may only provide one of due_on or due_at!",
    ),
    ("PUT", "/tasks/<task>", {"start_on": "2026-02-01"}, 400, "start_on: due_on or due_at must be"),
    (
        "PUT", "/tasks/<task>", {"start_on": "2026-02-02", "due_on": "2026-02-01"}, 400,
        "start_on: Start date must be on or before",
    ),
    (
        "PUT", "/tasks/<task>",
        {"resource_subtype": "milestone", "start_on": "2026-02-02", "due_on": "2026-02-03"}, 400,
        "start_on: Milestones cannot have a start date",
    ),
    ("PUT", "/tasks/<task>", {"completed": "si"}, 400, 'completed: Value is not a boolean: "si"'),
    ("PUT", "/tasks/<task>", {"resource_subtype": "x"}, 400, "resource_subtype: Not a valid value"),
    (
        "PUT", "/tasks/<task>", {"custom_fields": {"<field>": "x"}}, 400,
        "Custom field with ID <field> is not on given object",
    ),
    (
        "PUT", "/tasks/<task>", {"custom_fields": 7}, 400,
        "custom_fields: Value is not a JSON object: 7",
    ),
    (
        "PUT", "/tasks/<task>", {"notes": "a", "html_notes": "<body>b</body>"}, 400,
        "You may only provide one of notes or html_notes!",
    ),
    ("POST", "/tasks/<task>/setParent", {}, 400, "parent: Missing input"),
    ("POST", "/tasks/<task>/setParent", {"parent": "9"}, 400, "parent: Unknown object: 9"),
    ("POST", "/tasks/<task>/addProject", {}, 400, "project: Missing input"),
    ("POST", "/tasks/<task>/addTag", {"tag": "9"}, 400, "tag: Unknown object: 9"),
    ("POST", "/tasks/<task>/stories", {}, 400, "text: Missing input"),
    ("POST", "/sections/<section>/addTask", {}, 400, "task: Missing input"),
    (
        "POST", "/sections/<section>/addTask", {"task": "<task>", "insert_after": "<task>"}, 400,
        "insert_after: Task <task> is not in section <section>",
    ),
    ("GET", "/tasks", None, 400, "Must specify exactly one of project, tag, section, user task"),
    ("POST", "/projects", {"team": "<team>"}, 400, "name: Missing input"),
    ("POST", "/projects", {"name": "x", "workspace": "<ws>"}, 400, "Missing required team field"),
    ("POST", "/projects", {"name": "x"}, 400, "workspace: Missing input"),
    ("PUT", "/projects/<project>", {"created_at": "x"}, 400, "created_at: Cannot write this"),
    (
        "POST", "/projects/<project>/addCustomFieldSetting", {"custom_field": "F"}, 400,
        "custom_field: Not a recognized ID: F",
    ),
    ("POST", "/custom_fields", {"name": "x"}, 400, "workspace: Missing input"),
    (
        "POST", "/custom_fields", {"name": "x", "workspace": "<ws>"}, 400,
        "resource_subtype: Missing input",
    ),
    ("GET", "/workspaces/<ws>/typeahead", None, 400, "resource_type: Missing input"),
    ("GET", "/users/me/user_task_list", None, 400, "workspace: Missing input"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "data", "status", "sentence"), CASES)
def test_refused(world, method, path, data, status, sentence):
    found, body = world.asana.request(method, world.fill(path), world.fill(data))
    assert (found, list(body)) == (status, ["errors"])
    error = body["errors"][0]
    assert error["message"].startswith(world.fill(sentence))
    assert error["help"].endswith("https://developers.asana.com/docs/errors")


QUERIES = [
    ({"limit": 0}, "limit: Must be between 1 and 100"),
    ({"limit": 101}, "limit: Must be between 1 and 100"),
    ({"limit": "ten"}, "limit: Must be between 1 and 100"),
    ({"limit": 5, "offset": "abc"}, "offset: Your pagination token is invalid."),
    ({"offset": "abc"}, "offset: Cannot be used without limit"),
    ({"completed_since": "soon"}, "completed_since: Time must be in ISO-8601"),
]


@pytest.mark.parametrize(("query", "sentence"), QUERIES)
def test_bad_queries_of_a_list(world, query, sentence):
    path = f"/projects/{world.project}/tasks"
    status, body = world.asana.request("GET", path, **query)
    assert status == 400
    assert body["errors"][0]["message"].startswith(sentence)


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic abc", "sandbox-asana-token"])
def test_without_a_good_token(world, header):
    answer = world.asana.handle(Request("GET", "/api/1.0/users/me", (), {"authorization": header}))
    assert answer.status == 401
    assert orjson.loads(answer.body)["errors"][0]["message"] == "Not Authorized"


def test_a_revoked_token_stops_working(world):
    world.asana.add_token(world.asana.user, "short-lived")
    assert world.asana.request("GET", "/users/me", token="short-lived")[0] == 200
    world.asana.revoke_token("short-lived")
    assert world.asana.request("GET", "/users/me", token="short-lived")[0] == 401


BODIES = [
    (b"{", "Could not parse request data, invalid JSON"),
    (b"[1]", "Could not parse request data"),
    (b'{"name": "x"}', "Unrecognized request field name . The only allowed keys"),
    (b'{"data": 5}', "data: Missing input"),
]


@pytest.mark.parametrize(("body", "sentence"), BODIES)
def test_bad_bodies(world, body, sentence):
    headers = {"authorization": f"Bearer {world.asana.token}"}
    answer = world.asana.handle(Request("POST", "/api/1.0/tasks", (), headers, body))
    assert answer.status == 400
    assert orjson.loads(answer.body)["errors"][0]["message"].startswith(sentence)


def test_a_refused_create_leaves_nothing_behind(world):
    before = len(world.asana.store.objects)
    data = {"projects": [world.project], "name": "x", "custom_fields": {"1": "x"}}
    assert world.asana.request("POST", "/tasks", data)[0] == 400
    data = {"name": "x", "team": world.asana.team, "html_notes": "<p/>"}
    assert world.asana.request("POST", "/projects", data)[0] == 400
    assert len(world.asana.store.kinds["project"]) == 1
    listed = world.asana.request("GET", f"/projects/{world.project}/tasks")[1]["data"]
    assert [row["name"] for row in listed] == ["A"]
    assert len(world.asana.store.objects) == before


def test_a_form_body_is_taken_too(world):
    headers = {
        "authorization": f"Bearer {world.asana.token}",
        "content-type": "application/x-www-form-urlencoded",
    }
    body = f"name=From+a+form&projects={world.project}&completed=true".encode()
    answer = world.asana.handle(Request("POST", "/api/1.0/tasks", (), headers, body))
    made = orjson.loads(answer.body)["data"]
    assert (made["name"], made["completed"]) == ("From a form", True)
    world.asana.request("DELETE", f"/tasks/{made['gid']}")
