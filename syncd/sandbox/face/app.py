"""The face itself: which view or action a path means, who is signed in, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from urllib.parse import urlencode, urlsplit

from syncd.sandbox.face import (
    asana,
    asana_task,
    jira,
    jira_issue,
    notion,
    notion_page,
    together,
)  # fmt: skip
from syncd.sandbox.face.desk import Desk, Person, Refused, changes, everybody
from syncd.sandbox.face.forms import Form
from syncd.sandbox.face.frame import Go, Page, Visit, whole
from syncd.sandbox.face.html import join, tag
from syncd.sandbox.services import Sandbox
from syncd.sandbox.wire import Request, Response, Router

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
COOKIE = "syncd-person"
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
_FILES = {"face.css": "text/css", "face.js": "text/javascript", "icon.svg": "image/svg+xml"}
_HERE = re.compile(r"/ui(?:[/?][!-\[\]-~]*)?")  # ASCII without blanks and backslashes

View = Callable[..., Page]
Action = Callable[..., Go]

_VIEWS: Mapping[str, View] = {
    "/": together.show,
    "/jira": jira.show,
    "/jira/{key}": jira_issue.show,
    "/asana": asana.show,
    "/asana/{gid}": asana_task.show,
    "/notion": notion.show,
    "/notion/{ident}": notion_page.show,
}
_ACTIONS: Mapping[str, Action] = {
    "/jira/create": jira.create,
    "/jira/{key}/move": jira.move,
    "/jira/{key}/edit": jira_issue.edit,
    "/jira/{key}/comment": jira_issue.comment,
    "/jira/{key}/delete": jira_issue.delete,
    "/asana/create": asana.create,
    "/asana/{gid}/move": asana.move,
    "/asana/{gid}/complete": asana.complete,
    "/asana/{gid}/edit": asana_task.edit,
    "/asana/{gid}/subtask": asana_task.subtask,
    "/asana/{gid}/comment": asana_task.comment,
    "/asana/{gid}/delete": asana_task.delete,
    "/notion/create": notion.create,
    "/notion/{ident}/edit": notion_page.edit,
    "/notion/{ident}/block": notion_page.block,
    "/notion/{ident}/add": notion_page.add,
    "/notion/{ident}/comment": notion_page.comment,
    "/notion/{ident}/move": notion_page.move,
    "/notion/{ident}/trash": notion_page.trash,
}


class Face:
    """Answers what a browser asks below `/ui`. No framework, no state but who has been seen.

    `handle` takes requests whose path has no prefix; `base_url` has it. Safe in several threads.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._people: tuple[Person, ...] = ()
        self._router = Router()
        for path, view in _VIEWS.items():
            self._router.add("GET", path, self._viewer(view))
        for path, action in _ACTIONS.items():
            self._router.add("POST", path, self._doer(action))
        self._router.add("POST", "/person", self._choose)
        self._router.add("GET", "/changes", self._changes)
        for name in _FILES:
            self._router.add("GET", f"/{name}", self._file)
        # names of files come before the pages of items
        self._router.routes.sort(key=lambda route: "{" in route[1])

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        found = self._router.find("GET" if request.method == "HEAD" else request.method,
                                  request.path.rstrip("/") or "/")  # fmt: skip
        if isinstance(found, frozenset):
            status, words = (405, "This address is for looking, or for sending, not both.") \
                if found else (404, "There is no such page.")  # fmt: skip
            return self._problem(request, status, words)
        if request.method == "POST" and not _from_here(request):
            return self._problem(request, 403, "This form was sent from another site.")
        handler, values = found
        try:
            return handler(request, *values.values())
        except Refused as error:
            return self._problem(request, _status(error.status), str(error))
        except (ValueError, KeyError, IndexError) as error:
            what = f"{error.args[0]!r} is missing" if isinstance(error, LookupError) else str(error)
            return self._problem(request, 422, f"That cannot be done: {what}")

    def people(self) -> tuple[Person, ...]:
        """Return who can be acted as; looked up again until seeded people are there."""
        if len(self._people) <= 1:
            self._people = everybody(self.sandbox)
        return self._people

    def _person(self, request: Request) -> Person:
        nick = _cookie(request)
        people = self.people()
        return next((each for each in people if each.nick == nick), people[0])

    def _visit(self, request: Request) -> Visit:
        origin = request.base_url.removesuffix("/ui")
        desk = Desk(self.sandbox, self._person(request), origin)
        return Visit(desk, request, Form.parse(request.body))

    def _viewer(self, view: View) -> Callable[..., Response]:
        def answer(request: Request, *values: str) -> Response:
            seen = changes(self.sandbox)  # before reading: what comes meanwhile is fetched again
            return self._page(request, view(self._visit(request), *values), seen)

        return answer

    def _doer(self, action: Action) -> Callable[..., Response]:
        def answer(request: Request, *values: str) -> Response:
            return _go(action(self._visit(request), *values).path)

        return answer

    def _page(self, request: Request, page: Page, seen: str, status: int = 200) -> Response:
        here = "/ui" + request.path
        if request.query:
            here += "?" + urlencode(request.query)
        text = whole(page, self._person(request), self.people(), here, seen)
        return _answer(status, text.encode(), "text/html; charset=utf-8")

    def _problem(self, request: Request, status: int, words: str) -> Response:
        back = _referer(request)
        body = join(
            tag("div", tag("h1", "That did not work"), tag("p", words, class_="refusal"),
                tag("p", tag("a", "Go back", href=back)), class_="problem", role="alert"),
        )  # fmt: skip
        shown = Request("GET", "/", (), request.headers, b"", request.base_url)
        return self._page(shown, Page("That did not work", "", body), changes(self.sandbox), status)

    def _choose(self, request: Request) -> Response:
        sent = Form.parse(request.body)
        known = {each.nick for each in self.people()}
        nick = sent.one("person")
        answer = _go(sent.one("back"))
        if nick in known:
            answer.headers["set-cookie"] = f"{COOKIE}={nick}; Path=/ui; HttpOnly; SameSite=Lax"
        return answer

    def _changes(self, _request: Request) -> Response:
        return _answer(200, changes(self.sandbox).encode(), "text/plain")

    def _file(self, request: Request) -> Response:
        name = request.path.strip("/")
        data = (files("syncd.sandbox.face") / name).read_bytes()
        return _answer(200, data, f"{_FILES[name]}; charset=utf-8")


def _answer(status: int, body: bytes, kind: str) -> Response:
    return Response(status, body, {**_HEADERS, "content-type": kind})


def _go(path: str) -> Response:
    """Lead to another page; only of this face, whatever a form says."""
    target = path if _HERE.fullmatch(path) else "/ui/"
    return Response(303, b"", {**_HEADERS, "location": target})


def _status(status: int) -> int:
    """Return the status to show: sign-in challenges and no answer at all are a failed gateway."""
    return 502 if status in {0, 401} else status


def _cookie(request: Request) -> str:
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _from_here(request: Request) -> bool:
    """Return whether a form comes from this face and not from a page elsewhere."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _referer(request: Request) -> str:
    parts = urlsplit(request.headers.get("referer", ""))
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if _HERE.fullmatch(path) else "/ui/"
