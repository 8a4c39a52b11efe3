"""Many simulated runs: side by side, counted, and what fails cut down to a story that can be kept."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from time import perf_counter

from syncd.core.errors import UserError
from syncd.testing.schedule import Schedule, load, shrink
from syncd.testing.seeded_bugs import BUGS
from syncd.testing.simrun import Run
from syncd.testing.simulator import simulate
from syncd.testing.twins import drawn

PORTION = 100
"""Schedules given to a process at a time."""

TIERS = ("model", "clients")
"""What runs under the engine: tools in memory, or the real adapters and client libraries on stand-ins."""

Progress = Callable[[int, int, int], None]
"""Called with the schedules run so far, how many there will be, and how many have failed."""


@dataclass(slots=True)
class Campaign:
    """What many schedules came to. `failures`: seed -> violations; equal runs have equal `digest`s."""

    first: int = 0
    tier: str = "model"
    schedules: int = 0
    seconds: float = 0.0
    digest: str = ""
    figures: Counter[str] = field(default_factory=Counter)
    failures: dict[int, list[str]] = field(default_factory=dict)

    def data(self) -> dict[str, object]:
        """Return everything as JSON-able data."""
        return {
            "tier": self.tier,
            "first_seed": self.first,
            "schedules": self.schedules,
            "seconds": round(self.seconds, 2),
            "schedules_per_second": round(self.schedules / self.seconds, 1)
            if self.seconds
            else 0.0,
            "simulated_hours": round(self.figures["seconds"] / 3600, 1),
            "digest": self.digest,
            "figures": dict(sorted(self.figures.items())),
            "failures": {str(seed): found for seed, found in sorted(self.failures.items())},
        }


Portion = tuple[Counter[str], dict[int, list[str]], str]


def run_seed(seed: int, tier: str = "model") -> Run:
    """Run what a campaign runs for a seed."""
    if tier == "model":
        return simulate(drawn(seed))
    from syncd.testing.clients import simulate_clients  # noqa: PLC0415 - it loads three libraries

    return simulate_clients(drawn(seed))


def portion(seeds: tuple[int, ...], tier: str = "model") -> Portion:
    """Run some schedules in this process; returns figures, failures, and a digest of all that happened."""
    figures: Counter[str] = Counter()
    failures: dict[int, list[str]] = {}
    digests = []
    gc.disable()  # a sixth of the time; what one portion leaves behind is small
    for seed in seeds:
        run = run_seed(seed, tier)
        figures += run.figures
        digests.append(run.digest)
        if run.violations:
            failures[seed] = run.violations
    gc.enable()
    gc.collect()
    return figures, failures, _joined(digests)


def _joined(digests: Iterable[str]) -> str:
    return blake2b(" ".join(digests).encode(), digest_size=8).hexdigest()


def campaign(
    first: int, count: int, jobs: int = 1, *, tier: str = "model", progress: Progress | None = None
) -> Campaign:
    """Run `count` schedules from seed `first` on, in `jobs` processes."""
    result, started = Campaign(first, tier), perf_counter()
    seeds, digests = range(first, first + count), []
    portions = [tuple(seeds[i : i + PORTION]) for i in range(0, count, PORTION)]
    for number, (figures, failures, digest) in enumerate(_answers(portions, jobs, tier)):
        result.figures += figures
        result.failures.update(failures)
        digests.append(digest)
        if progress is not None:
            progress(min(count, (number + 1) * PORTION), count, len(result.failures))
    result.schedules, result.seconds = count, perf_counter() - started
    result.digest = _joined(digests)
    return result


def _answers(portions: Iterable[tuple[int, ...]], jobs: int, tier: str) -> Iterator[Portion]:
    work = partial(portion, tier=tier)
    if jobs == 1:
        yield from map(work, portions)
        return
    # what is loaded stays: a collection need only look at what the schedules left behind
    with ProcessPoolExecutor(jobs, initializer=gc.freeze) as pool:
        yield from pool.map(work, portions)


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


def replay(path: Path) -> Run:
    """Run a kept story; UserError when the file is none."""
    try:
        schedule = load(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError, LookupError, AttributeError):
        raise UserError(
            f"{path} is no schedule: give a file that `syncd simulate --save FOLDER` has kept"
        ) from None
    return simulate(schedule)


@dataclass(frozen=True, slots=True)
class Detection:
    """How soon a bug put in on purpose is found: after so many schedules (None: not at all), by what."""

    name: str
    meaning: str
    rule: str
    schedules: int | None
    found_by: str


def detection(
    first: int, limit: int, jobs: int = 1, names: Iterable[str] = BUGS
) -> Iterator[Detection]:
    """Yield for each seeded bug how soon it is found."""
    work = partial(_detect, first=first, limit=limit)
    if jobs == 1:
        yield from map(work, names)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(work, names)


def _detect(name: str, first: int, limit: int) -> Detection:
    bug = BUGS[name]
    with bug.put_in():
        for number in range(limit):
            run = simulate(drawn(first + number))
            if run.violations:
                return Detection(name, bug.meaning, bug.rule, number + 1, run.violations[0])
    return Detection(name, bug.meaning, bug.rule, None, "")
