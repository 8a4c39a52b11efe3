"""The page about the simulator says what its figures say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def run(*words):
    return subprocess.run(
        [sys.executable, str(DOCS / "simulation.py"), *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_page_is_that_of_its_figures():
    told = run("--check")
    assert told.returncode == 0, told.stdout


def test_the_figures_are_of_enough_schedules_and_nothing_was_broken():
    data = json.loads((DOCS / "explanation" / "simulation.json").read_text("utf-8"))
    model, clients = (data[part]["figures"] for part in ("model", "clients"))
    assert model["schedules"] >= 20_000
    assert clients["schedules"] >= 500
    assert (model["failures"], clients["failures"]) == ({}, {})
    bugs = data["bugs"]["figures"]
    assert len(bugs) >= 25
    assert all(bug["schedules"] is not None for bug in bugs)
    assert {f"P{number}" for number in range(1, 10)} <= {bug["rule"] for bug in bugs}
