"""The auditor: now and then some items are read again and held against all that is believed of them.

A cycle reads what services say has changed; the auditor is there for what they do not say, and for
faults of ours. What it finds is told with its evidence and put right by the next cycle, not by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from syncd.core.errors import SourceError
from syncd.core.fields import STATUSES
from syncd.core.model import Item, Notice, StoredRecord
from syncd.core.records import Record
from syncd.core.rules import DERIVED, RollupSpec, UnmappedError
from syncd.core.values import same, show
from syncd.engine.agree import decoded
from syncd.engine.context import Context
from syncd.engine.cycle import forgotten
from syncd.engine.fetch import observe

SAMPLE = 10
"""Items of one audit: with three tools about a dozen requests."""

EVERY = 3600.0
"""Seconds between two audits of a daemon."""

_AFTER = "audited"
"""Document that names the item up to which the last audit came."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it is believed to be. `kind`: unseen, forgotten, sum."""

    kind: str
    item: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What one audit came to."""

    items: int
    cells: int
    findings: tuple[Finding, ...]


def next_sample(context: Context, many: int = SAMPLE) -> tuple[str, ...]:
    """Return the items whose turn it is: every item is audited once before any is audited again."""
    after = context.store.document(_AFTER)
    ids = context.store.item_ids(after if isinstance(after, str) else "", many)
    context.store.save_document(_AFTER, ids[-1] if len(ids) == many else "")
    return ids


def audit(context: Context, ids: Iterable[str]) -> Audit:
    """Audit these items. A service that cannot be asked is left out and noted in the context."""
    store, wanted = context.store, list(ids)
    context.cycle = context.cycle or store.next_cycle()
    busy = set(store.dirty())
    items, records = store.items(wanted), store.records_of(wanted)
    fresh = _read_again(context, [r for each in records.values() for r in each.values()])
    findings = [*_unseen(context, items, records, fresh), *_sums(context, items.values())]
    changed = {finding.item for finding in findings if finding.kind == "unseen"}
    findings += _forgotten(context, [i for i in items if i not in busy | changed])
    with store.transaction():
        for item in items:
            told = [
                Notice("audit", f"audit:{item}", f.kind, f.sentence)
                for f in findings
                if f.item == item
            ]
            store.replace_notices(f"audit:{item}", told)
        store.mark_dirty({finding.item for finding in findings})
    return Audit(len(items), sum(len(record.fields) for record in fresh.values()), tuple(findings))


def _read_again(context: Context, records: Iterable[StoredRecord]) -> dict[tuple[str, str], Record]:
    """Return the records as the services show them now, by (connection, id)."""
    by_scope: dict[tuple[str, str], list[str]] = {}
    for stored in records:
        if stored.gone_since is None and stored.record.connection in context.healthy():
            place = stored.record.connection, stored.record.container
            by_scope.setdefault(place, []).append(stored.record.id)
    fresh: dict[tuple[str, str], Record] = {}
    for (connection, container), ids in by_scope.items():
        try:
            scope = context.roadmap.scope_of(connection, container)
            found = context.adapters[connection].read(scope, ids)
        except KeyError:
            continue  # the mapping no longer uses the container
        except SourceError as error:
            context.failed(connection, error)
            continue
        fresh.update({(connection, record.id): record for record in found})
    return fresh


def _unseen(
    context: Context,
    items: dict[str, Item],
    records: dict[str, dict[str, StoredRecord]],
    fresh: dict[tuple[str, str], Record],
) -> Iterator[Finding]:
    """Find changes that a service has never told of: the record is as old as we know it, and different."""
    for item_id, item in items.items():
        for connection, stored in records.get(item_id, {}).items():
            record = fresh.get((connection, stored.record.id))
            if record is None or record.updated > stored.record.updated:
                continue  # what has just been edited is the next cycle's to read
            names = list(_different(context, item, stored, record))
            if names:
                observe(context, (record,))
            for name, said in names:
                sentence = (
                    f"{record.key} in {connection} shows {name} {said}, and {connection} has told of no "
                    f"change since {stored.record.updated}; it is read now, and the next cycle settles it"
                )
                yield Finding("unseen", item_id, item.title, sentence)


def _different(
    context: Context, item: Item, stored: StoredRecord, fresh: Record
) -> Iterator[tuple[str, str]]:
    for name, rule in context.roadmap.cells_of(item.level, fresh.connection).items():
        if fresh.fields.get(rule.remote) == stored.record.fields.get(rule.remote):
            continue
        try:
            now, before = decoded(context, rule, fresh), decoded(context, rule, stored.record)
        except UnmappedError:
            continue  # people are told of these by themselves
        if not same(context.roadmap.fields[name].type, now, before):
            yield name, f"{show(now)} instead of {show(before)}"


def _forgotten(context: Context, ids: Iterable[str]) -> Iterator[Finding]:
    """Find what would be written if anybody thought of it: the work set has lost it."""
    for change in forgotten(context, tuple(ids)):
        fields = ", ".join(cell.field for cell in change.cells)
        sentence = (
            f"{change.title} is not in step with {change.connection} ({fields}), and nothing was about "
            f"to change that; the next cycle does; please report it"
        )
        yield Finding("forgotten", change.item, change.title, sentence)


def _sums(context: Context, items: Iterable[Item]) -> Iterator[Finding]:
    """Count the leaves below again, the plain way, and compare what is published (I18)."""
    fields = context.roadmap.fields
    if "items_total" not in fields or "items_done" not in fields:
        return
    for item in items:
        rule = fields["items_total"]
        if rule.owners.get(item.level) != DERIVED:
            continue
        counted = _count(context, item, rule.rollup or RollupSpec())
        told = item.fields.get("items_done"), item.fields.get("items_total")
        if told != counted:
            sentence = (
                f"{item.title} says {show(told[0])} of {show(told[1])} done, and the leaves below it are "
                f"{counted[0]:g} of {counted[1]:g}; the next cycle counts again; please report it"
            )
            yield Finding("sum", item.id, item.title, sentence)


def _count(context: Context, item: Item, spec: RollupSpec) -> tuple[float, float]:
    done = total = 0
    for leaf in _leaves(context, item):
        group = STATUSES.get(str(leaf.fields.get("status") or "planned"), "new")
        if group != "cancelled" and spec.of in (None, leaf.level):
            total += 1
            done += group == "done"
    return float(done), float(total)


def _leaves(context: Context, item: Item) -> Iterator[Item]:
    for child in context.store.children(item.id):
        below = list(_leaves(context, child))
        yield from below or [child]
