"""Notion's JSON to neutral values and back."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from adapters.notion.translate import (
    UnwritableError,
    account_of,
    fields_of,
    id_in,
    property_for,
    record_of,
    stored_text,
    value_of,
)
from syncd.core.records import FieldKind, Option, Scope

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
SOURCE = "26cd8e4e-98ab-81d0-8983-000b28d9e04d"
PAGE = "393abc1e-edcd-81a0-9a08-d7413a049dc8"


def text(content: str, **more: object) -> dict[str, object]:
    run = {"type": "text", "text": {"content": content, "link": None}, "plain_text": content}
    return {**run, "annotations": {"color": "default"}, "href": None, **more}


MENTION = {"type": "mention", "mention": {"type": "user"}, "plain_text": "@Ann", "href": None}


@pytest.mark.parametrize(
    ("type_", "content", "value", "opaque"),
    [
        ("title", [text("One"), text(" two")], "One two", False),
        ("title", [], None, False),
        ("title", [text("Ask "), MENTION], "Ask @Ann", True),
        ("rich_text", [], None, False),
        ("rich_text", [text("a*b")], "a\\*b", False),
        ("rich_text", [text("now", annotations={"bold": True, "color": "default"})],
         "**now**", False),
        ("rich_text", [text("red", annotations={"color": "red"})], "red", True),
        ("rich_text", [text("u", annotations={"underline": True})], "u", True),
        ("rich_text", [MENTION], "@Ann", True),
        ("rich_text", [{"type": "equation", "equation": {"expression": "x"}, "plain_text": "x"}],
         "x", True),
        ("number", 3, 3.0, False),
        ("number", 0, 0.0, False),
        ("number", None, None, False),
        ("select", {"id": "o1", "name": "High"}, "o1", False),
        ("select", None, None, False),
        ("status", {"id": "s1", "name": "Done"}, "s1", False),
        ("multi_select", [{"id": "b"}, {"id": "a"}], ("a", "b"), False),
        ("multi_select", [], None, False),
        ("date", {"start": "2026-07-04", "end": None, "time_zone": None}, "2026-07-04", False),
        ("date", {"start": "2026-07-04", "end": "2026-07-09"}, "2026-07-04", True),
        ("date", {"start": "2026-07-04T23:00:00.000-10:00", "end": None}, "2026-07-04", True),
        ("date", None, None, False),
        ("people", [{"object": "user", "id": "u2"}, {"object": "user", "id": "u1"}],
         ("u1", "u2"), False),
        ("people", [{"object": "group", "id": "g"}, {"object": "user", "id": "u1"}],
         ("u1",), True),
        ("people", [{"object": "user", "id": f"u{n:02}"} for n in range(25)],
         tuple(f"u{n:02}" for n in range(25)), True),
        ("checkbox", True, True, False),
        ("checkbox", False, False, False),
        ("url", "https://x.example", "https://x.example", False),
        ("url", None, None, False),
        ("email", "a@x.example", "a@x.example", False),
        ("phone_number", "+49", "+49", False),
        ("created_by", {"object": "user", "id": "u1"}, "u1", False),
        ("created_time", "2026-07-04T09:12:00.000Z", "2026-07-04", False),
        ("unique_id", {"prefix": "ST", "number": 3}, "ST-3", False),
        ("unique_id", {"prefix": None, "number": 3}, "3", False),
    ],
)  # fmt: skip
def test_each_type_of_property_is_read(type_, content, value, opaque):
    assert value_of({"id": "x", "type": type_, type_: content}) == (value, opaque)


@pytest.mark.parametrize(
    ("pages", "has_more", "value", "opaque"),
    [
        ([], False, None, False),
        (["p1"], False, "p1", False),
        (["p2", "p1"], False, "p2", True),
        (["p1"], True, "p1", True),
    ],
)
def test_a_relation_is_its_first_page_and_opaque_when_there_are_more(
    pages, has_more, value, opaque
):
    held = {"type": "relation", "relation": [{"id": p} for p in pages], "has_more": has_more}
    assert value_of(held) == (value, opaque)


@pytest.mark.parametrize(
    ("type_", "value", "sent"),
    [
        ("title", "One", {"title": [{"type": "text", "text": {"content": "One"}}]}),
        ("title", None, {"title": []}),
        ("rich_text", None, {"rich_text": []}),
        ("number", 3.0, {"number": 3}),
        ("number", 0.25, {"number": 0.25}),
        ("number", None, {"number": None}),
        ("select", "o1", {"select": {"id": "o1"}}),
        ("select", "new:Very high", {"select": {"name": "Very high"}}),
        ("select", None, {"select": None}),
        ("status", "s1", {"status": {"id": "s1"}}),
        ("multi_select", ("a", "new:b"), {"multi_select": [{"id": "a"}, {"name": "b"}]}),
        ("multi_select", None, {"multi_select": []}),
        ("date", "2026-07-04", {"date": {"start": "2026-07-04"}}),
        ("date", None, {"date": None}),
        ("people", ("u1",), {"people": [{"object": "user", "id": "u1"}]}),
        ("people", None, {"people": []}),
        ("checkbox", None, {"checkbox": False}),
        ("url", None, {"url": None}),
        ("relation", "p1", {"relation": [{"id": "p1"}]}),
        ("relation", None, {"relation": []}),
    ],
)
def test_each_type_of_property_is_written(type_, value, sent):
    assert property_for(type_, value) == sent


def test_bold_text_and_links_are_written_as_runs():
    runs = property_for("rich_text", "a **b** [c](https://x.example)")["rich_text"]
    assert runs == [
        {"type": "text", "text": {"content": "a "}},
        {"type": "text", "text": {"content": "b"}, "annotations": {"bold": True}},
        {"type": "text", "text": {"content": " "}},
        {"type": "text", "text": {"content": "c", "link": {"url": "https://x.example"}}},
    ]


@pytest.mark.parametrize(
    ("type_", "value", "reason"),
    [
        ("formula", "x", "cannot be written"),
        ("missing", "x", "cannot be written"),
        ("number", "many", "only numbers"),
        ("number", float("nan"), "only numbers"),
        ("select", "new:a,b", "without a comma"),
        ("multi_select", tuple(f"o{n}" for n in range(101)), "at most 100"),
        ("url", "https://x.example/" + "a" * 2000, "2000 characters"),
        ("email", "a" * 201, "200 characters"),
        ("title", "x" * 200_001, "shorten the text"),
        ("rich_text", "**a** b " * 60, "simplify its formatting"),
    ],
)
def test_what_notion_cannot_hold_is_refused_with_what_to_do(type_, value, reason):
    with pytest.raises(UnwritableError, match=reason):
        property_for(type_, value)


def test_long_text_is_cut_into_runs_of_2000_utf16_units():
    runs = property_for("title", "😀" * 1500 + "a" * 1200)["title"]
    contents = [run["text"]["content"] for run in runs]
    assert "".join(contents) == "😀" * 1500 + "a" * 1200
    assert [len(content.encode("utf-16-le")) // 2 for content in contents] == [2000, 2000, 200]


def test_a_page_becomes_a_record_with_the_fields_asked_for():
    page = {
        "object": "page",
        "id": PAGE,
        "created_time": "2026-07-04T09:12:00.000Z",
        "last_edited_time": "2026-07-05T10:00:00.000Z",
        "last_edited_by": {"object": "user", "id": "u9"},
        "parent": {"type": "data_source_id", "data_source_id": SOURCE, "database_id": "db"},
        "in_trash": False,
        "url": "https://www.notion.so/x",
        "properties": {
            "Name": {"id": "title", "type": "title", "title": [text("Ship it")]},
            "Due": {"id": "a%3D", "type": "date", "date": {"start": "2026-07-04", "end": "2026"}},
            "Syncd ID": {"id": "mk", "type": "rich_text", "rich_text": [text("item-7")]},
            "Sum": {"id": "rl", "type": "rollup", "rollup": {"type": "number", "number": 3}},
            "Other": {"id": "zz", "type": "number", "number": 3},
        },
    }  # fmt: skip
    scope = Scope("notion", SOURCE, "Roadmap", (SOURCE,), ("title", "a%3D", "rl", "gone"), "mk")
    record = record_of(page, scope)
    assert record.fields == {"title": "Ship it", "a%3D": "2026-07-04"}
    assert record.opaque == {"a%3D"}
    assert (record.id, record.container, record.scope) == (PAGE, SOURCE, SOURCE)
    assert (record.key, record.url) == (PAGE.replace("-", ""), "https://www.notion.so/x")
    assert (record.created, record.updated) == (
        "2026-07-04T09:12:00.000Z",
        "2026-07-05T10:00:00.000Z",
    )
    assert (record.author, record.marker, record.trashed) == ("u9", "item-7", False)
    assert record_of({**page, "in_trash": True}, scope).trashed


def test_the_properties_of_a_data_source_become_fields():
    source = {
        "id": SOURCE,
        "properties": {
            "Status": {
                "id": "st",
                "name": "Status",
                "type": "status",
                "status": {
                    "options": [
                        {"id": "o1", "name": "Idea"},
                        {"id": "o2", "name": "Doing"},
                        {"id": "o3", "name": "Shipped"},
                    ],
                    "groups": [
                        {"id": "g1", "name": "To-do", "option_ids": ["o1"]},
                        {"id": "g2", "name": "In progress", "option_ids": ["o2"]},
                        {"id": "g3", "name": "Complete", "option_ids": ["o3"]},
                    ],
                },
            },
            "Tags": {"id": "tg", "name": "Tags", "type": "multi_select",
                     "multi_select": {"options": [{"id": "t1", "name": "A"}]}},
            "Goal": {"id": "rl", "name": "Goal", "type": "relation",
                     "relation": {"database_id": "d", "data_source_id": "ds2"}},
            "Sum": {"id": "ro", "name": "Sum", "type": "rollup", "rollup": {"function": "sum"}},
            "Nr": {"id": "un", "name": "Nr", "type": "unique_id", "unique_id": {"prefix": "A"}},
        },
    }  # fmt: skip
    fields = {field.name: field for field in fields_of(source)}
    assert fields["Status"].kind is FieldKind.STATUS
    assert fields["Status"].options == (
        Option("o1", "Idea", "new"),
        Option("o2", "Doing", "active"),
        Option("o3", "Shipped", "done"),
    )
    assert fields["Status"].can_add_options is False
    assert fields["Tags"].can_add_options is True
    assert (fields["Goal"].kind, fields["Goal"].target) == (FieldKind.PARENT, "ds2")
    assert (fields["Sum"].kind, fields["Sum"].writable) == (FieldKind.OTHER, False)
    assert (fields["Nr"].kind, fields["Nr"].writable) == (FieldKind.TEXT, False)
    assert {field.containers for field in fields.values()} == {(SOURCE,)}


def test_people_and_bots_become_accounts():
    person = {
        "object": "user",
        "id": "u1",
        "name": "Ann",
        "type": "person",
        "person": {"email": "a@x.example"},
    }
    assert account_of(person).email == "a@x.example"
    bot = account_of({"object": "user", "id": "b", "name": None, "type": "bot", "bot": {}})
    assert (bot.bot, bot.email, bot.name) == (True, None, "b")


@pytest.mark.parametrize(
    ("written", "id_"),
    [
        ("https://www.notion.so/ws/Title-393abc1eedcd81a09a08d7413a049dc8?pvs=4", PAGE),
        ("https://app.notion.com/p/Test-2026-07-04-393abc1eedcd81a09a08d7413a049dc8", PAGE),
        ("https://www.notion.so/393abc1eedcd81a09a08d7413a049dc8?v=" + "f" * 32, PAGE),
        (PAGE, PAGE),
        (PAGE.replace("-", "").upper(), PAGE),
        ("Roadmap", None),
        ("https://www.notion.so/Roadmap", None),
        ("deadbeef", None),
    ],
)
def test_ids_are_found_in_what_people_copy(written, id_):
    assert id_in(written) == id_


def test_plain_kinds_lose_only_line_breaks_at_their_ends():
    assert stored_text("title", "\n a *b* \r\n") == " a *b* "


def recorded_bodies() -> list[dict[str, object]]:
    if not (WIRE / "recorded").is_dir():
        pytest.skip("the recorded traffic (../shared/wire) is not beside the project")
    bodies = []
    for path in sorted((WIRE / "recorded").glob("notion_*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf8") as lines:
            for line in lines:
                answer = json.loads(line)["response"]
                try:
                    bodies.append(answer.get("body") or json.loads(answer["body_text"]))
                except (KeyError, ValueError):
                    continue
    return [body for body in bodies if isinstance(body, dict)]


def test_every_recorded_page_and_data_source_can_be_read():
    pages = sources = 0
    for body in recorded_bodies():
        for thing in [body, *(body.get("results") or [])]:
            if not isinstance(thing, dict):
                continue
            if thing.get("object") == "page" and "properties" in thing:
                ids = tuple(str(held["id"]) for held in thing["properties"].values())
                record = record_of(thing, Scope("notion", SOURCE, "x", (SOURCE,), ids))
                assert record.updated.endswith(":00.000Z")
                pages += 1
            if thing.get("object") == "data_source" and "properties" in thing:
                assert len(fields_of(thing)) == len(thing["properties"])
                sources += 1
    assert pages > 90
    assert sources > 40
