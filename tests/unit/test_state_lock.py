"""One daemon for each state file."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys

import pytest

from state import lock, store
from syncd.core.errors import Full, Locked
from syncd.testing.fakes import FakeClock

HOLD = """
import sys, time
from pathlib import Path
from state import store
opened = store.open(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def holder(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_refusal_names_the_holder_and_the_way_out(path, holder):
    with pytest.raises(Locked) as caught:
        store.open(path)
    assert f"is used by process {holder.pid} since 2" in str(caught.value)
    assert str(caught.value).endswith("stop it first or use another state file")


def test_the_lock_dies_with_its_holder(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    store.open(path).close()


def test_no_clock_takes_part(path):
    clock = FakeClock()
    held = store.open(path, clock=clock)
    clock.jump(365 * 86_400)
    with pytest.raises(Locked, match="since 2025-06-15 15:06:40 UTC"):
        store.open(path, clock=clock)
    held.close()


def test_a_link_to_the_file_is_the_same_file(path, tmp_path):
    held = store.open(path)
    alias = tmp_path / "alias.db"
    alias.symlink_to(path)
    with pytest.raises(Locked):
        store.open(alias)
    held.close()


def test_a_removed_lock_file_locks_nobody_out(path):
    first = lock.acquire(path, 0.0)
    lock.lock_path(path).unlink()
    second = lock.acquire(path, 0.0)  # another file; the state itself notices in `transaction`
    with pytest.raises(Locked):
        lock.acquire(path, 0.0)
    first.release()
    second.release()


def test_a_holder_without_a_name_is_told_as_such(path):
    held = lock.acquire(path, 0.0)
    os.truncate(lock.lock_path(path), 0)
    with pytest.raises(Locked, match="another process that is just starting or stopping"):
        lock.acquire(path, 0.0)
    held.release()
    held.release()
    lock.acquire(path, 0.0).release()


def test_a_lock_that_cannot_be_written_is_one_sentence(path):
    lock.lock_path(path).mkdir()
    with pytest.raises(Full, match=r"state\.db\.lock cannot be written \(Is a directory\)"):
        lock.acquire(path, 0.0)


def test_a_disk_without_room_for_the_holders_name_does_not_matter(path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        held = lock.acquire(path, 0.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(Locked):
        lock.acquire(path, 0.0)
    held.release()


def test_readers_need_no_lock(path, holder):
    reader = store.open(path, read_only=True)
    assert reader.item_count() == 0
    reader.close()
