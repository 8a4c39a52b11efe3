"""`syncd simulate`: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from syncd.cli import app
from syncd.testing import campaign
from syncd.testing.schedule import draw
from syncd.testing.seeded_bugs import BUGS
from syncd.testing.twins import drawn


def run(*words):
    return CliRunner().invoke(app, ["simulate", *words])


def test_figures_for_people_and_for_programs():
    told = run("--schedules", "3")
    assert told.exit_code == 0
    assert told.output.startswith("3 schedules from seed 1, ")
    assert told.output.endswith("0 schedules broke an invariant\n")
    data = json.loads(run("--schedules", "3", "--json").output)
    assert (data["schedules"], data["failures"]) == (3, {})


def test_a_failing_run_names_its_seed_and_is_kept(tmp_path):
    with BUGS["no-journal"].put_in():
        told = run("--schedules", "1", "--seed", "4", "--save", str(tmp_path))
        assert told.exit_code == 1
        assert "seed 4: I17" in told.output
        story = tmp_path / "seed-4.json"
        assert run("--replay", str(story)).exit_code == 1
    assert run("--replay", str(story)).output.startswith("0 violations; digest ")


def test_every_seeded_bug_has_a_line(tmp_path):
    rows = json.loads(run("--bugs", "--schedules", "1", "--json").output)
    assert [row["name"] for row in rows] == list(BUGS)
    assert draw(1).seed == 1


def test_a_tier_that_does_not_exist_is_named():
    told = run("--tier", "moon")
    assert told.exit_code != 0
    assert "--tier model or clients" in str(told.exception)


@pytest.mark.parametrize("text", ["garbage", '{"a": 1}', "[]", '{"events": [{"cycle": "x"}]}', ""])
def test_a_file_that_is_no_schedule_is_named(tmp_path, text):
    path = tmp_path / "g.json"
    path.write_text(text)
    told = run("--replay", str(path))
    assert f"{path} is no schedule: give a file that" in str(told.exception)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--bugs", "--save", "kept"), "--bugs and --save do not go together"),
        (("--tier", "clients", "--save", "kept"), "--save goes with --tier model"),
        (("--save", "/dev/null/kept"), "/dev/null/kept cannot be made"),
    ],
)
def test_options_that_do_not_fit_are_told_before_anything_runs(words, sentence):
    assert sentence in str(run(*words).exception)


def test_an_interrupted_campaign_says_how_far_it_came(monkeypatch):
    def stop(number):
        if number == 203:
            raise KeyboardInterrupt
        return drawn(number)

    monkeypatch.setattr(campaign, "drawn", stop)
    monkeypatch.setattr(campaign, "PORTION", 2)
    told = run("--schedules", "50", "--seed", "200")
    assert told.exit_code == 130
    assert "of 50 schedules from seed 200, 2 ran and 0 failed" in told.output


def test_one_seed_again_has_the_same_digest():
    one, other = (json.loads(run("--schedules", "1", "--seed", "7", "--json").output) for _ in "ab")
    assert one["digest"] == other["digest"]


def test_the_daemon_knows_nothing_of_simulator_and_seeded_bugs():
    words = (
        "import sys, syncd.daemon, syncd.wiring; print([m for m in sys.modules if 'testing' in m])"
    )
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
