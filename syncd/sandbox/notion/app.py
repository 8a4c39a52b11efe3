"""The parts put together, and one request in progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion.blockkinds import Kinds
from syncd.sandbox.notion.blocks import Trees
from syncd.sandbox.notion.errors import NotionError, bad, invalid
from syncd.sandbox.notion.events import Events
from syncd.sandbox.notion.formulas import Formulas
from syncd.sandbox.notion.ids import Ids, parse_uuid
from syncd.sandbox.notion.query import Orders
from syncd.sandbox.notion.rollups import Rollups
from syncd.sandbox.notion.schema import Schemas
from syncd.sandbox.notion.shapes import Shapes
from syncd.sandbox.notion.store import Database, DataSource, Node, Page, Store
from syncd.sandbox.notion.values import Values
from syncd.sandbox.wire import Request

JSON = dict[str, Any]


class App:
    """Store, shapes and rules of one workspace."""

    def __init__(self, clock: SandboxClock, seed: int, workspace: str) -> None:
        self.clock = clock
        self.ids = Ids(seed)
        self.store = Store()
        self.shapes = Shapes(self.store, self.ids.uuid4(), workspace)
        self.schemas = Schemas(self.store, self.ids)
        self.values = Values(self.store, self.schemas, self.shapes)
        workspace_id = self.shapes.workspace_id
        self.formulas = Formulas(self.store, self.values, clock, workspace_id)
        self.values.use(Rollups(self.store, self.values).value, self.formulas.value)
        self.schemas.compiled = self.formulas.compiled
        self.shapes.properties = self.values.show
        self.shapes.schemas = self.schemas
        self.kinds = Kinds(self.store, self.shapes)
        self.events = Events(self.store, self.shapes.workspace_id)
        self.trees = Trees(self.store, self.ids, self.kinds)
        self.orders = Orders(self.store)

    def node(self, call: Call, name: str, kind: str) -> Node:
        """Return the node an address names, if it exists and is shared."""
        identifier = call.path_id(name)
        node = self.store.nodes.get(identifier)
        if node is None or not self.store.is_shared(node):
            raise self.shapes.not_found(kind, identifier)
        return node

    def page(self, call: Call, name: str = "page_id") -> Page:
        """Return the page an address names."""
        node = self.node(call, name, "page")
        if isinstance(node, Database | DataSource):
            kind = "database" if isinstance(node, Database) else "data source"
            raise wrong_kind(node.id, kind, "page")
        if not isinstance(node, Page):
            raise self.shapes.not_found("page", node.id)
        return node

    def database(self, call: Call) -> Database:
        """Return the database an address names."""
        node = self.node(call, "database_id", "database")
        if isinstance(node, Page):
            raise wrong_kind(node.id, "page", "database")
        if not isinstance(node, Database):
            raise self.shapes.not_found("database", node.id)
        return node

    def source(self, call: Call) -> DataSource:
        """Return the data source an address names (the service speaks of a database then)."""
        identifier = call.path_id("data_source_id")
        source = self.store.source(identifier)
        if source is None or not self.store.is_shared(source):
            raise self.shapes.not_found("database", identifier)
        return source

    def touch(self, node: Node, call: Call) -> None:
        """Note an edit by the caller."""
        self.store.edited(node, call.now, call.user)


@dataclass(slots=True)
class Call:
    """A request being answered: who asks, when, in which version."""

    request: Request
    values: dict[str, str]
    user: str
    now: float
    legacy: bool
    parsed: JSON | None = None

    @property
    def body(self) -> JSON:
        """Return the JSON body, `{}` when there is none."""
        if self.parsed is None:
            self.parsed = read_body(self.request)
        return self.parsed

    def path_id(self, name: str) -> str:
        """Return an id in the address, in dashed form."""
        found = parse_uuid(self.values[name])
        if found is None:
            raise bad(name, "be a valid uuid", self.values[name], part="path")
        return found

    def trash_flag(self) -> bool | None:
        """Return what the body says of the trash: `in_trash`, in the older version `archived`."""
        body = self.body
        if not self.legacy and "archived" in body:
            raise bad("archived", "be not present", body["archived"])
        value = body.get("in_trash", body.get("archived"))
        if value is None:
            return None
        if not isinstance(value, bool):
            raise bad("in_trash", "be a boolean", value)
        return value


def wrong_kind(identifier: str, kind: str, wanted: str) -> NotionError:
    """Return the answer for an id that stands for something else."""
    return invalid(
        f"Provided ID {identifier} is a {kind}, not a {wanted}. "
        f"Use the retrieve {kind} API instead."
    )


def read_body(request: Request) -> JSON:
    """Return the JSON object a request carries."""
    if not request.body.strip():
        return {}
    try:
        value = orjson.loads(request.body)
    except ValueError as error:
        raise NotionError("invalid_json", "Error parsing JSON body.") from error
    if not isinstance(value, dict):
        raise bad("", "be an object", value)
    return value
