"""Goals, portfolios, status updates, jobs and search of the Asana stand-in."""

from __future__ import annotations

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock


@pytest.fixture
def asana() -> AsanaSandbox:
    return AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))


def ask(asana, method, path, data=None, expect=None, **query):
    status, body = asana.request(method, path, data, **query)
    assert status == (expect or (status if status < 300 else 200)), body
    return body["data"] if status < 300 else body["errors"][0]["message"]


@pytest.fixture
def project(asana):
    return ask(asana, "POST", "/projects", {"name": "Roadmap", "team": asana.team})["gid"]


def goal(asana, name="Grow", **more):
    return ask(asana, "POST", "/goals", {"name": name, "workspace": asana.workspace, **more}, 201)


def task(asana, project, **more):
    return ask(asana, "POST", "/tasks", {"name": "A", "projects": [project], **more}, 201)["gid"]


def test_a_goal_with_a_metric_kept_by_hand(asana):
    made = goal(asana, due_on="2026-12-31", owner="me")
    assert (made["status"], made["metric"], made["owner"]["name"]) == (None, None, "Syncd Bot")
    path = f"/goals/{made['gid']}"
    ask(asana, "PUT", path, {"status": "green"}, 400)
    ask(asana, "POST", f"{path}/setMetricCurrentValue", {"current_number_value": 5}, 400)
    data = {"initial_number_value": 10, "target_number_value": 50, "precision": 1}
    metric = ask(asana, "POST", f"{path}/setMetric", data)["metric"]
    assert (metric["current_number_value"], metric["progress_source"]) == (10, "manual")
    after = ask(asana, "POST", f"{path}/setMetricCurrentValue", {"current_number_value": 25.26})
    assert after["metric"]["current_display_value"] == "25.3"
    assert ask(asana, "PUT", path, {"status": "yellow"})["status"] == "yellow"
    ask(asana, "POST", f"{path}/setMetric", {**data, "target_number_value": 10}, 400)


def test_a_goal_that_counts_the_tasks_of_its_projects(asana, project):
    done = task(asana, project)
    for _ in range(3):
        task(asana, project)
    ask(asana, "PUT", f"/tasks/{done}", {"completed": True})
    top, sub = goal(asana, "Top"), goal(asana, "Sub")
    ask(asana, "POST", f"/goals/{sub['gid']}/setMetric",
        {"progress_source": "project_task_completion"})  # fmt: skip
    ask(asana, "POST", f"/goals/{top['gid']}/setMetric", {"progress_source": "subgoal_progress"})
    ask(asana, "POST", f"/goals/{sub['gid']}/addSupportingRelationship",
        {"supporting_resource": project})  # fmt: skip
    link = ask(asana, "POST", f"/goals/{top['gid']}/addSupportingRelationship",
               {"supporting_resource": sub["gid"], "contribution_weight": 0.5})  # fmt: skip
    assert (link["resource_subtype"], link["contribution_weight"]) == ("subgoal", 0.5)
    metric = ask(asana, "GET", f"/goals/{top['gid']}")["metric"]
    assert metric["current_number_value"] == 25
    ask(asana, "POST", f"/goals/{top['gid']}/setMetricCurrentValue",
        {"current_number_value": 1}, 400)  # fmt: skip


def test_relationships_are_listed_changed_and_never_a_circle(asana):
    top, sub = goal(asana, "Top")["gid"], goal(asana, "Sub")["gid"]
    link = ask(asana, "POST", f"/goals/{top}/addSupportingRelationship",
               {"supporting_resource": sub})["gid"]  # fmt: skip
    rows = ask(asana, "GET", "/goal_relationships", supported_goal=top)
    assert [row["supporting_resource"]["name"] for row in rows] == ["Sub"]
    changed = ask(asana, "PUT", f"/goal_relationships/{link}", {"contribution_weight": 0.25})
    assert changed["contribution_weight"] == 0.25
    assert [row["name"] for row in ask(asana, "GET", f"/goals/{sub}/parentGoals")] == ["Top"]
    circle = {"supporting_resource": top}
    ask(asana, "POST", f"/goals/{sub}/addSupportingRelationship", circle, 400)
    ask(asana, "POST", f"/goals/{top}/removeSupportingRelationship", {"supporting_resource": sub})
    assert ask(asana, "GET", "/goal_relationships", supported_goal=top) == []


def test_goals_are_found_by_what_supports_them(asana, project):
    one = goal(asana, "One", is_workspace_level=True)["gid"]
    goal(asana, "Two", team=asana.team)
    ask(asana, "POST", f"/goals/{one}/addSupportingRelationship", {"supporting_resource": project})

    def names(**query):
        return [row["name"] for row in ask(asana, "GET", "/goals", **query)]

    assert names(workspace=asana.workspace) == ["One", "Two"]
    assert names(project=project) == ["One"]
    assert names(team=asana.team) == ["Two"]
    assert names(workspace=asana.workspace, is_workspace_level="true") == ["One"]
    ask(asana, "GET", "/goals", expect=400)
    ask(asana, "DELETE", f"/goals/{one}")
    assert names(workspace=asana.workspace) == ["Two"]


def test_a_goal_has_a_time_period_fields_followers_and_stories(asana):
    periods = ask(asana, "GET", "/time_periods", workspace=asana.workspace)
    q4 = next(row for row in periods if row["display_name"] == "Q4 FY26")
    assert (q4["start_on"], q4["end_on"]) == ("2026-10-01", "2026-12-31")
    made = goal(asana, time_period=q4["gid"])
    assert made["time_period"]["gid"] == q4["gid"]
    ann = asana.add_user("Ann", "ann@acme.example")
    path = f"/goals/{made['gid']}"
    assert len(ask(asana, "POST", f"{path}/addFollowers", {"followers": [ann]})["followers"]) == 2
    field = {"workspace": asana.workspace, "name": "Theme", "resource_subtype": "text"}
    gid = ask(asana, "POST", "/custom_fields", field)["gid"]
    ask(asana, "POST", f"{path}/addCustomFieldSetting", {"custom_field": gid})
    seen = ask(asana, "PUT", path, {"custom_fields": {gid: "reach"}})
    assert seen["custom_fields"][0]["text_value"] == "reach"
    ask(asana, "POST", f"{path}/stories", {"text": "good"}, 201)
    assert [row["text"] for row in ask(asana, "GET", f"{path}/stories")] == ["good"]


def test_goals_have_streams(asana):
    gid = goal(asana)["gid"]
    token = asana.request("GET", "/events", resource=gid)[1]["sync"]
    ask(asana, "PUT", f"/goals/{gid}", {"name": "Grow more"})
    events = asana.request("GET", "/events", resource=gid, sync=token)[1]["data"]
    assert [(e["action"], e["change"]["field"]) for e in events] == [("changed", "name")]


@pytest.mark.parametrize("path", ["/goals", "/portfolios", "/time_periods", "/goal_relationships"])
def test_a_free_plan_has_no_planning(asana, path):
    asana.store.paid = False
    ask(asana, "GET", path, expect=402, workspace=asana.workspace)


def test_a_portfolio_holds_projects_and_portfolios_in_order(asana, project):
    data = {"name": "All", "workspace": asana.workspace, "color": "light-blue"}
    top = ask(asana, "POST", "/portfolios", data, 201)
    path = f"/portfolios/{top['gid']}"
    inner = ask(asana, "POST", "/portfolios", {**data, "name": "Inner"}, 201)["gid"]
    ask(asana, "POST", f"{path}/addItem", {"item": project})
    ask(asana, "POST", f"{path}/addItem", {"item": inner, "insert_before": project})
    assert [row["name"] for row in ask(asana, "GET", f"{path}/items")] == ["Inner", "Roadmap"]
    ask(asana, "POST", f"/portfolios/{inner}/addItem", {"item": top["gid"]}, 400)
    ask(asana, "POST", f"{path}/removeItem", {"item": project})
    assert [row["name"] for row in ask(asana, "GET", f"{path}/items")] == ["Inner"]
    ann = asana.add_user("Ann", "ann@acme.example", token="ann")
    assert len(ask(asana, "POST", f"{path}/addMembers", {"members": [ann]})["members"]) == 2
    mine = ask(asana, "GET", "/portfolios", workspace=asana.workspace)
    hers = ask(asana, "GET", "/portfolios", workspace=asana.workspace, token="ann")
    assert (len(mine), hers) == (2, [])
    ask(asana, "DELETE", path)
    ask(asana, "GET", f"/portfolios/{inner}")
    ask(asana, "GET", path, expect=404)


def test_a_portfolio_has_custom_fields_of_its_own(asana):
    data = {"name": "All", "workspace": asana.workspace}
    path = f"/portfolios/{ask(asana, 'POST', '/portfolios', data)['gid']}"
    field = {"workspace": asana.workspace, "name": "N", "resource_subtype": "number"}
    gid = ask(asana, "POST", "/custom_fields", field)["gid"]
    ask(asana, "PUT", path, {"custom_fields": {gid: 1}}, 400)
    ask(asana, "POST", f"{path}/addCustomFieldSetting", {"custom_field": gid})
    assert ask(asana, "PUT", path, {"custom_fields": {gid: 1}})["custom_fields"][0]["gid"] == gid
    ask(asana, "DELETE", f"/custom_fields/{gid}")
    assert ask(asana, "GET", path)["custom_fields"] == []


def test_status_updates_become_the_status_of_their_parent(asana, project):
    data = {"parent": project, "title": "W1", "text": "fine", "status_type": "on_track"}
    first = ask(asana, "POST", "/status_updates", data, 201)
    assert first["resource_subtype"] == "project_status_update"
    asana.clock.step(60)
    html = {"title": "W2", "html_text": "<body><strong>late</strong></body>"}
    ask(asana, "POST", "/status_updates",
        {"parent": project, "status_type": "at_risk", **html}, 201)  # fmt: skip
    seen = ask(asana, "GET", f"/projects/{project}")
    assert seen["current_status_update"]["title"] == "W2"
    assert (seen["current_status"]["color"], seen["current_status"]["text"]) == ("yellow", "late")
    titles = [row["title"] for row in ask(asana, "GET", "/status_updates", parent=project)]
    assert titles == ["W2", "W1"]
    ask(asana, "POST", "/status_updates", {**data, "status_type": "achieved"}, 400)
    ask(asana, "POST", "/status_updates", {**data, "status_type": "complete"}, 201)
    assert ask(asana, "GET", f"/projects/{project}")["completed"] is True
    grow = goal(asana)["gid"]
    ask(asana, "POST", "/status_updates", {**data, "parent": grow, "status_type": "missed"}, 201)
    assert ask(asana, "GET", f"/goals/{grow}")["status"] == "missed"
    ask(asana, "DELETE", f"/status_updates/{first['gid']}")
    ask(asana, "GET", f"/status_updates/{first['gid']}", expect=404)


def test_project_statuses_are_the_same_in_the_older_form(asana, project):
    path = f"/projects/{project}/project_statuses"
    made = ask(asana, "POST", path, {"title": "W1", "text": "t", "color": "red"}, 201)
    assert (made["color"], made["author"]["name"]) == ("red", "Syncd Bot")
    assert ask(asana, "GET", f"/status_updates/{made['gid']}")["status_type"] == "off_track"
    assert [row["title"] for row in ask(asana, "GET", path)] == ["W1"]
    assert ask(asana, "GET", f"/project_statuses/{made['gid']}") == made
    ask(asana, "DELETE", f"/project_statuses/{made['gid']}")
    assert ask(asana, "GET", path) == []


def test_a_task_is_duplicated_by_a_job(asana, project):
    gid = task(asana, project, notes="n", due_on="2026-12-01", assignee="me")
    ask(asana, "POST", f"/tasks/{gid}/subtasks", {"name": "child"})
    job = ask(asana, "POST", f"/tasks/{gid}/duplicate",
              {"name": "Copy", "include": "notes,subtasks,projects"}, 201)  # fmt: skip
    assert (job["status"], job["new_task"]["name"]) == ("in_progress", "Copy")
    assert ask(asana, "GET", f"/jobs/{job['gid']}")["status"] == "succeeded"
    copy = ask(asana, "GET", f"/tasks/{job['new_task']['gid']}", opt_fields="notes,due_on,assignee,"
               "num_subtasks,projects")  # fmt: skip
    assert (copy["notes"], copy["due_on"], copy["assignee"]) == ("n", None, None)
    assert (copy["num_subtasks"], len(copy["projects"])) == (1, 1)


def test_a_project_is_duplicated_with_sections_and_tasks(asana, project):
    section = ask(asana, "POST", f"/projects/{project}/sections", {"name": "S"})["gid"]
    ask(asana, "POST", "/tasks",
        {"name": "in S", "notes": "n", "memberships": [{"project": project, "section": section}]})  # fmt: skip
    job = ask(asana, "POST", f"/projects/{project}/duplicate",
              {"name": "Copy", "include": "task_notes"}, 201)  # fmt: skip
    copy = job["new_project"]["gid"]
    fields = "name,notes,memberships.section.name"
    rows = ask(asana, "GET", f"/projects/{copy}/tasks", opt_fields=fields)
    assert [(r["name"], r["notes"], r["memberships"][0]["section"]["name"]) for r in rows] == [
        ("in S", "n", "S")
    ]
    assert len(ask(asana, "GET", f"/projects/{project}/tasks")) == 1


class Search:
    """A workspace to search in."""

    def __init__(self, asana, project):
        self.asana = asana
        self.path = f"/workspaces/{asana.workspace}/tasks/search"
        field = {"workspace": asana.workspace, "name": "Key", "resource_subtype": "text"}
        self.field = ask(asana, "POST", "/custom_fields", field)["gid"]
        path = f"/projects/{project}/addCustomFieldSetting"
        ask(asana, "POST", path, {"custom_field": self.field})
        self.red = task(asana, project, name="Red car", due_on="2026-12-01",
                        custom_fields={self.field: "K-1"})  # fmt: skip
        asana.clock.step(10)
        self.blue = task(asana, project, name="Blue car", assignee="me", completed=True,
                         due_on="2026-12-05", custom_fields={self.field: "K-2"})  # fmt: skip
        asana.clock.step(10)

    def names(self, **query):
        query = {name.replace("__", "."): value for name, value in query.items()}
        return [row["name"] for row in ask(self.asana, "GET", self.path, **query)]


def test_search(asana, project):
    search = Search(asana, project)
    assert search.names(text="CAR") == ["Blue car", "Red car"]
    assert search.names(sort_by="created_at", sort_ascending="true") == ["Red car", "Blue car"]
    assert search.names(limit=1) == ["Blue car"]
    assert search.names(completed="false") == ["Red car"]
    assert search.names(assignee__any="me") == ["Blue car"]
    assert search.names(projects__not=project) == []
    assert search.names(due_on__before="2026-12-05") == ["Red car"]
    assert search.names(created_at__after="2026-09-21T14:13:25Z") == ["Blue car"]
    assert search.names(nonsense="ignored") == ["Blue car", "Red car"]
    key = f"custom_fields.{search.field}"
    assert search.names(**{f"{key}.value": "K-1"}) == ["Red car"]
    assert search.names(**{f"{key}.starts_with": "k-"}) == ["Blue car", "Red car"]
    assert search.names(**{f"{key}.is_set": "false"}) == []


def test_search_comes_late_and_costs(asana, project):
    search = Search(asana, project)
    asana.store.search_lag = 15
    assert search.names() == ["Red car"]
    asana.store.paid = False
    message = ask(asana, "GET", search.path, expect=402)
    assert message == "Search is only available to premium users."


def test_typeahead_finds_by_part_of_the_name(asana, project):
    path = f"/workspaces/{asana.workspace}/typeahead"
    asana.add_user("Ann Roe", "ann@acme.example")
    found = ask(asana, "GET", path, resource_type="user", query="roe")
    assert [row["name"] for row in found] == ["Ann Roe"]
    assert len(ask(asana, "GET", path, resource_type="user", count=1)) == 1
    assert ask(asana, "GET", path, resource_type="project", query="road")[0]["gid"] == project
