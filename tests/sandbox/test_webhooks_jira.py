"""Webhooks of the Jira stand-in: registration, filters, the body of every kind of event, retries."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import sys
from pathlib import Path

import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.jira.routes_hooks import EVENTS
from syncd.sandbox.webhooks import Seal, deliver
from syncd.sandbox.wire import Request

sys.path.insert(0, str(Path(__file__).parent))

from jirasite import HOOKS, NOW, SITE, TARGET, Site


@pytest.fixture
def site():
    jira = JiraSandbox(SandboxClock(frozen=NOW))
    jira.add_project("WEB", "Website")
    jira.add_project("OPS", "Operations")
    return Site(jira)


# registration


def test_registered_read_changed_and_deleted(site):
    made = site.register(secret="s3cret", jql="project = WEB")
    number = made["self"].rpartition("/")[2]
    assert made == {
        "name": "mine", "url": TARGET, "excludeBody": False, "enabled": True,
        "filters": {"issue-related-events-section": "project = WEB"},
        "events": ["jira:issue_updated"], "self": f"{SITE}{HOOKS}/{number}",
        "lastUpdatedUser": site.jira.account_id, "lastUpdatedDisplayName": "Sandbox Admin",
        "lastUpdated": int(NOW * 1000),
    }  # fmt: skip
    assert site.ask("GET", HOOKS) == [made]
    changed = site.ask("PUT", f"{HOOKS}/{number}", {"enabled": False})
    assert changed == {**made, "enabled": False}
    assert site.ask("GET", f"{HOOKS}/{number}") == changed
    site.ask("DELETE", f"{HOOKS}/{number}", expect=204)
    site.ask("GET", f"{HOOKS}/{number}", expect=404)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["jira:issue_eaten"]}, "events"),
        ({"name": " "}, "name"),
    ],
)
def test_what_is_wrong_in_a_registration_is_said(site, wrong, where):
    body = {"name": "n", "url": TARGET, "events": ["comment_created"], **wrong}
    assert where in site.ask("POST", HOOKS, body, expect=400)["errors"]
    assert site.ask("GET", HOOKS) == []


def test_a_filter_that_is_no_jql_is_refused(site):
    body = {"name": "n", "url": TARGET, "events": ["jira:issue_created"],
            "filters": {"issue-related-events-section": "project = = WEB"}}  # fmt: skip
    assert "Error in the JQL Query" in site.ask("POST", HOOKS, body, expect=400)["errorMessages"][0]


def test_nobody_registers_without_signing_in(site):
    request = Request("GET", HOOKS, (), {}, b"", SITE)
    assert site.jira.handle(request).status == 401


# bodies


def test_an_update_as_the_vendor_documents_it(site):
    key = site.create()
    site.register()
    site.ask("PUT", f"/rest/api/3/issue/{key}", {"fields": {"summary": "two"}}, expect=204)
    [body] = site.told()
    assert list(body) == ["timestamp", "webhookEvent", "issue_event_type_name", "user", "issue",
                          "changelog"]  # fmt: skip
    assert body["timestamp"] == int(NOW * 1000)
    assert (body["webhookEvent"], body["issue_event_type_name"]) == (
        "jira:issue_updated", "issue_updated")  # fmt: skip
    assert body["user"]["accountId"] == site.jira.account_id
    assert body["user"]["self"].startswith(f"{SITE}/rest/api/2/user?accountId=")
    assert (body["issue"]["key"], body["issue"]["fields"]["summary"]) == (key, "two")
    assert "comment" not in body["issue"]["fields"]
    assert body["changelog"]["items"] == [
        {"field": "summary", "fieldtype": "jira", "fieldId": "summary", "from": None,
         "fromString": "one", "to": None, "toString": "two"}
    ]  # fmt: skip
    history = site.ask("GET", f"/rest/api/3/issue/{key}/changelog")["values"]
    assert body["changelog"]["id"] == history[-1]["id"]


def test_the_body_shows_the_issue_as_it_was_then(site):
    key = site.create()
    site.register()
    for summary in ("two", "three"):
        site.ask("PUT", f"/rest/api/3/issue/{key}", {"fields": {"summary": summary}}, expect=204)
    assert [body["issue"]["fields"]["summary"] for body in site.told()] == ["two", "three"]


def step(site, key, name):
    rows = site.ask("GET", f"/rest/api/3/issue/{key}/transitions")["transitions"]
    number = next(row["id"] for row in rows if row["to"]["name"] == name)
    site.ask("POST", f"/rest/api/3/issue/{key}/transitions", {"transition": {"id": number}},
             expect=204)  # fmt: skip


def board(site):
    return site.ask("GET", "/rest/agile/1.0/board")["values"][0]["id"]


def sprint(site, **more):
    body = {"name": "S", "originBoardId": board(site), **more}
    return site.ask("POST", "/rest/agile/1.0/sprint", body, expect=201)["id"]


def version(site, **more):
    body = {"name": "v1", "project": "WEB", **more}
    return site.ask("POST", "/rest/api/3/version", body, expect=201)["id"]


def comment(site, key):
    body = {"body": "hello"}
    return site.ask("POST", f"/rest/api/2/issue/{key}/comment", body, expect=201)["id"]


def link(site, key, other):
    ends = {"type": {"name": "Blocks"}, "inwardIssue": {"key": key}, "outwardIssue": {"key": other}}
    site.ask("POST", "/rest/api/3/issueLink", ends, expect=201)
    return next(iter(site.jira.store.links))


DATES = {"startDate": "2026-09-21T10:00:00.000Z", "endDate": "2026-10-05T10:00:00.000Z"}


def changes(site):
    """Each kind of change, and the events it is told by."""
    one, two, three = site.create("1"), site.create("2"), site.create("3")
    held, made, link_id = comment(site, two), version(site), link(site, two, three)
    coming, running = sprint(site, name="A", **DATES), sprint(site, name="B", **DATES)
    issue = f"/rest/api/3/issue/{two}"
    me = {"accountId": site.jira.account_id}
    agile = "/rest/agile/1.0/sprint"
    return {
        "created": (lambda: site.create("4"), ["jira:issue_created"]),
        "edited": (lambda: site.ask("PUT", issue, {"fields": {"labels": ["a"]}}, expect=204),
                   ["jira:issue_updated"]),
        "moved on": (lambda: step(site, two, "In Progress"), ["jira:issue_updated"]),
        "assigned": (lambda: site.ask("PUT", f"{issue}/assignee", me, expect=204),
                     ["jira:issue_updated"]),
        "moved": (lambda: site.jira.move_issue(two, "OPS"), ["jira:issue_updated"]),
        "put in a sprint": (
            lambda: site.ask("POST", f"{agile}/{coming}/issue", {"issues": [two]}, expect=204),
            ["jira:issue_updated"]),
        "deleted": (lambda: site.ask("DELETE", f"/rest/api/3/issue/{one}", expect=204),
                    ["jira:issue_deleted"]),
        "deleted with what hangs on it": (lambda: site.ask("DELETE", issue, expect=204),
                                          ["jira:issue_deleted", "comment_deleted",
                                           "issuelink_deleted"]),
        "bulk": (lambda: site.ask("POST", "/rest/api/3/bulk/issues/delete",
                                  {"selectedIssueIdsOrKeys": [one]}, expect=201),
                 ["jira:issue_deleted"]),
        "commented": (lambda: comment(site, two), ["comment_created"]),
        "comment edited": (lambda: site.ask("PUT", f"/rest/api/2/issue/{two}/comment/{held}",
                                            {"body": "x"}), ["comment_updated"]),
        "comment deleted": (lambda: site.ask("DELETE", f"{issue}/comment/{held}", expect=204),
                            ["comment_deleted"]),
        "linked": (lambda: link(site, one, three),
                   ["issuelink_created", "jira:issue_updated", "jira:issue_updated"]),
        "unlinked": (lambda: site.ask("DELETE", f"/rest/api/3/issueLink/{link_id}", expect=204),
                     ["issuelink_deleted"]),
        "project made": (lambda: site.ask("POST", "/rest/api/3/project",
                                          {"key": "NEW", "name": "New"}, expect=201),
                         ["project_created"]),
        "project deleted": (lambda: site.ask("DELETE", "/rest/api/3/project/WEB", expect=204),
                            ["project_soft_deleted"]),
        "project deleted for ever": (
            lambda: site.ask("DELETE", "/rest/api/3/project/WEB", expect=204,
                             query=(("enableUndo", "false"),)), ["project_deleted"]),
        "version made": (lambda: version(site, name="v2"), ["jira:version_created"]),
        "version renamed": (lambda: site.ask("PUT", f"/rest/api/3/version/{made}", {"name": "v9"}),
                            ["jira:version_updated"]),
        "version released": (lambda: site.ask("PUT", f"/rest/api/3/version/{made}",
                                              {"released": True}), ["jira:version_released"]),
        "version deleted": (lambda: site.ask("DELETE", f"/rest/api/3/version/{made}", expect=204),
                            ["jira:version_deleted"]),
        "version merged": (
            lambda: site.ask("PUT", f"/rest/api/3/version/{made}/mergeto/{version(site, name='w')}",
                             expect=204),
            ["jira:version_created", "jira:version_deleted"]),
        "project archived": (lambda: site.ask("POST", "/rest/api/3/project/WEB/archive", expect=204),
                             ["project_archived"]),
        "work logged": (lambda: site.ask("POST", f"{issue}/worklog", {"timeSpent": "1h"}, expect=201),
                        ["jira:issue_updated", "worklog_created"]),
        "sprint made": (lambda: sprint(site, name="C"), ["sprint_created"]),
        "sprint renamed": (lambda: site.ask("PUT", f"{agile}/{coming}", {"name": "Z"}),
                           ["sprint_updated"]),
        "sprint started": (lambda: site.ask("PUT", f"{agile}/{running}", {"state": "active"}),
                           ["sprint_started"]),
        "sprint deleted": (lambda: site.ask("DELETE", f"{agile}/{coming}", expect=204),
                           ["sprint_deleted"]),
    }  # fmt: skip


CHANGES = (
    "created", "edited", "moved on", "assigned", "moved", "put in a sprint", "deleted",
    "deleted with what hangs on it", "bulk", "commented", "comment edited", "comment deleted",
    "linked", "unlinked", "project made", "project deleted", "project deleted for ever",
    "version merged", "project archived", "work logged",
    "version made", "version renamed", "version released", "version deleted", "sprint made",
    "sprint renamed", "sprint started", "sprint deleted",
)  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_change_is_told(site, name):
    change, events = changes(site)[name]
    site.register(events=sorted(EVENTS))
    change()
    bodies = site.told()
    assert [body["webhookEvent"] for body in bodies] == events
    assert all(body["timestamp"] == int(NOW * 1000) for body in bodies)


def test_the_list_above_is_whole(site):
    assert set(changes(site)) == set(CHANGES)


def test_a_sprint_that_closes(site):
    number = sprint(site, **DATES)
    site.ask("PUT", f"/rest/agile/1.0/sprint/{number}", {"state": "active"})
    site.register(events=["sprint_closed"])
    site.ask("PUT", f"/rest/agile/1.0/sprint/{number}", {"state": "closed"})
    [body] = site.told()
    assert (body["sprint"]["id"], body["sprint"]["state"]) == (number, "closed")


def test_a_merged_version_names_the_other(site):
    one, two = version(site), version(site, name="v2")
    site.register(events=["jira:version_deleted"])
    site.ask("PUT", f"/rest/api/3/version/{one}/mergeto/{two}", expect=204)
    [body] = site.told()
    assert (body["version"]["id"], body["mergedTo"]["id"]) == (one, two)


def test_logged_work_is_told_as_it_changes(site):
    key = site.create()
    site.register(events=["worklog_created", "worklog_updated", "worklog_deleted"])
    path = f"/rest/api/2/issue/{key}/worklog"
    number = site.ask("POST", path, {"timeSpent": "1h", "comment": "done"}, expect=201)["id"]
    site.ask("PUT", f"{path}/{number}", {"timeSpent": "2h"})
    site.ask("DELETE", f"{path}/{number}", expect=204)
    bodies = site.told()
    assert [body["webhookEvent"] for body in bodies] == [
        "worklog_created", "worklog_updated", "worklog_deleted"]  # fmt: skip
    assert [body["worklog"]["timeSpentSeconds"] for body in bodies] == [3600, 7200, 7200]
    assert bodies[0]["worklog"]["comment"] == "done"


def test_shapes_of_what_is_no_issue(site):
    one, two = site.create("1"), site.create("2")
    number = sprint(site)
    site.register(events=sorted(EVENTS))
    comment(site, one)
    link_id = link(site, one, two)
    version(site)
    site.ask("PUT", f"/rest/agile/1.0/sprint/{number}", {"name": "Z"})
    site.ask("POST", "/rest/api/3/project", {"key": "NEW", "name": "New"}, expect=201)
    bodies = {body["webhookEvent"]: body for body in site.told()}
    said = bodies["comment_created"]
    assert (said["comment"]["body"], said["issue"]["key"]) == ("hello", one)
    assert set(said["issue"]["fields"]) == {"summary", "issuetype", "project", "assignee",
                                            "priority", "status"}  # fmt: skip
    ids = [int(site.ask("GET", f"/rest/api/3/issue/{key}")["id"]) for key in (one, two)]
    assert bodies["issuelink_created"]["issueLink"] == {
        "id": int(link_id), "sourceIssueId": ids[0], "destinationIssueId": ids[1],
        "systemLink": False,
        "issueLinkType": {
            "id": bodies["issuelink_created"]["issueLink"]["issueLinkType"]["id"],
            "name": "Blocks", "outwardName": "blocks", "inwardName": "is blocked by",
            "isSubTaskLinkType": False, "isSystemLinkType": False,
        },
    }  # fmt: skip
    assert bodies["jira:version_created"]["version"]["name"] == "v1"
    renamed = bodies["sprint_updated"]
    assert (renamed["oldValue"]["name"], renamed["sprint"]["name"]) == ("S", "Z")
    project = bodies["project_created"]["project"]
    assert (project["key"], project["projectLead"]["accountId"]) == ("NEW", site.jira.account_id)


def test_what_hangs_on_a_deleted_issue_follows_as_secondary(site):
    one, two = site.create("1"), site.create("2")
    comment(site, one)
    link(site, one, two)
    site.register(events=["jira:issue_deleted", "comment_deleted", "issuelink_deleted"])
    site.ask("DELETE", f"/rest/api/3/issue/{one}", expect=204)
    site.told()
    flows = [headers["X-Atlassian-Webhook-Flow"] for _url, headers, _body in site.got]
    assert flows == ["Primary", "Secondary", "Secondary"]


# filters


def test_jql_chooses_the_issues_as_they_are_after_the_change(site):
    key = site.create()
    site.create("other", project={"key": "OPS"})
    site.register(events=["jira:issue_created", "jira:issue_updated", "comment_created"],
                  jql='project = WEB AND status = "In Progress"')  # fmt: skip
    site.create("elsewhere", project={"key": "OPS"})
    comment(site, key)
    assert site.told() == []
    step(site, key, "In Progress")
    comment(site, key)
    assert [body["webhookEvent"] for body in site.told()] == ["jira:issue_updated",
                                                              "comment_created"]  # fmt: skip


def test_only_chosen_events_come_and_none_while_it_is_disabled(site):
    made = site.register(events=["jira:issue_created"])
    path = made["self"].removeprefix(SITE)
    key = site.create()
    site.ask("PUT", f"/rest/api/3/issue/{key}", {"fields": {"summary": "x"}}, expect=204)
    assert [body["webhookEvent"] for body in site.told()] == ["jira:issue_created"]
    site.ask("PUT", path, {"enabled": False})
    site.create()
    assert site.told() == []


def test_variables_in_the_address_are_filled_and_the_body_can_be_left_out(site):
    site.register(events=["jira:issue_created"], excludeBody=True,
                  url=TARGET + "?issue=${issue.key}&project=${project.id}")  # fmt: skip
    key = site.create()
    deliver(site.jira.publisher, site.jira.line)
    url, _headers, body = site.got[0]
    project = site.ask("GET", "/rest/api/3/project/WEB")["id"]
    assert (url, body) == (f"{TARGET}?issue={key}&project={project}", b"")


# signature and retries


def test_the_signature_is_the_hmac_of_the_raw_body(site):
    site.register(events=["jira:issue_created"], secret="It's a Secret to Everybody")
    site.create("Ünïcode ✓")
    deliver(site.jira.publisher, site.jira.line)
    _url, headers, body = site.got[0]
    digest = hmac.new(b"It's a Secret to Everybody", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature"] == f"sha256={digest}"


def test_the_vendors_own_example_of_a_signature():
    """From the vendor's page on webhooks: secret, payload, and the header it must give."""
    seal = Seal("X-Hub-Signature", "It's a Secret to Everybody", "sha256=")
    expected = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    assert seal.sign(b"Hello World!") == expected


def test_without_a_secret_nothing_is_signed(site):
    site.register(events=["jira:issue_created"])
    site.create()
    deliver(site.jira.publisher, site.jira.line)
    assert "X-Hub-Signature" not in site.got[0][1]


@pytest.mark.parametrize("status", [0, 408, 409, 425, 429, 500, 503])
def test_five_retries_five_to_fifteen_minutes_apart_then_it_is_dropped(site, status):
    site.register(events=["jira:issue_created"])
    site.create()
    site.answers = [status] * 10
    times, clock = [], site.jira.clock
    for _minute in range(120):
        before = len(site.got)
        deliver(site.jira.publisher, site.jira.line)
        times += [clock.now()] * (len(site.got) - before)
        clock.step(60)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(times) == 6
    assert all(300 <= pause <= 960 for pause in pauses)
    retries = [headers.get("X-Atlassian-Webhook-Retry") for _url, headers, _body in site.got]
    assert retries == [None, "1", "2", "3", "4", "5"]
    assert len({headers["X-Atlassian-Webhook-Identifier"] for _u, headers, _b in site.got}) == 1
    assert len({body for _url, _headers, body in site.got}) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
def test_other_refusals_are_not_tried_again(site, status):
    site.register(events=["jira:issue_created"])
    site.create()
    site.answers = [status]
    assert deliver(site.jira.publisher, site.jira.line) == 0
    site.jira.clock.step(3600)
    assert site.told() == []


def test_each_event_has_an_identifier_of_its_own(site):
    site.register(events=["jira:issue_created"])
    site.create()
    site.create()
    site.told()
    assert len({headers["X-Atlassian-Webhook-Identifier"] for _u, headers, _b in site.got}) == 2


def test_what_waits_and_who_is_subscribed_is_kept_with_the_state(site):
    site.register(events=["jira:issue_created"], secret="s")
    key = site.create()
    kept = site.jira.snapshot()
    assert len(site.told()) == 1
    other = Site(JiraSandbox(SandboxClock(frozen=NOW)))
    other.jira.restore(kept)
    assert [body["issue"]["key"] for body in other.told()] == [key]
    other.create()
    assert len(other.told()) == 1


def test_a_filter_whose_field_is_gone_lets_nothing_through_and_breaks_nothing(site):
    key = site.create()
    body = {"name": "Team", "type": "com.atlassian.jira.plugin.system.customfieldtypes:textfield"}
    field = site.ask("POST", "/rest/api/3/field", body, expect=201)["id"]
    site.register(jql="Team ~ x OR project = WEB")
    del site.jira.store.fields[field]
    site.jira.store.setup += 1
    site.ask("PUT", f"/rest/api/3/issue/{key}", {"fields": {"summary": "two"}}, expect=204)
    assert site.told() == []
