"""`syncd run`: the daemon in the foreground, or one cycle."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    cycle_exit,
    emit,
    open_state,
    plain,
    plural,
    print_report,
    progress_bar,
    say,
    stopped,
    working,
)


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Run one cycle and exit.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="With --once: read everything, not only changes.")
    ] = False,
    as_json: JsonOption = False,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Log JSON lines instead of text.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log more.")] = False,
) -> None:
    """Keep the roadmap true: in the foreground until stopped, or (--once) for one cycle.

    SIGTERM drains and stops within 10 seconds; SIGHUP reads configuration and mapping again.
    """
    from syncd import logs

    logs.configure(as_json=log_json, debug=debug)
    if once:
        raise typer.Exit(_once(config, full=full, as_json=as_json))
    from syncd.daemon import Daemon

    daemon = Daemon(config, open_state)
    daemon.install_signals()
    daemon.run()


def _once(config: ConfigOption, *, full: bool, as_json: bool) -> int:
    from syncd.engine.cycle import run_cycle

    with working(config) as system:
        with progress_bar() as progress:
            context = system.context(progress=progress, stopping=stopped(system), full=full)
            report = run_cycle(context, wait=True)
        errors = {**system.errors, **context.errors}
        orphans = [n for n in system.store.notices() if n.kind == "orphan"]
        if as_json:
            emit(
                {
                    **plain(report),
                    "writes": report.writes,
                    "orphans": len(orphans),
                    "errors": {name: str(error) for name, error in errors.items()},
                }
            )
        else:
            print_report(report)
            if context.postponed:
                say(
                    f"  waiting    {plural(len(context.postponed), 'item')} that a person has just "
                    f"edited; the next cycle in two minutes writes them"
                )
            if orphans:
                say(
                    f"  orphans    {plural(len(orphans), 'item')} without the parent their tool "
                    f"names; `syncd status --all` lists them"
                )
    return cycle_exit(report, errors)
