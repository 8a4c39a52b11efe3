"""Many simulated runs: side by side, counted, and what fails cut down to a story that can be kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from syncd.testing.schedule import Schedule, draw, load, shrink
from syncd.testing.seeded_bugs import BUGS
from syncd.testing.simulator import simulate

PORTION = 25
"""Schedules given to a process at a time."""


@dataclass(slots=True)
class Campaign:
    """What many schedules came to. `failures`: seed -> violations."""

    schedules: int = 0
    seconds: float = 0.0
    figures: Counter[str] = field(default_factory=Counter)
    failures: dict[int, list[str]] = field(default_factory=dict)

    def data(self) -> dict[str, object]:
        """Return everything as JSON-able data."""
        return {
            "schedules": self.schedules,
            "seconds": round(self.seconds, 2),
            "schedules_per_second": round(self.schedules / self.seconds, 1)
            if self.seconds
            else 0.0,
            "simulated_hours": round(self.figures["seconds"] / 3600, 1),
            "figures": dict(sorted(self.figures.items())),
            "failures": {str(seed): found for seed, found in sorted(self.failures.items())},
        }


def portion(seeds: tuple[int, ...]) -> tuple[Counter[str], dict[int, list[str]]]:
    """Run some schedules in this process."""
    figures: Counter[str] = Counter()
    failures: dict[int, list[str]] = {}
    for seed in seeds:
        run = simulate(draw(seed))
        figures += run.figures
        if run.violations:
            failures[seed] = run.violations
    return figures, failures


def campaign(first: int, count: int, jobs: int = 1) -> Campaign:
    """Run `count` schedules from seed `first` on, in `jobs` processes."""
    result, started = Campaign(), perf_counter()
    seeds = range(first, first + count)
    portions = [tuple(seeds[i : i + PORTION]) for i in range(0, count, PORTION)]
    for figures, failures in _answers(portions, jobs):
        result.figures += figures
        result.failures.update(failures)
    result.schedules, result.seconds = count, perf_counter() - started
    return result


def _answers(
    portions: Iterable[tuple[int, ...]], jobs: int
) -> Iterator[tuple[Counter[str], dict[int, list[str]]]]:
    if jobs == 1:
        yield from map(portion, portions)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(portion, portions)


def smallest(schedule: Schedule) -> Schedule:
    """Return the schedule cut down while it still breaks the invariant that it broke first."""
    broken = simulate(schedule).violations[0].split()[0]
    return shrink(
        schedule, lambda each: any(v.split()[0] == broken for v in simulate(each).violations)
    )


def save(schedule: Schedule, folder: Path) -> Path:
    """Keep a schedule as a story; returns its file."""
    path = folder / f"seed-{schedule.seed}.json"
    path.write_text(schedule.dump(), encoding="utf-8")
    return path


def replay(path: Path) -> list[str]:
    """Run a kept story; returns the violations."""
    return simulate(load(path.read_text(encoding="utf-8"))).violations


def detection(first: int, limit: int) -> Iterator[tuple[str, str, int | None, str]]:
    """Yield for each seeded bug its name, its meaning, the schedules it took to be found, and by what."""
    for name, (meaning, bug) in BUGS.items():
        with bug():
            yield name, meaning, *_first_failure(first, limit)


def _first_failure(first: int, limit: int) -> tuple[int | None, str]:
    for number in range(limit):
        run = simulate(draw(first + number))
        if run.violations:
            return number + 1, run.violations[0]
    return None, ""
