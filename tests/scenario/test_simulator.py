"""The simulator: repeatable, quiet on the engine as it is, loud on an engine with a bug in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.testing.campaign import campaign, detection, replay, run_seed, save, smallest
from syncd.testing.schedule import Event, draw, load
from syncd.testing.seeded_bugs import BUGS
from syncd.testing.simulator import Simulation, simulate
from syncd.testing.twins import TWINS, drawn

STORIES = sorted((Path(__file__).parent / "stories").glob("*.json"))
SCHEDULES = 120


def everything(run):
    return run.violations, run.human, run.written, run.born, run.figures


def test_a_seed_is_one_run_for_ever():
    for seed in (3, 17, 208):
        assert draw(seed) == draw(seed)
        assert everything(simulate(draw(seed))) == everything(simulate(draw(seed)))
    assert everything(simulate(draw(3))) != everything(simulate(draw(4)))


def test_no_invariant_is_broken_and_much_has_happened():
    result = campaign(10_000, SCHEDULES)
    assert result.failures == {}
    happened = (
        "edits", "crashes", "lost_reply", "lost_request", "late", "temporary", "rate", "rejected",
        "forbidden", "old", "empty", "half", "twice", "behind", "dropped", "cut", "jumps", "decisions",
    )  # fmt: skip
    assert all(result.figures[name] >= SCHEDULES // 10 for name in happened)
    assert all(
        result.figures[name] >= SCHEDULES // 20 for name in ("vanished", "emptied", "strayed")
    )
    assert result.data()["schedules_per_second"] > 0


def test_processes_side_by_side_come_to_the_same():
    alone, together = campaign(1, 26), campaign(1, 26, jobs=2)
    assert (alone.figures, alone.failures) == (together.figures, together.failures)
    assert alone.digest == together.digest
    assert campaign(2, 26).digest != alone.digest


def test_hash_seed_and_time_zone_of_the_process_decide_nothing():
    words = "from syncd.testing.campaign import campaign; print(campaign(5, 10).digest)"
    told = {
        subprocess.run(
            [sys.executable, "-c", words], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Pacific/Kiritimati"))
    }  # fmt: skip
    assert len(told) == 1


def test_every_kind_of_pair_comes_to_the_same_end():
    pairs = [drawn(10 * number) for number in range(len(TWINS))]
    assert {pair.twin for pair in pairs} == set(TWINS)
    assert [simulate(pair).violations for pair in pairs] == [[]] * len(TWINS)


def test_a_difference_between_the_runs_of_a_pair_is_told():
    clash = drawn(230)  # two people, two dates, one item: asked or decided, never the latest
    with BUGS["latest-wins"].put_in():
        found = [text for seed in range(10, 400, 10) for text in simulate(drawn(seed)).violations]
    assert any(text.startswith("P11") for text in found)
    assert simulate(clash).violations == []


@pytest.mark.parametrize(
    "name",
    [
        "unknown-is-failure",
        "library-retries",
        "cursor-first",
        "whole-record",
        "echo",
        "vanished-is-cleared",
        "moved-is-made-again",
    ],
)
def test_bugs_are_found_soon(name):
    (found,) = detection(1, 60, names=[name])
    assert found.schedules is not None


def test_real_client_libraries_under_the_same_schedules():
    runs = [run_seed(seed, "clients") for seed in range(1, 9)]
    assert [run.violations for run in runs] == [[]] * 8
    assert sum(run.figures["writes"] for run in runs) > 40
    assert run_seed(3, "clients").digest == runs[2].digest


def test_a_client_library_that_retries_is_noticed():
    with BUGS["library-retries"].put_in():
        found = [text for seed in range(1, 12) for text in run_seed(seed, "clients").violations]
    assert any(text.startswith("I24") for text in found)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_what_once_failed_does_not_fail_again(path):
    assert replay(path).violations == []


def test_a_bug_is_found_cut_down_and_kept(tmp_path):
    with BUGS["resurrection"].put_in():
        seed = min(campaign(1, 20).failures)
        story = save(smallest(draw(seed)), tmp_path)
        assert len(load(story.read_text("utf8")).events) < len(draw(seed).events)
        assert any(text.startswith("I7") for text in replay(story).violations)
    assert replay(story).violations == []


def test_a_schedule_comes_back_from_its_file():
    for seed in range(20):
        assert load(draw(seed).dump()) == draw(seed)
        json.loads(draw(seed).dump())


def test_a_crash_ends_the_process_and_the_next_one_goes_on():
    calm = replace(draw(1), events=(), cycles=2)
    crashed = replace(calm, events=(Event(0, "written", 0, "crash", ""),))
    run = simulate(crashed)
    assert (run.violations, run.figures["crashes"]) == ([], 1)
    assert len(run.born) == len(simulate(calm).born)


def test_without_events_nothing_is_left_to_chance_and_every_tool_agrees():
    stage = Simulation(replace(draw(5), events=(), cycles=1))
    stage.turn(60.0)
    stage.turn(60.0)
    assert stage.world.differences() == []
