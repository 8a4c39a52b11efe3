"""The Asana stand-in driven over a socket by the `asana` library, as any client would."""

from __future__ import annotations

import json
import logging
import threading

import asana
import pytest
import uvicorn
from asana.rest import ApiException
from starlette.applications import Starlette
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse
from starlette.routing import Route

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.wire import Request, query_pairs


def application(sandbox):
    async def answer(web: WebRequest) -> WebResponse:
        found = sandbox.handle(
            Request(
                web.method,
                web.url.path,
                query_pairs(web.url.query),
                {name.lower(): value for name, value in web.headers.items()},
                await web.body(),
                str(web.base_url).rstrip("/"),
            )
        )
        return WebResponse(found.body, found.status, found.headers)

    methods = ["GET", "POST", "PUT", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", answer, methods=methods)])


@pytest.fixture(scope="module")
def service():
    sandbox = AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))
    config = uvicorn.Config(application(sandbox), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield sandbox, f"http://127.0.0.1:{port}/api/1.0"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def client(service):
    sandbox, url = service
    handlers = {name: list(logging.getLogger(name).handlers) for name in ("asana", "urllib3")}
    settings = asana.Configuration()
    settings.host = url
    settings.access_token = sandbox.token
    settings.retry_strategy = False
    for name, before in handlers.items():
        logging.getLogger(name).handlers[:] = before
    made = asana.ApiClient(settings)
    yield made
    made.rest_client.pool_manager.clear()
    made.pool.close()
    made.pool.join()


@pytest.fixture(scope="module")
def sandbox(service):
    return service[0]


@pytest.fixture(scope="module")
def project(client, sandbox):
    body = {"data": {"name": "Roadmap", "team": sandbox.team}}
    return asana.ProjectsApi(client).create_project(body, {})["gid"]


@pytest.fixture
def tasks(client):
    return asana.TasksApi(client)


def new_task(tasks, project, **data):
    return tasks.create_task({"data": {"name": "A", "projects": [project], **data}}, {})


def test_who_am_i(client, sandbox):
    me = asana.UsersApi(client).get_user("me", {})
    assert (me["email"], me["workspaces"][0]["name"]) == (sandbox.email, "Acme")
    by_mail = asana.UsersApi(client).get_user(sandbox.email, {"opt_fields": "name"})
    assert by_mail == {"gid": me["gid"], "name": "Syncd Bot"}


def test_create_read_update_delete(tasks, project):
    made = new_task(tasks, project, notes="n", due_on="2026-12-01")
    read = tasks.get_task(made["gid"], {"opt_fields": "name,notes,due_on,html_notes"})
    assert (read["notes"], read["due_on"]) == ("n", "2026-12-01")
    assert read["html_notes"] == "<body>n</body>"
    data = {"data": {"name": "B", "completed": True}}
    assert tasks.update_task(data, made["gid"], {})["completed"] is True
    tasks.delete_task(made["gid"])
    with pytest.raises(ApiException) as caught:
        tasks.get_task(made["gid"], {})
    assert caught.value.status == 404


def test_a_thousand_tasks_page_by_page(client, tasks, sandbox):
    body = {"data": {"name": "Big", "team": sandbox.team}}
    big = asana.ProjectsApi(client).create_project(body, {})["gid"]
    for n in range(1000):
        sandbox.request("POST", "/tasks", {"name": f"T{n}", "projects": [big]})
    rows = list(tasks.get_tasks_for_project(big, {"limit": 100, "opt_fields": "name"}))
    assert [row["name"] for row in rows] == [f"T{n}" for n in range(1000)]


def test_search(tasks, project, sandbox):
    made = new_task(tasks, project, name="Needle")
    found = tasks.search_tasks_for_workspace(sandbox.workspace, {"text": "needle"})
    assert [row["gid"] for row in found] == [made["gid"]]


def test_sections_and_parents(client, tasks, project):
    sections = asana.SectionsApi(client)
    done = sections.create_section_for_project(project, {"body": {"data": {"name": "Done"}}})
    gid = new_task(tasks, project)["gid"]
    sections.add_task_for_section(done["gid"], {"body": {"data": {"task": gid}}})
    read = tasks.get_task(gid, {"opt_fields": "memberships.section.name"})
    assert read["memberships"][0]["section"]["name"] == "Done"
    child = new_task(tasks, project)["gid"]
    moved = tasks.set_parent_for_task({"data": {"parent": gid}}, child, {})
    assert moved["parent"]["gid"] == gid
    assert [row["gid"] for row in tasks.get_subtasks_for_task(gid, {})] == [child]


def test_custom_fields(client, tasks, project, sandbox):
    fields = asana.CustomFieldsApi(client)
    data = {
        "workspace": sandbox.workspace,
        "name": "Priority",
        "resource_subtype": "enum",
        "enum_options": [{"name": "Low"}, {"name": "High"}],
    }
    made = fields.create_custom_field({"data": data}, {})
    asana.ProjectsApi(client).add_custom_field_setting_for_project(
        {"data": {"custom_field": made["gid"]}}, project, {}
    )
    option = fields.create_enum_option_for_custom_field(
        made["gid"], {"body": {"data": {"name": "Huge"}}}
    )
    task = new_task(tasks, project, custom_fields={made["gid"]: option["gid"]})
    value = next(it for it in task["custom_fields"] if it["gid"] == made["gid"])
    assert value["enum_value"]["name"] == "Huge"
    settings = asana.CustomFieldSettingsApi(client)
    listed = list(settings.get_custom_field_settings_for_project(project, {}))
    assert [row["custom_field"]["name"] for row in listed] == ["Priority"]


@pytest.fixture
def plain(client):
    """The client answering whole bodies: its own event iterator loses the sync token."""
    client.configuration.return_page_iterator = False
    yield client
    client.configuration.return_page_iterator = True


def test_events_begin_with_412(plain, tasks, project):
    events = asana.EventsApi(plain)
    with pytest.raises(ApiException) as caught:
        events.get_events(project, {})
    assert caught.value.status == 412
    token = sync_of(caught.value)
    gid = new_task(tasks, project)["data"]["gid"]
    page = events.get_events(project, {"sync": token})
    assert page["data"][0]["resource"]["gid"] == gid
    assert page["has_more"] is False
    assert page["sync"] != token


def sync_of(refusal):
    return json.loads(refusal.body)["sync"]


def test_batch(client, project, sandbox):
    rows = asana.BatchAPIApi(client).create_batch_request(
        {
            "data": {
                "actions": [
                    {"relative_path": "/users/me", "method": "get",
                     "options": {"fields": ["name"]}},
                    {"relative_path": "/tasks", "method": "post",
                     "data": {"name": "From a batch", "projects": [project]}},
                    {"relative_path": "/tasks/1", "method": "get"},
                ]
            }
        },
        {},
    )  # fmt: skip
    rows = list(rows)
    assert [row["status_code"] for row in rows] == [200, 201, 404]
    assert rows[0]["body"]["data"] == {"gid": sandbox.user, "name": "Syncd Bot"}
    assert rows[1]["headers"]["location"].endswith(rows[1]["body"]["data"]["gid"])
    assert rows[2]["body"]["errors"][0]["message"] == "task: Unknown object: 1"


@pytest.mark.parametrize(
    ("status", "call"),
    [
        (400, lambda tasks, project: tasks.create_task({"data": {"name": "x"}}, {})),
        (404, lambda tasks, project: tasks.get_task("1", {})),
        (400, lambda tasks, project: list(tasks.get_tasks({}))),
    ],
)
def test_refusals_reach_the_client(tasks, project, status, call):
    with pytest.raises(ApiException) as caught:
        call(tasks, project)
    assert caught.value.status == status


def test_a_wrong_token_is_401(service):
    settings = asana.Configuration()
    settings.host = service[1]
    settings.access_token = "wrong"
    settings.retry_strategy = False
    other = asana.ApiClient(settings)
    try:
        with pytest.raises(ApiException) as caught:
            asana.UsersApi(other).get_user("me", {})
        assert caught.value.status == 401
    finally:
        other.rest_client.pool_manager.clear()
        other.pool.close()
        other.pool.join()


def test_files_memberships_and_time(client, tasks, project, sandbox, tmp_path):
    task = tasks.create_task({"data": {"name": "files", "projects": [project]}}, {})["gid"]
    path = tmp_path / "plan.bin"
    path.write_bytes(b"\x00plan\xff\r\n")
    files = asana.AttachmentsApi(client)
    made = files.create_attachment_for_object({"file": str(path), "parent": task})
    assert sandbox.store.objects[made["gid"]].content == b"\x00plan\xff\r\n"
    assert [it["name"] for it in files.get_attachments_for_object(task, {})] == ["plan.bin"]
    files.delete_attachment(made["gid"])
    people = asana.MembershipsApi(client)
    ann = sandbox.add_user("Ann Joins", "ann.joins@acme.example")
    body = {"data": {"parent": project, "member": ann}}
    joined = people.create_membership({"body": body})
    found = list(people.get_memberships({"parent": project, "member": ann}))
    assert [it["gid"] for it in found] == [joined["gid"]]
    people.delete_membership(joined["gid"])
    times = asana.TimeTrackingEntriesApi(client)
    times.create_time_tracking_entry({"data": {"duration_minutes": 90}}, task, {})
    assert tasks.get_task(task, {})["actual_time_minutes"] == 90
