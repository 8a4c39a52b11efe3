"""The same persons in all three services, each with a token of their own to act with."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.notion import NotionSandbox

DOMAIN = "northwind.example"

NAMES = (
    ("mei", "Mei-Ling Zhào"),
    ("ana", "Ana Sílva"),
    ("jonas", "Jonas Müller"),
    ("priya", "Priya Raman"),
    ("tomas", "Tomáš Dvořák"),
    ("sofia", "Sofía García"),
    ("alex.k", "Alex Kim"),
    ("alex.kim", "Alex Kim"),  # two of one name: only the e-mail tells them apart
    ("oluwaseun", "Olúwáṣeun Adé"),
    ("hana", "Hana 花子 Sato"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """One person's account in each service."""

    nick: str
    name: str
    email: str
    jira: str
    asana: str
    notion: str


def token_of(service: str, nick: str) -> str:
    """Return the token with which a person's own client signs in: sandbox-SERVICE-NICK."""
    return f"sandbox-{service}-{nick}"


def seed_people(jira: JiraSandbox, asana: AsanaSandbox, notion: NotionSandbox) -> dict[str, Person]:
    """Add the persons to all services; returns them by nick."""
    people = {}
    for nick, name in NAMES:
        email = f"{nick}@{DOMAIN}"
        person = Person(
            nick,
            name,
            email,
            jira.add_user(name, email),
            asana.add_user(name, email, token=token_of("asana", nick)),
            notion.add_user(name, email),
        )
        jira.add_token(person.jira, token_of("jira", nick))
        notion.add_token(person.notion, token_of("notion", nick))
        people[nick] = person
    return people


def share_people(jira: JiraSandbox, asana: AsanaSandbox, notion: NotionSandbox) -> None:
    """Give the people of a loaded Jira an account in the other two services, with the same e-mail.

    Loaded files name people without addresses; they get one here, for it is what tells apart the many
    who share a name.
    """
    for number, user in enumerate(list(jira.store.users.values())):
        if user.account_id == jira.account_id:
            continue
        if not user.email:
            user.email, user.email_visible = f"person{number:04}@people.example", True
        asana.add_user(user.name, user.email)
        notion.add_user(user.name, user.email)
    jira.store.setup += 1
