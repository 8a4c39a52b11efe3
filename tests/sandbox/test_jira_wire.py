"""What the stand-in answers is held against the vendor's definitions and recorded traffic."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.services import Sandbox
from syncd.sandbox.wire import Request

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
pytestmark = pytest.mark.skipif(
    not WIRE.exists(), reason="the shared wire data is not beside the project"
)
API, AGILE = "/rest/api/3", "/rest/agile/1.0"
TYPES = "com.atlassian.jira.plugin.system.customfieldtypes:"
DOCUMENT = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}],
}
# the definition calls these strings; the real service sends null where there was or is nothing
KNOWN = tuple(
    f"items/*/{name}: None is not of type 'string'"
    for name in ("from", "to", "fromString", "toString")
)


class Talk:
    """A client without sockets whose exchanges are logged; every answer must be the expected."""

    def __init__(self, log: Path) -> None:
        self.sandbox = Sandbox(SandboxClock(frozen=1_772_366_400.0), wire_log=log)
        self.site = self.sandbox.jira
        pair = base64.b64encode(f"{self.site.email}:{self.site.token}".encode()).decode()
        self.headers = {"authorization": f"Basic {pair}"}

    def __call__(self, method, path, body=None, status=200, *, headers=None, **query):
        raw = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        pairs = tuple(query.items())
        sent = {**self.headers, **(headers or {})}
        request = Request(method, path, pairs, sent, raw, "http://localhost/jira")
        response = self.sandbox.handle("jira", request)
        assert response.status == status, (method, path, response.body)
        return orjson.loads(response.body) if response.body else None

    def fields(self, kind, **more):
        base = {"project": {"key": "WEB"}, "issuetype": {"name": kind}, "summary": "item"}
        return {"fields": {**base, **more}}


def oracle(verb, log):
    command = [sys.executable, str(WIRE / "oracle.py"), verb, "--tool", "jira", "--log", str(log),
               "--strip-prefix", "/jira"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.splitlines()


def set_up(talk):
    ann = talk.site.add_user("Ann Lee", "ann@example.com", email_visible=False)
    talk("POST", f"{API}/project", {"key": "WEB", "name": "Web shop"}, 201)
    made = {"ann": ann}
    for name, kind in (("Team", "select"), ("Areas", "multiselect"), ("Notes", "textarea"),
                       ("Approver", "userpicker"), ("Site", "url"), ("Code", "textfield")):  # fmt: skip
        body = {"name": name, "type": TYPES + kind}
        made[name] = talk("POST", f"{API}/field", body, 201)["id"]
    for name in ("Team", "Areas"):
        context = talk("GET", f"{API}/field/{made[name]}/context")["values"][0]["id"]
        path = f"{API}/field/{made[name]}/context/{context}/option"
        talk("POST", path, {"options": [{"value": "Red"}, {"value": "Blue"}]})
        talk("GET", path)
    project = talk("GET", f"{API}/project/WEB")["id"]
    dates = {"startDate": "2026-01-01", "releaseDate": "2026-02-01"}
    version = {"name": "1.0", "projectId": project, **dates}
    made["version"] = talk("POST", f"{API}/version", version, 201)["id"]
    made["component"] = talk("POST", f"{API}/component", {"name": "UI", "project": "WEB"}, 201)[
        "id"
    ]
    return made


def write_issues(talk, made):
    epic = talk("POST", f"{API}/issue", talk.fields("Epic"), 201)["key"]
    full = talk.fields(
        "Story", parent={"key": epic}, description=DOCUMENT, labels=["a"], duedate="2026-12-01",
        assignee={"accountId": made["ann"]}, customfield_10016=3, fixVersions=[{"name": "1.0"}],
        components=[{"name": "UI"}],
        **{made["Team"]: {"value": "Red"}, made["Areas"]: [{"value": "Red"}],
           made["Notes"]: DOCUMENT, made["Approver"]: {"accountId": made["ann"]},
           made["Site"]: "https://example.com", made["Code"]: "x"},
    )  # fmt: skip
    full["properties"] = [{"key": "mark", "value": {"item": "x"}}]
    key = talk("POST", f"{API}/issue", full, 201)["key"]
    sub = talk.fields("Sub-task", parent={"key": key})
    child = talk("POST", f"{API}/issue", sub, 201)["key"]
    rows = [talk.fields("Task"), {"fields": {"project": {"key": "WEB"}}}]
    talk("POST", f"{API}/issue/bulk", {"issueUpdates": rows}, 201)
    edit = {"fields": {"summary": "new", "duedate": None}, "historyMetadata": {"type": "t"},
            "update": {"labels": [{"add": "b"}], "comment": [{"add": {"body": DOCUMENT}}]}}  # fmt: skip
    talk("PUT", f"{API}/issue/{key}", edit, returnIssue="true")
    talk("PUT", f"{API}/issue/{key}", {"fields": {"status": {}, "summary": ""}}, 400)
    talk("POST", f"{API}/issue/{key}/transitions", {"transition": {"id": "41"}}, 204)
    talk("POST", f"{API}/issue/{key}/transitions", {"transition": {"id": "99"}}, 400)
    talk("PUT", f"{API}/issue/{key}/assignee", {"accountId": None}, 204)
    talk("POST", f"{API}/issue/{key}/comment", {"body": DOCUMENT}, 201)
    remote = {"globalId": "g", "object": {"url": "https://example.com", "title": "t"}}
    talk("POST", f"{API}/issue/{key}/remotelink", remote, 201)
    link = {"type": {"name": "Blocks"}, "inwardIssue": {"key": key}, "outwardIssue": {"key": epic}}
    talk("POST", f"{API}/issueLink", link, 201)
    return epic, key, child


def read_everything(talk, made, epic, key):
    talk("GET", f"{API}/issue/{key}", properties="*all",
         expand="names,schema,renderedFields,transitions,changelog,editmeta,operations")  # fmt: skip
    talk("GET", f"{API}/issue/{key}/transitions", expand="transitions.fields")
    for path in ("changelog", "comment", "properties", "properties/mark", "editmeta", "worklog",
                 "watchers", "remotelink"):  # fmt: skip
        talk("GET", f"{API}/issue/{key}/{path}")
    for path in (
        "serverInfo", "myself", "permissions", "field", "field/search", "project", "project/search",
        "project/WEB", "project/WEB/statuses", "project/WEB/hierarchy", "project/WEB/versions",
        "project/WEB/version", "project/WEB/components", "project/WEB/component", "issuetype",
        "issuetype/10000", "status", "status/10000", "statuses/search", "statuscategory",
        "statuscategory/new", "priority", "priority/1", "priority/search", "resolution",
        "resolution/10000", "label", "configuration", "users/search", "users", "issueLinkType",
        "issueLinkType/10000", "issue/createmeta/WEB/issuetypes",
        "issue/createmeta/WEB/issuetypes/10001", f"version/{made['version']}",
        f"version/{made['version']}/relatedIssueCounts", f"component/{made['component']}",
        f"version/{made['version']}/unresolvedIssueCount", "jql/autocompletedata",
    ):  # fmt: skip
        talk("GET", f"{API}/{path}")
    talk("GET", f"{API}/mypermissions", permissions="BROWSE_PROJECTS,ADMINISTER")
    talk("GET", f"{API}/issue/createmeta", expand="projects.issuetypes.fields")
    talk("GET", f"{API}/user", accountId=made["ann"])
    talk("GET", f"{API}/user/bulk", accountId=made["ann"])
    talk("GET", f"{API}/user/search", query="ann")
    talk("GET", f"{API}/user/assignable/search", project="WEB")
    talk("GET", f"{API}/search", status=410)
    talk("GET", f"{API}/issue/WEB-999", status=404)
    every = {"jql": "project = WEB", "fields": ["*all"], "expand": "changelog,names,schema"}
    talk("POST", f"{API}/search/jql", {**every, "properties": ["mark"]})
    talk("POST", f"{API}/search/jql", {"jql": ""}, 400)
    talk("POST", f"{API}/search/approximate-count", {"jql": "project = WEB"})
    talk("POST", f"{API}/jql/parse", {"queries": ["project = WEB and key in (WEB-1)", "a ="]})
    talk("POST", f"{API}/jql/match", {"issueIds": [10000], "jqls": ["project = WEB"]})
    talk("POST", f"{API}/issue/bulkfetch", {"issueIdsOrKeys": [key, epic], "fields": ["*all"]})
    talk("POST", f"{API}/changelog/bulkfetch", {"issueIdsOrKeys": [key]})


def work_in_bulk_and_agile(talk, epic, key):
    talk("GET", f"{API}/bulk/issues/fields", issueIdsOrKeys=key)
    talk("GET", f"{API}/bulk/issues/transition", issueIdsOrKeys=key)
    move = {"bulkTransitionInputs": [{"selectedIssueIdsOrKeys": [key], "transitionId": "11"}]}
    task = talk("POST", f"{API}/bulk/issues/transition", move, 201)["taskId"]
    talk.sandbox.clock.step(5)
    talk("GET", f"{API}/bulk/queue/{task}")
    board = talk("GET", f"{AGILE}/board")["values"][0]["id"]
    for path in ("", "/configuration", "/project", "/version", "/issue", "/backlog", "/epic"):
        talk("GET", f"{AGILE}/board/{board}{path}")
    body = {"name": "S1", "originBoardId": board}
    sprint = talk("POST", f"{AGILE}/sprint", body, 201)["id"]
    talk("POST", f"{AGILE}/sprint/{sprint}/issue", {"issues": [key]}, 204)
    for path in (f"sprint/{sprint}", f"sprint/{sprint}/issue", f"board/{board}/sprint",
                 f"epic/{epic}", f"epic/{epic}/issue", f"issue/{key}"):  # fmt: skip
        talk("GET", f"{AGILE}/{path}")


def test_every_answer_fits_the_vendors_definition(tmp_path):
    log = tmp_path / "wire.jsonl"
    talk = Talk(log)
    made = set_up(talk)
    epic, key, _child = write_issues(talk, made)
    read_everything(talk, made, epic, key)
    work_in_bulk_and_agile(talk, epic, key)
    talk.sandbox.close()
    *problems, summary = oracle("check", log)
    assert [line for line in problems if not line.endswith(KNOWN)] == []
    assert int(summary.split(" ok")[0].split()[-1]) > 80


def test_version_2_has_the_shape_of_recorded_traffic(tmp_path):
    log = tmp_path / "wire.jsonl"
    talk = Talk(log)
    talk.site.add_project("WEB", "Web shop")
    api = "/rest/api/2"
    for kind in ("Epic", "Task", "Bug"):
        wiki = talk.fields(kind, description="h1. Why")
        key = talk("POST", f"{api}/issue", wiki, 201)["key"]
        talk("PUT", f"{api}/issue/{key}", {"fields": {"summary": "new"}, "update": {}}, 204)
        talk("POST", f"{api}/issue/{key}/comment", {"body": "said"}, 201)
        talk("POST", f"{api}/issue/{key}/transitions", {"transition": {"id": 41}}, 204)
        for path in (f"issue/{key}", "serverInfo", "field"):
            talk("GET", f"{api}/{path}")
        talk("GET", f"{api}/issue/createmeta", projectKeys="WEB", issuetypeNames=kind,
             expand="projects.issuetypes.fields")  # fmt: skip
    talk.sandbox.close()
    *problems, summary = oracle("shapes", log)
    assert problems == []
    assert int(summary.split()[1]) >= 12
