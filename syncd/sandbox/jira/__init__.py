"""A stateful stand-in for one Jira Cloud site: REST API versions 2 and 3 and Jira Software.

Sources: the vendor's OpenAPI definitions of June 2026, recorded traffic, and the documentation.
"""

from __future__ import annotations

import base64
import binascii
import pickle
import re
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import (
    defaults,
    load,
    routes_agile,
    routes_archive,
    routes_around,
    routes_attachment,
    routes_bulk,
    routes_epic,
    routes_field,
    routes_filter,
    routes_followers,
    routes_groups,
    routes_hooks,
    routes_issue,
    routes_jql,
    routes_people,
    routes_project,
    routes_property,
    routes_search,
    routes_site,
    routes_software,
    routes_sprint,
    routes_versions,
    routes_worklog,
    tasks,
)
from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.changes import record
from syncd.sandbox.jira.indexlag import IndexLag
from syncd.sandbox.jira.model import (
    ChangeItem,
    Issue,
    IssueType,
    Project,
    Status,
    Transition,
    User,
    Workflow,
)
from syncd.sandbox.jira.problems import ApiError
from syncd.sandbox.jira.publisher import JiraPublisher
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.shapes import Shapes
from syncd.sandbox.jira.store import Store
from syncd.sandbox.webhooks import Line
from syncd.sandbox.wire import Request, Response, json_response

_API = re.compile(r"/rest/api/(2|3|latest)(/.*)")
_AGILE = re.compile(r"/rest/agile/(?:1\.0|latest)(/.*)")
_SOFTWARE = re.compile(r"/rest/software/(?:1\.0|latest)(/.*)")
_HOOKS = re.compile(r"/rest/webhooks/(?:1\.0|latest)(/.*)")
_GROWING = ("revision", "setup")  # what is kept by these must never look fresh again
_CACHES = frozenset({"jql_names", "sorted_answers"})
_UNKEPT = frozenset({"clock", "postings"})
_HEADERS = {
    "cache-control": "no-cache, no-store, no-transform",
    "server": "AtlassianEdge",
    "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
    "timing-allow-origin": "*",
    "vary": "Accept-Encoding",
    "x-content-type-options": "nosniff",
    "x-xss-protection": "1; mode=block",
}


class JiraSandbox:
    """One Jira Cloud site. `handle` answers a request; other methods are for setting it up.

    It starts with one person (`email`, `token`), the standard types, statuses, priorities and
    fields, and no project.
    """

    def __init__(self, clock: SandboxClock, *, seed: int = 1) -> None:
        self.clock = clock
        self.store = Store(clock, seed)
        self.email = "sandbox@example.com"
        self.token = "sandbox-jira-token"  # noqa: S105 - the published token of a stand-in
        self._tokens: dict[str, str] = {}  # account id -> token
        self._callers: dict[str, User] = {}  # Authorization header -> user
        self._refused: set[str] = set()  # Authorization headers that were nobody's
        self._shapes: dict[tuple[str, str, str], Shapes] = {}
        self._requests = 0
        defaults.fill(self.store)
        self.store.extras["standard_types"] = list(self.store.types)
        self.account_id = self.add_user("Sandbox Admin", self.email)
        self.add_token(self.account_id, self.token)
        routes_groups.new_group(self.store, "site-admins", {self.account_id})
        routes_groups.new_group(self.store, "jira-users", None)
        self._api, self._agile, self._software = Routes(), Routes(), Routes()
        for module in (routes_archive, routes_property, tasks, routes_site, routes_worklog, routes_attachment,
                       routes_followers, routes_groups, routes_issue, routes_search, routes_jql,
                       routes_people, routes_project, routes_versions, routes_field, routes_filter,
                       routes_around, routes_bulk):  # fmt: skip
            module.add(self._api)
        routes_agile.add(self._agile)
        routes_sprint.add(self._agile)
        routes_epic.add(self._agile)
        routes_software.add(self._software)
        self.line = Line()  # how webhooks get out
        self.publisher = JiraPublisher(self.store)
        self._hooks = Routes()
        routes_hooks.add(self._api, lambda: self.line)
        routes_hooks.add_admin(self._hooks, lambda: self.line)

    # answering

    def handle(self, request: Request) -> Response:
        """Answer a request; `path` has no prefix in front of `/rest`."""
        self._requests += 1
        try:
            response = self._answer(request)
        except ApiError as error:
            response = error.response()
        trace = f"{self._requests:032x}"
        response.headers = {
            **_HEADERS,
            "date": formatdate(self.clock.now(), usegmt=True),
            "atl-traceid": trace,
            "x-arequestid": trace[::-1],
            **response.headers,
        }
        if request.headers.get("authorization") in self._refused:
            response.headers.setdefault("x-seraph-loginreason", "AUTHENTICATED_FAILED")
        return response

    def _answer(self, request: Request) -> Response:
        place = self._place(request.path)
        if place is None:
            return self._outside(request)
        routes, path, version = place
        user = self._caller(request)
        found = routes.find(request.method, path.rstrip("/") or "/")
        if isinstance(found, frozenset):
            return _no_route(request, found)
        handler, values = found
        zone = user.time_zone if user else "UTC"
        call = Call(request, self.store, user, self._shapes_for(request.base_url, version, zone))
        return handler(call, **values)

    def _place(self, path: str) -> tuple[Routes, str, str] | None:
        """Return the routes that a path belongs to, the path among them, and the API's version."""
        api = _API.fullmatch(path)
        if api is not None:
            return self._api, api[2], "3" if api[1] == "3" else "2"
        for pattern, routes in (
            (_AGILE, self._agile),
            (_SOFTWARE, self._software),
            (_HOOKS, self._hooks),
        ):
            other = pattern.fullmatch(path)
            if other is not None:
                return routes, other[1], "2"
        return None

    def _outside(self, request: Request) -> Response:
        if request.path == "/_edge/tenant_info":
            return json_response({"cloudId": "11111111-2222-4333-8444-555555555555"})
        return _no_route(request, frozenset())

    def _shapes_for(self, base_url: str, version: str, zone: str) -> Shapes:
        key = (base_url, version, zone)
        if key not in self._shapes:
            self._shapes[key] = Shapes(self.store, *key)
        return self._shapes[key]

    def _caller(self, request: Request) -> User | None:
        """Return who asks. Wrong credentials are nobody's: only what needs a login is refused."""
        header = request.headers.get("authorization")
        if not header:
            return None
        bearer = self._bearer(request, header)
        user = bearer or self._callers.get(header) or self._sign_in(header)
        if user is None or not user.active:
            self._refused.add(header)
            return None
        self._refused.discard(header)
        if bearer is None:
            self._callers[header] = user
        return user

    def _bearer(self, request: Request, header: str) -> User | None:
        """Return whose OAuth token this is; they are good at Atlassian's gateway only."""
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or "/ex/jira/" not in request.base_url:
            return None
        account = self.store.extras.get("bearers", {}).get(token)
        return self.store.users.get(account) if account else None

    def _sign_in(self, header: str) -> User | None:
        kind, _, rest = header.partition(" ")
        if kind.lower() != "basic":
            raise ApiError(403, "Failed to parse Connect Session Auth Token")
        try:
            email, _, token = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        user = self.store.user_by_email(email)
        right = user is not None and self._tokens.get(user.account_id) == token
        return user if right else None

    # setting up

    def add_user(
        self,
        name: str,
        email: str,
        *,
        account_id: str | None = None,
        active: bool = True,
        email_visible: bool = True,
        time_zone: str = "UTC",
    ) -> str:
        """Add a person and return the account id."""
        account = account_id or f"712020:{self.store.uuid()}"
        self.store.users[account] = User(account, name, email, active, email_visible, time_zone)
        self.store.setup += 1
        return account

    def add_group(self, name: str, members: Iterable[str]) -> str:
        """Add a group of people, by account id, and return its id."""
        return routes_groups.new_group(self.store, name, set(members)).id

    def add_token(self, account_id: str, token: str) -> None:
        """Let a person call the API with their e-mail and this token, instead of any before."""
        if account_id not in self.store.users:
            raise ValueError(f"there is no user {account_id!r} to give a token to")
        self._tokens[account_id] = token
        self._callers.clear()

    def revoke_token(self, account_id: str) -> None:
        """Make a person's token invalid."""
        self._tokens.pop(account_id, None)
        self._callers.clear()

    def set_user(
        self,
        account_id: str,
        *,
        active: bool | None = None,
        email_visible: bool | None = None,
        name: str | None = None,
        time_zone: str | None = None,
    ) -> None:
        """Change a person."""
        user = self.store.users[account_id]
        user.active = user.active if active is None else active
        user.email_visible = user.email_visible if email_visible is None else email_visible
        user.name = name or user.name
        user.time_zone = time_zone or user.time_zone
        self.store.setup += 1

    def people(self) -> list[User]:
        """Return everyone the site knows, in the order they came."""
        return list(self.store.users.values())

    def add_project(
        self, key: str, name: str, *, lead: str | None = None, team_managed: bool = False
    ) -> int:
        """Add a project with the standard types and workflow and return its id."""
        made = routes_project.new_project(self.store, key, name, lead or self.account_id)
        made.simplified = team_managed
        return made.id

    def set_access(
        self, project: str, *, members: Iterable[str] | None, readers: Iterable[str] = ()
    ) -> None:
        """Say who may see a project (None: everyone) and who of them may only read."""
        found = self._project(project)
        found.members = None if members is None else frozenset(members)
        found.readers = frozenset(readers)
        self.store.setup += 1
        self.store.revision += 1

    def set_required(self, project: str, fields: Iterable[str], *, type_name: str = "") -> None:
        """Require fields, by id, in a project for one type or for all."""
        found = self._project(project)
        found.required[self._type(type_name) if type_name else ""] = frozenset(fields)

    def add_status(self, name: str, category: str) -> str:
        """Add a status (category: new, indeterminate or done) and return its id."""
        known = self.store.by_name(self.store.statuses, name)
        if known is not None:
            return known
        status = Status(str(self.store.number("status")), name, category)
        self.store.statuses[status.id] = status
        self.store.setup += 1
        return status.id

    def add_type(self, name: str, level: int, *, projects: Iterable[str] = ()) -> str:
        """Add an issue type on a hierarchy level to some projects and return its id."""
        kind = IssueType(str(self.store.number("type")), name, level)
        self.store.types[kind.id] = kind
        for key in projects:
            self._project(key).type_ids.append(kind.id)
        self.store.setup += 1
        return kind.id

    def set_workflow(
        self,
        project: str,
        statuses: Iterable[str],
        transitions: Iterable[tuple[str, Iterable[str], str, Mapping[str, bool]]],
        *,
        type_name: str = "",
    ) -> None:
        """Define the workflow of a project's type (default: all types).

        `statuses` by name, the first one initial. `transitions`: (name, sources, target, screen)
        with sources empty for "from anywhere" and screen = field id -> required.
        """
        ids = [self._status(name) for name in statuses]
        steps = tuple(
            Transition(
                str(11 + 10 * place), name, self._status(target),
                frozenset(map(self._status, sources)), dict(screen),
            )
            for place, (name, sources, target, screen) in enumerate(transitions)
        )  # fmt: skip
        found = self._project(project)
        flow = Workflow(f"Workflow of {found.key}", tuple(ids), steps)
        found.workflows[self._type(type_name) if type_name else ""] = flow

    def move_issue(self, key: str, project: str) -> str:
        """Move an issue to another project: new key, same id; the old key still resolves."""
        issue, target = self._issue(key), self._project(project)
        old_project, old_key = self.store.projects[issue.project_id], issue.key
        target.last_number += 1
        issue.key, issue.project_id = f"{target.key}-{target.last_number}", target.id
        self.store.keys[issue.key.upper()] = issue.id
        items = [
            ChangeItem("project", "project", str(old_project.id), old_project.name,
                       str(target.id), target.name),
            ChangeItem("Key", "issuekey", None, old_key, None, issue.key),
        ]  # fmt: skip
        record(self.store, issue, self.account_id, items)
        return issue.key

    def hide_issue(self, key: str, *, hidden: bool = True) -> None:
        """Make an issue invisible to all, as an issue security level would, or visible again."""
        self._issue(key).hidden = hidden
        self.store.revision += 1

    def set_index_lag(self, seconds: float) -> None:
        """Let search see changes only so many seconds later (0: at once), as the real index does.

        `reconcileIssues` makes search exact for the issues it names.
        """
        store = self.store
        store.lagging = IndexLag(int(seconds * 1000), store.issues.values()) if seconds else None

    def load_issues(self, path: str | Path) -> int:
        """Load a JSON Lines file (.gz too) of issues in the vendor's REST form; return how many.

        Raises ValueError with file and line for what is malformed.
        """
        return load.load_issues(self.store, Path(path), self.account_id)

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of all state, which `restore` takes; later changes do not touch it."""
        held = {name: value for name, value in vars(self.store).items() if name not in _UNKEPT}
        held["extras"] = {k: v for k, v in self.store.extras.items() if k not in _CACHES}
        return {"state": pickle.dumps((held, self._tokens, self._requests))}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot of this sandbox or of one of the same seed."""
        held, self._tokens, self._requests = pickle.loads(snapshot["state"])  # noqa: S301 - ours
        grown = {name: max(held[name], getattr(self.store, name)) + 1 for name in _GROWING}
        vars(self.store).update({**held, **grown})
        self.store.postings.clear()
        self._callers.clear()
        self._shapes.clear()

    @property
    def operations(self) -> list[tuple[str, str]]:
        """Return method and path template of everything built."""
        places = (
            ("/rest/api/3", self._api),
            ("/rest/agile/1.0", self._agile),
            ("/rest/software/1.0", self._software),
            ("/rest/webhooks/1.0", self._hooks),
        )
        return [(m, prefix + p) for prefix, routes in places for m, p in routes.listed]

    def _project(self, key: str) -> Project:
        found = self.store.find_project(key)
        if found is None:
            raise ValueError(f"there is no project {key!r}")
        return found

    def _issue(self, key: str) -> Issue:
        found = self.store.find_issue(key)
        if found is None:
            raise ValueError(f"there is no issue {key!r}")
        return found

    def _status(self, name: str) -> str:
        found = self.store.by_name(self.store.statuses, name)
        if found is None:
            raise ValueError(f"there is no status {name!r}; add it with add_status first")
        return found

    def _type(self, name: str) -> str:
        for kind in self.store.types.values():
            if kind.name.casefold() == name.casefold():
                return kind.id
        raise ValueError(f"there is no issue type {name!r}")


def _no_route(request: Request, methods: frozenset[str]) -> Response:
    if methods:
        allowed = ", ".join(sorted(methods))
        body = {"message": "HTTP 405 Method Not Allowed", "status-code": 405}
        return json_response(body, 405, {"allow": allowed})
    address = f"{request.base_url}{request.path}"
    return json_response({"message": f"null for uri: {address}", "status-code": 404}, 404)
