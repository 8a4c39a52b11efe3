"""The page around every view, and the small parts views share."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from syncd.sandbox.face.desk import NAMED, Desk, Person
from syncd.sandbox.face.forms import Form, button, form, hidden, told_apart
from syncd.sandbox.face.html import Html, Node, join, tag
from syncd.sandbox.wire import Request

_COLOURS = 8


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to the face: who asks through which desk, with which query or form."""

    desk: Desk
    request: Request
    form: Form

    def ask(self, name: str) -> str:
        """Return a query parameter, empty when it is missing."""
        return self.request.one(name) or ""


@dataclass(frozen=True, slots=True)
class Page:
    """A view: title, the service it belongs to (empty: all three) and its content."""

    title: str
    service: str
    body: Html


@dataclass(frozen=True, slots=True)
class Go:
    """After an action: the page to look at."""

    path: str


def whole(page: Page, person: Person, people: Iterable[Person], here: str, seen: str) -> Html:
    """Return the document. `here` is its address, `seen` what `changes` said then."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{page.title} · syncd sandbox"),
        tag("link", rel="icon", href="/ui/icon.svg"),
        tag("link", rel="stylesheet", href="/ui/face.css"),
        tag("script", src="/ui/face.js", defer=True),
    )
    body = tag(
        "body",
        tag("a", "Skip to content", href="#main", class_="skip"),
        _top(page, person, people, here),
        tag("main", page.body, id="main", tabindex="-1"),
        tag("p", "", id="said", role="status", aria_live="polite"),
        data_seen=seen,
        class_=page.service or "all",
    )
    return Html(f"<!doctype html>{tag('html', head, body, lang='en')}")


def _top(page: Page, person: Person, people: Iterable[Person], here: str) -> Html:
    places = (("", "Side by side"), *NAMED.items())
    links = [
        tag("a", name, href=f"/ui/{service}", class_=f"to-{service or 'all'}",
            aria_current="page" if service == page.service else None)
        for service, name in places
    ]  # fmt: skip
    options = told_apart((each.nick, each.name, each.email) for each in people)
    choices = [tag("option", name, value=nick, selected=nick == person.nick)
               for nick, name in options]  # fmt: skip
    picker = form(
        "/ui/person",
        tag("label", "Acting as ", for_="person"),
        tag("select", choices, name="person", id="person", data_submit=True),
        hidden(back=here),
        button("Switch", class_="quiet nojs"),
        class_="picker",
    )
    brand = tag("a", tag("strong", "syncd"), " sandbox", href="/ui/", class_="brand")
    return tag("header", brand, tag("nav", links, aria_label="Services"), picker)


def address(path: str, **query: str | None) -> str:
    """Return a path with the query parameters that are not empty."""
    pairs = {name.rstrip("_"): value for name, value in query.items() if value}
    return f"{path}?{urlencode(pairs)}" if pairs else path


def part(text: str) -> str:
    """Return text as one part of a path."""
    return quote(text, safe="")


def avatar(name: str | None, *, named: bool = False) -> Html:
    """Return a person's initials in a circle."""
    if not name:
        return tag("span", "–" if named else "", class_="nobody")
    words = [word for word in name.split() if word[0].isalnum()] or [name]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    colour = zlib.crc32(name.encode()) % _COLOURS
    face = tag("span", letters.upper(), class_=f"avatar c{colour}", title=name, aria_hidden="true")
    spoken = tag("span", name, class_=None if named else "spoken")
    return tag("span", face, spoken, class_="who")


def chip(text: str | None, colour: str = "plain") -> Html:
    """Return a small label in one of the named colours."""
    return tag("span", text, class_=f"chip {colour}") if text else Html()


def day(text: str | None) -> Html:
    """Return a date or the date of a moment."""
    return tag("time", text[:10], datetime=text) if text else Html()


def moment(text: str) -> Html:
    """Return a moment to the minute."""
    return tag("time", text[:16].replace("T", " "), datetime=text)


def more(href: str, words: str) -> Html:
    """Return a link to the rest."""
    return tag("a", words, href=href, class_="more")


def search_box(path: str, asked: str, label: str, **kept: str) -> Html:
    """Return a search field that keeps other query parameters."""
    return tag(
        "form",
        hidden(**{name: value for name, value in kept.items() if value}),
        tag("input", type="search", name="q", value=asked, placeholder=label, aria_label=label),
        button("Search", class_="quiet"),
        action=path,
        method="get",
        class_="search",
        role="search",
    )


def danger(label: str, action: str, *, sure: str, **values: str) -> Html:
    """Return a button that must be opened before it can be pressed."""
    inner = form(action, tag("p", sure), hidden(**values), button(label, class_="danger"))
    return tag("details", tag("summary", f"{label}…"), inner, class_="folded careful")


def story(who: str | None, when: str, *what: Node, ident: str | None = None) -> Html:
    """Return one line of a history."""
    return tag("li", avatar(who, named=True), tag("div", *what, class_="what"), moment(when),
               id=ident)  # fmt: skip


def section(title: Node, *children: Node, class_: str | None = None) -> Html:
    """Return a titled section."""
    return tag("section", tag("h2", title), *children, class_=class_)


def list_or(empty: str, items: Iterable[Html], class_: str) -> Html:
    """Return a list, or words where it is empty."""
    made = list(items)
    if not made:
        return tag("p", empty, class_="faint")
    return tag("ul", made, class_=class_)


__all__ = [
    "Go", "Page", "Visit", "address", "avatar", "chip", "danger", "day", "join", "list_or",
    "moment", "more", "part", "search_box", "section", "story", "whole",
]  # fmt: skip
