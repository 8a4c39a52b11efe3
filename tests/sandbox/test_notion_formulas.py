"""Formula columns of the Notion stand-in: values, types, and what is refused.

The values of empty numbers, lists and failures are those that clients of the service have measured.
"""

from __future__ import annotations

import json

import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.wire import Request

TYPE_ERROR, PARSE_ERROR = "Type error with formula", "Parse error with formula"


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


class Table:
    """A table with one row whose number, text and date are empty, and a related table."""

    def __init__(self) -> None:
        self.notion = NotionSandbox(SandboxClock(frozen=1_789_997_675.0))  # 13:34:35
        self.person = self.notion.add_user("Ada", "ada@example.com")
        home = self.ask("POST", "pages", {"properties": {"title": text("Home")}})["id"]
        schema = {
            "Name": {"title": {}}, "N": {"number": {}}, "T": {"rich_text": {}}, "D": {"date": {}},
            "Pattern": {"rich_text": {}}, "Tags": {"multi_select": {}}, "Who": {"people": {}},
            "Stage": {"select": {}}, "Due": {"date": {}}, "Size": {"number": {}},
            "Done": {"checkbox": {}}, "Key": {"unique_id": {"prefix": "RD"}},
        }  # fmt: skip
        asked = {"parent": {"page_id": home}, "initial_data_source": {"properties": schema}}
        self.source = self.ask("POST", "databases", asked)["data_sources"][0]["id"]
        link = {"Up": {"relation": {"data_source_id": self.source, "single_property": {}}}}
        self.ask("PATCH", f"data_sources/{self.source}", {"properties": link})
        other = self.row({"Name": {"title": text("Other")}, "Size": {"number": 4}})
        self.page = self.row({
            "Name": {"title": text("Row")}, "Pattern": {"rich_text": text("[")},
            "Tags": {"multi_select": [{"name": "a"}, {"name": "b"}]},
            "Who": {"people": [{"id": self.person}]}, "Stage": {"select": {"name": "Now"}},
            "Due": {"date": {"start": "2026-09-30"}}, "Size": {"number": 2.5},
            "Done": {"checkbox": True}, "Up": {"relation": [{"id": other}]},
        })  # fmt: skip

    def ask(self, method: str, path: str, body: object = None) -> dict:
        headers = {
            "authorization": f"Bearer {self.notion.token}",
            "notion-version": "2026-03-11",
        }
        raw = b"" if body is None else json.dumps(body).encode()
        answer = json.loads(
            self.notion.handle(Request(method, f"/v1/{path}", (), headers, raw)).body
        )
        self.last = answer
        return answer

    def row(self, values: dict) -> str:
        asked = {"parent": {"data_source_id": self.source}, "properties": values}
        return self.ask("POST", "pages", asked)["id"]

    def define(self, expression: object, name: str = "F") -> dict:
        body = {"properties": {name: {"formula": {"expression": expression}}}}
        return self.ask("PATCH", f"data_sources/{self.source}", body)

    def shown(self, name: str = "F") -> dict:
        return self.ask("GET", f"pages/{self.page}")["properties"][name]["formula"]

    def value(self, expression: str) -> tuple[str, object]:
        """Return type and value of a formula of the row, or the refusal."""
        answer = self.define(expression)
        if answer["object"] == "error":
            assert (answer["status"], answer["code"]) == (400, "validation_error")
            return "refused", answer["message"]
        found = self.shown()
        assert set(found) == {"type", found["type"]}
        return found["type"], found[found["type"]]

    def query(self, body: dict) -> dict:
        return self.ask("POST", f"data_sources/{self.source}/query", body)


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


MEASURED = {
    'prop("N") == 0': False, 'empty(prop("N"))': True, 'prop("N") + 1': 1, "empty(0)": True,
    'length(unique([prop("N"), 0]))': 2, 'mean([2, prop("N"), 4])': 3, 'prop("T") == ""': False,
    "if(false, true, empty()) == false": False, 'empty(prop("D"))': True,
    "length(flat([if(false, [1], empty())]))": 1, "length([1, empty(), 2])": 3,
    'join(map([1, empty(), 2], index), ",")': "0,1,2", 'join([1, empty(), 2], ",")': "1,,2",
    'join(map([1, 2, 3], if(current == 2, empty(), current)), ",")': "1,,3",
    "if(false, [], empty()).map(current)": None,
    "if(false, [], empty()).map(current).length()": None, "[1, empty(), 2]": "1,2",
    "[[[1, 2]], 3]": "1,2,3", "[[[]]]": None, '[[""], 1]': ",1", "[[0], [false]]": "0,false",
    "format([1, empty()])": "1,", 'empty(test("abc", prop("Pattern")))': None,
    'format(test("abc", prop("Pattern")))': None,
    'if(false, test("abc", prop("Pattern")), true)': True,
    '[test("abc", prop("Pattern"))].length()': None,
    '[1].map(test("abc", prop("Pattern"))).length()': 1,
    'empty(1 / prop("N"))': True, 'format(1 / prop("N"))': "", '1 / prop("N")': None,
    'sum([2, prop("N"), 4])': 6, 'min([prop("N")])': None, 'sum([prop("N")])': 0,
    "max(filter([1], current < 0))": None, "sort([1, empty(), 0, -1, empty()])": "-1,0,1",
    "length(flat([[1, empty()], [2]]))": 3, "length(flat([[[]]]))": 1,
    'repeat("ab", -0.1)': "", 'repeat("ab", 1.1)': "abab", 'length(repeat("ab", 10001))': 20000,
    'repeat("ab", prop("N"))': None, "ifs(false, 11)": None, "ifs(true, 11, false, 22)": 11,
    "ifs(false, 11, false, 22, 99)": 99, 'ifs("true", 11)': 11, "ifs(false, [11, 22])": None,
    'join([1, ifs(false, 11), 2], "|")': "1||2",
    # looking ahead is accepted, and gives nothing
    r'replaceAll("1000", "\B(?=(\d{3})+)", ".")': None,
}  # fmt: skip


@pytest.mark.parametrize("expression", MEASURED)
def test_empty_values_and_failures_are_as_measured(table, expression):
    assert table.value(expression)[1] == MEASURED[expression]


COMPUTED = {
    'prop("Size") * 2 + 1': ("number", 6), "(1 + 2) * 3 - 4 / 2": ("number", 7),
    "2 ^ 3 ^ 2": ("number", 512), "-7 % 3": ("number", -1), "mod(7, 4)": ("number", 3),
    "round(2.5)": ("number", 3), "round(3.14159, 2)": ("number", 3.14), "pi": ("number", 3.141592653589793),
    "ceil(1.2) + floor(1.8) + abs(-1) + sign(-3)": ("number", 3), "sqrt(-1)": ("number", None),
    "median(1, 2, 30)": ("number", 2), 'toNumber("42") + toNumber("x")': ("number", 42),
    'prop("Stage") == "Now" and not prop("Done")': ("boolean", False),
    'or(prop("Size") >= 3, prop("Done"))': ("boolean", True),
    'prop("Size") > 3 ? "big" : "small"': ("string", "small"),
    'concat(prop("Tags"), ["c"])': ("string", "a,b,c"), '"a" + 1 + true': ("string", "a1true"),
    'prop("Name").upper().replace("(R)", "<$1>")': ("string", "<R>OW"),
    'contains("abc", "b") && test("abc", "^a")': ("boolean", True),
    r'match("a1b22", "\d+")': ("string", "1,22"), '"a,b".split(",").last()': ("string", "b"),
    'substring("Dangerfield", 0, 6)': ("string", "Danger"), 'length("aß🦊")': ("number", 4),
    'padStart("7", 3, "0") + trim(" x ")': ("string", "007x"), 'prop("Key")': ("string", "RD-2"),
    'prop("Tags").map(upper(current)).join("-")': ("string", "A-B"),
    'prop("Tags").filter(current != "a").length()': ("number", 1),
    "[3, 1, 2].sort().first() + [3, 1, 2].sort(-current).at(0)": ("number", 4),
    "[1, 2, 3].find(current > 1) + [1, 2].findIndex(current == 9)": ("number", 1),
    "[1, 2].some(current > 1) and [1, 2].every(current > 0)": ("boolean", True),
    "reverse([1, 2]).slice(0, 1).includes(2)": ("boolean", True), "[1, 2, 2].count()": ("number", 3),
    'lets(a, 1, b, a + 1, a * b + 10)': ("number", 12), "let(x, 5, x + 1)": ("number", 6),
    'prop("Who").first().name() + " " + prop("Who").first().email()': ("string", "Ada ada@example.com"),
    'prop("Up").length()': ("number", 1), "empty()": ("string", None),
    "now()": ("date", {"start": "2026-09-21T13:34:00.000+00:00", "end": None, "time_zone": None}),
    "today()": ("date", {"start": "2026-09-21", "end": None, "time_zone": None}),
    'dateAdd(prop("Due"), 5, "months")':
        ("date", {"start": "2027-02-28", "end": None, "time_zone": None}),
    'dateBetween(prop("Due"), today(), "days")': ("number", 9),
    'dateBetween(parseDate("2026-01-31"), parseDate("2026-03-01"), "months")': ("number", -1),
    'prop("Due") > now()': ("boolean", True), 'dateBetween(now(), now(), "apples")': ("number", None),
    'formatDate(prop("Due"), "dddd, MMMM Do YYYY [W]W HH:mm")':
        ("string", "Wednesday, September 30th 2026 W40 00:00"),
    'day(prop("Due")) + month(prop("Due")) + year(prop("Due"))': ("number", 2038),
    'timestamp(fromTimestamp(1000))': ("number", 1000), 'format(today())': ("string", "September 21, 2026"),
    "dateEnd(dateRange(today(), now())).hour() /* none */": ("number", 13),
}  # fmt: skip


@pytest.mark.parametrize("expression", COMPUTED)
def test_formulas_are_computed_and_typed(table, expression):
    assert table.value(expression) == COMPUTED[expression]


@pytest.mark.parametrize(
    "expression",
    ["empty().map(current)", 'join(empty(), ",")', "sum([2, empty(), 4])", "sum([])", "ifs()",
     "ifs(42)", "if(true, 11)", 'repeat("ab", empty())', 'prop("Nope")', "nothing(1)", "lower(5)",
     "today() + 1", "1 < true", "current", "round()", 'prop("Up").map(current.prop("Size")).sum()'],
)  # fmt: skip
def test_formulas_whose_parts_do_not_fit_are_refused(table, expression):
    assert table.value(expression) == ("refused", TYPE_ERROR)


@pytest.mark.parametrize(
    "expression", ["", "1 +", "(1", "ifs(true,)", '"open', "1 2", "prop(Name)", "(" * 500, "a.1"]
)
def test_formulas_that_cannot_be_read_are_refused(table, expression):
    assert table.value(expression) == ("refused", PARSE_ERROR)


def test_columns_are_stored_by_their_ids_and_survive_a_new_name():
    table = Table()
    answer = table.define('prop("Size") + 1')
    stored = answer["properties"]["F"]["formula"]
    assert set(stored) == {"expression"}
    assert stored["expression"].startswith(
        "{{notion:block_property:" + answer["properties"]["Size"]["id"] + ":"
    )
    assert stored["expression"].endswith("}} + 1")
    renamed = {"properties": {"Size": {"name": "Points"}}}
    table.ask("PATCH", f"data_sources/{table.source}", renamed)
    assert table.shown() == {"type": "number", "number": 3.5}
    assert table.define(stored["expression"])["object"] == "data_source"
    table.ask("PATCH", f"data_sources/{table.source}", {"properties": {"Points": None}})
    assert table.shown() == {"type": "string", "string": None}


def test_the_api_cannot_use_other_formulas_in_a_calculation_a_person_can():
    table = Table()
    table.define('prop("Size") * 2', "Double")
    assert table.value('prop("Double") + 1') == ("refused", TYPE_ERROR)
    assert table.value('prop("Double")') == ("number", 5)
    table.notion.add_formula(table.source, "Person", 'prop("Double") + 1')
    table.notion.add_formula(table.source, "Over", 'prop("Up").map(current.prop("Size")).sum()')
    assert table.shown("Person") == {"type": "number", "number": 6}
    assert table.shown("Over") == {"type": "number", "number": 4}


def test_formulas_made_by_the_api_cannot_be_filtered_on_those_of_people_can():
    table = Table()
    table.define('prop("Size") * 2')
    wanted = {"filter": {"property": "F", "formula": {"number": {"greater_than": 6}}}}
    assert table.query(wanted)["message"] == "Unable to filter based on a formula of unknown type"
    table.notion.add_formula(table.source, "Person", 'prop("Size") * 2')
    wanted["filter"]["property"] = "Person"
    (row,) = table.query(wanted)["results"]
    assert row["properties"]["Person"]["formula"]["number"] == 8
    sorts = [{"property": "F", "direction": "descending"}]
    values = [row["properties"]["F"]["formula"]["number"]
              for row in table.query({"sorts": sorts})["results"]]  # fmt: skip
    assert values == [8, 5]


def test_formulas_may_name_columns_of_the_same_request():
    table = Table()
    body = {"properties": {"Sum": {"formula": {"expression": 'prop("New") + 1'}},
                           "New": {"number": {}}}}  # fmt: skip
    assert table.ask("PATCH", f"data_sources/{table.source}", body)["object"] == "data_source"
    assert table.shown("Sum") == {"type": "number", "number": 1}


def test_a_formula_without_an_expression_is_empty():
    table = Table()
    body = {"properties": {"F": {"formula": {}}}}
    assert table.ask("PATCH", f"data_sources/{table.source}", body)["object"] == "data_source"
    assert table.shown() == {"type": "string", "string": None}


def test_formulas_that_stand_on_themselves_end():
    table = Table()
    table.define("1")
    assert table.value('prop("F")')[1] is None


def test_a_page_shows_formulas_over_25_related_pages_the_property_itself_over_all():
    table = Table()
    ids = [table.row({}) for _ in range(30)]
    links = {"properties": {"Up": {"relation": [{"id": key} for key in ids]}}}
    table.ask("PATCH", f"pages/{table.page}", links)
    table.define('prop("Up").length()')
    assert table.shown()["number"] == 25
    prop = table.ask("GET", f"pages/{table.page}")["properties"]["F"]["id"]
    whole = table.ask("GET", f"pages/{table.page}/properties/{prop}")
    assert whole["formula"] == {"type": "number", "number": 30}
