"""Neutral rich text: a document tree and its one canonical spelling in Markdown.

Every adapter turns its service's rich text into a `Doc`, and `render_markdown` of that into the
value the engine compares. Laws (tests/property/test_text_laws.py): reading what was rendered gives
`normalise(doc)`, and rendering that again gives the same text.
"""

from __future__ import annotations

from adapters.text.normal import normal_inlines, normalise
from adapters.text.parse import parse_inlines, parse_markdown
from adapters.text.render import render_inlines, render_markdown
from adapters.text.tree import (
    Block,
    Break,
    BulletList,
    Code,
    Divider,
    Doc,
    Heading,
    Inline,
    Link,
    ListItem,
    Mark,
    Opaque,
    OrderedList,
    Paragraph,
    Quote,
    Table,
    Text,
    TodoItem,
    has_opaque,
    plain,
    plain_inlines,
)

__all__ = [
    "Block",
    "Break",
    "BulletList",
    "Code",
    "Divider",
    "Doc",
    "Heading",
    "Inline",
    "Link",
    "ListItem",
    "Mark",
    "Opaque",
    "OrderedList",
    "Paragraph",
    "Quote",
    "Table",
    "Text",
    "TodoItem",
    "has_opaque",
    "normal_inlines",
    "normalise",
    "parse_inlines",
    "parse_markdown",
    "plain",
    "plain_inlines",
    "render_inlines",
    "render_markdown",
]
