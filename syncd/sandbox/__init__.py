"""Stand-ins for Jira Cloud, Asana and Notion. Shares no code with what it is used to test."""

from __future__ import annotations
