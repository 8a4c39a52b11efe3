"""Views, templates, comments, search and filters of the Notion stand-in, as the newest client sends them."""

from __future__ import annotations

import json

import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.wire import Request


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


class Desk:
    """A workspace with a table of four rows; `ask` gives bodies, `refuse` sentences."""

    def __init__(self) -> None:
        self.notion = NotionSandbox(SandboxClock(frozen=1_789_997_640.0))  # Monday, 13:34
        self.ada = self.notion.add_user("Ada", "ada@example.com")
        self.home = self.ask("POST", "pages", {"properties": {"title": text("Home")}})["id"]
        schema = {"Name": {"title": {}}, "Points": {"number": {}}, "Due": {"date": {}},
                  "Tags": {"multi_select": {"options": [{"name": n} for n in "abc"]}}}  # fmt: skip
        asked = {"parent": {"page_id": self.home}, "title": text("Road"),
                 "initial_data_source": {"properties": schema}}  # fmt: skip
        made = self.ask("POST", "databases", asked)
        self.database, self.source = made["id"], made["data_sources"][0]["id"]
        self.rows = [
            self.row(str(n), Points={"number": n}, Due={"date": {"start": f"2026-09-{20 + n}"}},
                     Tags={"multi_select": [{"name": "abc"[n % 3]}]})
            for n in range(4)
        ]  # fmt: skip

    def send(self, method: str, path: str, body: object, query: tuple) -> tuple[int, dict]:
        headers = {"authorization": f"Bearer {self.notion.token}",
                   "notion-version": "2026-03-11"}  # fmt: skip
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.notion.handle(Request(method, f"/v1/{path}", query, headers, raw))
        return answer.status, json.loads(answer.body)

    def ask(self, method: str, path: str, body: object = None, *query: tuple[str, str]) -> dict:
        status, answer = self.send(method, path, body, query)
        assert status in (200, 202), answer
        return answer

    def refuse(self, method: str, path: str, body: object = None) -> str:
        status, answer = self.send(method, path, body, ())
        assert status in (400, 404), answer
        return answer["message"]

    def row(self, name: str, **values: object) -> str:
        asked = {"parent": {"data_source_id": self.source},
                 "properties": {"Name": {"title": text(name)}, **values}}  # fmt: skip
        return self.ask("POST", "pages", asked)["id"]

    def names(self, filter: dict) -> list[str]:  # noqa: A002 - as the API calls it
        body = {"filter": filter, "sorts": [{"property": "Name", "direction": "ascending"}]}
        found = self.ask("POST", f"data_sources/{self.source}/query", body)["results"]
        return [row["properties"]["Name"]["title"][0]["plain_text"] for row in found]

    def view(self, **more: object) -> dict:
        body = {"data_source_id": self.source, "name": "V", "type": "table",
                "database_id": self.database, **more}  # fmt: skip
        return self.ask("POST", "views", {key: v for key, v in body.items() if v is not None})


@pytest.fixture
def desk() -> Desk:
    return Desk()


# filters


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ({"property": "Due", "date": {"equals": "today"}}, ["1"]),
        ({"property": "Due", "date": {"before": "today"}}, ["0"]),
        ({"property": "Due", "date": {"on_or_after": "tomorrow"}}, ["2", "3"]),
        ({"property": "Due", "date": {"after": "one_week_from_now"}}, []),
        ({"property": "Due", "date": {"after": "one_month_ago"}}, ["0", "1", "2", "3"]),
        ({"property": "Tags", "multi_select": {"contains": ["a", "c"]}}, ["0", "2", "3"]),
        ({"property": "Tags", "multi_select": {"does_not_contain": ["a", "c"]}}, ["1"]),
    ],
)
def test_filters_by_a_named_day_and_by_several_options(desk, filter, names):  # noqa: A002
    assert desk.names(filter) == names


def test_filters_by_verification(desk):
    column = {"properties": {"Seal": {"verification": {}}}}
    desk.ask("PATCH", f"data_sources/{desk.source}", column)
    values = {"Seal": {"verification": {"state": "verified", "date": {
        "start": "2026-09-01", "end": "2026-09-23"}}}}  # fmt: skip
    seal = desk.ask("PATCH", f"pages/{desk.rows[1]}", {"properties": values})["properties"]["Seal"]
    assert seal["verification"]["state"] == "verified"
    assert seal["verification"]["verified_by"]["type"] == "bot"
    wanted = {"property": "Seal", "verification": {"status": "verified"}}
    assert desk.names(wanted) == ["1"]
    desk.notion.clock.step(3 * 86_400)
    assert desk.names(wanted) == []
    assert desk.names({"property": "Seal", "verification": {"status": "expired"}}) == ["1"]
    none = {"property": "Seal", "verification": {"does_not_equal": "none"}}
    assert desk.names(none) == ["1"]


@pytest.mark.parametrize(
    ("column", "test", "names"),
    [
        ("Tags", {"any": {"multi_select": {"contains": "b"}}}, ["0", "2"]),
        ("Tags", {"none": {"multi_select": {"contains": "b"}}}, ["1", "3"]),
        ("Due", {"every": {"date": {"after": "2026-09-21"}}}, ["1", "2", "3"]),
        ("Points", {"any": {"number": {"greater_than": 2}}}, ["2"]),
    ],
)
def test_filters_by_what_is_rolled_up(desk, column, test, names):
    link = {"Up": {"relation": {"data_source_id": desk.source, "single_property": {}}},
            "Rolled": {"rollup": {"relation_property_name": "Up", "rollup_property_name": column,
                                  "function": "show_original"}}}  # fmt: skip
    desk.ask("PATCH", f"data_sources/{desk.source}", {"properties": link})
    for row, others in ((0, [1]), (1, [2]), (2, [3, 1]), (3, [])):
        if column == "Due" and row == 2:
            others = [3]  # noqa: PLW2901 - after the 21st
        links = [{"id": desk.rows[other]} for other in others]
        desk.ask("PATCH", f"pages/{desk.rows[row]}", {"properties": {"Up": {"relation": links}}})
    expected = ["1", "2", "3"] if column == "Due" else names
    assert desk.names({"property": "Rolled", "rollup": test}) == expected


# views


def test_views_stand_where_they_are_put(desk):
    one, two = desk.view(name="One"), desk.view(name="Two", position={"type": "start"})
    three = desk.view(name="Three", position={"type": "after_view", "view_id": two["id"]})
    listed = desk.ask("GET", "views", None, ("database_id", desk.database))["results"]
    ids = [view["id"] for view in listed]
    assert (ids[0], ids[1], ids[-1]) == (two["id"], three["id"], one["id"])


def test_a_view_may_make_a_linked_database(desk):
    block = {"children": [{"divider": {}}, {"divider": {}}]}
    blocks = desk.ask("PATCH", f"blocks/{desk.home}/children", block)["results"]
    place = {"parent": {"type": "page_id", "page_id": desk.home},
             "position": {"type": "after_block", "block_id": blocks[0]["id"]}}  # fmt: skip
    view = desk.view(database_id=None, create_database=place)
    linked = view["parent"]["database_id"]
    assert linked != desk.database
    children = desk.ask("GET", f"blocks/{desk.home}/children")["results"]
    kinds = [(child["type"], child["id"]) for child in children][-3:]
    assert kinds[1] == ("child_database", linked)


def test_a_dashboard_holds_widgets_in_rows(desk):
    board = desk.view(type="dashboard", name="Board")
    widget = desk.view(database_id=None, view_id=board["id"])
    beside = desk.view(database_id=None, view_id=board["id"], type="chart",
                       placement={"type": "existing_row", "row_index": 0})  # fmt: skip
    assert widget["dashboard_view_id"] == board["id"]
    rows = desk.ask("GET", f"views/{board['id']}")["configuration"]["rows"]
    ids = [[one["view_id"] for one in row["widgets"]] for row in rows]
    assert ids == [[widget["id"], beside["id"]]]
    body = {"data_source_id": desk.source, "name": "x", "type": "table", "view_id": widget["id"]}
    assert "not a dashboard" in desk.refuse("POST", "views", body)


def test_quick_filters_are_set_and_taken_away_one_by_one(desk):
    quick = {"Points": {"number": {"greater_than": 1}}, "Name": {"title": {"contains": "x"}}}
    view = desk.view(quick_filters=quick)
    assert view["quick_filters"] == quick
    changed = {"quick_filters": {"Name": None}}
    assert set(desk.ask("PATCH", f"views/{view['id']}", changed)["quick_filters"]) == {"Points"}
    cleared = desk.ask("PATCH", f"views/{view['id']}", {"quick_filters": None})
    assert cleared["quick_filters"] is None
    wrong = {"quick_filters": {"Nope": {"number": {"equals": 1}}}}
    assert "Could not find property" in desk.refuse("PATCH", f"views/{view['id']}", wrong)
    wrong = {"sorts": [{"property": "Nope", "direction": "ascending"}]}
    assert "Could not find sort property" in desk.refuse("PATCH", f"views/{view['id']}", wrong)


# pages


def test_writes_show_the_properties_asked_for(desk):
    points = desk.ask("GET", f"data_sources/{desk.source}")["properties"]["Points"]["id"]
    asked = {"parent": {"data_source_id": desk.source}, "properties": {"Points": {"number": 1}}}
    made = desk.ask("POST", "pages", asked, ("filter_properties", points))
    assert set(made["properties"]) == {"Points"}
    change = {"properties": {"Points": {"number": 2}}}
    shown = desk.ask("PATCH", f"pages/{made['id']}", change, ("filter_properties", "title"))
    assert set(shown["properties"]) == {"Name"}


def test_a_heading_on_top_of_markdown_is_the_title_unless_one_is_given(desk):
    asked = {"parent": {"data_source_id": desk.source}, "markdown": "# Big\nsmall"}
    made = desk.ask("POST", "pages", asked)
    assert made["properties"]["Name"]["title"][0]["plain_text"] == "Big"
    assert desk.ask("GET", f"pages/{made['id']}/markdown")["markdown"] == "small"
    asked["properties"] = {"Name": {"title": text("Given")}}
    made = desk.ask("POST", "pages", asked)
    assert made["properties"]["Name"]["title"][0]["plain_text"] == "Given"
    assert desk.ask("GET", f"pages/{made['id']}/markdown")["markdown"] == "# Big\nsmall"


def test_a_page_may_be_made_asynchronously(desk):
    asked = {"parent": {"page_id": desk.home}, "markdown": "text", "allow_async": True}
    task = desk.ask("POST", "pages", asked)
    assert (task["object"], task["status"]) == ("async_task", "queued")
    done = desk.ask("GET", f"async_tasks/{task['id']}")
    assert (done["status"], done["result"]["object"]) == ("succeeded", "page")
    assert desk.ask("GET", f"pages/{done['result']['id']}/markdown")["markdown"] == "text"


def mention(**what: object) -> dict:
    return {"mention": {"template_mention": what}}


def test_a_template_is_no_row_and_its_mentions_are_settled_when_it_is_used(desk):
    rich = [mention(template_mention_date="today"), *text(" by "),
            mention(template_mention_user="me")]  # fmt: skip
    template = desk.row("Template")
    body = {"children": [{"paragraph": {"rich_text": [mention(template_mention_date="now")]}}]}
    desk.ask("PATCH", f"blocks/{template}/children", body)
    desk.ask("PATCH", f"pages/{template}", {"properties": {"Name": {"title": rich}}})
    kept = desk.ask("GET", f"pages/{template}")["properties"]["Name"]["title"]
    assert [item["plain_text"] for item in kept] == ["@Today", " by ", "@Me"]
    desk.notion.add_template(desk.source, template, default=True)
    assert len(desk.ask("POST", f"data_sources/{desk.source}/query", {})["results"]) == 4
    asked = {"parent": {"data_source_id": desk.source},
             "template": {"type": "default", "timezone": "Asia/Tokyo"}}  # fmt: skip
    made = desk.ask("POST", "pages", asked)
    title = made["properties"]["Name"]["title"]
    assert title[0]["mention"]["date"]["start"] == "2026-09-21"
    assert title[2]["mention"]["user"]["name"] == "syncd sandbox"
    (block,) = desk.ask("GET", f"blocks/{made['id']}/children")["results"]
    when = block["paragraph"]["rich_text"][0]["mention"]["date"]["start"]
    assert when == "2026-09-21T22:34:00.000+09:00"
    asked["template"]["timezone"] = "Mars/One"
    path = f"data_sources/{desk.source}/query"
    before = len(desk.ask("POST", path, {})["results"])
    assert "valid IANA time zone" in desk.refuse("POST", "pages", asked)
    status, _answer = desk.send(
        "POST", "pages", {"parent": asked["parent"]}, (("filter_properties", "Nope"),)
    )
    assert status == 400
    assert len(desk.ask("POST", path, {})["results"]) == before


def test_icons_of_notion_tabs_and_what_only_people_can_make(desk):
    icon = {"type": "icon", "icon": {"name": "rocket"}}
    shown = desk.ask("PATCH", f"pages/{desk.home}", {"icon": icon})["icon"]
    assert shown == {"type": "icon", "icon": {"name": "rocket", "color": "gray"}}
    tab = {"tab": {"children": [{"paragraph": {"rich_text": text("First")}}]}}
    made = desk.ask("PATCH", f"blocks/{desk.home}/children", {"children": [tab]})["results"][0]
    assert (made["type"], made["tab"], made["has_children"]) == ("tab", {}, True)
    notes = {"title": [], "status": "notes_ready", "children": {}}
    block = desk.notion.hands.block(desk.home, "meeting_notes", notes)
    assert desk.ask("GET", f"blocks/{block}")["type"] == "meeting_notes"
    other = desk.notion.hands.block(desk.home, "unsupported", {"block_type": "ai_block"})
    markdown = desk.ask("GET", f"pages/{desk.home}/markdown")
    assert other in markdown["unknown_block_ids"]
    wrong = {"unsupported": {}}
    assert "Fix one" in desk.refuse("PATCH", f"blocks/{other}", wrong)


# comments, search, emojis


def test_comments_have_attachments_and_a_name(desk):
    upload = desk.ask("POST", "file_uploads", {"filename": "a.png"})["id"]
    asked = {"parent": {"page_id": desk.home}, "rich_text": text("c"),
             "attachments": [{"file_upload_id": upload}]}  # fmt: skip
    assert "pending" in desk.refuse("POST", "comments", asked)
    desk.notion.app.store.uploads[upload].status = "uploaded"
    asked["display_name"] = {"type": "custom", "custom": {"name": "Robot"}}
    made = desk.ask("POST", "comments", asked)
    assert made["display_name"] == {"type": "custom", "resolved_name": "Robot"}
    assert [one["category"] for one in made["attachments"]] == ["image"]
    asked["attachments"] *= 4
    assert "attachments.length should be ≤ `3`" in desk.refuse("POST", "comments", asked)


def test_search_finds_what_is_in_the_trash_only_when_asked(desk):
    desk.ask("PATCH", f"pages/{desk.rows[0]}", {"in_trash": True})

    def found(**body: object) -> list[str]:
        return [one["id"] for one in desk.ask("POST", "search", body)["results"]]

    assert desk.rows[0] not in found()
    assert found(filter={"in_trash": True}) == [desk.rows[0]]
    pages = {"property": "object", "value": "page", "in_trash": True}
    assert found(filter=pages, sort={"property": "relevance"}) == [desk.rows[0]]


def test_emojis_are_found_by_name(desk):
    desk.notion.add_emoji("ok", "https://example.com/ok.png")
    desk.notion.add_emoji("no", "https://example.com/no.png")
    found = desk.ask("GET", "custom_emojis", None, ("name", "no"))["results"]
    assert [one["name"] for one in found] == ["no"]
