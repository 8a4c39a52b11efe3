"""What goes over the wire while the demonstration company is kept in step, held against the vendors."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli.common import open_state
from syncd.cli.sandbox import make, mapping_for, write
from syncd.engine.cycle import run_cycle
from syncd.sandbox.server import start_in_thread
from syncd.wiring import open_system

sys.path.insert(0, str(Path(__file__).parents[1] / "sandbox"))

from vendors import ABSENT, WIRE, adf_errors, findings

pytestmark = pytest.mark.skipif(not WIRE.exists(), reason=ABSENT)


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


@pytest.mark.parametrize("service", ["jira", "asana", "notion"])
def test_every_answer_fits_the_definition(log, service):
    assert findings("check", service, of_service(log, service))[1] == []


@pytest.mark.parametrize("service", ["jira", "notion"])
def test_answers_have_the_shapes_of_recorded_ones(log, service):
    assert findings("shapes", service, of_service(log, service))[1] == []


def test_every_document_is_valid_adf(log):
    count, wrong = adf_errors(exchanges(log))
    assert wrong == {}
    assert count > 20
