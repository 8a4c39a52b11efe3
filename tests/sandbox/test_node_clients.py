"""Independent clients for Node - jira.js, @notionhq/client, asana - against the stand-ins."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox

CLIENTS = Path(__file__).with_name("clients")
INSTALL_SECONDS = 90
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("node"),  # installed once, by one process
]


@pytest.fixture(scope="module")
def clients() -> Path:
    """Return a folder with the scripts and what they need, installed once per set of versions."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node is not installed: independent clients for Node were not tried")
    lock = (CLIENTS / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "syncd" / f"sandbox-clients-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", *(p.name for p in CLIENTS.glob("*.mjs"))):
        shutil.copy(CLIENTS / name, folder / name)
    if not (folder / "installed").exists():
        install(npm, folder)
    return folder


def install(npm: str, folder: Path) -> None:
    """Install the clients; a second try if need be; skip with the reason if there is no way."""
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    said = f"no answer in {INSTALL_SECONDS} s"
    for _ in range(2):
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            (folder / "installed").touch()
            return
        said = done.stderr.strip()[-200:]
    pytest.skip(f"npm could not install the clients: {said}")


def statuses(*numbers: int) -> dict[str, int]:
    """Return statuses as a client that knows no others tells of them."""
    return {str(number): number for number in numbers}


@pytest.fixture
def running():
    sandbox = Sandbox(SandboxClock())
    with start_in_thread(sandbox) as server:
        yield server


def drive(clients: Path, running, name: str, **more: str) -> dict:
    """Run a client's script, named for its service; return what it saw."""
    service = name.partition("_")[0]
    known = {"control": running.url, **running.sandbox.credentials(running.url)[service], **more}
    done = subprocess.run(
        ["node", f"{name}.mjs", json.dumps(known)],
        cwd=clients, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_jira_js(clients, running):
    running.sandbox.jira.add_project("WEB", "Web shop")
    seen = drive(clients, running, "jira")
    assert seen == {
        "summary": "Two",
        "status": "Done",
        "version": "1.0",
        "changes": 2,
        "read": 1000,
        "pages": 10,
        "found": ["WEB-1"],
        "count": 1000,
        "bulk": 2,
        "refused": {
            "gone": 404,
            "unbounded": 400,
            "noProject": 400,
            "noStep": 400,
            "forbidden": 403,
            "credentials": 401,
        },
        "injected": statuses(403, 409, 413, 429, 500, 502, 503, 504),
    }


def test_jira_js_around_issues(clients, running):
    running.sandbox.jira.add_project("WEB", "Web shop")
    assert drive(clients, running, "jira_around") == {
        "spent": 12000,
        "changed": 1,
        "file": "a.txt",
        "watching": True,
        "members": 1,
        "mark": {"x": 1},
        "ranked": ["WEB-2", "WEB-1"],
        "free": ["WEB-2"],
    }


def test_notion_client(clients, running):
    seen = drive(clients, running, "notion")
    assert seen == {
        "me": "bot",
        "name": "Zero",
        "read": 1000,
        "filtered": [*range(999, 989, -1)],
        "children": ["heading_1", "to_do"],
        "markdown": "# How",
        "comments": 1,
        "properties": ["Due", "Name", "Note", "Points", "Stage"],
        "found": 1,
        "trashed": True,
        "refused": {
            "missing": "object_not_found",
            "wrong": "validation_error",
            "token": "unauthorized",
            "version": "validation_error",
            "filter": "validation_error",
            "size": "validation_error",
        },
        "injected": {
            "403": "restricted_resource",
            "409": "conflict_error",
            "429": "rate_limited",
            "500": "internal_server_error",
            "502": "notionhq_client_response_error",  # no code of the service's: a gateway says it
            "503": "service_unavailable",
            "504": "gateway_timeout",
            "529": "service_overload",
        },
    }


def test_asana_library(clients, running):
    asana = running.sandbox.asana
    seen = drive(clients, running, "asana", workspace=asana.workspace, team=asana.team)
    stories = seen.pop("stories")
    assert {"name_changed", "due_date_changed", "assigned", "section_changed"} <= set(stories)
    assert seen == {
        "name": "Zero",
        "due": "2026-12-01",
        "assignee": asana.email,
        "section": "Now",
        "marker": "m0",
        "subtasks": 1,
        "read": 1000,
        "pages": 10,
        "searched": ["Zero"],
        "refused": {"gone": 404, "noField": 400, "noProject": 404, "late": 412, "token": 401},
        "injected": statuses(403, 413, 423, 429, 500, 502, 503, 504),
    }
