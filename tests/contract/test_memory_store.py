"""The store in memory keeps the laws of the store, so that the simulator's engine cannot tell."""

from __future__ import annotations

import pytest

from syncd.testing.memory_store import MemoryDisk
from syncd.testing.store_laws import StoreLaws


class TestMemoryStore(StoreLaws):
    @pytest.fixture
    def place(self):
        return MemoryDisk()


def test_what_ends_before_the_commit_leaves_nothing_and_what_ends_after_leaves_all():
    disk = MemoryDisk()
    store = disk.open()

    def end():
        raise KeyboardInterrupt

    store.before_commit = end
    with pytest.raises(KeyboardInterrupt):
        store.mark_dirty(["lost"])
    store.before_commit = lambda: None
    store.after_commit = end
    with pytest.raises(KeyboardInterrupt):
        store.mark_dirty(["kept"])
    store.close()
    assert disk.open().dirty() == ("kept",)
