"""What became of a write without an answer, where older writes, people and changes around it mislead.

The last answers to writes that Asana's log tells of without a value (tags, notes, parents), or that do
not make a task younger, are told apart by what of the log was accounted for before (`Cell.logged`).
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest
from office import changes, office
from test_lost_replies import emptied

MAPPING = Path(__file__).with_name("losses.yaml").read_text("utf8")
SHARED_LABELS = ("labels: {jira", "labels: {owner: shared, jira")
SHARED_STATUS = ("  status:\n    jira:", "  status:\n    owner: shared\n    jira:")
SHARED_TEXT = ("description: {jira", "description: {owner: shared, jira")
NOT_ARRIVED, NOT_ANSWERED = {"fault": "N2"}, {"fault": "N1"}
REFUSED = {"status": 400, "vendor": True}


@contextmanager
def world_of(home, *changed):
    """Open a company with one epic in step; `changed` are texts of the mapping and their successors."""
    text = MAPPING
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    (home / "mapping.yaml").write_text(text, "utf8")
    (home / "world").mkdir()
    with office(home / "world", home / "mapping.yaml") as world:
        emptied(world)
        fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Epic"}, "summary": "X",
                  "duedate": "2027-01-01"}  # fmt: skip
        world.jira()("POST", "/rest/api/3/issue", {"fields": fields})
        settle(world)
        yield world


def settle(world):
    for _ in range(8):
        if world.cycle().writes == 0 and not world.system.store.open_intents():
            return
    raise AssertionError("eight cycles in a row wrote something")


def lose(world, fault, **request):
    """Run the cycle in which the answer to one such write is lost."""
    world.fail({**fault, "count": 1, **request})
    world.cycle()
    assert world.lost() == 1
    world.fail()


def lose_tags(world, fault, number=1):
    """Run the cycle in which the answer to this batch that writes tags is lost."""
    tick, seen = world.line.before, []

    def before(service, request):
        tick(service, request)
        if service == "asana" and request.path.endswith("/batch") and changes(service, request):
            seen.append(request)
            rule = {"service": "asana", "path": "/batch$", "count": 1, **fault}
            world.fail(*[rule] * (len(seen) == number))

    world.line.before = before
    world.cycle()
    world.line.before = tick
    assert len(seen) >= number
    world.fail()


def tags(world):
    return sorted(tag["name"] for tag in world.task("X")["tags"])


def labels(world):
    return sorted(world.issue("X")["labels"])


def untag(world, *names):
    for tag in world.task("X")["tags"]:
        if tag["name"] in names:
            path = f"/api/1.0/tasks/{world.record('X', 'asana')}/removeTag"
            world.asana()("POST", path, {"data": {"tag": tag["gid"]}})


def tag_by_a_person(world, name):
    call, task = world.asana(), world.record("X", "asana")
    workspace = call("GET", "/api/1.0/workspaces")["data"][0]["gid"]
    made = call("POST", "/api/1.0/tags", {"data": {"name": name, "workspace": workspace}})["data"]
    call("POST", f"/api/1.0/tasks/{task}/addTag", {"data": {"tag": made["gid"]}})


def paragraphs(*lines):
    content = [{"type": "paragraph", "content": [{"type": "text", "text": x}]} for x in lines]
    return {"type": "doc", "version": 1, "content": content}


def told(world, field, action):
    entries = world.system.store.history(world.item("X").id)
    return [entry for entry in entries if (entry.field, entry.action) == (field, action)]


@pytest.mark.parametrize("fault", [NOT_ARRIVED, NOT_ANSWERED])
def test_an_older_write_of_tags_is_not_taken_for_the_last_one(tmp_path, fault):
    with world_of(tmp_path) as world:
        world.edit_issue("X", labels=["alpha"])
        settle(world)
        world.edit_issue("X", labels=["alpha", "beta"])
        lose_tags(world, fault)
        settle(world)
        assert tags(world) == ["alpha", "beta"]


def test_an_older_write_is_known_as_such_after_an_edit_in_between(tmp_path):
    with world_of(tmp_path, SHARED_LABELS) as world:
        world.edit_issue("X", labels=["alpha"])
        settle(world)
        untag(world, "alpha")
        settle(world)
        assert labels(world) == []
        world.edit_issue("X", labels=["alpha"])
        lose_tags(world, NOT_ARRIVED)
        settle(world)
        assert (tags(world), labels(world)) == (["alpha"], ["alpha"])


def test_an_older_write_is_known_as_such_after_a_refusal(tmp_path):
    with world_of(tmp_path) as world:
        world.edit_issue("X", labels=["alpha"])
        settle(world)
        world.edit_issue("X", labels=["alpha", "beta"])
        lose_tags(world, REFUSED)
        assert [entry.after for entry in told(world, "labels", "refused")] == [("alpha", "beta")]
        world.edit_issue("X", labels=["alpha", "gamma"])
        lose_tags(world, NOT_ARRIVED)
        settle(world)
        assert tags(world) == ["alpha", "gamma"]


@pytest.mark.parametrize("shared", [(), (SHARED_STATUS,)])
def test_an_older_move_to_the_same_section_is_not_taken_for_the_last_one(tmp_path, shared):
    with world_of(tmp_path, *shared) as world:
        for status in ("In Progress", "To Do"):
            world.move("X", status)
            settle(world)
        world.move("X", "In Progress")
        lose(world, NOT_ARRIVED, service="asana", method="POST", path="/addTask$")
        settle(world)
        assert world.issue("X")["status"]["name"] == "In Progress"
        assert world.section("X") == "Doing"
        assert told(world, "status", "corrected") == []


def test_a_tag_taken_away_after_an_unanswered_write_stays_away(tmp_path):
    with world_of(tmp_path, SHARED_LABELS) as world:
        world.edit_issue("X", labels=["alpha", "beta"])
        lose_tags(world, NOT_ANSWERED)
        world.pass_time(30)
        untag(world, "alpha")
        settle(world)
        assert (tags(world), labels(world)) == (["beta"], ["beta"])


@pytest.mark.parametrize(
    ("shared", "left"), [((), ["alpha", "beta"]), ((SHARED_LABELS,), [])], ids=["owned", "shared"]
)
def test_all_tags_taken_away_after_an_unanswered_write_are_an_edit(tmp_path, shared, left):
    with world_of(tmp_path, *shared) as world:
        world.edit_issue("X", labels=["alpha", "beta"])
        lose_tags(world, NOT_ANSWERED)
        world.pass_time(30)
        untag(world, "alpha", "beta")
        settle(world)
        assert (tags(world), labels(world)) == (left, left)


@pytest.mark.parametrize(
    ("shared", "left"), [((), "one\n\ntwo"), ((SHARED_TEXT,), "")], ids=["owned", "shared"]
)
def test_notes_cleared_after_an_unanswered_write_are_an_edit(tmp_path, shared, left):
    with world_of(tmp_path, *shared) as world:
        world.edit_issue("X", description=paragraphs("one"))
        settle(world)
        world.edit_issue("X", description=paragraphs("one", "two"))
        lose(world, NOT_ANSWERED, service="asana", method="PUT", path="/tasks/[^/]+$")
        world.pass_time(60)
        world.edit_task("X", notes="")
        settle(world)
        assert world.task("X")["notes"] == left
        assert bool(world.issue("X")["description"]) == bool(left)


@pytest.mark.parametrize(
    ("fault", "number", "found"),
    [
        (NOT_ANSWERED, 1, [10]),
        (NOT_ARRIVED, 1, []),
        (NOT_ANSWERED, 2, [14]),
        (NOT_ARRIVED, 2, [10]),
    ],
)
def test_of_more_tags_than_one_request_takes_the_rest_is_sent_later(tmp_path, fault, number, found):
    with world_of(tmp_path) as world:
        wanted = [f"l{n:02}" for n in range(14)]
        world.edit_issue("X", labels=wanted)
        lose_tags(world, fault, number)
        settle(world)
        assert tags(world) == wanted
        wrote = told(world, "labels", "wrote")
        given = {name for entry in wrote if entry.connection == "asana" for name in entry.after}
        assert given == set(wanted)
        assert [len(e.after) for e in wrote if e.detail.startswith("found as sent")] == found
        assert told(world, "labels", "corrected") == []


def test_a_tag_that_the_answer_to_an_earlier_request_has_shown_is_not_written_over(tmp_path):
    with world_of(tmp_path, SHARED_LABELS) as world:
        world.edit_issue("X", labels=["alpha"])
        settle(world)
        world.edit_issue("X", labels=["beta"], duedate="2027-02-02")
        tick, done = world.line.before, []

        def before(service, request):
            tick(service, request)
            if service == "asana" and request.method == "PUT" and not done:
                done.append(request)
                tag_by_a_person(world, "gamma")

        world.line.before = before
        world.cycle()
        world.line.before = tick
        assert done
        settle(world)
        assert (tags(world), labels(world)) == (["beta", "gamma"], ["beta", "gamma"])


@pytest.mark.parametrize("fault", [NOT_ARRIVED, NOT_ANSWERED])
def test_a_field_made_anew_between_write_and_recovery_is_filled(tmp_path, fault):
    with world_of(tmp_path) as world:
        world.edit_issue("X", duedate="2027-02-02")
        lose(world, fault, service="notion", method="PATCH", path="/v1/pages/[^/]+$")
        source = next(s.id for s in world.system.roadmap.scopes if s.connection == "notion")
        for shape in (None, {"date": {}}):
            properties = {"properties": {"Target date": shape}}
            world.notion()("PATCH", f"/v1/data_sources/{source}", properties)
        world.reopen()
        for _ in range(4):
            if world.system.store.document("resurvey") is True:  # as the daemon does
                world.system.survey()
            world.cycle()
        settle(world)
        assert world.row("X")["Target date"]["date"]["start"] == "2027-02-02"


def test_what_arrived_before_a_task_was_deleted_is_no_edit_when_it_is_back(tmp_path):
    with world_of(tmp_path) as world:
        world.edit_issue("X", duedate="2027-02-02")
        lose(world, NOT_ANSWERED, service="asana", method="PUT", path="/tasks/[^/]+$")
        task = world.record("X", "asana")
        world.asana()("DELETE", f"/api/1.0/tasks/{task}")
        for _ in range(3):
            world.cycle(full=True)
        world.edit_issue("X", duedate="2027-03-03")
        settle(world)
        world.sandbox.asana.undelete(task)
        settle(world)
        assert world.issue("X")["duedate"] == world.task("X")["due_on"] == "2027-03-03"
        assert world.row("X")["Target date"]["date"]["start"] == "2027-03-03"


def elsewhere(world):
    """Let the mapping have the features in Asana's other project from now on."""
    mapping = next(world.config.parent.glob("roadmap.yaml"))
    text = mapping.read_text("utf8").replace("    asana: {project: Company initiatives}\n", "")
    new = text.replace("asana: {project: Go-to-market}", "asana: {project: Company initiatives}")
    assert new != text
    mapping.write_text(new, "utf8")
    world.reopen()


@pytest.mark.parametrize("fault", [NOT_ARRIVED, NOT_ANSWERED])
def test_a_write_is_settled_where_the_mapping_has_its_record_by_now(tmp_path, fault):
    with world_of(tmp_path) as world:
        world.edit_issue("X", duedate="2027-02-02")
        lose(world, fault, service="asana", method="PUT", path="/tasks/[^/]+$")
        task = world.record("X", "asana")
        there, here = (
            next(s.id for s in world.system.roadmap.scopes if s.name == name)
            for name in ("Company initiatives", "Go-to-market")
        )
        for action, project in (("addProject", there), ("removeProject", here)):
            world.asana()("POST", f"/api/1.0/tasks/{task}/{action}", {"data": {"project": project}})
        elsewhere(world)
        settle(world)
        world.edit_issue("X", duedate="2027-03-03")
        settle(world)
        assert world.task("X")["due_on"] == "2027-03-03"


def test_a_creation_is_settled_when_the_mapping_has_another_place(tmp_path):
    with world_of(tmp_path) as world:
        fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Epic"}, "summary": "Y"}
        world.jira()("POST", "/rest/api/3/issue", {"fields": fields})
        lose(world, NOT_ARRIVED, service="asana", method="POST", path="/tasks$")
        elsewhere(world)
        settle(world)
        assert world.record("Y", "asana")


@pytest.mark.parametrize("tool", ["asana", "notion"])
def test_a_creation_found_too_late_is_told_and_goes_to_no_other_tool(tmp_path, tool):
    with world_of(tmp_path) as world:
        world.wire.clear()
        fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Epic"}, "summary": "Y"}
        world.jira()("POST", "/rest/api/3/issue", {"fields": fields})
        if tool == "asana":
            lose(world, NOT_ANSWERED, service="asana", method="POST", path="/tasks$")
            project = next(s.id for s in world.system.roadmap.scopes if s.name == "Go-to-market")
            tasks = world.asana()("GET", f"/api/1.0/projects/{project}/tasks?limit=100")["data"]
            made = next(task["gid"] for task in tasks if task["name"] == "Y")
            world.asana()("DELETE", f"/api/1.0/tasks/{made}")
        else:
            lose(world, NOT_ANSWERED, service="notion", method="POST", path="/v1/pages$")
            found = world.notion()("POST", "/v1/search", {"query": "Y"})["results"]
            made = next(row["id"] for row in found if row["object"] == "page")
            world.notion()("PATCH", f"/v1/pages/{made}", {"in_trash": True})
        settle(world)
        assert world.creations()[tool] == 2, "nobody could know of the first"
        if tool == "asana":
            world.sandbox.asana.undelete(made)
        else:
            world.notion()("PATCH", f"/v1/pages/{made}", {"in_trash": False})
        settle(world)
        told = [n for n in world.system.store.notices() if n.kind == "twice"]
        assert len(told) == 1
        assert told[0].sentence.endswith(f"delete {made.replace('-', '')}")
        assert sum(world.creations().values()) == 3, "it went to no other tool"
        if tool == "asana":
            world.asana()("DELETE", f"/api/1.0/tasks/{made}")
        else:
            world.notion()("PATCH", f"/v1/pages/{made}", {"in_trash": True})
        world.cycle()
        world.cycle(full=True)
        assert [n for n in world.system.store.notices() if n.kind == "twice"] == []
