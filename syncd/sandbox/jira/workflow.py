"""Which steps an issue can take."""

from __future__ import annotations

from syncd.sandbox.jira.model import Issue, Json, Project, Transition, Workflow
from syncd.sandbox.jira.screens import transition_fields
from syncd.sandbox.jira.shapes import Shapes
from syncd.sandbox.jira.store import Store


def workflow_of(project: Project, type_id: str) -> Workflow:
    """Return the workflow of a type in a project."""
    return project.workflows.get(type_id) or project.workflows[""]


def steps(store: Store, issue: Issue) -> list[Transition]:
    """Return the transitions open to an issue where it stands."""
    flow = workflow_of(store.projects[issue.project_id], issue.values["issuetype"])
    status = issue.values["status"]
    return [step for step in flow.transitions if not step.sources or status in step.sources]


def step_shape(shapes: Shapes, issue: Issue, step: Transition, *, fields: bool) -> dict[str, Json]:
    """Return an `IssueTransition`, with the fields of its screen when asked."""
    shape: dict[str, Json] = {
        "id": step.id,
        "name": step.name,
        "to": shapes.status(step.to),
        "hasScreen": bool(step.fields),
        "isGlobal": not step.sources,
        "isInitial": False,
        "isAvailable": True,
        "isConditional": False,
        "isLooped": False,
    }
    if fields:
        shape["expand"] = "fields"
        shape["fields"] = transition_fields(shapes, issue, step.fields)
    return shape
