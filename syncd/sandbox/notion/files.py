"""Files in properties, icons, covers and media blocks."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion import times
from syncd.sandbox.notion.checks import (
    URL_LIMIT,
    require_choice,
    require_dict,
    require_list,
    require_text,
    require_uuid,
)
from syncd.sandbox.notion.errors import MISSING, invalid
from syncd.sandbox.notion.store import Store

JSON = dict[str, Any]
KINDS = ("external", "file_upload", "file")
ICON_KINDS = ("emoji", "external", "file_upload", "file", "custom_emoji", "icon")
ICON_COLORS = (
    "gray", "lightgray", "brown", "yellow", "orange", "green", "blue", "purple", "pink", "red",
)  # fmt: skip
ATTACHMENTS = 3  # files of one comment
LIFETIME = 3600  # seconds an address of an uploaded file works


def _kind(given: JSON, kinds: tuple[str, ...], where: str) -> str:
    kind = given.get("type") or next((name for name in kinds if name in given), MISSING)
    return require_choice(kind, f"{where}.type", kinds)


def file_source(store: Store, given: JSON, where: str) -> JSON:
    """Return `{"type": ..., ...}` of a file given by address or upload."""
    kind = _kind(given, KINDS, where)
    body = require_dict(given.get(kind, MISSING), f"{where}.{kind}")
    if kind == "external":
        url = require_text(body.get("url", MISSING), f"{where}.external.url", URL_LIMIT)
        return {"type": "external", "external": {"url": url}}
    if kind == "file_upload":
        return _uploaded(store, require_uuid(body.get("id", MISSING), f"{where}.file_upload.id"))
    return {
        "type": "file",
        "file": {"url": body.get("url", ""), "expiry_time": body.get("expiry_time", "")},
    }


def _uploaded(store: Store, identifier: str) -> JSON:
    upload = store.uploads.get(identifier)
    if upload is None:
        raise invalid(f"Could not find file_upload with ID: {identifier}.")
    if upload.status != "uploaded":
        raise invalid(
            f"File upload {identifier} has a status of {upload.status}; it should be uploaded."
        )
    url = f"https://prod-files-secure.s3.us-west-2.amazonaws.com/{identifier}/{upload.filename}"
    return {
        "type": "file",
        "file": {"url": url, "expiry_time": times.zulu(upload.edited + LIFETIME)},
    }


def attachments(store: Store, given: object) -> list[JSON]:
    """Return the files attached to a comment."""
    found = []
    items = [] if given is None else require_list(given, "attachments", ATTACHMENTS)
    for index, item in enumerate(items):
        spot = f"attachments[{index}]"
        wanted = require_dict(item, spot).get("file_upload_id", MISSING)
        identifier = require_uuid(wanted, f"{spot}.file_upload_id")
        file = _uploaded(store, identifier)["file"]
        kind = store.uploads[identifier].content_type or ""
        family = kind.partition("/")[0]
        category = family if family in ("audio", "image", "video") else "productivity"
        category = "pdf" if kind == "application/pdf" else category
        found.append({"category": category, "file": file})
    return found


def file_value(store: Store, given: JSON, where: str) -> JSON:
    """Return one entry of a files property."""
    source = file_source(store, given, where)
    kind = source["type"]
    name = given.get("name") or source[kind]["url"].rsplit("/", 1)[-1] or source[kind]["url"]
    return {
        "name": require_text(name, f"{where}.name", 100 if kind == "file" else URL_LIMIT),
        **source,
    }


def icon(store: Store, given: object, where: str) -> JSON | None:
    """Return an icon as stored, None for null."""
    if given is None:
        return None
    body = require_dict(given, where)
    kind = _kind(body, ICON_KINDS, where)
    if kind == "emoji":
        return {
            "type": "emoji",
            "emoji": require_text(body.get("emoji", MISSING), f"{where}.emoji"),
        }
    if kind == "icon":
        own = require_dict(body.get("icon", MISSING), f"{where}.icon")
        name = require_text(own.get("name", MISSING), f"{where}.icon.name")
        color = require_choice(own.get("color", "gray"), f"{where}.icon.color", ICON_COLORS)
        return {"type": "icon", "icon": {"name": name, "color": color}}
    if kind == "custom_emoji":
        custom = require_dict(body.get("custom_emoji", MISSING), f"{where}.custom_emoji")
        identifier = require_uuid(custom.get("id", MISSING), f"{where}.custom_emoji.id")
        found = next((emoji for emoji in store.emojis if emoji["id"] == identifier), None)
        if found is None:
            raise invalid(f"Could not find custom_emoji with ID: {identifier}.")
        return {"type": "custom_emoji", "custom_emoji": found}
    return file_source(store, body, where)


def cover(store: Store, given: object, where: str) -> JSON | None:
    """Return a cover as stored, None for null."""
    return None if given is None else file_source(store, require_dict(given, where), where)
