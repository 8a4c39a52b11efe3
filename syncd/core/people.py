"""Who is who: accounts of several services known to be one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.records import Account


@dataclass(frozen=True, slots=True)
class Person:
    """One person: a key that never changes, a name to show, and an account id for each connection."""

    key: str
    name: str
    accounts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Directory:
    """All persons. An account that belongs to nobody is a person of its own, known in one connection."""

    persons: tuple[Person, ...] = ()
    ambiguous: tuple[str, ...] = ()  # names that several accounts share and no e-mail tells apart
    _by_account: dict[tuple[str, str], Person] = field(
        default_factory=dict, repr=False, compare=False
    )
    _by_key: dict[str, Person] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for person in self.persons:
            self._by_key[person.key] = person
            for connection, account in person.accounts.items():
                self._by_account[connection, account] = person

    def person(self, connection: str, account: str) -> str:
        """Return the person key of an account."""
        found = self._by_account.get((connection, account))
        return found.key if found else f"{connection}:{account}"

    def account(self, person: str, connection: str) -> str | None:
        """Return the person's account id in a connection, or None when there is none."""
        found = self._by_key.get(person)
        if found is not None:
            return found.accounts.get(connection)
        home, _, account = person.partition(":")
        return account if home == connection else None

    def name(self, person: str) -> str:
        """Return the name to show."""
        found = self._by_key.get(person)
        return found.name if found else person


def match_people(
    accounts: Mapping[str, Sequence[Account]],
    declared: Mapping[str, Mapping[str, str]],
) -> Directory:
    """Group accounts into persons: as declared, else by e-mail, else by a name that is unique everywhere.

    `declared` is the mapping file's `people`: name -> connection -> account id or e-mail. The key of a
    person is `connection:account` of the first connection, in the given order, that knows them.
    """
    groups: dict[str, dict[str, Account]] = {}
    used: set[tuple[str, str]] = set()

    def take(name: str, connection: str, account: Account) -> None:
        if connection not in groups.setdefault(name, {}):
            groups[name][connection] = account
            used.add((connection, account.id))

    for name, wanted in declared.items():
        for connection, id_or_email in wanted.items():
            for account in accounts.get(connection, ()):
                if id_or_email in (account.id, account.email):
                    take(f"declared {name}", connection, account)
    for connection, account in _unused(accounts, used):
        if account.email:
            take(f"email {account.email.casefold()}", connection, account)
    ambiguous = _match_names(accounts, groups, used)
    return Directory(tuple(_person(accounts, group) for group in groups.values()), ambiguous)


def _unused(
    accounts: Mapping[str, Sequence[Account]], used: set[tuple[str, str]]
) -> Iterable[tuple[str, Account]]:
    for connection, members in accounts.items():
        for account in members:
            if not account.bot and (connection, account.id) not in used:
                yield connection, account


def _match_names(
    accounts: Mapping[str, Sequence[Account]],
    groups: dict[str, dict[str, Account]],
    used: set[tuple[str, str]],
) -> tuple[str, ...]:
    """Add accounts without a partner by name, where the name is unique in every connection."""
    holders: dict[str, dict[str, list[Account]]] = defaultdict(lambda: defaultdict(list))
    for connection, members in accounts.items():
        for account in members:
            if not account.bot:
                holders[account.name.casefold()][connection].append(account)
    by_name: dict[str, list[str]] = defaultdict(list)
    for key, group in groups.items():
        by_name[next(iter(group.values())).name.casefold()].append(key)
    ambiguous = []
    for name, per_connection in holders.items():
        unique = all(len(members) == 1 for members in per_connection.values())
        loose = [
            (connection, account)
            for connection, members in per_connection.items()
            for account in members
            if (connection, account.id) not in used
        ]
        if not loose:
            continue
        if not unique or len(by_name[name]) > 1:
            ambiguous.append(loose[0][1].name)
            for connection, account in loose:
                groups[f"single {connection} {account.id}"] = {connection: account}
            continue
        key = by_name[name][0] if by_name[name] else f"name {name}"
        for connection, account in loose:
            groups.setdefault(key, {}).setdefault(connection, account)
    return tuple(sorted(ambiguous))


def _person(accounts: Mapping[str, Sequence[Account]], group: Mapping[str, Account]) -> Person:
    first = next(connection for connection in accounts if connection in group)
    return Person(
        key=f"{first}:{group[first].id}",
        name=group[first].name,
        accounts={connection: account.id for connection, account in group.items()},
    )
