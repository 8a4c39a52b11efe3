"""`syncd run` as systemd runs it: signals, reload, the lock, messages to the service manager."""

from __future__ import annotations

import signal
import socket

import pytest
from installation import change, daemon, syncd, until

EPIC = "Fleet map"


@pytest.fixture
def home(filled):
    """The filled installation with the shortest interval."""
    text = (filled / "syncd.yaml").read_text("utf8")
    (filled / "syncd.yaml").write_text(text.replace("interval: 5s", "interval: 1s"), "utf8")
    return filled


def test_an_edit_by_another_client_arrives_while_the_daemon_runs(world, home):
    with daemon(home) as running:
        running.wait_for("cycle")
        world.edit_issue(EPIC, duedate="2027-06-07")
        until(lambda: world.target(EPIC) == "2027-06-07", lambda: running.text, running.process)
        code, seconds = running.stop()
    assert (code, seconds < 10) == (0, True)
    line = next(line for line in running.lines("cycle") if line["writes"])
    assert (line["changed"], line["failed"], line["frozen"]) == (1, [], [])
    assert running.lines("stopped")


def test_a_conflict_is_settled_beside_a_running_daemon(world, home):
    with daemon(home) as running:
        running.wait_for("cycle")
        world.control("faults", [{"path": "search/jql|query$", "delay": 0.2}])
        world.edit_issue(EPIC, duedate="2027-12-01")
        world.edit_row(EPIC, **{"Target date": {"date": {"start": "2027-12-12"}}})
        until(lambda: running.lines("cycle")[-1]["conflicts"], lambda: running.text)
        conflict = syncd("conflicts", "list", "--json", cwd=home).data[0]["id"]
        settled = syncd("conflicts", "resolve", conflict, "--value", "2027-12-24", cwd=home)
        assert settled.code == 0, settled.err
        until(lambda: world.target(EPIC) == "2027-12-24", lambda: running.text, running.process)
        until(lambda: not running.lines("cycle")[-1]["conflicts"], lambda: running.text)
        world.control("faults", method="DELETE")
        assert running.stop()[0] == 0
    assert world.issue(EPIC)["fields"]["duedate"] == "2027-12-24"
    assert syncd("conflicts", "list", cwd=home).code == 0


def test_sigterm_in_the_middle_of_a_cycle_ends_within_ten_seconds(world, folder):
    world.latency(0.15)
    try:
        with daemon(folder) as running:
            seen = world.calls()
            until(lambda: world.calls() > seen + 12, lambda: running.text, running.process)
            code, seconds = running.stop()
        assert (code, seconds < 10) == (0, True)
        assert running.lines("stopped")
    finally:
        world.latency(0)
    assert syncd("run", "--once", cwd=folder).code in (0, 1), "the next start goes on"
    assert world.rows_titled(EPIC) == 1


def test_sigterm_does_not_wait_for_a_service_that_never_answers(world, folder):
    with (
        world.faults({"service": "jira", "path": "search/jql", "delay": 25}),
        daemon(folder) as running,
    ):
        world.control("counters/reset", {})
        until(lambda: "/search/jql" in str(world.control("counters")), lambda: running.text)
        code, seconds = running.stop()
        assert "a service owed an answer; the next start finds out" in running.text
    assert code == 0
    assert seconds < 10
    assert syncd("status", cwd=folder).code in (0, 2), "the state is free and whole"


def test_sighup_with_a_broken_mapping_keeps_the_old_rules(world, home):
    roadmap = home / "roadmap.yaml"
    good = roadmap.read_text("utf8")
    with daemon(home) as running:
        running.wait_for("cycle")
        change(roadmap, "roadmap: Northwind", "roadmapp: Northwind")
        running.signal(signal.SIGHUP)
        (line,) = running.wait_for("not reloaded, the old rules stay in force")
        assert line["reason"].startswith("roadmap.yaml:")
        assert 'did you mean "roadmap"?' in line["reason"]
        world.edit_issue(EPIC, duedate="2028-01-01")
        until(lambda: world.target(EPIC) == "2028-01-01", lambda: running.text, running.process)
        roadmap.write_text(good.replace("  labels:\n    jira: Labels\n    notion: {property: Labels"
                                        ", create_options: true}\n", ""), "utf8")  # fmt: skip
        running.signal(signal.SIGHUP)
        running.wait_for("reloaded")
        before = len(running.lines("cycle"))
        running.wait_for("cycle", before + 1)
        assert running.stop()[0] == 0
    roadmap.write_text(good, "utf8")


def test_a_second_daemon_on_the_same_state_ends_with_one_sentence(home):
    with daemon(home) as running:
        running.wait_for("cycle")
        for words in (("run",), ("run", "--once"), ("plan",)):
            second = syncd(*words, cwd=home)
            assert second.code == 2
            assert f"is used by process {running.process.pid} since" in second.err
            assert second.err.rstrip().endswith("stop it first or use another state file")
        assert syncd("status", cwd=home).code in (0, 1), "reading goes on beside it"
        running.process.kill()
        running.process.wait()
    assert syncd("run", "--once", cwd=home).code == 0, "a killed daemon leaves no lock"


def test_messages_to_the_service_manager(home, tmp_path):
    address = str(tmp_path / "notify")
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(30)

        def hear(wanted: str) -> None:
            while not heard or wanted not in heard[-1]:
                heard.append(manager.recv(4096).decode())

        with daemon(home, env={"NOTIFY_SOCKET": address}) as running:
            hear("READY=1")
            assert not any("WATCHDOG=1" in line for line in heard[:-1])
            hear("WATCHDOG=1")
            hear("STATUS=cycle ")
            assert " writes, 0 conflicts, 0 frozen scopes" in heard[-1]
            running.signal(signal.SIGHUP)
            hear("RELOADING=1")
            hear("READY=1")
            hear("WATCHDOG=1")
            running.signal(signal.SIGTERM)
            hear("STOPPING=1")
            assert running.process.wait(10) == 0
