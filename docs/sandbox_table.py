"""Writes docs/reference/sandbox.md: every operation of the stand-ins, from their own routers.

`python docs/sandbox_table.py` writes it; with `--check` it only says whether the page is stale.
Where each operation's truth comes from is read from the vendors' definitions and the recordings,
where these lie beside the project; otherwise from the page itself.
"""
# ruff: noqa: INP001, T201 - a script, not a package; printing is its job

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from syncd.sandbox import oauth
from syncd.sandbox.asana import PREFIX, RESOURCES
from syncd.sandbox.catalogue import ENTRIES, NOT_OFFERED
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.notion import NotionSandbox

PAGE = Path(__file__).parent / "reference" / "sandbox.md"
WIRE = Path(__file__).parents[2] / "shared" / "wire"
TOURS = {
    "Jira": "tests/sandbox/test_jira_tour.py",
    "Asana": "tests/sandbox/test_asana_definition.py",
    "Notion": "tests/sandbox/test_sandbox_table.py",
    "OAuth": "tests/sandbox/test_oauth.py",
}
DEFINITIONS = {
    "Jira": (("jira_platform_v3.json", ""), ("jira_software.json", "")),
    "Asana": (("asana_oas.yaml", PREFIX),),
    "Notion": (("notion_official_openapi_2026-03.json", ""),),
    "OAuth": (("notion_official_openapi_2026-03.json", "/notion"),),
}
RECORDINGS = {
    "Jira": ("jira_cloud_v2_defectdojo.jsonl.gz",),
    "Asana": (),
    "Notion": ("notion_2025-09-03_notion-sdk-py.jsonl.gz", "notion_hkob_pairs.jsonl.gz"),
    "OAuth": (),
}
# captured Asana bodies, which are not exchanges in a log
CAPTURED = (
    "/projects/{}", "/projects", "/tasks/{}", "/projects/{}/tasks", "/users/{}", "/users",
    "/workspaces/{}", "/workspaces",
)  # fmt: skip
HERE = "a server's targets are on this machine only"
DEVIATIONS = {
    ("GET", "/rest/api/3/search"): "410, as the service since 2025; the definition has 200 still",
    ("POST", "/rest/api/3/search"): "410, as the service since 2025; the definition has 200 still",
    ("DELETE", "/rest/api/3/field/{}"): "done at once (204) instead of 303 to a task",
    ("GET", "/rest/api/3/webhook/failed"): "always 403, for there are no Connect apps",
    ("POST", "/rest/api/3/webhook"): HERE,
    ("POST", "/rest/webhooks/1.0/webhook"): HERE,
    ("PUT", "/rest/webhooks/1.0/webhook/{}"): HERE,
    ("POST", f"{PREFIX}/webhooks"): f"{HERE}, where the service refuses localhost",
    ("GET", "/rest/api/3/issue/{}/changelog"): "null for no value, as in real traffic",
    ("POST", "/rest/api/3/changelog/bulkfetch"): "null as in issue/{key}/changelog",
    ("GET", "/rest/api/3/attachment/content/{}"): "redirects to itself, not to a media server",
    ("POST", "/rest/agile/1.0/board/{}/issue"): "of kanban boards only the rank is kept",
    ("GET", f"{PREFIX}/attachments/{{}}"): "download_url leads nowhere",
    ("GET", "/rest/api/3/issue/createmeta"): "screens hold every field that can be set",
    ("POST", "/jira/oauth/token"): "the use of a rotated refresh token ends the family at once",
    ("POST", "/asana/-/oauth_token"): "the sentences of refusals are not the vendor's",
    ("POST", "/notion/v1/oauth/token"): "the sentences of refusals are not the vendor's",
}

HEAD = """\
# The stand-ins: what they answer

Generated from the stand-ins' own routers by `python docs/sandbox_table.py`; do not edit.

Every operation below is visited by the test named in its heading. Sources of truth:
*definition* - the vendor's published API definition, against which every answer of that test is
validated; *recording* - real traffic, whose requests are sent again and whose answers are compared
(`tests/sandbox/test_recorded_*.py`); *documentation* - the vendor's documentation alone.
Jira's platform API answers under `/rest/api/2` and `/rest/api/latest` too, Notion in the versions
`2026-03-11` and `2025-09-03`. The paths under OAuth have the service's prefix; through Atlassian's
gateway, `/jira/ex/jira/{cloudId}`, Jira answers the same as without.
"""

STARTS = {"Jira": ("/rest/",), "Asana": (PREFIX,), "Notion": ("/v1/",),
          "OAuth": ("/jira/", "/asana/", "/notion/")}  # fmt: skip
FAULTS = """\
## Faults

Switched on by id, see [use the sandbox](../how-to/use-the-sandbox.md#make-it-hurt). Each in each variant
is seen on a socket by `tests/sandbox/test_faults_every.py`. Known deviations: over a socket N9 `dns` cannot
happen and `black-hole` accepts the connection before it falls silent; N10 is of a connection, not of a
request, and needs `--tls`; in process both are the exceptions of requests, urllib3 and httpx.
"""

Operation = tuple[str, str]
_KNOWN: dict[str, tuple[set[Operation], set[Operation]]] = {}


def operations() -> dict[str, list[Operation]]:
    """Return method and path template of everything built, by service."""
    clock = SandboxClock(frozen=0.0)
    asana = [(m, PREFIX + path) for module in RESOURCES for m, path, _handler in module.ROUTES]
    notion = [(m, path.rstrip("/?")) for m, path in NotionSandbox(clock).operations]
    return {
        "Jira": JiraSandbox(clock).operations,
        "Asana": [*asana, ("POST", f"{PREFIX}/batch")],
        "Notion": notion,
        "OAuth": oauth.OPERATIONS,
    }


def plain(path: str) -> str:
    """Return a path template whose parameters have no names."""
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/?")


def sources() -> dict[str, dict[Operation, str]]:
    """Return where the truth of each operation comes from, by service."""
    if not WIRE.exists():
        return _told()
    return {
        service: {row: _source(row, *_known(service)) for row in rows}
        for service, rows in operations().items()
    }


def _known(service: str) -> tuple[set[Operation], set[Operation]]:
    """Return the operations that definitions and recordings have, with `{}` for parameters."""
    if service not in _KNOWN:
        defined = {
            (method.upper(), plain(base + path))
            for name, base in DEFINITIONS[service]
            for path, item in _definition(name)["paths"].items()
            for method in item
        }
        _KNOWN[service] = (defined, set(_recorded(service)))
    return _KNOWN[service]


def _definition(name: str) -> dict[str, Any]:
    text = (WIRE / "specs" / name).read_text("utf8")
    if name.endswith(".json"):
        found: dict[str, Any] = json.loads(text)
        return found
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(text, Loader=loader))  # noqa: S506, TID251 - safe, and no lines needed


def _recorded(service: str) -> Iterable[Operation]:
    if service == "Asana":
        yield from (("GET", PREFIX + path) for path in CAPTURED)
    for name in RECORDINGS[service]:
        with gzip.open(WIRE / "recorded" / name, "rt", encoding="utf8") as lines:
            for line in lines:
                asked = json.loads(line)["request"]
                path = urlsplit(asked["url"] or "").path
                yield asked["method"], re.sub(r"/api/(2|latest)/", "/api/3/", path)


def _source(row: Operation, defined: set[Operation], recorded: set[Operation]) -> str:
    method, path = row
    pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "/?")
    heard = any(m == method and pattern.fullmatch(p) for m, p in recorded)
    found = ["definition"] if (method, plain(path)) in defined else []
    return ", ".join(found + ["recording"] * heard) or "documentation"


def _told() -> dict[str, dict[Operation, str]]:
    """Return the sources that the page names."""
    found: dict[str, dict[Operation, str]] = {name: {} for name in STARTS}
    for line in PAGE.read_text("utf8").splitlines() if PAGE.exists() else []:
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        service = next((name for name in found if cells[0].startswith(STARTS[name])), None)
        if service:
            for row in cells[1].split(", "):
                found[service][row, cells[0]] = cells[2]
    return found


def page() -> str:
    """Return the whole page."""
    known, parts = sources(), [HEAD]
    for service, rows in operations().items():
        told = known[service]
        parts.append(f"## {service}: {len(rows)} operations\n\nTested by `{TOURS[service]}`.\n")
        lines = ["| Endpoint | Verbs | Source of truth | Known deviations |", "|---|---|---|---|"]
        grouped: dict[tuple[str, str, str], list[str]] = {}
        for method, path in sorted(rows, key=lambda row: row[1]):
            source = told.get((method, path), "documentation")
            deviation = DEVIATIONS.get((method, plain(path)), "")
            grouped.setdefault((path, source, deviation), []).append(method)
        lines += [
            f"| `{path}` | {', '.join(verbs)} | {source} | {deviation} |"
            for (path, source, deviation), verbs in grouped.items()
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join([*parts, faults()])


def faults() -> str:
    """Return the part of the page about faults."""
    lines = ["| Id | Fault | Variants | Services | How |", "|---|---|---|---|---|"]
    lines += [
        f"| {each.id} | {each.sentence} | {', '.join(each.variant_names())}"
        f" | {', '.join(each.services)} | {each.how} |"
        for each in ENTRIES
    ]
    rest = [f"| {name} | {reason} |" for name, reason in NOT_OFFERED.items()]
    lines += ["", "Not offered, for no service and no network causes them:", ""]
    return "\n".join([FAULTS, *lines, "| Id | Fault |", "|---|---|", *rest]) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it; return the exit status."""
    text = page()
    if "--check" in arguments:
        same = PAGE.exists() and PAGE.read_text("utf8") == text
        if not same:
            print(f"{PAGE} is stale: run `python docs/sandbox_table.py`")
        return 0 if same else 1
    PAGE.write_text(text, "utf8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
