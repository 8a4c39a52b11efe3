"""Runs in pairs: what must make no difference is changed, and both must come to the same end.

    twice      every page of every list comes twice                                I3
    again      every cycle is run twice                                            I3
    reversed   the records of every list come in the opposite order                I14
    clock      our clock is set forward and back, by up to a day                   I25
    crash      the process ends at drawn moments and is started again              I10
    outage     one tool does not answer in the last cycle                          I21
    reviewed   every plan is looked at first, and exactly that plan is approved    I22

In both runs people work between the cycles only, so that the end is one and not a set of fair ones.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from syncd.testing.cells import canonical, cells, held
from syncd.testing.schedule import CLOCK, SITES, Event, Schedule, calm, draw
from syncd.testing.simrun import Run
from syncd.testing.stage import Stage
from syncd.testing.world import TOOLS, World

TWINS = {
    "twice": "I3", "again": "I3", "reversed": "I14", "clock": "I25", "crash": "I10", "outage": "I21",
    "reviewed": "I22",
}  # fmt: skip


EVERY = 10
"""Of so many seeds one is run as a pair."""


def drawn(seed: int) -> Schedule:
    """Return what a campaign runs for a seed: its schedule, or a pair of calm ones."""
    schedule = draw(seed)
    if seed % EVERY:
        return schedule
    return replace(calm(schedule), twin=list(TWINS)[seed // EVERY % len(TWINS)])


def disturbed(schedule: Schedule) -> Schedule:
    """Return the second schedule of a pair."""
    random = Random(schedule.seed)  # noqa: S311 - repeatable on purpose
    more: list[Event] = []
    if schedule.twin == "clock":
        more = [
            _somewhere(random, schedule, CLOCK, random.choice([-86_400.0, -3600.0, 60.0, 86_400.0]))
            for _ in range(3)
        ]
    elif schedule.twin == "crash":
        more = [_somewhere(random, schedule, "crash", None) for _ in range(random.randint(1, 4))]
    elif schedule.twin == "outage":
        more = [Event(schedule.cycles, "idle", 0, "down", random.choice(TOOLS))]
    return replace(
        schedule,
        events=(*schedule.events, *more),
        cycles=schedule.cycles + (schedule.twin == "outage"),
    )


def _somewhere(random: Random, schedule: Schedule, action: str, value: float | None) -> Event:
    site = random.choice(SITES[1:])
    return Event(
        random.randrange(schedule.cycles), site, random.randrange(25), action, "", value=value
    )


def outcome(world: World) -> dict[str, object]:
    """Return what everything came to: the values of every item in every tool, and the conflicts."""
    found: dict[str, object] = {}
    for item in world.items():
        shown = {
            f"{rule.field} in {rule.connection}": canonical(world, rule, raw)
            for _stored, rule, raw in cells(world, item)
            if not held(world, item)  # how far it had come before somebody deleted it is chance
        }
        found[item.id] = item.level, dict(item.fields), shown
    for conflict in world.store.conflicts():
        claims = sorted((claim.connection, str(claim.value)) for claim in conflict.claims)
        found[f"conflict {conflict.item} {conflict.field}"] = claims
    return found


def compare(first: Stage, second: Stage) -> Run:
    """Judge a pair that has been played; returns the run of the second with what was found in either."""
    run, twin = second.run, second.run.schedule.twin
    for sentence in first.run.violations:
        run.violated(*sentence.split(" ", 1))
    if first.run.razed or run.razed:
        run.figures["pairs-with-razed-cells"] += 1  # what became of those depends on when we looked
        run.figures += first.run.figures
        return run
    one, other = outcome(first.world), outcome(second.world)
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            run.violated(
                TWINS[twin], f"{twin}: {name} is {other.get(name)!r}, but else {one.get(name)!r}"
            )
    run.figures += first.run.figures
    run.figures["pairs"] += 1
    return run
