"""Indices only narrow a query down: with and without them it finds the same, whatever was changed."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_jira_jql import Talk

from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.search import Search

API = "/rest/api/3"
CLAUSES = (
    "project = WEB", "project in (WEB, APP)", "project != APP", "status = Done",
    'status in ("To Do", "In Progress")', "labels = a", "labels in (a, b)", "labels is EMPTY",
    "labels not in (a)", "assignee is EMPTY", "assignee = currentUser()", "priority = High",
    "priority > Low", "issuetype = Bug", "parent is EMPTY", "fixVersion = 1.0",
    "fixVersion is EMPTY", "component = UI", "summary ~ blue", 'summary ~ "blue car*"',
    "created >= -1h", "updated >= -10m", "key in (WEB-1, WEB-2, APP-1)", "statusCategory = Done",
    "sprint is EMPTY", "resolution = Unresolved", "filter = Blue",
)  # fmt: skip
ORDERS = (
    "",
    " ORDER BY key",
    " ORDER BY updated DESC",
    " ORDER BY priority, created",
    " ORDER BY Rank",
)


class World(Talk):
    """A site in which everything changes by chance."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        for key in ("WEB", "APP"):
            self.site.add_project(key, key)
            project = int(self("GET", f"{API}/project/{key}")[1]["id"])
            self("POST", f"{API}/version", {"name": "1.0", "projectId": project})
            self("POST", f"{API}/component", {"name": "UI", "project": key})
        self("POST", f"{API}/filter", {"name": "Blue", "jql": "summary ~ blue"})
        self.made = [self.new() for _ in range(12)]

    def new(self) -> str:
        kind = self.chance.choice(("Task", "Bug", "Story"))
        return self.create(self.chance.choice(("WEB", "APP")), kind, **self.values())

    def values(self) -> dict:
        pick = self.chance.choice
        every = {
            "summary": f"{pick(('blue', 'red'))} {pick(('car', 'cars', 'boat'))}",
            "labels": pick(([], ["a"], ["a", "b"], ["b"])),
            "priority": {"name": pick(("High", "Low", "Medium"))},
            "assignee": pick((None, {"accountId": self.site.account_id})),
            "fixVersions": pick(([], [{"name": "1.0"}])),
            "components": pick(([], [{"name": "UI"}])),
        }
        return {
            name: every[name] for name in every if pick((True, True, False)) or name == "summary"
        }

    def change(self) -> None:
        key = self.chance.choice(self.made)
        path = f"{API}/issue/{key}"
        what = self.chance.randrange(5)
        if what == 0:
            self.made.append(self.new())
        elif what == 1:
            step = self.chance.choice(("11", "21", "41"))
            self("POST", f"{path}/transitions", {"transition": {"id": step}})
        elif what == 2 and len(self.made) > 8:
            self("DELETE", path)
            self.made.remove(key)
        elif what == 3:
            self.made[self.made.index(key)] = self.site.move_issue(
                key, self.chance.choice(("WEB", "APP"))
            )
        else:
            self("PUT", path, {"fields": self.values()})

    def query(self) -> str:
        parts = self.chance.sample(CLAUSES, self.chance.randint(1, 4))
        text = parts[0]
        for part in parts[1:]:
            sign = "NOT " if self.chance.randrange(5) == 0 else ""
            text = f"({text}) {self.chance.choice(('AND', 'AND', 'OR'))} {sign}{part}"
        return text


@pytest.mark.parametrize("seed", range(4))
def test_with_and_without_indices_the_same_is_found(seed):
    world = World(seed)
    store = world.site.store
    user = store.users[world.site.account_id]
    for _ in range(60):
        world.change()
        world.clock.step(world.chance.choice((1, 60, 900)))
        jql = world.query().replace("key in (WEB-1, WEB-2, APP-1)", f"key = {world.made[0]}")
        viewer = Viewer(store, user)
        order = world.chance.choice(ORDERS)
        found = [issue.key for issue in Search(viewer, jql + order, viewer.sees).all()]
        test = Search(viewer, jql, viewer.sees).matches
        plainly = [issue.key for issue in store.issues.values() if test(issue)]
        assert sorted(found) == sorted(plainly), jql
