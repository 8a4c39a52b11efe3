"""Runs cycles in this process and prints a JSON line for each: see run.py."""

from __future__ import annotations

import json
import resource
import sys
import time
import urllib.request
from pathlib import Path

import requests

from syncd.cli.common import open_state
from syncd.engine.cycle import run_cycle
from syncd.wiring import open_system


def main() -> None:
    config, url, name, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    edits = json.loads(Path(sys.argv[5]).read_text("utf8")) if len(sys.argv) > 5 else []
    system = open_system(config, open_state)
    for number in range(count):
        if edits and number:
            edit(config, url, edits, number)
        control(url, "counters/reset")
        wall, cpu = time.monotonic(), time.process_time()
        report = run_cycle(system.context(), wait=True)
        row = {
            "name": name,
            "cycle": report.number,
            "wall": time.monotonic() - wall,
            "cpu": time.process_time() - cpu,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "calls": calls(url),
            "writes": report.writes,
            "items": report.items,
        }
        print(json.dumps(row), flush=True)
    system.close()


def control(url: str, path: str) -> dict:
    method = "POST" if path.endswith("reset") else "GET"
    request = urllib.request.Request(
        f"{url}/_sandbox/{path}", b"" if method == "POST" else None, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def calls(url: str) -> dict[str, int]:
    result: dict[str, int] = {}
    for row in control(url, "counters")["counters"]:
        result[row["service"]] = result.get(row["service"], 0) + row["calls"]
    return result


def edit(config: Path, url: str, keys: list[str], number: int) -> None:
    """Give issues other points and another due date, as another client would."""
    token = (config.parent / "secrets" / "jira").read_text("utf8")
    session = requests.Session()
    session.auth = ("sandbox@example.com", token)
    fields = session.get(f"{url}/jira/rest/api/3/field", timeout=30).json()
    points = next(each["id"] for each in fields if each["name"] == "Story Points")
    for key in keys:
        body = {"fields": {points: 20.0 + number, "duedate": f"2028-{number:02}-15"}}
        session.put(f"{url}/jira/rest/api/3/issue/{key}", json=body, timeout=30).raise_for_status()


if __name__ == "__main__":
    main()
