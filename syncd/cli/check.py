"""`syncd check`: tells whether everything is written correctly and fits what the tools hold."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    all_failed,
    emit,
    interruptible,
    plural,
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
    from syncd.config import load
    from syncd.offers import discover
    from syncd.wiring import connect, disconnect, read_mapping

    settings = load(config)
    mapping = read_mapping(settings)
    if offline:
        _result(as_json, [], [], f"{config} and its mapping are well formed")
        return
    with interruptible() as clock:
        adapters = connect(settings, mapping, clock)
        try:
            schemas, errors = discover(mapping, adapters)
        finally:
            disconnect(adapters)
    roadmap = mappings.compile.bind(mapping, schemas, partial=bool(errors))
    warnings = [str(warning) for warning in mappings.lint.warnings(mapping, schemas)]
    sentences = [
        f"{name}: signed in as {schema.me.name}, {plural(len(schema.containers), 'container')}"
        for name, schema in schemas.items()
    ]
    size = f"{plural(len(roadmap.levels), 'level')} and {plural(len(roadmap.fields), 'field')}"
    verdict = f"{roadmap.name}: {size}, all fit what the tools hold"
    if errors:
        verdict = f"{roadmap.name}: {', '.join(errors)} could not be checked"
    _result(as_json, sentences, warnings, verdict, ok=not errors)
    raise typer.Exit(all_failed(errors.values()))


def _result(
    as_json: bool, sentences: list[str], warnings: list[str], verdict: str, *, ok: bool = True
) -> None:
    if as_json:
        emit({"ok": ok, "connections": sentences, "warnings": warnings, "verdict": verdict})
        return
    for line in sentences:
        say(line)
    for line in warnings:
        say(f"warning: {line}")
    say(verdict)
