"""A Jira stand-in with a receiver of its webhooks, for tests."""

from __future__ import annotations

import base64
import json

from syncd.sandbox.webhooks import Reply, deliver
from syncd.sandbox.wire import Request

HOOKS = "/rest/webhooks/1.0/webhook"
SITE = "http://site.example/jira"
TARGET = "https://hooks.example/jira"
NOW = 1_790_000_000.0


class Site:
    """A site with one project, and a receiver that keeps what it gets."""

    def __init__(self, jira):
        self.jira = jira
        self.got = []
        self.answers = []  # what to answer next; then 200
        jira.line.post = self.post

    def post(self, url, headers, body):
        self.got.append((url, headers, body))
        status = self.answers.pop(0) if self.answers else 200
        if status == 0:
            raise OSError("nobody there")
        return Reply(status)

    def ask(self, method, path, body=None, *, query=(), expect=None, base=SITE, bearer=None):
        pair = base64.b64encode(f"{self.jira.email}:{self.jira.token}".encode()).decode()
        kind = f"Bearer {bearer}" if bearer else f"Basic {pair}"
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.jira.handle(Request(method, path, query, {"authorization": kind}, data, base))
        assert answer.status == (expect or answer.status if answer.status < 300 else expect), (
            answer.body
        )
        return json.loads(answer.body) if answer.body else None

    def register(self, events=("jira:issue_updated",), jql="", **more):
        body = {"name": "mine", "url": TARGET, "events": list(events),
                "filters": {"issue-related-events-section": jql}, **more}  # fmt: skip
        return self.ask("POST", HOOKS, body, expect=201)

    def create(self, summary="one", **fields):
        given = {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": summary}
        made = self.ask("POST", "/rest/api/3/issue", {"fields": {**given, **fields}}, expect=201)
        return made["key"]

    def told(self):
        """Deliver; return the bodies of what arrived since the last time."""
        self.got.clear()
        deliver(self.jira.publisher, self.jira.line)
        return [json.loads(body) for _url, _headers, body in self.got]
