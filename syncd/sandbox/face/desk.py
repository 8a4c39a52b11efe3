"""Who is looking, and how they ask the services: signed in, through the services' own handlers."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from syncd.sandbox.seeds.people import DOMAIN, NAMES, token_of
from syncd.sandbox.services import Sandbox
from syncd.sandbox.wire import Request, Response, query_pairs

Json = dict[str, Any]

NAMED = {"jira": "Jira", "asana": "Asana", "notion": "Notion"}
_GOOD = 400  # statuses from here on are refusals


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to act as; `headers` sign in to each service."""

    nick: str
    name: str
    email: str
    headers: Mapping[str, Mapping[str, str]]


class Refused(Exception):
    """A service said no: its name, status (0: the connection closed) and sentence."""

    def __init__(self, service: str, status: int, sentence: str) -> None:
        super().__init__(f"{NAMED[service]} answered {status}: {sentence}")
        self.service = service
        self.status = status
        self.sentence = sentence


def everybody(sandbox: Sandbox) -> tuple[Person, ...]:
    """Return the seeded people who can sign in, and last the integration with its own tokens."""
    jira, asana, notion = sandbox.jira, sandbox.asana, sandbox.notion
    own = _person("integration", "Integration", jira.email, jira.token, asana.token, notion.token)
    seeded = [
        _person(nick, name, f"{nick}@{DOMAIN}", *(token_of(each, nick) for each in NAMED))
        for nick, name in NAMES
    ]
    return (*(person for person in seeded if _known(sandbox, person)), own)


def _person(nick: str, name: str, email: str, jira: str, asana: str, notion: str) -> Person:
    basic = base64.b64encode(f"{email}:{jira}".encode()).decode()
    signed = {
        "jira": {"authorization": f"Basic {basic}"},
        "asana": {"authorization": f"Bearer {asana}"},
        "notion": {"authorization": f"Bearer {notion}", "notion-version": "2026-03-11"},
    }
    return Person(nick, name, email, signed)


def _known(sandbox: Sandbox, person: Person) -> bool:
    paths = {"jira": "/rest/api/3/myself", "asana": "/api/1.0/users/me", "notion": "/v1/users/me"}
    with sandbox.lock:
        return all(
            sandbox.service(name).handle(Request("GET", path, (), person.headers[name])).status
            < _GOOD
            for name, path in paths.items()
        )


def changes(sandbox: Sandbox) -> str:
    """Return text that differs after every request that may have changed something."""
    with sandbox.lock:
        return f"{sandbox.writes}-{len(sandbox.deferred)}"


class Desk:
    """Asks the services as one person.

    What a page reads is not logged, counted, or hit by faults; what a person does is, like any
    other client's request.
    """

    def __init__(self, sandbox: Sandbox, person: Person, origin: str) -> None:
        self.sandbox = sandbox
        self.person = person
        self.origin = origin

    def read(self, service: str, path: str, body: object = None, *, method: str = "") -> Any:  # noqa: ANN401
        """Return an answer's JSON; `path` may have a query. Raises `Refused`."""
        request = self._request(service, method or ("GET" if body is None else "POST"), path, body)
        with self.sandbox.lock:
            return _told(service, self.sandbox.service(service).handle(request))

    def act(self, service: str, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        """Do something; returns the answer's JSON. Raises `Refused`."""
        outcome = self.sandbox.exchange(service, self._request(service, method, path, body))
        if outcome.response is None or outcome.cut is not None:
            raise Refused(
                service, 0, "the connection closed without a whole answer; a fault is switched on"
            )
        return _told(service, outcome.response)

    def _request(self, service: str, method: str, path: str, body: object) -> Request:
        bare, _, query = path.partition("?")
        headers = {
            "user-agent": "syncd-sandbox-face",
            "content-type": "application/json",
            **self.person.headers[service],
        }
        data = b"" if body is None else orjson.dumps(body)
        address = f"{self.origin}/{service}"
        return Request(method, bare, query_pairs(query), headers, data, address)

    def asana_pages(self, path: str, most: int = 1000) -> Iterator[Json]:
        """Yield what a paged Asana listing holds; `path` must have a query already."""
        offset = ""
        for _ in range(-(-most // 100)):
            answer = self.read("asana", f"{path}&limit=100{offset}")
            yield from answer["data"]
            if not answer.get("next_page"):
                return
            offset = f"&offset={answer['next_page']['offset']}"

    def notion_people(self, most: int = 1000) -> Iterator[Json]:
        """Yield the people of the Notion workspace."""
        cursor = ""
        for _ in range(-(-most // 100)):
            answer = self.read("notion", f"/v1/users?page_size=100{cursor}")
            yield from (each for each in answer["results"] if each["type"] == "person")
            if not answer["has_more"]:
                return
            cursor = f"&start_cursor={answer['next_cursor']}"


def _told(service: str, response: Response) -> Any:  # noqa: ANN401 - JSON
    if response.status >= _GOOD:
        raise Refused(service, response.status, _sentence(response))
    return orjson.loads(response.body) if response.body else {}


def _sentence(response: Response) -> str:
    """Return the sentence in an error body of any of the three."""
    try:
        body = orjson.loads(response.body)
    except ValueError:
        return response.body[:300].decode("utf8", "replace") or "no words"
    errors = body.get("errors")
    if isinstance(errors, list):
        return "; ".join(str(each.get("message")) for each in errors)
    said = [*body.get("errorMessages", ()), *(errors or {}).values()]
    return "; ".join(map(str, said)) or str(body.get("message", body))
