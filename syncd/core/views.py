"""What leadership reads, as neutral blocks: built from items only, knows no tool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageBlock:
    """One block of a generated page.

    `key` names the block's place in the page and stays the same while its content changes.
    `kind`: heading_1, heading_2, heading_3, paragraph, bullet, callout, divider.
    `text` is one line of neutral Markdown (bold, italic, code, links); `icon` is an emoji for callouts.
    """

    key: str
    kind: str
    text: str = ""
    icon: str = ""
