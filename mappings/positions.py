"""Reading YAML 1.2 so that every key and value remembers where it stands.

Only what a mapping needs is understood: mappings with text keys, lists, and scalars. Aliases,
anchors, tags, directives and duplicate keys are refused, and so is a file larger than 1 MiB, deeper
than 32 levels, or of more than 50,000 nodes: the parser's events are counted as they come, so a
hostile file costs no more than its first offence. Dates, times and numbers with a leading zero stay
text, as do `yes`, `no`, `on` and `off`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from mappings.problems import Problems, quoted
from syncd.core.errors import Place, ProblemsError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 50_000
_MAX_DIGITS = 18  # a longer number is an id, and stays text

Path_ = tuple[str | int, ...]
Data = None | bool | int | float | str | list[Any] | dict[str, Any]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.?[0-9]+([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A file as plain data, and the place of every value and key by its path from the top."""

    file: str
    data: Data
    values: dict[Path_, Place] = field(repr=False)
    keys: dict[Path_, Place] = field(repr=False)

    def place(self, *path: str | int) -> Place:
        """Return where a value stands; of a path that is not there, its nearest holder."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.values:
                return self.values[path[:length]]
        return Place(self.file, 1)

    def key(self, *path: str | int) -> Place:
        """Return where the key of a value stands; for a list's element, the element."""
        return self.keys.get(path) or self.place(*path)


def read(path: Path, error: type[ProblemsError]) -> Document:
    """Read and parse a file; raises `error` with one problem when that cannot be done."""
    return parse(_bytes(path, error), str(path), error)


def parse(content: bytes, file: str, error: type[ProblemsError]) -> Document:
    """Parse the bytes of a file; `file` is its name in messages."""
    problems = Problems()
    if len(content) > MAX_BYTES:
        problems.add(Place(file, 1), "the file is larger than 1 MiB: split it into several files")
    problems.check(error)
    text = _text(content, file, error)
    builder = _Builder(file, problems)
    try:
        builder.build(_events(text))
    except _Refused:
        pass
    except ReaderError as wrong:
        place = _at(file, text, int(wrong.position))
        problems.add(place, "this is a control character, which YAML does not allow: remove it")
    except MarkedYAMLError as wrong:
        problems.add(*_syntax(file, text, wrong))
    except (YAMLError, ValueError) as wrong:
        problems.add(Place(file, 1), f"this is not YAML ({_one_line(wrong)}): correct the syntax")
    problems.check(error)
    return Document(file, builder.data, builder.values, builder.keys)


def _bytes(path: Path, error: type[ProblemsError]) -> bytes:
    problems = Problems()
    place = Place(str(path), 1)
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        problems.add(place, "there is no such file: check the path")
    except IsADirectoryError:
        problems.add(place, "this is a directory: name a file in it")
    except OSError as wrong:
        problems.add(place, f"the file cannot be read ({wrong.strerror}): check its permissions")
    problems.check(error)
    raise AssertionError(path)


def _text(content: bytes, file: str, error: type[ProblemsError]) -> str:
    problems = Problems()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start].decode("utf-8", "replace")
        place = _at(file, before, len(before))
        problems.add(place, "this is not UTF-8: save the file with the encoding UTF-8")
    problems.check(error)
    raise AssertionError(file)


def _events(text: str) -> Iterator[Any]:
    yield from YAML(typ="safe", pure=True).parse(text)


class _Refused(Exception):
    """The file holds something that makes reading on pointless."""


class _Frame:
    """A mapping or list that is being read."""

    def __init__(self, path: Path_, value: dict[str, Any] | list[Any]) -> None:
        self.path = path
        self.value = value
        self.key: str | None = None


class _Builder:
    """Turns parser events into data and places, with the limits of the module."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.data: Data = None
        self.values: dict[Path_, Place] = {}
        self.keys: dict[Path_, Place] = {}
        self._file = file
        self._problems = problems
        self._stack: list[_Frame] = []
        self._nodes = 0
        self._documents = 0

    def build(self, events: Iterator[Any]) -> None:
        for event in events:
            self._forbidden(event)
            if isinstance(event, MappingStartEvent | SequenceStartEvent):
                self._open(event)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self._stack.pop()
            elif isinstance(event, ScalarEvent):
                self._scalar(event)

    def _refuse(self, event: Any, reason: str) -> None:  # noqa: ANN401 - ruamel is untyped
        self._problems.add(self._place(event), reason)
        raise _Refused

    def _place(self, event: Any) -> Place:  # noqa: ANN401 - ruamel is untyped
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _forbidden(self, event: Any) -> None:  # noqa: ANN401 - ruamel is untyped
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(event, "a second document starts here: keep one document in a file")
            if event.version or event.tags:
                self._refuse(event, "YAML directives (%YAML, %TAG) are not allowed: remove them")
        elif isinstance(event, AliasEvent):
            self._refuse(event, f"the alias *{event.anchor} is not allowed: write the value again")
        elif getattr(event, "anchor", None):
            self._refuse(event, f"the anchor &{event.anchor} is not allowed: remove it")
        elif getattr(event, "tag", None):
            self._refuse(event, f"the tag {event.tag} is not allowed: remove it")

    def _count(self, event: Any) -> None:  # noqa: ANN401 - ruamel is untyped
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(event, "the file has more than 50,000 values: split it into several files")

    def _open(self, event: Any) -> None:  # noqa: ANN401 - ruamel is untyped
        self._count(event)
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(event, "the file is nested deeper than 32 levels: make it flatter")
        value: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
        self._stack.append(_Frame(self._put(event, value), value))

    def _scalar(self, event: Any) -> None:  # noqa: ANN401 - ruamel is untyped
        self._count(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            self._name(event, frame, frame.value)
        else:
            plain = event.style is None
            self._put(event, scalar(event.value) if plain else event.value)

    def _name(self, event: Any, frame: _Frame, holder: dict[str, Any]) -> None:  # noqa: ANN401
        key = str(event.value)
        path = (*frame.path, key)
        if not key:
            self._refuse(event, "a key is empty: write a name before the colon")
        if key in holder:
            first = self.keys[path]
            self._problems.add(
                self._place(event),
                f"{quoted(key)} is already written in line {first.line}: keep one of the two",
            )
        else:
            self.keys[path] = self._place(event)
        frame.key = key

    def _put(self, event: Any, value: Data) -> Path_:  # noqa: ANN401 - ruamel is untyped
        """Store a value where the innermost open mapping or list expects it; returns its path."""
        path: Path_ = ()
        if not self._stack:
            self.data = value
        else:
            frame = self._stack[-1]
            if isinstance(frame.value, list):
                path = (*frame.path, len(frame.value))
                frame.value.append(value)
            elif frame.key is None:
                self._refuse(event, "a key must be text, not a list or a mapping: write a name")
            else:
                path = (*frame.path, frame.key)
                frame.value[frame.key] = value
                frame.key = None
        self.values[path] = self._place(event)
        return path


def scalar(text: str) -> Data:
    """Return the value of an unquoted scalar: null, true, false, a plain number, else text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return int(text)
    if _FLOAT.fullmatch(text) and "." in text and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    return text


def _at(file: str, text: str, offset: int) -> Place:
    line = text.count("\n", 0, offset) + 1
    return Place(file, line, offset - (text.rfind("\n", 0, offset) + 1) + 1)


_ADVICE = {
    "mapping values are not allowed": "a colon is not expected here: put text that holds a colon "
    "in quotes, and indent the keys of one mapping alike",
    "could not find expected ':'": "a colon is missing after this key: write `key: value`",
    "<stream end>": "a [ or { is opened and never closed: close it",
    "unexpected end of stream": "a quote is opened and never closed: close it",
    "expected ',' or ']'": "a comma or the end of the list is missing: write , or ]",
    "expected ',' or '}'": "a comma or the end of the mapping is missing: write , or }",
    "expected <block end>": "this line is indented differently from its neighbours: align it",
    "cannot start any token": "no value can start with this character: put the value in quotes",
}
"""What ruamel.yaml says, and what to tell people."""


def _syntax(file: str, text: str, wrong: MarkedYAMLError) -> tuple[Place, str]:
    """Return where ruamel.yaml gave up and why, in our words."""
    mark = wrong.problem_mark or wrong.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = str(wrong.problem or wrong.context or "")
    lines = text.splitlines() or [""]
    source = lines[line] if line < len(lines) else ""
    if "\\t" in problem or "\t" in source[: len(source) - len(source.lstrip())]:
        return Place(file, line + 1, column + 1), "a tab stands here: indent with spaces"
    if wrong.context_mark is not None and "end of stream" in problem:
        line, column = wrong.context_mark.line, wrong.context_mark.column
    reason = next((words for sign, words in _ADVICE.items() if sign in problem), None)
    sentence = reason or f"this is not YAML ({_one_line(problem)}): correct the syntax"
    return Place(file, line + 1, column + 1), sentence


def _one_line(wrong: object) -> str:
    return " ".join(str(wrong).split())[:200]
