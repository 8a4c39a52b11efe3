"""People edit in their tools; the next cycle carries, corrects or asks."""

from __future__ import annotations

import time

from company import date, status

from syncd.cli.common import when
from syncd.cli.status import print_hot
from syncd.engine.hot import hot_items
from syncd.testing.fakes import FakeClock


def test_an_edit_in_jira_is_in_notion_and_asana_after_the_next_cycle(acme):
    acme.move("Offline maps", "Blocked")
    acme.edit_issue("Offline maps", summary="Offline maps, worldwide", duedate="2027-05-01")
    acme.cycle()
    row, task = acme.row("Offline maps, worldwide"), acme.task("Offline maps, worldwide")
    assert row["Status"]["status"]["name"] == "Blocked"
    assert row["Target date"]["date"]["start"] == "2027-05-01"
    assert row["Name"]["title"][0]["plain_text"] == "Offline maps, worldwide"
    assert task["name"] == "Offline maps, worldwide"
    assert task["due_on"] == "2027-05-01"
    assert acme.section("Offline maps, worldwide") == "Blocked"
    assert acme.cycle().writes == 0


def test_a_shared_field_edited_in_asana_is_in_jira_and_notion(acme):
    acme.edit_task("Fleet map", due_on="2027-03-03")
    acme.cycle()
    assert acme.issue("Fleet map")["duedate"] == "2027-03-03"
    assert acme.row("Fleet map")["Target date"]["date"]["start"] == "2027-03-03"


def test_a_field_that_notion_owns_is_carried_to_asana(acme):
    acme.edit_row("Fleet cockpit", Status=status("Blocked"))
    acme.cycle()
    assert acme.section("Fleet cockpit") == "Blocked"


def test_a_field_that_notion_owns_is_carried_to_jira_and_asana(acme):
    acme.edit_row("Fleet map", Priority={"select": {"name": "Lowest"}})
    acme.cycle()
    assert acme.issue("Fleet map")["priority"]["name"] == "Lowest"
    fields = {
        each["name"]: each["display_value"] for each in acme.task("Fleet map")["custom_fields"]
    }
    assert fields["Priority"] == "Lowest"
    acme.edit_issue("Fleet map", priority={"name": "Highest"})
    report = acme.cycle()
    assert acme.issue("Fleet map")["priority"]["name"] == "Lowest", "Notion owns it"
    assert report.tallies["jira"].corrected == 1


def test_a_move_of_a_section_in_asana_is_seen_though_asana_does_not_date_it(acme):
    project = acme.task("Fleet map")["memberships"][0]["project"]["gid"]
    sections = acme.asana()("GET", f"/api/1.0/projects/{project}/sections")["data"]
    shipped = next(each["gid"] for each in sections if each["name"] == "Shipped")
    body = {"data": {"task": acme.record("Fleet map", "asana")}}
    acme.asana()("POST", f"/api/1.0/sections/{shipped}/addTask", body)
    report = acme.cycle()
    assert acme.section("Fleet map") == "Doing", "jira owns the status: the move is corrected"
    assert report.tallies["asana"].corrected == 1


def test_an_edit_of_a_field_owned_elsewhere_is_corrected_recorded_and_explained(acme):
    before = acme.row("Offline maps")["Status"]["status"]["name"]
    acme.edit_row("Offline maps", Status=status("Done"))
    report = acme.cycle()
    assert acme.row("Offline maps")["Status"]["status"]["name"] == before
    assert report.tallies["notion"].corrected == 1
    entry = acme.system.store.history(acme.item("Offline maps").id, "status")[-2:]
    actions = {each.action: each for each in acme.system.store.history(field="status")}
    assert entry
    assert actions["corrected"].before == "done"
    assert actions["corrected"].author == acme.system.directory.person(
        "notion", acme.notion()("GET", "/v1/users/me")["id"]
    )


def test_clearing_a_shared_field_clears_it_everywhere(acme):
    acme.edit_row("Fleet map", **{"Target date": date(None)})
    acme.cycle()
    assert acme.issue("Fleet map")["duedate"] is None
    assert acme.task("Fleet map")["due_on"] is None


def test_roll_ups_follow_the_work_below(acme):
    children = acme.system.store.children(acme.item("Fleet map").id)
    child = next(
        c for c in children if c.fields["status"] == "planned" and c.fields.get("estimate")
    )
    before = acme.row("Fleet map")["Items done"]["number"]
    goal_before = acme.row("Fleet cockpit")["Items done"]["number"]
    acme.move(child.title, "Done")
    acme.cycle()
    assert acme.row("Fleet map")["Items done"]["number"] == before + 1
    assert acme.row("Fleet cockpit")["Items done"]["number"] == goal_before + 1


def test_a_computed_number_that_somebody_overwrites_is_put_right(acme):
    right = acme.row("Fleet map")["Items done"]["number"]
    acme.edit_row("Fleet map", **{"Items done": {"number": 999}})
    acme.cycle()
    assert acme.row("Fleet map")["Items done"]["number"] == right


def test_a_new_epic_appears_everywhere_once_and_a_parent_set_in_notion_counts(acme):
    jira = acme.jira()
    fields = {
        "project": {"key": "WEB"},
        "issuetype": {"name": "Epic"},
        "summary": "Näkymä: <b>gift</b> cards 🎁 & more",
    }
    key = jira("POST", "/rest/api/3/issue", {"fields": fields})["key"]
    story = {"project": {"key": "WEB"}, "issuetype": {"name": "Story"}, "summary": "One story"}
    jira("POST", "/rest/api/3/issue", {"fields": {**story, "parent": {"key": key}}})
    acme.cycle()
    title = fields["summary"]
    row = acme.row(title)
    assert row["Name"]["title"][0]["plain_text"] == title
    assert row["Items total"]["number"] == 1
    assert acme.task(title)["name"] == title
    before = acme.row("Fleet cockpit")["Items total"]["number"]
    relation = {"relation": [{"id": acme.record("Fleet cockpit", "notion")}]}
    acme.edit_row(title, Parent=relation)
    acme.cycle()
    assert acme.row("Fleet cockpit")["Items total"]["number"] == before + 1
    assert acme.cycle().writes == 0


def test_a_deleted_issue_is_reported_and_nothing_is_deleted_elsewhere(acme):
    issue = acme.record("School run routes", "jira")
    row, task = (
        acme.record("School run routes", "notion"),
        acme.record("School run routes", "asana"),
    )
    acme.jira()("DELETE", f"/rest/api/3/issue/{issue}?deleteSubtasks=true")
    report = acme.cycle(full=True)
    assert sum(tally.created for tally in report.tallies.values()) == 0
    assert not acme.notion()("GET", f"/v1/pages/{row}")["in_trash"]
    assert acme.asana()("GET", f"/api/1.0/tasks/{task}")["data"]["name"] == "School run routes"
    kinds = [notice.kind for notice in acme.system.store.notices()]
    assert "invisible" in kinds


def test_a_trashed_task_is_reported_and_not_made_again(acme):
    acme.asana()("DELETE", f"/api/1.0/tasks/{acme.record('Fleet map', 'asana')}")
    for _ in range(3):
        assert acme.cycle(full=True).tallies["asana"].created == 0
    assert any(notice.kind == "gone" for notice in acme.system.store.notices())


def test_an_idle_cycle_costs_one_list_call_for_each_scope_and_no_write(acme):
    acme.sandbox.clock.step(3600)  # every window of overlap has passed
    acme.cycle()
    acme.sandbox.counters.clear()
    report = acme.cycle()
    assert report.writes == 0
    assert acme.calls() == {
        "jira": 1,
        "asana": 2,
        "notion": 1,
    }  # one site, two projects, one database


def test_a_restart_at_rest_costs_no_more(acme):
    acme.sandbox.clock.step(3600)
    acme.cycle()
    acme.sandbox.counters.clear()
    acme.reopen()
    assert acme.cycle().writes == 0
    assert acme.calls() == {"jira": 1, "asana": 2, "notion": 1}


def test_what_a_person_is_just_editing_in_notion_is_not_written_over(acme, capsys):
    title = "Fleet map"
    acme.edit_row(title, **{"Committed date": date("2027-05-05")})
    acme.cycle()
    before = acme.row(title)["Target date"]
    acme.edit_issue(title, duedate="2027-03-03")
    report = acme.cycle()
    assert acme.task(title)["due_on"] == "2027-03-03", "Asana keeps a log: it does not wait"
    assert acme.row(title)["Target date"] == before
    assert (report.complete, acme.context.postponed) == (False, {title})
    (told,) = hot_items(acme.system.store)
    assert (told.title, told.connection, told.fields) == (title, "notion", ("due",))
    print_hot(acme.system)
    out = capsys.readouterr().out
    assert out.startswith(f"waiting: due of {title} in notion, which Mei")
    assert f"has just edited; written after {when(told.until)}" in out
    later = FakeClock(time.time() + 200.0)
    acme.reopen(clock=later)
    acme.cycle()
    assert acme.row(title)["Target date"]["date"]["start"] == "2027-03-03"
    assert hot_items(acme.system.store) == ()
    assert acme.cycle().writes == 0
