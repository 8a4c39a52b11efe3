#!/usr/bin/env python3
"""Measures syncd against its own sandbox: wall time, CPU, peak memory, and API calls.

    ./dev bench                         the demonstration company and 100,000 generated items
    ./dev bench real --file FILE        a file of real Jira issues (JSON Lines, .gz)
    ./dev bench scale --items 20000     generated items, fewer or more

The sandbox runs in a process of its own, so that syncd's figures are syncd's alone. Calls are counted
by the sandbox, never by the client under test. Times are of a machine at a moment: quote medians and
ratios; the counts are exact. Results go to benchmarks/results.json, a table to standard output.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
SYNCD = Path(sys.executable).parent / "syncd"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("scenario", nargs="*", default=["demo", "scale"], help="demo, scale, real")
    parser.add_argument("--file", type=Path, help="for real: Jira issues, JSON Lines, .gz or not")
    parser.add_argument("--items", type=int, default=100_000, help="for scale")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    results = []
    for name in options.scenario:
        with tempfile.TemporaryDirectory(prefix="syncd-bench-") as home:
            results += globals()[f"bench_{name}"](Path(home), options)
    machine = {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "system": platform.machine(),
    }
    options.out.write_text(
        json.dumps({"machine": machine, "results": results}, indent=2) + "\n", "utf8"
    )
    table(results)


def bench_demo(home: Path, _options: argparse.Namespace) -> list[dict]:
    """The demonstration company: first fill, then cycles at rest."""
    with sandbox(home, "demo") as url:
        first = cycles(home, url, "demo: first fill", 1)
        turn_clock(url)
        return [*first, *cycles(home, url, "demo: at rest", 7)[1:]]


def bench_real(home: Path, options: argparse.Namespace) -> list[dict]:
    """Real Jira issues into an empty Notion database and Asana project."""
    if options.file is None:
        sys.exit("bench real needs --file FILE: a JSON Lines file of Jira issues")
    with sandbox(home, str(options.file.resolve())) as url:
        first = cycles(home, url, "real: first fill", 1)
        again = cycles(home, url, "real: second run", 1)
        turn_clock(url)
        idle = cycles(home, url, "real: at rest", 5)
    recount(home, options.file)
    return [*first, *again, *idle[1:]]


def bench_scale(home: Path, options: argparse.Namespace) -> list[dict]:
    """Many generated items: what a cycle costs that finds nothing, or 100 changes."""
    issues = home / "generated.jsonl.gz"
    generate(issues, options.items)
    with sandbox(home, str(issues), mapping=HERE / "scale.yaml") as url:
        first = cycles(home, url, f"{options.items} items: first read", 1)
        turn_clock(url)
        idle = cycles(home, url, f"{options.items} items: at rest", 6)
        edits = home / "edits.json"
        keys = [f"GEN-{number}" for number in range(3000, 3000 + 7 * 100, 7)]
        edits.write_text(json.dumps(keys), "utf8")
        delta = cycles(home, url, f"{options.items} items: 100 changes", 4, edits=edits)
    return [*first, *idle[1:], *delta[1:]]


# the parts


@contextlib.contextmanager
def sandbox(home: Path, load: str, mapping: Path | None = None):
    if mapping is not None:
        (home / "roadmap.yaml").write_text(mapping.read_text("utf8"), "utf8")
    command = [SYNCD, "sandbox", "serve", "--port", "0", "--load", load, "--write-config", home]
    began = time.monotonic()
    with subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        if not line:
            sys.exit("the sandbox did not start; its sentence stands above")
        print(f"sandbox ready after {time.monotonic() - began:.1f} s", file=sys.stderr)
        try:
            yield json.loads(line)["jira"]["url"].removesuffix("/jira")
        finally:
            process.terminate()
            process.wait(20)


def cycles(home: Path, url: str, name: str, count: int, edits: Path | None = None) -> list[dict]:
    """Run cycles in a fresh process (benchmarks/worker.py); returns a row for each."""
    command = [sys.executable, HERE / "worker.py", home / "syncd.yaml", url, name, str(count)]
    if edits is not None:
        command.append(edits)
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def turn_clock(url: str) -> None:
    """Let every window of overlap pass."""
    body = json.dumps({"step": 7200}).encode()
    request = urllib.request.Request(f"{url}/_sandbox/clock", body, method="POST")
    urllib.request.urlopen(request, timeout=10).close()


def generate(path: Path, items: int) -> None:
    """Write Jira issues in the vendor's REST form: one epic for every 49 stories."""
    chance = random.Random(7)
    statuses = {"To Do": ("1", "new"), "In Progress": ("3", "indeterminate"), "Done": ("5", "done")}
    people = [f"user{number:04}" for number in range(40)]
    with gzip.open(path, "wt", encoding="utf8", compresslevel=1) as out:
        epic = None
        for number in range(1, items + 1):
            name = chance.choice(list(statuses))
            status_id, category = statuses[name]
            is_epic = number % 50 == 1
            person = chance.choice(people)
            fields = {
                "summary": f"{'Epic' if is_epic else 'Story'} {number}: {chance.getrandbits(40):x} größer",
                "project": {"id": "20000", "key": "GEN", "name": "Generated"},
                "issuetype": {
                    "id": "6" if is_epic else "7",
                    "name": "Epic" if is_epic else "Story",
                    "subtask": False,
                },
                "status": {"id": status_id, "name": name, "statusCategory": {"key": category}},
                "created": "2025-01-01T10:00:00.000+0000",
                "updated": "2025-06-01T10:00:00.000+0000",
                "assignee": {"name": person, "key": person, "displayName": f"Person {person}"},
                "labels": [chance.choice("abcdef")],
                "duedate": f"2027-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            }
            if is_epic:
                epic = {"id": 100000 + number, "key": f"GEN-{number}", "name": "epic"}
            else:
                fields["epic"] = epic
            issue = {
                "id": str(100000 + number),
                "key": f"GEN-{number}",
                "fields": fields,
                "_storyPoints": float(chance.choice((1, 2, 3, 5, 8))),
            }
            out.write(json.dumps(issue) + "\n")


def recount(home: Path, file: Path) -> None:
    """Count each epic's leaves from the file itself and hold the state's roll-ups against it."""
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf8") as lines:
        issues = {row["id"]: row for row in map(json.loads, lines)}
    done = {
        i for i, row in issues.items() if row["fields"]["status"]["statusCategory"]["key"] == "done"
    }
    parent = {}
    for number, row in issues.items():
        above = row["fields"].get("epic") or row["fields"].get("parent")
        if above and row["fields"]["issuetype"]["name"] != "Epic":
            parent[number] = str(above["id"])
    epics = {i for i, row in issues.items() if row["fields"]["issuetype"]["name"] == "Epic"}
    stories = {i for i in parent if issues[i]["fields"].get("epic")}
    tasks = {i for i in parent if i not in stories and parent[i] in stories}
    leaves = [i for i in stories | tasks if not any(parent.get(t) == i for t in tasks)]
    expected = {epic: [0, 0, 0.0, 0.0] for epic in epics}
    for leaf in leaves:
        top = parent[leaf] if leaf in stories else parent[parent[leaf]]
        if top in expected:
            points = float(issues[leaf].get("_storyPoints") or 0)
            expected[top][1] += 1
            expected[top][3] += points
            if leaf in done:
                expected[top][0] += 1
                expected[top][2] += points
    shown = rollups(home)
    wrong = [issues[e]["key"] for e in epics if shown.get(issues[e]["key"]) != expected[e]]
    print(
        f"recount: {len(epics)} epics, {len(stories)} issues with an epic, {len(tasks)} sub-tasks below "
        f"them; {len(epics) - len(wrong)} epics agree in done, total and points",
        file=sys.stderr,
    )
    if wrong:
        sys.exit(f"these epics do not agree with the recount: {', '.join(sorted(wrong))}")


def rollups(home: Path) -> dict[str, list[float]]:
    """Read the stored roll-ups of every epic, by key."""
    import state.store

    store = state.store.open(home / ".syncd" / "state.db", read_only=True)
    result = {}
    try:
        items = store.items_at(["feature"])
        records = store.records_of([item.id for item in items])
        for item in items:
            names = ("items_done", "items_total", "points_done", "points_total")
            key = records[item.id]["jira"].record.key
            result[key] = [item.fields.get(name) or 0 for name in names]
    finally:
        store.close()
    return result


def table(results: list[dict]) -> None:
    print("| scenario | cycle | wall s | CPU s | peak MiB | calls | writes |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for row in results:
        calls = ", ".join(f"{name} {count}" for name, count in sorted(row["calls"].items()))
        print(
            f"| {row['name']} | {row['cycle']} | {row['wall']:.2f} | {row['cpu']:.2f} | "
            f"{row['peak_mib']:.0f} | {calls} | {row['writes']} |"
        )


if __name__ == "__main__":
    main()
