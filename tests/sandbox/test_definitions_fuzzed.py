"""Requests made from the vendors' definitions: no answer of 500, none that breaks a definition.

Every operation that is built and in a definition is asked, alone and in chains in which one answer
gives the next request's ids. The seed and the sandbox's clock are fixed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_definitions import DEFINITIONS, fuzz, missed, problems, tool
from vendors import ABSENT, WIRE

EXAMPLES = {"notion": 20}  # per operation, beside those that cover each parameter
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not WIRE.exists(), reason=ABSENT),
    pytest.mark.skipif(tool() is None, reason="schemathesis is not installed"),
]


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_generated_requests_find_nothing_wrong(tmp_path, name, record_property):
    words, exchanges = fuzz(name, tmp_path, EXAMPLES.get(name, 2), 1)
    operations = re.search(r"Tested: (\d+)", words)
    links = re.search(r"API Links: +(\d+ covered / \d+) selected", words)
    assert operations, words
    assert links, words  # none: the stateful phase did not run
    figure = f"{len(exchanges)} to {operations[1]} operations; links: {links[1]}"
    record_property(f"{name}: generated requests", figure)
    assert problems(name, tmp_path, exchanges) == []
    assert missed(name, exchanges) == []
