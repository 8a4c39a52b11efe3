"""What the service holds. Entities name one another by gid, so that a store pickles flat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from syncd.sandbox.asana.ranks import Ranked

Gids = tuple[str, ...]


class Place(NamedTuple):
    """Where a task stands in a project; `rank` orders it within the section."""

    project: str
    section: str
    rank: int


@dataclass(slots=True, eq=False)
class Entity:
    """Anything with a gid. KIND is the `resource_type`."""

    KIND: ClassVar[str] = ""
    gid: str


@dataclass(slots=True, eq=False)
class User(Entity):
    """A person or bot."""

    KIND: ClassVar[str] = "user"
    name: str
    email: str
    workspaces: Gids = ()
    tasks: Ranked = field(default_factory=Ranked)  # assigned, by gid
    task_list: str | None = None


@dataclass(slots=True, eq=False)
class Workspace(Entity):
    """A workspace; with `is_organization`, projects belong to teams."""

    KIND: ClassVar[str] = "workspace"
    name: str
    email_domains: Gids = ()
    is_organization: bool = True


@dataclass(slots=True, eq=False)
class Team(Entity):
    """A team of an organization."""

    KIND: ClassVar[str] = "team"
    name: str
    workspace: str
    members: Gids = ()
    description: str = ""
    visibility: str = "public"


@dataclass(slots=True, eq=False)
class Text:
    """`notes` and `html_notes`: two views of one value. `html` None: plain, derived when read."""

    plain: str = ""
    html: str | None = None


@dataclass(slots=True, eq=False)
class Project(Entity):
    """A project with its sections in order and its tasks by moment of change."""

    KIND: ClassVar[str] = "project"
    name: str
    workspace: str
    team: str | None
    created_at: float
    modified_at: float
    owner: str | None = None
    notes: Text = field(default_factory=Text)
    archived: bool = False
    color: str | None = None
    icon: str | None = None
    default_view: str = "list"
    due_on: str | None = None
    start_on: str | None = None
    privacy_setting: str = "public_to_workspace"
    members: Gids = ()
    followers: Gids = ()
    completed_at: float | None = None
    completed_by: str | None = None
    settings: Gids = ()  # custom field settings, in order
    sections: list[str] = field(default_factory=list)
    changed: Ranked = field(default_factory=Ranked)  # tasks by modified_at
    custom_values: dict[str, Any] | None = None
    status_updates: Gids = ()


@dataclass(slots=True, eq=False)
class Section(Entity):
    """A section (or board column) with its tasks in order."""

    KIND: ClassVar[str] = "section"
    name: str
    project: str
    created_at: float
    tasks: Ranked = field(default_factory=Ranked)


@dataclass(slots=True, eq=False)
class Task(Entity):
    """A task, subtask, milestone or approval. Moments are seconds since the epoch, dates text."""

    KIND: ClassVar[str] = "task"
    name: str
    workspace: str
    created_at: float
    modified_at: float
    created_by: str | None = None
    subtype: str = "default_task"
    approval_status: str = "pending"
    notes: str = ""
    html: str | None = None
    assignee: str | None = None
    assigned_by: str | None = None
    assignee_status: str = "inbox"
    completed_at: float | None = None
    completed_by: str | None = None
    due_on: str | None = None
    due_at: float | None = None
    start_on: str | None = None
    start_at: float | None = None
    parent: str | None = None
    subtasks: Gids = ()
    places: tuple[Place, ...] = ()
    tags: Gids = ()
    followers: Gids = ()
    likes: Gids = ()
    dependencies: Gids = ()
    dependents: Gids = ()
    values: dict[str, Any] | None = None  # by custom field gid
    external: dict[str, str] | None = None

    @property
    def completed(self) -> bool:
        """Whether it is done."""
        return self.completed_at is not None


@dataclass(slots=True, eq=False)
class Story(Entity):
    """A comment or a line of history. `parts` holds what its kind adds, entities as Ref."""

    KIND: ClassVar[str] = "story"
    target: str
    subtype: str
    text: str
    created_at: float
    created_by: str | None
    html: str | None = None
    is_pinned: bool = False
    is_edited: bool = False
    sticker_name: str | None = None
    likes: Gids = ()
    parts: dict[str, Any] | None = None


class Ref(NamedTuple):
    """A gid inside a stored value, to be shown as the object it names."""

    gid: str


@dataclass(slots=True, eq=False)
class EnumOption(Entity):
    """One choice of an enum or multi_enum field."""

    KIND: ClassVar[str] = "enum_option"
    name: str
    field: str
    color: str = "none"
    enabled: bool = True


@dataclass(slots=True, eq=False)
class CustomField(Entity):
    """A custom field of a workspace."""

    KIND: ClassVar[str] = "custom_field"
    name: str
    workspace: str
    subtype: str
    created_by: str | None
    description: str = ""
    options: list[str] = field(default_factory=list)
    precision: int = 0
    format: str = "none"
    currency_code: str | None = None
    custom_label: str | None = None
    custom_label_position: str | None = None
    has_notifications_enabled: bool = False
    is_global: bool = True
    id_prefix: str | None = None  # of a field that numbers the tasks of its projects: ABC-1
    last_id: int = 0


@dataclass(slots=True, eq=False)
class CustomFieldSetting(Entity):
    """A custom field on a project, portfolio or goal."""

    KIND: ClassVar[str] = "custom_field_setting"
    field: str
    parent: str
    is_important: bool = False


@dataclass(slots=True, eq=False)
class Tag(Entity):
    """A tag with its tasks by gid."""

    KIND: ClassVar[str] = "tag"
    name: str
    workspace: str
    created_at: float
    color: str | None = None
    notes: str = ""
    followers: Gids = ()
    tasks: Ranked = field(default_factory=Ranked)


@dataclass(slots=True, eq=False)
class UserTaskList(Entity):
    """A person's My Tasks."""

    KIND: ClassVar[str] = "user_task_list"
    owner: str
    workspace: str


@dataclass(slots=True, eq=False)
class Attachment(Entity):
    """A file (`host` asana) or a link (`host` external) on a task, project or brief."""

    KIND: ClassVar[str] = "attachment"
    name: str
    parent: str
    created_at: float
    host: str = "asana"
    url: str | None = None
    content: bytes = b""


@dataclass(slots=True, eq=False)
class Membership(Entity):
    """That a person belongs to a project, portfolio, goal, team or workspace."""

    KIND: ClassVar[str] = "membership"
    of: str  # kind of the parent
    parent: str
    member: str
    access_level: str = "editor"


@dataclass(slots=True, eq=False)
class TimeEntry(Entity):
    """Time logged on a task."""

    KIND: ClassVar[str] = "time_tracking_entry"
    task: str
    minutes: int
    entered_on: str
    created_by: str
    created_at: float
    attributable_to: str | None = None
    description: str = ""


@dataclass(slots=True, eq=False)
class ProjectBrief(Entity):
    """The brief of a project."""

    KIND: ClassVar[str] = "project_brief"
    project: str
    title: str
    text: str
    html: str | None = None
