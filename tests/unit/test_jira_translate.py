from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from adapters.jira.schema import Options, account, field_infos, kinds
from adapters.jira.transitions import transitions_to
from adapters.jira.translate import (
    FieldInfo,
    IssueReader,
    normal,
    read_value,
    utc,
    write_fields,
    write_value,
)
from syncd.core.records import FieldKind, Option

CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"
ADF = {"type": "doc", "version": 1, "content": [
    {"type": "paragraph", "content": [{"type": "text", "text": "hi"}]}]}  # fmt: skip
USER = {"accountId": "a1", "displayName": "Ann"}


def issue(**fields):
    return {
        "id": "10001",
        "key": "WEB-1",
        "fields": {
            "project": {"id": "10000", "key": "WEB"},
            "issuetype": {"id": "10002", "name": "Task"},
            "created": "2026-01-01T00:00:00.000+0000",
            "updated": "2026-01-02T08:30:00.123+0900",
            **fields,
        },
    }


def reader(**fields: FieldKind) -> IssueReader:
    infos = [FieldInfo(name, name, kind) for name, kind in fields.items()]
    return IssueReader("jira", "site", "https://acme.example", infos)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (FieldKind.TITLE, " Pay by card\n", "Pay by card"),
        (FieldKind.TEXT, "", None),
        (FieldKind.URL, "https://x.example", "https://x.example"),
        (FieldKind.RICH_TEXT, ADF, "hi"),
        (FieldKind.NUMBER, 3, 3.0),
        (FieldKind.NUMBER, 0, 0.0),
        (FieldKind.DATE, "2026-03-01", "2026-03-01"),
        (FieldKind.DATE, "2026-03-01T23:30:00.000+0900", "2026-03-01"),
        (FieldKind.SELECT, {"id": "7", "value": "Red"}, "7"),
        (FieldKind.STATUS, {"id": "3", "name": "Doing"}, "3"),
        (FieldKind.MULTI_SELECT, [{"id": "9"}, {"id": "10"}], ("10", "9")),
        (FieldKind.MULTI_SELECT, [], None),
        (FieldKind.LABELS, ["b", "a", "b"], ("a", "b")),
        (FieldKind.PERSON, USER, "a1"),
        (FieldKind.PEOPLE, [USER, {"accountId": "a0"}], ("a0", "a1")),
        (FieldKind.PARENT, {"id": "5", "key": "WEB-5"}, "5"),
        *((kind, None, None) for kind in FieldKind if kind is not FieldKind.OTHER),
    ],
)
def test_json_is_read(kind, raw, value):
    assert read_value(kind, raw) == (value, False)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (FieldKind.SELECT, "not an option"),
        (FieldKind.NUMBER, "many"),
        (FieldKind.PERSON, {"name": "of a data centre"}),
        (FieldKind.LABELS, 5),
    ],
)
def test_value_of_another_shape_is_opaque_and_stops_nothing(kind, raw):
    assert read_value(kind, raw) == (None, True)


@pytest.mark.parametrize(
    ("kind", "value", "json"),
    [
        (FieldKind.TITLE, "Two\nlines ", "Two lines"),
        (FieldKind.RICH_TEXT, "hi", ADF),
        (FieldKind.NUMBER, 2.5, 2.5),
        (FieldKind.DATE, "2026-03-01", "2026-03-01"),
        (FieldKind.SELECT, "7", {"id": "7"}),
        (FieldKind.MULTI_SELECT, ("7", "8"), [{"id": "7"}, {"id": "8"}]),
        (FieldKind.LABELS, ("a", "b"), ["a", "b"]),
        (FieldKind.PERSON, "a1", {"accountId": "a1"}),
        (FieldKind.PEOPLE, ("a1",), [{"accountId": "a1"}]),
        (FieldKind.PARENT, "5", {"id": "5"}),
        (FieldKind.PERSON, None, None),
        (FieldKind.DATE, None, None),
        (FieldKind.LABELS, None, []),
        (FieldKind.MULTI_SELECT, None, []),
        (FieldKind.PEOPLE, None, []),
    ],
)
def test_value_is_written(kind, value, json):
    assert write_value(FieldInfo("f", "F", kind), value) == json


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldKind.NUMBER, "5"),
        (FieldKind.NUMBER, True),
        (FieldKind.TITLE, 5.0),
        (FieldKind.SELECT, ("a",)),
        (FieldKind.LABELS, "a"),
        (FieldKind.STATUS, "3"),
    ],
)
def test_value_that_is_not_of_the_kind_is_refused(kind, value):
    with pytest.raises(ValueError, match="does not take"):
        write_value(FieldInfo("f", "F", kind), value)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"])
def test_date_in_a_date_time_field_is_that_date_in_the_accounts_zone(zone):
    field = FieldInfo("f", "F", FieldKind.DATE, has_time=True)
    written = write_value(field, "2026-10-25", ZoneInfo(zone))
    assert written.startswith("2026-10-25T12:00:00.000")
    assert read_value(FieldKind.DATE, written) == ("2026-10-25", False)


def test_parent_is_taken_away_by_an_operation():
    fields = {
        "parent": FieldInfo("parent", "Parent", FieldKind.PARENT),
        "summary": FieldInfo("summary", "Summary", FieldKind.TITLE),
    }
    assert write_fields(fields, {"parent": None, "summary": "x"}) == {
        "fields": {"summary": "x"},
        "update": {"parent": [{"set": {"none": True}}]},
    }
    assert write_fields(fields, {"parent": "7"}) == {"fields": {"parent": {"id": "7"}}}


def test_record_of_an_issue():
    raw = issue(
        summary="Pay", parent={"id": "9", "key": "WEB-9"}, description=None, status={"id": "3"}
    )
    raw["properties"] = {"syncd": {"item": "m1"}}
    record = reader(
        summary=FieldKind.TITLE, status=FieldKind.STATUS, parent=FieldKind.PARENT
    ).record(raw)
    assert (record.id, record.key, record.container, record.kind) == (
        "10001", "WEB-1", "10000", "10002")  # fmt: skip
    assert record.url == "https://acme.example/browse/WEB-1"
    assert record.updated == "2026-01-01T23:30:00.123Z"
    assert dict(record.fields) == {"summary": "Pay", "status": "3", "parent": "9"}
    assert (record.marker, record.parent_key, record.author) == ("m1", "WEB-9", None)


def test_record_names_the_fields_it_cannot_express():
    mention = {"type": "mention", "attrs": {"text": "@Ann"}}
    adf = {"type": "doc", "content": [{"type": "paragraph", "content": [mention]}]}
    record = reader(description=FieldKind.RICH_TEXT).record(issue(description=adf))
    assert record.opaque == {"description"}
    assert record.fields["description"] == "@Ann"


@pytest.mark.parametrize("properties", [{}, {"syncd": "text"}, {"syncd": {}}, {"other": {}}])
def test_property_of_somebody_else_is_no_marker(properties):
    assert reader().record({**issue(), "properties": properties}).marker is None


def test_author_is_who_changed_it_last():
    early = {"created": "2026-01-01T10:00:00.000+0000", "author": {"accountId": "early"}}
    late = {"created": "2026-01-01T12:00:00.000+0100", "author": {"accountId": "late"}}
    raw = issue(creator={"accountId": "maker"})
    assert reader().record(raw).author is None
    assert reader().record({**raw, "changelog": {"histories": []}}).author == "maker"
    assert reader().record({**raw, "changelog": {"histories": [late, early]}}).author == "late"


def test_times_compare_as_text():
    texts = ["2026-01-02T00:30:00.000+0900", "2026-01-01T15:30:00.001+0000"]
    assert sorted(map(utc, texts)) == ["2026-01-01T15:30:00.000Z", "2026-01-01T15:30:00.001Z"]


def test_normal_form_of_one_line_texts_has_one_line():
    assert normal(FieldKind.TITLE, " a\nb ") == "a b"
    assert normal(FieldKind.TEXT, "a\nb") == "a b"


# schema -----------------------------------------------------------------------------------------


def field(field_id, type_="string", **schema):
    custom = field_id.startswith("customfield")
    return {"id": field_id, "name": field_id.title(), "custom": custom,
            "schema": {"type": type_, **schema}}  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "kind", "writable"),
    [
        (field("summary", system="summary"), FieldKind.TITLE, True),
        (field("description", system="description"), FieldKind.RICH_TEXT, True),
        (field("created", "datetime", system="created"), FieldKind.DATE, False),
        (field("fixVersions", "array", system="fixVersions"), FieldKind.MULTI_SELECT, True),
        (field("issuetype", "issuetype", system="issuetype"), FieldKind.OTHER, False),
        (field("customfield_1", custom=CUSTOM + "textarea"), FieldKind.RICH_TEXT, True),
        (field("customfield_1", custom=CUSTOM + "textfield"), FieldKind.TEXT, True),
        (field("customfield_1", "option", custom=CUSTOM + "select"), FieldKind.SELECT, True),
        (field("customfield_1", "option-with-child", custom=CUSTOM + "cascadingselect"),
         FieldKind.OTHER, False),
        (field("customfield_1", "number", custom="com.pyxis.greenhopper.jira:jsw-story-points"),
         FieldKind.NUMBER, True),
        (field("customfield_1", "number", custom="com.acme:points"), FieldKind.NUMBER, False),
        (field("customfield_1", "any", custom="com.pyxis.greenhopper.jira:gh-lexo-rank"),
         FieldKind.OTHER, False),
        ({"id": "parent", "name": "Parent", "custom": False}, FieldKind.PARENT, True),
    ],
)  # fmt: skip
def test_kind_comes_from_the_fields_schema(raw, kind, writable):
    info = field_infos([raw])[raw["id"]]
    (remote,) = Options().remote_fields(info, ["10000"])
    assert (remote.kind, remote.writable) == (kind, writable)


def test_parent_is_there_even_if_the_site_does_not_list_it():
    assert field_infos([])["parent"].kind is FieldKind.PARENT


def test_choices_that_differ_by_project_are_told_apart():
    info = field_infos([field("fixVersions", "array", system="fixVersions")])["fixVersions"]
    options = Options()
    for project, name in (("1", "v1"), ("2", "v2"), ("3", "v1")):
        meta = {"fieldId": "fixVersions", "allowedValues": [{"id": name, "name": name}]}
        options.add_fields(project, [meta])
    found = {f.containers: f.options for f in options.remote_fields(info, ["1", "2", "3"])}
    assert found == {("1", "3"): (Option("v1", "v1"),), ("2",): (Option("v2", "v2"),)}


def test_field_of_a_team_managed_project_is_only_there():
    raw = {**field("customfield_1", custom=CUSTOM + "textfield"),
           "scope": {"type": "PROJECT", "project": {"id": "7"}}}  # fmt: skip
    info = field_infos([raw])["customfield_1"]
    (remote,) = Options().remote_fields(info, ["6", "7"])
    assert remote.containers == ("7",)


def test_statuses_know_their_category():
    options = Options()
    statuses = [
        {"id": str(n), "name": key, "statusCategory": {"key": key}}
        for n, key in enumerate(("new", "indeterminate", "done", "undefined"))
    ]
    raw = [{"id": "1", "name": "Story", "statuses": statuses}]
    options.add_statuses("1", raw)
    found = options.found["status"]["1"].values()
    assert [option.category for option in found] == ["new", "active", "done", None]
    assert kinds(raw) == (Option("1", "Story"),)


def test_person_may_hide_the_address():
    person = account({"accountId": "1", "displayName": "Ann", "accountType": "app"})
    assert (person.email, person.active, person.bot) == (None, True, True)


# transitions ------------------------------------------------------------------------------------


def transition(number, to, *required, **more):
    fields = {name: {"required": True, "name": name.title()} for name in required}
    return {"id": str(number), "name": f"t{number}", "to": {"id": to, "name": f"S{to}"},
            "fields": fields, **more}  # fmt: skip


def test_transition_is_chosen_by_its_target_and_the_easiest_first():
    answer = {"transitions": [
        transition(11, "1"), transition(21, "3", "resolution"), transition(31, "3"),
        transition(41, "3", isAvailable=False),
    ]}  # fmt: skip
    ways = transitions_to("3", answer)
    assert [(way.id, way.required) for way in ways] == [("31", ()), ("21", ("Resolution",))]
    assert transitions_to("9", answer) == ()


def test_required_field_with_a_default_is_not_missed():
    raw = transition(11, "3", "resolution")
    raw["fields"]["resolution"]["hasDefaultValue"] = True
    assert transitions_to("3", {"transitions": [raw]})[0].required == ()
