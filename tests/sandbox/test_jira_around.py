"""What is around Jira issues: logged work, files, followers, groups, ranks, the archive, releases."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_jira_issues import API
from test_jira_issues import Talk as Writer
from test_jira_jql import Talk as Searcher

from syncd.sandbox.wire import Request

AGILE = "/rest/agile/1.0"


class Talk(Writer):
    """A client that writes and searches."""

    keys = Searcher.keys
    refusal = Searcher.refusal


@pytest.fixture
def talk():
    return Talk()


@pytest.fixture
def key(talk):
    return talk.create()


def fields(talk, key):
    return talk("GET", f"{API}/issue/{key}")[1]["fields"]


def log(talk, key, **query):
    body = {"timeSpent": "3h", "comment": None}
    status, made = talk("POST", f"{API}/issue/{key}/worklog", body, **query)
    assert status == 201, made
    return made


# time


def test_logged_work_adds_up_and_uses_up_the_estimate(talk, key):
    path = f"{API}/issue/{key}"
    talk("PUT", path, {"fields": {"timetracking": {"originalEstimate": "1d 2h"}}})
    first = log(talk, key)
    assert (first["timeSpent"], first["timeSpentSeconds"]) == ("3h", 10800)
    found = fields(talk, key)
    assert (found["timespent"], found["timeestimate"]) == (10800, 25200)
    assert found["timetracking"] == {
        "originalEstimate": "1d 2h", "remainingEstimate": "7h", "timeSpent": "3h",
        "originalEstimateSeconds": 36000, "remainingEstimateSeconds": 25200,
        "timeSpentSeconds": 10800,
    }  # fmt: skip
    assert found["progress"] == {"progress": 10800, "total": 36000, "percent": 30}
    assert found["workratio"] == 30
    assert found["worklog"]["worklogs"][0]["id"] == first["id"]
    talk("PUT", f"{path}/worklog/{first['id']}", {"timeSpentSeconds": 3600})
    assert fields(talk, key)["timeestimate"] == 32400
    talk("DELETE", f"{path}/worklog/{first['id']}")
    found = fields(talk, key)
    assert (found["timespent"], found["timeestimate"]) == (0, 36000)
    names = [i["field"] for h in talk("GET", f"{path}/changelog")[1]["values"] for i in h["items"]]
    assert {"timespent", "timeestimate", "timeoriginalestimate", "WorklogId"} == set(names)


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"adjustEstimate": "leave"}, 36000),
        ({"adjustEstimate": "new", "newEstimate": "30m"}, 1800),
        ({"adjustEstimate": "manual", "reduceBy": "1h"}, 32400),
        ({}, 25200),
    ],
)
def test_the_estimate_is_adjusted_as_asked(talk, key, query, left):
    talk("PUT", f"{API}/issue/{key}", {"fields": {"timetracking": {"originalEstimate": "10h"}}})
    log(talk, key, **query)
    assert fields(talk, key)["timeestimate"] == left


def test_work_without_a_time_is_refused(talk, key):
    path = f"{API}/issue/{key}/worklog"
    for body, told in (
        ({}, {"timeLogged": "You must indicate the time spent working."}),
        ({"timeSpent": "soon"}, {"timeLogged": "Invalid time duration entered."}),
    ):
        assert talk("POST", path, body) == (
            400, {"errorMessages": ["Worklog must not be null."], "errors": told})  # fmt: skip
    status, answer = talk("POST", path, {"timeSpent": "1h"}, adjustEstimate="new")
    assert (status, answer["errors"]) == (
        400, {"newEstimate": "You must supply a valid new estimate."})  # fmt: skip


def test_an_edit_can_log_work_and_change_or_remove_a_comment(talk, key):
    path = f"{API}/issue/{key}"
    talk("PUT", path, {"update": {"worklog": [{"add": {"timeSpent": "2h"}}]}})
    assert fields(talk, key)["timespent"] == 7200
    said = talk("POST", "/rest/api/2/issue/" + key + "/comment", {"body": "one"})[1]["id"]
    for verb, left in (({"edit": {"id": said, "body": "two"}}, ["two"]),
                       ({"remove": {"id": said}}, [])):  # fmt: skip
        status, _ = talk("PUT", f"/rest/api/2/issue/{key}", {"update": {"comment": [verb]}})
        assert status == 204
        rows = talk("GET", f"/rest/api/2/issue/{key}/comment")[1]["comments"]
        assert [row["body"] for row in rows] == left


def test_time_is_found_in_jql(talk, key):
    log(talk, key)
    other = talk.create()
    assert talk.keys("project = WEB AND timespent > 2h") == [key]
    assert talk.keys("project = WEB AND timespent > 180") == []  # minutes
    assert talk.keys("project = WEB AND worklogAuthor = currentUser()") == [key]
    assert talk.keys("project = WEB AND worklogDate >= startOfDay()") == [key]
    assert talk.keys("project = WEB AND worklogDate is EMPTY") == [other]


# files


def upload(talk, key, **headers):
    form = (b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"plan.png\"\r\n"
            b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x00\xff\r\n--x--\r\n")  # fmt: skip
    sent = {**talk.headers, "content-type": "multipart/form-data; boundary=x", **headers}
    return talk.site.handle(Request("POST", f"{API}/issue/{key}/attachments", (), sent, form))


def test_a_file_is_kept_byte_for_byte(talk, key):
    assert upload(talk, key, **{"x-atlassian-token": "no-check"}).status == 200
    [shown] = fields(talk, key)["attachment"]
    assert (shown["filename"], shown["mimeType"], shown["size"]) == ("plan.png", "image/png", 8)
    path = f"{API}/attachment/content/{shown['id']}"
    got = talk.site.handle(Request("GET", path, (("redirect", "false"),), talk.headers))
    assert (got.body, got.headers["content-type"]) == (b"\x89PNG\r\n\x00\xff", "image/png")
    assert talk.keys("project = WEB AND attachments is not EMPTY") == [key]
    assert talk("GET", f"{API}/attachment/{shown['id']}")[1]["id"] == int(shown["id"])
    assert talk("DELETE", f"{API}/attachment/{shown['id']}")[0] == 204
    assert fields(talk, key)["attachment"] == []
    items = [h["items"][0] for h in talk("GET", f"{API}/issue/{key}/changelog")[1]["values"]]
    assert [(i["fromString"], i["toString"]) for i in items] == [
        (None, "plan.png"), ("plan.png", None)]  # fmt: skip


def test_an_upload_without_the_token_header_is_a_forgery(talk, key):
    refused = upload(talk, key)
    assert (refused.status, refused.body) == (403, b"XSRF check failed")


# people


def test_watching_and_voting_leave_updated_alone(talk, key):
    ann, email, token = talk.person("Ann")
    before = fields(talk, key)["updated"]
    talk.clock.step(60)
    assert talk("POST", f"{API}/issue/{key}/watchers", ann)[0] == 204
    assert talk("POST", f"{API}/issue/{key}/votes")[0] == 404  # one's own issue
    talk.login(email, token)
    assert talk("POST", f"{API}/issue/{key}/votes")[0] == 204
    found = fields(talk, key)
    assert (found["updated"], found["watches"]["watchCount"], found["votes"]["votes"]) == (
        before, 2, 1)  # fmt: skip
    assert talk.keys("project = WEB AND votes > 0 AND voter = currentUser()") == [key]
    assert talk.keys("issue in watchedIssues() AND issue in votedIssues()") == [key]
    assert talk("DELETE", f"{API}/issue/{key}/votes")[0] == 204
    assert talk.keys("project = WEB AND votes > 0") == []


def test_members_of_a_group_are_found_in_jql(talk):
    ann, *_ = talk.person("Ann")
    mine, theirs = talk.create(), talk.create(assignee={"accountId": ann})
    talk.site.add_group("crew", [ann])
    assert talk.keys("project = WEB AND assignee in membersOf(crew)") == [theirs]
    assert talk.keys("assignee in membersOf('jira-users') AND project = WEB") == [theirs]
    assert talk.keys("project = WEB AND reporter in membersOf('site-admins')") == [theirs, mine]
    assert "the group does not exist" in talk.refusal("assignee in membersOf(nobody)")
    groups = talk("GET", f"{API}/user/groups", accountId=ann)[1]
    assert [group["name"] for group in groups] == ["jira-users", "crew"]


# order


def test_ranked_issues_stand_where_they_were_put(talk):
    one, two, three, four = (talk.create() for _ in range(4))
    query = "project = WEB ORDER BY Rank"
    assert talk.keys(query) == [one, two, three, four]

    def rank(issues, **place):
        status, answer = talk("PUT", f"{AGILE}/issue/rank", {"issues": issues, **place})
        assert status == 204, answer

    before = fields(talk, four)["updated"]
    talk.clock.step(60)
    rank([four, three], rankBeforeIssue=one)
    assert talk.keys(query) == [four, three, one, two]
    rank([four], rankAfterIssue=two)
    assert talk.keys(query) == [three, one, two, four]
    rank([two], rankAfterIssue=three)
    rank([one], rankAfterIssue=three)
    assert talk.keys(query) == [three, one, two, four]
    assert talk.keys("project = WEB ORDER BY Rank DESC") == [four, two, one, three]
    new = talk.create()
    assert talk.keys(query)[-1] == new
    assert fields(talk, four)["updated"] == before
    told = talk("GET", f"{API}/issue/{four}/changelog")[1]["values"]
    assert [entry["items"][0]["toString"] for entry in told] == ["Ranked higher", "Ranked lower"]
    status, _ = talk("PUT", f"{AGILE}/issue/rank", {"issues": [one]})
    assert status == 400


def test_there_is_always_room_between_two_ranks(talk):
    one, two = talk.create(), talk.create()
    for _ in range(60):
        talk("PUT", f"{AGILE}/issue/rank", {"issues": [two], "rankBeforeIssue": one})
        one, two = two, one
    assert talk.keys("project = WEB ORDER BY Rank ASC") == [one, two]


# archive, projects, releases


def test_archived_issues_leave_search_but_can_be_read(talk, key):
    other = talk.create()
    talk("PUT", f"{API}/issue/archive", {"issueIdsOrKeys": [key]})
    assert talk.keys("project = WEB") == [other]
    assert talk("GET", f"{API}/issue/{key}")[0] == 200
    talk("PUT", f"{API}/issue/unarchive", {"issueIdsOrKeys": [key]})
    assert talk.keys("project = WEB") == [other, key]
    assert talk("PUT", f"{API}/issue/archive", {"issueIdsOrKeys": ["X-1"] * 1001})[0] == 412


def test_a_project_gets_a_new_key_and_the_old_one_still_leads_there(talk, key):
    assert talk("PUT", f"{API}/project/WEB", {"key": "SHOP"})[1]["key"] == "SHOP"
    assert talk("GET", f"{API}/issue/{key}")[1]["key"] == "SHOP-1"
    assert talk("GET", f"{API}/project/WEB")[1]["key"] == "SHOP"
    assert talk.keys("project = WEB") == talk.keys(f"key = {key}") == ["SHOP-1"]


def test_a_version_is_replaced_by_another_on_all_issues(talk):
    ids = {}
    project = int(talk("GET", f"{API}/project/WEB")[1]["id"])
    for name in ("1.0", "2.0"):
        ids[name] = talk("POST", f"{API}/version", {"name": name, "projectId": project})[1]["id"]
    key = talk.create(fixVersions=[{"id": ids["1.0"]}])
    talk("PUT", f"{API}/version/{ids['1.0']}/mergeto/{ids['2.0']}")
    assert [v["name"] for v in fields(talk, key)["fixVersions"]] == ["2.0"]
    assert talk("GET", f"{API}/version/{ids['1.0']}")[0] == 404
    assert talk.keys('fixVersion = "2.0" AND fixVersion was "2.0"') == [key]
    assert talk.keys("fixVersion in earliestUnreleasedVersion(WEB)") == [key]


def test_a_bulk_create_that_is_no_list_is_an_invalid_payload(talk):
    for body, said in (({"issueUpdates": {}}, "Invalid request payload."),
                       ({}, "Invalid request payload."),
                       ({"issueUpdates": []}, "No issue data provided")):  # fmt: skip
        status, answer = talk("POST", f"{API}/issue/bulk", body)
        assert (status, answer["errorMessages"][0][: len(said)]) == (400, said)


def test_epics_of_team_managed_projects_are_set_by_the_parent_only(talk):
    talk.site.add_project("NEXT", "Next", team_managed=True)
    epic, task = talk.create("Epic", project="NEXT"), talk.create(project="NEXT")
    other = talk.create("Epic")
    status, answer = talk("POST", f"{AGILE}/epic/{epic}/issue", {"issues": [task]})
    assert (status, "next-gen issue" in answer["errorMessages"][0]) == (400, True)
    assert talk("PUT", f"{API}/issue/{task}", {"fields": {"parent": {"key": epic}}})[0] == 204
    status, _ = talk("PUT", f"{API}/issue/{task}", {"fields": {"parent": {"key": other}}})
    assert status == 400  # another project's
    assert talk("GET", f"{API}/project/NEXT")[1]["style"] == "next-gen"


def test_who_may_write_is_told_from_who_may_look(talk):
    ann, bob = talk.person("Ann")[0], talk.person("Bob")[0]
    talk.site.set_access("WEB", members=[talk.site.account_id, ann, bob], readers=[ann])

    def found(path, **query):
        return {row["accountId"] for row in talk("GET", f"{API}/user/{path}", **query)[1]}

    everyone = {talk.site.account_id, ann, bob}
    assert found("viewissue/search", projectKey="WEB") == everyone
    may_edit = found("permission/search", projectKey="WEB", permissions="EDIT_ISSUES")
    assert may_edit == everyone - {ann}
    talk.site.add_project("APP", "App")
    talk.site.set_access("APP", members=[talk.site.account_id, bob])
    both = found("assignable/multiProjectSearch", projectKeys="WEB,APP")
    assert both == {talk.site.account_id, bob}


def test_properties_of_many_issues_are_set_and_taken_by_filter(talk):
    keys = [talk.create() for _ in range(3)]
    ids = [int(talk("GET", f"{API}/issue/{key}")[1]["id"]) for key in keys]

    def marks():
        found = (talk("GET", f"{API}/issue/{k}/properties/mark") for k in keys)
        return [body["value"] if status == 200 else None for status, body in found]

    body = {"entitiesIds": ids[:2], "properties": {"mark": 1}}
    answer = talk.site.handle(
        Request("POST", f"{API}/issue/properties", (), talk.headers, json.dumps(body).encode())
    )
    assert answer.status == 303
    path = answer.headers["location"].partition("localhost")[2]
    assert talk("GET", path)[1]["status"] == "RUNNING"
    talk.clock.step(3)
    assert talk("GET", path)[1]["progress"] == 100
    assert marks() == [1, 1, None]
    talk("PUT", f"{API}/issue/properties/mark", {"value": 2, "filter": {"hasProperty": False}})
    assert marks() == [1, 1, 2]
    talk("DELETE", f"{API}/issue/properties/mark", {"currentValue": 1, "entityIds": ids[:1]})
    assert marks() == [None, 1, 2]
    assert talk("POST", f"{API}/issue/properties", {**body, "properties": {"k" * 256: 1}})[0] == 400


def test_a_project_and_a_comment_keep_properties_too(talk, key):
    said = talk("POST", "/rest/api/2/issue/" + key + "/comment", {"body": "one"})[1]["id"]
    for path in (f"{API}/comment/{said}", f"{API}/project/WEB"):
        assert talk("PUT", f"{path}/properties/mark", [1])[0] == 201
        assert talk("PUT", f"{path}/properties/mark", [2])[0] == 200
        assert talk("GET", f"{path}/properties/mark")[1] == {"key": "mark", "value": [2]}
        assert talk("DELETE", f"{path}/properties/mark")[0] == 204
        assert talk("GET", f"{path}/properties")[1] == {"keys": []}


def test_epics_are_put_in_order_and_done_apart_from_their_status(talk):
    one, two = talk.create("Epic"), talk.create("Epic")
    task = talk.create("Story")
    assert talk("PUT", f"{AGILE}/epic/{two}/rank", {"rankBeforeEpic": one})[0] == 204
    assert talk.keys("project = WEB AND type = Epic ORDER BY Rank") == [two, one]
    told = talk("POST", f"{AGILE}/epic/{one}", {"done": True, "name": "Finished"})[1]
    assert (told["done"], told["summary"]) == (True, "Finished")
    assert fields(talk, one)["status"]["name"] == "To Do"
    found = talk("GET", f"{AGILE}/epic/none/issue")[1]["issues"]
    assert [issue["key"] for issue in found] == [task]


def test_issues_are_ranked_while_they_go_into_a_sprint(talk):
    keys = [talk.create("Story") for _ in range(3)]
    board = talk("GET", f"{AGILE}/board")[1]["values"][0]["id"]
    sprint = talk("POST", f"{AGILE}/sprint", {"name": "S", "originBoardId": board})[1]["id"]
    body = {"issues": [keys[2]], "rankBeforeIssue": keys[0]}
    assert talk("POST", f"{AGILE}/sprint/{sprint}/issue", body)[0] == 204
    assert talk.keys("project = WEB ORDER BY Rank") == [keys[2], keys[0], keys[1]]
    found = talk("GET", f"{AGILE}/board/{board}/sprint/{sprint}/issue")[1]["issues"]
    assert [issue["key"] for issue in found] == [keys[2]]


def test_the_newer_board_api_pages_by_token_in_the_order_of_ranks(talk):
    keys = [talk.create("Story") for _ in range(5)]
    talk("PUT", f"{AGILE}/issue/rank", {"issues": [keys[4]], "rankBeforeIssue": keys[0]})
    board = talk("GET", f"{AGILE}/board")[1]["values"][0]["id"]
    path = f"/rest/software/1.0/board/{board}/issue"
    read, token = [], {}
    while True:
        page = talk("GET", path, fields="summary", maxResults="2", **token)[1]
        read += [issue["key"] for issue in page["issues"]]
        if page["isLast"]:
            break
        token = {"nextPageToken": page["nextPageToken"]}
    assert read == [keys[4], *keys[:4]]
    assert "total" not in page
    assert talk("GET", f"{path}/approximate-count", jql=f"key = {keys[0]}")[1] == {"count": 1}
    assert talk("GET", path, nextPageToken="x")[0] == 400
    assert talk("GET", path, jql="type = Story", **token)[0] == 400  # another question's token
    old = talk("GET", f"{AGILE}/board/{board}/issue", jql="project = WEB ORDER BY key DESC")[1]
    assert [issue["key"] for issue in old["issues"]] == keys[::-1]


def test_an_issue_is_full_at_some_point(talk, key):
    issue = talk.site.store.find_issue(key)
    said = talk("POST", f"/rest/api/2/issue/{key}/comment", {"body": "one"})[1]["id"]
    first = next(item for item in issue.comments if item.id == said)
    issue.comments.extend([first] * 4999)
    status, answer = talk("POST", f"/rest/api/2/issue/{key}/comment", {"body": "more"})
    assert (status, "5000 comments" in answer["errorMessages"][0]) == (413, True)
    talk.site.store.links_of[issue.id] = ["x"] * 2000
    other = talk.create()
    ends = {"inwardIssue": {"key": key}, "outwardIssue": {"key": other}}
    assert talk("POST", f"{API}/issueLink", {"type": {"name": "Blocks"}, **ends})[0] == 413


def test_keys_are_sorted_as_people_count(talk):
    keys = [talk.create() for _ in range(11)]
    assert talk.keys("project = WEB ORDER BY key") == keys
    page = talk("POST", f"{API}/search/jql", {"jql": "project = WEB ORDER BY key DESC, summary",
                                              "fields": ["summary"], "maxResults": 5})[1]  # fmt: skip
    assert [issue["key"] for issue in page["issues"]] == keys[:5:-1]
    talk("DELETE", f"{API}/issue/{keys[6]}")  # the last one read goes away
    body = {"jql": "project = WEB ORDER BY key DESC, summary", "nextPageToken": page["nextPageToken"],
            "fields": ["summary"]}  # fmt: skip
    rest = talk("POST", f"{API}/search/jql", body)[1]["issues"]
    assert [issue["key"] for issue in rest] == keys[5::-1]
