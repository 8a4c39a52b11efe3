"""Identifiers as Notion makes them: UUIDs with a prefix per day, four-character property ids."""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

_UUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")
_PROPERTY_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:;<=>?@[\\]^_`{|}~"
_SAFE = "-_.!~*'()"  # what JavaScript's encodeURIComponent leaves alone

TAGS = {"data_source": "000b", "view": "000c", "comment": "001d", "discussion": "001c"}
TAGS["file_upload"] = "00b2"


def parse_uuid(text: object) -> str | None:
    """Return a UUID in dashed lower-case form, or None if the text is none."""
    if not isinstance(text, str):
        return None
    match = _UUID.fullmatch(text.lower())
    return "-".join(match.groups()) if match else None


def plain(identifier: str) -> str:
    """Return a UUID without dashes, as it stands in addresses."""
    return identifier.replace("-", "")


@lru_cache(maxsize=4096)
def encode_property(identifier: str) -> str:
    """Return a property id as responses show it (`;A?a` as `%3BA%3Fa`)."""
    return quote(identifier, safe=_SAFE)


def decode_property(identifier: str) -> str:
    """Return the raw form of a property id."""
    return unquote(identifier)


class Ids:
    """Makes all identifiers from one seed, so that equal calls give equal ids."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        # Requests have a generator of their own: reading must not change ids made later.
        self._requests = random.Random(~seed)  # noqa: S311 - repeatable on purpose
        self._workspace = f"{self._random.getrandbits(36):09x}"

    def uuid4(self) -> str:
        """Return a wholly random UUID (databases, options)."""
        return _version_4(self._random)

    def request(self) -> str:
        """Return the id of a request."""
        return _version_4(self._requests)

    def make(self, kind: str, now: float) -> str:
        """Return the id of a new page, block, data source, view, comment or upload.

        As in real traffic the first three digits tell the day and the next nine the workspace.
        """
        day = int(now // 86400) & 0xFFF
        tag = TAGS.get(kind, "")
        tail = f"{self._random.getrandbits(48):012x}"
        middle = f"81{self._random.getrandbits(8):02x}{8 + self._random.getrandbits(2):x}"
        middle += f"{self._random.getrandbits(12):03x}"
        return _dashed(f"{day:03x}{self._workspace}{middle}{tag}{tail[len(tag) :]}")

    def property_id(self, taken: Collection[str]) -> str:
        """Return a property id not in `taken`, raw (not percent-encoded)."""
        while True:
            found = "".join(self._random.choices(_PROPERTY_CHARACTERS, k=4))
            if found not in taken:
                return found

    def choice(self, values: Collection[str]) -> str:
        """Return one of the values."""
        return self._random.choice(list(values))

    @property
    def state(self) -> tuple[Any, ...]:
        """Return the generator's state, for snapshots."""
        return self._random.getstate(), self._requests.getstate()

    @state.setter
    def state(self, state: tuple[Any, ...]) -> None:
        self._random.setstate(state[0])
        self._requests.setstate(state[1])


def _version_4(source: random.Random) -> str:
    bits = source.getrandbits(128) & ~(0xF << 76) & ~(3 << 62)
    return _dashed(f"{bits | 4 << 76 | 2 << 62:032x}")


def _dashed(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
