"""Step 6: what the guard holds back, what a person has approved, and what people are told of it.

Three documents: "held" is what waits now and what waited lately, for `status` and `approve`;
"approvals" are people's words, each for exactly what it names; "short:CONNECTION:SCOPE" is a list that
is not believed, or the length at which a person has said that it is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from syncd.core.guard import (
    Approval,
    Held,
    Key,
    Size,
    difference,
    excess,
    holding,
    shortfall,
)
from syncd.core.invariants import Facts, reasons
from syncd.core.model import HistoryEntry, Notice
from syncd.core.plan import Change, Plan
from syncd.core.ports import Store
from syncd.core.records import Scope
from syncd.engine.context import Context

HELD, APPROVALS, REVIEWED = "held", "approvals", "reviewed"
REMEMBERED = 5
"""How many plans that no longer wait are kept, to say how what waits now differs from them."""


def judge(context: Context, plan: Plan) -> dict[Key, str]:
    """Return the scopes that nothing is written to now, each with what to tell people."""
    by_scope: dict[Key, list[Change]] = {}
    for change in plan.changes:
        by_scope.setdefault((change.connection, change.scope), []).append(change)
    approvals = _valid(context)
    found: dict[Key, Held] = {}
    for scope in context.roadmap.scopes:
        key = (scope.connection, scope.id)
        changes = by_scope.get(key, [])
        held = (
            _short_list(context, scope, changes)
            or _against_the_rules(context, scope, changes, approvals)
            or _too_much(context, scope, changes, approvals)
        )
        if held is not None:
            found[key] = _with_note(context, held)
    _remember(context, found)
    return {key: held.sentence for key, held in found.items()}


def _too_much(
    context: Context, scope: Scope, changes: Sequence[Change], approvals: Sequence[Approval]
) -> Held | None:
    if not changes:
        return None
    key = (scope.connection, scope.id)
    filled = context.store.cursor(*key).filled
    created = len(context.ledger.created.get(key, ()))
    size = Size(scope.name, max(0, context.store.count(*key) - created), filled)
    held = excess(context.roadmap.limits, context.ledger, key, size, changes)
    approval = next((a for a in approvals if held is not None and a.covers(held)), None)
    if held is None or approval is None:
        return held
    context.ledger.let_pass(changes)
    detail = f"{held.why}: plan {approval.checksum}, approved by {approval.by}"
    context.store.append_history(
        [context.entry("", "", "released", scope.connection, detail=detail)]
    )
    return None


def _against_the_rules(
    context: Context, scope: Scope, changes: Sequence[Change], approvals: Sequence[Approval]
) -> Held | None:
    """Return what is held back because it would break a promise: a fault of ours, not of people."""
    if not changes:
        return None
    key = (scope.connection, scope.id)
    found = reasons(changes, _facts(context, key, changes))
    if not found:
        return None
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    why = f"a check of syncd's own stopped a plan that would {found[0]}{more}; please report it"
    held = holding("plan", key, scope.name, why, changes)
    return None if any(approval.covers(held) for approval in approvals) else held


def _facts(context: Context, key: Key, changes: Sequence[Change]) -> list[Facts]:
    store, roadmap = context.store, context.roadmap
    names = {change.item for change in changes}
    items, records = store.items(names), store.records_of(names)
    making = {(i.connection, i.item) for i in store.open_intents() if i.record is None}
    whole = store.cursor(*key).full_at is not None
    return [
        Facts(
            items.get(change.item),
            records.get(change.item, {}).get(change.connection),
            (change.connection, change.item) in making,
            whole,
            {name: rule.owners.get(change.level) for name, rule in roadmap.fields.items()},
            context.sent,
        )
        for change in changes
    ]


def _short_list(context: Context, scope: Scope, changes: Sequence[Change]) -> Held | None:
    """Return what is held back of a scope whose last list was not believed."""
    key = (scope.connection, scope.id)
    frozen = context.store.cursor(*key).frozen
    if frozen is None:
        return None
    short = shortage(
        context.store, scope
    )  # an older state has the sentence only, until the next read
    known = holding("list", key, scope.name, short.why if short else frozen, changes)
    return replace(known, checksum=short.checksum) if short else known


def _with_note(context: Context, held: Held) -> Held:
    """Return what is held back with what became of its approval, if a person gave one."""
    given = [each for each in approvals(context.store) if each.concerns(held)]
    return replace(held, note=_became(given[-1], held, context.clock.now())) if given else held


def _became(given: Approval, held: Held, now: float) -> str:
    """Return why an approval does not let this go on, as a clause."""
    news = difference(given.changes, held.changes) if given.checksum != held.checksum else ""
    if now <= given.until:
        what = f"{given.kind} {given.checksum}, which {given.by} approved, is another one"
        return f"{what}: {news}" if held.kind == "plan" else what
    expired = datetime.fromtimestamp(given.until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    what = f"the approval of {given.kind} {given.checksum} by {given.by} expired at {expired}"
    return f"{what}, and since then: {news}" if news and held.kind == "plan" else what


# lists that are not believed --------------------------------------------------------------------------


def believed(context: Context, scope: Scope, known: int, listed: int, lost: str = "") -> str | None:
    """Tell whether a full list can be believed: None, else the sentence that freezes its scope.

    A person may have said that it really is that short; then this length counts as what is known,
    until the list is whole again. `lost` as in `shortfall`.
    """
    store, name = context.store, _short_name(scope)
    key, limits = (scope.connection, scope.id), context.roadmap.limits
    note = store.document(name)
    said = int(note["accepted"]) if isinstance(note, dict) and "accepted" in note else None
    agreed = known if said is None else min(known, said)
    news = lost if said is None else ""
    short = shortfall(limits, key, scope.name, agreed, listed, news)
    if short is not None and any(a.covers(short) for a in _valid(context)):
        store.save_document(name, {"accepted": listed})
        store.append_history(
            [context.entry("", "", "released", scope.connection, detail=short.why)]
        )
        return None
    if short is not None:
        store.save_document(name, {**(note or {}), "held": _plain(short)})  # type: ignore[dict-item]
        return short.sentence
    whole = shortfall(limits, key, scope.name, known, listed, lost) is None
    after = None if whole else {"accepted": agreed}
    if note != after:
        store.save_document(name, after)
    return None


def shortage(store: Store, scope: Scope) -> Held | None:
    """Return what is held back because the scope's list is not believed."""
    note = store.document(_short_name(scope))
    return _held(note["held"]) if isinstance(note, dict) and "held" in note else None


def _short_name(scope: Scope) -> str:
    return f"short:{scope.connection}:{scope.id}"


# what people are told, and what they say --------------------------------------------------------------


def waiting(store: Store) -> tuple[Held, ...]:
    """Return what is held back, as of the last plan."""
    return _list_of(store, "now")


def waited(store: Store) -> tuple[Held, ...]:
    """Return what was held back before and is no more, newest first."""
    return _list_of(store, "past")


def _list_of(store: Store, name: str) -> tuple[Held, ...]:
    note = store.document(HELD)
    return tuple(map(_held, note.get(name, ()))) if isinstance(note, dict) else ()


def approvals(store: Store) -> tuple[Approval, ...]:
    """Return the approvals that are kept, oldest first, with those that lapsed while all waits still."""
    known = store.document(APPROVALS)
    return tuple(map(_approval, known)) if isinstance(known, list) else ()


def approve(store: Store, held: Held, by: str, at: float, until: float) -> Approval:
    """Store a person's word that this may go on, and that in the history."""
    approval = Approval(
        held.checksum, held.kind, held.connection, held.scope, held.name, by, at, until, held.changes
    )  # fmt: skip
    last = store.cycles(1)
    entry = HistoryEntry(
        last[0].number if last else 0, at, "", "", "approved", held.connection, author=by,
        detail=f"{held.why}: plan {held.checksum}",
    )  # fmt: skip
    with store.transaction():
        place = (held.kind, *held.key)
        others = [a for a in approvals(store) if (a.kind, a.connection, a.scope) != place]
        store.save_document(APPROVALS, [asdict(each) for each in [*others, approval]])
        store.append_history([entry])
    return approval


def _valid(context: Context) -> tuple[Approval, ...]:
    """Return the approvals that still hold."""
    now = context.clock.now()
    return tuple(each for each in approvals(context.store) if now <= each.until)


def _remember(context: Context, found: Mapping[Key, Held]) -> None:
    """Keep what waits for `status` and `approve`, and tell people; forget what no longer waits."""
    store = context.store
    before = waiting(store)
    now = list(found.values())
    sums = {held.checksum for held in now}
    past = [held for held in [*before, *waited(store)] if held.checksum not in sums]
    past = list({held.checksum: held for held in past}.values())[:REMEMBERED]
    fresh = set(found) - {held.key for held in before}
    with store.transaction():
        store.append_history(
            [
                context.entry("", "", "held", key[0], detail=found[key].sentence)
                for key in sorted(fresh)
            ]
        )
        if before or now:
            lists = {"now": [*map(_plain, now)], "past": [*map(_plain, past)]}
            store.save_document(HELD, lists)
        for key in {held.key for held in [*before, *now]}:
            subject = f"held:{key[0]}:{key[1]}"
            held = found.get(key)
            # of a short list the reader tells
            told = [held] if held is not None and held.kind == "plan" else []
            store.replace_notices(
                subject, [Notice("frozen", subject, "", h.sentence) for h in told]
            )
    _expire(context, now)


def _expire(context: Context, held: Sequence[Held]) -> None:
    """Drop the approvals that have expired; one for what waits still lapses, and that is told."""
    known = approvals(context.store)
    now = context.clock.now()
    kept = [each for each in known if now <= each.until or any(map(each.concerns, held))]
    after = [replace(each, lapsed=now > each.until) for each in kept]
    lapsed = [each for each in after if each.lapsed and each not in known]
    if tuple(after) == known:
        return
    with context.store.transaction():
        context.store.save_document(APPROVALS, [asdict(each) for each in after])
        context.store.append_history([_lapse(context, each) for each in lapsed])


def _lapse(context: Context, each: Approval) -> HistoryEntry:
    detail = f"{each.kind} {each.checksum} for {each.name}, not carried out in time"
    return context.entry("", "", "lapsed", each.connection, author=each.by, detail=detail)


def review(store: Store, plan: Plan) -> None:
    """Remember a plan that a person was shown, to say later how the world has moved since."""
    changes = {f"{c.connection} {n}": v for c in plan.changes for n, v in _named(c).items()}
    store.save_document(REVIEWED, {"checksum": plan.checksum, "changes": changes})


def moved(store: Store, approved: str, plan: Plan) -> str:
    """Return how a plan differs from the one that was reviewed, as part of a sentence."""
    known: Any = store.document(REVIEWED)
    if not isinstance(known, dict) or known.get("checksum") != approved:
        return ""
    before = {name: (each[0], each[1]) for name, each in known["changes"].items()}
    now = {f"{c.connection} {n}": v for c in plan.changes for n, v in _named(c).items()}
    return f" ({difference(before, now)})"


def _named(change: Change) -> Mapping[str, tuple[str, str]]:
    return holding("plan", ("", ""), "", "", [change]).changes


def _plain(held: Held) -> dict[str, object]:
    return asdict(held)


def _held(data: Mapping[str, Any]) -> Held:
    gists = tuple(data["gists"])
    return Held(**{**data, "changes": _pairs(data["changes"]), "gists": gists})


def _approval(data: Mapping[str, Any]) -> Approval:
    return Approval(**{**data, "changes": _pairs(data["changes"])})


def _pairs(data: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, str]]:
    return {name: (each[0], each[1]) for name, each in data.items()}
