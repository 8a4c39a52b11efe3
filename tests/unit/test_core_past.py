"""What a field said at a past time, from its history."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.model import HistoryEntry
from syncd.core.past import then
from syncd.testing.builders import item
from syncd.testing.world import small_roadmap

ROADMAP = small_roadmap()
DUE = ROADMAP.fields["due"]


def entry(at, action, connection, before, after, author=None):
    return HistoryEntry(
        int(at), at, "i1", "due", action, connection, before, after, author, "roadmap.yaml:7"
    )


def told(entries, at, today="c", tools=(("jira", "c"), ("notion", "c")), born=0.0, rule=DUE):
    thing = item(due=today, progress=0.5)
    return then(thing, rule, tools, list(reversed(entries)), born, at)


STORY = [
    entry(10.0, "observed", "jira", "a", "b", "jira:ann"),
    entry(11.0, "wrote", "notion", "a", "b"),
    entry(20.0, "observed", "notion", "b", "c", "notion:bob"),
    entry(21.0, "wrote", "jira", "b", "c"),
]


def test_the_value_who_gave_it_and_what_each_tool_showed():
    now = told(STORY, 15.0)
    assert (now.value, now.source, now.said.author, now.known) == ("b", "jira", "jira:ann", True)
    assert {tool.connection: tool.shows for tool in now.tools} == {"jira": "b", "notion": "b"}
    between = told(STORY, 10.5)
    assert {tool.connection: tool.shows for tool in between.tools} == {"jira": "b", "notion": "a"}
    assert told(STORY, 30.0).value == "c"


def test_before_its_history_a_field_said_its_first_word():
    first = told(STORY, 5.0)
    assert (first.value, first.said, first.source) == ("a", None, "jira")
    assert told([], 5.0).value == "c"
    assert not told(STORY, 5.0, born=7.0).known


def test_an_overruled_edit_shows_what_the_tool_held_until_it_was_overwritten():
    story = [
        entry(10.0, "corrected", "notion", "mine", "ours", "notion:bob"),
        entry(11.0, "wrote", "notion", "mine", "ours"),
    ]
    tools = (("notion", "ours"),)
    assert [told(story, at, "ours", tools).tools[0].shows for at in (9.0, 10.5, 12.0)] == [
        "ours", "mine", "ours",
    ]  # fmt: skip


def test_a_computed_field_is_known_by_what_was_written():
    story = [entry(10.0, "wrote", "notion", 0.1, 0.2), entry(20.0, "wrote", "notion", 0.2, 0.5)]
    rule = ROADMAP.fields["progress"]
    past = told(story, 15.0, tools=(("notion", 0.5),), rule=rule)
    assert (past.value, past.source) == (0.2, "syncd")


@settings(max_examples=100, deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.sampled_from(["jira", "notion"]), st.sampled_from("abcd")), max_size=12
    )
)
def test_any_past_moment_is_found_again(edits):
    """Replay edits of either tool, each carried to the other at once; then ask for every moment."""
    value, story, truth = "start", [], [(0.0, "start")]
    for number, (source, new) in enumerate(edits, 1):
        if new == value:
            continue
        other = "notion" if source == "jira" else "jira"
        at = number * 10.0
        story += [entry(at, "observed", source, value, new), entry(at, "wrote", other, value, new)]
        value = new
        truth.append((at, value))
    for at, wanted in truth:
        past = told(story, at + 1, value, (("jira", value), ("notion", value)))
        assert past.value == wanted
        assert {tool.shows for tool in past.tools} == {wanted}
