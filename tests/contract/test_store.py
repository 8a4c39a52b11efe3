"""The SQLite store keeps the laws of every store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from state import store
from syncd.testing.store_laws import StoreLaws


@dataclass
class InFolder:
    path: Path

    def open(self):
        return store.open(self.path)

    def reader(self):
        return store.open(self.path, read_only=True)


class TestSqlStore(StoreLaws):
    @pytest.fixture
    def place(self, tmp_path):
        return InFolder(tmp_path / "a state % ?#.db")
