"""A stand-in for Asana's REST API 1.0: stateful, writable, in one process, without sockets."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from email.utils import formatdate
from typing import Any

import orjson

from syncd.sandbox.asana import (
    records_extras,
    records_people,
    records_planning,
    records_work,
    routes_events,
    routes_extras,
    routes_fields,
    routes_goals,
    routes_jobs,
    routes_memberships,
    routes_people,
    routes_portfolios,
    routes_projects,
    routes_related,
    routes_search,
    routes_sections,
    routes_tasks,
    routes_webhooks,
)
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Task, Team, User, Workspace
from syncd.sandbox.asana.errors import ApiError
from syncd.sandbox.asana.events import Actor, Streams
from syncd.sandbox.asana.limits import Limits
from syncd.sandbox.asana.store import Store
from syncd.sandbox.asana.webhooks import AsanaPublisher
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.webhooks import Line
from syncd.sandbox.wire import Request, Response, Router

__all__ = ["AsanaSandbox", "records_extras", "records_people", "records_planning", "records_work"]

PREFIX = "/api/1.0"
TOO_MANY = 429
RESOURCES = (
    routes_people, routes_projects, routes_sections, routes_tasks, routes_related, routes_fields,
    routes_events, routes_search, routes_goals, routes_portfolios, routes_jobs, routes_webhooks,
    routes_extras, routes_memberships,
)  # fmt: skip


def build_routers() -> dict[str, Router]:
    """Return a router for each first word of a path."""
    routers: dict[str, Router] = {}
    for module in RESOURCES:
        for method, template, handler in module.ROUTES:
            routers.setdefault(template.split("/")[1], Router()).add(method, template, handler)
    return routers


class AsanaSandbox:
    """The service: one workspace, one team and the bot that owns `token` to begin with."""

    email = "bot@acme.example"

    def __init__(
        self,
        clock: SandboxClock,
        *,
        seed: int = 1,
        workspace: str = "Acme",
        organization: bool = True,
    ) -> None:
        self.clock = clock
        self.secret = hashlib.sha256(f"asana sandbox {seed}".encode()).digest()
        self.store = Store(clock, seed)
        self.streams = Streams(self.secret)
        self.token = "sandbox-asana-token"  # noqa: S105 - a public demonstration value
        self.routers = build_routers()
        self.limits = Limits()
        self.line = Line()  # how webhooks get out
        self.publisher = AsanaPublisher(self.store, self.streams)
        home = Workspace(
            self.store.new_gid(), workspace, ("acme.example",), is_organization=organization
        )
        self.workspace = self.store.add(home).gid
        self.team = self.store.add(Team(self.store.new_gid(), "Product", self.workspace)).gid
        self.tokens: dict[str, str] = {}
        self.user = self.add_user("Syncd Bot", self.email, token=self.token)

    # -- administration, not over HTTP ---------------------------------------------------------

    def add_user(
        self, name: str, email: str, *, gid: str | None = None, token: str | None = None
    ) -> str:
        """Add a person to the workspace and the team; return the gid."""
        made = User(gid or self.store.new_gid(), name, email, (self.workspace,))
        self.store.add(made)
        self.store.emails[email.lower()] = made.gid
        team = self.store.need(self.team, Team)
        team.members = (*team.members, made.gid)
        if token:
            self.add_token(made.gid, token)
        return made.gid

    def add_token(self, user_gid: str, token: str) -> None:
        """Let a token act as a user."""
        self.tokens[token] = self.store.need(user_gid, User).gid

    def revoke_token(self, token: str) -> None:
        """Make a token answer 401 from now on."""
        self.tokens.pop(token, None)

    def undelete(self, task_gid: str) -> bool:
        """Take a task out of the trash as a person would; False when it is not there."""
        back = self.store.unbin_task(task_gid)
        actor = Actor(self.store, self.streams, self.user)
        for task in back:
            actor.emit(task, "undeleted")
        if back:
            parent = self.store.get(back[0].parent, Task)
            if parent is not None:
                parent.subtasks = (*parent.subtasks, task_gid)
        return bool(back)

    def request(
        self, method: str, path: str, data: object = None, *, token: str = "", **query: object
    ) -> tuple[int, Any]:
        """Ask in process, as the bot or another token's user; return status and parsed body."""
        pairs = tuple((name, str(value)) for name, value in query.items())
        headers = {"authorization": f"Bearer {token or self.token}"}
        body = b"" if data is None else orjson.dumps({"data": data})
        answer = self.handle(Request(method, f"{PREFIX}{path}", pairs, headers, body))
        return answer.status, orjson.loads(answer.body)

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of all state, which `restore` takes; later changes do not touch it."""
        held = {name: value for name, value in vars(self.store).items() if name != "clock"}
        return deepcopy(
            {"store": held, "streams": vars(self.streams), "tokens": self.tokens, "user": self.user}
        )

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot of this sandbox or of one of the same seed."""
        held = deepcopy(snapshot)
        vars(self.store).update(held["store"])
        vars(self.streams).update(held["streams"])
        self.tokens, self.user = held["tokens"], held["user"]

    # -- requests ------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        try:
            user = self._caller(request)
            self.limits.count(request.headers["authorization"], request.path, self.clock.now())
            answer = self._answer(request, user)
        except ApiError as refusal:
            answer = refusal.response()
        answer.headers["date"] = formatdate(self.clock.now(), usegmt=True)
        return answer

    def _caller(self, request: Request) -> str:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        user = self.tokens.get(token.strip()) if kind.lower() == "bearer" else None
        if user is None:
            raise ApiError(401, "Not Authorized")
        return user

    def _answer(self, request: Request, user: str) -> Response:
        if not request.path.startswith(f"{PREFIX}/"):
            raise ApiError(404, "No matching route for request")
        path = request.path[len(PREFIX) :].rstrip("/")
        if path == "/batch" and request.method == "POST":
            return self._batch(self._call(request, user))
        router = self.routers.get(path.split("/", 2)[1] if path else "")
        found = router.find(request.method, path) if router else frozenset()
        if isinstance(found, frozenset):
            raise ApiError(404, "No matching route for request")
        handler, values = found
        return handler(self._call(request, user), **values)

    def _call(self, request: Request, user: str) -> Call:
        call = Call(self.store, self.streams, user, request, self.secret)
        call.line = self.line
        return call

    def _batch(self, call: Call) -> Response:
        requests = routes_events.action_requests(call)
        answers = [self.handle(one) for one in requests]
        refused = next((one for one in answers if one.status == TOO_MANY), None)
        return refused or call.reply([routes_events.batch_row(one) for one in answers])
