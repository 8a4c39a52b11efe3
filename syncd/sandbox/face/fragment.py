"""Asana's HTML fragments: only the known elements come through, rebuilt and escaped."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

from syncd.sandbox.face.html import Html, safe_address

_KEPT = frozenset(
    ["strong", "em", "u", "s", "code", "pre", "blockquote", "ol", "ul", "li", "table", "tr", "td"]
)
_RENAMED = {"h1": "h3", "h2": "h4"}
_SILENT = frozenset({"script", "style"})


class _Rebuilder(HTMLParser):
    """Collects safe HTML; `rich` tells whether anything but text was met."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.made: list[str] = []
        self.open: list[str] = []
        self.silent = 0
        self.rich = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
            return
        self.rich = self.rich or tag != "body"
        name = _RENAMED.get(tag, tag)
        if tag == "hr":
            self.made.append("<hr>")
        elif tag == "a":
            href = escape(safe_address(dict(attrs).get("href") or ""))
            self._push("a", f'<a href="{href}" rel="noreferrer">')
        elif tag in _KEPT or tag in _RENAMED:
            self._push(name, f"<{name}>")

    def _push(self, name: str, opening: str) -> None:
        self.open.append(name)
        self.made.append(opening)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        name = _RENAMED.get(tag, tag)
        if name in self.open:
            while (last := self.open.pop()) != name:
                self.made.append(f"</{last}>")
            self.made.append(f"</{name}>")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.made.append(escape(data))


def rebuilt(fragment: str) -> tuple[Html, bool]:
    """Return a fragment as safe HTML, and whether it holds more than plain text."""
    parser = _Rebuilder()
    parser.feed(fragment)
    parser.close()
    closing = "".join(f"</{name}>" for name in reversed(parser.open))
    return Html("".join(parser.made) + closing), parser.rich
