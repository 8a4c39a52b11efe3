"""The plan of one item, and the order and checksum of the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.model import Cell, StoredRecord
from syncd.core.people import Directory
from syncd.core.plan import CellChange, Change, Plan, Situation, make, plan_item
from syncd.core.rules import UnmappedError
from syncd.testing.builders import item, record
from syncd.testing.world import REMOTE, native, small_roadmap

ROADMAP = small_roadmap()
READY = frozenset((scope.connection, scope.id) for scope in ROADMAP.scopes)
BOXES = {"jira": "project", "asana": "features", "notion": "features"}


def stored(connection, *, agreed=(), cells=None, opaque=(), **fields):
    """A record of a feature; `agreed` are the fields whose base is what it shows."""
    raw = {name: native(connection, v) if name == "status" else v for name, v in fields.items()}
    raw = {**dict.fromkeys(REMOTE), **raw}
    shown = record(
        "1", connection=connection, fields=raw, container=BOXES[connection], scope="scope",
        opaque=frozenset(opaque), title=fields.get("title", "Search"),
    )  # fmt: skip
    known = {name: Cell(fields.get(name, "Search" if name == "title" else None)) for name in agreed}
    return StoredRecord(shown, "feature", "i1", {**known, **(cells or {})})


def plan(records, *, of=None, roadmap=ROADMAP, **more):
    situation = {
        "blocked": frozenset(), "frozen": frozenset(), "ready": READY, "parent_container": {}, **more,
    }  # fmt: skip
    thing = of or item(title="Search")
    found, notices = plan_item(
        roadmap,
        Directory(),
        Situation(thing, {s.record.connection: s for s in records}, **situation),
    )
    return found, notices


def everywhere(**changes):
    """Records in all tools that show "Search"; `changes` override by connection."""
    usual = {name: stored(name, agreed=("title", "due")) for name in BOXES}
    return list({**usual, **changes}.values())


def written(found):
    return {(c.connection, cell.field): (cell.old, cell.new) for c in found for cell in c.cells}


# what is written ------------------------------------------------------------------------------------


def test_a_difference_from_the_base_is_written_and_nothing_else():
    found, notices = plan(everywhere(), of=item(title="Search", due="2026-05-05"))
    assert written(found) == {(name, "due"): (None, "2026-05-05") for name in BOXES}
    assert notices == []
    assert {cell.rule for change in found for cell in change.cells} == {"roadmap.yaml:7"}


def test_in_step_there_is_no_plan():
    assert plan(everywhere()) == ([], [])


def test_a_cell_never_looked_at_is_not_written():
    assert plan(everywhere(notion=stored("notion"))) == ([], [])


NEVER = {
    "in conflict": ({}, {"blocked": frozenset(["due"])}),
    "a write without an answer": ({}, {"frozen": frozenset(["notion"])}),
    "content we cannot express": ({"opaque": ["due"]}, {}),
    "refused before": ({"cells": {"due": Cell(None, "2026-05-05", True, "no")}}, {}),
    "delivered, though spelled otherwise": (
        {"cells": {"due": Cell("5 May", "2026-05-05", has_sent=True)}}, {},
    ),
    "only blanks differ": ({"cells": {"due": Cell(" 2026-05-05 ")}}, {}),
}  # fmt: skip


@pytest.mark.parametrize("why", NEVER)
def test_cells_that_are_never_written(why):
    more, situation = NEVER[why]
    notion = stored("notion", agreed=("title", *(() if "cells" in more else ("due",))), **more)
    found, _notices = plan(
        everywhere(notion=notion), of=item(title="Search", due="2026-05-05"), **situation
    )
    assert ("notion", "due") not in written(found)


def test_a_refused_value_is_tried_again_when_it_has_changed():
    refused = stored(
        "notion", agreed=("title",), cells={"due": Cell(None, "2026-05-05", True, "no")}
    )
    found, _ = plan(everywhere(notion=refused), of=item(title="Search", due="2026-06-06"))
    assert written(found)["notion", "due"] == (None, "2026-06-06")


def test_what_is_refused_or_kept_is_told():
    refused = stored(
        "notion", agreed=("title",), cells={"due": Cell(None, "2026-05-05", True, "shut")}
    )
    kept = stored("asana", agreed=("title", "due"), opaque=["due"])
    _, notices = plan(
        everywhere(notion=refused, asana=kept), of=item(title="Search", due="2026-05-05")
    )
    assert [(n.kind, n.field) for n in notices] == [
        ("kept", "asana.due"),
        ("refused", "notion.due"),
    ]
    assert "shut" in notices[1].sentence


def test_a_field_the_tool_computes_itself_is_not_written():
    rules = {name: dict(cells) for name, cells in ROADMAP.cells.items()}
    rules["feature", "notion"]["due"] = replace(rules["feature", "notion"]["due"], writable=False)
    found, _ = plan(
        everywhere(),
        of=item(title="Search", due="2026-05-05"),
        roadmap=replace(ROADMAP, cells=rules),
    )
    assert ("notion", "due") not in written(found)


def test_a_value_nobody_ever_gave_erases_nothing():
    shows = everywhere(notion=stored("notion", agreed=("title", "due"), due="2026-05-05"))
    found, _ = plan(shows)
    assert found == []
    emptied = item(title="Search", due=None)
    assert "due" in emptied.provenance
    found, _ = plan(shows, of=emptied)
    assert written(found) == {("notion", "due"): ("2026-05-05", None)}, "somebody emptied it"


def test_a_value_without_a_counterpart_is_told_and_the_rest_is_written():
    def refuse(value, container, directory):
        raise UnmappedError("purple", "add it to the mapping")

    rules = {name: dict(cells) for name, cells in ROADMAP.cells.items()}
    rules["feature", "notion"]["due"] = replace(rules["feature", "notion"]["due"], encode=refuse)
    found, notices = plan(
        everywhere(), of=item(title="Find", due="2026-05-05"), roadmap=replace(ROADMAP, cells=rules)
    )
    assert ("notion", "due") not in written(found)
    assert ("notion", "title") in written(found)
    assert [(n.kind, n.field) for n in notices] == [("unmapped", "notion.due")]
    assert "purple" in notices[0].sentence


def test_an_unreadable_word_is_not_overwritten_where_it_counts():
    """Jira owns the status and shows one nobody has mapped; in Notion it is overruled."""
    shows = {
        name: stored(name, agreed=("title",), cells={"status": Cell("planned")}, status="odd one")
        for name in BOXES
    }
    found, _ = plan(shows.values(), of=item(title="Search", status="done"))
    assert written(found) == {(name, "status"): ("planned", "done") for name in ("asana", "notion")}


def test_what_a_record_of_ours_shows_by_default_is_overwritten_even_when_it_is_not_mapped():
    fresh = stored(
        "jira", agreed=("title",), cells={"status": Cell(None, "done")}, status="odd one"
    )
    found, _ = plan(everywhere(jira=fresh), of=item(title="Search", status="done"))
    assert ("jira", "status") in written(found)


def test_nothing_is_written_for_an_item_that_was_deleted_somewhere():
    gone = replace(stored("jira", agreed=("title",)), gone_since=1.0)
    found, _ = plan(everywhere(jira=gone), of=item(title="Find", due="2026-05-05"))
    assert found == []


# creations ------------------------------------------------------------------------------------------


def test_what_is_missing_is_created_with_everything_that_is_known():
    thing = item(title="Search", due="2026-05-05", labels=None)
    found, _ = plan([stored("jira", agreed=("title", "due"), due="2026-05-05")], of=thing)
    assert [(c.connection, c.kind, c.container) for c in found] == [
        ("asana", "create", "features"), ("notion", "create", "features"),
    ]  # fmt: skip
    assert {cell.field for cell in found[0].cells} == {"title", "due"}


def test_nothing_is_created_in_a_scope_that_has_not_been_read_in_full():
    ready = READY - {("notion", "features")}
    found, _ = plan([stored("jira", agreed=("title",))], ready=ready)
    assert [c.connection for c in found] == ["asana"]


def test_an_item_without_a_title_is_not_created():
    assert plan([stored("jira")], of=item(title=None, due="2026-05-05"))[0] == []


def test_a_side_that_must_not_be_created_is_told():
    sides = {
        level: tuple(replace(s, create=s.connection != "notion") for s in found)
        for level, found in ROADMAP.sides.items()
    }
    found, notices = plan(
        [stored("jira", agreed=("title",))], roadmap=replace(ROADMAP, sides=sides)
    )
    assert [c.connection for c in found] == ["asana"]
    assert [n.kind for n in notices] == ["only-here"]
    assert "write create: true" in notices[0].sentence


@pytest.mark.parametrize("reachable", [True, False])
def test_a_parent_is_written_only_where_it_stands_or_will_stand(reachable):
    sides = {
        level: tuple(replace(s, create=s.create and (level != "goal" or reachable)) for s in found)
        for level, found in ROADMAP.sides.items()
    }
    found, _ = plan(
        [stored("jira", agreed=("title",))],
        of=item(title="Search", parent="i2"),
        roadmap=replace(ROADMAP, sides=sides),
        parent_level="goal",
        parent_container={"notion": "goals"},
    )
    has_parent = {c.connection for c in found if any(x.field == "parent" for x in c.cells)}
    assert has_parent == ({"asana", "notion"} if reachable else {"notion"})


def test_children_go_where_their_parent_stands():
    sides = dict(ROADMAP.sides)
    sides["feature"] = tuple(
        replace(s, containers=(*s.containers, "goals")) if s.connection == "notion" else s
        for s in sides["feature"]
    )
    found, _ = plan(
        [stored("jira", agreed=("title",))],
        of=item(title="Search", parent="i2"),
        roadmap=replace(ROADMAP, sides=sides),
        parent_container={"notion": "goals", "asana": "elsewhere"},
    )
    assert {c.connection: c.container for c in found} == {"asana": "features", "notion": "goals"}


# order and checksum ---------------------------------------------------------------------------------


def change(level="feature", connection="jira", thing="i1", made=None, new="x", **more):
    cell = CellChange("title", "title", "Title", None, new, "roadmap.yaml:7", "because")
    whole = Change(connection, "s", "box", thing, "Search", level, made, "", (cell,))
    return replace(whole, **more)


def test_levels_come_from_the_top_and_creations_first():
    changes = [
        change("work_item", thing="i9"),
        change("feature", made="1"),
        change("feature", "notion"),
        change("feature", "jira", "i2"),
        change("feature", "jira", "i1"),
        change("goal", made="7"),
    ]
    ordered = make(ROADMAP, changes).changes
    assert [(c.level, c.kind, c.connection, c.item) for c in ordered] == [
        ("goal", "update", "jira", "i1"),
        ("feature", "create", "jira", "i1"),
        ("feature", "create", "jira", "i2"),
        ("feature", "create", "notion", "i1"),
        ("feature", "update", "jira", "i1"),
        ("work_item", "create", "jira", "i9"),
    ]
    assert make(ROADMAP, reversed(changes)) == make(ROADMAP, changes)


@pytest.mark.parametrize(
    "other",
    [
        change(new="y"), change(connection="notion"), change(thing="i2"), change(made="1"),
        change(container="other"), change(cells=()),
    ],
)  # fmt: skip
def test_the_checksum_changes_with_what_is_written_where(other):
    assert Plan((change(),)).checksum != Plan((other,)).checksum


def test_the_checksum_does_not_change_with_words_for_people():
    said = replace(change().cells[0], reason="another", rule="roadmap.yaml:9", remote_name="Name")
    assert Plan((change(),)).checksum == Plan((change(title="T", key="K", cells=(said,)),)).checksum
    assert Plan((change(), change(thing="i2"))).checksum != Plan((change(),)).checksum
    assert not Plan(())
