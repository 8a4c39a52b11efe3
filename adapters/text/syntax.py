"""The line shapes of neutral Markdown: what the parser recognises the renderer escapes."""

from __future__ import annotations

import re

from adapters.text.tree import Mark

BLANKS = " \t"

DELIMITERS = {Mark.BOLD: "**", Mark.ITALIC: "_", Mark.STRIKE: "~~"}
"""What opens and closes a mark; a mark of its own kind cannot nest, so one sign does for both."""

HEADING = re.compile(r"(#{1,6})[ \t]+(?=[^ \t])")
BULLET = re.compile(r"[-+*][ \t]+(?=[^ \t])")
TODO = re.compile(r"[-+*][ \t]+\[([ xX])\][ \t]+(?=[^ \t])")
ORDERED = re.compile(r"[0-9]{1,9}[.)][ \t]+(?=[^ \t])")
QUOTE = re.compile(r">")
FENCE = re.compile(r"(`{3,})[ \t]*([^`\s]*)[^`]*\Z")
DIVIDER = re.compile(r"(-{3,}|\*{3,}|_{3,})[ \t]*\Z")
TABLE = re.compile(r"\|")

_FIRST = frozenset("#-+*>`_|0123456789")  # what the patterns can begin with
BLOCK_STARTS = (HEADING, BULLET, ORDERED, QUOTE, FENCE, DIVIDER, TABLE)


def starts_block(line: str) -> bool:
    """Tell whether a line (without the blanks before it) begins anything but a paragraph."""
    if line[:1] not in _FIRST:
        return False
    return any(pattern.match(line) for pattern in BLOCK_STARTS)
