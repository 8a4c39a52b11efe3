from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from installation import serving, syncd


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A sandbox of this module's own, as `syncd sandbox serve` starts it."""
    home = tmp_path_factory.mktemp("sandbox") / "config"
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def filled(world):
    """The folder of an installation whose first cycle has been run."""
    assert syncd("run", "--once", cwd=world.home).code == 0
    return world.home


@pytest.fixture
def folder(world, tmp_path):
    """A fresh installation beside the module's sandbox."""
    return world.folder(tmp_path / "fresh")
