"""Issues in the Jira stand-in: writing, workflow, visibility, and what is refused how."""

from __future__ import annotations

import base64

import orjson
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.wire import Request

NOON = 1_772_366_400.0  # 2026-03-01 12:00 UTC
API = "/rest/api/3"
DOCUMENT = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}],
}
GONE = {
    "errorMessages": ["Issue does not exist or you do not have permission to see it."],
    "errors": {},
}


class Talk:
    """A client without sockets."""

    def __init__(self) -> None:
        self.clock = SandboxClock(frozen=NOON)
        self.site = JiraSandbox(self.clock)
        self.site.add_project("WEB", "Web shop")
        self.login(self.site.email, self.site.token)

    def login(self, email, token):
        pair = base64.b64encode(f"{email}:{token}".encode()).decode()
        self.headers = {"authorization": f"Basic {pair}"}

    def person(self, name, **more):
        email = f"{name.split()[0].lower()}@example.com"
        account = self.site.add_user(name, email, **more)
        self.site.add_token(account, "token of " + name)
        return account, email, "token of " + name

    def __call__(self, method, path, body=None, **query):
        raw = b"" if body is None else orjson.dumps(body)
        request = Request(method, path, tuple(query.items()), self.headers, raw)
        response = self.site.handle(request)
        return response.status, orjson.loads(response.body) if response.body else None

    def create(self, kind="Task", project="WEB", **fields):
        base = {"project": {"key": project}, "issuetype": {"name": kind}, "summary": "item"}
        status, made = self("POST", f"{API}/issue", {"fields": {**base, **fields}})
        assert status == 201, made
        return made["key"]

    def refused(self, kind="Task", **fields):
        base = {"project": {"key": "WEB"}, "issuetype": {"name": kind}, "summary": "item"}
        status, answer = self("POST", f"{API}/issue", {"fields": {**base, **fields}})
        assert status == 400, answer
        return answer["errors"]

    def fields(self, key):
        status, found = self("GET", f"{API}/issue/{key}")
        assert status == 200, found
        return found["fields"]

    def move(self, key, name):
        _, found = self("GET", f"{API}/issue/{key}/transitions")
        step = next(t for t in found["transitions"] if t["to"]["name"] == name)
        return self("POST", f"{API}/issue/{key}/transitions", {"transition": {"id": step["id"]}})


@pytest.fixture
def talk():
    return Talk()


def test_everything_sent_comes_back(talk):
    ann, *_ = talk.person("Ann Lee")
    epic = talk.create("Epic")
    project = talk("GET", f"{API}/project/WEB")[1]["id"]
    talk("POST", f"{API}/version", {"name": "1.0", "projectId": project})
    talk("POST", f"{API}/component", {"name": "UI", "project": "WEB"})
    key = talk.create(
        "Story",
        parent={"key": epic}, description=DOCUMENT, labels=["b", "a"], duedate="2026-04-01",
        assignee={"accountId": ann}, priority={"id": "2"}, customfield_10016=5,
        customfield_10015="2026-03-15", fixVersions=[{"name": "1.0"}], components=[{"name": "UI"}],
    )  # fmt: skip
    got = talk.fields(key)
    assert got["parent"]["key"] == epic
    assert got["parent"]["fields"]["issuetype"]["hierarchyLevel"] == 1
    assert got["description"] == DOCUMENT
    assert got["labels"] == ["a", "b"]
    assert (got["duedate"], got["customfield_10015"]) == ("2026-04-01", "2026-03-15")
    assert got["assignee"]["displayName"] == "Ann Lee"
    assert got["priority"]["name"] == "High"
    assert got["customfield_10016"] == 5.0
    assert [v["name"] for v in got["fixVersions"]] == ["1.0"]
    assert [c["name"] for c in got["components"]] == ["UI"]
    assert got["status"]["statusCategory"]["key"] == "new"
    assert got["created"] == "2026-03-01T12:00:00.000+0000"
    assert got["resolution"] is None


@pytest.mark.parametrize(
    ("fields", "where", "sentence"),
    [
        ({"summary": " "}, "summary", "You must specify a summary of the issue."),
        ({"summary": "a\nb"}, "summary",
         "The summary is invalid because it contains newline characters."),
        ({"summary": "x" * 256}, "summary", "Summary must be less than 255 characters."),
        ({"labels": ["a b"]}, "labels", "The label 'a b' contains spaces which is invalid."),
        ({"duedate": "1.4.2026"}, "duedate", "Error parsing date string: 1.4.2026"),
        ({"duedate": "2026-02-30"}, "duedate", "Error parsing date string: 2026-02-30"),
        ({"description": "text"}, "description", ("Operation value must be an Atlassian Document"
         " (see the Atlassian Document Format)")),
        ({"description": {**DOCUMENT, "version": True}}, "description",
         "Operation value must be an Atlassian Document (see the Atlassian Document Format)"),
        ({"customfield_10016": "5"}, "customfield_10016", "Operation value must be a number"),
        ({"assignee": {"accountId": "x"}}, "assignee", "User 'x' does not exist."),
        ({"priority": {"name": "Urgent"}}, "priority", "The priority selected is invalid."),
        ({"fixVersions": [{"name": "9"}]}, "fixVersions", "Version name '9' is not valid"),
        ({"components": [{"id": "9"}]}, "components", "Component id '9' is not valid"),
        ({"status": {"name": "Done"}}, "status",
         "Field 'status' cannot be set. It is not on the appropriate screen, or unknown."),
        ({"customfield_99999": 1}, "customfield_99999", ("Field 'customfield_99999' cannot be set."
         " It is not on the appropriate screen, or unknown.")),
        ({"parent": {"key": "WEB-99"}}, "parentId", "Could not find issue by id or key."),
        ({"project": {"key": "NOPE"}}, "project", "Specify a valid project ID or key"),
        ({"issuetype": {"name": "Idea"}}, "issuetype", "Specify a valid issue type"),
    ],
)  # fmt: skip
def test_each_wrong_value_is_refused_by_its_field(talk, fields, where, sentence):
    assert talk.refused(**fields) == {where: sentence}
    assert talk("POST", f"{API}/search/approximate-count", {"jql": "project = WEB"})[1] == {
        "count": 0
    }


def test_all_wrong_values_are_told_at_once(talk):
    assert set(talk.refused(summary="", labels=["a b"], duedate="x")) == {
        "summary", "labels", "duedate"
    }  # fmt: skip


def test_a_document_that_is_none_is_invalid_input(talk):
    wrong = {**DOCUMENT, "content": [{"type": "text", "text": "no paragraph"}]}
    body = {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "x",
                       "description": wrong}}  # fmt: skip
    assert talk("POST", f"{API}/issue", body) == (
        400, {"errorMessages": ["INVALID_INPUT"], "errors": {}}
    )  # fmt: skip


def test_parents_must_be_one_level_up(talk):
    epic, story = talk.create("Epic"), talk.create("Story")
    wrong = {"parentId": "Given parent work item does not belong to appropriate hierarchy."}
    assert talk.refused("Task", parent={"key": story}) == wrong
    assert talk.refused("Sub-task", parent={"key": epic}) == wrong
    assert talk.refused("Epic", parent={"key": epic}) == wrong
    assert "parentId" in talk.refused("Sub-task")
    child = talk.create("Sub-task", parent={"key": story})
    assert [s["key"] for s in talk.fields(story)["subtasks"]] == [child]
    task = talk.create("Task", parent={"key": epic})
    unset = {"update": {"parent": [{"set": {"none": True}}]}}
    assert talk("PUT", f"{API}/issue/{task}", unset) == (204, None)
    assert "parent" not in talk.fields(task)


def test_an_edit_answers_nothing_or_the_issue_and_is_all_or_nothing(talk):
    key = talk.create()
    assert talk("PUT", f"{API}/issue/{key}", {"fields": {"summary": "new"}}) == (204, None)
    body = {"fields": {"summary": "newer"}}
    status, issue = talk("PUT", f"{API}/issue/{key}", body, returnIssue="true")
    assert (status, issue["fields"]["summary"]) == (200, "newer")
    mixed = {"fields": {"summary": "newest", "duedate": "soon"}}
    assert talk("PUT", f"{API}/issue/{key}", mixed)[0] == 400
    assert talk.fields(key)["summary"] == "newer"


def test_update_verbs_add_and_remove(talk):
    key = talk.create(labels=["a", "b"])
    verbs = {"update": {"labels": [{"add": "c"}, {"remove": "a"}]}}
    assert talk("PUT", f"{API}/issue/{key}", verbs)[0] == 204
    assert talk.fields(key)["labels"] == ["b", "c"]
    twice = {"fields": {"labels": []}, **verbs}
    assert "labels" in talk("PUT", f"{API}/issue/{key}", twice)[1]["errors"]


def test_status_changes_only_through_a_transition(talk):
    key = talk.create()
    answer = talk("PUT", f"{API}/issue/{key}", {"fields": {"status": {"name": "Done"}}})
    assert answer[0] == 400
    assert talk.move(key, "Done") == (204, None)
    got = talk.fields(key)
    assert got["status"]["name"] == "Done"
    assert got["resolution"]["name"] == "Done"
    assert got["resolutiondate"] is not None
    assert talk.move(key, "In Progress")[0] == 204
    assert talk.fields(key)["resolution"] is None
    wrong = talk("POST", f"{API}/issue/{key}/transitions", {"transition": {"id": "999"}})
    assert wrong[0] == 400
    assert talk("POST", f"{API}/issue/{key}/transitions", {})[1]["errorMessages"] == [
        "Missing 'transition' identifier"
    ]


def test_a_defined_workflow_restricts_paths_and_asks_for_fields(talk):
    talk.site.add_status("Ready", "new")
    talk.site.set_workflow(
        "WEB",
        ["Ready", "In Progress", "Done"],
        [
            ("Start", ["Ready"], "In Progress", {}),
            ("Finish", ["In Progress"], "Done", {"resolution": True, "duedate": False}),
            ("Back", [], "Ready", {}),
        ],
        type_name="Task",
    )
    key = talk.create("Task")
    assert talk.fields(key)["status"]["name"] == "Ready"

    def names():
        _, found = talk("GET", f"{API}/issue/{key}/transitions", expand="transitions.fields")
        return {t["name"]: t for t in found["transitions"]}

    assert set(names()) == {"Start", "Back"}
    assert names()["Back"]["isGlobal"] is True
    assert talk.move(key, "In Progress")[0] == 204
    finish = names()["Finish"]
    assert finish["hasScreen"] is True
    assert finish["fields"]["resolution"]["required"] is True
    assert next(r["name"] for r in finish["fields"]["resolution"]["allowedValues"]) == "Done"
    step = {"transition": {"id": finish["id"]}}
    path = f"{API}/issue/{key}/transitions"
    assert talk("POST", path, step) == (
        400, {"errorMessages": [], "errors": {"resolution": "Resolution is required."}}
    )  # fmt: skip
    off_screen = {**step, "fields": {"resolution": {"name": "Done"}, "summary": "x"}}
    assert "summary" in talk("POST", path, off_screen)[1]["errors"]
    assert talk("POST", path, {**step, "fields": {"resolution": {"name": "Won't Do"}}})[0] == 204
    assert talk.fields(key)["resolution"]["name"] == "Won't Do"
    other = talk.create("Bug")  # other types keep the standard workflow
    assert talk.fields(other)["status"]["name"] == "To Do"


def test_every_change_is_in_the_changelog_with_author_and_history_metadata(talk):
    key = talk.create()
    ann = talk.person("Ann Lee")
    talk.login(*ann[1:])
    talk.clock.step(60)
    sent = {
        "fields": {"duedate": "2026-04-01"},
        "historyMetadata": {"type": "sync", "description": "d"},
    }
    assert talk("PUT", f"{API}/issue/{key}", sent)[0] == 204
    talk.move(key, "Done")
    _, log = talk("GET", f"{API}/issue/{key}/changelog")
    first, second = log["values"]
    assert first["author"]["accountId"] == ann[0]
    assert first["historyMetadata"]["type"] == "sync"
    assert first["created"] == "2026-03-01T12:01:00.000+0000"
    (item,) = first["items"]
    assert (item["fieldId"], item["from"], item["to"]) == ("duedate", None, "2026-04-01")
    assert [i["field"] for i in second["items"]] == ["status", "resolution"]
    assert second["items"][0]["fromString"] == "To Do"
    assert talk.fields(key)["updated"] == "2026-03-01T12:01:00.000+0000"
    body = {"issueIdsOrKeys": [key], "fieldIds": ["status"]}
    _, bulk = talk("POST", f"{API}/changelog/bulkfetch", body)
    assert len(bulk["issueChangeLogs"][0]["changeHistories"]) == 1


def test_an_edit_that_changes_nothing_leaves_no_trace(talk):
    key = talk.create(labels=["a"])
    talk.clock.step(60)
    body = {"fields": {"summary": "item", "labels": ["a"], "duedate": None}}
    assert talk("PUT", f"{API}/issue/{key}", body)[0] == 204
    assert talk("GET", f"{API}/issue/{key}/changelog")[1]["total"] == 0
    assert talk.fields(key)["updated"] == "2026-03-01T12:00:00.000+0000"


def test_properties_are_set_with_the_issue_and_do_not_touch_updated(talk):
    body = {
        "fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "x"},
        "properties": [{"key": "mark", "value": {"item": "i1"}}],
    }
    key = talk("POST", f"{API}/issue", body)[1]["key"]
    search = {"jql": "project = WEB", "fields": ["summary"], "properties": ["mark", "other"]}
    _, found = talk("POST", f"{API}/search/jql", search)
    assert found["issues"][0]["properties"] == {"mark": {"item": "i1"}}
    talk.clock.step(60)
    assert talk("PUT", f"{API}/issue/{key}/properties/other", [1])[0] == 201
    assert talk("PUT", f"{API}/issue/{key}/properties/other", [2])[0] == 200
    assert talk.fields(key)["updated"] == "2026-03-01T12:00:00.000+0000"
    assert talk("GET", f"{API}/issue/{key}/properties/other")[1]["value"] == [2]
    assert talk("DELETE", f"{API}/issue/{key}/properties/other") == (204, None)
    assert talk("GET", f"{API}/issue/{key}/properties/other")[0] == 404
    long = {**body, "properties": [{"key": "mark", "value": "x" * 40_000}]}
    assert talk("POST", f"{API}/issue", long)[0] == 400


def test_search_gives_ids_alone_unless_fields_are_asked_for(talk):
    talk.create()
    _, found = talk("GET", f"{API}/search/jql", jql="project = WEB")
    assert found == {"issues": [{"id": "10000"}], "isLast": True}
    _, found = talk("GET", f"{API}/search/jql", jql="project = WEB", fields="summary,status")
    assert set(found["issues"][0]["fields"]) == {"summary", "status"}
    _, found = talk("GET", f"{API}/search/jql", jql="project = WEB", fields="*all,-comment")
    assert "comment" not in found["issues"][0]["fields"]
    assert "creator" in found["issues"][0]["fields"]


def test_pages_with_fields_hold_at_most_100_and_ids_more(talk):
    rows = [{"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"},
                        "summary": str(n)}} for n in range(50)]  # fmt: skip
    for _ in range(3):
        assert talk("POST", f"{API}/issue/bulk", {"issueUpdates": rows})[0] == 201
    body = {"jql": "project = WEB", "maxResults": 5000}
    assert len(talk("POST", f"{API}/search/jql", body)[1]["issues"]) == 150
    with_fields = {**body, "fields": ["summary"]}
    assert len(talk("POST", f"{API}/search/jql", with_fields)[1]["issues"]) == 100


def test_the_old_search_is_gone(talk):
    for method in ("GET", "POST"):
        status, answer = talk(method, f"{API}/search", {"jql": "project = WEB"})
        assert status == 410
        assert answer["errorMessages"][0].startswith("The requested API has been removed. Please")


def test_bulk_create_keeps_the_good_ones_and_tells_of_the_bad(talk):
    good = {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "x"}}
    bad = {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}}}
    status, answer = talk("POST", f"{API}/issue/bulk", {"issueUpdates": [bad, good]})
    assert status == 201
    assert len(answer["issues"]) == 1
    (error,) = answer["errors"]
    assert (error["failedElementNumber"], error["status"]) == (0, 400)
    assert "summary" in error["elementErrors"]["errors"]
    assert talk("POST", f"{API}/issue/bulk", {"issueUpdates": [bad]})[0] == 400
    assert talk("POST", f"{API}/issue/bulk", {"issueUpdates": [good] * 51})[0] == 400


def test_bulk_fetch_leaves_out_what_cannot_be_seen_without_a_word(talk):
    one, two, three = talk.create(), talk.create(), talk.create()
    talk.site.hide_issue(two)
    body = {"issueIdsOrKeys": [three, two, "WEB-99", one], "fields": ["summary"]}
    _, found = talk("POST", f"{API}/issue/bulkfetch", body)
    assert [issue["key"] for issue in found["issues"]] == [one, three]
    assert found["issueErrors"] == []
    many = {"issueIdsOrKeys": [str(n) for n in range(101)]}
    assert talk("POST", f"{API}/issue/bulkfetch", many)[0] == 400


def test_missing_deleted_and_hidden_look_the_same(talk):
    gone, hidden, secret = talk.create(), talk.create(), talk.create()
    assert talk("DELETE", f"{API}/issue/{gone}") == (204, None)
    talk.site.hide_issue(hidden)
    assert talk("GET", f"{API}/issue/{gone}") == (404, GONE)
    assert talk("GET", f"{API}/issue/{hidden}") == (404, GONE)
    assert talk("PUT", f"{API}/issue/{hidden}", {"fields": {"summary": "x"}}) == (404, GONE)
    talk.site.set_access("WEB", members=[])
    assert talk("GET", f"{API}/issue/{secret}") == (404, GONE)
    assert talk("GET", f"{API}/project/WEB")[0] == 404
    assert talk("GET", f"{API}/project/search")[1]["total"] == 0


def test_deleting_a_parent_takes_its_subtasks_only_when_told_to(talk):
    story = talk.create("Story")
    child = talk.create("Sub-task", parent={"key": story})
    status, answer = talk("DELETE", f"{API}/issue/{story}")
    assert status == 400
    assert "deleteSubtasks" in answer["errorMessages"][0]
    assert talk("DELETE", f"{API}/issue/{story}", deleteSubtasks="true")[0] == 204
    assert talk("GET", f"{API}/issue/{child}")[0] == 404


def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key(talk):
    talk.site.add_project("APP", "App")
    key = talk.create()
    number = talk("GET", f"{API}/issue/{key}")[1]["id"]
    assert talk.site.move_issue(key, "APP") == "APP-1"
    for name in (key, "APP-1", number):
        _, issue = talk("GET", f"{API}/issue/{name}")
        assert (issue["id"], issue["key"]) == (number, "APP-1")
        assert issue["fields"]["project"]["key"] == "APP"
    _, found = talk("POST", f"{API}/search/jql", {"jql": f"key = {key}", "fields": ["key"]})
    assert found["issues"][0]["key"] == "APP-1"


def test_a_reader_may_look_but_not_touch(talk):
    key = talk.create()
    ann, email, token = talk.person("Ann Lee")
    talk.site.set_access("WEB", members=None, readers=[ann])
    talk.login(email, token)
    assert talk("GET", f"{API}/issue/{key}")[0] == 200
    assert talk("PUT", f"{API}/issue/{key}", {"fields": {"summary": "x"}})[0] == 403
    assert talk("GET", f"{API}/issue/{key}/transitions")[1]["transitions"] == []
    asked = {"permissions": "BROWSE_PROJECTS,EDIT_ISSUES", "projectKey": "WEB"}
    _, rights = talk("GET", f"{API}/mypermissions", **asked)
    have = {key: right["havePermission"] for key, right in rights["permissions"].items()}
    assert have == {"BROWSE_PROJECTS": True, "EDIT_ISSUES": False}


def test_wrong_credentials_and_none_at_all_see_nothing(talk):
    key = talk.create()
    for email, token in ((talk.site.email, "no"), ("who@example.com", talk.site.token), ("", "")):
        talk.login(email, token)
        if not email:
            talk.headers = {}
        told = {"message": "Client must be authenticated to access this resource.",
                "status-code": 401}  # fmt: skip
        assert talk("GET", f"{API}/myself") == (401, told)
        assert talk("GET", f"{API}/issue/{key}") == (404, GONE)
        empty = {"issues": [], "isLast": True}
        assert talk("GET", f"{API}/search/jql", jql="project = WEB") == (200, empty)
        assert talk("POST", f"{API}/issue", {"fields": {}})[0] == 401


def test_a_refused_login_is_told_in_a_header_of_an_anonymous_answer(talk):
    def headers():
        return talk.site.handle(Request("GET", f"{API}/serverInfo", (), talk.headers)).headers

    assert "x-seraph-loginreason" not in headers()
    talk.site.revoke_token(talk.site.account_id)
    assert headers()["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"
    talk.headers = {}
    assert "x-seraph-loginreason" not in headers()


def test_mail_is_shown_only_by_those_who_show_it(talk):
    shy, email, _ = talk.person("Shy Person", email_visible=False)
    _, user = talk("GET", f"{API}/user", accountId=shy)
    assert "emailAddress" not in user
    _, found = talk("GET", f"{API}/user/search", query=email)
    assert [u["accountId"] for u in found] == [shy]
    assert talk("GET", f"{API}/user/search", query="shy@")[1] == []
    _, me = talk("GET", f"{API}/myself")
    assert me["emailAddress"] == talk.site.email


def test_times_are_shown_in_the_zone_of_the_caller(talk):
    key = talk.create()
    _, email, token = talk.person("Kai", time_zone="Asia/Kolkata")
    talk.login(email, token)
    assert talk.fields(key)["created"] == "2026-03-01T17:30:00.000+0530"


def test_version_2_speaks_wiki_and_version_3_documents(talk):
    body = {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "x",
                       "description": "h2. Plan\n\n* one\n* *two*"}}  # fmt: skip
    key = talk("POST", "/rest/api/2/issue", body)[1]["key"]
    assert talk("GET", f"/rest/api/2/issue/{key}")[1]["fields"]["description"] == (
        "h2. Plan\n\n* one\n* *two*"
    )
    document = talk.fields(key)["description"]
    assert [node["type"] for node in document["content"]] == ["heading", "bulletList"]
    assert talk("PUT", f"{API}/issue/{key}", {"fields": {"description": DOCUMENT}})[0] == 204
    assert talk("GET", f"/rest/api/2/issue/{key}")[1]["fields"]["description"] == "Hello"
    assert "description" in talk("POST", "/rest/api/2/issue", {
        "fields": {**body["fields"], "description": DOCUMENT}})[1]["errors"]  # fmt: skip


def test_select_fields_take_their_options_and_no_others(talk):
    kind = "com.atlassian.jira.plugin.system.customfieldtypes:multiselect"
    _, field = talk("POST", f"{API}/field", {"name": "Areas", "type": kind})
    _, contexts = talk("GET", f"{API}/field/{field['id']}/context")
    path = f"{API}/field/{field['id']}/context/{contexts['values'][0]['id']}/option"
    _, made = talk("POST", path, {"options": [{"value": "Red"}, {"value": "Blue"}]})
    red, blue = (option["id"] for option in made["options"])
    key = talk.create(**{field["id"]: [{"id": red}, {"value": "Blue"}]})
    assert [o["value"] for o in talk.fields(key)[field["id"]]] == ["Red", "Blue"]
    wrong = talk.refused(**{field["id"]: [{"value": "Green"}]})
    assert wrong == {field["id"]: "Option value 'Green' is not valid"}
    talk("PUT", path, {"options": [{"id": blue, "value": "Navy", "disabled": True}]})
    assert talk.refused(**{field["id"]: [{"id": blue}]}) == {
        field["id"]: f"Option id '{blue}' is not valid"
    }
    assert talk.fields(key)[field["id"]][1]["value"] == "Navy"
    _, meta = talk("GET", f"{API}/issue/createmeta/WEB/issuetypes/10002")
    (shown,) = [f for f in meta["fields"] if f["fieldId"] == field["id"]]
    assert [o["value"] for o in shown["allowedValues"]] == ["Red"]
    assert talk("POST", path, {"options": [{"value": "Red"}]})[0] == 400


def test_required_fields_are_required_on_create_and_edit(talk):
    talk.site.set_required("WEB", ["duedate"], type_name="Bug")
    assert talk.refused("Bug") == {"duedate": "Due date is required."}
    key = talk.create("Bug", duedate="2026-04-01")
    answer = talk("PUT", f"{API}/issue/{key}", {"fields": {"duedate": None}})
    assert answer[1]["errors"] == {"duedate": "Due date is required."}
    talk.create("Task")
    _, meta = talk("GET", f"{API}/issue/{key}/editmeta")
    assert meta["fields"]["duedate"]["required"] is True


def test_links_comments_and_remote_links(talk):
    one, two = talk.create(), talk.create()
    link = {"type": {"name": "Blocks"}, "inwardIssue": {"key": one}, "outwardIssue": {"key": two}}
    assert talk("POST", f"{API}/issueLink", link)[0] == 201
    (seen,) = talk.fields(one)["issuelinks"]
    assert (seen["outwardIssue"]["key"], seen["type"]["outward"]) == (two, "blocks")
    (seen,) = talk.fields(two)["issuelinks"]
    assert seen["inwardIssue"]["key"] == one
    assert talk("DELETE", f"{API}/issueLink/{seen['id']}") == (204, None)
    assert talk.fields(one)["issuelinks"] == []
    assert talk("POST", f"{API}/issueLink", {**link, "type": {"name": "Eats"}})[0] == 404

    status, comment = talk("POST", f"{API}/issue/{one}/comment", {"body": DOCUMENT})
    assert (status, comment["body"]) == (201, DOCUMENT)
    assert talk.fields(one)["comment"]["total"] == 1
    assert talk("POST", f"{API}/issue/{one}/comment", {"body": "text"})[0] == 400

    remote = {"globalId": "g=1", "object": {"url": "https://example.com", "title": "A"}}
    assert talk("POST", f"{API}/issue/{one}/remotelink", remote)[0] == 201
    changed = {**remote, "object": {"url": "https://example.com", "title": "B"}}
    assert talk("POST", f"{API}/issue/{one}/remotelink", changed)[0] == 200
    _, links = talk("GET", f"{API}/issue/{one}/remotelink")
    assert [row["object"]["title"] for row in links] == ["B"]


def test_bulk_edit_runs_as_a_task(talk):
    one, two = talk.create(), talk.create(labels=["old"])
    body = {
        "selectedActions": ["labels", "priority"],
        "selectedIssueIdsOrKeys": [one, two, "WEB-99"],
        "editedFieldsInput": {
            "labelsFields": [{"fieldId": "labels", "bulkEditMultiSelectFieldOption": "ADD",
                              "labels": [{"name": "new"}]}],
            "priority": {"priorityId": "1"},
        },
    }  # fmt: skip
    status, task = talk("POST", f"{API}/bulk/issues/fields", body)
    assert status == 201
    path = f"{API}/bulk/queue/{task['taskId']}"
    assert talk("GET", path)[1]["status"] == "RUNNING"
    talk.clock.step(5)
    _, done = talk("GET", path)
    assert done["status"] == "COMPLETE"
    assert done["invalidOrInaccessibleIssueCount"] == 1
    assert len(done["processedAccessibleIssues"]) == 2
    assert talk.fields(two)["labels"] == ["new", "old"]
    assert talk.fields(one)["priority"]["name"] == "Highest"


def test_sprints_go_from_future_to_closed(talk):
    agile = "/rest/agile/1.0"
    key = talk.create("Story")
    _, boards = talk("GET", f"{agile}/board", projectKeyOrId="WEB")
    board = boards["values"][0]["id"]
    _, sprint = talk("POST", f"{agile}/sprint", {"name": "S1", "originBoardId": board})
    path = f"{agile}/sprint/{sprint['id']}"
    assert talk("POST", path, {"state": "active"})[0] == 400  # no dates yet
    dates = {"startDate": "2026-03-01T08:00:00.000Z", "endDate": "2026-03-14T08:00:00.000Z"}
    assert talk("POST", path, {"state": "active", **dates})[0] == 200
    assert talk("POST", f"{path}/issue", {"issues": [key]}) == (204, None)
    assert [s["name"] for s in talk.fields(key)["customfield_10020"]] == ["S1"]
    _, found = talk("POST", f"{API}/search/jql", {"jql": "sprint in openSprints()"})
    assert len(found["issues"]) == 1
    assert talk("POST", path, {"state": "closed"})[1]["completeDate"].startswith("2026-03-01T12")
    assert talk("POST", f"{path}/issue", {"issues": [key]})[0] == 400
    assert talk("GET", f"{agile}/board/{board}/sprint", state="closed")[1]["total"] == 1


def test_paths_that_are_not_there_and_bodies_that_are_no_json(talk):
    assert talk("GET", f"{API}/nothing")[0] == 404
    assert talk("PATCH", f"{API}/issue")[0] == 405
    request = Request("POST", f"{API}/issue", (), talk.headers, b"{")
    response = talk.site.handle(request)
    assert response.status == 400
    assert b"error parsing JSON" in response.body


def test_the_same_seed_and_calls_give_the_same_bytes():
    def bytes_of_a_session():
        talk = Talk()
        talk.person("Ann Lee")
        talk.create()
        talk.move("WEB-1", "Done")
        request = Request("GET", f"{API}/issue/WEB-1", (("expand", "changelog"),), talk.headers)
        response = talk.site.handle(request)
        return response.body, response.headers

    assert bytes_of_a_session() == bytes_of_a_session()


def test_what_is_nested_too_deep_to_be_shown_again_is_refused(talk):
    key, deep = talk.create(), {"type": "paragraph", "content": []}
    for _ in range(60):
        item = {"type": "listItem", "content": [deep]}
        deep = {"type": "bulletList", "content": [item]}
    fields = {"description": {"type": "doc", "version": 1, "content": [deep]}}
    assert talk("PUT", f"{API}/issue/{key}", {"fields": fields})[0] == 400
    assert talk("PUT", f"{API}/issue/{key}/properties/deep", deep)[0] == 400
    assert talk("GET", f"{API}/issue/{key}", expand="renderedFields")[0] == 200
