"""The Python library `jira`, an independent client, against the stand-in over a real socket."""

from __future__ import annotations

import warnings

import pytest
import requests
from jira import JIRA, JIRAError

from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox


@pytest.fixture(scope="module")
def running():
    with start_in_thread(Sandbox()) as server:
        site = server.sandbox.jira
        site.add_project("WEB", "Web shop")
        yield server


@pytest.fixture(scope="module")
def client(running):
    made = connect(running, running.sandbox.jira.email, running.sandbox.jira.token)
    yield made
    made.close()


def connect(running, email, token):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"rest_api_version": "2"}
        return JIRA(f"{running.url}/jira", basic_auth=(email, token), options=options,
                    max_retries=0, timeout=10)  # fmt: skip


def test_the_library_takes_it_for_jira_cloud(client, running):
    assert client.server_info()["deploymentType"] == "Cloud"
    assert client.myself()["accountId"] == running.sandbox.jira.account_id
    assert [project.key for project in client.projects()] == ["WEB"]
    assert {kind.name for kind in client.issue_types()} >= {"Epic", "Story", "Task", "Bug"}
    assert "Done" in [status.name for status in client.statuses()]
    assert "Story Points" in [field["name"] for field in client.fields()]


def test_an_issue_through_its_life(client):
    issue = client.create_issue(
        project="WEB", summary="First", issuetype={"name": "Task"}, description="h1. Why\n\nSo."
    )
    assert issue.fields.description == "h1. Why\n\nSo."
    issue.update(fields={"summary": "Renamed", "labels": ["x"]})
    assert client.issue(issue.key).fields.summary == "Renamed"
    client.transition_issue(issue, "Done")
    again = client.issue(issue.id)
    assert again.fields.status.name == "Done"
    assert again.fields.resolution.name == "Done"
    comment = client.add_comment(issue, "looks *good*")
    assert client.comment(issue, comment.id).body == "looks *good*"
    issue.add_field_value("labels", "y")
    assert client.issue(issue.key).fields.labels == ["x", "y"]
    client.add_issue_property(issue, "mark", {"item": 1})
    assert client.issue_property(issue, "mark").raw["value"] == {"item": 1}
    issue.delete()
    with pytest.raises(JIRAError) as gone:
        client.issue(issue.key)
    assert gone.value.status_code == 404


def test_epics_links_and_assignees(client, running):
    account = running.sandbox.jira.add_user("Ann Lee", "ann.lee@example.com")
    epic = client.create_issue(project="WEB", summary="Epic", issuetype={"name": "Epic"})
    story = client.create_issue(
        project="WEB", summary="Story", issuetype={"name": "Story"}, parent={"key": epic.key}
    )
    client.create_issue_link("Blocks", story, epic)
    client.assign_issue(story, "ann.lee@example.com")
    got = client.issue(story.key).fields
    assert got.parent.key == epic.key
    assert got.assignee.accountId == account
    assert got.issuelinks[0].outwardIssue.key == epic.key


def test_a_thousand_issues_page_by_page(client):
    rows = [
        {"project": {"key": "WEB"}, "summary": f"bulk {n}", "issuetype": {"name": "Task"}}
        for n in range(1000)
    ]
    for start in range(0, 1000, 50):
        made = client.create_issues(rows[start : start + 50], prefetch=False)
        assert all(row["status"] == "Success" for row in made)
    found = client.enhanced_search_issues(
        "project = WEB AND summary ~ bulk ORDER BY created ASC", maxResults=0, fields=["summary"]
    )
    assert [issue.fields.summary for issue in found] == [f"bulk {n}" for n in range(1000)]
    assert client.approximate_issue_count("summary ~ bulk") == 1000


@pytest.mark.parametrize(
    ("ask", "status", "said"),
    [
        (lambda c: c.create_issue(project="WEB", issuetype={"name": "Task"}), 400, "summary"),
        (lambda c: c.search_issues("colour = red"), 400, "Field 'colour' does not exist"),
        (lambda c: c.search_issues("ORDER BY key"), 400, "Unbounded JQL queries"),
        (lambda c: c.issue("WEB-99999"), 404, "Issue does not exist or you do not have"),
        (lambda c: c.project("NOPE"), 404, "No project could be found with key 'NOPE'."),
        (lambda c: c.user("nobody"), 404, "Specified user does not exist"),
        (lambda c: c.transition_issue("WEB-99999", "41"), 404, "Issue does not exist"),
    ],
)
def test_each_error_reaches_the_library(client, ask, status, said):
    with pytest.raises(JIRAError) as caught:
        ask(client)
    assert caught.value.status_code == status
    assert said in caught.value.response.text


def test_wrong_credentials_stop_the_library(running):
    with pytest.raises(JIRAError) as caught:
        connect(running, running.sandbox.jira.email, "wrong").myself()
    assert caught.value.status_code == 401


def test_two_people_are_told_apart(running, client):
    site = running.sandbox.jira
    account = site.add_user("Other Client", "other.client@example.com")
    site.add_token(account, "other")
    other = connect(running, "other.client@example.com", "other")
    issue = other.create_issue(project="WEB", summary="Theirs", issuetype={"name": "Task"})
    assert client.issue(issue.key).fields.creator.accountId == account
    other.close()


def test_boards_and_sprints_of_the_library(client):
    board = client.boards(projectKeyOrID="WEB")[0]
    sprint = client.create_sprint("Sprint 1", board.id)
    issue = client.create_issue(project="WEB", summary="In it", issuetype={"name": "Story"})
    client.add_issues_to_sprint(sprint.id, [issue.key])
    assert [s.name for s in client.sprints(board.id)] == ["Sprint 1"]
    found = client.search_issues(f"sprint = {sprint.id}", fields=["key"])
    assert [row.key for row in found] == [issue.key]


def test_gets_are_quick_and_carry_the_sandbox_date(running):
    running.sandbox.clock.freeze()
    running.sandbox.clock.set(1_772_366_400.0)
    try:
        answer = requests.get(f"{running.url}/jira/rest/api/3/serverInfo", timeout=5)
    finally:
        running.sandbox.clock.run()
    assert answer.headers["date"] == "Sun, 01 Mar 2026 12:00:00 GMT"


def test_the_library_logs_work_attaches_files_votes_and_ranks(client, tmp_path):
    def make(summary):
        return client.create_issue(project="WEB", summary=summary, issuetype={"name": "Task"})

    one, two = make("around one"), make("around two")
    client.add_worklog(one.key, timeSpent="1h 30m", comment="done")
    assert [w.timeSpentSeconds for w in client.worklogs(one.key)] == [5400]
    path = tmp_path / "plan.bin"
    path.write_bytes(b"\x00plan\xff\r\n")
    client.add_attachment(one.key, str(path))
    [file] = client.issue(one.key).fields.attachment
    assert (file.filename, file.get()) == ("plan.bin", b"\x00plan\xff\r\n")
    assert client.watchers(one.key).watchCount == 1
    client.rank(two.key, next_issue=one.key)
    found = client.enhanced_search_issues('summary ~ "around" ORDER BY Rank', fields=["summary"])
    assert [issue.key for issue in found] == [two.key, one.key]
    saved = client.create_filter(name="Around", jql='summary ~ "around"')
    assert client.filter(saved.id).jql == 'summary ~ "around"'
    client.create_issue_link("Blocks", one.key, two.key)
    client.transition_issue(one.key, "Done")
    assert client.issue(one.key).fields.resolution.name == "Done"
