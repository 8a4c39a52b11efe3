"""Who is who among items: the key of a title, and the id of an item born from a record."""

from __future__ import annotations

import base64
import hashlib
import unicodedata


def title_key(text: str) -> str:
    """Return what titles share that people take for the same: case and spacing do not count."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def item_id(connection: str, record_id: str) -> str:
    """Return the id of the item that a record gives birth to: "i" and 12 base32 characters.

    Computed and not drawn, so that a state that was lost or put back names the same item again.
    """
    digest = hashlib.blake2b(f"{connection}\0{record_id}".encode(), digest_size=8).digest()
    return "i" + base64.b32encode(digest).decode("ascii").lower()[:12]
