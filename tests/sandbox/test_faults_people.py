"""Faults of people and other programs that edit at the worst moment, by id."""

from __future__ import annotations

import threading

import pytest
import requests

SERVICES = ["jira", "asana", "notion"]
MARK = " (by a colleague)"


def paths(lab):
    return {"jira": "/issue/WEB-1", "asana": f"/tasks/{lab.task}", "notion": f"/pages/{lab.page}"}


def everything(lab, service):
    """Return the titles of all live items as they are stored."""
    if service == "jira":
        return [i.values["summary"] for i in lab.sandbox.jira.store.issues.values()]
    if service == "asana":
        store = lab.sandbox.asana.store
        return [store.objects[gid].name for gid in store.kinds["task"]]
    return [lab.truth("notion", f"/pages/{page}")[1]["properties"]["Name"]["title"][0]["plain_text"]
            for _created, page in lab.source.live.by_created]  # fmt: skip


def editors(lab):
    """Return who wrote the newest entry of WEB-1's changelog, and before that."""
    rows = lab.truth("jira", "/issue/WEB-1/changelog")[1]["values"]
    return [row["author"]["displayName"] for row in rows][-2:]


@pytest.mark.parametrize("service", SERVICES)
def test_u1_a_colleague_edits_in_the_write_window(lab, service):
    lab.fault(id="U1", service=service)
    answer = lab.rename(service, "ours")
    assert answer[0] in {200, 204}
    assert lab.name(service) == "ours"  # and what they wrote is overwritten
    if service == "jira":
        assert editors(lab) == ["Colleague", "Sandbox Admin"]
        items = lab.truth("jira", "/issue/WEB-1/changelog")[1]["values"][-2]["items"]
        assert [item["toString"] for item in items] == ["ours" + MARK]


@pytest.mark.parametrize("service", SERVICES)
def test_u2_a_colleague_edits_right_after_the_write(lab, service):
    lab.fault(id="U2", service=service)
    assert lab.rename(service, "ours")[0] in {200, 204}
    assert lab.name(service) == "ours" + MARK


def test_u2_other_fields_than_texts_by_the_value_given(lab):
    lab.fault(id="U2", **{"with": {"change": {"duedate": "2031-01-01"}}})
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"duedate": "2030-01-01"}})
    assert lab.truth("jira", "/issue/WEB-1")[1]["fields"]["duedate"] == "2031-01-01"
    lab.fault(id="U2", service="jira")
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"duedate": "2030-01-01"}})
    fields = lab.truth("jira", "/issue/WEB-1")[1]["fields"]
    assert fields["duedate"] == "2030-01-01"
    assert fields["summary"].endswith(MARK)  # a date cannot be varied, so the title is


@pytest.mark.parametrize("service", SERVICES)
def test_u3_there_and_back_between_two_polls(lab, service):
    old = lab.name(service)
    lab.fault(id="U3", service=service, count=1)
    {"jira": lab.search, "asana": lab.tasks, "notion": lab.query}[service]()
    assert lab.name(service) == old
    if service == "jira":
        rows = lab.truth("jira", "/issue/WEB-1/changelog")[1]["values"][-2:]
        seen = [(row["items"][0]["fromString"], row["items"][0]["toString"]) for row in rows]
        assert seen == [(old, old + MARK), (old + MARK, old)]
    else:
        held = lab.truth(service, paths(lab)[service])[1]
        now = f"{lab.sandbox.clock.utc():%Y-%m-%dT%H:%M}"
        held = held.get("data", held)
        assert held.get("modified_at", held.get("last_edited_time")).startswith(now)


def test_u4_the_same_edit_in_every_tool(lab):
    chosen = {"jira": "WEB-2", "asana": lab.task, "notion": lab.page}
    lab.fault(id="U4", service="asana", **{"with": {"items": chosen, "name": "agreed"}})
    lab.ask("asana", "GET", "/users/me")
    assert (lab.summary("WEB-2"), lab.name("asana"), lab.name("notion")) == ("agreed",) * 3


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("variant", ["edited", "imported"])
def test_u5_many_items_at_once(lab, service, variant):
    before = everything(lab, service)
    lab.fault(id="U5", variant=variant, service=service, **{"with": {"number": 7}})
    for _time in range(2):  # the second request finds nothing more to do
        lab.ask(service, "GET", "/users/me")
    after = everything(lab, service)
    assert len(after) == len(before) + (7 if variant == "imported" else 0)
    marked = [name for name in after if name.endswith("(bulk)") or name.startswith("Imported ")]
    assert len(marked) == 7


@pytest.mark.parametrize("service", ["asana", "notion"])
def test_u6_trashed_and_restored_at_once(lab, service):
    path = paths(lab)[service]
    before = lab.truth(service, path)[1]
    lab.fault(id="U6", variant="restored", service=service)
    status, body = lab.ask(service, "GET", path)
    assert (status, body.get("in_trash", False)) == (200, False)
    assert body.get("properties") == before.get("properties")
    assert lab.sandbox.faults.rules[0].happened == 1


def test_u6_deleted_here_and_edited_there(lab):
    lab.fault(id="U6", variant="edited", service="jira")
    assert lab.ask("jira", "GET", "/issue/WEB-1")[0] == 404
    assert lab.name("asana").endswith(MARK)
    assert lab.name("notion").endswith(MARK)


@pytest.mark.parametrize("variant", ["edited", "deleted"])
def test_u8_the_marker_is_edited_or_deleted(lab, variant):
    path = "/issue/WEB-2/properties/mark"
    lab.ask("jira", "PUT", path, {"item": "m-1"})
    lab.fault(id="U8", variant=variant, service="jira")
    status, body = lab.ask("jira", "GET", path)
    assert (status, body.get("value")) == (
        (200, {"edited": True}) if variant == "edited" else (404, None)
    )
    words = {"Syncd ID": {"rich_text": [{"text": {"content": "m-1"}}]}}
    lab.fault()
    lab.ask("notion", "PATCH", f"/pages/{lab.page}", {"properties": words})
    lab.fault(id="U8", variant=variant, service="notion", **{"with": {"marker": "Syncd ID"}})
    held = lab.ask("notion", "GET", f"/pages/{lab.page}")[1]["properties"]["Syncd ID"]["rich_text"]
    assert [run["plain_text"] for run in held] == (["edited"] if variant == "edited" else [])
    lab.fault()
    settings = f"/projects/{lab.project}/custom_field_settings?opt_fields=custom_field.name"
    fields = lab.truth("asana", settings)[1]["data"]
    gid = next(r["custom_field"]["gid"] for r in fields if r["custom_field"]["name"] == "Syncd ID")
    lab.ask("asana", "PUT", f"/tasks/{lab.task}", {"data": {"custom_fields": {gid: "m-1"}}})
    lab.fault(id="U8", variant=variant, service="asana")
    held = lab.ask("asana", "GET", f"/tasks/{lab.task}")[1]["data"]["custom_fields"]
    value = next(row["text_value"] for row in held if row["gid"] == gid)
    assert value == ("edited" if variant == "edited" else None)


def test_u8_without_a_marker_there_is_a_plain_word(lab):
    lab.fault(id="U8", service="jira")
    status, body = lab.ask("jira", "GET", "/myself")
    assert status == 500
    assert body["error"] == (
        "fault U8 cannot be made: no item in jira has a marker; make one, or name it with 'marker'"
    )


@pytest.mark.parametrize("variant", ["edited", "deleted"])
def test_u9_the_clients_page_is_edited(lab, variant):
    block = {"paragraph": {"rich_text": [{"text": {"content": "For the leaders"}}]}}
    page = lab.ask("notion", "POST", "/pages", {
        "parent": {"type": "workspace", "workspace": True}, "children": [block] * 3,
        "properties": {"title": {"title": [{"text": {"content": "Leaders"}}]}}})[1]["id"]  # fmt: skip
    lab.fault(id="U9", variant=variant, **{"with": {"page": page}})
    rows = lab.ask("notion", "GET", f"/blocks/{page}/children")[1]["results"]
    words = [row["paragraph"]["rich_text"][0]["plain_text"] for row in rows]
    rest = ["For the leaders"] * 2
    assert words == (["Edited by a colleague", *rest] if variant == "edited" else rest)


@pytest.mark.parametrize("service", SERVICES)
def test_u10_another_program_answers_every_update(lab, service):
    lab.fault(id="U10")
    for name in ("one", "two"):
        assert lab.rename(service, name)[0] in {200, 204}
        assert lab.name(service) == f"{name} (bot)"
    if service == "jira":
        assert editors(lab) == ["Sandbox Admin", "Other Integration"]


@pytest.mark.parametrize("service", SERVICES)
def test_c9_another_integration_undoes_every_write(lab, service):
    old = lab.name(service)
    lab.fault(id="C9")
    for name in ("one", "two"):
        assert lab.rename(service, name)[0] in {200, 204}
        assert lab.name(service) == old
    if service == "jira":
        assert editors(lab) == ["Sandbox Admin", "Other Integration"]


def test_c9_values_of_many_kinds_are_put_back(lab):
    before = lab.truth("jira", "/issue/WEB-1")[1]["fields"]
    lab.fault(id="C9", service="jira")
    given = {
        "labels": ["new"],
        "priority": {"name": "Lowest"},
        "duedate": "2031-02-03",
        "assignee": None,
    }
    assert lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": given})[0] == 204
    after = lab.truth("jira", "/issue/WEB-1")[1]["fields"]
    assert {n: after[n] for n in given} == {n: before[n] for n in given}
    lab.fault(id="C9", service="notion")
    before = lab.truth("notion", f"/pages/{lab.page}")[1]["properties"]
    given = {
        "Target date": {"date": {"start": "2031-02-03"}},
        "Status": {"status": {"name": "Blocked"}},
    }
    assert lab.ask("notion", "PATCH", f"/pages/{lab.page}", {"properties": given})[0] == 200
    after = lab.truth("notion", f"/pages/{lab.page}")[1]["properties"]
    assert {n: after[n] for n in given} == {n: before[n] for n in given}
    lab.fault(id="C9", service="asana")
    before = lab.truth("asana", f"/tasks/{lab.task}")[1]["data"]
    given = {"due_on": "2031-02-03", "completed": not before["completed"]}
    lab.ask("asana", "PUT", f"/tasks/{lab.task}", {"data": given})
    after = lab.truth("asana", f"/tasks/{lab.task}")[1]["data"]
    assert {n: after[n] for n in given} == {n: before[n] for n in given}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("variant", ["ignored", "reset"])
def test_h11_ignored_or_reset_by_the_site(lab, service, variant):
    old = lab.name(service)
    lab.fault(id="H11", variant=variant)
    assert lab.rename(service, "ours")[0] in {200, 204}
    assert lab.name(service) == old
    if service == "jira":
        entries = lab.truth("jira", "/issue/WEB-1/changelog")[1]["values"]
        assert any("ours" in str(row["items"]) for row in entries) == (variant == "reset")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("variant", "status"), [("after-502", 502), ("after-504", 504)])
def test_h1_the_gateway_fails_after_the_effect(lab, service, variant, status):
    lab.fault(id="H1", variant=variant, method=["PUT", "PATCH"])
    assert lab.rename(service, "renamed")[0] == status
    assert lab.name(service) == "renamed"


@pytest.mark.parametrize(("service", "name"), [("jira", "reporter"), ("asana", "modified_at"),
                                               ("notion", "created_by")])  # fmt: skip
def test_h9_a_field_is_gone(lab, service, name):
    def fields():
        body = lab.ask(service, "GET", paths(lab)[service])[1]
        return body.get("fields") or body.get("data") or body

    assert name in fields()
    lab.fault(id="H9", variant="field")
    assert name not in fields()
    kept = next(iter(fields()))
    lab.fault(id="H9", variant="field", **{"with": {"field": kept}})
    assert kept not in fields()
    assert name in fields()


def test_h4_requests_at_the_same_time_are_really_counted(lab):
    url, headers = f"{lab.url}/asana/api/1.0/users/me", lab.headers("asana")
    lab.fault({"id": "H4", "variant": "counted", "count": 1},
              {"id": "slow", "delay": 0.4, "service": "asana"})  # fmt: skip
    assert requests.get(url, headers=headers, timeout=5).status_code == 200  # now it counts
    got = []
    threads = [threading.Thread(target=lambda: got.append(requests.get(url, headers=headers, timeout=5)))
               for _number in range(3)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in got) == [200, 429, 429]
    refused = next(answer for answer in got if answer.status_code == 429)
    assert "too many requests in flight" in refused.text
    assert requests.get(url, headers=headers, timeout=5).status_code == 200  # one by one it goes


@pytest.mark.parametrize(("variant", "service"), [("deactivated", "jira"), ("left", "asana")])
def test_a7_somebody_leaves_and_their_items_go_to_the_admin(lab, variant, service):
    def mine():
        if service == "jira":
            store, admin = lab.sandbox.jira.store, lab.sandbox.jira.account_id
            return sum(i.values.get("assignee") == admin for i in store.issues.values())
        store, admin = lab.sandbox.asana.store, lab.sandbox.asana.user
        return sum(store.objects[gid].assignee == admin for gid in store.kinds["task"])

    before = mine()
    lab.fault(id="A7", variant=variant)
    lab.ask(service, "GET", "/users/me")
    assert mine() > before
    if service == "asana":
        people = lab.ask("asana", "GET", "/users", workspace=lab.sandbox.asana.workspace)[1]["data"]
        everybody = lab.sandbox.asana.store.kinds["user"]
        assert len(people) == len(everybody) - 1


def test_n9_slow_loris_by_its_name(lab):
    lab.fault(id="N9", variant="slow-loris")
    raw, end = lab.bytes_of("jira", "GET", "/myself", timeout=0.3)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert (end, len(body)) == ("open", 1)
