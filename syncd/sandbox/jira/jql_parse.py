"""JQL to a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from syncd.sandbox.jira.jql_words import Token, problem, tokens
from syncd.sandbox.jira.problems import ApiError

_OPERATORS = (
    "The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and"
    " 'IS NOT'."
)
_SIGNS = frozenset({"=", "!=", "<", ">", "<=", ">=", "~", "!~"})
_PREDICATES = frozenset({"after", "before", "by", "during", "on", "from", "to"})
MAX_SORTS = 7
MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Value:
    """A literal; `quoted` tells a string from a bare word."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function such as `currentUser()`."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Empty:
    """`EMPTY` or `NULL`."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list in parentheses."""

    items: tuple[Operand, ...]


Operand: TypeAlias = Value | Call | Empty | Many


@dataclass(frozen=True, slots=True)
class Clause:
    """`field operator operand`; operators in lower case, e.g. `not in`, `is not`, `was in`."""

    field: str
    operator: str
    operand: Operand = Empty()
    predicates: tuple[tuple[str, Operand], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions joined by `and` or `or`, or one under `not`."""

    joint: str
    parts: tuple[Condition, ...]


Condition: TypeAlias = Clause | Group


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; `order` holds (field, descending or None when not said)."""

    where: Condition | None
    order: tuple[tuple[str, bool | None], ...] = ()


def parse(text: str) -> Query:
    """Return the tree of a query; raises `ApiError` 400 in the vendor's words."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.place = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def advance(self) -> Token:
        token = self.token
        self.place += 1
        return token

    def keyword(self, *names: str) -> bool:
        return self.token.kind in {"word", "op"} and self.token.lower in names

    def take(self, *names: str) -> bool:
        found = self.keyword(*names)
        self.place += found
        return found

    def fail(self, sentence: str, token: Token | None = None) -> ApiError:
        place = (token or self.token).place
        return problem(f"Error in the JQL Query: {sentence}", self.text, place)

    def got(self) -> str:
        return "the end of the query" if self.token.kind == "end" else f"'{self.token.text}'"

    # the grammar

    def query(self) -> Query:
        where = None if self.token.kind == "end" or self.keyword("order") else self.any_of()
        order = self.order() if self.take("order") else ()
        if self.token.kind != "end":
            if order:
                raise self.fail(f"Expecting ',' or the end of the query but got {self.got()}.")
            raise self.fail(f"Expecting either 'OR' or 'AND' but got {self.got()}.")
        return Query(where, order)

    def any_of(self) -> Condition:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("The JQL query is too deeply nested.")
        parts = [self.all_of()]
        while self.take("or", "||", "|"):
            parts.append(self.all_of())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Group("or", tuple(parts))

    def all_of(self) -> Condition:
        parts = [self.one()]
        while self.take("and", "&&", "&"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def one(self) -> Condition:
        if self.take("not", "!"):
            return Group("not", (self.one(),))
        if self.take("("):
            inside = self.any_of()
            if not self.take(")"):
                raise self.fail(f"Expecting ')' before {self.got()}." if self.token.kind == "end"
                                else f"Expecting ')' but got {self.got()}.")  # fmt: skip
            return inside
        return self.clause()

    def name(self) -> str:
        token = self.token
        if token.lower == "cf" and self.tokens[self.place + 1].text == "[":
            self.place += 2
            number = self.advance()
            if not number.text.isdigit() or not self.take("]"):
                raise self.fail("Expecting a custom field number in 'cf[...]'.", number)
            return f"cf[{number.text}]"
        if token.kind == "end":
            raise self.fail("Expecting a field name but reached the end of the query.")
        if token.kind == "op":
            raise self.fail(f"Expecting a field name but got {self.got()}.")
        if token.reserved:
            raise self.fail(
                f"'{token.text}' is a reserved JQL word. You must surround it in quotation marks to"
                " use it as a field name."
            )
        text = self.advance().text
        if token.kind == "word" and self.take("["):  # issue.property[key].path
            inside = self.advance().text
            if not self.take("]"):
                raise self.fail(f"Expecting ']' but got {self.got()}.")
            rest = self.advance().text if self.token.text.startswith(".") else ""
            return f"{text}[{inside}]{rest}"
        return text

    def clause(self) -> Clause:
        field_name = self.name()
        operator = self.operator()
        if operator.startswith("changed"):
            return Clause(field_name, operator, Empty(), self.predicates())
        operand = self.operand(listed=operator.endswith("in"))
        history = self.predicates() if operator.startswith("was") else ()
        return Clause(field_name, operator, operand, history)

    def operator(self) -> str:
        token = self.token
        if token.kind == "op" and token.text in _SIGNS:
            return self.advance().text
        if self.take("in"):
            return "in"
        if self.take("is"):
            return "is not" if self.take("not") else "is"
        if self.take("was"):
            return "was" + (" not" if self.take("not") else "") + (" in" if self.take("in") else "")
        if self.take("changed"):
            return "changed"
        if self.take("not"):
            if self.take("in"):
                return "not in"
            raise self.fail(f"Expecting 'IN' but got {self.got()}.")
        if token.kind == "end":
            raise self.fail(f"Expecting operator before the end of the query. {_OPERATORS}")
        raise self.fail(f"Expecting operator but got {self.got()}. {_OPERATORS}")

    def operand(self, *, listed: bool = False) -> Operand:
        if self.take("("):
            items = [self.operand()]
            while self.take(","):
                items.append(self.operand())
            if not self.take(")"):
                raise self.fail(f"Expecting ')' but got {self.got()}.")
            return Many(tuple(items))
        value = self.value()
        if listed and isinstance(value, Value):
            raise self.fail(f"Expecting '(' but got '{value.text}'.", self.tokens[self.place - 1])
        return value

    def value(self) -> Operand:
        token = self.token
        if self.take("empty", "null"):
            return Empty()
        if token.kind == "string":
            return Value(self.advance().text, quoted=True)
        if token.kind != "word":
            raise self.fail(f"Expecting either a value, list or function but got {self.got()}.")
        if token.reserved:
            raise self.fail(
                f"Expecting either a value, list or function but got '{token.text}'. You must"
                f" surround '{token.text}' in quotation marks to use it as a value."
            )
        self.advance()
        if self.take("("):
            return Call(token.text, self.arguments())
        return Value(token.text)

    def arguments(self) -> tuple[str, ...]:
        found: list[str] = []
        while not self.take(")"):
            token = self.advance()
            if token.kind not in {"word", "string"}:
                raise self.fail(f"Expecting ')' but got '{token.text}'.", token)
            found.append(token.text)
            if not self.take(",") and not self.keyword(")"):
                raise self.fail(f"Expecting ')' but got {self.got()}.")
        return tuple(found)

    def predicates(self) -> tuple[tuple[str, Operand], ...]:
        found = []
        while self.keyword(*_PREDICATES):
            found.append((self.advance().lower, self.operand()))
        return tuple(found)

    def order(self) -> tuple[tuple[str, bool | None], ...]:
        if not self.take("by"):
            raise self.fail(f"Expecting 'by' but got {self.got()}.")
        found: list[tuple[str, bool | None]] = []
        while True:
            name = self.name()
            found.append((name, True if self.take("desc") else False if self.take("asc") else None))
            if not self.take(","):
                break
        if len(found) > MAX_SORTS:
            raise self.fail(f"The maximum number of ORDER BY fields is {MAX_SORTS}.")
        return tuple(found)
