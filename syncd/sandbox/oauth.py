"""OAuth 2.0 as the three vendors have it, in front of the stand-ins: codes, access and refresh tokens.

Paths are the vendors' own, behind each service's prefix:

    /jira/oauth/token                         auth.atlassian.com; JSON or a form; refresh tokens rotate
    /jira/oauth/token/accessible-resources    api.atlassian.com
    /jira/ex/jira/{cloudId}/rest/...          api.atlassian.com: the API for bearer tokens
    /asana/-/oauth_token, /-/oauth_revoke     a form or JSON; a refresh token stays as it is
    /notion/v1/oauth/token, introspect, revoke   JSON, the client by Basic; both tokens rotate

A person's consent is `OAuth.consent` (`POST /_sandbox/oauth`); there is no page to give it on. The
use of a refresh token that was rotated away ends its whole family. Assumed, for no vendor says it:
that Notion ends a family too, the sentences of Asana's and Notion's refusals, ten minutes for a code.
Scopes are told, not enforced.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import orjson

from syncd.sandbox.wire import Request, Response, json_response

Json = dict[str, Any]
DAY = 86_400.0
CODE_SECONDS = 600.0
CLOUD_ID = "11111111-2222-4333-8444-555555555555"
GATEWAY = f"/ex/jira/{CLOUD_ID}"
EXPIRED_AT_ASANA = (
    "The bearer token has expired. If you have a refresh token, please use it to request a new"
    " bearer token, otherwise allow the user to re-authenticate."
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a vendor's tokens live: seconds of an access token, of an idle refresh token."""

    access: float
    idle: float
    rotates: bool
    token_path: str
    scope: str


MANNERS = {
    "jira": Manner(3600, 90 * DAY, rotates=True, token_path="/oauth/token",  # noqa: S106 - a path
                   scope="read:jira-work write:jira-work read:jira-user offline_access"),
    "asana": Manner(3600, math.inf, rotates=False, token_path="/-/oauth_token",  # noqa: S106
                    scope="default"),
    "notion": Manner(math.inf, math.inf, rotates=True, token_path="/v1/oauth/token",  # noqa: S106
                     scope=""),
}  # fmt: skip

# status, error, description
_REFUSALS = {
    "jira": {
        "client": (401, "access_denied", "Unauthorized"),
        "code": (403, "invalid_grant", "Invalid authorization code"),
        "refresh": (403, "invalid_grant", "Unknown or invalid refresh token."),
        "type": (400, "unsupported_grant_type", "Unsupported grant type"),
    },
    "asana": {
        "client": (401, "invalid_client", "The client_id or client_secret is not valid."),
        "code": (400, "invalid_grant", "The code is not valid, or no longer."),
        "refresh": (400, "invalid_grant", "The refresh_token is not valid, or no longer."),
        "type": (400, "unsupported_grant_type", "The grant_type is not supported."),
    },
    "notion": {
        "client": (401, "invalid_client", "Client authentication failed."),
        "code": (400, "invalid_grant", "Invalid code."),
        "refresh": (400, "invalid_grant", "Invalid refresh token."),
        "type": (400, "unsupported_grant_type", "Unsupported grant type."),
    },
}


class Refused(Exception):
    """A token request that is refused; the text names the kind of refusal."""


@dataclass(slots=True)
class Grant:
    """What one consent gave: a family of tokens. `access` maps tokens to when they end."""

    account: str
    scope: str
    redirect: str | None
    code: str | None
    since: float
    access: dict[str, float] = field(default_factory=dict)
    refresh: str | None = None
    refresh_ends: float = math.inf
    rotated: set[str] = field(default_factory=set)
    revoked: bool = False

    def live(self, token: str, now: float) -> bool:
        """Tell whether an access token is good."""
        return not self.revoked and self.access.get(token, -math.inf) > now

    def revoke(self) -> None:
        """End all tokens of the family."""
        self.revoked, self.refresh = True, None


@dataclass(frozen=True, slots=True)
class _Call:
    service: str
    request: Request
    stand_in: Any
    now: float
    told: Json

    @property
    def bearer(self) -> str:
        return bearer(self.request)


class OAuth:
    """The authorization servers of the three services. One app is registered with each."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._made = 0
        self.grants: dict[str, list[Grant]] = {name: [] for name in MANNERS}

    # by people

    def consent(
        self, service: str, stand_in: Any, now: float, *, user: str | None = None,  # noqa: ANN401
        redirect_uri: str | None = None, scope: str | None = None,
    ) -> Json:  # fmt: skip
        """Let a person (by e-mail; else the owner of the API token) allow the app; return the code.

        Raises ValueError for a service or person that is not there.
        """
        if service not in MANNERS:
            raise ValueError(f"service must be one of {', '.join(MANNERS)}, not {service!r}")
        code = self._new(service, "code")
        granted = MANNERS[service].scope if scope is None else scope
        account = _account(service, stand_in, user)
        self.grants[service].append(Grant(account, granted, redirect_uri, code, now))
        made = {"code": code, **client(service), "token_path": f"/{service}{_path(service)}"}
        return {**made, "api_path": f"/jira{GATEWAY}"} if service == "jira" else made

    def revoke(self, service: str) -> int:
        """Let everybody withdraw their consent; return how many did."""
        held = [grant for grant in self.grants[service] if not grant.revoked]
        for grant in held:
            grant.revoke()
        return len(held)

    # on the wire

    def answer(self, service: str, request: Request, stand_in: Any, now: float) -> Response:  # noqa: ANN401
        """Answer a token request, refuse a token that has ended, else let the stand-in answer."""
        endpoint = _ENDPOINTS.get((service, request.method, request.path))
        if endpoint is None:
            answer: Response = self._ended(service, request, now) or stand_in.handle(request)
            return answer
        call = _Call(service, request, stand_in, now, sent(request))
        try:
            body = endpoint(self, call)
        except Refused as refusal:
            return self._refusal(service, str(refusal))
        return json_response(body) if service != "notion" else self._with_id(body)

    def _ended(self, service: str, request: Request, now: float) -> Response | None:
        token = bearer(request)
        grant = self._of(service, token)
        through_gateway = service == "jira" and request.base_url.endswith(GATEWAY)
        if grant is None or grant.live(token, now):
            unknown = through_gateway and token and grant is None
            return _unauthorized("jira") if unknown else None
        return _unauthorized(service, expired=not grant.revoked)

    def _of(self, service: str, token: str) -> Grant | None:
        return next((each for each in self.grants[service] if token in each.access), None)

    def token(self, call: _Call) -> Json:
        """Exchange a code or a refresh token."""
        _check_client(call)
        kind = call.told.get("grant_type")
        if kind == "authorization_code":
            grant = self._redeemed(call)
        elif kind == "refresh_token":
            grant = self._refreshed(call)
        else:
            raise Refused("type")
        return self._issued(call, grant, first=kind == "authorization_code")

    def _redeemed(self, call: _Call) -> Grant:
        code, redirect = call.told.get("code"), call.told.get("redirect_uri")
        grant = next((g for g in self.grants[call.service] if code and g.code == code), None)
        if grant is None or grant.revoked or call.now > grant.since + CODE_SECONDS:
            raise Refused("code")
        if grant.redirect is not None and redirect != grant.redirect:
            raise Refused("code")
        grant.code = None
        return grant

    def _refreshed(self, call: _Call) -> Grant:
        token = call.told.get("refresh_token")
        for grant in self.grants[call.service]:
            if token in grant.rotated:
                grant.revoke()  # somebody has a copy
            elif token and token == grant.refresh and call.now < grant.refresh_ends:
                return grant
        raise Refused("refresh")

    def _issued(self, call: _Call, grant: Grant, *, first: bool) -> Json:
        """Return new tokens; make the stand-in know the access token."""
        manner = MANNERS[call.service]
        if manner.access == math.inf:
            grant.access = dict.fromkeys(grant.access, call.now)  # the new one replaces them
        token = self._new(call.service, "access")
        grant.access[token] = call.now + manner.access
        offline = call.service != "jira" or "offline_access" in grant.scope.split()
        if offline and (first or manner.rotates):
            if grant.refresh:
                grant.rotated.add(grant.refresh)
            grant.refresh = self._new(call.service, "refresh")
        grant.refresh_ends = call.now + manner.idle
        _admit(call, grant.account, token)
        return _SHAPES[call.service](call, grant, token, first or manner.rotates)

    def introspect(self, call: _Call) -> Json:
        """Tell whether a token of Notion's is good."""
        _check_client(call)
        token = str(call.told.get("token", ""))
        grant = self._of(call.service, token)
        if grant is None or not grant.live(token, call.now):
            return {"active": False}
        return {"active": True, "scope": grant.scope, "iat": int(grant.since)}

    def withdraw(self, call: _Call) -> Json:
        """Revoke the family of an access or refresh token, as its app asks."""
        _check_client(call)
        token = call.told.get("token")
        for grant in self.grants[call.service]:
            if token and (token == grant.refresh or token in grant.access):
                grant.revoke()
        return {}

    def resources(self, call: _Call) -> Any:  # noqa: ANN401 - a JSON list
        """List the sites that a token of Atlassian's is for."""
        grant = self._of("jira", call.bearer)
        if grant is None or not grant.live(call.bearer, call.now):
            raise Refused("client")
        site = {"id": CLOUD_ID, "url": call.request.base_url, "name": "sandbox"}
        avatar = f"{call.request.base_url}/avatar.png"
        return [{**site, "scopes": grant.scope.split(), "avatarUrl": avatar}]

    # names and answers

    def _new(self, service: str, kind: str) -> str:
        self._made += 1
        digest = hashlib.sha256(f"{self.seed}:{service}:{kind}:{self._made}".encode()).hexdigest()
        return f"sandbox-{service}-{kind}-{digest[:32]}"

    def _refusal(self, service: str, kind: str) -> Response:
        status, error, said = _REFUSALS[service][kind]
        if service != "notion":
            return json_response({"error": error, "error_description": said}, status)
        body = {"object": "error", "status": status, "code": error, "message": said}
        return self._with_id(body, status)

    def _with_id(self, body: Json, status: int = 200) -> Response:
        self._made += 1
        digest = hashlib.sha256(f"{self.seed}:request:{self._made}".encode()).hexdigest()
        number = f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-8{digest[15:18]}-{digest[18:30]}"
        return json_response({**body, "request_id": number}, status)

    # state

    def snapshot(self) -> Json:
        """Return a copy of all grants."""
        return {"made": self._made, "grants": deepcopy(self.grants)}

    def restore(self, snapshot: Json) -> None:
        """Go back to a copy."""
        self._made, self.grants = snapshot["made"], deepcopy(snapshot["grants"])


Endpoint = Callable[[OAuth, _Call], Any]
_ENDPOINTS: dict[tuple[str, str, str], Endpoint] = {
    ("jira", "POST", "/oauth/token"): OAuth.token,
    ("jira", "GET", "/oauth/token/accessible-resources"): OAuth.resources,
    ("asana", "POST", "/-/oauth_token"): OAuth.token,
    ("asana", "POST", "/-/oauth_revoke"): OAuth.withdraw,
    ("notion", "POST", "/v1/oauth/token"): OAuth.token,
    ("notion", "POST", "/v1/oauth/introspect"): OAuth.introspect,
    ("notion", "POST", "/v1/oauth/revoke"): OAuth.withdraw,
}
OPERATIONS = [(method, f"/{service}{path}") for service, method, path in _ENDPOINTS]
"""Method and path of each endpoint, with the service's prefix."""


def bearer(request: Request) -> str:
    """Return the bearer token of a request, or an empty string."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def client(service: str) -> Json:
    """Return the id and the secret of the app that is registered with a service."""
    return {"client_id": f"sandbox-{service}-app", "client_secret": f"sandbox-{service}-secret"}


def through_gateway(service: str, request: Request) -> Request:
    """Return a request to Atlassian's gateway as the site behind it sees it, others as they are."""
    if service != "jira" or not request.path.startswith(f"{GATEWAY}/"):
        return request
    return replace(request, path=request.path[len(GATEWAY) :], base_url=request.base_url + GATEWAY)


def _path(service: str) -> str:
    return MANNERS[service].token_path


def sent(request: Request) -> Json:
    """Return the texts of a token request, sent as JSON or as a form; `{}` for anything else."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode("utf8", "replace")))
    try:
        value = orjson.loads(request.body or b"{}")
    except ValueError:
        return {}
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(text, str)}


def _check_client(call: _Call) -> None:
    known, given = client(call.service), call.told
    if call.service == "notion":
        given = _basic(call.request)
    if any(given.get(name) != value for name, value in known.items()):
        raise Refused("client")


def _basic(request: Request) -> Json:
    kind, _, rest = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        name, _, secret = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": name, "client_secret": secret}


def _unauthorized(service: str, *, expired: bool = True) -> Response:
    """Return the answer to an access token that has ended."""
    if service == "jira":
        return json_response({"code": 401, "message": "Unauthorized"}, 401)
    if service == "asana":
        said = EXPIRED_AT_ASANA if expired else "Not Authorized"
        help_ = "https://developers.asana.com/docs/errors"
        return json_response({"errors": [{"message": said, "help": help_}]}, 401)
    error = {"object": "error", "status": 401, "code": "unauthorized"}
    return json_response({**error, "message": "API token is invalid."}, 401)


# what each stand-in calls its people and how it is told of a token


def _account(service: str, stand_in: Any, email: str | None) -> str:  # noqa: ANN401
    found: str | None
    if service == "jira":
        user = stand_in.store.user_by_email(email) if email else None
        found = user.account_id if user else None if email else stand_in.account_id
    elif service == "asana":
        found = stand_in.store.emails.get(email.lower()) if email else stand_in.user
    else:
        people = stand_in.app.store.users.values()
        bot = stand_in.app.shapes.bot_id
        found = next((u.id for u in people if u.email == email), None) if email else bot
    if found is None:
        raise ValueError(f"there is no user {email!r} in {service}")
    return found


def _admit(call: _Call, account: str, token: str) -> None:
    if call.service == "jira":
        call.stand_in.store.extras.setdefault("bearers", {})[token] = account
    else:
        call.stand_in.add_token(account, token)


def _jira_tokens(_call: _Call, grant: Grant, token: str, _renewed: bool) -> Json:  # noqa: FBT001
    body: Json = {"access_token": token, "expires_in": int(MANNERS["jira"].access)}
    if grant.refresh:
        body["refresh_token"] = grant.refresh
    return {**body, "token_type": "Bearer", "scope": grant.scope}


def _asana_tokens(call: _Call, grant: Grant, token: str, renewed: bool) -> Json:  # noqa: FBT001
    user = call.stand_in.store.objects[grant.account]
    data = {"id": user.gid, "gid": user.gid, "name": user.name, "email": user.email}
    body: Json = {"access_token": token, "expires_in": int(MANNERS["asana"].access)}
    if renewed:
        body["refresh_token"] = grant.refresh
    return {**body, "token_type": "bearer", "data": data}


def _notion_tokens(call: _Call, grant: Grant, token: str, _renewed: bool) -> Json:  # noqa: FBT001
    shapes, user = call.stand_in.app.shapes, call.stand_in.app.store.users[grant.account]
    owner: Json = {"type": "workspace", "workspace": True}
    if user.email:
        person = {"object": "user", "id": user.id, "type": "person", "name": user.name}
        owner = {"type": "user",
                 "user": {**person, "avatar_url": None, "person": {"email": user.email}}}  # fmt: skip
    return {
        "access_token": token,
        "token_type": "bearer",
        "refresh_token": grant.refresh,
        "bot_id": shapes.bot_id,
        "workspace_icon": None,
        "workspace_name": shapes.workspace_name,
        "workspace_id": shapes.workspace_id,
        "owner": owner,
        "duplicated_template_id": None,
    }


_SHAPES = {"jira": _jira_tokens, "asana": _asana_tokens, "notion": _notion_tokens}
