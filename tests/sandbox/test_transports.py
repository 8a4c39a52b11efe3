"""The stand-ins without sockets, under requests, urllib3 and httpx and the libraries built on them."""

from __future__ import annotations

import hashlib
import json

import asana
import httpx
import jira
import notion_client
import pytest
import requests
import urllib3

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.seeds import seed_demo
from syncd.sandbox.services import Sandbox
from syncd.sandbox.transports import HttpxTransport, Line, RequestsTransport, Urllib3Transport

JIRA, ASANA, NOTION = "http://sandbox/jira", "http://sandbox/asana", "http://sandbox/notion"


@pytest.fixture
def sandbox():
    made = Sandbox(SandboxClock(frozen=1_790_000_000.0), seed=2)
    made.jira.add_project("WEB", "Web shop")
    return made


def session_on(line):
    made = requests.Session()
    made.mount("http://", RequestsTransport(line))
    made.auth = ("sandbox@example.com", "sandbox-jira-token")
    return made


def clients(line):
    """One client of each library, whose next request is a simple read."""
    sandbox = line.sandbox
    session = session_on(line)
    pool = Urllib3Transport(line)
    http = httpx.Client(transport=HttpxTransport(line))
    bearer = {"authorization": f"Bearer {sandbox.asana.token}"}
    notion = {"authorization": f"Bearer {sandbox.notion.token}", "notion-version": "2026-03-11"}
    return {
        "requests": lambda: session.get(f"{JIRA}/rest/api/3/myself", timeout=5),
        "urllib3": lambda: pool.request(
            "GET", f"{ASANA}/api/1.0/users/me", headers=bearer, timeout=5
        ),
        "httpx": lambda: http.get(f"{NOTION}/v1/users/me", headers=notion, timeout=5),
    }


def test_jira_library(sandbox):
    client = jira.JIRA(
        JIRA,
        basic_auth=(sandbox.jira.email, sandbox.jira.token),
        max_retries=0,
        get_server_info=False,
    )
    client._session.mount("http://", RequestsTransport(Line(sandbox)))
    made = client.create_issue(project="WEB", issuetype="Task", summary="Grüße")
    assert client.issue(made.key).fields.summary == "Grüße"
    with pytest.raises(jira.JIRAError, match="Issue does not exist"):
        client.issue("WEB-99")


def test_asana_library(sandbox):
    configuration = asana.Configuration()
    configuration.host = f"{ASANA}/api/1.0"
    configuration.access_token = sandbox.asana.token
    configuration.return_page_iterator = False
    client = asana.ApiClient(configuration)
    client.rest_client.pool_manager.clear()
    client.rest_client.pool_manager = Urllib3Transport(Line(sandbox))
    tasks = asana.TasksApi(client)
    body = {"data": {"name": "Größe", "workspace": sandbox.asana.workspace}}
    made = tasks.create_task(body, {})["data"]
    assert tasks.get_task(made["gid"], {"opt_fields": "name"})["data"]["name"] == "Größe"
    with pytest.raises(asana.rest.ApiException) as refused:
        tasks.get_task("1", {})
    assert refused.value.status == 404
    client.pool.close()
    client.pool.join()


def test_notion_library(sandbox):
    http = httpx.Client(transport=HttpxTransport(Line(sandbox)))
    client = notion_client.Client(auth=sandbox.notion.token, client=http, base_url=NOTION,
                                  notion_version="2026-03-11")  # fmt: skip
    assert client.users.me()["type"] == "bot"
    with pytest.raises(notion_client.APIResponseError, match="Could not find page"):
        client.pages.retrieve("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("kind", ["requests", "urllib3", "httpx"])
def test_hooks_stand_before_and_after_each_request(sandbox, kind):
    seen = []
    line = Line(
        sandbox,
        lambda service, request: seen.append((service, request.path, "before")),
        lambda service, request, answer: seen.append((service, request.path, answer.status)),
    )
    clients(line)[kind]()
    assert [row[2] for row in seen] == ["before", 200]
    assert seen[0][:2] == seen[1][:2]


class Crash(BaseException):
    """What a simulator raises to end a run."""


@pytest.mark.parametrize("kind", ["requests", "urllib3", "httpx"])
def test_what_a_hook_raises_goes_through(sandbox, kind):
    def crash(_service, _request):
        raise Crash

    with pytest.raises(Crash):
        clients(Line(sandbox, before=crash))[kind]()


LOST = {"requests": requests.ConnectionError, "urllib3": urllib3.exceptions.ProtocolError,
        "httpx": httpx.RemoteProtocolError}  # fmt: skip
LATE = {"requests": requests.ReadTimeout, "urllib3": urllib3.exceptions.ReadTimeoutError,
        "httpx": httpx.ReadTimeout}  # fmt: skip


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("fault", ["N2", "N3"])
def test_a_lost_connection_is_the_librarys_own_exception(sandbox, kind, fault):
    sandbox.faults.set([{"id": fault}])
    answers = []
    line = Line(sandbox, after=lambda _service, _request, answer: answers.append(answer))
    with pytest.raises(LOST[kind]):
        clients(line)[kind]()
    assert answers == [None]


@pytest.mark.parametrize("kind", LATE)
def test_an_answer_too_late_is_a_time_out_and_takes_its_time_of_the_clock(sandbox, kind):
    sandbox.faults.set([{"id": "late", "delay": 30}])
    began = sandbox.clock.now()
    with pytest.raises(LATE[kind]):
        clients(Line(sandbox))[kind]()
    assert sandbox.clock.now() == began + 5
    sandbox.faults.set([{"id": "late", "delay": 3}])
    clients(Line(sandbox))[kind]()
    assert sandbox.clock.now() == began + 8


@pytest.mark.parametrize("kind", LOST)
def test_bodies_and_headers_come_through(sandbox, kind):
    answer = clients(Line(sandbox))[kind]()
    assert "json" in answer.headers["content-type"]
    body = answer.content if hasattr(answer, "content") else answer.data
    assert json.loads(body)


def test_an_unknown_address_is_told(sandbox):
    with pytest.raises(ValueError, match="names no stand-in; the path must begin with /jira"):
        session_on(Line(sandbox)).get("http://sandbox/elsewhere", timeout=1)


@pytest.mark.parametrize(
    ("url", "service"),
    [("https://acme.atlassian.net/rest/api/3/serverInfo", "jira"),
     ("https://app.asana.com/api/1.0/users/me", "asana"),
     ("https://api.notion.com/v1/users/me", "notion")],
)  # fmt: skip
def test_the_vendors_hosts_are_known(sandbox, url, service):
    seen = []
    http = httpx.Client(transport=HttpxTransport(Line(sandbox, lambda name, _r: seen.append(name))))
    http.get(url)
    assert seen == [service]


FAULTS = [
    {"id": "N1", "rate": 0.1},
    {"id": "H2", "rate": 0.1, "variant": "date"},
    {"id": "L1", "rate": 0.5, "path": "/search/jql$"},
]


def run(seed):
    """A small life of the three services over one line; return a digest of all answers' bytes."""
    sandbox = Sandbox(SandboxClock(frozen=1_790_000_000.0), seed=seed)
    seed_demo(sandbox.jira, sandbox.asana, sandbox.notion, sandbox.clock, seed=seed)
    digest = hashlib.sha256()

    def after(_service, _request, answer):
        if answer is not None:
            digest.update(repr(sorted(answer.headers.items())).encode() + answer.body)
        sandbox.clock.step(1)

    sandbox.faults.set(FAULTS)
    line = Line(sandbox, after=after)
    session, reads = session_on(line), clients(line)
    for number in range(60):
        fields = {
            "project": {"key": "WEB"},
            "issuetype": {"name": "Task"},
            "summary": f"n {number}",
        }
        for ask in (
            lambda fields=fields: session.post(f"{JIRA}/rest/api/3/issue", json={"fields": fields}, timeout=5),
            lambda: session.get(f"{JIRA}/rest/api/3/search/jql", timeout=5,
                                params={"jql": "project = WEB ORDER BY updated", "fields": "summary"}),
            reads["urllib3"],
            reads["httpx"],
        ):  # fmt: skip
            try:
                ask()
            except requests.ConnectionError:
                digest.update(b"lost")
            except (urllib3.exceptions.HTTPError, httpx.HTTPError):
                digest.update(b"lost too")
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes_twice():
    assert run(4) == run(4)
    assert run(4) != run(5)
