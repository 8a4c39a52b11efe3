"""The Notion adapter against the stand-in for Notion, in process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest

from adapters import registry
from adapters.notion.config import Config
from syncd.core.errors import Gone, NotAllowed, Rejected, Stale, Unexpected
from syncd.core.records import Draft, Edit, FieldKind, Scope
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.wire import Request, Response, query_pairs
from syncd.testing.adapter_laws import AdapterLaws, Lab, Line, NoAnswer, NoConnection, records_of
from syncd.testing.builders import MOMENT
from syncd.testing.fakes import FakeClock

URL = "http://localhost:8080/notion"
VERSION = "2026-03-11"
DEFINITION = (
    Path(__file__).parents[2].parent / "shared/wire/specs/notion_official_openapi_2026-03.json"
)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Transport(httpx.BaseTransport):
    """A transport of `httpx` that hands over to a line instead of a socket."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        parts = urlsplit(str(request.url))
        asked = Request(
            request.method,
            request.url.path.removeprefix("/notion"),
            query_pairs(parts.query),
            {key.lower(): value for key, value in request.headers.items()},
            request.read(),
            URL,
        )
        try:
            answer = self.line.exchange(asked)
        except NoConnection:
            raise httpx.ConnectError("[Errno 111] Connection refused") from None
        except NoAnswer:
            raise httpx.RemoteProtocolError("Server disconnected without an answer") from None
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def is_write(request: Request) -> bool:
    return request.method != "GET" and not request.path.endswith(("/query", "/search"))


def titled(text: str) -> list[dict[str, object]]:
    return [{"type": "text", "text": {"content": text}}]


SELECT = {"options": [{"name": "High"}, {"name": "Low"}]}
PROPERTIES = {
    "Name": {"title": {}},
    "Syncd ID": {"rich_text": {}},
    "Description": {"rich_text": {}},
    "Points: [%] é": {"number": {}},
    "Priority": {"select": SELECT},
    "Status": {"status": {}},
    "Tags": {"multi_select": {"options": [{"name": "b"}, {"name": "a"}, {"name": "c"}]}},
    "Due": {"date": {}},
    "Owner": {"people": {}},
    "Risky": {"checkbox": {}},
    "Link": {"url": {}},
    "Mail": {"email": {}},
    "Phone": {"phone_number": {}},
    "Nr": {"unique_id": {"prefix": "RM"}},
    "Made": {"created_time": {}},
    "Double": {"formula": {"expression": "1"}},
}


class World:
    """A workspace with one database, and the adapter that works on it."""

    def __init__(self) -> None:
        self.service_clock = SandboxClock(frozen=MOMENT)
        self.service = NotionSandbox(self.service_clock)
        self.ann = self.service.add_user("Ann Lee", "ann@acme.example")
        self.bob = self.service.add_user("Bob Ray", "bob@acme.example")
        self.service.add_token(self.ann, "anns-token")
        self.clock = FakeClock()
        self.line = Line(self.service.handle, is_write)
        self.adapter = self.connect(self.service.token)
        self.home = self.ask("POST", "pages", self.page_body("Home"))["id"]
        self.database = self.add_database("Roadmap", PROPERTIES)
        self.source = self.database["data_sources"][0]["id"]
        goal = {"relation": {"data_source_id": self.source, "single_property": {}}}
        self.ask("PATCH", f"data_sources/{self.source}", {"properties": {"Goal": goal}})
        self.schema = self.adapter.discover(["Roadmap"])
        self.ids = {f.name: f.id for f in self.schema.fields_of(self.source)}
        self.line.sent.clear()

    def connect(self, token: str):
        return registry.connect(
            "notion",
            "notion",
            Config(url=URL),
            secret=lambda: token,
            clock=self.clock,
            transport=Transport(self.line),
        )

    def ask(self, method: str, path: str, body: object = None, token: str = "anns-token"):
        """Act as a person does, without the adapter."""
        answer = self.service.handle(
            Request(
                method,
                f"/v1/{path}",
                (),
                {"authorization": f"Bearer {token}", "notion-version": VERSION,
                 "content-type": "application/json"},
                b"" if body is None else json.dumps(body).encode(),
            )
        )  # fmt: skip
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def page_body(self, title: str, parent: str | None = None) -> dict[str, object]:
        place = {"workspace": True} if parent is None else {"page_id": parent}
        return {"parent": place, "properties": {"title": {"title": titled(title)}}}

    def add_database(self, title: str, properties: dict[str, object]):
        return self.ask(
            "POST",
            "databases",
            {
                "parent": {"page_id": self.home},
                "title": titled(title),
                "initial_data_source": {"properties": properties},
            },
        )

    def add(self, title: str, **properties: object) -> str:
        return self.ask(
            "POST",
            "pages",
            {
                "parent": {"data_source_id": self.source},
                "properties": {"Name": {"title": titled(title)}, **properties},
            },
        )["id"]

    def change(self, page: str, **properties: object) -> None:
        self.ask("PATCH", f"pages/{page}", {"properties": properties})

    def pass_time(self, seconds: float) -> None:
        self.service_clock.step(seconds)
        self.clock.advance(seconds)

    @property
    def scope(self) -> Scope:
        wanted = ("Name", "Description", "Points: [%] é", "Priority", "Status", "Tags", "Due",
                  "Owner", "Risky", "Link", "Mail", "Phone", "Goal", "Nr")  # fmt: skip
        fields = tuple(self.ids[name] for name in wanted)
        return Scope("notion", self.source, "Roadmap", (self.source,), fields, self.ids["Syncd ID"])

    def options(self, name: str) -> list[str]:
        (field,) = (f for f in self.schema.fields_of(self.source) if f.name == name)
        return [option.id for option in field.options]

    def lab(self) -> Lab:
        statuses, tags = self.options("Status"), self.options("Tags")
        other = self.add("A goal"), self.add("Another goal")
        examples = {
            "Description": ("# Aim\n\n**bold**, [link](https://x.example/y)", "- one\n- two"),
            "Points: [%] é": (3.0, 0.5),
            "Priority": tuple(self.options("Priority")),
            "Status": tuple(statuses),
            "Tags": (tuple(sorted(tags[:2])), tuple(sorted(tags))),
            "Due": ("2026-07-04", "2027-02-28"),
            "Owner": ((self.ann,), tuple(sorted((self.ann, self.bob)))),
            "Risky": (True, False),
            "Link": ("https://x.example/a?b=1", "https://y.example"),
            "Mail": ("a@x.example", "b@x.example"),
            "Phone": ("+49 30 1", "+1 2"),
            "Goal": other,
        }  # fmt: skip
        return Lab(
            adapter=self.adapter,
            scope=self.scope,
            container=self.source,
            kind=None,
            title="title",
            line=self.line,
            clock=self.clock,
            unknown=UNKNOWN,
            add=self.add,
            rename=lambda page, title: self.change(page, Name={"title": titled(title)}),
            pass_time=self.pass_time,
            with_token=self.connect,
            examples={self.ids[name]: values for name, values in examples.items()},
            cannot_be_empty=frozenset({self.ids["Risky"], self.ids["Status"]}),
        )

    def read(self, page: str):
        (record,) = self.adapter.read(self.scope, [page])
        return record

    def update(self, page: str, **fields: object):
        named = {self.ids[name]: value for name, value in fields.items()}
        return self.adapter.update(Edit(self.scope, self.source, page, named))


@pytest.fixture
def world() -> World:
    return World()


class TestNotionLaws(AdapterLaws):
    """The Notion adapter keeps the laws of all adapters."""

    @pytest.fixture
    def lab(self, world: World) -> Lab:
        return world.lab()


def test_every_request_is_as_the_vendor_defines_it(world):
    """Hold request bodies and parameters against Notion's own OpenAPI file."""
    if not DEFINITION.is_file():
        pytest.skip("Notion's definition (../shared/wire) is not beside the project")
    definition = json.loads(DEFINITION.read_text("utf8"))
    components = loosened(definition["components"])
    lab = world.lab()
    page = lab.create("Thing").id
    for name, values in lab.examples.items():
        lab.write(page, {name: values[0]})
        lab.write(page, {name: None if name not in lab.cannot_be_empty else values[-1]})
    lab.pages(lab.pages()[-1].cursor)
    world.adapter.find(world.scope, "marker-1", "")
    world.adapter.discover(["Roadmap", "Not there"])
    for request in world.line.sent:
        operation = operation_of(definition, request)
        named = {parameter.get("name") for parameter in operation.get("parameters", [])}
        assert {key for key, _ in request.query} <= named
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            full = {**loosened(schema), "components": components}
            jsonschema.Draft202012Validator(full).validate(json.loads(request.body))
        else:
            assert request.body == b""


def operation_of(definition, request):
    for path, operations in definition["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.path):
            return operations[request.method.lower()]
    raise AssertionError(request.path)


def loosened(node):
    """Read oneOf as anyOf: in the published file the branches overlap."""
    if isinstance(node, list):
        return [loosened(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {"anyOf" if key == "oneOf" else key: loosened(value) for key, value in node.items()}


# discovering ----------------------------------------------------------------------------------


def test_discover_describes_the_database(world):
    fields = {f.name: f for f in world.schema.fields_of(world.source)}
    assert {name: f.kind for name, f in fields.items()} == {
        "Name": FieldKind.TITLE,
        "Syncd ID": FieldKind.RICH_TEXT,
        "Description": FieldKind.RICH_TEXT,
        "Points: [%] é": FieldKind.NUMBER,
        "Priority": FieldKind.SELECT,
        "Status": FieldKind.STATUS,
        "Tags": FieldKind.MULTI_SELECT,
        "Due": FieldKind.DATE,
        "Owner": FieldKind.PEOPLE,
        "Risky": FieldKind.CHECKBOX,
        "Link": FieldKind.URL,
        "Mail": FieldKind.TEXT,
        "Phone": FieldKind.TEXT,
        "Nr": FieldKind.TEXT,
        "Made": FieldKind.DATE,
        "Double": FieldKind.OTHER,
        "Goal": FieldKind.PARENT,
    }
    assert fields["Goal"].target == world.source
    assert {o.category for o in fields["Status"].options} == {"new", "active", "done"}
    assert not fields["Nr"].writable
    assert {(a.name, a.email, a.bot) for a in world.schema.people} >= {
        ("Ann Lee", "ann@acme.example", False),
        ("Bob Ray", "bob@acme.example", False),
    }
    assert world.schema.me.bot
    assert world.schema.one_scope is False


def test_a_database_is_found_by_name_id_and_url(world):
    url = (
        f"https://www.notion.so/acme/Roadmap-{world.database['id'].replace('-', '')}?v=" + "a" * 32
    )
    for written in ("Roadmap", world.source, world.database["id"], url, world.database["url"]):
        schema = world.adapter.discover([written])
        assert {f.containers for f in schema.fields} == {(world.source,)}, written
        named = {c.name for c in schema.containers} | {c.key for c in schema.containers}
        assert written in named | {c.id for c in schema.containers}


def test_a_database_of_several_data_sources_is_found_by_its_own_title(world):
    body = {
        "parent": {"database_id": world.database["id"]},
        "title": titled("Ideas"),
        "properties": {"Name": {"title": {}}},
    }
    ideas = world.ask("POST", "data_sources", body)["id"]
    world.ask("PATCH", f"data_sources/{world.source}", {"title": titled("Plans")})
    by_database = world.adapter.discover(["Roadmap"])
    assert {f.containers[0] for f in by_database.fields} == {world.source, ideas}
    assert {f.containers[0] for f in world.adapter.discover(["Ideas"]).fields} == {ideas}


def test_what_is_not_shared_is_not_there(world):
    world.service.share(world.database["id"], shared=False)
    for written in ("Roadmap", world.source, world.database["id"]):
        assert world.adapter.discover([written]).fields == ()
    with pytest.raises(Gone, match="••• > Connections"):
        list(world.adapter.pages(world.scope, None))


def test_people_stay_unknown_when_the_token_may_not_see_them(world):
    def without_people(line: Line, request: Request) -> Response:
        if request.path != "/v1/users":
            return line.handle(request)
        body = {"object": "error", "status": 403, "code": "restricted_resource", "message": "no"}
        return Response(403, json.dumps(body).encode(), {"content-type": "application/json"})

    world.line.fault = without_people
    schema = world.adapter.discover(["Roadmap"])
    assert schema.people == ()
    assert schema.fields


# reading --------------------------------------------------------------------------------------


def test_only_the_properties_needed_are_asked_for(world):
    world.add("Thing")
    (page,) = world.adapter.pages(world.scope, None)
    assert set(page.records[0].fields) == set(world.scope.fields)
    asked = world.line.sent[-1].many("filter_properties")
    assert len(asked) == len(world.scope.fields) + 1


def test_more_rows_than_one_query_gives_are_read_in_windows(world):
    world.service.limit_query(120)
    added = set()
    for number in range(370):
        added.add(world.add(f"Row {number}"))
        if number % 3 == 0:
            world.service_clock.step(60)
    pages = list(world.adapter.pages(world.scope, None))
    listed = [record.id for page in pages for record in page.records]
    assert sorted(listed) == sorted(added)
    assert len(listed) == len(set(listed))


def test_a_window_that_cannot_move_is_reported(world):
    world.service.limit_query(50)
    for number in range(60):
        world.add(f"Row {number}")
    with pytest.raises(Unexpected, match=r"in the minute .* move some of them"):
        list(world.adapter.pages(world.scope, None))


def test_a_query_too_heavy_for_notion_is_asked_in_smaller_pages(world):
    added = {world.add(f"Row {number}") for number in range(40)}

    def overwhelmed(line: Line, request: Request) -> Response:
        if json.loads(request.body)["page_size"] < 20:
            return line.handle(request)
        body = {
            "object": "error", "status": 503, "code": "service_unavailable", "message": "slow",
            "additional_data": {"retry_guidance": "Reduce page_size."},
        }  # fmt: skip
        return Response(503, json.dumps(body).encode(), {"content-type": "application/json"})

    world.line.fault = overwhelmed
    assert set(records_of(list(world.adapter.pages(world.scope, None)))) == added


def test_a_deleted_property_stops_the_read_with_what_to_do(world):
    world.ask("PATCH", f"data_sources/{world.source}", {"properties": {"Mail": None}})
    with pytest.raises(Rejected, match=r'"Roadmap" .*take it out of the mapping'):
        list(world.adapter.pages(world.scope, None))


def test_too_many_changes_ask_for_a_full_read(world):
    cursor = list(world.adapter.pages(world.scope, None))[-1].cursor
    world.service.limit_query(50)
    for number in range(60):
        world.add(f"Row {number}")
    with pytest.raises(Stale, match="again in full"):
        list(world.adapter.pages(world.scope, cursor))


def test_the_cursor_is_the_minute_before_the_read_in_the_services_time(world):
    world.clock.jump(-86_400)
    world.service_clock.set(1_783_156_361.0)  # 2026-07-04 09:12:41
    (page,) = world.adapter.pages(world.scope, None)
    assert page.cursor == "2026-07-04T09:11:00.000Z"


def test_without_a_date_header_the_cursor_is_taken_from_the_latest_edit(world):
    def dateless(line: Line, request: Request) -> Response:
        answer = line.handle(request)
        del answer.headers["date"]
        return answer

    world.service_clock.set(1_783_156_361.0)
    world.add("Thing")
    world.service_clock.step(86_400)
    world.line.fault = dateless
    (page,) = world.adapter.pages(world.scope, None)
    assert page.cursor == "2026-07-04T09:11:00.000Z"


def test_trashed_pages_vanish_from_lists_but_are_seen_by_id(world):
    page = world.add("Thing")
    cursor = list(world.adapter.pages(world.scope, None))[-1].cursor
    world.ask("PATCH", f"pages/{page}", {"in_trash": True})
    for since in (None, cursor):
        read = list(world.adapter.pages(world.scope, since))
        assert page not in records_of(read)
        assert all(part.gone == () for part in read)
    assert world.read(page).trashed


def test_who_changed_it_is_known(world):
    page = world.add("Thing")
    assert world.read(page).author == world.ann
    world.update(page, Name="Renamed")
    assert world.read(page).author == world.schema.me.id


def test_dates_with_times_or_ends_and_several_parents_are_opaque(world):
    goals = [{"id": world.add("G1")}, {"id": world.add("G2")}]
    page = world.add(
        "Thing",
        Due={"date": {"start": "2026-07-04", "end": "2026-07-09"}},
        Goal={"relation": goals},
        Description={"rich_text": [{"mention": {"user": {"id": world.ann}}}]},
    )
    record = world.read(page)
    named = {name: record.fields[world.ids[name]] for name in ("Due", "Goal", "Description")}
    assert named["Due"] == "2026-07-04"
    assert named["Goal"] in {goal["id"] for goal in goals}
    assert "Ann Lee" in str(named["Description"])
    assert record.opaque == {world.ids[name] for name in named}


def test_more_relations_than_shown_are_opaque(world):
    goals = [{"id": world.add(f"G{number}")} for number in range(30)]
    page = world.add("Thing", Goal={"relation": goals})
    assert world.ids["Goal"] in world.read(page).opaque


# writing --------------------------------------------------------------------------------------


def test_all_fields_go_in_one_request(world):
    assert world.adapter.requests(["a", "b"]) == (("a", "b"),)
    assert world.adapter.requests([]) == ()


def test_a_new_option_is_made_by_its_name(world):
    page = world.add("Thing")
    made = world.update(page, Priority="new:Urgent", Tags=("new:x", world.options("Tags")[0]))
    options = {
        field.name: {option.name: option.id for option in field.options}
        for field in world.adapter.discover(["Roadmap"]).fields
    }
    assert made.record.fields[world.ids["Priority"]] == options["Priority"]["Urgent"]
    assert options["Tags"]["x"] in made.record.fields[world.ids["Tags"]]


def test_bad_values_are_refused_before_anything_is_sent(world):
    page = world.add("Thing")
    with pytest.raises(Rejected, match='"Priority" cannot have the option "a,b"') as caught:
        world.update(page, Priority="new:a,b", Due="2026-07-04")
    assert set(caught.value.fields) == {world.ids["Priority"]}
    assert world.line.writes == []


def test_what_notion_refuses_names_the_field(world):
    page = world.add("Thing")
    with pytest.raises(Rejected) as caught:
        world.update(page, Due="not a date")
    assert set(caught.value.fields) == {world.ids["Due"]}
    assert not caught.value.maybe_applied


def test_a_page_that_is_gone_or_in_the_trash_is_gone(world):
    with pytest.raises(Gone):
        world.update(UNKNOWN, Name="x")
    page = world.add("Thing")
    world.ask("PATCH", f"pages/{page}", {"in_trash": True})
    with pytest.raises(Gone, match="trash"):
        world.update(page, Name="x")


def test_nothing_is_created_without_a_property_for_the_marker(world):
    scope = Scope("notion", world.source, "Roadmap", (world.source,), ("title",), None)
    with pytest.raises(Rejected, match='add a text property called "Syncd ID"'):
        world.adapter.create(Draft(scope, world.source, None, {"title": "x"}, "m"))
    assert world.line.writes == []
    assert world.adapter.find(scope, "m", "") == ()


def test_a_create_that_was_saved_without_an_answer_gives_its_id(world):
    def saved_503(line: Line, request: Request) -> Response:
        answer = line.handle(request)
        if not is_write(request):
            return answer
        body = {
            "object": "error", "status": 503, "code": "service_unavailable", "message": "slow",
            "additional_data": {"committed_resource_id": json.loads(answer.body)["id"]},
        }  # fmt: skip
        return Response(503, json.dumps(body).encode(), {"content-type": "application/json"})

    world.line.fault = saved_503
    answer = world.adapter.create(Draft(world.scope, world.source, None, {"title": "x"}, "m"))
    assert answer.record is None
    world.line.fault = None
    assert world.read(answer.id).marker == "m"


def test_the_adapter_can_write_without_having_discovered_anything(world):
    fresh = world.connect(world.service.token)
    answer = fresh.create(Draft(world.scope, world.source, None, {"title": "x"}, "m"))
    assert answer.record.fields["title"] == "x"
    fresh.close()


def test_a_property_that_was_deleted_is_refused_by_name(world):
    page = world.add("Thing")
    world.ask("PATCH", f"data_sources/{world.source}", {"properties": {"Mail": None}})
    fresh = world.connect(world.service.token)
    edit = Edit(world.scope, world.source, page, {world.ids["Mail"]: "a@x.example"})
    with pytest.raises(Rejected) as caught:
        fresh.update(edit)
    assert set(caught.value.fields) == {world.ids["Mail"]}


def test_closing_twice_is_fine_and_a_closed_adapter_works_again(world):
    world.adapter.close()
    world.adapter.close()
    assert world.adapter.discover(["Roadmap"]).fields


def test_a_token_is_not_sent_in_the_clear():
    for url in ("http://notion.example", "ftp://x", "https://u:p@notion.example", "https://x/?a=b"):
        with pytest.raises(ValueError, match=r"write|leave"):
            Config(url=url)
    assert Config(url="https://api.notion.com/v1/").url == "https://api.notion.com"


def test_wrong_token_says_what_to_do(world):
    with pytest.raises(NotAllowed, match="make a new token"):
        world.connect("ntn_wrong").discover([])
