"""A field that a tool no longer shows, or a record that was moved out, erases nothing in the other tools."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from office import office

import mappings

TITLE = "Fleet map"
STARTS = "2026-05-05"
RULES = Path(mappings.__file__).parent / "rules" / "demo.yaml"
OWNED = "owner: notion                   # leadership ranks"


@pytest.fixture
def acme(tmp_path):
    """The demonstration company, in step; anybody may rank, so that every tool has something to erase."""
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        RULES.read_text("utf8").replace(OWNED, "owner: shared  # by everybody"), "utf8"
    )
    with office(tmp_path, mapping) as world:
        settle(world)
        world.edit_issue(TITLE, **{remote(world, "jira", "start"): STARTS})
        settle(world)
        yield world


def settle(acme):
    """Run cycles, the first in full, asking again what the tools offer where a cycle wants that."""
    for number in range(4):
        if acme.system.errors or acme.system.store.document("resurvey") is True:
            acme.system.survey()
        acme.cycle(full=number == 0)


def remote(acme, connection, field):
    return acme.system.roadmap.cells_of("feature", connection)[field].remote


def scope(acme, name):
    return next(scope.id for scope in acme.system.roadmap.scopes if scope.name == name)


def values(acme, *fields):
    """Return the canonical values of these fields, of every feature."""
    items = acme.system.store.items_at(("feature",))
    return {(item.title, name): item.fields.get(name) for item in items for name in fields}


def told(acme, kind):
    return [notice.sentence for notice in acme.system.store.notices() if notice.kind == kind]


def change_property(acme, **change):
    path = f"/v1/data_sources/{scope(acme, 'Roadmap')}"
    acme.notion()("PATCH", path, {"properties": {"Target date": change or None}})


def put_custom_field(acme, verb):
    path = f"/api/1.0/projects/{scope(acme, 'Go-to-market')}/{verb}CustomFieldSetting"
    acme.asana()("POST", path, {"data": {"custom_field": remote(acme, "asana", "priority")}})


def hide_field(monkeypatch, field):
    """Leave a field out of what Jira shows, as a context or a field configuration does that hides it."""
    from syncd.sandbox.jira import render

    whole = render.issue_shape

    def without(*args, **more):
        shape = whole(*args, **more)
        shape["fields"].pop(field, None)
        return shape

    for name, module in list(sys.modules.items()):
        if name.startswith("syncd.sandbox.jira") and hasattr(module, "issue_shape"):
            monkeypatch.setattr(module, "issue_shape", without)


def test_a_property_of_another_type_is_not_an_empty_one(acme):
    before = values(acme, "due")
    change_property(acme, rich_text={})
    settle(acme)
    assert values(acme, "due") == before
    (sentence,) = [
        text
        for text in told(acme, "not-shown")
        if acme.record(TITLE, "notion").replace("-", "") in text
    ]
    assert "Target date: is not shown there any more" in sentence
    assert "put the field back, or change" in sentence
    change_property(acme, date={})
    settle(acme)
    assert values(acme, "due") == before, "what the change of type has emptied is nobody's word"
    assert acme.row(TITLE)["Target date"]["date"]["start"] == before[TITLE, "due"]
    assert told(acme, "not-shown") == []


def test_a_property_made_again_is_filled_again(acme):
    before = values(acme, "due")
    change_property(acme)
    settle(acme)
    assert 'has no field "Target date"' in str(acme.system.errors["notion"])
    change_property(acme, date={})
    settle(acme)
    assert values(acme, "due") == before
    assert acme.row(TITLE)["Target date"]["date"]["start"] == before[TITLE, "due"]


def test_names_of_properties_and_options_are_only_names(acme):
    before = values(acme, "due", "status", "priority")
    change_property(acme, name="Finish")
    path = f"/v1/data_sources/{scope(acme, 'Roadmap')}"
    held = acme.notion()("GET", path)["properties"]["Priority"]["select"]["options"]
    options = [{**option, "name": f"{option['name']}!"} for option in held]
    acme.notion()("PATCH", path, {"properties": {"Priority": {"select": {"options": options}}}})
    writes = len(acme.written())
    settle(acme)
    assert (values(acme, "due", "status", "priority"), len(acme.written())) == (before, writes)


def test_a_custom_field_taken_out_of_its_project_is_not_an_empty_one(acme):
    before = values(acme, "priority")
    put_custom_field(acme, "remove")
    settle(acme)
    assert values(acme, "priority") == before
    assert any(acme.record(TITLE, "asana") in text for text in told(acme, "not-shown"))
    put_custom_field(acme, "add")
    settle(acme)
    assert values(acme, "priority") == before
    assert told(acme, "not-shown") == []


def test_a_field_that_jira_hides_is_not_an_empty_one(acme, monkeypatch):
    with monkeypatch.context() as hidden:
        hide_field(hidden, remote(acme, "jira", "start"))
        acme.edit_issue(TITLE, duedate="2027-01-01")
        settle(acme)
        assert acme.row(TITLE)["Start"]["date"]["start"] == STARTS
        assert acme.row(TITLE)["Target date"]["date"]["start"] == "2027-01-01", "the rest goes on"
        (sentence,) = told(acme, "not-shown")
        assert "start Start date: is not shown there any more" in sentence
    acme.edit_issue(TITLE, **{remote(acme, "jira", "start"): "2026-06-06"})
    settle(acme)
    assert acme.row(TITLE)["Start"]["date"]["start"] == "2026-06-06"
    assert told(acme, "not-shown") == []


def key_of(acme):
    item = acme.item(TITLE).id
    return acme.system.store.records_of([item])[item]["jira"].record.key


def test_an_issue_moved_out_of_every_project_is_left_alone_until_it_is_back(acme):
    acme.sandbox.jira.add_project("OUT", "Outside")
    home = key_of(acme).partition("-")[0]
    moved = acme.sandbox.jira.move_issue(key_of(acme), "OUT")
    settle(acme)
    acme.edit_task(TITLE, due_on="2027-07-07")
    settle(acme)
    assert acme.row(TITLE)["Target date"]["date"]["start"] == "2027-07-07"
    assert acme.issue(TITLE)["duedate"] != "2027-07-07"
    (sentence,) = told(acme, "level")
    assert sentence.startswith(f"{moved} in jira was moved to where the mapping reads nothing")
    acme.sandbox.jira.move_issue(moved, home)
    acme.edit_issue(TITLE, labels=["back"])
    settle(acme)
    assert acme.issue(TITLE)["duedate"] == "2027-07-07"
    assert told(acme, "level") == []


def test_a_row_moved_to_another_database_takes_nothing_with_it(acme):
    before = values(acme, "due", "priority", "labels", "owner")
    row, made = acme.record(TITLE, "notion"), acme.creations()
    page = acme.notion()("POST", "/v1/search", {"filter": {"property": "object", "value": "page"}})
    body = {
        "parent": {"page_id": page["results"][0]["id"]},
        "title": [{"type": "text", "text": {"content": "Attic"}}],
        "initial_data_source": {"properties": {"Name": {"title": {}}}},
    }
    attic = acme.notion()("POST", "/v1/databases", body)["data_sources"][0]["id"]

    def move(source, kind="data_source_id"):
        parent = {"type": kind, kind: source}
        acme.notion()("POST", f"/v1/pages/{row}/move", {"parent": parent})
        settle(acme)
        assert values(acme, "due", "priority", "labels", "owner") == before

    move(attic)
    assert acme.context.errors == {}, "one row that was moved keeps no other back"
    assert "moved to where the mapping reads nothing" in told(acme, "level")[0]
    move(page["results"][0]["id"], "page_id")
    assert "moved to where the mapping reads nothing" in told(acme, "level")[0]
    move(scope(acme, "Roadmap"))
    assert acme.row(TITLE)["Target date"]["date"]["start"] == before[TITLE, "due"]
    assert acme.creations() == made
