"""Reading mapping files: from text to `Mapping`, checked as far as that goes without the tools."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Mapping_
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mappings import check, fieldlines, itemlines
from mappings.model import FieldLine, Mapping, Named, SideLine
from mappings.positions import Document, read
from mappings.problems import Problems, did_you_mean, quoted
from mappings.schema import LimitBlock, LimitsBlock, MappingFile, PageBlock
from mappings.shape import is_mapping, validate
from syncd.core.errors import MappingError, Place, Problem
from syncd.core.rules import Limits, PageRule

PAGE_KINDS = ("notion",)


@dataclass
class _Parts:
    """What has been gathered from the files so far."""

    kinds: Mapping_[str, str]
    problems: Problems
    names: list[Named] = field(default_factory=list)
    sides: dict[str, tuple[SideLine, ...]] = field(default_factory=dict)
    parents: dict[str, dict[str, Named]] = field(default_factory=dict)
    fields: dict[str, FieldLine] = field(default_factory=dict)
    people: dict[str, dict[str, Named]] = field(default_factory=dict)
    pages: list[PageRule] = field(default_factory=list)
    limits: Limits = field(default_factory=lambda: Limits(review=True))
    seen: dict[tuple[str, str], Place] = field(default_factory=dict)

    def first(self, section: str, name: str, place: Place) -> bool:
        """Tell whether an entry is the first of its name in all files; otherwise note it."""
        other = self.seen.setdefault((section, name), place)
        if other is not place:
            reason = f"{quoted(name)} is already written in {other.short}: keep one of the two"
            self.problems.add(place, reason)
        return other is place


def load(paths: Sequence[Path], kinds: Mapping_[str, str]) -> Mapping:
    """Return the mapping in these files; raises MappingError with every problem found.

    `kinds` gives for each connection of the configuration the kind of tool behind it.
    """
    if not paths:
        raise MappingError([Problem(Place("mapping", 1), "no mapping file is named: name one")])
    documents = _documents(paths)
    parts = _Parts(kinds, Problems())
    for document in documents:
        _gather(document, parts)
    top = Place(documents[0].file, 1)
    if not parts.names and not len(parts.problems):
        parts.problems.add(top, "the roadmap has no name: write `roadmap: NAME`")
    if not parts.sides and not len(parts.problems):
        parts.problems.add(top, "no level is mapped: write `items:` with at least one level")
    mapping = Mapping(
        name=parts.names[0].text if parts.names else "",
        files=tuple(document.file for document in documents),
        checksum=_checksum(paths),
        kinds=dict(kinds),
        sides=check.top_down(parts.sides),
        parents=parts.parents,
        fields=check.with_title(parts.fields, parts.sides),
        people=parts.people,
        pages=tuple(parts.pages),
        limits=parts.limits,
    )
    check.together(mapping, parts.problems)
    parts.problems.check(MappingError)
    return mapping


def _documents(paths: Sequence[Path]) -> list[Document]:
    """Parse all files; the problems of all files are raised together."""
    documents, problems = [], Problems()
    for path in paths:
        try:
            documents.append(read(path, MappingError))
        except MappingError as wrong:
            for problem in wrong.problems:
                problems.add(problem.place, problem.reason)
    problems.check(MappingError)
    return documents


def _checksum(paths: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _gather(document: Document, parts: _Parts) -> None:
    data = document.data
    if data is None or data == {}:
        parts.problems.add(Place(document.file, 1), "the file is empty: write a mapping into it")
        return
    if not is_mapping(document, (), data, parts.problems) or not isinstance(data, dict):
        return
    sections = {
        "roadmap": _roadmap,
        "people": _people,
        "items": _items,
        "fields": _fields,
        "pages": _pages,
        "limits": _limits,
    }
    _drop_nothing(document, parts.problems)
    for key, value in data.items():
        if key not in sections:
            advice = did_you_mean(key, MappingFile.model_fields)
            parts.problems.add(document.key(key), f"unknown key {quoted(key)}: {advice}")
        else:
            sections[key](document, value, parts)


def _drop_nothing(document: Document, problems: Problems) -> None:
    """Note every key without a value, and take it out of the data."""

    def walk(data: Any, path: tuple[str | int, ...]) -> None:  # noqa: ANN401 - any data
        for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
            if value is None and isinstance(data, dict):
                place = document.key(*path, key)
                problems.add(place, "nothing is written here: write a value, or remove the line")
                del data[key]
            elif isinstance(value, dict | list):
                walk(value, (*path, key))

    walk(document.data, ())


def _roadmap(document: Document, data: Any, parts: _Parts) -> None:  # noqa: ANN401 - any data
    checked = validate(MappingFile, {"roadmap": data}, document, (), parts.problems)
    place = document.key("roadmap")
    if checked and parts.first("", "roadmap", place):
        parts.names.append(Named(str(data), place))


def _people(document: Document, data: Any, parts: _Parts) -> None:  # noqa: ANN401 - any data
    if validate(MappingFile, {"people": data}, document, (), parts.problems) is None:
        return
    for name, accounts in data.items():
        if not parts.first("people", name, document.key("people", name)):
            continue
        parts.people[name] = {}
        for connection, account in accounts.items():
            if connection in parts.kinds:
                place = document.place("people", name, connection)
                parts.people[name][connection] = Named(account, place)
            else:
                place = document.key("people", name, connection)
                parts.problems.add(place, check.no_connection(connection, parts.kinds))


def _items(document: Document, data: Any, parts: _Parts) -> None:  # noqa: ANN401 - any data
    if not is_mapping(document, ("items",), data, parts.problems):
        return
    for level, block in data.items():
        if parts.first("items", level, document.key("items", level)):
            reader = itemlines.LevelReader(document, level, parts.kinds, parts.problems)
            parts.sides[level], parts.parents[level] = reader.read(block)


def _fields(document: Document, data: Any, parts: _Parts) -> None:  # noqa: ANN401 - any data
    if not is_mapping(document, ("fields",), data, parts.problems):
        return
    for name, block in data.items():
        if parts.first("fields", name, document.key("fields", name)):
            reader = fieldlines.FieldReader(document, name, parts.kinds, parts.problems)
            line = reader.read(block)
            if line is not None:
                parts.fields[name] = line


def _pages(document: Document, data: Any, parts: _Parts) -> None:  # noqa: ANN401 - any data
    if not isinstance(data, list):
        data = [data]
    for index, block in enumerate(data):
        path = ("pages", index) if ("pages", index) in document.values else ("pages",)
        if is_mapping(document, path, block, parts.problems):
            _page(document, path, block, parts)


def _page(
    document: Document, path: tuple[str | int, ...], block: dict[str, Any], parts: _Parts
) -> None:
    options = {key: value for key, value in block.items() if key in PageBlock.model_fields}
    page = validate(PageBlock, options, document, path, parts.problems)
    titles = [key for key in block if key not in options]
    possible = [name for name, kind in parts.kinds.items() if kind in PAGE_KINDS]
    wrong = [key for key in titles if key not in possible]
    for key in wrong:
        advice = did_you_mean(key, [*possible, *PageBlock.model_fields])
        reason = f"{quoted(key)} is no document tool of the configuration: {advice}"
        parts.problems.add(document.key(*path, key), reason)
    if not wrong and len(titles) != 1:
        reason = "a page stands in exactly one connection: write one line `CONNECTION: TITLE`"
        parts.problems.add(document.place(*path), reason)
    elif not wrong and not isinstance(block[titles[0]], str):
        parts.problems.add(document.place(*path, titles[0]), "the page's title is expected here")
    elif not wrong and page is not None:
        connection = titles[0]
        rule = PageRule(
            connection=connection,
            title=block[connection],
            under=page.under,
            place=document.key(*path, connection),
            levels=tuple(page.levels),
        )
        if parts.first(f"pages.{connection}", rule.title, rule.place):
            parts.pages.append(rule)


def _limits(document: Document, data: Any, parts: _Parts) -> None:  # noqa: ANN401 - any data
    limits = validate(LimitsBlock, data, document, ("limits",), parts.problems)
    if limits is None or not parts.first("", "limits", document.key("limits")):
        return
    normal = Limits()

    def limit(block: LimitBlock | None, otherwise: tuple[int, float]) -> tuple[int, float]:
        return (block.at_least, block.share) if block is not None else otherwise

    parts.limits = Limits(
        creates=limit(limits.creates, normal.creates),
        overwrites=limit(limits.overwrites, normal.overwrites),
        erases=limit(limits.erases, normal.erases),
        shrink=limits.shrink,
        review=limits.adopt == "ask",
    )
