"""The command line: one file a command. Heavy modules are imported when a command runs."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer

from syncd.cli import (
    adopt,
    apply,
    approve,
    audit,
    check,
    conflicts,
    demo,
    explain,
    history,
    plan,
    run,
    sandbox,
    simulate,
    state,
    status,
    undo,
)
from syncd.cli.common import INTERRUPTED, NEEDS_PERSON, WRONG_INPUT, complain, failed
from syncd.core.errors import SyncdError

MISUSED: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for any wrong command line: its UsageError, which has no public name."""

app = typer.Typer(
    name="syncd",
    help="Keeps one product roadmap true in Jira, Asana and Notion.",
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
app.command("approve")(approve.approve)
app.command("adopt")(adopt.adopt)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("explain")(explain.explain)
app.command("history")(history.history)
app.command("undo")(undo.undo)
app.command("audit")(audit.audit)
app.command("simulate")(simulate.simulate)
app.add_typer(conflicts.app, name="conflicts")
app.add_typer(state.app, name="state")
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
        code = app(standalone_mode=False)
    except SyncdError as error:
        code = failed(error)
    except MISUSED as error:
        code = _misused(error)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception:  # noqa: BLE001 - the last resort: a traceback without secrets
        code = _bug()
    sys.exit(code if isinstance(code, int) else 0)


def _misused(error: Any) -> int:  # noqa: ANN401 - see MISUSED
    """Say in one sentence what is wrong with the command line."""
    path = error.ctx.command_path if error.ctx is not None else "syncd"
    sentence = str(error.format_message()).rstrip(".")
    complain(f"{sentence[:1].lower()}{sentence[1:]}: see `{path} --help`")
    return WRONG_INPUT


def _bug() -> int:
    """Show where a bug of ours struck, with secrets taken out."""
    from syncd.logs import printable, redact

    for line in redact(traceback.format_exc()).splitlines():
        print(printable(line), file=sys.stderr)
    complain("this is a bug of syncd: please report it with the lines above")
    return NEEDS_PERSON
