"""Pages: `limit`, and `offset` tokens that are signed, opaque and live for 15 minutes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
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
HEADER = b'{"typ":"JWT","alg":"HS256"}'


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _sign(body: str, secret: bytes) -> str:
    return _pack(hmac.new(secret, body.encode(), hashlib.sha256).digest())


def make_offset(cursor: object, now: float, secret: bytes) -> str:
    """Return the token for a cursor (any JSON)."""
    rank = orjson.dumps(cursor).decode()
    payload = orjson.dumps({"border_rank": rank, "iat": int(now), "exp": int(now) + LIFE})
    body = f"{_pack(HEADER)}.{_pack(payload)}"
    return f"{body}.{_sign(body, secret)}"


def read_offset(token: str, now: float, secret: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the cursor of a token, or refuse it."""
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_sign(body, secret).encode(), signature.encode()):
        raise bad("offset: Your pagination token is invalid.")
    packed = body.partition(".")[2]
    payload = orjson.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    if now >= payload["exp"]:
        raise bad("offset: Your pagination token has expired.")
    return orjson.loads(payload["border_rank"])


def read_limit(request: Request) -> int | None:
    """Return `limit`, None when it is not given."""
    text = request.one("limit")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LARGEST:
        raise bad("limit: Must be between 1 and 100")
    return int(text)


def cut(
    request: Request, source: Source[T], now: float, secret: bytes
) -> tuple[list[T], dict[str, Any] | None]:
    """Return the things of the page asked for, and `next_page`; refuse a long list without it."""
    limit, offset = read_limit(request), request.one("offset")
    if limit is None:
        if offset is not None:
            raise bad("offset: Cannot be used without limit")
        rows = list(islice(source(None), UNPAGED + 1))
        if len(rows) > UNPAGED:
            raise bad(
                "The result is too large. "
                "You should use pagination (may require specifying a workspace)!"
            )
        return [thing for _, thing in rows], None
    cursor = None if offset is None else read_offset(offset, now, secret)
    rows = list(islice(source(cursor), limit + 1))
    if len(rows) <= limit:
        return [thing for _, thing in rows], None
    return [thing for _, thing in rows[:limit]], _next(
        request, make_offset(rows[limit - 1][0], now, secret)
    )


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
