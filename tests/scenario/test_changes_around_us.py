"""Types, options, properties and trash change in the tools while syncd goes on."""

from __future__ import annotations

from dataclasses import replace

from company import company, date
from test_pages import blocks, text


def kinds(acme):
    return {notice.kind for notice in acme.system.store.notices()}


def test_a_row_in_the_trash_is_told(acme):
    row = acme.record("Fleet map", "notion")
    acme.notion()("PATCH", f"/v1/pages/{row}", {"in_trash": True})
    report = acme.cycle(full=True)
    assert report.tallies["notion"].created == 0
    assert any(n.kind == "gone" and "notion" in n.sentence for n in acme.system.store.notices())
    acme.cycle()
    assert "gone" in kinds(acme)


def test_an_issue_that_becomes_another_type_is_told(acme):
    acme.edit_issue("School run routes", issuetype={"name": "Story"})
    acme.cycle()
    told = [n for n in acme.system.store.notices() if n.kind == "level"]
    assert len(told) == 1
    assert "School run routes" in told[0].sentence


def test_a_property_deleted_and_made_again_is_found_again(acme):
    source = next(s.id for s in acme.system.roadmap.scopes if s.connection == "notion")
    path = f"/v1/data_sources/{source}"
    acme.notion()("PATCH", path, {"properties": {"Committed date": None}})
    acme.reopen()
    acme.edit_task("Fleet map", due_on="2027-03-03")
    acme.cycle()
    assert acme.issue("Fleet map")["duedate"] == "2027-03-03", "the other tools are served"
    acme.reopen()
    assert "Committed date" in str(acme.system.errors["notion"])
    acme.notion()("PATCH", path, {"properties": {"Committed date": {"date": {}}}})
    acme.reopen()
    report = acme.cycle()
    assert report.tallies["notion"].error is None
    assert acme.row("Fleet map")["Target date"]["date"]["start"] == "2027-03-03"


def test_a_note_below_a_line_of_the_page_survives_a_new_title(acme):
    line = next(block for block in blocks(acme) if "Fleet cockpit" in text(block))
    note = {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "ask Sofía"}}]}}
    path = f"/v1/blocks/{line['id']}/children"
    made = acme.notion()("PATCH", path, {"children": [note]})["results"][0]
    title = [{"type": "text", "text": {"content": "A whole new cockpit"}}]
    acme.edit_row("Fleet cockpit", Name={"title": title})
    assert acme.cycle().pages > 0
    kept = acme.notion()("GET", f"/v1/blocks/{made['id']}")
    assert not kept["in_trash"]
    assert any("A whole new cockpit" in text(block) for block in blocks(acme))


def test_blocks_somebody_made_with_our_token_stay(acme):
    page = acme.system.store.document("page:notion:Roadmap at a glance")["page"]
    from syncd.sandbox.seeds.caller import notion_caller

    call = notion_caller(acme.sandbox.notion, acme.sandbox.notion.token)
    mine = {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "keep me"}}]}}
    call("PATCH", f"/v1/blocks/{page}/children", {"children": [mine]})
    assert acme.cycle(full=True).pages == 0
    assert any(text(block) == "keep me" for block in blocks(acme))


def test_an_edit_after_a_decision_counts(acme):
    acme.edit_issue("Fleet map", duedate="2027-01-01")
    acme.edit_row("Fleet map", **{"Target date": date("2027-02-02")})
    acme.cycle()
    store = acme.system.store
    conflict = store.conflicts()[0]
    store.save_conflicts([replace(conflict, resolution="2027-01-01", resolved_by="a test")])
    store.mark_dirty([conflict.item])
    acme.edit_row("Fleet map", **{"Target date": date("2027-06-30")})
    acme.cycle()
    assert acme.issue("Fleet map")["duedate"] == "2027-06-30"
    assert acme.row("Fleet map")["Target date"]["date"]["start"] == "2027-06-30"
    assert store.conflicts() == ()


SUBTASKS = """
roadmap: Bets
items:
  initiative:
    asana: {project: Roadmap}
    notion: {database: Roadmap, where: {Type: Feature}}
  feature:
    asana: {project: Roadmap, subtasks: true}
    notion: {database: Roadmap, where: {Type: Work item}}
    parent: {asana: parent, notion: Parent}
fields:
  status:
    levels: [initiative]
    asana: {field: section, values: {To do: planned, Doing: in progress, Done: done}}
    notion:
      property: Status
      values: {Planned: planned, In progress: in progress, Done: done}
"""


def test_asana_s_subtasks_are_a_level_of_their_own(tmp_path):
    (tmp_path / "roadmap.yaml").write_text(SUBTASKS, "utf8")
    with company(tmp_path, "empty") as world:
        project = world.system.roadmap.scopes[0].id
        call = world.asana()
        task = call("POST", "/api/1.0/tasks", {"data": {"name": "Bet", "projects": [project]}})[
            "data"
        ]
        call("POST", f"/api/1.0/tasks/{task['gid']}/subtasks", {"data": {"name": "Part"}})
        world.settle()
        assert world.item("Bet").level == "initiative"
        assert world.item("Part").level == "feature"
        assert world.item("Part").parent == world.item("Bet").id
        assert world.row("Part")["Parent"]["relation"] == [{"id": world.record("Bet", "notion")}]


def test_one_refused_value_keeps_no_other_back_and_is_asked_again_by_a_full_cycle(acme):
    acme.sandbox.faults.set(
        [
            {
                "id": "no-title",
                "service": "asana",
                "method": "PUT",
                "path": ".*/tasks/.*",
                "status": 400,
                "body": '{"errors":[{"message":"this is not liked here"}]}',
                "count": 2,
            }
        ]
    )
    acme.edit_issue("Fleet map", summary="Fleet map, worldwide", duedate="2027-03-03")
    acme.cycle()
    refused = [n for n in acme.system.store.notices() if n.kind == "refused"]
    assert len(refused) == 1, "the first request was refused whole, then one of its values alone"
    task = acme.task("Fleet map, worldwide")
    assert (task["due_on"] == "2027-03-03") != (task["name"] == "Fleet map, worldwide")
    assert acme.cycle().tallies["asana"].updated == 0, "not asked again for nothing"
    acme.cycle(full=True)
    task = acme.task("Fleet map, worldwide")
    assert (task["due_on"], task["name"]) == ("2027-03-03", "Fleet map, worldwide")
    assert not [n for n in acme.system.store.notices() if n.kind == "refused"]
