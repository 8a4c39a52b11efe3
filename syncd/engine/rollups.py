"""Step 4: carry roll-ups from changed items up to their ancestors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from syncd.core.health import assess
from syncd.core.model import Item, Notice, Provenance
from syncd.core.records import Value
from syncd.core.rollup import derive, fold, leaf, open_below
from syncd.core.rules import DERIVED, FieldRule, RollupSpec
from syncd.core.values import same
from syncd.engine.context import Context

BATCH = 200
"""Items reconciled in one transaction: bounds memory and the work lost by a kill."""

DEEPEST = 40
"""No roadmap is deeper; more ancestors than this mean a circle of parents."""


def set_derived(
    context: Context,
    fields: dict[str, Value],
    provenance: dict[str, Provenance],
    rule: FieldRule,
    value: Value,
) -> None:
    """Set a derived field and why it has its value, unless it says the same already."""
    if rule.name in provenance and same(rule.type, fields.get(rule.name), value):
        return
    provenance[rule.name] = Provenance(
        DERIVED, rule.place.short, context.cycle, None, fields.get(rule.name)
    )
    fields[rule.name] = value


def roll_up(context: Context, items: Iterable[str]) -> None:
    """Recompute these items from their children, then their ancestors while anything changes."""
    level = sorted(items)
    for _ in range(DEEPEST):
        above: set[str] = set()
        for start in range(0, len(level), BATCH):
            with context.store.transaction():
                above |= roll_up_once(context, level[start : start + BATCH])
        if not above:
            return
        level = sorted(above)


def roll_up_once(context: Context, items: Collection[str]) -> set[str]:
    """Recompute these items from their children; returns the parents for whom that changes anything."""
    store = context.store
    below = {
        item: [each for each in found if each != {}]  # of a child nothing of which is left
        for item, found in store.aggregates(items).items()
    }
    gone = store.gone_items([item for item in items if not below.get(item)])
    above: set[str] = set()
    changed: list[Item] = []
    for item in store.items(items).values():
        news = _derived(context, item, below.get(item.id), gone=item.id in gone)
        if news == item:
            continue
        changed.append(news)
        context.touch(item.level)
        _note_open(context, item, news)
        if news.aggregate != item.aggregate and item.parent is not None:
            above.add(item.parent)
    store.save_items(changed)
    store.mark_dirty(
        {*(item.id for item in changed), *above}
    )  # should we be killed before their turn
    return above


def _note_open(context: Context, old: Item, new: Item) -> None:
    """Tell when an item is done while something below it is not, and when that has ended."""
    before = open_below(old.fields, old.aggregate)
    now = open_below(new.fields, new.aggregate)
    if before == now:
        return
    subject = f"rollup:{new.id}"
    sentence = (
        f"{new.title} is done, but {now} below it still open; close or move what is below, "
        f"or open {new.title} again"
    )
    notices = [Notice("inconsistent", subject, "status", sentence)] if now else []
    context.store.replace_notices(subject, notices)


def _derived(
    context: Context,
    item: Item,
    children: Sequence[Mapping[str, object] | None] | None,
    *,
    gone: bool,
) -> Item:
    """Return the item with its aggregate and derived fields as its children now make them.

    One that no tool holds any more, nor anything below it, counts nowhere: its aggregate is empty.
    """
    below = fold(children) if children else None
    alone = {} if gone else leaf(item.level, item.fields)
    aggregate = below if below is not None else alone
    fields, provenance = dict(item.fields), dict(item.provenance)
    computed: dict[RollupSpec, dict[str, Value]] = {}
    for rule in context.roadmap.fields.values():
        spec = rule.rollup
        if spec is None or rule.owners.get(item.level) != DERIVED:
            continue
        if spec not in computed:
            computed[spec] = derive(spec, fields, below)
        if rule.name == "computed_health":
            today = datetime.fromtimestamp(context.clock.now(), UTC).date()
            value: Value = assess({**fields, **computed[spec]}, today).health
        else:
            value = computed[spec].get(rule.name)
        set_derived(context, fields, provenance, rule, value)
    if fields == item.fields and aggregate == item.aggregate:
        return item
    return replace(
        item,
        fields=fields,
        provenance=provenance,
        aggregate=aggregate,
        version=item.version + 1,
    )
