"""The command line: one file a command. Heavy modules are imported when a command runs."""

from __future__ import annotations

import sys

import typer

from syncd.cli import apply, check, conflicts, demo, explain, history, plan, run, sandbox, status
from syncd.cli.common import failed
from syncd.core.errors import SyncdError

app = typer.Typer(
    name="syncd",
    help="Keeps one product roadmap true in Jira, Asana and Notion.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 something needs a person, 2 the input is wrong, "
    "3 a service is unavailable.",
)

app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("apply")(apply.apply)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("explain")(explain.explain)
app.command("history")(history.history)
app.add_typer(conflicts.app, name="conflicts")
app.add_typer(sandbox.app, name="sandbox")


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    if version:
        from syncd import __version__

        typer.echo(f"syncd {__version__}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command line; every failure ends in one sentence and an exit code."""
    try:
        app()
    except SyncdError as error:
        sys.exit(failed(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
