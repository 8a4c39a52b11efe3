"""One cycle: fetch, map, reconcile, plan, guard, journal, apply, publish, report."""

from __future__ import annotations
