"""What a Jira site holds, as plain values; references between them are ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Any


def words(text: str) -> frozenset[str]:
    """Return the words of a text: for long lists of names."""
    return frozenset(text.split())


# key: (id, name, colour), as every Jira site has them
CATEGORIES: dict[str, tuple[int, str, str]] = {
    "undefined": (1, "No Category", "medium-gray"),
    "new": (2, "To Do", "blue-gray"),
    "done": (3, "Done", "green"),
    "indeterminate": (4, "In Progress", "yellow"),
}


@dataclass(slots=True)
class User:
    """A person or an app. `token` is None for those who cannot call the API."""

    account_id: str
    name: str
    email: str
    active: bool = True
    email_visible: bool = True
    time_zone: str = "UTC"
    account_type: str = "atlassian"


@dataclass(slots=True)
class Status:
    """A workflow status; `category` is a key of CATEGORIES."""

    id: str
    name: str
    category: str
    description: str = ""


@dataclass(slots=True)
class IssueType:
    """A type of issue. `level`: 1 epic, 0 standard, -1 sub-task, above 1 the levels of Premium."""

    id: str
    name: str
    level: int
    description: str = ""
    avatar_id: int = 10318


@dataclass(slots=True)
class Named:
    """A priority or resolution."""

    id: str
    name: str
    description: str = ""
    color: str = "#aaaaaa"


@dataclass(slots=True)
class Version:
    """A release of a project; dates are ISO days."""

    id: str
    project_id: int
    name: str
    description: str | None = None
    archived: bool = False
    released: bool = False
    start_date: str | None = None
    release_date: str | None = None


@dataclass(slots=True)
class Component:
    """A component of a project."""

    id: str
    project_id: int
    name: str
    description: str | None = None
    lead: str | None = None


@dataclass(slots=True)
class Option:
    """A choice of a select field."""

    id: str
    value: str
    disabled: bool = False


@dataclass(slots=True)
class Field:
    """A system or custom field. `kind` names the codec in `kinds.KINDS`."""

    id: str
    name: str
    kind: str
    clauses: tuple[str, ...] = ()
    custom: str | None = None  # the custom field type, None for system fields
    description: str = ""
    orderable: bool = True
    searchable: bool = True
    navigable: bool = True
    searcher: str | None = None
    context_id: str = ""
    options: dict[str, Option] = field(default_factory=dict)

    @property
    def custom_id(self) -> int:
        """Return the number in `customfield_NNNNN`."""
        return int(self.id.rsplit("_", 1)[1])


@dataclass(slots=True)
class Transition:
    """A step of a workflow. `sources` empty means from any status (global)."""

    id: str
    name: str
    to: str
    sources: frozenset[str] = frozenset()
    fields: dict[str, bool] = field(default_factory=dict)  # fields of its screen: required?


@dataclass(slots=True)
class Workflow:
    """Statuses in board order, the first one being where issues begin, and the steps."""

    name: str
    statuses: tuple[str, ...]
    transitions: tuple[Transition, ...]


@dataclass(slots=True)
class Project:
    """A project. `workflows` is by issue type id, with "" for all other types."""

    id: int
    key: str
    name: str
    lead: str
    type_ids: list[str]
    workflows: dict[str, Workflow]
    description: str = ""
    old_keys: list[str] = field(default_factory=list)
    required: dict[str, frozenset[str]] = field(default_factory=dict)  # type id -> field ids
    members: frozenset[str] | None = None  # account ids that may see it; None: everyone
    readers: frozenset[str] = frozenset()  # account ids that may see but not change it
    archived: bool = False
    last_number: int = 0
    simplified: bool = False


@dataclass(slots=True)
class Comment:
    """A comment; `body` is a rich text value as `richtext` keeps it."""

    id: str
    author: str
    body: Json
    created: int
    updated: int
    update_author: str
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Attachment:
    """A file on an issue; `created` in milliseconds, `kind` is its media type."""

    id: str
    name: str
    kind: str
    content: bytes
    author: str
    created: int


@dataclass(slots=True)
class Worklog:
    """Time logged on an issue; moments in milliseconds, `spent` in seconds.

    `comment` is a rich text value or None.
    """

    id: str
    author: str
    comment: Json
    started: int
    spent: int
    created: int
    updated: int
    update_author: str


@dataclass(slots=True)
class Filter:
    """A saved query; only its owner sees it."""

    id: str
    name: str
    jql: str
    owner: str
    description: str = ""
    favourites: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Group:
    """A group of people; `members` None means everyone who is active."""

    id: str
    name: str
    members: set[str] | None = None


@dataclass(slots=True)
class ChangeItem:
    """One field changed in one history entry."""

    field: str
    field_id: str
    old: str | None
    old_text: str | None
    new: str | None
    new_text: str | None


@dataclass(slots=True)
class History:
    """One entry of an issue's changelog."""

    id: str
    author: str
    created: int
    items: list[ChangeItem]
    metadata: Json = None


@dataclass(slots=True)
class LinkType:
    """A kind of issue link."""

    id: str
    name: str
    inward: str
    outward: str


@dataclass(slots=True)
class Link:
    """A link between two issues: `inward` "blocks" `outward`, read with the type's outward text."""

    id: str
    type_id: str
    inward: int  # id of the issue that the API calls inwardIssue in POST issueLink
    outward: int


@dataclass(slots=True)
class Issue:
    """An issue. Times are milliseconds since the epoch; `values` is by field id, absent = empty."""

    id: int
    key: str
    project_id: int
    created: int
    updated: int
    values: dict[str, Json] = field(default_factory=dict)
    properties: dict[str, Json] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    histories: list[History] = field(default_factory=list)
    remote_links: dict[int, Json] = field(default_factory=dict)
    watchers: set[str] = field(default_factory=set)
    hidden: bool = False  # nobody may see it: neither listed nor readable
    indexed: tuple[int, int] | None = None  # (updated, created) as held by the store's indices
