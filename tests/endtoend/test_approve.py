"""What the guard holds back, as an operator sees it and lets it go on."""

from __future__ import annotations

import pytest
from installation import change, daemon, serving, syncd, until


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A company of its own whose mapping allows no overwritten record."""
    home = tmp_path_factory.mktemp("strict") / "config"
    with serving(home) as world:
        assert syncd("run", "--once", cwd=home).code == 0
        limits = "limits: {overwrites: {at_least: 0, share: 0%}}\n\npages:"
        change(home / "roadmap.yaml", "\npages:", f"\n{limits}")
        syncd("run", "--once", cwd=home)
        yield world


def waiting(home, connection):
    held = syncd("status", "--json", cwd=home).data["held"]
    return next(each for each in held if each["connection"] == connection)


def test_a_held_scope_goes_on_when_its_plan_is_approved_beside_the_daemon(strict):
    home = strict.home
    change(home / "syncd.yaml", "interval: 5s", "interval: 1s")
    with daemon(home) as running:
        running.wait_for("cycle")
        strict.edit_issue("Fleet map", duedate="2027-06-01")
        until(lambda: running.lines("cycle")[-1]["frozen"], lambda: running.text, running.process)
        status = syncd("status", cwd=home)
        assert status.code == 1
        held = waiting(home, "notion")
        assert f"held back in notion, Roadmap: {held['why']}" in status.out
        assert "0 records to create, 1 to update: Fleet map" in status.out
        listed = syncd("approve", "--list", cwd=home)
        assert listed.code == 1
        assert f"`syncd approve {held['checksum']}`" in listed.out
        done = syncd("approve", held["checksum"], cwd=home)
        assert done.code == 0, done.err
        assert done.out.startswith("approved until ")
        until(lambda: strict.target("Fleet map") == "2027-06-01", lambda: running.text)
        asana = waiting(home, "asana")["checksum"]
        assert syncd("approve", asana, "--json", cwd=home).data["checksum"] == asana
        until(lambda: not running.lines("cycle")[-1]["frozen"], lambda: running.text)
        assert running.stop()[0] == 0
    told = syncd("history", "-n", "20", cwd=home).out
    assert "notion approved by " in told
    assert "notion released " in told


def test_a_plan_that_has_changed_is_refused_and_says_how(strict):
    home = strict.home
    strict.edit_issue("Fleet map", duedate="2027-07-01")
    assert syncd("plan", cwd=home).code == 1
    old = waiting(home, "notion")["checksum"]
    strict.edit_issue("Size advisor", duedate="2027-08-01")
    shown = syncd("plan", cwd=home)
    new = waiting(home, "notion")["checksum"]
    assert f"`syncd approve {new}`" in shown.out
    late = syncd("approve", old, cwd=home)
    assert late.code == 1
    assert "has changed since: 1 more (Size advisor)" in late.sentence
    assert f"`syncd approve {new}`" in late.sentence
    whole = syncd("plan", "--json", cwd=home).data["checksum"]
    assert syncd("apply", "--checksum", whole, cwd=home).code == 0
    assert strict.target("Fleet map") == "2027-07-01"
    gone = syncd("approve", new, cwd=home)
    assert (gone.code, "no longer held back" in gone.sentence) == (1, True)
    listed = syncd("approve", cwd=home)
    assert (listed.code, "approved for notion, Roadmap: plan " in listed.out) == (0, True)
    unknown = syncd("approve", "0123", cwd=home)
    assert unknown.code == 2
    assert "`syncd approve --list`" in unknown.sentence


def test_apply_says_how_the_world_has_moved(strict):
    strict.edit_issue("Fleet map", duedate="2027-09-01")
    checksum = syncd("plan", "--json", cwd=strict.home).data["checksum"]
    strict.edit_issue("Size advisor", duedate="2027-09-02")
    late = syncd("apply", "--checksum", checksum, cwd=strict.home)
    assert late.code == 1
    assert "(1 more (Size advisor))" in late.sentence
