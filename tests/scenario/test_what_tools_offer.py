"""What a tool offers changes: only that tool is left out, or it stays with what is in use; the others go on."""

from __future__ import annotations

import pytest
from office import office

TITLE = "Fleet map"


@pytest.fixture
def acme(tmp_path):
    with office(tmp_path) as world:
        for _ in range(2):
            world.cycle(full=True)
        yield world


def source(acme):
    return next(scope.id for scope in acme.system.roadmap.scopes if scope.name == "Roadmap")


def duplicate(acme):
    """Make a database of the same name with the same properties, as a colleague who copies it does."""
    known = acme.notion()("GET", f"/v1/data_sources/{source(acme)}")
    plain = {
        name: {prop["type"]: {"options": [{"name": o["name"]} for o in prop["select"]["options"]]}}
        if prop["type"] == "select"
        else {prop["type"]: {}}
        for name, prop in known["properties"].items()
        if prop["type"] in ("title", "date", "select", "rich_text", "number", "people")
    }
    page = next(
        found["id"]
        for found in acme.notion()("POST", "/v1/search", {"query": "Product"})["results"]
        if found["object"] == "page"
    )
    body = {
        "parent": {"type": "page_id", "page_id": page},
        "title": [{"text": {"content": "Roadmap"}}],
        "initial_data_source": {"properties": plain},
    }
    return acme.notion()("POST", "/v1/databases", body)["data_sources"][0]["id"]


def told(acme):
    return [n.sentence for n in acme.system.store.notices() if n.kind == "namesake"]


def test_a_copy_of_a_database_leaves_the_one_in_use_in_use(acme):
    mine, copy = source(acme), duplicate(acme)
    for _ in range(2):  # the second time the copy is not what was known before, either
        acme.system.survey(fresh=True)
        assert acme.system.errors == {}
        assert source(acme) == mine
        (sentence,) = told(acme)
        assert f"goes on with {mine}" in sentence
        assert copy in sentence
    acme.edit_issue(TITLE, duedate="2027-03-03")
    acme.cycle()
    assert acme.row(TITLE)["Target date"]["date"]["start"] == "2027-03-03"
    acme.notion()("PATCH", f"/v1/data_sources/{copy}", {"title": [{"text": {"content": "Copy"}}]})
    acme.system.survey(fresh=True)
    assert told(acme) == [], "a new name is one way out"
    acme.notion()(
        "PATCH", f"/v1/data_sources/{copy}", {"title": [{"text": {"content": "Roadmap"}}]}
    )
    acme.system.survey(fresh=True)
    assert len(told(acme)) == 1
    mapping = acme.config.parent / "roadmap.yaml"
    text = mapping.read_text("utf8")
    mapping.write_text(text.replace("database: Roadmap", f"database: {mine}"), "utf8")
    acme.reopen()
    assert told(acme) == [], "the id in the mapping is the other"
    mapping.write_text(text, "utf8")
    acme.reopen()
    assert len(told(acme)) == 1


def test_only_the_tool_that_no_longer_fits_is_left_out(acme):
    acme.notion()(
        "PATCH", f"/v1/data_sources/{source(acme)}", {"properties": {"Target date": None}}
    )
    acme.jira()(
        "POST",
        "/rest/api/3/field",
        {"name": "Sponsor", "type": "com.atlassian.jira.plugin.system.customfieldtypes:textfield"},
    )
    acme.system.survey(fresh=True)
    assert set(acme.system.errors) == {"notion"}
    assert "Target date" in str(acme.system.errors["notion"])
    acme.edit_issue(TITLE, duedate="2027-03-03")
    acme.cycle()
    assert acme.task(TITLE)["due_on"] == "2027-03-03", "Jira and Asana go on"
