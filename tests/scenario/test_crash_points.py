"""Crashes at the boundaries of twelve scenarios: a sample of them here, all of them in the slow tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCENARIOS = 12


def crash(*options, seconds=110):
    run = subprocess.run(
        [sys.executable, "-m", "syncd.testing.crashpoints", *options],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert run.stderr == ""
    return run.returncode, run.stdout


@pytest.mark.parametrize("options", [("--every", "122"), ("--every", "334", "--kill")])
def test_wherever_it_dies_the_end_is_that_of_an_undisturbed_run(options):
    code, told = crash(*options)
    assert (code, told.count(" boundaries, ")) == (0, SCENARIOS), told


def test_a_write_without_a_journal_is_found_out():
    code, told = crash("--bug", "no-journal", "--only", "one edit", "--every", "7")
    assert code == 1
    assert "history: missing" in told


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "options", [(), ("--kill", "--every", "3"), ("--again", "1", "--every", "5")]
)
def test_every_boundary(options):
    code, told = crash(*options, seconds=3500)
    print(told)
    assert (code, told.count(" boundaries, ")) == (0, SCENARIOS), told
