"""A tour of every operation of the Jira stand-in, held against the vendor's definitions."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_jira_wire import (
    AGILE,
    API,
    DOCUMENT,
    KNOWN,
    WIRE,
    Talk,
    oracle,
    read_everything,
    set_up,
    work_in_bulk_and_agile,
    write_issues,
)


def walk(talk):
    made = set_up(talk)
    epic, key, child = write_issues(talk, made)
    read_everything(talk, made, epic, key)
    work_in_bulk_and_agile(talk, epic, key)
    around_issues(talk, epic, key)
    setting_up(talk, made)
    planning(talk, epic, key)
    webhooks(talk)
    time_and_files(talk, key)
    people_around(talk, made, key)
    releases(talk, made)
    properties(talk, key)
    queries(talk)
    who_may(talk, key)
    going_away(talk, child)


def around_issues(talk, epic, key):
    path = f"{API}/issue/{key}"
    comment = talk("GET", f"{path}/comment")["comments"][0]["id"]
    talk("GET", f"{path}/comment/{comment}")
    talk("PUT", f"{path}/comment/{comment}", {"body": DOCUMENT})
    talk("DELETE", f"{path}/comment/{comment}", status=204)
    talk("PUT", f"{path}/properties/mark", {"item": "y"})
    talk("DELETE", f"{path}/properties/mark", status=204)
    remote = talk("GET", f"{path}/remotelink")[0]["id"]
    talk("GET", f"{path}/remotelink/{remote}")
    talk("PUT", f"{path}/remotelink/{remote}",
         {"object": {"url": "https://example.com/2", "title": "t"}}, 204)  # fmt: skip
    talk("DELETE", f"{path}/remotelink/{remote}", status=204)
    link = talk("GET", path)["fields"]["issuelinks"][0]["id"]
    talk("GET", f"{API}/issueLink/{link}")
    talk("DELETE", f"{API}/issueLink/{link}", status=204)
    history = talk("GET", f"{path}/changelog")["values"][0]["id"]
    listed = talk("POST", f"{path}/changelog/list", {"changelogIds": [int(history)]})
    assert [row["id"] for row in listed["histories"]] == [history]
    found = talk("GET", f"{API}/search/jql", jql="project = WEB", fields="summary", maxResults="2")
    assert len(found["issues"]) == 2
    talk("POST", f"{API}/search", {"jql": "project = WEB"}, 410)
    edit = {
        "selectedIssueIdsOrKeys": [epic],
        "selectedActions": ["labels"],
        "editedFieldsInput": {
            "labelsFields": [
                {
                    "fieldId": "labels",
                    "labels": [{"name": "bulk"}],
                    "bulkEditMultiSelectFieldOption": "ADD",
                }
            ]
        },
    }
    talk("POST", f"{API}/bulk/issues/fields", edit, 201)


def setting_up(talk, made):
    team = made["Team"]
    talk("PUT", f"{API}/field/{team}", {"name": "Crew"}, 204)
    context = talk("GET", f"{API}/field/{team}/context")["values"][0]["id"]
    path = f"{API}/field/{team}/context/{context}/option"
    option = talk("GET", path)["values"][0]["id"]
    talk("PUT", path, {"options": [{"id": option, "value": "Crimson"}]})
    talk("GET", f"{API}/customFieldOption/{option}")
    project = talk("GET", f"{API}/project/WEB")["id"]
    talk("GET", f"{API}/issuetype/project", projectId=project)
    talk("GET", f"{API}/user/groups", accountId=made["ann"])
    talk("PUT", f"{API}/version/{made['version']}", {"released": True})
    spare = talk("POST", f"{API}/version", {"name": "2.0", "projectId": int(project)}, 201)["id"]
    talk("DELETE", f"{API}/version/{spare}", status=204)
    gone = talk("POST", f"{API}/field", {"name": "gone", "type": "com.atlassian.jira.plugin"
                ".system.customfieldtypes:float"}, 201)["id"]  # fmt: skip
    talk("DELETE", f"{API}/field/{gone}", status=204)


def planning(talk, epic, key):
    board = talk("GET", f"{AGILE}/board")["values"][0]["id"]
    sprint = talk("POST", f"{AGILE}/sprint", {"name": "S2", "originBoardId": board}, 201)["id"]
    talk("POST", f"{AGILE}/sprint/{sprint}", {"goal": "ship"})
    times = {"startDate": "2026-03-01T00:00:00.000Z", "endDate": "2026-03-14T00:00:00.000Z"}
    talk("PUT", f"{AGILE}/sprint/{sprint}", {"name": "S2", "state": "future", **times})
    talk("POST", f"{AGILE}/backlog/issue", {"issues": [key]}, 204)
    talk("POST", f"{AGILE}/epic/{epic}/issue", {"issues": [key]}, 204)
    talk("PUT", f"{AGILE}/issue/rank", {"issues": [key], "rankBeforeIssue": epic}, 204)
    talk("GET", f"{AGILE}/issue/{key}/estimation", boardId=str(board))
    talk("PUT", f"{AGILE}/issue/{key}/estimation", {"value": "8.0"}, boardId=str(board))
    talk("GET", f"{AGILE}/board/{board}/sprint/{sprint}/issue")
    talk("GET", f"{AGILE}/board/{board}/epic/{epic}/issue")
    talk("GET", f"{AGILE}/board/{board}/epic/none/issue")
    talk("GET", f"{AGILE}/epic/none/issue")
    for path in ("epic/none/issue", f"epic/{epic}/issue", f"sprint/{sprint}/issue"):
        talk("GET", f"/rest/software/1.0/{path}", fields="summary")
    for path in ("issue", "issue/approximate-count", "backlog", "backlog/approximate-count",
                 "epic/none/issue", f"epic/{epic}/issue", f"sprint/{sprint}/issue"):  # fmt: skip
        talk("GET", f"/rest/software/1.0/board/{board}/{path}")
    talk("POST", f"{AGILE}/epic/{epic}", {"done": True, "color": {"key": "color_3"}})
    other = talk("POST", f"{API}/issue", talk.fields("Epic"), 201)["key"]
    talk("PUT", f"{AGILE}/epic/{other}/rank", {"rankBeforeEpic": epic}, 204)
    talk("POST", f"{AGILE}/backlog/{board}/issue", {"issues": [key]}, 204)
    talk("POST", f"{AGILE}/board/{board}/issue", {"issues": [key], "rankAfterIssue": epic}, 204)
    talk("DELETE", f"{AGILE}/sprint/{sprint}", status=204)


def webhooks(talk):
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("PUT", "/refresh")):
        talk(method, f"{API}/webhook{path}", None if method == "GET" else {}, 403)
    talk("GET", f"{API}/webhook/failed", status=403)
    path = "/rest/webhooks/1.0/webhook"
    told = {"name": "Ours", "url": "https://example.com/hook", "events": ["jira:issue_created"]}
    made = talk("POST", path, told, 201)["self"].rpartition("/")[2]
    talk("GET", path)
    talk("GET", f"{path}/{made}")
    talk("PUT", f"{path}/{made}", {**told, "name": "Theirs"})
    talk("DELETE", f"{path}/{made}", status=204)


def time_and_files(talk, key):
    path = f"{API}/issue/{key}"
    talk("PUT", path, {"fields": {"timetracking": {"originalEstimate": "2d"}}}, 204)
    logged = {"timeSpent": "3h 20m", "comment": DOCUMENT, "started": "2026-02-28T09:00:00.000+0000"}
    log = talk("POST", f"{path}/worklog", logged, 201)["id"]
    talk("GET", f"{path}/worklog/{log}")
    talk("PUT", f"{path}/worklog/{log}", {"timeSpentSeconds": 3600})
    talk("POST", f"{API}/worklog/list", {"ids": [int(log)]})
    talk("GET", f"{API}/worklog/updated", since="0")
    form = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n")  # fmt: skip
    headers = {"content-type": "multipart/form-data; boundary=x", "x-atlassian-token": "no-check"}
    file = talk("POST", f"{path}/attachments", form, headers=headers)[0]["id"]
    talk("GET", path)
    talk("GET", f"{path}/worklog")
    talk("GET", f"{API}/attachment/meta")
    talk("GET", f"{API}/attachment/{file}")
    talk("GET", f"{API}/attachment/content/{file}", status=303)
    talk("DELETE", f"{API}/attachment/{file}", status=204)
    talk("DELETE", f"{path}/worklog/{log}", status=204)


def people_around(talk, made, key):
    ann, path = made["ann"], f"{API}/issue/{key}"
    talk("POST", f"{path}/watchers", ann, 204)
    talk("GET", f"{path}/watchers")
    talk("DELETE", f"{path}/watchers", status=204, accountId=ann)
    theirs = talk("POST", f"{API}/issue", talk.fields("Task", reporter={"accountId": ann}), 201)
    path = f"{API}/issue/{theirs['key']}"
    talk("POST", f"{path}/votes", status=204)
    talk("GET", f"{path}/votes")
    talk("DELETE", f"{path}/votes", status=204)
    group = talk("POST", f"{API}/group", {"name": "crew"}, 201)["groupId"]
    talk("POST", f"{API}/group/user", {"accountId": ann}, 201, groupId=group)
    talk("GET", f"{API}/group", groupId=group)
    talk("GET", f"{API}/group/member", groupId=group)
    talk("GET", f"{API}/group/bulk")
    talk("GET", f"{API}/groups/picker", query="cr")
    talk("GET", f"{API}/user/picker", query="ann")
    talk("GET", f"{API}/groupuserpicker", query="a")
    talk("GET", f"{API}/myself", expand="groups")
    talk("DELETE", f"{API}/group/user", groupId=group, accountId=ann)
    talk("DELETE", f"{API}/group", groupId=group)
    issues = {"issueIdsOrKeys": [theirs["key"], "NO-1"]}
    assert talk("PUT", f"{API}/issue/archive", issues)["numberOfIssuesUpdated"] == 1
    talk("PUT", f"{API}/issue/unarchive", issues)
    talk("POST", f"{API}/issue/archive", {"jql": f"key = {theirs['key']}"}, 202)
    talk("POST", f"{API}/project/WEB/archive", status=204)
    talk("POST", f"{API}/project/WEB/restore")
    role = talk("GET", f"{API}/project/WEB/role")["Administrators"].rpartition("/")[2]
    talk("GET", f"{API}/project/WEB/role/{role}")
    talk("PUT", f"{API}/project/WEB", {"description": "The shop"})


def releases(talk, made):
    project = int(talk("GET", f"{API}/project/WEB")["id"])
    ids = [talk("POST", f"{API}/version", {"name": f"{n}.0", "projectId": project}, 201)["id"]
           for n in range(3, 6)]  # fmt: skip
    talk("POST", f"{API}/version/{ids[2]}/move", {"position": "First"})
    talk("POST", f"{API}/version/{ids[0]}/removeAndSwap", {"moveFixIssuesTo": int(ids[1])}, 204)
    talk("PUT", f"{API}/version/{ids[1]}/mergeto/{ids[2]}", status=204)
    talk("PUT", f"{API}/component/{made['component']}", {"description": "What one sees"})
    talk("GET", f"{API}/component/{made['component']}/relatedIssueCounts")
    talk("DELETE", f"{API}/component/{made['component']}", status=204)


def who_may(talk, key):
    talk("GET", f"{API}/user/assignable/multiProjectSearch", projectKeys="WEB")
    talk("GET", f"{API}/user/viewissue/search", issueKey=key)
    talk("GET", f"{API}/user/permission/search", projectKey="WEB", permissions="EDIT_ISSUES")
    talk("GET", f"{API}/user/email", status=403, accountId="x")
    project = int(talk("GET", f"{API}/project/WEB")["id"])
    asked = {"projects": [project], "issues": [10000], "permissions": ["EDIT_ISSUES"]}
    told = talk("POST", f"{API}/permissions/check", {
        "globalPermissions": ["ADMINISTER"], "projectPermissions": [asked, asked]})  # fmt: skip
    assert [row["projects"] for row in told["projectPermissions"]] == [[project]]


def properties(talk, key):
    number = int(talk("GET", f"{API}/issue/{key}")["id"])
    for method, path, body in (
        ("POST", "issue/properties", {"entitiesIds": [number], "properties": {"a": 1}}),
        ("POST", "issue/properties/multi", {"issues": [{"issueID": number, "properties": {"b": 2}}]}),
        ("PUT", "issue/properties/a", {"value": 2, "filter": {"entityIds": [number]}}),
        ("DELETE", "issue/properties/a", {"entityIds": [number]}),
    ):  # fmt: skip
        talk(method, f"{API}/{path}", body, 303)
    task = talk("POST", f"{API}/issue/archive", {"jql": "key = WEB-1 AND key != WEB-1"}, 202)
    talk("GET", f"{API}/task/{task.rpartition('/')[2]}")
    talk.sandbox.clock.step(3)
    talk("GET", f"{API}/task/{task.rpartition('/')[2]}")
    comment = talk("POST", f"{API}/issue/{key}/comment", {"body": DOCUMENT}, 201)["id"]
    talk("POST", f"{API}/comment/list", {"ids": [int(comment)]})
    for path in (f"comment/{comment}", "project/WEB"):
        talk("PUT", f"{API}/{path}/properties/mark", {"x": 1}, 201)
        talk("GET", f"{API}/{path}/properties")
        talk("GET", f"{API}/{path}/properties/mark")
        talk("DELETE", f"{API}/{path}/properties/mark", status=204)
    talk("POST", f"{API}/issue/watching", {"issueIds": [str(number)]})
    talk("GET", f"{API}/worklog/deleted", since="0")
    talk("GET", f"{API}/component", projectIdsOrKeys="WEB")
    talk("POST", f"{API}/permissions/project", {"permissions": ["EDIT_ISSUES"]})
    told = {"name": "Waits", "inward": "is awaited by", "outward": "waits for"}
    made = talk("POST", f"{API}/issueLinkType", told, 201)["id"]
    talk("PUT", f"{API}/issueLinkType/{made}", {"name": "Awaits"})
    talk("DELETE", f"{API}/issueLinkType/{made}", status=204)


def queries(talk):
    saved = {"name": "Ours", "jql": "project = WEB", "favourite": True}
    made = talk("POST", f"{API}/filter", saved)["id"]
    talk("GET", f"{API}/filter/{made}")
    talk("PUT", f"{API}/filter/{made}", {**saved, "name": "All ours"})
    for path in ("my", "favourite", "search"):
        talk("GET", f"{API}/filter/{path}", expand="jql,owner")
    talk("DELETE", f"{API}/filter/{made}/favourite")
    talk("PUT", f"{API}/filter/{made}/favourite")
    talk("DELETE", f"{API}/filter/{made}", status=204)
    talk("GET", f"{API}/jql/autocompletedata")
    talk("POST", f"{API}/jql/autocompletedata", {})
    talk("GET", f"{API}/jql/autocompletedata/suggestions", fieldName="status", fieldValue="")


def going_away(talk, child):
    talk("DELETE", f"{API}/issue/{child}", status=204)
    spare = talk("POST", f"{API}/issue", talk.fields("Task"), 201)["key"]
    talk("POST", f"{API}/bulk/issues/delete", {"selectedIssueIdsOrKeys": [spare]}, 201)
    talk("DELETE", f"{API}/project/WEB", status=204)


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    log = tmp_path_factory.mktemp("tour") / "wire.jsonl"
    talk = Talk(log)
    walk(talk)
    talk.sandbox.close()
    return talk, log


def visited(talk, log):
    """Return the operations that the tour asked for."""
    rows = [json.loads(line) for line in log.read_text("utf8").splitlines()]
    asked = {(r["request"]["method"], urlsplit(r["request"]["url"]).path) for r in rows}
    found = set()
    for method, path in asked:
        for operation in talk.site.operations:
            pattern = "/jira" + re.sub(r"\{\w+\}", "[^/]+", operation[1])
            if operation[0] == method and re.fullmatch(pattern, path):
                found.add(operation)
                break
    return found


def test_the_tour_visits_every_operation(tour):
    talk, log = tour
    assert sorted(set(talk.site.operations) - visited(talk, log)) == []


@pytest.mark.skipif(not WIRE.exists(), reason="the shared wire data is not beside the project")
def test_every_answer_of_the_tour_fits_the_definitions(tour):
    _talk, log = tour
    *problems, summary = oracle("check", log)
    assert [line for line in problems if not line.endswith(KNOWN)] == []
    assert int(summary.split(" ok")[0].split()[-1]) > 110
