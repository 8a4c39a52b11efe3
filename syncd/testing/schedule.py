"""What happens in one simulated run: drawn from a seed, written as JSON, cut down while it still fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from random import Random

from state.encode import from_data
from syncd.core.records import Value
from syncd.testing.world import TOOLS, native

SITES = ("idle", "any", "call", "write", "written", "commit", "committed")
"""Where something can happen: between cycles, at any scheduling point, before any call of an adapter,
before a write takes effect, after it did and before its answer arrives, before and after a commit."""

FAULTS = (
    "lost_reply", "lost_request", "late", "temporary", "rate", "rejected", "forbidden",
    "empty", "half", "cursor", "old", "twice", "behind", "dropped", "unstamped", "cut",
)  # fmt: skip
"""What goes wrong with one call of a tool; `syncd.testing.simfaults` says what each does."""

STATES = ("down", "revoked", "hidden", "poison", "no_option", "bot", "vanished", "emptied")
"""What goes wrong with a tool until people mend it, before the next cycle."""

LOSABLE = ("due", "labels", "notes", "estimate", "items_done")
"""The fields that a tool can lose; no tool loses its titles or statuses."""

PEOPLE = ("edit",) * 14 + (
    "add", "trash", "untrash", "copy", "bulk", "clash", "clash", "resolve", "resolve", "mark", "rekey",
    "page", "stray", "stray",
)  # fmt: skip
CLOCK = "jump"
"""As `Event.action`: the clock of our machine is set forward or back by `value` seconds."""

AIMED = -1
"""As `Event.pick`: the record that is being written."""


@dataclass(frozen=True, slots=True)
class Event:
    """At the `nth` point of a site in a cycle: an edit of a person, a fault, or the end of the process.

    `pick` chooses among the records of the tool; `field` is a remote field, `value` its new value; for
    a parent `value` is a number that chooses among the records it may point at.
    """

    cycle: int
    site: str
    nth: int
    action: str
    tool: str
    pick: int = 0
    field: str = ""
    value: Value = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run. `items` are (tool, box, title) made at the start."""

    seed: int
    cycles: int
    on_conflict: str
    lag: float  # seconds a tool's search is behind
    patient: bool  # a cycle waits for that
    pause: float  # seconds between two cycles
    shows: tuple[str, ...]  # tools whose answers to writes show the record
    items: tuple[tuple[str, str, str], ...]
    events: tuple[Event, ...]
    page: bool = False  # a page for leadership is kept as well
    twin: str = ""  # run it twice, with a difference that must make none: see syncd.testing.twins

    def dump(self) -> str:
        """Return the schedule as JSON, one event a line."""
        data = asdict(self)
        events = [json.dumps(event, sort_keys=True) for event in data.pop("events")]
        head = json.dumps(data, sort_keys=True, indent=1)
        return f"{head[:-2]},\n" + ' "events": [\n  ' + ",\n  ".join(events) + "\n ]\n}\n"


def load(text: str) -> Schedule:
    """Return the schedule that `dump` wrote."""
    data = json.loads(text)
    events = tuple(from_data(Event, event) for event in data.pop("events"))
    items = tuple(tuple(item) for item in data.pop("items"))
    return Schedule(**{**data, "shows": tuple(data["shows"]), "items": items, "events": events})


def draw(seed: int) -> Schedule:
    """Return the schedule of a seed: what is switched on, and how much of it, is drawn first."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    cycles = random.randint(2, 5)
    faults = random.sample(FAULTS, random.randint(0, len(FAULTS)))
    rate = random.choice([0.0, 0.05, 0.1, 0.2])
    people = Random(random.random())  # noqa: S311 - as above
    fields = random.sample(list(_VALUES), random.randint(1, len(_VALUES)))
    width = random.choice([1, 3, 12])
    events = [_human(people, cycles, fields, width) for _ in range(random.randint(5, 40))]
    if faults:
        events += [
            Event(*_point(random, cycles), random.choice(faults), random.choice(TOOLS))
            for _ in range(round(cycles * 40 * rate))
        ]
    events += [
        Event(*_point(random, cycles, SITES[1:]), "crash", "")
        for _ in range(random.choice([0, 0, 1, 2, 4, 8]))
    ]
    events += _lasting(random, cycles)
    return Schedule(
        seed,
        cycles,
        random.choice(["ask", "notion", "jira"]),
        random.choice([0.0, 0.0, 60.0]),
        random.random() < 0.5,  # noqa: PLR2004
        random.choice([3600.0, 3600.0, 20.0]),
        tuple(tool for tool in TOOLS if random.random() < 0.7),  # noqa: PLR2004
        tuple(_items(random)),
        tuple(events),
        random.random() < 0.2,  # noqa: PLR2004
    )


def _lasting(random: Random, cycles: int) -> Iterator[Event]:
    """Yield lasting states and jumps of the clock, of the kinds this run is about."""
    kinds = random.sample(STATES, random.choice([0, 0, 1, 2]))
    for kind in kinds:
        for _ in range(random.randint(1, 3)):
            place = _point(random, cycles, ("idle", "call", "write"))
            yield Event(
                *place, kind, random.choice(TOOLS), random.randrange(8), random.choice(LOSABLE)
            )
    for _ in range(random.choice([0, 0, 0, 1, 3])):
        jump = random.choice([-86_400.0, -3600.0, -60.0, 60.0, 3600.0, 86_400.0])
        yield Event(*_point(random, cycles), CLOCK, "", value=jump)


def _point(random: Random, cycles: int, sites: tuple[str, ...] = SITES) -> tuple[int, str, int]:
    site = random.choice(sites)
    reach = {"idle": 1, "any": 120, "write": 8, "written": 8}.get(site, 30)
    return random.randrange(cycles), site, random.randrange(reach)


def _human(random: Random, cycles: int, fields: list[str], width: int) -> Event:
    cycle, site, nth = _point(random, cycles, ("idle", "idle", "write", "written", "any", "commit"))
    nth = 0 if site == "idle" else nth
    aimed = site in ("write", "written") and random.random() < 0.7  # noqa: PLR2004
    tool, action = random.choice(TOOLS), "edit" if aimed else random.choice(PEOPLE)
    name = random.choice(fields)
    value = _VALUES[name](random, tool)
    pick = AIMED if aimed else random.randrange(width)
    return Event(cycle, site, nth, action, tool, pick, name, value)


_VALUES: dict[str, Callable[[Random, str], Value]] = {
    "title": lambda r, _t: r.choice(["Pay", "Ship ", "Learn", f"Work {r.randrange(9)}"]),
    "status": lambda r, t: native(
        t, r.choice(["planned", "in progress", "done", "cancelled", "odd"])
    ),
    "due": lambda r, _t: r.choice([None, f"2025-07-{r.randint(10, 28)}"]),
    "labels": lambda r, _t: tuple(sorted(r.sample("abcd", r.randint(0, 3)))) or None,
    "notes": lambda r, _t: r.choice([None, f"Why {r.randrange(9)}"]),
    "estimate": lambda r, _t: r.choice([None, 0.0, 1.0, 2.5, 8.0]),
    "parent": lambda r, _t: float(r.randrange(8)) if r.random() < 0.8 else None,  # noqa: PLR2004
    "items_done": lambda r, _t: float(r.randrange(90, 99)),
}


def _items(random: Random) -> Iterator[tuple[str, str, str]]:
    yield "notion", "goals", "Goal 0"
    yield "jira", "feature", "Work 0"
    for number in range(1, random.randint(1, 4)):
        tool, box = random.choice(
            [("notion", "goals"), ("jira", "feature"), ("jira", "work_item"), ("notion", "features"),
             ("asana", "features"), ("asana", "goals")]
        )  # fmt: skip
        yield tool, box, random.choice(["Work 0", f"Work {number}", "Goal 0"])


def calm(schedule: Schedule) -> Schedule:
    """Return the same people's work with nothing going wrong: all of it between two cycles."""
    people = [
        replace(event, site="idle", nth=0)
        for event in schedule.events
        if event.action in PEOPLE and event.pick != AIMED
    ]
    return replace(schedule, events=tuple(people), patient=True)


def shrink(schedule: Schedule, fails: Callable[[Schedule], bool], tries: int = 400) -> Schedule:
    """Return a smaller schedule that fails too: ever smaller groups of events are left out."""
    size = max(1, len(schedule.events) // 2)
    while tries > 0:
        smaller, used = _without(schedule, fails, size, tries)
        tries -= used
        if size == 1 and smaller == schedule:
            break
        schedule, size = smaller, max(1, size // 2)
    return _fewer_items(schedule, fails)


def _without(
    schedule: Schedule, fails: Callable[[Schedule], bool], size: int, tries: int
) -> tuple[Schedule, int]:
    start, used = 0, 0
    while start < len(schedule.events) and used < tries:
        kept = schedule.events[:start] + schedule.events[start + size :]
        smaller = replace(schedule, events=kept)
        used += 1
        if fails(smaller):
            schedule = smaller
        else:
            start += size
    return schedule, max(1, used)


def _fewer_items(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    for item in schedule.items:
        smaller = replace(schedule, items=tuple(i for i in schedule.items if i is not item))
        if fails(smaller):
            schedule = smaller
    return schedule
