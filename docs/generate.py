"""Writes docs/reference/commands.md from the help texts of all commands.

`python docs/generate.py` writes it; with `--check` it only says whether the page is stale.
"""
# ruff: noqa: INP001, T201 - a script, not a package; printing is its job

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from json_members import JSON

from syncd.cli import app

PAGE = Path(__file__).parent / "reference" / "commands.md"

HEAD = """\
# Commands

Generated from the help texts by `python docs/generate.py`; do not edit.

Every command reads `syncd.yaml` in the folder it is started in, unless `--config` or the environment
variable `SYNCD_CONFIG` names another file. What the exit codes mean, and what to do about each
failure: [exit codes and errors](exit-codes-and-errors.md). In a checkout, `./dev syncd` stands for
`syncd`.
"""


def commands(
    group: Any = None,  # noqa: ANN401 - typer's command objects
    path: tuple[str, ...] = (),
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (path, command) of the program itself and of every command below it, in help's order."""
    group = get_command(app) if group is None else group
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


def help_text(path: Sequence[str]) -> str:
    """Return what `syncd PATH --help` prints, 80 columns wide."""
    env = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "SYNCD_CONFIG": ""}
    result = CliRunner().invoke(app, [*path, "--help"], prog_name="syncd", env=env)
    if result.exit_code:
        raise SystemExit(f"syncd {' '.join(path)} --help fails: {result.output}")
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for path, _command in commands():
        title = " ".join(("syncd", *path))
        parts.append(f"## {title}\n\n```text\n{help_text(path)}\n```\n")
        parts += [_table(name) for name in JSON if _path_of(name) == path]
    return "\n".join(parts)


def _path_of(name: str) -> tuple[str, ...]:
    return tuple(word for word in name.split() if not word.startswith("-"))


def _table(name: str) -> str:
    """Return what `syncd NAME --json` prints, as a table."""
    rows = "\n".join(f"| `{member}` | {what} |" for member, what in JSON[name].items())
    return f"With `syncd {name} --json`:\n\n| Member | What |\n|---|---|\n{rows}\n"


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with --check compare it; returns the exit code."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    text = page()
    if not arguments:
        PAGE.write_text(text, "utf8")
    elif not PAGE.exists() or PAGE.read_text("utf8") != text:
        print(f"{PAGE} is stale: run `python docs/generate.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
