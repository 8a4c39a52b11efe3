"""The text of a formula read into a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.sandbox.notion.errors import NotionError, invalid
from syncd.sandbox.notion.ids import decode_property

DEEPEST = 100  # levels of brackets a formula may have
_TOKEN = re.compile(
    r"""\s+|/\*.*?\*/
    |(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)
    |"(?P<text>(?:[^"\\]|\\.)*)"
    |\{\{notion:block_property:(?P<property>[^:{}]+)(?::[^{}]*)?\}\}
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>==|!=|>=|<=|&&|\|\||[-+*/%^<>!?:.,()\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}  # others stay, for patterns such as \\d
# Operators: how tightly each binds, and the function it stands for.
_OPERATORS = {
    "or": (1, "or"), "||": (1, "or"), "and": (2, "and"), "&&": (2, "and"), "==": (3, "equal"),
    "!=": (3, "unequal"), ">": (4, "larger"), ">=": (4, "largerEq"), "<": (4, "smaller"),
    "<=": (4, "smallerEq"), "+": (5, "add"), "-": (5, "subtract"), "*": (6, "multiply"),
    "/": (6, "divide"), "%": (6, "mod"),
}  # fmt: skip


def parse_error() -> NotionError:
    """Return the service's answer to a formula that cannot be read."""
    return invalid("Parse error with formula")


def type_error() -> NotionError:
    """Return the service's answer to a formula whose parts do not fit."""
    return invalid("Type error with formula")


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, text or truth value."""

    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Variable:
    """`current`, `index`, or a name that `let` gives."""

    name: str


@dataclass(frozen=True, slots=True)
class Property:
    """A column of this row (`of` is None) or of a related one, by name or id."""

    name: str
    of: Tree | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A list as written."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function; operators are functions too."""

    function: str
    arguments: tuple[Tree, ...]


Tree = Constant | Variable | Property | Items | Call


def parse(expression: str) -> Tree:
    """Return the tree of a formula; raises what the service answers to nonsense."""
    return _Reader(_tokens(expression)).whole()


def _tokens(expression: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise parse_error()
        if match.lastgroup is not None:
            found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text, flags=re.DOTALL)


class _Reader:
    """Reads tokens by descending through the levels of operators."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Tree:
        found = self._expression()
        if self._at != len(self._tokens):
            raise parse_error()
        return found

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, *wanted: str) -> str | None:
        """Take the next sign or word if it is one of those wanted."""
        kind, text = self._peek()
        if kind in ("sign", "name") and text in wanted:
            self._at += 1
            return text
        return None

    def _need(self, sign: str) -> None:
        if self._take(sign) is None:
            raise parse_error()

    def _expression(self) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            raise parse_error()
        found = self._binary(1)
        if self._take("?"):
            yes = self._expression()
            self._need(":")
            found = Call("if", (found, yes, self._expression()))
        self._depth -= 1
        return found

    def _binary(self, loosest: int) -> Tree:
        """Read operands joined by operators that bind at least so tightly."""
        found = self._unary()
        while True:
            kind, text = self._peek()
            binding, function = _OPERATORS.get(text, (0, ""))
            if kind not in ("sign", "name") or binding < loosest:
                return found
            self._at += 1
            found = Call(function, (found, self._binary(binding + 1)))

    def _unary(self) -> Tree:
        if self._take("not", "!"):
            return Call("not", (self._unary(),))
        if self._take("-"):
            return Call("unaryMinus", (self._unary(),))
        if self._take("+"):
            return Call("unaryPlus", (self._unary(),))
        base = self._postfix()
        return Call("pow", (base, self._unary())) if self._take("^") else base

    def _postfix(self) -> Tree:
        found = self._atom()
        while self._take("."):
            kind, name = self._peek()
            if kind != "name":
                raise parse_error()
            self._at += 1
            if name == "prop":
                found = Property(self._property_name(), found)
            else:
                arguments = self._arguments() if self._peek()[1] == "(" else ()
                found = Call(name, (found, *arguments))
        return found

    def _atom(self) -> Tree:
        kind, text = self._peek()
        self._at += 1
        if kind == "number":
            return Constant(float(text))
        if kind == "text":
            return Constant(_unescaped(text))
        if kind == "property":
            return Property(decode_property(text))
        if kind == "name":
            return self._named(text)
        if (kind, text) == ("sign", "("):
            found = self._expression()
            self._need(")")
            return found
        if (kind, text) == ("sign", "["):
            return Items(self._until("]"))
        raise parse_error()

    def _named(self, name: str) -> Tree:
        if name in ("true", "false"):
            return Constant(name == "true")
        if self._peek() != ("sign", "("):
            return Variable(name)
        if name == "prop":
            return Property(self._property_name())
        return Call(name, self._arguments())

    def _property_name(self) -> str:
        self._need("(")
        kind, text = self._peek()
        if kind != "text":
            raise parse_error()
        self._at += 1
        self._need(")")
        return _unescaped(text)

    def _arguments(self) -> tuple[Tree, ...]:
        self._need("(")
        return self._until(")")

    def _until(self, end: str) -> tuple[Tree, ...]:
        found: list[Tree] = []
        if self._take(end):
            return ()
        while True:
            found.append(self._expression())
            if self._take(end):
                return tuple(found)
            self._need(",")
