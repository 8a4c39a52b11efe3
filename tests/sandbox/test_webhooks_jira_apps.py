"""Dynamic webhooks of the Jira stand-in: for OAuth apps only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path

import jsonschema
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.services import Sandbox
from syncd.sandbox.webhooks import Reply
from syncd.sandbox.wire import Request

sys.path.insert(0, str(Path(__file__).parent))

from jirasite import NOW, SITE, TARGET, Site

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
DEFINITION = WIRE / "specs" / "jira_platform_v3.json"


@pytest.fixture
def site(box):
    return Site(box.jira)


def app(site_box):
    """Let somebody allow the app; return a token of theirs."""
    code = site_box.consent(service="jira")
    body = {"grant_type": "authorization_code", "code": code["code"],
            "client_id": code["client_id"], "client_secret": code["client_secret"]}  # fmt: skip
    request = Request("POST", "/oauth/token", (), {"content-type": "application/json"},
                      json.dumps(body).encode(), SITE)  # fmt: skip
    answer = json.loads(site_box.handle("jira", request).body)
    return answer["access_token"], code["api_path"].removeprefix("/jira"), code["client_secret"]


@pytest.fixture
def box():
    made = Sandbox(SandboxClock(frozen=NOW))
    made.jira.add_project("WEB", "Website")
    return made


def dynamic(box, method, body=None, path="/webhook", *, expect=200):
    token, gateway, _secret = box.app
    request = Request(method, f"{gateway}/rest/api/3{path}", (),
                      {"authorization": f"Bearer {token}"},
                      b"" if body is None else json.dumps(body).encode(), SITE)  # fmt: skip
    answer = box.handle("jira", request)
    assert answer.status == expect, answer.body
    return json.loads(answer.body) if answer.body else None


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/webhook"), ("POST", "/webhook"), ("DELETE", "/webhook"), ("PUT", "/webhook/refresh"),
])  # fmt: skip
def test_who_is_no_app_is_refused_dynamic_webhooks(site, method, path):
    said = site.ask(method, f"/rest/api/3{path}", {}, expect=403)
    assert said["errorMessages"] == ["Only Connect and OAuth 2.0 apps can use this operation."]


def test_an_app_registers_extends_and_removes_dynamic_webhooks(box):
    box.app = app(box)
    rows = [
        {"events": ["jira:issue_updated"], "jqlFilter": "project = WEB",
         "fieldIdsFilter": ["summary"]},
        {"events": ["jira:issue_created"], "jqlFilter": "watchers = 3"},
        {"events": ["jira:issue_created"], "jqlFilter": "status ~ x"},
    ]  # fmt: skip
    made = dynamic(box, "POST", {"url": TARGET, "webhooks": rows})["webhookRegistrationResult"]
    number = made[0]["createdWebhookId"]
    assert made[1] == {"errors": ["The clause watchers is unsupported"]}
    assert "errors" in made[2]
    listed = dynamic(box, "GET")["values"]
    until = int(NOW * 1000) + 30 * 24 * 3600 * 1000
    assert listed == [{"id": number, "url": TARGET, "events": ["jira:issue_updated"],
                       "jqlFilter": "project = WEB", "expirationDate": until,
                       "fieldIdsFilter": ["summary"]}]  # fmt: skip
    box.clock.step(86_400)
    box.app = app(box)
    longer = dynamic(box, "PUT", {"webhookIds": [number, 99]}, "/webhook/refresh")
    assert longer == {"expirationDate": until + 86_400_000}
    dynamic(box, "DELETE", {"webhookIds": [number]}, expect=202)
    assert dynamic(box, "GET")["values"] == []


def test_a_dynamic_webhook_carries_the_apps_token_and_ends_after_30_days(box):
    box.app = app(box)
    row = {"events": ["jira:issue_updated"], "jqlFilter": "project = WEB",
           "fieldIdsFilter": ["labels"]}  # fmt: skip
    dynamic(box, "POST", {"url": TARGET, "webhooks": [row, row]})
    got = []
    site = Site(box.jira)
    box.line.post = lambda _url, headers, body: (got.append((headers, json.loads(body))),
                                                 Reply(200))[1]  # fmt: skip
    key = site.create()
    path = f"/rest/api/3/issue/{key}"
    site.ask("PUT", path, {"fields": {"summary": "not listened to"}}, expect=204)
    site.ask("PUT", path, {"fields": {"labels": ["a"]}}, expect=204)
    assert box.deliver() == 1
    [(headers, body)] = got
    assert body["changelog"]["items"][0]["fieldId"] == "labels"
    assert len(body["matchedWebhookIds"]) == 2
    head, claims, signature = headers["Authorization"].removeprefix("Bearer ").split(".")
    digest = hmac.new(box.app[2].encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == signature
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert told["iat"] == int(NOW)
    box.clock.step(31 * 86_400)
    site.ask("PUT", path, {"fields": {"labels": ["b"]}}, expect=204)
    assert box.deliver() == 0


def test_answers_about_dynamic_webhooks_are_as_defined(box):
    if not DEFINITION.exists():
        pytest.skip(
            "the vendor's definition is not here (a folder shared/wire beside the checkout)"
        )
    definition = json.loads(DEFINITION.read_text("utf8"))
    box.app = app(box)
    good = {"events": ["jira:issue_updated"], "jqlFilter": "project = WEB"}
    bad = {"events": ["jira:issue_eaten"], "jqlFilter": "watchers = 3"}
    made = dynamic(box, "POST", {"url": TARGET, "webhooks": [good, bad]})
    number = made["webhookRegistrationResult"][0]["createdWebhookId"]
    answers = {
        "ContainerForRegisteredWebhooks": made,
        "PageBeanWebhook": dynamic(box, "GET"),
        "WebhooksExpirationDate": dynamic(box, "PUT", {"webhookIds": [number]}, "/webhook/refresh"),
    }
    for name, answer in answers.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": definition["components"]}
        jsonschema.validate(answer, schema)
