"""Page templates: their mentions of a day, a time or a person, settled when a page is made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncd.sandbox.notion.richtext import RichText

JSON = dict[str, Any]


class Settled:
    """Settles `@today`, `@now` and `@me` of a template for who uses it, when and where."""

    def __init__(self, user: JSON, now: float, zone: str) -> None:
        self._user = user
        self._moment = datetime.fromtimestamp(now, ZoneInfo(zone))

    def text(self, items: list[JSON]) -> list[JSON]:
        """Return rich text with its template mentions settled."""
        return [self._item(item) for item in items]

    def _item(self, item: JSON) -> JSON:
        if item["type"] != "mention" or item["mention"]["type"] != "template_mention":
            return item
        wanted = item["mention"]["template_mention"]
        if wanted.get("type") == "template_mention_user" or "template_mention_user" in wanted:
            mention: JSON = {"type": "user", "user": self._user}
            text = f"@{self._user['name']}"
        else:
            text = self._moment.date().isoformat()
            if wanted.get("template_mention_date") == "now":
                text = self._moment.isoformat(timespec="milliseconds")
            mention = {"type": "date", "date": {"start": text, "end": None, "time_zone": None}}
        return {**item, "mention": mention, "plain_text": text}

    def value(self, value: Any) -> Any:  # noqa: ANN401 - of any column
        """Return a column's value with its template mentions settled."""
        return RichText(self.text(value)) if isinstance(value, RichText) else value

    def content(self, content: JSON) -> JSON:
        """Return a block's content likewise."""
        rich: Callable[[str], bool] = lambda key: key in ("rich_text", "caption")  # noqa: E731
        return {key: self.text(item) if rich(key) else item for key, item in content.items()}
