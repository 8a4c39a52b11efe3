"""What Notion's documentation says of limits, reading and writing, fact by fact, held against the stand-in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_notion_views import Desk, text

ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    columns = {"Text": {"rich_text": {}}, "Link": {"url": {}}, "Mail": {"email": {}},
               "Phone": {"phone_number": {}}, "Who": {"people": {}}, "Key": {"unique_id": {}},
               "Stage": {"status": {}}, "Pick": {"select": {}},
               "Up": {"relation": {"data_source_id": made.source, "single_property": {}}}}  # fmt: skip
    made.ask("PATCH", f"data_sources/{made.source}", {"properties": columns})
    return made


def change(desk: Desk, **values: object) -> dict:
    return desk.ask("PATCH", f"pages/{desk.rows[0]}", {"properties": values})["properties"]


def refusal(desk: Desk, **values: object) -> str:
    return desk.refuse("PATCH", f"pages/{desk.rows[0]}", {"properties": values})


# limits of values, with the service's sentences


@pytest.mark.parametrize(
    ("value", "where", "limit"),
    [
        ({"Text": {"rich_text": text("x" * 2001)}}, "Text.rich_text[0].text.content", 2000),
        ({"Text": {"rich_text": [{"text": {"content": "x", "link": {"url": "h" * 2001}}}]}},
         "Text.rich_text[0].text.link.url", 2000),
        ({"Text": {"rich_text": [{"equation": {"expression": "x" * 1001}}]}},
         "Text.rich_text[0].equation.expression", 1000),
        ({"Text": {"rich_text": text("x") * 101}}, "Text.rich_text", 100),
        ({"Link": {"url": "h" * 2001}}, "Link.url", 2000),
        ({"Mail": {"email": "m" * 201}}, "Mail.email", 200),
        ({"Phone": {"phone_number": "1" * 201}}, "Phone.phone_number", 200),
        ({"Tags": {"multi_select": [{"name": "a"}] * 101}}, "Tags.multi_select", 100),
        ({"Up": {"relation": [{"id": ID}] * 101}}, "Up.relation", 100),
        ({"Who": {"people": [{"id": ID}] * 101}}, "Who.people", 100),
        ({"Pick": {"select": {"name": "n" * 101}}}, "Pick.select.name", 100),
    ],
)  # fmt: skip
def test_values_have_limits(desk, value, where, limit):
    assert refusal(desk, **value) == (
        f"body failed validation: body.properties.{where}.length should be ≤ `{limit}`, "
        f"instead was `{limit + 1}`."
    )


def nested(levels: int) -> dict:
    inner = {"children": [nested(levels - 1)]} if levels else {}
    return {"toggle": {"rich_text": text("t"), **inner}}


@pytest.mark.parametrize(
    ("children", "sentence"),
    [
        ([nested(0)] * 101, "body.children.length should be ≤ `100`, instead was `101`."),
        ([{"toggle": {"rich_text": [], "children": [nested(0)] * 100}}] * 10,
         "at most 1000 blocks, instead had 1010"),
        ([nested(3)], "toggle.children should be not present"),
    ],
)  # fmt: skip
def test_blocks_of_one_request_have_limits(desk, children, sentence):
    asked = {"children": children}
    assert sentence in desk.refuse("PATCH", f"blocks/{desk.home}/children", asked)


def test_a_free_workspace_makes_no_more_blocks_three_days_after_its_limit(desk):
    new = {"parent": {"data_source_id": desk.source}}
    desk.notion.limit_blocks(desk.notion.app.store.blocks_made() + 2)
    for _ in range(3):  # the second reaches the limit; then the grace period runs
        desk.ask("POST", "pages", new)
    desk.notion.clock.step(3 * 86_400 + 1)
    status, answer = desk.send("POST", "pages", new, ())
    assert (status, answer["code"]) == (403, "restricted_resource")
    assert "block limit" in answer["message"]
    desk.ask("DELETE", f"blocks/{desk.rows[0]}")  # which gives no room
    assert desk.send("POST", "pages", new, ())[0] == 403
    assert change_name(desk, desk.rows[1]) == "changed"
    assert desk.send("GET", f"pages/{desk.home}", None, ())[0] == 200


def change_name(desk: Desk, page: str) -> str:
    body = {"properties": {"Name": {"title": text("changed")}}}
    return desk.ask("PATCH", f"pages/{page}", body)["properties"]["Name"]["title"][0]["plain_text"]


# reading


def pages_of(desk: Desk, body: dict) -> list[dict]:
    """Return all pages of a query."""
    found = []
    while True:
        found.append(desk.ask("POST", f"data_sources/{desk.source}/query", body))
        if not found[-1]["has_more"]:
            return found
        body = {**body, "start_cursor": found[-1]["next_cursor"]}


def test_every_page_tells_of_the_cap_and_windows_of_creation_lead_past_it(desk):
    desk.notion.limit_query(5)
    for number in range(6):
        desk.notion.clock.step(60)
        desk.row(f"late {number}")
    seen: set[str] = set()
    low, capped = "2026-01-01", 0
    while True:
        body = {"filter": {"timestamp": "created_time", "created_time": {"on_or_after": low}},
                "sorts": [{"timestamp": "created_time", "direction": "ascending"}],
                "page_size": 2}  # fmt: skip
        found = pages_of(desk, body)
        rows = [row for page in found for row in page["results"]]
        seen |= {row["id"] for row in rows}
        told = [page.get("request_status") for page in found]
        if told == [None] * len(told):
            break
        incomplete = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
        assert (told, len(rows)) == ([incomplete] * 3, 5)
        low, capped = rows[-1]["created_time"], capped + 1
    assert (len(seen), capped) == (10, 2)


def test_people_and_mentions_are_cut_at_25_and_whole_by_property(desk):
    people = [desk.notion.add_user(f"P{n}", f"p{n}@example.com") for n in range(30)]
    mentions = [{"mention": {"user": {"id": person}}} for person in people]
    shown = change(desk, Who={"people": [{"id": person} for person in people]},
                   Text={"rich_text": mentions})  # fmt: skip
    assert (len(shown["Who"]["people"]), len(shown["Text"]["rich_text"])) == (25, 25)
    for name in ("Who", "Text"):
        path = f"pages/{desk.rows[0]}/properties/{shown[name]['id']}"
        first = desk.ask("GET", path, None, ("page_size", "20"))
        assert f"start_cursor={first['next_cursor']}" in first["property_item"]["next_url"]
        cursor = ("start_cursor", first["next_cursor"])
        rest = desk.ask("GET", path, None, ("page_size", "20"), cursor)
        assert len(first["results"]) + len(rest["results"]) == 30
        assert rest["property_item"]["next_url"] is None


def test_what_is_related_but_not_shared_is_left_out(desk):
    change(desk, Up={"relation": [{"id": desk.rows[1]}, {"id": desk.rows[2]}]})
    desk.notion.share(desk.rows[1], False)
    shown = desk.ask("GET", f"pages/{desk.rows[0]}")["properties"]["Up"]
    assert shown["relation"] == [{"id": desk.rows[2]}]


def test_rollups_and_formulas_do_not_move_the_time_of_the_last_edit(desk):
    rolled = {"Sum": {"rollup": {"relation_property_name": "Up", "function": "sum",
                                 "rollup_property_name": "Points"}}}  # fmt: skip
    desk.ask("PATCH", f"data_sources/{desk.source}", {"properties": rolled})
    change(desk, Up={"relation": [{"id": desk.rows[1]}]})
    before = desk.ask("GET", f"pages/{desk.rows[0]}")
    desk.notion.clock.step(600)
    body = {"properties": {"Points": {"number": 50}}}
    desk.ask("PATCH", f"pages/{desk.rows[1]}", body)
    after = desk.ask("GET", f"pages/{desk.rows[0]}")
    assert after["properties"]["Sum"]["rollup"]["number"] == 50
    assert after["last_edited_time"] == before["last_edited_time"]


def test_property_ids_are_stable_and_the_titles_is_title(desk):
    path = f"data_sources/{desk.source}"
    before = desk.ask("GET", path)["properties"]
    renamed = desk.ask("PATCH", path, {"properties": {"Text": {"name": "Note"}}})["properties"]
    assert renamed["Note"]["id"] == before["Text"]["id"]
    assert before["Name"]["id"] == "title"
    shown = desk.ask("GET", f"pages/{desk.rows[0]}", None,
                     ("filter_properties", before["Text"]["id"]),
                     ("filter_properties", "title"))  # fmt: skip
    assert set(shown["properties"]) == {"Note", "Name"}


# writing


def test_omitted_properties_stay_arrays_replace_and_null_clears(desk):
    change(desk, Tags={"multi_select": [{"name": "b"}]})
    shown = change(desk, Points={"number": None})
    assert shown["Points"]["number"] is None
    assert [tag["name"] for tag in shown["Tags"]["multi_select"]] == ["b"]


def test_status_falls_back_to_its_default_and_takes_new_options_by_the_schema(desk):
    assert 'Status option "Won\'t" does not exist' in refusal(
        desk, Stage={"status": {"name": "Won't"}}
    )
    path = f"data_sources/{desk.source}"
    held = desk.ask("GET", path)["properties"]["Stage"]["status"]["options"]
    options = [*({"id": one["id"]} for one in held), {"name": "Won't"}]
    body = {"properties": {"Stage": {"status": {"options": options}}}}
    status = desk.ask("PATCH", path, body)["properties"]["Stage"]["status"]
    new = next(one["id"] for one in status["options"] if one["name"] == "Won't")
    assert [group["name"] for group in status["groups"] if new in group["option_ids"]] == ["To-do"]
    assert change(desk, Stage={"status": {"name": "Won't"}})["Stage"]["status"]["id"] == new
    cleared = change(desk, Stage={"status": None})["Stage"]["status"]
    assert cleared["name"] == "Not started"


def test_a_partial_list_of_options_takes_the_others_away(desk):
    body = {"properties": {"Tags": {"multi_select": {"options": [{"name": "a"}]}}}}
    shown = desk.ask("PATCH", f"data_sources/{desk.source}", body)["properties"]["Tags"]
    assert [one["name"] for one in shown["multi_select"]["options"]] == ["a"]


def test_what_a_write_may_not_do(desk):
    assert "commas not allowed: a,b" in refusal(desk, Pick={"select": {"name": "a,b"}})
    assert "read-only" in refusal(desk, Key={"unique_id": {"number": 7}})
    due = {"start": "2026-10-01T10:00:00+02:00", "time_zone": "Europe/Berlin"}
    assert "UTC offset" in refusal(desk, Due={"date": due})
    moved = {"parent": {"page_id": desk.home}}
    message = desk.refuse("PATCH", f"pages/{desk.rows[0]}", moved)
    assert "body.parent should be not present" in message
    in_block = {"parent": {"block_id": desk.home}}
    assert "Fix one:\nbody.parent.page_id should be defined" in desk.refuse(
        "POST", "pages", in_block
    )
    relation = {"properties": {"Bare": {"relation": {"data_source_id": desk.source}}}}
    message = desk.refuse("PATCH", f"data_sources/{desk.source}", relation)
    assert message == "Bare is not a valid property schema"


def test_a_lock_stops_nobody_here(desk):
    body = {"is_locked": True, "properties": {"Points": {"number": 9}}}
    desk.ask("PATCH", f"pages/{desk.rows[0]}", body)
    assert change(desk, Points={"number": 8})["Points"]["number"] == 8


def test_what_lies_in_the_trash_with_its_parent_says_so(desk):
    child = desk.ask("POST", "pages", {"parent": {"page_id": desk.rows[0]}})["id"]
    desk.ask("PATCH", f"pages/{desk.rows[0]}", {"in_trash": True})
    ancestor = (
        "Can't edit page on block with an archived ancestor. You must unarchive the ancestor "
        "before editing page."
    )
    assert desk.ask("GET", f"pages/{child}")["in_trash"] is True
    assert desk.refuse("PATCH", f"pages/{child}", {"icon": None}) == ancestor
    assert desk.refuse("PATCH", f"pages/{child}", {"in_trash": False}) == ancestor
    paragraph = {"children": [{"paragraph": {"rich_text": text("x")}}]}
    assert desk.refuse("PATCH", f"blocks/{child}/children", paragraph) == ancestor
    again = desk.refuse("PATCH", f"pages/{desk.rows[0]}", {"in_trash": True})
    assert again.startswith("Can't edit block that is archived.")
    desk.ask("PATCH", f"pages/{desk.rows[0]}", {"in_trash": False})
    assert desk.ask("PATCH", f"pages/{child}", {"icon": None})["in_trash"] is False


def test_unknown_blocks_are_named_and_can_be_fetched_alone(desk):
    bookmark = {"children": [{"bookmark": {"url": "https://example.com"}}]}
    block = desk.ask("PATCH", f"blocks/{desk.home}/children", bookmark)["results"][0]["id"]
    shown = desk.ask("GET", f"pages/{desk.home}/markdown")
    assert shown["unknown_block_ids"] == [block]
    assert "<unknown" in shown["markdown"]
    assert desk.ask("GET", f"pages/{block}/markdown")["object"] == "page_markdown"


def test_nothing_moves_into_itself(desk):
    child = desk.ask("POST", "pages", {"parent": {"page_id": desk.rows[0]}})["id"]
    inner = desk.ask("POST", "databases", {"parent": {"page_id": child}})["id"]
    sentence = "Cannot move a {} into itself or one of its descendants."
    moves = (
        ("page", "POST", f"pages/{desk.rows[0]}/move", {"page_id": child}),
        ("database", "PATCH", f"databases/{desk.database}", {"page_id": child}),
        ("database", "PATCH", f"data_sources/{desk.source}", {"database_id": inner}),
    )
    for kind, method, path, parent in moves:
        assert desk.refuse(method, path, {"parent": parent}) == sentence.format(kind)


def test_a_refused_change_of_columns_leaves_all_as_they_were(desk):
    other = {"parent": {"page_id": desk.home}, "title": text("Other")}
    target = desk.ask("POST", "databases", other)["data_sources"][0]["id"]
    before = [desk.ask("GET", f"data_sources/{key}")["properties"] for key in (desk.source, target)]
    both = {"relation": {"data_source_id": target, "dual_property": {}}}
    wrong = {"formula": {"expression": 'prop("Nope")'}}
    body = {"properties": {"Both": both, "Points": {"name": "Size"}, "Wrong": wrong},
            "title": text("Never")}  # fmt: skip
    assert desk.refuse("PATCH", f"data_sources/{desk.source}", body) == "Type error with formula"
    new = {"parent": {"database_id": desk.database},
           "properties": {"Name": {"title": {}}, "Both": both, "Wrong": wrong}}  # fmt: skip
    assert desk.refuse("POST", "data_sources", new) == "Type error with formula"
    after = [desk.ask("GET", f"data_sources/{key}")["properties"] for key in (desk.source, target)]
    assert before == after
    assert desk.ask("GET", f"data_sources/{desk.source}")["title"][0]["plain_text"] == "Road"


def test_a_refused_view_leaves_no_database_behind(desk):
    place = {"parent": {"type": "page_id", "page_id": desk.home}}
    before = desk.ask("GET", f"blocks/{desk.home}/children")["results"]
    body = {"data_source_id": desk.source, "name": "V", "type": "table", "create_database": place}
    for wrong in ({"position": {"type": "middle"}}, {"sorts": [{"property": "Nope"}]}):
        desk.refuse("POST", "views", {**body, **wrong})
    assert desk.ask("GET", f"blocks/{desk.home}/children")["results"] == before


def test_rollups_compute_with_formulas_times_and_choices(desk):
    columns = {
        "Twice": {"formula": {"expression": 'prop("Points") * 2'}},
        "Made": {"created_time": {}},
    }
    desk.ask("PATCH", f"data_sources/{desk.source}", {"properties": columns})
    both = [{"id": row} for row in (*desk.rows[:2], desk.rows[3])]  # points 0, 1, 3; tags a, b, a
    desk.ask("PATCH", f"pages/{desk.rows[3]}",
             {"properties": {"Tags": {"multi_select": [{"name": "a"}, {"name": "c"}]}}})  # fmt: skip
    change(desk, Up={"relation": both})

    def rolled(column: str, function: str) -> object:
        config = {
            "relation_property_name": "Up",
            "rollup_property_name": column,
            "function": function,
        }
        body = {"properties": {"Rolled": {"rollup": config}}}
        desk.ask("PATCH", f"data_sources/{desk.source}", body)
        shown = desk.ask("GET", f"pages/{desk.rows[0]}")["properties"]["Rolled"]["rollup"]
        return shown[shown["type"]]

    assert rolled("Twice", "sum") == 8
    assert rolled("Points", "not_empty") == 3
    assert rolled("Tags", "count_values") == 4
    assert rolled("Tags", "unique") == 3
    assert rolled("Made", "earliest_date")["start"] == "2026-09-21T13:34:00.000Z"
    assert len(rolled("Tags", "show_original")) == 3
    assert [len(item["relation"]) for item in rolled("Up", "show_original")] == [3, 0, 0]
    assert len(rolled("Up", "show_unique")) == 2


def test_formulas_and_rollups_that_stand_on_each_other_end(desk):
    all_rows = {"properties": {"Up": {"relation": [{"id": row} for row in desk.rows]}}}
    for row in desk.rows:  # so that a formula that follows them all never ends
        desk.ask("PATCH", f"pages/{row}", all_rows)
    config = {"relation_property_name": "Up", "rollup_property_name": "Points", "function": "sum"}
    body = {"properties": {"Sum": {"rollup": config}}}
    desk.ask("PATCH", f"data_sources/{desk.source}", body)
    formula = {"Plus": {"formula": {"expression": 'prop("Sum") + 1'}}}
    desk.ask("PATCH", f"data_sources/{desk.source}", {"properties": formula})
    body["properties"]["Sum"]["rollup"]["rollup_property_name"] = "Plus"
    desk.ask("PATCH", f"data_sources/{desk.source}", body)
    shown = desk.ask("GET", f"pages/{desk.rows[0]}")["properties"]
    assert {shown["Sum"]["type"], shown["Plus"]["type"]} == {"rollup", "formula"}
    desk.notion.add_formula(desk.source, "Deep", "1")
    deep = 'sum(prop("Up").map(current.prop("Deep")))'
    prop = next(p for p in desk.notion.app.store.source(desk.source).properties.values()
                if p.name == "Deep")  # fmt: skip
    prop.config["expression"] = deep
    shown = desk.ask("GET", f"pages/{desk.rows[0]}")["properties"]["Deep"]["formula"]
    assert shown in ({"type": "number", "number": 0}, {"type": "number", "number": None})
