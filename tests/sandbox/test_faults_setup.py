"""Faults of set-up beyond one name, by id: merged options, retyped fields, archives, copies, cycles."""

from __future__ import annotations

import pytest


def sections(lab):
    rows = lab.truth("asana", f"/projects/{lab.project}/sections")[1]["data"]
    return {row["gid"]: row["name"] for row in rows}


def options(lab):
    prop = lab.truth("notion", f"/data_sources/{lab.source.id}")[1]["properties"]["Status"]
    return [option["name"] for option in prop["status"]["options"]]


def statuses(lab):
    return [row["name"] for row in lab.truth("jira", "/status")[1]]


def in_status(lab, name):
    store = lab.sandbox.jira.store
    return {i.key for i in store.issues.values() if store.statuses[i.values["status"]].name == name}


@pytest.mark.parametrize(("variant", "new"), [("merged", "Done"), ("deleted", None)])
def test_c1_a_jira_status_goes_and_its_issues_move(lab, variant, new):
    moved = in_status(lab, "In Progress")
    assert moved
    lab.fault(
        id="C1", variant=variant, service="jira", **{"with": {"old": "In Progress", "new": new}}
    )
    assert "In Progress" not in [row["name"] for row in lab.ask("jira", "GET", "/status")[1]]
    key = min(moved)
    assert lab.truth("jira", f"/issue/{key}")[1]["fields"]["status"]["name"] != "In Progress"
    if new:
        assert moved <= in_status(lab, new)
        found = lab.search(jql=f'status = "{new}" AND key = {key}')["issues"]
        assert [row["key"] for row in found] == [key]


def test_c1_asana_sections_are_merged(lab):
    old = next(gid for gid, name in sections(lab).items() if name == "Blocked")
    new = next(gid for gid, name in sections(lab).items() if name == "Ideas")
    moved = {row["gid"] for row in lab.truth("asana", f"/sections/{old}/tasks")[1]["data"]}
    lab.fault(
        id="C1", variant="merged", service="asana", **{"with": {"old": "Blocked", "new": "Ideas"}}
    )
    lab.ask("asana", "GET", "/users/me")
    assert old not in sections(lab)
    assert moved <= {row["gid"] for row in lab.truth("asana", f"/sections/{new}/tasks")[1]["data"]}


def test_c1_notion_options_are_merged(lab):
    def held():
        rows = lab.query(page_size=100)["results"]
        return {
            row["id"]: (row["properties"]["Status"]["status"] or {}).get("name") for row in rows
        }

    before = held()
    old = next(name for name in before.values() if name)
    new = next(name for name in options(lab) if name != old)
    lab.fault(id="C1", variant="merged", service="notion", **{"with": {"old": old, "new": new}})
    assert held() == {page: new if name == old else name for page, name in before.items()}
    assert old not in options(lab)


def test_c1_options_are_put_in_another_order(lab):
    before = options(lab)
    lab.fault(id="C1", variant="reordered", service="notion", **{"with": {"old": before[0]}})
    lab.ask("notion", "GET", "/users/me")
    assert options(lab) == before[::-1]
    names = list(sections(lab).values())
    lab.fault(id="C1", variant="reordered", service="asana", **{"with": {"old": names[0]}})
    lab.ask("asana", "GET", "/users/me")
    assert list(sections(lab).values()) == names[::-1]
    project = next(iter(lab.sandbox.jira.store.projects.values()))
    flow = next(iter(project.workflows.values()))
    first = flow.statuses
    name = lab.sandbox.jira.store.statuses[first[0]].name
    lab.fault(id="C1", variant="reordered", service="jira", **{"with": {"old": name}})
    lab.ask("jira", "GET", "/myself")
    assert flow.statuses == first[::-1]


def test_c2_a_field_gets_another_type(lab):
    old = {row["name"]: row for row in lab.ask("jira", "GET", "/field")[1]}["Story Points"]
    lab.fault(id="C2", variant="retyped", service="jira", **{"with": {"field": "Story Points"}})
    new = {row["name"]: row for row in lab.ask("jira", "GET", "/field")[1]}["Story Points"]
    assert (old["schema"]["type"], new["schema"]["type"]) == ("number", "string")
    assert new["id"] != old["id"]
    path = f"/projects/{lab.project}/custom_field_settings"
    fields = "custom_field.name,custom_field.type"

    def kinds():
        rows = lab.ask("asana", "GET", path, opt_fields=fields)[1]["data"]
        return {row["custom_field"]["name"]: row["custom_field"] for row in rows}

    name, before = next((n, f) for n, f in kinds().items() if f["type"] == "number")
    lab.fault(id="C2", variant="retyped", service="asana", **{"with": {"field": name}})
    assert kinds()[name]["type"] == "text"
    assert kinds()[name]["gid"] != before["gid"]
    source = f"/data_sources/{lab.source.id}"
    before = lab.truth("notion", source)[1]["properties"]["Points done"]
    lab.fault(id="C2", variant="retyped", service="notion", **{"with": {"field": "Points done"}})
    after = lab.ask("notion", "GET", source)[1]["properties"]["Points done"]
    assert (before["type"], after["type"]) == ("number", "rich_text")
    assert after["id"] == before["id"]


def steps(lab):
    path = "/issue/WEB-1/transitions?expand=transitions.fields"
    return lab.ask("jira", "GET", path)[1]["transitions"]


def test_c3_a_step_needs_a_comment(lab):
    lab.fault(id="C3", variant="comment")
    path, step = "/issue/WEB-1/transitions", {"transition": {"id": steps(lab)[-1]["id"]}}
    status, answer = lab.ask("jira", "POST", path, step)
    assert (status, answer["errors"]) == (400, {"comment": "Comment is required."})
    words = {"type": "paragraph", "content": [{"type": "text", "text": "because"}]}
    body = {"type": "doc", "version": 1, "content": [words]}
    comment = {"comment": [{"add": {"body": body}}]}
    assert lab.ask("jira", "POST", path, {**step, "update": comment})[0] == 204


@pytest.mark.parametrize("variant", ["resolution", "missing"])
def test_c3_a_step_needs_a_resolution_or_is_missing(lab, variant):
    before = {step["to"]["name"] for step in steps(lab)}
    lab.fault(id="C3", variant=variant)
    after = steps(lab)
    required = [step for step in after if "resolution" in step["fields"]]
    assert bool(required) == (variant == "resolution")
    assert (before - {step["to"]["name"] for step in after} != set()) == (variant == "missing")


@pytest.mark.parametrize("service", ["jira", "asana"])
def test_c4_a_project_is_archived(lab, service):
    lab.fault(id="C4", variant="archived", service=service)
    if service == "jira":
        project = next(iter(lab.sandbox.jira.store.projects.values()))
        found = lab.search(jql=f"project = {project.key}").get("issues", [])
        assert (project.archived, found) == (True, [])
    else:
        assert lab.ask("asana", "GET", f"/projects/{lab.project}")[1]["data"]["archived"] is True


def test_c4_a_database_is_duplicated(lab):
    def named(title):
        body = {"filter": {"property": "object", "value": "data_source"}, "page_size": 100}
        rows = lab.ask("notion", "POST", "/search", body)[1]["results"]
        return [r for r in rows if "".join(t["plain_text"] for t in r["title"]) == title]

    title = "".join(t["plain_text"] for t in
                    lab.truth("notion", f"/data_sources/{lab.source.id}")[1]["title"])  # fmt: skip
    assert len(named(title)) == 1
    rows = len(lab.source.live)
    lab.fault(id="C4", variant="duplicated")
    found = named(title)
    assert len(found) == 2
    copy = next(row for row in found if row["id"] != lab.source.id)
    got = lab.ask("notion", "POST", f"/data_sources/{copy['id']}/query", {"page_size": 100})[1]
    assert len(got["results"]) == rows


def test_c5_an_issue_changes_its_type(lab):
    key = next(i.key for i in lab.sandbox.jira.store.issues.values()
               if lab.sandbox.jira.store.types[i.values["issuetype"]].level == 0)  # fmt: skip
    before = lab.truth("jira", f"/issue/{key}")[1]
    lab.fault(id="C5", variant="type", **{"with": {"item": key}})
    after = lab.ask("jira", "GET", f"/issue/{key}")[1]
    assert after["id"] == before["id"]
    assert after["fields"]["issuetype"]["name"] != before["fields"]["issuetype"]["name"]


@pytest.mark.parametrize("service", ["jira", "asana"])
def test_c5_a_subtask_is_promoted(lab, service):
    if service == "asana":
        body = {"data": {"name": "a part"}}
        item = lab.ask("asana", "POST", f"/tasks/{lab.task}/subtasks", body)[1]["data"]["gid"]
        lab.fault(id="C5", variant="promoted", service="asana")
        assert lab.ask("asana", "GET", f"/tasks/{item}")[1]["data"]["parent"] is None
        return
    store = lab.sandbox.jira.store
    key = next(i.key for i in store.issues.values() if store.types[i.values["issuetype"]].level < 0)
    lab.fault(id="C5", variant="promoted", service="jira")
    fields = lab.ask("jira", "GET", f"/issue/{key}")[1]["fields"]
    assert fields["issuetype"]["subtask"] is False
    assert fields.get("parent") is None


def test_c5_an_item_is_moved(lab):
    lab.fault(id="C5", variant="moved", service="jira")
    assert not lab.ask("jira", "GET", "/issue/WEB-1")[1]["key"].startswith("WEB-")


def test_c5_parents_form_a_cycle(lab):
    lab.fault(id="C5", variant="cycle", service="jira")
    lab.ask("jira", "GET", "/myself")
    first, second = [issue.key for issue in lab.sandbox.jira.store.issues.values()][:2]
    for one, other in ((first, second), (second, first)):
        assert lab.truth("jira", f"/issue/{one}")[1]["fields"]["parent"]["key"] == other
    lab.fault(id="C5", variant="cycle", service="notion")
    lab.ask("notion", "GET", "/users/me")
    first, second = [page for _created, page in lab.source.live.by_created[:2]]
    for one, other in ((first, second), (second, first)):
        held = lab.truth("notion", f"/pages/{one}")[1]["properties"]["Parent"]["relation"]
        assert held == [{"id": other}]
