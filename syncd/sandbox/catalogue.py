"""The faults that can be switched on by id: what each one is, and how it is brought about.

A rule `{"id": "H2", "variant": "date"}` is the rule written in the tables under that id and variant,
with the rule's own rate, seed, matches and limits. Ids are those of the project's fault catalogue.
"""

from __future__ import annotations

from syncd.sandbox import catalogue_wire, catalogue_world
from syncd.sandbox.presets import Entry, Preset

__all__ = ["CATALOGUE", "ENTRIES", "NOT_OFFERED", "Entry", "preset"]

ENTRIES = (*catalogue_wire.ENTRIES, *catalogue_world.ENTRIES)
CATALOGUE = {entry.id: entry for entry in ENTRIES}

NOT_OFFERED = {
    "C7": "the client's own mapping file, half written or wrong",
    "C8": "the client's own mapping, refused when it is loaded",
    "K1": "the client's process is killed",
    "K2": "the client's process gets a signal",
    "K3": "the client's process runs out of memory, stack or threads",
    "K4": "a thread of the client's process hangs",
    "S1": "the power fails on the client's machine",
    "S2": "fsync fails on the client's machine",
    "S3": "the client's disk is full or read-only",
    "S4": "the client's state file is deleted or an old one is put there",
    "S5": "a bit flips in the client's state file",
    "S6": "the write-ahead log of the client's state file grows",
    "S7": "the client's migration is interrupted",
    "T1": "the clock of the client's machine jumps",
    "T3": "the client's machine sleeps in the middle of a request",
    "T4": "the zone of the client's machine changes",
    "M1": "a second client is started on the same state",
    "W2": "somebody uses the client's own controls during a cycle",
}
"""Ids that neither a service nor the network can cause, and what they are."""


def preset(fault: str, variant: str | None) -> Preset:
    """Return a variant of a fault as a rule, with `services`, `only` and `paths` filled in.

    Raises ValueError for unknown names.
    """
    entry = CATALOGUE.get(fault)
    if entry is None:
        reason = NOT_OFFERED.get(fault)
        if reason:
            raise ValueError(
                f"fault {fault} cannot be switched on, for no service and no network causes it: {reason}"
            )
        raise ValueError(f"there is no fault {fault!r}; 'syncd sandbox faults' lists them")
    name = next(iter(entry.variants)) if variant is None else variant
    if name not in entry.variants:
        known = ", ".join(filter(None, entry.variants)) or "none"
        raise ValueError(f"fault {fault} has no variant {variant!r}; it has: {known}")
    chosen = {"only": entry.only, "paths": entry.path, **entry.variants[name]}
    return {**chosen, "services": entry.services_of(name)}
