"""Faults of HTTP, limits, partial and ignored writes, and permissions, by id."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime

import pytest
import requests

SERVICES = ["jira", "asana", "notion"]


def said(service, body):
    """Return the sentence of an error in the service's own form."""
    if service == "jira":
        return body["errorMessages"][0]
    if service == "asana":
        return body["errors"][0]["message"]
    assert body["object"] == "error"
    return body["message"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("variant", "status", "stored"),
    [("before", 503, False), ("500", 500, False), ("502", 502, False), ("504", 504, False),
     ("after", 503, True), ("after-500", 500, True), ("saved", 503, True)],
)  # fmt: skip
def test_h1_server_errors_before_and_after_the_effect(lab, service, variant, status, stored):
    lab.fault(id="H1", variant=variant, method=["PUT", "PATCH"])
    got, body = lab.rename(service, "renamed")
    assert got == status
    assert said(service, body)
    assert (lab.name(service) == "renamed") == stored


def test_h1_notion_names_what_it_saved(lab):
    lab.fault(id="H1", variant="saved")
    _status, body = lab.rename("notion", "renamed")
    assert body["additional_data"]["committed_resource_id"] == lab.page


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("variant", ["seconds", "date", "none", "zero", "long", "past"])
def test_h2_every_kind_of_retry_after(lab, service, variant):
    lab.fault(id="H2", variant=variant)
    answer = lab.raw(service, "GET", "/users/me")
    header = answer.headers.get("retry-after")
    assert answer.status == 429
    now = lab.sandbox.clock.now()
    if variant in {"date", "past"}:
        ahead = parsedate_to_datetime(header).timestamp() - now
        assert -1 <= ahead - (5 if variant == "date" else -3600) <= 1
    else:
        assert header == {"seconds": "5", "none": None, "zero": "0", "long": "600"}[variant]


def test_h3_429_on_every_call_until_half_an_hour_has_passed(lab):
    lab.fault(id="H3", service="notion")
    for minute in range(30):
        assert lab.ask("notion", "GET", "/users/me")[0] == 429, minute
        lab.step(60)
    assert lab.ask("notion", "GET", "/users/me")[0] == 200
    assert lab.ask("jira", "GET", "/myself")[0] == 200


def test_h4_asana_counts_requests_at_the_same_time(lab):
    lab.fault(id="H4")
    assert lab.ask("asana", "GET", "/users/me")[0] == 429
    assert lab.ask("jira", "GET", "/myself")[0] == 200
    with pytest.raises(ValueError, match="H4 is a fault of asana, not of jira"):
        lab.fault(id="H4", service="jira")


def test_h5_the_limit_is_lowered_while_a_client_runs(lab):
    statuses = [lab.ask("notion", "GET", "/users/me")[0] for _ in range(20)]
    lab.fault(id="H5", variant="lowered")
    statuses += [lab.ask("notion", "GET", "/users/me")[0] for _ in range(20)]
    assert statuses == [200] * 23 + [429] * 17  # three a minute


def test_h5_a_quota_is_used_up(lab):
    lab.fault(id="H5", variant="quota", service="jira")
    headers = lab.raw("jira", "GET", "/myself").headers
    assert headers["ratelimit-reason"] == "jira-quota-tenant-based"
    assert headers["retry-after"] == "600"


def test_h6_one_of_many_is_refused(lab):
    lab.fault(id="H6", **{"with": {"element": 2}})
    fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}}
    rows = [{"fields": {**fields, "summary": f"bulk {number}"}} for number in range(5)]
    status, body = lab.ask("jira", "POST", "/issue/bulk", {"issueUpdates": rows})
    assert status == 201
    assert [lab.summary(row["key"]) for row in body["issues"]] == [
        "bulk 0", "bulk 1", "bulk 3", "bulk 4"]  # fmt: skip
    assert [row["failedElementNumber"] for row in body["errors"]] == [2]
    actions = [{"method": "get", "relative_path": "/users/me"}] * 4
    status, body = lab.ask("asana", "POST", "/batch", {"data": {"actions": actions}})
    assert (status, [row["status_code"] for row in body["data"]]) == (200, [200, 200, 400, 200])


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("variant", ["409", "423"])
def test_h7_conflict_and_archived(lab, service, variant):
    lab.fault(id="H7", variant=variant)
    before = lab.name(service)
    assert lab.rename(service, "renamed")[0] == int(variant)
    assert lab.name(service) == before


def test_h7_an_expired_sync_token(lab):
    lab.fault()
    token = lab.ask("asana", "GET", "/events", resource=lab.project)[1]["sync"]
    lab.fault(id="H7", variant="412")
    status, body = lab.ask("asana", "GET", "/events", resource=lab.project, sync=token)
    assert status == 412
    assert body["sync"]
    lab.fault()
    assert lab.ask("asana", "GET", "/events", resource=lab.project, sync=body["sync"])[0] == 200


@pytest.mark.parametrize("service", SERVICES)
def test_h8_a_text_is_too_long(lab, service):
    lab.fault(id="H8", **{"with": {"most": 30}})
    assert lab.rename(service, "x" * 31)[0] == (413 if service == "jira" else 400)
    assert lab.rename(service, "x" * 30)[0] in {200, 204}


def test_h9_an_endpoint_is_gone(lab):
    lab.fault(id="H9", path="/priority$")
    assert lab.ask("jira", "GET", "/priority")[0] == 410
    assert lab.ask("jira", "GET", "/myself")[0] == 200


@pytest.mark.parametrize("service", SERVICES)
def test_h10_accepted_now_and_done_later(lab, service):
    lab.fault(id="H10", count=1)
    before = lab.name(service)
    assert lab.rename(service, "renamed")[0] == 202
    lab.step(119)
    lab.ask(service, "GET", "/users/me")
    assert lab.name(service) == before
    lab.step(2)
    lab.ask(service, "GET", "/users/me")
    assert lab.name(service) == "renamed"


@pytest.mark.parametrize("service", SERVICES)
def test_h11_a_write_is_accepted_and_ignored(lab, service):
    lab.fault(id="H11")
    before = lab.name(service)
    assert lab.rename(service, "renamed")[0] in {200, 204}
    assert lab.name(service) == before


def test_h11_only_the_field_that_is_named(lab):
    lab.fault(id="H11", **{"with": {"field": "duedate"}})
    body = {"fields": {"summary": "renamed", "duedate": "2030-01-01"}}
    assert lab.ask("jira", "PUT", "/issue/WEB-1", body)[0] == 204
    fields = lab.truth("jira", "/issue/WEB-1")[1]["fields"]
    assert fields["summary"] == "renamed"
    assert fields["duedate"] != "2030-01-01"


def test_h12_an_automation_changes_another_field(lab):
    lab.fault(id="H12")
    lab.rename("jira", "renamed")
    fields = lab.truth("jira", "/issue/WEB-1")[1]["fields"]
    assert (fields["summary"], fields["labels"]) == ("renamed", ["automation"])
    before = lab.truth("asana", f"/tasks/{lab.task}")[1]["data"]["due_on"]
    lab.rename("asana", "renamed")
    assert lab.truth("asana", f"/tasks/{lab.task}")[1]["data"]["due_on"] != before
    before = lab.truth("notion", f"/pages/{lab.page}")[1]["properties"]
    lab.rename("notion", "renamed")
    after = lab.truth("notion", f"/pages/{lab.page}")[1]["properties"]
    assert sum(before[name] != after[name] for name in after) == 2


@pytest.mark.parametrize("service", SERVICES)
def test_a1_a_token_expires_after_some_calls(lab, service):
    lab.fault(id="A1", after=3)
    assert [lab.ask(service, "GET", "/users/me")[0] == 401 for _ in range(5)] == [
        False, False, False, True, True]  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_a3_writes_are_refused_and_reads_are_fine(lab, service):
    lab.fault(id="A3")
    assert lab.rename(service, "renamed")[0] == 403
    reads = {"jira": lab.search, "asana": lab.tasks, "notion": lab.query}
    rows = reads[service]()
    assert rows.get("issues") or rows.get("data") or rows.get("results")


def shown(lab, service):
    """Return how many rows a listing has, and the status of reading one item."""
    if service == "jira":
        path = "/issue/WEB-1"
        return len(lab.search().get("issues", ())), lab.ask("jira", "GET", path)[0]
    if service == "asana":
        return len(lab.tasks().get("data", ())), lab.ask("asana", "GET", f"/tasks/{lab.task}")[0]
    return len(lab.query().get("results", ())), lab.ask("notion", "GET", f"/pages/{lab.page}")[0]


@pytest.mark.parametrize("service", SERVICES)
def test_a4_permission_for_a_container_is_lost(lab, service):
    if service == "asana":  # whoever created or follows a task keeps seeing it
        task = lab.sandbox.asana.store.objects[lab.task]
        task.created_by, task.followers, task.assignee = None, (), None
    before = shown(lab, service)
    assert before[0] > 0
    assert before[1] == 200
    lab.fault(id="A4", service=service)
    rows, status = shown(lab, service)
    assert rows == 0
    assert status in {403, 404}


@pytest.mark.parametrize("service", SERVICES)
def test_a6_permission_comes_back_after_months(lab, service):
    before = shown(lab, service)
    lab.fault(id="A6", service=service)
    assert shown(lab, service)[0] == 0
    lab.step(89 * 86_400)
    assert shown(lab, service)[0] == 0
    lab.step(2 * 86_400)
    assert shown(lab, service) == before


def test_a5_a_page_is_no_longer_shared(lab):
    page, rows = lab.page, len(lab.source.live)
    lab.fault(id="A5")
    status, body = lab.ask("notion", "GET", f"/pages/{page}")
    assert (status, body["code"]) == (404, "object_not_found")
    assert len(lab.query(page_size=100)["results"]) == rows - 1


def test_a7_an_account_is_deactivated_and_its_items_handed_over(lab):
    lab.fault(id="A7")
    lab.ask("jira", "GET", "/myself")
    inactive = [user.account_id for user in lab.sandbox.jira.people() if not user.active]
    assert len(inactive) == 1
    count = {"jql": f'project in (WEB, APP, PLAT) AND assignee = "{inactive[0]}"'}
    assert lab.ask("jira", "POST", "/search/approximate-count", count)[1] == {"count": 0}
    count = {"jql": "project in (WEB, APP, PLAT) AND assignee = currentUser()"}
    assert lab.ask("jira", "POST", "/search/approximate-count", count)[1]["count"] > 5


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("variant", ["captcha", "sso", "allowlist"])
def test_a8_challenges(lab, service, variant):
    lab.fault(id="A8", variant=variant)
    answer = requests.get(f"{lab.url}/{service}/anything", timeout=5)
    if variant == "sso":
        assert (answer.status_code, answer.headers["content-type"][:9]) == (200, "text/html")
    else:
        assert answer.status_code == 403
        assert said(service, answer.json())
        assert ("x-authentication-denied-reason" in answer.headers) == (variant == "captcha")


def test_the_control_endpoint_takes_ids_too(lab):
    url = f"{lab.url}/_sandbox/faults"
    rule = {
        "id": "H2",
        "variant": "zero",
        "service": "asana",
        "method": "GET",
        "rate": 1,
        "seed": 3,
    }
    assert requests.post(url, json=[rule], timeout=5).status_code == 200
    assert lab.raw("asana", "GET", "/users/me").headers["retry-after"] == "0"
    (row,) = requests.get(url, timeout=5).json()["faults"]
    assert {**rule, "matched": 1, "happened": 1} == row
    assert json.loads(json.dumps(row)) == row
