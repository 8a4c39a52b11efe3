"""What a cycle's report says, line by line."""

from __future__ import annotations

from dataclasses import replace

from syncd.cli.common import print_report
from syncd.testing import builders as b


def test_a_reason_that_holds_for_many_scopes_is_told_once(capsys):
    frozen = ("a restored state", "a restored state", "a short list")
    print_report(replace(b.report(), frozen=frozen))
    told = [line for line in capsys.readouterr().out.splitlines() if "held back" in line]
    assert told == ["  held back: a restored state", "  held back: a short list"]
