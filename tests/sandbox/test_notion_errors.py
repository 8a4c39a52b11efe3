"""The Notion stand-in's refusals: status, code and sentence of each."""

from __future__ import annotations

import json

import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.wire import Request

ABSENT = "00000000-0000-0000-0000-000000000000"


class Desk:
    """Raw requests to a sandbox with one page and one data source."""

    def __init__(self) -> None:
        self.sandbox = NotionSandbox(SandboxClock(frozen=1_789_997_640.0))
        self.page = self.ok("POST", "/v1/pages", {"properties": {"title": text("Home")}})["id"]
        schema = {
            "Name": {"title": {}},
            "Text": {"rich_text": {}},
            "Number": {"number": {}},
            "Date": {"date": {}},
            "People": {"people": {}},
            "Url": {"url": {}},
            "Mail": {"email": {}},
            "Tags": {"multi_select": {}},
        }
        database = self.ok(
            "POST",
            "/v1/databases",
            {"parent": {"page_id": self.page}, "initial_data_source": {"properties": schema}},
        )
        self.source = database["data_sources"][0]["id"]
        self.database = database["id"]

    def ask(self, method: str, path: str, body: object = None, **headers: str | None):
        held = {"authorization": f"Bearer {self.sandbox.token}", "notion-version": "2026-03-11"}
        for name, value in headers.items():
            held[name.replace("_", "-")] = value
        sent = {name: value for name, value in held.items() if value is not None}
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        path, _, query = path.partition("?")
        pairs = tuple(tuple(pair.split("=")) for pair in query.split("&") if pair)
        return self.sandbox.handle(Request(method, path, pairs, sent, raw))

    def ok(self, method: str, path: str, body: object = None, **headers: str | None) -> dict:
        answer = self.ask(method, path, body, **headers)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refuse(
        self, status: int, code: str, method: str, path: str, body: object = None, **headers
    ) -> str:
        answer = self.ask(method, path, body, **headers)
        shown = json.loads(answer.body)
        assert (answer.status, shown["status"], shown["code"]) == (status, status, code), shown
        assert shown["object"] == "error"
        assert len(shown["request_id"]) == 36
        return shown["message"]

    def row(self, **values: object) -> str:
        body = {"parent": {"data_source_id": self.source}, "properties": values}
        return self.refuse(400, "validation_error", "POST", "/v1/pages", body)


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def test_who_asks(desk):
    for header in (None, "Bearer nope", "Basic abc"):
        message = desk.refuse(401, "unauthorized", "GET", "/v1/users", authorization=header)
        assert message == "API token is invalid."


def test_the_version(desk):
    missing = desk.refuse(400, "missing_version", "GET", "/v1/users", notion_version=None)
    assert missing == (
        "Notion-Version header failed validation: Notion-Version header should be defined, "
        "instead was `undefined`."
    )
    old = desk.refuse(400, "validation_error", "GET", "/v1/users", notion_version="2020-01-01")
    assert '`"2025-09-03"` or `"2026-03-11"`' in old


def test_addresses_that_do_not_exist(desk):
    for method, path in (("GET", "/v1/invalid"), ("PUT", "/v1/users"), ("GET", "/v2/users")):
        assert desk.refuse(400, "invalid_request_url", method, path) == "Invalid request URL."


def test_bodies_that_are_no_json_objects(desk):
    assert (
        desk.refuse(400, "invalid_json", "POST", "/v1/search", b"{") == "Error parsing JSON body."
    )
    message = desk.refuse(400, "validation_error", "POST", "/v1/search", b"[]")
    assert message == "body failed validation: body should be an object, instead was `[]`."


@pytest.mark.parametrize("kind", ["page", "block", "database", "data_source"])
def test_ids_in_addresses(desk, kind):
    message = desk.refuse(400, "validation_error", "GET", f"/v1/{kind}s/AAA")
    assert message == (
        f'path failed validation: path.{kind}_id should be a valid uuid, instead was `"AAA"`.'
    )
    message = desk.refuse(404, "object_not_found", "GET", f"/v1/{kind}s/{ABSENT}")
    noun = "database" if kind == "data_source" else kind
    assert message == (
        f"Could not find {noun} with ID: {ABSENT}. Make sure the relevant pages and databases "
        'are shared with your integration "syncd sandbox".'
    )


def test_a_404_names_the_connection(desk):
    answer = json.loads(desk.ask("GET", f"/v1/pages/{ABSENT}").body)
    assert answer["additional_data"] == {"integration_id": desk.ok("GET", "/v1/users/me")["id"]}


def test_ids_of_another_kind(desk):
    message = desk.refuse(400, "validation_error", "GET", f"/v1/pages/{desk.database}")
    assert message.startswith(f"Provided ID {desk.database} is a database, not a page.")
    message = desk.refuse(400, "validation_error", "GET", f"/v1/databases/{desk.page}")
    assert message.startswith(f"Provided ID {desk.page} is a page, not a database.")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"Text": {"rich_text": text("x" * 2001)}},
            "body.properties.Text.rich_text[0].text.content.length should be ≤ `2000`, instead was `2001`.",
        ),
        (
            {"Text": {"rich_text": text("x") * 101}},
            "body.properties.Text.rich_text.length should be ≤ `100`, instead was `101`.",
        ),
        (
            {"Text": {"rich_text": "x"}},
            'body.properties.Text.rich_text should be an array, instead was `"x"`.',
        ),
        (
            {"Text": {"rich_text": [{"text": {}}]}},
            "body.properties.Text.rich_text[0].text.content should be defined, instead was `undefined`.",
        ),
        (
            {"Number": {"number": "1"}},
            'body.properties.Number.number should be a number, instead was `"1"`.',
        ),
        (
            {"Url": {"url": "x" * 2001}},
            "body.properties.Url.url.length should be ≤ `2000`, instead was `2001`.",
        ),
        (
            {"Mail": {"email": "x" * 201}},
            "body.properties.Mail.email.length should be ≤ `200`, instead was `201`.",
        ),
        (
            {"Tags": {"multi_select": [{"name": "x"}] * 101}},
            "body.properties.Tags.multi_select.length should be ≤ `100`, instead was `101`.",
        ),
        (
            {"Date": {"date": {"start": "soon"}}},
            "body.properties.Date.date.start should be a valid ISO 8601 date",
        ),
        (
            {
                "Date": {
                    "date": {"start": "2026-01-01T10:00:00+01:00", "time_zone": "Europe/Berlin"}
                }
            },
            "Cannot provide both a UTC offset and a time_zone",
        ),
        ({"People": {"people": [{"id": ABSENT}]}}, f"Could not find user with ID: {ABSENT}."),
        ({"Nope": {"number": 1}}, "Nope is not a property that exists."),
        ({"Text": {"number": 1}}, "Text is expected to be rich_text."),
    ],
)
def test_values(desk, values, sentence):
    assert sentence in desk.row(**values)


def test_a_refused_row_leaves_nothing_behind(desk):
    before = desk.ok("GET", f"/v1/data_sources/{desk.source}")
    desk.row(Tags={"multi_select": [{"name": "new"}]}, Number={"number": "x"})
    after = desk.ok("GET", f"/v1/data_sources/{desk.source}")
    assert before["properties"] == after["properties"]
    assert desk.ok("POST", f"/v1/data_sources/{desk.source}/query")["results"] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"sort": {}}, "body.sort should be not present, instead was `{}`."),
        (
            {"filter": {"property": "Nope", "number": {"equals": 1}}},
            "Could not find property with name or id: Nope",
        ),
        (
            {"filter": {"property": "Text", "number": {"equals": 1}}},
            "database property rich_text does not match filter number",
        ),
        (
            {"filter": {"property": "Number", "number": {"equals": "1"}}},
            "body.filter.number.equals should be a number",
        ),
        ({"filter": {"property": "Number"}}, "body.filter.number should be defined"),
        ({"filter": {"timestamp": "never", "never": {}}}, "body.filter.timestamp should be"),
        (
            {
                "filter": {
                    "and": [{"or": [{"and": [{"property": "Number", "number": {"equals": 1}}]}]}]
                }
            },
            "body.filter.and[0].or[0].and should be not present",
        ),
        ({"page_size": 0}, "body.page_size should be > `0`, instead was `0`."),
        ({"start_cursor": "x"}, "body.start_cursor should be a valid uuid"),
    ],
)
def test_queries(desk, body, sentence):
    path = f"/v1/data_sources/{desk.source}/query"
    assert sentence in desk.refuse(400, "validation_error", "POST", path, body)


def test_a_body_of_more_than_500_kilobytes(desk):
    children = [{"paragraph": {"rich_text": text("x" * 2000) * 100}}] * 3
    path = f"/v1/blocks/{desk.page}/children"
    message = desk.refuse(400, "validation_error", "PATCH", path, {"children": children})
    assert "too large" in message


def test_the_date_header_is_the_sandboxes_clock(desk):
    assert desk.ask("GET", "/v1/users/me").headers["date"] == "Mon, 21 Sep 2026 13:34:00 GMT"
