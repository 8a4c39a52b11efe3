"""Every invariant is promised in plain words, and every command that shows it names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "explanation" / "promises.md").read_text("utf8")


def test_every_invariant_is_promised():
    promised = set(re.findall(r"\bI(\d+)\b", PAGE))
    assert {str(number) for number in range(1, 29)} <= promised


def test_every_promise_names_the_command_that_shows_it():
    parts = re.split(r"^\*\*I\d", PAGE, flags=re.MULTILINE)[1:]
    assert len(parts) > 20
    assert [part[:40] for part in parts if "`./dev " not in part] == []


def test_the_tests_that_are_named_exist():
    named = {path for line in re.findall(r"`\./dev test ([^`]+)`", PAGE) for path in line.split()}
    assert named
    assert [path for path in sorted(named) if not (PROJECT / path).exists()] == []
