"""What goes over the wire while the demonstration company is kept in step, held against the vendors."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from syncd.cli.common import open_state
from syncd.cli.sandbox import make, mapping_for, write
from syncd.engine.cycle import run_cycle
from syncd.sandbox.server import start_in_thread
from syncd.wiring import open_system

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
RECORDED = {
    "jira": ("jira_cloud_v2_defectdojo.jsonl.gz",),
    "asana": (),
    "notion": ("notion_2025-09-03_notion-sdk-py.jsonl.gz", "notion_hkob_pairs.jsonl.gz"),
}
# Shapes: paths that recordings have by accident of what was in the recorded workspaces and sites.
ACCIDENTS = (
    "lacks properties.title",
    "lacks properties.Name",
    "lacks parent.page_id",
    "lacks parent.type",
    "lacks results[].bot",
    "lacks results[].properties.*",
    # most recordings are of version 2025-09-03; 2026-03-11 says in_trash alone
    "lacks archived",
    "lacks results[].archived",
)
pytestmark = pytest.mark.skipif(
    not WIRE.exists(), reason=f"the vendors' definitions and recordings are not at {WIRE}"
)


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """Return the wire log of `syncd demo --once`: cycles until one writes nothing, and one more."""
    home = tmp_path_factory.mktemp("demo")
    path = home / "wire.jsonl"
    with start_in_thread(make("demo", wire_log=path)) as running:
        config = write(home, running.sandbox.credentials(running.url), mapping_for("demo"))
        system = open_system(config, open_state)
        try:
            writes = [run_cycle(system.context(), wait=True).writes for _ in range(4)]
        finally:
            system.close()
    assert writes[0] > 50
    assert writes[-1] == 0
    return path


def exchanges(log: Path) -> Iterator[dict]:
    with log.open(encoding="utf8") as lines:
        yield from map(json.loads, lines)


def of_service(log: Path, service: str) -> Path:
    """Return a log of one service's exchanges."""
    part = log.with_name(f"{service}.jsonl")
    rows = [row for row in exchanges(log) if f"/{service}/" in row["request"]["url"]]
    assert rows
    part.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf8")
    return part


def oracle(verb: str, service: str, log: Path, prefix: str = "") -> set[str]:
    """Return what the oracle finds, without counts."""
    command = [sys.executable, str(WIRE / "oracle.py"), verb, "--tool", service,
               "--log", str(log), "--strip-prefix", prefix]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return {line[5:].strip() for line in done.stdout.splitlines()[:-1]}


def violations_of_the_real(service: str) -> set[str]:
    """Return what real traffic breaks of its own definition."""
    found: set[str] = set()
    for name in RECORDED[service]:
        found |= oracle("check", service, WIRE / "recorded" / name)
    return found


@pytest.mark.parametrize("service", ["jira", "asana", "notion"])
def test_every_answer_fits_the_definition_as_far_as_real_ones_do(log, service):
    found = oracle("check", service, of_service(log, service), f"/{service}")
    if found:
        found -= violations_of_the_real(service)
    assert found == set()


@pytest.mark.parametrize("service", ["jira", "notion"])
def test_answers_have_the_shapes_of_recorded_ones(log, service):
    found = oracle("shapes", service, of_service(log, service), f"/{service}")
    assert {line for line in found if not line.endswith(ACCIDENTS)} == set()


def test_every_document_is_valid_adf(log):
    schema = json.loads(
        (WIRE / "specs" / "adf_schema_full_atlaskit_57.7.22.json").read_text("utf8")
    )
    check = jsonschema.validators.validator_for(schema)(schema)
    found = {}
    for row in exchanges(log):
        for text in (row["request"]["body"], row["response"].get("body_text")):
            if text and '"doc"' in text:
                found |= {json.dumps(each): each for each in documents(json.loads(text))}
    assert len(found) > 20
    wrong = {text[:200]: check_errors(check, each) for text, each in found.items()}
    assert {text: errors for text, errors in wrong.items() if errors} == {}


def check_errors(check, document: dict) -> list[str]:
    return [error.message[:200] for error in check.iter_errors(document)]


def documents(value: object) -> Iterator[dict]:
    """Yield the Atlassian documents in a JSON value."""
    if isinstance(value, dict):
        if value.get("type") == "doc" and "version" in value:
            yield value
        else:
            for item in value.values():
                yield from documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from documents(item)
