"""Why a field says what it says: source, rule, base, what each tool shows, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.core.fields import CATALOGUE, FieldType
from syncd.core.model import Cell, Conflict, HistoryEntry, Item, Notice, StoredRecord
from syncd.core.records import Value
from syncd.core.rollup import Bucket
from syncd.core.rules import DERIVED, SHARED, Roadmap
from syncd.core.values import same


@dataclass(frozen=True, slots=True)
class ToolView:
    """What one tool has to do with a field.

    `state`: agrees, owner, pending, refused, conflict, held (nothing is written now) or gone.
    """

    connection: str
    key: str
    url: str
    shows: Value
    state: str
    rule: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to say about one field of one item."""

    item: str
    title: str
    level: str
    field: str
    value: Value
    owner: str
    rule: str
    because: str
    cycle: int | None
    author: str | None
    previous: Value
    tools: tuple[ToolView, ...]
    conflict: Conflict | None
    notices: tuple[Notice, ...]
    history: tuple[HistoryEntry, ...]
    would_change: str


def explain(
    roadmap: Roadmap,
    item: Item,
    name: str,
    records: Mapping[str, StoredRecord],
    conflicts: Sequence[Conflict],
    notices: Sequence[Notice],
    history: Sequence[HistoryEntry],
) -> Explanation:
    """Explain a field. `conflicts` and `notices` are those of the item; `history` that of the field."""
    rule = roadmap.fields[name]
    owner = rule.owners.get(item.level, "")
    provenance = item.provenance.get(name)
    conflict = next((c for c in conflicts if c.field == name and c.resolved_at is None), None)
    tools: list[ToolView] = []
    gone = " and ".join(c for c, stored in records.items() if stored.gone_since is not None)
    for connection in roadmap.connections:
        cell_rule = roadmap.cells_of(item.level, connection).get(name)
        stored = records.get(connection)
        if cell_rule is None or stored is None:
            continue
        cell = stored.cells.get(name)
        state, detail = _state(rule.type, item.fields.get(name), owner, connection, cell, conflict)
        if cell is not None and state == "agrees" and _undone(rule.type, connection, cell, history):
            state, detail = "held", "put back by an undo; it stays until the field changes again"
        if stored.gone_since is not None:
            state, detail = "gone", "the record was deleted there, or taken out"
        elif state == "pending" and gone:
            state, detail = "held", f"nothing is written while the record in {gone} is deleted"
        tools.append(
            ToolView(
                connection,
                stored.record.key,
                stored.record.url,
                _shows(connection, cell, conflict),
                state,
                cell_rule.place.short,
                detail,
            )
        )
    return Explanation(
        item=item.id,
        title=item.title,
        level=item.level,
        field=name,
        value=item.fields.get(name),
        owner=owner,
        rule=rule.place.short,
        because=_because(roadmap, item, name, owner),
        cycle=provenance.cycle if provenance else None,
        author=provenance.author if provenance else None,
        previous=provenance.previous if provenance else None,
        tools=tuple(tools),
        conflict=conflict,
        notices=tuple(n for n in notices if n.field in ("", name) or n.field.endswith(f".{name}")),
        history=tuple(history),
        would_change=_would_change(name, owner),
    )


def _shows(connection: str, cell: Cell | None, conflict: Conflict | None) -> Value:
    """Return what a tool holds; a disputed cell's base is what was agreed before, not what it holds."""
    claims = conflict.claims if conflict is not None else ()
    for claim in claims:
        if claim.connection == connection:
            return claim.value
    return cell.base if cell else None


def _state(
    kind: object,
    value: Value,
    owner: str,
    connection: str,
    cell: Cell | None,
    conflict: Conflict | None,
) -> tuple[str, str]:
    if conflict is not None:
        return "conflict", conflict.reason
    if cell is None:
        return "pending", "not looked at yet"
    if cell.refused is not None:
        return "refused", cell.refused
    if same(kind, cell.base, value):  # type: ignore[arg-type]
        return ("owner", "decides") if owner == connection else ("agrees", "")
    if cell.has_sent and same(kind, cell.sent, value):  # type: ignore[arg-type]
        return "agrees", "the tool spells the value its own way"
    return "pending", "still to be written"


def _undone(kind: FieldType, connection: str, cell: Cell, history: Sequence[HistoryEntry]) -> bool:
    """Tell whether a tool shows what an undo put back, and not what the roadmap says."""
    last = next((e for e in history if e.connection == connection and e.action == "undone"), None)
    return last is not None and same(kind, cell.base, last.after) and cell.base != cell.sent


def _because(roadmap: Roadmap, item: Item, name: str, owner: str) -> str:
    provenance = item.provenance.get(name)
    if provenance is None:
        return "no tool has given it a value yet"
    if owner == DERIVED:
        return _computed(roadmap, item, name)
    if provenance.source.startswith("undo:"):
        return f"undo {provenance.source.removeprefix('undo:')} took a person's decision back"
    if provenance.source.startswith("conflict:"):
        return f"a person settled conflict {provenance.source.removeprefix('conflict:')}"
    by = f" (edited by {provenance.author})" if provenance.author else ""
    if owner == SHARED:
        return f"it was set in {provenance.source}{by}; anyone may edit it"
    if provenance.source == owner:
        return f"{owner} owns it and says so{by}"
    return f"{provenance.source} brought it{by}; {owner} owns it and has not said otherwise"


def _computed(roadmap: Roadmap, item: Item, name: str) -> str:
    rule = roadmap.fields[name]
    if rule.of is not None:
        return f"it points to the item in {rule.of}"
    spec = rule.rollup
    buckets = {
        level: Bucket.load(data)  # type: ignore[arg-type]
        for level, data in (item.aggregate or {}).items()
        if spec is None or spec.of in (None, level)
    }
    parts = [f"{bucket.done} of {bucket.total} {level}s done" for level, bucket in buckets.items()]
    counted = ", ".join(parts) or "nothing below it counts"
    weight = f"; weight {spec.weight}, missing estimates {spec.missing}" if spec else ""
    what = CATALOGUE[name].doc if name in CATALOGUE else ""
    return f"computed from the leaves below: {counted}{weight}. {what}".strip()


def _would_change(name: str, owner: str) -> str:
    if owner == DERIVED:
        return "a change of the items below it"
    if owner == SHARED:
        return f"an edit of {name} in any of the tools"
    return f"an edit of {name} in {owner}"
