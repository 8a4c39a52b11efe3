"""A Notion stand-in with a receiver of its webhooks, for tests."""

from __future__ import annotations

import json

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion.sandbox import NotionSandbox
from syncd.sandbox.webhooks import Reply, deliver
from syncd.sandbox.wire import Request

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
