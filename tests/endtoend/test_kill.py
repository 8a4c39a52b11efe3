"""`kill -9` at any moment of a cycle, then `syncd run --once`: as if nothing had happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SEED = 2


@pytest.mark.parametrize(
    ("kind", "moments"),
    [
        ("first-fill", 2),
        ("edits", 4),
        pytest.param("first-fill", 12, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
        pytest.param("edits", 38, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_kill_9_at_random_moments_leads_to_the_same_end_without_duplicates(kind, moments):
    program = Path(__file__).with_name("killing.py")
    run = subprocess.run(
        [sys.executable, str(program), kind, str(SEED), str(moments)],
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    result = json.loads(run.stdout)
    expected = result["holds"]
    assert result["code"] in (0, 1)
    assert result["requests"] > 2 * moments, "the cycle must be worth killing"
    assert all(expected[tool] for tool in ("jira", "asana", "notion"))
    killed = [case for case in result["cases"] if case["ended"] == -9]
    assert len(killed) >= moments - 2, "two may have ended before their moment came"
    for case in result["cases"]:
        moment = f"killed {case['phase']} request {case['at']}, pause {case['pause']:.3f} s"
        assert case["again"] == result["code"], f"{moment}: {case['output']}"
        for tool in ("jira", "asana", "notion"):
            surplus = [x for x in case["holds"][tool] if x not in expected[tool]]
            missing = [x for x in expected[tool] if x not in case["holds"][tool]]
            assert (surplus, missing) == ([], []), f"{moment}: {tool}"
            assert len(case["holds"][tool]) == len(expected[tool]), f"{moment}: double in {tool}"
            markers = case["holds"]["markers"][tool]
            assert len(markers) == len(set(markers)), f"{moment}: one marker twice in {tool}"
