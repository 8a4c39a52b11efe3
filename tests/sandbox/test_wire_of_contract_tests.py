"""What the stand-ins answer while the adapters' laws are tried, held against the vendors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIRE = ROOT.parent / "shared" / "wire"
TESTS = ("test_jira_adapter.py", "test_asana_adapter.py", "test_notion_adapter.py")
# Shapes: paths that recordings have by accident of what was in the recorded workspaces and sites.
ACCIDENTS = (
    "lacks properties.title",
    "lacks properties.Name",
    "lacks parent.page_id",
    "lacks results[].properties.*",
    # most recordings are of version 2025-09-03; 2026-03-11 says in_trash alone
    "lacks archived",
    "lacks results[].archived",
)
# the definition calls these strings; the real service sends null where there was or is nothing
KNOWN = tuple(
    f"items/*/{name}: None is not of type 'string'"
    for name in ("from", "to", "fromString", "toString")
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not WIRE.exists(), reason=f"the definitions are not at {WIRE}"),
]


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wire")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "wiretap", "--wiretap", str(folder),
               "-p", "no:cacheprovider", *(f"tests/contract/{name}" for name in TESTS)]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return folder


def oracle(verb: str, service: str, log: Path) -> list[str]:
    command = [sys.executable, str(WIRE / "oracle.py"), verb, "--tool", service,
               "--log", str(log), "--strip-prefix", f"/{service}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    *lines, summary = done.stdout.splitlines()
    assert not summary.startswith(f"{service}: 0 "), "nothing was compared"
    return lines


@pytest.mark.timeout(400)
@pytest.mark.parametrize("service", ["jira", "asana", "notion"])
def test_every_answer_fits_the_definition(logs, service):
    lines = oracle("check", service, logs / f"{service}.jsonl")
    assert [line for line in lines if not line.endswith(KNOWN)] == []


@pytest.mark.timeout(400)
@pytest.mark.parametrize("service", ["jira", "notion"])
def test_answers_have_the_shapes_of_recorded_ones(logs, service):
    whole = logs / f"{service}.whole.jsonl"  # recordings are of requests that name no fields
    rows = (logs / f"{service}.jsonl").read_text("utf8").splitlines(keepends=True)
    whole.write_text("".join(row for row in rows if "?fields=" not in row), "utf8")
    lines = oracle("shapes", service, whole)
    assert [line for line in lines if not line.endswith(ACCIDENTS)] == []
