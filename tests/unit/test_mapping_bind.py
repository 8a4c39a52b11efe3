from __future__ import annotations

from pathlib import Path

import pytest

from mappings.compile import bind
from mappings.lint import warnings
from mappings.load import load
from syncd.core.errors import MappingError
from syncd.core.people import match_people
from syncd.core.records import (
    Account,
    Container,
    FieldKind,
    Option,
    Record,
    RemoteField,
    Schema,
)
from syncd.core.rules import UnmappedError

K = FieldKind
KINDS = {"jira": "jira", "asana": "asana", "notion": "notion"}
RULES = Path(__file__).parents[2] / "mappings" / "rules"
ROBOT = Account("robot", "Robot", bot=True)


def field(id_: str, name: str, kind: FieldKind, *options: str, **more) -> RemoteField:
    return RemoteField(id_, name, kind, tuple(Option(f"{id_}:{o}", o) for o in options), **more)


def jira() -> Schema:
    types = tuple(Option(f"t{n}", n) for n in ("Epic", "Story", "Sub-task"))
    return Schema(
        connection="jira",
        me=ROBOT,
        containers=(
            Container("10", "Website", "WEB", types),
            Container("11", "Mobile app", "APP", types[:2]),
            Container("12", "Twins", "TW1"),
            Container("13", "Twins", "TW2"),
        ),
        fields=(
            field("summary", "Summary", K.TITLE, max_length=20),
            field("status", "Status", K.STATUS, "To Do", "Backlog", "Doing", "Done"),
            field("assignee", "Assignee", K.PERSON),
            field("duedate", "Due date", K.DATE),
            field("created", "Created", K.DATE, writable=False),
            field("labels", "Labels", K.LABELS, can_add_options=True),
            field("priority", "Priority", K.SELECT, "High", "Low"),
            field("parent", "Parent", K.PARENT),
            field("customfield_1", "Story Points", K.NUMBER),
            field("customfield_2", "Team", K.SELECT, "Red"),
            field("customfield_3", "Team", K.SELECT, "Blue"),
            field("customfield_4", "Sprint", K.OTHER),
            field("customfield_5", "Web only", K.TEXT, containers=("10",)),
        ),
        people=(
            Account("j1", "Ana Silva", "ana@x.example"),
            Account("j2", "Bo", None),
            Account("j3", "Cy", "cy@x.example"),
        ),
        one_scope=True,
    )


def asana() -> Schema:
    def sections(container: str, *names: str) -> RemoteField:
        options = tuple(Option(f"{container}:{name}", name) for name in names)
        return RemoteField("section", "Section", K.STATUS, options, containers=(container,))

    return Schema(
        connection="asana",
        me=ROBOT,
        containers=(Container("a1", "Initiatives"), Container("a2", "Launch")),
        fields=(
            field("name", "Name", K.TITLE),
            field("parent", "Parent", K.PARENT),
            field("completed", "Completed", K.CHECKBOX),
            field("900", "Syncd ID", K.TEXT),
            field("901", "Other ID", K.TEXT),
            sections("a1", "Backlog", "Shipped"),
            sections("a2", "Todo", "Shipped"),
            field("902", "Progress", K.NUMBER, containers=("a1",)),
        ),
        people=(),
    )


def notion() -> Schema:
    return Schema(
        connection="notion",
        me=ROBOT,
        containers=(Container("n1", "Roadmap"), Container("n2", "Plans")),
        fields=(
            field("title", "Name", K.TITLE),
            field("ty", "Type", K.SELECT, "Goal", "Initiative", "Feature", can_add_options=True),
            field("up", "Parent", K.PARENT, target="n1"),
            field("ot", "Other", K.PARENT, target="n9"),
            field("st", "Status", K.STATUS, "Planned", "Done"),
            field("he", "Health", K.SELECT, "On track"),
            field("ow", "Owner", K.PEOPLE),
            field("td", "Target date", K.DATE),
            field("ro", "Rolled", K.DATE, writable=False),
            field("pr", "Progress", K.NUMBER),
            field("la", "Labels", K.MULTI_SELECT, "old", can_add_options=True),
            field("jl", "Jira link", K.URL),
            field("ok", "Ready", K.CHECKBOX),
            field("h1", "Horizon", K.SELECT, "now", containers=("n1",)),
            field("h2", "Horizon", K.SELECT, "now", containers=("n2",)),
            field("sid", "Syncd ID", K.RICH_TEXT, containers=("n1",)),
        ),
        people=(Account("n1", "Ana Silva", "ana@x.example"), Account("n2", "Bo", None)),
    )


SCHEMAS = {"jira": jira(), "asana": asana(), "notion": notion()}

ITEMS = """\
roadmap: A
items:
  initiative:
    notion: {database: Roadmap, where: {Type: Initiative}}
    asana: {project: Initiatives}
  feature:
    jira: {projects: [WEB, APP], types: [Epic]}
    notion: {database: Roadmap, where: {Type: [Feature, Goal]}}
    parent: {jira: parent, notion: Parent}
  work_item:
    jira:
      - {projects: [WEB], types: [Story], where: {parent: any}}
      - {projects: [WEB], types: [Sub-task], where: {parent: work_item}}
    parent: {jira: parent}
fields:
"""
FIELDS = """\
  status:
    jira: {field: Status, values: {To Do: planned, backlog: planned, Done: done}}
    asana: {field: section, values: {Backlog: planned, Shipped: done}}
    notion: {property: Status, values: {Planned: planned, Done: done}}
  owner: {jira: Assignee, notion: Owner}
  due: {owner: shared, jira: duedate, notion: Target date}
  labels: {owner: jira, jira: labels, notion: {property: Labels, create_options: true}}
  progress: {notion: Progress, asana: Progress}
  url: {of: jira, notion: Jira link}
"""
SIMPLE = "roadmap: A\nitems:\n  feature:\n    jira: {projects: [WEB], types: [Epic]}\n"
TWO = SIMPLE + "    notion: {database: Roadmap}\nfields:\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text: str):
    Path("m.yaml").write_text(text, encoding="utf-8")
    return load([Path("m.yaml")], KINDS)


def bound(text: str = ITEMS + FIELDS):
    return bind(written(text), SCHEMAS)


def problems(text: str) -> list[str]:
    mapping = written(text)
    with pytest.raises(MappingError) as caught:
        bind(mapping, SCHEMAS)
    return str(caught.value).splitlines()


def lint(text: str, schemas=SCHEMAS) -> list[str]:
    mapping = written(text)
    bind(mapping, SCHEMAS)
    return [str(problem) for problem in warnings(mapping, schemas)]


PEOPLE = match_people({name: schema.people for name, schema in SCHEMAS.items()}, {})


def test_sides_hold_ids(here):
    roadmap = bound()
    feature = roadmap.side("feature", "jira")
    assert feature.containers == ("10", "11")
    assert feature.kinds == {"tEpic"}
    assert (feature.create, feature.create_kind, feature.subtask) == (False, "tEpic", None)
    row = roadmap.side("feature", "notion")
    assert row.create
    assert row.where[0].remote == "ty"
    assert row.where[0].accepts == {"ty:Feature", "ty:Goal"}
    assert row.create_fields == {"ty": "ty:Feature"}
    assert roadmap.side("initiative", "asana").subtask is False
    assert roadmap.home("initiative") == "notion"
    assert [side.parent_levels for side in roadmap.sides["work_item"]] == [
        frozenset(),
        frozenset({"work_item"}),
    ]


def test_scopes_name_everything_to_read(here):
    scopes = {(scope.connection, scope.id): scope for scope in bound().scopes}
    assert set(scopes) == {("jira", "site"), ("asana", "a1"), ("notion", "n1")}
    site = scopes["jira", "site"]
    assert site.containers == ("10", "11")
    assert site.fields == ("assignee", "duedate", "labels", "parent", "status", "summary")
    assert site.marker is None
    assert scopes["asana", "a1"].fields == ("902", "name", "parent", "section")
    assert scopes["asana", "a1"].marker == "900"
    assert not scopes["asana", "a1"].subtasks
    assert scopes["notion", "n1"].marker == "sid"
    assert "ty" in scopes["notion", "n1"].fields


def test_owners_follow_the_home_where_nobody_else_is_named(here):
    fields = bound().fields
    assert fields["status"].owners == {
        "initiative": "notion",
        "feature": "jira",
        "work_item": "jira",
    }
    assert fields["title"].owners["initiative"] == "notion"
    assert fields["due"].owners["feature"] == "shared"
    assert set(fields["progress"].owners.values()) == {"syncd"}


def test_an_owner_that_does_not_hold_the_level_leaves_it_to_the_home(here):
    owners = bound().fields["labels"].owners
    assert owners == {"initiative": "notion", "feature": "jira", "work_item": "jira"}


def test_the_owner_may_differ_by_level(here):
    text = (
        ITEMS + "  due:\n    owner: {feature: notion}\n    jira: duedate\n    notion: Target date\n"
    )
    assert bound(text).fields["due"].owners == {
        "initiative": "notion",
        "feature": "notion",
        "work_item": "jira",
    }


def test_a_parent_is_named_only_where_something_above_lives(here):
    roadmap = bound()
    assert roadmap.fields["parent"].owners == {"feature": "notion", "work_item": "jira"}
    assert "parent" not in roadmap.cells_of("feature", "jira")
    assert roadmap.cells_of("feature", "notion")["parent"].remote == "up"
    assert roadmap.cells_of("work_item", "jira")["parent"].remote == "parent"


def test_a_pointer_stands_only_where_it_can_point(here):
    roadmap = bound()
    assert "url" in roadmap.cells_of("feature", "notion")
    assert "url" not in roadmap.cells_of("initiative", "notion")


def test_levels_restrict_a_field_and_a_cell(here):
    text = ITEMS + (
        "  due: {levels: feature, jira: duedate, notion: Target date}\n"
        "  progress: {notion: {property: Progress, levels: [feature]}, asana: Progress}\n"
    )
    roadmap = bound(text)
    assert "due" in roadmap.cells_of("feature", "notion")
    assert "due" not in roadmap.cells_of("initiative", "notion")
    assert "progress" not in roadmap.cells_of("initiative", "notion")
    assert "progress" in roadmap.cells_of("initiative", "asana")


def test_places_are_those_of_the_rule(here):
    cell = bound().cells_of("feature", "jira")["status"]
    assert cell.place.short == "m.yaml:17"
    assert (cell.remote, cell.remote_name, cell.kind) == ("status", "Status", K.STATUS)


def test_status_is_translated_and_the_first_word_is_written(here):
    cell = bound().cells_of("feature", "jira")["status"]
    assert cell.decode("status:Backlog", PEOPLE) == "planned"
    assert cell.decode("status:To Do", PEOPLE) == "planned"
    assert cell.encode("planned", "10", PEOPLE) == "status:To Do"
    with pytest.raises(UnmappedError) as caught:
        cell.decode("status:Doing", PEOPLE)
    assert str(caught.value) == (
        "Doing: it has no meaning yet: add the line `Doing: MEANING` "
        'to `values` of "Status" in m.yaml:17'
    )
    with pytest.raises(UnmappedError, match='"Status" in jira has no option for it'):
        cell.encode("blocked", "10", PEOPLE)


def test_an_option_the_schema_does_not_know_is_told(here):
    with pytest.raises(UnmappedError, match="jira added this option"):
        bound().cells_of("feature", "jira")["status"].decode("status:New", PEOPLE)


def test_sections_are_those_of_the_project(here):
    text = SIMPLE + (
        "    asana: {project: Launch}\n"
        "  initiative:\n    asana: {project: Initiatives}\n"
        "fields:\n  status:\n    jira: {field: status, values: {To Do: planned, Done: done}}\n"
        "    asana: {field: section, values: {Backlog: planned, Todo: planned, Shipped: done}}\n"
    )
    roadmap = bound(text)
    assert (
        roadmap.cells_of("feature", "asana")["status"].encode("planned", "a2", PEOPLE) == "a2:Todo"
    )
    cell = roadmap.cells_of("initiative", "asana")["status"]
    assert cell.encode("planned", "a1", PEOPLE) == "a1:Backlog"


def test_options_named_like_a_status_need_no_values(here):
    cell = bound(TWO + "  status: {owner: notion, notion: Status}\n").cells_of("feature", "notion")
    assert cell["status"].decode("st:Planned", PEOPLE) == "planned"


def test_a_checkbox_is_a_status_of_two_words(here):
    text = TWO + "  status: {notion: Ready}\n"
    cell = bound(text).cells_of("feature", "notion")["status"]
    assert cell.decode(True, PEOPLE) == "done"
    assert cell.encode("planned", "n1", PEOPLE) is False
    with pytest.raises(UnmappedError, match="a checkbox has two states only"):
        cell.encode("blocked", "n1", PEOPLE)
    text = TWO + "  status: {notion: {property: Ready, values: {true: in progress, false: idea}}}\n"
    assert bound(text).cells_of("feature", "notion")["status"].decode(True, PEOPLE) == "in progress"


def test_persons_go_through_the_directory(here):
    roadmap = bound()
    jira_cell = roadmap.cells_of("feature", "jira")["owner"]
    notion_cell = roadmap.cells_of("feature", "notion")["owner"]
    ana = jira_cell.decode("j1", PEOPLE)
    assert notion_cell.encode(ana, "n1", PEOPLE) == ("n1",)
    assert notion_cell.decode(("n1", "n2"), PEOPLE) == ana
    with pytest.raises(UnmappedError) as caught:
        notion_cell.encode(jira_cell.decode("j3", PEOPLE), "n1", PEOPLE)
    assert caught.value.name == "Cy"


def test_labels_become_options_and_back(here):
    roadmap = bound()
    rows = roadmap.cells_of("feature", "notion")["labels"]
    assert rows.encode(("fresh", "old"), "n1", PEOPLE) == ("la:old", "new:fresh")
    with pytest.raises(UnmappedError, match="labels without spaces"):
        roadmap.cells_of("feature", "jira")["labels"].encode(("go to market",), "10", PEOPLE)


def test_a_text_longer_than_the_field_is_not_cut(here):
    cell = bound().cells_of("feature", "jira")["title"]
    assert cell.encode("x" * 20, "10", PEOPLE) == "x" * 20
    with pytest.raises(UnmappedError, match="20 characters at most"):
        cell.encode("x" * 21, "10", PEOPLE)


def test_names_are_found_by_id_and_without_regard_to_case(here):
    text = (
        "roadmap: A\nitems:\n  feature:\n"
        "    jira: {projects: ['10', mobile APP], types: [epic]}\n"
        "fields:\n  due: {jira: due DATE}\n  team: {jira: customfield_3}\n"
    )
    roadmap = bound(text)
    assert roadmap.side("feature", "jira").containers == ("10", "11")
    cells = roadmap.cells_of("feature", "jira")
    assert (cells["due"].remote, cells["team"].remote) == ("duedate", "customfield_3")


def test_conditions_on_people_numbers_checkboxes_and_labels(here):
    text = SIMPLE.replace(
        "types: [Epic]",
        "types: [Epic], where: {Assignee: ana@x.example, Story Points: 3, labels: [a, b]}",
    )
    text += "    notion: {database: Roadmap, where: {Ready: true, Target date: any, Labels: old}}\n"
    roadmap = bound(text)
    side = roadmap.side("feature", "jira")
    assert side.create_fields == {"assignee": "j1", "customfield_1": 3.0, "labels": ("a",)}
    row = roadmap.side("feature", "notion")
    assert row.create_fields == {"ok": True, "la": ("la:old",)}
    fields = {"ok": True, "td": "2026-01-01", "la": ("la:old",)}
    record = Record("notion", "n1", "r", "n1", None, "r", "", "", fields)
    assert row.matches(record)
    assert not row.matches(Record("notion", "n1", "r", "n1", None, "r", "", "", {"ok": True}))


def test_write_false_reads_only(here):
    text = TWO + "  due: {jira: {field: Created, write: false}, notion: Target date}\n"
    assert not bound(text).cells_of("feature", "jira")["due"].writable


BAD = {
    "unknown project": (
        SIMPLE.replace("WEB", "WBE"),
        (
            'm.yaml:4:23: jira shows nothing named "WBE": did you mean "WEB"? '
            "Otherwise share it with the account of syncd"
        ),
    ),
    "unknown database": (
        SIMPLE + "    notion: {database: Rodmap}\n",
        (
            'm.yaml:5:24: notion shows nothing named "Rodmap": did you mean "Roadmap"? '
            "Otherwise share it with the account of syncd"
        ),
    ),
    "two projects of one name": (
        SIMPLE.replace("WEB", "Twins"),
        'm.yaml:4:23: 2 have the name "Twins": write one of the ids "12", "13"',
    ),
    "unknown type": (
        SIMPLE.replace("Epic", "Epik"),
        'm.yaml:4:37: "Website" has no type "Epik": did you mean "Epic"? Otherwise remove it',
    ),
    "unknown field": (
        TWO + "  due: {jira: duedat}\n",
        (
            'm.yaml:7:15: "Website" in jira has no field "duedat": did you mean "Due date"? '
            "Otherwise keep this line from the level feature with `levels: [...]`"
        ),
    ),
    "two fields of one name": (
        TWO + "  team: {jira: Team}\n",
        (
            'm.yaml:7:16: "Website" has 2 fields named "Team": '
            'write the id of the right one, "customfield_2", "customfield_3"'
        ),
    ),
    "kind mismatch": (
        TWO + "  due: {jira: Status}\n",
        'm.yaml:7:9: "Status" is a status field and cannot hold a date: name a field of kind date',
    ),
    "a kind nobody can handle": (
        TWO + "  estimate: {jira: Sprint}\n",
        (
            'm.yaml:7:14: "Sprint" is of a kind that syncd cannot handle and cannot hold a number: '
            "name a field of kind number"
        ),
    ),
    "read-only where we must write": (
        TWO + "  due: {owner: jira, jira: duedate, notion: Rolled}\n",
        (
            'm.yaml:7:37: "Rolled" in notion cannot be written, but another decides: '
            "let notion own the field, write `write: false`, or name another field"
        ),
    ),
    "unknown option in values": (
        TWO + "  status: {jira: {field: status, values: {Todo: planned}}}\n",
        'm.yaml:7:43: "status" in jira has no option "Todo": did you mean "To Do"?',
    ),
    "a status nobody explained": (
        TWO + "  status: {notion: Health}\n",
        (
            'm.yaml:7:12: what the options of "Health" mean is not said ("On track"): write '
            "`values: {OPTION: STATUS}` with idea, planned, in progress, blocked, done or cancelled"
        ),
    ),
    "another word for a checkbox": (
        TWO + "  status: {notion: {property: Ready, values: {Yes: done}}}\n",
        'm.yaml:7:47: "Ready" is a checkbox: write `true` or `false`',
    ),
    "options that cannot be added": (
        TWO + "  priority: {jira: {field: Priority, create_options: true}}\n",
        'm.yaml:7:14: "Priority" takes no new options from outside: remove `create_options`',
    ),
    "unknown option in where": (
        SIMPLE + "    notion: {database: Roadmap, where: {Type: Featur}}\n",
        'm.yaml:5:47: "Type" has no option "Featur": did you mean "Feature"?',
    ),
    "unknown field in where": (
        SIMPLE + "    notion: {database: Roadmap, where: {Typ: Feature}}\n",
        'm.yaml:5:41: "Roadmap" in notion has no field "Typ": did you mean "Type"?',
    ),
    "a relation in where": (
        SIMPLE + "    notion: {database: Roadmap, where: {Other: Big thing}}\n",
        'm.yaml:5:48: "Other" names another record: write `any`, `none` or a level',
    ),
    "a word for a checkbox in where": (
        SIMPLE + "    notion: {database: Roadmap, where: {Ready: yes}}\n",
        'm.yaml:5:48: "Ready" never holds "yes": write true or false',
    ),
    "nobody of that name in where": (
        SIMPLE + "    notion: {database: Roadmap, where: {Owner: Zoe}}\n",
        'm.yaml:5:48: nobody is known as "Zoe": write a name, e-mail or account id',
    ),
    "a condition that cannot be met when creating": (
        SIMPLE + "    notion: {database: Roadmap, where: {Rolled: 2026-01-01}}\n",
        (
            'm.yaml:5:41: "Rolled" cannot be written, so a new record could not meet this: '
            "write `create: false`, or use another field"
        ),
    ),
    "no place for the marker": (
        SIMPLE + "    notion: {database: Plans}\n",
        (
            'm.yaml:5:5: "Plans" has no text field "Syncd ID", in which syncd notes what it '
            "created: add one there, name another with `marker: FIELD`, or write `create: false`"
        ),
    ),
    "a marker that is no text": (
        SIMPLE + "    notion: {database: Roadmap, marker: Target date}\n",
        (
            'm.yaml:5:41: "Target date" cannot hold the marker: it must be a writable text '
            "field; name another with `marker: FIELD`"
        ),
    ),
    "two markers in one project": (
        SIMPLE + "    asana: {project: Launch}\n  initiative:\n"
        "    asana: {project: Launch, marker: Other ID}\n",
        'm.yaml:7:38: "Launch" has another marker already: write the same `marker` everywhere',
    ),
    "a field in place of the marker": (
        TWO + "  key: {of: jira, notion: Syncd ID}\n",
        'm.yaml:7:19: "Syncd ID" holds syncd\'s marker: name another field',
    ),
    "a field with another id in each database": (
        SIMPLE + "    notion:\n      - {database: Roadmap, create: false}\n"
        "      - {database: Plans, create: false}\nfields:\n  horizon: {notion: Horizon}\n",
        (
            'm.yaml:9:21: "Horizon" is a different field in each of them '
            "(Roadmap: h1, Plans: h2): write a level for each of them"
        ),
    ),
    "a condition on a kind nobody can read": (
        SIMPLE.replace("types: [Epic]", "types: [Epic], where: {Sprint: any}"),
        'm.yaml:4:52: "Sprint" is of a kind that syncd cannot read: use another field',
    ),
    "a number for a choice of numbers": (
        SIMPLE.replace("types: [Epic]", "types: [Epic], where: {Story Points: many}"),
        'm.yaml:4:66: "Story Points" never holds "many": write a number',
    ),
    "a parent that is no relation": (
        (
            "roadmap: A\nitems:\n  goal:\n    notion: {database: Roadmap}\n  feature:\n"
            "    notion: {database: Roadmap}\n    parent: {notion: Type}\n"
        ),
        (
            'm.yaml:7:14: "Type" is a select field and cannot hold an item: '
            "name a field of kind parent"
        ),
    ),
    "a relation into something else": (
        (
            "roadmap: A\nitems:\n  goal:\n    notion: {database: Roadmap}\n  feature:\n"
            "    notion: {database: Roadmap}\n    parent: {notion: Other}\n"
        ),
        (
            'm.yaml:7:14: "Other" points into something that no higher level uses: '
            'name a relation to "Roadmap"'
        ),
    ),
    "one remote field by two names": (
        TWO + "  due: {jira: duedate}\n  start: {jira: Due date}\n",
        (
            'm.yaml:8:11: "Due date" already holds "due" (m.yaml:7): '
            "name another field, or restrict one with `levels`"
        ),
    ),
    "a first type that the first project lacks": (
        (
            "roadmap: A\nitems:\n  feature:\n    notion: {database: Roadmap}\n"
            "    jira: {projects: [APP, WEB], types: [Sub-task]}\n"
        ),
        (
            'm.yaml:5:42: "Mobile app", where syncd creates, has no such type: '
            "name first a project that has it, or first a type that this project has"
        ),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_with_its_place(here, name):
    text, sentence = BAD[name]
    assert problems(text) == [sentence]


def test_a_field_must_be_in_every_project(here):
    text = TWO.replace("[WEB]", "[WEB, APP]") + "  Note: {type: text, jira: Web only}\n"
    assert problems(text)[0].startswith('m.yaml:7:28: "Mobile app" in jira has no field "Web only"')


def test_the_title_field_cannot_hold_another_field(here):
    assert problems(TWO + "  Note: {type: text, notion: Name}\n") == [
        (
            'm.yaml:7:22: "Name" already holds "title" (m.yaml:5): '
            "name another field, or restrict one with `levels`"
        )
    ]


def test_a_tool_without_a_title_field_is_told(here):
    base = SCHEMAS["asana"]
    schema = Schema("asana", ROBOT, base.containers, base.fields[1:], ())
    mapping = written(SIMPLE + "    asana: {project: Launch}\n")
    with pytest.raises(MappingError) as caught:
        bind(mapping, {**SCHEMAS, "asana": schema})
    assert str(caught.value) == (
        'm.yaml:5:5: no title field is known in "asana": name it in `fields: title: asana: FIELD`'
    )


def test_the_second_tool_follows_in_the_parent(here):
    text = (
        "roadmap: A\nitems:\n"
        "  initiative:\n    jira: {projects: [WEB], types: [Epic]}\n"
        "    notion: {database: Roadmap}\n"
        "  feature:\n    jira: {projects: [WEB], types: [Story]}\n"
        "    notion: {database: Roadmap}\n    parent: {jira: parent, notion: Parent}\n"
    )
    roadmap = bound(text)
    assert roadmap.fields["parent"].owners == {"feature": "jira"}
    assert roadmap.cells_of("feature", "notion")["parent"].writable


def test_all_problems_are_reported_at_once(here):
    text = TWO.replace("Epic", "Epik") + "  due: {jira: duedat}\n  start: {jira: strt}\n"
    assert [line.split(": ")[0] for line in problems(text)] == [
        "m.yaml:4:37",
        "m.yaml:7:15",
        "m.yaml:8:17",
    ]


def test_a_connection_that_was_not_read_is_a_problem(here):
    mapping = written(SIMPLE)
    with pytest.raises(MappingError, match='"jira" has not been read yet'):
        bind(mapping, {})


def test_a_service_that_does_not_answer_can_be_left_out(here):
    whole = bound()
    mapping = written(ITEMS + FIELDS)
    part = bind(mapping, {"jira": SCHEMAS["jira"], "asana": SCHEMAS["asana"]}, partial=True)
    assert part.side("feature", "notion") is None
    assert {scope.connection for scope in part.scopes} == {"jira", "asana"}
    assert {name: rule.owners for name, rule in part.fields.items()} == {
        name: rule.owners for name, rule in whole.fields.items()
    }


def test_a_quiet_mapping_has_no_warning(here):
    text = TWO + (
        "  status:\n"
        "    jira: {field: Status, values: {To Do: planned, Backlog: planned, Doing: planned, "
        "Done: done}}\n"
        "    notion: {property: Status, values: {Planned: planned, Done: done}}\n"
    )
    assert lint(text) == []


def test_options_named_like_no_status_are_named_even_without_values(here):
    base = SCHEMAS["notion"]
    extra = field("st", "Status", K.STATUS, "Planned", "Parked", "Done")
    fields = tuple(extra if one.id == "st" else one for one in base.fields)
    schema = Schema("notion", ROBOT, base.containers, fields, base.people)
    assert lint(TWO + "  status: {notion: Status}\n", {**SCHEMAS, "notion": schema}) == [
        (
            'm.yaml:7:12: notion has the option "Parked" of "Status" without a meaning: '
            "add `Parked: STATUS` to `values`, else such items wait for a person"
        )
    ]


def test_options_without_a_meaning_are_named(here):
    assert lint(TWO + "  status: {jira: {field: Status, values: {To Do: planned}}}\n") == [
        (
            'm.yaml:7:12: jira has the options "Backlog", "Doing", "Done" of "Status" without a '
            "meaning: add `Backlog: STATUS` to `values`, else such items wait for a person"
        )
    ]


def test_a_meaning_that_the_other_tool_has_no_word_for_is_named(here):
    text = TWO + (
        "  status:\n"
        "    jira: {field: Status, values: {To Do: idea, Backlog: idea, Doing: planned, "
        "Done: done}}\n"
        "    notion: {property: Status, values: {Planned: planned, Done: done}}\n"
    )
    assert lint(text) == [
        (
            'm.yaml:9:5: jira can say "idea", and notion has no word for it: '
            "add an option for it to `values`, else such items wait for a person"
        )
    ]


def test_fields_that_nobody_writes_are_named(here):
    text = TWO + (
        "  progress: {rollup: {weight: count}}\n"
        "  priority: {jira: Priority}\n"
        "  due: {owner: jira, jira: duedate, notion: {property: Target date, write: false}}\n"
        "  estimate: {jira: Story Points}\n"
    )
    assert lint(text) == [
        'm.yaml:7:3: "progress" is computed and shown nowhere: add a line `CONNECTION: FIELD`',
        (
            'm.yaml:8:3: "priority" is in jira only, so nothing is kept in step: '
            "add another connection, or remove the field"
        ),
        (
            'm.yaml:9:37: "due" of notion is neither read nor written at the level feature: '
            "remove the line, or `write: false`"
        ),
    ]


def test_people_that_nothing_tells_apart_are_named(here):
    twins = (Account("j8", "Ana", None), Account("j9", "Ana", None))
    base = SCHEMAS["jira"]
    schema = Schema("jira", ROBOT, base.containers, base.fields, twins, one_scope=True)
    text = "people:\n  Bob: {notion: q7}\n" + TWO + "  owner: {jira: Assignee, notion: Owner}\n"
    assert lint(text, {**SCHEMAS, "jira": schema}) == [
        ('m.yaml:2:17: notion shows no account "q7" for "Bob": write an account id or e-mail'),
        (
            'm.yaml:2:17: several accounts are named "Ana" and no e-mail tells who is who: '
            "add them to `people:` under a name each"
        ),
    ]


def test_two_levels_that_take_the_same_records_are_told(here):
    second = "  work_item:\n    jira: {projects: [WEB], types: [TYPE]}\nfields:\n  due: {jira: duedate}\n"
    told = {
        kind: any(
            "take the same records of jira" in warning
            for warning in lint(TWO.replace("fields:\n", second.replace("TYPE", kind)))
        )
        for kind in ("Epic", "Story")
    }
    assert told == {"Epic": True, "Story": False}
