"""Webhooks of the Notion stand-in: the verification token, and every type of event."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from pathlib import Path

import jsonschema
import pytest

from syncd.sandbox.notion.subscriptions import TYPES

sys.path.insert(0, str(Path(__file__).parent))

from notionspace import TARGET, TEXT, Workspace

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
DEFINITION = WIRE / "specs" / "notion_official_openapi_2026-03.json"


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
