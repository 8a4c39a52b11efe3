"""Loading issues from a file: kept as they are, or refused with file and line."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from pathlib import Path

import orjson
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.wire import Request

REAL = Path(__file__).parents[2].parent / "shared/wire/realworld/jira_titanium_issues.jsonl.gz"
STATUS = {"name": "Open", "id": "1", "statusCategory": {"id": 2, "key": "new"}}


def ask(site, path, **query):
    pair = base64.b64encode(f"{site.email}:{site.token}".encode()).decode()
    headers = {"authorization": f"Basic {pair}"}
    response = site.handle(Request("GET", path, tuple(query.items()), headers))
    return response.status, orjson.loads(response.body)


def row(number, key, **fields):
    base = {
        "summary": f"item {number}",
        "project": {"key": "OLD", "id": "500", "name": "Old work"},
        "issuetype": {"name": "Story", "id": "7", "subtask": False},
        "status": STATUS,
        "created": "2015-07-09T15:37:40.000+0200",
        "updated": "2015-09-19T22:02:02.000+0000",
    }
    return {"id": str(number), "key": key, "fields": {**base, **fields}}


def write(path, rows):
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


@pytest.fixture
def site():
    return JiraSandbox(SandboxClock())


def test_an_issue_is_kept_with_everything_it_refers_to(site, tmp_path):
    ann = {"name": "ann", "key": "ann", "displayName": "Ann Lee", "active": True}
    fields = {
        "assignee": ann,
        "reporter": {**ann, "name": "bob", "key": "bob", "displayName": "Bob"},
        "priority": {"name": "Critical", "id": "1"},
        "resolution": {"id": "11", "name": "Not Our Bug"},
        "resolutiondate": "2015-07-24T19:29:00.000+0000",
        "labels": ["b", "a"],
        "components": [{"id": "10", "name": "CLI"}],
        "fixVersions": [{"id": "20", "name": "1.0", "released": True}],
        "description": "h1. Why\r\n\r\n* one\r\n{code:java}\r\nint x;\r\n{code}",
        "issuelinks": [
            {"id": "90", "type": {"id": "9", "name": "Eats", "inward": "is eaten by", "outward": "eats"},
             "outwardIssue": {"id": "8", "key": "OLD-8"}}
        ],
        "comment": {"comments": [{"id": "70", "author": ann, "body": "hello [~ann]",
                                  "created": "2015-07-10T00:00:00.000+0000",
                                  "updated": "2015-07-10T00:00:00.000+0000"}]},
    }  # fmt: skip
    rows = [{**row(7, "OLD-7", **fields), "_storyPoints": 5}, row(8, "OLD-8")]
    assert site.load_issues(write(tmp_path / "i.jsonl", rows)) == 2
    _, issue = ask(site, "/rest/api/3/issue/OLD-7")
    got = issue["fields"]
    assert issue["id"] == "7"
    assert got["created"] == "2015-07-09T13:37:40.000+0000"
    assert got["updated"] == "2015-09-19T22:02:02.000+0000"
    assert got["assignee"]["displayName"] == "Ann Lee"
    assert got["assignee"]["accountId"] != got["reporter"]["accountId"]
    assert got["assignee"]["emailAddress"] == "ann@example.com"
    assert (got["priority"]["name"], got["resolution"]["name"]) == ("Critical", "Not Our Bug")
    assert got["labels"] == ["a", "b"]
    assert got["customfield_10016"] == 5.0
    assert got["components"][0]["name"] == "CLI"
    assert got["fixVersions"][0]["released"] is True
    assert [n["type"] for n in got["description"]["content"]] == [
        "heading", "bulletList", "codeBlock"
    ]  # fmt: skip
    assert got["issuelinks"][0]["outwardIssue"]["key"] == "OLD-8"
    assert got["comment"]["comments"][0]["author"]["displayName"] == "Ann Lee"
    assert ask(site, "/rest/api/3/project/OLD")[1]["name"] == "Old work"


def test_new_issues_get_ids_and_keys_beyond_the_loaded_ones(site, tmp_path):
    site.load_issues(write(tmp_path / "i.jsonl", [row(41_000, "OLD-310")]))
    pair = base64.b64encode(f"{site.email}:{site.token}".encode()).decode()
    fields = {"project": {"key": "OLD"}, "issuetype": {"name": "Story"}, "summary": "new"}
    request = Request("POST", "/rest/api/3/issue", (), {"authorization": f"Basic {pair}"},
                      orjson.dumps({"fields": fields}))  # fmt: skip
    made = orjson.loads(site.handle(request).body)
    assert made["key"] == "OLD-311"
    assert int(made["id"]) > 41_000
    _, issue = ask(site, "/rest/api/3/issue/OLD-311")
    assert issue["fields"]["status"]["name"] == "Open"


def test_an_epic_or_parent_that_the_file_lacks_is_shown_but_cannot_be_seen(site, tmp_path):
    epic = {"id": 99, "key": "ELSE-1", "name": "Document", "summary": "Document it", "done": True}
    inside = {"id": 8, "key": "OLD-8", "name": "Inside", "summary": "Inside", "done": False}
    rows = [
        row(7, "OLD-7", epic=epic),
        row(8, "OLD-8", issuetype={"name": "Epic", "id": "6"}),
        row(9, "OLD-9", epic=inside),
    ]
    site.load_issues(write(tmp_path / "i.jsonl", rows))
    _, child = ask(site, "/rest/api/3/issue/OLD-7")
    parent = child["fields"]["parent"]
    assert (parent["id"], parent["key"]) == ("99", "ELSE-1")
    assert parent["fields"]["summary"] == "Document it"
    assert parent["fields"]["status"]["statusCategory"]["key"] == "done"
    assert ask(site, "/rest/api/3/issue/ELSE-1")[0] == 404
    assert ask(site, "/rest/api/3/issue/99")[0] == 404
    jql = {"jql": "created >= 0", "fields": "key"}
    _, found = ask(site, "/rest/api/3/search/jql", **jql)
    assert sorted(issue["key"] for issue in found["issues"]) == ["OLD-7", "OLD-8", "OLD-9"]
    _, found = ask(site, "/rest/api/3/search/jql", jql="parent = OLD-8", fields="key")
    assert [issue["key"] for issue in found["issues"]] == ["OLD-9"]


def test_custom_fields_are_made_from_what_their_values_look_like(site, tmp_path):
    values = {
        "customfield_20001": 3,
        "customfield_20002": "2024-01-31",
        "customfield_20003": {"id": "5", "value": "Red"},
        "customfield_20004": "words",
    }
    site.load_issues(write(tmp_path / "i.jsonl", [row(7, "OLD-7", **values)]))
    _, issue = ask(site, "/rest/api/3/issue/OLD-7")
    assert issue["fields"]["customfield_20001"] == 3.0
    assert issue["fields"]["customfield_20002"] == "2024-01-31"
    assert issue["fields"]["customfield_20003"]["value"] == "Red"
    kinds = {f["id"]: f["schema"]["type"] for f in ask(site, "/rest/api/3/field")[1] if f["custom"]}
    assert [kinds[f] for f in values] == ["number", "date", "option", "string"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "an issue is an object with id, key and fields"),
        ('{"id": "1", "key": "A-1"}', "an issue is an object with id, key and fields"),
        ('{"id": "x", "key": "A-1", "fields": {}}', "id 'x' is no number"),
        ('{"id": "1", "key": "A", "fields": {}}', "key 'A' is no issue key"),
        (json.dumps(row(7, "OLD-7")), "issue id 7 is there twice"),
        (json.dumps(row(9, "OLD-9", summary=None)), "fields.summary is not a string"),
        (json.dumps(row(9, "OLD-9", created="yesterday")), "'yesterday' is no time"),
        (json.dumps(row(9, "OLD-9", description=5)), "neither wiki markup nor an Atlassian"),
    ],
)
def test_a_wrong_line_is_told_with_file_and_line(site, tmp_path, line, said):
    path = tmp_path / "i.jsonl"
    path.write_text(json.dumps(row(7, "OLD-7")) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=r"i\.jsonl, line 2: ") as caught:
        site.load_issues(path)
    assert said in str(caught.value)
    assert "no issue was loaded" in str(caught.value)
    assert ask(site, "/rest/api/3/issue/OLD-7")[0] == 404


def test_a_cut_off_gzip_file_is_told(site, tmp_path):
    path = tmp_path / "i.jsonl.gz"
    rows = (json.dumps(row(n, f"OLD-{n}")) for n in range(1, 500))
    path.write_bytes(gzip.compress("\n".join(rows).encode())[:-2000])
    with pytest.raises(ValueError, match="is not a complete gzip file"):
        site.load_issues(path)


@pytest.mark.skipif(not REAL.exists(), reason="the shared wire data is not beside the project")
def test_the_real_issues_are_all_there(site):
    with gzip.open(REAL, "rt", encoding="utf8") as lines:
        rows = [json.loads(line) for line in lines]
    assert site.load_issues(REAL) == len(rows)
    held, token = {}, None
    while True:
        query = {"jql": "created >= 0 order by created", "maxResults": "100",
                 "fields": "summary,status,parent,issuetype,updated,customfield_10016,labels"}  # fmt: skip
        if token:
            query["nextPageToken"] = token
        _, page = ask(site, "/rest/api/3/search/jql", **query)
        held |= {issue["id"]: issue for issue in page["issues"]}
        token = page.get("nextPageToken")
        if not token:
            break
    assert set(held) == {r["id"] for r in rows}
    kinds = Counter(issue["fields"]["issuetype"]["name"] for issue in held.values())
    assert kinds == Counter(r["fields"]["issuetype"]["name"] for r in rows)
    for r in rows:
        got, sent = held[r["id"]]["fields"], r["fields"]
        relative = sent.get("parent") or sent.get("epic")
        assert held[r["id"]]["key"] == r["key"]
        assert got["summary"] == sent["summary"]
        assert got["status"]["name"] == sent["status"]["name"]
        assert got["updated"] == sent["updated"]
        assert got.get("parent", {}).get("id") == (str(relative["id"]) if relative else None)
        assert got["customfield_10016"] == r.get("_storyPoints")
        assert got["labels"] == sorted(sent.get("labels") or [])
