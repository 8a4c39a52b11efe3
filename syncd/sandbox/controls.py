"""The control endpoints: they lie outside the services' prefixes, under `/_sandbox/`."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from syncd.sandbox.catalogue import ENTRIES, NOT_OFFERED
from syncd.sandbox.services import SERVICES, Sandbox


class _Controls:
    """The endpoints under `/_sandbox/`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.snapshots: dict[str, dict[str, Any]] = {}

    async def index(self, request: HttpRequest) -> HttpResponse:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/ui/", 303)
        return PlainTextResponse("syncd sandbox: /ui/ /jira /asana/api/1.0 /notion/v1 /_sandbox/\n")

    async def health(self, _request: HttpRequest) -> HttpResponse:
        return JSONResponse({"ok": True, "services": list(SERVICES)})

    async def clock(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            _turn_clock(self.sandbox, await _sent(request))
        clock = self.sandbox.clock
        return JSONResponse(
            {"now": clock.now(), "utc": clock.utc().isoformat(), "frozen": clock.frozen is not None}
        )

    async def counters(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            self.sandbox.counters.clear()
        return JSONResponse({"counters": self.sandbox.tallies()})

    async def faults(self, request: HttpRequest) -> HttpResponse:
        faults = self.sandbox.faults
        if request.method == "POST":
            rows = await _sent(request)
            faults.set(rows if isinstance(rows, list) else rows.get("faults", [rows]))
        elif request.method == "DELETE":
            faults.set([])
        return JSONResponse({"faults": [rule.summary() for rule in faults.rules]})

    async def catalogue(self, _request: HttpRequest) -> HttpResponse:
        rows = [
            {"id": e.id, "what": e.sentence, "how": e.how, "services": e.services,
             "variants": [name for name in e.variants if name]}
            for e in ENTRIES
        ]  # fmt: skip
        return JSONResponse({"faults": rows, "not_offered": NOT_OFFERED})

    async def limits(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            scale = (await _sent(request))["scale"]
            self.sandbox.limits.set(None if scale is None else float(scale))
        return JSONResponse({"scale": self.sandbox.limits.scale})

    async def oauth(self, request: HttpRequest) -> HttpResponse:
        """Give consent in a person's place, or withdraw everybody's (`{"service", "revoke": true}`)."""
        sent = await _sent(request)
        if not isinstance(sent, dict):
            raise ValueError("send an object with 'service'")  # noqa: TRY004 - told as a 400
        service = str(sent.get("service"))
        if sent.pop("revoke", False):
            return JSONResponse({"revoked": self.sandbox.oauth.revoke(service)})
        return JSONResponse(self.sandbox.consent(**sent))

    async def snapshot(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            self.snapshots[await _name(request)] = self.sandbox.snapshot()
        return JSONResponse({"snapshots": list(self.snapshots)})

    async def restore(self, request: HttpRequest) -> HttpResponse:
        name = await _name(request)
        if name not in self.snapshots:
            raise ValueError(f"there is no snapshot {name!r}; take one at /_sandbox/snapshot")
        self.sandbox.restore(self.snapshots[name])
        return JSONResponse({"restored": name})

    async def webhooks(self, request: HttpRequest) -> HttpResponse:
        """Show all subscriptions; `notion_window`: seconds over which Notion aggregates events."""
        if request.method == "POST":
            window = float((await _sent(request))["notion_window"])
            self.sandbox.notion.app.store.webhooks.window = window
        with self.sandbox.lock:
            made = {name: each.publisher.hooks() for name, each in self.sandbox.made().items()}
        return JSONResponse(made)

    async def subscribe(self, request: HttpRequest) -> HttpResponse:
        """Make a subscription at Notion: `{"url", "events", "api_version"}`; it is sent its token."""
        sent = await _sent(request)
        made = await asyncio.to_thread(self._subscribed, sent)
        return JSONResponse(made, 201)

    def _subscribed(self, sent: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        more = {"version": sent["api_version"]} if "api_version" in sent else {}
        with self.sandbox.lock:
            made: dict[str, Any] = self.sandbox.notion.subscribe(
                str(sent["url"]), sent.get("events"), **more
            )
            return made

    async def subscription(self, request: HttpRequest) -> HttpResponse:
        """Make a subscription active (`{"verification_token"}`), or remove it."""
        identifier, notion = request.path_params["identifier"], self.sandbox.notion
        if request.method == "DELETE":
            notion.cancel_subscription(identifier)
            return JSONResponse({"removed": identifier})
        token = str((await _sent(request))["verification_token"])
        return JSONResponse(notion.verify_subscription(identifier, token))

    async def notion(self, request: HttpRequest) -> HttpResponse:
        """Show or set what Notion's owner sets: capabilities, block limit, rows of one query."""
        sent = await _sent(request) if request.method == "POST" else {}
        with self.sandbox.lock:
            return JSONResponse(self.sandbox.notion.settle(sent))

    async def latency(self, request: HttpRequest) -> HttpResponse:
        self.sandbox.latency = float((await _sent(request))["seconds"])
        return JSONResponse({"seconds": self.sandbox.latency})


def controls(sandbox: Sandbox) -> Starlette:
    """Return the control application."""
    ends = _Controls(sandbox)
    return Starlette(
        routes=[
            Route("/", ends.index),
            Route("/_sandbox/healthz", ends.health),
            Route("/_sandbox/clock", ends.clock, methods=["GET", "POST"]),
            Route("/_sandbox/counters", ends.counters),
            Route("/_sandbox/counters/reset", ends.counters, methods=["POST"]),
            Route("/_sandbox/faults", ends.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/catalogue", ends.catalogue),
            Route("/_sandbox/limits", ends.limits, methods=["GET", "POST"]),
            Route("/_sandbox/oauth", ends.oauth, methods=["POST"]),
            Route("/_sandbox/snapshot", ends.snapshot, methods=["GET", "POST"]),
            Route("/_sandbox/restore", ends.restore, methods=["POST"]),
            Route("/_sandbox/webhooks", ends.webhooks, methods=["GET", "POST"]),
            Route("/_sandbox/webhooks/notion", ends.subscribe, methods=["POST"]),
            Route(
                "/_sandbox/webhooks/notion/{identifier}",
                ends.subscription,
                methods=["POST", "DELETE"],
            ),
            Route("/_sandbox/notion", ends.notion, methods=["GET", "POST"]),
            Route("/_sandbox/latency", ends.latency, methods=["POST"]),
        ],
        exception_handlers={ValueError: _refuse, KeyError: _refuse, TypeError: _refuse},
    )


async def _sent(request: HttpRequest) -> Any:  # noqa: ANN401 - JSON
    try:
        sent = orjson.loads(await request.body())
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    if not isinstance(sent, dict | list):
        raise ValueError("send a JSON object")  # noqa: TRY004 - told as a 400
    return sent


async def _name(request: HttpRequest) -> str:
    sent = await _sent(request) if await request.body() else {}
    if isinstance(sent, list):
        raise ValueError("send an object with 'name'")  # noqa: TRY004 - told as a 400
    return str(sent.get("name", "default"))


async def _refuse(_request: HttpRequest, error: Exception) -> HttpResponse:
    what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
    return JSONResponse({"error": what}, 400)


def _turn_clock(sandbox: Sandbox, sent: Any) -> None:  # noqa: ANN401 - JSON
    if not isinstance(sent, dict) or len(sent) != 1:
        raise ValueError(
            "send one of {'set': SECONDS}, {'step': SECONDS}, {'freeze': true}, {'run': true}"
        )
    verb, value = next(iter(sent.items()))
    if verb in {"set", "step"}:
        getattr(sandbox.clock, verb)(float(value))
    elif verb in {"freeze", "run"}:
        getattr(sandbox.clock, verb)()
    else:
        raise ValueError(f"the clock knows set, step, freeze and run, not {unquote(verb)!r}")
