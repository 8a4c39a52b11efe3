"""`syncd adopt`: tools that hold the same work already meet; a person says what is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.approve import who
from syncd.cli.common import (
    DEFAULT_CONFIG,
    DONE,
    NEEDS_PERSON,
    ConfigOption,
    JsonOption,
    beside,
    complain,
    emit,
    plain,
    plural,
    reading,
    say,
)
from syncd.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncd.core.adoption import Pair
    from syncd.engine.adopt import Meeting
    from syncd.wiring import System

SHOWN = 10
"""Titles listed before the rest is counted; --json lists every one."""


def adopt(
    config: ConfigOption = DEFAULT_CONFIG,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="This pair is the same: its id, as listed. Repeatable."),
    ] = None,
    reject: Annotated[
        list[str] | None,
        typer.Option("--reject", help="This pair is not the same: its id. Repeatable."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Accept every proposed pair; ambiguous ones stay.")
    ] = False,
    rest_new: Annotated[
        bool, typer.Option("--rest-new", help="Whatever is left is new: end the review.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Review what tools that already hold the same work may have in common, when they first meet.

    Lists pairs with a score and reasons; nothing is created beside records nobody recognises until
    the review has ended, which it does when nothing is left to decide. Works beside a running daemon.
    Exit code 1 while a review is open.
    """
    deciding = bool(accept or reject or everything or rest_new)
    with (beside if deciding else reading)(config) as system:
        found = _meetings(system)
        if deciding:
            _decide(system, found, accept or [], reject or [], everything, rest_new)
            found = _meetings(system)
        if as_json:
            emit([_data(each) for each in found])
        else:
            _print(found)
    raise typer.Exit(NEEDS_PERSON if found else DONE)


def _meetings(system: System) -> tuple[Meeting, ...]:
    from syncd.engine import adopt as engine

    return engine.meetings(system.roadmap, system.directory, system.store)


def _decide(
    system: System,
    found: Sequence[Meeting],
    accept: Iterable[str],
    reject: Iterable[str],
    everything: bool,
    rest_new: bool,
) -> None:
    from syncd.engine import adopt as engine

    if not found:
        raise UserError("no review is open: there is nothing to decide")
    pairs = {pair.id: pair for each in found for pair in each.review.pairs}
    refused = [_pair(pairs, name) for name in reject]
    chosen = [_pair(pairs, name) for name in accept]
    both = [pair.id for pair in chosen if pair in refused]
    if both:
        raise UserError(f"{both[0]} is accepted and rejected at once: decide one of the two")
    if everything:
        chosen += [p for each in found for p in each.review.proposed if p not in refused]
    word = engine.Word(who(), system.clock.now())
    chosen = list(dict.fromkeys(chosen))
    engine.decide(system.store, found, chosen, refused, word)
    over = [each for each in _meetings(system) if rest_new or not each.review.pairs]
    engine.finish(system.roadmap, system.store, over)
    told = [f"{plural(len(chosen), 'pair')} accepted, {len(refused)} rejected"]
    told += [_ended(each) for each in over]
    complain("; ".join(told))


def _ended(meeting: Meeting) -> str:
    """Return what follows from the end of a review."""
    review, news = meeting.review, len(meeting.strangers)
    missing = len({*review.missing, *(pair.item for pair in review.pairs)})
    text = f"the review of {meeting.level}s in {meeting.connection} has ended"
    if news:
        text += (
            f": {plural(news, 'record')} nobody recognised become{'s' if news == 1 else ''} new, to be "
            f"created in the other tools too"
        )
    if missing:
        text += f"{', and' if news else ':'} {plural(missing, 'item')} will be created there"
    return text


def _pair(pairs: dict[str, Pair], name: str) -> Pair:
    if name not in pairs:
        raise UserError(
            f"there is no pair {name!r} to decide about: it was never listed, or is decided already; "
            f"`syncd adopt` lists them"
        )
    return pairs[name]


def _print(found: Sequence[Meeting]) -> None:
    if not found:
        say("no review is open")
        return
    for meeting in found:
        review = meeting.review
        say(f"{meeting.level}s of {meeting.connection} that the other tools do not know:")
        for pair in review.proposed:
            say(f"  {_line(meeting, pair)}")
        for stranger, pairs in review.ambiguous.items():
            say(f"  {_stranger(meeting, stranger)} could be several, or none:")
            for pair in pairs:
                say(f"    {_line(meeting, pair)}")
        _titles("would become new items", [_stranger(meeting, each) for each in review.unknown])
        missing = [meeting.items[each].title for each in review.missing]
        _titles(f"would be created in {meeting.connection}", missing)
    say("accept or reject with --accept ID, --reject ID, --all; end it with --rest-new")


def _titles(what: str, titles: Sequence[str]) -> None:
    if titles:
        rest = f" and {len(titles) - SHOWN} more" if len(titles) > SHOWN else ""
        say(f"  {what}: {len(titles)}: {', '.join(titles[:SHOWN])}{rest}")


def _line(meeting: Meeting, pair: Pair) -> str:
    item = meeting.items[pair.item]
    key = meeting.keys.get(pair.item)
    where = f" ({key})" if key else ""
    return (
        f"{pair.id}  {_stranger(meeting, pair.stranger)} = {item.title!r}{where}  "
        f"{pair.score}: {', '.join(pair.reasons)}"
    )


def _stranger(meeting: Meeting, record: str) -> str:
    """Return a record's title; of several with one title, each with its address, to tell them apart."""
    title, shown = meeting.titles[record], meeting.strangers[record].record
    if not title:
        return shown.key
    alike = sum(other == title for other in meeting.titles.values())
    return f"{title!r} ({shown.url or shown.key})" if alike > 1 else repr(title)


def _data(meeting: Meeting) -> object:
    review = meeting.review

    def pair(each: Pair) -> object:
        stranger = meeting.strangers[each.stranger].record
        return {
            **plain(each), "id": each.id, "title": meeting.titles[each.stranger],
            "url": stranger.url, "item_title": meeting.items[each.item].title,
            "item_key": meeting.keys.get(each.item),
        }  # fmt: skip

    return {
        "level": meeting.level,
        "connection": meeting.connection,
        "proposed": [pair(each) for each in review.proposed],
        "ambiguous": [
            {"stranger": name, "candidates": [pair(each) for each in pairs]}
            for name, pairs in review.ambiguous.items()
        ],
        "new": [{"record": n, "title": meeting.titles[n]} for n in review.unknown],
        "created": [{"item": n, "title": meeting.items[n].title} for n in review.missing],
    }
