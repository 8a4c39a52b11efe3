"""Refusals in each service's own form, and limits that change while a client runs."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate

import orjson

from syncd.sandbox.injectors.stage import (
    Action,
    Json,
    Stage,
    loaded,
    page_token,
    with_page_token,
)
from syncd.sandbox.wire import Response, json_response

_NOTION_CODES = {
    400: "validation_error",
    401: "unauthorized",
    403: "restricted_resource",
    404: "object_not_found",
    409: "conflict_error",
    413: "validation_error",
    429: "rate_limited",
    500: "internal_server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
    529: "service_overload",
}
_SENTENCES = {
    400: "The request is not valid.",
    401: "The credentials are not valid, or no longer.",
    403: "You do not have permission to do this.",
    404: "This does not exist, or you may not see it.",
    407: "Proxy authentication is required.",
    409: "The change conflicts with another one; read again and retry.",
    410: "The requested API has been removed.",
    412: "The precondition failed.",
    413: "The request is too large.",
    423: "The object is archived; it cannot be changed.",
    429: "Too many requests; retry later.",
    500: "Something went wrong on our side.",
    502: "Bad gateway",
    503: "The service is not available.",
    504: "Gateway timeout",
}
LONG = 600


def refusal(service: str, status: int, message: str | None = None) -> Response:
    """Return an error answer as the service words it: Jira's, Asana's or Notion's body."""
    said = message or _SENTENCES.get(status, "The request failed.")
    body: dict[str, Json] = {"errorMessages": [said], "errors": {}}
    if service == "asana":
        body = {"errors": [{"message": said, "help": "https://developers.asana.com/docs/errors"}]}
    elif service == "notion":
        code = _NOTION_CODES.get(status, "internal_server_error")
        body = {"object": "error", "status": status, "code": code, "message": said}
    return json_response(body, status)


def retry_later(stage: Stage) -> Response:
    """Answer 429 with a Retry-After of a kind: seconds, date, none, zero, long or past."""
    kind = stage.option("kind", "seconds")
    seconds = float(stage.option("seconds", 5))
    value = {
        "seconds": str(round(seconds)),
        "date": formatdate(stage.now + seconds, usegmt=True),
        "zero": "0",
        "long": str(LONG),
        "past": formatdate(stage.now - 3600, usegmt=True),
    }.get(kind)
    answer = refusal(stage.service, 429)
    if stage.service == "notion":
        body = loaded(answer.body)
        told = {"rate_limit_reason": "public_api_request_rate_limit", "retry_after": value or "1"}
        answer.body = orjson.dumps({**body, "additional_data": told})
    if stage.service == "jira":
        answer.headers["ratelimit-reason"] = stage.option("reason", "jira-burst-based")
    if value is not None:
        answer.headers["retry-after"] = value
    return answer


def lower_limit(stage: Stage) -> Response:
    """Switch the service's own limits on, at `scale`, while the client runs."""
    if not stage.rule.memory:  # once: setting it empties the limiters
        stage.rule.memory["lowered"] = True
        stage.world.limits.set(float(stage.option("scale", 0.02)))
    return stage.go_on()


def sync_expired(stage: Stage) -> Response:
    """Let an Asana sync token be too old: the service itself answers 412 with a fresh one."""
    pairs = tuple((k, "expired" if k == "sync" else v) for k, v in stage.request.query)
    return stage.proceed(replace(stage.request, query=pairs))


def token_expired(stage: Stage) -> Response:
    """Let a page token be expired: the service's own refusal of it."""
    if page_token(stage.service, stage.request) is None:
        return stage.go_on()
    old = "00000000-0000-4000-8000-000000000000" if stage.service == "notion" else "ZXhwaXJlZA=="
    return stage.proceed(with_page_token(stage.service, stage.request, old))


def challenge(stage: Stage) -> Response:
    """Answer as a CAPTCHA, a single sign-on page or an IP allow-list does."""
    kind = stage.option("kind", "captcha")
    if kind == "sso":
        page = b"<html><title>Sign in</title><form action='/login'></form></html>"
        return Response(200, page, {"content-type": "text/html; charset=utf-8"})
    sentence = "The IP address is not allowed to access this resource."
    answer = refusal(stage.service, 403, sentence if kind == "allowlist" else None)
    if kind == "captcha":
        answer.headers["x-authentication-denied-reason"] = "CAPTCHA_CHALLENGE; login-url=/login.jsp"
        answer.headers["x-seraph-loginreason"] = "AUTHENTICATION_DENIED"
    return answer


def saved_but_503(stage: Stage) -> Response:
    """Answer 503 for a write that was stored; Notion names what it stored."""
    real = stage.go_on()
    answer = refusal(stage.service, 503)
    made = loaded(real.body)
    if stage.service == "notion" and made.get("id"):
        body = loaded(answer.body)
        told = {"retry_guidance": "do_not_retry", "committed_resource_id": made["id"]}
        answer.body = orjson.dumps({**body, "additional_data": told})
    return answer


ACTIONS: dict[str, Action] = {
    "retry_later": retry_later,
    "lower_limit": lower_limit,
    "sync_expired": sync_expired,
    "token_expired": token_expired,
    "challenge": challenge,
    "saved_but_503": saved_but_503,
}
