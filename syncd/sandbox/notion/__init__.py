"""A stand-in for Notion: `NotionSandbox.handle` answers API requests from its own store."""

from __future__ import annotations

from syncd.sandbox.notion.sandbox import NotionSandbox

__all__ = ["NotionSandbox"]
