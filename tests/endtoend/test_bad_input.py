"""What people get wrong in files, options and on the machine: one sentence, the place, what to do."""

from __future__ import annotations

import gzip
import os
import resource
import signal
import sqlite3
import subprocess
from contextlib import contextmanager

import pytest
from installation import change, started, syncd, until

MAPPING = {
    "an unknown key": ("  status:", "  statuss:", "roadmap.yaml:39:3: ", "did you mean"),
    "a wrong type": (
        "roadmap: Northwind Cycles roadmap", "roadmap: [1]", "roadmap.yaml:7:", "text",
    ),
    "a status nobody knows": (
        "To Do: planned", "To Do: planed", "roadmap.yaml:44:16: ",
        '"planed" is no status: did you mean "planned"?',
    ),
    "two rules for one cell": (
        "jira: Start date", "jira: Due date", "roadmap.yaml:82:11: ",
        '"Due date" already holds "due" (line 77): name another field',
    ),
    "no YAML": ("items:\n", "items: [\n", "roadmap.yaml:", ""),
}  # fmt: skip
SERVICE = {
    "an unknown key": ("interval: 5s", "intervall: 5s", "syncd.yaml:2:1: ", 'did you mean "interval"'),
    "a time without unit": ("interval: 5s", "interval: 5", "syncd.yaml:2:11: ", "write it like 60s"),
    "a wrong type": ("burst: 5000", "burst: many", "syncd.yaml:11:12: ", '"many" is not possible'),
    "an unknown tool": ("type: asana", "type: asanna", "syncd.yaml:13:11: ", 'did you mean "asana"'),
    "a token in the file": (
        "token: {file: secrets/asana}", "token: canary-in-the-file", "syncd.yaml:15:12: ", "revoke it",
    ),
    "a mapping that is not there": (
        "mapping: roadmap.yaml", "mapping: road.yaml", "road.yaml:1:1: ", "there is no such file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MAPPING)
def test_wrong_in_the_mapping(folder, case):
    old, new, place, advice = MAPPING[case]
    change(folder / "roadmap.yaml", old, new)
    found = syncd("check", cwd=folder)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(place)
    assert advice in found.err.splitlines()[0]


@pytest.mark.parametrize("case", SERVICE)
def test_wrong_in_the_service_configuration(folder, case):
    old, new, place, advice = SERVICE[case]
    change(folder / "syncd.yaml", old, new)
    found = syncd("check", "--offline", cwd=folder)
    assert (found.code, found.out) == (2, "")
    assert found.sentence.startswith(place)
    assert advice in found.sentence
    assert "canary" not in found.err


def test_names_the_tools_do_not_have_all_at_once(world, folder):
    change(folder / "roadmap.yaml", "jira: Due date", "jira: Due dat")
    change(folder / "roadmap.yaml", "database: Roadmap", "database: Roadmaps")
    seen = world.calls()
    found = syncd("run", "--once", cwd=folder)
    assert (found.code, found.out) == (2, "")
    assert 'roadmap.yaml:14:24: notion shows nothing named "Roadmaps": did you mean' in found.err
    assert 'in jira has no field "Due dat": did you mean "Due date"?' in found.err
    assert world.calls() > seen, "the tools were asked"
    assert syncd("status", cwd=folder).code == 2


def test_files_that_are_not_there(folder, tmp_path):
    missing = syncd("run", "--once", "-c", "nope/syncd.yaml", cwd=folder)
    assert (missing.code, missing.sentence) == (
        2, "nope/syncd.yaml:1:1: there is no such file: check the path",
    )  # fmt: skip
    unread = syncd("status", cwd=folder)
    assert unread.code == 2
    assert unread.sentence.endswith("run `syncd run --once` first")
    (folder / "secrets" / "jira").unlink()
    secret = syncd("check", cwd=folder)
    assert secret.code == 2
    assert secret.sentence.endswith("secrets/jira is not there: create it")


def test_wrong_command_lines(folder):
    for words, sentence in (
        (["runn"], "no such command 'runn'"),
        (["run", "--onse"], "no such option: --onse"),
        (["explain"], "missing argument 'item'"),
        (["conflicts"], "missing command"),
        (["history", "-n", "none"], "invalid value for '-n'"),
    ):
        wrong = syncd(*words, cwd=folder)
        assert (wrong.code, wrong.out) == (2, ""), words
        assert sentence.split(" '-n'")[0] in wrong.sentence.replace("'--limit' / ", "")
        assert wrong.sentence.endswith("--help`")


def test_unknown_items_fields_and_conflicts(filled):
    for words, start in (
        (["explain", "Fleet mop"], "no item is called 'Fleet mop'; "),
        (["explain", "Fleet"], "'Fleet' could be "),
        (
            ["explain", "Fleet map", "duee"],
            "a feature of this roadmap has no field 'duee'; did you",
        ),
        (["history", "nothing like it"], "no item is called"),
        (["conflicts", "show", "nope"], "there is no conflict 'nope'; `syncd conflicts list`"),
        (["conflicts", "resolve", "nope", "--take", "jira"], "there is no conflict 'nope'"),
        (["history", "--since", "2h", "--until", "3h"], "--since 2h is later than --until 3h"),
        (["history", "Fleet map", "colour"], "this roadmap has no field 'colour'; it has"),
    ):
        wrong = syncd(*words, cwd=filled)
        assert (wrong.code, wrong.out) == (2, ""), words
        assert wrong.sentence.startswith(start)


def test_numbers_that_nothing_can_be_counted_with(filled):
    for words, part in (
        (["undo", "²"], "no item is called '²'"),
        (["undo", "9" * 5000], "no item is called '999"),
        (["undo", "Fleet map", "--since", "²h"], "'²h' is no moment"),
        (["explain", "Fleet map", "--at", "9" * 400 + "d"], "9d' is before the year 1"),
        (["explain", "Fleet map", "--at", "999999999999h"], "'999999999999h' is before the year 1"),
        (["history", "-n", "9" * 20], "should be less than or equal to 1000000000"),
        (["audit", "-n", "9" * 20], "should be less than or equal to 1000000000"),
    ):
        wrong = syncd(*words, cwd=filled)
        assert (wrong.code, wrong.out, part in wrong.sentence) == (2, "", True), wrong.err


def test_sandbox_files_and_ports(world, folder):
    port = world.url.rpartition(":")[2]
    taken = syncd("sandbox", "serve", "--port", port, cwd=folder)
    assert (taken.code, taken.out) == (2, "")
    assert taken.sentence.startswith(f"cannot listen on 127.0.0.1:{port}")
    assert "0 takes any free port" in taken.sentence
    (folder / "bad.jsonl").write_text("\n{not json\n")
    lines = syncd("sandbox", "serve", "--port", "0", "--load", "bad.jsonl", cwd=folder)
    assert (lines.code, lines.out) == (2, "")
    assert lines.sentence.startswith("bad.jsonl, line 2: not JSON")
    (folder / "torn.jsonl.gz").write_bytes(gzip.compress(b'{"id": 1}')[:-9])
    torn = syncd("sandbox", "serve", "--port", "0", "--load", "torn.jsonl.gz", cwd=folder)
    assert torn.code == 2
    assert "torn.jsonl.gz is not a complete gzip file" in torn.sentence
    none = syncd("sandbox", "serve", "--load", "nope.jsonl", cwd=folder)
    assert none.code == 2
    assert none.sentence.endswith("write demo, empty or a file's path")


def test_a_parent_cycle_is_told_and_everything_else_goes_on(world, filled):
    one, other = "Halve the time from order to first ride", "Win the daily commuter"
    below, above = world.row(one), world.row(other)
    assert below["properties"]["Parent"]["relation"] == [{"id": above["id"]}]
    before = above["properties"]["Parent"]["relation"]
    world.edit_row(other, Parent={"relation": [{"id": below["id"]}]})
    world.edit_issue("Fleet map", duedate="2029-01-01")
    try:
        run = syncd("run", "--once", cwd=filled)
        assert run.code in (0, 1)
        assert world.target("Fleet map") == "2029-01-01", "everything else goes on"
        told = syncd("status", "--all", cwd=filled).out
        assert f"{other} > {one} > {other} is a circle of parents" in told
        assert "change one of these parents" in told
        explained = syncd("explain", other, "parent", cwd=filled)
        assert explained.out.splitlines()[1] == "parent = Every trip under ten kilometres by bike"
    finally:
        world.edit_row(other, Parent={"relation": before})
    syncd("run", "--once", cwd=filled)


# the machine ------------------------------------------------------------------------------------


def state_of(folder):
    folder = folder / ".syncd"
    folder.mkdir(exist_ok=True)
    return folder / "state.db"


def test_a_state_newer_than_the_program_is_left_alone(filled, world, tmp_path):
    folder = world.folder(tmp_path / "newer")
    path = state_of(folder)
    with sqlite3.connect(filled / ".syncd" / "state.db") as old, sqlite3.connect(path) as new:
        old.backup(new)
        new.execute("PRAGMA user_version = 99")
    new.close()
    old.close()
    bytes_before = path.read_bytes()
    for words in (("run", "--once"), ("status",), ("conflicts", "resolve", "x", "--take", "jira")):
        refused = syncd(*words, cwd=folder)
        assert refused.code == 2
        assert "was written by a newer syncd (schema 99" in refused.sentence
        assert refused.sentence.endswith("install that version or restore a backup")
    assert path.read_bytes() == bytes_before


def test_a_file_that_is_no_state(folder):
    state_of(folder).write_text("something else entirely, and longer than a header of SQLite\n" * 9)
    wrong = syncd("run", "--once", cwd=folder)
    assert wrong.code == 2
    assert "is damaged (file is not a database): restore a backup" in wrong.sentence


@contextmanager
def small_disk(folder):
    """Give the state a file system of 200 KB; where that is not allowed, limit the size of files."""
    place = state_of(folder).parent
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    if (
        os.geteuid() == 0
        and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    ):
        try:
            yield {}, "because the disk is full: free some space (nothing was half-written)"
        finally:
            subprocess.run(["umount", str(place)], check=True)
        return

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    yield {"preexec_fn": limited}, "check the disk"


def test_a_full_disk(world, folder):
    with small_disk(folder) as (limits, advice):
        full = syncd("run", "--once", cwd=folder, **limits)
        assert full.code == 2
        assert advice in full.sentence
    assert syncd("run", "--once", cwd=folder).code in (0, 1), "with space it works"
    assert world.rows_titled("Fleet map") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_a_state_folder_that_cannot_be_written(folder):
    state_of(folder).parent.chmod(0o500)
    refused = syncd("run", "--once", cwd=folder)
    assert refused.code == 2
    assert "writable for the user syncd runs as" in refused.sentence


def test_a_state_folder_that_cannot_be_made(folder):
    (folder / ".syncd").write_text("a file where the folder should be")
    refused = syncd("run", "--once", cwd=folder)
    assert refused.code == 2
    assert ".syncd" in refused.sentence


def test_ctrl_c_lets_requests_under_way_finish_and_says_so(world, folder):
    world.latency(0.2)
    try:
        with started("run", "--once", cwd=folder, stderr=subprocess.PIPE) as process:
            world.control("counters/reset", {})
            until(lambda: world.calls() > 5, lambda: "no request was seen", process)
            process.send_signal(signal.SIGINT)
            _out, err = process.communicate(timeout=30)
    finally:
        world.latency(0)
    assert process.returncode == 130
    assert err.splitlines()[-1] == (
        "stopped before the end; run the command again, it goes on from here"
    )
    assert "Traceback" not in err
