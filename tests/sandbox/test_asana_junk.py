"""Junk in every field of every operation of the Asana stand-in: refused, never a crash."""

from __future__ import annotations

import inspect
import re
from urllib.parse import quote

import pytest

from syncd.sandbox.asana import RESOURCES, AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.webhooks import Reply

JUNK = [
    None, 5, -1.5, 1e400, True, "", " ", "x", "me", "1", "∅\u00a0", "null", "9" * 40,
    [], [None], [5], ["x"], [{}], {}, {"gid": 1}, {"gid": "1"}, {"x": None}, [[]],
]  # fmt: skip
QUERIES = ("limit", "offset", "workspace", "project", "section", "tag", "assignee", "team",
           "resource", "sync", "parent", "completed_since", "modified_since", "opt_fields",
           "archived", "organization", "supported_goal", "time_periods", "resource_type",
           "query", "count", "sort_by", "due_on", "created_at.after", "custom_fields.1.value",
           "start_on", "is_workspace_level", "created_since", "user_task_list")  # fmt: skip


class World:
    """One of everything, so that paths lead somewhere."""

    def __init__(self):
        self.asana = AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))
        self.asana.line.post = lambda _url, headers, _body: Reply(
            200, {name.lower(): value for name, value in headers.items()}
        )
        home, team = self.asana.workspace, self.asana.team
        self.gids = {"workspace": home, "team": team, "user": self.asana.user}
        project = self.make("project", "/projects", name="P", team=team)
        self.make("section", f"/projects/{project}/sections", name="S")
        task = self.make("task", "/tasks", name="T", projects=[project])
        self.make("story", f"/tasks/{task}/stories", text="x")
        self.make("tag", "/tags", name="t", workspace=home)
        self.make("field", "/custom_fields", name="F", workspace=home, resource_subtype="enum",
                  enum_options=[{"name": "o"}])  # fmt: skip
        self.asana.request("POST", f"/projects/{project}/addCustomFieldSetting",
                           {"custom_field": self.gids["field"]})  # fmt: skip
        self.gids["option"] = self.body["enum_options"][0]["gid"]
        goal = self.make("goal", "/goals", name="G", workspace=home)
        self.asana.request("POST", f"/goals/{goal}/setMetric", {})
        self.make("portfolio", "/portfolios", name="F", workspace=home)
        status = {"parent": project, "text": "x", "status_type": "on_track"}
        self.gids["status"] = self.make("update", "/status_updates", **status)
        self.make("webhook", "/webhooks", resource=project, target="https://x.example")
        self.make("job", f"/tasks/{task}/duplicate", name="copy")
        self.make("entry", f"/tasks/{task}/time_tracking_entries", duration_minutes=5)
        self.make("brief", f"/projects/{project}/project_briefs", title="t")
        self.gids["gid"] = self.make("membership", "/memberships", parent=project, member="me")

    def make(self, kind, path, **data):
        status, body = self.asana.request("POST", path, data)
        assert status == 201, body
        self.body = body["data"]
        self.gids[kind] = self.body["gid"]
        return self.gids[kind]

    def path(self, template):
        return re.sub(r"\{(\w+)\}", lambda match: self.gids.get(match[1], "1"), template)


def fields_read(module):
    """Return every name a module asks the body for."""
    return set(re.findall(r'"([a-z_]+)"', inspect.getsource(module)))


WRITES = [(m, t, mod) for mod in RESOURCES for m, t, _ in mod.ROUTES if m in {"POST", "PUT"}]
READS = [t for mod in RESOURCES for m, t, _ in mod.ROUTES if m == "GET"]
MORE = {"name", "custom_fields", "html_notes", "notes", "due_at", "start_at", "external", "liked"}


@pytest.mark.parametrize(("method", "template", "module"), WRITES, ids=lambda it: str(it)[:60])
def test_junk_in_a_body(method, template, module):
    world = World()
    start = {"name": "N", "workspace": world.gids["workspace"], "team": world.gids["team"]}
    for name in sorted(fields_read(module) | MORE):
        for value in JUNK:
            data = {**(start if method == "POST" else {}), name: value}
            status, body = world.asana.request(method, world.path(template), data)
            assert status < 500
            assert ("data" in body) == (status < 300)


@pytest.mark.parametrize("template", READS)
def test_junk_in_a_query(template):
    world = World()
    for name in QUERIES:
        for value in (
            "",
            "x",
            "0",
            "-1",
            "1",
            "me",
            "true",
            "2026-13-01",
            "∅",
            "a.b.c",
            "((|",
            ".",
        ):
            status, body = world.asana.request("GET", world.path(template), **{name: value})
            assert status < 500
            assert ("data" in body) == (status < 300)


@pytest.mark.parametrize("junk", ["x", "1", "٣", "external:", " ", "%00", "me"])
def test_junk_in_a_path(junk):
    world = World()
    for module in RESOURCES:
        for method, template, _ in module.ROUTES:
            path = re.sub(r"\{\w+\}", quote(junk), template)
            data = {} if method in {"POST", "PUT"} else None
            assert world.asana.request(method, path, data)[0] < 500


@pytest.mark.parametrize("kind", ["text", "number", "enum", "multi_enum", "date", "people"])
def test_junk_in_a_custom_field(kind):
    world = World()
    field = world.make("any", "/custom_fields", name="any", workspace=world.gids["workspace"],
                       resource_subtype=kind)  # fmt: skip
    path = world.path("/projects/{project}/addCustomFieldSetting")
    world.asana.request("POST", path, {"custom_field": field})
    for value in [*JUNK, {"date": 5}, {"date": "x"}, {"date_time": "x"}, [{"gid": []}]]:
        data = {"custom_fields": {field: value}}
        status, body = world.asana.request("PUT", world.path("/tasks/{task}"), data)
        assert status in {200, 400}
        assert ("data" in body) == (status == 200)


@pytest.mark.parametrize("name", ["method", "relative_path", "data", "options", "fields"])
def test_junk_in_a_batch(name):
    world = World()
    for value in JUNK:
        action = {"method": "get", "relative_path": "/users/me", name: value}
        if name == "fields":
            action = {**action, "options": {"fields": value}}
        status, _body = world.asana.request("POST", "/batch", {"actions": [action]})
        assert status in {200, 400}
