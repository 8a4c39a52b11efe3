"""The Python library `notion-client`, an independent client, against the stand-in over a real socket."""

from __future__ import annotations

import pytest
from notion_client import Client
from notion_client.helpers import collect_paginated_api

from syncd.sandbox.seeds.caller import notion_caller
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox


@pytest.fixture(scope="module")
def running():
    with start_in_thread(Sandbox()) as made:
        yield made


@pytest.fixture(scope="module")
def client(running):
    known = running.sandbox.credentials(running.url)["notion"]
    with Client(auth=known["token"], base_url=known["url"], notion_version="2026-03-11",
                retry=False) as made:  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def home(client):
    return client.pages.create(properties={"title": text("Home")})["id"]


def text(content):
    return [{"text": {"content": content}}]


def table(client, home, **more):
    schema = {"Name": {"title": {}}, "Points": {"number": {}}, **more}
    made = client.databases.create(
        parent={"page_id": home}, title=text("Road"), initial_data_source={"properties": schema}
    )
    return made["data_sources"][0]["id"]


def row(client, source, name, **more):
    return client.pages.create(
        parent={"data_source_id": source}, properties={"Name": {"title": text(name)}, **more}
    )


def test_a_page_through_its_life(client, home):
    source = table(client, home, Stage={"select": {}})
    made = row(client, source, "First", Stage={"select": {"name": "Now"}})
    properties = {"Name": {"title": text("Renamed")}, "Points": {"number": 3}}
    client.pages.update(made["id"], properties=properties)
    read = client.pages.retrieve(made["id"])["properties"]
    assert read["Name"]["title"][0]["plain_text"] == "Renamed"
    assert (read["Points"]["number"], read["Stage"]["select"]["name"]) == (3, "Now")
    children = [{"heading_1": {"rich_text": text("Why")}}, {"divider": {}}]
    client.blocks.children.append(made["id"], children=children)
    listed = client.blocks.children.list(made["id"])["results"]
    assert [block["type"] for block in listed] == ["heading_1", "divider"]
    client.comments.create(parent={"page_id": made["id"]}, rich_text=text("said"))
    comments = client.comments.list(block_id=made["id"])["results"]
    assert [comment["rich_text"][0]["plain_text"] for comment in comments] == ["said"]
    assert client.pages.update(made["id"], in_trash=True)["in_trash"] is True
    assert client.data_sources.query(source)["results"] == []


def test_a_thousand_rows_page_by_page(running, client, home):
    source = table(client, home)
    make = notion_caller(running.sandbox.notion, running.sandbox.notion.token)  # in process: quick
    for n in range(1000):
        values = {"Name": {"title": text(f"Item {n}")}, "Points": {"number": n}}
        make("POST", "/v1/pages", {"parent": {"data_source_id": source}, "properties": values})
    rows = collect_paginated_api(client.data_sources.query, data_source_id=source)
    assert {page["properties"]["Points"]["number"] for page in rows} == {*range(1000)}
    few = client.data_sources.query(
        source,
        filter={"property": "Points", "number": {"greater_than": 996}},
        sorts=[{"property": "Points", "direction": "descending"}],
    )["results"]
    assert [page["properties"]["Points"]["number"] for page in few] == [999, 998, 997]


def test_search_finds_by_title(client, home):
    made = client.pages.create(parent={"page_id": home}, properties={"title": text("Needle")})
    found = client.search(query="Needle", filter={"property": "object", "value": "page"})
    assert [page["id"] for page in found["results"]] == [made["id"]]
