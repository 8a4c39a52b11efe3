"""`syncd apply`: carry out a plan that was reviewed, and no other."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    cycle_exit,
    emit,
    plain,
    print_report,
    progress_bar,
    stopped,
    working,
)


def apply(
    config: ConfigOption = DEFAULT_CONFIG,
    checksum: Annotated[
        str | None,
        typer.Option("--checksum", help="Apply only if the plan still has this checksum."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one cycle. With --checksum: only if it would do exactly what `syncd plan` showed.

    A reviewed plan may exceed the guard's limits; to let only one held-back scope go on, or while
    the daemon runs, use `syncd approve`.
    """
    from syncd import logs
    from syncd.engine.cycle import run_cycle

    logs.configure(as_json=False)
    with working(config) as system, progress_bar() as progress:
        context = system.context(progress=progress, stopping=stopped(system), approved=checksum)
        report = run_cycle(context, wait=True)
        errors = {**system.errors, **context.errors}
    if as_json:
        emit({**plain(report), "writes": report.writes})
    else:
        print_report(report)
    raise typer.Exit(cycle_exit(report, errors))
