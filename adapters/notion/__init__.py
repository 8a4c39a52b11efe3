"""Notion: data sources as lists of records, and pages that leadership reads."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
"""A JSON object as Notion sends or takes it."""
