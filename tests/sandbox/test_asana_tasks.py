"""Tasks of the Asana stand-in: fields, dates, sections, parents, tags, trash, rich text."""

from __future__ import annotations

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock

START = 1_790_000_000.0


@pytest.fixture
def asana() -> AsanaSandbox:
    return AsanaSandbox(SandboxClock(frozen=START))


def ask(asana, method, path, data=None, expect=None, **query):
    status, body = asana.request(method, path, data, **query)
    assert status == (expect or (status if status < 300 else 200)), body
    return body["data"] if status < 300 else body["errors"][0]["message"]


@pytest.fixture
def project(asana):
    return ask(asana, "POST", "/projects", {"name": "Roadmap", "team": asana.team})["gid"]


@pytest.fixture
def sections(asana, project):
    names = ("Doing", "Done")
    return [ask(asana, "POST", f"/projects/{project}/sections", {"name": n})["gid"] for n in names]


def task_of(asana, **data):
    return ask(asana, "POST", "/tasks", data, 201)


def test_a_new_project_has_one_untitled_section(asana, project):
    found = ask(asana, "GET", f"/projects/{project}/sections")
    assert [row["name"] for row in found] == ["Untitled section"]


def test_a_task_is_made_with_everything_in_one_request(asana, project, sections):
    tag = ask(asana, "POST", "/tags", {"name": "red", "workspace": asana.workspace})["gid"]
    ann = asana.add_user("Ann", "ann@acme.example")
    made = task_of(
        asana,
        name="Launch",
        notes="soon",
        assignee="ann@acme.example",
        memberships=[{"project": project, "section": sections[0]}],
        tags=[tag],
        due_on="2026-12-01",
        start_on="2026-11-01",
        resource_subtype="default_task",
        followers=[ann],
    )
    assert made["assignee"] == {"gid": ann, "name": "Ann", "resource_type": "user"}
    assert [m["section"]["name"] for m in made["memberships"]] == ["Doing"]
    assert made["tags"][0]["name"] == "red"
    assert (made["start_on"], made["due_on"], made["due_at"]) == ("2026-11-01", "2026-12-01", None)
    assert [f["name"] for f in made["followers"]] == ["Ann", "Syncd Bot"]
    assert made["permalink_url"].endswith(f"/project/{project}/task/{made['gid']}")
    assert ask(asana, "GET", f"/tasks/{made['gid']}") == made


def test_fields_marked_opt_in_come_only_when_asked_for(asana, project):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    plain = ask(asana, "GET", f"/tasks/{gid}")
    wanted = "num_subtasks,html_notes,created_by,dependencies,dependents,is_rendered_as_separator"
    assert not set(wanted.split(",")) & set(plain)
    asked = ask(asana, "GET", f"/tasks/{gid}", opt_fields=wanted)
    assert set(asked) == {"gid", *wanted.split(",")}
    assert asked["created_by"] == {"gid": asana.user, "resource_type": "user"}


def test_opt_fields_go_deep_group_and_ignore_what_does_not_exist(asana, project):
    gid = task_of(asana, name="A", projects=[project], assignee="me")["gid"]
    fields = "this.assignee.(name|email),memberships.section.name,nonsense,projects"
    found = ask(asana, "GET", f"/tasks/{gid}", opt_fields=fields)
    assert found == {
        "gid": gid,
        "assignee": {"gid": asana.user, "name": "Syncd Bot", "email": asana.email},
        "memberships": [{"section": found["memberships"][0]["section"]}],
        "projects": [{"gid": project, "resource_type": "project"}],
    }
    assert set(found["memberships"][0]["section"]) == {"gid", "name"}


def test_lists_are_compact_and_pretty_is_indented(asana, project):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    rows = ask(asana, "GET", f"/projects/{project}/tasks")
    assert rows == [
        {"gid": gid, "name": "A", "resource_type": "task", "resource_subtype": "default_task"}
    ]


def test_an_update_changes_only_what_is_sent_and_moves_modified_at(asana, project):
    made = task_of(asana, name="A", projects=[project], due_on="2026-12-01")
    asana.clock.step(60)
    after = ask(asana, "PUT", f"/tasks/{made['gid']}", {"name": "B\u00a0C"})
    assert after == {**made, "name": "B\u00a0C", "modified_at": after["modified_at"]}
    assert after["modified_at"] > made["modified_at"]


def test_an_update_that_changes_nothing_leaves_modified_at_and_history(asana, project):
    made = task_of(asana, name="A", projects=[project])
    stories = len(ask(asana, "GET", f"/tasks/{made['gid']}/stories"))
    asana.clock.step(60)
    after = ask(asana, "PUT", f"/tasks/{made['gid']}", {"name": "A", "completed": False})
    assert after["modified_at"] == made["modified_at"]
    assert len(ask(asana, "GET", f"/tasks/{made['gid']}/stories")) == stories


def test_a_section_move_writes_history_but_leaves_modified_at(asana, project, sections):
    made = task_of(asana, name="A", projects=[project])
    asana.clock.step(60)
    assert ask(asana, "POST", f"/sections/{sections[1]}/addTask", {"task": made["gid"]}) == {}
    after = ask(asana, "GET", f"/tasks/{made['gid']}")
    assert after["memberships"][0]["section"]["name"] == "Done"
    assert after["modified_at"] == made["modified_at"]
    last = ask(asana, "GET", f"/tasks/{made['gid']}/stories", opt_fields="old_section.name,"
               "new_section.name,resource_subtype")[-1]  # fmt: skip
    assert last["resource_subtype"] == "section_changed"
    assert (last["old_section"]["name"], last["new_section"]["name"]) == (
        "Untitled section",
        "Done",
    )


def test_places_within_a_section(asana, project, sections):
    here = [{"project": project, "section": sections[0]}]
    a, b, c = (task_of(asana, name=n, memberships=here)["gid"] for n in "abc")

    def order():
        return "".join(row["name"] for row in ask(asana, "GET", f"/sections/{sections[0]}/tasks"))

    assert order() == "abc"
    ask(asana, "POST", f"/sections/{sections[0]}/addTask", {"task": c})
    assert order() == "cab"
    ask(asana, "POST", f"/sections/{sections[0]}/addTask", {"task": c, "insert_after": a})
    assert order() == "acb"
    data = {"project": project, "section": sections[0], "insert_after": None}
    ask(asana, "POST", f"/tasks/{b}/addProject", data)
    assert order() == "bac"
    ask(asana, "POST", f"/tasks/{b}/addProject", {"project": project, "insert_before": c})
    assert order() == "abc"


def test_a_place_between_neighbours_never_runs_out(asana, project, sections):
    here = [{"project": project, "section": sections[0]}]
    first, second = (task_of(asana, name=n, memberships=here)["gid"] for n in ("x", "y"))
    names = [task_of(asana, name=f"{n:02}", memberships=here)["gid"] for n in range(40)]
    for gid in names:
        data = {"task": gid, "insert_after": first}
        ask(asana, "POST", f"/sections/{sections[0]}/addTask", data)
    rows = [row["gid"] for row in ask(asana, "GET", f"/sections/{sections[0]}/tasks")]
    assert rows == [first, *reversed(names), second]


def test_a_task_lives_in_several_projects(asana, project):
    other = ask(asana, "POST", "/projects", {"name": "Other", "team": asana.team})["gid"]
    gid = task_of(asana, name="A", projects=[project])["gid"]
    ask(asana, "POST", f"/tasks/{gid}/addProject", {"project": other})
    homes = [row["name"] for row in ask(asana, "GET", f"/tasks/{gid}/projects")]
    assert homes == ["Roadmap", "Other"]
    ask(asana, "POST", f"/tasks/{gid}/removeProject", {"project": project})
    assert ask(asana, "GET", f"/projects/{project}/tasks") == []
    assert [row["gid"] for row in ask(asana, "GET", f"/projects/{other}/tasks")] == [gid]


def test_subtasks_do_not_inherit_projects_and_keep_their_order(asana, project):
    top = task_of(asana, name="top", projects=[project])["gid"]
    one = ask(asana, "POST", f"/tasks/{top}/subtasks", {"name": "one"}, 201)
    two = task_of(asana, name="two", parent=top)
    assert one["projects"] == one["memberships"] == []
    assert two["parent"]["name"] == "top"
    assert ask(asana, "GET", f"/tasks/{top}", opt_fields="num_subtasks")["num_subtasks"] == 2
    ask(
        asana,
        "POST",
        f"/tasks/{two['gid']}/setParent",
        {"parent": top, "insert_before": one["gid"]},
    )
    rows = ask(asana, "GET", f"/tasks/{top}/subtasks")
    assert [row["name"] for row in rows] == ["two", "one"]
    assert [row["name"] for row in ask(asana, "GET", f"/projects/{project}/tasks")] == ["top"]


def test_set_parent_moves_and_null_frees(asana, project):
    a, b, c = (task_of(asana, name=n, projects=[project])["gid"] for n in "abc")
    assert ask(asana, "POST", f"/tasks/{c}/setParent", {"parent": a})["parent"]["gid"] == a
    assert ask(asana, "POST", f"/tasks/{c}/setParent", {"parent": b})["parent"]["gid"] == b
    assert ask(asana, "GET", f"/tasks/{a}/subtasks") == []
    assert ask(asana, "POST", f"/tasks/{c}/setParent", {"parent": None})["parent"] is None
    assert ask(asana, "GET", f"/tasks/{b}/subtasks") == []


def test_a_parent_cycle_and_a_sixth_level_are_refused(asana, project):
    chain = [task_of(asana, name="0", projects=[project])["gid"]]
    for level in range(1, 6):
        chain.append(task_of(asana, name=str(level), parent=chain[-1])["gid"])
    ask(asana, "POST", "/tasks", {"name": "6", "parent": chain[-1]}, 400)
    ask(asana, "POST", f"/tasks/{chain[0]}/setParent", {"parent": chain[3]}, 400)
    ask(asana, "POST", f"/tasks/{chain[0]}/setParent", {"parent": chain[0]}, 400)


def test_completing_tells_when_and_by_whom(asana, project):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    done = ask(asana, "PUT", f"/tasks/{gid}", {"completed": True})
    assert (done["completed"], done["completed_at"]) == (True, "2026-09-21T14:13:20.000Z")
    who = ask(asana, "GET", f"/tasks/{gid}", opt_fields="completed_by.name")
    assert who["completed_by"]["name"] == "Syncd Bot"
    back = ask(asana, "PUT", f"/tasks/{gid}", {"completed": False})
    assert (back["completed"], back["completed_at"]) == (False, None)


def test_an_approval_is_done_with_its_status(asana, project):
    made = task_of(asana, name="A", projects=[project], resource_subtype="approval")
    assert made["approval_status"] == "pending"
    no = ask(asana, "PUT", f"/tasks/{made['gid']}", {"approval_status": "rejected"})
    assert (no["completed"], no["approval_status"]) == (True, "rejected")
    assert ask(asana, "PUT", f"/tasks/{made['gid']}", {"completed": False})[
        "approval_status"
    ] == "pending"  # fmt: skip


def test_due_at_gives_the_day_and_replaces_due_on(asana, project):
    gid = task_of(asana, name="A", projects=[project], due_on="2026-12-01")["gid"]
    at = ask(asana, "PUT", f"/tasks/{gid}", {"due_at": "2026-12-02T23:30:00+01:00"})
    assert (at["due_at"], at["due_on"]) == ("2026-12-02T22:30:00.000Z", "2026-12-02")
    on = ask(asana, "PUT", f"/tasks/{gid}", {"due_on": "2026-12-03"})
    assert (on["due_at"], on["due_on"]) == (None, "2026-12-03")


def test_notes_and_html_notes_are_two_views_of_one_value(asana, project):
    html = "<body><h1>Why</h1>For <strong>you</strong> &amp; me<ul><li>a</li><li>b</li></ul></body>"
    gid = task_of(asana, name="A", projects=[project], html_notes=html)["gid"]
    seen = ask(asana, "GET", f"/tasks/{gid}", opt_fields="notes,html_notes")
    assert seen["html_notes"] == html
    assert seen["notes"] == "Why\nFor you & me\n• a\n• b"
    ask(asana, "PUT", f"/tasks/{gid}", {"notes": "1 < 2 at https://acme.example/x."})
    seen = ask(asana, "GET", f"/tasks/{gid}", opt_fields="notes,html_notes")
    link = '<a href="https://acme.example/x">https://acme.example/x</a>'
    assert seen["html_notes"] == f"<body>1 &lt; 2 at {link}.</body>"


@pytest.mark.parametrize(
    "html",
    [
        "no body",
        "<body>open",
        "<body><b>old</b></body>",
        "<body><p>x</p></body>",
        '<body><h1 class="x">y</h1></body>',
        "<body><li>x</li></body>",
        "<body>a</body><body>b</body>",
        '<!DOCTYPE x [<!ENTITY e "boom">]><body>&e;</body>',
        "<body>a & b</body>",
        7,
    ],
)
def test_rich_text_the_service_would_not_take_is_refused(asana, project, html):
    gid = task_of(asana, name="A", notes="kept", projects=[project])["gid"]
    ask(asana, "PUT", f"/tasks/{gid}", {"html_notes": html, "name": "B"}, 400)
    found = ask(asana, "GET", f"/tasks/{gid}")
    assert (found["notes"], found["name"]) == ("kept", "A")


def test_deleted_is_gone_with_its_subtasks_until_taken_back(asana, project):
    top = task_of(asana, name="top", projects=[project], assignee="me")["gid"]
    child = task_of(asana, name="child", parent=top)["gid"]
    assert ask(asana, "DELETE", f"/tasks/{top}") == {}
    for gid in (top, child):
        assert ask(asana, "GET", f"/tasks/{gid}", expect=404) == f"task: Unknown object: {gid}"
    assert ask(asana, "GET", f"/projects/{project}/tasks") == []
    mine = {"assignee": "me", "workspace": asana.workspace}
    assert ask(asana, "GET", "/tasks", **mine) == []
    assert asana.undelete(top)
    assert [row["gid"] for row in ask(asana, "GET", f"/projects/{project}/tasks")] == [top]
    assert [row["gid"] for row in ask(asana, "GET", f"/tasks/{top}/subtasks")] == [child]
    assert [row["gid"] for row in ask(asana, "GET", "/tasks", **mine)] == [top]


def test_the_trash_forgets_after_thirty_days(asana, project):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    ask(asana, "DELETE", f"/tasks/{gid}")
    asana.clock.step(31 * 86400)
    assert not asana.undelete(gid)


def test_a_deleted_project_leaves_its_tasks(asana, project, sections):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    ask(asana, "DELETE", f"/projects/{project}")
    ask(asana, "GET", f"/projects/{project}", expect=404)
    ask(asana, "GET", f"/sections/{sections[0]}", expect=404)
    assert ask(asana, "GET", f"/tasks/{gid}")["projects"] == []


def test_sections_are_renamed_moved_and_deleted_when_empty(asana, project, sections):
    ask(asana, "PUT", f"/sections/{sections[0]}", {"name": "Now"})
    data = {"section": sections[1], "before_section": sections[0]}
    ask(asana, "POST", f"/projects/{project}/sections/insert", data)
    names = [row["name"] for row in ask(asana, "GET", f"/projects/{project}/sections")]
    assert names == ["Untitled section", "Done", "Now"]
    gid = task_of(asana, name="A", memberships=[{"project": project, "section": sections[0]}])[
        "gid"
    ]
    ask(asana, "DELETE", f"/sections/{sections[0]}", expect=400)
    ask(asana, "POST", f"/sections/{sections[1]}/addTask", {"task": gid})
    ask(asana, "DELETE", f"/sections/{sections[0]}")
    assert len(ask(asana, "GET", f"/projects/{project}/sections")) == 2


def test_dependencies_show_on_both_sides(asana, project):
    a, b = (task_of(asana, name=n, projects=[project])["gid"] for n in "ab")
    ask(asana, "POST", f"/tasks/{a}/addDependencies", {"dependencies": [b]})
    assert [row["gid"] for row in ask(asana, "GET", f"/tasks/{b}/dependents")] == [a]
    asked = ask(asana, "GET", f"/tasks/{a}", opt_fields="dependencies")["dependencies"]
    assert asked == [{"gid": b, "resource_type": "task"}]
    ask(asana, "POST", f"/tasks/{b}/removeDependents", {"dependents": [a]})
    assert ask(asana, "GET", f"/tasks/{a}/dependencies") == []
    many = [task_of(asana, name=str(n), projects=[project])["gid"] for n in range(31)]
    ask(asana, "POST", f"/tasks/{a}/addDependencies", {"dependencies": many}, 400)
    assert ask(asana, "GET", f"/tasks/{a}/dependencies") == []


def test_tags_followers_and_likes(asana, project):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    tag = ask(asana, "POST", f"/workspaces/{asana.workspace}/tags", {"name": "red"}, 201)["gid"]
    ask(asana, "POST", f"/tasks/{gid}/addTag", {"tag": tag})
    assert [row["gid"] for row in ask(asana, "GET", f"/tags/{tag}/tasks")] == [gid]
    ask(asana, "POST", f"/tasks/{gid}/removeTag", {"tag": tag})
    assert ask(asana, "GET", f"/tasks/{gid}/tags") == []
    ann = asana.add_user("Ann", "ann@acme.example", token="ann")
    ask(asana, "POST", f"/tasks/{gid}/addFollowers", {"followers": f"{ann}"})
    ask(asana, "PUT", f"/tasks/{gid}", {"liked": True}, token="ann")
    mine, hers = (ask(asana, "GET", f"/tasks/{gid}", token=t) for t in (asana.token, "ann"))
    assert (mine["liked"], hers["liked"], mine["num_likes"]) == (False, True, 1)
    assert [it["name"] for it in mine["followers"]] == ["Syncd Bot", "Ann"]


def test_external_names_a_task_anywhere(asana, project):
    made = task_of(asana, name="A", projects=[project], external={"gid": "our-7", "data": "x"})
    assert made["external"] == {"gid": "our-7", "data": "x"}
    assert ask(asana, "GET", "/tasks/external:our-7")["gid"] == made["gid"]
    ask(asana, "GET", "/tasks/external:nobody", expect=404)


def test_comments_are_edited_by_their_author_only(asana, project):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    asana.clock.step(5)
    made = ask(asana, "POST", f"/tasks/{gid}/stories", {"text": "hello"}, 201)
    assert (made["type"], made["resource_subtype"]) == ("comment", "comment_added")
    assert ask(asana, "GET", f"/tasks/{gid}")["modified_at"] == "2026-09-21T14:13:25.000Z"
    asana.add_user("Ann", "ann@acme.example", token="ann")
    ask(asana, "PUT", f"/stories/{made['gid']}", {"text": "mine"}, 403, token="ann")
    edited = ask(asana, "PUT", f"/stories/{made['gid']}", {"html_text": "<body><em>x</em></body>"})
    assert (edited["text"], edited["is_edited"]) == ("x", True)
    ask(asana, "DELETE", f"/stories/{made['gid']}")
    ask(asana, "GET", f"/stories/{made['gid']}", expect=404)


def test_the_same_seed_gives_the_same_bytes():
    def run(seed):
        one = AsanaSandbox(SandboxClock(frozen=START), seed=seed)
        home = ask(one, "POST", "/projects", {"name": "P", "team": one.team})["gid"]
        return [task_of(one, name=str(n), projects=[home]) for n in range(5)]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_private_projects_are_hidden_from_others(asana):
    asana.add_user("Ann", "ann@acme.example", token="ann")
    secret = ask(
        asana, "POST", "/projects",
        {"name": "Secret", "team": asana.team, "privacy_setting": "private"},
    )["gid"]  # fmt: skip
    gid = task_of(asana, name="A", projects=[secret])["gid"]
    for path, kind in ((f"/projects/{secret}", "project"), (f"/tasks/{gid}", "task")):
        message = ask(asana, "GET", path, expect=403, token="ann")
        assert message == f"You do not have access to this {kind}."
    assert ask(asana, "GET", "/projects", token="ann") == []


def test_task_counts_only_when_asked(asana, project):
    task_of(asana, name="a", projects=[project])
    task_of(asana, name="b", projects=[project], completed=True, resource_subtype="milestone")
    assert ask(asana, "GET", f"/projects/{project}/task_counts") == {}
    fields = "num_tasks,num_completed_tasks,num_milestones"
    counts = ask(asana, "GET", f"/projects/{project}/task_counts", opt_fields=fields)
    assert counts == {"num_tasks": 2, "num_completed_tasks": 1, "num_milestones": 1}


def test_a_snapshot_brings_everything_back(asana, project):
    gid = task_of(asana, name="A", projects=[project])["gid"]
    token = asana.request("GET", "/events", resource=project)[1]["sync"]
    held = asana.snapshot()
    for _ in range(2):
        ask(asana, "PUT", f"/tasks/{gid}", {"name": "B"})
        later = task_of(asana, name="later", projects=[project])["gid"]
        asana.restore(held)
        assert ask(asana, "GET", f"/tasks/{gid}")["name"] == "A"
        ask(asana, "GET", f"/tasks/{later}", expect=404)
        assert asana.request("GET", "/events", resource=project, sync=token)[1]["data"] == []
