"""Webhooks of the Notion stand-in: the verification token, every type of event, aggregation, retries."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from pathlib import Path

import jsonschema
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion.sandbox import NotionSandbox
from syncd.sandbox.notion.subscriptions import TYPES
from syncd.sandbox.webhooks import Reply, deliver
from syncd.sandbox.wire import Request

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
DEFINITION = WIRE / "specs" / "notion_official_openapi_2026-03.json"
TARGET = "https://hooks.example/notion"
NOW = 1_790_000_000.0
TEXT = [{"text": {"content": "hello"}}]


class Workspace:
    """A workspace with a page and a database, and a receiver that keeps what it gets."""

    def __init__(self):
        self.notion = NotionSandbox(SandboxClock(frozen=NOW))
        self.status = 200
        self.got = []
        self.notion.line.post = self.post
        self.page = self.ask("POST", "pages", {"properties": {"title": {"title": TEXT}}})["id"]
        schema = {"Name": {"title": {}}, "State": {"select": {"options": [{"name": "a"}]}},
                  "Size": {"number": {}}}  # fmt: skip
        made = self.ask("POST", "databases", {
            "parent": {"page_id": self.page}, "title": TEXT,
            "initial_data_source": {"properties": schema}})  # fmt: skip
        self.database, self.source = made["id"], made["data_sources"][0]["id"]
        self.row = self.new_row()
        self.block = self.append()

    def post(self, url, headers, body):
        self.got.append((url, headers, body))
        if self.status == 0:
            raise OSError("nobody there")
        return Reply(self.status)

    def ask(self, method, path, body=None, *, token=None):
        headers = {"authorization": f"Bearer {token or self.notion.token}",
                   "notion-version": "2026-03-11"}  # fmt: skip
        data = b"" if body is None else json.dumps(body).encode()
        path, _, query = f"/v1/{path}".partition("?")
        pairs = tuple(tuple(part.split("=")) for part in query.split("&") if part)
        answer = self.notion.handle(Request(method, path, pairs, headers, data))
        assert answer.status in {200, 202}, answer.body
        return json.loads(answer.body)

    def new_row(self, **more):
        parent = {"data_source_id": self.source}
        body = {"parent": parent, "properties": {"Name": {"title": TEXT}}, **more}
        return self.ask("POST", "pages", body)["id"]

    def append(self, under=None):
        block = {"paragraph": {"rich_text": TEXT}}
        path = f"blocks/{under or self.page}/children"
        return self.ask("PATCH", path, {"children": [block]})["results"][0]["id"]

    def subscribe(self, events=None):
        """Go through the handshake; return the id and the token."""
        made = self.notion.subscribe(TARGET, events)
        token = json.loads(self.got[-1][2])["verification_token"]
        self.notion.verify_subscription(made["id"], token)
        self.got.clear()
        return made["id"], token

    def told(self, seconds=60):
        """Let time pass and deliver; return the bodies of what arrived."""
        self.notion.clock.step(seconds)
        self.got.clear()
        deliver(self.notion.publisher, self.notion.line)
        return [json.loads(body) for _url, _headers, body in self.got]


@pytest.fixture
def space():
    return Workspace()


# the handshake


def test_the_token_is_sent_once_and_makes_the_subscription_active(space):
    made = space.notion.subscribe(TARGET)
    [(url, headers, body)] = space.got
    assert url == TARGET
    assert "X-Notion-Signature" not in headers
    token = json.loads(body)["verification_token"]
    assert list(json.loads(body)) == ["verification_token"]
    assert token.startswith("secret_")
    assert made["verified"] is False
    assert token not in json.dumps(made)
    space.new_row()
    assert space.told() == []
    with pytest.raises(ValueError, match="not the verification_token"):
        space.notion.verify_subscription(made["id"], "secret_wrong")
    assert space.notion.verify_subscription(made["id"], token)["verified"] is True
    space.new_row()
    assert [body["type"] for body in space.told()] == [
        "page.created",
        "data_source.content_updated",
    ]


@pytest.mark.parametrize("status", [0, 404, 500])
def test_an_address_that_does_not_take_the_token_is_refused(space, status):
    space.status = status
    with pytest.raises(ValueError, match="did not take the verification token"):
        space.notion.subscribe(TARGET)
    assert space.notion.publisher.hooks() == []


def test_what_is_wrong_in_a_subscription_is_said(space):
    with pytest.raises(ValueError, match=r"there is no event type 'page\.eaten'"):
        space.notion.subscribe(TARGET, ["page.eaten"])
    with pytest.raises(ValueError, match="http://"):
        space.notion.subscribe("ftp://x")
    with pytest.raises(ValueError, match="api_version"):
        space.notion.subscribe(TARGET, version="2022-06-28")
    with pytest.raises(ValueError, match="there is no subscription"):
        space.notion.cancel_subscription("x")


def test_a_cancelled_subscription_hears_nothing_more(space):
    identifier, _ = space.subscribe()
    space.new_row()
    space.notion.cancel_subscription(identifier)
    assert space.told() == []


# bodies


def test_a_body_as_the_vendor_documents_it(space):
    identifier, token = space.subscribe(["page.properties_updated"])
    space.ask("PATCH", f"pages/{space.row}",
              {"properties": {"Size": {"number": 3}, "State": {"select": {"name": "a"}},
                              "Name": {"title": TEXT}}})  # fmt: skip
    [body] = space.told()
    shapes = space.notion.app.shapes
    columns = space.ask("GET", f"data_sources/{space.source}")["properties"]
    assert body == {
        "id": body["id"],
        "timestamp": "2026-09-21T14:13:20.000Z",
        "workspace_id": shapes.workspace_id,
        "workspace_name": shapes.workspace_name,
        "subscription_id": identifier,
        "integration_id": shapes.bot_id,
        "authors": [{"id": shapes.bot_id, "type": "bot"}],
        "attempt_number": 1,
        "api_version": "2026-03-11",
        "type": "page.properties_updated",
        "entity": {"id": space.row, "type": "page"},
        "data": {
            "parent": {"id": space.database, "type": "database", "data_source_id": space.source},
            "updated_properties": [columns["Size"]["id"], columns["State"]["id"]],
        },
    }
    _url, headers, raw = space.got[0]
    digest = hmac.new(token.encode(), raw, hashlib.sha256).hexdigest()
    assert headers["X-Notion-Signature"] == f"sha256={digest}"


def changes(space):
    """Each kind of change, and the types of event it is told by."""
    other = space.ask("POST", "pages", {"properties": {"title": {"title": TEXT}}})["id"]
    gone = space.new_row()
    space.ask("PATCH", f"pages/{gone}", {"in_trash": True})
    said = space.ask("POST", "comments", {"parent": {"page_id": space.page}, "rich_text": TEXT})[
        "id"
    ]
    view = space.ask("POST", "views", {"data_source_id": space.source, "name": "V",
                                       "type": "table"})["id"]  # fmt: skip
    page, row, block = f"pages/{space.page}", f"pages/{space.row}", f"blocks/{space.block}"
    source, comments = f"data_sources/{space.source}", {"rich_text": TEXT}
    two = {"parent": {"database_id": space.database}, "properties": {"Name": {"title": {}}}}
    return {
        "a row is made": (space.new_row,
                          {"page.created", "data_source.content_updated"}),
        "a page is made in a page": (
            lambda: space.ask("POST", "pages", {"parent": {"page_id": space.page}, "properties": {}}),
            {"page.created", "page.content_updated"}),
        "a column has another value": (
            lambda: space.ask("PATCH", row, {"properties": {"Size": {"number": 9}}}),
            {"page.properties_updated"}),
        "a column has the same value": (
            lambda: space.ask("PATCH", row, {"properties": {"Size": {"number": None}}}), set()),
        "a page is renamed": (
            lambda: space.ask("PATCH", page, {"properties": {"title": {"title": []}}}),
            {"page.properties_updated"}),
        "a row is trashed": (lambda: space.ask("PATCH", row, {"in_trash": True}),
                             {"page.deleted", "data_source.content_updated"}),
        "a row comes back": (lambda: space.ask("PATCH", f"pages/{gone}", {"in_trash": False}),
                             {"page.undeleted", "data_source.content_updated"}),
        "a row moves": (
            lambda: space.ask("POST", f"{row}/move", {"parent": {"page_id": space.page}}),
            {"page.moved", "page.content_updated", "data_source.content_updated"}),
        "a page is locked": (lambda: space.ask("PATCH", page, {"is_locked": True}),
                             {"page.locked"}),
        "content is erased": (lambda: space.ask("PATCH", page, {"erase_content": True}),
                              {"page.content_updated"}),
        "a block is added": (space.append, {"page.content_updated"}),
        "a block is added in a block": (lambda: space.append(space.block),
                                        {"page.content_updated"}),
        "a block is changed": (lambda: space.ask("PATCH", block, {"paragraph": comments}),
                               {"page.content_updated"}),
        "a block is deleted": (lambda: space.ask("DELETE", block), {"page.content_updated"}),
        "markdown is written": (
            lambda: space.ask("PATCH", f"{page}/markdown", {
                "type": "insert_content", "insert_content": {"content": "# New"}}),
            {"page.content_updated"}),
        "a database is made": (
            lambda: space.ask("POST", "databases", {
                "parent": {"page_id": other},
                "initial_data_source": {"properties": {"Name": {"title": {}}}}}),
            {"database.created", "page.content_updated"}),
        "a database moves": (
            lambda: space.ask("PATCH", f"databases/{space.database}",
                              {"parent": {"type": "page_id", "page_id": other}}),
            {"database.moved", "page.content_updated"}),
        "a database is trashed": (
            lambda: space.ask("PATCH", f"databases/{space.database}", {"in_trash": True}),
            {"database.deleted", "page.content_updated"}),
        "a second data source": (lambda: space.ask("POST", "data_sources", two),
                                 {"data_source.created"}),
        "a data source is trashed": (lambda: space.ask("PATCH", source, {"in_trash": True}),
                                     {"data_source.deleted"}),
        "columns change": (
            lambda: space.ask("PATCH", source, {"properties": {
                "New": {"checkbox": {}}, "Size": None, "State": {"name": "Phase"}}}),
            {"data_source.schema_updated"}),
        "a comment is made": (
            lambda: space.ask("POST", "comments", {"parent": {"block_id": space.block}, **comments}),
            {"comment.created"}),
        "a comment is changed": (
            lambda: space.ask("PATCH", f"comments/{said}", {"rich_text": []}),
            {"comment.updated"}),
        "a comment is deleted": (lambda: space.ask("DELETE", f"comments/{said}"),
                                 {"comment.deleted"}),
        "a view is made": (
            lambda: space.ask("POST", "views", {"data_source_id": space.source, "name": "W",
                                                "type": "board"}), {"view.created"}),
        "a view is changed": (lambda: space.ask("PATCH", f"views/{view}", {"name": "X"}),
                              {"view.updated"}),
        "a view is deleted": (lambda: space.ask("DELETE", f"views/{view}"), {"view.deleted"}),
        "a file is announced": (
            lambda: space.ask("POST", "file_uploads", {"filename": "a.txt"}),
            {"file_upload.created"}),
    }  # fmt: skip


CHANGES = sorted(changes(Workspace()))


@pytest.fixture(scope="module")
def definition():
    """The definition, or None where it is not there."""
    return json.loads(DEFINITION.read_text("utf8")) if DEFINITION.exists() else None


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_change_is_told_in_the_defined_shape(space, definition, name):
    change, types = changes(space)[name]
    space.subscribe()
    change()
    bodies = space.told()
    assert {body["type"] for body in bodies} == types
    if definition is None:
        return
    for body in bodies:
        schema = of_type(definition, body["type"])
        jsonschema.validate(body, {**schema, "components": definition["components"]})


def of_type(definition, kind):
    for item in definition["webhooks"].values():
        schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        name = schema["$ref"].rpartition("/")[2]
        found = definition["components"]["schemas"][name]
        if found["allOf"][1]["properties"]["type"]["const"] == kind:
            return found
    raise AssertionError(f"the definition has no event {kind}")


def test_the_types_are_those_of_the_definition(definition):
    if definition is None:
        pytest.skip(
            "the vendor's definition is not here (a folder shared/wire beside the checkout)"
        )
    named = {
        definition["components"]["schemas"][
            item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition(
                "/")[2]]["allOf"][1]["properties"]["type"]["const"]
        for item in definition["webhooks"].values()
    }  # fmt: skip
    assert named == TYPES


def test_what_the_data_of_some_events_says(space):
    space.subscribe()
    space.ask("PATCH", f"data_sources/{space.source}",
              {"properties": {"New": {"checkbox": {}}, "Size": None, "State": {"name": "Phase"}}})  # fmt: skip
    inner = space.append(space.block)
    space.ask("POST", "comments", {"parent": {"block_id": space.block}, "rich_text": TEXT})
    bodies = {body["type"]: body for body in space.told()}
    rows = bodies["data_source.schema_updated"]["data"]["updated_properties"]
    assert {(row["name"], row["action"]) for row in rows} == {
        ("New", "created"), ("Size", "deleted"), ("Phase", "updated")}  # fmt: skip
    content = bodies["page.content_updated"]
    assert content["entity"] == {"id": space.page, "type": "page"}
    assert content["data"]["updated_blocks"] == [{"id": inner, "type": "block"}]
    assert content["data"]["parent"] == {
        "id": space.notion.app.shapes.workspace_id,
        "type": "space",
    }
    assert bodies["comment.created"]["data"] == {
        "parent": {"id": space.block, "type": "block"}, "page_id": space.page}  # fmt: skip


def test_both_sides_of_a_two_way_relation_are_told(space):
    relation = {"relation": {"data_source_id": space.source, "type": "dual_property",
                             "dual_property": {}}}  # fmt: skip
    space.ask("PATCH", f"data_sources/{space.source}", {"properties": {"Blocks": relation}})
    other = space.new_row()
    space.subscribe(["page.properties_updated"])
    space.ask(
        "PATCH", f"pages/{space.row}", {"properties": {"Blocks": {"relation": [{"id": other}]}}}
    )
    told = {body["entity"]["id"]: body["data"]["updated_properties"] for body in space.told()}
    shown = space.ask("GET", f"data_sources/{space.source}")["properties"]
    relations = {c["id"] for c in shown.values() if c["type"] == "relation"}
    assert set(told) == {space.row, other}
    assert {told[space.row][0], told[other][0]} == relations


def test_who_did_it_is_named(space):
    person = space.notion.add_user("Ann", "ann@example.com")
    space.notion.add_token(person, "anns")
    space.subscribe(["comment.created", "page.properties_updated"])
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": 1}}})
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": 2}}}, token="anns")
    [body] = space.told()
    assert body["authors"] == [{"id": space.notion.app.shapes.bot_id, "type": "bot"},
                               {"id": person, "type": "person"}]  # fmt: skip


# aggregation


def test_events_are_aggregated_for_half_a_minute(space):
    space.subscribe(["page.properties_updated"])
    for number in range(3):
        space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": number}}})
        space.notion.clock.step(9)
    assert space.told(0) == []
    [body] = space.told(3)
    assert body["timestamp"] == "2026-09-21T14:13:38.000Z"
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": 8}}})
    assert space.told(29) == []
    assert len(space.told(1)) == 1


def test_columns_and_blocks_of_aggregated_events_are_joined(space):
    space.subscribe(["page.properties_updated", "page.content_updated"])
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": 1}}})
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"State": {"select": {"name": "a"}}}})
    blocks = [space.append(), space.append()]
    bodies = {body["type"]: body["data"] for body in space.told()}
    assert len(bodies["page.properties_updated"]["updated_properties"]) == 2
    told = [block["id"] for block in bodies["page.content_updated"]["updated_blocks"]]
    assert told == blocks


def test_comments_and_locks_are_sent_at_once(space):
    space.subscribe()
    space.ask("POST", "comments", {"parent": {"page_id": space.page}, "rich_text": TEXT})
    space.ask("PATCH", f"pages/{space.page}", {"is_locked": True})
    assert [body["type"] for body in space.told(0)] == ["comment.created", "page.locked"]


def test_what_was_made_and_deleted_within_the_window_was_never_there(space):
    space.subscribe(["page.created", "page.deleted", "page.properties_updated"])
    made = space.new_row()
    space.ask("PATCH", f"pages/{made}", {"properties": {"Size": {"number": 1}}})
    space.ask("PATCH", f"pages/{made}", {"in_trash": True})
    assert space.told() == []


def test_deleted_and_restored_within_the_window_is_nothing(space):
    space.subscribe(["page.deleted", "page.undeleted"])
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": True})
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": False})
    assert space.told() == []
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": True})
    assert [body["type"] for body in space.told()] == ["page.deleted"]
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": False})
    assert [body["type"] for body in space.told()] == ["page.undeleted"]


# attempts


def test_eight_attempts_the_last_one_a_day_after_the_event(space):
    _, token = space.subscribe(["comment.created"])
    space.status = 503
    space.ask("POST", "comments", {"parent": {"page_id": space.page}, "rich_text": TEXT})
    times = []
    for _minute in range(60 * 30):
        before = len(space.got)
        deliver(space.notion.publisher, space.notion.line)
        times += [space.notion.clock.now() - NOW] * (len(space.got) - before)
        space.notion.clock.step(60)
    numbers = [json.loads(body)["attempt_number"] for _u, _h, body in space.got]
    assert numbers == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len({json.loads(body)["id"] for _u, _h, body in space.got}) == 1
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert all(later > 1.8 * earlier for earlier, later in itertools.pairwise(pauses))
    assert 86_400 <= times[-1] <= 86_400 + 600
    for _url, headers, body in space.got:
        digest = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Notion-Signature"] == f"sha256={digest}"


def test_an_accepted_event_is_sent_once(space):
    space.subscribe(["comment.created"])
    space.status = 0
    space.ask("POST", "comments", {"parent": {"page_id": space.page}, "rich_text": TEXT})
    assert len(space.told(0)) == 1
    space.status = 204
    assert [body["attempt_number"] for body in space.told(3600)] == [2]
    assert space.told(86_400) == []


def test_subscriptions_and_what_waits_are_kept_with_the_state(space):
    space.subscribe(["page.created"])
    made = space.new_row()
    kept = space.notion.snapshot()
    assert len(space.told()) == 1
    other = Workspace()
    other.notion.restore(kept)
    assert [body["entity"]["id"] for body in other.told()] == [made]
    other.new_row()
    assert len(other.told()) == 1


def test_the_same_seed_tells_the_same_bytes():
    def run():
        space = Workspace()
        space.subscribe()
        space.new_row()
        space.append()
        space.told()
        return space.got

    assert run() == run()
