"""One request: who asks, for what, and the answers a handler may give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson

from syncd.sandbox.asana import pages
from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.entities import Entity, Story, Task, User
from syncd.sandbox.asana.errors import CONTENT_TYPE, bad, missing, no_access, premium, unknown
from syncd.sandbox.asana.events import Actor, Streams
from syncd.sandbox.asana.fieldvalues import find_user
from syncd.sandbox.asana.shapes import Selection, View, parse_fields
from syncd.sandbox.asana.store import Store
from syncd.sandbox.webhooks import Line
from syncd.sandbox.wire import Request, Response

E = TypeVar("E", bound=Entity)
T = TypeVar("T")
TOP_LEVEL = (
    "Unrecognized request field {} . The only allowed keys at the top level are: data, options. "
    "Fields of the object belong inside the data key."
)
MOST_DIGITS = 6
JSON_TYPES = {bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}


class Call:
    """A request being answered. Reads input, finds objects, renders answers."""

    __slots__ = (
        "actor",
        "body",
        "file",
        "line",
        "request",
        "secret",
        "selection",
        "store",
        "streams",
        "view",
    )

    def __init__(
        self, store: Store, streams: Streams, user: str, request: Request, secret: bytes
    ) -> None:
        self.store = store
        self.streams = streams
        self.request = request
        self.line = Line()
        self.secret = secret
        self.actor = Actor(store, streams, user)
        self.view = View(store, user, request.base_url)
        self.body: dict[str, Any] = {}
        self.file: tuple[str, bytes] | None = None  # name and content of a form's file
        options = self._read_body() if request.method in {"POST", "PUT"} else {}
        self.selection = self._read_selection(options)

    @property
    def user(self) -> str:
        """The caller's gid."""
        return self.actor.user

    # -- input ---------------------------------------------------------------------------------

    def _read_body(self) -> dict[str, Any]:
        if "x-www-form-urlencoded" in self.request.headers.get("content-type", ""):
            self.body = dict(parse_qsl(self.request.body.decode(), keep_blank_values=True))
            return {}
        if self.request.headers.get("content-type", "").startswith("multipart/form-data"):
            self._read_form()
            return {}
        if not self.request.body:
            return {}
        try:
            parsed = self.request.json()
        except ValueError:
            raise bad("Could not parse request data, invalid JSON") from None
        if not isinstance(parsed, dict):
            raise bad("Could not parse request data, expected a JSON object")
        stray = next((key for key in parsed if key not in {"data", "options"}), None)
        if stray is not None:
            raise bad(TOP_LEVEL.format(stray))
        data = parsed.get("data")
        if not isinstance(data, dict):
            raise missing("data")
        self.body = data
        options = parsed.get("options")
        return options if isinstance(options, dict) else {}

    def _read_form(self) -> None:
        head = f"content-type: {self.request.headers['content-type']}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + self.request.body)
        for part in form.iter_parts() if form.is_multipart() else ():
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            kept = content if isinstance(content, bytes) else b""
            if part.get_filename() is not None:
                self.file = (str(part.get_filename()), kept)
            else:
                self.body[name] = kept.decode(errors="replace")

    def _read_selection(self, options: dict[str, Any]) -> Selection | None:
        named = options.get("fields")
        text = self.request.one("opt_fields")
        if text is None and isinstance(named, list):
            text = ",".join(str(name) for name in named)
        return parse_fields(text) if text else None

    def has(self, name: str) -> bool:
        """Return whether the body holds a field."""
        return name in self.body

    def text(self, name: str, default: str = "") -> str:
        """Return a string field of the body."""
        value = self.body.get(name, default)
        if value is None:
            return default
        if not isinstance(value, str):
            raise bad(f"{name}: Value is not a string: {_json(value)}")
        return value

    def required(self, name: str) -> str:
        """Return a string field that must be there and not empty."""
        value = self.text(name)
        if not value.strip():
            raise missing(name)
        return value

    def need_paid(self, message: str) -> None:
        """Refuse with 402 what a free plan does not have."""
        if not self.store.paid:
            raise premium(message)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean field of the body."""
        value = self.body.get(name, default)
        if isinstance(value, str) and value in {"true", "false"}:
            return value == "true"
        if not isinstance(value, bool):
            raise bad(f"{name}: Value is not a boolean: {_json(value)}")
        return value

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        """Return a string field that must be one of a few."""
        value = self.text(name, default)
        names = tuple(allowed)
        if value not in names:
            raise bad(f"{name}: Not a valid value: {value}. Must be one of: {', '.join(names)}")
        return value

    def digits(self, name: str) -> int:
        """Return a number of digits after the point, 0 when the body has none."""
        value = self.body.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_DIGITS:
            raise bad(f"{name}: Must be between 0 and {MOST_DIGITS}")
        return value

    def listed(self, name: str) -> list[Any]:
        """Return a list field of the body; text with commas counts as one."""
        value = self.body.get(name)
        if value is None:
            return []
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list):
            raise bad(f"{name}: Value is not an array: {_json(value)}")
        return value

    def query_flag(self, name: str) -> bool | None:
        """Return a boolean of the query, None when it is not given."""
        value = self.request.one(name)
        if value is None:
            return None
        if value not in {"true", "false"}:
            raise bad(f"{name}: Value is not a boolean: {value}")
        return value == "true"

    # -- objects -------------------------------------------------------------------------------

    def load(self, kind: type[E], gid: str, *, name: str = "", status: int = 404) -> E:
        """Return an object by gid, or refuse: no gid (400), unknown (`status`), no access (403)."""
        label = name or kind.KIND
        if kind is Task and gid.startswith("external:"):
            gid = self.store.external.get(gid[9:], "0")
        if not gid.isascii() or not gid.isdigit():
            raise bad(f"{label}: Not a recognized ID: {gid}")
        found = self.store.get(gid, kind)
        if isinstance(found, Story) and found.target not in self.store.objects:
            found = None
        if found is None:
            raise unknown(label, gid, status)
        if not can_see(self.store, self.user, found):
            raise no_access(kind.KIND)
        return found

    def named(self, kind: type[E], value: object, name: str) -> E:
        """Return the object a body value names."""
        if isinstance(value, dict) and "gid" in value:
            value = value["gid"]
        if not isinstance(value, str):
            raise bad(f"{name}: Not a valid GID type: {JSON_TYPES.get(type(value), 'null')}")
        return self.load(kind, value, name=name, status=400)

    def body_object(self, kind: type[E], name: str) -> E:
        """Return the object a required body field names."""
        if self.body.get(name) is None or self.body[name] == "":
            raise missing(name)
        return self.named(kind, self.body[name], name)

    def body_objects(self, kind: type[E], name: str) -> list[E]:
        """Return the objects a list in the body names."""
        return [
            self.named(kind, value, f"{name}: [{at}]") for at, value in enumerate(self.listed(name))
        ]

    def query_object(self, kind: type[E], name: str) -> E | None:
        """Return the object a query parameter names, None when it is not given."""
        value = self.request.one(name)
        return None if value is None else self.load(kind, value, name=name)

    def person(self, value: object, name: str) -> User:
        """Return the user of `me`, a gid or an e-mail; refuse anybody unknown."""
        if isinstance(value, dict) and "gid" in value:
            value = value["gid"]
        if not isinstance(value, str):
            raise bad(f"{name}: Not a valid GID type: {JSON_TYPES.get(type(value), 'null')}")
        found = find_user(self.store, value, self.user)
        if found is None:
            raise bad(f"{name}: Not a user in Organization: {value}")
        return found

    def people(self, name: str) -> list[User]:
        """Return the users a list in the body names."""
        return [self.person(value, name) for value in self.listed(name)]

    # -- answers -------------------------------------------------------------------------------

    def reply(self, value: object, status: int = 200, **extra: Any) -> Response:  # noqa: ANN401
        """Return `{"data": value}`."""
        pretty = self.request.one("opt_pretty") not in {None, "false"}
        option = orjson.OPT_INDENT_2 if pretty else 0
        return Response(
            status, orjson.dumps({"data": value, **extra}, option=option), dict(CONTENT_TYPE)
        )

    def one(self, thing: object) -> Response:
        """Return one object, whole unless fields are chosen."""
        return self.reply(self.view.show(thing, self.selection, full=True))

    def made(self, thing: Entity, collection: str) -> Response:
        """Return a new object with 201 and where to read it."""
        answer = self.reply(self.view.show(thing, self.selection, full=True), 201)
        base = f"{self.request.base_url}/api/1.0"
        answer.headers["location"] = f"{base}/{collection}/{thing.gid}"
        return answer

    def page(self, source: pages.Source[T]) -> Response:
        """Return one page of a listing, compact unless fields are chosen."""
        return self._paged(source, lambda it: self.view.show(it, self.selection, full=False))

    def _paged(self, source: pages.Source[T], show: Callable[[T], dict[str, Any]]) -> Response:
        path, store = self.request.path, self.store
        pager = pages.Pager(path, store.now(), self.secret, store.longest_listing)
        things, following = pages.cut(self.request, source, pager)
        rows = [show(thing) for thing in things]
        if self.request.one("limit") is None:
            return self.reply(rows)
        return self.reply(rows, next_page=following)

    def rows(self, things: Iterable[T]) -> Response:
        """Return one page of a short listing."""
        return self.page(pages.of_list(list(things)))

    def shown_rows(self, things: Sequence[T], show: Callable[[T], dict[str, Any]]) -> Response:
        """Return one page of a short listing whose records are made by `show`."""
        return self._paged(pages.of_list(things), show)

    def empty(self) -> Response:
        """Return `{"data": {}}`."""
        return self.reply({})


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
