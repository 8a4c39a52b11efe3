"""`syncd audit`: read items again and hold them against what is believed of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import (
    DEFAULT_CONFIG,
    DONE,
    MOST,
    NEEDS_PERSON,
    UNAVAILABLE,
    ConfigOption,
    JsonOption,
    emit,
    find_item,
    plural,
    progress_bar,
    say,
    stopped,
    working,
)

if TYPE_CHECKING:
    from syncd.engine.audit import Audit
    from syncd.engine.context import Context
    from syncd.wiring import System

PART = 50
"""Items audited at a time when all are: bounds memory, and shows progress."""


def audit(
    items: Annotated[
        list[str] | None,
        typer.Argument(help="Title, key, URL or id of items; without any: those whose turn it is."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    sample: Annotated[
        int,
        typer.Option("--sample", "-n", min=1, max=MOST, help="How many items, when none is named."),
    ] = 10,
    everything: Annotated[bool, typer.Option("--all", help="Audit every item.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read items again in every tool and hold them against what syncd believes of them.

    Finds changes a service never told of, items that are out of step though nothing is about to change
    that, and sums that do not add up. Writes to no tool: what is found is settled by the next cycle.
    The daemon does this by itself, for ten items an hour.
    """
    from syncd.engine.audit import next_sample

    with working(config) as system:
        with progress_bar() as progress:
            context = system.context(progress=progress, stopping=stopped(system))
            if everything:
                result = _all(context)
            else:
                named = [find_item(system.store, name).id for name in items or ()]
                result = _some(context, tuple(named) or next_sample(context, sample))
        errors = {**system.errors, **context.errors}
        _tell(system, result, {n: str(e) for n, e in errors.items()}, as_json=as_json)
        if errors:
            raise typer.Exit(UNAVAILABLE)
        raise typer.Exit(NEEDS_PERSON if result.findings else DONE)


def _some(context: Context, ids: tuple[str, ...]) -> Audit:
    from syncd.engine.audit import audit as run

    return run(context, ids)


def _all(context: Context) -> Audit:
    from syncd.engine.audit import Audit

    total, after = Audit(0, 0, ()), ""
    count = context.store.item_count()
    while (ids := context.store.item_ids(after, PART)) and not context.stopping():
        after = ids[-1]
        part = _some(context, ids)
        total = Audit(
            total.items + part.items, total.cells + part.cells, (*total.findings, *part.findings)
        )
        context.progress("auditing", total.items, count)
    return total


def _tell(system: System, result: Audit, errors: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "items": result.items,
                "cells": result.cells,
                "findings": result.findings,
                "errors": errors,
            }
        )
        return
    for finding in result.findings:
        say(f"{finding.kind}: {finding.sentence}")
    for name, sentence in errors.items():
        say(f"not asked: {name}: {sentence}")
    found = plural(len(result.findings), "finding") if result.findings else "all as believed"
    total = system.store.item_count()
    say(f"{plural(result.items, 'item')} of {total}, {result.cells} cells read again: {found}")
