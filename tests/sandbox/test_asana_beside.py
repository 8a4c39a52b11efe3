"""What is beside Asana's tasks: files, logged time, memberships, numbers, late search, plans."""

from __future__ import annotations

import json

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.wire import Request


@pytest.fixture
def asana():
    return AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))


def ask(asana, method, path, data=None, expect=None, **query):
    status, body = asana.request(method, path, data, **query)
    assert status == (expect or (status if status < 300 else 200)), body
    return body["data"] if status < 300 else body["errors"][0]["message"]


@pytest.fixture
def project(asana):
    return ask(asana, "POST", "/projects", {"name": "P", "team": asana.team})["gid"]


@pytest.fixture
def task(asana, project):
    return ask(asana, "POST", "/tasks", {"name": "write", "projects": [project]})["gid"]


def upload(asana, task):
    form = (f'--x\r\nContent-Disposition: form-data; name="parent"\r\n\r\n{task}\r\n'
            '--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n").encode()  # fmt: skip
    body = form + b"\x00\xff\r\n--x--\r\n"
    headers = {"authorization": f"Bearer {asana.token}",
               "content-type": "multipart/form-data; boundary=x"}  # fmt: skip
    answer = asana.handle(Request("POST", "/api/1.0/attachments", (), headers, body))
    return answer.status, json.loads(answer.body)


def test_a_file_hangs_on_its_task_and_changes_it(asana, task):
    before = ask(asana, "GET", f"/tasks/{task}")["modified_at"]
    asana.clock.step(60)
    status, made = upload(asana, task)
    assert (status, made["data"]["name"], made["data"]["parent"]["gid"]) == (200, "a.bin", task)
    [row] = ask(asana, "GET", "/attachments", parent=task, opt_fields="size,host")
    assert row == {"gid": made["data"]["gid"], "size": 2, "host": "asana"}
    assert ask(asana, "GET", f"/tasks/{task}")["modified_at"] > before
    home = f"/workspaces/{asana.workspace}/tasks/search"
    assert [t["gid"] for t in ask(asana, "GET", home, has_attachment="true")] == [task]
    ask(asana, "DELETE", f"/attachments/{row['gid']}")
    assert ask(asana, "GET", "/attachments", parent=task) == []
    assert ask(asana, "GET", home, has_attachment="true") == []
    assert ask(asana, "POST", "/attachments", {"parent": task}, 400) == "file: Missing input"


def test_logged_minutes_add_up_on_the_task(asana, task):
    path = f"/tasks/{task}/time_tracking_entries"
    made = [ask(asana, "POST", path, {"duration_minutes": n}) for n in (30, 15)]
    assert made[0]["entered_on"] == "2026-09-21"
    assert ask(asana, "GET", f"/tasks/{task}")["actual_time_minutes"] == 45
    ask(asana, "DELETE", f"/time_tracking_entries/{made[0]['gid']}")
    assert ask(asana, "GET", f"/tasks/{task}")["actual_time_minutes"] == 15
    assert ask(asana, "POST", path, {}, 400) == "duration_minutes: Missing input"


def test_a_membership_lets_somebody_in_and_out(asana, project):
    ann = asana.add_user("Ann", "ann@acme.example", token="ann")
    ask(asana, "PUT", f"/projects/{project}", {"privacy_setting": "private"})
    assert asana.request("GET", f"/projects/{project}", token="ann")[0] == 403
    body = {"parent": project, "member": ann, "access_level": "commenter"}
    made = ask(asana, "POST", "/memberships", body, 201)
    assert (made["resource_subtype"], made["access_level"]) == ("project_membership", "commenter")
    assert asana.request("GET", f"/projects/{project}", token="ann")[0] == 200
    rows = ask(asana, "GET", f"/projects/{project}/project_memberships", user=ann,
               opt_fields="user.name,write_access")  # fmt: skip
    assert rows == [{"gid": made["gid"], "user": {"gid": ann, "name": "Ann"},
                     "write_access": "comment_only"}]  # fmt: skip
    ask(asana, "DELETE", f"/memberships/{made['gid']}")
    assert asana.request("GET", f"/projects/{project}", token="ann")[0] == 403
    assert ask(asana, "GET", f"/memberships/{made['gid']}", None, 404)


def test_who_leaves_the_workspace_loses_the_tasks(asana, task):
    ann = asana.add_user("Ann", "ann@acme.example")
    ask(asana, "PUT", f"/tasks/{task}", {"assignee": ann})
    ask(asana, "POST", f"/workspaces/{asana.workspace}/removeUser", {"user": ann})
    assert ask(asana, "GET", f"/tasks/{task}")["assignee"] is None
    users = ask(asana, "GET", f"/workspaces/{asana.workspace}/users")
    assert ann not in [user["gid"] for user in users]


def test_tasks_are_numbered_by_a_field_and_found_by_the_number(asana, project, task):
    field = ask(asana, "POST", "/custom_fields", {
        "workspace": asana.workspace, "name": "ID", "resource_subtype": "text",
        "id_prefix": "ABC"})["gid"]  # fmt: skip
    ask(asana, "POST", f"/projects/{project}/addCustomFieldSetting", {"custom_field": field})
    second = ask(asana, "POST", "/tasks", {"name": "two", "projects": [project]})["gid"]
    path = f"/workspaces/{asana.workspace}/tasks/custom_id"
    assert ask(asana, "GET", f"{path}/ABC-1")["gid"] == task
    assert ask(asana, "GET", f"{path}/ABC-2")["gid"] == second
    ask(asana, "GET", f"{path}/ABC-3", None, 404)
    ask(asana, "PUT", f"/tasks/{task}", {"custom_fields": {field: "ABC-9"}}, 400)


def test_search_knows_a_task_as_it_was_until_it_is_indexed(asana, project, task):
    home = f"/workspaces/{asana.workspace}/tasks/search"
    asana.clock.step(61)
    asana.store.search_lag = 60.0

    def found(text):
        return [t["gid"] for t in ask(asana, "GET", home, text=text)]

    ask(asana, "PUT", f"/tasks/{task}", {"name": "read"})
    new = ask(asana, "POST", "/tasks", {"name": "read too", "projects": [project]})["gid"]
    assert (found("write"), found("read")) == ([task], [])
    asana.clock.step(61)
    assert (found("write"), sorted(found("read"))) == ([], sorted([task, new]))


def test_search_narrowed_by_section_assignee_or_project_finds_the_same(asana, project, task):
    home = f"/workspaces/{asana.workspace}/tasks/search"
    section = ask(asana, "GET", f"/projects/{project}/sections")[0]["gid"]
    ask(asana, "PUT", f"/tasks/{task}", {"assignee": "me"})
    other = ask(asana, "POST", "/tasks", {"name": "x", "workspace": asana.workspace})["gid"]
    for name, value in (("sections.any", section), ("assignee.any", "me"),
                        ("projects.any", project)):  # fmt: skip
        assert [t["gid"] for t in ask(asana, "GET", home, **{name: value})] == [task], name
    nobody = ask(asana, "GET", home, **{"assignee.any": "null"})
    assert [t["gid"] for t in nobody] == [other]


def test_custom_fields_are_for_paid_plans(asana, project, task):
    body = {"workspace": asana.workspace, "name": "F", "resource_subtype": "text"}
    field = ask(asana, "POST", "/custom_fields", body)["gid"]
    ask(asana, "POST", f"/projects/{project}/addCustomFieldSetting", {"custom_field": field})
    asana.store.paid = False
    said = "Custom Fields are not available for free users or guests."
    assert ask(asana, "PUT", f"/tasks/{task}", {"custom_fields": {field: "x"}}, 402) == said
    assert ask(asana, "POST", "/custom_fields", {**body, "name": "G"}, 402) == said


def test_a_mention_comes_back_as_a_whole_link(asana, project, task):
    ann = asana.add_user("Ann <A>", "ann@acme.example")
    sent = f'<body>Ask <a data-asana-gid="{ann}"/> about <a data-asana-gid="{project}"></a></body>'
    ask(asana, "PUT", f"/tasks/{task}", {"html_notes": sent})
    kept = ask(asana, "GET", f"/tasks/{task}", opt_fields="html_notes")["html_notes"]
    home = f"https://app.asana.com/1/{asana.workspace}"
    assert kept == (
        f'<body>Ask <a href="{home}/profile/{ann}" data-asana-gid="{ann}"'
        ' data-asana-accessible="true" data-asana-type="user" data-asana-dynamic="true">'
        f'@Ann &lt;A&gt;</a> about <a href="{home}/project/{project}" data-asana-gid="{project}"'
        ' data-asana-accessible="true" data-asana-type="project" data-asana-dynamic="true">'
        "P</a></body>"
    )
    ask(asana, "PUT", f"/tasks/{task}", {"html_notes": kept})
    assert ask(asana, "GET", f"/tasks/{task}", opt_fields="html_notes")["html_notes"] == kept
    body = {"html_text": '<body><a data-asana-gid="99"/></body>'}
    said = ask(asana, "POST", f"/tasks/{task}/stories", body, 400)
    assert said == "html_text: Not a recognized ID: 99"


def test_a_batch_needs_actions(asana):
    assert ask(asana, "POST", "/batch", {}, 400) == "actions: Missing input"
