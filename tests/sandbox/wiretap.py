"""A pytest plugin that writes what the stand-ins answer during a test run to a wire log.

`pytest -p wiretap --wiretap FOLDER ...`, with this folder on PYTHONPATH, gives FOLDER/jira.jsonl,
asana.jsonl and notion.jsonl, without credentials. Of exchanges alike in service, method, endpoint,
status and size only the first few are kept.
"""

from __future__ import annotations

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


def pytest_addoption(parser) -> None:
    parser.addoption("--wiretap", metavar="FOLDER", help="write what the stand-ins answer here")


def pytest_configure(config) -> None:
    folder = config.getoption("--wiretap")
    if folder:
        for name, service in SERVICES.items():
            listen(service, WireLog(Path(folder) / f"{name}.jsonl"))


def listen(service: type, log: WireLog) -> None:
    """Make every object of a class write what it answers."""
    seen: Counter[tuple[str, str, int, int]] = Counter()
    handle = service.handle

    def heard(self: object, request: Request) -> Response:
        response = handle(self, request)
        path = template(request.path)
        kind = (request.method, path, response.status, len(response.body) // 200)
        seen[kind] += 1
        if seen[kind] <= ALIKE and request.headers.get("notion-version") != OLDER_VERSION:
            log.write(request, response)
        return response

    service.handle = heard
