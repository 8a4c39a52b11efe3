"""Asana: tasks of projects, read by listing and by events, written through the `asana` library."""
