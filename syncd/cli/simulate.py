"""`syncd simulate`: the engine against people, faults and crashes, on tools in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from syncd.cli.common import DONE, NEEDS_PERSON, JsonOption, emit, say


def simulate(
    schedules: Annotated[int, typer.Option(min=1, help="How many schedules to run.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the first schedule.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    bugs: Annotated[
        bool, typer.Option("--bugs", help="See how soon each bug put in on purpose is found.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder to keep the first failing schedule in, shrunk.",
        ),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Run one kept schedule.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run drawn schedules of edits, faults and crashes against the engine; no service is used."""
    if replay is not None:
        _replay(replay)
    elif bugs:
        _bugs(seed, schedules, as_json=as_json)
    else:
        _campaign(seed, schedules, jobs, save, as_json=as_json)


def _campaign(seed: int, schedules: int, jobs: int, save: Path | None, *, as_json: bool) -> None:
    from syncd.testing import campaign as kit
    from syncd.testing.schedule import draw

    result = kit.campaign(seed, schedules, jobs)
    data = result.data()
    if as_json:
        emit(data)
    else:
        _tell(data)
    if result.failures and save is not None:
        first = min(result.failures)
        kept = kit.save(kit.smallest(draw(first)), save)
        say(f"kept as {kept}: run it again with `syncd simulate --replay {kept}`")
    raise typer.Exit(NEEDS_PERSON if result.failures else DONE)


def _tell(data: dict[str, Any]) -> None:
    figures = data["figures"]
    say(
        f"{data['schedules']} schedules, {data['simulated_hours']} simulated hours, "
        f"{figures.get('edits', 0)} edits, {figures.get('crashes', 0)} crashes, "
        f"{figures.get('calls', 0)} calls, {figures.get('writes', 0)} writes "
        f"in {data['seconds']} s: {data['schedules_per_second']} a second"
    )
    windows = figures.get("window-shared", 0) + figures.get("window-owned", 0)
    say(
        f"edits in the window between our reading and our writing: {windows}; "
        f"edits before an answer was known, counted and not judged: {figures.get('unanswered', 0)}"
    )
    for number, found in data["failures"].items():
        say(f"seed {number}: {found[0]}")
    say(f"{len(data['failures'])} schedules broke an invariant")


def _replay(path: Path) -> None:
    from syncd.testing import campaign as kit

    found = kit.replay(path)
    for sentence in found:
        say(sentence)
    say(f"{len(found)} violations")
    raise typer.Exit(NEEDS_PERSON if found else DONE)


def _bugs(seed: int, limit: int, *, as_json: bool) -> None:
    from syncd.testing import campaign as kit

    missed, rows = 0, []
    for name, meaning, taken, how in kit.detection(seed, limit):
        missed += taken is None
        rows.append({"bug": name, "meaning": meaning, "schedules": taken, "found_by": how})
        if not as_json:
            say(f"{name:22} {taken or 'not found':>9}  {meaning}")
    if as_json:
        emit(rows)
    raise typer.Exit(NEEDS_PERSON if missed else DONE)
