"""What holds for all tests.

Properties are searched the same way every time, so that a red run is about the change at hand.
`SYNCD_SEARCH=1 ./dev test` draws new examples at random instead; do that often.

With SYNCD_WIRETAP=FOLDER what the stand-ins answer is kept there (`tests/sandbox/wiretap.py`).
Figures that tests record (`record_property`) are printed when all is done.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

settings.register_profile("steady", derandomize=True)
settings.register_profile("search", print_blob=True)
settings.load_profile("search" if os.environ.get("SYNCD_SEARCH") else "steady")


def pytest_configure(config):
    folder = os.environ.get("SYNCD_WIRETAP")
    if folder:
        sys.path.insert(0, str(Path(__file__).parent / "sandbox"))
        from wiretap import tap

        tap(Path(folder))


def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    figures = [figure for each in reports for figure in each.user_properties]
    if figures:
        terminalreporter.section("figures")
    for name, value in sorted(figures):
        terminalreporter.line(f"{name}: {value}")
