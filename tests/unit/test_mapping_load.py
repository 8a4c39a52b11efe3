from __future__ import annotations

import os
from pathlib import Path

import pytest

from mappings.load import load
from syncd.core.errors import MappingError
from syncd.core.fields import FieldType
from syncd.core.rules import Any_, RollupSpec

KINDS = {"jira": "jira", "asana": "asana", "notion": "notion"}
RULES = Path(__file__).parents[2] / "mappings" / "rules"

GOOD = """\
roadmap: Acme
items:
  initiative:
    notion: {database: Roadmap, where: {Type: Initiative}}
    asana: {project: Initiatives}
  feature:
    jira: {projects: [WEB], types: [Epic]}
    notion: {database: Roadmap, where: {Type: Feature}}
    parent: {jira: parent, notion: Initiative}
  work_item:
    jira:
      - {projects: [WEB], types: [Story], where: {parent: any}}
      - {projects: [WEB], types: [Sub-task], where: {parent: work_item}}
    parent: {jira: parent}
fields:
  status:
    owner: jira
    jira: {field: status, values: {To Do: planned, Done: done}}
    notion: {property: Status, values: {Planned: planned, Done: done}}
  due:
    owner: shared
    on_conflict: notion
    jira: duedate
    notion: Target date
  progress:
    rollup: {of: work_item, weight: count}
    notion: Progress
"""


def write(directory: Path, text: str, name: str = "m.yaml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(text: str, *more: str) -> list[str]:
    """Load a text as m.yaml (and further ones as n1.yaml ...) in the current directory."""
    paths = [write(Path(), text), *(write(Path(), t, f"n{i}.yaml") for i, t in enumerate(more, 1))]
    with pytest.raises(MappingError) as caught:
        load(paths, KINDS)
    return str(caught.value).splitlines()


def test_a_good_file_is_read(here):
    mapping = load([write(here, GOOD)], KINDS)
    assert mapping.name == "Acme"
    assert tuple(mapping.sides) == ("initiative", "feature", "work_item")
    assert mapping.connections == ("jira", "asana", "notion")
    assert mapping.containers("notion") == ("Roadmap",)
    assert mapping.containers("asana") == ("Initiatives",)
    assert mapping.home("feature") == "jira"
    initiative = mapping.sides["initiative"]
    assert [side.create for side in initiative] == [False, True]
    assert initiative[1].subtask is False
    assert mapping.fields["progress"].rollup == RollupSpec("work_item", "count", "median")
    assert mapping.fields["due"].on_conflict == "notion"
    assert mapping.fields["status"].cells["jira"].place.line == 18


def test_where_parent_names_levels_or_asks_whether_there_is_one(here):
    mapping = load([write(here, GOOD)], KINDS)
    first, second = mapping.sides["work_item"]
    assert [line.accepts for line in first.where] == [Any_.SET]
    assert first.parent_levels == ()
    assert second.where == ()
    assert second.parent_levels == ("work_item",)


def test_the_title_is_implied_everywhere(here):
    title = load([write(here, GOOD)], KINDS).fields["title"]
    assert set(title.cells) == {"jira", "asana", "notion"}
    assert all(cell.remote is None for cell in title.cells.values())


def test_a_named_title_keeps_its_field_and_owner(here):
    mapping = load([write(here, GOOD + "  title: {owner: notion, jira: Epic Name}\n")], KINDS)
    title = mapping.fields["title"]
    assert title.owner["feature"] == "notion"
    assert title.cells["jira"].remote.text == "Epic Name"
    assert title.cells["notion"].remote is None


def test_the_checksum_follows_the_content_only(here):
    one = load([write(here, GOOD)], KINDS).checksum
    assert load([write(here, GOOD, "other.yaml")], KINDS).checksum == one
    assert load([write(here, GOOD + "\n")], KINDS).checksum != one


def test_several_files_make_one_mapping(here):
    head, fields = GOOD.split("fields:\n")
    paths = [write(here, head), write(here, "fields:\n" + fields, "fields.yaml")]
    mapping = load(paths, KINDS)
    assert set(mapping.fields) == {"status", "due", "progress", "title"}
    assert mapping.files == (str(paths[0]), str(paths[1]))
    assert mapping.fields["due"].place.file == str(paths[1])


def test_custom_fields_people_pages_and_limits(here):
    text = GOOD + (
        "  Sponsor: {type: person, notion: Sponsor, jira: Sponsor}\n"
        "people:\n  Ana Silva: {jira: a1, notion: ana@x.example}\n"
        "pages: [{notion: Overview, under: Product, levels: [feature]}]\n"
        "limits: {creates: {at_least: 5, share: 25%}, shrink: 0.25}\n"
    )
    mapping = load([write(here, text)], KINDS)
    assert mapping.fields["Sponsor"].type is FieldType.PERSON
    assert mapping.declared_people() == {"Ana Silva": {"jira": "a1", "notion": "ana@x.example"}}
    assert (mapping.pages[0].title, mapping.pages[0].under) == ("Overview", "Product")
    assert mapping.pages[0].levels == ("feature",)
    assert mapping.limits.creates == (5, 0.25)
    assert mapping.limits.overwrites == (50, 0.20)
    assert mapping.limits.shrink == 0.25


@pytest.mark.parametrize("name", ["demo", "titanium", "jira-notion"])
def test_the_starter_mappings_load(name):
    assert load([RULES / f"{name}.yaml"], KINDS).sides["feature"]


ITEMS = """\
roadmap: A
items:
  feature:
    jira: {projects: [WEB], types: [Epic]}
    notion: {database: R}
fields:
"""
ONE_LEVEL = "roadmap: A\nitems:\n  feature:\n"

BAD = {
    "unknown key": (
        "roadmp: A\n",
        'm.yaml:1:1: unknown key "roadmp": did you mean "roadmap"?',
    ),
    "unknown level": (
        "roadmap: A\nitems:\n  featre: {jira: {projects: [W], types: [E]}}\n",
        'm.yaml:3:3: unknown level "featre": did you mean "feature"?',
    ),
    "unknown connection in items": (
        ONE_LEVEL + "    jra: {projects: [W], types: [E]}\n    notion: {database: R}\n",
        'm.yaml:4:5: "jra" is no connection of the configuration: did you mean "jira"?',
    ),
    "level without a connection": (
        ONE_LEVEL + "    parent: {jira: parent}\n",
        'm.yaml:3:3: no connection holds this level: write one of "jira", "asana", "notion"',
    ),
    "level is not a mapping": (
        "roadmap: A\nitems:\n  feature: Epic\n",
        (
            'm.yaml:3:12: a mapping (lines `key: value`) is expected here, not "Epic": '
            "write a mapping (lines `key: value`)"
        ),
    ),
    "nothing written": (
        "roadmap: A\nitems:\n",
        "m.yaml:2:1: nothing is written here: write a value, or remove the line",
    ),
    "no name": (
        "items:\n  feature: {notion: {database: R}}\n",
        "m.yaml:1:1: the roadmap has no name: write `roadmap: NAME`",
    ),
    "no level": (
        "roadmap: A\n",
        "m.yaml:1:1: no level is mapped: write `items:` with at least one level",
    ),
    "empty file": ("", "m.yaml:1:1: the file is empty: write a mapping into it"),
    "only a comment": ("# later\n", "m.yaml:1:1: the file is empty: write a mapping into it"),
    "a list": (
        "- a\n",
        (
            "m.yaml:1:1: a mapping (lines `key: value`) is expected here, not a list: "
            "write a mapping (lines `key: value`)"
        ),
    ),
    "name is a number": (
        "roadmap: 2026\nitems:\n  feature: {notion: {database: R}}\n",
        'm.yaml:1:10: text is expected here, not 2026: put it in quotes ("2026")',
    ),
    "unknown key of a side": (
        ONE_LEVEL + "    jira: {project: [W], types: [E]}\n",
        'm.yaml:4:12: unknown key "project" for jira: did you mean "projects"?',
    ),
    "key of another tool": (
        ONE_LEVEL + "    notion: {database: R, types: [E]}\n",
        (
            'm.yaml:4:27: unknown key "types" for notion: '
            'write one of "database", "where", "create", "marker"'
        ),
    ),
    "no container": (
        ONE_LEVEL + "    notion: {where: {Type: X}}\n",
        "m.yaml:4:5: it does not say where: write database: NAME",
    ),
    "empty list of projects": (
        ONE_LEVEL + "    jira: {projects: [], types: [E]}\n",
        "m.yaml:4:22: this is empty: write a value or leave the key out",
    ),
    "empty list of sides": (
        ONE_LEVEL + "    jira: []\n",
        "m.yaml:4:11: the list is empty: write {projects: [NAME]}",
    ),
    "number for a name": (
        ONE_LEVEL + "    jira: {projects: [10], types: [E]}\n",
        'm.yaml:4:23: text is expected here, not 10: put it in quotes ("10")',
    ),
    "not true or false": (
        ONE_LEVEL + "    notion: {database: R, create: yes}\n",
        'm.yaml:4:35: true or false is expected here, not "yes": write true or false',
    ),
    "where holds a mapping": (
        ONE_LEVEL + "    notion: {database: R, where: {Type: {a: b}}}\n",
        "m.yaml:4:41: a value is expected here, not a list or a mapping: write text or a number",
    ),
    "where holds an empty list": (
        ONE_LEVEL + "    notion: {database: R, where: {Type: []}}\n",
        "m.yaml:4:41: the list is empty: write a value, `any` or `none`",
    ),
    "where parent names no level": (
        ONE_LEVEL + "    notion: {database: R, where: {parent: gaol}}\n",
        'm.yaml:4:43: unknown level "gaol": did you mean "goal"?',
    ),
    "where parent names a level that lives elsewhere": (
        (
            "roadmap: A\nitems:\n  goal:\n    notion: {database: R}\n  feature:\n"
            "    jira: {projects: [W], types: [E], where: {parent: goal}}\n"
            "    parent: {jira: parent}\n"
        ),
        'm.yaml:6:5: no goal lives in "jira", so nothing can be below one: name another level',
    ),
    "where parent without a parent field": (
        ONE_LEVEL + "    notion: {database: R, where: {parent: feature}}\n",
        (
            "m.yaml:4:5: `where: parent` is not enough: write which field names the parent: "
            "`parent: {notion: FIELD}`"
        ),
    ),
    "create in Jira without a type": (
        ONE_LEVEL + "    notion: {database: R}\n    jira: {projects: [W]}\n",
        (
            "m.yaml:5:5: to create issues here syncd must know their type: "
            "write `types: [NAME]`, or `create: false`"
        ),
    ),
    "parent in an unknown connection": (
        ONE_LEVEL + "    notion: {database: R}\n    parent: {ntion: Parent}\n",
        'm.yaml:5:14: "ntion" is no connection of the configuration: did you mean "notion"?',
    ),
    "parent where the level does not live": (
        ONE_LEVEL + "    notion: {database: R}\n    parent: {jira: parent}\n",
        'm.yaml:5:14: no feature lives in "jira": add it above, or remove this line',
    ),
    "parent is not a name": (
        ONE_LEVEL + "    notion: {database: R}\n    parent: {notion: [Parent]}\n",
        "m.yaml:5:22: the name of a field is expected here: write one",
    ),
    "unknown field": (
        ITEMS + "  statu: {jira: status}\n",
        (
            'm.yaml:7:3: unknown field "statu": did you mean "status"? '
            "For a field of your own write its type, such as `type: text`"
        ),
    ),
    "unknown field like no other": (
        ITEMS + "  Sponsor: {jira: Sponsor}\n",
        (
            'm.yaml:7:3: unknown field "Sponsor": '
            "For a field of your own write its type, such as `type: text`"
        ),
    ),
    "unknown type": (
        ITEMS + "  Sponsor: {type: peson, jira: Sponsor}\n",
        'm.yaml:7:19: "peson" is not possible here: did you mean "person"?',
    ),
    "type of a catalogue field": (
        ITEMS + "  status: {type: text, jira: status}\n",
        'm.yaml:7:12: the type of "status" is known (status): remove `type`',
    ),
    "unknown key of a field": (
        ITEMS + "  status: {ownr: jira, jira: status}\n",
        'm.yaml:7:12: "ownr" is neither a key nor a connection: did you mean "owner"?',
    ),
    "parent among the fields": (
        ITEMS + "  parent: {jira: parent}\n",
        "m.yaml:7:3: the parent is named with its level: write `items: LEVEL: parent:`",
    ),
    "field is text": (
        ITEMS + "  status: jira\n",
        (
            'm.yaml:7:11: a mapping (lines `key: value`) is expected here, not "jira": '
            "write a mapping (lines `key: value`)"
        ),
    ),
    "owner is nobody": (
        ITEMS + "  due: {owner: jria, jira: duedate}\n",
        'm.yaml:7:16: "jria" cannot own a field: did you mean "jira"?',
    ),
    "owner does not hold the field": (
        ITEMS + "  due: {owner: notion, jira: duedate}\n",
        (
            'm.yaml:7:16: "notion" owns "due" but does not hold it: '
            "add the line `notion: FIELD`, or let another connection own it"
        ),
    ),
    "owner of an unknown level": (
        ITEMS + "  due: {owner: {featur: jira}, jira: duedate}\n",
        'm.yaml:7:17: unknown level "featur": did you mean "feature"?',
    ),
    "owner of a derived field": (
        ITEMS + "  progress: {owner: notion, notion: Progress}\n",
        'm.yaml:7:14: "progress" is computed by syncd, nobody owns it: remove `owner`',
    ),
    "on_conflict merges what is no text": (
        ITEMS + "  due: {on_conflict: merge, jira: duedate}\n",
        'm.yaml:7:22: only descriptions are merged line by line, not "due": write `ask`',
    ),
    "on_conflict is nobody": (
        ITEMS + "  due: {on_conflict: asc, jira: duedate}\n",
        'm.yaml:7:22: "asc" cannot decide here: did you mean "ask"?',
    ),
    "rollup on a plain field": (
        ITEMS + "  status: {rollup: {weight: count}, jira: status}\n",
        (
            'm.yaml:7:12: "status" is not computed from the items below: remove `rollup`'
            ' (did you mean "rolled_status"?)'
        ),
    ),
    "unknown key of a rollup": (
        ITEMS + "  progress: {rollup: {wieght: count}, notion: P}\n",
        'm.yaml:7:23: unknown key "wieght": did you mean "weight"?',
    ),
    "unknown weight": (
        ITEMS + "  progress: {rollup: {weight: point}, notion: P}\n",
        'm.yaml:7:31: "point" is not possible here: did you mean "points"?',
    ),
    "rollup of a level that is not mapped": (
        ITEMS + "  progress: {rollup: {of: work_item}, notion: P}\n",
        'm.yaml:7:3: the roll-up counts "work_item", which is not mapped: write feature',
    ),
    "url without of": (
        ITEMS + "  url: {notion: Link}\n",
        'm.yaml:7:3: "url" points into a connection: write `of: CONNECTION`',
    ),
    "url of an unknown connection": (
        ITEMS + "  url: {of: jria, notion: Link}\n",
        'm.yaml:7:13: "jria" is no connection of the configuration: did you mean "jira"?',
    ),
    "of on another field": (
        ITEMS + "  due: {of: jira, jira: duedate}\n",
        (
            "m.yaml:7:9: `of` belongs to `url` and `key` only "
            "(`rollup: {of: LEVEL}` to a roll-up): remove it"
        ),
    ),
    "no connection holds the field": (
        ITEMS + "  due: {owner: shared}\n",
        'm.yaml:7:3: no connection holds "due": write `CONNECTION: FIELD`',
    ),
    "no level lives in the connection": (
        ITEMS + "  due: {jira: duedate, asana: due_on}\n",
        'm.yaml:7:24: no level lives in "asana": name it under `items:`, or remove this line',
    ),
    "cell is a list": (
        ITEMS + "  due: {jira: [duedate]}\n",
        (
            "m.yaml:7:15: the name of a field is expected here: "
            "write `FIELD` or `{field: FIELD, ...}`"
        ),
    ),
    "cell without a field": (
        ITEMS + "  due: {jira: {write: false}}\n",
        "m.yaml:7:9: no field is named: write `field: NAME`",
    ),
    "field and property": (
        ITEMS + "  due: {jira: {field: a, property: b}}\n",
        "m.yaml:7:26: `field` and `property` mean the same: write one of them",
    ),
    "unknown key of a cell": (
        ITEMS + "  due: {jira: {feild: a}}\n",
        'm.yaml:7:16: unknown key "feild": did you mean "field"?',
    ),
    "no such status": (
        ITEMS + "  status: {jira: {field: status, values: {Doing: in progres}}}\n",
        'm.yaml:7:50: "in progres" is no status: did you mean "in progress"?',
    ),
    "one word twice": (
        ITEMS + "  status: {jira: {field: s, values: {Done: done, done: planned}}}\n",
        'm.yaml:7:50: "done" is already written in line 7 as "Done": keep one of the two',
    ),
    "one word exactly twice": (
        ITEMS + "  status: {jira: {field: s, values: {Done: done, Done: planned}}}\n",
        'm.yaml:7:50: "Done" is already written in line 7: keep one of the two',
    ),
    "values of a date": (
        ITEMS + "  due: {jira: {field: duedate, values: {a: b}}}\n",
        "m.yaml:7:32: a date has no list of values: remove `values`",
    ),
    "the same field twice": (
        ITEMS + "  due: {jira: duedate}\n  due: {jira: other}\n",
        'm.yaml:8:3: "due" is already written in line 7: keep one of the two',
    ),
    "two rules for one cell": (
        ITEMS + "  due: {jira: Due date}\n  start: {jira: due date}\n",
        (
            'm.yaml:8:17: "due date" already holds "due" (line 7): '
            "name another field, or restrict one with `levels`"
        ),
    ),
    "a level that is not mapped": (
        ITEMS + "  due: {jira: duedate, levels: [goal]}\n",
        'm.yaml:7:3: the level "goal" of "due" is not mapped: write feature',
    ),
    "people of an unknown connection": (
        "people: {Ana: {jria: x}}\n" + ITEMS + "  due: {jira: duedate}\n",
        'm.yaml:1:16: "jria" is no connection of the configuration: did you mean "jira"?',
    ),
    "page without a title": (
        ITEMS + "  due: {jira: duedate}\npages: [{under: Product}]\n",
        "m.yaml:8:9: a page stands in exactly one connection: write one line `CONNECTION: TITLE`",
    ),
    "page whose title is a list": (
        ITEMS + "  due: {jira: duedate}\npages: {notion: [Overview]}\n",
        "m.yaml:8:17: the page's title is expected here",
    ),
    "one page twice": (
        ITEMS + "  due: {jira: duedate}\npages: [{notion: O}, {notion: O}]\n",
        'm.yaml:8:23: "O" is already written in m.yaml:8: keep one of the two',
    ),
    "people is a list": (
        "people: [Ana]\n" + ITEMS + "  due: {jira: duedate}\n",
        (
            "m.yaml:1:9: a mapping (lines `key: value`) is expected here, not a list: "
            "write a mapping (lines `key: value`)"
        ),
    ),
    "a side that is text": (
        ONE_LEVEL + "    jira: WEB\n",
        (
            "m.yaml:4:11: a mapping (lines `key: value`) is expected here, "
            'not "WEB": write a mapping (lines `key: value`)'
        ),
    ),
    "page in a tool without pages": (
        ITEMS + "  due: {jira: duedate}\npages: [{jira: Overview}]\n",
        (
            'm.yaml:8:10: "jira" is no document tool of the configuration: '
            'write one of "notion", "under", "levels"'
        ),
    ),
    "share is no share": (
        ITEMS + "  due: {jira: duedate}\nlimits: {shrink: 120%}\n",
        "m.yaml:8:18: a share is expected here: write it as 10%",
    ),
    "limit without a share": (
        ITEMS + "  due: {jira: duedate}\nlimits: {creates: {at_least: 3}}\n",
        'm.yaml:8:19: "share" is missing here: add it',
    ),
    "negative limit": (
        ITEMS + "  due: {jira: duedate}\nlimits: {creates: {at_least: -3, share: 10%}}\n",
        "m.yaml:8:30: -3 is not possible here: input should be greater than or equal to 0",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_with_its_place(here, name):
    text, sentence = BAD[name]
    assert problems(text) == [sentence]


def test_all_problems_are_reported_at_once_in_order(here):
    text = ITEMS + "  statu: {jira: status}\n  due: {owner: x, jira: duedate}\npage: []\n"
    assert [line.split(": ")[0] for line in problems(text)] == [
        "m.yaml:7:3",
        "m.yaml:8:16",
        "m.yaml:9:1",
    ]


def test_all_files_are_reported_at_once(here):
    assert problems("a: [\n", "b: {\n") == [
        "m.yaml:2:1: a [ or { is opened and never closed: close it",
        "n1.yaml:2:1: a [ or { is opened and never closed: close it",
    ]


def test_an_entry_stands_in_one_file_only(here):
    assert problems(GOOD, "roadmap: B\nfields:\n  due: {jira: other}\n") == [
        'n1.yaml:1:1: "roadmap" is already written in m.yaml:1: keep one of the two',
        'n1.yaml:3:3: "due" is already written in m.yaml:20: keep one of the two',
    ]


def test_no_file_at_all(here):
    with pytest.raises(MappingError, match="no mapping file is named: name one"):
        load([], KINDS)


def test_missing_files_and_directories(here):
    (here / "folder").mkdir()
    with pytest.raises(MappingError) as caught:
        load([Path("folder"), Path("none.yaml")], KINDS)
    assert str(caught.value).splitlines() == [
        "folder:1:1: this is a directory: name a file in it",
        "none.yaml:1:1: there is no such file: check the path",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(here):
    path = write(here, GOOD)
    path.chmod(0)
    with pytest.raises(MappingError, match="check its permissions"):
        load([path], KINDS)
