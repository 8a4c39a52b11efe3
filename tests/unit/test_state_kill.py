"""A process killed at any moment leaves whole transactions, and all it was told are durable."""

from __future__ import annotations

import os
import random
import signal
import threading

from state import store
from syncd.testing.builders import entry, intent, item, record

ROUNDS = 20


def write(path, start, acknowledge):
    """Write transactions from number `start` on, for ever; say each number once it is committed."""
    opened = store.open(path)
    for number in range(start, start + 1_000_000):
        name = f"i{number:07}"
        with opened.transaction():
            opened.save_items([item(name, "x" * 3000)])
            opened.observe([(record(name, updated=f"{number:09}"), "feature")], 1)
            opened.link("jira", name, name, "origin")
            opened.append_history([entry(name), entry(name, "title")])
            opened.intend([intent(name, item=name)])
            opened.mark_dirty([name])
        os.write(acknowledge, f"{number}\n".encode())


def killed(path, start, delay):
    """Let a process write and kill it; return the last number that it was told is durable."""
    said, acknowledge = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write(path, start, acknowledge)
        finally:
            os._exit(1)
    os.close(acknowledge)
    timer = threading.Timer(delay, os.kill, (child, signal.SIGKILL))
    timer.start()
    with open(said, encoding="ascii") as lines:  # noqa: PTH123 - a pipe
        numbers = [int(line) for line in lines if line.endswith("\n")]
    _, status = os.waitpid(child, 0)
    timer.join()
    assert os.WTERMSIG(status) == signal.SIGKILL
    return numbers[-1] if numbers else start - 1


def test_a_killed_process_leaves_whole_transactions(tmp_path):
    path = tmp_path / "state.db"
    chance = random.Random(7)
    start = rounds = 0
    while rounds < ROUNDS or (
        start <= ROUNDS and rounds < 10 * ROUNDS
    ):  # a slow machine needs more
        rounds += 1
        acknowledged = killed(path, start, chance.uniform(0.01, 0.1))
        opened = store.open(path)
        ids = opened.dirty()
        count = len(ids)
        assert ids == tuple(f"i{number:07}" for number in range(count))
        assert count >= acknowledged + 1
        assert opened.item_count() == opened.count("jira", "main") == count
        assert opened.verify_history() == 2 * count
        assert [each.id for each in opened.open_intents()] == list(ids)
        assert opened.linked_items("jira", ids) == {name: name for name in ids}
        opened.close()
        start = count
    assert start > ROUNDS  # it really was killed at work
