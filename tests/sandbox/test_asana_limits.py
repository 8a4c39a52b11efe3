"""The rate limits of the Asana stand-in."""

from __future__ import annotations

import orjson
import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.wire import Request


@pytest.fixture
def asana() -> AsanaSandbox:
    made = AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))
    made.limits.on = True
    made.limits.scale = 0.01  # 15 a minute
    return made


def ask(asana, token=None):
    headers = {"authorization": f"Bearer {token or asana.token}"}
    return asana.handle(Request("GET", "/api/1.0/users/me", (), headers))


def test_too_many_a_minute_wait_until_there_is_room(asana):
    assert [ask(asana).status for _ in range(15)] == [200] * 15
    asana.clock.step(20)
    refused = ask(asana)
    assert (refused.status, refused.headers["retry-after"]) == (429, "40")
    message = orjson.loads(refused.body)["errors"][0]["message"]
    assert message.startswith("You've made too many requests and hit a rate limit.")
    asana.clock.step(40)
    assert ask(asana).status == 200


def test_refused_requests_count_too(asana):
    for _ in range(200):
        ask(asana)
        asana.clock.step(1)
    assert ask(asana).status == 429


def test_each_token_has_its_own(asana):
    asana.add_user("Ann", "ann@acme.example", token="ann")
    for _ in range(16):
        ask(asana)
    assert ask(asana).status == 429
    assert ask(asana, "ann").status == 200


def test_search_has_a_lower_limit(asana):
    asana.limits.scale = 0.05  # 75 and 3
    path = f"/workspaces/{asana.workspace}/tasks/search"
    assert [asana.request("GET", path)[0] for _ in range(4)] == [200, 200, 200, 429]
    assert ask(asana).status == 200


def test_one_action_over_the_limit_fails_the_whole_batch(asana):
    actions = [{"relative_path": "/users/me", "method": "get"}] * 10
    assert asana.request("POST", "/batch", {"actions": actions})[0] == 200
    status, body = asana.request("POST", "/batch", {"actions": actions})
    assert status == 429
    assert "errors" in body


def test_a_batch_has_at_most_ten_actions_and_none_of_its_own_kind(asana):
    asana.limits.on = False
    one = {"relative_path": "/users/me", "method": "get"}
    assert asana.request("POST", "/batch", {"actions": [one] * 11})[0] == 400
    nested = {"relative_path": "/batch", "method": "post"}
    assert asana.request("POST", "/batch", {"actions": [nested]})[0] == 400
    broken = {"relative_path": "/tasks/1", "method": "get"}
    status, body = asana.request("POST", "/batch", {"actions": [broken, one]})
    assert (status, [row["status_code"] for row in body["data"]]) == (200, [404, 200])
