"""Rich text in properties and blocks."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.notion.blocks import (
    TooLongError,
    _read,
    plain_text,
    property_markdown,
    property_runs,
    signature_held,
    signature_of,
    to_block,
)
from adapters.text import parse_markdown, render_markdown
from syncd.core.views import PageBlock


def as_stored(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Complete runs as Notion does when it answers: defaults filled in, neighbours joined."""
    answer: list[dict[str, Any]] = []
    for run in runs:
        look = {"bold": False, "italic": False, "strikethrough": False, "underline": False,
                "code": False, "color": "default", **run.get("annotations", {})}  # fmt: skip
        link = run["text"].get("link")
        content = run["text"]["content"]
        if answer and answer[-1]["annotations"] == look and answer[-1]["text"]["link"] == link:
            answer[-1]["text"]["content"] += content
            answer[-1]["plain_text"] += content
            continue
        answer.append({
            "type": "text", "text": {"content": content, "link": link}, "annotations": look,
            "plain_text": content, "href": link["url"] if link else None,
        })  # fmt: skip
    return answer


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("One\\\ntwo\n\nthree", "One\ntwo\n\nthree"),
        ("# Aim\n\n- a\n- b\n  - c **x**", "# Aim\n\n- a\n- b\n  - c x"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("- [ ] open\n- [x] done", "- [ ] open\n- [x] done"),
        ("> said _so_", "> said so"),
        ("```py\nx = *1*\n\n# no\n```", "```py\nx = *1*\n\n# no\n```"),
        ("---", "---"),
        ("| a | b |\n| --- | --- |\n| 1 | **2** |", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("| a |\n| --- |\n| x \\| y |", "| a |\n| --- |\n| x \\| y |"),
        ("````\n```\n````", "````\n```\n````"),
        ("> - said\n>   - more", "> - said\n>   - more"),
        ("a \\* b \\_c\\_", "a * b _c_"),
        ("~~old~~ `code*`", "old code*"),
        ("[label](https://x.example/a?b=1)", "label"),
    ],
)
def test_a_text_keeps_its_structure_in_a_property(markdown, seen):
    runs = property_runs(markdown)
    assert plain_text(runs) == seen
    assert property_markdown(as_stored(runs)) == markdown


def test_a_link_notion_would_refuse_is_written_as_text():
    assert plain_text(property_runs("see [it](/wiki/x)")) == "see it (/wiki/x)"
    assert not any("link" in run["text"] for run in property_runs("see [it](/wiki/x)"))


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("/393abc1eedcd81a09a08d7413a049dc8", "393abc1eedcd81a09a08d7413a049dc8"),
        (
            "https://app.notion.com/p/Some-title-393abc1eedcd81a09a08d7413a049dc8?pvs=4",
            "393abc1eedcd81a09a08d7413a049dc8",
        ),
    ],
)
def test_links_to_pages_read_alike_however_notion_spells_them(stored, read):
    run = {"type": "text", "text": {"content": "x", "link": {"url": stored}}, "href": stored}
    assert property_markdown([run]) == f"[x](https://www.notion.so/{read})"


PIECES = st.sampled_from(
    ["a", "b c", "**", "*", "_", "~~", "`", "[", "](https://x.example/)", "\\", "\n", "\n\n", "- ",
     "1. ", "# ", "> ", "```", "---", "| a |", "|", "  ", "😀", "é", "- [ ] ", "\t"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_what_was_read_is_written_back_without_a_change(source):
    first = property_markdown(as_stored(property_runs(render_markdown(parse_markdown(source)))))
    assert property_markdown(as_stored(property_runs(first))) == first


@given(st.text(max_size=60))
def test_any_text_typed_in_notion_reads_and_survives_a_round_trip(typed):
    run = {"type": "text", "text": {"content": typed}, "plain_text": typed}
    first = property_markdown([run])
    assert property_markdown(as_stored(property_runs(first))) == first


@given(st.text(st.sampled_from("aZé日9 ,.;:!?()'\"/&%@=+–—-\n\r\t*_#>1\u00a0\u2028"), max_size=30))
def test_simple_text_reads_the_same_the_short_way(typed):
    run = {"type": "text", "text": {"content": typed}, "plain_text": typed}
    assert property_markdown([run]) == _read([run])


def test_a_bold_or_linked_line_does_not_take_the_short_way():
    bold = {"type": "text", "text": {"content": "Now"}, "annotations": {"bold": True}}
    linked = {"type": "text", "text": {"content": "Now", "link": {"url": "https://x.example"}}}
    assert property_markdown([bold]) == "**Now**"
    assert property_markdown([linked]) == "[Now](https://x.example)"


BLOCKS = [
    PageBlock("t", "heading_1", "Roadmap"),
    PageBlock("g", "heading_2", "Goals"),
    PageBlock("h", "heading_3", "Now"),
    PageBlock("p", "paragraph", "**Checkout** is _late_, see [WEB-1](https://x.example/WEB-1)"),
    PageBlock("b", "bullet", "5/11 items, `14/32` pts"),
    PageBlock("c", "callout", "On track", "⚠️"),
    PageBlock("c2", "callout", "No icon given"),
    PageBlock("d", "divider"),
    PageBlock("l", "paragraph", "x" * 4100),
    PageBlock("e", "paragraph", ""),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.key)
def test_a_block_read_back_has_the_signature_of_what_was_written(block):
    written = to_block(block)
    held = copy.deepcopy(written)
    content = held[held["type"]]
    if "rich_text" in content:
        content["rich_text"] = as_stored(content["rich_text"])
        content["color"] = "default"
    assert signature_held(held) == signature_of(block)


def test_signatures_differ_exactly_when_blocks_look_different():
    signatures = {signature_of(block) for block in BLOCKS}
    assert len(signatures) == len(BLOCKS)
    assert signature_of(PageBlock("a", "callout", "x", "⚠")) == signature_of(
        PageBlock("b", "callout", "x", "⚠️")
    )
    held = to_block(PageBlock("a", "paragraph", "x @Ann"))
    held["paragraph"]["rich_text"] = [
        {"type": "text", "text": {"content": "x "}, "plain_text": "x "},
        {"type": "mention", "plain_text": "@Ann"},
    ]
    assert signature_held(held) != signature_of(PageBlock("a", "paragraph", "x @Ann"))


def test_blocks_of_people_have_a_signature_too():
    assert signature_held({"type": "image", "image": {}}) == "other image"


def test_a_block_has_the_vendors_shape():
    assert to_block(PageBlock("c", "callout", "Late", "🔥")) == {
        "object": "block",
        "type": "callout",
        "callout": {
            "rich_text": [{"type": "text", "text": {"content": "Late"}}],
            "icon": {"type": "emoji", "emoji": "🔥"},
        },
    }
    assert to_block(PageBlock("d", "divider"))["divider"] == {}
    assert to_block(PageBlock("b", "bullet", "x"))["type"] == "bulleted_list_item"


def test_a_block_too_long_for_one_request_is_refused():
    with pytest.raises(TooLongError):
        to_block(PageBlock("p", "paragraph", "x" * 200_001))
