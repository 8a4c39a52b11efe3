"""The stand-in for Notion's API: routing, authentication, versions, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from email.utils import formatdate
from typing import Any

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import (
    access,
    routes_blocks,
    routes_databases,
    routes_extra,
    routes_pages,
    routes_views,
)
from syncd.sandbox.notion import routes_users as users
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.errors import MISSING, NotionError, invalid, shown
from syncd.sandbox.notion.hands import Hands
from syncd.sandbox.notion.ids import parse_uuid
from syncd.sandbox.notion.publisher import NotionPublisher
from syncd.sandbox.notion.store import User
from syncd.sandbox.notion.subscriptions import cancel, subscribe, verify
from syncd.sandbox.webhooks import Line
from syncd.sandbox.wire import Request, Response, Router, json_response

JSON = dict[str, Any]
Handler = Callable[[Call], JSON | tuple[int, JSON]]
CURRENT, LEGACY = "2026-03-11", "2025-09-03"
READS = ("/query", "/v1/search")  # read although they are sent with POST
GRACE = 3 * 86_400.0  # seconds after a free workspace's block limit was reached
BODY_LIMIT = 500_000  # bytes of a JSON request; files have limits of their own
TOKEN = "sandbox-notion-token"  # noqa: S105 - public, of a stand-in


class NotionSandbox:
    """A Notion workspace with one connection (a bot), answering API requests in process.

    Not safe for threads: one request at a time.
    """

    def __init__(self, clock: SandboxClock, *, seed: int = 1) -> None:
        self.clock = clock
        self.app = App(clock, seed, "Sandbox")
        self.hands = Hands(self.app)
        self.token = TOKEN
        bot = self._add(User(self.app.ids.uuid4(), "syncd sandbox"))
        self.app.shapes.bot_id = bot
        self.app.store.tokens[self.token] = bot
        self.line = Line()  # how webhooks get out
        self.publisher = NotionPublisher(self.app.store, self.app.shapes, clock)
        self._sources = routes_databases.DataSources(self.app)
        self._router = Router()
        self.operations: list[tuple[str, str]] = []
        self._needs: dict[Handler, str | None] = {}
        self._makers: set[Handler] = set()
        self._add_routes()

    def add_user(self, name: str, email: str, *, user_id: str | None = None) -> str:
        """Add a person and return their id."""
        identifier = self.app.ids.uuid4() if user_id is None else parse_uuid(user_id)
        if identifier is None:
            raise ValueError(f"{user_id} is no UUID: give one, or leave it out")
        return self._add(User(identifier, name, email))

    def _add(self, user: User) -> str:
        self.app.store.users[user.id] = user
        return user.id

    def add_token(self, user_id: str, token: str) -> None:
        """Let a token act as a user: `last_edited_by` becomes that user."""
        if user_id not in self.app.store.users:
            raise ValueError(f"no user {user_id}: add it with add_user first")
        self.app.store.tokens[token] = user_id

    def allow(self, *capabilities: str, token: str | None = None) -> None:
        """Give a token (the connection's own, if none is named) these capabilities and no others.

        They are those of `syncd.sandbox.notion.access`; at first a token has all of them.
        """
        self.app.store.capabilities[token or self.token] = access.checked(capabilities)

    def settle(self, given: JSON) -> JSON:
        """Take `capabilities` (of the connection, or of a `token`), `block_limit`, `query_limit`.

        Returns what holds now; raises ValueError for anything else.
        """
        unknown = set(given) - {"capabilities", "token", "block_limit", "query_limit"}
        if unknown:
            raise ValueError(f"Notion's settings have no {min(unknown)!r}")
        if "capabilities" in given:
            self.allow(*given["capabilities"], token=given.get("token"))
        if "block_limit" in given:
            self.limit_blocks(given["block_limit"])
        if "query_limit" in given:
            self.limit_query(int(given["query_limit"]))
        held = self.app.store.capabilities.get(given.get("token", self.token), access.CAPABILITIES)
        return {
            "capabilities": sorted(held),
            "block_limit": self.app.store.block_limit,
            "blocks_made": self.app.store.blocks_made(),
            "query_limit": self._sources.cap,
        }

    def share(self, page_or_database_id: str, shared: bool) -> None:  # noqa: FBT001 - reads well
        """Show a page, database or data source, with all in it, to the connection, or hide it."""
        identifier = parse_uuid(page_or_database_id) or ""
        self.app.store.revision += 1
        if shared:
            self.app.store.unshared.discard(identifier)
        elif identifier in self.app.store.nodes:
            self.app.store.unshared.add(identifier)
        else:
            raise ValueError(f"no page or database {page_or_database_id} to hide")

    def add_template(self, data_source_id: str, page_id: str, *, default: bool = False) -> None:
        """Make a page a template of a data source."""
        self.hands.template(data_source_id, page_id, default=default)

    def add_formula(self, data_source_id: str, name: str, expression: str) -> None:
        """Add a formula column as a person does in the app: unlike the API's it has a known type.

        So it can be filtered on, and may use other formulas and columns of related pages.
        """
        self.hands.formula(data_source_id, name, expression)

    def add_emoji(self, name: str, url: str) -> str:
        """Add a custom emoji and return its id."""
        emoji = {"id": self.app.ids.uuid4(), "name": name, "url": url}
        self.app.store.emojis.append(emoji)
        return emoji["id"]

    def subscribe(
        self, url: str, events: Iterable[str] | None = None, *, version: str = CURRENT
    ) -> JSON:
        """Make a webhook subscription, as in the connection's settings; raises ValueError.

        The url is sent a `verification_token`, with which `verify_subscription` makes it active.
        """
        if version not in (CURRENT, LEGACY):
            raise ValueError(f"api_version must be {LEGACY} or {CURRENT}, not {version!r}")
        held = self.app.store.webhooks
        return subscribe(held, self.line, url, events, version).shown()

    def verify_subscription(self, identifier: str, token: str) -> JSON:
        """Make a subscription active; raises ValueError for another token than the one sent."""
        return verify(self.app.store.webhooks, identifier, token).shown()

    def cancel_subscription(self, identifier: str) -> None:
        """Remove a subscription; raises ValueError when there is none."""
        cancel(self.app.store.webhooks, identifier)

    def limit_query(self, rows: int) -> None:
        """Set how many rows one query gives at most (10,000 in the service)."""
        self._sources.cap = rows

    def limit_blocks(self, blocks: int | None) -> None:
        """Set how many pages and blocks a free workspace may make (1,000 in the service).

        The write that reaches the limit succeeds; three days later writes that make more are refused.
        """
        self.app.store.block_limit, self.app.store.limit_reached = blocks, None

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of all state, which `restore` takes; later changes do not touch it."""
        return deepcopy({"store": vars(self.app.store), "ids": self.app.ids.state})

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot of this sandbox or of one of the same seed."""
        held = deepcopy(snapshot)
        vars(self.app.store).update(held["store"])
        self.app.ids.state = held["ids"]
        self.app.orders.clear()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        request_id = self.app.ids.request()
        status = 200
        try:
            answer = self._answer(request)
            if isinstance(answer, tuple):
                status, answer = answer
        except NotionError as error:
            status, answer = error.status, error.body(request_id)
        if "templates" not in answer:  # the one list the service sends bare
            answer = {**answer, "request_id": request_id}
        headers = {
            "date": formatdate(self.clock.now(), usegmt=True),
            "x-notion-request-id": request_id,
        }
        return json_response(answer, status, headers)

    def _answer(self, request: Request) -> JSON | tuple[int, JSON]:
        found = self._router.find(request.method, request.path)
        if isinstance(found, frozenset):
            raise NotionError("invalid_request_url", "Invalid request URL.")
        handler: Handler
        handler, values = found  # type: ignore[assignment]
        token, user = self._user(request)
        held = self.app.store.capabilities.get(token, access.CAPABILITIES)
        if request.method != "GET" and not request.path.endswith(READS):
            self.app.store.revision += 1
        legacy = self._version(request) == LEGACY
        self.app.shapes.look(user, self.clock.now(), legacy=legacy, capabilities=held)
        need = self._needs[handler]
        if need is not None and need not in held:
            raise access.refusal()
        multipart = request.headers.get("content-type", "").startswith("multipart/")
        if len(request.body) > BODY_LIMIT and not multipart:
            raise invalid(
                f"Request body is too large: {len(request.body)} bytes, the limit is 500KB."
            )
        self._check_blocks(handler)
        answer = handler(Call(request, values, user, self.clock.now(), legacy))
        if handler in self._makers:
            self._count_blocks()
        if need is None or "emails" in held:
            return answer
        hidden: JSON | tuple[int, JSON] = access.people_hidden(answer, held)
        return hidden

    def _check_blocks(self, handler: Handler) -> None:
        reached = self.app.store.limit_reached
        late = reached is not None and self.clock.now() > reached + GRACE
        if late and handler in self._makers:
            raise access.block_limit()

    def _count_blocks(self) -> None:
        store = self.app.store
        limit = store.block_limit
        if limit is not None and store.limit_reached is None and store.blocks_made() >= limit:
            store.limit_reached = self.clock.now()

    def _user(self, request: Request) -> tuple[str, str]:
        """Return the token of a request and the user it stands for."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = given.strip()
        user = self.app.store.tokens.get(token) if scheme.lower() == "bearer" else None
        if user is None:
            raise NotionError("unauthorized", "API token is invalid.")
        return token, user

    def _version(self, request: Request) -> str:
        version = request.headers.get("notion-version")
        if version is None:
            raise NotionError(
                "missing_version",
                "Notion-Version header failed validation: Notion-Version header should be "
                f"defined, instead was {shown(MISSING)}.",
            )
        if version not in (CURRENT, LEGACY):
            raise invalid(
                "Notion-Version header failed validation: Notion-Version header should be "
                f'`"{LEGACY}"` or `"{CURRENT}"`, instead was {shown(version)}.'
            )
        return version

    def _route(self, method: str, template: str, handler: Handler) -> None:
        self.operations.append((method, template))
        self._needs[handler] = access.needed(method, template)
        if access.makes_blocks(method, template):
            self._makers.add(handler)
        self._router.add(method, template, handler)  # type: ignore[arg-type]

    def _add_routes(self) -> None:
        """Add all routes, the busy ones first."""
        self._content_routes()
        self._schema_routes()
        self._people_routes()
        self._extra_routes()

    def _content_routes(self) -> None:
        pages = routes_pages.Pages(self.app)
        blocks = routes_blocks.Blocks(self.app)
        self._route("GET", "/v1/pages/{page_id}", pages.get)
        self._route("PATCH", "/v1/pages/{page_id}", pages.update)
        self._route("POST", "/v1/data_sources/{data_source_id}/query", self._sources.query)
        self._route("POST", "/v1/pages/?", pages.create)
        self._route("GET", "/v1/blocks/{block_id}/children", blocks.children)
        self._route("PATCH", "/v1/blocks/{block_id}/children", blocks.append)
        self._route("GET", "/v1/blocks/{block_id}", blocks.get)
        self._route("PATCH", "/v1/blocks/{block_id}", blocks.update)
        self._route("DELETE", "/v1/blocks/{block_id}", blocks.delete)
        self._route("GET", "/v1/pages/{page_id}/properties/{property_id}", pages.property_item)
        self._route("POST", "/v1/pages/{page_id}/move", pages.move)

    def _schema_routes(self) -> None:
        databases, sources = routes_databases.Databases(self.app), self._sources
        self._route("POST", "/v1/databases/?", databases.create)
        self._route("GET", "/v1/databases/{database_id}", databases.get)
        self._route("PATCH", "/v1/databases/{database_id}", databases.update)
        self._route("POST", "/v1/data_sources/?", sources.create)
        self._route("GET", "/v1/data_sources/{data_source_id}", sources.get)
        self._route("PATCH", "/v1/data_sources/{data_source_id}", sources.update)
        self._route("GET", "/v1/data_sources/{data_source_id}/templates", sources.templates)

    def _people_routes(self) -> None:
        people, comments = users.Users(self.app), routes_blocks.Comments(self.app)
        self._route("GET", "/v1/users/me", people.me)
        self._route("GET", "/v1/users/{user_id}", people.get)
        self._route("GET", "/v1/users", people.index)
        self._route("POST", "/v1/search", users.Search(self.app).search)
        self._route("GET", "/v1/comments", comments.index)
        self._route("POST", "/v1/comments", comments.create)
        self._route("GET", "/v1/comments/{comment_id}", comments.get)
        self._route("PATCH", "/v1/comments/{comment_id}", comments.update)
        self._route("DELETE", "/v1/comments/{comment_id}", comments.delete)

    def _extra_routes(self) -> None:
        text, views = routes_extra.Markdown(self.app), routes_views.Views(self.app)
        uploads = routes_extra.Uploads(self.app)
        self._route("GET", "/v1/pages/{page_id}/markdown", text.get)
        self._route("PATCH", "/v1/pages/{page_id}/markdown", text.update)
        self._route("GET", "/v1/async_tasks/{task_id}", text.task)
        self._route("GET", "/v1/views", views.index)
        self._route("POST", "/v1/views", views.create)
        self._route("GET", "/v1/views/{view_id}", views.get)
        self._route("PATCH", "/v1/views/{view_id}", views.update)
        self._route("DELETE", "/v1/views/{view_id}", views.delete)
        self._route("POST", "/v1/views/{view_id}/queries", views.query)
        self._route("GET", "/v1/views/{view_id}/queries/{query_id}", views.results)
        self._route("DELETE", "/v1/views/{view_id}/queries/{query_id}", views.forget)
        self._route("POST", "/v1/file_uploads", uploads.create)
        self._route("GET", "/v1/file_uploads", uploads.index)
        self._route("GET", "/v1/file_uploads/{file_upload_id}", uploads.get)
        self._route("POST", "/v1/file_uploads/{file_upload_id}/send", uploads.send)
        self._route("POST", "/v1/file_uploads/{file_upload_id}/complete", uploads.complete)
        self._route("GET", "/v1/custom_emojis", uploads.emojis)
