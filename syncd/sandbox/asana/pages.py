"""Pages: `limit`, and `offset` tokens that are signed, opaque and live for 15 minutes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson

from syncd.sandbox.asana.errors import bad
from syncd.sandbox.wire import Request

T = TypeVar("T")
Source = Callable[[Any], Iterable[tuple[Any, T]]]  # cursor or None -> (cursor, thing) behind it
LIFE = 900  # seconds between `iat` and `exp` of a recorded offset
UNPAGED = 1000
LARGEST = 100
TOO_LARGE = (
    "The result is too large. You should use pagination (may require specifying a workspace)!"
)
TRUNCATED = (
    "The result set was truncated because it is too large. Please ask for a smaller set of objects."
)
HEADER = b'{"typ":"JWT","alg":"HS256"}'


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Pager:
    """Makes and reads the offsets of one listing at one moment. `longest` None: no end."""

    path: str
    now: float
    secret: bytes
    longest: int | None = None

    def _seal(self, body: str) -> str:
        text = f"{self.path}\n{body}".encode()
        return _pack(hmac.new(self.secret, text, hashlib.sha256).digest())

    def make(self, cursor: object, seen: int) -> str:
        """Return the token for a cursor (any JSON) behind `seen` rows."""
        rank = orjson.dumps([cursor, seen]).decode()
        life = {"iat": int(self.now), "exp": int(self.now) + LIFE}
        body = f"{_pack(HEADER)}.{_pack(orjson.dumps({'border_rank': rank, **life}))}"
        return f"{body}.{self._seal(body)}"

    def read(self, token: str | None) -> tuple[Any, int]:
        """Return cursor and rows seen of a token (None and 0 without one), or refuse it."""
        if token is None:
            return None, 0
        body, _, seal = token.rpartition(".")
        if not hmac.compare_digest(self._seal(body).encode(), seal.encode()):
            raise bad("offset: Your pagination token is invalid.")
        packed = body.partition(".")[2]
        payload = orjson.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        if self.now >= payload["exp"]:
            raise bad("offset: Your pagination token has expired.")
        cursor, seen = orjson.loads(payload["border_rank"])
        return cursor, seen


def read_limit(request: Request) -> int | None:
    """Return `limit`, None when it is not given."""
    text = request.one("limit")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LARGEST:
        raise bad("limit: Must be between 1 and 100")
    return int(text)


def cut(request: Request, source: Source[T], pager: Pager) -> tuple[list[T], dict[str, Any] | None]:
    """Return the things of the page asked for, and `next_page`; refuse a long list without it."""
    limit, offset = read_limit(request), request.one("offset")
    if limit is None:
        return _whole(source, offset), None
    cursor, seen = pager.read(offset)
    rows = list(islice(source(cursor), limit + 1))
    things = [thing for _, thing in rows[:limit]]
    if pager.longest is not None and seen + len(things) > pager.longest:
        raise bad(TRUNCATED)
    if len(rows) <= limit:
        return things, None
    return things, _next(request, pager.make(rows[limit - 1][0], seen + limit))


def _whole(source: Source[T], offset: str | None) -> list[T]:
    if offset is not None:
        raise bad("offset: Cannot be used without limit")
    rows = list(islice(source(None), UNPAGED + 1))
    if len(rows) > UNPAGED:
        raise bad(TOO_LARGE)
    return [thing for _, thing in rows]


def _next(request: Request, token: str) -> dict[str, Any]:
    pairs = [pair for pair in request.query if pair[0] != "offset"]
    path = f"{request.path.removeprefix('/api/1.0')}?{urlencode([*pairs, ('offset', token)])}"
    return {"offset": token, "path": path, "uri": f"{request.base_url}/api/1.0{path}"}


def of_list(things: Sequence[T]) -> Source[T]:
    """Return a source over a list; its cursor is the place in the list."""

    def behind(cursor: int | None) -> Iterator[tuple[int, T]]:
        start = 0 if cursor is None else cursor + 1
        return ((at, things[at]) for at in range(start, len(things)))

    return behind
