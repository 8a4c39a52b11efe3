"""The reference model of the simulator, by itself: what people saw decides what may be the end."""

from __future__ import annotations

from syncd.testing.reference import SHARED, Act, Ledger, allowed, lost, members_amiss


def same(one, other):
    return one == other


def edit(step, place, new, old=None, **more):
    return Act(step, place, True, old, new, **more)


def write(step, place, new, **more):
    return Act(step, place, False, None, new, **more)


def ledger(*acts):
    return Ledger(same).play(acts)


def test_an_edit_made_in_sight_of_another_supersedes_it():
    told = ledger(edit(1, "jira", "a"), write(2, "notion", "a"), edit(3, "notion", "b", "a"))
    assert allowed(told, SHARED, []) == ["b"]
    assert told.superseded() == {0}


def test_edits_out_of_sight_of_one_another_are_both_fair():
    told = ledger(edit(1, "jira", "a"), edit(2, "notion", "b"))
    assert allowed(told, SHARED, []) == ["a", "b"]
    assert [act.new for act in lost(told, ["a"])] == ["b"]
    assert lost(told, ["a", "b"]) == []


def test_the_owner_decides_whatever_others_say_later():
    told = ledger(edit(1, "jira", "a"), edit(2, "notion", "b"))
    assert allowed(told, "jira", []) == ["a"]


def test_without_the_owners_word_anybodys_will_do():
    told = ledger(edit(1, "asana", "a"))
    assert allowed(told, "jira", ["x"]) == ["x", None, "a"]


def test_a_decision_settles_what_it_was_about():
    told = ledger(
        edit(1, "jira", "a"), edit(2, "notion", "b"),
        edit(3, "conflict 3", "b", knows=(("jira", "a"), ("notion", "b"))),
    )  # fmt: skip
    assert allowed(told, SHARED, []) == ["b"]


def test_a_decision_is_about_a_tools_value_not_about_the_same_value_elsewhere():
    told = ledger(
        edit(1, "jira", "a"), edit(2, "notion", "b"), edit(3, "notion", "a", "b"),
        edit(4, "conflict 4", "c", knows=(("jira", "a"), ("notion", "b"))),
    )  # fmt: skip
    assert allowed(told, SHARED, []) == ["a", "c"]


def test_a_write_shows_only_the_edits_that_we_had_been_shown():
    acts = edit(1, "notion", "a"), edit(2, "asana", "a")
    unread = write(3, "jira", "a", read={"asana": 2, "notion": 0})
    told = ledger(*acts, unread, edit(4, "jira", None, "a"))
    assert allowed(told, SHARED, []) == ["a", None]
    known = write(3, "jira", "a", read={"asana": 2, "notion": 1})
    assert allowed(ledger(*acts, known, edit(4, "jira", None, "a")), SHARED, []) == [None]


def test_what_was_swept_away_unseen_may_be_gone_but_must_be_told_where_a_log_tells_it():
    told = ledger(edit(1, "jira", "a"), write(2, "jira", "z", blind=True))
    assert allowed(told, SHARED, []) == ["a", "z"]
    assert [act.new for act in lost(told, ["z"])] == ["a"]
    assert lost(told, ["z"], silent=["jira"]) == []


def test_emptiness_from_before_the_first_meeting_erases_nothing():
    told = ledger(edit(1, "jira", None, "a", fresh=True), edit(2, "notion", "b", fresh=True))
    assert "b" in allowed(told, SHARED, [])


def test_a_value_nobody_can_read_leaves_the_model_without_an_opinion():
    assert allowed(ledger(edit(1, "jira", "odd", vague=True)), "jira", []) is None


def test_members_of_a_set_follow_the_last_word_on_each():
    told = ledger(
        edit(1, "jira", ("a", "b")), write(2, "notion", ("a", "b")),
        edit(3, "notion", ("b",), ("a", "b")), edit(4, "jira", ("a", "b", "c"), ("a", "b")),
    )  # fmt: skip
    assert members_amiss(told, ("b", "c")) == []
    assert members_amiss(told, ("b",)) == ["c"]
    assert members_amiss(told, ("a", "b", "c")) == ["a"]
    assert members_amiss(told, ("b", "c", "d")) == ["d"]
