"""Power cuts under the state file; `python -m syncd.testing.powerloss` prints the figures."""

from __future__ import annotations

import subprocess
import sys

import pytest


def cut(images, seconds):
    run = subprocess.run(
        [sys.executable, "-m", "syncd.testing.powerloss", "--images", str(images)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert run.stderr == ""
    return run.returncode, run.stdout.splitlines()


def assert_nothing_lost(lines, images):
    proper, relaxed, lying, verdict = lines
    assert proper.endswith(f"{images} images: {images} sound")
    assert " lost" in relaxed, "the control with synchronous = NORMAL has to lose commits"
    assert " refused" in lying, "the control with a lying disk has to be found out"
    assert verdict == "as it should be"


def test_no_acknowledged_commit_is_lost_and_both_controls_fail():
    code, lines = cut(400, 110)
    assert_nothing_lost(lines, 400)
    assert code == 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_thousand_power_cuts():
    code, lines = cut(20_000, 1700)
    print("\n".join(lines))
    assert_nothing_lost(lines, 20_000)
    assert code == 0
