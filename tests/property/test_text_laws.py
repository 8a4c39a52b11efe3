"""The neutral Markdown is one canonical spelling of a document, whatever people write in it."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.text import (
    Break,
    BulletList,
    Code,
    Divider,
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
    parse_markdown,
    plain,
    render_markdown,
)

HOSTILE = [
    "*", "**", "_", "__", "`", "```", "[", "]", "](", "(", ")", "|", "\\", "\\|", "<", "<br>", "#",
    "# ", "- ", "-", "---", "+ ", "1. ", "12) ", "> ", "~", "~~", "!", "[ ] ", "[x] ", "- [ ] ",
    " ", "  ", "\t", "\n", "\n\n", "\r\n", "\u00a0", "\u200b", "\u2028", "\x0b", "\x85", "\u202e",
    "\ufeff", "😀", "👩\u200d👧", "é", "e\u0301", "漢字", "a", "b", "word", "snake_case",
    "http://x/y_(z)", "0",
]  # fmt: skip

strings = st.one_of(
    st.lists(st.sampled_from(HOSTILE), max_size=7).map("".join),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
texts = st.builds(Text, strings, st.frozensets(st.sampled_from(Mark)))
atoms = st.one_of(texts, st.just(Break()), st.builds(Opaque, strings))
links = st.builds(Link, strings, st.lists(atoms, max_size=3).map(tuple))
lines = st.lists(st.one_of(texts, atoms, links), max_size=5).map(tuple)
leaves = st.one_of(
    st.builds(Paragraph, lines),
    st.builds(Heading, st.integers(0, 5), lines),
    st.builds(Code, strings, strings),
    st.just(Divider()),
    st.builds(Opaque, strings),
    st.builds(Table, st.lists(st.lists(lines, max_size=3).map(tuple), max_size=3).map(tuple)),
)


def containers(inner):
    blocks = st.lists(inner, max_size=3).map(tuple)
    items = st.lists(st.builds(ListItem, blocks), max_size=3).map(tuple)
    return st.one_of(
        st.builds(BulletList, items),
        st.builds(OrderedList, items),
        st.builds(TodoItem, st.booleans(), blocks),
        st.builds(Quote, blocks),
    )


blocks = st.recursive(leaves, containers, max_leaves=8)
docs = st.lists(blocks, max_size=4).map(tuple).map(Doc)


@given(docs)
@settings(max_examples=250)
def test_rendered_text_reads_back_as_the_normal_document(doc):
    assert parse_markdown(render_markdown(doc)) == normalise(doc)


words = st.sampled_from(["a", "b", " c", "d ", " ", "e f", "*", "_", "~", "\u00a0g", "`", "!"])
dense = st.one_of(
    st.builds(Text, words, st.frozensets(st.sampled_from(Mark))),
    st.builds(Text, words, st.frozensets(st.sampled_from([Mark.BOLD, Mark.ITALIC]))),
    st.builds(Link, st.just("u"), st.lists(st.builds(Text, words), max_size=2).map(tuple)),
)


@given(st.lists(dense, min_size=2, max_size=7).map(tuple))
@settings(max_examples=600)
def test_marks_that_overlap_and_touch_read_back(line):
    doc = Doc((Paragraph(line),))
    assert parse_markdown(render_markdown(doc)) == normalise(doc)


@given(docs)
def test_normalising_twice_changes_nothing(doc):
    once = normalise(doc)
    assert normalise(once) == once


@given(docs)
def test_there_is_one_spelling_for_a_document(doc):
    spelled = render_markdown(doc)
    assert render_markdown(parse_markdown(spelled)) == spelled
    assert render_markdown(normalise(doc)) == spelled


@given(st.one_of(strings, st.lists(strings, max_size=8).map("\n".join)))
@example("***a** b* c")
@example("- a\n   - b\n\n     c\n  1. d\n```\nx")
@settings(max_examples=250)
def test_any_text_can_be_read_and_settles_at_once(text):
    doc = parse_markdown(text)
    assert normalise(doc) == doc
    assert parse_markdown(render_markdown(doc)) == doc


@given(st.lists(strings, min_size=1, max_size=3))
def test_plain_text_survives_letter_by_letter(parts):
    doc = normalise(Doc(tuple(Paragraph((Text(part),)) for part in parts)))
    assert plain(parse_markdown(render_markdown(doc))) == plain(doc)
    kept = "".join(plain(doc).split())
    assert kept == "".join("".join(parts).split())


@given(docs)
def test_the_normal_document_has_nothing_opaque(doc):
    assert not has_opaque(normalise(doc))
