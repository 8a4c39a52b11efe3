"""JQL: what it means, and the vendor's sentences for what it does not take."""

from __future__ import annotations

import base64

import orjson
import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.jira.jql_parse import Call, Clause, Empty, Group, Many, Value, parse
from syncd.sandbox.jira.problems import ApiError
from syncd.sandbox.wire import Request

NOON = 1_772_366_400.0  # 2026-03-01 12:00 UTC


class Talk:
    """A client without sockets."""

    def __init__(self) -> None:
        self.clock = SandboxClock(frozen=NOON)
        self.site = JiraSandbox(self.clock)
        self.login(self.site.email, self.site.token)

    def login(self, email, token):
        pair = base64.b64encode(f"{email}:{token}".encode()).decode()
        self.headers = {"authorization": f"Basic {pair}"}

    def __call__(self, method, path, body=None, **query):
        raw = b"" if body is None else orjson.dumps(body)
        request = Request(method, path, tuple(query.items()), self.headers, raw)
        response = self.site.handle(request)
        return response.status, orjson.loads(response.body) if response.body else None

    def create(self, project="WEB", kind="Task", summary="item", **fields):
        body = {"project": {"key": project}, "issuetype": {"name": kind}, "summary": summary}
        status, made = self("POST", "/rest/api/3/issue", {"fields": {**body, **fields}})
        assert status == 201, made
        return made["key"]

    def keys(self, jql, **more):
        body = {"jql": jql, "fields": ["summary"], "maxResults": 100, **more}
        status, found = self("POST", "/rest/api/3/search/jql", body)
        assert status == 200, found
        return [issue["key"] for issue in found["issues"]]

    def refusal(self, jql):
        status, answer = self("POST", "/rest/api/3/search/jql", {"jql": jql})
        assert status == 400, answer
        return answer["errorMessages"][0]


@pytest.fixture
def talk():
    made = Talk()
    made.site.add_project("WEB", "Web shop")
    made.site.add_project("APP", "Phone app")
    return made


def test_a_query_becomes_a_tree_with_and_before_or():
    query = parse('project = WEB AND status in (Open, "In Progress") OR NOT labels is EMPTY')
    assert query.where == Group(
        "or",
        (
            Group(
                "and",
                (
                    Clause("project", "=", Value("WEB")),
                    Clause(
                        "status", "in", Many((Value("Open"), Value("In Progress", quoted=True)))
                    ),
                ),
            ),
            Group("not", (Clause("labels", "is", Empty()),)),
        ),
    )


def test_functions_custom_fields_and_order_are_read():
    query = parse("cf[10016] >= 3 AND assignee = currentUser() order by priority DESC, key")
    assert query.where == Group(
        "and", (Clause("cf[10016]", ">=", Value("3")), Clause("assignee", "=", Call("currentUser")))
    )
    assert query.order == (("priority", True), ("key", None))


@pytest.mark.parametrize(
    ("jql", "start", "end"),
    [
        ("project = ", "Error in the JQL Query: Expecting either a value, list", "character 11)"),
        ("project WEB", "Error in the JQL Query: Expecting operator but got 'WEB'.", "9)"),
        ("project", "Error in the JQL Query: Expecting operator before the end", "8)"),
        ("a = b c = d", "Error in the JQL Query: Expecting either 'OR' or 'AND' but got 'c'.", "7)"),
        ("status = and", ("Error in the JQL Query: Expecting either a value, list or function but"
         " got 'and'. You must surround 'and' in quotation marks to use it as a value."), "10)"),
        ("select = 1", "Error in the JQL Query: 'select' is a reserved JQL word.", "1)"),
        ("a = x@y", ("Error in the JQL Query: The character '@' is a reserved JQL character. You"
         " must enclose it in a string or use the escape '\\u0040' instead."), "6)"),
        ('a = "open', "Error in JQL Query: The quoted string 'open' has not been completed.", "5)"),
        ("a = b order foo", "Error in the JQL Query: Expecting 'by' but got 'foo'.", "13)"),
        ("(a = b", "Error in the JQL Query: Expecting ')' before the end of the query.", "7)"),
        ("a in b", "Error in the JQL Query: Expecting '(' but got 'b'.", "6)"),
        ("a not = b", "Error in the JQL Query: Expecting 'IN' but got '='.", "7)"),
        ("a =\nb\n c", "Error in the JQL Query: Expecting either 'OR' or 'AND' but got 'c'.",
         "(line 3, character 2)"),
    ],
)  # fmt: skip
def test_what_is_no_jql_is_refused_in_the_vendors_words(jql, start, end):
    with pytest.raises(ApiError) as caught:
        parse(jql)
    sentence = caught.value.messages[0]
    assert sentence.startswith(start)
    assert sentence.endswith(end)


def test_deep_nesting_is_refused_not_crashed_on():
    with pytest.raises(ApiError):
        parse("(" * 500 + "a = b" + ")" * 500)


@pytest.mark.parametrize(
    ("jql", "sentence"),
    [
        ("", ("Unbounded JQL queries are not allowed here. Please add a search restriction to your"
             " query.")),
        ("ORDER BY created", ("Unbounded JQL queries are not allowed here. Please add a search"
                             " restriction to your query.")),
        ("colour = red",
         "Field 'colour' does not exist or you do not have permission to view it."),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("status = 424242", "A value with ID '424242' does not exist for the field 'status'."),
        ("key = WEB-99", "An issue with key 'WEB-99' does not exist for field 'key'."),
        ("summary = hello", "The operator '=' is not supported by the 'summary' field."),
        ("status ~ hello", "The operator '~' is not supported by the 'status' field."),
        ("assignee = nobodyKnows()", "Unable to find JQL function 'nobodyKnows()'."),
        ("project = WEB order by colour", "Not able to sort using field 'colour'."),
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused_in_the_vendors_words(talk, jql, sentence):
    assert talk.refusal(jql) == sentence


def test_a_wrong_date_is_told_with_the_formats_that_work(talk):
    sentence = talk.refusal('updated >= "last week"')
    assert sentence.startswith("Date value 'last week' for field 'updated' is invalid. Valid for")


def test_equality_finds_by_name_id_and_key_whatever_the_case(talk):
    one, _two = talk.create(), talk.create("APP", "Bug")
    for jql in ("project = web", 'project = "Web shop"', "project = 10000", "type = task",
                "issuetype = 10002", f"key = {one}", f"id = {one.lower()}", "key in (WEB-1)",
                'project = WEB and status = "to do"', 'project=WEB and statusCategory = new',
                "project = WEB AND statuscategory = 'To Do'"):  # fmt: skip
        assert talk.keys(jql) == [one], jql


def test_not_equal_leaves_out_the_empty_ones_as_jira_does(talk):
    empty, red = talk.create(), talk.create(labels=["red"])
    blue, both = talk.create(labels=["blue"]), talk.create(labels=["blue", "red"])
    assert talk.keys("labels != red order by key") == [blue]
    assert talk.keys("not labels = red order by key") == [blue]
    assert talk.keys("labels not in (red, green) order by key") == [blue]
    assert talk.keys("labels = red order by key") == [red, both]
    assert talk.keys("labels in (red, EMPTY) order by key") == [empty, red, both]
    assert talk.keys("labels is EMPTY") == [empty]
    assert talk.keys("labels is not null order by key") == [red, blue, both]


def test_people_are_found_by_account_name_and_hidden_mail(talk):
    ann = talk.site.add_user("Ann Lee", "ann@example.com", email_visible=False)
    key = talk.create(assignee={"accountId": ann})
    talk.create()
    for named in (f'"{ann}"', '"Ann Lee"', '"ann@example.com"'):
        assert talk.keys(f"assignee = {named}") == [key]
    assert talk.keys("assignee is empty") == ["WEB-2"]
    assert talk.keys("assignee = currentUser()") == []
    assert len(talk.keys("reporter = currentUser()")) == 2


def test_quoted_times_are_read_in_the_zone_of_the_caller(talk):
    account = talk.site.add_user("Kai", "kai@example.com", time_zone="Pacific/Auckland")
    talk.site.add_token(account, "kai")
    key = talk.create()
    assert talk.keys('created >= "2026-03-01 12:00"') == [key]
    assert talk.keys('created > "2026-03-01 12:00"') == []
    talk.login("kai@example.com", "kai")  # noon UTC is 01:00 of the next day there
    assert talk.keys('created >= "2026-03-02 01:00"') == [key]
    assert talk.keys('created >= "2026-03-02 01:01"') == []


def test_minutes_are_the_finest_quoted_time_but_unquoted_milliseconds_are_exact(talk):
    talk.clock.step(30.5)
    key = talk.create()
    moment = int((NOON + 30.5) * 1000)
    assert talk.keys('created >= "2026-03-01 12:00"') == [key]
    assert talk.keys('created >= "2026-03-01 12:01"') == []
    assert talk.keys(f"updated >= {moment}") == [key]
    assert talk.keys(f"updated >= {moment + 1}") == []
    assert talk.refusal(f'updated >= "{moment}"').startswith("Date value")


def test_relative_times_count_from_now(talk):
    old = talk.create()
    talk.clock.step(3600)
    new = talk.create()
    assert talk.keys("created >= -10m") == [new]
    assert talk.keys('created >= "-2h" order by key') == [old, new]
    assert talk.keys("created < -30m") == [old]
    assert talk.keys("created >= startOfDay() and created < endOfDay() order by key") == [old, new]
    assert talk.keys('created >= startOfDay("-1d") and created < startOfDay()') == []


def test_days_and_numbers_compare(talk):
    early = talk.create(duedate="2026-03-02", customfield_10016=3)
    late = talk.create(duedate="2026-04-02", customfield_10016=8)
    talk.create()
    assert talk.keys('due < "2026-04-01"') == [early]
    assert talk.keys("duedate >= '2026/04/02'") == [late]
    assert talk.keys('"Story Points" > 3') == [late]
    assert talk.keys("cf[10016] <= 3") == [early]
    assert talk.keys('"Story Points" = 8') == [late]
    assert talk.keys('"story points" is empty') == ["WEB-3"]
    assert talk.keys("duedate <= 1w") == [early]


def test_text_search_takes_words_beginnings_and_phrases(talk):
    one = talk.create(summary="Printing invoices twice")
    two = talk.create(summary="Invoice twice a month")
    assert talk.keys("summary ~ invoice order by key") == [one, two]
    assert talk.keys('summary ~ "invoice print*"') == [one]
    assert talk.keys("text ~ '\"twice a\"'") == [two]
    assert talk.keys("project = WEB and summary !~ month") == [one]


def test_parents_priorities_and_levels(talk):
    epic = talk.create(kind="Epic")
    child = talk.create(parent={"key": epic}, priority={"name": "High"})
    low = talk.create(priority={"name": "Low"})
    assert talk.keys(f"parent = {epic}") == [child]
    assert talk.keys(f"parent in ({epic})") == [child]
    assert talk.keys("parent is empty order by key") == [epic, low]
    assert talk.keys("priority > Medium") == [child]
    assert talk.keys("priority < Medium") == [low]
    assert talk.keys("hierarchyLevel = 1") == [epic]
    assert talk.keys("project = WEB order by priority desc, key") == [child, epic, low]
    assert talk.keys("project = WEB order by priority asc, key") == [low, epic, child]


def test_the_past_can_be_asked_for(talk):
    key = talk.create()
    talk.clock.step(3600)
    talk("POST", f"/rest/api/3/issue/{key}/transitions", {"transition": {"id": "21"}})
    talk.clock.step(3600)
    talk("POST", f"/rest/api/3/issue/{key}/transitions", {"transition": {"id": "41"}})
    still = talk.create()
    assert talk.keys('status was "In Progress"') == [key]
    assert talk.keys('status was not "In Progress"') == [still]
    assert talk.keys('status changed from "To Do" to "In Progress"') == [key]
    assert talk.keys("status changed after -90m") == [key]
    assert talk.keys("status changed before -90m") == []
    assert talk.keys("status changed by currentUser()") == [key]
    assert "is not supported" in talk.refusal("summary changed")


def test_pages_follow_on_without_gap_or_double_while_items_move(talk):
    made = {talk.create() for _ in range(25)}
    body = {"jql": "project = WEB order by updated asc, key asc", "maxResults": 10}
    seen, token = [], None
    while True:
        more = {"nextPageToken": token} if token else {}
        _, page = talk("POST", "/rest/api/3/search/jql", {**body, "fields": ["summary"], **more})
        seen += [issue["key"] for issue in page["issues"]]
        token = page.get("nextPageToken")
        assert page["isLast"] == (token is None)
        assert "total" not in page
        if token is None:
            break
        assert len(page["issues"]) == 10
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize("order", ["", "order by created desc", "order by summary, key",
                                   "order by priority, created", "order by key desc"])  # fmt: skip
def test_every_order_pages_through_everything(talk, order):
    made = {talk.create(summary=f"item {n % 7}") for n in range(23)}
    seen, token = [], None
    while token is not None or not seen:
        body = {"jql": f"project = WEB {order}", "fields": ["key"], "maxResults": 4}
        _, page = talk("POST", "/rest/api/3/search/jql",
                       {**body, **({"nextPageToken": token} if token else {})})  # fmt: skip
        seen += [issue["key"] for issue in page["issues"]]
        token = page.get("nextPageToken")
        if token is None:
            break
    assert len(seen) == 23
    assert set(seen) == made


def test_a_token_of_another_query_or_an_old_one_is_refused(talk):
    for _ in range(3):
        talk.create()
    body = {"jql": "project = WEB", "maxResults": 1}
    _, page = talk("POST", "/rest/api/3/search/jql", body)
    token = page["nextPageToken"]
    other = {"jql": "project = APP", "nextPageToken": token}
    assert talk("POST", "/rest/api/3/search/jql", other)[0] == 400
    assert talk("POST", "/rest/api/3/search/jql", {**body, "nextPageToken": "x"})[0] == 400
    assert talk("POST", "/rest/api/3/search/jql", {**body, "nextPageToken": token})[0] == 200
    talk.clock.step(8 * 24 * 3600)
    assert talk("POST", "/rest/api/3/search/jql", {**body, "nextPageToken": token})[0] == 400


def test_parse_endpoint_tells_structure_or_errors(talk):
    body = {"queries": ["project = WEB AND labels in (a, b) ORDER BY created", "project ="]}
    status, answer = talk("POST", "/rest/api/3/jql/parse", body)
    assert status == 200
    good, wrong = answer["queries"]
    assert good["structure"]["where"]["operator"] == "and"
    assert good["structure"]["orderBy"]["fields"][0]["field"]["name"] == "created"
    assert wrong["errors"]
    assert "structure" not in wrong


def test_what_is_wrong_in_several_places_is_told_at_once(talk):
    body = {"jql": "project = GONE AND colour = red AND status = Odd ORDER BY weight"}
    status, answer = talk("POST", "/rest/api/3/search/jql", body)
    assert (status, answer["errorMessages"]) == (400, [
        "The value 'GONE' does not exist for the field 'project'.",
        "Field 'colour' does not exist or you do not have permission to view it.",
        "The value 'Odd' does not exist for the field 'status'.",
        "Not able to sort using field 'weight'.",
    ])  # fmt: skip


def test_a_project_or_an_issue_that_one_may_not_see_does_not_exist_in_jql(talk):
    hidden, seen = talk.create("APP"), talk.create("WEB")
    talk.site.set_access("APP", members=[])
    assert (
        talk.refusal("project = APP") == "The value 'APP' does not exist for the field 'project'."
    )
    said = f"An issue with key '{hidden}' does not exist for field 'key'."
    assert talk.refusal(f"key = {hidden}") == said
    assert talk.keys("project in (WEB)") == [seen]


def test_several_conditions_together_narrow_down_and_follow_every_change(talk):
    first, second = talk.create(labels=["a"]), talk.create(labels=["a", "b"])
    other = talk.create("APP", labels=["b"])
    query = 'project = WEB AND labels = b AND status = "To Do" ORDER BY key'
    assert talk.keys(query) == [second]
    talk("PUT", f"/rest/api/3/issue/{first}", {"update": {"labels": [{"add": "b"}]}})
    talk("PUT", f"/rest/api/3/issue/{second}", {"fields": {"labels": None}})
    assert talk.keys(query) == [first]
    talk("POST", f"/rest/api/3/issue/{first}/transitions", {"transition": {"id": "21"}})
    assert talk.keys(query) == []
    talk.site.move_issue(other, "WEB")
    assert talk.keys(query) == ["WEB-3"]
    talk("DELETE", "/rest/api/3/issue/WEB-3")
    assert talk.keys(query) == []
    assert talk.keys("labels is EMPTY AND project = WEB") == [second]
    assert talk.keys("summary ~ items AND labels in (a, b)") == [first]


def test_search_sees_changes_late_when_the_index_lags_and_at_once_when_told_to_reconcile(talk):
    old = talk.create(summary="plan")
    talk.site.set_index_lag(20)
    new = talk.create(summary="plan too")
    number = int(talk("GET", f"/rest/api/3/issue/{new}")[1]["id"])
    talk("PUT", f"/rest/api/3/issue/{old}", {"fields": {"summary": "done"}})
    assert talk.keys("project = WEB AND summary ~ plan") == [old]  # as last indexed
    assert talk.keys("project = WEB AND summary ~ plan", reconcileIssues=[number]) == [new, old]
    count = talk("POST", "/rest/api/3/search/approximate-count", {"jql": "project = WEB"})[1]
    assert count == {"count": 1}
    talk.clock.step(20)
    assert talk.keys("project = WEB AND summary ~ plan") == [new]
    talk("DELETE", f"/rest/api/3/issue/{new}")
    assert talk.keys("project = WEB AND summary ~ plan") == []
    talk.create(summary="plan again")
    talk.site.set_index_lag(0)
    assert len(talk.keys("project = WEB AND summary ~ plan")) == 1


def test_only_numbers_can_be_reconciled_and_at_most_fifty(talk):
    talk.create()
    for ids in (["WEB-1"], [1] * 51, "1"):
        body = {"jql": "project = WEB", "reconcileIssues": ids}
        assert talk("POST", "/rest/api/3/search/jql", body)[0] == 400


def test_a_search_body_holds_what_the_definition_names_and_nothing_else(talk):
    talk.create()
    good = {"jql": "project = WEB", "fields": ["summary"], "expand": "names", "maxResults": 5}
    assert talk("POST", "/rest/api/3/search/jql", good)[0] == 200
    said = "Invalid request payload. Refer to the REST API documentation and try again."
    for wrong in ({"startAt": 0}, {"fields": "summary"}, {"properties": "mark"},
                  {"expand": ["names"]}, {"validateQuery": True}):  # fmt: skip
        status, answer = talk("POST", "/rest/api/3/search/jql", {**good, **wrong})
        assert (status, answer["errorMessages"]) == (400, [said]), wrong


def test_custom_fields_answer_to_their_number_their_name_and_their_name_with_type(talk):
    key = talk.create(customfield_10016=5)
    fields = {f["id"]: f for f in talk("GET", "/rest/api/3/field")[1]}
    names = ["cf[10016]", "Story Points", "Story Points[Number]"]
    assert fields["customfield_10016"]["clauseNames"] == names
    for name in ("cf[10016]", '"Story Points"', '"story points[number]"'):
        assert talk.keys(f"project = WEB AND {name} = 5") == [key]


def test_what_is_no_key_is_told_from_a_key_that_is_nobodys(talk):
    assert talk.refusal("key = ABC") == "The issue key 'ABC' for field 'key' is invalid."
    assert (
        talk.refusal("key = WEB-9") == "An issue with key 'WEB-9' does not exist for field 'key'."
    )
    said = "A value with ID '77' does not exist for the field 'id'."
    assert talk.refusal("id = 77") == said


def test_properties_are_not_searched_without_an_app_that_indexes_them(talk):
    assert talk.refusal('issue.property[mark].item = "x"') == (
        "Field 'issue.property[mark].item' does not exist or you do not have permission to view it."
    )


def test_a_saved_query_can_be_named_in_another(talk):
    ours, other = talk.create(labels=["a"]), talk.create("APP", labels=["a"])
    body = {"name": "Ours", "jql": "project = WEB ORDER BY created"}
    saved = talk("POST", "/rest/api/3/filter", body)[1]["id"]
    assert talk.keys("filter = Ours AND labels = a") == [ours]
    assert talk.keys(f"filter != {saved} AND labels = a") == [other]
    assert talk.keys(f"labels = a AND NOT filter in ({saved})") == [other]
    assert (
        talk.refusal("filter = Theirs")
        == "The value 'Theirs' does not exist for the field 'filter'."
    )
    assert talk("POST", "/rest/api/3/filter", {"name": "Bad", "jql": "nope = 1"})[0] == 400
    assert talk("POST", "/rest/api/3/filter", body)[1]["errors"] == {
        "filterName": "Filter with same name already exists."
    }


def test_editors_are_told_fields_functions_words_and_values(talk):
    data = talk("GET", "/rest/api/3/jql/autocompletedata")[1]
    points = next(f for f in data["visibleFieldNames"] if f.get("cfid") == "cf[10016]")
    assert points["value"] == '"Story Points[Number]"'
    assert ">=" in points["operators"]
    assert "membersof()" in [row["value"] for row in data["visibleFunctionNames"]]
    assert "select" in data["jqlReservedWords"]
    path = "/rest/api/3/jql/autocompletedata/suggestions"
    found = talk("GET", path, fieldName="status", fieldValue="to")[1]["results"]
    assert found == [{"value": '"To Do"', "displayName": "To Do"}]


def test_months_are_months_and_minutes_are_minutes_in_the_edges_of_time(talk):
    key = talk.create(duedate="2026-01-31")  # now is 2026-03-01
    assert talk.keys('duedate >= startOfMonth(-2M) AND duedate <= endOfMonth("-2M")') == [key]
    assert talk.keys("duedate >= startOfMonth(-1)") == []
    assert talk.keys("duedate >= startOfYear() AND duedate < startOfMonth(-1M)") == [key]
    assert talk.keys("created > startOfDay(10m) AND created < endOfDay(-1h)") == [key]
