"""Why a field says what it says; and the words of the page leadership reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from syncd.core.explain import explain
from syncd.core.model import Cell, Claim, Conflict, HistoryEntry, Notice, Provenance, StoredRecord
from syncd.core.rollup import fold, leaf
from syncd.core.views import plain, roadmap_page, yesterday
from syncd.testing.builders import item, record
from syncd.testing.world import small_roadmap

ROADMAP = small_roadmap()
NOW = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)


def told(name, value, cells, *, provenance=None, thing=None, conflicts=(), notices=()):
    thing = thing or item(**{"title": "Search", name: value})
    if provenance is not None:
        thing = replace(thing, provenance={**thing.provenance, name: provenance})
    records = {
        connection: StoredRecord(
            record("1", connection=connection), "feature", "i1", {name: cell} if cell else {}
        )
        for connection, cell in cells.items()
    }
    return explain(ROADMAP, thing, name, records, conflicts, notices, ())


def states(explanation):
    return {tool.connection: tool.state for tool in explanation.tools}


def test_each_tool_has_one_word():
    explanation = told(
        "title",
        "Search",
        {
            "jira": Cell("Search"),
            "asana": Cell("SEARCH", "Search", has_sent=True),
            "notion": Cell("Find"),
        },
    )
    assert states(explanation) == {"jira": "owner", "asana": "agrees", "notion": "pending"}
    assert explanation.because == "jira owns it and says so"
    assert explanation.would_change == "an edit of title in jira"
    assert explanation.rule == "roadmap.yaml:7"


def test_a_deletion_holds_back_what_is_still_to_be_written():
    thing = item(title="Search")
    records = {
        name: StoredRecord(
            record("1", connection=name), "feature", "i1", {"title": Cell("Old")}, gone_since=since
        )
        for name, since in (("jira", None), ("asana", 5.0))
    }
    told_ = explain(ROADMAP, thing, "title", records, (), (), ())
    assert states(told_) == {"jira": "held", "asana": "gone"}
    assert told_.tools[0].detail == "nothing is written while the record in asana is deleted"


def test_a_refusal_is_told_in_the_tools_words():
    explanation = told(
        "due", "2026-05-05", {"notion": Cell(None, "2026-05-05", True, "shut"), "asana": None}
    )
    assert states(explanation) == {"notion": "refused", "asana": "pending"}
    assert {t.connection: t.detail for t in explanation.tools}["notion"] == "shut"
    assert explanation.would_change == "an edit of due in any of the tools"


def test_a_conflict_covers_its_field_only():
    conflict = Conflict(
        "c1",
        "i1",
        "due",
        None,
        (Claim("jira", "2026-01-01", None, ""),),
        "both edited",
        "r:1",
        1,
        0.0,
    )
    cells = {"jira": Cell("2026-05-05")}
    assert states(told("due", "2026-05-05", cells, conflicts=[conflict])) == {"jira": "conflict"}
    settled = replace(conflict, resolved_at=1.0)
    assert states(told("due", "2026-05-05", cells, conflicts=[settled])) == {"jira": "agrees"}
    assert states(told("title", "Search", {"jira": Cell("Search")}, conflicts=[conflict])) == {
        "jira": "owner"
    }


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("due", "conflict:c9", "a person settled conflict c9"),
        ("due", "asana", "it was set in asana (edited by asana:ann); anyone may edit it"),
        (
            "title",
            "asana",
            "asana brought it (edited by asana:ann); jira owns it and has not said otherwise",
        ),
    ],
)
def test_where_a_value_comes_from(name, source, words):
    provenance = Provenance(source, "roadmap.yaml:7", 3, "asana:ann", "before")
    explanation = told(name, "2026-05-05", {}, provenance=provenance)
    assert explanation.because == words
    assert (explanation.cycle, explanation.previous) == (3, "before")


def test_a_field_nobody_has_filled_says_so():
    explanation = explain(ROADMAP, item(title="Search"), "due", {}, (), (), ())
    assert explanation.because == "no tool has given it a value yet"


def test_a_computed_field_counts_what_it_was_computed_from():
    sums = fold(leaf("work_item", {"status": s}) for s in ("done", "planned", "cancelled"))
    thing = replace(item(title="Search", progress=0.5), aggregate=sums)
    explanation = told("progress", 0.5, {}, thing=thing)
    assert "1 of 2 work_items done; weight points, missing estimates median" in explanation.because
    assert explanation.would_change == "a change of the items below it"


def test_only_notices_of_the_field_are_told():
    notices = [
        Notice("unmapped", "i1", field, field) for field in ("jira.due", "due", "", "jira.title")
    ]
    explanation = told("due", None, {}, notices=notices)
    assert [n.sentence for n in explanation.notices] == ["jira.due", "due", ""]


# the page -------------------------------------------------------------------------------------------


def page(items, changes=()):
    return roadmap_page(ROADMAP, items, changes, lambda key: f"<{key}>", date(2026, 6, 15), NOW)


def test_the_verdict_counts_what_is_under_way():
    blocks = page(
        [
            item("i1", "Late", level="goal", due="2026-05-01", status="in progress"),
            item("i2", "Fine", level="goal", due="2026-08-01", status="in progress"),
            item("i3", "Old", level="goal", due="2020-01-01", status="done"),
            item("i4", "Vague", level="goal"),
        ]
    )
    assert (blocks[0].kind, blocks[0].icon) == ("callout", "🔴")
    assert "3 goals under way: 1 off track, 1 on track, 1 without dates" in blocks[0].text
    assert blocks[0].text.endswith("last change 2026-06-15 09:30 UTC")


def test_a_line_says_what_matters_and_people_cannot_break_its_format():
    blocks = page(
        [item("i1", "A *bold* [move]", owner="jira:j1", due="2026-07-01", status="blocked")]
    )
    line = next(b.text for b in blocks if b.key == "item:i1")
    assert line == (
        r"🟡 **A \*bold\* \[move\]** · blocked · \<jira:j1\> · due 2026-07-01 · at risk: blocked"
    )


def test_keys_of_blocks_are_unique_and_do_not_depend_on_content():
    things = [item("i1", "One"), item("i2", "Two"), item("i3", "Goal", level="goal")]
    keys = [block.key for block in page(things)]
    assert len(keys) == len(set(keys))
    renamed = [
        replace(t, fields={**t.fields, "title": "Other", "due": "2026-01-01"}) for t in things
    ]
    assert [block.key for block in page(renamed)] == keys


def change(before, after, action="observed", thing="i1", name="title"):
    return HistoryEntry(1, 0.0, thing, name, action, "jira", before, after)


def test_news_of_a_field_go_from_its_first_to_its_last_value():
    newest_first = [change("B", "C"), change("x", "y", "wrote"), change("A", "B")]
    news = [b.text for b in page([item("i1", "C")], newest_first) if b.key.startswith("news:")]
    assert news == ["**C**: title A → C"]


def test_news_are_of_shown_items_and_fields_only():
    changes = [change("A", "B", thing="i9"), change("1", "2", name="estimate")]
    assert page([item("i1", "C")], changes)[-1].text == "Nothing changed."


def test_news_begin_with_yesterday():
    assert yesterday(NOW) == datetime(2026, 6, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["a*b", "`x`", "[l](u)", "a_b", "~~x~~", "# h", "<b>", "a|b", "\\"]
)
def test_plain_text_holds_no_marks(text):
    shown = plain(text)
    assert shown.replace("\\", "") == text.replace("\\", "")
    assert len(shown) > len(text)
