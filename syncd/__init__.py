"""syncd keeps one product roadmap true in Jira, Asana and Notion."""

from __future__ import annotations

__version__ = "0.1.0"
