"""The faults that can be switched on by id: what each one is, and how it is brought about.

A rule `{"id": "H2", "variant": "date"}` is the rule written here under that id and variant, with the
rule's own rate, seed, matches and limits. Ids are those of the project's fault catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Preset = Mapping[str, Any]
ALL = ("jira", "asana", "notion")
DAY = 86_400.0
MAINTENANCE = (
    "<!doctype html><html><head><title>Maintenance</title></head><body>Log in</body></html>"
)
PROXY = "<html><head><title>{0}</title></head><body><h1>{0}</h1>a proxy's own page</body></html>"


@dataclass(frozen=True, slots=True)
class Entry:
    """A fault. The first variant is the usual one; `only` and `path` say which requests it is about."""

    id: str
    sentence: str
    how: str
    variants: Mapping[str, Preset]
    services: tuple[str, ...] = ALL
    only: str | None = None  # writes, reads, lists
    path: Mapping[str, str] = field(default_factory=dict)  # by service, a regular expression


def _do(name: str, **params: Any) -> Preset:  # noqa: ANN401 - JSON
    return {"do": name, "with": params}


def _once(name: str, **params: Any) -> Preset:  # noqa: ANN401 - JSON
    """Name a change of the world, made at the first request that is struck, there to stay."""
    return {"do": name, "with": params}


def _hook(name: str) -> Preset:
    """Name what befalls webhooks on their way."""
    return {"webhook": name}


def _status(status: int, **more: Any) -> Preset:  # noqa: ANN401 - JSON
    return {"status": status, "vendor": True, **more}


_INDEX = {"jira": r"/search/jql$", "asana": r"/tasks/search$", "notion": r"/query$|/v1/search$"}

ENTRIES = (
    Entry("N1", "The answer is lost after the effect.", "apply, then close without a byte",
          {"": {"drop_after": True}}, only="writes"),
    Entry("N2", "The request is lost before the effect.", "close without applying",
          {"": {"drop_before": True}}),
    Entry("N3", "The connection is reset in the middle of the body.", "half the body, then RST",
          {"": {"reset": 0.5}}),
    Entry("N4", "The effect comes after the client's time-out.",
          "no answer; applied so many seconds later by the sandbox's clock", {"": {"late": 60.0}},
          only="writes"),
    Entry("N5", "Two requests take effect in the other order.",
          "no answer; applied behind the next write", {"": {"behind": 1}}, only="writes"),
    Entry("N6", "Broken bodies: JSON cut short, wrong Content-Length, bad gzip.",
          "the true answer, damaged",
          {"json": {"cut_json": True}, "length": {"wrong_length": 64}, "gzip": {"bad_gzip": True}}),
    Entry("N7", "A login or maintenance page with status 200.", "HTML instead of JSON",
          {"": {"html": MAINTENANCE, "status": 200}}),
    Entry("N8", "A redirect to another host or to http.", "302 with Location",
          {"host": {"redirect": "https://elsewhere.example/"},
           "http": {"redirect": "http://api.example/"}}),
    Entry("N9", "The name does not resolve, nobody answers, or byte by byte.",
          "pauses between the bytes; an open connection without an answer (in process: no connection"
          " within the time-out); a name that is not known (in process only)",
          {"slow-loris": {"slow": 1.0}, "black-hole": {"unreachable": "black-hole"},
           "dns": {"unreachable": "dns"}}),
    Entry("N10", "A certificate is expired, of another host, or self-signed.",
          "shown in the handshake by a server with --tls; in process the library's refusal",
          {kind: {"unreachable": kind} for kind in ("expired", "wrong-host", "self-signed")}),
    Entry("N11", "A kept connection is closed between two requests.",
          "a whole answer, then close without Connection: close", {"": {"close_idle": True}}),
    Entry("N12", "A proxy answers with a body of its own.", "502 or 407 with HTML",
          {"502": {"html": PROXY.format("502 Bad Gateway"), "status": 502},
           "407": {"html": PROXY.format("407 Proxy Authentication Required"), "status": 407,
                   "headers": {"proxy-authenticate": 'Basic realm="proxy"'}}}),
    Entry("H1", "Server errors, before or after the effect.", "5xx in the service's own words",
          {"before": _status(503), "500": _status(500), "502": _status(502), "504": _status(504),
           "after": _status(503, apply=True), "after-500": _status(500, apply=True),
           "saved": _do("saved_but_503")}),
    Entry("H2", "429 with every kind of Retry-After.", "429 in the service's own words",
          {kind: _do("retry_later", kind=kind)
           for kind in ("seconds", "date", "none", "zero", "long", "past")}),
    Entry("H3", "429 on every call for half an hour.", "429 until the clock has moved on",
          {"": {**_do("retry_later", kind="seconds", seconds=60), "lasts": 1800.0}}),
    Entry("H4", "Too many requests at the same time (Asana).",
          "429 although the minute's count is not reached",
          {"": _do("retry_later", kind="seconds", seconds=1)}, services=("asana",)),
    Entry("H5", "The limit is lowered while a client runs; a quota is used up.",
          "the service's limits are switched on at a small scale; Jira's quota refusal",
          {"lowered": _do("lower_limit", scale=0.02),
           "quota": _do("retry_later", kind="long", reason="jira-quota-tenant-based")}),
    Entry("H6", "200 with one element of many refused.",
          "one element taken out of a bulk create or batch, an error in its place",
          {"": _do("partly")}, services=("jira", "asana"),
          path={"jira": r"/issue/bulk$", "asana": r"/batch$"}),
    Entry("H7", "Conflict, archived, precondition failed.", "409, 423; 412 for a sync token",
          {"409": _status(409, only="writes"), "423": _status(423, only="writes"),
           "412": {**_do("sync_expired"), "paths": {"asana": r"/events$"}}}),
    Entry("H8", "A text is too long for the service.", "413 or 400 above a length",
          {"": _do("too_long")}, only="writes"),
    Entry("H9", "An endpoint is gone.", "410", {"": _status(410)}),
    Entry("H10", "Accepted now, done later.", "202; applied so many seconds later",
          {"": _do("accepted")}, only="writes"),
    Entry("H11", "A write is accepted and silently ignored.",
          "one field is taken out of the update", {"": _do("ignored")}, only="writes"),
    Entry("H12", "A write changes other fields too.", "a second write as by an automation",
          {"": _do("automation")}, only="writes"),
    Entry("A1", "A token expires in the middle of a cycle.",
          "401 from the call on that `after` names", {"": _status(401)}),
    Entry("A2", "A rotating refresh token: answer lost, used twice at once, withdrawn, too old.",
          "at the token endpoint; the use of a rotated token ends the whole family",
          {"lost": {"drop_after": True}, "race": _do("rival"),
           "revoked": {**_do("consent_withdrawn"), "paths": {}}, "expired": _do("refresh_expired")},
          path={"jira": r"^/oauth/token$", "asana": r"^/-/oauth_token$",
                "notion": r"^/v1/oauth/token$"}),
    Entry("A3", "The scope is reduced: writes are refused, reads are fine.", "403 on writes",
          {"": _status(403)}, only="writes"),
    Entry("A4", "Permission for one project or database is lost.",
          "the container is really hidden: lists shrink, items answer 404 or 403",
          {"": _once("hide")}),
    Entry("A5", "A Notion page is no longer shared: 404, as if deleted.", "really unshared",
          {"": _once("unshare")}, services=("notion",)),
    Entry("A6", "Permission is lost and comes back after months.",
          "hidden, and shown again when `lasts` seconds have passed by the sandbox's clock",
          {"": {**_once("hide"), "lasts": 90 * DAY}}),
    Entry("A7", "An account is deactivated and its items are handed over.",
          "a user made inactive, all their issues assigned to the admin",
          {"": _once("deactivate")}, services=("jira",)),
    Entry("A8", "CAPTCHA, single sign-on, IP allow-list.", "403 with the header; a sign-in page",
          {kind: _do("challenge", kind=kind) for kind in ("captcha", "sso", "allowlist")}),
    Entry("L1", "New and changed items are missing from search for a while.",
          "rows left out until their own lag has passed", {"": _do("lag")}, path=_INDEX),
    Entry("L2", "Search serves an old document with a new time.",
          "rows as first seen, with the present time of change", {"": _do("stale")}, path=_INDEX),
    Entry("L3", "Times are rounded down to the minute.",
          "always so in Notion; by this rule in the answers of the others too",
          {"": _do("minutes")}),
    Entry("L4", "Times in JQL are meant in the account's zone.",
          "every Jira account is put into another zone", {"": _once("move_zone")},
          services=("jira",)),
    Entry("L5", "Pages drift while items change.",
          "the first item of each page is changed when the page has been served",
          {"": _do("drift")}, only="lists"),
    Entry("L6", "Page tokens repeat, expire; an empty page has a token; pages are in disorder.",
          "the token or the page spoiled",
          {"repeat": _do("pages", kind="repeat"), "empty": _do("pages", kind="empty"),
           "order": _do("pages", kind="order"), "expired": _do("token_expired")}, only="lists"),
    Entry("L7", "An item changes more often than anyone looks.",
          "one item is changed before every listing", {"": _do("hot")}, only="lists"),
    Entry("L8", "A write does not move last_edited_time (Notion).",
          "the time is put back after the write", {"": _do("unmoved")}, services=("notion",),
          path={"notion": r"^/v1/(pages|blocks)/[^/]+"}, only="writes"),
    Entry("L9", "An event stream loses events, or its token expires (Asana).",
          "events taken out of the answer for ever; 412",
          {"drop": _do("drop_events"), "expired": _do("sync_expired")}, services=("asana",),
          path={"asana": r"/events$"}),
    Entry("L10", "A list has an item twice, or one from the trash.", "rows added",
          {"twice": _do("twice"),
           "trash": {**_do("trashed_too"), "paths": {"notion": r"/query$"}}}, only="lists"),
    Entry("L11", "An empty or half-empty list with status 200.", "rows taken away, no next page",
          {"empty": _do("short", share=0.0), "half": _do("short", share=0.5)}, only="lists"),
    Entry("V1", "The service trims, collapses blanks, turns line ends and quotes.",
          "texts tidied before they are stored", {"": _do("normalised")}, only="writes"),
    Entry("V2", "Unicode comes back composed.", "NFC of what was stored", {"": _do("composed")}),
    Entry("V3", "Rich text comes back in another shape.",
          "an empty paragraph more, runs split, before it is stored", {"": _do("drifting")},
          only="writes"),
    Entry("V7", "The order of several choices is not kept.", "lists of labels turned round",
          {"": _do("disordered")}),
    Entry("V8", "Null, empty and missing are not told apart.", "nulls left out, or made \"\"",
          {"missing": _do("nulls", kind="missing"), "empty": _do("nulls", kind="empty")}),
    Entry("C1", "A status or option is renamed or deleted.", "really, by an admin",
          {"renamed": _once("rename_option"), "deleted": _once("drop_option")}),
    Entry("C2", "A field is deleted, or taken off the screen.",
          "really deleted; 'cannot be set' for a field",
          {"deleted": _once("drop_field"),
           "screen": {**_do("unscreened"), "only": "writes",
                      "paths": {"jira": r"/issue(/[^/]+)?$"}}}),
    Entry("C3", "The workflow changed: a step needs a resolution, or is gone.",
          "another workflow for the project", {"": _once("strict_workflow")}, services=("jira",)),
    Entry("C4", "A project's key changes, is archived, a database is moved.", "really, by an admin",
          {"": _once("rekey")}),
    Entry("C5", "An issue moves between projects; a parent changes.", "really, by a colleague",
          {"": _once("move_item")}, services=("jira", "asana")),
    Entry("C6", "A database gets a second data source; a property is made anew.", "really",
          {"second": _once("second_source", kind="second"),
           "recreate": _once("second_source", kind="recreate")}, services=("notion",)),
    Entry("U6", "An item is deleted or trashed, and perhaps restored.",
          "really; with `lasts` it comes back from the trash", {"": _once("delete_item")}),
    Entry("U7", "An item is copied together with its marker.", "really, by a colleague",
          {"": _once("copy_item")}),
    Entry("T2", "The service's clock is wrong.", "its own clock ahead or behind, drifting",
          {"": _once("skew")}),
    Entry("W1", "A webhook is lost, late, doubled, replayed, out of order, forged, or one of masses.",
          "what is sent to the receiver instead of, or beside, the true delivery",
          {"lost": _hook("lost"), "late": _hook("late"), "duplicated": _hook("duplicated"),
           "replayed": _hook("replayed"), "disordered": _hook("disordered"),
           "forged": _hook("forged"), "tampered": _hook("tampered"),
           "signature": _hook("signature"), "unsigned": _hook("unsigned"),
           "flood": _hook("flood"), "huge": _hook("huge"),
           "handshake": {**_hook("handshake"), "paths": {"asana": "", "notion": ""}}}),
)  # fmt: skip

CATALOGUE = {entry.id: entry for entry in ENTRIES}

NOT_OFFERED = {
    "V4": "content: write the unknown node through the API",
    "V5": "content: write the dates through the API; the account's zone is L4",
    "V6": "content: write the numbers through the API",
    "V9": "use A7, or the stand-ins' add_user and set_user",
    "V10": "content: write the long values through the API",
    "V11": "content: write the hostile values through the API",
    "C7": "a fault of the client's own configuration",
    "C8": "a fault of the client's own configuration",
    "C9": "run a second client",
    "U1": "an edit at a moment: use the `before` and `after` hooks of syncd.sandbox.transports",
    "U8": "an edit: clear the marker through the API",
    "K1": "a fault of the client's own process",
    "S1": "a fault of the client's own disk",
    "T1": "a fault of the client's own clock",
}
"""Ids that cannot be switched on here, and why."""


def preset(fault: str, variant: str | None) -> Preset:
    """Return a variant of a fault as a rule, with `services`, `only` and `paths` filled in.

    Raises ValueError for unknown names.
    """
    entry = CATALOGUE.get(fault)
    if entry is None:
        reason = NOT_OFFERED.get(fault)
        if reason:
            raise ValueError(f"fault {fault} cannot be switched on: {reason}")
        raise ValueError(f"there is no fault {fault!r}; 'syncd sandbox faults' lists them")
    name = next(iter(entry.variants)) if variant is None else variant
    if name not in entry.variants:
        known = ", ".join(filter(None, entry.variants)) or "none"
        raise ValueError(f"fault {fault} has no variant {variant!r}; it has: {known}")
    chosen = dict(entry.variants[name])
    paths = chosen.setdefault("paths", entry.path)
    return {"only": entry.only, **chosen, "services": tuple(paths) or entry.services}
