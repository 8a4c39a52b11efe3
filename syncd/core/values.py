"""Normal forms of canonical values: two values are the same when their normal forms are equal.

Services trim, collapse and re-spell what they are given; a difference that only they made must never
look like somebody's edit.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from datetime import date
from hashlib import blake2b

from syncd.core.fields import STATUSES, FieldType
from syncd.core.records import Value

_SPACES = re.compile(r"[ \t\u00a0\u200b]+")
_LINES = {FieldType.RICH_TEXT}


def normal(kind: FieldType, value: Value) -> Value:
    """Return the form in which values of a type are compared; idempotent, never raises."""
    if isinstance(value, str):
        return _normal_text(kind, value)
    if isinstance(value, tuple):
        return tuple(sorted({unicodedata.normalize("NFC", part) for part in value})) or None
    if isinstance(value, bool) or value is None:
        return value
    number = round(float(value), 6)
    return 0.0 if number == 0 else number


def _normal_text(kind: FieldType, value: str) -> str | None:
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    if kind in _LINES:
        lines = [_SPACES.sub(" ", line).strip() for line in text.split("\n")]
        return "\n".join(line for line in lines if line) or None
    return " ".join(_SPACES.sub(" ", text).split()) or None


def same(kind: FieldType, one: Value, other: Value) -> bool:
    """Tell whether two canonical values mean the same."""
    return one == other or normal(kind, one) == normal(kind, other)


def show(value: Value, limit: int = 60) -> str:
    """Return a value as one short line for people."""
    if value is None:
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        text = ", ".join(value)
    elif isinstance(value, float):
        text = f"{round(value, 6):.15g}"
    else:
        text = " ".join(str(value).split())
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def digest(data: object, size: int = 8) -> str:
    """Return a short hexadecimal digest of JSON-able data; equal data gives equal digests."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=size).hexdigest()


def _number(words: str) -> float:
    try:
        number = float(words)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{words!r} is not a number; write it like 3 or 2.5")
    return number


def parse(kind: FieldType, text: str) -> Value:
    """Return the canonical value a person typed; raises ValueError with a sentence."""
    words = text.strip()
    if not words:
        return None
    if kind is FieldType.NUMBER:
        return _number(words)
    if kind is FieldType.CHECKBOX:
        return words.lower() in ("yes", "true", "1", "on")
    if kind is FieldType.DATE:
        try:
            return date.fromisoformat(words).isoformat()
        except ValueError:
            raise ValueError(f"{words!r} is not a date; write it like 2026-12-31") from None
    if kind in (FieldType.MULTI_SELECT, FieldType.PEOPLE):
        return tuple(sorted({part.strip() for part in words.split(",") if part.strip()})) or None
    if kind is FieldType.STATUS and words not in STATUSES:
        raise ValueError(f"{words!r} is not a status; write one of {', '.join(STATUSES)}")
    return text if kind is FieldType.RICH_TEXT else words
