"""What a person filled in, and the fields they fill in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from syncd.sandbox.face.html import Html, Node, join, tag

Option = tuple[str, str]
"""Value and label."""


def told_apart(people: Iterable[tuple[str, str, str | None]]) -> list[Option]:
    """Return people (id, name, e-mail) as options; the e-mail is shown where two share a name."""
    known = list(people)
    names = Counter(name for _ident, name, _email in known)
    return [
        (ident, f"{name} ({email})" if email and names[name] > 1 else name)
        for ident, name, email in known
    ]


@dataclass(frozen=True, slots=True)
class Form:
    """The pairs of a sent form."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> Form:
        """Read an application/x-www-form-urlencoded body; line ends become plain."""
        pairs = parse_qsl(body.decode("utf8", "replace"), keep_blank_values=True)
        return cls(tuple((name, value.replace("\r\n", "\n")) for name, value in pairs))

    def one(self, name: str) -> str:
        """Return a value without blanks around it, empty when it is missing."""
        return next((value.strip() for key, value in self.pairs if key == name), "")

    def many(self, name: str) -> list[str]:
        """Return all values of a name that are not empty."""
        return [value for key, value in self.pairs if key == name and value]

    def changed(self) -> dict[str, list[str]]:
        """Return the fields a person changed, against what the page showed them.

        What they left alone is not sent, so that a page opened long ago undoes nobody's work.
        """
        found = {}
        for key, was in self.pairs:
            name = key.removeprefix("was.")
            if name != key and _joined(self.many(name)) != was.replace("\r\n", "\n").strip():
                found[name] = self.many(name)
        return found


@dataclass(frozen=True, slots=True)
class Field:
    """A field to fill in. `kind`: text, number, date, url, area, choice, choices, or shown (not editable)."""

    name: str
    label: str
    kind: str
    value: tuple[str, ...] = ()
    options: Sequence[Option] = ()
    shown: Node = None
    empty: bool = True
    """May be left empty."""


def _joined(values: Iterable[str]) -> str:
    return "\n".join(sorted(values)).strip()


def rows(fields: Iterable[Field], within: str = "") -> Html:
    """Return labelled inputs with what they held when the page was made.

    `within` tells inputs of one name apart where a page has several forms.
    """
    return join(_row(field, f"f-{within}{field.name}") for field in fields)


def _row(field: Field, ident: str) -> Html:
    if field.kind == "shown":
        return tag("div", tag("span", field.label, class_="label"), tag("div", field.shown),
                   class_="row")  # fmt: skip
    was = tag("input", type="hidden", name=f"was.{field.name}", value=_joined(field.value))
    label = tag("label", field.label, for_=ident, class_="label")
    return tag("div", label, tag("div", _input(field, ident), was), class_="row")


def _input(field: Field, ident: str) -> Html:
    first = field.value[0] if field.value else ""
    common: dict[str, str] = {"id": ident, "name": field.name}
    if field.kind == "area":
        return tag("textarea", "\n", first, rows=min(18, max(4, first.count("\n") + 2)), **common)
    if field.kind == "choice":
        return _choice(field, common)
    if field.kind == "choices":
        return _choices(field, ident)
    kind = {"number": "number", "date": "date", "url": "url"}.get(field.kind, "text")
    step = "any" if kind == "number" else None
    return tag(
        "input", type=kind, value=first, step=step, required=not field.empty, autocomplete="off",
        **common,
    )  # fmt: skip


def _choice(field: Field, common: dict[str, str]) -> Html:
    options = [("", "—"), *field.options] if field.empty else field.options
    chosen = set(field.value)
    return tag(
        "select",
        (tag("option", name, value=value, selected=value in chosen) for value, name in options),
        **common,
    )


def _choices(field: Field, ident: str) -> Html:
    """Return boxes to tick, folded away behind the names of those that are ticked."""
    chosen = [name for value, name in field.options if value in field.value]
    boxes = (
        tag("label", tag("input", type="checkbox", name=field.name, value=value,
            checked=value in field.value), tag("span", name))
        for value, name in field.options
    )  # fmt: skip
    inner = tag("div", boxes, role="group", aria_label=field.label)
    return tag("details", tag("summary", ", ".join(chosen) or "—", id=ident), inner, class_="picks")


def form(action: str, *children: Node, class_: str | None = None) -> Html:
    """Return a form that posts."""
    return tag("form", *children, action=action, method="post", class_=class_)


def hidden(**values: str) -> Html:
    """Return hidden inputs."""
    return join(tag("input", type="hidden", name=k, value=v) for k, v in values.items())


def button(label: Node, *, value: tuple[str, str] | None = None, says: str | None = None,
           class_: str | None = None) -> Html:  # fmt: skip
    """Return a submit button; `value` is a name and value sent with it, `says` its spoken name."""
    name, sent = value or (None, None)
    return tag("button", label, type="submit", name=name, value=sent, aria_label=says, title=says,
               class_=class_)  # fmt: skip


def folded(summary: Node, *children: Node, class_: str = "folded") -> Html:
    """Return something that opens when asked."""
    return tag("details", tag("summary", summary), *children, class_=class_)
