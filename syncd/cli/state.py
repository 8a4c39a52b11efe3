"""`syncd state`: copies of the state file, and the way back from one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, emit, say

if TYPE_CHECKING:
    from state.backup import Verified

app = typer.Typer(
    help="Back up, verify and restore the state file, or say that it was restored.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("backup")
def backup(
    to: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Write a complete, checked copy of the state, also while the daemon runs."""
    import state.backup
    from syncd.config import load

    _tell(state.backup.backup(load(config).state, to), f"backed up to {to}", as_json=as_json)


@app.command("verify")
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="A backup; without it: the state file in use.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Check a state file from end to end: its pages, its contents, its chain of history."""
    import state.backup
    from syncd.config import load

    path = file or load(config).state
    mine = file is None or (config.exists() and file.absolute() == load(config).state.absolute())
    found = state.backup.verify(path) if mine else state.backup.verify_backup(path)
    _tell(found, f"{path} is sound", as_json=as_json)


@app.command("restore")
def restore(
    source: Annotated[Path, typer.Argument(help="The backup to go back to.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in place of the state file; the daemon must be stopped.

    The present file is kept beside it as NAME.replaced, or NAME.replaced-2 and so on: no restore
    takes the place of a state that an earlier one put aside. Everything is read again before
    anything is written to a tool.
    """
    import state.backup
    from syncd.config import load

    path = load(config).state
    kept = f", which is kept as {state.backup.next_kept(path)}" if path.exists() else ""
    sentence = f"restored {source} to {path}{kept}"
    _tell(state.backup.restore(source, path), sentence, as_json=as_json)


@app.command("restored")
def restored(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say that the state file in use is an older one, put back without `syncd state restore`.

    For a snapshot of a machine or a copied folder; the daemon must be stopped. As after a restore,
    everything is read before anything is written, and shared fields on which the tools differ wait for
    a person. Saying it of a state that is the newest costs one full read, and loses nothing.
    """
    import state.backup
    from syncd.config import load

    path = load(config).state
    sentence = (
        f"{path} counts as put back: the next cycle reads everything before it writes anything"
    )
    _tell(state.backup.declare(path), sentence, as_json=as_json)


def _tell(verified: Verified, sentence: str, *, as_json: bool) -> None:
    if as_json:
        emit(verified)
        return
    say(
        f"{sentence}: schema {verified.schema}, {verified.items} items, {verified.records} records, "
        f"{verified.history} entries of history, last cycle {verified.cycle}, "
        f"content {verified.content}"
    )
