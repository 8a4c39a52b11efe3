"""What neutral Markdown looks like, and what people's own Markdown is taken to mean."""

from __future__ import annotations

import time

import pytest

from adapters.text import (
    Break,
    BulletList,
    Code,
    Doc,
    Heading,
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
    normalise,
    parse_inlines,
    parse_markdown,
    plain,
    render_inlines,
    render_markdown,
)

BOLD, ITALIC, CODE = Mark.BOLD, Mark.ITALIC, Mark.CODE


def t(text, *marks):
    return Text(text, frozenset(marks))


def para(*inlines):
    return Paragraph(tuple(Text(i) if isinstance(i, str) else i for i in inlines))


def item(*blocks):
    return ListItem(tuple(para(b) if isinstance(b, str) else b for b in blocks))


@pytest.mark.parametrize(
    ("block", "spelled"),
    [
        (para("a", Break(), "b"), "a\\\nb"),
        (Heading(2, (t("x"),)), "## x"),
        (Heading(9, (t("x"), Break(), t("y"))), "### x y"),
        (BulletList((item("a", BulletList((item("b"),))), item("c"))), "- a\n  - b\n- c"),
        (OrderedList((item("a"), item("b", para("more")))), "1. a\n2. b\n\n   more"),
        (TodoItem(checked=True, blocks=(para("a"),)), "- [x] a"),
        (Quote((para("a"), para("b"))), "> a\n>\n> b"),
        (Code("py", "x\n\n  y"), "```py\nx\n\n  y\n```"),
        (Code("", "```"), "````\n```\n````"),
        (
            Table((((t("a|b"),), ()), ((t("c"), Break(), t("d")),))),
            "| a\\|b |  |\n| --- | --- |\n| c<br>d |  |",
        ),
        (
            para(t("bold ", BOLD), t("both", BOLD, ITALIC), t(" end", ITALIC)),
            "**bold _both_** _end_",
        ),
        (para(t("x", CODE), t("a`b", CODE, BOLD)), "`x`**``a`b``**"),
        (para(Link("https://x/(a)", (t("go ", BOLD), t("on")))), "[**go** on](https://x/\\(a\\))"),
    ],
)  # fmt: skip
def test_spelling(block, spelled):
    assert render_markdown(Doc((block,))) == spelled
    assert parse_markdown(spelled) == normalise(Doc((block,)))


@pytest.mark.parametrize(
    "text",
    [
        "# no heading", "- no list", "+ x", "1. x", "12) x", "> x", "| x |", "---", "***", "___",
        "```", "`x`", "[x](y)", "**x**", "_x_", "__x__", "~~x~~", "<br>", "\\", "\\n", "[ ] x",
        "a | b", "snake_case_name",
        "C:\\dir\\*", "* x", "![x](y)", "&amp;", "<b>", "-", "#", "1.",
        "\u00a0", "\u200b", "\u202eabc", "\ufeffx", "a\u2028b", "x\x85y",
    ],
)  # fmt: skip
def test_text_that_looks_like_markup_stays_text(text):
    doc = normalise(Doc((para(text),)))
    spelled = render_markdown(doc)
    assert parse_markdown(spelled) == doc
    assert plain(parse_markdown(spelled)) == text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("*it* and __bold__", "_it_ and **bold**"),
        ("***both***", "**_both_**"),
        ("2 * 3 * 4", "2 \\* 3 \\* 4"),
        ("**open", "\\*\\*open"),
        ("a\nb", "a\\\nb"),
        ("* a\n+ b\n\n- c", "- a\n- b\n- c"),
        ("- a\n    - b", "- a\n  - b"),
        ("3) a\n7) b", "1. a\n2. b"),
        ("- [X] done", "- [x] done"),
        ("#### deep", "### deep"),
        ("> a\nb", "> a\n\nb"),
        ("text\n# h\ntext", "text\n\n# h\n\ntext"),
        ("|a|b|\n|:-|-:|\n|1|2", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("```js\nx", "```js\nx\n```"),
        ("[x](http://a/b_(c))", "[x](http://a/b_\\(c\\))"),
        ("[x] (y)", "\\[x\\] (y)"),
        ("**[x](y)**", "[**x**](y)"),
        ("a  \r\n\r\n\r\n b", "a\n\nb"),
        ("", ""),
        (" \n\t\n", ""),
    ],
)
def test_what_people_write_is_understood(written, meant):
    assert render_markdown(parse_markdown(written)) == meant


def test_marks_never_begin_or_end_at_a_blank():
    doc = Doc((para(t(" a ", BOLD), t("b", BOLD, ITALIC), t(" ", ITALIC), t("c")),))
    assert render_markdown(doc) == "**a _b_** c"


def test_neighbours_of_the_same_look_are_one():
    doc = Doc(
        (para(t("a", BOLD), t("b", BOLD), Link("u", (t("c"),)), Link("u", (t("d", ITALIC),))),)
    )
    assert normalise(doc) == Doc((para(t("ab", BOLD), Link("u", (t("c"), t("d", ITALIC)))),))


def test_a_link_that_points_nowhere_is_text_and_one_without_text_shows_its_address():
    doc = normalise(Doc((para(Link(" ", (t("a"),)), " ", Link("u v", ())),)))
    assert doc == Doc((para("a ", Link("u%20v", (t("u%20v"),))),))


def test_opaque_parts_are_found_wherever_they_stand():
    hidden = Link("u", (Opaque("@Ann"),))
    assert has_opaque(Doc((BulletList((item(Quote((para(hidden),))),)),)))
    assert has_opaque(Doc((Table((((Opaque("x"),),),)),)))
    assert has_opaque(Doc((Opaque("macro"),)))
    assert not has_opaque(Doc((para("x"),)))
    assert render_markdown(Doc((Opaque("a\nb"), para(Opaque("@Ann"))))) == "a\\\nb\n\n@Ann"


def test_plain_text_has_a_line_for_each_line():
    doc = parse_markdown("# A\n\n- b **c**\n  - d\n\n| e | f |\n| --- | --- |\n\n```\ng\n```")
    assert plain(doc) == "A\nb c\nd\ne\tf\ng"


def test_nesting_has_a_bottom():
    block = para("x")
    for _ in range(3000):
        block = Quote((block,))
    spelled = render_markdown(Doc((block,)))
    assert spelled.endswith("> x")
    assert parse_markdown(spelled) == normalise(Doc((block,)))
    assert plain(parse_markdown(">" * 5000 + " y")).endswith("y")


def test_single_lines_for_titles_of_pages():
    assert render_inlines((t("a", BOLD), Break(), t("*"))) == "**a**\\\n\\*"
    assert parse_inlines("**a** [b](c)") == (t("a", BOLD), t(" "), Link("c", (t("b"),)))


@pytest.mark.parametrize(
    "text",
    ["[" * 20000, "[`" * 10000, "**a " * 8000, "> " * 8000, "- " * 8000 + "a", "*_~~" * 8000,
     "`a" * 10000 + "``", "- a\n\n" * 5000, "- a" + "\n" * 20000 + "  b", "[x](" + "(" * 20000],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion_to_its_length(text):
    started = time.process_time()
    doc = parse_markdown(text)
    assert parse_markdown(render_markdown(doc)) == doc
    assert time.process_time() - started < 8
