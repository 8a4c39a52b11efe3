"""Faults of values, set-up and people's doings, by id; rules that cannot be; the command that lists all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from email.utils import parsedate_to_datetime

import pytest

from syncd.sandbox.catalogue import CATALOGUE, NOT_OFFERED
from syncd.sandbox.faults import Faults

SERVICES = ["jira", "asana", "notion"]


@pytest.mark.parametrize("service", SERVICES)
def test_v1_texts_are_tidied(lab, service):
    lab.fault(id="V1")
    lab.rename(service, '  two  blanks and "quotes"  ')
    assert lab.name(service) == "two blanks and “quotes”"


@pytest.mark.parametrize("service", SERVICES)
def test_v2_unicode_comes_back_composed(lab, service):
    apart = unicodedata.normalize("NFD", "Größe")
    lab.rename(service, apart)
    assert lab.name(service) == apart
    lab.fault(id="V2")
    paths = {"jira": "/issue/WEB-1", "asana": f"/tasks/{lab.task}", "notion": f"/pages/{lab.page}"}
    text = json.dumps(lab.ask(service, "GET", paths[service])[1], ensure_ascii=False)
    assert "Größe" in text
    assert apart not in text


def test_v3_rich_text_comes_back_in_another_shape(lab):
    lab.fault(id="V3")
    words = {"type": "paragraph", "content": [{"type": "text", "text": "words"}]}
    document = {"type": "doc", "version": 1, "content": [words]}
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"description": document}})
    stored = lab.truth("jira", "/issue/WEB-1")[1]["fields"]["description"]
    assert stored["content"][0] == words
    assert len(stored["content"]) == 2
    data = {"html_notes": "<body>words</body>"}
    lab.ask("asana", "PUT", f"/tasks/{lab.task}", {"data": data})
    task = lab.truth("asana", f"/tasks/{lab.task}?opt_fields=html_notes")[1]["data"]
    assert task["html_notes"] == "<body>words\n</body>"
    block = {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "words"}}]}}
    made = lab.ask("notion", "PATCH", f"/blocks/{lab.page}/children", {"children": [block]})[1]
    runs = made["results"][0]["paragraph"]["rich_text"]
    assert [run["plain_text"] for run in runs] == ["wo", "rds"]


def test_v7_the_order_of_choices_is_not_kept(lab):
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"labels": ["a", "b", "c"]}})
    lab.fault(id="V7", variant="order")
    assert lab.ask("jira", "GET", "/issue/WEB-1")[1]["fields"]["labels"] == ["c", "b", "a"]


def test_v7_doubles_are_merged(lab):
    lab.fault(id="V7", variant="merged")
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"labels": ["Web", "app", "web", "APP"]}})
    assert lab.truth("jira", "/issue/WEB-1")[1]["fields"]["labels"] == ["Web", "app"]


def test_v8_null_empty_and_missing(lab):
    path = f"/tasks/{lab.task}"
    assert lab.ask("asana", "GET", path)[1]["data"]["parent"] is None
    lab.fault(id="V8", variant="missing")
    assert "parent" not in lab.ask("asana", "GET", path)[1]["data"]
    lab.fault(id="V8", variant="empty")
    assert lab.ask("asana", "GET", path)[1]["data"]["parent"] == ""


def statuses(lab, service):
    """Return id and name of the choices of status, in order."""
    if service == "jira":
        return {row["id"]: row["name"] for row in lab.ask("jira", "GET", "/status")[1]}
    if service == "asana":
        rows = lab.ask("asana", "GET", f"/projects/{lab.project}/sections")[1]["data"]
        return {row["gid"]: row["name"] for row in rows}
    prop = lab.ask("notion", "GET", f"/data_sources/{lab.source.id}")[1]["properties"]["Status"]
    return {option["id"]: option["name"] for option in prop["status"]["options"]}


@pytest.mark.parametrize(("service", "old"), [("jira", "Blocked"), ("asana", "Blocked"),
                                              ("notion", "Blocked")])  # fmt: skip
def test_c1_an_option_is_renamed_and_keeps_its_id(lab, service, old):
    before = statuses(lab, service)
    lab.fault(id="C1", service=service, **{"with": {"old": old, "new": "Waiting"}})
    after = statuses(lab, service)
    assert {i: "Waiting" if name == old else name for i, name in before.items()} == after


@pytest.mark.parametrize(("service", "gone"), [("asana", "Blocked"), ("notion", "Blocked")])
def test_c1_an_option_is_deleted(lab, service, gone):
    if service == "asana":
        place = {"section": next(i for i, n in statuses(lab, service).items() if n == "Ideas")}
        section = next(i for i, n in statuses(lab, service).items() if n == gone)
        for row in lab.ask("asana", "GET", f"/sections/{section}/tasks")[1]["data"]:
            path = f"/sections/{place['section']}/addTask"
            lab.ask("asana", "POST", path, {"data": {"task": row["gid"]}})
    before = statuses(lab, service)
    lab.fault(id="C1", variant="deleted", service=service, **{"with": {"old": gone}})
    after = statuses(lab, service)
    assert {i: name for i, name in before.items() if name != gone} == after


def test_c2_a_field_is_deleted(lab):
    lab.fault(id="C2", service="jira", **{"with": {"field": "Story Points"}})
    names = [row["name"] for row in lab.ask("jira", "GET", "/field")[1]]
    assert "Story Points" not in names
    assert "Start date" in names
    lab.fault(id="C2", service="asana", **{"with": {"field": "Progress"}})
    path = f"/projects/{lab.project}/custom_field_settings"
    rows = lab.ask("asana", "GET", path, opt_fields="custom_field.name")[1]["data"]
    names = [row["custom_field"]["name"] for row in rows]
    assert "Progress" not in names
    assert "Syncd ID" in names
    lab.fault(id="C2", service="notion", **{"with": {"field": "Progress"}})
    held = lab.ask("notion", "GET", f"/data_sources/{lab.source.id}")[1]["properties"]
    assert "Progress" not in held
    assert "Status" in held


def test_c2_a_field_is_off_the_screen(lab):
    lab.fault(id="C2", variant="screen", **{"with": {"field": "duedate"}})
    body = {"fields": {"duedate": "2030-01-01"}}
    status, answer = lab.ask("jira", "PUT", "/issue/WEB-1", body)
    assert status == 400
    assert "It is not on the appropriate screen" in answer["errors"]["duedate"]
    assert lab.rename("jira", "renamed")[0] == 204


def test_c3_the_workflow_needs_more_or_lacks_a_step(lab):
    lab.fault(id="C3", **{"with": {"missing": "Done"}})
    path = "/issue/WEB-1/transitions"
    steps = lab.ask("jira", "GET", path, expand="transitions.fields")[1]["transitions"]
    assert "Done" not in [step["to"]["name"] for step in steps]
    assert all(step["fields"]["resolution"]["required"] for step in steps)
    status, answer = lab.ask("jira", "POST", path, {"transition": {"id": steps[0]["id"]}})
    assert status == 400
    assert "resolution" in answer["errors"]


def test_c4_keys_change_projects_are_archived_databases_move(lab):
    lab.fault(id="C4", service="jira", **{"with": {"container": "WEB", "key": "SHOP"}})
    assert lab.ask("jira", "GET", "/issue/WEB-1")[1]["key"] == "SHOP-1"
    lab.fault(id="C4", service="asana")
    assert lab.ask("asana", "GET", f"/projects/{lab.project}")[1]["data"]["archived"] is True
    database = lab.source.parent[1]
    before = lab.truth("notion", f"/databases/{database}")[1]["parent"]
    lab.fault(id="C4", service="notion")
    assert lab.ask("notion", "GET", f"/databases/{database}")[1]["parent"] != before


def test_c5_items_move(lab):
    number = lab.truth("jira", "/issue/WEB-1")[1]["id"]
    lab.fault(id="C5", service="jira", **{"with": {"item": "WEB-1", "to": "APP"}})
    moved = lab.ask("jira", "GET", "/issue/WEB-1")[1]
    assert moved["id"] == number
    assert moved["key"].startswith("APP-")
    lab.fault(id="C5", service="asana")
    assert lab.ask("asana", "GET", f"/tasks/{lab.task}")[1]["data"]["parent"]


def test_c6_a_second_data_source_and_a_property_made_anew(lab):
    database = lab.source.parent[1]
    lab.fault(id="C6", variant="second")
    assert len(lab.ask("notion", "GET", f"/databases/{database}")[1]["data_sources"]) == 2
    path = f"/data_sources/{lab.source.id}"
    before = lab.truth("notion", path)[1]["properties"]["Points done"]
    lab.fault(id="C6", variant="recreate", **{"with": {"field": "Points done"}})
    after = lab.ask("notion", "GET", path)[1]["properties"]["Points done"]
    assert after["type"] == before["type"]
    assert after["id"] != before["id"]


@pytest.mark.parametrize("service", SERVICES)
def test_u6_an_item_is_deleted_and_perhaps_restored(lab, service):
    path = {"jira": "/issue/WEB-1", "asana": f"/tasks/{lab.task}", "notion": f"/pages/{lab.page}"}
    lab.fault(id="U6", service=service, lasts=3600)
    status, body = lab.ask(service, "GET", path[service])
    assert body.get("in_trash") if service == "notion" else status == 404
    lab.step(3601)
    status, body = lab.ask(service, "GET", path[service])
    if service == "jira":
        assert status == 404  # Jira Cloud has no trash for issues
    else:
        assert (status, body.get("in_trash", False)) == (200, False)


def test_u7_an_item_is_copied_with_its_marker(lab):
    mark = {"item": "m-1"}
    lab.ask("jira", "PUT", "/issue/WEB-1/properties/syncd", mark)
    lab.fault(id="U7", service="jira", **{"with": {"item": "WEB-1"}})
    lab.ask("jira", "GET", "/myself")
    newest = lab.sandbox.jira.store.issues[max(lab.sandbox.jira.store.issues)]
    assert newest.properties == {"syncd": mark}
    assert newest.values["summary"] == lab.summary()
    settings = f"/projects/{lab.project}/custom_field_settings?opt_fields=custom_field.name"
    fields = lab.truth("asana", settings)[1]["data"]
    field = next(
        r["custom_field"]["gid"] for r in fields if r["custom_field"]["name"] == "Syncd ID"
    )
    lab.ask("asana", "PUT", f"/tasks/{lab.task}", {"data": {"custom_fields": {field: "m-2"}}})
    lab.fault(id="U7", service="asana")
    rows = lab.tasks(limit=100, opt_fields="custom_fields.text_value")["data"]
    marks = [value["text_value"] for row in rows for value in row["custom_fields"]
             if value.get("text_value") == "m-2"]  # fmt: skip
    assert marks == ["m-2", "m-2"]
    words = {"Syncd ID": {"rich_text": [{"text": {"content": "m-3"}}]}}
    lab.ask("notion", "PATCH", f"/pages/{lab.page}", {"properties": words})
    lab.fault(id="U7", service="notion")
    only = {"property": "Syncd ID", "rich_text": {"equals": "m-3"}}
    assert len(lab.query(filter=only)["results"]) == 2


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("seconds", [300, -300])
def test_t2_a_services_clock_is_wrong(lab, service, seconds):
    lab.fault(id="T2", service=service, **{"with": {"seconds": seconds, "drift": 36}})
    other = next(each for each in SERVICES if each != service)
    now = lab.sandbox.clock.now()
    for name, ahead in ((service, seconds), (other, 0)):
        header = lab.raw(name, "GET", "/users/me").headers["date"]
        assert parsedate_to_datetime(header).timestamp() == int(now + ahead)
    lab.step(1000)
    header = lab.raw(service, "GET", "/users/me").headers["date"]
    assert parsedate_to_datetime(header).timestamp() == int(now + 1000 + seconds + 10)


# the catalogue


def test_ids_of_the_catalogue_are_in_order_and_none_is_both_offered_and_not():
    assert not set(CATALOGUE) & set(NOT_OFFERED)
    assert all(re.fullmatch(r"[A-Z]\d+", name) for name in CATALOGUE)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [({"fault": "T1"}, "fault T1 cannot be switched on, for no service and no network causes it: the"),
     ({"fault": "Z9"}, "there is no fault 'Z9'; 'syncd sandbox faults' lists them"),
     ({"id": "N6", "variant": "zip"}, "fault N6 has no variant 'zip'; it has: json, length, gzip"),
     ({"id": "x", "do": "magic"}, "there is no injector 'magic'"),
     ({"id": "A1", "only": "some"}, "only must be one of writes, reads, lists")],
)  # fmt: skip
def test_what_cannot_be_is_told(rule, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Faults().set([rule])


def test_two_rules_of_one_id_have_names_of_their_own(lab):
    lab.fault({"id": "H2:a", "service": "jira", "variant": "zero"},
              {"id": "H2:b", "service": "asana", "variant": "long"})  # fmt: skip
    got = [lab.raw(service, "GET", "/users/me").headers.get("retry-after") for service in SERVICES]
    assert got == ["0", "600", None]


def test_faults_work_together(lab):
    lab.fault({"id": "V1"}, {"id": "H12", "service": "jira"}, {"id": "H1", "variant": "after"})
    assert lab.rename("jira", "  a  b ")[0] == 503
    fields = lab.truth("jira", "/issue/WEB-1")[1]["fields"]
    assert (fields["summary"], fields["labels"]) == ("a b", ["automation"])


def test_the_command_lists_all():
    command = [sys.executable, "-m", "syncd", "sandbox", "faults"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    for name in (*CATALOGUE, *NOT_OFFERED):
        assert re.search(rf"^{name}\b", listed, re.MULTILINE), name
