"""docs/reference/sandbox.md lists what the stand-ins have, and nothing that no test visits."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from syncd.sandbox.wire import Request

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import sandbox_table
from test_asana_definition import Tour, walk
from test_notion_wire import Wire, drive, needs_wire, oracle, text


def grand_tour(wire: Wire) -> None:
    """Visit every operation of the Notion stand-in, the ones in no definition too."""
    drive(wire)
    ask = wire.ask
    page = ask("POST", "pages", {"properties": {"title": text("Tour")}})["id"]
    comment = ask("POST", "comments", {"parent": {"page_id": page}, "rich_text": text("a")})["id"]
    ask("PATCH", f"comments/{comment}", {"rich_text": text("b")})
    ask("DELETE", f"comments/{comment}")
    content = {"type": "insert_content", "insert_content": {"content": "# Hi"}}
    task = ask("PATCH", f"pages/{page}/markdown", {**content, "allow_async": True})
    wire.sandbox.app.clock.step(5)
    assert ask("GET", f"async_tasks/{task['id']}")["status"] == "succeeded"
    parts = {"mode": "multi_part", "number_of_parts": 1, "filename": "a.txt"}
    upload = ask("POST", "file_uploads", {**parts, "content_type": "text/plain"})["id"]
    send(wire, upload)
    assert ask("POST", f"file_uploads/{upload}/complete")["status"] == "uploaded"
    database = ask("POST", "databases", {"parent": {"page_id": page}})
    source = database["data_sources"][0]["id"]
    view = {"database_id": database["id"], "data_source_id": source, "name": "V", "type": "table"}
    view = ask("POST", "views", view)["id"]
    assert ask("PATCH", f"views/{view}", {"name": "W"})["name"] == "W"


def send(wire: Wire, upload: str) -> None:
    """Send the one part of an upload."""
    lines = (
        "--b", 'Content-Disposition: form-data; name="part_number"', "", "1",
        "--b", 'Content-Disposition: form-data; name="file"; filename="a.txt"',
        "Content-Type: text/plain", "", "hello", "--b--", "",
    )  # fmt: skip
    path = f"/v1/file_uploads/{upload}/send"
    headers = {
        "authorization": f"Bearer {wire.sandbox.token}",
        "notion-version": wire.version,
        "content-type": "multipart/form-data; boundary=b",
    }
    answer = wire.sandbox.handle(Request("POST", path, (), headers, "\r\n".join(lines).encode()))
    wire.log.append(
        {
            "request": {"method": "POST", "url": f"https://host{path}", "body": None},
            "response": {"status": answer.status, "headers": {}, "body": json.loads(answer.body)},
        }
    )
    assert answer.status == 200


@pytest.fixture(scope="module")
def notion():
    wire = Wire("2026-03-11")
    grand_tour(wire)
    return wire


def missed(operations, log):
    asked = {(row["request"]["method"], row["request"]["url"].partition("?")[0]) for row in log}
    for method, template in operations:
        pattern = r"https://[\w.]+" + re.sub(r"\{\w+\}", "[^/]+", template) + "/?"
        if not any(m == method and re.fullmatch(pattern, url) for m, url in asked):
            yield f"{method} {template}"


def test_the_page_is_what_the_routers_have():
    assert sandbox_table.main(["--check"]) == 0


def test_enough_is_built():
    counts = {name: len(set(rows)) for name, rows in sandbox_table.operations().items()}
    assert counts["Jira"] >= 60
    assert counts["Asana"] >= 55
    assert counts["Notion"] >= 40


def test_every_notion_operation_is_visited(notion):
    assert list(missed(sandbox_table.operations()["Notion"], notion.log)) == []


def test_every_asana_operation_is_visited():
    tour = Tour()
    walk(tour)
    assert list(missed(sandbox_table.operations()["Asana"], tour.log)) == []


@needs_wire
def test_the_whole_notion_tour_fits_the_definition(notion, tmp_path):
    assert oracle("check", notion.write(tmp_path / "wire.jsonl")) == []


def test_deviations_are_of_operations_that_exist():
    listed = {
        (method, sandbox_table.plain(path))
        for rows in sandbox_table.operations().values()
        for method, path in rows
    }
    assert set(sandbox_table.DEVIATIONS) <= listed
