"""What the sandbox shows to a person, asked without sockets: pages, actions, and what is refused."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from syncd.sandbox.face import Face
from syncd.sandbox.face.adf import as_lines, from_lines
from syncd.sandbox.face.adf import shown as adf_shown
from syncd.sandbox.face.forms import Field, Form, rows
from syncd.sandbox.face.fragment import rebuilt
from syncd.sandbox.face.html import join, tag
from syncd.sandbox.seeds import seed_demo
from syncd.sandbox.seeds.caller import asana_caller, jira_caller, notion_caller
from syncd.sandbox.services import Sandbox
from syncd.sandbox.wire import Request, query_pairs

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"


class Elements(HTMLParser):
    """Collects the elements of a page, and refuses elements left open."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "br", "hr", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


class Browser:
    """Looks at pages and sends forms, as one person."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.face = Face(sandbox)
        self.headers = {"host": "sandbox.test", "sec-fetch-site": "same-origin"}

    def ask(self, method, path, body=b""):
        bare, _, query = path.partition("?")
        return self.face.handle(
            Request(
                method,
                bare.removeprefix("/ui") or "/",
                query_pairs(query),
                self.headers,
                body,
                "http://sandbox.test/ui",
            )
        )

    def look(self, path, status=200):
        answer = self.ask("GET", path)
        text = answer.body.decode()
        assert answer.status == status, text
        Elements(text)
        return text

    def send(self, path, status=303, /, **fields):
        names = {name.replace("__", "."): value for name, value in fields.items()}
        answer = self.ask("POST", path, urlencode(names, doseq=True).encode())
        assert answer.status == status, answer.body.decode()
        return answer

    def links(self, path, pattern):
        return re.findall(pattern, self.look(path))


@pytest.fixture
def browser(tmp_path):
    sandbox = Sandbox(wire_log=tmp_path / "wire.jsonl")
    seed_demo(sandbox.jira, sandbox.asana, sandbox.notion, sandbox.clock)
    yield Browser(sandbox)
    sandbox.close()


@pytest.fixture
def jira(browser):
    return jira_caller(browser.sandbox.jira, browser.sandbox.jira.email, browser.sandbox.jira.token)


@pytest.fixture
def asana(browser):
    return asana_caller(browser.sandbox.asana, browser.sandbox.asana.token)


@pytest.fixture
def notion(browser):
    return notion_caller(browser.sandbox.notion, browser.sandbox.notion.token)


def logged(tmp_path):
    lines = (tmp_path / "wire.jsonl").read_text("utf8").splitlines()
    return [json.loads(line)["request"] for line in lines]


def first_task(browser):
    return browser.links("/ui/asana", r'href="/ui/asana/(\d+)" class="title"')[0]


def first_row(browser):
    return browser.links("/ui/notion", r'href="/ui/notion/([0-9a-f-]{36})" class="title"')[0]


def property_id(notion, row, name):
    return notion("GET", f"/v1/pages/{row}")["properties"][name]["id"]


# looking


def test_every_view_is_whole_html_under_a_strict_policy(browser):
    row, task = first_row(browser), first_task(browser)
    for path in ("/ui/", "/ui/jira", "/ui/jira/WEB-1", "/ui/asana", f"/ui/asana/{task}",
                 "/ui/notion", f"/ui/notion/{row}"):  # fmt: skip
        text = browser.look(path)
        policy = browser.ask("GET", path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        seen = Elements(text).seen
        idents = [attributes["id"] for _name, attributes in seen if "id" in attributes]
        assert len(idents) == len(set(idents)), path
        for name, attributes in seen:
            assert not any(key.startswith("on") or key == "style" for key in attributes), name
            for key in ("src", "href", "action"):
                address = attributes.get(key, "/ui/")
                assert address.startswith(("/ui/", "#main", "https://")), (name, address)


def test_looking_is_not_logged_and_changes_nothing(browser, tmp_path):
    before = browser.ask("GET", "/ui/changes").body
    for path in ("/ui/", "/ui/jira", "/ui/jira/WEB-1", "/ui/asana", "/ui/notion"):
        browser.look(path)
    assert logged(tmp_path) == []
    assert browser.ask("GET", "/ui/changes").body == before


def test_the_board_has_a_column_for_each_status_and_says_what_it_left_out(browser):
    text = browser.look("/ui/jira?project=WEB")
    assert re.findall(r'<section class="column" aria-label="([^"]+)"', text) == [
        "To Do", "Idea", "In Progress", "In Review", "Blocked", "On hold", "Done", "Cancelled",
    ]  # fmt: skip
    column = re.search(
        r'href="(/ui/jira\?project=WEB&amp;column=\d+)" class="more">All (\d+)', text
    )
    whole = browser.look(column[1].replace("&amp;", "&"))
    assert whole.count('class="card"') == int(column[2])


def test_a_long_column_goes_on_page_after_page(browser, jira):
    for number in range(110):
        fields = {"project": {"key": "APP"}, "issuetype": {"name": "Task"},
                  "summary": f"One of many {number}"}  # fmt: skip
        jira("POST", "/rest/api/3/issue", {"fields": fields})
    text = browser.look("/ui/jira?project=APP&q=many")
    at = re.search(r'aria-label="To Do" data-drop="status" data-value="(\d+)"', text)[1]
    path, keys = f"/ui/jira?project=APP&column={at}&q=many", []
    while path:
        text = browser.look(path)
        keys += re.findall(r'<li id="(APP-\d+)"', text)
        following = re.search(r'href="([^"]+)" class="more">Next page', text)
        path = following[1].replace("&amp;", "&") if following else None
    assert len(keys) == len(set(keys)) == 110


def test_nothing_that_is_not_there_is_shown(browser):
    assert "There is no such page" in browser.look("/ui/nowhere", 404)
    assert "Issue does not exist" in browser.look("/ui/jira/WEB-99999", 404)
    assert "That did not work" in browser.look("/ui/asana/1", 404)
    assert "That did not work" in browser.look("/ui/notion/not-an-id", 400)


@pytest.mark.parametrize("service", ["jira", "asana", "notion"])
def test_hostile_titles_are_text(browser, service, jira, asana, notion):
    if service == "jira":
        where = {"project": "WEB", "kind": _kind(jira, "Task"), "summary": HOSTILE}
    elif service == "asana":
        project = browser.links("/ui/asana", r'name="project" value="(\d+)"')[0]
        where = {"project": project, "name": HOSTILE}
    else:
        source = browser.links("/ui/notion", r'name="source" value="([^"]+)"')[0]
        where = {"source": source, "title": HOSTILE}
    path = browser.send(f"/ui/{service}/create", **where).headers["location"]
    for page in (path, f"/ui/{service}?q=alert", "/ui/"):
        text = browser.look(page)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "<script>alert" not in text
        assert "<img" not in text


def _kind(jira, name):
    kinds = jira("GET", "/rest/api/3/issue/createmeta/WEB/issuetypes")["issueTypes"]
    return next(each["id"] for each in kinds if each["name"] == name)


# acting


def test_moving_a_card_takes_the_transition_as_the_chosen_person(browser, jira, tmp_path):
    browser.headers["cookie"] = "syncd-person=priya"
    wanted = browser.links("/ui/jira/WEB-9", r'value="(\d+)" aria-label="Move to Blocked"')[0]
    assert (
        browser.send("/ui/jira/WEB-9/move", status=wanted).headers["location"] == "/ui/jira/WEB-9"
    )
    request = logged(tmp_path)[-1]
    assert request["method"] == "POST"
    assert request["url"] == "http://sandbox.test/jira/rest/api/3/issue/WEB-9/transitions"
    history = jira("GET", "/rest/api/3/issue/WEB-9/changelog")["values"][-1]
    assert history["author"]["displayName"] == "Priya Raman"
    assert history["items"][0]["toString"] == "Blocked"
    assert browser.ask("GET", "/ui/changes").body != b"0-0"


def test_a_move_the_workflow_has_not_is_told_with_the_ways_there_are(browser, tmp_path):
    text = browser.send("/ui/jira/WEB-9/move", 422, status="4711").body.decode()
    assert "from here WEB-9 can go to: Idea, To Do" in text
    assert logged(tmp_path) == []


def test_a_form_sends_what_was_changed_and_nothing_else(browser, tmp_path):
    browser.send("/ui/jira/WEB-1/edit", was__summary="One-page checkout",
                 summary="One-page checkout, really", was__duedate="2020-01-01",
                 duedate="2020-01-01", was__labels="", labels="a b")  # fmt: skip
    body = json.loads(logged(tmp_path)[-1]["body"])
    assert body == {"fields": {"summary": "One-page checkout, really", "labels": ["a", "b"]}}
    browser.send("/ui/jira/WEB-1/edit", was__summary="x", summary="x")
    assert len(logged(tmp_path)) == 1


def test_jira_issues_are_edited_given_children_commented_and_deleted(browser, jira):
    ana = browser.links("/ui/jira/WEB-9", r'<option value="(712020[^"]+)">Ana Sílva<')[0]
    browser.send("/ui/jira/WEB-9/edit", was__assignee="", assignee=ana, was__description="",
                 description="# Why\n\n- one\n- two", was__customfield_10016="",
                 customfield_10016="5")  # fmt: skip
    fields = jira("GET", "/rest/api/3/issue/WEB-9")["fields"]
    assert fields["assignee"]["displayName"] == "Ana Sílva"
    assert fields["customfield_10016"] == 5
    assert [node["type"] for node in fields["description"]["content"]] == ["heading", "bulletList"]
    browser.send("/ui/jira/create", project="WEB", parent="WEB-9", kind=_kind(jira, "Story"),
                 summary="A child of it")  # fmt: skip
    browser.send("/ui/jira/WEB-9/comment", comment="Looks right")
    text = browser.look("/ui/jira/WEB-9")
    assert "A child of it" in text
    assert "Looks right" in text
    browser.send("/ui/jira/WEB-9/delete", back="/ui/jira?project=WEB")
    browser.look("/ui/jira/WEB-9", 404)


def test_asana_tasks_are_ticked_moved_edited_and_deleted(browser, asana):
    task = first_task(browser)
    text = browser.look(f"/ui/asana/{task}")
    section = re.search(r'<option value="(\d+)">Blocked</option>', text)[1]
    browser.send(f"/ui/asana/{task}/move", section=section)
    browser.send(f"/ui/asana/{task}/complete", completed="yes")
    high = re.search(r'name="cf\.(\d+)"><option value="">—</option>.*?'
                     r'<option value="(\d+)">High<', text)  # fmt: skip
    browser.send(f"/ui/asana/{task}/edit", was__due_on="", due_on="2027-01-31",
                 was__notes="", notes="Two\nlines",
                 **{f"was__cf__{high[1]}": "", f"cf__{high[1]}": high[2]})  # fmt: skip
    browser.send(f"/ui/asana/{task}/subtask", name="Do the half of it")
    browser.send(f"/ui/asana/{task}/comment", comment="On it")
    held = asana("GET", f"/api/1.0/tasks/{task}?opt_fields=completed,due_on,notes,num_subtasks,"
                 "memberships.section.name,custom_fields.display_value")["data"]  # fmt: skip
    assert (held["completed"], held["due_on"], held["notes"]) == (True, "2027-01-31", "Two\nlines")
    assert held["memberships"][0]["section"]["name"] == "Blocked"
    assert "High" in [each["display_value"] for each in held["custom_fields"]]
    text = browser.look(f"/ui/asana/{task}")
    assert "Do the half of it" in text
    assert "On it" in text
    browser.send(f"/ui/asana/{task}/delete")
    browser.look(f"/ui/asana/{task}", 404)


def test_notion_properties_are_edited(browser, notion):
    row = first_row(browser)
    ids = {name: property_id(notion, row, name)
           for name in ("Priority", "Target date", "Points done", "Summary text", "Owner")}  # fmt: skip
    hana = browser.links(f"/ui/notion/{row}", r'value="([^"]+)"><span>Hana 花子 Sato')[0]
    sent = {"Priority": "High", "Target date": "2027-02-28", "Points done": "2.5",
            "Summary text": "In short", "Owner": hana}  # fmt: skip
    fields = {ids[name]: value for name, value in sent.items()}
    fields |= {f"was.{ids[name]}": "" for name in sent}
    browser.send(f"/ui/notion/{row}/edit", **fields)
    held = notion("GET", f"/v1/pages/{row}")["properties"]
    assert held["Priority"]["select"]["name"] == "High"
    assert held["Target date"]["date"]["start"] == "2027-02-28"
    assert held["Points done"]["number"] == 2.5
    assert held["Summary text"]["rich_text"][0]["plain_text"] == "In short"
    assert [each["id"] for each in held["Owner"]["people"]] == [hana]
    browser.send(f"/ui/notion/{row}/edit",
                 **{f"was.{ids['Owner']}": hana, f"was.{ids['Priority']}": "High"})  # fmt: skip
    held = notion("GET", f"/v1/pages/{row}")["properties"]
    assert held["Owner"]["people"] == []
    assert held["Priority"]["select"] is None


def test_notion_blocks_are_added_edited_checked_and_removed(browser, notion):
    row = first_row(browser)
    for kind in ("heading_1", "bulleted_list_item", "to_do", "code"):
        browser.send(f"/ui/notion/{row}/add", kind=kind, text=f"A {kind} <b>")
    held = notion("GET", f"/v1/blocks/{row}/children")["results"]
    assert [each["type"] for each in held] == ["heading_1", "bulleted_list_item", "to_do", "code"]
    heading, _bullet, todo, code = (each["id"] for each in held)
    browser.send(f"/ui/notion/{row}/block", block=heading, kind="heading_1",
                 was__text="A heading_1 <b>", text="Better")  # fmt: skip
    browser.send(f"/ui/notion/{row}/block", block=todo, kind="to_do", checked="yes")
    browser.send(f"/ui/notion/{row}/block", block=code, kind="code", remove="yes")
    held = notion("GET", f"/v1/blocks/{row}/children")["results"]
    assert held[0]["heading_1"]["rich_text"][0]["plain_text"] == "Better"
    assert held[2]["to_do"]["checked"] is True
    assert len(held) == 3
    assert "A to_do &lt;b&gt;" in browser.look(f"/ui/notion/{row}")


def test_notion_pages_are_moved_trashed_and_restored(browser, notion):
    row = first_row(browser)
    page = browser.links("/ui/notion", r'href="/ui/notion/([0-9a-f-]{36})">▤ ')[0]
    browser.send(f"/ui/notion/{row}/trash", trash="yes")
    assert notion("GET", f"/v1/pages/{row}")["in_trash"] is True
    assert "This page is in the trash." in browser.look(f"/ui/notion/{row}")
    browser.send(f"/ui/notion/{row}/trash", trash="no")
    browser.send(f"/ui/notion/{row}/move", to=f"page_id:{page}")
    assert notion("GET", f"/v1/pages/{row}")["parent"]["page_id"] == page


# refusals


def test_a_form_from_another_site_is_refused(browser, tmp_path):
    browser.headers["sec-fetch-site"] = "cross-site"
    browser.send("/ui/jira/WEB-9/delete", 403)
    del browser.headers["sec-fetch-site"]
    browser.headers["origin"] = "https://elsewhere.example"
    browser.send("/ui/jira/WEB-9/delete", 403)
    assert logged(tmp_path) == []


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/ui\\x",
                                  "/uix", "/ui/\r\nset-cookie: a=b", "/ui/ü"])  # fmt: skip
def test_going_back_never_leaves_the_face(browser, back):
    assert browser.send("/ui/person", person="ana", back=back).headers["location"] == "/ui/"


def test_a_person_is_chosen_and_kept(browser):
    answer = browser.send("/ui/person", person="hana", back="/ui/jira?project=APP")
    assert answer.headers["location"] == "/ui/jira?project=APP"
    assert answer.headers["set-cookie"].startswith("syncd-person=hana; Path=/ui; HttpOnly")
    browser.headers["cookie"] = "syncd-person=hana"
    assert '<option value="hana" selected>' in browser.look("/ui/")
    assert "set-cookie" not in browser.send("/ui/person", person="nobody").headers


def test_a_fault_is_told_in_words(browser):
    browser.sandbox.faults.set([{"service": "jira", "method": "POST", "drop_before": True}])
    text = browser.send("/ui/jira/WEB-9/comment", 502, comment="hello").body.decode()
    assert "the connection closed without a whole answer" in text


def test_an_empty_sandbox_says_so():
    browser = Browser(Sandbox())
    for path in ("/ui/", "/ui/jira", "/ui/asana", "/ui/notion"):
        assert "There is no" in browser.look(path) or "No project" in browser.look(path)
    assert ">Integration</option>" in browser.look("/ui/")


# parts


def test_text_is_escaped_and_addresses_are_checked():
    made = tag("a", HOSTILE, join("<b>"), href="javascript:alert(1)", title='"<')
    assert made == (
        '<a href="#" title="&quot;&lt;">&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&gt;&lt;img'
        " src=x onerror=alert(2)&gt;&amp;amp;&lt;b&gt;</a>"
    )
    for bad in ("//x", "/\\x", "data:text/html,x", " javascript:x", "JaVaScRiPt:x", "vbscript:x"):
        assert 'href="#"' in tag("a", href=bad)
    assert 'href="https://x/?a=1&amp;b=2"' in tag("a", href="https://x/?a=1&b=2")


@pytest.mark.parametrize("text", ["", "One", "# Big\n\nTwo\nlines\n\n- a\n- b\n\n1. x\n2. y"])
def test_lines_and_documents_are_the_same(text):
    assert as_lines(from_lines(text)) == text


def test_a_document_that_lines_cannot_say_is_not_offered_as_lines():
    bold = {"type": "text", "text": "x", "marks": [{"type": "strong"}]}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [bold]}]}
    assert as_lines(document) is None
    assert adf_shown(document) == '<p class="adf-paragraph"><strong>x</strong></p>'
    link = {
        "type": "text",
        "text": "x",
        "marks": [{"type": "link", "attrs": {"href": "javascript:1"}}],
    }
    assert 'href="#"' in adf_shown({"content": [link]})


def test_fragments_are_rebuilt_from_known_elements():
    made, rich = rebuilt('<body><strong onclick="x">a</strong><script>b</script><h1>c'
                         '<a href="javascript:x">d</a></h1><iframe src="x">e</iframe><em>f</body>')  # fmt: skip
    assert made == '<strong>a</strong><h3>c<a href="#" rel="noreferrer">d</a></h3>e<em>f</em>'
    assert rich is True
    assert rebuilt("<body>1 &lt; 2</body>") == ("1 &lt; 2", False)


def test_a_form_knows_what_a_person_changed():
    shown = rows([Field("a", "A", "choices", ("2", "1"), [("1", "x"), ("2", "y"), ("3", "z")])])
    was = re.search(r'name="was\.a" value="([^"]*)"', shown)[1]
    assert Form((("was.a", was), ("a", "1"), ("a", "2"))).changed() == {}
    assert Form((("was.a", was), ("a", "3"))).changed() == {"a": ["3"]}
    assert Form((("was.a", was),)).changed() == {"a": []}
    assert Form.parse(b"was.t=a%0D%0Ab&t=a%0D%0Ab").changed() == {}


# everything there is


def test_every_kind_of_block_is_shown(browser, notion):
    row = first_row(browser)
    text = [{"type": "text", "text": {"content": "words"}}]
    media = {"type": "external", "external": {"url": "https://example.com/x.png"}}
    inner = [{"type": "paragraph", "paragraph": {"rich_text": text}}]
    column = {"type": "column", "column": {"children": inner}}
    held = {
        "toggle": {"rich_text": text, "children": inner},
        "callout": {"rich_text": text},
        "equation": {"expression": "e=mc^2"},
        "bookmark": {"url": "https://example.com/"},
        "embed": {"url": "https://example.com/"},
        "image": media,
        "video": media,
        "file": media,
        "divider": {},
        "breadcrumb": {},
        "table_of_contents": {},
        "link_to_page": {"type": "page_id", "page_id": row},
        "column_list": {"children": [column, column]},
        "synced_block": {"synced_from": None, "children": inner},
    }
    children = [{"type": kind, kind: value} for kind, value in held.items()]
    notion("PATCH", f"/v1/blocks/{row}/children", {"children": children})
    made = browser.look(f"/ui/notion/{row}")
    for kind in held:
        assert f'class="block {kind}"' in made
    assert "e=mc^2" in made
    assert made.count(">words</") == 6
    assert 'href="https://example.com/x.png"' in made


def test_every_kind_of_property_is_shown(browser, notion):
    row = first_row(browser)
    parent = notion("GET", f"/v1/pages/{row}")["parent"]["data_source_id"]
    kinds = {
        "checkbox": {}, "email": {}, "phone_number": {}, "files": {}, "created_time": {},
        "created_by": {}, "last_edited_time": {}, "last_edited_by": {}, "unique_id": {},
        "formula": {"expression": "1 + 1"},
        "rollup": {"relation_property_name": "Parent", "rollup_property_name": "Name",
                   "function": "count"},
    }  # fmt: skip
    properties = {f"my {kind}": {kind: about} for kind, about in kinds.items()}
    notion("PATCH", f"/v1/data_sources/{parent}", {"properties": properties})
    values = {
        "my checkbox": {"checkbox": True},
        "my email": {"email": "a@b.example"},
        "my files": {"files": [{"name": "f", "external": {"url": "https://example.com/f"}}]},
        "Target date": {"date": {"start": "2026-01-01", "end": "2026-02-01"}},
        "Labels": {"multi_select": [{"name": "one"}, {"name": "two"}]},
    }
    notion("PATCH", f"/v1/pages/{row}", {"properties": values})
    page = browser.look(f"/ui/notion/{row}")
    table = browser.look("/ui/notion")
    for kind in kinds:
        assert f">my {kind}<" in page
        assert f">my {kind}<" in table
    assert "a@b.example" in table
    assert "☑" in table
    assert "2026-02-01" in page


NONSENSE = ["", "x", "-1", "\x00", "..", "%2e%2e", "ü" * 300, "a/b", "null", "[]", HOSTILE]


def test_nonsense_is_refused_in_words_and_never_breaks_a_page(browser):
    row, task = first_row(browser), first_task(browser)
    forms = {
        "jira/create": ("project", "kind", "summary", "parent"),
        "jira/WEB-1/move": ("status",),
        "jira/WEB-1/edit": ("duedate", "priority", "customfield_10016", "nothing", "parent"),
        "asana/create": ("project", "name", "section"),
        f"asana/{task}/move": ("section",),
        f"asana/{task}/edit": ("due_on", "assignee", "cf.1", "nothing"),
        "notion/create": ("source", "title"),
        f"notion/{row}/edit": ("title", "nothing", property_ids(browser, row)),
        f"notion/{row}/add": ("kind", "text"),
        f"notion/{row}/block": ("block", "kind", "remove"),
        f"notion/{row}/move": ("to",),
        "person": ("person", "back"),
    }
    for path, names in forms.items():
        for nonsense in NONSENSE:
            pairs = [(name, nonsense) for name in names]
            pairs += [(f"was.{name}", "was") for name in names]
            answer = browser.ask("POST", f"/ui/{path}", urlencode(pairs).encode())
            assert answer.status in {303, 400, 403, 404, 422}, (path, nonsense, answer.status)
    for nonsense in NONSENSE:
        for service, name in (("jira", "project"), ("jira", "column"), ("jira", "page"),
                              ("asana", "project"), ("asana", "page"), ("notion", "table"),
                              ("notion", "page"), ("jira", "q"), ("notion", "q")):  # fmt: skip
            answer = browser.ask("GET", f"/ui/{service}?{urlencode([(name, nonsense)])}")
            assert answer.status in {200, 400, 404}, (service, name, nonsense)
            Elements(answer.body.decode())


def property_ids(browser, row):
    return browser.links(f"/ui/notion/{row}", r'type="number"[^>]* name="([^"]+)"')[0]
