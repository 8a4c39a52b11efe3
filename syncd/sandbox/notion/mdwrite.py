"""Blocks as Notion's enhanced Markdown: one line a block, children indented by a tab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from syncd.sandbox.notion.mdinline import color_word, write

JSON = dict[str, Any]
HEADING_MARKS = {"heading_1": "#", "heading_2": "##", "heading_3": "###", "heading_4": "####"}
MEDIA = ("video", "audio", "pdf", "file")
EMPTY = "<empty-block/>"


class Tree(Protocol):
    """What is written: a block of the store, or one just read from Markdown."""

    @property
    def type(self) -> str:
        """Return the type of block."""

    @property
    def content(self) -> JSON:
        """Return what stands under the key of the type."""


Below = Callable[[Any], Sequence[Any]]
Other = Callable[[Any], str | None]


class Writer:
    """Writes blocks. `below` gives the children, `other` the line of what is no plain block."""

    def __init__(self, below: Below, other: Other) -> None:
        self._below = below
        self._other = other
        self._containers: dict[str, Callable[[Any], list[str]]] = {
            "toggle": self._toggle,
            "callout": self._callout,
            "column_list": lambda block: self._tagged("columns", "", block),
            "column": lambda block: self._tagged("column", "", block),
            "synced_block": self._synced,
            "table": self._table,
        }

    def siblings(self, blocks: Sequence[Any]) -> list[list[str]]:
        """Return the lines of each of some neighbouring blocks."""
        found = []
        number = 0
        for block in blocks:
            number = number + 1 if getattr(block, "type", "") == "numbered_list_item" else 0
            found.append(self.block(block, number))
        return found

    def block(self, block: Any, number: int = 1) -> list[str]:  # noqa: ANN401 - a block of either kind
        """Return the lines of one block with what is under it."""
        line = self._other(block)
        if line is not None:
            return [line]
        container = self._containers.get(block.type)
        if container is not None:
            return container(block)
        return [*self._own(block, number), *self._under(block)]

    def _under(self, block: Any) -> list[str]:  # noqa: ANN401
        return [f"\t{line}" for lines in self.siblings(self._below(block)) for line in lines]

    def _own(self, block: Any, number: int) -> list[str]:  # noqa: ANN401 - one a type
        kind, content = block.type, block.content
        if kind == "code":
            text = "".join(item["plain_text"] for item in content["rich_text"])
            return [f"```{content['language']}", *text.split("\n"), "```"]
        if kind == "equation":
            return ["$$", *content["expression"].split("\n"), "$$"]
        if kind == "divider":
            return ["---"]
        if kind == "table_of_contents":
            return ["<table_of_contents/>"]
        if kind == "image":
            return [f"![{write(content['caption'])}]({address(content)})"]
        if kind in MEDIA:
            return [f'<{kind} src="{address(content)}">{write(content["caption"])}</{kind}>']
        return [self._text(kind, content, number)]

    def _text(self, kind: str, content: JSON, number: int) -> str:
        text = write(content.get("rich_text", []))
        color = content.get("color", "default")
        marks = "" if color == "default" else f' {{color="{color_word(color)}"}}'
        if content.get("is_toggleable"):
            marks = f' {{toggle="true"{marks.strip(" {}") and " " + marks.strip(" {}")}}}'
        if kind == "paragraph" and not text:
            return EMPTY
        if kind == "to_do":
            return f"- [{'x' if content['checked'] else ' '}] {text}{marks}"
        prefix = {"bulleted_list_item": "- ", "numbered_list_item": f"{number}. ", "quote": "> "}
        heading = HEADING_MARKS.get(kind)
        return f"{f'{heading} ' if heading else prefix.get(kind, '')}{text}{marks}"

    def _toggle(self, block: Any) -> list[str]:  # noqa: ANN401
        return [
            f"<details{_color(block.content)}>",
            f"<summary>{write(block.content['rich_text'])}</summary>",
            *self._under(block),
            "</details>",
        ]

    def _callout(self, block: Any) -> list[str]:  # noqa: ANN401
        icon = block.content.get("icon") or {}
        shown = f' icon="{icon["emoji"]}"' if icon.get("type") == "emoji" else ""
        text = write(block.content["rich_text"])
        first = [f"\t{text}"] if text else []
        return [
            f"<callout{shown}{_color(block.content)}>",
            *first,
            *self._under(block),
            "</callout>",
        ]

    def _tagged(self, tag: str, given: str, block: Any) -> list[str]:  # noqa: ANN401
        return [f"<{tag}{given}>", *self._under(block), f"</{tag}>"]

    def _synced(self, block: Any) -> list[str]:  # noqa: ANN401
        origin = block.content.get("synced_from")
        if origin:
            given = f' url="{origin["block_id"]}"'
            return self._tagged("synced_block_reference", given, block)
        return self._tagged("synced_block", "", block)

    def _table(self, block: Any) -> list[str]:  # noqa: ANN401
        content = block.content
        row_header = str(content["has_column_header"]).lower()
        column_header = str(content["has_row_header"]).lower()
        lines = [f'<table header-row="{row_header}" header-column="{column_header}">']
        for row in self._below(block):
            lines.append("\t<tr>")
            lines += [f"\t\t<td>{write(cell)}</td>" for cell in row.content["cells"]]
            lines.append("\t</tr>")
        return [*lines, "</table>"]


def address(content: JSON) -> str:
    """Return the address of a file."""
    return str(content[content["type"]]["url"])


def _color(content: JSON) -> str:
    color = content.get("color", "default")
    return "" if color == "default" else f' color="{color_word(color)}"'
