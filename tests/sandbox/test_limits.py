"""The services' rate limits: off by default, real numbers, scaled, with their headers and bodies."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest
import requests

from syncd.sandbox import limits


def reads(lab, service, count, path="/users/me"):
    return [lab.raw(service, "GET", path) for _ in range(count)]


def statuses(answers):
    return [answer.status for answer in answers]


def test_off_by_default_and_switched_by_the_control_endpoint(lab):
    url = f"{lab.url}/_sandbox/limits"
    assert requests.get(url, timeout=5).json() == {"scale": None}
    assert set(statuses(reads(lab, "notion", 400))) == {200}
    assert requests.post(url, json={"scale": 0.01}, timeout=5).json() == {"scale": 0.01}
    assert statuses(reads(lab, "notion", 2)) == [200, 429]
    assert requests.post(url, json={"scale": None}, timeout=5).json() == {"scale": None}
    assert set(statuses(reads(lab, "notion", 5))) == {200}
    answer = requests.post(url, json={"scale": -1}, timeout=5)
    assert (answer.status_code, "must be 0 (off) or more" in answer.text) == (400, True)


def test_notion_180_a_minute_in_a_fixed_window(lab):
    lab.sandbox.limits.set(1)
    assert set(statuses(reads(lab, "notion", 180))) == {200}
    lab.step(48)
    refused = lab.raw("notion", "GET", "/users/me")
    body = json.loads(refused.body)
    assert (refused.status, refused.headers["retry-after"]) == (429, "12")
    assert body["code"] == "rate_limited"
    assert body["additional_data"] == {
        "rate_limit_reason": "public_api_request_rate_limit", "retry_after": "12"}  # fmt: skip
    lab.step(12)
    assert statuses(reads(lab, "notion", 180)) == [200] * 180


def test_notion_counts_each_connection_for_itself(lab):
    lab.sandbox.limits.set(0.01)
    notion = lab.sandbox.notion
    user = next(u.id for u in notion.app.store.users.values() if u.email)
    assert statuses(reads(lab, "notion", 2)) == [200, 429]
    notion.add_token(user, "another")
    notion.token = "another"
    assert statuses(reads(lab, "notion", 2)) == [200, 429]


def test_jira_bursts_by_endpoint_and_method(lab):
    lab.sandbox.limits.set(1)
    answers = reads(lab, "jira", 101, "/myself")
    assert statuses(answers) == [200] * 100 + [429]
    assert answers[0].headers["x-ratelimit-limit"] == "100"
    assert answers[0].headers["x-ratelimit-remaining"] == "99"
    assert "x-ratelimit-nearlimit" not in answers[79].headers
    assert answers[80].headers["x-ratelimit-nearlimit"] == "true"
    refused = answers[-1].headers
    assert (refused["retry-after"], refused["ratelimit-reason"]) == ("1", "jira-burst-based")
    assert refused["x-ratelimit-remaining"] == "0"
    assert refused["x-ratelimit-reset"].endswith("Z")
    assert lab.raw("jira", "GET", "/priority").status == 200  # another endpoint
    lab.step(0.5)
    assert statuses(reads(lab, "jira", 51, "/myself")) == [200] * 50 + [429]


def test_jira_has_special_endpoints(lab):
    lab.sandbox.limits.set(0.02)
    assert statuses(reads(lab, "jira", 4, "/issue/WEB-1")) == [200, 200, 200, 429]
    assert lab.raw("jira", "GET", "/issue/WEB-2").status == 429  # one endpoint for all issues
    assert statuses(reads(lab, "jira", 5, "/issue/WEB-1/changelog")) == [200] * 4 + [429]


def test_jira_writes_of_one_issue(lab):
    lab.sandbox.limits.set(1)
    got = []
    for number in range(21):
        got.append(lab.raw("jira", "PUT", "/issue/WEB-1", {"fields": {"summary": f"n {number}"}}))
        lab.step(0.05)
    assert statuses(got) == [204] * 20 + [429]
    assert got[-1].headers["ratelimit-reason"] == "jira-per-issue-on-write"
    assert lab.summary() == "n 19"
    assert lab.raw("jira", "PUT", "/issue/WEB-2", {"fields": {"summary": "x"}}).status == 204
    written = 20
    lab.step(2)
    while (
        lab.raw("jira", "PUT", "/issue/WEB-1", {"fields": {"summary": f"m {written}"}}).status
        == 204
    ):
        written += 1
        lab.step(0.2)
    assert written == 100
    key = lab.sandbox.jira.store.find_issue("WEB-1").id  # by id it is the same issue
    assert lab.raw("jira", "PUT", f"/issue/{key}", {"fields": {"summary": "x"}}).status == 429


def test_asana_counts_what_it_refuses_and_each_action_of_a_batch(lab):
    lab.sandbox.limits.set(0.01)  # 15 a minute
    actions = [{"method": "get", "relative_path": "/users/me"}] * 10
    assert lab.ask("asana", "POST", "/batch", {"data": {"actions": actions}})[0] == 200
    assert statuses(reads(lab, "asana", 6)) == [200] * 5 + [429]
    lab.step(59)
    refused = lab.raw("asana", "GET", "/users/me")
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert json.loads(refused.body)["errors"][0]["message"].startswith("You've made too many")
    lab.sandbox.limits.set(0.005)
    lab.step(120)
    assert lab.ask("asana", "POST", "/batch", {"data": {"actions": actions}})[0] == 429


def test_asana_requests_at_the_same_time(lab):
    lab.sandbox.limits.set(0.2)  # 3 writes, 10 reads at a time; 300 a minute
    lab.fault(id="slow", delay=0.4, service="asana")
    url = f"{lab.url}/asana/api/1.0/tasks/{lab.task}"
    got = []

    def write():
        answer = requests.put(url, headers=lab.headers("asana"), json={"data": {}}, timeout=5)
        got.append(answer.status_code)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [200, 200, 200, 429, 429, 429]
    write()
    assert got[-1] == 200


@pytest.mark.parametrize(
    ("number", "documented"),
    [(limits.JIRA_PER_SECOND, {"GET": 100, "POST": 100, "PUT": 50, "DELETE": 50}),
     (limits.JIRA_PER_ISSUE, ((20, 2.0), (100, 30.0))),
     ((limits.ASANA_PAID, limits.ASANA_FREE, limits.ASANA_SEARCH), (1500, 150, 60)),
     ((limits.ASANA_READS_AT_ONCE, limits.ASANA_WRITES_AT_ONCE), (50, 15)),
     ((limits.NOTION_REQUESTS, limits.NOTION_WINDOW), (180, 60.0))],
)  # fmt: skip
def test_the_numbers_are_those_that_the_vendors_publish(number, documented):
    assert number == documented


def test_the_command_switches_them_on(tmp_path):
    rules = tmp_path / "faults.json"
    rules.write_text('[{"id": "H2", "variant": "zero", "service": "jira"}]')
    command = [sys.executable, "-m", "syncd", "sandbox", "serve", "--port", "0", "--load", "empty",
               "--limits", "0.01", "--faults", str(rules)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        notion = {
            "authorization": f"Bearer {told['notion']['token']}",
            "notion-version": "2026-03-11",
        }
        url = f"{told['notion']['url']}/v1/users/me"
        got = [requests.get(url, headers=notion, timeout=9).status_code for _ in range(2)]
        jira = requests.get(f"{told['jira']['url']}/rest/api/3/serverInfo", timeout=9)
        process.terminate()
    assert got == [200, 429]
    assert (jira.status_code, jira.headers["retry-after"]) == (429, "0")
