"""Our reading held against recorded answers of real Jira sites, our requests against the vendor's
definition. Skipped where these files are not beside the project."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import jsonschema
import orjson
import pytest
from requests import Response
from requests.adapters import BaseAdapter

from adapters.jira.adapter import connect
from adapters.jira.config import Config
from adapters.jira.schema import account, field_infos
from adapters.jira.translate import IssueReader
from syncd.core.records import Draft, Edit, FieldKind, Scope
from syncd.testing.fakes import FakeClock

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"


@pytest.fixture(scope="module")
def recorded():
    """Return (path, parsed answer) of each recorded successful GET."""
    path = WIRE / "recorded" / "jira_cloud_v2_defectdojo.jsonl.gz"
    if not path.exists():
        pytest.skip("the recorded answers are not on this machine")
    found = []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            exchange = json.loads(line)
            text = exchange["response"]["body_text"]
            body = json.loads(text) if text.startswith(("{", "[")) else None
            found.append((exchange["request"]["url"], body))
    return found


@pytest.fixture(scope="module")
def infos(recorded):
    fields = [body for url, body in recorded if url.endswith("/field") and isinstance(body, list)]
    assert fields
    return field_infos(fields[0])


def test_fields_of_a_real_site_have_kinds(infos):
    kinds = {info.kind for info in infos.values()}
    assert kinds >= {
        FieldKind.TITLE, FieldKind.RICH_TEXT, FieldKind.STATUS, FieldKind.PERSON, FieldKind.DATE,
        FieldKind.LABELS, FieldKind.SELECT, FieldKind.MULTI_SELECT, FieldKind.NUMBER,
    }  # fmt: skip
    titles = [info.id for info in infos.values() if info.kind is FieldKind.TITLE]
    assert titles == ["summary"]


def test_issues_of_a_real_site_are_read(recorded, infos):
    reader = IssueReader("jira", "site", "https://acme.example", infos.values())
    issues = [
        body for url, body in recorded
        if re.search(r"/issue/[\w-]+(\?|$)", url) and isinstance(body, dict) and "fields" in body
    ]  # fmt: skip
    assert len(issues) > 100
    for raw in issues:
        record = reader.record(raw)
        texts = {info.id for info in infos.values() if info.kind is FieldKind.RICH_TEXT}
        assert record.opaque <= texts  # version 2 of the API shows rich text as wiki markup
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.updated)
        assert record.fields["summary"]
        assert record.fields["status"] == raw["fields"]["status"]["id"]


def test_people_of_a_real_site_are_read(recorded):
    people = [
        body["fields"]["creator"] for url, body in recorded
        if isinstance(body, dict) and (body.get("fields") or {}).get("creator")
    ]  # fmt: skip
    assert {account(person).id for person in people}


# our requests -----------------------------------------------------------------------------------


class Vendor(BaseAdapter):
    """Answers just enough, and holds every request against the vendor's definition."""

    def __init__(self, spec: dict) -> None:
        super().__init__()
        self.spec = spec
        self.checked: list[str] = []

    def send(self, request, **_):
        path = request.url.partition("?")[0].removeprefix("https://acme.example")
        template = next(t for t in self.spec["paths"] if self._fits(t, path))
        operation = self.spec["paths"][template][request.method.lower()]
        query = re.findall(r"[?&](\w+)=", request.url)
        assert set(query) <= {p["name"] for p in operation.get("parameters", ())}, template
        if request.body:
            ref = operation["requestBody"]["content"]["application/json"]["schema"]
            schema = {**ref, "components": self.spec["components"]}
            jsonschema.Draft7Validator(schema).validate(json.loads(request.body))
            known = self.spec["components"]["schemas"][ref["$ref"].rpartition("/")[2]]
            assert set(json.loads(request.body)) <= set(known["properties"]), template
        self.checked.append(f"{request.method} {template.removeprefix('/rest/api/3/')}")
        return self._answer(request, template)

    def _fits(self, template: str, path: str) -> bool:
        return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None

    def _answer(self, request, template):
        issue = {"id": "1", "key": "A-1", "fields": {
            "project": {"id": "1"}, "issuetype": {"id": "1"}, "status": {"id": "1", "name": "x"},
            "created": "2026-01-01T00:00:00.000+0000", "updated": "2026-01-01T00:00:00.000+0000",
        }}  # fmt: skip
        user = {"accountId": "a", "timeZone": "Asia/Tokyo"}
        answers = {
            "myself": user,
            "field": [
                {"id": "summary", "name": "Summary", "schema": {"system": "summary"}},
                {"id": "status", "name": "Status", "schema": {"system": "status"}},
            ],
            "project/search": {"values": [{"id": "1", "key": "A", "name": "A"}], "isLast": True},
            "project/{projectIdOrKey}/statuses": [{"id": "1", "name": "Task", "statuses": []}],
            "issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}": {"fields": []},
            "priority": [],
            "users/search": [],
            "search/jql": {"issues": [issue], "isLast": True},
            "issue/bulkfetch": {"issues": [issue], "issueErrors": []},
            "issue": {"id": "1", "key": "A-1"},
            "issue/{issueIdOrKey}": issue,
            "issue/{issueIdOrKey}/transitions": {"transitions": [{"id": "5", "to": {"id": "2"}}]},
        }
        response = Response()
        response.status_code = 200
        response._content = orjson.dumps(answers[template.removeprefix("/rest/api/3/")])
        response.request, response.url = request, request.url
        return response

    def close(self):
        pass


def test_every_request_fits_the_vendors_definition():
    path = WIRE / "specs" / "jira_platform_v3.json"
    if not path.exists():
        pytest.skip("the vendor's definition is not on this machine")
    vendor = Vendor(json.loads(path.read_text()))
    config = Config(url="https://acme.example", email="robot@acme.example")
    adapter = connect("jira", config, secret=lambda: "x", clock=FakeClock(), transport=vendor)
    scope = Scope("jira", "site", "Jira", ("1",), ("summary", "status", "parent"))
    adapter.discover(["A"])
    cursor = list(adapter.pages(scope, None))[-1].cursor
    list(adapter.pages(scope, cursor))
    adapter.read(scope, ["1"])
    adapter.find(scope, "m", "")
    adapter.create(Draft(scope, "1", "1", {"summary": "x", "parent": "7"}, "m"))
    adapter.update(Edit(scope, "1", "1", {"summary": "y", "parent": None}, attempt="a"))
    adapter.update(Edit(scope, "1", "1", {"status": "2"}, attempt="a"))
    assert len(set(vendor.checked)) == 13
