"""What type a formula has, found without any row: formulas whose parts do not fit are refused.

Types are n number, t text, b truth value, d date, p person, g page, z nothing (`empty()`), m several,
u unknown, ? not known before a row is seen, and l with the type of the items after it for lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from syncd.sandbox.notion.formulafunctions import EACH, FUNCTIONS, SPECIAL, Function
from syncd.sandbox.notion.formulasyntax import (
    Call,
    Constant,
    Items,
    Property,
    Tree,
    Variable,
    type_error,
)

Scope = Mapping[str, str]
Column = Callable[[Property, str | None], str]  # a column, and the type of what it is a column of
BARE = ("pi", "e")  # functions that may be written without brackets
OF_UNKNOWN = ("empty", "length")  # functions that take what has no known type


def type_of(tree: Tree, column: Column, scope: Scope | None = None) -> str:
    """Return the type of a formula; `column` gives the types of columns. Raises a type error."""
    return _Checker(column).check(tree, scope or {})


def common(types: Iterable[str]) -> str:
    """Return the type of what has one of several types; nothing fits every type."""
    found = set(types) - {"z"}
    if "?" in found:
        return "?"
    if len(found) == 1:
        return found.pop()
    return "m" if found else "z"


class _Checker:
    """Finds types from the leaves up."""

    def __init__(self, column: Column) -> None:
        self._column = column

    def check(self, tree: Tree, scope: Scope) -> str:
        if isinstance(tree, Constant):
            return {bool: "b", str: "t"}.get(type(tree.value), "n")
        if isinstance(tree, Items):
            found = {self.check(item, scope) for item in tree.items}
            return "l" + (found.pop() if len(found) == 1 else "m" if found else "z")
        if isinstance(tree, Property):
            return self._column(tree, self.check(tree.of, scope) if tree.of else None)
        if isinstance(tree, Variable):
            return self._variable(tree.name, scope)
        return self._call(tree, scope)

    def _variable(self, name: str, scope: Scope) -> str:
        if name in scope:
            return scope[name]
        if name in BARE:
            return "n"
        raise type_error()

    def _call(self, call: Call, scope: Scope) -> str:
        name, count = call.function, len(call.arguments)
        if name in SPECIAL:
            fewest, most = SPECIAL[name]
            if not fewest <= count <= most:
                raise type_error()
            return self._special(name, call.arguments, scope)
        function = EACH.get(name) or FUNCTIONS.get(name)
        if function is None:
            raise type_error()
        return self._plain(name, function, call.arguments, scope)

    def _special(self, name: str, arguments: tuple[Tree, ...], scope: Scope) -> str:
        if name in ("now", "today"):
            return "d"
        if name in ("let", "lets"):
            return self._let(arguments, scope)
        found = [self.check(item, scope) for item in arguments]
        _refuse_unknown(found)
        if name == "if":
            return common(found[1:])
        if name == "ifs":
            return common([*found[1::2], *(found[-1:] if len(found) % 2 else [])])
        return "t" if name == "id" else "b"

    def _let(self, arguments: tuple[Tree, ...], scope: Scope) -> str:
        if len(arguments) % 2 == 0:
            raise type_error()
        inner = dict(scope)
        for name, value in zip(arguments[:-1:2], arguments[1::2], strict=True):
            if not isinstance(name, Variable):
                raise type_error()
            inner[name.name] = self.check(value, inner)
        return self.check(arguments[-1], inner)

    def _plain(
        self, name: str, function: Function, arguments: tuple[Tree, ...], scope: Scope
    ) -> str:
        letters = expected(function.takes, len(arguments))
        found: list[str] = []
        for letter, item in zip(letters, arguments, strict=True):
            if letter == "e":
                scope = {**scope, "current": found[0][1:] or "?", "index": "n"}
            found.append(self.check(item, scope))
        if name not in OF_UNKNOWN:
            _refuse_unknown(found)
        if not all(_fits(letter, kind) for letter, kind in zip(letters, found, strict=True)):
            raise type_error()
        if name == "add":
            return _sum_type(*found)
        if "c" in function.takes and common(found) == "m" and "m" not in found:
            raise type_error()
        return _result(function, found)


def expected(takes: str, count: int) -> list[str]:
    """Return a signature's letters for so many arguments."""
    optional, repeated = takes.endswith("?"), takes.endswith("*")
    letters = list(takes.rstrip("?*"))
    if repeated and count > len(letters):
        letters += letters[-1:] * (count - len(letters))
    fewest = len(letters) - optional - (repeated and len(letters) > 1 and count < len(letters))
    if not fewest <= count <= len(letters):
        raise type_error()
    return letters[:count]


def _refuse_unknown(found: list[str]) -> None:
    if any("u" in kind for kind in found):
        raise type_error()


def _fits(letter: str, kind: str) -> bool:
    if letter in "ae" or kind in ("m", "u") or kind.endswith("?"):
        return True
    if letter in ("l", "x"):
        return kind.startswith("l") or (letter == "x" and kind == "t")
    return kind in {"o": ("n", "z"), "N": ("n", "ln"), "c": ("n", "t", "b", "d")}.get(
        letter, (letter,)
    )


def _sum_type(one: str, other: str) -> str:
    """Return the type of a sum: texts are joined to anything, numbers added to numbers or nothing."""
    if "t" in (one, other):
        return "t"
    if {"m", "?"} & {one, other}:
        return "?"
    if {one, other} <= {"n", "z"}:
        return "n"
    raise type_error()


def _result(function: Function, found: list[str]) -> str:
    if function.gives == "i":
        return found[0][1:] or "?"
    if function.gives == "s":
        return found[0]
    if function.gives == "m":
        return f"l{found[1]}"
    if function.gives == "l":  # flat: one level less
        return f"l{found[0][2:]}" if found[0].startswith("ll") else found[0]
    return "z" if function.takes == "a?" and not found else function.gives
