"""`syncd check`: tells whether everything is written correctly and fits what the tools hold."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    DONE,
    ConfigOption,
    JsonOption,
    emit,
    exit_code,
    failed,
    say,
)


def check(
    config: ConfigOption = DEFAULT_CONFIG,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at the files only, ask no tool.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check configuration and mapping, all problems at once; then hold them against the tools."""
    import mappings.compile
    import mappings.lint
    from syncd.clock import SystemClock
    from syncd.config import load
    from syncd.wiring import connect, disconnect, discover, read_mapping

    settings = load(config)
    mapping = read_mapping(settings)
    if offline:
        _result(as_json, [], [], f"{config} and its mapping are well formed")
        return
    adapters = connect(settings, mapping, SystemClock())
    try:
        schemas, errors = discover(mapping, adapters)
    finally:
        disconnect(adapters)
    roadmap = mappings.compile.bind(mapping, schemas, partial=bool(errors))
    warnings = [str(warning) for warning in mappings.lint.warnings(mapping, schemas)]
    sentences = [
        f"{name}: signed in as {schema.me.name}, {len(schema.containers)} containers"
        for name, schema in schemas.items()
    ]
    verdict = f"{roadmap.name}: {len(roadmap.levels)} levels, {len(roadmap.fields)} fields, fits"
    _result(as_json, sentences, warnings, verdict if not errors else "not everything was checked")
    for error in errors.values():
        failed(error)
    raise typer.Exit(max((exit_code(error) for error in errors.values()), default=DONE))


def _result(as_json: bool, sentences: list[str], warnings: list[str], verdict: str) -> None:
    if as_json:
        emit({"ok": True, "connections": sentences, "warnings": warnings, "verdict": verdict})
        return
    for line in sentences:
        say(line)
    for line in warnings:
        say(f"warning: {line}")
    say(verdict)
