"""`syncd simulate`: the engine against people, faults and crashes, on tools in memory or on stand-ins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.common import DONE, INTERRUPTED, NEEDS_PERSON, JsonOption, complain, emit, say
from syncd.core.errors import UserError

if TYPE_CHECKING:
    from syncd.testing.campaign import Campaign

SAVED = 5
"""Failing schedules that are cut down and kept: cutting down takes hundreds of runs."""


def simulate(  # noqa: PLR0913, PLR0917 - a command has options
    schedules: Annotated[int, typer.Option(min=1, help="How many schedules to run.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the first schedule.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    tier: Annotated[
        str,
        typer.Option(
            help="`model`: tools in memory; `clients`: real adapters and client libraries."
        ),
    ] = "model",
    bugs: Annotated[
        bool, typer.Option("--bugs", help="See how soon each bug put in on purpose is found.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Folder to keep the first failing schedules in, shrunk."
        ),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Run one kept schedule.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run drawn schedules of edits, faults and crashes against the engine; no service is used."""
    from syncd.testing.campaign import TIERS

    if tier not in TIERS:
        raise UserError(f"there is no tier {tier!r}; take --tier {' or '.join(TIERS)}")
    chosen = [name for name, on in (("--replay", replay), ("--bugs", bugs), ("--save", save)) if on]
    if len(chosen) > 1:
        raise UserError(f"{' and '.join(chosen)} do not go together: take one of them")
    if tier != "model" and chosen:
        raise UserError(
            f"{chosen[0]} goes with --tier model: the other tier has no stories to keep"
        )
    if replay is not None:
        _replay(replay)
    elif bugs:
        _bugs(seed, schedules, jobs, as_json=as_json)
    else:
        _campaign(seed, schedules, jobs, tier, save, as_json=as_json)


def _campaign(
    seed: int, schedules: int, jobs: int, tier: str, save: Path | None, *, as_json: bool
) -> None:
    from syncd.testing import campaign as kit

    if save is not None:
        _folder(save)
    last = (0, schedules, 0)

    def progress(*now: int) -> None:
        nonlocal last
        last = (now[0], now[1], now[2])
        _progress(*last)

    try:
        result = kit.campaign(seed, schedules, jobs, tier=tier, progress=progress)
    except KeyboardInterrupt:
        complain(
            f"stopped: of {last[1]} schedules from seed {seed}, {last[0]} ran and {last[2]} failed"
        )
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        emit(result.data())
    else:
        _tell(result)
    if result.failures and save is not None and tier == "model":
        _keep(result, save)
    raise typer.Exit(NEEDS_PERSON if result.failures else DONE)


def _folder(path: Path) -> None:
    """Make the folder before an hour of work is at stake."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be made: {error.strerror}; give another --save") from None


def _progress(done: int, total: int, failed: int) -> None:
    """Say on standard error how far it is: every 1,000 schedules, and as it goes where people look."""
    if sys.stderr.isatty():
        end = "\n" if done == total else "\r"
        print(f"{done} of {total} schedules, {failed} failed", file=sys.stderr, end=end, flush=True)
    elif done % 1000 == 0 and total > 1000:  # noqa: PLR2004 - a round number
        print(f"{done} of {total} schedules, {failed} failed", file=sys.stderr, flush=True)


def _keep(result: Campaign, folder: Path) -> None:
    from syncd.testing import campaign as kit
    from syncd.testing.twins import drawn

    for number in sorted(result.failures)[:SAVED]:
        kept = kit.save(kit.smallest(drawn(number)), folder)
        print(
            f"kept as {kept}: run it again with `syncd simulate --replay {kept}`", file=sys.stderr
        )


def _tell(result: Campaign) -> None:
    data: dict[str, Any] = result.data()
    figures = data["figures"]
    say(
        f"{data['schedules']} schedules from seed {data['first_seed']}, "
        f"{data['simulated_hours']} simulated hours, "
        f"{figures.get('edits', 0)} edits, {figures.get('crashes', 0)} crashes, "
        f"{figures.get('calls', 0)} calls, {figures.get('writes', 0)} writes "
        f"in {data['seconds']} s: {data['schedules_per_second']} a second; digest {data['digest']}"
    )
    windows = figures.get("window-shared", 0) + figures.get("window-owned", 0)
    say(
        f"edits in the window between our reading and our writing: {windows}; edits in a tool without "
        f"a log before an answer was known, counted and not judged: {figures.get('unanswered', 0)}"
    )
    for number, found in data["failures"].items():
        say(f"seed {number}: {found[0]}")
    say(f"{len(data['failures'])} schedules broke an invariant")


def _replay(path: Path) -> None:
    from syncd.testing import campaign as kit

    run = kit.replay(path)
    for sentence in run.violations:
        say(sentence)
    say(f"{len(run.violations)} violations; digest {run.digest}")
    raise typer.Exit(NEEDS_PERSON if run.violations else DONE)


def _bugs(seed: int, limit: int, jobs: int, *, as_json: bool) -> None:
    from dataclasses import asdict

    from syncd.testing import campaign as kit

    missed, rows = 0, []
    for each in kit.detection(seed, limit, jobs):
        missed += each.schedules is None
        rows.append(asdict(each))
        if not as_json:
            say(f"{each.name:24} {each.schedules or 'not found':>9}  {each.meaning} ({each.rule})")
    if as_json:
        emit(rows)
    raise typer.Exit(NEEDS_PERSON if missed else DONE)
