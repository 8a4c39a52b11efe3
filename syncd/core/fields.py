"""The field catalogue: what an item of the roadmap can say, and how each field behaves.

Canonical values use the same Python types as neutral ones (`syncd.core.records`), but mean the same
in every tool: a status is one of `STATUSES`, a person is a person key of the directory, a select is
an option's name, a parent is an item id.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FieldType(StrEnum):
    """The canonical shapes."""

    TEXT = "text"
    RICH_TEXT = "rich_text"
    NUMBER = "number"
    DATE = "date"
    CHECKBOX = "checkbox"
    URL = "url"
    SELECT = "select"
    MULTI_SELECT = "multi_select"
    STATUS = "status"
    PERSON = "person"
    PEOPLE = "people"
    ITEM = "item"


STATUSES = {
    "idea": "new",
    "planned": "new",
    "in progress": "active",
    "blocked": "active",
    "done": "done",
    "cancelled": "cancelled",
}
"""Canonical status -> category."""

LEVELS = ("vision", "strategy", "goal", "initiative", "feature", "work_item", "release")
"""From the top of the tree down; releases stand beside it."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One catalogue entry. `derived` fields are computed by syncd and never read from a tool."""

    name: str
    type: FieldType
    doc: str
    derived: bool = False


def _catalogue() -> dict[str, FieldSpec]:
    text, number, date, select = FieldType.TEXT, FieldType.NUMBER, FieldType.DATE, FieldType.SELECT
    plain = [
        FieldSpec("title", text, "What it is called."),
        FieldSpec("description", FieldType.RICH_TEXT, "What it is about."),
        FieldSpec(
            "status", FieldType.STATUS, "idea, planned, in progress, blocked, done or cancelled."
        ),
        FieldSpec("priority", select, "How urgent it is."),
        FieldSpec("owner", FieldType.PERSON, "Who answers for it."),
        FieldSpec("team", select, "Which team works on it."),
        FieldSpec("labels", FieldType.MULTI_SELECT, "Free labels."),
        FieldSpec("start", date, "When work starts."),
        FieldSpec("due", date, "When it is planned to be finished."),
        FieldSpec("committed", date, "The date that was promised."),
        FieldSpec("estimate", number, "Size in points."),
        FieldSpec("horizon", select, "now, next or later."),
        FieldSpec("theme", select, "The strategic theme."),
        FieldSpec("lane", select, "product, technology or enablers."),
        FieldSpec("confidence", select, "How sure we are."),
        FieldSpec("health", select, "on track, at risk or off track."),
        FieldSpec("release", select, "The release it ships in."),
        FieldSpec("parent", FieldType.ITEM, "The item it is part of."),
    ]
    derived = [
        FieldSpec("progress", number, "Share done, 0 to 1, by weight.", derived=True),
        FieldSpec("items_done", number, "Leaves done.", derived=True),
        FieldSpec("items_total", number, "Leaves, without the cut ones.", derived=True),
        FieldSpec("items_cut", number, "Leaves cancelled.", derived=True),
        FieldSpec("points_done", number, "Points of the leaves done.", derived=True),
        FieldSpec(
            "points_total", number, "Points of the leaves, without the cut ones.", derived=True
        ),
        FieldSpec("points_unrefined", number, "Own estimate not yet broken down.", derived=True),
        FieldSpec(
            "coverage", number, "Share of the leaves that are estimated, 0 to 1.", derived=True
        ),
        FieldSpec("done_of_total", text, "As text: 5/11 items, 14/32 pts.", derived=True),
        FieldSpec(
            "rolled_status", FieldType.STATUS, "Status computed from the leaves.", derived=True
        ),
        FieldSpec("rolled_start", date, "Earliest start below.", derived=True),
        FieldSpec("rolled_end", date, "Latest due date below.", derived=True),
        FieldSpec(
            "computed_health", select, "Health computed from dates and progress.", derived=True
        ),
        FieldSpec(
            "url", FieldType.URL, "Where the item stands in another tool (`of:`).", derived=True
        ),
        FieldSpec("key", text, "The item's key in another tool (`of:`).", derived=True),
    ]
    return {spec.name: spec for spec in [*plain, *derived]}


CATALOGUE = _catalogue()
