"""Users, search, moving, templates, views, uploads and tasks of the Notion stand-in."""

from __future__ import annotations

import io

import httpx
import pytest
from notion_client import APIResponseError, Client

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.notion.transport import NotionTransport


class Office:
    """A sandbox with a page and a data source."""

    def __init__(self) -> None:
        self.clock = SandboxClock(frozen=1_789_997_640.0)
        self.sandbox = NotionSandbox(self.clock)
        http = httpx.Client(transport=NotionTransport(self.sandbox))
        self.client = Client(
            auth=self.sandbox.token, client=http, notion_version="2026-03-11", retry=False
        )
        self.home = self.client.pages.create(properties={"title": text("Home page")})["id"]
        database = self.client.databases.create(
            parent={"page_id": self.home},
            title=text("Roadmap"),
            initial_data_source={"properties": {"Name": {"title": {}}, "Size": {"number": {}}}},
        )
        self.database, self.source = database["id"], database["data_sources"][0]["id"]

    def row(self, name: str, size: int | None = None) -> str:
        properties = {"Name": {"title": text(name)}, "Size": {"number": size}}
        made = self.client.pages.create(
            parent={"data_source_id": self.source}, properties=properties
        )
        return made["id"]


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


@pytest.fixture
def office() -> Office:
    return Office()


def test_users(office):
    ada = office.sandbox.add_user("Ada", "ada@example.com")
    bob = office.sandbox.add_user("Bob", "bob@example.com")
    me = office.client.users.me()
    assert (me["type"], me["bot"]["owner"]["type"]) == ("bot", "workspace")
    assert office.client.users.retrieve(ada)["person"]["email"] == "ada@example.com"
    page = office.client.users.list(page_size=2)
    assert [user["id"] for user in page["results"]] == [me["id"], ada]
    assert page["next_cursor"] == bob
    rest = office.client.users.list(start_cursor=bob)
    assert ([user["id"] for user in rest["results"]], rest["has_more"]) == ([bob], False)


def test_search_looks_at_titles_only_newest_edit_first(office):
    office.clock.step(60)
    row = office.row("Roadmap of work")
    found = office.client.search(query="roadmap")["results"]
    assert [one["id"] for one in found] == [row, office.source]
    kinds = {"property": "object", "value": "data_source"}
    assert [one["id"] for one in office.client.search(filter=kinds)["results"]] == [office.source]
    oldest = {"timestamp": "last_edited_time", "direction": "ascending"}
    assert office.client.search(sort=oldest)["results"][-1]["id"] == row


def test_moving_a_page(office):
    row = office.row("One", 3)
    other = office.client.databases.create(
        parent={"page_id": office.home},
        initial_data_source={"properties": {"Title": {"title": {}}, "Size": {"number": {}}}},
    )["data_sources"][0]["id"]
    moved = office.client.pages.move(row, parent={"data_source_id": other})
    assert moved["properties"]["Size"]["number"] == 3
    assert office.client.data_sources.query(office.source)["results"] == []
    assert office.client.data_sources.query(other)["results"][0]["id"] == row
    plain = office.client.pages.move(row, parent={"page_id": office.home})
    assert list(plain["properties"]) == ["title"]
    with pytest.raises(APIResponseError, match="into itself"):
        office.client.pages.move(office.home, parent={"page_id": row})


def test_more_data_sources_in_a_database(office):
    second = office.client.data_sources.create(
        parent={"database_id": office.database},
        title=text("Second"),
        properties={"Key": {"title": {}}},
    )
    assert second["database_parent"]["page_id"] == office.home
    names = [
        one["name"] for one in office.client.databases.retrieve(office.database)["data_sources"]
    ]
    assert names == ["Roadmap", "Second"]
    with pytest.raises(APIResponseError, match="multiple data sources"):
        office.client.pages.create(parent={"database_id": office.database}, properties={})
    office.client.data_sources.update(second["id"], in_trash=True)
    assert len(office.client.databases.retrieve(office.database)["data_sources"]) == 1


def test_a_database_changes_its_own_attributes(office):
    changed = office.client.databases.update(
        office.database, title=text("New"), icon={"emoji": "🔥"}, is_inline=True
    )
    assert changed["title"][0]["plain_text"] == "New"
    assert changed["icon"] == {"type": "emoji", "emoji": "🔥"}
    assert changed["is_inline"] is True


def test_templates(office):
    template = office.row("Template", 5)
    office.client.blocks.children.append(
        template, children=[{"toggle": {"rich_text": text("t"), "children": [{"divider": {}}]}}]
    )
    office.sandbox.add_template(office.source, template, default=True)
    listed = office.client.data_sources.list_templates(office.source)
    assert listed == {
        "templates": [{"id": template, "name": "Template", "is_default": True}],
        "has_more": False,
        "next_cursor": None,
    }
    made = office.client.pages.create(
        parent={"data_source_id": office.source},
        properties={"Name": {"title": text("From template")}},
        template={"type": "default"},
    )
    assert made["properties"]["Size"]["number"] == 5
    blocks = office.client.blocks.children.list(made["id"])["results"]
    assert [block["type"] for block in blocks] == ["toggle"]
    assert blocks[0]["has_children"] is True


def test_views_and_their_queries(office):
    big, small = office.row("Big", 9), office.row("Small", 1)
    views = office.client.views
    first = views.list(database_id=office.database)["results"]
    made = views.create(
        database_id=office.database,
        data_source_id=office.source,
        name="Large",
        type="table",
        filter={"property": "Size", "number": {"greater_than": 5}},
    )
    assert made["parent"] == {"type": "database_id", "database_id": office.database}
    assert len(views.list(database_id=office.database)["results"]) == len(first) + 1 == 2
    request = office.client.request
    result = request(path=f"views/{made['id']}/queries", method="POST", body={})
    assert (result["total_count"], result["results"]) == (1, [{"object": "page", "id": big}])
    changed = request(
        path=f"views/{made['id']}", method="PATCH", body={"name": "All", "filter": None}
    )
    assert changed["name"] == "All"
    again = request(path=f"views/{made['id']}/queries", method="POST", body={})
    path = f"views/{made['id']}/queries/{again['id']}"
    assert {one["id"] for one in request(path=path, method="GET")["results"]} == {big, small}
    assert request(path=path, method="DELETE")["deleted"] is True
    with pytest.raises(APIResponseError, match="Could not find view_query"):
        request(path=path, method="GET")
    assert request(path=f"views/{made['id']}", method="DELETE")["object"] == "view"
    with pytest.raises(APIResponseError, match="last view"):
        request(path=f"views/{first[0]['id']}", method="DELETE")


def test_uploading_a_file_and_using_it(office):
    uploads = office.client.file_uploads
    made = uploads.create(mode="single_part", filename="a.txt", content_type="text/plain")
    assert made["status"] == "pending"
    assert made["upload_url"].endswith(f"/v1/file_uploads/{made['id']}/send")
    with pytest.raises(APIResponseError, match="status of pending"):
        office.client.pages.update(office.home, cover={"file_upload": {"id": made["id"]}})
    sent = uploads.send(made["id"], file=("a.txt", io.BytesIO(b"hello"), "text/plain"))
    assert (sent["status"], sent["content_length"]) == ("uploaded", 5)
    page = office.client.pages.update(office.home, cover={"file_upload": {"id": made["id"]}})
    assert page["cover"]["type"] == "file"
    assert page["cover"]["file"]["expiry_time"] == "2026-09-21T14:34:00.000Z"
    assert uploads.list(status="uploaded")["results"][0]["id"] == made["id"]


def test_uploading_in_parts_and_too_late(office):
    uploads = office.client.file_uploads
    made = uploads.create(mode="multi_part", filename="a.bin", number_of_parts=2)
    for number in ("1", "2"):
        uploads.send(made["id"], file=io.BytesIO(b"x" * 3), part_number=number)
    done = uploads.complete(made["id"])
    assert (done["status"], done["content_length"]) == ("uploaded", 6)
    assert done["number_of_parts"] == {"total": 2, "sent": 2}
    late = uploads.create(mode="single_part", filename="b.txt")
    office.clock.step(3601)
    assert uploads.retrieve(late["id"])["status"] == "expired"


def test_markdown_in_the_background(office):
    request = office.client.request
    body = {"allow_async": True, "type": "insert_content", "insert_content": {"content": "# Hello"}}
    task = request(path=f"pages/{office.home}/markdown", method="PATCH", body=body)
    assert (task["object"], task["status"], task["poll_after_seconds"]) == (
        "async_task",
        "queued",
        2,
    )
    done = request(path=f"async_tasks/{task['id']}", method="GET")
    assert done["status"] == "succeeded"
    assert done["result"]["markdown"].endswith("# Hello")


def test_custom_emojis(office):
    emoji = office.sandbox.add_emoji("ship", "https://x.test/ship.png")
    listed = office.client.custom_emojis.list()
    assert listed["results"] == [{"id": emoji, "name": "ship", "url": "https://x.test/ship.png"}]
    page = office.client.pages.update(office.home, icon={"custom_emoji": {"id": emoji}})
    assert page["icon"]["custom_emoji"]["name"] == "ship"


def test_admin_calls_say_what_is_wrong(office):
    with pytest.raises(ValueError, match="is no UUID"):
        office.sandbox.add_user("X", "x@example.com", user_id="x")
    with pytest.raises(ValueError, match="no user"):
        office.sandbox.add_token("x", "t")
    with pytest.raises(ValueError, match="to hide"):
        office.sandbox.share("x", False)


def test_snapshots(office):
    row = office.row("One", 1)
    held = office.sandbox.snapshot()
    later = office.row("Two")
    office.client.pages.update(row, properties={"Size": {"number": 2}})
    office.sandbox.restore(held)
    assert office.client.pages.retrieve(row)["properties"]["Size"]["number"] == 1
    found = office.client.data_sources.query(office.source)["results"]
    assert [one["id"] for one in found] == [row]
    assert office.row("Two") == later
