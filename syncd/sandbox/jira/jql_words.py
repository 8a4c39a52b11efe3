"""JQL as tokens, with the vendor's sentences for text that is no token."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.sandbox.jira.model import words
from syncd.sandbox.jira.problems import ApiError

# words that may not be used as names or values without quotes (the vendor's published list)
RESERVED = words(
    "abort access add after alias all alter and any are as asc at audit avg before begin"
    " between boolean break by byte catch cf char character check checkpoint collate collation"
    " column commit connect continue count create current date decimal declare decrement default"
    " defaults define delete delimiter desc difference distinct divide do double drop else empty"
    " encoding end equals escape exclusive exec execute exists explain false fetch file field"
    " first float for from function go goto grant greater group having identified if immediate"
    " in increment index initial inner inout input insert int integer intersect intersection"
    " into is isempty isnull join last left less like limit lock long max min minus mode modify"
    " modulo more multiply next noaudit not notin nowait null number object of on option or"
    " order outer output power previous prior privileges public raise raw remainder rename"
    " resource return returns revoke right row rowid rownum rows select session set share size"
    " sqrt start strict string subtract sum synonym table then to trans transaction trigger true"
    " uid union unique update user validate values view when whenever where while with"
)
# reserved words that are words of the language itself
_GRAMMAR = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "empty",
        "null",
        "order",
        "by",
        "asc",
        "desc",
        "was",
        "changed",
    ]
)

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<open>\"|')"
    r"|(?P<op><=|>=|!=|!~|=|<|>|~|!|&&|&|\|\||\||\(|\)|,|\[|\])"
    r"|(?P<word>(?:[^\s\"'<>=!~&|(),\[\]{}*/%+^$#@?;\\]|\\u[0-9a-fA-F]{4}|\\.)+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `kind` is word, string, op or end; `lower` is the text for comparing keywords."""

    kind: str
    text: str
    place: int  # offset in the query
    lower: str

    @property
    def reserved(self) -> bool:
        """Tell whether this is an unquoted reserved word."""
        return self.kind == "word" and self.lower in RESERVED


def tokens(query: str) -> list[Token]:
    """Return the tokens of a query and a final `end`; raises `ApiError` 400."""
    found = []
    for match in _TOKEN.finditer(query):
        kind, text, place = str(match.lastgroup), match[0], match.start()
        if kind == "space":
            continue
        if kind == "open":
            rest = query[place + 1 :]
            raise problem(
                f"Error in JQL Query: The quoted string '{rest}' has not been completed.",
                query, place,
            )  # fmt: skip
        if kind == "other":
            raise problem(_reserved_character(text), query, place)
        if kind == "string":
            text = _unescape(text[1:-1])
        elif kind == "word":
            text = _unescape(text)
        found.append(Token(kind, text, place, text.lower() if kind != "string" else ""))
    return [*found, Token("end", "", len(query), "")]


def _reserved_character(text: str) -> str:
    return (
        f"Error in the JQL Query: The character '{text}' is a reserved JQL character. You must"
        f" enclose it in a string or use the escape '\\u{ord(text):04x}' instead."
    )


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _ESCAPES.get(match[2], match[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", one, text, flags=re.DOTALL)


def problem(sentence: str, query: str, place: int) -> ApiError:
    """Return a 400 whose sentence ends with line and character, counted from 1."""
    line = query.count("\n", 0, place) + 1
    character = place - query.rfind("\n", 0, place)
    return ApiError(400, f"{sentence} (line {line}, character {character})")
