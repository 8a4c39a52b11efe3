"""Requests made from Notion's published definition, one per alternative: the stand-in takes them all."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_notion_wire import SCHEMA, WIRE, Wire, text

DEFINITION = WIRE / "specs" / "notion_official_openapi_2026-03.json"
pytestmark = pytest.mark.skipif(
    not DEFINITION.exists(), reason=f"the published definition is not at {DEFINITION}"
)
DEEPEST = 14
# What a definition cannot say: that a value must name what is there, or be of a known word.
TOLD = re.compile(
    r'.*(option "x" does not exist|icon\.file_upload\.id should be a valid uuid'
    r"|cover\.file_upload\.id should be a valid uuid|format should be"
    r"|only have one title|column_list\.children\.length should be ≥ `2`|Type error with formula"
    r"|has no default template|time zone, instead was|Could not find property with name or id: x).*",
    re.DOTALL,
)


class Definition:
    """Makes small values for schemas, one per alternative."""

    def __init__(self, ids: dict[str, str]) -> None:
        self.whole = json.loads(DEFINITION.read_text("utf8"))
        self.schemas = self.whole["components"]["schemas"]
        self.ids = ids

    def body(self, method: str, path: str) -> dict:
        """Return the schema of a request's body."""
        request = self.whole["paths"][path][method]["requestBody"]
        return request["content"]["application/json"]["schema"]

    def alternatives(self, schema: dict) -> list[dict]:
        """Return the plain schemas that a schema stands for."""
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        if "allOf" in schema:
            found: list[dict] = [{"type": "object", "properties": {}, "required": []}]
            for part in schema["allOf"]:
                found = [
                    self.joined(one, other) for other in self.alternatives(part) for one in found
                ]
            return found
        choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        return [one for choice in choices for one in self.alternatives(choice)] or [schema]

    @staticmethod
    def joined(one: dict, other: dict) -> dict:
        properties = {**one["properties"], **other.get("properties", {})}
        required = [*one["required"], *other.get("required", ())]
        return {"type": "object", "properties": properties, "required": required}

    def values(self, schema: dict, name: str = "", depth: int = 0) -> Iterator[object]:
        """Yield a value for each alternative of a schema, and for each optional member."""
        if depth > DEEPEST:
            return
        for one in self.alternatives(schema):
            kind = one.get("type")
            if "const" in one:
                yield one["const"]
            elif "enum" in one:
                yield one["enum"][0]
            elif kind == "array":
                yield from ([item] for item in self.values(one["items"], name, depth + 1))
            elif kind == "object" or "properties" in one:
                yield from self.members(one, name, depth)
            elif str(one.get("format")).startswith("date"):
                yield "2026-01-01"
            else:
                yield self.plain(str(kind), name, is_id="idRequest" in str(schema))

    def plain(self, kind: str, name: str, *, is_id: bool) -> object:
        """Return a value of a simple type, fit for a member of that name."""
        if is_id or name.endswith("_id"):
            return next((self.ids[part] for part in self.ids if part in name), self.ids["page"])
        words = {"url": "https://example.com/a.png", "start": "2026-01-01", "end": "2026-01-02",
                 "emoji": "🔥", "time_zone": "UTC"}  # fmt: skip
        if kind == "string":
            return words.get(name, "x")
        return {"number": 1, "integer": 1, "boolean": True}.get(kind)

    def members(self, schema: dict, name: str, depth: int) -> Iterator[dict]:
        properties = schema.get("properties", {})

        def of(key: str) -> Iterator[object]:
            return self.values(properties.get(key, {}), name if key == "id" else key, depth + 1)

        least = {key: next(of(key), None) for key in schema.get("required", ())}
        yield least
        for key in properties:
            for value in itertools.islice(of(key), 20):
                yield {**least, key: value}

    def kinds(self, schema: dict) -> Iterator[tuple[str, Iterator[object]]]:
        """Yield the names under which a schema's alternatives have their content, and contents."""
        for one in self.alternatives(schema):
            names = set(one["properties"]) - {
                "property",
                "type",
                "object",
                "id",
                "name",
                "description",
            }
            kind = min(names)
            yield kind, self.values(one["properties"][kind], kind)


class Row:
    """A table with a column of each type, a row, a block, and what else requests name."""

    def __init__(self) -> None:
        self.wire = wire = Wire("2026-03-11")
        self.columns = {next(iter(config)): name for name, config in SCHEMA.items()}
        home = wire.ask("POST", "pages", {"properties": {"title": text("Home")}})["id"]
        schema = {**SCHEMA, "Seal": {"verification": {}}, "Where": {"place": {}}}
        asked = {"parent": {"page_id": home}, "initial_data_source": {"properties": schema}}
        database = wire.ask("POST", "databases", asked)
        self.source = database["data_sources"][0]["id"]
        more = {"Up": {"relation": {"data_source_id": self.source, "single_property": {}}},
                "Rolled": {"rollup": {"relation_property_name": "Up", "function": "count",
                                      "rollup_property_name": "Name"}}}  # fmt: skip
        wire.ask("PATCH", f"data_sources/{self.source}", {"properties": more})
        wire.sandbox.add_formula(self.source, "Computed", 'prop("Points") + 1')
        self.columns |= {"relation": "Up", "rollup": "Rolled", "formula": "Computed",
                         "verification": "Seal", "place": "Where"}  # fmt: skip
        self.page = wire.ask("POST", "pages", {"parent": {"data_source_id": self.source}})["id"]
        block = {"children": [{"paragraph": {"rich_text": []}}]}
        upload = wire.ask("POST", "file_uploads", {"filename": "a.png"})["id"]
        wire.sandbox.app.store.uploads[upload].status = "uploaded"
        self.ids = {
            "user": wire.sandbox.add_user("Ada", "ada@example.com"), "data_source": self.source,
            "database": database["id"], "file_upload": upload, "page": self.page,
            "emoji": wire.sandbox.add_emoji("x", "https://example.com/x.png"),
            "block": wire.ask("PATCH", f"blocks/{self.page}/children", block)["results"][0]["id"],
        }  # fmt: skip
        self.ids["people"] = self.ids["created_by"] = self.ids["edited_by"] = self.ids["user"]
        self.definition = Definition(self.ids)

    def refused(self, method: str, path: str, bodies: Iterator[dict]) -> tuple[int, list]:
        """Send bodies; return how many, and those refused for no reason."""
        count, found = 0, []
        for body in bodies:
            answer = self.wire.ask(method, path, body)
            count += 1
            if answer["object"] == "error" and not TOLD.match(answer["message"]):
                found.append((answer["message"][:200], body))
        return count, found


@pytest.fixture(scope="module")
def row() -> Row:
    return Row()


def test_filters_are_taken(row):
    schema = {"$ref": "propertyFilter"}
    held = {"select": "Now", "multi_select": "x", "status": "Done"}
    bodies = (
        {"filter": json.loads(json.dumps({"property": row.columns.get(kind, "Name"), kind: value})
                              .replace('"x"', f'"{held.get(kind, "x")}"'))}
        for kind, values in row.definition.kinds(schema)
        for value in values
        if kind != "rollup" or not {"date", "number"} - set(value)
    )  # fmt: skip
    count, found = row.refused("POST", f"data_sources/{row.source}/query", bodies)
    assert (found, count > 200) == ([], True)


def test_blocks_are_taken(row):
    asked = row.definition.body("patch", "/v1/blocks/{block_id}/children")
    bodies = (
        {"children": [{kind: value}]}
        for kind, values in row.definition.kinds(asked["properties"]["children"]["items"])
        for value in itertools.islice(values, 40)
    )
    count, found = row.refused("PATCH", f"blocks/{row.page}/children", bodies)
    assert (found, count > 400) == ([], True)


def test_values_are_taken(row):
    asked = row.definition.body("patch", "/v1/pages/{page_id}")["properties"]["properties"]
    bodies = (
        {"properties": {row.columns[kind]: {kind: value}}}
        for kind, values in row.definition.kinds(asked["additionalProperties"])
        for value in itertools.islice(values, 60)
    )
    count, found = row.refused("PATCH", f"pages/{row.page}", bodies)
    assert (found, count > 100) == ([], True)


def test_columns_are_taken(row):
    bodies = (
        {"properties": {f"{kind} {number}": {kind: value}}}
        for kind, values in row.definition.kinds({"$ref": "propertyConfigurationRequest"})
        for number, value in enumerate(values)
        if "relation_property_id" not in str(value) and "rollup_property_id" not in str(value)
    )
    count, found = row.refused("PATCH", f"data_sources/{row.source}", bodies)
    assert (found, count > 40) == ([], True)
