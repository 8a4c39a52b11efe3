"""The demonstration company grown to many items: as many Jira issues as asked, the rest in proportion.

Everything comes from the seed: the same number and seed give the same issues. One epic stands for every
50 issues, three of five epics have a row in the Notion roadmap, and an initiative in Notion and Asana
stands above every 25 epics. The last two years are filled; most issues were last touched long ago.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.jira.adf import Rich
from syncd.sandbox.jira.model import ChangeItem, History, Issue
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.notion.store import DataSource
from syncd.sandbox.seeds import company
from syncd.sandbox.seeds.caller import Json, asana_caller, notion_caller
from syncd.sandbox.seeds.demo import PROJECTS, SECTIONS, seed_demo
from syncd.sandbox.seeds.starter import text

MAX_ITEMS = 1_000_000
BLOCK = 50  # issues: an epic, stories and bugs, sub-tasks
SUBTASKS = 8  # of a block
EPICS_PER_INITIATIVE = 25
ISSUES_PER_PERSON = 250
MAX_PEOPLE = 500
DAYS = 730

_FIRST = ("Amara", "Björn", "Chloé", "Diego", "Elif", "Farid", "Grażyna", "Hugo", "Irene", "Jamal",
          "Kenji", "Lúcia", "Marek", "Nadia", "Oscar", "Paula", "Quinn", "Rasa", "Søren", "Thandi",
          "Uwe", "Vera", "Wei", "Ximena", "Yusuf", "Zoë")  # fmt: skip
_LAST = ("Andersson", "Bianchi", "Chen", "Diallo", "Eriksen", "Fischer", "González", "Haddad",
         "Ivanova", "Jansen", "Kowalska", "Laurent", "Mbeki", "Nakamura", "O’Brien", "Petrov",
         "Quispe", "Rossi", "Şahin", "Tanaka", "Usman", "Vargas", "Wójcik", "Yılmaz")  # fmt: skip
_THINGS = ("booking", "checkout", "invoice", "route planner", "battery view", "fleet map", "sign-in",
           "parts search", "size advisor", "warranty", "damage report", "price list", "rider profile",
           "workshop calendar", "delivery tracking", "trip history", "leasing", "digital key",
           "support chat", "dealer portal")  # fmt: skip
_AIMS = ("for families", "for fleets", "in 14 countries", "without waiting", "offline",
         "on the handlebar", "with one tap", "für Händler", "under load", "for new riders",
         "accessible", "at a glance")  # fmt: skip
_WHYS = ("Riders told us so in interviews.", "Support gets about {n} tickets a week.",
         "A partner needs it before the season.", "We measured {n} % drop-off here.",
         "It blocks the next release.", "The audit of last year asked for it.")  # fmt: skip


@dataclass
class _Plan:
    """What generated issues refer to, and the dice."""

    jira: JiraSandbox
    chance: random.Random
    now: float
    people: list[str]  # Jira account ids
    types: dict[str, str]
    steps: list[tuple[str, str, float]]  # status id, name, weight
    points: str
    texts: list[Rich]
    resolution: str


def generate(
    jira: JiraSandbox,
    asana: AsanaSandbox,
    notion: NotionSandbox,
    clock: SandboxClock,
    *,
    items: int,
    seed: int = 1,
) -> None:
    """Fill the three services with `items` Jira issues and what goes with them.

    Fewer than the demonstration company has is the demonstration company. Raises ValueError above
    MAX_ITEMS.
    """
    if not 0 < items <= MAX_ITEMS:
        raise ValueError(f"between 1 and {MAX_ITEMS:,} items can be generated, not {items:,}")
    seed_demo(jira, asana, notion, clock, seed=seed)
    missing = items - len(jira.store.issues)
    if missing <= 0:
        return
    chance = random.Random(f"generate {seed}")  # noqa: S311 - a story, no secret
    _people(jira, asana, notion, chance, min(MAX_PEOPLE, items // ISSUES_PER_PERSON))
    plan = _plan(jira, chance, clock.now())
    epics: list[Issue] = []
    jira.store.add_issues(_issues(plan, missing, epics))
    jira.store.setup += 1
    _above(asana, notion, chance, epics)


def _people(
    jira: JiraSandbox, asana: AsanaSandbox, notion: NotionSandbox, chance: random.Random, count: int
) -> None:
    for number in range(count):
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        name, email = f"{first} {last}", f"person{number:04}@northwind.example"
        for service in (jira, asana, notion):
            service.add_user(name, email)


def _plan(jira: JiraSandbox, chance: random.Random, now: float) -> _Plan:
    store = jira.store
    weights = {"To Do": 0.3, "In Progress": 0.12, "In Review": 0.05, "Blocked": 0.02, "Done": 0.48,
               "Cancelled": 0.03}  # fmt: skip
    steps = [
        (status.id, status.name, weights[status.name])
        for status in store.statuses.values()
        if status.name in weights
    ]
    return _Plan(
        jira,
        chance,
        now,
        [user.account_id for user in jira.people() if user.account_id != jira.account_id],
        {kind.name: kind.id for kind in store.types.values()},
        steps,
        next(field.id for field in store.fields.values() if field.name == "Story Points"),
        [_document(chance) for _ in range(400)],
        store.by_name(store.resolutions, "Done") or next(iter(store.resolutions)),
    )


def _document(chance: random.Random) -> Rich:
    def paragraph(words: str) -> Json:
        return {"type": "paragraph", "content": [{"type": "text", "text": words}]}

    why = chance.choice(_WHYS).format(n=chance.randint(3, 60))
    wanted = chance.sample(company.TASKS, 3)
    points = [{"type": "listItem", "content": [paragraph(each)]} for each in wanted]
    content: list[Json] = [paragraph(why), {"type": "bulletList", "content": points}]
    return Rich(adf={"type": "doc", "version": 1, "content": content})


def _title(chance: random.Random) -> str:
    return f"{chance.choice(_THINGS).capitalize()} {chance.choice(_AIMS)}"


def _issues(plan: _Plan, count: int, epics: list[Issue]) -> Iterator[Issue]:
    """Yield the issues, block by block; the epics among them are noted in `epics`."""
    left = count
    while left > 0:
        size = min(BLOCK, left)
        left -= size
        project = plan.jira.store.find_project(plan.chance.choice(PROJECTS)[0])
        title = f"{_title(plan.chance)} {len(epics) + 1}"
        begun = plan.now - plan.chance.random() * DAYS * 86_400
        epic = _issue(plan, project, "Epic", title, begun)
        epics.append(epic)
        yield epic
        stories = [_child(plan, project, epic, begun) for _ in range(max(0, size - 1 - SUBTASKS))]
        yield from stories
        for place in range(size - 1 - len(stories)):
            above = stories[place % len(stories)] if stories else epic
            kind = "Sub-task" if stories else "Task"
            part = plan.chance.choice(company.TASKS)
            child = _issue(plan, project, kind, f"{part} ({above.key})", above.created / 1000)
            child.values["parent"] = above.id
            yield child


def _child(plan: _Plan, project: Any, epic: Issue, begun: float) -> Issue:  # noqa: ANN401
    chance = plan.chance
    kind = chance.choices(("Story", "Task", "Bug"), (0.5, 0.35, 0.15))[0]
    what = chance.choice(company.BUGS if kind == "Bug" else company.TASKS)
    made = _issue(plan, project, kind, f"{epic.values['summary']}: {what}", begun)
    made.values["parent"] = epic.id
    points = chance.choice(company.POINTS)
    if points is not None:
        made.values[plan.points] = points
    return made


def _issue(plan: _Plan, project: Any, kind: str, summary: str, since: float) -> Issue:  # noqa: ANN401
    chance, store = plan.chance, plan.jira.store
    project.last_number += 1
    created = since + chance.random() * min(60 * 86_400, plan.now - since)
    status, name, _weight = chance.choices(plan.steps, [weight for *_, weight in plan.steps])[0]
    author = chance.choice(plan.people)
    values: dict[str, Any] = {
        "summary": summary,
        "issuetype": plan.types[kind],
        "status": status,
        "priority": chance.choice(("1", "2", "3", "3", "3", "4")),
        "reporter": author,
        "creator": author,
        "description": chance.choice(plan.texts),
        "statuscategorychangedate": int(created * 1000),
    }
    if chance.random() < 0.85:  # noqa: PLR2004 - the share that somebody has taken on
        values["assignee"] = chance.choice(plan.people)
    if chance.random() < 0.3:  # noqa: PLR2004 - the share with labels
        values["labels"] = sorted(set(chance.choices(company.LABELS, k=2)))
    if chance.random() < 0.4:  # noqa: PLR2004 - the share with a date
        due = datetime.fromtimestamp(created, UTC) + timedelta(days=chance.randint(5, 120))
        values["duedate"] = due.date().isoformat()
    key, moment = f"{project.key}-{project.last_number}", int(created * 1000)
    issue = Issue(store.number("issue"), key, project.id, moment, moment, values)
    if name != plan.steps[0][1]:
        _moved(plan, issue, status, name)
    return issue


def _moved(plan: _Plan, issue: Issue, status: str, name: str) -> None:
    """Give an issue the history of having come to its status."""
    first, first_name, _weight = plan.steps[0]
    spell = plan.now * 1000 - issue.created
    when = issue.created + int(spell * plan.chance.random() ** 2)
    item = ChangeItem("status", "status", first, first_name, status, name)
    author = issue.values.get("assignee") or issue.values["creator"]
    issue.histories.append(History(str(plan.jira.store.number("history")), author, when, [item]))
    issue.updated = issue.values["statuscategorychangedate"] = when
    if plan.jira.store.statuses[status].category == "done":
        issue.values["resolution"], issue.values["resolutiondate"] = plan.resolution, when


def _above(
    asana: AsanaSandbox, notion: NotionSandbox, chance: random.Random, epics: list[Issue]
) -> None:
    """Make initiatives above the epics, in Asana and Notion, and rows for three of five epics."""
    pages, tasks = notion_caller(notion, notion.token), asana_caller(asana, asana.token)
    sources = [n for n in notion.app.store.nodes.values() if isinstance(n, DataSource)]
    source = max(sources, key=lambda each: len(each.live)).id
    project = tasks("GET", f"/api/1.0/projects?workspace={asana.workspace}")["data"][0]["gid"]
    listed = tasks("GET", f"/api/1.0/projects/{project}/sections")["data"]
    sections = {row["name"]: row["gid"] for row in listed}

    def row(title: str, kind: str, parent: str | None) -> str:
        values: Json = {"Name": {"title": text(title)}, "Type": {"select": {"name": kind}}}
        if parent is not None:
            values["Parent"] = {"relation": [{"id": parent}]}
        body = {"parent": {"data_source_id": source}, "properties": values}
        made: str = pages("POST", "/v1/pages", body)["id"]
        return made

    for number in range(0, len(epics), EPICS_PER_INITIATIVE):
        title = f"{_title(chance)}: initiative {number // EPICS_PER_INITIATIVE + 1}"
        section = sections[chance.choice(SECTIONS)]
        place = {"project": project, "section": section}
        task = {"name": title, "projects": [project], "memberships": [place]}
        tasks("POST", "/api/1.0/tasks", {"data": task})
        above = row(title, "Initiative", None)
        for epic in epics[number : number + EPICS_PER_INITIATIVE]:
            if chance.random() < 0.6:  # noqa: PLR2004 - three of five
                row(epic.values["summary"], "Feature", above)
