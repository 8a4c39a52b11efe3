"""Requests made from the vendors' definitions: no answer of 500, none that breaks a definition."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_definitions import DEFINITIONS, WIRE, fuzz, problems, tool

EXAMPLES = {"notion": 20}  # per operation, beside those that cover each parameter
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not WIRE.exists(), reason=f"the definitions are not at {WIRE}"),
    pytest.mark.skipif(tool() is None, reason="schemathesis is not installed"),
]


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_generated_requests_find_nothing_wrong(tmp_path, name):
    words, exchanges = fuzz(name, tmp_path, EXAMPLES.get(name, 2), 1)
    assert len(exchanges) > 500, words
    assert problems(name, tmp_path, exchanges) == []
