"""Writes what the stand-ins answer during a test run to wire logs; `tests/conftest.py` switches it on.

With SYNCD_WIRETAP=FOLDER each process of a run writes FOLDER/jira.PID.jsonl, asana.PID.jsonl,
notion.PID.jsonl, and notion-older.PID.jsonl for requests of Notion's older version; without
credentials. Of exchanges alike in service, method, endpoint, status and size only the first few are
kept, and none of the fuzzer's, which are held against the definitions by themselves. A stand-in is
listened to where it answers, before a fault changes the answer on its way: what a test breaks on
purpose is not in the logs.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.jira import JiraSandbox
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.services import template
from syncd.sandbox.wire import Request, Response
from syncd.sandbox.wirelog import WireLog

SERVICES = {"jira": JiraSandbox, "asana": AsanaSandbox, "notion": NotionSandbox}
ALIKE = 3
OLDER_VERSION = "2025-09-03"  # of Notion: the definition is of the newer one


def tap(folder: Path) -> None:
    """Write what all stand-ins of this process answer from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, service in SERVICES.items():
        listen(name, service, folder)


def listen(name: str, service: type, folder: Path) -> None:
    """Make every object of a class write what it answers."""
    logs: dict[str, WireLog] = {}
    seen: Counter[tuple[str, str, str, int, int]] = Counter()
    handle = service.handle

    def heard(self: object, request: Request) -> Response:
        response = handle(self, request)
        log = f"{name}-older" if request.headers.get("notion-version") == OLDER_VERSION else name
        size = len(response.body) // 200
        kind = (log, request.method, template(request.path), response.status, size)
        seen[kind] += 1
        if seen[kind] <= ALIKE and "schemathesis" not in request.headers.get("user-agent", ""):
            if log not in logs:
                logs[log] = WireLog(folder / f"{log}.{os.getpid()}.jsonl")
            logs[log].write(request, response)
        return response

    service.handle = heard
