"""A small firm in the three stand-ins, and adapters joined to it by the real client libraries.

Goals and features are databases in Notion and projects in Asana, features Epics and work items Stories in
Jira; the mapping is that of `syncd.testing.world`, written in the mapping language. Ids are the same in
every firm, so that what the tools offer is asked and bound once in a process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mappings.compile
import mappings.load
from adapters import registry
from adapters.asana.config import Config as AsanaConfig
from adapters.jira.config import Config as JiraConfig
from adapters.notion.config import Config as NotionConfig
from mappings.model import Mapping as MappingFile
from syncd.core.ports import Adapter, Clock
from syncd.core.records import Schema
from syncd.core.rules import Roadmap
from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.seeds.caller import Caller, asana_caller, jira_caller, notion_caller
from syncd.sandbox.services import Outcome
from syncd.sandbox.transports import (
    Exchanges,
    HttpxTransport,
    Line,
    RequestsTransport,
    Urllib3Transport,
)
from syncd.sandbox.wire import Request
from syncd.testing.builders import MOMENT
from syncd.testing.fakes import FakeClock

ADDRESS = "https://sandbox"
_STATUS = ("planned", "in progress", "done")
_CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"
WORDS = {  # canonical status -> what each tool calls it
    "jira": dict(zip(_STATUS, ("To Do", "In Progress", "Done"), strict=True)),
    "asana": dict(zip(_STATUS, ("Backlog", "Doing", "Shipped"), strict=True)),
    "notion": dict(zip(_STATUS, ("Not started", "In progress", "Done"), strict=True)),
}
MAPPING = """
roadmap: Small
limits: {adopt: never}
items:
  goal:
    notion: {database: Goals, create: true}
    asana: {project: Goals, create: true}
  feature:
    jira: {projects: [WEB], types: [Epic], create: true}
    asana: {project: Features, create: true}
    notion: {database: Features, create: true}
    parent: {notion: Goal}
  work_item:
    jira: {projects: [WEB], types: [Story], create: true}
    notion: {database: Items, create: true}
    parent: {jira: parent, notion: Feature}
fields:
  status:
    jira: {field: Status, values: {To Do: planned, In Progress: in progress, Done: done}}
    notion: {property: Status, values: {Not started: planned, In progress: in progress, Done: done}}
    asana: {field: section, values: {Backlog: planned, Doing: in progress, Shipped: done}}
  due:
    owner: shared
    on_conflict: ON_CONFLICT
    jira: Due date
    notion: Due
    asana: due_on
  labels:
    owner: shared
    jira: Labels
    notion: {property: Labels, create_options: true}
  description:
    owner: notion
    jira: Description
    notion: Notes
  estimate:
    owner: jira
    jira: Points
    notion: Estimate
  items_done: {notion: Items done}
  items_total: {notion: Items total}
  points_total: {notion: Points total}
"""
_DATABASE = {
    "Name": {"title": {}}, "Syncd ID": {"rich_text": {}}, "Status": {"status": {}},
    "Due": {"date": {}}, "Labels": {"multi_select": {"options": []}}, "Notes": {"rich_text": {}},
    "Estimate": {"number": {}}, "Items done": {"number": {}}, "Items total": {"number": {}},
    "Points total": {"number": {}},
}  # fmt: skip


@dataclass(slots=True)
class Firm:
    """The stand-ins with something in them, and people who call them. `boxes`: (tool, box) -> id."""

    clock: SandboxClock
    services: dict[str, Any]
    tokens: dict[str, tuple[str, str]]  # tool -> our token, Ann's token
    ann: dict[str, Caller]
    boxes: dict[tuple[str, str], str]
    emails: tuple[str, str]  # in Jira: ours, Ann's


def firm() -> Firm:
    """Return a new firm, without any item yet."""
    clock = SandboxClock(frozen=MOMENT)
    jira, asana, notion = JiraSandbox(clock), AsanaSandbox(clock), NotionSandbox(clock)
    made = Firm(clock, {"jira": jira, "asana": asana, "notion": notion}, {}, {}, {}, ("", ""))
    _fill_jira(made, jira)
    _fill_asana(made, asana)
    _fill_notion(made, notion)
    return made


def _fill_jira(made: Firm, jira: Any) -> None:  # noqa: ANN401 - a stand-in
    project = str(jira.add_project("WEB", "Web shop"))
    ann = jira.add_user("Ann Lee", "ann@acme.example")
    jira.add_token(ann, "ann-token")
    us = jira_caller(jira, jira.email, jira.token)
    us("POST", "/rest/api/3/field", {"name": "Points", "type": f"{_CUSTOM}float"})
    made.boxes |= {("jira", "feature"): project, ("jira", "work_item"): project}
    made.tokens["jira"], made.emails = (jira.token, "ann-token"), (jira.email, "ann@acme.example")
    made.ann["jira"] = jira_caller(jira, "ann@acme.example", "ann-token")


def _fill_asana(made: Firm, asana: Any) -> None:  # noqa: ANN401 - a stand-in
    asana.add_user("Ann Lee", "ann@acme.example", token="ann-token")  # noqa: S106 - of a stand-in
    ann = made.ann["asana"] = asana_caller(asana, "ann-token")
    made.tokens["asana"] = asana.token, "ann-token"
    marker = _asana(ann, "custom_fields", workspace=asana.workspace, name="Syncd ID",
                    resource_subtype="text")  # fmt: skip
    for box in ("Goals", "Features"):
        project = _asana(ann, "projects", workspace=asana.workspace, team=asana.team, name=box)
        made.boxes["asana", box.lower()] = project
        ann("POST", f"/api/1.0/projects/{project}/addCustomFieldSetting",
            {"data": {"custom_field": marker}})  # fmt: skip
        for name in WORDS["asana"].values():
            _asana(ann, f"projects/{project}/sections", name=name)


def _asana(ann: Caller, path: str, **data: object) -> str:
    return str(ann("POST", f"/api/1.0/{path}", {"data": data})["data"]["gid"])


def _fill_notion(made: Firm, notion: Any) -> None:  # noqa: ANN401 - a stand-in
    user = notion.add_user("Ann Lee", "ann@acme.example")
    notion.add_token(user, "ann-token")
    ann = made.ann["notion"] = notion_caller(notion, "ann-token")
    made.tokens["notion"] = notion.token, "ann-token"
    title = {"title": {"title": [{"text": {"content": "Home"}}]}}
    home = ann("POST", "/v1/pages", {"parent": {"workspace": True}, "properties": title})["id"]
    above = None
    for box, parent in (("Goals", None), ("Features", "Goal"), ("Items", "Feature")):
        properties: dict[str, object] = dict(_DATABASE)
        if parent is not None:
            properties[parent] = {"relation": {"data_source_id": above, "single_property": {}}}
        body = {
            "parent": {"page_id": home},
            "title": [{"type": "text", "text": {"content": box}}],
            "initial_data_source": {"properties": properties},
        }
        above = ann("POST", "/v1/databases", body)["data_sources"][0]["id"]
        made.boxes["notion", box.lower()] = above


class Direct:
    """A way to the stand-ins on which nothing happens: how people and the judges reach them."""

    def __init__(self, made: Firm) -> None:
        self.clock = made.clock
        self._services = made.services

    def unreachable(
        self,
        kinds: frozenset[str],  # noqa: ARG002
        service: str = "",  # noqa: ARG002
        request: Request | None = None,  # noqa: ARG002
    ) -> str | None:
        """Return None: nothing fails."""
        return None

    def exchange(self, service: str, request: Request) -> Outcome:
        """Handle a request."""
        return Outcome(self._services[service].handle(request))


def join(made: Firm, way: Exchanges, clock: Clock, *, ann: bool = False) -> dict[str, Adapter]:
    """Return adapters over this way to a firm: for our account, or for Ann's."""
    line, who = Line(way), int(ann)
    fast = {"requests_per_second": 10_000.0, "burst": 10_000}
    configs: dict[str, tuple[Any, Callable[[Line], Any]]] = {
        "jira": (
            JiraConfig(url=f"{ADDRESS}/jira", email=made.emails[who], **fast),
            RequestsTransport,
        ),
        "asana": (AsanaConfig(url=f"{ADDRESS}/asana", **fast), Urllib3Transport),
        "notion": (NotionConfig(url=f"{ADDRESS}/notion", **fast), HttpxTransport),
    }
    return {
        name: registry.connect(
            name, name, config, secret=_secret(made.tokens[name][who]), clock=clock,
            transport=transport(line),
        )
        for name, (config, transport) in configs.items()
    }  # fmt: skip


def _secret(token: str) -> Callable[[], str]:
    return lambda: token


WANTED = {
    "jira": ("WEB",), "asana": ("Goals", "Features"), "notion": ("Goals", "Features", "Items"),
}  # fmt: skip
"""What of each tool the mapping names."""


@cache
def schemas() -> Mapping[str, Schema]:
    """Return what the tools of every firm offer when nothing has happened there yet."""
    made = firm()
    adapters = join(made, Direct(made), FakeClock())
    return {name: adapters[name].discover(boxes) for name, boxes in WANTED.items()}


@cache
def mapping(on_conflict: str) -> MappingFile:
    """Return the mapping."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roadmap.yaml"
        path.write_text(MAPPING.replace("ON_CONFLICT", on_conflict), encoding="utf-8")
        return mappings.load.load([path], {name: name for name in WANTED})


@cache
def roadmap(on_conflict: str) -> Roadmap:
    """Return the mapping, bound to what the tools of every firm offer at first."""
    return bound(on_conflict, schemas())


def bound(on_conflict: str, offered: Mapping[str, Schema]) -> Roadmap:
    """Return the mapping, bound to what the tools offer."""
    return mappings.compile.bind(mapping(on_conflict), offered)
