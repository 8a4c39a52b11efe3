"""Who is who in several tools."""

from __future__ import annotations

from syncd.core.people import Directory, match_people
from syncd.core.records import Account


def directory(declared=None, **accounts):
    return match_people(accounts, declared or {})


def account(id_, name, email=None, **more):
    return Account(id_, name, email, **more)


def groups(found):
    return sorted(sorted(person.accounts.items()) for person in found.persons)


def test_one_email_is_one_person_whatever_the_name_and_the_case():
    found = directory(
        jira=[account("j1", "Ann", "Ann@x.org")], notion=[account("n1", "Ann L.", "ann@X.org")]
    )
    assert groups(found) == [[("jira", "j1"), ("notion", "n1")]]
    assert found.person("notion", "n1") == "jira:j1"
    assert found.account("jira:j1", "notion") == "n1"
    assert found.name("jira:j1") == "Ann"


def test_a_name_that_is_unique_everywhere_tells_when_an_email_is_hidden():
    found = directory(jira=[account("j1", "Ann")], notion=[account("n1", "ann", "ann@x.org")])
    assert groups(found) == [[("jira", "j1"), ("notion", "n1")]]
    assert found.ambiguous == ()


def test_two_of_a_name_are_told_and_not_guessed_at():
    found = directory(
        jira=[account("j1", "Ann"), account("j2", "Ann")], notion=[account("n1", "Ann")]
    )
    assert groups(found) == [[("jira", "j1")], [("jira", "j2")], [("notion", "n1")]]
    assert found.ambiguous == ("Ann",)


def test_two_emails_are_two_people_though_the_name_is_one():
    found = directory(
        jira=[account("j1", "Ann", "a@x.org")], notion=[account("n1", "Ann", "b@x.org")]
    )
    assert groups(found) == [[("jira", "j1")], [("notion", "n1")]]


def test_a_declared_person_is_as_declared_by_id_or_email():
    found = directory(
        {"Ann": {"jira": "j2", "notion": "n@x.org"}},
        jira=[account("j1", "Ann", "n@x.org"), account("j2", "Other")],
        notion=[account("n1", "Nobody", "n@x.org")],
    )
    assert groups(found) == [[("jira", "j1")], [("jira", "j2"), ("notion", "n1")]]


def test_bots_are_nobody():
    found = directory(jira=[account("j1", "syncd", bot=True)], notion=[account("n1", "syncd")])
    assert groups(found) == [[("notion", "n1")]]


def test_an_unknown_account_is_a_person_known_in_one_connection():
    found = Directory()
    assert found.person("jira", "j9") == "jira:j9"
    assert found.account("jira:j9", "jira") == "j9"
    assert found.account("jira:j9", "notion") is None
    assert found.name("jira:j9") == "jira:j9"


def test_every_account_belongs_to_at_most_one_person():
    found = directory(
        jira=[
            account("j1", "Ann", "a@x.org"),
            account("j2", "Ann", "a@x.org"),
            account("j3", "Bo"),
        ],
        asana=[account("a1", "Ann"), account("a2", "Bo", "bo@x.org")],
        notion=[account("n1", "Bo", "bo@x.org"), account("n2", "Ann")],
    )
    held = [pair for person in found.persons for pair in person.accounts.items()]
    assert len(held) == len(set(held))
    assert ("jira", "j3") in next(
        tuple(p.accounts.items()) for p in found.persons if p.accounts.get("asana") == "a2"
    )
