"""What the stand-in holds: people, pages, databases, blocks, comments, uploads, views."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from syncd.sandbox.notion.subscriptions import Subscriptions

JSON = dict[str, Any]
CURSORS = 20_000  # how many positions of running queries are remembered


@dataclass(slots=True)
class User:
    """A person or a bot (a connection)."""

    id: str
    name: str
    email: str | None = None  # None: a bot
    avatar: str | None = None

    @property
    def kind(self) -> str:
        """Return Notion's word for it."""
        return "bot" if self.email is None else "person"


@dataclass(slots=True)
class Node:
    """What has a place in the tree: `parent` is (kind of id, id), `children` ids in order."""

    id: str
    parent: tuple[str, str]
    created: float
    created_by: str
    edited: float
    edited_by: str
    in_trash: bool = False
    children: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Page(Node):
    """A page; `values` by property id when it is a row, else only its title."""

    values: dict[str, Any] = field(default_factory=dict)
    icon: JSON | None = None
    cover: JSON | None = None
    is_locked: bool = False
    is_archived: bool = False
    number: int = 0  # of its data source's unique_id


@dataclass(slots=True)
class Block(Node):
    """A block; `content` is what stands under the key of its type, without children."""

    type: str = "paragraph"
    content: JSON = field(default_factory=dict)


@dataclass(slots=True)
class Database(Node):
    """A container of data sources."""

    title: list[JSON] = field(default_factory=list)
    description: list[JSON] = field(default_factory=list)
    icon: JSON | None = None
    cover: JSON | None = None
    is_inline: bool = False
    is_locked: bool = False
    data_sources: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Prop:
    """One column. `config` is what stands under the key of its type in the schema."""

    id: str
    name: str
    type: str
    config: JSON = field(default_factory=dict)
    description: str | None = None


class Rows:
    """The rows of a data source, sorted by id, by creation and by last edit (whole minutes)."""

    __slots__ = ("by_created", "by_edited", "by_id", "keys")

    def __init__(self) -> None:
        self.by_id: list[str] = []
        self.by_created: list[tuple[float, str]] = []
        self.by_edited: list[tuple[float, str]] = []
        self.keys: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, page: Page) -> None:
        """Put a row in all indices."""
        key = (minute(page.created), minute(page.edited))
        self.keys[page.id] = key
        insort(self.by_id, page.id)
        insort(self.by_created, (key[0], page.id))
        insort(self.by_edited, (key[1], page.id))

    def remove(self, page: Page) -> None:
        """Take a row out; nothing happens if it is not in."""
        key = self.keys.pop(page.id, None)
        if key is None:
            return
        _drop(self.by_id, page.id)
        _drop(self.by_created, (key[0], page.id))
        _drop(self.by_edited, (key[1], page.id))

    def touched(self, page: Page) -> None:
        """Follow a row's new time of last edit."""
        key = self.keys.get(page.id)
        edited = minute(page.edited)
        if key is None or key[1] == edited:
            return
        _drop(self.by_edited, (key[1], page.id))
        insort(self.by_edited, (edited, page.id))
        self.keys[page.id] = (key[0], edited)


@dataclass(slots=True)
class DataSource(Node):
    """A table: schema and rows. Its parent is a database."""

    title: list[JSON] = field(default_factory=list)
    description: list[JSON] = field(default_factory=list)
    icon: JSON | None = None
    cover: JSON | None = None
    properties: dict[str, Prop] = field(default_factory=dict)
    live: Rows = field(default_factory=Rows)
    archived: Rows = field(default_factory=Rows)
    trashed: Rows = field(default_factory=Rows)
    next_number: int = 1
    templates: list[tuple[str, str, bool]] = field(default_factory=list)

    def rows_for(self, page: Page) -> Rows:
        """Return the rows a page belongs to now."""
        if page.in_trash:
            return self.trashed
        return self.archived if page.is_archived else self.live


@dataclass(slots=True)
class Comment:
    """A comment in a discussion on a page or block."""

    id: str
    parent: tuple[str, str]
    discussion_id: str
    created: float
    edited: float
    created_by: str
    rich_text: list[JSON]
    name: JSON | None = None  # under which it is shown, if not the author's own
    attachments: list[JSON] = field(default_factory=list)


@dataclass(slots=True)
class Upload:
    """A file on its way into the workspace."""

    id: str
    created: float
    edited: float
    created_by: str
    mode: str
    filename: str | None
    content_type: str | None
    status: str = "pending"
    length: int | None = None
    parts_total: int = 1
    parts: dict[int, int] = field(default_factory=dict)
    imported: float | None = None


@dataclass(slots=True)
class View:
    """A view of a data source inside a database."""

    id: str
    database_id: str
    data_source_id: str
    name: str
    type: str
    created: float
    created_by: str
    edited: float
    edited_by: str
    filter: JSON | None = None
    sorts: list[JSON] | None = None
    configuration: JSON = field(default_factory=dict)
    queries: dict[str, tuple[float, list[str]]] = field(default_factory=dict)
    quick_filters: JSON | None = None
    dashboard_id: str | None = None  # of the dashboard it is a widget of


class Store:
    """All state. `nodes` holds pages, blocks, databases and data sources in one id space."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.tokens: dict[str, str] = {}
        self.capabilities: dict[str, frozenset[str]] = {}  # by token; all, where it is not named
        self.nodes: dict[str, Node] = {}
        self.roots: list[str] = []
        self.unshared: set[str] = set()
        self.comments: dict[str, Comment] = {}
        self.uploads: dict[str, Upload] = {}
        self.views: dict[str, View] = {}
        self.tasks: dict[str, JSON] = {}
        self.emojis: list[JSON] = []
        self.webhooks = Subscriptions()
        self.cursors: OrderedDict[tuple[str, str], int] = OrderedDict()
        self.block_limit: int | None = None  # of a free workspace, in its lifetime
        self.limit_reached: float | None = None  # when
        self.revision = 0  # counts writes, whatever they change

    def page(self, identifier: str) -> Page | None:
        """Return a page."""
        node = self.nodes.get(identifier)
        return node if isinstance(node, Page) else None

    def source(self, identifier: str) -> DataSource | None:
        """Return a data source."""
        node = self.nodes.get(identifier)
        return node if isinstance(node, DataSource) else None

    def source_of(self, page: Page) -> DataSource | None:
        """Return the data source a page is a row of."""
        return self.source(page.parent[1]) if page.parent[0] == "data_source_id" else None

    def above(self, node: Node) -> Node | None:
        """Return the node a node lies in."""
        return self.nodes.get(node.parent[1])

    def is_shared(self, node: Node) -> bool:
        """Tell whether the connection sees a node: none of what it lies in is unshared."""
        if not self.unshared:
            return True
        at: Node | None = node
        while at is not None:
            if at.id in self.unshared:
                return False
            at = self.above(at)
        return True

    def is_trashed(self, node: Node) -> bool:
        """Tell whether a node, or anything it lies in, is in the trash."""
        at: Node | None = node
        while at is not None:
            if at.in_trash:
                return True
            at = self.above(at)
        return False

    def attach(self, node: Node, index: int | None = None) -> None:
        """Put a new or moved node at its place under its parent."""
        self.nodes[node.id] = node
        above = self.above(node)
        if above is None:
            self.roots.append(node.id)
        elif isinstance(above, DataSource) and isinstance(node, Page):
            above.rows_for(node).add(node)
        elif isinstance(node, DataSource) and isinstance(above, Database):
            above.data_sources.append(node.id)
        else:
            above.children.insert(len(above.children) if index is None else index, node.id)

    def detach(self, node: Node) -> None:
        """Take a node from its parent, before it moves."""
        above = self.above(node)
        if above is None:
            self.roots.remove(node.id)
        elif isinstance(above, DataSource) and isinstance(node, Page):
            above.rows_for(node).remove(node)
        elif isinstance(node, DataSource) and isinstance(above, Database):
            above.data_sources.remove(node.id)
        else:
            above.children.remove(node.id)

    def edited(self, node: Node, now: float, user: str) -> None:
        """Note an edit of a node, and of the page that a block lies in."""
        self.revision += 1
        at: Node | None = node
        while at is not None:
            at.edited, at.edited_by = now, user
            if isinstance(at, Page):
                source = self.source_of(at)
                if source is not None:
                    source.rows_for(at).touched(at)
                return
            if not isinstance(at, Block):
                return
            at = self.above(at)

    def children(self, node: Node) -> list[Node]:
        """Return the children that are not in the trash, in order."""
        found = (self.nodes[child] for child in node.children)
        return [child for child in found if not child.in_trash]

    def blocks_made(self) -> int:
        """Return how many pages and blocks were ever made: those in the trash count."""
        return sum(isinstance(node, Page | Block) for node in self.nodes.values())

    def remember(self, query: str, cursor: str, served: int) -> None:
        """Note how many rows came before a cursor."""
        self.cursors[query, cursor] = served
        self.cursors.move_to_end((query, cursor))
        while len(self.cursors) > CURSORS:
            self.cursors.popitem(last=False)


def minute(moment: float) -> float:
    """Return a time rounded down to the minute, as Notion shows times of pages and blocks."""
    return moment - moment % 60


def _drop(items: list[Any], key: Any) -> None:  # noqa: ANN401 - keys of three kinds
    index = bisect_left(items, key)
    if index < len(items) and items[index] == key:
        del items[index]
