"""Codecs: what a canonical value looks like in a tool, and back. Pure, in both directions.

The law: `decode(encode(value)) == value` for every canonical value that can be encoded at all; a
value that has no counterpart raises `UnmappedError` with the name people know it by and what to do.
Plain text in a rich-text field is written as it stands: characters that mean something in Markdown
are for the tool to show, nothing is escaped. A person in a field for several people is the first of
them. Shares (progress, coverage) are held to four decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mappings.problems import did_you_mean, quoted
from syncd.core.errors import Place
from syncd.core.fields import STATUSES, FieldType
from syncd.core.people import Directory
from syncd.core.records import NEW_OPTION, FieldKind, Option, Value, neutral_set
from syncd.core.rules import Decode, Encode, UnmappedError

SHARES = frozenset({"progress", "coverage"})
DECIMALS = 4

CHECKBOX_STATUSES = {"true": "done", "false": "planned"}
"""What a checkbox means as a status, unless `values:` says otherwise."""


@dataclass(frozen=True, slots=True)
class Target:
    """The tool's end of a cell. `options` are by container id; `values`: tool's word -> meaning."""

    connection: str
    name: str
    place: Place
    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    values: Mapping[str, str] | None = None
    create_options: bool = False
    max_length: int | None = None
    words_only: bool = False  # labels of this tool cannot hold spaces


Codec = tuple[Decode, Encode]
Maker = Callable[["str", Target], Codec]


def codec(name: str, type_: FieldType, kind: FieldKind, target: Target) -> Codec:
    """Return (decode, encode) for a field; KeyError when the type cannot be held in this kind."""
    return _MAKERS[type_, kind](name, target)


def kinds_for(type_: FieldType) -> tuple[FieldKind, ...]:
    """Return the kinds of remote field that can hold a canonical type."""
    return tuple(kind for held, kind in _MAKERS if held is type_)


class Words:
    """The tool's words and what they mean.

    Without `values` a word means itself. With `values` the words listed there mean what they say,
    and other words themselves, unless `strict`: then they mean nothing.
    """

    def __init__(self, values: Mapping[str, str] | None, *, strict: bool = False) -> None:
        self._values = dict(values or {})
        self._strict = strict
        self._back: dict[str, list[str]] = {}
        for word, meaning in self._values.items():
            self._back.setdefault(meaning, []).append(word)

    def meaning(self, word: str) -> str | None:
        """Return what a word of the tool means, or None."""
        return self._values.get(word, None if self._strict else word)

    def words(self, meaning: str) -> tuple[str, ...]:
        """Return the tool's words for a meaning, the preferred one first."""
        words = self._back.get(meaning, [])
        itself = () if self._strict or meaning in self._values else (meaning,)
        return (*words, *itself)


class Options:
    """The options of a field, by id and by name, in each container."""

    def __init__(self, target: Target, words: Words) -> None:
        self._target = target
        self._words = words
        self._names = {one.id: one.name for many in target.options.values() for one in many}
        self._ids: dict[str, dict[str, str]] = {}
        for container, many in target.options.items():
            ids = self._ids.setdefault(container, {})
            for one in many:
                ids.setdefault(one.name, one.id)

    def decode(self, option: str) -> str:
        """Return what an option means."""
        if option.startswith(NEW_OPTION):
            name: str | None = option.removeprefix(NEW_OPTION)
        else:
            name = self._names.get(option)
        if name is None:
            target = self._target
            advice = f"{target.connection} added this option to {quoted(target.name)} meanwhile"
            raise UnmappedError(
                option, f"{advice}: syncd asks for its options again by itself", unknown_option=True
            )
        return _meaning(self._words, name, self._target)

    def encode(self, meaning: str, container: str) -> str:
        """Return the option for a meaning in a container, or a new one where that is allowed."""
        words = self._words.words(meaning)
        ids = self._ids.get(container, {})
        for word in words:
            if word in ids:
                return ids[word]
        if self._target.create_options and words:
            return NEW_OPTION + words[0]
        raise UnmappedError(meaning, self._advice(meaning, ids))

    def _advice(self, meaning: str, names: Iterable[str]) -> str:
        target = self._target
        near = did_you_mean(meaning, names)
        near = f" ({near})" if near.startswith("did") else ""
        return (
            f"{quoted(target.name)} in {target.connection} has no option for it{near}: "
            f"add the option there, or a line to `values` in {target.place.short}"
        )


def _meaning(words: Words, name: str, target: Target) -> str:
    found = words.meaning(name)
    if found is None:
        where = f"`values` of {quoted(target.name)} in {target.place.short}"
        raise UnmappedError(
            name, f"it has no meaning yet: add the line `{name}: MEANING` to {where}"
        )
    return found


def _not_this(value: Value, target: Target, wanted: str) -> UnmappedError:
    return UnmappedError(
        str(value),
        f"{quoted(target.name)} in {target.connection} takes {wanted}: correct the value, "
        f"or map another field in {target.place.short}",
    )


def _text(_name: str, target: Target) -> Codec:
    def decode(value: Value, _directory: Directory) -> Value:
        return None if value is None else str(value)

    def encode(value: Value, _container: str, _directory: Directory) -> Value:
        if value is None:
            return None
        text = str(value)
        if target.max_length is not None and len(text) > target.max_length:
            raise _not_this(text[:40] + "…", target, f"{target.max_length} characters at most")
        return text

    return decode, encode


def _number(name: str, target: Target) -> Codec:
    digits = DECIMALS if name in SHARES else None

    def rounded(value: Value) -> Value:
        if value is None or isinstance(value, tuple | str):
            if value is None:
                return None
            raise _not_this(value, target, "a number")
        return float(value) if digits is None else round(float(value), digits)

    return (
        lambda value, _directory: rounded(value),
        lambda value, _container, _directory: rounded(value),
    )


def _same(_name: str, _target: Target) -> Codec:
    return (
        lambda value, _directory: value,
        lambda value, _container, _directory: value,
    )


def _status(_name: str, target: Target) -> Codec:
    values = target.values
    if values is None:
        names = [one.name for many in target.options.values() for one in many]
        values = {name: name.casefold() for name in names if name.casefold() in STATUSES}
    return _one_of(Options(target, Words(values, strict=True)))


def _select(_name: str, target: Target) -> Codec:
    return _one_of(Options(target, Words(target.values)))


def _one_of(options: Options) -> Codec:
    def decode(value: Value, _directory: Directory) -> Value:
        return None if value is None else options.decode(str(value))

    def encode(value: Value, container: str, _directory: Directory) -> Value:
        return None if value is None else options.encode(str(value), container)

    return decode, encode


def _status_checkbox(_name: str, target: Target) -> Codec:
    words = Words(target.values or CHECKBOX_STATUSES, strict=True)

    def decode(value: Value, _directory: Directory) -> Value:
        return None if value is None else _meaning(words, str(bool(value)).lower(), target)

    def encode(value: Value, _container: str, _directory: Directory) -> Value:
        if value is None:
            return None
        found = words.words(str(value))
        if not found:
            advice = "a checkbox has two states only: map a status field or a section instead"
            raise UnmappedError(str(value), f"{advice}, in {target.place.short}")
        return found[0] == "true"

    return decode, encode


def _select_text(_name: str, target: Target) -> Codec:
    words = Words(target.values)
    _, encode_text = _text("", target)

    def decode(value: Value, _directory: Directory) -> Value:
        return None if value is None else _meaning(words, str(value), target)

    def encode(value: Value, container: str, directory: Directory) -> Value:
        if value is None:
            return None
        found = words.words(str(value))
        if not found:
            raise _not_this(value, target, "what `values` lists")
        return encode_text(found[0], container, directory)

    return decode, encode


def _select_multi(name: str, target: Target) -> Codec:
    """Hold a single choice in a field for several; more than one there is not expressible."""
    return _single(_multi(name, target), target)


def _select_labels(name: str, target: Target) -> Codec:
    return _single(_labels(name, target), target)


def _single(many: Codec, target: Target) -> Codec:
    decode_many, encode_many = many

    def decode(value: Value, directory: Directory) -> Value:
        found = decode_many(value, directory)
        if isinstance(found, tuple) and len(found) > 1:
            raise _not_this(", ".join(found), target, "one value, not several")
        return found[0] if isinstance(found, tuple) else found

    def encode(value: Value, container: str, directory: Directory) -> Value:
        return encode_many(None if value is None else (str(value),), container, directory)

    return decode, encode


def _multi(_name: str, target: Target) -> Codec:
    options = Options(target, Words(target.values))

    def decode(value: Value, _directory: Directory) -> Value:
        return neutral_set(options.decode(one) for one in _members(value))

    def encode(value: Value, container: str, _directory: Directory) -> Value:
        return neutral_set(options.encode(one, container) for one in _members(value))

    return decode, encode


def _labels(_name: str, target: Target) -> Codec:
    words = Words(target.values)

    def decode(value: Value, _directory: Directory) -> Value:
        return neutral_set(_meaning(words, one, target) for one in _members(value))

    def label(meaning: str) -> str:
        found = words.words(meaning)
        if not found:
            raise _not_this(meaning, target, "what `values` lists")
        if target.words_only and any(part.isspace() for part in found[0]):
            raise _not_this(found[0], target, "labels without spaces")
        return found[0]

    def encode(value: Value, _container: str, _directory: Directory) -> Value:
        return neutral_set(label(one) for one in _members(value))

    return decode, encode


def _members(value: Value) -> tuple[str, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (str(value),)


def _account(person: str, target: Target, directory: Directory) -> str:
    account = directory.account(person, target.connection)
    if account is None:
        raise UnmappedError(
            directory.name(person),
            f"no account in {target.connection} is known to be this person: "
            "add a line to `people:` of the mapping",
        )
    return account


def _people(_name: str, target: Target) -> Codec:
    def decode(value: Value, directory: Directory) -> Value:
        return neutral_set(directory.person(target.connection, one) for one in _members(value))

    def encode(value: Value, _container: str, directory: Directory) -> Value:
        return neutral_set(_account(one, target, directory) for one in _members(value))

    return decode, encode


def _people_person(name: str, target: Target) -> Codec:
    """Hold several people in a field for one; written only when it is one."""
    decode, encode_many = _people(name, target)

    def encode(value: Value, container: str, directory: Directory) -> Value:
        found = encode_many(value, container, directory)
        if isinstance(found, tuple) and len(found) > 1:
            raise _not_this(", ".join(map(directory.name, _members(value))), target, "one person")
        return found[0] if isinstance(found, tuple) else found

    return decode, encode


def _person(_name: str, target: Target) -> Codec:
    def decode(value: Value, directory: Directory) -> Value:
        return None if value is None else directory.person(target.connection, str(value))

    def encode(value: Value, _container: str, directory: Directory) -> Value:
        return None if value is None else _account(str(value), target, directory)

    return decode, encode


def _person_people(_name: str, target: Target) -> Codec:
    decode_one, encode_one = _person(_name, target)

    def decode(value: Value, directory: Directory) -> Value:
        return decode_one(next(iter(_members(value)), None), directory)

    def encode(value: Value, container: str, directory: Directory) -> Value:
        found = encode_one(value, container, directory)
        return None if found is None else (str(found),)

    return decode, encode


_MAKERS: dict[tuple[FieldType, FieldKind], Maker] = {
    **{
        (type_, kind): _text
        for type_ in (FieldType.TEXT, FieldType.RICH_TEXT)
        for kind in (FieldKind.TITLE, FieldKind.TEXT, FieldKind.RICH_TEXT)
        if (type_, kind) != (FieldType.RICH_TEXT, FieldKind.TITLE)
    },
    (FieldType.URL, FieldKind.URL): _text,
    (FieldType.URL, FieldKind.TEXT): _text,
    (FieldType.URL, FieldKind.RICH_TEXT): _text,
    (FieldType.NUMBER, FieldKind.NUMBER): _number,
    (FieldType.DATE, FieldKind.DATE): _same,
    (FieldType.CHECKBOX, FieldKind.CHECKBOX): _same,
    (FieldType.ITEM, FieldKind.PARENT): _same,
    (FieldType.STATUS, FieldKind.STATUS): _status,
    (FieldType.STATUS, FieldKind.SELECT): _status,
    (FieldType.STATUS, FieldKind.CHECKBOX): _status_checkbox,
    (FieldType.SELECT, FieldKind.SELECT): _select,
    (FieldType.SELECT, FieldKind.STATUS): _select,
    (FieldType.SELECT, FieldKind.TEXT): _select_text,
    (FieldType.SELECT, FieldKind.RICH_TEXT): _select_text,
    (FieldType.SELECT, FieldKind.MULTI_SELECT): _select_multi,
    (FieldType.SELECT, FieldKind.LABELS): _select_labels,
    (FieldType.MULTI_SELECT, FieldKind.MULTI_SELECT): _multi,
    (FieldType.MULTI_SELECT, FieldKind.LABELS): _labels,
    (FieldType.PERSON, FieldKind.PERSON): _person,
    (FieldType.PERSON, FieldKind.PEOPLE): _person_people,
    (FieldType.PEOPLE, FieldKind.PEOPLE): _people,
    (FieldType.PEOPLE, FieldKind.PERSON): _people_person,
}
