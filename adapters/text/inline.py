"""One line of neutral Markdown read into inlines."""

from __future__ import annotations

import re

from adapters.text.normal import normal_inlines
from adapters.text.syntax import DELIMITERS
from adapters.text.tree import Break, Inline, Link, Mark, Text

_PLAIN = re.compile(r"[^\\`*_~\[<\n]+")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BREAK = re.compile(r"\\?\n|<br>")
_BACKTICKS = re.compile(r"`+")
_LINK_END = re.compile(r"\]\(((?:\\.|[^\\()\s]|\([^\\()\s]*\))*)\)")
_BY_SIGN = {sign: mark for mark, sign in DELIMITERS.items()} | {"*": Mark.ITALIC, "__": Mark.BOLD}
_SIGN = re.compile(r"\*\*|\*|__|_|~~")


def parse_inlines(text: str) -> tuple[Inline, ...]:
    """Return what a line spells, in normal form. A new line in it is a line break. Never fails."""
    return normal_inlines(read_inlines(text))


def read_inlines(text: str) -> tuple[Inline, ...]:
    """Return what a line spells, piece by piece as it was read."""
    return tuple(_Line(text).read())


class _Line:
    """A line read from left to right.

    `opened` holds the sign, and its place in `out`, of each mark not yet closed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[Inline] = []
        self.opened: list[tuple[str, int]] = []

    def read(self) -> list[Inline]:
        """Read the whole line."""
        while self.at < len(self.text):
            taken = (
                self._plain() or self._escape() or self._break() or self._code()
                or self._link() or self._sign()
            )  # fmt: skip
            if not taken:
                self._add(self.text[self.at])
                self.at += 1
        return self.out

    def _add(self, text: str, marks: frozenset[Mark] = frozenset()) -> None:
        self.out.append(Text(text, marks))

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def _plain(self) -> bool:
        if match := self._match(_PLAIN):
            self._add(match[0])
        return match is not None

    def _escape(self) -> bool:
        if match := self._match(_ESCAPED):
            self._add(match[1])
        return match is not None

    def _break(self) -> bool:
        match = self._match(_BREAK)
        if match:
            self.out.append(Break())
        return match is not None

    def _code(self) -> bool:
        span = _code_span(self.text, self.at)
        if span is None:
            if run := self._match(_BACKTICKS):
                self._add(run[0])
            return run is not None
        content, self.at = span
        self._add(content, frozenset({Mark.CODE}))
        return True

    def _link(self) -> bool:
        if self.text[self.at] != "[":
            return False
        end = _bracket(self.text, self.at + 1)
        match = _LINK_END.match(self.text, end) if end else None
        if match is None or end is None:
            return False
        inner = parse_inlines(self.text[self.at + 1 : end])
        blank_ends = self.text[self.at + 1 : end]
        children = tuple(c for c in _with_ends(blank_ends, inner) if not isinstance(c, Link))
        self.out.append(Link(_unescape(match[1]), children))
        self.at = match.end()
        return True

    # marks ----------------------------------------------------------------------------------------

    def _sign(self) -> bool:
        """Close the mark this sign opened, or open it, or take the sign as text."""
        match = _SIGN.match(self.text, self.at)
        if match is None:
            return False
        sign = match[0]
        if sign == "**" and self.opened and self.opened[-1][0] == "*" and self._run() != 2:  # noqa: PLR2004
            sign = "*"  # *** inside an italic closes the italic first
        before = self.text[self.at - 1 : self.at]
        after = self.text[self.at + len(sign) : self.at + len(sign) + 1]
        self.at += len(sign)
        since = next((place for opened, place in self.opened if opened == sign), None)
        if since is not None and since + 1 < len(self.out) and not before.isspace():
            self._close(sign)
            return True
        if since is None and after and not after.isspace():
            self.opened.append((sign, len(self.out)))
        self._add(sign)
        return True

    def _run(self) -> int:
        run = re.compile(r"\*+").match(self.text, self.at)
        return len(run[0]) if run else 0

    def _close(self, sign: str) -> None:
        """Mark everything since the opening sign; signs opened in between were only text."""
        while True:
            opened, start = self.opened.pop()
            if opened == sign:
                break
        mark = _BY_SIGN[sign]
        self.out[start:] = [_marked(inline, mark) for inline in self.out[start + 1 :]]


def _marked(inline: Inline, mark: Mark) -> Inline:
    if isinstance(inline, Text):
        return Text(inline.text, inline.marks | {mark})
    if isinstance(inline, Link):
        marked = (_marked(child, mark) for child in inline.children)
        return Link(inline.href, tuple(c for c in marked if not isinstance(c, Link)))
    return inline


def _with_ends(source: str, inner: tuple[Inline, ...]) -> list[Inline]:
    """Give back the blanks at the ends of a link's text, which count there."""
    if not inner:
        return [Text(source)]
    head = source[: len(source) - len(source.lstrip(" \t"))]
    tail = source[len(source.rstrip(" \t")) :]
    return [Text(head), *inner, Text(tail)]


def _code_span(text: str, at: int) -> tuple[str, int] | None:
    """Return content and end of the code span that begins here, if one does."""
    opening = _BACKTICKS.match(text, at)
    if opening is None:
        return None
    for closing in _BACKTICKS.finditer(text, opening.end()):
        if len(closing[0]) == len(opening[0]):
            content = text[opening.end() : closing.start()].replace("\n", " ")
            if content[:1] == content[-1:] == " " and content.strip(" "):
                content = content[1:-1]
            return content, closing.end()
    return None


def _bracket(text: str, at: int) -> int | None:
    """Return where the bracket closes that opened before `at`; brackets inside must be escaped."""
    while at < len(text):
        char = text[at]
        if char == "]":
            return at
        if char == "[":
            return None
        if char == "\\":
            at += 2
        elif char == "`":
            span = _code_span(text, at)
            run = _BACKTICKS.match(text, at)
            at = span[1] if span else run.end() if run else at + 1
        else:
            at += 1
    return None


def _unescape(href: str) -> str:
    return _ESCAPED.sub(r"\1", href)
