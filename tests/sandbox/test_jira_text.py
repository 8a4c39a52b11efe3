"""Wiki markup and Atlassian documents: nothing lost on the way, and always valid documents."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.sandbox.jira.adf import Rich, is_valid, plain, to_html, to_wiki
from syncd.sandbox.jira.wiki import to_adf

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
SCHEMA = WIRE / "specs" / "adf_schema_full_atlaskit_57.7.22.json"
REAL = WIRE / "realworld" / "jira_titanium_issues.jsonl.gz"

_MACROS = re.compile(r"\{[^}]*\}|\[[^\]]*\]|^\s*h\d\.", re.MULTILINE)


def kinds(text):
    return [node["type"] for node in to_adf(text)["content"]]


def test_blocks_are_told_apart():
    text = (
        "h2. Title\n\nfirst line\nsecond line\n\n* one\n** below\n# number\n\n----\n"
        "{code:python}\nprint(1)\n{code}\n{quote}said{quote}\n||head||\n|cell|\nbq. short"
    )
    assert kinds(text) == [
        "heading", "paragraph", "bulletList", "orderedList", "rule", "codeBlock", "blockquote",
        "table", "blockquote",
    ]  # fmt: skip


def test_nested_lists_code_and_line_breaks():
    document = to_adf("* a\n** b\n*** c\n* d")
    (outer,) = document["content"]
    inner = outer["content"][0]["content"][1]
    assert inner["type"] == "bulletList"
    assert plain(inner["content"][0]["content"][1]) == "c"
    (block,) = to_adf("{noformat}\n*not bold*\n{noformat}")["content"]
    assert block == {
        "type": "codeBlock", "attrs": {}, "content": [{"type": "text", "text": "*not bold*"}]
    }  # fmt: skip
    (paragraph,) = to_adf("one\ntwo")["content"]
    assert [node["type"] for node in paragraph["content"]] == ["text", "hardBreak", "text"]


@pytest.mark.parametrize(
    ("text", "marks", "shown"),
    [
        ("*bold*", ["strong"], "bold"),
        ("_slanted_", ["em"], "slanted"),
        ("-gone-", ["strike"], "gone"),
        ("{{code}}", ["code"], "code"),
        ("[Site|https://example.com]", ["link"], "Site"),
        ("https://example.com/a", ["link"], "https://example.com/a"),
        ("*_both_*", ["strong", "em"], "both"),
    ],
)
def test_inline_marks(text, marks, shown):
    (paragraph,) = to_adf(text)["content"]
    (node,) = paragraph["content"]
    assert node["text"] == shown
    assert [mark["type"] for mark in node["marks"]] == marks


@pytest.mark.parametrize("text", ["2*3*4", "a_b_c", "x - y - z", "[no link]", "snake_case", "a|b"])
def test_signs_inside_words_stay_text(text):
    (paragraph,) = to_adf(text)["content"]
    assert plain(paragraph) == text
    assert all("marks" not in node for node in paragraph["content"])


@pytest.mark.parametrize(
    "text",
    ["h1. Title\n\ntext with *bold* and {{code}}", "* a\n** b\n# c", "{code:java}x;{code}",
     "[Site|https://example.com]", "----", "||a||b||\n|c|d|", "{quote}said{quote}"],
)  # fmt: skip
def test_documents_go_back_to_wiki_with_the_same_meaning(text):
    once = to_adf(text)
    assert to_adf(to_wiki(once)) == once


def test_a_rich_text_gives_back_what_was_written():
    assert Rich(wiki_text="h1.  odd   spaces").wiki == "h1.  odd   spaces"
    assert Rich(wiki_text="a") == Rich(adf=to_adf("a"))
    assert Rich(wiki_text="a") != Rich(wiki_text="b")


def test_html_is_escaped():
    assert to_html(to_adf("a < b *c*")) == "<p>a &lt; b <b>c</b></p>"


@given(st.text(alphabet="ab *_-+{}[]|#h1.\n\\https:/code", max_size=80))
def test_any_text_becomes_a_document_that_jira_would_take(text):
    assert is_valid(to_adf(text))


@pytest.mark.skipif(not REAL.exists(), reason="the shared wire data is not beside the project")
def test_real_descriptions_keep_their_words_and_fit_the_schema():
    check = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text("utf8")))
    with gzip.open(REAL, "rt", encoding="utf8") as lines:
        texts = [json.loads(line)["fields"].get("description") or "" for line in lines]
    lost = []
    for place, text in enumerate(text for text in texts if text.strip()):
        document = to_adf(text)
        assert is_valid(document)
        if place % 100 == 0:
            assert list(check.iter_errors(document)) == []
        # the words of paragraphs; macros and link targets are markup, not words
        wanted = re.findall(r"[A-Za-z]{4,}", _MACROS.sub(" ", text))
        have = set(re.findall(r"[A-Za-z]{4,}", plain(document)))
        lost += [word for word in wanted if word not in have]
    assert lost == []
