#!/usr/bin/env python3
"""Measures the sandbox itself: filling, searching, requests a second with and without sockets.

    python benchmarks/sandbox.py                        all, with 100,000 generated items
    python benchmarks/sandbox.py --items 20000 inprocess search
    python benchmarks/sandbox.py load --file FILE       a file of real Jira issues (JSON Lines, .gz)

Times are of a machine at a moment: quote medians. The server has one core to itself where there are two
(the client takes the other). Results go to benchmarks/sandbox.json, a table to standard output.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import multiprocessing
import os
import platform
import resource
import socket
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import requests

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.seeds import generate, seed_demo
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox
from syncd.sandbox.transports import HttpxTransport, Line, RequestsTransport, Urllib3Transport
from syncd.sandbox.wire import Request, query_pairs

HERE = Path(__file__).resolve().parent
ISSUE = ["summary", "status", "assignee", "duedate", "labels", "priority", "updated", "parent"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = ["generate", "search", "query", "gets", "inprocess", "load"]
    parser.add_argument("what", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--file", type=Path, help="for load: Jira issues, JSON Lines, .gz or not")
    parser.add_argument("--out", type=Path, default=HERE / "sandbox.json")
    options = parser.parse_args()
    rows = []
    for name in options.what:
        if name == "load" and options.file is None:
            print("load is left out: give --file", file=sys.stderr)
            continue
        rows += apart(globals()[f"bench_{name}"], options)
    machine = {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "system": platform.machine(),
    }
    options.out.write_text(
        json.dumps({"machine": machine, "results": rows}, indent=2) + "\n", "utf8"
    )
    print("| what | figure |\n|---|--:|")
    for row in rows:
        print(f"| {row['what']} | {row['figure']:,.1f} {row['unit']} |")


def apart(bench, options) -> list[dict]:
    """Run one benchmark in a process of its own, so that memory is its own."""
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=lambda: results.put(bench(options)))
    process.start()
    rows = results.get(timeout=900)
    process.join()
    return rows


def row(what: str, figure: float, unit: str) -> dict:
    return {"what": what, "figure": figure, "unit": unit}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def filled(items: int) -> Sandbox:
    made = Sandbox(seed=1)
    generate(made.jira, made.asana, made.notion, made.clock, items=items, seed=1)
    return made


# filling


def bench_generate(options) -> list[dict]:
    began = time.monotonic()
    filled(options.items)
    name = f"generate {options.items:,} items"
    return [row(name, time.monotonic() - began, "s"), row(f"{name}: peak memory", peak(), "MiB")]


def bench_load(options) -> list[dict]:
    made = Sandbox(seed=1)
    began = time.monotonic()
    count = made.jira.load_issues(options.file)
    return [row(f"load a file of {count:,} issues", time.monotonic() - began, "s")]


# pages, one client, over a socket


def bench_search(options) -> list[dict]:
    made = filled(options.items)
    of = f"of {len(made.jira.store.issues):,} issues"
    month = datetime.fromtimestamp(made.clock.now() - 30 * 86_400, UTC)
    queries = {
        "newest first": "project in (WEB, APP, PLAT) ORDER BY updated DESC",
        "changed since": f"project in (WEB, APP, PLAT) AND updated >= {int(month.timestamp() * 1000)}"
        " ORDER BY updated ASC",
        "filtered": 'project = WEB AND status = "In Progress" AND labels = ux ORDER BY created DESC',
    }
    with start_in_thread(made) as server:
        rows = []
        for name, jql in queries.items():
            body = {"jql": jql, "maxResults": 100, "fields": ISSUE}
            times = [post(server, made, "jira", "/rest/api/3/search/jql", body, "issues")]
            times = [
                post(server, made, "jira", "/rest/api/3/search/jql", body, "issues")
                for _ in range(60)
            ]
            rows.append(
                row(f"search page of 100 {of}, {name}: median", statistics.median(times), "ms")
            )
        return rows


def bench_query(_options) -> list[dict]:
    made = Sandbox(seed=1)
    seed_demo(made.jira, made.asana, made.notion, made.clock, seed=1)
    nodes = made.notion.app.store.nodes.values()
    source = next(node.id for node in nodes if type(node).__name__ == "DataSource")
    for number in range(10_000 - 40):
        values = {
            "Name": {"title": [{"text": {"content": f"row {number}"}}]},
            "Type": {"select": {"name": "Feature" if number % 3 else "Initiative"}},
            "Points total": {"number": number % 89},
        }
        body = {"parent": {"data_source_id": source}, "properties": values}
        request = Request(
            "POST", "/v1/pages", (), headers(made, "notion"), json.dumps(body).encode()
        )
        made.notion.handle(request)
    wanted = {
        "and": [
            {"property": "Type", "select": {"equals": "Feature"}},
            {"property": "Points total", "number": {"greater_than": 40}},
        ]
    }
    path = f"/v1/data_sources/{source}/query"
    with start_in_thread(made) as server:
        rows = []
        for name, more in {
            "filtered": {"filter": wanted},
            "filtered and sorted by a column": {
                "filter": wanted,
                "sorts": [{"property": "Points total", "direction": "descending"}],
            },
        }.items():
            body = {"page_size": 100, **more}
            times = [post(server, made, "notion", path, body, "results") for _ in range(60)]
            what = f"query of 100 of 10,000 rows, {name}: median"
            rows.append(row(what, statistics.median(times), "ms"))
        return rows


def headers(made: Sandbox, service: str) -> dict[str, str]:
    one = made.service(service)
    if service == "jira":
        pair = base64.b64encode(f"{one.email}:{one.token}".encode()).decode()
        return {"authorization": f"Basic {pair}", "content-type": "application/json"}
    return {
        "authorization": f"Bearer {one.token}",
        "notion-version": "2026-03-11",
        "content-type": "application/json",
    }


CONNECTIONS: dict[int, http.client.HTTPConnection] = {}


def post(server, made, service, path, body, rows) -> float:
    """Send a query and return milliseconds; the page must be full."""
    if server.port not in CONNECTIONS:
        CONNECTIONS[server.port] = http.client.HTTPConnection("127.0.0.1", server.port)
    connection = CONNECTIONS[server.port]
    data = json.dumps(body)
    began = time.perf_counter()
    connection.request("POST", f"/{service}{path}", data, headers(made, service))
    answer = connection.getresponse().read()
    taken = (time.perf_counter() - began) * 1000
    got = json.loads(answer).get(rows, answer)
    if len(got) != 100:
        sys.exit(f"{service} gave {len(got)} rows, not 100: {answer[:300]!r}")
    return taken


# requests a second


def bench_gets(options) -> list[dict]:
    """Simple GETs over sockets: the server on one core, a client with 16 connections on another."""
    rows = []
    for service, path in GETS.items():
        ports = multiprocessing.Queue()
        server = multiprocessing.Process(
            target=serve, args=(ports, min(options.items, 2000)), daemon=True
        )
        server.start()
        port, head = ports.get(timeout=120)
        pin(-1)
        rate = max(flood(port, head[service]) for _ in range(3))
        server.terminate()
        server.join()
        rows.append(row(f"GET {path} over sockets, server on one core", rate, "a second"))
    return rows


GETS = {
    "jira": "/rest/api/3/issue/WEB-1?fields=summary,status",
    "asana": "/api/1.0/users/me",
    "notion": "/v1/users/me",
}


def pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[core]})


def serve(ports, items: int) -> None:
    pin(0)
    made = filled(items)
    running = start_in_thread(made)
    heads = {}
    for service, path in GETS.items():
        lines = [
            f"GET /{service}{path} HTTP/1.1",
            f"host: 127.0.0.1:{running.port}",
            *(f"{k}: {v}" for k, v in headers(made, service).items()),
        ]
        heads[service] = "\r\n".join(lines).encode() + b"\r\n\r\n"
    ports.put((running.port, heads))
    time.sleep(600)


def flood(port: int, request: bytes, seconds: float = 4.0, connections: int = 16) -> float:
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for sock in socks:
            sock.sendall(request)
        for sock in socks:
            answer = sock.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                sys.exit(f"the server said {head[:200]!r}")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += sock.recv(65536)
            done += 1
    rate = done / (time.perf_counter() - began)
    for sock in socks:
        sock.close()
    return rate


def bench_inprocess(_options) -> list[dict]:
    """Simple GETs without sockets: the services, then client libraries on top; and the same bytes twice."""
    made = Sandbox(SandboxClock(frozen=1_790_000_000.0), seed=1)
    seed_demo(made.jira, made.asana, made.notion, made.clock, seed=1)
    line = Line(made)
    rows = []
    for service, path in GETS.items():
        bare, _, query = path.partition("?")
        request = Request("GET", bare, query_pairs(query), headers(made, service))
        rate = per_second(lambda s=service, r=request: made.handle(s, r))
        rows.append(row(f"{service} GET in process", rate, "a second"))
    mixed = [
        (s, Request("GET", p.partition("?")[0], query_pairs(p.partition("?")[2]), headers(made, s)))
        for s, p in GETS.items()
    ]
    turn = iter(lambda: None, 1)
    rate = per_second(lambda: [made.handle(s, r) for s, r in mixed] and next(turn)) * 3
    rows.append(row("the three in turn in process", rate, "a second"))
    session = requests.Session()
    session.mount("http://", RequestsTransport(line))
    pool, client = Urllib3Transport(line), httpx.Client(transport=HttpxTransport(line))
    asana, notion = headers(made, "asana"), headers(made, "notion")
    session.headers.update(headers(made, "jira"))
    url = "http://sandbox"
    for name, ask in {
        "urllib3": lambda: pool.request("GET", f"{url}/asana/api/1.0/users/me", headers=asana),
        "httpx": lambda: client.get(f"{url}/notion/v1/users/me", headers=notion),
        "requests": lambda: session.get(f"{url}/jira/rest/api/3/issue/WEB-1?fields=summary,status"),
    }.items():
        rows.append(row(f"GET through {name} in process", per_second(ask), "a second"))
    same = digest() == digest()
    rows.append(row("the same seed gives the same bytes (1: yes)", float(same), ""))
    return rows


def per_second(ask, seconds: float = 2.0) -> float:
    for _ in range(50):
        ask()
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(20):
            ask()
        done += 20
    return done / (time.perf_counter() - began)


def digest() -> str:
    """Return a digest of all answers to the same 600 requests, with faults, from the same seed."""
    made = Sandbox(SandboxClock(frozen=1_790_000_000.0), seed=11)
    seed_demo(made.jira, made.asana, made.notion, made.clock, seed=11)
    made.faults.set([{"id": "H1", "rate": 0.1}, {"id": "L1", "rate": 0.5}])
    total = hashlib.sha256()
    for number in range(200):
        fields = {
            "project": {"key": "WEB"},
            "issuetype": {"name": "Task"},
            "summary": f"n {number}",
        }
        body = json.dumps({"fields": fields}).encode()
        jql = query_pairs(urlencode({"jql": "project = WEB ORDER BY updated DESC"}))
        for service, request in (
            ("jira", Request("POST", "/rest/api/3/issue", (), headers(made, "jira"), body)),
            ("jira", Request("GET", "/rest/api/3/search/jql", jql, headers(made, "jira"))),
            ("notion", Request("GET", "/v1/users", (), headers(made, "notion"))),
        ):
            answer = made.handle(service, request)
            total.update(
                repr((answer.status, sorted(answer.headers.items()))).encode() + answer.body
            )
        made.clock.step(7)
    return total.hexdigest()


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
