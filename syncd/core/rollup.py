"""Roll-ups: what an item says about everything below it.

Each item carries an *aggregate*, the mergeable sum over the set of leaves below it, kept apart by the
leaves' level so that `of: work_item` can pick. A parent's aggregate is the sum of its children's; a
change of one leaf therefore costs its ancestors and their direct children, never the tree.

Definitions (also in docs/explanation/rollups.md):

* A leaf is an item without children. Done is decided by the status category. A cancelled leaf counts
  neither as done nor in the total; it is reported as cut.
* An item that has been deleted in every tool counts nowhere: as a leaf its aggregate is empty, and above it
  it is no child. What still lives below it counts.
* Weight of a leaf: its estimate; a leaf without one weighs the median of the estimated leaves below the
  same item (`missing: median`) or nothing (`missing: zero`). With no estimate anywhere, or with
  `weight: count`, every leaf weighs 1.
* An item's own estimate E beside the sum S of its leaves: the scope is max(E, S); E - S, when positive,
  is published as `points_unrefined` and never added on top of S.
* Dates: earliest start and latest due date of the leaves that are not cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from syncd.core.fields import STATUSES
from syncd.core.records import Value
from syncd.core.rules import RollupSpec


@dataclass(slots=True)
class Bucket:
    """Leaves of one level: counts by status, points by size, dates."""

    statuses: dict[str, int] = field(default_factory=dict)
    points: dict[float, list[int]] = field(default_factory=dict)  # size -> [open, done], not cut
    bare: list[int] = field(default_factory=lambda: [0, 0])  # not estimated: [open, done], not cut
    start: str | None = None
    end: str | None = None
    undated: int = 0

    def add(self, other: Bucket) -> None:
        """Add another bucket's leaves to this one."""
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count
        for size, (todo, done) in other.points.items():
            mine = self.points.setdefault(size, [0, 0])
            mine[0] += todo
            mine[1] += done
        self.bare = [self.bare[0] + other.bare[0], self.bare[1] + other.bare[1]]
        self.start = min(filter(None, (self.start, other.start)), default=None)
        self.end = max(filter(None, (self.end, other.end)), default=None)
        self.undated += other.undated

    @property
    def total(self) -> int:
        """Return the number of leaves that are not cut."""
        return sum(n for status, n in self.statuses.items() if category(status) != "cancelled")

    @property
    def done(self) -> int:
        """Return the number of leaves done."""
        return sum(n for status, n in self.statuses.items() if category(status) == "done")

    def data(self) -> dict[str, object]:
        """Return the bucket as JSON-able data, in one spelling."""
        return {
            "statuses": dict(sorted(self.statuses.items())),
            "points": [[size, *counts] for size, counts in sorted(self.points.items())],
            "bare": list(self.bare),
            "start": self.start,
            "end": self.end,
            "undated": self.undated,
        }

    @classmethod
    def load(cls, data: Mapping[str, object]) -> Bucket:
        """Return the bucket that `data` made this of."""
        points: Iterable[tuple[float, int, int]] = data["points"]  # type: ignore[assignment]
        return cls(
            statuses=dict(data["statuses"]),  # type: ignore[call-overload]
            points={float(size): [todo, done] for size, todo, done in points},
            bare=list(data["bare"]),  # type: ignore[call-overload]
            start=data["start"],  # type: ignore[arg-type]
            end=data["end"],  # type: ignore[arg-type]
            undated=data["undated"],  # type: ignore[arg-type]
        )


def category(status: str) -> str:
    """Return the category of a canonical status; an unknown or missing one counts as new."""
    return STATUSES.get(status, "new")


def leaf(level: str, fields: Mapping[str, Value]) -> dict[str, object]:
    """Return the aggregate of an item without children."""
    status = str(fields.get("status") or "planned")
    bucket = Bucket(statuses={status: 1})
    kind = category(status)
    if kind != "cancelled":
        done = int(kind == "done")
        estimate = fields.get("estimate")
        if isinstance(estimate, float | int) and not isinstance(estimate, bool) and estimate >= 0:
            bucket.points[float(estimate)] = [1 - done, done]
        else:
            bucket.bare = [1 - done, done]
        start, due = fields.get("start"), fields.get("due")
        bucket.start = start if isinstance(start, str) else None
        bucket.end = due if isinstance(due, str) else None
        bucket.undated = int(bucket.end is None)
    return {level: bucket.data()}


def fold(children: Iterable[Mapping[str, object] | None]) -> dict[str, object]:
    """Return the sum of aggregates."""
    sums: dict[str, Bucket] = {}
    for aggregate in children:
        for level, data in (aggregate or {}).items():
            sums.setdefault(level, Bucket()).add(Bucket.load(data))  # type: ignore[arg-type]
    return {level: bucket.data() for level, bucket in sorted(sums.items())}


def derive(
    spec: RollupSpec, fields: Mapping[str, Value], aggregate: Mapping[str, object] | None
) -> dict[str, Value]:
    """Return the derived fields of an item with children; `aggregate` is None for a leaf."""
    bucket = Bucket()
    for level, data in (aggregate or {}).items():
        if spec.of in (None, level):
            bucket.add(Bucket.load(data))  # type: ignore[arg-type]
    done_points = sum(size * done for size, (_todo, done) in bucket.points.items())
    points = sum(size * (todo + done) for size, (todo, done) in bucket.points.items())
    estimate = fields.get("estimate")
    own = float(estimate) if isinstance(estimate, float | int) else 0.0
    estimated = sum(map(sum, bucket.points.values()))
    total, done = bucket.total, bucket.done
    return {
        "progress": _progress(spec, bucket, own),
        "items_done": float(done),
        "items_total": float(total),
        "items_cut": float(sum(bucket.statuses.values()) - total),
        "points_done": _number(done_points),
        "points_total": _number(points),
        "points_unrefined": _number(max(0.0, own - points)) if total else 0.0,
        "coverage": round(estimated / total, 4) if total else None,
        "done_of_total": _sentence(done, total, done_points, points),
        "rolled_status": _status(bucket),
        "rolled_start": bucket.start,
        "rolled_end": bucket.end,
    }


def open_below(item_fields: Mapping[str, Value], aggregate: Mapping[str, object] | None) -> int:
    """Return how many leaves below an item are open although the item itself is done.

    A done parent goes on being computed from its leaves; the contradiction is told, not hidden.
    """
    if category(str(item_fields.get("status") or "")) != "done":
        return 0
    buckets = [Bucket.load(data) for data in (aggregate or {}).values()]  # type: ignore[arg-type]
    return sum(bucket.total - bucket.done for bucket in buckets)


def _number(value: float) -> float:
    return round(value, 4)


def _sentence(done: int, total: int, done_points: float, points: float) -> str | None:
    if not total:
        return None
    text = f"{done}/{total} items"
    return f"{text}, {_number(done_points):.15g}/{_number(points):.15g} pts" if points else text


def median(points: Mapping[float, list[int]]) -> float | None:
    """Return the median size of the estimated leaves (mean of the middle two), None when there are none."""
    sizes = sorted((size, sum(counts)) for size, counts in points.items())
    count = sum(n for _size, n in sizes)
    if not count:
        return None
    low, high = (count - 1) // 2, count // 2
    found, seen = [], 0
    for size, n in sizes:
        found += [size for rank in (low, high) if seen <= rank < seen + n]
        seen += n
    return sum(found) / 2


def _progress(spec: RollupSpec, bucket: Bucket, own: float) -> float | None:
    if not bucket.total:
        return None
    sizes = bucket.points if spec.weight == "points" else {}
    typical = median(sizes)
    if typical is None or (typical == 0 and not any(sizes)):
        return round(bucket.done / bucket.total, 4)
    imputed = typical if spec.missing == "median" else 0.0
    done = sum(size * n[1] for size, n in sizes.items()) + imputed * bucket.bare[1]
    total = sum(size * sum(n) for size, n in sizes.items()) + imputed * sum(bucket.bare)
    scope = max(own, total)
    return round(done / scope, 4) if scope else round(bucket.done / bucket.total, 4)


def _status(bucket: Bucket) -> str | None:
    present = {status for status, count in bucket.statuses.items() if count}
    kinds = {category(status) for status in present}
    live = kinds - {"cancelled"}
    if not present:
        return None
    if not live:
        return "cancelled"
    if live == {"done"}:
        return "done"
    if "in progress" in present or "done" in live:
        return "in progress"
    if "blocked" in present:
        return "blocked"
    return "idea" if present <= {"idea", "cancelled"} else "planned"
