"""The demonstration company in all three services, lived through day by day over the last months.

A few honest messes are part of it: a feature without children, a done feature with an open child, a
status no mapping knows, two persons of one name, features nobody has put under an initiative.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.seeds import company
from syncd.sandbox.seeds.caller import Caller, Json, asana_caller, jira_caller, notion_caller
from syncd.sandbox.seeds.people import Person, seed_people, token_of
from syncd.sandbox.seeds.starter import (
    PRIORITIES,
    make_database,
    make_page,
    make_project,
    select,
    status,
    text,
)

DAYS = 120
"""How long ago the company began to write things down."""

STATUSES = (
    ("Idea", "new"), ("To Do", "new"), ("In Progress", "indeterminate"),
    ("In Review", "indeterminate"), ("Blocked", "indeterminate"), ("On hold", "indeterminate"),
    ("Done", "done"), ("Cancelled", "done"),
)  # fmt: skip
PROJECTS = (("WEB", "Webshop"), ("APP", "Rider app"), ("PLAT", "Platform"))
SECTIONS = ("Ideas", "Backlog", "Doing", "Blocked", "Shipped", "Cancelled")


@dataclass
class _Seeding:
    """The services, who acts, and what has been made so far."""

    jira: JiraSandbox
    asana: AsanaSandbox
    notion: NotionSandbox
    clock: SandboxClock
    chance: random.Random
    people: dict[str, Person] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    epics: dict[str, str] = field(default_factory=dict)
    ranks: dict[str, str] = field(default_factory=dict)
    source: str = ""
    rows: dict[str, str] = field(default_factory=dict)

    def day(self, offset: int | None) -> str | None:
        """Return the date so many days from today."""
        return None if offset is None else (self.today + timedelta(days=offset)).isoformat()

    def __post_init__(self) -> None:
        self.now = self.clock.now()
        self.today = self.clock.utc().date()

    def as_person(self, nick: str) -> Caller:
        """Return a Jira client signed in as a person."""
        return jira_caller(self.jira, self.people[nick].email, token_of("jira", nick))

    def go_to(self, days: float) -> None:
        """Set the clock so many days from now (negative: past); never backwards."""
        self.clock.set(max(self.clock.now(), self.now + days * 86_400))


def seed_demo(
    jira: JiraSandbox,
    asana: AsanaSandbox,
    notion: NotionSandbox,
    clock: SandboxClock,
    *,
    seed: int = 1,
) -> None:
    """Fill the three services. The clock is back at the present, as it was set before, at the end."""
    frozen = clock.frozen is not None
    now = clock.now()
    clock.freeze()
    work = _Seeding(jira, asana, notion, clock, random.Random(seed))  # noqa: S311 - a story, no secret
    clock.set(now - DAYS * 86_400)
    work.people = seed_people(jira, asana, notion)
    _projects(work)
    _epics_and_issues(work)
    work.clock.set(now - 40 * 86_400)
    _strategy(work)
    _company_initiatives(work)
    clock.set(now)
    if not frozen:
        clock.run()


def _projects(work: _Seeding) -> None:
    """Make three Jira projects with the company's own workflow."""
    for name, kind in STATUSES:
        work.jira.add_status(name, kind)
    names = [name for name, _kind in STATUSES]
    for key, title in PROJECTS:
        work.jira.add_project(key, title, lead=work.people["ana"].jira)
        work.jira.set_workflow(
            key,
            ["To Do", *(name for name in names if name != "To Do")],
            [(name, (), name, {}) for name in names],
        )
    call = work.as_person("ana")
    work.types = _ids(call("GET", "/rest/api/3/issuetype"))
    work.fields = _ids(call("GET", "/rest/api/3/field"))


def _ids(listed: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    return {each["name"]: each["id"] for each in listed}


def _epics_and_issues(work: _Seeding) -> None:
    work.clock.set(work.now - (DAYS - 5) * 86_400)
    for feature in company.FEATURES:
        _epic(work, feature)
    backlog = [(feature, place) for feature in company.FEATURES for place in range(feature.size)]
    keys = [(feature, place, _issue(work, feature, place)) for feature, place in backlog]
    keys = [*keys, *_subtasks(work, keys)]
    work.chance.shuffle(keys)
    for rank, (feature, place, key) in enumerate(keys):
        work.go_to(-100 + 99 * rank / len(keys))
        _progress(work, feature, place, key)
    _messes(work)


def _fields(work: _Seeding, feature: company.Feature, kind: str, title: str) -> Json:
    return {
        "project": {"key": feature.project},
        "issuetype": {"id": work.types[kind]},
        "summary": title,
        "priority": {"name": work.chance.choice(company.PRIORITIES)},
    }


def _create(work: _Seeding, nick: str, fields: Json) -> str:
    given = {name: value for name, value in fields.items() if value is not None}
    key: str = work.as_person(nick)("POST", "/rest/api/3/issue", {"fields": given})["key"]
    return key


def _epic(work: _Seeding, feature: company.Feature) -> None:
    fields = _fields(work, feature, "Epic", feature.title)
    fields["description"] = _description(
        f"What riders get: {feature.title}.",
        ["Works on the phones we support", "Measured from the first day"],
    )
    fields["assignee"] = {"accountId": work.people[feature.owner].jira}
    fields["duedate"] = work.day(feature.due)
    work.ranks[feature.title] = fields["priority"]["name"]
    fields["labels"] = [work.chance.choice(company.LABELS)]
    work.epics[feature.title] = _create(work, feature.owner, fields)


def _description(lead: str, points: list[str]) -> Json:
    """Return a small ADF document."""

    def paragraph(words: str) -> Json:
        return {"type": "paragraph", "content": [{"type": "text", "text": words}]}

    items = [{"type": "listItem", "content": [paragraph(point)]} for point in points]
    content = [paragraph(lead), {"type": "bulletList", "content": items}]
    return {"type": "doc", "version": 1, "content": content}


def _issue(work: _Seeding, feature: company.Feature, place: int) -> str:
    bug = place % 6 == 5  # noqa: PLR2004 - every sixth
    kind = "Bug" if bug else "Story" if place % 2 == 0 else "Task"
    what = (
        company.BUGS[place % len(company.BUGS)]
        if bug
        else company.TASKS[place % len(company.TASKS)]
    )
    fields = _fields(work, feature, kind, f"{feature.title}: {what}")
    fields["parent"] = {"key": work.epics[feature.title]}
    fields[work.fields["Story Points"]] = work.chance.choice(company.POINTS)
    nick = work.chance.choice(list(work.people))
    fields["assignee"] = {"accountId": work.people[nick].jira}
    if place % 3 == 0 and feature.due is not None:
        fields["duedate"] = work.day(feature.due - work.chance.randint(1, 12))
    return _create(work, nick, fields)


def _subtasks(
    work: _Seeding, keys: list[tuple[company.Feature, int, str]]
) -> list[tuple[company.Feature, int, str]]:
    """Break a few stories down once more."""
    made = []
    for feature, place, key in keys[:: len(keys) // 5]:
        for part in ("design", "build"):
            fields = _fields(work, feature, "Sub-task", f"{feature.title}: {part}")
            fields["parent"] = {"key": key}
            made.append((feature, place, _create(work, feature.owner, fields)))
    return made


def _move(work: _Seeding, nick: str, key: str, name: str) -> None:
    call = work.as_person(nick)
    steps = call("GET", f"/rest/api/3/issue/{key}/transitions")["transitions"]
    step = next(each["id"] for each in steps if each["to"]["name"] == name)
    call("POST", f"/rest/api/3/issue/{key}/transitions", {"transition": {"id": step}})


def _progress(work: _Seeding, feature: company.Feature, place: int, key: str) -> None:
    """Work on an issue as far as its feature has come."""
    share = (place + 0.5) / max(feature.size, 1)
    if share <= feature.done:
        _move(work, feature.owner, key, "In Progress")
        _move(work, feature.owner, key, "Done")
    elif share <= feature.done + 0.2 and feature.done > 0:
        _move(work, feature.owner, key, work.chance.choice(("In Progress", "In Review")))


def _messes(work: _Seeding) -> None:
    """Put epics where their teams left them, with the oversights of real life."""
    work.go_to(-1)
    for feature in company.FEATURES:
        key = work.epics[feature.title]
        if feature.done >= 1.0:
            _move(work, feature.owner, key, "Done")
        elif feature.done > 0:
            _move(work, feature.owner, key, "In Progress")
    for title in ("Zero-downtime deploys",):  # done, and yet one task was opened again
        feature = next(each for each in company.FEATURES if each.title == title)
        _issue(work, feature, 0)
    _move(work, "hana", work.epics["Cargo trailer coupling 🚲"], "On hold")  # no mapping knows it


def _strategy(work: _Seeding) -> None:
    """Write the Notion side: a page with people's own words, and the roadmap database."""
    call = notion_caller(work.notion, token_of("notion", "mei"))
    page = make_page(call, "Product")
    words = "This is where we keep the plan. Questions? Ask Mei-Ling."
    block = {"type": "paragraph", "paragraph": {"rich_text": text(words)}}
    call("PATCH", f"/v1/blocks/{page}/children", {"children": [block]})
    glance = make_page(call, "Roadmap at a glance", page)
    words = "Board meeting on Thursday: please look at the red ones first. (Mei-Ling)"
    block = {"type": "quote", "quote": {"rich_text": text(words)}}
    call("PATCH", f"/v1/blocks/{glance}/children", {"children": [block]})
    number: Json = {"number": {"format": "number"}}
    work.source = make_database(
        call,
        page,
        "Roadmap",
        ("Vision", "Strategy", "Goal", "Initiative", "Feature"),
        {
            "Status": status(("Idea", "Planned", "In progress", "Blocked", "Done", "Cancelled")),
            "Owner": {"people": {}},
            "Target date": {"date": {}},
            "Start": {"date": {}},
            "Committed date": {"date": {}},
            "Priority": select(PRIORITIES),
            "Labels": {"multi_select": {"options": []}},
            "Progress": {"number": {"format": "percent"}},
            "Items done": number,
            "Items total": number,
            "Points done": number,
            "Points total": number,
            "Summary text": {"rich_text": {}},
            "Health": select(("On track", "At risk", "Off track")),
            "Jira link": {"url": {}},
        },
    )
    _rows(work, call)


def _rows(work: _Seeding, call: Caller) -> None:
    _row(work, call, company.VISION, "Vision", None, {})
    for title in company.STRATEGIES:
        _row(work, call, title, "Strategy", company.VISION, {})
    for title, strategy in company.GOALS:
        _row(work, call, title, "Goal", strategy, {"Status": _status("In progress")})
    for each in company.INITIATIVES:
        values = {
            "Status": _status(each.status),
            "Owner": {"people": [{"id": work.people[each.owner].notion}]},
            "Start": _date(work.day(each.start)),
            "Target date": _date(work.day(each.due)),
            "Committed date": _date(work.day(each.committed)),
        }
        _row(work, call, each.title, "Initiative", each.goal, values)
    for feature in company.FEATURES:
        if feature.in_notion:
            values = {
                "Target date": _date(work.day(feature.due)),
                "Priority": {"select": {"name": work.ranks[feature.title]}},
            }
            _row(work, call, feature.title, "Feature", feature.initiative, values)


def _status(name: str) -> Json:
    return {"status": {"name": name}}


def _date(day: str | None) -> Json | None:
    return None if day is None else {"date": {"start": day}}


def _row(
    work: _Seeding,
    call: Caller,
    title: str,
    kind: str,
    parent: str | None,
    values: dict[str, Json | None],
) -> None:
    properties: Json = {
        "Name": {"title": text(title)},
        "Type": {"select": {"name": kind}},
        **{name: value for name, value in values.items() if value is not None},
    }
    if parent is not None:
        properties["Parent"] = {"relation": [{"id": work.rows[parent]}]}
    body = {"parent": {"data_source_id": work.source}, "properties": properties}
    work.rows[title] = call("POST", "/v1/pages", body)["id"]
    work.clock.step(60)


def _company_initiatives(work: _Seeding) -> None:
    """Follow most initiatives in Asana, and prepare the project for the go-to-market."""
    call = asana_caller(work.asana, work.asana.token)
    project, sections = make_project(
        call, work.asana, "Company initiatives", SECTIONS, progress=True
    )
    make_project(call, work.asana, "Go-to-market", SECTIONS, progress=True)
    for each in company.INITIATIVES:
        if each.section is None:
            continue
        task = {
            "name": each.title,
            "assignee": work.people[each.owner].asana,
            "due_on": work.day(each.due),
            "memberships": [{"project": project, "section": sections[each.section]}],
            "projects": [project],
        }
        call("POST", "/api/1.0/tasks", {"data": task})
        work.clock.step(60)
