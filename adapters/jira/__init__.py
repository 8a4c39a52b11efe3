"""Jira Cloud, through the `jira` library's session and REST v3."""
