"""Goals, portfolios, status updates, jobs and webhooks: what the service holds of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from syncd.sandbox.asana.entities import Entity, Gids, Project, Task, Text
from syncd.sandbox.asana.store import Store

STATUS_OF_UPDATE = {"on_track": "green", "at_risk": "yellow", "off_track": "red"}
COMPUTED = (
    "subgoal_progress", "project_task_completion", "project_milestone_completion",
    "task_completion",
)  # fmt: skip
GIVE_UP = 24 * 3600.0  # seconds of failure after which a webhook is deleted
SOURCES = ("manual", *COMPUTED, "external")


@dataclass(slots=True, eq=False)
class Metric(Entity):
    """The number of a goal. With a computed source, `current` is not used."""

    KIND: ClassVar[str] = "goal_metric"
    goal: str
    precision: int = 0
    unit: str = "none"
    currency_code: str | None = None
    initial: float = 0.0
    target: float = 100.0
    current: float = 0.0
    source: str = "manual"
    is_custom_weight: bool = False


@dataclass(slots=True, eq=False)
class Goal(Entity):
    """A goal; `relationships` lead to what supports it, in order."""

    KIND: ClassVar[str] = "goal"
    name: str
    workspace: str
    created_at: float
    owner: str | None = None
    team: str | None = None
    time_period: str | None = None
    due_on: str | None = None
    start_on: str | None = None
    is_workspace_level: bool = False
    notes: Text = field(default_factory=Text)
    status: str | None = None
    metric: Metric | None = None
    relationships: Gids = ()
    followers: Gids = ()
    likes: Gids = ()
    settings: Gids = ()
    custom_values: dict[str, Any] | None = None
    status_updates: Gids = ()


@dataclass(slots=True, eq=False)
class GoalRelationship(Entity):
    """A goal, project, task or portfolio that supports a goal."""

    KIND: ClassVar[str] = "goal_relationship"
    goal: str
    resource: str
    subtype: str
    weight: float = 1.0


@dataclass(slots=True, eq=False)
class TimePeriod(Entity):
    """A year, half or quarter of a workspace."""

    KIND: ClassVar[str] = "time_period"
    workspace: str
    period: str
    start_on: str
    end_on: str
    parent: str | None = None

    @property
    def name(self) -> str:
        """Its display name, `Q1 FY26`."""
        year = f"FY{self.end_on[2:4]}"
        return year if self.period == "FY" else f"{self.period} {year}"


@dataclass(slots=True, eq=False)
class Portfolio(Entity):
    """A portfolio with projects and portfolios in order."""

    KIND: ClassVar[str] = "portfolio"
    name: str
    workspace: str
    created_at: float
    created_by: str
    owner: str
    color: str | None = None
    archived: bool = False
    public: bool = False
    due_on: str | None = None
    start_on: str | None = None
    items: Gids = ()
    members: Gids = ()
    settings: Gids = ()
    custom_values: dict[str, Any] | None = None
    status_updates: Gids = ()


@dataclass(slots=True, eq=False)
class StatusUpdate(Entity):
    """A status update on a project, portfolio or goal."""

    KIND: ClassVar[str] = "status_update"
    parent: str
    title: str
    text: str
    status_type: str
    author: str
    created_at: float
    modified_at: float
    subtype: str
    html: str | None = None
    likes: Gids = ()


@dataclass(slots=True, eq=False)
class Job(Entity):
    """A duplication. The work is done at once; `seen` makes the first answer say otherwise."""

    KIND: ClassVar[str] = "job"
    subtype: str
    made: str
    seen: bool = False


@dataclass(slots=True, eq=False)
class Webhook(Entity):
    """A subscription. Moments are None until the thing happened."""

    KIND: ClassVar[str] = "webhook"
    resource: str
    target: str
    secret: str
    created_at: float
    owner: str
    filters: list[dict[str, Any]] = field(default_factory=list)
    last_success_at: float | None = None
    last_failure_at: float | None = None
    last_failure_content: str = ""
    retries: int = 0
    next_attempt_after: float | None = None
    waiting: list[dict[str, Any]] = field(default_factory=list)
    beat_at: float = 0.0

    @property
    def deletion(self) -> float | None:
        """When it will be given up if nothing gets through."""
        last = self.created_at if self.last_success_at is None else self.last_success_at
        return last + GIVE_UP if self.retries else None


Holder = Project | Goal | Portfolio  # what custom fields and status updates can be on


def progress(store: Store, goal: Goal) -> float:
    """Return how far a goal is, 0 to 1, by its metric or, without one, 0."""
    metric = goal.metric
    if metric is None:
        return 0.0
    if metric.source in COMPUTED:
        return _supported(store, goal, metric)
    span = metric.target - metric.initial
    return 0.0 if not span else max(0.0, min(1.0, (metric.current - metric.initial) / span))


def _supported(store: Store, goal: Goal, metric: Metric) -> float:
    links = store.some(goal.relationships, GoalRelationship)
    parts = [
        (link.weight if metric.is_custom_weight else 1.0, share)
        for link in links
        if (share := _share(store, link, metric.source)) is not None
    ]
    total = sum(weight for weight, _ in parts)
    return sum(weight * share for weight, share in parts) / total if total else 0.0


def _share(store: Store, link: GoalRelationship, source: str) -> float | None:
    thing = store.objects.get(link.resource)
    if isinstance(thing, Goal) and source == "subgoal_progress":
        return progress(store, thing)
    if isinstance(thing, Task) and source == "task_completion":
        return float(thing.completed)
    if isinstance(thing, Project) and source.startswith("project_"):
        stones = source == "project_milestone_completion"
        done = [
            task.completed
            for _, task in store.project_tasks(thing, None)
            if not stones or task.subtype == "milestone"
        ]
        return sum(done) / len(done) if done else 0.0
    return None


def current_value(store: Store, goal: Goal, metric: Metric) -> float:
    """Return a metric's value now."""
    if metric.source not in COMPUTED:
        return metric.current
    value = metric.initial + (metric.target - metric.initial) * progress(store, goal)
    return round(value, metric.precision)
