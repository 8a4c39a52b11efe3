from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from company import company


@pytest.fixture
def acme(tmp_path):
    """The demonstration company, in step in all tools."""
    with company(tmp_path) as world:
        world.settle()
        yield world
