"""Capabilities of a connection: what it may not do is 403, what it may not see is left out."""

from __future__ import annotations

import json

import pytest
import requests

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.notion.access import CAPABILITIES, needed
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox
from syncd.sandbox.wire import Request


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


class Desk:
    """A workspace with a row, a block and a comment, and requests by status and body."""

    def __init__(self) -> None:
        self.notion = NotionSandbox(SandboxClock(frozen=1_789_997_640.0))
        self.ada = self.notion.add_user("Ada", "ada@example.com")
        self.home = self.ask("POST", "pages", {"properties": {"title": text("Home")}})[1]["id"]
        schema = {"Name": {"title": {}}, "Who": {"people": {}}}
        asked = {"parent": {"page_id": self.home}, "initial_data_source": {"properties": schema}}
        database = self.ask("POST", "databases", asked)[1]
        self.database, self.source = database["id"], database["data_sources"][0]["id"]
        self.new = {"parent": {"data_source_id": self.source},
                    "properties": {"Who": {"people": [{"id": self.ada}]}}}  # fmt: skip
        self.row = self.ask("POST", "pages", self.new)[1]["id"]
        self.paragraph = {"children": [{"paragraph": {"rich_text": text("p")}}]}
        self.said = {"parent": {"page_id": self.row}, "rich_text": text("c")}
        self.comment = self.ask("POST", "comments", self.said)[1]["id"]

    def ask(self, method: str, path: str, body: object = None, **query: str) -> tuple[int, dict]:
        headers = {"authorization": f"Bearer {self.notion.token}",
                   "notion-version": "2026-03-11"}  # fmt: skip
        raw = b"" if body is None else json.dumps(body).encode()
        request = Request(method, f"/v1/{path}", tuple(query.items()), headers, raw)
        answer = self.notion.handle(request)
        return answer.status, json.loads(answer.body)

    def without(self, *names: str) -> None:
        self.notion.allow(*(CAPABILITIES - set(names)))

    def requests(self) -> dict[str, list[tuple]]:
        """Return requests by the capability they ask for."""
        return {
            "read_content": [
                ("GET", f"pages/{self.row}"), ("GET", f"databases/{self.database}"),
                ("GET", f"blocks/{self.home}/children"), ("GET", f"pages/{self.row}/markdown"),
                ("POST", f"data_sources/{self.source}/query", {}), ("POST", "search", {}),
            ],
            "update_content": [
                ("PATCH", f"pages/{self.row}", {"icon": None}),
                ("PATCH", f"data_sources/{self.source}", {"title": text("t")}),
                ("POST", f"pages/{self.row}/move", {"parent": {"page_id": self.home}}),
                ("DELETE", f"blocks/{self.row}"),
            ],
            "insert_content": [
                ("PATCH", f"blocks/{self.home}/children", self.paragraph),
                ("POST", "pages", self.new), ("POST", "file_uploads", {"filename": "a.txt"}),
            ],
            "read_comments": [("GET", f"comments/{self.comment}")],
            "insert_comments": [("POST", "comments", self.said)],
            "users": [("GET", "users"), ("GET", f"users/{self.ada}")],
        }  # fmt: skip


@pytest.mark.parametrize("missing", sorted(CAPABILITIES - {"emails"}))
def test_without_a_capability_its_requests_are_refused_and_no_others(missing):
    desk = Desk()
    desk.without(missing, *(["emails"] if missing == "users" else []))
    for name, asked in desk.requests().items():
        for request in asked:
            status, answer = desk.ask(*request)
            if name != missing:
                assert status == 200, (name, request, answer)
                continue
            assert (status, answer["code"]) == (403, "restricted_resource"), request
            assert answer["message"] == "Insufficient permissions for this endpoint."
    assert desk.ask("GET", "users/me")[1]["type"] == "bot"


def test_who_may_not_read_content_sees_the_ids_of_what_it_wrote():
    desk = Desk()
    desk.without("read_content", "read_comments")
    _status, page = desk.ask("POST", "pages", desk.new)
    assert set(page) == {"object", "id", "request_id"}
    _status, blocks = desk.ask("PATCH", f"blocks/{desk.home}/children", desk.paragraph)
    assert [set(block) for block in blocks["results"]] == [{"object", "id"}]
    _status, comment = desk.ask("POST", "comments", desk.said)
    assert set(comment) == {"object", "id", "request_id"}
    title = {"title": [{"text": {"content": "t"}}]}
    _status, source = desk.ask("PATCH", f"data_sources/{desk.source}", title)
    assert set(source) == {"object", "id", "properties", "request_id"}


def test_people_are_shown_as_far_as_the_connection_may_know_them():
    desk = Desk()

    def shown() -> dict:
        page = desk.ask("GET", f"pages/{desk.row}")[1]
        return page["properties"]["Who"]["people"][0]

    mention = [{"mention": {"user": {"id": desk.ada}}}]
    change = {"properties": {"Name": {"title": mention}}}
    desk.ask("PATCH", f"pages/{desk.row}", change)

    def mentioned() -> dict:
        page = desk.ask("GET", f"pages/{desk.row}")[1]
        return page["properties"]["Name"]["title"][0]["mention"]["user"]

    assert mentioned()["person"]["email"] == "ada@example.com"
    assert shown()["person"] == {"email": "ada@example.com", "email_verified": True}
    desk.without("emails")
    assert (shown()["name"], shown()["person"], mentioned()["person"]) == ("Ada", {}, {})
    desk.without("emails", "users")
    assert shown() == mentioned() == {"object": "user", "id": desk.ada}


def test_capabilities_belong_to_a_token_and_are_known_by_name():
    desk = Desk()
    desk.notion.add_token(desk.ada, "hers")
    desk.notion.allow(token="hers")
    assert desk.ask("GET", "users")[0] == 200
    with pytest.raises(ValueError, match="no capability 'write'"):
        desk.notion.allow("write")


def test_every_operation_asks_for_a_capability():
    operations = Desk().notion.operations
    free = {path for method, path in operations if needed(method, path) is None}
    assert free == {"/v1/users/me"}
    assert needed("PATCH", "/v1/pages/{page_id}/markdown") == "update_content"
    assert needed("POST", "/v1/views/{view_id}/queries") == "read_content"


def test_the_server_sets_what_a_workspaces_owner_sets():
    with start_in_thread(Sandbox()) as server:
        url = f"{server.url}/_sandbox/notion"
        assert requests.get(url, timeout=5).json()["capabilities"] == sorted(CAPABILITIES)
        sent = {"capabilities": ["read_content"], "block_limit": 1000, "query_limit": 50}
        shown = requests.post(url, json=sent, timeout=5).json()
        assert shown == {**sent, "blocks_made": shown["blocks_made"]}
        wrong = requests.post(url, json={"capabilities": ["everything"]}, timeout=5)
        assert (wrong.status_code, "no capability 'everything'" in wrong.text) == (400, True)
        wrong = requests.post(url, json={"limit": 1}, timeout=5)
        assert wrong.json() == {"error": "Notion's settings have no 'limit'"}
