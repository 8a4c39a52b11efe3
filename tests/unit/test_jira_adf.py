from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from adapters.jira.adf import read_adf
from adapters.jira.adf_write import write_adf
from adapters.jira.translate import normal
from adapters.text import has_opaque, parse_markdown, render_markdown
from syncd.core.records import FieldKind

EXPRESSIBLE = """\
# Head **bold**

Para with *em*, ~~gone~~, `code`, [a **link**](https://x.example/?a=b) and
another line

- one
  - two
    1. three
- [ ] open
- [x] done
  - [ ] below

1. first
2. second

> said
>
> - so

```python
x = 1

y = 2
```

---

| a | b |
| --- | --- |
| 1 | **2** |
|  | 3 |
"""


def doc(*nodes):
    return {"type": "doc", "version": 1, "content": list(nodes)}


def para(*nodes):
    return {"type": "paragraph", "content": list(nodes)}


def text(content, *marks):
    return {"type": "text", "text": content, **({"marks": list(marks)} if marks else {})}


def markdown(adf):
    return render_markdown(read_adf(adf)[0])


@pytest.fixture(scope="module")
def vendor_schema():
    shared = Path(__file__).parents[2].parent / "shared" / "wire" / "specs"
    path = shared / "adf_schema_full_atlaskit_57.7.22.json"
    if not path.exists():
        pytest.skip("the vendor's schema of rich text is not on this machine")
    return jsonschema.Draft4Validator(json.loads(path.read_text()))


def test_what_is_expressible_survives_the_way_there_and_back():
    written = write_adf(parse_markdown(EXPRESSIBLE))
    back, opaque = read_adf(written)
    assert not opaque
    assert render_markdown(back) == render_markdown(parse_markdown(EXPRESSIBLE))


@pytest.mark.parametrize(
    "source",
    [
        EXPRESSIBLE,
        "- # heading in a list\n- > quote in a list\n- ```\n  code\n  ```",
        "- - list in a list",
        "- [ ] a\n\n  second paragraph\n- [x] b\n  - bullet below",
        "> # heading in a quote\n>\n> | a | b |\n> | --- | --- |\n> | 1 | 2 |\n>\n> ---",
        "> - [ ] task in a quote\n>\n> > quote in a quote",
        "**`bold code`** and [`linked code`](https://x.example)",
        "| only a head |\n| --- |",
        "- 1. a\n  2. b\n\n     - [x] deep",
    ],
)
def test_written_documents_fit_the_vendors_schema_and_settle(vendor_schema, source):
    written = write_adf(parse_markdown(source))
    errors = [error.message[:200] for error in vendor_schema.iter_errors(written)]
    assert errors == []
    once = normal(FieldKind.RICH_TEXT, source)
    assert normal(FieldKind.RICH_TEXT, once) == once


def test_nothing_is_written_as_no_document():
    assert write_adf(parse_markdown("")) is None
    assert read_adf(None) == read_adf(doc())


@pytest.mark.parametrize(
    "node",
    [
        {"type": "panel", "attrs": {"panelType": "info"}, "content": [para(text("words"))]},
        {"type": "expand", "attrs": {"title": "t"}, "content": [para(text("words"))]},
        {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"alt": "words"}}]},
        {"type": "brandNew", "content": [para(text("words"))]},
        {"type": "heading", "attrs": {"level": 5}, "content": [text("words")]},
        {"type": "orderedList", "attrs": {"order": 3}, "content": [
            {"type": "listItem", "content": [para(text("words"))]}]},
        {**para(text("words")), "marks": [{"type": "alignment", "attrs": {"align": "end"}}]},
        para(text("words", {"type": "underline"})),
        para(text("words", {"type": "textColor", "attrs": {"color": "#ff0000"}})),
        para({"type": "mention", "attrs": {"id": "1", "text": "@words"}}),
        para({"type": "status", "attrs": {"text": "words", "color": "green"}}),
        para({"type": "inlineCard", "attrs": {"url": "https://words.example"}}),
        para({"type": "emoji", "attrs": {"shortName": ":words:"}}),
        {"type": "table", "content": [{"type": "tableRow", "content": [
            {"type": "tableCell", "content": [para(text("words"))]}]}]},
        {"type": "table", "content": [{"type": "tableRow", "content": [
            {"type": "tableHeader", "attrs": {"colspan": 2}, "content": [para(text("words"))]}]}]},
        {"type": "table", "content": [{"type": "tableRow", "content": [
            {"type": "tableHeader", "content": [para(text("words")), para(text("x"))]}]}]},
        {"type": "taskList", "content": [{"type": "blockTaskItem", "content": [
            para(text("words"))]}]},
    ],
    ids=lambda node: node["type"],
)  # fmt: skip
def test_what_has_no_neutral_form_is_opaque_and_keeps_its_text(node):
    found, opaque = read_adf(doc(para(text("before")), node))
    assert opaque
    assert "words" in render_markdown(found)


def test_standard_emoji_is_its_character():
    adf = doc(para({"type": "emoji", "attrs": {"shortName": ":tada:", "text": "🎉"}}))
    found, opaque = read_adf(adf)
    assert (render_markdown(found), opaque) == ("🎉", False)


def test_markup_in_text_stays_text():
    adf = doc(para(text("*not* `marked` [up](x) # - 1. <b>")))
    again = write_adf(parse_markdown(markdown(adf)))
    assert again == adf


def test_task_below_a_task_belongs_to_it():
    adf = write_adf(parse_markdown("- [ ] a\n  - [x] b\n- [ ] c"))
    (tasks,) = adf["content"]
    assert [node["type"] for node in tasks["content"]] == ["taskItem", "taskList", "taskItem"]
    ids = [n["attrs"]["localId"] for n in (tasks, *tasks["content"])]
    assert len(set(ids)) == len(ids)


def test_hostile_nesting_is_read_as_text():
    deep = para(text("bottom"))
    for _ in range(5000):
        deep = {"type": "blockquote", "content": [deep]}
    found, opaque = read_adf(doc(deep))
    assert opaque
    assert has_opaque(found)
    assert "bottom" in render_markdown(found)


@pytest.mark.parametrize("broken", [{"type": "paragraph", "content": None}, {"content": ["x"]}, {}])
def test_malformed_nodes_do_not_stop_the_reading(broken):
    assert "fine" in markdown(doc(broken, para(text("fine"))))
