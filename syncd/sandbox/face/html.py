"""HTML built from values: everything is escaped that was not built here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_ADDRESSES = frozenset({"href", "src", "action", "formaction"})
_SAFE = re.compile(r"https?://|mailto:|/(?![/\\])|[?#]|/$", re.IGNORECASE)


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Node: TypeAlias = "str | int | float | Html | Iterable[Node] | None"
Value: TypeAlias = "str | int | bool | None"


def tag(name: str, /, *children: Node, **attributes: Value) -> Html:
    """Return an element. `class_` is class, `data_x` is data-x; None and False are left out.

    An address that is neither http(s), mailto nor a path of this site becomes `#`.
    """
    opened = f"<{name}{''.join(_attribute(k, v) for k, v in attributes.items())}>"
    if name in _VOID:
        return Html(opened)
    return Html(f"{opened}{join(*children)}</{name}>")


def join(*nodes: Node) -> Html:
    """Return nodes one after the other."""
    return Html("".join(map(_render, nodes)))


def safe_address(address: str) -> str:
    """Return an address that may be followed, or `#`."""
    return address if _SAFE.match(address) else "#"


def _render(node: Node) -> str:
    if isinstance(node, Html):
        return node
    if node is None:
        return ""
    if isinstance(node, str):
        return escape(node)
    if isinstance(node, int | float):
        return str(node)
    return "".join(map(_render, node))


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = str(value)
    if name in _ADDRESSES:
        text = safe_address(text)
    return f' {name}="{escape(text)}"'
