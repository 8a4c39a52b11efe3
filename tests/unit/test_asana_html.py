"""Asana's rich text: what it can show goes there and back, what we cannot express stays theirs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.asana.html import read_html, write_html
from adapters.asana.translate import normal_notes
from adapters.text import has_opaque, parse_markdown, plain, render_markdown
from syncd.sandbox.asana import html as sandbox_html


def there_and_back(markdown):
    return render_markdown(read_html(write_html(parse_markdown(markdown))))


@pytest.mark.parametrize(
    "markdown",
    [
        "plain",
        "one\\\ntwo\n\nthree",
        "# Title\n\ntext\n\n## Smaller",
        "**bold** _it **both**_ ~~gone~~ `code`",
        "[text **bold**](https://example.com/a?b=1&c=%22d%22)",
        "- a\n- b\n  - deeper\n    1. first\n    2. second\n- c",
        "- [ ] open\n- [x] done",
        "> quoted\\\n> twice",
        "```\nx < y && z\n  indented\n```",
        "above\n\n---\n\nbelow",
        "a & b < c > d \\* \"quotes\" 'too' \u00a0nbsp \u200b \u202e 😀",
    ],
)
def test_what_asana_can_show_survives(markdown):
    assert there_and_back(markdown) == markdown


@pytest.mark.parametrize(
    ("markdown", "held"),
    [
        ("### Third level", "## Third level"),
        ("```py\nx\n```", "```\nx\n```"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", "a | b\\\n1 | 2"),
        ("a\\\n\\\nb", "a\n\nb"),
        ("a\x07b", "ab"),
        ("- # big\n\n  > quoted", "- big\n\n  quoted"),
    ],
)
def test_what_asana_cannot_show_takes_its_plainest_form(markdown, held):
    assert there_and_back(markdown) == held
    assert normal_notes(markdown) == held


def test_paragraphs_and_blocks_are_written_as_asana_writes_them():
    doc = parse_markdown("one\\\ntwo\n\nthree\n\n- x\n\nfour **b**")
    assert write_html(doc) == (
        "<body>one\ntwo\n\nthree<ul><li>x</li></ul>four <strong>b</strong></body>"
    )


def test_blank_lines_and_new_lines_round_blocks_do_not_count():
    html = "<body>\n one \n\n \n\ntwo\n<ul>\n<li>x</li>\n</ul>\n\nthree</body>"
    assert render_markdown(read_html(html)) == "one\n\ntwo\n\n- x\n\nthree"


@pytest.mark.parametrize(
    "html",
    [
        "<body>a <u>b</u></body>",
        '<body>see <a data-asana-gid="12"/></body>',
        '<body><a href="https://app.asana.com/0/1/2" data-asana-gid="2">Task</a></body>',
        '<body>x<img src="https://x/y.png"/></body>',
        "<body><ul><li>x</li>loose</ul></body>",
        '<body><ul class="y"><li>x</li></ul></body>',
        '<body><table><tr><td colspan="2">x</td></tr></table></body>',
        "<body><pre>a <strong>b</strong></pre></body>",
        "<body><strong>unclosed</body>",
        "<body>&nbsp;</body>",
        "<div>x</div>",
        "not xml",
    ],
)
def test_everything_else_is_opaque(html):
    assert has_opaque(read_html(html))


def test_opaque_text_is_kept_for_people():
    assert plain(read_html("<body>a <u>under</u> b</body>")) == "a under b"
    assert plain(read_html("<p>x &amp; y</p>")) == "x &amp; y"


def test_a_simple_table_of_a_brief_is_read():
    html = "<body><table><tr><td>a</td><td>b</td></tr><tr><td>1</td></tr></table></body>"
    assert render_markdown(read_html(html)) == "| a | b |\n| --- | --- |\n| 1 |  |"
    assert not has_opaque(read_html(html))


@pytest.mark.parametrize("html", ["", "<body></body>", "<body>  \n </body>"])
def test_nothing_is_nothing(html):
    assert render_markdown(read_html(html)) == ""
    assert not has_opaque(read_html(html))


def test_an_entity_bomb_is_not_expanded():
    bomb = '<!DOCTYPE b [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><body>&b;</body>'
    assert has_opaque(read_html(bomb))
    assert len(plain(read_html(bomb))) <= len(bomb)


def test_bottomless_nesting_is_opaque_not_a_crash():
    html = "<body>" + "<ul><li>" * 5000 + "x" + "</li></ul>" * 5000 + "</body>"
    doc = read_html(html)
    assert has_opaque(doc)
    assert plain(doc) == "x"


signs = st.sampled_from(
    ["a", "b c", " ", "\n", "\n\n", "# ", "- ", "1. ", "> ", "**", "_", "`", "```\n", "~~",
     "[x](y)", "- [ ] ", "☐ ", "&", "<", "]]>", "| a |\n", "---\n", "\u00a0", "\x00", "😀", "  - "]
)  # fmt: skip
markdowns = st.lists(signs, max_size=14).map("".join)


@given(markdowns)
@settings(max_examples=300)
def test_what_comes_back_once_comes_back_again(markdown):
    held = normal_notes(markdown)
    assert normal_notes(held) == held


@given(markdowns)
@settings(max_examples=200)
def test_letters_are_never_lost(markdown):
    doc = parse_markdown(markdown)
    before = "".join(c for c in plain(doc) if c.isalnum())
    assert "".join(c for c in plain(read_html(write_html(doc))) if c.isalnum()) == before


@given(markdowns)
@settings(max_examples=200)
def test_an_independent_reader_accepts_what_is_written(markdown):
    sandbox_html.to_plain("html_notes", write_html(parse_markdown(markdown)))
