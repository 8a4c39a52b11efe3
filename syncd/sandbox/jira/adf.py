"""Atlassian documents: checked as Jira checks them, and written as wiki markup, text or HTML."""

from __future__ import annotations

from html import escape

from syncd.sandbox.jira import wiki
from syncd.sandbox.jira.model import Json, words

_BLOCKS = words(
    "paragraph heading bulletList orderedList listItem taskList taskItem decisionList"
    " decisionItem codeBlock blockquote rule panel expand nestedExpand table tableRow tableCell"
    " tableHeader mediaSingle mediaGroup media caption blockCard embedCard extension"
    " bodiedExtension layoutSection layoutColumn blockTaskItem multiBodiedExtension"
    " extensionFrame"
)
_INLINES = words(
    "text hardBreak mention emoji inlineCard date status placeholder inlineExtension mediaInline"
)
_MARKS = words(
    "strong em strike code underline link subsup textColor backgroundColor annotation alignment"
    " indentation breakout border dataConsumer fragment confluenceInlineComment fontSize"
)
_INLINE_PARENTS = frozenset({"paragraph", "heading", "taskItem", "decisionItem", "caption"})
_CONTENT_REQUIRED = frozenset(
    {"bulletList", "orderedList", "listItem", "table", "tableRow", "blockquote", "panel"}
)
MAX_LENGTH = 32767


class Rich:
    """A rich text value: a document, wiki markup, or both; each made from the other when asked."""

    __slots__ = ("_adf", "_wiki")

    def __init__(self, *, adf: Json = None, wiki_text: str | None = None) -> None:
        self._adf = adf
        self._wiki = wiki_text

    @property
    def adf(self) -> Json:
        """Return the document (API version 3)."""
        if self._adf is None:
            self._adf = wiki.to_adf(self._wiki or "")
        return self._adf

    @property
    def wiki(self) -> str:
        """Return the wiki markup (API version 2)."""
        if self._wiki is None:
            self._wiki = to_wiki(self._adf)
        return self._wiki

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rich):
            return NotImplemented
        if self._wiki is not None and other._wiki is not None:
            return self._wiki == other._wiki
        return bool(self.adf == other.adf)

    def __hash__(self) -> int:
        return hash(self.wiki)


def is_document(value: Json) -> bool:
    """Tell whether a value is shaped as a document at all."""
    return (
        isinstance(value, dict)
        and value.get("type") == "doc"
        and type(value.get("version")) is int
        and value["version"] == 1
        and isinstance(value.get("content"), list)
    )


def is_empty(document: Json) -> bool:
    """Tell whether a document holds nothing, which Jira stores as null."""
    return not document["content"]


def is_valid(document: Json) -> bool:
    """Tell whether Jira would take the document; it answers INVALID_INPUT to others."""
    return all(_valid(node, "doc") for node in document["content"])


def _valid(node: Json, parent: str) -> bool:
    if not isinstance(node, dict) or not isinstance(node.get("type"), str):
        return False
    kind, content = node["type"], node.get("content", [])
    if kind == "text":
        return _valid_text(node, parent)
    if kind not in _BLOCKS and kind not in _INLINES:
        return False
    if (kind in _INLINES) != (parent in _INLINE_PARENTS):
        return False
    if not isinstance(content, list) or (kind in _CONTENT_REQUIRED and not content):
        return False
    return _valid_attributes(node) and all(_valid(child, kind) for child in content)


def _valid_attributes(node: Json) -> bool:
    attributes = node.get("attrs", {})
    if not isinstance(attributes, dict):
        return False
    if node["type"] == "heading":
        return attributes.get("level") in range(1, 7)
    if node["type"] == "mention":
        return isinstance(attributes.get("id"), str)
    return True


def _valid_text(node: Json, parent: str) -> bool:
    marks = node.get("marks", [])
    return (
        isinstance(node.get("text"), str)
        and node["text"] != ""
        and isinstance(marks, list)
        and all(isinstance(m, dict) and m.get("type") in _MARKS for m in marks)
        and (parent in _INLINE_PARENTS or parent == "codeBlock")
    )


def plain(node: Json) -> str:
    """Return the text of a document, a line for each block."""
    if isinstance(node, str):
        return node
    kind = node.get("type")
    if kind == "text":
        return str(node["text"])
    if kind == "hardBreak":
        return "\n"
    if kind in {"mention", "emoji", "status", "placeholder"}:
        return str(node.get("attrs", {}).get("text", ""))
    if kind in {"inlineCard", "blockCard", "embedCard"}:
        return str(node.get("attrs", {}).get("url", ""))
    joint = "" if kind in _INLINE_PARENTS or kind == "codeBlock" else "\n"
    return joint.join(plain(child) for child in node.get("content", ()))


def to_wiki(document: Json) -> str:
    """Return a document as wiki markup."""
    return "\n\n".join(_wiki_block(node) for node in document["content"])


def _wiki_block(node: Json) -> str:
    kind, content = node["type"], node.get("content", [])
    if kind == "heading":
        return f"h{node['attrs']['level']}. {_wiki_inline(content)}"
    if kind in {"bulletList", "orderedList", "taskList", "decisionList"}:
        return "\n".join(_wiki_items(node, ""))
    if kind == "codeBlock":
        language = node.get("attrs", {}).get("language")
        opening = f"{{code:{language}}}" if language else "{noformat}"
        closing = "{code}" if language else "{noformat}"
        return f"{opening}{_wiki_inline(content)}{closing}"
    if kind in {"blockquote", "panel"}:
        macro = "{quote}" if kind == "blockquote" else "{panel}"
        return macro + "\n\n".join(map(_wiki_block, content)) + macro
    if kind == "rule":
        return "----"
    if kind == "table":
        return "\n".join(_wiki_row(row) for row in content)
    if kind in _INLINE_PARENTS:
        return _wiki_inline(content)
    return "\n\n".join(_wiki_block(child) for child in content if child["type"] in _BLOCKS)


def _wiki_items(node: Json, prefix: str) -> list[str]:
    marker = prefix + ("#" if node["type"] == "orderedList" else "*")
    lines = []
    for item in node.get("content", ()):
        if item["type"] in {"taskItem", "decisionItem"}:
            lines.append(f"{marker} {_wiki_inline(item.get('content', []))}")
            continue
        for child in item.get("content", ()):
            if child["type"] in {"bulletList", "orderedList", "taskList"}:
                lines += _wiki_items(child, marker)
            else:
                lines.append(f"{marker} {_wiki_block(child)}")
    return lines


def _wiki_row(row: Json) -> str:
    head = any(cell["type"] == "tableHeader" for cell in row.get("content", ()))
    bar = "||" if head else "|"
    cells = (
        " ".join(_wiki_block(block) for block in cell.get("content", ())) or " "
        for cell in row.get("content", ())
    )
    return bar + bar.join(cells) + bar


_SIGNS = {"strong": "*", "em": "_", "strike": "-", "underline": "+"}


def _wiki_inline(nodes: list[Json]) -> str:
    return "".join(_wiki_text(node) for node in nodes)


def _wiki_text(node: Json) -> str:
    if node["type"] != "text":
        if node["type"] == "mention":
            return f"[~accountid:{node['attrs']['id']}]"
        return plain(node)
    text = str(node["text"])
    for mark in node.get("marks", ()):
        kind = mark["type"]
        if kind == "code":
            text = "{{" + text + "}}"
        elif kind == "link":
            href = mark["attrs"]["href"]
            text = f"[{href}]" if text == href else f"[{text}|{href}]"
        elif kind in _SIGNS:
            text = f"{_SIGNS[kind]}{text}{_SIGNS[kind]}"
    return text


_TAGS = {
    "paragraph": "p",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "blockquote": "blockquote",
    "table": "table",
    "tableRow": "tr",
    "tableCell": "td",
    "tableHeader": "th",
    "codeBlock": "pre",
    "panel": "div",
}
_MARK_TAGS = {"strong": "b", "em": "em", "strike": "del", "underline": "ins", "code": "tt"}


def to_html(node: Json) -> str:
    """Return a document as the HTML of `renderedFields`."""
    kind = node.get("type")
    if kind == "text":
        return _html_text(node)
    if kind in {"hardBreak", "rule"}:
        return "<br/>" if kind == "hardBreak" else "<hr/>"
    inner = "".join(to_html(child) for child in node.get("content", ()))
    if kind == "heading":
        level = node["attrs"]["level"]
        return f"<h{level}>{inner}</h{level}>"
    if kind in _TAGS:
        return f"<{_TAGS[kind]}>{inner}</{_TAGS[kind]}>"
    return inner or escape(plain(node))


def _html_text(node: Json) -> str:
    text = escape(str(node["text"]), quote=False)
    for mark in node.get("marks", ()):
        if mark["type"] == "link":
            text = f'<a href="{escape(mark["attrs"]["href"])}">{text}</a>'
        elif mark["type"] in _MARK_TAGS:
            tag = _MARK_TAGS[mark["type"]]
            text = f"<{tag}>{text}</{tag}>"
    return text
