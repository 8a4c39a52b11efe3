"""Seals in items and cells, and the documents in the form that `syncd.core.documents` gives them.

A migration is a fact of the past: it stands on its own and never refers to the code of today.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from alembic import op

revision = "0002"
down_revision = "0001"

_ITEMS = "SELECT number, payload, id, level, origin, parent, version FROM items"
_CELLS = "SELECT number, cells, connection, record FROM records WHERE cells != '{}'"


def upgrade() -> None:
    """Run the migration."""
    driver = op.get_bind()
    for query, save in (
        (_ITEMS, "UPDATE items SET payload = ? WHERE number = ?"),
        (_CELLS, "UPDATE records SET cells = ? WHERE number = ?"),
    ):
        for number, payload, *columns in driver.exec_driver_sql(query).fetchall():
            driver.exec_driver_sql(save, (_sealed(payload, tuple(columns)), number))
    documents = driver.exec_driver_sql("SELECT name, payload FROM documents").fetchall()
    for name, payload in documents:
        now = json.dumps(_document(name, json.loads(payload)), ensure_ascii=False)
        driver.exec_driver_sql("UPDATE documents SET payload = ? WHERE name = ?", (now, name))


def _sealed(payload: str, columns: tuple[object, ...]) -> str:
    data = repr(columns).encode() + payload.encode()
    seal = hashlib.blake2b(data, digest_size=16).hexdigest()
    return f'{{"#":"{seal}",{payload[1:]}'


def _document(name: str, data: Any) -> Any:  # noqa: ANN401 - JSON is any
    if name == "approvals":
        return [{"lapsed": False, **each} for each in data]
    if name == "held":
        return {which: [_held(each) for each in data[which]] for which in ("now", "past")}
    if name.startswith("short:") and data and "held" in data:
        return {**data, "held": _held(data["held"])}
    if name.startswith("page:") and data:
        return {"lost": [], **data}
    return data


def _held(data: dict[str, Any]) -> dict[str, Any]:
    return {"note": "", "gists": [], **data}
