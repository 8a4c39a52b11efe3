"""What one service holds, in neutral form: values, records, schema, and the requests to change them.

A neutral *value* is one of `None | str | bool | float | tuple[str, ...]`. What it means depends on the
kind of the remote field:

    TITLE, TEXT, URL   str without line breaks at its ends
    RICH_TEXT          str in neutral Markdown (see `adapters.text`)
    NUMBER             float
    DATE               "YYYY-MM-DD"; a date-time keeps only its date as the service shows it
    CHECKBOX           bool
    SELECT, STATUS     option id
    MULTI_SELECT       tuple of option ids, sorted
    LABELS             tuple of names, sorted (an open set without ids)
    PERSON             account id
    PEOPLE             tuple of account ids, sorted
    PARENT             record id in the same connection
    OTHER              not supported; never read or written

An empty field is None, never "" or (). An option that does not exist yet is referred to as
`new:NAME`; only fields with `can_add_options` take it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

Value = None | str | bool | float | tuple[str, ...]

NEW_OPTION = "new:"


class FieldKind(StrEnum):
    """The shapes a remote field can have; see the module's table."""

    TITLE = "title"
    TEXT = "text"
    RICH_TEXT = "rich_text"
    NUMBER = "number"
    DATE = "date"
    CHECKBOX = "checkbox"
    URL = "url"
    SELECT = "select"
    MULTI_SELECT = "multi_select"
    STATUS = "status"
    LABELS = "labels"
    PERSON = "person"
    PEOPLE = "people"
    PARENT = "parent"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a select field, a status, or a kind of item; `id` never changes, `name` may."""

    id: str
    name: str
    category: str | None = (
        None  # for statuses: "new", "active" or "done", as the service groups them
    )


@dataclass(frozen=True, slots=True)
class RemoteField:
    """A field as the service defines it. `containers` empty means: in all of them."""

    id: str
    name: str
    kind: FieldKind
    options: tuple[Option, ...] = ()
    writable: bool = True
    can_add_options: bool = False
    has_time: bool = False  # DATE: the service keeps a time of day as well
    max_length: int | None = None
    target: str | None = None  # PARENT: the container the reference points into, where there is one
    containers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """What holds records: a Jira project, an Asana project, a Notion data source."""

    id: str
    name: str
    key: str | None = None
    kinds: tuple[Option, ...] = ()  # issue types; empty where the service has none
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person or bot as one service knows it. `email` is None where the service hides it."""

    id: str
    name: str
    email: str | None = None
    active: bool = True
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """What a connection offers: all its containers, and the fields of those asked for."""

    connection: str
    me: Account
    containers: tuple[Container, ...]
    fields: tuple[RemoteField, ...]
    people: tuple[Account, ...]
    one_scope: bool = False  # one list call reads all containers (Jira); else one call for each

    def fields_of(self, container: str) -> tuple[RemoteField, ...]:
        """Return the fields a record of this container can have."""
        return tuple(f for f in self.fields if not f.containers or container in f.containers)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one list call reads: a whole Jira site, one Asana project, one Notion data source.

    `fields` are the remote field ids to read; `marker` is the id of the text field that carries our
    marker, or None where the service has a hidden place for it (Jira entity property).
    """

    connection: str
    id: str
    name: str
    containers: tuple[str, ...]
    fields: tuple[str, ...]
    marker: str | None = None
    subtasks: bool = False  # Asana: read the subtasks of the project's tasks too


@dataclass(frozen=True, slots=True)
class Record:
    """One thing in one service, as of `updated`.

    `fields` holds only what `Scope.fields` asks for, by remote field id, in neutral form.
    `opaque` names fields whose content we cannot express: they are never overwritten.
    `updated` is the service's own time of last change (ISO 8601 UTC, comparable as text within a
    connection). `parent_key` and `parent_kind` say what the PARENT field points at, for people.
    """

    connection: str
    scope: str
    id: str
    container: str
    kind: str | None
    key: str
    url: str
    updated: str
    fields: Mapping[str, Value]
    created: str = ""
    author: str | None = None  # account id of whoever changed it last, where the service says so
    opaque: frozenset[str] = frozenset()
    marker: str | None = None
    trashed: bool = False
    parent_key: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a read. The last page of a read carries the cursor to go on from next time.

    `gone` are record ids with positive evidence of deletion (an event, a trash flag).
    """

    records: tuple[Record, ...]
    gone: tuple[str, ...] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to create, in one request."""

    scope: Scope
    container: str
    kind: str | None
    fields: Mapping[str, Value]
    marker: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Fields of one record to change, in one request (see `Adapter.requests`)."""

    scope: Scope
    container: str
    record: str
    fields: Mapping[str, Value]
    seen: str = ""  # `updated` of the record as we last saw it
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change of one field, as the service's own log of a record tells it.

    `before` and `after` are neutral values, where `told` says that the log names them. `attempt` is
    the mark of one of our attempts (`Edit.attempt`), where the service keeps it with the change.
    """

    field: str
    at: str  # comparable with Record.updated
    author: str | None
    before: Value = None
    after: Value = None
    told: bool = True
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answered. `record` is None when the service did not show the result.

    `key` is how people call it, where the answer told that. `log` are the changes of the record since
    `Edit.seen`, where the answer told them too.
    """

    id: str
    record: Record | None = None
    key: str = ""
    log: tuple[LogEntry, ...] | None = None


def neutral_set(values: Iterable[str]) -> tuple[str, ...] | None:
    """Return the neutral form of a set of ids or names: sorted, without repeats; None when empty."""
    return tuple(sorted(set(values))) or None
