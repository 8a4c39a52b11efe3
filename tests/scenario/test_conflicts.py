"""The same field edited differently in two tools: a person decides, and nothing else waits for it."""

from __future__ import annotations

from dataclasses import replace

from company import date

TITLE = "Fleet map"


def quarrel(acme, one="2027-01-01", other="2027-02-02"):
    acme.edit_issue(TITLE, "priya", duedate=one)
    acme.edit_row(TITLE, "mei", **{"Target date": date(other)})


def test_both_values_and_authors_are_kept_and_both_tools_left_alone(acme):
    quarrel(acme)
    report = acme.cycle()
    assert report.conflicts == 1
    conflict = acme.system.store.conflicts()[0]
    assert {c.connection: c.value for c in conflict.claims} == {
        "jira": "2027-01-01",
        "notion": "2027-02-02",
    }
    names = {c.connection: acme.system.directory.name(c.author) for c in conflict.claims}
    assert names == {"jira": "Priya Raman", "notion": "Mei-Ling Zhào"}
    assert acme.issue(TITLE)["duedate"] == "2027-01-01"
    assert acme.row(TITLE)["Target date"]["date"]["start"] == "2027-02-02"
    assert acme.cycle().writes == 0


def test_a_conflict_blocks_only_its_own_cell(acme):
    quarrel(acme)
    acme.edit_issue(TITLE, summary="Fleet map, live")
    acme.cycle()
    assert acme.task("Fleet map, live")["name"] == "Fleet map, live"
    assert acme.row("Fleet map, live")["Name"]["title"][0]["plain_text"] == "Fleet map, live"


def test_settling_writes_the_chosen_value_everywhere_and_stays_settled(acme):
    quarrel(acme)
    acme.cycle()
    store = acme.system.store
    conflict = store.conflicts()[0]
    store.save_conflicts([replace(conflict, resolution="2027-02-02", resolved_by="a test")])
    store.mark_dirty([conflict.item])
    acme.cycle()
    assert acme.issue(TITLE)["duedate"] == "2027-02-02"
    assert acme.task(TITLE)["due_on"] == "2027-02-02"
    assert store.conflicts() == ()
    assert acme.cycle().writes == 0
    acme.edit_task(TITLE, due_on="2027-06-06")
    acme.cycle()
    assert acme.issue(TITLE)["duedate"] == "2027-06-06", "later edits flow again"


def test_people_who_agree_after_all_end_the_conflict_themselves(acme):
    quarrel(acme)
    acme.cycle()
    acme.edit_issue(TITLE, duedate="2027-02-02")
    report = acme.cycle()
    assert report.conflicts == 0
    assert acme.task(TITLE)["due_on"] == "2027-02-02"
    store = acme.system.store
    (told,) = [entry for entry in store.history() if entry.action == "resolved"]
    assert (told.after, told.detail) == ("2027-02-02", "nobody disagrees any more")


def test_the_same_edit_in_two_tools_is_no_conflict(acme):
    quarrel(acme, "2027-04-04", "2027-04-04")
    assert acme.cycle().conflicts == 0
    assert acme.task(TITLE)["due_on"] == "2027-04-04"


def test_a_named_winner_needs_no_person(acme):
    text = (acme.config.parent / "roadmap.yaml").read_text("utf8")
    text = text.replace("on_conflict: ask", "on_conflict: notion")
    (acme.config.parent / "roadmap.yaml").write_text(text, "utf8")
    acme.reopen()
    acme.settle()
    quarrel(acme)
    report = acme.cycle()
    assert report.conflicts == 0
    assert acme.issue(TITLE)["duedate"] == "2027-02-02"
    overruled = [e for e in acme.system.store.history(field="due") if e.action == "merged"]
    assert overruled[0].before == "2027-01-01", "the losing value is kept in the history"
