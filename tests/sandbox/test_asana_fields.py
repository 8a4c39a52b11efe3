"""Custom fields of the Asana stand-in: each type written, read, refused."""

from __future__ import annotations

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock


@pytest.fixture
def asana() -> AsanaSandbox:
    return AsanaSandbox(SandboxClock(frozen=1_790_000_000.0))


def ask(asana, method, path, data=None, expect=None, **query):
    status, body = asana.request(method, path, data, **query)
    assert status == (expect or (status if status < 300 else 200)), body
    return body["data"] if status < 300 else body["errors"][0]["message"]


class Bench:
    """A project with one task, and fields as they are asked for."""

    def __init__(self, asana):
        self.asana = asana
        self.project = ask(asana, "POST", "/projects", {"name": "P", "team": asana.team})["gid"]
        self.task = ask(asana, "POST", "/tasks", {"name": "A", "projects": [self.project]})["gid"]

    def field(self, subtype, **more):
        data = {"workspace": self.asana.workspace, "name": f"My {subtype}", **more}
        made = ask(self.asana, "POST", "/custom_fields", {**data, "resource_subtype": subtype}, 201)
        path = f"/projects/{self.project}/addCustomFieldSetting"
        ask(self.asana, "POST", path, {"custom_field": made["gid"]})
        return made

    def set(self, field, value, expect=200):
        data = {"custom_fields": {field["gid"]: value}}
        found = ask(self.asana, "PUT", f"/tasks/{self.task}", data, expect)
        return found["custom_fields"][0] if expect == 200 else found


@pytest.fixture
def bench(asana):
    return Bench(asana)


def options(*names):
    return [{"name": name} for name in names]


def test_text(bench):
    field = bench.field("text")
    seen = bench.set(field, "a\u00a0b")
    assert (seen["text_value"], seen["display_value"]) == ("a\u00a0b", "a\u00a0b")
    assert bench.set(field, None)["text_value"] is None
    assert len(bench.set(field, "x" * 1024)["text_value"]) == 1024
    assert "too long" in bench.set(field, "x" * 1025, 400)
    assert "not a string" in bench.set(field, 5, 400)


def test_number_is_rounded_to_its_precision(bench):
    field = bench.field("number", precision=2)
    seen = bench.set(field, 3.14159)
    assert (seen["number_value"], seen["display_value"], seen["precision"]) == (3.14, "3.14", 2)
    assert bench.set(field, 0)["number_value"] == 0
    assert bench.set(field, None)["number_value"] is None
    assert "not a number" in bench.set(field, "3", 400)
    assert "not a number" in bench.set(field, True, 400)


def test_enum_by_option_gid(bench):
    field = bench.field("enum", enum_options=options("Low", "High"))
    low, high = field["enum_options"]
    seen = bench.set(field, high["gid"])
    assert (seen["enum_value"]["name"], seen["display_value"]) == ("High", "High")
    assert [it["name"] for it in seen["enum_options"]] == ["Low", "High"]
    assert bench.set(field, "High", 400) == "enum_value: Unknown object: High"
    ask(bench.asana, "PUT", f"/enum_options/{low['gid']}", {"enabled": False})
    assert "disabled" in bench.set(field, low["gid"], 400)
    assert bench.set(field, None)["enum_value"] is None


def test_an_option_disabled_later_stays_on_its_tasks(bench):
    field = bench.field("enum", enum_options=options("Low"))
    low = field["enum_options"][0]["gid"]
    bench.set(field, low)
    ask(bench.asana, "PUT", f"/enum_options/{low}", {"enabled": False})
    seen = ask(bench.asana, "GET", f"/tasks/{bench.task}")["custom_fields"][0]
    assert (seen["enum_value"]["gid"], seen["enum_value"]["enabled"]) == (low, False)


def test_multi_enum_replaces(bench):
    field = bench.field("multi_enum", enum_options=options("a", "b", "c"))
    a, b, c = (it["gid"] for it in field["enum_options"])
    bench.set(field, [a, b])
    seen = bench.set(field, [c])
    assert [it["name"] for it in seen["multi_enum_values"]] == ["c"]
    assert bench.set(field, [])["multi_enum_values"] == []
    bench.set(field, a, 400)


def test_date(bench):
    field = bench.field("date")
    assert bench.set(field, {"date": "2026-12-01"})["date_value"] == {
        "date": "2026-12-01",
        "date_time": None,
    }
    seen = bench.set(field, {"date_time": "2026-12-01T10:00:00Z"})["date_value"]
    assert seen == {"date": "2026-12-01", "date_time": "2026-12-01T10:00:00.000Z"}
    assert "JSON object" in bench.set(field, "2026-12-01", 400)
    assert "ISO-8601" in bench.set(field, {"date": "1.12.2026"}, 400)


def test_people(bench):
    field = bench.field("people")
    ann = bench.asana.add_user("Ann", "ann@acme.example")
    assert bench.set(field, [ann])["people_value"][0]["name"] == "Ann"
    assert bench.set(field, ["ann@acme.example"])["display_value"] == "Ann"
    assert "Not a user in Organization" in bench.set(field, ["12"], 400)


def test_a_field_works_only_where_a_project_of_the_task_has_it(bench):
    field = bench.field("text")
    alone = {"name": "alone", "workspace": bench.asana.workspace}
    gid = ask(bench.asana, "POST", "/tasks", alone)["gid"]
    data = {"custom_fields": {field["gid"]: "x"}}
    expected = f"Custom field with ID {field['gid']} is not on given object"
    assert ask(bench.asana, "PUT", f"/tasks/{gid}", data, 400) == expected
    child = {"name": "child", "parent": bench.task, **data}
    assert ask(bench.asana, "POST", "/tasks", child, 400) == expected
    assert ask(bench.asana, "GET", f"/tasks/{bench.task}/subtasks") == []


def test_a_refused_value_keeps_the_whole_request_from_happening(bench):
    good, wrong = bench.field("text"), bench.field("number")
    data = {"name": "B", "custom_fields": {good["gid"]: "x", wrong["gid"]: "y"}}
    ask(bench.asana, "PUT", f"/tasks/{bench.task}", data, 400)
    seen = ask(bench.asana, "GET", f"/tasks/{bench.task}")
    assert seen["name"] == "A"
    assert seen["custom_fields"][0]["text_value"] is None


def test_a_field_taken_off_the_project_keeps_its_values(bench):
    field = bench.field("text")
    bench.set(field, "kept")
    path = f"/projects/{bench.project}"
    ask(bench.asana, "POST", f"{path}/removeCustomFieldSetting", {"custom_field": field["gid"]})
    assert ask(bench.asana, "GET", f"/tasks/{bench.task}")["custom_fields"] == []
    ask(bench.asana, "POST", f"{path}/addCustomFieldSetting", {"custom_field": field["gid"]})
    assert (
        ask(bench.asana, "GET", f"/tasks/{bench.task}")["custom_fields"][0]["text_value"] == "kept"
    )


def test_names_are_unique_and_options_grow(bench):
    field = bench.field("enum", enum_options=options("a"))
    data = {"workspace": bench.asana.workspace, "name": "My enum", "resource_subtype": "text"}
    ask(bench.asana, "POST", "/custom_fields", data, 400)
    path = f"/custom_fields/{field['gid']}/enum_options"
    first = field["enum_options"][0]["gid"]
    ask(bench.asana, "POST", path, {"name": "b", "color": "red", "insert_before": first}, 201)
    names = [it["name"] for it in
             ask(bench.asana, "GET", f"/custom_fields/{field['gid']}")["enum_options"]]  # fmt: skip
    assert names == ["b", "a"]
    ask(bench.asana, "POST", path, {"name": "c", "color": "mauve"}, 400)


def test_at_most_500_options(bench):
    field = bench.field("enum", enum_options=options(*(str(n) for n in range(500))))
    path = f"/custom_fields/{field['gid']}/enum_options"
    ask(bench.asana, "POST", path, {"name": "one more"}, 400)


def test_settings_list_the_fields_of_a_project(bench):
    field = bench.field("number", format="percentage", precision=2)
    rows = ask(bench.asana, "GET", f"/projects/{bench.project}/custom_field_settings")
    assert rows[0]["custom_field"]["gid"] == field["gid"]
    assert bench.set(field, 0.5)["display_value"] == "50%"


def test_a_change_is_in_the_history_with_both_values(bench):
    field = bench.field("enum", enum_options=options("Low", "High"))
    low, high = (it["gid"] for it in field["enum_options"])
    bench.set(field, low)
    bench.set(field, high)
    fields = "resource_subtype,old_enum_value.name,new_enum_value.name,custom_field.name"
    last = ask(bench.asana, "GET", f"/tasks/{bench.task}/stories", opt_fields=fields)[-1]
    assert last["resource_subtype"] == "enum_custom_field_changed"
    assert (last["old_enum_value"]["name"], last["new_enum_value"]["name"]) == ("Low", "High")
    assert last["custom_field"]["name"] == "My enum"
