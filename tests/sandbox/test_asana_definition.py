"""A tour of every operation of the Asana stand-in, held against the vendor's own definition."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.sandbox.asana import RESOURCES, AsanaSandbox
from syncd.sandbox.asana.shapes import SHAPES
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.webhooks import Reply

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
RECORDED = WIRE / "recorded" / "asana_airbyte" / "asana_airbyte_captured_2025-11-20.json"
TARGET = "https://hooks.acme.example/asana"


class Tour:
    """A client that keeps each exchange, and makes the objects the tour needs."""

    def __init__(self):
        self.asana = AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))
        self.asana.line.post = lambda _url, headers, _body: Reply(
            200, {name.lower(): value for name, value in headers.items()}
        )
        self.log = []

    def ask(self, method, path, data=None, **query):
        self.asana.clock.step(1)
        status, body = self.asana.request(method, path, data, **query)
        url = f"https://sandbox.example/api/1.0{path}"
        self.log.append(
            {
                "request": {"method": method, "url": url},
                "response": {"status": status, "body": body},
            }
        )
        assert status < 500
        return body

    def new(self, path, **data):
        return self.ask("POST", path, data)["data"]["gid"]

    def get(self, *paths, **query):
        for path in paths:
            assert "data" in self.ask("GET", path, **query), path

    def post(self, path, **data):
        body = self.ask("POST", path, data)
        assert "data" in body, (path, body)


def walk(tour):
    people(tour)
    project = projects(tour)
    field, option = fields(tour, project)
    task = tasks(tour, project, field, option)
    related(tour, task)
    planning(tour, project, field)
    beside(tour, project, field, task)
    upkeep(tour, project, task)
    refusals(tour)


def people(tour):
    home, team = tour.asana.workspace, tour.asana.team
    ann = tour.asana.add_user("Ann", "ann@acme.example")
    tour.get("/users/me", f"/users/{ann}", "/workspaces", f"/workspaces/{home}")
    tour.get(f"/workspaces/{home}/users", f"/workspaces/{home}/users/{ann}", f"/teams/{team}")
    tour.get(f"/workspaces/{home}/teams", f"/teams/{team}/users")
    tour.get("/users", workspace=home, limit=1)
    tour.get("/users/me/teams", organization=home)
    mine = tour.ask("GET", "/users/me/user_task_list", workspace=home)["data"]["gid"]
    tour.get(f"/user_task_lists/{mine}", f"/user_task_lists/{mine}/tasks")
    tour.get(f"/workspaces/{home}/typeahead", resource_type="user")
    tour.ask("PUT", f"/workspaces/{home}", {"name": "Acme"})
    other = tour.new("/teams", name="Design", organization=home)
    tour.ask("PUT", f"/teams/{other}", {"name": "Design 2"})
    tour.post(f"/teams/{other}/addUser", user=ann)
    tour.post(f"/teams/{other}/removeUser", user=ann)


def projects(tour):
    home, team = tour.asana.workspace, tour.asana.team
    project = tour.new("/projects", name="P", team=team, html_notes="<body><h1>x</h1></body>")
    tour.new(f"/teams/{team}/projects", name="Q")
    extra = tour.new(f"/workspaces/{home}/projects", name="R", team=team)
    tour.ask("DELETE", f"/projects/{extra}")
    tour.ask("PUT", f"/projects/{project}", {"notes": "n", "due_on": "2026-12-01"})
    tour.get(f"/projects/{project}", f"/workspaces/{home}/projects", f"/teams/{team}/projects")
    tour.get("/projects", workspace=home, archived="false", limit=2)
    for name in ("Members", "Followers"):
        tour.post(f"/projects/{project}/add{name}", **{name.lower(): "ann@acme.example"})
        tour.post(f"/projects/{project}/remove{name}", **{name.lower(): "ann@acme.example"})
    one, two = (tour.new(f"/projects/{project}/sections", name=n) for n in "ab")
    tour.post(f"/projects/{project}/sections/insert", section=two, before_section=one)
    tour.ask("PUT", f"/sections/{one}", {"name": "A"})
    tour.get(f"/projects/{project}/sections", f"/sections/{one}")
    tour.ask("DELETE", f"/sections/{two}")
    return project


def fields(tour, project):
    home, made = tour.asana.workspace, {}
    for kind in ("text", "number", "enum", "multi_enum", "date", "people"):
        options = [{"name": "x", "color": "red"}, {"name": "y"}] if "enum" in kind else []
        made[kind] = tour.new(
            "/custom_fields",
            name=kind,
            workspace=home,
            resource_subtype=kind,
            **({"enum_options": options} if options else {}),
        )
        tour.post(f"/projects/{project}/addCustomFieldSetting", custom_field=made[kind])
        tour.get(f"/custom_fields/{made[kind]}")
    option = tour.new(f"/custom_fields/{made['enum']}/enum_options", name="z")
    first = tour.ask("GET", f"/custom_fields/{made['enum']}")["data"]["enum_options"][0]["gid"]
    tour.post(
        f"/custom_fields/{made['enum']}/enum_options/insert",
        enum_option=option,
        before_enum_option=first,
    )
    tour.ask("PUT", f"/enum_options/{option}", {"name": "zz", "enabled": True})
    tour.ask("PUT", f"/custom_fields/{made['number']}", {"precision": 1})
    gone = tour.new("/custom_fields", name="gone", workspace=home, resource_subtype="text")
    tour.post(f"/projects/{project}/addCustomFieldSetting", custom_field=gone)
    tour.post(f"/projects/{project}/removeCustomFieldSetting", custom_field=gone)
    tour.ask("DELETE", f"/custom_fields/{gone}")
    tour.get(f"/workspaces/{home}/custom_fields", f"/projects/{project}/custom_field_settings")
    return made, option


def tasks(tour, project, field, option):
    values = {
        field["text"]: "t",
        field["number"]: 1,
        field["enum"]: option,
        field["multi_enum"]: [],
        field["date"]: {"date": "2026-12-01"},
        field["people"]: ["ann@acme.example"],
    }
    token = tour.ask("GET", "/events", resource=project)["sync"]
    home = tour.ask("GET", f"/workspaces/{tour.asana.workspace}/events")["sync"]
    task = tour.new(
        "/tasks",
        name="A",
        projects=[project],
        custom_fields=values,
        assignee="me",
        due_at="2026-12-01T10:00:00Z",
        followers=["ann@acme.example"],
        liked=True,
        html_notes="<body>x</body>",
    )
    every = ",".join(shape_fields("task"))
    tour.get(f"/tasks/{task}")
    tour.get(f"/tasks/{task}", opt_fields=every)
    values[field["number"]] = 2
    values[field["text"]] = None
    new = {"name": "B", "completed": True, "due_on": "2026-12-02", "custom_fields": values}
    tour.ask("PUT", f"/tasks/{task}", {**new, "resource_subtype": "approval", "assignee": None})
    tour.get("/tasks", project=project, limit=1, opt_fields="name,custom_fields")
    tour.get("/tasks", assignee="me", workspace=tour.asana.workspace)
    section = tour.ask("GET", f"/projects/{project}/sections")["data"][1]["gid"]
    tour.post(f"/sections/{section}/addTask", task=task)
    child = tour.new(f"/tasks/{task}/subtasks", name="child")
    tour.post(f"/tasks/{child}/setParent", parent=None)
    tour.post(f"/tasks/{child}/setParent", parent=task)
    tour.post(f"/tasks/{child}/addProject", project=project)
    tour.post(f"/tasks/{child}/removeProject", project=project)
    tour.get(f"/tasks/{task}/subtasks", f"/tasks/{task}/projects", f"/sections/{section}/tasks")
    tour.get(f"/projects/{project}/tasks", f"/projects/{project}/task_counts", limit=10)
    tour.get(f"/projects/{project}/task_counts", opt_fields="num_tasks,num_milestones")
    tour.get(f"/workspaces/{tour.asana.workspace}/tasks/search", text="b")
    tour.get("/events", f"/projects/{project}/events", resource=project, sync=token)
    tour.get(f"/workspaces/{tour.asana.workspace}/events", sync=home)
    tour.ask("GET", f"/tasks/{task}/events")
    return task


def shape_fields(kind):
    return SHAPES[kind].getters


def related(tour, task):
    home = tour.asana.workspace
    tag = tour.new("/tags", name="red", workspace=home, color="dark-red")
    tour.new(f"/workspaces/{home}/tags", name="blue")
    tour.ask("PUT", f"/tags/{tag}", {"name": "crimson"})
    tour.post(f"/tasks/{task}/addTag", tag=tag)
    tour.get("/tags", f"/tags/{tag}", f"/workspaces/{home}/tags", f"/tasks/{task}/tags")
    tour.get(f"/tags/{tag}/tasks")
    tour.post(f"/tasks/{task}/removeTag", tag=tag)
    tour.ask("DELETE", f"/tags/{tag}")
    other = tour.new("/tasks", name="other", workspace=home)
    for name, listed in (("Dependencies", [other]), ("Dependents", [other])):
        tour.post(f"/tasks/{task}/add{name}", **{name.lower(): listed})
        tour.get(f"/tasks/{task}/{name.lower()}")
        tour.post(f"/tasks/{task}/remove{name}", **{name.lower(): listed})
    tour.post(f"/tasks/{task}/addFollowers", followers="ann@acme.example")
    tour.post(f"/tasks/{task}/removeFollowers", followers="ann@acme.example")
    story = tour.new(f"/tasks/{task}/stories", text="hello")
    tour.get(f"/stories/{story}", f"/tasks/{task}/stories")
    for row in tour.ask("GET", f"/tasks/{task}/stories", limit=100)["data"]:
        tour.get(f"/stories/{row['gid']}")
    tour.get(f"/tasks/{task}/stories", opt_fields=",".join(shape_fields("story")))
    tour.ask("PUT", f"/stories/{story}", {"text": "hi", "is_pinned": True})
    tour.ask("DELETE", f"/stories/{story}")
    job = tour.new(f"/tasks/{task}/duplicate", name="copy", include="notes,subtasks")
    tour.get(f"/jobs/{job}")


def planning(tour, project, field):
    home = tour.asana.workspace
    periods = tour.ask("GET", "/time_periods", workspace=home)["data"]
    tour.get(f"/time_periods/{periods[1]['gid']}")
    top, sub = (tour.new("/goals", name=n, workspace=home, owner="me") for n in ("top", "sub"))
    tour.ask("PUT", f"/goals/{top}", {"notes": "n", "time_period": periods[0]["gid"]})
    tour.post(f"/goals/{top}/setMetric", progress_source="manual", unit="none")
    tour.post(f"/goals/{top}/setMetricCurrentValue", current_number_value=10)
    link = tour.ask("POST", f"/goals/{top}/addSupportingRelationship",
                    {"supporting_resource": sub})["data"]["gid"]  # fmt: skip
    tour.get(f"/goals/{top}", f"/goals/{sub}/parentGoals", f"/goal_relationships/{link}")
    tour.get("/goals", workspace=home)
    tour.get("/goal_relationships", supported_goal=top)
    tour.ask("PUT", f"/goal_relationships/{link}", {"contribution_weight": 0.5})
    tour.post(f"/goals/{top}/removeSupportingRelationship", supporting_resource=sub)
    tour.post(f"/goals/{top}/addFollowers", followers=["ann@acme.example"])
    tour.post(f"/goals/{top}/removeFollowers", followers=["ann@acme.example"])
    tour.new(f"/goals/{top}/stories", text="x")
    tour.get(f"/goals/{top}/stories")
    all_in = tour.new("/portfolios", name="all", workspace=home, color="light-blue")
    for path in (f"/goals/{top}", f"/portfolios/{all_in}"):
        tour.post(f"{path}/addCustomFieldSetting", custom_field=field["number"])
        tour.ask("PUT", path, {"custom_fields": {field["number"]: 3}})
        tour.get(path, f"{path}/custom_field_settings")
        tour.post(f"{path}/removeCustomFieldSetting", custom_field=field["number"])
    tour.post(f"/portfolios/{all_in}/addItem", item=project)
    tour.get(f"/portfolios/{all_in}", f"/portfolios/{all_in}/items")
    tour.get("/portfolios", workspace=home)
    tour.post(f"/portfolios/{all_in}/addMembers", members="ann@acme.example")
    tour.post(f"/portfolios/{all_in}/removeMembers", members="ann@acme.example")
    update = {"title": "t", "text": "x", "status_type": "on_track"}
    for parent in (project, top, all_in):
        status = tour.new("/status_updates", parent=parent, **update)
        tour.get(f"/status_updates/{status}")
        tour.get("/status_updates", parent=parent)
    tour.get(f"/projects/{project}", f"/goals/{top}", f"/portfolios/{all_in}")
    tour.ask("DELETE", f"/status_updates/{status}")
    old = tour.new(f"/projects/{project}/project_statuses", title="t", text="x", color="red")
    tour.get(f"/projects/{project}/project_statuses", f"/project_statuses/{old}")
    tour.ask("DELETE", f"/project_statuses/{old}")
    tour.post(f"/portfolios/{all_in}/removeItem", item=project)
    tour.ask("DELETE", f"/portfolios/{all_in}")
    tour.ask("DELETE", f"/goals/{sub}")


def beside(tour, project, field, task):
    home, ann = tour.asana.workspace, tour.asana.add_user("Bea", "bea@acme.example")
    numbered = tour.new("/custom_fields", name="ID", workspace=home, resource_subtype="text",
                        id_prefix="ABC")  # fmt: skip
    tour.post(f"/projects/{project}/addCustomFieldSetting", custom_field=numbered)
    tour.get(f"/workspaces/{home}/tasks/custom_id/ABC-1")
    link = {"resource_subtype": "external", "url": "https://example.com/x", "name": "x"}
    file = tour.new("/attachments", parent=task, **link)
    tour.get(f"/attachments/{file}")
    tour.get("/attachments", parent=task)
    tour.ask("DELETE", f"/attachments/{file}")
    entry = tour.new(f"/tasks/{task}/time_tracking_entries", duration_minutes=30,
                     attributable_to=project)  # fmt: skip
    tour.get(f"/tasks/{task}/time_tracking_entries", f"/time_tracking_entries/{entry}",
             "/time_tracking_entries", f"/tasks/{task}")  # fmt: skip
    tour.ask("PUT", f"/time_tracking_entries/{entry}", {"duration_minutes": 45})
    tour.ask("DELETE", f"/time_tracking_entries/{entry}")
    brief = tour.new(f"/projects/{project}/project_briefs", title="Why", text="Because")
    tour.get(f"/project_briefs/{brief}")
    tour.ask("PUT", f"/project_briefs/{brief}", {"html_text": "<body>Because</body>"})
    tour.ask("DELETE", f"/project_briefs/{brief}")
    made = tour.new("/memberships", parent=project, member=ann, access_level="commenter")
    tour.get(f"/memberships/{made}", f"/project_memberships/{made}",
             f"/projects/{project}/project_memberships")  # fmt: skip
    tour.get("/memberships", parent=project)
    tour.ask("PUT", f"/memberships/{made}", {"access_level": "viewer"})
    tour.ask("DELETE", f"/memberships/{made}")
    portfolio = tour.new("/portfolios", name="Mine", workspace=home)
    tour.get("/portfolio_memberships", portfolio=portfolio)
    of_portfolio = f"/portfolios/{portfolio}/portfolio_memberships"
    for rows, one in (
        (of_portfolio, "/portfolio_memberships"),
        (f"/teams/{tour.asana.team}/team_memberships", "/team_memberships"),
        (f"/workspaces/{home}/workspace_memberships", "/workspace_memberships"),
    ):
        tour.get(f"{one}/{tour.ask('GET', rows)['data'][0]['gid']}")
    tour.get("/team_memberships", team=tour.asana.team)
    tour.get(f"/users/{ann}/team_memberships", workspace=home)
    tour.get(f"/users/{ann}/workspace_memberships")
    tour.post(f"/workspaces/{home}/removeUser", user=ann)
    tour.post(f"/workspaces/{home}/addUser", user=ann)


def upkeep(tour, project, task):
    hook = tour.new("/webhooks", resource=project, target=TARGET)
    tour.get("/webhooks", workspace=tour.asana.workspace)
    tour.get(f"/webhooks/{hook}")
    tour.ask("PUT", f"/webhooks/{hook}", {"filters": []})
    tour.ask("DELETE", f"/webhooks/{hook}")
    actions = [{"relative_path": "/users/me", "method": "get"}] * 2
    assert len(tour.ask("POST", "/batch", {"actions": actions})["data"]) == 2
    tour.new(f"/projects/{project}/duplicate", name="copy", include="task_notes")
    tour.ask("DELETE", f"/tasks/{task}")


def refusals(tour):
    for method, path, data in (
        ("GET", "/tasks/1", None),
        ("GET", "/tasks/x", None),
        ("GET", "/tasks", None),
        ("POST", "/tasks", {}),
        ("GET", "/events", None),
        ("PUT", "/projects/1", {}),
    ):
        assert "errors" in tour.ask(method, path, data)


@pytest.fixture(scope="module")
def tour():
    made = Tour()
    walk(made)
    return made


def test_the_tour_visits_every_operation(tour):
    asked = {(row["request"]["method"], row["request"]["url"]) for row in tour.log}
    missed = []
    for module in RESOURCES:
        for method, template, _ in module.ROUTES:
            pattern = "https://sandbox.example/api/1.0" + re.sub(r"\{\w+\}", "[^/]+", template)
            if not any(m == method and re.fullmatch(pattern, url) for m, url in asked):
                missed.append(f"{method} {template}")
    assert missed == []


def test_every_answer_fits_the_definition(tour, tmp_path):
    if not WIRE.is_dir():
        pytest.skip("needs the vendors' definitions in ../shared/wire")
    log = tmp_path / "wire.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in tour.log))
    command = [
        sys.executable,
        str(WIRE / "oracle.py"),
        "check",
        "--tool",
        "asana",
        "--log",
        str(log),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok" in done.stdout


def recorded(name):
    if not RECORDED.is_file():
        pytest.skip("needs the recorded traffic in ../shared/wire")
    return json.loads(RECORDED.read_text("utf8"))[name]["response"]


def of_recorded_shape(real, ours):
    """Yield where two bodies differ in shape; what the recording has null tells nothing."""
    if isinstance(real, dict) and isinstance(ours, dict):
        if set(real) != set(ours):
            yield f"{sorted(set(real) ^ set(ours))}"
        for key in set(real) & set(ours):
            yield from (f"{key}: {said}" for said in of_recorded_shape(real[key], ours[key]))
    elif isinstance(real, list) and isinstance(ours, list):
        if real and ours:
            yield from of_recorded_shape(real[0], ours[0])
    elif real is not None and ours is not None and type(real) is not type(ours):
        yield f"{type(real).__name__} became {type(ours).__name__}"


@pytest.fixture
def like_recorded():
    """A world with the same things in it as the recording."""
    tour = Tour()
    home = tour.asana.workspace
    project = tour.new("/projects", name="Illustrations", team=tour.asana.team)
    options = [{"name": name} for name in ("Low", "Medium", "High")]
    field = tour.new("/custom_fields", name="Priority", workspace=home, resource_subtype="enum",
                     enum_options=options)  # fmt: skip
    tour.post(f"/projects/{project}/addCustomFieldSetting", custom_field=field)
    task = tour.new("/tasks", name="A", projects=[project], assignee="me", due_on="2025-05-02")
    for n in range(9):
        tour.new("/tasks", name="B", projects=[project])
        tour.new("/projects", name="Q", team=tour.asana.team)
        tour.asana.add_user("U", f"u{n}@acme.example")
    paths = {
        "test_projects_get": (f"/projects/{project}", {}),
        "test_projects_list_limit_5": ("/projects", {"workspace": home, "limit": 5}),
        "test_tasks_get": (f"/tasks/{task}", {}),
        "test_tasks_list_limit_5": (f"/projects/{project}/tasks", {"limit": 5}),
        "test_users_get": ("/users/me", {}),
        "test_users_list_limit_5": ("/users", {"workspace": home, "limit": 5}),
        "test_workspaces_get": (f"/workspaces/{home}", {}),
        "test_workspaces_list": ("/workspaces", {}),
    }
    return tour, paths


@pytest.mark.parametrize(
    "name",
    [
        "test_projects_get",
        "test_projects_list_limit_5",
        "test_tasks_get",
        "test_tasks_list_limit_5",
        "test_users_get",
        "test_users_list_limit_5",
        "test_workspaces_get",
        "test_workspaces_list",
    ],
)
def test_recorded_answers_have_the_same_shape(like_recorded, name):
    tour, paths = like_recorded
    path, query = paths[name]
    assert list(of_recorded_shape(recorded(name), tour.ask("GET", path, **query))) == []
