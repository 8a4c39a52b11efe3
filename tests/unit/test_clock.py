"""Clocks: the real one can be interrupted, the fake one passes by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

from syncd.clock import SystemClock
from syncd.core.ports import Clock
from syncd.testing.fakes import FakeClock


def test_the_real_clock_tells_the_time():
    clock: Clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.01
    clock.sleep(-1)


def test_stop_wakes_every_sleeper_and_keeps_later_ones_awake():
    clock = SystemClock()
    sleepers = [threading.Thread(target=clock.sleep, args=(60,)) for _ in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    assert not clock.stopped
    clock.stop()
    clock.stop()
    for sleeper in sleepers:
        sleeper.join(10)
        assert not sleeper.is_alive()
    before = time.monotonic()
    clock.sleep(60)
    assert time.monotonic() - before < 10
    assert clock.stopped


SLEEP = """
import signal
from syncd.clock import SystemClock
clock = SystemClock()
signal.signal(signal.SIGTERM, lambda *_: clock.stop())
print("ready", flush=True)
while not clock.stopped:
    clock.sleep(0.001)
clock.sleep(60)
print("done")
"""


def test_stop_may_be_called_from_a_signal_handler():
    process = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "done\n"
    assert process.returncode == 0


def test_virtual_time_passes_in_sleep():
    clock = FakeClock(start=100.0)
    clock.sleep(5)
    clock.sleep(0)
    clock.advance(1)
    assert (clock.now(), clock.monotonic(), clock.naps) == (106.0, 6.0, [5])
    clock.jump(-86_400)
    assert (clock.now(), clock.monotonic()) == (-86_294.0, 6.0)
    clock.stop()
    clock.sleep(5)
    assert (clock.monotonic(), clock.naps) == (6.0, [5])
