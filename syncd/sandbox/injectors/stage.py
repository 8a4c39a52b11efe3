"""One request that a fault strikes, with what a fault may use to spoil it."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import orjson

from syncd.sandbox.wire import Request, Response, query_pairs

Json: TypeAlias = Any
VERSION = "2026-03-11"
_READS = {
    "jira": re.compile(
        r"/(search/jql|search/approximate-count|issue/bulkfetch|changelog/bulkfetch|jql/\w+)$"
    ),
    "asana": re.compile(r"^$"),
    "notion": re.compile(r"^/v1/(search|(data_sources|views)/[^/]+/(query|queries))$"),
}
_LISTS = {
    "jira": re.compile(r"/(search/jql|project/search|backlog|issue/bulkfetch|comment|changelog)$"
                       r"|/(board|sprint|epic)/[^/]+/issue$"),
    "asana": re.compile(r"/(tasks|subtasks|tasks/search|sections|projects|users)$"),
    "notion": re.compile(r"/(query|children|search|users)$"),
}  # fmt: skip
ROWS = {"jira": ("issues", "values", "comments"), "asana": ("data",), "notion": ("results",)}
TOKENS = {"jira": "nextPageToken", "asana": "offset", "notion": "start_cursor"}


class World(Protocol):
    """What a fault sees of the sandbox."""

    clock: Any
    limits: Any
    oauth: Any

    def service(self, name: str) -> Any:  # noqa: ANN401 - each stand-in has methods of its own
        """Return a stand-in."""

    def defer(self, service: str, request: Request, *, seconds: float = 0, behind: int = 0) -> None:
        """Let a request take effect later: after so long, and behind so many other requests."""


class Rule(Protocol):
    """What an injector sees of its rule."""

    params: dict[str, Json]
    memory: dict[Any, Json]
    chance: random.Random


Action = Callable[["Stage"], Response]


@dataclass(frozen=True, slots=True)
class Stage:
    """A struck request. `proceed` lets a request take its effect and returns the true answer."""

    world: World
    service: str
    request: Request
    rule: Rule
    proceed: Callable[[Request], Response]

    @property
    def stand_in(self) -> Any:  # noqa: ANN401
        """Return the service that is asked."""
        return self.world.service(self.service)

    @property
    def now(self) -> float:
        """Return the sandbox's time."""
        moment: float = self.world.clock.now()
        return moment

    def option(self, name: str, default: Json = None) -> Json:
        """Return a parameter of the rule."""
        return self.rule.params.get(name, default)

    def go_on(self) -> Response:
        """Let the request take its effect."""
        return self.proceed(self.request)

    def with_json(self, body: Json) -> Request:
        """Return the request with another body."""
        return replace(self.request, body=orjson.dumps(body))

    def sent(self) -> dict[str, Json]:
        """Return the JSON object that was sent, `{}` when there is none."""
        return loaded(self.request.body)

    def ask(self, method: str, path: str, body: Json = None, by: str | None = None) -> Json:
        """Ask the service as another client would; raises ValueError when it refuses.

        `by` names another account, made when it is first needed; None: the owner of the API token.
        """
        bare, _, query = path.partition("?")
        data = b"" if body is None else orjson.dumps(body)
        signed = _credentials(self.service, self.stand_in, by)
        headers = {"content-type": "application/json", **signed}
        answer = self.stand_in.handle(Request(method, bare, query_pairs(query), headers, data))
        if answer.status >= 400:  # noqa: PLR2004 - HTTP
            raise ValueError(f"{method} {path}: {answer.status} {answer.body[:300].decode()}")
        return orjson.loads(answer.body) if answer.body else {}


def _credentials(service: str, stand_in: Any, by: str | None) -> dict[str, str]:  # noqa: ANN401
    email, token = getattr(stand_in, "email", ""), stand_in.token
    if by is not None:
        email = f"{by.lower().replace(' ', '-')}@people.example"
        token = f"sandbox-{service}-{email.partition('@')[0]}"
        _hire(service, stand_in, by, email, token)
    if service == "jira":
        pair = f"{email}:{token}".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {"authorization": f"Bearer {token}", "notion-version": VERSION}


def _hire(service: str, stand_in: Any, name: str, email: str, token: str) -> None:  # noqa: ANN401
    """Give somebody an account, unless they have one."""
    if service == "jira":
        if stand_in.store.user_by_email(email) is None:
            stand_in.add_token(stand_in.add_user(name, email), token)
    elif service == "asana":
        if email not in stand_in.store.emails:
            stand_in.add_user(name, email, token=token)
    elif token not in stand_in.app.store.tokens:
        stand_in.add_token(stand_in.add_user(name, email), token)


def loaded(body: bytes) -> dict[str, Json]:
    """Return a JSON object, `{}` for anything else."""
    try:
        value = orjson.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def is_write(service: str, request: Request) -> bool:
    """Tell whether a request is meant to change something."""
    if request.method == "POST":
        return _READS[service].search(request.path) is None
    return request.method in {"PUT", "PATCH", "DELETE"}


def is_list(service: str, request: Request) -> bool:
    """Tell whether a request asks for a listing."""
    return not is_write(service, request) and _LISTS[service].search(request.path) is not None


def rows_of(service: str, body: dict[str, Json]) -> tuple[str, list[Json]] | None:
    """Return the name and the rows of a listing, or None for another answer."""
    for name in ROWS[service]:
        if isinstance(body.get(name), list):
            return name, body[name]
    return None


def page_token(service: str, request: Request) -> str | None:
    """Return the page token that a request carries."""
    name = TOKENS[service]
    found = request.one(name) or loaded(request.body).get(name)
    return str(found) if found else None


def with_page_token(service: str, request: Request, token: str) -> Request:
    """Return a request with another page token."""
    name = TOKENS[service]
    if request.one(name) is not None:
        pairs = tuple((k, token if k == name else v) for k, v in request.query)
        return replace(request, query=pairs)
    return replace(request, body=orjson.dumps({**loaded(request.body), name: token}))


def answered(answer: Response, body: Json) -> Response:
    """Return an answer with another JSON body."""
    return Response(answer.status, orjson.dumps(body), answer.headers)
