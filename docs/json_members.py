"""What `--json` prints: for each command the members of its object, or of each object in its list.

Shown in docs/reference/commands.md; tests/endtoend/test_json_documented.py holds it against what the
commands print.
"""
# ruff: noqa: INP001 - a script's data, not a package

from __future__ import annotations

_CYCLE = {
    "number": "of the cycle",
    "started_at": "epoch seconds",
    "seconds": "it took",
    "tallies": "by connection: read, changed, created, updated, corrected, refused, unknown, "
    "skipped, and error (null, or why it was left out)",
    "items": "in the roadmap",
    "conflicts": "open",
    "notices": "how many",
    "pages": "blocks written on pages",
    "frozen": "sentences: what is held back, and how to let it go on",
    "rounds": "how often it planned anew",
    "complete": "false when more is to be done in the next cycle",
    "writes": "in all tools, blocks of pages included",
}
_HELD = (
    "a list: checksum, kind (plan or list), connection, scope, why, note (what became of an approval), "
    "creates, updates, changes"
)
_HOT = (
    "what waits since a person has just edited it: item, title, connection, key, fields, by, until"
)
_CONFLICT = {
    "id": "for `syncd conflicts`",
    "item": "its id",
    "title": "of the item",
    "field": "in question",
    "base": "what was last agreed",
    "claims": "a list: connection, value, author, at (the tool's time)",
    "reason": "why a person is asked",
    "rule": "file and line",
    "opened_cycle": "number",
    "opened_at": "epoch seconds",
    "resolved_at": "epoch seconds, null while open",
    "resolution": "the value a person chose",
    "resolved_by": "who chose it",
    "held": "true when only a person ends it",
}
_STATE = {
    "schema": "of the file",
    "items": "how many",
    "records": "how many",
    "history": "entries",
    "cycle": "the last one begun",
    "content": "a digest: equal ones, nothing was learnt or decided in between",
}

JSON: dict[str, dict[str, str]] = {
    "plan": {
        "checksum": "for `syncd apply --checksum`",
        "changes": "a list: kind, connection, scope, item, title, level, record, key, and cells, each "
        "with field, remote_name, old, new, old_shown, new_shown, rule, reason",
        "frozen": "sentences: what is held back",
        "held": _HELD,
        "hot": _HOT,
    },
    "apply": _CYCLE,
    "approve": {
        "checksum": "of what was approved",
        "kind": "plan or list",
        "connection": "of the scope",
        "scope": "its id",
        "name": "of the scope",
        "by": "who approved it",
        "at": "epoch seconds",
        "until": "epoch seconds",
        "changes": "change -> digest of its values, title",
        "lapsed": "true when it has expired and what it was for still waits",
    },
    "approve --list": {"held": _HELD, "approved": "a list of approvals, as above"},
    "adopt": {
        "level": "of the review (a list: one object for each)",
        "connection": "likewise",
        "proposed": "pairs: id, stranger, item, score, reasons, title, url, item_title, item_key",
        "ambiguous": "a list: stranger, and candidates (pairs)",
        "new": "records nobody recognises: record, title",
        "created": "what would be created there: item, title",
    },
    "run": {**_CYCLE, "orphans": "items without their parent", "errors": "connection -> sentence"},
    "status": {
        "roadmap": "its name",
        "items": "how many",
        "last_cycle": "as of `syncd apply`, or null",
        "scopes": "a list: connection, scope, records, read_at, full_read_at, frozen",
        "held": _HELD,
        "hot": _HOT,
        "conflicts": "a list: the open ones",
        "notices": "a list: kind, subject, field, sentence, since",
        "unsettled_writes": "how many have no answer yet",
    },
    "history": {
        "cycle": "number (a list, newest first: one object for each entry)",
        "at": "epoch seconds",
        "item": "its id, empty where the entry is about a whole scope",
        "field": "or empty",
        "action": "observed, wrote, merged, corrected, conflict, resolved, approved, ...",
        "connection": "or empty",
        "before": "value",
        "after": "value",
        "author": "person, or null",
        "rule": "file and line",
        "detail": "a clause",
    },
    "undo": {
        "what": "is undone",
        "undo": "the number of this undo, null while it is only shown",
        "checksum": "for --checksum",
        "back": "a list of what is put back: item, title, field, connection, now, target",
        "left": "the same for what is left, with why",
        "created": "entries of history: records that stay",
        "called_off": "cells of an earlier undo that are not written any more",
    },
    "audit": {
        "items": "looked at",
        "cells": "looked at",
        "findings": "a list: kind (unseen, forgotten, sum), item, title, sentence",
        "errors": "connection -> why it could not be asked",
    },
    "simulate": {
        "tier": "model or clients",
        "first_seed": "of the first schedule",
        "schedules": "how many",
        "seconds": "it took",
        "schedules_per_second": "on this machine",
        "simulated_hours": "in all",
        "digest": "equal for equal seeds and code",
        "figures": "what happened: edits, crashes, calls, writes, ...",
        "failures": "seed -> what was broken; empty when all is well",
    },
    "conflicts list": _CONFLICT,
    "conflicts show": _CONFLICT,
    "state backup": _STATE,
    "state verify": _STATE,
    "state restore": _STATE,
    "state restored": _STATE,
}
