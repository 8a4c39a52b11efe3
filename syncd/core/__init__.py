"""Everything that decides: pure functions over values; no clock, socket, disk, log or library."""

from __future__ import annotations
