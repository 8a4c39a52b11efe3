"""Asana's JSON to neutral values and back, also with bodies captured from the real service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.asana.changes import Cursor, Touched, parse_cursor
from adapters.asana.client import Client
from adapters.asana.config import Config
from adapters.asana.translate import (
    custom_data,
    custom_fields,
    custom_value,
    record,
    section_field,
    takes_away,
    task_data,
    task_fields,
    touched_by,
)
from syncd.core.errors import Stale
from syncd.core.records import FieldKind, Option, Scope
from syncd.testing.fakes import FakeClock

SCOPE = Scope("asana", "7", "Roadmap", ("7",), ("name", "due_on", "section", "tags", "900"))
TASK = {
    "gid": "12",
    "resource_subtype": "default_task",
    "name": "Ship it\n",
    "due_on": "2027-01-31",
    "created_at": "2026-01-01T00:00:00.000Z",
    "modified_at": "2026-02-01T00:00:00.000Z",
    "permalink_url": "https://app.asana.com/0/7/12",
    "tags": [{"gid": "2", "name": "b"}, {"gid": "1", "name": "a"}, {"gid": "3", "name": "a"}],
    "memberships": [
        {"project": {"gid": "8"}, "section": {"gid": "81"}},
        {"project": {"gid": "7"}, "section": {"gid": "71"}},
    ],
    "parent": None,
    "custom_fields": [{"gid": "900", "resource_subtype": "number", "number_value": 5}],
}


def test_task_becomes_a_record_of_its_project():
    found = record(TASK, SCOPE, author="u1")
    assert dict(found.fields) == {
        "name": "Ship it",
        "due_on": "2027-01-31",
        "section": "71",
        "tags": ("a", "b"),
        "900": 5.0,
    }
    assert (found.id, found.container, found.kind) == ("12", "7", "default_task")
    assert (found.author, found.marker, found.trashed) == ("u1", None, False)
    assert found.updated == "2026-02-01T00:00:00.000Z"


def test_task_with_nothing_in_it_has_empty_values():
    bare = record({"gid": "12", "memberships": []}, SCOPE)
    assert set(bare.fields.values()) == {None}
    assert bare.trashed


@pytest.mark.parametrize(
    ("shape", "held", "value"),
    [
        ("text", {"text_value": "x\n"}, "x"),
        ("text", {"text_value": ""}, None),
        ("number", {"number_value": 0}, 0.0),
        ("number", {"number_value": None}, None),
        ("enum", {"enum_value": {"gid": "5", "name": "High"}}, "5"),
        ("enum", {"enum_value": None}, None),
        ("multi_enum", {"multi_enum_values": [{"gid": "6"}, {"gid": "5"}]}, ("5", "6")),
        ("multi_enum", {"multi_enum_values": []}, None),
        ("date", {"date_value": {"date": "2027-01-01", "date_time": None}}, "2027-01-01"),
        ("date", {"date_value": {"date": None, "date_time": "2027-01-01T09:00:00Z"}}, "2027-01-01"),
        ("date", {"date_value": None}, None),
        ("people", {"people_value": [{"gid": "9"}]}, ("9",)),
        ("reference", {"reference_value": [{"gid": "9"}]}, None),
    ],
)
def test_value_of_a_custom_field(shape, held, value):
    assert custom_value({"gid": "1", "resource_subtype": shape, **held}) == value
    assert custom_value({"gid": "1", "type": shape, **held}) == value


@pytest.mark.parametrize(
    ("shape", "value", "sent"),
    [
        ("text", "x", "x"),
        ("text", None, None),
        ("number", 3.0, 3),
        ("number", 2.5, 2.5),
        ("enum", "5", "5"),
        ("enum", None, None),
        ("multi_enum", ("5", "6"), ["5", "6"]),
        ("multi_enum", None, []),
        ("people", ("9",), ["9"]),
        ("people", "9", ["9"]),
        ("date", "2027-01-01", {"date": "2027-01-01"}),
        ("date", None, None),
    ],
)
def test_what_a_request_says_for_a_custom_field(shape, value, sent):
    written = custom_data(shape, value)
    assert written == sent
    assert type(written) is type(sent)


def test_body_of_a_change_names_only_what_changes():
    fields = {"name": "N", "notes": "**b**", "completed": True, "assignee": None, "900": 1.0}
    assert task_data(fields, {"900": "number"}) == {
        "name": "N",
        "html_notes": "<body><strong>b</strong></body>",
        "completed": True,
        "assignee": None,
        "custom_fields": {"900": 1},
    }
    assert task_data({"section": "71", "tags": ("a",), "parent": "3"}, {}) == {}


def test_only_needed_fields_are_asked_for():
    small = Scope("asana", "7", "R", ("7",), ("name",))
    assert not any(name.startswith("custom") or name == "html_notes" for name in task_fields(small))
    marked = Scope("asana", "7", "R", ("7",), ("name",), marker="900", subtasks=True)
    assert {"custom_fields.text_value", "num_subtasks"} <= set(task_fields(marked))


def test_field_shared_by_projects_is_one_field():
    setting = {
        "custom_field": {
            "gid": "900",
            "name": "Priority",
            "resource_subtype": "enum",
            "enum_options": [
                {"gid": "1", "name": "High", "enabled": True},
                {"gid": "2", "name": "Old", "enabled": False},
            ],
        }
    }
    formula = {
        "custom_field": {
            "gid": "901", "name": "Sum", "resource_subtype": "number", "is_formula_field": True,
        }
    }  # fmt: skip
    shared, own = custom_fields({"7": [setting], "8": [setting, formula]})
    assert (shared.kind, shared.options) == (FieldKind.SELECT, (Option("1", "High"),))
    assert (shared.containers, shared.writable) == (("7", "8"), True)
    assert (own.containers, own.writable) == (("8",), False)


def test_sections_are_options_of_one_project():
    field = section_field("7", [{"gid": "71", "name": "Doing"}])
    assert (field.options, field.containers) == ((Option("71", "Doing"),), ("7",))


def event(kind, action, parent=None, gid="12"):
    return {"resource": {"gid": gid, "resource_type": kind}, "action": action, "parent": parent}


def test_events_name_the_task_they_touch():
    task, project = {"gid": "12", "resource_type": "task"}, {"gid": "7", "resource_type": "project"}
    assert touched_by(event("task", "changed")) == "12"
    assert touched_by(event("story", "added", task, gid="99")) == "12"
    assert touched_by(event("story", "added", project, gid="99")) is None
    assert touched_by(event("section", "changed")) is None
    assert touched_by({}) is None


def test_events_that_take_a_task_away():
    project, other = {"gid": "7"}, {"gid": "8"}
    assert takes_away(event("task", "deleted"), "7") is True
    assert takes_away(event("task", "removed", project), "7") is True
    assert takes_away(event("task", "removed", other), "7") is None
    assert takes_away(event("task", "added", project), "7") is False
    assert takes_away(event("task", "undeleted"), "7") is False
    assert takes_away(event("task", "changed"), "7") is None
    assert takes_away(event("story", "deleted"), "7") is None


def a_client():
    return Client("asana", Config(), secret=lambda: "t", clock=FakeClock())


def test_cursor_survives_being_written_down():
    cursor = Cursor("abc:1", {"12": Touched(taken=True, author="u"), "13": Touched()})
    assert parse_cursor(a_client(), str(cursor)) == cursor
    assert cursor.without(["12"]).pending == {"13": Touched()}


@pytest.mark.parametrize("text", ["", "abc", "[]", "null", '{"sync": "x"}', '{"pending": {}, "x": 1}',
                                  '{"sync": "x", "pending": {"1": 5}}'])  # fmt: skip
def test_cursor_of_another_make_is_stale(text):
    with pytest.raises(Stale):
        parse_cursor(a_client(), text)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("app.asana.com", "write an address like"),
        ("http://app.asana.com", "write https"),
        ("https://me:pw@app.asana.com", "leave the account out"),
        ("https://app.asana.com/api/1.0", "in front of /api"),
    ],
)
def test_address_that_cannot_be_right_is_refused_with_advice(url, advice):
    with pytest.raises(ValidationError, match=advice):
        Config(url=url)


def test_address_of_this_machine_may_be_plain():
    assert Config(url="http://127.0.0.1:8080/asana/").url == "http://127.0.0.1:8080/asana"
    assert Config().url == "https://app.asana.com"


@pytest.fixture(scope="module")
def captured():
    folder = Path(__file__).parents[2].parent / "shared" / "wire" / "recorded" / "asana_airbyte"
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not found:
        pytest.skip("no recorded answers of Asana beside the project")
    return json.loads(found[0].read_text())


def bodies(captured, kind):
    """Return every object of a kind in the captured answers, the fuller ones first."""
    found, waiting = [], [captured]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += [value] if value.get("resource_type") == kind else []
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return sorted(found, key=len, reverse=True)


def test_captured_custom_fields_are_understood(captured):
    settings = [s for s in bodies(captured, "custom_field_setting") if "custom_field" in s]
    fields = custom_fields({"7": settings})
    assert fields
    assert all(f.kind is not FieldKind.OTHER and f.name for f in fields)
    assert {o.name for f in fields if f.kind is FieldKind.SELECT for o in f.options}


def test_captured_task_is_understood(captured):
    tasks = [task for task in bodies(captured, "task") if "modified_at" in task]
    if not tasks:
        pytest.skip("the recorded answers hold no whole task")
    wanted = ("name", "completed", "assignee", "due_on", "start_on", "tags", "parent", "section")
    for task in tasks:
        projects = [m["project"]["gid"] for m in task.get("memberships") or ()] or ["7"]
        scope = Scope("asana", projects[0], "P", (projects[0],), wanted)
        found = record(task, scope)
        assert found.fields["name"] == task["name"].strip("\r\n")
        assert found.updated == task["modified_at"]
        assert found.trashed is not bool(task.get("memberships"))
