"""The rich-text fragment of `html_notes` and `html_text`: check it, and turn it into plain text."""

from __future__ import annotations

import re
from xml.parsers import expat

from syncd.sandbox.asana.errors import bad

PLAIN = frozenset(
    [
        "body",
        "strong",
        "em",
        "u",
        "s",
        "code",
        "pre",
        "blockquote",
        "ol",
        "ul",
        "li",
        "h1",
        "h2",
        "hr",
    ]
)
ATTRIBUTES = {
    "a": frozenset(
        [
            "href",
            "data-asana-gid",
            "data-asana-accessible",
            "data-asana-type",
            "data-asana-dynamic",
            "data-asana-project",
            "data-asana-tag",
            "data-asana-section",
            "data-asana-status-update",
        ]
    ),
    "img": frozenset(
        [
            "data-asana-gid",
            "src",
            "alt",
            "style",
            "data-src-width",
            "data-src-height",
            "data-thumbnail-url",
            "data-asana-type",
        ]
    ),
    "table": frozenset(),
    "tr": frozenset(),
    "td": frozenset(["data-cell-widths", "colspan"]),
    "object": frozenset(["type", "data"]),
}
BLOCKS = frozenset(["ol", "ul", "li", "h1", "h2", "pre", "blockquote", "table", "tr"])
ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


def escape(text: str) -> str:
    """Return text with the three characters XML cannot hold replaced."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def from_plain(text: str) -> str:
    """Return the fragment the service shows for a value that was set as plain text."""
    return f"<body>{ADDRESS.sub(_link, escape(text))}</body>"


def _link(match: re.Match[str]) -> str:
    return f'<a href="{match[0].replace(chr(34), "&quot;")}">{match[0]}</a>'


class _Reader:
    """Walks a fragment: refuses what the service refuses, gathers the plain text."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.open: list[str] = []
        self.counts: list[int] = []  # of the open lists; -1 for bullets
        self.out: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Check a tag and write what it looks like in plain text."""
        if not self.open and tag != "body":
            raise bad(f"{self.field}: XML is invalid: the root element must be <body>")
        self._check(tag, attributes)
        self.open.append(tag)
        if tag in {"ol", "ul"}:
            self.counts.append(0 if tag == "ol" else -1)
        if tag in BLOCKS and self.out and not self.out[-1].endswith("\n"):
            self.out.append("\n")
        if tag == "li":
            self._bullet()
        if tag == "a" and "data-asana-gid" in attributes and "href" not in attributes:
            self.out.append(f"https://app.asana.com/0/{attributes['data-asana-gid']}/")
        if tag == "hr":
            self.out.append("\n")

    def _check(self, tag: str, attributes: dict[str, str]) -> None:
        if tag not in PLAIN and tag not in ATTRIBUTES:
            raise bad(f"{self.field}: XML is invalid: unsupported element <{tag}>")
        for name in attributes:
            if name not in ATTRIBUTES.get(tag, frozenset()):
                raise bad(
                    f"{self.field}: XML is invalid: unsupported attribute '{name}' on <{tag}>"
                )
        if tag == "body" and self.open:
            raise bad(f"{self.field}: XML is invalid: <body> must be the root element")
        if tag == "li" and self.open[-1] not in {"ol", "ul"}:
            raise bad(f"{self.field}: XML is invalid: <li> must be inside <ol> or <ul>")

    def _bullet(self) -> None:
        depth = "    " * (len(self.counts) - 1)
        if self.counts and self.counts[-1] >= 0:
            self.counts[-1] += 1
            self.out.append(f"{depth}{self.counts[-1]}. ")
        else:
            self.out.append(f"{depth}• ")

    def end(self, tag: str) -> None:
        """Close a tag; a block ends its line."""
        self.open.pop()
        if tag in {"ol", "ul"}:
            self.counts.pop()
        if tag in BLOCKS and self.out and not self.out[-1].endswith("\n"):
            self.out.append("\n")

    def text(self, data: str) -> None:
        """Take text in."""
        self.out.append(data)


def to_plain(field: str, fragment: object) -> str:
    """Return the plain text of a fragment; raise the 400 for one the service would not take."""
    if not isinstance(fragment, str):
        raise bad(f"{field}: Value is not a string: {fragment}")
    reader = _Reader(field)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(fragment, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as problem:
        raise bad(f"{field}: XML is invalid: {problem}") from None
    except UnicodeEncodeError:
        raise bad(f"{field}: XML is invalid: lone surrogate") from None
    return "".join(reader.out).rstrip("\n")


def _no_doctype(*_: object) -> None:
    raise bad("XML is invalid: a document type is not allowed")
