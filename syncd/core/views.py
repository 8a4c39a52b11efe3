"""What leadership reads, as neutral blocks: built from items only, knows no tool."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from syncd.core.health import AT_RISK, OFF_TRACK, ON_TRACK, Health, assess
from syncd.core.model import HistoryEntry, Item
from syncd.core.rollup import category, open_below
from syncd.core.rules import Roadmap
from syncd.core.values import show

_SPECIAL = re.compile(r"([\\`*_\[\]<>~|#])")
_MARKS = {ON_TRACK: "🟢", AT_RISK: "🟡", OFF_TRACK: "🔴", None: "⚪"}
_PLURALS = {
    "vision": "Vision",
    "strategy": "Strategies",
    "goal": "Goals",
    "initiative": "Initiatives",
    "feature": "Features",
    "work_item": "Work items",
    "release": "Releases",
}
_NEWS = ("title", "status", "start", "due", "committed", "owner", "horizon")
NEWS_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class PageBlock:
    """One block of a generated page.

    `key` names the block's place in the page and stays the same while its content changes.
    `kind`: heading_1, heading_2, heading_3, paragraph, bullet, callout, divider.
    `text` is one line of neutral Markdown (bold, italic, code, links); `icon` is an emoji for callouts.
    """

    key: str
    kind: str
    text: str = ""
    icon: str = ""


def plain(text: str) -> str:
    """Return text that neutral Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def yesterday(now: datetime) -> datetime:
    """Return the start of the day before, UTC: news stays put during a day and then moves on."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


def roadmap_page(
    roadmap: Roadmap,
    items: Sequence[Item],
    changes: Sequence[HistoryEntry],
    person: Callable[[str], str],
    today: date,
    as_of: datetime,
) -> tuple[PageBlock, ...]:
    """Return the consolidated page: verdict with freshness, each level, what changed since yesterday.

    `items` are those of the page's levels, in the order to show; `changes` is history, newest first.
    """
    live = [item for item in items if item.fields.get("title")]
    health = {item.id: assess(item.fields, today) for item in live}
    blocks = [_verdict(roadmap, live, health, as_of)]
    for level in dict.fromkeys(item.level for item in live):
        blocks.append(PageBlock(f"level:{level}", "heading_2", _PLURALS.get(level, level)))
        blocks += [
            PageBlock(f"item:{item.id}", "bullet", _line(item, health[item.id], person))
            for item in live
            if item.level == level
        ]
    blocks.append(PageBlock("news", "heading_2", "What changed since yesterday"))
    blocks += _news(live, changes, person) or [
        PageBlock("no-news", "paragraph", "Nothing changed.")
    ]
    return tuple(blocks)


def _verdict(
    roadmap: Roadmap, items: Sequence[Item], health: dict[str, Health], as_of: datetime
) -> PageBlock:
    """One sentence about the highest level that is judged, and how fresh it is."""
    open_items = [
        i for i in items if category(str(i.fields.get("status"))) not in ("done", "cancelled")
    ]
    level = next(
        (x for x in ("initiative", "goal", "feature") if any(i.level == x for i in open_items)),
        None,
    )
    counts = Counter(health[i.id].health for i in open_items if i.level == level)
    total = sum(counts.values())
    parts = [f"{counts[word]} {word}" for word in (OFF_TRACK, AT_RISK, ON_TRACK) if counts[word]]
    if counts[None]:
        parts.append(f"{counts[None]} without dates")
    name = _PLURALS.get(level or "", "Items").lower()
    summary = f"{total} {name} under way: {', '.join(parts)}" if total else "Nothing under way"
    icon = "🔴" if counts[OFF_TRACK] else "🟡" if counts[AT_RISK] else "🟢"
    stamp = as_of.strftime("%Y-%m-%d %H:%M UTC")
    text = f"**{plain(roadmap.name)}** · {summary} · last change {stamp}"
    return PageBlock("verdict", "callout", text, icon)


def _line(item: Item, health: Health, person: Callable[[str], str]) -> str:
    fields = item.fields
    parts = [f"{_MARKS[health.health]} **{plain(item.title)}**"]
    if fields.get("status"):
        parts.append(str(fields["status"]))
    if fields.get("done_of_total"):
        parts.append(_progress(item))
    if isinstance(fields.get("owner"), str):
        parts.append(plain(person(str(fields["owner"]))))
    dates = [
        f"{word} {fields[name]}"
        for name, word in (("due", "due"), ("committed", "committed"))
        if fields.get(name)
    ]
    parts += [", ".join(dates)] if dates else []
    still_open = open_below(fields, item.aggregate)
    if still_open:
        parts.append(f"⚠️ done, but {still_open} below it still open")
    if health.health is not None:
        parts.append(f"{health.health}: {plain(health.reason)}")
    return " · ".join(parts)


def _progress(item: Item) -> str:
    share = item.fields.get("progress")
    text = str(item.fields["done_of_total"])
    return f"{share:.0%} ({text})" if isinstance(share, float | int) else text


def _news(
    items: Iterable[Item], changes: Sequence[HistoryEntry], person: Callable[[str], str]
) -> list[PageBlock]:
    """Return the latest change of each field of each shown item; the newest first."""
    titles = {item.id: item.title for item in items}
    seen: set[tuple[str, str]] = set()
    blocks: list[PageBlock] = []
    for entry in changes:
        cell = entry.item, entry.field
        if entry.item not in titles or entry.field not in _NEWS or cell in seen:
            continue
        if entry.action not in ("observed", "resolved") or len(blocks) >= NEWS_AT_MOST:
            continue
        seen.add(cell)
        first = _first_value(changes, cell)
        before, after = (_shown(entry.field, v, person) for v in (first, entry.after))
        text = f"**{plain(titles[entry.item])}**: {entry.field} {plain(before)} → {plain(after)}"
        blocks.append(PageBlock(f"news:{entry.item}:{entry.field}", "bullet", text))
    return blocks


def _first_value(changes: Sequence[HistoryEntry], cell: tuple[str, str]) -> object:
    """Return what the cell held before its first change of the period."""
    mine = [
        entry
        for entry in changes
        if (entry.item, entry.field) == cell and entry.action in ("observed", "resolved")
    ]
    return mine[-1].before


def _shown(field: str, value: object, person: Callable[[str], str]) -> str:
    if field == "owner" and isinstance(value, str):
        return person(value)
    return show(value)  # type: ignore[arg-type]
