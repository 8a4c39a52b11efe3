"""OAuth 2.0 of the three services: codes, refresh, the API with bearer tokens, fault A2."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
import jsonschema
import pytest
import requests

from syncd.sandbox.oauth import CLOUD_ID, GATEWAY
from syncd.sandbox.services import Dropped
from syncd.sandbox.transports import HttpxTransport, Line
from syncd.sandbox.wire import Request

SERVICES = ["jira", "asana", "notion"]
TOKEN = {"jira": "/oauth/token", "asana": "/-/oauth_token", "notion": "/v1/oauth/token"}
ME = {
    "jira": f"{GATEWAY}/rest/api/3/myself",
    "asana": "/api/1.0/users/me",
    "notion": "/v1/users/me",
}
REFUSED = {"jira": 403, "asana": 400, "notion": 400}
PERSON = "priya@northwind.example"


class App:
    """An app with one person's consent."""

    def __init__(self, lab, service, **terms):
        self.lab, self.service = lab, service
        self.given = lab.sandbox.consent(service, **terms)
        self.held = {}

    def post(self, path, **sent):
        """Ask an endpoint for apps as each vendor wants it; returns status and body."""
        names = {name: self.given[name] for name in ("client_id", "client_secret")}
        headers = {"content-type": "application/json"}
        if self.service == "notion":
            pair = base64.b64encode(":".join(names.values()).encode()).decode()
            headers["authorization"], names = f"Basic {pair}", {}
        body = json.dumps({**names, **sent}).encode()
        if self.service == "asana":
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = urlencode({**names, **sent}).encode()
        answer = self.lab.sandbox.handle(self.service, Request("POST", path, (), headers, body))
        return answer.status, json.loads(answer.body)

    def exchange(self, **more):
        code = {"grant_type": "authorization_code", "code": self.given["code"], **more}
        status, body = self.post(TOKEN[self.service], **code)
        self.held = {**self.held, **body} if status == 200 else self.held
        return status, body

    def refresh(self, token=None):
        sent = {"grant_type": "refresh_token", "refresh_token": token or self.held["refresh_token"]}
        status, body = self.post(TOKEN[self.service], **sent)
        self.held = {**self.held, **body} if status == 200 else self.held
        return status, body

    def me(self, token=None, path=None):
        headers = {"authorization": f"Bearer {token or self.held['access_token']}",
                   "notion-version": "2026-03-11"}  # fmt: skip
        request = Request("GET", path or ME[self.service], (), headers)
        answer = self.lab.sandbox.handle(self.service, request)
        return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("service", SERVICES)
def test_a_code_becomes_tokens_once_and_the_tokens_are_the_persons(lab, service):
    app = App(lab, service, user=PERSON)
    status, _body = app.exchange()
    assert status == 200
    status, me = app.me()
    assert status == 200
    assert "Priya" in json.dumps(me)
    assert app.exchange()[0] == REFUSED[service]  # a code is good once


@pytest.mark.parametrize("service", SERVICES)
def test_a_code_is_bound_to_its_redirect_and_ends(lab, service):
    app = App(lab, service, redirect_uri="https://app.example/back")
    assert app.exchange(redirect_uri="https://else.example/")[0] == REFUSED[service]
    assert app.exchange(redirect_uri="https://app.example/back")[0] == 200
    late = App(lab, service)
    lab.step(601)
    assert late.exchange()[0] == REFUSED[service]


@pytest.mark.parametrize("service", SERVICES)
def test_a_wrong_client_or_grant_type_is_refused(lab, service):
    app = App(lab, service)
    assert app.post(TOKEN[service], grant_type="password")[0] == 400
    app.given["client_secret"] = "wrong"
    assert app.exchange()[0] == 401
    headers = {"content-type": "application/json"}
    for junk in (b"[not json", b"[]", b"", b'{"client_id": [], "refresh_token": {}}'):
        nobody = Request("POST", TOKEN[service], (), headers, junk)
        assert lab.sandbox.handle(service, nobody).status == 401
    app = App(lab, service)
    if service != "asana":  # whose forms hold texts only
        assert app.refresh(token=["x"])[0] == REFUSED[service]


@pytest.mark.parametrize("service", ["jira", "notion"])
def test_refresh_tokens_rotate_and_an_old_one_ends_the_family(lab, service):
    app = App(lab, service)
    app.exchange()
    first = app.held["refresh_token"]
    assert app.refresh()[0] == 200
    assert app.held["refresh_token"] != first
    assert app.me()[0] == 200
    assert app.refresh(first)[0] == REFUSED[service]
    assert app.me()[0] == 401  # what the good one had given is gone too
    assert app.refresh(app.held["refresh_token"])[0] == REFUSED[service]


def test_asana_keeps_its_refresh_token(lab):
    app = App(lab, "asana")
    app.exchange()
    for _time in range(3):
        status, body = app.refresh()
        assert (status, "refresh_token" in body) == (200, False)
        assert app.me()[0] == 200


@pytest.mark.parametrize("service", ["jira", "asana"])
def test_an_access_token_ends_after_an_hour(lab, service):
    app = App(lab, service)
    app.exchange()
    lab.step(3599)
    assert app.me()[0] == 200
    lab.step(1)
    status, body = app.me()
    assert status == 401
    assert "expired" in json.dumps(body) if service == "asana" else body["code"] == 401
    assert app.refresh()[0] == 200
    assert app.me()[0] == 200


def test_notion_replaces_the_access_token_by_refreshing(lab):
    app = App(lab, "notion")
    app.exchange()
    old = app.held["access_token"]
    app.refresh()
    assert (app.me(old)[0], app.me()[0]) == (401, 200)


def test_jira_refresh_tokens_end_when_idle_and_are_given_for_offline_access_only(lab):
    app = App(lab, "jira")
    app.exchange()
    lab.step(91 * 86_400)
    assert app.refresh()[0] == 403
    online = App(lab, "jira", scope="read:jira-work")
    _status, body = online.exchange()
    assert (body["scope"], "refresh_token" in body) == ("read:jira-work", False)


def test_jira_bearers_are_good_at_the_gateway_only(lab):
    app = App(lab, "jira")
    app.exchange()
    assert app.me(path="/rest/api/3/myself")[0] == 403
    status, sites = app.me(path="/oauth/token/accessible-resources")
    assert (status, sites[0]["id"]) == (200, CLOUD_ID)
    assert "read:jira-work" in sites[0]["scopes"]
    assert app.me("nonsense")[0] == 401
    assert app.me("nonsense", "/oauth/token/accessible-resources")[0] == 401
    issue = app.me(path=f"{GATEWAY}/rest/api/3/issue/WEB-1")[1]
    assert issue["self"].split("/rest/")[0].endswith(GATEWAY)
    request = lab.request("jira", "GET", "/myself")  # Basic, as scoped API tokens use it
    basic = replace(request, path=GATEWAY + request.path)
    assert lab.sandbox.handle("jira", basic).status == 200


@pytest.mark.parametrize("service", ["asana", "notion"])
def test_apps_can_revoke(lab, service):
    app = App(lab, service)
    app.exchange()
    path = {"asana": "/-/oauth_revoke", "notion": "/v1/oauth/revoke"}[service]
    assert app.post(path, token=app.held["access_token"])[0] == 200
    assert app.me()[0] == 401
    assert app.refresh()[0] == 400


def test_notion_introspects(lab):
    app = App(lab, "notion")
    app.exchange()
    path = "/v1/oauth/introspect"
    assert app.post(path, token=app.held["access_token"])[1]["active"] is True
    assert app.post(path, token="nonsense")[1]["active"] is False


@pytest.mark.parametrize("service", SERVICES)
def test_a2_the_answer_is_lost_after_the_rotation(lab, service):
    app = App(lab, service)
    app.exchange()
    lab.fault(id="A2", variant="lost", count=1)
    with pytest.raises(Dropped):
        app.refresh()
    status = app.refresh()[0]  # what a client does that knows no better
    assert status == (200 if service == "asana" else REFUSED[service])
    assert app.me()[0] == (200 if service == "asana" else 401)


@pytest.mark.parametrize("service", SERVICES)
def test_a2_two_refreshes_at_once(lab, service):
    app = App(lab, service)
    lab.fault(id="A2", variant="race")
    app.exchange()
    assert app.refresh()[0] == (200 if service == "asana" else REFUSED[service])
    assert app.me()[0] == (200 if service == "asana" else 401)


@pytest.mark.parametrize("service", SERVICES)
def test_a2_consent_is_withdrawn(lab, service):
    app = App(lab, service)
    app.exchange()
    lab.fault(id="A2", variant="revoked", service=service, count=1)
    assert app.me()[0] == 401
    assert app.refresh()[0] == REFUSED[service]


@pytest.mark.parametrize("service", SERVICES)
def test_a2_the_refresh_token_is_too_old(lab, service):
    app = App(lab, service)
    app.exchange()
    lab.fault(id="A2", variant="expired")
    assert app.refresh()[0] == REFUSED[service]
    assert app.me()[0] == 200


def test_grants_are_part_of_a_snapshot(lab):
    app = App(lab, "jira")
    app.exchange()
    held = lab.sandbox.snapshot()
    app.refresh()
    lab.sandbox.restore(held)
    assert app.me()[0] == 401  # that token was never given
    app.held = {}
    assert lab.sandbox.oauth.grants["jira"][0].refresh


def test_the_control_endpoint_and_the_vendors_hosts(lab):
    ask = f"{lab.url}/_sandbox/oauth"
    given = requests.post(ask, json={"service": "jira", "user": PERSON}, timeout=5).json()
    sent = {"grant_type": "authorization_code", "code": given["code"],
            "client_id": given["client_id"], "client_secret": given["client_secret"]}  # fmt: skip
    got = requests.post(f"{lab.url}{given['token_path']}", json=sent, timeout=5).json()
    headers = {"authorization": f"Bearer {got['access_token']}"}
    me = f"{lab.url}{given['api_path']}/rest/api/3/myself"
    assert requests.get(me, headers=headers, timeout=5).json()["displayName"] == "Priya Raman"
    assert requests.post(ask, json={"service": "jira", "revoke": True}, timeout=5).json() == {
        "revoked": 1
    }
    assert requests.get(me, headers=headers, timeout=5).status_code == 401
    refused = requests.post(ask, json={"service": "trello"}, timeout=5)
    assert (refused.status_code, "must be one of" in refused.json()["error"]) == (400, True)
    assert (
        requests.post(ask, json={"service": "asana", "user": "x@y.z"}, timeout=5).status_code == 400
    )
    http = httpx.Client(transport=HttpxTransport(Line(lab.sandbox)))
    code = lab.sandbox.consent("jira")["code"]
    got = http.post("https://auth.atlassian.com/oauth/token", json={**sent, "code": code}).json()
    headers = {"authorization": f"Bearer {got['access_token']}"}
    sites = http.get("https://api.atlassian.com/oauth/token/accessible-resources", headers=headers)
    path = f"https://api.atlassian.com/ex/jira/{sites.json()[0]['id']}/rest/api/3/myself"
    assert http.get(path, headers=headers).status_code == 200


def test_notions_answers_are_as_its_definition_says(lab):
    shared = Path(__file__).parents[2].parent / "shared" / "wire" / "specs"
    path = shared / "notion_official_openapi_2026-03.json"
    if not path.exists():
        pytest.skip("the vendors' definitions do not lie beside the project")
    definition = json.loads(path.read_text("utf8"))
    app = App(lab, "notion", user=PERSON)
    token = TOKEN["notion"]
    seen = [(token, *app.exchange()), (token, *app.refresh()), (token, *app.exchange()),
            (token, *app.post(token, grant_type="x"))]  # fmt: skip
    held = app.held["access_token"]
    others = ("/v1/oauth/introspect", "/v1/oauth/revoke", "/v1/oauth/introspect")
    seen += [(path, *app.post(path, token=held)) for path in others]
    app.given["client_id"] = "wrong"
    seen.append((token, *app.exchange()))
    assert [status for _path, status, _body in seen] == [200, 200, 400, 400, 200, 200, 200, 401]
    for path, status, body in seen:
        answers = definition["paths"][path]["post"]["responses"]
        schema = answers[str(status)]["content"]["application/json"]["schema"]
        if status == 200:  # the refusals' schemas allow no `message` beside `code` and `status`
            jsonschema.validate(body, {**schema, "components": definition["components"]})
        assert status == 200 or body["code"] in json.dumps(definition["components"]["schemas"])


def test_secrets_stay_out_of_the_wire_log(tmp_path):
    from syncd.sandbox.clock import SandboxClock
    from syncd.sandbox.services import Sandbox

    sandbox = Sandbox(SandboxClock(frozen=1.8e9), wire_log=tmp_path / "log")
    for service in SERVICES:
        app = App(type("Lab", (), {"sandbox": sandbox}), service)
        app.exchange()
        app.refresh()
    sandbox.close()
    text = (tmp_path / "log").read_text("utf8")
    assert "oauth" in text
    for word in ("-access-", "-refresh-", "-secret"):
        assert word not in text
