"""From names to ids: finding what a mapping names among what a tool offers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mappings.model import Named
from mappings.problems import Problems, did_you_mean, listed, quoted
from syncd.core.records import Account, Container, Option, RemoteField, Schema

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Bound:
    """A field found: one id, its definition in each container (options may differ), who may be in it."""

    id: str
    name: str
    by_container: dict[str, RemoteField]
    people: tuple[Account, ...] = ()

    @property
    def first(self) -> RemoteField:
        """Return the definition in the first container."""
        return next(iter(self.by_container.values()))

    @property
    def options(self) -> dict[str, tuple[Option, ...]]:
        """Return the options in each container."""
        return {container: field.options for container, field in self.by_container.items()}

    def option_names(self) -> list[str]:
        """Return the names of all options, without repeats."""
        return list(dict.fromkeys(o.name for many in self.options.values() for o in many))


class Resolver:
    """Finds containers, kinds and fields of one connection; what is not found is noted."""

    def __init__(self, schema: Schema, problems: Problems) -> None:
        self.schema = schema
        self._problems = problems
        self._fields = {c.id: schema.fields_of(c.id) for c in schema.containers}

    def container(self, name: Named) -> Container | None:
        """Return the project or database with this id, key or name."""
        offered = self.schema.containers
        found = _pick(name.text, offered, _container_words)
        if len(found) == 1:
            return found[0]
        if found:
            ids = listed([one.id for one in found])
            reason = f"{len(found)} have the name {quoted(name.text)}: write one of the ids {ids}"
        else:
            choices = [word for one in offered for word in (one.name, one.key) if word]
            reason = (
                f"{self.schema.connection} shows nothing named {quoted(name.text)}: "
                f"{_advice(name.text, choices, 'share it with the account of syncd')}"
            )
        self._problems.add(name.place, reason)
        return None

    def kinds(self, name: Named, containers: Sequence[Container]) -> dict[str, str]:
        """Return the id of a type of issue in each container that has it."""
        found = {}
        for container in containers:
            for kind in _pick(name.text, container.kinds, lambda one: (one.id, one.name))[:1]:
                found[container.id] = kind.id
        if not found and containers:
            choices = [kind.name for container in containers for kind in container.kinds]
            where = listed([container.name for container in containers])
            reason = f"{where} has no type {quoted(name.text)}: "
            reason += _advice(name.text, choices, "remove it")
            self._problems.add(name.place, reason)
        return found

    def field(
        self, name: Named, containers: Sequence[Container], *, otherwise: str = ""
    ) -> Bound | None:
        """Return the field with this id or name, which each of the containers must have."""
        found: dict[str, RemoteField] = {}
        complete = True
        for container in containers:
            one = self._field(name, container, otherwise)
            if one is None:
                complete = False
            else:
                found[container.id] = one
        ids = {one.id for one in found.values()}
        if len(ids) > 1:
            places = ", ".join(f"{self._name(c)}: {one.id}" for c, one in found.items())
            reason = (
                f"{quoted(name.text)} is a different field in each of them ({places}): "
                "write a level for each of them"
            )
            self._problems.add(name.place, reason)
            return None
        if not complete or not found:
            return None
        first = next(iter(found.values()))
        return Bound(first.id, first.name, found, self.schema.people)

    def _name(self, container: str) -> str:
        return next(one.name for one in self.schema.containers if one.id == container)

    def _field(self, name: Named, container: Container, otherwise: str) -> RemoteField | None:
        offered = self._fields[container.id]
        found = _pick(name.text, offered, lambda one: (one.id, one.name))
        if len({one.id for one in found}) == 1:
            return found[0]
        if found:
            ids = listed([one.id for one in found])
            reason = (
                f"{quoted(container.name)} has {len(found)} fields named {quoted(name.text)}: "
                f"write the id of the right one, {ids}"
            )
        else:
            reason = f"{quoted(container.name)} in {self.schema.connection} has no field "
            reason += (
                f"{quoted(name.text)}: {_advice(name.text, (f.name for f in offered), otherwise)}"
            )
        self._problems.add(name.place, reason)
        return None

    def named(self, name: str, container: str) -> RemoteField | None:
        """Return the field of a container with exactly this name, if there is just one."""
        found = [one for one in self._fields[container] if one.name == name]
        return found[0] if len(found) == 1 else None


def option_name(word: str, options: Iterable[str]) -> str | None:
    """Return the option that a word of the mapping means: exactly, else without regard to case."""
    names = list(options)
    if word in names:
        return word
    folded = [name for name in names if name.casefold() == word.casefold()]
    return folded[0] if len(folded) == 1 else None


def _advice(word: str, choices: Iterable[str], otherwise: str) -> str:
    advice = did_you_mean(word, choices)
    if not otherwise:
        return advice
    if advice.endswith("?"):
        return f"{advice} Otherwise {otherwise}"
    return f"{advice}, or {otherwise}"


def namesakes(
    schema: Schema, used: Collection[str], text: str
) -> tuple[str | None, tuple[str, ...]]:
    """Return the id of the one container of this name that is in use, and those of the others.

    (None, ()) when the name is not ambiguous, or none or several of them are in use.
    """
    found = [one.id for one in _pick(text, schema.containers, _container_words)]
    mine = [one for one in found if one in used]
    if len(found) < 2 or len(mine) != 1:  # noqa: PLR2004
        return None, ()
    return mine[0], tuple(one for one in found if one != mine[0])


def _container_words(one: Container) -> tuple[str, ...]:
    return one.id, one.key or "", one.name


def _pick(
    word: str, offered: Sequence[_Found], words: Callable[[_Found], tuple[str, ...]]
) -> list[_Found]:
    """Return what a word names: by id, else by its other words, else without regard to case."""
    if not word:
        return []
    width = len(words(offered[0])) if offered else 0
    for index in range(width):
        found = [one for one in offered if words(one)[index] == word]
        if found:
            return found
    folded = word.casefold()
    return [one for one in offered if folded in {other.casefold() for other in words(one)}]
