"""Faults of listings and search, by id."""

from __future__ import annotations

import re

import pytest

SERVICES = ["jira", "asana", "notion"]


def listed(lab, service, **more):
    """Return ids of a page of a listing and its next token."""
    if service == "jira":
        body = lab.search(**more)
        return [row["key"] for row in body["issues"]], body.get("nextPageToken")
    if service == "asana":
        body = lab.tasks(**more)
        return [row["gid"] for row in body["data"]], (body["next_page"] or {}).get("offset")
    body = lab.query(**more)
    return [row["id"] for row in body["results"]], body["next_cursor"]


def token(service, value):
    return {{"jira": "nextPageToken", "asana": "offset", "notion": "start_cursor"}[service]: value}


def test_l1_new_issues_are_missing_for_a_while_each_for_its_own(lab):
    lab.fault(id="L1", **{"with": {"slow_share": 0}})
    keys = [lab.sandbox.jira.store.issues[max(lab.sandbox.jira.store.issues)].key]
    for number in range(20):
        lab.create(f"fresh {number}")
    jql = {"jql": 'summary ~ "fresh" AND project = WEB', "maxResults": 50}
    seen = []
    for _minute in range(7):
        seen.append(len(lab.search(**jql)["issues"]))
        lab.step(60)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] == 20
    assert len(set(seen)) > 3
    assert keys


def test_l1_changed_items_too_but_not_those_that_are_reconciled(lab):
    lab.fault(id="L1", **{"with": {"least": 200}})
    lab.rename("jira", "renamed")
    jql = {"jql": "project = WEB AND key = WEB-1"}
    assert lab.search(**jql)["issues"] == []
    number = lab.sandbox.jira.store.find_issue("WEB-1").id
    assert len(lab.search(**jql, reconcileIssues=[number])["issues"]) == 1
    assert lab.truth("jira", "/issue/WEB-1")[0] == 200


def test_l1_asana_search_and_notion_queries(lab):
    lab.fault(id="L1", **{"with": {"least": 200}})
    lab.rename("notion", "renamed")
    rows = lab.query(page_size=100)["results"]
    assert lab.page not in [row["id"] for row in rows]
    assert len(rows) == len(lab.source.live) - 1
    lab.rename("asana", "renamed")
    path = f"/workspaces/{lab.sandbox.asana.workspace}/tasks/search"
    found = [row["gid"] for row in lab.ask("asana", "GET", path)[1]["data"]]
    assert found
    assert lab.task not in found
    assert lab.task in listed(lab, "asana", limit=100)[0]  # a project's own list does not lag


def test_l2_an_old_document_with_a_new_time(lab):
    lab.fault(id="L2")
    given = {"jql": "project = WEB AND key = WEB-1", "fields": ["summary", "updated"]}
    (old,) = lab.search(**given)["issues"]
    lab.rename("jira", "renamed")
    (stale,) = lab.search(**given)["issues"]
    assert stale["fields"]["summary"] == old["fields"]["summary"] != lab.summary()
    assert stale["fields"]["updated"] > old["fields"]["updated"]
    before = next(row for row in lab.query(page_size=100)["results"] if row["id"] == lab.page)
    lab.rename("notion", "renamed")
    after = next(row for row in lab.query(page_size=100)["results"] if row["id"] == lab.page)
    assert after["properties"] == before["properties"]
    assert after["last_edited_time"] > before["last_edited_time"]


def test_l3_times_are_whole_minutes(lab):
    lab.rename("notion", "renamed")
    lab.rename("jira", "renamed")
    page = lab.ask("notion", "GET", f"/pages/{lab.page}")[1]
    assert re.fullmatch(r".*T\d\d:\d\d:00\.000Z", page["last_edited_time"])
    updated = lab.ask("jira", "GET", "/issue/WEB-1", fields="updated")[1]["fields"]["updated"]
    assert ":45.000+" in updated
    lab.fault(id="L3")
    updated = lab.ask("jira", "GET", "/issue/WEB-1", fields="updated")[1]["fields"]["updated"]
    assert ":00.000+" in updated


def test_l4_times_in_jql_are_meant_in_the_accounts_zone(lab):
    lab.rename("jira", "renamed")
    moment = lab.sandbox.clock.utc()
    jql = {"jql": f'project = WEB AND updated >= "{moment:%Y-%m-%d %H:%M}"'}
    assert len(lab.search(**jql)["issues"]) == 1
    lab.fault(id="L4")  # 14 hours ahead: the same words mean an earlier moment
    lab.ask("jira", "GET", "/myself")
    assert lab.ask("jira", "GET", "/myself")[1]["timeZone"] == "Pacific/Kiritimati"
    lab.fault(id="L4", **{"with": {"zone": "Pacific/Pago_Pago"}})
    assert lab.search(**jql)["issues"] == []


@pytest.mark.parametrize("service", SERVICES)
def test_l5_pages_drift_while_items_change(lab, service):
    more = {"jql": "project = WEB ORDER BY updated ASC"} if service == "jira" else {}
    if service == "notion":
        more = {"sorts": [{"timestamp": "last_edited_time", "direction": "ascending"}]}
    first = listed(lab, service, **more)
    assert listed(lab, service, **more) == first
    lab.fault(id="L5")
    assert listed(lab, service, **more)[0] == first[0]
    lab.fault()
    assert listed(lab, service, **more)[0][0] == first[0][1]


@pytest.mark.parametrize("service", SERVICES)
def test_l6_a_page_token_repeats(lab, service):
    lab.fault(id="L6", variant="repeat")
    first, following = listed(lab, service)
    _second, again = listed(lab, service, **token(service, following))
    assert following == again
    assert listed(lab, service, **token(service, again))[0] == _second
    assert first != _second


@pytest.mark.parametrize("service", SERVICES)
def test_l6_an_empty_page_has_a_token(lab, service):
    whole = listed(lab, service)
    lab.fault(id="L6", variant="empty")
    rows, following = listed(lab, service)
    assert rows == []
    assert following == whole[1]
    assert listed(lab, service, **token(service, following))[0]


@pytest.mark.parametrize("service", SERVICES)
def test_l6_pages_are_in_disorder(lab, service):
    first = listed(lab, service)[0]
    lab.fault(id="L6", variant="order")
    orders = {tuple(listed(lab, service)[0]) for _ in range(5)}
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {tuple(sorted(first))}


@pytest.mark.parametrize(
    ("service", "sentence"),
    [("jira", "token"), ("asana", "offset"), ("notion", "start_cursor")],
)
def test_l6_a_token_has_expired(lab, service, sentence):
    _rows, following = listed(lab, service)
    lab.fault(id="L6", variant="expired")
    assert listed(lab, service)[0]
    path = f"/projects/{lab.project}/tasks"
    answer = {
        "jira": lambda: lab.search(nextPageToken=following),
        "asana": lambda: lab.ask("asana", "GET", path, limit=3, offset=following)[1],
        "notion": lambda: lab.query(start_cursor=following),
    }[service]()
    assert sentence in str(answer).lower()
    assert not {"issues", "data", "results"} & set(answer)


@pytest.mark.parametrize("service", SERVICES)
def test_l7_an_item_changes_before_every_look(lab, service):
    stamps = {"jira": "updated", "asana": "modified_at", "notion": "last_edited_time"}
    item = {"jira": "WEB-1", "asana": lab.task, "notion": lab.page}[service]
    paths = {"jira": "/issue/", "asana": "/tasks/", "notion": "/pages/"}
    lab.fault(id="L7", **{"with": {"item": item}})
    seen = set()
    for _look in range(3):
        lab.step(61)
        listed(lab, service)
        body = lab.truth(service, paths[service] + item)[1]
        held = body.get("fields") or body.get("data") or body
        seen.add(held[stamps[service]])
    assert len(seen) == 3


def test_l8_a_write_does_not_move_last_edited_time(lab):
    before = lab.truth("notion", f"/pages/{lab.page}")[1]
    lab.fault(id="L8")
    _status, answer = lab.rename("notion", "renamed")
    after = lab.truth("notion", f"/pages/{lab.page}")[1]
    assert lab.name("notion") == "renamed"
    assert before["last_edited_time"] == after["last_edited_time"] == answer["last_edited_time"]
    block = {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "new"}}]}}
    lab.ask("notion", "PATCH", f"/blocks/{lab.page}/children", {"children": [block]})
    again = lab.truth("notion", f"/pages/{lab.page}")[1]
    assert again["last_edited_time"] == before["last_edited_time"]
    sorts = [{"timestamp": "last_edited_time", "direction": "descending"}]
    assert lab.query(sorts=sorts, page_size=1)["results"][0]["id"] != lab.page


def test_l9_events_are_lost_for_ever(lab):
    sync = lab.ask("asana", "GET", "/events", resource=lab.project)[1]["sync"]
    lab.rename("asana", "renamed")
    lab.fault(id="L9", variant="drop", count=1)
    lost = lab.ask("asana", "GET", "/events", resource=lab.project, sync=sync)[1]
    later = lab.ask("asana", "GET", "/events", resource=lab.project, sync=lost["sync"])[1]
    assert lost["data"] == later["data"] == []
    lab.rename("asana", "again")
    assert lab.ask("asana", "GET", "/events", resource=lab.project, sync=later["sync"])[1]["data"]
    lab.fault(id="L9", variant="expired")
    assert lab.ask("asana", "GET", "/events", resource=lab.project, sync=sync)[0] == 412


@pytest.mark.parametrize("service", SERVICES)
def test_l10_a_list_has_an_item_twice(lab, service):
    rows = listed(lab, service)[0]
    lab.fault(id="L10", variant="twice")
    assert listed(lab, service)[0] == [rows[0], *rows]


def test_l10_a_row_from_the_trash(lab):
    page = lab.page
    lab.ask("notion", "PATCH", f"/pages/{page}", {"in_trash": True})
    assert page not in listed(lab, "notion", page_size=100)[0]
    lab.fault(id="L10", variant="trash")
    rows = lab.query(page_size=100)["results"]
    assert (rows[-1]["id"], rows[-1]["in_trash"]) == (page, True)


def test_l10_an_archived_issue(lab):
    lab.ask("jira", "PUT", "/issue/archive", {"issueIdsOrKeys": ["WEB-9"]})
    assert lab.search(jql="key = WEB-9").get("issues", []) == []
    lab.fault(id="L10", variant="trash", service="jira")
    assert [row["key"] for row in lab.search(jql="key = WEB-9")["issues"]] == ["WEB-9"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("variant", "share"), [("empty", 0), ("half", 0.5)])
def test_l11_a_list_is_suddenly_short(lab, service, variant, share):
    rows, following = listed(lab, service)
    assert following
    lab.fault(id="L11", variant=variant)
    assert listed(lab, service) == (rows[: int(len(rows) * share)], None)
