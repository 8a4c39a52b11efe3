"""The Notion stand-in held against the published definition and recorded real traffic."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.wire import Request

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
RECORDED = WIRE / "recorded" / "notion_hkob_pairs.jsonl.gz"
# Paths that every recording of an endpoint has by accident of what was recorded, not by rule.
ACCIDENTS = (
    "lacks parent.page_id",
    "lacks properties.title",
    "lacks properties.Name",
    "lacks results[].properties.*",
    "lacks results[].bot",
    "lacks results[].upload_url",
    "lacks upload_url",
)

needs_wire = pytest.mark.skipif(
    not WIRE.exists(), reason=f"the vendors' definitions and recordings are not at {WIRE}"
)


class Wire:
    """Requests to a sandbox, kept as a wire log."""

    def __init__(self, version: str) -> None:
        self.sandbox = NotionSandbox(SandboxClock(frozen=1_789_997_640.0))
        self.version = version
        self.log: list[dict] = []

    def ask(self, method: str, path: str, body: object = None, **query: str) -> dict:
        headers = {
            "authorization": f"Bearer {self.sandbox.token}",
            "notion-version": self.version,
        }
        raw = b"" if body is None else json.dumps(body).encode()
        request = Request(method, f"/v1/{path}", tuple(query.items()), headers, raw)
        answer = self.sandbox.handle(request)
        shown = json.loads(answer.body)
        self.log.append(
            {
                "request": {"method": method, "url": f"https://host/v1/{path}", "body": body},
                "response": {"status": answer.status, "headers": {}, "body": shown},
            }
        )
        return shown

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps(row) + "\n" for row in self.log), "utf8")
        return path


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


SCHEMA = {
    "Name": {"title": {}},
    "Text": {"rich_text": {}},
    "Points": {"number": {"format": "euro"}},
    "Stage": {"select": {"options": [{"name": "Now"}]}},
    "Tags": {"multi_select": {"options": [{"name": "x", "color": "red"}]}},
    "Status": {"status": {}},
    "Due": {"date": {}},
    "Owner": {"people": {}},
    "Files": {"files": {}},
    "Done": {"checkbox": {}},
    "Link": {"url": {}},
    "Mail": {"email": {}},
    "Phone": {"phone_number": {}},
    "Made": {"created_time": {}},
    "Maker": {"created_by": {}},
    "Edited": {"last_edited_time": {}},
    "Editor": {"last_edited_by": {}},
    "Key": {"unique_id": {"prefix": "RD"}},
    "Sum": {"formula": {"expression": 'prop("Points") + 1'}},
}
BLOCKS = [
    {"paragraph": {"rich_text": text("p"), "children": [{"divider": {}}]}},
    *({f"heading_{n}": {"rich_text": text("h")}} for n in (1, 2, 3)),
    {"bulleted_list_item": {"rich_text": text("b")}},
    {"numbered_list_item": {"rich_text": text("n")}},
    {"to_do": {"rich_text": text("t"), "checked": True}},
    {"toggle": {"rich_text": text("t")}},
    {"quote": {"rich_text": text("q")}},
    {"callout": {"rich_text": text("c")}},
    {"code": {"rich_text": text("c"), "language": "python"}},
    {"table": {"table_width": 1, "children": [{"table_row": {"cells": [text("c")]}}]}},
    {"bookmark": {"url": "https://x.test"}},
    {"embed": {"url": "https://x.test"}},
    {"image": {"external": {"url": "https://x.test/i.png"}}},
    {"file": {"external": {"url": "https://x.test/i.txt"}}},
    {"equation": {"expression": "x"}},
    {"table_of_contents": {}},
    {"breadcrumb": {}},
    {"column_list": {"children": [{"column": {"children": [{"divider": {}}]}}] * 2}},
    {"synced_block": {"synced_from": None, "children": [{"divider": {}}]}},
]


def drive(wire: Wire) -> None:
    """Visit every endpoint the definition has, and most errors."""
    ask = wire.ask
    person = wire.sandbox.add_user("Ada", "ada@example.com")
    home = ask("POST", "pages", {"properties": {"title": text("Home")}})["id"]
    sub = ask("POST", "pages", {"parent": {"page_id": home}, "properties": {"title": text("S")}})
    database = ask(
        "POST",
        "databases",
        {
            "parent": {"page_id": home},
            "title": text("Road"),
            "initial_data_source": {"properties": SCHEMA},
        },
    )
    source = database["data_sources"][0]["id"]
    other = ask(
        "POST",
        "data_sources",
        {
            "parent": {"database_id": database["id"]},
            "title": text("Other"),
            "properties": {
                "Name": {"title": {}},
                "Up": {"relation": {"data_source_id": source, "dual_property": {}}},
                "Total": {
                    "rollup": {
                        "relation_property_name": "Up",
                        "rollup_property_name": "Points",
                        "function": "sum",
                    }
                },
            },
        },
    )["id"]
    values = {
        "Name": {"title": text("One")},
        "Text": {"rich_text": [{"mention": {"user": {"id": person}}}, *text("x")]},
        "Points": {"number": 2},
        "Stage": {"select": {"name": "Later"}},
        "Tags": {"multi_select": [{"name": "x"}, {"name": "y"}]},
        "Due": {"date": {"start": "2026-10-01T10:00:00+02:00"}},
        "Owner": {"people": [{"id": person}]},
        "Files": {"files": [{"name": "f", "external": {"url": "https://x.test/f"}}]},
        "Done": {"checkbox": True},
        "Link": {"url": "https://x.test"},
        "Mail": {"email": "a@x.test"},
        "Phone": {"phone_number": "1"},
    }
    row = ask("POST", "pages", {"parent": {"data_source_id": source}, "properties": values})
    leaf = {"Name": {"title": text("Leaf")}, "Up": {"relation": [{"id": row["id"]}]}}
    ask("POST", "pages", {"parent": {"data_source_id": other}, "properties": leaf})
    for prop in row["properties"].values():
        ask("GET", f"pages/{row['id']}/properties/{prop['id']}")
    visit_schemas(wire, source, other, database["id"])
    visit_content(wire, home, row["id"], sub["id"])
    visit_rest(wire, person, source, database["id"])


def visit_schemas(wire: Wire, source: str, other: str, database: str) -> None:
    ask = wire.ask
    for found in (source, other):
        ask("GET", f"data_sources/{found}")
        ask("POST", f"data_sources/{found}/query", {})
    ask("PATCH", f"data_sources/{source}", {"properties": {"Text": {"name": "Note"}}})
    ask("GET", f"data_sources/{source}/templates")
    ask("GET", f"databases/{database}")
    ask("PATCH", f"databases/{database}", {"icon": {"emoji": "🔥"}})


def visit_content(wire: Wire, home: str, row: str, sub: str) -> None:
    ask = wire.ask
    ask("GET", f"pages/{row}")
    ask("PATCH", f"pages/{row}", {"icon": {"emoji": "🔥"}})
    ask("POST", f"pages/{sub}/move", {"parent": {"page_id": row}})
    made = ask("PATCH", f"blocks/{row}/children", {"children": BLOCKS})["results"]
    for block in made:
        ask("GET", f"blocks/{block['id']}")
    ask("GET", f"blocks/{row}/children")
    ask("PATCH", f"blocks/{made[0]['id']}", {"paragraph": {"rich_text": text("new")}})
    ask("DELETE", f"blocks/{made[1]['id']}")
    ask("GET", f"pages/{row}/markdown")
    change = {"type": "insert_content", "insert_content": {"content": "# Hi"}}
    ask("PATCH", f"pages/{row}/markdown", change)
    comment = ask("POST", "comments", {"parent": {"page_id": home}, "rich_text": text("c")})
    ask("GET", f"comments/{comment['id']}")
    ask("GET", "comments", block_id=home)
    ask("GET", "nowhere")
    ask("GET", "pages/AAA")
    ask("GET", f"pages/{comment['id']}")
    ask("PATCH", f"pages/{row}", {"properties": {"Nope": {"number": 1}}})


def visit_rest(wire: Wire, person: str, source: str, database: str) -> None:
    ask = wire.ask
    ask("GET", "users")
    ask("GET", "users/me")
    ask("GET", f"users/{person}")
    ask("POST", "search", {})
    upload = ask("POST", "file_uploads", {"mode": "single_part", "filename": "a.txt"})
    ask("GET", f"file_uploads/{upload['id']}")
    ask("GET", "file_uploads")
    view = {"database_id": database, "data_source_id": source, "name": "V", "type": "table"}
    view = ask("POST", "views", view)
    ask("GET", f"views/{view['id']}")
    query = ask("POST", f"views/{view['id']}/queries", {})
    ask("GET", f"views/{view['id']}/queries/{query['id']}")
    ask("DELETE", f"views/{view['id']}/queries/{query['id']}")
    ask("GET", "views", database_id=database)
    ask("DELETE", f"views/{view['id']}")
    ask("GET", "custom_emojis")


def oracle(verb: str, log: Path) -> list[str]:
    """Return the oracle's lines on a log, without the summary."""
    command = [sys.executable, str(WIRE / "oracle.py"), verb, "--tool", "notion", "--log", str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()[:-1]


@pytest.mark.parametrize("version", ["2026-03-11", "2025-09-03"])
def test_every_endpoint_answers(version):
    wire = Wire(version)
    drive(wire)
    statuses = [row["response"]["status"] for row in wire.log]
    assert [status for status in statuses if status != 200] == [400, 400, 404, 400]
    visited = {row["request"]["url"].split("/")[4].partition("?")[0] for row in wire.log}
    built = {template.split("/")[2].rstrip("?") for _method, template in wire.sandbox.operations}
    assert built - visited == {"async_tasks"}


@needs_wire
def test_answers_fit_the_published_definition(tmp_path):
    wire = Wire("2026-03-11")
    drive(wire)
    assert oracle("check", wire.write(tmp_path / "wire.jsonl")) == []


@needs_wire
def test_answers_have_the_shapes_of_recorded_traffic(tmp_path):
    wire = Wire("2025-09-03")
    drive(wire)
    differences = oracle("shapes", wire.write(tmp_path / "wire.jsonl"))
    assert [line for line in differences if not line.endswith(ACCIDENTS)] == []


def recorded(pattern: str) -> list[dict]:
    """Return recorded exchanges whose method and address fit."""
    with gzip.open(RECORDED, "rt", encoding="utf8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        row
        for row in rows
        if re.search(pattern, f"{row['request']['method']} {row['request']['url']}")
    ]


def moved(value: object, ids: dict[str, str]) -> object:
    """Return a recorded value with ids of other workspaces replaced by ours."""
    if isinstance(value, list):
        return [moved(item, ids) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: ids[key] if key in ids and item else moved(item, ids) for key, item in value.items()
    }


@needs_wire
def test_recorded_appends_give_the_recorded_blocks():
    wire = Wire("2026-03-11")
    home = wire.ask("POST", "pages", {"properties": {"title": text("Home")}})["id"]
    database = wire.ask("POST", "databases", {"parent": {"page_id": home}})["id"]
    ids = {"page_id": home, "block_id": home, "database_id": database}
    rows = [
        row
        for row in recorded(r"^PATCH .*/children$")
        if "file_upload" not in json.dumps(row["request"]["body"])
    ]
    assert len(rows) > 60
    for row in rows:
        body = moved({"children": row["request"]["body"]["children"]}, ids)
        answer = wire.ask("PATCH", f"blocks/{home}/children", body)
        ours, theirs = answer["results"][-1], row["response"]["body"]["results"][0]
        kind = theirs["type"]
        assert ours["type"] == kind
        ours[kind].pop("icon", None) if kind == "paragraph" else None  # newer than the recording
        assert ours[kind] == moved(theirs[kind], ids), row["name"]
        assert ours["has_children"] == theirs["has_children"], row["name"]


@needs_wire
def test_recorded_refusals_say_the_same():
    wire = Wire("2026-03-11")
    for row in recorded(r"^GET .*/(AAA|[0-9a-f-]{32,36})$"):
        theirs = row["response"]["body"]
        if theirs["object"] != "error":
            continue
        ours = wire.ask("GET", row["request"]["url"].partition("/v1/")[2])
        named = theirs["message"].replace("your integration.", 'your integration "syncd sandbox".')
        assert (ours["status"], ours["code"], ours["message"]) == (
            theirs["status"],
            theirs["code"],
            named,
        )
