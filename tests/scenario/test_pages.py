"""The consolidated page in Notion: kept by the smallest edit, beside what people write."""

from __future__ import annotations

from company import date

PAGE = "page:notion:Roadmap at a glance"


def blocks(acme):
    page = acme.system.store.document(PAGE)["page"]
    path = f"/v1/blocks/{page}/children?page_size=100"
    return acme.notion()("GET", path)["results"]


def text(block):
    return "".join(part["plain_text"] for part in block[block["type"]].get("rich_text", ()))


def test_the_page_says_how_things_stand(acme):
    lines = [text(block) for block in blocks(acme)]
    assert "8 initiatives under way" in lines[1]
    assert any("Fleet cockpit" in line and "items" in line for line in lines)
    assert any("off track: work below ends" in line for line in lines)
    assert any("done, but 1 below it still open" in line for line in lines)


def test_people_s_blocks_stay_byte_identical(acme):
    page = acme.system.store.document(PAGE)["page"]
    mine = {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "keep me"}}]}}
    acme.notion()("PATCH", f"/v1/blocks/{page}/children", {"children": [mine]})
    people = [block for block in blocks(acme) if text(block).startswith(("Board", "keep"))]
    assert len(people) == 2
    acme.edit_issue("Offline maps", duedate="2027-05-01")
    assert acme.cycle().pages > 0
    assert [b for b in blocks(acme) if text(b).startswith(("Board", "keep"))] == people


def test_a_changed_due_date_edits_the_lines_concerned_and_no_other(acme):
    before = {block["id"]: text(block) for block in blocks(acme)}
    acme.edit_issue("Offline maps", duedate="2027-05-01")
    acme.cycle()
    after = {block["id"]: text(block) for block in blocks(acme)}
    changed = [line for block, line in after.items() if before.get(block) != line]
    about = ("Offline maps", "Ride planning", "initiatives under way")
    assert changed
    assert all(any(word in line for word in about) for line in changed), changed
    assert any("due 2027-05-01" in line for line in changed)
    assert any("2027-01-03 → 2027-05-01" in line or "→ 2027-05-01" in line for line in changed)


def test_nothing_changed_means_no_call(acme):
    acme.sandbox.counters.clear()
    assert acme.cycle().pages == 0
    assert not [key for key in acme.sandbox.counters if "blocks" in key[2]]


def test_an_edit_seen_by_a_plan_is_on_the_page_after_the_next_cycle(acme):
    acme.edit_row("Fleet map", **{"Target date": date("2027-06-01")})
    acme.look()
    assert acme.cycle().pages > 0
    assert any("Fleet map" in text(b) and "2027-06-01" in text(b) for b in blocks(acme))


def test_a_lost_memory_of_the_page_doubles_nothing(acme):
    before = [text(block) for block in blocks(acme)]
    acme.system.store.save_document(PAGE, None)
    acme.edit_issue("Offline maps", duedate="2027-05-01")
    acme.cycle()
    after = [text(block) for block in blocks(acme)]
    assert len(after) == len(before)
    assert sum("Offline maps" in line and "due 2027-05-01" in line for line in after) == 1


def test_a_page_somebody_deleted_is_made_anew(acme):
    page = acme.system.store.document(PAGE)["page"]
    acme.notion()("PATCH", f"/v1/pages/{page}", {"in_trash": True})
    acme.edit_issue("Offline maps", duedate="2027-05-01")
    for _ in range(3):
        report = acme.cycle()
    assert report.writes == 0
    assert acme.system.store.document(PAGE)["page"] != page
    assert any("Fleet cockpit" in text(block) for block in blocks(acme))


def test_explain_tells_what_each_tool_holds_during_a_conflict(acme):
    from syncd.core.explain import explain

    acme.edit_issue("Fleet map", duedate="2027-01-01")
    acme.edit_row("Fleet map", **{"Target date": date("2027-02-02")})
    acme.cycle()
    item, store = acme.item("Fleet map"), acme.system.store
    records = store.records_of([item.id])[item.id]
    told = explain(acme.system.roadmap, item, "due", records, store.conflicts(), (), ())
    assert {tool.connection: tool.shows for tool in told.tools} == {
        "jira": "2027-01-01",
        "notion": "2027-02-02",
        "asana": told.value,
    }
    assert told.conflict is not None


def test_another_choice_of_levels_in_the_mapping_is_on_the_page_after_one_cycle(acme):
    before = len(blocks(acme))
    mapping = acme.config.parent / "roadmap.yaml"
    all_levels = mapping.read_text("utf8")
    few = all_levels.replace("levels: [goal, initiative, feature]", "levels: [initiative]")
    assert few != all_levels
    mapping.write_text(few, "utf8")
    acme.reopen()
    assert acme.cycle().pages > 0
    assert len(blocks(acme)) < before
    mapping.write_text(all_levels, "utf8")
    acme.reopen()
    acme.cycle()
    assert len(blocks(acme)) == before
