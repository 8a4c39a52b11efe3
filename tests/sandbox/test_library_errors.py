"""Each error of each service reaches the service's Python library as what it is, over a socket.

Refusals that the stand-in makes by itself are asked for; the others are injected, in the service's
own words.
"""

from __future__ import annotations

import json
import logging
import warnings

import asana
import jira
import notion_client
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox

NOBODY = "00000000-0000-4000-8000-000000000000"


class Jira:
    """The library `jira`."""

    error = jira.JIRAError

    def __init__(self, sandbox, url, token=None):
        site = sandbox.jira
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.client = jira.JIRA(
                f"{url}/jira", basic_auth=(site.email, token or site.token), max_retries=0
            )
        if "WEB" not in [project.key for project in site.store.projects.values()]:
            site.add_project("WEB", "Web shop")

    def read(self):
        return self.client.myself()

    def bad(self):
        self.client.create_issue(project="WEB", issuetype={"name": "Task"})

    def missing(self):
        self.client.issue("WEB-99999")

    def removed(self):
        self.client._get_json("search", params={"jql": "project = WEB"})

    @staticmethod
    def told(error):
        if error.status_code == 401:
            return 401, [error.text]  # no JSON
        body = error.response.json()
        return error.status_code, [*body["errorMessages"], *body["errors"].values()]

    def close(self):
        self.client.close()


class Asana:
    """The library `asana`."""

    error = asana.rest.ApiException

    def __init__(self, sandbox, url, token=None):
        self.sandbox = sandbox.asana
        handlers = {name: list(logging.getLogger(name).handlers) for name in ("asana", "urllib3")}
        settings = asana.Configuration()
        settings.host = f"{url}/asana/api/1.0"
        settings.access_token = token or self.sandbox.token
        settings.retry_strategy = False
        settings.return_page_iterator = False
        for name, before in handlers.items():
            logging.getLogger(name).handlers[:] = before
        self.client = asana.ApiClient(settings)

    def read(self):
        return asana.UsersApi(self.client).get_user("me", {})

    def bad(self):
        asana.TasksApi(self.client).create_task({"data": {"name": "x"}}, {})

    def missing(self):
        asana.TasksApi(self.client).get_task("1", {})

    def unpaid(self):
        self.sandbox.store.paid = False
        try:
            asana.TasksApi(self.client).search_tasks_for_workspace(self.sandbox.workspace, {})
        finally:
            self.sandbox.store.paid = True

    def late(self):
        project = {"data": {"name": "Road", "team": self.sandbox.team}}
        made = asana.ProjectsApi(self.client).create_project(project, {})["data"]["gid"]
        asana.EventsApi(self.client).get_events(made, {})

    @staticmethod
    def told(error):
        return error.status, [each["message"] for each in json.loads(error.body)["errors"]]

    def close(self):
        self.client.rest_client.pool_manager.clear()
        self.client.pool.close()
        self.client.pool.join()


class Notion:
    """The library `notion-client`."""

    error = (notion_client.APIResponseError, notion_client.errors.UnknownHTTPResponseError)

    def __init__(self, sandbox, url, token=None):
        self.client = notion_client.Client(
            auth=token or sandbox.notion.token, base_url=f"{url}/notion",
            notion_version="2026-03-11", retry=False,
        )  # fmt: skip

    def read(self):
        return self.client.users.me()

    def bad(self):
        self.client.search(page_size=101)

    def missing(self):
        self.client.pages.retrieve(NOBODY)

    def nowhere(self):
        self.client.request("nowhere", "GET")

    @staticmethod
    def told(error):
        body = json.loads(error.body)
        assert error.code in (body["code"], "notionhq_client_response_error")
        return error.status, [body["message"]]

    def close(self):
        self.client.close()


LIBRARIES = {"jira": Jira, "asana": Asana, "notion": Notion}
OWN = [
    *((name, "bad", 400) for name in LIBRARIES),
    *((name, "missing", 404) for name in LIBRARIES),
    ("jira", "removed", 410), ("asana", "unpaid", 402), ("asana", "late", 412),
    ("notion", "nowhere", 400),
]  # fmt: skip
INJECTED = {
    "jira": (403, 409, 413, 500, 502, 503, 504),
    "asana": (403, 413, 423, 500, 502, 503, 504),
    "notion": (403, 409, 500, 502, 503, 504, 529),
}


@pytest.fixture(scope="module")
def running():
    with start_in_thread(Sandbox(SandboxClock(frozen=1_790_000_000.0))) as made:
        yield made


@pytest.fixture(scope="module")
def libraries(running):
    made = {name: make(running.sandbox, running.url) for name, make in LIBRARIES.items()}
    yield made
    for each in made.values():
        each.close()


@pytest.mark.parametrize(("name", "ask", "status"), OWN)
def test_the_services_own_refusals(libraries, name, ask, status):
    library = libraries[name]
    with pytest.raises(library.error) as caught:
        getattr(library, ask)()
    told, [sentence] = library.told(caught.value)
    assert told == status
    assert sentence


@pytest.mark.parametrize(
    ("name", "status"), [(name, status) for name, all_ in INJECTED.items() for status in all_]
)
def test_injected_refusals(running, libraries, name, status):
    library = libraries[name]
    rule = {"id": "one", "service": name, "status": status, "vendor": True, "count": 1}
    running.sandbox.faults.set([rule])
    with pytest.raises(library.error) as caught:
        library.read()
    told, [sentence] = library.told(caught.value)
    assert told == status
    assert sentence
    assert library.read(), "once only"


@pytest.mark.parametrize("name", LIBRARIES)
def test_too_many_requests(running, libraries, name):
    library = libraries[name]
    running.sandbox.limits.set(0.001)
    try:
        with pytest.raises(library.error) as caught:
            many(library)
    finally:
        running.sandbox.limits.set(None)
    assert library.told(caught.value)[0] == 429


def many(library):
    for _ in range(100):
        library.read()


@pytest.mark.parametrize("name", LIBRARIES)
def test_wrong_credentials(running, name):
    library = LIBRARIES[name](running.sandbox, running.url, "wrong")
    with pytest.raises(library.error) as caught:
        library.read()
    library.close()
    assert library.told(caught.value)[0] == 401
