"""Yesterday's state put back after a day of edits: nothing twice, and nobody's edit undone.

`./dev truth -n 0 -s tests/scenario/test_restore.py` lives through 100 days.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import state.store
from state import backup
from syncd.core import merge
from syncd.core.errors import Place
from syncd.core.rules import PageRule
from syncd.engine.epoch import RESTORED
from syncd.testing.world import TOOLS, World, native, small_roadmap

STATUSES = ("planned", "in progress", "blocked", "done")
DAYS = ("2026-01-01", "2026-02-02", "2026-03-03")
LABELS = ("a", "b", "c")
OWNED = {"title": "jira", "estimate": "jira", "status": "jira", "notes": "notion"}


@dataclass
class Day:
    """A world, its state file, and what people entered last: (title at birth, field) -> tool, value."""

    place: Any
    chance: random.Random
    world: World = field(init=False)
    said: dict[tuple[str, str], tuple[str, Any]] = field(default_factory=dict)
    births: dict[str, dict[str, str]] = field(default_factory=dict)  # name -> tool -> record
    count: int = 0

    def __post_init__(self):
        rule = PageRule("notion", "Roadmap", None, Place("roadmap.yaml", 30), ("goal", "feature"))
        policy = self.chance.choice(("ask", "jira", "notion"))
        roadmap = small_roadmap(pages=[rule], on_conflict=policy)
        self.world = World(roadmap, self.place / "state.db")

    def make(self, kind):
        self.count += 1
        name, world = f"{kind} {self.count}", self.world
        if kind == "goal":
            made = world.notion.add("goals", {"title": name, "status": native("notion", "planned")})
            self.births[name] = {"notion": made}
        else:
            values = {"title": name, "status": native("jira", "planned")}
            features = [b["jira"] for n, b in self.births.items() if n.startswith("feature")]
            if kind == "work_item" and features:
                values["parent"] = self.chance.choice(features)
            made = world.jira.add("project", values, kind=kind)
            self.births[name] = {"jira": made}

    def find_records(self):
        """Note which records the items have by now, through the markers of those that syncd made."""
        of = {born: name for name, at in self.births.items() for born in at.values()}
        for item in self.world.items():
            held = self.world.store.records_of([item.id]).get(item.id, {})
            name = next((of[s.record.id] for s in held.values() if s.record.id in of), None)
            if name is not None:
                self.births[name].update({tool: s.record.id for tool, s in held.items()})

    def edit(self):
        """Let somebody change a field where it belongs, or a shared one anywhere."""
        name = self.chance.choice(sorted(self.births))
        held, choice = self.births[name], self.chance.choice(("due", "due", "labels", "owned"))
        if choice == "owned":
            choice = self.chance.choice(sorted(OWNED))
            tool = "notion" if name.startswith("goal") else OWNED[choice]
        else:
            tool = self.chance.choice(sorted(held))
        shown = self.world.tools[tool].records.get(held.get(tool, "")) if tool in held else None
        if shown is None or not self.has(name, tool, choice):
            return
        value = self.value(choice, tool)
        if shown.fields.get(choice) != value:
            self.world.tools[tool].edit(held[tool], **{choice: value})
            self.said[name, choice] = (tool, value)

    def has(self, name, tool, choice):
        level = name.partition(" ")[0]
        canonical = "description" if choice == "notes" else choice
        return canonical in self.world.roadmap.cells_of(level, tool)

    def value(self, choice, tool):
        pick = self.chance.choice
        return {
            "due": pick((*DAYS, None)),
            "labels": tuple(sorted(self.chance.sample(LABELS, self.chance.randint(0, 3)))) or None,
            "title": f"renamed {self.chance.randint(1, 10**6)}",
            "estimate": float(self.chance.randint(1, 9)),
            "status": native(tool, pick(STATUSES)),
            "notes": f"note {self.chance.randint(1, 99)}",
        }[choice]

    def settle(self):
        for _ in range(8):
            if self.world.cycle().writes == 0:
                self.find_records()
                return
        raise AssertionError("eight cycles in a row wrote something")

    def live(self, cycles):
        """Let people work on, some cycles long."""
        for _ in range(cycles):
            for _ in range(self.chance.randint(0, 4)):
                self.edit()
            if self.chance.random() < 0.3:
                self.make(self.chance.choice(("goal", "feature", "work_item")))
            self.world.cycle()
            self.find_records()

    def restore(self, copy):
        self.world.store.close()
        backup.restore(copy, self.place / "state.db")
        self.world.store = state.store.open(self.place / "state.db")

    def keep_folder(self, name):
        """Copy the whole folder of the state, as a snapshot of a machine does."""
        self.world.store.close()
        files = [f for f in self.place.iterdir() if f.name.startswith("state.db")]
        (self.place / name).mkdir()
        for file in files:
            shutil.copy(file, self.place / name / file.name)
        self.world.store = state.store.open(self.place / "state.db")

    def put_folder_back(self, name):
        """Put it back whole, with what says beside the state which one was last at work."""
        self.world.store.close()
        for file in [f for f in self.place.iterdir() if f.name.startswith("state.db")]:
            file.unlink()
        for file in (self.place / name).iterdir():
            shutil.copy(file, self.place / file.name)
        self.world.opened.clear()
        self.world.store = state.store.open(self.place / "state.db")

    # the verdict ----------------------------------------------------------------------------------

    def doubles(self):
        found = Counter(
            (tool.connection, record.marker)
            for tool in self.world.tools.values()
            for record in tool.records.values()
            if record.marker
        )
        lines = Counter(
            line for page in self.world.pages.titles for line in self.world.pages.text(page)
        )
        return [each for each, count in (found + lines).items() if count > 1]

    def reverted(self):
        """Return the cells that no longer show what somebody entered there last of all."""
        return [
            (name, choice, tool, value, self.shown(name, tool, choice))
            for (name, choice), (tool, value) in self.said.items()
            if self.shown(name, tool, choice) != value
        ]

    def shown(self, name, tool, choice):
        return self.world.tools[tool].records[self.births[name][tool]].fields.get(choice)


def yesterday(place, seed):
    """Return a company in step that has lived for a while."""
    day = Day(place, random.Random(seed))
    for kind in ("goal", "feature", "feature", "work_item", "work_item"):
        day.make(kind)
    day.settle()
    day.live(3)
    day.settle()
    return day


def day_in(place, seed):
    """Live through a day after a backup, put the backup back, and return how it ended."""
    day = yesterday(place, seed)
    backup.backup(place / "state.db", place / "yesterday.db")
    day.said.clear()
    day.live(day.chance.randint(4, 10))
    for _ in range(day.chance.randint(0, 3)):
        day.edit()  # the last of the day, which no cycle has carried yet
    day.restore(place / "yesterday.db")
    return day


def snapshot_day(place, seed):
    """Live through a day after a snapshot of the folder, and put the folder back, note and all."""
    day = yesterday(place, seed)
    day.keep_folder("snapshot")
    day.said.clear()
    day.make("feature")
    day.live(day.chance.randint(4, 10))
    for _ in range(day.chance.randint(0, 3)):
        day.edit()
    day.put_folder_back("snapshot")
    return day


@pytest.mark.parametrize("seed", [0, 1, 2, 14])
def test_a_folder_that_is_put_back_whole_is_noticed_by_what_was_made_since(tmp_path, seed):
    day = snapshot_day(tmp_path, seed)
    before = day.world.writes
    (sentence, *_) = day.world.cycle().frozen
    assert "an older state was restored" in sentence
    assert day.world.writes == before
    _assert_well(day)


def test_without_that_an_edit_would_be_undone(tmp_path, monkeypatch):
    """The control: the days above can tell."""
    monkeypatch.setattr("syncd.engine.cycle.noticed", lambda _context: False)
    day = snapshot_day(tmp_path, 14)
    undone = set(day.reverted())
    day.settle()
    assert set(day.reverted()) - undone
    day.world.store.close()


def test_a_state_that_is_the_newest_is_never_taken_for_an_older_one(tmp_path):
    day = Day(tmp_path, random.Random(3))
    for kind in ("goal", "feature", "feature", "work_item", "work_item"):
        day.make(kind)
    day.settle()
    for number in range(30):
        day.live(2)
        if number % 5 == 0:  # a person makes a copy with our marker in it, and one of nobody's
            for marker in (next(iter(day.world.notion.records.values())).marker, "inobody00000"):
                made = day.world.notion.add("features", {"title": f"Copy {number} {marker}"})
                copy = day.world.notion.records[made]
                day.world.notion.records[made] = replace(copy, marker=marker)
        if number % 7 == 0:  # a process ends, and the next one reads everything
            day.keep_folder(f"kept {number}")
            day.world.opened.clear()
            day.world.cycle(full=True)
        assert day.world.store.document(RESTORED) is None
    assert not [e for e in day.world.store.history(limit=10**6) if e.action == "restored"]
    day.world.store.close()


@pytest.mark.parametrize("seed", range(6))
def test_a_day_later(tmp_path, seed):
    assert_well(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_days(tmp_path):
    for seed in range(1000, 1100):
        place = tmp_path / str(seed)
        place.mkdir()
        assert_well(place, seed)
    print("100 days: 0 duplicates, 0 edits undone")


def assert_well(place, seed):
    _assert_well(day_in(place, seed))


def _assert_well(day):
    undone = set(day.reverted())  # by the policy, before: nothing of the restore
    writes = day.world.writes
    day.settle()
    assert day.doubles() == []
    assert set(day.reverted()) <= undone
    assert day.world.writes - writes < 60, "no mass change"
    assert day.world.store.document(RESTORED) is None
    assert day.world.store.verify_history() > 0
    day.world.store.close()


def test_without_a_new_epoch_edits_would_be_undone(tmp_path, monkeypatch):
    """The control: the seeds above can tell."""
    monkeypatch.setattr("syncd.engine.cycle.noticed", lambda _context: False)
    day = day_in(tmp_path, 5)
    undone = set(day.reverted())
    day.world.store.save_document(RESTORED, None)
    day.settle()
    assert set(day.reverted()) - undone
    day.world.store.close()


def test_nothing_is_written_until_every_tool_has_been_read(tmp_path):
    day = day_in(tmp_path, 3)
    day.world.notion.down = True
    before = day.world.writes
    for _ in range(3):
        report = day.world.cycle()
        assert day.world.writes == before
        assert "an older state was restored" in report.frozen[0]
        assert "until notion goals, notion features, notion items has been read" in report.frozen[0]
    day.world.notion.down = False
    day.settle()
    assert day.doubles() == []
    day.world.store.close()


def test_what_the_tools_differ_on_is_left_to_a_person_and_then_done(tmp_path):
    day = Day(tmp_path, random.Random(1))
    day.make("feature")
    day.settle()
    backup.backup(tmp_path / "state.db", tmp_path / "yesterday.db")
    held, world = day.births["feature 1"], day.world
    world.jira.edit(held["jira"], due="2026-01-01")
    day.settle()  # written to the other two
    world.jira.edit(held["jira"], due=None)  # as it was, and not carried yet
    day.restore(tmp_path / "yesterday.db")
    day.settle()
    (conflict,) = world.store.conflicts()
    assert conflict.reason == merge.REUNITED
    shown = {tool: world.tools[tool].records[held[tool]].fields["due"] for tool in TOOLS}
    assert shown == {"jira": None, "asana": "2026-01-01", "notion": "2026-01-01"}
    day.settle()
    assert len(world.store.conflicts()) == 1, "it waits, whatever the policy says"
    settled = replace(conflict, resolution=None, resolved_by="ann")
    world.store.save_conflicts([settled])
    world.store.mark_dirty([conflict.item])
    day.settle()
    shown = {tool: world.tools[tool].records[held[tool]].fields["due"] for tool in TOOLS}
    assert set(shown.values()) == {None}
    assert world.store.conflicts() == ()
    world.store.close()
