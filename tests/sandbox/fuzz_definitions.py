"""Throws requests made from the vendors' definitions at the stand-ins; needs schemathesis.

`python fuzz_definitions.py jira|asana|notion [REQUESTS-PER-OPERATION [SEED]]`

Generates requests, good and bad, for every operation built, single and chained, against the
demonstration company over a socket. Prints every answer of 500 and above, and what the answers
break of the definitions. Exit status: 0 nothing wrong, 1 something is, 2 could not run.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from syncd.sandbox.asana import RESOURCES
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.seeds.demo import seed_demo
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox, template

sys.path.insert(0, str(Path(__file__).parent))

from vendors import WIRE, findings

DEFINITIONS = {
    "jira": ("jira_platform_v3.json", ""),
    "agile": ("jira_software.json", ""),
    "asana": ("asana_oas.yaml", "/api/1.0"),
    "notion": ("notion_official_openapi_2026-03.json", ""),
}
# Notion's definition has so many alternatives that covering each takes hours
PHASES = {"notion": "examples,fuzzing,stateful"}
# Where the id stands in an answer: of the first thing listed, of what was made.
IDS = {
    "jira": {"get": ("/values/0/id", "/0/id"), "post": ("/id",)},
    "agile": {"get": ("/values/0/id",), "post": ("/id",)},
    "asana": {"get": ("/data/0/gid",), "post": ("/data/gid",)},
    "notion": {"get": ("/results/0/id",), "post": ("/id", "/results/0/id")},
}
METHODS = ("get", "post", "put", "patch", "delete")
SAME_KIND = 4
STATEFUL = "[phases.stateful.generation]\nmax-examples = 150\n"
NOW = 1_790_000_000.0


def tool() -> str | None:
    """Return the path of schemathesis: from SCHEMATHESIS, beside this Python, or from PATH."""
    beside = Path(sys.executable).with_name("schemathesis")
    named = os.environ.get("SCHEMATHESIS", "")
    return named or (str(beside) if beside.exists() else shutil.which("schemathesis"))


def built(sandbox: Sandbox) -> dict[str, set[tuple[str, str]]]:
    """Return the operations of each definition that are built, with `{}` for each parameter."""
    asana = [(m, "/api/1.0" + p) for module in RESOURCES for m, p, _handler in module.ROUTES]
    listed = {
        "jira": sandbox.jira.operations,
        "agile": sandbox.jira.operations,
        "asana": [*asana, ("POST", "/api/1.0/batch")],
        "notion": sandbox.notion.operations,
    }
    return {name: {(m, plain(p)) for m, p in rows} for name, rows in listed.items()}


def plain(template: str) -> str:
    """Return a path template without the names of its parameters."""
    return re.sub(r"\{[^}]+\}", "{}", template).rstrip("/?")


def restricted(name: str, known: set[tuple[str, str]]) -> dict[str, Any]:
    """Return a definition with only the operations built, and links between them."""
    file, base = DEFINITIONS[name]
    text = (WIRE / "specs" / file).read_text("utf8")
    raw = json.loads(text) if file.endswith(".json") else _yaml(text)
    paths: dict[str, Any] = {}
    for path, item in raw["paths"].items():
        kept = {
            key: value
            for key, value in item.items()
            if key not in METHODS or (key.upper(), plain(base + path)) in known
        }
        if any(method in kept for method in METHODS):
            paths[path] = kept
    chain(paths, IDS[name])
    return {**raw, "paths": paths, "security": [], "servers": [{"url": "/"}]}


def chain(paths: dict[str, Any], ids: dict[str, tuple[str, ...]]) -> None:
    """Add links: the id in what a collection answers is one for the operations below it.

    The vendors' definitions have none, so nothing would be asked about what was just made or listed.
    """
    for collection, below in product(paths, paths):
        named = re.fullmatch(re.escape(collection) + r"/\{(\w+)\}.*", below)
        for source in (verb for verb in ids if named and verb in paths[collection]):
            answers = paths[collection][source]["responses"]
            good = next((code for code in answers if str(code).startswith("2")), None)
            if good is None:
                continue  # it only leads elsewhere
            links = {
                f"{target} {below} {pointer}": {
                    "operationId": paths[below][target]["operationId"],
                    "parameters": {f"path.{named[1]}": f"$response.body#{pointer}"},
                }
                for target in METHODS
                for pointer in ids[source]
                if target in paths[below]
            }
            answers[good] = {**answers[good], "links": answers[good].get("links", {}) | links}


def offer(node: Any, values: dict[str, Any]) -> None:
    """Let members of bodies and queries, by their names, have values that exist, beside all others."""
    if isinstance(node, list):
        for item in node:
            offer(item, values)
    elif isinstance(node, dict):
        held = node.get("properties")
        for name in (each for each in values if isinstance(held, dict) and each in held):
            held[name] = {"anyOf": [{"enum": [values[name]]}, held[name]]}
        if node.get("in") == "query" and node.get("name") in values and "schema" in node:
            node["schema"] = {"anyOf": [{"enum": [values[node["name"]]]}, node["schema"]]}
        for item in node.values():
            offer(item, values)


def _yaml(text: str) -> dict[str, Any]:
    loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found: dict[str, Any] = json.loads(json.dumps(loaded, default=str))
    return found


def real_ids(sandbox: Sandbox, name: str) -> dict[str, str]:
    """Return values of path parameters that exist, so that not every answer is a 404."""
    if name in {"jira", "agile"}:
        issue = next(iter(sandbox.jira.store.issues.values()))
        project = next(iter(sandbox.jira.store.projects.values()))
        return {
            "issueIdOrKey": issue.key, "projectIdOrKey": project.key, "boardId": "1",
            "projectKeyOrId": project.key, "accountId": sandbox.jira.account_id,
            "issueTypeId": "10000", "fieldId": "customfield_10016", "id": "10000",
        }  # fmt: skip
    if name == "asana":
        return dict(_asana_ids(sandbox))
    return dict(_notion_ids(sandbox))


def _asana_ids(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    for gid, record in sandbox.asana.store.objects.items():
        yield f"{re.sub('(?<!^)(?=[A-Z])', '_', type(record).__name__).lower()}_gid", gid


def _notion_ids(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    for identifier, node in sandbox.notion.app.store.nodes.items():
        kind = type(node).__name__
        yield {"DataSource": "data_source"}.get(kind, kind.lower()) + "_id", identifier


def members(name: str, ids: dict[str, str]) -> dict[str, Any]:
    """Return values of members of bodies that exist, by the members' names."""
    if name == "jira":
        project = {"key": ids["projectKeyOrId"]}
        fields = {"project": project, "issuetype": {"name": "Task"}, "summary": "Made"}
        return {"fields": fields, "projectId": 10000}
    if name == "agile":
        return {"originBoardId": 1, "issues": [ids["issueIdOrKey"]]}
    if name == "notion":
        return {"parent": {"page_id": ids["page_id"]}, **ids}
    known = {key.removesuffix("_gid"): value for key, value in ids.items()}
    return {**known, "projects": [known["project"]], "resource": known["project"]}


def headers(sandbox: Sandbox, name: str) -> list[str]:
    """Return header lines that sign requests in."""
    service = "jira" if name == "agile" else name
    made = sandbox.service(service)
    pair = base64.b64encode(f"{sandbox.jira.email}:{sandbox.jira.token}".encode()).decode()
    lines = [f"Authorization: {'Basic ' + pair if service == 'jira' else 'Bearer ' + made.token}"]
    return [*lines, "Notion-Version: 2026-03-11"] if service == "notion" else lines


def fuzz(name: str, folder: Path, examples: int, seed: int) -> tuple[str, list[dict[str, Any]]]:
    """Run one definition; return schemathesis' words and the exchanges."""
    log = folder / f"{name}.wire.jsonl"
    sandbox = Sandbox(SandboxClock(frozen=NOW), wire_log=log)
    seed_demo(sandbox.jira, sandbox.asana, sandbox.notion, sandbox.clock)
    definition = folder / f"{name}.json"
    known = real_ids(sandbox, name)
    content = restricted(name, built(sandbox)[name])
    offer(content, members(name, known))
    definition.write_text(json.dumps(content), "utf8")
    values = "".join(f'"path.{key}" = {json.dumps(value)}\n' for key, value in known.items())
    config = folder / f"{name}.toml"
    config.write_text(f"[parameters]\n{values}{STATEFUL}", "utf8")
    base = DEFINITIONS[name][1]
    with start_in_thread(sandbox) as running:
        command = [
            str(tool()), "--config-file", str(config), "run", str(definition), "--no-color",
            "--url", f"{running.url}/{'jira' if name == 'agile' else name}{base}",
            "--checks", "not_a_server_error", "--max-examples", str(examples),
            "--seed", str(seed), "--generation-database", "none", "--workers", "1",
            "--phases", PHASES.get(name, "examples,coverage,fuzzing,stateful"),
            "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure",
            *(part for line in headers(sandbox, name) for part in ("--header", line)),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    with log.open(encoding="utf8") as lines:
        return done.stdout + done.stderr, [json.loads(line) for line in lines]


def problems(name: str, folder: Path, exchanges: list[dict[str, Any]]) -> list[str]:
    """Return answers of 500 and above, and what answers break of the definition."""
    found = [
        f"{row['response']['status']} {row['request']['method']} {row['request']['url']}"
        f" {row['request']['body']}"
        for row in exchanges
        if row["response"]["status"] >= 500
    ]
    service = "jira" if name == "agile" else name
    few = folder / f"{name}.few.jsonl"
    few.write_text("".join(json.dumps(row) + "\n" for row in thinned(exchanges)), "utf8")
    return found + findings("check", service, few)[1]


def missed(name: str, exchanges: list[dict[str, Any]]) -> list[str]:
    """Return the operations built, and in the definition, that no request was made to."""
    prefix = "/jira" if name == "agile" else f"/{name}"
    asked = {
        (row["request"]["method"], urlsplit(row["request"]["url"]).path.removeprefix(prefix))
        for row in exchanges
    }
    sandbox = Sandbox(SandboxClock(frozen=NOW))
    base = DEFINITIONS[name][1]
    return sorted(
        f"{method.upper()} {path}"
        for path, item in restricted(name, built(sandbox)[name])["paths"].items()
        for method in item.keys() & set(METHODS)
        if not any(
            verb == method.upper() and _pattern(base + path).fullmatch(one) for verb, one in asked
        )
    )


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]+\}", "[^/]*", path) + "/?")


def thinned(exchanges: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the first exchanges of each kind and shape: validating all takes very long."""
    seen: Counter[tuple[str, str, int, int]] = Counter()
    for row in exchanges:
        answer, asked = row["response"], row["request"]
        path = template(urlsplit(asked["url"]).path)
        kind = (asked["method"], path, answer["status"], len(answer.get("body_text", "")) // 200)
        seen[kind] += 1
        if seen[kind] <= SAME_KIND:
            yield row


def main(arguments: list[str]) -> int:
    """Run from the command line."""
    if not arguments or arguments[0] not in DEFINITIONS:
        print(f"usage: fuzz_definitions.py {'|'.join(DEFINITIONS)} [REQUESTS [SEED]]")
        return 2
    if tool() is None or not WIRE.exists():
        print(f"needs schemathesis (see SCHEMATHESIS) and the definitions at {WIRE}")
        return 2
    name, numbers = arguments[0], [int(text) for text in arguments[1:3]]
    folder = Path(os.environ.get("FUZZ_FOLDER") or tempfile.mkdtemp(prefix="fuzz-"))
    examples, seed = (numbers + [20, 1][len(numbers) :])[:2]
    words, exchanges = fuzz(name, folder, examples, seed)
    found = problems(name, folder, exchanges)
    print(*found, sep="\n")
    print(f"{name}: {len(exchanges)} exchanges, {len(found)} problems; {folder}")
    if not exchanges:
        print(words)
    return 1 if found or not exchanges else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
